/* SPDX-License-Identifier: MIT */
#include "cpu/group.h"

#include "base/text.h"
#include "base/threads.h"
#include "cpu/tiles.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Results are the same bits at any thread count: the size alone cuts the domain into tiles and the tiles into chunks;
   a chunk accumulates its part of a reduction in order; chunks are summed as a tree. */
enum { MAX_CHUNKS = 16, CHUNK_ELEMENTS = 4096, MAX_UNIT_VALUES = 512 };

/* Strides, in floats, of an array outside the group along each dimension of the domain. */
typedef struct walk {
    int64_t storage; /* id of the node that owns the memory */
    int64_t offset;
    int64_t stride[MAX_DIMS]; /* innermost first; 0: repeated, or reduced */
} walk;

typedef enum step_kind { STEP_TILE, STEP_SUM, STEP_MAX } step_kind;

/* One member. Values are numbered: operands first, then the results of steps. */
typedef struct step {
    step_kind kind;
    tile_function *tile;
    int in[3];
    unsigned scalars; /* operands that are one float for the whole domain */
    int out;
    int64_t partials; /* reductions: offset of the partial results, or -1: written directly */
    int64_t size;     /* reductions: of the result */
    walk to;          /* reductions: the result */
} step;

/* Where a value is during a tile. */
typedef struct value {
    enum { IN_OPERAND, IN_TEMPORARY, IN_MEMORY } kind;
    int slot;  /* temporary: which tile of scratch; operand that is not whole: its tile */
    bool whole; /* operand: element by element, no loading needed */
    bool scalar; /* operand: one float for the whole domain, as an operator takes it */
    walk from; /* operand, memory */
} value;

struct group {
    int n_dims;
    int64_t dim[MAX_DIMS]; /* innermost first */
    int64_t size, columns, rows; /* of a tile */
    int64_t row_tiles;     /* tiles per row, when a tile is part of one */
    int64_t tiles_per_plane, planes; /* a plane: the two inner dimensions */
    int64_t n_chunks, chunk_unit;    /* a chunk has a multiple of chunk_unit tiles */
    bool aligned;          /* a chunk holds whole elements of the outermost dimension */
    value *values;
    int n_operands, n_values;
    step *steps;
    int n_steps, n_slots;
    int64_t partials_size, bytes;
};

/* ---- Geometry ---- */

static void set_dims(group *g, const fusion_group *u)
{
    int64_t inner = 1;
    for (int i = 0; i < u->n_bounds; i++) {
        g->dim[g->n_dims++] = u->bound[i] / inner;
        inner = u->bound[i];
    }
    g->dim[g->n_dims++] = u->size ? u->size / inner : 0;
    g->size = u->size;
}

static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* A tile is part of a long row, or several short rows. */
static void set_tiles(group *g)
{
    int64_t c = g->dim[0], r = g->n_dims > 1 ? g->dim[1] : 1;
    g->row_tiles = divide_up(c, TILE_SIZE);
    g->columns = c > TILE_SIZE ? (divide_up(c, g->row_tiles) + 15) / 16 * 16 : c;
    g->row_tiles = c ? divide_up(c, g->columns) : 0;
    g->rows = c && c <= TILE_SIZE / 2 ? TILE_SIZE / c : 1;
    g->rows = g->rows < r ? g->rows : r;
    g->tiles_per_plane = g->rows > 1 ? divide_up(r, g->rows) : r * g->row_tiles;
    g->planes = g->size && c ? g->size / (c * r) : 0;
}

