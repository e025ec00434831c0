/* SPDX-License-Identifier: MIT */
/* latent report: all about a run, or several beside each other, on one page of HTML. */
#include "shared_options.h"
#include "report_parts.h"

enum { MAX_RUNS = 16, MAX_DRAWS = 100000 };

/* ---- The page ---- */

bool report_has_log(const report_content *c)
{
    for (int i = 0; i < c->n; i++)
        if (c->runs[i].has_log)
            return true;
    return false;
}

bool report_has_codes(const report_content *c)
{
    for (int i = 0; i < c->n; i++)
        if (c->runs[i].e.data && lt_model_can(c->runs[i].e.model, LT_CAN_ENCODE))
            return true;
    return false;
}

static void put_contents(const report_content *c, const report_section *s)
{
    page_html(c->page, "<nav aria-label=\"Contents\"><ol>\n");
    for (; s->write; s++)
        if (s->title && (!s->is_there || s->is_there(c)))
            page_html(c->page, "<li><a href=\"#%s\">%s</a></li>\n", s->id, s->title);
    page_html(c->page, "</ol></nav>\n</header>\n<main>\n");
}

static int put_sections(const report_content *c, const report_section *s)
{
    int code = CODE_DONE;
    for (; s->write && code == CODE_DONE; s++) {
        if (s->is_there && !s->is_there(c))
            continue;
        if (s->title)
            page_html(c->page, "<section id=\"%s\">\n<h2>%s</h2>\n", s->id, s->title);
        code = s->write(c);
        page_html(c->page, "%s", s->title ? "</section>\n" : "");
    }
    page_html(c->page, "</main>\n");
    return code;
}

static int write_page(const report_request *q, const report_run *runs, int n)
{
    page p = {.to = NULL};
    report_content content = {.page = &p, .request = q, .runs = runs, .n = n};
    const report_section *sections = n == 1 ? report_of_run : report_of_runs;
    char several[32];
    snprintf(several, sizeof several, "%d runs", n);
    const char *title = q->title ? q->title : n == 1 ? runs[0].name : several;
    const char *summary = n == 1 ? lt_recipe_summary(lt_model_recipe(runs[0].e.model)) : NULL;
    int code = page_begin(&p, q->command, title, summary) ? CODE_DONE : CODE_FAILED;
    if (code == CODE_DONE) {
        put_contents(&content, sections);
        code = put_sections(&content, sections);
    }
    if (code == CODE_DONE)
        code = page_end(&p, q->command, q->out);
    page_clear(&p);
    return code;
}

/* ---- The command ---- */

/* Options of likelihoods, where no run has one. Gives the exit code. */
static int refuse_likelihoods(const report_request *q, const command_line *line, const report_run *runs, int n)
{
    for (int i = 0; i < n; i++)
        if (lt_model_can(runs[i].e.model, LT_CAN_BOUND))
            return CODE_DONE;
    return refuse_flags(q->command, line, "nll images", "is about likelihoods, and %s has none",
                        n == 1 ? runs[0].path : "no run here");
}

static int report(const report_request *q, const command_line *line)
{
    report_run runs[MAX_RUNS];
    char **names[MAX_RUNS];
    const char *const *paths = line->operand;
    int code = CODE_DONE, opened = 0, n = line->n;
    while (opened < n && code == CODE_DONE) {
        code = report_open(&runs[opened], q, paths[opened]);
        names[opened] = &runs[opened].name;
        opened++;
    }
    if (code == CODE_DONE)
        code = refuse_likelihoods(q, line, runs, n);
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
    report_request q = {.command = c, .out = "report.html", .draws = 50};
    const flag flags[] = {
        {OPTION_OUTPUT, .kind = FLAG_OUTPUT, .value = &q.out, .endings = ".html .htm",
         .note = "default: report.html"},
        {OPTION_TITLE, .value = &q.title, .note = NOTE_TITLE},
        {OPTION_IMAGES, .value = &q.images, .min = 2, .max = INT32_MAX,
         .note = "spread over the test split; default: all, and 1000 for what takes many draws"},
        {OPTION_NLL, .value = &q.draws, .max = MAX_DRAWS, .note = "0: none; default: 50"},
        {OPTION_QUALITY, .value = &q.with_quality},
        {OPTION_SAMPLES, .value = &q.quality_samples, .needs = "quality"},
        {OPTION_DATA, .value = &q.data},
        {OPTION_SEED, .value = &q.seed, .note = "default: 0"},
        {OPTION_THREADS, .value = &q.threads},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    int code = report(&q, &line);
    command_line_clear(&line);
    return code;
}

const command cmd_report = {
    .name = "report", .summary = "put all about a run, or several, on one page of HTML",
    .operands = "RUN... [options]", .min_operands = 1, .max_operands = MAX_RUNS,
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
