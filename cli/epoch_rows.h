/* SPDX-License-Identifier: MIT */
/* The table that training writes: a row for each epoch, below a row of heads. */
#ifndef LATENT_EPOCH_ROWS_H
#define LATENT_EPOCH_ROWS_H

#include "cli.h"

/* Begin it as {.recipe = ..., .epochs = ...}; the first row settles the columns. */
typedef struct epoch_rows {
    const lt_recipe *recipe;
    int64_t epochs;
    bool is_wide; /* more than 1000 numbers in an image: losses of five digits */
    int written;  /* rows since the heads */
    int width;    /* that the columns were chosen for; 0: they were not yet */
    uint32_t shown;
} epoch_rows;

/* Says what the columns are of: "nats per image ...". `valid` images of `split` are what validation takes. */
void epoch_rows_explain(const epoch_rows *rows, int valid, lt_split split);

/* Says a row: the report of an epoch, its validation, and seconds since training began. What there is no room
   for is left out, the speed first. Nullable: v. */
void epoch_rows_say(epoch_rows *rows, const lt_train_report *r, const lt_validation *v, double seconds);

/* The loss alone, for the foot of the terminal: "263.71 nats". */
const char *epoch_loss_text(const epoch_rows *rows, const lt_train_report *r, char text[64]);

/* Images seen in a second of training. */
double epoch_speed(const lt_train_report *r);

#endif
