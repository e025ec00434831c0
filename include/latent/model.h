/* SPDX-License-Identifier: MIT */
/* model.h: recipes, the networks they describe, and the terms of their objectives.
 * A recipe is a whole experiment with every default written out; a model owns its parameters.
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

/* Opens a preset by name, or a file by path (anything with a '/' or ending in .yaml), applies `sets` in order, fills
   in defaults and checks everything. Sets *out to NULL on failure: the message has file, line, column and the nearest
   right name. A set is "model.latent=32"; it can name a list element or an option of a line: "model.encoder.0=linear
   300", "optimizer.lr=1e-4", "model.likelihood.sigma=learned". The value is the literal text after '='; for sections
   and lists of the model it is YAML. Paths of data become absolute: those in the file are relative to its directory,
   those in `sets` to the working directory. */
LT_API int lt_recipe_open(const char *name_or_path, const char *const *sets, int n, lt_recipe **out);

/* The same from text; messages call the file `label`. */
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
    int64_t epochs;           /* total */
    int64_t batch;            /* images per step; the last step of an epoch may have fewer */
    int64_t samples_every;    /* epochs between sample images; 0: none */
    int64_t checkpoint_every; /* epochs between checkpoints; 0: only at the end */
    int64_t keep_checkpoints; /* newest checkpoints to keep; 0: all */
    double clip_norm;         /* largest norm of the gradient; 0: no limit */
    double ema_decay;         /* decay of the moving average of the weights; 0: no average */
    char samples_at[LT_TEXT_SIZE]; /* additional epochs with sample images: "1, 30, 50" */
} lt_train_options;
LT_API const lt_train_options *lt_recipe_train_options(const lt_recipe *r);

/* Whether training writes sample images after this epoch (from 1). */
LT_API bool lt_train_options_samples(const lt_train_options *o, int64_t epoch);

/* Returns the resolved recipe as YAML, every default written out; opening it again gives the same text. Owned by r.
   */
LT_API const char *lt_recipe_text(const lt_recipe *r);

/* One value of a resolved recipe. */
typedef struct lt_recipe_value {
    const char *key;   /* as in sets: "train.batch", "model.encoder.0" */
    const char *value; /* text without quotes: "64", "linear 300 bias=yes" */
} lt_recipe_value;

/* Returns all values, in the order of lt_recipe_text. Owned by r. */
LT_API const lt_recipe_value *lt_recipe_values(const lt_recipe *r, int *n);

/* Returns the value of one key, owned by r, or NULL (LT_NOT_FOUND, with the nearest name). */
LT_API const char *lt_recipe_get(const lt_recipe *r, const char *key);

/* A key at which two recipes differ. */
typedef struct lt_recipe_change {
    const char *key, *then, *now; /* values; NULL: that recipe does not have the key */
} lt_recipe_change;

/* Fills *changes with the keys at which the recipes differ, in the order of `now`, followed by keys that only `then`
   has. The caller frees *changes; its texts are owned by the recipes. */
LT_API int lt_recipe_diff(const lt_recipe *then, const lt_recipe *now, lt_recipe_change **changes, int *n);

/* Returns warning i, a sentence with file and line, or NULL past the last: valid settings that are probably mistakes,
   such as batch statistics of one image or under a gradient penalty. The caller frees it. images: size of the train
   split, since the last batch of an epoch may have one image; 0: unknown. */
LT_API char *lt_recipe_warning(const lt_recipe *r, int64_t images, int i);

/* Returns key i of those that may change when a run is resumed ("train.epochs"), or NULL past the last. Static
   string. The other keys define the run. */
LT_API const char *lt_recipe_resumable(int i);

/* Returns LT_OK if a run trained with `then` can be resumed with `now`, else LT_VALUE: the message lists the keys
   that differ but must not, both values of each, and the keys that may change. */
LT_API int lt_recipe_check_resume(const lt_recipe *then, const lt_recipe *now);

