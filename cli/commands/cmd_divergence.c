/* SPDX-License-Identifier: MIT */
/* latent divergence: the divergence of two known distributions as estimated by a trained critic, beside the
   truth. */
#include "shared_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A preset; `study` is the default one. */
typedef struct study {
    const char *name, *title;
    lt_divergence_options o;
} study;

static const char *const gan_measures[] = {"wasserstein", "squared_hellinger"};

static const study studies[] = {
    {.name = "ift6135-divergences",
     .title = "two segments, theta apart (IFT6135 assignment 3)",
     .o = {.p = "segment", .q = "segment", .measures = gan_measures, .n_measures = 2, .from = -1,
           .to = 1, .points = 21}},
};

enum { N_STUDIES = sizeof studies / sizeof studies[0], ESTIMATE_COLUMN = 22, TABLE_COLUMN = 10 + ESTIMATE_COLUMN };

typedef struct request {
    lt_divergence_options o;
    const char *study, *measures_text, *theta_text, *lr_text, *lambda_text;
    const char *measures[LT_MAX_MEASURES];
    char *words; /* that they point into, owned */
    int64_t steps, batch, samples, seed, threads;
    int executor;
    bool as_json;
    const char *output; /* a chart's file, or NULL */
} request;

/* ---- Options ---- */

/* Fills in the options of a study. Returns the exit code. */
static int find_study(const command *c, request *r)
{
    const char *names[N_STUDIES + 1] = {NULL};
    for (int i = 0; i < N_STUDIES; i++) {
        names[i] = studies[i].name;
        if (!r->study || strcmp(r->study, names[i]) == 0) {
            r->o = studies[i].o;
            return CODE_DONE;
        }
    }
    return complain(c, CODE_USAGE, "unknown study '%s'%s (see: latent help divergence)",
                    r->study, suggestion(r->study, names));
}

/* Cuts "a,b,c" at its commas. */
static int read_measures(const command *c, request *r)
{
    r->words = strdup(r->measures_text);
    r->o.measures = r->measures;
    r->o.n_measures = 0;
    for (char *at = r->words; at;) {
        char *word = strsep(&at, ",");
        if (r->o.n_measures == LT_MAX_MEASURES)
            return complain(c, CODE_USAGE, "--measure: at most %d measures", LT_MAX_MEASURES);
        r->measures[r->o.n_measures++] = word;
    }
    return CODE_DONE;
}

static bool has_measure(const request *r, const char *name)
{
    for (int i = 0; i < r->o.n_measures; i++)
        if (strcmp(r->o.measures[i], name) == 0)
            return true;
    return false;
}

/* "-1:1:21", or one number. */
static bool split_theta(char *words, double *from, double *to, int64_t *points)
{
    char *second = strchr(words, ':'), *third = second ? strchr(second + 1, ':') : NULL;
    *points = 1;
    if (!second)
        return lt_read_real(words, from) && lt_read_real(words, to);
    if (!third)
        return false;
    *second = *third = 0;
    return lt_read_real(words, from) && lt_read_real(second + 1, to) &&
           lt_read_integer(third + 1, points) && *points >= 2 && *points <= LT_MAX_THETAS;
}

static int read_theta(const command *c, request *r)
{
    int64_t points;
    char *words = strdup(r->theta_text);
    bool is_good = words && split_theta(words, &r->o.from, &r->o.to, &points);
    free(words);
    if (!is_good)
        return complain(c, CODE_USAGE,
                        "--theta: expected a number, or from:to:points like -1:1:21 with 2 to %d "
                        "points, found '%s'", LT_MAX_THETAS, r->theta_text);
    r->o.points = (int)points;
    return CODE_DONE;
}

static int read_positive(const command *c, const char *name, const char *words, double *value)
{
    if (!words || (lt_read_real(words, value) && *value > 0))
        return CODE_DONE;
    return complain(c, CODE_USAGE, "--%s: expected a number above 0, found '%s'", name, words);
}

static int read_request(const command *c, request *r, const char *p, const char *q)
{
    int code = find_study(c, r);
    if (code == CODE_DONE && (p || q)) { /* other distributions, with the other options of the study */
        r->o.p = p ? p : q;
        r->o.q = q ? q : p;
        r->study = NULL;
    }
    if (code == CODE_DONE && r->measures_text)
        code = read_measures(c, r);
    if (code == CODE_DONE && r->lambda_text && !has_measure(r, "wasserstein"))
        code = complain(c, CODE_USAGE, "--lambda needs the measure wasserstein");
    if (code == CODE_DONE && r->theta_text)
        code = read_theta(c, r);
    if (code == CODE_DONE)
        code = read_positive(c, "lr", r->lr_text, &r->o.lr);
    if (code == CODE_DONE)
        code = read_positive(c, "lambda", r->lambda_text, &r->o.lambda);
    r->o.steps = (int)r->steps;
    r->o.batch = (int)r->batch;
    r->o.samples = (int)r->samples;
    r->o.seed = (uint64_t)r->seed;
    r->o.run.threads = (int)r->threads;
    r->o.run.executor = (lt_executor)r->executor;
    return code;
}

