/* SPDX-License-Identifier: MIT */
/* What is checked before work: outputs, classes, logs, recipes; and commands that can be copied. */
#include <latent/latent.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"

static int count_entries(const char *path)
{
    int n = 0;
    DIR *d = opendir(path);
    while (d && readdir(d))
        n++;
    closedir(d);
    return n;
}

/* ---- Outputs ---- */

static void outputs_are_tried_and_leave_nothing(void **state)
{
    (void)state;
    int before = count_entries(dir);
    assert_int_equal(lt_file_check(in_dir("new.png")), LT_OK);
    assert_int_equal(lt_folder_check(in_dir("")), LT_OK);
    assert_int_equal(lt_folder_check(in_dir("a/b/c")), LT_OK);
    assert_int_equal(count_entries(dir), before);
    assert_int_equal(lt_file_write(in_dir("kept"), "text", 4), LT_OK);
    assert_int_equal(lt_file_check(in_dir("kept")), LT_OK);
    struct stat s;
    assert_int_equal(stat(in_dir("kept"), &s), 0);
    assert_int_equal(s.st_size, 4);
}

static void what_cannot_be_written_is_said_before(void **state)
{
    (void)state;
    assert_int_equal(lt_file_check(in_dir("no/such/x.png")), LT_NOT_FOUND);
    assert_non_null(strstr(lt_last_error(), "mkdir -p"));
    assert_int_equal(mkdir(in_dir("folder"), 0777), 0);
    assert_int_equal(lt_file_check(in_dir("folder")), LT_IO);
    assert_int_equal(lt_file_write(in_dir("plain"), "", 0), LT_OK);
    assert_int_not_equal(lt_file_check(in_dir("plain/x")), LT_OK);
    assert_int_not_equal(lt_folder_check(in_dir("plain")), LT_OK);
    assert_int_not_equal(lt_folder_check(in_dir("plain/x/y")), LT_OK);
    assert_int_equal(lt_file_check("/dev/null"), LT_IO);
    assert_int_not_equal(lt_file_check("/proc/latent-x"), LT_OK);
    char *longest = malloc(5001);
    memset(longest, 'a', 5000);
    longest[5000] = 0;
    assert_int_not_equal(lt_file_check(in_dir(longest)), LT_OK);
    assert_int_not_equal(lt_folder_check(longest), LT_OK);
    free(longest);
    if (geteuid() != 0) {
        assert_int_equal(chmod(in_dir("folder"), 0555), 0);
        assert_int_equal(lt_file_check(in_dir("folder/x")), LT_IO);
    }
}

/* ---- Words of a shell ---- */

