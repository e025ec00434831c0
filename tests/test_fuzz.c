/* SPDX-License-Identifier: MIT */
/* Random graphs, compiled and run: the CPU executor against the reference, and against itself with
   other numbers of threads and another memory plan, bit for bit, over consecutive runs with
   assigns. `test_fuzz FIRST COUNT` runs graphs FIRST ... FIRST + COUNT - 1 alone, in every
   configuration: a failure names its seed. */
#include "check.h"

#include "graph/op.h"

#include <latent/ops.h>

#include <stdio.h>

enum { MAX_ITEMS = 400, MAX_LEAVES = 120, MAX_TARGETS = 40, RUNS = 3 };

/* A node that later ones may read. Values stay within +-bound, so that errors stay comparable. */
typedef struct item {
    lt_node *x;
    double bound;
    bool exact; /* both executors have the same values: it may be compared without risk */
} item;

/* A leaf, and what it is fed. */
typedef struct leaf {
    lt_node *x;
    double lo, hi;
    bool whole, variable, assigned; /* whole: indices */
} leaf;

typedef struct growth {
    draws d;
    lt_graph *g;
    item items[MAX_ITEMS];
    leaf leaves[MAX_LEAVES];
    lt_node *targets[MAX_TARGETS];
    int n, n_leaves, n_targets;
    int64_t limit; /* elements of a node */
    bool smooth;   /* only what has continuous derivatives */
    uint64_t seed;
} growth;

static int64_t size_of(const lt_node *x) { return lt_shape_size(lt_node_shape(x)); }

static int below(growth *t, int n) { return draw_below(&t->d, n); }
static bool one_in(growth *t, int n) { return draw_one_in(&t->d, n); }

/* ---- Shapes ---- */

static lt_shape random_shape(growth *t)
{
    static const int64_t dims[] = {1,  1,  2,   3,   4,   5,   7,    8,    13,   16,   17,   31,
                                   64, 97, 100, 129, 512, 513, 1024, 1031, 1500, 2100, 4099, 30011};
    lt_shape s = {.rank = below(t, 6)};
    int64_t size = 1;
    for (int i = 0; i < s.rank; i++) {
        int64_t d = dims[below(t, COUNT_OF(dims))];
        while (size * d > t->limit)
            d = (d + 1) / 2;
        s.d[i] = one_in(t, 60) ? 0 : d;
        size *= d;
    }
    int longer = below(t, s.rank + 1); /* one axis fills up to the limit, now and then */
    if (longer < s.rank && size > 0 && one_in(t, 3))
        s.d[longer] *= 1 + below(t, (int)(t->limit / size));
    return s;
}

static unsigned random_axes(growth *t, lt_shape s)
{
    unsigned axes = 0;
    for (int i = 0; i < s.rank; i++)
        axes |= one_in(t, 2) ? LT_AXIS(i) : 0;
    return axes;
}

/* The same elements under another shape: an axis split, or two merged, or all of them. */
static lt_shape other_shape(growth *t, lt_shape s)
{
    int k = s.rank ? below(t, s.rank) : 0;
    if (s.rank == 0 || (s.rank < 5 && one_in(t, 4))) { /* one more axis of 1 */
        for (int i = s.rank; i > k; i--)
            s.d[i] = s.d[i - 1];
        s.d[k] = 1;
        s.rank++;
        return s;
    }
    static const int64_t factors[] = {2, 3, 4, 5, 7, 13};
    int64_t f = factors[below(t, COUNT_OF(factors))], n = lt_shape_size(s);
    if (n % f == 0 && one_in(t, 2)) /* cuts that do not divide those of s */
        return one_in(t, 2) ? lt_shape_2d(n / f, f) : lt_shape_2d(f, n / f);
    if (one_in(t, 4))
        return lt_shape_1d(n);
    if (s.rank < 5 && s.d[k] % f == 0) {
        for (int i = s.rank; i > k; i--)
            s.d[i] = s.d[i - 1];
        s.d[k] /= f;
        s.d[k + 1] = f;
        s.rank++;
    } else if (k + 1 < s.rank) {
        s.d[k] *= s.d[k + 1];
        for (int i = k + 1; i + 1 < s.rank; i++)
            s.d[i] = s.d[i + 1];
        s.rank--;
    }
    return s;
}