/* ---- Results ---- */

/* Whether several critics were trained, because the bound of one has no error. */
static bool has_spread(const lt_divergence_row *row) { return isfinite(row->low); }

static void print_exact(double exact)
{
    if (isfinite(exact))
        printf("  %8.4f", exact);
    else
        printf("  %8s", isnan(exact) ? "-" : "infinite");
}

/* The column of the truth is TABLE_COLUMN wide. */
static void print_estimate(const lt_divergence_row *row)
{
    char found[48], error[LT_ERROR_TEXT];
    if (has_spread(row))
        snprintf(found, sizeof found, "%.2f (%.2f to %.2f)", lt_shown_number(row->found.value, 2),
                 lt_shown_number(row->low, 2), lt_shown_number(row->high, 2));
    else
        snprintf(found, sizeof found, "%.4f %s", lt_shown_number(row->found.value, 4),
                 lt_shown_error(row->found.se, 4, error));
    printf("  %*s", ESTIMATE_COLUMN, found);
}

static void print_meaning(bool has_spreads, bool has_errors, bool is_few)
{
    char text[480];
    putchar('\n');
    snprintf(text, sizeof text, "An estimate is the lower bound that one trained critic gives, in "
             "expectation, on fresh samples%s. The truth exceeds it by what the critic has not "
             "learned.", has_errors ? "; +- is the standard error of this bound, not of the truth" : "");
    print_wrapped(stdout, 0, text);
    if (!has_spreads)
        return;
    snprintf(text, sizeof text, "x (a to b): the mean of the bound's terms has no reliable standard "
             "error and may be far off in either direction: %s. a and b are the lowest and "
             "highest bounds of %d critics with different seeds.",
             is_few ? "fewer than 1000 samples do not show how heavy their tail is"
                    : "their tail is too heavy (Pareto k at least 0.5)", LT_DIVERGENCE_CRITICS);
    print_wrapped(stdout, 0, text);
}

/* Prints one line per theta: truth and estimate of measures `first` ... `end` - 1. */
static void print_measures(const lt_divergence_study *s, int first, int end)
{
    int k = s->n_measures;
    printf("\n       ");
    for (int j = first; j < end; j++)
        printf("  %*s", TABLE_COLUMN, s->rows[j].measure);
    printf("\n  theta");
    for (int j = first; j < end; j++)
        printf("  %8s  %*s", "truth", ESTIMATE_COLUMN, "estimate");
    for (int i = 0; i < s->n; i++) {
        const lt_divergence_row *row = &s->rows[i];
        if (i % k == first)
            printf("\n%7.3f", row->theta);
        if (i % k < first || i % k >= end)
            continue;
        print_exact(row->exact);
        print_estimate(row);
    }
    putchar('\n');
}

/* Prints as many measures side by side as fit on a page. */
static void print_study(const lt_divergence_study *s)
{
    enum { SIDE_BY_SIDE = (80 - 7) / (2 + TABLE_COLUMN) };
    int k = s->n_measures, spreads = 0;
    bool is_few = false;
    printf("p is %s, q is %s shifted by theta\n", s->p, s->q);
    for (int first = 0; first < k; first += SIDE_BY_SIDE)
        print_measures(s, first, first + SIDE_BY_SIDE < k ? first + SIDE_BY_SIDE : k);
    for (int i = 0; i < s->n; i++) {
        spreads += has_spread(&s->rows[i]);
        is_few |= has_spread(&s->rows[i]) && isnan(s->rows[i].tail);
    }
    print_meaning(spreads > 0, spreads < s->n, is_few);
}

static int print_result(const request *r, const lt_divergence_study *s)
{
    char *text = r->as_json ? lt_divergence_json(s) : NULL;
    if (r->as_json && !text)
        return LT_VALUE;
    if (r->as_json)
        print_json_text(text);
    else
        print_study(s);
    free(text);
    fflush(stdout);
    return LT_OK;
}

static int write_figure(const request *r, const lt_divergence_study *s)
{
    lt_figure *f;
    LT_TRY(lt_figure_divergence(&r->o, s, &f));
    int status = lt_figure_write(f, r->output, NULL);
    lt_figure_free(f);
    return status;
}

/* ---- The command ---- */

typedef struct progress {
    meter *meter;
    double began;
} progress;

static bool show_progress(void *user, double done)
{
    progress *p = user;
    char left[32];
    if (meter_is_due(p->meter))
        meter_draw(p->meter, done, "%3.0f %%  %s", 100 * done,
                   left_text((now_seconds() - p->began) * (1 - done) / done, left));
    return !is_stopped();
}

