/* SPDX-License-Identifier: MIT */
/* latent plot: charts of runs. To add a kind, add a function and a row here. */
#include "figure_command.h"
#include "shared_options.h"

#include <stdlib.h>
#include <string.h>

typedef struct plot_request {
    const command *command;
    const char *out, *title;
    int64_t width, height, text; /* units; 0: default */
    int64_t chart;         /* only this one of the page, from 1; 0: all */
    int64_t from, smooth;  /* smooth: -1 is the default */
    bool log_x, log_y;
    int by; /* lt_curves_by */
    int64_t images;   /* 0: the default of the kind */
    int64_t ellipses, bins;
    const char *latents; /* "3,7"; NULL: those that vary most */
    int64_t threads;
    int split;        /* lt_split */
    const char *data; /* NULL: the recipe's */
} plot_request;

/* Makes the figure of the runs for a kind of charts. Returns a status, or an exit code (above 0) after a complaint. */
typedef int plot_function(const plot_request *q, const char *const *runs, int n, lt_figure **f);

/* ---- Kinds ---- */

static int plot_curves(const plot_request *q, const char *const *runs, int n, lt_figure **f)
{
    int smooth = q->smooth < 0 ? 0 : q->smooth == 0 ? -1 : (int)q->smooth;
    return lt_figure_curves(runs, n, &(lt_curves_options){.by = (lt_curves_by)q->by, .from = (double)q->from,
                                                          .smooth = smooth, .log_x = q->log_x, .log_y = q->log_y,
                                                          .title = q->title}, f);
}

static int plot_rate_distortion(const plot_request *q, const char *const *runs, int n, lt_figure **f)
{
    return lt_figure_rate_distortion(runs, n, &(lt_rate_distortion_options){(double)q->from, q->title}, f);
}

static lt_chart_data chart_data(const plot_request *q)
{
    return (lt_chart_data){.data = q->data, .images = (int)q->images, .title = q->title,
                           .run.threads = (int)q->threads};
}

static int plot_latents(const plot_request *q, const char *const *runs, int n, lt_figure **f)
{
    return lt_figure_latents(runs, n, (lt_split)q->split,
                             &(lt_latents_options){.of = chart_data(q), .ellipses = (int)q->ellipses}, f);
}

/* Checks --latents against each run before data is opened. Errors of runs are reported later. Returns the exit code. */
static int read_latents(const plot_request *q, const char *const *runs, int n, int two[2])
{
    for (int i = 0; i < n; i++) {
        lt_model *m;
        int latent = lt_model_open(runs[i], &m) == LT_OK ? lt_model_latent(m) : 0;
        bool has_two = m && lt_model_can(m, LT_CAN_ENCODE) && latent > 1;
        lt_model_free(m);
        if (!has_two)
            return CODE_DONE;
        if (!read_numbers(q->command, "latents", q->latents, 2, 0, latent - 1, two))
            return CODE_USAGE;
        if (two[0] == two[1])
            return complain(q->command, CODE_USAGE, "--latents: expected two that differ, found '%s'", q->latents);
    }
    return CODE_DONE;
}

static int plot_histogram(const plot_request *q, const char *const *runs, int n, lt_figure **f)
{
    int two[2] = {0, 1};
    if (q->latents && read_latents(q, runs, n, two) != CODE_DONE)
        return CODE_USAGE;
    return lt_figure_histogram(runs, n, (lt_split)q->split,
                               &(lt_histogram_options){.of = chart_data(q), .latents = q->latents ? two : NULL,
                                                       .bins = (int)q->bins}, f);
}

static int plot_activity(const plot_request *q, const char *const *runs, int n, lt_figure **f)
{
    lt_chart_data of = chart_data(q);
    return lt_figure_activity(runs, n, (lt_split)q->split, &of, f);
}

static bool show_progress(void *user, double done)
{
    meter *m = user;
    if (meter_is_due(m))
        meter_draw(m, done, "bounds %3.0f %%", 100 * done);
    return !is_stopped();
}

