/* SPDX-License-Identifier: MIT */
#include "base/options.h"

#include "base/memory.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 64 };

static int count_rows(const lt_option *table)
{
    int n = 0;
    while (table[n].name)
        n++;
    LT_ASSERT(n <= MAX_ROWS);
    return n;
}

static void *field(const lt_option *row, void *options) { return (char *)options + row->offset; }

static const void *const_field(const lt_option *row, const void *options)
{
    return (const char *)options + row->offset;
}

/* ---- Defaults ---- */

/* Bytes of the field of a text or path, with the zero byte. */
static size_t text_room(const lt_option *row)
{
    return row->kind == LT_KIND_PATH ? LT_PATH_SIZE : LT_TEXT_SIZE;
}

static void set_text(const lt_option *row, void *options, const char *value)
{
    size_t n = strlen(value);
    LT_ASSERT(n < text_room(row));
    char *to = field(row, options);
    memset(to, 0, text_room(row)); /* so that equal options have equal bytes */
    memcpy(to, value, n);
}

static void set_default(const lt_option *row, void *options)
{
    void *to = field(row, options);
    switch (row->kind) {
    case LT_KIND_INT:
        *(int64_t *)to = (int64_t)row->fallback;
        break;
    case LT_KIND_REAL:
        *(double *)to = row->fallback;
        break;
    case LT_KIND_BOOL:
        *(bool *)to = row->fallback != 0;
        break;
    case LT_KIND_CHOICE:
        *(int *)to = (int)row->fallback;
        break;
    case LT_KIND_TEXT:
    case LT_KIND_PATH:
        set_text(row, options, row->choices ? row->choices : "");
        break;
    }
}

void options_defaults(const lt_option *table, void *options)
{
    for (const lt_option *row = table; row->name; row++)
        set_default(row, options);
}

/* ---- Choices: "analytic|monte-carlo" ---- */

/* The start of choice `index` and its length, or NULL. */
static const char *choice_at(const char *choices, int index, size_t *length)
{
    for (; index > 0; index--) {
        choices = strchr(choices, '|');
        if (!choices)
            return NULL;
        choices++;
    }
    *length = strcspn(choices, "|");
    return choices;
}

static int choice_index(const char *choices, const char *word)
{
    size_t n, length = strlen(word);
    const char *choice;
    for (int i = 0; (choice = choice_at(choices, i, &n)); i++)
        if (n == length && memcmp(choice, word, n) == 0)
            return i;
    return -1;
}

/* "analytic, monte-carlo" */
static void append_choices(const char *choices, text *out)
{
    size_t n;
    const char *choice;
    for (int i = 0; (choice = choice_at(choices, i, &n)); i++) {
        text_append(out, i ? ", " : "");
        text_append_bytes(out, choice, n);
    }
}

/* ---- Setting ---- */

static bool has_range(const lt_option *row) { return row->min < row->max; }

static bool in_range(const lt_option *row, double value)
{
    return !has_range(row) || (value >= row->min && value <= row->max);
}

/* What a value of the row must be: "a whole number between 1 and 65536". */
static void append_expected(const lt_option *row, text *out)
{
    switch (row->kind) {
    case LT_KIND_INT:
        text_append(out, "a whole number");
        break;
    case LT_KIND_REAL:
        text_append(out, "a number");
        break;
    case LT_KIND_BOOL:
        text_append(out, "yes or no");
        break;
    case LT_KIND_CHOICE:
        text_append(out, "one of ");
        append_choices(row->choices, out);
        break;
    case LT_KIND_TEXT:
    case LT_KIND_PATH:
        text_format(out, "shorter than %zu bytes", text_room(row));
        break;
    }
    if ((row->kind == LT_KIND_INT || row->kind == LT_KIND_REAL) && has_range(row)) {
        text_append(out, " between ");
        text_append_real(out, row->min);
        text_append(out, " and ");
        text_append_real(out, row->max);
    }
}

static bool store(const lt_option *row, void *options, const char *value)
{
    void *to = field(row, options);
    int64_t whole;
    double real;
    int index;
    switch (row->kind) {
    case LT_KIND_INT:
        if (!text_to_int64(value, &whole) || !in_range(row, (double)whole))
            return false;
        *(int64_t *)to = whole;
        return true;
    case LT_KIND_REAL:
        if (!text_to_real(value, &real) || !in_range(row, real))
            return false;
        *(double *)to = real;
        return true;
    case LT_KIND_BOOL:
        return text_to_bool(value, to);
    case LT_KIND_CHOICE:
        index = choice_index(row->choices, value);
        if (index >= 0)
            *(int *)to = index;
        return index >= 0;
    case LT_KIND_TEXT:
    case LT_KIND_PATH:
        if (strlen(value) >= text_room(row))
            return false;
        set_text(row, options, value);
        return true;
    }
    return false;
}

