/* SPDX-License-Identifier: MIT */
/* The table of `latent eval`, with notes on numbers that could mislead. */
#include "eval_report.h"

#include "quality_report.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

/* The kind of an estimate of -log p(x) by the logarithm of a mean of weights. */
static const char upper_bound[] = "upper bound on average";

/* ---- The table ---- */

/* "  NAME   VALUE ERROR  meaning": the last column wraps below itself. */
static void print_cells_of_row(const char *name, const char *value, const char *error, const char *meaning)
{
    enum { NAME = 18, VALUE = 10, ERROR = 11, MEANING = 2 + NAME + 1 + VALUE + 1 + ERROR + 1 };
    printf("  %-*s %*s %-*s ", NAME, name, VALUE, value, ERROR, error);
    print_wrapped(stdout, -MEANING, meaning);
}

static void print_row(const char *name, lt_estimate e, int digits, const char *meaning)
{
    char value[48], error[LT_ERROR_TEXT]; /* "" for one image */
    snprintf(value, sizeof value, "%.*f", digits, lt_shown_number(e.value, digits));
    print_cells_of_row(name, value, lt_shown_error(e.se, digits, error), meaning);
}

/* Prints a number without an error. */
static void print_plain_row(const char *name, double number, int digits, const char *format, ...)
    LT_PRINTF(4, 5);
static void print_plain_row(const char *name, double number, int digits, const char *format, ...)
{
    char value[48], meaning[96];
    va_list values;
    va_start(values, format);
    vsnprintf(meaning, sizeof meaning, format, values);
    va_end(values);
    snprintf(value, sizeof value, "%.*f", digits, number);
    print_cells_of_row(name, value, "", meaning);
}

static const char *kind_of_data(const lt_dataset_info *info)
{
    return info->is_binary ? "binary" : info->c == 1 ? "gray" : "colored";
}

static void print_density(const lt_evaluation *e)
{
    puts("A density of intensities in [0, 1]: nats may be negative.");
    if (isfinite(e->sigma))
        printf("Its standard deviation is %.4f, or %.1f levels of a byte.\n", e->sigma,
               255 * e->sigma);
    if (isnan(e->bits_as_bytes.value))
        print_wrapped(stdout, 0, "It is not comparable with probabilities of bytes: the likelihood has no standard "
                                 "deviation, or one below two levels, or the data are not bytes.");
}

/* Prints the recipe's likelihood, and the unit of the distortion. */
static void print_likelihood(const trained *t, const lt_evaluation *e)
{
    const char *words = lt_recipe_get(lt_model_recipe(t->model), "model.likelihood");
    printf("\nlikelihood: %s on %s data\n", words ? words : "none", kind_of_data(lt_dataset_describe(t->data)));
    if (e->unit == LT_CROSS_ENTROPY)
        print_wrapped(stdout, 0, "These pixels are not 0 or 1: the distortion is a cross-entropy, not "
                                 "-log p(x|z), and neither -ELBO nor NLL bounds a likelihood. Compare only "
                                 "with models of this kind.");
    else if (e->unit == LT_DENSITY)
        print_density(e);
    else if (!lt_model_is_binary(t->model))
        print_wrapped(stdout, 0, e->is_bytes ? "Probabilities of bytes."
                                             : "Probabilities of bytes, the nearest ones: these pixels are "
                                               "not multiples of 1/255.");
}

static void print_draws(const eval_findings *f)
{
    const lt_evaluation *e = &f->card.evaluation;
    char name[32], meaning[80];
    snprintf(meaning, sizeof meaning, "%s%s", upper_bound,
             lt_evaluation_is_biased(e) ? ", biased by an unknown amount" : " of -log p(x)");
    for (int i = 0; i < e->n_bounds; i++) {
        snprintf(name, sizeof name, "IWAE, k = %d", e->bounds[i].k);
        print_row(name, e->bounds[i].value, 2, e->bounds[i].k == 1 ? "-ELBO, with other samples" : meaning);
    }
    if (e->nll_samples > 0) {
        snprintf(name, sizeof name, "NLL, K = %d", e->nll_samples);
        print_row(name, e->nll, 2, meaning);
        print_row("-ELBO less NLL", lt_shown_difference(e->neg_elbo, e->nll, f->card.gap), 2, "paired difference over images");
        print_plain_row("ESS", e->ess, 1, "effective samples of %d, on average", e->nll_samples);
    }
    if (isfinite(e->pareto_share))
        print_plain_row("Pareto k", e->pareto_k, 2, "above 0.7 for %.0f %% of the images",
                        100 * e->pareto_share);
}

