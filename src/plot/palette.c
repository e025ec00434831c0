/* SPDX-License-Identifier: MIT */
/* Colours that stay apart for the colour-blind too: those of Okabe and Ito (2008), without the
   yellow, which is too light for lines on white, and with the black as a grey at the end. */
#include "plot/view.h"

#include "base/status.h"

#include <math.h>

static const rgb colours[] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0x6e7781};

/* Ten for labels: those of Petroff (2021), made to be told apart in clouds. */
static const rgb ten[] = {0x3f90da, 0xffa90e, 0xbd1f01, 0x94a4a2, 0x832db6,
                          0xa96b59, 0xe76300, 0xb9ac70, 0x717581, 0x92dadd};

/* Around the circle of hues, by a channel's distance from the hue in sixths. */
static rgb hue_colour(double hue)
{
    rgb out = 0;
    for (int channel = 0; channel < 3; channel++) {
        double d = fabs(fmod(hue * 6 + 8 - 2 * channel, 6) - 2);
        double v = fmin(fmax(2 - d, 0), 1);
        out |= (rgb)(40 + 185 * v) << (16 - 8 * channel);
    }
    return out;
}

rgb label_colour(int k, int n)
{
    if (n <= COUNT_OF(colours))
        return palette_colour(k);
    return n <= COUNT_OF(ten) ? ten[k % COUNT_OF(ten)] : hue_colour((double)k / n);
}

rgb palette_colour(int k) { return colours[k % COUNT_OF(colours)]; }

rgb series_colour(const lt_chart *chart, int i)
{
    const lt_series *s = chart->series;
    if (s[i].colour < 0)
        return RULE;
    if (s[i].colour > 0)
        return palette_colour(s[i].colour - 1);
    int k = 0;
    for (int j = 0; j < i; j++)
        k += s[j].colour == 0;
    return palette_colour(k);
}

/* A channel at 0.72 of its value: every colour above then has a contrast of 3.5 or more. */
rgb readable(rgb colour)
{
    rgb out = 0;
    for (int shift = 0; shift < 24; shift += 8)
        out |= (rgb)((colour >> shift & 255) * 72 / 100) << shift;
    return out;
}
