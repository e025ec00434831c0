/* SPDX-License-Identifier: MIT */
/* latent resume: a run, from where it stopped. */
#include "shared_options.h"
#include "training.h"

#include <stdlib.h>

static int run(const command *c, int argc, const char **argv)
{
    text_list sets = {.n = 0};
    const char *data = NULL;
    int64_t epochs = 0;
    train_options o = {.threads = 0};
    const flag flags[] = {
        {OPTION_EPOCHS, .value = &epochs},
        {OPTION_SET, .value = &sets, .note = "of the run's, from here on"},
        {OPTION_DATA, .value = &data, .note = "the same images, elsewhere"},
        {OPTION_THREADS, .value = &o.threads},
        {OPTION_EXECUTOR, .value = &o.executor},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    char *added[2] = {data ? set_data(&sets, data) : NULL,
                      epochs ? set_count(&sets, "train.epochs", epochs) : NULL};
    int code = train_on(c, line.operand[0], &sets, &o);
    free(added[0]);
    free(added[1]);
    command_line_clear(&line);
    return code;
}

const command cmd_resume = {
    .name = "resume", .summary = "go on with a run that was stopped, killed or is to be longer",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a directory that latent train made. Training goes on from the newest checkpoint "
        "that is whole and ends with the same bits as if it had never been interrupted, whenever and "
        "however that was.\n"
        "\n"
        "A checkpoint is a place in the training of one recipe, so --set and --epochs change only "
        "what leaves that place what it is; anything else is refused, and nothing is written:\n"
        "  data.set, data.path, data.strict    the same images, elsewhere\n"
        "  optimizer.lr, optimizer.weight_decay, objective.discriminator_optimizer.lr,\n"
        "  objective.discriminator_optimizer.weight_decay, learning_rate_schedule,\n"
        "  train.clip_norm, train.epochs, train.keep_checkpoints, train.checkpoint_every,\n"
        "  train.samples_every, train.samples_at\n"
        "  name, summary\n"
        "For any other change begin another run with these weights: latent train RECIPE --weights "
        "FILE.\n",
    .examples = "  latent resume runs/fashion-mlp-vae\n"
                "  latent resume runs/fashion-mlp-vae --epochs 40\n",
    .run = run};
