/* SPDX-License-Identifier: MIT */
/* Checkpoints: the state of a trainer or a model, as safetensors. A file is read and checked completely
   before any of it is used. */
#include "train/checkpoint.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "data/catalog.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_VERSION "1"

/* ---- The file as a whole ---- */

/* The size is known not to overflow. */
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

/* SHA-256 of a text: each metadata pair except the digest, then each tensor with its own SHA-256. */
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

/* Only our own files have a version. */
static int check_version(const char *path, const safetensors *f)
{
    const char *format = safetensors_metadata(f, "format");
    const char *version = safetensors_metadata(f, "format_version");
    const char *writer = safetensors_metadata(f, "latent_version");
    if (!version && (!format || strcmp(format, "latent") != 0))
        return LT_OK;
    if (!version)
        return status_fail(LT_FORMAT,
                           "%s is damaged: a checkpoint of latent without a format_version", path);
    if (strcmp(version, FORMAT_VERSION) == 0)
        return LT_OK;
    return status_fail(LT_UNSUPPORTED,
                       "%s: format_version: expected " FORMAT_VERSION ", found %.20s%s%.20s; read "
                       "it with the latent that wrote it, or a later one (this is %s)",
                       path, version, writer ? ", written by latent " : "", writer ? writer : "",
                       lt_version());
}

static int check_digest(const char *path, const safetensors *f)
{
    char found[SHA256_TEXT];
    const char *expected = safetensors_metadata(f, "digest");
    if (!expected)
        return LT_OK;
    find_digest(f->tensors, f->n, f->metadata, f->n_metadata, found);
    if (strcmp(expected, found) == 0)
        return LT_OK;
    return status_fail(LT_FORMAT,
                       "%s is damaged: its digest is %.12s..., its content has %.12s...", path,
                       expected, found);
}

int checkpoint_read(const char *path, safetensors **file)
{
    LT_TRY(safetensors_read(path, file));
    int status = check_version(path, *file);
    if (status == LT_OK)
        status = check_digest(path, *file);
    if (status == LT_OK)
        return LT_OK;
    safetensors_free(*file);
    *file = NULL;
    return status;
}

/* ---- Parameters, moments and their form in files ---- */

/* Tensors for a file, with the memory for their numbers. */
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

/* A block of floats with the layout of a set of parameters. */
typedef struct kept_block {
    const lt_params *params;
    const char *prefix; /* of the names in a file */
    float *numbers;
    bool with_states;   /* states follow the trained part */
} kept_block;

enum { MAX_BLOCKS = 3 + MAX_PHASES * OPTIMIZER_STATES };

typedef struct block_list {
    kept_block list[MAX_BLOCKS];
    int n;
    arena names;
} block_list;

static void add_kept(block_list *l, const lt_params *p, const char *prefix, float *numbers,
                     bool with_states)
{
    l->list[l->n++] = (kept_block){p, prefix, numbers, with_states};
}

#define EMA_PREFIX "ema."

/* Blocks of a model: its weights, the discriminator's, their EMA. */
static void list_model_blocks(lt_model *m, block_list *l)
{
    lt_params *p = lt_model_params(m), *discriminator = lt_model_discriminator(m);
    add_kept(l, p, "", lt_params_block(p), true);
    if (discriminator)
        add_kept(l, discriminator, "", lt_params_block(discriminator), true);
    if (model_ema(m))
        add_kept(l, p, EMA_PREFIX, model_ema(m), false);
}

/* Blocks of training: those of the model, and optimizer states such as "optimizer.adam.m." */
static void list_blocks(const lt_trainer *t, block_list *l)
{
    list_model_blocks(t->model, l);
    for (int i = 0; i < t->n_phases; i++) {
        const trainer_phase *f = &t->phases[i];
        for (int k = 0; k < f->n_states; k++)
            add_kept(l, f->params,
                     arena_format(&l->names, "optimizer.%s.%s.", f->optimizer->spec.name,
                                  f->optimizer->state[k]),
                     lt_buffer_floats(f->state[k]), false);
    }
}

