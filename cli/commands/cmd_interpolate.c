/* SPDX-License-Identifier: MIT */
/* latent interpolate: the way from one image to another, through codes and through pixels. */
#include "class_names.h"
#include "figure_command.h"
#include "image_pile.h"
#include "shared_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct interpolate_request {
    figure_request all;
    int64_t pairs, steps;
    const char *images, *classes;
} interpolate_request;

/* Both ends of each pair, one after the other. */
typedef struct ways {
    int pairs;
    piled_image *ends; /* of models without an encoder there are none, nor images */
    float *images, *codes;
    int32_t *labels; /* of each pair: the class asked of a model that has classes */
} ways;

static void clear_ways(ways *w)
{
    free(w->ends);
    free(w->images);
    free(w->codes);
    free(w->labels);
}

/* ---- Ends in a data set ---- */

/* Both images of --image. Gives the exit code. */
static int name_ends(const trained *t, const interpolate_request *q, lt_split split,
                     const int chosen[2], piled_image ends[2])
{
    int status = LT_OK;
    for (int k = 0; k < 2 && status == LT_OK; k++) {
        ends[k] = (piled_image){chosen[k], -1};
        if (lt_dataset_describe(t->data)->has_labels[split])
            status = lt_dataset_labels(t->data, split, &ends[k].index, 1, &ends[k].label);
    }
    return status == LT_OK ? CODE_DONE : complain_library(q->all.command, status);
}

/* By images, by classes, or pairs of different classes. Gives the exit code. */
static int choose_ends(const trained *t, const interpolate_request *q, lt_split split, ways *w,
                       image_pile *p)
{
    int chosen[2] = {-1, -1};
    const command *c = q->all.command;
    if (q->images && !read_numbers(c, "image", q->images, 2, 0, p->n - 1, chosen))
        return CODE_USAGE;
    if (q->images)
        return name_ends(t, q, split, chosen, w->ends);
    if (q->classes && !p->labels)
        return complain(c, CODE_FAILED, "--class: the %s images of %s have no labels",
                        lt_split_name(split), lt_dataset_describe(t->data)->name);
    if (q->classes && !read_data_classes(&q->all, t, q->classes, 2, 2, chosen))
        return CODE_USAGE;
    for (int i = 0; i < w->pairs; i++) {
        piled_image *e = &w->ends[2 * i];
        if (!image_pile_take(p, chosen[0], NULL, 0, &e[0]) ||
            !image_pile_take(p, chosen[1], &e[0], 1, &e[1]))
            return complain(c, CODE_FAILED, "the %s split has %d of the %d pairs of images%s",
                            lt_split_name(split), i, w->pairs,
                            q->classes  ? " of these classes"
                            : p->labels ? " of different classes"
                                        : "");
    }
    return CODE_DONE;
}

static int encode_ends(const trained *t, const interpolate_request *q, lt_split split, ways *w)
{
    int n = 2 * w->pairs;
    int32_t *index = plot_room((size_t)n, sizeof *index);
    for (int i = 0; i < n; i++)
        index[i] = w->ends[i].index;
    w->images = image_room(t->model, n);
    int status = encode_images(t, split, index, n, q->all.threads, w->images, w->codes);
    free(index);
    return status;
}

/* ---- The picture ---- */

/* The rows of a pair. */
enum { STRAIGHT, ROUND, PIXELS, KINDS };

/* Codes of both ways of each pair, decoded into rows. */
static int draw_codes(const trained *t, const interpolate_request *q, const ways *w, figure *f)
{
    int latent = lt_model_latent(t->model), status = LT_OK;
    float *z = plot_room(2 * (size_t)f->columns * (size_t)latent, sizeof *z);
    for (int i = 0; i < w->pairs && status == LT_OK; i++) {
        const float *a = w->codes + 2 * (int64_t)i * latent, *b = a + latent;
        for (int j = 0; j < 2 * f->columns; j++)
            lt_interpolate(latent, a, b, (double)(j % f->columns) / (f->columns - 1),
                           j >= f->columns, z + (int64_t)j * latent);
        status = decode_codes(t, 2 * f->columns, z, w->labels[i], q->all.threads,
                              figure_place(f, i * KINDS, 0));
    }
    free(z);
    return status;
}

