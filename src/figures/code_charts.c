/* SPDX-License-Identifier: MIT */
/* Charts of the codes of images, one per run. */
#include "figures/run_charts.h"

#include "base/shell.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_IMAGES = 10000 };

int check_run_count(int n)
{
    return n >= 1 && n <= LT_MAX_FIGURE_RUNS
               ? LT_OK
               : status_fail(LT_VALUE, "a figure of %d runs: expected 1 to %d", n, LT_MAX_FIGURE_RUNS);
}

void figure_set_page(lt_figure *f, const lt_chart *charts, int n, const char *title, double shape)
{
    f->page = (lt_chart_page){.title = title ? arena_copy_text(&f->memory, title) : NULL, .charts = charts,
                              .n_charts = n, .shape = shape};
    f->info.n = n;
    f->info.title = f->page.title ? f->page.title : n == 1 ? charts[0].title : NULL;
    f->info.subtitle = n == 1 ? charts[0].subtitle : NULL;
}

int code_chart_encode(const code_chart *c, lt_codes *codes)
{
    int all = lt_dataset_describe(c->data)->n[c->split];
    lt_codes_options o = {.images = c->of->images < all ? c->of->images : 0, .run = c->of->run};
    return lt_encode_split(c->m, c->data, c->split, &o, codes);
}

int code_chart_check(const code_chart *c, const lt_codes *codes, const float *values)
{
    for (int64_t i = 0; i < (int64_t)codes->n * codes->latent; i++)
        if (!isfinite(values[i]))
            return status_fail(LT_VALUE, "%s: expected finite codes, found %g in that of %s image %d", c->checkpoint,
                               (double)values[i], lt_split_name(codes->split), (int)codes->index[i / codes->latent]);
    return LT_OK;
}

/* Opens model and data; the caller frees them in any case. */
static int open_run(code_chart *c, const char *run, int min_latents)
{
    char digest[LT_DIGEST_SIZE];
    LT_TRY(lt_run_model(run, &c->checkpoint, digest, &c->m));
    LT_TRY(lt_model_open_data(c->m, c->of->data, NULL, 0, &c->data));
    LT_TRY(lt_model_check_data(c->m, c->data));
    if (!lt_model_can(c->m, LT_CAN_ENCODE))
        return status_fail(LT_VALUE, "%s: a model without an encoder has no codes of images", run);
    if (lt_model_latent(c->m) >= min_latents)
        return LT_OK;
    char *word = shell_word(run);
    status_fail(LT_VALUE, "%s: one latent alone has no map; its KL is drawn by: latent plot activity %s", run, word);
    free(word);
    return LT_VALUE;
}

static int draw_run(code_chart *c, const char *run, int min_latents, code_chart_function *draw)
{
    int status = open_run(c, run, min_latents);
    if (status == LT_OK) {
        c->split = lt_dataset_split(c->data, c->split);
        status = draw(c);
    }
    lt_dataset_free(c->data);
    lt_model_free(c->m);
    free(c->checkpoint);
    return status;
}

static int draw_runs(lt_figure *f, const char *const *runs, int n, code_chart *each, int min_latents,
                     code_chart_function *draw, double shape)
{
    LT_TRY(check_run_count(n));
    lt_chart *charts = FIGURE_ARRAY(f, lt_chart, n);
    const char *title = each->of->title;
    for (int i = 0; i < n; i++) {
        code_chart c = *each;
        LT_TRY(draw_run(&c, runs[i], min_latents, draw));
        charts[i] = c.chart;
        char *name = lt_run_name(runs[i]);
        charts[i].title = arena_copy_text(&f->memory, n == 1 && title ? title : name);
        charts[i].subtitle = arena_copy_text(&f->memory, c.subtitle);
        free(name);
    }
    figure_set_page(f, charts, n, n > 1 ? title : NULL, shape);
    return LT_OK;
}

int draw_code_charts(const char *const *runs, int n, lt_split split, const lt_chart_data *of, const void *options,
                     int min_latents, code_chart_function *draw, double shape, lt_figure **out)
{
    lt_figure *f = figure_create(LT_FIGURE_CHARTS);
    lt_chart_data some = *of;
    some.images = some.images ? some.images : DEFAULT_IMAGES;
    code_chart each = {.f = f, .split = split, .of = &some, .options = options};
    return figure_finish(f, draw_runs(f, runs, n, &each, min_latents, draw, shape), out);
}
