/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include "base/memory.h"
#include "base/status.h"

#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- Growing text ---- */

static void reserve(text *t, size_t more)
{
    size_t need;
    bool fits = size_add(t->size, more, &need) && need < SIZE_MAX / 2;
    LT_ASSERT(fits);
    if (need < t->capacity)
        return;
    t->capacity = need * 2 + 32;
    t->data = must_resize(t->data, t->capacity);
}

void text_append_bytes(text *t, const char *more, size_t size)
{
    reserve(t, size);
    if (size)
        memcpy(t->data + t->size, more, size);
    t->size += size;
    t->data[t->size] = 0;
}

void text_append(text *t, const char *more) { text_append_bytes(t, more, strlen(more)); }

void text_format(text *t, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    LT_ASSERT(n >= 0);
    reserve(t, (size_t)n);
    vsnprintf(t->data + t->size, (size_t)n + 1, format, args);
    va_end(args);
    t->size += (size_t)n;
}

const char *text_get(const text *t) { return t->data ? t->data : ""; }

char *text_take(text *t)
{
    char *taken = t->data ? t->data : must_copy_text("");
    *t = (text){0};
    return taken;
}

void text_clear(text *t)
{
    free(t->data);
    *t = (text){0};
}

/* ---- Numbers ----
   A host program may have set a locale with a decimal comma; ours is "C", for this thread and for
   the moment only. */

typedef struct c_locale {
    locale_t ours, before;
} c_locale;

static c_locale enter_c_locale(void)
{
    locale_t ours = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    LT_ASSERT(ours != (locale_t)0);
    return (c_locale){.ours = ours, .before = uselocale(ours)};
}

static void leave_c_locale(c_locale l)
{
    uselocale(l.before);
    freelocale(l.ours);
}

void text_append_real(text *t, double value)
{
    char digits[40];
    c_locale locale = enter_c_locale();
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    leave_c_locale(locale);
    text_append(t, digits);
}

void text_append_single(text *t, float value)
{
    char digits[40];
    c_locale locale = enter_c_locale();
    for (int precision = 6; precision <= 9; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, (double)value);
        if (strtof(digits, NULL) == value && (float)strtod(digits, NULL) == value)
            break;
    }
    leave_c_locale(locale);
    text_append(t, digits);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool text_to_int64(const char *word, int64_t *value)
{
    bool is_negative = *word == '-';
    if (*word == '-' || *word == '+')
        word++;
    if (!*word)
        return false;
    int64_t v = 0;
    for (; *word; word++) {
        if (!is_digit(*word))
            return false;
        int digit = is_negative ? -(*word - '0') : *word - '0'; /* so that INT64_MIN fits */
        if (__builtin_mul_overflow(v, (int64_t)10, &v) || __builtin_add_overflow(v, digit, &v))
            return false;
    }
    *value = v;
    return true;
}

static const char *skip_digits(const char *s)
{
    while (is_digit(*s))
        s++;
    return s;
}

/* The end of a decimal number at the start of `s`: 3, -.5, 1e-3; NULL if there is none. */
static const char *skip_decimal(const char *s)
{
    s += *s == '-' || *s == '+';
    const char *whole_end = skip_digits(s), *end = whole_end;
    bool has_digits = whole_end > s;
    if (*end == '.') {
        end = skip_digits(whole_end + 1);
        has_digits |= end > whole_end + 1;
    }
    if (!has_digits)
        return NULL;
    if (*end == 'e' || *end == 'E') {
        const char *digits = end + 1;
        digits += *digits == '-' || *digits == '+';
        end = skip_digits(digits);
        if (end == digits)
            return NULL;
    }
    return end;
}

bool text_to_real(const char *word, double *value)
{
    const char *end = skip_decimal(word), *slash = NULL;
    if (end && *end == '/') {
        slash = end;
        end = skip_decimal(slash + 1);
    }
    if (!end || *end)
        return false;
    c_locale locale = enter_c_locale();
    double v = strtod(word, NULL);
    if (slash)
        v /= strtod(slash + 1, NULL);
    leave_c_locale(locale);
    if (!isfinite(v))
        return false;
    *value = v;
    return true;
}

