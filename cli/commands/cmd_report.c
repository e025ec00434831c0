/* SPDX-License-Identifier: MIT */
/* latent report: one or several runs on one page of HTML. */
#include "shared_options.h"

#include <stdlib.h>

enum { MAX_DRAWS = 100000 };

static bool show_progress(void *user, double done)
{
    meter *m = user;
    if (meter_is_due(m))
        meter_draw(m, done, "measuring %3.0f %%", 100 * done);
    return !is_stopped();
}

static void say_note(void *user, const char *note)
{
    (void)user;
    say("%s", note);
}

/* Returns the exit code. */
static int report(const command *c, const command_line *line, lt_report_options *o, const char *out)
{
    const char *const *runs = line->operand;
    unsigned char *bytes;
    size_t size;
    meter m;
    int code = CODE_DONE;
    bool is_asked = flag_is_given(line, "nll") || flag_is_given(line, "images");
    if (is_asked && !may_have(runs, line->n, LT_CAN_BOUND))
        code = refuse_flags(c, line, "nll images", "is about likelihoods, and %s has none",
                            line->n == 1 ? runs[0] : "no run here");
    if (code != CODE_DONE)
        return code;
    for (int i = 0; i < line->n; i++)
        warnings_expect(runs[i]);
    o->on_note = say_note;
    o->run.progress = show_progress;
    o->run.user = &m;
    meter_begin(&m);
    watch_signals();
    int status = lt_report_html(runs, line->n, o, &bytes, &size);
    meter_clear(&m);
    if (status == LT_OK)
        status = lt_file_write(out, bytes, size);
    free(bytes);
    if (status != LT_OK)
        return complain_library(c, status);
    say("%s: %d run%s", out, line->n, line->n == 1 ? "" : "s");
    return CODE_DONE;
}

static int run_report(const command *c, int argc, const char **argv)
{
    const char *out = "report.html";
    int64_t images = 0, draws = 0, samples = 0, seed = 0, threads = 0;
    lt_report_options o = {.title = NULL};
    const flag flags[] = {
        {OPTION_OUTPUT, .kind = FLAG_OUTPUT, .value = &out, .endings = ".html .htm",
         .note = "default: report.html"},
        {OPTION_TITLE, .value = &o.title, .note = NOTE_TITLE},
        {OPTION_IMAGES, .value = &images, .min = 2, .max = INT32_MAX,
         .note = "a stratified sample of the test split; default: all, or 1000 for estimates with many samples"},
        {OPTION_NLL, .value = &draws, .max = MAX_DRAWS, .note = "0: none; default: 50"},
        {OPTION_QUALITY, .value = &o.with_quality},
        {OPTION_SAMPLES, .value = &samples, .needs = "quality"},
        {OPTION_DATA, .value = &o.data},
        {OPTION_SEED, .value = &seed, .note = "default: 0"},
        {OPTION_THREADS, .value = &threads},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    o.images = (int)images;
    o.nll_samples = flag_is_given(&line, "nll") && draws == 0 ? -1 : (int)draws;
    o.quality_samples = (int)samples;
    o.seed = (uint64_t)seed;
    o.run.threads = (int)threads;
    int code = report(c, &line, &o, out);
    command_line_clear(&line);
    return code;
}

const command cmd_report = {
    .name = "report", .summary = "report one or several runs on one page of HTML",
    .operands = "RUN... [options]", .min_operands = 1, .max_operands = LT_MAX_REPORT_RUNS,
    .about = "The page embeds its figures, loads nothing from elsewhere, and can be printed: samples, "
             "reconstructions, training curves, numbers with their errors, the ledger of the "
             "loss, a scatter plot of the codes, the network, the recipe, and the commands that "
             "reproduce it. Several RUNs make one page that compares them. The same runs give the same "
             "bytes.\n"
             "\n"
             "RUN is a run directory (its newest checkpoint is used) or a checkpoint file. "
             "Without its data, a run has no figures of images and no new evaluation.\n",
    .examples = "  latent report runs/fashion-mlp-vae\n"
                "  latent report runs/mnist-cgan --quality -o mnist-cgan.html\n"
                "  latent report runs/a runs/b -o compared.html\n",
    .run = run_report};
