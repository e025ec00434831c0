/* SPDX-License-Identifier: MIT */
/* src/base without the files: status, memory, Philox, text, options. */
#include "base/memory.h"
#include "base/options.h"
#include "base/philox.h"
#include "base/status.h"
#include "base/text.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "says.h"

/* ---- Status ---- */

static void statuses_have_names_and_texts(void **state)
{
    (void)state;
    assert_string_equal(lt_status_name(LT_OK), "LT_OK");
    assert_string_equal(lt_status_name(LT_IO), "LT_IO");
    assert_string_equal(lt_status_text(LT_FORMAT), "malformed data");
    assert_string_equal(lt_status_name(-1000), "LT_UNKNOWN");
    assert_string_equal(lt_status_text(12), "unknown status");
}

static void failure_keeps_message_and_returns_status(void **state)
{
    (void)state;
    assert_int_equal(status_fail(LT_VALUE, "expected %d, found %d", 3, 4), LT_VALUE);
    assert_string_equal(lt_last_error(), "expected 3, found 4");
    assert_int_equal(status_prefix(LT_VALUE, "file %s", "a"), LT_VALUE);
    assert_string_equal(lt_last_error(), "file a: expected 3, found 4");
    status_fail(LT_VALUE, "again: %s", lt_last_error()); /* an argument inside the message */
    assert_string_equal(lt_last_error(), "again: file a: expected 3, found 4");
}

static void messages_too_long_are_cut(void **state)
{
    (void)state;
    char long_text[5000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = 0;
    status_fail(LT_VALUE, "%s", long_text);
    assert_true(strlen(lt_last_error()) < sizeof long_text);
    status_prefix(LT_VALUE, "%s", long_text);
    assert_true(strlen(lt_last_error()) > 1000);
}

static int try_twice(int first)
{
    LT_TRY(first);
    return LT_IO;
}

static void try_returns_first_failure(void **state)
{
    (void)state;
    assert_int_equal(try_twice(LT_FORMAT), LT_FORMAT);
    assert_int_equal(try_twice(LT_OK), LT_IO);
}

static void keep_line(void *user, lt_log_level level, const char *line)
{
    snprintf(user, 100, "%d %s", level, line);
}

static void log_goes_to_hook(void **state)
{
    (void)state;
    char line[100] = "";
    log_info("nobody listens");
    lt_set_log(keep_line, line);
    log_warning("step %d", 7);
    lt_set_log(NULL, NULL);
    assert_string_equal(line, "1 step 7");
}

/* ---- Memory ---- */

static void checked_sizes_notice_overflow(void **state)
{
    (void)state;
    size_t r;
    assert_true(size_add(2, 3, &r) && r == 5);
    assert_true(size_mul(SIZE_MAX / 2, 2, &r));
    assert_false(size_add(SIZE_MAX, 1, &r));
    assert_false(size_mul(SIZE_MAX / 2, 3, &r));
}

static bool refuse_large(void *user, size_t n)
{
    *(size_t *)user += n;
    return n < 1000;
}

static void tensor_memory_is_aligned_zeroed_and_may_be_refused(void **state)
{
    (void)state;
    size_t asked = 0;
    lt_set_allow_memory(refuse_large, &asked);
    unsigned char *p = tensor_alloc(100, "p");
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % TENSOR_ALIGN, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(p[i], 0);
    assert_true(asked >= 100);
    assert_null(tensor_alloc(2000, "activations"));
    assert_says("activations");
    lt_set_allow_memory(NULL, NULL);
    assert_null(tensor_alloc(SIZE_MAX - 3, "everything"));
    tensor_free(p);
    tensor_free(NULL);
}

static void arena_blocks_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    arena a = {0};
    unsigned char *blocks[300];
    for (int i = 0; i < 300; i++) {
        size_t size = (size_t)(i * 37) % 1000 + (i == 150 ? 100000 : 0);
        blocks[i] = arena_alloc(&a, size + 1);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        for (size_t k = 0; k <= size; k++)
            assert_int_equal(blocks[i][k], 0);
        memset(blocks[i], i, size + 1);
    }
    for (int i = 0; i < 300; i++)
        assert_int_equal(blocks[i][0], i % 256);
    assert_string_equal(arena_copy_text(&a, "word"), "word");
    assert_string_equal(arena_format(&a, "%d-%s", 5, "x"), "5-x");
    arena_clear(&a);
    assert_null(a.chunks);
}

