/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "cpu/onednn.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"
#include "cpu/tiles.h"

#include <dlfcn.h>
#include <dnnl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* This is written for oneDNN 3. */
#if DNNL_VERSION_MAJOR < 3
#include "cpu/dnnl2.h"
#endif

/* With OpenMP one thread can be requested, so that results do not depend on their number. */
#if DNNL_CPU_THREADING_RUNTIME != DNNL_RUNTIME_OMP && DNNL_CPU_THREADING_RUNTIME != DNNL_RUNTIME_SEQ
#error "latent needs a oneDNN that was built for OpenMP, or without threads"
#endif

/* ---- The library ---- */

static dnnl_engine_t engine;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

/* From the OpenMP library that oneDNN was linked with, which may not be our compiler's; NULL if it was built without
   threads. */
static void (*set_threads)(int);
static int (*get_threads)(void);

static void find_openmp(void)
{
    void *set = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    void *get = dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    if (!set || !get)
        return;
    memcpy(&set_threads, &set, sizeof set);
    memcpy(&get_threads, &get, sizeof get);
}

static void make_engine(void)
{
    find_openmp();
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success)
        engine = NULL;
}

static bool have_engine(void)
{
    pthread_once(&engine_once, make_engine);
    if (!engine)
        status_fail(LT_UNSUPPORTED, "oneDNN has no CPU engine on this machine");
    return engine != NULL;
}

static int fail(const char *what, dnnl_status_t status)
{
    return status_fail(status == dnnl_out_of_memory ? LT_NO_MEMORY : LT_UNSUPPORTED,
                       "oneDNN: %s failed (status %d)", what, (int)status);
}

/* Sets one thread until threads_restore, which takes the returned value. */
static int threads_one(void)
{
    int before = get_threads ? get_threads() : 1;
    if (set_threads)
        set_threads(1);
    return before;
}

static void threads_restore(int before)
{
    if (set_threads)
        set_threads(before);
}

/* A primitive must not start threads of its own. */
static void execute(dnnl_primitive_t primitive, dnnl_stream_t stream, int n, dnnl_exec_arg_t *args)
{
    int before = threads_one();
    dnnl_status_t status = dnnl_primitive_execute(primitive, stream, n, args);
    threads_restore(before);
    LT_ASSERT(status == dnnl_success);
}

const char *onednn_version(void)
{
    static char text[32];
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
}

/* Each instruction set includes those above it, as bits; one without a row gets the name of the last one it includes.
   */
const char *onednn_isa(void)
{
    static const struct {
        int bits;
        const char *words;
    } sets[] = {
        {dnnl_cpu_isa_sse41, "SSE4.1"},
        {dnnl_cpu_isa_avx, "AVX"},
        {dnnl_cpu_isa_avx2, "AVX2"},
        {dnnl_cpu_isa_avx512_core, "AVX-512"},
        {dnnl_cpu_isa_avx512_core_vnni, "AVX-512 with VNNI"},
        {dnnl_cpu_isa_avx512_core_bf16, "AVX-512 with BF16"},
        {dnnl_cpu_isa_avx512_core_amx, "AVX-512 with AMX"},
    };
    int bits = (int)dnnl_get_effective_cpu_isa();
    const char *words = "generic";
    for (int i = 0; i < COUNT_OF(sets); i++)
        if ((bits & sets[i].bits) == sets[i].bits)
            words = sets[i].words;
    return words;
}

/* Describes an array of floats; returns NULL on failure, which later calls report. */
static dnnl_memory_desc_t strided(int n, const dnnl_dims_t dims, const dnnl_dims_t strides)
{
    dnnl_memory_desc_t d = NULL;
    dnnl_memory_desc_create_with_strides(&d, n, dims, dnnl_f32, strides);
    return d;
}

