/* SPDX-License-Identifier: MIT */
/* The classifier: convolutions of stride 2 down to 4 x 4 pixels, FEATURES numbers, and a linear layer to the
   classes; trained by a fixed number of Adam steps on batches sampled with a fixed seed. */
#include "quality/features.h"

#include <latent/nn.h>
#include <latent/train.h>

#include "base/memory.h"
#include "base/philox.h"
#include "base/status.h"
#include "base/text.h"
#include "data/cache.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERSION = 2, /* of all code here that affects the weights */
    BATCH = 128,
    BLOCK = 200, /* images per run of the feature program */
    STEPS = 1500,
    FEW_STEPS = 100,
    MAX_VISITS = 12, /* average number of times that training uses an image */
    LAST_SIDE = 4,
    SCALED_BY = 10000, /* number of images for the scale of features */
    SEED = 20170626,
    STREAM_IMAGES = 0x9ea700,
    STREAM_TURNS = 0x9ea701,
};

typedef struct program {
    lt_graph *graph;
    lt_session *session;
} program;

struct features {
    features_info info;
    const reference_set *learn; /* only while opening */
    int h, w, c, threads;
    lt_params *params;
    float mean[FEATURES], scale[FEATURES]; /* mean of the raw features; 1 / their standard deviation */
    program find;
    lt_node *x, *code, *probabilities; /* of BLOCK images */
};

static int64_t pixel_count(const features *f) { return (int64_t)f->h * f->w * f->c; }

static void program_close(program *p)
{
    lt_session_free(p->session);
    lt_graph_free(p->graph);
    *p = (program){0};
}

/* ---- The network ---- */

/* n x h x w x c images in [0, 1] -> n x FEATURES -> n x classes logits. */
static lt_node *network(lt_scope *s, lt_node *x, int classes, lt_node **code)
{
    const lt_init he = {.kind = LT_INIT_KAIMING_NORMAL}, zero = {.kind = LT_INIT_ZEROS};
    int channels = 32, layers = 0;
    lt_shape size;
    char name[32];
    x = lt_shift(lt_scale(x, 2), -1);
    do {
        snprintf(name, sizeof name, "conv%d", ++layers);
        x = lt_relu(lt_conv(s, name, x, channels, .stride = 2, .pad = 1, .weight_init = he,
                            .bias_init = zero));
        channels = channels < 128 ? 2 * channels : 128;
        size = lt_node_shape(x);
    } while (layers < 2 || size.d[1] > LAST_SIDE || size.d[2] > LAST_SIDE);
    *code = lt_linear(s, "code", lt_flatten(x), FEATURES, .bias_init = zero);
    return lt_linear(s, "classes", lt_relu(*code), classes, .bias_init = zero);
}

/* Opens a session on `targets` with the network's parameters. */
static int program_open(features *f, program *p, lt_node *const *targets, int n)
{
    LT_TRY(lt_session_open(p->graph, targets, n, &(lt_session_options){.threads = f->threads}, &p->session));
    return lt_params_bind(f->params, p->graph, p->session);
}

static lt_node *image_input(const features *f, lt_graph *g, int n)
{
    return lt_input(g, "x", lt_shape_4d(n, f->h, f->w, f->c));
}

static lt_node *declare(lt_scope *s, lt_node *x, const void *options)
{
    lt_node *code;
    return network(s, x, ((const features *)options)->info.classes, &code);
}

static int make_params(features *f)
{
    f->params = lt_params_create();
    return lt_params_declare(f->params, declare, f, lt_shape_4d(1, f->h, f->w, f->c), SEED);
}

/* Compiles the program that computes features. */
static int open_find(features *f)
{
    lt_graph *g = f->find.graph = lt_graph_create();
    f->x = image_input(f, g, BLOCK);
    lt_node *logits = network(lt_params_visit(f->params, g), f->x, f->info.classes, &f->code);
    lt_node *sum = lt_reshape(lt_log_sum_exp(logits, LT_AXIS(1)), lt_shape_2d(BLOCK, 1));
    f->probabilities = lt_exp(lt_sub(logits, sum));
    return program_open(f, &f->find, (lt_node *[]){f->code, f->probabilities}, 2);
}

/* ---- Batches: images sampled with replacement, rotated if there are no labels ---- */