static int64_t block_floats(const kept_block *b)
{
    return lt_params_extent(b->params) + (b->with_states ? lt_params_state_extent(b->params) : 0);
}

static size_t block_bytes(const kept_block *b) { return sizeof(float) * (size_t)block_floats(b); }

/* Adds the tensors of a block. */
static void add_tensors(tensor_list *l, const kept_block *b)
{
    const lt_params *p = b->params;
    for (int i = 0; i < lt_params_count(p); i++) {
        lt_param_info info = lt_params_info(p, i);
        if (info.is_state && !b->with_states)
            continue;
        float *numbers = l->numbers + l->used;
        safetensors_entry *e = &l->entries[l->n++];
        *e = (safetensors_entry){.name = arena_format(&l->names, "%s%s", b->prefix, info.name),
                                 .type = SAFETENSORS_F32, .rank = info.shape.rank,
                                 .data = numbers};
        memcpy(e->dims, info.shape.d, sizeof *e->dims * (size_t)info.shape.rank);
        lt_params_export(p, i, b->numbers, numbers);
        l->used += lt_shape_size(info.shape);
    }
}

static int list_tensors(const block_list *blocks, tensor_list *l)
{
    int64_t floats = 0;
    int count = 0;
    for (int i = 0; i < blocks->n; i++) {
        floats += block_floats(&blocks->list[i]);
        count += lt_params_count(blocks->list[i].params);
    }
    l->entries = must_alloc(sizeof *l->entries * (size_t)count);
    l->numbers = tensor_alloc(sizeof(float) * (size_t)floats, "a checkpoint");
    if (!l->numbers)
        return LT_NO_MEMORY;
    for (int i = 0; i < blocks->n; i++)
        add_tensors(l, &blocks->list[i]);
    return LT_OK;
}

/* The index of the first number that is not finite, or -1. */
static int64_t find_broken(const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return i;
    return -1;
}

/* "decoder.2.weight[3, 17] is nan" */
static void describe_number(text *t, const char *name, int rank, const int64_t *dims,
                            const float *x, int64_t i)
{
    int64_t stride = 1;
    text_append(t, name);
    for (int k = 1; k < rank; k++)
        stride *= dims[k];
    for (int k = 0; k < rank; k++) {
        text_format(t, "%s%lld", k ? ", " : "[", (long long)(i / stride % dims[k]));
        stride /= k + 1 < rank ? dims[k + 1] : 1;
    }
    text_format(t, "%s is %s", rank ? "]" : "", isnan(x[i]) ? "nan" : x[i] > 0 ? "inf" : "-inf");
}

/* Refuses numbers that training cannot have left. A moment may be infinite, after a gradient whose square
   overflows; a weight or its average may not. */
static int check_numbers(const char *path, const char *name, const lt_shape *shape, const float *x)
{
    int64_t n = lt_shape_size(*shape), i = find_broken(x, n);
    if (strncmp(name, "optimizer.", 10) == 0)
        for (i = 0; i < n && !isnan(x[i]); i++)
            ;
    if (i < 0 || i == n)
        return LT_OK;
    text what = {0};
    describe_number(&what, name, shape->rank, shape->d, x, i);
    int status = status_fail(LT_VALUE,
                             "%s: %s, expected a finite number; the training that wrote this file had "
                             "diverged: use an earlier checkpoint",
                             path, text_get(&what));
    text_clear(&what);
    return status;
}

static int read_tensor(const safetensors *file, const char *path, const char *name,
                       const lt_shape *shape, float *outside)
{
    LT_TRY(safetensors_get(file, name, SAFETENSORS_F32, shape->rank, shape->d, outside));
    return check_numbers(path, name, shape, outside);
}

