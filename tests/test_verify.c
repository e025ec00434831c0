/* SPDX-License-Identifier: MIT */
/* lt_verify passes on this machine, finds planted errors, and reports them. */
#include "check.h"

#include "base/philox.h"
#include "models/adversarial.h"
#include "nn/optimizers.h"
#include "models/penalties.h"
#include "nn/schedules.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "nn/likelihoods.h"
#include "verify/checks.h"
#include "verify/linear_gaussian.h"
#include "verify/trial.h"

#include <latent/ops.h>

#include <math.h>
#include <stdio.h>

/* ---- Everything ---- */

typedef struct seen {
    int checks, failed, stop_at;
    char areas[4096], failures[4096];
} seen;

static bool note(void *user, const lt_check *c)
{
    seen *s = user;
    s->checks++;
    if (!strstr(s->areas, c->area))
        strncat(strcat(s->areas, c->area), ";", 2);
    if (!c->is_ok && s->failed++ < 5)
        snprintf(s->failures + strlen(s->failures), 500, "%s: %s, %.400s\n", c->area, c->name,
                 c->text);
    assert_true(c->text[0] && c->name[0] && c->seconds >= 0);
    return s->checks != s->stop_at;
}

static void all_is_well(void **state)
{
    (void)state;
    seen s = {0};
    lt_verification v;
    assert_int_equal(lt_verify(&(lt_verify_options){.is_quick = true, .on_check = note, .user = &s}, &v), LT_OK);
    if (v.failed)
        fail_msg("%s", s.failures);
    assert_int_equal(v.checks, s.checks);
    assert_string_equal(s.areas, "random numbers;gradients;cpu against reference;distributions;"
                                 "densities;likelihoods;bounds;losses;penalties;optimizers;"
                                 "schedules;initializers;layers;scores;linear Gaussian model;"
                                 "critics;threads;training;checkpoints;");
}

/* Every operator with a rule, every one with cases. */
static void no_operator_is_left_out(void **state)
{
    (void)state;
    int gradients = 0, executors = 0;
    for (const lt_op *const *op = op_table; *op; op++) {
        bool is_tried = !((*op)->flags & TRIAL_NOT_OF);
        executors += is_tried;
        gradients += is_tried && (*op)->grad;
    }
    lt_verification v;
    assert_int_equal(checks_run((check_family *[]){check_gradients, NULL}, NULL, &v), LT_OK);
    assert_int_equal(v.checks, gradients);
    assert_int_equal(checks_run((check_family *[]){check_executors, NULL}, NULL, &v), LT_OK);
    assert_int_equal(v.checks, executors);
}

/* ---- Every row of a table has a check with a known answer ---- */

typedef struct names {
    const char *area;
    const spec_row *const *next;
} names;

/* The rows of a table come first in its area, in their order. */
static bool compare_row(void *user, const lt_check *c)
{
    names *n = user;
    if (*n->next && strcmp(c->area, n->area) == 0) {
        assert_string_equal(c->name, (*n->next)->name);
        n->next++;
    }
    if (!c->is_ok)
        fail_msg("%s: %s, %s", c->area, c->name, c->text);
    return true;
}

static void no_row_of_a_table_is_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *area;
        const spec_table *table;
    } tables[] = {{"likelihoods", &likelihood_table}, {"losses", &adversarial_loss_table},
                  {"penalties", &penalty_table},      {"optimizers", &optimizer_table},
                  {"schedules", &schedule_table},     {"initializers", &initializer_table},
                  {"layers", &layer_table}};
    for (int i = 0; i < COUNT_OF(tables); i++) {
        names n = {tables[i].area, tables[i].table->rows};
        lt_verification v;
        lt_verify_options o = {true, compare_row, &n, &tables[i].area, 1};
        assert_int_equal(lt_verify(&o, &v), LT_OK);
        if (*n.next)
            fail_msg("%s: no check of %s", n.area, (*n.next)->name);
    }
}

