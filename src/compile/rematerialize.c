/* SPDX-License-Identifier: MIT */
/* What is cheap to compute is computed again where it is read, instead of being written to memory by
   one fused group and read by another: a normalized array from the one that is there, for example. Then
   batch norm is two passes over memory forward and two backward. */
#include "compile/rebuild.h"

#include <latent/ops.h>

#include <stdlib.h>

enum { MAX_CHAIN = 4 }; /* operators computed again for one value */

/* A node that is computed again for the readers in one group. */
typedef struct repetition {
    int id, fusion_group; /* in the old graph */
    lt_node *made;
} repetition;

typedef struct repeater {
    const lt_program *p;
    bool *stored;   /* by id: must be in memory whatever is decided here */
    bool *repeated; /* by id: computed again in every other group that reads it */
    repetition *list;
    int n, capacity;
} repeater;

/* The node that input i of y reads element by element and as a whole, or NULL. */
static const lt_node *whole_read(const lt_program *p, const lt_node *y, int i)
{
    lt_node *broadcast;
    int64_t offset;
    const lt_node *s = node_reads(p, y, i, &broadcast, &offset);
    bool whole = !broadcast && y->op != &lt_op_expand && offset == 0 &&
                 lt_shape_size(s->shape) == lt_shape_size(y->in[i]->shape);
    return whole ? s : NULL;
}

static bool is_computed_in_tiles(const lt_program *p, const lt_node *x)
{
    int u = p->group_of[x->id];
    return u >= 0 && p->groups[u].fused && x->op->flags & OP_ELEMENTWISE;
}

/* Whether x is `left` cheap operators or fewer away from one array in memory, which becomes *leaf. */
static bool is_near(const repeater *r, const lt_node *x, int *left, const lt_node **leaf)
{
    if (!is_computed_in_tiles(r->p, x) || r->stored[x->id]) {
        bool same = !*leaf || *leaf == x;
        *leaf = x;
        return same;
    }
    if (!x->op->is_cheap || --*left < 0)
        return false;
    for (int i = 0; i < x->n_in; i++) {
        const lt_node *s = whole_read(r->p, x, i);
        if (s ? !is_near(r, s, left, leaf) : x->in[i]->op != &lt_op_expand)
            return false;
    }
    return true;
}

static void find_stored(repeater *r)
{
    const lt_program *p = r->p;
    for (int i = 0; i < p->n_targets; i++)
        r->stored[node_storage(p->image[p->targets[i]->id], NULL)->id] = true;
    for (int id = 0; id < p->graph->n; id++) {
        const lt_node *y = p->graph->nodes[id];
        int u = p->group_of[id];
        for (int i = first_read(y); u >= 0 && i < y->n_in; i++) {
            const lt_node *s = node_reads(p, y, i, NULL, NULL);
            r->stored[s->id] |= !p->groups[u].fused || !whole_read(p, y, i);
        }
    }
}

/* Values that one group computes and another reads, and that are cheap to have again. */
static bool find_repeated(repeater *r)
{
    const lt_program *p = r->p;
    bool any = false;
    for (int id = 0; id < p->graph->n; id++) {
        const lt_node *y = p->graph->nodes[id];
        int u = p->group_of[id];
        for (int i = first_read(y); u >= 0 && p->groups[u].fused && i < y->n_in; i++) {
            const lt_node *s = whole_read(p, y, i), *leaf = NULL;
            int left = MAX_CHAIN;
            if (s && is_computed_in_tiles(p, s) && p->group_of[s->id] != u && !r->stored[s->id])
                any |= r->repeated[s->id] = is_near(r, s, &left, &leaf) && leaf;
        }
    }
    return any;
}

/* The new form `now` of old node x, once more for the group `reader`. */
static lt_node *repeat(repeater *r, const lt_node *x, lt_node *now, int reader)
{
    if (x->op == &lt_op_reshape)
        return lt_reshape(repeat(r, x->in[0], now->in[0], reader), x->shape);
    if (!is_computed_in_tiles(r->p, x) || r->stored[x->id] || r->p->group_of[x->id] == reader)
        return now;
    for (int i = 0; i < r->n; i++)
        if (r->list[i].id == x->id && r->list[i].fusion_group == reader)
            return r->list[i].made;
    lt_node *in[3];
    for (int i = 0; i < x->n_in; i++)
        in[i] = repeat(r, x->in[i], now->in[i], reader);
    lt_node *made = node_make(x->op, x->attr, x->n_in, in);
    made->is_repeated = true;
    r->list = must_grow(r->list, r->n, &r->capacity);
    r->list[r->n++] = (repetition){x->id, reader, made};
    return made;
}

static lt_node *repeat_inputs(rebuild *b, const lt_node *y, lt_node *const *in)
{
    repeater *r = b->context;
    int u = r->p->group_of[y->id];
    if (u < 0 || !r->p->groups[u].fused)
        return rebuild_copy(b, y, in);
    lt_node *now[3];
    LT_ASSERT(y->n_in <= 3);
    for (int i = 0; i < y->n_in; i++) {
        const lt_node *s = i >= first_read(y) ? whole_read(r->p, y, i) : NULL;
        bool again = s && r->repeated[s->id] && r->p->group_of[s->id] != u;
        now[i] = again ? repeat(r, y->in[i], in[i], u) : in[i];
    }
    return rebuild_copy(b, y, now);
}

void rematerialize(lt_program *p)
{
    if (p->target->max_group == 1) /* every value is in memory */
        return;
    fuse_groups(p); /* a first time, to see what would have to be stored */
    size_t n = (size_t)p->graph->n + 1;
    repeater r = {.p = p, .stored = must_alloc(n), .repeated = must_alloc(n)};
    find_stored(&r);
    if (find_repeated(&r))
        rebuild_graph(p, repeat_inputs, &r);
    free(r.stored);
    free(r.repeated);
    free(r.list);
    free(p->groups);
    free(p->group_of);
    p->groups = NULL;
    p->group_of = NULL;
    p->n_groups = 0;
}
