/* SPDX-License-Identifier: MIT */
/* How `latent eval` and `latent score` report the quality of samples. */
#include "quality_report.h"


#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DIGITS = 12 }; /* of a digest in tables; JSON has all */

/* ---- The scores of one model ---- */

/* "12.34" or "0.0123 +- 0.0012"; 19 columns. */
static void print_number(lt_estimate e, int digits)
{
    char error[LT_ERROR_TEXT];
    if (!isfinite(e.value)) {
        printf(" %9s %-9s", "-", "");
        return;
    }
    printf(" %9.*f %-9s", digits, lt_shown_number(e.value, digits), lt_shown_error(e.se, digits, error));
}

static void print_row(const char *name, lt_estimate samples, lt_estimate floor, int digits,
                      const char *meaning)
{
    printf("  %-16s", name);
    print_number(samples, digits);
    print_number(floor, digits);
    printf(" %s\n", meaning);
}

static lt_estimate alone(double value) { return (lt_estimate){value, (double)NAN}; }

static void print_scores(const lt_quality *q)
{
    const lt_sample_scores *s = &q->samples, *f = &q->floor;
    char meaning[64];
    printf("  %-16s %-19s %s\n", "", "  samples", "  train images, the floor");
    print_row("FID", alone(s->fid), alone(f->fid), 3, "0 is best");
    print_row("KID", s->kid, f->kid, 4, "0 is best");
    print_row("precision", s->precision, f->precision, 3, "samples like held-out images");
    print_row("recall", s->recall, f->recall, 3, "held-out images like samples");
    print_row("density", s->density, f->density, 3, "1: as dense");
    print_row("coverage", s->coverage, f->coverage, 3, "held-out images covered");
    if (!q->is_rotation) {
        snprintf(meaning, sizeof meaning, "1 to %d", q->classes);
        print_row("inception score", s->inception, f->inception, 2, meaning);
    }
}

static void print_paragraph(const char *text)
{
    putchar('\n');
    print_wrapped(stdout, 0, text);
}

/* Prints the digest and the classifier. */
static void print_digest(const char *data, const lt_quality *q)
{
    char text[640], right[96] = "";
    if (isfinite(q->accuracy))
        snprintf(right, sizeof right, ", accuracy %.1f %% on held-out images", 100 * q->accuracy);
    snprintf(text, sizeof text,
             "Digest %.*s: compare only with scores of this digest. 64 features (%.*s) of a "
             "classifier of %d %s that latent trained on %lld images of %s%s.%s",
             DIGITS, q->digest, DIGITS, q->features_digest, q->classes,
             q->is_rotation ? "rotations" : "classes", (long long)q->train, data, right,
             q->is_drawn ? " The data are bits, so bits were sampled from the means of the samples." : "");
    print_paragraph(text);
}

/* Warns if coverage and recall are less than half of those of train images. */
static void judge_coverage(const lt_quality *q)
{
    const lt_sample_scores *s = &q->samples, *f = &q->floor;
    if (s->coverage.value < 0.5 * f->coverage.value && s->recall.value < 0.5 * f->recall.value)
        print_paragraph("Samples cover few held-out images: modes are missing, or generated badly.");
}

void quality_print(const char *data, lt_split split, const lt_quality *q)
{
    char copies[LT_QUALITY_TEXT], limits[LT_QUALITY_TEXT];
    printf("%lld samples against %lld %s images of %s; +- standard error\n\n",
           (long long)q->images, (long long)q->held_out, lt_split_name(split), data);
    print_scores(q);
    print_digest(data, q);
    lt_quality_limits_text(q, limits);
    if (limits[0])
        print_paragraph(limits);
    judge_coverage(q);
    lt_quality_memorization_text(q, copies);
    print_paragraph(copies);
}

/* ---- Several models ---- */

enum { SCORES = 9, SCORE_TEXT = 40 };

typedef char score_cells[SCORES][SCORE_TEXT];

static void put_cell(char *cell, lt_estimate e, int digits)
{
    char error[LT_ERROR_TEXT];
    if (!isfinite(e.value))
        snprintf(cell, SCORE_TEXT, "-");
    else
        snprintf(cell, SCORE_TEXT, "%.*f%s%s", digits, lt_shown_number(e.value, digits),
                 isfinite(e.se) ? " " : "", lt_shown_error(e.se, digits, error));
}

