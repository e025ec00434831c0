/* SPDX-License-Identifier: MIT */
/* latent manifold: what a decoder makes of the whole plane of two latents. */
#include "manifold.h"

#include "class_names.h"
#include "shared_options.h"

#include <stdlib.h>

enum { MOST_SIDE = 100, PICTURE_SIDE = 1200 };

/* The middle of part i of n that are equally probable. */
static double place(int i, int n) { return lt_normal_quantile((i + 0.5) / n); }

/* As many codes as images: z0 grows to the right, z1 upwards. */
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
    snprintf(f->subtitle, sizeof f->subtitle, "E[x|z] at %d x %d quantiles of N(0, 1), z₀ to the "
                                              "right%s", f->columns, f->rows,
             latent > 1 ? ", z₁ upwards" : "");
}

/* As large as makes a picture of PICTURE_SIDE, but not larger than images elsewhere. */
static int64_t choose_zoom(lt_image_size s, int n)
{
    int longest = s.h > s.w ? s.h : s.w, zoom = PICTURE_SIDE / (longest * n);
    return zoom >= 84 / longest ? 0 : zoom > 1 ? zoom : 1;
}

static int draw_plane(const trained *t, manifold_request *q)
{
    int latent = lt_model_latent(t->model), n = (int)q->n;
    if (!q->all.zoom)
        q->all.zoom = choose_zoom(lt_model_image_size(t->model), n);
    figure f;
    figure_open(&f, t->model, latent > 1 ? n : 1, n);
    f.is_seamless = true;
    float *z = plot_room((size_t)f.n * (size_t)latent, sizeof *z);
    fill_codes(&f, latent, z);
    write_names(&f, latent);
    int status = figure_write_codes(&f, &q->all, t, z, (int)q->label);
    free(z);
    figure_close(&f);
    return status;
}

int manifold(trained *t, manifold_request *q)
{
    int latent = lt_model_latent(t->model);
    if (latent > 2)
        return complain(q->all.command, CODE_FAILED,
                        "%s has %d latents, and a plane has two: see latent traverse %s, or two of "
                        "them by its --grid I,J", q->all.run, latent, shell(q->all.run));
    if (figure_refuse_class(t, &q->all) != CODE_DONE)
        return CODE_USAGE;
    int status = draw_plane(t, q);
    return status == LT_OK ? CODE_DONE : complain_library(q->all.command, status);
}

static int draw(trained *t, void *request)
{
    manifold_request *q = request;
    int label = 0;
    if (q->class && lt_model_classes(t->model) > 0 && !read_model_class(&q->all, t, q->class, &label))
        return CODE_USAGE;
    q->label = label;
    return manifold(t, q);
}

static int run(const command *c, int argc, const char **argv)
{
    manifold_request q = {.all.out = "manifold.png", .n = 20};
    const flag flags[] = {
        {.name = "side", .kind = FLAG_COUNT, .value = &q.n, .operand = "N",
         .help = "places along each latent; default: 20", .min = 1, .max = MOST_SIDE},
        {OPTION_OUTPUT, .kind = FLAG_IMAGES, .value = &q.all.out,
         .note = NOTE_IMAGES "; default: manifold.png"},
        {OPTION_CLASS, .value = &q.class, .note = "of all images, where a model has classes; default: 0"},
        {OPTION_TITLE, .value = &q.all.title, .is_of_whole = true, .note = NOTE_TITLE},
        {OPTION_ZOOM, .value = &q.all.zoom, .is_of_picture = true,
         .note = "default: what makes a picture of about 1200"},
        {OPTION_THREADS, .value = &q.all.threads},
        {0}};
    return figure_run(c, flags, argc, argv, draw, &q);
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
                "  latent manifold runs/cs446-vae2d --side 30 -o manifold.pdf\n",
    .run = run};
