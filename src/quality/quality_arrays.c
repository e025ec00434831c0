/* SPDX-License-Identifier: MIT */
/* The inputs of scores: freed, and written to a file. */
#include <latent/quality.h>

#include "base/memory.h"
#include "base/status.h"

#include <stdlib.h>

void lt_quality_arrays_clear(lt_quality_arrays *a)
{
    float *floats[] = {a->sample_features, a->held_out_features,  a->train_features,
                       a->sample_classes,  a->train_classes, a->images};
    int32_t *integers[] = {a->held_out_index,  a->train_index,  a->held_out_split,
                           a->train_split, a->held_out_labels,  a->train_labels,
                           a->sample_order, a->held_out_order,  a->train_order};
    for (int i = 0; i < COUNT_OF(floats); i++)
        tensor_free(floats[i]);
    for (int i = 0; i < COUNT_OF(integers); i++)
        free(integers[i]);
    *a = (lt_quality_arrays){.images = NULL};
}

int lt_quality_arrays_write(const lt_quality_arrays *a, const char *path)
{
    const lt_array all[] = {
        {"sample_features", LT_FLOAT32, a->sample_features, 2, {a->samples, a->width}},
        {"held_out_features", LT_FLOAT32, a->held_out_features, 2, {a->held_out, a->width}},
        {"train_features", LT_FLOAT32, a->train_features, 2, {a->train, a->width}},
        {"sample_classes", LT_FLOAT32, a->sample_classes, 2, {a->samples, a->classes}},
        {"train_classes", LT_FLOAT32, a->train_classes, 2, {a->train, a->classes}},
        {"held_out_index", LT_INT32, a->held_out_index, 1, {a->held_out}},
        {"held_out_split", LT_INT32, a->held_out_split, 1, {a->held_out}},
        {"held_out_labels", LT_INT32, a->held_out_labels, 1, {a->held_out}},
        {"train_index", LT_INT32, a->train_index, 1, {a->train}},
        {"train_split", LT_INT32, a->train_split, 1, {a->train}},
        {"train_labels", LT_INT32, a->train_labels, 1, {a->train}},
        {"sample_order", LT_INT32, a->sample_order, 1, {a->samples}},
        {"held_out_order", LT_INT32, a->held_out_order, 1, {a->held_out}},
        {"train_order", LT_INT32, a->train_order, 1, {a->train}},
    };
    lt_array there[COUNT_OF(all)];
    int n = 0;
    if (!a->sample_features)
        return status_fail(LT_VALUE, "%s: there are no features to write", path);
    for (int i = 0; i < COUNT_OF(all); i++)
        if (all[i].values)
            there[n++] = all[i];
    return lt_npz_write(path, there, n);
}
