/* SPDX-License-Identifier: MIT */
/* Constants of densities. */
#ifndef LATENT_CONSTANTS_H
#define LATENT_CONSTANTS_H

#define LOG_2_PI 1.83787706640934548356 /* log(2 pi) */

#endif
