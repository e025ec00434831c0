/* SPDX-License-Identifier: MIT */
/* report.h: what is known of trained models, put together to be read: pages of HTML, explanations and evaluations as
 * JSON, all to memory.
 *
 *     lt_explanation e;
 *     int status = lt_explain("runs/mine", NULL, &e);
 *     char *text = status == LT_OK ? lt_explanation_json(&e) : NULL;
 *     ...
 *     free(text);
 *     lt_explanation_clear(&e);
 *
 * JSON is one object on one line, without a newline: numbers have nine digits, null where they are not finite; an
 * estimate is {"value": ..., "se": ...}. A function that gives text gives NULL where it fails, with lt_last_error(); the
 * caller frees it.
 */
#ifndef LATENT_REPORT_H
#define LATENT_REPORT_H

#include <latent/eval.h>
#include <latent/ledger.h>
#include <latent/quality.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Pages ---- */

enum { LT_MAX_REPORT_RUNS = 16 };

/* Zero means default. */
typedef struct lt_report_options {
    const char *title;   /* default: the name of the run, or how many there are */
    const char *data;    /* instead of the recipes' data, by name or path. Nullable */
    int images;          /* of the test split, spread over it; default: all, and 1000 for what takes many draws */
    int nll_samples;     /* K of the importance-sampled log-likelihood; default 50, -1: none */
    bool with_quality;   /* also the scores of samples, of `quality_samples` of them (0: as lt_quality_measure) */
    int quality_samples;
    /* Called with what a reader of a chart should know, such as that two runs do not compare. Nullable. */
    void (*on_note)(void *user, const char *note);
    uint64_t seed;       /* of draws and samples */
    lt_run_options run;  /* `user` is also on_note's */
} lt_report_options;

/* Makes one page about a run, or one that compares several: samples, reconstructions, curves, numbers with their errors,
   the ledger of the loss, codes, network, recipe, and the commands that make each of them again. The page is UTF-8, holds
   its pictures and asks for nothing from elsewhere; the same runs give the same bytes at any number of threads. A run
   is a directory, of which the newest checkpoint is taken, or a checkpoint file; without its data it has no pictures of
   them and no new numbers. The caller frees *bytes, NULL on failure. LT_VALUE for more than LT_MAX_REPORT_RUNS;
   LT_UNSUPPORTED for `images` or `nll_samples` where no model has bounds; LT_INTERRUPTED when `run.progress` stopped
   it; and as lt_explain. Nullable: o. */
LT_API int lt_report_html(const char *const *runs, int n, const lt_report_options *o, unsigned char **bytes,
                          size_t *size);

/* ---- What the numbers of a run mean ---- */

/* Zero means default: the last validation of training. */
typedef struct lt_explain_options {
    const char *data;   /* instead of the recipe's, by name or path; the numbers are then measured now. Nullable */
    bool with_split;    /* evaluates `split` now, `images` of it spread over it (0: all), with draws of `seed` */
    lt_split split;
    int images;
    uint64_t seed;
    lt_run_options run;
} lt_explain_options;

typedef struct lt_explanation {
    char *checkpoint;             /* its path; owned */
    char digest[LT_DIGEST_SIZE];  /* of it; "" if it has none */
    lt_model *model;              /* owned */
    lt_dataset *data;             /* owned; NULL where they could not be opened, and no number needs them */
    lt_train_report trained;      /* of the last epoch in the log; epoch 0: there is none */
    lt_validation found;          /* the numbers that `ledger` explains, nats per image */
    lt_split split;               /* of which split they are; without `data` that which training would take */
    int64_t epoch;                /* after which training found them; 0: measured now */
    lt_ledger ledger;
} lt_explanation;

/* Opens the newest checkpoint of a run, or a checkpoint file, takes its last validation from metrics.jsonl or, where
   that has none, evaluates the validation images, and makes the ledger. Clear *e in any case. LT_NOT_FOUND, LT_FORMAT;
   LT_UNSUPPORTED for `with_split` of a model without a likelihood; LT_INTERRUPTED when `run.progress` stopped it.
   Nullable: o. */
LT_API int lt_explain(const char *run, const lt_explain_options *o, lt_explanation *e);
LT_API void lt_explanation_clear(lt_explanation *e);

/* Puts what has just been evaluated in place of the validation, and makes the ledger of it: where both are at hand, a
   page has one number. */
LT_API int lt_explanation_use(lt_explanation *e, const lt_evaluation *found, lt_split split);

/* Terms, notes and published numbers as JSON, as `latent explain --json` prints it. */
LT_API char *lt_explanation_json(const lt_explanation *e);

/* ---- What a model is worth ---- */

