/* SPDX-License-Identifier: MIT */
/* The memory plan: every stored value gets an offset in one block for its lifetime. A result reuses the memory of an
   operand whose last reader computes it; inputs of a concatenation are computed in place. */
#include "compile/program.h"

#include <stdlib.h>

enum { PLACE_ALIGN = TENSOR_ALIGN / sizeof(float) };

/* Memory of one storage node, or of several that share it. Lifetimes are in groups. */
typedef struct buffer {
    int64_t size, offset; /* floats; offset in the block */
    int first, last;      /* lifetime: first and last group */
    int parent;           /* id of the buffer it is part of, or its own id */
    int64_t at;           /* floats from the parent's start */
    bool used, pinned;    /* pinned: written by the caller, or read after the run */
} buffer;

typedef struct planner {
    const lt_program *p;
    plan *m;
    buffer *buffers; /* by id */
    bool *live;
} planner;

lt_node *node_reads(const lt_program *p, const lt_node *y, int i, lt_node **broadcast,
                    int64_t *offset)
{
    lt_node *in = y->in[i];
    bool absorbed = in->op == &lt_op_expand && p->group_of[in->id] < 0;
    if (broadcast)
        *broadcast = absorbed ? in : NULL;
    return node_storage(absorbed ? in->in[0] : in, offset);
}

static int64_t aligned(int64_t n) { return (n + PLACE_ALIGN - 1) / PLACE_ALIGN * PLACE_ALIGN; }

static buffer *root_of(planner *f, int id, int64_t *at)
{
    int64_t sum = 0;
    while (f->buffers[id].parent != id) {
        sum += f->buffers[id].at;
        id = f->buffers[id].parent;
    }
    if (at)
        *at = sum;
    return &f->buffers[id];
}

/* ---- Lifetimes ---- */

static void need_memory(planner *f, const lt_node *x, int first)
{
    buffer *b = &f->buffers[x->id];
    *b = (buffer){.size = aligned(lt_shape_size(x->shape)), .first = first, .last = first,
                  .parent = x->id, .used = true};
}

/* Group `reader` reads storage s: allocates it if another group computes it, and extends its lifetime. */
static void note_read(planner *f, const lt_node *s, int reader)
{
    int home = f->p->group_of[s->id];
    buffer *b = &f->buffers[s->id];
    if (!b->used && home >= 0 && home != reader)
        need_memory(f, s, home);
    if (b->used && reader > b->last)
        b->last = reader;
}

static void find_lifetimes(planner *f)
{
    const lt_program *p = f->p;
    const lt_graph *g = p->graph;
    for (int id = 0; id < g->n; id++) {
        const lt_node *x = g->nodes[id];
        int u = p->group_of[id];
        if (f->live[id] && x->op == &lt_op_input) {
            need_memory(f, x, 0);
            f->buffers[id].pinned = true;
            f->buffers[id].last = p->n_groups;
        } else if (u >= 0 && x->op != &lt_op_assign &&
                   (!p->groups[u].fused || x->op->flags & OP_REDUCTION))
            need_memory(f, x, u);
    }
    for (int id = 0; id < g->n; id++) {
        const lt_node *y = g->nodes[id];
        for (int i = first_read(y); p->group_of[id] >= 0 && i < y->n_in; i++)
            note_read(f, node_reads(p, y, i, NULL, NULL), p->group_of[id]);
    }
    for (int i = 0; i < p->n_targets; i++) {
        const lt_node *s = node_storage(p->image[p->targets[i]->id], NULL);
        if (s->op == &lt_op_assign)
            continue; /* its value is the variable's */
        note_read(f, s, p->n_groups);
        f->buffers[s->id].pinned = true;
    }
}

/* ---- Sharing ---- */

static void make_part(planner *f, int id, int whole, int64_t at)
{
    buffer *b = &f->buffers[id], *w = root_of(f, whole, NULL);
    b->parent = whole;
    b->at = at;
    w->first = b->first < w->first ? b->first : w->first;
    w->last = b->last > w->last ? b->last : w->last;
    w->pinned |= b->pinned;
}

