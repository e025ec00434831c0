/* SPDX-License-Identifier: MIT */
/* latent eval: bounds, likelihood and codes of a trained model, in nats per image; how good its
   samples are, beside those of others. */
#include "eval_request.h"
#include "shared_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_DRAWS = 1000000, MAX_CHAINS = 10000, FROM_NORMAL = 0, FROM_POSTERIOR };

/* ---- What is asked for ---- */

/* Reads "5,50,500" into numbers of 1 ... most; how many, or -1. */
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

/* CODE_DONE, or what to leave with. */
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

/* ---- Finding it ---- */

/* One of several computations, at the foot of the terminal. */
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

/* The picture of pairs asked for. */
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
        say("latent runs will not know of this result: %s", lt_last_error());
    return status;
}

/* FILE.csv or FILE.npz, or csv on stdout: "-". */
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
            c->quality.was_cached ? "" : ", with training the classifier");
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

/* Options of bounds, where there are none. Gives the exit code. */
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

/* ---- What goes with what ---- */

static int check_runs(const command *c, const eval_request *q, int n)
{
    if (n > 1 && (q->pairs || q->per_image || q->scored->features || q->scored->samples))
        return complain(c, CODE_USAGE, "--nearest, --per-image, --features and --samples-out are files of one "
                        "run, found %d", n);
    if (q->per_image && strcmp(q->per_image, "-") == 0 && q->as_json)
        return complain(c, CODE_USAGE, "--per-image - and --json: both want the standard output");
    return CODE_DONE;
}

/* ---- The command ---- */

static int run(const command *c, int argc, const char **argv)
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
         .help = "also the bounds of so many draws, from the same draws"},
        {.name = "ais", .kind = FLAG_TEXT, .value = &q.ais_text, .operand = "CHAINS,STEPS",
         .help = "also -log p(x) by annealed importance sampling"},
        {.name = "ais-from", .kind = FLAG_CHOICE, .value = &q.ais_from, .operand = "START",
         .help = "normal: N(0, I), or posterior: q(z|x), which is nearer; default: normal",
         .choices = starts, .needs = "ais"},
        {OPTION_QUALITY, .value = &q.with_quality},
        {OPTION_SAMPLES, .value = &q.quality_samples, .needs = "quality nearest features samples-out"},
        {OPTION_NEAREST, .value = &q.pairs},
        {OPTION_FEATURES, .value = &scored.features},
        {OPTION_SAMPLES_OUT, .value = &scored.samples},
        {.name = "per-image", .kind = FLAG_OUTPUT, .value = &q.per_image, .operand = "FILE",
         .help = "also every image's own numbers; as csv on the terminal in place of the table",
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
    .summary = "say what a model is worth, in nats per image",
    .operands = "RUN... [options]",
    .min_operands = 1,
    .max_operands = EVAL_MAX_RUNS,
    .about =
        "RUN is a run directory, of which the newest checkpoint is taken, or a checkpoint file. "
        "Every number is a mean over images, with its standard error:\n"
        "  -ELBO               -log p(x), from above: distortion + rate, with weight 1 on the rate\n"
        "  rate                KL of q(z|x) from the prior: what the code costs\n"
        "  distortion          -log p(x|z) at one draw z: what the image costs, given the code\n"
        "  IWAE                -log p(x), from above, by groups of k draws from q(z|x)\n"
        "  NLL                 -log p(x), from above, by K importance samples from q(z|x)\n"
        "  ESS                 how many of the K draws carry the weight; near 1: do not believe "
        "it\n"
        "  Pareto k            how heavy the tail of the weights is; above 0.7: do not believe it\n"
        "  AIS                 -log p(x), from above, by chains that do not depend on q(z|x)\n"
        "  active latents      those whose posterior mean differs between images\n"
        "  mutual information  how much the code says about which image of the split it is\n"
        "  aggregate KL        how far the codes of all images together are from the prior\n"
        "  squared error       of the reconstruction from the posterior mean, summed over pixels\n"
        "  bits per dimension  of probabilities (bernoulli on binary data, discretized_logistic) or "
        "of a density on [0, 1], as is said below; a density of bytes is also given with the 8 bits "
        "more that compare it with probabilities of bytes\n"
        "\n"
        "--per-image writes a row for each image: index (in its split, from 0), label (-1: none), and "
        "the numbers above, of which those are the means; units are in their names.\n"
        "\n"
        "--quality draws samples and looks at them through a small classifier that is trained on "
        "the data's own images, once. Models without a likelihood are "
        "judged by it alone. Each score stands beside that of train images, its floor; scores of "
        "one digest compare.\n"
        "  FID                 distance of two Gaussians of features; falls with more samples\n"
        "  KID                 squared discrepancy of features, without bias: 0 for equal "
        "distributions\n"
        "  precision, density  whether samples are like held-out images\n"
        "  recall, coverage    whether held-out images are like samples: low where something is "
        "missing\n"
        "  inception score     whether samples are clearly of one class each, of all classes\n"
        "  copies              whether more samples than held-out images are much nearer to one train "
        "image than to others\n"
        "\n"
        "Several RUNs make one table of each kind, a row for each run, and under it the differences from the "
        "first run, each image with itself, or why two runs are not comparable.\n"
        "\n"
        "What is found of a run's own data is also kept in its evaluations.jsonl, for latent runs. The same "
        "seed gives the same digits, with any number of threads.\n",
    .examples = "  latent eval runs/fashion-mlp-vae\n"
                "  latent eval runs/ift6135-vae --split valid --nll 200 --json\n"
                "  latent eval runs/ift6135-vae --iwae 5,50 --nll 5000 --ais 16,500 --images 100\n"
                "  latent eval runs/fashion-mlp-vae --nll 200 --per-image images.csv\n"
                "  latent eval runs/fashion-mlp-vae -s data.classes=5,7,9 -s data.limit=1000\n"
                "  latent eval runs/iwae-1l runs/iwae-2l --nll 200\n"
                "  latent eval runs/fashion-mlp-vae runs/fashion-wgan --quality\n",
    .run = run};
