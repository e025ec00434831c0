/* SPDX-License-Identifier: MIT */
/* latent data: lists, describes, shows and downloads data sets. */
#include "shared_options.h"

#include <stdlib.h>
#include <string.h>

typedef struct data_request {
    const command *command;
    const char *action, *name, *directory, *out;
    text_list sets;
    int64_t n, columns, seed;
    int split;
    bool as_json, is_strict;
} data_request;

/* ---- list ---- */

static json_t *entry_json(const lt_catalog_entry *e, const char *place)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "name", e->name, "summary",
                     e->summary, "height", e->h, "width", e->w, "channels", e->c, "train",
                     e->n[LT_TRAIN], "valid", e->n[LT_VALID], "test", e->n[LT_TEST], "place",
                     place ? json_string(place) : json_null());
}

static int list(const data_request *q)
{
    bool as_json = q->as_json;
    json_t *all = json_array();
    for (int i = 0; i < lt_data_count(); i++) {
        const lt_catalog_entry *e = lt_data_entry(i);
        char place[4096];
        bool is_here = lt_data_find(e->name, NULL, place, sizeof place) == LT_OK;
        if (as_json)
            json_array_append_new(all, entry_json(e, is_here ? place : NULL));
        else
            print("%-20s %s\n%-20s %s%s\n", e->name, e->summary, "",
                   is_here ? "in " : "not installed: latent data fetch ", is_here ? place : e->name);
    }
    if (as_json)
        print_json(all);
    else
        json_decref(all);
    return CODE_DONE;
}

/* ---- info, show ---- */

static int open_data(const data_request *q, lt_dataset **data)
{
    lt_data_options options = {.strict = q->is_strict};
    for (int i = 0; i < q->sets.n; i++) {
        bool is_of_recipe = strncmp(q->sets.item[i], "data.", 5) == 0;
        int status = lt_data_options_set(&options, q->sets.item[i] + (is_of_recipe ? 5 : 0));
        if (status != LT_OK)
            return status;
    }
    return lt_dataset_open(q->name, &options, data);
}

/* Counts the images of each class in a split. The caller frees the result. */
static int64_t *count_labels(const lt_dataset *data, lt_split split)
{
    const lt_dataset_info *d = lt_dataset_describe(data);
    int64_t *counts = plot_room((size_t)d->classes + 1, sizeof *counts);
    if (d->has_labels[split])
        lt_dataset_count_labels(data, split, counts);
    return counts;
}

static json_t *counts_json(const lt_dataset *data, lt_split split)
{
    json_t *list = json_array();
    int64_t *counts = count_labels(data, split);
    for (int k = 0; k < lt_dataset_describe(data)->classes; k++)
        json_array_append_new(list, json_integer(counts[k]));
    free(counts);
    return list;
}

/* Prints a row per class: its images in each split that has labels. */
static void print_classes(const lt_dataset *data)
{
    const lt_dataset_info *d = lt_dataset_describe(data);
    int64_t *counts[LT_SPLITS];
    const char *before = "";
    print("%-10s %d, with images of", "classes", d->classes);
    for (int s = 0; s < LT_SPLITS; s++) {
        counts[s] = count_labels(data, (lt_split)s);
        if (d->has_labels[s]) {
            print("%s %s", before, lt_split_name((lt_split)s));
            before = ",";
        }
    }
    print(":\n");
    for (int k = 0; k < d->classes; k++) {
        char number[16];
        snprintf(number, sizeof number, "%d", k);
        print("%10s %s:", "", d->class_names ? d->class_names[k] : number);
        before = "";
        for (int s = 0; s < LT_SPLITS; s++)
            if (d->has_labels[s]) {
                print("%s %jd", before, (intmax_t)counts[s][k]);
                before = ",";
            }
        print("\n");
    }
    for (int s = 0; s < LT_SPLITS; s++)
        free(counts[s]);
}

static json_t *info_json(const lt_dataset *data)
{
    const lt_dataset_info *d = lt_dataset_describe(data);
    json_t *names = d->class_names ? json_array() : json_null();
    for (int k = 0; d->class_names && k < d->classes; k++) {
        json_t *name = json_string(d->class_names[k]);
        json_array_append_new(names, name ? name : json_null()); /* bytes that are no UTF-8 */
    }
    json_t *splits = json_object();
    for (int s = 0; s < LT_SPLITS; s++) {
        json_t *split = json_pack("{s:i, s:b}", "images", d->n[s], "labels", d->has_labels[s]);
        if (d->has_labels[s])
            json_object_set_new(split, "per_class", counts_json(data, (lt_split)s));
        json_object_set_new(splits, lt_split_name(s), split);
    }
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:[iii], s:b, s:i, s:o, s:b, s:o}", "name", d->name,
                     "place", d->place, "height", d->h, "width", d->w, "channels", d->c, "in_files",
                     d->file_h, d->file_w, d->file_c, "flip", d->options.flip, "classes",
                     d->classes, "class_names", names, "binary", d->is_binary, "splits", splits);
}