static void growing_arrays_keep_their_items(void **state)
{
    (void)state;
    int *list = NULL, n = 0, capacity = 0;
    for (int i = 0; i < 1000; i++) {
        list = must_grow(list, n, &capacity);
        list[n++] = i;
    }
    for (int i = 0; i < n; i++)
        assert_int_equal(list[i], i);
    free(list);
}

/* ---- Philox ---- */

/* Known answers of Random123 1.x, kat_vectors, philox4x32 with 10 rounds. */
static void philox_gives_published_vectors(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < COUNT_OF(known); i++) {
        uint32_t out[4];
        philox4x32(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].want, sizeof out);
    }
}

/* Word i of a key, from the published function alone. */
static uint32_t word_by_definition(const philox_key *key, int64_t i)
{
    uint64_t block = (uint64_t)i / 4;
    uint32_t counter[4] = {(uint32_t)block, key->stream ^ (uint32_t)(block >> 32) << 24,
                           (uint32_t)key->step, (uint32_t)(key->step >> 32)};
    uint32_t words[2] = {(uint32_t)key->seed, (uint32_t)(key->seed >> 32)}, out[4];
    philox4x32(counter, words, out);
    return out[i % 4];
}

static void words_are_blocks_of_philox(void **state)
{
    (void)state;
    static const philox_key keys[] = {
        {0}, {.seed = 1, .stream = 2, .step = 3}, {UINT64_MAX, 0xffffff, UINT64_MAX - 1}};
    static const int64_t firsts[] = {0, 4, 64, 4000, INT64_C(4) << 32, (INT64_C(4) << 32) - 8};
    static const int64_t counts[] = {0, 1, 3, 4, 5, 63, 64, 65, 200};
    for (int k = 0; k < COUNT_OF(keys); k++)
        for (int f = 0; f < COUNT_OF(firsts); f++)
            for (int c = 0; c < COUNT_OF(counts); c++) {
                uint32_t words[256];
                memset(words, 0xAA, sizeof words);
                philox_words(&keys[k], firsts[f], counts[c], words);
                for (int64_t i = 0; i < counts[c]; i++)
                    assert_int_equal(words[i], word_by_definition(&keys[k], firsts[f] + i));
                for (int64_t i = (counts[c] + 3) / 4 * 4; i < 256; i++)
                    assert_int_equal(words[i], 0xAAAAAAAA);
                assert_int_equal(philox_word(&keys[k], firsts[f] + 1),
                                 word_by_definition(&keys[k], firsts[f] + 1));
            }
}

static void uniforms_are_inside_the_open_interval(void **state)
{
    (void)state;
    assert_true(philox_uniform(0) > 0);
    assert_true(philox_uniform(UINT32_MAX) < 1);
    assert_true(philox_uniform(0x80000000u) > 0.5f - 1e-6f);
}

static void shuffle_is_a_permutation(void **state)
{
    (void)state;
    philox_key key = {.seed = 9};
    static const int sizes[] = {0, 1, 2, 3, 10, 1000};
    for (int s = 0; s < COUNT_OF(sizes); s++) {
        int32_t order[1000];
        char seen[1000] = {0};
        philox_shuffle(&key, sizes[s], order);
        for (int i = 0; i < sizes[s]; i++) {
            assert_in_range(order[i], 0, sizes[s] - 1);
            assert_int_equal(seen[order[i]]++, 0);
        }
    }
}