static void set_chunks(group *g)
{
    int64_t outermost = g->dim[g->n_dims - 1], tiles = g->tiles_per_plane * g->planes;
    g->chunk_unit = 1;
    if (g->n_dims == 2) {
        g->aligned = true;
        g->chunk_unit = g->rows > 1 ? 1 : g->row_tiles;
    } else if (g->n_dims > 2 && outermost >= MAX_CHUNKS / 2) {
        g->aligned = true;
        g->chunk_unit = tiles / outermost;
    }
    int64_t units = g->chunk_unit ? tiles / g->chunk_unit : 0;
    g->n_chunks = g->size / CHUNK_ELEMENTS;
    g->n_chunks = g->n_chunks < MAX_CHUNKS ? g->n_chunks : MAX_CHUNKS;
    g->n_chunks = g->n_chunks < units ? g->n_chunks : units;
    g->n_chunks = g->n_chunks < 1 ? 1 : g->n_chunks;
}

/* Sets the strides of an array of shape `small`, broadcast to or reduced from `large`. */
static void set_strides(const group *g, walk *w, lt_shape small, lt_shape large)
{
    pattern p;
    pattern_make(&p, small, large);
    int segment = 0;
    int64_t at = 1, stride = 1;
    for (int k = 0; k < g->n_dims; k++) {
        while (segment < p.n && at >= p.bound[segment])
            segment++;
        w->stride[k] = p.active[segment] ? stride : 0;
        stride *= p.active[segment] ? g->dim[k] : 1;
        at *= g->dim[k];
    }
}

/* ---- Building ---- */

typedef struct builder {
    group *g;
    const lt_program *p;
    const fusion_group *u;
    const plan *m;
    int *value_of; /* by node id: the value of a member, or -1 */
} builder;

/* Returns the operand for input i of member y; reuses one that reads the same array in the same way. */
static int add_operand(builder *b, const lt_node *y, int i)
{
    group *g = b->g;
    lt_node *broadcast;
    value v = {.kind = IN_OPERAND};
    v.from.storage = node_reads(b->p, y, i, &broadcast, &v.from.offset)->id;
    const lt_node *e = broadcast ? broadcast : y->op == &lt_op_expand ? y : NULL;
    lt_shape full = y->op->flags & OP_REDUCTION ? y->in[0]->shape : y->shape;
    set_strides(g, &v.from, e ? e->in[0]->shape : full, e ? e->shape : full);
    v.whole = !e;
    for (int k = 0; k < g->n_operands; k++)
        if (memcmp(&g->values[k].from, &v.from, sizeof v.from) == 0)
            return k;
    g->values[g->n_operands] = v;
    return g->n_operands++;
}

static bool is_member_read(const builder *b, const lt_node *y, int i)
{
    lt_node *broadcast;
    int64_t offset;
    const lt_node *s = node_reads(b->p, y, i, &broadcast, &offset);
    return !broadcast && y->op != &lt_op_expand && b->value_of[s->id] >= 0;
}

static void add_operands(builder *b)
{
    for (int k = 0; k < b->u->n; k++) {
        const lt_node *y = b->u->nodes[k];
        for (int i = first_read(y); i < y->n_in; i++)
            if (!is_member_read(b, y, i))
                add_operand(b, y, i);
        if (!(y->op->flags & OP_REDUCTION))
            b->value_of[y->id] = 0; /* a member; numbered below */
    }
    b->g->n_values = b->g->n_operands;
}

static int read_value(builder *b, const lt_node *y, int i)
{
    if (is_member_read(b, y, i))
        return b->value_of[node_reads(b->p, y, i, NULL, NULL)->id];
    return add_operand(b, y, i);
}

static void add_reduction(builder *b, step *s, const lt_node *y)
{
    group *g = b->g;
    s->kind = y->op == &lt_op_sum ? STEP_SUM : STEP_MAX;
    s->to.storage = y->id;
    s->size = lt_shape_size(y->shape);
    set_strides(g, &s->to, y->shape, y->in[0]->shape);
    bool direct = g->n_chunks == 1 || (g->aligned && s->to.stride[g->n_dims - 1] > 0);
    s->partials = direct ? -1 : g->partials_size;
    g->partials_size += direct ? 0 : (s->size + 15) / 16 * 16 * g->n_chunks;
}

