/* SPDX-License-Identifier: MIT */
/* latent animate: the samples of a run over its training, or a latent walk of its model. */
#include "class_names.h"
#include "figure_command.h"
#include "shared_options.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_WALKS = 16, DEFAULT_STOPS = 4, DEFAULT_STEPS = 15, MAX_STOPS = 1000 };

typedef struct animate_request {
    figure_request all; /* out: NULL until the kind is known */
    bool is_walk, is_straight, from_prior;
    int64_t frames, walks, stops, steps, loops; /* 0: default; steps: frames from stop to stop */
    const char *seconds_text, *hold_text, *classes;
    double seconds, hold; /* 0: default */
} animate_request;

/* Parses the seconds of --NAME, if given. */
static bool read_seconds(const command *c, const char *name, const char *words, double *seconds)
{
    if (!words)
        return true;
    bool is_number = lt_read_real(words, seconds);
    if (is_number && *seconds >= 0.02 && *seconds <= 60)
        return true;
    complain(c, CODE_USAGE, "--%s: expected 0.02 to 60 seconds, found '%s'%s", name, words,
             is_number && *seconds > 0 && *seconds < 0.02 ? "; browsers show shorter frames for 0.1" : "");
    return false;
}

/* Checks the output name: an animation, one file per frame, or for walks an array. Returns the exit code. */
static int check_name(const animate_request *q)
{
    const command *c = q->all.command;
    const char *out = q->all.out;
    if (!q->is_walk && is_npy(out))
        return complain(c, CODE_USAGE, "--output: %s: an array needs --walk", out);
    if (!lt_is_numbered(out))
        return check_output(c, "output", out);
    char *first = lt_numbered_name(out, 0);
    bool is_picture = first && lt_image_check_name(first) == LT_OK;
    free(first);
    return is_picture ? check_output(c, "output", out) : complain(c, CODE_USAGE, "--output: %s", lt_last_error());
}

/* ---- The samples of training ---- */

static int animate_training(const animate_request *q)
{
    lt_figure *f;
    lt_history_options o = {.frames = (int)q->frames, .seconds = q->seconds, .hold = q->hold, .loops = (int)q->loops,
                            .title = q->all.title, .zoom = (int)q->all.zoom};
    int status = lt_figure_history(q->all.run, &o, &f);
    return figure_put(&q->all, status, f, NULL);
}

/* ---- A walk ---- */

/* Counts the classes of "cat,dog,7", one per stop. Returns the exit code. */
static int count_stops(const animate_request *q, lt_walk_options *o)
{
    int n = 1;
    for (const char *at = q->classes; *at; at++)
        n += *at == ',';
    if (n < 2 || n > MAX_STOPS || (q->stops && q->stops != n))
        return complain(q->all.command, CODE_USAGE,
                        "--class: expected 2 to %d classes, as many as --stops if that is given, found "
                        "'%s'", MAX_STOPS, q->classes);
    o->stops = o->n_classes = n;
    return CODE_DONE;
}

/* Reads the classes of the images at the stops. Returns the exit code. */
static int read_stops(trained *t, const animate_request *q, int classes[MAX_STOPS], lt_walk_options *o)
{
    lt_split split = lt_dataset_split(t->data, (lt_split)q->all.split);
    const lt_dataset_info *d = lt_dataset_describe(t->data);
    if (!d->has_labels[split])
        return complain(q->all.command, CODE_FAILED, "--class: the %s images of %s have no labels",
                        lt_split_name(split), d->name);
    o->classes = classes;
    return read_data_classes(&q->all, t, q->classes, o->stops, MAX_STOPS, classes) ? CODE_DONE : CODE_USAGE;
}

/* Reads --class: classes of the images, or the class of the model. Returns the exit code. */
static int read_classes(trained *t, const animate_request *q, bool has_images, int classes[MAX_STOPS],
                        lt_walk_options *o)
{
    const command *c = q->all.command;
    int code = q->classes && has_images ? count_stops(q, o) : CODE_DONE;
    if (code == CODE_DONE && q->classes && !has_images) {
        if (lt_model_classes(t->model) == 0)
            return complain(c, CODE_FAILED, "--class: codes sampled from the prior of %s have no classes", q->all.run);
        o->of_class = classes;
        code = read_model_class(&q->all, t, q->classes, classes) ? CODE_DONE : CODE_USAGE;
    }
    if (code == CODE_DONE && !figure_fits(c, (int64_t)o->stops * o->steps, o->walks))
        code = CODE_USAGE;
    if (code != CODE_DONE || !has_images)
        return code;
    int status = figure_open_data(t, &q->all);
    if (status != LT_OK)
        return complain_library(c, status);
    return q->classes ? read_stops(t, q, classes, o) : CODE_DONE;
}

static int draw_walk(trained *t, const animate_request *q)
{
    int classes[MAX_STOPS];
    bool has_images = lt_model_can(t->model, LT_CAN_ENCODE) && !q->from_prior;
    lt_walk_options o = {.walks = q->walks ? (int)q->walks : DEFAULT_WALKS,
                         .stops = q->stops ? (int)q->stops : DEFAULT_STOPS,
                         .steps = q->steps ? (int)q->steps : DEFAULT_STEPS, .is_linear = q->is_straight,
                         .from_prior = q->from_prior, .seed = (uint64_t)q->all.seed, .seconds = q->seconds,
                         .loops = (int)q->loops, .zoom = (int)q->all.zoom, .threads = (int)q->all.threads};
    int code = figure_refuse_images(t, &q->all);
    if (code == CODE_DONE)
        code = read_classes(t, q, has_images, classes, &o);
    if (code != CODE_DONE)
        return code;
    lt_figure *f;
    char *title = figure_title(&q->all);
    o.title = title;
    int status = lt_figure_walk(t->model, t->data, (lt_split)q->all.split, &o, &f);
    free(title);
    return figure_put(&q->all, status, f, NULL);
}

