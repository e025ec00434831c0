/* SPDX-License-Identifier: MIT */
/* Reading runs: logs, results and states; and all functions that open a model, by directory and by file. */
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "check.h"
#include "models/vae.h"

#include <latent/eval.h>
#include <latent/runs.h>

#include "scratch.h"
#include "tiny_training.h"

#include <unistd.h>

/* ---- A small training ---- */

static const char words[] = "name: tiny\n"
                            "data: {set: synthetic, binarize: dynamic}\n"
                            "model:\n"
                            "  latent: 2\n"
                            "  likelihood: bernoulli\n"
                            "  encoder: [linear 5, elu]\n"
                            "  decoder: [linear 5, elu, linear image]\n"
                            "train: {epochs: 3, batch: 8, keep_checkpoints: 0}\n";

/* Trains epochs and keeps their reports. The run stays open and locked. */
static lt_run *start_run(const char *path, training *t, int epochs, lt_train_report *reports)
{
    lt_run *run;
    *t = begin_training(words, NULL, 30);
    expect_ok(lt_run_create(path, t->trainer, &run));
    for (int i = 0; i < epochs; i++) {
        lt_validation v = {.images = 6, .neg_elbo = 7.25 + i, .neg_elbo_se = 0.5, .rate = 1, .distortion = (double)NAN,
                           .squared_error = 2, .loss = 3};
        expect_ok(lt_trainer_epoch(t->trainer, NULL, NULL, &reports[i]));
        expect_ok(lt_run_log(run, &reports[i], &v));
        expect_ok(lt_run_save(run, t->trainer));
    }
    return run;
}

static void make_run(const char *path, int epochs)
{
    training t;
    lt_train_report reports[3];
    lt_run_free(start_run(path, &t, epochs, reports));
    end_training(&t);
}

static lt_run_summary summarize(const char *path)
{
    lt_run_summary s;
    expect_ok(lt_run_summarize(path, &s));
    return s;
}

/* ---- Checkpoints ---- */

static void checkpoints_are_listed_by_their_steps(void **state)
{
    (void)state;
    int64_t *steps;
    int n;
    lt_run_metrics *m;
    make_run(in_dir("listed"), 3); /* 30 images, 8 in a batch: 4 steps an epoch */
    expect_ok(lt_file_write(in_dir("listed/checkpoints/step-8.safetensors"), "", 0));
    expect_ok(lt_file_write(in_dir("listed/checkpoints/best.safetensors"), "", 0));
    expect_ok(lt_file_write(in_dir("listed/checkpoints/step-00000099.safetensors.txt"), "", 0));
    expect_ok(lt_run_checkpoint_steps(in_dir("listed"), &steps, &n));
    assert_int_equal(n, 4);
    expect_ok(lt_run_metrics_open(in_dir("listed"), &m));
    for (int i = 0; i < 4; i++) {
        char *path = lt_run_checkpoint_path(in_dir("listed"), steps[i]);
        assert_int_equal(steps[i], 4 * i);
        assert_true(file_exists(path) && (i == 0 || lt_run_metrics_line(m, i - 1)->train.step == steps[i]));
        free(path);
    }
    lt_run_metrics_free(m);
    free(steps);
    assert_int_equal(lt_run_checkpoint_steps(in_dir("nowhere"), &steps, &n), LT_NOT_FOUND);
    assert_int_equal(lt_run_checkpoint_steps(in_dir("listed/recipe.yaml"), &steps, &n), LT_VALUE);
    assert_text_has(lt_last_error(), "expected a run directory, which holds checkpoints");
    assert_true(!steps && n == 0);
}

/* The value of a metadata key, as it stands in the header of a file: 8 bytes of length, then JSON. */
static char *header_value(const char *path, const char *key)
{
    unsigned char length[8];
    FILE *f = fopen(path, "rb");
    assert_true(f && fread(length, 1, 8, f) == 8 && length[3] == 0);
    size_t n = length[0] + 256u * length[1] + 65536u * length[2];
    char *header = must_alloc(n + 1), *begin = must_format("\"%s\":\"", key);
    assert_true(fread(header, 1, n, f) == n);
    header[n] = 0;
    const char *at = strstr(header, begin);
    assert_non_null(at);
    at += strlen(begin);
    char *value = must_format("%.*s", (int)strcspn(at, "\""), at);
    fclose(f);
    free(header);
    free(begin);
    return value;
}