static int run_study(const command *c, request *r)
{
    meter m;
    lt_divergence_study s;
    progress p = {&m, now_seconds()};
    meter_begin(&m);
    watch_signals();
    r->o.run.progress = show_progress;
    r->o.run.user = &p;
    int status = lt_divergence_run(&r->o, &s);
    meter_clear(&m);
    if (status == LT_OK)
        status = print_result(r, &s);
    char time[32];
    if (status == LT_OK)
        say("%d critics, %s", s.n, time_text(s.seconds, time));
    if (status == LT_OK && r->output)
        status = write_figure(r, &s);
    lt_divergence_clear(&s);
    return status == LT_OK ? CODE_DONE : complain_library(c, status);
}

static int run_divergence(const command *c, int argc, const char **argv)
{
    request r = {.steps = 0};
    const char *p = NULL, *q = NULL;
    const flag flags[] = {
        {.name = "p", .kind = FLAG_TEXT, .value = &p, .operand = "DIST",
         .help = "distribution p, such as \"normal 0 2\""},
        {.name = "q", .kind = FLAG_TEXT, .value = &q, .operand = "DIST",
         .help = "distribution q at theta = 0; default: p"},
        {.name = "measure", .letter = 'm', .kind = FLAG_TEXT, .value = &r.measures_text,
         .operand = "M,M,...",
         .help = "what to estimate, rows of `latent list losses`; default: wasserstein,squared_hellinger"},
        {.name = "theta", .kind = FLAG_TEXT, .value = &r.theta_text, .operand = "A:B:N",
         .help = "shift of q: N numbers from A to B, or one; default: -1:1:21"},
        {.name = "steps", .kind = FLAG_COUNT, .value = &r.steps, .operand = "N",
         .help = "training steps of each critic; default: 3000", .min = 1, .max = 10000000},
        {.name = "batch", .kind = FLAG_COUNT, .value = &r.batch, .operand = "N",
         .help = "samples of p and of q per step; default: 256", .min = 2, .max = 1 << 24},
        {.name = "held-out", .kind = FLAG_COUNT, .value = &r.samples, .operand = "N",
         .help = "fresh samples for the estimates; default: 65536", .min = 64, .max = 1 << 24},
        {.name = "lr", .kind = FLAG_TEXT, .value = &r.lr_text, .operand = "X",
         .help = "learning rate of Adam; default: 0.005"},
        {.name = "lambda", .kind = FLAG_TEXT, .value = &r.lambda_text, .operand = "X",
         .help = "weight of the Lipschitz penalty of wasserstein; default: 10"},
        {OPTION_OUTPUT, .kind = FLAG_CHART, .value = &r.output,
         .note = "truth and estimates: " NOTE_CHART "; default: none"},
        {OPTION_JSON, .value = &r.as_json},
        {OPTION_SEED, .value = &r.seed, .note = "default: 0"},
        {OPTION_THREADS, .value = &r.threads},
        {OPTION_EXECUTOR, .value = &r.executor},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    r.study = line.n > 0 ? line.operand[0] : NULL;
    int code = read_request(c, &r, p, q);
    if (code == CODE_DONE)
        code = run_study(c, &r);
    free(r.words);
    command_line_clear(&line);
    return code;
}

const command cmd_divergence = {
    .name = "divergence",
    .summary = "estimate the divergence of known distributions by a critic",
    .operands = "[STUDY] [options]",
    .max_operands = 1,
    .about =
        "For each theta and measure, trains a new critic, 2-50-50-1, to tell p from q shifted by "
        "theta along the first axis, and prints its estimate on fresh samples beside the truth: "
        "a test of what a GAN's critic tells its generator. The only STUDY is "
        "ift6135-divergences, two segments: the Wasserstein distance is |theta|, and the other "
        "measures do not reflect the distance.\n"
        "\n"
        "Every estimate is a lower bound computed by the critic on fresh samples: in expectation not "
        "above the truth, and below it by what the critic has not learned; its error is that of the "
        "bound. Terms such as e^v of an unbounded v can have such a heavy tail (Pareto k at least "
        "0.5) that there is no error; fewer than 1000 samples do not show the tail. Then 5 "
        "critics are trained, and the table has their lowest and highest bounds. For wasserstein the "
        "critic is divided by its largest slope between samples of p and of q if that is above 1: "
        "the penalty alone lets it be too steep. `-` means that there is no formula for the truth.\n"
        "\n"
        "`latent list distributions` lists the distributions. The same seed gives the same digits "
        "with any number of threads.\n",
    .examples = "  latent divergence ift6135-divergences -o divergences.svg\n"
                "  latent divergence --p \"normal 0 1\" --theta 0:3:7 -m kl,reverse_kl\n"
                "  latent divergence --p \"uniform 0 1\" --theta 0:1:3\n"
                "  latent divergence --p ring --q gaussian --theta 0 -m wasserstein --json\n",
    .run = run_divergence};
