/* SPDX-License-Identifier: MIT */
/* Models: parameter counts and names of the presets, the terms of the loss against PyTorch
   (tools/golden.py), and error messages of networks that do not fit. */
#include "golden/golden.h"
#include "models/kind.h"

#include <stdio.h>

static const lt_image_size mnist = {28, 28, 1}, tiny = {4, 3, 1};

static void assert_has(const char *all, const char *part)
{
    if (!all || !strstr(all, part))
        fail_msg("expected \"%s\" in:\n%s", part, all ? all : "(nothing)");
}

static void assert_close(double found, double want, double tolerance)
{
    if (!(fabs(found - want) <= tolerance))
        fail_msg("expected %.17g, found %.17g", want, found);
}

static lt_model *model_of(const char *words, const char *const *sets, int n, lt_image_size size)
{
    bool is_preset = !strchr(words, '\n');
    lt_recipe *r = is_preset ? NULL : lt_recipe_parse("tiny.yaml", words, sets, n);
    if (is_preset)
        lt_recipe_open(words, sets, n, &r);
    if (!r)
        fail_msg("%s", lt_last_error());
    lt_model *m = lt_model_create(r, size);
    if (!m)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    return m;
}

/* ---- The presets ---- */

/* Of the images of its data set. */
static lt_model *preset_model(const char *name)
{
    lt_recipe *r;
    lt_recipe_open(name, NULL, 0, &r);
    if (!r)
        fail_msg("%s", lt_last_error());
    lt_image_size size;
    if (lt_data_image_size(lt_recipe_dataset(r), lt_recipe_data_options(r), &size.h, &size.w,
                           &size.c) != LT_OK)
        fail_msg("%s: %s", name, lt_last_error());
    lt_recipe_free(r);
    return model_of(name, NULL, 0, size);
}

/* Trained ones. */
static int64_t numbers_in(const lt_params *p, const char *prefix)
{
    int64_t n = 0;
    for (int i = 0; i < lt_params_count(p); i++)
        if (!lt_params_info(p, i).is_state &&
            strncmp(lt_params_info(p, i).name, prefix, strlen(prefix)) == 0)
            n += lt_shape_size(lt_params_info(p, i).shape);
    return n;
}

static void check_counts(const char *name, int64_t encoder, int64_t decoder)
{
    lt_model *m = preset_model(name);
    const lt_params *p = lt_model_params(m);
    assert_int_equal(numbers_in(p, "encoder.") + numbers_in(p, "posterior."), encoder);
    assert_int_equal(numbers_in(p, "decoder."), decoder);
    assert_int_equal(lt_params_size(p), encoder + decoder);
    lt_model_free(m);
}

static void presets_have_the_documents_parameter_counts(void **state)
{
    (void)state;
    check_counts("i2dl-mlp-vae", 222096, 220528);
    check_counts("i2dl-mlp-vae-annealed", 222096, 220528);
    check_counts("ift6135-vae", 386000, 356584);
    check_counts("cs561-conv-vae", 951744, 1213408);
    /* (9 + 1) 16 + (9 * 16 + 1) 32 + 2 (32 * 24^2 + 1) 16, and back */
    check_counts("csci4968-conv-vae", 594656, 318113);
    check_counts("iwae-1l", 217300, 207984);
    check_counts("iwae-1l-short", 217300, 207984);
    check_counts("cs446-vae2d", 394504, 394284);
}

static void check_names(const char *name, const char *const *names, int n)
{
    lt_model *m = model_of(name, NULL, 0, mnist);
    const lt_params *p = lt_model_params(m);
    assert_int_equal(lt_params_count(p), n);
    for (int i = 0; i < n; i++)
        assert_string_equal(lt_params_info(p, i).name, names[i]);
    lt_model_free(m);
}

