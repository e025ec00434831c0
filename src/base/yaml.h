/* SPDX-License-Identifier: MIT */
/* Recipes as a tree of scalars, lists and maps; every node has its position in the file.
   A strict subset of YAML: one document of at most 1 MiB and 32 levels, in UTF-8, without tags,
   anchors, aliases and duplicate keys. Nodes live in the caller's arena. */
#ifndef LATENT_YAML_H
#define LATENT_YAML_H

#include "base/memory.h"
#include "base/text.h"

typedef enum yaml_kind { YAML_IS_SCALAR, YAML_IS_LIST, YAML_IS_MAP } yaml_kind;

typedef struct yaml_node yaml_node;
struct yaml_node {
    yaml_kind kind;
    const char *file;
    int line, column;       /* from 1 */
    const char *text;       /* of a scalar; "" in lists and maps */
    int n;                  /* children of a list or map, in the order written: */
    yaml_node *first, *last;
    yaml_node *next;        /* the next child of the same parent */
    yaml_node *key;         /* scalar; NULL unless the parent is a map */
};

/* `label` is the file name in messages: "label:line:column: ...", LT_FORMAT. */
int yaml_parse(const char *label, const char *data, size_t size, arena *a, yaml_node **root);

/* Checks the encoding. LT_FORMAT, with advice, for UTF-16 and for binary data. yaml_parse accepts UTF-8 with or
   without a byte order mark. */
int yaml_check_encoding(const char *label, const char *data, size_t size);

/* The value of a key, or NULL (also when `map` is not a map). */
yaml_node *yaml_get(const yaml_node *map, const char *key);

/* Fails with LT_VALUE and "file:line:column: message". */
int yaml_fail(const yaml_node *node, const char *format, ...) LT_PRINTF(2, 3);

/* LT_VALUE unless the node is of that kind: "expected a map, found a list". */
int yaml_expect(const yaml_node *node, yaml_kind kind);

/* Returns the first key of `map` that is not among the `n` keys `allowed`, or NULL. */
const yaml_node *yaml_unknown_key(const yaml_node *map, const char *const *allowed, int n);

/* LT_VALUE unless `map` is a map without keys other than the `n` keys `allowed`; names the nearest. */
int yaml_check_keys(const yaml_node *map, const char *const *allowed, int n);

/* `--set model.latent=32`: parses `value` as YAML and puts it at `path`; list elements go by index
   (`model.encoder.0`). Creates missing maps and keys, but not list elements. */
int yaml_set_path(arena *a, yaml_node *root, const char *path, const char *value);

/* Like yaml_set_path, but stores `value` as text without parsing it. LT_VALUE also for invalid UTF-8. */
int yaml_set_text(arena *a, yaml_node *root, const char *path, const char *value);

/* Writes block style that yaml_parse reads back as the same tree. */
void yaml_print(const yaml_node *node, text *out);

/* Writes one scalar that every reader of YAML takes as this text: what others would read as a number,
   a date, a truth value or nothing is quoted. */
void yaml_print_text(const char *s, text *out);

#endif
