/* SPDX-License-Identifier: MIT */
/* src/base without the files: status, memory, Philox, text, options, YAML. */
#include "base/memory.h"
#include "base/options.h"
#include "base/philox.h"
#include "base/status.h"
#include "base/text.h"
#include "base/yaml.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_error_has(const char *part)
{
    if (!strstr(lt_last_error(), part))
        fail_msg("expected \"%s\" in the error, found \"%s\"", part, lt_last_error());
}

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
    assert_error_has("activations");
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
        assert_error_has(wrong[i].message);
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
    assert_error_has("layer relu: value \"3\" is one too many (it has no options)");
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

/* ---- YAML ---- */

static yaml_node *parse_yaml(arena *a, const char *document)
{
    yaml_node *root;
    int status = yaml_parse("r.yaml", document, strlen(document), a, &root);
    if (status != LT_OK)
        fail_msg("%s", lt_last_error());
    return root;
}

static void yaml_keeps_order_and_places(void **state)
{
    (void)state;
    arena a = {0};
    yaml_node *root = parse_yaml(&a, "model:   # comment\n"
                                     "  kind: vae\n"
                                     "  encoder:\n"
                                     "    - conv 32 kernel=4\n"
                                     "    - relu\n"
                                     "z: [1, 2]\n"
                                     "a: ''\n");
    assert_int_equal(root->kind, YAML_IS_MAP);
    assert_int_equal(root->n, 3);
    assert_string_equal(root->first->key->text, "model");
    assert_string_equal(root->last->key->text, "a");
    const yaml_node *encoder = yaml_get(yaml_get(root, "model"), "encoder");
    assert_int_equal(encoder->n, 2);
    assert_string_equal(encoder->first->text, "conv 32 kernel=4");
    assert_int_equal(encoder->last->line, 5);
    assert_int_equal(encoder->last->column, 7);
    assert_null(yaml_get(root, "b"));
    assert_null(yaml_get(encoder, "b"));
    assert_int_equal(yaml_fail(encoder->last, "no layer \"%s\"", "relu"), LT_VALUE);
    assert_string_equal(lt_last_error(), "r.yaml:5:7: no layer \"relu\"");
    arena_clear(&a);
}

static void yaml_errors_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *document, *message;
    } wrong[] = {
        {"", "r.yaml:1:1: the document is empty"},
        {"# nothing\n", "r.yaml:1:1: the document is empty"},
        {"a: 1\nb: 2\na: 3\n", "r.yaml:3:1: key \"a\" appears twice, first in line 1"},
        {"x: {y: 1, y: 2}", "r.yaml:1:11: key \"y\" appears twice"},
        {"a: &x 1\n", "r.yaml:1:4: anchors and aliases"},
        {"a: *x\n", "r.yaml:1:4: anchors and aliases"},
        {"a: [*x]\n", "r.yaml:1:5: anchors and aliases"},
        {"a: !!int 3\n", "r.yaml:1:4: tags"},
        {"!m {a: 1}\n", "r.yaml:1:1: tags"},
        {"a: 1\n---\nb: 2\n", "r.yaml:2:1: a second document"},
        {"a: 1\n...\n---\nb: 2\n", "r.yaml:3:1: a second document"},
        {"a: \xff\n", "r.yaml:1:4: "},
        {"a: 1\nb: \xc3", "r.yaml:2:4: "},
        {"a: \"\xed\xa0\x80\"", "r.yaml:1:5: "},
        {"a: \x01", "r.yaml:1:4: control characters"},
        {"a: \"\\0\"", "r.yaml:1:4: a zero byte"},
        {"? [a]\n: b\n", "r.yaml:1:3: a key must be"},
        {"a:\n\t- b\n", "r.yaml:2:1: "},
        {"a: [1, 2\n", "r.yaml:2:1: "},
        {"a: \"open\n", "r.yaml:2:1: "},
        {"a: b: c\n", "r.yaml:1:5: "},
        {"a: 1\n  b: 2\n", "r.yaml:2:4: "},
        {"- a\nb: 1\n", "r.yaml:2:1: "},
        {"%YAML 3.0\n--- a\n", "r.yaml:1:1: "},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
         "r.yaml:1:33: expected at most 32 levels (the limit recipe.depth), found 33"},
    };
    for (int i = 0; i < COUNT_OF(wrong); i++) {
        arena a = {0};
        yaml_node *root;
        const char *document = wrong[i].document;
        assert_int_equal(yaml_parse("r.yaml", document, strlen(document), &a, &root), LT_FORMAT);
        assert_null(root);
        assert_error_has(wrong[i].message);
        arena_clear(&a);
    }
}

