/* SPDX-License-Identifier: MIT */
/* Parameters: declared by a visit, stored in one flat block, read as views of one variable per graph. A set's
   variables and views of a graph are stored in that graph, so that a set never points to a freed graph and is
   constant while several graphs are built. */
#include "nn/params.h"

#include "base/status.h"
#include "graph/op.h"
#include "nn/init.h"

#include <stdlib.h>
#include <string.h>

typedef struct param {
    char *name;
    lt_shape shape; /* inside */
    lt_layout layout;
    lt_init init;
    int64_t offset;
    bool is_state;
} param;

struct lt_params {
    param *list;
    int n, capacity;
    int64_t extent, state_extent;
    lt_buffer *block; /* extent + state_extent floats; NULL until allocated */
    bool is_allocated;
};

/* The nodes of one parameter set in one graph; in the graph's arena. */
typedef struct visit visit;

typedef struct home {
    const lt_params *params;
    lt_node *trained, *state; /* variables; NULL before lt_params_allocate, and if that part is empty */
    lt_node **views;          /* by parameter; NULL until used */
    lt_node **updates;        /* by state: the new value, which later visits read; NULL: none */
    const visit **updated_by; /* by state: the last visit that updated it */
} home;

/* Names used in one visit; in the graph's arena. */
typedef struct used_name {
    const char *name;
    struct used_name *next;
} used_name;

struct visit {
    lt_params *params;
    lt_graph *graph;
    home *home; /* NULL if the graph holds an error */
    used_name *used;
};

struct lt_scope {
    visit *visit;
    const char *name;
};

/* ---- The set ---- */

lt_params *lt_params_create(void) { return must_alloc(sizeof(lt_params)); }

void lt_params_free(lt_params *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->n; i++)
        free(p->list[i].name);
    free(p->list);
    lt_buffer_free(p->block);
    free(p);
}

int lt_params_find(const lt_params *p, const char *name)
{
    for (int i = 0; i < p->n; i++)
        if (strcmp(p->list[i].name, name) == 0)
            return i;
    return -1;
}

/* Every layout reverses the order of three blocks: a x b x c inside is c x b x a outside. */
typedef struct blocks {
    int64_t a, b, c;
} blocks;

static blocks inside_blocks(const param *q)
{
    const int64_t *d = q->shape.d;
    switch (q->layout) {
    case LT_LAYOUT_LINEAR:
        return (blocks){1, d[0], d[1]};
    case LT_LAYOUT_CONV:
        return (blocks){d[0] * d[1], d[2], d[3]};
    case LT_LAYOUT_IMAGE:
        return (blocks){d[0] * d[1], 1, d[2]};
    default:
        return (blocks){1, 1, lt_shape_size(q->shape)};
    }
}

static lt_shape outside_shape(const param *q)
{
    const int64_t *d = q->shape.d;
    switch (q->layout) {
    case LT_LAYOUT_LINEAR:
        return lt_shape_2d(d[1], d[0]);
    case LT_LAYOUT_CONV:
        return lt_shape_4d(d[3], d[2], d[0], d[1]);
    case LT_LAYOUT_IMAGE:
        return (lt_shape){.rank = 3, .d = {d[2], d[0], d[1]}};
    default:
        return q->shape;
    }
}

/* The rank that a layout needs; 0: any. */
static int layout_rank(lt_layout layout)
{
    return layout == LT_LAYOUT_LINEAR  ? 2
           : layout == LT_LAYOUT_CONV  ? 4
           : layout == LT_LAYOUT_IMAGE ? 3
                                       : 0;
}

int lt_params_count(const lt_params *p) { return p->n; }

lt_param_info lt_params_info(const lt_params *p, int i)
{
    LT_ASSERT(i >= 0 && i < p->n);
    const param *q = &p->list[i];
    return (lt_param_info){.name = q->name,
                           .shape = outside_shape(q),
                           .layout = q->layout,
                           .offset = q->offset,
                           .is_state = q->is_state};
}

int64_t lt_params_size(const lt_params *p)
{
    int64_t size = 0;
    for (int i = 0; i < p->n; i++)
        size += p->list[i].is_state ? 0 : lt_shape_size(p->list[i].shape);
    return size;
}

int64_t lt_params_extent(const lt_params *p) { return p->extent; }

int64_t lt_params_state_extent(const lt_params *p) { return p->state_extent; }

float *lt_params_block(lt_params *p) { return p->block ? lt_buffer_floats(p->block) : NULL; }

/* ---- Outside and inside ---- */

/* out: c x b x a from in: a x b x c. */
static void reverse(blocks n, const float *in, float *out)
{
    for (int64_t i = 0; i < n.a; i++)
        for (int64_t j = 0; j < n.b; j++)
            for (int64_t k = 0; k < n.c; k++)
                out[(k * n.b + j) * n.a + i] = in[(i * n.b + j) * n.c + k];
}

