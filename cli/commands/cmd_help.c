/* SPDX-License-Identifier: MIT */
/* latent help: the overview, or the screen of one command. */
#include "shared_options.h"

static void print_overview(void)
{
    puts("latent - train, evaluate and inspect deep generative models of images\n"
         "\n"
         "Usage: latent COMMAND [operands] [options]\n"
         "\n"
         "Try this:\n"
         "  latent train fashion-mlp-vae               a variational autoencoder, in a minute\n"
         "  latent eval runs/fashion-mlp-vae           evaluate it, in nats per image\n"
         "  latent sample runs/fashion-mlp-vae         a grid of new images");
    for (const command_row *r = command_table; r->title || r->command; r++) {
        if (r->title) {
            putchar('\n');
            print_heading("%s:", r->title);
            putchar('\n');
        } else
            printf("  %-13s %s\n", r->command->name, r->command->summary);
    }
    puts("\n'latent help COMMAND' describes one of them.");
}

/* Prints the tables of one command, or of all, for completion and other tools. */
static void print_tables(const command *one)
{
    json_t *all = json_array();
    for (const command_row *r = command_table; r->title || r->command; r++)
        if (r->command && (!one || r->command == one))
            json_array_append_new(all, command_json(r->command));
    print_json(all);
}

static int run_help(const command *c, int argc, const char **argv)
{
    bool as_json = false;
    const flag flags[] = {{OPTION_JSON, .value = &as_json, .note = "the commands and their options as tables"},
                          {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    int code = CODE_DONE;
    const command *about = line.n > 0 ? command_find(line.operand[0]) : NULL;
    if (line.n > 0 && !about)
        code = CODE_USAGE;
    else if (as_json)
        print_tables(about);
    else if (about)
        code = about->run(about, 2, (const char *[]){about->name, "--help", NULL});
    else
        print_overview();
    command_line_clear(&line);
    return code;
}

const command cmd_help = {
    .name = "help", .summary = "list the commands, or describe one of them",
    .operands = "[COMMAND] [options]", .max_operands = 1,
    .about = "Without an operand: every command in a line. With one: its operands, options and "
             "examples.",
    .examples = "  latent help train\n",
    .run = run_help};
