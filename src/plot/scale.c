/* SPDX-License-Identifier: MIT */
/* Axes and their ticks. */
#include "plot/scale.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double max_value = 1e100; /* squares and differences of such values are finite */
static const double min_width = 1e-10; /* relative width of a range: f64 has 16 digits */

/* ---- Scales ---- */

bool scale_has(bool is_log, double v)
{
    return fabs(v) <= max_value && (!is_log || v >= 1 / max_value);
}

static double measure(bool is_log, double v) { return is_log ? log10(v) : v; }

double scale_at(const scale *s, double v)
{
    double low = measure(s->is_log, s->low), high = measure(s->is_log, s->high);
    return s->from + (measure(s->is_log, v) - low) / (high - low) * (s->to - s->from);
}

void range_add(range *r, bool is_log, double v)
{
    if (!scale_has(is_log, v))
        return;
    r->low = r->is_any ? fmin(r->low, v) : v;
    r->high = r->is_any ? fmax(r->high, v) : v;
    r->is_any = true;
}

/* Widens a range of one value, or narrower than `min_width`. */
static void widen(scale *s)
{
    double size = fmax(fabs(s->low), fabs(s->high));
    if (s->high - s->low > size * min_width && s->high - s->low > 1e-90)
        return;
    if (s->is_log) {
        s->low /= 2;
        s->high *= 2;
    } else {
        double half = size > 1e-80 ? size / 10 : 1;
        s->low -= half;
        s->high += half;
    }
}

static void add_margin(scale *s, double room, double pull)
{
    if (s->is_log) {
        double factor = pow(s->high / s->low, room);
        s->low /= factor;
        s->high *= factor;
        return;
    }
    double low = s->low, high = s->high, width = high - low;
    s->low = low >= 0 && low <= pull * width ? 0 : low - room * width;
    s->high = high <= 0 && -high <= pull * width ? 0 : high + room * width;
}

bool scale_fit(scale *s, const range *r, const lt_axis *axis, double room, double pull)
{
    *s = (scale){.low = r->low, .high = r->high, .is_log = axis->is_log};
    if (!r->is_any)
        *s = (scale){.low = axis->is_log ? 1 : 0, .high = axis->is_log ? 10 : 1,
                     .is_log = axis->is_log};
    widen(s);
    add_margin(s, room, pull);
    if (axis->min == 0 && axis->max == 0)
        return true;
    s->low = axis->min;
    s->high = axis->max;
    return scale_has(s->is_log, s->low) && scale_has(s->is_log, s->high) &&
           s->high - s->low > fmax(fabs(s->low), fabs(s->high)) * min_width &&
           s->high - s->low > 1e-90;
}

/* ---- Numbers ---- */

static void add_exponent(char *to, int exponent)
{
    static const char *const digit[10] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char plain[8];
    snprintf(plain, sizeof plain, "%d", exponent);
    for (const char *p = plain; *p; p++)
        strcat(to, *p == '-' ? "⁻" : digit[*p - '0']);
}

void number_text(char text[TICK_TEXT], double value, int decimals)
{
    int64_t unit = 1;
    for (int i = 0; i < decimals; i++)
        unit *= 10;
    int64_t all = llround(fmin(fabs(value) * (double)unit, 9e18)), whole = all / unit;
    char plain[32];
    int n = snprintf(plain, sizeof plain, "%lld", (long long)whole);
    text[0] = 0;
    if (value < 0 && all > 0)
        strcat(text, "−");
    size_t at = strlen(text);
    for (int i = 0; i < n; i++) {
        text[at++] = plain[i];
        if ((n - 1 - i) % 3 == 0 && i < n - 1)
            text[at++] = ',';
    }
    text[at] = 0;
    if (decimals > 0)
        text[at++] = '.';
    for (int i = 0; i < decimals; i++) {
        unit /= 10;
        text[at++] = (char)('0' + all / unit % 10);
    }
    text[at] = 0;
}

/* 1.5 x 10^8 */
static void power_text(char text[TICK_TEXT], double value, int exponent, int decimals)
{
    number_text(text, value / pow(10, exponent), decimals);
    strcat(text, "×10");
    add_exponent(text, exponent);
}

/* Returns the decimal exponent; for 0 and values that are not finite, one below that of any number. */
static int order_of(double v)
{
    return v != 0 && isfinite(v) ? (int)floor(log10(fabs(v)) + 1e-9) : -324;
}

