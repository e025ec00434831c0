/* SPDX-License-Identifier: MIT */
/* What an open data set is made of. */
#ifndef LATENT_DATASET_H
#define LATENT_DATASET_H

#include <latent/data.h>

#include "data/identity.h"
#include "data/reader.h"
#include "image/transform.h"

#include <stdatomic.h>

/* Philox streams of the data floor; the split is added. 24 bits. */
enum {
    STREAM_SHUFFLE = 0xda7a00,
    STREAM_FIXED = 0xda7a10,
    STREAM_DYNAMIC = 0xda7a20,
    STREAM_SYNTHETIC = 0xda7a30,
    STREAM_FLIP = 0xda7a40,
};

/* The set called "synthetic". */
enum { SYNTHETIC_IMAGES = 10000, SYNTHETIC_SIDE = 28 };

/* n images, bytes or floats, borrowed from the arrays of the set. */
typedef struct image_split {
    int n;
    bool is_binary; /* bytes are 0 and 1 */
    const unsigned char *u8;
    const float *f32;
    const unsigned char *labels; /* or NULL */
    int32_t *origin; /* n: places in the split as it was read; NULL: the same. Owned by the set */
} image_split;

struct lt_dataset {
    lt_dataset_info info;
    size_t pixels; /* of one image: h * w * c */
    image_split splits[LT_SPLITS];
    data_array images[LT_SPLITS], labels[LT_SPLITS]; /* owned; valid may be the end of train's */
    char *name, *place;
    char **class_names; /* or NULL */
    int n_class_names;
    atomic_flag told_fallback[LT_SPLITS];
    bool is_identified; /* before images were moved; else they can be looked at at any time */
    char identity[LT_SPLITS][IDENTITY_TEXT];
};

/* The rows of lt_data_options, which a recipe's `data:` line is parsed by. */
extern const lt_option data_options[];

/* Do they make sense? Nullable: o (defaults). */
int data_options_check(const lt_data_options *o);

/* What checked options do with a picture. */
transform data_options_transform(const lt_data_options *o);

/* A set without images, or NULL if the options do not make sense. */
lt_dataset *dataset_create(const char *name, const char *place, const lt_data_options *options);

/* Makes the images of a split, with or without labels, the set's own, resized and recolored as the
   options say: shape and counts must then agree with those it has. `paths` (images, labels) are for
   messages. The arrays are empty afterwards, whatever happens. */
int dataset_take(lt_dataset *d, lt_split split, data_array *images, data_array *labels,
                 const char *const paths[2]);

/* Keeps copies of the names of labels 0 ... n - 1. */
void dataset_name_classes(lt_dataset *d, const char *const *names, int n);

/* Cuts the validation split, keeps the classes asked for and the limit, fills in the info: the last step
   of opening. */
int dataset_finish(lt_dataset *d);

/* Keeps the images whose label is in info.options.classes, in every split. Counts of classes and their
   names must be known. In classes.c. */
int dataset_keep_classes(lt_dataset *d);

#endif
