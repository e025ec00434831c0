/* SPDX-License-Identifier: MIT */
/* Values and paths on their way through recipes: no text is taken for something else, and a path means
   the same file from everywhere. */
#include "recipe/recipe.h"

#include "base/philox.h"
#include "base/status.h"
#include "base/text.h"

#include <latent/train.h>

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <yaml.h>

#include <cmocka.h>

#include "scratch.h"

#define TINY                                                                                       \
    "data: {set: synthetic}\nmodel:\n  latent: 2\n  likelihood: bernoulli\n"                       \
    "  encoder: [linear 4]\n  decoder: [linear image]\n"

static void assert_has(const char *all, const char *part)
{
    if (!strstr(all, part))
        fail_msg("expected \"%s\" in:\n%s", part, all);
}

/* ---- Texts ---- */

/* What a reader of YAML that is not ours takes the value of `key` for; freed by the caller. */
static char *value_of(const char *words, const char *key, bool *is_plain)
{
    yaml_parser_t parser;
    char *found = NULL;
    bool is_next = false, is_end = false;
    assert_true(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)words, strlen(words));
    while (!is_end) {
        yaml_event_t e;
        assert_true(yaml_parser_parse(&parser, &e));
        is_end = e.type == YAML_STREAM_END_EVENT;
        if (e.type == YAML_SCALAR_EVENT && is_next && !found) {
            found = must_copy_text((const char *)e.data.scalar.value);
            *is_plain = e.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        }
        is_next = e.type == YAML_SCALAR_EVENT && !found &&
                  strcmp((const char *)e.data.scalar.value, key) == 0;
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&parser);
    return found;
}

static void check_survives(const char *said)
{
    char *set = must_format("data.set=/%s", said), *summary = must_format("summary=%s", said);
    const char *const sets[] = {set, summary};
    lt_recipe *r = lt_recipe_parse("tiny.yaml", TINY, sets, 2);
    if (!r)
        fail_msg("%s: %s", said, lt_last_error());
    assert_string_equal(lt_recipe_dataset(r), set + strlen("data.set="));
    assert_string_equal(lt_recipe_summary(r), said);
    lt_recipe *again = lt_recipe_parse("tiny.yaml", lt_recipe_text(r), NULL, 0);
    assert_non_null(again);
    assert_string_equal(lt_recipe_dataset(again), lt_recipe_dataset(r));
    assert_string_equal(lt_recipe_text(again), lt_recipe_text(r));
    bool is_plain;
    char *theirs = value_of(lt_recipe_text(r), "summary", &is_plain);
    assert_string_equal(theirs, said);
    free(theirs);
    lt_recipe_free(again);
    lt_recipe_free(r);
    free(set);
    free(summary);
}

static void any_text_survives_the_recipe(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "a", "b", " ", " #", "#", ": ", ":", "- ", "-", "? ", "&a", "*a", "!t", "%", "@", "`", "'",
        "\"", "\\", "\\n", "|", ">", "[", "]", "{", "}", ",", "\n", "\r", "\t", "\x01", "\x1b", "\x7f",
        "~", "null", "true", "no", "0x1f", "1e3", ".5", "---", "...", "<<", "=", "$HOME", "%s",
        "\xc3\xa9", "\xe2\x80\xa8", "\xef\xbb\xbf", "\xf0\x9f\x90\xb1", "\xc2\x85",
    };
    for (int i = 0; i < COUNT_OF(parts); i++)
        check_survives(parts[i]);
    philox_key key = {.seed = 12};
    for (int i = 0, word = 0; i < 2000; i++) {
        text t = {0};
        for (int n = 1 + (int)(philox_word(&key, word++) % 6); n > 0; n--)
            text_append(&t, parts[philox_word(&key, word++) % COUNT_OF(parts)]);
        check_survives(text_get(&t));
        text_clear(&t);
    }
}

