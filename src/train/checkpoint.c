/* SPDX-License-Identifier: MIT */
/* Checkpoints: what a trainer or a model is, as safetensors. A file is read and compared completely
   before anything of it is used. */
#include "train/checkpoint.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "data/catalogue.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_VERSION "1"

/* ---- The file as a whole ---- */

/* Of a tensor whose size is known to fit. */
static size_t entry_bytes(const safetensors_entry *e)
{
    static const size_t sizes[] = {
#define X(name, size) size,
        SAFETENSORS_TYPES(X)
#undef X
    };
    size_t bytes = sizes[e->type];
    for (int i = 0; i < e->rank; i++)
        bytes *= (size_t)e->dims[i];
    return bytes;
}

/* SHA-256 of a list: each metadata pair but the digest, then each tensor with its own SHA-256. */
static void find_digest(const safetensors_entry *tensors, int n, const safetensors_pair *pairs,
                        int n_pairs, char hex[SHA256_TEXT])
{
    text list = {0};
    for (int i = 0; i < n_pairs; i++)
        if (strcmp(pairs[i].key, "digest") != 0)
            text_format(&list, "%s=%s\n", pairs[i].key, pairs[i].value);
    for (int i = 0; i < n; i++) {
        const safetensors_entry *e = &tensors[i];
        char own[SHA256_TEXT];
        sha256_text(e->data, entry_bytes(e), own);
        text_format(&list, "%s %d", e->name, (int)e->type);
        for (int k = 0; k < e->rank; k++)
            text_format(&list, " %lld", (long long)e->dims[k]);
        text_format(&list, " %s\n", own);
    }
    sha256_text(text_get(&list), list.size, hex);
    text_clear(&list);
}

int checkpoint_write(const char *path, const safetensors_entry *tensors, int n,
                     const safetensors_pair *metadata, int n_metadata)
{
    char hex[SHA256_TEXT];
    safetensors_pair *all = must_alloc(sizeof *all * (size_t)(n_metadata + 1));
    memcpy(all, metadata, sizeof *all * (size_t)n_metadata);
    find_digest(tensors, n, metadata, n_metadata, hex);
    all[n_metadata] = (safetensors_pair){"digest", hex};
    int status = safetensors_write(path, tensors, n, all, n_metadata + 1);
    free(all);
    return status;
}

int checkpoint_read(const char *path, safetensors **file)
{
    char found[SHA256_TEXT];
    LT_TRY(safetensors_read(path, file));
    const safetensors *f = *file;
    const char *expected = safetensors_metadata(f, "digest");
    if (!expected)
        return LT_OK;
    find_digest(f->tensors, f->n, f->metadata, f->n_metadata, found);
    if (strcmp(expected, found) == 0)
        return LT_OK;
    int status =
        status_fail(LT_FORMAT, "%s is damaged: its digest is %.12s..., its content has %.12s...",
                    path, expected, found);
    safetensors_free(*file);
    *file = NULL;
    return status;
}

/* ---- Parameters, moments and their outside form ---- */

/* Tensors for a file, and the memory their numbers are in. */
typedef struct tensor_list {
    safetensors_entry *entries;
    int n;
    arena names;
    float *numbers;
    int64_t used;
} tensor_list;

static void tensor_list_clear(tensor_list *l)
{
    free(l->entries);
    arena_clear(&l->names);
    tensor_free(l->numbers);
}

/* Adds the parameters of a block laid out like p's, under names that begin with `prefix`. */
static void add_block(tensor_list *l, const lt_params *p, const char *prefix, const float *block,
                      bool with_states)
{
    for (int i = 0; i < lt_params_count(p); i++) {
        lt_param_info info = lt_params_info(p, i);
        if (info.is_state && !with_states)
            continue;
        float *numbers = l->numbers + l->used;
        safetensors_entry *e = &l->entries[l->n++];
        *e = (safetensors_entry){.name = arena_format(&l->names, "%s%s", prefix, info.name),
                                 .type = SAFETENSORS_F32, .rank = info.shape.rank,
                                 .data = numbers};
        memcpy(e->dims, info.shape.d, sizeof *e->dims * (size_t)info.shape.rank);
        lt_params_export(p, i, block, numbers);
        l->used += lt_shape_size(info.shape);
    }
}

/* "optimiser.adam.m." */
static const char *state_prefix(arena *names, const lt_trainer *t, int i)
{
    return arena_format(names, "optimiser.%s.%s.", t->optimiser->name, t->optimiser->state[i]);
}

