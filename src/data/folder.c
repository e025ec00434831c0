/* SPDX-License-Identifier: MIT */
/* Decodes the pictures of a listing into one block for all splits. Each picture has a fixed offset, so the result
   does not depend on which thread decodes it. */
#include "data/folder.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"
#include "data/archive.h"
#include "data/cache.h"
#include "data/listing.h"
#include "image/other_formats.h"
#include "image/picture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    KEY_VERSION = 2,
    TOLD_PROBLEMS = 10,
    MAX_PIECES = 1 << 17,
    MAX_TOLD_CLASSES = 20,
    NEVER = INT32_MAX
};

bool folder_is_pictures(const char *path)
{
    return file_is_directory(path) ? listing_has_pictures(path) : archive_is_zip(path);
}

char *folder_describe(const char *path)
{
    listing l;
    listing_make(&l, path);
    const char *known = l.n_ignored ? other_format_of_name(l.ignored) : NULL;
    char *found = l.n_ignored == 0
                      ? must_copy_text("nothing")
                      : must_format("%d file%s: %s%s%s%s%s", l.n_ignored, l.n_ignored > 1 ? "s" : "",
                                    l.ignored, known ? " (" : "", known ? known : "", known ? ")" : "",
                                    l.n_ignored > 1 ? " ..." : "");
    listing_clear(&l);
    return found;
}

static lt_data_progress *progress_hook;
static void *progress_user;

void lt_set_data_progress(lt_data_progress *progress, void *user)
{
    progress_hook = progress;
    progress_user = user;
}

/* ---- Work ---- */

/* Why a picture could not be read; with LT_OK, what is odd about a picture that is used anyway. */
typedef struct problem {
    int status;
    bool is_lasting; /* it depends only on the bytes of the file; the text then begins with the name */
    char *text;
} problem;

typedef struct work {
    const listing *l;
    const transform *t;
    bool strict;
    int threads;
    int h, w, c, model; /* the size of all images, and the index of the picture that set it */
    size_t pixels;      /* h * w * c */
    unsigned char *block;
    problem **problems; /* for each picture, or NULL */
    archive **archives; /* for each worker but the first, which has the listing's own; opened when
                           needed */
    atomic_int failed;  /* the first picture with a fatal problem, or NEVER */
    atomic_int done;
    atomic_int turned; /* pictures turned upright by EXIF */
    atomic_bool is_stopped;
    int64_t pieces;
} work;

static int add_problem(work *w, int i, int status, bool is_lasting)
{
    w->problems[i] = must_alloc(sizeof(problem));
    *w->problems[i] = (problem){status, is_lasting, must_copy_text(lt_last_error())};
    return status;
}

static void add_oddity(work *w, int i, const char *oddity)
{
    w->problems[i] = must_alloc(sizeof(problem));
    *w->problems[i] =
        (problem){LT_OK, true, must_format("%s: %s", w->l->pictures[i].name, oddity)};
}

static bool is_left_out(const work *w, int i)
{
    return w->problems[i] && w->problems[i]->status != LT_OK;
}

static void clear_problems(work *w)
{
    for (int i = 0; i < w->l->n; i++)
        if (w->problems[i]) {
            free(w->problems[i]->text);
            free(w->problems[i]);
            w->problems[i] = NULL;
        }
}

static void clear_work(work *w)
{
    clear_problems(w);
    for (int i = 0; i < w->threads * w->l->n_archives; i++)
        archive_close(w->archives[i]);
    free(w->archives);
    free(w->problems);
    tensor_free(w->block);
}

/* Returns the message of a problem with the whole path; freed by the caller. */
static char *tell(const work *w, const problem *p)
{
    return p->is_lasting ? file_join(w->l->root, p->text) : must_copy_text(p->text);
}

static int fail_with(const work *w, const problem *p, const char *more)
{
    char *told = tell(w, p);
    int status = p->status == LT_OK ? LT_FORMAT : p->status; /* strict: an oddity is damage */
    status_fail(status, "%s%s", told, more);
    free(told);
    return status;
}

/* ---- One picture ---- */