/* Writes ticks that are `step` apart with the same decimals. */
static void write_even(ticks *t, double step)
{
    double largest = 0;
    for (int i = 0; i < t->n; i++)
        largest = fmax(largest, fabs(t->value[i]));
    int top = largest > 0 ? order_of(largest) : 0, bottom = order_of(step);
    bool is_plain = top < 7 && bottom >= -4;
    int decimals = is_plain ? -bottom : top - bottom;
    decimals = decimals < 0 ? 0 : decimals > 10 ? 10 : decimals;
    for (int i = 0; i < t->n; i++)
        if (t->value[i] == 0)
            strcpy(t->text[i], "0");
        else if (is_plain)
            number_text(t->text[i], t->value[i], decimals);
        else
            power_text(t->text[i], t->value[i], top, decimals);
}

/* Writes each tick with its own decimals; if one needs a power of ten, all outside of
   [1, 10) get one. */
static void write_powers(ticks *t)
{
    bool is_plain = true;
    for (int i = 0; i < t->n; i++)
        is_plain &= order_of(t->value[i]) >= -3 && order_of(t->value[i]) < 6;
    for (int i = 0; i < t->n; i++) {
        double v = t->value[i];
        int order = order_of(v);
        if (is_plain || order == 0) {
            number_text(t->text[i], v, order < 0 ? -order : 0);
        } else if (v < 1.5 * pow(10, order)) {
            strcpy(t->text[i], "10");
            add_exponent(t->text[i], order);
        } else {
            power_text(t->text[i], v, order, 0);
        }
    }
}

/* ---- Ticks ---- */

/* Returns the k-th round number: 1, 2, 5, 10, 20, 50, ... from k = 0. */
static double round_number(int k)
{
    static const double digit[3] = {1, 2, 5};
    int decade = k >= 0 ? k / 3 : -((2 - k) / 3);
    return digit[k - 3 * decade] * pow(10, decade);
}

static int round_number_above(double v)
{
    int k = 3 * order_of(v);
    while (round_number(k) < v * (1 - 1e-9))
        k++;
    return k;
}

/* Counts the multiples of `step` in the range; there may be more than fit in `ticks`. */
static double count_multiples(const scale *s, double step)
{
    return floor(s->high / step + 1e-9) - ceil(s->low / step - 1e-9) + 1;
}

static void fill_multiples(ticks *t, const scale *s, double step)
{
    double first = ceil(s->low / step - 1e-9);
    t->n = (int)count_multiples(s, step);
    for (int i = 0; i < t->n; i++)
        t->value[i] = first + i == 0 ? 0 : (first + i) * step;
}

/* Keeps only the first and the last tick. */
static void keep_ends(ticks *t)
{
    t->value[1] = t->value[t->n - 1];
    t->n = 2;
}

static void make_even(ticks *t, const scale *s, int most, bool is_whole)
{
    double width = s->high - s->low;
    int k = round_number_above(width / (most + 1));
    if (is_whole && k < 0)
        k = 0;
    while (count_multiples(s, round_number(k)) > most)
        k++;
    if (count_multiples(s, round_number(k)) < 2 && !(is_whole && k == 0))
        k--;
    fill_multiples(t, s, round_number(k));
    if (t->n > most)
        keep_ends(t);
    write_even(t, round_number(k));
}

/* Adds 1, 2, 5 of each decade if stride is 0, else every `stride`-th power of ten. */
static void fill_logarithmic(ticks *t, const scale *s, int stride)
{
    int first = round_number_above(s->low), last = round_number_above(s->high * (1 + 1e-6));
    t->n = 0;
    for (int k = first; k < last && t->n < MAX_TICKS; k++)
        if (stride == 0 || k % (3 * stride) == 0)
            t->value[t->n++] = round_number(k);
}

static void make_powers(ticks *t, const scale *s, int most)
{
    int stride = 0;
    do
        fill_logarithmic(t, s, stride++);
    while (t->n > most);
    if (t->n < 2 && stride > 1) {
        fill_logarithmic(t, s, stride - 2);
        keep_ends(t);
    }
    write_powers(t);
}

void ticks_make(ticks *t, const scale *s, int most, bool is_whole)
{
    most = most < 2 ? 2 : most > MAX_TICKS - 1 ? MAX_TICKS - 1 : most;
    if (s->is_log && log10(s->high / s->low) >= 1)
        make_powers(t, s, most);
    else
        make_even(t, s, most, is_whole);
}
