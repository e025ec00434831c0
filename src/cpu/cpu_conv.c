/* SPDX-License-Identifier: MIT */
/* Convolutions on the CPU: cpu/conv.h. */
#include "cpu/conv.h"
#include "cpu/kernel.h"

/* A kernel with a packed form reads only packed weights, which compile inserts. */
static void *conv_plan(const lt_node *y, int threads)
{
    conv_spec s = conv_spec_of(y);
    s.threads = threads;
    if (s.pass != CONV_DW && !((const conv_attr *)y->attr)->is_packed) {
        int64_t size = conv_packed_size(&s);
        LT_ASSERT(size <= 0);
        if (size < 0)
            return NULL;
    }
    return conv_create(&s);
}

static void conv_release(void *kernel) { conv_free(kernel); }

static void conv_eval(const cpu_call *c)
{
    bool has_bias = ((const conv_attr *)c->y->attr)->has_bias;
    conv_run(c->kernel, c->in[0], c->in[1], has_bias ? c->in[2] : NULL, c->out, c->threads);
}

static void *pack_plan(const lt_node *y, int threads)
{
    conv_spec s = conv_spec_of_pack(y);
    s.threads = threads;
    return conv_create(&s);
}

static void pack_eval(const cpu_call *c) { conv_pack(c->kernel, c->in[0], c->out, c->threads); }

/* ---- Records ---- */

#define CONV(NAME)                                                                                           \
    const cpu_kernel cpu_kernel_##NAME = {                                                                   \
        .op = &lt_op_##NAME, .plan = conv_plan, .release = conv_release, .run = conv_eval}
CONV(conv2d);
CONV(conv2d_dx);
CONV(conv2d_dw);

const cpu_kernel cpu_kernel_conv2d_pack = {
    .op = &lt_op_conv2d_pack, .plan = pack_plan, .release = conv_release, .run = pack_eval};
