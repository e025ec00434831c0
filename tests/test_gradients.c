/* SPDX-License-Identifier: MIT */
/* Whether each phase of training goes down the gradient of the number that it reports: every
   combination of the options of `objective` that recipes accept, beside priors, layers of codes and
   likelihoods. The lists are those of the tables, so that a new option or row is tried as well.

   With the noise held, the gradient along some direction is a difference of the loss in double
   precision. An estimate of the gradient that is right on average alone (dreg) is compared with that of
   the same bound by the same draws, which has passed the first comparison, in standard errors.

   LATENT_GRADIENTS=long takes more draws and prints a line for each combination. */
#include "subject.h"

#include "recipe/recipe.h"
#include "nn/likelihoods.h"

enum { MAX_SETS = 24, MAX_OPTIONS = 16, ROWS = 512, RUNS = 40, LONG_RUNS = 4000 };

static const char words_vae[] =
    DATA "name: tiny\nmodel:\n  latent: 2\n  likelihood: bernoulli\n"
         "  encoder: [linear 6, tanh]\n  decoder: [linear 6, tanh, linear image]\n";
static const char words_deep[] =
    DATA "name: tiny\nmodel:\n  latent: 2\n  likelihood: bernoulli\n  latent2: 2\n"
         "  encoder: [linear 6, tanh]\n  decoder: [linear 6, tanh, linear image]\n"
         "  encoder2: [linear 5, tanh]\n  decoder2: [linear 5, tanh]\n";
static const char words_own[] =
    DATA "name: tiny\nmodel:\n  latent: 2\n  likelihood: bernoulli\n  posterior_heads: separate\n"
         "  encoder: [linear 6, tanh]\n  decoder: [linear 6, tanh, linear image]\n"
         "  posterior: {mean: [linear 2], logvar: [linear 2]}\n";
static const char words_gan[] =
    DATA "name: tiny\nmodel:\n  kind: gan\n  latent: 2\n"
         "  generator: [linear 6, tanh, linear image]\n"
         "  discriminator: [flatten, linear 6, scale 4, tanh, linear 1]\n";

static bool is_long(void)
{
    const char *word = getenv("LATENT_GRADIENTS");
    return word && strcmp(word, "long") == 0;
}

/* ---- Sets: an odometer over the values of options ---- */

typedef struct wheel {
    const char *option; /* "objective.beta" */
    char *values[16];
    int n, at, all; /* all: values that are owned; n: of these used */
} wheel;

typedef struct odometer {
    wheel wheels[MAX_OPTIONS];
    int n;
} odometer;

static wheel *add_wheel(odometer *o, const char *where, const char *name)
{
    assert_true(o->n < MAX_OPTIONS);
    wheel *w = &o->wheels[o->n++];
    *w = (wheel){.option = must_format("%s.%s", where, name)};
    return w;
}

static void add_value(wheel *w, const char *value)
{
    assert_true(w->n < 16);
    w->values[w->n++] = must_copy_text(value);
    w->all = w->n;
}

/* "a|b|c" */
static void add_choices(wheel *w, const char *choices)
{
    while (*choices) {
        size_t n = strcspn(choices, "|");
        char *one = must_format("%.*s", (int)n, choices);
        add_value(w, one);
        free(one);
        choices += n + (choices[n] == '|');
    }
}

static void add_real(wheel *w, const lt_option *option)
{
    static const struct {
        const char *name, *values;
    } known[] = {{"beta", "0.5|1|2"}, {"free_bits", "0|0.05"}, {"capacity", "0|4"},
                 {"label_smoothing", "0|0.1"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, option->name) == 0) {
            add_choices(w, known[i].values);
            return;
        }
    char *fallback = must_format("%g", option->fallback);
    add_value(w, fallback);
    add_value(w, option->max < 0.7 ? "0.05" : "0.7");
    free(fallback);
}

/* The rows of a table, each with default options, or with 2 where it needs a number. */
static void add_rows(wheel *w, const char *table)
{
    lt_table_entry e;
    for (int i = 0; lt_table_get(table, i, &e); i++) {
        bool needs = e.options[0].name && e.options[0].required;
        char *line = must_format("%s%s", e.name, needs ? " 2" : "");
        add_value(w, line);
        free(line);
    }
}

