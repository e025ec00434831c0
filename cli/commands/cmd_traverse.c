/* SPDX-License-Identifier: MIT */
/* latent traverse: what each latent does to an image. */
#include "class_names.h"
#include "figure_command.h"
#include "shared_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1, DEFAULT_IMAGES = 5, MANY_LATENTS = 20 };

typedef struct traverse_request {
    figure_request all;  /* seed: NONE, not given */
    int64_t rows, every; /* 0: default */
    const char *grid, *shift, *image, *class; /* as typed; NULL: not given */
} traverse_request;

static bool read_shift(const command *c, const char *words, double *shift)
{
    if (lt_read_real(words, shift) && fabs(*shift) <= 1000)
        return true;
    complain(c, CODE_USAGE, "--shift: expected a number from -1000 to 1000, found '%s'", words);
    return false;
}

static bool is_of_shifts(const traverse_request *q) { return q->every || q->shift; }

static bool is_of_top(const traverse_request *q) { return q->grid && strcmp(q->grid, "top") == 0; }

/* Whether images of the split are needed, to rank latents or to start rows. */
static bool needs_images(const trained *t, const traverse_request *q)
{
    bool is_ranked = q->grid ? is_of_top(q) : !is_of_shifts(q);
    bool is_of_images = is_of_shifts(q) && q->all.seed == NONE;
    return lt_model_can(t->model, LT_CAN_ENCODE) && (is_ranked || is_of_images || q->image);
}

/* Refuses options that would have no effect. Returns the exit code. */
static int refuse_others(const trained *t, const traverse_request *q)
{
    int code = figure_refuse_images(t, &q->all);
    if (code == CODE_DONE)
        code = figure_refuse_class(t, &q->all);
    if (code == CODE_DONE && !needs_images(t, q))
        code = refuse_flags(q->all.command, q->all.line, "split data",
                            "has no effect: this traversal needs no images");
    return code;
}

/* Parses "3,11" or "top". Returns the exit code. */
static int read_grid(const trained *t, const traverse_request *q, int chosen[2])
{
    const command *c = q->all.command;
    int latent = lt_model_latent(t->model);
    if (is_of_top(q))
        return latent >= 2 ? CODE_DONE
                           : complain(c, CODE_FAILED, "--grid: expected 2 latents, %s has 1", q->all.run);
    if (!strpbrk(q->grid, "0123456789"))
        return complain(c, CODE_USAGE, "--grid: expected I,J or top, found '%s'", q->grid);
    if (!read_numbers(c, "grid", q->grid, 2, 0, latent - 1, chosen))
        return CODE_USAGE;
    return chosen[0] != chosen[1]
               ? CODE_DONE
               : complain(c, CODE_USAGE, "--grid: expected two that differ, found '%s'", q->grid);
}

/* Returns the exit code. */
static int read_shifts(const trained *t, const traverse_request *q, lt_traversal_options *o)
{
    const command *c = q->all.command;
    int latent = lt_model_latent(t->model);
    o->shift = 5;
    if (q->shift && !read_shift(c, q->shift, &o->shift))
        return CODE_USAGE;
    if (q->every > latent)
        return complain(c, CODE_USAGE, "--every: expected at most the latents of %s, %d, found %jd", q->all.run, latent,
                        (intmax_t)q->every);
    o->every = q->every ? (int)q->every : latent >= MANY_LATENTS ? latent / 10 : 1;
    return figure_fits(c, q->rows ? q->rows : DEFAULT_IMAGES, (latent + o->every - 1) / o->every + 2) ? CODE_DONE
                                                                                                      : CODE_USAGE;
}

/* Parses the options. Returns the exit code. */
static int read_request(trained *t, const traverse_request *q, lt_traversal_options *o, int chosen[2])
{
    const command *c = q->all.command;
    int image = 0;
    if (q->image && !read_numbers(c, "image", q->image, 1, 0, INT32_MAX, &image))
        return CODE_USAGE;
    if (q->class && lt_model_classes(t->model) > 0 && !read_model_class(&q->all, t, q->class, &o->of_class))
        return CODE_USAGE;
    int status = lt_model_can(t->model, LT_CAN_ENCODE) ? figure_open_data(t, &q->all) : LT_OK;
    if (status != LT_OK)
        return complain_library(c, status);
    if (q->image && !lt_model_can(t->model, LT_CAN_ENCODE))
        return complain(c, CODE_FAILED, "%s has no encoder, so a traversal cannot start at an image; "
                                        "try --seed", q->all.run);
    if (refuse_others(t, q) != CODE_DONE)
        return CODE_USAGE;
    o->image = image;
    o->start = q->image ? LT_START_IMAGE : q->all.seed != NONE ? LT_START_SEED : LT_START_DEFAULT;
    o->kind = q->grid ? LT_TRAVERSE_GRID : is_of_shifts(q) ? LT_TRAVERSE_SHIFTS : LT_TRAVERSE_ROWS;
    o->latents = q->grid && !is_of_top(q) ? chosen : NULL;
    int code = q->grid ? read_grid(t, q, chosen) : CODE_DONE;
    return code == CODE_DONE && is_of_shifts(q) ? read_shifts(t, q, o) : code;
}