static int read_archived(work *w, const listed *p, int worker, bytes *content, bool *is_lasting)
{
    archive *a = w->l->opened[p->archive];
    if (worker > 0) {
        archive **own = &w->archives[worker * w->l->n_archives + p->archive];
        if (!*own)
            LT_TRY(archive_open(w->l->archives[p->archive], own));
        a = *own;
    }
    *is_lasting = true;
    return limit_named(LIMIT_PICTURE_BYTES,
                       archive_read(a, p->index, p->name, MAX_PICTURE_FILE, content));
}

static int read_file(const work *w, const listed *p, bytes *content)
{
    char *path = listing_path(w->l, p);
    int status = file_read(path, MAX_PICTURE_FILE, content);
    free(path);
    return limit_named(LIMIT_PICTURE_BYTES, status);
}

static int turn(work *w, picture *p)
{
    if (w->t->as_stored || p->orientation == 1)
        return LT_OK;
    atomic_fetch_add(&w->turned, 1);
    int status = picture_turn(p);
    if (status != LT_OK)
        picture_clear(p);
    return status;
}

static int decode(work *w, int i, int worker, picture *out)
{
    const listed *p = &w->l->pictures[i];
    picture_file s = {.path = p->name};
    bool is_lasting = false;
    int status = p->archive == NO_ARCHIVE ? read_file(w, p, &s.content)
                                          : read_archived(w, p, worker, &s.content, &is_lasting);
    if (status == LT_OK) {
        is_lasting = true;
        status = picture_decode(&s, out);
        if (status == LT_OK && out->is_animated) {
            picture_clear(out);
            status = picture_fail_animated(s.path);
        }
    }
    bytes_clear(&s.content);
    if (status == LT_OK)
        status = turn(w, out);
    if (status != LT_OK)
        return add_problem(w, i, status, is_lasting);
    if (out->oddity[0])
        add_oddity(w, i, out->oddity);
    return LT_OK;
}

/* Whether a problem is fatal: with `strict` all are; lacking memory or a library is not the picture's fault. */
static bool is_fatal(const work *w, int status)
{
    return w->strict || status == LT_NO_MEMORY || status == LT_LIBRARY;
}

static int fail_size(work *w, int i, int h, int width, int c)
{
    char *path = listing_path(w->l, &w->l->pictures[i]);
    char *model = listing_path(w->l, &w->l->pictures[w->model]);
    const char *advice = h != w->h || width != w->w ? "resize=SIDE gives all the same size"
                                                    : "channels=1 makes all gray, channels=3 RGB";
    int status =
        status_fail(LT_FORMAT,
                    "%s: expected a picture of %d x %d x %d (height, width, channels) like "
                    "%s, found %d x %d x %d; the data option %s",
                    path, w->h, w->w, w->c, model, h, width, c, advice);
    free(path);
    free(model);
    return add_problem(w, i, status, false);
}

static void note_failure(work *w, int i)
{
    int first = atomic_load(&w->failed);
    while (i < first && !atomic_compare_exchange_weak(&w->failed, &first, i))
        ;
}

static void decode_one(work *w, int i, int worker)
{
    picture p = {0};
    int status = decode(w, i, worker, &p), h, width, c;
    if (status != LT_OK) {
        if (is_fatal(w, status))
            note_failure(w, i);
        return;
    }
    if (w->strict && w->problems[i])
        note_failure(w, i);
    transform_size(w->t, &p, &h, &width, &c);
    if (h != w->h || width != w->w || c != w->c) {
        fail_size(w, i, h, width, c);
        note_failure(w, i);
    } else if (transform_picture(w->t, &p, w->block + (size_t)i * w->pixels) != LT_OK) {
        add_problem(w, i, LT_NO_MEMORY, false);
        note_failure(w, i);
    }
    picture_clear(&p);
}

static int64_t first_of(const work *w, int64_t piece) { return piece * w->l->n / w->pieces; }

/* Skips pictures after a fatal one; earlier ones are decoded, since they may be the first fatal one. */
static void decode_piece(void *context, int64_t piece, int worker)
{
    work *w = context;
    int64_t end = first_of(w, piece + 1);
    for (int64_t i = first_of(w, piece); i < end; i++) {
        if (atomic_load(&w->is_stopped) || i > atomic_load(&w->failed))
            return;
        decode_one(w, (int)i, worker);
        int done = atomic_fetch_add(&w->done, 1) + 1;
        if (worker == 0 && progress_hook && /* the caller's own thread */
            !progress_hook(progress_user, w->l->root, done, w->l->n))
            atomic_store(&w->is_stopped, true);
    }
}