/* YAML 1.1 (PyYAML) and 1.2 give these a type when they stand without quotes. */
static void texts_that_look_like_values_are_quoted(void **state)
{
    (void)state;
    static const char *const looks[] = {
        "~", "null", "Null", "true", "False", "yes", "NO", "on", "Off", "y", "N", "=", "<<", "12", "-3",
        "+4", "1_000", "0x1F", "0o17", "1e3", "-.5", ".5", "6.02e+23", ".inf", "-.INF", ".nan",
        "2024-01-01", "2024-01-01 12:30:00", "12:30:45", "1, 30, 50",
    };
    static const char *const texts[] = {"mnist", "./a", "/b", "a1", "truely", "adam 0.1", "1/b"};
    for (int i = 0; i < COUNT_OF(looks) + COUNT_OF(texts); i++) {
        bool is_look = i < COUNT_OF(looks), is_plain;
        const char *word = is_look ? looks[i] : texts[i - COUNT_OF(looks)];
        text t = {0};
        text_append(&t, "key: ");
        yaml_print_text(word, &t);
        char *theirs = value_of(text_get(&t), "key", &is_plain);
        assert_string_equal(theirs, word);
        if (is_plain == is_look)
            fail_msg("%s is written as %s", word, text_get(&t));
        free(theirs);
        text_clear(&t);
    }
}

static void what_is_not_text_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "data.set=/\xff", "data.path=\xc3", "summary=\xc0\x80", "data.set=/\xed\xa0\x80",
        "data.set=/\xf4\x90\x80\x80", "name=\x80", "summary=\xe2\x28\xa1",
    };
    for (int i = 0; i < COUNT_OF(wrong); i++) {
        assert_null(lt_recipe_parse("tiny.yaml", TINY, &wrong[i], 1));
        assert_has(lt_last_error(), "expected text in UTF-8");
    }
}

static void numbers_and_words_are_taken_whole(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "train.epochs=5 # five", "train.epochs= 5", "train.epochs=\"5\"", "train.epochs=1e3",
        "seed=0x10", "objective.beta=1 ", "data.flip=~", "data.binarize='fixed'", "train.epochs=[5]",
        "optimizer.lr=1e-3 #", "model.latent=null", "train.epochs=99999999999999999999",
    };
    for (int i = 0; i < COUNT_OF(wrong); i++) {
        assert_null(lt_recipe_parse("tiny.yaml", TINY, &wrong[i], 1));
        assert_has(lt_last_error(), "found \"");
    }
}

static void long_paths_are_kept_and_endless_ones_refused(void **state)
{
    (void)state;
    char *long_path = must_alloc(6000);
    memset(long_path, 'a', 6000 - 1);
    for (int i = 0; i < 4090; i += 100)
        long_path[i] = '/';
    long_path[4095] = 0;
    char *set = must_format("data.set=%s", long_path);
    lt_recipe *r = lt_recipe_parse("tiny.yaml", TINY, (const char *const *)&set, 1);
    assert_non_null(r);
    assert_string_equal(lt_recipe_dataset(r), long_path);
    lt_recipe_free(r);
    free(set);
    long_path[4095] = 'a';
    set = must_format("data.set=%s", long_path);
    assert_null(lt_recipe_parse("tiny.yaml", TINY, (const char *const *)&set, 1));
    assert_has(lt_last_error(), "set must be shorter than 4096 bytes, found 5999 bytes");
    free(set);
    free(long_path);
}

/* ---- Where relative paths begin ---- */

static void write_text(const char *name, const char *words)
{
    assert_int_equal(file_write(in_dir(name), words, strlen(words)), LT_OK);
}

static void write_recipe(const char *name, const char *set)
{
    char *words = must_format("data: {set: %s}\n%s", set, strchr(TINY, '\n') + 1);
    write_text(name, words);
    free(words);
}

static void expect_set(const char *recipe, const char *set, const char *expected)
{
    lt_recipe *r;
    lt_recipe_open(recipe, set ? &set : NULL, set ? 1 : 0, &r);
    if (!r)
        fail_msg("%s", lt_last_error());
    assert_string_equal(lt_recipe_dataset(r), expected);
    lt_recipe_free(r);
}

/* The same in two directories, and once more where the process is. */
static int make_tree(void **state)
{
    assert_int_equal(make_dir(state), 0);
    assert_int_equal(file_make_directories(in_dir("lib/sets")), LT_OK);
    assert_int_equal(file_make_directories(in_dir("here/sets")), LT_OK);
    write_text("lib/d.npy", "lib");
    write_text("lib/sets/e.npy", "lib");
    write_text("here/d.npy", "here");
    write_text("here/only.npy", "here");
    return chdir(in_dir("here"));
}

