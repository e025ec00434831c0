/* SPDX-License-Identifier: MIT */
#include "base/spec.h"

#include "base/memory.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

const lt_option no_options[] = {{0}};

static const char *row_name(const void *list, int i)
{
    return ((const spec_row *const *)list)[i]->name;
}

static int count_rows(const spec_table *table)
{
    int n = 0;
    while (table->rows[n])
        n++;
    return n;
}

/* unknown layer "liner"; did you mean "linear"? (layers: linear, relu, ...) */
static int fail_unknown(const spec_table *table, const char *name)
{
    text message = {0};
    int n = count_rows(table);
    if (*name)
        text_format(&message, "unknown %s \"%s\"", table->kind, name);
    else
        text_format(&message, "expected the name of a %s, found nothing", table->kind);
    const char *nearest = text_nearest(name, row_name, table->rows, n);
    if (nearest)
        text_format(&message, "; did you mean \"%s\"?", nearest);
    for (int i = 0; i < n; i++)
        text_format(&message, "%s%s", i ? ", " : " (known: ", table->rows[i]->name);
    text_append(&message, ")");
    status_fail(LT_NOT_FOUND, "%s", text_get(&message));
    text_clear(&message);
    return LT_NOT_FOUND;
}

static const spec_row *find_row(const spec_table *table, const char *name, size_t length)
{
    for (int i = 0; table->rows[i]; i++)
        if (strlen(table->rows[i]->name) == length &&
            memcmp(table->rows[i]->name, name, length) == 0)
            return table->rows[i];
    return NULL;
}

/* "layer linear", for error messages about options. */
static char *title(const spec_table *table, const spec_row *row)
{
    return must_format("%s %s", table->kind, row->name);
}

static int parse_options(const spec_table *table, const spec_row *row, const char *words,
                         void *options)
{
    char *what = title(table, row);
    int status = options_parse_words(what, row->options, options, words);
    if (status == LT_OK && row->check && (status = row->check(options)) != LT_OK)
        status_prefix(status, "%s", what);
    free(what);
    return status;
}

static const char spaces[] = " \t\r\n";

/* The row named by the first of `words`; *rest is the remaining text. */
static const spec_row *first_row(const spec_table *table, const char *words, const char **rest)
{
    words += strspn(words, spaces);
    size_t length = strcspn(words, spaces);
    *rest = words + length;
    const spec_row *row = find_row(table, words, length);
    if (row)
        return row;
    char *name = must_format("%.*s", (int)length, words);
    fail_unknown(table, name);
    free(name);
    return NULL;
}

/* Parses the line after a wrapper's name; wrappers cannot be nested. */
static int parse_inner(const spec_table *table, const spec_row *row, const char *words, spec *s)
{
    const char *rest;
    const spec_row *inner_row = first_row(table, words, &rest);
    if (!inner_row)
        return LT_NOT_FOUND;
    if (inner_row->check_inner)
        return status_fail(LT_VALUE, "%s cannot precede %s", row->name, inner_row->name);
    spec inner;
    LT_TRY(spec_parse(table, words, &inner));
    int status = row->check_inner(&inner);
    if (status != LT_OK) {
        spec_clear(&inner);
        return status;
    }
    *s = (spec){.row = row, .inner = must_alloc(sizeof inner)};
    *s->inner = inner;
    return LT_OK;
}

int spec_parse(const spec_table *table, const char *words, spec *s)
{
    *s = (spec){0};
    const spec_row *row = first_row(table, words, &words);
    if (!row)
        return LT_NOT_FOUND;
    if (row->check_inner) {
        int status = parse_inner(table, row, words, s);
        return status == LT_OK ? LT_OK
                               : status_prefix(status, "%s %s", table->kind, row->name);
    }
    void *options = must_alloc(row->size);
    int status = parse_options(table, row, words, options);
    if (status == LT_OK)
        *s = (spec){.row = row, .options = options};
    else
        free(options);
    return status;
}

int spec_set(const spec_table *table, spec *s, const char *option, const char *value)
{
    if (s->inner)
        return spec_set(table, s->inner, option, value);
    void *options = must_alloc(s->row->size);
    memcpy(options, s->options, s->row->size);
    char *what = title(table, s->row);
    int status = options_set(what, s->row->options, options, option, value);
    if (status == LT_OK && s->row->check && (status = s->row->check(options)) != LT_OK)
        status_prefix(status, "%s", what);
    if (status == LT_OK)
        memcpy(s->options, options, s->row->size);
    free(what);
    free(options);
    return status;
}

typedef void options_printer(const lt_option *table, const void *options, text *out);

static void print_words(const spec *s, options_printer *print, text *out)
{
    for (; s->inner; s = s->inner)
        text_format(out, "%s ", s->row->name);
    text options = {0};
    print(s->row->options, s->options, &options);
    text_format(out, "%s%s%s", s->row->name, options.size ? " " : "", text_get(&options));
    text_clear(&options);
}

void spec_print(const spec *s, text *out) { print_words(s, options_print, out); }

void spec_print_short(const spec *s, text *out) { print_words(s, options_print_short, out); }

bool spec_is_equal(const spec *a, const spec *b)
{
    text s = {0}, t = {0};
    spec_print(a, &s);
    spec_print(b, &t);
    bool is_equal = strcmp(text_get(&s), text_get(&t)) == 0;
    text_clear(&s);
    text_clear(&t);
    return is_equal;
}

void spec_clear(spec *s)
{
    if (s->inner)
        spec_clear(s->inner);
    free(s->inner);
    free(s->options);
    *s = (spec){0};
}

int spec_check(const spec_table *table, const char *words)
{
    spec s;
    int status = spec_parse(table, words, &s);
    spec_clear(&s);
    return status;
}
