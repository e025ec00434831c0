/* SPDX-License-Identifier: MIT */
/* train.h: the training loop and checkpoints.
 * A trainer borrows the model and the data; it owns optimizer state, counters and compiled steps. Everything
 * it does is a function of (recipe, data, counters), so resuming from a checkpoint gives the same bits.
 *
 *     lt_trainer *t = lt_trainer_create(model, data, NULL);
 *     while (lt_trainer_epochs_done(t) < 20)
 *         lt_trainer_epoch(t, NULL, NULL, &report);
 *     lt_trainer_save(t, "model.safetensors");
 */
#ifndef LATENT_TRAIN_H
#define LATENT_TRAIN_H

#include <latent/data.h>
#include <latent/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Training ---- */

typedef struct lt_trainer lt_trainer;

/* Zero means default. */
typedef struct lt_trainer_options {
    lt_run_options run; /* progress: called by lt_trainer_epoch after each step, with the fraction of the epoch */
    bool profile;       /* time each kernel: lt_session_profile(lt_trainer_session(t, 0), ...) */
} lt_trainer_options;

/* Opens the data set that a recipe names, with the recipe's options; `instead` replaces the recipe's name or path.
   Returns LT_VALUE if neither names a data set. *out is NULL on failure. Nullable: instead. */
LT_API int lt_recipe_open_data(const lt_recipe *r, const char *instead, lt_dataset **out);

/* Call it when lt_recipe_open_data or lt_model_create has failed with `status` on a folder or zip file of pictures.
   Adds to the error message the `data` options that make the pictures fit the recipe: usual sizes, tried on the
   pictures. Adds nothing if no such size fits, or if size is not the problem. Returns `status`. */
LT_API int lt_recipe_advise_data(const lt_recipe *r, int status);

/* Like lt_recipe_open_data, for evaluation on a part of the data: n `sets` such as "data.limit=100" or
   "data.classes=3, 7" change options of `data`; "data.set=NAME" is the same as `instead`. Returns LT_VALUE for
   options outside `data`, for options of training only (flip), and for two data sets. */
LT_API int lt_recipe_open_data_with(const lt_recipe *r, const char *instead,
                                    const char *const *sets, int n, lt_dataset **out);

/* Opens the data of a trained model: its recipe's data set, with n changes as above. A checkpoint stores
   SHA-256 digests (pixels and labels) of the splits it was trained with. If the recipe's name or path now holds
   other images, a warning is logged. A data set named by `instead` or "data.set=" is not compared.
   Nullable: instead. */
LT_API int lt_model_open_data(const lt_model *m, const char *instead, const char *const *sets, int n,
                              lt_dataset **out);

/* Returns LT_OK if the images of `d` have the size that `m` expects, else LT_VALUE. */
LT_API int lt_model_check_data(const lt_model *m, const lt_dataset *d);

/* Creates a trainer at step 0 that starts from the model's current parameters and trains on the train split.
   Returns NULL on failure. Nullable: o. */
LT_API lt_trainer *lt_trainer_create(lt_model *m, lt_dataset *d, const lt_trainer_options *o);
LT_API void lt_trainer_free(lt_trainer *t); /* Nullable: t */

/* The state of training. Values that the kind of model or its recipe does not have are NaN. */
typedef struct lt_train_report {
    int64_t step;            /* optimizer steps since training began; GAN: discriminator steps */
    int64_t epoch;           /* the current epoch, from 1 */
    int64_t images;          /* images seen in this epoch */
    int64_t images_in_epoch; /* images of a full epoch: each image of the split once */
    int64_t batch;           /* batch size of the last step */
    double beta, capacity, learning_rate; /* in the last step */
    double beta_first;       /* beta in the first step of this epoch: a schedule may change it within the epoch */

    double values[LT_METRICS]; /* the recipe's metrics in the order of lt_recipe_metrics: means over the images
                                  seen in this epoch, or values of the last step. See lt_metric_value */

    double seconds;          /* that this trainer spent in steps of this epoch */
    int64_t images_timed;    /* images seen in these seconds: fewer than `images` after a resume */
} lt_train_report;

/* Returns the value of a metric in a report. The recipe must be the one that was trained. NaN if there is no value:
   a penalty that the recipe does not use, or the loss of a phase that made no step in this epoch. */
LT_API double lt_metric_value(const lt_metric *metric, const lt_train_report *r);

/* Returns the value of the metric called `name`, such as "distortion"; NaN also if the recipe has no such metric. */
LT_API double lt_report_value(const lt_recipe *recipe, const lt_train_report *r, const char *name);

/* A term of a loss, in nats per image. */
typedef struct lt_loss_part {
    const char *name; /* static */
    double nats;      /* NaN: unknown */
} lt_loss_part;

enum { LT_LOSS_PARTS = 3 };