static void parameters_are_named_like_pytorchs(void **state)
{
    (void)state;
    static const char *const plain_heads[] = {
        "encoder.0.weight", "encoder.0.bias", "encoder.2.weight", "encoder.2.bias",
        "posterior.mean.weight", "posterior.mean.bias", "posterior.logvar.weight",
        "posterior.logvar.bias", "decoder.0.weight", "decoder.0.bias", "decoder.2.weight",
        "decoder.2.bias", "decoder.4.weight", "decoder.4.bias"};
    static const char *const own_layers[] = {
        "encoder.0.weight", "encoder.0.bias", "encoder.2.weight", "encoder.2.bias",
        "posterior.mean.0.weight", "posterior.mean.0.bias", "posterior.mean.2.weight",
        "posterior.mean.2.bias", "posterior.logvar.0.weight", "posterior.logvar.0.bias",
        "posterior.logvar.2.weight", "posterior.logvar.2.bias", "decoder.0.weight",
        "decoder.0.bias", "decoder.2.weight", "decoder.2.bias", "decoder.4.weight",
        "decoder.4.bias", "decoder.6.weight", "decoder.6.bias"};
    check_names("ift6135-vae", plain_heads, COUNT_OF(plain_heads));
    check_names("i2dl-mlp-vae", own_layers, COUNT_OF(own_layers));
}

static void every_preset_builds_and_describes_itself(void **state)
{
    (void)state;
    for (int i = 0; i < lt_preset_count(); i++) {
        lt_model *m = preset_model(lt_preset_name(i));
        char *summary = lt_model_summary(m);
        assert_has(summary, lt_preset_name(i));
        bool has_encoder = lt_model_can(m, LT_CAN_ENCODE);
        assert_has(summary, has_encoder ? "encoder.0 " : "discriminator.0 ");
        assert_has(summary, has_encoder ? ", decoder " : ", discriminator ");
        free(summary);
        lt_model_free(m);
    }
}

static void summary_lists_layers_shapes_and_counts(void **state)
{
    (void)state;
    lt_model *m = model_of("ift6135-vae", NULL, 0, mnist);
    char *summary = lt_model_summary(m);
    assert_string_equal(
        summary,
        "ift6135-vae: vae, images 28 x 28 x 1, latent 100, bernoulli\n"
        "name                   layer                      output         parameters\n"
        "encoder.0              linear 300                 300                235500   "
        "(28 x 28 x 1 flattened)\n"
        "encoder.1              elu                        300\n"
        "encoder.2              linear 300                 300                 90300\n"
        "encoder.3              elu                        300\n"
        "posterior.mean         linear latent              100                 30100\n"
        "posterior.logvar       linear latent              100                 30100\n"
        "decoder.0              linear 300                 300                 30300\n"
        "decoder.1              elu                        300\n"
        "decoder.2              linear 300                 300                 90300\n"
        "decoder.3              elu                        300\n"
        "decoder.4              linear image               784                235984\n"
        "decoder.5              shift -5                   784\n"
        "parameters 742584: encoder 325800, posterior 60200, decoder 356584\n");
    free(summary);
    lt_model_free(m);
}

static void same_seed_same_weights(void **state)
{
    (void)state;
    static const char *const seed_2[] = {"seed=2"}, *const other[] = {"model.decoder.0=linear 40"};
    lt_model *a = model_of("ift6135-vae", NULL, 0, mnist);
    lt_model *b = model_of("ift6135-vae", NULL, 0, mnist);
    lt_model *c = model_of("ift6135-vae", seed_2, 1, mnist);
    lt_model *d = model_of("ift6135-vae", other, 1, mnist);
    lt_params *p = lt_model_params(a);
    size_t bytes = sizeof(float) * (size_t)lt_params_extent(p);
    assert_memory_equal(lt_params_block(p), lt_params_block(lt_model_params(b)), bytes);
    assert_memory_not_equal(lt_params_block(p), lt_params_block(lt_model_params(c)), bytes);
    /* another decoder leaves the encoder's numbers as they are */
    int64_t encoder = lt_params_info(p, lt_params_find(p, "decoder.0.weight")).offset;
    assert_memory_equal(lt_params_block(p), lt_params_block(lt_model_params(d)),
                        sizeof(float) * (size_t)encoder);
    lt_model_free(a);
    lt_model_free(b);
    lt_model_free(c);
    lt_model_free(d);
}

/* ---- Against PyTorch ---- */

