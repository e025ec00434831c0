/* SPDX-License-Identifier: MIT */
/* figures.h: what is drawn of a model or of a run: grids of images, charts and animations, to memory or to a file.
 *
 *     lt_figure *f;
 *     if (lt_figure_samples(model, NULL, &(lt_samples_options){.n = 100}, &f) == LT_OK)
 *         lt_figure_write(f, "samples.png", NULL);
 *     lt_figure_free(f);
 *
 * Zero is the default of every option, and NULL stands for an options struct of zeros. Arrays and texts of options
 * are borrowed for the call. Every function that makes a figure sets *out to it, or to NULL after a failure; the
 * caller frees it with lt_figure_free.
 */
#ifndef LATENT_FIGURES_H
#define LATENT_FIGURES_H

#include <latent/animation.h>
#include <latent/eval.h>
#include <latent/model.h>
#include <latent/plot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Figures: everything on one page ---- */

typedef struct lt_figure lt_figure;

typedef enum lt_figure_kind {
    LT_FIGURE_GRID,      /* images in rows and columns, with or without captions */
    LT_FIGURE_CHARTS,    /* charts side by side */
    LT_FIGURE_ANIMATION, /* frames */
} lt_figure_kind;

typedef struct lt_figure_info {
    lt_figure_kind kind;
    const char *title, *subtitle; /* Nullable */
    int n;             /* images of a grid, charts of a page, frames of an animation */
    int rows, columns; /* of a grid, whose last row may have fewer images; of a walk: frames, images in each */
    int n_images;      /* that .npy and img-%04d.png hold, 0 if the figure has none: of reconstructions these alone */
    double seconds;    /* that an animation takes */
} lt_figure_info;

/* Describes a figure. Owned by f. */
LT_API const lt_figure_info *lt_figure_describe(const lt_figure *f);

/* Returns the i-th note, from 0: a line that a reader of the figure should know, such as that two runs do not
   compare. NULL past the end. Owned by f. */
LT_API const char *lt_figure_note(const lt_figure *f, int i);

/* Returns the page of charts, to look at it or to encode one chart of it; NULL for another kind. Owned by f. */
LT_API const lt_chart_page *lt_figure_charts(const lt_figure *f);

/* Encodes a figure as a file of that format would hold it: "png", "jpg", "webp", "svg", "pdf"; of charts also "csv",
   the numbers behind them; of images "npy", float32, n x height x width x channels; of animations "webp", "gif",
   "apng" and "png" (the same), and "npy" if it has images. The end of a name ("figure.svg") stands for its format.
   The same figure gives the same bytes. *bytes are freed by the caller with free(). LT_VALUE for a format that the
   figure does not have, and as lt_grid_write, lt_chart_page_write, lt_animation_write. Nullable: options, which are
   those of charts. */
LT_API int lt_figure_encode(const lt_figure *f, const char *format, const lt_render_options *options,
                            unsigned char **bytes, size_t *n);

/* Writes these bytes to a file, whole or not at all; replaces an existing one. A numbered name such as
   "img-%04d.png" (lt_is_numbered) gets each image, or each frame of an animation, as a file of its own. LT_IO,
   LT_NOT_FOUND. Nullable: options. */
LT_API int lt_figure_write(const lt_figure *f, const char *path, const lt_render_options *options);

LT_API void lt_figure_free(lt_figure *f); /* Nullable: f */

/* ---- Grids of images. Nullable: data where no images of it are needed; it then gives no names of classes ---- */

typedef struct lt_images_options {
    const char *title, *subtitle; /* Nullable: images alone, without captions, if there is no title */
    int columns;                  /* default 0: as many as rows, or one more */
    int zoom;                     /* pixels per pixel of an image; default 0: images of about 84 pixels */
} lt_images_options;

/* Makes a grid of n images, n x size.h x size.w x size.c, 0 is black and 1 is white. Copies them. LT_VALUE for
   none, or more than 65536. */
LT_API int lt_figure_images(const float *images, int n, lt_image_size size, const lt_images_options *options,
                            lt_figure **out);

typedef struct lt_samples_options {
    int n;              /* images; default 0: 64; with draws 10; with each_class 10 of each class */
    int columns;        /* default 0: a square; without draws and each_class */
    bool with_draws;    /* beside the mean of p(x|z) a draw from it */
    bool each_class;    /* a row for each class, of the same codes */
    const int *of_class; /* images of this class, from 0. Nullable: of any */
    uint64_t seed;
    const char *title;  /* Nullable: images alone; with draws and each_class the recipe's name */
    int zoom;           /* as in lt_images_options */
    int threads;        /* 0: as many as there are cores for us */
} lt_samples_options;

/* Samples codes from the prior and shows E[x|z], or what a generator makes of them. LT_VALUE without such a class. */
LT_API int lt_figure_samples(lt_model *m, lt_dataset *data, const lt_samples_options *options, lt_figure **out);

