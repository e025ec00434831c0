/* SPDX-License-Identifier: MIT */
/* Axes: map values to positions, and choose round numbers for ticks. */
#ifndef LATENT_SCALE_H
#define LATENT_SCALE_H

#include <latent/plot.h>

/* Values between `low` and `high` lie between `from` and `to`, evenly or by their logarithm. */
typedef struct scale {
    double low, high;
    bool is_log;
    double from, to;
} scale;

/* Whether a value has a position on such an axis: finite, at most 1e100, positive if is_log. */
bool scale_has(bool is_log, double value);

/* Returns the position of such a value; values outside the range lie outside of from ... to. */
double scale_at(const scale *s, double value);

/* The range of some values. Zero-initialize. */
typedef struct range {
    bool is_any;
    double low, high;
} range;

void range_add(range *r, bool is_log, double value);

/* Computes the axis of these values. `room` is the fraction of the range that stays free at both ends; but an
   end that is at most `pull` times the range from 0 becomes 0 (negative: never). False for an impossible axis. */
bool scale_fit(scale *s, const range *r, const lt_axis *axis, double room, double pull);

enum { MAX_TICKS = 64, TICK_TEXT = 40 };

typedef struct ticks {
    int n;
    double value[MAX_TICKS];
    char text[MAX_TICKS][TICK_TEXT];
} ticks;

/* At most `most` (2 or more) round numbers in the range: 1, 2 or 5 times a power of ten, evenly;
   powers of ten where the logarithmic range is wide. */
void ticks_make(ticks *t, const scale *s, int most, bool is_whole);

/* A number with its sign as U+2212 and its thousands divided by commas, whatever the locale.
   |value| < 1e12, decimals <= 10; fewer than 1e18 of its last unit. */
void number_text(char text[TICK_TEXT], double value, int decimals);

#endif
