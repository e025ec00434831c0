/* SPDX-License-Identifier: MIT */
/* What a trainer is made of: checkpoint.c reads and writes it. */
#ifndef LATENT_TRAINER_H
#define LATENT_TRAINER_H

#include "models/recipe.h"
#include "train/optimisers.h"

#include <latent/train.h>

/* The compiled step on batches of n images. */
typedef struct step_program {
    int n;
    lt_graph *graph;
    lt_program *program;
    lt_session *session;
    lt_node *x, *beta, *capacity, *learning_rate, *t; /* inputs; beta, capacity may be NULL */
    lt_node *loss, *rate, *distortion,
        *sigma; /* scalars: means, but for sigma, which may be NULL */
} step_program;

/* What training has come to: all that a checkpoint holds beside the blocks. */
typedef struct train_counters {
    int64_t step, epoch; /* done */
    int64_t images;      /* seen in the running epoch */
    double loss, rate, distortion; /* sums over these images */
} train_counters;

struct lt_trainer {
    lt_model *model;         /* borrowed */
    const lt_dataset *data;  /* borrowed */
    const lt_recipe *recipe; /* the model's */
    lt_trainer_options options;
    const optimiser *optimiser;
    int n_states;
    float *state[OPTIMISER_STATES]; /* blocks of the parameters' extent */
    int images;                     /* in an epoch */
    int batch;                      /* of full steps */
    int64_t steps_per_epoch;
    uint64_t seed;
    step_program full, rest; /* rest: for the last step of an epoch, if it is smaller */
    float *staging;          /* a batch, where the session does not keep floats */
    int32_t *order;          /* of the images in epoch `ordered` */
    int64_t ordered;         /* -1: none yet */
    train_counters done;
    double seconds; /* in steps of the running epoch */
    int64_t images_timed;
};

#endif
