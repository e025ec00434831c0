/* SPDX-License-Identifier: MIT */
/* Adversarial models in training, for their tests. Included by test programs, not all of which use
   all of it. */
#ifndef LATENT_TEST_GAN_TRAINING_H
#define LATENT_TEST_GAN_TRAINING_H

#include "check.h"
#include "data_files.h"
#include "train/trainer.h"

#include <latent/eval.h>

/* ---- Data ---- */

/* n images of h x w x c and, where labels are given, their classes, as files and back. */
static inline lt_dataset *open_images(const float *x, int n, lt_image_size s, const int *labels)
{
    char dictionary[96];
    const char *set = in_dir("set");
    assert_int_equal(file_make_directories(set), LT_OK);
    assert_int_equal(lt_npy_write(in_dir("set/train.npy"), x, 4,
                                  (const int64_t[]){n, s.h, s.w, s.c}),
                     LT_OK);
    remove(in_dir("set/train-labels.npy"));
    if (labels) {
        unsigned char *bytes_of_labels = must_alloc((size_t)n);
        for (int i = 0; i < n; i++)
            bytes_of_labels[i] = (unsigned char)labels[i];
        snprintf(dictionary, sizeof dictionary,
                 "{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }", n);
        put_npy("set/train-labels.npy", dictionary, bytes_of_labels, (size_t)n);
        free(bytes_of_labels);
    }
    return must_open(in_dir("set"), NULL);
}

/* ---- Training ---- */

typedef struct training {
    lt_dataset *data; /* owned */
    lt_model *model;
    lt_trainer *trainer;
} training;

static inline lt_recipe *must_parse(const char *words, const char *const *sets, int n)
{
    lt_recipe *r = lt_recipe_parse("tiny.yaml", words, sets, n);
    if (!r)
        fail_msg("%s", lt_last_error());
    return r;
}

/* The model of these words for the data, whose owner it becomes. No trainer yet. */
static inline training begin_model(const char *words, const char *const *sets, int n,
                                   lt_dataset *data)
{
    lt_recipe *r = must_parse(words, sets, n);
    const lt_dataset_info *info = lt_dataset_describe(data);
    training t = {.data = data,
                  .model = lt_model_create(r, (lt_image_size){info->h, info->w, info->c})};
    if (!t.model)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    return t;
}

static inline void begin_trainer(training *t, lt_executor executor, int threads)
{
    t->trainer = lt_trainer_create(
        t->model, t->data, &(lt_trainer_options){.run = {.executor = executor, .threads = threads}});
    if (!t->trainer)
        fail_msg("%s", lt_last_error());
}

static inline void end_training(training *t)
{
    lt_trainer_free(t->trainer);
    lt_model_free(t->model);
    lt_dataset_free(t->data);
}

static inline lt_train_report must_step(lt_trainer *t)
{
    lt_train_report r;
    if (lt_trainer_step(t, &r) != LT_OK)
        fail_msg("%s", lt_last_error());
    return r;
}

static inline void must_train(lt_trainer *t, int64_t steps)
{
    while (lt_trainer_steps_done(t) < steps)
        must_step(t);
}

#endif
