/* SPDX-License-Identifier: MIT */
/* Recipes: from YAML to a checked experiment with every default written out. */
#include "models/priors.h"

#include "base/file.h"
#include "base/status.h"
#include "models/optimiser_options.h"
#include "nn/init.h"
#include "nn/likelihoods.h"

#include <stdlib.h>
#include <string.h>

/* ---- Lines of tables inside sections ---- */

static int prefix_place(int status, const yaml_node *node)
{
    return status == LT_OK
               ? LT_OK
               : status_prefix(status, "%s:%d:%d", node->file, node->line, node->column);
}

/* The value of a key, or the map itself where the key is left out: the place of a mistake. */
static const yaml_node *place_of(const yaml_node *map, const char *key)
{
    const yaml_node *value = map ? yaml_get(map, key) : NULL;
    return value ? value : map;
}

/* Parses the line in `words` and writes it back with every default. */
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

static int read_init(char words[LT_TEXT_SIZE], lt_init *init)
{
    spec s;
    int status = read_spec(&initialiser_table, words, &s);
    if (status == LT_OK)
        status = init_parse(words, init);
    spec_clear(&s);
    return status;
}

/* ---- Sections ---- */

static const yaml_node no_keys = {.kind = YAML_IS_MAP, .text = ""};

/* An optional list; without it the network is empty. */
static int read_list(network *net, const yaml_node *map, const char *key)
{
    const yaml_node *list = yaml_get(map, key);
    return list ? network_read(net, list) : LT_OK;
}

static int read_posterior(lt_recipe *r, const yaml_node *model)
{
    static const char *const keys[] = {"mean", "logvar"};
    const yaml_node *posterior = yaml_get(model, "posterior");
    if (!posterior)
        return LT_OK;
    LT_TRY(yaml_check_keys(posterior, keys, COUNT_OF(keys)));
    LT_TRY(read_list(&r->mean, posterior, "mean"));
    return read_list(&r->logvar, posterior, "logvar");
}

/* encoder2 and decoder2, which go with latent2. */
static int read_second_layer(lt_recipe *r, const yaml_node *model)
{
    static const char *const lists[] = {"encoder2", "decoder2"};
    network *networks[] = {&r->encoder2, &r->decoder2};
    for (int i = 0; i < COUNT_OF(lists); i++) {
        bool is_there = yaml_get(model, lists[i]);
        if (is_there && r->model.latent2 == 0)
            return yaml_fail(yaml_get(model, lists[i]),
                             "%s is for a second stochastic layer: latent2 is missing", lists[i]);
        if (!is_there && r->model.latent2 > 0)
            return yaml_fail(place_of(model, "latent2"),
                             "model: with latent2 goes \"%s\" (a list of layers)", lists[i]);
        LT_TRY(read_list(networks[i], model, lists[i]));
    }
    return LT_OK;
}

static int read_networks(lt_recipe *r, const yaml_node *model)
{
    static const char *const lists[] = {"encoder", "decoder"};
    for (int i = 0; i < COUNT_OF(lists); i++)
        if (!yaml_get(model, lists[i]))
            return yaml_fail(model, "model: \"%s\" is missing (a list of layers)", lists[i]);
    LT_TRY(read_list(&r->encoder, model, "encoder"));
    LT_TRY(read_posterior(r, model));
    LT_TRY(read_list(&r->decoder, model, "decoder"));
    return read_second_layer(r, model);
}

/* The name of an objective alone: its options have a section of their own. */
static int read_kind(lt_recipe *r, const yaml_node *model)
{
    const yaml_node *place = place_of(model, "kind");
    LT_TRY(prefix_place(spec_parse(&objective_table, r->model.kind, &r->objective), place));
    if (strcmp(r->model.kind, r->objective.row->name) == 0)
        return LT_OK;
    return yaml_fail(place,
                     "kind: expected a name alone, found \"%s\"; its options are the keys of "
                     "the section \"objective\"",
                     r->model.kind);
}

static int read_model(lt_recipe *r, const yaml_node *model)
{
    section s = recipe_section(r, RECIPE_MODEL);
    LT_TRY(section_read(&s, model));
    LT_TRY(read_kind(r, model));
    LT_TRY(prefix_place(read_spec(&likelihood_table, r->model.likelihood, &r->likelihood),
                        place_of(model, "likelihood")));
    LT_TRY(prefix_place(read_spec(&prior_table, r->model.prior, &r->prior),
                        place_of(model, "prior")));
    LT_TRY(prefix_place(read_init(r->model.init, &r->init), place_of(model, "init")));
    return read_networks(r, model);
}

