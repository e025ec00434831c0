/* SPDX-License-Identifier: MIT */
/* latent data: what data sets are known, what is in one, and getting one. */
#include "cli.h"

#include <string.h>

typedef struct data_request {
    const char *action, *name, *directory;
    text_list sets;
    bool as_json, is_strict;
} data_request;

/* ---- list ---- */

static json_t *entry_json(const lt_catalogue_entry *e, const char *place)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "name", e->name, "summary",
                     e->summary, "height", e->h, "width", e->w, "channels", e->c, "train",
                     e->n[LT_TRAIN], "valid", e->n[LT_VALID], "test", e->n[LT_TEST], "place",
                     place ? json_string(place) : json_null());
}

static int list(bool as_json)
{
    json_t *all = json_array();
    for (int i = 0; i < lt_data_count(); i++) {
        const lt_catalogue_entry *e = lt_data_entry(i);
        char place[4096];
        bool is_here = lt_data_find(e->name, NULL, place, sizeof place) == LT_OK;
        if (as_json)
            json_array_append_new(all, entry_json(e, is_here ? place : NULL));
        else
            printf("%-20s %s\n%-20s %s%s\n", e->name, e->summary, "",
                   is_here ? "in " : "not here: latent data fetch ", is_here ? place : e->name);
    }
    if (as_json)
        print_json(all);
    else
        json_decref(all);
    return CODE_DONE;
}

/* ---- info ---- */

static json_t *info_json(const lt_dataset_info *d)
{
    json_t *splits = json_object();
    for (int s = 0; s < LT_SPLITS; s++)
        json_object_set_new(splits, lt_split_name(s),
                            json_pack("{s:i, s:b}", "images", d->n[s], "labels", d->has_labels[s]));
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:[iii], s:b, s:i, s:b, s:o}", "name", d->name,
                     "place", d->place, "height", d->h, "width", d->w, "channels", d->c, "in_files",
                     d->file_h, d->file_w, d->file_c, "flip", d->options.flip, "classes",
                     d->classes, "binary", d->is_binary, "splits", splits);
}

static void print_info(const lt_dataset_info *d)
{
    printf("%-10s %s\n%-10s %s\n", "name", d->name, "place",
           d->place[0] ? d->place : "nowhere: made as it is read");
    printf("%-10s %d x %d x %d (height, width, channels), %s\n", "images", d->h, d->w, d->c,
           d->is_binary ? "binary" : "intensities in [0, 1]");
    if (d->file_h != d->h || d->file_w != d->w || d->file_c != d->c)
        printf("%-10s from %d x %d x %d\n", "", d->file_h, d->file_w, d->file_c);
    if (d->options.flip)
        printf("%-10s mirrored left to right half of the time, in training\n", "");
    for (int s = 0; s < LT_SPLITS; s++)
        printf("%-10s %d%s\n", lt_split_name(s), d->n[s], d->has_labels[s] ? ", labelled" : "");
    if (d->classes > 0)
        printf("%-10s %d\n", "classes", d->classes);
}

static int info(const command *c, const data_request *q)
{
    lt_data_options options = {.strict = q->is_strict};
    const text_list *sets = &q->sets;
    lt_dataset *data = NULL;
    int status = LT_OK;
    for (int i = 0; i < sets->n && status == LT_OK; i++) {
        bool is_of_recipe = strncmp(sets->item[i], "data.", 5) == 0;
        status = lt_data_options_set(&options, sets->item[i] + (is_of_recipe ? 5 : 0));
    }
    if (status == LT_OK)
        status = lt_dataset_open(&data, q->name, &options);
    if (status != LT_OK)
        return complain_library(c, status);
    if (q->as_json)
        print_json(info_json(lt_dataset_describe(data)));
    else
        print_info(lt_dataset_describe(data));
    lt_dataset_free(data);
    return CODE_DONE;
}

/* ---- fetch, verify ---- */

static bool show_progress(void *user, const char *file, int64_t done, int64_t total)
{
    meter *m = user;
    if (meter_is_due(m) || done == total)
        meter_draw(m, total > 0 ? (double)done / (double)total : 0, "%s  %.1f of %.1f MB", file,
                   1e-6 * (double)done, 1e-6 * (double)total);
    return !is_stopped();
}

