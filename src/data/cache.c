/* SPDX-License-Identifier: MIT */
/* A file: `header`, head, body. Its digest is the SHA-256 of the digests of its pieces, so that
   threads can share the work. */
#include "data/cache.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { VERSION = 1, PIECE = 1 << 20, KEPT_DAYS = 30, HEX = SHA256_TEXT - 1 };

static const char MAGIC[8] = "ltCache";
static const uint32_t BYTE_ORDER_MARK = 0x01020304;

typedef struct header {
    char magic[8];
    uint32_t byte_order, version;
    char key[HEX];
    uint64_t head_size, body_size;
    char digest[HEX]; /* of head and body */
} header;

_Static_assert(sizeof(header) == 160, "no gaps, so that its bytes are defined");

/* ---- Digests ---- */

typedef struct digest_job {
    const unsigned char *data;
    size_t size;
    char (*pieces)[SHA256_TEXT];
} digest_job;

static void digest_piece(void *context, int64_t i, int worker)
{
    digest_job *job = context;
    (void)worker;
    size_t at = (size_t)i * PIECE, left = job->size - at;
    sha256_text(job->data + at, left < PIECE ? left : PIECE, job->pieces[i]);
}

void cache_digest(const void *data, size_t size, int threads, char hex[SHA256_TEXT])
{
    size_t n = size / PIECE + (size % PIECE != 0);
    digest_job job = {data, size, must_alloc(n * sizeof *job.pieces)};
    threads_run(threads, (int64_t)n, digest_piece, &job);
    sha256_text(job.pieces, n * sizeof *job.pieces, hex);
    free(job.pieces);
}

static void digest_both(const void *head, size_t head_size, const void *body, size_t body_size,
                        int threads, char hex[SHA256_TEXT])
{
    char both[2][SHA256_TEXT];
    cache_digest(head, head_size, threads, both[0]);
    cache_digest(body, body_size, threads, both[1]);
    sha256_text(both, sizeof both, hex);
}

/* ---- Files ---- */

/* Returns what is wrong with a file, or NULL. */
static const char *find_damage(const cached *c, const header *h, const char *key, int threads)
{
    if (c->file.size < sizeof *h || memcmp(h->magic, MAGIC, sizeof MAGIC) != 0 ||
        h->byte_order != BYTE_ORDER_MARK || h->version != VERSION)
        return "its format is unknown";
    if (memcmp(h->key, key, HEX) != 0)
        return "it belongs to another set";
    size_t left = c->file.size - sizeof *h;
    if (h->head_size > left || h->body_size != left - h->head_size)
        return "it is truncated";
    char found[SHA256_TEXT];
    digest_both(c->head, c->head_size, c->body, c->body_size, threads, found);
    return memcmp(found, h->digest, HEX) != 0 ? "its checksum is wrong" : NULL;
}

static void point_into(cached *c, const header *h)
{
    if (c->file.size < sizeof *h || h->head_size > c->file.size - sizeof *h)
        return;
    c->head = c->file.data + sizeof *h;
    c->head_size = (size_t)h->head_size;
    c->body = c->head + c->head_size;
    c->body_size = c->file.size - sizeof *h - c->head_size;
}

void cached_clear(cached *c)
{
    bytes_clear(&c->file);
    *c = (cached){0};
}

static bool load(const char *path, const char *key, int threads, cached *out)
{
    header h = {0};
    if (!file_exists(path))
        return false;
    if (file_read(path, SIZE_MAX / 2, &out->file) != LT_OK) {
        log_warning("%s; computing it again", lt_last_error());
        return false;
    }
    memcpy(&h, out->file.data, out->file.size < sizeof h ? out->file.size : sizeof h);
    point_into(out, &h);
    const char *damage = find_damage(out, &h, key, threads);
    if (damage) {
        log_warning("%s: %s; computing it again", path, damage);
        return false;
    }
    utimensat(AT_FDCWD, path, NULL, 0); /* used today */
    return true;
}

bool cache_load(const char *folder, const char key[SHA256_TEXT], int threads, cached *out)
{
    *out = (cached){0};
    char *place = catalog_cache_folder(folder);
    if (!place)
        return false;
    char *path = file_join(place, key);
    bool done = load(path, key, threads, out);
    if (!done)
        cached_clear(out);
    free(path);
    free(place);
    return done;
}

/* Deletes files that have not been used for long. */
static void drop_old(const char *folder)
{
    char **names;
    int n;
    struct stat s;
    if (file_list(folder, NULL, &names, &n) != LT_OK)
        return;
    for (int i = 0; i < n; i++) {
        char *path = file_join(folder, names[i]);
        if (strlen(names[i]) == HEX && lstat(path, &s) == 0 && S_ISREG(s.st_mode) &&
            s.st_mtim.tv_sec < time(NULL) - (time_t)KEPT_DAYS * 24 * 3600)
            unlink(path);
        free(path);
    }
    file_list_free(names, n);
}

static int write_all(const char *path, const header *h, const void *head, const void *body)
{
    file_writer *w;
    LT_TRY(file_begin(&w, path));
    if (file_put(w, h, sizeof *h) == LT_OK && file_put(w, head, (size_t)h->head_size) == LT_OK &&
        file_put(w, body, (size_t)h->body_size) == LT_OK)
        return file_commit(w);
    file_abandon(w);
    return LT_IO;
}

void cache_store(const char *folder, const char key[SHA256_TEXT], int threads, const void *head,
                 size_t head_size, const void *body, size_t body_size)
{
    header h = {.byte_order = BYTE_ORDER_MARK,
                .version = VERSION,
                .head_size = head_size,
                .body_size = body_size};
    char hex[SHA256_TEXT], *place = catalog_cache_folder(folder);
    if (!place)
        return;
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    memcpy(h.key, key, HEX);
    digest_both(head, head_size, body, body_size, threads, hex);
    memcpy(h.digest, hex, HEX);
    char *path = file_join(place, key);
    if (file_make_directories(place) != LT_OK || write_all(path, &h, head, body) != LT_OK)
        log_warning("the %s cannot be cached: %s", folder, lt_last_error());
    else
        drop_old(place);
    free(path);
    free(place);
}
