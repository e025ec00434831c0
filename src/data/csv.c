/* SPDX-License-Identifier: MIT */
/* Reads comma-separated numbers from this library, NumPy's savetxt or pandas: an optional line of names, then
   rows of equal length. */
#include "data/csv.h"

#include "base/ceilings.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 64 }; /* characters of a number */

/* State of the parser. */
typedef struct csv {
    const char *path, *at, *end;
    int line; /* that `at` is in, from 1 */
    int width;
    char **names; /* width of them; NULL: no such line */
    double *values;
    int64_t rows, capacity; /* numbers that `values` has room for */
} csv;

/* ---- Cells ---- */

/* Reads the next cell without surrounding blanks and quotes; false after the last one of its line. */
static bool next_cell(csv *c, bool *is_last, const char **cell, size_t *n)
{
    const char *from = c->at;
    while (c->at < c->end && *c->at != ',' && *c->at != '\n')
        c->at++;
    const char *to = c->at;
    *is_last = c->at == c->end || *c->at == '\n';
    c->at += c->at < c->end;
    while (from < to && isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    if (to - from >= 2 && *from == '"' && to[-1] == '"') {
        from++;
        to--;
    }
    *cell = from;
    *n = (size_t)(to - from);
    return !*is_last;
}

static bool read_number(const char *cell, size_t n, double *value)
{
    static const struct {
        const char *word;
        double value;
    } others[] = {{"nan", (double)NAN}, {"inf", (double)INFINITY}, {"-inf", -(double)INFINITY}};
    char word[CELL];
    if (n == 0 || n >= sizeof word)
        return false;
    for (size_t i = 0; i < n; i++)
        word[i] = (char)tolower((unsigned char)cell[i]);
    word[n] = 0;
    for (int i = 0; i < COUNT_OF(others); i++)
        if (strcmp(word, others[i].word) == 0) {
            *value = others[i].value;
            return true;
        }
    return text_to_real(word, value);
}

/* Skips a line of blanks. */
static bool skip_empty_line(csv *c)
{
    const char *at = c->at;
    while (at < c->end && *at != '\n' && isspace((unsigned char)*at))
        at++;
    if (at < c->end && *at != '\n')
        return false;
    c->at = at + (at < c->end);
    c->line++;
    return true;
}

/* ---- The first line ---- */

/* Cells of the line that begins here. */
static uint64_t count_cells(const csv *c)
{
    uint64_t n = 1;
    for (const char *at = c->at; at < c->end && *at != '\n'; at++)
        n += *at == ',';
    return n;
}

/* Whether the first line has names. A line 0,1,2, which pandas writes above unnamed columns, counts as names. */
static bool has_names(const csv *file, int *width)
{
    csv c = *file;
    bool is_last = false, is_count = true, is_numbers = true;
    const char *cell;
    size_t n;
    for (*width = 0; !is_last; (*width)++) {
        double value;
        next_cell(&c, &is_last, &cell, &n);
        bool is_number = read_number(cell, n, &value);
        is_numbers &= is_number;
        is_count &= is_number && value == *width;
    }
    return !is_numbers || (is_count && *width > 1);
}

static void read_names(csv *c)
{
    c->names = must_alloc(sizeof *c->names * (size_t)c->width);
    for (int i = 0; i < c->width; i++) {
        const char *cell;
        size_t n;
        bool is_last;
        next_cell(c, &is_last, &cell, &n);
        c->names[i] = must_format("%.*s", (int)(n < LT_TEXT_SIZE ? n : LT_TEXT_SIZE), cell);
    }
    c->line++;
}

/* ---- Rows ---- */

static int make_room(csv *c)
{
    if ((c->rows + 1) * c->width <= c->capacity)
        return LT_OK;
    c->capacity = 2 * c->capacity + 1024 * (int64_t)c->width;
    double *more = tensor_alloc(sizeof *more * (size_t)c->capacity, c->path);
    if (!more)
        return LT_NO_MEMORY;
    if (c->rows)
        memcpy(more, c->values, sizeof *more * (size_t)(c->rows * c->width));
    tensor_free(c->values);
    c->values = more;
    return LT_OK;
}

static int read_row(csv *c)
{
    LT_TRY(make_room(c));
    double *row = c->values + c->rows * c->width;
    bool is_last = false;
    int i = 0;
    for (; !is_last; i++) {
        const char *cell;
        size_t n;
        double value;
        next_cell(c, &is_last, &cell, &n);
        if (i < c->width && !read_number(cell, n, &value))
            return status_fail(LT_FORMAT, "%s:%d: column %d: expected a number, found '%.*s'", c->path,
                               c->line, i + 1, (int)(n < CELL ? n : CELL), cell);
        if (i < c->width)
            row[i] = value;
    }
    if (i != c->width)
        return status_fail(LT_FORMAT, "%s:%d: expected %d numbers as in the first line, found %d",
                           c->path, c->line, c->width, i);
    c->rows++;
    c->line++;
    return LT_OK;
}

static int read_all(csv *c)
{
    while (c->at < c->end && skip_empty_line(c))
        continue;
    if (c->at == c->end)
        return status_fail(LT_FORMAT, "%s: expected lines of numbers, found an empty file", c->path);
    LT_TRY(limit_check(LIMIT_CSV_COLUMNS, c->path, count_cells(c)));
    if (has_names(c, &c->width))
        read_names(c);
    while (c->at < c->end)
        if (!skip_empty_line(c))
            LT_TRY(read_row(c));
    return LT_OK;
}

/* ---- Arrays ---- */

/* "mean_12" is number 12 of "mean"; -1: it has none. *stem: characters before it. */
static int64_t number_of(const char *name, size_t *stem)
{
    int64_t number;
    size_t n = strlen(name), at = n;
    while (at > 0 && isdigit((unsigned char)name[at - 1]))
        at--;
    if (at == n || !text_to_int64(name + at, &number))
        return -1;
    while (at > 0 && strchr("_. -", name[at - 1]))
        at--;
    *stem = at;
    return number;
}

/* How many columns from `first` on are one array: NAME_0 or NAME_1 and those that count on. */
static int count_columns(const csv *c, int first, size_t *stem)
{
    int64_t from;
    int n = 1;
    if (!c->names) {
        *stem = 0;
        return c->width;
    }
    from = number_of(c->names[first], stem);
    if (from != 0 && from != 1) {
        *stem = strlen(c->names[first]);
        return 1;
    }
    for (; first + n < c->width; n++) {
        size_t other;
        if (number_of(c->names[first + n], &other) != from + n || other != *stem ||
            strncmp(c->names[first], c->names[first + n], other) != 0)
            break;
    }
    return n;
}

static int take_columns(const csv *c, int first, int n, size_t stem, lt_number_array *a)
{
    a->name = must_format("%.*s", (int)stem, c->names ? c->names[first] : "");
    bool is_column = c->names && stem == strlen(c->names[first]); /* not one of several */
    a->rank = is_column ? 1 : 2;
    a->shape[0] = c->rows;
    a->shape[1] = is_column ? 0 : n;
    a->values = tensor_alloc(sizeof *a->values * (size_t)(c->rows * n + 1), c->path);
    if (!a->values)
        return LT_NO_MEMORY;
    for (int64_t i = 0; i < c->rows; i++)
        memcpy(a->values + i * n, c->values + i * c->width + first, sizeof *a->values * (size_t)n);
    return LT_OK;
}

static int take_arrays(const csv *c, lt_number_array **all, int *n)
{
    *all = must_alloc(sizeof **all * (size_t)c->width);
    for (int first = 0; first < c->width;) {
        size_t stem;
        int count = count_columns(c, first, &stem);
        LT_TRY(take_columns(c, first, count, stem, &(*all)[(*n)++]));
        first += count;
    }
    return LT_OK;
}

int csv_parse(const char *path, const bytes *content, lt_number_array **all, int *n)
{
    const char *start = (const char *)content->data;
    size_t mark = content->size >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* of Excel */
    csv c = {.path = path, .at = start + mark, .end = start + content->size, .line = 1};
    int status = read_all(&c);
    if (status == LT_OK)
        status = take_arrays(&c, all, n);
    for (int i = 0; i < c.width && c.names; i++)
        free(c.names[i]);
    free(c.names);
    tensor_free(c.values);
    return status;
}
