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

/* Sets the location that error messages name from now on: "vae.yaml:14: encoder, layer 3". Nullable: where. */
LT_API void lt_graph_set_location(lt_graph *g, const char *where);

/* Values that the caller writes before each run. */
LT_API lt_node *lt_input(lt_graph *g, const char *name, lt_shape shape);

/* Values that persist across runs: parameters, moments, running statistics. Every read sees the value from before the
   run; lt_assign takes effect when the run ends. Zero in a new session. */
LT_API lt_node *lt_variable(lt_graph *g, const char *name, lt_shape shape);

/* Sets `variable` to `value` (same shape) when a run ends. Pass the result to lt_compile as a target. */
LT_API lt_node *lt_assign(lt_node *variable, lt_node *value);

/* Constants: row-major values, copied. */
LT_API lt_node *lt_constant(lt_graph *g, lt_shape shape, const double *values);
LT_API lt_node *lt_scalar(lt_graph *g, double value);

/* Names x in messages, dumps and profiles; returns x. The name is copied. */
LT_API lt_node *lt_name(lt_node *x, const char *name);

LT_API lt_shape lt_node_shape(const lt_node *x);
LT_API lt_graph *lt_node_graph(const lt_node *x);
LT_API const char *lt_node_name(const lt_node *x);

/* ---- Gradient ---- */

/* dx[i] = d sum(y) / d x[i] for i < n: ordinary nodes, so they can be differentiated again.
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

/* Returns the names of the executors in the order of lt_executor; NULL ends them. */
LT_API const char *const *lt_executor_names(void);

/* Compiles what `targets` (values to read, and assigns) need. Returns NULL when the graph holds an error (also in
   lt_last_error()). The graph must outlive the program; `targets` is copied. A program is constant: any number of
   sessions may share it, each in its own thread. */
LT_API lt_program *lt_compile(lt_graph *g, lt_node *const *targets, int n);
LT_API void lt_program_free(lt_program *p);

/* Zero means default. */
typedef struct lt_compile_options {
    lt_executor executor; /* which sessions may run the program; LT_REFERENCE runs any */
} lt_compile_options;

/* The same for an executor. Nullable: o. */
LT_API lt_program *lt_compile_with(lt_graph *g, lt_node *const *targets, int n, const lt_compile_options *o);

/* Statistics of a compiled program. */
typedef struct lt_program_info {
    int nodes;              /* in the graph, reachable from the targets */
    int kernels;            /* launched per run */
    int fused;              /* elementwise and reduction nodes inside fused kernels */
    int64_t flops;          /* multiplications and additions of matmuls and convolutions per run */
    size_t bytes;           /* activation memory of the plan */
    size_t bytes_unplanned; /* the same without reuse */
} lt_program_info;
LT_API lt_program_info lt_program_describe(const lt_program *p);

/* Returns the schedule as text, one kernel a line, with shapes and offsets. The caller frees it. */
LT_API char *lt_program_dump(const lt_program *p);

/* ---- Run ---- */

typedef struct lt_session lt_session;

/* Floats that sessions share and that outlive them: parameters, moments, averages. Stored in host memory today; a
   device may keep them elsewhere. */
typedef struct lt_buffer lt_buffer;

/* Allocates n floats, all 0; `what` names them in messages. LT_NO_MEMORY or LT_VALUE sets *out to NULL. */
LT_API int lt_buffer_create(int64_t n, const char *what, lt_buffer **out);

/* Wraps n floats of the caller's memory, 64-byte aligned; borrowed until the buffer is freed. */
LT_API lt_buffer *lt_buffer_borrow(float *memory, int64_t n);
LT_API void lt_buffer_free(lt_buffer *b); /* Nullable: b */

LT_API int64_t lt_buffer_size(const lt_buffer *b);

/* Returns its floats, or NULL for a buffer outside host memory. */
LT_API float *lt_buffer_floats(lt_buffer *b);

/* Copy n floats, starting at element `first` of the buffer. LT_VALUE if the range exceeds it. */
LT_API int lt_buffer_write(lt_buffer *b, int64_t first, const float *values, int64_t n);
LT_API int lt_buffer_read(const lt_buffer *b, int64_t first, float *values, int64_t n);

typedef struct lt_session_options {
    lt_executor executor;
    int threads;        /* default 0: one per available core; results do not depend on it */
    bool no_memory_reuse; /* every value keeps its own memory: to find planner mistakes */
    bool profile;       /* time each kernel: lt_session_profile */
} lt_session_options;

/* How to run a long computation; embedded in the options of each. Zero means default. Nothing here changes a result,
   except that executors round differently. A seed is part of what is computed, so it is not here. */
typedef struct lt_run_options {
    int threads;                    /* default 0: one per available core */
    lt_executor executor;           /* default LT_CPU */
    lt_progress_function *progress; /* returning false stops the work with LT_INTERRUPTED. Nullable */
    void *user;                     /* passed to progress */
} lt_run_options;

/* Returns NULL on failure, see lt_last_error(). Nullable: o. */
LT_API lt_session *lt_session_create(const lt_program *p, const lt_session_options *o);
LT_API void lt_session_free(lt_session *s);

/* lt_compile and lt_session_create in one call; the session owns its program. LT_GRAPH, LT_VALUE or LT_NO_MEMORY sets
   *out to NULL. Nullable: o. */
LT_API int lt_session_open(lt_graph *g, lt_node *const *targets, int n, const lt_session_options *o,
                           lt_session **out);

/* Returns the program that the session runs; borrowed. */
LT_API const lt_program *lt_session_program(const lt_session *s);

/* Returns the values of an input, a variable or a target: write inputs before a run, read targets after it (valid
   until the next run). Only for executors that keep floats in host memory, as LT_CPU does. Returns NULL with an error
   for other executors, and for a node whose values are not kept. */
LT_API float *lt_session_floats(lt_session *s, const lt_node *x);

/* The same for reference sessions. */
LT_API double *lt_session_doubles(lt_session *s, const lt_node *x);

/* Copy values in and out with any executor; `n` must be the node's size. */
LT_API int lt_session_write(lt_session *s, const lt_node *x, const float *values, int64_t n);
LT_API int lt_session_read(lt_session *s, const lt_node *x, float *values, int64_t n);

/* The same in the executor's full precision. */
LT_API int lt_session_read_doubles(lt_session *s, const lt_node *x, double *values, int64_t n);

/* Stores a variable in `buffer` from element `first` on (a multiple of 16), so that several sessions share it. The
   buffer is borrowed until the session is freed. Call before the first run. LT_VALUE if the variable does not fit. */
LT_API int lt_session_bind(lt_session *s, const lt_node *variable, lt_buffer *buffer, int64_t first);

/* Keys the random operators, together with each one's stream and element. */
typedef struct lt_run_key {
    uint64_t seed, step;
} lt_run_key;

/* Runs the program once. Nullable: key (all zero). */
LT_API int lt_session_run(lt_session *s, const lt_run_key *key);

/* One line of a profile. */
typedef struct lt_profile_line {
    const char *kernel; /* owned by the session */
    int64_t calls;
    double seconds;
    int64_t flops, bytes; /* per call; bytes: each operand read once and each result written once */
} lt_profile_line;

/* Fills `lines` (at most `n`) in schedule order and returns the number of kernels. */
LT_API int lt_session_profile(const lt_session *s, lt_profile_line *lines, int n);

#ifdef __cplusplus
}
#endif
#endif
