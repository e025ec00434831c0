/* SPDX-License-Identifier: MIT */
/* The identity of training data by content: a checkpoint stores the SHA-256 of each split, so other images under
   the same name are noticed, and the same images under another name are accepted. */
#include "train/checkpoint.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/shell.h"
#include "base/status.h"
#include "base/text.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const keys[LT_SPLITS] = {"data_train", "data_valid", "data_test"};

/* ---- In checkpoints ---- */

void identity_find(lt_trainer *t)
{
    for (int i = 0; i < LT_SPLITS; i++)
        dataset_identity(t->data, (lt_split)i, t->identity[i]);
}

int identity_list(const lt_trainer *t, safetensors_pair pairs[LT_SPLITS])
{
    int n = 0;
    for (int i = 0; i < LT_SPLITS; i++)
        if (t->identity[i][0])
            pairs[n++] = (safetensors_pair){keys[i], t->identity[i]};
    return n;
}

void identity_give(const safetensors *file, lt_model *m)
{
    for (int i = 0; i < LT_SPLITS; i++)
        model_set_trained_on(m, (lt_split)i, safetensors_metadata(file, keys[i]));
}

/* "200 " and a SHA-256 */
static bool parse_identity(const char *value, lt_data_identity *out)
{
    const char *space = strchr(value, ' ');
    char count[24];
    if (!space || (size_t)(space - value) >= sizeof count || strlen(space + 1) != LT_DIGEST_SIZE - 1)
        return false;
    memcpy(count, value, (size_t)(space - value));
    count[space - value] = 0;
    memcpy(out->digest, space + 1, LT_DIGEST_SIZE);
    return text_to_int64(count, &out->images) && out->images > 0 &&
           strspn(out->digest, "0123456789abcdef") == LT_DIGEST_SIZE - 1;
}

int identity_read(const safetensors *file, const char *path, lt_data_identity out[LT_SPLITS])
{
    for (int i = 0; i < LT_SPLITS; i++) {
        const char *value = safetensors_metadata(file, keys[i]);
        out[i] = (lt_data_identity){0};
        if (value && !parse_identity(value, &out[i]))
            return status_fail(LT_FORMAT, "%s is damaged: metadata \"%s\": expected a number of images and their "
                               "SHA-256, found %.90s", path, keys[i], value);
    }
    return LT_OK;
}

/* ---- Comparing ---- */

/* "200 images (SHA-256 3f2a91c04b7d...)" for messages. */
static const char *describe_identity(const char *identity, char out[IDENTITY_TEXT])
{
    long long n = strtoll(identity, NULL, 10);
    const char *hex = strchr(identity, ' ');
    if (!identity[0] || !hex)
        snprintf(out, IDENTITY_TEXT, "no images");
    else
        snprintf(out, IDENTITY_TEXT, "%lld image%s (SHA-256 %.12s...)", n, n == 1 ? "" : "s",
                 hex + 1);
    return out;
}

int identity_check(const lt_trainer *t, const safetensors *file, const char *path)
{
    char then[IDENTITY_TEXT], now[IDENTITY_TEXT];
    const lt_dataset_info *d = lt_dataset_describe(t->data);
    for (int i = 0; i < LT_SPLITS; i++) {
        const char *known = safetensors_metadata(file, keys[i]);
        if (!known || strcmp(known, t->identity[i]) == 0)
            continue;
        describe_identity(known, then);
        describe_identity(t->identity[i], now);
        if (i == LT_TRAIN) {
            char *word = shell_word(path);
            int status = status_fail(LT_VALUE,
                               "%s was trained on other data: expected %s in the train split, %s has %s; "
                               "a run resumes only with its own images; to train on these, start a new run "
                               "with its weights: latent train RECIPE --weights %s",
                               path, then, d->place[0] ? d->place : d->name, now, word);
            free(word);
            return status;
        }
        log_warning("%s: the %s split has changed since %s was written: then %s, now %s",
                    d->place[0] ? d->place : d->name, lt_split_name((lt_split)i), path, then, now);
    }
    return LT_OK;
}

/* ---- The data of a trained model ---- */

static bool is_read_alike(const lt_data_options *a, const lt_data_options *b)
{
    return strcmp(a->resize, b->resize) == 0 && a->crop == b->crop &&
           a->orient == b->orient && a->channels == b->channels;
}

/* Logs which splits differ from those the model was trained with. */
static void compare_data(const lt_model *m, const lt_dataset *d)
{
    char then[IDENTITY_TEXT], now[IDENTITY_TEXT], identity[IDENTITY_TEXT];
    const lt_dataset_info *info = lt_dataset_describe(d);
    if (!is_read_alike(&info->options, lt_recipe_data_options(lt_model_recipe(m))))
        return;
    for (int i = 0; i < LT_SPLITS; i++) {
        const char *known = model_trained_on(m, (lt_split)i);
        if (!known)
            continue;
        dataset_identity(d, (lt_split)i, identity);
        if (strcmp(known, identity) != 0)
            log_warning("%s: not the data that %s was trained with: expected a %s split of %s, found "
                        "%s",
                        info->place[0] ? info->place : info->name,
                        lt_recipe_name(lt_model_recipe(m)), lt_split_name((lt_split)i),
                        describe_identity(known, then), describe_identity(identity, now));
    }
}

/* Recipes of older versions may hold relative paths. */
static void warn_of_relative(const lt_recipe *r)
{
    const char *set = lt_recipe_dataset(r);
    if (set[0] == '/' || !strchr(set, '/') || lt_data_named(set))
        return;
    char *here = file_absolute(NULL, set);
    log_warning("the recipe of %s has a data path relative to the directory of its training; using %s "
                "(--data PATH to use another)",
                lt_recipe_name(r), here);
    free(here);
}

static bool names_set(const char *const *sets, int n)
{
    for (int i = 0; i < n; i++)
        if (strncmp(sets[i], "data.set=", 9) == 0)
            return true;
    return false;
}

int lt_model_open_data(const lt_model *m, const char *instead, const char *const *sets, int n,
                       lt_dataset **out)
{
    const lt_recipe *r = lt_model_recipe(m);
    bool is_own = !instead && !names_set(sets, n);
    if (is_own)
        warn_of_relative(r);
    LT_TRY(n ? lt_recipe_open_data_with(r, instead, sets, n, out)
             : lt_recipe_open_data(r, instead, out));
    if (is_own)
        compare_data(m, *out);
    return LT_OK;
}