/* Reads the tensors of a block from a file into `numbers` and counts them. */
static int read_tensors(const safetensors *file, const char *path, const kept_block *b,
                        float *numbers, int *count)
{
    const lt_params *p = b->params;
    for (int i = 0; i < lt_params_count(p); i++) {
        lt_param_info info = lt_params_info(p, i);
        if (info.is_state && !b->with_states)
            continue;
        size_t bytes = sizeof(float) * (size_t)lt_shape_size(info.shape);
        float *outside = tensor_alloc(bytes, info.name);
        char *name = must_format("%s%s", b->prefix, info.name);
        int status =
            outside ? read_tensor(file, path, name, &info.shape, outside) : LT_NO_MEMORY;
        if (status == LT_OK)
            lt_params_import(p, i, numbers, outside);
        free(name);
        tensor_free(outside);
        LT_TRY(status);
        ++*count;
    }
    return LT_OK;
}

/* The blocks as a file has them, checked before the real blocks are changed. */
typedef struct block_copies {
    float *numbers[MAX_BLOCKS];
} block_copies;

static int read_copies(const safetensors *file, const char *path, const block_list *blocks,
                       block_copies *copies, int *count)
{
    for (int i = 0; i < blocks->n; i++) {
        const kept_block *b = &blocks->list[i];
        copies->numbers[i] = tensor_alloc(block_bytes(b), "a checkpoint");
        if (!copies->numbers[i])
            return LT_NO_MEMORY;
        LT_TRY(read_tensors(file, path, b, copies->numbers[i], count));
    }
    return LT_OK;
}

static void take_copies(const block_list *blocks, const block_copies *copies)
{
    for (int i = 0; i < blocks->n; i++)
        memcpy(blocks->list[i].numbers, copies->numbers[i], block_bytes(&blocks->list[i]));
}

static void block_copies_clear(block_copies *c)
{
    for (int i = 0; i < MAX_BLOCKS; i++)
        tensor_free(c->numbers[i]);
}

/* ---- Saving ---- */

static const char *size_text(arena *a, const lt_model *m)
{
    lt_image_size s = lt_model_image_size(m);
    return arena_format(a, "%dx%dx%d", s.h, s.w, s.c);
}

/* Training cannot continue from such weights, so they must not replace better ones. */
static int check_finite(const lt_trainer *t, const tensor_list *l)
{
    lt_params *p = lt_model_params(t->model), *discriminator = lt_model_discriminator(t->model);
    int weights = lt_params_count(p) + (discriminator ? lt_params_count(discriminator) : 0);
    for (int i = 0; i < weights; i++) {
        const safetensors_entry *e = &l->entries[i];
        int64_t at = find_broken(e->data, (int64_t)(entry_bytes(e) / sizeof(float)));
        text what = {0};
        if (at < 0)
            continue;
        describe_number(&what, e->name, e->rank, e->dims, e->data, at);
        int status =
            t->done.step == 0
                ? status_fail(LT_VALUE, "%s before the first step: not saved", text_get(&what))
                : status_fail(LT_VALUE,
                              "step %lld made weights that are not finite (%s), so they are not saved; "
                              "try a smaller learning rate, or clip_norm",
                              (long long)t->done.step, text_get(&what));
        text_clear(&what);
        return status;
    }
    return LT_OK;
}

static int write_trainer(const lt_trainer *t, const tensor_list *l, const char *path,
                         int64_t log_lines)
{
    arena names = {0}, *a = &names;
    const safetensors_pair fixed[] = {
        {"format", "latent"},
        {"format_version", FORMAT_VERSION},
        {"latent_version", lt_version()},
        {"image", size_text(a, t->model)},
        {"optimizer", t->phases[0].optimizer->spec.name},
        {"seed", arena_format(a, "%llu", (unsigned long long)t->seed)},
        {"images_in_epoch", counters_integer_text(a, t->images)},
    };
    safetensors_pair pairs[COUNT_OF(fixed) + LT_SPLITS + MAX_COUNTERS + 2];
    memcpy(pairs, fixed, sizeof fixed);
    int n = COUNT_OF(fixed);
    n += identity_list(t, pairs + n);
    n += counters_list(t, pairs + n, a);
    if (log_lines >= 0)
        pairs[n++] = (safetensors_pair){"log_lines", counters_integer_text(a, log_lines)};
    pairs[n++] = (safetensors_pair){"recipe", lt_recipe_text(t->recipe)};
    int status = checkpoint_write(path, l->entries, l->n, pairs, n);
    arena_clear(a);
    return status;
}

