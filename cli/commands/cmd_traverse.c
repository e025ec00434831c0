/* SPDX-License-Identifier: MIT */
/* latent traverse: what each latent does to an image. */
#include "traverse.h"

#include "class_names.h"
#include "shared_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { QUANTILES = 7, DIAGNOSED = 1000, CHUNK = 64, NONE = TRAVERSE_NONE };

/* The model, where the walk begins, and the latents in the order of what they do. */
typedef struct walk {
    const traverse_request *q;
    trained *t;
    lt_split split;
    int latent;
    float *start;    /* latent */
    int *order;      /* latent */
    double *weight;  /* of each latent, by its number */
    const char *what; /* "%.2f nats" of a weight */
} walk;

/* The quantiles .05, .20, ... .95 of the prior. */
static double place(int i) { return lt_normal_quantile(0.05 + 0.15 * i); }

/* ---- Where it begins ---- */

static int begin_at_image(walk *w, int64_t index, float *code)
{
    int32_t place = (int32_t)index;
    float *image = image_room(w->t->model, 1);
    int status = encode_images(w->t, w->split, &place, 1, w->q->all.threads, image, code);
    free(image);
    return status;
}

static int begin(walk *w)
{
    if (w->q->image != NONE)
        return begin_at_image(w, w->q->image, w->start);
    if (w->q->all.seed != NONE)
        return lt_sample_codes(w->t->model, 1, (uint64_t)w->q->all.seed, (int)w->q->all.threads,
                               w->start);
    return LT_OK;
}

static const char *start_words(const walk *w, char words[96])
{
    if (w->q->image != NONE)
        snprintf(words, 96, "the code of %s image %jd", lt_split_name(w->split),
                 (intmax_t)w->q->image);
    else if (w->q->all.seed != NONE)
        snprintf(words, 96, "a code drawn from the prior, seed %jd", (intmax_t)w->q->all.seed);
    else
        strcpy(words, "z = 0");
    return words;
}

/* ---- Which latents ---- */

/* By KL, or by the variance of the posterior mean, as in latent plot activity. */
static int weigh_by_activity(walk *w)
{
    lt_diagnosis d = {0};
    int n = lt_dataset_describe(w->t->data)->n[w->split];
    lt_diagnosis_options o = {.images = n < DIAGNOSED ? 0 : DIAGNOSED,
                              .run.threads = (int)w->q->all.threads};
    int status = lt_diagnose(w->t->model, w->t->data, w->split, &o, &d);
    for (int k = 0; status == LT_OK && k < w->latent; k++)
        w->weight[k] = d.has_parts ? d.units[k].kl : d.units[k].mean_variance;
    w->what = d.has_parts ? "%s, %.2f nats" : "%s, variance %.2f";
    lt_diagnosis_clear(&d);
    return status;
}

/* Mean over pixels of the variance over the seven images. */
static double spread(const float *images, int64_t size)
{
    double sum = 0;
    for (int64_t p = 0; p < size; p++) {
        double s = 0, ss = 0;
        for (int i = 0; i < QUANTILES; i++) {
            double x = (double)images[i * size + p];
            s += x;
            ss += x * x;
        }
        sum += ss / QUANTILES - s / QUANTILES * (s / QUANTILES);
    }
    return sum / (double)size;
}

/* The codes of a row: `start` with one latent at each of the quantiles. */
static void fill_row(const walk *w, int k, float *z)
{
    for (int i = 0; i < QUANTILES; i++, z += w->latent) {
        memcpy(z, w->start, sizeof *z * (size_t)w->latent);
        z[k] = (float)place(i);
    }
}

/* Without an encoder: by what the images do. */
static int weigh_by_change(walk *w)
{
    lt_image_size s = lt_model_image_size(w->t->model);
    int64_t size = (int64_t)s.h * s.w * s.c;
    float *z = plot_room((size_t)CHUNK * QUANTILES * (size_t)w->latent, sizeof *z);
    float *images = image_room(w->t->model, CHUNK * QUANTILES);
    int status = LT_OK;
    for (int first = 0; first < w->latent && status == LT_OK; first += CHUNK) {
        int n = w->latent - first < CHUNK ? w->latent - first : CHUNK;
        for (int k = 0; k < n; k++)
            fill_row(w, first + k, z + (int64_t)k * QUANTILES * w->latent);
        status = decode_codes(w->t, n * QUANTILES, z, (int)w->q->label, w->q->all.threads, images);
        for (int k = 0; k < n && status == LT_OK; k++)
            w->weight[first + k] = spread(images + (int64_t)k * QUANTILES * size, size);
    }
    w->what = "%s";
    free(z);
    free(images);
    return status;
}