static double metadata_real(const safetensors *file, const char *key)
{
    double value;
    if (!text_to_real(safetensors_metadata(file, key), &value))
        fail_msg("metadata \"%s\" is no number", key);
    return value;
}

/* The golden model: the recipe in the file's metadata, its parameters from the file. */
static lt_model *golden_model(const safetensors *file)
{
    lt_model *m = model_of(safetensors_metadata(file, "recipe"), NULL, 0, tiny);
    for (int i = 0; i < lt_params_count(lt_model_params(m)); i++)
        golden_import(file, lt_params_info(lt_model_params(m), i).name, lt_model_params(m), i);
    return m;
}

/* eps[step] of the file's noise as a constant. */
static lt_node *noise(const safetensors *file, lt_graph *g, int steps, int n, int latent, int step)
{
    double *all = golden_doubles(file, "eps", (int64_t)steps * n * latent);
    lt_node *eps = lt_constant(g, lt_shape_2d(n, latent), all + (ptrdiff_t)step * n * latent);
    free(all);
    return eps;
}

/* The terms of the loss and the gradient of every parameter. The pieces are put together here, for
   the noise to be that of the file. */
static void check_vae(const char *name)
{
    enum { N = 5, STEPS = 10 };
    safetensors *file = golden_open(name);
    lt_model *m = golden_model(file);
    lt_params *p = lt_model_params(m);
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_4d(N, tiny.h, tiny.w, tiny.c));
    lt_node *eps = noise(file, g, STEPS, N, lt_model_latent(m), 0);
    lt_gauss q = lt_model_encode(m, g, x);
    lt_node *z = lt_add(q.mean, lt_mul(lt_exp(lt_scale(q.logvar, .5)), eps));
    lt_node *log_prob = lt_model_log_prob(m, g, z, x), *rate = lt_gauss_kl(q);
    lt_node *distortion = lt_neg(log_prob);
    lt_node *weight = lt_add(log_prob, lt_sub(lt_standard_log_prob(z), lt_gauss_log_prob(q, z)));
    lt_node *loss = lt_mean(lt_add(distortion, lt_scale(rate, metadata_real(file, "beta"))));
    lt_node *gradient = lt_params_gradient(p, loss);
    golden_value out[40] = {{q.mean, "mean"}, {q.logvar, "logvar"}, {z, "z"}, {rate, "rate"},
                            {distortion, "distortion"}, {weight, "log_weight"}, {loss, "loss"}};
    char names[32][64];
    for (int i = 0; i < lt_params_count(p); i++) {
        lt_param_info info = lt_params_info(p, i);
        lt_node *part = lt_slice(gradient, 0, info.offset, info.offset + lt_shape_size(info.shape));
        if (info.layout == LT_LAYOUT_LINEAR)
            part = lt_transpose(lt_reshape(part, lt_shape_2d(info.shape.d[1], info.shape.d[0])));
        snprintf(names[i], sizeof names[i], "d.%s", info.name);
        out[7 + i] = (golden_value){part, names[i]};
    }
    golden_run(file, g, p, &(golden_value){x, "x"}, 1, out, 7 + lt_params_count(p));
    lt_graph_free(g);
    lt_model_free(m);
    safetensors_free(file);
}

static void bernoulli_vae_equals_pytorch(void **state)
{
    (void)state;
    check_vae("vae_bernoulli");
}

static void gaussian_vae_equals_pytorch(void **state)
{
    (void)state;
    check_vae("vae_gaussian");
}

/* ---- Terms ---- */

#define DATA "data: {set: synthetic}\n"
#define TINY(likelihood)                                                                           \
    DATA "model:\n  latent: 2\n  likelihood: " likelihood "\n"                                     \
         "  encoder: [linear 6, tanh]\n  decoder: [linear 6, tanh, linear image]\n"

enum { BATCH = 7 };

/* A model built on a batch of its own, run once by one executor. */
typedef struct terms_case {
    lt_model *model;
    lt_graph *graph;
    lt_node *x;
    lt_model_terms t;
    lt_program *program;
    lt_session *session;
} terms_case;

