/* SPDX-License-Identifier: MIT */
/* Fusion: elementwise nodes over the same number of elements become one group, with the broadcasts they read and the
   reductions and assigns that read them. Nodes are visited in order; each joins the groups of its producers and the
   groups that read the same arrays, unless that would make a cycle. */
#include "compile/program.h"

#include <stdlib.h>
#include <string.h>

typedef uint64_t word;

/* A fusion group under construction. */
typedef struct group_builder {
    int *ids; /* its nodes */
    int n, capacity;
    bool fused, gone;
    int64_t size;
    int n_bounds;
    int64_t bound[MAX_BOUNDS];
    word *before; /* groups that must run earlier, directly or not */
    word *direct; /* groups whose complete result it reads: never merged with it */
} group_builder;

typedef struct fuser {
    lt_program *p;
    lt_node **nodes; /* of the graph */
    bool *live;      /* by id */
    bool *absorbed;  /* by id: an expand that every reader takes as a broadcast operand */
    int *group_of;   /* by id, -1: none */
    int *reader;     /* by id: a group that reads all of it element by element, or -1 */
    group_builder *builders;
    int n, n_words;
} fuser;

static bool has(const word *set, int i) { return set[i / 64] >> (i % 64) & 1; }
static void put(word *set, int i) { set[i / 64] |= (word)1 << (i % 64); }
static void drop(word *set, int i) { set[i / 64] &= ~((word)1 << (i % 64)); }

static void join(word *set, const word *other, int n_words)
{
    for (int i = 0; i < n_words; i++)
        set[i] |= other[i];
}

/* ---- Properties of a node ---- */

static bool is_view(const lt_node *x)
{
    return node_storage((lt_node *)x, NULL) != x;
}

static bool is_fusable(const lt_node *x)
{
    return x->op->flags & (OP_ELEMENTWISE | OP_REDUCTION) || x->op == &lt_op_assign ||
           x->op == &lt_op_expand;
}

/* Elements of a fusable node's domain. */
static int64_t domain_size(const lt_node *x)
{
    return lt_shape_size(x->op->flags & OP_REDUCTION ? x->in[0]->shape : x->shape);
}

/* The node that owns the memory of input i of fusable x; *whole: it is read element by element. */
static lt_node *read_storage(const fuser *f, const lt_node *x, int i, bool *whole)
{
    lt_node *in = x->in[i];
    *whole = x->op != &lt_op_expand;
    if (f->absorbed[in->id]) {
        in = in->in[0];
        *whole = false;
    }
    int64_t offset;
    lt_node *s = node_storage(in, &offset);
    *whole &= offset == 0 && lt_shape_size(s->shape) == domain_size(x);
    return s;
}

/* Whether other members can read a member's value tile by tile. */
static bool gives_tiles(const lt_node *x) { return !(x->op->flags & OP_REDUCTION); }

/* ---- Groups under construction ---- */

static bool merge_patterns(group_builder *d, lt_shape small, lt_shape large)
{
    pattern p;
    return pattern_make(&p, small, large) && pattern_merge(&d->n_bounds, d->bound, &p);
}

/* Adds the bounds that x's broadcast operands and reduction need; false if there are too many. */
static bool add_bounds(const fuser *f, group_builder *d, const lt_node *x)
{
    if (x->op->flags & OP_REDUCTION)
        return merge_patterns(d, x->shape, x->in[0]->shape);
    if (x->op == &lt_op_expand)
        return merge_patterns(d, x->in[0]->shape, x->shape);
    for (int i = first_read(x); i < x->n_in; i++)
        if (f->absorbed[x->in[i]->id] &&
            !merge_patterns(d, x->in[i]->in[0]->shape, x->in[i]->shape))
            return false;
    return true;
}

static int new_builder(fuser *f, const lt_node *x)
{
    group_builder *d = &f->builders[f->n];
    d->before = must_alloc(sizeof *d->before * (size_t)f->n_words);
    d->direct = must_alloc(sizeof *d->direct * (size_t)f->n_words);
    d->ids = must_alloc(sizeof *d->ids);
    d->ids[0] = x->id;
    d->n = d->capacity = 1;
    f->group_of[x->id] = f->n;
    return f->n++;
}

static void run_after(fuser *f, int u, int earlier)
{
    put(f->builders[u].before, earlier);
    join(f->builders[u].before, f->builders[earlier].before, f->n_words);
}

/* Whether b depends on a through a third group. */
static bool is_between(const fuser *f, int a, int b)
{
    for (int c = 0; c < f->n; c++)
        if (c != a && c != b && !f->builders[c].gone && has(f->builders[b].before, c) &&
            has(f->builders[c].before, a))
            return true;
    return false;
}

