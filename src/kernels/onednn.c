/* SPDX-License-Identifier: MIT */
#include "kernels/onednn.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"
#include "kernels/tiles.h"

#include <dnnl.h>
#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The library ---- */

static dnnl_engine_t engine;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

static void make_engine(void)
{
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success)
        engine = NULL;
}

static int fail(const char *what, dnnl_status_t status)
{
    return status_fail(status == dnnl_out_of_memory ? LT_NO_MEMORY : LT_UNSUPPORTED,
                       "oneDNN: %s failed (status %d)", what, (int)status);
}

const char *onednn_version(void)
{
    static char text[32];
    const dnnl_version_t *v = dnnl_version();
    snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
}

const char *onednn_isa(void)
{
    switch (dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41:
        return "SSE4.1";
    case dnnl_cpu_isa_avx:
        return "AVX";
    case dnnl_cpu_isa_avx2:
    case dnnl_cpu_isa_avx2_vnni:
        return "AVX2";
    case dnnl_cpu_isa_avx512_core:
        return "AVX-512";
    case dnnl_cpu_isa_avx512_core_vnni:
        return "AVX-512 with VNNI";
    case dnnl_cpu_isa_avx512_core_bf16:
        return "AVX-512 with BF16";
    case dnnl_cpu_isa_avx512_core_amx:
        return "AVX-512 with AMX";
    default:
        return "generic";
    }
}

/* ---- Activations as post-operations ---- */

/* oneDNN's relu turns NaN into 0, which would hide that a layer has diverged; ours is applied to each
   piece of a product while it is in cache. */
static const struct activation {
    const char *name;
    dnnl_alg_kind_t kind; /* undefined: our tile kernel */
} activations[] = {
    {"relu", dnnl_alg_kind_undef},       {"leaky_by", dnnl_eltwise_relu},
    {"elu_by", dnnl_eltwise_elu},        {"tanh", dnnl_eltwise_tanh},
    {"sigmoid", dnnl_eltwise_logistic},
};

static const struct activation *find_activation(const char *name)
{
    for (int i = 0; i < COUNT_OF(activations); i++)
        if (strcmp(activations[i].name, name) == 0)
            return &activations[i];
    return NULL;
}

bool onednn_has_activation(const char *name) { return find_activation(name) != NULL; }

/* ---- Matrix product ---- */

/* A rectangle of the result. All shards of one size share a primitive. */
typedef struct shard {
    dnnl_primitive_t primitive; /* borrowed from kinds[] */
    dnnl_memory_t a, b, bias, y;
    int64_t row, column, rows, columns;
} shard;

/* Primitives by size: whole pieces, and the smaller last ones by row, by column, by both. */
enum { KINDS = 4 };

struct onednn_matmul {
    onednn_matmul_spec spec;
    dnnl_primitive_t kinds[KINDS];
    size_t scratch_size;
    unsigned char *scratch; /* one piece per thread */
    dnnl_memory_t *scratch_memory;
    shard *shards;
    int n_shards;
    bool with_relu;
    dnnl_stream_t *streams; /* one per thread */
};

/* How the result is cut: measured on 2 cores at the sizes of MLP layers, rows first (a packed b is
   shared by few shards), then columns. Products below a few microseconds stay whole. */
