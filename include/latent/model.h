/* SPDX-License-Identifier: MIT */
/* model.h: from a recipe to networks, and from networks to the terms of an objective.
 * A recipe is the whole experiment with every default written out; a model owns its parameters.
 *
 *     lt_recipe_open("ift6135-vae", sets, n_sets, &r);                // preset, or path of a file
 *     lt_model *m = lt_model_create(r, (lt_image_size){28, 28, 1});
 *     lt_model_terms t;
 *     lt_model_build(m, g, x, LT_TRAINING, &t);                       // nodes to train or evaluate
 *     lt_program *p = lt_compile(g, (lt_node *[]){t.rate, t.distortion}, 2);
 *     lt_model_bind(m, g, session, LT_TRAINING);                      // before the first run
 */
#ifndef LATENT_MODEL_H
#define LATENT_MODEL_H

#include <latent/data.h>
#include <latent/nn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Recipes: constant once made, so any number of threads may share one ---- */

typedef struct lt_recipe lt_recipe;

/* Opens a preset by name, or a file by path (anything with a '/' or ending in .yaml), applies
   `sets` in order, fills in defaults, checks everything. *out is NULL on failure: the message has file,
   line, column and the nearest right name. A set is "model.latent=32"; lists go by index and
   lines by option: "model.encoder.0=linear 300", "optimizer.lr=1e-4",
   "model.likelihood.sigma=learned". The value is the text behind '=' as it is, of sections and lists
   of the model YAML. Paths of data become absolute: relative ones of the file begin at its directory,
   those of `sets` at the working directory. */
LT_API int lt_recipe_open(const char *name_or_path, const char *const *sets, int n, lt_recipe **out);

/* The same from text; `label` stands for the file's name in messages. */
LT_API lt_recipe *lt_recipe_parse(const char *label, const char *text, const char *const *sets,
                                  int n);
LT_API void lt_recipe_free(lt_recipe *r); /* Nullable: r */

LT_API const char *lt_recipe_name(const lt_recipe *r);
LT_API const char *lt_recipe_summary(const lt_recipe *r); /* one line; may be "" */
LT_API const char *lt_recipe_kind(const lt_recipe *r);    /* of model: "vae", "gan", "ae" */
LT_API uint64_t lt_recipe_seed(const lt_recipe *r);

/* The data set asked for, by name or path, and how to read it. "": the recipe leaves it to whoever trains:
   --data, or a data set that a program has made (lt_dataset_from_memory). */
LT_API const char *lt_recipe_dataset(const lt_recipe *r);
LT_API const lt_data_options *lt_recipe_data_options(const lt_recipe *r);

/* The `train` section. */
typedef struct lt_train_options {
    int64_t epochs;           /* to train in all */
    int64_t batch;            /* images in a step; the last of an epoch may have fewer */
    int64_t samples_every;    /* epochs between pictures; 0: none */
    int64_t checkpoint_every; /* epochs between checkpoints; 0: only at the end */
    int64_t keep_checkpoints; /* checkpoints kept, the newest; 0: all */
    double clip_norm;         /* largest norm of the gradient; 0: not limited */
    double ema_decay;         /* memory of the moving average of weights; 0: none is kept */
    char samples_at[LT_TEXT_SIZE]; /* epochs with pictures beside samples_every's: "1, 30, 50" */
} lt_train_options;
LT_API const lt_train_options *lt_recipe_train_options(const lt_recipe *r);

/* Whether a picture of samples belongs to this epoch, from 1. */
LT_API bool lt_train_options_samples(const lt_train_options *o, int64_t epoch);

/* The resolved recipe as YAML: every default written out; opening it again gives the same text.
   Owned by r. */
LT_API const char *lt_recipe_text(const lt_recipe *r);

/* One value of a resolved recipe. */
typedef struct lt_recipe_value {
    const char *key;   /* as sets name it: "train.batch", "model.encoder.0" */
    const char *value; /* its text, without quotes: "64", "linear 300 bias=yes" */
} lt_recipe_value;

/* All of them, in the order of lt_recipe_text. Owned by r. */
LT_API const lt_recipe_value *lt_recipe_values(const lt_recipe *r, int *n);

/* The value of one key. Owned by r. NULL (LT_NOT_FOUND, with the nearest name) if there is none. */
LT_API const char *lt_recipe_get(const lt_recipe *r, const char *key);

/* A key at which two recipes differ. */
typedef struct lt_recipe_change {
    const char *key, *then, *now; /* values; NULL: that recipe does not have the key */
} lt_recipe_change;

