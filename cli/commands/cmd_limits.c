/* SPDX-License-Identifier: MIT */
/* latent limits: lists the limits on input files. */
#include "shared_options.h"

static json_t *build_json(void)
{
    json_t *all = json_object();
    const lt_limit *l;
    for (int i = 0; (l = lt_limit_get(i)) != NULL; i++)
        json_object_set_new(all, l->name,
                            json_pack("{s:I, s:s, s:s}", "value", (json_int_t)l->value, "unit",
                                      l->unit, "meaning", l->meaning));
    return all;
}

static void print_table(void)
{
    const lt_limit *l;
    for (int i = 0; (l = lt_limit_get(i)) != NULL; i++)
        printf("%-20s %12ju %-8s %s\n", l->name, (uintmax_t)l->value, l->unit, l->meaning);
}

static int run_limits(const command *c, int argc, const char **argv)
{
    bool as_json = false;
    const flag flags[] = {{OPTION_JSON, .value = &as_json}, {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    if (as_json)
        print_json(build_json());
    else
        print_table();
    command_line_clear(&line);
    return CODE_DONE;
}

const command cmd_limits = {
    .name = "limits", .summary = "list the limits on input files",
    .operands = "[--json]",
    .about = "Lists the limits of all readers of files. A file above a limit is refused; the message "
             "names the limit and the value found.",
    .examples = "",
    .run = run_limits};
