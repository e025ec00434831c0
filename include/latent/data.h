/* SPDX-License-Identifier: MIT */
/* data.h: sets of images: opening, downloading, shuffling, and batches of floats in [0, 1].
   An lt_dataset owns its images and labels; once open it is constant, and any number of threads may
   gather batches from it. Nothing is drawn from hidden state: same arguments, same bits.
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

/* What to make of gray pixels, read as probabilities p in [0, 1]. Pixels that are 0 or 1 stay. */
typedef enum lt_binarize {
    LT_BINARIZE_NONE,      /* p itself */
    LT_BINARIZE_FIXED,     /* 1 with probability p, drawn once: every epoch sees the same */
    LT_BINARIZE_DYNAMIC,   /* 1 with probability p, drawn anew in every epoch */
    LT_BINARIZE_THRESHOLD, /* 1 where p > 1/2 */
} lt_binarize;

/* How images get the size of `resize` when theirs has another shape. */
typedef enum lt_crop {
    LT_CROP_CENTER, /* cut in the middle to the wanted shape first: nothing is distorted */
    LT_CROP_NONE,   /* the whole image, stretched */
    LT_CROP_FIT,    /* the whole image undistorted, black bars beside or above and below it */
} lt_crop;

/* How the pixels of a photograph lie that was taken with the camera turned. */
typedef enum lt_orient {
    LT_ORIENT_EXIF, /* upright, as the EXIF orientation of its file says */
    LT_ORIENT_NO,   /* as they are stored */
} lt_orient;

/* Zero means default. Images become: cut and resized, of other channels, binarized; in that order.
   Splits are made of them by validation, classes, limit; in that order. */
typedef struct lt_data_options {
    int64_t validation; /* images cut from the end of train for a set without a validation split;
                           default 0: train on everything */
    int binarize;       /* lt_binarize; default none */
    char resize[LT_TEXT_SIZE]; /* "32": to 32 x 32 pixels; "48x64": height x width; default "": as
                                  they are. By a triangle filter, as Pillow's BILINEAR; black and
                                  white ones become gray */
    int crop;           /* lt_crop, with resize; default center */
    int orient;         /* lt_orient, of pictures; default exif */
    int64_t channels;   /* 1: gray, from color by ITU-R 601; 3: RGB; default 0: as they are */
    bool flip;          /* augmentation: mirrored left to right, half of the time, where
                           lt_dataset_gather_augmented gathers; default no */
    bool strict;        /* a picture that is unreadable or not quite right is an error; default no */
    int64_t seed;       /* of binarization and flips (and the synthetic set's images); default 0 */
    int64_t limit;      /* images: keep only the first so many of each split; default 0: all */
    char classes[LT_TEXT_SIZE]; /* keep only images of these, of every split, before `limit`: numbers
                                   of labels, or names of classes, as in "3, 7"; they keep their
                                   numbers. Default "": all */
    char path[LT_PATH_SIZE]; /* directory to take a set known by name from; default "": search */
} lt_data_options;

/* Sets one option from text as in a recipe's `data`: "resize=32". LT_NOT_FOUND for an unknown name,
   LT_VALUE; *options is then unchanged. */
LT_API int lt_data_options_set(lt_data_options *options, const char *set);

/* The size of a set's images when it is opened with these options, without looking at its files: known
   for the sets of the catalog and "synthetic", and where resize and channels say it all. LT_NOT_FOUND
   for others, LT_VALUE for wrong options. Nullable: options. */
LT_API int lt_data_image_size(const char *name, const lt_data_options *options, int *h, int *w,
                              int *c);

/* ---- Opening ---- */

