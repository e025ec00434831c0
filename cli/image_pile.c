/* SPDX-License-Identifier: MIT */
/* Images to be shown, chosen by a seed and by their classes. */
#include "image_pile.h"

#include "plot_kinds.h"

#include <stdlib.h>

int image_pile_open(const trained *t, lt_split split, uint64_t seed, image_pile *p)
{
    const lt_dataset_info *info = lt_dataset_describe(t->data);
    *p = (image_pile){.n = info->n[split]};
    p->order = plot_room((size_t)p->n, sizeof *p->order);
    lt_dataset_order(t->data, split, seed, 0, p->order);
    if (!info->has_labels[split])
        return LT_OK;
    p->labels = plot_room((size_t)p->n, sizeof *p->labels);
    return lt_dataset_labels(t->data, split, p->order, p->n, p->labels);
}

void image_pile_close(image_pile *p)
{
    free(p->order);
    free(p->labels);
}

static bool is_among(int32_t label, const piled_image *others, int n)
{
    for (int i = 0; i < n; i++)
        if (others[i].label == label)
            return true;
    return false;
}

bool image_pile_take(image_pile *p, int class, const piled_image *others, int n, piled_image *out)
{
    for (int i = p->first; i < p->n; i++) {
        int32_t label = p->labels ? p->labels[i] : -1;
        bool fits = class >= 0 ? label == class : !p->labels || !is_among(label, others, n);
        if (p->order[i] < 0 || !fits)
            continue;
        *out = (piled_image){p->order[i], label};
        p->order[i] = -1;
        while (p->first < p->n && p->order[p->first] < 0)
            p->first++;
        return true;
    }
    return false;
}
