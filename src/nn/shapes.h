/* SPDX-License-Identifier: MIT */
/* Shapes in layers: the batch comes first and is omitted in messages. */
#ifndef LATENT_SHAPES_H
#define LATENT_SHAPES_H

#include <latent/nn.h>

/* "7 x 7 x 64", or "256": without the batch. */
const char *row_shape_text(lt_shape s, char text[LT_SHAPE_TEXT_SIZE]);

/* Whether x is n x h x w x c; if not, a graph error that names the layer `what`. */
bool is_image(const char *what, lt_node *x);

lt_init init_with_fans(lt_init init, int64_t in, int64_t out);

#endif
