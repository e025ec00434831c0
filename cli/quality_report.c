/* SPDX-License-Identifier: MIT */
/* How `latent eval` and `latent score` report the quality of samples. */
#include "quality_report.h"


#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DIGITS = 12 }; /* of a digest, to be read; JSON has all */

/* ---- JSON ---- */

static json_t *scores_json(const lt_sample_scores *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "fid", json_number(s->fid), "kid",
                     json_estimate(s->kid), "precision", json_estimate(s->precision), "recall",
                     json_estimate(s->recall), "density", json_estimate(s->density), "coverage",
                     json_estimate(s->coverage), "inception", json_estimate(s->inception));
}

static const char *verdict_name(lt_memorization_verdict v)
{
    static const char *const names[] = {
        [LT_MEMORIZATION_UNKNOWN] = "untold", [LT_MEMORIZATION_NONE] = "none", [LT_MEMORIZATION_FOUND] = "found"};
    return names[v];
}

static json_t *memorization_json(const lt_memorization *c)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "verdict",
                     verdict_name(c->verdict), "samples", (json_int_t)c->samples, "held_out",
                     (json_int_t)c->held_out, "train", (json_int_t)c->train, "closeness",
                     json_number(c->closeness), "close", (json_int_t)c->close, "held_out_close",
                     (json_int_t)c->held_out_close, "share", json_estimate(c->share), "held_out_share",
                     json_estimate(c->held_out_share), "p", json_number(c->p), "least",
                     json_number(c->least), "neighbor_test", json_estimate(c->neighbor_test));
}

static json_t *pairs_json(const lt_quality *q)
{
    json_t *all = json_array();
    for (int i = 0; i < q->n_pairs; i++) {
        const lt_pair *p = &q->pairs[i];
        json_array_append_new(
            all, json_pack("{s:i, s:s, s:i, s:o, s:o, s:o, s:o}", "sample", p->sample, "split",
                           lt_split_name(p->split), "image", p->image, "distance",
                           json_number(p->distance), "pixels", json_number(p->pixels), "detail",
                           json_number(p->detail), "features", json_number(p->features)));
    }
    return all;
}

json_t *quality_json(const lt_quality *q)
{
    json_t *classifier = json_pack("{s:s, s:s, s:i, s:o, s:o, s:I}", "digest",
                                   q->features_digest,
                                   "task", q->is_rotation ? "rotations" : "labels", "classes",
                                   q->classes, "accuracy", json_number(q->accuracy), "guess",
                                   json_number(q->guess), "images",
                                   (json_int_t)q->train);
    return json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "digest",
                     q->digest, "images", (json_int_t)q->images, "held_out", (json_int_t)q->held_out,
                     "floor_images", (json_int_t)q->floor_images, "held_out_digest", q->held_out_digest,
                     "pixels", q->is_drawn ? "drawn" : "means", "classifier", classifier,
                     "scores", scores_json(&q->samples), "floor", scores_json(&q->floor),
                     "memorization", memorization_json(&q->memorization), "nearest", pairs_json(q));
}

/* ---- The scores of one model ---- */

