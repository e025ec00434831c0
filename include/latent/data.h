/* SPDX-License-Identifier: MIT */
/* data.h: data sets of images: opening, downloading, shuffling, and batches of floats in [0, 1].
   An lt_dataset owns its images and labels; once open it is constant, and any number of threads may
   gather batches from it. There is no hidden random state: same arguments, same bits.
 *
 *     lt_dataset *d;
 *     int status = lt_dataset_open("fashion-mnist", NULL, &d);
 *     ...lt_dataset_order(d, LT_TRAIN, seed, epoch, order);
 *     ...lt_dataset_gather(d, LT_TRAIN, order + at, 128, epoch, 1, x);    x: 128 x 28 x 28 x 1
 */
#ifndef LATENT_DATA_H
#define LATENT_DATA_H

#include <latent/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lt_dataset lt_dataset;

typedef enum lt_split { LT_TRAIN, LT_VALID, LT_TEST } lt_split;
enum { LT_SPLITS = 3 };

/* "train", "valid", "test". Static string. */
LT_API const char *lt_split_name(lt_split split);

/* How to binarize gray pixels, read as probabilities p in [0, 1]. Pixels that are 0 or 1 do not change. */
typedef enum lt_binarize {
    LT_BINARIZE_NONE,      /* p itself */
    LT_BINARIZE_FIXED,     /* 1 with probability p, sampled once for all epochs */
    LT_BINARIZE_DYNAMIC,   /* 1 with probability p, sampled anew in every epoch */
    LT_BINARIZE_THRESHOLD, /* 1 where p > 1/2 */
} lt_binarize;

/* How `resize` treats images with another aspect ratio. */
typedef enum lt_crop {
    LT_CROP_CENTER, /* crops the center to the aspect ratio of `resize` first: no distortion */
    LT_CROP_NONE,   /* stretches the whole image */
    LT_CROP_FIT,    /* keeps the whole image undistorted, with black bars beside or above and below it */
} lt_crop;

/* Whether photographs taken with a rotated camera are turned upright. */
typedef enum lt_orient {
    LT_ORIENT_EXIF, /* applies the EXIF orientation of the file */
    LT_ORIENT_NO,   /* keeps the pixels as stored */
} lt_orient;

/* Zero means default. Images are cropped and resized, converted to `channels`, and binarized, in this order;
   then `validation`, `classes` and `limit` make the splits, in this order. */
typedef struct lt_data_options {
    int64_t validation; /* number of images moved from the end of train to a new validation split, for a set
                           without one; default 0: none */
    int binarize;       /* lt_binarize; default none */
    char resize[LT_TEXT_SIZE]; /* "32": to 32 x 32 pixels; "48x64": height x width; default "": unchanged.
                                  Uses a triangle filter, as Pillow's BILINEAR; black-and-white images
                                  become gray */
    int crop;           /* lt_crop, with resize; default center */
    int orient;         /* lt_orient, of pictures; default exif */
    int64_t channels;   /* 1: gray, from color by ITU-R 601; 3: RGB; default 0: unchanged */
    bool flip;          /* augmentation: lt_dataset_gather_augmented mirrors an image left to right with
                           probability 1/2; default no */
    bool strict;        /* a picture that is unreadable or not quite right is an error; default no */
    int64_t seed;       /* of binarization and flips (and the synthetic set's images); default 0 */
    int64_t limit;      /* images: keep only the first `limit` of each split; default 0: all */
    char classes[LT_TEXT_SIZE]; /* keep only images of these classes, in every split, before `limit`: labels
                                   or class names, as in "3, 7"; labels are not renumbered. Default "": all */
    char path[LT_PATH_SIZE]; /* directory of a set of the catalog; default "": search */
} lt_data_options;

/* Sets one option from text as in a recipe's `data`: "resize=32". LT_NOT_FOUND for an unknown name,
   LT_VALUE for a wrong value; after an error *options is unchanged. */
LT_API int lt_data_options_set(lt_data_options *options, const char *set);

/* Returns the image size of a set opened with these options, without reading its files: for sets of the
   catalog, for "synthetic", and if resize and channels determine it. LT_NOT_FOUND for others, LT_VALUE for
   wrong options. Nullable: options. */
