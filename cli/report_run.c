/* SPDX-License-Identifier: MIT */
/* The page of one run: a table of sections, pictures first. */
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void report_begin_section(page *p, const char *id, const char *title)
{
    page_html(p, "<section id=\"%s\">\n<h2>%s</h2>\n", id, title);
}

void report_end_section(page *p) { page_html(p, "</section>\n"); }

/* "latent VERB RUN REST": what makes the picture alone. */
static void put_command(page *p, const report_run *r, const char *verb, const char *rest)
{
    page_html(p, "<p class=\"quiet\"><code>latent %s ", verb);
    page_word(p, r->path);
    page_html(p, "%s</code></p>\n", rest);
}

/* ---- Overview ---- */

static void put_tile(page *p, const char *name, double value, double se, const char *unit)
{
    page_html(p, "<div class=\"tile\"><dt>");
    page_text(p, "%s", name);
    page_html(p, "</dt><dd>");
    page_number(p, value, 2);
    if (isfinite(se))
        page_html(p, " <span class=\"error\">± %.2f</span>", se);
    page_html(p, "%s</dd></div>\n", unit);
}

static void put_tiles(page *p, const report_run *r)
{
    const lt_ledger *l = &r->e.ledger;
    page_html(p, "<dl class=\"tiles\">\n");
    if (l->has_likelihood) {
        put_tile(p, "−ELBO, nats per image", -l->elbo, r->e.found.elbo_se, "");
        put_tile(p, "rate, nats", r->e.found.rate, (double)NAN, "");
        put_tile(p, "distortion, nats", r->e.found.distortion, (double)NAN, "");
        put_tile(p, "bits per dimension", l->bits_per_dim, (double)NAN, "");
    }
    for (int i = 0; i < l->n_terms && !l->has_likelihood; i++)
        put_tile(p, l->terms[i].name, l->terms[i].nats, (double)NAN, "");
    if (r->has_quality)
        put_tile(p, "FID", r->quality.samples.fid, (double)NAN, "");
    page_html(p, "</dl>\n");
}

static void put_fact(page *p, const char *name, const char *text)
{
    page_html(p, "<dt>%s</dt><dd>", name);
    page_text(p, "%s", text);
    page_html(p, "</dd>\n");
}

static void put_data_fact(page *p, const report_run *r)
{
    char text[640];
    const lt_ledger *l = &r->e.ledger;
    int n = snprintf(text, sizeof text, "%s: %s%s", l->set, lt_pixels_text(l->pixels),
                     l->limit ? "; cut to a part by data.limit" : "");
    if (r->e.has_data) {
        const lt_dataset_info *d = lt_dataset_describe(r->e.t.data);
        snprintf(text + n, sizeof text - (size_t)n, "; %d images to train, %d to validate, %d to "
                 "test", d->n[LT_TRAIN], d->n[LT_VALID], d->n[LT_TEST]);
    }
    put_fact(p, "Data", text);
}

static void put_facts(page *p, const report_run *r)
{
    char text[512];
    lt_model *m = r->e.t.model;
    lt_image_size s = lt_model_image_size(m);
    const lt_ledger *l = &r->e.ledger;
    page_html(p, "<dl class=\"facts\">\n");
    snprintf(text, sizeof text, "%s, images of %d × %d × %d, %d latents", report_kind(r), s.h, s.w,
             s.c, lt_model_latent(m));
    put_fact(p, "Model", text);
    put_data_fact(p, r);
    if (l->has_likelihood) {
        put_fact(p, "Likelihood", l->likelihood);
        put_fact(p, "Prior", l->prior);
    }
    put_fact(p, "Objective", l->objective);
    if (r->e.report.epoch) {
        snprintf(text, sizeof text, "%lld epoch%s, %lld steps, seed %llu",
                 (long long)r->e.report.epoch, r->e.report.epoch == 1 ? "" : "s",
                 (long long)r->e.report.step,
                 (unsigned long long)lt_recipe_seed(lt_model_recipe(m)));
        put_fact(p, "Trained", text);
    }
    page_html(p, "</dl>\n");
}

