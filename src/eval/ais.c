/* SPDX-License-Identifier: MIT */
/* Annealed importance sampling of log p(x) (Neal 2001; of decoders: Wu et al. 2017). From a
   Gaussian f_0 whose logarithm is known, N(0, I) or q(z|x), chains go through

       log f_b(z) = (1 - b) log f_0(z) + b (log p(z) + log p(x|z)),    b = 0 ... 1,

   by one Hamiltonian transition at each b; log w gains (b' - b) (log p(x, z) - log f_0(z)) at each
   step, and the mean of w over chains is an unbiased estimate of p(x).

   The estimate is unbiased only if transitions do not depend on the chains they move. So a pilot run of a few
   chains first adapts the step size of each image at each b toward 65 % acceptance; the chains that
   count then use these step sizes unchanged. Masses are the precision (1 - b) / sigma_0^2 + b / sigma_q^2
   of the posterior that q suggests at b, for any f_0: exact if decoder and encoder are linear, and only a
   choice of units otherwise. */
#include <latent/eval.h>
#include <latent/train.h>

#include "base/clock.h"
#include "base/constants.h"
#include "base/memory.h"
#include "base/philox.h"
#include "base/status.h"
#include "base/threads.h"
#include "base/estimate.h"
#include "eval/visit.h"
#include "exec/run_options.h"
#include "models/kind.h"
#include "cpu/tiles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 1000, PILOT_CHAINS = 4, CHAINS = 16, STEPS = 500, LEAPFROGS = 2 };
enum { MOMENTUM_STREAM = 0x41495301, CHOICE_STREAM, JITTER_STREAM, START_STREAM };

static const double wanted_acceptance = 0.65, adaptation = 0.1;

/* ---- The chains of a batch of images ---- */

/* log p(x, z) and its gradient by z; rows: image by image, `chains` for each. */
typedef struct target {
    visit v;
    lt_node *x, *z, *joint, *slope;
} target;

typedef struct anneal {
    visited images;
    lt_ais_options o;
    int batch, first, n; /* images at a time; first image and count of the current batch */
    int threads;
    int64_t pixels, latent;
    visit encoder;
    lt_node *encoded;
    lt_gauss q;
    target pilot, counted;
    float *x, *mean, *logvar;                    /* of the batch; q's */
    float *base_mean, *base_precision, *scale;   /* n x latent: those of f_0; 1 / sqrt(mass) */
    float *z, *slope, *momentum, *old_z, *old_slope; /* rows x latent */
    float *joint, *old_joint, *steps;            /* rows; rows; n x steps + 1 */
    double *energy, *accepted, *log_weight;      /* rows */
    double *base_constant;                       /* n: log f_0 at its mean */
    tally nll, ess, acceptance, step_size;
    double done, todo;
} anneal;

/* One transition of the chains of one program. */
typedef struct transition {
    anneal *a;
    int chains, number; /* per image; 1 ... steps - 1 */
    bool is_pilot;
    double b, gained; /* the temperature; its increase */
} transition;

/* From 0 to 1, slower at the ends than in the middle: the schedule of Wu et al. */
static double temperature(int t, int steps)
{
    const double width = 4;
    double ends = 1 / (1 + exp(width)), x = 1 / (1 + exp(-width * (2. * t / steps - 1)));
    return t == 0 ? 0 : t == steps ? 1 : (x - ends) / (1 - 2 * ends);
}

/* The step size of image i in transition `number`. */
static float *step_at(const anneal *a, int64_t i, int number)
{
    return a->steps + i * (a->o.steps + 1) + number;
}

static philox_key key_of(const transition *t, uint32_t stream)
{
    const anneal *a = t->a;
    uint64_t batch = (uint64_t)(a->first / a->batch);
    return (philox_key){a->o.seed, stream,
                        batch << 33 | (uint64_t)t->is_pilot << 32 | (uint32_t)t->number};
}

/* `latent` normal draws of row i. */
static void draw_normals(const transition *t, uint32_t stream, int64_t i, float *out)
{
    uint32_t words[TILE_SIZE];
    float values[TILE_SIZE];
    int64_t n = t->a->latent, row = i * ((n + 3) / 4 * 4);
    philox_key key = key_of(t, stream);
    for (int64_t at = 0; at < n; at += TILE_SIZE) {
        int64_t m = n - at < TILE_SIZE ? n - at : TILE_SIZE;
        philox_words(&key, row + at, m, words);
        tile_normal((int)((m + 3) / 4 * 4), values, words);
        memcpy(out + at, values, sizeof *out * (size_t)m);
    }
}

