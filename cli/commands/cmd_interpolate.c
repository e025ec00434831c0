/* SPDX-License-Identifier: MIT */
/* latent interpolate: interpolations between images, through codes and through pixels. */
#include "class_names.h"
#include "figure_command.h"
#include "shared_options.h"

#include <stdlib.h>

typedef struct interpolate_request {
    figure_request all;
    int64_t pairs, steps;
    const char *images, *classes;
} interpolate_request;

enum { ROWS = 3 }; /* of a pair */

/* The parsed options. */
typedef struct ends {
    int images[2], classes[2], of_class;
} ends;

/* Chooses images as ends. Returns the exit code. */
static int choose_images(trained *t, const interpolate_request *q, ends *e, lt_interpolation_options *o)
{
    const command *c = q->all.command;
    int status = figure_open_data(t, &q->all);
    if (status != LT_OK)
        return complain_library(c, status);
    lt_split split = lt_dataset_split(t->data, (lt_split)q->all.split);
    const lt_dataset_info *d = lt_dataset_describe(t->data);
    if (q->images && !read_numbers(c, "image", q->images, 2, 0, d->n[split] - 1, e->images))
        return CODE_USAGE;
    if (q->classes && !d->has_labels[split])
        return complain(c, CODE_FAILED, "--class: the %s images of %s have no labels", lt_split_name(split), d->name);
    if (q->classes && !read_data_classes(&q->all, t, q->classes, 2, 2, e->classes))
        return CODE_USAGE;
    o->images = q->images ? e->images : NULL;
    o->classes = q->classes ? e->classes : NULL;
    return CODE_DONE;
}

/* Chooses the class of a model without an encoder. Returns the exit code. */
static int choose_class(trained *t, const interpolate_request *q, ends *e, lt_interpolation_options *o)
{
    if (q->images || (q->classes && lt_model_classes(t->model) == 0))
        return complain(q->all.command, CODE_FAILED, "%s has no encoder, so it interpolates between sampled codes: "
                        "%s has no effect", q->all.run, q->images ? "--image" : "--class");
    if (figure_refuse_images(t, &q->all) != CODE_DONE)
        return CODE_USAGE;
    if (q->classes && !read_model_class(&q->all, t, q->classes, &e->of_class))
        return CODE_USAGE;
    o->of_class = q->classes ? &e->of_class : NULL;
    return CODE_DONE;
}

static int draw(trained *t, void *request)
{
    const interpolate_request *q = request;
    lt_interpolation_options o = {.pairs = (int)q->pairs, .steps = (int)q->steps, .seed = (uint64_t)q->all.seed,
                                  .zoom = (int)q->all.zoom, .threads = (int)q->all.threads};
    ends e;
    if (!figure_fits(q->all.command, ROWS * q->pairs, q->steps))
        return CODE_USAGE;
    int code = lt_model_can(t->model, LT_CAN_ENCODE) ? choose_images(t, q, &e, &o) : choose_class(t, q, &e, &o);
    if (code != CODE_DONE)
        return code;
    lt_figure *f;
    char *title = figure_title(&q->all);
    o.title = title;
    int status = lt_figure_interpolation(t->model, t->data, (lt_split)q->all.split, &o, &f);
    free(title);
    return figure_put(&q->all, status, f, NULL);
}

static int run_interpolate(const command *c, int argc, const char **argv)
{
    interpolate_request q = {.all = {.out = "interpolate.png", .split = LT_TEST}, .pairs = 3,
                             .steps = 11};
    const flag flags[] = {
        {.name = "pairs", .kind = FLAG_COUNT, .value = &q.pairs, .operand = "N",
         .help = "pairs of images; default: 3", .min = 1, .max = 1000, .clashes = "image"},
        {OPTION_OUTPUT, .kind = FLAG_IMAGES, .value = &q.all.out,
         .note = NOTE_IMAGES "; default: interpolate.png"},
        {OPTION_COLUMNS, .value = &q.steps, .min = 2, .max = 1000, .note = "including both ends; default: 11"},
        {OPTION_IMAGE, .value = &q.images, .clashes = "class seed",
         .note = "I,J: from one to the other; default: pairs of different classes"},
        {OPTION_CLASS, .value = &q.classes,
         .note = "A,B: from images of class A to images of B; default: two that differ. For a model "
                 "with classes and no encoder: the class of all images"},
        {OPTION_SPLIT, .value = &q.all.split, .note = NOTE_TEST},
        {OPTION_SEED, .value = &q.all.seed, .note = "default: 0"},
        {OPTION_DATA, .value = &q.all.data},
        {OPTION_TITLE, .value = &q.all.title, .is_of_whole = true, .note = NOTE_TITLE},
        {OPTION_ZOOM, .value = &q.all.zoom, .is_of_picture = true, .note = NOTE_ZOOM},
        {OPTION_THREADS, .value = &q.all.threads},
        {0}};
    return figure_run(c, flags, argc, argv, draw, &q);
}

const command cmd_interpolate = {
    .name = "interpolate", .summary = "interpolate between images, by codes and by pixels",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a run directory (its newest checkpoint is used) or a checkpoint file. "
        "Encodes pairs of images and shows three rows per pair: E[x|z] on the straight line "
        "between their codes, E[x|z] on the great circle (which keeps the norm of samples of "
        "the prior), and the straight line between their pixels. A model without an encoder "
        "interpolates between codes sampled from the prior, and between their images.\n",
    .examples = "  latent interpolate runs/fashion-mlp-vae\n"
                "  latent interpolate runs/fashion-mlp-vae --class dress,bag -o ways.svg\n"
                "  latent interpolate runs/fashion-wgan --pairs 4 --seed 3\n",
    .run = run_interpolate};