static int write_overview(page *p, const report_request *q, const report_run *r)
{
    (void)q;
    const explanation *e = &r->e;
    put_tiles(p, r);
    put_facts(p, r);
    if (e->ledger.has_likelihood) {
        page_html(p, "<p class=\"quiet\">The numbers above: %lld %s images, ",
                  (long long)e->found.images,
                  e->has_data ? lt_split_name(e->split) : "validation (or test)");
        if (e->epoch)
            page_html(p, "after epoch %lld.</p>\n", (long long)e->epoch);
        else
            page_html(p, "evaluated for this page.</p>\n");
    } else if (e->report.epoch)
        page_html(p, "<p class=\"quiet\">The numbers above: means over epoch %lld.</p>\n",
                  (long long)e->report.epoch);
    if (r->no_data[0]) {
        page_html(p, "<p class=\"note\">Without its data there are no reconstructions, no map of codes "
                     "and no new numbers: ");
        page_text(p, "%s", r->no_data);
        page_html(p, "</p>\n");
    }
    return CODE_DONE;
}

/* ---- Pictures ---- */

static int write_samples(page *p, const report_request *q, const report_run *r)
{
    bool has_classes = lt_model_classes(r->e.t.model) > 0;
    page_html(p, "<figure>\n");
    int code = report_put_samples(p, q, r, 16, 4);
    page_html(p, "<figcaption>%s</figcaption>\n</figure>\n",
              has_classes ? "What the generator makes of the same codes, one row for each class, "
                            "none chosen by hand."
              : lt_model_has_likelihood(r->e.t.model)
                  ? "E[x|z] at codes z drawn from the prior, none chosen by hand."
                  : "What the generator makes of codes drawn from the prior, none chosen by hand.");
    put_command(p, r, "sample", has_classes ? " --class 0" : " --columns 16");
    return code;
}

static bool has_codes(const report_run *r)
{
    return r->e.has_data && lt_model_has_encoder(r->e.t.model);
}

static int write_reconstructions(page *p, const report_request *q, const report_run *r)
{
    page_html(p, "<figure>\n");
    int code = report_put_reconstructions(p, q, r, 16, 2);
    page_html(p, "<figcaption>The first %s images, each above E[x|z] at the mean of q(z|x)."
                 "</figcaption>\n</figure>\n", lt_split_name(r->split));
    put_command(p, r, "reconstruct", "");
    return code;
}

static bool has_log(const report_run *r) { return r->has_log; }

static int write_curves(page *p, const report_request *q, const report_run *r)
{
    int code = report_put_charts(p, q, plot_curves, NULL, 1, &r->path);
    put_command(p, r, "plot curves", "");
    return code;
}

static int write_codes(page *p, const report_request *q, const report_run *r)
{
    const lt_diagnosis *d = &r->codes;
    int code = CODE_DONE;
    if (r->has_numbers && d->is_collapsed) {
        page_html(p, "<p class=\"note\">");
        page_text(p, "The codes have collapsed: %s", d->reason);
        page_html(p, "</p>\n");
    }
    if (lt_model_latent(r->e.t.model) > 1) {
        code = report_put_charts(p, q, plot_latents, "Map of the codes", 1, &r->path);
        put_command(p, r, "plot latents", "");
    }
    if (code == CODE_DONE) {
        code = report_put_charts(p, q, plot_activity, "What each latent says", 1, &r->path);
        put_command(p, r, "plot activity", "");
    }
    return code;
}

static bool has_traversals(const report_run *r)
{
    return r->e.has_data || !lt_model_has_encoder(r->e.t.model);
}

static int write_traversals(page *p, const report_request *q, const report_run *r)
{
    page_html(p, "<figure>\n");
    int code = report_put_traversals(p, q, r);
    page_html(p, "</figure>\n");
    put_command(p, r, "traverse", "");
    return code;
}

/* ---- Numbers ---- */

static void put_row(page *p, const char *name, lt_estimate e, int digits, const char *meaning)
{
    page_html(p, "<tr><th scope=\"row\">%s</th>", name);
    page_estimate(p, e, digits);
    page_html(p, "<td class=\"meaning\">%s</td></tr>\n", meaning);
}

static lt_estimate alone(double value) { return (lt_estimate){value, (double)NAN}; }

