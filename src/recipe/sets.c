/* SPDX-License-Identifier: MIT */
/* --set path=value: a key, a list element, or one option of a line such as `adam lr=1e-4`. Elements of nested lists
   are numbered as parameters are: model.encoder.3.0. */
#include "recipe/recipe.h"

#include "base/status.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "nn/optimizers.h"

#include <stdlib.h>
#include <string.h>

/* ---- Keys that hold lines ---- */

typedef struct line_key {
    const spec_table *table;
    const char *fallback; /* the default line; NULL: required */
    bool is_like_optimizer; /* defaults to the recipe's optimizer, before `fallback` */
} line_key;

/* The default of a text option. */
static const char *default_of(const lt_option *table, const char *key)
{
    for (; table && table->name; table++)
        if (strcmp(table->name, key) == 0)
            return table->required ? NULL : table->choices;
    return NULL;
}

/* Options shared by all kinds of models that are lines. */
static bool find_common_line(const spec_table *kinds, const char *path, line_key *place)
{
    static const struct {
        const char *path, *key;
        const spec_table *table;
        int section, part;
    } lines[] = {{"optimizer", "optimizer", &optimizer_table, RECIPE_TOP, 1},
                 {"learning_rate_schedule", "learning_rate_schedule", &schedule_table, RECIPE_TOP, 1},
                 {"model.init", "init", &initializer_table, RECIPE_MODEL, 0}};
    for (int i = 0; i < COUNT_OF(lines); i++)
        if (strcmp(lines[i].path, path) == 0) {
            section s = recipe_section_of(kinds, (const recipe_kind *)kinds->rows[0], lines[i].section);
            *place = (line_key){lines[i].table, default_of(s.parts[lines[i].part].table, lines[i].key), false};
            return true;
        }
    return false;
}

static bool find_kind_line(const recipe_kind *kind, const char *path, line_key *place)
{
    for (const kind_line *l = kind->lines; l && l->key; l++) {
        char *own = kind_line_path(l);
        bool is_it = strcmp(own, path) == 0, is_of_model = strcmp(l->section, "model") == 0;
        free(own);
        if (!is_it)
            continue;
        *place = (line_key){l->table, default_of(is_of_model ? kind->model_keys : kind->spec.options, l->key),
                              l->is_like_optimizer};
        return true;
    }
    return false;
}

/* Whether `path` is an element of one of the kind's lists, or of a nested list. */
static bool is_element(const recipe_kind *kind, const char *path)
{
    int64_t index;
    const char *last = strrchr(path, '.');
    if (!last || !text_to_int64(last + 1, &index))
        return false;
    for (const kind_network *n = kind->networks; n->key; n++) {
        char *list = kind_network_path(n);
        size_t size = strlen(list);
        bool is_of_list = strncmp(path, list, size) == 0 && path[size] == '.';
        free(list);
        if (is_of_list)
            return true;
    }
    return false;
}

static bool find_place(const spec_table *kinds, const char *path, line_key *place)
{
    if (find_common_line(kinds, path, place))
        return true;
    for (int i = 0; kinds->rows[i]; i++) {
        const recipe_kind *kind = (const recipe_kind *)kinds->rows[i];
        if (find_kind_line(kind, path, place))
            return true;
        if (is_element(kind, path)) {
            *place = (line_key){&layer_table, NULL, false};
            return true;
        }
    }
    return false;
}

const spec_table *recipe_line_table(const spec_table *kinds, const char *path)
{
    line_key place;
    return find_place(kinds, path, &place) ? place.table : NULL;
}

static yaml_node *child_at(const yaml_node *parent, const char *name)
{
    int64_t index;
    if (parent->kind == YAML_IS_MAP)
        return yaml_get(parent, name);
    if (parent->kind != YAML_IS_LIST || !text_to_int64(name, &index) || index < 0)
        return NULL;
    yaml_node *child = parent->first;
    while (child && index-- > 0)
        child = child->next;
    return child;
}

static yaml_node *node_at(yaml_node *node, const char *path)
{
    while (node && path) {
        size_t n = strcspn(path, ".");
        char *name = must_format("%.*s", (int)n, path);
        node = child_at(node, name);
        free(name);
        path = path[n] ? path + n + 1 : NULL;
    }
    return node;
}

/* The nested list of an element, `- residual: [...]`, or NULL. */
static const yaml_node *inner_list(const yaml_node *element)
{
    const yaml_node *child =
        element->kind == YAML_IS_MAP && element->n == 1 ? element->first : NULL;
    return child && child->kind == YAML_IS_LIST ? child : NULL;
}

