/* SPDX-License-Identifier: MIT */
/* latent.h: everything. A tour of the library, from the simple end.
 *
 * train.h, eval.h   whole experiments: train a recipe, score it, sample, reconstruct, encode
 * data.h, plot.h    sets of images in; grids of images out
 * model.h           recipes, and the models they describe
 * nn.h              parameters, layers, distributions: for models of your own
 * graph.h, ops.h    tensors as nodes of a graph; gradients as more graph; compiling and running it
 * base.h            status codes, messages, hooks
 *
 * Functions that can fail for reasons outside the program give an lt_status (LT_OK is 0) or NULL,
 * and lt_last_error() says what went wrong. Building a graph never fails half way; see graph.h.
 * Whatever a function with `create` or `open` in its name gave is freed by the one with `free`. The
 * library never prints, never exits, and depends on no locale, clock or hidden random state.
 *
 * A complete program (examples/tour.c):
 *
 *     #include <latent/latent.h>
 *     #include <stdio.h>
 *
 *     int main(void)
 *     {
 *         lt_recipe *recipe = lt_recipe_open("fashion-mlp-vae", NULL, 0);
 *         lt_dataset *data = NULL;
 *         lt_recipe_open_data(recipe, NULL, &data);
 *         lt_model *model = lt_model_create(recipe, (lt_image_size){28, 28, 1});
 *         lt_trainer *trainer = lt_trainer_create(model, data, NULL);
 *         lt_train_report r;
 *         while (lt_trainer_epoch(trainer, NULL, NULL, &r) == LT_OK && r.epoch < 3)
 *             printf("epoch %d: %.2f nats\n", (int)r.epoch, r.loss);
 *         ...
 *     }
 */
#ifndef LATENT_LATENT_H
#define LATENT_LATENT_H

#include <latent/base.h>
#include <latent/data.h>
#include <latent/eval.h>
#include <latent/graph.h>
#include <latent/model.h>
#include <latent/nn.h>
#include <latent/ops.h>
#include <latent/plot.h>
#include <latent/train.h>

#endif
