/* SPDX-License-Identifier: MIT */
/* Data known by their content. */
#ifndef LATENT_IDENTITY_H
#define LATENT_IDENTITY_H

#include <latent/data.h>

/* Room for an identity. */
enum { IDENTITY_TEXT = 96 };

/* What is in a split, whatever it is called: "200 " and a SHA-256 of its 200 images and their labels, ""
   without images. Equal identities are equal images in the same order, as `resize` and `channels` have made
   them, and the whole split, before `validation`, `classes` and `limit`. */
void dataset_identity(const lt_dataset *d, lt_split split, char identity[IDENTITY_TEXT]);

#endif