static void print_ais(const eval_findings *f)
{
    const lt_ais_result *a = &f->card.ais;
    char meaning[80];
    snprintf(meaning, sizeof meaning, "%s, %d x %d from %s", upper_bound, a->chains, a->steps,
             f->card.is_ais_from_posterior ? "q(z|x)" : "N(0, I)");
    print_row("AIS", a->nll, 2, meaning);
    print_plain_row("ESS", a->ess, 1, "of %d chains; %.0f %% of moves accepted", a->chains,
                    100 * a->acceptance);
    if (isfinite(f->card.ais_less_nll.value))
        print_row("AIS less NLL", lt_shown_difference(a->nll, f->card.evaluation.nll, f->card.ais_less_nll), 2,
                  "paired difference over images");
}

static void print_codes(const lt_diagnosis *d, lt_estimate rate, bool is_deep)
{
    char meaning[80];
    lt_estimate information = d->mutual_information, aggregate = d->aggregate_kl;
    if (d->images == 1) {
        puts("  active latents, mutual information, aggregate KL: need several images");
        return;
    }
    lt_shown_parts((double *[]){&information.value, &aggregate.value}, 2, &rate.value, 2);
    print_plain_row("active latents", d->active, 0, "of %d: variance of means > 0.01%s", d->latent,
                    d->has_parts ? "" : " of the total");
    snprintf(meaning, sizeof meaning, "of code and image, at most %.2f", d->most_information);
    print_row("mutual information", information, 2, meaning);
    print_row("aggregate KL", aggregate, 2,
              is_deep ? "KL(q(z, z2) || p(z, z2))" : "KL(q(z) || p(z))");
}

/* ---- Notes ---- */

/* Prints a paragraph under the table; a warning stands out. */
static void print_note(const char *format, ...) LT_PRINTF(1, 2);
static void print_note_of(text_style style, const char *format, va_list values)
{
    char text[640];
    vsnprintf(text, sizeof text, format, values);
    putchar('\n');
    begin_style(style);
    print_wrapped(stdout, 0, text);
    end_style();
}

static void print_note(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    print_note_of(STYLE_PLAIN, format, values);
    va_end(values);
}

static void print_warning(const char *format, ...) LT_PRINTF(1, 2);
static void print_warning(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    print_note_of(STYLE_WARNING, format, values);
    va_end(values);
}

enum { FEWEST_DRAWS = 25 }; /* needed to see a tail: lt_evaluation */

static void judge_draws(const lt_evaluation *e)
{
    if (e->nll_samples > 0 && e->ess < 0.02 * e->nll_samples + 1)
        print_note("%.1f of %d samples carry the weight: the true NLL is lower than this.", e->ess,
                   e->nll_samples);
    if (e->draws > 1 && e->draws < FEWEST_DRAWS)
        print_note("%d samples are too few to see the tail of the weights, so it is unknown how far above "
                   "-log p(x) these bounds are: use at least %d samples.", e->draws,
                   FEWEST_DRAWS);
    if (lt_evaluation_is_biased(e))
        print_warning("The estimates with %d samples are unreliable: for %.0f %% of the images the weights have "
                   "a tail with Pareto k above 0.7, so rare samples dominate the mean. On average the "
                   "estimates are too high by an unknown amount, which their errors do not show. More "
                   "samples hardly help; --ais does not depend on q(z|x).",
                   e->draws, 100 * e->pareto_share);
}

static void judge_ais(const eval_findings *f)
{
    const lt_ais_result *a = &f->card.ais;
    double d = f->card.ais_less_nll.value, error = f->card.ais_less_nll.se;
    if (a->ess < 1.5 && a->chains > 1)
        print_warning("%.1f of %d chains carry the weight: AIS is unreliable with so few steps.",
                   a->ess, a->chains);
    if (isnan(d) || isnan(error))
        return;
    if (fabs(d) <= 3 * error)
        print_note("AIS and the NLL agree within 3 standard errors of their difference.");
    else
        print_note("AIS is %.2f nats %s than importance sampling, %.1f standard errors. Both are "
                   "too high on average, so the lower one is closer.", fabs(d),
                   d < 0 ? "lower" : "higher", fabs(d) / error);
}

