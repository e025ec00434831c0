/* SPDX-License-Identifier: MIT */
/* latent version: what this program is made of. */
#include "cli.h"

static int run(const command *c, int argc, const char **argv)
{
    bool as_json = false;
    const flag flags[] = {FLAG_JSON(&as_json), {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    char text[2048];
    lt_describe_build(text, sizeof text);
    if (as_json)
        print_json(json_pack("{s:s, s:s}", "version", lt_version(), "build", text));
    else
        printf("%s%s", text, text[0] ? "" : lt_version());
    command_line_clear(&line);
    return CODE_DONE;
}

const command cmd_version = {
    .name = "version", .summary = "show version, compiler, libraries and instruction set",
    .operands = "[--json]",
    .about = "Says what the program was built with, which instruction set it uses on this machine, "
             "and what it had to replace by portable code. Numbers are equal bit for bit between "
             "machines for which this text is equal.",
    .examples = "",
    .run = run};