/* Opens a set by the name of the catalog (lt_data_entry), by "synthetic", or by path: a directory
   that holds the files of a set of the catalog, or those of CIFAR-10 or CIFAR-100 (binary), or
   train.npy and, optionally, valid.npy, test.npy and train-labels.npy and so on; or pictures; or one
   file of images, which becomes the train split (of an npz: by the names of its arrays). A path is
   what contains a '/', or exists and is no name.
   A name is looked for in options->path and its folder NAME, where a path is given; else in
   $LATENT_DATA/NAME, in $XDG_CACHE_HOME/latent/NAME (by default ~/.cache/latent/NAME), and where
   the system's package puts it. Nothing is downloaded: see lt_data_fetch.
   Files, plain or gzip: IDX (bytes), AMAT (text, 0 and 1), npy (u1, bool, f4, f8 in [0, 1];
   N x H x W, N x H x W x C, or N x D with square D), CIFAR's .bin and tar, MAT 5 with variables X (bytes,
   H x W x C x N) and y (labels; 10 means 0 where they are 1 ... 10), npz with arrays called like
   train_images, x_test, val_labels, y. Every file is checked whole.
   Pictures: a directory or a zip file with PNG, JPEG, WebP, PBM, PGM or PPM files anywhere in it.
   Where it has a folder train (training) and one of valid (val, validation) and test (testing), or
   zip files of these names, they are the splits; else all is train. The folders below, by their
   names in train, are the classes; labels are given where every picture of a split lies in a class
   and there are 2 to 256. The order is that of the paths, classes taking turns in proportion, so
   that every stretch of a split has all of them. Pictures must have one size and one number of
   channels, or be given them by `resize` and `channels`. One that cannot be read is told of through
   the log and left out, or, with `strict`, an error. Decoded sets are kept in the cache, in
   `pictures`, until their files change.
   LT_NOT_FOUND, LT_FORMAT, LT_VALUE, LT_IO, LT_NO_MEMORY; *out is then NULL. Nullable: options. */
LT_API int lt_dataset_open(const char *name_or_path, const lt_data_options *options, lt_dataset **out);

/* ---- Images of a program's own ---- */

/* Images of one split in the caller's memory. A split without images is left out. */
typedef struct lt_memory_split {
    int64_t n;
    const uint8_t *bytes;  /* n x h x w x c, 0 to 255; where all of them are 0 or 1, that is black and white */
    const float *floats;   /* or these, each in [0, 1]; one of the two, and the same in every split */
    const int32_t *labels; /* n of 0 to 255. Nullable: there are none */
} lt_memory_split;

/* Zero means default. */
typedef struct lt_memory_images {
    const char *name; /* of the set, in messages; default "memory" */
    int h, w, c;      /* of every image; c: 1, 3, or with options->channels 2 or 4, the last of which is alpha */
    lt_memory_split split[LT_SPLITS]; /* by lt_split */
    const char *const *class_names;   /* of labels 0 ... n_classes - 1. Nullable */
    int n_classes;
    bool borrow; /* pixels are not copied: they must stay, unchanged, until the set is freed. Where options change
                    images or choose among them they are copied nevertheless. Default: copied. Labels always are */
} lt_memory_images;

/* Makes a data set of images in memory, which is treated as if lt_dataset_open had read them from an npy
   file: options apply, and checkpoints know it by its content, so a run resumes with the same images wherever
   they come from, and with no others. LT_VALUE for sizes, pixels or labels out of range, with their place;
   LT_NO_MEMORY; *out is then NULL. Nullable: options. */
LT_API int lt_dataset_from_memory(const lt_memory_images *images, const lt_data_options *options, lt_dataset **out);

/* Makes `n` train images and max(1, n / 5) test images of h x w x c: one to four soft blobs, the
   label is their number less one. Depends on options->seed alone; for tests and benchmarks.
   LT_VALUE, LT_NO_MEMORY; *out is then NULL. Nullable: options. */
LT_API int lt_dataset_synthetic(int n, int h, int w, int c, const lt_data_options *options, lt_dataset **out);

/* Nullable: d. */
LT_API void lt_dataset_free(lt_dataset *d);

