/* SPDX-License-Identifier: MIT */
#include "base/yaml.h"

#include "base/ceilings.h"
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

enum {
    MAX_KEYS = 1024,      /* of one map: the search for duplicates is quadratic */
    MAX_KEY_LENGTH = 128, /* YAML wants keys of one line and 1024 characters */
};

static const char *const kind_names[] = {
    [YAML_IS_SCALAR] = "a value", [YAML_IS_LIST] = "a list", [YAML_IS_MAP] = "a map"};

/* ---- Messages ---- */

int yaml_fail(const yaml_node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    status_fail_list(LT_VALUE, format, args);
    va_end(args);
    return status_prefix(LT_VALUE, "%s:%d:%d", node->file, node->line, node->column);
}

int yaml_expect(const yaml_node *node, yaml_kind kind)
{
    if (node->kind == kind)
        return LT_OK;
    return yaml_fail(node, "expected %s, found %s", kind_names[kind], kind_names[node->kind]);
}

/* ---- Parsing ---- */

typedef struct parsing {
    yaml_parser_t parser;
    const char *file, *data;
    size_t size;
    arena *nodes;
} parsing;

static int fail_at(const parsing *p, size_t line, size_t column, const char *problem,
                   const char *context)
{
    return status_fail(LT_FORMAT, "%s:%zu:%zu: %s%s%s", p->file, line, column, problem,
                       context ? " " : "", context ? context : "");
}

static int fail_mark(const parsing *p, yaml_mark_t at, const char *problem)
{
    return fail_at(p, at.line + 1, at.column + 1, problem, NULL);
}

/* libyaml says where a bad byte is by its offset only. */
static int fail_offset(const parsing *p, size_t offset, const char *problem)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < offset && i < p->size; i++) {
        bool is_continuation = ((unsigned char)p->data[i] & 0xC0) == 0x80;
        column += !is_continuation;
        if (p->data[i] == '\n') {
            line++;
            column = 1;
        }
    }
    bool is_letter = strstr(problem, "octet") != NULL;
    return fail_at(p, line, column, problem,
                   is_letter ? "(the file must be UTF-8; this may be a letter of another encoding)"
                             : NULL);
}

/* The byte of a tab among the blanks that line `line` (from 0) begins with. */
static bool find_tab(const parsing *p, size_t line, size_t *offset)
{
    size_t at = 0;
    for (; line && at < p->size; at++)
        line -= p->data[at] == '\n';
    while (at < p->size && p->data[at] == ' ')
        at++;
    *offset = at;
    return at < p->size && p->data[at] == '\t';
}

static int fail_tab(const parsing *p, size_t offset)
{
    return fail_offset(p, offset, "a tab before the first word of a line; YAML is indented by spaces "
                                  "alone: replace it by spaces");
}

static int next_event(parsing *p, yaml_event_t *event)
{
    const yaml_parser_t *y = &p->parser;
    if (yaml_parser_parse(&p->parser, event))
        return LT_OK;
    const char *problem = y->problem ? y->problem : "malformed YAML";
    size_t tab;
    if (y->error == YAML_MEMORY_ERROR)
        return status_fail(LT_NO_MEMORY, "%s: no memory to parse it", p->file);
    if (y->error == YAML_READER_ERROR)
        return fail_offset(p, y->problem_offset, problem);
    if (find_tab(p, y->problem_mark.line, &tab) || find_tab(p, y->context_mark.line, &tab))
        return fail_tab(p, tab);
    return fail_at(p, y->problem_mark.line + 1, y->problem_mark.column + 1, problem, y->context);
}

static yaml_node *make_node(arena *a, yaml_kind kind, const char *file, size_t line, size_t column)
{
    yaml_node *node = arena_alloc(a, sizeof *node);
    node->kind = kind;
    node->file = file;
    node->line = (int)line;
    node->column = (int)column;
    node->text = "";
    return node;
}

static void add_child(yaml_node *parent, yaml_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->n++;
}