static dnnl_status_t make_scratch_memory(dnnl_memory_t *memory, size_t size, void *data)
{
    dnnl_memory_desc_t d = NULL;
    dnnl_dims_t dims = {(dnnl_dim_t)size};
    dnnl_status_t status = dnnl_memory_desc_create_with_tag(&d, 1, dims, dnnl_u8, dnnl_a);
    if (status == dnnl_success)
        status = dnnl_memory_create(memory, d, engine, data);
    dnnl_memory_desc_destroy(d);
    return status;
}

static size_t scratch_size_of(const_dnnl_primitive_desc_t pd)
{
    return dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0));
}

/* ---- Activations as post-operations ---- */

/* oneDNN's relu turns NaN into 0, which would hide that a layer has diverged; ours is applied to each chunk of a
   result while it is in cache. */
static const dnnl_alg_kind_t post_operations[] = {
    [NO_ACTIVATION] = dnnl_alg_kind_undef, [RELU] = dnnl_alg_kind_undef, [LEAKY_RELU] = dnnl_eltwise_relu,
    [ELU] = dnnl_eltwise_elu, [TANH] = dnnl_eltwise_tanh, [SIGMOID] = dnnl_eltwise_logistic};

/* The post-operation of an activation; undefined: none, or our relu. A leaky relu with slope 0 would be oneDNN's
   relu. */
static dnnl_alg_kind_t post_operation(const lt_op *op, float parameter)
{
    if (!op || (op->activation == LEAKY_RELU && parameter == 0))
        return dnnl_alg_kind_undef;
    return post_operations[op->activation];
}

static bool needs_relu(const lt_op *op, float parameter)
{
    return op && post_operation(op, parameter) == dnnl_alg_kind_undef;
}

/* Attributes of a primitive: our scratch, full f32 precision whatever the environment says, accumulation, activation.
   */
static dnnl_primitive_attr_t make_attributes(bool accumulate, const lt_op *activation,
                                             float parameter)
{
    dnnl_primitive_attr_t attr;
    dnnl_primitive_attr_create(&attr);
    dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    dnnl_primitive_attr_set_fpmath_mode(attr, dnnl_fpmath_mode_strict);
    dnnl_alg_kind_t kind = post_operation(activation, parameter);
    dnnl_post_ops_t post;
    dnnl_post_ops_create(&post);
    if (accumulate)
        dnnl_post_ops_append_sum(post, 1, 0, dnnl_data_type_undef);
    if (kind != dnnl_alg_kind_undef)
        dnnl_post_ops_append_eltwise(post, kind, parameter, 0);
    dnnl_primitive_attr_set_post_ops(attr, post);
    dnnl_post_ops_destroy(post);
    return attr;
}

/* ---- Matmul ---- */

/* A rectangle of the result. All chunks of one size share a primitive. */
typedef struct chunk {
    dnnl_primitive_t primitive; /* borrowed from kinds[] */
    dnnl_memory_t a, b, bias, y;
    int64_t row, column, rows, columns;
} chunk;

/* Primitives by size: whole chunks, and smaller last ones by row, by column, by both. */
enum { KINDS = 4 };

struct onednn_matmul {
    onednn_matmul_spec spec;
    dnnl_primitive_t kinds[KINDS];
    size_t scratch_size;
    unsigned char *scratch; /* one piece per thread */
    dnnl_memory_t *scratch_memory;
    chunk *chunks;
    int n_chunks;
    bool with_relu;
    bool is_turned;
    dnnl_stream_t *streams; /* one per thread */
};

/* Computes a column as a row, y' (1 x n) = b' a', so that vectors of it are computed at a time: 131072 x 32 x 1 with
   a sigmoid takes 0.4 ms instead of 2.4 on one Zen 4 core. Not with a bias: for one that is equal in all columns
   oneDNN only has its reference kernel. A transposed a is fast without this. */
static bool turn(onednn_matmul_spec *s)
{
    if (s->m != 1 || s->n == 1 || s->has_bias || s->transpose_a)
        return false;
    s->m = s->n;
    s->n = 1;
    s->transpose_b = true;
    return true;
}

/* How the result is cut, measured on 2 cores at the sizes of MLP layers: rows first (few chunks share a packed b),
   then columns. Matmuls below a few microseconds stay whole. */