/* Told in the opening thread as the pictures of a folder or zip file are decoded; not when the cache
   has them. Returning false stops the opening with LT_INTERRUPTED. */
typedef bool lt_data_progress(void *user, const char *place, int64_t done, int64_t total);

/* A hook like lt_set_log: for all sets, set before the first is opened. Nullable: progress. */
LT_API void lt_set_data_progress(lt_data_progress *progress, void *user);

typedef struct lt_dataset_info {
    const char *name;       /* of the set, or the file's or directory's own */
    const char *place;      /* directory or file it was read from; "" for synthetic */
    int h, w, c;            /* of every image, as it is gathered */
    int file_h, file_w, file_c; /* of the images before `resize` and `channels`: the train split's */
    int n[LT_SPLITS];       /* images in each split; 0: the set has no such split */
    bool has_labels[LT_SPLITS];
    int classes;            /* as many as have names, else largest label + 1; 0 without labels */
    const char *const *class_names; /* of each class: of the folders, or of the catalog's set, also
                                       where a directory is called like it; NULL: labels have no
                                       names */
    bool is_binary;         /* gathered pixels are 0 or 1, after binarization */
    lt_data_options options; /* as given */
} lt_dataset_info;

/* Facts about an open set; borrowed, valid until lt_dataset_free. */
LT_API const lt_dataset_info *lt_dataset_describe(const lt_dataset *d);

/* The split to use where `wanted` is asked for: itself if it has images, else test for valid, valid
   for test, else train. A set that falls back says so through the log, once for each split. */
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

/* What is in a folder or zip file of pictures as they are. */
typedef struct lt_survey {
    int64_t images, n[LT_SPLITS]; /* that can be read, in all and of each split */
    lt_survey_size *sizes;        /* the most frequent first */
    int n_sizes;
    lt_survey_class *classes; /* in the order of labels; none without labels */
    int n_classes;
    int64_t unreadable;
    char *problems[LT_SURVEY_PROBLEMS]; /* of the first of these, with their paths */
    int n_problems;
    int64_t odd; /* of `images`, those that are not quite right: bytes that do not belong there, CMYK ... */
    char *oddities[LT_SURVEY_PROBLEMS];
    int n_oddities;
    int64_t turned; /* of `images`, those that EXIF has turned upright */
    char *sets; /* options that make all images alike, "--set data.resize=64 --set data.channels=3"; "" where
                   they are; NULL without images */
} lt_survey;

/* Decodes every picture of a folder or zip file, whatever sizes and channels they have. LT_NOT_FOUND if
   it is none; as lt_dataset_open. Cleared by lt_survey_clear in any case. */
LT_API int lt_data_survey(const char *path, lt_survey *v);
LT_API void lt_survey_clear(lt_survey *v);

/* ---- Batches ---- */

/* Writes the order in which epoch `epoch` visits the images of a split: a permutation of
   0 ... n[split] - 1, a function of (seed, split, epoch). */
LT_API void lt_dataset_order(const lt_dataset *d, lt_split split, uint64_t seed, uint64_t epoch,
                             int32_t *order);

/* Writes images index[0 ... n - 1] of a split as n x h x w x c floats in [0, 1] (byte b is b / 255,
   correctly rounded), binarized as the set's options say. A draw depends on (seed, split, image,
   pixel) and, if dynamic, on `epoch`: never on the batch or on `threads`, the number of threads to
   use (1: the caller's own). LT_VALUE if an index is outside the split; x is then untouched. */
LT_API int lt_dataset_gather(const lt_dataset *d, lt_split split, const int32_t *index, int n,
                             uint64_t epoch, int threads, float *x);

/* The same as training is to see them: with options->flip, an image is mirrored left to right with
   probability 1/2, drawn by (seed, split, image, epoch). Never for evaluation, whatever the split. */
LT_API int lt_dataset_gather_augmented(const lt_dataset *d, lt_split split, const int32_t *index,
                                       int n, uint64_t epoch, int threads, float *x);