static void shuffle_depends_on_the_key_only(void **state)
{
    (void)state;
    philox_key a = {.seed = 9}, b = {.seed = 9, .step = 1};
    int32_t x[100], y[100], z[100];
    philox_shuffle(&a, 100, x);
    philox_shuffle(&a, 100, y);
    philox_shuffle(&b, 100, z);
    assert_memory_equal(x, y, sizeof x);
    assert_memory_not_equal(x, z, sizeof x);
}

/* ---- Text ---- */

static void text_grows(void **state)
{
    (void)state;
    text t = {0};
    assert_string_equal(text_get(&t), "");
    for (int i = 0; i < 1000; i++)
        text_format(&t, "%d,", i % 10);
    text_append(&t, "end");
    text_append_bytes(&t, "!?", 1);
    assert_int_equal(t.size, 2004);
    assert_string_equal(t.data + 1996, "8,9,end!");
    char *taken = text_take(&t);
    assert_int_equal(strlen(taken), 2004);
    assert_null(t.data);
    free(taken);
    taken = text_take(&t);
    assert_string_equal(taken, "");
    free(taken);
    text_clear(&t);
}

static void whole_numbers_are_strict(void **state)
{
    (void)state;
    int64_t v;
    assert_true(text_to_int64("0", &v) && v == 0);
    assert_true(text_to_int64("-12", &v) && v == -12);
    assert_true(text_to_int64("+7", &v) && v == 7);
    assert_true(text_to_int64("9223372036854775807", &v) && v == INT64_MAX);
    assert_true(text_to_int64("-9223372036854775808", &v) && v == INT64_MIN);
    v = 5;
    static const char *const wrong[] = {"",
                                        "-",
                                        "+",
                                        "1.0",
                                        " 1",
                                        "1 ",
                                        "0x10",
                                        "1e3",
                                        "--1",
                                        "1_0",
                                        "９",
                                        "a",
                                        "9223372036854775808",
                                        "-9223372036854775809"};
    for (int i = 0; i < COUNT_OF(wrong); i++)
        assert_false(text_to_int64(wrong[i], &v) || lt_read_integer(wrong[i], &v) ||
                     lt_read_integers(wrong[i], 1, &v));
    assert_int_equal(v, 5);
    int64_t list[3] = {0};
    assert_true(lt_read_integers("3,-4,50", 3, list));
    assert_true(list[0] == 3 && list[1] == -4 && list[2] == 50);
    static const char *const lists[] = {"1,2", "1,2,3,4", "1,2,", ",1,2", "1, 2,3", "1,2,3 ", "1;2;3", "1,0x2,3"};
    for (int i = 0; i < COUNT_OF(lists); i++)
        assert_false(lt_read_integers(lists[i], 3, list));
}

static void reals_are_strict_and_may_be_fractions(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        double want;
    } right[] = {{"0", 0},       {"1.5", 1.5},        {"-.5", -.5},    {"3.", 3},    {"1e-3", 1e-3},
                 {"+2E+2", 200}, {"1/784", 1. / 784}, {"-1.5/3", -.5}, {"1e-400", 0}};
    double v;
    for (int i = 0; i < COUNT_OF(right); i++) {
        assert_true(text_to_real(right[i].word, &v));
        assert_true(v == right[i].want);
    }
    static const char *const wrong[] = {
        "",   ".",  "-",   "nan", "inf", "-inf",  "infinity", "1e999", "0x10",  "1,5", "1e",
        "1 ", " 1", "1/0", "1/",  "/2",  "1/2/3", "0/0",      "1e+",   "1.2.3", "1f",  "1d0"};
    for (int i = 0; i < COUNT_OF(wrong); i++)
        if (text_to_real(wrong[i], &v))
            fail_msg("accepted \"%s\"", wrong[i]);
}

