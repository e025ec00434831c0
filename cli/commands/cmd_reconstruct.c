/* SPDX-License-Identifier: MIT */
/* latent reconstruct: images of a data set and their reconstructions. */
#include "figure_command.h"
#include "shared_options.h"

#include <stdlib.h>

typedef struct reconstruct_request {
    figure_request all; /* seed 0: the first images of the split */
    int64_t n, columns;
} reconstruct_request;

enum { MAX_IMAGES = 65536 };

static int draw(trained *t, void *request)
{
    reconstruct_request *q = request;
    const command *c = q->all.command;
    if (!lt_model_can(t->model, LT_CAN_RECONSTRUCT))
        return complain(c, CODE_FAILED,
                        "%s has no encoder, so it cannot reconstruct images; try "
                        "latent sample %s", q->all.run, shell(q->all.run));
    int64_t columns = q->columns < q->n ? q->columns : q->n;
    if (!is_images_alone(q->all.out) && !figure_fits(c, (q->n + columns - 1) / columns * 2, columns))
        return CODE_USAGE;
    lt_figure *f = NULL;
    char *title = figure_title(&q->all);
    lt_reconstructions_options o = {.n = (int)q->n, .columns = (int)q->columns, .seed = (uint64_t)q->all.seed,
                                    .title = title, .zoom = (int)q->all.zoom, .threads = (int)q->all.threads};
    int status = figure_open_data(t, &q->all);
    if (status == LT_OK)
        status = lt_figure_reconstructions(t->model, t->data, (lt_split)q->all.split, &o, &f);
    free(title);
    return figure_put(&q->all, status, f, "reconstructions");
}

static int run_reconstruct(const command *c, int argc, const char **argv)
{
    reconstruct_request q = {.all = {.out = "reconstructions.png", .split = LT_TEST}, .n = 32,
                             .columns = 16};
    const flag flags[] = {
        {OPTION_IMAGES, .value = &q.n, .min = 1, .max = MAX_IMAGES, .note = "default: 32"},
        {OPTION_OUTPUT, .kind = FLAG_IMAGES, .value = &q.all.out,
         .note = NOTE_IMAGES "; default: reconstructions.png"},
        {OPTION_COLUMNS, .value = &q.columns, .min = 1, .max = MAX_IMAGES, .is_of_whole = true,
         .note = "default: 16"},
        {OPTION_SPLIT, .value = &q.all.split, .note = NOTE_TEST},
        {OPTION_SEED, .value = &q.all.seed, .note = "choose images at random; default: the first ones"},
        {OPTION_DATA, .value = &q.all.data},
        {OPTION_TITLE, .value = &q.all.title, .is_of_whole = true, .note = NOTE_TITLE},
        {OPTION_ZOOM, .value = &q.all.zoom, .is_of_picture = true, .note = NOTE_ZOOM},
        {OPTION_THREADS, .value = &q.all.threads},
        {0}};
    return figure_run(c, flags, argc, argv, draw, &q);
}

const command cmd_reconstruct = {
    .name = "reconstruct", .summary = "show images above their reconstructions",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a run directory (its newest checkpoint is used) or a checkpoint file. "
        "Below each row of images is a row of their reconstructions: E[x|z] (the median for "
        "discretized_logistic) at the mean of q(z|x). FILE.npy and img-%04d.png hold only "
        "reconstructions.\n",
    .examples = "  latent reconstruct runs/fashion-mlp-vae -o reconstructions.png\n"
                "  latent reconstruct runs/fashion-mlp-vae -n 100 --columns 25 --split valid\n",
    .run = run_reconstruct};
