/* SPDX-License-Identifier: MIT */
/* Scorecards and explanations as JSON: against the closed form of a linear model, against the functions whose numbers
   they put together, and against a run's own log. Pages of HTML: whole, and the same at any number of threads. */
#include "linear_model.h"
#include "scratch.h"

#include <latent/ledger.h>
#include <latent/report.h>
#include <latent/runs.h>

#include <jansson.h>

static json_t *must_load(char *text)
{
    if (!text)
        fail_msg("%s", lt_last_error());
    json_error_t error;
    json_t *o = json_loads(text, 0, &error);
    if (!o)
        fail_msg("%s in %s", error.text, text);
    assert_null(strchr(text, '\n'));
    free(text);
    return o;
}

/* The number at a path such as "nll.value" or "iwae.1.k". */
static double number_at(const json_t *o, const char *path)
{
    char part[32];
    for (const char *at = path; at && o;) {
        size_t n = strcspn(at, ".");
        snprintf(part, sizeof part, "%.*s", (int)n, at);
        o = json_is_array(o) ? json_array_get(o, (size_t)atoi(part)) : json_object_get(o, part);
        at = at[n] ? at + n + 1 : NULL;
    }
    if (!json_is_number(o))
        fail_msg("%s is not a number", path);
    return json_number_value(o);
}

static const char *text_at(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    if (!text)
        fail_msg("%s is not a text", key);
    return text;
}

static void expect_ok(int status)
{
    if (status != LT_OK)
        fail_msg("%s: %s", lt_status_name(status), lt_last_error());
}

/* ---- Scorecards ---- */

/* With the true posterior every draw has the same weight: the bound is log p(x) itself, and there is no gap. */
static void scorecards_have_the_closed_form(void **state)
{
    (void)state;
    static const int iwae[] = {1, 5};
    fixture f;
    fixture_open(&f, 0);
    lt_estimate truth = exact_nlls(&f);
    lt_scorecard c;
    lt_scorecard_options o = {.split = LT_TRAIN, .nll_samples = 30, .iwae = iwae, .n_iwae = 2, .seed = 3};
    expect_ok(lt_scorecard_make(f.model, f.data, &o, &c));
    json_t *j = must_load(lt_evaluation_json(&c, "runs/linear"));
    assert_string_equal(text_at(j, "run"), "runs/linear");
    assert_string_equal(text_at(j, "split"), "train");
    assert_near(number_at(j, "images"), IMAGES, 0);
    assert_near(number_at(j, "nll.value"), truth.value, 1e-4);
    assert_near(number_at(j, "nll.se"), truth.se, 1e-4);
    assert_near(number_at(j, "nll.ess"), 30, 1e-2);
    assert_near(number_at(j, "iwae.1.k"), 5, 0);
    assert_near(number_at(j, "iwae.1.value"), truth.value, 1e-4);
    assert_near(number_at(j, "neg_elbo.value"), number_at(j, "rate.value") + number_at(j, "distortion.value"), 1e-6);
    assert_near(number_at(j, "neg_elbo_less_nll.value"), number_at(j, "neg_elbo.value") - truth.value, 1e-4);
    assert_near(number_at(j, "codes.latents"), LATENT, 0);
    assert_null(json_object_get(j, "quality"));
    assert_null(json_object_get(j, "chosen"));
    json_decref(j);
    lt_scorecard_clear(&c);
    fixture_close(&f);
}

static void columns_are_of_the_images(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    lt_scorecard c;
    lt_scorecard_options o = {.split = LT_TRAIN, .images = 20, .nll_samples = 30};
    expect_ok(lt_scorecard_make(f.model, f.data, &o, &c));
    assert_int_equal(c.images.n, 20);
    for (int i = 0; i < 20; i++) {
        double x[PIXELS];
        assert_int_equal(c.images.index[i], lt_stratified_index(i, 20, IMAGES));
        read_image(&f, c.images.index[i], x);
        assert_near(c.images.nll[i], exact_nll(x), 1e-3);
    }
    char *csv = lt_image_scores_csv(&c);
    assert_non_null(csv);
    assert_int_equal(strncmp(csv, "index,label,neg_elbo_nats,", 26), 0);
    expect_ok(lt_image_scores_write(&c, in_dir("each.csv")));
    bytes file;
    assert_int_equal(file_read(in_dir("each.csv"), 1 << 20, &file), LT_OK);
    assert_int_equal(file.size, strlen(csv));
    assert_memory_equal(file.data, csv, file.size);
    free(file.data);
    free(csv);
    lt_scorecard_clear(&c);
    fixture_close(&f);
}

static double next_phase;
static void count_phase(void *user, const char *phase)
{
    static const char *const phases[] = {"codes", "annealing", "bounds"};
    (void)user;
    assert_string_equal(phase, phases[(int)next_phase++]);
}

