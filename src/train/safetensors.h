/* SPDX-License-Identifier: MIT */
/* The safetensors file format: a JSON header with names, types, shapes and offsets, then the data.
   Written bytes depend only on the arguments; a file is checked completely before it is used. */
#ifndef LATENT_SAFETENSORS_H
#define LATENT_SAFETENSORS_H

#include <latent/base.h>

enum { SAFETENSORS_RANK = 8 };

/* One line per element type: name, bytes. F16 and BF16 can only be read. */
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
    const void *data;               /* may be unaligned in a file that was read */
} safetensors_entry;

typedef struct safetensors_pair {
    const char *key, *value;
} safetensors_pair;

/* Writes the tensors in the order given. Names are unique; all text is UTF-8. */
int safetensors_write(const char *path, const safetensors_entry *tensors, int n,
                      const safetensors_pair *metadata, int n_metadata);

/* A file that was read. Owns what it points to. */
typedef struct safetensors {
    int n, n_metadata;
    safetensors_entry *tensors;     /* in the order of their data */
    safetensors_pair *metadata;
    struct safetensors_memory *memory;
} safetensors;

int safetensors_read(const char *path, safetensors **file);
void safetensors_free(safetensors *file);

/* Returns the value of a metadata key, or NULL. */
const char *safetensors_metadata(const safetensors *file, const char *key);

/* Returns the tensor of that name, or NULL with an error message. */
const safetensors_entry *safetensors_find(const safetensors *file, const char *name);

/* Copies a tensor of that type and shape to `out`; converts any type to F32. LT_NOT_FOUND; LT_FORMAT with the
   expected and found shape or type. */
int safetensors_get(const safetensors *file, const char *name, safetensors_type type, int rank,
                    const int64_t *dims, void *out);

#endif