/* For a run and for a file: the header, and the origin of the run. */
static void checkpoints_say_what_they_are(void **state)
{
    (void)state;
    lt_checkpoint whole, file;
    make_run(in_dir("said"), 2);
    char *path = lt_run_checkpoint_path(in_dir("said"), 8), *older = lt_run_checkpoint_path(in_dir("said"), 4);
    char *recipe = file_join(in_dir("said"), "recipe.yaml");
    char *digest = header_value(path, "digest"), *trained_on = header_value(path, "data_train");
    lt_recipe *r;
    lt_recipe_open(recipe, NULL, 0, &r);
    expect_ok(lt_checkpoint_info(in_dir("said"), &whole));
    assert_string_equal(whole.path, path);
    assert_string_equal(whole.digest, digest);
    assert_true(whole.step == 8 && whole.epoch == 2 && whole.images == 0);
    assert_true(whole.size.h == 4 && whole.size.w == 4 && whole.size.c == 1);
    assert_string_equal(lt_recipe_text(whole.recipe), lt_recipe_text(r));
    char *identity = must_format("%d %s", (int)whole.trained_on[LT_TRAIN].images, whole.trained_on[LT_TRAIN].digest);
    assert_string_equal(identity, trained_on);
    assert_int_equal(whole.trained_on[LT_TRAIN].images, 30);
    expect_ok(lt_checkpoint_info(older, &file));
    assert_string_equal(file.path, older);
    assert_true(file.step == 4 && file.epoch == 1 && strcmp(file.digest, whole.digest) != 0);
    assert_string_equal(file.trained_on[LT_TRAIN].digest, whole.trained_on[LT_TRAIN].digest);
    lt_checkpoint_clear(&file);
    expect_ok(lt_file_write(path, "torn", 4)); /* the newest that is whole */
    expect_ok(lt_checkpoint_info(in_dir("said"), &file));
    assert_int_equal(file.step, 4);
    lt_checkpoint_clear(&file);
    assert_int_equal(lt_checkpoint_info(path, &file), LT_FORMAT);
    assert_true(!file.path && !file.recipe);
    lt_checkpoint_clear(&file);
    lt_checkpoint_clear(&whole);
    lt_recipe_free(r);
    free(identity);
    free(trained_on);
    free(digest);
    free(recipe);
    free(older);
    free(path);
}

/* Within an epoch; and other images have another identity. */
static void checkpoints_know_their_place_and_data(void **state)
{
    (void)state;
    lt_checkpoint a, b;
    training t = begin_training(words, NULL, 30), u = begin_training(words, NULL, 31);
    for (int i = 0; i < 6; i++)
        expect_ok(lt_trainer_step(t.trainer, NULL));
    expect_ok(lt_trainer_save(t.trainer, in_dir("sixth")));
    expect_ok(lt_trainer_save(u.trainer, in_dir("none")));
    expect_ok(lt_checkpoint_info(in_dir("sixth"), &a));
    expect_ok(lt_checkpoint_info(in_dir("none"), &b));
    assert_true(a.step == 6 && a.epoch == 1 && a.images == 16);
    assert_true(b.step == 0 && b.epoch == 0 && b.images == 0);
    assert_true(a.trained_on[LT_TRAIN].images == 30 && b.trained_on[LT_TRAIN].images == 31);
    assert_string_not_equal(a.trained_on[LT_TRAIN].digest, b.trained_on[LT_TRAIN].digest);
    lt_checkpoint_clear(&a);
    lt_checkpoint_clear(&b);
    end_training(&t);
    end_training(&u);
}

/* ---- Logs ---- */

