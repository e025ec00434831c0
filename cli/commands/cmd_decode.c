/* SPDX-License-Identifier: MIT */
/* latent decode: images of given codes. */
#include "class_names.h"
#include "shared_options.h"

#include <stdlib.h>
#include <string.h>

typedef struct decode_request {
    figure_request all;
    const char *array, *class;
    int64_t columns; /* 0: default */
} decode_request;

enum { MOST = 65536, ANY = -1 };

/* As many columns as rows, or one more. */
static int square_side(int n)
{
    int side = 1;
    while (side * side < n)
        side++;
    return side;
}

/* E[x|z] of each code: of the class asked for, of those in the file, or, where there are neither, of classes
   that are drawn. */
static int decode_rows(const trained *t, const decode_request *q, const lt_codes *codes, int label,
                       float *images)
{
    int threads = (int)q->all.threads;
    if (label != ANY)
        return decode_codes(t, codes->n, codes->z, label, threads, images);
    if (lt_model_classes(t->model) > 0 && codes->labels)
        return lt_decode_class(t->model, codes->n, codes->z, codes->labels, threads, images);
    return lt_decode(t->model, codes->n, codes->z, threads, images);
}

/* Images alone, unless they are given a title. */
static int draw(const trained *t, decode_request *q, const lt_codes *codes, int label)
{
    int n = codes->n, columns = q->columns ? (int)q->columns : square_side(n);
    figure f;
    columns = columns < n ? columns : n;
    figure_open(&f, t->model, (n + columns - 1) / columns, columns);
    f.n = n;
    snprintf(f.subtitle, sizeof f.subtitle, "E[x|z] of %d code%s", n, n == 1 ? "" : "s");
    q->all.is_plain = !q->all.title;
    int status = decode_rows(t, q, codes, label, f.images);
    if (status == LT_OK)
        status = figure_write(&f, &q->all);
    figure_close(&f);
    return status;
}

/* Nothing is made but the images, however many they are. */
static int write_alone(const trained *t, const decode_request *q, const lt_codes *codes, int label)
{
    float *images = image_room(t->model, codes->n);
    int status = decode_rows(t, q, codes, label, images);
    if (status == LT_OK)
        status = write_images(q->all.out, lt_model_image_size(t->model), images, codes->n, q->all.zoom);
    char *name = written_name(q->all.out, codes->n);
    if (status == LT_OK)
        say("%s: %d image%s of %s", name, codes->n, codes->n == 1 ? "" : "s", q->all.checkpoint);
    free(name);
    free(images);
    return status;
}

/* Gives the exit code. */
static int read_class(trained *t, const decode_request *q, int *label)
{
    return !q->class || read_model_class(&q->all, t, q->class, label) ? CODE_DONE : CODE_USAGE;
}

static int decode(trained *t, void *request)
{
    decode_request *q = request;
    const command *c = q->all.command;
    lt_codes codes;
    int label = ANY, code = read_class(t, q, &label);
    if (code != CODE_DONE)
        return code;
    int status = lt_codes_read(q->all.line->operand[1], q->array, lt_model_latent(t->model), &codes);
    if (status == LT_OK && is_images_alone(q->all.out))
        status = write_alone(t, q, &codes, label);
    else if (status == LT_OK && codes.n > MOST)
        code = complain(c, CODE_FAILED, "%s has %d codes, and a picture %d images at most; -o FILE.npy and "
                        "-o img-%%05d.png take all of them", q->all.line->operand[1], codes.n, MOST);
    else if (status == LT_OK)
        status = draw(t, q, &codes, label);
    lt_codes_clear(&codes);
    return status == LT_OK ? code : complain_library(c, status);
}

static int run(const command *c, int argc, const char **argv)
{
    decode_request q = {.all.out = "decoded.png"};
    const flag flags[] = {
        {OPTION_OUTPUT, .kind = FLAG_IMAGES, .value = &q.all.out, .note = NOTE_IMAGES "; default: decoded.png"},
        {OPTION_ARRAY, .value = &q.array, .note = "of CODES; default: mean, z, or the only one that fits"},
        {OPTION_COLUMNS, .value = &q.columns, .min = 1, .max = MOST, .is_of_whole = true,
         .note = "default: a square"},
        {OPTION_CLASS, .value = &q.class,
         .note = "of all images, where a model has classes; default: those of the array label, else drawn"},
        {OPTION_TITLE, .value = &q.all.title, .is_of_whole = true, .note = "default: images alone"},
        {OPTION_ZOOM, .value = &q.all.zoom, .is_of_picture = true, .note = NOTE_ZOOM},
        {OPTION_THREADS, .value = &q.all.threads},
        {0}};
    return figure_run(c, flags, argc, argv, decode, &q);
}

const command cmd_decode = {
    .name = "decode", .summary = "make images of codes that are given as numbers",
    .operands = "RUN CODES [options]", .min_operands = 2, .max_operands = 2,
    .about =
        "RUN is a run directory, of which the newest checkpoint is taken, or a checkpoint file. CODES is a "
        "file of latent encode, or of any program: .npy, N x latents; .npz, with an array mean or z, or one "
        "of that size; .csv, a code in each line, with or without names above. The picture shows E[x|z] (the "
        "median of a discretised_logistic), or what a generator makes of each code.\n",
    .examples = "  latent encode runs/fashion-mlp-vae -n 64 -o codes.npy\n"
                "  latent decode runs/fashion-mlp-vae codes.npy -o images.png\n"
                "  latent decode runs/fashion-mlp-vae codes.npz --array z -o images.npy\n"
                "  latent decode runs/fashion-wgan mine.csv -o img-%04d.png\n",
    .run = run};
