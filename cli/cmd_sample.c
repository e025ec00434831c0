/* SPDX-License-Identifier: MIT */
/* latent sample: new images from a trained model. */
#include "cli.h"

#include <stdlib.h>

static int run(const command *c, int argc, const char **argv)
{
    enum { ANY = -1 };
    int64_t n = 64, columns = 0, seed = 0, threads = 0, label = ANY;
    const char *out = "samples.png";
    const flag flags[] = {
        {"number", 'n', FLAG_COUNT, &n, "N", "images; default: 64", 1, 65536, NULL},
        {"output", 'o', FLAG_OUTPUT, &out, "FILE", "the picture, a PNG, or the numbers, FILE.npy; "
         "default: samples.png", 0, 0, NULL},
        {"class", 0, FLAG_COUNT, &label, "K", "images of this class, from 0; default: of all", 0,
         65535, NULL},
        {"columns", 'c', FLAG_COUNT, &columns, "N", "images in a row; default: a square", 1, 65536,
         NULL},
        FLAG_SEED(&seed, "seed of the codes; default: 0"),
        FLAG_THREADS(&threads),
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    trained t;
    float *images = NULL;
    int status = trained_open(&t, line.operand[0], false, NULL);
    if (status == LT_OK) {
        images = image_room(t.model, (int)n);
        status = label == ANY
                     ? lt_sample(t.model, (int)n, (uint64_t)seed, (int)threads, images)
                     : lt_sample_class(t.model, (int)label, (int)n, (uint64_t)seed, (int)threads,
                                       images);
    }
    if (status == LT_OK)
        status = is_npy(out) ? write_numbers(out, t.model, images, (int)n)
                             : write_grid(out, t.model, images, (int)n, (int)columns);
    int code = CODE_DONE;
    if (status == LT_OK)
        say("%s: %lld samples of %s", out, (long long)n, t.checkpoint);
    else
        code = complain_library(c, status);
    free(images);
    trained_close(&t);
    command_line_clear(&line);
    return code;
}

const command cmd_sample = {
    .name = "sample", .summary = "draw new images from a model, as a picture",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a run directory, of which the newest checkpoint is taken, or a checkpoint file. "
        "Codes z are drawn from the prior N(0, I), and the picture shows E[x|z] in rows "
        "(the median of a discretised_logistic), or what a generator makes of them.\n",
    .examples = "  latent sample runs/fashion-mlp-vae -n 100 -o samples.png\n"
                "  latent sample runs/mnist-cgan --class 7 -o sevens.png\n"
                "  latent sample runs/fashion-mlp-vae/checkpoints/step-00004690.safetensors\n",
    .run = run};
