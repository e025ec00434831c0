/* SPDX-License-Identifier: MIT */
/* latent eval: bounds and likelihood of a trained model, in nats per image. */
#include "cli.h"

#include <math.h>
#include <string.h>

typedef struct eval_request {
    const char *run, *data;
    int split, executor;
    int64_t samples, seed, threads;
    bool as_json;
} eval_request;

/* ---- What was found ---- */

static json_t *report_json(const eval_request *q, lt_split split, const lt_evaluation *e)
{
    json_t *report = json_pack(
        "{s:s, s:s, s:I, s:s, s:o, s:o, s:o, s:o}", "run", q->run, "split", lt_split_name(split),
        "images", (json_int_t)e->images, "unit", "nats/image", "elbo", json_estimate(e->elbo),
        "rate", json_estimate(e->rate), "distortion", json_estimate(e->distortion),
        "squared_error", json_estimate(e->squared_error));
    if (e->nll_samples > 0)
        json_object_set_new(report, "nll",
                            json_pack("{s:i, s:o, s:o, s:o}", "k", e->nll_samples, "value",
                                      json_number(e->nll.value), "se", json_number(e->nll.se),
                                      "ess", json_number(e->ess)));
    json_object_set_new(report, "bits_per_dim", json_estimate(e->bits_per_dim));
    if (isfinite(e->sigma))
        json_object_set_new(report, "sigma", json_number(e->sigma));
    json_object_set_new(report, "bits_per_dim_kind", json_string(lt_unit_name(e->unit)));
    if (isfinite(e->bits_as_bytes.value))
        json_object_set_new(report, "bits_per_dim_as_bytes", json_estimate(e->bits_as_bytes));
    return report;
}

static void print_row(const char *name, lt_estimate e, int digits, const char *meaning)
{
    char error[32] = ""; /* one image has none */
    if (isfinite(e.se))
        snprintf(error, sizeof error, "+- %.*f", digits, e.se);
    printf("  %-20s %10.*f %-11s %s\n", name, digits, e.value, error, meaning);
}

static const char *kind_of_data(const lt_dataset_info *info)
{
    return info->is_binary ? "binary" : info->c == 1 ? "grey" : "coloured";
}

static void print_density(const lt_evaluation *e)
{
    puts("A density of intensities in [0, 1]: nats may be below 0.");
    if (isfinite(e->sigma))
        printf("Its standard deviation is %.4f, or %.1f levels of a byte.\n", e->sigma,
               255 * e->sigma);
    if (isnan(e->bits_as_bytes.value))
        puts("It does not compare with probabilities of bytes: no standard deviation of its own, one "
             "of\nless than two levels, or no such data.");
}

/* What the distortion is a logarithm of: the recipe's own words. */
static void print_likelihood(const trained *t, const lt_evaluation *e)
{
    const char *line = strstr(lt_recipe_text(lt_model_recipe(t->model)), "\n  likelihood: ");
    if (line)
        line += strlen("\n  ");
    printf("\n%.*s on %s data\n", line ? (int)strcspn(line, "\n") : 0, line ? line : "",
           kind_of_data(lt_dataset_describe(t->data)));
    if (e->unit == LT_CROSS_ENTROPY)
        puts("These pixels are not 0 or 1: the distortion is a cross-entropy, not -log p(x|z), and\n"
             "neither ELBO nor NLL bounds a likelihood. Compare with models of this kind only.");
    else if (e->unit == LT_DENSITY)
        print_density(e);
    else if (!lt_model_is_binary(t->model))
        printf("Probabilities of bytes%s.\n",
               e->is_bytes ? "" : ", the nearest ones: these pixels are not multiples of 1/255");
    if (e->nll_samples > 0 && e->ess < 0.02 * e->nll_samples + 1)
        printf("%.1f of %d draws carry the weight: the true NLL is lower than this.\n", e->ess,
               e->nll_samples);
}

