/* SPDX-License-Identifier: MIT */
/* The numbers of docs/corrections.md: common mistakes beside what is right, by formula or on a small
   VAE that trains in a second or two.
 *
 *     corrections [NAME...]        prints the tables, or those of these names
 *     corrections --write PAGE     puts them into the page, between its marks
 *     corrections --check PAGE     exits 1 unless the page has them: words as they are, numbers from
 *                                  draws and training to about a tenth
 */
#include <latent/latent.h>

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE = 12,
    PIXELS = SIDE * SIDE,
    IMAGES = 2000,
    TESTED = 400,
    BATCH = 100,
    UNITS = 64,
    STEPS = 1500,
    LATENT = 8,
    SAMPLES = 200
};

static const double pi = 3.14159265358979323846;

static void give_up(void)
{
    fprintf(stderr, "corrections: %s\n", lt_last_error());
    exit(1);
}

static void must(int status)
{
    if (status != LT_OK)
        give_up();
}

/* ---- A small VAE, right or wrong ---- */

typedef enum kl_form { KL_RIGHT, KL_WITHOUT_HALF, KL_WITHOUT_PATH } kl_form;

/* Zero is what is right: -ELBO with sigma^2 = 1/2, or of bits. */
typedef struct choice {
    kl_form kl;
    double beta; /* 0: 1 */
    bool has_leaky_heads, is_bernoulli;
} choice;

typedef struct small_vae {
    choice c;
    lt_params *params;
    lt_dataset *data;
} small_vae;

typedef struct terms {
    lt_gauss q;
    lt_node *logits, *rate, *error, *loss, *z;
} terms;

static lt_node *linear(lt_scope *s, const char *name, lt_node *x, int units)
{
    return lt_linear_with(s, name, x, units, &(lt_linear_options){.no_bias = false});
}

static lt_node *decode(lt_scope *s, lt_node *z)
{
    return linear(s, "1", lt_relu(linear(s, "0", z, UNITS)), PIXELS);
}

/* sigma^2 + mu^2 - log sigma - 1/2, as two of the documents have it. */
static lt_node *kl_without_half(lt_gauss q)
{
    lt_node *squares = lt_add(lt_exp(q.logvar), lt_square(q.mean));
    return lt_sum_rows(lt_shift(lt_sub(squares, lt_scale(q.logvar, 0.5)), -0.5));
}

/* log q - log p at a draw through which no gradient passes: `sample` for `rsample`. */
static lt_node *kl_without_path(lt_gauss q, lt_node *z)
{
    z = lt_detach(z);
    return lt_sub(lt_gauss_log_prob(q, z), lt_standard_log_prob(z));
}

static terms build(const choice *c, lt_scope *root, lt_node *x)
{
    terms t;
    lt_scope *e = lt_scope_enter(root, "encoder");
    lt_node *h = lt_relu(linear(e, "0", x, UNITS));
    t.q.mean = linear(e, "mean", h, LATENT);
    t.q.logvar = linear(e, "logvar", h, LATENT);
    if (c->has_leaky_heads) {
        t.q.mean = lt_leaky_relu(t.q.mean, 0.01);
        t.q.logvar = lt_leaky_relu(t.q.logvar, 0.01);
    }
    t.z = lt_gauss_sample(t.q);
    t.logits = decode(lt_scope_enter(root, "decoder"), t.z);
    t.error = c->is_bernoulli ? lt_neg(lt_bernoulli_log_prob(t.logits, x))
                              : lt_sum_rows(lt_square(lt_sub(x, lt_sigmoid(t.logits))));
    t.rate = c->kl == KL_RIGHT          ? lt_gauss_kl(t.q)
             : c->kl == KL_WITHOUT_HALF ? kl_without_half(t.q)
                                        : kl_without_path(t.q, t.z);
    t.loss = lt_mean(lt_add(t.error, lt_scale(t.rate, c->beta > 0 ? c->beta : 1)));
    return t;
}

/* A graph with the terms of n images, and a session that has its parameters. */
typedef struct visit {
    lt_graph *g;
    lt_node *x;
    terms t;
    lt_session *s;
} visit;

static void visit_begin(visit *v, const small_vae *m, int n)
{
    v->g = lt_graph_create();
    v->x = lt_input(v->g, "x", lt_shape_2d(n, PIXELS));
    v->t = build(&m->c, lt_params_visit(m->params, v->g), v->x);
}

