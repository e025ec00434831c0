/* SPDX-License-Identifier: MIT */
/* Displayed numbers, on a terminal and on a page. */
#include <latent/base.h>

#include <math.h>
#include <stdio.h>

double lt_shown_number(double value, int digits) { return fabs(value) < 0.5 * pow(10, -digits) ? 0 : value; }

const char *lt_shown_error(double se, int digits, char text[LT_ERROR_TEXT])
{
    text[0] = 0;
    if (isfinite(se) && se < 0.5 * pow(10, -digits))
        snprintf(text, LT_ERROR_TEXT, "+- <%.*f", digits, pow(10, -digits));
    else if (isfinite(se))
        snprintf(text, LT_ERROR_TEXT, "+- %.*f", digits, se);
    return text;
}

void lt_shown_parts(double *const *parts, int n, double *sum, int digits)
{
    double scale = pow(10, digits), left = round(*sum * scale);
    int largest = 0;
    *sum = left / scale;
    for (int i = 0; i < n; i++) {
        double units = round(*parts[i] * scale);
        largest = fabs(units) > fabs(*parts[largest]) * scale ? i : largest;
        *parts[i] = units / scale;
        left -= units;
    }
    if (n > 0 && fabs(left) == 1)
        *parts[largest] = (round(*parts[largest] * scale) + left) / scale;
}

lt_estimate lt_shown_difference(lt_estimate a, lt_estimate b, lt_estimate own)
{
    lt_shown_parts(NULL, 0, &a.value, 2);
    lt_shown_parts(NULL, 0, &b.value, 2);
    return (lt_estimate){a.value - b.value, own.se};
}
