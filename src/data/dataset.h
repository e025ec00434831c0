/* SPDX-License-Identifier: MIT */
/* The fields of an open data set. */
#ifndef LATENT_DATASET_H
#define LATENT_DATASET_H

#include <latent/data.h>

#include "data/identity.h"
#include "data/reader.h"
#include "image/transform.h"

#include <stdatomic.h>

/* Philox streams of src/data; the split is added. 24 bits. */
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
    int32_t *origin; /* n indices in the split before options.classes; NULL: unchanged. Owned by the set */
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
    bool is_identified; /* identities are stored, since images have moved; else they are computed on demand */
    char identity[LT_SPLITS][IDENTITY_TEXT];
};

/* The table of lt_data_options, which parses a recipe's `data:` line. */
extern const lt_option data_options[];

/* Checks options. LT_VALUE. Nullable: o (defaults). */
int data_options_check(const lt_data_options *o);

/* Returns the transform of a picture by checked options. */
transform data_options_transform(const lt_data_options *o);

/* Returns a set without images, or NULL for invalid options. */
lt_dataset *dataset_create(const char *name, const char *place, const lt_data_options *options);

/* Moves the images of a split, and its labels if any, into the set, resized and recolored by its options: their
   shape must then match the other splits, the number of labels that of images. `paths` (images, labels) are for
   messages. The arrays are empty afterwards, also after an error. */
int dataset_take(lt_dataset *d, lt_split split, data_array *images, data_array *labels,
                 const char *const paths[2]);

/* Keeps copies of the names of labels 0 ... n - 1. */
void dataset_name_classes(lt_dataset *d, const char *const *names, int n);

/* Last step of opening: cuts the validation split, applies `classes` and `limit`, and fills in the info. */
int dataset_finish(lt_dataset *d);

/* Keeps the images whose label is in info.options.classes, in every split. Counts of classes and their
   names must be known. In classes.c. */
int dataset_keep_classes(lt_dataset *d);

#endif