void lt_params_export(const lt_params *p, int i, const float *block, float *outside)
{
    const param *q = &p->list[i];
    reverse(inside_blocks(q), block + q->offset, outside);
}

void lt_params_import(const lt_params *p, int i, float *block, const float *outside)
{
    const param *q = &p->list[i];
    blocks n = inside_blocks(q);
    reverse((blocks){n.c, n.b, n.a}, outside, block + q->offset);
}

/* ---- The block ---- */

static int64_t round_up(int64_t n) { return (n + PARAM_ALIGN - 1) / PARAM_ALIGN * PARAM_ALIGN; }

/* Assigns offsets in the trained or the state part, from `start`; returns its extent. */
static int64_t place_part(lt_params *p, bool is_state, int64_t start)
{
    int64_t at = start;
    for (int i = 0; i < p->n; i++)
        if (p->list[i].is_state == is_state) {
            p->list[i].offset = at;
            at += round_up(lt_shape_size(p->list[i].shape));
        }
    return at - start;
}

static int fill_block(lt_params *p, uint64_t seed)
{
    for (int i = 0; i < p->n; i++) {
        const param *q = &p->list[i];
        int64_t n = lt_shape_size(q->shape);
        float *outside = tensor_alloc(sizeof *outside * (size_t)n, q->name);
        if (!outside)
            return LT_NO_MEMORY;
        init_fill(&q->init, q->name, seed, n, outside);
        lt_params_import(p, i, lt_buffer_floats(p->block), outside);
        tensor_free(outside);
    }
    return LT_OK;
}

int lt_params_allocate(lt_params *p, uint64_t seed)
{
    if (p->is_allocated)
        return status_fail(LT_VALUE, "parameters: already allocated");
    p->extent = place_part(p, false, 0);
    p->state_extent = place_part(p, true, p->extent);
    LT_TRY(lt_buffer_create(p->extent + p->state_extent, "parameters", &p->block));
    p->is_allocated = true;
    return fill_block(p, seed);
}

int lt_params_declare(lt_params *p, lt_network *network, const void *options, lt_shape x, uint64_t seed)
{
    if (p->is_allocated)
        return status_fail(LT_VALUE, "parameters: already declared");
    lt_graph *g = lt_graph_create();
    network(lt_params_visit(p, g), lt_input(g, "x", x), options);
    const char *error = lt_graph_error(g);
    int status = error ? status_fail(LT_GRAPH, "%s", error) : LT_OK;
    lt_graph_free(g);
    return status == LT_OK ? lt_params_allocate(p, seed) : status;
}

/* ---- The nodes of a set in a graph ----
   They are found again through a node that nothing reads. */

typedef struct home_attr {
    const lt_params *params;
    home *home;
} home_attr;

static const char *home_shape(const lt_node *y, lt_shape *s)
{
    (void)y;
    *s = lt_shape_0d();
    return NULL;
}

static const lt_op op_home = {
    .name = "parameters", .flags = OP_SOURCE, .attr_size = sizeof(home_attr), .shape = home_shape};

static home *find_home(const lt_params *p, const lt_graph *g)
{
    for (int i = 0; i < g->n; i++) {
        const home_attr *attr = g->nodes[i]->attr;
        if (g->nodes[i]->op == &op_home && attr->params == p)
            return attr->home;
    }
    return NULL;
}

static home *make_home(const lt_params *p, lt_graph *g)
{
    if (g->error)
        return NULL;
    home *h = arena_alloc(&g->memory, sizeof *h);
    h->params = p;
    node_source(g, &op_home, &(home_attr){.params = p, .home = h});
    return h;
}

/* Makes the variables and the array of views, if the set is allocated and this graph does not have them yet. */
static void furnish_home(home *h, const lt_params *p, lt_graph *g)
{
    if (!p->is_allocated || h->views)
        return;
    h->views = arena_alloc(&g->memory, sizeof *h->views * (size_t)p->n);
    h->updates = arena_alloc(&g->memory, sizeof *h->updates * (size_t)p->n);
    h->updated_by = arena_alloc(&g->memory, sizeof *h->updated_by * (size_t)p->n);
    if (p->extent)
        h->trained = lt_variable(g, "params", lt_shape_1d(p->extent));
    if (p->state_extent)
        h->state = lt_variable(g, "state", lt_shape_1d(p->state_extent));
}

lt_node *lt_params_variable(const lt_params *p, lt_graph *g)
{
    const home *h = find_home(p, g);
    return h ? h->trained : NULL;
}

lt_node *lt_params_state_variable(const lt_params *p, lt_graph *g)
{
    const home *h = find_home(p, g);
    return h ? h->state : NULL;
}