static int list_tensors(const lt_trainer *t, tensor_list *l)
{
    lt_params *p = lt_model_params(t->model);
    int blocks = 1 + t->n_states;
    int64_t extent = lt_params_extent(p) + lt_params_state_extent(p);
    l->entries = must_alloc(sizeof *l->entries * (size_t)(blocks * lt_params_count(p)));
    l->numbers = tensor_alloc(sizeof(float) * (size_t)(blocks * extent), "a checkpoint");
    if (!l->numbers)
        return LT_NO_MEMORY;
    add_block(l, p, "", lt_params_block(p), true);
    for (int i = 0; i < t->n_states; i++)
        add_block(l, p, state_prefix(&l->names, t, i), t->state[i], false);
    return LT_OK;
}

/* Reads the parameters of a block from a file, whose names begin with `prefix`. */
static int read_block(const safetensors *file, const lt_params *p, const char *prefix,
                      float *block, bool with_states, int *count)
{
    for (int i = 0; i < lt_params_count(p); i++) {
        lt_param_info info = lt_params_info(p, i);
        if (info.is_state && !with_states)
            continue;
        size_t bytes = sizeof(float) * (size_t)lt_shape_size(info.shape);
        float *numbers = tensor_alloc(bytes, info.name);
        char *name = must_format("%s%s", prefix, info.name);
        int status = numbers ? safetensors_get(file, name, SAFETENSORS_F32, info.shape.rank,
                                               info.shape.d, numbers)
                             : LT_NO_MEMORY;
        if (status == LT_OK)
            lt_params_import(p, i, block, numbers);
        free(name);
        tensor_free(numbers);
        LT_TRY(status);
        ++*count;
    }
    return LT_OK;
}

/* Blocks that are read into before the real ones are touched. */
typedef struct block_copies {
    float *weights;
    float *state[OPTIMISER_STATES];
} block_copies;

static size_t weight_bytes(const lt_params *p)
{
    return sizeof(float) * (size_t)(lt_params_extent(p) + lt_params_state_extent(p));
}

static void block_copies_clear(block_copies *c)
{
    tensor_free(c->weights);
    for (int i = 0; i < OPTIMISER_STATES; i++)
        tensor_free(c->state[i]);
}

/* ---- Metadata ---- */

static int metadata_integer(const safetensors *file, const char *path, const char *key,
                            int64_t *value)
{
    const char *word = safetensors_metadata(file, key);
    if (word && text_to_int64(word, value) && *value >= 0)
        return LT_OK;
    return status_fail(LT_VALUE, "%s: metadata \"%s\": expected a whole number, found %s", path,
                       key, word ? word : "nothing");
}

static int metadata_real(const safetensors *file, const char *path, const char *key, double *value)
{
    const char *word = safetensors_metadata(file, key);
    if (word && text_to_real(word, value))
        return LT_OK;
    return status_fail(LT_VALUE, "%s: metadata \"%s\": expected a number, found %s", path, key,
                       word ? word : "nothing");
}

/* ---- Saving ---- */

static const char *integer_text(arena *a, int64_t value)
{
    return arena_format(a, "%lld", (long long)value);
}

/* Reads back exactly. */
static const char *real_text(arena *a, double value)
{
    text t = {0};
    text_append_real(&t, value);
    const char *copy = arena_copy_text(a, text_get(&t));
    text_clear(&t);
    return copy;
}

static const char *size_text(arena *a, const lt_model *m)
{
    lt_image_size s = lt_model_image_size(m);
    return arena_format(a, "%dx%dx%d", s.h, s.w, s.c);
}

/* The first weight of `n` tensors that is not finite, or NULL. */
static const char *find_broken(const safetensors_entry *tensors, int n)
{
    for (int i = 0; i < n; i++) {
        const float *x = tensors[i].data;
        size_t count = entry_bytes(&tensors[i]) / sizeof *x;
        for (size_t k = 0; k < count; k++)
            if (!isfinite(x[k]))
                return tensors[i].name;
    }
    return NULL;
}

/* Training cannot go on from such weights, so they must not take the place of better ones. */
static int check_finite(const lt_trainer *t, const tensor_list *l)
{
    const char *name = find_broken(l->entries, lt_params_count(lt_model_params(t->model)));
    if (!name)
        return LT_OK;
    return status_fail(LT_VALUE,
                       "step %lld has made %s infinite or not a number, and is not saved; a "
                       "smaller learning rate, or clip_norm, may help",
                       (long long)t->done.step, name);
}

