/* SPDX-License-Identifier: MIT */
/* Recipes: YAML to a checked experiment, with every default written out. */
#include "recipe/recipe.h"

#include "base/ceilings.h"
#include "base/file.h"
#include "base/status.h"
#include "nn/optimizers.h"
#include "nn/init.h"

#include <stdlib.h>
#include <string.h>

/* ---- Lines in sections ---- */

static int prefix_place(int status, const yaml_node *node)
{
    return status == LT_OK
               ? LT_OK
               : status_prefix(status, "%s:%d:%d", node->file, node->line, node->column);
}

const yaml_node *recipe_location(const yaml_node *map, const char *key)
{
    const yaml_node *value = map ? yaml_get(map, key) : NULL;
    return value ? value : map;
}

/* Parses the line in `words` and replaces it by one with every default. */
static int read_spec(const spec_table *table, char words[LT_TEXT_SIZE], spec *s)
{
    LT_TRY(spec_parse(table, words, s));
    text full = {0};
    spec_print(s, &full);
    bool fits = full.size < LT_TEXT_SIZE;
    memset(words, 0, LT_TEXT_SIZE);
    memcpy(words, text_get(&full), fits ? full.size : 0);
    text_clear(&full);
    return fits ? LT_OK : status_fail(LT_VALUE, "the line is too long with its defaults");
}

/* Reads the line in `words`, the value of `key` in `map`, into *s, and replaces it by one with every default. Errors
   name the line's position. */
static int read_line(const spec_table *table, char words[LT_TEXT_SIZE], spec *s, const yaml_node *map,
                     const char *key)
{
    return prefix_place(read_spec(table, words, s), recipe_location(map, key));
}

static int read_init(char words[LT_TEXT_SIZE], lt_init *init)
{
    spec s;
    int status = read_spec(&initializer_table, words, &s);
    if (status == LT_OK)
        status = init_parse(words, init);
    spec_clear(&s);
    return status;
}

/* ---- Lines and networks of the kind ---- */

/* The text option of that name in a table. */
static char *text_at(const lt_option *table, void *options, const char *name)
{
    while (table->name && strcmp(table->name, name) != 0)
        table++;
    LT_ASSERT(table->kind == LT_KIND_TEXT);
    return (char *)options + table->offset;
}

static int read_kind_line(lt_recipe *r, int i, const yaml_node *map, const section_part *part)
{
    const kind_line *line = &recipe_kind_of(r)->lines[i];
    char *words = text_at(part->table, part->options, line->key);
    if (line->is_like_optimizer && !words[0])
        memcpy(words, r->steps.optimizer, LT_TEXT_SIZE);
    return read_line(line->table, words, &r->lines[i], map, line->key);
}

/* Reads the kind's lines of one section; `part` has their texts. */
static int read_kind_lines(lt_recipe *r, const char *name, const yaml_node *map, section_part part)
{
    const kind_line *lines = recipe_kind_of(r)->lines;
    for (int i = 0; lines && lines[i].key; i++)
        if (strcmp(lines[i].section, name) == 0)
            LT_TRY(read_kind_line(r, i, map, &part));
    return LT_OK;
}

/* The value of an integer key of the kind in `model`. */
static int64_t model_number(const lt_recipe *r, const char *name)
{
    const lt_option *row = recipe_kind_of(r)->model_keys;
    while (row->name && strcmp(row->name, name) != 0)
        row++;
    LT_ASSERT(row->kind == LT_KIND_INT);
    return *(const int64_t *)((const char *)r->model_options + row->offset);
}

bool recipe_has_network(const lt_recipe *r, int i)
{
    const char *with = recipe_kind_of(r)->networks[i].with;
    return !with || model_number(r, with) > 0;
}

/* A list that depends on a number must be present if, and only if, the number is above 0. */
static int check_with(const lt_recipe *r, int i, const yaml_node *model, bool is_there)
{
    const kind_network *n = &recipe_kind_of(r)->networks[i];
    if (is_there && !recipe_has_network(r, i))
        return yaml_fail(yaml_get(model, n->key), "%s belongs to %s: \"%s\" is missing", n->key, n->with_use, n->with);
    if (!is_there && recipe_has_network(r, i))
        return yaml_fail(recipe_location(model, n->with), "model: %s needs \"%s\" (a list of layers)", n->with,
                         n->key);
    return LT_OK;
}

