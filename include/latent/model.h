/* SPDX-License-Identifier: MIT */
/* model.h: from a recipe to networks, and from networks to the terms of an objective.
 * A recipe is the whole experiment with every default written out; a model owns its parameters.
 *
 *     lt_recipe *r = lt_recipe_open("ift6135-vae", sets, n_sets);     // preset, or path of a file
 *     lt_model *m = lt_model_create(r, lt_image_shape);
 *     lt_model_terms t;
 *     lt_model_build(m, g, x, LT_TRAINING, &t);                       // nodes to train or evaluate
 */
#ifndef LATENT_MODEL_H
#define LATENT_MODEL_H

#include <latent/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Recipes ---- */

typedef struct lt_recipe lt_recipe;

/* Opens a preset by name, or a file by path (anything with a '/' or ending in .yaml), applies
   `sets` ("model.latent=32") in order, fills in defaults, checks everything. NULL on failure: the
   message has file, line, column and the nearest right name. */
LT_API lt_recipe *lt_recipe_open(const char *name_or_path, const char *const *sets, int n);

/* The same from text; `label` stands for the file's name in messages. */
LT_API lt_recipe *lt_recipe_parse(const char *label, const char *text, const char *const *sets,
                                  int n);
LT_API void lt_recipe_free(lt_recipe *r); /* Nullable: r */

LT_API const char *lt_recipe_name(const lt_recipe *r);

/* The resolved recipe as YAML: every default written out; opening it again gives the same text.
   Owned by r. */
LT_API const char *lt_recipe_text(const lt_recipe *r);

/* The presets: i in 0 ... count-1; static strings. */
LT_API int lt_preset_count(void);
LT_API const char *lt_preset_name(int i);
LT_API const char *lt_preset_summary(int i);
LT_API const char *lt_preset_text(int i);

/* ---- What the tables hold, for help pages: layers, likelihoods, objectives, optimisers,
        schedules, initialisers ---- */

typedef struct lt_table_entry {
    const char *name, *summary;
    const lt_option *options; /* ends with a row without a name */
} lt_table_entry;

/* Fills `entry` with row i of the table called `table` ("layers" ...); false past the end. */
LT_API bool lt_table_get(const char *table, int i, lt_table_entry *entry);

/* The options of an entry, one per line, aligned: name, default, range, help. The caller frees it. */
LT_API char *lt_table_help(const lt_option *options);

/* ---- Models ---- */

typedef struct lt_model lt_model;

/* Height, width and channels of the images. */
typedef struct lt_image_size {
    int h, w, c;
} lt_image_size;

/* Builds the networks of `r` (copied) for images of `size` and initialises the parameters from the
   recipe's seed. NULL on failure: the message names the recipe's line and the running shape. */
LT_API lt_model *lt_model_create(const lt_recipe *r, lt_image_size size);
LT_API void lt_model_free(lt_model *m); /* Nullable: m */

LT_API const lt_recipe *lt_model_recipe(const lt_model *m);
LT_API lt_params *lt_model_params(lt_model *m);
LT_API lt_image_size lt_model_image_size(const lt_model *m);
LT_API int lt_model_latent(const lt_model *m);

/* The networks as text: one line per layer with shapes and parameter counts. The caller frees it. */
LT_API char *lt_model_summary(const lt_model *m);

typedef enum lt_mode { LT_EVALUATION, LT_TRAINING } lt_mode;

/* Nodes of one visit of the model in a graph; n is the batch. Per-image terms are in nats. */
typedef struct lt_model_terms {
    lt_node *beta;       /* input scalar: weight of the rate, from the schedule */
    lt_node *loss;       /* scalar: mean over the batch of distortion + beta rate */
    lt_node *rate;       /* n: KL(q(z|x) || p(z)), analytic or one-sample Monte Carlo */
    lt_node *distortion; /* n: -log p(x|z), all constants */
    lt_node *squared_error; /* n: sum of (x - mean reconstruction)^2 */
    lt_node *reconstruction; /* n x h x w x c: E[x|z], in [0, 1] where the likelihood says so */
    lt_gauss posterior;  /* n x latent */
    lt_node *z;          /* n x latent: the draw */
    lt_node *log_weight; /* n: log p(x|z) + log p(z) - log q(z|x) at that draw */
    lt_node *sigma;      /* scalar standard deviation of a Gaussian likelihood, else NULL */
} lt_model_terms;

/* Builds encoder, draw, decoder and terms on x (n x h x w x c). */
LT_API int lt_model_build(lt_model *m, lt_graph *g, lt_node *x, lt_mode mode, lt_model_terms *t);

/* Evaluation pieces: z (n x latent) -> mean image (n x h x w x c); x -> posterior. */
LT_API lt_node *lt_model_decode(lt_model *m, lt_graph *g, lt_node *z);
LT_API lt_gauss lt_model_encode(lt_model *m, lt_graph *g, lt_node *x);

#ifdef __cplusplus
}
#endif
#endif
