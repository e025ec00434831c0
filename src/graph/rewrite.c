/* SPDX-License-Identifier: MIT */
/* Passes that rebuild a graph node by node into a better one: what nothing reads is left behind,
   what was computed before is found again, constants are computed now. */
#include "graph/program.h"

#include <latent/ops.h>

#include <stdlib.h>
#include <string.h>

enum { FOLD_LIMIT = 1 << 16 }; /* elements of a constant worth keeping */

/* ---- Rebuilding ---- */

typedef struct rebuild {
    lt_program *program;
    lt_graph *to;
    int *uses;       /* of the nodes of the old graph */
    bool *unfused;   /* of them: read by an operator that no fused unit takes */
    lt_node **found; /* open hashing of the new graph's nodes, for common subexpressions */
    unsigned n_slots, n_found;
} rebuild;

/* Makes the new form of old node x, whose inputs have become `in`. */
typedef lt_node *rewrite_function(rebuild *r, const lt_node *x, lt_node *const *in);

/* Whether a node's attributes are just its shape. */
static bool is_shaped(const lt_node *x)
{
    return x->op->attr_size == sizeof(shape_attr) &&
           (x->op == &lt_op_reshape || x->op == &lt_op_expand);
}

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    return h;
}

static uint64_t hash_node(const lt_node *x)
{
    uint64_t h = hash_bytes(0xcbf29ce484222325u, &x->op, sizeof x->op);
    for (int i = 0; i < x->n_in; i++)
        h = hash_bytes(h, &x->in[i]->id, sizeof x->in[i]->id);
    return hash_bytes(h, x->shape.d, sizeof *x->shape.d * (size_t)x->shape.rank);
}

static bool same_constant(const lt_node *a, const lt_node *b)
{
    const constant_attr *p = a->attr, *q = b->attr;
    return memcmp(p->values, q->values, sizeof *p->values * (size_t)lt_shape_size(a->shape)) == 0;
}

static bool same_node(const lt_node *a, const lt_node *b)
{
    if (a->op != b->op || a->n_in != b->n_in || !lt_shape_equal(a->shape, b->shape))
        return false;
    for (int i = 0; i < a->n_in; i++)
        if (a->in[i] != b->in[i])
            return false;
    if (a->op == &lt_op_constant)
        return same_constant(a, b);
    return is_shaped(a) || memcmp(a->attr ? a->attr : "", b->attr ? b->attr : "",
                                  a->op->attr_size) == 0;
}

static void grow_found(rebuild *r)
{
    unsigned old = r->n_slots;
    lt_node **slots = r->found;
    r->n_slots = old ? 2 * old : 256;
    r->found = must_alloc(sizeof *r->found * r->n_slots);
    for (unsigned i = 0; i < old; i++)
        if (slots[i]) {
            unsigned at = (unsigned)hash_node(slots[i]) & (r->n_slots - 1);
            while (r->found[at])
                at = (at + 1) & (r->n_slots - 1);
            r->found[at] = slots[i];
        }
    free(slots);
}

/* The node like x that is there already, else x itself. Random draws differ by their streams;
   inputs and variables are themselves. */
static lt_node *find_common(rebuild *r, lt_node *x)
{
    if (node_is_bad(x) || (x->n_in == 0 && x->op != &lt_op_constant))
        return x;
    if (2 * r->n_found >= r->n_slots)
        grow_found(r);
    unsigned at = (unsigned)hash_node(x) & (r->n_slots - 1);
    for (; r->found[at]; at = (at + 1) & (r->n_slots - 1))
        if (same_node(r->found[at], x))
            return r->found[at];
    r->n_found++;
    return r->found[at] = x;
}

/* The values of a constant are in its graph's arena, and the old graph will be freed. */
static lt_node *copy_source(rebuild *r, const lt_node *x)
{
    return x->op == &lt_op_constant
               ? lt_constant(r->to, x->shape, ((const constant_attr *)x->attr)->values)
               : node_source(r->to, x->op, x->attr);
}

static lt_node *copy_node(rebuild *r, const lt_node *x, lt_node *const *in)
{
    lt_node *y = x->n_in ? node_make(x->op, x->attr, x->n_in, in) : copy_source(r, x);
    return *x->name ? lt_name(y, x->name) : y;
}

bool *find_live(const lt_graph *g, int n_nodes, lt_node *const *targets, int n_targets)
{
    bool *live = must_alloc((size_t)n_nodes + 1);
    for (int i = 0; i < n_targets; i++)
        live[targets[i]->id] = true;
    for (int i = n_nodes - 1; i >= 0; i--) {
        live[i] |= g->nodes[i]->op == &lt_op_input;
        for (int k = 0; live[i] && k < g->nodes[i]->n_in; k++)
            live[g->nodes[i]->in[k]->id] = true;
    }
    return live;
}

