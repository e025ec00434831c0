/* SPDX-License-Identifier: MIT */
/* Ten steps of training against the same ten in PyTorch (tools/golden.py): three small VAEs from
   given weights with given noise; the loss before each step, and every weight and running number
   after the last. */
#include "check.h"

#include "base/text.h"
#include "golden/golden.h"
#include "models/kind.h"

#include <latent/train.h>

#include <stdio.h>

enum { BATCH = 5, STEPS = 10, MAX_TARGETS = 2 + LT_OPTIMIZER_TARGETS };

/* The reference executor computes in double precision as PyTorch did, in another order; the other
   one in floats. Largest differences found: losses (of 8 to 80) 4e-15 and 4e-6; weights (of below
   1, moved by 0.1) 1e-15 and 3e-7. Other instruction sets may do some other sums. */
static const double loss_tolerance[] = {[LT_CPU] = 3e-5, [LT_REFERENCE] = 1e-12};
static const double weight_tolerance[] = {[LT_CPU] = 3e-6, [LT_REFERENCE] = 1e-12};

/* A model of the file in a graph of its own, ready to train. */
typedef struct training {
    safetensors *file;
    lt_model *model;
    lt_graph *graph;
    lt_node *x, *eps, *loss;
    lt_node *blocks[2]; /* trained numbers, and states or NULL */
    lt_program *program;
    double *images, *noise;
} training;

static double metadata(const safetensors *file, const char *key)
{
    double value;
    if (!text_to_real(safetensors_metadata(file, key), &value))
        fail_msg("metadata \"%s\" is no number", key);
    return value;
}

static lt_model *open_model(const safetensors *file)
{
    lt_recipe *r = lt_recipe_parse("tiny.yaml", safetensors_metadata(file, "recipe"), NULL, 0);
    lt_image_size size = {4, 3, 1};
    const char *words = safetensors_metadata(file, "image");
    if (words)
        assert_int_equal(sscanf(words, "%d %d %d", &size.h, &size.w, &size.c), 3);
    lt_model *m = r ? lt_model_create(r, size) : NULL;
    if (!m)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    lt_params *p = lt_model_params(m);
    for (int i = 0; i < lt_params_count(p); i++)
        golden_import(file, lt_params_info(p, i).name, p, i);
    return m;
}

/* The loss in training with the noise as an input, and Adam down its gradient. */
static void build_step(training *t)
{
    lt_model *m = t->model;
    lt_params *p = lt_model_params(m);
    lt_image_size size = lt_model_image_size(m);
    lt_graph *g = t->graph = lt_graph_create();
    t->x = lt_input(g, "x", lt_shape_4d(BATCH, size.h, size.w, size.c));
    t->eps = lt_input(g, "eps", lt_shape_2d(BATCH, lt_model_latent(m)));
    const model_kind *objective = kind_of(lt_model_recipe(m));
    model_visit visit = {.recipe = lt_model_recipe(m), .size = size, .graph = g,
                         .root = lt_params_visit(p, g), .is_training = true};
    lt_gauss q = objective->encode(&visit, t->x);
    lt_node *z = lt_add(q.mean, lt_mul(lt_exp(lt_scale(q.logvar, .5)), t->eps));
    lt_node *distortion = lt_neg(objective->log_prob(&visit, z, t->x));
    lt_node *rate = lt_scale(lt_gauss_kl(q), metadata(t->file, "beta"));
    t->loss = lt_mean(lt_add(distortion, rate));
    t->blocks[0] = lt_params_variable(p, g);
    t->blocks[1] = lt_params_state_variable(p, g);

    char words[64];
    snprintf(words, sizeof words, "adam lr=%s", safetensors_metadata(t->file, "adam_lr"));
    lt_node *targets[MAX_TARGETS] = {t->loss};
    int n = lt_optimizer_build(words, p, t->loss, targets + 1);
    assert_true(n > 0);
    lt_node *assign = lt_params_state_assign(p, g);
    assert_true((assign != NULL) == (t->blocks[1] != NULL));
    if (assign)
        targets[++n] = assign;
    t->program = must_compile(g, targets, 1 + n);
}

