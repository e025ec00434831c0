/* SPDX-License-Identifier: MIT */
/* latent decode: images of given codes. */
#include "class_names.h"
#include "figure_command.h"
#include "shared_options.h"

#include <stdlib.h>
#include <string.h>

typedef struct decode_request {
    figure_request all;
    const char *array, *class;
    int64_t columns; /* 0: default */
} decode_request;

enum { MAX_IMAGES = 65536, ANY = -1 };

/* Decodes E[x|z] of each code: of the given class, else of the labels in the file, else of sampled classes. */
static int decode_rows(const trained *t, const decode_request *q, const lt_codes *codes, int label, float *images)
{
    int threads = (int)q->all.threads;
    if (lt_model_classes(t->model) == 0 || (label == ANY && !codes->labels))
        return lt_decode(t->model, codes->n, codes->z, threads, images);
    if (label == ANY)
        return lt_decode_class(t->model, codes->n, codes->z, codes->labels, threads, images);
    int32_t *labels = plot_room((size_t)codes->n, sizeof *labels);
    for (int i = 0; i < codes->n; i++)
        labels[i] = label;
    int status = lt_decode_class(t->model, codes->n, codes->z, labels, threads, images);
    free(labels);
    return status;
}

/* Draws a grid; with captions only if it has a title. */
static int draw(const trained *t, const decode_request *q, const lt_codes *codes, const float *images)
{
    char subtitle[64];
    lt_figure *f;
    snprintf(subtitle, sizeof subtitle, "E[x|z] of %d code%s", codes->n, codes->n == 1 ? "" : "s");
    lt_images_options o = {.title = q->all.title, .subtitle = subtitle, .columns = (int)q->columns,
                           .zoom = (int)q->all.zoom};
    int status = lt_figure_images(images, codes->n, lt_model_image_size(t->model), &o, &f);
    return figure_put(&q->all, status, f, NULL);
}

/* Writes any number of images as an array or as single files. Returns the exit code. */
static int write_alone(const trained *t, const decode_request *q, const lt_codes *codes, const float *images)
{
    int status = write_images(q->all.out, lt_model_image_size(t->model), images, codes->n, q->all.zoom);
    char *name = written_name(q->all.out, codes->n);
    if (status == LT_OK)
        say("%s: %d image%s of %s", name, codes->n, codes->n == 1 ? "" : "s", q->all.checkpoint);
    free(name);
    return status == LT_OK ? CODE_DONE : complain_library(q->all.command, status);
}

/* Gives the exit code. */
static int decode_file(const trained *t, const decode_request *q, const lt_codes *codes, int label)
{
    bool is_alone = is_images_alone(q->all.out);
    if (!is_alone && codes->n > MAX_IMAGES)
        return complain(q->all.command, CODE_FAILED, "%s: a grid holds at most %d images, found %d codes; use -o "
                        "FILE.npy or -o img-%%05d.png", q->all.line->operand[1], MAX_IMAGES, codes->n);
    float *images = image_room(t->model, codes->n);
    int status = decode_rows(t, q, codes, label, images);
    int code = status != LT_OK ? complain_library(q->all.command, status)
               : is_alone      ? write_alone(t, q, codes, images)
                               : draw(t, q, codes, images);
    free(images);
    return code;
}

/* Gives the exit code. */
static int read_class(trained *t, const decode_request *q, int *label)
{
    return !q->class || read_model_class(&q->all, t, q->class, label) ? CODE_DONE : CODE_USAGE;
}

static int decode(trained *t, void *request)
{
    decode_request *q = request;
    lt_codes codes;
    int label = ANY, code = read_class(t, q, &label);
    if (code != CODE_DONE)
        return code;
    int status = lt_codes_read(q->all.line->operand[1], q->array, lt_model_latent(t->model), &codes);
    code = status == LT_OK ? decode_file(t, q, &codes, label) : complain_library(q->all.command, status);
    lt_codes_clear(&codes);
    return code;
}

static int run_decode(const command *c, int argc, const char **argv)
{
    decode_request q = {.all.out = "decoded.png"};
    const flag flags[] = {
        {OPTION_OUTPUT, .kind = FLAG_IMAGES, .value = &q.all.out, .note = NOTE_IMAGES "; default: decoded.png"},
        {OPTION_ARRAY, .value = &q.array, .note = "of CODES; default: mean, z, or the only one that fits"},
        {OPTION_COLUMNS, .value = &q.columns, .min = 1, .max = MAX_IMAGES, .is_of_whole = true,
         .note = "default: a square"},
        {OPTION_CLASS, .value = &q.class,
         .note = "of all images, if the model has classes; default: from the array label, else sampled"},
        {OPTION_TITLE, .value = &q.all.title, .is_of_whole = true, .note = "default: none"},
        {OPTION_ZOOM, .value = &q.all.zoom, .is_of_picture = true, .note = NOTE_ZOOM},
        {OPTION_THREADS, .value = &q.all.threads},
        {0}};
    return figure_run(c, flags, argc, argv, decode, &q);
}

const command cmd_decode = {
    .name = "decode", .summary = "decode codes from a file into images",
    .operands = "RUN CODES [options]", .min_operands = 2, .max_operands = 2,
    .about =
        "RUN is a run directory (its newest checkpoint is used) or a checkpoint file. CODES is a "
        "file from latent encode or any program: .npy, N x latents; .npz with an array mean or z, or one "
        "of that size; .csv, one code per line, with or without a header. The figure shows E[x|z] (the "
        "median for discretized_logistic), or the generator's output for each code.\n",
    .examples = "  latent encode runs/fashion-mlp-vae -n 64 -o codes.npy\n"
                "  latent decode runs/fashion-mlp-vae codes.npy -o images.png\n"
                "  latent decode runs/fashion-mlp-vae codes.npz --array z -o images.npy\n"
                "  latent decode runs/fashion-wgan mine.csv -o img-%04d.png\n",
    .run = run_decode};
