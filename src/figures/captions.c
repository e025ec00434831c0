/* SPDX-License-Identifier: MIT */
/* Captions of figures: numbers, latents, classes, runs. */
#include "figures/figure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

caption number_caption(double value, int decimals)
{
    caption c;
    char digits[48];
    snprintf(digits, sizeof digits, "%.*f", decimals, value);
    bool is_zero = strspn(digits, "-0.") == strlen(digits);
    const char *shown = digits[0] == '-' ? digits + 1 : digits;
    snprintf(c.text, sizeof c.text, "%s%s", digits[0] == '-' && !is_zero ? "−" : "", is_zero ? "0" : shown);
    return c;
}

caption latent_caption(int k)
{
    static const char *const low[] = {"₀", "₁", "₂", "₃", "₄", "₅", "₆", "₇", "₈", "₉"};
    caption c = {"z"};
    char digits[16];
    snprintf(digits, sizeof digits, "%d", k);
    for (const char *d = digits; *d; d++)
        strcat(c.text, low[*d - '0']);
    return c;
}

/* The class name in the data, or in the catalog's data set of the recipe. */
static const char *class_name(const lt_model *m, const lt_dataset *data, int k)
{
    const lt_dataset_info *d = data ? lt_dataset_describe(data) : NULL;
    if (d)
        return d->class_names && k < d->classes ? d->class_names[k] : NULL;
    const lt_catalog_entry *e = lt_data_named(lt_recipe_dataset(lt_model_recipe(m)));
    for (int j = 0; e && e->class_names && e->class_names[j]; j++)
        if (j == k)
            return e->class_names[j];
    return NULL;
}

static bool begins_character(char byte) { return (byte & 0xc0) != 0x80; }

/* Truncates a name of more than 30 characters, or too many bytes, with "…". */
static caption short_name(const char *words)
{
    enum { MAX_CHARACTERS = 30 };
    caption c;
    size_t size = strlen(words), last = sizeof c.text - sizeof "…";
    int n = 0, cut = 0;
    for (size_t i = 0; i < size; i++)
        n += begins_character(words[i]);
    bool fits = n <= MAX_CHARACTERS && size < sizeof c.text;
    n = 0;
    for (size_t i = 0; i <= last && n < MAX_CHARACTERS && !fits; i++)
        if (begins_character(words[i])) {
            cut = (int)i;
            n++;
        }
    snprintf(c.text, sizeof c.text, "%.*s%s", fits ? (int)size : cut, words, fits ? "" : "…");
    return c;
}

caption class_caption(const lt_model *m, const lt_dataset *data, int k)
{
    caption c;
    const char *its = k >= 0 ? class_name(m, data, k) : NULL;
    if (its)
        return short_name(its);
    snprintf(c.text, sizeof c.text, "class %d", k);
    return c;
}