static bool broadcasts(lt_shape from, lt_shape to)
{
    bool fits = from.rank <= to.rank;
    for (int i = 1; fits && i <= from.rank; i++)
        fits = from.d[from.rank - i] == 1 || from.d[from.rank - i] == to.d[to.rank - i];
    return fits;
}

/* Elements, or how many there might be if none of the dimensions were 0. */
static int64_t volume(lt_shape s)
{
    int64_t n = 1;
    for (int i = 0; i < s.rank; i++)
        n *= s.d[i] ? s.d[i] : 1;
    return n;
}

/* ---- Leaves and operands ---- */

static item add_item(growth *t, lt_node *x, double bound, bool exact)
{
    if (lt_graph_error(t->g))
        fail_msg("seed %ju: %s", (uintmax_t)t->seed, lt_graph_error(t->g));
    if (volume(lt_node_shape(x)) > 2 * t->limit)
        return (item){x, bound, exact}; /* but nothing goes on from here */
    if (bound > 40) {
        x = lt_scale(x, 10 / bound);
        bound = 10;
        exact = false;
    }
    assert_true(t->n < MAX_ITEMS);
    return t->items[t->n++] = (item){x, bound, exact};
}

static item add_leaf(growth *t, lt_shape s, double lo, double hi, bool whole)
{
    char name[32];
    bool variable = !whole && one_in(t, 2);
    snprintf(name, sizeof name, "%s%d", variable ? "v" : "x", t->n_leaves);
    lt_node *x = variable ? lt_variable(t->g, name, s) : lt_input(t->g, name, s);
    assert_true(t->n_leaves < MAX_LEAVES);
    t->leaves[t->n_leaves++] = (leaf){x, lo, hi, whole, variable, false};
    return (item){x, fmax(fabs(lo), fabs(hi)), !variable}; /* what is assigned may not be exact */
}

/* Any node, recent ones more often. */
static item pick(growth *t)
{
    int recent = t->n < 8 ? t->n : 8;
    return t->items[one_in(t, 2) ? t->n - 1 - below(t, recent) : below(t, t->n)];
}

/* A node that broadcasts to shape s: one that does, one of as many elements, or a new leaf. */
static item operand_for(growth *t, lt_shape s)
{
    for (int i = 0; i < 6; i++) {
        item p = pick(t);
        lt_shape from = lt_node_shape(p.x);
        if (lt_shape_size(from) == lt_shape_size(s))
            p.x = lt_reshape(p.x, s);
        if (broadcasts(lt_node_shape(p.x), s))
            return p;
    }
    lt_shape small = s;
    for (int i = 0; i < s.rank; i++)
        small.d[i] = one_in(t, 2) ? 1 : s.d[i];
    for (; small.rank > 0 && one_in(t, 3); small.rank--)
        memmove(small.d, small.d + 1, sizeof *small.d * (size_t)(small.rank - 1));
    item p = add_leaf(t, small, -2, 2, false);
    return add_item(t, p.x, p.bound, p.exact);
}

/* ---- Growing by one operator ---- */

