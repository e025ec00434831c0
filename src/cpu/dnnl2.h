/* SPDX-License-Identifier: MIT */
/* The part of oneDNN 3's interface that onednn.c uses, implemented with oneDNN 2: for Debian 12 (2.6) and Ubuntu
   22.04 (2.2). Included by onednn.c alone, after dnnl.h. Delete this file when oneDNN 2 is no longer in use. Two
   differences cause most of it: memory descriptors were structs and are opaque now; an operation was described first
   (dnnl_..._desc_init), and is an argument of its primitive descriptor now. */
#ifndef LATENT_DNNL2_H
#define LATENT_DNNL2_H

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- Memory descriptors: the struct on the heap ---- */

typedef dnnl_memory_desc_t *dnnl2_memory_desc;
typedef const dnnl_memory_desc_t *const_dnnl_memory_desc_t;

static inline dnnl_status_t dnnl_memory_desc_destroy(dnnl2_memory_desc d)
{
    free(d);
    return dnnl_success;
}

static inline dnnl_status_t dnnl2_made(dnnl2_memory_desc *d, dnnl_status_t status)
{
    if (status != dnnl_success) {
        free(*d);
        *d = NULL;
    }
    return status;
}

static inline dnnl_status_t dnnl_memory_desc_create_with_strides(dnnl2_memory_desc *d, int n,
                                                                 const dnnl_dims_t dims,
                                                                 dnnl_data_type_t type,
                                                                 const dnnl_dims_t strides)
{
    *d = must_alloc(sizeof **d);
    return dnnl2_made(d, dnnl_memory_desc_init_by_strides(*d, n, dims, type, strides));
}

static inline dnnl_status_t dnnl_memory_desc_create_with_tag(dnnl2_memory_desc *d, int n,
                                                             const dnnl_dims_t dims,
                                                             dnnl_data_type_t type,
                                                             dnnl_format_tag_t tag)
{
    *d = must_alloc(sizeof **d);
    return dnnl2_made(d, dnnl_memory_desc_init_by_tag(*d, n, dims, type, tag));
}

static inline dnnl_status_t dnnl_memory_desc_clone(dnnl2_memory_desc *d, const_dnnl_memory_desc_t from)
{
    *d = must_alloc(sizeof **d);
    memcpy(*d, from, sizeof **d);
    return dnnl_success;
}

/* ---- Attributes ---- */

static inline dnnl_status_t dnnl2_append_sum(dnnl_post_ops_t post, float scale)
{
    return dnnl_post_ops_append_sum(post, scale);
}

static inline dnnl_status_t dnnl2_append_eltwise(dnnl_post_ops_t post, dnnl_alg_kind_t kind,
                                                 float alpha, float beta)
{
    return dnnl_post_ops_append_eltwise(post, 1, kind, alpha, beta);
}

/* Before 2.4 there was only strict mode. */
#if DNNL_VERSION_MINOR < 4
#define dnnl_primitive_attr_set_fpmath_mode(attr, mode) ((void)(attr), dnnl_success)
#endif

/* ---- Descriptors of primitives ---- */

static inline dnnl_status_t
dnnl_matmul_primitive_desc_create(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                  const_dnnl_memory_desc_t a, const_dnnl_memory_desc_t b,
                                  const_dnnl_memory_desc_t bias, const_dnnl_memory_desc_t y,
                                  const_dnnl_primitive_attr_t attr)
{
    dnnl_matmul_desc_t op;
    dnnl_status_t status = dnnl_matmul_desc_init(&op, a, b, bias, y);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &op, attr, engine, NULL) : status;
}

static inline dnnl_status_t dnnl_convolution_forward_primitive_desc_create(
    dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_prop_kind_t kind, dnnl_alg_kind_t algorithm,
    const_dnnl_memory_desc_t x, const_dnnl_memory_desc_t w, const_dnnl_memory_desc_t bias,
    const_dnnl_memory_desc_t y, const dnnl_dims_t strides, const dnnl_dims_t dilates,
    const dnnl_dims_t left, const dnnl_dims_t right, const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t op;
    dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
        &op, kind, algorithm, x, w, bias, y, strides, dilates, left, right);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &op, attr, engine, NULL) : status;
}

static inline dnnl_status_t dnnl_convolution_backward_data_primitive_desc_create(
    dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const_dnnl_memory_desc_t x, const_dnnl_memory_desc_t w, const_dnnl_memory_desc_t y,
    const dnnl_dims_t strides, const dnnl_dims_t dilates, const dnnl_dims_t left,
    const dnnl_dims_t right, const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t op;
    dnnl_status_t status = dnnl_dilated_convolution_backward_data_desc_init(
        &op, algorithm, x, w, y, strides, dilates, left, right);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &op, attr, engine, hint) : status;
}

static inline dnnl_status_t dnnl_convolution_backward_weights_primitive_desc_create(
    dnnl_primitive_desc_t *pd, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const_dnnl_memory_desc_t x, const_dnnl_memory_desc_t w, const_dnnl_memory_desc_t bias,
    const_dnnl_memory_desc_t y, const dnnl_dims_t strides, const dnnl_dims_t dilates,
    const dnnl_dims_t left, const dnnl_dims_t right, const_dnnl_primitive_desc_t hint,
    const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t op;
    dnnl_status_t status = dnnl_dilated_convolution_backward_weights_desc_init(
        &op, algorithm, x, w, bias, y, strides, dilates, left, right);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &op, attr, engine, hint) : status;
}

/* The next implementation: 3 changes the descriptor, 2 had iterators that make another one. Of a
   convolution without a hint; implementations of the same name count as one. */
static inline dnnl_status_t dnnl2_next_impl(dnnl_primitive_desc_t *pd)
{
    const dnnl_convolution_desc_t *op = NULL;
    const_dnnl_primitive_attr_t attr = NULL;
    dnnl_engine_t engine = NULL;
    const char *name = "", *other = "";
    dnnl_primitive_desc_query(*pd, dnnl_query_convolution_d, 0, &op);
    dnnl_primitive_desc_query(*pd, dnnl_query_engine, 0, &engine);
    dnnl_primitive_desc_query(*pd, dnnl_query_impl_info_str, 0, &name);
    dnnl_primitive_desc_get_attr(*pd, &attr);
    dnnl_primitive_desc_iterator_t at;
    dnnl_status_t status = dnnl_primitive_desc_iterator_create(&at, op, attr, engine, NULL);
    if (status != dnnl_success)
        return status;
    bool is_past = false;
    while (status == dnnl_success) {
        dnnl_primitive_desc_t next = dnnl_primitive_desc_iterator_fetch(at);
        dnnl_primitive_desc_query(next, dnnl_query_impl_info_str, 0, &other);
        bool is_same = strcmp(name, other) == 0;
        if (is_past && !is_same) {
            dnnl_primitive_desc_destroy(*pd);
            *pd = next;
            break;
        }
        is_past |= is_same;
        dnnl_primitive_desc_destroy(next);
        status = dnnl_primitive_desc_iterator_next(at);
    }
    dnnl_primitive_desc_iterator_destroy(at);
    return status;
}

/* ---- From here on, names have their meaning in oneDNN 3 ---- */

#define dnnl_memory_desc_t dnnl2_memory_desc
#define dnnl_post_ops_append_sum(post, scale, zero_point, type) dnnl2_append_sum(post, scale)
#define dnnl_post_ops_append_eltwise(post, kind, alpha, beta)                                       \
    dnnl2_append_eltwise(post, kind, alpha, beta)
#define dnnl_primitive_desc_next_impl(pd) dnnl2_next_impl(&(pd))

#endif
