/* SPDX-License-Identifier: MIT */
/* Shared by the commands that draw a figure of one model: what they are asked, and how a figure is written. */
#ifndef LATENT_FIGURE_COMMAND_H
#define LATENT_FIGURE_COMMAND_H

#include "cli.h"

/* What all of them are asked. The tables of options have it in one order: how many, output, what only
   that command knows, class, split, seed, data, title, zoom, threads. */
typedef struct figure_request {
    const command *command;
    const char *run, *out, *title, *data;
    const command_line *line;
    const char *checkpoint; /* that is drawn; NULL: not to be said */
    int64_t zoom, seed, threads;
    int split;
} figure_request;

/* Reads the command line, opens the run, lets `draw` work on it, closes. `request` begins with a
   figure_request, of which command, run, line and checkpoint are filled in. Both give the exit code. */
typedef int figure_drawer(trained *t, void *request);
int figure_run(const command *c, const flag *flags, int argc, const char **argv,
               figure_drawer *draw, void *request);

/* Refuses options that would be ignored: of images, where the model has no encoder; of classes,
   where it has none. Both give the exit code. */
int figure_refuse_images(const trained *t, const figure_request *q);
int figure_refuse_class(const trained *t, const figure_request *q);

/* Opens the data asked for, or the recipe's, where none are open. A status. */
int figure_open_data(trained *t, const figure_request *q);

/* Whether so many images can be drawn at once; false after a complaint. */
bool figure_fits(const command *c, int64_t rows, int64_t columns);

/* The title of a figure that has one in any case: the one given, or the run's name. Freed by the caller. */
char *figure_title(const figure_request *q);

/* Writes a figure that was made with `status`, says what it is and what its notes say, and frees it. Gives the exit
   code. Nullable: f after a failure; alone (what images alone are called: "reconstructions"). */
int figure_put(const figure_request *q, int status, lt_figure *f, const char *alone);

/* Says the notes of a figure. */
void say_notes(const lt_figure *f);

/* "3,7" as n numbers from `min` to `max`; false after a complaint about --NAME. */
bool read_numbers(const command *c, const char *name, const char *words, int n, int64_t min,
                  int64_t max, int *to);

#endif