static void print_table(const trained *t, lt_split split, const lt_evaluation *e)
{
    char name[32];
    printf("%s\n%lld %s images of %s; nats per image, +- standard error\n\n", t->checkpoint,
           (long long)e->images, lt_split_name(split), lt_dataset_describe(t->data)->name);
    print_row("ELBO", e->elbo, 2, "-(distortion + rate)");
    print_row("rate", e->rate, 2, "KL(q(z|x) || p(z))");
    print_row("distortion", e->distortion, 2, "-log p(x|z)");
    if (e->nll_samples > 0) {
        snprintf(name, sizeof name, "NLL, K = %d", e->nll_samples);
        print_row(name, e->nll, 2, "-log p(x) by importance sampling");
        printf("  %-20s %10.1f %11s effective draws of %d\n", "ESS", e->ess, "", e->nll_samples);
    }
    print_row("squared error", e->squared_error, 2, "of the mean reconstruction, per image");
    print_row("bits per dimension", e->bits_per_dim, 4, "-ELBO / (log 2 x numbers in an image)");
    if (e->unit == LT_DENSITY && isfinite(e->bits_as_bytes.value))
        print_row("the same as bytes", e->bits_as_bytes, 4, "8 more: a byte is 1/256 of [0, 1]");
    print_likelihood(t, e);
}

/* ---- Finding it ---- */

static bool show_progress(void *user, double done)
{
    meter *m = user;
    if (meter_is_due(m))
        meter_draw(m, done, "%3.0f %%", 100 * done);
    return !is_stopped();
}

static int evaluate(const eval_request *q, trained *t)
{
    lt_evaluation e;
    meter m;
    lt_split split = lt_dataset_split(t->data, (lt_split)q->split);
    lt_eval_options o = {.nll_samples = (int)q->samples, .threads = (int)q->threads,
                         .executor = (lt_executor)q->executor, .seed = (uint64_t)q->seed,
                         .progress = show_progress, .user = &m};
    meter_begin(&m);
    watch_signals();
    int status = lt_evaluate(t->model, t->data, split, &o, &e);
    meter_clear(&m);
    if (status != LT_OK)
        return status;
    if (q->as_json)
        print_json(report_json(q, split, &e));
    else
        print_table(t, split, &e);
    fflush(stdout);
    char time[32];
    say("%.0f images/s, %s", (double)e.images / e.seconds, time_text(e.seconds, time));
    return LT_OK;
}

static int run(const command *c, int argc, const char **argv)
{
    eval_request q = {.split = LT_TEST};
    const flag flags[] = {
        FLAG_SPLIT(&q.split),
        {"nll", 'k', FLAG_COUNT, &q.samples, "K",
         "also estimate -log p(x) with K draws per image", 1, 1000000, NULL},
        FLAG_JSON(&q.as_json),
        FLAG_DATA(&q.data, "evaluate on this data set instead of the recipe's"),
        FLAG_SEED(&q.seed, "seed of the draws; default: 0"),
        FLAG_THREADS(&q.threads),
        FLAG_EXECUTOR(&q.executor),
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    q.run = line.operand[0];
    trained t;
    int status = trained_open(&t, q.run, true, q.data);
    if (status == LT_OK)
        status = evaluate(&q, &t);
    trained_close(&t);
    command_line_clear(&line);
    return status == LT_OK ? CODE_DONE : complain_library(c, status);
}

const command cmd_eval = {
    .name = "eval",
    .summary = "say what a model is worth, in nats per image",
    .operands = "RUN [options]",
    .min_operands = 1,
    .max_operands = 1,
    .about =
        "RUN is a run directory, of which the newest checkpoint is taken, or a checkpoint file. "
        "Every number is a mean over images, with its standard error:\n"
        "  ELBO                a lower bound on log p(x), with weight 1 on the rate\n"
        "  rate                KL of q(z|x) from the prior: what the code costs\n"
        "  distortion          -log p(x|z) at one draw z: what the image costs, given the code\n"
        "  NLL                 -log p(x), from above, by K importance samples from q(z|x)\n"
        "  ESS                 how many of the K draws carry the weight; near 1: do not believe "
        "it\n"
        "  squared error       of the reconstruction from the posterior mean, summed over pixels\n"
        "  bits per dimension  of probabilities (bernoulli on binary data, discretised_logistic) or "
        "of a density on [0, 1], as is said below; a density of bytes is also given with the 8 bits "
        "more that compare it with probabilities of bytes\n"
        "\n"
        "The same seed gives the same digits, with any number of threads.\n",
    .examples = "  latent eval runs/fashion-mlp-vae\n"
                "  latent eval runs/ift6135-vae --split valid --nll 200 --json\n",
    .run = run};