/* Inputs of a concatenation along its outermost axis are computed in its memory. */
static void share_concat(planner *f, const lt_node *c)
{
    int64_t axis = ((const concat_attr *)c->attr)->axis, at = 0;
    for (int i = 0; i < axis; i++)
        if (c->shape.d[i] != 1)
            return;
    for (int i = 0; i < c->n_in; i++) {
        int64_t offset, n = lt_shape_size(c->in[i]->shape);
        const lt_node *s = node_storage(c->in[i], &offset);
        buffer *b = &f->buffers[s->id];
        bool whole = offset == 0 && n == lt_shape_size(s->shape) && at % PLACE_ALIGN == 0;
        if (whole && b->used && b->parent == s->id && s->op != &lt_op_input && s->op != &lt_op_concat)
            make_part(f, s->id, c->id, at);
        at += n;
    }
}

/* Index of the group's last member that reads s. */
static int last_reader(const lt_program *p, const fusion_group *u, const lt_node *s)
{
    int last = -1;
    for (int k = 0; k < u->n; k++)
        for (int i = first_read(u->nodes[k]); i < u->nodes[k]->n_in; i++)
            if (node_reads(p, u->nodes[k], i, NULL, NULL) == s)
                last = k;
    return last;
}

static bool reads_whole(const lt_program *p, const fusion_group *u, const lt_node *s)
{
    for (int k = 0; k < u->n; k++)
        for (int i = first_read(u->nodes[k]); i < u->nodes[k]->n_in; i++) {
            lt_node *broadcast;
            int64_t offset;
            if (node_reads(p, u->nodes[k], i, &broadcast, &offset) == s &&
                (broadcast || offset || u->nodes[k]->op == &lt_op_expand))
                return false;
        }
    return lt_shape_size(s->shape) == u->size;
}

/* Whether the group also reads another value that is part of s. */
static bool reads_part(planner *f, const fusion_group *u, const lt_node *s)
{
    for (int k = 0; k < u->n; k++)
        for (int i = first_read(u->nodes[k]); i < u->nodes[k]->n_in; i++) {
            const lt_node *part = node_reads(f->p, u->nodes[k], i, NULL, NULL);
            if (part != s && f->buffers[part->id].used &&
                root_of(f, part->id, NULL) == &f->buffers[s->id])
                return true;
        }
    return false;
}

/* Member k of group `at` reuses the memory of an operand that nothing reads afterwards. */
static void share_operand(planner *f, int at, int k)
{
    const fusion_group *u = &f->p->groups[at];
    lt_node *y = u->nodes[k];
    buffer *b = &f->buffers[y->id];
    if (!b->used || b->parent != y->id || y->op->flags & OP_REDUCTION)
        return;
    for (int m = 0; m < u->n; m++)
        for (int i = first_read(u->nodes[m]); i < u->nodes[m]->n_in; i++) {
            lt_node *s = node_reads(f->p, u->nodes[m], i, NULL, NULL);
            buffer *o = &f->buffers[s->id];
            if (f->p->group_of[s->id] == at || !o->used || o->parent != s->id || o->pinned ||
                o->last != at || o->size != b->size || !reads_whole(f->p, u, s) ||
                last_reader(f->p, u, s) > k || reads_part(f, u, s))
                continue;
            make_part(f, y->id, s->id, 0);
            return;
        }
}

static void share_buffers(planner *f)
{
    const lt_program *p = f->p;
    for (int u = 0; u < p->n_groups; u++)
        if (p->groups[u].nodes[0]->op == &lt_op_concat)
            share_concat(f, p->groups[u].nodes[0]);
    for (int u = 0; u < p->n_groups; u++)
        for (int k = 0; p->groups[u].fused && k < p->groups[u].n; k++)
            share_operand(f, u, k);
}

/* ---- Offsets ---- */

typedef struct slot {
    buffer *b;
    int id;
} slot;

