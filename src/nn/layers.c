/* SPDX-License-Identifier: MIT */
/* Layers: functions that ask a scope for parameters and return a node, and their table. Adding one
   is a line in layers.def and, if it has options, a struct and its rows here. */
#include "nn/layers.h"

#include "graph/op.h"
#include "nn/init.h"

#include <string.h>

/* ---- Functions of nn.h ---- */

static lt_init with_fans(lt_init init, int64_t in, int64_t out)
{
    init.fan_in = init.fan_in ? init.fan_in : in;
    init.fan_out = init.fan_out ? init.fan_out : out;
    return init;
}

lt_node *lt_linear_with(lt_scope *s, const char *name, lt_node *x, int64_t units,
                        const lt_linear_options *o)
{
    lt_graph *g = lt_scope_graph(s);
    if (node_is_bad(x))
        return x;
    lt_shape shape = lt_node_shape(x);
    if (shape.rank != 2) {
        char found[LT_SHAPE_TEXT_SIZE];
        return lt_graph_fail(g, "linear: expected rows of numbers, found %s",
                             lt_shape_text(shape, found));
    }
    int64_t in = shape.d[1];
    lt_scope *own = lt_scope_enter(s, name);
    lt_node *w = lt_param(own, "weight", lt_shape_2d(in, units), LT_LAYOUT_LINEAR,
                          with_fans(o->weight_init, in, units));
    lt_node *y = lt_matmul(x, w);
    if (o->no_bias)
        return y;
    return lt_add(y, lt_param(own, "bias", lt_shape_1d(units), LT_LAYOUT_PLAIN,
                              with_fans(o->bias_init, in, units)));
}

lt_node *lt_dropout(lt_node *x, double p, bool training)
{
    lt_graph *g = lt_node_graph(x);
    if (!(p >= 0 && p < 1))
        return lt_graph_fail(g, "dropout: p must be at least 0 and below 1");
    if (!training || p == 0)
        return x;
    lt_node *keep = lt_less(lt_scalar(g, p), lt_uniform(g, lt_node_shape(x)));
    return lt_mul(x, lt_scale(keep, 1 / (1 - p)));
}

/* ---- Options ---- */

enum { MAX_SIZE = 1 << 20 }; /* units, or one side of an image */

typedef struct linear_layer {
    char units[LT_TEXT_SIZE]; /* a number, or "image" */
    bool bias;
    char init[LT_TEXT_SIZE]; /* a line of the initialisers, or "model" */
} linear_layer;

static const lt_option linear_options[] = {
    {.name = "units", .kind = LT_KIND_TEXT, .offset = offsetof(linear_layer, units),
     .positional = true, .required = true,
     .help = "numbers in the output, or `image`: as many as an image has"},
    {.name = "bias", .kind = LT_KIND_BOOL, .offset = offsetof(linear_layer, bias), .fallback = 1,
     .help = "whether b is there"},
    {.name = "init", .kind = LT_KIND_TEXT, .offset = offsetof(linear_layer, init),
     .choices = "model", .help = "initialiser of w and b, or `model`: the model's"},
    {0}};

/* Units as a number; 0 for "image", -1 if it is neither. */
static int64_t parse_units(const char *units)
{
    int64_t n;
    if (strcmp(units, "image") == 0)
        return 0;
    return text_to_int64(units, &n) && n >= 1 && n <= MAX_SIZE ? n : -1;
}

static int check_linear(const void *options)
{
    const linear_layer *o = options;
    if (parse_units(o->units) < 0)
        return status_fail(LT_VALUE,
                           "units must be a whole number between 1 and %d, or \"image\", "
                           "found \"%s\"",
                           MAX_SIZE, o->units);
    if (strcmp(o->init, "model") == 0)
        return LT_OK;
    return spec_check(&initialiser_table, o->init);
}

typedef struct leaky_relu_layer {
    double slope;
} leaky_relu_layer;

static const lt_option leaky_relu_options[] = {
    {.name = "slope", .kind = LT_KIND_REAL, .offset = offsetof(leaky_relu_layer, slope),
     .fallback = 0.01, .min = 0, .max = 1, .positional = true, .help = "of the negative side"},
    {0}};

typedef struct elu_layer {
    double alpha;
} elu_layer;

static const lt_option elu_options[] = {
    {.name = "alpha", .kind = LT_KIND_REAL, .offset = offsetof(elu_layer, alpha), .fallback = 1,
     .min = 1e-6, .max = 1e6, .positional = true, .help = "minus the limit at minus infinity"},
    {0}};

typedef struct reshape_layer {
    int64_t h, w, c;
} reshape_layer;

