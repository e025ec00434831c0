/* SPDX-License-Identifier: MIT */
/* Prints each warning of the library once per command, because a report opens the same data many times, and once per
   run: commands do not repeat warnings that training has printed. RUN/warnings.txt holds these lines. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 256 }; /* further lines may be repeated */

static struct {
    char *text;
    bool is_of_run;
} said[MOST];
static int n_said;
static bool is_beginning, is_repeating;

/* Whether this line was printed before; marks it as printed. */
static bool is_said(const char *text, bool is_of_run)
{
    for (int i = 0; i < n_said; i++)
        if (strcmp(said[i].text, text) == 0) {
            said[i].is_of_run |= is_of_run;
            return true;
        }
    char *copy = n_said < MOST ? strdup(text) : NULL;
    if (copy) {
        said[n_said].text = copy;
        said[n_said++].is_of_run = is_of_run;
    }
    return false;
}

void show_log(void *user, lt_log_level level, const char *text)
{
    (void)user;
    bool is_warning = level == LT_LOG_WARNING;
    if (!is_said(text, is_beginning && is_warning))
        say("%s%s", is_warning ? "warning: " : "", text);
}

/* The path of RUN/warnings.txt for a run directory or a checkpoint in it; the caller frees it. */
static char *file_of(const char *run)
{
    static const char folder[] = "/checkpoints/";
    char *path = path_in(run, "warnings.txt"), *in = NULL;
    for (char *at = path; (at = strstr(at, folder)) != NULL; at++)
        in = at;
    if (in)
        strcpy(in, "/warnings.txt");
    return path;
}

void warnings_expect(const char *run)
{
    char *path = file_of(run), *line = NULL;
    size_t room = 0;
    FILE *f = is_repeating ? NULL : fopen(path, "r");
    while (f && getline(&line, &room, f) > 0) {
        line[strcspn(line, "\n")] = 0;
        is_said(line, true);
    }
    if (f)
        fclose(f);
    free(line);
    free(path);
}

void warnings_repeat(void) { is_repeating = true; }

void warnings_begin(void) { is_beginning = true; }

int warnings_keep(const char *run)
{
    char *path = file_of(run), *text = NULL;
    size_t size = 0;
    int status = LT_OK;
    FILE *f = open_memstream(&text, &size);
    for (int i = 0; i < n_said && f; i++)
        if (said[i].is_of_run)
            fprintf(f, "%s\n", said[i].text);
    is_beginning = false;
    if (!f || fclose(f) != 0)
        status = LT_NO_MEMORY;
    else if (size > 0)
        status = lt_file_write(path, text, size);
    free(text);
    free(path);
    return status;
}
