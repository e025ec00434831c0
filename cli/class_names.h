/* SPDX-License-Identifier: MIT */
/* Parses --class: names of the data's classes, or numbers from 0. All functions return false after a complaint. */
#ifndef LATENT_CLASS_NAMES_H
#define LATENT_CLASS_NAMES_H

#include "figure_command.h"

/* Parses a class of a model with classes. Opens the data if a name needs it. */
bool read_model_class(const figure_request *q, trained *t, const char *word, int *class);

/* Parses "cat,dog,7": `least` to `most` classes of the data, which are open. For a name with a comma, use its
   number. */
bool read_data_classes(const figure_request *q, const trained *t, const char *words, int least, int most,
                       int *classes);

#endif
