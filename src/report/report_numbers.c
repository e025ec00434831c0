/* SPDX-License-Identifier: MIT */
/* The numbers of one run: what was measured, and the ledger that says what they are. */
#include "report/report_parts.h"

#include <math.h>
#include <string.h>

/* ---- What was measured ---- */

static void put_row(page *p, const char *name, lt_estimate e, int digits, const char *meaning)
{
    page_html(p, "<tr><th scope=\"row\">");
    page_prose(p, name);
    page_html(p, "</th>");
    page_estimate(p, e, digits);
    page_html(p, "<td class=\"meaning\">");
    page_prose(p, meaning);
    page_html(p, "</td></tr>\n");
}

static lt_estimate alone(double value) { return (lt_estimate){value, (double)NAN}; }

static void begin_table(page *p, const report_run *r, const lt_evaluation *e, const char *what)
{
    bool is_part = e->images < lt_dataset_describe(r->e.data)->n[r->split];
    page_html(p, "<div class=\"wide\" tabindex=\"0\"><table class=\"ledger\">\n<caption>%lld %s images%s%s; nats per "
                 "image, ± standard error</caption>\n<thead><tr><td></td><th scope=\"col\" class=\"number\">value"
                 "</th><th scope=\"col\">meaning</th></tr></thead>\n<tbody>\n",
              (long long)e->images, lt_split_name(r->split),
              is_part ? ", a stratified sample" : ", the whole split", what);
}

static void put_paragraph(page *p, const char *text)
{
    page_html(p, "<p>");
    page_prose(p, text);
    page_html(p, "</p>\n");
}

/* -ELBO and what it is made of. */
static void put_bounds(page *p, const lt_report_options *q, const report_run *r)
{
    const lt_evaluation *e = &r->whole;
    char options[32] = "";
    lt_estimate rate = e->rate, distortion = e->distortion, neg_elbo = e->neg_elbo;
    lt_shown_parts((double *[]){&rate.value, &distortion.value}, 2, &neg_elbo.value, 2);
    begin_table(p, r, e, "");
    put_row(p, "−ELBO", neg_elbo, 2,
            "rate + distortion: an upper bound on -log p(x)");
    put_row(p, "rate", rate, 2, "KL(q(z|x) || p(z)): cost of the code");
    put_row(p, "distortion", distortion, 2, "-log p(x|z): cost of the image, given the code");
    put_row(p, "bits per dimension", e->bits_per_dim, 4,
            e->unit == LT_DISCRETE  ? "-ELBO / (log 2 x dimensions), of probabilities"
            : e->unit == LT_DENSITY ? "-ELBO / (log 2 x dimensions), of a density on [0, 1]"
                                    : "-ELBO / (log 2 x dimensions), of a cross-entropy");
    put_row(p, "squared error", e->squared_error, 2,
            "of the reconstruction, summed over an image");
    page_html(p, "</tbody></table></div>\n");
    if (q->images)
        snprintf(options, sizeof options, " --images %d", q->images);
    report_put_command(p, q, "eval", 1, &r->path, WITH_DATA | WITH_SEED, options);
}

