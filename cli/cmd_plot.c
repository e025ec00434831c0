/* SPDX-License-Identifier: MIT */
/* latent plot: charts of runs. Adding a kind is a function and a row here. */
#include "plot_kinds.h"

#include <string.h>

/* name, function, options that not all kinds have, one line. For example X(curves, plot_curves,
   "by", "...") becomes the row {"curves", plot_curves, "by"} and the line "  curves: ..." of the
   help screen. */
#define PLOT_KINDS(X)                                                                              \
    X(curves, plot_curves, "by from smooth log-x log-y",                                          \
      "what training wrote down: loss, rate, distortion, critics")                                \
    X(rate-distortion, plot_tradeoff, "from",                                                     \
      "the way of each run in the plane of rate and distortion")                                  \
    X(latents, plot_latents, "number split data ellipses",                                        \
      "a map of the codes of images, coloured by label")                                          \
    X(histogram, plot_histogram, "number split data latents bins",                                \
      "two latents of many images, counted in bins, beside N(0, I)")                              \
    X(activity, plot_activity, "number split data",                                               \
      "what each latent says about the images: its KL, or its variance")                          \
    X(bounds, plot_bounds, "number split data", "the bound of K draws against K, from 1 to 500")

static const struct plot_kind {
    const char *name;
    plot_function *draw;
    const char *options;
} kinds[] = {
#define X(name, draw, options, line) {#name, draw, options},
    PLOT_KINDS(X)
#undef X
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static const struct plot_kind *find_kind(const command *c, const char *word)
{
    const char *names[N_KINDS + 1] = {NULL};
    for (int i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].name, word) == 0)
            return &kinds[i];
        names[i] = kinds[i].name;
    }
    complain(c, CODE_USAGE, "'%s' is not a kind of picture%s (see: latent help plot)", word,
             suggestion(word, names));
    return NULL;
}

/* An option that only other kinds have is an error. Gives the exit code. */
static int check_options(const command *c, const command_line *line, const struct plot_kind *kind)
{
    for (const flag *f = line->flags; f->name; f++) {
        char takers[128] = "";
        for (int i = 0; i < N_KINDS && flag_is_given(line, f->name); i++)
            if (is_listed(kinds[i].options, f->name)) {
                size_t used = strlen(takers);
                snprintf(takers + used, sizeof takers - used, "%s%s", used ? ", " : "",
                         kinds[i].name);
            }
        if (takers[0] && !is_listed(kind->options, f->name))
            return complain(c, CODE_USAGE, "--%s goes with %s, not with %s", f->name, takers,
                            kind->name);
    }
    return CODE_DONE;
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
        {"output", 'o', FLAG_CHART, &q.out, "FILE",
         "FILE.png, .jpg, .webp, .svg or .pdf; or .csv, the numbers behind it; default: KIND.png", 0, 0, NULL},
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
    const struct plot_kind *kind = find_kind(c, line.operand[0]);
    int code = kind ? check_options(c, &line, kind) : CODE_USAGE;
    if (code == CODE_DONE)
        code = kind->draw(&q, line.n - 1, line.operand + 1);
    command_line_clear(&line);
    return code;
}

#define X(name, draw, options, line) "\n  " #name ": " line
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