/* The presets: i in 0 ... count-1, sorted by name; static strings. */
LT_API int lt_preset_count(void);
LT_API const char *lt_preset_name(int i);
LT_API const char *lt_preset_summary(int i);
LT_API const char *lt_preset_text(int i);

/* ---- Tables, for help pages and forms ---- */

typedef struct lt_table_entry {
    const char *name, *summary;
    const lt_option *options; /* ends with a row without a name */
} lt_table_entry;

/* Returns the name of table i, or NULL past the last: "layers", "initializers", "likelihoods", "priors",
   "objectives", "optimizers", "schedules", and "sections", which lists the keys of a recipe. Static string. */
LT_API const char *lt_table_name(int i);

/* Fills `entry` with row i of the table called `table`; false past the last row or if there is no such table. */
LT_API bool lt_table_get(const char *table, int i, lt_table_entry *entry);

/* Returns the options of an entry as aligned text, one per line: name, default, range, help. The caller frees it. */
LT_API char *lt_table_help(const lt_option *options);

/* ---- Capabilities of a kind of model ---- */

/* Capabilities, as bits of a set. Test these, never the name of a kind. */
typedef enum lt_capability {
    LT_CAN_ENCODE = 1 << 0,     /* lt_model_encode: a code for each image */
    LT_CAN_POSTERIOR = 1 << 1,  /* codes are distributions q(z|x), not points */
    LT_CAN_DECODE = 1 << 2,     /* lt_model_decode: an image for each code */
    LT_CAN_SAMPLE = 1 << 3,     /* lt_model_prior_sample: new codes and so new images */
    LT_CAN_LIKELIHOOD = 1 << 4, /* p(x|z): lt_model_log_prob, lt_model_decode_sample; distortion in nats */
    LT_CAN_LOG_PRIOR = 1 << 5,  /* lt_model_log_prior */
    LT_CAN_BOUND = 1 << 6,      /* bounds of log p(x): -ELBO, rate, lt_model_log_weights */
    LT_CAN_CLASSES = 1 << 7,    /* lt_model_decode_class: images of a given class */
    LT_CAN_ADVERSARY = 1 << 8,  /* a second network that scores images: lt_model_discriminator, lt_recipe_score */
    LT_CAN_RECONSTRUCT = LT_CAN_ENCODE | LT_CAN_DECODE,
    LT_CAN_INTERPOLATE = LT_CAN_DECODE, /* between the codes of two images, or two samples */
} lt_capability;

/* Returns the capabilities of this recipe's models. */
LT_API unsigned lt_recipe_capabilities(const lt_recipe *r);

/* Whether they include every capability in the set `what`. */
LT_API bool lt_recipe_can(const lt_recipe *r, unsigned what);

/* Returns LT_OK if they do, else LT_VALUE: the message names what is missing, why, and what to do instead. */
LT_API int lt_recipe_require(const lt_recipe *r, unsigned what);

/* Returns the name of one capability ("encode", "sample", "bound", ...), or NULL for any other number. Static string.
   */
LT_API const char *lt_capability_name(unsigned one);

/* Return the kind's name for titles, "VAE", and with its article for sentences, "a vae". Static strings. */
LT_API const char *lt_recipe_kind_title(const lt_recipe *r);
LT_API const char *lt_recipe_kind_phrase(const lt_recipe *r);

/* ---- Metrics of training ---- */

enum { LT_METRICS = 16 }; /* largest number of metrics */

/* How two values of a metric compare. */
typedef enum lt_better {
    LT_BETTER_NEITHER,
    LT_BETTER_LOWER,
    LT_BETTER_HIGHER,
} lt_better;

/* A number that training reports. Strings are static. */
typedef struct lt_metric {
    const char *name;    /* its key in metrics.jsonl: "distortion" */
    const char *label;   /* short, for column headings and legends; NULL: not in progress lines */
    const char *unit;    /* "nats per image", "probability of being real"; NULL: a number without a unit */
    const char *meaning; /* a phrase: "KL(q(z|x) || p(z))" */
    const char *phase;   /* the phase of training that reports it: "step", "discriminator" */
    const char *chart;   /* title of its chart; metrics with the same title share one */
    lt_better better;
    bool is_last;        /* value of the last step; else the mean over the epoch's images */
    bool is_optional;    /* only some recipes of the kind have it; NaN in the others */
    int width, digits;   /* of its column: characters, digits after the point */
    int index;           /* its position in the list */
} lt_metric;