/* Fills in the cells after the name of a run. */
static void put_cells(score_cells cells, const lt_sample_scores *s, const char *copies)
{
    put_cell(cells[1], alone(s->fid), 3);
    put_cell(cells[2], s->kid, 4);
    put_cell(cells[3], alone(s->precision.value), 3);
    put_cell(cells[4], alone(s->recall.value), 3);
    put_cell(cells[5], alone(s->density.value), 3);
    put_cell(cells[6], alone(s->coverage.value), 3);
    put_cell(cells[7], alone(s->inception.value), 3);
    snprintf(cells[8], SCORE_TEXT, "%s", copies);
}

/* Prints a row of heads, a row per run, and the floor. */
static void print_runs(int n, const char *const *runs, const lt_quality *q)
{
    static const char *const heads[SCORES] = {"", "FID", "KID", "precision", "recall", "density",
                                              "coverage", "inception", "memorization"};
    score_cells *rows = plot_room((size_t)n + 1, sizeof *rows);
    const char **cells = plot_room(((size_t)n + 2) * SCORES, sizeof *cells);
    memcpy(cells, heads, sizeof heads);
    for (int i = 0; i <= n; i++) {
        const lt_sample_scores *s = i < n ? &q[i].samples : &q[0].floor;
        put_cells(rows[i], s, i < n ? lt_memorization_name(q[i].memorization.verdict) : "-");
        cells[(i + 1) * SCORES] = i < n ? runs[i] : "train images, the floor";
        for (int k = 1; k < SCORES; k++)
            cells[(i + 1) * SCORES + k] = rows[i][k];
    }
    print_cells(cells, n + 2, SCORES, NULL);
    free(cells);
    free(rows);
}

void quality_print_runs(const char *data, lt_split split, int n, const char *const *runs,
                        const lt_quality *q)
{
    char limits[LT_QUALITY_TEXT];
    printf("%lld samples against %lld %s images of %s\n\n", (long long)q->images,
           (long long)q->held_out, lt_split_name(split), data);
    print_runs(n, runs, q);
    print_digest(data, q);
    lt_quality_limits_text(q, limits);
    if (limits[0])
        print_paragraph(limits);
}

/* ---- Figure of neighbors ---- */

int quality_pair_samples(const lt_quality *q)
{
    int n = 1;
    for (int i = 0; i < q->n_pairs; i++)
        n = q->pairs[i].sample >= n ? q->pairs[i].sample + 1 : n;
    return n;
}

/* Gathers the samples of pairs, followed by their train images. */
static int fill_pairs(const lt_dataset *d, const lt_quality *q, const float *samples,
                      size_t pixels, float *images)
{
    for (int i = 0; i < q->n_pairs; i++) {
        const lt_pair *p = &q->pairs[i];
        float *below = images + (size_t)(q->n_pairs + i) * pixels;
        memcpy(images + (size_t)i * pixels, samples + (size_t)p->sample * pixels,
               sizeof *images * pixels);
        LT_TRY(lt_dataset_gather(d, p->split, &(int32_t){p->image}, 1, 0, 1, below));
    }
    return LT_OK;
}

int quality_write_pairs(const char *path, const lt_dataset *d, const lt_quality *q,
                        const float *samples)
{
    const lt_dataset_info *s = lt_dataset_describe(d);
    size_t pixels = (size_t)(s->h * s->w * s->c);
    float *images = calloc(2 * (size_t)q->n_pairs * pixels + 1, sizeof *images);
    if (!images)
        return LT_NO_MEMORY;
    lt_grid grid = {.images = images, .n = 2 * q->n_pairs, .h = s->h, .w = s->w, .c = s->c,
                    .layout = {.columns = q->n_pairs, .gap = 1, .background = {255, 255, 255}}};
    int status = fill_pairs(d, q, samples, pixels, images);
    if (status == LT_OK)
        status = is_images_alone(path)
                     ? write_images(path, (lt_image_size){s->h, s->w, s->c}, images, grid.n, 0)
                     : lt_grid_write(path, &grid);
    free(images);
    return status;
}

void quality_ask(quality_files *f, lt_quality_options *o)
{
    if (f->features || f->samples)
        o->arrays = &f->arrays;
    o->with_images = f->samples != NULL;
}

int quality_write_files(const quality_files *f)
{
    const lt_quality_arrays *a = &f->arrays;
    if (f->features) {
        LT_TRY(lt_quality_arrays_write(a, f->features));
        say("%s: %d features of %d samples, %d held-out and %d train images", f->features, a->width,
            a->samples, a->held_out, a->train);
    }
    if (f->samples) {
        LT_TRY(lt_npy_write(f->samples, a->images, 4,
                            (const int64_t[]){a->samples, a->h, a->w, a->c}));
        say("%s: %d samples of %d x %d x %d", f->samples, a->samples, a->h, a->w, a->c);
    }
    return LT_OK;
}