/* A map of lists may have the kind's lists only. */
static int check_within(const recipe_kind *kind, const yaml_node *map, const char *within)
{
    const char *keys[RECIPE_INNER];
    int n = 0;
    for (const kind_network *net = kind->networks; net->key && n < RECIPE_INNER; net++)
        if (net->within && strcmp(net->within, within) == 0)
            keys[n++] = net->key;
    return yaml_check_keys(map, keys, n);
}

static int read_network(lt_recipe *r, int i, const yaml_node *model)
{
    const kind_network *n = &recipe_kind_of(r)->networks[i];
    const yaml_node *map = n->within ? yaml_get(model, n->within) : model;
    if (map && n->within)
        LT_TRY(check_within(recipe_kind_of(r), map, n->within));
    const yaml_node *list = map ? yaml_get(map, n->key) : NULL;
    if (n->with)
        LT_TRY(check_with(r, i, model, list != NULL));
    if (!list && n->is_required)
        return yaml_fail(model, "model: \"%s\" is missing (a list of layers)", n->key);
    return list ? network_read(&r->networks[i], list) : LT_OK;
}

static int read_networks(lt_recipe *r, const yaml_node *model)
{
    for (int i = 0; recipe_kind_of(r)->networks[i].key; i++)
        LT_TRY(read_network(r, i, model));
    return LT_OK;
}

/* ---- Sections ---- */

static int kind_networks(const recipe_kind *kind)
{
    int n = 0;
    while (kind->networks[n].key)
        n++;
    return n;
}

static int kind_lines(const recipe_kind *kind)
{
    int n = 0;
    while (kind->lines && kind->lines[n].key)
        n++;
    return n;
}

static const yaml_node no_keys = {.kind = YAML_IS_MAP, .text = ""};

/* The kind of model, which determines the other keys: only a name, since its options have their own section. */
static int read_kind(lt_recipe *r, const yaml_node *model)
{
    const yaml_node *written = yaml_get(model, "kind");
    const char *kind = written ? written->text : "vae";
    if (written)
        LT_TRY(yaml_expect(written, YAML_IS_SCALAR));
    LT_TRY(prefix_place(spec_parse(r->kinds, kind, &r->kind), written));
    if (strcmp(kind, r->kind.row->name) == 0)
        return LT_OK;
    return yaml_fail(written,
                     "kind: expected only a name, found \"%s\"; options are keys of the section "
                     "\"objective\"",
                     kind);
}

static void allocate_kind(lt_recipe *r)
{
    const recipe_kind *kind = recipe_kind_of(r);
    r->model_options = must_alloc(kind->model_size);
    r->networks = must_alloc(sizeof *r->networks * (size_t)kind_networks(kind));
    r->lines = must_alloc(sizeof *r->lines * (size_t)kind_lines(kind));
}

static int read_model(lt_recipe *r, const yaml_node *model)
{
    LT_TRY(yaml_expect(model, YAML_IS_MAP));
    LT_TRY(read_kind(r, model));
    allocate_kind(r);
    section s = recipe_section(r, RECIPE_MODEL);
    LT_TRY(section_read(&s, model));
    return prefix_place(read_init(r->model.init, &r->init), recipe_location(model, "init"));
}

static int read_steps(lt_recipe *r, const yaml_node *root)
{
    LT_TRY(read_line(&optimizer_table, r->steps.optimizer, &r->optimizer, root, "optimizer"));
    return read_line(&schedule_table, r->steps.learning_rate_schedule, &r->learning_rate_schedule, root,
                     "learning_rate_schedule");
}

static int require(const yaml_node *root, const char *key)
{
    return yaml_get(root, key) ? LT_OK : yaml_fail(root, "the section \"%s\" is missing", key);
}

/* An optional section. */
static const yaml_node *optional(const yaml_node *root, const char *key)
{
    const yaml_node *map = yaml_get(root, key);
    return map ? map : &no_keys;
}