static int animate_walk(const animate_request *q)
{
    trained t;
    int status = trained_open(&t, q->all.run, false, NULL);
    int code = status == LT_OK ? draw_walk(&t, q) : complain_library(q->all.command, status);
    trained_close(&t);
    return code;
}

/* ---- Both ---- */

/* Returns the exit code. */
static int animate(animate_request *q)
{
    const command *c = q->all.command;
    if (!read_seconds(c, "seconds", q->seconds_text, &q->seconds) ||
        !read_seconds(c, "hold", q->hold_text, &q->hold))
        return CODE_USAGE;
    if (!q->all.out)
        q->all.out = q->is_walk ? "walk.webp" : "samples.webp";
    int code = check_name(q);
    if (code != CODE_DONE)
        return code;
    return q->is_walk ? animate_walk(q) : animate_training(q);
}

static int run_animate(const command *c, int argc, const char **argv)
{
    animate_request q = {.all = {.command = c, .split = LT_TEST}};
    const flag flags[] = {
        {.name = "frames", .kind = FLAG_COUNT, .value = &q.frames, .operand = "N", .clashes = "walk",
         .help = "frames of training, including the first and the last; default: all, at most 120",
         .min = 2, .max = 10000},
        {OPTION_OUTPUT, .kind = FLAG_OUTPUT, .value = &q.all.out, .endings = ".webp .gif .apng .png .npy %d",
         .note = "FILE.webp, .gif, .apng or .png (also animated); frame-%04d.png: one file per "
                 "frame; for walks .npy: the images as an array; default: samples.webp, or walk.webp"},
        {.name = "walk", .kind = FLAG_SWITCH, .value = &q.is_walk, .clashes = "hold",
         .help = "animate closed latent walks; default: the samples of training"},
        {.name = "seconds", .kind = FLAG_TEXT, .value = &q.seconds_text, .operand = "S",
         .is_of_whole = true,
         .help = "that a frame is shown; default: about 6 seconds for all of training, 0.08 in a walk"},
        {.name = "hold", .kind = FLAG_TEXT, .value = &q.hold_text, .operand = "S", .is_of_whole = true,
         .help = "seconds that the last frame of training is shown; default: 2"},
        {.name = "loops", .kind = FLAG_COUNT, .value = &q.loops, .operand = "N", .is_of_whole = true,
         .help = "number of loops; default: forever", .min = 1, .max = 65535},
        {.name = "walks", .kind = FLAG_COUNT, .value = &q.walks, .operand = "N", .needs = "walk",
         .help = "walks side by side; default: 16", .min = 1, .max = 10000},
        {.name = "stops", .kind = FLAG_COUNT, .value = &q.stops, .operand = "N", .needs = "walk",
         .help = "codes on each walk; default: 4", .min = 2, .max = 1000},
        {.name = "per-stop", .kind = FLAG_COUNT, .value = &q.steps, .operand = "N", .needs = "walk",
         .help = "frames from one code to the next; default: 15", .min = 1, .max = 1000},
        {.name = "linear", .kind = FLAG_SWITCH, .value = &q.is_straight, .needs = "walk",
         .help = "interpolate linearly; default: spherically"},
        {.name = "prior", .kind = FLAG_SWITCH, .value = &q.from_prior, .needs = "walk",
         .clashes = "split data",
         .help = "walk through codes sampled from the prior; default: codes of images, if there is an encoder"},
        {OPTION_CLASS, .value = &q.classes, .needs = "walk",
         .note = "A,B,...: images of these classes in turn; default: classes that differ. For a model "
                 "with classes: the class of all images"},
        {OPTION_SPLIT, .value = &q.all.split, .needs = "walk", .note = NOTE_TEST},
        {OPTION_SEED, .value = &q.all.seed, .needs = "walk", .note = "default: 0"},
        {OPTION_DATA, .value = &q.all.data, .needs = "walk"},
        {OPTION_TITLE, .value = &q.all.title, .is_of_picture = true, .note = NOTE_TITLE},
        {OPTION_ZOOM, .value = &q.all.zoom, .is_of_picture = true,
         .note = "default: 1 for samples of training; for walks images of about 84 pixels, or more if "
                 "there are few"},
        {OPTION_THREADS, .value = &q.all.threads},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    q.all.run = line.operand[0];
    q.all.line = &line;
    int code = animate(&q);
    if (code == CODE_DONE)
        warn_of_run_data(q.all.run, q.all.out);
    command_line_clear(&line);
    return code;
}

const command cmd_animate = {
    .name = "animate", .summary = "animate the samples of training, or a latent walk",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "Without --walk, RUN is a run directory whose samples/epoch-0001.png, ... become frames: "
        "the same codes as the model learns. With --walk, RUN may also be a checkpoint file. The "
        "model decodes codes on closed walks: from the code of an image to the code of an image of "
        "another class, and so on, back to the first. A model without an encoder walks between "
        "codes sampled from the prior.\n",
    .examples = "  latent animate runs/fashion-wgan\n"
                "  latent animate runs/fashion-wgan --seconds 0.2 -o training.gif\n"
                "  latent animate runs/fashion-mlp-vae --walk\n"
                "  latent animate runs/fashion-mlp-vae --walk --class dress,bag -o walk.apng\n",
    .run = run_animate};
