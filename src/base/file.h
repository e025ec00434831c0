/* SPDX-License-Identifier: MIT */
/* The file layer: everything latent reads from or writes to disk goes through here. Files appear
   whole or not at all: written beside their place as `.NAME.tmp-PID`, which is locked, synchronized,
   renamed. Where a process was killed before that, the next one that writes NAME finds the file without
   its lock, and removes it. */
#ifndef LATENT_FILE_H
#define LATENT_FILE_H

#include <latent/base.h>

#include <errno.h>

/* Makes a system call until no signal handler interrupts it: those of a host may not have SA_RESTART. */
#define FILE_RETRY(result, call)                                                                   \
    do                                                                                             \
        (result) = (call);                                                                         \
    while ((result) < 0 && errno == EINTR)

typedef struct bytes {
    unsigned char *data; /* one zero byte follows the last one */
    size_t size;
} bytes;

void bytes_clear(bytes *b);

/* Reads a regular file. LT_NOT_FOUND, LT_IO, LT_NO_MEMORY, or LT_FORMAT if larger than `limit`
   bytes; `out` is then empty. */
int file_read(const char *path, size_t limit, bytes *out);

/* The same, inflated if it is gzip (one member or more); `limit` counts inflated bytes. */
int file_read_inflated(const char *path, size_t limit, bytes *out);

/* The first bytes of what a gzip file holds, at most `size`, and in `*packed` the size of the file; both 0
   for anything else, and for what cannot be read. */
size_t file_peek_inflated(const char *path, unsigned char *head, size_t size, size_t *packed);

bool file_exists(const char *path);
bool file_is_directory(const char *path);

/* Makes the directory and those above it; LT_OK if it is there already. */
int file_make_directories(const char *path);

/* "dir/name"; freed by the caller. */
char *file_join(const char *dir, const char *name);

/* A path that means the same from everywhere; a relative one begins at `dir`. Links are followed as
   far as the file is there. Freed by the caller. Nullable: dir (the working directory). */
char *file_absolute(const char *dir, const char *path);

/* The directory a path lies in, "." for a bare name; freed by the caller. */
char *file_directory(const char *path);

/* Writing in pieces. After a failed file_put, commit fails too. */
typedef struct file_writer file_writer;

int file_begin(file_writer **w, const char *path);
int file_put(file_writer *w, const void *data, size_t size);
int file_commit(file_writer *w);    /* frees w, whatever happens */
void file_abandon(file_writer *w);  /* removes what was written, frees w. Nullable: w */

int file_write(const char *path, const void *data, size_t size);

/* Removes what killed processes have left in a directory that is ours: temporary files of any name that
   nobody writes to. */
void file_clear_unfinished(const char *dir);

/* Adds a line (given without its newline) to a log, with a single write, and synchronizes it: what is
   written after it never survives a power cut without it. What was written in part is taken off. */
int file_append(const char *path, const char *line);

/* Names in `dir` that end in `suffix`, sorted by byte value; hidden ones are left out.
   Nullable: suffix (all names). */
int file_list(const char *dir, const char *suffix, char ***names, int *n);
void file_list_free(char **names, int n);

#endif