static void grow_unary(growth *t)
{
    item p = pick(t);
    lt_node *x = p.x, *positive = lt_shift(t->smooth ? lt_square(x) : lt_abs(x), .5);
    double b = p.bound, room = t->smooth ? b * b + .5 : b + .5;
    lt_node *mild = b > 3 ? lt_scale(x, 3 / b) : x;
    switch (below(t, t->smooth ? 14 : 24)) {
    case 0: add_item(t, lt_neg(x), b, p.exact); break;
    case 1: add_item(t, lt_square(x), b * b, false); break;
    case 2: add_item(t, lt_sqrt(positive), sqrt(room), false); break;
    case 3: add_item(t, lt_rsqrt(positive), 2, false); break;
    case 4: add_item(t, lt_exp(mild), 21, false); break;
    case 5: add_item(t, lt_expm1(mild), 21, false); break;
    case 6: add_item(t, lt_log(positive), fmax(1, log(room)), false); break;
    case 7: add_item(t, lt_log1p(positive), log(1 + room), false); break;
    case 8: add_item(t, lt_erf(x), 1, false); break;
    case 9: add_item(t, lt_tanh(x), 1, false); break;
    case 10: add_item(t, lt_sigmoid(x), 1, false); break;
    case 11: add_item(t, lt_softplus(x), b + 1, false); break;
    case 12: add_item(t, lt_silu(x), b, false); break;
    case 13: add_item(t, lt_gelu(x), b, false); break;
    case 14: add_item(t, lt_relu(x), b, p.exact); break;
    case 15: add_item(t, lt_leaky_relu(x, .125), b, p.exact); break;
    case 16: add_item(t, lt_elu(x, 1), fmax(b, 1), false); break;
    case 17: add_item(t, lt_abs(x), b, p.exact); break;
    case 18: add_item(t, lt_clamp(x, -1, .5), 1, p.exact); break;
    case 19: add_item(t, lt_detach(x), b, p.exact); break;
    case 20: add_item(t, lt_scale(x, .5), b, p.exact); break;
    case 21: add_item(t, lt_shift(x, 1), b + 1, false); break;
    default:
        if (p.exact)
            add_item(t, one_in(t, 2) ? lt_step(x) : lt_sign(x), 1, true);
    }
}

static void grow_binary(growth *t)
{
    item p = pick(t), q = operand_for(t, lt_node_shape(p.x));
    if (one_in(t, 2)) {
        item swap = p;
        p = q;
        q = swap;
    }
    bool exact = p.exact && q.exact;
    double a = p.bound, b = q.bound;
    switch (below(t, t->smooth ? 5 : 9)) {
    case 0: add_item(t, lt_add(p.x, q.x), a + b, false); break;
    case 1: add_item(t, lt_sub(p.x, q.x), a + b, false); break;
    case 2:
    case 3: add_item(t, lt_mul(p.x, q.x), a * b, false); break;
    case 4: add_item(t, lt_div(p.x, lt_shift(lt_square(q.x), 1)), a, false); break;
    case 5: add_item(t, lt_min(p.x, q.x), fmax(a, b), exact); break;
    case 6: add_item(t, lt_max(p.x, q.x), fmax(a, b), exact); break;
    case 7:
        if (exact)
            add_item(t, lt_less(p.x, q.x), 1, true);
        break;
    default:
        if (exact)
            add_item(t, one_in(t, 2) ? lt_less_equal(p.x, q.x) : lt_equal(p.x, q.x), 1, true);
    }
}

static void grow_ternary(growth *t)
{
    item p = pick(t), q = operand_for(t, lt_node_shape(p.x));
    item r = operand_for(t, lt_node_shape(p.x));
    double b = fmax(p.bound, q.bound);
    if (r.exact && one_in(t, 2))
        add_item(t, lt_select(lt_step(r.x), p.x, q.x), b, false);
    else
        add_item(t, lt_lerp(p.x, q.x, lt_sigmoid(r.x)), b, false);
}

static void grow_reduction(growth *t)
{
    item p = pick(t);
    lt_shape s = lt_node_shape(p.x);
    unsigned axes = random_axes(t, s);
    double n = 1;
    for (int i = 0; i < s.rank; i++)
        n *= axes & LT_AXIS(i) ? (double)s.d[i] : 1;
    switch (below(t, t->smooth || n == 0 ? 3 : 5)) {
    case 0: add_item(t, lt_sum_keep(p.x, axes), p.bound * fmax(n, 1), false); break;
    case 1: add_item(t, lt_sum_over(p.x, axes), p.bound * fmax(n, 1), false); break;
    case 2:
        if (n > 0) /* centered and scaled, as in batch norm */
            add_item(t, lt_sub(p.x, lt_scale(lt_sum_keep(p.x, axes), 1 / n)), 2 * p.bound, false);
        break;
    case 3: add_item(t, lt_max_keep(p.x, axes), p.bound, p.exact); break;
    default: add_item(t, lt_log_sum_exp(p.x, axes), p.bound + log(n), false);
    }
}

