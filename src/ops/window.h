/* SPDX-License-Identifier: MIT */
/* Sliding windows over images, shared by convolutions and pools. */
#ifndef LATENT_WINDOW_H
#define LATENT_WINDOW_H

#include "graph/op.h"

#include <latent/ops.h>

/* Along one axis of an image: k pixels, dilation apart, moved in steps of stride. */
typedef struct window {
    int64_t k, stride, pad, dilation;
} window;

/* Largest size of images and windows; the product of two fits in 64 bits. */
enum { WINDOW_MAX = INT32_MAX };

/* Returns NULL if x is n x h x w x c with at least one pixel and channel and no size too large, else the reason,
   which calls x `what`. */
const char *check_images(const lt_node *y, const char *what, lt_shape x);

/* Sets the number of window positions along `size` pixels; returns the reason if there are none.
   axis: "rows" or "columns". */
const char *window_places(const lt_node *y, const char *axis, int64_t size, window o,
                          int64_t *places);

/* Replaces zeros by defaults. */
lt_window window_defaults(lt_window o);

#endif