LT_API int lt_data_image_size(const char *name, const lt_data_options *options, int *h, int *w,
                              int *c);

/* ---- Opening ---- */

/* Opens a set by its name in the catalog (lt_data_entry), by "synthetic", or by path: a directory
   with the files of a set of the catalog, or those of CIFAR-10 or CIFAR-100 (binary), or
   train.npy and, optionally, valid.npy, test.npy and train-labels.npy and so on; or with pictures; or one
   file of images, which becomes the train split (an npz has splits by the names of its arrays). A path
   contains a '/', or exists and is not a name of the catalog.
   Searches options->path and its folder NAME if a path is given; otherwise $LATENT_DATA/NAME,
   $XDG_CACHE_HOME/latent/NAME (by default ~/.cache/latent/NAME), and the directory of the system package.
   Downloads nothing: see lt_data_fetch.
   Files, plain or gzip: IDX (bytes), AMAT (text, 0 and 1), npy (u1, bool, f4, f8 in [0, 1];
   N x H x W, N x H x W x C, or N x D with square D), CIFAR's .bin and tar, MAT 5 with variables X (bytes,
   H x W x C x N) and y (labels; 10 means 0 if they are 1 ... 10), npz with arrays named like
   train_images, x_test, val_labels, y. Every file is validated completely.
   Pictures: a directory or a zip file with PNG, JPEG, WebP, PBM, PGM or PPM files at any depth.
   If it has a folder train (training) and one of valid (val, validation) and test (testing), or
   zip files of these names, they are the splits; otherwise all pictures are train. The folders below, of
   train and sorted by name, are the classes; a split has labels if each of its pictures lies in the folder of
   a class and there are 2 to 256 classes. Pictures are sorted by path and then interleaved by class in
   proportion, so that every part of a split has all classes. All pictures must have the same size and number
   of channels, unless `resize` and `channels` set them. An unreadable picture is skipped with a warning in the
   log, or, with `strict`, an error. Decoded pictures stay in the cache, in `pictures`, until their files change.
   LT_NOT_FOUND, LT_FORMAT, LT_VALUE, LT_IO, LT_NO_MEMORY; *out is then NULL. Nullable: options. */
LT_API int lt_dataset_open(const char *name_or_path, const lt_data_options *options, lt_dataset **out);

/* ---- Images in the caller's memory ---- */

/* Images of one split in the caller's memory. A split with n = 0 does not exist. */
typedef struct lt_memory_split {
    int64_t n;
    const uint8_t *bytes;  /* n x h x w x c, 0 to 255; if all of them are 0 or 1, 1 is white */
    const float *floats;   /* or n x h x w x c in [0, 1]; exactly one of the two, the same one in every split */
    const int32_t *labels; /* n labels, 0 to 255. Nullable: no labels */
} lt_memory_split;

/* Zero means default. */
typedef struct lt_memory_images {
    const char *name; /* of the set, in messages; default "memory" */
    int h, w, c;      /* of every image; c: 1 or 3; with options->channels also 2 or 4, the last one alpha */
    lt_memory_split split[LT_SPLITS]; /* by lt_split */
    const char *const *class_names;   /* of labels 0 ... n_classes - 1. Nullable */
    int n_classes;
    bool borrow; /* borrows the pixels, which must stay unchanged until the set is freed; options that change or
                    select images copy them nevertheless. Default: copies pixels. Labels are always copied */
} lt_memory_images;

/* Creates a data set from images in memory, as if lt_dataset_open had read them from an npy file: options
   apply, and checkpoints identify the set by its content, so a run resumes only with the same images, from any
   source. LT_VALUE for sizes, pixels or labels out of range, with split and index; LT_NO_MEMORY; *out is then
   NULL. Nullable: options. */
LT_API int lt_dataset_from_memory(const lt_memory_images *images, const lt_data_options *options, lt_dataset **out);

/* Generates `n` train images and max(1, n / 5) test images of h x w x c with one to four soft blobs; the
   label is the number of blobs minus one. Depends only on options->seed; for tests and benchmarks.
   LT_VALUE, LT_NO_MEMORY; *out is then NULL. Nullable: options. */
