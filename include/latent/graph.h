/* SPDX-License-Identifier: MIT */
/* graph.h: build a graph, differentiate it, compile it, run it.
 * The graph owns its nodes; a program is constant; a session owns the memory of one run at a time.
 *
 *     lt_graph *g = lt_graph_create();
 *     lt_node *x = lt_input(g, "x", lt_shape_1d(3));
 *     lt_node *y = lt_sum(lt_square(x));
 *     lt_node *dx = lt_grad(y, x);                                   // 2 x, again a node
 *     lt_program *p = lt_compile(g, (lt_node *[]){y, dx}, 2);        // NULL: see lt_graph_error(g)
 *     lt_session *s = lt_session_create(p, NULL);
 *     memcpy(lt_session_floats(s, x), (float[]){1, 2, 3}, 12);
 *     lt_session_run(s, NULL);                                       // lt_session_floats(s, dx): 2 4 6
 *     lt_session_free(s), lt_program_free(p), lt_graph_free(g);
 *
 * Letters used everywhere: x input, y output, g cotangent of y, w weight, b bias, z latent;
 * N H W C are batch, height, width, channels, in that order in memory (row-major).
 * Building never fails half way: the first mistake is recorded in the graph, its builder returns the
 * graph's inert bad node, every builder given that node returns it, and lt_compile reports it once.
 */
#ifndef LATENT_GRAPH_H
#define LATENT_GRAPH_H

#include <latent/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Shapes ---- */

enum { LT_MAX_RANK = 8, LT_SHAPE_TEXT_SIZE = 192 };

/* Dimensions, outermost first; rank 0 is a scalar; a dimension may be 0. */
typedef struct lt_shape {
    int rank;
    int64_t d[LT_MAX_RANK];
} lt_shape;

LT_API lt_shape lt_shape_0d(void);
LT_API lt_shape lt_shape_1d(int64_t n);
LT_API lt_shape lt_shape_2d(int64_t n, int64_t m);
LT_API lt_shape lt_shape_4d(int64_t n, int64_t h, int64_t w, int64_t c);

/* Number of elements: the product of the dimensions. */
LT_API int64_t lt_shape_size(lt_shape s);
LT_API bool lt_shape_equal(lt_shape a, lt_shape b);

/* Writes "64 x 784" ("scalar" for rank 0) into `text` and returns it. */
LT_API const char *lt_shape_text(lt_shape s, char text[LT_SHAPE_TEXT_SIZE]);

/* ---- Graph ---- */

typedef struct lt_graph lt_graph;
typedef struct lt_node lt_node;

LT_API lt_graph *lt_graph_create(void);

/* Frees the graph and all its nodes. Nullable: g. */
LT_API void lt_graph_free(lt_graph *g);

/* The first mistake made while building, or NULL. Valid until the graph is freed. */
LT_API const char *lt_graph_error(const lt_graph *g);

/* Records a mistake (unless there is one already) and returns the bad node; for builders written
   on top of these. */
LT_API lt_node *lt_graph_fail(lt_graph *g, const char *format, ...) LT_PRINTF(2, 3);

/* Says what is being built, for error messages: "vae.yaml:14: encoder, layer 3". Nullable: where. */
LT_API void lt_graph_set_location(lt_graph *g, const char *where);

/* Values that the caller writes before a run. */
LT_API lt_node *lt_input(lt_graph *g, const char *name, lt_shape shape);

/* Values that live across runs: parameters, moments, running statistics. All reads in a run see the
   value from before it; lt_assign takes effect at its end. Zero in a fresh session. */
LT_API lt_node *lt_variable(lt_graph *g, const char *name, lt_shape shape);

/* `variable` takes `value` (of the same shape) when a run ends. Give the result to lt_compile. */
LT_API lt_node *lt_assign(lt_node *variable, lt_node *value);

/* Constants: row-major values, copied. */
LT_API lt_node *lt_constant(lt_graph *g, lt_shape shape, const double *values);
LT_API lt_node *lt_scalar(lt_graph *g, double value);

/* A name for messages, dumps and profiles; returns x. Copied. */
LT_API lt_node *lt_name(lt_node *x, const char *name);

LT_API lt_shape lt_node_shape(const lt_node *x);
LT_API lt_graph *lt_node_graph(const lt_node *x);
LT_API const char *lt_node_name(const lt_node *x);

/* ---- Gradient ---- */

/* dx[i] = d sum(y) / d x[i] for i < n: nodes like any other, so they can be differentiated again.
   Zeros where y does not depend on x[i]. An operator without a gradient is a graph error. */
LT_API void lt_grads(lt_node *y, int n, lt_node *const *x, lt_node **dx);

/* The same for one x. */
LT_API lt_node *lt_grad(lt_node *y, lt_node *x);

/* ---- Compile ---- */

typedef struct lt_program lt_program;

typedef enum lt_executor {
    LT_CPU,       /* f32: oneDNN and our tile kernels, fused and planned */
    LT_REFERENCE, /* f64: plain loops over the graph as written; slow, the oracle of the tests */
} lt_executor;

/* Prepares what is needed to compute `targets` (values to read, and assigns). NULL when the graph
   holds an error (lt_last_error() has it too). The graph must outlive the program; `targets` is
   copied. The program is constant: any number of sessions may share it, each in its own thread. */
LT_API lt_program *lt_compile(lt_graph *g, lt_node *const *targets, int n);
LT_API void lt_program_free(lt_program *p);