/* Each number is the one that training reported: doubles survive their text. */
static void logs_read_back(void **state)
{
    (void)state;
    training t;
    lt_train_report reports[3];
    lt_run *run = start_run(in_dir("log"), &t, 3, reports);
    lt_run_metrics *m;
    expect_ok(lt_run_metrics_open(in_dir("log"), &m));
    assert_int_equal(lt_run_metrics_count(m), 3);
    assert_null(lt_run_metrics_line(m, 3));
    assert_true(lt_run_metrics_has(m, "rate") && lt_run_metrics_has(m, "valid.neg_elbo"));
    assert_false(lt_run_metrics_has(m, "discriminator_loss") || lt_run_metrics_has(m, "valid.rate.x"));
    assert_string_equal(lt_recipe_name(lt_run_metrics_recipe(m)), lt_recipe_name(lt_run_recipe(run)));
    for (int i = 0; i < 3; i++) {
        const lt_epoch_log *line = lt_run_metrics_line(m, i);
        const lt_train_report *found = &line->train, *want = &reports[i];
        assert_true(lt_run_metrics_value(m, i, "loss") == want->values[VAE_LOSS] &&
                    lt_run_metrics_value(m, i, "valid.neg_elbo") == 7.25 + i);
        assert_true(found->step == want->step && found->epoch == want->epoch && found->images == want->images);
        for (int k = VAE_LOSS; k < VAE_SIGMA; k++)
            assert_true(found->values[k] == want->values[k]);
        assert_true(found->learning_rate == want->learning_rate && found->beta == want->beta && found->seconds == want->seconds);
        assert_int_equal(line->valid.images, 6);
        assert_true(line->valid.neg_elbo == 7.25 + i && isnan(line->valid.distortion));
    }
    lt_run_metrics_free(m);
    lt_run_free(run);
    end_training(&t);
}

static void damaged_logs_name_their_line(void **state)
{
    (void)state;
    make_run(in_dir("torn"), 2);
    char *path = file_join(in_dir("torn"), "metrics.jsonl");
    lt_run_metrics *m;
    FILE *f = fopen(path, "a");
    fputs("{\"step\":", f); /* being written */
    fclose(f);
    expect_ok(lt_run_metrics_open(in_dir("torn"), &m));
    assert_int_equal(lt_run_metrics_count(m), 2);
    lt_run_metrics_free(m);
    f = fopen(path, "a");
    fputs("\n", f);
    fclose(f);
    assert_int_equal(lt_run_metrics_open(in_dir("torn"), &m), LT_FORMAT);
    assert_null(m);
    assert_text_has(lt_last_error(), "metrics.jsonl:3: expected a JSON object");
    lt_run_summary s = summarize(in_dir("torn"));
    assert_int_equal(s.state, LT_RUN_BROKEN);
    assert_text_has(s.problem, "metrics.jsonl:3");
    lt_run_summary_clear(&s);
    free(path);
}

/* ---- Summaries ---- */

static void states_are_those_of_runs(void **state)
{
    (void)state;
    training t;
    lt_train_report reports[3];
    lt_run *run = start_run(in_dir("state"), &t, 2, reports);
    lt_run_summary s = summarize(in_dir("state"));
    assert_int_equal(s.state, LT_RUN_RUNNING);
    lt_run_summary_clear(&s);
    lt_run_free(run);
    s = summarize(in_dir("state"));
    assert_int_equal(s.state, LT_RUN_STOPPED);
    assert_int_equal(s.epochs, 2);
    assert_int_equal(s.wanted, 3);
    assert_true(s.has_log && s.last.train.values[VAE_LOSS] == reports[1].values[VAE_LOSS]);
    assert_string_equal(s.checkpoint, "step-00000008.safetensors");
    assert_string_equal(lt_recipe_name(s.recipe), "tiny");
    assert_true(s.seconds == reports[0].seconds + reports[1].seconds);
    lt_run_summary_clear(&s);
    end_training(&t);
    make_run(in_dir("state-all"), 3);
    s = summarize(in_dir("state-all"));
    assert_int_equal(s.state, LT_RUN_DONE);
    lt_run_summary_clear(&s);
    make_run(in_dir("state-none"), 0);
    s = summarize(in_dir("state-none"));
    assert_int_equal(s.state, LT_RUN_STOPPED);
    assert_false(s.has_log);
    lt_run_summary_clear(&s);
    char *path = file_join(in_dir("state-none"), "checkpoints/step-00000000.safetensors");
    assert_int_equal(unlink(path), 0);
    free(path);
    s = summarize(in_dir("state-none"));
    assert_int_equal(s.state, LT_RUN_BROKEN);
    assert_string_equal(s.problem, "it has no checkpoint");
    lt_run_summary_clear(&s);
    assert_int_equal(lt_run_summarize(dir, &s), LT_NOT_FOUND);
    lt_run_summary_clear(&s);
}

/* Testing the lock holds it for an instant; a training that starts then must survive that. */
static void looking_stops_no_training(void **state)
{
    (void)state;
    make_run(in_dir("looked"), 1);
    for (int i = 0; i < 50; i++) {
        lt_run *run;
        lt_run_summary s = summarize(in_dir("looked"));
        assert_int_equal(s.state, LT_RUN_STOPPED);
        lt_run_summary_clear(&s);
        expect_ok(lt_run_open(in_dir("looked"), NULL, 0, &run));
        lt_run_free(run);
    }
}

