/* SPDX-License-Identifier: MIT */
/* Shared by commands that use a trained model. */
#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

void *plot_room(size_t n, size_t size)
{
    void *memory = calloc(n ? n : 1, size);
    if (memory)
        return memory;
    say("latent: out of memory for %zu numbers", n);
    exit(CODE_FAILED);
}

char *path_in(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);
    if (!path) {
        say("latent: out of memory for a path");
        exit(CODE_FAILED);
    }
    snprintf(path, size, "%s/%s", dir, name);
    return path;
}

int trained_open(trained *t, const char *run, bool with_data, const char *data)
{
    *t = (trained){.model = NULL};
    warnings_expect(run);
    LT_TRY(lt_run_model(run, &t->checkpoint, t->digest, &t->model));
    if (!with_data)
        return LT_OK;
    LT_TRY(lt_model_open_data(t->model, data, NULL, 0, &t->data));
    return lt_model_check_data(t->model, t->data);
}

int trained_open_with(trained *t, const char *run, const char *data, const text_list *sets)
{
    if (sets->n == 0)
        return trained_open(t, run, true, data);
    LT_TRY(trained_open(t, run, false, NULL));
    LT_TRY(lt_model_open_data(t->model, data, sets->item, sets->n, &t->data));
    return lt_model_check_data(t->model, t->data);
}

void warn_of_data(const char *data, const char *picture)
{
    char *first = lt_is_numbered(picture) ? lt_numbered_name(picture, 0) : NULL;
    if (lt_data_would_include(data, first ? first : picture))
        say("warning: %s lies among the images of %s, so the next training would use it as an image; "
            "move it away", first ? first : picture, data);
    free(first);
}

void warn_of_run_data(const char *run, const char *picture)
{
    struct stat s;
    char *around = lt_run_of_checkpoint(run), *path = path_in(around ? around : run, "recipe.yaml");
    lt_recipe *r = NULL;
    if (stat(path, &s) == 0 && lt_recipe_open(path, NULL, 0, &r) == LT_OK)
        warn_of_data(lt_recipe_dataset(r), picture);
    lt_recipe_free(r);
    free(path);
    free(around);
}

bool may_have(const char *const *runs, int n, lt_capability capability)
{
    bool is_possible = false;
    for (int i = 0; i < n && !is_possible; i++) {
        lt_checkpoint c;
        is_possible = lt_checkpoint_info(runs[i], &c) != LT_OK || lt_recipe_can(c.recipe, capability);
        lt_checkpoint_clear(&c);
    }
    return is_possible;
}

void trained_close(trained *t)
{
    lt_dataset_free(t->data);
    lt_model_free(t->model);
    free(t->checkpoint);
}

float *image_room(const lt_model *m, int n)
{
    lt_image_size s = lt_model_image_size(m);
    float *images = calloc((size_t)n * (size_t)s.h * (size_t)s.w * (size_t)s.c, sizeof *images);
    if (images)
        return images;
    say("latent: out of memory for %d images", n);
    exit(CODE_FAILED);
}

bool is_npy(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcasecmp(path + n - 4, ".npy") == 0; /* like image extensions */
}

bool is_images_alone(const char *path) { return is_npy(path) || lt_is_numbered(path); }

void warn_of_more(const char *path, int n)
{
    struct stat s;
    char *next = lt_numbered_name(path, n);
    if (next && stat(next, &s) == 0)
        say("warning: %s existed before and is not one of these %d images", next, n);
    free(next);
}

int write_images(const char *path, lt_image_size s, const float *images, int n, int64_t zoom)
{
    if (!lt_is_numbered(path))
        return lt_npy_write(path, images, 4, (const int64_t[]){n, s.h, s.w, s.c});
    LT_TRY(lt_numbered_write(path, images, n, s.h, s.w, s.c, (int)zoom));
    warn_of_more(path, n);
    return LT_OK;
}

char *written_name(const char *path, int n)
{
    char *first = lt_is_numbered(path) ? lt_numbered_name(path, 0) : NULL;
    char *last = first && n > 1 ? lt_numbered_name(path, n - 1) : NULL;
    const char *begin = first ? first : path;
    size_t size = strlen(begin) + (last ? strlen(last) : 0) + sizeof " ... ";
    char *words = malloc(size);
    if (!words) {
        say("latent: out of memory for a name");
        exit(CODE_FAILED);
    }
    snprintf(words, size, "%s%s%s", begin, last ? " ... " : "", last ? last : "");
    free(first);
    free(last);
    return words;
}