static int set_row(const char *what, const lt_option *row, void *options, const char *value)
{
    if (store(row, options, value))
        return LT_OK;
    text expected = {0};
    append_expected(row, &expected);
    if (strlen(value) < LT_TEXT_SIZE)
        status_fail(LT_VALUE, "%s: %s must be %s, found \"%s\"", what, row->name,
                    text_get(&expected), value);
    else
        status_fail(LT_VALUE, "%s: %s must be %s, found %zu bytes: \"%.40s...\"", what, row->name,
                    text_get(&expected), strlen(value), value);
    text_clear(&expected);
    return LT_VALUE;
}

static const char *row_name(const void *table, int i) { return ((const lt_option *)table)[i].name; }

/* " (options: units, bias)", or " (it has no options)". */
static void append_names(const lt_option *table, text *out)
{
    for (const lt_option *row = table; row->name; row++)
        text_format(out, "%s%s", row == table ? " (options: " : ", ", row->name);
    text_append(out, table->name ? ")" : " (it has no options)");
}

static const lt_option *find_row(const char *what, const lt_option *table, const char *key)
{
    for (const lt_option *row = table; row->name; row++)
        if (strcmp(row->name, key) == 0)
            return row;
    text more = {0};
    const char *nearest = text_nearest(key, row_name, table, count_rows(table));
    if (nearest)
        text_format(&more, "; did you mean \"%s\"?", nearest);
    append_names(table, &more);
    status_fail(LT_NOT_FOUND, "unknown option \"%s\" of %s%s", key, what, text_get(&more));
    text_clear(&more);
    return NULL;
}

int options_set(const char *what, const lt_option *table, void *options, const char *key,
                const char *value)
{
    const lt_option *row = find_row(what, table, key);
    return row ? set_row(what, row, options, value) : LT_NOT_FOUND;
}

/* ---- Words ---- */

/* One word of a specification: `256`, `bias=no`, `name="two words"`. */
typedef struct word {
    text key, value;
    bool has_key;
} word;