LT_API int lt_dataset_synthetic(int n, int h, int w, int c, const lt_data_options *options, lt_dataset **out);

/* Nullable: d. */
LT_API void lt_dataset_free(lt_dataset *d);

/* Called on the thread that opens a folder or zip file, as its pictures are decoded (not if they come from the
   cache). Returning false stops lt_dataset_open with LT_INTERRUPTED. */
typedef bool lt_data_progress(void *user, const char *place, int64_t done, int64_t total);

/* Sets the hook for all data sets, like lt_set_log; call it before the first one is opened. Nullable: progress. */
LT_API void lt_set_data_progress(lt_data_progress *progress, void *user);

typedef struct lt_dataset_info {
    const char *name;       /* of the set, or of its file or directory */
    const char *place;      /* path of the directory or file it was read from; "" for synthetic */
    int h, w, c;            /* of every gathered image */
    int file_h, file_w, file_c; /* of the train images before `resize` and `channels` */
    int n[LT_SPLITS];       /* images in each split; 0: the set does not have this split */
    bool has_labels[LT_SPLITS];
    int classes;            /* number of class names, else largest label + 1; 0 without labels */
    const char *const *class_names; /* from the folders, or from the catalog for its sets and for directories
                                       with the name of such a set; NULL: classes have no names */
    bool is_binary;         /* gathered pixels are 0 or 1, after binarization */
    lt_data_options options; /* as given */
} lt_dataset_info;

/* Describes an open set; borrowed, valid until lt_dataset_free. */
LT_API const lt_dataset_info *lt_dataset_describe(const lt_dataset *d);

/* Returns `wanted` if this split has images, else test for valid, valid for test, else train. Logs a warning
   about a fallback once for each split. */
LT_API lt_split lt_dataset_split(lt_dataset *d, lt_split wanted);

/* ---- Looking before opening ---- */

typedef struct lt_survey_size {
    int h, w, c;
    int64_t images;
} lt_survey_size;

typedef struct lt_survey_class {
    char *name;
    int64_t images[LT_SPLITS];
} lt_survey_class;

enum { LT_SURVEY_PROBLEMS = 10 };

/* The content of a folder or zip file of pictures, before any option applies. */
typedef struct lt_survey {
    int64_t images, n[LT_SPLITS]; /* readable pictures, in all and of each split */
    lt_survey_size *sizes;        /* the most frequent first */
    int n_sizes;
    lt_survey_class *classes; /* in the order of labels; none without labels */
    int n_classes;
    int64_t unreadable;
    char *problems[LT_SURVEY_PROBLEMS]; /* messages about the first unreadable ones, with their paths */
    int n_problems;
    int64_t odd; /* of `images`, those not quite right: extraneous bytes, CMYK ... */
    char *oddities[LT_SURVEY_PROBLEMS];
    int n_oddities;
    int64_t turned; /* of `images`, those turned upright by EXIF */
    char *sets; /* options that give all images one size and number of channels,
                   "--set data.resize=64 --set data.channels=3"; "" if not needed; NULL without images */
} lt_survey;

/* Decodes every picture of a folder or zip file, of any size and channels. LT_NOT_FOUND for other paths;
   other errors as lt_dataset_open. Call lt_survey_clear in any case. */
LT_API int lt_data_survey(const char *path, lt_survey *v);
LT_API void lt_survey_clear(lt_survey *v);

/* ---- Batches ---- */

/* Writes the order in which epoch `epoch` visits the images of a split: a permutation of
   0 ... n[split] - 1, a function of (seed, split, epoch). */
LT_API void lt_dataset_order(const lt_dataset *d, lt_split split, uint64_t seed, uint64_t epoch,
                             int32_t *order);

/* Writes images index[0 ... n - 1] of a split as n x h x w x c floats in [0, 1] (byte b is b / 255,
   correctly rounded), binarized as options say. A sampled pixel depends on (seed, split, image, pixel) and,
   if dynamic, on `epoch`, but not on the batch or on `threads`, the number of threads (1: only the calling
   one). LT_VALUE if an index is outside the split; x is then unchanged. */
