/* SPDX-License-Identifier: MIT */
/* Run directories. Whatever instant a process is killed at, what is left is: recipe.yaml or
   nothing; whole checkpoints, and files with temporary names that the next lt_run_open removes;
   lines of metrics.jsonl up to that instant, which lt_run_restore cuts back to the checkpoint. */
#include <latent/train.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "train/checkpoint.h"
#include "train/metrics.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct lt_run {
    char *dir;
    char *checkpoints, *samples, *recipe_path, *metrics; /* paths */
    lt_recipe *recipe;
    bool is_changed; /* the recipe is not yet what recipe.yaml says */
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

/* The kernel drops the lock with the last descriptor, so a killed process leaves none behind. */
static int lock_run(lt_run *run)
{
    run->lock = open(run->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (run->lock < 0)
        return status_fail(errno == ENOENT ? LT_NOT_FOUND : LT_IO, "cannot open run %s: %s",
                           run->dir, strerror(errno));
    if (flock(run->lock, LOCK_EX | LOCK_NB) == 0)
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

static int begin_run(lt_run *run, const lt_recipe *r)
{
    LT_TRY(file_make_directories(run->checkpoints));
    LT_TRY(file_make_directories(run->samples));
    LT_TRY(lock_run(run));
    if (file_exists(run->recipe_path))
        return status_fail(LT_VALUE, "%s holds a run already", run->dir);
    LT_TRY(write_recipe(run, r));
    run->recipe = lt_recipe_open(run->recipe_path, NULL, 0);
    return run->recipe ? LT_OK : LT_FORMAT;
}

int lt_run_create(lt_run **out, const char *dir, const lt_recipe *r)
{
    lt_run *run = name_run(dir);
    *out = NULL;
    int status = file_exists(run->recipe_path)
                     ? status_fail(LT_VALUE, "%s holds a run already", dir)
                     : begin_run(run, r);
    if (status == LT_OK)
        *out = run;
    else
        lt_run_free(run);
    return status;
}

/* Removes `.NAME.tmp-PID`, which the file layer writes before it renames. */
static void remove_unfinished(const char *dir)
{
    DIR *d = opendir(dir);
    if (!d)
        return;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] != '.' || !strstr(e->d_name, ".tmp-"))
            continue;
        char *path = file_join(dir, e->d_name);
        if (unlink(path) == 0)
            log_info("removed %s, which was not finished", path);
        free(path);
    }
    closedir(d);
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
    LT_TRY(file_make_directories(run->checkpoints));
    LT_TRY(file_make_directories(run->samples));
    remove_unfinished(run->dir);
    remove_unfinished(run->checkpoints);
    remove_unfinished(run->samples);
    return LT_OK;
}

int lt_run_open(lt_run **out, const char *dir, const char *const *sets, int n)
{
    lt_run *run = name_run(dir);
    int status = reopen_run(run, sets, n);
    *out = status == LT_OK ? run : NULL;
    if (status != LT_OK)
        lt_run_free(run);
    return status;
}

const char *lt_run_directory(const lt_run *run) { return run->dir; }

const lt_recipe *lt_run_recipe(const lt_run *run) { return run->recipe; }

/* ---- Checkpoints ---- */

/* Leaves `keep` checkpoints up to the one just saved. Those of later steps are broken, or the run
   would have gone on from them; they are not counted, lest they stand for whole ones. */
static void remove_older(const lt_run *run, char **names, int n, const char *saved)
{
    int64_t keep = lt_recipe_train_options(run->recipe)->keep;
    while (n > 0 && strcmp(names[n - 1], saved) > 0)
        n--;
    for (int i = 0; keep > 0 && i < n - keep; i++) {
        char *path = file_join(run->checkpoints, names[i]);
        if (unlink(path) != 0)
            log_warning("cannot remove %s: %s", path, strerror(errno));
        free(path);
    }
}

int lt_run_save(lt_run *run, const lt_trainer *t)
{
    char *name = must_format("step-%08lld.safetensors", (long long)lt_trainer_steps_done(t));
    char *path = file_join(run->checkpoints, name);
    char **names;
    int n = 0, status = lt_trainer_save(t, path);
    if (status == LT_OK)
        status = file_list(run->checkpoints, ".safetensors", &names, &n);
    if (status == LT_OK) {
        remove_older(run, names, n, name);
        file_list_free(names, n);
    }
    free(path);
    free(name);
    return status;
}

/* Tries the checkpoints of a directory from the newest on with `use`; LT_FORMAT, which means that a
   file is not whole, goes on to the one before. LT_NOT_FOUND: none is whole. */
typedef int use_function(void *user, const char *path);

static int use_newest(const char *dir, use_function *use, void *user)
{
    char **names;
    int n, status = LT_NOT_FOUND;
    if (!file_exists(dir))
        return status_fail(LT_NOT_FOUND, "%s does not exist", dir);
    LT_TRY(file_list(dir, ".safetensors", &names, &n));
    status_fail(LT_NOT_FOUND, "%s: there is no whole checkpoint", dir);
    for (int i = n - 1; i >= 0; i--) {
        char *path = file_join(dir, names[i]);
        status = use(user, path);
        if (status == LT_FORMAT)
            log_warning("passed over a broken checkpoint: %s", lt_last_error());
        free(path);
        if (status != LT_FORMAT)
            break;
        status = status_fail(LT_NOT_FOUND, "%s: there is no whole checkpoint", dir);
    }
    file_list_free(names, n);
    return status;
}

static int load_into(void *trainer, const char *path) { return lt_trainer_load(trainer, path); }

int lt_run_restore(lt_run *run, lt_trainer *t)
{
    int status = use_newest(run->checkpoints, load_into, t);
    if (status != LT_OK && status != LT_NOT_FOUND)
        return status;
    if (run->is_changed)
        LT_TRY(write_recipe(run, run->recipe));
    run->is_changed = false;
    return metrics_cut(run->metrics, lt_trainer_steps_done(t));
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
    if (!file_exists(path)) {
        status_fail(LT_NOT_FOUND, "%s does not exist", path);
    } else if (!file_is_directory(path)) {
        found = must_copy_text(path);
    } else {
        char *dir = file_join(path, "checkpoints");
        if (!file_is_directory(dir))
            status_fail(LT_NOT_FOUND, "%s is not a run: it has no checkpoints", path);
        else
            use_newest(dir, keep_path, &found);
        free(dir);
    }
    return found;
}

/* ---- Metrics ---- */

int lt_run_log(lt_run *run, const lt_train_report *r, const lt_validation *v)
{
    return metrics_append(run->metrics, r, v);
}
