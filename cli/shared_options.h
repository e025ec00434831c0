/* SPDX-License-Identifier: MIT */
/* The options that several commands have, each defined here alone: one name, one letter, one unit, one
   meaning. A command's row adds where the value goes and, in `note`, its default:

       {OPTION_SEED, .value = &q.seed, .note = "default: 0"}

   Letters, those of single commands included: a against, c columns, d data, e epochs, h help, j json,
   k nll, m measure, n images, o output, p profile, q quality, r repeats, s set, t threads, w width. A test
   walks all commands, and finds what has two meanings. */
#ifndef LATENT_SHARED_OPTIONS_H
#define LATENT_SHARED_OPTIONS_H

#include "cli.h"

/* ---- Which recipe, which data ---- */

#define OPTION_SET                                                                                 \
    .name = "set", .letter = 's', .kind = FLAG_LIST, .operand = "KEY=VALUE",                       \
    .help = "change a value of the recipe (may be repeated)"
#define OPTION_DATA                                                                                \
    .name = "data", .letter = 'd', .kind = FLAG_TEXT, .operand = "DATA",                           \
    .help = "this data set instead of the recipe's: a name or a path"
#define OPTION_STRICT                                                                              \
    .name = "strict", .kind = FLAG_SWITCH,                                                         \
    .help = "an unreadable picture is an error; default: it is reported and left out"
#define OPTION_SPLIT                                                                               \
    .name = "split", .kind = FLAG_CHOICE, .operand = "SPLIT", .help = "train, valid or test",      \
    .choices = split_names
#define OPTION_EPOCHS                                                                              \
    .name = "epochs", .letter = 'e', .kind = FLAG_COUNT, .operand = "N",                           \
    .help = "train to this many epochs in all", .min = 1, .max = 1000000

/* ---- How many images, and which; indices and labels count from 0 ---- */

/* Each row has its bounds. */
#define OPTION_IMAGES                                                                              \
    .name = "images", .letter = 'n', .kind = FLAG_COUNT, .operand = "N", .help = "how many images"
#define OPTION_COLUMNS                                                                             \
    .name = "columns", .letter = 'c', .kind = FLAG_COUNT, .operand = "N", .help = "images in a row"
#define OPTION_IMAGE                                                                               \
    .name = "image", .kind = FLAG_TEXT, .operand = "I",                                            \
    .help = "the image of this index in the split, from 0"
#define OPTION_CLASS                                                                               \
    .name = "class", .kind = FLAG_TEXT, .operand = "CLASS",                                        \
    .help = "the class of this name or number, from 0"
#define OPTION_SEED                                                                                \
    .name = "seed", .kind = FLAG_COUNT, .operand = "S", .help = "seed of what is random",          \
    .max = INT64_MAX

/* ---- How it is computed ---- */

#define OPTION_THREADS                                                                             \
    .name = "threads", .letter = 't', .kind = FLAG_COUNT, .operand = "N",                          \
    .help = "threads; default: every core; results do not depend on it", .min = 1, .max = 1023
#define OPTION_EXECUTOR                                                                            \
    .name = "executor", .kind = FLAG_CHOICE, .operand = "NAME",                                    \
    .help = "cpu, or reference (slow, double precision)", .choices = lt_executor_names()
#define OPTION_NLL                                                                                 \
    .name = "nll", .letter = 'k', .kind = FLAG_COUNT, .operand = "K",                              \
    .help = "draws per image of an estimate of -log p(x)"
#define OPTION_QUALITY                                                                             \
    .name = "quality", .letter = 'q', .kind = FLAG_SWITCH,                                         \
    .help = "also how good samples are: FID, KID, precision, recall, copies"
#define OPTION_SAMPLES                                                                             \
    .name = "samples", .kind = FLAG_COUNT, .operand = "N",                                         \
    .help = "how many samples are judged; default: 10000, or as many as the split has images",     \
    .min = 20, .max = 1000000

/* ---- Where it goes, and how it looks ---- */

/* Each row has its kind, or `endings`. */
#define OPTION_OUTPUT                                                                              \
    .name = "output", .letter = 'o', .operand = "FILE", .help = "the file that is written"
#define OPTION_JSON                                                                                \
    .name = "json", .letter = 'j', .kind = FLAG_SWITCH, .help = "print JSON"
#define OPTION_TITLE                                                                               \
    .name = "title", .kind = FLAG_TEXT, .operand = "TEXT", .help = "the title"
#define OPTION_ZOOM                                                                                \
    .name = "zoom", .kind = FLAG_COUNT, .operand = "N", .help = "pixels per pixel of an image",    \
    .min = 1, .max = 100

/* Files of what was judged, of a quality_files (quality_report.h), and the picture of neighbors. */
#define OPTION_NEAREST                                                                             \
    .name = "nearest", .kind = FLAG_IMAGES, .operand = "FILE.png",                                  \
    .help = "also a picture of samples over the train images that they are nearest to"
#define OPTION_FEATURES                                                                            \
    .name = "features", .kind = FLAG_OUTPUT, .operand = "FILE.npz", .endings = ".npz",             \
    .help = "also the features that the scores are computed from, of samples, held and train images"
#define OPTION_SAMPLES_OUT                                                                         \
    .name = "samples-out", .kind = FLAG_OUTPUT, .operand = "FILE.npy", .endings = ".npy",          \
    .help = "also the samples as they were scored"

/* Arrays of numbers: of codes. */
#define OPTION_ARRAY .name = "array", .kind = FLAG_TEXT, .operand = "NAME", .help = "which array"

/* What several notes say. */
#define NOTE_PICTURE "FILE.png, .jpg, .webp, .svg or .pdf"
#define NOTE_CHART NOTE_PICTURE ", or .csv: its numbers"
#define NOTE_IMAGES NOTE_PICTURE ", or .npy: the images as numbers, or img-%04d.png: each image alone"
#define NOTE_TITLE "default: the run's name"
#define NOTE_ZOOM "default: what makes images of about 84 pixels"
#define NOTE_TEST "default: test"

#endif
