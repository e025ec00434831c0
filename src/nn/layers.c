/* SPDX-License-Identifier: MIT */
/* The table of layers, their options, and building them. Adding a layer is a line in layers.def and, if it has
   options, a struct and its rows here. */
#include "nn/layers.h"

#include "graph/op.h"
#include "nn/init.h"
#include "nn/shapes.h"

#include <string.h>

/* ---- Functions of nn.h ---- */

lt_node *lt_dropout(lt_node *x, double p, bool training)
{
    lt_graph *g = lt_node_graph(x);
    if (!(p >= 0 && p < 1))
        return lt_graph_fail(g, "dropout: p must be at least 0 and below 1, found %g", p);
    if (!training || p == 0)
        return x;
    lt_node *keep = lt_less(lt_scalar(g, p), lt_uniform(g, lt_node_shape(x)));
    return lt_mul(x, lt_scale(keep, 1 / (1 - p)));
}

/* ---- Options ---- */

enum { MAX_SIZE = 1 << 20 }; /* units, or one side of an image */

/* Parses units or channels; 0 for "image", -1 if invalid. */
static int64_t parse_units(const char *units)
{
    int64_t n;
    if (strcmp(units, "image") == 0)
        return 0;
    return text_to_int64(units, &n) && n >= 1 && n <= MAX_SIZE ? n : -1;
}

/* Checks the size and the initializer of a layer with weights. */
static int check_weights(const char *what, const char *units, const char *init)
{
    if (parse_units(units) < 0)
        return status_fail(LT_VALUE,
                           "%s must be a whole number between 1 and %d, or \"image\", "
                           "found \"%s\"",
                           what, MAX_SIZE, units);
    if (strcmp(init, "model") == 0)
        return LT_OK;
    return spec_check(&initializer_table, init);
}

static lt_init parse_init(const layer_context *c, const char *words)
{
    lt_init init = c->init;
    if (strcmp(words, "model") != 0 && init_parse(words, &init) != LT_OK)
        LT_ASSERT(!"an initializer that was checked");
    return init;
}

typedef struct linear_layer {
    char units[LT_TEXT_SIZE]; /* a number, or "image" */
    bool bias;
    char init[LT_TEXT_SIZE]; /* an initializer, or "model" */
} linear_layer;

static const lt_option linear_options[] = {
    {.name = "units", .kind = LT_KIND_TEXT, .offset = offsetof(linear_layer, units),
     .positional = true, .required = true,
     .help = "output width; `image`: height x width x channels of the images"},
    {.name = "bias", .kind = LT_KIND_BOOL, .offset = offsetof(linear_layer, bias), .fallback = 1,
     .help = "whether to add b"},
    {.name = "init", .kind = LT_KIND_TEXT, .offset = offsetof(linear_layer, init),
     .choices = "model", .help = "initializer of w and b; `model`: the model's"},
    {0}};

static int check_linear(const void *options)
{
    const linear_layer *o = options;
    return check_weights("units", o->units, o->init);
}

typedef struct conv_layer {
    char channels[LT_TEXT_SIZE]; /* a number, or "image" */
    int64_t kernel, stride, pad, dilation, groups;
    int64_t output_pad; /* conv_transpose only */
    bool bias;
    char init[LT_TEXT_SIZE];
} conv_layer, conv_transpose_layer;

enum { MAX_WINDOW = 1024 };