static lt_node *random_slice(growth *t, lt_node *x)
{
    lt_shape s = lt_node_shape(x);
    if (s.rank == 0)
        return x;
    int axis = one_in(t, 2) ? 0 : below(t, s.rank), d = (int)s.d[axis];
    int start = below(t, d + 1), stop = start + below(t, d - start + 1);
    return lt_slice(x, axis, start, stop);
}

static void grow_concat(growth *t)
{
    item p = pick(t), q = pick(t);
    lt_shape s = lt_node_shape(p.x);
    if (s.rank == 0 || 3 * lt_shape_size(s) > t->limit)
        return;
    int axis = one_in(t, 2) ? 0 : below(t, s.rank), n = 2 + below(t, 2);
    if (size_of(q.x) != lt_shape_size(s))
        q = p;
    lt_node *parts[3] = {p.x, lt_reshape(q.x, s), one_in(t, 2) ? p.x : lt_neg(p.x)};
    if (one_in(t, 2))
        parts[1] = lt_slice(parts[1], axis, 0, s.d[axis] / 2);
    add_item(t, lt_concat(axis, n, parts), fmax(p.bound, q.bound), p.exact && q.exact);
}

static void grow_move(growth *t)
{
    item p = pick(t);
    lt_shape s = lt_node_shape(p.x);
    int axes[LT_MAX_RANK];
    switch (below(t, 6)) {
    case 0: add_item(t, lt_reshape(p.x, other_shape(t, s)), p.bound, p.exact); break;
    case 1:
        for (int i = 0; i < s.rank; i++) {
            int k = below(t, i + 1);
            axes[i] = axes[k];
            axes[k] = i;
        }
        add_item(t, lt_permute(p.x, axes), p.bound, p.exact);
        break;
    case 2: add_item(t, random_slice(t, p.x), p.bound, p.exact); break;
    case 3:
        if (s.rank > 0 && 3 * lt_shape_size(s) <= t->limit) {
            int before = below(t, 3), after = below(t, 3);
            add_item(t, lt_pad(p.x, below(t, s.rank), before, after), p.bound, p.exact);
        }
        break;
    case 4:
        for (int i = 0; i < s.rank; i++)
            if (s.d[i] == 1 && one_in(t, 2))
                s.d[i] = 1 + below(t, 6);
        if (lt_shape_size(s) <= t->limit)
            add_item(t, lt_expand(p.x, s), p.bound, p.exact);
        break;
    default: grow_concat(t);
    }
}

static lt_node *activate(growth *t, lt_node *x)
{
    switch (below(t, t->smooth ? 4 : 7)) {
    case 0: return lt_tanh(x);
    case 1: return lt_sigmoid(x);
    case 2: return lt_softplus(x);
    case 3: return x;
    case 4: return lt_relu(x);
    case 5: return lt_leaky_relu(x, .1);
    default: return lt_elu(x, .5);
    }
}

/* act(x w + b), with transposes, the bias on either side, sometimes the product read twice. */
static void grow_layer(growth *t)
{
    item p = pick(t);
    lt_node *x = p.x;
    if (lt_node_shape(x).rank == 0 || lt_node_shape(x).rank > 2)
        x = lt_flatten(x);
    if (lt_node_shape(x).rank == 1)
        x = lt_reshape(x, lt_shape_2d(1, size_of(x)));
    if (one_in(t, 3))
        x = lt_transpose(x);
    int64_t n = lt_node_shape(x).d[0], k = lt_node_shape(x).d[1], m = 1 + below(t, 40);
    if (one_in(t, 8))
        m += 400;
    if (k > 2100 || n * m > t->limit || n * m * k > 40000000)
        return;
    double size = 1 / sqrt((double)k + 1);
    bool transposed = one_in(t, 3);
    item w = add_leaf(t, transposed ? lt_shape_2d(m, k) : lt_shape_2d(k, m), -size, size, false);
    lt_node *y = lt_matmul(x, transposed ? lt_transpose(w.x) : w.x);
    if (one_in(t, 4))
        add_item(t, y, p.bound * sqrt((double)k + 1), false);
    if (!one_in(t, 3)) {
        item b = add_leaf(t, one_in(t, 2) ? lt_shape_1d(m) : lt_shape_2d(1, m), -1, 1, false);
        lt_node *bias = one_in(t, 4) ? lt_exp(b.x) : b.x;
        y = one_in(t, 2) ? lt_add(y, bias) : lt_add(bias, y);
    }
    add_item(t, activate(t, y), p.bound * sqrt((double)k + 1) + 3, false);
}

