/* SPDX-License-Identifier: MIT */
/* figures.h: figures of a model or of a run: grids of images, charts and animations, in memory or in a file.
 *
 *     lt_figure *f;
 *     if (lt_figure_samples(model, NULL, &(lt_samples_options){.n = 100}, &f) == LT_OK)
 *         lt_figure_write(f, "samples.png", NULL);
 *     lt_figure_free(f);
 *
 * Zero is the default of every option, and NULL stands for an options struct of zeros. Arrays and strings in options
 * are borrowed for the call. Every function that makes a figure sets *out to it, or to NULL on failure; the
 * caller frees it with lt_figure_free.
 */
#ifndef LATENT_FIGURES_H
#define LATENT_FIGURES_H

#include <latent/animation.h>
#include <latent/divergence.h>
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
    int rows, columns; /* of a grid, whose last row may be shorter; of a walk: frames, images per frame */
    int n_images;      /* in .npy and img-%04d.png files, 0 if the figure has none; of reconstructions, without the
                          originals */
    double seconds;    /* duration of an animation */
} lt_figure_info;

/* Describes a figure. Owned by f. */
LT_API const lt_figure_info *lt_figure_describe(const lt_figure *f);

/* Returns the i-th note, from 0: a line for the reader of the figure, such as that two runs are not comparable.
   NULL past the end. Owned by f. */
LT_API const char *lt_figure_note(const lt_figure *f, int i);

/* Returns the page of charts, to inspect it or to encode one chart; NULL for another kind of figure. Owned by f. */
LT_API const lt_chart_page *lt_figure_charts(const lt_figure *f);

/* Encodes a figure as the bytes of a file. Formats: "png", "jpg", "webp", "svg", "pdf"; for charts also "csv", the
   numbers behind them; for images "npy", float32, n x height x width x channels; for animations "webp", "gif", "apng"
   or "png" (the same), and "npy" if it has images. `format` may be a file name ("figure.svg"). The same figure
   gives the same bytes. The caller frees *bytes with free(). Returns LT_VALUE for a format that the figure does not
   have; other errors as in lt_grid_write, lt_chart_page_write, lt_animation_write. Nullable: options (of charts). */
LT_API int lt_figure_encode(const lt_figure *f, const char *format, const lt_render_options *options,
                            unsigned char **bytes, size_t *n);

/* Writes these bytes to a file atomically and replaces an existing one. A numbered name such as "img-%04d.png"
   (lt_is_numbered) writes each image, or each frame of an animation, to its own file. LT_IO, LT_NOT_FOUND.
   Nullable: options. */
LT_API int lt_figure_write(const lt_figure *f, const char *path, const lt_render_options *options);

LT_API void lt_figure_free(lt_figure *f); /* Nullable: f */

/* ---- Grids of images. Nullable: data, if no images of it are needed; class names are then unknown ---- */

typedef struct lt_images_options {
    const char *title, *subtitle; /* Nullable; without a title the grid has no captions */
    int columns;                  /* default 0: as many as rows, or one more */
    int zoom;                     /* pixels per pixel of an image; default 0: images of about 84 pixels */
} lt_images_options;

/* Makes a grid of n images, n x size.h x size.w x size.c, 0 is black and 1 is white. Copies them. Returns LT_VALUE if
   n is not 1 to 65536. */
LT_API int lt_figure_images(const float *images, int n, lt_image_size size, const lt_images_options *options,
                            lt_figure **out);

typedef struct lt_samples_options {
    int n;              /* images; default 0: 64; 10 with with_draws; 10 of each class with each_class */
    int columns;        /* default 0: a square; not with with_draws or each_class */
    bool with_draws;    /* show a sample of p(x|z) beside its mean */
    bool each_class;    /* one row per class, all with the same codes */
    const int *of_class; /* images of this class, from 0. Nullable: of any */
    uint64_t seed;
    const char *title;  /* Nullable: no captions; with with_draws or each_class the recipe's name */
    int zoom;           /* as in lt_images_options */
    int threads;        /* 0: all available cores */
} lt_samples_options;

/* Samples codes from the prior and shows E[x|z], or the output of a GAN's generator. Returns LT_VALUE if the model has
   no such class. */
LT_API int lt_figure_samples(lt_model *m, lt_dataset *data, const lt_samples_options *options, lt_figure **out);

typedef struct lt_reconstructions_options {
    int n;             /* images; default 0: 32, or all of a smaller split */
    int columns;       /* default 0: 16 */
    uint64_t seed;     /* chooses the images; default 0: the first ones */
    const char *title; /* Nullable: the recipe's name */
    int zoom, threads; /* as in lt_samples_options */
} lt_reconstructions_options;

/* Shows images of a split above their reconstructions, E[x|z] at the mean of q(z|x). Returns LT_VALUE for a model
   without an encoder and for images of the wrong size. */
LT_API int lt_figure_reconstructions(lt_model *m, lt_dataset *data, lt_split split,
                                     const lt_reconstructions_options *options, lt_figure **out);

