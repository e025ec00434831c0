/* SPDX-License-Identifier: MIT */
/* latent reconstruct: images of a data set, and what a model makes of them. */
#include "reconstruct.h"

#include <stdlib.h>
#include <string.h>

/* The first n images of a split, or n of them in the order of a seed. */
static int gather(const trained *t, const reconstruct_request *q, lt_split split, float *images)
{
    int all = lt_dataset_describe(t->data)->n[split], n = (int)q->n;
    int32_t *order = calloc((size_t)all, sizeof *order);
    if (!order)
        return LT_NO_MEMORY;
    for (int i = 0; i < all; i++)
        order[i] = i;
    if (q->seed > 0)
        lt_dataset_order(t->data, split, (uint64_t)q->seed, 0, order);
    int status = lt_dataset_gather(t->data, split, order, n, 0, 1, images);
    free(order);
    return status;
}

/* A row of originals, a row of reconstructions, and so on; places left at the end are black. */
static int draw(const trained *t, const reconstruct_request *q, const float *x, const float *y)
{
    lt_image_size s = lt_model_image_size(t->model);
    size_t size = (size_t)s.h * (size_t)s.w * (size_t)s.c;
    int n = (int)q->n, columns = (int)q->columns, rows = (n + columns - 1) / columns;
    float *grid = image_room(t->model, 2 * rows * columns);
    for (int i = 0; i < n; i++) {
        size_t place = (size_t)(i / columns * 2 * columns + i % columns);
        memcpy(grid + place * size, x + (size_t)i * size, sizeof *x * size);
        memcpy(grid + (place + (size_t)columns) * size, y + (size_t)i * size, sizeof *y * size);
    }
    int status = write_grid(q->out, t->model, grid, 2 * rows * columns, columns);
    free(grid);
    return status;
}

int reconstruct(const trained *t, reconstruct_request *q)
{
    lt_split split = lt_dataset_split(t->data, (lt_split)q->split);
    int all = lt_dataset_describe(t->data)->n[split];
    q->n = q->n < all ? q->n : all;
    q->columns = q->columns < q->n ? q->columns : q->n;
    float *x = image_room(t->model, (int)q->n), *y = image_room(t->model, (int)q->n);
    int status = gather(t, q, split, x);
    if (status == LT_OK)
        status = lt_reconstruct(t->model, (int)q->n, x, (int)q->threads, y);
    if (status == LT_OK)
        status = is_npy(q->out) ? write_numbers(q->out, t->model, y, (int)q->n)
                                : draw(t, q, x, y);
    free(x);
    free(y);
    return status;
}

static int run(const command *c, int argc, const char **argv)
{
    reconstruct_request q = {.n = 32, .columns = 16, .out = "reconstructions.png",
                             .split = LT_TEST};
    const flag flags[] = {
        {"number", 'n', FLAG_COUNT, &q.n, "N", "images; default: 32", 1, 65536, NULL},
        {"output", 'o', FLAG_OUTPUT, &q.out, "FILE",
         "FILE.png, .jpg, .webp, .svg or .pdf; or .npy, the reconstructions alone, as numbers; "
         "default: reconstructions.png", 0, 0, NULL},
        {"columns", 'c', FLAG_COUNT, &q.columns, "N", "images in a row; default: 16", 1, 4096,
         NULL},
        FLAG_SPLIT(&q.split),
        FLAG_SEED(&q.seed, "choose the images by this seed; default: the first ones"),
        FLAG_DATA(&q.data, "images of this data set instead of the recipe's"),
        FLAG_THREADS(&q.threads),
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    trained t;
    int status = trained_open(&t, line.operand[0], true, q.data);
    if (status == LT_OK)
        status = reconstruct(&t, &q);
    int code = CODE_DONE;
    if (status == LT_OK)
        say("%s: %lld images, %s by %s", q.out, (long long)q.n,
            is_npy(q.out) ? "reconstructed" : "each above its reconstruction", t.checkpoint);
    else
        code = complain_library(c, status);
    trained_close(&t);
    command_line_clear(&line);
    return code;
}

const command cmd_reconstruct = {
    .name = "reconstruct", .summary = "show images above what a model makes of them",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a run directory, of which the newest checkpoint is taken, or a checkpoint file. "
        "Each row of images is followed by a row of their reconstructions: E[x|z] (the median "
        "of a discretised_logistic) at the mean of q(z|x).\n",
    .examples = "  latent reconstruct runs/fashion-mlp-vae -o reconstructions.png\n"
                "  latent reconstruct runs/fashion-mlp-vae -n 100 --columns 25 --split valid\n",
    .run = run};
