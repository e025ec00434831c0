/* SPDX-License-Identifier: MIT */
/* quality.h: scores of the images that a model of any kind generates.
 * All scores use the features of a small classifier that is trained once on the images of the data set and kept in
 * the cache directory. A score means little alone: each comes with the same score of train images (its floor)
 * and with a digest of everything it depends on besides the samples. Only scores with equal digests are comparable.
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

/* The inputs of the scores, for computing them elsewhere. Owns its arrays. */
typedef struct lt_quality_arrays {
    int width, classes;       /* features per image; classes of the classifier */
    int samples, held_out, train; /* numbers of images; train: those of the floor */
    float *sample_features, *held_out_features, *train_features; /* n x width */
    float *sample_classes, *train_classes; /* n x classes: class probabilities of the classifier */
    int32_t *held_out_index, *train_index; /* n: index of the image in the split as it was read */
    int32_t *held_out_split, *train_split; /* n: that split, an lt_split; valid for images cut off train */
    int32_t *held_out_labels, *train_labels; /* n; NULL: no labels */
    int32_t *sample_order, *held_out_order, *train_order; /* n: row order for KID and inception score, see
                                                             docs/quality.md */
    int h, w, c;
    float *images; /* samples x h x w x c, as scored; NULL if not asked for */
} lt_quality_arrays;

LT_API void lt_quality_arrays_clear(lt_quality_arrays *a);

/* Writes all arrays except the images to FILE.npz, named after their fields. LT_VALUE, LT_IO. */
LT_API int lt_quality_arrays_write(const lt_quality_arrays *a, const char *path);

/* Zero means default. */
typedef struct lt_quality_options {
    int samples;       /* to generate; 0: 10000, or as many as the split has images if it has fewer */
    int feature_steps; /* training steps of the classifier; 0: 1500, fewer for few images. Other steps give other
                          features */
    uint64_t seed;     /* of the samples, and of sampled bits if the data are bits */
    lt_quality_arrays *arrays; /* filled in together with the scores; the caller clears it. NULL: not wanted */
    bool with_images;          /* also arrays->images */
    bool without_memorization; /* skip the search for copies: the verdict is LT_MEMORIZATION_UNKNOWN */
    bool with_all_scores;      /* also scores that need more images than there are: see lt_quality_min_images */
    lt_run_options run;        /* LT_CPU only: features are defined by its arithmetic */
} lt_quality_options;

/* Scores of images against the held-out images of the split, in d = 64 features that have mean 0 and
   variance 1 over the train images; m, S: mean and covariance of features. The ball of an image reaches to its
   5th nearest neighbor in its own set. */
typedef struct lt_sample_scores {
    double fid; /* Frechet distance, |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) (Heusel et al. 2017): 0 is best; its
                   positive bias falls with the number of images */
    lt_estimate kid; /* squared maximum mean discrepancy of the kernel (x.y / d + 1)^3, unbiased: 0 in expectation
                        for the same distribution, so often negative (Binkowski et al. 2018); over disjoint subsets
                        of at most 1000 images */
    lt_estimate precision; /* share of the images inside the ball of a held-out one: do they look real? */
    lt_estimate recall;    /* share of the held-out images inside the ball of an image: is every mode covered?
                              (both Kynkaanniemi et al. 2019) */
    lt_estimate density;   /* mean number of held-out balls that contain an image, divided by 5: expected 1, may be
                              more. Like precision, but robust to outliers */
    lt_estimate coverage;  /* share of the held-out images whose ball contains an image (both Naeem et al. 2020) */
    lt_estimate inception; /* exp of the mean KL(p(y|x) || p(y)), y the classifier's class: between 1 and the number
                              of classes (Salimans et al. 2016); over 10 subsets. NaN without labels */
} lt_sample_scores;

typedef enum lt_memorization_verdict {
    LT_MEMORIZATION_UNKNOWN, /* too few images, or they are too similar to each other */
    LT_MEMORIZATION_NONE, /* samples are not close to train images more often than held-out images are */
    LT_MEMORIZATION_FOUND,
} lt_memorization_verdict;

/* Memorization: whether samples are copies of train images. Compares at most 2000 samples and 5000 held-out images
   (fewer if an image has more than 3355 numbers) with all train images. The detail of an image is its blur by a
   Gaussian of 1 pixel minus its blur by one of 2.5 pixels, with brightness and contrast normalized; shifts by a
   pixel are allowed. The distance to the train image nearest in detail is divided by the distance to the 5th of the
   8 nearest: a blurred image is about equally near to many, a copy much nearer to one (as in Carlini et al. 2023).
   An image is close if this ratio is below a limit, both in detail and in the image blurred by 1 pixel, and at most
   5 % of train images are nearer in features. Fisher's exact test then compares the counts of close samples and
   close held-out images at the limits 0.2, 0.3, 0.4 and 0.5. Memorization is found if p times four is below 0.001. */
