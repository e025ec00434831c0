/* SPDX-License-Identifier: MIT */
/* runs.h: run directories: training that can be killed at any instant and resumed to the same bits, what it wrote
 * down, and what was measured afterwards. Looking at a run locks nothing, and it may be in training meanwhile.
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
   One process at a time works on a run: it holds a lock, which ends with the process however that
   ends. What it leaves can be resumed at any instant. */

typedef struct lt_run lt_run;

/* Makes the directory of a run that begins with what `t` is: a checkpoint of it, then recipe.yaml, which
   makes it a run. LT_VALUE if there is a run already, or what is left of one. */
LT_API int lt_run_create(lt_run **out, const char *dir, const lt_trainer *t);

/* Opens what lt_run_create made, to go on with it, by its directory or by its newest checkpoint (an older one
   is LT_VALUE); removes what a killed process left unfinished. With `sets`, as in lt_recipe_open, the recipe
   is changed, and recipe.yaml too once lt_run_restore has found that the run can go on with it. */
LT_API int lt_run_open(lt_run **out, const char *path, const char *const *sets, int n);
LT_API void lt_run_free(lt_run *run); /* Nullable: run */

/* The directory of the run that a checkpoint lies in, RUN of RUN/checkpoints/NAME, for what is not in the checkpoint:
   the log, the samples. NULL, without a message: it lies in none. The caller frees it. */
LT_API char *lt_run_of_checkpoint(const char *checkpoint);

/* Both owned by the run. */
LT_API const char *lt_run_directory(const lt_run *run);
LT_API const lt_recipe *lt_run_recipe(const lt_run *run);

/* Loads the newest checkpoint that is whole into a fresh trainer; says through the log which ones it
   had to pass over, as they are damaged or cannot be read. Then cuts metrics.jsonl back to it, says
   which lines of it are missing, and removes checkpoints beyond train.keep_checkpoints. LT_NOT_FOUND: there is no
   checkpoint. LT_VALUE: it is of another recipe; nothing has been written then. */
LT_API int lt_run_restore(lt_run *run, lt_trainer *t);

/* Writes checkpoints/step-NNNNNNNN.safetensors, and removes all but the newest ones, as many as the
   recipe's train.keep_checkpoints says. */
LT_API int lt_run_save(lt_run *run, const lt_trainer *t);

/* Appends one line to metrics.jsonl. Nullable: v. */
LT_API int lt_run_log(lt_run *run, const lt_train_report *r, const lt_validation *v);

/* lt_model_open that also says what it opened, beside a training that removes checkpoints as it makes others.
   The path of the checkpoint, which the caller frees, and its digest ("": it has none) are those of the very
   file that was read. Takes no lock. NULL on failure; *checkpoint is then NULL. Nullable: checkpoint,
   digest. */
LT_API lt_model *lt_run_model(const char *path, char **checkpoint, char digest[LT_DIGEST_SIZE]);

/* The path alone; a training that is going on may remove the file at any time. The caller frees it;
   NULL on failure. */
LT_API char *lt_run_checkpoint(const char *path);

/* ---- Training in a run ---- */

/* Zero means default: no calls, and training runs to its last epoch. */
typedef struct lt_run_train_options {
    /* Called after each step. False stops training there. Nullable. */
    lt_step_function *on_step;
    /* Called after each epoch, when its line, its checkpoint and, if they are due, its samples have been begun;
       v: NULL where the kind of model has no likelihood. False stops training there. Nullable. */
    bool (*on_epoch)(void *user, const lt_train_report *r, const lt_validation *v);
    void *user;
} lt_run_train_options;

/* Trains to the last epoch of the run's recipe, with the threads and the executor of `t`, which lt_run_create or
   lt_run_restore was given before, on the data of `t`, which are `data`. After each epoch: validation on the split
   that lt_dataset_split has for LT_VALID, a line of metrics.jsonl, a checkpoint and a file of samples as the recipe
   schedules them; and a checkpoint every ten seconds, or as rarely as makes them 1 % of the time. The order is such
   that a process killed at any instant resumes to the same bytes. Samples are drawn by a thread of their own.
   LT_INTERRUPTED when a call stopped it: then with a checkpoint of that step. A loss that is not finite is LT_VALUE;
   LT_IO, LT_NO_MEMORY. Nullable: o. */
LT_API int lt_run_train(lt_run *run, lt_trainer *t, lt_dataset *data, const lt_run_train_options *o);

/* ---- Files of a run ---- */

/* What training draws on a file of samples: images of the codes of seed 0, as lt_sample has them. */
enum { LT_RUN_SAMPLES = 64, LT_RUN_SAMPLE_COLUMNS = 8 };

/* Where the samples of an epoch are: DIR/samples/epoch-0012.png. The caller frees it. */
LT_API char *lt_run_sample_path(const char *dir, int64_t epoch);

/* The epochs that there are samples of, ascending; none is no failure. LT_NOT_FOUND, LT_VALUE if `dir` is a file,
   LT_IO. The caller frees *epochs. */
LT_API int lt_run_sample_epochs(const char *dir, int64_t **epochs, int *n);

/* Where the checkpoint after a step is: DIR/checkpoints/step-00000012.safetensors. The caller frees it. */
LT_API char *lt_run_checkpoint_path(const char *dir, int64_t step);

/* The steps that there are checkpoints of, ascending, as lt_run_sample_epochs. The epoch of a step is that of the line
   of metrics.jsonl that has it; a checkpoint in mid-epoch has no such line. A training may remove the files at any
   time. The caller frees *steps. */
