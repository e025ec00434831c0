/* SPDX-License-Identifier: MIT */
/* train.h: the training loop and checkpoints.
 * A trainer borrows model and data, owns optimizer state, counters and compiled steps. Everything
 * it does is a function of (recipe, data, counters), so a checkpoint resumes to the same bits.
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
    lt_run_options run; /* progress: of each epoch, after each step, in lt_trainer_epoch */
    bool profile;       /* time each kernel: lt_session_profile(lt_trainer_session(t, 0), ...) */
} lt_trainer_options;

/* Opens the data that a recipe names, with the recipe's options; `instead` stands for the recipe's
   name or path. LT_VALUE if the recipe names none and there is none instead; *out is NULL on failure. Nullable:
   instead. */
LT_API int lt_recipe_open_data(const lt_recipe *r, const char *instead, lt_dataset **out);

/* After lt_recipe_open_data or lt_model_create failed with `status` for a folder or zip file of pictures: adds
   to the error message the options of `data` with which the recipe takes them, in usual sizes and tried on
   the pictures; nothing if there are none or it is no matter of sizes. Gives `status`. */
LT_API int lt_recipe_advise_data(const lt_recipe *r, int status);

/* The same as lt_recipe_open_data for evaluation on a chosen part of the data: `sets` like "data.limit=100" or
   "data.classes=3, 7" change n options of `data`; "data.set=NAME" stands for `instead`. LT_VALUE for
   what is not of `data`, for what only training asks for (flip), and for two sets of data. */
LT_API int lt_recipe_open_data_with(const lt_recipe *r, const char *instead,
                                    const char *const *sets, int n, lt_dataset **out);

/* Opens the data of a trained model: those of its recipe, with `n` changes as above. A checkpoint knows
   the content of the splits it was trained with (SHA-256 of pixels and labels): other images at the
   recipe's name or path are reported through the log, the same ones elsewhere are not. What `instead` or
   "data.set=" names is not compared. Nullable: instead. */
LT_API int lt_model_open_data(const lt_model *m, const char *instead, const char *const *sets, int n,
                              lt_dataset **out);

/* LT_OK if the images of `d` have the size that `m` is made for, else LT_VALUE. */
LT_API int lt_model_check_data(const lt_model *m, const lt_dataset *d);

/* A trainer at the beginning: the parameters are what the model holds, nothing has been seen. It
   trains on the train split. NULL on failure. Nullable: o. */
LT_API lt_trainer *lt_trainer_create(lt_model *m, lt_dataset *d, const lt_trainer_options *o);
LT_API void lt_trainer_free(lt_trainer *t); /* Nullable: t */

/* Where training is. NaN is what the kind of model, or its recipe, does not have. */
typedef struct lt_train_report {
    int64_t step;            /* optimizer steps done in all, of a gan the discriminator's */
    int64_t epoch;           /* the epoch this is about, from 1 */
    int64_t images;          /* seen in this epoch */
    int64_t images_in_epoch; /* in a whole one: every image of the split once */
    int64_t batch;           /* images of the last step */
    double beta, capacity, learning_rate; /* of the last step */
    double beta_first;       /* of the first step of this epoch: a schedule may move beta within it */

    double values[LT_METRICS]; /* of the recipe's metrics, in the order of lt_recipe_metrics: means over the
                                images seen since the epoch began, or of the last step. See lt_metric_value */

    double seconds;          /* spent in steps of this epoch by this trainer */
    int64_t images_timed;    /* images seen in these seconds: fewer than `images` after a resume */
} lt_train_report;

/* The value of a metric in a report of a training of the same recipe; NaN where there is nothing to report:
   a penalty that the recipe does not have, the loss of a phase that had no step in this epoch. */
LT_API double lt_metric_value(const lt_metric *metric, const lt_train_report *r);

/* The same by its name, "distortion"; NaN also where the recipe has no such metric. */
LT_API double lt_report_value(const lt_recipe *recipe, const lt_train_report *r, const char *name);

/* A term of a loss, in nats per image. */
typedef struct lt_loss_part {
    const char *name; /* static */
    double nats;      /* NaN: not known */
} lt_loss_part;

enum { LT_LOSS_PARTS = 3 };

/* The terms that add up to `loss` of a report, those of the recipe's objective; how many, 0 for a kind
   of model whose loss is not in nats:

       elbo              distortion, beta x rate
       with free_bits    distortion, beta x rate, free bits: what latents below their minimum cost more
       with capacity     distortion, off target: beta |rate - C|
       iwae, dreg, k > 1 distortion, beta x rate, gap: from the mean of log w to the log of the mean

   "beta x rate" is called "rate" where beta is 1 throughout, and is the mean of the products. */