static int larger_first(const void *a, const void *b)
{
    const slot *x = a, *y = b;
    if (x->b->size != y->b->size)
        return x->b->size > y->b->size ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* The lowest offset at which b overlaps no placed buffer of an overlapping lifetime. */
static int64_t find_offset(const slot *placed, int n, const buffer *b, bool no_memory_reuse)
{
    int64_t offset = 0;
    bool moved = true;
    while (moved) {
        moved = false;
        for (int i = 0; i < n; i++) {
            const buffer *o = placed[i].b;
            bool together = no_memory_reuse || (o->first <= b->last && b->first <= o->last);
            if (together && offset < o->offset + o->size && o->offset < offset + b->size) {
                offset = o->offset + o->size;
                moved = true;
            }
        }
    }
    return offset;
}

static void choose_offsets(planner *f, bool no_memory_reuse)
{
    int n = 0, total = f->p->graph->n;
    slot *slots = must_alloc(sizeof *slots * (size_t)(total + 1));
    for (int id = 0; id < total; id++) {
        f->m->unplanned_size += f->buffers[id].used ? f->buffers[id].size : 0;
        if (f->buffers[id].used && f->buffers[id].parent == id)
            slots[n++] = (slot){&f->buffers[id], id};
    }
    qsort(slots, (size_t)n, sizeof *slots, larger_first);
    f->m->releases = must_alloc(sizeof *f->m->releases * (size_t)(n + 1));
    for (int i = 0; i < n; i++) {
        buffer *b = slots[i].b;
        b->offset = find_offset(slots, i, b, no_memory_reuse);
        int64_t end = b->offset + b->size;
        f->m->block_size = end > f->m->block_size ? end : f->m->block_size;
        if (!b->pinned)
            f->m->releases[f->m->n_releases++] = (release){b->last, b->offset, b->size};
    }
    free(slots);
}

/* ---- The plan ---- */

static location locate_storage(planner *f, const lt_node *s)
{
    location at = {.kind = LOCATION_NONE, .storage = s->id};
    if (s->op == &lt_op_constant) {
        at.kind = LOCATION_CONSTANT;
        at.offset = f->m->constants_size;
        f->m->constants_size += aligned(lt_shape_size(s->shape));
    } else if (s->op == &lt_op_variable)
        at.kind = LOCATION_VARIABLE;
    else if (f->buffers[s->id].used) {
        at.kind = LOCATION_BLOCK;
        int64_t inside;
        at.offset = root_of(f, s->id, &inside)->offset + inside;
    }
    return at;
}

static void fill_locations(planner *f)
{
    const lt_graph *g = f->p->graph;
    f->m->locations = must_alloc(sizeof *f->m->locations * (size_t)(g->n + 1));
    for (int id = 0; id < g->n; id++) { /* a view's storage has a smaller id */
        int64_t offset;
        const lt_node *s = node_storage(g->nodes[id], &offset);
        location *at = &f->m->locations[id];
        if (!f->live[id])
            *at = (location){.kind = LOCATION_NONE, .storage = id};
        else if (s->op == &lt_op_assign)
            *at = f->m->locations[s->in[0]->id];
        else if (s->id == id)
            *at = locate_storage(f, s);
        else {
            *at = f->m->locations[s->id];
            at->offset += offset;
        }
    }
}

plan *plan_make(const lt_program *p, bool no_memory_reuse)
{
    plan *m = must_alloc(sizeof *m);
    size_t n = (size_t)p->graph->n + 1;
    int *uses = count_uses(p);
    planner f = {.p = p, .m = m, .buffers = must_alloc(sizeof(buffer) * n), .live = must_alloc(n)};
    for (size_t i = 0; i < n - 1; i++)
        f.live[i] = uses[i] > 0;
    find_lifetimes(&f);
    if (!no_memory_reuse)
        share_buffers(&f);
    choose_offsets(&f, no_memory_reuse);
    fill_locations(&f);
    free(uses);
    free(f.buffers);
    free(f.live);
    return m;
}

void plan_free(plan *m)
{
    if (!m)
        return;
    free(m->locations);
    free(m->releases);
    free(m);
}
