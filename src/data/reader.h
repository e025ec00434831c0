/* SPDX-License-Identifier: MIT */
/* Readers of data files: the content of one file in, an array of images or labels out, or one of each.
   A reader is a record in its family's file and a line in readers.def. */
#ifndef LATENT_READER_H
#define LATENT_READER_H

#include "base/file.h"
#include "base/ceilings.h"

enum { MAX_CHANNELS = 4 };

/* Pixels; a larger size means a damaged header. */
#define MAX_SIDE ((int)limit_of(LIMIT_IMAGE_SIDE))

/* Inflated bytes of one file; a bomb stops here. */
#define DATA_LIMIT ((size_t)limit_of(LIMIT_DATA_BYTES))

/* n images of h x w x c pixels, either bytes or floats in [0, 1]; or n labels (is_labels, bytes).
   `u8` and `f32` point into `file` or `block`, which the array owns. */
typedef struct data_array {
    bool is_labels;
    bool is_binary; /* bytes are 0 and 1, not 0 ... 255 */
    int n, h, w, c;
    const unsigned char *u8;
    const float *f32;
    bytes file;
    void *block;
} data_array;

void data_array_clear(data_array *a);

/* Input of a reader. A reader that keeps the content moves it into its array. */
typedef struct data_source {
    const char *path; /* for messages */
    bytes content;    /* inflated */
    bool is_for_labels; /* N x 1 numbers are labels, not images of one pixel */
} data_source;

typedef struct reader {
    const char *name; /* of the format, in messages */
    const char *extension; /* of files without a signature; NULL: the signature decides */
    bool (*sniff)(const data_source *source); /* is this its signature? NULL: the extension decides */
    /* `labels`: labels in the same file as images, if any. */
    int (*read)(data_source *source, data_array *out, data_array *labels);
    /* Returns the size of the whole file in bytes by its header, the beginning of `head`; 0 if unknown.
       Nullable. */
    size_t (*whole)(const data_source *head);
} reader;

/* READER(idx) becomes extern const reader idx_reader; */
#define READER(NAME) extern const reader NAME##_reader;
#include "data/readers.def"
#undef READER

/* Reads a file, plain or gzip, of any format: images or labels into `out`, labels that images bring
   along into `labels`. Both are empty after a failure. */
int data_read(const char *path, data_array *out, data_array *labels);

/* The same for content in memory, which is consumed. */
int data_parse(const char *path, bytes *content, data_array *out, data_array *labels);

/* The same by one reader, for a source in memory. */
int data_run(const reader *r, data_source *s, data_array *out, data_array *labels);

/* Does the path end in `extension`, with or without ".gz"? */
bool data_has_extension(const char *path, const char *extension);

/* LT_FORMAT "PATH: at byte OFFSET: ..."; say what was expected and what was found. */
int data_malformed(const data_source *s, size_t offset, const char *format, ...) LT_PRINTF(3, 4);

/* Checks sizes from a file's header, the first one found at `offset` and the others `step` bytes apart
   (0: all at the same place), and stores them; h = 0 for labels. `*pixels` is their product. */
int data_set_shape(const data_source *s, size_t offset, size_t step, data_array *out,
                   const uint64_t size[4], size_t *pixels);

/* Bytes that are all 0 or 1 are read as black and white, which is logged. `path` is for messages. */
void data_notice_binary(const char *path, data_array *a);

/* The side of a square image of `pixels` pixels, or 0. */
int data_square_side(size_t pixels);

#endif
