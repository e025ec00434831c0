/* SPDX-License-Identifier: MIT */
/* The keys of a recipe as tables: one definition for reading, printing, and help. */
#include "recipe/recipe.h"

#include "base/memory.h"
#include "base/status.h"
#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>

/* ---- The tables ---- */

static const lt_option head_options[] = {
    {.name = "name", .kind = LT_KIND_TEXT, .offset = offsetof(recipe_head, name),
     .help = "name of the recipe and its runs; empty: the file's name"},
    {.name = "summary", .kind = LT_KIND_TEXT, .offset = offsetof(recipe_head, summary),
     .help = "one-line description"},
    {.name = "seed", .kind = LT_KIND_INT, .offset = offsetof(recipe_head, seed), .fallback = 1,
     .max = 9e15, .help = "seed of initial weights, order of images and noise"},
    {0}};

static const lt_option steps_options[] = {
    {.name = "optimizer", .kind = LT_KIND_TEXT, .offset = offsetof(recipe_steps, optimizer),
     .choices = "adam", .help = "an optimizer"},
    {.name = "learning_rate_schedule", .kind = LT_KIND_TEXT,
     .offset = offsetof(recipe_steps, learning_rate_schedule), .choices = "constant",
     .help = "a schedule"},
    {0}};

static const lt_option set_options[] = {
    {.name = "set", .kind = LT_KIND_PATH, .offset = offsetof(recipe_data, set),
     .choices = "",
     .help = "name of a data set in the catalog, or a path; \"\": given by --data or by a program"},
    {0}};

static const lt_option model_options[] = {
    {.name = "kind", .kind = LT_KIND_TEXT, .offset = offsetof(recipe_model, kind),
     .choices = "vae", .help = "kind of model; determines the other keys and lists"},
    {.name = "latent", .kind = LT_KIND_INT, .offset = offsetof(recipe_model, latent), .min = 1,
     .max = 65536, .required = true, .help = "dimensions of z"},
    {.name = "init", .kind = LT_KIND_TEXT, .offset = offsetof(recipe_model, init),
     .choices = "pytorch", .help = "an initializer"},
    {0}};

static const lt_option train_options[] = {
    {.name = "epochs", .kind = LT_KIND_INT, .offset = offsetof(lt_train_options, epochs),
     .fallback = 20, .min = 1, .max = 1e6, .help = "passes over the training images"},
    {.name = "batch", .kind = LT_KIND_INT, .offset = offsetof(lt_train_options, batch),
     .fallback = 128, .min = 1, .max = 65536, .help = "images per step"},
    {.name = "samples_every", .kind = LT_KIND_INT,
     .offset = offsetof(lt_train_options, samples_every), .fallback = 1, .max = 1e6,
     .help = "epochs between sample images; 0: none"},
    {.name = "samples_at", .kind = LT_KIND_TEXT, .offset = offsetof(lt_train_options, samples_at),
     .choices = "", .help = "additional epochs with sample images, as in \"1, 30, 50\""},
    {.name = "checkpoint_every", .kind = LT_KIND_INT,
     .offset = offsetof(lt_train_options, checkpoint_every), .fallback = 1, .max = 1e6,
     .help = "epochs between checkpoints; 0: only at the end"},
    {.name = "keep_checkpoints", .kind = LT_KIND_INT, .offset = offsetof(lt_train_options, keep_checkpoints),
     .fallback = 2, .max = 1e6, .help = "newest checkpoints to keep; 0: all"},
    {.name = "clip_norm", .kind = LT_KIND_REAL, .offset = offsetof(lt_train_options, clip_norm),
     .max = 1e9, .help = "largest norm of the gradient; 0: no limit"},
    {.name = "ema_decay", .kind = LT_KIND_REAL, .offset = offsetof(lt_train_options, ema_decay),
     .max = 0.9999999,
     .help = "decay of the moving average of the weights, used to evaluate and sample; 0: none"},
    {0}};

/* Adds the lists and maps of the kind's networks, each once. */
static void add_inner(section *s)
{
    int n = 0;
    for (const kind_network *net = s->kind->networks; net->key; net++) {
        const char *key = net->within ? net->within : net->key;
        bool is_there = false;
        for (int i = 0; i < n; i++)
            is_there |= strcmp(s->inner[i], key) == 0;
        if (!is_there)
            s->inner[n++] = key;
        LT_ASSERT(n < RECIPE_INNER);
    }
}

