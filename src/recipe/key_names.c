/* SPDX-License-Identifier: MIT */
/* Lists every key that a recipe may have, from the tables that read them, and suggests keys for an unknown one. */
#include "recipe/recipe.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

typedef struct key_list {
    char **names;
    int n, capacity;
} key_list;

/* ---- All keys ---- */

static void add_key(key_list *l, const char *prefix, const char *name)
{
    char *key = must_format("%s%s", prefix, name);
    for (int i = 0; i < l->n; i++)
        if (strcmp(l->names[i], key) == 0) {
            free(key);
            return;
        }
    l->names = must_grow(l->names, l->n, &l->capacity);
    l->names[l->n++] = key;
}

static void add_options(key_list *l, const char *prefix, const lt_option *options)
{
    for (; options && options->name; options++)
        add_key(l, prefix, options->name);
}

/* Keys of the sections of one kind of model. */
static void add_sections(key_list *l, const spec_table *kinds, const recipe_kind *kind)
{
    for (int which = RECIPE_TOP; which <= RECIPE_TRAIN; which++) {
        section s = recipe_section_of(kinds, kind, which);
        char *prefix = which == RECIPE_TOP ? must_copy_text("") : must_format("%s.", s.name);
        for (int i = 0; i < COUNT_OF(s.parts) && s.parts[i].table; i++)
            add_options(l, prefix, s.parts[i].table);
        for (int i = 0; which != RECIPE_TOP && i < RECIPE_INNER && s.inner[i]; i++)
            add_key(l, prefix, s.inner[i]);
        free(prefix);
    }
}

/* Options of lines: optimizer.lr. */
static void add_lines(key_list *l, const spec_table *kinds)
{
    for (int i = l->n - 1; i >= 0; i--) {
        const spec_table *table = recipe_line_table(kinds, l->names[i]);
        char *prefix = must_format("%s.", l->names[i]);
        for (int row = 0; table && table->rows[row]; row++)
            add_options(l, prefix, table->rows[row]->options);
        free(prefix);
    }
}

/* Nullable: kind (all of them). */
static key_list list_keys(const spec_table *kinds, const recipe_kind *kind)
{
    key_list l = {NULL, 0, 0};
    for (int i = 0; kinds->rows[i]; i++)
        if (!kind || kinds->rows[i] == &kind->spec)
            add_sections(&l, kinds, (const recipe_kind *)kinds->rows[i]);
    add_lines(&l, kinds);
    return l;
}

static void clear_keys(key_list *l)
{
    for (int i = 0; i < l->n; i++)
        free(l->names[i]);
    free(l->names);
}

/* ---- Suggestions ---- */

static const char *last_part(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot ? dot + 1 : key;
}

static const char *last_part_item(const void *list, int i)
{
    return last_part(((char *const *)list)[i]);
}

/* The key that other programs know by this name. */
static const char *usual_name(const char *name)
{
    static const char *const names[][2] = {
        {"learning_rate", "lr"},   {"batch_size", "batch"}, {"latent_dim", "latent"},
        {"latent_size", "latent"}, {"z_dim", "latent"},     {"num_epochs", "epochs"},
        {"dataset", "set"},        {"kl_weight", "beta"},   {"image_size", "resize"},
    };
    for (int i = 0; i < COUNT_OF(names); i++)
        if (strcmp(names[i][0], name) == 0)
            return names[i][1];
    return name;
}

static int count_parts(const char *key)
{
    int n = 1;
    for (; *key; key++)
        n += *key == '.';
    return n;
}

/* Appends the keys whose last part is `name`, shorter ones first: "a", or "a" or "b". Returns their number. */
static int list_equal(const key_list *l, const char *name, text *out)
{
    enum { MOST = 3, PARTS = 4 };
    int n = 0;
    for (int parts = 1; parts <= PARTS; parts++)
        for (int i = 0; i < l->n; i++)
            if (count_parts(l->names[i]) == parts && strcmp(last_part(l->names[i]), name) == 0 && n++ < MOST)
                text_format(out, "%s\"%s\"", n > 1 ? " or " : "", l->names[i]);
    return n;
}

static const char *nearest_key(const key_list *l, const char *word)
{
    const char *full = text_nearest(word, text_item, l->names, l->n);
    const char *last = full ? NULL : text_nearest(last_part(word), last_part_item, l->names, l->n);
    for (int i = 0; last && i < l->n && !full; i++)
        if (last_part(l->names[i]) == last)
            full = l->names[i];
    return full;
}

/* Keys of another kind of model. */
static int list_foreign(const spec_table *kinds, const char *name, text *out)
{
    key_list l = list_keys(kinds, NULL);
    int n = list_equal(&l, name, out);
    clear_keys(&l);
    return n;
}

void recipe_suggest_key(const spec_table *kinds, const recipe_kind *kind, const char *word,
                        const char *const *allowed, int n, text *out)
{
    key_list l = list_keys(kinds, kind);
    text found = {0};
    const char *name = usual_name(last_part(word));
    bool is_equal = list_equal(&l, name, &found) > 0, is_foreign = !is_equal && list_foreign(kinds, name, &found) > 0;
    const char *nearest = is_equal || is_foreign ? NULL : text_nearest(word, text_item, allowed, n);
    if (!is_equal && !is_foreign && !nearest)
        nearest = nearest_key(&l, word);
    if (nearest)
        text_format(&found, "\"%s\"", nearest);
    if (is_foreign)
        text_format(out, "; another kind of model has %s", text_get(&found));
    else if (*text_get(&found))
        text_format(out, "; did you mean %s?", text_get(&found));
    text_clear(&found);
    clear_keys(&l);
}

/* ---- Aliases ---- */

static int rename_alias(const yaml_node *root, const kind_alias *a)
{
    yaml_node *map = yaml_get(root, a->section), *value = map ? yaml_get(map, a->alias) : NULL;
    if (!value)
        return LT_OK;
    const yaml_node *other = yaml_get(map, a->key);
    if (other)
        return yaml_fail(value->key, "\"%s\" is an alias of \"%s\", which line %d sets already", a->alias, a->key,
                         other->key->line);
    value->key->text = a->key;
    return LT_OK;
}

int recipe_rename_aliases(const spec_table *kinds, const yaml_node *root)
{
    const yaml_node *model = yaml_get(root, "model"), *name = model ? yaml_get(model, "kind") : NULL;
    const recipe_kind *kind = name ? kind_named(kinds, name->text) : NULL;
    for (const kind_alias *a = kind ? kind->aliases : NULL; a && a->alias; a++)
        LT_TRY(rename_alias(root, a));
    return LT_OK;
}

/* The rest of the path after `section.alias`: "" or ".0"; NULL: another path. */
static const char *after_alias(const char *path, const kind_alias *a)
{
    size_t n = strlen(a->section), alias = strlen(a->alias);
    if (strncmp(path, a->section, n) != 0 || path[n] != '.' ||
        strncmp(path + n + 1, a->alias, alias) != 0)
        return NULL;
    const char *rest = path + n + 1 + alias;
    return *rest == 0 || *rest == '.' ? rest : NULL;
}

char *recipe_without_alias(const spec_table *kinds, const char *path)
{
    for (int i = 0; kinds->rows[i]; i++)
        for (const kind_alias *a = ((const recipe_kind *)kinds->rows[i])->aliases; a && a->alias; a++) {
            const char *rest = after_alias(path, a);
            if (rest)
                return must_format("%s.%s%s", a->section, a->key, rest);
        }
    return must_copy_text(path);
}
