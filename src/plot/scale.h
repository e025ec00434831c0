/* SPDX-License-Identifier: MIT */
/* Axes: map values to positions, and choose round numbers for ticks. */
#ifndef LATENT_SCALE_H
#define LATENT_SCALE_H

#include <latent/plot.h>

/* Maps values from [low, high] to [from, to], linearly or by their logarithm. */
typedef struct scale {
    double low, high;
    bool is_log;
    double from, to;
} scale;

/* Whether a value has a position on an axis: finite, |value| at most 1e100, at least 1e-100 if is_log. */
bool scale_has(bool is_log, double value);

/* Returns the position of a valid value; outside of from ... to if it is out of range. */
double scale_at(const scale *s, double value);

/* The range of some values. Zero-initialize. */
typedef struct range {
    bool is_any;
    double low, high;
} range;

void range_add(range *r, bool is_log, double value);

/* Computes the axis for these values. `room` is the margin at both ends, as a fraction of the range; an end within
   `pull` times the range of 0 becomes 0 instead (negative: never). False for an impossible axis. */
bool scale_fit(scale *s, const range *r, const lt_axis *axis, double room, double pull);

enum { MAX_TICKS = 64, TICK_TEXT = 40 };

typedef struct ticks {
    int n;
    double value[MAX_TICKS];
    char text[MAX_TICKS][TICK_TEXT];
} ticks;

/* Chooses at most `most` (2 or more) round numbers in the range: multiples of 1, 2 or 5 times a power of ten; on a
   logarithmic axis of a decade or more, 1, 2, 5 of each decade, or powers of ten. */
void ticks_make(ticks *t, const scale *s, int most, bool is_whole);

/* Formats a number with U+2212 as minus sign and commas between thousands, in any locale.
   |value| < 1e12, decimals <= 10; fewer than 1e18 of its last unit. */
void number_text(char text[TICK_TEXT], double value, int decimals);

#endif
