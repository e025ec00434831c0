/* SPDX-License-Identifier: MIT */
/* Lists of layers: nested lists, names and positions, heads, error messages. */
#include "check.h"

#include "models/kind.h"

#include <stdio.h>

#define DATA "data: {set: synthetic}\n"
#define BODY "model:\n  latent: 4\n  likelihood: bernoulli\n"
#define DECODER "  decoder: [linear image]\n"
#define RESIDUAL                                                                                   \
    DATA BODY "  encoder:\n"                                                                       \
              "    - conv 3 kernel=1\n"                                                            \
              "    - residual:\n"                                                                  \
              "        - batch_norm\n"                                                             \
              "        - residual: [silu, conv 3 pad=1 bias=no]\n"                                 \
              "        - conv 5 stride=2 pad=1\n" DECODER

static const lt_image_size size = {8, 6, 2};

static lt_recipe *recipe_of(const char *words, const char *const *sets, int n)
{
    lt_recipe *r = lt_recipe_parse("r.yaml", words, sets, n);
    if (!r)
        fail_msg("%s", lt_last_error());
    return r;
}

static lt_model *model_of(const char *words, const char *const *sets, int n)
{
    lt_recipe *r = recipe_of(words, sets, n);
    lt_model *m = lt_model_create(r, size);
    if (!m)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    return m;
}

/* ---- Lists in lists ---- */

static void names_follow_the_lists(void **state)
{
    (void)state;
    static const char *const names[] = {
        "encoder.0.weight", "encoder.0.bias", "encoder.1.0.weight", "encoder.1.0.bias",
        "encoder.1.0.running_mean", "encoder.1.0.running_var", "encoder.1.0.num_batches_tracked",
        "encoder.1.1.1.weight", "encoder.1.2.weight", "encoder.1.2.bias",
        "encoder.1.shortcut.weight", "posterior.mean.weight"};
    lt_model *m = model_of(RESIDUAL, NULL, 0);
    for (int i = 0; i < COUNT_OF(names); i++)
        assert_string_equal(lt_params_info(lt_model_params(m), i).name, names[i]);
    lt_model_free(m);
}

static void resolved_lists_read_back_the_same(void **state)
{
    (void)state;
    lt_recipe *r = recipe_of(RESIDUAL, NULL, 0);
    assert_text_has(lt_recipe_text(r),
                    "  encoder:\n"
                    "    - conv 3 kernel=1 stride=1 pad=0 dilation=1 groups=1 bias=yes init=model\n"
                    "    - residual:\n"
                    "        - batch_norm eps=1e-05 affine=yes momentum=0.1\n"
                    "        - residual:\n"
                    "            - silu\n"
                    "            - conv 3 kernel=3 stride=1 pad=1 ");
    lt_recipe *again = recipe_of(lt_recipe_text(r), NULL, 0);
    assert_string_equal(lt_recipe_text(r), lt_recipe_text(again));
    lt_recipe_free(again);
    lt_recipe_free(r);
}

static void sets_reach_into_lists(void **state)
{
    (void)state;
    static const char *const sets[] = {
        "model.encoder.1.0=group_norm 3",     "model.encoder.1.1.0=relu",
        "model.encoder.1.2.kernel=5",         "model.encoder.1.2.pad=2",
        "model.encoder.1.1.1.bias=yes",       "model.encoder.0=spectral_norm conv 3",
        "model.encoder.0.kernel=1",           "model.encoder.1.residual.2.stride=4"};
    lt_recipe *r = recipe_of(RESIDUAL, sets, COUNT_OF(sets));
    static const char *const parts[] = {
        "        - group_norm 3 ", "            - relu\n", "        - conv 5 kernel=5 stride=4 pad=2",
        "            - conv 3 kernel=3 stride=1 pad=1 dilation=1 groups=1 bias=yes",
        "    - spectral_norm conv 3 kernel=1 stride=1"};
    for (int i = 0; i < COUNT_OF(parts); i++)
        assert_text_has(lt_recipe_text(r), parts[i]);
    lt_recipe *again = recipe_of(lt_recipe_text(r), NULL, 0);
    assert_string_equal(lt_recipe_text(r), lt_recipe_text(again));
    lt_recipe_free(again);
    lt_recipe_free(r);
}

