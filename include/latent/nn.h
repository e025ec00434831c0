/* SPDX-License-Identifier: MIT */
/* nn.h: parameters, layers, initializers, optimizers.
 * A parameter set owns one flat block of floats; a network is a function that gets its parameters from a scope by
 * name. The first visit declares them, lt_params_allocate allocates and initializes the block, and later visits (any
 * graph, any batch size) get views of it.
 *
 *     lt_params *p = lt_params_create();
 *     network(lt_params_visit(p, scratch), x0);           // declares "fc.weight", "fc.bias"
 *     lt_params_allocate(p, seed);
 *     lt_node *y = network(lt_params_visit(p, g), x);     // lt_linear(s, "fc", x, 256)
 */
#ifndef LATENT_NN_H
#define LATENT_NN_H

#include <latent/distributions.h>
#include <latent/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Parameters ---- */

/* Constant once allocated, except for the values in its block: then any number of threads may visit it, each with its
   own graph. Must outlive the graphs that visited it. */
typedef struct lt_params lt_params;
typedef struct lt_scope lt_scope;

/* Layout of a parameter outside a session (checkpoints, PyTorch) and inside. */
typedef enum lt_layout {
    LT_LAYOUT_PLAIN,  /* the same */
    LT_LAYOUT_LINEAR, /* outside out x in, inside in x out */
    LT_LAYOUT_CONV,   /* outside o x i x kh x kw, inside kh x kw x i x o; of transposed ones too */
    LT_LAYOUT_IMAGE,  /* outside c x h x w, inside h x w x c */
} lt_layout;

/* Initializers; fan_in and fan_out are those of the layer. Each parameter has its own random stream, keyed by its
   name, so that adding a layer does not change the others. */
typedef enum lt_init_kind {
    LT_INIT_PYTORCH,         /* U(-a, a), a = 1/sqrt(fan_in): weights and biases of nn.Linear, nn.Conv2d */
    LT_INIT_KAIMING_UNIFORM, /* U(-sqrt(6/fan_in), sqrt(6/fan_in)) */
    LT_INIT_KAIMING_NORMAL,  /* N(0, 2/fan_in) */
    LT_INIT_XAVIER_UNIFORM,  /* U(-a, a), a = sqrt(6/(fan_in + fan_out)) */
    LT_INIT_XAVIER_NORMAL,   /* N(0, 2/(fan_in + fan_out)) */
    LT_INIT_NORMAL,          /* N(0, value^2) */
    LT_INIT_CONSTANT,        /* value */
    LT_INIT_ZEROS,
    LT_INIT_ONES,
} lt_init_kind;

/* Zero means PyTorch's initializer. The layer fills in fans of 0. */
typedef struct lt_init {
    lt_init_kind kind;
    double value;
    int64_t fan_in, fan_out;
} lt_init;

LT_API lt_params *lt_params_create(void);
LT_API void lt_params_free(lt_params *p); /* Nullable: p */

/* Starts a visit: the root scope for building in `g`. Borrowed; valid while p and g live. */
LT_API lt_scope *lt_params_visit(lt_params *p, lt_graph *g);

/* Enters the scope `name` below `s`: its parameters are named "s.name....". Using a scope's or parameter's name twice
   in one visit is a graph error. */
LT_API lt_scope *lt_scope_enter(lt_scope *s, const char *name);
LT_API lt_graph *lt_scope_graph(const lt_scope *s);

/* Returns the parameter `name` of this scope; `shape` is the one inside a session. Declares it before
   lt_params_allocate; afterwards an unknown name or another shape is a graph error. */
LT_API lt_node *lt_param(lt_scope *s, const char *name, lt_shape shape, lt_layout layout,
                         lt_init init);

/* Returns a state: values that the model keeps but the optimizer does not train, such as running statistics. Named,
   stored and initialized like a parameter; changed by lt_state_update. */
LT_API lt_node *lt_state(lt_scope *s, const char *name, lt_shape shape, lt_init init);

/* Sets the state `name` of this scope to `value` at the end of a run that has lt_params_state_assign among its
   targets. Call once per visit. Later visits in the same graph read `value`, so that a network trained on two inputs
   updates its running statistics twice. */
LT_API void lt_state_update(lt_scope *s, const char *name, lt_node *value);

/* Allocates the block (64-byte aligned; each parameter starts at a multiple of 16 floats, gaps are zero; parameters
   first, then states) and initializes everything from `seed`. Call once. */
LT_API int lt_params_allocate(lt_params *p, uint64_t seed);

/* Builds a network, or a whole model, on x (n x ...) with the parameters of s. */
typedef lt_node *lt_network(lt_scope *s, lt_node *x, const void *options);

/* The first visit and lt_params_allocate in one call: declares the parameters by building `network` in a temporary
   graph on an x of this shape; `options` is passed to it. A shape mismatch is LT_GRAPH. */
LT_API int lt_params_declare(lt_params *p, lt_network *network, const void *options, lt_shape x, uint64_t seed);