static terms_case open_terms(const char *words, const char *const *sets, int n, lt_mode mode)
{
    terms_case c = {.model = model_of(words, sets, n, tiny), .graph = lt_graph_create()};
    c.x = lt_input(c.graph, "x", lt_shape_4d(BATCH, tiny.h, tiny.w, tiny.c));
    if (lt_model_build(c.model, c.graph, c.x, mode, &c.t) != LT_OK)
        fail_msg("%s", lt_last_error());
    return c;
}

static void run_terms(terms_case *c, lt_node *const *targets, int n, double beta, uint64_t step)
{
    if (!c->program)
        c->program = lt_compile(c->graph, targets, n);
    assert_non_null(c->program);
    if (!c->session)
        c->session = lt_session_create(c->program,
                                       &(lt_session_options){.executor = LT_REFERENCE});
    lt_session *s = c->session;
    assert_int_equal(lt_params_bind(lt_model_params(c->model), c->graph, s), LT_OK);
    for (int i = 0; i < BATCH * 12; i++)
        lt_session_doubles(s, c->x)[i] = i % 5 < 2;
    if (lt_session_doubles(s, c->t.beta))
        lt_session_doubles(s, c->t.beta)[0] = beta;
    assert_int_equal(lt_session_run(s, &(lt_run_key){1, step}), LT_OK);
}

static void close_terms(terms_case *c)
{
    lt_session_free(c->session);
    lt_program_free(c->program);
    lt_graph_free(c->graph);
    lt_model_free(c->model);
}

static double row(const terms_case *c, const lt_node *x, int i)
{
    return lt_session_doubles(c->session, x)[i];
}

static void loss_is_distortion_and_weighted_rate(void **state)
{
    (void)state;
    terms_case c = open_terms(TINY("bernoulli"), NULL, 0, LT_TRAINING);
    lt_node *targets[] = {c.t.loss, c.t.rate, c.t.distortion};
    run_terms(&c, targets, 3, .25, 0);
    double mean = 0;
    for (int i = 0; i < BATCH; i++)
        mean += (row(&c, c.t.distortion, i) + .25 * row(&c, c.t.rate, i)) / BATCH;
    assert_close(row(&c, c.t.loss, 0), mean, 1e-12);
    close_terms(&c);
}

/* log w = log p(x|z) - (log q(z|x) - log p(z)): with Monte Carlo KL, minus distortion and rate. */
static void monte_carlo_rate_is_the_log_ratio_at_the_draw(void **state)
{
    (void)state;
    static const char *const sets[] = {"objective.kl=monte-carlo"};
    terms_case c = open_terms(TINY("gaussian 0.5"), sets, 1, LT_TRAINING);
    lt_node *targets[] = {c.t.loss, c.t.rate, c.t.distortion, c.t.log_weight};
    run_terms(&c, targets, 4, 1, 0);
    for (int i = 0; i < BATCH; i++)
        assert_close(row(&c, c.t.log_weight, i),
                     -row(&c, c.t.distortion, i) - row(&c, c.t.rate, i), 1e-12);
    close_terms(&c);
}

static void both_rates_have_the_same_mean(void **state)
{
    (void)state;
    enum { RUNS = 4000 };
    static const char *const sets[] = {"objective.kl=monte-carlo"};
    terms_case c = open_terms(TINY("bernoulli"), sets, 1, LT_TRAINING);
    lt_node *targets[] = {c.t.loss, c.t.rate, lt_gauss_kl(c.t.posterior)};
    double drawn = 0, exact = 0;
    for (int k = 0; k < RUNS; k++) {
        run_terms(&c, targets, 3, 1, (uint64_t)k);
        for (int i = 0; i < BATCH; i++) {
            drawn += row(&c, targets[1], i) / (RUNS * BATCH);
            exact += row(&c, targets[2], i) / (RUNS * BATCH);
        }
    }
    assert_close(drawn, exact, .02);
    close_terms(&c);
}

static void evaluation_has_the_analytic_rate(void **state)
{
    (void)state;
    static const char *const sets[] = {"objective.kl=monte-carlo"};
    terms_case c = open_terms(TINY("bernoulli"), sets, 1, LT_EVALUATION);
    lt_node *targets[] = {c.t.loss, c.t.rate, lt_gauss_kl(c.t.posterior)};
    run_terms(&c, targets, 3, 1, 0);
    for (int i = 0; i < BATCH; i++)
        assert_close(row(&c, targets[1], i), row(&c, targets[2], i), 0);
    close_terms(&c);
}