/* Every option of `objective` but schedules, of which a step sees a number alone, and optimizers. */
static odometer objective_options(const char *kind)
{
    odometer o = {.n = 0};
    lt_table_entry e = {.name = NULL};
    for (int i = 0; lt_table_get("objectives", i, &e) && strcmp(e.name, kind) != 0;)
        i++;
    assert_string_equal(e.name, kind);
    for (const lt_option *option = e.options; option->name; option++) {
        if (option->kind == LT_KIND_TEXT && strcmp(option->name, "loss") == 0)
            add_rows(add_wheel(&o, "objective", option->name), "losses");
        else if (option->kind == LT_KIND_TEXT && strcmp(option->name, "penalty") == 0)
            add_rows(add_wheel(&o, "objective", option->name), "penalties");
        else if (option->kind == LT_KIND_CHOICE)
            add_choices(add_wheel(&o, "objective", option->name), option->choices);
        else if (option->kind == LT_KIND_REAL)
            add_real(add_wheel(&o, "objective", option->name), option);
        else if (option->kind == LT_KIND_INT && strcmp(option->name, "discriminator_steps") != 0)
            add_choices(add_wheel(&o, "objective", option->name), "1|3");
        else if (option->kind == LT_KIND_BOOL)
            add_choices(add_wheel(&o, "objective", option->name), "no|yes");
    }
    return o;
}

static bool turn(odometer *o)
{
    for (int i = 0; i < o->n; i++) {
        if (++o->wheels[i].at < o->wheels[i].n)
            return true;
        o->wheels[i].at = 0;
    }
    return false;
}

static void odometer_clear(odometer *o)
{
    for (int i = 0; i < o->n; i++) {
        for (int k = 0; k < o->wheels[i].all; k++)
            free(o->wheels[i].values[k]);
        free((void *)(uintptr_t)o->wheels[i].option);
    }
}

typedef struct set_list {
    char *item[MAX_SETS];
    int n;
} set_list;

static set_list sets_of(const odometer *o)
{
    set_list s = {.n = 0};
    for (int i = 0; i < o->n; i++)
        s.item[s.n++] = must_format("%s=%s", o->wheels[i].option, o->wheels[i].values[o->wheels[i].at]);
    return s;
}

static void sets_clear(set_list *s)
{
    for (int i = 0; i < s->n; i++)
        free(s->item[i]);
}

static char *sets_text(const set_list *s)
{
    char *all = must_copy_text("");
    for (int i = 0; i < s->n; i++) {
        const char *dot = strchr(s->item[i], '.');
        char *longer = must_format("%s%s%s", all, i ? " " : "", dot ? dot + 1 : s->item[i]);
        free(all);
        all = longer;
    }
    return all;
}

/* ---- One phase of training of one model ---- */

typedef struct trial {
    lt_model *model;
    lt_params *params; /* that the phase trains */
    lt_graph *graph;
    lt_node *x, *gradient;
    phase_terms terms;
    double beta, capacity;
    int n;
} trial;

/* NULL model: refused. */
static trial open_trial(const char *words, const set_list *sets, int phase_index, int n)
{
    trial t = {.n = n};
    lt_recipe *r = lt_recipe_parse("tiny.yaml", words, (const char *const *)sets->item, sets->n);
    if (!r)
        return t;
    t.model = lt_model_create(r, tiny);
    if (!t.model)
        fail_msg("%s", lt_last_error());
    t.beta = recipe_beta(r, 0, 1);
    t.capacity = recipe_capacity(r, 0, 1);
    bool is_discriminators = kind_of(r)->phases[phase_index].trains_discriminator;
    lt_recipe_free(r);
    t.params = is_discriminators ? lt_model_discriminator(t.model) : lt_model_params(t.model);
    t.graph = lt_graph_create();
    t.x = lt_input(t.graph, "x", lt_shape_4d(n, tiny.h, tiny.w, tiny.c));
    if (model_build_phase(t.model, t.graph, phase_index, t.x, NULL, &t.terms) != LT_OK)
        fail_msg("%s", lt_last_error());
    t.gradient = lt_params_gradient(t.params, t.terms.loss);
    return t;
}

static void close_trial(trial *t)
{
    lt_graph_free(t->graph);
    lt_model_free(t->model);
}

typedef struct trial_run {
    lt_program *program;
    lt_session *session;
    lt_executor executor;
} trial_run;

