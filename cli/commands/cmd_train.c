/* SPDX-License-Identifier: MIT */
/* latent train: starts a run. */
#include "shared_options.h"
#include "training.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { UNSET = -1 };

typedef struct train_request {
    text_list sets;
    const char *data, *out;
    int64_t epochs, seed;
    bool is_strict;
    train_options options;
} train_request;

/* "runs/NAME" */
static const char *run_name(const train_request *q, const lt_recipe *r, char *room, size_t size)
{
    if (q->out)
        return q->out;
    snprintf(room, size, "runs/%s", lt_recipe_name(r));
    return room;
}

static bool holds_run(const char *dir)
{
    struct stat s;
    char *path = path_in(dir, "recipe.yaml");
    bool is_there = stat(path, &s) == 0;
    free(path);
    return is_there;
}

/* Samples written into the directory of the data would become data. */
static bool is_data(const char *dir, const lt_recipe *r)
{
    struct stat a, b;
    const char *data = lt_recipe_dataset(r);
    return !lt_data_named(data) && stat(dir, &a) == 0 && stat(data, &b) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int train_request_run(const command *c, const char *name, train_request *q)
{
    char room[1024];
    char *added[4] = {NULL};
    if (q->data)
        added[0] = set_data(&q->sets, q->data);
    if (q->epochs != UNSET)
        added[1] = set_count(&q->sets, "train.epochs", q->epochs);
    if (q->seed != UNSET)
        added[2] = set_count(&q->sets, "seed", q->seed);
    if (q->is_strict)
        added[3] = set_text(&q->sets, "data.strict", "yes");
    lt_recipe *r;
    int code, status = lt_recipe_open(name, q->sets.item, q->sets.n, &r);
    if (status != LT_OK) {
        code = complain_library(c, status);
    } else {
        const char *dir = run_name(q, r, room, sizeof room);
        if (lt_folder_check(dir) != LT_OK)
            code = complain_library(c, LT_IO);
        else if (holds_run(dir))
            code = complain(c, CODE_FAILED,
                            "%s already holds a run; to resume it: latent resume %s; for "
                            "another: --out DIR",
                            dir, shell(dir));
        else if (is_data(dir, r))
            code = complain(c, CODE_FAILED,
                            "%s holds the data: samples of a run there would become "
                            "data; for another: --out DIR", dir);
        else
            code = train_new(c, r, dir, &q->options);
    }
    lt_recipe_free(r);
    for (int i = 0; i < 4; i++)
        free(added[i]);
    return code;
}

static int run_train(const command *c, int argc, const char **argv)
{
    train_request q = {.epochs = UNSET, .seed = UNSET};
    const flag flags[] = {
        {OPTION_SET, .value = &q.sets, .note = "as in model.latent=32"},
        {OPTION_DATA, .value = &q.data},
        {OPTION_STRICT, .value = &q.is_strict},
        {.name = "out", .kind = FLAG_FOLDER, .value = &q.out, .operand = "DIR",
         .help = "the run directory; default: runs/NAME of the recipe"},
        {OPTION_EPOCHS, .value = &q.epochs},
        {OPTION_SEED, .value = &q.seed, .note = "default: the recipe's"},
        {.name = "weights", .kind = FLAG_TEXT, .value = &q.options.weights, .operand = "FILE",
         .help = "initial weights: a run, a checkpoint, or safetensors written by PyTorch"},
        {OPTION_THREADS, .value = &q.options.threads},
        {OPTION_EXECUTOR, .value = &q.options.executor},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    int code = train_request_run(c, line.operand[0], &q);
    command_line_clear(&line);
    return code;
}

const command cmd_train = {
    .name = "train", .summary = "train the model of a recipe",
    .operands = "RECIPE [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RECIPE is a preset (latent recipes) or a file: a path with a '/' or ending in .yaml. "
        "Training is a function of recipe, data and seed: the same bits with any number of "
        "threads.\n"
        "\n"
        "The run directory gets:\n"
        "  recipe.yaml      the recipe with every default\n"
        "  metrics.jsonl    a JSON object per epoch: loss, rate, distortion, validation, speed\n"
        "  checkpoints/     weights and optimizer state as safetensors, readable by PyTorch\n"
        "  samples/         a grid of samples after each epoch, or by the recipe's schedule;\n"
        "                   training does not wait for them\n"
        "  warnings.txt     warnings at the start, if any; commands that use the run do not "
        "repeat them\n"
        "\n"
        "Prints a row per epoch; a narrow terminal omits speed and time.\n"
        "\n"
        "The loss of a VAE is in nats per image: distortion, -log p(x|z), plus beta times rate, the "
        "KL of q(z|x) from the prior. A GAN has the losses of discriminator and generator, the mean "
        "output of the discriminator on real and generated images, and its estimate of the divergence.\n"
        "\n"
        "Ctrl-C finishes the step, writes a checkpoint and exits with 130 (SIGTERM: 143, SIGHUP: "
        "129); latent resume continues from there, also after a crash.\n",
    .examples = "  latent train fashion-mlp-vae\n"
                "  latent train ift6135-vae --data ~/binarized-mnist --seed 2 --out runs/second\n"
                "  latent train mine.yaml -s model.latent=8 -s optimizer.lr=3e-4 --epochs 50\n"
                "  latent train cs561-conv-vae --weights theirs.safetensors --out runs/theirs\n",
    .run = run_train};