static void add_step(builder *b, const lt_node *y)
{
    group *g = b->g;
    step *s = &g->steps[g->n_steps++];
    for (int i = first_read(y); i < y->n_in; i++)
        s->in[i - first_read(y)] = read_value(b, y, i);
    if (y->op->flags & OP_REDUCTION) {
        add_reduction(b, s, y);
        return;
    }
    s->tile = y->op->flags & OP_ELEMENTWISE ? cpu_find_tile(y->op) : tile_copy;
    s->out = g->n_values;
    b->value_of[y->id] = g->n_values;
    value *v = &g->values[g->n_values++];
    const location *at = &b->m->locations[y->id];
    v->kind = y->op == &lt_op_assign || at->kind == LOCATION_BLOCK ? IN_MEMORY : IN_TEMPORARY;
    v->from.storage = y->op == &lt_op_assign ? y->in[0]->id : y->id;
    v->whole = true;
}

static int arity(const step *s)
{
    int n = 0;
    while (n < 3 && s->in[n] >= 0)
        n++;
    return n;
}

/* Whether a step after `k` reads storage `id` from outside the group. */
static bool is_read_after(const group *g, int k, int64_t id)
{
    for (k++; k < g->n_steps; k++)
        for (int i = 0; i < arity(&g->steps[k]); i++) {
            const value *v = &g->values[g->steps[k].in[i]];
            if (v->kind == IN_OPERAND && v->from.storage == id)
                return true;
        }
    return false;
}

/* Computes an assigned temporary directly in the variable, if nothing reads the old value later. */
static void store_assigned_directly(group *g, int assign)
{
    step *copy = &g->steps[assign];
    value *from = &g->values[copy->in[0]], *to = &g->values[copy->out];
    if (from->kind != IN_TEMPORARY)
        return;
    int maker = 0;
    while (g->steps[maker].kind != STEP_TILE || g->steps[maker].out != copy->in[0])
        maker++;
    if (is_read_after(g, maker, to->from.storage))
        return;
    from->kind = IN_MEMORY;
    from->from = to->from;
    copy->tile = NULL; /* no copy needed */
}

static bool is_repeated(const group *g, const value *v)
{
    for (int k = 0; k < g->n_dims; k++)
        if (v->from.stride[k])
            return false;
    return v->kind == IN_OPERAND && !v->whole;
}

/* An operand of one float is passed as a scalar if every operator that reads it has another operand. */
static void choose_scalars(group *g)
{
    for (int i = 0; i < g->n_operands; i++)
        g->values[i].scalar = is_repeated(g, &g->values[i]);
    for (int k = 0; k < g->n_steps; k++) {
        const step *s = &g->steps[k];
        bool all = true;
        for (int i = 0; i < arity(s); i++)
            all &= g->values[s->in[i]].scalar;
        for (int i = 0; i < arity(s) && all; i++)
            g->values[s->in[i]].scalar = false;
    }
    for (int k = 0; k < g->n_steps; k++)
        for (int i = 0; i < arity(&g->steps[k]); i++)
            if (g->values[g->steps[k].in[i]].scalar)
                g->steps[k].scalars |= 1u << i;
}

/* Assigns tiles of scratch to temporaries, reused after their last reader, and to broadcast operands. */
static void assign_slots(group *g)
{
    int *last = must_alloc(sizeof *last * (size_t)g->n_values), n_free = 0;
    int *unused = must_alloc(sizeof *unused * (size_t)(g->n_values + 1));
    for (int k = 0; k < g->n_steps; k++)
        for (int i = 0; i < arity(&g->steps[k]); i++)
            last[g->steps[k].in[i]] = k;
    for (int i = 0; i < g->n_operands; i++)
        g->values[i].slot = g->values[i].whole || g->values[i].scalar ? -1 : g->n_slots++;
    for (int k = 0; k < g->n_steps; k++) {
        const step *s = &g->steps[k];
        value *out = s->kind == STEP_TILE ? &g->values[s->out] : NULL;
        if (out && out->kind == IN_TEMPORARY)
            out->slot = n_free ? unused[--n_free] : g->n_slots++;
        for (int i = 0; i < arity(s); i++) {
            const value *v = &g->values[s->in[i]];
            bool again = i > 0 && (s->in[i] == s->in[0] || (i > 1 && s->in[i] == s->in[1]));
            if (v->kind == IN_TEMPORARY && last[s->in[i]] == k && !again)
                unused[n_free++] = v->slot;
        }
    }
    free(last);
    free(unused);
}