static trial_run open_trial_run(const trial *t, lt_executor executor, bool with_gradient)
{
    lt_node *nodes[] = {t->terms.loss, t->x, t->gradient};
    trial_run r = {.program = must_compile(t->graph, nodes, with_gradient ? 3 : 2),
                   .executor = executor};
    double base[BATCH * PIXELS], *x = must_alloc(sizeof *x * (size_t)t->n * PIXELS);
    fill_images(base);
    for (int i = 0; i < t->n * PIXELS; i++)
        x[i] = base[i % (BATCH * PIXELS)];
    r.session = must_create(r.program, &(lt_session_options){executor, .threads = 1});
    assert_int_equal(lt_model_bind(t->model, t->graph, r.session, LT_TRAINING), LT_OK);
    feed(r.session, executor, t->x, x);
    if (t->terms.beta)
        feed(r.session, executor, t->terms.beta, &t->beta);
    if (t->terms.capacity)
        feed(r.session, executor, t->terms.capacity, &t->capacity);
    free(x);
    return r;
}

static void close_trial_run(trial_run *r)
{
    lt_session_free(r->session);
    lt_program_free(r->program);
}

/* ---- Held noise: differences of the loss ---- */

/* loss(w + h u) - loss(w - h u), and in step what was added to each weight, as f32 has it. */
static double difference(const trial *t, trial_run *r, double h, uint64_t seed, double *step)
{
    int64_t size = lt_params_extent(t->params);
    float *w = lt_params_block(t->params), *start = must_alloc(sizeof *start * (size_t)size);
    double loss[2];
    memcpy(start, w, sizeof *start * (size_t)size);
    for (int64_t i = 0; i < size; i++)
        step[i] = 0;
    for (int side = 0; side < 2; side++) {
        draws d = draws_from(seed);
        for (int64_t i = 0; i < size; i++) {
            w[i] = start[i] + (float)((side ? h : -h) * draw(&d, -1, 1));
            step[i] += side ? (double)w[i] : -(double)w[i];
        }
        must_run(r->session, &(lt_run_key){1, 2});
        double *value = fetch(r->session, LT_REFERENCE, t->terms.loss);
        loss[side] = *value;
        free(value);
    }
    memcpy(w, start, sizeof *start * (size_t)size);
    free(start);
    return loss[1] - loss[0];
}

static double dot(const double *a, const double *b, int64_t n, double *norm)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
        squares += a[i] * b[i] * a[i] * b[i];
    }
    *norm = sqrt(squares);
    return sum;
}

/* Of the gradient along a random direction, by Richardson's differences: their error is of order
   h^4. Relative to the root of the sum of squares of the parts, as parts may cancel. */
static double relative_error(const trial *t, uint64_t seed)
{
    enum { SIZES = 2 };
    static const double h[SIZES] = {5e-4, 1e-3};
    int64_t size = lt_params_extent(t->params);
    double *step = must_alloc(sizeof *step * (size_t)size), error[SIZES], norm[SIZES];
    trial_run r = open_trial_run(t, LT_REFERENCE, true);
    must_run(r.session, &(lt_run_key){1, 2});
    double *gradient = fetch(r.session, LT_REFERENCE, t->gradient);
    for (int k = 0; k < SIZES; k++) {
        double found = difference(t, &r, h[k], seed, step);
        double want = dot(gradient, step, size, &norm[k]);
        error[k] = (found - want) / norm[k];
    }
    close_trial_run(&r);
    free(gradient);
    free(step);
    return norm[0] > 0 ? fabs(4 * error[0] - error[1]) / 3 : 0;
}

/* ---- Estimates that are right on average ---- */

/* The mean over runs of (a - b) along some directions, in standard errors; *relative to what a random
   direction has of the gradient. */