/* Zero means default. */
typedef struct lt_compile_options {
    lt_executor executor; /* for sessions of this one; LT_REFERENCE runs any program */
} lt_compile_options;

/* The same for an executor. Nullable: o. */
LT_API lt_program *lt_compile_with(lt_graph *g, lt_node *const *targets, int n, const lt_compile_options *o);

/* What compiling came to. */
typedef struct lt_program_info {
    int nodes;              /* in the graph, reachable from the targets */
    int kernels;            /* launched per run */
    int fused;              /* elementwise and reduction nodes inside fused kernels */
    int64_t flops;          /* multiplications and additions of matrix products per run */
    size_t bytes;           /* activation memory of the plan */
    size_t bytes_unplanned; /* the same if every value had its own place */
} lt_program_info;
LT_API lt_program_info lt_program_describe(const lt_program *p);

/* The schedule as text, one kernel a line with shapes and offsets. The caller frees it. */
LT_API char *lt_program_dump(const lt_program *p);

/* ---- Run ---- */

typedef struct lt_session lt_session;

/* Numbers (f32) that sessions share, and that outlive them: parameters, moments, averages. Where they are is the
   buffer's business; today in memory of the host. */
typedef struct lt_buffer lt_buffer;

/* Room for n numbers, all 0; `what` names them in messages. LT_NO_MEMORY, LT_VALUE; *out is NULL then. */
LT_API int lt_buffer_create(int64_t n, const char *what, lt_buffer **out);

/* A buffer in memory of the caller, of n floats, 64-byte aligned; borrowed until the buffer is freed. */
LT_API lt_buffer *lt_buffer_borrow(float *memory, int64_t n);
LT_API void lt_buffer_free(lt_buffer *b); /* Nullable: b */

LT_API int64_t lt_buffer_size(const lt_buffer *b);

/* Where its numbers are; NULL for a buffer that is not in memory of the host. */
LT_API float *lt_buffer_floats(lt_buffer *b);

/* Copy n numbers from number `first` on. LT_VALUE where they do not fit. */
LT_API int lt_buffer_write(lt_buffer *b, int64_t first, const float *values, int64_t n);
LT_API int lt_buffer_read(const lt_buffer *b, int64_t first, float *values, int64_t n);

typedef struct lt_session_options {
    lt_executor executor;
    int threads;        /* 0: as many as the machine has cores for us; results do not depend on it */
    bool no_memory_reuse; /* every value keeps its own memory: for finding planner mistakes */
    bool profile;       /* time each kernel: lt_session_profile */
} lt_session_options;

/* How long work is run, embedded in the options of what it is. Zero means default. Nothing here changes a result,
   except that the executors round differently; a seed is part of what is computed, and not in here. */
typedef struct lt_run_options {
    int threads;                    /* default 0: as many as there are cores for us */
    lt_executor executor;           /* default LT_CPU */
    lt_progress_function *progress; /* false stops the work, with LT_INTERRUPTED. Nullable */
    void *user;                     /* passed to progress */
} lt_run_options;

/* NULL on failure, see lt_last_error(). Nullable: o. */
LT_API lt_session *lt_session_create(const lt_program *p, const lt_session_options *o);
LT_API void lt_session_free(lt_session *s);

/* lt_compile and lt_session_create in one; the session owns its program. LT_GRAPH, LT_VALUE, LT_NO_MEMORY; *out is
   NULL then. Nullable: o. */
LT_API int lt_session_open(lt_graph *g, lt_node *const *targets, int n, const lt_session_options *o,
                           lt_session **out);

/* What the session runs; borrowed. */
LT_API const lt_program *lt_session_program(const lt_session *s);

/* Where the values of an input, a variable or a target are: write inputs there before a run, read
   targets there after it (they stay valid until the next run). For executors that keep floats in memory of
   the host, as LT_CPU does; NULL (with an error) for others and for a node whose values are not kept. */
LT_API float *lt_session_floats(lt_session *s, const lt_node *x);

/* The same for reference sessions. */
LT_API double *lt_session_doubles(lt_session *s, const lt_node *x);

/* Copies values in and out whatever the executor; `n` must be the node's size. */
LT_API int lt_session_write(lt_session *s, const lt_node *x, const float *values, int64_t n);
LT_API int lt_session_read(lt_session *s, const lt_node *x, float *values, int64_t n);

/* The same with all digits that the executor has. */
LT_API int lt_session_read_doubles(lt_session *s, const lt_node *x, double *values, int64_t n);

/* Lets a variable live in `buffer` from number `first` on (a multiple of 16), so that several sessions share it. Borrowed
   until the session is freed. Do it before the first run. LT_VALUE where it does not fit. */
LT_API int lt_session_bind(lt_session *s, const lt_node *variable, lt_buffer *buffer, int64_t first);

/* What random operators draw from, beside their own stream and element. */
typedef struct lt_run_key {
    uint64_t seed, step;
} lt_run_key;

/* Runs the program once. Nullable: key (then all zero). */
LT_API int lt_session_run(lt_session *s, const lt_run_key *key);

/* One line of a profile: kernel, calls, total seconds, operations counted. */
typedef struct lt_profile_line {
    const char *kernel; /* owned by the session */
    int64_t calls;
    double seconds;
    int64_t flops, bytes; /* per call; bytes: operands read and results written once */
} lt_profile_line;

/* Fills `lines` (at most `n`) in schedule order and returns how many kernels there are. */
LT_API int lt_session_profile(const lt_session *s, lt_profile_line *lines, int n);

#ifdef __cplusplus
}
#endif
#endif