/* The heaviest first; among equals the first. */
static void sort_latents(walk *w)
{
    for (int k = 0; k < w->latent; k++) {
        int i = k;
        for (; i > 0 && w->weight[k] > w->weight[w->order[i - 1]]; i--)
            w->order[i] = w->order[i - 1];
        w->order[i] = k;
    }
}

static int rank_latents(walk *w)
{
    int status = lt_model_has_encoder(w->t->model) ? weigh_by_activity(w) : weigh_by_change(w);
    if (status == LT_OK)
        sort_latents(w);
    return status;
}

/* ---- Three pictures ---- */

static int draw_rows(walk *w)
{
    char words[96];
    int rows = w->q->rows < w->latent ? (int)w->q->rows : w->latent, status = rank_latents(w);
    if (status != LT_OK)
        return status;
    figure f;
    figure_open(&f, w->t->model, rows, QUANTILES);
    float *z = plot_room((size_t)rows * QUANTILES * (size_t)w->latent, sizeof *z);
    for (int i = 0; i < rows; i++) {
        fill_row(w, w->order[i], z + (int64_t)i * QUANTILES * w->latent);
        figure_name_row(&f, i, w->what, latent_caption(w->order[i]).text, w->weight[w->order[i]]);
    }
    for (int i = 0; i < QUANTILES; i++)
        figure_name_column(&f, i, "%s", number_caption(place(i), 2).text);
    if (w->latent == 1)
        snprintf(f.subtitle, sizeof f.subtitle, "The latent");
    else
        snprintf(f.subtitle, sizeof f.subtitle, "%d of %d latents, those that %s first,", rows,
                 w->latent, lt_model_has_encoder(w->t->model) ? "say most" : "change most");
    add_words(f.subtitle, sizeof f.subtitle, " at the quantiles .05 to .95 of N(0, 1)");
    if (w->latent > 1)
        add_words(f.subtitle, sizeof f.subtitle, "; the others from %s",
                       start_words(w, words));
    status = figure_write_codes(&f, &w->q->all, w->t, z, (int)w->q->label);
    free(z);
    figure_close(&f);
    return status;
}

/* Two at once: the first to the right, the second upwards; from 0. NULL: the first two. */
static int draw_grid(walk *w, const int *chosen)
{
    char words[96];
    int status = chosen ? LT_OK : rank_latents(w);
    if (status != LT_OK)
        return status;
    chosen = chosen ? chosen : w->order;
    figure f;
    figure_open(&f, w->t->model, QUANTILES, QUANTILES);
    f.is_seamless = true;
    float *z = plot_room(QUANTILES * QUANTILES * (size_t)w->latent, sizeof *z);
    for (int i = 0; i < QUANTILES; i++) {
        float *row = z + (int64_t)i * QUANTILES * w->latent;
        fill_row(w, chosen[0], row);
        for (int j = 0; j < QUANTILES; j++)
            row[j * w->latent + chosen[1]] = (float)place(QUANTILES - 1 - i);
        figure_name_row(&f, i, "%s", number_caption(place(QUANTILES - 1 - i), 2).text);
        figure_name_column(&f, i, "%s", number_caption(place(i), 2).text);
    }
    snprintf(f.subtitle, sizeof f.subtitle, "%s to the right, %s upwards, the others from %s",
             latent_caption(chosen[0]).text, latent_caption(chosen[1]).text,
             start_words(w, words));
    status = figure_write_codes(&f, &w->q->all, w->t, z, (int)w->q->label);
    free(z);
    figure_close(&f);
    return status;
}

/* As many digits as it has, at most six. */
static caption shift_caption(double shift)
{
    int decimals = 0;
    while (decimals < 6 && fabs(shift - round(shift * pow(10, decimals)) / pow(10, decimals)) > 1e-9)
        decimals++;
    return number_caption(shift, decimals);
}

/* A row: the start, then each k-th latent moved alone, then all of them. */
static void fill_shifts(const walk *w, int every, double shift, int columns, float *z)
{
    for (int j = 0; j < columns; j++)
        memcpy(z + (int64_t)j * w->latent, w->start, sizeof *z * (size_t)w->latent);
    for (int j = 1; j + 1 < columns; j++) {
        int k = (j - 1) * every;
        z[(int64_t)j * w->latent + k] += (float)shift;
        z[(int64_t)(columns - 1) * w->latent + k] += (float)shift;
    }
}

