/* SPDX-License-Identifier: MIT */
/* eval.h: what a trained model is worth, in nats per image with standard errors (what it makes: generator.h).
 * Everything here is a function of its arguments: same seed, same numbers, at any number of
 * threads.
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
    const int *iwae;      /* the k of so many k-sample bounds, of the same draws */
    int n_iwae;           /* at most LT_MAX_BOUNDS */
    int images;           /* of the split, spread over it; 0: all */
    /* Room for the numbers of each image, as many as are evaluated, of which the mean is in
       lt_evaluation; the i-th is image lt_stratified_index(i, images, n) of the n of the split. NULL: not
       wanted, as are those of draws that are not asked for. */
    double *neg_elbo_of, *rate_of, *distortion_of, *squared_error_of;
    double *nll_of, *ess_of; /* with nll_samples */
    double *iwae_of[LT_MAX_BOUNDS]; /* -L_k of each k of `iwae` */
    double *pareto_k_of;     /* of the image's draws; NaN with less than 25 */
    int batch;            /* images at a time; 0: 200. Part of what the draws depend on */
    uint64_t seed;        /* of the posterior draws */
    lt_run_options run;
} lt_eval_options;

/* What a number in nats, or in bits per dimension, is the logarithm of. */
typedef enum lt_unit {
    LT_DISCRETE,      /* a probability of bits or bytes */
    LT_DENSITY,       /* a density of intensities on [0, 1]: may exceed 1, so nats may be below 0 */
    LT_CROSS_ENTROPY, /* nothing: a likelihood of bits on gray pixels */
} lt_unit;

/* "discrete", "density", "cross-entropy"; a static string. */
LT_API const char *lt_unit_name(lt_unit unit);

/* The bound of k draws (Burda et al. 2016): L_k = E log 1/k sum_j p(x, z_j) / q(z_j|x), which is
   below log p(x), grows with k, and is the ELBO for k = 1. */
typedef struct lt_bound {
    int k;
    lt_estimate value; /* -L_k, to be compared with neg_elbo and nll: a mean over groups of k draws */
    double ess;        /* mean over images and groups of (sum w)^2 / sum w^2, between 1 and k */
} lt_bound;

typedef struct lt_evaluation {
    int64_t images;
    lt_unit unit;
    bool is_bytes; /* every pixel was k / 255, k = 0 ... 255 */
    double sigma;  /* as in lt_model_terms; NaN if there is none */
    lt_estimate neg_elbo;      /* distortion + rate: beta = 1 whatever was trained; lower is better */
    lt_estimate rate;          /* KL(q(z|x) || p(z)), analytic where it has a formula */
    lt_estimate distortion;    /* -log p(x|z), one posterior draw per image */
    lt_estimate squared_error; /* sum of (x - E[x|z])^2 per image, z the posterior mean */
    lt_estimate bits_per_dim;  /* neg_elbo / (log 2 x dimensions) */
    lt_estimate bits_as_bytes; /* what compares with published numbers of 8-bit images: bits_per_dim
                                  of a likelihood of bytes; 8 more of a density on data of bytes
                                  (not all 0 or 255), each spread over 1/256 of [0, 1], if sigma is
                                  at least 2/255, so that it is flat there; else NaN */
    int nll_samples;           /* K; 0: the next two are not there */
    lt_estimate nll;           /* -log 1/K sum_k p(x, z_k) / q(z_k|x): in expectation above
                                  -log p(x), and nearer with K (Burda et al. 2016, theorem 1) */
    double ess;                /* mean over images of (sum w)^2 / sum w^2, between 1 and K; near 1
                                  one draw decides, and the estimate is not to be believed */
    lt_bound bounds[LT_MAX_BOUNDS]; /* in the order of `iwae` */
    int n_bounds;
    int draws;           /* of each image: the largest K or k */
    double pareto_k;     /* median over images of the shape of the tail of an image's weights
                            (Vehtari et al. 2024): of a few of them where it is small, none above
                            0.7 to be believed; NaN with less than 25 draws */
    double pareto_share; /* of images whose own is above 0.7 */
    double seconds;
} lt_evaluation;

/* Whether more than 5 % of the images have weights whose tail is above 0.7: nll and the bounds are then
   too high by an amount that is not known, and their standard errors do not show it. */
LT_API bool lt_evaluation_is_biased(const lt_evaluation *e);

/* Evaluates on a split of `d`. Memory does not grow with K. LT_INTERRUPTED when `run.progress` stopped it;
   LT_VALUE for a model that cannot reconstruct or has no likelihood, here and in the next two functions. A model
   without bounds (LT_CAN_BOUND) has a distortion and a squared error; the rest is NaN, and LT_VALUE if asked for.
   Nullable: o. */
LT_API int lt_evaluate(lt_model *m, lt_dataset *d, lt_split split, const lt_eval_options *o,
                       lt_evaluation *e);