static void choose_pieces(const onednn_matmul_spec *s, int64_t *rows, int64_t *columns)
{
    const int64_t min_rows = 32, min_columns = 384, max_pieces = 8, small = 400 * 1000;
    *rows = s->n;
    *columns = s->m;
    if (s->whole || s->n * s->m * s->k < small)
        return;
    int64_t most = s->transpose_b ? 2 : max_pieces; /* packing a transposed b costs most */
    int64_t n = s->n / min_rows < most ? s->n / min_rows : most;
    n = n < 1 ? 1 : n;
    int64_t m = s->m / min_columns < max_pieces / n ? s->m / min_columns : max_pieces / n;
    m = m < 1 || n > 1 ? 1 : m;
    *rows = (s->n + n - 1) / n;
    *columns = ((s->m + m - 1) / m + 15) / 16 * 16;
}

static dnnl_memory_desc_t matrix(int64_t n, int64_t m, int64_t stored_columns, bool transpose)
{
    dnnl_dims_t dims = {n, m};
    dnnl_dims_t strides = {transpose ? 1 : stored_columns, transpose ? stored_columns : 1};
    return strided(2, dims, strides);
}

/* Memory descriptors of one piece. */
typedef struct piece {
    dnnl_memory_desc_t a, b, bias, y;
} piece;

static piece describe(const onednn_matmul_spec *s, int64_t rows, int64_t columns)
{
    return (piece){.a = matrix(rows, s->k, s->transpose_a ? s->n : s->k, s->transpose_a),
                   .b = matrix(s->k, columns, s->transpose_b ? s->k : s->m, s->transpose_b),
                   .bias = matrix(1, columns, columns, false),
                   .y = matrix(rows, columns, s->m, false)};
}

static void forget(piece *p)
{
    dnnl_memory_desc_destroy(p->a);
    dnnl_memory_desc_destroy(p->b);
    dnnl_memory_desc_destroy(p->bias);
    dnnl_memory_desc_destroy(p->y);
}

/* Always single-threaded: how a primitive blocks its loops, and so its rounding, may depend on the number of threads
   it is created for. */
static int make_primitive(onednn_matmul *k, int kind, const piece *p)
{
    if (k->kinds[kind])
        return LT_OK;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_attr_t attr = make_attributes(k->spec.accumulate, k->spec.activation,
                                                 k->spec.parameter);
    int threads = threads_one();
    dnnl_status_t status = dnnl_matmul_primitive_desc_create(
        &pd, engine, p->a, p->b, k->spec.has_bias ? p->bias : NULL, p->y, attr);
    if (status == dnnl_success) {
        size_t size = scratch_size_of(pd);
        k->scratch_size = size > k->scratch_size ? size : k->scratch_size;
        status = dnnl_primitive_create(&k->kinds[kind], pd);
    }
    threads_restore(threads);
    dnnl_primitive_desc_destroy(pd);
    dnnl_primitive_attr_destroy(attr);
    return status == dnnl_success ? LT_OK : fail("creating a matmul", status);
}

static int make_memory(dnnl_memory_t *memory, const_dnnl_memory_desc_t desc)
{
    dnnl_status_t status = dnnl_memory_create(memory, desc, engine, DNNL_MEMORY_NONE);
    return status == dnnl_success ? LT_OK : fail("describing memory", status);
}

/* Makes the memory objects of a chunk. */
static int make_memories(chunk *h, const piece *p, bool has_bias)
{
    LT_TRY(make_memory(&h->a, p->a));
    LT_TRY(make_memory(&h->b, p->b));
    LT_TRY(make_memory(&h->y, p->y));
    return has_bias ? make_memory(&h->bias, p->bias) : LT_OK;
}