static int plot_bounds(const plot_request *q, const char *const *runs, int n, lt_figure **f)
{
    meter m;
    lt_chart_data of = chart_data(q);
    of.run.progress = show_progress;
    of.run.user = &m;
    watch_signals();
    meter_begin(&m);
    int status = lt_figure_bounds(runs, n, (lt_split)q->split, &of, f);
    meter_clear(&m);
    return status;
}

/* name, function, one line. For example X(curves, plot_curves, "...") becomes the row {"curves",
   plot_curves} and the line "  curves: ..." of the help screen. Options name the kinds that have them. */
#define PLOT_KINDS(X)                                                                              \
    X(curves, plot_curves, "training curves: loss, rate, distortion, discriminator")               \
    X(rate-distortion, plot_rate_distortion, "distortion against rate, over the epochs of each run")      \
    X(latents, plot_latents, "a scatter plot of the codes of images, colored by label")           \
    X(histogram, plot_histogram, "a 2-D histogram of two latents of many images, beside N(0, I)")  \
    X(activity, plot_activity, "the activity of each latent: its KL, or its variance")             \
    X(bounds, plot_bounds, "the bound of K samples against K, from 1 to 500")

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

static const struct plot_kind *find_kind(const command *c, const char *word)
{
    const char *names[N_KINDS + 1] = {NULL};
    for (int i = 0; i < N_KINDS; i++) {
        if (strcmp(kinds[i].name, word) == 0)
            return &kinds[i];
        names[i] = kinds[i].name;
    }
    complain(c, CODE_USAGE, "'%s' is not a kind of chart%s (see: latent help plot)", word,
             suggestion(word, names));
    return NULL;
}

/* Writes all charts, or the requested one. Returns the exit code. */
static int write_charts(const plot_request *q, const lt_figure *f)
{
    const lt_chart_page *page = lt_figure_charts(f);
    if (q->chart > page->n_charts)
        return complain(q->command, CODE_USAGE, "--chart: there %s %d, found %jd",
                        page->n_charts == 1 ? "is" : "are", page->n_charts, (intmax_t)q->chart);
    lt_render_options o = {.width = (double)q->width, .height = (double)q->height, .text = (double)q->text};
    lt_chart_page one = {.charts = q->chart ? &page->charts[q->chart - 1] : NULL, .n_charts = 1, .shape = page->shape};
    int status = q->chart ? lt_chart_page_write(q->out, &one, &o) : lt_figure_write(f, q->out, &o);
    if (status != LT_OK)
        return complain_library(q->command, status);
    int n = q->chart ? 1 : page->n_charts;
    say("%s: %d chart%s", q->out, n, n == 1 ? "" : "s");
    return CODE_DONE;
}

static int plot(const plot_request *q, const struct plot_kind *kind, int n, const char *const *runs)
{
    lt_figure *f = NULL;
    for (int i = 0; i < n; i++)
        warnings_expect(runs[i]);
    int status = kind->draw(q, runs, n, &f);
    if (status != LT_OK)
        return status > 0 ? status : complain_library(q->command, status);
    say_notes(f);
    int code = write_charts(q, f);
    lt_figure_free(f);
    return code;
}