/* Fills *changes with all keys at which they differ, in the order of `now`; behind them those that `then` alone has.
   The caller frees *changes; its texts are owned by the recipes. */
LT_API int lt_recipe_diff(const lt_recipe *then, const lt_recipe *now, lt_recipe_change **changes, int *n);

/* What a recipe allows and hardly means, a sentence each with file and line: batch statistics of one image,
   batch statistics under a gradient penalty. i in 0 ... until NULL; the caller frees it. images: of the train
   split, since the last batch of an epoch may have one image; 0: not known. */
LT_API char *lt_recipe_warning(const lt_recipe *r, int64_t images, int i);

/* The keys of a recipe that may change when a run is resumed, as in "train.epochs": i in 0 ... until
   NULL; static strings. The others make a run what it is. */
LT_API const char *lt_recipe_resumable(int i);

/* LT_OK if what `then` has trained may go on with `now`, else LT_VALUE: the message has the keys that
   differ and may not, both their values, and those that may. */
LT_API int lt_recipe_check_resume(const lt_recipe *then, const lt_recipe *now);

/* The presets: i in 0 ... count-1, sorted by name; static strings. */
LT_API int lt_preset_count(void);
LT_API const char *lt_preset_name(int i);
LT_API const char *lt_preset_summary(int i);
LT_API const char *lt_preset_text(int i);

/* ---- What the tables hold, for help pages and forms ---- */

typedef struct lt_table_entry {
    const char *name, *summary;
    const lt_option *options; /* ends with a row without a name */
} lt_table_entry;

/* The names of the tables: "layers", "initializers", "likelihoods", "priors", "objectives",
   "optimizers", "schedules", and "sections", which has the keys of a recipe. NULL past the end.
   Static strings. */
LT_API const char *lt_table_name(int i);

/* Fills `entry` with row i of the table called `table`; false past the end or without such a
   table. */
LT_API bool lt_table_get(const char *table, int i, lt_table_entry *entry);

/* The options of an entry, one per line, aligned: name, default, range, help. The caller frees
   it. */
LT_API char *lt_table_help(const lt_option *options);

/* ---- What a kind of model can do ---- */

/* Capabilities, as bits of a set. Ask for these, never for the name of a kind. */
typedef enum lt_capability {
    LT_CAN_ENCODE = 1 << 0,     /* lt_model_encode: a code for each image */
    LT_CAN_POSTERIOR = 1 << 1,  /* its codes are distributions q(z|x) with a width, not points */
    LT_CAN_DECODE = 1 << 2,     /* lt_model_decode: an image for each code */
    LT_CAN_SAMPLE = 1 << 3,     /* lt_model_prior_sample: new codes, so new images */
    LT_CAN_LIKELIHOOD = 1 << 4, /* p(x|z): lt_model_log_prob, lt_model_decode_sample; distortion in nats */
    LT_CAN_LOG_PRIOR = 1 << 5,  /* lt_model_log_prior */
    LT_CAN_BOUND = 1 << 6,      /* bounds of log p(x): -ELBO, rate, lt_model_log_weights */
    LT_CAN_CLASSES = 1 << 7,    /* lt_model_decode_class: images of a class that is asked for */
    LT_CAN_ADVERSARY = 1 << 8,  /* a second network that scores images: lt_model_discriminator, lt_recipe_score */
    LT_CAN_RECONSTRUCT = LT_CAN_ENCODE | LT_CAN_DECODE,
    LT_CAN_INTERPOLATE = LT_CAN_DECODE, /* between the codes of two images, or two samples */
} lt_capability;

/* The set of what models of this recipe can do. */
LT_API unsigned lt_recipe_capabilities(const lt_recipe *r);

/* Whether they can do everything in the set `what`. */
LT_API bool lt_recipe_can(const lt_recipe *r, unsigned what);

/* LT_OK if they can; else LT_VALUE: the message says what is missing, why, and what to do instead. */
LT_API int lt_recipe_require(const lt_recipe *r, unsigned what);

/* "encode", "sample", "bound", ... of one capability; NULL for another number. Static string. */
LT_API const char *lt_capability_name(unsigned one);

/* What the kind is called in titles, "VAE", and with its article in sentences, "a vae". Static strings. */
LT_API const char *lt_recipe_kind_title(const lt_recipe *r);
LT_API const char *lt_recipe_kind_phrase(const lt_recipe *r);

