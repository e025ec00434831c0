/* SPDX-License-Identifier: MIT */
/* Run directories: creation, remains of killed processes, and readers during training. */
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "check.h"

#include <latent/runs.h>

#include "scratch.h"
#include "tiny_training.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- A small training ---- */

static const char words[] =
    "name: tiny\n"
    "data: {set: synthetic, binarize: dynamic}\n"
    "model:\n"
    "  latent: 2\n"
    "  likelihood: bernoulli\n"
    "  encoder: [linear 5, elu]\n"
    "  decoder: [linear 5, elu, linear image]\n"
    "train: {epochs: 3, batch: 8, keep_checkpoints: 1}\n";

enum { STEPS_PER_EPOCH = 4 };

static void train_epoch(lt_run *run, training *t)
{
    lt_train_report r;
    expect_ok(lt_trainer_epoch(t->trainer, NULL, NULL, &r));
    expect_ok(lt_run_log(run, &r, NULL));
    expect_ok(lt_run_save(run, t->trainer));
}

/* A run of so many epochs, closed. */
static void make_run(const char *path, int epochs, const char *set)
{
    training t = begin_training(words, set, 30);
    lt_run *run;
    expect_ok(lt_run_create(path, t.trainer, &run));
    for (int i = 0; i < epochs; i++)
        train_epoch(run, &t);
    lt_run_free(run);
    end_training(&t);
}

static char said[4000];

static void keep_log(void *user, lt_log_level level, const char *line)
{
    (void)user, (void)level;
    size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "%s\n", line);
}

/* Opens and restores a run; `said` has the log. */
static int resume(const char *path, training *t, lt_run **run)
{
    said[0] = 0;
    lt_set_log(keep_log, NULL);
    *t = begin_training(words, NULL, 30);
    int status = lt_run_open(path, NULL, 0, run);
    if (status == LT_OK)
        status = lt_run_restore(*run, t->trainer);
    lt_set_log(NULL, NULL);
    return status;
}

static void check_resumed(const char *path, int64_t steps)
{
    training t;
    lt_run *run;
    expect_ok(resume(path, &t, &run));
    assert_int_equal(lt_trainer_steps_done(t.trainer), steps);
    lt_run_free(run);
    end_training(&t);
}

static int count_files(const char *path)
{
    char **names;
    int n;
    expect_ok(file_list(path, NULL, &names, &n));
    file_list_free(names, n);
    return n;
}

/* ---- Beginning ---- */

/* Given initial weights are in the run as soon as it exists. */
static void runs_begin_with_a_checkpoint(void **state)
{
    (void)state;
    training t = begin_training(words, NULL, 30), u;
    lt_run *run;
    float *w = lt_params_block(lt_model_params(t.model));
    w[0] = 0.625f;
    expect_ok(lt_run_create(in_dir("begun"), t.trainer, &run));
    lt_run_free(run);
    expect_ok(resume(in_dir("begun"), &u, &run));
    assert_true(lt_params_block(lt_model_params(u.model))[0] == 0.625f);
    assert_string_equal(said, "");
    lt_run_free(run);
    end_training(&u);
    end_training(&t);
}

static void runs_without_their_checkpoints_cannot_go_on(void **state)
{
    (void)state;
    training t;
    lt_run *run;
    make_run(in_dir("bare"), 1, NULL);
    remove_tree(in_dir("bare/checkpoints"));
    assert_int_equal(resume(in_dir("bare"), &t, &run), LT_NOT_FOUND);
    assert_text_has(lt_last_error(), "cannot be resumed: it has no checkpoint");
    lt_run_free(run);
    end_training(&t);
    expect_ok(file_write(in_dir("bare/checkpoints/step-00000004.safetensors"), "x", 1));
    assert_int_equal(resume(in_dir("bare"), &t, &run), LT_FORMAT);
    assert_text_has(lt_last_error(), "all of its 1 checkpoints are damaged");
    lt_run_free(run);
    end_training(&t);
}

/* Files of another run would become part of this one. */
static void remains_of_another_run_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"metrics.jsonl", "checkpoints/step-00000008.safetensors",
                                        "samples/epoch-0003.png"};
    training t = begin_training(words, NULL, 30);
    lt_run *run;
    for (int i = 0; i < COUNT_OF(names); i++) {
        char *place = must_format("%s-%d", in_dir("remains"), i), *path = file_join(place, names[i]);
        char *parent = must_format("%.*s", (int)(strrchr(path, '/') - path), path);
        expect_ok(file_make_directories(parent));
        expect_ok(file_write(path, "x", 1));
        assert_int_equal(lt_run_create(place, t.trainer, &run), LT_VALUE);
        assert_text_has(lt_last_error(), "of another run");
        remove(path);
        expect_ok(lt_run_create(place, t.trainer, &run));
        lt_run_free(run);
        free(parent);
        free(path);
        free(place);
    }
    end_training(&t);
}

