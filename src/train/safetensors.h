/* SPDX-License-Identifier: MIT */
/* The safetensors file format: a JSON header with names, types, shapes and places, then the data.
   Written bytes depend on nothing but the arguments; what is read is checked completely first. */
#ifndef LATENT_SAFETENSORS_H
#define LATENT_SAFETENSORS_H

#include <latent/base.h>

enum { SAFETENSORS_RANK = 8 };

/* One line per element type: name, bytes. F16 and BF16 are only read. */
#define SAFETENSORS_TYPES(X)                                                                       \
    X(F32, 4)                                                                                      \
    X(F64, 8)                                                                                      \
    X(I64, 8)                                                                                      \
    X(U64, 8)                                                                                      \
    X(U8, 1)                                                                                       \
    X(F16, 2)                                                                                      \
    X(BF16, 2)

typedef enum safetensors_type {
#define X(name, size) SAFETENSORS_##name,
    SAFETENSORS_TYPES(X)
#undef X
} safetensors_type;

typedef struct safetensors_entry {
    const char *name;
    safetensors_type type;
    int rank;
    int64_t dims[SAFETENSORS_RANK];
    const void *data;               /* in a file that was read: at any alignment */
} safetensors_entry;

typedef struct safetensors_pair {
    const char *key, *value;
} safetensors_pair;

/* Writes the tensors in the order given. Names are unique; all text is UTF-8. */
int safetensors_write(const char *path, const safetensors_entry *tensors, int n,
                      const safetensors_pair *metadata, int n_metadata);

/* A file read: owns all it points to. */
typedef struct safetensors {
    int n, n_metadata;
    safetensors_entry *tensors;     /* in the order of their data */
    safetensors_pair *metadata;
    struct safetensors_memory *memory;
} safetensors;

int safetensors_read(const char *path, safetensors **file);
void safetensors_free(safetensors *file);

/* The value of a metadata key, or NULL. */
const char *safetensors_metadata(const safetensors *file, const char *key);

/* NULL and an error message if there is none of that name. */
const safetensors_entry *safetensors_find(const safetensors *file, const char *name);

/* Copies a tensor of that type and shape to `out`; to F32 every other type converts.
   LT_NOT_FOUND, or LT_FORMAT with the shape or type expected and found. */
int safetensors_get(const safetensors *file, const char *name, safetensors_type type, int rank,
                    const int64_t *dims, void *out);

#endif
