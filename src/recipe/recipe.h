/* SPDX-License-Identifier: MIT */
/* A recipe, taken apart. */
#ifndef LATENT_RECIPE_H
#define LATENT_RECIPE_H

#include "recipe/network.h"
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
    char optimiser[LT_TEXT_SIZE], learning_rate_schedule[LT_TEXT_SIZE];
} recipe_steps;

/* Keys of `data` beside those of lt_data_options. */
typedef struct recipe_data {
    char set[LT_PATH_SIZE];
} recipe_data;

enum { HEADS_LINEAR, HEADS_OWN };     /* choices of `heads` */
enum { PIXELS_UNIT, PIXELS_SYMMETRIC }; /* choices of `pixels` */

/* Keys of `model` beside its networks: of all kinds, of a vae, of a gan. */
typedef struct recipe_model {
    char kind[LT_TEXT_SIZE];
    int64_t latent;
    char init[LT_TEXT_SIZE];

    int64_t latent2; /* dimensions of the second stochastic layer; 0: none */
    int heads;       /* HEADS_LINEAR, HEADS_OWN */
    char likelihood[LT_TEXT_SIZE], prior[LT_TEXT_SIZE];

    int pixels;                  /* PIXELS_UNIT, PIXELS_SYMMETRIC */
    int64_t classes, class_size; /* classes: 0, none; numbers that stand for one in the generator */
} recipe_model;

enum { RECIPE_METRICS = 24 };

struct lt_recipe {
    atomic_int users;
    recipe_head head;
    recipe_steps steps;
    recipe_data data;
    lt_data_options data_options;
    recipe_model model;
    lt_train_options train;
    network encoder, mean, logvar, decoder; /* mean, logvar: the heads, or what comes before them */
    network encoder2, decoder2; /* of the second stochastic layer */
    network generator, critic;
    lt_init init;
    spec likelihood, prior, objective; /* likelihood, prior: of a vae */
    spec beta_schedule, capacity_schedule; /* of the objective's numbers */
    spec loss, penalty;                    /* of a gan */
    spec optimiser, learning_rate_schedule;
    spec critic_optimiser; /* of a gan */
    lt_metric metrics[RECIPE_METRICS]; /* that a training of it reports */
    int n_metrics;
    char *text; /* resolved */
    char *directory;   /* where relative paths of its file begin; NULL: it has no file */
    char *written_set; /* data.set as the file has it, where it is relative; else NULL */
};

/* One more user of r: both free it. */
lt_recipe *recipe_share(const lt_recipe *r);

/* Dimensions of the codes that the prior is of: the highest. */
int64_t recipe_prior_latent(const lt_recipe *r);

/* The weight of the rate, and what it is kept at, in the step after `step` steps; NaN where the kind
   of model has no such thing. And what its schedule makes of a learning rate there. */
double recipe_beta(const lt_recipe *r, int64_t step, int64_t steps_per_epoch);
double recipe_capacity(const lt_recipe *r, int64_t step, int64_t steps_per_epoch);
double recipe_learning_rate(const lt_recipe *r, const spec *optimiser, int64_t step,
                            int64_t steps_per_epoch);

/* ---- Reading, for kinds of models ---- */

/* Reads the line in `words`, which stands under `key` of `map`, writes it back with every default,
   and keeps it taken apart. A mistake names the line's place. */
int recipe_read_line(const spec_table *table, char words[LT_TEXT_SIZE], spec *s,
                     const yaml_node *map, const char *key);

/* A list of layers that may be left out: the network is then empty. And one that must be there. */
int recipe_read_list(network *net, const yaml_node *map, const char *key);
int recipe_need_list(network *net, const yaml_node *map, const char *key);

/* The value of a key, or the map itself where the key is left out: the place of a mistake. */
const yaml_node *recipe_place(const yaml_node *map, const char *key);

/* ---- Paths ---- */

/* The directory of a recipe's file, as an absolute path: where its relative paths begin. What comes
   through a pipe begins at the working directory. The caller frees it. */
char *recipe_directory(const char *path);

/* Makes a relative path absolute; a name stays. Nullable: value, dir (the working directory). */
void recipe_anchor(arena *a, yaml_node *value, const char *dir);

/* LT_NOT_FOUND if the data are at a path of the recipe's file where nothing is: says where it begins. */
int recipe_check_path(const lt_recipe *r);

/* Carries out `--set path=value` on the tree of a recipe. */
int recipe_set(arena *a, yaml_node *root, const char *set);

/* The table whose lines stand at a key, "optimiser"; NULL: it has another kind of value. */
const spec_table *recipe_line_table(const char *path);

/* ---- Sections ---- */

/* A table of keys, and the struct they fill. */
typedef struct section_part {
    const lt_option *table;
    void *options;
} section_part;

/* A section of a recipe: its keys are those of its parts, and sections of their own. */
typedef struct section {
    const char *name;
    section_part parts[2];
    const char *const *inner; /* RECIPE_INNER of them, NULL after the last */
    const struct objective_row *kind; /* of model; NULL: not known yet */
} section;

enum { RECIPE_INNER = 6 };

enum { RECIPE_TOP, RECIPE_DATA, RECIPE_MODEL, RECIPE_OBJECTIVE, RECIPE_TRAIN };

/* The sections of r: what reading fills and printing walks. The objective's table is that of
   r->objective, none before it is known. */
section recipe_section(lt_recipe *r, int which);

/* The keys of each section, for lt_table_get. */
extern const spec_table section_table;

/* Sets a section from a map: defaults, then what is written. `inner` keys are left to the
   caller. */
int section_read(const section *s, const yaml_node *map);

/* Fills r->text. */
void recipe_print(lt_recipe *r);

/* One value of a section as YAML, without a newline. */
void section_print_value(const lt_option *row, const void *options, text *out);

/* ---- Changes ---- */

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
