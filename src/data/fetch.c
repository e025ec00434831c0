/* SPDX-License-Identifier: MIT */
/* Downloads the files of a set. Several servers use plain HTTP, so only the pinned SHA-256 authenticates a
   file: bytes are appended to NAME.part, which is renamed to NAME only if its hash is right. */
#include "data/catalog.h"

#include "base/file.h"
#include "base/loaded_curl.h"
#include "base/memory.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEFAULT_TIMEOUT = 30, /* seconds */
    MIN_SPEED = 1000,     /* bytes per second, over that time */
    MAX_TRIES = 4,
    MAX_REDIRECTS = 5
};

/* The download of one file. */
typedef struct transfer {
    const lt_catalog_file *file;
    const lt_fetch_options *options;
    const char *url;
    int fd;             /* of the .part file, at its end */
    int64_t start, end; /* bytes in it: before this request, now */
    int64_t limit;      /* maximal bytes of the compressed content */
    int64_t told;       /* bytes reported to progress */
    int error;          /* errno of a failed write */
    bool is_canceled;
} transfer;

/* ---- One request ---- */

static size_t receive(char *data, size_t size, size_t count, void *user)
{
    transfer *t = user;
    size_t n = size * count, done = 0;
    if ((int64_t)n > t->limit - t->end)
        return 0;
    while (done < n) {
        ssize_t k = write(t->fd, data + done, n - done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            t->error = errno;
            return 0;
        }
        done += (size_t)k;
        t->end += k;
    }
    return n;
}

static int tell_progress(void *user, curl_off_t total, curl_off_t done, curl_off_t up_total,
                         curl_off_t up_done)
{
    transfer *t = user;
    (void)up_total, (void)up_done, (void)done;
    if (!t->options->progress || t->told == t->end)
        return 0;
    t->told = t->end;
    t->is_canceled = !t->options->progress(t->options->user, t->file->remote, t->end,
                                            total > 0 ? t->start + total : 0);
    return t->is_canceled;
}

