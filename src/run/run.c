/* SPDX-License-Identifier: MIT */
/* Run directories. A process may be killed at any instant. It then leaves recipe.yaml and an intact
   checkpoint, or no run at all; temporary files and at most one surplus checkpoint, which the next process
   removes; and lines of metrics.jsonl, which lt_run_restore truncates to the checkpoint. */
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
    bool is_changed; /* recipe.yaml does not have the changes yet */
    int64_t planned; /* train.epochs of recipe.yaml before changes; -1: unknown */
    int64_t lines;   /* written to metrics.jsonl */
    int lock;        /* descriptor of the locked directory; -1: none */
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

/* Retries, because a process that tests the lock holds it for an instant. */
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

/* The kernel releases the lock with the last descriptor, so a killed process leaves none. */
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
    const char *yaml = lt_recipe_text(r);
    return file_write(run->recipe_path, yaml, strlen(yaml));
}

/* Refuses files that would become part of this run: names in `dir` with this suffix, other than `except`. */
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
                                 "%s holds a file of another run, %s, which would become part of "
                                 "this one; choose another directory, or empty it",
                                 run->dir, path);
        free(path);
    }
    file_list_free(names, n);
    return status;
}

static int refuse_run(const lt_run *run)
{
    if (file_exists(run->recipe_path))
        return status_fail(LT_VALUE, "%s already holds a run", run->dir);
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
    /* a process killed before it wrote the recipe leaves the first checkpoint */
    LT_TRY(refuse_remains(run, run->checkpoints, ".safetensors", CHECKPOINT_0));
    return refuse_remains(run, run->samples, ".png", "");
}

static void clear_unfinished(const lt_run *run)
{
    file_clear_unfinished(run->dir);
    file_clear_unfinished(run->checkpoints);
    file_clear_unfinished(run->samples);
}

/* Writes the recipe last: a directory without it is not a run, so every run has a checkpoint. */
static int begin_run(lt_run *run, const lt_trainer *t)
{
    LT_TRY(refuse_run(run));
    LT_TRY(file_make_directories(run->dir));
    LT_TRY(lock_run(run));
    LT_TRY(refuse_run(run)); /* again, now that the lock is held */
    LT_TRY(file_make_directories(run->checkpoints));
    LT_TRY(file_make_directories(run->samples));
    clear_unfinished(run);
    run->recipe = recipe_share(t->recipe);
    LT_TRY(lt_run_save(run, t));
    return write_recipe(run, t->recipe);
}

int lt_run_create(const char *dir, const lt_trainer *t, lt_run **out)
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
    lt_recipe *r;
    int64_t epochs = lt_recipe_open(run->recipe_path, NULL, 0, &r) == LT_OK ? lt_recipe_train_options(r)->epochs : -1;
    lt_recipe_free(r);
    return epochs;
}

static int reopen_run(lt_run *run, const char *const *sets, int n)
{
    LT_TRY(lock_run(run));
    if (!file_exists(run->recipe_path))
        return status_fail(LT_NOT_FOUND, "%s is not a run: it has no recipe.yaml", run->dir);
    LT_TRY(lt_recipe_open(run->recipe_path, sets, n, &run->recipe));
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
    if (strcmp(inner, ".") == 0) { /* the working directory may be checkpoints/ */
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

/* A run continues only from its newest checkpoint. */
static int check_newest(const char *dir, const char *path)
{
    char *checkpoints = file_join(dir, "checkpoints"), **names = NULL;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int n = 0, status = file_list(checkpoints, ".safetensors", &names, &n);
    if (status == LT_OK && (n == 0 || strcmp(names[n - 1], name) != 0))
        status = status_fail(LT_VALUE,
                             "%s is not the newest checkpoint of its run; to resume from the newest: %s; to "
                             "start a new run with these weights: latent train RECIPE --weights %s",
                             path, dir, path);
    file_list_free(names, n);
    free(checkpoints);
    return status;
}

/* Finds the directory of a run, given the directory itself or its newest checkpoint. The caller frees it. */
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
                       "%s is not in a run directory, so it cannot be resumed; to start a run with its "
                       "weights: latent train RECIPE --weights %s", path, path);
}

int lt_run_open(const char *path, const char *const *sets, int n, lt_run **out)
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

/* Keeps `keep` checkpoints up to the one just saved. Later steps are not counted: those checkpoints are damaged, or
   the run would have continued from them. */
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

/* Reads a checkpoint. LT_NOT_FOUND: the file is gone. LT_FORMAT, LT_IO: it is damaged, or cannot be read. */
typedef int use_function(void *user, const char *path);