static void visit_ready(visit *v, const small_vae *m, lt_node *const *targets, int n)
{
    must(lt_session_open(v->g, targets, n, NULL, &v->s));
    must(lt_params_bind(m->params, v->g, v->s));
}

static void visit_end(visit *v)
{
    lt_session_free(v->s);
    lt_graph_free(v->g);
}

static void train(small_vae *m)
{
    int32_t order[IMAGES];
    visit v;
    visit_begin(&v, m, BATCH);
    lt_node *targets[1 + LT_OPTIMIZER_TARGETS] = {v.t.loss};
    int n = 1 + lt_optimizer_build("adam lr=2e-3", m->params, v.t.loss, targets + 1);
    visit_ready(&v, m, targets, n);
    for (int i = 0; i < STEPS; i++) {
        int at = i * BATCH % IMAGES;
        if (at == 0)
            lt_dataset_order(m->data, LT_TRAIN, 1, (uint64_t)(i * BATCH / IMAGES), order);
        must(lt_dataset_gather(m->data, LT_TRAIN, order + at, BATCH, 0, 1,
                               lt_session_floats(v.s, v.x)));
        must(lt_session_run(v.s, &(lt_run_key){.seed = 1, .step = (uint64_t)i}));
    }
    visit_end(&v);
}

static lt_node *declare(lt_scope *s, lt_node *x, const void *c) { return build(c, s, x).loss; }

static small_vae make(choice c)
{
    small_vae m = {.c = c, .params = lt_params_create()};
    must(lt_dataset_synthetic(IMAGES, SIDE, SIDE, 1, NULL, &m.data));
    must(lt_params_declare(m.params, declare, &c, lt_shape_2d(1, PIXELS), 1));
    train(&m);
    return m;
}

static void drop(small_vae *m)
{
    lt_params_free(m->params);
    lt_dataset_free(m->data);
}

/* ---- What it has learned, on test images ---- */

static double mean_of(const float *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)x[i];
    return sum / n;
}

typedef struct findings {
    float mean[TESTED * LATENT], logvar[TESTED * LATENT], z[TESTED * LATENT];
    float rate[TESTED], reported[TESTED], error[TESTED]; /* reported: in the model's own form */
    float cross_entropy[TESTED], density[TESTED];        /* of the decoder's output as logits */
    float log_ratio[TESTED];                             /* log q - log p at the draw */
} findings;

static void load_tests(const small_vae *m, float *x)
{
    int32_t index[TESTED];
    for (int i = 0; i < TESTED; i++)
        index[i] = i;
    must(lt_dataset_gather(m->data, LT_TEST, index, TESTED, 0, 1, x));
}

static void look(const small_vae *m, uint64_t seed, findings *f)
{
    visit v;
    visit_begin(&v, m, TESTED);
    lt_node *logits = v.t.logits;
    lt_node *targets[] = {v.t.q.mean,
                          v.t.q.logvar,
                          v.t.z,
                          lt_gauss_kl(v.t.q),
                          v.t.rate,
                          v.t.error,
                          lt_neg(lt_bernoulli_log_prob(logits, v.x)),
                          lt_neg(lt_continuous_bernoulli_log_prob(logits, v.x)),
                          lt_sub(lt_gauss_log_prob(v.t.q, v.t.z), lt_standard_log_prob(v.t.z))};
    float *places[] = {f->mean,  f->logvar,        f->z,       f->rate,     f->reported,
                       f->error, f->cross_entropy, f->density, f->log_ratio};
    enum { N = sizeof targets / sizeof *targets };
    visit_ready(&v, m, targets, N);
    load_tests(m, lt_session_floats(v.s, v.x));
    must(lt_session_run(v.s, &(lt_run_key){.seed = seed}));
    for (int i = 0; i < N; i++)
        must(lt_session_read(v.s, targets[i], places[i], lt_shape_size(lt_node_shape(targets[i]))));
    visit_end(&v);
}

/* Variance over images of column k of n x LATENT numbers. */
static double variance_of(const float *x, int k)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < TESTED; i++) {
        double v = (double)x[i * LATENT + k];
        sum += v;
        squares += v * v;
    }
    return (squares - sum * sum / TESTED) / (TESTED - 1);
}

