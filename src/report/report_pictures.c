/* SPDX-License-Identifier: MIT */
/* Pictures of reports: each is drawn by what its own command calls, and kept by the page. */
#include "report/report_parts.h"

#include "base/memory.h"

#include <latent/figures.h>
#include <latent/runs.h>

#include <stdlib.h>
#include <string.h>

enum { CHART_WIDTH = 400, CHART_HEIGHT = 280, CHART_TEXT = 12, TILE = 96, REST = 160 };

/* Pictures with captions have two pixels a unit, in which their text is 12 high: a little larger than that where
   there is room, and not much smaller on a phone. */
static const double paper_scale = 0.66;

/* Pixels of a tile per pixel of an image, so that the picture is as wide as a phone. */
static int paper_zoom(const report_run *r, int tile)
{
    lt_image_size s = lt_model_image_size(r->e.model);
    int longest = s.h > s.w ? s.h : s.w;
    return longest < tile ? tile / longest : 1;
}

/* ---- Commands ---- */

void report_put_words(page *p, const lt_report_options *q, const char *verb, int n,
                      const char *const *paths, int with, const char *rest)
{
    page_html(p, "latent %s", verb);
    for (int i = 0; i < n; i++) {
        page_html(p, " ");
        page_word(p, paths[i]);
    }
    while (*rest) { /* word by word, so that lines break between them alone */
        rest += strspn(rest, " ");
        size_t size = strcspn(rest, " ");
        page_html(p, " <span>");
        page_text(p, "%.*s", (int)size, rest);
        page_html(p, "</span>");
        rest += size;
    }
    if (with & WITH_DATA && q->data) {
        page_html(p, " --data ");
        page_word(p, q->data);
    }
    if (with & WITH_SEED && q->seed)
        page_html(p, " --seed %jd", (intmax_t)q->seed);
}

void report_put_command(page *p, const lt_report_options *q, const char *verb, int n,
                        const char *const *paths, int with, const char *rest)
{
    page_html(p, "<p class=\"command\"><code>");
    report_put_words(p, q, verb, n, paths, with, rest);
    page_html(p, "</code></p>\n");
}

/* ---- Charts ---- */

typedef struct taker {
    page *page;
    const lt_report_options *request;
    const char *kind, *title; /* of latent plot. Nullable: title */
    int n, n_charts;
    const char *const *paths;
    lt_render_options options;
} taker;

static void put_chart_words(const taker *t, int i)
{
    char verb[64], rest[REST];
    snprintf(verb, sizeof verb, "plot %s", t->kind);
    if (t->n_charts > 1)
        snprintf(rest, sizeof rest, " --chart %d --width %d --height %d --text %d -o %s-%d.svg", i + 1,
                 CHART_WIDTH, (int)t->options.height, CHART_TEXT, t->kind, i + 1);
    else
        snprintf(rest, sizeof rest, " --width %d --height %d --text %d -o %s.svg", CHART_WIDTH,
                 (int)t->options.height, CHART_TEXT, t->kind);
    bool is_of_log = strcmp(t->kind, "curves") == 0;
    report_put_words(t->page, t->request, verb, t->n, t->paths, is_of_log ? 0 : WITH_DATA, rest);
    if (t->title) {
        page_html(t->page, " --title ");
        page_word(t->page, t->title);
    }
}

/* The chart, and folded away what makes it. */
static int take_chart(const taker *t, const lt_chart *chart, int i)
{
    char alt[512];
    snprintf(alt, sizeof alt, "Chart: %s%s%s", chart->title ? chart->title : "",
             chart->y.label ? ", " : "", chart->y.label ? chart->y.label : "");
    const lt_chart_page one = {.charts = chart, .n_charts = 1};
    unsigned char *bytes;
    size_t n;
    int status = lt_chart_page_encode(&one, "svg", &t->options, &bytes, &n);
    page_html(t->page, "<figure class=\"chart\">\n");
    if (status == LT_OK) {
        page_take_picture(t->page, bytes, n);
        status = page_image(t->page, "chart", "svg", 0, alt);
    }
    page_html(t->page, "<figcaption><details class=\"command\"><summary>Command</summary><p><code>");
    put_chart_words(t, i);
    page_html(t->page, "</code></p></details></figcaption>\n</figure>\n");
    return status;
}

