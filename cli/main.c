/* SPDX-License-Identifier: MIT */
/* The tool: finds the command and leaves with its exit code: 0 done, 1 failed, 2 wrong usage, 130
   stopped by SIGINT (128 + signal). Adding a command is a file cmd_NAME.c and a row here. */
#include "cli.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const command cmd_plot, cmd_report, cmd_train, cmd_resume, cmd_eval, cmd_score, cmd_explain,
    cmd_runs, cmd_encode, cmd_decode, cmd_sample, cmd_reconstruct, cmd_interpolate, cmd_traverse, cmd_manifold, cmd_animate, cmd_bench, cmd_recipes,
    cmd_data, cmd_sections, cmd_layers, cmd_initialisers, cmd_likelihoods, cmd_priors, cmd_losses,
    cmd_penalties, cmd_objectives, cmd_optimisers, cmd_schedules, cmd_distributions, cmd_divergence,
    cmd_verify, cmd_limits, cmd_version, cmd_help;

const command_row command_table[] = {
    {"Train", NULL},
    {NULL, &cmd_train},
    {NULL, &cmd_resume},
    {NULL, &cmd_runs},
    {"Judge", NULL},
    {NULL, &cmd_eval},
    {NULL, &cmd_score},
    {NULL, &cmd_explain},
    {NULL, &cmd_encode},
    {NULL, &cmd_decode},
    {NULL, &cmd_sample},
    {NULL, &cmd_reconstruct},
    {NULL, &cmd_interpolate},
    {NULL, &cmd_traverse},
    {NULL, &cmd_manifold},
    {NULL, &cmd_animate},
    {NULL, &cmd_divergence},
    {NULL, &cmd_plot},
    {NULL, &cmd_report},
    {"Look up", NULL},
    {NULL, &cmd_recipes},
    {NULL, &cmd_data},
    {NULL, &cmd_distributions},
    {"Parts of recipes", NULL},
    {NULL, &cmd_sections},
    {NULL, &cmd_layers},
    {NULL, &cmd_initialisers},
    {NULL, &cmd_likelihoods},
    {NULL, &cmd_priors},
    {NULL, &cmd_losses},
    {NULL, &cmd_penalties},
    {NULL, &cmd_objectives},
    {NULL, &cmd_optimisers},
    {NULL, &cmd_schedules},
    {"The tool itself", NULL},
    {NULL, &cmd_bench},
    {NULL, &cmd_verify},
    {NULL, &cmd_limits},
    {NULL, &cmd_version},
    {NULL, &cmd_help},
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
    complain(NULL, CODE_USAGE, "'%s' is not a command%s (see: latent help)", name,
             suggestion(name, names));
    return NULL;
}

/* What stands at the foot of a terminal while pictures are decoded. */
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

/* Memory for JSON: what cannot be had would be left out of it without a word. */
static void *json_room(size_t size)
{
    void *memory = malloc(size);
    if (memory || size == 0)
        return memory;
    say("latent: out of memory for %zu bytes of JSON", size);
    exit(CODE_FAILED);
}

/* Output that could not be written is a failure: `latent eval ... > /dev/full`. */
static int finish(int code)
{
    if (flush_output())
        return code;
    return complain(NULL, CODE_FAILED, "cannot write to standard output");
}

/* Where a standard stream is closed (`latent ... 2>&-`), the next file opened would take its number,
   and what is said would go into it. The place is filled; writing to it fails, as it did. */
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