LT_API int lt_loss_parts(const lt_recipe *r, const lt_train_report *t,
                         lt_loss_part parts[LT_LOSS_PARTS]);

/* Called after each step; returning false stops training there. The trainer may be saved in it. */
typedef bool lt_step_function(void *user, const lt_train_report *r);

/* Trains to the end of the running epoch. LT_INTERRUPTED when `on_step` stopped it before that; it
   can then go on. A loss that is not finite is LT_VALUE and names the step. Nullable: on_step,
   user, r. */
LT_API int lt_trainer_epoch(lt_trainer *t, lt_step_function *on_step, void *user,
                            lt_train_report *r);

/* One optimizer step on the next batch; the last one of an epoch is as small as what is left.
   Nullable: r. */
LT_API int lt_trainer_step(lt_trainer *t, lt_train_report *r);

LT_API int64_t lt_trainer_steps_done(const lt_trainer *t);
LT_API int64_t lt_trainer_epochs_done(const lt_trainer *t);
LT_API int64_t lt_trainer_images_done(const lt_trainer *t); /* of the epoch after these; 0 between */

/* What is worth a warning in the numbers of an epoch: a discriminator that has won, images that are all
   alike. NULL: nothing. A static string. */
LT_API const char *lt_train_warning(const lt_recipe *recipe, const lt_train_report *r);

/* The phases of a step, each compiled on a full batch (on the whole split where that is smaller):
   one for a vae, discriminator and generator for a gan; for profiles and dumps. */
LT_API int lt_trainer_phases(const lt_trainer *t);
LT_API const char *lt_trainer_phase_name(const lt_trainer *t, int i);
LT_API const lt_program *lt_trainer_program(const lt_trainer *t, int i);
LT_API lt_session *lt_trainer_session(lt_trainer *t, int i);

/* ---- Checkpoints ----
   Safetensors: the weights under PyTorch's names and shapes, optimizer state as
   "optimizer.adam.m.NAME", counters, recipe and a digest in the metadata. Equal states are equal
   bytes. Files appear whole or not at all. */

LT_API int lt_trainer_save(const lt_trainer *t, const char *path);

enum { LT_DIGEST_SIZE = 65 }; /* of SHA-256 in hexadecimal, with its final zero */

/* In these four `path` is a checkpoint, or a run directory, of which the newest whole checkpoint is taken. */

/* Takes everything from a checkpoint of the same recipe and training images; what of the recipe may differ is
   the list of lt_recipe_resumable, and said through the log. Else the trainer is as before: LT_VALUE
   says what differs; LT_FORMAT that the file is not whole, or its numbers contradict each other;
   LT_UNSUPPORTED that it is of a later version of the format. */
LT_API int lt_trainer_load(lt_trainer *t, const char *path);

/* Weights and running numbers only, into a model of the same architecture; also from a file that
   PyTorch wrote, of any number type. A tensor that is missing, too many, or of another shape is an
   error that names it and the nearest name; the model is then as before. */
LT_API int lt_model_load(lt_model *m, const char *path);

/* The model of a checkpoint, built from the recipe in its metadata. NULL on failure; a directory without a
   checkpoint is LT_NOT_FOUND, in the others as well. */
LT_API lt_model *lt_model_open(const char *path);

/* The images of a split and their labels, by their content. */
typedef struct lt_data_identity {
    int64_t images;              /* 0: the checkpoint does not say, or the split has none */
    char digest[LT_DIGEST_SIZE]; /* equal digests: equal images in the same order; "" with 0 images */
} lt_data_identity;

/* The metadata of a checkpoint. Owns what it points to. */
typedef struct lt_checkpoint {
    char *path;                             /* of the file that was read */
    char digest[LT_DIGEST_SIZE];            /* that the content was compared with; "": the file has none */
    lt_recipe *recipe;
    lt_image_size size;
    int64_t step, epoch, images;            /* steps and whole epochs done, images of the epoch after these; -1: the
                                               file does not say */
    lt_data_identity trained_on[LT_SPLITS]; /* each split whole: before `validation`, `classes` and `limit` */
} lt_checkpoint;

/* Reads what a checkpoint is, without building its model. LT_NOT_FOUND, LT_IO; LT_FORMAT: the file is not whole, or
   a number is damaged; LT_VALUE: it has no recipe; LT_UNSUPPORTED as above. *out can be cleared in any case. */
LT_API int lt_checkpoint_info(const char *path, lt_checkpoint *out);
LT_API void lt_checkpoint_clear(lt_checkpoint *c);

#ifdef __cplusplus
}
#endif
#endif
