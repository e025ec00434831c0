/* SPDX-License-Identifier: MIT */
/* ledger.h: what a model's numbers are made of and what they are logarithms of; published numbers,
 * and which of them they may stand beside.
 *
 *     lt_ledger l;
 *     lt_ledger_make(&l, model, &(lt_ledger_facts){.found = &validation, .trained = &report});
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

/* What the pixels of a set are, and how they became so. */
typedef enum lt_pixels {
    LT_PIXELS_GRAY,      /* intensities */
    LT_PIXELS_STATIC,    /* bits: the files of binarized MNIST (Larochelle and Murray 2011) */
    LT_PIXELS_DYNAMIC,   /* bits, drawn anew in every epoch */
    LT_PIXELS_OWN,       /* bits, drawn once, but not the published draws */
    LT_PIXELS_THRESHOLD, /* bits: 1 above a half */
    LT_PIXELS_BITS,      /* bits as they come */
    LT_PIXELS_UNKNOWN,
} lt_pixels;

/* "gray", "static", ...; and a sentence. Static strings. */
LT_API const char *lt_pixels_name(lt_pixels p);
LT_API const char *lt_pixels_text(lt_pixels p);

/* ---- The ledger of a model ---- */

enum { LT_LEDGER_TERMS = 8, LT_LEDGER_NOTES = 8, LT_LEDGER_TEXT = 320 };

/* One term of the objective; those above a sum add up to it. */
typedef struct lt_ledger_term {
    const char *name;          /* static */
    bool is_sum;               /* of terms above it */
    double nats;               /* per image, or a number of another kind; NaN: not known */
    char text[LT_LEDGER_TEXT]; /* its formula, with constants */
} lt_ledger_term;

/* What is known beside the model. All may be missing. */
typedef struct lt_ledger_facts {
    const lt_dataset_info *data;
    const lt_validation *found;     /* what was measured */
    const lt_train_report *trained; /* of the last epoch: means over its images */
} lt_ledger_facts;

typedef struct lt_ledger {
    char set[LT_TEXT_SIZE]; /* its name, or the last one of its path */
    lt_pixels pixels;
    int64_t dimensions; /* numbers in an image */
    int64_t limit;      /* images that each split was cut to; 0: none */
    lt_unit unit;
    int channels;       /* of an image */
    bool has_likelihood; /* of pixels; without one there are no nats, and NaN or "" in what is about it */
    bool has_bound;     /* the model bounds log p(x): without, neg_elbo is NaN */
    char likelihood[LT_TEXT_SIZE], prior[LT_TEXT_SIZE], objective[LT_LEDGER_TEXT]; /* words */
    int layers;          /* of codes */
    const char *bound;   /* that is trained: "elbo", "iwae", "dreg"; "" */
    int64_t draws;       /* k, of each image in training */
    int64_t epochs;      /* done, or as many as the recipe has */
    double sigma;        /* of a pixel, in evaluation; NaN if there is none */
    double constant;     /* of the distortion, given sigma; NaN: none */
    double beta;         /* of the last training step */
    double capacity;     /* nats that the rate was kept at in that step; NaN: it is not */
    double neg_elbo, bits_per_dim; /* -ELBO; NaN: not measured */
    lt_ledger_term minimized[LT_LEDGER_TERMS]; /* the loss of training, as the last epoch had it */
    lt_ledger_term terms[LT_LEDGER_TERMS];     /* what is reported, whatever was trained */
    int n_minimized, n_terms;
    char notes[LT_LEDGER_NOTES][LT_LEDGER_TEXT]; /* sentences: what to keep in mind */
    int n_notes;
} lt_ledger;

/* Nullable: facts. */
LT_API int lt_ledger_make(lt_ledger *l, lt_model *m, const lt_ledger_facts *facts);

/* The numbers of `n` terms as they are shown, with two digits: terms above a sum add up to it (lt_shown_parts). */
LT_API void lt_ledger_round(const lt_ledger_term *terms, int n, double shown[LT_LEDGER_TERMS]);

/* ---- Runs beside each other ---- */

/* What numbers are of. */
typedef enum lt_numbers {
    LT_NUMBERS_LIKELIHOOD, /* nats of a likelihood: -ELBO, distortion, and the rate that goes with it */
    LT_NUMBERS_OBJECTIVE, /* what training minimizes */
} lt_numbers;

/* Why such numbers of models of two recipes are not of one thing, or not of the same images: a static
   phrase, "the data sets differ"; NULL where they compare, as far as recipes tell. */
LT_API const char *lt_recipes_differ(const lt_recipe *a, const lt_recipe *b, lt_numbers of);

/* ---- Published numbers ---- */

typedef struct lt_published {
    const char *images; /* "mnist", "fashion-mnist", "omniglot", 28 x 28 each */
    lt_pixels pixels;
    const char *model;
    bool is_elbo;       /* -ELBO by one draw; else -log p(x) by importance sampling */
    int samples;        /* K of that; 0: not said */
    lt_split split;
    double nats;        /* lower is better */
    const char *source; /* where it was read, and what else it says */
    int epochs;         /* of its training; 0: not said */
    const char *bound;  /* that was trained; NULL: not one of the next two */
    int layers, k;      /* of codes; draws in training */
} lt_published;

/* Row i, or NULL past the end. Static. */
LT_API const lt_published *lt_published_get(int i);

/* NULL if a number of this model, estimated in the same way on the same split, may stand beside the
   published one; else why not, a static sentence. */
LT_API const char *lt_published_differs(const lt_published *p, const lt_ledger *l);

/* The published numbers on the images of row i that do not compare for the same reason. */
typedef struct lt_published_group {
    int n, first;     /* how many, and the first of their rows; -1: row i compares, and n is 0 */
    double low, high; /* of their nats */
} lt_published_group;

LT_API lt_published_group lt_published_kept_apart(const lt_ledger *l, int i);

/* Whether it is of the same bound, number of draws and layers of codes. */
LT_API bool lt_published_is_like(const lt_published *p, const lt_ledger *l);

#ifdef __cplusplus
}
#endif
#endif