static int read_objective(lt_recipe *r, const yaml_node *model, const yaml_node *objective)
{
    section s = recipe_section(r, RECIPE_OBJECTIVE);
    LT_TRY(section_read(&s, objective));
    section_part own = recipe_section(r, RECIPE_MODEL).parts[1];
    LT_TRY(read_kind_lines(r, "model", model, own));
    LT_TRY(read_networks(r, model));
    return read_kind_lines(r, "objective", objective, s.parts[0]);
}

/* Reads the next epoch of "1, 30,50" at *list; false at the end, or if it is not an epoch. */
static bool next_epoch(const char **list, int64_t *epoch)
{
    char word[24] = "";
    const char *at = *list + strspn(*list, " ,");
    size_t n = strcspn(at, " ,");
    memcpy(word, at, n < sizeof word ? n : 0);
    *list = at + n;
    return text_to_int64(word, epoch) && *epoch > 0;
}

static int check_samples_at(const lt_recipe *r, const yaml_node *train)
{
    const char *list = r->train.samples_at;
    int64_t epoch;
    while (*(list += strspn(list, " ,")))
        if (!next_epoch(&list, &epoch))
            return yaml_fail(recipe_location(train, "samples_at"),
                             "samples_at: expected epochs as in \"1, 30, 50\", found \"%s\"",
                             r->train.samples_at);
    return LT_OK;
}

/* Copies the kind's metrics, described for this recipe. */
static void list_metrics(lt_recipe *r)
{
    const recipe_kind *kind = recipe_kind_of(r);
    for (const lt_metric *m = kind->metrics; m->name; m++) {
        LT_ASSERT(r->n_metrics < LT_METRICS);
        lt_metric *own = &r->metrics[r->n_metrics];
        *own = *m;
        own->index = r->n_metrics++;
        if (kind->describe)
            kind->describe(r, own);
    }
}

static int read_recipe(lt_recipe *r, const yaml_node *root)
{
    section top = recipe_section(r, RECIPE_TOP), data = recipe_section(r, RECIPE_DATA),
            train = recipe_section(r, RECIPE_TRAIN);
    LT_TRY(section_read(&top, root));
    LT_TRY(require(root, "model"));
    LT_TRY(section_read(&data, optional(root, "data")));
    LT_TRY(read_model(r, yaml_get(root, "model")));
    LT_TRY(read_steps(r, root));
    LT_TRY(read_objective(r, yaml_get(root, "model"), optional(root, "objective")));
    LT_TRY(section_read(&train, optional(root, "train")));
    LT_TRY(check_samples_at(r, optional(root, "train")));
    LT_TRY(recipe_kind_of(r)->check(r, root));
    list_metrics(r);
    return LT_OK;
}

/* ---- The name ---- */

static bool is_name_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

/* A recipe without a name gets its file's: "my_recipes/tiny.yaml" is "tiny". */
static void name_after(recipe_head *head, const char *label)
{
    const char *slash = strrchr(label, '/');
    const char *base = slash ? slash + 1 : label;
    size_t n = strcspn(base, ".");
    for (size_t i = 0; i < n && i < LT_TEXT_SIZE - 1; i++)
        head->name[i] = is_name_letter(base[i]) ? base[i] : '-';
    if (!head->name[0])
        strcpy(head->name, "recipe");
}

/* The name becomes part of file names. */
static int check_name(const recipe_head *head, const yaml_node *root)
{
    const char *s = head->name;
    bool is_good = *s != '.' && *s != '-';
    for (; *s; s++)
        is_good &= is_name_letter(*s);
    if (is_good)
        return LT_OK;
    return yaml_fail(
        recipe_location(root, "name"),
        "name: expected letters, digits, '_', and after the first also '-' and '.', found \"%s\"",
        head->name);
}

/* ---- Opening ---- */

/* The value of a key of the section "data", or NULL. */
static yaml_node *data_value(const yaml_node *root, const char *key)
{
    const yaml_node *data = yaml_get(root, "data");
    return data ? yaml_get(data, key) : NULL;
}

static const char *text_of(const yaml_node *value) { return value ? value->text : NULL; }

