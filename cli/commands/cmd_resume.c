/* SPDX-License-Identifier: MIT */
/* latent resume: continues the training of a run. */
#include "shared_options.h"
#include "training.h"

#include <stdlib.h>

static int run_resume(const command *c, int argc, const char **argv)
{
    text_list sets = {.n = 0};
    const char *data = NULL;
    int64_t epochs = 0;
    train_options o = {.threads = 0};
    const flag flags[] = {
        {OPTION_EPOCHS, .value = &epochs},
        {OPTION_SET, .value = &sets, .note = "from here on"},
        {OPTION_DATA, .value = &data, .note = "must hold the same images"},
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
    .name = "resume", .summary = "continue a run that was stopped or killed, or train it longer",
    .operands = "RUN [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "RUN is a directory made by latent train. Training continues from the newest intact "
        "checkpoint and ends with the same bits as without the interruption, whenever and however "
        "it was interrupted.\n"
        "\n"
        "A checkpoint belongs to one recipe, so --set and --epochs can change only the following "
        "keys; any other change is refused, and nothing is written:\n"
        "  data.set, data.path, data.strict    the same images in another place\n"
        "  optimizer.lr, optimizer.weight_decay, objective.discriminator_optimizer.lr,\n"
        "  objective.discriminator_optimizer.weight_decay, learning_rate_schedule,\n"
        "  train.clip_norm, train.epochs, train.keep_checkpoints, train.checkpoint_every,\n"
        "  train.samples_every, train.samples_at\n"
        "  name, summary\n"
        "For any other change start a new run with these weights: latent train RECIPE --weights "
        "FILE.\n",
    .examples = "  latent resume runs/fashion-mlp-vae\n"
                "  latent resume runs/fashion-mlp-vae --epochs 40\n",
    .run = run_resume};