static void summary_shows_lists_indented(void **state)
{
    (void)state;
    lt_model *m = model_of(RESIDUAL, NULL, 0);
    char *summary = lt_model_summary(m);
    assert_text_has(
        summary,
        "encoder.0              conv 3 kernel=1            8 x 6 x 3               9\n"
        "encoder.1              residual\n"
        "encoder.1.0              batch_norm               8 x 6 x 3               6\n"
        "encoder.1.1              residual\n"
        "encoder.1.1.0              silu                   8 x 6 x 3\n"
        "encoder.1.1.1              conv 3 pad=1 bias=no   8 x 6 x 3              81\n"
        "encoder.1.1              + x                      8 x 6 x 3\n"
        "encoder.1.2              conv 5 stride=2 pad=1    4 x 3 x 5             140\n"
        "encoder.1              + shortcut of x            4 x 3 x 5              15\n");
    free(summary);
    lt_model_free(m);
}

/* ---- What does not fit ---- */

static void malformed_lists_say_where_and_why(void **state)
{
    (void)state;
    static const struct {
        const char *list, *message;
    } cases[] = {
        {"[residual]",
         "r.yaml:5:13: residual: expected a list of layers: `- residual:` and the layers indented below it"},
        {"[{conv 4: [relu]}]", "r.yaml:5:22: the layer conv does not take a list of layers"},
        {"[{residual: 4}]", "r.yaml:5:13: expected a value, found a map"},
        {"[{residual: [relu], relu: []}]", "r.yaml:5:13: expected a value, found a map"},
        {"[{residual: [reluu]}]", "r.yaml:5:25: unknown layer \"reluu\"; did you mean \"relu\"?"},
        {"[{residual: [{residual: [{residual: [{residual: [{residual: [{residual: [{residual: "
         "[{residual: [{residual: []}]}]}]}]}]}]}]}]}]",
         "r.yaml:5:120: lists are nested deeper than 8"},
        {"[spectral_norm]",
         "r.yaml:5:13: layer spectral_norm: expected the name of a layer, found nothing"},
        {"[spectral_norm relu]",
         "r.yaml:5:13: layer spectral_norm: expected linear, conv or conv_transpose, found relu"},
        {"[spectral_norm spectral_norm conv 3]",
         "r.yaml:5:13: layer spectral_norm: spectral_norm cannot precede spectral_norm"},
        {"[conv many]", "r.yaml:5:13: layer conv: channels must be a whole number between 1 and"},
        {"[conv 3 kernel=0]", "r.yaml:5:13: layer conv: kernel must be a whole number between 1"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        char *words = must_format("%s  encoder: %s\n%s", DATA BODY, cases[i].list, DECODER);
        if (lt_recipe_parse("r.yaml", words, NULL, 0))
            fail_msg("%s was taken", words);
        assert_text_has(lt_last_error(), cases[i].message);
        free(words);
    }
}

/* Images are 8 x 6 x 2. */
static void networks_that_do_not_fit_show_the_running_shape(void **state)
{
    (void)state;
    static const struct {
        const char *list, *message;
    } cases[] = {
        {"[conv 4 kernel=3, conv 4 kernel=5]",
         "r.yaml:5:30: encoder, layer 1 (conv 4 kernel=5) at 6 x 4 x 4: conv: a window of 5 x 5 "
         "does not fit into 6 x 4 pixels with pad=0"},
        {"[flatten, conv 4]",
         "encoder, layer 1 (conv 4) at 96: conv: expected an image as height x width x channels, "
         "found 96; `reshape` makes one"},
        {"[conv 4 groups=3]", "groups=3 must divide the 2 input channels and the 4 output channels"},
        {"[conv_transpose 4 pad=9]", "conv_transpose: pad=9 leaves -8 x -10 pixels"},
        {"[conv_transpose 4 output_pad=1]", "output_pad=1 must be below stride=1"},
        {"[conv 4, max_pool 7]", "(max_pool 7) at 6 x 4 x 4: max_pool: a window of 7 x 7 does not"},
        {"[avg_pool 3 pad=2]", "avg_pool: pad=2 is more than half of kernel=3"},
        {"[group_norm 3]", "group_norm: 2 channels are not divisible into 3 groups"},
        {"[flatten, instance_norm]", "instance_norm: expected an image"},
        {"[flatten, global_pool]", "global_pool: expected an image"},
        {"[flatten, upsample]", "upsample: expected an image"},
        {"[pixel_shuffle]", "pixel_shuffle: factor=2 needs a multiple of 4 channels, found 2"},
        {"[{residual: [conv 4]}]",
         "r.yaml:5:14: encoder, layer 0 (residual) at 8 x 6 x 2: residual: 8 x 6 x 2 cannot be "
         "added to 6 x 4 x 4"},
        {"[{residual: [flatten]}]", "residual: 8 x 6 x 2 cannot be added to 96"},
        {"[{residual: [upsample]}]", "residual: 8 x 6 x 2 cannot be added to 16 x 12 x 2"},
        {"[relu, {residual: [tanh, conv 3 kernel=9]}]",
         "r.yaml:5:37: encoder.1, layer 1 (conv 3 kernel=9) at 8 x 6 x 2: conv: a window of 9"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        char *words = must_format("%s  encoder: %s\n%s", DATA BODY, cases[i].list, DECODER);
        lt_recipe *r = recipe_of(words, NULL, 0);
        if (lt_model_create(r, size))
            fail_msg("%s was built", words);
        assert_text_has(lt_last_error(), cases[i].message);
        lt_recipe_free(r);
        free(words);
    }
}

/* ---- Heads ---- */

#define OWN DATA "model:\n  latent: 4\n  posterior_heads: separate\n  likelihood: bernoulli\n  encoder: [relu]\n"

static void own_heads_are_the_whole_heads(void **state)
{
    (void)state;
    lt_model *m = model_of(OWN "  posterior:\n    mean: [conv 2 kernel=6 stride=2]\n"
                               "    logvar: [max_pool 2, conv 1 kernel=2, flatten, linear 4, "
                               "scale 2]\n" DECODER, NULL, 0);
    const lt_params *p = lt_model_params(m);
    static const char *const names[] = {
        "posterior.mean.0.weight",     "posterior.mean.0.bias",     "posterior.logvar.1.weight",
        "posterior.logvar.1.bias",     "posterior.logvar.3.weight", "posterior.logvar.3.bias",
        "decoder.0.weight",            "decoder.0.bias"};
    assert_int_equal(lt_params_count(p), COUNT_OF(names));
    for (int i = 0; i < COUNT_OF(names); i++)
        assert_string_equal(lt_params_info(p, i).name, names[i]);
    lt_model_free(m);
}

static void own_heads_must_give_the_latent_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *posterior, *message;
    } cases[] = {
        {"{mean: [conv 2 kernel=5], logvar: [linear 4]}",
         "r.yaml:7:22: posterior.mean, layer 0 (conv 2 kernel=5): with `posterior_heads: separate` this list "
         "must give 4 latent dimensions, found 4 x 2 x 2"},
        {"{mean: [linear 4], logvar: []}",
         "posterior.logvar: with `posterior_heads: separate` this list must give 4 latent dimensions, found 8 x "
         "6 x 2"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        char *words = must_format("%s  posterior: %s\n%s", OWN, cases[i].posterior, DECODER);
        lt_recipe *r = recipe_of(words, NULL, 0);
        if (lt_model_create(r, size))
            fail_msg("%s was built", words);
        assert_string_equal(lt_last_error(), cases[i].message);
        lt_recipe_free(r);
        free(words);
    }
}

/* ---- Random networks: built, or told why not ---- */

static const char *random_line(draws *d, char room[128])
{
    static const char *const plain[] = {"relu", "silu", "batch_norm", "layer_norm", "max_pool",
                                        "avg_pool 3 stride=2 pad=1", "upsample", "pixel_shuffle",
                                        "global_pool", "instance_norm", "flatten", "dropout 0.2",
                                        "linear 12", "reshape 2 3 2", "scale 0.5"};
    int kind = draw_below(d, 8), kernel = 1 + draw_below(d, 4), stride = 1 + draw_below(d, 3);
    int pad = draw_below(d, kernel), groups = 1 + draw_below(d, 2), c = 2 * (1 + draw_below(d, 5));
    if (kind < 3)
        return plain[draw_below(d, COUNT_OF(plain))];
    if (kind == 3)
        snprintf(room, 128, "group_norm %d", 1 + draw_below(d, 4));
    else
        snprintf(room, 128, "%s%s %d kernel=%d stride=%d pad=%d groups=%d bias=%s",
                 draw_one_in(d, 4) ? "spectral_norm " : "", kind < 7 ? "conv" : "conv_transpose", c,
                 kernel, stride, pad, groups, draw_one_in(d, 2) ? "yes" : "no");
    return room;
}

/* [conv 4 ..., {residual: [relu, ...]}] */
static void random_list(draws *d, int depth, text *out)
{
    char room[128];
    text_append(out, "[");
    for (int i = 0, n = 1 + draw_below(d, 4); i < n; i++) {
        text_append(out, i ? ", " : "");
        if (depth < 2 && draw_one_in(d, 5)) {
            text_append(out, "{residual: ");
            random_list(d, depth + 1, out);
            text_append(out, "}");
        } else {
            text_append(out, random_line(d, room));
        }
    }
    text_append(out, "]");
}

/* The loss of a training step on three images, of which the model is at its start. */
static double loss_of(lt_model *m, lt_executor executor, const double *images, int n)
{
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_4d(n, size.h, size.w, size.c));
    lt_model_terms t;
    if (lt_model_build(m, g, x, LT_TRAINING, &t) != LT_OK)
        fail_msg("%s", lt_last_error());
    lt_node *targets[] = {t.loss, lt_params_gradient(lt_model_params(m), t.loss)};
    lt_program *program = must_compile(g, targets, 2);
    lt_session *s = must_create(program, &(lt_session_options){.executor = executor});
    assert_int_equal(lt_params_bind(lt_model_params(m), g, s), LT_OK);
    feed(s, executor, x, images);
    feed(s, executor, t.beta, (double[]){1});
    must_run(s, &(lt_run_key){.seed = 4});
    double *loss = fetch(s, executor, t.loss), *slope = fetch(s, executor, targets[1]), value = *loss;
    assert_true(isfinite(largest(slope, lt_params_extent(lt_model_params(m)))));
    free(loss);
    free(slope);
    lt_session_free(s);
    lt_program_free(program);
    lt_graph_free(g);
    return value;
}