/* The root of the mean variance of the codes: 1 if they are distributed like N(0, I). */
static double code_deviation(const findings *f)
{
    double sum = 0;
    for (int k = 0; k < LATENT; k++)
        sum += variance_of(f->z, k) / LATENT;
    return sqrt(sum);
}

/* ---- Samples ---- */

typedef enum prior { NORMAL, NARROW, UNIFORM } prior; /* NARROW: N(0, I/2) */

static lt_node *draw_codes(lt_graph *g, prior p)
{
    lt_shape s = lt_shape_2d(SAMPLES, LATENT);
    return p == UNIFORM ? lt_uniform(g, s) : lt_scale(lt_normal(g, s), p == NARROW ? sqrt(.5) : 1);
}

static void sample(const small_vae *m, prior p, float *images)
{
    visit v = {.g = lt_graph_create()};
    lt_scope *root = lt_params_visit(m->params, v.g);
    lt_node *y = lt_sigmoid(decode(lt_scope_enter(root, "decoder"), draw_codes(v.g, p)));
    visit_ready(&v, m, &y, 1);
    must(lt_session_run(v.s, &(lt_run_key){.seed = 7}));
    must(lt_session_read(v.s, y, images, SAMPLES * PIXELS));
    visit_end(&v);
}

static double distance(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < PIXELS; i++)
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sum;
}

/* Mean squared distance of samples to the training image nearest to each: small where samples are
   like images; and of pairs of samples: large where they are diverse. */
static void judge_samples(const small_vae *m, prior p, double *nearest, double *apart)
{
    static float images[SAMPLES * PIXELS], all[IMAGES * PIXELS];
    static int32_t index[IMAGES];
    for (int i = 0; i < IMAGES; i++)
        index[i] = i;
    must(lt_dataset_gather(m->data, LT_TRAIN, index, IMAGES, 0, 1, all));
    sample(m, p, images);
    *nearest = *apart = 0;
    for (int i = 0; i < SAMPLES; i++) {
        double least = HUGE_VAL;
        for (int k = 0; k < IMAGES; k++)
            least = fmin(least, distance(images + i * PIXELS, all + k * PIXELS));
        *nearest += least / SAMPLES;
        if (i)
            *apart += distance(images + i * PIXELS, images + (i - 1) * PIXELS) / (SAMPLES - 1);
    }
}

/* ---- Numbers of a graph without parameters ---- */

static void compute(lt_graph *g, lt_node *y, lt_executor executor, float *values)
{
    lt_session *s;
    must(lt_session_open(g, &y, 1, &(lt_session_options){.executor = executor}, &s));
    must(lt_session_run(s, &(lt_run_key){.seed = 1}));
    must(lt_session_read(s, y, values, lt_shape_size(lt_node_shape(y))));
    lt_session_free(s);
    lt_graph_free(g);
}

/* ---- The tables ---- */

/* KL without its half. */
static void show_half(FILE *out)
{
    static findings f;
    fputs("| KL in the loss | KL as reported | true KL | deviation of codes | samples of N(0, I): "
          "distance to the nearest image | of N(0, I/2) |\n|---|---|---|---|---|---|\n",
          out);
    for (int wrong = 0; wrong < 2; wrong++) {
        double wide, narrow, apart;
        small_vae m = make((choice){.kl = wrong ? KL_WITHOUT_HALF : KL_RIGHT});
        look(&m, 0, &f);
        judge_samples(&m, NORMAL, &wide, &apart);
        judge_samples(&m, NARROW, &narrow, &apart);
        fprintf(out, "| %s | %.2f | %.2f | %.2f | %.2f | %.2f |\n",
                wrong ? "without the half" : "right", mean_of(f.reported, TESTED),
                mean_of(f.rate, TESTED), code_deviation(&f), wide, narrow);
        drop(&m);
    }
}

/* Its least value, at sigma^2 = 1/2 and mu = 0. */
static void show_floor(FILE *out)
{
    double floor = 0.5 - 0.5 * log(0.5) - 0.5;
    fputs("| latents | least value of the form without the half, nats |\n|---|---|\n", out);
    for (int n = 1; n <= 128; n += n == 1 ? 7 : 120)
        fprintf(out, "| %d | %.4f |\n", n, n * floor);
}

