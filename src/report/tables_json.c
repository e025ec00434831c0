/* SPDX-License-Identifier: MIT */
/* The tables of recipes as JSON: what a form, or a page of help, is made of. */
#include "base/status.h"
#include "report/json.h"

#include <latent/report.h>

#include <string.h>

/* Word `index` of "a|b|c". */
static json_t *choice_json(const char *choices, int index)
{
    while (index-- > 0)
        choices += strcspn(choices, "|") + 1;
    return json_stringn(choices, strcspn(choices, "|"));
}

static json_t *default_json(const lt_option *o)
{
    switch (o->kind) {
    case LT_KIND_INT: return json_integer((json_int_t)o->fallback);
    case LT_KIND_REAL: return json_number(o->fallback);
    case LT_KIND_BOOL: return json_boolean(o->fallback != 0);
    case LT_KIND_CHOICE: return choice_json(o->choices, (int)o->fallback);
    case LT_KIND_TEXT:
    case LT_KIND_PATH: return json_string(o->choices ? o->choices : "");
    }
    return json_null();
}

static json_t *option_json(const lt_option *o)
{
    static const char *const kinds[] = {"int", "real", "bool", "choice", "text", "path"};
    json_t *row = json_pack("{s:s, s:s, s:s, s:b, s:b}", "name", o->name, "kind", kinds[o->kind],
                            "help", o->help, "positional", o->positional, "required", o->required);
    if (!o->required)
        json_object_set_new(row, "default", default_json(o));
    if (o->kind == LT_KIND_CHOICE)
        json_object_set_new(row, "choices", json_string(o->choices));
    if ((o->kind == LT_KIND_INT || o->kind == LT_KIND_REAL) && o->min < o->max) {
        json_object_set_new(row, "min", json_number(o->min));
        json_object_set_new(row, "max", json_number(o->max));
    }
    return row;
}

static json_t *entry_json(const lt_table_entry *e)
{
    json_t *options = json_array();
    for (const lt_option *o = e->options; o && o->name; o++)
        json_array_append_new(options, option_json(o));
    return json_pack("{s:s, s:s, s:o}", "name", e->name, "summary", e->summary, "options", options);
}

/* Nullable: row (all of them). */
static json_t *table_json(const char *table, const char *row)
{
    lt_table_entry e;
    json_t *rows = json_array();
    for (int i = 0; lt_table_get(table, i, &e); i++)
        if (!row || strcmp(row, e.name) == 0)
            json_array_append_new(rows, entry_json(&e));
    return rows;
}

static bool is_table(const char *name)
{
    bool is_there = false;
    for (int i = 0; lt_table_name(i); i++)
        is_there |= strcmp(lt_table_name(i), name) == 0;
    return is_there;
}

char *lt_tables_json(void)
{
    json_t *all = json_object();
    for (int i = 0; lt_table_name(i); i++)
        json_object_set_new(all, lt_table_name(i), table_json(lt_table_name(i), NULL));
    return json_take(all);
}

char *lt_table_json(const char *table, const char *row)
{
    json_t *rows = table_json(table, row);
    if (is_table(table) && (!row || json_array_size(rows) > 0))
        return json_take(rows);
    json_decref(rows);
    if (!is_table(table))
        status_fail(LT_NOT_FOUND, "there is no table \"%s\"", table);
    else
        status_fail(LT_NOT_FOUND, "there is no row \"%s\" in the table %s", row, table);
    return NULL;
}
