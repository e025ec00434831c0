/* SPDX-License-Identifier: MIT */
/* Options that several commands have. Each is defined once: one name, one letter, one unit, one
   meaning. A command's row adds where the value goes and, in `note`, its default:

       {OPTION_SEED, .value = &q.seed, .note = "default: 0"}

   Letters, those of single commands included: a against, c columns, d data, e epochs, h help, j json,
   k nll, m measure, n images, o output, p profile, q quality, r repeats, s set, t threads, w width. A test
   checks that no letter has two meanings. */
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
    .help = "fail on an unreadable picture; default: report and skip it"
#define OPTION_SPLIT                                                                               \
    .name = "split", .kind = FLAG_CHOICE, .operand = "SPLIT", .help = "train, valid or test",      \
    .choices = split_names
#define OPTION_EPOCHS                                                                              \
    .name = "epochs", .letter = 'e', .kind = FLAG_COUNT, .operand = "N",                           \
    .help = "total number of epochs", .min = 1, .max = 1000000

/* ---- How many images, and which; indices and labels count from 0 ---- */

/* Each row has its bounds. */
#define OPTION_IMAGES                                                                              \
    .name = "images", .letter = 'n', .kind = FLAG_COUNT, .operand = "N", .help = "number of images"
#define OPTION_COLUMNS                                                                             \
    .name = "columns", .letter = 'c', .kind = FLAG_COUNT, .operand = "N", .help = "images per row"
#define OPTION_IMAGE                                                                               \
    .name = "image", .kind = FLAG_TEXT, .operand = "I",                                            \
    .help = "the image of this index in the split, from 0"
#define OPTION_CLASS                                                                               \
    .name = "class", .kind = FLAG_TEXT, .operand = "CLASS",                                        \
    .help = "the class of this name or number, from 0"
#define OPTION_SEED                                                                                \
    .name = "seed", .kind = FLAG_COUNT, .operand = "S", .help = "random seed",                     \
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
    .help = "estimate -log p(x) with K importance samples per image"
#define OPTION_QUALITY                                                                             \
    .name = "quality", .letter = 'q', .kind = FLAG_SWITCH,                                         \
    .help = "also score samples: FID, KID, precision, recall, memorization"
#define OPTION_SAMPLES                                                                             \
    .name = "samples", .kind = FLAG_COUNT, .operand = "N",                                         \
    .help = "number of samples to score; default: 10000, at most the images of the split",        \
    .min = 20, .max = 1000000

/* ---- Output ---- */

/* Each row has its kind, or `endings`. */
#define OPTION_OUTPUT                                                                              \
    .name = "output", .letter = 'o', .operand = "FILE", .help = "output file"
#define OPTION_JSON                                                                                \
    .name = "json", .letter = 'j', .kind = FLAG_SWITCH, .help = "print JSON"
#define OPTION_TITLE                                                                               \
    .name = "title", .kind = FLAG_TEXT, .operand = "TEXT", .help = "the title"
#define OPTION_ZOOM                                                                                \
    .name = "zoom", .kind = FLAG_COUNT, .operand = "N", .help = "pixels per pixel of an image",    \
    .min = 1, .max = 100

/* Files of scored samples, in a quality_files (quality_report.h), and the figure of neighbors. */
#define OPTION_NEAREST                                                                             \
    .name = "nearest", .kind = FLAG_IMAGES, .operand = "FILE.png",                                  \
    .help = "also a figure of samples above their nearest train images"
#define OPTION_FEATURES                                                                            \
    .name = "features", .kind = FLAG_OUTPUT, .operand = "FILE.npz", .endings = ".npz",             \
    .help = "also the features of samples, held-out and train images that scores are computed from"
#define OPTION_SAMPLES_OUT                                                                         \
    .name = "samples-out", .kind = FLAG_OUTPUT, .operand = "FILE.npy", .endings = ".npy",          \
    .help = "also the scored samples"

/* Arrays of numbers: of codes. */
#define OPTION_ARRAY .name = "array", .kind = FLAG_TEXT, .operand = "NAME", .help = "which array"

/* Shared notes. */
#define NOTE_PICTURE "FILE.png, .jpg, .webp, .svg or .pdf"
#define NOTE_CHART NOTE_PICTURE ", or .csv: its numbers"
#define NOTE_IMAGES NOTE_PICTURE ", or .npy: the images as an array, or img-%04d.png: one file per image"
#define NOTE_TITLE "default: the run's name"
#define NOTE_ZOOM "default: images of about 84 pixels"
#define NOTE_TEST "default: test"

#endif