/* log f_0 at row i. */
static double base_log_prob(const anneal *a, int64_t i, int64_t image)
{
    const float *z = a->z + i * a->latent, *mean = a->base_mean + image * a->latent,
                *precision = a->base_precision + image * a->latent;
    double sum = 0;
    for (int64_t k = 0; k < a->latent; k++) {
        double d = (double)(z[k] - mean[k]);
        sum += d * d * (double)precision[k];
    }
    return a->base_constant[image] - 0.5 * sum;
}

static double log_prob(const transition *t, int64_t i)
{
    const anneal *a = t->a;
    return (1 - t->b) * base_log_prob(a, i, i / t->chains) + t->b * (double)a->joint[i];
}

/* momentum += h scale (d log f_b / d z) */
static void kick(const transition *t, int64_t i, double h)
{
    const anneal *a = t->a;
    int64_t n = a->latent, image = i / t->chains;
    float b = (float)t->b, to_base = (float)(1 - t->b), step = (float)h;
    const float *scale = a->scale + image * n, *mean = a->base_mean + image * n,
                *precision = a->base_precision + image * n;
    float *p = a->momentum + i * n, *z = a->z + i * n, *slope = a->slope + i * n;
    for (int64_t k = 0; k < n; k++)
        p[k] += step * scale[k] * (b * slope[k] - to_base * precision[k] * (z[k] - mean[k]));
}

/* z += h scale momentum */
static void drift(const transition *t, int64_t i, double h)
{
    const anneal *a = t->a;
    int64_t n = a->latent;
    const float *scale = a->scale + i / t->chains * n;
    float *z = a->z + i * n, *p = a->momentum + i * n, step = (float)h;
    for (int64_t k = 0; k < n; k++)
        z[k] += step * scale[k] * p[k];
}

static double kinetic(const anneal *a, int64_t i)
{
    double sum = 0;
    for (int64_t k = 0; k < a->latent; k++) {
        double p = (double)a->momentum[i * a->latent + k];
        sum += p * p;
    }
    return 0.5 * sum;
}

/* The image's step size, changed at random by up to a fifth: a trajectory of exactly one period would return to its
   start. */
static double step_of(const transition *t, int64_t i)
{
    const anneal *a = t->a;
    philox_key key = key_of(t, JITTER_STREAM);
    double u = (double)philox_uniform(philox_word(&key, i));
    return (double)step_at(a, i / t->chains, t->number)[0] * (0.8 + 0.4 * u);
}

/* ---- Operations on a row ---- */

static void start_row(void *context, int64_t i, int worker)
{
    (void)worker;
    const transition *t = context;
    anneal *a = t->a;
    int64_t n = a->latent, image = i / t->chains;
    draw_normals(t, START_STREAM, i, a->z + i * n);
    for (int64_t k = 0; k < n; k++)
        a->z[i * n + k] = a->base_mean[image * n + k] +
                          a->z[i * n + k] / sqrtf(a->base_precision[image * n + k]);
    a->log_weight[i] = 0;
}

static void weigh_row(void *context, int64_t i, int worker)
{
    (void)worker;
    const transition *t = context;
    anneal *a = t->a;
    a->log_weight[i] += t->gained * ((double)a->joint[i] - base_log_prob(a, i, i / t->chains));
}

static void begin_row(void *context, int64_t i, int worker)
{
    (void)worker;
    const transition *t = context;
    anneal *a = t->a;
    size_t row = sizeof(float) * (size_t)a->latent;
    double h = step_of(t, i);
    memcpy(a->old_z + i * a->latent, a->z + i * a->latent, row);
    memcpy(a->old_slope + i * a->latent, a->slope + i * a->latent, row);
    a->old_joint[i] = a->joint[i];
    draw_normals(t, MOMENTUM_STREAM, i, a->momentum + i * a->latent);
    a->energy[i] = kinetic(a, i) - log_prob(t, i);
    kick(t, i, h / 2);
    drift(t, i, h);
}

static void move_row(void *context, int64_t i, int worker)
{
    (void)worker;
    const transition *t = context;
    double h = step_of(t, i);
    kick(t, i, h);
    drift(t, i, h);
}