typedef struct lt_reconstructions_options {
    int n;             /* images; default 0: 32, or all of a smaller split */
    int columns;       /* default 0: 16 */
    uint64_t seed;     /* that chooses the images; default 0: the first ones */
    const char *title; /* Nullable: the recipe's name */
    int zoom, threads; /* as in lt_samples_options */
} lt_reconstructions_options;

/* Shows images of a split above their reconstructions, E[x|z] at the mean of q(z|x). LT_VALUE for a model without an
   encoder, and for data that is not the model's. */
LT_API int lt_figure_reconstructions(lt_model *m, lt_dataset *data, lt_split split,
                                     const lt_reconstructions_options *options, lt_figure **out);

typedef struct lt_interpolation_options {
    int pairs;          /* default 0: 3; 1 if images are given */
    int steps;          /* images from one end to the other, with both; default 0: 11 */
    const int *images;  /* 2: both ends of the only pair, indices of the split. Nullable: chosen by the seed */
    const int *classes; /* 2: from images of the first to images of the second. Nullable: two that differ */
    const int *of_class; /* of all images; of models that have classes and no encoder. Nullable: in turn */
    uint64_t seed;
    const char *title;  /* Nullable: the recipe's name */
    int zoom, threads;  /* as in lt_samples_options */
} lt_interpolation_options;

/* Shows the way between two images three times: on the straight line and on the great circle between their codes,
   and between their pixels. Models without an encoder: between sampled codes; data is then not used. LT_VALUE for
   options that the model or the data cannot satisfy. */
LT_API int lt_figure_interpolation(lt_model *m, lt_dataset *data, lt_split split,
                                   const lt_interpolation_options *options, lt_figure **out);

typedef enum lt_traversal_kind {
    LT_TRAVERSE_ROWS,   /* a row for each latent, at seven quantiles of N(0, 1); the most important first */
    LT_TRAVERSE_GRID,   /* two latents, one to the right, one upwards, at these quantiles */
    LT_TRAVERSE_SHIFTS, /* a row for each image: every k-th latent moved alone, then all of them */
} lt_traversal_kind;

typedef enum lt_traversal_start {
    LT_START_DEFAULT, /* at z = 0; without an encoder as LT_START_SEED; of shifts at images from 0 on */
    LT_START_IMAGE,   /* at the code of an image */
    LT_START_SEED,    /* at a code that is sampled with the seed */
} lt_traversal_start;

typedef struct lt_traversal_options {
    lt_traversal_kind kind;
    int rows;           /* latents, or of shifts images; default 0: 10, or 5 images */
    const int *latents; /* 2, from 0: of a grid. Nullable: the most important two */
    int every;          /* of shifts: latents 0, every, 2 every, ...; default 0: about ten of them */
    double shift;       /* of shifts: how far */
    lt_traversal_start start;
    int64_t image;      /* of LT_START_IMAGE: its index in the split */
    uint64_t seed;      /* of LT_START_SEED */
    int of_class;       /* of all images, where the model has classes, from 0 */
    const char *title;  /* Nullable: the recipe's name */
    int zoom, threads;  /* as in lt_samples_options */
} lt_traversal_options;

/* Shows what each latent does to an image. Latents are ranked by their KL over 1000 images of the split (by the
   variance of the posterior mean where the rate has no such parts), without an encoder by how much they change the
   image. Nullable: data, if no images are looked at. */
LT_API int lt_figure_traversal(lt_model *m, lt_dataset *data, lt_split split, const lt_traversal_options *options,
                               lt_figure **out);

typedef struct lt_manifold_options {
    int side;          /* places along each latent, up to 100; default 0: 20 */
    int of_class;      /* of all images, where the model has classes, from 0 */
    const char *title; /* Nullable: the recipe's name */
    int zoom;          /* default 0: what makes a picture of about 1200 pixels */
    int threads;       /* as in lt_samples_options */
} lt_manifold_options;

/* Shows E[x|z] at quantiles of N(0, 1) all over the plane of two latents, or along the only one. LT_VALUE for a model
   of more latents. Nullable: data. */
LT_API int lt_figure_manifold(lt_model *m, lt_dataset *data, const lt_manifold_options *options, lt_figure **out);

/* ---- Animations ---- */

typedef struct lt_history_options {
    int frames;           /* the first and the last among them; default 0: all, or 120 */
    double seconds, hold; /* that a frame and the last one are shown; default 0: about 6 for all; 2 */
    int loops;            /* default 0: for ever */
    const char *title;    /* Nullable: the last part of the run's path */
    int zoom;             /* default 0: 1 */
} lt_history_options;

/* Shows the samples that training wrote into the run's directory, one epoch after the other. `run`: the directory, or
   a checkpoint in it. LT_VALUE if there are less than two. */
LT_API int lt_figure_history(const char *run, const lt_history_options *options, lt_figure **out);

typedef struct lt_history_rows_options {
    int n;             /* images in a row, up to 64; default 0: 10 */
    const char *title; /* Nullable: the recipe's name */
    int zoom;          /* as in lt_images_options */
} lt_history_rows_options;