#define CONV_ROWS                                                                                  \
    {.name = "channels", .kind = LT_KIND_TEXT, .offset = offsetof(conv_layer, channels),           \
     .positional = true, .required = true,                                                         \
     .help = "output channels; `image`: as many as the images have"},                               \
    {.name = "kernel", .kind = LT_KIND_INT, .offset = offsetof(conv_layer, kernel),                \
     .fallback = 3, .min = 1, .max = MAX_WINDOW, .help = "kernel size in pixels"},                 \
    {.name = "stride", .kind = LT_KIND_INT, .offset = offsetof(conv_layer, stride),                \
     .fallback = 1, .min = 1, .max = MAX_WINDOW, .help = "pixels between windows"},                \
    {.name = "pad", .kind = LT_KIND_INT, .offset = offsetof(conv_layer, pad),                      \
     .max = MAX_WINDOW, .help = "pixels of zeros around x; conv_transpose: cropped from y"},       \
    {.name = "dilation", .kind = LT_KIND_INT, .offset = offsetof(conv_layer, dilation),            \
     .fallback = 1, .min = 1, .max = MAX_WINDOW, .help = "pixels between kernel taps"},            \
    {.name = "groups", .kind = LT_KIND_INT, .offset = offsetof(conv_layer, groups),                \
     .fallback = 1, .min = 1, .max = MAX_SIZE, .help = "groups of channels, convolved separately"}

#define CONV_LAST_ROWS                                                                             \
    {.name = "bias", .kind = LT_KIND_BOOL, .offset = offsetof(conv_layer, bias), .fallback = 1,    \
     .help = "whether to add a bias per channel"},                                                 \
    {.name = "init", .kind = LT_KIND_TEXT, .offset = offsetof(conv_layer, init),                   \
     .choices = "model", .help = "initializer of weights and biases; `model`: the model's"}

static const lt_option conv_options[] = {CONV_ROWS, CONV_LAST_ROWS, {0}};

static const lt_option conv_transpose_options[] = {
    CONV_ROWS,
    {.name = "output_pad", .kind = LT_KIND_INT, .offset = offsetof(conv_layer, output_pad),
     .max = MAX_WINDOW, .help = "additional rows and columns of the output; less than stride"},
    CONV_LAST_ROWS,
    {0}};

static int check_conv(const void *options)
{
    const conv_layer *o = options;
    return check_weights("channels", o->channels, o->init);
}

static int check_conv_transpose(const void *options) { return check_conv(options); }

typedef struct norm_layer {
    double eps;
    bool affine;
    double momentum; /* batch_norm only */
    int64_t groups;  /* group_norm only */
} norm_layer, batch_norm_layer, layer_norm_layer, group_norm_layer, instance_norm_layer;

/* weights: the default of `affine` */
#define NORM_ROWS(weights)                                                                         \
    {.name = "eps", .kind = LT_KIND_REAL, .offset = offsetof(norm_layer, eps), .fallback = 1e-5,   \
     .min = 1e-12, .max = 1, .help = "added to the variance"},                                     \
    {.name = "affine", .kind = LT_KIND_BOOL, .offset = offsetof(norm_layer, affine),               \
     .fallback = weights, .help = "whether to multiply by weights and add biases"}

static const lt_option batch_norm_options[] = {
    NORM_ROWS(1),
    {.name = "momentum", .kind = LT_KIND_REAL, .offset = offsetof(norm_layer, momentum),
     .fallback = 0.1, .min = 1e-6, .max = 1,
     .help = "weight of a batch in the running mean and variance"},
    {0}};

static const lt_option layer_norm_options[] = {NORM_ROWS(1), {0}};

static const lt_option group_norm_options[] = {
    {.name = "groups", .kind = LT_KIND_INT, .offset = offsetof(norm_layer, groups), .min = 1,
     .max = MAX_SIZE, .positional = true, .required = true,
     .help = "groups of channels, of equal size"},
    NORM_ROWS(1),
    {0}};

static const lt_option instance_norm_options[] = {NORM_ROWS(0), {0}};

typedef struct pool_layer {
    int64_t kernel, stride, pad;
} pool_layer, max_pool_layer, avg_pool_layer;

#define POOL_ROWS                                                                                  \
    {.name = "kernel", .kind = LT_KIND_INT, .offset = offsetof(pool_layer, kernel), .fallback = 2, \
     .min = 1, .max = MAX_WINDOW, .positional = true, .help = "window size in pixels"},            \
    {.name = "stride", .kind = LT_KIND_INT, .offset = offsetof(pool_layer, stride),                \
     .max = MAX_WINDOW, .help = "pixels between windows; 0: kernel"},                              \
    {.name = "pad", .kind = LT_KIND_INT, .offset = offsetof(pool_layer, pad), .max = MAX_WINDOW,   \
     .help = "pixels around x; at most half the kernel"}