/* The figure of a kind of latent plot. Nullable: title. A status. */
static int make_charts(const lt_report_options *q, const char *kind, const char *title, int n, const char *const *paths,
                       lt_figure **f)
{
    const lt_chart_data of = {.data = q->data, .title = title, .run = q->run};
    if (strcmp(kind, "curves") == 0)
        return lt_figure_curves(paths, n, &(lt_curves_options){.title = title}, f);
    if (strcmp(kind, "latents") == 0)
        return lt_figure_latents(paths, n, LT_TEST, &(lt_latents_options){.of = of}, f);
    if (strcmp(kind, "histogram") == 0)
        return lt_figure_histogram(paths, n, LT_TEST, &(lt_histogram_options){.of = of}, f);
    return lt_figure_activity(paths, n, LT_TEST, &of, f);
}

/* Charts one by one, so that the page can set them side by side or below each other. */
int report_put_charts(page *p, const lt_report_options *q, const char *kind, const char *title,
                      int n, const char *const *paths)
{
    taker t = {.page = p, .request = q, .kind = kind, .title = title, .n = n, .paths = paths,
               .options = {.width = CHART_WIDTH, .height = CHART_HEIGHT, .text = CHART_TEXT}};
    lt_figure *f;
    int status = make_charts(q, kind, title, n, paths, &f);
    if (status != LT_OK)
        return status;
    const lt_chart_page *charts = lt_figure_charts(f);
    for (int i = 0; q->on_note && lt_figure_note(f, i); i++)
        q->on_note(q->run.user, lt_figure_note(f, i));
    if (charts->shape > 0)
        t.options.height = (int)(CHART_WIDTH / charts->shape + 0.5);
    t.n_charts = charts->n_charts;
    for (int i = 0; i < t.n_charts && status == LT_OK; i++)
        status = take_chart(&t, &charts->charts[i], i);
    lt_figure_free(f);
    return status;
}

/* ---- Images ---- */

/* Gives the page a figure that was made with `status`, and frees it. A status. */
static int take_figure(page *p, int status, lt_figure *f)
{
    unsigned char *bytes;
    size_t n;
    if (status == LT_OK)
        status = lt_figure_encode(f, "png", NULL, &bytes, &n);
    if (status == LT_OK)
        page_take_picture(p, bytes, n);
    lt_figure_free(f);
    return status;
}

/* The picture that was drawn with `status`, and what is written beside it. `verb` makes it with `rest`. */
static int put_figure(page *p, const lt_report_options *q, const report_run *r, int status, const char *kind,
                      const char *alt, const char *words, const char *verb, int with, const char *rest)
{
    if (status != LT_OK)
        return status;
    page_html(p, "<figure class=\"%s\">\n", kind);
    status = page_image(p, kind, "png", strcmp(kind, "paper") == 0 ? paper_scale : 1, alt);
    page_html(p, "<figcaption><p>");
    page_prose(p, words);
    page_html(p, "</p>\n");
    report_put_command(p, q, verb, 1, &r->path, with, rest);
    page_html(p, "</figcaption>\n</figure>\n");
    return status;
}

/* Of a model with classes, if they are not too many, a row of each. */
int report_put_samples(page *p, const lt_report_options *q, const report_run *r, int columns,
                       int rows)
{
    enum { MAX_CLASSES = 20, OF_A_CLASS = 8 };
    char alt[128], rest[REST];
    int classes = lt_model_classes(r->e.model);
    bool is_of_all = classes > 0 && classes <= MAX_CLASSES;
    char *name = lt_run_name(r->path);
    lt_samples_options o = {.each_class = is_of_all, .n = is_of_all ? OF_A_CLASS : rows * columns,
                            .columns = is_of_all ? 0 : columns, .seed = q->seed,
                            .title = is_of_all ? name : NULL, .zoom = is_of_all ? paper_zoom(r, TILE) : 0,
                            .threads = q->run.threads};
    lt_figure *f;
    int status = lt_figure_samples(r->e.model, r->e.data, &o, &f);
    status = take_figure(p, status, f);
    free(name);
    if (is_of_all)
        snprintf(rest, sizeof rest, " --class all --images %d --zoom %d -o samples.png", OF_A_CLASS,
                 paper_zoom(r, TILE));
    else
        snprintf(rest, sizeof rest, " --images %d --columns %d -o samples.png", rows * columns, columns);
    snprintf(alt, sizeof alt, "%d samples of the model, in rows of %d%s",
             is_of_all ? classes * OF_A_CLASS : rows * columns, is_of_all ? OF_A_CLASS : columns,
             is_of_all ? "; each row is one class" : "");
    return put_figure(p, q, r, status, is_of_all ? "paper" : "images", alt,
                      is_of_all ? "Samples of each class, one row per class, from the same codes; none chosen by "
                                  "hand."
                      : lt_model_can(r->e.model, LT_CAN_BOUND)
                          ? "E[x|z] at codes z sampled from the prior; none chosen by hand."
                          : "The generator at codes sampled from the prior; none chosen by hand.",
                      "sample", WITH_SEED, rest);
}

