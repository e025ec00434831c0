/* SPDX-License-Identifier: MIT */
/* Classes as people type them: by the names of the data, or by number, from 0. All are false after a
   complaint about --class. */
#ifndef LATENT_CLASS_NAMES_H
#define LATENT_CLASS_NAMES_H

#include "figure_command.h"

/* One class of a model that has classes. Its data are opened where their names are asked for. */
bool read_model_class(const figure_request *q, trained *t, const char *word, int *class);

/* "cat,dog,7": `least` to `most` classes of the data, which are open. A name that has a comma goes by
   its number. */
bool read_data_classes(const figure_request *q, const trained *t, const char *words, int least, int most,
                       int *classes);

#endif