/* Upper bound: each input a separate operand, plus each result. */
static size_t count_values(const fusion_group *u)
{
    size_t n = 0;
    for (int k = 0; k < u->n; k++)
        n += 1 + (size_t)u->nodes[k]->n_in;
    LT_ASSERT(n <= MAX_UNIT_VALUES);
    return n;
}

static void count_bytes(group *g)
{
    for (int i = 0; i < g->n_values; i++)
        if (g->values[i].kind != IN_TEMPORARY && g->values[i].whole)
            g->bytes += g->size * (int64_t)sizeof(float);
}

group *group_make(arena *a, const lt_program *p, const fusion_group *u, const plan *m)
{
    group *g = arena_alloc(a, sizeof *g);
    builder b = {.g = g, .p = p, .u = u, .m = m,
                 .value_of = must_alloc(sizeof(int) * (size_t)(p->graph->n + 1))};
    for (int i = 0; i < p->graph->n; i++)
        b.value_of[i] = -1;
    set_dims(g, u);
    set_tiles(g);
    set_chunks(g);
    g->values = arena_alloc(a, sizeof *g->values * count_values(u));
    g->steps = arena_alloc(a, sizeof *g->steps * (size_t)u->n);
    for (int k = 0; k < u->n; k++)
        for (int i = 0; i < 3; i++)
            g->steps[k].in[i] = -1;
    add_operands(&b);
    for (int k = 0; k < u->n; k++)
        add_step(&b, u->nodes[k]);
    for (int k = 0; k < u->n; k++)
        if (u->nodes[k]->op == &lt_op_assign)
            store_assigned_directly(g, k);
    choose_scalars(g);
    assign_slots(g);
    count_bytes(g);
    free(b.value_of);
    return g;
}

int64_t group_scratch_size(const group *g) { return (int64_t)g->n_slots * TILE_SIZE; }
int64_t group_partials_size(const group *g) { return g->partials_size; }
int64_t group_bytes(const group *g) { return g->bytes; }

/* ---- Running ---- */

/* Position of one tile. Tiles are consecutive in memory. */
typedef struct tile {
    int64_t first;           /* element of the domain */
    int64_t index[MAX_DIMS]; /* of that element */
    int rows, columns;
} tile;

/* State of a thread that runs chunks. */
typedef struct worker {
    const group *g;
    float *const *memory;
    float *scratch;
    float *partials;
    int64_t chunk;
    const float *loaded[MAX_UNIT_VALUES]; /* broadcast operands: source of their tile */
    int loaded_rows[MAX_UNIT_VALUES];
    float *base[MAX_UNIT_VALUES]; /* start of values that are read element by element */
    float *at[MAX_UNIT_VALUES];   /* values of the current tile */
} worker;

static void set_extent(const group *g, tile *t)
{
    int64_t rows_left = g->n_dims > 1 ? g->dim[1] - t->index[1] : 1;
    int64_t columns_left = g->dim[0] - t->index[0];
    t->rows = (int)(rows_left < g->rows ? rows_left : g->rows);
    t->columns = (int)(columns_left < g->columns ? columns_left : g->columns);
}

