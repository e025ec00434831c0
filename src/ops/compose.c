/* SPDX-License-Identifier: MIT */
/* Elementwise functions that are compositions of operators: their gradients follow. */
#include "ops/eltwise.h"

#include <latent/ops.h>

#include <math.h>

static lt_node *scalar_like(lt_node *x, double a)
{
    return node_is_bad(x) ? x : lt_scalar(x->graph, a);
}

lt_node *lt_scale(lt_node *x, double a) { return lt_mul(x, scalar_like(x, a)); }

lt_node *lt_shift(lt_node *x, double a) { return lt_add(x, scalar_like(x, a)); }

lt_node *lt_clamp(lt_node *x, double lo, double hi)
{
    return lt_min(lt_max(x, scalar_like(x, lo)), scalar_like(x, hi));
}

lt_node *lt_leaky_relu(lt_node *x, double slope)
{
    if (!(slope >= 0) && !node_is_bad(x)) /* the gradient uses the sign of y */
        return lt_graph_fail(x->graph, "leaky_relu: slope must be at least 0, found %g", slope);
    return lt_leaky_by(x, scalar_like(x, slope));
}

lt_node *lt_elu(lt_node *x, double alpha)
{
    if (!(alpha > 0) && !node_is_bad(x))
        return lt_graph_fail(x->graph, "elu: alpha must be above 0, found %g", alpha);
    return lt_elu_by(x, scalar_like(x, alpha));
}

/* Hendrycks and Gimpel, 2016. */
lt_node *lt_gelu(lt_node *x)
{
    return lt_mul(lt_scale(x, .5), lt_shift(lt_erf(lt_scale(x, M_SQRT1_2)), 1));
}

lt_node *lt_silu(lt_node *x) { return lt_mul(x, lt_sigmoid(x)); }