/* What a validation found; NaN where it did not look. */
typedef struct lt_validation {
    int64_t images;
    double neg_elbo, neg_elbo_se, rate, distortion, squared_error; /* neg_elbo: distortion + rate */
    double loss; /* the objective of training, with the beta and capacity of the epoch's last step */
} lt_validation;

/* What lt_run_log writes of an epoch: the numbers of lt_evaluate, and with `at`, the report of the
   epoch's last step, the objective of training with its beta and capacity: -ELBO where that is what is
   trained, and elsewhere the only number that the loss of training may be compared with. Images come
   in batches as large as those of training. Nullable: o, at (the loss is then NaN). */
LT_API int lt_validate(lt_model *m, lt_dataset *d, lt_split split, const lt_eval_options *o,
                       const lt_train_report *at, lt_validation *v);

/* ---- Annealed importance sampling: log p(x) by other means (Neal 2001; Wu et al. 2017) ---- */

/* Zero means default. */
typedef struct lt_ais_options {
    int chains;           /* of each image; default 16 */
    int steps;            /* temperatures of a chain, from 0 to 1; default 500 */
    int leapfrogs;        /* of a Hamiltonian transition, one at each temperature; default 2 */
    bool from_posterior;  /* chains start from q(z|x), which is nearer; default: from N(0, I) */
    int images;           /* of the split, spread over it; 0: all */
    double *nll_of, *ess_of; /* room for each image's own, in the order of lt_evaluate's; NULL: not
                                wanted */
    uint64_t seed;
    lt_run_options run;
} lt_ais_options;

typedef struct lt_ais_result {
    int64_t images;
    int chains, steps;
    lt_estimate nll;   /* -log of the mean weight of the chains: in expectation above -log p(x) */
    double ess;        /* mean over images of (sum w)^2 / sum w^2, between 1 and chains; near 1:
                          more steps are needed */
    double acceptance; /* of transitions; steps are adapted towards 0.65 */
    double step_size;  /* mean over images at the end, in units of q's deviations */
    double seconds;
} lt_ais_result;

/* Estimates -log p(x) of a split. It knows nothing of q but a scale for its steps, unless it starts
   there. Models with one layer of latents, in which log p(x|z) has a gradient. LT_INTERRUPTED when
   `run.progress` stopped it. Nullable: o. */
LT_API int lt_ais(lt_model *m, lt_dataset *d, lt_split split, const lt_ais_options *o,
                     lt_ais_result *result);

/* ---- Diagnosis: what the codes say about the images ---- */

/* Zero means default. */
typedef struct lt_diagnosis_options {
    int images;           /* of the split, spread over it; 0: all */
    uint64_t seed;        /* of the posterior draws */
    lt_run_options run;
} lt_diagnosis_options;

/* One latent over the images. */
typedef struct lt_latent_unit {
    double kl;             /* mean KL(q(z_k|x) || N(0, 1)), which sum to the rate; NaN if the prior is
                              another or there are two layers: the rate has no such parts then */
    double mean_variance;  /* variance over images of the mean of q(z_k|x) */
    double mean, variance; /* of the aggregate posterior q(z_k); N(0, 1) has 0 and 1 */
    bool is_active;        /* mean_variance > 0.01 (Burda et al. 2016); with another prior than
                              N(0, I), which does not fix the unit of z, > 0.01 variance */
} lt_latent_unit;

/* With q(z) = 1/n sum over the images of q(z|x), the aggregate posterior of the split,
   rate = mutual information + KL(q(z) || p(z)) (Hoffman and Johnson 2016). With a second layer rate
   and KL are of (z, z2), q(z, z2) = q(z) q(z2|z) against p(z2) p(z|z2); as z2 depends on the image
   through z alone, the information of (z, z2) is that of z. Units are those of z. */
typedef struct lt_diagnosis {
    int64_t images;
    int latent, active;             /* latents; of these active */
    bool has_parts;                 /* one layer of codes and p(z) = N(0, I): each unit has a kl */
    lt_estimate rate;
    lt_estimate mutual_information; /* of code and image: mean of log q(z|x) - log q(z) over a draw
                                       of each of at most 4000 images spread over the split. Without
                                       bias for the images of the split; of all images there are, it
                                       cannot find more than ... */
    double most_information;        /* ... log n nats, so that near it this is a lower bound */
    lt_estimate aggregate_kl;       /* KL(q(z) || p(z)): mean of rate - information, same draws */
    lt_latent_unit *units;          /* `latent` of them */
    bool is_collapsed;              /* the code says nothing about the image: less than 0.1 nats, or
                                       less than 0.5 and no latent active */
    char reason[320];               /* why, in words; "" if it is not */
    double seconds;
} lt_diagnosis;

/* Encodes a split and looks at its codes. LT_INTERRUPTED when `run.progress` stopped it. Clear the result
   in any case. Nullable: o. */