/* Killed between its first checkpoint and its recipe: there is no run, and it can be created. */
static void runs_that_did_not_begin_are_begun_again(void **state)
{
    (void)state;
    make_run(in_dir("half"), 0, NULL);
    remove(in_dir("half/recipe.yaml"));
    lt_run *run;
    assert_int_equal(lt_run_open(in_dir("half"), NULL, 0, &run), LT_NOT_FOUND);
    make_run(in_dir("half"), 1, NULL);
    check_resumed(in_dir("half"), STEPS_PER_EPOCH);
}

/* ---- What cannot be read ---- */

/* A directory or a pipe with the name of a checkpoint does not hide the previous checkpoint. */
static void unreadable_checkpoints_are_passed_over(void **state)
{
    (void)state;
    make_run(in_dir("odd"), 2, NULL);
    assert_int_equal(mkdir(in_dir("odd/checkpoints/step-00000010.safetensors"), 0777), 0);
    assert_int_equal(mkfifo(in_dir("odd/checkpoints/step-00000011.safetensors"), 0666), 0);
    assert_int_equal(symlink("nowhere", in_dir("odd/checkpoints/step-00000012.safetensors")), 0);
    check_resumed(in_dir("odd"), 2 * STEPS_PER_EPOCH);
    assert_text_has(said, "step-00000010.safetensors: it is a directory");
    assert_text_has(said, "step-00000011.safetensors: it is not a regular file");
    assert_text_has(said, "step-00000012.safetensors: No such file");
    char *path, digest[LT_DIGEST_SIZE];
    lt_model *m;
    lt_run_model(in_dir("odd"), &path, digest, &m);
    assert_non_null(m);
    assert_text_has(path, "step-00000008.safetensors");
    assert_int_equal(strlen(digest), 64);
    free(path);
    lt_model_free(m);
}

/* A file of a later version is intact, so it must not be skipped. */
static void later_versions_are_not_passed_over(void **state)
{
    (void)state;
    bytes b;
    training t;
    lt_run *run;
    make_run(in_dir("later"), 2, "train.keep_checkpoints=0");
    const char *newest = in_dir("later/checkpoints/step-00000008.safetensors");
    expect_ok(file_read(newest, 1 << 20, &b));
    char *at = strstr((char *)b.data + 8, "\"format_version\":\"1\"");
    assert_non_null(at);
    at[strlen("\"format_version\":\"")] = '7';
    expect_ok(file_write(newest, b.data, b.size));
    bytes_clear(&b);
    assert_int_equal(resume(in_dir("later"), &t, &run), LT_UNSUPPORTED);
    assert_int_equal(lt_trainer_steps_done(t.trainer), 0);
    lt_run_free(run);
    end_training(&t);
    assert_int_not_equal(lt_run_model(in_dir("later"), NULL, NULL, &(lt_model *){NULL}), LT_OK);
}

/* ---- What killed processes leave ---- */

static void surplus_checkpoints_are_removed(void **state)
{
    (void)state;
    make_run(in_dir("surplus"), 3, "train.keep_checkpoints=0");
    assert_int_equal(count_files(in_dir("surplus/checkpoints")), 4);
    training t;
    lt_run *run;
    const char *set = "train.keep_checkpoints=1";
    expect_ok(lt_run_open(in_dir("surplus"), &set, 1, &run));
    t = begin_training(words, NULL, 30);
    expect_ok(lt_run_restore(run, t.trainer));
    assert_int_equal(count_files(in_dir("surplus/checkpoints")), 1);
    lt_run_free(run);
    end_training(&t);
    check_resumed(in_dir("surplus"), 3 * STEPS_PER_EPOCH);
}

/* Of the directory of a run every name, elsewhere only the name that is written; and none whose writer
   is alive, whatever its number. */
static void temporary_files_without_a_writer_are_removed(void **state)
{
    (void)state;
    static const char *const others[] = {".a.tmp-1", ".a.tmp-", ".a.tmp-x", ".a.tmp-1x", "a.tmp-1",
                                         ".b.tmp-1", ".tmp-1", ".a.tmp-1-", ".aa.tmp-7"};
    const char *set = in_dir("temporary");
    expect_ok(file_make_directories(set));
    for (int i = 0; i < COUNT_OF(others); i++) {
        char *path = file_join(set, others[i]);
        assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0666)), 0);
        free(path);
    }
    char *held = must_format("%s/.a.tmp-2-3", set), *a = file_join(set, "a");
    int fd = open(held, O_CREAT | O_WRONLY, 0666);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    expect_ok(file_write(a, "1", 1));
    for (int i = 0; i < COUNT_OF(others); i++) {
        char *path = file_join(set, others[i]);
        assert_int_equal(file_exists(path), i > 0);
        free(path);
    }
    assert_true(file_exists(held));
    file_clear_unfinished(set);
    for (int i = 0; i < COUNT_OF(others); i++) {
        char *path = file_join(set, others[i]);
        assert_int_equal(file_exists(path), i > 0 && strcmp(others[i], ".b.tmp-1") != 0 &&
                                                strcmp(others[i], ".aa.tmp-7") != 0);
        free(path);
    }
    assert_true(file_exists(held));
    close(fd);
    file_clear_unfinished(set);
    assert_false(file_exists(held));
    free(held);
    free(a);
}

