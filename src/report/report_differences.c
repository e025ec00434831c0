/* SPDX-License-Identifier: MIT */
/* The keys in which the recipes of several runs differ. */
#include "report/report_parts.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- Values ---- */

/* Whether `key` is "LIST.2" of this list. */
static bool is_item(const char *key, const char *list, size_t n)
{
    return strncmp(key, list, n) == 0 && key[n] == '.' && key[n + 1] >= '0' && key[n + 1] <= '9';
}

/* The part of a key before the numbers of a list: lists are shown whole. */
static size_t place_size(const char *key)
{
    size_t n = strcspn(key, ".");
    while (key[n] && !(key[n + 1] >= '0' && key[n + 1] <= '9'))
        n += 1 + strcspn(key + n + 1, ".");
    return n;
}

/* The value at a place of n characters, of a list all its items; NULL: none. The caller frees it. */
static char *find_value(const lt_recipe *r, const char *place, size_t n)
{
    int count;
    const lt_recipe_value *all = lt_recipe_values(r, &count);
    char *value = NULL;
    for (int i = 0; i < count; i++) {
        const char *key = all[i].key;
        if (!is_item(key, place, n) && !(strncmp(key, place, n) == 0 && key[n] == 0))
            continue;
        size_t used = value ? strlen(value) : 0, size = used + strlen(all[i].value) + 3;
        char *longer = must_alloc(size);
        snprintf(longer, size, "%s%s%s", value ? value : "", value ? ", " : "", all[i].value);
        free(value);
        value = longer;
    }
    return value;
}

typedef struct comparison {
    page *page;
    const report_run *runs;
    int n;
    int found; /* places that differ, so far */
} comparison;

static const lt_recipe *recipe_of(const comparison *c, int i) { return lt_model_recipe(c->runs[i].e.model); }

/* Whether run i is the first one with that place. */
static bool is_new(const comparison *c, int i, const char *place, size_t n)
{
    bool is_there = false;
    for (int before = 0; before < i && !is_there; before++) {
        char *value = find_value(recipe_of(c, before), place, n);
        is_there = value != NULL;
        free(value);
    }
    return !is_there;
}

static void begin_table(const comparison *c)
{
    page_html(c->page, "<p>The keys in which the recipes differ; all others are equal.</p>\n"
                       "<div class=\"wide\" tabindex=\"0\"><table class=\"recipes\">\n");
    report_put_head(c->page, c->runs, c->n, "");
    page_html(c->page, "<tbody>\n");
}

/* A row, where the runs differ. */
static void put_place(comparison *c, const char *place, size_t n)
{
    char **values = must_alloc(sizeof *values * (size_t)c->n);
    bool differs = false;
    for (int i = 0; i < c->n; i++) {
        values[i] = find_value(recipe_of(c, i), place, n);
        differs |= (values[i] != NULL) != (values[0] != NULL) || (values[i] && strcmp(values[i], values[0]) != 0);
    }
    if (differs && c->found++ == 0)
        begin_table(c);
    if (differs) {
        page_html(c->page, "<tr><th scope=\"row\">");
        page_text(c->page, "%.*s", (int)n, place);
        page_html(c->page, "</th>");
    }
    for (int i = 0; i < c->n; i++) {
        if (differs) {
            page_html(c->page, "<td>");
            page_text(c->page, "%s", !values[i] ? "–" : values[i][0] ? values[i] : "\"\"");
            page_html(c->page, "</td>");
        }
        free(values[i]);
    }
    page_html(c->page, "%s", differs ? "</tr>\n" : "");
    free(values);
}

int report_write_differences(const report_content *content)
{
    comparison c = {.page = content->page, .runs = content->runs, .n = content->n};
    for (int i = 0; i < c.n; i++) {
        int count;
        const lt_recipe_value *all = lt_recipe_values(recipe_of(&c, i), &count);
        for (int k = 0; k < count; k++) {
            size_t n = place_size(all[k].key);
            bool is_told = strcmp(all[k].key, "name") == 0 || strcmp(all[k].key, "summary") == 0 ||
                           (k > 0 && is_item(all[k - 1].key, all[k].key, n));
            if (!is_told && is_new(&c, i, all[k].key, n))
                put_place(&c, all[k].key, n);
        }
    }
    page_html(c.page, "%s", c.found ? "</tbody></table></div>\n" : "<p>The recipes are equal.</p>\n");
    return LT_OK;
}
