/* SPDX-License-Identifier: MIT */
#include "base/printable.h"

#include "base/status.h"

#include <stdio.h>
#include <string.h>

/* ---- UTF-8 ---- */

int printable_decode(const char *s, size_t n, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* of each length; less is overlong */
    unsigned char first = (unsigned char)*s;
    int length = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
    if (length == 0 || (size_t)length > n)
        return 0;
    uint32_t c = length == 1 ? first : first & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | ((unsigned char)s[i] & 0x3f);
    }
    bool is_surrogate = c >= 0xd800 && c < 0xe000;
    *code = c;
    return c < least[length] || is_surrogate || c > 0x10ffff ? 0 : length;
}

/* Whether a terminal shows a character unchanged. Excludes control characters of ASCII and Latin 1, bidirectional
   controls, invisible characters, line separators and tags. */
static bool is_shown(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {{0, 0x1f},          {0x7f, 0x9f},       {0xad, 0xad},       {0x61c, 0x61c},
                  {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},
                  {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0xfdd0, 0xfdef},   {0xfffe, 0xffff},
                  {0xe0000, 0xe007f}};
    for (int i = 0; i < COUNT_OF(hidden); i++)
        if (c >= hidden[i].first && c <= hidden[i].last)
            return false;
    return true;
}

/* ---- A buffer that truncates between characters ---- */

typedef struct room {
    char *to;
    size_t size, used, wanted;
    bool is_full;
} room;

static void put(room *r, const char *s, size_t n)
{
    r->wanted += n;
    r->is_full |= n >= r->size - r->used;
    if (r->is_full)
        return;
    memcpy(r->to + r->used, s, n);
    r->used += n;
}

/* Between quotes JSON reads the escapes of characters as what they stand for. */
static void put_escape(room *r, uint32_t c)
{
    static const char letters[] = "\tt\nn\rr";
    char word[16];
    const char *letter = c ? strchr(letters, (int)c) : NULL;
    if (c < 0x20 && letter)
        snprintf(word, sizeof word, "\\%c", letter[1]);
    else if (c < 0x20)
        snprintf(word, sizeof word, "\\x%02x", (unsigned)c);
    else if (c < 0x10000)
        snprintf(word, sizeof word, "\\u%04x", (unsigned)c);
    else
        snprintf(word, sizeof word, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (c >> 10)),
                 (unsigned)(0xdc00 + (c & 0x3ff)));
    put(r, word, strlen(word));
}

static void put_text(room *r, const char *s, size_t n, bool with_lines)
{
    while (n > 0) {
        uint32_t code;
        int length = printable_decode(s, n, &code);
        char byte[8];
        if (length == 0)
            put(r, byte, (size_t)snprintf(byte, sizeof byte, "\\x%02x", (unsigned)(unsigned char)*s));
        else if (is_shown(code) || (with_lines && (code == '\n' || code == '\t')))
            put(r, s, (size_t)length);
        else
            put_escape(r, code);
        s += length ? length : 1;
        n -= (size_t)(length ? length : 1);
    }
}

static room room_of(char *to, size_t size)
{
    static char none[1];
    return (room){.to = size ? to : none, .size = size ? size : 1};
}

static size_t finish(room *r)
{
    r->to[r->used] = 0;
    return r->wanted;
}

size_t lt_printable(char *to, size_t size, const char *bytes, size_t n, bool with_lines)
{
    room r = room_of(to, size);
    put_text(&r, bytes, n, with_lines);
    return finish(&r);
}

/* ---- Formats ---- */

/* One conversion, taken apart: "%-*.3lld". */
typedef struct conversion {
    char words[32]; /* as printf wants it, widths written out */
    int width, precision; /* -1: none */
    bool is_left;
    char length[3], kind;
} conversion;

static int read_number(const char **at, va_list *args)
{
    int n = 0;
    if (**at == '*') {
        ++*at;
        return va_arg(*args, int);
    }
    for (; **at >= '0' && **at <= '9'; ++*at)
        n = n * 10 + (**at - '0');
    return n;
}

