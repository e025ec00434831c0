/* SPDX-License-Identifier: MIT */
/* report.h: reports about trained models: pages of HTML, explanations and evaluations as JSON, all in memory.
 *
 *     lt_explanation e;
 *     int status = lt_explain("runs/mine", NULL, &e);
 *     char *text = status == LT_OK ? lt_explanation_json(&e) : NULL;
 *     ...
 *     free(text);
 *     lt_explanation_clear(&e);
 *
 * JSON is one object on one line, without a newline: numbers have nine digits, null if they are not finite; an
 * estimate is {"value": ..., "se": ...}. A function that returns text returns NULL on failure, with lt_last_error();
 * the caller frees it.
 */
#ifndef LATENT_REPORT_H
#define LATENT_REPORT_H

#include <latent/divergence.h>
#include <latent/eval.h>
#include <latent/ledger.h>
#include <latent/quality.h>
#include <latent/runs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Pages ---- */

enum { LT_MAX_REPORT_RUNS = 16 };

/* Zero means default. */
typedef struct lt_report_options {
    const char *title;   /* default: the name of the run, or the number of runs */
    const char *data;    /* instead of the recipes' data, by name or path. Nullable */
    int images;          /* a stratified sample of the test split; default: all, 1000 for many samples per image */
    int nll_samples;     /* K of the importance-sampled log-likelihood; default 50, -1: none */
    bool with_quality;   /* also score `quality_samples` samples (0: the default of lt_quality_measure) */
    int quality_samples;
    /* Called with notes on charts, such as that two runs are not comparable. Nullable. */
    void (*on_note)(void *user, const char *note);
    uint64_t seed;       /* of posterior samples and of images */
    lt_run_options run;  /* `user` is also passed to on_note */
} lt_report_options;

/* Makes a page about a run, or one that compares several: samples, reconstructions, curves, numbers with their errors,
   the ledger of the loss, codes, network, recipe, and the commands that reproduce each of them. The page is UTF-8,
   embeds its figures and loads nothing from elsewhere; the same runs give the same bytes with any number of threads. A
   run is a directory (its newest checkpoint is used) or a checkpoint file; without its data there are no figures of
   images and no new evaluation. The caller frees *bytes, NULL on failure. Returns LT_VALUE for more than
   LT_MAX_REPORT_RUNS; LT_UNSUPPORTED for `images` or `nll_samples` if no model has bounds; LT_INTERRUPTED if
   `run.progress` stopped it; other errors as in lt_explain. Nullable: o. */
LT_API int lt_report_html(const char *const *runs, int n, const lt_report_options *o, unsigned char **bytes,
                          size_t *size);

/* ---- Explaining the numbers of a run ---- */

/* Zero means default: the last validation of training. */
typedef struct lt_explain_options {
    const char *data;   /* instead of the recipe's, by name or path; evaluates it now. Nullable */
    bool with_split;    /* evaluate `split` now, a stratified sample of `images` (0: all), with samples of `seed` */
    lt_split split;
    int images;
    uint64_t seed;
    lt_run_options run;
} lt_explain_options;

typedef struct lt_explanation {
    char *checkpoint;             /* its path; owned */
    char digest[LT_DIGEST_SIZE];  /* of it; "" if it has none */
    lt_model *model;              /* owned */
    lt_dataset *data;             /* owned; NULL if it could not be opened and is not needed */
    lt_train_report trained;      /* of the last epoch in the log; epoch 0: none */
    lt_validation found;          /* the numbers that `ledger` explains, nats per image */
    lt_split split;               /* of these numbers; without `data` the split that training would validate on */
    int64_t epoch;                /* of the validation in the log; 0: evaluated now */
    lt_ledger ledger;
} lt_explanation;

/* Opens the newest checkpoint of a run, or a checkpoint file, reads its last validation from metrics.jsonl or, if there
   is none, evaluates the validation images, and makes the ledger. Clear *e in any case. LT_NOT_FOUND, LT_FORMAT;
   LT_UNSUPPORTED for `with_split` with a model without a likelihood; LT_INTERRUPTED if `run.progress` stopped it.
   Nullable: o. */
LT_API int lt_explain(const char *run, const lt_explain_options *o, lt_explanation *e);
LT_API void lt_explanation_clear(lt_explanation *e);

/* Replaces the validation by a new evaluation and makes the ledger again, so that a page shows one number only. */
LT_API int lt_explanation_use(lt_explanation *e, const lt_evaluation *found, lt_split split);

/* Returns terms, notes and published numbers as JSON: the output of `latent explain --json`. */
LT_API char *lt_explanation_json(const lt_explanation *e);

/* ---- Evaluating a model ---- */

