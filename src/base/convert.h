/* SPDX-License-Identifier: MIT */
/* Safe conversion of doubles to integers: for NaN, infinite or large values a cast is undefined in C. */
#ifndef LATENT_CONVERT_H
#define LATENT_CONVERT_H

/* Returns the nearest integer within [low, high], clamped; `low` for NaN. */
static inline int real_to_int(double value, int low, int high)
{
    if (!(value > low))
        return low;
    return value >= high ? high : (int)(value + (value < 0 ? -0.5 : 0.5));
}

#endif