/* Rotates an image by `turns` quarter turns if it is square, else by half turns. */
static void turn_image(const features *f, int turns, const float *from, float *to)
{
    int h = f->h, w = f->w, quarters = f->info.classes == 4 ? turns : 2 * turns;
    for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++) {
            int row = quarters == 0 ? i : quarters == 1 ? j : quarters == 2 ? h - 1 - i : w - 1 - j;
            int col = quarters == 0 ? j : quarters == 1 ? h - 1 - i : quarters == 2 ? w - 1 - j : i;
            memcpy(to + (i * w + j) * f->c, from + (row * w + col) * f->c,
                   sizeof *to * (size_t)f->c);
        }
}

/* Rotates image i of n by `turns[i]`. */
static void turn_images(const features *f, int n, const int32_t *turns, float *images)
{
    size_t floats = (size_t)pixel_count(f);
    float *copy = must_alloc(sizeof *copy * floats);
    for (int i = 0; i < n; i++) {
        memcpy(copy, images + (size_t)i * floats, sizeof *copy * floats);
        turn_image(f, turns[i], copy, images + (size_t)i * floats);
    }
    free(copy);
}

/* Gathers n images of g and their classes: labels, or rotations sampled with `key`. */
static int gather_classes(const features *f, const reference_set *g, const int32_t *index, int n,
                          const philox_key *key, float *images, int32_t *classes)
{
    LT_TRY(reference_set_gather(g, index, n, f->threads, images));
    if (!f->info.is_rotation)
        return reference_set_labels(g, index, n, classes);
    for (int i = 0; i < n; i++)
        classes[i] = (int32_t)(philox_word(key, i) % (uint32_t)f->info.classes);
    turn_images(f, n, classes, images);
    return LT_OK;
}

typedef struct learner {
    program step;
    lt_node *x, *y, *loss;
} learner;

static int learner_open(features *f, learner *l)
{
    lt_graph *g = l->step.graph = lt_graph_create();
    lt_node *code, *targets[1 + LT_OPTIMIZER_TARGETS];
    l->x = image_input(f, g, BATCH);
    l->y = lt_input(g, "y", lt_shape_1d(BATCH));
    lt_node *logits = network(lt_params_visit(f->params, g), l->x, f->info.classes, &code);
    lt_node *right = lt_sum_rows(lt_mul(logits, lt_one_hot(l->y, f->info.classes)));
    l->loss = targets[0] = lt_mean(lt_sub(lt_log_sum_exp(logits, LT_AXIS(1)), right));
    int n = lt_optimizer_build("adam lr=1e-3", f->params, l->loss, targets + 1);
    return n > 0 ? program_open(f, &l->step, targets, 1 + n) : LT_VALUE;
}

static int learn_step(features *f, learner *l, int step)
{
    int32_t index[BATCH], classes[BATCH];
    const philox_key images = {SEED, STREAM_IMAGES, (uint64_t)step};
    const philox_key turns = {SEED, STREAM_TURNS, (uint64_t)step};
    for (int i = 0; i < BATCH; i++)
        index[i] = (int32_t)((uint64_t)philox_word(&images, i) * (uint64_t)f->learn->n >> 32);
    float *y = lt_session_floats(l->step.session, l->y);
    LT_TRY(gather_classes(f, f->learn, index, BATCH, &turns,
                          lt_session_floats(l->step.session, l->x), classes));
    for (int i = 0; i < BATCH; i++)
        y[i] = (float)classes[i];
    LT_TRY(lt_session_run(l->step.session, NULL));
    float loss = *lt_session_floats(l->step.session, l->loss);
    return isfinite(loss) ? LT_OK
                          : status_fail(LT_VALUE, "the classifier of %s: step %d: the loss is %g",
                                        lt_dataset_describe(f->learn->data)->name, step + 1,
                                        (double)loss);
}

static int learn(features *f, const features_options *o)
{
    learner l = {.x = NULL};
    int status = learner_open(f, &l);
    for (int i = 0; status == LT_OK && i < f->info.steps; i++) {
        if (o->progress && !o->progress(o->user, (double)i / f->info.steps))
            status = status_fail(LT_INTERRUPTED, "training the features was stopped");
        else
            status = learn_step(f, &l, i);
    }
    program_close(&l.step);
    return status;
}

/* ---- Features ---- */

static int find_block(features *f, int n, const float *images, float *values, float *probabilities)
{
    size_t pixels = (size_t)pixel_count(f), classes = (size_t)f->info.classes;
    float *x = lt_session_floats(f->find.session, f->x);
    memset(x, 0, sizeof *x * BLOCK * pixels);
    memcpy(x, images, sizeof *x * (size_t)n * pixels);
    LT_TRY(lt_session_run(f->find.session, NULL));
    const float *code = lt_session_floats(f->find.session, f->code);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < FEATURES; k++)
            values[i * FEATURES + k] = (code[i * FEATURES + k] - f->mean[k]) * f->scale[k];
    if (probabilities)
        memcpy(probabilities, lt_session_floats(f->find.session, f->probabilities),
               sizeof *probabilities * (size_t)n * classes);
    return LT_OK;
}