int lt_params_bind(lt_params *p, lt_graph *g, lt_session *s)
{
    lt_node *trained = lt_params_variable(p, g), *state = lt_params_state_variable(p, g);
    if (trained)
        LT_TRY(lt_session_bind(s, trained, p->block, 0));
    if (state)
        LT_TRY(lt_session_bind(s, state, p->block, p->extent));
    return LT_OK;
}

/* ---- Visits and scopes ---- */

static lt_scope *make_scope(visit *v, const char *name)
{
    lt_scope *s = arena_alloc(&v->graph->memory, sizeof *s);
    *s = (lt_scope){.visit = v, .name = name};
    return s;
}

lt_scope *lt_params_visit(lt_params *p, lt_graph *g)
{
    visit *v = arena_alloc(&g->memory, sizeof *v);
    home *h = find_home(p, g);
    *v = (visit){.params = p, .graph = g, .home = h ? h : make_home(p, g)};
    if (v->home)
        furnish_home(v->home, p, g);
    return make_scope(v, "");
}

lt_graph *lt_scope_graph(const lt_scope *s) { return s->visit->graph; }

const char *scope_name(const lt_scope *s) { return s->name; }

static const char *full_name(const lt_scope *s, const char *name)
{
    return arena_format(&s->visit->graph->memory, "%s%s%s", s->name, *s->name ? "." : "", name);
}

/* Marks a full name as used; a second use is a graph error. */
static bool claim_name(visit *v, const char *name)
{
    for (const used_name *u = v->used; u; u = u->next)
        if (strcmp(u->name, name) == 0) {
            lt_graph_fail(v->graph, "name \"%s\" is used twice in one visit", name);
            return false;
        }
    used_name *u = arena_alloc(&v->graph->memory, sizeof *u);
    *u = (used_name){.name = name, .next = v->used};
    v->used = u;
    return true;
}

lt_scope *lt_scope_enter(lt_scope *s, const char *name)
{
    const char *full = full_name(s, name);
    claim_name(s->visit, full);
    return make_scope(s->visit, full);
}

/* ---- Parameters ---- */

/* The declaration of a parameter differs from this request. */
static lt_node *fail_mismatch(lt_graph *g, const param *declared, const param *asked)
{
    char was[LT_SHAPE_TEXT_SIZE], is[LT_SHAPE_TEXT_SIZE];
    if (!lt_shape_equal(declared->shape, asked->shape))
        return lt_graph_fail(g, "parameter \"%s\": declared as %s, requested as %s", declared->name,
                             lt_shape_text(declared->shape, was), lt_shape_text(asked->shape, is));
    return lt_graph_fail(g,
                         "parameter \"%s\": requested with another layout or role than declared",
                         declared->name);
}

static bool is_same(const param *a, const param *b)
{
    return lt_shape_equal(a->shape, b->shape) && a->layout == b->layout &&
           a->is_state == b->is_state;
}

/* Before lt_params_allocate: records the parameter and returns a placeholder of its shape. */
static lt_node *declare(visit *v, const char *name, const param *asked)
{
    lt_params *p = v->params;
    int i = lt_params_find(p, name);
    if (i >= 0 && !is_same(&p->list[i], asked))
        return fail_mismatch(v->graph, &p->list[i], asked);
    if (i < 0) {
        p->list = must_grow(p->list, p->n, &p->capacity);
        p->list[p->n] = *asked;
        p->list[p->n++].name = must_copy_text(name);
    }
    return lt_input(v->graph, name, asked->shape);
}

/* A view of a part of a block. */
static lt_node *view_of(lt_node *block, const param *q, int64_t start)
{
    int64_t at = q->offset - start;
    lt_node *part = lt_slice(block, 0, at, at + lt_shape_size(q->shape));
    return lt_name(lt_reshape(part, q->shape), q->name);
}

static lt_node *find_view(visit *v, const char *name, const param *asked)
{
    const lt_params *p = v->params;
    int i = lt_params_find(p, name);
    if (i < 0)
        return lt_graph_fail(v->graph, "unknown parameter \"%s\"", name);
    const param *q = &p->list[i];
    if (!is_same(q, asked))
        return fail_mismatch(v->graph, q, asked);
    home *h = v->home;
    if (h->updates[i])
        return h->updates[i];
    if (!h->views[i])
        h->views[i] = q->is_state ? view_of(h->state, q, p->extent) : view_of(h->trained, q, 0);
    return h->views[i];
}

static lt_node *ask(lt_scope *s, const char *name, const param *asked)
{
    visit *v = s->visit;
    const char *full = full_name(s, name);
    if (!claim_name(v, full) || !v->home)
        return v->graph->bad;
    for (int i = 0; i < asked->shape.rank; i++)
        if (asked->shape.d[i] < 1)
            return lt_graph_fail(v->graph, "parameter \"%s\" has no elements", full);
    if (!init_is_complete(&asked->init))
        return lt_graph_fail(v->graph, "parameter \"%s\": its initializer needs fans", full);
    return v->params->is_allocated ? find_view(v, full, asked) : declare(v, full, asked);
}

