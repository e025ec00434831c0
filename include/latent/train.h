/* SPDX-License-Identifier: MIT */
/* train.h: optimisers, the training loop, checkpoints.
 * A trainer borrows model and data, owns optimiser state, counters and compiled steps. Everything it
 * does is a function of (recipe, data, counters), so a checkpoint resumes to the same bits.
 *
 *     lt_trainer *t = lt_trainer_create(model, data, NULL);
 *     while (lt_trainer_epochs_done(t) < 20)
 *         lt_trainer_epoch(t, on_step, user, &report);
 *     lt_trainer_save(t, "model.safetensors");
 */
#ifndef LATENT_TRAIN_H
#define LATENT_TRAIN_H

#include <latent/data.h>
#include <latent/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lt_trainer lt_trainer;

typedef struct lt_trainer_options {
    int threads;            /* 0: all; results do not depend on it */
    lt_executor executor;
    bool profile;           /* time each kernel */
} lt_trainer_options;

/* NULL on failure. Nullable: o. */
LT_API lt_trainer *lt_trainer_create(lt_model *m, lt_dataset *d, const lt_trainer_options *o);
LT_API void lt_trainer_free(lt_trainer *t); /* Nullable: t */

/* Averages over the images seen since the epoch began; nats per image. */
typedef struct lt_train_report {
    int64_t step;  /* optimiser steps done in all */
    int64_t epoch; /* running epoch, from 1 */
    int64_t images, images_in_epoch; /* seen in this epoch; in a whole one */
    double loss, rate, distortion, beta, learning_rate, sigma; /* sigma: NaN if none */
    double seconds; /* since the epoch began or was resumed */
} lt_train_report;

/* Called after each step; returning false stops training after it (the trainer stays usable). */
typedef bool lt_step_function(void *user, const lt_train_report *r);

/* Trains to the end of the running epoch. LT_INTERRUPTED when `on_step` stopped it. A loss that is not finite
   is an error that names the step. Nullable: on_step, r. */
LT_API int lt_trainer_epoch(lt_trainer *t, lt_step_function *on_step, void *user,
                            lt_train_report *r);

/* One optimiser step on the next batch. */
LT_API int lt_trainer_step(lt_trainer *t);

LT_API int64_t lt_trainer_steps_done(const lt_trainer *t);
LT_API int64_t lt_trainer_epochs_done(const lt_trainer *t);
LT_API int lt_trainer_epochs(const lt_trainer *t); /* that the recipe asks for */

/* The session of full batches, for profiles. */
LT_API lt_session *lt_trainer_session(lt_trainer *t);
LT_API const lt_program *lt_trainer_program(lt_trainer *t);

/* Checkpoints: safetensors with the weights under PyTorch's names, optimiser state under
   "optimiser.", counters and the resolved recipe in the metadata. Written atomically. */
LT_API int lt_trainer_save(const lt_trainer *t, const char *path);
LT_API int lt_trainer_load(lt_trainer *t, const char *path);

/* Weights only, into a model of the same architecture. */
LT_API int lt_model_load(lt_model *m, const char *path);

/* Model of a checkpoint, built from the recipe in its metadata. NULL on failure. */
LT_API lt_model *lt_model_open(const char *path);

#ifdef __cplusplus
}
#endif
#endif