/* A writer of ours holds its file: also against itself, in another thread. */
static void files_being_written_stay(void **state)
{
    (void)state;
    file_writer *first, *second;
    const char *path = in_dir("twice");
    expect_ok(file_begin(&first, path));
    expect_ok(file_put(first, "first", 5));
    file_clear_unfinished(dir);
    expect_ok(file_begin(&second, path));
    expect_ok(file_put(second, "second", 6));
    file_clear_unfinished(dir);
    expect_ok(file_commit(second));
    expect_ok(file_commit(first));
    bytes b;
    expect_ok(file_read(path, 100, &b));
    assert_string_equal((char *)b.data, "first");
    bytes_clear(&b);
}

/* ---- Readers ---- */

/* Another process replaces the last checkpoint by the next one as fast as it can. */
static _Noreturn void rotate(const char *checkpoints, const char *original)
{
    char now[200], next[200];
    snprintf(now, sizeof now, "%s/step-%08d.safetensors", checkpoints, STEPS_PER_EPOCH);
    for (int i = STEPS_PER_EPOCH + 1;; i++) {
        snprintf(next, sizeof next, "%s/step-%08d.safetensors", checkpoints, i);
        if (link(original, next) != 0 || unlink(now) != 0)
            _exit(1);
        strcpy(now, next);
    }
}

static void readers_find_a_checkpoint_beside_a_training(void **state)
{
    (void)state;
    char run[128], checkpoints[128], original[128];
    snprintf(run, sizeof run, "%s", in_dir("fast"));
    snprintf(checkpoints, sizeof checkpoints, "%s", in_dir("fast/checkpoints"));
    snprintf(original, sizeof original, "%s", in_dir("original"));
    make_run(run, 1, NULL);
    assert_int_equal(link(in_dir("fast/checkpoints/step-00000004.safetensors"), original), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        rotate(checkpoints, original);
    int failures = 0, status;
    for (int i = 0; i < 200; i++) {
        char *path;
        lt_model *m;
        lt_run_model(run, &path, NULL, &m);
        failures += !m;
        lt_model_free(m);
        free(path);
        path = lt_run_checkpoint(run);
        failures += !path;
        free(path);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status)); /* it was rotating until then */
    assert_int_equal(failures, 0);
}

/* ---- The log ---- */

static void write_lines(const char *path, const char *lines)
{
    expect_ok(file_write(path, lines, strlen(lines)));
}

static void check_log(const char *path, const char *expected)
{
    bytes b;
    expect_ok(file_read(path, 1 << 20, &b));
    assert_string_equal((char *)b.data, expected);
    bytes_clear(&b);
}

/* After two epochs, of steps 4 and 8. */
static void logs_are_cut_to_the_checkpoint(void **state)
{
    (void)state;
    static const char first[] = "{\"step\":4,\"epoch\":1}\n", second[] = "{\"step\":8,\"epoch\":2}\n";
    const struct {
        const char *before[5], *after[3], *said;
    } cases[] = {
        {{first, second}, {first, second}, NULL},
        {{first, second, "{\"step\":12}\n"}, {first, second}, NULL},
        {{first, second, "{\"st"}, {first, second}, NULL},
        {{first, second, second}, {first, second}, NULL}, /* of the same step, and later */
        {{first, "{\"st\n", second}, {first, second}, ":2: removed, because it is not a complete line"},
        {{first, "[1]\n", second}, {first, second}, ":2: removed"},
        {{first, "{\"step\":1e308}\n", second}, {first, second}, ":2: removed"},
        {{first, "{\"step\":99999999999999999999}\n", second}, {first, second}, ":2: removed"},
        {{first, "{\"step\":\"4\"}\n", second}, {first, second}, ":2: removed"},
        {{first, "\n", second}, {first, second}, ":2: removed"},
        {{first}, {first}, "has lost 1 of the 2 lines that were written before step 8"},
        {{first, "{\"step\":8"}, {first}, "has lost 1 of the 2 lines"},
        {{"{\"step\":12}\n"}, {""}, "has lost 2 of the 2 lines"},
        {{""}, {""}, "has lost 2 of the 2 lines"},
    };
    make_run(in_dir("log"), 2, NULL);
    for (int i = 0; i < COUNT_OF(cases); i++) {
        char before[200] = "", after[200] = "";
        for (int k = 0; k < 5 && cases[i].before[k]; k++)
            strcat(before, cases[i].before[k]);
        for (int k = 0; k < 3 && cases[i].after[k]; k++)
            strcat(after, cases[i].after[k]);
        write_lines(in_dir("log/metrics.jsonl"), before);
        check_resumed(in_dir("log"), 2 * STEPS_PER_EPOCH);
        check_log(in_dir("log/metrics.jsonl"), after);
        if (cases[i].said)
            assert_text_has(said, cases[i].said);
        else
            assert_string_equal(said, "");
    }
    remove(in_dir("log/metrics.jsonl"));
    check_resumed(in_dir("log"), 2 * STEPS_PER_EPOCH);
    assert_text_has(said, "has lost 2 of the 2 lines");
}

