/* SPDX-License-Identifier: MIT */
/* A thread for each picture. It computes with itself alone, which leaves the library's threads to
   training, and gives way where there are fewer cores than threads. */
#include "sample_writer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { POLITENESS = 10 };

int sample_writer_open(sample_writer *w, const lt_model *m)
{
    w->twin = lt_model_create(lt_model_recipe(m), lt_model_image_size(m));
    if (!w->twin)
        return LT_NO_MEMORY;
    w->images = image_room(w->twin, WRITTEN_SAMPLES);
    return LT_OK;
}

static void draw(sample_writer *w)
{
    w->status = lt_sample(w->twin, WRITTEN_SAMPLES, 0, 1, w->images);
    if (w->status == LT_OK)
        w->status = write_grid(w->path, w->twin, w->images, WRITTEN_SAMPLES, WRITTEN_COLUMNS);
    if (w->status != LT_OK)
        snprintf(w->message, sizeof w->message, "%s", lt_last_error());
}

static void *run_thread(void *writer)
{
#ifdef __linux__ /* where this is about the thread; elsewhere it would be about training, too */
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + POLITENESS);
#endif
    draw(writer);
    return NULL;
}

int sample_writer_wait(sample_writer *w)
{
    if (w->is_drawing)
        pthread_join(w->thread, NULL);
    w->is_drawing = false;
    return w->status;
}

int sample_writer_begin(sample_writer *w, const lt_model *m, const char *path)
{
    LT_TRY(sample_writer_wait(w));
    LT_TRY(lt_model_copy(w->twin, m));
    free(w->path);
    w->path = strdup(path);
    if (!w->path) {
        say("latent: out of memory for a path");
        exit(CODE_FAILED);
    }
    w->is_drawing = pthread_create(&w->thread, NULL, run_thread, w) == 0;
    if (!w->is_drawing) /* no thread to be had: then it takes its time */
        draw(w);
    return LT_OK;
}

void sample_writer_close(sample_writer *w)
{
    sample_writer_wait(w);
    lt_model_free(w->twin);
    free(w->images);
    free(w->path);
    *w = (sample_writer){.status = LT_OK};
}