/* Accepts the end of the trajectory with probability min(1, e^(energy before - after)). */
static void end_row(void *context, int64_t i, int worker)
{
    (void)worker;
    const transition *t = context;
    anneal *a = t->a;
    size_t row = sizeof(float) * (size_t)a->latent;
    philox_key key = key_of(t, CHOICE_STREAM);
    kick(t, i, step_of(t, i) / 2);
    double gain = a->energy[i] - (kinetic(a, i) - log_prob(t, i));
    a->accepted[i] = isnan(gain) ? 0 : exp(fmin(gain, 0)); /* NaN: the trajectory diverged */
    if ((double)philox_uniform(philox_word(&key, i)) < a->accepted[i])
        return;
    memcpy(a->z + i * a->latent, a->old_z + i * a->latent, row);
    memcpy(a->slope + i * a->latent, a->old_slope + i * a->latent, row);
    a->joint[i] = a->old_joint[i];
}

/* ---- All steps of a batch ---- */

static int look(anneal *a, target *p, int64_t rows)
{
    lt_session *s = p->v.session;
    LT_TRY(lt_session_write(s, p->z, a->z, rows * a->latent));
    LT_TRY(lt_session_run(s, NULL));
    LT_TRY(lt_session_read(s, p->joint, a->joint, rows));
    return lt_session_read(s, p->slope, a->slope, rows * a->latent);
}

static void set_scale(anneal *a, double b)
{
    for (int64_t k = 0; k < a->batch * a->latent; k++)
        a->scale[k] = (float)(1 / sqrt((1 - b) * (double)a->base_precision[k] +
                                       b * exp(-(double)a->logvar[k])));
}

/* Sets the step size of image i in the next transition, from the acceptance of its chains in this one. */
static void adapt(const transition *t, int i)
{
    anneal *a = t->a;
    double mean = 0;
    for (int c = 0; c < t->chains; c++)
        mean += a->accepted[i * t->chains + c] / t->chains;
    float *step = step_at(a, i, t->number);
    step[1] = step[0] * (float)exp(adaptation * (mean - wanted_acceptance));
}

static int move(const transition *t, target *p)
{
    anneal *a = t->a;
    int64_t rows = (int64_t)a->batch * t->chains;
    set_scale(a, t->b);
    threads_run(a->threads, rows, begin_row, (void *)(uintptr_t)t);
    for (int i = 1; i < a->o.leapfrogs; i++) {
        LT_TRY(look(a, p, rows));
        threads_run(a->threads, rows, move_row, (void *)(uintptr_t)t);
    }
    LT_TRY(look(a, p, rows));
    threads_run(a->threads, rows, end_row, (void *)(uintptr_t)t);
    for (int i = 0; t->is_pilot && i < a->batch; i++)
        adapt(t, i);
    for (int64_t i = 0; !t->is_pilot && i < (int64_t)a->n * t->chains; i++)
        tally_add(&a->acceptance, a->accepted[i]);
    return LT_OK;
}

static int report_progress(anneal *a, int chains)
{
    a->done += chains;
    if (!run_continues(&a->o.run, a->done / a->todo))
        return status_fail(LT_INTERRUPTED, "annealing was stopped");
    return LT_OK;
}

/* Runs all chains of a batch from f_0 to the joint density. */
static int run_chains(anneal *a, target *p, int chains, bool is_pilot)
{
    int64_t rows = (int64_t)a->batch * chains;
    int steps = a->o.steps;
    transition t = {.a = a, .chains = chains, .is_pilot = is_pilot};
    LT_TRY(lt_session_write(p->v.session, p->x, a->x, a->batch * a->pixels));
    threads_run(a->threads, rows, start_row, &t);
    LT_TRY(look(a, p, rows));
    for (t.number = 1; t.number <= steps; t.number++) {
        t.b = temperature(t.number, steps);
        t.gained = t.b - temperature(t.number - 1, steps);
        threads_run(a->threads, rows, weigh_row, &t);
        if (t.number < steps)
            LT_TRY(move(&t, p));
        LT_TRY(report_progress(a, chains));
    }
    return LT_OK;
}

/* ---- Images ---- */

