/* SPDX-License-Identifier: MIT */
/* Schedules: factors of the learning rate, beta and capacity that change over training. They are functions of the
   step alone, so that a resumed run continues them. */
#ifndef LATENT_SCHEDULES_H
#define LATENT_SCHEDULES_H

#include "base/spec.h"

typedef struct schedule_clock {
    int64_t step;            /* optimizer steps done before this one */
    int64_t steps_per_epoch; /* at least 1 */
    int64_t epochs;          /* of the whole training */
} schedule_clock;

extern const spec_table schedule_table;

double schedule_factor(const spec *schedule, const schedule_clock *clock);

#endif
