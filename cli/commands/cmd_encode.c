/* SPDX-License-Identifier: MIT */
/* latent encode: writes the codes of images. */
#include "shared_options.h"

#include <stdlib.h>
#include <string.h>

typedef struct encode_request {
    const command *command;
    const char *run, *out, *data, *classes, *array;
    text_list sets;
    int split, executor;
    int64_t n, seed, threads;
} encode_request;

static bool show_progress(void *user, double done)
{
    meter *m = user;
    if (meter_is_due(m))
        meter_draw(m, done, "codes %3.0f %%", 100 * done);
    return !is_stopped();
}

static int encode_split(const encode_request *q, const trained *t, lt_codes *codes)
{
    meter m;
    lt_split split = lt_dataset_split(t->data, (lt_split)q->split);
    lt_codes_options o = {.images = (int)q->n,
                          .seed = (uint64_t)q->seed,
                          .run = {(int)q->threads, (lt_executor)q->executor, show_progress, &m}};
    watch_signals();
    meter_begin(&m);
    int status = lt_encode_split(t->model, t->data, split, &o, codes);
    meter_clear(&m);
    return status;
}

static int encode(const encode_request *q, const trained *t)
{
    lt_codes codes;
    int status = encode_split(q, t, &codes);
    if (status == LT_OK)
        status = lt_codes_write(&codes, q->out, q->array);
    if (status == LT_OK)
        say("%s: %s of %d %s image%s, %d latent%s, by %s", q->out,
            !is_npy(q->out) ? "codes" : !q->array || strcmp(q->array, "mean") == 0 ? "means"
            : strcmp(q->array, "z") == 0 ? "draws" : "log variances",
            codes.n, lt_split_name(codes.split), codes.n == 1 ? "" : "s", codes.latent, codes.latent == 1 ? "" : "s",
            t->checkpoint);
    lt_codes_clear(&codes);
    return status;
}

/* Checks the options before anything is opened. Returns the exit code. */
static int check_request(const encode_request *q)
{
    const command *c = q->command;
    if (lt_arrays_check_name(q->out) != LT_OK)
        return complain(c, CODE_USAGE, "--output: %s", lt_last_error());
    static const char *const arrays[] = {"mean", "logvar", "z", NULL};
    if (q->array && !is_listed("mean logvar z", q->array))
        return complain(c, CODE_USAGE, "--array: expected mean, logvar or z, found '%s'%s", q->array,
                        suggestion(q->array, arrays));
    if (q->array && !is_npy(q->out))
        return complain(c, CODE_USAGE, "--array needs FILE.npy; %s holds all of mean, logvar and z",
                        q->out);
    return CODE_DONE;
}

/* --class becomes an option of the data. */
static int open_run(encode_request *q, trained *t)
{
    char *classes = q->classes ? plot_room(strlen(q->classes) + sizeof "data.classes=", 1) : NULL;
    text_list sets = q->sets;
    if (classes) {
        sprintf(classes, "data.classes=%s", q->classes);
        sets.item[sets.n++] = classes;
    }
    int status = trained_open(t, q->run, false, NULL);
    if (status == LT_OK && lt_model_can(t->model, LT_CAN_ENCODE))
        status = lt_model_open_data(t->model, q->data, sets.item, sets.n, &t->data);
    if (status == LT_OK && t->data)
        status = lt_model_check_data(t->model, t->data);
    free(classes);
    return status;
}

static int encode_run(encode_request *q)
{
    trained t;
    int code = CODE_DONE, status = open_run(q, &t);
    if (status == LT_OK && !t.data)
        code = complain(q->command, CODE_FAILED, "%s has no encoder, so images have no codes", q->run);
    else if (status == LT_OK)
        status = encode(q, &t);
    trained_close(&t);
    return status == LT_OK ? code : complain_library(q->command, status);
}

static int run_encode(const command *c, int argc, const char **argv)
{
    encode_request q = {.command = c, .out = "codes.npz", .split = LT_TEST};
    const flag flags[] = {
        {OPTION_IMAGES, .value = &q.n, .min = 1, .max = INT32_MAX, .note = "spread over the split; default: all"},
        {OPTION_OUTPUT, .kind = FLAG_OUTPUT, .value = &q.out, .endings = ".npz .csv .npy",
         .note = "FILE.npz or .csv: index, label, mean, logvar, z; FILE.npy: one of these; default: codes.npz"},
        {OPTION_ARRAY, .value = &q.array, .note = "for FILE.npy: mean, logvar or z; default: mean"},
        {OPTION_CLASS, .value = &q.classes, .note = "A,B,...: images of these classes only"},
        {OPTION_SPLIT, .value = &q.split, .note = NOTE_TEST},
        {OPTION_SEED, .value = &q.seed, .note = "default: 0"},
        {OPTION_DATA, .value = &q.data},
        {OPTION_SET, .value = &q.sets, .note = "of its data: data.limit=100, data.classes=3,7"},
        {OPTION_THREADS, .value = &q.threads},
        {OPTION_EXECUTOR, .value = &q.executor},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    q.run = line.operand[0];
    int code = check_request(&q);
    if (code == CODE_DONE && q.sets.n == (int)(sizeof q.sets.item / sizeof q.sets.item[0]) && q.classes)
        code = complain(c, CODE_USAGE, "--set: too many values together with --class");
    if (code == CODE_DONE)
        code = encode_run(&q);
    command_line_clear(&line);
    return code;
}

const command cmd_encode = {
    .name = "encode", .summary = "encode images and write their codes",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a run directory (its newest checkpoint is used) or a checkpoint file. For each "
        "image x of a split the file has:\n"
        "  index    index of the image in the split, from 0\n"
        "  label    its class, -1: none\n"
        "  mean     of q(z|x), one number per latent; in csv the columns mean_0, mean_1, ...\n"
        "  logvar   the logarithms of the variances of q(z|x)\n"
        "  z        a sample from q(z|x), by --seed\n"
        "numpy.load reads .npz and .npy; latent decode reads all three formats.\n",
    .examples = "  latent encode runs/fashion-mlp-vae -o codes.npz\n"
                "  latent encode runs/fashion-mlp-vae --split train -n 1000 -o codes.csv\n"
                "  latent encode runs/fashion-mlp-vae --class sneaker -o sneakers.npy\n"
                "  latent encode runs/mine --data ~/photos -o photos.npz\n",
    .run = run_encode};