static int make_chunk(onednn_matmul *k, int64_t row, int64_t column, int64_t rows, int64_t columns)
{
    const onednn_matmul_spec *s = &k->spec;
    bool last_row = row + rows > s->n, last_column = column + columns > s->m;
    rows = last_row ? s->n - row : rows;
    columns = last_column ? s->m - column : columns;
    int kind = last_row + 2 * last_column;
    piece p = describe(s, rows, columns);
    int status = make_primitive(k, kind, &p);
    if (status == LT_OK) {
        chunk *h = &k->chunks[k->n_chunks++];
        *h = (chunk){.primitive = k->kinds[kind], .row = row, .column = column, .rows = rows,
                     .columns = columns};
        status = make_memories(h, &p, s->has_bias);
    }
    forget(&p);
    return status;
}

static int make_chunks(onednn_matmul *k)
{
    const onednn_matmul_spec *s = &k->spec;
    if (s->n == 0 || s->m == 0 || s->k == 0)
        return LT_OK;
    int64_t rows, columns;
    choose_pieces(s, &rows, &columns);
    int64_t n = (s->n + rows - 1) / rows * ((s->m + columns - 1) / columns);
    k->chunks = must_alloc(sizeof *k->chunks * (size_t)n);
    for (int64_t row = 0; row < s->n; row += rows)
        for (int64_t column = 0; column < s->m; column += columns)
            LT_TRY(make_chunk(k, row, column, rows, columns));
    return LT_OK;
}

