/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include "base/memory.h"
#include "base/shell.h"
#include "base/signals.h"
#include "base/status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* The failure of a system call: "cannot read PATH: No such file or directory". */
static int fail_errno(const char *what, const char *path)
{
    int status = errno == ENOENT || errno == ENOTDIR ? LT_NOT_FOUND
                 : errno == ENOMEM                   ? LT_NO_MEMORY /* says nothing of the file */
                                                     : LT_IO;
    return status_fail(status, "cannot %s %s: %s", what, path, strerror(errno));
}

static int synchronize(int fd)
{
    int result;
    FILE_RETRY(result, fsync(fd));
    return result;
}

static bool lock_now(int fd)
{
    int result;
    FILE_RETRY(result, flock(fd, LOCK_EX | LOCK_NB));
    return result == 0;
}

/* ---- Reading ---- */

void bytes_clear(bytes *b)
{
    free(b->data);
    *b = (bytes){0};
}

/* Makes room for `size` bytes and the zero after them. */
static int reserve(bytes *b, size_t size, const char *path)
{
    unsigned char *data = size < SIZE_MAX ? realloc(b->data, size + 1) : NULL;
    if (!data)
        return status_fail(LT_NO_MEMORY, "no memory for %s: %zu bytes", path, size);
    b->data = data;
    return LT_OK;
}

static int fail_too_large(const char *path, size_t limit)
{
    return status_fail(LT_FORMAT, "%s: larger than the limit of %zu bytes", path, limit);
}

/* Reads to the end of the file, which may have grown since `expected` was taken. */
static int read_all(int fd, const char *path, size_t expected, size_t limit, bytes *out)
{
    size_t room = expected < limit ? expected : limit;
    LT_TRY(reserve(out, room, path));
    for (;;) {
        /* the place of the final zero serves to notice one byte too many */
        ssize_t n;
        FILE_RETRY(n, read(fd, out->data + out->size, room - out->size + 1));
        if (n < 0)
            return fail_errno("read", path);
        if (n == 0)
            break;
        out->size += (size_t)n;
        if (out->size > limit)
            return fail_too_large(path, limit);
        if (out->size > room) {
            room = room < limit / 2 ? room * 2 + 4096 : limit;
            LT_TRY(reserve(out, room, path));
        }
    }
    out->data[out->size] = 0;
    return LT_OK;
}

int file_read(const char *path, size_t limit, bytes *out)
{
    *out = (bytes){0};
    int fd;
    FILE_RETRY(fd, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)); /* opening a fifo must not block */
    if (fd < 0)
        return fail_errno("read", path);
    int status;
    struct stat s;
    if (fstat(fd, &s) != 0)
        status = fail_errno("read", path);
    else if (!S_ISREG(s.st_mode))
        status = status_fail(LT_IO, "cannot read %s: it is %s", path,
                             S_ISDIR(s.st_mode) ? "a directory" : "not a regular file");
    else if ((uintmax_t)s.st_size > limit)
        status = fail_too_large(path, limit);
    else
        status = read_all(fd, path, (size_t)s.st_size, limit, out);
    close(fd);
    if (status != LT_OK)
        bytes_clear(out);
    return status;
}

/* ---- gzip ---- */

