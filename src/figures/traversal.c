/* SPDX-License-Identifier: MIT */
/* What each latent does to an image. */
#include "figures/figure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUANTILES = 7, DIAGNOSED = 1000, CHUNK = 64, DEFAULT_ROWS = 10, DEFAULT_IMAGES = 5, MANY_LATENTS = 20 };

/* The model, where the traversal begins, and the latents in the order of what they do. */
typedef struct traversal {
    lt_model *m;
    lt_dataset *data;
    lt_split split;
    const lt_traversal_options *o;
    lt_figure *f;
    int latent;
    lt_traversal_start from;
    float *start;     /* latent */
    double *center, *width; /* latent: of the codes along each axis; NULL: 0 and 1, as of the prior */
    int *order;       /* latent */
    double *weight;   /* of each latent, by its number */
    char subtitle[256];
} traversal;

/* The quantiles .05, .20, ... .95 of N(0, 1). */
static double quantile(int i) { return lt_normal_quantile(0.05 + 0.15 * i); }

static bool has_encoder(const traversal *t) { return lt_model_can(t->m, LT_CAN_ENCODE); }

static bool has_posterior(const traversal *t) { return lt_model_can(t->m, LT_CAN_POSTERIOR); }

/* Latent k at quantile i. */
static float place_at(const traversal *t, int k, int i)
{
    return (float)(t->center ? t->center[k] + t->width[k] * quantile(i) : quantile(i));
}

/* Codes without a distribution are where those of images are: their mean and deviation. */
static int measure_codes(traversal *t)
{
    lt_codes c = {0};
    LT_TRY(find_split(t->m, t->data, &t->split));
    int status = lt_encode_split(t->m, t->data, t->split,
                                 &(lt_codes_options){.images = DIAGNOSED, .run.threads = t->o->threads}, &c);
    t->center = must_alloc(sizeof *t->center * (size_t)t->latent);
    t->width = must_alloc(sizeof *t->width * (size_t)t->latent);
    for (int k = 0; status == LT_OK && k < t->latent; k++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < c.n; i++)
            sum += (double)c.mean[i * c.latent + k];
        for (int i = 0; i < c.n; i++)
            squares += pow((double)c.mean[i * c.latent + k] - sum / c.n, 2);
        t->center[k] = sum / c.n;
        t->width[k] = sqrt(squares / c.n);
        t->start[k] = (float)t->center[k];
    }
    lt_codes_clear(&c);
    return status;
}

/* ---- Where it begins ---- */

static int begin_at_image(traversal *t, int64_t index)
{
    int32_t at = (int32_t)index;
    float *image = images_alloc(lt_model_image_size(t->m), 1);
    int status = image ? encode_images(t->m, t->data, t->split, &at, 1, t->o->threads, image, t->start) : LT_NO_MEMORY;
    tensor_free(image);
    return status;
}

static int begin_at_seed(traversal *t, uint64_t seed)
{
    return lt_sample_codes(t->m, 1, seed, t->o->threads, t->start);
}

static int begin(traversal *t)
{
    return t->from == LT_START_IMAGE  ? begin_at_image(t, t->o->image)
           : t->from == LT_START_SEED ? begin_at_seed(t, t->o->seed)
                                      : LT_OK;
}

static const char *describe_start(const traversal *t, char words[96])
{
    if (t->from == LT_START_IMAGE)
        snprintf(words, 96, "the code of %s image %jd", lt_split_name(t->split), (intmax_t)t->o->image);
    else if (t->from == LT_START_SEED)
        snprintf(words, 96, "a code drawn from the prior, seed %jd", (intmax_t)t->o->seed);
    else
        strcpy(words, t->center ? "the mean code" : "z = 0");
    return words;
}

/* ---- Which latents ---- */