static void grow_noise(growth *t)
{
    lt_shape s = lt_node_shape(pick(t).x);
    if (one_in(t, 2))
        add_item(t, lt_normal(t->g, s), 6, false);
    else
        add_item(t, lt_uniform(t->g, s), 1, true);
}

static void grow_rows(growth *t)
{
    item p = pick(t);
    lt_shape s = lt_node_shape(p.x);
    int64_t rows = s.rank ? s.d[0] : 0, n = below(t, 9), row = rows ? lt_shape_size(s) / rows : 0;
    if (s.rank == 0 || row * 10 > t->limit || rows > 1000)
        return;
    if (one_in(t, 2)) {
        item index = add_leaf(t, lt_shape_1d(n), -1, (double)rows + 1, true);
        add_item(t, lt_gather_rows(p.x, index.x), p.bound, p.exact);
    } else {
        item index = add_leaf(t, lt_shape_1d(rows), -1, (double)n + 2, true);
        add_item(t, lt_scatter_rows(p.x, index.x, n + 1), p.bound * fmax((double)rows, 1), false);
    }
}

static void grow(growth *t)
{
    switch (below(t, 16)) {
    case 0: case 1: case 2: case 3: grow_unary(t); break;
    case 4: case 5: case 6: case 7: grow_binary(t); break;
    case 8: grow_ternary(t); break;
    case 9: case 10: grow_reduction(t); break;
    case 11: case 12: grow_move(t); break;
    case 13: grow_layer(t); break;
    case 14: if (one_in(t, 2)) grow_rows(t); break;
    default: if (one_in(t, 2)) grow_noise(t);
    }
}

/* ---- Assigns and targets ---- */

static void add_target(growth *t, lt_node *x)
{
    if (t->n_targets < MAX_TARGETS)
        t->targets[t->n_targets++] = x;
}

/* What is fed to a variable and assigned to it has the same bound. */
static void assign(growth *t, leaf *v, item value)
{
    if (v->assigned)
        return;
    lt_shape s = lt_node_shape(v->x);
    double most = fmax(fabs(v->lo), fabs(v->hi));
    lt_node *x = size_of(value.x) == lt_shape_size(s) ? lt_reshape(value.x, s)
                                                      : lt_broadcast(value.x, s);
    v->assigned = true;
    add_target(t, lt_assign(v->x, value.bound > most ? lt_scale(x, most / value.bound) : x));
}

/* Two variables of one shape that take each other's value, maybe through a third. */
static void rotate(growth *t, lt_shape s)
{
    int first = t->n_leaves, n = 2 + below(t, 2);
    for (int i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "rotated%d", i);
        t->leaves[t->n_leaves++] = (leaf){lt_variable(t->g, name, s), -2, 2, false, true, false};
        if (one_in(t, 2))
            add_item(t, t->leaves[first + i].x, 2, false);
    }
    for (int i = 0; i < n; i++)
        assign(t, &t->leaves[first + i], (item){t->leaves[first + (i + 1) % n].x, 2, false});
}

static void add_assigns(growth *t)
{
    if (one_in(t, 4))
        rotate(t, lt_node_shape(pick(t).x));
    for (int i = 0, n = t->n_leaves; i < n; i++) {
        leaf *v = &t->leaves[i];
        if (!v->variable || one_in(t, 3))
            continue;
        item value = operand_for(t, lt_node_shape(v->x));
        if (one_in(t, 3)) /* a moving average */
            value = (item){lt_add(lt_scale(v->x, .75), lt_scale(value.x, .25)),
                           fmax(fmax(fabs(v->lo), fabs(v->hi)), value.bound), false};
        if (one_in(t, 4))
            add_target(t, value.x);
        assign(t, &t->leaves[i], value);
    }
}

static void choose_targets(growth *t)
{
    add_target(t, t->items[t->n - 1].x);
    for (int i = below(t, 5); i > 0; i--)
        add_target(t, pick(t).x);
}

