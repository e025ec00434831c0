/* SPDX-License-Identifier: MIT */
/* latent version: versions of the program and its libraries. */
#include "shared_options.h"

#include <string.h>

/* Lines of a name and a text, as an object. */
static json_t *build_json(char *text)
{
    json_t *o = json_pack("{s:s}", "version", lt_version());
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *end = line + strcspn(line, " "), *value = end + strspn(end, " ");
        *end = 0;
        if (strcmp(line, "latent") != 0) /* its version is there already */
            json_object_set_new(o, line, json_string(value));
    }
    return o;
}

static int run_version(const command *c, int argc, const char **argv)
{
    bool as_json = false;
    const flag flags[] = {{OPTION_JSON, .value = &as_json}, {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    char text[2048];
    lt_describe_build(text, sizeof text);
    if (as_json)
        print_json(build_json(text));
    else
        printf("%s%s", text, text[0] ? "" : lt_version());
    command_line_clear(&line);
    return CODE_DONE;
}

const command cmd_version = {
    .name = "version", .summary = "show version, compiler, libraries and instruction set",
    .operands = "[--json]",
    .about = "Shows the compiler and libraries of the program, the instruction set it uses on this machine, "
             "and where it falls back to portable code. Machines with the same output compute "
             "bit-identical numbers.",
    .examples = "",
    .run = run_version};