/* Zero means default: bounds and codes of a model with a likelihood, or else the scores of its samples. */
typedef struct lt_scorecard_options {
    lt_split split;            /* lt_dataset_split chooses the nearest that there is */
    int images;                /* for bounds and codes, spread over the split; 0: all */
    int nll_samples;           /* K of the importance-sampled log-likelihood; 0: none */
    const int *iwae;           /* as in lt_eval_options */
    int n_iwae;
    int ais_chains, ais_steps; /* of annealed importance sampling; 0 chains: none */
    bool is_ais_from_posterior;
    bool with_bounds;          /* also of a model without a likelihood, which is an error */
    bool with_quality;         /* also the scores of samples */
    bool is_lenient;           /* bounds that a model does not have are neither an error nor replaced by scores: for
                                  models of several kinds beside each other */
    lt_quality_options quality; /* samples, arrays, with_images; the rest is that of these options */
    const char *data;          /* what was opened instead of the recipe's data, and options of them that were changed, */
    const char *const *sets;   /* for the JSON alone; borrowed by the scorecard. Nullable */
    int n_sets;
    /* Called before each computation, with its name: "codes", "annealing", "bounds", "samples". Nullable. */
    void (*on_phase)(void *user, const char *phase);
    uint64_t seed;
    lt_run_options run;        /* `user` is also on_phase's */
} lt_scorecard_options;

/* Columns with a number for each image that was evaluated; all zero where it was not asked for. */
typedef struct lt_image_scores {
    int64_t n;
    int32_t *index, *label; /* which image of the split as it was read; -1: it has no label */
    double *neg_elbo, *rate, *distortion, *squared_error, *nll, *ess, *pareto_k, *ais, *ais_ess;
    double *iwae[LT_MAX_BOUNDS];
} lt_image_scores;

typedef struct lt_scorecard {
    const lt_model *model;   /* borrowed */
    lt_split split;
    char set[LT_TEXT_SIZE];  /* the name of the data */
    lt_data_options options; /* of the data */
    lt_image_size size;
    const char *data;        /* as in the options, as are the next two */
    const char *const *sets;
    int n_sets;
    int64_t seed;
    bool has_bounds;         /* evaluation and images; and the codes of a model with LT_CAN_BOUND */
    lt_evaluation evaluation;
    lt_diagnosis codes;
    bool has_ais, is_ais_from_posterior;
    lt_ais_result ais;
    lt_estimate gap;          /* -ELBO less the NLL, each image with itself; NaN without an NLL */
    lt_estimate ais_less_nll; /* likewise; NaN without one of them */
    lt_image_scores images;
    bool has_quality;
    lt_quality quality;
} lt_scorecard;

/* Finds what is asked for, on the data of `d`, which lt_model_check_data accepts. Fails as lt_diagnose, lt_ais,
   lt_evaluate and lt_quality_measure do. Clear *c in any case; it borrows the model until then. Nullable: o. */
LT_API int lt_scorecard_make(lt_model *m, lt_dataset *d, const lt_scorecard_options *o, lt_scorecard *c);
LT_API void lt_scorecard_clear(lt_scorecard *c);

/* Adds a line to the evaluations.jsonl of a run directory, where lt_run_read_results finds it: `checkpoint` and `digest`
   are those of lt_run_model. Does nothing for a checkpoint file, or where other data or options were chosen. LT_IO. */
LT_API int lt_scorecard_record(const lt_scorecard *c, const char *run, const char *checkpoint, const char *digest);

/* The columns as comma-separated text, index and label first; and as a file, .csv or .npz. NULL, or LT_VALUE, where
   there are none; LT_IO. */
LT_API char *lt_image_scores_csv(const lt_scorecard *c);
LT_API int lt_image_scores_write(const lt_scorecard *c, const char *path);

/* All of it as JSON, as `latent eval --json` prints it; `run` is the name of the model there. */
LT_API char *lt_evaluation_json(const lt_scorecard *c, const char *run);

/* Why the bounds of two do not compare: a static phrase, "the splits differ"; NULL where they do. */
LT_API const char *lt_scorecards_differ(const lt_scorecard *a, const lt_scorecard *b);

/* n of them, and how they differ from the first that has bounds, each image with itself. */
LT_API char *lt_comparison_json(int n, const char *const *runs, const lt_scorecard *cards);

/* ---- How good samples are ---- */

enum { LT_QUALITY_TEXT = 1024 };

/* "unknown", "none", "found"; a static string. */
LT_API const char *lt_memorization_name(lt_memorization_verdict verdict);

/* What is known of copies of train images, in sentences: the evidence, and the smallest share that would have been
   found. */
LT_API void lt_quality_memorization_text(const lt_quality *q, char text[LT_QUALITY_TEXT]);

/* Which scores are missing, which are not to be relied on, and why; "" where all is well. */
LT_API void lt_quality_limits_text(const lt_quality *q, char text[LT_QUALITY_TEXT]);

/* All scores, digests and nearest pairs as JSON. */
LT_API char *lt_quality_json(const lt_quality *q);

/* The same of images from anywhere, as `latent score --json` prints it: `images` and `against` are the names of what was
   scored and of the data set, of whose `split` the held-out images are. */
LT_API char *lt_score_json(const char *images, const char *against, lt_split split, const lt_quality *q);

#ifdef __cplusplus
}
#endif
#endif