/* Entropy of N(0, S) for S = (4 1.2; 1.2 1): n/2 log 2 pi + 1/2 log det S + n/2. */
static void show_entropy(FILE *out)
{
    enum { DRAWS = 200000 };
    static float log_p[DRAWS];
    const double det = 4 * 1 - 1.2 * 1.2, l[] = {2, 0, 0.6, 0.8};
    lt_graph *g = lt_graph_create();
    lt_node *mean = lt_constant(g, lt_shape_2d(1, 2), (double[]){0, 0});
    lt_distribution d = lt_full_normal_distribution(mean, lt_constant(g, lt_shape_2d(2, 2), l));
    compute(g, lt_log_prob(d, lt_sample_from(d, DRAWS)), LT_CPU, log_p);
    fputs("| | nats |\n|---|---|\n", out);
    fprintf(out, "| log(2 pi) + 1/2 log det S + 1 | %.3f |\n", log(2 * pi) + 0.5 * log(det) + 1);
    fprintf(out, "| mean of -log p at %d draws | %.3f |\n", DRAWS, -mean_of(log_p, DRAWS));
    fprintf(out, "| 2 log(pi) / 2 + det S / 2 + 1 | %.3f |\n", log(pi) + det / 2 + 1);
}

/* What a squared error leaves out of -log p(x|z) at sigma^2 = 1/2. */
static void show_constants(FILE *out)
{
    static const int sides[] = {28, 32};
    fputs("| image | numbers | D/2 log pi, nats |\n|---|---|---|\n", out);
    for (int i = 0; i < 2; i++)
        fprintf(out, "| %d x %d | %d | %.2f |\n", sides[i], sides[i], sides[i] * sides[i],
                sides[i] * sides[i] / 2. * log(pi));
}

static double least_of(const float *x, int n)
{
    double least = HUGE_VAL;
    for (int i = 0; i < n; i++)
        least = fmin(least, (double)x[i]);
    return least;
}

static void show_heads(FILE *out)
{
    static findings f;
    fputs("| heads | least mean | least sigma | squared error | KL | sum |\n"
          "|---|---|---|---|---|---|\n",
          out);
    for (int leaky = 0; leaky < 2; leaky++) {
        small_vae m = make((choice){.has_leaky_heads = leaky});
        look(&m, 0, &f);
        double error = mean_of(f.error, TESTED), rate = mean_of(f.rate, TESTED);
        fprintf(out, "| %s | %.2f | %.2f | %.2f | %.2f | %.2f |\n", leaky ? "leaky ReLU" : "linear",
                least_of(f.mean, TESTED * LATENT), exp(0.5 * least_of(f.logvar, TESTED * LATENT)),
                error, rate, error + rate);
        drop(&m);
    }
}

static void show_uniform(FILE *out)
{
    static const char *const names[] = {[NORMAL] = "N(0, I)", [UNIFORM] = "U[0, 1]^8"};
    small_vae m = make((choice){0});
    fputs("| codes from | distance between samples | to the nearest image |\n|---|---|---|\n", out);
    for (prior p = NORMAL; p <= UNIFORM; p += UNIFORM) {
        double nearest, apart;
        judge_samples(&m, p, &nearest, &apart);
        fprintf(out, "| %s | %.2f | %.2f |\n", names[p], apart, nearest);
    }
    drop(&m);
}

static void show_beta(FILE *out)
{
    static findings f;
    fputs("| beta | squared error | KL | KL / 144 | deviation of codes | samples: distance to the "
          "nearest image |\n|---|---|---|---|---|---|\n",
          out);
    for (int small = 0; small < 2; small++) {
        double nearest, apart;
        small_vae m = make((choice){.beta = small ? 1. / PIXELS : 1});
        look(&m, 0, &f);
        judge_samples(&m, NORMAL, &nearest, &apart);
        fprintf(out, "| %s | %.2f | %.2f | %.3f | %.2f | %.2f |\n", small ? "1/144" : "1",
                mean_of(f.error, TESTED), mean_of(f.rate, TESTED), mean_of(f.rate, TESTED) / PIXELS,
                code_deviation(&f), nearest);
        drop(&m);
    }
}

