/* SPDX-License-Identifier: MIT */
/* runs.h: run directories: training that can be killed at any instant and resumed to the same bits, its log, and
 * the results of later evaluations. Reading a run takes no lock and works while the run is training.
 *
 *     lt_run_summary s;
 *     if (lt_run_summarize("runs/mine", &s) == LT_OK)
 *         printf("%s: %s, %jd epochs\n", s.directory, lt_run_state_name(s.state), (intmax_t)s.epochs);
 *     lt_run_summary_clear(&s);
 */
#ifndef LATENT_RUNS_H
#define LATENT_RUNS_H

#include <latent/eval.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Run directories: recipe.yaml, metrics.jsonl, checkpoints/, samples/ ----
   One process at a time works on a run. It holds a lock that ends with the process, however the process ends.
   The run can be resumed whenever that happens. */

typedef struct lt_run lt_run;

/* Creates the directory of a run that starts from the state of `t`: first a checkpoint, then recipe.yaml, which
   makes the directory a run. Returns LT_VALUE if the directory holds a run or remains of one. */
LT_API int lt_run_create(const char *dir, const lt_trainer *t, lt_run **out);

/* Opens a run to continue it, by its directory or its newest checkpoint (LT_VALUE for an older one), and removes
   unfinished files of a killed process. n `sets`, as in lt_recipe_open, change the recipe; recipe.yaml changes when
   lt_run_restore has found that the run can continue with them. */
LT_API int lt_run_open(const char *path, const char *const *sets, int n, lt_run **out);
LT_API void lt_run_free(lt_run *run); /* Nullable: run */

/* Returns the run directory of a checkpoint, RUN of RUN/checkpoints/NAME, where the log and the samples are; NULL,
   without an error message, if the checkpoint is not in a run. The caller frees it. */
LT_API char *lt_run_of_checkpoint(const char *checkpoint);

/* What a run is called in titles: "a/b/c/" is "c". The caller frees it. */
LT_API char *lt_run_name(const char *path);

/* Both owned by the run. */
LT_API const char *lt_run_directory(const lt_run *run);
LT_API const lt_recipe *lt_run_recipe(const lt_run *run);

/* Loads the newest intact checkpoint into a fresh trainer and logs which damaged or unreadable ones it skipped. Then
   truncates metrics.jsonl to that checkpoint, logs which lines are missing, and removes checkpoints beyond
   train.keep_checkpoints. Returns LT_NOT_FOUND if there is no checkpoint; LT_VALUE if it belongs to another recipe
   (then nothing has been written). */
LT_API int lt_run_restore(lt_run *run, lt_trainer *t);

/* Writes checkpoints/step-NNNNNNNN.safetensors and removes all but the newest train.keep_checkpoints ones. */
LT_API int lt_run_save(lt_run *run, const lt_trainer *t);

/* Appends one line to metrics.jsonl. Nullable: v. */
LT_API int lt_run_log(lt_run *run, const lt_train_report *r, const lt_validation *v);

/* Like lt_model_open, and returns which file it read: its path, which the caller frees, and its digest ("" if it has
   none). Safe while a training process adds and removes checkpoints. Takes no lock. *out is NULL on failure, with
   *checkpoint NULL. Nullable: checkpoint, digest. */
LT_API int lt_run_model(const char *path, char **checkpoint, char digest[LT_DIGEST_SIZE], lt_model **out);

/* Returns only the path. A process that trains the run may remove the file at any time. The caller frees it; NULL on
   failure. */
LT_API char *lt_run_checkpoint(const char *path);

/* ---- Training in a run ---- */

/* Zero means default: no callbacks, and training runs to its last epoch. */
typedef struct lt_run_train_options {
    /* Called after each step; returning false stops training. Nullable. */
    lt_step_function *on_step;
    /* Called after each epoch, when its log line and checkpoint are written and its samples, if due, are started.
       v: NULL if the kind of model has no likelihood. Returning false stops training. Nullable. */
    bool (*on_epoch)(void *user, const lt_train_report *r, const lt_validation *v);
    void *user;
} lt_run_train_options;