static bool stop(void *user, double done)
{
    (void)user, (void)done;
    return false;
}

static void scorecards_can_be_stopped(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    lt_scorecard c;
    lt_scorecard_options o = {.split = LT_TRAIN, .on_phase = count_phase};
    next_phase = 0;
    expect_ok(lt_scorecard_make(f.model, f.data, &o, &c));
    assert_near(next_phase, 3, 0);
    lt_scorecard_clear(&c);
    o.on_phase = NULL;
    o.run.progress = stop;
    assert_int_equal(lt_scorecard_make(f.model, f.data, &o, &c), LT_INTERRUPTED);
    lt_scorecard_clear(&c);
    fixture_close(&f);
}

/* The same images, so the difference of means is the mean of differences. */
static void comparisons_are_image_by_image(void **state)
{
    (void)state;
    fixture f[2];
    lt_scorecard c[2];
    static const char *const runs[] = {"exact", "too \xff wide"};
    for (int i = 0; i < 2; i++) {
        fixture_open(&f[i], i * 0.7);
        expect_ok(lt_scorecard_make(f[i].model, f[i].data, &(lt_scorecard_options){.split = LT_TRAIN}, &c[i]));
    }
    json_t *j = must_load(lt_comparison_json(2, runs, c));
    const json_t *d = json_array_get(json_object_get(j, "differences"), 0);
    assert_string_equal(text_at(d, "less"), "exact");
    assert_string_equal(text_at(d, "run"), "too \\xff wide");
    assert_near(number_at(d, "neg_elbo.value"),
                c[1].evaluation.neg_elbo.value - c[0].evaluation.neg_elbo.value, 1e-6);
    assert_true(number_at(d, "neg_elbo.se") < c[0].evaluation.neg_elbo.se);
    json_decref(j);

    c[1].split = LT_TEST;
    assert_string_equal(lt_scorecards_differ(&c[0], &c[1]), "the splits differ");
    j = must_load(lt_comparison_json(2, runs, c));
    d = json_array_get(json_object_get(j, "differences"), 0);
    assert_true(json_is_null(json_object_get(d, "neg_elbo")));
    assert_string_equal(text_at(d, "do_not_compare"), "the splits differ");
    json_decref(j);
    for (int i = 0; i < 2; i++) {
        lt_scorecard_clear(&c[i]);
        fixture_close(&f[i]);
    }
}

/* ---- Samples ---- */

static void scores_are_written_as_they_are(void **state)
{
    (void)state;
    lt_quality q = {.digest = "abc", .images = 300, .held_out = 200, .classes = 4,
                    .samples = {.fid = 1.25, .kid = {0.5, 0.125}, .precision = {(double)NAN, (double)NAN}},
                    .memorization = {.verdict = LT_MEMORIZATION_FOUND, .close = 7, .samples = 300}};
    json_t *j = must_load(lt_score_json("a.npy", "mnist", LT_VALID, &q));
    assert_string_equal(text_at(j, "images"), "a.npy");
    assert_string_equal(text_at(j, "split"), "valid");
    assert_near(number_at(j, "quality.scores.fid"), 1.25, 0);
    assert_near(number_at(j, "quality.scores.kid.se"), 0.125, 0);
    const json_t *scores = json_object_get(json_object_get(j, "quality"), "scores");
    assert_true(json_is_null(json_object_get(json_object_get(scores, "precision"), "value")));
    assert_string_equal(text_at(json_object_get(json_object_get(j, "quality"), "memorization"), "verdict"), "found");
    json_decref(j);
}

/* ---- Explanations ---- */

/* Images as numbers in files, so that a run finds them again. */
static void write_images(const char *set)
{
    enum { N = 100, SIDE = 4 };
    static const char *const files[] = {"train.npy", "test.npy"};
    lt_dataset *d;
    int32_t index[N];
    float x[N * SIDE * SIDE];
    expect_ok(lt_dataset_synthetic(N, SIDE, SIDE, 1, NULL, &d));
    for (int i = 0; i < N; i++)
        index[i] = i;
    expect_ok(lt_dataset_gather(d, LT_TRAIN, index, N, 0, 1, x));
    lt_dataset_free(d);
    assert_int_equal(file_make_directories(set), LT_OK);
    for (int i = 0; i < 2; i++) {
        char *path = file_join(set, files[i]);
        expect_ok(lt_npy_write(path, x, 4, (const int64_t[]){N - 50 * i, SIDE, SIDE, 1}));
        free(path);
    }
}

