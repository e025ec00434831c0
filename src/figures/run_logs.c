/* SPDX-License-Identifier: MIT */
/* Logs of runs, under the names that charts give them. */
#include "figures/run_charts.h"

#include <stdlib.h>
#include <string.h>

static int open_log(lt_figure *f, const char *given, run_log *log)
{
    char *around = lt_run_of_checkpoint(given); /* a checkpoint stands for its run */
    char *name = lt_run_name(around ? around : given);
    log->name = arena_copy_text(&f->memory, name);
    free(name);
    free(around);
    LT_TRY(lt_run_metrics_open(given, &log->metrics));
    log->n = lt_run_metrics_count(log->metrics);
    log->recipe = lt_run_metrics_recipe(log->metrics);
    return log->n > 0 ? LT_OK
                      : status_fail(LT_VALUE, "%s: has no whole line yet", lt_run_metrics_path(log->metrics));
}

void run_logs_clear(run_log *logs, int n)
{
    for (int i = 0; i < n; i++)
        lt_run_metrics_free(logs[i].metrics);
}

int run_logs_open(lt_figure *f, const char *const *runs, int n, run_log *logs)
{
    memset(logs, 0, sizeof *logs * (size_t)n);
    for (int i = 0; i < n; i++)
        LT_TRY(open_log(f, runs[i], &logs[i]));
    return LT_OK;
}