static void judge_codes(const lt_diagnosis *d)
{
    if (d->is_collapsed)
        print_warning("POSTERIOR COLLAPSE: %s.", d->reason);
    else if (d->images > 1 && d->mutual_information.value > d->most_information - 1)
        print_note("The mutual information is near the maximum for %lld images: it may be larger.",
                   (long long)d->images);
}

/* For a model that reconstructs, without bounds. */
static void print_reconstruction(const eval_findings *f)
{
    const lt_evaluation *e = &f->card.evaluation;
    print("%lld %s image%s of %s; nats per image, +- standard error\n\n", (long long)e->images,
          lt_split_name(f->card.split), e->images == 1 ? "" : "s", f->card.set);
    print_row("distortion", e->distortion, 2, "-log p(x|z), z the code of the image");
    print_row("squared error", e->squared_error, 2, "of reconstructions, per image");
    print_likelihood(f->trained, e);
    print_note("The model has no distribution of codes, so nothing here bounds log p(x).");
}

static void print_bounds_and_codes(const eval_findings *f)
{
    const trained *t = f->trained;
    const lt_evaluation *e = &f->card.evaluation;
    lt_estimate rate = e->rate, distortion = e->distortion, neg_elbo = e->neg_elbo;
    lt_shown_parts((double *[]){&rate.value, &distortion.value}, 2, &neg_elbo.value, 2);
    print("%lld %s image%s of %s; nats per image, +- standard error\n\n", (long long)e->images,
          lt_split_name(f->card.split), e->images == 1 ? "" : "s", f->card.set);
    print_row("-ELBO", neg_elbo, 2, "distortion + rate: above -log p(x)");
    print_row("rate", rate, 2,
              lt_model_latent2(t->model) ? "KL of z and z2 given x from p" : "KL(q(z|x) || p(z))");
    print_row("distortion", distortion, 2, "-log p(x|z)");
    print_draws(f);
    if (f->card.has_ais)
        print_ais(f);
    print_codes(&f->card.codes, rate, lt_model_latent2(t->model) > 0);
    print_row("squared error", e->squared_error, 2, "of mean reconstructions, per image");
    print_row("bits per dimension", e->bits_per_dim, 4, "-ELBO / (log 2 x dimensions)");
    if (e->unit == LT_DENSITY && isfinite(e->bits_as_bytes.value))
        print_row("the same as bytes", e->bits_as_bytes, 4, "8 more: a byte is 1/256 of [0, 1]");
    print_likelihood(t, e);
    judge_draws(e);
    if (f->card.has_ais)
        judge_ais(f);
    judge_codes(&f->card.codes);
}

static void judge_choice(const eval_findings *f)
{
    char sets[400] = "";
    for (int i = 0; i < f->card.n_sets && strlen(sets) < sizeof sets - 1; i++)
        snprintf(sets + strlen(sets), sizeof sets - strlen(sets), "%s%s", i ? ", " : "",
                 f->card.sets[i]);
    if (f->card.n_sets > 0)
        print_note("Evaluated with %s instead of the recipe's data options: comparable only with numbers "
                   "of the same choice.", sets);
}

void eval_print_table(const eval_findings *f)
{
    print("%s\n", f->trained->checkpoint);
    if (f->card.has_bounds && lt_model_can(f->trained->model, LT_CAN_BOUND))
        print_bounds_and_codes(f);
    else if (f->card.has_bounds)
        print_reconstruction(f);
    if (f->card.has_bounds && f->card.has_quality)
        putchar('\n');
    if (f->card.has_quality)
        quality_print(f->card.set, f->card.split, &f->card.quality);
    judge_choice(f);
    if (!lt_model_can(f->trained->model, LT_CAN_LIKELIHOOD))
        print_note("The model has no likelihood, so there are no bounds and no codes: only its samples "
                   "are scored.");
}
