/* SPDX-License-Identifier: MIT */
/* eval.h: evaluates a trained model in nats per image with standard errors (generator.h makes images with it).
 * Every result depends only on the arguments: same seed, same numbers, with any number of threads.
 *
 *     lt_evaluation e;
 *     lt_evaluate(model, data, LT_TEST, &(lt_eval_options){.nll_samples = 200}, &e);
 *     printf("-ELBO %.2f +- %.2f nats\n", e.neg_elbo.value, e.neg_elbo.se);
 */
#ifndef LATENT_EVAL_H
#define LATENT_EVAL_H

#include <latent/data.h>
#include <latent/generator.h>
#include <latent/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Bounds and likelihood ---- */

enum { LT_MAX_BOUNDS = 16 };

/* Zero means default. */
typedef struct lt_eval_options {
    int nll_samples;      /* K of the importance-sampled log-likelihood; 0: none */
    const int *iwae;      /* n_iwae values of k: k-sample bounds, computed from the same samples */
    int n_iwae;           /* at most LT_MAX_BOUNDS */
    int images;           /* a stratified sample of the split; 0: all */
    /* Caller's arrays for the per-image numbers whose means are in lt_evaluation, one element per evaluated image;
       element i is image lt_stratified_index(i, images, n) of the n in the split. NULL: not wanted. Arrays of
       estimates that are not asked for are not written. */
    double *neg_elbo_of, *rate_of, *distortion_of, *squared_error_of;
    double *nll_of, *ess_of; /* with nll_samples */
    double *iwae_of[LT_MAX_BOUNDS]; /* -L_k for each k in `iwae` */
    double *pareto_k_of;  /* of the image's weights; NaN with fewer than 25 samples */
    int batch;            /* images at a time; 0: 200. The samples depend on it */
    uint64_t seed;        /* of the posterior samples */
    lt_run_options run;
} lt_eval_options;

/* What a number in nats, or in bits per dimension, is the logarithm of. */
typedef enum lt_unit {
    LT_DISCRETE,      /* a probability of bits or bytes */
    LT_DENSITY,       /* a density of intensities on [0, 1]: may exceed 1, so nats may be negative */
    LT_CROSS_ENTROPY, /* of nothing: a likelihood of bits, applied to gray pixels */
} lt_unit;

/* "discrete", "density", "cross-entropy"; a static string. */
LT_API const char *lt_unit_name(lt_unit unit);

/* The bound of k samples (Burda et al. 2016): L_k = E log 1/k sum_j p(x, z_j) / q(z_j|x). It is below log p(x),
   increases with k, and is the ELBO for k = 1. */
typedef struct lt_bound {
    int k;
    lt_estimate value; /* -L_k, comparable with neg_elbo and nll: a mean over groups of k samples */
    double ess;        /* mean over images and groups of (sum w)^2 / sum w^2, between 1 and k */
} lt_bound;

typedef struct lt_evaluation {
    int64_t images;
    lt_unit unit;
    bool is_bytes; /* every pixel was k / 255, k = 0 ... 255 */
    double sigma;  /* as in lt_model_terms; NaN if the likelihood has none */
    lt_estimate neg_elbo;      /* distortion + rate: beta = 1 whatever was trained; lower is better */
    lt_estimate rate;          /* KL(q(z|x) || p(z)), analytic if it has a formula */
    lt_estimate distortion;    /* -log p(x|z), one posterior sample per image */
    lt_estimate squared_error; /* sum of (x - E[x|z])^2 per image, z the posterior mean */
    lt_estimate bits_per_dim;  /* neg_elbo / (log 2 x dimensions) */
    lt_estimate bits_as_bytes; /* comparable with published numbers of 8-bit images: bits_per_dim for a likelihood
                                  of bytes; bits_per_dim + 8 for a density on byte data (not all 0 or 255), each
                                  byte spread over 1/256 of [0, 1], if sigma is at least 2/255, so that the
                                  density is flat there; else NaN */
    int nll_samples;           /* K; 0: nll and ess are not computed */
    lt_estimate nll;           /* -log 1/K sum_k p(x, z_k) / q(z_k|x): in expectation above -log p(x), and closer
                                  to it as K grows (Burda et al. 2016, theorem 1) */
    double ess;                /* mean over images of (sum w)^2 / sum w^2, between 1 and K; near 1 a single sample
                                  dominates and the estimate is unreliable */
    lt_bound bounds[LT_MAX_BOUNDS]; /* in the order of `iwae` */
    int n_bounds;
    int draws;           /* samples per image: the largest K or k */
    double pareto_k;     /* median over images of the tail shape of an image's weights (Vehtari et al. 2024); above
                            0.7 an estimate is unreliable; NaN with fewer than 25 samples */
    double pareto_share; /* share of images whose own pareto_k is above 0.7 */
    double seconds;
} lt_evaluation;

