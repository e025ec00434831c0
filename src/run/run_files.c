/* SPDX-License-Identifier: MIT */
#include "run/run_files.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#include <latent/runs.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const run_files run_samples = {"samples", "epoch-", ".png", 4, "pictures of training"};
const run_files run_checkpoints = {"checkpoints", "step-", ".safetensors", 8, "checkpoints"};

enum { MAX_DIGITS = 12 };

static char *name_file(const run_files *f, int64_t number)
{
    return must_format("%s%0*lld%s", f->prefix, f->digits, (long long)number, f->suffix);
}

char *run_files_path(const run_files *f, const char *dir, int64_t number)
{
    char *folder = file_join(dir, f->folder), *name = name_file(f, number), *path = file_join(folder, name);
    free(folder);
    free(name);
    return path;
}

/* epoch-0012.png is number 12; -1: another file. */
static int64_t number_of(const run_files *f, const char *name)
{
    size_t prefix = strlen(f->prefix);
    if (strncmp(name, f->prefix, prefix) != 0)
        return -1;
    size_t digits = strspn(name + prefix, "0123456789");
    if (digits == 0 || digits > MAX_DIGITS)
        return -1;
    int64_t number = strtoll(name + prefix, NULL, 10);
    char *again = name_file(f, number);
    bool is_same = strcmp(name, again) == 0;
    free(again);
    return is_same ? number : -1;
}

static int compare_numbers(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int run_files_list(const run_files *f, const char *dir, int64_t **numbers, int *n)
{
    char *folder = file_join(dir, f->folder), **names = NULL;
    int files = 0, status = LT_OK;
    *numbers = NULL;
    *n = 0;
    if (!file_exists(dir))
        status = status_fail(LT_NOT_FOUND, "%s does not exist", dir);
    else if (!file_is_directory(dir))
        status = status_fail(LT_VALUE, "%s is a file outside of any run; expected a run directory, which holds %s", dir,
                             f->what);
    else if (file_exists(folder))
        status = file_list(folder, f->suffix, &names, &files);
    if (status == LT_OK && files > 0)
        *numbers = must_alloc(sizeof **numbers * (size_t)files);
    for (int i = 0; status == LT_OK && i < files; i++)
        if (number_of(f, names[i]) >= 0)
            (*numbers)[(*n)++] = number_of(f, names[i]);
    if (*n > 0)
        qsort(*numbers, (size_t)*n, sizeof **numbers, compare_numbers);
    file_list_free(names, files);
    free(folder);
    return status;
}

char *lt_run_checkpoint_path(const char *dir, int64_t step) { return run_files_path(&run_checkpoints, dir, step); }

int lt_run_checkpoint_steps(const char *dir, int64_t **steps, int *n)
{
    return run_files_list(&run_checkpoints, dir, steps, n);
}

char *lt_run_name(const char *path)
{
    size_t end = strlen(path), start;
    while (end > 1 && path[end - 1] == '/')
        end--;
    for (start = end; start > 0 && path[start - 1] != '/';)
        start--;
    return must_format("%.*s", (int)(end - start), path + start);
}