static int check_properties(const parsing *p, const yaml_event_t *e)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (e->type == YAML_SCALAR_EVENT) {
        anchor = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        anchor = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        anchor = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
    }
    if (e->type == YAML_ALIAS_EVENT || anchor)
        return fail_mark(p, e->start_mark, "anchors and aliases are not supported");
    if (tag)
        return fail_mark(p, e->start_mark, "tags are not supported");
    return LT_OK;
}

static int parse_node(parsing *p, const yaml_event_t *event, int depth, yaml_node **node);

static int parse_scalar(parsing *p, const yaml_event_t *e, yaml_node *node)
{
    const char *value = (const char *)e->data.scalar.value;
    size_t length = e->data.scalar.length;
    if (memchr(value, 0, length))
        return fail_mark(p, e->start_mark, "a zero byte in a value");
    node->text = arena_copy_text(p->nodes, value);
    return LT_OK;
}

static int check_key(parsing *p, const yaml_node *map, const yaml_node *key)
{
    const char *problem = NULL;
    if (key->kind != YAML_IS_SCALAR)
        problem = "a key must be a plain word";
    else if (strlen(key->text) > MAX_KEY_LENGTH)
        problem = "a key longer than 128 bytes";
    else if (map->n >= MAX_KEYS)
        problem = "a map of more than 1024 keys";
    if (problem)
        return fail_at(p, (size_t)key->line, (size_t)key->column, problem, NULL);
    const yaml_node *earlier = yaml_get(map, key->text);
    if (!earlier)
        return LT_OK;
    return status_fail(LT_FORMAT, "%s:%d:%d: key \"%s\" appears twice, first in line %d", p->file,
                       key->line, key->column, key->text, earlier->key->line);
}

/* The children of a list or map, up to its end event. */
static int parse_children(parsing *p, int depth, yaml_node *parent)
{
    yaml_node *key = NULL;
    for (;;) {
        yaml_event_t event;
        LT_TRY(next_event(p, &event));
        if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return LT_OK;
        }
        yaml_node *child;
        int status = parse_node(p, &event, depth + 1, &child);
        yaml_event_delete(&event);
        LT_TRY(status);
        if (parent->kind == YAML_IS_MAP && !key) {
            LT_TRY(check_key(p, parent, child));
            key = child;
            continue;
        }
        child->key = key;
        key = NULL;
        add_child(parent, child);
    }
}

static int parse_node(parsing *p, const yaml_event_t *event, int depth, yaml_node **node)
{
    LT_TRY(check_properties(p, event));
    if ((uint64_t)depth > limit_of(LIMIT_RECIPE_DEPTH))
        return limit_check(LIMIT_RECIPE_DEPTH,
                           arena_format(p->nodes, "%s:%zu:%zu", p->file, event->start_mark.line + 1,
                                        event->start_mark.column + 1),
                           (uint64_t)depth);
    yaml_kind kind = event->type == YAML_SEQUENCE_START_EVENT  ? YAML_IS_LIST
                     : event->type == YAML_MAPPING_START_EVENT ? YAML_IS_MAP
                                                               : YAML_IS_SCALAR;
    *node = make_node(p->nodes, kind, p->file, event->start_mark.line + 1,
                      event->start_mark.column + 1);
    if (kind == YAML_IS_SCALAR)
        return parse_scalar(p, event, *node);
    return parse_children(p, depth, *node);
}

/* Stream start, one document, stream end. `*root` stays NULL in an empty stream. */
static int parse_stream(parsing *p, int depth, yaml_node **root)
{
    for (;;) {
        yaml_event_t event;
        LT_TRY(next_event(p, &event));
        yaml_event_type_t type = event.type;
        int status = LT_OK;
        if (type == YAML_DOCUMENT_START_EVENT && *root)
            status = fail_mark(p, event.start_mark, "a second document");
        else if (type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT &&
                 type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT)
            status = parse_node(p, &event, depth, root);
        yaml_event_delete(&event);
        LT_TRY(status);
        if (type == YAML_STREAM_END_EVENT)
            return LT_OK;
    }
}

