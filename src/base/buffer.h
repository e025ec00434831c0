/* SPDX-License-Identifier: MIT */
/* Memory for numbers that sessions share: lt_buffer of graph.h. Always host memory. */
#ifndef LATENT_BUFFER_H
#define LATENT_BUFFER_H

#include <latent/graph.h>

struct lt_buffer {
    float *floats;
    int64_t n;
    bool is_owned;
};

#endif