LT_API int lt_run_checkpoint_steps(const char *dir, int64_t **steps, int *n);

/* Reads the first n (at most LT_RUN_SAMPLES) images of an epoch's samples, as they were drawn: n x h x w x c, values
   of k / 255; NaN was not a number. LT_VALUE if the file does not hold such images, and as lt_image_read. */
LT_API int lt_run_sample_images(const char *dir, int64_t epoch, lt_image_size size, int n, float *images);

/* ---- What training wrote down ---- */

/* A line of metrics.jsonl. What it lacks is NaN, or 0 where it is a count. The values of `train` are of the metrics of
   the recipe beside the log; NaN where that cannot be read. */
typedef struct lt_epoch_log {
    lt_train_report train;
    lt_validation valid; /* images: 0 where there was no validation */
} lt_epoch_log;

/* metrics.jsonl: a line for each epoch. */
typedef struct lt_run_metrics lt_run_metrics;

/* Reads the log of a run, given by its directory or a checkpoint in it, or a file of such lines. What follows the last
   newline is being written, and is ignored. LT_FORMAT, with file and line, for a line that is not a JSON object;
   LT_NOT_FOUND, LT_IO, LT_NO_MEMORY; *out is NULL then. */
LT_API int lt_run_metrics_open(const char *path, lt_run_metrics **out);
LT_API void lt_run_metrics_free(lt_run_metrics *m); /* Nullable: m */

LT_API int lt_run_metrics_count(const lt_run_metrics *m); /* lines */

/* Line `line`, from 0; NULL past the end. Owned by m. */
LT_API const lt_epoch_log *lt_run_metrics_line(const lt_run_metrics *m, int line);

/* The number that is called `name` in a line: a metric of lt_recipe_metrics, "epoch", "seconds", "valid.neg_elbo", or
   whatever else the line has; NaN where there is none. And whether any line has it. */
LT_API double lt_run_metrics_value(const lt_run_metrics *m, int line, const char *name);
LT_API bool lt_run_metrics_has(const lt_run_metrics *m, const char *name);

/* The path of the file, and the recipe that lies beside it (NULL: none that can be read). Owned by m. */
LT_API const char *lt_run_metrics_path(const lt_run_metrics *m);
LT_API const lt_recipe *lt_run_metrics_recipe(const lt_run_metrics *m);

/* ---- What was measured afterwards ---- */

/* A line of evaluations.jsonl, which lt_run_record adds: what an evaluation of a checkpoint found. Numbers that
   it did not look for are NaN. */
typedef struct lt_run_result {
    char checkpoint[LT_TEXT_SIZE]; /* its name: "step-00004690.safetensors" */
    char digest[LT_DIGEST_SIZE];   /* of it; "" */
    lt_split split;
    int64_t images, seed;
    double neg_elbo, neg_elbo_se, rate, distortion; /* nats per image */
    int64_t nll_samples;                            /* K; 0: none */
    double nll, nll_se;
    int64_t samples;                 /* that were scored; 0: none */
    double fid, kid, kid_se;
    char scores[LT_DIGEST_SIZE];     /* scores of one digest compare, see lt_quality; "" */
} lt_run_result;

/* Adds a result to the run, synchronized, so that lt_run_summarize finds it. LT_NOT_FOUND if `dir` is not a run,
   LT_IO. */
LT_API int lt_run_record(const char *dir, const lt_run_result *result);

/* Reads all of them, the oldest first; none is no failure. Lines that are not whole are left out. LT_IO,
   LT_NO_MEMORY. The caller frees *results. */
LT_API int lt_run_read_results(const char *dir, lt_run_result **results, int *n);

/* ---- All of a run ---- */

typedef enum lt_run_state {
    LT_RUN_DONE,    /* has trained as many epochs as its recipe asks for */
    LT_RUN_RUNNING, /* a process is working on it */
    LT_RUN_STOPPED, /* can be resumed */
    LT_RUN_BROKEN,  /* cannot: `problem` says why */
} lt_run_state;

/* "done", "running", "stopped", "broken". Static string. */
LT_API const char *lt_run_state_name(lt_run_state state);

/* Owns what it points to. */
typedef struct lt_run_summary {
    char *directory;
    lt_recipe *recipe; /* NULL where it cannot be read */
    lt_run_state state;
    char *problem;           /* "" unless it is broken */
    char *checkpoint;        /* name of the newest; "" */
    int64_t epochs, wanted;  /* trained, by the log; asked for */
    double seconds;          /* of training, by the log */
    bool has_log;
    lt_epoch_log last;       /* the last line of the log */
    lt_run_result *results;  /* that were measured, the oldest first */
    int n_results;
} lt_run_summary;

/* Looks at a run. LT_NOT_FOUND if `dir` is none. What is wrong within it is no failure but `problem`. Clear it in
   any case. */
LT_API int lt_run_summarize(const char *dir, lt_run_summary *s);
LT_API void lt_run_summary_clear(lt_run_summary *s);

/* The last result with a finite `nll`, `fid`, of those in *s; NULL: there is none. */
LT_API const lt_run_result *lt_run_summary_nll(const lt_run_summary *s);
LT_API const lt_run_result *lt_run_summary_fid(const lt_run_summary *s);

/* Lists the runs in a directory and, three levels deep, in those below it, by name; `dir` itself where it is a run.
   LT_NOT_FOUND if it is not there; no run is no failure. The caller frees them by lt_runs_free. */
LT_API int lt_runs_find(const char *dir, char ***runs, int *n);
LT_API void lt_runs_free(char **runs, int n); /* Nullable: runs */

#ifdef __cplusplus
}
#endif
#endif