/* A run that has lost log lines ends with the same bits. */
static void lost_lines_change_no_bits(void **state)
{
    (void)state;
    training t;
    lt_run *run;
    make_run(in_dir("kept"), 3, NULL);
    make_run(in_dir("lost"), 2, NULL);
    remove(in_dir("lost/metrics.jsonl"));
    expect_ok(resume(in_dir("lost"), &t, &run));
    train_epoch(run, &t);
    lt_run_free(run);
    end_training(&t);
    assert_same_file(in_dir("kept/checkpoints/step-00000012.safetensors"),
                     in_dir("lost/checkpoints/step-00000012.safetensors"));
    check_resumed(in_dir("lost"), 3 * STEPS_PER_EPOCH);
    assert_text_has(said, "has lost 2 of the 3 lines");
}

static void epochs_that_are_done_stay_done(void **state)
{
    (void)state;
    bytes before, after;
    training t = begin_training(words, NULL, 30);
    lt_run *run;
    const char *set = "train.epochs=1";
    make_run(in_dir("done"), 2, NULL);
    expect_ok(file_read(in_dir("done/recipe.yaml"), 1 << 20, &before));
    expect_ok(lt_run_open(in_dir("done"), &set, 1, &run));
    assert_int_equal(lt_run_restore(run, t.trainer), LT_VALUE);
    assert_text_has(lt_last_error(), "already trained for 2 epochs");
    lt_run_free(run);
    end_training(&t);
    expect_ok(file_read(in_dir("done/recipe.yaml"), 1 << 20, &after));
    assert_string_equal((char *)before.data, (char *)after.data);
    bytes_clear(&before);
    bytes_clear(&after);
}

/* ---- Memory of JSON that fails ---- */

static int json_left;      /* successful allocations before the failing one */
static bool json_is_empty; /* nor any after it */

static void *json_alloc(size_t size)
{
    int left = json_left--;
    return left == 0 || (left < 0 && json_is_empty) ? NULL : malloc(size);
}

/* A save gives the same intact file, or an error that keeps the previous one. */
static void failing_json_damages_no_save(void **state)
{
    (void)state;
    training t = begin_training(words, NULL, 30);
    for (int i = 0; i < STEPS_PER_EPOCH + 1; i++)
        expect_ok(lt_trainer_step(t.trainer, NULL));
    expect_ok(lt_trainer_save(t.trainer, in_dir("good")));
    bool was_hit = true;
    for (int i = 0; was_hit; i++) {
        json_is_empty = i % 2;
        json_left = i / 2;
        json_set_alloc_funcs(json_alloc, free);
        int status = lt_trainer_save(t.trainer, in_dir("tried"));
        json_set_alloc_funcs(malloc, free);
        was_hit = json_left < 0;
        if (status == LT_OK)
            assert_same_file(in_dir("good"), in_dir("tried"));
        else
            assert_int_equal(status, LT_NO_MEMORY);
    }
    end_training(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_begin_with_a_checkpoint),
        cmocka_unit_test(runs_without_their_checkpoints_cannot_go_on),
        cmocka_unit_test(remains_of_another_run_are_refused),
        cmocka_unit_test(runs_that_did_not_begin_are_begun_again),
        cmocka_unit_test(unreadable_checkpoints_are_passed_over),
        cmocka_unit_test(later_versions_are_not_passed_over),
        cmocka_unit_test(surplus_checkpoints_are_removed),
        cmocka_unit_test(temporary_files_without_a_writer_are_removed),
        cmocka_unit_test(files_being_written_stay),
        cmocka_unit_test(readers_find_a_checkpoint_beside_a_training),
        cmocka_unit_test(logs_are_cut_to_the_checkpoint),
        cmocka_unit_test(lost_lines_change_no_bits),
        cmocka_unit_test(epochs_that_are_done_stay_done),
        cmocka_unit_test(failing_json_damages_no_save),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