typedef struct lt_interpolation_options {
    int pairs;          /* default 0: 3; 1 if images are given */
    int steps;          /* images from one end to the other, including both; default 0: 11 */
    const int *images;  /* 2: indices in the split of the ends of a single pair. Nullable: chosen by the seed */
    const int *classes; /* 2: from images of the first to images of the second. Nullable: two that differ */
    const int *of_class; /* class of all images, for models with classes and no encoder. Nullable: in turn */
    uint64_t seed;
    const char *title;  /* Nullable: the recipe's name */
    int zoom, threads;  /* as in lt_samples_options */
} lt_interpolation_options;

/* Interpolates between two images in three ways: linearly and spherically between their codes, and linearly between
   their pixels. A model without an encoder interpolates between sampled codes and does not use `data`. Returns
   LT_VALUE for options that the model or the data cannot satisfy. */
LT_API int lt_figure_interpolation(lt_model *m, lt_dataset *data, lt_split split,
                                   const lt_interpolation_options *options, lt_figure **out);

typedef enum lt_traversal_kind {
    LT_TRAVERSE_ROWS,   /* one row per latent, at seven quantiles of N(0, 1); the most important latent first */
    LT_TRAVERSE_GRID,   /* two latents, one rightward, one upward, at these quantiles */
    LT_TRAVERSE_SHIFTS, /* one row per image: every k-th latent moved alone, then all together */
} lt_traversal_kind;

typedef enum lt_traversal_start {
    LT_START_DEFAULT, /* z = 0; without an encoder like LT_START_SEED; for shifts, images from 0 on */
    LT_START_IMAGE,   /* the code of an image */
    LT_START_SEED,    /* a code sampled with the seed */
} lt_traversal_start;

typedef struct lt_traversal_options {
    lt_traversal_kind kind;
    int rows;           /* number of latents, default 0: 10; for shifts of images, default 0: 5 */
    const int *latents; /* grid: 2, from 0. Nullable: the two most important */
    int every;          /* shifts: latents 0, every, 2 every, ...; default 0: about ten of them */
    double shift;       /* shifts: distance */
    lt_traversal_start start;
    int64_t image;      /* LT_START_IMAGE: its index in the split */
    uint64_t seed;      /* LT_START_SEED */
    int of_class;       /* class of all images, from 0, if the model has classes */
    const char *title;  /* Nullable: the recipe's name */
    int zoom, threads;  /* as in lt_samples_options */
} lt_traversal_options;

/* Shows the effect of each latent on an image. Ranks latents by their KL over 1000 images of the split, or by the
   variance of the posterior mean if the rate is not a sum over latents; without an encoder by how much they change
   the image. Nullable: data, if no images are needed. */
LT_API int lt_figure_traversal(lt_model *m, lt_dataset *data, lt_split split, const lt_traversal_options *options,
                               lt_figure **out);

typedef struct lt_manifold_options {
    int side;          /* points along each latent, up to 100; default 0: 20 */
    int of_class;      /* class of all images, from 0, if the model has classes */
    const char *title; /* Nullable: the recipe's name */
    int zoom;          /* default 0: a figure of about 1200 pixels */
    int threads;       /* as in lt_samples_options */
} lt_manifold_options;

/* Shows E[x|z] on a grid of quantiles of N(0, 1) over two latents, or along a single latent. Returns LT_VALUE for a
   model with more latents. Nullable: data. */
LT_API int lt_figure_manifold(lt_model *m, lt_dataset *data, const lt_manifold_options *options, lt_figure **out);

/* ---- Animations ---- */

typedef struct lt_history_options {
    int frames;           /* including the first and the last; default 0: all, at most 120 */
    double seconds, hold; /* duration of a frame, and of the last one; default 0: about 6 for all; 2 */
    int loops;            /* default 0: forever */
    const char *title;    /* Nullable: the last part of the run's path */
    int zoom;             /* default 0: 1 */
} lt_history_options;

/* Shows the sample files of a run, one epoch after the other. `run`: its directory or a checkpoint in it. Returns
   LT_VALUE if there are fewer than two. */
LT_API int lt_figure_history(const char *run, const lt_history_options *options, lt_figure **out);

typedef struct lt_history_rows_options {
    int n;             /* images in a row, up to 64; default 0: 10 */
    const char *title; /* Nullable: the recipe's name */
    int zoom;          /* as in lt_images_options */
} lt_history_rows_options;

/* Shows the sample files as a grid, one row per epoch, at most ten epochs. `m`: the run's model. Returns LT_VALUE if
   there are none. */
LT_API int lt_figure_history_rows(const char *run, const lt_model *m, const lt_history_rows_options *options,
                                  lt_figure **out);

