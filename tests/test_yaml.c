/* SPDX-License-Identifier: MIT */
/* YAML: trees with the places of their parts, printed so that they parse to the same. */
#include "base/memory.h"
#include "base/status.h"
#include "base/philox.h"
#include "base/text.h"
#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "says.h"

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
        assert_says(wrong[i].message);
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
    assert_says("at most 1048576 bytes (the limit recipe.bytes), found 1048577");
    t.size = 0;
    for (int i = 0; i < 1025; i++)
        text_format(&t, "k%d: %d\n", i, i);
    assert_int_equal(yaml_parse("r", t.data, t.size, &a, &root), LT_FORMAT);
    assert_says("r:1025:1: a map of more than 1024 keys");
    t.size = 0;
    text_format(&t, "%0*d: 1\n", 129, 0);
    assert_int_equal(yaml_parse("r", t.data, t.size, &a, &root), LT_FORMAT);
    assert_says("128 bytes");
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
                    assert_says("r:");
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
        assert_says(wrong[i].message);
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
