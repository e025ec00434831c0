/* SPDX-License-Identifier: MIT */
/* Interpolations between images, through codes and through pixels. */
#include "figures/figure.h"
#include "figures/image_queue.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_PAIRS = 3, DEFAULT_STEPS = 11 };

/* The ends of each pair, adjacent. */
typedef struct ways {
    lt_model *m;
    const lt_dataset *data; /* NULL: the ends are sampled codes, without images */
    lt_split split;
    int pairs;
    queued_image *ends;
    float *images, *codes;
    int32_t *labels; /* of each pair: the class for a model with classes */
} ways;

static void clear_ways(ways *w)
{
    free(w->ends);
    free(w->labels);
    tensor_free(w->images);
    tensor_free(w->codes);
}

/* ---- Ends in a data set ---- */

/* Takes the two images in the options. */
static int name_ends(ways *w, const int *chosen)
{
    int all = lt_dataset_describe(w->data)->n[w->split];
    for (int k = 0; k < 2; k++) {
        if (chosen[k] < 0 || chosen[k] >= all)
            return status_fail(LT_VALUE, "images: expected 2 numbers from 0 to %d, found %d,%d", all - 1, chosen[0],
                               chosen[1]);
        w->ends[k] = (queued_image){chosen[k], -1};
        if (lt_dataset_describe(w->data)->has_labels[w->split])
            LT_TRY(lt_dataset_labels(w->data, w->split, &w->ends[k].index, 1, &w->ends[k].label));
    }
    return LT_OK;
}

/* Chooses ends by classes, or pairs of different classes. */
static int choose_ends(ways *w, const lt_interpolation_options *o, image_queue *q)
{
    int from = o->classes ? o->classes[0] : -1, to = o->classes ? o->classes[1] : -1;
    if (o->classes && !q->labels)
        return status_fail(LT_VALUE, "classes: the %s images of %s have no labels", lt_split_name(w->split),
                           lt_dataset_describe(w->data)->name);
    for (int i = 0; i < w->pairs; i++) {
        queued_image *e = &w->ends[2 * i];
        if (!image_queue_take(q, from, NULL, 0, &e[0]) || !image_queue_take(q, to, &e[0], 1, &e[1]))
            return status_fail(LT_VALUE, "the %s split has %d of the %d pairs of images%s", lt_split_name(w->split), i,
                               w->pairs, o->classes ? " of these classes" : q->labels ? " of different classes" : "");
    }
    return LT_OK;
}

static int encode_ends(ways *w, lt_dataset *data, int threads)
{
    int n = 2 * w->pairs;
    int32_t *index = must_alloc(sizeof *index * (size_t)n);
    for (int i = 0; i < n; i++)
        index[i] = w->ends[i].index;
    w->images = images_alloc(lt_model_image_size(w->m), n);
    int status = w->images ? encode_images(w->m, data, w->split, index, n, threads, w->images, w->codes) : LT_NO_MEMORY;
    free(index);
    return status;
}

static int end_at_images(ways *w, lt_dataset *data, const lt_interpolation_options *o)
{
    image_queue q = {.n = 0};
    if (o->of_class)
        return status_fail(LT_VALUE, "of_class: goes with models without an encoder; the ends are images");
    LT_TRY(find_split(w->m, data, &w->split));
    w->data = data;
    int status = o->images ? name_ends(w, o->images) : image_queue_open(data, w->split, o->seed, &q);
    if (status == LT_OK && !o->images)
        status = choose_ends(w, o, &q);
    image_queue_clear(&q);
    return status == LT_OK ? encode_ends(w, data, o->threads) : status;
}

static int end_at_samples(ways *w, const lt_interpolation_options *o)
{
    int classes = lt_model_classes(w->m);
    if (o->images || o->classes)
        return status_fail(LT_VALUE, "%s has no encoder, so it interpolates between sampled codes: %s must be NULL",
                           lt_recipe_name(lt_model_recipe(w->m)), o->images ? "images" : "classes");
    if (o->of_class)
        LT_TRY(check_class(w->m, *o->of_class));
    for (int i = 0; i < w->pairs && classes; i++)
        w->labels[i] = o->of_class ? *o->of_class : i % classes;
    return lt_sample_codes(w->m, 2 * w->pairs, o->seed, o->threads, w->codes);
}

/* ---- The figure ---- */

/* The rows of a pair. */
enum { STRAIGHT, ROUND, PIXELS, KINDS };

/* Decodes the codes of both interpolations of each pair into rows. */
static int draw_codes(const ways *w, int threads, lt_figure *f)
{
    int latent = lt_model_latent(w->m), columns = f->info.columns, status = LT_OK;
    float *z = must_alloc(2 * sizeof *z * (size_t)columns * (size_t)latent);
    for (int i = 0; i < w->pairs && status == LT_OK; i++) {
        const float *a = w->codes + 2 * (int64_t)i * latent, *b = a + latent;
        for (int j = 0; j < 2 * columns; j++)
            lt_interpolate(latent, a, b, (double)(j % columns) / (columns - 1), j >= columns, z + (int64_t)j * latent);
        status = decode_codes(w->m, 2 * columns, z, w->labels[i], threads, figure_image(f, i * KINDS, 0));
    }
    free(z);
    return status;
}