static int leave_tree(void **state)
{
    assert_int_equal(chdir("/"), 0);
    return remove_dir(state);
}

static void paths_begin_at_the_recipe(void **state)
{
    (void)state;
    static const struct {
        const char *written, *found; /* below the directory of the test; NULL: as it is */
    } cases[] = {
        {"./d.npy", "lib/d.npy"},           {"d.npy", "lib/d.npy"},
        {"sets/e.npy", "lib/sets/e.npy"},   {"./sets/../d.npy", "lib/d.npy"},
        {".//./d.npy", "lib/d.npy"},        {"../here/d.npy", "here/d.npy"},
        {"./nowhere.npy", "lib/nowhere.npy"}, {"sets/", "lib/sets"},
        {"mnist", NULL},                    {"synthetic", NULL},
        {"/some/where", NULL},              {"nothing", NULL},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        const char *expected = cases[i].found ? in_dir(cases[i].found) : cases[i].written;
        write_recipe("lib/r.yaml", cases[i].written);
        expect_set(in_dir("lib/r.yaml"), NULL, expected);
        expect_set("../lib/r.yaml", NULL, expected);
        expect_set("../here/.././lib/r.yaml", NULL, expected);
    }
}

static void paths_of_options_begin_where_we_are(void **state)
{
    (void)state;
    write_recipe("lib/r.yaml", "./d.npy");
    char *r = must_copy_text(in_dir("lib/r.yaml"));
    expect_set(r, "data.set=./d.npy", in_dir("here/d.npy"));
    expect_set(r, "data.set=d.npy", in_dir("here/d.npy"));
    expect_set(r, "data.set=nothing", "nothing");
    expect_set(r, "data.set=mnist", "mnist");
    expect_set(r, "data.set=../lib/d.npy", in_dir("lib/d.npy"));
    expect_set(r, "train.epochs=3", in_dir("lib/d.npy"));
    expect_set("cs561-conv-vae", "data.set=./d.npy", in_dir("here/d.npy"));
    free(r);
}

static void a_resolved_recipe_means_the_same_elsewhere(void **state)
{
    (void)state;
    write_recipe("lib/r.yaml", "./d.npy");
    lt_recipe *r;
    lt_recipe_open("../lib/r.yaml", NULL, 0, &r);
    write_text("here/resolved.yaml", lt_recipe_text(r));
    expect_set("./resolved.yaml", NULL, in_dir("lib/d.npy"));
    lt_recipe_free(r);
}

