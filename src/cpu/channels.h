/* SPDX-License-Identifier: MIT */
#ifndef LATENT_CHANNELS_H
#define LATENT_CHANNELS_H

/* A loop over channels, BODY(c), specialized for common numbers of channels: a constant count compiles to vector
   permutations. */
#define FOR_CHANNELS(c, BODY)                                                                      \
    switch (c) {                                                                                   \
    case 1:                                                                                        \
        BODY(1);                                                                                   \
        break;                                                                                     \
    case 2:                                                                                        \
        BODY(2);                                                                                   \
        break;                                                                                     \
    case 4:                                                                                        \
        BODY(4);                                                                                   \
        break;                                                                                     \
    case 8:                                                                                        \
        BODY(8);                                                                                   \
        break;                                                                                     \
    default:                                                                                       \
        BODY(c);                                                                                   \
    }

#endif