static double worst_deviation(const trial *a, const trial *b, int runs, double *relative)
{
    enum { DIRECTIONS = 4 };
    int64_t size = lt_params_extent(a->params);
    trial_run ra = open_trial_run(a, LT_CPU, true), rb = open_trial_run(b, LT_CPU, true);
    double sum[DIRECTIONS] = {0}, squares[DIRECTIONS] = {0}, worst = 0, norm = 0;
    double *mean_b = must_alloc(sizeof *mean_b * (size_t)size);
    for (int k = 0; k < runs; k++) {
        must_run(ra.session, &(lt_run_key){7, (uint64_t)k});
        must_run(rb.session, &(lt_run_key){7, (uint64_t)k});
        const float *ga = lt_session_floats(ra.session, a->gradient);
        const float *gb = lt_session_floats(rb.session, b->gradient);
        for (int64_t i = 0; i < size; i++)
            mean_b[i] += (double)gb[i] / runs;
        for (int j = 0; j < DIRECTIONS; j++) {
            draws d = draws_from((uint64_t)(11 + j));
            double along = 0;
            for (int64_t i = 0; i < size; i++)
                along += draw(&d, -1, 1) * ((double)ga[i] - (double)gb[i]);
            sum[j] += along;
            squares[j] += along * along;
        }
    }
    for (int64_t i = 0; i < size; i++)
        norm += mean_b[i] * mean_b[i] / 3;
    *relative = 0;
    for (int j = 0; j < DIRECTIONS; j++) {
        double mean = sum[j] / runs, variance = squares[j] / runs - mean * mean;
        worst = fmax(worst, fabs(mean) / sqrt(variance / (runs - 1) + 1e-16));
        *relative = fmax(*relative, fabs(mean) / sqrt(norm));
    }
    free(mean_b);
    close_trial_run(&ra);
    close_trial_run(&rb);
    return worst;
}

/* ---- All combinations ---- */

typedef struct tally_of_trials {
    int accepted, refused, averaged;
    double worst, worst_se, worst_relative;
} tally_of_trials;

static bool is_set(const set_list *s, const char *set)
{
    for (int i = 0; i < s->n; i++)
        if (strcmp(s->item[i], set) == 0)
            return true;
    return false;
}

/* A refusal says what excludes what, so that none is a mistake of the test. */
static void check_refusal(void)
{
    static const char *const reasons[] = {"needs ", "cannot be combined", " is for ", "has no target",
                                          "must be "};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (strstr(lt_last_error(), reasons[i]))
            return;
    fail_msg("refused without a reason: %s", lt_last_error());
}

static void check_average(const char *words, set_list *s, const char *name, tally_of_trials *all)
{
    trial a = open_trial(words, s, 0, ROWS);
    for (int i = 0; i < s->n; i++)
        if (strcmp(s->item[i], "objective.bound=dreg") == 0) {
            free(s->item[i]);
            s->item[i] = must_copy_text("objective.bound=iwae");
        }
    trial b = open_trial(words, s, 0, ROWS), held = open_trial(words, s, 0, BATCH);
    double relative, deviation = worst_deviation(&a, &b, is_long() ? LONG_RUNS : RUNS, &relative);
    double error = relative_error(&held, 5);
    if (is_long())
        printf("dreg  %5.2f standard errors, %.1e of the gradient  %s\n", deviation, relative, name);
    if (deviation > 4.5 || error > 3e-6)
        fail_msg("%s: %g standard errors, %g", name, deviation, error);
    all->worst_se = fmax(all->worst_se, deviation);
    all->worst_relative = fmax(all->worst_relative, relative);
    all->averaged++;
    close_trial(&a);
    close_trial(&b);
    close_trial(&held);
}

static void try_sets(const char *words, int phase_index, set_list *s, tally_of_trials *all)
{
    trial t = open_trial(words, s, phase_index, BATCH);
    if (!t.model) {
        check_refusal();
        all->refused++;
        return;
    }
    char *name = sets_text(s);
    all->accepted++;
    if (is_set(s, "objective.bound=dreg")) {
        check_average(words, s, name, all);
    } else {
        double error = relative_error(&t, 5);
        if (is_long())
            printf("phase %d  %.1e  %s\n", phase_index, error, name);
        if (!(error < 3e-6))
            fail_msg("%s: the gradient of the loss is off by %g", name, error);
        all->worst = fmax(all->worst, error);
    }
    free(name);
    close_trial(&t);
}

static void try_all(const char *words, int phase_index, odometer *o, tally_of_trials *all)
{
    do {
        set_list s = sets_of(o);
        try_sets(words, phase_index, &s, all);
        sets_clear(&s);
    } while (turn(o));
    odometer_clear(o);
}

static void report_trials(const char *what, const tally_of_trials *all)
{
    printf("%s: %d combinations accepted, %d refused; worst relative error %.1e", what,
           all->accepted, all->refused, all->worst);
    if (all->averaged)
        printf("; %d averaged, worst %.1f standard errors, %.1e of the gradient", all->averaged,
               all->worst_se, all->worst_relative);
    printf("\n");
    assert_true(all->accepted > 0);
}