static void bools_are_six_words(void **state)
{
    (void)state;
    bool v = false;
    assert_true(text_to_bool("yes", &v) && v);
    assert_true(text_to_bool("false", &v) && !v);
    assert_true(text_to_bool("on", &v) && v);
    assert_true(text_to_bool("off", &v) && !v);
    assert_true(text_to_bool("true", &v) && v);
    assert_true(text_to_bool("no", &v) && !v);
    assert_false(text_to_bool("1", &v) || text_to_bool("", &v) || text_to_bool("YES", &v));
}

static void printed_reals_read_back_exactly(void **state)
{
    (void)state;
    philox_key key = {.seed = 3};
    for (int i = 0; i < 2000; i++) {
        uint64_t bits = (uint64_t)philox_word(&key, 2 * i) << 32 | philox_word(&key, 2 * i + 1);
        double want, found = 0;
        memcpy(&want, &bits, sizeof want);
        if (!isfinite(want))
            continue;
        text t = {0};
        text_append_real(&t, want);
        assert_true(text_to_real(text_get(&t), &found));
        assert_memory_equal(&want, &found, sizeof want);
        text_clear(&t);
    }
    text t = {0};
    text_append_real(&t, 0.1);
    assert_string_equal(text_get(&t), "0.1");
    text_clear(&t);
}

static void numbers_ignore_the_locale(void **state)
{
    (void)state;
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        skip();
    double v = 0;
    text t = {0};
    bool accepted = text_to_real("0.25", &v), comma = text_to_real("0,5", &(double){0});
    text_append_real(&t, 0.25);
    setlocale(LC_ALL, "C");
    assert_true(accepted && v == 0.25 && !comma);
    assert_string_equal(text_get(&t), "0.25");
    text_clear(&t);
}

static const char *nearest(const char *word)
{
    static const char *const names[] = {"linear", "conv", "batch_norm", "leaky_relu", "kernel",
                                        "stride", "bias", "k",          NULL};
    return lt_nearest(word, names);
}

