/* SPDX-License-Identifier: MIT */
/* Pictures of reports: each is drawn by what its own command calls, and kept by the page. */
#include "report.h"

#include "manifold.h"
#include "reconstruct.h"
#include "traverse.h"

#include <stdlib.h>

enum { CHART_WIDTH = 460, CHART_HEIGHT = 300, MAP_WIDTH = 600 };

/* ---- Charts ---- */

typedef struct taker {
    page *page;
    const command *command;
} taker;

/* Charts one by one, so that the page can set them side by side or below each other. */
static int take_figure(void *user, const lt_figure *f, double shape)
{
    const taker *t = user;
    lt_picture_options o = {.width = CHART_WIDTH, .height = CHART_HEIGHT};
    if (shape > 0)
        o = (lt_picture_options){.width = MAP_WIDTH, .height = MAP_WIDTH / shape};
    page_html(t->page, "<div class=\"charts%s\">\n", f->n_charts == 1 ? " single" : "");
    for (int i = 0; i < f->n_charts; i++) {
        char alt[512];
        const lt_chart *chart = &f->charts[i];
        snprintf(alt, sizeof alt, "Chart: %s%s%s", chart->title ? chart->title : "",
                 chart->y.label ? ", " : "", chart->y.label ? chart->y.label : "");
        int status = lt_chart_write(PAGE_SVG, chart, &o);
        if (status == LT_OK)
            status = page_image(t->page, "chart", PAGE_SVG, alt);
        if (status != LT_OK)
            return complain_library(t->command, status);
    }
    page_html(t->page, "</div>\n");
    return CODE_DONE;
}

int report_put_charts(page *p, const report_request *q, plot_function *draw, const char *title,
                      int n, const char *const *paths)
{
    taker t = {p, q->command};
    plot_request request = {.command = q->command, .title = title, .smooth = -1,
                            .split = LT_TEST, .threads = q->threads, .data = q->data,
                            .take = take_figure, .user = &t};
    return draw(&request, n, paths);
}

/* ---- Images ---- */

static int put_file(page *p, const report_request *q, int status, const char *alt)
{
    if (status == LT_OK)
        status = page_image(p, "images", PAGE_PNG, alt);
    return status == LT_OK ? CODE_DONE : complain_library(q->command, status);
}

/* Of a model with classes, a row of each of the first ones, of the same codes. */
static int draw_samples(const report_run *r, const report_request *q, int columns, int rows,
                        float *images)
{
    lt_model *m = r->e.t.model;
    lt_image_size s = lt_model_image_size(m);
    if (lt_model_classes(m) == 0)
        return lt_sample(m, rows * columns, (uint64_t)q->seed, (int)q->threads, images);
    for (int i = 0; i < rows; i++)
        LT_TRY(lt_sample_class(m, i, columns, (uint64_t)q->seed, (int)q->threads,
                               images + (size_t)(i * columns) * (size_t)(s.h * s.w * s.c)));
    return LT_OK;
}

int report_put_samples(page *p, const report_request *q, const report_run *r, int columns,
                       int rows)
{
    char alt[128];
    int classes = lt_model_classes(r->e.t.model);
    rows = classes == 0 ? rows : classes < 10 ? classes : 10;
    float *images = image_room(r->e.t.model, rows * columns);
    int status = draw_samples(r, q, columns, rows, images);
    if (status == LT_OK)
        status = write_grid(PAGE_PNG, r->e.t.model, images, rows * columns, columns);
    free(images);
    snprintf(alt, sizeof alt, "%d images drawn from the model, in rows of %d%s", rows * columns,
             columns, classes ? "; each row is one class" : "");
    return put_file(p, q, status, alt);
}

int report_put_reconstructions(page *p, const report_request *q, const report_run *r,
                               int columns, int rows)
{
    char alt[128];
    trained t = r->e.t; /* borrowed */
    reconstruct_request what = {.all = {.out = PAGE_PNG, .split = LT_TEST,
                                        .threads = q->threads, .is_plain = true, .is_quiet = true},
                                .n = rows * columns, .columns = columns};
    int status = reconstruct(&t, &what);
    snprintf(alt, sizeof alt, "%d images, each above its reconstruction", (int)what.n);
    return put_file(p, q, status, alt);
}

/* A figure with captions of its own, drawn with `code`. */
static int put_paper(page *p, const report_request *q, int code, const char *alt)
{
    if (code != CODE_DONE)
        return code;
    page_html(p, "<figure>\n");
    int status = page_image(p, "paper", PAGE_PNG, alt);
    page_html(p, "</figure>\n");
    return status == LT_OK ? CODE_DONE : complain_library(q->command, status);
}

/* What it is asked: a picture for the page, under this title. */
static figure_request paper_request(const report_request *q, const report_run *r,
                                    const char *title)
{
    return (figure_request){.command = q->command, .run = r->path, .title = title,
                            .out = PAGE_PNG, .threads = q->threads,
                            .split = LT_TEST, .is_quiet = true};
}

int report_put_traversals(page *p, const report_request *q, const report_run *r)
{
    trained t = r->e.t; /* borrowed */
    traverse_request what = {.all = paper_request(q, r, "The latents, one by one"),
                             .image = TRAVERSE_NONE};
    what.all.seed = TRAVERSE_NONE;
    return put_paper(p, q, traverse(&t, &what),
                     "A row for each of the first latents: what the decoder makes of its "
                     "quantiles, the others being kept");
}

int report_put_manifold(page *p, const report_request *q, const report_run *r, int n)
{
    trained t = r->e.t; /* borrowed */
    manifold_request what = {.all = paper_request(q, r, "The plane of both latents"),
                             .n = n};
    return put_paper(p, q, manifold(&t, &what),
                     "What the decoder makes of places all over the plane of its two latents");
}