int checkpoint_save(const lt_trainer *t, const char *path, int64_t log_lines)
{
    tensor_list l = {.n = 0};
    block_list blocks = {.n = 0};
    list_blocks(t, &blocks);
    int status = list_tensors(&blocks, &l);
    if (status == LT_OK)
        status = check_finite(t, &l);
    if (status == LT_OK)
        status = write_trainer(t, &l, path, log_lines);
    tensor_list_clear(&l);
    arena_clear(&blocks.names);
    return status;
}

int lt_trainer_save(const lt_trainer *t, const char *path) { return checkpoint_save(t, path, -1); }

/* ---- Loading into a trainer ---- */

/* Compares a metadata value; a mismatch returns `status`. */
static int expect_text(const safetensors *file, const char *path, int status, const char *key,
                       const char *expected)
{
    const char *found = safetensors_metadata(file, key);
    if (found && strcmp(found, expected) == 0)
        return LT_OK;
    return status_fail(status, "%s: %s: expected %s, found %.40s", path, key, expected,
                       found ? found : "nothing");
}

static int check_same(const lt_trainer *t, const safetensors *file, const char *path)
{
    arena a = {0};
    const struct {
        const char *key, *value;
        int status;
    } expected[] = {
        {"format", "latent", LT_VALUE},
        {"image", size_text(&a, t->model), LT_VALUE},
        {"images_in_epoch", counters_integer_text(&a, t->images), LT_VALUE},
        {"optimizer", t->phases[0].optimizer->spec.name, LT_FORMAT},
        {"seed", arena_format(&a, "%llu", (unsigned long long)t->seed), LT_FORMAT},
    };
    int status = LT_OK;
    for (int i = 0; i < COUNT_OF(expected) && status == LT_OK; i++)
        status = expect_text(file, path, expected[i].status, expected[i].key, expected[i].value);
    arena_clear(&a);
    return status;
}

static void say_change(void *recipe, const recipe_change *change)
{
    const lt_recipe *r = recipe;
    if (change->may_change)
        log_info("%s: %.60s until this checkpoint, %.60s from here on", change->key,
                 change->then, change->now);
    const phase *first = kind_of(r)->phases;
    for (const phase *f = first; f < first + MAX_PHASES && f->name; f++)
        if (strcmp(change->key, "optimizer.lr") == 0 && f->optimizer)
            log_info("the %s has its own optimizer: objective.%s_optimizer.lr", f->name, f->name);
}

/* Compares the recipe in a checkpoint with the trainer's. */
static int check_recipe(const lt_trainer *t, const safetensors *file, const char *path)
{
    const char *recipe = safetensors_metadata(file, "recipe");
    if (!recipe)
        return status_fail(LT_VALUE, "%s: metadata \"recipe\": expected the recipe, found nothing",
                           path);
    char *label = must_format("%s, recipe", path);
    lt_recipe *then = lt_recipe_parse(label, recipe, NULL, 0);
    free(label);
    if (!then)
        return LT_VALUE;
    int status = lt_recipe_check_resume(then, t->recipe);
    if (status != LT_OK)
        status_prefix(status, "%s", path);
    else
        recipe_compare(then, t->recipe, say_change, (void *)t->recipe);
    lt_recipe_free(then);
    return status;
}

/* Whether a block has a tensor of that name. */
static bool holds_tensor(const kept_block *b, const char *name)
{
    size_t n = strlen(b->prefix);
    int i = strncmp(name, b->prefix, n) == 0 ? lt_params_find(b->params, name + n) : -1;
    return i >= 0 && (b->with_states || !lt_params_info(b->params, i).is_state);
}