/* A row without a known answer fails; it is not skipped. */
static const spec_row row_unknown = {.name = "unheard_of", .summary = "", .options = no_options};
static const spec_row *const unknown_rows[] = {&row_unknown, NULL};
static const spec_table unknown_table = {"table", unknown_rows};

static void a_row_without_an_answer_fails(void **state)
{
    (void)state;
    check_rows_function *const families[] = {check_likelihood_rows, check_loss_rows,
                                             check_penalty_rows,    check_optimizer_rows,
                                             check_schedule_rows,   check_initializer_rows,
                                             check_layer_rows};
    for (int i = 0; i < COUNT_OF(families); i++) {
        seen s = {0};
        lt_verification v = {0};
        check_run r = {.o = {.on_check = note, .user = &s}, .result = &v};
        families[i](&r, &unknown_table);
        assert_int_equal(v.failed, 1);
        assert_text_has(s.failures, "unheard_of, no known answer");
    }
}

/* ---- Some of them ---- */

static void checks_are_chosen_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *only[2];
        int n, checks;
        const char *areas;
    } cases[] = {{{"penalties"}, 1, 5, "penalties;"},
                 {{"laplace"}, 1, 2, "densities;likelihoods;"},
                 {{"likelihoods: laplace"}, 1, 1, "likelihoods;"},
                 {{"losses:hinge", "penalties: r1"}, 2, 2, "losses;penalties;"},
                 {{"r1", "r1"}, 2, 1, "penalties;"},
                 {{"threads: MLP VAE"}, 1, 1, "threads;"}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        seen s = {0};
        lt_verification v;
        lt_verify_options o = {true, note, &s, cases[i].only, cases[i].n};
        assert_int_equal(lt_verify(&o, &v), LT_OK);
        assert_int_equal(v.checks, cases[i].checks);
        assert_string_equal(s.areas, cases[i].areas);
    }
}

static void names_of_no_check_are_mistakes(void **state)
{
    (void)state;
    const char *const only[] = {"r1", "penalty: r1"};
    lt_verification v;
    assert_int_equal(lt_verify(&(lt_verify_options){.only = only, .n_only = 2}, &v), LT_NOT_FOUND);
    assert_int_equal(v.checks, 1);
    assert_text_has(lt_last_error(), "no check is called \"penalty: r1\": expected an area such as");
    lt_verify_options many = {.only = only, .n_only = CHECKS_MAX_ONLY + 1};
    assert_int_equal(lt_verify(&many, &v), LT_VALUE);
    assert_string_equal(lt_last_error(), "verify: expected at most 64 names of checks, found 65");
}

/* ---- Trials find what is wrong ---- */

/* x detach(x): the rule gives x, the slope is 2 x. */
static lt_node *make_half_slope(lt_node *x) { return lt_mul(x, lt_detach(x)); }

/* x^3 / 3 whose rule gives detach(x^2): right in the first order, 0 for 2 x in the second. */
static lt_node *make_half_curve(lt_node *x)
{
    lt_node *cube = lt_scale(lt_mul(x, lt_square(x)), 1 / 3.);
    lt_node *linear = lt_mul(x, lt_detach(lt_square(x)));
    return lt_add(lt_detach(lt_sub(cube, linear)), linear);
}

/* Overflows in floats alone. */
static lt_node *make_overflow(lt_node *x) { return lt_exp(lt_scale(x, 100)); }

static trial trial_of(lt_node *(*make)(lt_node *x))
{
    trial t = {.name = "made up", .graph = lt_graph_create(), .n = 1, .lo = 1, .hi = 2};
    t.x[0] = lt_input(t.graph, "x", lt_shape_1d(5));
    t.y = make(t.x[0]);
    assert_int_equal(trial_draw(&t), LT_OK);
    return t;
}