/* Reads what follows a percent sign; gives the end. */
static const char *read_conversion(const char *at, va_list *args, conversion *c)
{
    char flags[8] = "";
    *c = (conversion){.precision = -1};
    for (size_t i = 0; *at && strchr("-+ #0", *at) && i + 1 < sizeof flags; at++) {
        flags[i++] = *at;
        c->is_left |= *at == '-';
    }
    c->width = read_number(&at, args);
    if (c->width < 0) {
        c->is_left = true;
        c->width = -c->width;
    }
    if (*at == '.') {
        at++;
        c->precision = read_number(&at, args);
    }
    for (size_t i = 0; *at && strchr("hlLjzt", *at) && i + 1 < sizeof c->length; at++)
        c->length[i++] = *at;
    c->kind = *at;
    char precision[12] = "";
    if (c->precision >= 0)
        snprintf(precision, sizeof precision, ".%d", c->precision);
    char width[12] = "";
    if (c->width > 0)
        snprintf(width, sizeof width, "%s%d", c->is_left && !strchr(flags, '-') ? "-" : "", c->width);
    snprintf(c->words, sizeof c->words, "%%%s%s%s%s%c", flags, width, precision, c->length, c->kind);
    return at + (*at != 0);
}

/* Of the n bytes that a precision leaves: without the beginning of a character that it cut. */
static size_t whole_characters(const char *s, size_t n)
{
    for (size_t at = n, back = 0; at > 0 && back < 3; back++) {
        uint32_t code;
        if (((unsigned char)s[--at] & 0xc0) == 0x80)
            continue;
        return (unsigned char)s[at] >= 0xc0 && !printable_decode(s + at, n - at, &code) ? at : n;
    }
    return n;
}

static void put_padded(room *r, const conversion *c, const char *s)
{
    size_t n = 0;
    while (s[n] && (c->precision < 0 || n < (size_t)c->precision))
        n++;
    if (c->precision >= 0 && n == (size_t)c->precision)
        n = whole_characters(s, n);
    room measure = room_of(NULL, 0);
    put_text(&measure, s, n, false);
    size_t width = (size_t)c->width, padding = width > measure.wanted ? width - measure.wanted : 0;
    for (size_t i = 0; i < padding && !c->is_left; i++)
        put(r, " ", 1);
    put_text(r, s, n, false);
    for (size_t i = 0; i < padding && c->is_left; i++)
        put(r, " ", 1);
}

/* Whole numbers: of the type that the length letters say. */
static int write_whole(char *word, size_t size, const conversion *c, va_list *args)
{
    const char *l = c->length;
    if (strcmp(l, "ll") == 0)
        return snprintf(word, size, c->words, va_arg(*args, long long));
    switch (*l) {
    case 'l':
        return snprintf(word, size, c->words, va_arg(*args, long));
    case 'j':
        return snprintf(word, size, c->words, va_arg(*args, intmax_t));
    case 'z':
        return snprintf(word, size, c->words, va_arg(*args, size_t));
    case 't':
        return snprintf(word, size, c->words, va_arg(*args, ptrdiff_t));
    default:
        return snprintf(word, size, c->words, va_arg(*args, int));
    }
}

static void put_value(room *r, const conversion *c, va_list *args)
{
    char word[512];
    int n = 0;
    switch (c->kind) {
    case '%':
        put(r, "%", 1);
        return;
    case 's': {
        const char *s = va_arg(*args, const char *);
        put_padded(r, c, s ? s : "(null)");
        return;
    }
    case 'p':
        n = snprintf(word, sizeof word, c->words, va_arg(*args, void *));
        break;
    case 'a': case 'A': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
        n = *c->length == 'L' ? snprintf(word, sizeof word, c->words, va_arg(*args, long double))
                              : snprintf(word, sizeof word, c->words, va_arg(*args, double));
        break;
    default:
        LT_ASSERT(c->kind && strchr("dioxXuc", c->kind));
        n = write_whole(word, sizeof word, c, args);
    }
    if (n > 0)
        put_text(r, word, (size_t)n < sizeof word ? (size_t)n : sizeof word - 1, true);
}

size_t lt_printable_format(char *to, size_t size, const char *format, va_list args)
{
    room r = room_of(to, size);
    va_list rest;
    va_copy(rest, args);
    while (*format) {
        size_t n = strcspn(format, "%");
        put_text(&r, format, n, true);
        format += n;
        if (*format) {
            conversion c;
            format = read_conversion(format + 1, &rest, &c);
            put_value(&r, &c, &rest);
        }
    }
    va_end(rest);
    return finish(&r);
}