LT_API int lt_params_count(const lt_params *p);      /* parameters and states */
LT_API int64_t lt_params_size(const lt_params *p);   /* trained weights, without gaps */
LT_API int64_t lt_params_extent(const lt_params *p); /* floats of the trained part, with gaps */
LT_API int64_t lt_params_state_extent(const lt_params *p); /* floats of the states after it */
LT_API float *lt_params_block(lt_params *p);         /* owned by p; NULL before allocate */

/* Describes parameter i; the shape is the outside one. */
typedef struct lt_param_info {
    const char *name; /* "encoder.0.weight"; owned by p */
    lt_shape shape;
    lt_layout layout;
    int64_t offset; /* floats from the start of the block */
    bool is_state;  /* not trained, so without gradient and moments */
} lt_param_info;
LT_API lt_param_info lt_params_info(const lt_params *p, int i);

/* Returns the index of a parameter or state, or -1. */
LT_API int lt_params_find(const lt_params *p, const char *name);

/* Copy parameter i between a block with p's layout (p's own or, for trained parameters, moments or an average) and
   its outside form (size of info.shape). */
LT_API void lt_params_export(const lt_params *p, int i, const float *block, float *outside);
LT_API void lt_params_import(const lt_params *p, int i, float *block, const float *outside);

/* Returns the variable of `g` for the trained part, of shape lt_params_extent; NULL if this graph has not been
   visited since lt_params_allocate. */
LT_API lt_node *lt_params_variable(const lt_params *p, lt_graph *g);

/* The same for the states: shape lt_params_state_extent. NULL also if there are no states. */
LT_API lt_node *lt_params_state_variable(const lt_params *p, lt_graph *g);

/* d loss / d trained part: one node of that shape, zeros in gaps and unused parameters. */
LT_API lt_node *lt_params_gradient(const lt_params *p, lt_node *loss);

/* Returns the assign that performs this graph's lt_state_updates, a target for lt_compile; NULL if there are none. */
LT_API lt_node *lt_params_state_assign(const lt_params *p, lt_graph *g);

/* Binds the variables of `g` in session `s` to p's block. */
LT_API int lt_params_bind(lt_params *p, lt_graph *g, lt_session *s);

/* ---- Layers: parameters and shapes of PyTorch's modules, with channels last ---- */

/* A layer with options is a function, lt_conv_with, and a macro, lt_conv, that takes any fields of the options after
   the sizes:
       lt_conv(s, "conv", x, 32, .kernel = 4, .stride = 2)
       lt_conv_with(s, "conv", x, 32, &(const lt_conv_options){.kernel = 4, .stride = 2})
   C++ accepts the same (fields in the order of the struct), or an existing struct:
       lt_conv_options o = {};
       o.kernel = 4;
       lt_conv(s, "conv", x, 32, o);
   LT_FIRST is the last size, LT_REST what follows. */
#define LT_FIRST(...) LT_FIRST_(__VA_ARGS__, )
#define LT_FIRST_(first, ...) first
#define LT_REST(...) LT_REST_(__VA_ARGS__, )
#define LT_REST_(first, ...) __VA_ARGS__
#if defined(__GNUC__)
#define LT_EXTENSION __extension__ /* silences warnings about empty braces and named fields */
#else
#define LT_EXTENSION
#endif
#ifdef __cplusplus
#define LT_OPTIONS(type, ...) (LT_EXTENSION &static_cast<const type &>(type{__VA_ARGS__}))
#else
#define LT_OPTIONS(type, ...) (LT_EXTENSION &(const type){__VA_ARGS__})
#endif

/* Spectral normalization (Miyato et al. 2018): divides the weight by an estimate of its largest singular value as a
   matrix output x rest; a visit in training refines the estimate by one power iteration. Parameter "weight_orig" and
   states "weight_u" and "weight_v" instead of "weight". */
typedef enum lt_weight_norm {
    LT_WEIGHT_FREE,
    LT_WEIGHT_SPECTRAL,          /* with the stored estimate: evaluation */
    LT_WEIGHT_SPECTRAL_TRAINING, /* refines and stores the estimate */
} lt_weight_norm;

typedef struct lt_linear_options {
    bool no_bias;
    lt_weight_norm weight_norm;
    lt_init weight_init, bias_init; /* zero: PyTorch's */
} lt_linear_options;

/* y = x w + b; x: n x in, y: n x units; parameters "weight" (outside units x in) and "bias". */
LT_API lt_node *lt_linear_with(lt_scope *s, const char *name, lt_node *x, int64_t units,
                               const lt_linear_options *o);
#define lt_linear(s, name, x, ...)                                                                 \
    lt_linear_with(s, name, x, LT_FIRST(__VA_ARGS__), LT_OPTIONS(lt_linear_options, LT_REST(__VA_ARGS__)))

/* Zero means default. */
typedef struct lt_conv_options {
    int kernel;     /* kernel size; default 3 */
    int stride;     /* default 1 */
    int pad;        /* default 0 */
    int dilation;   /* default 1 */
    int groups;     /* default 1 */
    int output_pad; /* lt_conv_transpose: additional rows and columns; less than stride; default 0 */
    bool no_bias;
    lt_weight_norm weight_norm;
    lt_init weight_init, bias_init; /* zero: PyTorch's */
} lt_conv_options;

