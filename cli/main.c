/* SPDX-License-Identifier: MIT */
/* The tool: finds the command and exits with its code: 0 done, 1 failed, 2 wrong usage, 130 stopped by SIGINT
   (128 + signal). */
#include "cli.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TITLE(TEXT)
#define COMMAND(NAME) extern const command cmd_##NAME;
#include "commands.def"
#undef COMMAND
#undef TITLE

const command_row command_table[] = {
#define TITLE(TEXT) {.title = TEXT},
#define COMMAND(NAME) {.command = &cmd_##NAME},
#include "commands.def"
#undef COMMAND
#undef TITLE
    {NULL, NULL},
};

enum { MAX_COMMANDS = 64 };

const command *command_find(const char *name)
{
    const char *names[MAX_COMMANDS];
    int n = 0;
    for (const command_row *r = command_table; r->title || r->command; r++) {
        if (!r->command)
            continue;
        if (strcmp(r->command->name, name) == 0)
            return r->command;
        names[n++] = r->command->name;
    }
    names[n] = NULL;
    for (int i = 0; lt_table_name(i); i++)
        if (strcmp(lt_table_name(i), name) == 0) {
            complain(NULL, CODE_USAGE, "'%s' is not a command; see: latent list %s", name, name);
            return NULL;
        }
    complain(NULL, CODE_USAGE, "'%s' is not a command%s (see: latent help)", name,
             suggestion(name, names));
    return NULL;
}

/* Shows progress while pictures are decoded. */
static bool show_reading(void *user, const char *place, int64_t done, int64_t total)
{
    meter *m = user;
    if (done == total)
        meter_clear(m);
    else if (meter_is_due(m))
        meter_draw(m, (double)done / (double)total, "%jd of %jd pictures  %s", (intmax_t)done,
                   (intmax_t)total, place);
    return !is_stopped();
}

/* Memory for JSON; exits if there is none, because jansson would silently omit members. */
static void *json_room(size_t size)
{
    void *memory = malloc(size);
    if (memory || size == 0)
        return memory;
    say("latent: out of memory for %zu bytes of JSON", size);
    exit(CODE_FAILED);
}

/* Fails if output could not be written: `latent eval ... > /dev/full`. */
static int finish(int code)
{
    if (flush_output())
        return code;
    return complain(NULL, CODE_FAILED, "cannot write to standard output");
}

/* If a standard stream is closed (`latent ... 2>&-`), the next opened file would get its number and receive messages.
   Opens a placeholder; writing to it fails, as before. */
static void fill_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    fill_standard_streams();
    open_output();
    signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit is an error like a full disk */
    json_set_alloc_funcs(json_room, free);
    lt_set_log(show_log, NULL);
    meter reading;
    meter_begin(&reading);
    lt_set_data_progress(show_reading, &reading);
    if (argc < 2) {
        cmd_help.run(&cmd_help, 1, (const char *[]){"help", NULL});
        return finish(CODE_USAGE);
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    else if (strcmp(name, "--version") == 0)
        name = "version";
    const command *c = command_find(name);
    if (!c)
        return CODE_USAGE;
    return finish(c->run(c, argc - 1, (const char **)(void *)(argv + 1)));
}
