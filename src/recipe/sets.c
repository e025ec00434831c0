/* SPDX-License-Identifier: MIT */
/* --set path=value: a key, a list element, or one option of a line such as `adam lr=1e-4`. Elements
   of lists in lists go by their numbers, as parameters are called: model.encoder.3.0. */
#include "models/priors.h"

#include "base/status.h"
#include "models/adversarial.h"
#include "nn/optimizers.h"
#include "models/penalties.h"
#include "nn/init.h"
#include "nn/likelihoods.h"

#include <stdlib.h>
#include <string.h>

/* ---- Where lines of tables stand ---- */

typedef struct line_place {
    const char *path; /* ending in '.': the elements of a list and of lists in it */
    const spec_table *table;
    const char *fallback; /* the line if none is written; NULL: there must be one */
    const char *like;     /* where the line is that stands for it then, before `fallback`. Nullable */
} line_place;

static const line_place places[] = {
    {"optimiser", &optimizer_table, "adam", NULL},
    {"learning_rate_schedule", &schedule_table, "constant", NULL},
    {"objective.schedule", &schedule_table, "constant", NULL},
    {"objective.capacity_schedule", &schedule_table, "constant", NULL},
    {"model.likelihood", &likelihood_table, NULL, NULL},
    {"model.prior", &prior_table, "normal", NULL},
    {"model.init", &initialiser_table, "pytorch", NULL},
    {"model.encoder.", &layer_table, NULL, NULL},
    {"model.decoder.", &layer_table, NULL, NULL},
    {"model.encoder2.", &layer_table, NULL, NULL},
    {"model.decoder2.", &layer_table, NULL, NULL},
    {"model.generator.", &layer_table, NULL, NULL},
    {"model.critic.", &layer_table, NULL, NULL},
    {"objective.loss", &adversarial_loss_table, "non_saturating", NULL},
    {"objective.penalty", &penalty_table, "none", NULL},
    {"objective.critic_optimiser", &optimizer_table, "adam", "optimiser"},
    {"model.posterior.mean.", &layer_table, NULL, NULL},
    {"model.posterior.logvar.", &layer_table, NULL, NULL},
};

static bool is_place(const line_place *place, const char *path)
{
    size_t n = strlen(place->path);
    int64_t index;
    if (place->path[n - 1] != '.')
        return strcmp(path, place->path) == 0;
    const char *last = strrchr(path, '.');
    return strncmp(path, place->path, n) == 0 && last && text_to_int64(last + 1, &index);
}

static const line_place *find_place(const char *path)
{
    for (int i = 0; i < COUNT_OF(places); i++)
        if (is_place(&places[i], path))
            return &places[i];
    return NULL;
}

const spec_table *recipe_line_table(const char *path)
{
    const line_place *place = find_place(path);
    return place ? place->table : NULL;
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

/* The list in an element of a list, `- residual: [...]`; NULL: there is none. */
static const yaml_node *inner_list(const yaml_node *element)
{
    const yaml_node *child =
        element->kind == YAML_IS_MAP && element->n == 1 ? element->first : NULL;
    return child && child->kind == YAML_IS_LIST ? child : NULL;
}

/* model.encoder.3.0 with the keys of inner lists written out: model.encoder.3.residual.0. The
   caller frees it. */
static char *write_out(const yaml_node *root, const char *path)
{
    text full = {0};
    bool is_element = false; /* whether `at` is one of a list */
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

/* The line at `path` as a scalar, written with its fallback if it is not there; NULL: not a
   line. */
static yaml_node *find_line(arena *a, yaml_node *root, const line_place *place, const char *path)
{
    yaml_node *line = node_at(root, path);
    const yaml_node *like = place->like ? node_at(root, place->like) : NULL;
    const char *words = like && like->kind == YAML_IS_SCALAR ? like->text : place->fallback;
    if (!line && words && yaml_set_path(a, root, path, words) == LT_OK)
        line = node_at(root, path);
    return line && line->kind == YAML_IS_SCALAR ? line : NULL;
}

/* ---- What a value is ---- */

static bool is_inner_key(const char *const inner[RECIPE_INNER], const char *key, size_t n)
{
    for (int i = 0; i < RECIPE_INNER && inner[i]; i++)
        if (strlen(inner[i]) == n && memcmp(inner[i], key, n) == 0)
            return true;
    return false;
}

/* Is this a section, or a list or map of the model, or within one? Its value is YAML. Any other value
   is the text as it is given: a path may hold '#', ': ' or what else means something to YAML. */
static bool is_nested(const char *path)
{
    static const char *const sections[RECIPE_INNER] = {"data", "model", "objective", "train"};
    size_t n = strcspn(path, ".");
    if (!path[n])
        return is_inner_key(sections, path, n);
    if (n != strlen("model") || strncmp(path, "model", n) != 0)
        return false;
    const char *key = path + n + 1;
    for (int i = 0; objective_table.rows[i]; i++)
        if (is_inner_key(((const objective_row *)objective_table.rows[i])->inner_keys, key,
                         strcspn(key, ".")))
            return true;
    return false;
}

static int set_value(arena *a, yaml_node *root, const char *path, const char *value)
{
    return is_nested(path) ? yaml_set_path(a, root, path, value)
                           : yaml_set_text(a, root, path, value);
}

static int set_path(arena *a, yaml_node *root, char *path, const char *value)
{
    char *dot = strrchr(path, '.');
    if (!dot)
        return set_value(a, root, path, value);
    *dot = 0;
    const line_place *place = find_place(path);
    yaml_node *line = place ? find_line(a, root, place, path) : NULL;
    if (!line) {
        *dot = '.';
        return set_value(a, root, path, value);
    }
    int status = change_line(a, place->table, line, dot + 1, value);
    *dot = '.';
    return status == LT_OK ? status : status_prefix(status, "--set %s", path);
}

int recipe_set(arena *a, yaml_node *root, const char *set)
{
    const char *equals = strchr(set, '=');
    if (!equals || equals == set)
        return status_fail(LT_VALUE, "--set %s: expected KEY=VALUE, as in model.latent=32", set);
    char *given = must_format("%.*s", (int)(equals - set), set);
    char *path = write_out(root, given);
    free(given);
    int status = set_path(a, root, path, equals + 1);
    free(path);
    return status;
}
