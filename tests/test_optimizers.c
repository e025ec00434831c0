/* SPDX-License-Identifier: MIT */
/* Optimizers: against PyTorch, as one fused pass, and in graphs of one's own. */
#include "nn/optimizers.h"

#include "base/memory.h"
#include "train/safetensors.h"

#include <latent/eval.h>
#include <latent/nn.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "says.h"

/* ---- Optimizers against PyTorch ---- */

typedef struct update {
    lt_graph *graph;
    lt_program *program;
    lt_session *session;
    lt_node *w, *g, *t;
} update;

/* One step of the optimizer that `line` describes, on blocks of n. */
static void update_open(update *u, const char *line, int n, lt_executor executor)
{
    spec s;
    assert_int_equal(spec_parse(&optimizer_table, line, &s), LT_OK);
    const optimizer *o = optimizer_of(&s);
    u->graph = lt_graph_create();
    u->w = lt_variable(u->graph, "w", lt_shape_1d(n));
    u->g = lt_input(u->graph, "g", lt_shape_1d(n));
    u->t = lt_input(u->graph, "t", lt_shape_0d());
    double lr = ((const optimizer_options *)s.options)->lr;
    optimizer_input in = {.w = u->w, .g = u->g, .t = u->t, .lr = lt_scalar(u->graph, lr),
                          .options = s.options};
    optimizer_output out = {.w = NULL};
    int states = o->states(s.options), targets = 0;
    for (int i = 0; i < states; i++)
        in.state[i] = lt_variable(u->graph, o->state[i], lt_shape_1d(n));
    o->step(&in, &out);
    lt_node *target[2 + OPTIMIZER_STATES] = {u->t};
    targets = 1;
    target[targets++] = lt_assign(in.w, out.w);
    for (int i = 0; i < states; i++)
        target[targets++] = lt_assign(in.state[i], out.state[i]);
    u->program = lt_compile(u->graph, target, targets);
    assert_non_null(u->program);
    u->session = lt_session_create(u->program, &(lt_session_options){.executor = executor});
    assert_non_null(u->session);
    spec_clear(&s);
}

static void update_close(update *u)
{
    lt_session_free(u->session);
    lt_program_free(u->program);
    lt_graph_free(u->graph);
}

enum { GOLDEN_STEPS = 10, GOLDEN_SIZE = 30 };

static void read_golden(const safetensors *file, const char *name, int rows, double *values)
{
    const int64_t dims[] = {rows, GOLDEN_SIZE};
    bool is_row = rows == 1;
    assert_int_equal(safetensors_get(file, name, SAFETENSORS_F64, is_row ? 1 : 2, dims + is_row,
                                     values),
                     LT_OK);
}

static void write_doubles(update *u, const lt_node *x, const double *values, int n)
{
    float floats[GOLDEN_SIZE];
    for (int i = 0; i < n; i++)
        floats[i] = (float)values[i];
    assert_int_equal(lt_session_write(u->session, x, floats, n), LT_OK);
}

static void check_optimizer(const safetensors *file, const char *line, lt_executor executor)
{
    /* f32 rounds w, and each step once more; the reference differs in the order of its sums */
    double tolerance = executor == LT_REFERENCE ? 1e-12 : 2e-6;
    double w[GOLDEN_SIZE], g[GOLDEN_STEPS][GOLDEN_SIZE], after[GOLDEN_STEPS][GOLDEN_SIZE];
    read_golden(file, "w", 1, w);
    read_golden(file, "gradients", GOLDEN_STEPS, g[0]);
    read_golden(file, line, GOLDEN_STEPS, after[0]);
    update u;
    update_open(&u, line, GOLDEN_SIZE, executor);
    write_doubles(&u, u.w, w, GOLDEN_SIZE);
    for (int step = 0; step < GOLDEN_STEPS; step++) {
        write_doubles(&u, u.g, g[step], GOLDEN_SIZE);
        write_doubles(&u, u.t, &(double){step + 1}, 1);
        assert_int_equal(lt_session_run(u.session, NULL), LT_OK);
        for (int i = 0; i < GOLDEN_SIZE; i++) {
            double found = executor == LT_REFERENCE
                               ? lt_session_doubles(u.session, u.w)[i]
                               : (double)lt_session_floats(u.session, u.w)[i];
            if (!(fabs(found - after[step][i]) <= tolerance * (1 + fabs(after[step][i]))))
                fail_msg("%s, step %d, %d: expected %.9g, found %.9g", line, step, i,
                         after[step][i], found);
        }
    }
    update_close(&u);
}

