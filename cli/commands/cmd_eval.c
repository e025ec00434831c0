/* SPDX-License-Identifier: MIT */
/* latent eval: bounds, likelihood and codes of trained models, in nats per image, and scores of their samples. */
#include "eval_request.h"
#include "shared_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_DRAWS = 1000000, MAX_CHAINS = 10000, FROM_NORMAL = 0, FROM_POSTERIOR };

/* ---- Options ---- */

/* Parses "5,50,500" into numbers from 1 to `most`. Returns how many, or -1. */
static int read_counts(const char *text, int most, int *counts, int room)
{
    int64_t values[LT_MAX_BOUNDS];
    int n = 1;
    for (const char *at = text; (at = strchr(at, ',')) != NULL; at++)
        n++;
    if (n > room || n > LT_MAX_BOUNDS || !lt_read_integers(text, n, values))
        return -1;
    for (int i = 0; i < n; i++) {
        if (values[i] < 1 || values[i] > most)
            return -1;
        counts[i] = (int)values[i];
    }
    return n;
}

/* Returns the exit code. */
static int read_lists(const command *c, eval_request *q)
{
    if (q->iwae_text) {
        q->n_iwae = read_counts(q->iwae_text, MAX_DRAWS, q->iwae, LT_MAX_BOUNDS);
        if (q->n_iwae < 0)
            return complain(c, CODE_USAGE,
                            "--iwae: expected at most %d numbers from 1 to %d like 5,50,500, found "
                            "'%s'", LT_MAX_BOUNDS, MAX_DRAWS, q->iwae_text);
    }
    if (q->ais_text) {
        int n = read_counts(q->ais_text, MAX_DRAWS, q->ais, 2);
        if (n != 2 || q->ais[0] > MAX_CHAINS)
            return complain(c, CODE_USAGE,
                            "--ais: expected chains and steps like 16,500, at most %d and %d, found "
                            "'%s'", MAX_CHAINS, MAX_DRAWS, q->ais_text);
    }
    return CODE_DONE;
}

/* ---- Evaluating ---- */

/* One of several computations, shown in the progress line. */
typedef struct phase {
    meter meter;
    const char *name;
    double began;
} phase;

static bool show_progress(void *user, double done)
{
    phase *p = user;
    char left[32];
    double spent = now_seconds() - p->began;
    if (meter_is_due(&p->meter))
        meter_draw(&p->meter, done, "%s %3.0f %%  %s", p->name, 100 * done,
                   left_text(spent * (1 - done) / done, left));
    return !is_stopped();
}

static void begin_phase(void *user, const char *name)
{
    phase *p = user;
    p->name = name;
    p->began = now_seconds();
}

/* Writes the figure of nearest neighbors. */
static int write_pairs(const eval_request *q, const trained *t, const lt_quality *found)
{
    int n = quality_pair_samples(found);
    float *samples = image_room(t->model, n);
    int status = lt_sample(t->model, n, (uint64_t)q->seed, (int)q->threads, samples);
    if (status == LT_OK)
        status = quality_write_pairs(q->pairs, t->data, found, samples);
    if (status == LT_OK)
        warn_of_data(lt_dataset_describe(t->data)->place, q->pairs);
    free(samples);
    return status;
}

int eval_find(const eval_request *q, eval_findings *f)
{
    phase p = {.name = NULL};
    lt_scorecard_options o = {.split = (lt_split)q->split, .images = (int)q->images, .nll_samples = (int)q->samples,
                              .iwae = q->iwae, .n_iwae = q->n_iwae, .ais_chains = q->ais[0], .ais_steps = q->ais[1],
                              .is_ais_from_posterior = q->ais_from == FROM_POSTERIOR,
                              .with_bounds = q->per_image != NULL,
                              .with_quality = q->with_quality || q->pairs || q->scored->features || q->scored->samples,
                              .is_lenient = q->is_of_several, .quality = {.samples = (int)q->quality_samples},
                              .data = q->data, .sets = q->sets.item, .n_sets = q->sets.n,
                              .on_phase = begin_phase, .seed = (uint64_t)q->seed,
                              .run = {(int)q->threads, (lt_executor)q->executor, show_progress, &p}};
    quality_ask(q->scored, &o.quality);
    meter_begin(&p.meter);
    watch_signals();
    int status = lt_scorecard_make(f->trained->model, f->trained->data, &o, &f->card);
    meter_clear(&p.meter);
    if (status == LT_OK && lt_scorecard_record(&f->card, f->run, f->trained->checkpoint, f->trained->digest) != LT_OK)
        say("warning: this result is not recorded in the run: %s", lt_last_error());
    return status;
}