static void print_info(const lt_dataset *data)
{
    const lt_dataset_info *d = lt_dataset_describe(data);
    print("%-10s %s\n%-10s %s\n", "name", d->name, "place",
           d->place[0] ? d->place : "none: generated while reading");
    print("%-10s %d x %d x %d (height, width, channels), %s\n", "images", d->h, d->w, d->c,
           d->is_binary ? "binary" : "intensities in [0, 1]");
    if (d->file_h != d->h || d->file_w != d->w || d->file_c != d->c)
        print("%-10s from %d x %d x %d\n", "", d->file_h, d->file_w, d->file_c);
    if (d->options.flip)
        print("%-10s mirrored left to right half of the time, in training\n", "");
    for (int s = 0; s < LT_SPLITS; s++)
        print("%-10s %d%s\n", lt_split_name(s), d->n[s], d->has_labels[s] ? ", labeled" : "");
    if (d->classes > 0)
        print_classes(data);
}

/* Bytes that are no UTF-8 are null. */
static json_t *json_texts(char *const *texts, int n)
{
    json_t *all = json_array();
    for (int i = 0; i < n; i++) {
        json_t *text = json_string(texts[i]);
        json_array_append_new(all, text ? text : json_null());
    }
    return all;
}

static json_t *survey_json(const data_request *q, const lt_survey *v)
{
    json_t *sizes = json_array(), *classes = json_array();
    json_t *splits = json_object();
    for (int i = 0; i < v->n_sizes; i++)
        json_array_append_new(sizes, json_pack("{s:i, s:i, s:i, s:I}", "height", v->sizes[i].h, "width",
                                               v->sizes[i].w, "channels", v->sizes[i].c, "images",
                                               (json_int_t)v->sizes[i].images));
    for (int i = 0; i < v->n_classes; i++) {
        json_t *name = json_string(v->classes[i].name), *row = json_object();
        json_object_set_new(row, "name", name ? name : json_null()); /* bytes that are no UTF-8 */
        for (int s = 0; s < LT_SPLITS; s++)
            json_object_set_new(row, lt_split_name((lt_split)s), json_integer(v->classes[i].images[s]));
        json_array_append_new(classes, row);
    }
    json_t *problems = json_texts(v->problems, v->n_problems);
    json_t *oddities = json_texts(v->oddities, v->n_oddities);
    for (int s = 0; s < LT_SPLITS; s++)
        json_object_set_new(splits, lt_split_name((lt_split)s), json_integer(v->n[s]));
    json_t *place = json_string(q->name);
    return json_pack("{s:o, s:I, s:o, s:o, s:o, s:I, s:o, s:I, s:o, s:I, s:s}", "place", place ? place : json_null(),
                     "images", (json_int_t)v->images, "splits", splits, "sizes", sizes, "classes",
                     classes, "unreadable", (json_int_t)v->unreadable, "problems", problems,
                     "odd", (json_int_t)v->odd, "oddities", oddities, "turned",
                     (json_int_t)v->turned, "sets", v->sets);
}

static void print_survey(const data_request *q, const lt_survey *v)
{
    enum { SHOWN = 10 };
    printf("%-10s %s\n%-10s %jd images of different sizes: height x width x channels\n", "place",
           q->name, "pictures", (intmax_t)v->images);
    for (int i = 0; i < v->n_sizes && i < SHOWN; i++)
        printf("%10jd %d x %d x %d\n", (intmax_t)v->sizes[i].images, v->sizes[i].h, v->sizes[i].w,
               v->sizes[i].c);
    if (v->n_sizes > SHOWN)
        printf("%10s %d other sizes\n", "...", v->n_sizes - SHOWN);
    for (int s = 0; s < LT_SPLITS; s++)
        printf("%-10s %jd\n", lt_split_name((lt_split)s), (intmax_t)v->n[s]);
    if (v->n_classes)
        printf("%-10s %d, with images of train, valid, test:\n", "classes", v->n_classes);
    for (int i = 0; i < v->n_classes; i++)
        printf("%10s %s: %jd, %jd, %jd\n", "", v->classes[i].name, (intmax_t)v->classes[i].images[0],
               (intmax_t)v->classes[i].images[1], (intmax_t)v->classes[i].images[2]);
    if (v->unreadable)
        printf("%-10s %jd cannot be read:\n", "unreadable", (intmax_t)v->unreadable);
    for (int i = 0; i < v->n_problems; i++)
        printf("%10s %s\n", "", v->problems[i]);
    if (v->odd)
        printf("%-10s %jd have defects, and are used anyway:\n", "odd", (intmax_t)v->odd);
    for (int i = 0; i < v->n_oddities; i++)
        printf("%10s %s\n", "", v->oddities[i]);
    if (v->turned)
        printf("%-10s %jd rotated upright (EXIF; --set data.orient=no keeps them)\n", "rotated",
               (intmax_t)v->turned);
    printf("%-10s %s\n", "to train", v->sets);
}