lt_node *lt_param(lt_scope *s, const char *name, lt_shape shape, lt_layout layout, lt_init init)
{
    int rank = layout_rank(layout);
    if (rank && shape.rank != rank)
        return lt_graph_fail(s->visit->graph,
                             "parameter \"%s\": this layout needs %d dimensions, found %d",
                             full_name(s, name), rank, shape.rank);
    return ask(s, name, &(param){.shape = shape, .layout = layout, .init = init});
}

lt_node *lt_state(lt_scope *s, const char *name, lt_shape shape, lt_init init)
{
    return ask(s, name, &(param){.shape = shape, .init = init, .is_state = true});
}

void lt_state_update(lt_scope *s, const char *name, lt_node *value)
{
    visit *v = s->visit;
    const char *full = full_name(s, name);
    int i = lt_params_find(v->params, full);
    if (i < 0 || !v->params->list[i].is_state)
        lt_graph_fail(v->graph, "unknown state \"%s\"", full);
    else if (!lt_shape_equal(lt_node_shape(value), v->params->list[i].shape))
        lt_graph_fail(v->graph, "state \"%s\": the new value has a different shape", full);
    if (v->graph->error || !v->home->updates)
        return;
    if (v->home->updated_by[i] == v)
        lt_graph_fail(v->graph, "state \"%s\" is updated twice", full);
    v->home->updates[i] = value;
    v->home->updated_by[i] = v;
}

/* ---- Gradient and updates: a block concatenated from pieces ---- */

typedef struct pieces {
    lt_graph *graph;
    lt_node **list;
    int n;
    int64_t end; /* floats so far */
} pieces;

static void add_zeros(pieces *b, int64_t n)
{
    if (n > 0)
        b->list[b->n++] = lt_broadcast(lt_scalar(b->graph, 0), lt_shape_1d(n));
    b->end += n;
}

static void add_piece(pieces *b, int64_t offset, lt_node *x)
{
    int64_t n = lt_shape_size(lt_node_shape(x));
    add_zeros(b, offset - b->end);
    b->list[b->n++] = lt_reshape(x, lt_shape_1d(n));
    b->end += n;
}

/* Concatenates a part of the block from x[i], one per parameter; NULL: zeros. */
static lt_node *assemble(const lt_params *p, lt_graph *g, bool is_state, lt_node *const *x)
{
    int64_t start = is_state ? p->extent : 0, extent = is_state ? p->state_extent : p->extent;
    pieces b = {.graph = g, .list = must_alloc(sizeof *b.list * (2 * (size_t)p->n + 1))};
    for (int i = 0; i < p->n; i++)
        if (p->list[i].is_state == is_state && x[i])
            add_piece(&b, p->list[i].offset - start, x[i]);
    add_zeros(&b, extent - b.end);
    lt_node *block =
        b.n ? lt_concat(0, b.n, b.list) : lt_broadcast(lt_scalar(g, 0), lt_shape_1d(0));
    free(b.list);
    return block;
}

lt_node *lt_params_gradient(const lt_params *p, lt_node *loss)
{
    lt_graph *g = lt_node_graph(loss);
    const home *h = find_home(p, g);
    if (!h || !h->views)
        return lt_graph_fail(g, "gradient: the graph has not visited these parameters");
    size_t bytes = sizeof(lt_node *) * (size_t)(p->n + 1);
    lt_node **x = must_alloc(bytes), **dx = must_alloc(bytes), **at = must_alloc(bytes);
    int n = 0;
    for (int i = 0; i < p->n; i++)
        if (h->views[i] && !p->list[i].is_state)
            x[n++] = h->views[i];
    lt_grads(loss, n, x, dx);
    n = 0;
    for (int i = 0; i < p->n; i++)
        if (h->views[i] && !p->list[i].is_state)
            at[i] = dx[n++];
    lt_node *block = assemble(p, g, false, at);
    free(x);
    free(dx);
    free(at);
    return block;
}

lt_node *lt_params_state_assign(const lt_params *p, lt_graph *g)
{
    const home *h = find_home(p, g);
    if (!h || !h->state)
        return NULL;
    bool has_updates = false;
    lt_node **x = must_alloc(sizeof *x * (size_t)p->n);
    for (int i = 0; i < p->n; i++)
        if (p->list[i].is_state) {
            has_updates |= h->updates[i] != NULL;
            x[i] = h->updates[i] ? h->updates[i] : view_of(h->state, &p->list[i], p->extent);
        }
    lt_node *assign = has_updates ? lt_assign(h->state, assemble(p, g, true, x)) : NULL;
    free(x);
    return assign;
}