section recipe_section(lt_recipe *r, int which)
{
    const recipe_kind *kind = recipe_kind_of(r);
    section s = {.kinds = r->kinds, .kind = kind};
    switch (which) {
    case RECIPE_TOP:
        return (section){"recipe", {{head_options, &r->head}, {steps_options, &r->steps}},
                         {"data", "model", "objective", "train"}, r->kinds, kind};
    case RECIPE_DATA:
        return (section){"data", {{set_options, &r->data}, {data_options, &r->data_options}}, {NULL}, r->kinds, kind};
    case RECIPE_MODEL:
        s.name = "model";
        s.parts[0] = (section_part){model_options, &r->model};
        s.parts[1] = (section_part){kind->model_keys, r->model_options};
        add_inner(&s);
        return s;
    case RECIPE_OBJECTIVE:
        return (section){"objective", {{kind->spec.options, r->kind.options}}, {NULL}, r->kinds, kind};
    default:
        return (section){"train", {{train_options, &r->train}}, {NULL}, r->kinds, kind};
    }
}

section recipe_section_of(const spec_table *kinds, const recipe_kind *kind, int which)
{
    lt_recipe *r = must_alloc(sizeof *r);
    r->kinds = kinds;
    r->kind.row = &kind->spec;
    section s = recipe_section(r, which);
    for (int i = 0; i < COUNT_OF(s.parts); i++)
        s.parts[i].options = NULL;
    free(r);
    return s;
}

/* For help; "objective" has its own table. */
const spec_row *recipe_section_row(int i)
{
    static const spec_row rows[] = {
        {.name = "recipe", .summary = "top level", .options = head_options},
        {.name = "recipe", .summary = "top level: optimization", .options = steps_options},
        {.name = "data", .summary = "the data set", .options = set_options},
        {.name = "data", .summary = "reading it", .options = data_options},
        {.name = "model", .summary = "all kinds", .options = model_options},
        [RECIPE_KIND_ROWS] = {.name = "train", .summary = "duration, checkpoints, samples", .options = train_options},
    };
    return i >= 0 && i < COUNT_OF(rows) ? &rows[i] : NULL;
}

/* ---- The kind ---- */

const recipe_kind *recipe_kind_of(const lt_recipe *r) { return (const recipe_kind *)r->kind.row; }

const recipe_kind *kind_named(const spec_table *kinds, const char *name)
{
    for (int i = 0; kinds->rows[i]; i++)
        if (strcmp(kinds->rows[i]->name, name) == 0)
            return (const recipe_kind *)kinds->rows[i];
    return NULL;
}

char *kind_network_path(const kind_network *n)
{
    return n->within ? must_format("model.%s.%s", n->within, n->key) : must_format("model.%s", n->key);
}

char *kind_line_path(const kind_line *l) { return must_format("%s.%s", l->section, l->key); }

/* ---- Reading ---- */

enum { MAX_KEYS = 32 };

static int list_keys(const section *s, const char *keys[MAX_KEYS])
{
    int n = 0;
    for (int i = 0; i < COUNT_OF(s->parts) && s->parts[i].table; i++)
        for (const lt_option *row = s->parts[i].table; row->name; row++)
            keys[n++] = row->name;
    for (int i = 0; i < RECIPE_INNER && s->inner[i]; i++)
        keys[n++] = s->inner[i];
    LT_ASSERT(n <= MAX_KEYS);
    return n;
}

static int set_value(const section *s, const section_part *part, const yaml_node *value)
{
    LT_TRY(yaml_expect(value, YAML_IS_SCALAR));
    int status = options_set(s->name, part->table, part->options, value->key->text, value->text);
    if (status != LT_OK)
        status_prefix(status, "%s:%d:%d", value->file, value->line, value->column);
    return status;
}

static int read_part(const section *s, const section_part *part, const yaml_node *map)
{
    options_defaults(part->table, part->options);
    for (const lt_option *row = part->table; row->name; row++) {
        const yaml_node *value = yaml_get(map, row->name);
        if (value)
            LT_TRY(set_value(s, part, value));
        else if (row->required)
            return yaml_fail(map, "%s: \"%s\" is missing (%s)", s->name, row->name, row->help);
    }
    return LT_OK;
}