static void put_bounds(page *p, const report_request *q, const report_run *r)
{
    const lt_evaluation *e = &r->numbers;
    const lt_diagnosis *d = &r->codes;
    char name[64], meaning[128];
    page_html(p, "<div class=\"wide\"><table class=\"ledger\">\n<caption>%lld %s images%s; nats per "
                 "image, ± standard error</caption>\n<thead><tr><th></th><th class=\"number\">value"
                 "</th><th>meaning</th></tr></thead>\n<tbody>\n",
              (long long)e->images, lt_split_name(r->split),
              e->images < lt_dataset_describe(r->e.t.data)->n[r->split] ? ", spread over the split"
                                                                       : ", all of them");
    put_row(p, "−ELBO", (lt_estimate){-e->elbo.value, e->elbo.se}, 2,
            "rate + distortion: an upper bound on −log p(x)");
    put_row(p, "rate", e->rate, 2, "KL(q(z|x) ‖ p(z)): what the code costs");
    put_row(p, "distortion", e->distortion, 2, "−log p(x|z): what the image costs, given the code");
    if (e->nll_samples > 0) {
        snprintf(name, sizeof name, "NLL, K = %d", e->nll_samples);
        put_row(p, name, e->nll, 2, "−log p(x) by importance samples, in expectation above it");
        put_row(p, "effective draws", alone(e->ess), 1, "of the K; near 1: do not believe the NLL");
    }
    put_row(p, "bits per dimension", e->bits_per_dim, 4,
            e->unit == LT_DISCRETE  ? "−ELBO / (log 2 × numbers): of probabilities"
            : e->unit == LT_DENSITY ? "−ELBO / (log 2 × numbers): of a density on [0, 1]"
                                    : "−ELBO / (log 2 × numbers): of a cross-entropy");
    put_row(p, "squared error", e->squared_error, 2,
            "of the reconstruction, summed over an image");
    snprintf(name, sizeof name, "active of %d latents", d->latent);
    put_row(p, name, alone(d->active), 0, "those whose posterior mean differs between images");
    snprintf(meaning, sizeof meaning, "what the code says about which of these images it is; at most "
             "%.2f can be seen", d->most_information);
    put_row(p, "mutual information", d->mutual_information, 2, meaning);
    put_row(p, "aggregate KL", d->aggregate_kl, 2,
            "how far the codes of all images together are from the prior");
    page_html(p, "</tbody></table></div>\n");
    snprintf(name, sizeof name, " -n %lld --nll %lld", (long long)q->images, (long long)q->draws);
    put_command(p, r, "eval", name);
}

static void put_score(page *p, const char *name, lt_estimate samples, lt_estimate floor, int digits,
                      const char *meaning)
{
    page_html(p, "<tr><th scope=\"row\">%s</th>", name);
    page_estimate(p, samples, digits);
    page_estimate(p, floor, digits);
    page_html(p, "<td class=\"meaning\">%s</td></tr>\n", meaning);
}

static void put_quality(page *p, const report_run *r)
{
    const lt_quality *q = &r->quality;
    const lt_sample_scores *s = &q->samples, *f = &q->floor;
    page_html(p, "<div class=\"wide\"><table>\n<caption>%lld samples against %lld %s images; the "
                 "floor is what train images reach</caption>\n<thead><tr><th></th><th class=\"number\""
                 ">samples</th><th class=\"number\">floor</th><th>meaning</th></tr></thead>\n<tbody>\n",
              (long long)q->images, (long long)q->held, lt_split_name(r->split));
    put_score(p, "FID", alone(s->fid), alone(f->fid), 3, "0 is best");
    put_score(p, "KID", s->kid, f->kid, 4, "0 is best");
    put_score(p, "precision", s->precision, f->precision, 3, "samples that are like held images");
    put_score(p, "recall", s->recall, f->recall, 3, "held images that are like samples");
    put_score(p, "density", s->density, f->density, 3, "1: as dense");
    put_score(p, "coverage", s->coverage, f->coverage, 3, "held images met by samples");
    if (!q->is_rotation)
        put_score(p, "inception score", s->inception, f->inception, 2, "from 1 to the classes");
    put_score(p, "nearer to train images", q->features.nearer, alone(0.5), 3,
              "than held images are; 1: copies");
    page_html(p, "</tbody></table></div>\n<p class=\"quiet\">Scores of digest <code>%.16s</code> "
                 "compare with those of this digest alone: they are made of features of a small "
                 "classifier of this data set.</p>\n", q->digest);
    put_command(p, r, "eval", " --quality");
}

