/* SPDX-License-Identifier: MIT */
/* latent animate: the samples of a run over its training, or a walk through its model's codes. */
#include "animate.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- Frames ---- */

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

int reel_write(const reel *r, const animate_request *q, double seconds, double hold)
{
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

/* ---- Pictures of training ---- */

enum { MOST_FRAMES = 120 };

/* Epochs of which there is a picture, in order. */
typedef struct album {
    int64_t *epochs;
    int n, room;
} album;

static int compare_epochs(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* epoch-0012.png is of epoch 12; -1: another file. */
static int64_t epoch_of(const char *name)
{
    char again[64];
    long long epoch = 0;
    if (sscanf(name, "epoch-%12lld.png", &epoch) != 1 || epoch < 0)
        return -1;
    snprintf(again, sizeof again, "epoch-%04lld.png", epoch);
    return strcmp(name, again) == 0 ? epoch : -1;
}

static void add_epoch(album *a, int64_t epoch)
{
    if (a->n == a->room) {
        int64_t *more = plot_room((size_t)(2 * a->room + 64), sizeof *more);
        if (a->n)
            memcpy(more, a->epochs, sizeof *more * (size_t)a->n);
        free(a->epochs);
        a->epochs = more;
        a->room = 2 * a->room + 64;
    }
    a->epochs[a->n++] = epoch;
}

/* None if the run has drawn nothing. */
static void list_epochs(const char *run, album *a)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/samples", run);
    DIR *d = opendir(path);
    for (const struct dirent *e; d && (e = readdir(d));)
        if (epoch_of(e->d_name) >= 0)
            add_epoch(a, epoch_of(e->d_name));
    if (d)
        closedir(d);
    if (a->n)
        qsort(a->epochs, (size_t)a->n, sizeof *a->epochs, compare_epochs);
}

/* Leaves n of them, the first and the last among them. */
static void thin_out(album *a, int n)
{
    for (int i = 0; i < n && n < a->n; i++)
        a->epochs[i] = a->epochs[(int64_t)i * (a->n - 1) / (n - 1)];
    a->n = n < a->n ? n : a->n;
}

/* A picture as one image on a page with captions. */
static int draw_page(const animate_request *q, const char *title, int64_t epoch,
                     const lt_image *drawn, lt_image *out)
{
    char subtitle[64];
    size_t n = (size_t)drawn->width * (size_t)drawn->height * (size_t)drawn->channels;
    float *image = plot_room(n, sizeof *image);
    for (size_t i = 0; i < n; i++)
        image[i] = (float)drawn->pixels[i] / 255;
    snprintf(subtitle, sizeof subtitle, "Epoch %jd", (intmax_t)epoch);
    lt_grid grid = {.title = title, .subtitle = subtitle, .images = image, .n = 1,
                    .h = drawn->height, .w = drawn->width, .c = drawn->channels,
                    .layout = {.zoom = q->all.zoom ? (int)q->all.zoom : 1,
                               .background = {255, 255, 255}}};
    int status = lt_grid_draw(out, &grid);
    free(image);
    return status;
}

/* Gives the exit code. */
static int draw_pages(const animate_request *q, const album *a, const char *title, reel *r)
{
    const command *c = q->all.command;
    int width = 0, height = 0, status = LT_OK;
    for (int i = 0; i < a->n && status == LT_OK; i++) {
        char path[4096];
        lt_image drawn;
        snprintf(path, sizeof path, "%s/samples/epoch-%04jd.png", q->all.run,
                 (intmax_t)a->epochs[i]);
        status = lt_image_read(path, &drawn);
        if (status == LT_OK && i > 0 && (drawn.width != width || drawn.height != height)) {
            int code = complain(c, CODE_FAILED,
                                "%s: expected %d x %d pixels, as before, found %d x %d", path,
                                width, height, drawn.width, drawn.height);
            lt_image_free(&drawn);
            return code;
        }
        width = drawn.width;
        height = drawn.height;
        if (status == LT_OK)
            status = draw_page(q, title, a->epochs[i], &drawn, &r->frames[i]);
        lt_image_free(&drawn);
    }
    return status == LT_OK ? CODE_DONE : complain_library(c, status);
}

/* About six seconds for all of training, and some more for what it led to. */
static int write_album(const animate_request *q, const album *a)
{
    reel r;
    reel_open(&r, a->n);
    char *own = plot_name(q->all.run);
    int code = draw_pages(q, a, q->all.title ? q->all.title : own, &r);
    double seconds = q->seconds > 0 ? q->seconds : fmin(fmax(6. / a->n, 0.1), 0.5);
    if (code == CODE_DONE) {
        int status = reel_write(&r, q, seconds, q->hold > 0 ? q->hold : fmax(seconds, 2));
        code = status == LT_OK ? CODE_DONE : complain_library(q->all.command, status);
    }
    free(own);
    reel_close(&r);
    return code;
}

/* Gives the exit code. */
static int check_run(const animate_request *q)
{
    struct stat s;
    const char *run = q->all.run;
    if (stat(run, &s) != 0)
        return complain(q->all.command, CODE_FAILED, "%s does not exist", run);
    if (S_ISDIR(s.st_mode))
        return CODE_DONE;
    return complain(q->all.command, CODE_FAILED,
                    "%s is a file, and pictures of training are in the directory of a run; "
                    "what needs none: --walk", run);
}

static int animate_training(animate_request *q)
{
    album a = {0};
    int code = check_run(q);
    if (code != CODE_DONE)
        return code;
    list_epochs(q->all.run, &a);
    if (a.n < 2)
        code = complain(q->all.command, CODE_FAILED,
                        "%s has %s of samples, and an animation takes two; training draws one "
                        "after every train.samples_every epochs of its recipe; what needs none: "
                        "--walk",
                        q->all.run, a.n ? "one picture" : "no picture");
    else {
        thin_out(&a, q->n ? (int)q->n : MOST_FRAMES);
        code = write_album(q, &a);
    }
    free(a.epochs);
    return code;
}

/* ---- The command ---- */

/* Seconds of --NAME; nothing if it was not given. */
static bool read_seconds(const command *c, const char *name, const char *words, double *seconds)
{
    char *rest = NULL;
    if (!words)
        return true;
    *seconds = strtod(words, &rest);
    if (rest > words && *rest == 0 && *seconds >= 0.02 && *seconds <= 60)
        return true;
    complain(c, CODE_USAGE, "--%s: expected 0.02 to 60 seconds, found '%s'%s", name, words,
             *seconds > 0 && *seconds < 0.02 ? "; browsers show shorter frames for 0.1" : "");
    return false;
}

/* What belongs to the other kind is an error. */
static bool check_kind(const animate_request *q)
{
    const struct {
        const char *name;
        bool is_given, is_of_walk;
    } flags[] = {{"stops", q->stops > 0, true},      {"steps", q->steps > 0, true},
                 {"linear", q->is_straight, true},   {"prior", q->from_prior, true},
                 {"class", q->classes != NULL, true}, {"hold", q->hold_text != NULL, false}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (flags[i].is_given && flags[i].is_of_walk != q->is_walk) {
            complain(q->all.command, CODE_USAGE, "--%s %s --walk", flags[i].name,
                     q->is_walk ? "does not go with" : "goes with");
            return false;
        }
    return true;
}

/* Gives the exit code. */
static int animate(animate_request *q)
{
    const command *c = q->all.command;
    if (!read_seconds(c, "seconds", q->seconds_text, &q->seconds) ||
        !read_seconds(c, "hold", q->hold_text, &q->hold) || !check_kind(q))
        return CODE_USAGE;
    if (!q->all.out)
        q->all.out = q->is_walk ? "walk.webp" : "samples.webp";
    if (!q->is_walk && q->n == 1)
        return complain(c, CODE_USAGE, "--number: an animation takes two frames of training");
    if (!(q->is_walk && is_npy(q->all.out)) && lt_animation_check_name(q->all.out) != LT_OK)
        return complain_library(c, LT_VALUE);
    return q->is_walk ? animate_walk(q) : animate_training(q);
}

static int run(const command *c, int argc, const char **argv)
{
    animate_request q = {.all = {.command = c, .split = LT_TEST}};
    const flag flags[] = {
        {"number", 'n', FLAG_COUNT, &q.n, "N", "frames of training, the first and the last among "
         "them; default: all, or 120. Of a walk: ways side by side; default: 16", 1, 10000, NULL},
        {"output", 'o', FLAG_OUTPUT, &q.all.out, "FILE", "FILE.webp, .gif, .apng or .png (animated "
         "as well); or of a walk .npy, the images as numbers; default: samples.webp, or walk.webp",
         0, 0, NULL},
        {"walk", 'w', FLAG_SWITCH, &q.is_walk, NULL, "walk through codes, along closed ways; "
         "default: the samples that training drew", 0, 0, NULL},
        {"seconds", 0, FLAG_TEXT, &q.seconds_text, "S", "that a frame is shown; default: about 6 "
         "seconds for all of training, 0.08 in a walk", 0, 0, NULL},
        {"hold", 0, FLAG_TEXT, &q.hold_text, "S", "seconds that the last frame of training is "
         "shown; default: 2", 0, 0, NULL},
        {"loops", 0, FLAG_COUNT, &q.loops, "N", "how often all is shown; default: for ever", 1,
         65535, NULL},
        {"stops", 0, FLAG_COUNT, &q.stops, "N", "walk: codes on each way; default: 4", 2, 1000,
         NULL},
        {"steps", 0, FLAG_COUNT, &q.steps, "N", "walk: frames from one code to the next; default: "
         "15", 1, 1000, NULL},
        {"linear", 0, FLAG_SWITCH, &q.is_straight, NULL, "walk: in straight lines; default: on "
         "great circles", 0, 0, NULL},
        {"prior", 0, FLAG_SWITCH, &q.from_prior, NULL, "walk: through codes drawn from the prior; "
         "default: of images, where there is an encoder", 0, 0, NULL},
        {"class", 0, FLAG_TEXT, &q.classes, "A,B,...", "walk: images of these classes in turn; "
         "default: of classes that differ. Of a model that has classes: K, the class of all", 0, 0,
         NULL},
        FLAG_SPLIT(&q.all.split),
        FLAG_SEED(&q.all.seed, "choose images, or codes, by this seed; default: 0"),
        FLAG_DATA(&q.all.data, "images of this data set instead of the recipe's"),
        FLAG_TITLE(&q.all.title),
        {"zoom", 0, FLAG_COUNT, &q.all.zoom, "N", "pixels per pixel of a picture of training, "
         "default: 1; of an image of a walk: what makes about 84, or more where they are few", 1,
         100, NULL},
        FLAG_THREADS(&q.all.threads),
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    q.all.run = line.operand[0];
    int code = animate(&q);
    command_line_clear(&line);
    return code;
}

const command cmd_animate = {
    .name = "animate", .summary = "show samples over training, or a walk through codes, in motion",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "Without --walk RUN is a run directory, and its samples/epoch-0001.png, ... become frames: "
        "the same codes, as the model learns. With --walk it may be a checkpoint file too, and "
        "images are what the model makes of codes on closed ways: from the code of an image to "
        "that of one of another class, and so on, back to the first. Models without an encoder: "
        "between codes drawn from the prior.\n",
    .examples = "  latent animate runs/fashion-wgan\n"
                "  latent animate runs/fashion-wgan --seconds 0.2 -o training.gif\n"
                "  latent animate runs/fashion-mlp-vae --walk\n"
                "  latent animate runs/fashion-mlp-vae --walk --class 0,9,7 -n 4 -o walk.apng\n",
    .run = run};