/* How many images of a split have each label: counts[0 ... classes - 1]. LT_NOT_FOUND if it has no labels. */
LT_API int lt_dataset_count_labels(const lt_dataset *d, lt_split split, int64_t *counts);

/* The class that `word` means: the one of `names` that it is, else a number from 0 to n - 1. LT_VALUE, with
   the nearest name. Nullable: names (classes have numbers alone). */
LT_API int lt_class_find(const char *word, const char *const *names, int n, int *class_index);

/* Whether a picture written as `file` would be one of the images when `data` is opened the next time: it lies
   in this directory of pictures, links followed, and in no run of ours. For tools that write pictures. */
LT_API bool lt_data_would_include(const char *data, const char *file);

/* Writes the labels of images index[0 ... n - 1]. LT_VALUE if an index is outside the split,
   LT_NOT_FOUND if the split has no labels. */
LT_API int lt_dataset_labels(const lt_dataset *d, lt_split split, const int32_t *index, int n,
                             int32_t *labels);

/* Which image of the split as it was read image i is, 0 <= i < n[split]: another one where
   options->classes keeps some of them. -1 outside. */
LT_API int64_t lt_dataset_origin(const lt_dataset *d, lt_split split, int64_t i);

/* Writes the mean image of a split as h x w x c floats in [0, 1]: the mean of what gathering gives,
   for fixed and dynamic binarization its expectation. LT_VALUE if the split is empty. */
LT_API int lt_dataset_mean_image(const lt_dataset *d, lt_split split, float *mean);

/* ---- The catalog of known sets ---- */

typedef struct lt_catalog_file {
    lt_split split;
    bool is_labels;
    const char *name;   /* as it is when inflated; NAME.gz is accepted everywhere */
    const char *remote; /* as the mirrors call it, and a download leaves it: NAME or NAME.gz */
    int64_t bytes;      /* of the inflated content */
    const char *sha256; /* of the inflated content, 64 hexadecimal digits: archives of equal content
                           differ from mirror to mirror */
    bool is_archive;    /* a tar file of all splits; bytes and sha256 are those of `remote` as it is,
                           packed, since no others are published */
} lt_catalog_file;

typedef struct lt_catalog_entry {
    const char *name, *summary; /* the summary is one line */
    int h, w, c;
    int n[LT_SPLITS];
    const char *const *class_names; /* of labels 0, 1, ...; the last one is NULL. Nullable:
                                       labels are digits, or there are none */
    const char *system_place;   /* where a system package puts it. Nullable */
    const char *system_package; /* the Debian package that does. Nullable */
    const char *mirrors[4];     /* base URLs, in the order they are tried; NULL after the last */
    const lt_catalog_file *files;
    int n_files;
} lt_catalog_entry;

/* The sets known by name: 0 <= i < lt_data_count(). Static. */
LT_API int lt_data_count(void);
LT_API const lt_catalog_entry *lt_data_entry(int i);

/* The set called `name`, or NULL with a message that names the nearest one. */
LT_API const lt_catalog_entry *lt_data_named(const char *name);

/* Finds the directory that lt_dataset_open would read a named set from, and writes it, cut to
   `size` bytes with the final zero. LT_NOT_FOUND with the places looked at. Nullable: path. */
LT_API int lt_data_find(const char *name, const char *path, char *place, size_t size);

/* Checks the SHA-256 of every file of a named set, where lt_data_find finds it. LT_FORMAT names the
   first file that differs, with both hashes. Nullable: path. */
LT_API int lt_data_verify(const char *name, const char *path);

/* ---- Writing ---- */

/* Writes numbers as an npy file of f32, C order: numpy.load reads them back exactly. */
LT_API int lt_npy_write(const char *path, const float *values, int rank, const int64_t *shape);