/* Writes FILE.csv or FILE.npz, or csv to stdout: "-". */
static int write_images_scores(const char *path, const lt_scorecard *card)
{
    if (strcmp(path, "-") != 0) {
        LT_TRY(lt_image_scores_write(card, path));
        say("%s: numbers of %lld images", path, (long long)card->images.n);
        return LT_OK;
    }
    char *text = lt_image_scores_csv(card);
    if (!text)
        return LT_VALUE;
    fputs(text, stdout);
    free(text);
    return LT_OK;
}

static void say_times(const lt_scorecard *c)
{
    char time[32];
    double seconds = c->evaluation.seconds + c->codes.seconds + c->ais.seconds;
    if (c->has_bounds)
        say("%.0f images/s, %s", (double)c->evaluation.images / seconds, time_text(seconds, time));
    if (c->has_quality)
        say("samples: %s%s", time_text(c->quality.seconds, time),
            c->quality.was_cached ? "" : ", including training of the classifier");
}

static int print_result(const eval_request *q, const eval_findings *f)
{
    bool is_table = !q->per_image || strcmp(q->per_image, "-") != 0;
    char *text = q->as_json ? lt_evaluation_json(&f->card, q->run) : NULL;
    if (q->as_json && !text)
        return LT_VALUE;
    if (q->as_json)
        print_json_text(text);
    else if (is_table)
        eval_print_table(f);
    free(text);
    fflush(stdout);
    return LT_OK;
}

static int evaluate(const eval_request *q, trained *t)
{
    eval_findings f = {.run = q->run, .trained = t};
    int status = eval_find(q, &f);
    if (status == LT_OK && q->per_image)
        status = write_images_scores(q->per_image, &f.card);
    if (status == LT_OK && q->pairs)
        status = write_pairs(q, t, &f.card.quality);
    if (status == LT_OK)
        status = quality_write_files(q->scored);
    if (status == LT_OK)
        status = print_result(q, &f);
    if (status == LT_OK)
        say_times(&f.card);
    lt_scorecard_clear(&f.card);
    return status;
}

/* Refuses options of bounds for models without them. Returns the exit code. */
static int refuse_bounds(const command *c, const command_line *line, const trained *t)
{
    return lt_model_can(t->model, LT_CAN_LIKELIHOOD)
               ? CODE_DONE
               : refuse_flags(c, line, "images executor", "is about bounds, and %s has no likelihood, so none",
                              line->operand[0]);
}

static int evaluate_one(const command *c, const eval_request *q, const command_line *line)
{
    trained t;
    int code = CODE_DONE, status = trained_open_with(&t, q->run, q->data, &q->sets);
    if (status == LT_OK)
        code = refuse_bounds(c, line, &t);
    if (status == LT_OK && code == CODE_DONE)
        status = evaluate(q, &t);
    trained_close(&t);
    return status == LT_OK ? code : complain_library(c, status);
}

/* ---- Combinations of options ---- */

static int check_runs(const command *c, const eval_request *q, int n)
{
    if (n > 1 && (q->pairs || q->per_image || q->scored->features || q->scored->samples))
        return complain(c, CODE_USAGE, "--nearest, --per-image, --features and --samples-out: expected one "
                        "run, found %d", n);
    if (q->per_image && strcmp(q->per_image, "-") == 0 && q->as_json)
        return complain(c, CODE_USAGE, "--per-image - and --json: both write to the standard output");
    return CODE_DONE;
}

/* ---- The command ---- */

