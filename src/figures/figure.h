/* SPDX-License-Identifier: MIT */
/* The struct of a figure, for functions that make one, and shared captions. */
#ifndef LATENT_FIGURE_H
#define LATENT_FIGURE_H

#include "base/memory.h"
#include "base/status.h"

#include <latent/figures.h>

enum { MAX_FIGURE_IMAGES = 65536 };

struct lt_figure {
    lt_figure_info info;
    arena memory; /* titles, captions, notes; the charts and everything they borrow */
    const char **notes;
    int n_notes, capacity;

    /* info.n images; n_images if frames share them. */
    lt_image_size size;
    float *images;  /* of the grid; of a walk frame by frame */
    float *alone;   /* NULL: the same as `images` */
    const char **row_names, **column_names;
    int group;        /* rows per group; 0: all */
    int zoom;
    bool is_bare;     /* without captions */
    bool is_seamless; /* no gaps between images */

    lt_chart_page page;

    lt_image *frames; /* NULL: drawn from `images` on demand */
    double seconds, hold; /* duration of each frame, and of the last one */
    int loops;
};

/* Creates an empty figure; never NULL. */
lt_figure *figure_create(lt_figure_kind kind);

/* Ends a function that makes figures: passes `f` to the caller, or frees it and sets *out to NULL. Returns `status`. */
int figure_finish(lt_figure *f, int status, lt_figure **out);

/* Adds a note; the figure owns it. */
void figure_note(lt_figure *f, const char *format, ...) LT_PRINTF(2, 3);
void figure_name_row(lt_figure *f, int row, const char *format, ...) LT_PRINTF(3, 4);
void figure_name_column(lt_figure *f, int column, const char *format, ...) LT_PRINTF(3, 4);

/* Appends to a string of at most `size` bytes; truncates what does not fit. */
void add_text(char *text, size_t size, const char *format, ...) LT_PRINTF(3, 4);

/* ---- Grids ---- */

/* Returns LT_VALUE unless there are 1 to MAX_FIGURE_IMAGES images. */
int figure_check_count(int64_t rows, int64_t columns);

/* Allocates rows x columns zeroed images of the model's size, and captions. LT_NO_MEMORY. */
int figure_grid_open(lt_figure *f, lt_image_size size, int64_t rows, int64_t columns);

/* Returns the image in a row and a column. */
float *figure_image(const lt_figure *f, int row, int column);
int64_t image_numbers(lt_image_size size);

/* Nullable: title (the recipe's name). */
void figure_set_titles(lt_figure *f, const lt_model *m, const char *title, const char *subtitle);

/* Allocates n images; NULL with an error message. Free them with tensor_free. */
float *images_alloc(lt_image_size size, int64_t n);

/* Sets the duration of each frame, and of the last one (0: like the others). */
void figure_set_seconds(lt_figure *f, double seconds, double hold);

/* Returns LT_VALUE if n frames of the size of the first exceed the memory limit. */
int frames_check_size(const lt_image *first, int n);

/* ---- Words (captions.c) ---- */

/* "−1.64", with a typographic minus sign. */
typedef struct caption {
    char text[64];
} caption;
caption number_caption(double value, int decimals);

/* "z₁₂" of the latent 12, from 0. */
caption latent_caption(int k);

/* "sneaker" if the data set has names, else "class 7"; truncates long names. Nullable: data (the names are then those
   of the recipe's data set in the catalog). */
caption class_caption(const lt_model *m, const lt_dataset *data, int k);

/* ---- Codes and images (image_codes.c) ---- */

/* Decodes E[x|z] of n codes, of class `of_class` if the model has classes. */
int decode_codes(lt_model *m, int n, const float *z, int of_class, int threads, float *images);

/* Decodes into all images of the figure, and adds the class to the subtitle. */
int figure_decode(lt_figure *f, lt_model *m, const lt_dataset *data, const float *z, int of_class, int threads,
                  const char *title, char *subtitle, size_t size);

/* Gathers n images of a split and encodes them: means of q(z|x), n x latent. LT_VALUE for an index out of range. */
int encode_images(lt_model *m, lt_dataset *data, lt_split split, const int32_t *index, int n, int threads,
                  float *images, float *codes);

/* Checks that there is data with images of the model's size, and finds the split. LT_VALUE. */
int find_split(const lt_model *m, lt_dataset *data, lt_split *split);

/* Returns LT_VALUE unless 0 <= of_class < the model's classes (or 1). */
int check_class(const lt_model *m, int of_class);

/* A zeroed copy of options, or zeros. */
#define OPTIONS(type, given) ((given) ? *(given) : (type){0})

#endif
