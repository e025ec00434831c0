/* SPDX-License-Identifier: MIT */
/* ops.h: every operator: one prototype, one formula.
 * Nodes belong to their graph; nothing here is freed. Binary operators broadcast as NumPy does: shapes are
 * aligned at the last axis and dimensions of 1 are repeated.
 *
 *     lt_node *h = lt_tanh(lt_add(lt_matmul(x, w), b));       // n x k, k x m, m -> n x m
 */
#ifndef LATENT_OPS_H
#define LATENT_OPS_H

#include <latent/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Arithmetic, element by element ---- */

LT_API lt_node *lt_add(lt_node *a, lt_node *b);     /* a + b */
LT_API lt_node *lt_sub(lt_node *a, lt_node *b);     /* a - b */
LT_API lt_node *lt_mul(lt_node *a, lt_node *b);     /* a b */
LT_API lt_node *lt_div(lt_node *a, lt_node *b);     /* a / b */
LT_API lt_node *lt_min(lt_node *a, lt_node *b);     /* the smaller; a tie's gradient goes to a */
LT_API lt_node *lt_max(lt_node *a, lt_node *b);     /* the larger; a tie's gradient goes to a */
LT_API lt_node *lt_scale(lt_node *x, double a);     /* a x */
LT_API lt_node *lt_shift(lt_node *x, double a);     /* x + a */
LT_API lt_node *lt_neg(lt_node *x);                 /* -x */
LT_API lt_node *lt_abs(lt_node *x);                 /* |x| */
LT_API lt_node *lt_sign(lt_node *x);                /* -1, 0 or 1; no gradient */
LT_API lt_node *lt_round(lt_node *x);               /* the nearest integer, even at .5; no gradient */
LT_API lt_node *lt_square(lt_node *x);              /* x^2 */
LT_API lt_node *lt_sqrt(lt_node *x);                /* x^(1/2) */
LT_API lt_node *lt_rsqrt(lt_node *x);               /* x^(-1/2) */
LT_API lt_node *lt_exp(lt_node *x);                 /* e^x */
LT_API lt_node *lt_expm1(lt_node *x);               /* e^x - 1, exact near 0 */
LT_API lt_node *lt_log(lt_node *x);                 /* natural logarithm */
LT_API lt_node *lt_log1p(lt_node *x);               /* log(1 + x), exact near 0 */
LT_API lt_node *lt_erf(lt_node *x);                 /* 2 / sqrt(pi) int_0^x e^(-t^2) dt */
LT_API lt_node *lt_clamp(lt_node *x, double lo, double hi); /* min(max(x, lo), hi) */
LT_API lt_node *lt_lerp(lt_node *a, lt_node *b, lt_node *c); /* a + c (b - a) */

/* ---- Comparison: 1 where it holds, else 0; no gradient ---- */

LT_API lt_node *lt_step(lt_node *x);                        /* x > 0 */
LT_API lt_node *lt_less(lt_node *a, lt_node *b);            /* a < b */
LT_API lt_node *lt_less_equal(lt_node *a, lt_node *b);      /* a <= b */
LT_API lt_node *lt_equal(lt_node *a, lt_node *b);           /* a == b */
LT_API lt_node *lt_select(lt_node *c, lt_node *a, lt_node *b); /* a where c != 0, else b */

/* ---- Activations ---- */

LT_API lt_node *lt_relu(lt_node *x);                        /* max(x, 0) */
LT_API lt_node *lt_leaky_relu(lt_node *x, double slope);    /* x > 0 ? x : slope x; slope >= 0 */
LT_API lt_node *lt_elu(lt_node *x, double alpha);           /* x > 0 ? x : alpha (e^x - 1); alpha > 0 */
LT_API lt_node *lt_gelu(lt_node *x);                        /* x (1 + erf(x / sqrt 2)) / 2 */
LT_API lt_node *lt_silu(lt_node *x);                        /* x sigmoid(x) */
LT_API lt_node *lt_tanh(lt_node *x);                        /* hyperbolic tangent */
LT_API lt_node *lt_sigmoid(lt_node *x);                     /* 1 / (1 + e^-x) */
LT_API lt_node *lt_softplus(lt_node *x);                    /* log(1 + e^x), safe for large |x| */

/* ---- Shape ---- */

/* A set of axes: LT_AXIS(0) | LT_AXIS(2). */
#define LT_AXIS(i) (1u << (i))
#define LT_ALL_AXES 0xffu

LT_API lt_node *lt_reshape(lt_node *x, lt_shape shape);     /* same elements, other dimensions */
LT_API lt_node *lt_flatten(lt_node *x);                     /* n x ... -> n x (product of the rest) */
LT_API lt_node *lt_expand(lt_node *x, lt_shape shape);      /* repeats dimensions of 1; same rank */
LT_API lt_node *lt_broadcast(lt_node *x, lt_shape shape);   /* as NumPy's broadcast_to */
LT_API lt_node *lt_repeat_rows(lt_node *x, int64_t times); /* n x ... -> (n times) x ...: each in turn */
LT_API lt_node *lt_transpose(lt_node *x);                   /* n x m -> m x n */
LT_API lt_node *lt_permute(lt_node *x, const int *axes);    /* y's axis i is x's axis axes[i] */
LT_API lt_node *lt_slice(lt_node *x, int axis, int64_t start, int64_t stop); /* [start, stop) */
LT_API lt_node *lt_pad(lt_node *x, int axis, int64_t before, int64_t after); /* zeros around x */
LT_API lt_node *lt_concat(int axis, int n, lt_node *const *x); /* one after the other, n >= 1 */