static void optimizers_are_pytorchs(void **state)
{
    (void)state;
    safetensors *file;
    int checked = 0;
    assert_int_equal(safetensors_read(TESTS_DIR "/golden/optimizers.safetensors", &file), LT_OK);
    for (int i = 0; i < file->n; i++) {
        const char *line = file->tensors[i].name;
        if (strcmp(line, "w") == 0 || strcmp(line, "gradients") == 0)
            continue;
        check_optimizer(file, line, LT_CPU);
        check_optimizer(file, line, LT_REFERENCE);
        checked++;
    }
    assert_true(checked >= 8);
    safetensors_free(file);
}

/* One pass over memory: w, g, m, v read, w, m, v written by one kernel. */
static void adam_is_one_fused_pass(void **state)
{
    (void)state;
    update u;
    lt_profile_line lines[8];
    update_open(&u, "adam", 100000, LT_CPU);
    int n = lt_session_profile(u.session, lines, 8), large = 0;
    for (int i = 0; i < n && i < 8; i++)
        large += lines[i].bytes > 100000;
    assert_int_equal(large, 1);
    update_close(&u);
}

static void clipping_keeps_direction_and_bounds_norm(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_1d(2)), *y = gradient_clip(x, 1);
    lt_program *p = lt_compile(g, &y, 1);
    lt_session *s = lt_session_create(p, NULL);
    float small[] = {0.3f, 0.4f}, large[] = {30, 40}, found[2];
    lt_session_write(s, x, small, 2);
    assert_int_equal(lt_session_run(s, NULL), LT_OK);
    lt_session_read(s, y, found, 2);
    assert_float_equal(found[0], 0.3, 1e-7);
    lt_session_write(s, x, large, 2);
    assert_int_equal(lt_session_run(s, NULL), LT_OK);
    lt_session_read(s, y, found, 2);
    assert_float_equal(found[0], 0.6, 1e-6);
    assert_float_equal(found[1], 0.8, 1e-6);
    lt_session_free(s);
    lt_program_free(p);
    lt_graph_free(g);
}

/* ---- Graphs of one's own ---- */

static void optimizer_in_wrong_words_is_a_graph_error(void **state)
{
    (void)state;
    lt_params *p = lt_params_create();
    lt_graph *g = lt_graph_create();
    lt_session *s;
    lt_node *x = lt_input(g, "x", lt_shape_1d(3)), *targets[1 + LT_OPTIMIZER_TARGETS] = {lt_sum(lt_square(x))};
    assert_int_equal(lt_optimizer_build("adma", p, targets[0], targets + 1), 0);
    assert_says("did you mean \"adam\"");
    assert_int_equal(lt_session_open(g, targets, 1, NULL, &s), LT_GRAPH);
    assert_null(s);
    assert_says("did you mean \"adam\"");
    lt_graph_free(g);
    lt_params_free(p);
}

static void optimizer_in_words_goes_downhill(void **state)
{
    (void)state;
    lt_params *p = lt_params_create();
    lt_graph *g = lt_graph_create();
    lt_init ones = {.kind = LT_INIT_ONES};
    lt_node *targets[1 + LT_OPTIMIZER_TARGETS];
    lt_param(lt_params_visit(p, g), "w", lt_shape_1d(3), LT_LAYOUT_PLAIN, ones);
    assert_int_equal(lt_params_allocate(p, 1), LT_OK);
    lt_node *w = lt_param(lt_params_visit(p, g), "w", lt_shape_1d(3), LT_LAYOUT_PLAIN, ones);
    targets[0] = lt_sum(lt_square(w));
    int n = lt_optimizer_build("sgd lr=0.25", p, targets[0], targets + 1);
    assert_int_equal(n, 2);
    lt_program *program = lt_compile(g, targets, 1 + n);
    lt_session *s = lt_session_create(program, NULL);
    assert_int_equal(lt_params_bind(p, g, s), LT_OK);
    for (int i = 0; i < 4; i++) /* w <- w / 2 */
        assert_int_equal(lt_session_run(s, NULL), LT_OK);
    assert_float_equal(lt_params_block(p)[2], 0.0625, 0);
    lt_session_free(s);
    lt_program_free(program);
    lt_graph_free(g);
    lt_params_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optimizers_are_pytorchs),
        cmocka_unit_test(adam_is_one_fused_pass),
        cmocka_unit_test(clipping_keeps_direction_and_bounds_norm),
        cmocka_unit_test(optimizer_in_words_goes_downhill),
        cmocka_unit_test(optimizer_in_wrong_words_is_a_graph_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