/* Pictures of different sizes open only with options, but can be described. LT_NOT_FOUND: opening failed for another
   reason. */
static int describe_mixed(const data_request *q)
{
    lt_survey v;
    int status = lt_data_survey(q->name, &v);
    if (status == LT_OK && (!v.sets || !v.sets[0]))
        status = LT_NOT_FOUND;
    if (status == LT_OK && q->as_json)
        print_json(survey_json(q, &v));
    else if (status == LT_OK)
        print_survey(q, &v);
    lt_survey_clear(&v);
    return status;
}

static int info(const data_request *q)
{
    lt_dataset *data = NULL;
    int status = open_data(q, &data);
    if (status == LT_FORMAT && q->sets.n == 0 && !q->is_strict) {
        char *why = path_in("", lt_last_error());
        status = describe_mixed(q);
        if (status != LT_OK)
            complain(q->command, CODE_FAILED, "%s", why + 1);
        free(why);
        return status == LT_OK ? CODE_DONE : CODE_FAILED;
    }
    if (status != LT_OK)
        return complain_library(q->command, status);
    if (q->as_json)
        print_json(info_json(data));
    else
        print_info(data);
    lt_dataset_free(data);
    return CODE_DONE;
}

/* The first n images of a split, or n of them in the order of a seed above 0; a status. */
static int gather_first(const lt_dataset *d, lt_split split, int64_t seed, int n, float *images)
{
    int all = lt_dataset_describe(d)->n[split];
    int32_t *order = plot_room((size_t)all, sizeof *order);
    for (int i = 0; i < all; i++)
        order[i] = i;
    if (seed > 0)
        lt_dataset_order(d, split, (uint64_t)seed, 0, order);
    int status = lt_dataset_gather(d, split, order, n, 0, 1, images);
    free(order);
    return status;
}

/* Draws these images as a grid, or writes them as an array. */
static int draw_images(const data_request *q, lt_dataset *data)
{
    const lt_dataset_info *d = lt_dataset_describe(data);
    lt_split split = lt_dataset_split(data, (lt_split)q->split);
    int n = q->n < d->n[split] ? (int)q->n : d->n[split];
    int columns = q->columns < n ? (int)q->columns : n;
    float *images = plot_room((size_t)n * (size_t)d->h * (size_t)d->w * (size_t)d->c,
                              sizeof *images);
    int status = gather_first(data, split, q->seed, n, images);
    if (status == LT_OK && is_images_alone(q->out))
        status = write_images(q->out, (lt_image_size){d->h, d->w, d->c}, images, n, 0);
    else if (status == LT_OK)
        status = lt_grid_write(q->out, &(lt_grid){.images = images, .n = n, .h = d->h, .w = d->w,
                                                  .c = d->c, .layout = {.gap = 1, .background = {255, 255, 255},
                                                  .columns = columns}});
    char *name = written_name(q->out, n);
    if (status == LT_OK)
        say("%s: %d %s images of %s", name, n, split_names[split], d->name);
    free(name);
    if (status == LT_OK)
        warn_of_data(d->place, q->out);
    free(images);
    return status;
}

