/* SPDX-License-Identifier: MIT */
/* A recipe as a list of keys and values: the scalars of its resolved text, each under the path that a set names. */
#include "recipe/recipe.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- Making the list ---- */

static void add_value(lt_recipe *r, const char *key, const char *value)
{
    r->values = must_grow(r->values, r->n_values, &r->values_capacity);
    r->values[r->n_values++] = (lt_recipe_value){.key = key, .value = value};
}

static void add_node(lt_recipe *r, const char *path, const yaml_node *node)
{
    const char *dot = *path ? "." : "";
    int i = 0;
    if (node->kind == YAML_IS_SCALAR)
        add_value(r, path, node->text);
    for (const yaml_node *child = node->first; child; child = child->next, i++)
        add_node(r, node->kind == YAML_IS_MAP ? arena_format(&r->tree, "%s%s%s", path, dot, child->key->text)
                                              : arena_format(&r->tree, "%s%s%d", path, dot, i),
                 child);
}

void recipe_list_values(lt_recipe *r)
{
    yaml_node *root;
    int status = yaml_parse("recipe", r->text, strlen(r->text), &r->tree, &root);
    LT_ASSERT(status == LT_OK); /* the library has printed it */
    if (status == LT_OK)
        add_node(r, "", root);
}

/* ---- Asking ---- */

const lt_recipe_value *lt_recipe_values(const lt_recipe *r, int *n)
{
    *n = r->n_values;
    return r->values;
}

const char *lt_recipe_get(const lt_recipe *r, const char *key)
{
    for (int i = 0; i < r->n_values; i++)
        if (strcmp(r->values[i].key, key) == 0)
            return r->values[i].value;
    text more = {0};
    recipe_suggest_key(r->kinds, recipe_kind_of(r), key, NULL, 0, &more);
    status_fail(LT_NOT_FOUND, "recipe %s: there is no key \"%s\"%s", r->head.name, key, text_get(&more));
    text_clear(&more);
    return NULL;
}

/* ---- Differences ---- */

static const char *find_value(const lt_recipe *r, const char *key)
{
    for (int i = 0; i < r->n_values; i++)
        if (strcmp(r->values[i].key, key) == 0)
            return r->values[i].value;
    return NULL;
}

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
                continue; /* the same, or told already */
            *changes = must_grow(*changes, *n, &capacity);
            (*changes)[(*n)++] = side == 0 ? (lt_recipe_change){.key = key, .then = theirs, .now = value}
                                           : (lt_recipe_change){.key = key, .then = value};
        }
    }
    return LT_OK;
}