/* Returns whether more than 5 % of the images have a pareto_k above 0.7. Then nll and the bounds are too high by an
   unknown amount, which their standard errors do not show. */
LT_API bool lt_evaluation_is_biased(const lt_evaluation *e);

/* Evaluates a model on a split of `d`. Memory does not grow with K. Returns LT_INTERRUPTED if `run.progress` stopped
   it; LT_VALUE for a model that cannot reconstruct or has no likelihood, as do the next two functions. A model
   without LT_CAN_BOUND gets distortion and squared error; the rest is NaN, and asking for nll or bounds is LT_VALUE.
   Nullable: o. */
LT_API int lt_evaluate(lt_model *m, lt_dataset *d, lt_split split, const lt_eval_options *o,
                       lt_evaluation *e);

/* Result of a validation; NaN: not computed. */
typedef struct lt_validation {
    int64_t images;
    double neg_elbo, neg_elbo_se, rate, distortion, squared_error; /* neg_elbo: distortion + rate */
    double loss; /* the objective of training, with the beta and capacity of the epoch's last step */
} lt_validation;

/* Computes what lt_run_log writes for an epoch: the numbers of lt_evaluate and, given `at`, the report of the epoch's
   last step, the training objective with the beta and capacity of that step. That `loss` is the number to compare
   the training loss with; it is -ELBO if that is the objective. Images come in batches of the training batch size.
   Nullable: o, at (`loss` is then NaN). */
LT_API int lt_validate(lt_model *m, lt_dataset *d, lt_split split, const lt_eval_options *o,
                       const lt_train_report *at, lt_validation *v);

/* ---- Annealed importance sampling: another estimate of log p(x) (Neal 2001; Wu et al. 2017) ---- */

/* Zero means default. */
typedef struct lt_ais_options {
    int chains;           /* per image; default 16 */
    int steps;            /* temperatures of a chain, from 0 to 1; default 500 */
    int leapfrogs;        /* leapfrog steps of the Hamiltonian transition at each temperature; default 2 */
    bool from_posterior;  /* start chains from q(z|x), which is closer; default: from N(0, I) */
    int images;           /* a stratified sample of the split; 0: all */
    double *nll_of, *ess_of; /* caller's arrays, per image, in the order of lt_evaluate; NULL: not wanted */
    uint64_t seed;
    lt_run_options run;
} lt_ais_options;

typedef struct lt_ais_result {
    int64_t images;
    int chains, steps;
    lt_estimate nll;   /* -log of the mean weight of the chains: in expectation above -log p(x) */
    double ess;        /* mean over images of (sum w)^2 / sum w^2, between 1 and chains; near 1:
                          more steps are needed */
    double acceptance; /* rate of accepted transitions; the step size is adapted toward 0.65 */
    double step_size;  /* mean over images at the end, in units of q's standard deviations */
    double seconds;
} lt_ais_result;