/* Paths in the file are relative to its directory, those in --set to the working directory. */
static int apply_sets(lt_recipe *r, yaml_node *root, const char *const *sets, int n, arena *a)
{
    static const char *const keys[] = {"set", "path"};
    const char *written[COUNT_OF(keys)], *anchored[COUNT_OF(keys)];
    for (int i = 0; i < COUNT_OF(keys); i++) {
        written[i] = text_of(data_value(root, keys[i]));
        if (r->directory)
            recipe_anchor(a, data_value(root, keys[i]), r->directory);
        anchored[i] = text_of(data_value(root, keys[i]));
    }
    for (int i = 0; i < n; i++)
        LT_TRY(recipe_set(r->kinds, a, root, sets[i]));
    for (int i = 0; i < COUNT_OF(keys); i++)
        if (text_of(data_value(root, keys[i])) != anchored[i]) {
            recipe_anchor(a, data_value(root, keys[i]), NULL);
            written[i] = anchored[i] = NULL;
        }
    if (!anchored[0]) {
        free(r->directory);
        r->directory = NULL;
    } else if (anchored[0] != written[0]) {
        r->written_set = must_copy_text(written[0]);
    }
    return LT_OK;
}

static int parse_into(lt_recipe *r, const char *label, const char *words, const char *const *sets,
                      int n, arena *a)
{
    yaml_node *root;
    LT_TRY(yaml_parse(label, words, strlen(words), a, &root));
    LT_TRY(yaml_expect(root, YAML_IS_MAP));
    LT_TRY(recipe_rename_aliases(r->kinds, root));
    LT_TRY(apply_sets(r, root, sets, n, a));
    LT_TRY(read_recipe(r, root));
    if (!r->head.name[0])
        name_after(&r->head, label);
    return check_name(&r->head, root);
}

/* Takes ownership of `directory`, which the file's paths are relative to; NULL: not a file. */
static int parse_take(const spec_table *kinds, const char *label, char *directory, const char *words,
                      const char *const *sets, int n, lt_recipe **out)
{
    lt_recipe *r = must_alloc(sizeof *r);
    r->kinds = kinds;
    atomic_init(&r->users, 1);
    r->directory = directory;
    arena a = {0};
    int status = parse_into(r, label, words, sets, n, &a);
    arena_clear(&a);
    *out = status == LT_OK ? r : NULL;
    if (status != LT_OK) {
        lt_recipe_free(r);
        return status;
    }
    recipe_print(r);
    recipe_list_values(r);
    return LT_OK;
}

int recipe_parse(const spec_table *kinds, const char *label, const char *words, const char *const *sets, int n,
                 lt_recipe **out)
{
    return parse_take(kinds, label, NULL, words, sets, n, out);
}

static int open_file(const spec_table *kinds, const char *path, const char *const *sets, int n, lt_recipe **out)
{
    bytes b;
    *out = NULL;
    LT_TRY(limit_named(LIMIT_RECIPE_BYTES, file_read(path, limit_of(LIMIT_RECIPE_BYTES), &b)));
    int status = yaml_check_encoding(path, (const char *)b.data, b.size);
    if (status == LT_OK)
        status = parse_take(kinds, path, recipe_directory(path), (const char *)b.data, sets, n, out);
    bytes_clear(&b);
    return status;
}

static const char *preset_item(const void *list, int i) { return ((const preset *)list)[i].name; }

static int fail_preset(const char *name)
{
    text message = {0};
    text_format(&message, "there is no preset \"%s\"", name);
    const char *nearest = text_nearest(name, preset_item, presets, preset_count);
    if (nearest)
        text_format(&message, "; did you mean \"%s\"?", nearest);
    for (int i = 0; i < preset_count; i++)
        text_format(&message, "%s%s", i ? ", " : " (presets: ", presets[i].name);
    text_append(&message, "); to open your own recipe, give a path that contains '/' or ends in .yaml");
    status_fail(LT_NOT_FOUND, "%s", text_get(&message));
    text_clear(&message);
    return LT_NOT_FOUND;
}

static bool is_path(const char *name)
{
    size_t n = strlen(name);
    return strchr(name, '/') || (n > 5 && strcmp(name + n - 5, ".yaml") == 0);
}