static training open_training(const char *name)
{
    training t = {.file = golden_open(name)};
    t.model = open_model(t.file);
    build_step(&t);
    t.images = golden_doubles(t.file, "x", lt_shape_size(lt_node_shape(t.x)));
    t.noise = golden_doubles(t.file, "eps", STEPS * lt_shape_size(lt_node_shape(t.eps)));
    return t;
}

static void close_training(training *t)
{
    free(t->images);
    free(t->noise);
    lt_program_free(t->program);
    lt_graph_free(t->graph);
    lt_model_free(t->model);
    safetensors_free(t->file);
}

/* Blocks are not bound to the model's, which is of floats. */
static lt_session *open_session(const training *t, lt_executor executor)
{
    lt_session *s = must_create(t->program, &(lt_session_options){.executor = executor});
    const float *block = lt_params_block(lt_model_params(t->model));
    for (int k = 0; k < 2 && t->blocks[k]; k++) {
        int64_t n = lt_shape_size(lt_node_shape(t->blocks[k]));
        double *values = must_alloc(sizeof *values * (size_t)n);
        for (int64_t i = 0; i < n; i++)
            values[i] = (double)*block++;
        feed(s, executor, t->blocks[k], values);
        free(values);
    }
    feed(s, executor, t->x, t->images);
    return s;
}

static void check_losses(const training *t, lt_session *s, lt_executor executor)
{
    double *want = golden_doubles(t->file, "trace", STEPS), found[STEPS];
    int64_t draws_of_step = lt_shape_size(lt_node_shape(t->eps));
    for (int step = 0; step < STEPS; step++) {
        feed(s, executor, t->eps, t->noise + step * draws_of_step);
        must_run(s, NULL);
        double *loss = fetch(s, executor, t->loss);
        found[step] = *loss;
        free(loss);
    }
    assert_true(want[STEPS - 1] < want[0]);
    assert_array_close("loss", found, want, STEPS, 0, loss_tolerance[executor]);
    free(want);
}

static void check_weights(const training *t, lt_session *s, lt_executor executor)
{
    const lt_params *p = lt_model_params(t->model);
    double found[256];
    for (int i = 0; i < lt_params_count(p); i++) {
        lt_param_info info = lt_params_info(p, i);
        double *block = fetch(s, executor, t->blocks[info.is_state]);
        int64_t start = info.offset - (info.is_state ? lt_params_extent(p) : 0);
        char name[64];
        snprintf(name, sizeof name, "after.%s", info.name);
        int64_t n = lt_shape_size(info.shape);
        assert_true(n <= COUNT_OF(found));
        double *want = golden_doubles(t->file, name, n);
        for (int64_t k = 0; k < n; k++)
            found[k] = block[start + golden_place(&info, k)];
        assert_array_close(name, found, want, n, 0, weight_tolerance[executor]);
        free(want);
        free(block);
    }
}

static void check_trace(const char *name)
{
    training t = open_training(name);
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        lt_session *s = open_session(&t, e);
        check_losses(&t, s, e);
        check_weights(&t, s, e);
        lt_session_free(s);
    }
    close_training(&t);
}

static void bernoulli_vae_trains_like_pytorchs(void **state)
{
    (void)state;
    check_trace("vae_bernoulli");
}

static void gaussian_vae_trains_like_pytorchs(void **state)
{
    (void)state;
    check_trace("vae_gaussian");
}

static void conv_vae_trains_like_pytorchs(void **state)
{
    (void)state;
    check_trace("vae_conv");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bernoulli_vae_trains_like_pytorchs),
        cmocka_unit_test(gaussian_vae_trains_like_pytorchs),
        cmocka_unit_test(conv_vae_trains_like_pytorchs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
