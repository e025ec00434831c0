/* SPDX-License-Identifier: MIT */
/* The page of one run: a table of sections, pictures first. */
#include "report/report_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Overview ---- */

static void put_tile(page *p, const char *name, double value, int digits, double se)
{
    page_html(p, "<div class=\"tile\"><dt>");
    page_text(p, "%s", name);
    page_html(p, "</dt><dd>");
    page_number(p, value, digits);
    if (isfinite(se))
        page_html(p, " <span class=\"error\">± %.2f</span>", se);
    page_html(p, "</dd></div>\n");
}

static void put_tiles(page *p, const report_run *r)
{
    const lt_ledger *l = &r->e.ledger;
    page_html(p, "<dl class=\"tiles\">\n");
    if (l->has_bound) {
        put_tile(p, "−ELBO, nats per image", l->neg_elbo, 2, r->e.found.neg_elbo_se);
        put_tile(p, "rate, nats", r->e.found.rate, 2, (double)NAN);
        put_tile(p, "distortion, nats", r->e.found.distortion, 2, (double)NAN);
        put_tile(p, "bits per dimension", l->bits_per_dim, 4, (double)NAN);
    }
    for (int i = 0; i < l->n_terms && !l->has_bound; i++)
        put_tile(p, l->terms[i].name, l->terms[i].nats, 2, (double)NAN);
    if (r->card.has_quality && isfinite(r->card.quality.samples.fid))
        put_tile(p, "FID", r->card.quality.samples.fid, 2, (double)NAN);
    page_html(p, "</dl>\n");
}

static void put_fact(page *p, const char *name, const char *text)
{
    page_html(p, "<dt>%s</dt><dd>", name);
    page_text(p, "%s", text);
    page_html(p, "</dd>\n");
}

/* As it stands in a recipe. */
static void put_code_fact(page *p, const char *name, const char *text)
{
    page_html(p, "<dt>%s</dt><dd><code>", name);
    page_text(p, "%s", text);
    page_html(p, "</code></dd>\n");
}

static void put_data_fact(page *p, const report_run *r)
{
    char text[640];
    const lt_ledger *l = &r->e.ledger;
    snprintf(text, sizeof text, "%.400s: %s%s", l->set, lt_pixels_text(l->pixels),
             l->limit ? "; cut to a part by data.limit" : "");
    if (r->e.data) {
        const lt_dataset_info *d = lt_dataset_describe(r->e.data);
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "; %d images to train, %d to validate, %d to test",
                  d->n[LT_TRAIN], d->n[LT_VALID], d->n[LT_TEST]);
    }
    put_fact(p, "Data", text);
}

static void put_facts(page *p, const report_run *r)
{
    char text[512];
    lt_model *m = r->e.model;
    lt_image_size s = lt_model_image_size(m);
    const lt_ledger *l = &r->e.ledger;
    page_html(p, "<dl class=\"facts\">\n");
    snprintf(text, sizeof text, "%s, images of %d × %d × %d, %d latents", report_kind(r), s.h, s.w,
             s.c, lt_model_latent(m));
    put_fact(p, "Model", text);
    put_data_fact(p, r);
    if (l->has_likelihood) {
        put_code_fact(p, "Likelihood", l->likelihood);
        if (l->has_bound)
            put_code_fact(p, "Prior", l->prior);
    }
    put_code_fact(p, "Objective", l->objective);
    if (r->e.trained.epoch) {
        snprintf(text, sizeof text, "%lld epoch%s, %lld steps, seed %llu",
                 (long long)r->e.trained.epoch, r->e.trained.epoch == 1 ? "" : "s",
                 (long long)r->e.trained.step,
                 (unsigned long long)lt_recipe_seed(lt_model_recipe(m)));
        put_fact(p, "Trained", text);
    }
    page_html(p, "</dl>\n");
}

static int write_overview(const report_content *c)
{
    page *p = c->page;
    const report_run *r = c->runs;
    const lt_explanation *e = &r->e;
    put_tiles(p, r);
    put_facts(p, r);
    if (e->ledger.has_likelihood) {
        page_html(p, "<p class=\"quiet\">The numbers above: %lld %s images, ",
                  (long long)e->found.images,
                  e->data ? lt_split_name(e->split) : "validation (or test)");
        if (e->epoch)
            page_html(p, "after epoch %lld.</p>\n", (long long)e->epoch);
        else
            page_html(p, "evaluated for this page.</p>\n");
    } else if (e->trained.epoch)
        page_html(p, "<p class=\"quiet\">The numbers above: means over epoch %lld.</p>\n",
                  (long long)e->trained.epoch);
    if (r->no_data[0]) {
        page_html(p, "<p class=\"note\">The data could not be opened, so reconstructions, the map of codes "
                     "and new numbers are missing: ");
        page_text(p, "%s", r->no_data);
        page_html(p, "</p>\n");
    }
    return LT_OK;
}

/* ---- Pictures ---- */

static int write_samples(const report_content *c)
{
    page_html(c->page, "<div class=\"papers\">\n");
    int status = report_put_samples(c->page, c->request, c->runs, 14, 4);
    page_html(c->page, "</div>\n");
    return status;
}

static int write_reconstructions(const report_content *c)
{
    page_html(c->page, "<div class=\"papers\">\n");
    int status = report_put_reconstructions(c->page, c->request, c->runs, 7, 2);
    page_html(c->page, "</div>\n");
    return status;
}