static const lt_option reshape_options[] = {
    {.name = "height", .kind = LT_KIND_INT, .offset = offsetof(reshape_layer, h), .min = 1,
     .max = MAX_SIZE, .positional = true, .required = true, .help = "rows of the image"},
    {.name = "width", .kind = LT_KIND_INT, .offset = offsetof(reshape_layer, w), .min = 1,
     .max = MAX_SIZE, .positional = true, .required = true, .help = "columns of the image"},
    {.name = "channels", .kind = LT_KIND_INT, .offset = offsetof(reshape_layer, c), .min = 1,
     .max = MAX_SIZE, .positional = true, .required = true,
     .help = "numbers in a pixel; they lie side by side in memory"},
    {0}};

typedef struct dropout_layer {
    double p;
} dropout_layer;

static const lt_option dropout_options[] = {
    {.name = "p", .kind = LT_KIND_REAL, .offset = offsetof(dropout_layer, p), .fallback = 0.5,
     .min = 0, .max = 0.99, .positional = true, .help = "probability of 0"},
    {0}};

typedef struct shift_layer {
    double a;
} shift_layer;

static const lt_option shift_options[] = {
    {.name = "a", .kind = LT_KIND_REAL, .offset = offsetof(shift_layer, a), .min = -1e6,
     .max = 1e6, .positional = true, .required = true, .help = "what is added"},
    {0}};

/* ---- Building ---- */

static lt_node *build_linear(const layer_context *c, lt_node *x, const linear_layer *o)
{
    lt_init init = c->init;
    if (strcmp(o->init, "model") != 0 && init_parse(o->init, &init) != LT_OK)
        LT_ASSERT(!"an initialiser that was checked");
    int64_t units = parse_units(o->units);
    return lt_linear(c->scope, c->name, lt_flatten(x), units ? units : c->image_size,
                     .no_bias = !o->bias, .weight_init = init, .bias_init = init_of_bias(init));
}

static lt_node *build_reshape(lt_node *x, const reshape_layer *o)
{
    lt_shape s = lt_node_shape(x);
    return lt_reshape(x, lt_shape_4d(s.rank ? s.d[0] : 1, o->h, o->w, o->c));
}

/* ---- The table ---- */

/* PLAIN(relu, lt_relu(x), "max(x, 0)") becomes
   static lt_node *make_relu(const layer_context *c, lt_node *x, const void *options)
   { (void)c; (void)options; return lt_relu(x); } */
#define PLAIN(NAME, Y, SUMMARY)                                                                    \
    static lt_node *make_##NAME(const layer_context *c, lt_node *x, const void *options)           \
    {                                                                                              \
        (void)c, (void)options;                                                                    \
        return Y;                                                                                  \
    }
#define LAYER(NAME, Y, SUMMARY)                                                                    \
    static lt_node *make_##NAME(const layer_context *c, lt_node *x, const void *options)           \
    {                                                                                              \
        const NAME##_layer *o = options;                                                           \
        (void)c;                                                                                   \
        return Y;                                                                                  \
    }
#define CHECKED LAYER
#include "nn/layers.def"
#undef PLAIN
#undef LAYER
#undef CHECKED

/* PLAIN(relu, ...) becomes static const layer_row row_relu = {{.name = "relu", ...}, make_relu}; */
#define PLAIN(NAME, Y, SUMMARY)                                                                    \
    static const layer_row row_##NAME = {                                                          \
        {.name = #NAME, .summary = SUMMARY, .options = no_options}, make_##NAME};
#define LAYER(NAME, Y, SUMMARY)                                                                    \
    static const layer_row row_##NAME = {{.name = #NAME, .summary = SUMMARY,                       \
                                          .options = NAME##_options,                               \
                                          .size = sizeof(NAME##_layer)},                           \
                                         make_##NAME};
#define CHECKED(NAME, Y, SUMMARY)                                                                  \
    static const layer_row row_##NAME = {{.name = #NAME, .summary = SUMMARY,                       \
                                          .options = NAME##_options,                               \
                                          .size = sizeof(NAME##_layer), .check = check_##NAME},    \
                                         make_##NAME};
#include "nn/layers.def"
#undef PLAIN
#undef LAYER
#undef CHECKED

static const spec_row *const rows[] = {
#define PLAIN(NAME, Y, SUMMARY) &row_##NAME.spec,
#define LAYER PLAIN
#define CHECKED PLAIN
#include "nn/layers.def"
#undef PLAIN
#undef LAYER
#undef CHECKED
    NULL};

const spec_table layer_table = {"layer", rows};

lt_node *layer_build(const spec *layer, const layer_context *c, lt_node *x)
{
    return ((const layer_row *)layer->row)->build(c, x, layer->options);
}

bool layer_is(const spec *layer, const char *name) { return strcmp(layer->row->name, name) == 0; }
