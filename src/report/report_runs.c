/* SPDX-License-Identifier: MIT */
/* The page that compares runs: what they are, numbers side by side, all curves in each chart, their
   samples beside each other, and what their recipes say otherwise. */
#include "report/report_parts.h"

#include <math.h>
#include <string.h>

enum { MAX_PATHS = 16 };

void report_put_head(page *p, const report_run *runs, int n, const char *first)
{
    page_html(p, *first ? "<thead><tr><th scope=\"col\">%s</th>" : "<thead><tr><td>%s</td>", first);
    for (int i = 0; i < n; i++) {
        page_html(p, "<th scope=\"col\">");
        page_text(p, "%s", runs[i].name);
        page_html(p, "</th>");
    }
    page_html(p, "</tr></thead>\n");
}

/* ---- The runs ---- */

static void put_run(page *p, const report_run *r)
{
    const lt_recipe *recipe = lt_model_recipe(r->e.model);
    page_html(p, "<tr><th scope=\"row\">");
    page_text(p, "%s", r->name);
    page_html(p, "</th><td>%s</td><td class=\"fixed\">", report_kind(r));
    page_text(p, "%s", r->e.ledger.set);
    page_html(p, "</td><td class=\"number\">");
    page_number(p, r->e.trained.epoch ? (double)r->e.trained.epoch : (double)NAN, 0);
    page_html(p, "</td><td class=\"number\">%llu</td><td class=\"meaning\">",
              (unsigned long long)lt_recipe_seed(recipe));
    page_text(p, "%s", lt_recipe_summary(recipe));
    page_html(p, "</td><td class=\"fixed\"><code>%.12s</code></td></tr>\n", r->e.digest);
}