typedef enum lt_number_kind { LT_FLOAT32, LT_FLOAT64, LT_INT32 } lt_number_kind;

enum { LT_MAX_ARRAY_RANK = 4 };

/* Numbers with a name, in C order: an array of an npz file, or a column of a csv file. */
typedef struct lt_array {
    const char *name; /* letters, digits, '_' */
    lt_number_kind kind;
    const void *values;
    int rank; /* from 1; of a column 1 */
    int64_t shape[LT_MAX_ARRAY_RANK];
} lt_array;

/* Writes the arrays as one npz file, not compressed: numpy.load reads them back exactly. LT_VALUE for
   names, ranks or sizes that do not fit (an array of 4 GB or more), LT_IO. */
LT_API int lt_npz_write(const char *path, const lt_array *arrays, int n);

/* Columns of one length as comma-separated text: a line of names, then a line for each row, with as
   many digits as read back exactly in its kind of numbers; "nan" where there is no number. An array of rank 2
   becomes columns NAME_0, NAME_1, ... NULL (LT_VALUE) for arrays that are not such columns. The caller frees it. */
LT_API char *lt_csv_text(const lt_array *columns, int n);

/* LT_OK for FILE.csv and FILE.npz, else LT_VALUE. */
LT_API int lt_columns_check_name(const char *path);

/* Writes columns to FILE.csv or FILE.npz. LT_VALUE for another name, and as above. */
LT_API int lt_columns_write(const char *path, const lt_array *columns, int n);

/* ---- Reading numbers, whatever they mean ---- */

/* An array of a file. It owns its name and its values, in C order. */
typedef struct lt_number_array {
    char *name; /* "" where the file gives it none */
    int rank;   /* from 0, a single number, to 4 */
    int64_t shape[LT_MAX_ARRAY_RANK];
    double *values;
} lt_number_array;

/* LT_OK for FILE.npz, FILE.npy and FILE.csv, else LT_VALUE. */
LT_API int lt_arrays_check_name(const char *path);

/* Reads all arrays of FILE.npz, the one of FILE.npy (C order, integers, f2, f4, f8), or the columns of FILE.csv:
   under a line of names those called NAME_0, NAME_1, ... (or NAME_1, ...) are one array of rank 2 and
   others have rank 1; without such a line all of them are one array of rank 2. LT_NOT_FOUND, LT_IO,
   LT_FORMAT with the place, LT_VALUE for another name, LT_NO_MEMORY; there is then nothing to free. */
LT_API int lt_arrays_read(const char *path, lt_number_array **all, int *n);

LT_API void lt_arrays_free(lt_number_array *all, int n); /* Nullable: all */

/* ---- Download ---- */

/* Told as bytes of a file arrive. `total` is 0 while unknown. Returning false stops the download,
   which another one continues. */
typedef bool lt_fetch_progress(void *user, const char *file, int64_t done, int64_t total);

/* Zero means default. */
typedef struct lt_fetch_options {
    const char *directory;       /* to put the files in; default: NAME in the cache, where
                                    lt_dataset_open finds it */
    int timeout;                 /* seconds to connect, and seconds without a byte; default 30 */
    lt_fetch_progress *progress; /* default: none */
    void *user;                  /* handed to progress */
} lt_fetch_options;

/* Downloads a set of the catalog, from its mirrors in their order. Files already there with the
   right SHA-256 are kept; a broken-off download continues; a file appears under its name only when
   its content has the pinned SHA-256, and is deleted if it has another one. $LATENT_MIRROR, a base
   URL, is tried before the built-in mirrors: $LATENT_MIRROR/NAME/FILE.
   LT_NETWORK (with what to do instead), LT_FORMAT with both hashes, LT_INTERRUPTED, LT_IO,
   LT_NOT_FOUND for an unknown name. Nullable: options. */
LT_API int lt_data_fetch(const char *name, const lt_fetch_options *options);

#ifdef __cplusplus
}
#endif
#endif