static bool can_merge(const fuser *f, int a, int b)
{
    const group_builder *p = &f->builders[a], *q = &f->builders[b];
    if (a == b || !p->fused || !q->fused || p->size != q->size || p->n + q->n > f->p->target->max_group ||
        has(p->direct, b) || has(q->direct, a) || is_between(f, a, b) || is_between(f, b, a))
        return false;
    pattern theirs = {.n = q->n_bounds};
    memcpy(theirs.bound, q->bound, sizeof q->bound);
    int n = p->n_bounds;
    int64_t bound[MAX_BOUNDS];
    memcpy(bound, p->bound, sizeof bound);
    return pattern_merge(&n, bound, &theirs);
}

/* Merges b into a. */
static void merge(fuser *f, int a, int b)
{
    group_builder *p = &f->builders[a], *q = &f->builders[b];
    pattern theirs = {.n = q->n_bounds};
    memcpy(theirs.bound, q->bound, sizeof q->bound);
    pattern_merge(&p->n_bounds, p->bound, &theirs);
    for (int i = 0; i < q->n; i++) {
        p->ids = must_grow(p->ids, p->n, &p->capacity);
        p->ids[p->n++] = q->ids[i];
        f->group_of[q->ids[i]] = a;
    }
    join(p->before, q->before, f->n_words);
    join(p->direct, q->direct, f->n_words);
    drop(p->before, a);
    drop(p->before, b);
    q->gone = true;
    for (int i = 0; i < f->n; i++) {
        group_builder *d = &f->builders[i];
        if (d->gone || i == a)
            continue;
        if (has(d->direct, b))
            put(d->direct, a);
        if (has(d->before, a) || has(d->before, b)) {
            drop(d->before, b);
            run_after(f, i, a);
        }
    }
    for (int i = 0; i < f->p->graph->n; i++)
        if (f->reader[i] == b)
            f->reader[i] = a;
}

/* ---- Placing nodes ---- */

static void place_single(fuser *f, const lt_node *x)
{
    int u = new_builder(f, x);
    for (int i = 0; i < x->n_in; i++) {
        int from = f->group_of[node_storage(x->in[i], NULL)->id];
        if (from >= 0)
            run_after(f, u, from);
    }
}

/* Orders u after the groups of x's inputs; those whose complete result it needs are never merged with it. */
static void order_after_inputs(fuser *f, int u, const lt_node *x)
{
    for (int i = first_read(x); i < x->n_in; i++) {
        bool whole;
        lt_node *s = read_storage(f, x, i, &whole);
        int from = f->group_of[s->id];
        if (from < 0)
            continue;
        run_after(f, u, from);
        if (!whole || !f->builders[from].fused || !gives_tiles(s))
            put(f->builders[u].direct, from);
    }
}

/* Orders an assign after every group that reads the old value; a group that does not read it element by element
   cannot hold the assign. */
static void order_after_readers(fuser *f, int u, const lt_node *assign)
{
    const lt_node *variable = assign->in[0];
    for (int id = 0; id < f->p->graph->n; id++) {
        const lt_node *y = f->nodes[id];
        int reader = f->live[id] ? f->group_of[id] : -1;
        for (int i = first_read(y); reader >= 0 && reader != u && i < y->n_in; i++) {
            bool whole = false, fused = f->builders[reader].fused;
            const lt_node *s = fused ? read_storage(f, y, i, &whole) : node_storage(y->in[i], NULL);
            if (s != variable)
                continue;
            run_after(f, u, reader);
            if (!whole)
                put(f->builders[u].direct, reader);
        }
    }
}

static int merge_if_possible(fuser *f, int u, int with)
{
    if (with < 0 || !can_merge(f, with, u))
        return u;
    merge(f, with, u);
    return with;
}

static void place_fusable(fuser *f, const lt_node *x)
{
    int u = new_builder(f, x);
    group_builder *d = &f->builders[u];
    d->fused = true;
    d->size = domain_size(x);
    bool fits = add_bounds(f, d, x);
    LT_ASSERT(fits); /* absorb_expands checked the bounds of single nodes */
    order_after_inputs(f, u, x);
    if (x->op == &lt_op_assign)
        order_after_readers(f, u, x);
    for (int i = x->n_in - 1; i >= first_read(x); i--) {
        bool whole;
        lt_node *s = read_storage(f, x, i, &whole);
        if (!whole || (x->is_rematerialized && !s->is_rematerialized)) /* joins its reader instead */
            continue;
        u = merge_if_possible(f, u, f->group_of[s->id]);
        if (f->group_of[s->id] != u) {
            u = merge_if_possible(f, u, f->reader[s->id]);
            f->reader[s->id] = u;
        }
    }
}

/* An expand is absorbed when only elementwise nodes and assigns read it. */
static void absorb_expands(fuser *f)
{
    const lt_graph *g = f->p->graph;
    for (int i = 0; i < g->n; i++)
        f->absorbed[i] = f->live[i] && g->nodes[i]->op == &lt_op_expand && f->p->target->max_group > 1;
    for (int i = 0; i < f->p->n_targets; i++)
        f->absorbed[f->p->image[f->p->targets[i]->id]->id] = false;
    for (int i = 0; i < g->n; i++) {
        const lt_node *y = g->nodes[i];
        bool takes = y->op->flags & OP_ELEMENTWISE || y->op == &lt_op_assign;
        group_builder trial = {0};
        for (int k = 0; f->live[i] && k < y->n_in; k++) {
            const lt_node *e = y->in[k];
            if (f->absorbed[e->id] &&
                (!takes || !merge_patterns(&trial, e->in[0]->shape, e->shape)))
                f->absorbed[e->id] = false;
        }
    }
}