/* What a shell makes of the word. */
static void check_word(const char *shell, const char *word)
{
    char quoted[256], command[512], found[256];
    assert_true(lt_shell_word(quoted, sizeof quoted, word) < sizeof quoted);
    assert_int_equal(lt_shell_word(NULL, 0, word), strlen(quoted));
    snprintf(command, sizeof command, "%s <<'END'\nprintf %%s %s\nEND\n", shell, quoted);
    FILE *f = popen(command, "r");
    size_t n = fread(found, 1, sizeof found - 1, f);
    found[n] = 0;
    assert_int_equal(pclose(f), 0);
    bool is_dashed = word[0] == '-';
    assert_string_equal(found + (is_dashed ? 2 : 0), word);
    assert_int_equal(strncmp(found, "./", 2) == 0 && is_dashed, is_dashed);
    for (const char *c = quoted; *c; c++)
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static void words_come_out_of_a_shell_as_they_went_in(void **state)
{
    (void)state;
    static const char *const words[] = {
        "runs/a",  "two words", "it's", "'", "\"q\"", "$HOME", "`id`",    "a;b&c|d", "a\\b", "*?[a]", "~x",
        "#x",      "-dash",     "!h",   "",  "{a,b}", "a=b",   "=ls",     "é",       "%d",   "(x)",   "<in>out",
        "end\\'s", "--",
    };
    static const char *const controls[] = {"a\tb", "two\nlines", "\x1b[31mred", "\xff\xfe", "it's\a", "-\n"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        check_word("sh", words[i]);
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
        check_word("bash", controls[i]);
    char small[4];
    assert_int_equal(lt_shell_word(small, sizeof small, "a b"), 5);
    assert_string_equal(small, "'a ");
}

/* ---- Classes ---- */

static void classes_are_names_then_numbers(void **state)
{
    (void)state;
    static const char *const names[] = {"7", "cat", "T-shirt/top", "0"};
    int k = -1;
    const struct {
        const char *word;
        int class;
    } known[] = {{"7", 0}, {"cat", 1}, {"T-shirt/top", 2}, {"0", 3}, {"1", 1}, {"2", 2}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_int_equal(lt_class_find(known[i].word, names, 4, &k), LT_OK);
        assert_int_equal(k, known[i].class);
    }
    assert_int_equal(lt_class_find("3", NULL, 4, &k), LT_OK);
    assert_int_equal(k, 3);
    static const char *const bad[] = {"4", "-1", "", "cat ", "1.0", "0x1", "dog"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(lt_class_find(bad[i], names, 4, &k), LT_VALUE);
        assert_int_equal(lt_class_find(bad[i], NULL, 4, &k), LT_VALUE);
    }
    assert_int_equal(lt_class_find("kat", names, 4, &k), LT_VALUE);
    assert_non_null(strstr(lt_last_error(), "did you mean 'cat'?"));
}

/* ---- Logs ---- */

static int read_log(const char *text, int *n)
{
    lt_run_metrics *m;
    assert_int_equal(lt_file_write(in_dir("metrics.jsonl"), text, strlen(text)), LT_OK);
    int status = lt_run_metrics_open(in_dir("metrics.jsonl"), &m);
    *n = m ? lt_run_metrics_count(m) : 0;
    lt_run_metrics_free(m);
    return status;
}

static void logs_are_whole_lines_of_objects(void **state)
{
    (void)state;
    int n;
    lt_run_metrics *m;
    assert_int_equal(lt_run_metrics_open(in_dir("none"), &m), LT_NOT_FOUND);
    assert_null(m);
    assert_int_equal(read_log("", &n), LT_OK);
    assert_int_equal(n, 0);
    assert_int_equal(read_log("{\"a\": 1}\n{}\n{\"b\": ", &n), LT_OK);
    assert_int_equal(n, 2);
    assert_int_equal(read_log("{\"a\": 1}\n{\"b\": \n{}\n", &n), LT_FORMAT);
    assert_non_null(strstr(lt_last_error(), "metrics.jsonl:2: expected a JSON object"));
    assert_int_equal(read_log("{}\n[1]\n", &n), LT_FORMAT);
    assert_int_equal(read_log("{}\n\n{}\n", &n), LT_FORMAT);
}

/* ---- Recipes ---- */

static int count_warnings(const char *words, int64_t images)
{
    lt_recipe *r = lt_recipe_parse("r.yaml", words, NULL, 0);
    assert_non_null(r);
    int n = 0;
    for (char *text; (text = lt_recipe_warning(r, images, n)) != NULL; n++) {
        assert_non_null(strstr(text, "batch_norm"));
        assert_int_equal(strncmp(text, "r.yaml:", 7), 0);
        free(text);
    }
    lt_recipe_free(r);
    return n;
}

#define VAE(LAYER, BATCH)                                                                          \
    "{data: {set: synthetic}, model: {latent: 2, likelihood: bernoulli, encoder: [linear 4, " LAYER \
    "], decoder: [linear image]}, train: {batch: " BATCH "}}"
#define GAN(LAYER, PENALTY)                                                                        \
    "{data: {set: synthetic}, model: {kind: gan, latent: 2, generator: [linear image], discriminator: [linear 4, " \
    LAYER ", linear 1]}, objective: {penalty: " PENALTY "}}"

static void batch_statistics_of_one_are_warned_of(void **state)
{
    (void)state;
    assert_int_equal(count_warnings(VAE("batch_norm", "1"), 0), 1);
    assert_int_equal(count_warnings(VAE("batch_norm", "30"), 0), 0);
    assert_int_equal(count_warnings(VAE("batch_norm", "30"), 61), 1);
    assert_int_equal(count_warnings(VAE("batch_norm", "30"), 60), 0);
    assert_int_equal(count_warnings(VAE("batch_norm", "30"), 1), 1);
    assert_int_equal(count_warnings(VAE("layer_norm", "1"), 61), 0);
    assert_int_equal(count_warnings(VAE("{residual: [batch_norm]}", "1"), 0), 1);
}

static void batch_statistics_under_a_penalty_are_warned_of(void **state)
{
    (void)state;
    assert_int_equal(count_warnings(GAN("batch_norm", "gradient"), 0), 1);
    assert_int_equal(count_warnings(GAN("batch_norm", "r1"), 0), 1);
    assert_int_equal(count_warnings(GAN("{residual: [batch_norm]}", "lipschitz"), 0), 1);
    assert_int_equal(count_warnings(GAN("batch_norm", "none"), 0), 0);
    assert_int_equal(count_warnings(GAN("batch_norm", "clip"), 0), 0);
    assert_int_equal(count_warnings(GAN("layer_norm", "gradient"), 0), 0);
}

static const char *estimate_of(const char *loss, const char *penalty, const char *layer)
{
    char words[512];
    lt_score score;
    snprintf(words, sizeof words, "{data: {set: synthetic}, model: {kind: gan, latent: 2, generator: [linear image], "
             "discriminator: [%s 4, linear 1]}, objective: {loss: %s, penalty: %s}}", layer, loss, penalty);
    lt_recipe *r = lt_recipe_parse("r.yaml", words, NULL, 0);
    assert_non_null(r);
    assert_true(lt_recipe_score(r, &score));
    lt_recipe_free(r);
    return score.estimate;
}

static void only_bounds_are_called_bounds(void **state)
{
    (void)state;
    assert_non_null(strstr(estimate_of("hinge", "none", "linear"), "a lower bound"));
    assert_non_null(strstr(estimate_of("wasserstein", "none", "linear"), "not a bound"));
    assert_null(strstr(estimate_of("wasserstein", "gradient", "linear"), "lower bound"));
    assert_null(strstr(estimate_of("wasserstein", "clip", "linear"), "not a bound"));
    assert_null(strstr(estimate_of("wasserstein", "none", "spectral_norm linear"), "not a bound"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_tried_and_leave_nothing),
        cmocka_unit_test(what_cannot_be_written_is_said_before),
        cmocka_unit_test(words_come_out_of_a_shell_as_they_went_in),
        cmocka_unit_test(classes_are_names_then_numbers),
        cmocka_unit_test(logs_are_whole_lines_of_objects),
        cmocka_unit_test(batch_statistics_of_one_are_warned_of),
        cmocka_unit_test(batch_statistics_under_a_penalty_are_warned_of),
        cmocka_unit_test(only_bounds_are_called_bounds),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
