/* SPDX-License-Identifier: MIT */
/* The file layer: all disk reads and writes of latent. Files are written atomically: as `.NAME.tmp-PID` in the same
   directory, which is locked, synchronized and renamed. If a process is killed before that, the next one that
   writes NAME finds the file unlocked and removes it. */
#ifndef LATENT_FILE_H
#define LATENT_FILE_H

#include <latent/base.h>

#include <errno.h>

/* Repeats a system call while signal handlers interrupt it: handlers of the host may lack SA_RESTART. */
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

/* Reads the first inflated bytes of a gzip file, at most `size`, and its compressed size into `*packed`; both are 0
   for other files, and if it cannot be read. */
size_t file_peek_inflated(const char *path, unsigned char *head, size_t size, size_t *packed);

bool file_exists(const char *path);
bool file_is_directory(const char *path);

/* Creates the directory and its parents; LT_OK if it exists. */
int file_make_directories(const char *path);

/* "dir/name"; freed by the caller. */
char *file_join(const char *dir, const char *name);

/* Returns an absolute path; a relative one is relative to `dir`. Resolves links in its existing part. Freed by the
   caller. Nullable: dir (the working directory). */
char *file_absolute(const char *dir, const char *path);

/* Returns the directory of a path, "." for a bare name; freed by the caller. */
char *file_directory(const char *path);

/* Writing in pieces. After a failed file_put, commit fails too. */
typedef struct file_writer file_writer;

int file_begin(file_writer **w, const char *path);
int file_put(file_writer *w, const void *data, size_t size);
int file_commit(file_writer *w);    /* frees w, also after an error */
void file_abandon(file_writer *w);  /* removes what was written, frees w. Nullable: w */

int file_write(const char *path, const void *data, size_t size);

/* Removes the unlocked temporary files, of any name, that killed processes left in a directory of latent. */
void file_clear_unfinished(const char *dir);

/* Appends a line (given without its newline) to a log with a single write, and synchronizes it, so that after a
   power cut no later line exists without it. Removes a partial write. */
int file_append(const char *path, const char *line);

/* Names in `dir` that end in `suffix`, sorted by byte value; without hidden ones.
   Nullable: suffix (all names). */
int file_list(const char *dir, const char *suffix, char ***names, int *n);
void file_list_free(char **names, int n);

#endif
