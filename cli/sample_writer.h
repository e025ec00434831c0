/* SPDX-License-Identifier: MIT */
/* Pictures of samples, drawn beside training by a thread of their own: training copies its
   parameters into a twin of the model, and goes on. */
#ifndef LATENT_SAMPLE_WRITER_H
#define LATENT_SAMPLE_WRITER_H

#include "cli.h"

#include <pthread.h>

/* What a picture is of, in rows. */
enum { WRITTEN_SAMPLES = 64, WRITTEN_COLUMNS = 8 };

/* One picture at a time. Zero is a writer that has nothing to wait for. */
typedef struct sample_writer {
    lt_model *twin;
    float *images;      /* room for those of a picture */
    char *path;         /* owned */
    pthread_t thread;
    bool is_drawing;    /* the thread has not been waited for */
    int status;         /* of the pictures so far; the first failure stays */
    char message[3 * 4096]; /* of that failure, which another thread's lt_last_error() does not know */
} sample_writer;

/* Makes room for pictures of models like m: a second set of its parameters. */
int sample_writer_open(sample_writer *w, const lt_model *m);

/* Begins a picture of what m is at this moment, once the one before is done. m may be trained on
   meanwhile; what goes wrong with the picture is found when it is waited for. The same bytes as latent
   sample -n 64 -c 8 of that checkpoint. */
int sample_writer_begin(sample_writer *w, const lt_model *m, const char *path);

/* Waits until the picture is there. LT_OK, or what went wrong: then w->message says more. */
int sample_writer_wait(sample_writer *w);
void sample_writer_close(sample_writer *w); /* waits, too */

#endif
