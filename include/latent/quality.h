/* SPDX-License-Identifier: MIT */
/* quality.h: how good images are that a model makes, whatever kind of model it is.
 * Everything is measured in the features of a small classifier that is trained here on the data's
 * own images, once, and kept in the cache directory. A score says nothing alone: each comes with
 * the same score of train images, its floor, and with a digest of all that it depends on beside the
 * samples. Scores of one digest compare; others do not.
 *
 *     lt_quality q;
 *     lt_quality_measure(model, data, LT_TEST, NULL, &q);
 *     printf("FID %.2f, train images %.2f (%.12s)\n", q.samples.fid, q.floor.fid, q.digest);
 */
#ifndef LATENT_QUALITY_H
#define LATENT_QUALITY_H

#include <latent/eval.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What scores are computed from, for those who compute them again. Owns its arrays. */
typedef struct lt_quality_arrays {
    int width, classes;       /* features of an image; classes of the classifier */
    int samples, held_out, train; /* images; train: those of the floor */
    float *sample_features, *held_out_features, *train_features; /* n x width */
    float *sample_classes, *train_classes; /* n x classes: what the classifier takes them for */
    int32_t *held_out_index, *train_index; /* n: which image of the split as it was read; and the split, */
    int32_t *held_out_split, *train_split; /* an lt_split: valid for train images that `validation` cut */
    int32_t *held_out_labels, *train_labels; /* n; NULL: there are none */
    int32_t *sample_order, *held_out_order, *train_order; /* n: the order in which KID and inception score
                                                         take rows; see docs/quality.md */
    int h, w, c;
    float *images; /* samples x h x w x c, as they were scored; NULL if not asked for */
} lt_quality_arrays;

LT_API void lt_quality_arrays_clear(lt_quality_arrays *a);

/* Writes all of them but the images to FILE.npz, under the names of their fields. LT_VALUE, LT_IO. */
LT_API int lt_quality_arrays_write(const lt_quality_arrays *a, const char *path);

/* Zero means default. */
typedef struct lt_quality_options {
    int samples;       /* to be drawn; 0: 10000, or as many as the split has images if these are
                          less */
    int feature_steps; /* of training the classifier; 0: 1500, less for few images. Other steps,
                          other features */
    uint64_t seed;     /* of the samples, and of bits where the data are bits */
    lt_quality_arrays *arrays; /* filled in where the scores are; clear it then. NULL: not wanted */
    bool with_images;          /* also arrays->images */
    bool without_memorization; /* no search for copies: their verdict is LT_MEMORIZATION_UNKNOWN */
    bool with_all_scores;      /* also those that so few images cannot tell: see lt_quality_min_images */
    lt_run_options run;        /* LT_CPU alone: features are defined by its arithmetic */
} lt_quality_options;

/* Images against the held-out ones of the split, in d = 64 features, each of which has mean 0 and
   variance 1 over the train images; m, S: mean and covariance of features. */
typedef struct lt_sample_scores {
    double fid; /* Frechet distance, |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) (Heusel et al.
                   2017): 0 is best; too high by an amount that falls with the number of images */
    lt_estimate kid; /* squared maximum mean discrepancy of the kernel (x.y / d + 1)^3, without
                        bias: 0 for the same distribution, and as often below (Binkowski et al.
                        2018); over disjoint subsets of at most 1000 images */
    lt_estimate precision; /* share of the images within the reach of a held-out one, which is as far as
                              its 5th neighbor among the held-out ones: are they like real ones? */
    lt_estimate recall;    /* share of the held-out ones within the reach of an image: is everything
                              there? (both Kynkaanniemi et al. 2019) */
    lt_estimate density;   /* how many held-out ones reach an image, in fifths; 1 is expected, more is
                              possible. As precision, but outliers do not help */
    lt_estimate coverage;  /* share of the held-out ones that reach an image (both Naeem et al. 2020) */
    lt_estimate inception; /* exp of the mean KL(p(y|x) || p(y)), y the classifier's class: from 1
                              to the number of classes (Salimans et al. 2016); over 10 subsets. NaN
                              without labels */
} lt_sample_scores;

typedef enum lt_memorization_verdict {
    LT_MEMORIZATION_UNKNOWN, /* there are too few images, or they are too much alike */
    LT_MEMORIZATION_NONE, /* no more samples are close to a train image than held-out images are */
    LT_MEMORIZATION_FOUND,
} lt_memorization_verdict;

