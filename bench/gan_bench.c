/* SPDX-License-Identifier: MIT */
/* Measures alternating GAN steps, kernel by kernel: discriminator and generator as two compiled steps over
   shared parameters, on synthetic images.
   Usage: gan_bench cs446|wgan [threads] [seconds] [profile] */
#include <latent/latent.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 64, Z = 100, MAX_LINES = 512 };

typedef lt_node *network(lt_scope *s, lt_node *x);

typedef struct gan {
    const char *name, *optimizer;
    network *discriminator, *generator;
    lt_shape image;
    int discriminator_steps;
    bool is_wasserstein;
} gan;

/* ---- Networks ---- */

static const lt_init he = {.kind = LT_INIT_KAIMING_UNIFORM};

/* 28 x 28 x 1 -> one logit. */
static lt_node *small_discriminator(lt_scope *s, lt_node *x)
{
    const lt_window half = {.stride = 2};
    x = lt_relu(lt_conv(s, "0", x, 2, .pad = 1, .weight_init = he));
    x = lt_relu(lt_conv(s, "3", lt_max_pool2d(x, 2, half), 4, .pad = 1, .weight_init = he));
    x = lt_relu(lt_conv(s, "6", lt_max_pool2d(x, 2, half), 8, .weight_init = he));
    return lt_linear(s, "9", lt_flatten(x), 1, .weight_init = he);
}

static lt_node *small_generator(lt_scope *s, lt_node *z)
{
    int64_t n = lt_node_shape(z).d[0];
    lt_node *x = lt_leaky_relu(lt_linear(s, "0", z, 1568, .weight_init = he), .2);
    x = lt_upsample(lt_reshape(x, lt_shape_4d(n, 7, 7, 32)), 2);
    x = lt_leaky_relu(lt_conv(s, "4", x, 16, .pad = 1, .weight_init = he), .2);
    x = lt_leaky_relu(lt_conv(s, "7", lt_upsample(x, 2), 8, .pad = 1, .weight_init = he), .2);
    return lt_sigmoid(lt_conv(s, "9", x, 1, .pad = 1, .weight_init = he));
}

/* 32 x 32 x 3 -> one number. */
static lt_node *discriminator(lt_scope *s, lt_node *x)
{
    x = lt_leaky_relu(lt_conv(s, "0", x, 64, .kernel = 4, .stride = 2, .pad = 1), .2);
    x = lt_leaky_relu(lt_conv(s, "2", x, 128, .kernel = 4, .stride = 2, .pad = 1), .2);
    x = lt_leaky_relu(lt_conv(s, "4", x, 256, .kernel = 4, .stride = 2, .pad = 1), .2);
    return lt_conv(s, "6", x, 1, .kernel = 4);
}

static lt_node *generator(lt_scope *s, lt_node *z)
{
    lt_node *x = lt_reshape(z, lt_shape_4d(lt_node_shape(z).d[0], 1, 1, Z));
    x = lt_conv_transpose(s, "0", x, 256, .kernel = 4, .no_bias = true);
    x = lt_relu(lt_batch_norm(s, "1", x, true, .eps = 1e-5));
    x = lt_conv_transpose(s, "3", x, 128, .kernel = 4, .stride = 2, .pad = 1, .no_bias = true);
    x = lt_relu(lt_batch_norm(s, "4", x, true, .eps = 1e-5));
    x = lt_conv_transpose(s, "6", x, 64, .kernel = 4, .stride = 2, .pad = 1, .no_bias = true);
    x = lt_relu(lt_batch_norm(s, "7", x, true, .eps = 1e-5));
    return lt_tanh(lt_conv_transpose(s, "9", x, 3, .kernel = 4, .stride = 2, .pad = 1));
}

static const gan gans[] = {
    {"cs446", "adam lr=2e-4", small_discriminator, small_generator, {4, {BATCH, 28, 28, 1}}, 1, false},
    {"wgan", "adam lr=1e-4 beta1=.5 beta2=.9", discriminator, generator, {4, {BATCH, 32, 32, 3}}, 5, true},
};

/* ---- Losses ---- */

static lt_node *noise(lt_graph *g) { return lt_normal(g, lt_shape_2d(BATCH, Z)); }

/* One more visit of the discriminator. Real, made and mixed images as one batch would take half as long
   again: the gradient by the mixed ones would go through all of it. */
static lt_node *judge(const gan *m, lt_params *p, lt_node *x)
{
    return m->discriminator(lt_params_visit(p, lt_node_graph(x)), x);
}

static lt_node *discriminator_loss(const gan *m, lt_params *p, lt_node *real, lt_node *made)
{
    lt_node *of_real = judge(m, p, real), *of_made = judge(m, p, made);
    if (!m->is_wasserstein)
        return lt_add(lt_mean(lt_softplus(lt_neg(of_real))), lt_mean(lt_softplus(of_made)));
    lt_node *a = lt_uniform(lt_node_graph(real), lt_shape_4d(BATCH, 1, 1, 1));
    lt_node *mixed = lt_lerp(made, real, a), *slope = lt_grad(judge(m, p, mixed), mixed);
    lt_node *norm = lt_sqrt(lt_sum_rows(lt_square(slope)));
    lt_node *penalty = lt_scale(lt_mean(lt_square(lt_relu(lt_shift(norm, -1)))), 10);
    return lt_add(lt_sub(lt_mean(of_made), lt_mean(of_real)), penalty);
}

static lt_node *generator_loss(const gan *m, lt_params *p, lt_node *made)
{
    lt_node *y = judge(m, p, made);
    return lt_mean(m->is_wasserstein ? lt_neg(y) : lt_softplus(lt_neg(y)));
}