/* What takes many draws, or all pairs of images. */
static void put_draws(page *p, const lt_report_options *q, const report_run *r)
{
    const lt_evaluation *e = &r->card.evaluation;
    const lt_diagnosis *d = &r->card.codes;
    lt_estimate information = d->mutual_information, aggregate = d->aggregate_kl, rate = e->rate;
    char name[64], meaning[160];
    lt_shown_parts((double *[]){&information.value, &aggregate.value}, 2, &rate.value, 2);
    begin_table(p, r, e, ": bounds of many samples, and codes");
    if (e->nll_samples > 0) {
        snprintf(name, sizeof name, "NLL, K = %d", e->nll_samples);
        put_row(p, name, e->nll, 2,
                "importance sampling: an upper bound on -log p(x) in expectation; ± is of the bound");
        put_row(p, "−ELBO less NLL", lt_shown_difference(e->neg_elbo, e->nll, r->card.gap), 2,
                "paired difference over these images: on average a lower bound of the gap between "
                "−ELBO and -log p(x)");
        put_row(p, "effective samples", alone(e->ess), 1, "of K; near 1 the NLL is unreliable");
    }
    if (isfinite(e->pareto_share)) {
        snprintf(meaning, sizeof meaning, "of the weights, median; above 0.7 for %.0f %% of the images%s",
                 100 * e->pareto_share,
                 lt_evaluation_is_biased(e)
                     ? ": the NLL is too high by an unknown amount, which ± does not show" : "");
        put_row(p, "Pareto k", alone(e->pareto_k), 2, meaning);
    }
    snprintf(name, sizeof name, "active of %d latents", d->latent);
    put_row(p, name, alone(d->active), 0, "latents whose posterior mean varies over images");
    snprintf(meaning, sizeof meaning, "of code and image; with these images at most %.2f can be "
             "measured", d->most_information);
    put_row(p, "mutual information", information, 2, meaning);
    put_row(p, "aggregate KL", aggregate, 2,
            "KL of the aggregate posterior from the prior");
    page_html(p, "</tbody></table></div>\n");
    int used = snprintf(name, sizeof name, " --images %lld", (long long)e->images);
    if (q->nll_samples)
        snprintf(name + used, sizeof name - (size_t)used, " --nll %d", q->nll_samples);
    report_put_command(p, q, "eval", 1, &r->path, WITH_DATA | WITH_SEED, name);
}

static void put_score(page *p, const char *name, lt_estimate samples, lt_estimate floor, int digits,
                      const char *meaning)
{
    page_html(p, "<tr><th scope=\"row\">%s</th>", name);
    page_estimate(p, samples, digits);
    page_estimate(p, floor, digits);
    page_html(p, "<td class=\"meaning\">%s</td></tr>\n", meaning);
}

static void put_quality(page *p, const lt_report_options *asked, const report_run *r)
{
    const lt_quality *q = &r->card.quality;
    const lt_sample_scores *s = &q->samples, *f = &q->floor;
    char text[LT_QUALITY_TEXT];
    page_html(p, "<div class=\"wide\" tabindex=\"0\"><table>\n<caption>%lld samples against %lld %s images; floor: "
                 "the scores of train images</caption>\n<thead><tr><td></td><th scope=\"col\" class=\"number\""
                 ">samples</th><th scope=\"col\" class=\"number\">floor</th><th scope=\"col\">meaning</th></tr></thead>\n<tbody>\n",
              (long long)q->images, (long long)q->held_out, lt_split_name(r->split));
    put_score(p, "FID", alone(s->fid), alone(f->fid), 3, "0 is best");
    put_score(p, "KID", s->kid, f->kid, 4, "0 is best");
    put_score(p, "precision", s->precision, f->precision, 3, "samples like held-out images");
    put_score(p, "recall", s->recall, f->recall, 3, "held-out images like samples");
    put_score(p, "density", s->density, f->density, 3, "1: as dense");
    put_score(p, "coverage", s->coverage, f->coverage, 3, "held-out images covered by samples");
    if (!q->is_rotation)
        put_score(p, "inception score", s->inception, f->inception, 2, "from 1 to the number of classes");
    page_html(p, "</tbody></table></div>\n<p class=\"quiet\">Scores of digest <code>%.16s</code> "
                 "are comparable only with scores of this digest: they use features of a small classifier of "
                 "this data set.</p>\n", q->digest);
    lt_quality_limits_text(q, text);
    if (text[0])
        put_paragraph(p, text);
    lt_quality_memorization_text(q, text);
    put_paragraph(p, text);
    int used = snprintf(text, sizeof text, " --quality");
    if (asked->quality_samples)
        snprintf(text + used, sizeof text - (size_t)used, " --samples %d",
                 asked->quality_samples);
    report_put_command(p, asked, "eval", 1, &r->path, WITH_DATA | WITH_SEED, text);
}

int report_write_numbers(const report_content *c)
{
    page *p = c->page;
    const lt_report_options *q = c->request;
    const report_run *r = c->runs;
    if (r->card.has_bounds) {
        put_bounds(p, q, r);
        put_draws(p, q, r);
    }
    if (r->card.has_quality)
        put_quality(p, q, r);
    return LT_OK;
}

/* ---- The ledger ---- */

