/* SPDX-License-Identifier: MIT */
/* The loss of a VAE, term by term: vae_bounds.c in words and nats. The remaining terms follow from the epoch's means
   of loss, rate and distortion. */
#include "models/ledger_terms.h"
#include "models/priors.h"
#include "models/vae.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "one sample of z", "the mean over 5 samples of z" */
static void draws_text(int64_t k, char *words, size_t size)
{
    if (k == 1)
        snprintf(words, size, "one sample of z");
    else
        snprintf(words, size, "the mean over %lld samples of z", (long long)k);
}

/* Whether the rate is estimated from samples, not in closed form. */
static bool is_drawn(const lt_recipe *r, bool is_training)
{
    const vae_options *o = vae_options_of(r);
    bool is_asked_for = o->kl == KL_MONTE_CARLO || o->bound != BOUND_ELBO;
    return !vae_rate_has_formula(r) || (is_training && is_asked_for);
}

enum { RATE_TEXT = 160 };

/* Describes the rate, which training may estimate although it has a formula. */
static void rate_text(const lt_recipe *r, bool is_training, char words[RATE_TEXT])
{
    const vae_options *o = vae_options_of(r);
    char draws[48];
    draws_text(is_training ? o->samples : 1, draws, sizeof draws);
    if (!is_drawn(r, is_training))
        snprintf(words, RATE_TEXT, "KL(q(z|x) || N(0, I)) in closed form");
    else if (vae_model_of(r)->latent2 > 0)
        snprintf(words, RATE_TEXT, "log q(z|x) q(z2|z) - log p(z2) p(z|z2), %s and z2", draws);
    else if (prior_is_standard(recipe_line(r, VAE_PRIOR)))
        snprintf(words, RATE_TEXT, "log q(z|x) - log N(z; 0, I), %s", draws);
    else
        snprintf(words, RATE_TEXT, "log q(z|x) - log p(z) with the trained prior %s, %s",
                 recipe_line(r, VAE_PRIOR)->row->name, draws);
}

/* ---- The terms ---- */

/* Whether beta changed within the epoch, as far as the report shows. */
static bool has_moved(const lt_ledger *l, const lt_train_report *t)
{
    return t && isfinite(t->beta_first) && t->beta_first != l->beta;
}

/* "beta = 2", or its range if it changed within the epoch. */
static void beta_text(const lt_ledger *l, const lt_recipe *r, const lt_train_report *t, char *words,
                      size_t size)
{
    bool is_steady = strcmp(recipe_line(r, VAE_SCHEDULE)->row->name, "constant") == 0;
    if (has_moved(l, t))
        snprintf(words, size, "mean over steps, beta from %.4g to %.4g", t->beta_first,
                 l->beta);
    else
        snprintf(words, size, "beta = %.4g%s", l->beta,
                 !t || is_steady || isfinite(t->beta_first) ? "" : " in the last step");
}

/* Adds the weighted rate. */
static void add_rate(term_list list, const lt_ledger *l, const lt_recipe *r,
                     const lt_train_report *t, const lt_loss_part *part)
{
    char rate[RATE_TEXT], beta[80];
    rate_text(r, true, rate);
    beta_text(l, r, t, beta, sizeof beta);
    if (strcmp(part->name, "rate") == 0)
        ledger_add_term(list, part->name, false, part->nats, "%s", rate);
    else
        ledger_add_term(list, part->name, false, part->nats, "%s%s; the mean rate is %.2f: %s",
                        isnan(part->nats) && t ? "not logged by the program that trained this; " : "",
                        beta, t ? t->values[VAE_RATE] : (double)NAN, rate);
}

