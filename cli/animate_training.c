/* SPDX-License-Identifier: MIT */
/* An animation of the pictures that training drew. */
#include "album.h"
#include "animate.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_FRAMES = 120 };

/* A picture as one image on a page with captions, as large as that of the last epoch. */
static int draw_page(const animate_request *q, const char *title, int64_t epoch, int64_t last,
                     const lt_image *drawn, lt_image *out)
{
    char subtitle[64], widest[64];
    size_t n = (size_t)drawn->width * (size_t)drawn->height * (size_t)drawn->channels;
    float *image = plot_room(n, sizeof *image);
    for (size_t i = 0; i < n; i++)
        image[i] = (float)drawn->pixels[i] / 255;
    snprintf(subtitle, sizeof subtitle, "Epoch %jd", (intmax_t)epoch);
    snprintf(widest, sizeof widest, "Epoch %jd", (intmax_t)last);
    for (char *digit = widest + 6; *digit; digit++)
        *digit = '8';
    lt_grid grid = {.title = title, .subtitle = subtitle, .widest_subtitle = widest, .images = image, .n = 1,
                    .h = drawn->height, .w = drawn->width, .c = drawn->channels,
                    .layout = {.zoom = q->all.zoom ? (int)q->all.zoom : 1,
                               .background = {255, 255, 255}}};
    int status = lt_grid_draw(out, &grid);
    free(image);
    return status;
}

/* The i-th picture, of the size of the first. Gives the exit code. */
static int turn_page(const animate_request *q, const album *a, int i, const char *title, reel *r,
                     lt_image_size *size)
{
    const command *c = q->all.command;
    lt_image drawn;
    char *path = lt_run_sample_path(a->run, a->epochs[i]);
    int code = CODE_DONE, status = lt_image_read(&drawn, path);
    free(path);
    if (status != LT_OK)
        return complain_library(c, status);
    if (i == 0)
        *size = (lt_image_size){drawn.height, drawn.width, drawn.channels};
    if (drawn.width != size->w || drawn.height != size->h)
        code = complain(c, CODE_FAILED, "%s/samples: pictures of %d x %d pixels were expected, and "
                                        "that of epoch %jd has %d x %d",
                        a->run, size->w, size->h, (intmax_t)a->epochs[i], drawn.width,
                        drawn.height);
    else
        status = draw_page(q, title, a->epochs[i], a->epochs[a->n - 1], &drawn, &r->frames[i]);
    lt_image_free(&drawn);
    if (i == 0 && status == LT_OK)
        code = reel_check(r, c);
    return status == LT_OK ? code : complain_library(c, status);
}

/* About six seconds for all of training, and some more for what it led to. */
static int write_album(const animate_request *q, const album *a)
{
    reel r;
    reel_open(&r, a->n);
    char *own = plot_name(a->run);
    lt_image_size size = {0};
    int code = CODE_DONE;
    for (int i = 0; i < a->n && code == CODE_DONE; i++)
        code = turn_page(q, a, i, q->all.title ? q->all.title : own, &r, &size);
    double seconds = q->seconds > 0 ? q->seconds : fmin(fmax(6. / a->n, 0.1), 0.5);
    if (code == CODE_DONE) {
        int status = reel_write(&r, q, seconds, q->hold > 0 ? q->hold : fmax(seconds, 2));
        code = status == LT_OK ? CODE_DONE : complain_library(q->all.command, status);
    }
    free(own);
    reel_close(&r);
    return code;
}

int animate_training(const animate_request *q)
{
    album a;
    int status = album_open(&a, q->all.run);
    int code = status == LT_OK ? CODE_DONE : complain_library(q->all.command, status);
    if (code == CODE_DONE && a.n < 2)
        code = complain(q->all.command, CODE_FAILED,
                        "%s has %s of samples, and an animation takes two; training draws one "
                        "after every train.samples_every epochs of its recipe; what needs none: "
                        "--walk",
                        q->all.run, a.n ? "one picture" : "no picture");
    if (code == CODE_DONE) {
        album_thin_out(&a, q->frames ? (int)q->frames : MOST_FRAMES);
        code = write_album(q, &a);
    }
    album_close(&a);
    return code;
}