/* Returns the metrics that training with this recipe reports, in the order in which they are written. A value is NaN
   in a report if there is nothing to report, such as a penalty that the recipe does not have. Owned by r. */
LT_API const lt_metric *lt_recipe_metrics(const lt_recipe *r, int *n);

/* Returns the metric of that name, or NULL. */
LT_API const lt_metric *lt_recipe_metric(const lt_recipe *r, const char *name);

/* Returns the first metric: the loss of training, or of its first phase. */
LT_API const lt_metric *lt_recipe_loss(const lt_recipe *r);

/* ---- Scores of an adversarial model ---- */

/* The meaning of d_real and d_fake in a report. */
typedef struct lt_score {
    bool is_probability;     /* of being real, 0 ... 1; else unbounded */
    const char *real, *fake; /* their names: "D(real)", or "critic(real)" */
    const char *text;        /* a phrase: "probability of being real" */
    const char *estimate;    /* meaning of a report's estimate: "a lower bound of the divergence ..." */
} lt_score;

/* Fills `score` as the recipe's loss defines it; false for a kind of model without a discriminator. Static strings.
   */
LT_API bool lt_recipe_score(const lt_recipe *r, lt_score *score);

/* ---- Models ---- */

typedef struct lt_model lt_model;

/* Height, width and channels of the images. */
typedef struct lt_image_size {
    int h, w, c;
} lt_image_size;

/* Builds the networks of `r` (shared: the caller may free it) for images of `size` and initializes the parameters
   from the recipe's seed. Returns NULL on failure: the message names the recipe's line and its input shape. */
LT_API lt_model *lt_model_create(const lt_recipe *r, lt_image_size size);
LT_API void lt_model_free(lt_model *m); /* Nullable: m */

/* Copies weights, running statistics and averages, also of a discriminator, from `from` to `to`: a snapshot that
   another thread may use while `from` is trained further. Takes as long as copying the memory. LT_VALUE, with `to`
   unchanged, unless both have the same recipe and image size. */
LT_API int lt_model_copy(lt_model *to, const lt_model *from);

LT_API const lt_recipe *lt_model_recipe(const lt_model *m);

/* As lt_recipe_can for the model's recipe. */
LT_API bool lt_model_can(const lt_model *m, unsigned what);

LT_API lt_params *lt_model_params(lt_model *m); /* all except the discriminator's */
LT_API lt_params *lt_model_discriminator(lt_model *m); /* NULL if the kind of model has none */
LT_API lt_image_size lt_model_image_size(const lt_model *m);
LT_API int lt_model_latent(const lt_model *m);

/* Returns the dimensions of a second stochastic layer z2, or 0. With one, the joint is p(z2) p(z|z2) p(x|z) and the
   posterior q(z|x) q(z2|z); log p(z) then has no formula. */
LT_API int lt_model_latent2(const lt_model *m);

/* Returns the number of classes that images can be generated for; 0: none. */
LT_API int lt_model_classes(const lt_model *m);

/* Whether the likelihood is for pixels that are 0 or 1. On gray pixels its distortion is a cross-entropy, not a
   likelihood, and must be labeled as such. */
LT_API bool lt_model_is_binary(const lt_model *m);

/* Whether the likelihood is a probability, of bits or bytes; else a density of intensities on [0, 1], whose logarithm
   may be positive. */
LT_API bool lt_model_is_discrete(const lt_model *m);

/* Returns the networks as text: one line per layer with output shape and parameter count. The caller frees it. */
LT_API char *lt_model_summary(const lt_model *m);

typedef enum lt_mode {
    LT_EVALUATION,
    LT_TRAINING,
    LT_OBJECTIVE, /* the loss of training with the networks in evaluation mode: for validation */
} lt_mode;