/* The file has all tensors of the blocks, and more. */
static int fail_surplus(const safetensors *file, const char *path, const block_list *blocks,
                        int count)
{
    const char *first = NULL;
    for (int i = 0; i < file->n && !first; i++) {
        bool is_known = false;
        for (int k = 0; k < blocks->n; k++)
            is_known |= holds_tensor(&blocks->list[k], file->tensors[i].name);
        first = is_known ? NULL : file->tensors[i].name;
    }
    return status_fail(LT_VALUE, "%s: expected %d tensors, found %d, among them \"%s\"", path, count,
                       file->n, first ? first : "");
}

static int read_blocks(const safetensors *file, const char *path, const block_list *blocks,
                       block_copies *copies)
{
    int count = 0, status = read_copies(file, path, blocks, copies, &count);
    if (status == LT_OK && count != file->n)
        status = fail_surplus(file, path, blocks, count);
    /* the file is intact, so a mismatch means another model */
    return status == LT_FORMAT || status == LT_NOT_FOUND ? LT_VALUE : status;
}

static int load_from(lt_trainer *t, const safetensors *file, const char *path,
                     const block_list *blocks, block_copies *copies)
{
    train_counters counters;
    LT_TRY(check_recipe(t, file, path));
    LT_TRY(identity_check(t, file, path));
    LT_TRY(check_same(t, file, path));
    LT_TRY(counters_read(t, file, path, &counters));
    LT_TRY(read_blocks(file, path, blocks, copies));
    take_copies(blocks, copies);
    t->done = counters;
    t->seconds = 0;
    t->images_timed = 0;
    return LT_OK;
}

int checkpoint_load(lt_trainer *t, const char *path, int64_t *log_lines)
{
    safetensors *file;
    block_list blocks = {.n = 0};
    block_copies copies = {.numbers = {NULL}};
    LT_TRY(checkpoint_read(path, &file));
    list_blocks(t, &blocks);
    int status = counters_read_lines(file, path, log_lines);
    if (status == LT_OK)
        status = load_from(t, file, path, &blocks, &copies);
    block_copies_clear(&copies);
    arena_clear(&blocks.names);
    safetensors_free(file);
    return status;
}

/* ---- Models ---- */

static bool starts_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Names of a model's parameters, then the discriminator's. */
static const char *param_name(const void *model, int i)
{
    lt_model *m = (lt_model *)model;
    const lt_params *p = lt_model_params(m);
    int n = lt_params_count(p);
    return i < n ? lt_params_info(p, i).name : lt_params_info(lt_model_discriminator(m), i - n).name;
}

static bool has_param(lt_model *m, const char *name)
{
    const lt_params *discriminator = lt_model_discriminator(m);
    return lt_params_find(lt_model_params(m), name) >= 0 ||
           (discriminator && lt_params_find(discriminator, name) >= 0);
}

/* A tensor that is not a weight, an average or optimizer state belongs to another model. */
static int check_names(const safetensors *file, lt_model *m, const char *path)
{
    const lt_params *p = lt_model_params(m), *discriminator = lt_model_discriminator(m);
    for (int i = 0; i < file->n; i++) {
        const char *name = file->tensors[i].name;
        bool is_average = starts_with(name, EMA_PREFIX);
        if (starts_with(name, "optimizer.") ||
            has_param(m, is_average ? name + strlen(EMA_PREFIX) : name))
            continue;
        const char *nearest = text_nearest(
            name, param_name, m, lt_params_count(p) + (discriminator ? lt_params_count(discriminator) : 0));
        return status_fail(LT_VALUE, "%s: the model has no parameter \"%s\"%s%s%s", path, name,
                           nearest ? "; it has \"" : "", nearest ? nearest : "",
                           nearest ? "\"" : "");
    }
    return LT_OK;
}

static bool holds_averages(const safetensors *file)
{
    for (int i = 0; i < file->n; i++)
        if (starts_with(file->tensors[i].name, EMA_PREFIX))
            return true;
    return false;
}