/* Gradients of a scalar of the graph, and now and then of a gradient. */
static void choose_gradients(growth *t)
{
    lt_node *y = lt_scalar(t->g, 0), *x[4], *dx[4];
    for (int i = 0; i < 3; i++)
        y = lt_add(y, lt_mean(lt_tanh(pick(t).x)));
    int n = 1 + below(t, 4);
    for (int i = 0; i < n; i++)
        x[i] = one_in(t, 4) ? pick(t).x : t->leaves[below(t, t->n_leaves)].x;
    lt_grads(y, n, x, dx);
    if (one_in(t, 4)) {
        y = lt_scalar(t->g, 0);
        for (int i = 0; i < n; i++)
            y = lt_add(y, lt_sum(lt_square(dx[i])));
        lt_grads(y, n, x, dx);
    }
    add_target(t, y);
    for (int i = 0; i < n; i++)
        add_target(t, dx[i]);
}

static growth *grow_graph(uint64_t seed)
{
    growth *t = must_alloc(sizeof *t);
    t->seed = seed;
    t->d = draws_from(seed);
    t->g = lt_graph_create();
    bool gradients = seed % 4 == 3;
    t->smooth = gradients;
    static const int64_t limits[] = {12, 40, 150, 700, 700, 3000};
    t->limit = seed % 50 == 0 ? 200000 : seed % 10 == 0 ? 30000 : limits[below(t, 6)];
    int size = 3 + below(t, t->limit > 3000 ? 12 : 40);
    for (int i = 0; i < 2; i++) {
        item p = add_leaf(t, random_shape(t), -2, 2, false);
        add_item(t, p.x, p.bound, p.exact);
    }
    for (int i = 0; i < 4 * size && t->n < size && t->n_leaves < MAX_LEAVES / 2; i++)
        grow(t);
    if (gradients)
        choose_gradients(t);
    else
        choose_targets(t);
    if (!one_in(t, 3))
        add_assigns(t);
    if (lt_graph_error(t->g))
        fail_msg("seed %ju: %s", (uintmax_t)seed, lt_graph_error(t->g));
    return t;
}

static void free_growth(growth *t)
{
    lt_graph_free(t->g);
    free(t);
}

/* ---- Running ---- */

static bool is_kept(lt_session *s, lt_executor e, const lt_node *x)
{
    return e == LT_CPU ? lt_session_floats(s, x) != NULL : lt_session_doubles(s, x) != NULL;
}

static void feed_leaves(const growth *t, lt_session *s, lt_executor e)
{
    draws d = draws_from(t->seed + 1000000);
    for (int i = 0; i < t->n_leaves; i++) {
        const leaf *l = &t->leaves[i];
        int64_t n = size_of(l->x);
        double *values = must_alloc(sizeof *values * (size_t)n);
        for (int64_t k = 0; k < n; k++) {
            double v = draw(&d, l->lo, l->hi);
            values[k] = l->whole ? floor(v) : v;
        }
        if (is_kept(s, e, l->x))
            feed(s, e, l->x, values);
        free(values);
    }
}

/* The values of all targets and assigned variables after one run. */
typedef struct results {
    double *values[MAX_TARGETS + MAX_LEAVES];
    const lt_node *nodes[MAX_TARGETS + MAX_LEAVES];
    int n;
} results;

static results fetch_results(const growth *t, lt_session *s, lt_executor e)
{
    results r = {.n = 0};
    for (int i = 0; i < t->n_targets; i++)
        r.nodes[r.n++] = t->targets[i];
    for (int i = 0; i < t->n_leaves; i++)
        if (t->leaves[i].assigned)
            r.nodes[r.n++] = t->leaves[i].x;
    for (int i = 0; i < r.n; i++)
        r.values[i] = fetch(s, e, r.nodes[i]);
    return r;
}

static void free_results(results *r)
{
    for (int i = 0; i < r->n; i++)
        free(r->values[i]);
}

static void run_all(const growth *t, const lt_program *p, lt_session_options o, int runs,
                    results *out)
{
    lt_session *s = must_create(p, &o);
    feed_leaves(t, s, o.executor);
    for (int i = 0; i < runs; i++) {
        must_run(s, &(lt_run_key){.seed = t->seed, .step = (uint64_t)i});
        out[i] = fetch_results(t, s, o.executor);
    }
    lt_session_free(s);
}