/* Nodes of one visit of the model in a graph; n is the batch. Per-image terms are in nats. Training takes the
   recipe's number of samples of z for each image, and these terms are means over them; evaluation takes one. */
typedef struct lt_model_terms {
    lt_node *beta;       /* input scalar: weight of the rate, from the schedule */
    lt_node *capacity;   /* input scalar: target of the rate in nats, from the schedule; NULL if
                            the recipe has none */
    lt_node *loss;       /* scalar: the loss of training; by default, and always in evaluation, the mean over
                            the batch of distortion + beta rate */
    lt_node *rate;       /* n: KL(q(z|x) || p(z)) in closed form; at the samples if there is none, or, in
                            training, if the recipe asks for it */
    lt_node *distortion; /* n: -log p(x|z), all constants */
    lt_node *squared_error; /* n: sum of (x - E[x|z])^2 */
    lt_node *reconstruction; /* n x h x w x c: E[x|z] at the first sample, or the median if the mean
                                has no formula; in [0, 1] if the likelihood is */
    lt_gauss posterior;  /* n x latent */
    lt_node *z;          /* n x latent: the first sample */
    lt_node *log_weight; /* n: log p(x|z) + log p(z) - log q(z|x); log-mean-exp over samples */
    lt_node *sigma;      /* scalar: standard deviation of a pixel, root mean square over channels;
                            NULL if it depends on the decoder's output */
} lt_model_terms;

/* Builds encoder, sampling, decoder and terms on x (n x h x w x c). LT_GRAPH if the graph holds an error. A training
   graph also needs lt_params_state_assign among its targets. */
LT_API int lt_model_build(lt_model *m, lt_graph *g, lt_node *x, lt_mode mode, lt_model_terms *t);

/* The parts, in evaluation mode: x (n x h x w x c) -> posterior; z (n x latent) -> E[x|z] (n x h x w x c);
   z and x -> log p(x|z) (n). */
LT_API lt_gauss lt_model_encode(lt_model *m, lt_graph *g, lt_node *x);
LT_API lt_node *lt_model_decode(lt_model *m, lt_graph *g, lt_node *z);

/* Decodes images of given classes; labels: n whole numbers from 0. lt_model_decode samples a class for each code,
   uniformly. A graph error if the model has no classes. */
LT_API lt_node *lt_model_decode_class(lt_model *m, lt_graph *g, lt_node *z, lt_node *labels);

/* Returns a sample of p(x|z) for each code, n x h x w x c, from the graph's noise; it may leave [0, 1] if the
   likelihood does. A graph error if the model has no likelihood. */
LT_API lt_node *lt_model_decode_sample(lt_model *m, lt_graph *g, lt_node *z);

/* Binds the variables of `g` in session `s` to the model's parameters; in evaluation to the moving average of the
   weights, if the recipe has one. */
LT_API int lt_model_bind(lt_model *m, lt_graph *g, lt_session *s, lt_mode mode);
LT_API lt_node *lt_model_log_prob(lt_model *m, lt_graph *g, lt_node *z, lt_node *x);

/* log p(z): n, for z: n x latent; a graph error with a second stochastic layer. And n samples of z, n x latent, from
   the graph's noise. */
LT_API lt_node *lt_model_log_prior(lt_model *m, lt_graph *g, lt_node *z);
LT_API lt_node *lt_model_prior_sample(lt_model *m, lt_graph *g, int64_t n);

/* log p(x|z) + log p(z) - log q(z|x) for `draws` samples of z (and z2) per image: (n draws), image by image. The
   log-mean-exp over an image's samples estimates log p(x). x: n x h x w x c; q: its posterior, n x latent, from
   lt_model_encode or as inputs, so that an image is encoded only once. Samples come from the graph's noise. */
LT_API lt_node *lt_model_log_weights(lt_model *m, lt_graph *g, lt_node *x, lt_gauss q,
                                     int64_t draws);

#ifdef __cplusplus
}
#endif
#endif
