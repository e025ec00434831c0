/* SPDX-License-Identifier: MIT */
/* What of a recipe may change when a run is resumed. A checkpoint is a place in the training that one
   recipe describes; with another batch, seed or network it would be a place in nothing. */
#include "recipe/recipe.h"

#include "base/memory.h"
#include "base/status.h"
#include "models/objective.h"

#include <stdlib.h>
#include <string.h>

/* Of an optimizer, whichever it is: what its state does not depend on. */
static const char *const resumable[] = {
    "name",
    "summary",
    "data.set",
    "data.path",
    "data.strict",
    "optimiser.lr",
    "optimiser.weight_decay",
    "objective.critic_optimiser.lr",
    "objective.critic_optimiser.weight_decay",
    "learning_rate_schedule",
    "train.epochs",
    "train.clip_norm",
    "train.samples_every",
    "train.samples_at",
    "train.checkpoint_every",
    "train.keep",
};

const char *lt_recipe_resumable(int i)
{
    return i >= 0 && i < COUNT_OF(resumable) ? resumable[i] : NULL;
}

static bool is_resumable(const char *key)
{
    for (int i = 0; i < COUNT_OF(resumable); i++)
        if (strcmp(resumable[i], key) == 0)
            return true;
    return false;
}

/* ---- Differences ---- */

typedef struct comparison {
    recipe_change_function *tell;
    void *user;
} comparison;

static void tell_change(const comparison *c, const char *key, const char *then, const char *now)
{
    c->tell(c->user, &(recipe_change){key, then, now, is_resumable(key)});
}

/* One option of two structs of the same kind; `prefix` is "" or ends with '.'. */
static void compare_option(const comparison *c, const char *prefix, const lt_option *row,
                           const void *then, const void *now)
{
    text a = {0}, b = {0};
    section_print_value(row, then, &a);
    section_print_value(row, now, &b);
    if (strcmp(text_get(&a), text_get(&b)) != 0) {
        char *key = must_format("%s%s", prefix, row->name);
        tell_change(c, key, text_get(&a), text_get(&b));
        free(key);
    }
    text_clear(&a);
    text_clear(&b);
}

/* Lines of a table: option by option if both have the same row. */
static void compare_lines(const comparison *c, const char *key, const spec *then, const spec *now)
{
    if (then->row == now->row && then->row) {
        char *prefix = must_format("%s.", key);
        for (const lt_option *row = then->row->options; row->name; row++)
            compare_option(c, prefix, row, then->options, now->options);
        free(prefix);
    } else if (then->row && now->row) {
        tell_change(c, key, then->row->name, now->row->name);
    }
}

/* Where they stand among the keys, and taken apart. */
static const struct {
    const char *key;
    size_t offset;
} optimisers[] = {
    {"optimiser", offsetof(lt_recipe, optimiser)},
    {"objective.critic_optimiser", offsetof(lt_recipe, critic_optimiser)},
};

static bool is_optimiser(const char *prefix, const char *name)
{
    size_t n = strlen(prefix);
    for (int i = 0; i < COUNT_OF(optimisers); i++)
        if (strncmp(optimisers[i].key, prefix, n) == 0 && !strcmp(optimisers[i].key + n, name))
            return true;
    return false;
}

static void compare_section(const comparison *c, lt_recipe *then, lt_recipe *now, int which)
{
    section a = recipe_section(then, which), b = recipe_section(now, which);
    char *name = which == RECIPE_TOP ? must_copy_text("") : must_format("%s.", a.name);
    for (int i = 0; i < COUNT_OF(a.parts) && a.parts[i].table; i++)
        for (const lt_option *row = a.parts[i].table; row->name; row++)
            if (!is_optimiser(name, row->name))
                compare_option(c, name, row, a.parts[i].options, b.parts[i].options);
    free(name);
}

/* ---- Lists of layers ---- */

static const struct {
    const char *key;
    size_t offset;
} lists[] = {
    {"model.encoder", offsetof(lt_recipe, encoder)},
    {"model.posterior.mean", offsetof(lt_recipe, mean)},
    {"model.posterior.logvar", offsetof(lt_recipe, logvar)},
    {"model.decoder", offsetof(lt_recipe, decoder)},
    {"model.encoder2", offsetof(lt_recipe, encoder2)},
    {"model.decoder2", offsetof(lt_recipe, decoder2)},
    {"model.generator", offsetof(lt_recipe, generator)},
    {"model.critic", offsetof(lt_recipe, critic)},
};

/* The line at `at` without its indent and dash, or "nothing" at the end. */
static char *line_at(const char *at)
{
    at += strspn(at, " -");
    return *at ? must_format("%.*s", (int)strcspn(at, "\n"), at) : must_copy_text("nothing");
}

/* Tells the first line that differs. */
static void compare_list(const comparison *c, const char *key, const network *then,
                         const network *now)
{
    text a = {0}, b = {0};
    network_print(then, 0, "", &a);
    network_print(now, 0, "", &b);
    const char *x = text_get(&a), *y = text_get(&b);
    size_t n = 0, line = 0;
    for (; x[n] && x[n] == y[n]; n++)
        line = x[n] == '\n' ? n + 1 : line;
    if (x[n] != y[n]) {
        char *was = line_at(x + line), *is = line_at(y + line);
        tell_change(c, key, was, is);
        free(was);
        free(is);
    }
    text_clear(&a);
    text_clear(&b);
}

/* ---- Whole recipes ---- */

static const void *part_at(const lt_recipe *r, size_t offset) { return (const char *)r + offset; }

void recipe_compare(const lt_recipe *then, const lt_recipe *now, recipe_change_function *tell,
                    void *user)
{
    comparison c = {tell, user};
    lt_recipe *a = (lt_recipe *)then, *b = (lt_recipe *)now; /* sections serve reading, too */
    if (strcmp(then->model.kind, now->model.kind) != 0) {    /* other keys, then */
        tell_change(&c, "model.kind", then->model.kind, now->model.kind);
        return;
    }
    for (int which = RECIPE_TOP; which <= RECIPE_TRAIN; which++)
        compare_section(&c, a, b, which);
    for (int i = 0; i < COUNT_OF(optimisers); i++)
        compare_lines(&c, optimisers[i].key, part_at(then, optimisers[i].offset),
                      part_at(now, optimisers[i].offset));
    for (int i = 0; i < COUNT_OF(lists); i++)
        compare_list(&c, lists[i].key, part_at(then, lists[i].offset),
                     part_at(now, lists[i].offset));
}

/* ---- Resuming ---- */

static void refuse_change(void *list, const recipe_change *change)
{
    text *t = list;
    if (!change->may_change)
        text_format(t, "%s%s (from %.60s to %.60s)", t->size ? ", " : "", change->key, change->then,
                    change->now);
}

int lt_recipe_check_resume(const lt_recipe *then, const lt_recipe *now)
{
    text refused = {0}, allowed = {0};
    recipe_compare(then, now, refuse_change, &refused);
    for (int i = 0; i < COUNT_OF(resumable); i++)
        if (now->critic_optimiser.row || !strstr(resumable[i], "critic"))
            text_format(&allowed, "%s%s", i ? ", " : "", resumable[i]);
    int status = LT_OK;
    if (refused.size)
        status = status_fail(LT_VALUE,
                             "%s cannot change when a run is resumed; these can: %s",
                             text_get(&refused), text_get(&allowed));
    text_clear(&refused);
    text_clear(&allowed);
    return status;
}