/* "12.34" or "0.0123 +- 0.0012"; 19 columns. */
static void print_number(lt_estimate e, int digits)
{
    char error[ERROR_TEXT];
    if (!isfinite(e.value)) {
        printf(" %9s %-9s", "-", "");
        return;
    }
    printf(" %9.*f %-9s", digits, shown_number(e.value, digits), error_text(e.se, digits, error));
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
    print_row("coverage", s->coverage, f->coverage, 3, "held-out images met");
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

/* What was measured with. */
static void print_digest(const char *data, const lt_quality *q)
{
    char text[640], right[96] = "";
    if (isfinite(q->accuracy))
        snprintf(right, sizeof right, ", right for %.1f %% of the held-out ones", 100 * q->accuracy);
    snprintf(text, sizeof text,
             "Digest %.*s: compare with scores of this digest alone. 64 features (%.*s) of a "
             "classifier of %d %s that latent trained on %lld images of %s%s.%s",
             DIGITS, q->digest, DIGITS, q->features_digest, q->classes,
             q->is_rotation ? "rotations" : "classes", (long long)q->train, data, right,
             q->is_drawn ? " The data are bits, so bits were drawn from the samples' means." : "");
    print_paragraph(text);
}

/* "1.2 %"; two digits of what is small. */
static const char *percent(char text[16], double share)
{
    snprintf(text, 16, "%.*f %%", share < 0.0095 ? 2 : share < 0.0995 ? 1 : 0, 100 * share);
    return text;
}

static const char *number_text(char text[32], int64_t n)
{
    snprintf(text, 32, n >= 10000 ? "%lld,%03lld" : "%lld", (long long)(n >= 10000 ? n / 1000 : n),
             (long long)(n % 1000));
    return text;
}

void quality_copies_text(const lt_quality *q, char text[QUALITY_TEXT])
{
    const lt_memorization *c = &q->memorization;
    char share[16], held_out[16], least[16], train[32];
    int at = snprintf(text, QUALITY_TEXT,
                      "%s: %lld of %lld samples (%s) are nearer to one of %s train images than %.1f "
                      "times the distance of the next ones, in pixels and in detail, and agree in "
                      "features; of held-out images %lld of %lld (%s). p = %.2g.",
                      c->verdict == LT_MEMORIZATION_FOUND  ? "Samples are copies of train images"
                      : c->verdict == LT_MEMORIZATION_NONE ? "No copies of train images were found"
                                                     : "Whether samples are copies cannot be told",
                      (long long)c->close, (long long)c->samples, percent(share, c->share.value),
                      number_text(train, c->train), c->closeness, (long long)c->held_out_close,
                      (long long)c->held_out, percent(held_out, c->held_out_share.value), c->p);
    if (c->verdict == LT_MEMORIZATION_NONE)
        snprintf(text + at, (size_t)(QUALITY_TEXT - at),
                 " A share of %s or more would have been found.", percent(least, c->least));
    else if (c->verdict == LT_MEMORIZATION_UNKNOWN)
        snprintf(text + at, (size_t)(QUALITY_TEXT - at), " %s.",
                 isnan(c->least) ? "There are too few images: not even copies alone would be found"
                                 : "Images are too much alike, or too small");
    else
        snprintf(text + at, (size_t)(QUALITY_TEXT - at), " Look at them: --pairs FILE.png.");
}

/* The scores that so few images cannot tell, with what they need. */
static void list_refused(const lt_quality *q, char *text, size_t size)
{
    static const char *const names[][2] = {
        {"fid", "FID"},         {"kid", "KID"},           {"precision", "precision"},
        {"recall", "recall"},   {"density", "density"},   {"coverage", "coverage"},
        {"inception", "inception score"}};
    int64_t least = q->images < q->held_out ? q->images : q->held_out;
    size_t at = 0;
    text[0] = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (least < lt_quality_min_images(names[i][0]) && !(i == 6 && q->is_rotation) && at < size)
            at += (size_t)snprintf(text + at, size - at, "%s%s (%d)", at > 0 ? ", " : "",
                                   names[i][1], lt_quality_min_images(names[i][0]));
}

void quality_limits_text(const lt_quality *q, char text[QUALITY_TEXT])
{
    char refused[256];
    int at = 0;
    text[0] = 0;
    list_refused(q, refused, sizeof refused);
    if (refused[0])
        at += snprintf(text + at, QUALITY_TEXT,
                       "%lld samples and %lld held-out images are too few for the scores that are not "
                       "shown; in parentheses how many of both they need: %s.", (long long)q->images,
                       (long long)q->held_out, refused);
    if (q->is_alike)
        at += snprintf(text + at, (size_t)(QUALITY_TEXT - at),
                       "%sMost held-out images have five others equal to them in features, so precision, "
                       "recall, density and coverage cannot be told.", at ? " " : "");
    if (q->is_by_outliers && isfinite(q->samples.precision.value))
        at += snprintf(text + at, (size_t)(QUALITY_TEXT - at),
                       "%sPrecision rests on few held-out images: those far from all others reach far, "
                       "and noise as well. Density is the better guide here.", at ? " " : "");
    if (q->is_guessing)
        snprintf(text + at, (size_t)(QUALITY_TEXT - at),
                 "%sThe classifier has not learned its classes: it is right for %.1f %% of the held "
                 "images, always naming the most frequent one for %.1f %%. Its features say "
                 "little: do not rely on these scores.", at ? " " : "", 100 * q->accuracy,
                 100 * q->guess);
}

/* Less than half of what is reached by train images. */
static void judge_coverage(const lt_quality *q)
{
    const lt_sample_scores *s = &q->samples, *f = &q->floor;
    if (s->coverage.value < 0.5 * f->coverage.value && s->recall.value < 0.5 * f->recall.value)
        print_paragraph("Few held-out images are met by samples: kinds are missing, or not well made.");
}

void quality_print(const char *data, lt_split split, const lt_quality *q)
{
    char copies[QUALITY_TEXT], limits[QUALITY_TEXT];
    printf("%lld samples against %lld %s images of %s; +- standard error\n\n",
           (long long)q->images, (long long)q->held_out, lt_split_name(split), data);
    print_scores(q);
    print_digest(data, q);
    quality_limits_text(q, limits);
    if (limits[0])
        print_paragraph(limits);
    judge_coverage(q);
    quality_copies_text(q, copies);
    print_paragraph(copies);
}

/* ---- Several models ---- */

enum { SCORES = 9, SCORE_TEXT = 40 };

typedef char score_cells[SCORES][SCORE_TEXT];

static void put_cell(char *cell, lt_estimate e, int digits)
{
    char error[ERROR_TEXT];
    if (!isfinite(e.value))
        snprintf(cell, SCORE_TEXT, "-");
    else
        snprintf(cell, SCORE_TEXT, "%.*f%s%s", digits, shown_number(e.value, digits),
                 isfinite(e.se) ? " " : "", error_text(e.se, digits, error));
}

/* What stands after the name of a run. */
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

/* A row of heads, one for each run, the floor. */
static void print_runs(int n, const char *const *runs, const lt_quality *q)
{
    static const char *const heads[SCORES] = {"", "FID", "KID", "precision", "recall", "density",
                                              "coverage", "inception", "memorization"};
    score_cells *rows = plot_room((size_t)n + 1, sizeof *rows);
    const char **cells = plot_room(((size_t)n + 2) * SCORES, sizeof *cells);
    memcpy(cells, heads, sizeof heads);
    for (int i = 0; i <= n; i++) {
        const lt_sample_scores *s = i < n ? &q[i].samples : &q[0].floor;
        put_cells(rows[i], s, i < n ? verdict_name(q[i].memorization.verdict) : "-");
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
    char limits[QUALITY_TEXT];
    printf("%lld samples against %lld %s images of %s\n\n", (long long)q->images,
           (long long)q->held_out, lt_split_name(split), data);
    print_runs(n, runs, q);
    print_digest(data, q);
    quality_limits_text(q, limits);
    if (limits[0])
        print_paragraph(limits);
}

/* ---- Pictures ---- */

int quality_pair_samples(const lt_quality *q)
{
    int n = 1;
    for (int i = 0; i < q->n_pairs; i++)
        n = q->pairs[i].sample >= n ? q->pairs[i].sample + 1 : n;
    return n;
}

/* The samples of pairs, and behind them the train images that they belong to. */
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
        say("%s: %d features of %d samples, %d held and %d train images", f->features, a->width,
            a->samples, a->held_out, a->train);
    }
    if (f->samples) {
        LT_TRY(lt_npy_write(f->samples, a->images, 4,
                            (const int64_t[]){a->samples, a->h, a->w, a->c}));
        say("%s: %d samples of %d x %d x %d", f->samples, a->samples, a->h, a->w, a->c);
    }
    return LT_OK;
}