LT_API int lt_dataset_gather(const lt_dataset *d, lt_split split, const int32_t *index, int n,
                             uint64_t epoch, int threads, float *x);

/* Gathers with augmentation, for training only: with options->flip, mirrors an image left to right with
   probability 1/2, sampled by (seed, split, image, epoch). */
LT_API int lt_dataset_gather_augmented(const lt_dataset *d, lt_split split, const int32_t *index,
                                       int n, uint64_t epoch, int threads, float *x);

/* Counts the images of each label in a split: counts[0 ... classes - 1]. LT_NOT_FOUND if it has no labels. */
LT_API int lt_dataset_count_labels(const lt_dataset *d, lt_split split, int64_t *counts);

/* Finds a class by its name in `names`, or by its number from 0 to n - 1. LT_VALUE, with the nearest name, if
   `word` is neither. Nullable: names (only numbers are accepted). */
LT_API int lt_class_find(const char *word, const char *const *names, int n, int *class_index);

/* Whether a picture written to `file` would become part of the data set `data` the next time it is opened: the
   file lies in this directory of pictures (links are followed), and not inside a run. For tools that write
   pictures. */
LT_API bool lt_data_would_include(const char *data, const char *file);

/* Writes the labels of images index[0 ... n - 1]. LT_VALUE if an index is outside the split,
   LT_NOT_FOUND if the split has no labels. */
LT_API int lt_dataset_labels(const lt_dataset *d, lt_split split, const int32_t *index, int n,
                             int32_t *labels);

/* Returns the index that image i, 0 <= i < n[split], had before options->classes selected images; without
   that option, i. -1 if i is out of range. */
LT_API int64_t lt_dataset_origin(const lt_dataset *d, lt_split split, int64_t i);

/* Writes the mean image of a split as h x w x c floats in [0, 1]: the mean of gathered images, or its
   expectation for fixed and dynamic binarization. LT_VALUE if the split is empty. */
LT_API int lt_dataset_mean_image(const lt_dataset *d, lt_split split, float *mean);

/* ---- The catalog of known sets ---- */

typedef struct lt_catalog_file {
    lt_split split;
    bool is_labels;
    const char *name;   /* of the inflated file; NAME.gz is accepted everywhere */
    const char *remote; /* name on the mirrors and of the download: NAME or NAME.gz */
    int64_t bytes;      /* of the inflated content */
    const char *sha256; /* of the inflated content, 64 hexadecimal digits: compressed files of equal content
                           differ between mirrors */
    bool is_archive;    /* a tar file of all splits; bytes and sha256 are those of the compressed `remote`,
                           the only published ones */
} lt_catalog_file;

typedef struct lt_catalog_entry {
    const char *name, *summary; /* the summary is one line */
    int h, w, c;
    int n[LT_SPLITS];
    const char *const *class_names; /* of labels 0, 1, ...; ends with NULL. Nullable: classes have no names, or
                                       there are no labels */
    const char *system_place;   /* directory of the system package. Nullable */
    const char *system_package; /* name of the Debian package. Nullable */
    const char *mirrors[4];     /* base URLs, in the order they are tried; NULL after the last */
    const lt_catalog_file *files;
    int n_files;
} lt_catalog_entry;

/* The sets of the catalog, 0 <= i < lt_data_count(). Static. */
LT_API int lt_data_count(void);
LT_API const lt_catalog_entry *lt_data_entry(int i);

/* Returns the set called `name`, or NULL with a message that names the nearest one. */
LT_API const lt_catalog_entry *lt_data_named(const char *name);

/* Finds the directory from which lt_dataset_open would read a set of the catalog, and writes it to `place`,
   truncated to `size` bytes with the final zero. LT_NOT_FOUND lists the searched directories. Nullable: path. */
LT_API int lt_data_find(const char *name, const char *path, char *place, size_t size);

/* Checks the SHA-256 of every file of a set in the directory of lt_data_find. LT_FORMAT names the first file
   that differs, with both hashes. Nullable: path. */
LT_API int lt_data_verify(const char *name, const char *path);

/* ---- Writing ---- */

