/* SPDX-License-Identifier: MIT */
/* latent reconstruct: images of a data set, and what a model makes of them. */
#include "reconstruct.h"

#include "shared_options.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 65536 };

/* Rows of images and of their reconstructions by turns; places left at the end are as the paper. */
static void fill(const reconstruct_request *q, const float *x, const float *y, figure *f)
{
    bool is_paper = !q->all.is_plain;
    for (int64_t i = 0; i < f->n * f->size && is_paper; i++)
        f->images[i] = 1;
    for (int i = 0; i < q->n; i++) {
        int row = i / f->columns * 2, column = i % f->columns;
        memcpy(figure_place(f, row, column), x + i * f->size, sizeof *x * (size_t)f->size);
        memcpy(figure_place(f, row + 1, column), y + i * f->size, sizeof *y * (size_t)f->size);
    }
}

static int draw(const trained *t, const reconstruct_request *q, lt_split split, const float *x,
                const float *y)
{
    int n = (int)q->n, columns = (int)q->columns;
    figure f;
    figure_open(&f, t->model, 2 * ((n + columns - 1) / columns), columns);
    f.group = 2;
    fill(q, x, y, &f);
    for (int i = 0; i < f.rows; i++)
        figure_name_row(&f, i, i % 2 ? "reconstruction" : "image");
    if (q->all.seed > 0)
        snprintf(f.subtitle, sizeof f.subtitle, "%d %s image%s, chosen by seed %jd", n,
                 lt_split_name(split), n > 1 ? "s" : "", (intmax_t)q->all.seed);
    else if (n > 1)
        snprintf(f.subtitle, sizeof f.subtitle, "The first %d %s images", n, lt_split_name(split));
    else
        snprintf(f.subtitle, sizeof f.subtitle, "The first %s image", lt_split_name(split));
    int status = figure_write(&f, &q->all);
    figure_close(&f);
    return status;
}

/* The reconstructions alone. */
static int write_reconstructions(const trained *t, const reconstruct_request *q, const float *y)
{
    LT_TRY(write_images(q->all.out, lt_model_image_size(t->model), y, (int)q->n, q->all.zoom));
    char *name = written_name(q->all.out, (int)q->n);
    if (!q->all.is_quiet)
        say("%s: %d reconstructions of %s", name, (int)q->n, q->all.checkpoint);
    free(name);
    return LT_OK;
}

int reconstruct(trained *t, reconstruct_request *q)
{
    lt_split split = LT_TEST;
    LT_TRY(figure_find_data(t, &q->all, &split));
    int all = lt_dataset_describe(t->data)->n[split];
    q->n = q->n < all ? q->n : all;
    q->columns = q->columns < q->n ? q->columns : q->n;
    float *x = image_room(t->model, (int)q->n), *y = image_room(t->model, (int)q->n);
    int status = gather_first(t->data, split, q->all.seed, (int)q->n, x);
    if (status == LT_OK)
        status = lt_reconstruct(t->model, (int)q->n, x, (int)q->all.threads, y);
    if (status == LT_OK)
        status = is_images_alone(q->all.out) ? write_reconstructions(t, q, y) : draw(t, q, split, x, y);
    free(x);
    free(y);
    return status;
}

static int draw_reconstructions(trained *t, void *request)
{
    reconstruct_request *q = request;
    const command *c = q->all.command;
    if (!lt_model_has_encoder(t->model))
        return complain(c, CODE_FAILED,
                        "%s has no encoder, so its images have no codes to be made again from; try "
                        "latent sample %s", q->all.run, shell(q->all.run));
    int64_t columns = q->columns < q->n ? q->columns : q->n;
    if (!is_images_alone(q->all.out) && !figure_fits(c, (q->n + columns - 1) / columns * 2, columns))
        return CODE_USAGE;
    int status = reconstruct(t, q);
    return status == LT_OK ? CODE_DONE : complain_library(c, status);
}

static int run(const command *c, int argc, const char **argv)
{
    reconstruct_request q = {.all = {.out = "reconstructions.png", .split = LT_TEST}, .n = 32,
                             .columns = 16};
    const flag flags[] = {
        {OPTION_IMAGES, .value = &q.n, .min = 1, .max = MOST, .note = "default: 32"},
        {OPTION_OUTPUT, .kind = FLAG_IMAGES, .value = &q.all.out,
         .note = NOTE_IMAGES "; default: reconstructions.png"},
        {OPTION_COLUMNS, .value = &q.columns, .min = 1, .max = MOST, .is_of_whole = true,
         .note = "default: 16"},
        {OPTION_SPLIT, .value = &q.all.split, .note = NOTE_TEST},
        {OPTION_SEED, .value = &q.all.seed, .note = "that chooses the images; default: the first ones"},
        {OPTION_DATA, .value = &q.all.data},
        {OPTION_TITLE, .value = &q.all.title, .is_of_whole = true, .note = NOTE_TITLE},
        {OPTION_ZOOM, .value = &q.all.zoom, .is_of_picture = true, .note = NOTE_ZOOM},
        {OPTION_THREADS, .value = &q.all.threads},
        {0}};
    return figure_run(c, flags, argc, argv, draw_reconstructions, &q);
}

const command cmd_reconstruct = {
    .name = "reconstruct", .summary = "show images above what a model makes of them",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a run directory, of which the newest checkpoint is taken, or a checkpoint file. "
        "Each row of images is followed by a row of their reconstructions: E[x|z] (the median "
        "of a discretised_logistic) at the mean of q(z|x). FILE.npy and img-%04d.png hold these alone.\n",
    .examples = "  latent reconstruct runs/fashion-mlp-vae -o reconstructions.png\n"
                "  latent reconstruct runs/fashion-mlp-vae -n 100 --columns 25 --split valid\n",
    .run = run};