static int read_schedule(lt_recipe *r, const scheduled *number, const yaml_node *objective,
                         const char *key, spec *schedule)
{
    return prefix_place(
        read_spec(&schedule_table, number->schedule(r->objective.options), schedule),
        place_of(objective, key));
}

static int read_objective(lt_recipe *r, const yaml_node *objective)
{
    section s = recipe_section(r, RECIPE_OBJECTIVE);
    LT_TRY(section_read(&s, objective));
    const objective_row *row = objective_of(r);
    LT_TRY(read_schedule(r, &row->beta, objective, "schedule", &r->beta_schedule));
    return read_schedule(r, &row->capacity, objective, "capacity_schedule",
                         &r->capacity_schedule);
}

static int read_steps(lt_recipe *r, const yaml_node *root)
{
    LT_TRY(prefix_place(read_spec(&optimiser_table, r->steps.optimiser, &r->optimiser),
                        place_of(root, "optimiser")));
    return prefix_place(
        read_spec(&schedule_table, r->steps.learning_rate_schedule, &r->learning_rate_schedule),
        place_of(root, "learning_rate_schedule"));
}

static int require(const yaml_node *root, const char *key)
{
    return yaml_get(root, key) ? LT_OK : yaml_fail(root, "the section \"%s\" is missing", key);
}

/* A section that may be left out. */
static const yaml_node *optional(const yaml_node *root, const char *key)
{
    const yaml_node *map = yaml_get(root, key);
    return map ? map : &no_keys;
}

static int read_recipe(lt_recipe *r, const yaml_node *root)
{
    section top = recipe_section(r, RECIPE_TOP), data = recipe_section(r, RECIPE_DATA),
            train = recipe_section(r, RECIPE_TRAIN);
    LT_TRY(section_read(&top, root));
    LT_TRY(require(root, "data"));
    LT_TRY(require(root, "model"));
    LT_TRY(section_read(&data, yaml_get(root, "data")));
    LT_TRY(read_model(r, yaml_get(root, "model")));
    LT_TRY(read_objective(r, optional(root, "objective")));
    LT_TRY(read_steps(r, root));
    LT_TRY(section_read(&train, optional(root, "train")));
    return objective_of(r)->check(r, root);
}

/* ---- The name ---- */

static bool is_name_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

/* A recipe without a name is called like its file: "my_recipes/tiny.yaml" is "tiny". */
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

/* Runs and their files are called like this. */
static int check_name(const recipe_head *head, const yaml_node *root)
{
    const char *s = head->name;
    bool is_good = *s != '.' && *s != '-';
    for (; *s; s++)
        is_good &= is_name_letter(*s);
    if (is_good)
        return LT_OK;
    return yaml_fail(
        place_of(root, "name"),
        "name: letters, digits, '_', and after the first also '-' and '.', found \"%s\"",
        head->name);
}

/* ---- Opening ---- */

static int parse_into(lt_recipe *r, const char *label, const char *words, const char *const *sets,
                      int n, arena *a)
{
    yaml_node *root;
    LT_TRY(yaml_parse(label, words, strlen(words), a, &root));
    LT_TRY(yaml_expect(root, YAML_IS_MAP));
    for (int i = 0; i < n; i++)
        LT_TRY(recipe_set(a, root, sets[i]));
    LT_TRY(read_recipe(r, root));
    if (!r->head.name[0])
        name_after(&r->head, label);
    return check_name(&r->head, root);
}

lt_recipe *lt_recipe_parse(const char *label, const char *words, const char *const *sets, int n)
{
    lt_recipe *r = must_alloc(sizeof *r);
    atomic_init(&r->users, 1);
    arena a = {0};
    int status = parse_into(r, label, words, sets, n, &a);
    arena_clear(&a);
    if (status != LT_OK) {
        lt_recipe_free(r);
        return NULL;
    }
    recipe_print(r);
    return r;
}

static lt_recipe *open_file(const char *path, const char *const *sets, int n)
{
    bytes b;
    if (file_read(path, 1 << 20, &b) != LT_OK)
        return NULL;
    lt_recipe *r = NULL;
    if (memchr(b.data, 0, b.size))
        status_fail(LT_FORMAT, "%s: not a recipe: a zero byte", path);
    else
        r = lt_recipe_parse(path, (const char *)b.data, sets, n);
    bytes_clear(&b);
    return r;
}

static const char *preset_item(const void *list, int i) { return ((const preset *)list)[i].name; }