static void squared_error_is_that_of_the_reconstruction(void **state)
{
    (void)state;
    terms_case c = open_terms(TINY("gaussian 0.5"), NULL, 0, LT_EVALUATION);
    lt_node *targets[] = {c.t.loss, c.t.squared_error, c.t.reconstruction, c.t.distortion,
                          c.t.sigma};
    run_terms(&c, targets, 5, 1, 0);
    const double *y = lt_session_doubles(c.session, c.t.reconstruction);
    const double *x = lt_session_doubles(c.session, c.x);
    double constant = 6 * log(2 * 3.14159265358979323846 * .25);
    for (int i = 0; i < BATCH; i++) {
        double error = 0;
        for (int k = i * 12; k < i * 12 + 12; k++)
            error += (x[k] - y[k]) * (x[k] - y[k]);
        assert_close(row(&c, c.t.squared_error, i), error, 1e-12);
        assert_close(row(&c, c.t.distortion, i), error / (2 * .25) + constant, 1e-12);
    }
    assert_close(row(&c, c.t.sigma, 0), .5, 1e-15);
    close_terms(&c);
}

static void bernoulli_means_are_probabilities(void **state)
{
    (void)state;
    terms_case c = open_terms(TINY("bernoulli"), NULL, 0, LT_EVALUATION);
    assert_null(c.t.sigma);
    assert_true(lt_model_is_binary(c.model));
    lt_node *targets[] = {c.t.loss, c.t.reconstruction};
    run_terms(&c, targets, 2, 1, 0);
    for (int i = 0; i < BATCH * 12; i++)
        assert_true(row(&c, c.t.reconstruction, i) > 0 && row(&c, c.t.reconstruction, i) < 1);
    assert_int_equal(lt_node_shape(c.t.reconstruction).rank, 4);
    close_terms(&c);
}

/* Decoding the mean of the codes by itself is what the whole model does with that code. */
static void pieces_agree_with_the_whole(void **state)
{
    (void)state;
    terms_case c = open_terms(TINY("gaussian 0.5"), NULL, 0, LT_EVALUATION);
    lt_node *again = lt_model_decode(c.model, c.graph, c.t.z);
    lt_node *log_prob = lt_model_log_prob(c.model, c.graph, c.t.z, c.x);
    lt_gauss q = lt_model_encode(c.model, c.graph, c.x);
    lt_node *difference = lt_sum(lt_abs(lt_sub(again, c.t.reconstruction)));
    lt_node *targets[] = {
        c.t.loss, lt_add(difference, lt_sum(lt_abs(lt_add(log_prob, c.t.distortion)))),
        lt_sum(lt_abs(lt_sub(q.mean, c.t.posterior.mean)))};
    run_terms(&c, targets, 3, 1, 0);
    assert_close(row(&c, targets[1], 0), 0, 0);
    assert_close(row(&c, targets[2], 0), 0, 0);
    close_terms(&c);
}

/* ---- Networks that do not fit ---- */

