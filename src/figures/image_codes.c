/* SPDX-License-Identifier: MIT */
/* Codes and images of models, for the figures that show them. */
#include "figures/figure.h"

#include <stdlib.h>
#include <string.h>

int decode_codes(lt_model *m, int n, const float *z, int of_class, int threads, float *images)
{
    if (lt_model_classes(m) == 0)
        return lt_decode(m, n, z, threads, images);
    int32_t *labels = must_alloc(sizeof *labels * (size_t)n);
    for (int i = 0; i < n; i++)
        labels[i] = of_class;
    int status = lt_decode_class(m, n, z, labels, threads, images);
    free(labels);
    return status;
}

int figure_decode(lt_figure *f, lt_model *m, const lt_dataset *data, const float *z, int of_class, int threads,
                  const char *title, char *subtitle, size_t size)
{
    LT_TRY(decode_codes(m, f->info.n, z, of_class, threads, f->images));
    if (lt_model_classes(m) > 0)
        add_text(subtitle, size, "; %s", class_caption(m, data, of_class).text);
    figure_set_titles(f, m, title, subtitle);
    return LT_OK;
}

int encode_images(lt_model *m, lt_dataset *data, lt_split split, const int32_t *index, int n, int threads,
                  float *images, float *codes)
{
    LT_TRY(lt_dataset_gather(data, split, index, n, 0, 1, images));
    return lt_encode(m, n, images, threads, codes, NULL);
}

int find_split(const lt_model *m, lt_dataset *data, lt_split *split)
{
    if (!data)
        return status_fail(LT_VALUE, "%s: expected a data set, found none", lt_recipe_name(lt_model_recipe(m)));
    LT_TRY(lt_model_check_data(m, data));
    *split = lt_dataset_split(data, *split);
    return LT_OK;
}

int check_class(const lt_model *m, int of_class)
{
    int n = lt_model_classes(m);
    if (of_class >= 0 && of_class < (n > 0 ? n : 1))
        return LT_OK;
    return n > 0 ? status_fail(LT_VALUE, "of_class: expected 0 to %d, found %d", n - 1, of_class)
                 : status_fail(LT_VALUE, "of_class: goes with models that have classes; %s has none",
                               lt_recipe_name(lt_model_recipe(m)));
}
