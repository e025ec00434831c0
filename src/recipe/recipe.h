/* SPDX-License-Identifier: MIT */
/* A parsed recipe. */
#ifndef LATENT_RECIPE_H
#define LATENT_RECIPE_H

#include "recipe/network.h"
#include "recipe/recipe_kind.h"
#include "nn/schedules.h"

#include <latent/model.h>

#include <stdatomic.h>

/* Top-level keys. */
typedef struct recipe_head {
    char name[LT_TEXT_SIZE], summary[LT_TEXT_SIZE];
    int64_t seed;
} recipe_head;

/* More top-level keys: lines, with every default written out. */
typedef struct recipe_steps {
    char optimizer[LT_TEXT_SIZE], learning_rate_schedule[LT_TEXT_SIZE];
} recipe_steps;

/* Keys of `data` in addition to those of lt_data_options. */
typedef struct recipe_data {
    char set[LT_PATH_SIZE];
} recipe_data;

/* Keys of `model` shared by all kinds, except networks. */
typedef struct recipe_model {
    char kind[LT_TEXT_SIZE];
    int64_t latent;
    char init[LT_TEXT_SIZE];
} recipe_model;

struct lt_recipe {
    atomic_int users;
    const spec_table *kinds; /* table of all kinds */
    recipe_head head;
    recipe_steps steps;
    recipe_data data;
    lt_data_options data_options;
    recipe_model model;
    void *model_options; /* the kind's keys of `model`, owned */
    lt_train_options train;
    spec kind;         /* a recipe_kind with its options, the keys of `objective` */
    network *networks; /* in the kind's order, owned */
    spec *lines;       /* in the kind's order, owned */
    lt_init init;
    spec optimizer, learning_rate_schedule;
    lt_metric metrics[LT_METRICS]; /* reported by training */
    int n_metrics;
    char *text; /* resolved YAML */
    arena texts; /* keys and texts of `values` */
    lt_recipe_value *values;
    int n_values, values_capacity;
    char *directory;   /* base of relative paths in its file; NULL: no file */
    char *written_set; /* data.set as written, if relative; else NULL */
};

const recipe_kind *recipe_kind_of(const lt_recipe *r);

/* The network, or the line, at position i of the kind's list. */
const network *recipe_network(const lt_recipe *r, int i);
const spec *recipe_line(const lt_recipe *r, int i);

/* Whether the recipe has the network at position i, which may depend on a number such as latent2. */
bool recipe_has_network(const lt_recipe *r, int i);

/* As lt_recipe_open and lt_recipe_parse, with these kinds of models. */
int recipe_open(const spec_table *kinds, const char *name_or_path, const char *const *sets, int n, lt_recipe **out);
int recipe_parse(const spec_table *kinds, const char *label, const char *words, const char *const *sets, int n,
                 lt_recipe **out);

/* Adds a reference to r; each user frees it. */
lt_recipe *recipe_share(const lt_recipe *r);

/* The factor of a schedule, and of the recipe's learning-rate schedule, for the step after `step` steps. */
double recipe_schedule_factor(const lt_recipe *r, const spec *schedule, int64_t step, int64_t steps_per_epoch);
double recipe_learning_rate(const lt_recipe *r, const spec *line, int64_t step,
                            int64_t steps_per_epoch);

/* The node that an error about `key` points to: its value, or the map if the key is omitted. */
const yaml_node *recipe_location(const yaml_node *map, const char *key);

/* ---- Paths ---- */

/* Returns the absolute directory of a recipe's file, which its relative paths start from; for a pipe, the working
   directory. The caller frees it. */
char *recipe_directory(const char *path);

/* Makes a relative path absolute; keeps a data set's name. Nullable: value, dir (the working directory). */
void recipe_anchor(arena *a, yaml_node *value, const char *dir);

/* LT_NOT_FOUND if the recipe's file gives a path for the data that does not exist; the message names its base. */
int recipe_check_path(const lt_recipe *r);

/* Replaces aliases of keys by the keys, in the YAML tree of a recipe. LT_VALUE if both are written. */
int recipe_rename_aliases(const spec_table *kinds, const yaml_node *root);

/* Returns the path without aliases: "model.critic.0" becomes "model.discriminator.0". The caller frees it. */
char *recipe_without_alias(const spec_table *kinds, const char *path);

/* Applies `--set path=value` to the YAML tree of a recipe. */
int recipe_set(const spec_table *kinds, arena *a, yaml_node *root, const char *set);

/* Returns the table whose lines a key ("optimizer") takes; NULL: its value is not a line. */
const spec_table *recipe_line_table(const spec_table *kinds, const char *path);

/* ---- Sections ---- */

/* A table of keys and the struct that they fill. */
typedef struct section_part {
    const lt_option *table;
    void *options;
} section_part;

enum { RECIPE_INNER = 8 };

/* A section of a recipe: keys of its parts, and inner maps and lists. */
typedef struct section {
    const char *name;
    section_part parts[2];
    const char *inner[RECIPE_INNER]; /* NULL after the last */
    const spec_table *kinds;
    const recipe_kind *kind; /* NULL: not known yet */
} section;

enum { RECIPE_TOP, RECIPE_DATA, RECIPE_MODEL, RECIPE_OBJECTIVE, RECIPE_TRAIN };

/* A section of r, which reading fills and printing walks, with the tables of r->kind; without them before the kind is
   known. */
section recipe_section(lt_recipe *r, int which);

/* A section with every key that a recipe of this kind may have; only its tables are valid. */
section recipe_section_of(const spec_table *kinds, const recipe_kind *kind, int which);

/* Row i of the sections' keys, for lt_table_get; NULL past the last. The rows of each kind's `model` keys are
   inserted at RECIPE_KIND_ROWS. */
enum { RECIPE_KIND_ROWS = 5 };
const spec_row *recipe_section_row(int i);

/* Sets a section's options: defaults, then the values in the map. The caller reads the `inner` keys. */
int section_read(const section *s, const yaml_node *map);

/* Appends "; did you mean "optimizer.lr"?" for the unknown key "lr": keys that end in it, or the nearest, first among
   those `allowed` at its position. Nullable: kind (all kinds of models). */
void recipe_suggest_key(const spec_table *kinds, const recipe_kind *kind, const char *word,
                        const char *const *allowed, int n, text *out);

/* Fills r->text. */
void recipe_print(lt_recipe *r);

/* Fills r->values. */
void recipe_list_values(lt_recipe *r);

/* Prints one value of a section as YAML, without a newline. */
void section_print_value(const lt_option *row, const void *options, text *out);

/* ---- Changes ---- */

/* Key i of those that may change when a run is resumed; NULL past the last. */
const char *recipe_resumable(const spec_table *kinds, int i);

/* A key at which two recipes differ, "train.batch", and its printed values. */
typedef struct recipe_change {
    const char *key, *then, *now;
    bool may_change; /* when a run is resumed */
} recipe_change;

typedef void recipe_change_function(void *user, const recipe_change *change);

/* Calls `tell` for every difference, in the order of the keys; for a list of layers, for the first. If the kinds
   differ, for model.kind only. */
void recipe_compare(const lt_recipe *then, const lt_recipe *now, recipe_change_function *tell,
                    void *user);

/* ---- Presets: cmake/embed.cmake generates the list from recipes/ ---- */

typedef struct preset {
    const char *name, *summary, *text;
} preset;
extern const preset presets[];
extern const int preset_count;

#endif