static int run_plot(const command *c, int argc, const char **argv)
{
    static const char *const by_names[] = {"auto", "epoch", "step", "seconds", NULL};
    plot_request q = {.command = c, .smooth = -1, .split = LT_TEST};
    const flag flags[] = {
        {OPTION_OUTPUT, .kind = FLAG_CHART, .value = &q.out, .note = NOTE_CHART "; default: KIND.png"},
        {.name = "by", .kind = FLAG_CHOICE, .value = &q.by, .operand = "UNIT", .actions = "curves",
         .help = "x axis: epoch, step or seconds; default: epochs if each epoch has one line",
         .choices = by_names},
        {.name = "from", .kind = FLAG_COUNT, .value = &q.from, .operand = "N",
         .actions = "curves rate-distortion", .max = INT64_MAX,
         .help = "start of the curves: the first steps may be far from the rest"},
        {.name = "smooth", .kind = FLAG_COUNT, .value = &q.smooth, .operand = "N", .actions = "curves",
         .help = "plot a mean over about N lines of the log above the faint curve; default: a 100th of "
                 "the log if it has 200 lines", .max = 1000000},
        {.name = "log-x", .kind = FLAG_SWITCH, .value = &q.log_x, .actions = "curves",
         .help = "logarithmic x axis"},
        {.name = "log-y", .kind = FLAG_SWITCH, .value = &q.log_y, .actions = "curves",
         .help = "logarithmic y axes, where all values are positive"},
        {OPTION_IMAGES, .value = &q.images, .actions = OF_IMAGES, .min = 2, .max = INT32_MAX,
         .note = "a stratified sample of the split; default: 10000, for bounds 300"},
        {.name = "ellipses", .kind = FLAG_COUNT, .value = &q.ellipses, .operand = "N",
         .actions = "latents", .min = 1, .max = 100000,
         .help = "draw an ellipse of one standard deviation of q(z|x) at N of the points; default: none"},
        {.name = "latents", .kind = FLAG_TEXT, .value = &q.latents, .operand = "A,B",
         .actions = "histogram",
         .help = "two latents, from 0; default: those whose means vary most"},
        {.name = "bins", .kind = FLAG_COUNT, .value = &q.bins, .operand = "N", .actions = "histogram",
         .help = "bins in each direction; default: 50", .min = 1, .max = 1000},
        {OPTION_SPLIT, .value = &q.split, .actions = OF_IMAGES, .note = NOTE_TEST},
        {OPTION_DATA, .value = &q.data, .actions = OF_IMAGES},
        {OPTION_THREADS, .value = &q.threads},
        {OPTION_TITLE, .value = &q.title, .note = NOTE_TITLE},
        {.name = "width", .is_of_picture = true, .letter = 'w', .kind = FLAG_COUNT, .value = &q.width, .operand = "N",
         .help = "units of 1/72 inch, 2 pixels each in a PNG", .min = 100, .max = 8000},
        {.name = "height", .is_of_picture = true, .kind = FLAG_COUNT, .value = &q.height, .operand = "N",
         .help = "the same", .min = 70, .max = 8000},
        {.name = "text", .is_of_picture = true, .kind = FLAG_COUNT, .value = &q.text, .operand = "N",
         .help = "text size in these units; default: 12, scaled with the figure",
         .min = 4, .max = 100},
        {.name = "chart", .kind = FLAG_COUNT, .value = &q.chart, .operand = "N",
         .help = "only the N-th chart; default: all", .min = 1, .max = 100},
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
        code = plot(&q, kind, line.n - 1, line.operand + 1);
    for (int i = 1; i < line.n && code == CODE_DONE; i++)
        warn_of_run_data(line.operand[i], q.out);
    command_line_clear(&line);
    return code;
}

#define X(name, draw, line) "\n  " #name ": " line
const command cmd_plot = {
    .name = "plot", .summary = "plot charts of runs: training curves, codes",
    .operands = "KIND RUN... [options]", .min_operands = 2, .max_operands = 1 + LT_MAX_FIGURE_RUNS,
    .about = "Plots one run, or several in the same charts or side by side. RUN is a run directory. "
             "The extension of FILE selects the format.\n\n"
             "KIND is one of:" PLOT_KINDS(X) "\n",
    .examples = "  latent plot curves runs/fashion-mlp-vae\n"
                "  latent plot bounds runs/iwae-1l runs/iwae-2l\n"
                "  latent plot latents runs/fashion-mlp-vae -n 60000 --split train -o map.png\n"
                "  latent plot histogram runs/fashion-mlp-vae --latents 3,7\n"
                "  latent plot curves runs/a runs/b --from 5 -o compared.svg\n",
    .run = run_plot};
#undef X