static void put_terms(page *p, const char *title, const lt_ledger_term *terms, int n)
{
    page_html(p, "<div class=\"wide\" tabindex=\"0\"><table class=\"ledger\">\n<caption>%s</caption>\n<tbody>\n",
              title);
    double shown[LT_LEDGER_TERMS];
    lt_ledger_round(terms, n, shown);
    for (int i = 0; i < n; i++) {
        page_html(p, "<tr%s><th scope=\"row\">%s", terms[i].is_sum ? " class=\"sum\"" : "",
                  terms[i].is_sum ? "= " : "");
        page_prose(p, terms[i].name);
        page_html(p, "</th><td class=\"number\">");
        page_number(p, shown[i], 2);
        page_html(p, "</td><td class=\"meaning\">");
        page_prose(p, terms[i].text);
        page_html(p, "</td></tr>\n");
    }
    page_html(p, "</tbody></table></div>\n");
}

static void put_published_row(page *p, const lt_published *row, const lt_ledger *l)
{
    page_html(p, "<tr><th scope=\"row\">");
    page_text(p, "%s", row->model);
    page_html(p, "%s</th><td>", lt_published_is_like(row, l) ? " (same objective)" : "");
    if (row->is_elbo)
        page_html(p, "−ELBO");
    else if (row->samples)
        page_html(p, "NLL, <i>K</i> = %d", row->samples);
    else
        page_html(p, "NLL, <i>K</i> = ?");
    page_html(p, "</td><td>%s</td><td class=\"number\">", lt_split_name(row->split));
    page_number(p, row->nats, 2);
    page_html(p, "</td><td class=\"meaning\">");
    page_text(p, "%s", row->source);
    page_html(p, "</td></tr>\n");
}

static void put_comparable(page *p, const lt_ledger *l)
{
    const lt_published *row;
    bool is_any = false;
    page_html(p, "<h3>Comparable with</h3>\n");
    for (int i = 0; (row = lt_published_get(i)) != NULL; i++)
        if (!lt_published_differs(row, l)) {
            page_html(p, is_any ? "" : "<div class=\"wide\" tabindex=\"0\"><table>\n<tbody>\n");
            is_any = true;
            put_published_row(p, row, l);
        }
    page_html(p, is_any ? "</tbody></table></div>\n"
                        : "<p>None of the published numbers that latent knows.</p>\n");
}

static void put_others(page *p, const lt_ledger *l)
{
    const lt_published *row;
    page_html(p, "<details><summary>Not comparable with, and why</summary>\n<ul>\n");
    for (int i = 0; (row = lt_published_get(i)) != NULL; i++) {
        lt_published_group a = lt_published_kept_apart(l, i);
        if (a.first != i)
            continue;
        page_html(p, "<li>%d on ", a.n);
        page_text(p, "%s", row->images);
        page_html(p, a.n > 1 ? ", %.2f to %.2f: " : ", %.2f: ", a.low, a.high);
        page_prose(p, lt_published_differs(row, l));
        page_html(p, "</li>\n");
    }
    page_html(p, "</ul>\n</details>\n");
}

int report_write_ledger(const report_content *c)
{
    page *p = c->page;
    const lt_report_options *q = c->request;
    const report_run *r = c->runs;
    const lt_ledger *l = &r->e.ledger;
    put_terms(p, l->has_likelihood ? "Training loss, nats per image: means over the last epoch"
                                   : "Training loss: means over the last epoch", l->minimized, l->n_minimized);
    put_terms(p, l->has_likelihood ? "Reported, nats per image" : "Reported for both networks",
              l->terms, l->n_terms);
    for (int i = 0; i < l->n_notes; i++)
        put_paragraph(p, l->notes[i]);
    if (l->has_bound) {
        put_comparable(p, l);
        put_others(p, l);
    }
    char options[64] = ""; /* what was measured for this page, not what training wrote down */
    if (r->card.has_bounds && q->images)
        snprintf(options, sizeof options, " --split test --images %d", q->images);
    else if (r->card.has_bounds)
        snprintf(options, sizeof options, " --split test");
    report_put_command(p, q, "explain", 1, &r->path, WITH_DATA | (r->card.has_bounds ? WITH_SEED : 0), options);
    return LT_OK;
}
