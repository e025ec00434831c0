/* SPDX-License-Identifier: MIT */
/* What a recipe allows and hardly means. */
#include "models/objective.h"

#include "base/status.h"
#include "base/text.h"
#include "models/penalties.h"

/* The first layer of that name in a list, or in a list or behind a wrapper in it; NULL: there is none. */
static const network_line *find_layer(const network *net, const char *layer)
{
    for (int i = 0; i < net->n; i++) {
        const network_line *line = &net->lines[i], *inner = find_layer(&line->list, layer);
        for (const spec *s = &line->layer; s && s->row; s = s->inner)
            if (layer_is(s, layer))
                return line;
        if (inner)
            return inner;
    }
    return NULL;
}

/* Of any network; *where: what the network is called. */
static const network_line *find_batch_norm(const lt_recipe *r, const char **where)
{
    const struct {
        const char *name;
        const network *net;
    } all[] = {
        {"the encoder", &r->encoder},     {"posterior.mean", &r->mean},
        {"posterior.logvar", &r->logvar}, {"the decoder", &r->decoder},
        {"encoder2", &r->encoder2},       {"decoder2", &r->decoder2},
        {"the generator", &r->generator}, {"the critic", &r->critic},
    };
    for (int i = 0; i < COUNT_OF(all); i++) {
        const network_line *line = find_layer(all[i].net, "batch_norm");
        *where = all[i].name;
        if (line)
            return line;
    }
    return NULL;
}

/* A batch of one, always or at the end of an epoch: its mean is the image itself. */
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
    text_append(out, ": normalized by its own mean and variance it loses what tells it from others; another "
                     "train.batch, layer_norm or group_norm may help");
    return true;
}

/* A gradient penalty is about the slope of one image's number by that image. */
static bool warn_of_penalty(const lt_recipe *r, int64_t images, text *out)
{
    (void)images;
    const network_line *line = find_layer(&r->critic, "batch_norm");
    if (!line || !r->penalty.row || !penalty_has_term(&r->penalty))
        return false;
    text_format(out, "%s:%d:%d: batch_norm in a critic with the penalty %s, which is about the gradient at each image: "
                     "batch statistics make that depend on the other images (Gulrajani et al. 2017); layer_norm, "
                     "or no norm, has none of that",
                line->file, line->line, line->column, r->penalty.row->name);
    return true;
}

char *lt_recipe_warning(const lt_recipe *r, int64_t images, int i)
{
    static bool (*const checks[])(const lt_recipe *, int64_t, text *) = {warn_of_one, warn_of_penalty};
    text out = {0};
    for (int k = 0; k < COUNT_OF(checks); k++)
        if (checks[k](r, images, &out) && i-- == 0)
            return text_take(&out);
        else
            text_clear(&out);
    return NULL;
}
