/* SPDX-License-Identifier: MIT */
/* Images to show, chosen by a seed and by their classes. */
#include "figures/image_queue.h"

#include "base/memory.h"

#include <stdlib.h>

int image_queue_open(const lt_dataset *data, lt_split split, uint64_t seed, image_queue *q)
{
    const lt_dataset_info *info = lt_dataset_describe(data);
    *q = (image_queue){.n = info->n[split]};
    q->order = must_alloc(sizeof *q->order * (size_t)q->n);
    lt_dataset_order(data, split, seed, 0, q->order);
    if (!info->has_labels[split])
        return LT_OK;
    q->labels = must_alloc(sizeof *q->labels * (size_t)q->n);
    return lt_dataset_labels(data, split, q->order, q->n, q->labels);
}

void image_queue_clear(image_queue *q)
{
    free(q->order);
    free(q->labels);
    *q = (image_queue){.n = 0};
}

static bool is_among(int32_t label, const queued_image *others, int n)
{
    for (int i = 0; i < n; i++)
        if (others[i].label == label)
            return true;
    return false;
}

bool image_queue_take(image_queue *q, int of_class, const queued_image *others, int n, queued_image *out)
{
    for (int i = q->first; i < q->n; i++) {
        int32_t label = q->labels ? q->labels[i] : -1;
        bool fits = of_class >= 0 ? label == of_class : !q->labels || !is_among(label, others, n);
        if (q->order[i] < 0 || !fits)
            continue;
        *out = (queued_image){q->order[i], label};
        q->order[i] = -1;
        while (q->first < q->n && q->order[q->first] < 0)
            q->first++;
        return true;
    }
    return false;
}
