/* SPDX-License-Identifier: MIT */
/* latent report: all about a run, or several beside each other, on one page of HTML. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 16, MOST_DRAWS = 100000 };

static int write_page(const report_request *q, const report_run *runs, int n)
{
    page p = {.to = NULL};
    char several[32];
    snprintf(several, sizeof several, "%d runs", n);
    const char *title = q->title ? q->title : n == 1 ? runs[0].name : several;
    const char *summary = n == 1 ? lt_recipe_summary(lt_model_recipe(runs[0].e.t.model)) : NULL;
    int code = page_begin(&p, q->command, title, summary) ? CODE_DONE : CODE_FAILED;
    if (code == CODE_DONE)
        code = n == 1 ? report_write_run(&p, q, &runs[0]) : report_write_runs(&p, q, runs, n);
    if (code == CODE_DONE)
        code = page_end(&p, q->command, q->out);
    page_clear(&p);
    return code;
}

static int report(const report_request *q, int n, const char *const *paths)
{
    report_run runs[MOST_RUNS];
    char **names[MOST_RUNS];
    int code = CODE_DONE, opened = 0;
    while (opened < n && code == CODE_DONE) {
        code = report_open(&runs[opened], q, paths[opened]);
        names[opened] = &runs[opened].name;
        opened++;
    }
    if (code == CODE_DONE) {
        tell_apart(names, n, paths);
        code = write_page(q, runs, n);
    }
    for (int i = 0; i < opened; i++)
        report_close(&runs[i]);
    if (code == CODE_DONE)
        say("%s: %d run%s", q->out, n, n == 1 ? "" : "s");
    return code;
}

static int run(const command *c, int argc, const char **argv)
{
    report_request q = {.command = c, .out = "report.html", .images = 1000, .draws = 50};
    const flag flags[] = {
        {"output", 'o', FLAG_OUTPUT, &q.out, "FILE", "the page; default: report.html", 0, 0, NULL},
        {"title", 0, FLAG_TEXT, &q.title, "TEXT", "title; default: the run's name", 0, 0, NULL},
        {"images", 'n', FLAG_COUNT, &q.images, "N",
         "evaluate on N images, spread over the test split; default: 1000", 2, INT32_MAX, NULL},
        {"nll", 'k', FLAG_COUNT, &q.draws, "K",
         "draws per image of the estimate of -log p(x); 0: none; default: 50", 0, MOST_DRAWS, NULL},
        {"quality", 'q', FLAG_SWITCH, &q.with_quality, NULL,
         "also how good samples are, as latent eval --quality has it", 0, 0, NULL},
        {"samples", 0, FLAG_COUNT, &q.quality_samples, "N",
         "how many of them are judged; default: 10000, or as many as the split has images", 20,
         1000000, NULL},
        FLAG_DATA(&q.data, "evaluate on this data set instead of the recipe's"),
        FLAG_SEED(&q.seed, "seed of samples and draws; default: 0"),
        FLAG_THREADS(&q.threads),
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    int code = report(&q, line.n, line.operand);
    command_line_clear(&line);
    return code;
}

const command cmd_report = {
    .name = "report", .summary = "put all about a run, or several, on one page of HTML",
    .operands = "RUN... [options]", .min_operands = 1, .max_operands = MOST_RUNS,
    .about = "The page holds its pictures, asks for nothing from elsewhere, and prints: samples, "
             "reconstructions, curves of training, numbers with their errors, the ledger of the "
             "loss, a map of the codes, the network, the recipe, and the commands that make it "
             "again. Several RUNs become one page that compares them. The same runs give the same "
             "bytes.\n"
             "\n"
             "RUN is a run directory, of which the newest checkpoint is taken, or a checkpoint file. "
             "Without its data a run has no pictures of them and no new numbers.\n",
    .examples = "  latent report runs/fashion-mlp-vae\n"
                "  latent report runs/mnist-cgan --quality -o mnist-cgan.html\n"
                "  latent report runs/a runs/b -o compared.html\n",
    .run = run};