static int parse_at_depth(const char *label, const char *data, size_t size, int depth, arena *a,
                          yaml_node **root)
{
    *root = NULL;
    LT_TRY(limit_check(LIMIT_RECIPE_BYTES, label, size));
    parsing p = {.file = arena_copy_text(a, label), .data = data, .size = size, .nodes = a};
    if (!yaml_parser_initialize(&p.parser))
        return status_fail(LT_NO_MEMORY, "%s: no memory to parse it", label);
    yaml_parser_set_encoding(&p.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p.parser, (const unsigned char *)data, size);
    yaml_node *node = NULL;
    int status = parse_stream(&p, depth, &node);
    yaml_parser_delete(&p.parser);
    if (status == LT_OK)
        *root = node;
    return status;
}

int yaml_check_encoding(const char *label, const char *data, size_t size)
{
    const unsigned char *b = (const unsigned char *)data;
    bool is_utf16 = size >= 2 && ((b[0] == 0xFF && b[1] == 0xFE) || (b[0] == 0xFE && b[1] == 0xFF) ||
                                  !b[0] != !b[1]); /* or a mark is missing: letters and zeros */
    if (is_utf16)
        return status_fail(LT_FORMAT, "%s: expected text in UTF-8, found UTF-16; save it as UTF-8",
                           label);
    const char *zero = size ? memchr(data, 0, size) : NULL;
    if (zero)
        return status_fail(LT_FORMAT, "%s: not a recipe: a zero byte, at byte %zu", label,
                           (size_t)(zero - data));
    return LT_OK;
}

int yaml_parse(const char *label, const char *data, size_t size, arena *a, yaml_node **root)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* before UTF-8 it says nothing */
    if (size >= 3 && memcmp(data, mark, 3) == 0) {
        data += 3;
        size -= 3;
    }
    LT_TRY(parse_at_depth(label, data, size, 1, a, root));
    return *root ? LT_OK : status_fail(LT_FORMAT, "%s:1:1: the document is empty", label);
}

/* ---- Access ---- */

yaml_node *yaml_get(const yaml_node *map, const char *key)
{
    if (map->kind != YAML_IS_MAP)
        return NULL;
    yaml_node *child = map->first;
    while (child && strcmp(child->key->text, key) != 0)
        child = child->next;
    return child;
}

static bool is_one_of(const char *word, const char *const *words, int n)
{
    int i = 0;
    while (i < n && strcmp(word, words[i]) != 0)
        i++;
    return i < n;
}

/* Returns the first key that is not allowed, or NULL. */
const yaml_node *yaml_unknown_key(const yaml_node *map, const char *const *allowed, int n)
{
    const yaml_node *child = map->first;
    while (child && is_one_of(child->key->text, allowed, n))
        child = child->next;
    return child;
}

int yaml_check_keys(const yaml_node *map, const char *const *allowed, int n)
{
    LT_TRY(yaml_expect(map, YAML_IS_MAP));
    const yaml_node *child = yaml_unknown_key(map, allowed, n);
    if (!child)
        return LT_OK;
    text more = {0};
    const char *nearest = text_nearest(child->key->text, text_item, allowed, n);
    if (nearest)
        text_format(&more, "; did you mean \"%s\"?", nearest);
    for (int i = 0; i < n; i++)
        text_format(&more, "%s%s", i ? ", " : " (keys: ", allowed[i]);
    if (n)
        text_append(&more, ")");
    yaml_fail(child->key, "unknown key \"%s\"%s", child->key->text, text_get(&more));
    text_clear(&more);
    return LT_VALUE;
}

/* ---- Changing ---- */

/* A change in progress: `--set PATH=VALUE`; `at` is what is left of PATH. */
typedef struct change {
    arena *nodes;
    const char *label, *at;
} change;

static yaml_node *list_element(const change *c, const yaml_node *list, const char *name)
{
    int64_t index;
    if (!text_to_int64(name, &index) || index < 0 || index >= list->n) {
        status_fail(LT_VALUE, "%s: the list at %s:%d:%d has no element \"%s\"; it has %d", c->label,
                    list->file, list->line, list->column, name, list->n);
        return NULL;
    }
    yaml_node *child = list->first;
    while (index-- > 0)
        child = child->next;
    return child;
}

