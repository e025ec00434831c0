/* SPDX-License-Identifier: MIT */
/* The ledger's constants and sums, and which published numbers it lets stand beside a model. */
#include "check.h"

#include <latent/ledger.h>

typedef struct made {
    lt_model *model;
    lt_ledger ledger;
} made;

static made make(const char *recipe, const char *const *sets, int n, int side,
                 const lt_ledger_facts *facts)
{
    made d;
    lt_recipe *r = lt_recipe_open(recipe, sets, n);
    d.model = r ? lt_model_create(r, (lt_image_size){side, side, 1}) : NULL;
    lt_recipe_free(r);
    if (!d.model || lt_ledger_make(&d.ledger, d.model, facts) != LT_OK)
        fail_msg("%s", lt_last_error());
    return d;
}

static made make_set(const char *recipe, const char *set, int side)
{
    return make(recipe, &set, 1, side, NULL);
}

static const lt_ledger_term *find_term(const lt_ledger *l, const char *name)
{
    for (int i = 0; i < l->n_terms; i++)
        if (strcmp(l->terms[i].name, name) == 0)
            return &l->terms[i];
    return NULL;
}

static double nats(const lt_ledger *l, const char *name)
{
    const lt_ledger_term *t = find_term(l, name);
    if (!t)
        fail_msg("no term %s", name);
    return t->nats;
}

/* ---- Constants and sums ---- */

/* sigma^2 = 1/2: d/2 log pi. */
static void a_gaussian_s_constant_is_counted(void **state)
{
    (void)state;
    static const lt_validation found = {.images = 10, .elbo = -490.5, .elbo_se = 1, .rate = 30,
                                        .distortion = 460.5, .squared_error = 11};
    made d = make("i2dl-mlp-vae", NULL, 0, 28, &(lt_ledger_facts){.found = &found});
    const lt_ledger *l = &d.ledger;
    assert_near(l->constant, 448.734115, 1e-4); /* 392 log pi, by bc */
    assert_near(l->sigma * l->sigma, 0.5, 1e-7);
    assert_near(nats(l, "constant"), l->constant, 0);
    assert_near(nats(l, "error") + nats(l, "constant"), nats(l, "distortion"), 1e-9);
    assert_near(nats(l, "distortion"), 460.5, 0);
    assert_near(nats(l, "-ELBO"), 490.5, 0);
    assert_near(nats(l, "loss"), 460.5 + 30 / 784., 1e-9);
    assert_near(l->beta, 1 / 784., 1e-12);
    assert_near(l->bits_per_dim, 490.5 / 784 / 0.69314718, 1e-6);
    assert_int_equal(l->unit, LT_DENSITY);
    assert_string_equal(l->prior, "normal");
    assert_text_has(find_term(l, "error")->text, "the squared error itself");
    lt_model_free(d.model);

    d = make_set("cs561-conv-vae", "data.resize=32", 32);
    assert_near(d.ledger.constant, 586.101702, 1e-4); /* 512 log pi */
    lt_model_free(d.model);
}

static void beta_is_that_of_the_last_step(void **state)
{
    (void)state;
    made d = make("i2dl-mlp-vae-annealed", NULL, 0, 28, &(lt_ledger_facts){.beta = 0.4});
    assert_near(d.ledger.beta, 0.4, 0);
    assert_text_has(find_term(&d.ledger, "loss")->text, "beta = 0.4");
    lt_model_free(d.model);
    d = make("i2dl-mlp-vae-annealed", NULL, 0, 28, NULL);
    assert_near(d.ledger.beta, 1, 0);
    assert_null(find_term(&d.ledger, "loss"));
    assert_true(isnan(d.ledger.elbo) && isnan(nats(&d.ledger, "-ELBO")));
    lt_model_free(d.model);
}

/* A width for each channel of grey images is one width; other likelihoods have no constant. */
static void constants_of_other_likelihoods(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        double constant;
    } cases[] = {
        {"model.likelihood=gaussian sigma=learned", 784 / 2. * (1.8378770664 - 2 * 1.3862943611)},
        {"model.likelihood=gaussian sigma=per_channel",
         784 / 2. * (1.8378770664 - 2 * 1.3862943611)},
        {"model.likelihood=laplace scale=0.1", 784 * -1.6094379124},
        {"model.likelihood=discretised_logistic", (double)NAN},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        made d = make_set("fashion-mlp-vae", cases[i].set, 28);
        if (isnan(cases[i].constant))
            assert_true(isnan(d.ledger.constant) && !find_term(&d.ledger, "constant"));
        else
            assert_near(d.ledger.constant, cases[i].constant, 1e-3);
        lt_model_free(d.model);
    }
}

/* ---- Pixels and units ---- */

static void pixels_are_what_the_recipe_makes_of_them(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        lt_pixels pixels;
        lt_unit unit;
    } cases[] = {
        {"data.set=binarized-mnist", LT_PIXELS_STATIC, LT_DISCRETE},
        {"data.set=/some/where/binarized-mnist/", LT_PIXELS_STATIC, LT_DISCRETE},
        {"data.set=mnist", LT_PIXELS_GREY, LT_CROSS_ENTROPY},
        {"data.binarize=dynamic", LT_PIXELS_DYNAMIC, LT_DISCRETE},
        {"data.binarize=fixed", LT_PIXELS_OWN, LT_DISCRETE},
        {"data.binarize=threshold", LT_PIXELS_THRESHOLD, LT_DISCRETE},
        {"data.set=./nowhere", LT_PIXELS_UNKNOWN, LT_CROSS_ENTROPY},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        made d = make_set("ift6135-vae", cases[i].set, 28);
        assert_string_equal(lt_pixels_name(d.ledger.pixels), lt_pixels_name(cases[i].pixels));
        assert_int_equal(d.ledger.unit, cases[i].unit);
        assert_true(lt_pixels_text(d.ledger.pixels)[0]);
        lt_model_free(d.model);
    }
}