/* Where another test has tried all of them: two values of beta, and `kl: auto`. */
static void shorten(odometer *o)
{
    for (int i = 0; i < o->n && !is_long(); i++)
        if (strcmp(o->wheels[i].option, "objective.kl") == 0)
            o->wheels[i].n = 1;
        else if (strcmp(o->wheels[i].option, "objective.beta") == 0)
            o->wheels[i].n = 2;
}

static void options_of_a_vae(void **state)
{
    (void)state;
    tally_of_trials all = {.accepted = 0};
    odometer o = objective_options("vae");
    try_all(words_vae, 0, &o, &all);
    assert_true(all.averaged >= 6);
    report_trials("objective, prior normal", &all);
}

static void options_beside_priors(void **state)
{
    (void)state;
    tally_of_trials all = {.accepted = 0};
    odometer o = objective_options("vae");
    add_rows(add_wheel(&o, "model", "prior"), "priors");
    shorten(&o);
    try_all(words_vae, 0, &o, &all);
    report_trials("objective, every prior", &all);
}

static void options_beside_layers_and_heads(void **state)
{
    (void)state;
    tally_of_trials all = {.accepted = 0};
    odometer o = objective_options("vae");
    shorten(&o);
    try_all(words_deep, 0, &o, &all);
    o = objective_options("vae");
    for (int i = 0; i < o.n && !is_long(); i++)
        if (strcmp(o.wheels[i].option, "objective.samples") != 0)
            o.wheels[i].n = o.wheels[i].n > 1 ? 2 : 1;
    try_all(words_own, 0, &o, &all);
    report_trials("objective, two layers of codes, heads of their own", &all);
}

/* Every likelihood with every kind of width. */
static void likelihoods_beside_bounds(void **state)
{
    (void)state;
    tally_of_trials all = {.accepted = 0};
    odometer o = {.n = 0};
    add_choices(add_wheel(&o, "objective", "bound"), "elbo|iwae|dreg");
    add_choices(add_wheel(&o, "objective", "samples"), "1|3");
    add_choices(add_wheel(&o, "objective", "beta"), "0.5|1");
    wheel *w = add_wheel(&o, "model", "likelihood");
    lt_table_entry e;
    for (int i = 0; lt_table_get("likelihoods", i, &e); i++) {
        if (!e.options[0].name) {
            add_value(w, e.name);
            continue;
        }
        static const char *const widths[] = {"optimal", "learned", "per_channel", "0.5"};
        for (size_t k = 0; k < sizeof widths / sizeof widths[0]; k++) {
            char *line = must_format("%s %s", e.name, widths[k]);
            add_value(w, line);
            free(line);
        }
    }
    try_all(words_vae, 0, &o, &all);
    report_trials("bounds, every likelihood", &all);
}

static void losses_and_penalties(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        tally_of_trials all = {.accepted = 0};
        odometer o = objective_options("gan");
        try_all(words_gan, i, &o, &all);
        report_trials(i ? "generator" : "discriminator", &all);
    }
}

/* What couples draws leaves dreg without an estimate. */
static void coupled_draws_are_refused(void **state)
{
    (void)state;
    static const char words[] =
        DATA "model:\n  latent: 2\n  likelihood: bernoulli\n  encoder: [linear 6, batch_norm, tanh]\n"
             "  decoder: [linear 6, tanh, linear image]\n";
    static const char *const dreg[] = {"objective.bound=dreg", "objective.samples=3"};
    lt_recipe *r = lt_recipe_parse("tiny.yaml", words, dreg, 2); /* it is x alone that is coupled */
    assert_non_null(r);
    lt_recipe_free(r);
    const char *sets[] = {dreg[0], dreg[1], "model.decoder=[linear 6, batch_norm, linear image]"};
    check_refused(words, sets, 3, "batch_norm in decoder");
    sets[2] = "model.decoder=[linear 6, residual: [batch_norm, linear 6], linear image]";
    check_refused(words, sets, 3, "batch_norm in decoder");
    sets[2] = "model.likelihood=gaussian";
    check_refused(words, sets, 3, "the optimal width of gaussian depends on the whole batch");
    sets[2] = "model.likelihood=laplace optimal";
    check_refused(words, sets, 3, "use the bound iwae, or a width that is learned or a number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_of_a_vae),
        cmocka_unit_test(options_beside_priors),
        cmocka_unit_test(options_beside_layers_and_heads),
        cmocka_unit_test(likelihoods_beside_bounds),
        cmocka_unit_test(losses_and_penalties),
        cmocka_unit_test(coupled_draws_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
