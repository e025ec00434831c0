/* SPDX-License-Identifier: MIT */
/* Shared by train and resume: from a recipe or a run directory to the last epoch. */
#ifndef LATENT_TRAINING_H
#define LATENT_TRAINING_H

#include "cli.h"

typedef struct train_options {
    int64_t threads; /* 0: all */
    int executor;    /* lt_executor */
    const char *weights; /* train: a file of initial weights, or NULL */
} train_options;

/* Trains recipe `r` in a new run directory. Prints all messages and returns the exit code. */
int train_new(const command *c, const lt_recipe *r, const char *dir, const train_options *o);

/* Resumes a run with changes to its recipe. */
int train_on(const command *c, const char *dir, const text_list *sets, const train_options *o);

/* Adds `key=value` to a list of sets; the value is literal. The caller frees the returned string. */
char *set_text(text_list *sets, const char *key, const char *value);
char *set_count(text_list *sets, const char *key, int64_t value);
char *set_data(text_list *sets, const char *data);

#endif
