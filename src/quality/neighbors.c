/* SPDX-License-Identifier: MIT */
/* A tile compares ROWS points of one panel with another panel: sums of squared differences stay in vector
   registers. Uses the difference itself, not |a|^2 + |b|^2 - 2 a b, which is all rounding for near points. */
#include "quality/neighbors.h"

#include "base/clones.h"
#include "base/memory.h"
#include "base/threads.h"

#include <string.h>

enum { ROWS = 8, PART = 256 }; /* points in a tile; numbers of each at a time */

typedef float lanes __attribute__((vector_size(sizeof(float) * POINT_LANES)));

static int64_t panel_count(const points *p) { return (p->n + POINT_LANES - 1) / POINT_LANES; }

int points_init(points *p, int n, int d)
{
    *p = (points){.n = n, .d = d};
    size_t size = (size_t)panel_count(p) * POINT_LANES, bytes;
    if (!size_mul(size, (size_t)d * sizeof *p->panels, &bytes))
        return LT_NO_MEMORY;
    p->panels = tensor_alloc(bytes, "points");
    return p->panels ? LT_OK : LT_NO_MEMORY;
}

void points_clear(points *p)
{
    tensor_free(p->panels);
    *p = (points){0};
}

/* The address of the first number of point i; the numbers of a point are POINT_LANES floats apart. */
static float *point_at(const points *p, int i)
{
    int64_t panel = i / POINT_LANES;
    return p->panels + panel * POINT_LANES * p->d + i % POINT_LANES;
}

/* Number of points in the panel that begins with point `first`. */
static int points_left(const points *p, int first)
{
    return p->n - first < POINT_LANES ? p->n - first : POINT_LANES;
}

void points_set(points *p, int first, int n, const float *x)
{
    for (int i = 0; i < n; i++) {
        float *to = point_at(p, first + i);
        for (int k = 0; k < p->d; k++)
            to[(int64_t)k * POINT_LANES] = x[(int64_t)i * p->d + k];
    }
}

void points_get(const points *p, int i, float *x)
{
    const float *from = point_at(p, i);
    for (int k = 0; k < p->d; k++)
        x[k] = from[(int64_t)k * POINT_LANES];
}

/* Adds to y[r][j] the squared distance of the point at row + r from point j of the panel, over numbers first ...
   last - 1. */
LT_CLONES
static void add_tile(int64_t first, int64_t last, const float *row, const float *panel, float *y)
{
    lanes sum[ROWS], b, u;
    memcpy(sum, y, sizeof sum);
    for (int64_t k = first * POINT_LANES; k < last * POINT_LANES; k += POINT_LANES) {
        memcpy(&b, panel + k, sizeof b);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++) {
            u = row[k + r] - b;
            sum[r] += u * u;
        }
    }
    memcpy(y, sum, sizeof sum);
}

/* Inserts a distance below the k-th into the k nearest of point i. */
static void keep_near(const neighbor_query *q, int i, float distance, int place)
{
    float *nearest = q->nearest + (int64_t)i * q->k;
    int *places = q->place ? q->place + (int64_t)i * q->k : NULL, at = q->k - 1;
    for (; at > 0 && nearest[at - 1] > distance; at--) {
        nearest[at] = nearest[at - 1];
        if (places)
            places[at] = places[at - 1];
    }
    nearest[at] = distance;
    if (places)
        places[at] = place;
}

/* Processes the distances y of point i from points first ... first + n - 1 of `among`. */
static void take_row(const neighbor_query *q, int i, int first, int n, const float *y)
{
    const float *nearest = q->nearest + (int64_t)i * q->k;
    int self = q->self ? q->self[i] - q->base - first : -1, inside = 0;
    for (int j = 0; j < n; j++) {
        if (j == self)
            continue;
        if (y[j] < nearest[q->k - 1])
            keep_near(q, i, y[j], q->base + first + j);
        inside += q->radius && y[j] <= q->radius[first + j];
    }
    if (q->inside)
        q->inside[i] += inside;
}

/* Distances between two panels, a part of the numbers of each point at a time: both parts stay in L1 until all pairs
   are done. */
static void find_square(int d, const float *from, const float *among, float *y)
{
    memset(y, 0, sizeof *y * POINT_LANES * POINT_LANES);
    for (int first = 0; first < d; first += PART) {
        int last = first + PART < d ? first + PART : d;
        for (int row = 0; row < POINT_LANES; row += ROWS)
            add_tile(first, last, from + row, among, y + row * POINT_LANES);
    }
}

typedef struct search_call {
    const neighbor_query *q;
} search_call;

static void search_panel(void *context, int64_t piece, int worker)
{
    (void)worker;
    const neighbor_query *q = ((const search_call *)context)->q;
    float y[POINT_LANES * POINT_LANES];
    int row = (int)piece * POINT_LANES, rows = points_left(q->from, row);
    for (int column = 0; column < q->among->n; column += POINT_LANES) {
        find_square(q->from->d, point_at(q->from, row), point_at(q->among, column), y);
        for (int r = 0; r < rows; r++)
            take_row(q, row + r, column, points_left(q->among, column), y + r * POINT_LANES);
    }
}

void neighbors_search(const neighbor_query *q, int threads)
{
    threads_run(threads, panel_count(q->from), search_panel, &(search_call){q});
}