/* 60,000 images in batches of 128: the last has 96. */
static void show_batches(FILE *out)
{
    int n = 60000, batch = 128, full = n / batch, last = n % batch;
    double weight = 1. / (full + 1);
    fputs("| the epoch's mean | weight of an image of a full batch, times 60,000 | of the last |\n"
          "|---|---|---|\n",
          out);
    fputs("| sum over images / 60,000 | 1.0000 | 1.0000 |\n", out);
    fprintf(out, "| mean of batch means | %.4f | %.4f |\n", n * weight / batch, n * weight / last);
    fprintf(out, "| mean of batch sums / 128 | %.4f | %.4f |\n", n * weight / batch,
            n * weight / batch);
}

/* Both forms of the ELBO, on one model: the mean over images, drawn again and again. */
static void show_forms(FILE *out)
{
    enum { REPEATS = 50 };
    static findings f;
    double sum[2] = {0}, squares[2] = {0};
    small_vae m = make((choice){.is_bernoulli = true});
    for (uint64_t i = 0; i < REPEATS; i++) {
        look(&m, i, &f);
        double error = mean_of(f.error, TESTED);
        double both[] = {error + mean_of(f.rate, TESTED), error + mean_of(f.log_ratio, TESTED)};
        for (int k = 0; k < 2; k++) {
            sum[k] += both[k] / REPEATS;
            squares[k] += both[k] * both[k] / REPEATS;
        }
    }
    fputs("| estimate of -ELBO | mean over 50 repeats | deviation of one |\n|---|---|---|\n", out);
    for (int k = 0; k < 2; k++)
        fprintf(out, "| %s | %.2f | %.3f |\n",
                k ? "log p(x, z) - log q(z), all drawn" : "analytic KL", sum[k],
                sqrt(squares[k] - sum[k] * sum[k]));
    drop(&m);
}

static lt_distribution uniform_from(lt_graph *g, double low)
{
    lt_shape s = lt_shape_2d(1, 1);
    return lt_uniform_distribution(lt_constant(g, s, &low), lt_constant(g, s, (double[]){low + 1}));
}

static void show_uniforms(FILE *out)
{
    fputs("| q | KL(U[0, 1], q) | KL(q, U[0, 1]) | W1 |\n|---|---|---|---|\n", out);
    for (int i = 0; i < 3; i++) {
        double low = i / 2.;
        float kl[2];
        for (int turn = 0; turn < 2; turn++) {
            lt_graph *g = lt_graph_create();
            lt_distribution a = uniform_from(g, 0), b = uniform_from(g, low);
            compute(g, turn ? lt_kl(b, a) : lt_kl(a, b), LT_REFERENCE, kl + turn);
        }
        fprintf(out, "| U[%g, %g] | %g | %g | %g |\n", low, low + 1, (double)kl[0], (double)kl[1],
                low);
    }
}

/* Integrals over z of e to the power of each form, for some sigma. */
static void show_density(FILE *out)
{
    static const double sigmas[] = {0.5, 1, 2};
    fputs("| sigma | -1/2 (log 2 pi sigma^2 + d^2 / sigma^2) | 1 / sqrt(2 pi sigma) before the "
          "exponential | -1/2 (log 2 pi sigma + d^2 / (2 sigma^2)) |\n|---|---|---|---|\n",
          out);
    for (int i = 0; i < 3; i++) {
        double s = sigmas[i], step = s / 500, sum[3] = {0};
        for (double d = -20 * s; d < 20 * s; d += step) {
            double e = d * d / (s * s);
            sum[0] += step * exp(-0.5 * (log(2 * pi * s * s) + e));
            sum[1] += step * exp(-0.5 * (log(2 * pi * s) + e));
            sum[2] += step * exp(-0.5 * (log(2 * pi * s) + e / 2));
        }
        fprintf(out, "| %.1f | %.3f | %.3f | %.3f |\n", s, sum[0], sum[1], sum[2]);
    }
}