/* Inserts the keys of nested lists: model.encoder.3.0 becomes model.encoder.3.residual.0. The caller frees it. */
static char *write_out(const yaml_node *root, const char *path)
{
    text full = {0};
    bool is_element = false; /* whether `at` is an element of a list */
    const yaml_node *at = root;
    const char *separator = "";
    while (path) {
        size_t n = strcspn(path, ".");
        char *name = must_format("%.*s", (int)n, path);
        const yaml_node *inner = at && is_element ? inner_list(at) : NULL;
        int64_t index;
        if (inner && text_to_int64(name, &index)) {
            text_format(&full, ".%s", inner->key->text);
            at = inner;
        }
        text_format(&full, "%s%s", separator, name);
        separator = ".";
        is_element = at && at->kind == YAML_IS_LIST;
        at = at ? child_at(at, name) : NULL;
        free(name);
        path = path[n] ? path + n + 1 : NULL;
    }
    return text_take(&full);
}

/* ---- One option of a line ---- */

static int change_line(arena *a, const spec_table *table, yaml_node *line, const char *option,
                       const char *value)
{
    spec s;
    LT_TRY(spec_parse(table, line->text, &s));
    int status = spec_set(table, &s, option, value);
    text words = {0};
    if (status == LT_OK) {
        spec_print(&s, &words);
        line->text = arena_copy_text(a, text_get(&words));
    }
    text_clear(&words);
    spec_clear(&s);
    return status;
}

/* The line at `path` as a scalar, created with its default if missing; NULL: not a line. */
static yaml_node *find_line(const spec_table *kinds, arena *a, yaml_node *root, const line_key *place,
                            const char *path)
{
    yaml_node *line = node_at(root, path);
    const yaml_node *like = place->is_like_optimizer ? node_at(root, "optimizer") : NULL;
    line_key own;
    const char *words = place->fallback;
    if (place->is_like_optimizer && find_place(kinds, "optimizer", &own))
        words = like && like->kind == YAML_IS_SCALAR ? like->text : own.fallback;
    if (!line && words && yaml_set_path(a, root, path, words) == LT_OK)
        line = node_at(root, path);
    return line && line->kind == YAML_IS_SCALAR ? line : NULL;
}

/* ---- Values ---- */

static bool is_inner_key(const section *s, const char *key, size_t n)
{
    for (int i = 0; i < RECIPE_INNER && s->inner[i]; i++)
        if (strlen(s->inner[i]) == n && memcmp(s->inner[i], key, n) == 0)
            return true;
    return false;
}

/* Whether this is a section, or a list or map of the model, or inside one: then its value is YAML. Any other value is
   literal text: a path may contain '#', ': ' and other YAML syntax. */
static bool is_nested(const spec_table *kinds, const char *path)
{
    size_t n = strcspn(path, ".");
    section top = recipe_section_of(kinds, (const recipe_kind *)kinds->rows[0], RECIPE_TOP);
    if (!path[n])
        return is_inner_key(&top, path, n);
    if (n != strlen("model") || strncmp(path, "model", n) != 0)
        return false;
    const char *key = path + n + 1;
    for (int i = 0; kinds->rows[i]; i++) {
        section s = recipe_section_of(kinds, (const recipe_kind *)kinds->rows[i], RECIPE_MODEL);
        if (is_inner_key(&s, key, strcspn(key, ".")))
            return true;
    }
    return false;
}

static int set_value(const spec_table *kinds, arena *a, yaml_node *root, const char *path, const char *value)
{
    return is_nested(kinds, path) ? yaml_set_path(a, root, path, value)
                           : yaml_set_text(a, root, path, value);
}

static int set_path(const spec_table *kinds, arena *a, yaml_node *root, char *path, const char *value)
{
    char *dot = strrchr(path, '.');
    if (!dot)
        return set_value(kinds, a, root, path, value);
    *dot = 0;
    line_key place;
    yaml_node *line = find_place(kinds, path, &place) ? find_line(kinds, a, root, &place, path) : NULL;
    if (!line) {
        *dot = '.';
        return set_value(kinds, a, root, path, value);
    }
    int status = change_line(a, place.table, line, dot + 1, value);
    *dot = '.';
    return status == LT_OK ? status : status_prefix(status, "--set %s", path);
}

int recipe_set(const spec_table *kinds, arena *a, yaml_node *root, const char *set)
{
    const char *equals = strchr(set, '=');
    if (!equals || equals == set)
        return status_fail(LT_VALUE, "--set %s: expected KEY=VALUE, as in model.latent=32", set);
    char *given = must_format("%.*s", (int)(equals - set), set);
    char *known = recipe_without_alias(kinds, given);
    char *path = write_out(root, known);
    free(given);
    free(known);
    int status = set_path(kinds, a, root, path, equals + 1);
    free(path);
    return status;
}