/* By KL, or by the variance of the posterior mean, as in lt_figure_activity. */
static int weigh_by_activity(traversal *t, bool *is_kl)
{
    lt_diagnosis d = {0};
    LT_TRY(find_split(t->m, t->data, &t->split));
    int n = lt_dataset_describe(t->data)->n[t->split];
    lt_diagnosis_options o = {.images = n < DIAGNOSED ? 0 : DIAGNOSED, .run.threads = t->o->threads};
    int status = lt_diagnose(t->m, t->data, t->split, &o, &d);
    for (int k = 0; status == LT_OK && k < t->latent; k++)
        t->weight[k] = d.has_parts ? d.units[k].kl : d.units[k].mean_variance;
    *is_kl = d.has_parts;
    lt_diagnosis_clear(&d);
    return status;
}

/* Mean over pixels of the variance over the seven images. */
static double mean_variance(const float *images, int64_t size)
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
static void fill_row(const traversal *t, int k, float *z)
{
    for (int i = 0; i < QUANTILES; i++, z += t->latent) {
        memcpy(z, t->start, sizeof *z * (size_t)t->latent);
        z[k] = place_at(t, k, i);
    }
}

/* Without an encoder: by what the images do. */
static int weigh_by_change(traversal *t)
{
    lt_image_size s = lt_model_image_size(t->m);
    int64_t size = image_numbers(s);
    float *z = must_alloc((size_t)CHUNK * QUANTILES * (size_t)t->latent * sizeof *z);
    float *images = images_alloc(s, CHUNK * QUANTILES);
    int status = images ? LT_OK : LT_NO_MEMORY;
    for (int first = 0; first < t->latent && status == LT_OK; first += CHUNK) {
        int n = t->latent - first < CHUNK ? t->latent - first : CHUNK;
        for (int k = 0; k < n; k++)
            fill_row(t, first + k, z + (int64_t)k * QUANTILES * t->latent);
        status = decode_codes(t->m, n * QUANTILES, z, t->o->of_class, t->o->threads, images);
        for (int k = 0; k < n && status == LT_OK; k++)
            t->weight[first + k] = mean_variance(images + (int64_t)k * QUANTILES * size, size);
    }
    free(z);
    tensor_free(images);
    return status;
}

/* The heaviest first; among equals the first. */
static void sort_latents(traversal *t)
{
    for (int k = 0; k < t->latent; k++) {
        int i = k;
        for (; i > 0 && t->weight[k] > t->weight[t->order[i - 1]]; i--)
            t->order[i] = t->order[i - 1];
        t->order[i] = k;
    }
}

/* is_kl: whether weights are KLs, else variances of means (with an encoder). */
static int rank_latents(traversal *t, bool *is_kl)
{
    *is_kl = false;
    LT_TRY(has_posterior(t) ? weigh_by_activity(t, is_kl) : weigh_by_change(t));
    sort_latents(t);
    return LT_OK;
}

/* ---- Three kinds ---- */

static int decode(traversal *t, const float *z)
{
    return figure_decode(t->f, t->m, t->data, z, t->o->of_class, t->o->threads, t->o->title, t->subtitle,
                         sizeof t->subtitle);
}

/* Memory for the codes of all images, freed by the caller. */
static int open_codes(traversal *t, int64_t rows, int64_t columns, float **z)
{
    LT_TRY(figure_check_count(rows, columns));
    LT_TRY(figure_grid_open(t->f, lt_model_image_size(t->m), rows, columns));
    *z = must_alloc((size_t)(rows * columns) * (size_t)t->latent * sizeof **z);
    return LT_OK;
}

static void name_row(traversal *t, int row, int k, bool is_kl)
{
    caption name = latent_caption(k);
    if (!has_posterior(t))
        figure_name_row(t->f, row, "%s", name.text);
    else if (is_kl)
        figure_name_row(t->f, row, "%s, %.2f nats", name.text, t->weight[k]);
    else
        figure_name_row(t->f, row, "%s, variance %.2f", name.text, t->weight[k]);
}

