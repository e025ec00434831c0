/* SPDX-License-Identifier: MIT */
/* Colours that stay apart for the colour-blind too: those of Okabe and Ito (2008), without the
   yellow, which is too light for lines on white, and with the black as a grey at the end. */
#include "plot/view.h"

#include "base/status.h"

static const rgb colours[] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0x6e7781};

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
