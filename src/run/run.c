/* SPDX-License-Identifier: MIT */
/* Run directories. Whatever instant a process is killed at, what is left is: recipe.yaml and a whole
   checkpoint, or no run; files with temporary names, and a checkpoint too many, which the next process
   removes; lines of metrics.jsonl up to that instant, which lt_run_restore cuts back to the
   checkpoint. */
#include <latent/runs.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "train/checkpoint.h"
#include "run/metrics.h"
#include "run/run_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define CHECKPOINT_0 "step-00000000.safetensors"

struct lt_run {
    char *dir;
    char *checkpoints, *samples, *recipe_path, *metrics; /* paths */
    lt_recipe *recipe;
    bool is_changed; /* the recipe is not yet what recipe.yaml says */
    int64_t planned; /* train.epochs of recipe.yaml before changes; -1: not known */
    int64_t lines;   /* that have been written to metrics.jsonl */
    int lock;        /* of the directory; -1: none */
};

/* ---- Opening and closing ---- */

static lt_run *name_run(const char *dir)
{
    lt_run *run = must_alloc(sizeof *run);
    run->dir = must_copy_text(dir);
    run->checkpoints = file_join(dir, "checkpoints");
    run->samples = file_join(dir, "samples");
    run->recipe_path = file_join(dir, "recipe.yaml");
    run->metrics = file_join(dir, "metrics.jsonl");
    run->lock = -1;
    return run;
}

void lt_run_free(lt_run *run)
{
    if (!run)
        return;
    if (run->lock >= 0)
        close(run->lock);
    lt_recipe_free(run->recipe);
    char *texts[] = {run->dir, run->checkpoints, run->samples, run->recipe_path, run->metrics};
    for (int i = 0; i < COUNT_OF(texts); i++)
        free(texts[i]);
    free(run);
}

bool run_is_locked(const char *dir)
{
    int fd, locked;
    FILE_RETRY(fd, open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0)
        return false;
    FILE_RETRY(locked, flock(fd, LOCK_SH | LOCK_NB));
    bool is_locked = locked != 0 && errno == EWOULDBLOCK;
    close(fd);
    return is_locked;
}