static int make_scratch(onednn_matmul *k)
{
    size_t threads = (size_t)k->spec.threads;
    k->scratch_size = (k->scratch_size + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    k->scratch = tensor_alloc(k->scratch_size * threads, "scratch of a matmul");
    if (!k->scratch)
        return LT_NO_MEMORY;
    k->scratch_memory = must_alloc(sizeof *k->scratch_memory * threads);
    k->streams = must_alloc(sizeof *k->streams * threads);
    for (size_t i = 0; i < threads; i++) {
        dnnl_status_t status = make_scratch_memory(&k->scratch_memory[i], k->scratch_size,
                                                   k->scratch + i * k->scratch_size);
        if (status == dnnl_success)
            status = dnnl_stream_create(&k->streams[i], engine, dnnl_stream_default_flags);
        if (status != dnnl_success)
            return fail("creating a stream", status);
    }
    return LT_OK;
}

onednn_matmul *onednn_matmul_create(const onednn_matmul_spec *spec)
{
    if (!have_engine())
        return NULL;
    onednn_matmul *k = must_alloc(sizeof *k);
    k->spec = *spec;
    k->is_turned = turn(&k->spec);
    k->with_relu = needs_relu(spec->activation, spec->parameter);
    if (make_chunks(k) == LT_OK && make_scratch(k) == LT_OK)
        return k;
    onednn_matmul_free(k);
    return NULL;
}

void onednn_matmul_free(onednn_matmul *k)
{
    if (!k)
        return;
    for (int i = 0; i < k->n_chunks; i++) {
        dnnl_memory_destroy(k->chunks[i].a);
        dnnl_memory_destroy(k->chunks[i].b);
        dnnl_memory_destroy(k->chunks[i].bias);
        dnnl_memory_destroy(k->chunks[i].y);
    }
    for (int i = 0; i < k->spec.threads && k->streams; i++) {
        dnnl_memory_destroy(k->scratch_memory[i]);
        dnnl_stream_destroy(k->streams[i]);
    }
    for (int i = 0; i < KINDS; i++)
        dnnl_primitive_destroy(k->kinds[i]);
    tensor_free(k->scratch);
    free(k->scratch_memory);
    free(k->streams);
    free(k->chunks);
    free(k);
}

/* Arguments of one run. */
typedef struct matmul_call {
    onednn_matmul *k;
    const float *a, *b, *bias;
    float *y;
} matmul_call;

static void run_chunk(void *context, int64_t i, int thread)
{
    const matmul_call *c = context;
    onednn_matmul *k = c->k;
    chunk *h = &k->chunks[i];
    const onednn_matmul_spec *s = &k->spec;
    const float *a_at = c->a + h->row * (s->transpose_a ? 1 : s->k);
    const float *b_at = c->b + h->column * (s->transpose_b ? s->k : 1);
    dnnl_memory_set_data_handle(h->a, (void *)a_at);
    dnnl_memory_set_data_handle(h->b, (void *)b_at);
    float *y_at = c->y + h->row * s->m + h->column;
    dnnl_memory_set_data_handle(h->y, y_at);
    dnnl_exec_arg_t args[5] = {{DNNL_ARG_SRC, h->a},
                               {DNNL_ARG_WEIGHTS, h->b},
                               {DNNL_ARG_DST, h->y},
                               {DNNL_ARG_SCRATCHPAD, k->scratch_memory[thread]}};
    int n = 4;
    if (s->has_bias) {
        dnnl_memory_set_data_handle(h->bias, (void *)(c->bias + h->column));
        args[n++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, h->bias};
    }
    execute(h->primitive, k->streams[thread], n, args);
    for (int64_t row = 0; k->with_relu && row < h->rows; row++, y_at += s->m)
        tile_relu((int)h->columns, y_at, y_at, NULL, NULL, 0);
}

void onednn_matmul_run(onednn_matmul *k, const float *a, const float *b, const float *bias, float *y,
                       int threads)
{
    if (k->n_chunks == 0) { /* an empty sum; compile never fuses a bias into it */
        memset(y, 0, sizeof *y * (size_t)(k->spec.n * k->spec.m));
        return;
    }
    LT_ASSERT(threads <= k->spec.threads);
    matmul_call call = {k, k->is_turned ? b : a, k->is_turned ? a : b, bias, y};
    threads_run(threads, k->n_chunks, run_chunk, &call);
}

/* ---- Convolution ---- */

/* State of one thread. */
typedef struct conv_worker {
    dnnl_stream_t stream;
    dnnl_memory_t a, b, bias, out, scratch;
} conv_worker;

struct onednn_conv {
    conv_spec spec;
    dnnl_memory_desc_t x, y, bias, plain, packed;
    dnnl_memory_desc_t any; /* a weight in the format that oneDNN prefers */
    dnnl_primitive_t primitive;
    dnnl_primitive_t reorder;
    dnnl_memory_t from, to; /* of the reorder */
    dnnl_stream_t stream;   /* of the reorder */
    conv_worker *workers;
    size_t scratch_size;
    unsigned char *scratch; /* one piece per worker */
    bool with_relu;
};

/* n images of h x w pixels with c channels, channels last, in oneDNN's order of dimensions. */
static dnnl_memory_desc_t images(int64_t n, int64_t h, int64_t w, int64_t c)
{
    dnnl_dims_t dims = {n, c, h, w}, strides = {h * w * c, 1, w * c, c};
    return strided(4, dims, strides);
}

/* Our weights, kh x kw x i / groups x o, as o x i x kh x kw or groups x o / groups x ... . */
static void describe_weight(onednn_conv *k)
{
    const conv_spec *s = &k->spec;
    int64_t i = s->i / s->groups, o = s->o / s->groups;
    dnnl_dims_t dims = {s->groups, o, i, s->kh, s->kw};
    dnnl_dims_t strides = {o, 1, s->o, s->kw * i * s->o, i * s->o};
    int first = s->groups == 1;
    k->plain = strided(5 - first, dims + first, strides + first);
    dnnl_memory_desc_create_with_tag(&k->any, 5 - first, dims + first, dnnl_f32,
                                     dnnl_format_tag_any);
}

static dnnl_status_t create_conv_pd(dnnl_primitive_desc_t *pd, const onednn_conv *k, conv_pass pass,
                                    const_dnnl_memory_desc_t weight, bool has_bias,
                                    const_dnnl_primitive_desc_t hint,
                                    const_dnnl_primitive_attr_t attr)
{
    const conv_spec *s = &k->spec;
    dnnl_dims_t strides = {s->stride, s->stride}, dilates = {s->dilation - 1, s->dilation - 1};
    dnnl_dims_t left = {s->pad, s->pad};
    /* padding within reach of the kernel; negative if some pixels of x are not */
    dnnl_dims_t right = {(s->oh - 1) * s->stride + s->dilation * (s->kh - 1) + 1 - s->h - s->pad,
                         (s->ow - 1) * s->stride + s->dilation * (s->kw - 1) + 1 - s->w - s->pad};
    const dnnl_alg_kind_t direct = dnnl_convolution_direct;
    switch (pass) {
    case CONV_FORWARD:
        return dnnl_convolution_forward_primitive_desc_create(
            pd, engine, dnnl_forward_inference, direct, k->x, weight, has_bias ? k->bias : NULL, k->y,
            strides, dilates, left, right, attr);
    case CONV_DX:
        return dnnl_convolution_backward_data_primitive_desc_create(
            pd, engine, direct, k->x, weight, k->y, strides, dilates, left, right, hint, attr);
    case CONV_DW:
        break;
    }
    return dnnl_convolution_backward_weights_primitive_desc_create(
        pd, engine, direct, k->x, weight, NULL, k->y, strides, dilates, left, right, hint, attr);
}

/* Where oneDNN's second implementation is faster than its first: with fewer channels of x than `below`.
   Measured on one core, GFLOP/s of the first and the second: 2.6.3 on Zen 4, 32 x 32 x 1 -> 16 x 16 x 16,
   46 and 98. 3.7.2 on Sapphire Rapids, kernel 4, stride 2: forward, 28 x 28 x 8 -> 14 x 14 x 16, 90 and
   139, from 4 and 1 channels 99 and 160, 36 and 145; backward the same, 28 and 69, with 16 channels 66
   and 168, with 32 133 and 163; kernel 3, stride 1, backward, 14 x 14 x 8 <- 14 x 14 x 16, 69 and 94. With
   more channels the first is as fast or faster. */
static const struct {
    conv_pass pass;
    int below;
    const char *first, *second;
} second_choices[] = {
    {CONV_FORWARD, 2, "brgconv:avx512_core", "jit:avx512_core"}, /* 2 */
    {CONV_FORWARD, 16, "brg_conv_fwd:avx512_core", "jit:avx512_core"}, /* 3, and all below */
    {CONV_FORWARD, 4, "brg_conv_fwd:avx2", "jit:avx2"},
    {CONV_DX, 64, "brgconv_strided:avx512_core", "jit:avx512_core"},
    {CONV_DX, 32, "brgconv_strided:avx2", "jit:avx2"},
    {CONV_DX, 16, "brg_conv_bwd:avx512_core+brg_conv_fwd:avx512_core", "jit:avx512_core"},
};

static bool is_implementation(const_dnnl_primitive_desc_t pd, const char *name)
{
    const char *found = "";
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &found);
    return strcmp(found, name) == 0;
}