static bool has_numbers(const report_run *r) { return r->has_numbers || r->has_quality; }

static int write_numbers_of(page *p, const report_request *q, const report_run *r)
{
    if (r->has_numbers)
        put_bounds(p, q, r);
    if (r->has_quality)
        put_quality(p, r);
    return CODE_DONE;
}

/* ---- The ledger ---- */

/* `quoted` is code. */
static void put_prose(page *p, const char *text)
{
    for (bool is_code = false; *text; is_code = !is_code) {
        size_t n = strcspn(text, "`");
        page_html(p, is_code ? "<code>" : "");
        page_text(p, "%.*s", (int)n, text);
        page_html(p, is_code ? "</code>" : "");
        text += n + (text[n] == '`');
    }
}

static void put_terms(page *p, const char *title, const lt_ledger_term *terms, int n)
{
    page_html(p, "<div class=\"wide\"><table class=\"ledger\">\n<caption>%s</caption>\n<tbody>\n",
              title);
    for (int i = 0; i < n; i++) {
        page_html(p, "<tr%s><th scope=\"row\">%s", terms[i].is_sum ? " class=\"sum\"" : "",
                  terms[i].is_sum ? "= " : "");
        page_text(p, "%s", terms[i].name);
        page_html(p, "</th><td class=\"number\">");
        page_number(p, terms[i].nats, 2);
        page_html(p, "</td><td class=\"meaning\">");
        put_prose(p, terms[i].text);
        page_html(p, "</td></tr>\n");
    }
    page_html(p, "</tbody></table></div>\n");
}

static void put_published_row(page *p, const lt_published *row, const lt_ledger *l)
{
    page_html(p, "<tr><th scope=\"row\">");
    page_text(p, "%s", row->model);
    page_html(p, "%s</th><td>", lt_published_is_like(row, l) ? " (as here)" : "");
    if (row->is_elbo)
        page_html(p, "−ELBO");
    else if (row->samples)
        page_html(p, "NLL, K = %d", row->samples);
    else
        page_html(p, "NLL, K = ?");
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
    page_html(p, "<h3>May stand beside</h3>\n");
    for (int i = 0; (row = lt_published_get(i)) != NULL; i++)
        if (!lt_published_differs(row, l)) {
            page_html(p, is_any ? "" : "<div class=\"wide\"><table>\n<tbody>\n");
            is_any = true;
            put_published_row(p, row, l);
        }
    page_html(p, is_any ? "</tbody></table></div>\n"
                        : "<p>None of the published numbers that are known here.</p>\n");
}

static void put_others(page *p, const lt_ledger *l)
{
    const lt_published *row;
    page_html(p, "<details><summary>May not stand beside, and why</summary>\n<ul>\n");
    for (int i = 0; (row = lt_published_get(i)) != NULL; i++) {
        const char *why = lt_published_differs(row, l);
        kept_away a = why ? count_kept_away(l, row, why) : (kept_away){.first = -1};
        if (a.first != i)
            continue;
        page_html(p, "<li>%d on ", a.n);
        page_text(p, "%s", row->images);
        page_html(p, a.n > 1 ? ", %.2f to %.2f: " : ", %.2f: ", a.low, a.high);
        put_prose(p, why);
        page_html(p, "</li>\n");
    }
    page_html(p, "</ul>\n</details>\n");
}

static int write_ledger(page *p, const report_request *q, const report_run *r)
{
    (void)q;
    const lt_ledger *l = &r->e.ledger;
    put_terms(p, l->has_likelihood ? "What training minimised, nats per image: means over the last "
                                     "epoch as it went on"
                                   : "What training minimised: means over the last epoch as it went "
                                     "on", l->minimised, l->n_minimised);
    put_terms(p, l->has_likelihood ? "What is reported, nats per image" : "What is reported of both",
              l->terms, l->n_terms);
    for (int i = 0; i < l->n_notes; i++) {
        page_html(p, "<p>");
        put_prose(p, l->notes[i]);
        page_html(p, "</p>\n");
    }
    if (l->has_likelihood) {
        put_comparable(p, l);
        put_others(p, l);
    }
    put_command(p, r, "explain", "");
    return CODE_DONE;
}