/* Whether samples are copies of train images. At most 2000 samples and 5000 held-out images, fewer of
   images of more than 3355 numbers, are each compared with all train images. For the train image
   nearest in detail (what a Gaussian of 2.5 pixels takes away of the image after one of 1 pixel;
   brightness and contrast taken off, shifts by a pixel allowed) the distance is divided by that of
   the 5th of the nearest 8: a blurred image is about equally near to many, a copy much nearer to
   one (as Carlini et al. 2023). An image is close if this is below a limit in detail and in the
   image after the Gaussian of 1 pixel, and at most 5 % of train images are nearer in features. Then
   so many samples are compared with so many held-out images by Fisher's exact test, at the limits 0.2,
   0.3, 0.4 and 0.5; what is found is what remains below 0.001 when p is multiplied by these four. */
typedef struct lt_memorization {
    lt_memorization_verdict verdict;
    int64_t samples, held_out, train; /* how many were looked at, and among how many */
    double closeness;             /* the limit with the least p */
    int64_t close, held_out_close; /* how many samples and held-out images are closer */
    lt_estimate share, held_out_share; /* close / samples, held_close / held */
    double p;                     /* of Fisher's test, times the number of limits, at most 1 */
    double least;        /* the smallest share of (clear) copies that would have been found; NaN:
                            none, there are too few images */
    lt_estimate neighbor_test; /* probability that in features a sample has a nearer train image than a
                            held-out image has (Meehan et al. 2020): 0.5 if they are alike. It decides
                            nothing: samples without variety or detail are above 0.5, too */
} lt_memorization;

enum { LT_QUALITY_PAIRS = 8, LT_DIGEST_TEXT = 65 };

/* A sample and the train image nearest to it. */
typedef struct lt_pair {
    int sample;      /* its number */
    lt_split split;  /* of the image: valid for one that `validation` cut off train */
    int image;       /* its number there */
    double distance; /* of their pixels: root of the mean square; of means of blocks of pixels where
                        a side has 64 or more */
    double pixels, detail; /* in parts of the distances of the next ones: see lt_memorization */
    double features;       /* share of train images that are nearer in features */
} lt_pair;

typedef struct lt_quality {
    char digest[LT_DIGEST_TEXT];          /* of all the scores depend on beside the samples */
    char features_digest[LT_DIGEST_TEXT]; /* of the classifier */
    char held_out_digest[LT_DIGEST_TEXT]; /* of the images that others are held against */
    int64_t images, held_out, floor_images; /* how many: samples; held; train images of the floor */
    int64_t train;         /* images that the classifier learned from and copies are looked for
                              among */
    bool is_drawn;         /* bits were drawn with the samples' pixels as probabilities, because the
                              data are bits; pixels that are 0 or 1 stay */
    bool is_rotation;      /* the data have no labels: the classes are how an image was turned */
    int classes;
    double accuracy;       /* of the classifier, on the held-out images; NaN where they have no
                              labels */
    double guess;          /* what always naming the class that most of them have would reach */
    bool is_guessing;      /* the classifier is not better than that by three standard errors: its
                              features say little, and its classes nothing */
    bool is_by_outliers;   /* density is less than half of precision: samples are within the reach of
                              few held-out images, far from all others, as noise is; precision says
                              little then */
    bool is_alike;         /* most held-out images have five others equal to them in features: who
                              reaches whom says nothing */
    bool was_cached;       /* the classifier was there already */
    lt_sample_scores samples, floor; /* of the samples; of as many train images, if there are */
    lt_memorization memorization;
    lt_pair pairs[LT_QUALITY_PAIRS]; /* the closest, whether they are copies or not */
    int n_pairs;
    double seconds;
} lt_quality;

/* Draws samples from a model, those of lt_sample with this seed, and scores them against a split of `d`. Where the
   split is train its last sixth is held, and the model has seen it. LT_INTERRUPTED when `run.progress`
   stopped it. LT_UNSUPPORTED for another
   executor than LT_CPU. LT_VALUE where nothing can be told: fewer than 20 images, numbers that are none, or features
   that are the same for all train images, as where these are all equal. Nullable: o. */
LT_API int lt_quality_measure(lt_model *m, lt_dataset *d, lt_split split,
                              const lt_quality_options *o, lt_quality *q);

/* The same for n images from anywhere, n x h x w x c as the data's; `samples` does not matter. What is
   not in [0, 1] is clamped. The images of lt_sample have the scores, and the digest, that
   lt_quality_measure gives with the same seed. Nullable: o. */
LT_API int lt_quality_of_images(lt_dataset *d, lt_split split, int n, const float *images,
                                const lt_quality_options *o, lt_quality *q);

/* How many samples, and held-out images, the score called "fid", "kid", "precision", "recall", "density",
   "coverage" or "inception" needs to say something: with fewer it is NaN. 0: there is no such score.
   The numbers are measured: docs/quality.md. */
LT_API int lt_quality_min_images(const char *score);

/* LT_OK if scores of a and b may be compared: one digest. Else LT_VALUE, and the message says what
   differs. */
LT_API int lt_quality_compare(const lt_quality *a, const lt_quality *b);

#ifdef __cplusplus
}
#endif
#endif
