/* SPDX-License-Identifier: MIT */
/* Windows that move over images: where they fit, for convolutions and pools alike. */
#ifndef LATENT_WINDOW_H
#define LATENT_WINDOW_H

#include "graph/op.h"

#include <latent/ops.h>

/* Along one axis of an image: k pixels, dilation apart, moved in steps of stride. */
typedef struct window {
    int64_t k, stride, pad, dilation;
} window;

/* Sizes of images and windows are at most this, so that what is computed from two of them fits. */
enum { WINDOW_MAX = INT32_MAX };

/* NULL if x is n x h x w x c with at least one pixel and channel and no size too large, else why not;
   `what` is x in the reason. */
const char *check_images(const lt_node *y, const char *what, lt_shape x);

/* Sets the number of places that the window has along `size` pixels; a reason if there are none.
   axis: "rows" or "columns". */
const char *window_places(const lt_node *y, const char *axis, int64_t size, window o,
                          int64_t *places);

/* Zeros become defaults. */
lt_window window_defaults(lt_window o);

#endif