LT_API int lt_diagnose(lt_model *m, lt_dataset *d, lt_split split, const lt_diagnosis_options *o,
                       lt_diagnosis *result);
LT_API void lt_diagnosis_clear(lt_diagnosis *d);

/* ---- The codes of a split, and the axes along which they vary ---- */

/* Zero means default. */
typedef struct lt_codes_options {
    int images;           /* of the split, spread over it; 0, or more than it has: all */
    uint64_t seed;        /* of the draws */
    lt_run_options run;
} lt_codes_options;

/* q(z|x) of n images, row by row, and a draw of each. Owns its arrays. */
typedef struct lt_codes {
    int n, latent;
    lt_split split;
    bool has_normal_prior; /* p(z) = N(0, I) */
    int32_t *index;       /* n: which images of the split, in its order */
    int32_t *origin;      /* n: of the split as it was read, see lt_dataset_origin */
    int32_t *labels;      /* n; NULL: the split has none */
    float *mean, *logvar; /* n x latent */
    float *z;             /* n x latent: z ~ q(z|x). All of them together are draws of q(z) = 1/n sum
                             of q(z|x), which is to be like the prior; the means alone vary less */
} lt_codes;

/* Encodes images of a split. LT_VALUE for a model without an encoder, for data that is not the
   model's and for an empty split; LT_INTERRUPTED when `run.progress` stopped it; LT_NO_MEMORY. Clear the
   result in any case. Nullable: o. */
LT_API int lt_encode_split(lt_model *m, lt_dataset *d, lt_split split, const lt_codes_options *o,
                           lt_codes *codes);
LT_API void lt_codes_clear(lt_codes *codes);

/* Writes codes by the end of the name: FILE.npz with the arrays index (`origin`), label (-1 where there is
   none), mean, logvar and z; FILE.csv with the same as columns index, label, mean_0, mean_1, ...; FILE.npy
   with the one of mean, logvar and z that `array` names, n x latent. LT_VALUE for another name, or for an
   `array` of a file that has them all; LT_IO. Nullable: array (mean). */
LT_API int lt_codes_write(const lt_codes *codes, const char *path, const char *array);

/* Reads codes of `latent` numbers to be decoded, from such files and others that lt_arrays_read reads: the
   array called `array`; else mean, else z, else the only one whose rows are of that width. Fills n, latent,
   z, and labels where an array label has some that are not negative; the rest is NULL. LT_VALUE where there is no such
   array, with those that there are, and for numbers that are not finite; and as lt_arrays_read. Clear it in
   any case. Nullable: array. */
LT_API int lt_codes_read(const char *path, const char *array, int latent, lt_codes *codes);

/* The place of the i-th of n that are spread over `all`: one of each n-th part, at a random place in it,
   the same each time. Every k-th would keep step with classes that take turns. 0 <= i < n <= all. */
LT_API int64_t lt_stratified_index(int64_t i, int64_t n, int64_t all);

enum { LT_MAX_PCA_WIDTH = 2048 };

/* The axes along which rows vary most, those of the most variance first. Owns its arrays. */
typedef struct lt_pca {
    int count, width;
    double *center;   /* width: the mean of the rows */
    double *axis;     /* count x width: orthonormal, the largest part of each positive */
    double *variance; /* count: of the rows along each axis, divided by n */
    double total;     /* variance in all directions together */
} lt_pca;

/* Finds `count` axes of n rows of `width` numbers: eigenvectors of their covariance. Where variances
   are equal (all of them 0 for one row) the axes are some of those there are. LT_VALUE for numbers
   that are not finite, and for sizes that make no sense; clear the result in any case. */
LT_API int lt_pca_fit(int n, int width, const float *rows, int count, lt_pca *axes);

/* How far along axis k from the center a row lies. */
LT_API double lt_pca_project(const lt_pca *axes, int k, const float *row);

/* The covariance along axes j and k of a diagonal Gaussian with these log variances (width of
   them): sum of a_j a_k e^logvar, in general not 0. */
LT_API double lt_pca_covariance(const lt_pca *axes, int j, int k, const float *logvar);

LT_API void lt_pca_clear(lt_pca *axes);

/* ---- Places in the space of codes (or of images) ---- */

/* The z that a standard normal variable is below with probability p: -inf for 0, inf for 1, NaN
   outside of [0, 1]. */
LT_API double lt_normal_quantile(double p);

/* Writes the place `t` of the way from a to b, n numbers each; t = 0: a, t = 1: b, exactly. On a line
   (1 - t) a + t b; or, is_spherical, sin((1 - t) w) / sin w a + sin(t w) / sin w b, where w is the
   angle between them: codes between two draws of N(0, I) keep the length of draws. The line where
   there is no such way (a or b is 0, or they point opposite ways). `out` may be a or b. */
LT_API void lt_interpolate(int n, const float *a, const float *b, double t, bool is_spherical,
                           float *out);

#ifdef __cplusplus
}
#endif
#endif