/* Rows begin at images from --image on, or at codes of seeds from --seed on. */
static int draw_shifts(walk *w, double shift)
{
    int every = (int)w->q->every, moved = (w->latent + every - 1) / every, columns = moved + 2;
    bool is_of_images = lt_model_has_encoder(w->t->model) && w->q->all.seed == NONE;
    int64_t first = is_of_images ? w->q->image : w->q->all.seed;
    first = first == NONE ? 0 : first;
    int rows = (int)w->q->rows, status = LT_OK;
    figure f;
    figure_open(&f, w->t->model, rows, columns);
    float *z = plot_room((size_t)rows * (size_t)columns * (size_t)w->latent, sizeof *z);
    for (int i = 0; i < rows && status == LT_OK; i++) {
        status = is_of_images ? begin_at_image(w, first + i, w->start)
                              : lt_sample_codes(w->t->model, 1, (uint64_t)(first + i),
                                                (int)w->q->all.threads, w->start);
        fill_shifts(w, every, shift, columns, z + (int64_t)i * columns * w->latent);
        figure_name_row(&f, i, "%s %jd", is_of_images ? "image" : "seed", (intmax_t)(first + i));
    }
    figure_name_column(&f, 0, "as it is");
    for (int j = 1; j <= moved; j++)
        figure_name_column(&f, j, "%s", latent_caption((j - 1) * every).text);
    figure_name_column(&f, columns - 1, "all");
    char which[48] = "Each latent";
    if (every > 1)
        snprintf(which, sizeof which, "One latent of %d", every);
    snprintf(f.subtitle, sizeof f.subtitle, "%s moved by %s, alone, then all at once", which,
             shift_caption(shift).text);
    if (status == LT_OK)
        status = figure_write_codes(&f, &w->q->all, w->t, z, (int)w->q->label);
    free(z);
    figure_close(&f);
    return status;
}

/* ---- The command ---- */

static bool read_shift(const command *c, const char *words, double *shift)
{
    if (lt_read_real(words, shift) && fabs(*shift) <= 1000)
        return true;
    complain(c, CODE_USAGE, "--shift: expected a number from -1000 to 1000, found '%s'", words);
    return false;
}

/* Whether images of the split are looked at: latents are ranked by them, or rows begin at them. */
static bool needs_images(const walk *w)
{
    const traverse_request *q = w->q;
    bool is_ranked = q->grid ? strcmp(q->grid, "top") == 0 : !q->every && !q->shift;
    bool is_of_images = (q->every || q->shift) && q->all.seed == NONE;
    return lt_model_has_encoder(w->t->model) && (is_ranked || is_of_images || q->image != NONE);
}

/* Options that would have no effect. Gives the exit code. */
static int refuse_others(const walk *w)
{
    const traverse_request *q = w->q;
    int code = figure_refuse_images(w->t, &q->all);
    if (code == CODE_DONE)
        code = figure_refuse_class(w->t, &q->all);
    if (code == CODE_DONE && !needs_images(w))
        code = refuse_flags(q->all.command, q->all.line, "split data",
                            "has no effect: these latents, and where they begin, need no images");
    return code;
}

/* Gives the exit code. */
static int choose_picture(walk *w)
{
    const traverse_request *q = w->q;
    const command *c = q->all.command;
    int chosen[2], status;
    double shift = 5;
    if (q->image != NONE && !lt_model_has_encoder(w->t->model))
        return complain(c, CODE_FAILED, "%s has no encoder, so images have no codes to begin at; "
                                        "try --seed", q->all.run);
    if (refuse_others(w) != CODE_DONE)
        return CODE_USAGE;
    bool is_of_top = q->grid && strcmp(q->grid, "top") == 0;
    if (is_of_top && w->latent < 2)
        return complain(c, CODE_FAILED, "%s has one latent, and --grid takes two", q->all.run);
    if (q->grid && !is_of_top && !strpbrk(q->grid, "0123456789"))
        return complain(c, CODE_USAGE, "--grid: expected I,J or top, found '%s'", q->grid);
    if (q->grid && !is_of_top && !read_numbers(c, "grid", q->grid, 2, 0, w->latent - 1, chosen))
        return CODE_USAGE;
    if (q->grid && !is_of_top && chosen[0] == chosen[1])
        return complain(c, CODE_USAGE, "--grid: expected two that differ, found '%s'", q->grid);
    if (q->shift && !read_shift(c, q->shift, &shift))
        return CODE_USAGE;
    if (q->every > w->latent)
        return complain(c, CODE_USAGE, "--every: %s has %d latents, fewer than %jd", q->all.run, w->latent,
                        (intmax_t)q->every);
    if ((q->every || q->shift) &&
        !figure_fits(c, q->rows, (w->latent + q->every - 1) / q->every + 2))
        return CODE_USAGE;
    status = begin(w);
    if (status == LT_OK && q->grid)
        status = draw_grid(w, is_of_top ? NULL : chosen);
    else if (status == LT_OK)
        status = q->every || q->shift ? draw_shifts(w, shift) : draw_rows(w);
    return status == LT_OK ? CODE_DONE : complain_library(c, status);
}

