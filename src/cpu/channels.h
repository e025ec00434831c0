/* SPDX-License-Identifier: MIT */
#ifndef LATENT_CHANNELS_H
#define LATENT_CHANNELS_H

/* A loop over channels, BODY(c), once more for each number of them that is usual: known to the
   compiler, it becomes a vector's permutation. */
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