static const lt_option max_pool_options[] = {POOL_ROWS, {0}};
static const lt_option avg_pool_options[] = {POOL_ROWS, {0}};

typedef struct factor_layer {
    int64_t factor;
} upsample_layer, pixel_shuffle_layer;

static const lt_option upsample_options[] = {
    {.name = "factor", .kind = LT_KIND_INT, .offset = offsetof(upsample_layer, factor),
     .fallback = 2, .min = 1, .max = 64, .positional = true, .help = "factor of height and width"},
    {0}};

static const lt_option pixel_shuffle_options[] = {
    {.name = "factor", .kind = LT_KIND_INT, .offset = offsetof(pixel_shuffle_layer, factor),
     .fallback = 2, .min = 1, .max = 64, .positional = true, .help = "factor of height and width"},
    {0}};

typedef struct leaky_relu_layer {
    double slope;
} leaky_relu_layer;

static const lt_option leaky_relu_options[] = {
    {.name = "slope", .kind = LT_KIND_REAL, .offset = offsetof(leaky_relu_layer, slope),
     .fallback = 0.01, .min = 0, .max = 1, .positional = true, .help = "slope for x < 0"},
    {0}};

typedef struct elu_layer {
    double alpha;
} elu_layer;

static const lt_option elu_options[] = {
    {.name = "alpha", .kind = LT_KIND_REAL, .offset = offsetof(elu_layer, alpha), .fallback = 1,
     .min = 1e-6, .max = 1e6, .positional = true, .help = "minus the limit at -infinity"},
    {0}};

typedef struct reshape_layer {
    int64_t h, w, c;
} reshape_layer;

static const lt_option reshape_options[] = {
    {.name = "height", .kind = LT_KIND_INT, .offset = offsetof(reshape_layer, h), .min = 1,
     .max = MAX_SIZE, .positional = true, .required = true, .help = "height of the image"},
    {.name = "width", .kind = LT_KIND_INT, .offset = offsetof(reshape_layer, w), .min = 1,
     .max = MAX_SIZE, .positional = true, .required = true, .help = "width of the image"},
    {.name = "channels", .kind = LT_KIND_INT, .offset = offsetof(reshape_layer, c), .min = 1,
     .max = MAX_SIZE, .positional = true, .required = true,
     .help = "channels of the image, adjacent in memory"},
    {0}};

typedef struct dropout_layer {
    double p;
} dropout_layer;

static const lt_option dropout_options[] = {
    {.name = "p", .kind = LT_KIND_REAL, .offset = offsetof(dropout_layer, p), .fallback = 0.5,
     .min = 0, .max = 0.99, .positional = true, .help = "probability of 0"},
    {0}};

typedef struct number_layer {
    double a;
} shift_layer, scale_layer;

static const lt_option shift_options[] = {
    {.name = "a", .kind = LT_KIND_REAL, .offset = offsetof(shift_layer, a), .min = -1e6,
     .max = 1e6, .positional = true, .required = true, .help = "constant to add"},
    {0}};

static const lt_option scale_options[] = {
    {.name = "a", .kind = LT_KIND_REAL, .offset = offsetof(scale_layer, a), .min = -1e6,
     .max = 1e6, .positional = true, .required = true, .help = "factor"},
    {0}};

bool layer_is(const spec *layer, const char *name) { return strcmp(layer->row->name, name) == 0; }

static int check_spectral_norm(const spec *inner)
{
    if (layer_is(inner, "linear") || layer_is(inner, "conv") || layer_is(inner, "conv_transpose"))
        return LT_OK;
    return status_fail(LT_VALUE, "expected linear, conv or conv_transpose, found %s, which has no "
                                 "weights to normalize", inner->row->name);
}