/* Writes the terms of the recipe's objective, which sum to `loss` of a report. Returns their number; 0 for a kind of
   model whose loss is not in nats:

       elbo              distortion, beta x rate
       with free_bits    distortion, beta x rate, free bits: the extra cost of latents below their minimum
       with capacity     distortion, off target: beta |rate - C|
       iwae, dreg, k > 1 distortion, beta x rate, gap: from the mean of log w to the log of the mean

   "beta x rate" is the mean over steps of beta times rate; it is called "rate" if beta is always 1. */
LT_API int lt_loss_parts(const lt_recipe *r, const lt_train_report *t,
                         lt_loss_part parts[LT_LOSS_PARTS]);

/* Called after each step; returning false stops training after that step. The callback may save the trainer. */
typedef bool lt_step_function(void *user, const lt_train_report *r);

/* Trains to the end of the current epoch. Returns LT_INTERRUPTED if `on_step` stopped it earlier; another call
   continues. Returns LT_VALUE, with the step in the message, if the loss is not finite. Nullable: on_step, user, r. */
LT_API int lt_trainer_epoch(lt_trainer *t, lt_step_function *on_step, void *user,
                            lt_train_report *r);

/* Makes one optimizer step on the next batch; the last batch of an epoch may be smaller. Nullable: r. */
LT_API int lt_trainer_step(lt_trainer *t, lt_train_report *r);

LT_API int64_t lt_trainer_steps_done(const lt_trainer *t);
LT_API int64_t lt_trainer_epochs_done(const lt_trainer *t);
LT_API int64_t lt_trainer_images_done(const lt_trainer *t); /* of the current epoch; 0 between epochs */

/* Returns a warning about the numbers of an epoch, such as discriminator saturation or mode collapse; NULL if there
   is none. A static string. */
LT_API const char *lt_train_warning(const lt_recipe *recipe, const lt_train_report *r);

/* The phases of a step, for profiles and dumps: a VAE has one, a GAN has discriminator and generator. Each is
   compiled for a full batch, or for the whole split if that is smaller. */
LT_API int lt_trainer_phases(const lt_trainer *t);
LT_API const char *lt_trainer_phase_name(const lt_trainer *t, int i);
LT_API const lt_program *lt_trainer_program(const lt_trainer *t, int i);
LT_API lt_session *lt_trainer_session(lt_trainer *t, int i);

/* ---- Checkpoints ----
   Safetensors: weights with PyTorch's names and shapes, optimizer state as "optimizer.adam.m.NAME"; counters,
   recipe and a digest in the metadata. Equal states give equal bytes. Files are written atomically. */

LT_API int lt_trainer_save(const lt_trainer *t, const char *path);

enum { LT_DIGEST_SIZE = 65 }; /* SHA-256 in hexadecimal, with the final zero */

/* In the next four functions `path` is a checkpoint or a run directory. Of a run, the newest intact checkpoint is
   read. */

/* Restores the complete state from a checkpoint of the same recipe and training images. Keys that
   lt_recipe_resumable lists may differ; differences are logged. On failure the trainer is unchanged. Returns LT_VALUE
   for another recipe, model or training set; LT_FORMAT for a damaged file or counters that contradict each other;
   LT_UNSUPPORTED for a later version of the format. */
LT_API int lt_trainer_load(lt_trainer *t, const char *path);

/* Loads weights and running statistics into a model of the same architecture, also from a file that PyTorch wrote,
   with tensors of any number type. A missing tensor, a surplus tensor or a wrong shape is an error that names the
   tensor and the nearest name; the model is then unchanged. */
LT_API int lt_model_load(lt_model *m, const char *path);

/* Builds the model of a checkpoint from the recipe in its metadata, and loads its weights. *out is NULL on failure.
   All four functions fail with LT_NOT_FOUND if a directory has no checkpoint. */
LT_API int lt_model_open(const char *path, lt_model **out);

/* Identifies the images and labels of a split by their content. */
typedef struct lt_data_identity {
    int64_t images;              /* 0: unknown, or the split is empty */
    char digest[LT_DIGEST_SIZE]; /* equal digests: equal images in the same order; "" if images is 0 */
} lt_data_identity;

/* The metadata of a checkpoint. Owns what it points to. */
typedef struct lt_checkpoint {
    char *path;                             /* of the file that was read */
    char digest[LT_DIGEST_SIZE];            /* of the content, verified; "": the file has none */
    lt_recipe *recipe;
    lt_image_size size;
    int64_t step, epoch, images;            /* steps and full epochs done, images seen in the current epoch; -1:
                                               unknown */
    lt_data_identity trained_on[LT_SPLITS]; /* full splits: before `validation`, `classes` and `limit` */
} lt_checkpoint;

/* Reads the metadata of a checkpoint without building its model. Returns LT_NOT_FOUND; LT_IO; LT_FORMAT if the file
   or a number in it is damaged; LT_VALUE if it has no recipe; LT_UNSUPPORTED as above. *out can be cleared in any
   case. */
LT_API int lt_checkpoint_info(const char *path, lt_checkpoint *out);
LT_API void lt_checkpoint_clear(lt_checkpoint *c);

#ifdef __cplusplus
}
#endif
#endif
