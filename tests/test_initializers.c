/* SPDX-License-Identifier: MIT */
/* Initializers: ranges and moments of what they draw, and what it depends on. */
#include "check.h"

#include "nn/init.h"
#include "nn/layers.h"
#include "nn/params.h"

#include <stdio.h>

enum { DRAWS = 1 << 16, IN = 300, OUT = 100 };

typedef struct moments {
    double mean, variance, least, largest;
} moments;

static moments moments_of(const char *line)
{
    lt_init init;
    if (init_parse(line, &init) != LT_OK)
        fail_msg("%s", lt_last_error());
    init.fan_in = IN;
    init.fan_out = OUT;
    float *v = must_alloc(sizeof *v * DRAWS);
    init_fill(&init, "some.weight", 3, DRAWS, v);
    moments m = {.least = (double)v[0], .largest = (double)v[0]};
    for (int i = 0; i < DRAWS; i++) {
        double x = (double)v[i];
        m.mean += x / DRAWS;
        m.variance += x * x / DRAWS;
        m.least = fmin(m.least, x);
        m.largest = fmax(m.largest, x);
    }
    m.variance -= m.mean * m.mean;
    free(v);
    return m;
}

static void uniform_initializers_have_their_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        double bound_squared;
    } cases[] = {{"pytorch", 1. / IN},
                 {"kaiming_uniform", 6. / IN},
                 {"xavier_uniform", 6. / (IN + OUT)}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        moments m = moments_of(cases[i].line);
        double a = sqrt(cases[i].bound_squared), variance = a * a / 3;
        assert_near(m.mean, 0, 4 * sqrt(variance / DRAWS));
        assert_near(m.variance, variance, .02 * variance);
        assert_true(m.least >= -a && m.least < -.999 * a);
        assert_true(m.largest <= a && m.largest > .999 * a);
    }
}

static void normal_initializers_have_their_variance(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        double variance;
    } cases[] = {{"kaiming_normal", 2. / IN},
                 {"xavier_normal", 2. / (IN + OUT)},
                 {"normal 0.3", .09}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        moments m = moments_of(cases[i].line);
        double sigma = sqrt(cases[i].variance);
        assert_near(m.mean, 0, 4 * sigma / sqrt(DRAWS));
        assert_near(m.variance, cases[i].variance, 4 * sqrt(2. / DRAWS) * cases[i].variance);
        assert_true(m.largest > 3.5 * sigma && m.largest < 6 * sigma && m.least < -3.5 * sigma);
    }
}

static void constant_initializers_are_constant(void **state)
{
    (void)state;
    assert_near(moments_of("zeros").largest, 0, 0);
    assert_near(moments_of("ones").least, 1, 0);
    assert_near(moments_of("constant -0.25").mean, -.25, 1e-12);
}

static void draws_depend_on_seed_and_name_alone(void **state)
{
    (void)state;
    lt_init init = {.kind = LT_INIT_NORMAL, .value = 1};
    float a[6], b[6], longer[9];
    init_fill(&init, "a.weight", 1, 6, a);
    init_fill(&init, "a.weight", 1, 9, longer);
    assert_memory_equal(a, longer, sizeof a);
    init_fill(&init, "b.weight", 1, 6, b);
    assert_memory_not_equal(a, b, sizeof a);
    init_fill(&init, "a.weight", 2, 6, b);
    assert_memory_not_equal(a, b, sizeof a);
}

static void biases_follow_their_weights(void **state)
{
    (void)state;
    assert_int_equal(init_of_bias((lt_init){.kind = LT_INIT_PYTORCH}).kind, LT_INIT_PYTORCH);
    assert_int_equal(init_of_bias((lt_init){.kind = LT_INIT_KAIMING_UNIFORM}).kind, LT_INIT_ZEROS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_initializers_have_their_bounds),
        cmocka_unit_test(normal_initializers_have_their_variance),
        cmocka_unit_test(constant_initializers_are_constant),
        cmocka_unit_test(draws_depend_on_seed_and_name_alone),
        cmocka_unit_test(biases_follow_their_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