/* Convolution; x: n x h x w x in, y: n x h' x w' x channels with
   h' = (h + 2 pad - dilation (kernel - 1) - 1) / stride + 1, rounded down; parameters "weight"
   (outside channels x in / groups x kernel x kernel) and "bias". */
LT_API lt_node *lt_conv_with(lt_scope *s, const char *name, lt_node *x, int64_t channels,
                             const lt_conv_options *o);
#define lt_conv(s, name, x, ...)                                                                   \
    lt_conv_with(s, name, x, LT_FIRST(__VA_ARGS__), LT_OPTIONS(lt_conv_options, LT_REST(__VA_ARGS__)))

/* Its transpose; h' = (h - 1) stride - 2 pad + dilation (kernel - 1) + 1 + output_pad; "weight" is
   outside in x channels / groups x kernel x kernel. */
LT_API lt_node *lt_conv_transpose_with(lt_scope *s, const char *name, lt_node *x, int64_t channels,
                                       const lt_conv_options *o);
#define lt_conv_transpose(s, name, x, ...)                                                         \
    lt_conv_transpose_with(s, name, x, LT_FIRST(__VA_ARGS__), LT_OPTIONS(lt_conv_options, LT_REST(__VA_ARGS__)))

/* Zero means default. */
typedef struct lt_norm_options {
    double eps;      /* under the root; default 1e-5 */
    double momentum; /* lt_batch_norm: weight of the batch in the running statistics; default 0.1 */
    bool no_affine;  /* without "weight" and "bias" */
} lt_norm_options;

/* Normalization: y = (x - mean) / sqrt(variance + eps) weight + bias, with moments of: batch_norm (Ioffe and Szegedy
   2015): each channel over the batch, x: n x ... x c. Training uses the moments of the batch and updates
   "running_mean" and "running_var"; evaluation uses these, as does training on a batch with one value per channel,
   which has no variance. */
LT_API lt_node *lt_batch_norm_with(lt_scope *s, const char *name, lt_node *x, bool is_training,
                                   const lt_norm_options *o);
#define lt_batch_norm(s, name, x, ...)                                                             \
    lt_batch_norm_with(s, name, x, LT_FIRST(__VA_ARGS__), LT_OPTIONS(lt_norm_options, LT_REST(__VA_ARGS__)))

/* group_norm (Wu and He 2018): each image over `groups` groups of neighboring channels. */
LT_API lt_node *lt_group_norm_with(lt_scope *s, const char *name, lt_node *x, int64_t groups,
                                   const lt_norm_options *o);
#define lt_group_norm(s, name, x, ...)                                                             \
    lt_group_norm_with(s, name, x, LT_FIRST(__VA_ARGS__), LT_OPTIONS(lt_norm_options, LT_REST(__VA_ARGS__)))

/* instance_norm (Ulyanov et al. 2016): each channel of each image. */
LT_API lt_node *lt_instance_norm_with(lt_scope *s, const char *name, lt_node *x,
                                      const lt_norm_options *o);
#define lt_instance_norm(s, name, ...)                                                             \
    lt_instance_norm_with(s, name, LT_FIRST(__VA_ARGS__), LT_OPTIONS(lt_norm_options, LT_REST(__VA_ARGS__)))

/* layer_norm (Ba et al. 2016): each image over all its values; "weight" and "bias" have one element per value, as in
   nn.LayerNorm([c, h, w]). */
LT_API lt_node *lt_layer_norm_with(lt_scope *s, const char *name, lt_node *x,
                                   const lt_norm_options *o);
#define lt_layer_norm(s, name, ...)                                                                \
    lt_layer_norm_with(s, name, LT_FIRST(__VA_ARGS__), LT_OPTIONS(lt_norm_options, LT_REST(__VA_ARGS__)))

/* x + f, the sum of a residual block. If the shapes differ, x passes through a 1 x 1 convolution (a linear layer if
   it is not an image) "NAME.weight" without bias, with the stride that makes the sizes equal; a graph error if there
   is none. */
LT_API lt_node *lt_shortcut(lt_scope *s, const char *name, lt_node *x, lt_node *f, lt_init init);

/* 0 with probability p, else x / (1 - p). Returns x if `training` is false. */
LT_API lt_node *lt_dropout(lt_node *x, double p, bool training);

/* ---- Optimizers ---- */

enum { LT_OPTIMIZER_TARGETS = 4 };

/* Builds one step of an optimizer, given as in recipes ("adam lr=3e-4"), on `loss`: fills `targets` with the nodes
   that lt_compile needs in addition to the caller's and returns their number. The optimizer's state is variables of
   the graph. An invalid text is a graph error; returns 0 then. */
LT_API int lt_optimizer_build(const char *words, const lt_params *p, lt_node *loss,
                              lt_node *targets[LT_OPTIMIZER_TARGETS]);

#ifdef __cplusplus
}
#endif
#endif
