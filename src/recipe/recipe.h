/* SPDX-License-Identifier: MIT */
/* A recipe, taken apart. */
#ifndef LATENT_RECIPE_H
#define LATENT_RECIPE_H

#include "recipe/network.h"
#include "recipe/recipe_kind.h"
#include "nn/schedules.h"

#include <latent/model.h>

#include <stdatomic.h>

/* Keys at the top. */
typedef struct recipe_head {
    char name[LT_TEXT_SIZE], summary[LT_TEXT_SIZE];
    int64_t seed;
} recipe_head;

/* More keys at the top: lines of tables, every default written out. */
typedef struct recipe_steps {
    char optimizer[LT_TEXT_SIZE], learning_rate_schedule[LT_TEXT_SIZE];
} recipe_steps;

/* Keys of `data` beside those of lt_data_options. */
typedef struct recipe_data {
    char set[LT_PATH_SIZE];
} recipe_data;

/* Keys of `model` that all kinds have, beside their networks. */
typedef struct recipe_model {
    char kind[LT_TEXT_SIZE];
    int64_t latent;
    char init[LT_TEXT_SIZE];
} recipe_model;

struct lt_recipe {
    atomic_int users;
    const spec_table *kinds; /* among which its kind is */
    recipe_head head;
    recipe_steps steps;
    recipe_data data;
    lt_data_options data_options;
    recipe_model model;
    void *model_options; /* the kind's own keys of `model`, owned */
    lt_train_options train;
    spec kind;         /* a recipe_kind, and the keys of `objective` */
    network *networks; /* in the order of the kind's list, owned */
    spec *lines;       /* likewise */
    lt_init init;
    spec optimizer, learning_rate_schedule;
    lt_metric metrics[LT_METRICS]; /* that a training of it reports */
    int n_metrics;
    char *text; /* resolved */
    arena texts; /* of the values */
    lt_recipe_value *values;
    int n_values, values_capacity;
    char *directory;   /* where relative paths of its file begin; NULL: it has no file */
    char *written_set; /* data.set as the file has it, where it is relative; else NULL */
};

const recipe_kind *recipe_kind_of(const lt_recipe *r);

/* The network, the line at position i of the kind's list. */
const network *recipe_network(const lt_recipe *r, int i);
const spec *recipe_line(const lt_recipe *r, int i);

/* Whether the recipe has the network at position i: one that goes with a number may be left out. */
bool recipe_has_network(const lt_recipe *r, int i);

/* Opens and parses as lt_recipe_open and lt_recipe_parse do, with these kinds of models. */
int recipe_open(const spec_table *kinds, const char *name_or_path, const char *const *sets, int n, lt_recipe **out);
int recipe_parse(const spec_table *kinds, const char *label, const char *words, const char *const *sets, int n,
                 lt_recipe **out);

/* One more user of r: both free it. */
lt_recipe *recipe_share(const lt_recipe *r);

/* What a schedule makes of a number in the step after `step` steps; and of an optimizer's learning
   rate, the recipe's schedule. */
double recipe_schedule_factor(const lt_recipe *r, const spec *schedule, int64_t step, int64_t steps_per_epoch);
double recipe_learning_rate(const lt_recipe *r, const spec *line, int64_t step,
                            int64_t steps_per_epoch);

/* The value of a key, or the map itself where the key is left out: the place of a mistake. */
const yaml_node *recipe_location(const yaml_node *map, const char *key);

/* ---- Paths ---- */

/* The directory of a recipe's file, as an absolute path: where its relative paths begin. What comes
   through a pipe begins at the working directory. The caller frees it. */
char *recipe_directory(const char *path);

/* Makes a relative path absolute; a name stays. Nullable: value, dir (the working directory). */
void recipe_anchor(arena *a, yaml_node *value, const char *dir);

/* LT_NOT_FOUND if the data are at a path of the recipe's file where nothing is: says where it begins. */
int recipe_check_path(const lt_recipe *r);

/* Gives keys written under another name of theirs their own, in the tree of a recipe of the kind that it names. LT_VALUE
   where both are written. */
int recipe_rename_aliases(const spec_table *kinds, const yaml_node *root);

/* The path with the key's own name: "model.critic.0" is "model.discriminator.0". The caller frees it. */
char *recipe_without_alias(const spec_table *kinds, const char *path);

/* Carries out `--set path=value` on the tree of a recipe. */
int recipe_set(const spec_table *kinds, arena *a, yaml_node *root, const char *set);

/* The table whose lines stand at a key, "optimizer"; NULL: it has another kind of value. */
const spec_table *recipe_line_table(const spec_table *kinds, const char *path);

/* ---- Sections ---- */

/* A table of keys, and the struct they fill. */
typedef struct section_part {
    const lt_option *table;
    void *options;
} section_part;

enum { RECIPE_INNER = 8 };

/* A section of a recipe: its keys are those of its parts, and sections of their own. */
typedef struct section {
    const char *name;
    section_part parts[2];
    const char *inner[RECIPE_INNER]; /* NULL after the last */
    const spec_table *kinds;
    const recipe_kind *kind; /* of model; NULL: not known yet */
} section;

enum { RECIPE_TOP, RECIPE_DATA, RECIPE_MODEL, RECIPE_OBJECTIVE, RECIPE_TRAIN };

/* The sections of r: what reading fills and printing walks. The kind's tables are those of r->kind, none
   before it is known. */
section recipe_section(lt_recipe *r, int which);

/* The sections of all the keys that a recipe of this kind may have; for their tables alone. */
section recipe_section_of(const spec_table *kinds, const recipe_kind *kind, int which);

/* The keys of each section, for lt_table_get: those of all kinds of models, the rows of the `model`
   section before RECIPE_KIND_ROWS; NULL past the end. */
enum { RECIPE_KIND_ROWS = 5 };
const spec_row *recipe_section_row(int i);

/* Sets a section from a map: defaults, then what is written. `inner` keys are left to the
   caller. */
int section_read(const section *s, const yaml_node *map);

/* Adds "; did you mean "optimizer.lr"?" for a key that there is none of, "lr": the keys that end like it, or
   the nearest, first of those `allowed` where it stands. Nullable: kind (all kinds of models). */
void recipe_suggest_key(const spec_table *kinds, const recipe_kind *kind, const char *word,
                        const char *const *allowed, int n, text *out);

/* Fills r->text. */
void recipe_print(lt_recipe *r);

/* Fills r->values. */
void recipe_list_values(lt_recipe *r);

/* One value of a section as YAML, without a newline. */
void section_print_value(const lt_option *row, const void *options, text *out);

/* ---- Changes ---- */

/* The keys that may change when a run is resumed: i in 0 ... until NULL. */
const char *recipe_resumable(const spec_table *kinds, int i);

/* A key at which two recipes differ, "train.batch", and its values as they are printed. */
typedef struct recipe_change {
    const char *key, *then, *now;
    bool may_change; /* when a run is resumed */
} recipe_change;

typedef void recipe_change_function(void *user, const recipe_change *change);

/* Tells every difference, in the order of the keys; of a list of layers the first. Of recipes of
   different kinds of models that alone. */
void recipe_compare(const lt_recipe *then, const lt_recipe *now, recipe_change_function *tell,
                    void *user);

/* ---- Presets: cmake/embed.cmake makes the list from recipes/ ---- */

typedef struct preset {
    const char *name, *summary, *text;
} preset;
extern const preset presets[];
extern const int preset_count;

#endif
