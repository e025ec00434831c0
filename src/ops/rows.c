/* SPDX-License-Identifier: MIT */
/* Gathering rows by index, and its transpose. Indices are floats that hold whole numbers (fractions are truncated).
   One outside the table reads zeros and writes nothing, so that no input can reach other memory. */
#include "ops/rows.h"

#include "ops/eltwise.h"

#include <latent/ops.h>

#include <stdlib.h>

enum { MAX_INDEX = 1 << 24 }; /* floats hold whole numbers up to there */

static const char *rows_shape(const lt_node *y, int64_t rows, lt_shape *s)
{
    *s = y->in[0]->shape;
    if (s->rank < 1 || y->in[1]->shape.rank != 1)
        return "expected rows and a vector of indices";
    s->d[0] = rows;
    return NULL;
}

/* ---- gather ---- */

static const char *gather_shape(const lt_node *y, lt_shape *s)
{
    return rows_shape(y, y->in[1]->shape.d[0], s);
}

static void gather_reference(const lt_reference_call *c)
{
    int64_t n = c->y->shape.d[0], rows = c->y->in[0]->shape.d[0], size = row_size(c->y);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < size; k++) {
            double at = c->in[1][i];
            c->out[i * size + k] = is_inside(at, rows) ? c->in[0][(int64_t)at * size + k] : 0;
        }
}

static void gather_grad(lt_vjp *r)
{
    r->d[0] = lt_scatter_rows(r->g, r->in[1], r->in[0]->shape.d[0]);
}

const lt_op lt_op_gather_rows = {
    .name = "gather_rows", .n_in = 2, .shape = gather_shape,
    .reference = gather_reference, .grad = gather_grad,
    .cases = (const lt_op_case[]){
        {"matrix", .in = {{2, {5, 3}}, {1, {7}}}, .index_input = 2, .index_rows = 5},
        {"vector", .in = {{1, {5}}, {1, {2}}}, .index_input = 2, .index_rows = 5},
        {"one", .in = {{2, {1, 3}}, {1, {1}}}, .index_input = 2, .index_rows = 1},
        {"nothing", .in = {{2, {5, 3}}, {1, {0}}}, .index_input = 2, .index_rows = 5},
        {0}}};

lt_node *lt_gather_rows(lt_node *x, lt_node *index)
{
    return node_make2(&lt_op_gather_rows, NULL, x, index);
}

/* ---- scatter ---- */

static const char *scatter_shape(const lt_node *y, lt_shape *s)
{
    const char *reason = rows_shape(y, ((const scatter_attr *)y->attr)->rows, s);
    if (!reason && y->in[0]->shape.d[0] != y->in[1]->shape.d[0])
        reason = "expected one index per row";
    return reason;
}

static void scatter_reference(const lt_reference_call *c)
{
    int64_t n = c->y->in[0]->shape.d[0], rows = c->y->shape.d[0], size = row_size(c->y);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t k = 0; k < size; k++) {
            double sum = 0;
            for (int64_t i = 0; i < n; i++)
                sum += is_inside(c->in[1][i], rows) && (int64_t)c->in[1][i] == row
                           ? c->in[0][i * size + k]
                           : 0;
            c->out[row * size + k] = sum;
        }
}

static void scatter_grad(lt_vjp *r) { r->d[0] = lt_gather_rows(r->g, r->in[1]); }

const lt_op lt_op_scatter_rows = {
    .name = "scatter_rows", .n_in = 2, .attr_size = sizeof(scatter_attr), .shape = scatter_shape,
    .reference = scatter_reference, .grad = scatter_grad,
    .cases = (const lt_op_case[]){
        {"matrix", .in = {{2, {7, 3}}, {1, {7}}}, .attr = &(scatter_attr){5}, .index_input = 2,
         .index_rows = 5},
        {"one", .in = {{2, {1, 3}}, {1, {1}}}, .attr = &(scatter_attr){1}, .index_input = 2,
         .index_rows = 1},
        {"nothing", .in = {{2, {0, 3}}, {1, {0}}}, .attr = &(scatter_attr){5}, .index_input = 2,
         .index_rows = 5},
        {0}}};

lt_node *lt_scatter_rows(lt_node *x, lt_node *index, int64_t rows)
{
    return node_make2(&lt_op_scatter_rows, &(scatter_attr){rows}, x, index);
}

lt_node *lt_one_hot(lt_node *index, int64_t classes)
{
    if (node_is_bad(index))
        return index;
    if (index->shape.rank != 1)
        return lt_graph_fail(index->graph, "one_hot: expected a vector, found rank %d",
                             index->shape.rank);
    if (classes < 1 || classes > MAX_INDEX)
        return lt_graph_fail(index->graph, "one_hot: expected 1 to %d classes, found %jd", MAX_INDEX,
                             (intmax_t)classes);
    double *count = must_alloc(sizeof *count * (size_t)classes);
    for (int64_t i = 0; i < classes; i++)
        count[i] = (double)i;
    lt_node *numbers = lt_constant(index->graph, lt_shape_2d(1, classes), count);
    free(count);
    return lt_equal(lt_reshape(index, lt_shape_2d(index->shape.d[0], 1)), numbers);
}
