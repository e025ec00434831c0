/* SPDX-License-Identifier: MIT */
/* The trainer's struct; checkpoint.c reads and writes it. */
#ifndef LATENT_TRAINER_H
#define LATENT_TRAINER_H

#include "data/identity.h"
#include "models/kind.h"
#include "nn/optimizers.h"

#include <latent/train.h>

/* The compiled step of a phase on batches of n images. */
typedef struct step_program {
    int n;
    lt_graph *graph;
    lt_session *session;
    lt_node *x, *labels; /* inputs; NULL if the phase reads no images, or no classes */
    lt_node *beta, *capacity, *learning_rate, *t, *mix; /* scalar inputs; NULL: not used */
    lt_node *loss, *metric[LT_METRICS];                 /* scalars; NULL: not of this phase */
} step_program;

/* A phase of training and its optimizer. */
typedef struct trainer_phase {
    const phase *row;
    lt_params *params;       /* borrowed: the parameters it trains */
    lt_buffer *average;      /* borrowed: the model's EMA, if this phase updates it */
    const spec *optimizer_spec; /* spec of the optimizer in the recipe */
    const optimizer *optimizer;
    int n_states;
    lt_buffer *state[OPTIMIZER_STATES]; /* blocks of the extent of `params` */
    int64_t every;                  /* batches for one step */
    step_program full, rest;        /* rest: for the last step of an epoch, if it is smaller */
} trainer_phase;

/* The progress of training: all that a checkpoint holds besides the blocks. */
typedef struct train_counters {
    int64_t step, epoch;        /* done; a step is one batch */
    int64_t images;             /* seen in the current epoch */
    int64_t seen[MAX_PHASES];   /* images of these that each phase has seen */
    double sum[LT_METRICS];     /* of each metric over the images of its phase */
} train_counters;

struct lt_trainer {
    lt_model *model;         /* borrowed */
    const lt_dataset *data;  /* borrowed */
    const lt_recipe *recipe; /* the model's */
    lt_trainer_options options;
    trainer_phase phases[MAX_PHASES];
    int n_phases;
    int phase_of[LT_METRICS];   /* the phase that computes a metric; -1: none */
    int images;                 /* in an epoch */
    int batch;                  /* of full steps */
    int64_t steps_per_epoch;
    uint64_t seed;
    float *staging;          /* a batch, if the session does not keep floats */
    int32_t *labels;         /* of a batch; NULL: not used */
    int32_t *order;          /* of the images in epoch `ordered` */
    int64_t ordered;         /* -1: none yet */
    char identity[LT_SPLITS][IDENTITY_TEXT]; /* of the data; "": no such split */
    train_counters done;
    double seconds; /* in steps of the current epoch */
    int64_t images_timed;
};

/* ---- step.c ---- */

/* Compiles the step of phase i on n images. Call step_free in any case. */
int step_build(lt_trainer *t, int i, step_program *p, int n);
void step_free(step_program *p);

/* Runs the step on the batch in the session and on the trainer's labels, and writes its metrics to `value`. */
int step_run(lt_trainer *t, int i, const step_program *p, double value[LT_METRICS]);

/* ---- identity.c ---- */

/* Computes the identities of the splits of the data. */
void identity_find(lt_trainer *t);

#endif