/* Trains to the last epoch of the run's recipe, with the threads and executor of `t`. Pass `t` to lt_run_create or
   lt_run_restore first; `data` is the data set of `t`. After each epoch it validates on the split that
   lt_dataset_split returns for LT_VALID, appends a line to metrics.jsonl, and writes a checkpoint and a sample file
   when the recipe schedules them. It also writes a checkpoint every ten seconds, or less often so that checkpoints
   take at most 1 % of the time. The order is such that a process killed at any instant resumes to the same bytes.
   A separate thread makes the samples. Returns LT_INTERRUPTED, after a checkpoint of that step, if a callback stopped
   it; LT_VALUE if the loss is not finite; LT_IO, LT_NO_MEMORY. Nullable: o. */
LT_API int lt_run_train(lt_run *run, lt_trainer *t, lt_dataset *data, const lt_run_train_options *o);

/* ---- Files of a run ---- */

/* Images in a sample file of training: those of lt_sample with seed 0. */
enum { LT_RUN_SAMPLES = 64, LT_RUN_SAMPLE_COLUMNS = 8 };

/* Returns the path of the sample file of an epoch: DIR/samples/epoch-0012.png. The caller frees it. */
LT_API char *lt_run_sample_path(const char *dir, int64_t epoch);

/* Lists the epochs that have a sample file, ascending; an empty list is not an error. LT_NOT_FOUND, LT_VALUE if `dir`
   is a file, LT_IO. The caller frees *epochs. */
LT_API int lt_run_sample_epochs(const char *dir, int64_t **epochs, int *n);

/* Returns the path of the checkpoint of a step: DIR/checkpoints/step-00000012.safetensors. The caller frees it. */
LT_API char *lt_run_checkpoint_path(const char *dir, int64_t step);

/* Lists the steps that have a checkpoint, ascending; errors as in lt_run_sample_epochs. The line of metrics.jsonl with
   that step has its epoch; a checkpoint in mid-epoch has no such line. A process that trains the run may remove the
   files at any time. The caller frees *steps. */
LT_API int lt_run_checkpoint_steps(const char *dir, int64_t **steps, int *n);

/* Reads the first n (at most LT_RUN_SAMPLES) images of an epoch's sample file: n x h x w x c, values k / 255, NaN for
   pixels that were NaN. LT_VALUE if the file does not hold such images; other errors as in lt_image_read. */
LT_API int lt_run_sample_images(const char *dir, int64_t epoch, lt_image_size size, int n, float *images);

/* ---- The log of training ---- */

/* A line of metrics.jsonl. Missing numbers are NaN, missing counts 0. The values of `train` are metrics of the recipe
   beside the log; NaN if that recipe cannot be read. */
typedef struct lt_epoch_log {
    lt_train_report train;
    lt_validation valid; /* images: 0 where there was no validation */
} lt_epoch_log;

/* metrics.jsonl: a line for each epoch. */
typedef struct lt_run_metrics lt_run_metrics;

/* Reads the log of a run; `path` is its directory, a checkpoint in it, or a file of such lines. Ignores text after the
   last newline: it is still being written. Returns LT_FORMAT, with file and line, for a line that is not a JSON
   object; LT_NOT_FOUND, LT_IO, LT_NO_MEMORY. *out is NULL on failure. */
LT_API int lt_run_metrics_open(const char *path, lt_run_metrics **out);
LT_API void lt_run_metrics_free(lt_run_metrics *m); /* Nullable: m */

LT_API int lt_run_metrics_count(const lt_run_metrics *m); /* lines */

/* Returns line `line`, from 0; NULL past the end. Owned by m. */
LT_API const lt_epoch_log *lt_run_metrics_line(const lt_run_metrics *m, int line);