typedef struct lt_walk_options {
    int walks;            /* side by side; default 0: 16 */
    int stops;            /* codes on each walk; default 0: 4, or n_classes */
    int steps;            /* frames from one stop to the next; default 0: 15 */
    bool is_linear;       /* linear interpolation; default: spherical */
    bool from_prior;      /* stops are sampled codes; default: codes of images, if there is an encoder */
    const int *classes;   /* of the images, in turn. Nullable: classes that differ */
    int n_classes;
    const int *of_class;  /* class of all frames, if the model has classes. Nullable: in turn */
    uint64_t seed;
    double seconds;       /* duration of a frame; default 0: 0.08 */
    int loops;            /* default 0: forever */
    const char *title;    /* Nullable: the recipe's name */
    int zoom;             /* default 0: images of about 84 pixels, or more if there are few */
    int threads;          /* as in lt_samples_options */
} lt_walk_options;

/* Animates closed latent walks, from stop to stop and back to the first. Nullable: data, if no images are needed. */
LT_API int lt_figure_walk(lt_model *m, lt_dataset *data, lt_split split, const lt_walk_options *options,
                          lt_figure **out);

/* ---- Charts of runs, up to 32. A run is given by its directory or a checkpoint ---- */

enum { LT_MAX_FIGURE_RUNS = 32 };

typedef enum lt_curves_by { LT_BY_AUTO, LT_BY_EPOCH, LT_BY_STEP, LT_BY_SECONDS } lt_curves_by;

typedef struct lt_curves_options {
    lt_curves_by by;   /* the x axis; default: epochs if each epoch has one line */
    double from;       /* start of the curves, in units of the x axis */
    int smooth;        /* plot a mean over about this many lines of the log over the faint curve; default 0: a 100th
                          of the log if it has 200 lines; -1: none */
    bool log_x, log_y; /* log_y: only where all values are positive; a note names the other charts */
    const char *title; /* Nullable: the run's name, or the number of runs */
} lt_curves_options;

/* Plots the metrics in metrics.jsonl, one chart per quantity with all runs. A run may also be a file NAME.jsonl.
   Returns LT_VALUE if there is nothing to plot; LT_NOT_FOUND. */
LT_API int lt_figure_curves(const char *const *runs, int n, const lt_curves_options *options, lt_figure **out);

typedef struct lt_rate_distortion_options {
    double from;       /* first epoch */
    const char *title; /* Nullable */
} lt_rate_distortion_options;

/* Plots distortion against rate over the epochs of each run. Returns LT_VALUE for a run that has neither. */
LT_API int lt_figure_rate_distortion(const char *const *runs, int n, const lt_rate_distortion_options *options,
                                     lt_figure **out);

/* Options of all charts of codes, and of bounds. Every chart returns LT_INTERRUPTED if `run.progress` stopped it. */
typedef struct lt_chart_data {
    const char *data;  /* name or path of a data set. Nullable: the recipe's */
    int images;        /* a stratified sample of the split; default 0: 10000, for bounds 300; or all of a smaller
                          split */
    const char *title; /* Nullable: the run's name */
    lt_run_options run; /* progress: of each run, from 0 to 1 */
} lt_chart_data;

typedef struct lt_latents_options {
    lt_chart_data of;
    int ellipses;      /* number of points drawn with an ellipse of one standard deviation of q(z|x) */
} lt_latents_options;

/* Plots the posterior means of images, one chart per run: two latents, or the first two principal components of
   more. Returns LT_VALUE for a model without an encoder or with one latent. */
LT_API int lt_figure_latents(const char *const *runs, int n, lt_split split, const lt_latents_options *options,
                             lt_figure **out);

typedef struct lt_histogram_options {
    lt_chart_data of;
    const int *latents; /* 2 that differ, from 0. Nullable: the two whose means vary most */
    int bins;           /* in each direction; default 0: 50 */
} lt_histogram_options;

/* Plots a 2-D histogram of posterior samples of two latents beside N(0, I), one chart per run. */
LT_API int lt_figure_histogram(const char *const *runs, int n, lt_split split, const lt_histogram_options *options,
                               lt_figure **out);

/* Plots the activity of each latent, its KL or the variance of its posterior mean; one chart per run. */
LT_API int lt_figure_activity(const char *const *runs, int n, lt_split split, const lt_chart_data *options,
                              lt_figure **out);

/* Plots the importance-weighted bound of K samples against K, from 1 to 500, all runs in one chart. Returns LT_VALUE
   for a model without a likelihood and for runs that are not comparable; LT_INTERRUPTED if `run.progress` stopped it. */
LT_API int lt_figure_bounds(const char *const *runs, int n, lt_split split, const lt_chart_data *options,
                            lt_figure **out);

/* ---- Divergences ---- */

/* Plots the estimates of a study (divergence.h) beside the truth, one chart per measure. `o`: the options that
   lt_divergence_run was called with. Returns LT_VALUE for a study without rows. Nullable: o. */
LT_API int lt_figure_divergence(const lt_divergence_options *o, const lt_divergence_study *s, lt_figure **out);

#ifdef __cplusplus
}
#endif
#endif