static int draw(trained *t, void *request)
{
    const traverse_request *q = request;
    lt_traversal_options o = {.rows = (int)q->rows, .seed = q->all.seed == NONE ? 0 : (uint64_t)q->all.seed,
                              .zoom = (int)q->all.zoom, .threads = (int)q->all.threads};
    int chosen[2], code = read_request(t, q, &o, chosen);
    if (code != CODE_DONE)
        return code;
    lt_figure *f;
    char *title = figure_title(&q->all);
    o.title = title;
    int status = lt_figure_traversal(t->model, t->data, (lt_split)q->all.split, &o, &f);
    free(title);
    return figure_put(&q->all, status, f, NULL);
}

static int run_traverse(const command *c, int argc, const char **argv)
{
    traverse_request q = {.all = {.out = "traverse.png", .split = LT_TEST, .seed = NONE}};
    const flag flags[] = {
        {.name = "rows", .kind = FLAG_COUNT, .value = &q.rows, .operand = "N",
         .help = "number of latents, one row each; with --every or --shift, of images; default: 10, or 5 images",
         .min = 1, .max = 1000, .clashes = "grid"},
        {OPTION_OUTPUT, .kind = FLAG_IMAGES, .value = &q.all.out,
         .note = NOTE_IMAGES "; default: traverse.png"},
        {.name = "grid", .kind = FLAG_TEXT, .value = &q.grid, .operand = "I,J", .clashes = "every shift",
         .help = "7 x 7 images: latent I, from 0, to the right, J upward; top: the two most important"},
        {.name = "every", .kind = FLAG_COUNT, .value = &q.every, .operand = "K",
         .help = "shift latents 0, K, 2 K, ... by --shift, each alone, in rows of images (or of codes)",
         .min = 1, .max = 65536},
        {.name = "shift", .kind = FLAG_TEXT, .value = &q.shift, .operand = "S",
         .help = "distance of a shift; default: 5"},
        {OPTION_IMAGE, .value = &q.image, .clashes = "seed",
         .note = "start at its code; default: at z = 0"},
        {OPTION_CLASS, .value = &q.class, .note = "of all images, if the model has classes; default: 0"},
        {OPTION_SPLIT, .value = &q.all.split, .note = NOTE_TEST},
        {OPTION_SEED, .value = &q.all.seed,
         .note = "start at a code sampled with it; default: at z = 0; without an encoder: seed 0"},
        {OPTION_DATA, .value = &q.all.data},
        {OPTION_TITLE, .value = &q.all.title, .is_of_whole = true, .note = NOTE_TITLE},
        {OPTION_ZOOM, .value = &q.all.zoom, .is_of_picture = true, .note = NOTE_ZOOM},
        {OPTION_THREADS, .value = &q.all.threads},
        {0}};
    return figure_run(c, flags, argc, argv, draw, &q);
}

const command cmd_traverse = {
    .name = "traverse", .summary = "show what each latent does to an image",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a run directory (its newest checkpoint is used) or a checkpoint file. "
        "Each row moves one latent through seven quantiles of N(0, 1), .05, .20, ... .95, and "
        "keeps the others fixed. The first rows are the most important latents: the largest KL "
        "over 1000 images of the split, as in latent plot activity; without an encoder, the "
        "largest change of the image.\n",
    .examples = "  latent traverse runs/fashion-mlp-vae\n"
                "  latent traverse runs/fashion-mlp-vae --image 7 --rows 20 -o latents.pdf\n"
                "  latent traverse runs/fashion-mlp-vae --grid 3,11\n"
                "  latent traverse runs/i2dl-mlp-vae --every 10 --shift 5\n",
    .run = run_traverse};
