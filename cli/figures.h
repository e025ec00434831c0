/* SPDX-License-Identifier: MIT */
/* What the commands that draw images with captions share: a grid that is filled place by place, and
   the codes that it is made of. */
#ifndef LATENT_FIGURES_H
#define LATENT_FIGURES_H

#include "plot_kinds.h"

#define FLAG_PICTURE(value, fallback)                                                              \
    {"output", 'o', FLAG_OUTPUT, value, "FILE", "FILE.png, .jpg, .webp, .svg or .pdf; or .npy, "  \
     "the images as numbers; default: " fallback, 0, 0, NULL}
#define FLAG_TITLE(value)                                                                          \
    {"title", 0, FLAG_TEXT, value, "TEXT", "title; default: the run's name", 0, 0, NULL}
#define FLAG_ZOOM(value)                                                                           \
    {"zoom", 0, FLAG_COUNT, value, "N", "pixels of a PNG per pixel of an image; default: what "    \
     "makes images of about 84 pixels", 1, 100, NULL}

/* What all of them are asked. */
typedef struct figure_request {
    const command *command;
    const char *run, *out, *title, *data;
    int64_t zoom, seed, threads;
    int split;
    bool is_quiet; /* says nothing when it is written */
} figure_request;

/* rows x columns images, and captions; "" is none. */
typedef struct figure {
    const lt_model *model;
    int rows, columns, group; /* group: rows that belong together; 0: all */
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
void figure_close(figure *f);

/* "−1.64": with the sign as it is printed. */
typedef struct caption {
    char text[64];
} caption;
caption number_caption(double value, int decimals);

/* "z₁₂" of the latent k, from 0. */
caption latent_caption(int k);

/* "3,7" as n numbers from `min` to `max`; false after a complaint about --NAME. */
bool read_numbers(const command *c, const char *name, const char *words, int n, int64_t min,
                  int64_t max, int *to);

/* E[x|z] of n codes, of class `label` where the model has classes. */
int decode_codes(const trained *t, int n, const float *z, int label, int64_t threads,
                 float *images);

/* Image `index` of a split; LT_VALUE if there is none. */
int gather_image(const trained *t, lt_split split, int64_t index, float *image);

#endif
