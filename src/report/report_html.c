/* SPDX-License-Identifier: MIT */
/* A page about one run, or one that compares several: a table of sections, written one after the other. */
#include "report/report_parts.h"

#include "base/memory.h"
#include "base/status.h"

#include <latent/runs.h>

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_DRAWS = 50 };

/* ---- What is there ---- */

bool report_has_log(const report_content *c)
{
    for (int i = 0; i < c->n; i++)
        if (c->runs[i].has_log)
            return true;
    return false;
}

bool report_has_codes(const report_content *c)
{
    for (int i = 0; i < c->n; i++)
        if (c->runs[i].e.data && lt_model_can(c->runs[i].e.model, LT_CAN_ENCODE))
            return true;
    return false;
}

/* ---- The page ---- */

static void put_contents(const report_content *c, const report_section *s)
{
    page_html(c->page, "<nav aria-label=\"Contents\"><ol>\n");
    for (; s->write; s++)
        if (s->title && (!s->is_there || s->is_there(c)))
            page_html(c->page, "<li><a href=\"#%s\">%s</a></li>\n", s->id, s->title);
    page_html(c->page, "</ol></nav>\n</header>\n<main>\n");
}

static int put_sections(const report_content *c, const report_section *s)
{
    for (; s->write; s++) {
        if (s->is_there && !s->is_there(c))
            continue;
        if (s->title)
            page_html(c->page, "<section id=\"%s\">\n<h2>%s</h2>\n", s->id, s->title);
        LT_TRY(s->write(c));
        page_html(c->page, "%s", s->title ? "</section>\n" : "");
    }
    page_html(c->page, "</main>\n");
    return LT_OK;
}

static int write_page(const report_content *c, unsigned char **bytes, size_t *size)
{
    const report_section *sections = c->n == 1 ? report_of_run : report_of_runs;
    char several[32];
    snprintf(several, sizeof several, "%d runs", c->n);
    const char *title = c->request->title ? c->request->title : c->n == 1 ? c->runs[0].name : several;
    const char *summary = c->n == 1 ? lt_recipe_summary(lt_model_recipe(c->runs[0].e.model)) : NULL;
    LT_TRY(page_begin(c->page, title, summary));
    put_contents(c, sections);
    LT_TRY(put_sections(c, sections));
    return page_end(c->page, bytes, size);
}

/* ---- The runs ---- */

/* Runs of one name are called by their paths instead. Doubles are found before the first name changes. */
static void tell_apart(report_run *runs, int n)
{
    bool is_double[LT_MAX_REPORT_RUNS] = {false};
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++)
            is_double[i] |= i != k && strcmp(runs[i].name, runs[k].name) == 0;
    for (int i = 0; i < n; i++)
        if (is_double[i]) {
            free(runs[i].name);
            runs[i].name = must_copy_text(runs[i].path);
        }
}

/* Options about bounds are for a model that has some. */
static int check_bounds(const report_run *runs, int n, const lt_report_options *o)
{
    bool has_bound = false;
    for (int i = 0; i < n; i++)
        has_bound |= lt_model_can(runs[i].e.model, LT_CAN_BOUND);
    if (has_bound || (o->images == 0 && o->nll_samples == 0))
        return LT_OK;
    return status_fail(LT_UNSUPPORTED, "options of bounds: %s has none", n == 1 ? runs[0].path : "no run here");
}

int lt_report_html(const char *const *runs, int n, const lt_report_options *options, unsigned char **bytes, size_t *size)
{
    lt_report_options o = options ? *options : (lt_report_options){.images = 0};
    *bytes = NULL;
    *size = 0;
    if (n < 1 || n > LT_MAX_REPORT_RUNS)
        return status_fail(LT_VALUE, "expected 1 to %d runs for a report, found %d", LT_MAX_REPORT_RUNS, n);
    report_run all[LT_MAX_REPORT_RUNS];
    int status = LT_OK, opened = 0;
    page p = {.to = NULL};
    o.nll_samples = o.nll_samples == 0 ? DEFAULT_DRAWS : o.nll_samples < 0 ? 0 : o.nll_samples;
    while (opened < n && status == LT_OK) {
        status = report_open(&all[opened], &o, runs[opened]);
        opened++;
    }
    if (status == LT_OK && options)
        status = check_bounds(all, n, options);
    if (status == LT_OK) {
        tell_apart(all, n);
        status = write_page(&(report_content){.page = &p, .request = &o, .runs = all, .n = n}, bytes, size);
    }
    page_clear(&p);
    for (int i = 0; i < opened; i++)
        report_close(&all[i]);
    return status;
}
