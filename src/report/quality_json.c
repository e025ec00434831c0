/* SPDX-License-Identifier: MIT */
/* How good samples are: as JSON, and what to keep in mind, in sentences. */
#include "report/quality_json.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>

static json_t *scores_json(const lt_sample_scores *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "fid", json_number(s->fid), "kid",
                     json_estimate(s->kid), "precision", json_estimate(s->precision), "recall",
                     json_estimate(s->recall), "density", json_estimate(s->density), "coverage",
                     json_estimate(s->coverage), "inception", json_estimate(s->inception));
}

const char *lt_memorization_name(lt_memorization_verdict v)
{
    static const char *const names[] = {
        [LT_MEMORIZATION_UNKNOWN] = "unknown", [LT_MEMORIZATION_NONE] = "none", [LT_MEMORIZATION_FOUND] = "found"};
    return names[v];
}

static json_t *memorization_json(const lt_memorization *c)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "verdict",
                     lt_memorization_name(c->verdict), "samples", (json_int_t)c->samples, "held_out",
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

char *lt_quality_json(const lt_quality *q) { return json_take(quality_json(q)); }

char *lt_score_json(const char *images, const char *against, lt_split split, const lt_quality *q)
{
    return json_take(json_pack("{s:o, s:o, s:s, s:o}", "images", json_text(images), "against", json_text(against),
                               "split", lt_split_name(split), "quality", quality_json(q)));
}

/* ---- Sentences ---- */

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

void lt_quality_memorization_text(const lt_quality *q, char text[LT_QUALITY_TEXT])
{
    const lt_memorization *c = &q->memorization;
    char share[16], held_out[16], least[16], train[32];
    int at = snprintf(text, LT_QUALITY_TEXT,
                      "%s: %lld of %lld samples (%s) are closer to one of %s train images than %.1f "
                      "times the distance of the next ones, in pixels and in detail, and similar in "
                      "features; held-out images: %lld of %lld (%s). p = %.2g.",
                      c->verdict == LT_MEMORIZATION_FOUND  ? "Memorization: samples are copies of train images"
                      : c->verdict == LT_MEMORIZATION_NONE ? "No copies of train images were found"
                                                     : "Memorization cannot be tested",
                      (long long)c->close, (long long)c->samples, percent(share, c->share.value),
                      number_text(train, c->train), c->closeness, (long long)c->held_out_close,
                      (long long)c->held_out, percent(held_out, c->held_out_share.value), c->p);
    if (c->verdict == LT_MEMORIZATION_NONE)
        snprintf(text + at, (size_t)(LT_QUALITY_TEXT - at),
                 " The test would have found a share of %s or more.", percent(least, c->least));
    else if (c->verdict == LT_MEMORIZATION_UNKNOWN)
        snprintf(text + at, (size_t)(LT_QUALITY_TEXT - at), " %s.",
                 isnan(c->least) ? "There are too few images to find even a set of copies"
                                 : "The images are too similar, or too small");
    else
        snprintf(text + at, (size_t)(LT_QUALITY_TEXT - at), " To see them: --nearest FILE.png.");
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
    for (int i = 0; i < COUNT_OF(names); i++)
        if (least < lt_quality_min_images(names[i][0]) && !(i == 6 && q->is_rotation) && at < size)
            at += (size_t)snprintf(text + at, size - at, "%s%s (%d)", at > 0 ? ", " : "",
                                   names[i][1], lt_quality_min_images(names[i][0]));
}

void lt_quality_limits_text(const lt_quality *q, char text[LT_QUALITY_TEXT])
{
    char refused[256];
    int at = 0;
    text[0] = 0;
    list_refused(q, refused, sizeof refused);
    if (refused[0])
        at += snprintf(text + at, LT_QUALITY_TEXT,
                       "%lld samples and %lld held-out images are too few for these scores, which need as many of "
                       "both as in parentheses: %s.", (long long)q->images,
                       (long long)q->held_out, refused);
    if (q->is_alike)
        at += snprintf(text + at, (size_t)(LT_QUALITY_TEXT - at),
                       "%sMost held-out images have five others with equal features, so precision, recall, density "
                       "and coverage are undefined.", at ? " " : "");
    if (q->is_by_outliers && isfinite(q->samples.precision.value))
        at += snprintf(text + at, (size_t)(LT_QUALITY_TEXT - at),
                       "%sPrecision depends on few outliers among the held-out images, whose balls are large and "
                       "contain noise as well. Density is more reliable here.", at ? " " : "");
    if (q->is_guessing)
        snprintf(text + at, (size_t)(LT_QUALITY_TEXT - at),
                 "%sThe classifier did not learn its classes: its accuracy on held-out images is %.1f %%, "
                 "that of always naming the most frequent class %.1f %%. These scores are unreliable.", at ? " " : "", 100 * q->accuracy,
                 100 * q->guess);
}