/* d KL / d mean and d logvar at q = N(1, 4) by one-draw estimates: means and deviations. */
static void show_path(FILE *out)
{
    enum { DRAWS = 100000 };
    static float values[2 * DRAWS];
    const double mean = 1, logvar = log(4);
    fputs("| one-draw KL | d/d mean | deviation | d/d log variance | deviation |\n"
          "|---|---|---|---|---|\n",
          out);
    fprintf(out, "| exact | %.2f | | %.2f | |\n", mean, 0.5 * (exp(logvar) - 1));
    for (int detached = 0; detached < 2; detached++) {
        lt_graph *g = lt_graph_create();
        lt_shape s = lt_shape_2d(DRAWS, 1);
        lt_node *x[] = {lt_broadcast(lt_scalar(g, mean), s), lt_broadcast(lt_scalar(g, logvar), s)};
        lt_gauss q = {x[0], x[1]};
        lt_node *z = lt_gauss_sample(q), *d[2];
        z = detached ? lt_detach(z) : z;
        lt_grads(lt_sub(lt_gauss_log_prob(q, z), lt_standard_log_prob(z)), 2, x, d);
        compute(g, lt_concat(0, 2, d), LT_CPU, values);
        fprintf(out, "| %s ", detached ? "without a path" : "reparameterized");
        for (int k = 0; k < 2; k++) {
            double m = mean_of(values + k * DRAWS, DRAWS), squares = 0;
            for (int i = 0; i < DRAWS; i++)
                squares += pow((double)values[k * DRAWS + i] - m, 2) / DRAWS;
            fprintf(out, "| %.2f | %.2f ", fabs(m) < 0.02 ? 0 : m, sqrt(squares));
        }
        fputs("|\n", out);
    }
}

/* And what training makes of it. */
static void show_path_trained(FILE *out)
{
    static findings f;
    fputs("| KL in training | squared error | KL | deviation of codes |\n|---|---|---|---|\n", out);
    for (int wrong = 0; wrong < 2; wrong++) {
        small_vae m = make((choice){.kl = wrong ? KL_WITHOUT_PATH : KL_RIGHT});
        look(&m, 0, &f);
        fprintf(out, "| %s | %.2f | %.2f | %.2f |\n", wrong ? "without a path" : "right",
                mean_of(f.error, TESTED), mean_of(f.rate, TESTED), code_deviation(&f));
        drop(&m);
    }
}

/* -log p(x) of one pixel in single precision. */
static void show_logits(FILE *out)
{
    static const double logit[] = {2, 20, 120, 2, 20, -120}, pixel[] = {0, 0, 0, 1, 1, 1};
    float values[2 * 6];
    lt_graph *g = lt_graph_create();
    lt_shape s = lt_shape_2d(1, 6);
    lt_node *l = lt_input(g, "l", s), *x = lt_constant(g, s, pixel), *one = lt_scalar(g, 1);
    lt_node *mu = lt_sigmoid(l);
    lt_node *naive =
        lt_neg(lt_add(lt_mul(x, lt_log(mu)), lt_mul(lt_sub(one, x), lt_log(lt_sub(one, mu)))));
    lt_node *y = lt_concat(0, 2, (lt_node *[]){naive, lt_sub(lt_softplus(l), lt_mul(x, l))});
    lt_session *session;
    must(lt_session_open(g, &y, 1, NULL, &session));
    for (int i = 0; i < 6; i++)
        lt_session_floats(session, l)[i] = (float)logit[i];
    must(lt_session_run(session, NULL));
    must(lt_session_read(session, y, values, 12));
    fputs("| logit l | pixel x | -x log(mu) - (1 - x) log(1 - mu) | softplus(l) - x l |\n"
          "|---|---|---|---|\n",
          out);
    for (int i = 0; i < 6; i++)
        if (isnan(values[i]))
            fprintf(out, "| %g | %g | NaN | %.4g |\n", logit[i], pixel[i], (double)values[6 + i]);
        else
            fprintf(out, "| %g | %g | %.4g | %.4g |\n", logit[i], pixel[i], (double)values[i],
                    (double)values[6 + i]);
    lt_session_free(session);
    lt_graph_free(g);
}

/* How much of N(0, 1) lies further out than a shift. */
static void show_shift(FILE *out)
{
    static const double at[] = {1.6449, 3, 5};
    fputs("| code | part of N(0, 1) beyond it, either side |\n|---|---|\n", out);
    for (int i = 0; i < 3; i++)
        fprintf(out, "| %.4g | %.1e |\n", at[i], erfc(at[i] / sqrt(2)));
}

