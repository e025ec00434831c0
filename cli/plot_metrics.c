/* SPDX-License-Identifier: MIT */
/* Logs of runs, under the names that charts give them. */
#include "plot_kinds.h"

#include <stdlib.h>
#include <string.h>

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

bool metrics_read(const command *c, metrics *m, const char *given)
{
    char *around = lt_run_around(given); /* a checkpoint stands for its run */
    *m = (metrics){.name = plot_name(around ? around : given)};
    int status = lt_run_metrics_open(given, &m->log);
    if (status != LT_OK)
        complain_library(c, status);
    else if (lt_run_metrics_count(m->log) == 0)
        status = complain(c, CODE_FAILED, "%s: has no whole line yet", lt_run_metrics_path(m->log));
    if (status == LT_OK) {
        m->n = lt_run_metrics_count(m->log);
        m->recipe = lt_run_metrics_recipe(m->log);
    }
    free(around);
    return status == LT_OK;
}

void metrics_clear(metrics *m)
{
    lt_run_metrics_free(m->log);
    free(m->name);
    *m = (metrics){0};
}

double metrics_value(const metrics *m, int i, const char *path) { return lt_run_metrics_value(m->log, i, path); }

bool metrics_has(const metrics *m, const char *path) { return lt_run_metrics_has(m->log, path); }