/* Returns the number called `name` in a line: a metric of lt_recipe_metrics, "epoch", "seconds", "valid.neg_elbo" or
   any other; NaN if the line does not have it. lt_run_metrics_has: whether any line has it. */
LT_API double lt_run_metrics_value(const lt_run_metrics *m, int line, const char *name);
LT_API bool lt_run_metrics_has(const lt_run_metrics *m, const char *name);

/* Return the path of the file, and the recipe beside it (NULL if there is none that can be read). Owned by m. */
LT_API const char *lt_run_metrics_path(const lt_run_metrics *m);
LT_API const lt_recipe *lt_run_metrics_recipe(const lt_run_metrics *m);

/* ---- Results of later evaluations ---- */

/* A line of evaluations.jsonl, added by lt_run_record: the result of evaluating a checkpoint. Numbers that were not
   computed are NaN. */
typedef struct lt_run_result {
    char checkpoint[LT_TEXT_SIZE]; /* its name: "step-00004690.safetensors" */
    char digest[LT_DIGEST_SIZE];   /* of it; "" */
    lt_split split;
    int64_t images, seed;
    double neg_elbo, neg_elbo_se, rate, distortion; /* nats per image */
    int64_t nll_samples;                            /* K; 0: none */
    double nll, nll_se;
    int64_t samples;                 /* scored samples; 0: none */
    double fid, kid, kid_se;
    char scores[LT_DIGEST_SIZE];     /* scores of one digest compare, see lt_quality; "" */
} lt_run_result;

/* Appends a result to the run and syncs the file; lt_run_summarize then returns it. LT_NOT_FOUND if `dir` is not a
   run, LT_IO. */
LT_API int lt_run_record(const char *dir, const lt_run_result *result);

/* Reads all results, oldest first; having none is not an error. Skips incomplete lines. LT_IO, LT_NO_MEMORY. The
   caller frees *results. */
LT_API int lt_run_read_results(const char *dir, lt_run_result **results, int *n);

/* ---- Summary of a run ---- */

typedef enum lt_run_state {
    LT_RUN_DONE,    /* has trained all epochs of its recipe */
    LT_RUN_RUNNING, /* a process is working on it */
    LT_RUN_STOPPED, /* can be resumed */
    LT_RUN_BROKEN,  /* cannot be resumed; `problem` says why */
} lt_run_state;

/* "done", "running", "stopped", "broken". Static string. */
LT_API const char *lt_run_state_name(lt_run_state state);

/* Owns what it points to. */
typedef struct lt_run_summary {
    char *directory;
    lt_recipe *recipe; /* NULL if it cannot be read */
    lt_run_state state;
    char *problem;           /* "" unless it is broken */
    char *checkpoint;        /* name of the newest; "": none */
    int64_t epochs, wanted;  /* trained according to the log; asked for by the recipe */
    double seconds;          /* of training, according to the log */
    bool has_log;
    lt_epoch_log last;       /* the last line of the log */
    lt_run_result *results;  /* oldest first */
    int n_results;
} lt_run_summary;

/* Summarizes a run. Returns LT_NOT_FOUND if `dir` is not a run. A fault inside the run is not an error: it is in
   `problem`. Clear *s in any case. */
LT_API int lt_run_summarize(const char *dir, lt_run_summary *s);
LT_API void lt_run_summary_clear(lt_run_summary *s);

/* Return the last result in *s with a finite `nll`, or `fid`; NULL if there is none. */
LT_API const lt_run_result *lt_run_summary_nll(const lt_run_summary *s);
LT_API const lt_run_result *lt_run_summary_fid(const lt_run_summary *s);

/* Lists the runs in a directory and up to three levels below it, sorted by name; `dir` itself if it is a run.
   LT_NOT_FOUND if `dir` does not exist; an empty list is not an error. Free the list with lt_runs_free. */
LT_API int lt_runs_find(const char *dir, char ***runs, int *n);
LT_API void lt_runs_free(char **runs, int n); /* Nullable: runs */

#ifdef __cplusplus
}
#endif
#endif