int traverse(trained *t, traverse_request *q)
{
    walk w = {.q = q, .t = t, .split = LT_TEST, .latent = lt_model_latent(t->model)};
    bool has_encoder = lt_model_has_encoder(t->model);
    if (!q->every && q->shift)
        q->every = w.latent >= 20 ? w.latent / 10 : 1;
    if (!has_encoder && q->all.seed == NONE)
        q->all.seed = 0; /* 0 is far from all that a generator has been trained on */
    q->rows = q->rows ? q->rows : q->every ? 5 : 10;
    w.start = plot_room((size_t)w.latent, sizeof *w.start);
    w.order = plot_room((size_t)w.latent, sizeof *w.order);
    w.weight = plot_room((size_t)w.latent, sizeof *w.weight);
    int status = has_encoder ? figure_find_data(t, &q->all, &w.split) : LT_OK;
    int code = status == LT_OK ? choose_picture(&w) : complain_library(q->all.command, status);
    free(w.start);
    free(w.order);
    free(w.weight);
    return code;
}

static int draw(trained *t, void *request)
{
    traverse_request *q = request;
    int image = NONE, label = 0;
    if (q->image_text && !read_numbers(q->all.command, "image", q->image_text, 1, 0, INT32_MAX, &image))
        return CODE_USAGE;
    if (q->class && lt_model_classes(t->model) > 0 && !read_model_class(&q->all, t, q->class, &label))
        return CODE_USAGE;
    q->image = image;
    q->label = label;
    return traverse(t, q);
}

static int run(const command *c, int argc, const char **argv)
{
    traverse_request q = {.all = {.out = "traverse.png", .split = LT_TEST, .seed = NONE},
                          .image = NONE};
    const flag flags[] = {
        {.name = "rows", .kind = FLAG_COUNT, .value = &q.rows, .operand = "N",
         .help = "latents, a row for each; with --every or --shift images; default: 10, or 5 images",
         .min = 1, .max = 1000, .clashes = "grid"},
        {OPTION_OUTPUT, .kind = FLAG_IMAGES, .value = &q.all.out,
         .note = NOTE_IMAGES "; default: traverse.png"},
        {.name = "grid", .kind = FLAG_TEXT, .value = &q.grid, .operand = "I,J", .clashes = "every shift",
         .help = "7 x 7 images: latent I, from 0, to the right, J upwards; top: the two that say most"},
        {.name = "every", .kind = FLAG_COUNT, .value = &q.every, .operand = "K",
         .help = "move latents 0, K, 2 K, ... by --shift, each alone, in rows of images (or of codes)",
         .min = 1, .max = 65536},
        {.name = "shift", .kind = FLAG_TEXT, .value = &q.shift, .operand = "S",
         .help = "how far; default: 5"},
        {OPTION_IMAGE, .value = &q.image_text, .clashes = "seed",
         .note = "begin at its code; default: at z = 0"},
        {OPTION_CLASS, .value = &q.class, .note = "of all images, where a model has classes; default: 0"},
        {OPTION_SPLIT, .value = &q.all.split, .note = NOTE_TEST},
        {OPTION_SEED, .value = &q.all.seed,
         .note = "begin at a code drawn by it; default: at z = 0, or, without an encoder, seed 0"},
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
        "RUN is a run directory, of which the newest checkpoint is taken, or a checkpoint file. "
        "Each row takes one latent through seven quantiles of N(0, 1), .05, .20, ... .95, and "
        "leaves the others as they are. The first rows are the latents that say most about images "
        "(their KL over 1000 images of the split, as in latent plot activity); of a model without "
        "an encoder those that change the image most.\n",
    .examples = "  latent traverse runs/fashion-mlp-vae\n"
                "  latent traverse runs/fashion-mlp-vae --image 7 --rows 20 -o latents.pdf\n"
                "  latent traverse runs/fashion-mlp-vae --grid 3,11\n"
                "  latent traverse runs/i2dl-mlp-vae --every 10 --shift 5\n",
    .run = run};