static void add_capacity(term_list list, const lt_ledger *l, const lt_recipe *r,
                         const lt_train_report *t, const lt_loss_part *part)
{
    const vae_options *o = vae_options_of(r);
    char rate[RATE_TEXT], weight[32] = "", of[48] = "", beta[80] = "";
    rate_text(r, true, rate);
    if (has_moved(l, t)) {
        beta_text(l, r, t, beta, sizeof beta);
        snprintf(weight, sizeof weight, "beta x ");
    } else if (l->beta != 1) {
        snprintf(weight, sizeof weight, "%.4g x ", l->beta);
    }
    if (l->capacity != o->capacity)
        snprintf(of, sizeof of, ", rising to %.4g", o->capacity);
    ledger_add_term(list, part->name, false, part->nats,
                    "%s|rate - C|, of batch means, C = %.4g nats in the last step%s%s%s; the mean rate is "
                    "%.2f: %s",
                    weight, l->capacity, of, beta[0] ? "; " : "", beta, t ? t->values[VAE_RATE] : (double)NAN,
                    rate);
}

/* Adds the excess of max(F, KL_k) over the rate. */
static void add_free_bits(term_list list, const lt_recipe *r, const lt_loss_part *parts)
{
    const vae_options *o = vae_options_of(r);
    ledger_add_term(list, parts[2].name, false, parts[2].nats,
                    "%s(sum over latents of max(F, KL_k) - rate), F = %.4g nats, KL_k of batch "
                    "means: the constant cost of latents below F",
                    strcmp(parts[1].name, "rate") == 0 ? "" : "beta x ", o->free_bits);
}

static void add_gap(term_list list, const lt_ledger *l, const lt_loss_part *parts)
{
    double mean = parts[0].nats + parts[1].nats;
    if (strcmp(parts[1].name, "rate") == 0)
        ledger_add_term(list, "-ELBO", true, mean,
                        "minus the mean of log w, w = p(x|z) p(z) / q(z|x)");
    else
        ledger_add_term(list, "mean", true, mean,
                        "minus the mean of log w, w = p(x|z) (p(z) / q(z|x))^beta");
    ledger_add_term(list, parts[2].name, false, parts[2].nats,
                    "difference to minus the log of the mean of %lld w", (long long)l->draws);
}

static void add_loss(term_list list, const lt_ledger *l, const vae_options *o, double loss)
{
    if (l->draws > 1 && o->bound != BOUND_ELBO && l->beta == 1)
        ledger_add_term(list, "loss", true, loss,
                        "-L_%lld, %s: an upper bound of -log p(x), tighter than -ELBO",
                        (long long)l->draws,
                        o->bound == BOUND_DREG ? "with the doubly reparameterized gradient"
                                               : "the importance weighted bound");
    else if (o->capacity > 0 || o->free_bits > 0 || l->beta != 1)
        ledger_add_term(list, "loss", true, loss, "the training loss; not a bound on log p(x)");
    else
        ledger_add_term(list, "loss", true, loss, "-ELBO%s",
                        l->unit == LT_CROSS_ENTROPY ? ", if it were a likelihood"
                                                    : ": an upper bound of -log p(x)");
}

static void note_objective(lt_ledger *l, const lt_recipe *r, const vae_options *o)
{
    if (o->bound == BOUND_DREG)
        ledger_add_note(l, "dreg has the value of the iwae bound with as many samples; it differs only in "
                           "the estimator of the gradient with respect to q's parameters.");
    if (o->bound != BOUND_ELBO && o->samples > 1)
        ledger_add_note(l,
                        "-ELBO is the bound with one sample, whatever was trained; q(z|x) trained with "
                        "a tighter bound is not optimal for it. `latent eval RUN --iwae %lld` measures "
                        "the trained bound.",
                        (long long)o->samples);
    if (recipe_line(r, VAE_PRIOR)->row == &prior_vamp.spec)
        ledger_add_note(l,
                        "The prior is the mean of q(z|u) over trained images u. The rate is relative to "
                        "that prior and does not split into parts per latent.");
    if (recipe_line(r, VAE_PRIOR)->row == &prior_mixture.spec)
        ledger_add_note(l,
                        "The prior's weights, means and variances are trained. The rate is relative to "
                        "that prior and does not split into parts per latent.");
    if (vae_model_of(r)->latent2 > 0)
        ledger_add_note(l, "The rate is that of both stochastic layers together, z and z2.");
}

