/* SPDX-License-Identifier: MIT */
/* Warnings about valid settings that are probably mistakes. */
#include "recipe/recipe.h"

#include "base/status.h"
#include "base/text.h"

/* Finds batch_norm in any network; *where: the network's name. */
static const network_line *find_batch_norm(const lt_recipe *r, const char **where)
{
    const kind_network *list = recipe_kind_of(r)->networks;
    for (int i = 0; list[i].key; i++) {
        const network_line *line = network_find(recipe_network(r, i), "batch_norm");
        *where = list[i].called;
        if (line)
            return line;
    }
    return NULL;
}

/* A batch of one image, in every step or at the end of an epoch: its mean is the image itself. */
static bool warn_of_one(const lt_recipe *r, int64_t images, text *out)
{
    const char *where;
    const network_line *line = find_batch_norm(r, &where);
    bool is_always = r->train.batch == 1 || images == 1;
    bool is_last = images > 1 && images % r->train.batch == 1;
    if (!line || (!is_always && !is_last))
        return false;
    text_format(out, "%s:%d:%d: batch_norm in %s has a batch of one image%s", line->file, line->line,
                line->column, where, is_always ? "" : " at the end of each epoch");
    if (!is_always)
        text_format(out, " (%lld images in batches of %lld)", (long long)images, (long long)r->train.batch);
    text_append(out, ": normalizing an image by its own statistics removes its content; use another "
                     "train.batch, layer_norm or group_norm");
    return true;
}

static bool warn_of_kind(const lt_recipe *r, int64_t images, text *out)
{
    (void)images;
    return recipe_kind_of(r)->warn && recipe_kind_of(r)->warn(r, out);
}

char *lt_recipe_warning(const lt_recipe *r, int64_t images, int i)
{
    static bool (*const checks[])(const lt_recipe *, int64_t, text *) = {warn_of_one, warn_of_kind};
    text out = {0};
    for (int k = 0; k < COUNT_OF(checks); k++)
        if (checks[k](r, images, &out) && i-- == 0)
            return text_take(&out);
        else
            text_clear(&out);
    return NULL;
}
