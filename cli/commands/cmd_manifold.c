/* SPDX-License-Identifier: MIT */
/* latent manifold: decoded images on a grid over the plane of two latents. */
#include "class_names.h"
#include "figure_command.h"
#include "shared_options.h"

#include <stdlib.h>

typedef struct manifold_request {
    figure_request all;
    int64_t n;         /* points along each latent */
    const char *class; /* as typed; NULL: not given */
} manifold_request;

enum { MAX_SIDE = 100 };

static int draw(trained *t, void *request)
{
    manifold_request *q = request;
    int label = 0, latent = lt_model_latent(t->model);
    if (q->class && lt_model_classes(t->model) > 0 && !read_model_class(&q->all, t, q->class, &label))
        return CODE_USAGE;
    if (latent > 2)
        return complain(q->all.command, CODE_FAILED,
                        "%s: expected 1 or 2 latents, found %d; try latent traverse %s, or its "
                        "--grid I,J for two of them", q->all.run, latent, shell(q->all.run));
    if (figure_refuse_class(t, &q->all) != CODE_DONE)
        return CODE_USAGE;
    lt_figure *f;
    char *title = figure_title(&q->all);
    lt_manifold_options o = {.side = (int)q->n, .of_class = label, .title = title, .zoom = (int)q->all.zoom,
                             .threads = (int)q->all.threads};
    int status = lt_figure_manifold(t->model, t->data, &o, &f);
    free(title);
    return figure_put(&q->all, status, f, NULL);
}

static int run_manifold(const command *c, int argc, const char **argv)
{
    manifold_request q = {.all.out = "manifold.png", .n = 20};
    const flag flags[] = {
        {.name = "side", .kind = FLAG_COUNT, .value = &q.n, .operand = "N",
         .help = "points along each latent; default: 20", .min = 1, .max = MAX_SIDE},
        {OPTION_OUTPUT, .kind = FLAG_IMAGES, .value = &q.all.out,
         .note = NOTE_IMAGES "; default: manifold.png"},
        {OPTION_CLASS, .value = &q.class, .note = "of all images, if the model has classes; default: 0"},
        {OPTION_TITLE, .value = &q.all.title, .is_of_whole = true, .note = NOTE_TITLE},
        {OPTION_ZOOM, .value = &q.all.zoom, .is_of_picture = true,
         .note = "default: a figure of about 1200 pixels"},
        {OPTION_THREADS, .value = &q.all.threads},
        {0}};
    return figure_run(c, flags, argc, argv, draw, &q);
}

const command cmd_manifold = {
    .name = "manifold", .summary = "show decoded images over the plane of two latents",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a run directory (its newest checkpoint is used) or a checkpoint file. "
        "Shows E[x|z] on a grid of codes: the quantiles of N(0, 1) at (i - 1/2) / N, so that equal "
        "parts of the figure are equally probable under the prior. For models with two latents; "
        "with one latent it is a single row.\n",
    .examples = "  latent manifold runs/cs446-vae2d\n"
                "  latent manifold runs/cs446-vae2d --side 30 -o manifold.pdf\n",
    .run = run_manifold};