/* The key as written; for `--set optimizer.lr=1`, the whole path. The caller frees it. */
static char *written_key(const yaml_node *node)
{
    static const char set[] = "--set ";
    bool is_set = strncmp(node->file, set, strlen(set)) == 0;
    return must_copy_text(is_set ? node->file + strlen(set) : node->key->text);
}

/* The kind of model of the recipe that contains the map; NULL: not known yet. */
static const recipe_kind *find_kind(const section *s, const yaml_node *map)
{
    if (s->kind)
        return s->kind;
    const yaml_node *model = yaml_get(map, "model"), *kind = model ? yaml_get(model, "kind") : NULL;
    return kind_named(s->kinds, kind && kind->text ? kind->text : model_options[0].choices);
}

static int fail_key(const section *s, const yaml_node *map, const yaml_node *child,
                    const char *const *keys, int n)
{
    text more = {0};
    char *written = written_key(child);
    recipe_suggest_key(s->kinds, find_kind(s, map), written, keys, n, &more);
    for (int i = 0; i < n; i++)
        text_format(&more, "%s%s", i ? ", " : " (keys: ", keys[i]);
    text_append(&more, n ? ")" : "");
    yaml_fail(child->key, "unknown key \"%s\"%s", child->key->text, text_get(&more));
    free(written);
    text_clear(&more);
    return LT_VALUE;
}

int section_read(const section *s, const yaml_node *map)
{
    const char *keys[MAX_KEYS];
    int n = list_keys(s, keys);
    LT_TRY(yaml_expect(map, YAML_IS_MAP));
    const yaml_node *unknown = yaml_unknown_key(map, keys, n);
    if (unknown)
        return fail_key(s, map, unknown, keys, n);
    for (int i = 0; i < COUNT_OF(s->parts) && s->parts[i].table; i++)
        LT_TRY(read_part(s, &s->parts[i], map));
    return LT_OK;
}

/* ---- Printing ---- */

void section_print_value(const lt_option *row, const void *options, text *out)
{
    if (row->kind == LT_KIND_TEXT || row->kind == LT_KIND_PATH)
        yaml_print_text((const char *)options + row->offset, out);
    else
        options_print((const lt_option[]){{.name = row->name,
                                           .kind = row->kind,
                                           .offset = row->offset,
                                           .choices = row->choices,
                                           .positional = true},
                                          {0}},
                      options, out);
}

static void print_part(const section_part *part, int indent, text *out)
{
    for (const lt_option *row = part->table; row->name; row++) {
        text_format(out, "%*s%s: ", indent, "", row->name);
        section_print_value(row, part->options, out);
        text_append(out, "\n");
    }
}

static void print_networks(const lt_recipe *r, text *out)
{
    const kind_network *list = recipe_kind_of(r)->networks;
    const char *within = NULL;
    for (int i = 0; list[i].key; i++) {
        if (!recipe_has_network(r, i))
            continue;
        if (list[i].within && (!within || strcmp(within, list[i].within) != 0))
            text_format(out, "  %s:\n", list[i].within);
        within = list[i].within;
        network_print(recipe_network(r, i), within ? 4 : 2, list[i].key, out);
    }
}

static void print_section(lt_recipe *r, int which, text *out)
{
    section s = recipe_section(r, which);
    if (!s.parts[0].table->name) /* YAML has no empty block map */
        return;
    text_format(out, "%s:\n", s.name);
    for (int i = 0; i < COUNT_OF(s.parts) && s.parts[i].table; i++)
        print_part(&s.parts[i], 2, out);
}

void recipe_print(lt_recipe *r)
{
    text out = {0};
    section top = recipe_section(r, RECIPE_TOP);
    print_part(&top.parts[0], 0, &out);
    print_section(r, RECIPE_DATA, &out);
    print_section(r, RECIPE_MODEL, &out);
    print_networks(r, &out);
    print_section(r, RECIPE_OBJECTIVE, &out);
    print_part(&top.parts[1], 0, &out);
    print_section(r, RECIPE_TRAIN, &out);
    r->text = text_take(&out);
}