/* Norms of points between two draws of N(0, I) in 100 dimensions. */
static void show_lerp(FILE *out)
{
    enum { D = 100, PAIRS = 2000, N = 3 };
    static float z[2 * PAIRS * D];
    static const double at[N] = {0, 0.25, 0.5};
    double lerp[N] = {0}, slerp[N] = {0};
    lt_graph *g = lt_graph_create();
    compute(g, lt_normal(g, lt_shape_2d(2 * PAIRS, D)), LT_CPU, z);
    for (int i = 0; i < PAIRS; i++)
        for (int k = 0; k < N; k++) {
            const float *a = z + 2 * i * D, *b = a + D;
            double aa = 0, bb = 0, ab = 0, line = 0, arc = 0;
            for (int j = 0; j < D; j++) {
                aa += (double)a[j] * (double)a[j];
                bb += (double)b[j] * (double)b[j];
                ab += (double)a[j] * (double)b[j];
            }
            double w = acos(ab / sqrt(aa * bb)), t = at[k];
            double wa = sin((1 - t) * w) / sin(w), wb = sin(t * w) / sin(w);
            line = (1 - t) * (1 - t) * aa + t * t * bb + 2 * t * (1 - t) * ab;
            arc = wa * wa * aa + wb * wb * bb + 2 * wa * wb * ab;
            lerp[k] += sqrt(line) / sqrt(D) / PAIRS;
            slerp[k] += sqrt(arc) / sqrt(D) / PAIRS;
        }
    fputs("| alpha | norm / sqrt(100), straight | along the arc |\n|---|---|---|\n", out);
    for (int k = 0; k < N; k++)
        fprintf(out, "| %.2f | %.2f | %.2f |\n", at[k], lerp[k], slerp[k]);
}

static void show_sizes(FILE *out)
{
    fputs("| d = 28, k = 3, c = 32 | numbers |\n|---|---|\n", out);
    fprintf(out, "| c (d - (k - 1))^2, one convolution | %d |\n", 32 * 26 * 26);
    fprintf(out, "| c (d - 2 (k - 1))^2, two | %d |\n", 32 * 24 * 24);
}

static int by_first(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Latents by activity: the variance of the posterior mean, that of a draw, and the KL. */
static void show_activity(FILE *out)
{
    static findings f;
    double rows[LATENT][3];
    small_vae m = make((choice){0});
    look(&m, 0, &f);
    for (int k = 0; k < LATENT; k++) {
        rows[k][0] = variance_of(f.mean, k);
        rows[k][1] = variance_of(f.z, k);
        rows[k][2] = 0;
        for (int i = 0; i < TESTED; i++) {
            double mean = (double)f.mean[i * LATENT + k], lv = (double)f.logvar[i * LATENT + k];
            rows[k][2] += 0.5 * (mean * mean + exp(lv) - 1 - lv) / TESTED;
        }
    }
    qsort(rows, LATENT, sizeof *rows, by_first);
    fputs("| latent, by activity | variance of the mean | variance of draws | KL, nats |\n"
          "|---|---|---|---|\n",
          out);
    for (int k = 0; k < LATENT; k++)
        fprintf(out, "| %d | %.2f | %.2f | %.2f |\n", k + 1, rows[k][0], rows[k][1], rows[k][2]);
    drop(&m);
}

/* A cross-entropy of gray pixels against what integrates to 1. */
static void show_gray(FILE *out)
{
    static findings f;
    static float x[TESTED * PIXELS];
    small_vae m = make((choice){.is_bernoulli = true});
    look(&m, 0, &f);
    load_tests(&m, x);
    double least = 0;
    for (int i = 0; i < TESTED * PIXELS; i++) {
        double p = (double)x[i];
        least -= p > 0 && p < 1 ? (p * log(p) + (1 - p) * log(1 - p)) / TESTED : 0;
    }
    fputs("| nats per image | |\n|---|---|\n", out);
    fprintf(out, "| cross-entropy with the reconstruction | %.2f |\n",
            mean_of(f.cross_entropy, TESTED));
    fprintf(out, "| the least there could be: every pixel's mean exact | %.2f |\n", least);
    fprintf(out, "| -log p of the continuous Bernoulli, same decoder | %.2f |\n",
            mean_of(f.density, TESTED));
    drop(&m);
}

typedef struct table {
    const char *name;
    void (*show)(FILE *out);
    double slack; /* of numbers from draws and training, whose digits differ between machines */
} table;

static const table tables[] = {
    {"half", show_half, 0.1},
    {"floor", show_floor, 0},
    {"entropy", show_entropy, 0.1},
    {"constants", show_constants, 0},
    {"heads", show_heads, 0.1},
    {"uniform", show_uniform, 0.1},
    {"batches", show_batches, 0},
    {"beta", show_beta, 0.1},
    {"forms", show_forms, 0.1},
    {"uniforms", show_uniforms, 0},
    {"density", show_density, 0},
    {"path", show_path, 0.1},
    {"path-trained", show_path_trained, 0.9}, /* how far it goes astray is chance: KL 57, 73, 175 were seen */
    {"logits", show_logits, 0},
    {"shift", show_shift, 0},
    {"lerp", show_lerp, 0.1},
    {"sizes", show_sizes, 0},
    {"activity", show_activity, 0.1},
    {"gray", show_gray, 0.1},
};
enum { TABLES = sizeof tables / sizeof *tables };

/* The caller frees it. */
static char *text_of(const table *t)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        exit(1);
    t->show(out);
    fclose(out);
    return text;
}