static int draw_rows(traversal *t)
{
    char words[96];
    int rows = t->o->rows ? t->o->rows : DEFAULT_ROWS;
    bool is_kl;
    float *z;
    rows = rows < t->latent ? rows : t->latent;
    LT_TRY(rank_latents(t, &is_kl));
    LT_TRY(open_codes(t, rows, QUANTILES, &z));
    for (int i = 0; i < rows; i++) {
        fill_row(t, t->order[i], z + (int64_t)i * QUANTILES * t->latent);
        name_row(t, i, t->order[i], is_kl);
    }
    for (int i = 0; i < QUANTILES; i++)
        figure_name_column(t->f, i, "%s", number_caption(quantile(i), 2).text);
    if (t->latent == 1)
        add_text(t->subtitle, sizeof t->subtitle, "The latent");
    else
        add_text(t->subtitle, sizeof t->subtitle, "%d of %d latents, those that %s first,", rows, t->latent,
                 has_posterior(t) ? "say most" : "change most");
    add_text(t->subtitle, sizeof t->subtitle, " at the quantiles .05 to .95 of %s",
             t->center ? "a normal with their mean and deviation over images" : "N(0,\u00a01)");
    if (t->latent > 1)
        add_text(t->subtitle, sizeof t->subtitle, "; the others from %s", describe_start(t, words));
    int status = decode(t, z);
    free(z);
    return status;
}

static int check_latents(const traversal *t)
{
    const int *l = t->o->latents;
    if (t->latent < 2)
        return status_fail(LT_VALUE, "%s has one latent, and a grid takes two", lt_recipe_name(lt_model_recipe(t->m)));
    if (l && (l[0] < 0 || l[1] < 0 || l[0] >= t->latent || l[1] >= t->latent || l[0] == l[1]))
        return status_fail(LT_VALUE, "latents: expected two that differ, from 0 to %d, found %d,%d", t->latent - 1,
                           l[0], l[1]);
    return LT_OK;
}