/* Estimates -log p(x) of a split. Uses q only to scale its steps, unless `from_posterior`. Works for models with one
   layer of latents whose log p(x|z) has a gradient. Returns LT_INTERRUPTED if `run.progress` stopped it.
   Nullable: o. */
LT_API int lt_ais(lt_model *m, lt_dataset *d, lt_split split, const lt_ais_options *o,
                     lt_ais_result *result);

/* ---- Diagnosis: information in the codes ---- */

/* Zero means default. */
typedef struct lt_diagnosis_options {
    int images;           /* a stratified sample of the split; 0: all */
    uint64_t seed;        /* of the posterior samples */
    lt_run_options run;
} lt_diagnosis_options;

/* One latent over the images. */
typedef struct lt_latent_unit {
    double kl;             /* mean KL(q(z_k|x) || N(0, 1)); these sum to the rate. NaN with another prior or two
                              layers: the rate is then not such a sum */
    double mean_variance;  /* variance over images of the mean of q(z_k|x) */
    double mean, variance; /* of the aggregate posterior q(z_k); N(0, 1) has 0 and 1 */
    bool is_active;        /* mean_variance > 0.01 (Burda et al. 2016); with a prior other than N(0, I), which does
                              not fix the scale of z: mean_variance > 0.01 variance */
} lt_latent_unit;

/* With the aggregate posterior of the split, q(z) = 1/n sum over the images of q(z|x):
   rate = mutual information + KL(q(z) || p(z)) (Hoffman and Johnson 2016). With a second layer, rate
   and KL are those of (z, z2): q(z, z2) = q(z) q(z2|z) against p(z2) p(z|z2). As z2 depends on the image
   only through z, the information of (z, z2) is that of z. Units are those of z. */
typedef struct lt_diagnosis {
    int64_t images;
    int latent, active;             /* number of latents; of active ones */
    bool has_parts;                 /* one layer of codes and p(z) = N(0, I): each unit has a kl */
    lt_estimate rate;
    lt_estimate mutual_information; /* of code and image: mean of log q(z|x) - log q(z) over one posterior sample of
                                       each of n images, at most 4000, a stratified sample of the split. Unbiased
                                       for the images of the split */
    double most_information;        /* log n nats: the largest value that the estimate can take. Near it,
                                       mutual_information is only a lower bound for the data distribution */
    lt_estimate aggregate_kl;       /* KL(q(z) || p(z)): mean of rate - information, same samples */
    lt_latent_unit *units;          /* `latent` of them */
    bool is_collapsed;              /* the code carries no information: less than 0.1 nats, or less than 0.5 and no
                                       active latent */
    char reason[320];               /* why it counts as collapsed; "" if it does not */
    double seconds;
} lt_diagnosis;

/* Encodes a split and measures the information in its codes. Returns LT_INTERRUPTED if `run.progress` stopped it.
   Clear the result in any case. Nullable: o. */
LT_API int lt_diagnose(lt_model *m, lt_dataset *d, lt_split split, const lt_diagnosis_options *o,
                       lt_diagnosis *result);
LT_API void lt_diagnosis_clear(lt_diagnosis *d);

/* ---- The codes of a split, and their principal axes ---- */

/* Zero means default. */
typedef struct lt_codes_options {
    int images;           /* a stratified sample of the split; 0, or more than it has: all */
    uint64_t seed;        /* of the posterior samples */
    lt_run_options run;
} lt_codes_options;

/* q(z|x) of n images, one row each, and a sample from it. Owns its arrays. */
typedef struct lt_codes {
    int n, latent;
    lt_split split;
    bool has_normal_prior; /* p(z) = N(0, I) */
    int32_t *index;       /* n: index of the image in the split */
    int32_t *origin;      /* n: index in the split as it was read, see lt_dataset_origin */
    int32_t *labels;      /* n; NULL: the split has none */
    float *mean, *logvar; /* n x latent */
    float *z;             /* n x latent: z ~ q(z|x). Together the rows are a sample from q(z) = 1/n sum of q(z|x),
                             which should match the prior; the means alone vary less */
} lt_codes;