static void results_are_kept(void **state)
{
    (void)state;
    const lt_run_result elbo = {.checkpoint = "step-00000004.safetensors", .digest = "abc", .split = LT_VALID,
                                .images = 10, .seed = 3, .neg_elbo = 0.1, .neg_elbo_se = 1. / 3, .rate = 2,
                                .distortion = -1.9, .nll_samples = 5, .nll = 0.05, .nll_se = (double)NAN,
                                .fid = (double)NAN, .kid = (double)NAN, .kid_se = (double)NAN};
    lt_run_result fid = {.checkpoint = "step-00000008.safetensors", .split = LT_TEST, .neg_elbo = (double)NAN,
                         .neg_elbo_se = (double)NAN, .rate = (double)NAN, .distortion = (double)NAN,
                         .nll = (double)NAN, .nll_se = (double)NAN, .samples = 100, .fid = 12.5, .kid = -1e-5,
                         .kid_se = 2e-5, .scores = "xyz"};
    make_run(in_dir("kept"), 1);
    expect_ok(lt_run_record(in_dir("kept"), &elbo));
    expect_ok(lt_run_record(in_dir("kept"), &fid));
    fid.fid = 11;
    expect_ok(lt_run_record(in_dir("kept"), &fid));
    lt_run_summary s = summarize(in_dir("kept"));
    assert_int_equal(s.n_results, 3);
    const lt_run_result *r = lt_run_summary_nll(&s);
    assert_true(r && r->neg_elbo == elbo.neg_elbo && r->neg_elbo_se == elbo.neg_elbo_se && r->nll == elbo.nll &&
                isnan(r->nll_se) && isnan(r->fid) && r->nll_samples == 5 && r->images == 10 && r->seed == 3);
    assert_int_equal(r->split, LT_VALID);
    assert_string_equal(r->checkpoint, elbo.checkpoint);
    assert_string_equal(r->digest, "abc");
    r = lt_run_summary_fid(&s);
    assert_true(r && r->fid == 11 && r->kid == -1e-5 && r->samples == 100 && isnan(r->neg_elbo));
    assert_string_equal(r->scores, "xyz");
    lt_run_summary_clear(&s);
    assert_int_equal(lt_run_record(dir, &elbo), LT_NOT_FOUND);
}

/* They would count as files of the new run. */
static void results_of_another_run_are_refused(void **state)
{
    (void)state;
    training t = begin_training(words, NULL, 30);
    lt_run *run;
    expect_ok(file_make_directories(in_dir("left")));
    char *path = file_join(in_dir("left"), "evaluations.jsonl");
    expect_ok(lt_file_write(path, "{}\n", 3));
    free(path);
    assert_int_equal(lt_run_create(in_dir("left"), t.trainer, &run), LT_VALUE);
    assert_text_has(lt_last_error(), "holds the evaluations.jsonl of another run");
    end_training(&t);
}

static void runs_are_found_below(void **state)
{
    (void)state;
    static const char *const paths[] = {"tree", "tree/b", "tree/a", "tree/deep/c", "tree/x/y/z", "tree/x/y/z/far"};
    for (int i = 0; i < COUNT_OF(paths); i++) {
        char *at = file_join(in_dir(paths[i]), "other");
        expect_ok(file_make_directories(at));
        free(at);
    }
    make_run(in_dir("tree/b/run"), 0);
    make_run(in_dir("tree/a"), 0);
    make_run(in_dir("tree/deep/c"), 0);
    make_run(in_dir("tree/x/y/z/far"), 0); /* too deep */
    char **runs;
    int n;
    char *slashed = must_format("%s/", in_dir("tree"));
    expect_ok(lt_runs_find(slashed, &runs, &n));
    free(slashed);
    assert_int_equal(n, 3);
    assert_string_equal(runs[0], in_dir("tree/a"));
    assert_string_equal(runs[1], in_dir("tree/b/run"));
    assert_string_equal(runs[2], in_dir("tree/deep/c"));
    lt_runs_free(runs, n);
    expect_ok(lt_runs_find(in_dir("tree/a"), &runs, &n));
    assert_int_equal(n, 1);
    lt_runs_free(runs, n);
    assert_int_equal(lt_runs_find(in_dir("nowhere"), &runs, &n), LT_NOT_FOUND);
}

