/* SPDX-License-Identifier: MIT */
/* The terms and sentences of a ledger, and the distortion that every likelihood gives. */
#include "models/ledger_terms.h"

#include "base/text.h"
#include "nn/likelihoods.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

void ledger_add_term(term_list list, const char *name, bool is_sum, double nats, const char *format,
                     ...)
{
    if (*list.n == LT_LEDGER_TERMS)
        return;
    lt_ledger_term *t = &list.terms[(*list.n)++];
    *t = (lt_ledger_term){.name = name, .is_sum = is_sum, .nats = nats};
    va_list values;
    va_start(values, format);
    vsnprintf(t->text, sizeof t->text, format, values);
    va_end(values);
}

void ledger_add_note(lt_ledger *l, const char *format, ...)
{
    if (l->n_notes == LT_LEDGER_NOTES)
        return;
    va_list values;
    va_start(values, format);
    vsnprintf(l->notes[l->n_notes++], LT_LEDGER_TEXT, format, values);
    va_end(values);
}

void ledger_copy_words(const spec *s, char *words, size_t size)
{
    text t = {0};
    spec_print(s, &t);
    snprintf(words, size, "%s", text_get(&t));
    text_clear(&t);
}

void ledger_add_distortion(lt_ledger *l, const spec *likelihood, double distortion, const char *at)
{
    const likelihood_row *kind = likelihood_facts(likelihood);
    term_list list = {l->terms, &l->n_terms};
    bool has_many = strstr(l->likelihood, "per_channel") && l->channels > 1;
    double d = (double)l->dimensions, s = l->sigma, variance = s * s;
    if (kind == &likelihood_gaussian && !has_many) {
        bool is_plain = fabs(2 * variance - 1) < 1e-6;
        l->constant = d / 2 * log(2 * pi * variance);
        ledger_add_term(list, "error", false, distortion - l->constant,
                        "sum (x - y)^2 / (2 sigma^2), sigma^2 = %.4g%s", variance,
                        is_plain ? ": the squared error itself" : "");
        ledger_add_term(list, "constant", false, l->constant, "%lld/2 log(2 pi sigma^2)",
                        (long long)l->dimensions);
    } else if (kind == &likelihood_laplace && !has_many) {
        l->constant = d * log(sqrt(2) * s);
        ledger_add_term(list, "error", false, distortion - l->constant, "sum |x - y| / s, s = %.4g",
                        s / sqrt(2));
        ledger_add_term(list, "constant", false, l->constant, "%lld log(2 s)",
                        (long long)l->dimensions);
    }
    ledger_add_term(list, "distortion", l->n_terms > 0, distortion,
                    l->unit == LT_CROSS_ENTROPY ? "cross-entropy of x and E[x|z], %s"
                                                : "-log p(x|z) with all constants, %s", at);
}

void ledger_note_unit(lt_ledger *l)
{
    if (l->unit == LT_CROSS_ENTROPY)
        ledger_add_note(l,
                        "A Bernoulli likelihood of pixels that are not 0 or 1 does not sum to 1 "
                        "over images: these nats are a cross-entropy and bound no log p(x). For a "
                        "likelihood, binarize the data or take continuous_bernoulli.");
    if (l->unit == LT_DENSITY)
        ledger_add_note(
            l,
            "These are nats of a density of intensities on [0, 1]^%lld: they may be below 0, and "
            "depend on the unit of x. Bits per dimension of bytes are 8 more.",
            (long long)l->dimensions);
}
