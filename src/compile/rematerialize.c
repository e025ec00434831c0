/* SPDX-License-Identifier: MIT */
/* Rematerialization: a value that is cheap to compute is recomputed in each fused group that reads it, instead of
   being written by one group and read by another; for example, a normalized array from the array itself. Batch norm
   then takes two passes over memory forward and two backward. */
#include "compile/rebuild.h"

#include <latent/ops.h>

#include <stdlib.h>

enum { MAX_CHAIN = 4 }; /* operators recomputed for one value */

/* A node recomputed for its readers in one group. */
typedef struct recomputation {
    int id, fusion_group; /* in the old graph */
    lt_node *made;
} recomputation;

typedef struct rematerializer {
    const lt_program *p;
    bool *stored;   /* by id: must be in memory in any case */
    bool *recomputed; /* by id: recomputed in every other group that reads it */
    recomputation *list;
    int n, capacity;
} rematerializer;

/* The node that input i of y reads whole and element by element, or NULL. */
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

/* Whether x can be recomputed from one array in memory by at most *left cheap operators; sets *leaf to the array. */
static bool is_near(const rematerializer *r, const lt_node *x, int *left, const lt_node **leaf)
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

static void find_stored(rematerializer *r)
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

/* Finds the values that one group computes, another reads, and that are cheap to recompute. */
static bool find_recomputed(rematerializer *r)
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
                any |= r->recomputed[s->id] = is_near(r, s, &left, &leaf) && leaf;
        }
    }
    return any;
}

/* Recomputes old node x, whose new form is `now`, for the group `reader`. */
static lt_node *recompute(rematerializer *r, const lt_node *x, lt_node *now, int reader)
{
    if (x->op == &lt_op_reshape)
        return lt_reshape(recompute(r, x->in[0], now->in[0], reader), x->shape);
    if (!is_computed_in_tiles(r->p, x) || r->stored[x->id] || r->p->group_of[x->id] == reader)
        return now;
    for (int i = 0; i < r->n; i++)
        if (r->list[i].id == x->id && r->list[i].fusion_group == reader)
            return r->list[i].made;
    lt_node *in[3];
    for (int i = 0; i < x->n_in; i++)
        in[i] = recompute(r, x->in[i], now->in[i], reader);
    lt_node *made = node_make(x->op, x->attr, x->n_in, in);
    made->is_rematerialized = true;
    r->list = must_grow(r->list, r->n, &r->capacity);
    r->list[r->n++] = (recomputation){x->id, reader, made};
    return made;
}

static lt_node *recompute_inputs(rebuild *b, const lt_node *y, lt_node *const *in)
{
    rematerializer *r = b->context;
    int u = r->p->group_of[y->id];
    if (u < 0 || !r->p->groups[u].fused)
        return rebuild_copy(b, y, in);
    lt_node *now[3];
    LT_ASSERT(y->n_in <= 3);
    for (int i = 0; i < y->n_in; i++) {
        const lt_node *s = i >= first_read(y) ? whole_read(r->p, y, i) : NULL;
        bool again = s && r->recomputed[s->id] && r->p->group_of[s->id] != u;
        now[i] = again ? recompute(r, y->in[i], in[i], u) : in[i];
    }
    return rebuild_copy(b, y, now);
}

void rematerialize(lt_program *p)
{
    if (p->target->max_group == 1) /* every value is in memory */
        return;
    fuse_groups(p); /* preliminary: shows what would be stored */
    size_t n = (size_t)p->graph->n + 1;
    rematerializer r = {.p = p, .stored = must_alloc(n), .recomputed = must_alloc(n)};
    find_stored(&r);
    if (find_recomputed(&r))
        rebuild_graph(p, recompute_inputs, &r);
    free(r.stored);
    free(r.recomputed);
    free(r.list);
    free(p->groups);
    free(p->group_of);
    p->groups = NULL;
    p->group_of = NULL;
    p->n_groups = 0;
}