/* ---- Reductions ---- */

LT_API lt_node *lt_sum(lt_node *x);                         /* of all elements: a scalar */
LT_API lt_node *lt_sum_over(lt_node *x, unsigned axes);     /* over those axes, which disappear */
LT_API lt_node *lt_sum_keep(lt_node *x, unsigned axes);     /* over those axes, which become 1 */
LT_API lt_node *lt_sum_rows(lt_node *x);                    /* n x ... -> n */
LT_API lt_node *lt_mean(lt_node *x);                        /* of all elements: a scalar */
LT_API lt_node *lt_mean_over(lt_node *x, unsigned axes);    /* over those axes, which disappear */
LT_API lt_node *lt_max_keep(lt_node *x, unsigned axes);     /* largest; ties share the gradient */
LT_API lt_node *lt_max_over(lt_node *x, unsigned axes);     /* the same, axes disappear */
LT_API lt_node *lt_log_sum_exp(lt_node *x, unsigned axes);  /* log sum e^x, safe; axes disappear */

/* ---- Matrices and rows ---- */

LT_API lt_node *lt_matmul(lt_node *a, lt_node *b);          /* n x k, k x m -> n x m */
LT_API lt_node *lt_gather_rows(lt_node *x, lt_node *index); /* r x ..., n -> n x ...: y[i] = x[index[i]] */
LT_API lt_node *lt_scatter_rows(lt_node *x, lt_node *index, int64_t rows);
                                            /* n x ..., n -> rows x ...: y[index[i]] += x[i] */
LT_API lt_node *lt_one_hot(lt_node *index, int64_t classes); /* n -> n x classes */

/* ---- Images: x is n x h x w x c, batch first, channels last ----
   A window of k x k pixels (dilated: every dilation-th of d (k - 1) + 1) moves over x, `pad` pixels of
   zeros around it, in steps of `stride`; the result has
   (h + 2 pad - dilation (k - 1) - 1) / stride + 1 rows, rounded down, and columns likewise. */

/* Zero means default. */
typedef struct lt_window {
    int stride;   /* default 1 */
    int pad;      /* default 0 */
    int dilation; /* default 1; convolutions only */
    int groups;   /* default 1; convolutions only: group j of i / groups input channels gives group
                     j of o / groups output channels */
} lt_window;

/* Convolution as networks define it (cross-correlation), and the derivatives of its trilinear form
   <conv2d(x, w), g> with respect to x and w. Weights w are kh x kw x i / groups x o. */
LT_API lt_node *lt_conv2d(lt_node *x, lt_node *w, lt_window o); /* n x h x w x i -> n x oh x ow x o */
LT_API lt_node *lt_conv2d_dx(lt_node *g, lt_node *w, int64_t height, int64_t width, lt_window o);
                      /* n x oh x ow x o -> n x height x width x i: also the transposed convolution */
LT_API lt_node *lt_conv2d_dw(lt_node *x, lt_node *g, int64_t kh, int64_t kw, lt_window o);
                      /* n x h x w x i, n x oh x ow x o -> kh x kw x i / groups x o */

/* Pools work on each channel alone; pad < kernel, so that every window has a pixel.
   max_pool2d: the largest pixel of each window, never padding; of equal ones the first, by rows, takes the gradient.
   scatter: zeros, plus g added at the position of each window's maximum in x; gather: t at that position.
   They are each other's gradients; scatter is the gradient of max_pool2d. */
LT_API lt_node *lt_max_pool2d(lt_node *x, int kernel, lt_window o);
LT_API lt_node *lt_max_pool2d_scatter(lt_node *x, lt_node *g, int kernel, lt_window o);
LT_API lt_node *lt_max_pool2d_gather(lt_node *x, lt_node *t, int kernel, lt_window o);

/* Mean of each window, padding counted as zeros (PyTorch's default), and its transpose. */
LT_API lt_node *lt_avg_pool2d(lt_node *x, int kernel, lt_window o);
LT_API lt_node *lt_avg_pool2d_dx(lt_node *g, int64_t height, int64_t width, int kernel, lt_window o);
LT_API lt_node *lt_global_avg_pool(lt_node *x); /* n x h x w x c -> n x c: mean of each channel */

LT_API lt_node *lt_upsample(lt_node *x, int factor); /* nearest: every pixel factor x factor times */
LT_API lt_node *lt_pixel_shuffle(lt_node *x, int factor);
                      /* n x h x w x c f^2 -> n x h f x w f x c; channel order as PyTorch's: c, row, column */
LT_API lt_node *lt_pad_image(lt_node *x, int64_t top, int64_t bottom, int64_t left, int64_t right);
LT_API lt_node *lt_crop_image(lt_node *x, int64_t top, int64_t left, int64_t height, int64_t width);

/* ---- Randomness: Philox4x32-10 keyed by (seed, stream, step, element) of the run ----
   Each call takes the graph's next stream, so two calls are independent; running with the same key again
   repeats the samples. No gradient. */

LT_API lt_node *lt_normal(lt_graph *g, lt_shape shape);     /* N(0, 1) */
LT_API lt_node *lt_uniform(lt_graph *g, lt_shape shape);    /* in (0, 1), ends excluded */
LT_API lt_node *lt_bernoulli(lt_node *p);                   /* 1 with probability p, else 0 */

/* ---- Gradient control ---- */

LT_API lt_node *lt_detach(lt_node *x);                      /* x; a constant to lt_grad */

#ifdef __cplusplus
}
#endif
#endif