static void random_networks_are_built_or_told_why_not(void **state)
{
    (void)state;
    enum { CASES = 300, N = 3, NUMBERS = N * 8 * 6 * 2 };
    int built = 0;
    double images[NUMBERS];
    for (int i = 0; i < CASES; i++) {
        draws d = draws_from((uint64_t)i);
        text list = {0};
        random_list(&d, 0, &list);
        char *words = must_format("%s  encoder: %s\n%s", DATA BODY, text_get(&list), DECODER);
        lt_recipe *r = recipe_of(words, NULL, 0);
        lt_recipe *again = recipe_of(lt_recipe_text(r), NULL, 0);
        assert_string_equal(lt_recipe_text(r), lt_recipe_text(again));
        lt_model *m = lt_model_create(r, size);
        for (int k = 0; k < NUMBERS; k++)
            images[k] = draw(&d, 0, 1) > .5;
        if (m) {
            double want = loss_of(m, LT_REFERENCE, images, N);
            double found = loss_of(m, LT_CPU, images, N);
            if (!(fabs(found - want) <= 1e-3 * fabs(want)))
                fail_msg("case %d, %s: expected %.9g, found %.9g", i, text_get(&list), want, found);
            free(lt_model_summary(m));
            built++;
        } else if (!strstr(lt_last_error(), ": encoder") || !strstr(lt_last_error(), ", layer ")) {
            fail_msg("case %d, %s: %s", i, text_get(&list), lt_last_error());
        }
        lt_model_free(m);
        lt_recipe_free(again);
        lt_recipe_free(r);
        free(words);
        text_clear(&list);
    }
    assert_true(built > CASES / 4 && built < CASES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_follow_the_lists),
        cmocka_unit_test(resolved_lists_read_back_the_same),
        cmocka_unit_test(sets_reach_into_lists),
        cmocka_unit_test(summary_shows_lists_indented),
        cmocka_unit_test(malformed_lists_say_where_and_why),
        cmocka_unit_test(networks_that_do_not_fit_show_the_running_shape),
        cmocka_unit_test(own_heads_are_the_whole_heads),
        cmocka_unit_test(own_heads_must_give_the_latent_numbers),
        cmocka_unit_test(random_networks_are_built_or_told_why_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
