/* SPDX-License-Identifier: MIT */
/* Paths in recipes: resolving relative ones, and advice when a file does not exist. A resolved recipe has absolute
   paths, which are valid from any directory. */
#include "recipe/recipe.h"

#include "base/file.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

/* Whether it is a name in the catalog, not a path. */
static bool is_name(const char *set)
{
    return strcmp(set, "synthetic") == 0 || lt_data_named(set) != NULL;
}

static bool is_bare(const char *set) { return !strchr(set, '/'); }

/* Resolves a path. A bare word without such a file is a misspelled name and stays unchanged. */
static void anchor(arena *a, yaml_node *value, const char *dir)
{
    if (!value->text[0] || value->text[0] == '/')
        return;
    char *beside = dir ? file_join(dir, value->text) : must_copy_text(value->text);
    if (!is_bare(value->text) || file_exists(beside)) {
        char *full = file_absolute(dir, value->text);
        value->text = arena_copy_text(a, full);
        free(full);
    }
    free(beside);
}

void recipe_anchor(arena *a, yaml_node *value, const char *dir)
{
    if (value && value->kind == YAML_IS_SCALAR && !is_name(value->text))
        anchor(a, value, dir);
}

char *recipe_directory(const char *path)
{
    bool is_stream = strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
    char *dir = is_stream ? must_copy_text(".") : file_directory(path);
    char *full = file_absolute(NULL, dir);
    free(dir);
    return full;
}

/* Appends advice on what the path may have meant. */
static void append_advice(const lt_recipe *r, text *more)
{
    const char *set = r->written_set;
    if (set[0] == '~')
        text_append(more, "; '~' is not expanded: write the full path");
    else
        text_format(more, "; paths in a recipe are relative to its directory, %s",
                    r->directory);
    if (set[0] != '~' && file_exists(set)) {
        char *here = file_absolute(NULL, set);
        text_format(more, "; it exists in the working directory: --data %s", here);
        free(here);
    }
}

int recipe_check_path(const lt_recipe *r)
{
    const char *set = r->data.set;
    if (!r->directory || is_name(set) || (set[0] == '/' && (!r->written_set || file_exists(set))))
        return LT_OK;
    if (set[0] != '/') /* is_name has set the reason */
        return status_fail(LT_NOT_FOUND, "%s; there is no file %s/%s either", lt_last_error(), r->directory,
                           set);
    text more = {0};
    append_advice(r, &more);
    status_fail(LT_NOT_FOUND, "cannot read %s: No such file or directory%s", set, text_get(&more));
    text_clear(&more);
    return LT_NOT_FOUND;
}