/* Who only looks whether there is a lock holds one for an instant. */
static int try_lock(int fd)
{
    enum { TRIES = 20 };
    int locked = -1;
    for (int i = 0; i < TRIES && locked != 0; i++) {
        FILE_RETRY(locked, flock(fd, LOCK_EX | LOCK_NB));
        if (locked != 0 && errno != EWOULDBLOCK)
            return -1;
        if (locked != 0 && i + 1 < TRIES)
            nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    if (locked != 0)
        errno = EWOULDBLOCK; /* nanosleep may have set another */
    return locked;
}

/* The kernel drops the lock with the last descriptor, so a killed process leaves none behind. */
static int lock_run(lt_run *run)
{
    int locked;
    FILE_RETRY(run->lock, open(run->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (run->lock < 0)
        return status_fail(errno == ENOENT ? LT_NOT_FOUND : LT_IO, "cannot open run %s: %s",
                           run->dir, strerror(errno));
    locked = try_lock(run->lock);
    if (locked == 0)
        return LT_OK;
    if (errno == EWOULDBLOCK)
        return status_fail(LT_VALUE, "%s: another process is working on this run", run->dir);
    log_warning("%s: cannot be locked (%s); let only one process work on it", run->dir,
                strerror(errno));
    return LT_OK;
}

static int write_recipe(const lt_run *run, const lt_recipe *r)
{
    const char *words = lt_recipe_text(r);
    return file_write(run->recipe_path, words, strlen(words));
}

/* What would become part of this run: names in `dir` with this end, other than `except`. */
static int refuse_remains(const lt_run *run, const char *dir, const char *suffix, const char *except)
{
    char **names;
    int n, status = LT_OK;
    if (!file_is_directory(dir))
        return LT_OK;
    LT_TRY(file_list(dir, suffix, &names, &n));
    for (int i = 0; i < n && status == LT_OK; i++) {
        char *path = file_join(dir, names[i]);
        if (strcmp(names[i], except) != 0 && !file_is_directory(path))
            status = status_fail(LT_VALUE,
                                 "%s holds what is left of another run, %s, which would become part "
                                 "of this one; choose another directory, or empty it",
                                 run->dir, path);
        free(path);
    }
    file_list_free(names, n);
    return status;
}

static int refuse_run(const lt_run *run)
{
    if (file_exists(run->recipe_path))
        return status_fail(LT_VALUE, "%s holds a run already", run->dir);
    static const char *const logs[] = {"metrics.jsonl", "evaluations.jsonl"};
    for (int i = 0; i < COUNT_OF(logs); i++) {
        char *path = file_join(run->dir, logs[i]);
        bool is_there = file_exists(path);
        free(path);
        if (is_there)
            return status_fail(LT_VALUE,
                               "%s holds the %s of another run, but no recipe.yaml; choose another directory, "
                               "or empty it",
                               run->dir, logs[i]);
    }
    /* the first checkpoint may be of a process killed before it wrote the recipe */
    LT_TRY(refuse_remains(run, run->checkpoints, ".safetensors", CHECKPOINT_0));
    return refuse_remains(run, run->samples, ".png", "");
}

static void clear_unfinished(const lt_run *run)
{
    file_clear_unfinished(run->dir);
    file_clear_unfinished(run->checkpoints);
    file_clear_unfinished(run->samples);
}

/* The recipe comes last: a directory without it is no run, so one with it has a checkpoint. */
static int begin_run(lt_run *run, const lt_trainer *t)
{
    LT_TRY(refuse_run(run));
    LT_TRY(file_make_directories(run->dir));
    LT_TRY(lock_run(run));
    LT_TRY(refuse_run(run)); /* nobody can make one now */
    LT_TRY(file_make_directories(run->checkpoints));
    LT_TRY(file_make_directories(run->samples));
    clear_unfinished(run);
    run->recipe = recipe_share(t->recipe);
    LT_TRY(lt_run_save(run, t));
    return write_recipe(run, t->recipe);
}

int lt_run_create(lt_run **out, const char *dir, const lt_trainer *t)
{
    lt_run *run = name_run(dir);
    *out = NULL;
    int status = begin_run(run, t);
    if (status == LT_OK)
        *out = run;
    else
        lt_run_free(run);
    return status;
}

static int64_t read_planned(const lt_run *run)
{
    lt_recipe *r = lt_recipe_open(run->recipe_path, NULL, 0);
    int64_t epochs = r ? lt_recipe_train_options(r)->epochs : -1;
    lt_recipe_free(r);
    return epochs;
}

static int reopen_run(lt_run *run, const char *const *sets, int n)
{
    LT_TRY(lock_run(run));
    if (!file_exists(run->recipe_path))
        return status_fail(LT_NOT_FOUND, "%s is not a run: it has no recipe.yaml", run->dir);
    run->recipe = lt_recipe_open(run->recipe_path, sets, n);
    if (!run->recipe)
        return LT_FORMAT;
    run->is_changed = n > 0;
    run->planned = n > 0 ? read_planned(run) : -1;
    LT_TRY(file_make_directories(run->checkpoints));
    LT_TRY(file_make_directories(run->samples));
    clear_unfinished(run);
    return LT_OK;
}

char *lt_run_of_checkpoint(const char *path)
{
    char *inner = file_directory(path);
    if (strcmp(inner, ".") == 0) { /* the working directory may be the one of checkpoints */
        free(inner);
        char *full = file_absolute(NULL, path);
        inner = file_directory(full);
        free(full);
    }
    char *run = file_directory(inner), *recipe = file_join(run, "recipe.yaml");
    const char *slash = strrchr(inner, '/');
    bool is_run = !file_is_directory(path) && strcmp(slash ? slash + 1 : inner, "checkpoints") == 0 &&
                  file_exists(recipe);
    free(inner);
    free(recipe);
    if (is_run)
        return run;
    free(run);
    return NULL;
}

/* A run goes on from its newest checkpoint, and from no other. */
static int check_newest(const char *dir, const char *path)
{
    char *checkpoints = file_join(dir, "checkpoints"), **names = NULL;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int n = 0, status = file_list(checkpoints, ".safetensors", &names, &n);
    if (status == LT_OK && (n == 0 || strcmp(names[n - 1], name) != 0))
        status = status_fail(LT_VALUE,
                             "%s is not the newest checkpoint of its run, and a run goes on from that: %s; to "
                             "begin another run with these weights: latent train RECIPE --weights %s",
                             path, dir, path);
    file_list_free(names, n);
    free(checkpoints);
    return status;
}

/* The directory that is meant by itself, or by the newest checkpoint in it; freed by the caller. */
static int find_directory(const char *path, char **dir)
{
    if (!file_exists(path) || file_is_directory(path)) {
        *dir = must_copy_text(path);
        return LT_OK;
    }
    *dir = lt_run_of_checkpoint(path);
    if (*dir)
        return check_newest(*dir, path);
    return status_fail(LT_VALUE,
                       "%s is a file that lies in no run, so there is nothing to go on with; to begin a run with "
                       "its weights: latent train RECIPE --weights %s", path, path);
}

int lt_run_open(lt_run **out, const char *path, const char *const *sets, int n)
{
    char *dir = NULL;
    *out = NULL;
    int status = find_directory(path, &dir);
    lt_run *run = name_run(dir ? dir : path);
    if (status == LT_OK)
        status = reopen_run(run, sets, n);
    if (status == LT_OK)
        *out = run;
    else
        lt_run_free(run);
    free(dir);
    return status;
}

const char *lt_run_directory(const lt_run *run) { return run->dir; }

const lt_recipe *lt_run_recipe(const lt_run *run) { return run->recipe; }

/* ---- Checkpoints ---- */

/* Leaves `keep` checkpoints up to the one just saved. Those of later steps are broken, or the run
   would have gone on from them; they are not counted, lest they stand for whole ones. */
static void remove_older(const lt_run *run, char **names, int n, const char *saved)
{
    int64_t keep = lt_recipe_train_options(run->recipe)->keep_checkpoints;
    while (n > 0 && strcmp(names[n - 1], saved) > 0)
        n--;
    for (int i = 0; keep > 0 && i < n - keep; i++) {
        char *path = file_join(run->checkpoints, names[i]);
        if (unlink(path) != 0)
            log_warning("cannot remove %s: %s", path, strerror(errno));
        free(path);
    }
}

static int remove_surplus(const lt_run *run, const lt_trainer *t)
{
    char **names;
    int n;
    LT_TRY(file_list(run->checkpoints, ".safetensors", &names, &n));
    char *saved = lt_run_checkpoint_path(run->dir, lt_trainer_steps_done(t));
    remove_older(run, names, n, strrchr(saved, '/') + 1);
    free(saved);
    file_list_free(names, n);
    return LT_OK;
}

int lt_run_save(lt_run *run, const lt_trainer *t)
{
    char *path = lt_run_checkpoint_path(run->dir, lt_trainer_steps_done(t));
    int status = checkpoint_save(t, path, run->lines);
    free(path);
    return status == LT_OK ? remove_surplus(run, t) : status;
}

/* ---- The newest checkpoint ---- */

/* Does something with a checkpoint. LT_NOT_FOUND: the file is not there any more. LT_FORMAT, LT_IO: it
   is not whole, or cannot be read. */
typedef int use_function(void *user, const char *path);

enum { LIST_TRIES = 1000, CHECKPOINT_GONE = 1 };

static void say_passed_over(const text *passed_over)
{
    for (const char *at = text_get(passed_over); *at;) {
        size_t n = strcspn(at, "\n");
        log_warning("passed over a broken checkpoint: %.*s", (int)n, at);
        at += n + (at[n] == '\n');
    }
}

/* From the newest on, until one can be used. CHECKPOINT_GONE: while we looked, a training has put
   others in the place of those that were listed. */
static int use_listed(const char *dir, char **names, int n, use_function *use, void *user,
                      bool is_last)
{
    text passed_over = {0};
    int status = LT_OK, newest = LT_OK;
    bool is_broken = true;
    for (int i = n - 1; i >= 0 && is_broken; i--) {
        char *path = file_join(dir, names[i]);
        status = use(user, path);
        free(path);
        if (status == LT_NOT_FOUND && !is_last)
            status = CHECKPOINT_GONE;
        is_broken = status == LT_FORMAT || status == LT_IO || status == LT_NOT_FOUND;
        newest = i == n - 1 ? status : newest;
        if (is_broken)
            text_format(&passed_over, "%s\n", lt_last_error());
    }
    if (status != CHECKPOINT_GONE)
        say_passed_over(&passed_over);
    if (is_broken)
        status = status_fail(newest, "%s: none of its %d checkpoints is whole; the newest: %.*s", dir, n,
                             (int)strcspn(text_get(&passed_over), "\n"), text_get(&passed_over));
    text_clear(&passed_over);
    return status;
}

static int use_newest(const char *dir, use_function *use, void *user)
{
    int status = CHECKPOINT_GONE;
    for (int i = 1; i <= LIST_TRIES && status == CHECKPOINT_GONE; i++) {
        char **names;
        int n;
        LT_TRY(file_list(dir, ".safetensors", &names, &n));
        /* a list that is made while names change may have neither the old one nor the new */
        if (n > 0)
            status = use_listed(dir, names, n, use, user, i == LIST_TRIES);
        file_list_free(names, n);
        if (i > 10 && status == CHECKPOINT_GONE)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    if (status == CHECKPOINT_GONE)
        status = status_fail(LT_NOT_FOUND, "%s: there is no checkpoint", dir);
    return status;
}

/* ---- Going on ---- */

typedef struct restoring {
    lt_trainer *trainer;
    int64_t lines; /* of the log; -1: not known */
} restoring;

static int load_into(void *user, const char *path)
{
    restoring *r = user;
    return checkpoint_load(r->trainer, path, &r->lines);
}

/* Another number of epochs must leave something to train: none can be taken back. */
static int check_epochs(const lt_run *run, const lt_trainer *t)
{
    int64_t epochs = lt_recipe_train_options(run->recipe)->epochs, done = lt_trainer_epochs_done(t);
    bool is_begun = lt_trainer_images_done(t) > 0;
    if (epochs > done || (epochs == done && !is_begun && epochs == run->planned))
        return LT_OK;
    return status_fail(LT_VALUE,
                       "%s: has been trained for %lld epochs already%s, so train.epochs cannot be %lld: expected "
                       "more than %lld; nothing was changed",
                       run->dir, (long long)done, is_begun ? " and part of the next" : "", (long long)epochs,
                       (long long)done);
}

/* The recipe, if it has been changed: after all else was found to fit. */
static int take_changes(lt_run *run, const lt_trainer *t)
{
    if (!run->is_changed)
        return LT_OK;
    LT_TRY(check_epochs(run, t));
    LT_TRY(write_recipe(run, run->recipe));
    run->is_changed = false;
    return LT_OK;
}

int lt_run_restore(lt_run *run, lt_trainer *t)
{
    restoring r = {t, -1};
    int status = use_newest(run->checkpoints, load_into, &r);
    if (status == LT_NOT_FOUND)
        status_fail(status,
                    "%s cannot go on: it has no checkpoint, not even the one that a run begins with; "
                    "its recipe.yaml can be trained anew, in another directory",
                    run->dir);
    LT_TRY(status);
    LT_TRY(take_changes(run, t));
    LT_TRY(metrics_cut(run->metrics, lt_trainer_steps_done(t), r.lines, &run->lines));
    return remove_surplus(run, t);
}

/* ---- Looking at a run ---- */

static bool holds_checkpoints(const char *dir)
{
    char **names = NULL;
    int n = 0;
    bool is_listed = file_list(dir, ".safetensors", &names, &n) == LT_OK;
    bool has_one = is_listed && n > 0 && strncmp(names[0], "step-", 5) == 0;
    file_list_free(names, n);
    return has_one;
}

/* What a directory is that is no run, as a part of a message. */
static const char *foreign_directory(const char *path)
{
    static const struct {
        const char *name, *what;
    } marks[] = {
        {"saved_model.pb", "; it is a SavedModel of TensorFlow: write its weights as safetensors under "
                           "the names of PyTorch"},
        {"model.safetensors", "; it holds model.safetensors: give that file"},
        {"pytorch_model.bin", "; it holds pytorch_model.bin, pickles of PyTorch: save its weights with "
                              "safetensors.torch.save_file"},
    };
    for (int i = 0; i < COUNT_OF(marks); i++) {
        char *file = file_join(path, marks[i].name);
        bool is_there = file_exists(file);
        free(file);
        if (is_there)
            return marks[i].what;
    }
    return holds_checkpoints(path) ? "; it holds checkpoints: give one of them, or the run above it" : "";
}

/* With the file itself, or the newest of a run. */
static int use_of(const char *path, use_function *use, void *user)
{
    if (!file_exists(path))
        return status_fail(LT_NOT_FOUND, "%s does not exist", path);
    if (!file_is_directory(path))
        return use(user, path);
    char *dir = file_join(path, "checkpoints");
    int status = file_is_directory(dir)
                     ? use_newest(dir, use, user)
                     : status_fail(LT_NOT_FOUND, "%s is not a run: it has no checkpoints%s", path,
                                   foreign_directory(path));
    free(dir);
    return status;
}

/* Keeps the path if the file is whole. */
static int keep_path(void *kept, const char *path)
{
    safetensors *file;
    LT_TRY(checkpoint_read(path, &file));
    safetensors_free(file);
    *(char **)kept = must_copy_text(path);
    return LT_OK;
}

char *lt_run_checkpoint(const char *path)
{
    char *found = NULL;
    if (file_exists(path) && !file_is_directory(path))
        return must_copy_text(path); /* whatever it is */
    use_of(path, keep_path, &found);
    return found;
}

typedef struct opening {
    lt_model *model;
    char *path, digest[LT_DIGEST_SIZE];
} opening;

static int keep_model(void *user, const char *path)
{
    opening *o = user;
    LT_TRY(checkpoint_open(path, &o->model, o->digest));
    o->path = must_copy_text(path);
    return LT_OK;
}

lt_model *lt_run_model(const char *path, char **checkpoint, char digest[LT_DIGEST_SIZE])
{
    opening o = {.model = NULL};
    use_of(path, keep_model, &o);
    if (checkpoint)
        *checkpoint = o.path;
    else
        free(o.path);
    if (digest)
        memcpy(digest, o.digest, sizeof o.digest);
    return o.model;
}

lt_model *lt_model_open(const char *path) { return lt_run_model(path, NULL, NULL); }

static int describe_checkpoint(void *checkpoint, const char *path) { return checkpoint_describe(path, checkpoint); }

int lt_checkpoint_info(const char *path, lt_checkpoint *out)
{
    *out = (lt_checkpoint){.path = NULL};
    return use_of(path, describe_checkpoint, out);
}

static int load_weights(void *model, const char *path) { return checkpoint_load_weights(path, model, true); }

int lt_model_load(lt_model *m, const char *path)
{
    return file_is_directory(path) ? use_of(path, load_weights, m)
                                   : checkpoint_load_weights(path, m, false);
}

int lt_trainer_load(lt_trainer *t, const char *path)
{
    restoring r = {t, -1};
    return file_is_directory(path) ? use_of(path, load_into, &r) : load_into(&r, path);
}

/* ---- Metrics ---- */

int lt_run_log(lt_run *run, const lt_train_report *r, const lt_validation *v)
{
    LT_TRY(metrics_append(run->metrics, run->recipe, r, v));
    run->lines++;
    return LT_OK;
}