/* Shows them as a grid, a row for each of at most ten epochs. `m`: the run's model. LT_VALUE if there are none. */
LT_API int lt_figure_history_rows(const char *run, const lt_model *m, const lt_history_rows_options *options,
                                  lt_figure **out);

typedef struct lt_walk_options {
    int walks;            /* side by side; default 0: 16 */
    int stops;            /* codes on each; default 0: 4, or n_classes */
    int steps;            /* frames from one stop to the next; default 0: 15 */
    bool is_linear;       /* in straight lines; default: on great circles */
    bool from_prior;      /* stops are sampled codes; default: codes of images, where there is an encoder */
    const int *classes;   /* of the images in turn. Nullable: classes that differ */
    int n_classes;
    const int *of_class;  /* of all frames, of a model that has classes. Nullable: in turn */
    uint64_t seed;
    double seconds;       /* that a frame is shown; default 0: 0.08 */
    int loops;            /* default 0: for ever */
    const char *title;    /* Nullable: the recipe's name */
    int zoom;             /* default 0: images of about 84 pixels, or more where they are few */
    int threads;          /* as in lt_samples_options */
} lt_walk_options;

/* Walks through codes along closed ways, from stop to stop and back to the first. Nullable: data, if no images are
   looked at. */
LT_API int lt_figure_walk(lt_model *m, lt_dataset *data, lt_split split, const lt_walk_options *options,
                          lt_figure **out);

/* ---- Charts of runs, up to 32. A run is given by its directory or by a checkpoint ---- */

enum { LT_MAX_FIGURE_RUNS = 32 };

typedef enum lt_curves_by { LT_BY_AUTO, LT_BY_EPOCH, LT_BY_STEP, LT_BY_SECONDS } lt_curves_by;

typedef struct lt_curves_options {
    lt_curves_by by;   /* what the x axis counts; default: epochs where each has one line */
    double from;       /* leaves out what is before, in units of the x axis */
    int smooth;        /* draws the mean over about so many lines of the log over the faint curve; default 0: a 100th
                          of the log if it has 200 lines; -1: none */
    bool log_x, log_y; /* log_y: where all is positive; a note names the charts where it is not */
    const char *title; /* Nullable: the run's name, or how many there are */
} lt_curves_options;

/* Draws what training wrote into metrics.jsonl, a chart for each quantity, all runs in each. A run may also be a file
   NAME.jsonl. LT_VALUE if there is nothing to draw; LT_NOT_FOUND. */
LT_API int lt_figure_curves(const char *const *runs, int n, const lt_curves_options *options, lt_figure **out);

typedef struct lt_rate_distortion_options {
    double from;       /* leaves out epochs before */
    const char *title; /* Nullable */
} lt_rate_distortion_options;

/* Draws the way of each run through the plane of rate and distortion. LT_VALUE for a run that has none. */
LT_API int lt_figure_rate_distortion(const char *const *runs, int n, const lt_rate_distortion_options *options,
                                     lt_figure **out);

/* What the charts of images' codes have in common. */
typedef struct lt_chart_data {
    const char *data;  /* name or path of a data set. Nullable: the recipe's */
    int images;        /* of the split, spread over it; default 0: 10000, of bounds 300; or all of a smaller split */
    int threads;       /* 0: as many as there are cores for us */
    const char *title; /* Nullable: the run's name */
} lt_chart_data;

typedef struct lt_latents_options {
    lt_chart_data of;
    int ellipses;      /* around so many of the points one standard deviation of q(z|x) */
} lt_latents_options;

/* Maps the posterior means of images, a chart for each run: two latents, or the first two principal components of
   more. LT_VALUE for a model without an encoder or with one latent. */
LT_API int lt_figure_latents(const char *const *runs, int n, lt_split split, const lt_latents_options *options,
                             lt_figure **out);

typedef struct lt_histogram_options {
    lt_chart_data of;
    const int *latents; /* 2 that differ, from 0. Nullable: those whose means vary most */
    int bins;           /* in each direction; default 0: 50 */
} lt_histogram_options;

/* Counts draws of two latents in bins, beside N(0, I), a chart for each run. */
LT_API int lt_figure_histogram(const char *const *runs, int n, lt_split split, const lt_histogram_options *options,
                               lt_figure **out);

/* Shows what each latent says about the images: its KL, or the variance of its posterior mean; a chart for each run. */
LT_API int lt_figure_activity(const char *const *runs, int n, lt_split split, const lt_chart_data *options,
                              lt_figure **out);

typedef struct lt_bounds_options {
    lt_chart_data of;
    lt_progress_function *progress; /* of each run, from 0 to 1. Nullable */
    void *user;
} lt_bounds_options;

/* Draws the importance-weighted bound of K draws against K, from 1 to 500, all runs in one chart. LT_VALUE for a model
   without a likelihood and for runs that do not compare; LT_INTERRUPTED if `progress` said so. */
LT_API int lt_figure_bounds(const char *const *runs, int n, lt_split split, const lt_bounds_options *options,
                            lt_figure **out);

#ifdef __cplusplus
}
#endif
#endif