static int show(const data_request *q)
{
    lt_dataset *data = NULL;
    int status = open_data(q, &data);
    if (status == LT_OK)
        status = draw_images(q, data);
    lt_dataset_free(data);
    return status == LT_OK ? CODE_DONE : complain_library(q->command, status);
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

static int fetch(const data_request *q)
{
    meter m;
    meter_begin(&m);
    watch_signals();
    int status = lt_data_fetch(q->name, &(lt_fetch_options){.directory = q->directory,
                                                            .progress = show_progress,
                                                            .user = &m});
    meter_clear(&m);
    if (status != LT_OK)
        return complain_library(q->command, status);
    char place[4096];
    if (lt_data_find(q->name, q->directory, place, sizeof place) == LT_OK)
        print("%s\n", place);
    return CODE_DONE;
}

static int verify(const data_request *q)
{
    int status = lt_data_verify(q->name, q->directory);
    if (status != LT_OK)
        return complain_library(q->command, status);
    print("%s: all files match their SHA-256\n", q->name);
    return CODE_DONE;
}

/* ---- The command ---- */

/* An action; options list the actions that they belong to. */
typedef struct data_action {
    const char *name;
    int (*run)(const data_request *q);
    bool is_of_all;
} data_action;

static const data_action actions[] = {
    {"list", list, true}, {"info", info, false}, {"show", show, false}, {"fetch", fetch, false},
    {"verify", verify, false},
};
enum { N_ACTIONS = sizeof actions / sizeof actions[0] };

static const data_action *find_action(const data_request *q)
{
    const char *names[N_ACTIONS + 1] = {NULL};
    for (int i = 0; i < N_ACTIONS; i++) {
        if (strcmp(actions[i].name, q->action) == 0)
            return &actions[i];
        names[i] = actions[i].name;
    }
    complain(q->command, CODE_USAGE, "unknown action '%s'%s (usage: latent data %s)",
             q->action, suggestion(q->action, names), q->command->operands);
    return NULL;
}

/* Checks the operands of the action. Returns the exit code. */
static int check(const data_request *q, const data_action *a)
{
    const command *c = q->command;
    if (a->is_of_all && q->name)
        return complain(c, CODE_USAGE, "list takes no name; for one data set: latent data info %s", shell(q->name));
    if (!a->is_of_all && !q->name)
        return complain(c, CODE_USAGE, "%s: expected the name of a data set (see: latent data list)", q->action);
    return CODE_DONE;
}

/* Gives the exit code. */
static int act(const data_request *q)
{
    const data_action *a = find_action(q);
    int code = a ? check(q, a) : CODE_USAGE;
    if (code != CODE_DONE)
        return code;
    return a->run(q);
}

static int run_data(const command *c, int argc, const char **argv)
{
    data_request q = {.command = c, .split = LT_TRAIN, .n = 64, .out = "images.png"};
    const flag flags[] = {
        {.name = "dir", .kind = FLAG_TEXT, .value = &q.directory, .operand = "DIR",
         .actions = "fetch verify", .help = "directory of the files; default: the cache"},
        {OPTION_SET, .value = &q.sets, .actions = "info show", .note = "of its data, as in resize=32"},
        {OPTION_STRICT, .value = &q.is_strict, .actions = "info show"},
        {OPTION_IMAGES, .value = &q.n, .actions = "show", .min = 1, .max = 65536, .note = "default: 64"},
        {OPTION_OUTPUT, .kind = FLAG_IMAGES, .value = &q.out, .actions = "show",
         .note = NOTE_IMAGES "; default: images.png"},
        {OPTION_COLUMNS, .value = &q.columns, .actions = "show", .min = 1, .max = 4096,
         .is_of_whole = true, .note = "default: a square"},
        {OPTION_SPLIT, .value = &q.split, .actions = "show", .note = "default: train"},
        {OPTION_SEED, .value = &q.seed, .actions = "show",
         .note = "choose images at random; default: the first ones"},
        {OPTION_JSON, .value = &q.as_json, .actions = "list info"},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    q.action = line.operand[0];
    q.name = line.n > 1 ? line.operand[1] : NULL;
    int code = act(&q);
    command_line_clear(&line);
    return code;
}

const command cmd_data = {
    .name = "data", .summary = "list, inspect and download data sets",
    .operands = "list | info DATA | show DATA | fetch NAME | verify NAME", .min_operands = 1, .max_operands = 2,
    .about =
        "list shows the named data sets and where they are. info opens one, by name or by "
        "path, checks all of it and describes it. show draws its images. fetch downloads a "
        "named set to the cache ($LATENT_DATA, else $XDG_CACHE_HOME/latent, else ~/.cache/latent), "
        "resumes an interrupted download, and keeps a file only if its SHA-256 is right. "
        "verify checks the SHA-256 of the files in the cache.\n"
        "\n"
        "DATA is a name, \"synthetic\", a directory with the files of a named set, of CIFAR, or with "
        "train.npy (and valid.npy, test.npy, *-labels.npy), a directory or zip file of pictures, or a "
        "file of images: IDX, AMAT, npy, npz, CIFAR's .bin or MAT, plain or gzip. See docs/data.md.\n",
    .examples = "  latent data list\n"
                "  latent data fetch mnist\n"
                "  latent data info ./my-images.npy --set resize=32 --set channels=1\n"
                "  latent data info ~/photos --set resize=64\n"
                "  latent data show mnist -n 20 -c 10 -o batch.png\n",
    .run = run_data};