/* ---- Steps ---- */

/* One compiled step of one of the networks. */
typedef struct step {
    lt_graph *graph;
    lt_session *session;
    lt_node *loss, *real;
} step;

static void finish(bool fine)
{
    if (fine)
        return;
    fprintf(stderr, "%s\n", lt_last_error());
    exit(1);
}

static step make_step(const gan *m, lt_params *discriminator_p, lt_params *generator_p, bool of_discriminator,
                      lt_session_options o)
{
    step s = {.graph = lt_graph_create()};
    lt_node *targets[2 + LT_OPTIMIZER_TARGETS];
    int n = 1;
    lt_node *made = m->generator(lt_params_visit(generator_p, s.graph), noise(s.graph));
    s.real = lt_input(s.graph, "real", m->image);
    s.loss = targets[0] = of_discriminator ? discriminator_loss(m, discriminator_p, s.real, lt_detach(made))
                                    : generator_loss(m, discriminator_p, made);
    n += lt_optimizer_build(m->optimizer, of_discriminator ? discriminator_p : generator_p, s.loss, targets + n);
    lt_node *state = lt_params_state_assign(generator_p, s.graph);
    if (state)
        targets[n++] = state;
    finish(lt_session_open(s.graph, targets, n, &o, &s.session) == LT_OK);
    finish(lt_params_bind(discriminator_p, s.graph, s.session) == LT_OK);
    finish(lt_params_bind(generator_p, s.graph, s.session) == LT_OK);
    return s;
}

static lt_params *make_params(network *of, lt_shape in)
{
    lt_params *p = lt_params_create();
    lt_graph *scratch = lt_graph_create();
    of(lt_params_visit(p, scratch), lt_input(scratch, "x", in));
    finish(lt_params_allocate(p, 1) == LT_OK);
    lt_graph_free(scratch);
    return p;
}

static void free_step(step *s)
{
    lt_session_free(s->session);
    lt_graph_free(s->graph);
}

/* ---- Measuring ---- */

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_seconds(const void *a, const void *b)
{
    double x = ((const lt_profile_line *)a)->seconds, y = ((const lt_profile_line *)b)->seconds;
    return (x < y) - (x > y);
}

static void print_profile(const char *title, const step *s)
{
    static lt_profile_line lines[MAX_LINES];
    int n = lt_session_profile(s->session, lines, MAX_LINES);
    lt_program_info info = lt_program_describe(lt_session_program(s->session));
    double total = 0;
    for (int i = 0; i < n; i++)
        total += lines[i].seconds / (double)lines[i].calls;
    printf("\n%s: %.0f us, %d kernels, %.3f GFLOP\n%8s %9s %8s  kernel\n", title, 1e6 * total,
           info.kernels, 1e-9 * (double)info.flops, "us", "GFLOP/s", "GB/s");
    qsort(lines, (size_t)n, sizeof *lines, by_seconds);
    for (int i = 0; i < n && i < 40; i++) {
        double seconds = lines[i].seconds / (double)lines[i].calls;
        printf("%8.1f %9.1f %8.1f  %s\n", 1e6 * seconds, 1e-9 * (double)lines[i].flops / seconds,
               1e-9 * (double)lines[i].bytes / seconds, lines[i].kernel);
    }
}

/* Alternating steps: one of the generator after every discriminator_steps of the discriminator. */
static void run(const gan *m, step *c, step *g, lt_run_key *key)
{
    for (int i = 0; i < m->discriminator_steps; i++, key->step++)
        finish(lt_session_run(c->session, key) == LT_OK);
    finish(lt_session_run(g->session, key) == LT_OK);
    key->step++;
}

int main(int argc, char **argv)
{
    const gan *m = argc > 1 && strcmp(argv[1], "wgan") == 0 ? &gans[1] : &gans[0];
    int threads = argc > 2 ? atoi(argv[2]) : 1;
    double seconds = argc > 3 ? atof(argv[3]) : 2;
    lt_session_options o = {.threads = threads};
    o.profile = argc > 4 && strcmp(argv[4], "profile") == 0;
    lt_params *cp = make_params(m->discriminator, m->image);
    lt_params *gp = make_params(m->generator, lt_shape_2d(BATCH, Z));
    step c = make_step(m, cp, gp, true, o), g = make_step(m, cp, gp, false, o);
    float *x = lt_session_floats(c.session, c.real);
    for (int64_t i = 0; i < lt_shape_size(m->image); i++)
        x[i] = (float)(i * 7919 % 1021) / 1021;

    lt_run_key key = {.seed = 1};
    run(m, &c, &g, &key);
    double best = 0, began = now(CLOCK_MONOTONIC);
    for (int i = 0; i < 3 || now(CLOCK_MONOTONIC) - began < seconds; i++) {
        double before = now(CLOCK_PROCESS_CPUTIME_ID);
        run(m, &c, &g, &key);
        double rate = BATCH * m->discriminator_steps / (now(CLOCK_PROCESS_CPUTIME_ID) - before);
        best = rate > best ? rate : best;
    }
    printf("%s: at best %.0f real images per second of processor time, %d threads; discriminator %.6g, "
           "generator %.6g\n", m->name, best, threads,
           (double)*lt_session_floats(c.session, c.loss),
           (double)*lt_session_floats(g.session, g.loss));
    if (o.profile) {
        print_profile("discriminator", &c);
        print_profile("generator", &g);
    }
    free_step(&c);
    free_step(&g);
    lt_params_free(cp);
    lt_params_free(gp);
    return 0;
}