static tile find_tile(const group *g, int64_t number)
{
    tile t = {0};
    int64_t plane = number / g->tiles_per_plane, inside = number % g->tiles_per_plane;
    t.index[1] = g->rows > 1 ? inside * g->rows : inside / g->row_tiles;
    t.index[0] = g->rows > 1 ? 0 : inside % g->row_tiles * g->columns;
    t.first = (plane * (g->n_dims > 1 ? g->dim[1] : 1) + t.index[1]) * g->dim[0] + t.index[0];
    for (int k = 2; k < g->n_dims; k++) {
        t.index[k] = plane % g->dim[k];
        plane /= g->dim[k];
    }
    set_extent(g, &t);
    return t;
}

static void next_tile(const group *g, tile *t)
{
    t->first += t->rows * t->columns;
    t->index[0] += t->columns;
    if (t->index[0] >= g->dim[0]) {
        t->index[0] = 0;
        t->index[1] += t->rows;
        for (int k = 1; k < g->n_dims - 1 && t->index[k] >= g->dim[k]; k++) {
            t->index[k] = 0;
            t->index[k + 1]++;
        }
    }
    set_extent(g, t);
}

static int64_t walk_to(const group *g, const walk *w, const tile *t)
{
    int64_t at = w->offset;
    for (int k = 0; k < g->n_dims; k++)
        at += t->index[k] * w->stride[k];
    return at;
}

static int64_t row_stride(const group *g, const walk *w) { return g->n_dims > 1 ? w->stride[1] : 0; }

/* Returns the tile of a broadcast operand: in memory if it is contiguous, else repeated into scratch, unless the
   previous tile was the same. */
static float *load_broadcast(worker *w, int i, const tile *t)
{
    const group *g = w->g;
    const value *v = &g->values[i];
    float *from = w->memory[v->from.storage] + walk_to(g, &v->from, t);
    float *to = w->scratch + (int64_t)v->slot * TILE_SIZE;
    int64_t s0 = v->from.stride[0], s1 = row_stride(g, &v->from);
    bool in_run = s0 == 1 && (t->rows == 1 || s1 == t->columns);
    if (in_run)
        return from;
    if (s1 == 0 && w->loaded[i] == from && w->loaded_rows[i] >= t->rows)
        return to;
    if (s0 == 0 && s1 == 0)
        tile_fill((int)(g->rows * g->columns), to, *from);
    else
        for (int r = 0; r < t->rows; r++)
            if (s0)
                memcpy(to + r * t->columns, from + r * s1, sizeof *to * (size_t)t->columns);
            else
                tile_fill(t->columns, to + r * t->columns, from[r * s1]);
    w->loaded[i] = from;
    w->loaded_rows[i] = s0 == 0 && s1 == 0 ? (int)g->rows : t->rows;
    return to;
}

/* Sets what does not change between tiles. */
static void start_worker(worker *w)
{
    const group *g = w->g;
    for (int i = 0; i < g->n_values; i++) {
        const value *v = &g->values[i];
        w->loaded[i] = NULL;
        if (v->kind == IN_TEMPORARY)
            w->at[i] = w->scratch + (int64_t)v->slot * TILE_SIZE;
        else
            w->at[i] = w->base[i] = w->memory[v->from.storage] + v->from.offset;
    }
}

static void find_values(worker *w, const tile *t)
{
    const group *g = w->g;
    for (int i = 0; i < g->n_values; i++) {
        const value *v = &g->values[i];
        if (v->kind == IN_TEMPORARY || v->scalar)
            continue;
        w->at[i] = v->whole ? w->base[i] + t->first : load_broadcast(w, i, t);
    }
}

static float *reduction_result(const worker *w, const step *s)
{
    if (s->partials < 0)
        return w->memory[s->to.storage];
    return w->partials + s->partials + w->chunk * ((s->size + 15) / 16 * 16);
}

static float combine(step_kind kind, float a, float b)
{
    if (kind == STEP_SUM)
        return a + b;
    return b > a || isnan(b) ? b : a;
}