int features_find(features *f, int n, const float *images, float *values, float *probabilities)
{
    for (int at = 0; at < n; at += BLOCK)
        LT_TRY(find_block(f, n - at < BLOCK ? n - at : BLOCK, images + at * pixel_count(f),
                          values + (size_t)at * FEATURES,
                          probabilities ? probabilities + (int64_t)at * f->info.classes : NULL));
    return LT_OK;
}

/* Finds mean and standard deviation of each feature over the train images. A constant feature becomes 0. */
static int find_scale(features *f)
{
    reference_set part = reference_set_part(f->learn, SCALED_BY);
    float *images = tensor_alloc(sizeof *images * BLOCK * (size_t)pixel_count(f), "images"),
          *values = must_alloc(sizeof *values * BLOCK * FEATURES);
    double sum[FEATURES] = {0}, squares[FEATURES] = {0};
    int status = images ? LT_OK : LT_NO_MEMORY;
    for (int k = 0; k < FEATURES; k++)
        f->scale[k] = 1;
    for (int at = 0, n; status == LT_OK && at < part.n; at += n) {
        n = part.n - at < BLOCK ? part.n - at : BLOCK;
        status = reference_set_run(&part, at, n, f->threads, images);
        if (status == LT_OK)
            status = features_find(f, n, images, values, NULL);
        for (int i = 0; status == LT_OK && i < n * FEATURES; i++) {
            sum[i % FEATURES] += (double)values[i];
            squares[i % FEATURES] += (double)values[i] * (double)values[i];
        }
    }
    for (int k = 0; k < FEATURES; k++) {
        double mean = sum[k] / part.n, variance = squares[k] / part.n - mean * mean;
        f->mean[k] = (float)mean;
        f->scale[k] = variance > 1e-10 ? (float)(1 / sqrt(variance)) : 0;
    }
    free(values);
    tensor_free(images);
    return status;
}

/* Counts how many of n images are classified right. `images` and `p` are buffers. */
static int count_right(features *f, const reference_set *g, int at, int n, float *images, float *p,
                       int *right)
{
    const philox_key turns = {SEED + 1, STREAM_TURNS, (uint64_t)at};
    const int classes = f->info.classes;
    int32_t index[BLOCK], truth[BLOCK];
    float values[BLOCK * FEATURES];
    for (int i = 0; i < n; i++)
        index[i] = at + i;
    LT_TRY(gather_classes(f, g, index, n, &turns, images, truth));
    LT_TRY(features_find(f, n, images, values, p));
    for (int i = 0; i < n; i++) {
        int best = 0;
        for (int k = 1; k < classes; k++)
            best = p[i * classes + k] > p[i * classes + best] ? k : best;
        *right += best == truth[i];
    }
    return LT_OK;
}

/* Finds the share of the most frequent class; rotations are equally frequent. */
static int find_guess(const features *f, const reference_set *g, double *guess)
{
    int classes = f->info.classes, most = 0, status;
    *guess = 1. / classes;
    if (f->info.is_rotation)
        return LT_OK;
    int32_t *index = must_alloc(sizeof *index * (size_t)g->n);
    int32_t *labels = must_alloc(sizeof *labels * (size_t)g->n);
    int *count = must_alloc(sizeof *count * (size_t)classes);
    for (int i = 0; i < g->n; i++)
        index[i] = i;
    status = reference_set_labels(g, index, g->n, labels);
    for (int i = 0; status == LT_OK && i < g->n; i++)
        count[labels[i]]++;
    for (int k = 0; k < classes; k++)
        most = count[k] > most ? count[k] : most;
    *guess = (double)most / g->n;
    free(index);
    free(labels);
    free(count);
    return status;
}

int features_accuracy(features *f, const reference_set *g, double *share, double *guess)
{
    int right = 0, status;
    *share = *guess = (double)NAN;
    if (!f->info.is_rotation && !g->has_labels)
        return LT_OK;
    float *images = tensor_alloc(sizeof *images * BLOCK * (size_t)pixel_count(f), "images");
    float *p = must_alloc(sizeof *p * BLOCK * (size_t)f->info.classes);
    status = images ? LT_OK : LT_NO_MEMORY;
    for (int at = 0; status == LT_OK && at < g->n; at += BLOCK)
        status = count_right(f, g, at, g->n - at < BLOCK ? g->n - at : BLOCK, images, p, &right);
    if (status == LT_OK)
        status = find_guess(f, g, guess);
    if (status == LT_OK)
        *share = (double)right / g->n;
    tensor_free(images);
    free(p);
    return status;
}

