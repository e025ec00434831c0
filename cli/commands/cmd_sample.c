/* SPDX-License-Identifier: MIT */
/* latent sample: new images from a trained model. */
#include "album.h"
#include "class_names.h"
#include "sample.h"
#include "shared_options.h"

#include <stdlib.h>
#include <string.h>

enum { ANY = -1, MANY = 64, FEW = 10, MOST = 65536, MOST_EPOCHS = 10 };

static int decode(const trained *t, const sample_request *q, int label, int n, float *images)
{
    uint64_t seed = (uint64_t)q->all.seed;
    return label == ANY
               ? lt_sample(t->model, n, seed, (int)q->all.threads, images)
               : lt_sample_class(t->model, label, n, seed, (int)q->all.threads, images);
}

/* As many columns as rows, or one more. */
static int square_side(int n)
{
    int side = 1;
    while (side * side < n)
        side++;
    return side;
}

/* Images alone, unless they are given a title. */
static int draw_samples(const trained *t, sample_request *q, int label)
{
    int n = q->n ? (int)q->n : MANY, columns = q->columns ? (int)q->columns : square_side(n);
    caption room;
    figure f;
    columns = columns < n ? columns : n;
    figure_open(&f, t->model, (n + columns - 1) / columns, columns);
    f.n = n;
    int status = decode(t, q, label, n, f.images);
    snprintf(f.subtitle, sizeof f.subtitle, "%d sample%s%s%s, seed %jd", n,
             n == 1 ? "" : "s", label == ANY ? "" : " of ", label == ANY ? "" : class_words(t, label, &room),
             (intmax_t)q->all.seed);
    q->all.is_plain = !q->all.title;
    if (status == LT_OK)
        status = figure_write(&f, &q->all);
    figure_close(&f);
    return status;
}

/* A row for each class, of the same codes. */
static int draw_classes(const trained *t, const sample_request *q)
{
    int classes = lt_model_classes(t->model), n = q->n ? (int)q->n : FEW, status = LT_OK;
    caption room;
    if (classes == 0)
        return decode(t, q, 0, 0, NULL); /* says so */
    figure f;
    figure_open(&f, t->model, classes, n);
    for (int k = 0; k < classes && status == LT_OK; k++) {
        figure_name_row(&f, k, "%s", class_words(t, k, &room));
        status = decode(t, q, k, n, figure_place(&f, k, 0));
    }
    snprintf(f.subtitle, sizeof f.subtitle, "Each class, the same codes in each column, seed %jd",
             (intmax_t)q->all.seed);
    if (status == LT_OK)
        status = figure_write(&f, &q->all);
    figure_close(&f);
    return status;
}

int sample(const trained *t, sample_request *q)
{
    bool is_of_all = q->class && strcmp(q->class, "all") == 0;
    return is_of_all ? draw_classes(t, q) : draw_samples(t, q, ANY);
}

/* Beside each mean of p(x|z) a draw from it. */
static int draw_draws(const trained *t, const sample_request *q)
{
    int n = q->n ? (int)q->n : FEW, threads = (int)q->all.threads;
    uint64_t seed = (uint64_t)q->all.seed;
    float *z = plot_room((size_t)n * (size_t)lt_model_latent(t->model), sizeof *z);
    float *mean = image_room(t->model, n), *draw = image_room(t->model, n);
    figure f;
    figure_open(&f, t->model, n, 2);
    int status = lt_sample_codes(t->model, n, seed, threads, z);
    if (status == LT_OK)
        status = lt_draw_images(t->model, n, z, seed, threads, draw);
    if (status == LT_OK)
        status = lt_decode(t->model, n, z, threads, mean);
    for (int i = 0; i < n; i++) {
        memcpy(figure_place(&f, i, 0), mean + i * f.size, sizeof *mean * (size_t)f.size);
        memcpy(figure_place(&f, i, 1), draw + i * f.size, sizeof *draw * (size_t)f.size);
    }
    figure_name_column(&f, 0, "mean");
    figure_name_column(&f, 1, "a draw");
    snprintf(f.subtitle, sizeof f.subtitle, "p(x|z) at codes drawn from the prior, seed %jd",
             (intmax_t)q->all.seed);
    if (status == LT_OK)
        status = figure_write(&f, &q->all);
    figure_close(&f);
    free(z);
    free(mean);
    free(draw);
    return status;
}

/* At most MOST_EPOCHS of n pictures: as many as lie evenly, if that is half of it at least. */
static int choose_rows(int n)
{
    if (n <= MOST_EPOCHS)
        return n;
    for (int rows = MOST_EPOCHS; rows > MOST_EPOCHS / 2; rows--)
        if ((n - 1) % (rows - 1) == 0)
            return rows;
    return MOST_EPOCHS;
}