/* Adds the terms of the training loss, means over an epoch. Nullable: t. */
static void add_minimized(lt_ledger *l, const lt_recipe *r, const lt_train_report *t)
{
    const vae_options *o = vae_options_of(r);
    lt_train_report unknown;
    term_list list = {l->minimized, &l->n_minimized};
    lt_loss_part parts[LT_LOSS_PARTS];
    char draws[48];
    report_clear(&unknown);
    lt_loss_parts(r, t ? t : &unknown, parts);
    draws_text(o->samples, draws, sizeof draws);
    ledger_add_term(list, parts[0].name, false, parts[0].nats, "%s, %s",
                    l->unit == LT_CROSS_ENTROPY ? "cross-entropy of x and E[x|z]" : "-log p(x|z)",
                    draws);
    if (o->capacity > 0)
        add_capacity(list, l, r, t, &parts[1]);
    else
        add_rate(list, l, r, t, &parts[1]);
    if (vae_loss_has_gap(r))
        add_gap(list, l, parts);
    else if (o->free_bits > 0)
        add_free_bits(list, r, parts);
    add_loss(list, l, o, t ? t->values[VAE_LOSS] : (double)NAN);
    note_objective(l, r, o);
}

/* ---- Reported terms ---- */

/* Adds rate, distortion and -ELBO, whatever the training loss. */
static void add_terms(lt_ledger *l, const lt_recipe *r, const lt_validation *v)
{
    term_list list = {l->terms, &l->n_terms};
    double rate = v ? v->rate : (double)NAN, distortion = v ? v->distortion : (double)NAN;
    char words[RATE_TEXT];
    rate_text(r, false, words);
    ledger_add_distortion(l, recipe_line(r, VAE_LIKELIHOOD), distortion, "one sample of z per image");
    ledger_add_term(list, "rate", false, rate, "%s", words);
    ledger_add_term(list, "-ELBO", true, l->neg_elbo, "distortion + rate: an upper bound of -log p(x)%s",
                    l->unit == LT_CROSS_ENTROPY ? " if this were a likelihood" : "");
}

static void add_notes(lt_ledger *l, const lt_recipe *r)
{
    ledger_note_unit(l);
    if (likelihood_facts(recipe_line(r, VAE_LIKELIHOOD)) == &likelihood_gaussian && l->sigma != 1)
        ledger_add_note(l,
                        "If the loss is written as half the squared error plus beta KL, this is "
                        "beta = %.4g (beta sigma^2).",
                        l->beta * l->sigma * l->sigma);
    if (l->beta != 1)
        ledger_add_note(l, "-ELBO weights the rate by 1, whatever beta was in training.");
}

/* ---- The ledger ---- */

/* Sets the coefficients of the last training step; the recipe's if unknown. */
static void read_steps(lt_ledger *l, const lt_recipe *r, const lt_train_report *t)
{
    bool is_known = t && t->epoch > 0 && t->step >= t->epoch;
    const vae_options *o = vae_options_of(r);
    static const char *const bounds[] = {
        [BOUND_ELBO] = "elbo", [BOUND_IWAE] = "iwae", [BOUND_DREG] = "dreg"};
    l->beta = t && isfinite(t->beta) ? t->beta : o->beta;
    l->layers = vae_model_of(r)->latent2 > 0 ? 2 : 1;
    l->bound = bounds[o->bound];
    l->draws = o->samples;
    if (o->capacity > 0)
        l->capacity = is_known ? recipe_capacity(r, t->step - 1, t->step / t->epoch) : o->capacity;
}

void vae_explain(lt_ledger *l, const lt_recipe *r, const lt_ledger_facts *f)
{
    l->neg_elbo = f->found ? f->found->neg_elbo : (double)NAN;
    l->bits_per_dim = l->neg_elbo / (log(2) * (double)l->dimensions);
    ledger_copy_words(recipe_line(r, VAE_PRIOR), l->prior, sizeof l->prior);
    read_steps(l, r, f->trained);
    add_terms(l, r, f->found);
    add_minimized(l, r, f->trained);
    add_notes(l, r);
}