static void fail_preset(const char *name)
{
    text message = {0};
    text_format(&message, "there is no preset \"%s\"", name);
    const char *nearest = text_nearest(name, preset_item, presets, preset_count);
    if (nearest)
        text_format(&message, "; did you mean \"%s\"?", nearest);
    for (int i = 0; i < preset_count; i++)
        text_format(&message, "%s%s", i ? ", " : " (presets: ", presets[i].name);
    text_append(&message, "); a recipe of your own is a path that has a '/' or ends in .yaml");
    status_fail(LT_NOT_FOUND, "%s", text_get(&message));
    text_clear(&message);
}

static bool is_path(const char *name)
{
    size_t n = strlen(name);
    return strchr(name, '/') || (n > 5 && strcmp(name + n - 5, ".yaml") == 0);
}

lt_recipe *lt_recipe_open(const char *name_or_path, const char *const *sets, int n)
{
    if (is_path(name_or_path))
        return open_file(name_or_path, sets, n);
    for (int i = 0; i < preset_count; i++)
        if (strcmp(presets[i].name, name_or_path) == 0) {
            char *label = must_format("%s.yaml", name_or_path);
            lt_recipe *r = lt_recipe_parse(label, presets[i].text, sets, n);
            free(label);
            return r;
        }
    fail_preset(name_or_path);
    return NULL;
}

/* ---- Life ---- */

lt_recipe *recipe_share(const lt_recipe *r)
{
    lt_recipe *shared = (lt_recipe *)r; /* the count is no part of what is constant */
    atomic_fetch_add(&shared->users, 1);
    return shared;
}

void lt_recipe_free(lt_recipe *r)
{
    if (!r || atomic_fetch_sub(&r->users, 1) > 1)
        return;
    network *networks[] = {&r->encoder, &r->mean,     &r->logvar,
                           &r->decoder, &r->encoder2, &r->decoder2};
    spec *specs[] = {&r->likelihood,        &r->prior,     &r->objective,
                     &r->beta_schedule,     &r->optimiser, &r->learning_rate_schedule,
                     &r->capacity_schedule};
    for (int i = 0; i < COUNT_OF(networks); i++)
        network_clear(networks[i]);
    for (int i = 0; i < COUNT_OF(specs); i++)
        spec_clear(specs[i]);
    free(r->text);
    free(r);
}

/* ---- Access ---- */

const char *lt_recipe_name(const lt_recipe *r) { return r->head.name; }

const char *lt_recipe_summary(const lt_recipe *r) { return r->head.summary; }

uint64_t lt_recipe_seed(const lt_recipe *r) { return (uint64_t)r->head.seed; }

const char *lt_recipe_dataset(const lt_recipe *r) { return r->data.set; }

const lt_data_options *lt_recipe_data_options(const lt_recipe *r) { return &r->data_options; }

const lt_train_options *lt_recipe_train_options(const lt_recipe *r) { return &r->train; }

const char *lt_recipe_text(const lt_recipe *r) { return r->text; }

int64_t recipe_prior_latent(const lt_recipe *r)
{
    return r->model.latent2 > 0 ? r->model.latent2 : r->model.latent;
}

static schedule_clock clock_at(const lt_recipe *r, int64_t step, int64_t steps_per_epoch)
{
    LT_ASSERT(step >= 0 && steps_per_epoch >= 1);
    return (schedule_clock){step, steps_per_epoch, r->train.epochs};
}

static double number_at(const lt_recipe *r, const scheduled *number, const spec *schedule,
                        int64_t step, int64_t steps_per_epoch)
{
    schedule_clock clock = clock_at(r, step, steps_per_epoch);
    return number->value(r->objective.options) * schedule_factor(schedule, &clock);
}

double recipe_beta(const lt_recipe *r, int64_t step, int64_t steps_per_epoch)
{
    return number_at(r, &objective_of(r)->beta, &r->beta_schedule, step, steps_per_epoch);
}

double recipe_capacity(const lt_recipe *r, int64_t step, int64_t steps_per_epoch)
{
    return number_at(r, &objective_of(r)->capacity, &r->capacity_schedule, step, steps_per_epoch);
}

double recipe_learning_rate(const lt_recipe *r, int64_t step, int64_t steps_per_epoch)
{
    schedule_clock clock = clock_at(r, step, steps_per_epoch);
    const optimiser_options *o = r->optimiser.options;
    return o->lr * schedule_factor(&r->learning_rate_schedule, &clock);
}

/* ---- Presets ---- */

int lt_preset_count(void) { return preset_count; }

const char *lt_preset_name(int i) { return presets[i].name; }

const char *lt_preset_summary(int i) { return presets[i].summary; }

const char *lt_preset_text(int i) { return presets[i].text; }