/* Writes numbers as an npy file of f32, C order: numpy.load reads them back exactly. */
LT_API int lt_npy_write(const char *path, const float *values, int rank, const int64_t *shape);

typedef enum lt_number_kind { LT_FLOAT32, LT_FLOAT64, LT_INT32 } lt_number_kind;

enum { LT_MAX_ARRAY_RANK = 4 };

/* A named array in C order, for an npz file, or a column of a csv file. */
typedef struct lt_array {
    const char *name; /* letters, digits, '_' */
    lt_number_kind kind;
    const void *values;
    int rank; /* 1 to LT_MAX_ARRAY_RANK; of a column 1 */
    int64_t shape[LT_MAX_ARRAY_RANK];
} lt_array;

/* Writes the arrays as one uncompressed npz file, which numpy.load reads back exactly. LT_VALUE for
   invalid names, ranks or sizes (4 GB or more in all), LT_IO. */
LT_API int lt_npz_write(const char *path, const lt_array *arrays, int n);

/* Returns columns of equal length as comma-separated text: a line of names, then one line for each row. Numbers
   have enough digits to read back exactly in their type; NaN is "nan". An array of rank 2 becomes columns NAME_0,
   NAME_1, ... NULL (LT_VALUE) for other ranks or lengths. The caller frees it. */
LT_API char *lt_csv_text(const lt_array *columns, int n);

/* LT_OK for FILE.csv and FILE.npz, else LT_VALUE. */
LT_API int lt_columns_check_name(const char *path);

/* Writes columns to FILE.csv or FILE.npz. LT_VALUE for another name, and as above. */
LT_API int lt_columns_write(const char *path, const lt_array *columns, int n);

/* ---- Reading arrays ---- */

/* An array of a file. It owns its name and its values, in C order. */
typedef struct lt_number_array {
    char *name; /* "" if the file has no name for it */
    int rank;   /* from 0, a single number, to 4 */
    int64_t shape[LT_MAX_ARRAY_RANK];
    double *values;
} lt_number_array;

/* LT_OK for FILE.npz, FILE.npy and FILE.csv, else LT_VALUE. */
LT_API int lt_arrays_check_name(const char *path);

/* Reads all arrays of FILE.npz, the array of FILE.npy (C order, integers, f2, f4, f8), or the columns of FILE.csv.
   If the csv file has a line of names, columns NAME_0, NAME_1, ... (or NAME_1, ...) become one array of rank 2 and
   others have rank 1; without names all columns become one array of rank 2. LT_NOT_FOUND, LT_IO, LT_FORMAT with
   the position, LT_VALUE for another extension, LT_NO_MEMORY; after an error there is nothing to free. */
LT_API int lt_arrays_read(const char *path, lt_number_array **all, int *n);

LT_API void lt_arrays_free(lt_number_array *all, int n); /* Nullable: all */

/* ---- Download ---- */

/* Called as bytes of a file arrive. `total` is 0 while unknown. Returning false stops the download; the next
   call of lt_data_fetch resumes it. */
typedef bool lt_fetch_progress(void *user, const char *file, int64_t done, int64_t total);

/* Zero means default. */
typedef struct lt_fetch_options {
    const char *directory;       /* destination of the files; default: NAME in the cache, which
                                    lt_dataset_open searches */
    int timeout;                 /* seconds to connect, and seconds without a byte; default 30 */
    lt_fetch_progress *progress; /* default: none */
    void *user;                  /* passed to progress */
} lt_fetch_options;

/* Downloads a set of the catalog, trying its mirrors in order. Keeps existing files with the right SHA-256,
   and resumes an interrupted download. A file gets its name only if its content has the pinned SHA-256; other
   content is deleted. Tries $LATENT_MIRROR, a base URL, before the built-in mirrors: $LATENT_MIRROR/NAME/FILE.
   LT_NETWORK (with what to do instead), LT_FORMAT with both hashes, LT_INTERRUPTED, LT_IO,
   LT_NOT_FOUND for an unknown name. Nullable: options. */
LT_API int lt_data_fetch(const char *name, const lt_fetch_options *options);

#ifdef __cplusplus
}
#endif
#endif
