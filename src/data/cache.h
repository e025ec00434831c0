/* SPDX-License-Identifier: MIT */
/* A cache of expensive results: files in a folder of the cache directory (`pictures`, `features`), named by
   their keys. A missing, foreign or damaged file is computed again, a file that cannot be written is a
   warning, and a file that has not been used for a month is deleted. */
#ifndef LATENT_CACHE_H
#define LATENT_CACHE_H

#include "base/file.h"
#include "data/catalog.h"

/* A stored result: a head and a body, in `file`. */
typedef struct cached {
    bytes file;
    const unsigned char *head, *body;
    size_t head_size, body_size;
} cached;

/* The SHA-256 of the digests of pieces of 1 MiB, computed by several threads. */
void cache_digest(const void *data, size_t size, int threads, char hex[SHA256_TEXT]);

/* `key` has 64 hexadecimal digits: the SHA-256 of everything that the result depends on. False if
   there is no such file; a damaged file is reported in the log. */
bool cache_load(const char *folder, const char key[SHA256_TEXT], int threads, cached *out);
void cached_clear(cached *c);

void cache_store(const char *folder, const char key[SHA256_TEXT], int threads, const void *head,
                 size_t head_size, const void *body, size_t body_size);

#endif