/* Replaces the first implementation by the second if that has this name. */
static void take_second(dnnl_primitive_desc_t *pd, const char *name)
{
    dnnl_primitive_desc_t first;
    if (dnnl_primitive_desc_clone(&first, *pd) != dnnl_success)
        return;
    if (dnnl_primitive_desc_next_impl(*pd) == dnnl_success && is_implementation(*pd, name)) {
        dnnl_primitive_desc_destroy(first);
        return;
    }
    dnnl_primitive_desc_destroy(*pd);
    *pd = first;
}

static void choose_implementation(dnnl_primitive_desc_t *pd, const conv_spec *s)
{
    for (int i = 0; i < COUNT_OF(second_choices); i++)
        if (second_choices[i].pass == s->pass && s->i < second_choices[i].below &&
            is_implementation(*pd, second_choices[i].first)) {
            take_second(pd, second_choices[i].second);
            return;
        }
}

/* Backward passes need the forward descriptor of the same shape as a hint. */
static dnnl_status_t make_conv_pd(dnnl_primitive_desc_t *pd, const onednn_conv *k,
                                  const_dnnl_memory_desc_t weight, bool finishes)
{
    const conv_spec *s = &k->spec;
    dnnl_primitive_desc_t hint = NULL;
    dnnl_status_t status = dnnl_success;
    if (s->pass != CONV_FORWARD)
        status = create_conv_pd(&hint, k, CONV_FORWARD, k->any, false, NULL, NULL);
    dnnl_primitive_attr_t attr = make_attributes(false, finishes ? s->activation : NULL,
                                                 s->parameter);
    if (status == dnnl_success)
        status = create_conv_pd(pd, k, s->pass, weight, finishes && s->has_bias, hint, attr);
    if (status == dnnl_success)
        choose_implementation(pd, s);
    dnnl_primitive_attr_destroy(attr);
    dnnl_primitive_desc_destroy(hint);
    return status;
}