static void wrong_gradients_are_found(void **state)
{
    (void)state;
    trial_errors worst = {0};
    trial t = trial_of(make_half_slope);
    assert_int_equal(trial_differentiate(&t, true, &(trial_targets){.n = 0}, &worst), LT_VALUE);
    assert_text_has(lt_last_error(), "made up: relative error");
    assert_text_has(lt_last_error(), "of the first derivative");
    assert_true(worst.first > 0.1);
    trial_clear(&t);

    t = trial_of(make_half_curve);
    worst = (trial_errors){0};
    assert_int_equal(trial_differentiate(&t, false, &(trial_targets){.n = 0}, &worst), LT_OK);
    trial_clear(&t);
    t = trial_of(make_half_curve);
    assert_int_equal(trial_differentiate(&t, true, &(trial_targets){.n = 0}, &worst), LT_VALUE);
    assert_text_has(lt_last_error(), "of the second derivative");
    trial_clear(&t);
}

static void executors_that_differ_are_found(void **state)
{
    (void)state;
    trial t = trial_of(make_overflow);
    trial_targets out = {.node = {t.y}, .n = 1};
    trial_errors worst = {0};
    lt_program *p = must_compile(t.graph, &t.y, 1);
    assert_int_equal(trial_compare(&t, p, &out, &worst), LT_VALUE);
    assert_text_has(lt_last_error(), "made up: result 0[0]: expected");
    lt_program_free(p);
    trial_clear(&t);
}

static void numbers_that_differ_are_found(void **state)
{
    (void)state;
    assert_int_equal(check_near("x", 1.5, 1, 0.5), LT_OK);
    assert_int_equal(check_near("x", 1.6, 1, 0.5), LT_VALUE);
    assert_string_equal(lt_last_error(), "x: expected 1 +- 5.0e-01, found 1.6");
    assert_int_equal(check_near("x", (double)NAN, 1, 0.5), LT_VALUE);
    assert_int_equal(check_near("x", HUGE_VAL, HUGE_VAL, 0), LT_OK);
}

/* ---- Estimates where the truth is known ---- */

/* Closed form for one draw; else means of logarithms of draws of w / p(x) = r u^(r - 1). */
static void gaps_of_the_linear_model_are_those_of_its_weights(void **state)
{
    (void)state;
    const double widths[] = {1.1, 2.25, 4};
    for (int i = 0; i < COUNT_OF(widths); i++)
        assert_near(linear_gaussian_gap(widths[i], 1), widths[i] - 1 - log(widths[i]), 1e-7);
    assert_near(linear_gaussian_gap(1, 7), 0, 0);
    enum { N = 100000 };
    const int counts[] = {2, 5, 10};
    for (int j = 0; j < COUNT_OF(counts); j++) {
        double sum = 0, squares = 0;
        philox_key key = {.seed = 1, .stream = (uint32_t)j};
        for (int i = 0; i < N; i++) {
            double mean = 0;
            for (int k = 0; k < counts[j]; k++) {
                double u = (double)philox_uniform(philox_word(&key, i * counts[j] + k));
                mean += 2.25 * pow(u, 1.25) / counts[j];
            }
            sum -= log(mean);
            squares += log(mean) * log(mean);
        }
        double error = sqrt((squares / N - sum / N * sum / N) / N);
        assert_near(linear_gaussian_gap(2.25, counts[j]), sum / N, 4 * error);
    }
}

static void estimates_are_judged(void **state)
{
    (void)state;
    static const struct {
        double value, se, above;
        bool is_right_side, is_ok;
    } cases[] = {{5.3, 0.1, 0.2, true, true},   {5.6, 0.1, 0.2, true, false},
                 {4.8, 0.1, 0.05, true, true},  {4.6, 0.1, 0, false, false},
                 {5.0, 0.01, 0.2, true, false}, {(double)NAN, 0.1, 0, false, false},
                 {5.0, (double)NAN, 0, false, false}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        lt_known_estimate e = {.truth = 5, .found = {cases[i].value, cases[i].se},
                               .above = cases[i].above};
        known_estimate_judge(&e);
        assert_int_equal(e.is_right_side, cases[i].is_right_side);
        assert_int_equal(e.is_ok, cases[i].is_ok);
    }
}

static bool count_to_three(void *user, const lt_known_estimate *e)
{
    (void)e;
    return ++*(int *)user < 3;
}