/* ---- What training reports ---- */

enum { LT_METRICS = 16 }; /* at most so many are reported */

/* How two values of a metric compare. */
typedef enum lt_better {
    LT_BETTER_NEITHER,
    LT_BETTER_LOWER,
    LT_BETTER_HIGHER,
} lt_better;

/* One number that training reports. Strings are static. */
typedef struct lt_metric {
    const char *name;    /* its key in metrics.jsonl: "distortion" */
    const char *label;   /* short, for headings of columns and legends; NULL: not in progress lines */
    const char *unit;    /* "nats per image", "probability of being real"; NULL: a number without a unit */
    const char *meaning; /* a phrase: "KL(q(z|x) || p(z))" */
    const char *phase;   /* the phase of training that gives it: "step", "discriminator" */
    const char *chart;   /* title of the chart that it is drawn in, with the others of that title */
    lt_better better;
    bool is_last;        /* the value of the last step; else the mean over the images of the epoch */
    bool is_optional;    /* only some recipes of the kind have it; NaN in the others */
    int width, digits;   /* of a column that shows it: characters, and digits after the point */
    int index;           /* its position in the list */
} lt_metric;

/* The metrics that a training of this recipe reports, in the order in which they are written; the values
   of some may be NaN in a report, "nothing to report": a penalty that the recipe does not have. Owned
   by r. */
LT_API const lt_metric *lt_recipe_metrics(const lt_recipe *r, int *n);

/* The metric of that name; NULL: there is none. */
LT_API const lt_metric *lt_recipe_metric(const lt_recipe *r, const char *name);

/* The first of them: what training minimizes, or what it minimizes first. */
LT_API const lt_metric *lt_recipe_loss(const lt_recipe *r);

/* ---- What an adversarial model says of images ---- */

/* What d_real and d_fake of a report are. */
typedef struct lt_score {
    bool is_probability;     /* of being real, 0 ... 1; else a number of any size */
    const char *real, *fake; /* what they are called: "D(real)", or "critic(real)" */
    const char *text;        /* a few words: "probability of being real" */
    const char *estimate;    /* what the estimate of a report is: "a lower bound of the divergence ..." */
} lt_score;

/* Fills `score` with what the recipe's loss makes of it; false for a kind of model without a discriminator.
   Static strings. */
LT_API bool lt_recipe_score(const lt_recipe *r, lt_score *score);

/* ---- Models ---- */

typedef struct lt_model lt_model;

/* Height, width and channels of the images. */
typedef struct lt_image_size {
    int h, w, c;
} lt_image_size;

/* Builds the networks of `r` (shared: the caller may free it) for images of `size` and initializes
   the parameters from the recipe's seed. NULL on failure: the message names the recipe's line and
   the running shape. */
LT_API lt_model *lt_model_create(const lt_recipe *r, lt_image_size size);
LT_API void lt_model_free(lt_model *m); /* Nullable: m */

/* Makes `to` equal `from`: weights, running statistics, averages, and a discriminator's. A snapshot that
   another thread may use while `from` goes on being trained; it takes as long as copying the memory
   does. LT_VALUE, and `to` is as before, unless both have the same recipe and size of images. */
LT_API int lt_model_copy(lt_model *to, const lt_model *from);

LT_API const lt_recipe *lt_model_recipe(const lt_model *m);

/* Whether the model can do everything in the set `what`, as lt_recipe_can. */
LT_API bool lt_model_can(const lt_model *m, unsigned what);

LT_API lt_params *lt_model_params(lt_model *m); /* all but a discriminator's */
LT_API lt_params *lt_model_discriminator(lt_model *m); /* NULL where the kind of model has none */
LT_API lt_image_size lt_model_image_size(const lt_model *m);
LT_API int lt_model_latent(const lt_model *m);

/* Dimensions of a second stochastic layer, z2 behind z; 0: there is none. With one the joint is
   p(z2) p(z|z2) p(x|z) and the posterior q(z|x) q(z2|z): log p(z) has no formula then. */
LT_API int lt_model_latent2(const lt_model *m);

/* Classes that images can be asked of; 0: none. */
LT_API int lt_model_classes(const lt_model *m);

/* Whether the likelihood is one of pixels that are 0 or 1: on gray pixels its distortion is a
   cross-entropy, not a likelihood, and must be called so. */
LT_API bool lt_model_is_binary(const lt_model *m);

