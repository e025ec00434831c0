/* SPDX-License-Identifier: MIT */
/* latent animate: the samples of a run over its training, or a walk through its model's codes. */
#include "animate.h"

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

/* What belongs to the other kind is an error. Gives the exit code. */
static int check_kind(const animate_request *q)
{
    return q->is_walk ? refuse_flags(q->all.command, q->all.line, "hold", "does not go with --walk")
                      : refuse_flags(q->all.command, q->all.line,
                                     "stops steps linear prior class split seed data",
                                     "goes with --walk");
}

/* An animation; of a walk also numbers; or a picture of each frame. Gives the exit code. */
static int check_name(const animate_request *q)
{
    const command *c = q->all.command;
    const char *out = q->all.out;
    if (lt_is_numbered(out)) {
        char *first = lt_numbered_name(out, 0);
        bool is_picture = first && lt_image_check_name(first) == LT_OK;
        free(first);
        return is_picture ? CODE_DONE : complain(c, CODE_USAGE, "--output: %s", lt_last_error());
    }
    if ((q->is_walk && is_npy(out)) || lt_animation_check_name(out) == LT_OK)
        return CODE_DONE;
    return complain_library(c, LT_VALUE);
}

/* Gives the exit code. */
static int animate(animate_request *q)
{
    const command *c = q->all.command;
    if (!read_seconds(c, "seconds", q->seconds_text, &q->seconds) ||
        !read_seconds(c, "hold", q->hold_text, &q->hold) || check_kind(q) != CODE_DONE)
        return CODE_USAGE;
    if (!q->all.out)
        q->all.out = q->is_walk ? "walk.webp" : "samples.webp";
    if (!q->is_walk && q->n == 1)
        return complain(c, CODE_USAGE, "--number: an animation takes two frames of training");
    int code = check_name(q);
    if (code != CODE_DONE)
        return code;
    return q->is_walk ? animate_walk(q) : animate_training(q);
}

static int run(const command *c, int argc, const char **argv)
{
    animate_request q = {.all = {.command = c, .split = LT_TEST}};
    const flag flags[] = {
        {"number", 'n', FLAG_COUNT, &q.n, "N", "frames of training, the first and the last among "
         "them; default: all, or 120. Of a walk: ways side by side; default: 16", 1, 10000, NULL},
        {"output", 'o', FLAG_OUTPUT, &q.all.out, "FILE", "FILE.webp, .gif, .apng or .png (animated "
         "as well); or frame-%04d.png, each frame as a picture; or of a walk .npy, the images as "
         "numbers; default: samples.webp, or walk.webp",
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
        {"split", 0, FLAG_CHOICE, &q.all.split, "SPLIT", "walk: train, valid or test; default: test",
         0, 0, split_names},
        FLAG_SEED(&q.all.seed, "walk: choose images, or codes, by this seed; default: 0"),
        FLAG_DATA(&q.all.data, "walk: images of this data set instead of the recipe's"),
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
    q.all.line = &line;
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