/* ---- All pictures ---- */

/* The first readable picture sets the size of images. */
static int find_size(work *w)
{
    int status = LT_OK;
    for (w->model = 0; w->model < w->l->n; w->model++) {
        picture p;
        status = decode(w, w->model, 0, &p);
        if (status == LT_OK) {
            transform_size(w->t, &p, &w->h, &w->w, &w->c);
            picture_clear(&p);
            break;
        }
        if (is_fatal(w, status))
            break;
    }
    if (w->model == w->l->n)
        return fail_with(w, w->problems[0], "; no other picture can be read either");
    if (status != LT_OK)
        return fail_with(w, w->problems[w->model], "");
    clear_problems(w); /* decoding finds them again */
    atomic_store(&w->turned, 0);
    w->pixels = (size_t)w->h * (size_t)w->w * (size_t)w->c;
    return LT_OK;
}

static int allocate(work *w)
{
    size_t size;
    if (!size_mul(w->pixels, (size_t)w->l->n, &size))
        return status_fail(LT_NO_MEMORY, "%s: %d pictures of %d x %d x %d do not fit in memory",
                           w->l->root, w->l->n, w->h, w->w, w->c);
    w->block = tensor_alloc(size, w->l->root);
    return w->block ? LT_OK : LT_NO_MEMORY;
}

static int decode_all(work *w)
{
    LT_TRY(find_size(w));
    LT_TRY(allocate(w));
    w->pieces = w->l->n < MAX_PIECES ? w->l->n : MAX_PIECES;
    threads_run(w->threads, w->pieces, decode_piece, w);
    if (progress_hook && !progress_hook(progress_user, w->l->root, w->l->n, w->l->n))
        atomic_store(&w->is_stopped, true);
    if (atomic_load(&w->is_stopped))
        return status_fail(LT_INTERRUPTED, "%s: reading was stopped", w->l->root);
    int failed = atomic_load(&w->failed);
    return failed == NEVER ? LT_OK : fail_with(w, w->problems[failed], "");
}

/* Closes the gaps of pictures that could not be read. */
static int close_gaps(work *w)
{
    int kept = 0;
    for (int i = 0; i < w->l->n; i++) {
        if (is_left_out(w, i))
            continue;
        if (kept != i)
            memmove(w->block + (size_t)kept * w->pixels, w->block + (size_t)i * w->pixels,
                    w->pixels);
        kept++;
    }
    return kept;
}

/* Logs the first problems of one kind, and the number of further ones. */
static void tell_kind(const work *w, bool is_left, const char *one, const char *more)
{
    int told = 0, n = 0;
    for (int i = 0; i < w->l->n; i++) {
        if (!w->problems[i] || is_left_out(w, i) != is_left || n++ >= TOLD_PROBLEMS)
            continue;
        char *why = tell(w, w->problems[i]);
        log_warning("%s; %s", why, one);
        free(why);
        told++;
    }
    if (n > told)
        log_warning("%s: %d more of %d pictures %s", w->l->root, n - told, w->l->n, more);
}

static void tell_problems(work *w)
{
    tell_kind(w, true, "skipped", "cannot be read and are skipped");
    tell_kind(w, false, "used anyway",
              "are not quite right and are used anyway (strict=yes refuses them)");
    int turned = atomic_load(&w->turned);
    if (turned > 0)
        log_info("%s: %d of %d pictures were turned upright, as the camera noted (EXIF orientation); "
                 "orient=no leaves pixels as they are stored",
                 w->l->root, turned, w->l->n);
}

/* ---- The cache: sizes and problems in the head, images in the body ---- */

/* Hashes everything that the images depend on. */
static void make_key(const work *w, char key[SHA256_TEXT])
{
    text t = {0};
    text_format(&t, "pictures %d: %d %d %d %d %d\n", KEY_VERSION, w->t->h, w->t->w, w->t->c,
                (int)w->t->crop, w->t->as_stored);
    for (int i = 0; i < w->l->n; i++) {
        const listed *p = &w->l->pictures[i];
        text_append_bytes(&t, p->name, strlen(p->name) + 1);
        text_append_bytes(&t, (const char *)&p->size, sizeof p->size);
        text_append_bytes(&t, (const char *)p->stamp, sizeof p->stamp);
    }
    sha256_text(text_get(&t), t.size, key);
    text_clear(&t);
}