/* ---- Order ---- */

static int compare_ints(const void *a, const void *b)
{
    int i = *(const int *)a, k = *(const int *)b;
    return (i > k) - (i < k);
}

/* The order in which nodes are visited, and computed inside a group: by id, assigns last. */
static int *placing_order(const fuser *f, int *n)
{
    const lt_graph *g = f->p->graph;
    int *order = must_alloc(sizeof *order * (size_t)(g->n + 1));
    *n = 0;
    for (int assigns = 0; assigns < 2; assigns++)
        for (int i = 0; i < g->n; i++) {
            const lt_node *x = g->nodes[i];
            if (f->live[i] && !f->absorbed[i] && !(x->op->flags & OP_SOURCE) && !is_view(x) &&
                (x->op == &lt_op_assign) == assigns)
                order[(*n)++] = i;
        }
    return order;
}

static void emit_group(fuser *f, group_builder *d, const int *rank, const int *order)
{
    lt_program *p = f->p;
    fusion_group *u = &p->groups[p->n_groups];
    *u = (fusion_group){.n = d->n, .fused = d->fused, .size = d->size, .n_bounds = d->n_bounds};
    memcpy(u->bound, d->bound, sizeof u->bound);
    for (int i = 0; i < d->n; i++)
        d->ids[i] = rank[d->ids[i]];
    qsort(d->ids, (size_t)d->n, sizeof *d->ids, compare_ints);
    u->nodes = arena_alloc(&p->graph->memory, sizeof *u->nodes * (size_t)d->n);
    for (int i = 0; i < d->n; i++) {
        u->nodes[i] = f->nodes[order[d->ids[i]]];
        p->group_of[u->nodes[i]->id] = p->n_groups;
    }
    p->n_groups++;
}

static bool is_ready(const fuser *f, const group_builder *d, const bool *done)
{
    for (int i = 0; i < f->n; i++)
        if (has(d->before, i) && !done[i])
            return false;
    return true;
}

static int last_rank(const group_builder *d, const int *rank)
{
    int last = 0;
    for (int i = 0; i < d->n; i++)
        last = rank[d->ids[i]] > last ? rank[d->ids[i]] : last;
    return last;
}

/* Emits the ready group whose last node was built first: close to the order in which the graph was written, which
   keeps few values alive. */
static void emit_groups(fuser *f, const int *rank, const int *order)
{
    bool *done = must_alloc((size_t)f->n + 1);
    int *last = must_alloc(sizeof *last * (size_t)(f->n + 1));
    int left = 0;
    for (int i = 0; i < f->n; i++) {
        done[i] = f->builders[i].gone;
        left += !done[i];
        last[i] = last_rank(&f->builders[i], rank);
    }
    f->p->groups = must_alloc(sizeof *f->p->groups * (size_t)(left + 1));
    for (; left > 0; left--) {
        int next = -1;
        for (int i = 0; i < f->n; i++)
            if (!done[i] && (next < 0 || last[i] < last[next]) && is_ready(f, &f->builders[i], done))
                next = i;
        LT_ASSERT(next >= 0);
        emit_group(f, &f->builders[next], rank, order);
        done[next] = true;
    }
    free(done);
    free(last);
}

void fuse_groups(lt_program *p)
{
    size_t n = (size_t)p->graph->n + 1;
    int *uses = count_uses(p);
    fuser f = {.p = p, .nodes = p->graph->nodes, .live = must_alloc(n),
               .absorbed = must_alloc(n), .group_of = must_alloc(sizeof(int) * n),
               .reader = must_alloc(sizeof(int) * n), .n_words = (int)(n + 63) / 64};
    p->group_of = must_alloc(sizeof *p->group_of * n);
    for (size_t i = 0; i < n; i++) {
        f.group_of[i] = f.reader[i] = p->group_of[i] = -1;
        f.live[i] = uses[i] > 0;
    }
    absorb_expands(&f);
    int count, *order = placing_order(&f, &count), *rank = must_alloc(sizeof *rank * n);
    f.builders = must_alloc(sizeof *f.builders * (size_t)(count + 1));
    for (int i = 0; i < count; i++) {
        const lt_node *x = f.nodes[order[i]];
        rank[x->id] = i;
        if (is_fusable(x))
            place_fusable(&f, x);
        else
            place_single(&f, x);
    }
    emit_groups(&f, rank, order);
    for (int i = 0; i < f.n; i++) {
        free(f.builders[i].ids);
        free(f.builders[i].before);
        free(f.builders[i].direct);
    }
    free(f.builders);
    free(f.live);
    free(f.absorbed);
    free(f.group_of);
    free(f.reader);
    free(uses);
    free(order);
    free(rank);
}