static void networks_that_do_not_fit_name_line_and_shape(void **state)
{
    (void)state;
    static const struct {
        const char *words, *message;
    } cases[] = {
        {DATA "model:\n  latent: 2\n  likelihood: bernoulli\n  encoder: [relu]\n"
              "  decoder:\n    - linear 6\n    - linear 13\n    - shift 1\n",
         "r.yaml:9:7: decoder, layer 2 (shift 1): expected 12 numbers per image (4 x 3 x 1), found "
         "13; its last layer with units should be `linear image`, or `conv image` "
         "at this height and width"},
        {DATA "model:\n  latent: 2\n  likelihood: bernoulli\n  encoder: [relu]\n"
              "  decoder: []\n",
         "decoder: expected 12 numbers per image (4 x 3 x 1), found 2; its last layer "
         "with units should be `linear image`, or `conv image` at this height and width"},
        {DATA "model:\n  latent: 2\n  likelihood: bernoulli\n"
              "  encoder:\n    - linear 6\n    - relu\n    - reshape 2 2 2\n"
              "  decoder: [linear image]\n",
         "r.yaml:8:7: encoder, layer 2 (reshape 2 2 2) at 6: reshape: expected 8 numbers for 2 x 2 x 2, found 6"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        lt_recipe *r = lt_recipe_parse("r.yaml", cases[i].words, NULL, 0);
        if (!r)
            fail_msg("%s", lt_last_error());
        assert_null(lt_model_create(r, tiny));
        lt_recipe_free(r);
        assert_string_equal(lt_last_error(), cases[i].message);
    }
}

static void images_and_codes_of_another_size_are_graph_errors(void **state)
{
    (void)state;
    lt_model *m = model_of(TINY("bernoulli"), NULL, 0, tiny);
    lt_graph *g = lt_graph_create();
    lt_model_terms t;
    lt_node *x = lt_input(g, "x", lt_shape_4d(2, 3, 4, 1));
    assert_int_equal(lt_model_build(m, g, x, LT_TRAINING, &t), LT_GRAPH);
    assert_string_equal(lt_last_error(),
                        "tiny: expected images as n x 4 x 3 x 1, found 2 x 3 x 4 x 1");
    lt_graph_free(g);
    g = lt_graph_create();
    lt_model_decode(m, g, lt_input(g, "z", lt_shape_2d(2, 3)));
    assert_string_equal(lt_graph_error(g), "tiny: expected codes as n x 2, found 2 x 3");
    lt_graph_free(g);
    lt_model_free(m);
}

static void impossible_image_sizes_are_refused(void **state)
{
    (void)state;
    lt_recipe *r;
    lt_recipe_open("ift6135-vae", NULL, 0, &r);
    assert_null(lt_model_create(r, (lt_image_size){0, 28, 1}));
    assert_string_equal(lt_last_error(), "cannot model images of 0 x 28 x 1");
    assert_null(lt_model_create(r, (lt_image_size){4096, 4096, 3}));
    lt_recipe_free(r);
}

/* ---- Memory that cannot be had ---- */

static bool allow_some(void *user, size_t bytes)
{
    (void)bytes;
    return (*(int *)user)-- > 0;
}

static void failed_allocation_is_an_error(void **state)
{
    (void)state;
    lt_recipe *r = lt_recipe_parse("tiny.yaml", TINY("bernoulli"), NULL, 0);
    bool has_failed = false, has_succeeded = false;
    for (int n = 0; n < 40 && !has_succeeded; n++) {
        int left = n;
        lt_set_allow_memory(allow_some, &left);
        lt_model *m = lt_model_create(r, tiny);
        lt_set_allow_memory(NULL, NULL);
        has_failed |= !m;
        has_succeeded = m != NULL;
        lt_model_free(m);
    }
    assert_true(has_failed && has_succeeded);
    lt_recipe_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_have_the_documents_parameter_counts),
        cmocka_unit_test(parameters_are_named_like_pytorchs),
        cmocka_unit_test(every_preset_builds_and_describes_itself),
        cmocka_unit_test(summary_lists_layers_shapes_and_counts),
        cmocka_unit_test(same_seed_same_weights),
        cmocka_unit_test(bernoulli_vae_equals_pytorch),
        cmocka_unit_test(gaussian_vae_equals_pytorch),
        cmocka_unit_test(loss_is_distortion_and_weighted_rate),
        cmocka_unit_test(monte_carlo_rate_is_the_log_ratio_at_the_draw),
        cmocka_unit_test(both_rates_have_the_same_mean),
        cmocka_unit_test(evaluation_has_the_analytic_rate),
        cmocka_unit_test(squared_error_is_that_of_the_reconstruction),
        cmocka_unit_test(bernoulli_means_are_probabilities),
        cmocka_unit_test(pieces_agree_with_the_whole),
        cmocka_unit_test(networks_that_do_not_fit_name_line_and_shape),
        cmocka_unit_test(images_and_codes_of_another_size_are_graph_errors),
        cmocka_unit_test(impossible_image_sizes_are_refused),
        cmocka_unit_test(failed_allocation_is_an_error),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