/* A row for each picture that training drew, of the same codes. Gives the exit code. */
static int draw_epochs(const trained *t, const sample_request *q, album *a)
{
    int n = q->n ? (int)q->n : FEW, status = LT_OK;
    figure f;
    album_thin_out(a, choose_rows(a->n));
    figure_open(&f, t->model, a->n, n);
    for (int i = 0; i < a->n && status == LT_OK; i++) {
        figure_name_row(&f, i, "epoch %jd", (intmax_t)a->epochs[i]);
        status = lt_run_sample_images(a->run, a->epochs[i], lt_model_image_size(t->model), n,
                                      figure_place(&f, i, 0));
    }
    snprintf(f.subtitle, sizeof f.subtitle, "Samples as training drew them, the same codes in each "
                                            "column");
    if (status == LT_OK)
        status = figure_write(&f, &q->all);
    figure_close(&f);
    return status == LT_OK ? CODE_DONE : complain_library(q->all.command, status);
}

static int draw_history(const trained *t, sample_request *q)
{
    const command *c = q->all.command;
    album a;
    if (q->n > LT_RUN_SAMPLES)
        return complain(c, CODE_USAGE, "--images: training draws %d images, found '%jd'",
                        LT_RUN_SAMPLES, (intmax_t)q->n);
    q->all.checkpoint = NULL; /* that is none of it */
    int status = album_open(&a, q->all.run), code = status == LT_OK ? CODE_DONE : complain_library(c, status);
    if (code == CODE_DONE && a.n == 0)
        code = complain(c, CODE_FAILED, "%s has no picture of samples; training draws one after "
                                        "every train.samples_every epochs of its recipe",
                        q->all.run);
    if (code == CODE_DONE)
        code = draw_epochs(t, q, &a);
    album_close(&a);
    return code;
}

/* Gives the exit code. */
static int choose_picture(trained *t, void *request)
{
    sample_request *q = request;
    const command *c = q->all.command;
    bool is_of_all = q->class && strcmp(q->class, "all") == 0;
    int label = ANY, status;
    if (q->is_history)
        return draw_history(t, q);
    if (q->class && !is_of_all && !read_model_class(&q->all, t, q->class, &label))
        return CODE_USAGE;
    if (is_of_all && refuse_flags(c, q->all.line, "columns", "does not go with --class all, which "
                                                             "has --images") != CODE_DONE)
        return CODE_USAGE;
    if (is_of_all && !figure_fits(c, lt_model_classes(t->model), q->n ? q->n : FEW))
        return CODE_USAGE;
    status = q->with_draws ? draw_draws(t, q)
             : is_of_all   ? draw_classes(t, q)
                           : draw_samples(t, q, label);
    return status == LT_OK ? CODE_DONE : complain_library(c, status);
}

static int run(const command *c, int argc, const char **argv)
{
    sample_request q = {.all.out = "samples.png"};
    const flag flags[] = {
        {OPTION_IMAGES, .value = &q.n, .min = 1, .max = MOST,
         .note = "default: 64. With --class all of each class, with --history of each epoch; default: 10"},
        {OPTION_OUTPUT, .kind = FLAG_IMAGES, .value = &q.all.out,
         .note = NOTE_IMAGES "; default: samples.png"},
        {OPTION_COLUMNS, .value = &q.columns, .min = 1, .max = MOST, .is_of_whole = true,
         .clashes = "draws history", .note = "default: a square"},
        {.name = "draws", .kind = FLAG_SWITCH, .value = &q.with_draws, .clashes = "class history",
         .help = "the mean of p(x|z), and beside it a draw from it"},
        {.name = "history", .kind = FLAG_SWITCH, .value = &q.is_history, .clashes = "class seed",
         .help = "a row for each of (at most ten) pictures that training drew: the same codes, as the "
                 "model learned"},
        {OPTION_CLASS, .value = &q.class, .note = "or all: a row for each; default: drawn"},
        {OPTION_SEED, .value = &q.all.seed, .note = "default: 0"},
        {OPTION_TITLE, .value = &q.all.title, .is_of_whole = true,
         .note = "default: the run's name with --draws, --history and --class all, else images alone"},
        {OPTION_ZOOM, .value = &q.all.zoom, .is_of_picture = true, .note = NOTE_ZOOM},
        {OPTION_THREADS, .value = &q.all.threads},
        {0}};
    return figure_run(c, flags, argc, argv, choose_picture, &q);
}

const command cmd_sample = {
    .name = "sample", .summary = "draw new images from a model, as a picture",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a run directory, of which the newest checkpoint is taken, or a checkpoint file. "
        "Codes z are drawn from the prior, and the picture shows E[x|z] in rows "
        "(the median of a discretised_logistic), or what a generator makes of them.\n",
    .examples = "  latent sample runs/fashion-mlp-vae -n 100 -o samples.png\n"
                "  latent sample runs/cs446-vae2d --draws -o draws.svg\n"
                "  latent sample runs/fashion-mlp-vae --history\n"
                "  latent sample runs/mnist-cgan --class 7 -o sevens.png\n"
                "  latent sample runs/mnist-cgan --class all -o digits.pdf\n"
                "  latent sample runs/fashion-mlp-vae/checkpoints/step-00004690.safetensors\n",
    .run = run};