static void set_options(CURL *c, transfer *t, char *message)
{
    long timeout = t->options->timeout ? t->options->timeout : DEFAULT_TIMEOUT;
    curl_easy_setopt(c, CURLOPT_URL, t->url);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "latent");
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, timeout);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)MIN_SPEED);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, timeout);
    curl_easy_setopt(c, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)t->start);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, tell_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static void start_curl(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

/* Turns the result of a failed request into a status. */
static int explain(const transfer *t, CURLcode code, const char *message)
{
    if (t->is_canceled)
        return status_fail(LT_INTERRUPTED, "%s: the download was stopped", t->url);
    if (t->error)
        return status_fail(LT_IO, "cannot write %s.part: %s", t->file->remote, strerror(t->error));
    if (code == CURLE_WRITE_ERROR)
        return status_fail(LT_FORMAT, "%s: larger than the %jd bytes of the published file", t->url,
                           (intmax_t)t->file->bytes);
    return status_fail(LT_NETWORK, "%s: %s (%jd bytes downloaded so far)", t->url,
                       *message ? message : curl_easy_strerror(code), (intmax_t)t->end);
}

/* Requests the bytes that the .part file lacks. */
static int request(transfer *t, CURLcode *code)
{
    LT_TRY(library_load(&curl_library));
    pthread_once(&curl_once, start_curl);
    CURL *c = curl_easy_init();
    if (!c)
        return status_fail(LT_NETWORK, "%s: libcurl cannot be started", t->url);
    char message[CURL_ERROR_SIZE] = "";
    set_options(c, t, message);
    *code = curl_easy_perform(c);
    curl_easy_cleanup(c);
    return *code == CURLE_OK ? LT_OK : explain(t, *code, message);
}

static int start_over(transfer *t)
{
    t->start = t->end = 0;
    int result;
    FILE_RETRY(result, ftruncate(t->fd, 0));
    return result == 0
               ? LT_OK
               : status_fail(LT_IO, "cannot write %s.part: %s", t->file->remote, strerror(errno));
}

/* Repeats requests until the file is complete, as long as each one receives bytes. Resumes after a broken
   connection; starts over if the server cannot resume. */
static int request_all(transfer *t)
{
    int status = LT_OK;
    for (int i = 0; i < MAX_TRIES; i++) {
        CURLcode code = CURLE_OK;
        t->start = t->end;
        status = request(t, &code);
        if (status != LT_NETWORK)
            return status;
        if (code == CURLE_RANGE_ERROR)
            LT_TRY(start_over(t));
        else if (t->end == t->start || code == CURLE_OPERATION_TIMEDOUT)
            return status; /* a server that is too slow stays so: try the next URL */
        else
            log_warning("%s; continuing from there", lt_last_error());
    }
    return status;
}

/* ---- The .part file ---- */

/* Returns why a .part file is unsafe to write: writing would change a file elsewhere. NULL if it is safe. */
static const char *find_trap(const struct stat *s)
{
    return S_ISLNK(s->st_mode)         ? "it is a symbolic link"
           : S_ISDIR(s->st_mode)       ? "it is a directory"
           : !S_ISREG(s->st_mode)      ? "it is not a regular file"
           : s->st_uid != geteuid()    ? "it belongs to another user"
           : s->st_nlink > 1           ? "it has another name, too (a hard link)"
                                       : NULL;
}

/* Checks the file before opening it, for the message, and again once it is open, which is decisive. */
static int open_part(transfer *t, const char *part)
{
    struct stat s;
    const char *trap = lstat(part, &s) == 0 ? find_trap(&s) : NULL;
    if (trap)
        return status_fail(LT_IO, "cannot write %s: %s; remove it", part, trap);
    FILE_RETRY(t->fd, open(part,
                           O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
    if (t->fd < 0)
        return status_fail(LT_IO, "cannot write %s: %s", part, strerror(errno));
    int status = LT_OK;
    int locked;
    FILE_RETRY(locked, flock(t->fd, LOCK_EX | LOCK_NB));
    if (locked != 0 && errno == EWOULDBLOCK)
        status = status_fail(LT_IO, "cannot write %s: another download is writing it", part);
    else if (fstat(t->fd, &s) != 0)
        status = status_fail(LT_IO, "cannot read %s: %s", part, strerror(errno));
    else if ((trap = find_trap(&s)) != NULL)
        status = status_fail(LT_IO, "cannot write %s: %s; remove it", part, trap);
    if (status != LT_OK) {
        close(t->fd);
        return status;
    }
    t->end = s.st_size;
    return LT_OK;
}

/* Checks the downloaded content and renames it to `target`. */
static int accept_part(const transfer *t, const char *part, const char *target)
{
    bytes content;
    LT_TRY(catalog_verify_file(t->file, part));
    LT_TRY(file_read(part, (size_t)t->limit, &content));
    int status = file_write(target, content.data, content.size);
    bytes_clear(&content);
    return status;
}

static int complete_part(transfer *t, const char *part, const char *target)
{
    LT_TRY(request_all(t));
    return accept_part(t, part, target);
}

/* Downloads from one URL. LT_NETWORK or LT_FORMAT: try the next. */
static int fetch_from(transfer *t, const char *part, const char *target)
{
    LT_TRY(open_part(t, part));
    bool is_resumed = t->end > 0;
    int status = t->end < t->limit ? complete_part(t, part, target) : LT_FORMAT;
    if (status == LT_FORMAT && is_resumed) { /* perhaps only the older part was wrong */
        status = start_over(t);
        if (status == LT_OK)
            status = complete_part(t, part, target);
    }
    if (status == LT_OK || status == LT_FORMAT || t->end == 0)
        unlink(part);
    close(t->fd);
    return status == LT_FORMAT ? status_prefix(status, "%s", t->url) : status;
}

/* ---- One file ---- */

enum { MAX_URLS = 1 + COUNT_OF(((lt_catalog_entry *)NULL)->mirrors) };

static int list_urls(const lt_catalog_entry *set, const lt_catalog_file *file,
                     char *urls[MAX_URLS])
{
    int n = 0;
    const char *mirror = getenv("LATENT_MIRROR");
    if (mirror && *mirror)
        urls[n++] = must_format("%s/%s/%s", mirror, set->name, file->remote);
    for (int i = 0; i < COUNT_OF(set->mirrors) && set->mirrors[i]; i++)
        urls[n++] = must_format("%s/%s", set->mirrors[i], file->remote);
    return n;
}

/* Reports that no URL worked, with the last message and what to do instead. */
static int explain_offline(const lt_catalog_entry *set, const char *dir, int n_urls)
{
    char *last = must_copy_text(lt_last_error());
    status_fail(LT_NETWORK,
                "%s could not be downloaded from any of %d places; the last error: %s\n"
                "without a network: copy its files into %s%s%s, or say where they are with --data "
                "DIR",
                set->name, n_urls, last, dir, set->system_package ? ", or apt install " : "",
                set->system_package ? set->system_package : "");
    free(last);
    return LT_NETWORK;
}

/* Tries the URLs in order. Wrong content is reported rather than a network error: it may be an attack. */
static int fetch_missing(const lt_catalog_entry *set, const lt_catalog_file *file,
                         const char *dir, const char *target, const lt_fetch_options *options)
{
    char *urls[MAX_URLS], *part = must_format("%s.part", target), *mismatch = NULL;
    int n = list_urls(set, file, urls), status = LT_NETWORK;
    bool go_on = true;
    for (int i = 0; i < n && go_on; i++) {
        transfer t = {.file = file,
                      .options = options,
                      .url = urls[i],
                      .limit = file->bytes + file->bytes / 100 + 65536};
        status = fetch_from(&t, part, target);
        go_on = status == LT_NETWORK || status == LT_FORMAT;
        if (go_on)
            log_warning("%s", lt_last_error());
        if (status == LT_FORMAT && !mismatch)
            mismatch = must_copy_text(lt_last_error());
    }
    if (go_on && mismatch)
        status = status_fail(LT_FORMAT, "%s", mismatch);
    else if (status == LT_NETWORK)
        status = explain_offline(set, dir, n);
    for (int i = 0; i < n; i++)
        free(urls[i]);
    free(part);
    free(mismatch);
    return status;
}

static int fetch_file(const lt_catalog_entry *set, const lt_catalog_file *file, const char *dir,
                      const lt_fetch_options *options)
{
    char *old = catalog_file_path(dir, file), *target = file_join(dir, file->remote);
    int status = old ? catalog_verify_file(file, old) : LT_NOT_FOUND;
    if (status == LT_FORMAT)
        log_warning("%s; it will be replaced", lt_last_error());
    if (status == LT_NOT_FOUND || status == LT_FORMAT) {
        status = fetch_missing(set, file, dir, target, options);
        if (status == LT_OK && old && strcmp(old, target) != 0)
            unlink(old); /* it would take precedence over the new one */
    }
    free(old);
    free(target);
    return status;
}

int lt_data_fetch(const char *name, const lt_fetch_options *options)
{
    static const lt_fetch_options defaults;
    const lt_fetch_options *o = options ? options : &defaults;
    const lt_catalog_entry *set = lt_data_named(name);
    if (!set)
        return LT_NOT_FOUND;
    if (o->timeout < 0)
        return status_fail(LT_VALUE, "timeout: expected 0 or more seconds, found %d", o->timeout);
    char *dir = o->directory ? must_copy_text(o->directory) : catalog_cache(set);
    if (!dir)
        return status_fail(LT_NOT_FOUND,
                           "no place for %s: neither HOME nor XDG_CACHE_HOME is set, "
                           "and no directory was given",
                           name);
    int status = file_make_directories(dir);
    for (int i = 0; i < set->n_files && status == LT_OK; i++)
        status = fetch_file(set, &set->files[i], dir, o);
    free(dir);
    return status;
}
