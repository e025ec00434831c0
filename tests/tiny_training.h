/* SPDX-License-Identifier: MIT */
/* A training that takes milliseconds: a VAE with two latents on made-up images of 4 x 4. */
#ifndef LATENT_TEST_TINY_TRAINING_H
#define LATENT_TEST_TINY_TRAINING_H

#include <latent/train.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct training {
    lt_dataset *data;
    lt_model *model;
    lt_trainer *trainer;
} training;

/* The recipe `words`, with one `set` ("train.batch=4") or none, on so many images. */
static inline training begin_training(const char *words, const char *set, int images)
{
    training t = {.data = NULL};
    lt_recipe *r = lt_recipe_parse("tiny.yaml", words, &set, set != NULL);
    if (!r)
        fail_msg("%s", lt_last_error());
    assert_int_equal(lt_dataset_synthetic(images, 4, 4, 1, lt_recipe_data_options(r), &t.data), LT_OK);
    t.model = lt_model_create(r, (lt_image_size){4, 4, 1});
    t.trainer = t.model ? lt_trainer_create(t.model, t.data, NULL) : NULL;
    lt_recipe_free(r);
    if (!t.trainer)
        fail_msg("%s", lt_last_error());
    return t;
}

static inline void end_training(training *t)
{
    lt_trainer_free(t->trainer);
    lt_model_free(t->model);
    lt_dataset_free(t->data);
}

static inline void expect_ok(int status)
{
    if (status != LT_OK)
        fail_msg("%s: %s", lt_status_name(status), lt_last_error());
}

#endif