/* Encodes images of a split. Returns LT_VALUE for a model without an encoder, for images of the wrong size and for an
   empty split; LT_INTERRUPTED if `run.progress` stopped it; LT_NO_MEMORY. Clear the result in any case.
   Nullable: o. */
LT_API int lt_encode_split(lt_model *m, lt_dataset *d, lt_split split, const lt_codes_options *o,
                           lt_codes *codes);
LT_API void lt_codes_clear(lt_codes *codes);

/* Writes codes in the format of the file name: FILE.npz with the arrays index (`origin`), label (-1: none), mean,
   logvar and z; FILE.csv with the columns index, label, mean_0, mean_1, ...; FILE.npy with the array that `array`
   names, one of mean, logvar and z, n x latent. Returns LT_VALUE for another extension, and for an `array` with a
   format that holds them all; LT_IO. Nullable: array (mean). */
LT_API int lt_codes_write(const lt_codes *codes, const char *path, const char *array);

/* Reads codes for decoding, `latent` numbers each, from such files and any other that lt_arrays_read accepts. Takes
   the array called `array`; by default mean, else z, else the only array whose rows have that width. Fills n, latent
   and z, and labels if the file has an array label with a value >= 0; the rest is NULL. Returns LT_VALUE if there is
   no such array (the message lists those in the file) and for numbers that are not finite; other errors as in
   lt_arrays_read. Clear *codes in any case. Nullable: array. */
LT_API int lt_codes_read(const char *path, const char *array, int latent, lt_codes *codes);

/* Returns index i of a stratified sample of n out of `all`: one index from each of n equal parts, at a random offset
   that is always the same. (Equal strides would alias with interleaved classes.) 0 <= i < n <= all. */
LT_API int64_t lt_stratified_index(int64_t i, int64_t n, int64_t all);

enum { LT_MAX_PCA_WIDTH = 2048 };

/* Principal components of a set of rows, largest variance first. Owns its arrays. */
typedef struct lt_pca {
    int count, width;
    double *center;   /* width: the mean of the rows */
    double *axis;     /* count x width: orthonormal; the component of largest magnitude of each is positive */
    double *variance; /* count: of the rows along each axis, divided by n */
    double total;     /* variance in all directions together */
} lt_pca;

/* Finds `count` principal axes of n rows of `width` numbers: eigenvectors of their covariance. Equal variances (all
   are 0 if n is 1) leave the choice of axes open. Returns LT_VALUE for numbers that are not finite and for sizes out
   of range. Clear the result in any case. */
LT_API int lt_pca_fit(int n, int width, const float *rows, int count, lt_pca *axes);

/* Returns the coordinate of a row along axis k, measured from the center. */
LT_API double lt_pca_project(const lt_pca *axes, int k, const float *row);

/* Returns the covariance along axes j and k of a diagonal Gaussian with these `width` log variances: the sum of
   a_j a_k e^logvar, in general not 0. */
LT_API double lt_pca_covariance(const lt_pca *axes, int j, int k, const float *logvar);

LT_API void lt_pca_clear(lt_pca *axes);

/* ---- Points in the space of codes (or of images) ---- */

/* Returns the p-quantile of N(0, 1): -inf for 0, inf for 1, NaN outside [0, 1]. */
LT_API double lt_normal_quantile(double p);

/* Interpolates between a and b, n numbers each; t = 0 gives a, t = 1 gives b, exactly. Linear:
   (1 - t) a + t b. Spherical: sin((1 - t) w) / sin w a + sin(t w) / sin w b, where w is the angle between a and b;
   codes between two samples of N(0, I) then keep the norm of samples. Falls back to linear if a or b is 0 or they
   point in opposite directions. `out` may be a or b. */
LT_API void lt_interpolate(int n, const float *a, const float *b, double t, bool is_spherical,
                           float *out);

#ifdef __cplusplus
}
#endif
#endif
