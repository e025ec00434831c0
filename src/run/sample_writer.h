/* SPDX-License-Identifier: MIT */
/* Writes sample files on a separate thread: training copies its parameters into a second model and continues. */
#ifndef LATENT_SAMPLE_WRITER_H
#define LATENT_SAMPLE_WRITER_H

#include <latent/runs.h>

#include <pthread.h>

/* Writes one file at a time. A zero struct is an idle writer. */
typedef struct sample_writer {
    lt_model *twin;
    float *images;      /* LT_RUN_SAMPLES of them */
    char *path;         /* owned */
    pthread_t thread;
    bool is_writing;    /* the thread has not been joined */
    int status;         /* of the files so far; keeps the first failure */
    char message[3 * 4096]; /* of that failure: lt_last_error() is per thread */
} sample_writer;

/* Allocates a second set of the parameters of m. LT_NO_MEMORY. */
int sample_writer_open(sample_writer *w, const lt_model *m);

/* Starts a file of samples of m as it is now, after the previous file is written. m may be trained meanwhile.
   sample_writer_wait reports a failure to write the file. */
int sample_writer_begin(sample_writer *w, const lt_model *m, const char *path);

/* Waits until the file is written. Returns its status, with the message in lt_last_error(). */
int sample_writer_wait(sample_writer *w);
void sample_writer_close(sample_writer *w); /* waits, too */

#endif
