/* SPDX-License-Identifier: MIT */
/* Numbers from outside become integers here: converting a double that is NaN, infinite or too large is
   undefined in C. */
#ifndef LATENT_CONVERT_H
#define LATENT_CONVERT_H

/* The nearest integer within [low, high], also of what is beyond; `low` for NaN. */
static inline int real_to_int(double value, int low, int high)
{
    if (!(value > low))
        return low;
    return value >= high ? high : (int)(value + (value < 0 ? -0.5 : 0.5));
}

#endif
