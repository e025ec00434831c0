/* SPDX-License-Identifier: MIT */
/* latent plot: charts of runs. Adding a kind is a function and a row here. */
#include "plot_kinds.h"

#include <string.h>

/* name, function, one line. For example X(curves, plot_curves, "...") becomes the row
   {"curves", plot_curves} and the line "  curves: ..." of the help screen. */
#define PLOT_KINDS(X)                                                                              \
    X(curves, plot_curves, "what training wrote down: loss, rate, distortion, critics")           \
    X(rate-distortion, plot_tradeoff, "the way of each run in the plane of rate and distortion")  \
    X(latents, plot_latents, "a map of the codes of images, coloured by label")                   \
    X(histogram, plot_histogram, "two latents of many images, counted in bins, beside N(0, I)")   \
    X(activity, plot_activity, "what each latent says about the images: its KL, or its variance") \
    X(bounds, plot_bounds, "the bound of K draws against K, from 1 to 500")

static const struct {
    const char *name;
    plot_function *draw;
} kinds[] = {
#define X(name, draw, line) {#name, draw},
    PLOT_KINDS(X)
#undef X
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static plot_function *find_kind(const command *c, const char *word)
{
    const char *names[N_KINDS + 1] = {NULL};
    for (int i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].name, word) == 0)
            return kinds[i].draw;
        names[i] = kinds[i].name;
    }
    complain(c, CODE_USAGE, "'%s' is not a kind of picture%s (see: latent help plot)", word,
             suggestion(word, names));
    return NULL;
}

int plot_write(const plot_request *q, const lt_figure *f, double shape)
{
    if (q->take)
        return q->take(q->user, f, shape);
    lt_picture_options o = {.width = (double)q->width, .height = (double)q->height};
    if (shape > 0 && o.width == 0 && o.height == 0) {
        int columns = f->n_charts < 4 ? f->n_charts : f->n_charts == 4 ? 2 : 3;
        int rows = (f->n_charts + columns - 1) / columns;
        double width = f->n_charts == 1 ? 640 : 400;
        o.width = columns * width;
        o.height = rows * width / shape;
    }
    int status = lt_figure_write(q->out, f, &o);
    if (status != LT_OK)
        return complain_library(q->command, status);
    say("%s: %d chart%s", q->out, f->n_charts, f->n_charts == 1 ? "" : "s");
    return CODE_DONE;
}

static int run(const command *c, int argc, const char **argv)
{
    static const char *const by_names[] = {"auto", "epoch", "step", "seconds", NULL};
    plot_request q = {.command = c, .smooth = -1, .split = LT_TEST};
    const flag flags[] = {
        {"output", 'o', FLAG_OUTPUT, &q.out, "FILE",
         "FILE.png, .jpg, .webp, .svg or .pdf; default: KIND.png", 0, 0, NULL},
        {"by", 0, FLAG_CHOICE, &q.by, "UNIT",
         "curves: count epoch, step or seconds along the x axis; default: epochs where each has "
         "one line", 0, 0, by_names},
        {"from", 0, FLAG_COUNT, &q.from, "N",
         "curves, rate-distortion: leave out what is before: the first steps may be "
         "far from the rest", 0, INT64_MAX, NULL},
        {"smooth", 0, FLAG_COUNT, &q.smooth, "N",
         "curves: draw the mean over about N lines of the log over the faint curve; default: a "
         "100th of the log if it has 200 lines", 0, 1000000, NULL},
        {"log-x", 0, FLAG_SWITCH, &q.log_x, NULL, "curves: logarithmic x axis", 0, 0, NULL},
        {"log-y", 0, FLAG_SWITCH, &q.log_y, NULL,
         "curves: logarithmic y axes where all is positive", 0, 0, NULL},
        {"number", 'n', FLAG_COUNT, &q.images, "N",
         "latents, histogram, activity, bounds: images, spread over the split; default: 10000, for "
         "bounds 300", 2, INT32_MAX, NULL},
        {"ellipses", 0, FLAG_COUNT, &q.ellipses, "N",
         "latents: around N of the points one standard deviation of q(z|x); default: none", 1,
         100000, NULL},
        {"latents", 0, FLAG_TEXT, &q.latents, "A,B",
         "histogram: these two, counted from 1; default: those whose means vary most", 0, 0, NULL},
        {"bins", 0, FLAG_COUNT, &q.bins, "N", "histogram: in each direction; default: 50", 1, 1000,
         NULL},
        FLAG_SPLIT(&q.split),
        FLAG_DATA(&q.data, "latents, histogram, activity, bounds: images of this data set instead "
                           "of the recipe's"),
        FLAG_THREADS(&q.threads),
        {"title", 0, FLAG_TEXT, &q.title, "TEXT", "title; default: the run's name", 0, 0, NULL},
        {"width", 0, FLAG_COUNT, &q.width, "N", "units of 1/72 inch, 2 pixels each in a PNG", 100,
         8000, NULL},
        {"height", 0, FLAG_COUNT, &q.height, "N", "the same", 70, 8000, NULL},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    char out[32];
    snprintf(out, sizeof out, "%.20s.png", line.operand[0]);
    q.out = q.out ? q.out : out;
    plot_function *draw = find_kind(c, line.operand[0]);
    int code = draw ? draw(&q, line.n - 1, line.operand + 1) : CODE_USAGE;
    command_line_clear(&line);
    return code;
}

#define X(name, draw, line) "\n  " #name ": " line
const command cmd_plot = {
    .name = "plot", .summary = "draw charts of runs: training curves, codes",
    .operands = "KIND RUN... [options]", .min_operands = 2, .max_operands = 1 + MAX_PLOT_RUNS,
    .about = "Draws runs, several of them in the same charts or side by side. RUN is the directory "
             "of a run. The end of FILE decides the format.\n\n"
             "KIND is one of:" PLOT_KINDS(X) "\n",
    .examples = "  latent plot curves runs/fashion-mlp-vae\n"
                "  latent plot bounds runs/iwae-1l runs/iwae-2l\n"
                "  latent plot latents runs/fashion-mlp-vae -n 60000 --split train -o map.png\n"
                "  latent plot histogram runs/fashion-mlp-vae --latents 3,7\n"
                "  latent plot curves runs/a runs/b --from 5 -o compared.svg\n",
    .run = run};
#undef X