/* Sets f_0 of image i and its first step size, at which a Gaussian of this width accepts about half. */
static void set_base(anneal *a, int i)
{
    double sum = 0;
    for (int64_t k = i * a->latent; k < (i + 1) * a->latent; k++) {
        float logvar = a->o.from_posterior ? a->logvar[k] : 0;
        a->base_mean[k] = a->o.from_posterior ? a->mean[k] : 0;
        a->base_precision[k] = expf(-logvar);
        sum += (double)logvar + LOG_2_PI;
    }
    a->base_constant[i] = -0.5 * sum;
    step_at(a, i, 1)[0] = powf((float)a->latent, -0.25f);
}

/* Reads x, q and f_0 of images a->first ... a->first + a->n - 1; the rest of the batch is not counted. */
static int read_batch(anneal *a)
{
    lt_session *s = a->encoder.session;
    int64_t b = a->batch, codes = b * a->latent;
    LT_TRY(visited_gather(&a->images, a->first, a->batch, a->x));
    LT_TRY(lt_session_write(s, a->encoded, a->x, b * a->pixels));
    LT_TRY(lt_session_run(s, NULL));
    LT_TRY(lt_session_read(s, a->q.mean, a->mean, codes));
    LT_TRY(lt_session_read(s, a->q.logvar, a->logvar, codes));
    for (int i = 0; i < b; i++)
        set_base(a, i);
    return LT_OK;
}

static void count_images(anneal *a)
{
    int chains = a->o.chains;
    for (int i = 0; i < a->n; i++) {
        weight_sum sum = WEIGHT_SUM_ZERO;
        for (int c = 0; c < chains; c++)
            weight_sum_add(&sum, a->log_weight[i * chains + c]);
        double nll = -weight_sum_log_mean(&sum, chains), ess = weight_sum_ess(&sum);
        tally_add(&a->nll, nll);
        tally_add(&a->ess, ess);
        tally_add(&a->step_size, (double)step_at(a, i, a->o.steps)[0]);
        if (a->o.nll_of)
            a->o.nll_of[a->first + i] = nll;
        if (a->o.ess_of)
            a->o.ess_of[a->first + i] = ess;
    }
}

static int anneal_all(anneal *a)
{
    int pilot = a->o.chains < PILOT_CHAINS ? a->o.chains : PILOT_CHAINS;
    int batches = (a->images.n + a->batch - 1) / a->batch;
    a->todo = (double)batches * a->o.steps * (pilot + a->o.chains);
    for (a->first = 0; a->first < a->images.n; a->first += a->batch) {
        a->n = a->images.n - a->first < a->batch ? a->images.n - a->first : a->batch;
        LT_TRY(read_batch(a));
        LT_TRY(run_chains(a, &a->pilot, pilot, true));
        LT_TRY(run_chains(a, &a->counted, a->o.chains, false));
        count_images(a);
    }
    return LT_OK;
}

/* ---- Opening and closing ---- */

static int target_open(target *p, lt_model *m, lt_shape images, int64_t chains,
                       const lt_session_options *o)
{
    lt_graph *g = p->v.graph = lt_graph_create();
    p->x = lt_input(g, "x", images);
    p->z = lt_input(g, "z", lt_shape_2d(images.d[0] * chains, lt_model_latent(m)));
    lt_node *x = lt_repeat_rows(p->x, chains);
    p->joint = lt_add(lt_model_log_prob(m, g, p->z, x), lt_model_log_prior(m, g, p->z));
    p->slope = lt_grad(p->joint, p->z);
    return visit_open(&p->v, m, (lt_node *[]){p->joint, p->slope}, 2, o);
}

static int open_programs(anneal *a, lt_model *m)
{
    lt_image_size s = lt_model_image_size(m);
    lt_shape images = lt_shape_4d(a->batch, s.h, s.w, s.c);
    lt_session_options o = run_session_options(&a->o.run);
    int pilot = a->o.chains < PILOT_CHAINS ? a->o.chains : PILOT_CHAINS;
    a->encoder.graph = lt_graph_create();
    a->encoded = lt_input(a->encoder.graph, "x", images);
    a->q = lt_model_encode(m, a->encoder.graph, a->encoded);
    LT_TRY(visit_open(&a->encoder, m, (lt_node *[]){a->q.mean, a->q.logvar}, 2, &o));
    LT_TRY(target_open(&a->pilot, m, images, pilot, &o));
    return target_open(&a->counted, m, images, a->o.chains, &o);
}

