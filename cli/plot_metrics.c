/* SPDX-License-Identifier: MIT */
/* Reads metrics.jsonl, whatever numbers its lines have. */
#include "plot_kinds.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void *plot_room(size_t n, size_t size)
{
    void *memory = calloc(n ? n : 1, size);
    if (memory)
        return memory;
    say("latent: out of memory for %zu numbers", n);
    exit(CODE_FAILED);
}

char *plot_name(const char *run)
{
    size_t end = strlen(run), start;
    while (end > 1 && run[end - 1] == '/')
        end--;
    for (start = end; start > 0 && run[start - 1] != '/';)
        start--;
    char *name = plot_room(end - start + 1, 1);
    memcpy(name, run + start, end - start);
    return name;
}

/* Doubles are found before the first name changes. */
void tell_apart(char ***names, int n, const char *const *paths)
{
    bool *is_double = plot_room((size_t)n, sizeof *is_double);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++)
            is_double[i] |= i != k && strcmp(*names[i], *names[k]) == 0;
    for (int i = 0; i < n; i++)
        if (is_double[i]) {
            free(*names[i]);
            *names[i] = plot_room(strlen(paths[i]) + 1, 1);
            strcpy(*names[i], paths[i]);
        }
    free(is_double);
}

/* The log of a run directory, or the file itself. NULL after a complaint. */
static char *find_log(const command *c, const char *run)
{
    struct stat s;
    if (stat(run, &s) != 0) {
        complain(c, CODE_FAILED, "%s: %s", run, strerror(errno));
        return NULL;
    }
    char *path = S_ISDIR(s.st_mode) ? path_in(run, "metrics.jsonl") : strdup(run);
    if (path && stat(path, &s) == 0)
        return path;
    complain(c, CODE_FAILED, "%s: %s%s", path ? path : run, strerror(errno),
             errno == ENOENT ? " (not the directory of a run?)" : "");
    free(path);
    return NULL;
}

/* Earlier versions wrote the ELBO of a validation, with its own sign. */
static void take_old_names(json_t *row)
{
    json_t *valid = json_object_get(row, "valid");
    const json_t *elbo = json_object_get(valid, "elbo"), *se = json_object_get(valid, "elbo_se");
    if (json_is_number(elbo) && !json_object_get(valid, "neg_elbo")) {
        json_object_set_new(valid, "neg_elbo", json_real(-json_number_value(elbo)));
        if (json_is_number(se))
            json_object_set_new(valid, "neg_elbo_se", json_real(json_number_value(se)));
    }
}

static bool read_lines(const command *c, metrics *m, const char *path)
{
    char **lines;
    int status = lt_metrics_read(path, &lines, &m->n);
    for (int i = 0; i < m->n; i++) {
        json_t *row = json_loads(lines[i], 0, NULL);
        take_old_names(row);
        json_array_append_new(m->rows, row);
    }
    lt_metrics_free(lines, m->n);
    if (status != LT_OK)
        complain_library(c, status);
    return status == LT_OK;
}

/* The recipe in the directory of a log; one that is not there is no mistake. */
static lt_recipe *read_recipe(const char *log)
{
    const char *slash = strrchr(log, '/');
    size_t size = slash ? (size_t)(slash + 1 - log) : 0, room = size + sizeof "./recipe.yaml";
    char *path = plot_room(room, 1);
    struct stat s;
    snprintf(path, room, "%.*srecipe.yaml", (int)size, size ? log : "");
    if (!size)
        snprintf(path, room, "./recipe.yaml");
    lt_recipe *r = stat(path, &s) == 0 ? lt_recipe_open(path, NULL, 0) : NULL;
    free(path);
    return r;
}

bool metrics_read(const command *c, metrics *m, const char *given)
{
    char *around = lt_run_around(given); /* a checkpoint stands for its run */
    const char *run = around ? around : given;
    *m = (metrics){.name = plot_name(run), .rows = json_array()};
    char *path = find_log(c, run);
    bool is_read = path && read_lines(c, m, path);
    if (is_read && m->n == 0) {
        complain(c, CODE_FAILED, "%s: has no whole line yet", path);
        is_read = false;
    }
    if (is_read)
        m->recipe = read_recipe(path);
    free(path);
    free(around);
    return is_read;
}

void metrics_clear(metrics *m)
{
    json_decref(m->rows);
    lt_recipe_free(m->recipe);
    free(m->name);
    *m = (metrics){0};
}

double metrics_value(const metrics *m, int i, const char *path)
{
    const json_t *at = json_array_get(m->rows, (size_t)i);
    char word[64];
    while (at && *path) {
        size_t n = strcspn(path, ".");
        snprintf(word, sizeof word, "%.*s", (int)n, path);
        at = json_object_get(at, word);
        path += n + (path[n] == '.');
    }
    return json_is_number(at) ? json_number_value(at) : (double)NAN;
}

bool metrics_has(const metrics *m, const char *path)
{
    for (int i = 0; i < m->n; i++)
        if (!isnan(metrics_value(m, i, path)))
            return true;
    return false;
}