static int fetch(const command *c, const char *name, const char *directory)
{
    meter m;
    meter_begin(&m);
    watch_signals();
    int status = lt_data_fetch(
        name, &(lt_fetch_options){.directory = directory, .progress = show_progress, .user = &m});
    meter_clear(&m);
    if (status != LT_OK)
        return complain_library(c, status);
    char place[4096];
    if (lt_data_find(name, directory, place, sizeof place) == LT_OK)
        printf("%s\n", place);
    return CODE_DONE;
}

static int verify(const command *c, const char *name, const char *directory)
{
    int status = lt_data_verify(name, directory);
    if (status != LT_OK)
        return complain_library(c, status);
    printf("%s: every file has its SHA-256\n", name);
    return CODE_DONE;
}

/* ---- The command ---- */

/* Says what does not go together; CODE_DONE if all does. */
static int check(const command *c, const data_request *q)
{
    static const char *const actions[] = {"list", "info", "fetch", "verify", NULL};
    int i = 0;
    while (actions[i] && strcmp(actions[i], q->action) != 0)
        i++;
    bool is_list = i == 0, is_info = i == 1, has_directory = i >= 2, has_json = i < 2;
    if (!actions[i])
        return complain(c, CODE_USAGE, "'%s' is not to be understood%s (usage: latent data %s)",
                        q->action, suggestion(q->action, actions), c->operands);
    if (is_list && q->name)
        return complain(c, CODE_USAGE, "list shows all; for one: latent data info %s", q->name);
    if (!is_list && !q->name)
        return complain(c, CODE_USAGE, "%s what? latent data list shows the names", q->action);
    if (q->directory && !has_directory)
        return complain(c, CODE_USAGE, "--dir goes with fetch and verify, not with %s", q->action);
    if (q->sets.n > 0 && !is_info)
        return complain(c, CODE_USAGE, "--set goes with info, not with %s", q->action);
    if (q->is_strict && !is_info)
        return complain(c, CODE_USAGE, "--strict goes with info, not with %s", q->action);
    if (q->as_json && !has_json)
        return complain(c, CODE_USAGE, "--json goes with list and info, not with %s", q->action);
    return CODE_DONE;
}

static int act(const command *c, const data_request *q)
{
    if (strcmp(q->action, "list") == 0)
        return list(q->as_json);
    if (strcmp(q->action, "info") == 0)
        return info(c, q);
    if (strcmp(q->action, "fetch") == 0)
        return fetch(c, q->name, q->directory);
    return verify(c, q->name, q->directory);
}

static int run(const command *c, int argc, const char **argv)
{
    data_request q = {.name = NULL};
    const flag flags[] = {
        {"dir", 0, FLAG_TEXT, &q.directory, "DIR",
         "fetch, verify: where the files are to be; default: the cache", 0, 0, NULL},
        {"set", 's', FLAG_LIST, &q.sets, "KEY=VALUE",
         "info: a value of a recipe's data, as in resize=32; may be repeated", 0, 0, NULL},
        FLAG_STRICT(&q.is_strict),
        {"json", 'j', FLAG_SWITCH, &q.as_json, NULL, "list, info: print one JSON object", 0, 0,
         NULL},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    q.action = line.operand[0];
    q.name = line.n > 1 ? line.operand[1] : NULL;
    int code = check(c, &q);
    if (code == CODE_DONE)
        code = act(c, &q);
    command_line_clear(&line);
    return code;
}

const command cmd_data = {
    .name = "data", .summary = "list, inspect and download data sets",
    .operands = "list | info DATA | fetch NAME | verify NAME", .min_operands = 1, .max_operands = 2,
    .about =
        "list shows the data sets known by name and where they are. info opens one, by name or by "
        "path, checks it whole and tells what is in it. fetch downloads a named set to the cache "
        "($LATENT_DATA, else $XDG_CACHE_HOME/latent, else ~/.cache/latent), goes on where a broken "
        "download stopped, and keeps a file only if its content has the known SHA-256. verify "
        "checks the files that are here in the same way.\n"
        "\n"
        "DATA is a name, \"synthetic\", a directory with the files of a known set, of CIFAR, or with "
        "train.npy (and valid.npy, test.npy, *-labels.npy), a directory or zip file of pictures, or a "
        "file of images: IDX, AMAT, npy, npz, CIFAR's .bin or MAT, plain or gzip. docs/data.md has "
        "all of it.\n",
    .examples = "  latent data list\n"
                "  latent data fetch mnist\n"
                "  latent data info ./my-images.npy --set resize=32 --set channels=1\n"
                "  latent data info ~/photos --set resize=64\n",
    .run = run};