static bool is_new_key(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return n > 0 && !name[n] && n <= MAX_KEY_LENGTH;
}

static yaml_node *map_element(const change *c, yaml_node *map, const char *name)
{
    yaml_node *child = yaml_get(map, name);
    if (child)
        return child;
    if (!is_new_key(name) || map->n >= MAX_KEYS) {
        status_fail(LT_VALUE, "%s: not a key: \"%s\"", c->label, name);
        return NULL;
    }
    /* becomes a scalar in the end if it is the last of the path */
    child = make_node(c->nodes, YAML_IS_MAP, c->label, 1, 1);
    child->key = make_node(c->nodes, YAML_IS_SCALAR, c->label, 1, 1);
    child->key->text = arena_copy_text(c->nodes, name);
    add_child(map, child);
    return child;
}

static yaml_node *next_on_path(change *c, yaml_node *parent)
{
    size_t n = strcspn(c->at, ".");
    char *name = must_format("%.*s", (int)n, c->at);
    yaml_node *child = NULL;
    if (parent->kind == YAML_IS_MAP)
        child = map_element(c, parent, name);
    else if (parent->kind == YAML_IS_LIST)
        child = list_element(c, parent, name);
    else
        status_fail(LT_VALUE, "%s: no \"%s\" in the value at %s:%d:%d: \"%s\"", c->label, name,
                    parent->file, parent->line, parent->column, parent->text);
    free(name);
    c->at = c->at[n] ? c->at + n + 1 : NULL;
    return child;
}

static int count_dots(const char *path)
{
    int n = 0;
    for (; *path; path++)
        n += *path == '.';
    return n;
}

static change begin_change(arena *a, const char *path)
{
    return (change){.nodes = a, .label = arena_format(a, "--set %s", path), .at = path};
}

/* Puts `fresh` at the path. */
static int put(change *c, yaml_node *root, yaml_node *fresh)
{
    LT_TRY(limit_check(LIMIT_RECIPE_DEPTH, c->label, (uint64_t)count_dots(c->at) + 2));
    yaml_node *node = root;
    while (c->at) {
        node = next_on_path(c, node);
        if (!node)
            return LT_VALUE;
    }
    fresh->key = node->key;
    fresh->next = node->next;
    *node = *fresh; /* in place: the parent's list stays as it is */
    return LT_OK;
}

int yaml_set_path(arena *a, yaml_node *root, const char *path, const char *value)
{
    change c = begin_change(a, path);
    yaml_node *fresh;
    LT_TRY(parse_at_depth(c.label, value, strlen(value), count_dots(path) + 2, a, &fresh));
    if (!fresh) /* nothing is an empty value */
        fresh = make_node(a, YAML_IS_SCALAR, c.label, 1, 1);
    return put(&c, root, fresh);
}

int yaml_set_text(arena *a, yaml_node *root, const char *path, const char *value)
{
    change c = begin_change(a, path);
    if (!text_is_utf8(value))
        return status_fail(LT_VALUE,
                           "%s: expected text in UTF-8, found other bytes: \"%s\"; a recipe is UTF-8, "
                           "so give the file another name, or a link to it",
                           c.label, value);
    yaml_node *fresh = make_node(a, YAML_IS_SCALAR, c.label, 1, 1);
    fresh->text = arena_copy_text(a, value);
    return put(&c, root, fresh);
}

/* ---- Printing ---- */

static bool is_utf8_tail(unsigned char c) { return (c & 0xC0) == 0x80; }

/* Plain scalars: what YAML cannot take for anything else, wherever it stands in block style. */
static bool is_plain(const char *s)
{
    static const char indicators[] = "?:,[]{}#&*!|>'\"%@` ";
    size_t n = strlen(s);
    if (!n || strchr(indicators, s[0]) || s[n - 1] == ' ' || s[n - 1] == ':')
        return false;
    if (s[0] == '-' && (s[1] == 0 || s[1] == ' ' || s[1] == '-'))
        return false;
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] < ' ' || (unsigned char)s[i] >= 0x7f)
            return false;
        if ((s[i] == ':' && s[i + 1] == ' ') || (s[i] == ' ' && s[i + 1] == '#'))
            return false;
    }
    return strncmp(s, "...", 3) != 0;
}