/* ---- Building ---- */

static lt_node *build_linear(const layer_context *c, lt_node *x, const linear_layer *o)
{
    lt_init init = parse_init(c, o->init);
    int64_t units = parse_units(o->units);
    return lt_linear(c->scope, c->name, lt_flatten(x), units ? units : c->image_size,
                     .no_bias = !o->bias, .weight_norm = c->weight_norm, .weight_init = init,
                     .bias_init = init_of_bias(init));
}

static lt_conv_options options_of(const layer_context *c, const conv_layer *o)
{
    lt_init init = parse_init(c, o->init);
    return (lt_conv_options){.kernel = (int)o->kernel, .stride = (int)o->stride,
                             .pad = (int)o->pad, .dilation = (int)o->dilation,
                             .groups = (int)o->groups, .output_pad = (int)o->output_pad,
                             .no_bias = !o->bias, .weight_norm = c->weight_norm,
                             .weight_init = init, .bias_init = init_of_bias(init)};
}

static lt_node *build_conv(const layer_context *c, lt_node *x, const conv_layer *o)
{
    lt_conv_options options = options_of(c, o);
    int64_t channels = parse_units(o->channels);
    return lt_conv_with(c->scope, c->name, x, channels ? channels : c->image_channels, &options);
}

static lt_node *build_conv_transpose(const layer_context *c, lt_node *x, const conv_layer *o)
{
    lt_conv_options options = options_of(c, o);
    int64_t channels = parse_units(o->channels);
    return lt_conv_transpose_with(c->scope, c->name, x, channels ? channels : c->image_channels,
                                  &options);
}

static lt_node *build_spectral_norm(const layer_context *c, lt_node *x)
{
    layer_context inner = *c;
    inner.weight_norm = c->is_training ? LT_WEIGHT_SPECTRAL_TRAINING : LT_WEIGHT_SPECTRAL;
    return layer_build(c->wrapped, &inner, x);
}

static lt_norm_options norm_of(const norm_layer *o)
{
    return (lt_norm_options){.eps = o->eps, .momentum = o->momentum, .no_affine = !o->affine};
}

static lt_node *build_batch_norm(const layer_context *c, lt_node *x, const norm_layer *o)
{
    lt_norm_options options = norm_of(o);
    return lt_batch_norm_with(c->scope, c->name, x, c->is_training, &options);
}

static lt_node *build_layer_norm(const layer_context *c, lt_node *x, const norm_layer *o)
{
    lt_norm_options options = norm_of(o);
    return lt_layer_norm_with(c->scope, c->name, x, &options);
}

static lt_node *build_group_norm(const layer_context *c, lt_node *x, const norm_layer *o)
{
    lt_norm_options options = norm_of(o);
    return lt_group_norm_with(c->scope, c->name, x, o->groups, &options);
}

static lt_node *build_instance_norm(const layer_context *c, lt_node *x, const norm_layer *o)
{
    lt_norm_options options = norm_of(o);
    return lt_instance_norm_with(c->scope, c->name, x, &options);
}

/* Whether a pool's windows fit in x; if not, a graph error. */
static bool check_pool(const char *what, lt_node *x, const pool_layer *o)
{
    if (!is_image(what, x))
        return false;
    lt_shape s = lt_node_shape(x);
    if (2 * o->pad > o->kernel)
        lt_graph_fail(lt_node_graph(x), "%s: pad=%jd is more than half of kernel=%jd", what,
                      (intmax_t)o->pad, (intmax_t)o->kernel);
    else if (s.d[1] + 2 * o->pad < o->kernel || s.d[2] + 2 * o->pad < o->kernel)
        lt_graph_fail(lt_node_graph(x), "%s: a window of %jd x %jd does not fit into %jd x %jd "
                                        "pixels with pad=%jd", what, (intmax_t)o->kernel,
                      (intmax_t)o->kernel, (intmax_t)s.d[1], (intmax_t)s.d[2], (intmax_t)o->pad);
    else
        return true;
    return false;
}