/* Zero means default: bounds and codes of a model with a likelihood, or else the scores of its samples. */
typedef struct lt_scorecard_options {
    lt_split split;            /* replaced by lt_dataset_split if the data has no such split */
    int images;                /* for bounds and codes, a stratified sample of the split; 0: all */
    int nll_samples;           /* K of the importance-sampled log-likelihood; 0: none */
    const int *iwae;           /* as in lt_eval_options */
    int n_iwae;
    int ais_chains, ais_steps; /* of annealed importance sampling; 0 chains: none */
    bool is_ais_from_posterior;
    bool with_bounds;          /* also of a model without a likelihood, which is an error */
    bool with_quality;         /* also the scores of samples */
    bool is_lenient;           /* missing bounds are neither an error nor replaced by scores: for comparing
                                  several kinds of models */
    lt_quality_options quality; /* samples, arrays, with_images; the others are taken from these options */
    const char *data;          /* data opened instead of the recipe's, and its changed options: used only in JSON, */
    const char *const *sets;   /* borrowed by the scorecard. Nullable */
    int n_sets;
    /* Called before each computation, with its name: "codes", "annealing", "bounds", "samples". Nullable. */
    void (*on_phase)(void *user, const char *phase);
    uint64_t seed;
    lt_run_options run;        /* `user` is also passed to on_phase */
} lt_scorecard_options;

/* Columns with a number per evaluated image; all zero if not asked for. */
typedef struct lt_image_scores {
    int64_t n;
    int32_t *index, *label; /* index in the split as it was read; label, -1: none */
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
    lt_estimate gap;          /* -ELBO minus NLL, paired over images; NaN without an NLL */
    lt_estimate ais_less_nll; /* AIS minus NLL, paired over images; NaN without one of them */
    lt_image_scores images;
    bool has_quality;
    lt_quality quality;
} lt_scorecard;

/* Evaluates a model on `d`, which must pass lt_model_check_data. Errors as in lt_diagnose, lt_ais, lt_evaluate and
   lt_quality_measure. Clear *c in any case; it borrows the model until then. Nullable: o. */
LT_API int lt_scorecard_make(lt_model *m, lt_dataset *d, const lt_scorecard_options *o, lt_scorecard *c);
LT_API void lt_scorecard_clear(lt_scorecard *c);

/* Appends a line to the evaluations.jsonl of a run directory, for lt_run_read_results; `checkpoint` and `digest` are
   those of lt_run_model. Does nothing for a checkpoint file, or if other data or options were used. LT_IO. */
LT_API int lt_scorecard_record(const lt_scorecard *c, const char *run, const char *checkpoint, const char *digest);

/* Return the columns as comma-separated text, index and label first; write them to a file, .csv or .npz. NULL, or
   LT_VALUE, if there are none; LT_IO. */
LT_API char *lt_image_scores_csv(const lt_scorecard *c);
LT_API int lt_image_scores_write(const lt_scorecard *c, const char *path);

/* Returns the scorecard as JSON, the output of `latent eval --json`; `run` is the name of the model in it. */
LT_API char *lt_evaluation_json(const lt_scorecard *c, const char *run);

/* Returns why the bounds of two scorecards are not comparable, a static phrase such as "the splits differ"; NULL
   if they are. */
LT_API const char *lt_scorecards_differ(const lt_scorecard *a, const lt_scorecard *b);

/* Returns n scorecards as JSON, with the paired differences over images from the first one that has bounds. */
LT_API char *lt_comparison_json(int n, const char *const *runs, const lt_scorecard *cards);

/* ---- Scores of samples ---- */

enum { LT_QUALITY_TEXT = 1024 };

/* Returns "unknown", "none" or "found"; a static string. */
LT_API const char *lt_memorization_name(lt_memorization_verdict verdict);

/* Writes sentences about memorization: the evidence, and the smallest share of copies that would have been found. */
LT_API void lt_quality_memorization_text(const lt_quality *q, char text[LT_QUALITY_TEXT]);

/* Writes which scores are missing or unreliable, and why; "" if there are none. */
LT_API void lt_quality_limits_text(const lt_quality *q, char text[LT_QUALITY_TEXT]);

/* Returns all scores, digests and nearest pairs as JSON. */
LT_API char *lt_quality_json(const lt_quality *q);

/* The same for images of any source, the output of `latent score --json`: `images` and `against` name the scored images
   and the data set; the held-out images are of its `split`. */
LT_API char *lt_score_json(const char *images, const char *against, lt_split split, const lt_quality *q);

/* ---- Divergences ---- */

/* A study (divergence.h) as JSON: the distributions and a row for each theta and measure. */
LT_API char *lt_divergence_json(const lt_divergence_study *s);

/* ---- Runs and tables ---- */

/* n runs with their state, recipe, last epoch and results (lt_run_summarize) as JSON, as `latent runs --json` prints. */
LT_API char *lt_runs_json(int n, const lt_run_summary *runs);

/* The tables of recipes (lt_table_get) as JSON, by name; each is a list of rows with their options: name, kind, default,
   range, choices, help. One table, or the rows of one name: NULL if there are none. Nullable: row. */
LT_API char *lt_tables_json(void);
LT_API char *lt_table_json(const char *table, const char *row);

#ifdef __cplusplus
}
#endif
#endif
