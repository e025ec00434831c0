/* SPDX-License-Identifier: MIT */
/* ledger.h: the terms that a model's numbers are made of, and their units; published numbers, and whether they are
 * comparable with a model's.
 *
 *     lt_ledger l;
 *     lt_ledger_make(model, &(lt_ledger_facts){.found = &validation, .trained = &report}, &l);
 *     for (int i = 0; i < l.n_minimized; i++)
 *         printf("%s: %.2f, %s\n", l.minimized[i].name, l.minimized[i].nats, l.minimized[i].text);
 */
#ifndef LATENT_LEDGER_H
#define LATENT_LEDGER_H

#include <latent/eval.h>
#include <latent/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The pixels of a data set, and how they were binarized. */
typedef enum lt_pixels {
    LT_PIXELS_GRAY,      /* intensities */
    LT_PIXELS_STATIC,    /* bits: the files of binarized MNIST (Larochelle and Murray 2011) */
    LT_PIXELS_DYNAMIC,   /* bits, sampled anew in every epoch */
    LT_PIXELS_OWN,       /* bits, sampled once, but not the published sample */
    LT_PIXELS_THRESHOLD, /* bits: 1 above a half */
    LT_PIXELS_BITS,      /* bits in the source */
    LT_PIXELS_UNKNOWN,
} lt_pixels;

/* Return the name ("gray", "static", ...) and a sentence about it. Static strings. */
LT_API const char *lt_pixels_name(lt_pixels p);
LT_API const char *lt_pixels_text(lt_pixels p);

/* ---- The ledger of a model ---- */

enum { LT_LEDGER_TERMS = 8, LT_LEDGER_NOTES = 8, LT_LEDGER_TEXT = 320 };

/* A term of the objective; a sum is the sum of the terms above it. */
typedef struct lt_ledger_term {
    const char *name;          /* static */
    bool is_sum;               /* of terms above it */
    double nats;               /* per image, or a number in another unit; NaN: unknown */
    char text[LT_LEDGER_TEXT]; /* its formula, with constants */
} lt_ledger_term;

/* What is known besides the model. Nullable: every field. */
typedef struct lt_ledger_facts {
    const lt_dataset_info *data;
    const lt_validation *found;     /* an evaluation */
    const lt_train_report *trained; /* of the last epoch: means over its images */
} lt_ledger_facts;

typedef struct lt_ledger {
    char set[LT_TEXT_SIZE]; /* name of the data set, or the last part of its path */
    lt_pixels pixels;
    int64_t dimensions; /* numbers in an image */
    int64_t limit;      /* images that each split was cut to; 0: none */
    lt_unit unit;
    int channels;       /* of an image */
    bool has_likelihood; /* of pixels; if false there are no nats, and fields about it are NaN or "" */
    bool has_bound;     /* the model bounds log p(x); if false, neg_elbo is NaN */
    char likelihood[LT_TEXT_SIZE], prior[LT_TEXT_SIZE], objective[LT_LEDGER_TEXT]; /* descriptions */
    int layers;          /* of codes */
    const char *bound;   /* the training bound: "elbo", "iwae", "dreg"; "" */
    int64_t draws;       /* k, samples per image in training */
    int64_t epochs;      /* trained, or the number in the recipe */
    double sigma;        /* of a pixel, in evaluation; NaN: none */
    double constant;     /* of the distortion, given sigma; NaN: none */
    double beta;         /* in the last training step */
    double capacity;     /* target of the rate in that step, nats; NaN: none */
    double neg_elbo, bits_per_dim; /* -ELBO; NaN: not measured */
    lt_ledger_term minimized[LT_LEDGER_TERMS]; /* the training loss of the last epoch */
    lt_ledger_term terms[LT_LEDGER_TERMS];     /* the reported numbers, whatever was trained */
    int n_minimized, n_terms;
    char notes[LT_LEDGER_NOTES][LT_LEDGER_TEXT]; /* sentences to print with the numbers */
    int n_notes;
} lt_ledger;

/* Nullable: facts. */
LT_API int lt_ledger_make(lt_model *m, const lt_ledger_facts *facts, lt_ledger *l);

/* Rounds the numbers of `n` terms to the two digits that are shown, such that the terms above a sum still add up to it
   (lt_shown_parts). */
LT_API void lt_ledger_round(const lt_ledger_term *terms, int n, double shown[LT_LEDGER_TERMS]);

/* ---- Comparing runs ---- */

/* What the compared numbers are. */
typedef enum lt_numbers {
    LT_NUMBERS_LIKELIHOOD, /* nats of a likelihood: -ELBO, distortion, and the corresponding rate */
    LT_NUMBERS_OBJECTIVE, /* the training loss */
} lt_numbers;

/* Returns why such numbers of models of two recipes are not comparable, a static phrase such as "the data sets
   differ"; NULL if they are comparable as far as recipes tell. */
LT_API const char *lt_recipes_differ(const lt_recipe *a, const lt_recipe *b, lt_numbers of);

/* ---- Published numbers ---- */

typedef struct lt_published {
    const char *images; /* "mnist", "fashion-mnist", "omniglot", 28 x 28 each */
    lt_pixels pixels;
    const char *model;
    bool is_elbo;       /* -ELBO with one sample; else -log p(x) by importance sampling */
    int samples;        /* K of that; 0: not stated */
    lt_split split;
    double nats;        /* lower is better */
    const char *source; /* the publication, and what else it states */
    int epochs;         /* of training; 0: not stated */
    const char *bound;  /* training bound; NULL: not stated, nor are layers and k */
    int layers, k;      /* layers of codes; samples per image in training */
} lt_published;

/* Returns row i, or NULL past the end. Static. */
LT_API const lt_published *lt_published_get(int i);

/* Returns NULL if a number of this model, estimated in the same way on the same split, is comparable with the
   published one; else why not, a static sentence. */
LT_API const char *lt_published_differs(const lt_published *p, const lt_ledger *l);

/* Published numbers on the images of row i that are not comparable, for the same reason. */
typedef struct lt_published_group {
    int n, first;     /* number of rows, and the first of them; n = 0, first = -1: row i is comparable */
    double low, high; /* range of their nats */
} lt_published_group;

LT_API lt_published_group lt_published_kept_apart(const lt_ledger *l, int i);

/* Returns whether it has the same training bound, number of samples and layers of codes. */
LT_API bool lt_published_is_like(const lt_published *p, const lt_ledger *l);

#ifdef __cplusplus
}
#endif
#endif
