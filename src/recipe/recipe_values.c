/* SPDX-License-Identifier: MIT */
/* A recipe as a list of keys and values, with the paths that sets use. */
#include "recipe/recipe.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- Making the list, in the order of recipe_print ---- */

static void add_value(lt_recipe *r, const char *key, const char *value)
{
    r->values = must_grow(r->values, r->n_values, &r->values_capacity);
    r->values[r->n_values++] = (lt_recipe_value){.key = key, .value = arena_copy_text(&r->texts, value)};
}

/* `prefix` is "" or ends with '.'. */
static void add_part(lt_recipe *r, const char *prefix, const section_part *part)
{
    for (const lt_option *row = part->table; row && row->name; row++) {
        text value = {0};
        if (row->kind == LT_KIND_TEXT || row->kind == LT_KIND_PATH)
            text_append(&value, (const char *)part->options + row->offset);
        else
            section_print_value(row, part->options, &value);
        add_value(r, arena_format(&r->texts, "%s%s", prefix, row->name), text_get(&value));
        text_clear(&value);
    }
}

static void add_section(lt_recipe *r, int which)
{
    section s = recipe_section(r, which);
    char *prefix = must_format("%s.", s.name);
    for (int i = 0; i < COUNT_OF(s.parts); i++)
        add_part(r, prefix, &s.parts[i]);
    free(prefix);
}

static void add_network(lt_recipe *r, const char *path, const network *net)
{
    if (net->n == 0)
        add_value(r, path, "[]");
    for (int i = 0; i < net->n; i++) {
        const network_line *line = &net->lines[i];
        if (line->layer.row->has_list) {
            add_network(r, arena_format(&r->texts, "%s.%d.%s", path, i, line->layer.row->name), &line->list);
            continue;
        }
        text words = {0};
        spec_print(&line->layer, &words);
        add_value(r, arena_format(&r->texts, "%s.%d", path, i), text_get(&words));
        text_clear(&words);
    }
}

void recipe_list_values(lt_recipe *r)
{
    const kind_network *networks = recipe_kind_of(r)->networks;
    section top = recipe_section(r, RECIPE_TOP);
    add_part(r, "", &top.parts[0]);
    add_section(r, RECIPE_DATA);
    add_section(r, RECIPE_MODEL);
    for (int i = 0; networks[i].key; i++)
        if (recipe_has_network(r, i)) {
            char *path = kind_network_path(&networks[i]);
            add_network(r, arena_copy_text(&r->texts, path), recipe_network(r, i));
            free(path);
        }
    add_section(r, RECIPE_OBJECTIVE);
    add_part(r, "", &top.parts[1]);
    add_section(r, RECIPE_TRAIN);
}

/* ---- Asking ---- */

const lt_recipe_value *lt_recipe_values(const lt_recipe *r, int *n)
{
    *n = r->n_values;
    return r->values;
}

static const char *find_value(const lt_recipe *r, const char *key)
{
    for (int i = 0; i < r->n_values; i++)
        if (strcmp(r->values[i].key, key) == 0)
            return r->values[i].value;
    return NULL;
}

const char *lt_recipe_get(const lt_recipe *r, const char *key)
{
    const char *value = find_value(r, key);
    if (value)
        return value;
    text more = {0};
    recipe_suggest_key(r->kinds, recipe_kind_of(r), key, NULL, 0, &more);
    status_fail(LT_NOT_FOUND, "recipe %s: there is no key \"%s\"%s", r->head.name, key, text_get(&more));
    text_clear(&more);
    return NULL;
}

/* ---- Differences ---- */

int lt_recipe_diff(const lt_recipe *then, const lt_recipe *now, lt_recipe_change **changes, int *n)
{
    int capacity = 0;
    *changes = NULL;
    *n = 0;
    for (int side = 0; side < 2; side++) {
        const lt_recipe *of = side == 0 ? now : then, *other = side == 0 ? then : now;
        for (int i = 0; i < of->n_values; i++) {
            const char *key = of->values[i].key, *value = of->values[i].value, *theirs = find_value(other, key);
            if (theirs && (side == 1 || strcmp(theirs, value) == 0))
                continue; /* equal, or listed already */
            *changes = must_grow(*changes, *n, &capacity);
            (*changes)[(*n)++] = side == 0 ? (lt_recipe_change){.key = key, .then = theirs, .now = value}
                                           : (lt_recipe_change){.key = key, .then = value};
        }
    }
    return LT_OK;
}
