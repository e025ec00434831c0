/* SPDX-License-Identifier: MIT */
/* Shared by the commands that make a figure of one model: their options, and writing the figure. */
#ifndef LATENT_FIGURE_COMMAND_H
#define LATENT_FIGURE_COMMAND_H

#include "cli.h"

/* Their common options. The tables list options in one order: numbers, output, options of that command only, class,
   split, seed, data, title, zoom, threads. */
typedef struct figure_request {
    const command *command;
    const char *run, *out, *title, *data;
    const command_line *line;
    const char *checkpoint; /* shown in messages; NULL: not shown */
    int64_t zoom, seed, threads;
    int split;
} figure_request;

/* Parses the command line, opens the run, calls `draw`, closes. `request` begins with a figure_request, whose
   command, run, line and checkpoint are filled in. Both return the exit code. */
typedef int figure_drawer(trained *t, void *request);
int figure_run(const command *c, const flag *flags, int argc, const char **argv,
               figure_drawer *draw, void *request);

/* Refuse options that would be ignored: options of images if the model has no encoder; of classes if it has none.
   Both return the exit code. */
int figure_refuse_images(const trained *t, const figure_request *q);
int figure_refuse_class(const trained *t, const figure_request *q);

/* Opens the given data, or the recipe's, unless data is open. Returns a status. */
int figure_open_data(trained *t, const figure_request *q);

/* Whether a figure can hold that many images; false after a complaint. */
bool figure_fits(const command *c, int64_t rows, int64_t columns);

/* The title of a figure that always has one: the given one, or the run's name. The caller frees it. */
char *figure_title(const figure_request *q);

/* Writes a figure that was made with `status`, prints a message and its notes, and frees it. Returns the exit code.
   Nullable: f after a failure; alone (the name of images without captions: "reconstructions"). */
int figure_put(const figure_request *q, int status, lt_figure *f, const char *alone);

/* Prints the notes of a figure. */
void say_notes(const lt_figure *f);

/* Parses "3,7" as n numbers from `min` to `max`; false after a complaint about --NAME. */
bool read_numbers(const command *c, const char *name, const char *words, int n, int64_t min,
                  int64_t max, int *to);

#endif