/* From image to image; without an encoder from what is made of one code to that of the other. */
static void draw_pixels(const ways *w, figure *f)
{
    for (int i = 0; i < w->pairs; i++)
        for (int j = 0; j < f->columns; j++) {
            const float *a = figure_place(f, i * KINDS + STRAIGHT, 0),
                        *b = figure_place(f, i * KINDS + STRAIGHT, f->columns - 1);
            if (w->images) {
                a = w->images + 2 * i * f->size;
                b = a + f->size;
            }
            lt_interpolate((int)f->size, a, b, (double)j / (f->columns - 1), false,
                           figure_place(f, i * KINDS + PIXELS, j));
        }
}

/* "12 (sneaker) → 34 (bag)"; labels may be unknown. Freed by the caller. */
static char *way_words(const trained *t, const piled_image *e)
{
    caption room[2];
    char words[256], of[2][96] = {"", ""};
    for (int k = 0; k < 2 && e[k].label >= 0; k++)
        snprintf(of[k], sizeof of[k], " (%s)", class_words(t, (int)e[k].label, &room[k]));
    snprintf(words, sizeof words, "%d%s → %d%s", (int)e[0].index, of[0], (int)e[1].index, of[1]);
    char *copy = plot_room(strlen(words) + 1, 1);
    strcpy(copy, words);
    return copy;
}

/* As many ways as there is room for. */
static void list_ways(const trained *t, const ways *w, lt_split split, figure *f)
{
    int used = snprintf(f->subtitle, sizeof f->subtitle, "Between %s images: ",
                        lt_split_name(split)), room = (int)sizeof f->subtitle;
    for (int i = 0; i < w->pairs && used < room; i++) {
        char *one = way_words(t, &w->ends[2 * i]);
        bool fits = used + (int)strlen(one) + 8 < room;
        used += snprintf(f->subtitle + used, (size_t)(room - used), "%s%s", i ? ", " : "",
                         fits ? one : "…");
        free(one);
        if (!fits)
            break;
    }
}

static void write_names(const trained *t, const interpolate_request *q, const ways *w,
                        lt_split split, figure *f)
{
    static const char *const names[] = {"codes, straight", "codes, spherical", "pixels"};
    static const char *const short_names[] = {"straight", "spherical", "pixels"};
    caption room;
    bool has_classes = lt_model_classes(t->model) > 0;
    for (int j = 0; j < f->columns; j++)
        figure_name_column(f, j, "%g", round(100.0 * j / (f->columns - 1)) / 100);
    for (int i = 0; i < f->rows; i++)
        if (has_classes)
            figure_name_row(f, i, "%s, %s", class_words(t, (int)w->labels[i / KINDS], &room),
                            short_names[i % KINDS]);
        else
            figure_name_row(f, i, "%s", names[i % KINDS]);
    if (w->images)
        list_ways(t, w, split, f);
    else
        snprintf(f->subtitle, sizeof f->subtitle, "Between codes drawn from the prior, seed %jd",
                 (intmax_t)q->all.seed);
}

static int draw(const trained *t, const interpolate_request *q, const ways *w, lt_split split)
{
    figure f;
    figure_open(&f, t->model, KINDS * w->pairs, (int)q->steps);
    f.group = KINDS;
    write_names(t, q, w, split, &f);
    int status = draw_codes(t, q, w, &f);
    draw_pixels(w, &f);
    if (status == LT_OK)
        status = figure_write(&f, &q->all);
    figure_close(&f);
    return status;
}

/* ---- Both kinds of models; exit codes ---- */

static int between_images(trained *t, const interpolate_request *q, ways *w)
{
    const command *c = q->all.command;
    lt_split split = LT_TEST;
    image_pile p = {0};
    int status = figure_find_data(t, &q->all, &split);
    if (status == LT_OK)
        status = image_pile_open(t, split, (uint64_t)q->all.seed, &p);
    int code = status == LT_OK ? choose_ends(t, q, split, w, &p) : complain_library(c, status);
    image_pile_close(&p);
    if (code != CODE_DONE)
        return code;
    status = encode_ends(t, q, split, w);
    if (status == LT_OK)
        status = draw(t, q, w, split);
    return status == LT_OK ? CODE_DONE : complain_library(c, status);
}