/* Interpolates pixels from image to image; without an encoder, between the decoded ends. */
static void draw_pixels(const ways *w, lt_figure *f)
{
    int64_t size = image_numbers(f->size);
    int columns = f->info.columns;
    for (int i = 0; i < w->pairs; i++)
        for (int j = 0; j < columns; j++) {
            const float *a = figure_image(f, i * KINDS + STRAIGHT, 0),
                        *b = figure_image(f, i * KINDS + STRAIGHT, columns - 1);
            if (w->images) {
                a = w->images + 2 * i * size;
                b = a + size;
            }
            lt_interpolate((int)size, a, b, (double)j / (columns - 1), false,
                           figure_image(f, i * KINDS + PIXELS, j));
        }
}

/* "12 (sneaker) → 34 (bag)"; labels may be unknown. */
static void describe_way(const ways *w, const queued_image *e, char *words, size_t size)
{
    char of[2][96] = {"", ""};
    for (int k = 0; k < 2 && e[k].label >= 0; k++)
        snprintf(of[k], sizeof of[k], " (%s)", class_caption(w->m, w->data, (int)e[k].label).text);
    snprintf(words, size, "%d%s → %d%s", (int)e[0].index, of[0], (int)e[1].index, of[1]);
}

/* Lists as many pairs as fit. */
static void list_ways(const ways *w, char *subtitle, int size)
{
    int used = snprintf(subtitle, (size_t)size, "Between %s images: ", lt_split_name(w->split));
    for (int i = 0; i < w->pairs && used < size; i++) {
        char one[256];
        describe_way(w, &w->ends[2 * i], one, sizeof one);
        bool fits = used + (int)strlen(one) + 8 < size;
        used += snprintf(subtitle + used, (size_t)(size - used), "%s%s", i ? ", " : "", fits ? one : "…");
        if (!fits)
            break;
    }
}

static void write_names(const ways *w, const lt_interpolation_options *o, lt_figure *f)
{
    static const char *const names[] = {"codes, straight", "codes, spherical", "pixels"};
    static const char *const short_names[] = {"straight", "spherical", "pixels"};
    char subtitle[256];
    bool has_classes = lt_model_classes(w->m) > 0;
    for (int j = 0; j < f->info.columns; j++)
        figure_name_column(f, j, "%g", round(100.0 * j / (f->info.columns - 1)) / 100);
    for (int i = 0; i < f->info.rows; i++)
        if (has_classes)
            figure_name_row(f, i, "%s, %s", class_caption(w->m, w->data, (int)w->labels[i / KINDS]).text,
                            short_names[i % KINDS]);
        else
            figure_name_row(f, i, "%s", names[i % KINDS]);
    if (w->images)
        list_ways(w, subtitle, sizeof subtitle);
    else
        snprintf(subtitle, sizeof subtitle, "Between codes drawn from the prior, seed %jd", (intmax_t)o->seed);
    figure_set_titles(f, w->m, o->title, subtitle);
}

static int draw_ways(lt_figure *f, ways *w, lt_dataset *data, const lt_interpolation_options *o)
{
    int steps = o->steps ? o->steps : DEFAULT_STEPS;
    if (w->pairs < 1 || steps < 2)
        return status_fail(LT_VALUE, "pairs: expected at least 1, found %d; steps: expected at least 2, found %d",
                           w->pairs, steps);
    LT_TRY(lt_recipe_require(lt_model_recipe(w->m), LT_CAN_INTERPOLATE));
    LT_TRY(figure_check_count((int64_t)KINDS * w->pairs, steps));
    LT_TRY(figure_grid_open(f, lt_model_image_size(w->m), (int64_t)KINDS * w->pairs, steps));
    w->ends = must_alloc(2 * sizeof *w->ends * (size_t)w->pairs);
    w->labels = must_alloc(sizeof *w->labels * (size_t)w->pairs);
    size_t numbers = 2 * (size_t)w->pairs * (size_t)lt_model_latent(w->m);
    w->codes = tensor_alloc(sizeof *w->codes * numbers, "codes of a figure");
    if (!w->codes)
        return LT_NO_MEMORY;
    LT_TRY(lt_model_can(w->m, LT_CAN_ENCODE) ? end_at_images(w, data, o) : end_at_samples(w, o));
    f->group = KINDS;
    f->zoom = o->zoom;
    if (!w->data)
        w->data = data; /* for class names */
    write_names(w, o, f);
    LT_TRY(draw_codes(w, o->threads, f));
    draw_pixels(w, f);
    return LT_OK;
}

int lt_figure_interpolation(lt_model *m, lt_dataset *data, lt_split split, const lt_interpolation_options *options,
                            lt_figure **out)
{
    lt_interpolation_options o = OPTIONS(lt_interpolation_options, options);
    ways w = {.m = m, .split = split, .pairs = o.images ? 1 : o.pairs ? o.pairs : DEFAULT_PAIRS};
    lt_figure *f = figure_create(LT_FIGURE_GRID);
    int status = draw_ways(f, &w, data, &o);
    clear_ways(&w);
    return figure_finish(f, status, out);
}
