/* SPDX-License-Identifier: MIT */
/* Pictures of reports: each is drawn by what its own command calls, and kept by the page. */
#include "report.h"

#include "manifold.h"
#include "reconstruct.h"
#include "sample.h"
#include "traverse.h"

#include <string.h>

enum { CHART_WIDTH = 400, CHART_HEIGHT = 280, CHART_TEXT = 12, TILE = 96, REST = 160 };

/* Pictures with captions have two pixels a unit, in which their text is 12 high: a little larger than that where
   there is room, and not much smaller on a phone. */
static const double paper_scale = 0.66;

/* Pixels of a tile per pixel of an image, so that the picture is as wide as a phone. */
static int paper_zoom(const report_run *r, int tile)
{
    lt_image_size s = lt_model_image_size(r->e.t.model);
    int longest = s.h > s.w ? s.h : s.w;
    return longest < tile ? tile / longest : 1;
}

/* ---- Commands ---- */

void report_put_words(page *p, const report_request *q, const char *verb, int n,
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

void report_put_command(page *p, const report_request *q, const char *verb, int n,
                        const char *const *paths, int with, const char *rest)
{
    page_html(p, "<p class=\"command\"><code>");
    report_put_words(p, q, verb, n, paths, with, rest);
    page_html(p, "</code></p>\n");
}

/* ---- Charts ---- */

typedef struct taker {
    page *page;
    const command *command;
    const report_request *request;
    const char *kind, *title; /* of latent plot; Nullable: title */
    int n, n_charts;
    const char *const *paths;
    lt_picture_options options;
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
    int status = lt_chart_write(PAGE_SVG, chart, &t->options);
    page_html(t->page, "<figure class=\"chart\">\n");
    if (status == LT_OK)
        status = page_image(t->page, "chart", PAGE_SVG, 0, alt);
    page_html(t->page, "<figcaption><details class=\"command\"><summary>Command</summary><p><code>");
    put_chart_words(t, i);
    page_html(t->page, "</code></p></details></figcaption>\n</figure>\n");
    return status == LT_OK ? CODE_DONE : complain_library(t->command, status);
}

/* Charts one by one, so that the page can set them side by side or below each other. */
static int take_figure(void *user, const lt_chart_page *f, double shape)
{
    taker *t = user;
    int code = CODE_DONE;
    t->options = (lt_picture_options){.width = CHART_WIDTH, .height = CHART_HEIGHT, .text = CHART_TEXT};
    if (shape > 0)
        t->options.height = (int)(CHART_WIDTH / shape + 0.5);
    t->n_charts = f->n_charts;
    for (int i = 0; i < f->n_charts && code == CODE_DONE; i++)
        code = take_chart(t, &f->charts[i], i);
    return code;
}

int report_put_charts(page *p, const report_request *q, plot_function *draw, const char *title,
                      int n, const char *const *paths)
{
    taker t = {.page = p, .command = q->command, .request = q, .kind = plot_kind_name(draw), .title = title,
               .n = n, .paths = paths};
    plot_request request = {.command = q->command, .title = title, .smooth = -1,
                            .split = LT_TEST, .threads = q->threads, .data = q->data,
                            .take = take_figure, .user = &t};
    return draw(&request, n, paths);
}

/* ---- Images ---- */

/* What it is asked: a picture for the page. Nullable: title (the run's name). */
static figure_request paper_request(const report_request *q, const report_run *r,
                                    const char *title)
{
    return (figure_request){.command = q->command, .run = r->path, .title = title,
                            .out = PAGE_PNG, .threads = q->threads,
                            .split = LT_TEST, .is_quiet = true};
}

/* The picture that was drawn with `code`, and what is written beside it. `verb` makes it with `rest`. */
static int put_figure(page *p, const report_request *q, const report_run *r, int code, const char *kind,
                      const char *alt, const char *words, const char *verb, int with, const char *rest)
{
    if (code != CODE_DONE)
        return code;
    page_html(p, "<figure class=\"%s\">\n", kind);
    int status = page_image(p, kind, PAGE_PNG, strcmp(kind, "paper") == 0 ? paper_scale : 1, alt);
    page_html(p, "<figcaption><p>");
    page_prose(p, words);
    page_html(p, "</p>\n");
    report_put_command(p, q, verb, 1, &r->path, with, rest);
    page_html(p, "</figcaption>\n</figure>\n");
    return status == LT_OK ? CODE_DONE : complain_library(q->command, status);
}

static int exit_code(const report_request *q, int status)
{
    return status == LT_OK ? CODE_DONE : complain_library(q->command, status);
}

/* Of a model with classes, if they are not too many, a row of each. */
int report_put_samples(page *p, const report_request *q, const report_run *r, int columns,
                       int rows)
{
    enum { MOST_CLASSES = 20, OF_A_CLASS = 8 };
    char alt[128], rest[REST];
    int classes = lt_model_classes(r->e.t.model);
    bool is_of_all = classes > 0 && classes <= MOST_CLASSES;
    sample_request what = {.all = paper_request(q, r, NULL), .class = is_of_all ? "all" : NULL,
                           .n = is_of_all ? OF_A_CLASS : rows * columns, .columns = is_of_all ? 0 : columns};
    trained t = r->e.t; /* borrowed */
    what.all.seed = q->seed;
    what.all.zoom = is_of_all ? paper_zoom(r, TILE) : 0;
    int code = exit_code(q, sample(&t, &what));
    if (is_of_all)
        snprintf(rest, sizeof rest, " --class all --images %d --zoom %d -o samples.png", OF_A_CLASS,
                 paper_zoom(r, TILE));
    else
        snprintf(rest, sizeof rest, " --images %d --columns %d -o samples.png", rows * columns, columns);
    snprintf(alt, sizeof alt, "%d images drawn from the model, in rows of %d%s",
             is_of_all ? classes * OF_A_CLASS : rows * columns, is_of_all ? OF_A_CLASS : columns,
             is_of_all ? "; each row is one class" : "");
    return put_figure(p, q, r, code, is_of_all ? "paper" : "images", alt,
                      is_of_all ? "What the generator makes of the same codes, one row for each class, none "
                                  "chosen by hand."
                      : lt_model_has_likelihood(r->e.t.model)
                          ? "E[x|z] at codes z drawn from the prior, none chosen by hand."
                          : "What the generator makes of codes drawn from the prior, none chosen by hand.",
                      "sample", WITH_SEED, rest);
}

int report_put_reconstructions(page *p, const report_request *q, const report_run *r,
                               int columns, int rows)
{
    char alt[128], rest[REST], words[160];
    trained t = r->e.t; /* borrowed */
    reconstruct_request what = {.all = paper_request(q, r, NULL), .n = rows * columns,
                                .columns = columns};
    what.all.zoom = paper_zoom(r, TILE);
    int code = exit_code(q, reconstruct(&t, &what));
    snprintf(alt, sizeof alt, "%d images, each above its reconstruction", (int)what.n);
    snprintf(rest, sizeof rest, " --images %d --columns %d --zoom %d -o reconstructions.png", rows * columns,
             columns, paper_zoom(r, TILE));
    snprintf(words, sizeof words, "The first %s images, each above E[x|z] at the mean of q(z|x).",
             lt_split_name(r->split));
    return put_figure(p, q, r, code, "paper", alt, words, "reconstruct", WITH_DATA, rest);
}

int report_put_traversals(page *p, const report_request *q, const report_run *r)
{
    trained t = r->e.t; /* borrowed */
    traverse_request what = {.all = paper_request(q, r, "The latents, one by one"),
                             .image = TRAVERSE_NONE};
    char rest[REST];
    what.all.seed = TRAVERSE_NONE;
    what.all.zoom = paper_zoom(r, TILE);
    int code = traverse(&t, &what);
    snprintf(rest, sizeof rest, " --title 'The latents, one by one' --zoom %d -o traverse.png",
             paper_zoom(r, TILE));
    bool has_encoder = lt_model_has_encoder(t.model);
    return put_figure(p, q, r, code, "paper",
                      "A row for each of the first latents: what the decoder makes of its "
                      "quantiles, the others being kept",
                      has_encoder ? "Each row takes one latent through the quantiles of N(0, 1), from .05 to "
                                    ".95, and keeps the others at 0: what it means to the decoder. The rows "
                                    "are those that say most about images, with what they say: their KL."
                                  : "Each row takes one latent through the quantiles of N(0, 1), from .05 to "
                                    ".95, and keeps the others: those that change the image most.",
                      "traverse", WITH_DATA, rest);
}

/* Smaller images than elsewhere, since they are many. */
int report_put_manifold(page *p, const report_request *q, const report_run *r, int n)
{
    enum { SIDE = 56 };
    char rest[REST];
    int zoom = paper_zoom(r, SIDE);
    trained t = r->e.t; /* borrowed */
    manifold_request what = {.all = paper_request(q, r, "The plane of both latents"), .n = n};
    what.all.zoom = zoom;
    int code = manifold(&t, &what);
    snprintf(rest, sizeof rest, " --side %d --zoom %d --title 'The plane of both latents' -o manifold.png",
             n, zoom);
    return put_figure(p, q, r, code, "paper",
                      "What the decoder makes of places all over the plane of its two latents",
                      "E[x|z] all over the plane of both latents. Places are quantiles of N(0, 1), so that equal "
                      "parts of the picture are equally probable.",
                      "manifold", 0, rest);
}
