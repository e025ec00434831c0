/* SPDX-License-Identifier: MIT */
/* runs.h: what run directories hold, as numbers: how far a run is, what training wrote down, what was measured.
 * Nothing is locked, no model or data set is opened, and a run may be in training meanwhile.
 *
 *     lt_run_summary s;
 *     if (lt_run_summarize("runs/mine", &s) == LT_OK)
 *         printf("%s: %s, %jd epochs\n", s.directory, lt_run_state_name(s.state), (intmax_t)s.epochs);
 *     lt_run_summary_clear(&s);
 */
#ifndef LATENT_RUNS_H
#define LATENT_RUNS_H

#include <latent/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- What training wrote down ---- */

/* A line of metrics.jsonl. What it lacks is NaN, or 0 where it is a count. */
typedef struct lt_epoch_log {
    lt_train_report train;
    lt_validation valid; /* images: 0 where there was no validation */
} lt_epoch_log;

/* Reads the whole lines of a run's metrics.jsonl; what is being written at its end is left out. LT_FORMAT
   with the line, LT_IO, LT_NOT_FOUND. The caller frees *lines. */
LT_API int lt_run_read_log(const char *dir, lt_epoch_log **lines, int *n);

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

/* Adds a result to the run, synchronised, so that lt_run_summarize finds it. LT_NOT_FOUND if `dir` is not a run,
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