bool lt_read_integer(const char *word, int64_t *value) { return text_to_int64(word, value); }
bool lt_read_real(const char *word, double *value) { return text_to_real(word, value); }

/* The word before the next comma; false if it is no number. */
static bool read_item(const char *at, size_t size, int64_t *value)
{
    char *word = must_format("%.*s", (int)size, at);
    bool is_number = text_to_int64(word, value);
    free(word);
    return is_number;
}

bool lt_read_integers(const char *words, int n, int64_t *values)
{
    for (int i = 0; i < n; i++) {
        size_t size = strcspn(words, ",");
        int64_t value;
        if (size > 32 || !read_item(words, size, &value) || words[size] != (i + 1 < n ? ',' : 0))
            return false;
        values[i] = value;
        words += size + 1;
    }
    return true;
}

bool text_to_bool(const char *word, bool *value)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
    for (int i = 0; i < COUNT_OF(words); i++)
        if (strcmp(word, words[i]) == 0) {
            *value = i % 2;
            return true;
        }
    return false;
}

/* ---- UTF-8 ---- */

/* Bytes of the letter at `s`; 0: not one. Overlong forms, surrogates and what is beyond U+10FFFF are
   none (RFC 3629). */
static int letter_bytes(const unsigned char *s)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int n = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;
    uint32_t code = n > 1 ? s[0] & (0x7fu >> n) : s[0];
    for (int i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3fu);
    }
    bool is_letter = n < 2 || (code >= least[n] && code <= 0x10FFFF &&
                               (code < 0xD800 || code >= 0xE000));
    return is_letter ? n : 0;
}

bool text_is_utf8(const char *s)
{
    for (int n; *s; s += n)
        if (!(n = letter_bytes((const unsigned char *)s)))
            return false;
    return true;
}

/* ---- The nearest name ---- */

enum { NEAR_LENGTH = 48 }; /* longer words have no nearest name */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static int least(int a, int b) { return a < b ? a : b; }

/* Damerau and Levenshtein: insertions, deletions, substitutions, swaps of neighbors.
   d[i][j]: between the first i letters of a and the first j of b. Case does not count. */
static int distance(const char *a, int n, const char *b, int m)
{
    int d[NEAR_LENGTH + 1][NEAR_LENGTH + 1];
    for (int i = 0; i <= n; i++)
        d[i][0] = i;
    for (int j = 0; j <= m; j++)
        d[0][j] = j;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++) {
            char x = lower(a[i - 1]), y = lower(b[j - 1]);
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y)
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

const char *text_nearest(const char *word, text_name_function *name, const void *list, int n)
{
    enum { PREFIX = 3 }; /* "kern" and "kernel_size" mean "kernel" */
    size_t length = strlen(word);
    const char *nearest = NULL;
    int best = NEAR_LENGTH;
    for (int i = 0; i < n && length <= NEAR_LENGTH; i++) {
        const char *candidate = name(list, i);
        size_t m = strlen(candidate), shorter = length < m ? length : m;
        if (m > NEAR_LENGTH)
            continue;
        int d = distance(word, (int)length, candidate, (int)m);
        int allowed = (int)(shorter + 2) / 3; /* one slip in three letters */
        if (shorter >= PREFIX && strncmp(word, candidate, shorter) == 0)
            allowed = NEAR_LENGTH;
        if (d <= allowed && d < (int)(length > m ? length : m) && d < best) {
            best = d;
            nearest = candidate;
        }
    }
    return nearest;
}

const char *text_item(const void *list, int i) { return ((const char *const *)list)[i]; }

const char *lt_nearest(const char *word, const char *const *names)
{
    int n = 0;
    while (names[n])
        n++;
    return text_nearest(word, text_item, names, n);
}

bool text_ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n > m && strcasecmp(name + n - m, end) == 0;
}