static int write_list(const report_content *c)
{
    page *p = c->page;
    const report_run *runs = c->runs;
    int n = c->n;
    page_html(p, "<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">run</th><th scope=\"col\">model</th><th scope=\"col\">data</th><th scope=\"col\" "
                 "class=\"number\">epochs</th><th scope=\"col\" class=\"number\">seed</th><th scope=\"col\">recipe</th><th scope=\"col\">"
                 "checkpoint</th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < n; i++)
        put_run(p, &runs[i]);
    page_html(p, "</tbody></table></div>\n");
    return LT_OK;
}

/* ---- Numbers ---- */

typedef lt_estimate read_function(const report_run *r);

static const lt_estimate missing = {(double)NAN, (double)NAN};

#define NUMBER(name, expression)                                                                   \
    static lt_estimate read_##name(const report_run *r)                                            \
    {                                                                                              \
        return r->card.has_bounds ? (expression) : missing;                                            \
    }
#define SCORE(name, expression)                                                                    \
    static lt_estimate read_##name(const report_run *r)                                            \
    {                                                                                              \
        return r->card.has_quality ? (expression) : missing;                                            \
    }
NUMBER(images, ((lt_estimate){(double)r->whole.images, (double)NAN}))
NUMBER(drawn, ((lt_estimate){(double)r->card.evaluation.images, (double)NAN}))
NUMBER(elbo, r->whole.neg_elbo)
NUMBER(rate, r->whole.rate)
NUMBER(distortion, r->whole.distortion)
NUMBER(nll, r->card.evaluation.nll_samples ? r->card.evaluation.nll : missing)
NUMBER(gap, r->card.gap)
NUMBER(bits, r->whole.bits_per_dim)
NUMBER(squared, r->whole.squared_error)
NUMBER(active, ((lt_estimate){r->card.codes.active, (double)NAN}))
NUMBER(information, r->card.codes.mutual_information)
SCORE(fid, ((lt_estimate){r->card.quality.samples.fid, (double)NAN}))
SCORE(kid, r->card.quality.samples.kid)
SCORE(precision, r->card.quality.samples.precision)
SCORE(recall, r->card.quality.samples.recall)
SCORE(coverage, r->card.quality.samples.coverage)

/* A metric of the last epoch, where there is nothing better. */
static lt_estimate of_training(const report_run *r, const char *metric)
{
    const lt_recipe *recipe = lt_model_recipe(r->e.model);
    if (lt_recipe_can(recipe, LT_CAN_BOUND) || !r->e.trained.epoch)
        return missing;
    return (lt_estimate){lt_report_value(recipe, &r->e.trained, metric), (double)NAN};
}

/* What the discriminator says of images is a probability or a score, which are no numbers of one row. */
static lt_estimate of_critic(const report_run *r, bool is_probability, const char *metric)
{
    lt_score score;
    bool is_such = lt_recipe_score(lt_model_recipe(r->e.model), &score) &&
                   score.is_probability == is_probability;
    return is_such ? of_training(r, metric) : missing;
}

static lt_estimate read_d_real(const report_run *r) { return of_critic(r, true, "d_real"); }
static lt_estimate read_d_fake(const report_run *r) { return of_critic(r, true, "d_fake"); }
static lt_estimate read_score_real(const report_run *r) { return of_critic(r, false, "d_real"); }
static lt_estimate read_score_fake(const report_run *r) { return of_critic(r, false, "d_fake"); }
static lt_estimate read_estimate(const report_run *r) { return of_training(r, "estimate"); }
static lt_estimate read_spread(const report_run *r) { return of_training(r, "pixel_std_ratio"); }

static const struct {
    const char *name;
    read_function *read;
    int digits;
} numbers[] = {
    {"images evaluated", read_images, 0},
    {"−ELBO", read_elbo, 2},
    {"rate", read_rate, 2},
    {"distortion", read_distortion, 2},
    {"bits per dimension", read_bits, 4},
    {"squared error", read_squared, 2},
    {"images of the next rows", read_drawn, 0},
    {"NLL", read_nll, 2},
    {"−ELBO less NLL, of these images", read_gap, 2},
    {"active latents", read_active, 0},
    {"mutual information", read_information, 2},
    {"D(real), probability of being real, last epoch", read_d_real, 3},
    {"D(fake), last epoch", read_d_fake, 3},
    {"critic(real), a score, last epoch", read_score_real, 3},
    {"critic(fake), last epoch", read_score_fake, 3},
    {"divergence, the discriminator's estimate", read_estimate, 3},
    {"pixel std ratio", read_spread, 3},
    {"FID", read_fid, 3},
    {"KID", read_kid, 4},
    {"precision", read_precision, 3},
    {"recall", read_recall, 3},
    {"coverage", read_coverage, 3},
};

/* Why numbers of two runs in nats are of different things; NULL: they compare. */
static const char *differ(const report_run *a, const report_run *b)
{
    const lt_ledger *l = &a->e.ledger, *m = &b->e.ledger;
    if (strcmp(l->set, m->set) != 0)
        return "the data sets differ";
    if (l->pixels != m->pixels || l->dimensions != m->dimensions)
        return "the pixels are not the same ones";
    if (l->has_likelihood && m->has_likelihood && l->unit != m->unit)
        return "the likelihoods are of different kinds: probabilities, densities, cross-entropies";
    return NULL;
}

static void put_differences(page *p, const report_run *runs, int n)
{
    for (int i = 1; i < n; i++) {
        const char *why = differ(&runs[0], &runs[i]);
        if (!why)
            continue;
        page_html(p, "<p class=\"note\">Numbers of ");
        page_text(p, "%s", runs[i].name);
        page_html(p, " are not comparable with those of ");
        page_text(p, "%s", runs[0].name);
        page_html(p, ": %s.</p>\n", why);
    }
}

static void put_number_row(page *p, int row, const report_run *runs, int n)
{
    bool is_any = false;
    for (int i = 0; i < n; i++)
        is_any |= isfinite(numbers[row].read(&runs[i]).value);
    if (!is_any)
        return;
    page_html(p, "<tr><th scope=\"row\">%s</th>", numbers[row].name);
    for (int i = 0; i < n; i++)
        page_estimate(p, numbers[row].read(&runs[i]), numbers[row].digits);
    page_html(p, "</tr>\n");
}

static int write_numbers_of_all(const report_content *c)
{
    page *p = c->page;
    const lt_report_options *q = c->request;
    const report_run *runs = c->runs;
    int n = c->n;
    put_differences(p, runs, n);
    page_html(p, "<div class=\"wide\" tabindex=\"0\"><table class=\"numbers\">\n<caption>VAE: nats per image of the test "
                 "split, ± standard error%s; GAN: metrics of the last epoch</caption>\n",
              q->nll_samples ? "; NLL by importance sampling" : "");
    report_put_head(p, runs, n, "");
    page_html(p, "<tbody>\n");
    for (int i = 0; i < (int)(sizeof numbers / sizeof numbers[0]); i++)
        put_number_row(p, i, runs, n);
    page_html(p, "</tbody></table></div>\n");
    return LT_OK;
}

/* ---- Pictures ---- */

/* Runs without a log have no curves. */
static int write_curves_of_all(const report_content *c)
{
    page *p = c->page;
    const lt_report_options *q = c->request;
    const report_run *runs = c->runs;
    int n = c->n;
    const char *paths[MAX_PATHS];
    int m = 0;
    for (int i = 0; i < n; i++)
        if (runs[i].has_log)
            paths[m++] = runs[i].path;
    if (m == 0) {
        page_html(p, "<p>None of these runs has a log.</p>\n");
        return LT_OK;
    }
    page_html(p, "<div class=\"charts\">\n");
    int status = report_put_charts(p, q, "curves", NULL, m, paths);
    page_html(p, "</div>\n");
    return status;
}

static int put_beside(page *p, const lt_report_options *q, const report_run *r, bool of_data)
{
    page_html(p, "<div>\n<h3>");
    page_text(p, "%s", r->name);
    page_html(p, "</h3>\n");
    int status = of_data ? report_put_reconstructions(p, q, r, 7, 2)
                       : report_put_samples(p, q, r, 8, 8);
    page_html(p, "</div>\n");
    return status;
}

/* Samples of all runs, or reconstructions of those that have them. */
static int put_all_beside(const report_content *c, bool of_data)
{
    int status = LT_OK;
    page_html(c->page, "<div class=\"beside\">\n");
    for (int i = 0; i < c->n && status == LT_OK; i++) {
        const lt_explanation *e = &c->runs[i].e;
        if (of_data ? e->data && lt_model_can(e->model, LT_CAN_ENCODE) : lt_model_can(e->model, LT_CAN_SAMPLE))
            status = put_beside(c->page, c->request, &c->runs[i], of_data);
    }
    page_html(c->page, "</div>\n");
    return status;
}

static int write_samples_of_all(const report_content *c) { return put_all_beside(c, false); }

static int write_reconstructions_of_all(const report_content *c)
{
    page_html(c->page,
              "<p>The first images of the test split, each above its reconstruction.</p>\n");
    return put_all_beside(c, true);
}

/* ---- Commands ---- */

static int write_commands(const report_content *c)
{
    page *p = c->page;
    const report_run *runs = c->runs;
    int n = c->n;
    bool is_any = false, needs_recipe;
    page_html(p, "<pre tabindex=\"0\"><code>");
    for (int i = 0; i < n; i++) {
        page_html(p, "latent ");
        report_put_training(p, &runs[i], &needs_recipe);
        page_html(p, " --out ");
        page_word(p, runs[i].path);
        page_html(p, "\n");
        is_any |= needs_recipe;
    }
    page_html(p, "latent report");
    for (int i = 0; i < n; i++) {
        page_html(p, " ");
        page_word(p, runs[i].path);
    }
    page_html(p, "</code></pre>\n%s<p class=\"quiet\">latent %s</p>\n",
              is_any ? "<p><code>recipe.yaml</code> is the file in the directory of the run.</p>\n" : "", lt_version());
    return LT_OK;
}

/* ---- The page ---- */

const report_section report_of_runs[] = {
    {"runs", "The runs", write_list, NULL},
    {"numbers", "Numbers", write_numbers_of_all, NULL},
    {"curves", "Training", write_curves_of_all, NULL},
    {"samples", "Samples", write_samples_of_all, NULL},
    {"reconstructions", "Reconstructions", write_reconstructions_of_all, report_has_codes},
    {"recipes", "Recipes", report_write_differences, NULL},
    {"again", "Reproduce them", write_commands, NULL},
    {NULL, NULL, NULL, NULL},
};