static void put_number(text *t, int n)
{
    uint32_t word = (uint32_t)n;
    text_append_bytes(t, (const char *)&word, sizeof word);
}

/* Returns the next number of the head; -1 after its end or if it is too large. */
static int take_number(const cached *c, size_t *at)
{
    uint32_t word = UINT32_MAX;
    if (c->head_size - *at < sizeof word)
        return -1;
    memcpy(&word, c->head + *at, sizeof word);
    *at += sizeof word;
    return word <= INT32_MAX ? (int)word : -1;
}

static void put_problem(text *head, int i, const problem *p)
{
    put_number(head, i);
    put_number(head, -p->status);
    put_number(head, (int)strlen(p->text));
    text_append(head, p->text);
}

static void store(work *w, const char key[SHA256_TEXT], int kept)
{
    text head = {0};
    int n = 0;
    for (int i = 0; i < w->l->n; i++) {
        if (w->problems[i] && !w->problems[i]->is_lasting) /* it may be readable later */
            return;
        n += w->problems[i] != NULL;
    }
    const int numbers[] = {w->h, w->w, w->c, atomic_load(&w->turned), n};
    for (int i = 0; i < COUNT_OF(numbers); i++)
        put_number(&head, numbers[i]);
    for (int i = 0; i < w->l->n; i++)
        if (w->problems[i])
            put_problem(&head, i, w->problems[i]);
    cache_store("pictures", key, w->threads, text_get(&head), head.size, w->block,
                (size_t)kept * w->pixels);
    text_clear(&head);
}

static bool take_problem(work *w, const cached *c, size_t *at, int after)
{
    int i = take_number(c, at), status = take_number(c, at), n = take_number(c, at);
    if (i <= after || i >= w->l->n || status < 0 || n < 0 || (size_t)n > c->head_size - *at)
        return false;
    w->problems[i] = must_alloc(sizeof(problem));
    *w->problems[i] = (problem){-status, true, must_format("%.*s", n, (const char *)c->head + *at)};
    *at += (size_t)n;
    return true;
}

/* Sets sizes and problems. False if the head is invalid. */
static bool take_head(work *w, const cached *c)
{
    size_t at = 0;
    w->h = take_number(c, &at);
    w->w = take_number(c, &at);
    w->c = take_number(c, &at);
    int turned = take_number(c, &at), n = take_number(c, &at), last = -1, left_out = 0;
    if (turned < 0 || w->h < 1 || w->h > MAX_SIDE || w->w < 1 || w->w > MAX_SIDE || (w->c != 1 && w->c != 3))
        return false;
    for (int i = 0; i < n; i++) {
        if (!take_problem(w, c, &at, last))
            return false;
        while (!w->problems[++last])
            ;
        left_out += is_left_out(w, last);
    }
    atomic_store(&w->turned, turned);
    w->pixels = (size_t)w->h * (size_t)w->w * (size_t)w->c;
    size_t size;
    return n >= 0 && left_out < w->l->n && at == c->head_size &&
           size_mul(w->pixels, (size_t)(w->l->n - left_out), &size) && size == c->body_size;
}

static bool load(work *w, const char key[SHA256_TEXT], cached *c)
{
    if (!cache_load("pictures", key, w->threads, c))
        return false;
    if (take_head(w, c))
        return true;
    log_warning("the decoded pictures of %s in the cache are invalid; decoding them again", w->l->root);
    clear_problems(w);
    cached_clear(c);
    return false;
}

/* ---- The set ---- */

static unsigned char *make_labels(const work *w, lt_split split, int kept)
{
    unsigned char *labels = tensor_alloc((size_t)kept, "labels"), *to = labels;
    for (int i = w->l->first[split]; labels && i < w->l->first[split + 1]; i++)
        if (!is_left_out(w, i))
            *to++ = (unsigned char)w->l->pictures[i].class;
    return labels;
}

static int count_kept(const work *w, lt_split split)
{
    int kept = 0;
    for (int i = w->l->first[split]; i < w->l->first[split + 1]; i++)
        kept += !is_left_out(w, i);
    return kept;
}

/* Moves the images into the set. The first split owns the memory of `all`, since the set frees all splits
   together. */