static void nearest_name_forgives_slips_but_not_other_words(void **state)
{
    (void)state;
    assert_string_equal(nearest("liner"), "linear");
    assert_string_equal(nearest("lienar"), "linear"); /* one swap */
    assert_string_equal(nearest("Conv"), "conv");
    assert_string_equal(nearest("leakyrelu"), "leaky_relu");
    assert_string_equal(nearest("kernel_size"), "kernel");
    assert_string_equal(nearest("batch"), "batch_norm");
    assert_null(nearest("optimizer"));
    assert_null(nearest("x"));
    assert_null(nearest(""));
    char long_word[1000];
    memset(long_word, 'c', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = 0;
    assert_null(nearest(long_word));
}

/* ---- Options ---- */

typedef struct layer_options {
    int64_t units;
    double slope;
    bool bias;
    int mode;
    char name[LT_TEXT_SIZE];
} layer_options;

static const lt_option layer_table[] = {{.name = "units",
                                         .kind = LT_KIND_INT,
                                         .offset = offsetof(layer_options, units),
                                         .min = 1,
                                         .max = 65536,
                                         .positional = true,
                                         .required = true,
                                         .help = "outputs"},
                                        {.name = "bias",
                                         .kind = LT_KIND_BOOL,
                                         .offset = offsetof(layer_options, bias),
                                         .fallback = 1,
                                         .help = "adds a bias"},
                                        {.name = "slope",
                                         .kind = LT_KIND_REAL,
                                         .offset = offsetof(layer_options, slope),
                                         .fallback = 0.2,
                                         .min = 0,
                                         .max = 1,
                                         .positional = true,
                                         .help = "negative slope"},
                                        {.name = "mode",
                                         .kind = LT_KIND_CHOICE,
                                         .offset = offsetof(layer_options, mode),
                                         .fallback = 1,
                                         .choices = "analytic|monte-carlo|both",
                                         .help = "how"},
                                        {.name = "name",
                                         .kind = LT_KIND_TEXT,
                                         .offset = offsetof(layer_options, name),
                                         .choices = "main",
                                         .help = "called"},
                                        {0}};

static int parse(layer_options *o, const char *words)
{
    return options_parse_words("layer linear", layer_table, o, words);
}

static void defaults_fill_every_field(void **state)
{
    (void)state;
    layer_options o;
    memset(&o, 0xAA, sizeof o);
    options_defaults(layer_table, &o);
    assert_int_equal(o.units, 0);
    assert_true(o.slope == 0.2 && o.bias && o.mode == 1);
    assert_string_equal(o.name, "main");
}

static void words_are_positions_then_names(void **state)
{
    (void)state;
    layer_options o;
    assert_int_equal(parse(&o, "256"), LT_OK);
    assert_int_equal(o.units, 256);
    assert_int_equal(parse(&o, "  7   0.5 bias=no\tmode=both name=\"a \\\"b\\\" \\\\c\" "), LT_OK);
    assert_true(o.units == 7 && o.slope == 0.5 && !o.bias && o.mode == 2);
    assert_string_equal(o.name, "a \"b\" \\c");
    assert_int_equal(parse(&o, "slope=1/4 units=3"), LT_OK);
    assert_true(o.units == 3 && o.slope == 0.25);
}

static void wrong_words_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        int status;
        const char *message;
    } wrong[] = {
        {"", LT_VALUE, "layer linear: units is missing (outputs)"},
        {"-3", LT_VALUE,
         "layer linear: units must be a whole number between 1 and 65536, found "
         "\"-3\""},
        {"65537", LT_VALUE, "found \"65537\""},
        {"1.5", LT_VALUE, "found \"1.5\""},
        {"1 2", LT_VALUE, "slope must be a number between 0 and 1"},
        {"1 nan", LT_VALUE, "found \"nan\""},
        {"1 .1 3", LT_VALUE, "layer linear: value \"3\" is one too many (options: units, bias"},
        {"bias=no 3", LT_VALUE, "value \"3\" without a name"},
        {"1 units=2", LT_VALUE, "units is given twice"},
        {"1 bias=no bias=no", LT_VALUE, "bias is given twice"},
        {"1 bias=maybe", LT_VALUE, "bias must be yes or no, found \"maybe\""},
        {"1 mode=fast", LT_VALUE, "mode must be one of analytic, monte-carlo, both, found "},
        {"1 mode=", LT_VALUE, "mode must be one of"},
        {"1 mode=analytic|monte-carlo", LT_VALUE, "mode must be one of"},
        {"1 sloep=1", LT_NOT_FOUND,
         "unknown option \"sloep\" of layer linear; did you mean \"slope\"? (options: units, bias, "
         "slope, mode, name)"},
        {"1 zzz=1", LT_NOT_FOUND, "unknown option \"zzz\" of layer linear (options: units"},
        {"1 name=\"open", LT_VALUE, "closing quote"},
        {"1 name=\"a\"b", LT_VALUE, "closing quote"},
    };
    for (int i = 0; i < COUNT_OF(wrong); i++) {
        layer_options o;
        assert_int_equal(parse(&o, wrong[i].words), wrong[i].status);
        assert_says(wrong[i].message);
    }
}

static void too_long_text_is_refused_and_leaves_the_field(void **state)
{
    (void)state;
    layer_options o;
    options_defaults(layer_table, &o);
    char value[LT_TEXT_SIZE + 1];
    memset(value, 'n', LT_TEXT_SIZE);
    value[LT_TEXT_SIZE] = 0;
    assert_int_equal(options_set("x", layer_table, &o, "name", value), LT_VALUE);
    assert_string_equal(o.name, "main");
    assert_int_equal(options_set("x", layer_table, &o, "name", value + 1), LT_OK);
    assert_string_equal(o.name, value + 1);
}

