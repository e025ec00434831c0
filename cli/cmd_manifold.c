/* SPDX-License-Identifier: MIT */
/* latent manifold: what a decoder makes of the whole plane of two latents. */
#include "figures.h"

#include <stdlib.h>

enum { MOST_SIDE = 100, PICTURE_SIDE = 1200 };

/* The middle of part i of n that are equally probable. */
static double place(int i, int n) { return lt_normal_quantile((i + 0.5) / n); }

/* As many codes as images: z1 grows to the right, z2 upwards. */
static void fill_codes(const figure *f, int latent, float *z)
{
    for (int i = 0; i < f->rows; i++)
        for (int j = 0; j < f->columns; j++) {
            *z++ = (float)place(j, f->columns);
            if (latent > 1)
                *z++ = (float)place(f->rows - 1 - i, f->rows);
        }
}

static void write_names(figure *f, int latent)
{
    for (int j = 0; j < f->columns; j++)
        figure_name_column(f, j, "%s", number_caption(place(j, f->columns), 2).text);
    for (int i = 0; i < f->rows && latent > 1; i++)
        figure_name_row(f, i, "%s", number_caption(place(f->rows - 1 - i, f->rows), 2).text);
    snprintf(f->subtitle, sizeof f->subtitle, "E[x|z] at %d x %d quantiles of N(0, 1), z₁ to the "
                                              "right%s", f->columns, f->rows,
             latent > 1 ? ", z₂ upwards" : "");
}

static int draw(const trained *t, figure_request *q, int n, int label)
{
    int latent = lt_model_latent(t->model);
    lt_image_size s = lt_model_image_size(t->model);
    int side = (s.h > s.w ? s.h : s.w) * n, most = 84 / (s.h > s.w ? s.h : s.w);
    if (!q->zoom && PICTURE_SIDE / side < most)
        q->zoom = PICTURE_SIDE / side > 1 ? PICTURE_SIDE / side : 1;
    figure f;
    figure_open(&f, t->model, latent > 1 ? n : 1, n);
    f.is_seamless = true;
    float *z = plot_room((size_t)f.rows * (size_t)n * (size_t)latent, sizeof *z);
    fill_codes(&f, latent, z);
    write_names(&f, latent);
    int status = decode_codes(t, f.rows * n, z, label, q->threads, f.images);
    if (status == LT_OK)
        status = figure_write(&f, q);
    free(z);
    figure_close(&f);
    return status;
}

static int run(const command *c, int argc, const char **argv)
{
    int64_t n = 20, label = 0;
    figure_request q = {.command = c, .out = "manifold.png"};
    const flag flags[] = {
        {"number", 'n', FLAG_COUNT, &n, "N", "places along each latent; default: 20", 1, MOST_SIDE,
         NULL},
        FLAG_PICTURE(&q.out, "manifold.png"),
        {"class", 0, FLAG_COUNT, &label, "K", "images of this class, where a model has classes; "
         "default: 0", 0, 65535, NULL},
        FLAG_TITLE(&q.title),
        {"zoom", 0, FLAG_COUNT, &q.zoom, "N", "pixels of a PNG per pixel of an image; default: "
         "what makes a picture of about 1200 pixels", 1, 100, NULL},
        FLAG_THREADS(&q.threads),
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    trained t;
    q.run = line.operand[0];
    int code = CODE_DONE, status = trained_open(&t, q.run, false, NULL);
    if (status == LT_OK && lt_model_latent(t.model) > 2)
        code = complain(c, CODE_FAILED,
                        "%s has %d latents, and a plane has two: see latent traverse %s, or two of "
                        "them by its --grid I,J",
                        q.run, lt_model_latent(t.model), q.run);
    else if (status == LT_OK)
        status = draw(&t, &q, (int)n, (int)label);
    if (status != LT_OK)
        code = complain_library(c, status);
    trained_close(&t);
    command_line_clear(&line);
    return code;
}

const command cmd_manifold = {
    .name = "manifold", .summary = "show what a model makes of the plane of its two latents",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a run directory, of which the newest checkpoint is taken, or a checkpoint file. "
        "The picture shows E[x|z] on a grid of codes: the quantiles of N(0, 1) at (i - 1/2) / N, so "
        "that equal parts of the picture are equally probable under the prior. For models with two "
        "latents; with one it is a strip.\n",
    .examples = "  latent manifold runs/cs446-vae2d\n"
                "  latent manifold runs/cs446-vae2d -n 30 -o manifold.pdf\n",
    .run = run};