static int load_weights(lt_model *m, const safetensors *file, const char *path)
{
    block_list blocks = {.n = 0};
    block_copies copies = {.numbers = {NULL}};
    int count = 0;
    bool has_averages = holds_averages(file);
    LT_TRY(check_names(file, m, path));
    list_model_blocks(m, &blocks);
    if (model_ema(m) && !has_averages)
        blocks.n--; /* they are the last */
    if (!model_ema(m) && has_averages)
        log_warning("%s: its averaged weights are ignored, because train.ema_decay is 0", path);
    int status = read_copies(file, path, &blocks, &copies, &count);
    if (status == LT_OK) {
        take_copies(&blocks, &copies);
        if (!has_averages)
            model_restart_average(m);
    }
    block_copies_clear(&copies);
    return status;
}

/* The file is intact: a failure means another model, or no memory. */
static int of_whole_file(int status)
{
    return status == LT_OK || status == LT_NO_MEMORY ? status : LT_VALUE;
}

int checkpoint_load_weights(const char *path, lt_model *m, bool is_of_run)
{
    safetensors *file;
    LT_TRY(checkpoint_read(path, &file));
    int status = load_weights(m, file, path);
    safetensors_free(file);
    return is_of_run ? of_whole_file(status) : status;
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

/* Reads the recipe and the image size of a file. *r is NULL on failure. */
static int read_recipe(const safetensors *file, const char *path, lt_recipe **r, lt_image_size *size)
{
    const char *recipe = safetensors_metadata(file, "recipe");
    *r = NULL;
    if (!recipe)
        return status_fail(LT_VALUE,
                           "%s: metadata \"recipe\": expected the recipe of its model, found nothing",
                           path);
    LT_TRY(read_image_size(file, path, size));
    *r = lt_recipe_parse(path, recipe, NULL, 0);
    return *r ? LT_OK : LT_VALUE;
}

static int open_from(const safetensors *file, const char *path, lt_model **m)
{
    lt_image_size size;
    lt_recipe *r;
    LT_TRY(read_recipe(file, path, &r, &size));
    *m = lt_model_create(r, size);
    lt_recipe_free(r);
    LT_TRY(*m ? load_weights(*m, file, path) : LT_VALUE);
    identity_give(file, *m);
    return LT_OK;
}

static void take_digest(const safetensors *file, char digest[LT_DIGEST_SIZE])
{
    const char *its = safetensors_metadata(file, "digest");
    snprintf(digest, LT_DIGEST_SIZE, "%s", its ? its : "");
}

int checkpoint_open(const char *path, lt_model **m, char digest[LT_DIGEST_SIZE])
{
    safetensors *file;
    *m = NULL;
    LT_TRY(checkpoint_read(path, &file));
    take_digest(file, digest);
    int status = open_from(file, path, m);
    safetensors_free(file);
    if (status == LT_OK)
        return LT_OK;
    lt_model_free(*m);
    *m = NULL;
    return of_whole_file(status);
}

/* ---- Metadata ---- */

static int describe(const safetensors *file, const char *path, lt_checkpoint *out)
{
    take_digest(file, out->digest);
    LT_TRY(read_recipe(file, path, &out->recipe, &out->size));
    LT_TRY(counters_read_position(file, path, &out->step, &out->epoch, &out->images));
    LT_TRY(identity_read(file, path, out->trained_on));
    out->path = must_copy_text(path);
    return LT_OK;
}

int checkpoint_describe(const char *path, lt_checkpoint *out)
{
    safetensors *file;
    *out = (lt_checkpoint){.path = NULL};
    LT_TRY(checkpoint_read(path, &file));
    int status = describe(file, path, out);
    safetensors_free(file);
    if (status != LT_OK)
        lt_checkpoint_clear(out);
    return status;
}

void lt_checkpoint_clear(lt_checkpoint *c)
{
    lt_recipe_free(c->recipe);
    free(c->path);
    *c = (lt_checkpoint){.path = NULL};
}
