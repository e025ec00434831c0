/* SPDX-License-Identifier: MIT */
/* latent recipes: lists the presets, or shows a recipe with every default. */
#include "shared_options.h"

#include <stdlib.h>
#include <string.h>

static int list(bool as_json)
{
    json_t *all = json_array();
    for (int i = 0; i < lt_preset_count(); i++)
        if (as_json)
            json_array_append_new(all, json_pack("{s:s, s:s}", "name", lt_preset_name(i), "summary",
                                                 lt_preset_summary(i)));
        else
            printf("%-24s %s\n", lt_preset_name(i), lt_preset_summary(i));
    if (as_json)
        print_json(all);
    else
        json_decref(all);
    return CODE_DONE;
}

/* Finds the image size of a recipe. If the recipe does not determine it, opens the data set if `with_data`, else
   returns LT_NOT_FOUND. */
static int find_image_size(const lt_recipe *r, bool with_data, lt_image_size *size)
{
    lt_dataset *data;
    int status = lt_data_image_size(lt_recipe_dataset(r), lt_recipe_data_options(r), &size->h,
                                    &size->w, &size->c);
    if (status != LT_NOT_FOUND || !with_data)
        return status;
    status = lt_recipe_open_data(r, NULL, &data);
    if (status != LT_OK)
        return status;
    const lt_dataset_info *info = lt_dataset_describe(data);
    *size = (lt_image_size){info->h, info->w, info->c};
    lt_dataset_free(data);
    return LT_OK;
}

/* Prints comments, so that the whole output is a recipe. */
static void print_comment(const char *text)
{
    printf("\n");
    while (*text) {
        int n = (int)strcspn(text, "\n");
        printf("# %.*s\n", n, text);
        text += n + (text[n] == '\n');
    }
}

static int show_networks(const command *c, const lt_recipe *r, bool with_data)
{
    lt_image_size size;
    int status = find_image_size(r, with_data, &size);
    if (status == LT_NOT_FOUND && !with_data) {
        print_comment("--networks shows the networks: it reads the image size from the data");
        return CODE_DONE;
    }
    lt_model *m = status == LT_OK ? lt_model_create(r, size) : NULL;
    if (!m)
        return complain_library(c, LT_VALUE);
    char *text = lt_model_summary(m);
    print_comment(text);
    free(text);
    lt_model_free(m);
    return CODE_DONE;
}

/* Prints the warnings of training that do not depend on the number of images. */
static void say_warnings(const lt_recipe *r)
{
    char *text;
    for (int i = 0; (text = lt_recipe_warning(r, 0, i)) != NULL; i++) {
        say("warning: %s", text);
        free(text);
    }
}

static int show(const command *c, const char *name, const text_list *sets, bool with_data)
{
    lt_recipe *r;
    int status = lt_recipe_open(name, sets->item, sets->n, &r);
    if (status != LT_OK)
        return complain_library(c, status);
    print_as_is(true); /* it is a file */
    printf("%s", lt_recipe_text(r));
    fflush(stdout);
    say_warnings(r);
    int code = show_networks(c, r, with_data);
    lt_recipe_free(r);
    return code;
}

static int run_recipes(const command *c, int argc, const char **argv)
{
    static const char *const actions[] = {"show", NULL};
    bool as_json = false, with_data = false;
    text_list sets = {.n = 0};
    const flag flags[] = {
        {OPTION_SET, .value = &sets, .actions = "show"},
        {.name = "networks", .kind = FLAG_SWITCH, .value = &with_data, .actions = "show",
         .help = "the networks also where the data must be opened to know the size of images"},
        {OPTION_JSON, .value = &as_json, .note = "the list; a recipe is shown as YAML"},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    int code;
    const char *action = line.n > 0 ? line.operand[0] : NULL;
    if (!action)
        code = list(as_json);
    else if (strcmp(action, "show") != 0)
        code = complain(c, CODE_USAGE, "unknown action '%s'%s (usage: latent recipes %s)",
                        action, suggestion(action, actions), c->operands);
    else if (line.n == 1)
        code = complain(c, CODE_USAGE, "show: expected the name of a recipe (see: latent recipes)");
    else if (as_json)
        code = complain(c, CODE_USAGE, "--json goes with the list, not with show: a recipe is shown as YAML");
    else
        code = show(c, line.operand[1], &sets, with_data);
    command_line_clear(&line);
    return code;
}

const command cmd_recipes = {
    .name = "recipes", .summary = "list the presets, or show a recipe with all its values",
    .operands = "[show RECIPE]", .max_operands = 2,
    .about =
        "A recipe is a whole experiment: data, networks, objective, optimizer, schedule. Without "
        "operands, lists the presets. show prints a preset or a recipe file with every default, and "
        "its networks with shapes and parameter counts as comments; the output is a recipe again, "
        "to be edited and trained.\n",
    .examples = "  latent recipes\n"
                "  latent recipes show cs561-conv-vae\n"
                "  latent recipes show ift6135-vae --set model.latent=32 > mine.yaml\n"
                "  latent train mine.yaml\n",
    .run = run_recipes};