static int hand_over(work *w, lt_dataset *d, data_array *all)
{
    const char *const paths[2] = {w->l->root, w->l->root};
    const unsigned char *images = all->u8;
    int status = LT_OK;
    for (int s = 0; s < LT_SPLITS && status == LT_OK; s++) {
        int n = count_kept(w, (lt_split)s);
        if (w->l->first[s] == w->l->first[s + 1])
            continue;
        if (n == 0)
            return status_fail(LT_FORMAT, "%s: none of the %d pictures of the %s split can be read",
                               w->l->root, w->l->first[s + 1] - w->l->first[s],
                               lt_split_name((lt_split)s));
        data_array part = {.n = n,
                           .h = w->h,
                           .w = w->w,
                           .c = w->c,
                           .u8 = images,
                           .file = all->file,
                           .block = all->block},
                   labels = {0};
        *all = (data_array){0};
        if (w->l->has_labels[s]) {
            labels =
                (data_array){.is_labels = true, .n = n, .block = make_labels(w, (lt_split)s, n)};
            labels.u8 = labels.block;
        }
        if (w->l->has_labels[s] && !labels.u8) {
            data_array_clear(&part);
            return LT_NO_MEMORY;
        }
        images += (size_t)n * w->pixels;
        status = dataset_take(d, (lt_split)s, &part, &labels, paths);
    }
    return status;
}

static void tell_listing(const listing *l)
{
    text t = {0};
    for (int s = 0; s < LT_SPLITS; s++)
        if (l->first[s + 1] > l->first[s])
            text_format(&t, "%s%d %s", t.size ? ", " : "", l->first[s + 1] - l->first[s],
                        lt_split_name((lt_split)s));
    text_append(&t, " pictures");
    if (l->has_labels[LT_TRAIN]) {
        text_format(&t, ", %d classes:", l->n_classes);
        for (int i = 0; i < l->n_classes && i < MAX_TOLD_CLASSES; i++)
            text_format(&t, "%s %s", i ? "," : "", l->classes[i]);
        text_append(&t, l->n_classes > MAX_TOLD_CLASSES ? ", ..." : "");
    }
    log_info("%s: %s", l->root, text_get(&t));
    text_clear(&t);
}

/* A file that is written in the clock tick in which it was listed keeps its stamp: waits for the next tick before
   reading recent files. */
static void let_clock_tick(const listing *l)
{
    enum { TICK = 20000000 }; /* ns; the kernel's is 1 to 10 ms */
    struct timespec now, pause = {0, TICK};
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    if (l->newest && l->newest + TICK > ns && l->newest < ns + TICK)
        nanosleep(&pause, NULL);
}

static int fail_strict(const work *w)
{
    for (int i = 0; i < w->l->n; i++)
        if (w->problems[i])
            return fail_with(w, w->problems[i], "");
    return LT_OK;
}

/* Loads the images of all splits from the cache, or decodes them. */
static int make_images(work *w, data_array *all)
{
    char key[SHA256_TEXT];
    cached c;
    make_key(w, key);
    if (load(w, key, &c)) {
        *all = (data_array){.file = c.file, .u8 = c.body};
        return w->strict ? fail_strict(w) : LT_OK;
    }
    let_clock_tick(w->l);
    LT_TRY(decode_all(w));
    store(w, key, close_gaps(w));
    *all = (data_array){.block = w->block, .u8 = w->block};
    w->block = NULL;
    return LT_OK;
}

int folder_open(lt_dataset *d, const char *path, const transform *t, bool strict, int threads)
{
    listing l;
    int status = listing_make(&l, path);
    if (status == LT_OK) {
        tell_listing(&l);
        work w = {.l = &l,
                  .t = t,
                  .strict = strict,
                  .threads = threads,
                  .failed = NEVER,
                  .problems = must_alloc((size_t)l.n * sizeof *w.problems),
                  .archives = must_alloc((size_t)(threads * l.n_archives) * sizeof *w.archives)};
        data_array all = {0};
        status = make_images(&w, &all);
        if (status == LT_OK) {
            tell_problems(&w);
            status = hand_over(&w, d, &all);
            if (l.n_classes > 1 && l.n_classes <= MAX_LABELS)
                dataset_name_classes(d, l.classes, l.n_classes);
        }
        data_array_clear(&all);
        clear_work(&w);
    }
    listing_clear(&l);
    return status;
}
