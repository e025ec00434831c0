/* SPDX-License-Identifier: MIT */
/* The ledger of adversarial training: its losses, its metrics, and what they mean. */
#include "models/gan.h"

#include "base/text.h"
#include "models/adversarial.h"
#include "models/ledger_terms.h"
#include "models/penalties.h"

#include <math.h>

static const char *divergence_text(divergence_kind kind)
{
    static const char *const texts[] = {
        [DIVERGENCE_JENSEN_SHANNON] = "the Jensen-Shannon divergence, 0 to 0.693 nats",
        [DIVERGENCE_TRIANGULAR] = "the integral of (p - q)^2 / (p + q), 0 to 2",
        [DIVERGENCE_TOTAL_VARIATION] = "the total variation, 0 to 1",
        [DIVERGENCE_SQUARED_HELLINGER] = "the squared Hellinger distance, 0 to 2",
        [DIVERGENCE_KL] = "KL(data || model), nats",
        [DIVERGENCE_REVERSE_KL] = "KL(model || data), nats",
        [DIVERGENCE_PEARSON] = "Pearson's chi^2, the integral of (p - q)^2 / q",
        [DIVERGENCE_WASSERSTEIN] = "the Wasserstein-1 distance, in units of the networks' pixels"};
    return texts[kind];
}

/* NaN if unknown. Nullable: t. */
static double value_of(const lt_train_report *t, int metric) { return t ? t->values[metric] : (double)NAN; }

/* ---- Losses ---- */

static void add_penalty(term_list list, const lt_recipe *r, double penalty)
{
    text words = {0};
    spec_print(recipe_line(r, GAN_PENALTY), &words);
    ledger_add_term(list, "penalty", false, penalty, "%s: %s", text_get(&words),
                    recipe_line(r, GAN_PENALTY)->row->summary);
    text_clear(&words);
}

static void add_discriminator(lt_ledger *l, const lt_recipe *r, const lt_train_report *t)
{
    const gan_options *o = gan_options_of(r);
    term_list list = {l->minimized, &l->n_minimized};
    double loss = value_of(t, GAN_DISCRIMINATOR_LOSS), penalty = 0;
    bool has_term = penalty_has_term(recipe_line(r, GAN_PENALTY));
    if (has_term)
        penalty = value_of(t, GAN_PENALTY_TERM);
    ledger_add_term(list, "on images", false, loss - penalty,
                    "%s, with the sign that the discriminator minimizes: %s", recipe_line(r, GAN_LOSS)->row->name,
                    recipe_line(r, GAN_LOSS)->row->summary);
    if (o->label_smoothing > 0)
        ledger_add_note(l,
                        "The discriminator's target for real images is %.4g instead of 1 "
                        "(label_smoothing), so its loss does not correspond to the divergence.",
                        1 - o->label_smoothing);
    if (has_term)
        add_penalty(list, r, penalty);
    ledger_add_term(list, "discriminator", true, loss,
                    "loss of the discriminator%s, %lld step%s per generator step",
                    penalty_clip(recipe_line(r, GAN_PENALTY)) > 0 ? ", with clipped weights" : "",
                    (long long)o->discriminator_steps, o->discriminator_steps == 1 ? "" : "s");
}

static void add_generator(lt_ledger *l, const lt_train_report *t)
{
    ledger_add_term((term_list){l->minimized, &l->n_minimized}, "generator", true,
                    value_of(t, GAN_GENERATOR_LOSS),
                    "loss of the generator, against the current discriminator%s",
                    t && isnan(t->values[GAN_GENERATOR_LOSS]) ? "; it took no step in this epoch" : "");
}

/* ---- Metrics ---- */

static void add_reported(lt_ledger *l, const lt_recipe *r, const lt_train_report *t)
{
    term_list list = {l->terms, &l->n_terms};
    divergence_kind kind = adversarial_divergence(recipe_line(r, GAN_LOSS));
    lt_score score;
    lt_recipe_score(r, &score);
    ledger_add_term(list, score.real, false, value_of(t, GAN_D_REAL), "the discriminator's output on real images: %s%s",
                    score.text, score.is_probability ? ", 1 if it is certain" : "");
    ledger_add_term(list, score.fake, false, value_of(t, GAN_D_FAKE),
                    "its output on generated images: the same as on real ones if it cannot distinguish them");
    ledger_add_term(list, "estimate", false, value_of(t, GAN_ESTIMATE), "of %s, by this discriminator",
                    divergence_text(kind));
    if (penalty_has_term(recipe_line(r, GAN_PENALTY)))
        ledger_add_term(list, "slope", false, value_of(t, GAN_GRADIENT_NORM),
                        "|dv/dx|, the norm of the discriminator's gradient by the image, at the points "
                        "of the penalty");
    ledger_add_term(list, "pixel_std_ratio", false, value_of(t, GAN_PIXEL_STD_RATIO),
                    "standard deviation over a batch of generated pixels, divided by that of real ones: "
                    "1 is right, near 0 is mode collapse");
}

static void add_notes(lt_ledger *l, const lt_recipe *r, const lt_train_report *t)
{
    bool is_wasserstein = adversarial_divergence(recipe_line(r, GAN_LOSS)) == DIVERGENCE_WASSERSTEIN;
    ledger_add_note(l,
                    "There is no p(x|z), and so no ELBO, no log p(x), no bits per dimension, and no "
                    "number to compare with published nats.");
    ledger_add_note(l, "Neither loss measures how good the images are: each depends on the other network "
                       "at that step. Both may stay constant while images improve, or fall while they "
                       "do not. `latent eval RUN --quality` compares images with images.");
    ledger_add_note(l, "The estimate is a lower bound of the divergence in expectation; the gap is "
                       "unknown. Compare it within a run, or between runs with the same discriminator "
                       "and penalty.");
    if (is_wasserstein)
        ledger_add_note(l, "%s",
                        gan_limits_slopes(r)
                            ? "It bounds the Wasserstein distance only while the discriminator's "
                              "slopes stay below 1; larger slopes scale it up, smaller ones scale "
                              "it down."
                            : "Without a penalty the discriminator's slopes are not limited: the "
                              "estimate has no unit and is not a bound.");
    const char *warning = t ? lt_train_warning(r, t) : NULL;
    if (warning)
        ledger_add_note(l, "WARNING: %s.", warning);
}

void gan_explain(lt_ledger *l, const lt_recipe *r, const lt_ledger_facts *f)
{
    const lt_train_report *t = f->trained;
    add_discriminator(l, r, t);
    add_generator(l, t);
    add_reported(l, r, t);
    add_notes(l, r, t);
}