static void report(const growth *t, const lt_program *p, const char *what, int run, int result,
                   int64_t at, double want, double found)
{
    char *dump = lt_program_dump(p);
    fprintf(stderr, "%s", dump); /* print_error would cut it */
    free(dump);
    const lt_node *x = result < t->n_targets ? t->targets[result] : NULL;
    fail_msg("seed %ju, %s, run %d: result %d (%s %%%d as written), element %jd: expected %.9g, "
             "found %.9g",
             (uintmax_t)t->seed, what, run, result, x ? x->op->name : "variable", x ? x->id : -1,
             (intmax_t)at, want, found);
}

/* Rounding errors grow through a few dozen operators that each stretch by a small factor. */
static void check_close(const growth *t, const lt_program *p, const results *found,
                        const results *want, int run)
{
    for (int i = 0; i < want->n; i++) {
        int64_t n = size_of(want->nodes[i]);
        double most = largest(want->values[i], n), atol = 1e-3 * most + (t->smooth ? 1e-6 : 1e-5);
        int64_t at = find_difference(found->values[i], want->values[i], n, 0, atol);
        if (at >= 0)
            report(t, p, "against the reference", run, i, at, want->values[i][at],
                   found->values[i][at]);
    }
}

static void check_same(const growth *t, const lt_program *p, const char *what, const results *found,
                       const results *want, int run)
{
    for (int i = 0; i < want->n; i++) {
        int64_t n = size_of(want->nodes[i]);
        int64_t at = find_difference(found->values[i], want->values[i], n, 0, 0);
        if (at >= 0)
            report(t, p, what, run, i, at, want->values[i][at], found->values[i][at]);
    }
}

static void check_configuration(growth *t, const lt_program *p, int threads, bool own,
                                const results *want)
{
    char what[64];
    results found[RUNS];
    snprintf(what, sizeof what, "%d threads%s", threads, own ? ", own places" : "");
    run_all(t, p, (lt_session_options){.threads = threads, .no_memory_reuse = own}, RUNS, found);
    for (int i = 0; i < RUNS; i++) {
        check_same(t, p, what, &found[i], &want[i], i);
        free_results(&found[i]);
    }
}

static void check_graph(uint64_t seed, bool every)
{
    growth *t = grow_graph(seed);
    lt_program *p = must_compile(t->g, t->targets, t->n_targets);
    lt_program_info info = lt_program_describe(p);
    assert_true(info.bytes <= info.bytes_unplanned);
    results cpu[RUNS], reference[RUNS];
    int compared = t->limit > 3000 ? 1 : RUNS; /* the reference is slow */
    run_all(t, p, (lt_session_options){.threads = 1}, RUNS, cpu);
    run_all(t, p, (lt_session_options){.executor = LT_REFERENCE}, compared, reference);
    for (int i = 0; i < compared; i++) {
        check_close(t, p, &cpu[i], &reference[i], i);
        free_results(&reference[i]);
    }
    static const int threads[] = {1, 2, 3, 4, 8};
    bool large = t->limit > 3000;
    for (int i = 0; i < COUNT_OF(threads); i++)
        for (int own = 0; own < 2; own++)
            if (every || (large ? below(t, 2) : below(t, 6)) == 0)
                check_configuration(t, p, threads[i], own, cpu);
    for (int i = 0; i < RUNS; i++)
        free_results(&cpu[i]);
    lt_program_free(p);
    free_growth(t);
}

/* ---- The tests ---- */

#ifdef __SANITIZE_ADDRESS__
enum { GRAPHS = 600 }; /* they take five times as long */
#else
enum { GRAPHS = 3000 };
#endif

static uint64_t first_seed, n_seeds = GRAPHS;
static bool every_configuration;

static void random_graphs_agree(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed; seed < first_seed + n_seeds; seed++)
        check_graph(seed, every_configuration);
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        first_seed = strtoull(argv[1], NULL, 10);
        n_seeds = strtoull(argv[2], NULL, 10);
        every_configuration = true;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_graphs_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
