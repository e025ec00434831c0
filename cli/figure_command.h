/* SPDX-License-Identifier: MIT */
/* What the commands that draw images with captions share: a grid that is filled place by place, and
   the codes that it is made of. */
#ifndef LATENT_FIGURE_COMMAND_H
#define LATENT_FIGURE_COMMAND_H

#include "plot_kinds.h"

/* What all of them are asked. The tables of options have it in one order: how many, output, what only
   that command knows, class, split, seed, data, title, zoom, threads. */
typedef struct figure_request {
    const command *command;
    const char *run, *out, *title, *data;
    const command_line *line; /* NULL: nobody typed it */
    const char *checkpoint; /* that is drawn; NULL: not to be said */
    int64_t zoom, seed, threads;
    int split;
    bool is_plain; /* images alone, close together, without a word */
    bool is_quiet; /* says nothing when it is written */
} figure_request;

/* Reads the command line, opens the run, lets `draw` work on it, closes. `request` begins with a
   figure_request, of which command, run, line and checkpoint are filled in. Both give the exit code. */
typedef int figure_drawer(trained *t, void *request);
int figure_run(const command *c, const flag *flags, int argc, const char **argv,
               figure_drawer *draw, void *request);

/* Refuses options that would be passed over: of images, where the model has no encoder; of classes,
   where it has none. Both give the exit code. */
int figure_refuse_images(const trained *t, const figure_request *q);
int figure_refuse_class(const trained *t, const figure_request *q);

/* Opens the data asked for, or the recipe's, where none are open, and finds the split. */
int figure_find_data(trained *t, const figure_request *q, lt_split *split);

/* rows x columns images, and captions; "" is none. */
typedef struct figure {
    const lt_model *model;
    int rows, columns, group; /* group: rows that belong together; 0: all */
    int n;                    /* images; the last row may have fewer */
    bool is_seamless;         /* images touch */
    int64_t size;             /* numbers in an image */
    float *images;
    char **row_names, **column_names;
    char subtitle[256];
} figure;

/* Whether so many images can be drawn at once; false after a complaint. */
bool figure_fits(const command *c, int64_t rows, int64_t columns);

void figure_open(figure *f, const lt_model *m, int rows, int columns);
float *figure_place(const figure *f, int row, int column);
void figure_name_row(figure *f, int row, const char *format, ...) LT_PRINTF(3, 4);
void figure_name_column(figure *f, int column, const char *format, ...) LT_PRINTF(3, 4);

/* Writes it under the title asked for, or the run's name; says what it is of. */
int figure_write(const figure *f, const figure_request *q);

/* The same of E[x|z] of a code for each place; where the model has classes, of class `label`, which
   the subtitle then says. */
int figure_write_codes(figure *f, const figure_request *q, const trained *t, const float *z,
                       int label);
void figure_close(figure *f);

/* "−1.64": with the sign as it is printed. */
typedef struct caption {
    char text[64];
} caption;
caption number_caption(double value, int decimals);

/* "z₁₂" of the latent 12: they count from 0, as images do. */
caption latent_caption(int k);

/* "sneaker" where the data set says so, else "class 7"; a long name is cut. In `room`. */
const char *class_words(const trained *t, int k, caption *room);

/* "3,7" as n numbers from `min` to `max`; false after a complaint about --NAME. */
bool read_numbers(const command *c, const char *name, const char *words, int n, int64_t min,
                  int64_t max, int *to);

/* E[x|z] of n codes, of class `label` where the model has classes. */
int decode_codes(const trained *t, int n, const float *z, int label, int64_t threads,
                 float *images);

/* The first n images of a split, or n of them in the order of a seed above 0; a status. */
int gather_first(const lt_dataset *d, lt_split split, int64_t seed, int n, float *images);

/* Gathers n images of a split and encodes them: means of q(z|x), n x latent. LT_VALUE if there is no
   such image. */
int encode_images(const trained *t, lt_split split, const int32_t *index, int n, int64_t threads,
                  float *images, float *codes);

#endif