/* The targets as nodes of the graph that is being worked on. */
static lt_node **current_targets(const lt_program *p)
{
    lt_node **t = must_alloc(sizeof *t * (size_t)(p->n_targets + 1));
    for (int i = 0; i < p->n_targets; i++)
        t[i] = p->image[p->targets[i]->id];
    return t;
}

int *count_uses(const lt_program *p)
{
    lt_node **targets = current_targets(p);
    bool *live = find_live(p->graph, p->graph->n, targets, p->n_targets);
    int *uses = must_alloc(sizeof *uses * (size_t)(p->graph->n + 1));
    for (int i = 0; i < p->n_targets; i++)
        uses[targets[i]->id]++;
    for (int i = 0; i < p->graph->n; i++) {
        uses[i] += p->graph->nodes[i]->op == &lt_op_input;
        for (int k = 0; live[i] && k < p->graph->nodes[i]->n_in; k++)
            uses[p->graph->nodes[i]->in[k]->id]++;
    }
    free(targets);
    free(live);
    return uses;
}

static bool *find_unfused(const lt_graph *g)
{
    bool *unfused = must_alloc((size_t)g->n + 1);
    for (int i = 0; i < g->n; i++) {
        const lt_node *y = g->nodes[i];
        bool fuses = y->op->flags & OP_ELEMENTWISE || y->op == &lt_op_assign;
        for (int k = 0; k < y->n_in && !fuses; k++)
            unfused[y->in[k]->id] = true;
    }
    return unfused;
}

static void rebuild_graph(lt_program *p, rewrite_function *rewrite)
{
    lt_node **targets = current_targets(p);
    lt_graph *from = p->graph;
    rebuild r = {.program = p, .to = lt_graph_create(), .uses = count_uses(p),
                 .unfused = find_unfused(from)};
    r.to->streams = from->streams;
    bool *live = find_live(from, from->n, targets, p->n_targets);
    lt_node **map = must_alloc(sizeof *map * (size_t)(from->n + 1));
    for (int i = 0; i < from->n; i++) {
        const lt_node *x = from->nodes[i];
        if (!live[i])
            continue;
        lt_node **in = must_alloc(sizeof *in * (size_t)(x->n_in + 1));
        for (int k = 0; k < x->n_in; k++)
            in[k] = map[x->in[k]->id];
        map[i] = find_common(&r, rewrite(&r, x, in));
        free(in);
    }
    LT_ASSERT(!r.to->error);
    for (int i = 0; i < p->n_image; i++)
        p->image[i] = p->image[i] ? map[p->image[i]->id] : NULL;
    if (from != p->source)
        lt_graph_free(from);
    p->graph = r.to;
    free(targets);
    free(live);
    free(map);
    free(r.uses);
    free(r.unfused);
    free(r.found);
}

/* ---- Simplify ---- */

/* Whether every element of x is the same constant. */
static bool is_splat(const lt_node *x, double *value)
{
    while (x->op == &lt_op_expand || x->op == &lt_op_reshape)
        x = x->in[0];
    if (x->op != &lt_op_constant || lt_shape_size(x->shape) != 1)
        return false;
    *value = ((const constant_attr *)x->attr)->values[0];
    return true;
}

static lt_node *make_splat(rebuild *r, double value, lt_shape shape)
{
    return lt_broadcast(find_common(r, lt_scalar(r->to, value)), shape);
}

static double count_reduced(const lt_node *y, const lt_node *x)
{
    int64_t n = lt_shape_size(y->shape);
    return n ? (double)(lt_shape_size(x->shape) / n) : 0;
}

/* A result that is one constant because all inputs are. */
static lt_node *fold_splat(rebuild *r, const lt_node *x, lt_node *const *in)
{
    double v[3] = {0};
    if (x->n_in < 1 || x->n_in > 3)
        return NULL;
    for (int i = 0; i < x->n_in; i++)
        if (!is_splat(in[i], &v[i]))
            return NULL;
    if (x->op->flags & OP_ELEMENTWISE)
        return make_splat(r, x->op->scalar(v[0], v[1], v[2]), x->shape);
    if (x->op == &lt_op_sum)
        return make_splat(r, v[0] * count_reduced(x, in[0]), x->shape);
    bool moves = x->op == &lt_op_max_reduce || x->op == &lt_op_reshape || x->op == &lt_op_expand ||
                 x->op == &lt_op_permute || x->op == &lt_op_slice;
    return moves ? make_splat(r, v[0], x->shape) : NULL;
}

/* The values of a constant, or of one number repeated; NULL if x is neither, or too large. The caller
   frees them. */
