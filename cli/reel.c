/* SPDX-License-Identifier: MIT */
/* Frames of an animation. */
#include "animate.h"

#include <stdlib.h>

void reel_open(reel *r, int n)
{
    *r = (reel){.n = n, .frames = plot_room((size_t)n, sizeof *r->frames)};
}

void reel_close(reel *r)
{
    for (int i = 0; i < r->n; i++)
        lt_image_free(&r->frames[i]);
    free(r->frames);
}

int reel_check(const reel *r, const command *c)
{
    const double most = 2e9;
    const lt_image *f = &r->frames[0];
    double bytes = (double)r->n * f->width * f->height * f->channels;
    if (bytes <= most)
        return CODE_DONE;
    return complain(c, CODE_FAILED, "%d frames of %d x %d pixels are %.1f GB, more than %.0f; a "
                                    "smaller --zoom, or fewer of them, may help",
                    r->n, f->width, f->height, 1e-9 * bytes, 1e-9 * most);
}

/* Each frame as a picture of its own. */
static int write_frames(const reel *r, const char *path)
{
    int status = LT_OK;
    for (int i = 0; i < r->n && status == LT_OK; i++) {
        char *name = lt_numbered_name(path, i);
        status = name ? lt_image_write(name, &r->frames[i]) : LT_VALUE;
        free(name);
    }
    char *names = written_name(path, r->n);
    if (status == LT_OK)
        say("%s: %d frames", names, r->n);
    free(names);
    return status;
}

int reel_write(const reel *r, const animate_request *q, double seconds, double hold)
{
    if (lt_is_numbered(q->all.out))
        return write_frames(r, q->all.out);
    double *seconds_of = plot_room((size_t)r->n, sizeof *seconds_of), sum = 0;
    for (int i = 0; i < r->n; i++)
        sum += seconds_of[i] = i + 1 < r->n ? seconds : hold;
    int status = lt_animation_write(q->all.out, &(lt_animation){.frames = r->frames, .n = r->n,
                                                                .seconds_of = seconds_of,
                                                                .loops = (int)q->loops});
    free(seconds_of);
    if (status == LT_OK)
        say("%s: %d frames, %.4g s", q->all.out, r->n, sum);
    return status;
}