/* Calls f with every float array and its size. */
static int each_block(anneal *a, int (*f)(float **block, int64_t n))
{
    int64_t b = a->batch, codes = b * a->latent, rows = b * a->o.chains, all = rows * a->latent;
    struct {
        float **block;
        int64_t n;
    } blocks[] = {{&a->x, b * a->pixels}, {&a->mean, codes},          {&a->logvar, codes},
                  {&a->base_mean, codes}, {&a->base_precision, codes}, {&a->scale, codes},
                  {&a->z, all},           {&a->slope, all},            {&a->momentum, all},
                  {&a->old_z, all},       {&a->old_slope, all},        {&a->joint, rows},
                  {&a->old_joint, rows},  {&a->steps, b * (a->o.steps + 1)}};
    for (int i = 0; i < COUNT_OF(blocks); i++)
        LT_TRY(f(blocks[i].block, blocks[i].n));
    return LT_OK;
}

static int allocate_block(float **block, int64_t n)
{
    *block = tensor_alloc(sizeof **block * (size_t)n, "chains");
    return *block ? LT_OK : LT_NO_MEMORY;
}

static int free_block(float **block, int64_t n)
{
    (void)n;
    tensor_free(*block);
    return LT_OK;
}

static int make_room(anneal *a)
{
    size_t rows = (size_t)a->batch * (size_t)a->o.chains;
    a->energy = must_alloc(sizeof *a->energy * rows);
    a->accepted = must_alloc(sizeof *a->accepted * rows);
    a->log_weight = must_alloc(sizeof *a->log_weight * rows);
    a->base_constant = must_alloc(sizeof *a->base_constant * (size_t)a->batch);
    return each_block(a, allocate_block);
}

static void release(anneal *a)
{
    each_block(a, free_block);
    free(a->energy);
    free(a->accepted);
    free(a->log_weight);
    free(a->base_constant);
    visit_close(&a->encoder);
    visit_close(&a->pilot.v);
    visit_close(&a->counted.v);
}

static int check(anneal *a, lt_model *m, lt_dataset *d, lt_split split)
{
    enum { MAX_CHAINS = 10000, MAX_STEPS = 1000000, MAX_LEAPFROGS = 1000 };
    lt_ais_options *o = &a->o;
    lt_image_size s = lt_model_image_size(m);
    LT_TRY(kind_require(lt_model_recipe(m), LT_CAN_BOUND, "log p(x) to estimate"));
    if (o->chains < 0 || o->steps < 0 || o->leapfrogs < 0 || o->images < 0 ||
        o->chains > MAX_CHAINS || o->steps > MAX_STEPS || o->leapfrogs > MAX_LEAPFROGS)
        return status_fail(LT_VALUE, "annealing: expected at least 1 chain, step and leapfrog, found %d, %d and %d",
                           o->chains, o->steps, o->leapfrogs);
    if (lt_model_latent2(m) > 0)
        return status_fail(LT_UNSUPPORTED,
                           "%s has a second stochastic layer, in which log p(z) is an integral: "
                           "annealing is for one layer",
                           lt_recipe_name(lt_model_recipe(m)));
    LT_TRY(visited_init(&a->images, m, d, split, o->images));
    o->chains = o->chains ? o->chains : CHAINS;
    o->steps = o->steps ? o->steps : STEPS;
    o->leapfrogs = o->leapfrogs ? o->leapfrogs : LEAPFROGS;
    a->threads = run_threads(&o->run);
    a->pixels = (int64_t)s.h * s.w * s.c;
    a->latent = lt_model_latent(m);
    a->batch = o->chains < ROWS ? ROWS / o->chains : 1;
    a->batch = a->batch < a->images.n ? a->batch : a->images.n;
    return LT_OK;
}

int lt_ais(lt_model *m, lt_dataset *d, lt_split split, const lt_ais_options *o,
              lt_ais_result *result)
{
    anneal a = {.n = 0};
    if (o)
        a.o = *o;
    double began = seconds_now();
    int status = check(&a, m, d, split);
    if (status == LT_OK)
        status = open_programs(&a, m);
    if (status == LT_OK)
        status = make_room(&a);
    if (status == LT_OK)
        status = anneal_all(&a);
    if (status == LT_OK)
        *result = (lt_ais_result){.images = a.images.n,
                                  .chains = a.o.chains,
                                  .steps = a.o.steps,
                                  .nll = tally_estimate(&a.nll, 1),
                                  .ess = a.ess.mean,
                                  .acceptance = a.acceptance.mean,
                                  .step_size = a.step_size.mean,
                                  .seconds = seconds_now() - began};
    release(&a);
    return status;
}