static void train_run(const char *path)
{
    char words[1024];
    lt_dataset *d = NULL;
    lt_run *run = NULL;
    write_images(in_dir("set"));
    snprintf(words, sizeof words,
             "name: tiny\ndata: {set: %s, validation: 20}\nmodel:\n  latent: 2\n  likelihood: gaussian\n"
             "  encoder: [linear 8, relu]\n"
             "  decoder: [linear 8, relu, linear image]\ntrain: {epochs: 2, batch: 20, samples_every: 0}\n",
             in_dir("set"));
    lt_recipe *r = lt_recipe_parse("tiny.yaml", words, NULL, 0);
    if (!r)
        fail_msg("%s", lt_last_error());
    expect_ok(lt_recipe_open_data(r, NULL, &d));
    lt_model *m = lt_model_create(r, (lt_image_size){4, 4, 1});
    lt_trainer *t = m ? lt_trainer_create(m, d, NULL) : NULL;
    assert_non_null(t);
    expect_ok(lt_run_create(path, t, &run));
    expect_ok(lt_run_train(run, t, d, NULL));
    lt_run_free(run);
    lt_trainer_free(t);
    lt_model_free(m);
    lt_dataset_free(d);
    lt_recipe_free(r);
}

static void explanations_are_of_the_last_validation(void **state)
{
    (void)state;
    const char *path = in_dir("run");
    train_run(path);
    lt_run_metrics *log;
    lt_explanation e;
    expect_ok(lt_run_metrics_open(path, &log));
    const lt_epoch_log *last = lt_run_metrics_line(log, 1);
    expect_ok(lt_explain(path, NULL, &e));
    assert_int_equal(e.epoch, 2);
    assert_near(e.found.neg_elbo, last->valid.neg_elbo, 0);
    json_t *j = must_load(lt_explanation_json(&e));
    assert_near(number_at(j, "neg_elbo.value"), last->valid.neg_elbo, 1e-6);
    assert_near(number_at(j, "epoch"), 2, 0);
    assert_near(number_at(j, "dimensions"), 16, 0);
    assert_string_equal(text_at(j, "set"), "set");
    assert_string_equal(text_at(j, "checkpoint"), e.checkpoint);
    json_decref(j);
    lt_explanation_clear(&e);

    char *checkpoint = lt_run_checkpoint(path); /* no log: evaluated now */
    assert_non_null(checkpoint);
    expect_ok(lt_explain(checkpoint, NULL, &e));
    assert_int_equal(e.epoch, 0);
    assert_near(e.found.neg_elbo, last->valid.neg_elbo, 1e-9 * fabs(last->valid.neg_elbo));
    lt_explanation_clear(&e);
    free(checkpoint);

    lt_evaluation found;
    lt_explain_options o = {.with_split = true, .split = LT_TEST, .images = 7, .seed = 5};
    expect_ok(lt_explain(path, &o, &e));
    assert_int_equal(e.found.images, 7);
    expect_ok(lt_evaluate(e.model, e.data, e.split, &(lt_eval_options){.images = 7, .seed = 5}, &found));
    assert_near(e.ledger.neg_elbo, found.neg_elbo.value, 0);
    lt_explanation_clear(&e);
    lt_run_metrics_free(log);
}

/* ---- Runs and tables ---- */

static void runs_and_tables_are_written(void **state)
{
    (void)state;
    lt_run_summary s;
    expect_ok(lt_run_summarize(in_dir("run"), &s));
    json_t *j = must_load(lt_runs_json(1, &s));
    const json_t *run = json_array_get(json_object_get(j, "runs"), 0);
    assert_string_equal(text_at(run, "state"), "done");
    assert_near(number_at(run, "epochs"), 2, 0);
    assert_near(number_at(run, "last.valid.neg_elbo.value"), s.last.valid.neg_elbo, 1e-6);
    json_decref(j);
    lt_run_summary_clear(&s);

    j = must_load(lt_tables_json()); /* every table, every row, and a known option of a known one */
    for (int i = 0; lt_table_name(i); i++) {
        lt_table_entry e;
        const json_t *rows = json_object_get(j, lt_table_name(i));
        for (size_t k = 0; lt_table_get(lt_table_name(i), (int)k, &e); k++)
            assert_string_equal(text_at(json_array_get(rows, k), "name"), e.name);
    }
    json_decref(j);
    j = must_load(lt_table_json("layers", "conv"));
    assert_near(number_at(j, "0.options.1.default"), 3, 0); /* kernel */
    json_decref(j);
    assert_null(lt_table_json("layers", "no-such-layer"));
    assert_non_null(strstr(lt_last_error(), "no-such-layer"));
    assert_null(lt_table_json("no-such-table", NULL));
    assert_non_null(strstr(lt_last_error(), "no-such-table"));
}

/* ---- Pages ---- */