enum { LIST_TRIES = 1000, CHECKPOINT_GONE = 1 };

static void warn_of_skipped(const text *skipped)
{
    for (const char *at = text_get(skipped); *at;) {
        size_t n = strcspn(at, "\n");
        log_warning("skipped a damaged checkpoint: %.*s", (int)n, at);
        at += n + (at[n] == '\n');
    }
}

/* Tries checkpoints from the newest on until one can be used. CHECKPOINT_GONE: a training process has replaced the
   listed ones meanwhile. */
static int use_listed(const char *dir, char **names, int n, use_function *use, void *user,
                      bool is_last)
{
    text skipped = {0};
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
            text_format(&skipped, "%s\n", lt_last_error());
    }
    if (status != CHECKPOINT_GONE)
        warn_of_skipped(&skipped);
    if (is_broken)
        status = status_fail(newest, "%s: all of its %d checkpoints are damaged; the newest: %.*s", dir, n,
                             (int)strcspn(text_get(&skipped), "\n"), text_get(&skipped));
    text_clear(&skipped);
    return status;
}

static int use_newest(const char *dir, use_function *use, void *user)
{
    int status = CHECKPOINT_GONE;
    for (int i = 1; i <= LIST_TRIES && status == CHECKPOINT_GONE; i++) {
        char **names;
        int n;
        LT_TRY(file_list(dir, ".safetensors", &names, &n));
        /* a list made while files change may lack both the old one and the new one */
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

/* ---- Resuming ---- */

typedef struct restoring {
    lt_trainer *trainer;
    int64_t lines; /* of the log; -1: unknown */
} restoring;

static int load_into(void *user, const char *path)
{
    restoring *r = user;
    return checkpoint_load(r->trainer, path, &r->lines);
}

/* A changed number of epochs must leave something to train: epochs cannot be undone. */
static int check_epochs(const lt_run *run, const lt_trainer *t)
{
    int64_t epochs = lt_recipe_train_options(run->recipe)->epochs, done = lt_trainer_epochs_done(t);
    bool is_begun = lt_trainer_images_done(t) > 0;
    if (epochs > done || (epochs == done && !is_begun && epochs == run->planned))
        return LT_OK;
    return status_fail(LT_VALUE,
                       "%s: already trained for %lld epochs%s: train.epochs: expected more than %lld, found %lld; "
                       "nothing was changed",
                       run->dir, (long long)done, is_begun ? " and part of the next" : "", (long long)done,
                       (long long)epochs);
}

/* Writes a changed recipe, after all other checks have passed. */
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
                    "%s cannot be resumed: it has no checkpoint, not even its first; "
                    "train its recipe.yaml again in another directory",
                    run->dir);
    LT_TRY(status);
    LT_TRY(take_changes(run, t));
    LT_TRY(metrics_cut(run->metrics, lt_trainer_steps_done(t), r.lines, &run->lines));
    return remove_surplus(run, t);
}

/* ---- Reading a run ---- */

static bool holds_checkpoints(const char *dir)
{
    char **names = NULL;
    int n = 0;
    bool is_listed = file_list(dir, ".safetensors", &names, &n) == LT_OK;
    bool has_one = is_listed && n > 0 && strncmp(names[0], "step-", 5) == 0;
    file_list_free(names, n);
    return has_one;
}

/* Describes a directory that is not a run, for the end of a message. */
static const char *foreign_directory(const char *path)
{
    static const struct {
        const char *name, *what;
    } marks[] = {
        {"saved_model.pb", "; it is a SavedModel of TensorFlow: write its weights as safetensors under "
                           "the names of PyTorch"},
        {"model.safetensors", "; it holds model.safetensors: pass that file"},
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
    return holds_checkpoints(path) ? "; it holds checkpoints: pass one of them, or the run directory above it" : "";
}

/* Uses the file itself, or the newest checkpoint of a run. */
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

/* Keeps the path if the file is intact. */
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
        return must_copy_text(path);
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

int lt_run_model(const char *path, char **checkpoint, char digest[LT_DIGEST_SIZE], lt_model **out)
{
    opening o = {.model = NULL};
    int status = use_of(path, keep_model, &o);
    if (checkpoint)
        *checkpoint = o.path;
    else
        free(o.path);
    if (digest)
        memcpy(digest, o.digest, sizeof o.digest);
    *out = o.model;
    return status;
}

int lt_model_open(const char *path, lt_model **out) { return lt_run_model(path, NULL, NULL, out); }

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
