/* SPDX-License-Identifier: MIT */
/* latent sample: new images from a trained model. */
#include "class_names.h"
#include "figure_command.h"
#include "shared_options.h"

#include <stdlib.h>
#include <string.h>

typedef struct sample_request {
    figure_request all;
    int64_t n, columns; /* 0: default */
    const char *class;  /* NULL: any */
    bool with_draws, is_history;
} sample_request;

enum { MAX_IMAGES = 65536, IN_A_ROW = 10 };

static int draw_history(const trained *t, sample_request *q)
{
    if (q->n > LT_RUN_SAMPLES)
        return complain(q->all.command, CODE_USAGE, "--images: training draws %d images, found '%jd'",
                        LT_RUN_SAMPLES, (intmax_t)q->n);
    q->all.checkpoint = NULL; /* the images are not of it */
    lt_figure *f;
    char *title = figure_title(&q->all);
    lt_history_rows_options o = {.n = (int)q->n, .title = title, .zoom = (int)q->all.zoom};
    int status = lt_figure_history_rows(q->all.run, t->model, &o, &f);
    free(title);
    return figure_put(&q->all, status, f, NULL);
}

static int draw_samples(const trained *t, const sample_request *q, bool each_class, const int *of_class)
{
    lt_figure *f;
    char *title = q->all.title || each_class || q->with_draws ? figure_title(&q->all) : NULL;
    lt_samples_options o = {.n = (int)q->n, .columns = (int)q->columns, .with_draws = q->with_draws,
                            .each_class = each_class, .of_class = of_class, .seed = (uint64_t)q->all.seed,
                            .title = title, .zoom = (int)q->all.zoom, .threads = (int)q->all.threads};
    int status = lt_figure_samples(t->model, t->data, &o, &f);
    free(title);
    return figure_put(&q->all, status, f, NULL);
}

/* Gives the exit code. */
static int draw(trained *t, void *request)
{
    sample_request *q = request;
    const command *c = q->all.command;
    bool each_class = q->class && strcmp(q->class, "all") == 0;
    int label;
    if (q->is_history)
        return draw_history(t, q);
    if (q->class && !each_class && !read_model_class(&q->all, t, q->class, &label))
        return CODE_USAGE;
    if (each_class && refuse_flags(c, q->all.line, "columns", "does not go with --class all, which "
                                                              "has --images") != CODE_DONE)
        return CODE_USAGE;
    if (each_class && !figure_fits(c, lt_model_classes(t->model), q->n ? q->n : IN_A_ROW))
        return CODE_USAGE;
    return draw_samples(t, q, each_class, q->class && !each_class ? &label : NULL);
}

static int run_sample(const command *c, int argc, const char **argv)
{
    sample_request q = {.all.out = "samples.png"};
    const flag flags[] = {
        {OPTION_IMAGES, .value = &q.n, .min = 1, .max = MAX_IMAGES,
         .note = "default: 64. With --class all: per class, with --history: per epoch; default: 10"},
        {OPTION_OUTPUT, .kind = FLAG_IMAGES, .value = &q.all.out,
         .note = NOTE_IMAGES "; default: samples.png"},
        {OPTION_COLUMNS, .value = &q.columns, .min = 1, .max = MAX_IMAGES, .is_of_whole = true,
         .clashes = "draws history", .note = "default: a square"},
        {.name = "draws", .kind = FLAG_SWITCH, .value = &q.with_draws, .clashes = "class history",
         .help = "show the mean of p(x|z) and a sample from it"},
        {.name = "history", .kind = FLAG_SWITCH, .value = &q.is_history, .clashes = "class seed",
         .help = "show samples of training, one row per epoch (at most ten): the same codes as the "
                 "model learned"},
        {OPTION_CLASS, .value = &q.class, .note = "or all: one row per class; default: sampled"},
        {OPTION_SEED, .value = &q.all.seed, .note = "default: 0"},
        {OPTION_TITLE, .value = &q.all.title, .is_of_whole = true,
         .note = "default: the run's name with --draws, --history and --class all, else none"},
        {OPTION_ZOOM, .value = &q.all.zoom, .is_of_picture = true, .note = NOTE_ZOOM},
        {OPTION_THREADS, .value = &q.all.threads},
        {0}};
    return figure_run(c, flags, argc, argv, draw, &q);
}

const command cmd_sample = {
    .name = "sample", .summary = "sample new images from a model",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a run directory (its newest checkpoint is used) or a checkpoint file. "
        "Samples codes z from the prior and shows E[x|z] (the median for discretized_logistic), "
        "or the generator's output, in rows.\n",
    .examples = "  latent sample runs/fashion-mlp-vae -n 100 -o samples.png\n"
                "  latent sample runs/cs446-vae2d --draws -o draws.svg\n"
                "  latent sample runs/fashion-mlp-vae --history\n"
                "  latent sample runs/mnist-cgan --class 7 -o sevens.png\n"
                "  latent sample runs/mnist-cgan --class all -o digits.pdf\n"
                "  latent sample runs/fashion-mlp-vae/checkpoints/step-00004690.safetensors\n",
    .run = run_sample};
