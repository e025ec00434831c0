/* SPDX-License-Identifier: MIT */
/* Identifies data by their content. */
#ifndef LATENT_IDENTITY_H
#define LATENT_IDENTITY_H

#include <latent/data.h>

/* Bytes of an identity with its final zero. */
enum { IDENTITY_TEXT = 96 };

/* Writes the identity of a split: "200 " and a SHA-256 of its 200 images and their labels; "" without images. It
   covers the whole split after `resize` and `channels` and before `validation`, `classes` and `limit`: equal
   identities mean equal images in the same order. */
void dataset_identity(const lt_dataset *d, lt_split split, char identity[IDENTITY_TEXT]);

#endif