static void word_clear(word *w)
{
    text_clear(&w->key);
    text_clear(&w->value);
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static bool is_key_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* Reads the text between double quotes; `s` is after the first one. NULL: not closed. */
static const char *read_quoted(const char *s, text *value)
{
    for (; *s && *s != '"'; s++) {
        if (*s == '\\' && (s[1] == '"' || s[1] == '\\'))
            s++;
        text_append_bytes(value, s, 1);
    }
    return *s ? s + 1 : NULL;
}

/* Reads the word at `*at`, which is not a space, and moves behind it. */
static int read_word(const char *what, const char **at, word *w)
{
    const char *s = *at, *end = s;
    while (is_key_letter(*end))
        end++;
    if (end > s && *end == '=') {
        w->has_key = true;
        text_append_bytes(&w->key, s, (size_t)(end - s));
        s = end + 1;
    }
    if (*s == '"') {
        const char *after = read_quoted(s + 1, &w->value);
        if (!after || (*after && !is_space(*after)))
            return status_fail(LT_VALUE, "%s: text after or missing closing quote in %s", what, s);
        *at = after;
        return LT_OK;
    }
    const char *start = s;
    while (*s && !is_space(*s))
        s++;
    text_append_bytes(&w->value, start, (size_t)(s - start));
    *at = s;
    return LT_OK;
}

/* What has been read so far of a specification. */
typedef struct reading {
    const char *what;
    const lt_option *table;
    void *options;
    uint64_t seen; /* a bit for each row */
    int next;      /* the row from which to look for the next positional one */
    bool had_key;
} reading;

static const lt_option *next_positional(reading *r, const char *value)
{
    const lt_option *row = r->table + r->next;
    while (row->name && !row->positional)
        row++;
    if (row->name && !r->had_key) {
        r->next = (int)(row - r->table) + 1;
        return row;
    }
    text more = {0};
    append_names(r->table, &more);
    if (r->had_key)
        status_fail(LT_VALUE, "%s: value \"%s\" without a name after one with a name%s", r->what,
                    value, text_get(&more));
    else
        status_fail(LT_VALUE, "%s: value \"%s\" is one too many%s", r->what, value,
                    text_get(&more));
    text_clear(&more);
    return NULL;
}

static int take_word(reading *r, const word *w)
{
    const char *value = text_get(&w->value);
    const lt_option *row =
        w->has_key ? find_row(r->what, r->table, text_get(&w->key)) : next_positional(r, value);
    if (!row)
        return w->has_key ? LT_NOT_FOUND : LT_VALUE;
    r->had_key |= w->has_key;
    uint64_t bit = UINT64_C(1) << (row - r->table);
    if (r->seen & bit)
        return status_fail(LT_VALUE, "%s: %s is given twice", r->what, row->name);
    r->seen |= bit;
    return set_row(r->what, row, r->options, value);
}

static int check_required(const reading *r)
{
    for (const lt_option *row = r->table; row->name; row++)
        if (row->required && !(r->seen >> (row - r->table) & 1))
            return status_fail(LT_VALUE, "%s: %s is missing (%s)", r->what, row->name, row->help);
    return LT_OK;
}

int options_parse_words(const char *what, const lt_option *table, void *options, const char *words)
{
    count_rows(table);
    options_defaults(table, options);
    reading r = {.what = what, .table = table, .options = options};
    for (;;) {
        while (is_space(*words))
            words++;
        if (!*words)
            return check_required(&r);
        word w = {0};
        int status = read_word(what, &words, &w);
        if (status == LT_OK)
            status = take_word(&r, &w);
        word_clear(&w);
        LT_TRY(status);
    }
}

/* ---- Printing ---- */

static void append_text_value(const char *value, text *out)
{
    bool is_plain = *value != 0;
    for (const char *s = value; *s; s++)
        is_plain &= !is_space(*s) && *s != '"' && *s != '=';
    if (is_plain) {
        text_append(out, value);
        return;
    }
    text_append(out, "\"");
    for (const char *s = value; *s; s++) {
        if (*s == '"' || *s == '\\')
            text_append(out, "\\");
        text_append_bytes(out, s, 1);
    }
    text_append(out, "\"");
}

static void append_value(const lt_option *row, const void *options, text *out)
{
    const void *from = const_field(row, options);
    size_t n;
    const char *choice;
    switch (row->kind) {
    case LT_KIND_INT:
        text_format(out, "%lld", (long long)*(const int64_t *)from);
        break;
    case LT_KIND_REAL:
        text_append_real(out, *(const double *)from);
        break;
    case LT_KIND_BOOL:
        text_append(out, *(const bool *)from ? "yes" : "no");
        break;
    case LT_KIND_CHOICE:
        choice = choice_at(row->choices, *(const int *)from, &n);
        LT_ASSERT(choice != NULL);
        text_append_bytes(out, choice, n);
        break;
    case LT_KIND_TEXT:
    case LT_KIND_PATH:
        append_text_value(from, out);
        break;
    }
}

static bool is_default(const lt_option *row, const void *options)
{
    const void *from = const_field(row, options);
    switch (row->kind) {
    case LT_KIND_INT:
        return *(const int64_t *)from == (int64_t)row->fallback;
    case LT_KIND_REAL:
        return *(const double *)from == row->fallback;
    case LT_KIND_BOOL:
        return *(const bool *)from == (row->fallback != 0);
    case LT_KIND_CHOICE:
        return *(const int *)from == (int)row->fallback;
    case LT_KIND_TEXT:
    case LT_KIND_PATH:
        return strcmp(from, row->choices ? row->choices : "") == 0;
    }
    return false;
}

/* Whether this positional row or one behind it must be written. */
static bool is_needed(const lt_option *row, const void *options)
{
    for (; row->name; row++)
        if (row->positional && (row->required || !is_default(row, options)))
            return true;
    return false;
}

/* Positional rows first; all, or without defaults. */
static void print_rows(const lt_option *table, const void *options, bool with_defaults, text *out)
{
    const char *space = "";
    for (int positional = 1; positional >= 0; positional--)
        for (const lt_option *row = table; row->name; row++) {
            bool is_wanted = positional ? is_needed(row, options) : !is_default(row, options);
            if (row->positional != positional || !(is_wanted || with_defaults))
                continue;
            text_append(out, space);
            if (!positional)
                text_format(out, "%s=", row->name);
            append_value(row, options, out);
            space = " ";
        }
}

void options_print(const lt_option *table, const void *options, text *out)
{
    print_rows(table, options, true, out);
}

void options_print_short(const lt_option *table, const void *options, text *out)
{
    print_rows(table, options, false, out);
}

/* ---- Help ---- */

/* "default 0.2", or "required". */
static void append_default(const lt_option *row, text *out)
{
    if (row->required) {
        text_append(out, "required");
        return;
    }
    union {
        int64_t whole;
        double real;
        char words[LT_PATH_SIZE];
    } value = {0};
    lt_option alone = *row;
    alone.offset = 0;
    set_default(&alone, &value);
    text_append(out, "default ");
    append_value(&alone, &value, out);
}

void options_help(const lt_option *table, text *out)
{
    int width = 0;
    for (const lt_option *row = table; row->name; row++)
        width = (int)strlen(row->name) > width ? (int)strlen(row->name) : width;
    for (const lt_option *row = table; row->name; row++) {
        text_format(out, "  %-*s  %s: ", width, row->name, row->help);
        if (row->kind != LT_KIND_TEXT && row->kind != LT_KIND_PATH) {
            append_expected(row, out);
            text_append(out, ", ");
        }
        append_default(row, out);
        text_append(out, "\n");
    }
}