static float reduce_run(step_kind kind, int n, const float *x)
{
    return kind == STEP_SUM ? tile_sum_all(n, x) : tile_max_all(n, x);
}

static void accumulate(step_kind kind, int n, float *y, const float *x)
{
    if (kind == STEP_SUM)
        tile_accumulate_sum(n, y, x);
    else
        tile_accumulate_max(n, y, x);
}

static void run_reduction(worker *w, const step *s, const tile *t)
{
    const group *g = w->g;
    float *to = reduction_result(w, s) + walk_to(g, &s->to, t);
    const float *x = w->at[s->in[0]];
    int64_t s0 = s->to.stride[0], s1 = row_stride(g, &s->to);
    int n = t->rows * t->columns;
    if (s0 == 0 && s1 == 0)
        *to = combine(s->kind, *to, reduce_run(s->kind, n, x));
    else if (s0 && (s1 == t->columns || t->rows == 1))
        accumulate(s->kind, n, to, x);
    else if (s0 && s1 == 0 && s->kind == STEP_SUM)
        tile_sum_rows(t->rows, t->columns, to, x);
    else
        for (int r = 0; r < t->rows; r++, x += t->columns, to += s1)
            if (s0)
                accumulate(s->kind, t->columns, to, x);
            else
                *to = combine(s->kind, *to, reduce_run(s->kind, t->columns, x));
}

static void run_tile(worker *w, const tile *t)
{
    find_values(w, t);
    int n = t->rows * t->columns;
    for (int k = 0; k < w->g->n_steps; k++) {
        const step *s = &w->g->steps[k];
        if (s->kind != STEP_TILE)
            run_reduction(w, s, t);
        else if (s->tile)
            s->tile(n, w->at[s->out], w->at[s->in[0]], s->in[1] >= 0 ? w->at[s->in[1]] : NULL,
                    s->in[2] >= 0 ? w->at[s->in[2]] : NULL, s->scalars);
    }
}

static void fill(float *to, int64_t n, float with)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = with;
}

static float identity(step_kind kind) { return kind == STEP_SUM ? 0 : -INFINITY; }

/* Initializes results that chunks write directly, before the chunks run. */
static void clear_reductions(const group *g, float *const *memory)
{
    for (int k = 0; k < g->n_steps; k++)
        if (g->steps[k].kind != STEP_TILE && g->steps[k].partials < 0)
            fill(memory[g->steps[k].to.storage], g->steps[k].size, identity(g->steps[k].kind));
}

/* Initializes a chunk's partial results. */
static void clear_partials(const worker *w)
{
    for (int k = 0; k < w->g->n_steps; k++) {
        const step *s = &w->g->steps[k];
        if (s->kind != STEP_TILE && s->partials >= 0)
            fill(reduction_result(w, s), s->size, identity(s->kind));
    }
}

/* Arguments of one run. */
typedef struct group_call {
    const group *g;
    float *const *memory;
    float *scratch, *partials;
    int64_t scratch_stride;
} group_call;

static void run_chunk(void *context, int64_t chunk, int thread)
{
    const group_call *c = context;
    const group *g = c->g;
    worker w; /* large; start_worker fills what is used */
    w.g = g;
    w.memory = c->memory;
    w.scratch = c->scratch + thread * c->scratch_stride;
    w.partials = c->partials;
    w.chunk = chunk;
    start_worker(&w);
    clear_partials(&w);
    int64_t units = g->tiles_per_plane * g->planes / g->chunk_unit;
    int64_t first = units * chunk / g->n_chunks * g->chunk_unit;
    int64_t stop = units * (chunk + 1) / g->n_chunks * g->chunk_unit;
    tile t = find_tile(g, first);
    for (int64_t i = first; i < stop; i++, next_tile(g, &t))
        run_tile(&w, &t);
}

