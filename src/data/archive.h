/* SPDX-License-Identifier: MIT */
/* Reading zip files, through libzip. An archive belongs to one thread at a time; several may be
   open on one file. */
#ifndef LATENT_ARCHIVE_H
#define LATENT_ARCHIVE_H

#include "base/file.h"

typedef struct archive archive;

/* Whether a regular file begins like a zip file, except those whose first entry is an array (.npz). */
bool archive_is_zip(const char *path);

/* LT_FORMAT, LT_IO, LT_NOT_FOUND. */
int archive_open(const char *path, archive **a);
void archive_close(archive *a); /* Nullable: a */

typedef struct archive_entry {
    const char *name; /* valid until the archive is closed; a folder's ends in '/' */
    uint64_t size;    /* unpacked */
    uint32_t crc;     /* of the content */
} archive_entry;

uint64_t archive_count(const archive *a);
bool archive_stat(const archive *a, uint64_t index,
                  archive_entry *e); /* false: it has no name or size */

/* Unpacks an entry and checks its CRC. LT_FORMAT, LT_UNSUPPORTED or LT_NO_MEMORY with a message
   that begins with `name`; `out` is then empty. */
int archive_read(archive *a, uint64_t index, const char *name, size_t limit, bytes *out);

#endif