/* Letters beyond ASCII stay as they are, but for C1 controls, line separators, byte order marks
   and what is not text: those are written by number. `s` is valid UTF-8; returns its length. */
static int append_letter(const char *s, text *out)
{
    const unsigned char *u = (const unsigned char *)s;
    int n = 1;
    while (is_utf8_tail(u[n]))
        n++;
    static const unsigned char first_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned code = u[0] & first_mask[n < 4 ? n : 4];
    for (int i = 1; i < n; i++)
        code = code << 6 | (u[i] & 0x3fu);
    bool is_printable = code >= 0xA0 && code != 0x2028 && code != 0x2029 && code != 0xFEFF &&
                        !(code >= 0xD800 && code < 0xE000) && code < 0xFFFE;
    if (is_printable)
        text_append_bytes(out, s, (size_t)n);
    else
        text_format(out, "\\U%08X", code);
    return n;
}

static void append_quoted(const char *s, text *out)
{
    text_append(out, "\"");
    while (*s) {
        unsigned char c = (unsigned char)*s;
        if (c >= 0x80) {
            s += append_letter(s, out);
            continue;
        }
        if (c == '\n')
            text_append(out, "\\n");
        else if (c < ' ' || c == 0x7f)
            text_format(out, "\\x%02X", c);
        else
            text_format(out, "%s%c", c == '"' || c == '\\' ? "\\" : "", c);
        s++;
    }
    text_append(out, "\"");
}

static void append_scalar(const char *s, text *out)
{
    if (is_plain(s))
        text_append(out, s);
    else
        append_quoted(s, out);
}

/* What YAML 1.1 or 1.2 readers take for something else than text when it is not quoted. */
static bool is_other_value(const char *s)
{
    static const char *const words[] = {"~",  "null", "true", "false", "yes", "no",
                                        "on", "off",  "y",    "n",     "<<",  "="};
    for (int i = 0; i < COUNT_OF(words); i++)
        if (strcasecmp(s, words[i]) == 0)
            return true;
    const char *digits = s + (*s == '-' || *s == '+');
    digits += *digits == '.';
    bool is_named = strcasecmp(digits, "inf") == 0 || strcasecmp(digits, "nan") == 0;
    if (is_named && digits > s)
        return true;
    bool is_number = *digits >= '0' && *digits <= '9'; /* or a date, or 12:30:45, or 0x1F */
    return is_number && s[strspn(s, "0123456789abcdefABCDEFxXoOtTzZ_.:+-, ")] == 0;
}

void yaml_print_text(const char *s, text *out)
{
    if (is_plain(s) && !is_other_value(s))
        text_append(out, s);
    else
        append_quoted(s, out);
}

/* Writes the children of a list or map, one a line; the first goes on the line begun already if
   `is_begun`, as in `- key: value`. */
static void print_children(const yaml_node *parent, int indent, bool is_begun, text *out)
{
    for (const yaml_node *child = parent->first; child; child = child->next) {
        if (!is_begun || child != parent->first)
            text_format(out, "%*s", indent, "");
        bool is_inner = child->kind != YAML_IS_SCALAR && child->n > 0;
        if (child->key) {
            append_scalar(child->key->text, out);
            text_append(out, is_inner ? ":\n" : ": ");
        } else {
            text_append(out, "- ");
        }
        if (is_inner)
            print_children(child, indent + 2, !child->key, out);
        else
            yaml_print(child, out);
    }
}

void yaml_print(const yaml_node *node, text *out)
{
    if (node->kind != YAML_IS_SCALAR && node->n > 0) {
        print_children(node, 0, false, out);
        return;
    }
    if (node->kind == YAML_IS_SCALAR)
        append_scalar(node->text, out);
    else
        text_append(out, node->kind == YAML_IS_LIST ? "[]" : "{}");
    text_append(out, "\n");
}