static void a_missing_path_says_where_it_was_looked_for(void **state)
{
    (void)state;
    static const struct {
        const char *written, *message;
    } cases[] = {
        {"./only.npy", "cannot read DIR/lib/only.npy: No such file or directory; paths in a recipe are relative "
         "to its directory, DIR/lib; it exists in the working directory: --data DIR/here/only.npy"},
        {"./none.npy", "cannot read DIR/lib/none.npy: No such file or directory; paths in a recipe are relative "
         "to its directory, DIR/lib"},
        {"~/none.npy", "cannot read DIR/lib/~/none.npy: No such file or directory; '~' is not expanded: write "
         "the full path"},
        {"only.npy", "no data set is called 'only.npy' (latent data list); there is no file DIR/lib/only.npy either"},
        {"mnits", "no data set is called 'mnits'; did you mean 'mnist'? (latent data list); there is no file "
         "DIR/lib/mnits either"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        write_recipe("lib/r.yaml", cases[i].written);
        lt_recipe *r;
        lt_recipe_open("../lib/r.yaml", NULL, 0, &r);
        lt_dataset *d;
        assert_int_equal(lt_recipe_open_data(r, NULL, &d), LT_NOT_FOUND);
        text expected = {0};
        for (const char *s = cases[i].message; *s; s++)
            if (strncmp(s, "DIR", 3) == 0) {
                text_append(&expected, dir);
                s += 2;
            } else {
                text_append_bytes(&expected, s, 1);
            }
        assert_string_equal(lt_last_error(), text_get(&expected));
        text_clear(&expected);
        lt_recipe_free(r);
    }
}

/* ---- Encodings ---- */

/* TINY as a file with something before it and other ends of lines. */
static void put_encoded(const char *before, const char *end_of_line)
{
    text t = {0};
    text_append(&t, before);
    for (const char *s = TINY; *s; s++)
        if (*s == '\n')
            text_append(&t, end_of_line);
        else
            text_append_bytes(&t, s, 1);
    write_text("r.yaml", text_get(&t));
    text_clear(&t);
}

static void marks_and_ends_of_lines_change_nothing(void **state)
{
    (void)state;
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    lt_recipe *want = lt_recipe_parse("r.yaml", TINY, NULL, 0);
    for (int i = 0; i < 2 * COUNT_OF(ends); i++) {
        put_encoded(i % 2 ? "\xEF\xBB\xBF" : "", ends[i / 2]);
        lt_recipe *r;
        lt_recipe_open(in_dir("r.yaml"), NULL, 0, &r);
        if (!r)
            fail_msg("%s", lt_last_error());
        assert_string_equal(lt_recipe_text(r), lt_recipe_text(want));
        lt_recipe_free(r);
    }
    lt_recipe_free(want);
}

static void other_encodings_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } cases[] = {
        {"\xFF\xFEn\0a\0", 6, "r.yaml: expected text in UTF-8, found UTF-16; save it as UTF-8"},
        {"\xFE\xFF\0n\0a", 6, "found UTF-16"},
        {"n\0a\0m\0e\0", 8, "found UTF-16"},
        {"\0n\0a", 4, "found UTF-16"},
        {"name: a\n\0", 9, "r.yaml: not a recipe: a zero byte, at byte 8"},
        {"name: a\nsummary: caf\xe9 b\n", 23,
         "r.yaml:2:14: invalid trailing UTF-8 octet (the file must be UTF-8; this may be a letter of "
         "another encoding)"},
        {"\xEF\xBB\xBF", 3, "r.yaml:1:1: the document is empty"},
        {"", 0, "r.yaml:1:1: the document is empty"},
        {"a: 1\na: 2\n", 10, "r.yaml:2:1: key \"a\" appears twice, first in line 1"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(file_write(in_dir("r.yaml"), cases[i].bytes, cases[i].size), LT_OK);
        assert_int_not_equal(lt_recipe_open(in_dir("r.yaml"), NULL, 0, &(lt_recipe *){NULL}), LT_OK);
        assert_has(lt_last_error(), cases[i].message);
    }
}

static void tabs_are_called_tabs(void **state)
{
    (void)state;
    static const struct {
        const char *words, *place;
    } cases[] = {
        {"name: a\ndata:\n\tset: x\n", "r.yaml:3:1: a tab"},
        {"data:\n  set: x\n\tlimit: 3\n", "r.yaml:3:1: a tab"},
        {"data:\n  \tset: x\n", "r.yaml:2:3: a tab"},
        {"model:\n  encoder:\n\t- linear 4\n", "r.yaml:3:1: a tab"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        assert_null(lt_recipe_parse("r.yaml", cases[i].words, NULL, 0));
        assert_has(lt_last_error(), cases[i].place);
        assert_has(lt_last_error(), "replace it by spaces");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_text_survives_the_recipe),
        cmocka_unit_test(texts_that_look_like_values_are_quoted),
        cmocka_unit_test(what_is_not_text_is_refused),
        cmocka_unit_test(numbers_and_words_are_taken_whole),
        cmocka_unit_test(long_paths_are_kept_and_endless_ones_refused),
        cmocka_unit_test_setup_teardown(marks_and_ends_of_lines_change_nothing, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(other_encodings_are_named, make_dir, remove_dir),
        cmocka_unit_test(tabs_are_called_tabs),
        cmocka_unit_test_setup_teardown(paths_begin_at_the_recipe, make_tree, leave_tree),
        cmocka_unit_test_setup_teardown(paths_of_options_begin_where_we_are, make_tree, leave_tree),
        cmocka_unit_test_setup_teardown(a_resolved_recipe_means_the_same_elsewhere, make_tree,
                                        leave_tree),
        cmocka_unit_test_setup_teardown(a_missing_path_says_where_it_was_looked_for, make_tree,
                                        leave_tree),
    };
    return cmocka_run_group_tests_name("paths", tests, NULL, NULL);
}