/* Other data than the recipe's decides. */
static void the_data_at_hand_decides(void **state)
{
    (void)state;
    lt_dataset *bits;
    lt_data_options o = {.binarize = LT_BINARIZE_THRESHOLD};
    assert_int_equal(lt_dataset_synthetic(&bits, 5, 28, 28, 1, &o), LT_OK);
    made d = make("ift6135-vae", (const char *[]){"data.set=mnist"}, 1, 28,
                  &(lt_ledger_facts){.data = lt_dataset_describe(bits)});
    assert_string_equal(d.ledger.set, "synthetic");
    assert_string_equal(lt_pixels_name(d.ledger.pixels), "bits");
    assert_int_equal(d.ledger.unit, LT_DISCRETE);
    lt_model_free(d.model);
    lt_dataset_free(bits);
}

/* ---- Published numbers ---- */

/* The reason for the first row of these images and pixels. */
static const char *reason(const lt_ledger *l, const char *images, lt_pixels pixels)
{
    const lt_published *p;
    for (int i = 0; (p = lt_published_get(i)) != NULL; i++)
        if (strcmp(p->images, images) == 0 && p->pixels == pixels)
            return lt_published_differs(p, l);
    fail_msg("no row of %s", images);
    return NULL;
}

static void the_same_bits_may_stand_together(void **state)
{
    (void)state;
    made fixed = make("ift6135-vae", NULL, 0, 28, NULL);
    const char *const sets[] = {"data.set=mnist", "data.binarize=dynamic"};
    made dynamic = make("ift6135-vae", sets, 2, 28, NULL);
    made grey = make("ift6135-vae", sets, 1, 28, NULL);
    assert_null(reason(&fixed.ledger, "mnist", LT_PIXELS_STATIC));
    assert_null(reason(&dynamic.ledger, "mnist", LT_PIXELS_DYNAMIC));
    assert_null(reason(&grey.ledger, "mnist", LT_PIXELS_GREY));
    assert_text_has(reason(&fixed.ledger, "mnist", LT_PIXELS_DYNAMIC), "anew in every epoch");
    assert_text_has(reason(&dynamic.ledger, "mnist", LT_PIXELS_STATIC), "one fixed draw");
    assert_text_has(reason(&fixed.ledger, "mnist", LT_PIXELS_UNKNOWN), "is not said");
    assert_text_has(reason(&fixed.ledger, "mnist", LT_PIXELS_GREY), "no likelihood");
    assert_text_has(reason(&grey.ledger, "mnist", LT_PIXELS_STATIC), "cross-entropies");
    assert_text_has(reason(&fixed.ledger, "fashion-mnist", LT_PIXELS_DYNAMIC), "other images");
    lt_model_free(fixed.model);
    lt_model_free(dynamic.model);
    lt_model_free(grey.model);
}

static void other_units_sizes_and_parts_may_not(void **state)
{
    (void)state;
    static const struct {
        const char *recipe, *set, *part;
        int side;
    } cases[] = {
        {"i2dl-mlp-vae", "name=x", "a density", 28},
        {"i2dl-mlp-vae", "model.likelihood=discretised_logistic", "nats of bytes", 28},
        {"ift6135-vae", "data.limit=100", "only a part", 28},
        {"ift6135-vae", "data.resize=32", "other sizes", 32},
        {"ift6135-vae", "data.set=cifar10", "other images", 28},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        made d = make_set(cases[i].recipe, cases[i].set, cases[i].side);
        assert_text_has(reason(&d.ledger, "mnist", LT_PIXELS_STATIC), cases[i].part);
        lt_model_free(d.model);
    }
    made d = make_set("ift6135-vae", "data.binarize=fixed", 28);
    assert_text_has(reason(&d.ledger, "mnist", LT_PIXELS_STATIC), "not those of the published");
    lt_model_free(d.model);
}

static void the_table_is_whole(void **state)
{
    (void)state;
    const lt_published *p;
    int n = 0;
    for (; (p = lt_published_get(n)) != NULL; n++) {
        assert_true(p->images[0] && p->model[0] && p->source[0]);
        assert_true(p->nats > 70 && p->nats < 240);
        assert_true(p->is_elbo == (p->samples == 1));
    }
    assert_true(n > 30);
    assert_null(lt_published_get(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gaussian_s_constant_is_counted),
        cmocka_unit_test(beta_is_that_of_the_last_step),
        cmocka_unit_test(constants_of_other_likelihoods),
        cmocka_unit_test(pixels_are_what_the_recipe_makes_of_them),
        cmocka_unit_test(the_data_at_hand_decides),
        cmocka_unit_test(the_same_bits_may_stand_together),
        cmocka_unit_test(other_units_sizes_and_parts_may_not),
        cmocka_unit_test(the_table_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