/* Two at once: the first to the right, the second upwards. */
static int draw_grid(traversal *t)
{
    char words[96];
    bool is_kl;
    float *z;
    LT_TRY(check_latents(t));
    if (!t->o->latents)
        LT_TRY(rank_latents(t, &is_kl));
    const int *chosen = t->o->latents ? t->o->latents : t->order;
    LT_TRY(open_codes(t, QUANTILES, QUANTILES, &z));
    t->f->is_seamless = true;
    for (int i = 0; i < QUANTILES; i++) {
        float *row = z + (int64_t)i * QUANTILES * t->latent;
        fill_row(t, chosen[0], row);
        for (int j = 0; j < QUANTILES; j++)
            row[j * t->latent + chosen[1]] = place_at(t, chosen[1], QUANTILES - 1 - i);
        figure_name_row(t->f, i, "%s", number_caption(quantile(QUANTILES - 1 - i), 2).text);
        figure_name_column(t->f, i, "%s", number_caption(quantile(i), 2).text);
    }
    add_text(t->subtitle, sizeof t->subtitle, "%s to the right, %s upwards, the others from %s",
             latent_caption(chosen[0]).text, latent_caption(chosen[1]).text, describe_start(t, words));
    int status = decode(t, z);
    free(z);
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
static void fill_shifts(const traversal *t, int every, int columns, float *z)
{
    for (int j = 0; j < columns; j++)
        memcpy(z + (int64_t)j * t->latent, t->start, sizeof *z * (size_t)t->latent);
    for (int j = 1; j + 1 < columns; j++) {
        int k = (j - 1) * every;
        z[(int64_t)j * t->latent + k] += (float)t->o->shift;
        z[(int64_t)(columns - 1) * t->latent + k] += (float)t->o->shift;
    }
}

/* Rows begin at images from the chosen one on, or at codes of seeds from the given one on. */
static int fill_starts(traversal *t, int every, int columns, float *z)
{
    bool is_of_images = has_encoder(t) && t->from != LT_START_SEED;
    int64_t first = t->from == LT_START_IMAGE ? t->o->image : t->from == LT_START_SEED ? (int64_t)t->o->seed : 0;
    if (is_of_images)
        LT_TRY(find_split(t->m, t->data, &t->split));
    for (int i = 0; i < t->f->info.rows; i++) {
        LT_TRY(is_of_images ? begin_at_image(t, first + i) : begin_at_seed(t, (uint64_t)(first + i)));
        fill_shifts(t, every, columns, z + (int64_t)i * columns * t->latent);
        figure_name_row(t->f, i, "%s %jd", is_of_images ? "image" : "seed", (intmax_t)(first + i));
    }
    return LT_OK;
}

static int draw_shifts(traversal *t)
{
    int every = t->o->every ? t->o->every : t->latent >= MANY_LATENTS ? t->latent / 10 : 1;
    int moved = (t->latent + every - 1) / every, columns = moved + 2;
    float *z;
    if (every < 1 || every > t->latent)
        return status_fail(LT_VALUE, "every: expected 1 to %d, found %d", t->latent, every);
    LT_TRY(open_codes(t, t->o->rows ? t->o->rows : DEFAULT_IMAGES, columns, &z));
    int status = fill_starts(t, every, columns, z);
    figure_name_column(t->f, 0, "as it is");
    for (int j = 1; j <= moved; j++)
        figure_name_column(t->f, j, "%s", latent_caption((j - 1) * every).text);
    figure_name_column(t->f, columns - 1, "all");
    char which[48] = "Each latent";
    if (every > 1)
        snprintf(which, sizeof which, "One latent of %d", every);
    add_text(t->subtitle, sizeof t->subtitle, "%s moved by %s, alone, then all at once", which,
             shift_caption(t->o->shift).text);
    if (status == LT_OK)
        status = decode(t, z);
    free(z);
    return status;
}

/* ---- The figure ---- */

static int check_options(const traversal *t)
{
    LT_TRY(lt_recipe_require(lt_model_recipe(t->m), LT_CAN_DECODE));
    LT_TRY(check_class(t->m, t->o->of_class));
    if (t->from == LT_START_IMAGE)
        LT_TRY(lt_recipe_require(lt_model_recipe(t->m), LT_CAN_ENCODE));
    if (t->from == LT_START_IMAGE && t->o->image > INT32_MAX)
        return status_fail(LT_VALUE, "image: expected an index of the split, found %jd", (intmax_t)t->o->image);
    return LT_OK;
}

static int draw_traversal(traversal *t)
{
    LT_TRY(check_options(t));
    if (t->from == LT_START_IMAGE)
        LT_TRY(find_split(t->m, t->data, &t->split));
    if (!lt_model_can(t->m, LT_CAN_SAMPLE))
        LT_TRY(measure_codes(t));
    LT_TRY(begin(t));
    t->f->zoom = t->o->zoom;
    return t->o->kind == LT_TRAVERSE_GRID     ? draw_grid(t)
           : t->o->kind == LT_TRAVERSE_SHIFTS ? draw_shifts(t)
                                              : draw_rows(t);
}

int lt_figure_traversal(lt_model *m, lt_dataset *data, lt_split split, const lt_traversal_options *options,
                        lt_figure **out)
{
    lt_traversal_options o = OPTIONS(lt_traversal_options, options);
    size_t latent = (size_t)lt_model_latent(m);
    traversal t = {.m = m, .data = data, .split = split, .o = &o, .f = figure_create(LT_FIGURE_GRID),
                   .latent = (int)latent, .from = o.start};
    if (t.from == LT_START_DEFAULT && !has_encoder(&t))
        t.from = LT_START_SEED; /* 0 is far from all that a generator has been trained on */
    t.start = must_alloc(sizeof *t.start * latent);
    t.order = must_alloc(sizeof *t.order * latent);
    t.weight = must_alloc(sizeof *t.weight * latent);
    int status = draw_traversal(&t);
    free(t.start);
    free(t.order);
    free(t.weight);
    free(t.center);
    free(t.width);
    return figure_finish(t.f, status, out);
}