/* Whether the likelihood gives probabilities, of bits or of bytes; else densities of intensities on
   [0, 1], whose logarithms may be positive. */
LT_API bool lt_model_is_discrete(const lt_model *m);

/* The networks as text: one line per layer with shapes and parameter counts. The caller frees
   it. */
LT_API char *lt_model_summary(const lt_model *m);

typedef enum lt_mode {
    LT_EVALUATION,
    LT_TRAINING,
    LT_OBJECTIVE, /* the loss of training, by networks as evaluation has them: for validation */
} lt_mode;

/* Nodes of one visit of the model in a graph; n is the batch. Per-image terms are in nats. Training
   makes as many draws of z for each image as the recipe says, and these terms are their means;
   evaluation makes one. */
typedef struct lt_model_terms {
    lt_node *beta;       /* input scalar: weight of the rate, from the schedule */
    lt_node *capacity;   /* input scalar: nats that the rate is kept at, from the schedule; NULL if
                            the recipe has none */
    lt_node *loss;       /* scalar: what training minimizes; by default the mean over the batch of
                            distortion + beta rate, which it always is in evaluation */
    lt_node *rate;       /* n: KL(q(z|x) || p(z)) by its formula, or at the draws where there is
                            none, and in training if the recipe says so */
    lt_node *distortion; /* n: -log p(x|z), all constants */
    lt_node *squared_error; /* n: sum of (x - E[x|z])^2 */
    lt_node *reconstruction; /* n x h x w x c: E[x|z] at the first draw, or the median where that
                                has no formula; in [0, 1] where the likelihood says so */
    lt_gauss posterior;  /* n x latent */
    lt_node *z;          /* n x latent: the first draw */
    lt_node *log_weight; /* n: log p(x|z) + log p(z) - log q(z|x); log-mean-exp over draws */
    lt_node *sigma;      /* scalar standard deviation of a pixel, the root of the mean square over
                            channels; NULL where the decoder's output decides it */
} lt_model_terms;

/* Builds encoder, draw, decoder and terms on x (n x h x w x c). LT_GRAPH if the graph holds an
   error. A graph for training also needs lt_params_state_assign among its targets. */
LT_API int lt_model_build(lt_model *m, lt_graph *g, lt_node *x, lt_mode mode, lt_model_terms *t);

/* The pieces, as in evaluation: x (n x h x w x c) -> posterior; z (n x latent) -> E[x|z]
   (n x h x w x c); z and x -> log p(x|z) (n). */
LT_API lt_gauss lt_model_encode(lt_model *m, lt_graph *g, lt_node *x);
LT_API lt_node *lt_model_decode(lt_model *m, lt_graph *g, lt_node *z);

/* The same for images of given classes, labels: n whole numbers from 0. lt_model_decode draws a class
   for each code, all as likely. A graph error if the model has no classes. */
LT_API lt_node *lt_model_decode_class(lt_model *m, lt_graph *g, lt_node *z, lt_node *labels);

/* A draw of p(x|z) for each code, n x h x w x c, from the graph's noise; outside of [0, 1] where the
   likelihood is. A graph error without a likelihood. */
LT_API lt_node *lt_model_decode_sample(lt_model *m, lt_graph *g, lt_node *z);

/* Lets the variables of `g` in session `s` live in the model's parameters; in evaluation the moving
   average of the weights, where the recipe has one. */
LT_API int lt_model_bind(lt_model *m, lt_graph *g, lt_session *s, lt_mode mode);
LT_API lt_node *lt_model_log_prob(lt_model *m, lt_graph *g, lt_node *z, lt_node *x);

/* log p(z): n. z: n x latent; a graph error with a second stochastic layer. And n draws of z, n x
   latent, from the graph's noise. */
LT_API lt_node *lt_model_log_prior(lt_model *m, lt_graph *g, lt_node *z);
LT_API lt_node *lt_model_prior_sample(lt_model *m, lt_graph *g, int64_t n);

/* log p(x|z) + log p(z) - log q(z|x) of `draws` draws of z (and z2) for each image: n draws, image by
   image, whose log-mean-exp over draws is an estimate of log p(x). x: n x h x w x c; q: its posterior,
   n x latent, as lt_model_encode gives it or as inputs, so that an image is encoded once however
   often it is weighed. Draws come from the graph's noise. */
LT_API lt_node *lt_model_log_weights(lt_model *m, lt_graph *g, lt_node *x, lt_gauss q,
                                     int64_t draws);

#ifdef __cplusplus
}
#endif
#endif
