/* SPDX-License-Identifier: MIT */
/* What a figure owns, for those who fill one in, and the words that several of them use. */
#ifndef LATENT_FIGURE_H
#define LATENT_FIGURE_H

#include "base/memory.h"
#include "base/status.h"

#include <latent/figures.h>

enum { MAX_FIGURE_IMAGES = 65536 };

struct lt_figure {
    lt_figure_info info;
    arena memory; /* titles, captions, notes; the charts and all that they borrow */
    const char **notes;
    int n_notes, capacity;

    /* Images: info.n of them, n_images where frames share them. */
    lt_image_size size;
    float *images;  /* of the grid; of a walk frame by frame */
    float *alone;   /* NULL: the same as `images` */
    const char **row_names, **column_names;
    int group;        /* rows that belong together; 0: all */
    int zoom;
    bool is_bare;     /* images alone, without captions */
    bool is_seamless; /* images touch */

    lt_chart_page page;

    lt_image *frames; /* NULL: drawn of `images` when they are asked for */
    double seconds, hold; /* that each frame, and the last one, is shown */
    int loops;
};

/* An empty figure; it is never NULL. */
lt_figure *figure_create(lt_figure_kind kind);

/* Ends a function that makes figures: hands `f` over, or frees it and sets *out to NULL. Returns `status`. */
int figure_finish(lt_figure *f, int status, lt_figure **out);

/* Texts that belong to the figure. */
void figure_note(lt_figure *f, const char *format, ...) LT_PRINTF(2, 3);
void figure_name_row(lt_figure *f, int row, const char *format, ...) LT_PRINTF(3, 4);
void figure_name_column(lt_figure *f, int column, const char *format, ...) LT_PRINTF(3, 4);

/* Adds to a text in `size` bytes, as far as there is room. */
void add_text(char *text, size_t size, const char *format, ...) LT_PRINTF(3, 4);

/* ---- Grids ---- */

/* LT_VALUE unless there are 1 to MAX_FIGURE_IMAGES images. */
int figure_check_count(int64_t rows, int64_t columns);

/* Memory for rows x columns images of the model's size, zeroed, and for captions. LT_NO_MEMORY. */
int figure_grid_open(lt_figure *f, lt_image_size size, int64_t rows, int64_t columns);

/* The image in a row and a column. */
float *figure_image(const lt_figure *f, int row, int column);
int64_t image_numbers(lt_image_size size);

/* Nullable: title (the recipe's name). */
void figure_set_titles(lt_figure *f, const lt_model *m, const char *title, const char *subtitle);

/* Memory for n images; NULL after a message. Freed with tensor_free. */
float *images_alloc(lt_image_size size, int64_t n);

/* How long each frame is shown, and the last one (0: as the others). */
void figure_set_seconds(lt_figure *f, double seconds, double hold);

/* Whether frames of the size of the first fit in memory: LT_VALUE where they are too many. */
int frames_check_size(const lt_image *first, int n);

/* ---- Words (captions.c) ---- */

/* "−1.64": with the sign as it is printed. */
typedef struct caption {
    char text[64];
} caption;
caption number_caption(double value, int decimals);

/* "z₁₂" of the latent 12, from 0. */
caption latent_caption(int k);

/* "sneaker" where the data set says so, else "class 7"; a long name is cut. Nullable: data (then those that the
   catalog has of the recipe's data set). */
caption class_caption(const lt_model *m, const lt_dataset *data, int k);

/* ---- Codes and images (image_codes.c) ---- */

/* E[x|z] of n codes, of class `of_class` where the model has classes. */
int decode_codes(lt_model *m, int n, const float *z, int of_class, int threads, float *images);

/* The same into all images of the figure; the subtitle then also names the class. */
int figure_decode(lt_figure *f, lt_model *m, const lt_dataset *data, const float *z, int of_class, int threads,
                  const char *title, char *subtitle, size_t size);

/* Gathers n images of a split and encodes them: means of q(z|x), n x latent. LT_VALUE for an index that there is
   not. */
int encode_images(lt_model *m, lt_dataset *data, lt_split split, const int32_t *index, int n, int threads,
                  float *images, float *codes);

/* Checks that there are data, that they are the model's, and finds the split. LT_VALUE. */
int find_split(const lt_model *m, lt_dataset *data, lt_split *split);

/* LT_VALUE unless 0 <= of_class < the model's classes (or 1). */
int check_class(const lt_model *m, int of_class);

/* A zeroed copy of options, or zeros. */
#define OPTIONS(type, given) ((given) ? *(given) : (type){0})

#endif