static double *constant_values(const lt_node *x)
{
    double value = 0;
    int64_t n = lt_shape_size(x->shape);
    bool constant = x->op == &lt_op_constant;
    if (n > FOLD_LIMIT || (!constant && !is_splat(x, &value)))
        return NULL;
    double *values = must_alloc(sizeof *values * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        values[i] = constant ? ((const constant_attr *)x->attr)->values[i] : value;
    return values;
}

/* A result that can be computed now, because all inputs are constants. A row that is repeated is kept
   as it is: readers repeat it themselves. */
static lt_node *fold_constant(rebuild *r, const lt_node *x, lt_node *const *in)
{
    int64_t n = lt_shape_size(x->shape);
    if (x->n_in == 0 || n > FOLD_LIMIT || !x->op->reference || x->op->flags & OP_EFFECT ||
        x->op == &lt_op_expand)
        return NULL;
    double **values = must_alloc(sizeof *values * (size_t)x->n_in);
    bool constant = true;
    for (int i = 0; constant && i < x->n_in; i++)
        constant = (values[i] = constant_values(in[i])) != NULL;
    lt_node *y = NULL;
    if (constant) {
        double *out = must_alloc(sizeof *out * (size_t)n);
        x->op->reference(
            &(lt_reference_call){.y = x, .in = (const double *const *)values, .out = out});
        y = lt_constant(r->to, x->shape, out);
        free(out);
    }
    for (int i = 0; i < x->n_in; i++)
        free(values[i]);
    free(values);
    return y;
}

/* x + 0, x - 0, x 1, x / 1 and what is the identity by its shape. */
static lt_node *fold_identity(const lt_node *x, lt_node *const *in)
{
    const lt_op *op = x->op;
    double v;
    bool additive = op == &lt_op_add || op == &lt_op_sub;
    bool multiplicative = op == &lt_op_mul || op == &lt_op_div;
    if ((additive || multiplicative) && is_splat(in[1], &v) && v == (additive ? 0 : 1))
        return in[0];
    if ((op == &lt_op_add || op == &lt_op_mul) && is_splat(in[0], &v) && v == (additive ? 0 : 1))
        return in[1];
    if (op == &lt_op_detach || op == &lt_op_copy)
        return in[0];
    bool by_shape = op == &lt_op_reshape || op == &lt_op_expand || op == &lt_op_slice;
    if (by_shape && lt_shape_equal(x->shape, in[0]->shape))
        return in[0];
    if ((op == &lt_op_sum || op == &lt_op_max_reduce) &&
        lt_shape_size(x->shape) == lt_shape_size(in[0]->shape))
        return lt_reshape(in[0], x->shape);
    return NULL;
}

static bool is_transpose(const lt_node *x)
{
    return x->op == &lt_op_permute && x->shape.rank == 2; /* the identity is never built */
}

/* One operator after another of its kind. */
static lt_node *fold_chain(const lt_node *x, lt_node *const *in)
{
    if (x->op == &lt_op_reshape && in[0]->op == &lt_op_reshape)
        return lt_reshape(in[0]->in[0], x->shape);
    if (x->op == &lt_op_expand && in[0]->op == &lt_op_expand)
        return lt_expand(in[0]->in[0], x->shape);
    if (is_transpose(x) && is_transpose(in[0]))
        return in[0]->in[0];
    return NULL;
}

static lt_node *simplify(rebuild *r, const lt_node *x, lt_node *const *in)
{
    lt_node *y = fold_splat(r, x, in);
    y = y ? y : fold_constant(r, x, in);
    y = y ? y : fold_identity(x, in);
    y = y ? y : fold_chain(x, in);
    return y ? y : copy_node(r, x, in);
}

void rewrite_simplify(lt_program *p) { rebuild_graph(p, simplify); }

/* ---- Products: matrix products with what follows them, a b + c ---- */

static bool used_once(const rebuild *r, const lt_node *old) { return r->uses[old->id] == 1; }

static lt_node *fold_transposes(const lt_node *x, lt_node *const *in)
{
    matmul_attr attr = *(const matmul_attr *)x->attr;
    lt_node *a = in[0], *b = in[1];
    if (is_transpose(a)) {
        attr.transpose_a = !attr.transpose_a;
        a = a->in[0];
    }
    if (is_transpose(b)) {
        attr.transpose_b = !attr.transpose_b;
        b = b->in[0];
    }
    return matmul_make(&attr, a, b, attr.has_bias ? in[2] : NULL);
}

/* A row repeated down a matrix: expand of 1 x m, whose storage is a vector of m. */
static bool is_row(const lt_node *x)
{
    return x->op == &lt_op_expand && x->shape.rank == 2 && x->in[0]->shape.d[0] == 1 &&
           x->in[0]->shape.d[1] == x->shape.d[1];
}

/* Whether `product`, the new form of old node `old`, may still take something in. */
static bool is_open(const rebuild *r, const lt_node *old, const lt_node *product)
{
    const matmul_attr *attr = product->attr;
    return product->op == &lt_op_matmul && used_once(r, old) && !attr->activation &&
           product->in[0]->shape.d[attr->transpose_a ? 0 : 1] > 0;
}

static lt_node *fold_bias(rebuild *r, const lt_node *x, lt_node *const *in)
{
    for (int side = 0; side < 2; side++) {
        lt_node *product = in[side], *row = in[1 - side];
        if (!is_open(r, x->in[side], product) || !is_row(row))
            continue;
        matmul_attr attr = *(const matmul_attr *)product->attr;
        if (attr.has_bias)
            continue;
        attr.has_bias = true;
        return matmul_make(&attr, product->in[0], product->in[1], row->in[0]);
    }
    return NULL;
}

static lt_node *fold_activation(rebuild *r, const lt_node *x, lt_node *const *in)
{
    double parameter = 0;
    if (!matmul_can_activate(x->op) || !is_open(r, x->in[0], in[0]) ||
        (x->n_in == 2 && !is_splat(in[1], &parameter)))
        return NULL;
    matmul_attr attr = *(const matmul_attr *)in[0]->attr;
    attr.activation = x->op;
    attr.parameter = (float)parameter;
    return matmul_make(&attr, in[0]->in[0], in[0]->in[1], attr.has_bias ? in[0]->in[2] : NULL);
}

/* a b + c and c - a b, when nothing else reads the product. */
static lt_node *fold_multiply(rebuild *r, const lt_node *x, lt_node *const *in)
{
    for (int side = x->op == &lt_op_sub; side < 2; side++) {
        lt_node *product = in[side], *other = in[1 - side];
        if (product->op != &lt_op_mul || !used_once(r, x->in[side]))
            continue;
        const lt_op *op = x->op == &lt_op_sub ? &lt_op_sub_mul : &lt_op_mul_add;
        return node_make3(op, NULL, product->in[0], product->in[1], other);
    }
    return NULL;
}

static lt_node *rewrite_product(rebuild *r, const lt_node *x, lt_node *const *in)
{
    lt_node *y = NULL;
    if (x->op == &lt_op_matmul)
        return fold_transposes(x, in);
    if (x->op == &lt_op_add)
        y = fold_bias(r, x, in);
    if (!y && (x->op == &lt_op_add || x->op == &lt_op_sub))
        y = fold_multiply(r, x, in);
    if (!y && x->n_in > 0)
        y = fold_activation(r, x, in);
    return y ? y : copy_node(r, x, in);
}

void rewrite_products(lt_program *p) { rebuild_graph(p, rewrite_product); }

/* ---- What operators that are not fused read ---- */

static bool is_variable(lt_node *x)
{
    x = node_storage(x, NULL);
    return x->op == &lt_op_variable ||
           (x->op == &lt_op_expand && node_storage(x->in[0], NULL)->op == &lt_op_variable);
}

/* Variables that are assigned to others are copied, so that all reads see the old values; repeated
   constants that something other than a fused unit reads are written out. */
static lt_node *settle(rebuild *r, const lt_node *x, lt_node *const *in)
{
    if (x->op == &lt_op_assign && is_variable(in[1]))
        return lt_assign(in[0], node_make1(&lt_op_copy, NULL, in[1]));
    double value;
    bool repeats = x->op == &lt_op_expand && is_splat(x, &value) && r->unfused[x->id];
    if (!repeats || lt_shape_size(x->shape) > FOLD_LIMIT)
        return copy_node(r, x, in);
    int64_t n = lt_shape_size(x->shape);
    double *values = must_alloc(sizeof *values * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        values[i] = value;
    lt_node *y = lt_constant(r->to, x->shape, values);
    free(values);
    return y;
}

static bool is_assigned(const lt_program *p, const lt_node *variable)
{
    bool assigned = false;
    for (int i = 0; i < p->n_targets; i++) {
        const lt_node *y = p->image[p->targets[i]->id];
        assigned |= y->op == &lt_op_assign && y->in[0] == variable;
    }
    return assigned;
}

/* Targets that came to be a variable's memory are copied if it is assigned: only the variable itself
   shows the new values after a run. */
static void copy_targets(lt_program *p)
{
    for (int i = 0; i < p->n_targets; i++) {
        const lt_node *t = p->targets[i];
        lt_node *y = p->image[t->id];
        if (t->op != &lt_op_variable && is_assigned(p, node_storage(y, NULL)))
            p->image[t->id] = node_make1(&lt_op_copy, NULL, y);
    }
}

void rewrite_settle(lt_program *p)
{
    rebuild_graph(p, settle);
    copy_targets(p);
}