static void table_without_rows_says_so(void **state)
{
    (void)state;
    const lt_option none[] = {{0}};
    assert_int_equal(options_parse_words("layer relu", none, NULL, " "), LT_OK);
    assert_int_equal(options_parse_words("layer relu", none, NULL, "3"), LT_VALUE);
    assert_says("layer relu: value \"3\" is one too many (it has no options)");
}

static void printed_options_read_back_exactly(void **state)
{
    (void)state;
    static const char *const names[] = {"",      "plain", "two words", "a=b",  "\"", "\\",
                                        "\\\"x", "tab\t", "é",         "a\"b", " ",  "back\\slash"};
    for (int i = 0; i < COUNT_OF(names); i++) {
        layer_options o, again;
        memset(&o, 0, sizeof o);
        memset(&again, 0, sizeof again);
        options_defaults(layer_table, &o);
        o.units = 100 + i;
        o.slope = 1. / (i + 3);
        o.mode = i % 3;
        o.bias = i % 2;
        memset(o.name, 0, sizeof o.name);
        strcpy(o.name, names[i]);
        text t = {0};
        options_print(layer_table, &o, &t);
        assert_int_equal(parse(&again, text_get(&t)), LT_OK);
        assert_memory_equal(&o, &again, sizeof o);
        text_clear(&t);
    }
}

static void printed_options_put_positions_first(void **state)
{
    (void)state;
    layer_options o;
    text t = {0};
    assert_int_equal(parse(&o, "256"), LT_OK);
    options_print(layer_table, &o, &t);
    assert_string_equal(text_get(&t), "256 0.2 bias=yes mode=monte-carlo name=main");
    text_clear(&t);
}

static void help_lists_defaults_and_ranges(void **state)
{
    (void)state;
    text t = {0};
    options_help(layer_table, &t);
    assert_string_equal(text_get(&t),
                        "  units  outputs: a whole number between 1 and 65536, required\n"
                        "  bias   adds a bias: yes or no, default yes\n"
                        "  slope  negative slope: a number between 0 and 1, default 0.2\n"
                        "  mode   how: one of analytic, monte-carlo, both, default monte-carlo\n"
                        "  name   called: default main\n");
    text_clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_have_names_and_texts),
        cmocka_unit_test(failure_keeps_message_and_returns_status),
        cmocka_unit_test(messages_too_long_are_cut),
        cmocka_unit_test(try_returns_first_failure),
        cmocka_unit_test(log_goes_to_hook),
        cmocka_unit_test(checked_sizes_notice_overflow),
        cmocka_unit_test(tensor_memory_is_aligned_zeroed_and_may_be_refused),
        cmocka_unit_test(arena_blocks_are_zeroed_aligned_and_apart),
        cmocka_unit_test(growing_arrays_keep_their_items),
        cmocka_unit_test(philox_gives_published_vectors),
        cmocka_unit_test(words_are_blocks_of_philox),
        cmocka_unit_test(uniforms_are_inside_the_open_interval),
        cmocka_unit_test(shuffle_is_a_permutation),
        cmocka_unit_test(shuffle_depends_on_the_key_only),
        cmocka_unit_test(text_grows),
        cmocka_unit_test(whole_numbers_are_strict),
        cmocka_unit_test(reals_are_strict_and_may_be_fractions),
        cmocka_unit_test(bools_are_six_words),
        cmocka_unit_test(printed_reals_read_back_exactly),
        cmocka_unit_test(numbers_ignore_the_locale),
        cmocka_unit_test(nearest_name_forgives_slips_but_not_other_words),
        cmocka_unit_test(defaults_fill_every_field),
        cmocka_unit_test(words_are_positions_then_names),
        cmocka_unit_test(wrong_words_are_named),
        cmocka_unit_test(too_long_text_is_refused_and_leaves_the_field),
        cmocka_unit_test(table_without_rows_says_so),
        cmocka_unit_test(printed_options_read_back_exactly),
        cmocka_unit_test(printed_options_put_positions_first),
        cmocka_unit_test(help_lists_defaults_and_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