static int between_draws(trained *t, const interpolate_request *q, ways *w)
{
    const command *c = q->all.command;
    int classes = lt_model_classes(t->model), label = -1;
    if (q->images || (q->classes && classes == 0))
        return complain(c, CODE_FAILED, "%s has no encoder, so its ways go between random codes%s",
                        q->all.run, q->images ? ": no --image" : ", and no classes");
    if (figure_refuse_images(t, &q->all) != CODE_DONE)
        return CODE_USAGE;
    if (q->classes && !read_model_class(&q->all, t, q->classes, &label))
        return CODE_USAGE;
    for (int i = 0; i < w->pairs && classes; i++)
        w->labels[i] = label >= 0 ? label : i % classes;
    int status = lt_sample_codes(t->model, 2 * w->pairs, (uint64_t)q->all.seed,
                                 (int)q->all.threads, w->codes);
    if (status == LT_OK)
        status = draw(t, q, w, LT_TEST);
    return status == LT_OK ? CODE_DONE : complain_library(c, status);
}

static int interpolate(trained *t, void *request)
{
    const interpolate_request *q = request;
    bool has_encoder = lt_model_has_encoder(t->model);
    if (!figure_fits(q->all.command, KINDS * q->pairs, q->steps))
        return CODE_USAGE;
    ways w = {.pairs = q->images ? 1 : (int)q->pairs};
    w.ends = plot_room(2 * (size_t)w.pairs, sizeof *w.ends);
    w.labels = plot_room((size_t)w.pairs, sizeof *w.labels);
    w.codes = plot_room(2 * (size_t)w.pairs * (size_t)lt_model_latent(t->model),
                        sizeof *w.codes);
    int code = has_encoder ? between_images(t, q, &w) : between_draws(t, q, &w);
    clear_ways(&w);
    return code;
}

static int run(const command *c, int argc, const char **argv)
{
    interpolate_request q = {.all = {.out = "interpolate.png", .split = LT_TEST}, .pairs = 3,
                             .steps = 11};
    const flag flags[] = {
        {.name = "pairs", .kind = FLAG_COUNT, .value = &q.pairs, .operand = "N",
         .help = "pairs of images; default: 3", .min = 1, .max = 1000, .clashes = "image"},
        {OPTION_OUTPUT, .kind = FLAG_IMAGES, .value = &q.all.out,
         .note = NOTE_IMAGES "; default: interpolate.png"},
        {OPTION_COLUMNS, .value = &q.steps, .min = 2, .max = 1000, .note = "with both ends; default: 11"},
        {OPTION_IMAGE, .value = &q.images, .clashes = "class seed",
         .note = "I,J: from one to the other; default: pairs of different classes"},
        {OPTION_CLASS, .value = &q.classes,
         .note = "A,B: from images of class A to those of B; default: of two that differ. Of a model "
                 "that has classes and no encoder: one, that of all images"},
        {OPTION_SPLIT, .value = &q.all.split, .note = NOTE_TEST},
        {OPTION_SEED, .value = &q.all.seed, .note = "default: 0"},
        {OPTION_DATA, .value = &q.all.data},
        {OPTION_TITLE, .value = &q.all.title, .is_of_whole = true, .note = NOTE_TITLE},
        {OPTION_ZOOM, .value = &q.all.zoom, .is_of_picture = true, .note = NOTE_ZOOM},
        {OPTION_THREADS, .value = &q.all.threads},
        {0}};
    return figure_run(c, flags, argc, argv, interpolate, &q);
}

const command cmd_interpolate = {
    .name = "interpolate", .summary = "show the way between images, by codes and by pixels",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a run directory, of which the newest checkpoint is taken, or a checkpoint file. "
        "Pairs of images are encoded, and three rows show the way from one to the other: E[x|z] "
        "on the straight line between their codes, on the great circle (which keeps the length "
        "that draws from the prior have), and the straight line between their pixels. Models "
        "without an encoder: between codes drawn from the prior, and the images made of them.\n",
    .examples = "  latent interpolate runs/fashion-mlp-vae\n"
                "  latent interpolate runs/fashion-mlp-vae --class dress,bag -o ways.svg\n"
                "  latent interpolate runs/fashion-wgan --pairs 4 --seed 3\n",
    .run = run};