int report_put_reconstructions(page *p, const lt_report_options *q, const report_run *r,
                               int columns, int rows)
{
    char alt[128], rest[REST], words[160];
    char *name = lt_run_name(r->path);
    lt_reconstructions_options o = {.n = rows * columns, .columns = columns, .title = name,
                                    .zoom = paper_zoom(r, TILE), .threads = q->run.threads};
    lt_figure *f;
    int status = lt_figure_reconstructions(r->e.model, r->e.data, LT_TEST, &o, &f);
    int n = status == LT_OK ? lt_figure_describe(f)->n_images : 0;
    status = take_figure(p, status, f);
    free(name);
    snprintf(alt, sizeof alt, "%d images, each above its reconstruction", n);
    snprintf(rest, sizeof rest, " --images %d --columns %d --zoom %d -o reconstructions.png", rows * columns,
             columns, paper_zoom(r, TILE));
    snprintf(words, sizeof words, "The first %s images, each above E[x|z] at the mean of q(z|x).",
             lt_split_name(r->split));
    return put_figure(p, q, r, status, "paper", alt, words, "reconstruct", WITH_DATA, rest);
}

int report_put_traversals(page *p, const lt_report_options *q, const report_run *r)
{
    lt_traversal_options o = {.title = "The latents, one by one", .zoom = paper_zoom(r, TILE),
                              .threads = q->run.threads};
    char rest[REST];
    lt_figure *f;
    int status = lt_figure_traversal(r->e.model, r->e.data, LT_TEST, &o, &f);
    status = take_figure(p, status, f);
    snprintf(rest, sizeof rest, " --title 'The latents, one by one' --zoom %d -o traverse.png",
             paper_zoom(r, TILE));
    bool has_posterior = lt_model_can(r->e.model, LT_CAN_POSTERIOR);
    bool has_prior = lt_model_can(r->e.model, LT_CAN_SAMPLE);
    return put_figure(p, q, r, status, "paper",
                      "A row for each of the first latents: decoded images along it, the other latents "
                      "fixed",
                      !has_prior ? "Each row moves one latent through the range of the codes of images and keeps the others "
                                   "fixed. Rows are the latents that change the image most."
                      : has_posterior ? "Each row moves one latent through the quantiles of N(0, 1), from .05 to "
                                    ".95, and keeps the others at 0. Rows are the latents with the largest "
                                    "KL, which is given."
                                  : "Each row moves one latent through the quantiles of N(0, 1), from .05 to "
                                    ".95, and keeps the others fixed. Rows are the latents that change the "
                                    "image most.",
                      "traverse", WITH_DATA, rest);
}

/* Smaller images than elsewhere, since they are many. */
int report_put_manifold(page *p, const lt_report_options *q, const report_run *r, int n)
{
    enum { SIDE = 56 };
    char rest[REST];
    int zoom = paper_zoom(r, SIDE);
    lt_manifold_options o = {.side = n, .title = "The plane of both latents", .zoom = zoom, .threads = q->run.threads};
    lt_figure *f;
    int status = lt_figure_manifold(r->e.model, r->e.data, &o, &f);
    status = take_figure(p, status, f);
    snprintf(rest, sizeof rest, " --side %d --zoom %d --title 'The plane of both latents' -o manifold.png",
             n, zoom);
    return put_figure(p, q, r, status, "paper",
                      "Decoded images on a grid over the plane of the two latents",
                      "E[x|z] on a grid over the plane of both latents. Its points are quantiles of N(0, 1), so equal "
                      "areas are equally probable.",
                      "manifold", 0, rest);
}
