/* SPDX-License-Identifier: MIT */
/* latent plot: charts of runs. Adding a kind is a function and a row here. */
#include "shared_options.h"
#include "plot_kinds.h"

#include <string.h>

/* name, function, one line. For example X(curves, plot_curves, "...") becomes the row {"curves",
   plot_curves} and the line "  curves: ..." of the help screen. Options name the kinds that have them. */
#define PLOT_KINDS(X)                                                                              \
    X(curves, plot_curves, "what training wrote down: loss, rate, distortion, critics")            \
    X(rate-distortion, plot_tradeoff, "the way of each run in the plane of rate and distortion")   \
    X(latents, plot_latents, "a map of the codes of images, coloured by label")                    \
    X(histogram, plot_histogram, "two latents of many images, counted in bins, beside N(0, I)")    \
    X(activity, plot_activity, "what each latent says about the images: its KL, or its variance")  \
    X(bounds, plot_bounds, "the bound of K draws against K, from 1 to 500")

static const struct plot_kind {
    const char *name;
    plot_function *draw;
} kinds[] = {
#define X(name, draw, line) {#name, draw},
    PLOT_KINDS(X)
#undef X
};
#define OF_IMAGES "latents histogram activity bounds"
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

const char *plot_kind_name(plot_function *draw)
{
    for (int i = 0; i < N_KINDS; i++)
        if (kinds[i].draw == draw)
            return kinds[i].name;
    return NULL;
}

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

int plot_write(const plot_request *q, const lt_chart_page *f, double shape)
{
    if (q->take)
        return q->take(q->user, f, shape);
    if (q->chart > f->n_charts)
        return complain(q->command, CODE_USAGE, "--chart: there %s %d, found %jd",
                        f->n_charts == 1 ? "is" : "are", f->n_charts, (intmax_t)q->chart);
    const lt_chart_page one = {.charts = q->chart ? &f->charts[q->chart - 1] : NULL, .n_charts = 1};
    f = q->chart ? &one : f;
    lt_picture_options o = {.width = (double)q->width, .height = (double)q->height,
                            .text = (double)q->text};
    if (shape > 0 && o.width == 0 && o.height == 0) {
        int columns = f->n_charts < 4 ? f->n_charts : f->n_charts == 4 ? 2 : 3;
        int rows = (f->n_charts + columns - 1) / columns;
        double width = f->n_charts == 1 ? 640 : 400;
        o.width = columns * width;
        o.height = rows * width / shape;
    }
    int status = lt_chart_page_write(q->out, f, &o);
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
        {OPTION_OUTPUT, .kind = FLAG_CHART, .value = &q.out, .note = NOTE_CHART "; default: KIND.png"},
        {.name = "by", .kind = FLAG_CHOICE, .value = &q.by, .operand = "UNIT", .actions = "curves",
         .help = "count epoch, step or seconds along the x axis; default: epochs where each has one line",
         .choices = by_names},
        {.name = "from", .kind = FLAG_COUNT, .value = &q.from, .operand = "N",
         .actions = "curves rate-distortion", .max = INT64_MAX,
         .help = "leave out what is before: the first steps may be far from the rest"},
        {.name = "smooth", .kind = FLAG_COUNT, .value = &q.smooth, .operand = "N", .actions = "curves",
         .help = "draw the mean over about N lines of the log over the faint curve; default: a 100th of "
                 "the log if it has 200 lines", .max = 1000000},
        {.name = "log-x", .kind = FLAG_SWITCH, .value = &q.log_x, .actions = "curves",
         .help = "logarithmic x axis"},
        {.name = "log-y", .kind = FLAG_SWITCH, .value = &q.log_y, .actions = "curves",
         .help = "logarithmic y axes where all is positive"},
        {OPTION_IMAGES, .value = &q.images, .actions = OF_IMAGES, .min = 2, .max = INT32_MAX,
         .note = "spread over the split; default: 10000, for bounds 300"},
        {.name = "ellipses", .kind = FLAG_COUNT, .value = &q.ellipses, .operand = "N",
         .actions = "latents", .min = 1, .max = 100000,
         .help = "around N of the points one standard deviation of q(z|x); default: none"},
        {.name = "latents", .kind = FLAG_TEXT, .value = &q.latents, .operand = "A,B",
         .actions = "histogram",
         .help = "these two, counted from 0; default: those whose means vary most"},
        {.name = "bins", .kind = FLAG_COUNT, .value = &q.bins, .operand = "N", .actions = "histogram",
         .help = "in each direction; default: 50", .min = 1, .max = 1000},
        {OPTION_SPLIT, .value = &q.split, .actions = OF_IMAGES, .note = NOTE_TEST},
        {OPTION_DATA, .value = &q.data, .actions = OF_IMAGES},
        {OPTION_THREADS, .value = &q.threads},
        {OPTION_TITLE, .value = &q.title, .note = NOTE_TITLE},
        {.name = "width", .is_of_picture = true, .letter = 'w', .kind = FLAG_COUNT, .value = &q.width, .operand = "N",
         .help = "units of 1/72 inch, 2 pixels each in a PNG", .min = 100, .max = 8000},
        {.name = "height", .is_of_picture = true, .kind = FLAG_COUNT, .value = &q.height, .operand = "N",
         .help = "the same", .min = 70, .max = 8000},
        {.name = "text", .is_of_picture = true, .kind = FLAG_COUNT, .value = &q.text, .operand = "N",
         .help = "size of the text in these units; default: 12, and larger or smaller with the picture",
         .min = 4, .max = 100},
        {.name = "chart", .kind = FLAG_COUNT, .value = &q.chart, .operand = "N",
         .help = "only the N-th chart of those that there are; default: all", .min = 1, .max = 100},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    char out[32];
    snprintf(out, sizeof out, "%.20s.png", line.operand[0]);
    q.out = q.out ? q.out : out;
    const struct plot_kind *kind = find_kind(c, line.operand[0]);
    int code = kind ? check_output(c, "output", q.out) : CODE_USAGE;
    if (code == CODE_DONE)
        code = kind->draw(&q, line.n - 1, line.operand + 1);
    for (int i = 1; i < line.n && code == CODE_DONE; i++)
        warn_of_run_data(line.operand[i], q.out);
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