static void the_table_of_estimates_can_stop(void **state)
{
    (void)state;
    int n = 0, failed = -1;
    assert_int_equal(lt_verify_estimators(true, count_to_three, &n, &failed), LT_INTERRUPTED);
    assert_int_equal(n, 3);
    assert_int_equal(failed, 0);
}

/* ---- Reports ---- */

static void two_checks(check_run *r)
{
    if (check_report(r, "area", "good", LT_OK, "%d of %d", 3, 3))
        check_report(r, "area", "bad", status_fail(LT_VALUE, "that is wrong"), "never");
}

static void failures_are_counted_and_others_go_on(void **state)
{
    (void)state;
    check_family *const families[] = {two_checks, two_checks, NULL};
    seen s = {0};
    lt_verification v;
    assert_int_equal(checks_run(families, &(lt_verify_options){.on_check = note, .user = &s}, &v),
                     LT_OK);
    assert_int_equal(v.checks, 4);
    assert_int_equal(v.failed, 2);
    assert_string_equal(s.failures, "area: bad, that is wrong\narea: bad, that is wrong\n");
}

static void the_caller_can_stop(void **state)
{
    (void)state;
    lt_verification v;
    for (int at = 1; at <= 4; at += 3) {
        seen s = {.stop_at = at};
        lt_verify_options o = {.is_quick = true, .on_check = note, .user = &s};
        assert_int_equal(lt_verify(&o, &v), LT_INTERRUPTED);
        assert_int_equal(v.checks, at);
    }
}

static bool allow_nothing(void *user, size_t bytes)
{
    (void)user, (void)bytes;
    return false;
}

/* Those that run a graph; others need no tensors. */
static bool fails_for_memory(void *user, const lt_check *c)
{
    if (!c->is_ok)
        assert_text_has(c->text, "no memory");
    *(int *)user += !c->is_ok && strcmp(c->area, "gradients") == 0;
    return true;
}

static void without_memory_checks_fail_and_nothing_else(void **state)
{
    (void)state;
    lt_verification all, v;
    int gradients = 0;
    lt_set_allow_memory(allow_nothing, NULL);
    lt_verify_options o = {.is_quick = true, .on_check = fails_for_memory, .user = &gradients};
    int status = lt_verify(&o, &v);
    lt_set_allow_memory(NULL, NULL);
    assert_int_equal(status, LT_OK);
    assert_true(v.failed > 200 && v.failed < v.checks);
    assert_int_equal(checks_run((check_family *[]){check_gradients, NULL}, NULL, &all), LT_OK);
    assert_int_equal(gradients, all.checks);
}

static void errors_have_one_digit(void **state)
{
    (void)state;
    char error[CHECK_ERROR_SIZE];
    assert_string_equal(check_error_text(3.2e-9, error), "3e-9");
    assert_string_equal(check_error_text(0, error), "0");
    assert_string_equal(check_error_text(1.6e-12, error), "2e-12");
    assert_string_equal(check_error_text(0.04, error), "4e-2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_well),
        cmocka_unit_test(no_operator_is_left_out),
        cmocka_unit_test(no_row_of_a_table_is_left_out),
        cmocka_unit_test(a_row_without_an_answer_fails),
        cmocka_unit_test(checks_are_chosen_by_name),
        cmocka_unit_test(names_of_no_check_are_mistakes),
        cmocka_unit_test(wrong_gradients_are_found),
        cmocka_unit_test(executors_that_differ_are_found),
        cmocka_unit_test(numbers_that_differ_are_found),
        cmocka_unit_test(gaps_of_the_linear_model_are_those_of_its_weights),
        cmocka_unit_test(estimates_are_judged),
        cmocka_unit_test(the_table_of_estimates_can_stop),
        cmocka_unit_test(failures_are_counted_and_others_go_on),
        cmocka_unit_test(the_caller_can_stop),
        cmocka_unit_test(without_memory_checks_fail_and_nothing_else),
        cmocka_unit_test(errors_have_one_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
