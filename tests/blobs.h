/* SPDX-License-Identifier: MIT */
/* Made-up images to be scored, a model of them, and a cache of features that is gone after a test. */
#ifndef LATENT_TEST_BLOBS_H
#define LATENT_TEST_BLOBS_H

#include "check.h"
#include "scratch.h"

#include <latent/quality.h>
#include <latent/train.h>

enum { SIDE = 10, PIXELS = SIDE * SIDE, TRAIN = 1500, TEST = 300, STEPS = 40 };

static char warned[4096];

static inline void keep_log(void *user, lt_log_level level, const char *line)
{
    (void)user;
    (void)level;
    snprintf(warned, sizeof warned, "%s", line);
}

static inline int open_dir(void **state)
{
    int status = make_dir(state);
    setenv("XDG_CACHE_HOME", in_dir("cache"), 1);
    warned[0] = 0;
    lt_set_log(keep_log, NULL);
    return status;
}

static inline int close_dir(void **state)
{
    lt_set_log(NULL, NULL);
    unsetenv("XDG_CACHE_HOME");
    return remove_dir(state);
}

static inline lt_dataset *blobs(int64_t seed)
{
    lt_dataset *d;
    lt_data_options o = {.seed = seed};
    assert_int_equal(lt_dataset_synthetic(TRAIN, SIDE, SIDE, 1, &o, &d), LT_OK);
    return d;
}

/* n images of a split from `first` on; the caller frees them. */
static inline float *take_images(const lt_dataset *d, lt_split split, int first, int n)
{
    const lt_dataset_info *info = lt_dataset_describe(d);
    float *x = must_alloc(sizeof *x * (size_t)(n * info->h * info->w * info->c));
    int32_t *index = must_alloc(sizeof *index * (size_t)n);
    for (int i = 0; i < n; i++)
        index[i] = first + i;
    assert_int_equal(lt_dataset_gather(d, split, index, n, 0, 1, x), LT_OK);
    free(index);
    return x;
}

static inline lt_quality quality_of(lt_dataset *d, int n, const float *images, int threads)
{
    lt_quality q;
    lt_quality_options o = {.feature_steps = STEPS, .run.threads = threads, .with_all_scores = true};
    if (lt_quality_of_images(d, LT_TEST, n, images, &o, &q) != LT_OK)
        fail_msg("%s", lt_last_error());
    return q;
}

static inline void assert_same_quality(const lt_quality *a, const lt_quality *b)
{
    assert_string_equal(a->digest, b->digest);
    assert_string_equal(a->features_digest, b->features_digest);
    assert_memory_equal(&a->samples, &b->samples, sizeof a->samples);
    assert_memory_equal(&a->floor, &b->floor, sizeof a->floor);
    assert_memory_equal(&a->memorization, &b->memorization, sizeof a->memorization);
    assert_memory_equal(&a->accuracy, &b->accuracy, sizeof a->accuracy);
}

/* ---- A model ---- */

static const char recipe_text[] = "data: {set: synthetic}\n"
                                  "model:\n  latent: 3\n  likelihood: bernoulli\n"
                                  "  encoder: [linear 6, tanh]\n"
                                  "  decoder: [linear 6, tanh, linear image]\n";

static inline lt_model *open_model(void)
{
    lt_recipe *r = lt_recipe_parse("tiny.yaml", recipe_text, NULL, 0);
    if (!r)
        fail_msg("%s", lt_last_error());
    lt_model *m = lt_model_create(r, (lt_image_size){SIDE, SIDE, 1});
    lt_recipe_free(r);
    assert_non_null(m);
    return m;
}

#endif