static int put_charts(const report_content *c, const char *kind, const char *title)
{
    page_html(c->page, "<div class=\"charts\">\n");
    int status = report_put_charts(c->page, c->request, kind, title, 1, &c->runs->path);
    page_html(c->page, "</div>\n");
    return status;
}

static int write_curves(const report_content *c) { return put_charts(c, "curves", NULL); }

static int write_codes(const report_content *c)
{
    page *p = c->page;
    const report_run *r = c->runs;
    const lt_diagnosis *d = &r->card.codes;
    int status = LT_OK;
    if (r->card.has_bounds && d->is_collapsed) {
        page_html(p, "<p class=\"note\">Posterior collapse: ");
        page_prose(p, d->reason);
        page_html(p, "</p>\n");
    }
    page_html(p, "<div class=\"charts\">\n");
    if (lt_model_latent(r->e.model) > 1) {
        status = report_put_charts(p, c->request, "latents", "Map of the codes", 1, &r->path);
        if (status == LT_OK)
            status = report_put_charts(p, c->request, "histogram", "Two latents, and what they should be",
                                     1, &r->path);
    }
    if (status == LT_OK && lt_model_can(r->e.model, LT_CAN_POSTERIOR))
        status = report_put_charts(p, c->request, "activity", "What each latent says", 1, &r->path);
    page_html(p, "</div>\n");
    return status;
}

static int write_traversals(const report_content *c)
{
    const report_run *r = c->runs;
    page_html(c->page, "<div class=\"papers\">\n");
    int status = report_put_traversals(c->page, c->request, r);
    if (status == LT_OK && lt_model_latent(r->e.model) == 2 && lt_model_can(r->e.model, LT_CAN_SAMPLE))
        status = report_put_manifold(c->page, c->request, r, 13);
    page_html(c->page, "</div>\n");
    return status;
}

/* ---- Network, recipe, commands ---- */

static int write_network(const report_content *c)
{
    page *p = c->page;
    const report_run *r = c->runs;
    char *text = lt_model_summary(r->e.model);
    if (!text)
        return LT_NO_MEMORY;
    page_html(p, "<pre tabindex=\"0\"><code>");
    page_text(p, "%s", text);
    page_html(p, "</code></pre>\n");
    free(text);
    return LT_OK;
}

static int write_recipe(const report_content *c)
{
    page *p = c->page;
    const report_run *r = c->runs;
    const char *text = lt_recipe_text(lt_model_recipe(r->e.model));
    page_html(p, "<p>The whole experiment, with every default written out: ");
    page_download(p, "recipe.yaml", text);
    page_html(p, ".</p>\n<pre tabindex=\"0\"><code>");
    page_text(p, "%s", text);
    page_html(p, "</code></pre>\n");
    return LT_OK;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Whether the catalog can bring the data of the recipe. */
static bool is_in_catalog(const char *name)
{
    for (int i = 0; i < lt_data_count(); i++)
        if (strcmp(lt_data_entry(i)->name, name) == 0)
            return true;
    return false;
}

static int write_commands(const report_content *c)
{
    page *p = c->page;
    const report_run *r = c->runs;
    bool needs_recipe;
    const char *set = lt_recipe_dataset(lt_model_recipe(r->e.model));
    page_html(p, "<pre tabindex=\"0\"><code>");
    if (is_in_catalog(set))
        page_html(p, "latent data fetch %s\n", set);
    page_html(p, "latent ");
    report_put_training(p, r, &needs_recipe);
    page_html(p, " --out again\nlatent report again -o again.html</code></pre>\n<p>");
    if (needs_recipe)
        page_html(p, "with the recipe above saved as <code>recipe.yaml</code>. ");
    page_html(p, "Training is a function of recipe, data and seed (%llu), at any number of threads: "
                 "on a machine of the same kind it ends with the same weights.</p>\n<dl class="
                 "\"facts\">\n",
              (unsigned long long)lt_recipe_seed(lt_model_recipe(r->e.model)));
    put_fact(p, "Checkpoint", file_name(r->e.checkpoint));
    if (r->e.digest[0])
        put_fact(p, "Digest of the checkpoint", r->e.digest);
    put_fact(p, "Data", set[0] ? set : "given by a program");
    put_fact(p, "latent", lt_version());
    page_html(p, "</dl>\n");
    return LT_OK;
}

/* ---- What is there ---- */

static bool has_numbers(const report_content *c)
{
    return c->runs->card.has_bounds || c->runs->card.has_quality;
}

static bool has_samples(const report_content *c) { return lt_model_can(c->runs->e.model, LT_CAN_SAMPLE); }

static bool has_traversals(const report_content *c)
{
    return c->runs->e.data || !lt_model_can(c->runs->e.model, LT_CAN_ENCODE);
}

/* ---- The page ---- */

const report_section report_of_run[] = {
    {NULL, NULL, write_overview, NULL},
    {"samples", "Samples", write_samples, has_samples},
    {"reconstructions", "Reconstructions", write_reconstructions, report_has_codes},
    {"curves", "Training", write_curves, report_has_log},
    {"numbers", "Numbers", report_write_numbers, has_numbers},
    {"ledger", "The ledger of the loss", report_write_ledger, NULL},
    {"codes", "Codes", write_codes, report_has_codes},
    {"traversals", "Traversals", write_traversals, has_traversals},
    {"network", "Network", write_network, NULL},
    {"recipe", "Recipe", write_recipe, NULL},
    {"again", "Reproduce it", write_commands, NULL},
    {NULL, NULL, NULL, NULL},
};