static void choose_pieces(const onednn_matmul_spec *s, int64_t *rows, int64_t *columns)
{
    const int64_t min_rows = 32, min_columns = 384, max_pieces = 8, small = 400 * 1000;
    *rows = s->n;
    *columns = s->m;
    if (s->n * s->m * s->k < small)
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
    dnnl_memory_desc_t d;
    dnnl_dims_t dims = {n, m};
    dnnl_dims_t strides = {transpose ? 1 : stored_columns, transpose ? stored_columns : 1};
    dnnl_memory_desc_init_by_strides(&d, 2, dims, dnnl_f32, strides);
    return d;
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

static dnnl_primitive_attr_t make_attributes(const onednn_matmul_spec *s)
{
    dnnl_primitive_attr_t attr;
    dnnl_primitive_attr_create(&attr);
    dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    dnnl_alg_kind_t kind = s->activation ? find_activation(s->activation)->kind : dnnl_alg_kind_undef;
    if (kind != dnnl_alg_kind_undef) {
        dnnl_post_ops_t post;
        dnnl_post_ops_create(&post);
        dnnl_post_ops_append_eltwise(post, 1, kind, s->parameter, 0);
        dnnl_primitive_attr_set_post_ops(attr, post);
        dnnl_post_ops_destroy(post);
    }
    return attr;
}

/* Single-threaded whatever the session uses: how a primitive blocks its loops, and so its rounding,
   may depend on the threads it is made for. */
static int make_primitive(onednn_matmul *k, int kind, const piece *p)
{
    if (k->kinds[kind])
        return LT_OK;
    dnnl_matmul_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_attr_t attr = make_attributes(&k->spec);
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    dnnl_status_t status =
        dnnl_matmul_desc_init(&desc, &p->a, &p->b, k->spec.has_bias ? &p->bias : NULL, &p->y);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(&pd, &desc, attr, engine, NULL);
    if (status == dnnl_success) {
        const dnnl_memory_desc_t *d =
            dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
        size_t size = dnnl_memory_desc_get_size(d);
        k->scratch_size = size > k->scratch_size ? size : k->scratch_size;
        status = dnnl_primitive_create(&k->kinds[kind], pd);
    }
    omp_set_num_threads(threads);
    dnnl_primitive_desc_destroy(pd);
    dnnl_primitive_attr_destroy(attr);
    return status == dnnl_success ? LT_OK : fail("making a matrix product", status);
}

static int make_memory(dnnl_memory_t *memory, const dnnl_memory_desc_t *desc)
{
    dnnl_status_t status = dnnl_memory_create(memory, desc, engine, DNNL_MEMORY_NONE);
    return status == dnnl_success ? LT_OK : fail("describing memory", status);
}

static int make_shard(onednn_matmul *k, int64_t row, int64_t column, int64_t rows, int64_t columns)
{
    const onednn_matmul_spec *s = &k->spec;
    bool last_row = row + rows > s->n, last_column = column + columns > s->m;
    rows = last_row ? s->n - row : rows;
    columns = last_column ? s->m - column : columns;
    int kind = last_row + 2 * last_column;
    piece p = describe(s, rows, columns);
    LT_TRY(make_primitive(k, kind, &p));
    shard *h = &k->shards[k->n_shards++];
    h->primitive = k->kinds[kind];
    h->row = row;
    h->column = column;
    h->rows = rows;
    h->columns = columns;
    LT_TRY(make_memory(&h->a, &p.a));
    LT_TRY(make_memory(&h->b, &p.b));
    LT_TRY(make_memory(&h->y, &p.y));
    return s->has_bias ? make_memory(&h->bias, &p.bias) : LT_OK;
}

static int make_shards(onednn_matmul *k)
{
    const onednn_matmul_spec *s = &k->spec;
    if (s->n == 0 || s->m == 0 || s->k == 0)
        return LT_OK;
    int64_t rows, columns;
    choose_pieces(s, &rows, &columns);
    int64_t n = (s->n + rows - 1) / rows * ((s->m + columns - 1) / columns);
    k->shards = must_alloc(sizeof *k->shards * (size_t)n);
    for (int64_t row = 0; row < s->n; row += rows)
        for (int64_t column = 0; column < s->m; column += columns)
            LT_TRY(make_shard(k, row, column, rows, columns));
    return LT_OK;
}

static int make_scratch(onednn_matmul *k)
{
    size_t threads = (size_t)k->spec.threads;
    k->scratch_size = (k->scratch_size + TENSOR_ALIGN - 1) / TENSOR_ALIGN * TENSOR_ALIGN;
    k->scratch = tensor_alloc(k->scratch_size * threads, "scratch of a matrix product");
    if (!k->scratch)
        return LT_NO_MEMORY;
    k->scratch_memory = must_alloc(sizeof *k->scratch_memory * threads);
    k->streams = must_alloc(sizeof *k->streams * threads);
    dnnl_memory_desc_t d;
    dnnl_dims_t dims = {(dnnl_dim_t)k->scratch_size};
    dnnl_memory_desc_init_by_tag(&d, 1, dims, dnnl_u8, dnnl_a);
    for (size_t i = 0; i < threads; i++) {
        dnnl_status_t status = dnnl_memory_create(&k->scratch_memory[i], &d, engine,
                                                  k->scratch + i * k->scratch_size);
        if (status == dnnl_success)
            status = dnnl_stream_create(&k->streams[i], engine, dnnl_stream_default_flags);
        if (status != dnnl_success)
            return fail("making a stream", status);
    }
    return LT_OK;
}

onednn_matmul *onednn_matmul_create(const onednn_matmul_spec *spec)
{
    pthread_once(&engine_once, make_engine);
    if (!engine) {
        status_fail(LT_UNSUPPORTED, "oneDNN has no CPU engine on this machine");
        return NULL;
    }
    onednn_matmul *k = must_alloc(sizeof *k);
    k->spec = *spec;
    k->with_relu = spec->activation && strcmp(spec->activation, "relu") == 0;
    if (make_shards(k) == LT_OK && make_scratch(k) == LT_OK)
        return k;
    onednn_matmul_free(k);
    return NULL;
}

void onednn_matmul_free(onednn_matmul *k)
{
    if (!k)
        return;
    for (int i = 0; i < k->n_shards; i++) {
        dnnl_memory_destroy(k->shards[i].a);
        dnnl_memory_destroy(k->shards[i].b);
        dnnl_memory_destroy(k->shards[i].bias);
        dnnl_memory_destroy(k->shards[i].y);
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
    free(k->shards);
    free(k);
}

/* One run: the arrays. */
typedef struct matmul_call {
    onednn_matmul *k;
    const float *a, *b, *bias;
    float *y;
} matmul_call;

static void run_shard(void *context, int64_t i, int thread)
{
    const matmul_call *c = context;
    onednn_matmul *k = c->k;
    shard *h = &k->shards[i];
    const onednn_matmul_spec *s = &k->spec;
    const float *a_at = c->a + h->row * (s->transpose_a ? 1 : s->k);
    const float *b_at = c->b + h->column * (s->transpose_b ? s->k : 1);
    int before = omp_get_max_threads();
    omp_set_num_threads(1); /* a primitive must not start threads of its own */
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
    dnnl_status_t status = dnnl_primitive_execute(h->primitive, k->streams[thread], n, args);
    omp_set_num_threads(before);
    LT_ASSERT(status == dnnl_success);
    for (int64_t row = 0; k->with_relu && row < h->rows; row++, y_at += s->m)
        tile_relu((int)h->columns, y_at, y_at, NULL, NULL, 0);
}

void onednn_matmul_run(onednn_matmul *k, const float *a, const float *b, const float *bias, float *y,
                       int threads)
{
    if (k->n_shards == 0) { /* a sum over nothing; folding a bias into it is compile's to avoid */
        memset(y, 0, sizeof *y * (size_t)(k->spec.n * k->spec.m));
        return;
    }
    LT_ASSERT(threads <= k->spec.threads);
    threads_run(threads, k->n_shards, run_shard, &(matmul_call){k, a, b, bias, y});
}