int lt_trainer_save(const lt_trainer *t, const char *path)
{
    tensor_list l = {.n = 0};
    arena *a = &l.names;
    const train_counters *c = &t->done;
    const safetensors_pair metadata[] = {
        {"format", "latent"},
        {"format_version", FORMAT_VERSION},
        {"latent_version", lt_version()},
        {"image", size_text(a, t->model)},
        {"optimiser", t->optimiser->name},
        {"seed", arena_format(a, "%llu", (unsigned long long)t->seed)},
        {"images_in_epoch", integer_text(a, t->images)},
        {"step", integer_text(a, c->step)},
        {"epoch", integer_text(a, c->epoch)},
        {"images", integer_text(a, c->images)},
        {"sum_loss", real_text(a, c->loss)},
        {"sum_rate", real_text(a, c->rate)},
        {"sum_distortion", real_text(a, c->distortion)},
        {"recipe", lt_recipe_text(t->recipe)},
    };
    int status = list_tensors(t, &l);
    if (status == LT_OK)
        status = check_finite(t, &l);
    if (status == LT_OK)
        status = checkpoint_write(path, l.entries, l.n, metadata, COUNT_OF(metadata));
    tensor_list_clear(&l);
    return status;
}

/* ---- Loading into a trainer ---- */

static int expect_text(const safetensors *file, const char *path, const char *key,
                       const char *expected)
{
    const char *found = safetensors_metadata(file, key);
    if (found && strcmp(found, expected) == 0)
        return LT_OK;
    return status_fail(LT_VALUE, "%s: %s: expected %s, found %s", path, key, expected,
                       found ? found : "none");
}

static int check_same(const lt_trainer *t, const safetensors *file, const char *path)
{
    arena a = {0};
    const safetensors_pair expected[] = {
        {"format", "latent"},
        {"format_version", FORMAT_VERSION},
        {"image", size_text(&a, t->model)},
        {"optimiser", t->optimiser->name},
        {"seed", arena_format(&a, "%llu", (unsigned long long)t->seed)},
        {"images_in_epoch", integer_text(&a, t->images)},
    };
    int status = LT_OK;
    for (int i = 0; i < COUNT_OF(expected) && status == LT_OK; i++)
        status = expect_text(file, path, expected[i].key, expected[i].value);
    arena_clear(&a);
    return status;
}

static int read_counters(const lt_trainer *t, const safetensors *file, const char *path,
                         train_counters *c)
{
    LT_TRY(metadata_integer(file, path, "step", &c->step));
    LT_TRY(metadata_integer(file, path, "epoch", &c->epoch));
    LT_TRY(metadata_integer(file, path, "images", &c->images));
    LT_TRY(metadata_real(file, path, "sum_loss", &c->loss));
    LT_TRY(metadata_real(file, path, "sum_rate", &c->rate));
    LT_TRY(metadata_real(file, path, "sum_distortion", &c->distortion));
    if (c->images >= t->images)
        return status_fail(LT_VALUE, "%s: %lld images of an epoch of %d", path,
                           (long long)c->images, t->images);
    return LT_OK;
}

static int read_blocks(const lt_trainer *t, const safetensors *file, const char *path,
                       block_copies *copies)
{
    lt_params *p = lt_model_params(t->model);
    arena names = {0};
    int count = 0;
    copies->weights = tensor_alloc(weight_bytes(p), "weights of a checkpoint");
    int status = copies->weights ? read_block(file, p, "", copies->weights, true, &count)
                                 : LT_NO_MEMORY;
    for (int i = 0; i < t->n_states && status == LT_OK; i++) {
        copies->state[i] = tensor_alloc(weight_bytes(p), "optimiser state of a checkpoint");
        status = copies->state[i] ? read_block(file, p, state_prefix(&names, t, i),
                                               copies->state[i], false, &count)
                                  : LT_NO_MEMORY;
    }
    arena_clear(&names);
    if (status == LT_OK && count != file->n)
        status = status_fail(LT_VALUE, "%s: expected %d tensors, found %d", path, count, file->n);
    /* the file is whole, so what does not fit is another model */
    return status == LT_FORMAT || status == LT_NOT_FOUND ? LT_VALUE : status;
}

/* Says which lines of the recipe are not those of the checkpoint. */
static void compare_recipes(const char *path, const char *then, const char *now)
{
    if (!then || strcmp(then, now) == 0)
        return;
    log_warning("%s was written with another recipe; going on with the one at hand", path);
    while (*then && *now) {
        size_t n = strcspn(then, "\n"), m = strcspn(now, "\n");
        if (n != m || memcmp(then, now, n) != 0) {
            int i = (int)strspn(then, " "), k = (int)strspn(now, " ");
            log_warning("  then: %.*s; now: %.*s", (int)n - i, then + i, (int)m - k, now + k);
        }
        then += n + (then[n] == '\n');
        now += m + (now[m] == '\n');
    }
}

