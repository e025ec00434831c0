/* SPDX-License-Identifier: MIT */
/* latent animate: the samples of a run over its training, or a walk through its model's codes. */
#include "animate.h"

#include "shared_options.h"

#include <stdlib.h>
#include <string.h>

/* Seconds of --NAME; nothing if it was not given. */
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

/* An animation; of a walk also numbers; or a picture of each frame. Gives the exit code. */
static int check_name(const animate_request *q)
{
    const command *c = q->all.command;
    const char *out = q->all.out;
    if (!q->is_walk && is_npy(out))
        return complain(c, CODE_USAGE, "--output: %s: numbers are those of --walk", out);
    if (!lt_is_numbered(out))
        return check_output(c, "output", out);
    char *first = lt_numbered_name(out, 0);
    bool is_picture = first && lt_image_check_name(first) == LT_OK;
    free(first);
    return is_picture ? check_output(c, "output", out) : complain(c, CODE_USAGE, "--output: %s", lt_last_error());
}

/* Gives the exit code. */
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

static int run(const command *c, int argc, const char **argv)
{
    animate_request q = {.all = {.command = c, .split = LT_TEST}};
    const flag flags[] = {
        {.name = "frames", .kind = FLAG_COUNT, .value = &q.frames, .operand = "N", .clashes = "walk",
         .help = "frames of training, the first and the last among them; default: all, or 120",
         .min = 2, .max = 10000},
        {OPTION_OUTPUT, .kind = FLAG_OUTPUT, .value = &q.all.out, .endings = ".webp .gif .apng .png .npy %d",
         .note = "FILE.webp, .gif, .apng or .png (animated as well); or frame-%04d.png, each frame as a "
                 "picture; or of a walk .npy, the images as numbers; default: samples.webp, or walk.webp"},
        {.name = "walk", .kind = FLAG_SWITCH, .value = &q.is_walk, .clashes = "hold",
         .help = "walk through codes, along closed ways; default: the samples that training drew"},
        {.name = "seconds", .kind = FLAG_TEXT, .value = &q.seconds_text, .operand = "S",
         .is_of_whole = true,
         .help = "that a frame is shown; default: about 6 seconds for all of training, 0.08 in a walk"},
        {.name = "hold", .kind = FLAG_TEXT, .value = &q.hold_text, .operand = "S", .is_of_whole = true,
         .help = "seconds that the last frame of training is shown; default: 2"},
        {.name = "loops", .kind = FLAG_COUNT, .value = &q.loops, .operand = "N", .is_of_whole = true,
         .help = "how often all is shown; default: for ever", .min = 1, .max = 65535},
        {.name = "walks", .kind = FLAG_COUNT, .value = &q.walks, .operand = "N", .needs = "walk",
         .help = "ways side by side; default: 16", .min = 1, .max = 10000},
        {.name = "stops", .kind = FLAG_COUNT, .value = &q.stops, .operand = "N", .needs = "walk",
         .help = "codes on each way; default: 4", .min = 2, .max = 1000},
        {.name = "per-stop", .kind = FLAG_COUNT, .value = &q.steps, .operand = "N", .needs = "walk",
         .help = "frames from one code to the next; default: 15", .min = 1, .max = 1000},
        {.name = "linear", .kind = FLAG_SWITCH, .value = &q.is_straight, .needs = "walk",
         .help = "in straight lines; default: on great circles"},
        {.name = "prior", .kind = FLAG_SWITCH, .value = &q.from_prior, .needs = "walk",
         .clashes = "split data",
         .help = "through codes drawn from the prior; default: of images, where there is an encoder"},
        {OPTION_CLASS, .value = &q.classes, .needs = "walk",
         .note = "A,B,...: images of these in turn; default: of classes that differ. Of a model that has "
                 "classes: one, that of all"},
        {OPTION_SPLIT, .value = &q.all.split, .needs = "walk", .note = NOTE_TEST},
        {OPTION_SEED, .value = &q.all.seed, .needs = "walk", .note = "default: 0"},
        {OPTION_DATA, .value = &q.all.data, .needs = "walk"},
        {OPTION_TITLE, .value = &q.all.title, .is_of_picture = true, .note = NOTE_TITLE},
        {OPTION_ZOOM, .value = &q.all.zoom, .is_of_picture = true,
         .note = "default: 1 for pictures of training, in a walk what makes images of about 84, or more "
                 "where they are few"},
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
                "  latent animate runs/fashion-mlp-vae --walk --class dress,bag -o walk.apng\n",
    .run = run};