/* The weight format is chosen without bias and activation, so that it does not depend on them. */
static dnnl_status_t choose_format(onednn_conv *k)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t status = make_conv_pd(&pd, k, k->any, false);
    if (status == dnnl_success) {
        bool dw = k->spec.pass == CONV_DW;
        status = dnnl_memory_desc_clone(
            &k->packed, dnnl_primitive_desc_query_md(
                            pd, dw ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0));
    }
    dnnl_primitive_desc_destroy(pd);
    return status;
}

/* Single-threaded, like make_primitive. */
static dnnl_status_t make_conv(onednn_conv *k, const onednn_conv *like)
{
    dnnl_primitive_desc_t pd = NULL;
    int threads = threads_one();
    dnnl_status_t status =
        like ? dnnl_memory_desc_clone(&k->packed, like->packed) : choose_format(k);
    if (status == dnnl_success)
        status = make_conv_pd(&pd, k, k->packed, true);
    if (status == dnnl_success) {
        size_t size = scratch_size_of(pd);
        k->scratch_size = (size + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
        status = dnnl_primitive_create(&k->primitive, pd);
    }
    threads_restore(threads);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

static dnnl_status_t make_reorder(onednn_conv *k)
{
    bool dw = k->spec.pass == CONV_DW;
    const_dnnl_memory_desc_t from = dw ? k->packed : k->plain, to = dw ? k->plain : k->packed;
    dnnl_primitive_desc_t pd = NULL;
    int threads = threads_one();
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, NULL);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&k->reorder, pd);
    threads_restore(threads);
    dnnl_primitive_desc_destroy(pd);
    if (status == dnnl_success)
        status = dnnl_memory_create(&k->from, from, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        status = dnnl_memory_create(&k->to, to, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        status = dnnl_stream_create(&k->stream, engine, dnnl_stream_default_flags);
    return status;
}

static dnnl_status_t make_worker(onednn_conv *k, conv_worker *w, void *scratch)
{
    const struct {
        dnnl_memory_t *memory;
        const_dnnl_memory_desc_t desc;
    } parts[] = {{&w->a, k->spec.pass == CONV_DX ? k->y : k->x},
                 {&w->b, k->spec.pass == CONV_DW ? k->y : k->packed},
                 {&w->bias, k->bias},
                 {&w->out, k->spec.pass == CONV_FORWARD ? k->y
                           : k->spec.pass == CONV_DX    ? k->x
                                                        : k->packed}};
    dnnl_status_t status = dnnl_stream_create(&w->stream, engine, dnnl_stream_default_flags);
    for (int i = 0; i < COUNT_OF(parts) && status == dnnl_success; i++)
        status = dnnl_memory_create(parts[i].memory, parts[i].desc, engine, DNNL_MEMORY_NONE);
    return status == dnnl_success ? make_scratch_memory(&w->scratch, k->scratch_size, scratch) : status;
}

static int make_workers(onednn_conv *k)
{
    size_t n = (size_t)k->spec.threads;
    k->scratch = tensor_alloc(k->scratch_size * n, "scratch of a convolution");
    if (!k->scratch)
        return LT_NO_MEMORY;
    k->workers = must_alloc(sizeof *k->workers * n);
    dnnl_status_t status = dnnl_success;
    for (size_t i = 0; i < n && status == dnnl_success; i++)
        status = make_worker(k, &k->workers[i], k->scratch + i * k->scratch_size);
    return status == dnnl_success ? LT_OK : fail("describing memory", status);
}

onednn_conv *onednn_conv_create(const conv_spec *s, const onednn_conv *like)
{
    if (!have_engine())
        return NULL;
    onednn_conv *k = must_alloc(sizeof *k);
    k->spec = *s;
    k->with_relu = needs_relu(s->activation, s->parameter);
    k->x = images(s->n, s->h, s->w, s->i);
    k->y = images(s->n, s->oh, s->ow, s->o);
    dnnl_dims_t channels = {s->o}, unit = {1};
    k->bias = strided(1, channels, unit);
    describe_weight(k);
    dnnl_status_t status = make_conv(k, like);
    if (status == dnnl_success)
        status = make_reorder(k);
    if (status == dnnl_success && make_workers(k) == LT_OK)
        return k;
    if (status != dnnl_success)
        fail("creating a convolution", status);
    onednn_conv_free(k);
    return NULL;
}

void onednn_conv_free(onednn_conv *k)
{
    if (!k)
        return;
    for (int i = 0; i < k->spec.threads && k->workers; i++) {
        conv_worker *w = &k->workers[i];
        dnnl_memory_destroy(w->a);
        dnnl_memory_destroy(w->b);
        dnnl_memory_destroy(w->bias);
        dnnl_memory_destroy(w->out);
        dnnl_memory_destroy(w->scratch);
        dnnl_stream_destroy(w->stream);
    }
    dnnl_memory_destroy(k->from);
    dnnl_memory_destroy(k->to);
    dnnl_stream_destroy(k->stream);
    dnnl_primitive_destroy(k->reorder);
    dnnl_primitive_destroy(k->primitive);
    dnnl_memory_desc_t descriptors[] = {k->x, k->y, k->bias, k->plain, k->packed, k->any};
    for (int i = 0; i < COUNT_OF(descriptors); i++)
        dnnl_memory_desc_destroy(descriptors[i]);
    tensor_free(k->scratch);
    free(k->workers);
    free(k);
}

size_t onednn_conv_packed_size(const onednn_conv *k)
{
    return dnnl_memory_desc_get_size(k->packed) / sizeof(float);
}

bool onednn_conv_is_plain(const onednn_conv *k)
{
    return dnnl_memory_desc_equal(k->plain, k->packed);
}

void onednn_conv_run(onednn_conv *k, const float *a, const float *b, const float *bias, float *out,
                     int worker)
{
    static const struct {
        int a, b, out;
    } names[] = {[CONV_FORWARD] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                 [CONV_DX] = {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC},
                 [CONV_DW] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS}};
    const conv_spec *s = &k->spec;
    conv_worker *w = &k->workers[worker];
    dnnl_memory_set_data_handle(w->a, (void *)a);
    dnnl_memory_set_data_handle(w->b, (void *)b);
    dnnl_memory_set_data_handle(w->out, out);
    dnnl_exec_arg_t args[5] = {{names[s->pass].a, w->a},
                               {names[s->pass].b, w->b},
                               {names[s->pass].out, w->out},
                               {DNNL_ARG_SCRATCHPAD, w->scratch}};
    int n = 4;
    if (s->has_bias) {
        dnnl_memory_set_data_handle(w->bias, (void *)bias);
        args[n++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, w->bias};
    }
    execute(k->primitive, w->stream, n, args);
    int64_t row = s->ow * s->o, rows = s->n * s->oh;
    for (int64_t i = 0; k->with_relu && i < rows; i++, out += row)
        tile_relu((int)row, out, out, NULL, NULL, 0);
}

void onednn_conv_reorder(onednn_conv *k, const float *from, float *to)
{
    dnnl_memory_set_data_handle(k->from, (void *)from);
    dnnl_memory_set_data_handle(k->to, to);
    execute(k->reorder, k->stream, 2,
            (dnnl_exec_arg_t[]){{DNNL_ARG_FROM, k->from}, {DNNL_ARG_TO, k->to}});
}
