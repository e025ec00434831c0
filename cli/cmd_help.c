/* SPDX-License-Identifier: MIT */
/* latent help: the overview, or the screen of one command. */
#include "cli.h"

static void print_overview(void)
{
    puts("latent - train, judge and look at deep generative models of images\n"
         "\n"
         "Usage: latent COMMAND [operands] [options]\n"
         "\n"
         "Try this:\n"
         "  latent train fashion-mlp-vae               a variational autoencoder, in a minute\n"
         "  latent eval runs/fashion-mlp-vae           what it is worth, in nats per image\n"
         "  latent sample runs/fashion-mlp-vae         what it has learned, as a picture");
    for (const command_row *r = command_table; r->title || r->command; r++) {
        if (r->title) {
            putchar('\n');
            print_heading("%s:", r->title);
            putchar('\n');
        } else
            printf("  %-13s %s\n", r->command->name, r->command->summary);
    }
    puts("\n'latent help COMMAND' tells all about one of them.");
}

static int run(const command *c, int argc, const char **argv)
{
    const flag flags[] = {{0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    int code = CODE_DONE;
    if (line.n == 0) {
        print_overview();
    } else {
        const command *about = command_find(line.operand[0]);
        code = about ? about->run(about, 2, (const char *[]){about->name, "--help", NULL})
                     : CODE_USAGE;
    }
    command_line_clear(&line);
    return code;
}

const command cmd_help = {
    .name = "help", .summary = "show the commands, or all about one of them",
    .operands = "[COMMAND]", .max_operands = 1,
    .about = "Without an operand: every command in a line. With one: its operands, options and "
             "examples.",
    .examples = "  latent help train\n",
    .run = run};