static void yaml_limits_size_and_keys(void **state)
{
    (void)state;
    arena a = {0};
    yaml_node *root;
    text t = {0};
    text_append(&t, "a: ");
    while (t.size < (1 << 20))
        text_append(&t, "xxxxxxxxxxxxxxxx");
    t.data[1 << 20] = 0;
    assert_int_equal(yaml_parse("r", t.data, 1 << 20, &a, &root), LT_OK);
    assert_int_equal(yaml_parse("r", t.data, (1 << 20) + 1, &a, &root), LT_FORMAT);
    assert_error_has("at most 1048576 bytes (the limit recipe.bytes), found 1048577");
    t.size = 0;
    for (int i = 0; i < 1025; i++)
        text_format(&t, "k%d: %d\n", i, i);
    assert_int_equal(yaml_parse("r", t.data, t.size, &a, &root), LT_FORMAT);
    assert_error_has("r:1025:1: a map of more than 1024 keys");
    t.size = 0;
    text_format(&t, "%0*d: 1\n", 129, 0);
    assert_int_equal(yaml_parse("r", t.data, t.size, &a, &root), LT_FORMAT);
    assert_error_has("128 bytes");
    text_clear(&t);
    arena_clear(&a);
}

/* Every way to cut or damage one byte of a document ends in a tree or an error. */
static void damaged_yaml_never_crashes(void **state)
{
    (void)state;
    static const char document[] = "m: {a: [1, \"t\\n\", 'u'], b: |\n    text\n  }\n- é: >-\n  x\n";
    static const char good[] = "m: {a: [1, \"t\\n\", 'u']}\nb: |\n  text\nl:\n  - - x: y\n  - z\n";
    static const char *const documents[] = {document, good};
    static const char bytes_to_try[] = "\0\n\t :-[]{}\"'|>&*!%@#,?\\\x80\xff";
    for (int d = 0; d < 2; d++) {
        size_t n = strlen(documents[d]);
        for (size_t i = 0; i < n; i++)
            for (size_t b = 0; b < sizeof bytes_to_try; b++) {
                char copy[sizeof document + sizeof good];
                memcpy(copy, documents[d], n);
                copy[i] = bytes_to_try[b];
                arena a = {0};
                yaml_node *root;
                if (yaml_parse("r", copy, b ? n : i, &a, &root) != LT_OK)
                    assert_error_has("r:");
                arena_clear(&a);
            }
    }
}

static void unknown_keys_get_the_nearest_name(void **state)
{
    (void)state;
    static const char *const allowed[] = {"kind", "latent"};
    arena a = {0};
    yaml_node *root = parse_yaml(&a, "kind: vae\nlatnet: 3\n");
    assert_int_equal(yaml_check_keys(root, allowed, 2), LT_VALUE);
    assert_string_equal(lt_last_error(), "r.yaml:2:1: unknown key \"latnet\"; did you mean "
                                         "\"latent\"? (keys: kind, latent)");
    assert_int_equal(yaml_check_keys(parse_yaml(&a, "latent: 3"), allowed, 2), LT_OK);
    assert_int_equal(yaml_check_keys(parse_yaml(&a, "- 3"), allowed, 2), LT_VALUE);
    assert_string_equal(lt_last_error(), "r.yaml:1:1: expected a map, found a list");
    arena_clear(&a);
}

static void set_path_changes_one_place(void **state)
{
    (void)state;
    arena a = {0};
    yaml_node *root = parse_yaml(&a, "model:\n  kind: vae\n  latent: 16\n"
                                     "  encoder:\n    - relu\n    - tanh\n");
    assert_int_equal(yaml_set_path(&a, root, "model.latent", "32"), LT_OK);
    assert_int_equal(yaml_set_path(&a, root, "model.encoder.1", "linear 3"), LT_OK);
    assert_int_equal(yaml_set_path(&a, root, "train.optimizer.rate", "1e-3"), LT_OK);
    assert_int_equal(yaml_set_path(&a, root, "model.decoder", "[linear 10, relu]"), LT_OK);
    assert_int_equal(yaml_set_path(&a, root, "note", ""), LT_OK);
    text t = {0};
    yaml_print(root, &t);
    assert_string_equal(text_get(&t), "model:\n"
                                      "  kind: vae\n"
                                      "  latent: 32\n"
                                      "  encoder:\n"
                                      "    - relu\n"
                                      "    - linear 3\n"
                                      "  decoder:\n"
                                      "    - linear 10\n"
                                      "    - relu\n"
                                      "train:\n"
                                      "  optimizer:\n"
                                      "    rate: 1e-3\n"
                                      "note: \"\"\n");
    text_clear(&t);
    yaml_fail(yaml_get(yaml_get(root, "model"), "latent"), "too small");
    assert_string_equal(lt_last_error(), "--set model.latent:1:1: too small");
    arena_clear(&a);
}