typedef struct lt_memorization {
    lt_memorization_verdict verdict;
    int64_t samples, held_out, train; /* numbers of images compared; of train images they were compared with */
    double closeness;             /* the limit with the smallest p */
    int64_t close, held_out_close; /* numbers of close samples and close held-out images */
    lt_estimate share, held_out_share; /* close / samples, held_out_close / held_out */
    double p;                     /* of Fisher's test, times the number of limits, at most 1 */
    double least;        /* the smallest share of exact copies that the test would have found; NaN: too few images to
                            find any */
    lt_estimate neighbor_test; /* probability that in features a sample is nearer to its nearest train image than a
                            held-out image is (Meehan et al. 2020): 0.5 if they are alike. Not part of the verdict:
                            samples without variety or detail are above 0.5, too */
} lt_memorization;

enum { LT_QUALITY_PAIRS = 8, LT_DIGEST_TEXT = 65 };

/* A sample and the train image nearest to it. */
typedef struct lt_pair {
    int sample;      /* its number */
    lt_split split;  /* of the image: valid for one that `validation` cut off train */
    int image;       /* its number there */
    double distance; /* root mean square difference of their pixels; of block means if a side has 64 pixels or more */
    double pixels, detail; /* distances relative to the next neighbors: see lt_memorization */
    double features;       /* share of train images that are nearer in features */
} lt_pair;

typedef struct lt_quality {
    char digest[LT_DIGEST_TEXT];          /* of everything the scores depend on besides the samples */
    char features_digest[LT_DIGEST_TEXT]; /* of the classifier */
    char held_out_digest[LT_DIGEST_TEXT]; /* of the held-out images */
    int64_t images, held_out, floor_images; /* numbers of samples, held-out images, train images of the floor */
    int64_t train;         /* images the classifier was trained on; copies are searched among them */
    bool is_drawn;         /* bits were sampled with the samples' pixels as probabilities, because the data are bits;
                              pixels that are 0 or 1 stay */
    bool is_rotation;      /* the data have no labels: the classes are rotations of an image */
    int classes;
    double accuracy;       /* of the classifier on the held-out images; NaN if they have no labels */
    double guess;          /* accuracy of always guessing the most frequent class */
    bool is_guessing;      /* accuracy exceeds that by less than three standard errors: features and classes of this
                              classifier are not informative */
    bool is_by_outliers;   /* density is less than half of precision: samples lie in the balls of a few outliers
                              among the held-out images, as noise does; precision is then not informative */
    bool is_alike;         /* most held-out images equal five others in features: their balls are empty, and scores
                              by neighbors are not informative */
    bool was_cached;       /* the classifier was in the cache */
    lt_sample_scores samples, floor; /* of the samples; of as many train images, if there are so many */
    lt_memorization memorization;
    lt_pair pairs[LT_QUALITY_PAIRS]; /* the closest ones, copies or not */
    int n_pairs;
    double seconds;
} lt_quality;

/* Generates the samples of lt_sample with this seed and scores them against a split of `d`. If the split is train,
   its last sixth is held out, although the model has seen it. Returns LT_INTERRUPTED if `run.progress` stopped it;
   LT_UNSUPPORTED for an executor other than LT_CPU; LT_VALUE for fewer than 20 images, for pixels that are NaN or
   infinite, and for features that are equal for all train images. Nullable: o. */
LT_API int lt_quality_measure(lt_model *m, lt_dataset *d, lt_split split,
                              const lt_quality_options *o, lt_quality *q);

/* Scores n images from any source, n x h x w x c like the data; ignores `samples`. Clamps values to [0, 1]. For the
   images of lt_sample it returns the scores and the digest of lt_quality_measure with the same seed. Nullable: o. */
LT_API int lt_quality_of_images(lt_dataset *d, lt_split split, int n, const float *images,
                                const lt_quality_options *o, lt_quality *q);

/* Returns the smallest number of samples, and of held-out images, for which the score called "fid", "kid",
   "precision", "recall", "density", "coverage" or "inception" is reported: with fewer it is NaN. Returns 0 for an
   unknown score. docs/quality.md has the measurements behind these numbers. */
LT_API int lt_quality_min_images(const char *score);

/* Returns LT_OK if the scores of a and b are comparable: their digests are equal. Else LT_VALUE; the message says what
   differs. */
LT_API int lt_quality_compare(const lt_quality *a, const lt_quality *b);

#ifdef __cplusplus
}
#endif
#endif
