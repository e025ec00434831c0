/* SPDX-License-Identifier: MIT */
/* Attributes and keys of random operators. */
#ifndef LATENT_RANDOM_H
#define LATENT_RANDOM_H

#include "base/philox.h"
#include "ops/attributes.h"

static inline philox_key random_key(const lt_node *y, const lt_run_key *key)
{
    return (philox_key){key->seed, ((const random_attr *)y->attr)->stream, key->step};
}

#endif
