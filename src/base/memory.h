/* SPDX-License-Identifier: MIT */
/* Three ways to get memory: tensor blocks (may fail), small bookkeeping (aborts), arenas. */
#ifndef LATENT_MEMORY_H
#define LATENT_MEMORY_H

#include <latent/base.h>

enum { TENSOR_ALIGN = 64 };

/* Checked arithmetic for sizes from outside: false on overflow. */
static inline bool size_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}
static inline bool size_mul(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

/* Tensor memory, aligned to 64 bytes and zeroed. NULL, with an error message that names `what` and
   the size, if allocation fails. Free it with tensor_free, which accepts NULL. */
void *tensor_alloc(size_t bytes, const char *what);
void tensor_free(void *memory);

/* Bookkeeping: never NULL. Freed with free(). */
void *must_alloc(size_t bytes);                 /* zeroed */
void *must_resize(void *memory, size_t bytes);
char *must_copy_text(const char *text);
char *must_format(const char *format, ...) LT_PRINTF(1, 2);

/* Grows an array: must_grow(list, n, &capacity) before list[n++] = ... */
#define must_grow(list, n, capacity)                                                               \
    ((n) < *(capacity) ? (list)                                                                    \
                       : must_resize((list), sizeof *(list) * (size_t)(*(capacity) = (n) * 2 + 8)))

/* Many small blocks freed together. Zero-initialize; blocks come zeroed and 16-byte aligned. */
typedef struct arena {
    struct arena_chunk *chunks;
} arena;

void *arena_alloc(arena *a, size_t bytes);
char *arena_copy_text(arena *a, const char *text);
char *arena_format(arena *a, const char *format, ...) LT_PRINTF(2, 3);
void *arena_copy(arena *a, const void *from, size_t bytes);
void arena_clear(arena *a);

#endif
