/* SPDX-License-Identifier: MIT */
#include "data/archive.h"

#include "base/ceilings.h"
#include "base/loaded_zip.h"
#include "base/memory.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct archive {
    zip_t *zip;
    uint64_t n;
};

/* Reads the first bytes of a regular file; returns fewer, or 0, if it is shorter. */
static size_t read_start(const char *path, unsigned char *start, size_t size)
{
    int fd;
    struct stat s;
    ssize_t n = 0;
    FILE_RETRY(fd, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)); /* opening a fifo must not block */
    if (fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode))
        FILE_RETRY(n, read(fd, start, size));
    if (fd >= 0)
        close(fd);
    return n > 0 ? (size_t)n : 0;
}

bool archive_is_zip(const char *path)
{
    enum { NAME_LENGTH_AT = 26, NAME_AT = 30 };
    unsigned char start[512];
    size_t n = read_start(path, start, sizeof start);
    if (n >= 4 && memcmp(start, "PK\5\6", 4) == 0) /* an empty archive */
        return true;
    if (n < NAME_AT || memcmp(start, "PK\3\4", 4) != 0)
        return false;
    size_t length = (size_t)start[NAME_LENGTH_AT] | (size_t)start[NAME_LENGTH_AT + 1] << 8;
    return length < 4 || NAME_AT + length > n ||
           memcmp(start + NAME_AT + length - 4, ".npy", 4) != 0;
}

/* Entries may share their packed bytes, so the sum of sizes has no bound in the size of the file. */
static int check_sum(const archive *a, const char *path)
{
    LT_TRY(limit_check(LIMIT_ZIP_ENTRIES, path, a->n));
    size_t sum = 0;
    for (uint64_t i = 0; i < a->n; i++) {
        archive_entry e;
        if (archive_stat(a, i, &e) && !size_add(sum, e.size, &sum))
            sum = SIZE_MAX;
        LT_TRY(limit_check(LIMIT_ZIP_BYTES, path, sum));
    }
    return LT_OK;
}

int archive_open(const char *path, archive **out)
{
    *out = NULL;
    struct stat s;
    if (stat(path, &s) != 0)
        return status_fail(errno == ENOENT ? LT_NOT_FOUND : LT_IO, "cannot read %s: %s", path,
                           strerror(errno));
    if (!S_ISREG(s.st_mode))
        return status_fail(LT_IO, "cannot read %s: it is not a regular file", path);
    LT_TRY(library_load(&zip_library));
    int code;
    zip_t *zip = zip_open(path, ZIP_RDONLY, &code);
    if (!zip) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        int status = code == ZIP_ER_OPEN || code == ZIP_ER_READ ? LT_IO : LT_FORMAT;
        status_fail(status, "%s: expected a zip file, found: %s", path, zip_error_strerror(&error));
        zip_error_fini(&error);
        return status;
    }
    archive *a = must_alloc(sizeof *a);
    *a = (archive){zip, (uint64_t)zip_get_num_entries(zip, 0)};
    int status = check_sum(a, path);
    if (status != LT_OK)
        archive_close(a);
    else
        *out = a;
    return status;
}

void archive_close(archive *a)
{
    if (!a)
        return;
    zip_discard(a->zip);
    free(a);
}

uint64_t archive_count(const archive *a) { return a->n; }

bool archive_stat(const archive *a, uint64_t index, archive_entry *e)
{
    const zip_uint64_t wanted = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_CRC;
    zip_stat_t s;
    if (zip_stat_index(a->zip, index, 0, &s) != 0 || (s.valid & wanted) != wanted)
        return false;
    *e = (archive_entry){s.name, s.size, s.crc};
    return true;
}

/* Reads the entry and one byte more: libzip checks the CRC only at the end. */
static int unpack(zip_file_t *file, const char *name, bytes *out)
{
    for (size_t at = 0;;) {
        zip_int64_t n = zip_fread(file, out->data + at, out->size - at + 1);
        if (n < 0)
            return status_fail(LT_FORMAT, "%s: cannot be unpacked: %s", name,
                               zip_error_strerror(zip_file_get_error(file)));
        if (n == 0 && at == out->size)
            break;
        at += (size_t)n;
        if (n == 0 || at > out->size)
            return status_fail(LT_FORMAT, "%s: cannot be unpacked: expected %zu bytes, found %s",
                               name, out->size, n ? "more" : "fewer");
    }
    out->data[out->size] = 0;
    return LT_OK;
}

int archive_read(archive *a, uint64_t index, const char *name, size_t limit, bytes *out)
{
    *out = (bytes){0};
    archive_entry e;
    if (!archive_stat(a, index, &e) || e.size > limit)
        return status_fail(LT_FORMAT, "%s: larger than the limit of %zu bytes", name, limit);
    zip_file_t *file = zip_fopen_index(a->zip, index, 0);
    if (!file) {
        zip_error_t *error = zip_get_error(a->zip);
        int code = zip_error_code_zip(error);
        bool is_known =
            code != ZIP_ER_NOPASSWD && code != ZIP_ER_COMPNOTSUPP && code != ZIP_ER_ENCRNOTSUPP;
        return status_fail(is_known ? LT_FORMAT : LT_UNSUPPORTED, "%s: cannot be unpacked: %s",
                           name, zip_error_strerror(error));
    }
    *out = (bytes){malloc((size_t)e.size + 1), (size_t)e.size};
    int status = out->data ? unpack(file, name, out)
                           : status_fail(LT_NO_MEMORY, "no memory for %s: %ju bytes", name,
                                         (uintmax_t)e.size);
    zip_fclose(file);
    if (status != LT_OK)
        bytes_clear(out);
    return status;
}
