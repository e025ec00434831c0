/* SPDX-License-Identifier: MIT */
/* The table of training: a row per epoch, below a row of heads. */
#ifndef LATENT_EPOCH_ROWS_H
#define LATENT_EPOCH_ROWS_H

#include "cli.h"

/* Initialize it as {.recipe = ..., .epochs = ...}; the first row fixes the columns. */
typedef struct epoch_rows {
    const lt_recipe *recipe;
    int64_t epochs;
    bool is_wide; /* more than 1000 numbers in an image: losses of five digits */
    int written;  /* rows since the heads */
    int width;    /* for which the columns were chosen; 0: not yet */
    uint32_t shown;
} epoch_rows;

/* Prints the units of the columns: "nats per image ...". Validation uses `valid` images of `split`. */
void epoch_rows_explain(const epoch_rows *rows, int valid, lt_split split);

/* Prints a row: the report of an epoch, its validation, and seconds since training began. Omits columns that do not
   fit, the speed first. Nullable: v. */
void epoch_rows_say(epoch_rows *rows, const lt_train_report *r, const lt_validation *v, double seconds);

/* Formats only the loss, for the progress line: "263.71 nats". */
const char *epoch_loss_text(const epoch_rows *rows, const lt_train_report *r, char text[64]);

/* Images per second of training. */
double epoch_speed(const lt_train_report *r);

#endif