/* ---- Network, recipe, commands ---- */

static int write_network(page *p, const report_request *q, const report_run *r)
{
    (void)q;
    char *text = lt_model_summary(r->e.t.model);
    if (!text)
        return complain_library(q->command, LT_NO_MEMORY);
    page_html(p, "<pre><code>");
    page_text(p, "%s", text);
    page_html(p, "</code></pre>\n");
    free(text);
    return CODE_DONE;
}

static int write_recipe(page *p, const report_request *q, const report_run *r)
{
    (void)q;
    const char *text = lt_recipe_text(lt_model_recipe(r->e.t.model));
    page_html(p, "<p>The whole experiment, with every default written out: ");
    page_download(p, "recipe.yaml", text);
    page_html(p, ".</p>\n<pre><code>");
    page_text(p, "%s", text);
    page_html(p, "</code></pre>\n");
    return CODE_DONE;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Whether the catalogue can bring the data of the recipe. */
static bool is_in_catalogue(const char *name)
{
    for (int i = 0; i < lt_data_count(); i++)
        if (strcmp(lt_data_entry(i)->name, name) == 0)
            return true;
    return false;
}

static int write_commands(page *p, const report_request *q, const report_run *r)
{
    (void)q;
    bool needs_recipe;
    const char *set = lt_recipe_dataset(lt_model_recipe(r->e.t.model));
    page_html(p, "<pre><code>");
    if (is_in_catalogue(set))
        page_html(p, "latent data fetch %s\n", set);
    page_html(p, "latent ");
    report_put_training(p, r, &needs_recipe);
    page_html(p, " --out again\nlatent report again -o again.html</code></pre>\n<p>");
    if (needs_recipe)
        page_html(p, "with the recipe above saved as <code>recipe.yaml</code>. ");
    page_html(p, "Training is a function of recipe, data and seed (%llu), at any number of threads: "
                 "on a machine of the same kind it ends with the same weights.</p>\n<dl class="
                 "\"facts\">\n",
              (unsigned long long)lt_recipe_seed(lt_model_recipe(r->e.t.model)));
    put_fact(p, "Checkpoint", file_name(r->e.t.checkpoint));
    if (r->digest[0])
        put_fact(p, "Its digest", r->digest);
    put_fact(p, "Data", set);
    put_fact(p, "latent", lt_version());
    page_html(p, "</dl>\n");
    return CODE_DONE;
}

/* ---- The page ---- */

typedef struct section {
    const char *id, *title;
    int (*write)(page *p, const report_request *q, const report_run *r); /* the exit code */
    bool (*is_there)(const report_run *r);                               /* NULL: always */
} section;

static const section sections[] = {
    {"samples", "Samples", write_samples, NULL},
    {"reconstructions", "Reconstructions", write_reconstructions, has_codes},
    {"curves", "Training", write_curves, has_log},
    {"numbers", "Numbers", write_numbers_of, has_numbers},
    {"ledger", "The ledger of the loss", write_ledger, NULL},
    {"codes", "Codes", write_codes, has_codes},
    {"traversals", "Traversals", write_traversals, has_traversals},
    {"network", "Network", write_network, NULL},
    {"recipe", "Recipe", write_recipe, NULL},
    {"again", "To make it again", write_commands, NULL},
};
enum { N_SECTIONS = sizeof sections / sizeof sections[0] };

int report_write_run(page *p, const report_request *q, const report_run *r)
{
    page_html(p, "<nav aria-label=\"Contents\"><ol>\n");
    for (int i = 0; i < N_SECTIONS; i++)
        if (!sections[i].is_there || sections[i].is_there(r))
            page_html(p, "<li><a href=\"#%s\">%s</a></li>\n", sections[i].id, sections[i].title);
    page_html(p, "</ol></nav>\n</header>\n<main>\n");
    int code = write_overview(p, q, r);
    for (int i = 0; i < N_SECTIONS && code == CODE_DONE; i++) {
        const section *s = &sections[i];
        if (s->is_there && !s->is_there(r))
            continue;
        report_begin_section(p, s->id, s->title);
        code = s->write(p, q, r);
        report_end_section(p);
    }
    page_html(p, "</main>\n");
    return code;
}