static bool is_gzip(const unsigned char *data, size_t size)
{
    return size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

/* Nothing, or zeros, which gzip allows after its data: tapes have blocks. */
static bool is_padding(const unsigned char *data, size_t size)
{
    while (size > 0 && data[size - 1] == 0)
        size--;
    return size == 0;
}

/* Gives the inflater its next piece of input and of output: zlib counts in 32 bits. */
static int feed(z_stream *z, const bytes *in, bytes *out, size_t *room, size_t limit,
                const char *path)
{
    enum { PIECE = 1 << 30 };
    size_t at = (size_t)(z->next_in - in->data);
    size_t left = in->size - at;
    z->avail_in = (uInt)(left < PIECE ? left : PIECE);
    if (out->size > limit)
        return fail_too_large(path, limit);
    if (out->size > *room) {
        *room = *room < limit / 2 ? *room * 2 : limit;
        LT_TRY(reserve(out, *room, path));
    }
    size_t space = *room - out->size + 1;
    z->next_out = out->data + out->size;
    z->avail_out = (uInt)(space < PIECE ? space : PIECE);
    return LT_OK;
}

static int inflate_members(z_stream *z, const bytes *in, bytes *out, size_t limit, const char *path)
{
    size_t room = in->size < limit / 4 ? in->size * 4 : limit;
    LT_TRY(reserve(out, room, path));
    for (;;) {
        LT_TRY(feed(z, in, out, &room, limit, path));
        int code = inflate(z, Z_NO_FLUSH);
        size_t at = (size_t)(z->next_in - in->data);
        out->size = (size_t)(z->next_out - out->data);
        if (code == Z_STREAM_END && is_padding(in->data + at, in->size - at))
            break;
        if (code == Z_STREAM_END && !is_gzip(in->data + at, in->size - at))
            return status_fail(LT_FORMAT, "%s: garbage after the gzip data, at byte %zu of %zu",
                               path, at, in->size);
        if (code == Z_STREAM_END)
            code = inflateReset(z);
        else if (code == Z_BUF_ERROR) /* there is always room for output */
            return status_fail(LT_FORMAT, "%s: the gzip data is cut off at byte %zu", path, at);
        if (code == Z_MEM_ERROR)
            return status_fail(LT_NO_MEMORY, "%s: no memory to inflate it", path);
        if (code != Z_OK)
            return status_fail(LT_FORMAT, "%s: corrupt gzip data near byte %zu of %zu: %s", path,
                               at, in->size, z->msg ? z->msg : "bad stream");
    }
    if (out->size > limit)
        return fail_too_large(path, limit);
    if (out->size > room) /* the last byte took the place of the final zero */
        LT_TRY(reserve(out, out->size, path));
    out->data[out->size] = 0;
    return LT_OK;
}

static int inflate_bytes(const bytes *in, bytes *out, size_t limit, const char *path)
{
    enum { GZIP_WINDOW = 15 + 16 }; /* the largest window; 16: gzip's header and checksum */
    z_stream z = {.next_in = in->data};
    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return status_fail(LT_NO_MEMORY, "%s: no memory to inflate it", path);
    int status = inflate_members(&z, in, out, limit, path);
    inflateEnd(&z);
    return status;
}

int file_read_inflated(const char *path, size_t limit, bytes *out)
{
    *out = (bytes){0};
    /* data that cannot be compressed grows a little */
    size_t slack = limit / 1000 + 4096, packed_limit;
    if (!size_add(limit, slack, &packed_limit))
        packed_limit = SIZE_MAX - 1;
    bytes raw;
    LT_TRY(file_read(path, packed_limit, &raw));
    if (!is_gzip(raw.data, raw.size)) {
        *out = raw;
        if (raw.size <= limit)
            return LT_OK;
        bytes_clear(out);
        return fail_too_large(path, limit);
    }
    int status = inflate_bytes(&raw, out, limit, path);
    bytes_clear(&raw);
    if (status != LT_OK)
        bytes_clear(out);
    return status;
}

size_t file_peek_inflated(const char *path, unsigned char *head, size_t size, size_t *packed)
{
    enum { GZIP_WINDOW = 15 + 16, FIRST = 4096 };
    unsigned char first[FIRST];
    z_stream z = {.next_in = first, .next_out = head, .avail_out = (uInt)size};
    struct stat s;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd >= 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) ? pread(fd, first, FIRST, 0) : 0;
    if (fd >= 0)
        close(fd);
    *packed = 0;
    if (n <= 0 || !is_gzip(first, (size_t)n) || inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return 0;
    z.avail_in = (uInt)n;
    inflate(&z, Z_SYNC_FLUSH); /* damage is told when all is read */
    inflateEnd(&z);
    *packed = (size_t)s.st_size;
    return size - z.avail_out;
}

/* ---- Paths ---- */

bool file_exists(const char *path) { return access(path, F_OK) == 0; }

bool file_is_directory(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* The directory that holds `path`, with its slash, or "./"; freed by the caller. */
static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? must_format("%.*s", (int)(slash - path + 1), path) : must_copy_text("./");
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Makes a rename or a new file in the directory of `path` survive a power cut. */
static int sync_parent(const char *path)
{
    char *parent = parent_of(path);
    int status = LT_OK;
    int fd;
    FILE_RETRY(fd, open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    /* EINVAL: a file system that has no such thing; EACCES: we may write but not list */
    if (fd >= 0 ? synchronize(fd) != 0 && errno != EINVAL : errno != EACCES)
        status = fail_errno("synchronize the directory", parent);
    if (fd >= 0)
        close(fd);
    free(parent);
    return status;
}

static int make_directory(const char *path)
{
    if (mkdir(path, 0777) == 0)
        return sync_parent(path);
    return errno == EEXIST && file_is_directory(path) ? LT_OK : fail_errno("make directory", path);
}

int file_make_directories(const char *path)
{
    if (file_is_directory(path)) /* one above it need not be ours to look into */
        return LT_OK;
    char *prefix = must_copy_text(path);
    int status = LT_OK;
    char *slash = strchr(prefix + (*prefix == '/'), '/'); /* not the root */
    for (; slash && status == LT_OK; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (!file_is_directory(prefix))
            status = make_directory(prefix);
        *slash = '/';
    }
    free(prefix);
    return status == LT_OK ? make_directory(path) : status;
}

char *file_join(const char *dir, const char *name)
{
    size_t n = strlen(dir);
    return must_format("%s%s%s", dir, n && dir[n - 1] != '/' ? "/" : "", name);
}

/* Removes "./" and doubled slashes, in place. */
static void drop_dots(char *path)
{
    char *to = path;
    for (const char *from = path; *from;) {
        size_t n = strcspn(from, "/"), gap = strspn(from + n, "/");
        if (n == 1 && *from == '.' && to > path) {
            from += n + gap;
            continue;
        }
        memmove(to, from, n);
        to += n;
        if (gap)
            *to++ = '/';
        from += n + gap;
    }
    while (to > path + 1 && to[-1] == '/')
        to--;
    *to = 0;
}

char *file_absolute(const char *dir, const char *path)
{
    char *joined = dir && path[0] != '/' ? file_join(dir, path) : must_copy_text(path);
    char *found = realpath(joined, NULL), *here = NULL;
    if (!found && joined[0] != '/' && (here = getcwd(NULL, 0)) != NULL)
        found = file_join(here, joined);
    if (!found)
        found = must_copy_text(joined);
    drop_dots(found);
    free(here);
    free(joined);
    return found;
}

char *file_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return must_copy_text(".");
    return must_format("%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* ---- Temporary files: `.NAME.tmp-PID`, with `-1`, `-2` ... appended if another thread has one. The
   writing process holds a lock on it. The lock ends with the process in every case, also on another machine,
   and does not depend on a reused PID. ---- */

static const char *skip_number(const char *s)
{
    const char *end = s + strspn(s, "0123456789");
    return end > s ? end : NULL;
}

/* Whether `name` is a temporary one, of `base` unless that is NULL. */
static bool is_temporary(const char *name, const char *base)
{
    const char *mark = NULL, *next = *name == '.' ? strstr(name + 1, ".tmp-") : NULL;
    for (; next; next = strstr(next + 1, ".tmp-"))
        mark = next;
    const char *end = mark ? skip_number(mark + strlen(".tmp-")) : NULL;
    if (end && *end == '-')
        end = skip_number(end + 1);
    if (!end || *end || mark == name + 1)
        return false;
    size_t n = (size_t)(mark - name - 1);
    return !base || (strlen(base) == n && memcmp(name + 1, base, n) == 0);
}

/* Removes the file if nobody holds its lock; locked while it is removed, so that nobody begins to. */
static void remove_abandoned(const char *path)
{
    struct stat s;
    int fd;
    FILE_RETRY(fd, open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (fd < 0)
        return;
    if (fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && lock_now(fd) &&
        unlink(path) == 0)
        log_info("removed %s, which was not finished", path);
    close(fd);
}

static void clear_abandoned(const char *dir, const char *base)
{
    DIR *d = opendir(dir);
    if (!d)
        return;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (!is_temporary(e->d_name, base))
            continue;
        char *path = file_join(dir, e->d_name);
        remove_abandoned(path);
        free(path);
    }
    closedir(d);
}

void file_clear_unfinished(const char *dir) { clear_abandoned(dir, NULL); }

/* Locks a file just made; false if another process has removed it in between. Where there are no locks
   nobody gets one, and nothing is removed. */
static bool lock_temporary(int fd)
{
    struct stat s;
    int locked;
    FILE_RETRY(locked, flock(fd, LOCK_EX));
    return fstat(fd, &s) != 0 || s.st_nlink > 0;
}

/* Opens one beside `path`, in its directory `parent`. */
static int open_temporary(const char *path, const char *parent, char **temporary)
{
    enum { TRIES = 10000 };
    for (int i = 0; i < TRIES; i++) {
        char number[16] = "";
        if (i > 0)
            snprintf(number, sizeof number, "-%d", i);
        *temporary =
            must_format("%s.%s.tmp-%ld%s", parent, base_name(path), (long)getpid(), number);
        int fd;
        FILE_RETRY(fd, open(*temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (fd >= 0 && lock_temporary(fd))
            return fd;
        int error = errno;
        free(*temporary);
        *temporary = NULL;
        if (fd >= 0)
            close(fd);
        else if (error != EEXIST) {
            errno = error;
            break;
        }
    }
    return -1;
}

/* ---- Writing ---- */

struct file_writer {
    char *path, *temporary;
    FILE *stream;
    int lock;  /* another descriptor of the temporary file: it keeps the lock until after the rename */
    int error; /* errno of the first failure */
};

static void writer_free(file_writer *w)
{
    if (w->lock >= 0)
        close(w->lock);
    free(w->path);
    free(w->temporary);
    free(w);
}

/* A rename would put a file in the place of a device or a pipe, also behind a symbolic link. */
static int check_replaceable(const char *path)
{
    struct stat s;
    const char *what = NULL;
    if (!*base_name(path))
        what = "the name of a directory";
    else if (stat(path, &s) != 0 || S_ISREG(s.st_mode))
        return LT_OK;
    else if (S_ISDIR(s.st_mode))
        what = "a directory";
    else
        what = S_ISCHR(s.st_mode) || S_ISBLK(s.st_mode) ? "a device" : "not a regular file";
    return status_fail(LT_IO, "cannot write %s: it is %s", path, what);
}

/* Opens the temporary file of *w, whose path is set. */
static int open_writer(file_writer *w)
{
    char *parent = parent_of(w->path);
    clear_abandoned(parent, base_name(w->path));
    int fd = open_temporary(w->path, parent, &w->temporary);
    free(parent);
    w->lock = -1;
    if (fd >= 0 && (w->lock = fcntl(fd, F_DUPFD_CLOEXEC, 0)) >= 0)
        w->stream = fdopen(fd, "wb");
    if (w->stream)
        return LT_OK;
    int status = fail_errno("write", w->path);
    if (fd >= 0) {
        close(fd);
        unlink(w->temporary);
    }
    return status;
}

int file_begin(file_writer **out, const char *path)
{
    *out = NULL;
    LT_TRY(check_replaceable(path));
    file_writer *w = must_alloc(sizeof *w);
    w->path = must_copy_text(path);
    int status = open_writer(w);
    if (status == LT_OK)
        *out = w;
    else
        writer_free(w);
    return status;
}

int file_put(file_writer *w, const void *data, size_t size)
{
    sigset_t before;
    signals_block(&before); /* what stdio was writing when it is interrupted is lost */
    if (!w->error && size && fwrite(data, 1, size, w->stream) != size)
        w->error = errno;
    signals_restore(&before);
    errno = w->error;
    return w->error ? fail_errno("write", w->path) : LT_OK;
}

int file_commit(file_writer *w)
{
    sigset_t before;
    signals_block(&before);
    if (!w->error && (fflush(w->stream) != 0 || synchronize(fileno(w->stream)) != 0))
        w->error = errno;
    errno = w->error;
    int status = w->error ? fail_errno("write", w->path) : LT_OK;
    if (fclose(w->stream) != 0 && status == LT_OK)
        status = fail_errno("write", w->path);
    signals_restore(&before);
    if (status == LT_OK && rename(w->temporary, w->path) != 0)
        status = fail_errno("write", w->path);
    if (status != LT_OK)
        unlink(w->temporary);
    else
        status = sync_parent(w->path);
    writer_free(w);
    return status;
}

void file_abandon(file_writer *w)
{
    if (!w)
        return;
    fclose(w->stream);
    unlink(w->temporary);
    writer_free(w);
}

int file_write(const char *path, const void *data, size_t size)
{
    file_writer *w;
    LT_TRY(file_begin(&w, path));
    int status = file_put(w, data, size);
    if (status == LT_OK)
        return file_commit(w);
    file_abandon(w);
    return status;
}

int lt_file_write(const char *path, const void *data, size_t size)
{
    return file_write(path, data, size);
}

/* ---- Before writing ---- */

/* Creates and removes a file in `dir`. `path`, the future file, is for messages. */
static int check_takes_files(const char *dir, const char *path)
{
    file_writer *w;
    struct stat s;
    if (stat(dir, &s) != 0 && errno == ENOENT) {
        char *word = shell_word(dir);
        status_fail(LT_NOT_FOUND, "cannot write %s: there is no directory %s; to make it: mkdir -p %s", path,
                    dir, word);
        free(word);
        return LT_NOT_FOUND;
    }
    if (stat(dir, &s) == 0 && !S_ISDIR(s.st_mode))
        return status_fail(LT_IO, "cannot write %s: %s is not a directory", path, dir);
    LT_TRY(file_begin(&w, path));
    file_abandon(w);
    return LT_OK;
}

int lt_file_check(const char *path)
{
    LT_TRY(check_replaceable(path));
    char *dir = file_directory(path);
    int status = check_takes_files(dir, path);
    free(dir);
    return status;
}

int lt_folder_check(const char *path)
{
    struct stat s;
    char *dir = must_copy_text(path);
    while (stat(dir, &s) != 0 && errno == ENOENT) {
        char *above = file_directory(dir);
        free(dir);
        dir = above;
    }
    bool is_known = stat(dir, &s) == 0;
    char *file = file_join(dir, "latent-check");
    int status = is_known ? check_takes_files(dir, file) : fail_errno("make directory", path);
    if (status != LT_OK && is_known)
        status_prefix(status, "cannot make %s", path);
    free(file);
    free(dir);
    return status;
}

/* ---- Logs ---- */

/* One write, all of it or nothing. */
static int append_bytes(int fd, const char *path, const char *data, size_t size)
{
    struct stat before;
    ssize_t n;
    if (fstat(fd, &before) != 0)
        return fail_errno("write", path);
    FILE_RETRY(n, write(fd, data, size));
    if (n >= 0 && (size_t)n == size && (synchronize(fd) == 0 || errno == EINVAL))
        return LT_OK; /* EINVAL: nothing that could be synchronized, as a pipe */
    int status = n < 0 || (size_t)n == size
                     ? fail_errno("write", path)
                     : status_fail(LT_IO, "cannot write %s: %zd of %zu bytes written", path, n, size);
    if (S_ISREG(before.st_mode) && ftruncate(fd, before.st_size) != 0)
        return status; /* the line in part stays, and is not taken for a line */
    return status;
}

int file_append(const char *path, const char *line)
{
    bool is_new = !file_exists(path);
    int fd;
    FILE_RETRY(fd, open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (fd < 0)
        return fail_errno("write", path);
    char *words = must_format("%s\n", line);
    int status = append_bytes(fd, path, words, strlen(words));
    if (close(fd) != 0 && status == LT_OK)
        status = fail_errno("write", path);
    free(words);
    return status == LT_OK && is_new ? sync_parent(path) : status;
}

/* ---- Listing ---- */

static bool ends_with(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int file_list(const char *dir, const char *suffix, char ***names, int *n)
{
    *names = NULL;
    *n = 0;
    DIR *d = opendir(dir);
    if (!d)
        return fail_errno("list", dir);
    int capacity = 0;
    struct dirent *entry;
    while (errno = 0, (entry = readdir(d))) {
        if (entry->d_name[0] == '.' || (suffix && !ends_with(entry->d_name, suffix)))
            continue;
        *names = must_grow(*names, *n, &capacity);
        (*names)[(*n)++] = must_copy_text(entry->d_name);
    }
    int status = errno ? fail_errno("list", dir) : LT_OK;
    closedir(d);
    if (*n)
        qsort(*names, (size_t)*n, sizeof **names, by_name);
    if (status != LT_OK) {
        file_list_free(*names, *n);
        *names = NULL;
        *n = 0;
    }
    return status;
}

void file_list_free(char **names, int n)
{
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
}
