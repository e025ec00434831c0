/* SPDX-License-Identifier: MIT */
/* Animations: checks of frames and times for all formats. */
#include "image/raster.h"

#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_FRAMES = 10000, MAX_LOOPS = 65535 };

static const double default_seconds = 0.1, min_seconds = 0.02, max_seconds = 60;

static double seconds_of(const lt_animation *a, int i)
{
    return a->seconds_of ? a->seconds_of[i] : a->seconds != 0 ? a->seconds : default_seconds;
}

static int check_frame(const lt_animation *a, int i)
{
    const lt_image *f = &a->frames[i], *first = &a->frames[0];
    double seconds = seconds_of(a, i);
    if (!raster_is_whole(f))
        return status_fail(LT_VALUE, "frames[%d]: no picture of %d x %d pixels with %d channels", i,
                           f->width, f->height, f->channels);
    if (f->width != first->width || f->height != first->height)
        return status_fail(LT_VALUE, "frames[%d]: expected %d x %d pixels as before, found %d x %d",
                           i, first->width, first->height, f->width, f->height);
    if (!(seconds >= min_seconds && seconds <= max_seconds))
        return status_fail(LT_VALUE, "frames[%d]: expected %g to %g seconds, found %g", i,
                           min_seconds, max_seconds, seconds);
    return LT_OK;
}

static int check_animation(const lt_animation *a)
{
    if (a->n < 1 || a->n > MAX_FRAMES)
        return status_fail(LT_VALUE, "an animation of %d frames: expected 1 to %d", a->n,
                           MAX_FRAMES);
    if (!a->frames)
        return status_fail(LT_VALUE, "an animation of %d frames: expected frames, found none", a->n);
    if (a->loops < 0 || a->loops > MAX_LOOPS)
        return status_fail(LT_VALUE, "an animation shown %d times: expected 0 to %d", a->loops,
                           MAX_LOOPS);
    for (int i = 0; i < a->n; i++)
        LT_TRY(check_frame(a, i));
    return LT_OK;
}

int *animation_ticks(const lt_animation *a, int per_second)
{
    int *ticks = must_alloc(sizeof *ticks * ((size_t)a->n + 1));
    double time = 0;
    for (int i = 0; i < a->n; i++) {
        time += seconds_of(a, i);
        ticks[i + 1] = (int)lround(time * per_second);
    }
    return ticks;
}

bool animation_is_gray(const lt_animation *a)
{
    for (int i = 0; i < a->n; i++)
        if (a->frames[i].channels != 1)
            return false;
    return true;
}

static const raster_format *format_of(const char *path)
{
    const raster_format *f = raster_format_of(path);
    if (f && f->animation)
        return f;
    status_fail(LT_VALUE, "%s: animations are written as .webp, .gif, .apng or .png", path);
    return NULL;
}

int lt_animation_check_name(const char *path) { return format_of(path) ? LT_OK : LT_VALUE; }

int animation_encode(const char *path, const lt_animation *animation, text *file)
{
    LT_TRY(check_animation(animation));
    return format_of(path)->animation(animation, file);
}

int lt_animation_encode(const lt_animation *animation, const char *format, unsigned char **data, size_t *n)
{
    text file = {0};
    char *name = encoded_name(format);
    int status = lt_animation_check_name(name);
    if (status == LT_OK)
        status = animation_encode(name, animation, &file);
    free(name);
    return encoded_give(&file, status, data, n);
}

int lt_animation_write(const char *path, const lt_animation *animation)
{
    text file = {0};
    LT_TRY(lt_animation_check_name(path));
    return encoded_write(path, &file, animation_encode(path, animation, &file));
}