static void set_path_refuses_wrong_places(void **state)
{
    (void)state;
    arena a = {0};
    yaml_node *root = parse_yaml(&a, "kind: vae\nlist:\n  - a\n");
    static const struct {
        const char *path, *value, *message;
    } wrong[] = {
        {"", "1", "not a key"},
        {"kind.", "1", "no \"\" in the value at r.yaml:1:7"},
        {".kind", "1", "not a key"},
        {"kind.sigma", "1", "--set kind.sigma: no \"sigma\" in the value at r.yaml:1:7: \"vae\""},
        {"list.1", "b", "the list at r.yaml:3:3 has no element \"1\"; it has 1"},
        {"list.x", "b", "has no element \"x\""},
        {"list.-1", "b", "has no element \"-1\""},
        {"two words", "b", "not a key"},
        {"a", "[1", "--set a:"},
        {"a", "x: y: z", "--set a:1:5"},
        {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "1", "at most 32 levels"},
        {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "", "at most 32 levels"},
    };
    for (int i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_not_equal(yaml_set_path(&a, root, wrong[i].path, wrong[i].value), LT_OK);
        assert_error_has(wrong[i].message);
    }
    arena_clear(&a);
}

static bool same_tree(const yaml_node *a, const yaml_node *b)
{
    if (a->kind != b->kind || a->n != b->n || strcmp(a->text, b->text) != 0 || !a->key != !b->key ||
        (a->key && strcmp(a->key->text, b->key->text) != 0))
        return false;
    const yaml_node *x = a->first, *y = b->first;
    while (x && y && same_tree(x, y)) {
        x = x->next;
        y = y->next;
    }
    return !x && !y;
}

static void assert_prints_back(arena *a, const yaml_node *root)
{
    text t = {0};
    yaml_print(root, &t);
    if (!same_tree(root, parse_yaml(a, text_get(&t))))
        fail_msg("printed as another tree:\n%s", text_get(&t));
    text_clear(&t);
}

static void printed_yaml_parses_to_the_same_tree(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "a",
        "''",
        "[]",
        "{}",
        "- 1\n- [2, [3, [], {}], {a: [b], c: {d: e}}]\n",
        "a:\n  - b: 1\n    c:\n      - d\n  - e\nf: {g: {}, h: []}\n",
        "text: |\n  one\n   two\n\n  three\nfolded: >\n  a\n  b\n",
        "? long key\n: x\n'a: b': y\n'': z\n",
    };
    arena a = {0};
    for (int i = 0; i < COUNT_OF(documents); i++)
        assert_prints_back(&a, parse_yaml(&a, documents[i]));
    arena_clear(&a);
}

/* Scalars of every letter and of every pair of those that mean something to YAML. */
static void any_scalar_prints_and_parses_back(void **state)
{
    (void)state;
    static const char letters[] = " -:#,?[]{}&*!|>'\"%@`\\\t\n\r.=<~0aé";
    static const char *const words[] = {"---",
                                        "--- a",
                                        "...",
                                        "null",
                                        "~",
                                        "yes",
                                        "-3",
                                        "- a",
                                        "-",
                                        "<<",
                                        "a: b",
                                        "a #b",
                                        "a:",
                                        "\xe2\x80\xa8",
                                        "\xc2\x85",
                                        "\xef\xbb\xbfx",
                                        "\xf0\x9f\x98\x80",
                                        "\x7f",
                                        "x \n",
                                        " x",
                                        "conv 32 kernel=4 # no",
                                        "C:\\dir",
                                        "a\\",
                                        "\"",
                                        "#",
                                        "\xef\xbf\xbf"};
    arena a = {0};
    yaml_node scalar = {.kind = YAML_IS_SCALAR, .file = "x", .text = ""};
    yaml_node key = scalar, map = {.kind = YAML_IS_MAP, .text = "", .n = 1}, list = map, value;
    list.kind = YAML_IS_LIST;
    list.n = 1;
    int n = (int)sizeof letters - 1;
    for (int i = 0; i < n * n + COUNT_OF(words); i++) {
        char pair[4] = {letters[i % n], letters[i / n % n], 'x', 0};
        if ((i % n) >= n - 2 || i / n % n >= n - 2) /* half of a two-byte letter */
            strcpy(pair, "é");
        const char *word = i < n * n ? pair : words[i - n * n];
        scalar.text = key.text = word;
        scalar.key = NULL;
        assert_prints_back(&a, &scalar);
        value = scalar;
        list.first = list.last = &value;
        assert_prints_back(&a, &list);
        value.key = &key;
        map.first = map.last = &value;
        assert_prints_back(&a, &map);
        pair[2] = 0;
        assert_prints_back(&a, &map);
    }
    arena_clear(&a);
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
        cmocka_unit_test(yaml_keeps_order_and_places),
        cmocka_unit_test(yaml_errors_say_where),
        cmocka_unit_test(yaml_limits_size_and_keys),
        cmocka_unit_test(damaged_yaml_never_crashes),
        cmocka_unit_test(unknown_keys_get_the_nearest_name),
        cmocka_unit_test(set_path_changes_one_place),
        cmocka_unit_test(set_path_refuses_wrong_places),
        cmocka_unit_test(printed_yaml_parses_to_the_same_tree),
        cmocka_unit_test(any_scalar_prints_and_parses_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