/* ---- The cache: the head names what the network depends on, the body holds its numbers ---- */

/* Describes everything that the weights depend on. */
static char *describe(const features *f, const char *images)
{
    return must_format("latent features %d: %d x %d x %d, %d %s, %d steps of %d\nimages %s\n",
                       VERSION, f->h, f->w, f->c, f->info.classes,
                       f->info.is_rotation ? "rotations" : "classes", f->info.steps, BATCH, images);
}

/* Appends weights, means and scales as one array. */
static void put_numbers(features *f, text *body)
{
    text_append_bytes(body, (const char *)lt_params_block(f->params),
                      sizeof(float) * (size_t)lt_params_extent(f->params));
    text_append_bytes(body, (const char *)f->mean, sizeof f->mean);
    text_append_bytes(body, (const char *)f->scale, sizeof f->scale);
}

static bool take_numbers(features *f, const cached *c, const char *words)
{
    size_t block = sizeof(float) * (size_t)lt_params_extent(f->params);
    if (c->head_size != strlen(words) || memcmp(c->head, words, c->head_size) != 0 ||
        c->body_size != block + sizeof f->mean + sizeof f->scale)
        return false;
    memcpy(lt_params_block(f->params), c->body, block);
    memcpy(f->mean, c->body + block, sizeof f->mean);
    memcpy(f->scale, c->body + block + sizeof f->mean, sizeof f->scale);
    return true;
}

static bool load(features *f, const char *key, const char *words)
{
    cached c;
    if (!cache_load("features", key, f->threads, &c))
        return false;
    bool done = take_numbers(f, &c, words);
    if (!done)
        log_warning("the cached features of %s are damaged; training them again",
                    lt_dataset_describe(f->learn->data)->name);
    cached_clear(&c);
    return done;
}

/* Trains the classifier or reads it from the cache, and computes its digest. */
static int make_numbers(features *f, const features_options *o)
{
    char images[SHA256_TEXT], key[SHA256_TEXT];
    LT_TRY(reference_set_digest(f->learn, !f->info.is_rotation, f->threads, images));
    char *words = describe(f, images);
    sha256_text(words, strlen(words), key);
    text body = {0};
    int status = LT_OK;
    f->info.was_cached = load(f, key, words);
    if (!f->info.was_cached) {
        status = learn(f, o);
        if (status == LT_OK)
            status = find_scale(f);
    }
    for (int k = 0; k < FEATURES; k++)
        f->info.varying += f->scale[k] > 0;
    put_numbers(f, &body);
    if (status == LT_OK && !f->info.was_cached)
        cache_store("features", key, f->threads, words, strlen(words), text_get(&body), body.size);
    text_append(&body, words);
    sha256_text(text_get(&body), body.size, f->info.digest);
    text_clear(&body);
    free(words);
    return status;
}

/* ---- Opening ---- */

static void decide_task(features *f, const features_options *o)
{
    const lt_dataset_info *info = lt_dataset_describe(f->learn->data);
    int64_t steps = (int64_t)f->learn->n * MAX_VISITS / BATCH;
    f->h = info->h;
    f->w = info->w;
    f->c = info->c;
    f->threads = o->threads;
    f->info.is_rotation = !f->learn->has_labels || info->classes < 2;
    f->info.classes = !f->info.is_rotation ? info->classes : f->h == f->w ? 4 : 2;
    f->info.steps = o->steps > 0         ? o->steps
                    : steps > STEPS      ? STEPS
                    : steps > FEW_STEPS ? (int)steps
                                         : FEW_STEPS;
}

int features_open(const reference_set *learn, const features_options *o, features **out)
{
    features *f = must_alloc(sizeof *f);
    f->learn = learn;
    decide_task(f, o);
    int status = make_params(f);
    if (status == LT_OK)
        status = open_find(f);
    if (status == LT_OK)
        status = make_numbers(f, o);
    f->learn = NULL;
    *out = status == LT_OK ? f : NULL;
    if (status != LT_OK)
        features_free(f);
    return status;
}

void features_free(features *f)
{
    if (!f)
        return;
    program_close(&f->find);
    lt_params_free(f->params);
    free(f);
}

const features_info *features_describe(const features *f) { return &f->info; }