static lt_window pool_window(const pool_layer *o)
{
    return (lt_window){.stride = (int)(o->stride ? o->stride : o->kernel), .pad = (int)o->pad};
}

static lt_node *build_max_pool(lt_node *x, const pool_layer *o)
{
    return check_pool("max_pool", x, o) ? lt_max_pool2d(x, (int)o->kernel, pool_window(o))
                                        : lt_node_graph(x)->bad;
}

static lt_node *build_avg_pool(lt_node *x, const pool_layer *o)
{
    return check_pool("avg_pool", x, o) ? lt_avg_pool2d(x, (int)o->kernel, pool_window(o))
                                        : lt_node_graph(x)->bad;
}

static lt_node *build_global_pool(lt_node *x)
{
    return is_image("global_pool", x) ? lt_global_avg_pool(x) : lt_node_graph(x)->bad;
}

static lt_node *build_upsample(lt_node *x, const upsample_layer *o)
{
    return is_image("upsample", x) ? lt_upsample(x, (int)o->factor) : lt_node_graph(x)->bad;
}

static lt_node *build_pixel_shuffle(lt_node *x, const pixel_shuffle_layer *o)
{
    lt_graph *g = lt_node_graph(x);
    if (!is_image("pixel_shuffle", x))
        return g->bad;
    int64_t c = lt_node_shape(x).d[3], n = o->factor * o->factor;
    if (c % n != 0)
        return lt_graph_fail(g, "pixel_shuffle: factor=%jd needs a multiple of %jd channels, found "
                                "%jd", (intmax_t)o->factor, (intmax_t)n, (intmax_t)c);
    return lt_pixel_shuffle(x, (int)o->factor);
}

static lt_node *build_reshape(lt_node *x, const reshape_layer *o)
{
    if (node_is_bad(x))
        return x;
    lt_shape s = lt_node_shape(x);
    int64_t n = s.rank ? s.d[0] : 1, numbers = n ? lt_shape_size(s) / n : 0;
    if (numbers != o->h * o->w * o->c)
        return lt_graph_fail(lt_node_graph(x),
                             "reshape: expected %jd numbers for %jd x %jd x %jd, found %jd",
                             (intmax_t)(o->h * o->w * o->c), (intmax_t)o->h, (intmax_t)o->w,
                             (intmax_t)o->c, (intmax_t)numbers);
    return lt_reshape(x, lt_shape_4d(n, o->h, o->w, o->c));
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
#define WRAPPER PLAIN
#define NESTED PLAIN
#include "nn/layers.def"
#undef PLAIN
#undef LAYER
#undef CHECKED
#undef WRAPPER
#undef NESTED

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
#define WRAPPER(NAME, Y, SUMMARY)                                                                  \
    static const layer_row row_##NAME = {{.name = #NAME, .summary = SUMMARY,                       \
                                          .options = no_options, .check_inner = check_##NAME},     \
                                         make_##NAME};
#define NESTED(NAME, Y, SUMMARY)                                                                   \
    static const layer_row row_##NAME = {                                                          \
        {.name = #NAME, .summary = SUMMARY, .options = no_options, .has_list = true},              \
        make_##NAME};
#include "nn/layers.def"
#undef PLAIN
#undef LAYER
#undef CHECKED
#undef WRAPPER
#undef NESTED

static const spec_row *const rows[] = {
#define PLAIN(NAME, Y, SUMMARY) &row_##NAME.spec,
#define LAYER PLAIN
#define CHECKED PLAIN
#define WRAPPER PLAIN
#define NESTED PLAIN
#include "nn/layers.def"
#undef PLAIN
#undef LAYER
#undef CHECKED
#undef WRAPPER
#undef NESTED
    NULL};

const spec_table layer_table = {"layer", rows};

lt_node *layer_build(const spec *layer, const layer_context *c, lt_node *x)
{
    layer_context context = *c;
    context.wrapped = layer->inner;
    return ((const layer_row *)layer->row)->build(&context, x, layer->options);
}