/* ---- The page: a table stands between <!-- NAME --> and <!-- end --> ---- */

static char *read_page(const char *path)
{
    enum { MOST = 1 << 20 };
    FILE *f = fopen(path, "r");
    char *page = calloc(MOST + 1, 1);
    if (!f || !page || fread(page, 1, MOST, f) == 0) {
        perror(path);
        exit(1);
    }
    fclose(f);
    return page;
}

/* Where the page has a table: its first character, and where its end mark begins. */
static bool find_table(const char *page, const char *name, const char **from, const char **to)
{
    char mark[64];
    snprintf(mark, sizeof mark, "<!-- %s -->\n", name);
    *from = strstr(page, mark);
    *to = *from ? strstr(*from, "<!-- end -->") : NULL;
    if (*from)
        *from += strlen(mark);
    if (!*to)
        fprintf(stderr, "corrections: the page has no place for %s\n", name);
    return *to != NULL;
}

static bool write_page(const char *path)
{
    for (int i = 0; i < TABLES; i++) {
        char *page = read_page(path), *text = text_of(&tables[i]);
        const char *from, *to;
        FILE *out = find_table(page, tables[i].name, &from, &to) ? fopen(path, "w") : NULL;
        if (!out)
            return false;
        fprintf(out, "%.*s%s%s", (int)(from - page), page, text, to);
        fclose(out);
        free(page);
        free(text);
    }
    return true;
}

/* The same words and numbers; these may differ by their table's slack and 0.05. */
static bool is_like(const char *a, const char *end, const char *b, double slack)
{
    while (a < end && *b) {
        if (slack > 0 && isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            char *next_a, *next_b;
            double x = strtod(a, &next_a), y = strtod(b, &next_b);
            if (fabs(x - y) > 0.05 + slack * fmax(x, y))
                return false;
            a = next_a;
            b = next_b;
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return a == end && !*b;
}

static bool check_page(const char *path)
{
    char *page = read_page(path);
    bool is_right = true;
    for (int i = 0; i < TABLES; i++) {
        char *text = text_of(&tables[i]);
        const char *from, *to;
        if (!find_table(page, tables[i].name, &from, &to) ||
            !is_like(from, to, text, tables[i].slack)) {
            fprintf(stderr, "corrections: %s has another table of %s than this:\n%s", path,
                    tables[i].name, text);
            is_right = false;
        }
        free(text);
    }
    free(page);
    return is_right;
}

static bool is_wanted(const char *name, int argc, char **argv)
{
    bool is = argc < 2;
    for (int i = 1; i < argc; i++)
        is |= strcmp(argv[i], name) == 0;
    return is;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return write_page(argv[2]) ? 0 : 1;
    if (argc == 3 && strcmp(argv[1], "--check") == 0)
        return check_page(argv[2]) ? 0 : 1;
    int shown = 0;
    for (int i = 0; i < TABLES; i++)
        if (is_wanted(tables[i].name, argc, argv)) {
            printf("%s\n", tables[i].name);
            tables[i].show(stdout);
            shown++;
        }
    return shown ? 0 : 2;
}
