/* SPDX-License-Identifier: MIT */
/* Images of samples, written beside training by a thread of their own: training copies its parameters into a twin of
   the model, and continues. */
#ifndef LATENT_SAMPLE_WRITER_H
#define LATENT_SAMPLE_WRITER_H

#include <latent/runs.h>

#include <pthread.h>

/* One file at a time. Zero is a writer that has nothing to wait for. */
typedef struct sample_writer {
    lt_model *twin;
    float *images;      /* LT_RUN_SAMPLES of them */
    char *path;         /* owned */
    pthread_t thread;
    bool is_writing;    /* the thread has not been waited for */
    int status;         /* of the files so far; the first failure stays */
    char message[3 * 4096]; /* of that failure, which another thread's lt_last_error() does not know */
} sample_writer;

/* Allocates for models like m: a second set of its parameters. LT_NO_MEMORY. */
int sample_writer_open(sample_writer *w, const lt_model *m);

/* Begins the file of what m is at this moment, once the one before is written. m may be trained on meanwhile; what
   goes wrong with the file is found when it is waited for. */
int sample_writer_begin(sample_writer *w, const lt_model *m, const char *path);

/* Waits until the file is there. LT_OK, or what went wrong, which lt_last_error() then has. */
int sample_writer_wait(sample_writer *w);
void sample_writer_close(sample_writer *w); /* waits, too */

#endif
