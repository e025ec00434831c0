/* SPDX-License-Identifier: MIT */
/* Lists of layers: lists in lists, their names and places, heads, what is told of what does not fit. */
#include "check.h"

#include "models/objective.h"

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
         "r.yaml:5:13: residual: a list of layers is missing, as in `- residual:` and the layers "
         "indented below"},
        {"[{conv 4: [relu]}]", "r.yaml:5:22: the layer conv has no list of layers"},
        {"[{residual: 4}]", "r.yaml:5:13: expected a value, found a map"},
        {"[{residual: [relu], relu: []}]", "r.yaml:5:13: expected a value, found a map"},
        {"[{residual: [reluu]}]", "r.yaml:5:25: unknown layer \"reluu\"; did you mean \"relu\"?"},
        {"[{residual: [{residual: [{residual: [{residual: [{residual: [{residual: [{residual: "
         "[{residual: [{residual: []}]}]}]}]}]}]}]}]}]",
         "r.yaml:5:120: lists in lists deeper than 8"},
        {"[spectral_norm]",
         "r.yaml:5:13: layer spectral_norm: expected the name of a layer, found nothing"},
        {"[spectral_norm relu]",
         "r.yaml:5:13: layer spectral_norm: expected linear, conv or conv_transpose, found relu"},
        {"[spectral_norm spectral_norm conv 3]",
         "r.yaml:5:13: layer spectral_norm: spectral_norm cannot stand before spectral_norm"},
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
        {"[conv 4 groups=3]", "groups=3 must divide the 2 channels it gets and the 4 it gives"},
        {"[conv_transpose 4 pad=9]", "conv_transpose: pad=9 leaves -8 x -10 pixels"},
        {"[conv_transpose 4 output_pad=1]", "output_pad=1 must be below stride=1"},
        {"[conv 4, max_pool 7]", "(max_pool 7) at 6 x 4 x 4: max_pool: a window of 7 x 7 does not"},
        {"[avg_pool 3 pad=2]", "avg_pool: pad=2 is more than half of kernel=3"},
        {"[group_norm 3]", "group_norm: 2 channels cannot be cut into 3 groups"},
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

#define OWN DATA "model:\n  latent: 4\n  heads: own\n  likelihood: bernoulli\n  encoder: [relu]\n"

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
         "r.yaml:7:22: posterior.mean, layer 0 (conv 2 kernel=5): with `heads: own` this list must "
         "give the 4 latent numbers, it gives 4 x 2 x 2"},
        {"{mean: [linear 4], logvar: []}",
         "posterior.logvar: with `heads: own` this list must give the 4 latent numbers, it gives "
         "8 x 6 x 2"},
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
