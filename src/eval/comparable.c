/* SPDX-License-Identifier: MIT */
/* Whether numbers of two runs are comparable, by the images, likelihoods and objectives in their recipes. */
#include <latent/ledger.h>

#include "base/text.h"
#include "models/kind.h"
#include "nn/likelihoods.h"

#include <string.h>

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A data set may be given by name in one recipe, and by a path that ends in the name in the other. */
static const char *sets_differ(const char *a, const char *b)
{
    if (strcmp(last_name(a), last_name(b)) != 0)
        return "the data sets differ";
    bool are_paths = strchr(a, '/') && strchr(b, '/');
    return are_paths && strcmp(a, b) != 0 ? "the data sets are two files of the same name" : NULL;
}

static const char *pixels_differ(const lt_data_options *a, const lt_data_options *b)
{
    bool is_random = a->binarize == LT_BINARIZE_FIXED;
    if (a->binarize != b->binarize || (is_random && a->seed != b->seed))
        return "the pixels are binarized differently";
    if (strcmp(a->resize, b->resize) != 0 || a->channels != b->channels || a->crop != b->crop)
        return "the images have different sizes or channels";
    if (a->limit != b->limit || a->validation != b->validation || strcmp(a->classes, b->classes) != 0)
        return "the images are different parts of the data";
    return NULL;
}

static const char *likelihoods_differ(const lt_recipe *a, const lt_recipe *b)
{
    const likelihood_row *l = likelihood_facts(recipe_likelihood(a)),
                         *m = likelihood_facts(recipe_likelihood(b));
    if (l->is_discrete != m->is_discrete || l->is_binary != m->is_binary)
        return "the likelihoods have different kinds: bits, bytes, densities";
    return NULL;
}

static const char *objectives_differ(const lt_recipe *a, const lt_recipe *b)
{
    if (kind_of(a)->differ)
        return kind_of(a)->differ(a, b);
    return spec_is_equal(&a->kind, &b->kind) ? NULL : "the objectives differ";
}

const char *lt_recipes_differ(const lt_recipe *a, const lt_recipe *b, lt_numbers of)
{
    if (kind_of(a) != kind_of(b))
        return "the models have different kinds";
    const char *why = sets_differ(a->data.set, b->data.set);
    if (!why)
        why = pixels_differ(&a->data_options, &b->data_options);
    if (!why && recipe_likelihood(a))
        why = likelihoods_differ(a, b);
    if (!why && of == LT_NUMBERS_OBJECTIVE)
        why = objectives_differ(a, b);
    return why;
}