int recipe_open(const spec_table *kinds, const char *name_or_path, const char *const *sets, int n, lt_recipe **out)
{
    *out = NULL;
    if (is_path(name_or_path))
        return open_file(kinds, name_or_path, sets, n, out);
    for (int i = 0; i < preset_count; i++)
        if (strcmp(presets[i].name, name_or_path) == 0) {
            char *label = must_format("%s.yaml", name_or_path);
            int status = recipe_parse(kinds, label, presets[i].text, sets, n, out);
            free(label);
            return status;
        }
    return fail_preset(name_or_path);
}

/* ---- Life ---- */

lt_recipe *recipe_share(const lt_recipe *r)
{
    lt_recipe *shared = (lt_recipe *)r; /* only the reference count changes */
    atomic_fetch_add(&shared->users, 1);
    return shared;
}

void lt_recipe_free(lt_recipe *r)
{
    if (!r || atomic_fetch_sub(&r->users, 1) > 1)
        return;
    spec *specs[] = {&r->optimizer, &r->learning_rate_schedule, &r->kind};
    const recipe_kind *kind = recipe_kind_of(r);
    for (int i = 0; r->networks && i < kind_networks(kind); i++)
        network_clear(&r->networks[i]);
    for (int i = 0; r->lines && i < kind_lines(kind); i++)
        spec_clear(&r->lines[i]);
    for (int i = 0; i < COUNT_OF(specs); i++)
        spec_clear(specs[i]);
    free(r->networks);
    free(r->lines);
    free(r->model_options);
    free(r->text);
    free(r->values);
    arena_clear(&r->texts);
    free(r->directory);
    free(r->written_set);
    free(r);
}

/* ---- Access ---- */

const char *lt_recipe_name(const lt_recipe *r) { return r->head.name; }

const char *lt_recipe_summary(const lt_recipe *r) { return r->head.summary; }

uint64_t lt_recipe_seed(const lt_recipe *r) { return (uint64_t)r->head.seed; }

const char *lt_recipe_kind(const lt_recipe *r) { return r->model.kind; }

const char *lt_recipe_dataset(const lt_recipe *r) { return r->data.set; }

const lt_data_options *lt_recipe_data_options(const lt_recipe *r) { return &r->data_options; }

const lt_train_options *lt_recipe_train_options(const lt_recipe *r) { return &r->train; }

const char *lt_recipe_text(const lt_recipe *r) { return r->text; }

bool lt_train_options_samples(const lt_train_options *o, int64_t epoch)
{
    int64_t at;
    if (o->samples_every > 0 && epoch % o->samples_every == 0)
        return true;
    for (const char *list = o->samples_at; next_epoch(&list, &at);)
        if (at == epoch)
            return true;
    return false;
}

const network *recipe_network(const lt_recipe *r, int i) { return &r->networks[i]; }

const spec *recipe_line(const lt_recipe *r, int i) { return &r->lines[i]; }

double recipe_schedule_factor(const lt_recipe *r, const spec *schedule, int64_t step, int64_t steps_per_epoch)
{
    LT_ASSERT(step >= 0 && steps_per_epoch >= 1);
    return schedule_factor(schedule, &(schedule_clock){step, steps_per_epoch, r->train.epochs});
}

double recipe_learning_rate(const lt_recipe *r, const spec *line, int64_t step, int64_t steps_per_epoch)
{
    const optimizer_options *o = line->options;
    return o->lr * recipe_schedule_factor(r, &r->learning_rate_schedule, step, steps_per_epoch);
}

/* ---- Metrics ---- */

const lt_metric *lt_recipe_metrics(const lt_recipe *r, int *n)
{
    *n = r->n_metrics;
    return r->metrics;
}

const lt_metric *lt_recipe_metric(const lt_recipe *r, const char *name)
{
    for (int i = 0; i < r->n_metrics; i++)
        if (strcmp(r->metrics[i].name, name) == 0)
            return &r->metrics[i];
    return NULL;
}

const lt_metric *lt_recipe_loss(const lt_recipe *r) { return &r->metrics[0]; }

/* ---- Presets ---- */

int lt_preset_count(void) { return preset_count; }

const char *lt_preset_name(int i) { return presets[i].name; }

const char *lt_preset_summary(int i) { return presets[i].summary; }

const char *lt_preset_text(int i) { return presets[i].text; }
