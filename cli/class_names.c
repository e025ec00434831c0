/* SPDX-License-Identifier: MIT */
/* Parses --class. */
#include "class_names.h"

#include <stdlib.h>
#include <string.h>

static bool complain_class(const figure_request *q)
{
    complain(q->command, CODE_USAGE, "--class: %s", lt_last_error());
    return false;
}

/* The class names of the recipe's data set in the catalog; NULL: unknown set, or no names. */
static const char *const *known_names(const trained *t)
{
    const char *set = lt_recipe_dataset(lt_model_recipe(t->model));
    for (int i = 0; i < lt_data_count(); i++)
        if (strcmp(lt_data_entry(i)->name, set) == 0)
            return lt_data_entry(i)->class_names;
    return NULL;
}

static int count_names(const char *const *names, int most)
{
    int n = 0;
    while (n < most && names[n])
        n++;
    return n;
}

/* The class names of the data; without names only numbers are accepted. */
static bool open_names(const figure_request *q, trained *t, const char *word, int n,
                       const char *const **names)
{
    int64_t number;
    int status = t->data ? LT_OK : lt_model_open_data(t->model, q->data, NULL, 0, &t->data);
    if (status != LT_OK && !lt_read_integer(word, &number)) {
        complain(q->command, CODE_FAILED, "--class: '%s' may be a name of the data's classes, and %s", word,
                 lt_last_error());
        return false;
    }
    const lt_dataset_info *d = status == LT_OK ? lt_dataset_describe(t->data) : NULL;
    *names = d && d->class_names && d->classes == n ? d->class_names : NULL;
    return true;
}

bool read_model_class(const figure_request *q, trained *t, const char *word, int *class)
{
    int n = lt_model_classes(t->model);
    if (n == 0) {
        complain(q->command, CODE_USAGE, "--class goes with models that have classes; %s has none", q->run);
        return false;
    }
    const char *const *names = known_names(t);
    if (!names || count_names(names, n) != n) {
        names = NULL;
        if (!open_names(q, t, word, n, &names))
            return false;
    }
    return lt_class_find(word, names, n, class) == LT_OK || complain_class(q);
}

bool read_data_classes(const figure_request *q, const trained *t, const char *words, int least, int most,
                       int *classes)
{
    const lt_dataset_info *d = lt_dataset_describe(t->data);
    char *copy = path_in("", words), *at = copy + 1;
    int n = 0;
    bool is_good = true;
    for (char *word; is_good && n < most && (word = strsep(&at, ",")) != NULL; n++)
        is_good = lt_class_find(word, d->class_names, d->classes, &classes[n]) == LT_OK || complain_class(q);
    if (is_good && (n < least || at)) {
        complain(q->command, CODE_USAGE, "--class: expected %d classes with commas between them, found '%s'",
                 least, words);
        is_good = false;
    }
    free(copy);
    return is_good;
}