/* ---- Models, by directory and by file ---- */

static float first_weight(lt_model *m) { return lt_params_block(lt_model_params(m))[0]; }

static void everything_opens_both(void **state)
{
    (void)state;
    training t = begin_training(words, NULL, 30), u = begin_training(words, NULL, 30);
    make_run(in_dir("both"), 2);
    char *run = must_copy_text(in_dir("both"));
    char *file = file_join(run, "checkpoints/step-00000008.safetensors");
    lt_model *a, *b;
    expect_ok(lt_model_open(run, &a));
    expect_ok(lt_model_open(file, &b));
    assert_true(a && b && first_weight(a) == first_weight(b) && first_weight(a) != first_weight(t.model));
    expect_ok(lt_model_load(t.model, run));
    expect_ok(lt_model_load(u.model, file));
    assert_true(first_weight(t.model) == first_weight(a) && first_weight(u.model) == first_weight(a));
    expect_ok(lt_trainer_load(t.trainer, run));
    expect_ok(lt_trainer_load(u.trainer, file));
    assert_int_equal(lt_trainer_steps_done(t.trainer), 8);
    assert_int_equal(lt_trainer_steps_done(u.trainer), 8);
    lt_run *one;
    expect_ok(lt_run_open(file, NULL, 0, &one)); /* the newest: the run */
    assert_text_has(lt_run_directory(one), "both");
    expect_ok(lt_run_restore(one, t.trainer));
    lt_run_free(one);
    free(file);
    file = file_join(run, "checkpoints/step-00000004.safetensors");
    assert_int_equal(lt_run_open(file, NULL, 0, &one), LT_VALUE);
    assert_text_has(lt_last_error(), "is not the newest checkpoint of its run");
    free(file);
    free(run);
    lt_model_free(a);
    lt_model_free(b);
    end_training(&t);
    end_training(&u);
}

static void what_has_no_checkpoint_says_so(void **state)
{
    (void)state;
    training t = begin_training(words, NULL, 30);
    lt_checkpoint c;
    lt_run *run;
    make_run(in_dir("here"), 1);
    char *inner = file_join(in_dir("here"), "checkpoints");
    assert_int_not_equal(lt_model_open(inner, &(lt_model *){NULL}), LT_OK);
    assert_text_has(lt_last_error(), "it holds checkpoints: pass one of them, or the run directory above it");
    free(inner);
    expect_ok(file_make_directories(in_dir("empty")));
    assert_int_not_equal(lt_model_open(in_dir("empty"), &(lt_model *){NULL}), LT_OK);
    assert_text_has(lt_last_error(), "empty is not a run: it has no checkpoints");
    assert_int_equal(lt_model_load(t.model, in_dir("empty")), LT_NOT_FOUND);
    assert_int_equal(lt_trainer_load(t.trainer, in_dir("empty")), LT_NOT_FOUND);
    assert_int_equal(lt_checkpoint_info(in_dir("empty"), &c), LT_NOT_FOUND);
    lt_checkpoint_clear(&c);
    assert_int_equal(lt_checkpoint_info(in_dir("nothing"), &c), LT_NOT_FOUND);
    assert_int_not_equal(lt_model_open(in_dir("nothing"), &(lt_model *){NULL}), LT_OK);
    assert_text_has(lt_last_error(), "nothing does not exist");
    assert_int_equal(lt_file_write(in_dir("lone.safetensors"), "x", 1), LT_OK);
    assert_int_equal(lt_run_open(in_dir("lone.safetensors"), NULL, 0, &run), LT_VALUE);
    assert_text_has(lt_last_error(), "is not in a run directory");
    end_training(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkpoints_are_listed_by_their_steps),
        cmocka_unit_test(checkpoints_say_what_they_are),
        cmocka_unit_test(checkpoints_know_their_place_and_data),
        cmocka_unit_test(logs_read_back),
        cmocka_unit_test(damaged_logs_name_their_line),
        cmocka_unit_test(states_are_those_of_runs),
        cmocka_unit_test(looking_stops_no_training),
        cmocka_unit_test(results_are_kept),
        cmocka_unit_test(results_of_another_run_are_refused),
        cmocka_unit_test(runs_are_found_below),
        cmocka_unit_test(everything_opens_both),
        cmocka_unit_test(what_has_no_checkpoint_says_so),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