static int load_from(lt_trainer *t, const safetensors *file, const char *path,
                     block_copies *copies)
{
    lt_params *p = lt_model_params(t->model);
    train_counters counters;
    LT_TRY(check_same(t, file, path));
    LT_TRY(read_counters(t, file, path, &counters));
    LT_TRY(read_blocks(t, file, path, copies));
    compare_recipes(path, safetensors_metadata(file, "recipe"), lt_recipe_text(t->recipe));
    memcpy(lt_params_block(p), copies->weights, weight_bytes(p));
    for (int i = 0; i < t->n_states; i++)
        memcpy(t->state[i], copies->state[i], sizeof(float) * (size_t)lt_params_extent(p));
    t->done = counters;
    t->seconds = 0;
    t->images_timed = 0;
    return LT_OK;
}

int lt_trainer_load(lt_trainer *t, const char *path)
{
    safetensors *file;
    block_copies copies = {.weights = NULL};
    LT_TRY(checkpoint_read(path, &file));
    int status = load_from(t, file, path, &copies);
    block_copies_clear(&copies);
    safetensors_free(file);
    return status;
}

/* ---- Models ---- */

static const char *param_name(const void *p, int i) { return lt_params_info(p, i).name; }

/* A tensor that is neither a weight nor optimiser state was meant for another model. */
static int check_names(const safetensors *file, const lt_params *p, const char *path)
{
    for (int i = 0; i < file->n; i++) {
        const char *name = file->tensors[i].name;
        if (strncmp(name, "optimiser.", strlen("optimiser.")) == 0 || lt_params_find(p, name) >= 0)
            continue;
        const char *nearest = text_nearest(name, param_name, p, lt_params_count(p));
        return status_fail(LT_VALUE, "%s: the model has no parameter \"%s\"%s%s%s", path, name,
                           nearest ? "; it has \"" : "", nearest ? nearest : "",
                           nearest ? "\"" : "");
    }
    return LT_OK;
}

static void warn_of_broken(const char *path, const float *block, size_t n)
{
    size_t i = 0;
    while (i < n && isfinite(block[i]))
        i++;
    if (i < n)
        log_warning("%s: some weights are infinite or not a number", path);
}

static int load_weights(lt_model *m, const safetensors *file, const char *path)
{
    lt_params *p = lt_model_params(m);
    int count = 0;
    LT_TRY(check_names(file, p, path));
    float *block = tensor_alloc(weight_bytes(p), "weights of a checkpoint");
    int status = block ? read_block(file, p, "", block, true, &count) : LT_NO_MEMORY;
    if (status == LT_OK) {
        warn_of_broken(path, block, weight_bytes(p) / sizeof *block);
        memcpy(lt_params_block(p), block, weight_bytes(p));
    }
    tensor_free(block);
    return status;
}

int lt_model_load(lt_model *m, const char *path)
{
    safetensors *file;
    LT_TRY(checkpoint_read(path, &file));
    int status = load_weights(m, file, path);
    safetensors_free(file);
    return status;
}

/* "28x28x1" */
static int read_image_size(const safetensors *file, const char *path, lt_image_size *s)
{
    const char *word = safetensors_metadata(file, "image");
    char end;
    if (word && sscanf(word, "%5dx%5dx%5d%c", &s->h, &s->w, &s->c, &end) == 3 && s->h > 0 &&
        s->w > 0 && s->c > 0)
        return LT_OK;
    return status_fail(LT_VALUE,
                       "%s: metadata \"image\": expected a size such as 28x28x1, found %s", path,
                       word ? word : "nothing");
}

static lt_model *open_from(const safetensors *file, const char *path)
{
    const char *recipe = safetensors_metadata(file, "recipe");
    lt_image_size size;
    if (!recipe)
        status_fail(LT_VALUE,
                    "%s has no recipe in its metadata, which would say what model its weights are "
                    "of",
                    path);
    if (!recipe || read_image_size(file, path, &size) != LT_OK)
        return NULL;
    lt_recipe *r = lt_recipe_parse(path, recipe, NULL, 0);
    lt_model *m = r ? lt_model_create(r, size) : NULL;
    lt_recipe_free(r);
    if (m && load_weights(m, file, path) != LT_OK) {
        lt_model_free(m);
        m = NULL;
    }
    return m;
}

lt_model *lt_model_open(const char *path)
{
    safetensors *file;
    if (checkpoint_read(path, &file) != LT_OK)
        return NULL;
    lt_model *m = open_from(file, path);
    safetensors_free(file);
    return m;
}