/* Every element that is opened is closed, in order; what stands alone is void. Gives how many there are. */
static int check_elements(const char *html)
{
    static const char *const voids[] = {"meta", "link", "img", "!DOCTYPE"};
    char open[64][32], name[32];
    int depth = 0, n = 0;
    for (const char *at = strchr(html, '<'); at; at = strchr(at, '<')) {
        bool is_end = at[1] == '/', is_void = false;
        const char *begin = at + 1 + is_end;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(begin, " >\n"), begin);
        at = strchr(at, '>');
        assert_non_null(at);
        for (int i = 0; i < 4; i++)
            is_void |= strcmp(name, voids[i]) == 0;
        if (is_end) {
            assert_true(depth > 0);
            assert_string_equal(open[--depth], name);
        } else if (!is_void) {
            assert_true(depth < 64);
            strcpy(open[depth++], name);
            n++;
        }
    }
    assert_int_equal(depth, 0);
    return n;
}

static char *must_report(const char *const *runs, int n, const lt_report_options *o)
{
    unsigned char *page;
    size_t size;
    expect_ok(lt_report_html(runs, n, o, &page, &size));
    char *html = realloc(page, size + 1);
    assert_non_null(html);
    html[size] = 0;
    assert_int_equal(strlen(html), size);
    return html;
}

static void pages_are_whole(void **state)
{
    (void)state;
    const char *const runs[] = {in_dir("run"), in_dir("run")};
    char shown[64];
    lt_explanation e;
    lt_evaluation found;
    setenv("TMPDIR", in_dir("no-such-directory"), 1);
    char *one = must_report(runs, 1, &(lt_report_options){.title = "a <b> & \xff", .run = {.threads = 1}});
    char *again = must_report(runs, 1, &(lt_report_options){.title = "a <b> & \xff", .run = {.threads = 2}});
    assert_string_equal(one, again);
    assert_true(check_elements(one) > 100);
    assert_non_null(strstr(one, "<title>a &lt;b&gt; &amp; \xef\xbf\xbd</title>"));
    assert_null(strstr(one, "http://"));
    expect_ok(lt_explain(runs[0], NULL, &e));
    expect_ok(lt_evaluate(e.model, e.data, LT_TEST, NULL, &found));
    snprintf(shown, sizeof shown, "%.2f <span class=\"error\">", found.neg_elbo.value);
    assert_non_null(strstr(one, shown));
    lt_explanation_clear(&e);
    char *two = must_report(runs, 2, NULL);
    assert_true(check_elements(two) > 50);
    assert_non_null(strstr(two, "<h1>2 runs</h1>"));
    free(one);
    free(again);
    free(two);
    unsetenv("TMPDIR");
}

static void pages_refuse_what_they_cannot_show(void **state)
{
    (void)state;
    const char *runs[LT_MAX_REPORT_RUNS + 1];
    unsigned char *page;
    size_t size;
    for (int i = 0; i <= LT_MAX_REPORT_RUNS; i++)
        runs[i] = in_dir("nowhere");
    assert_int_equal(lt_report_html(runs, 0, NULL, &page, &size), LT_VALUE);
    assert_int_equal(lt_report_html(runs, LT_MAX_REPORT_RUNS + 1, NULL, &page, &size), LT_VALUE);
    assert_non_null(strstr(lt_last_error(), "16 runs"));
    assert_int_not_equal(lt_report_html(runs, 1, NULL, &page, &size), LT_OK);
    assert_non_null(strstr(lt_last_error(), "nowhere"));
    assert_null(page);
    runs[0] = in_dir("run");
    assert_int_equal(lt_report_html(runs, 1, &(lt_report_options){.run.progress = stop}, &page, &size),
                     LT_INTERRUPTED);
    assert_null(page);
}

static void what_is_not_there_is_an_error(void **state)
{
    (void)state;
    lt_explanation e;
    assert_int_not_equal(lt_explain(in_dir("nowhere"), NULL, &e), LT_OK);
    assert_non_null(strstr(lt_last_error(), in_dir("nowhere")));
    lt_explanation_clear(&e);
    assert_int_not_equal(lt_explain(in_dir("run"), &(lt_explain_options){.data = "./nowhere"}, &e), LT_OK);
    assert_non_null(strstr(lt_last_error(), "./nowhere"));
    lt_explanation_clear(&e);
    lt_scorecard none = {.has_bounds = false};
    assert_null(lt_image_scores_csv(&none));
    assert_int_equal(lt_image_scores_write(&none, in_dir("x.csv")), LT_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scorecards_have_the_closed_form),
        cmocka_unit_test(columns_are_of_the_images),
        cmocka_unit_test(scorecards_can_be_stopped),
        cmocka_unit_test(comparisons_are_image_by_image),
        cmocka_unit_test(scores_are_written_as_they_are),
        cmocka_unit_test(explanations_are_of_the_last_validation),
        cmocka_unit_test(runs_and_tables_are_written),
        cmocka_unit_test(pages_are_whole),
        cmocka_unit_test(pages_refuse_what_they_cannot_show),
        cmocka_unit_test(what_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