static int run_eval(const command *c, int argc, const char **argv)
{
    static const char *const starts[] = {[FROM_NORMAL] = "normal", [FROM_POSTERIOR] = "posterior",
                                         NULL};
    quality_files scored = {.features = NULL};
    eval_request q = {.split = LT_TEST, .scored = &scored};
    const flag flags[] = {
        {OPTION_SPLIT, .value = &q.split, .note = NOTE_TEST},
        {OPTION_IMAGES, .value = &q.images, .min = 1, .max = INT32_MAX,
         .note = "spread over the split; default: all"},
        {OPTION_NLL, .value = &q.samples, .min = 1, .max = MAX_DRAWS, .note = "default: none"},
        {.name = "iwae", .kind = FLAG_TEXT, .value = &q.iwae_text, .operand = "K,K,...",
         .help = "also importance-weighted bounds of K samples, from the same samples"},
        {.name = "ais", .kind = FLAG_TEXT, .value = &q.ais_text, .operand = "CHAINS,STEPS",
         .help = "also -log p(x) by annealed importance sampling"},
        {.name = "ais-from", .kind = FLAG_CHOICE, .value = &q.ais_from, .operand = "START",
         .help = "start of chains: normal, N(0, I), or posterior, q(z|x), which is closer; default: normal",
         .choices = starts, .needs = "ais"},
        {OPTION_QUALITY, .value = &q.with_quality},
        {OPTION_SAMPLES, .value = &q.quality_samples, .needs = "quality nearest features samples-out"},
        {OPTION_NEAREST, .value = &q.pairs},
        {OPTION_FEATURES, .value = &scored.features},
        {OPTION_SAMPLES_OUT, .value = &scored.samples},
        {.name = "per-image", .kind = FLAG_OUTPUT, .value = &q.per_image, .operand = "FILE",
         .help = "also the numbers of each image; -: as csv on the terminal instead of the table",
         .endings = ".csv .npz -"},
        {OPTION_JSON, .value = &q.as_json},
        {OPTION_DATA, .value = &q.data},
        {OPTION_SET, .value = &q.sets, .note = "of its data: data.limit=100, data.classes=3,7"},
        {OPTION_SEED, .value = &q.seed, .note = "default: 0"},
        {OPTION_THREADS, .value = &q.threads},
        {OPTION_EXECUTOR, .value = &q.executor},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    q.run = line.operand[0];
    int code = read_lists(c, &q);
    if (code == CODE_DONE)
        code = check_runs(c, &q, line.n);
    q.is_of_several = line.n > 1;
    if (code == CODE_DONE)
        code = q.is_of_several ? eval_compare_runs(c, &q, line.n, line.operand) : evaluate_one(c, &q, &line);
    lt_quality_arrays_clear(&scored.arrays);
    command_line_clear(&line);
    return code;
}

const command cmd_eval = {
    .name = "eval",
    .summary = "evaluate models, in nats per image",
    .operands = "RUN... [options]",
    .min_operands = 1,
    .max_operands = EVAL_MAX_RUNS,
    .about =
        "RUN is a run directory (its newest checkpoint is used) or a checkpoint file. "
        "Every number is a mean over images, with its standard error:\n"
        "  -ELBO               upper bound on -log p(x): distortion + rate, with weight 1 on the rate\n"
        "  rate                KL(q(z|x) || p(z)): the cost of the code\n"
        "  distortion          -log p(x|z) at one sample z: the cost of the image given the code\n"
        "  IWAE                upper bound on -log p(x) from groups of k samples of q(z|x)\n"
        "  NLL                 upper bound on -log p(x) from K importance samples of q(z|x)\n"
        "  ESS                 effective sample size of the K samples; near 1 NLL is unreliable\n"
        "  Pareto k            tail shape of the weights; above 0.7 NLL is unreliable\n"
        "  AIS                 upper bound on -log p(x) from chains that do not depend on q(z|x)\n"
        "  active latents      latents whose posterior mean differs between images\n"
        "  mutual information  between the code and the image of the split\n"
        "  aggregate KL        KL of the aggregate posterior of all images from the prior\n"
        "  squared error       of the reconstruction from the posterior mean, summed over pixels\n"
        "  bits per dimension  of probabilities (bernoulli on binary data, discretized_logistic) or "
        "of a density on [0, 1], as stated below the table; a density on byte data is also printed "
        "with 8 bits added, which makes it comparable with probabilities of bytes\n"
        "\n"
        "--per-image writes a row per image: index (in its split, from 0), label (-1: none), and "
        "the numbers whose means are above; their names have the units.\n"
        "\n"
        "--quality scores samples in features of a small classifier that is trained once on "
        "the images of the data set. It is the only evaluation of models without a likelihood. "
        "Each score is printed with the score of train images, its floor; only scores with equal "
        "digests are comparable.\n"
        "  FID                 distance of two Gaussians of features; falls with more samples\n"
        "  KID                 squared discrepancy of features, unbiased: 0 for equal distributions\n"
        "  precision, density  whether samples look like held-out images\n"
        "  recall, coverage    whether samples cover the held-out images: low if modes are missing\n"
        "  inception score     whether each sample has a clear class, and all classes occur\n"
        "  copies              memorization: whether samples are much nearer to one train image than "
        "to others, more often than held-out images are\n"
        "\n"
        "Several RUNs make one table per kind, one row per run, and below it the paired differences "
        "from the first run, image by image, or why two runs are not comparable.\n"
        "\n"
        "Results on a run's own data are also appended to its evaluations.jsonl, for latent runs. The "
        "same seed gives the same digits with any number of threads.\n",
    .examples = "  latent eval runs/fashion-mlp-vae\n"
                "  latent eval runs/ift6135-vae --split valid --nll 200 --json\n"
                "  latent eval runs/ift6135-vae --iwae 5,50 --nll 5000 --ais 16,500 --images 100\n"
                "  latent eval runs/fashion-mlp-vae --nll 200 --per-image images.csv\n"
                "  latent eval runs/fashion-mlp-vae -s data.classes=5,7,9 -s data.limit=1000\n"
                "  latent eval runs/iwae-1l runs/iwae-2l --nll 200\n"
                "  latent eval runs/fashion-mlp-vae runs/fashion-wgan --quality\n",
    .run = run_eval};
