/* SPDX-License-Identifier: MIT */
/* Colors that color-blind readers can distinguish: those of Okabe and Ito (2008), without the
   yellow, which is too light for lines on white, and with the black as a gray at the end. */
#include "plot/view.h"

#include "base/status.h"

#include <math.h>

static const rgb colors[] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0x6e7781};

/* Ten for labels: those of Petroff (2021), chosen to be distinguishable in scatter plots. */
static const rgb ten[] = {0x3f90da, 0xffa90e, 0xbd1f01, 0x94a4a2, 0x832db6,
                          0xa96b59, 0xe76300, 0xb9ac70, 0x717581, 0x92dadd};

/* Returns the saturated color of a hue in [0, 1): a channel depends on its distance from the hue, in sixths of the
   circle. */
static rgb hue_color(double hue)
{
    rgb out = 0;
    for (int channel = 0; channel < 3; channel++) {
        double d = fabs(fmod(hue * 6 + 8 - 2 * channel, 6) - 2);
        double v = fmin(fmax(2 - d, 0), 1);
        out |= (rgb)(40 + 185 * v) << (16 - 8 * channel);
    }
    return out;
}

rgb label_color(int k, int n)
{
    if (n <= COUNT_OF(colors))
        return palette_color(k);
    return n <= COUNT_OF(ten) ? ten[k % COUNT_OF(ten)] : hue_color((double)k / n);
}

rgb palette_color(int k) { return colors[k % COUNT_OF(colors)]; }

rgb series_color(const lt_chart *chart, int i)
{
    const lt_series *s = chart->series;
    if (s[i].color < 0)
        return RULE;
    if (s[i].color > 0)
        return palette_color(s[i].color - 1);
    int k = 0;
    for (int j = 0; j < i; j++)
        k += s[j].color == 0;
    return palette_color(k);
}

/* Scales each channel by 0.72: every color above then has a contrast of 3.5 or more on white. */
rgb readable(rgb color)
{
    rgb out = 0;
    for (int shift = 0; shift < 24; shift += 8)
        out |= (rgb)((color >> shift & 255) * 72 / 100) << shift;
    return out;
}

/* Converts Oklab (Ottosson 2020) to a channel of linear light; `row` is the row of its matrix. */
static double linear_light(double l, double a, double b, const double row[3])
{
    double x = l + 0.3963377774 * a + 0.2158037573 * b;
    double y = l - 0.1055613458 * a - 0.0638541728 * b;
    double z = l - 0.0894841775 * a - 1.2914855480 * b;
    return row[0] * x * x * x + row[1] * y * y * y + row[2] * z * z * z;
}

static double bend(double t, double from, double by, double to)
{
    return (1 - t) * (1 - t) * from + 2 * t * (1 - t) * by + t * t * to;
}

/* Lightness falls evenly, so that the order is seen without colors too; on the way hue goes from
   yellow over green to blue along a curve whose steps are equal within 6 %. */
rgb hist2d_color(double t)
{
    static const double rows[3][3] = {{4.0767416621, -3.3077115913, 0.2309699292},
                                      {-1.2684380046, 2.6097574011, -0.3413193965},
                                      {-0.0041960863, -0.7034186147, 1.7076147010}};
    double l = 0.95 - 0.68 * t, a = bend(t, -0.02, -0.11, 0.02), b = bend(t, 0.05, -0.05, -0.10);
    rgb out = 0;
    for (int k = 0; k < 3; k++) {
        double v = linear_light(l, a, b, rows[k]);
        v = v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055;
        out = out << 8 | (rgb)(255 * fmin(fmax(v, 0), 1) + 0.5);
    }
    return out;
}