/* Sums the chunks' partial results as a binary tree whose shape depends on their number alone. */
static void combine_chunks(const group *g, const step *s, float *to, float *partials)
{
    int64_t n = g->n_chunks, stride = (s->size + 15) / 16 * 16;
    float *part = partials + s->partials;
    for (int64_t step_size = 1; step_size < n; step_size *= 2)
        for (int64_t i = 0; i + step_size < n; i += 2 * step_size)
            accumulate(s->kind, (int)s->size, part + i * stride, part + (i + step_size) * stride);
    memcpy(to, part, sizeof *part * (size_t)s->size);
}

void group_run(const group *g, float *const *memory, int threads, float *scratch,
               int64_t scratch_stride, float *partials)
{
    clear_reductions(g, memory);
    if (g->size == 0)
        return;
    group_call c = {.g = g, .memory = memory, .scratch = scratch, .partials = partials,
                    .scratch_stride = scratch_stride};
    threads_run(threads, g->n_chunks, run_chunk, &c);
    for (int k = 0; k < g->n_steps; k++)
        if (g->steps[k].kind != STEP_TILE && g->steps[k].partials >= 0)
            combine_chunks(g, &g->steps[k], memory[g->steps[k].to.storage], partials);
}

/* ---- As text ---- */

static void dump_line(text *t, const char *from, const char *inside, const char *to)
{
    if (*to)
        text_format(t, "    %-14s%-5s%-36s--> %s\n", from, *from ? "-->" : "", inside, to);
    else
        text_format(t, "    %-14s%-5s%s\n", from, *from ? "-->" : "", inside);
}

static void dump_operand(text *t, const group *g, int i)
{
    const value *v = &g->values[i];
    char from[32], inside[64];
    snprintf(from, sizeof from, "%%%d%s", (int)v->from.storage, v->from.offset ? " +" : "");
    if (v->slot >= 0)
        snprintf(inside, sizeof inside, "v%-3d repeated, in slot %d", i, v->slot);
    else
        snprintf(inside, sizeof inside, "v%-3d %s", i, v->scalar ? "one number" : "read where it is");
    dump_line(t, from, inside, "");
}

static void dump_step(text *t, const group *g, const step *s, const char *name)
{
    char inside[128], to[64] = "";
    int n = s->kind == STEP_TILE ? snprintf(inside, sizeof inside, "v%-3d = %s(", s->out, name)
                                 : snprintf(inside, sizeof inside, "       %s(", name);
    for (int i = 0; i < arity(s); i++)
        n += snprintf(inside + n, sizeof inside - (size_t)n, "%sv%d", i ? ", " : "", s->in[i]);
    n += snprintf(inside + n, sizeof inside - (size_t)n, ")");
    const value *out = s->kind == STEP_TILE ? &g->values[s->out] : NULL;
    if (out && out->kind == IN_TEMPORARY)
        snprintf(inside + n, sizeof inside - (size_t)n, ", in slot %d", out->slot);
    if (!out)
        snprintf(to, sizeof to, "%%%d, %s", (int)s->to.storage, s->partials < 0 ? "added to" : "a part for each chunk");
    else if (out->kind == IN_MEMORY)
        snprintf(to, sizeof to, "%%%d", (int)out->from.storage);
    dump_line(t, "", inside, to);
}

char *group_dump(const group *g, const fusion_group *u)
{
    text t = {0};
    text_format(&t, "%lld elements, in tiles of %lld x %lld, in %lld chunk%s; %d slots of %d floats\n",
                (long long)g->size, (long long)g->rows, (long long)g->columns, (long long)g->n_chunks,
                g->n_chunks == 1 ? "" : "s", g->n_slots, TILE_SIZE);
    text_format(&t, "    %-19s%-36s%s\n", "memory", "tile", "    memory");
    for (int i = 0; i < g->n_operands; i++)
        dump_operand(&t, g, i);
    for (int k = 0; k < g->n_steps; k++)
        dump_step(&t, g, &g->steps[k], u->nodes[k]->op->name);
    return text_take(&t);
}
