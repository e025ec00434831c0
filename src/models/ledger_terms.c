/* SPDX-License-Identifier: MIT */
/* Terms and notes of a ledger, and the distortion, which is shared by all kinds with a likelihood. */
#include "models/ledger_terms.h"

#include "base/text.h"
#include "nn/likelihoods.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
    if (kind->explain && !has_many) {
        likelihood_parts p;
        kind->explain(l->sigma, l->dimensions, &p);
        l->constant = p.constant;
        ledger_add_term(list, "error", false, distortion - p.constant, "%s", p.error);
        ledger_add_term(list, "constant", false, p.constant, "%s", p.constant_text);
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
                        "over images: these nats are a cross-entropy and do not bound log p(x). For "
                        "a likelihood, binarize the data or use continuous_bernoulli.");
    if (l->unit == LT_DENSITY)
        ledger_add_note(
            l,
            "These are nats of a density of intensities on [0, 1]^%lld: they may be negative and "
            "depend on the unit of x. To compare with bits per dimension of bytes, add 8.",
            (long long)l->dimensions);
}
