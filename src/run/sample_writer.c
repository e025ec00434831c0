/* SPDX-License-Identifier: MIT */
/* One thread per file. It computes on that thread only, which leaves the library's threads to training, and has low
   priority in case there are fewer cores than threads. */
#include "run/sample_writer.h"

#include <latent/plot.h>

#include "base/memory.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { POLITENESS = 10 };

int sample_writer_open(sample_writer *w, const lt_model *m)
{
    lt_image_size s = lt_model_image_size(m);
    w->twin = lt_model_create(lt_model_recipe(m), s);
    w->images = w->twin ? tensor_alloc(sizeof(float) * LT_RUN_SAMPLES * (size_t)s.h * (size_t)s.w * (size_t)s.c,
                                       "images of samples")
                        : NULL;
    return w->images ? LT_OK : LT_NO_MEMORY;
}

static int write_samples(const sample_writer *w)
{
    lt_image_size s = lt_model_image_size(w->twin);
    LT_TRY(lt_sample(w->twin, LT_RUN_SAMPLES, 0, 1, w->images));
    return lt_grid_write(w->path, &(lt_grid){.images = w->images, .n = LT_RUN_SAMPLES, .h = s.h, .w = s.w, .c = s.c,
                                             .layout = {.columns = LT_RUN_SAMPLE_COLUMNS, .gap = 1,
                                                        .background = {255, 255, 255}}});
}

static void work(sample_writer *w)
{
    w->status = write_samples(w);
    if (w->status != LT_OK)
        snprintf(w->message, sizeof w->message, "%s", lt_last_error());
}

static void *run_thread(void *writer)
{
#ifdef __linux__ /* here the priority is per thread; elsewhere it would slow training, too */
    setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + POLITENESS);
#endif
    work(writer);
    return NULL;
}

int sample_writer_wait(sample_writer *w)
{
    if (w->is_writing)
        pthread_join(w->thread, NULL);
    w->is_writing = false;
    return w->status == LT_OK ? LT_OK : status_fail(w->status, "%s", w->message);
}

int sample_writer_begin(sample_writer *w, const lt_model *m, const char *path)
{
    LT_TRY(sample_writer_wait(w));
    LT_TRY(lt_model_copy(w->twin, m));
    free(w->path);
    w->path = must_copy_text(path);
    w->is_writing = pthread_create(&w->thread, NULL, run_thread, w) == 0;
    if (!w->is_writing) /* no thread available: write it here */
        work(w);
    return LT_OK;
}

void sample_writer_close(sample_writer *w)
{
    if (w->is_writing)
        pthread_join(w->thread, NULL);
    lt_model_free(w->twin);
    tensor_free(w->images);
    free(w->path);
    *w = (sample_writer){.status = LT_OK};
}
