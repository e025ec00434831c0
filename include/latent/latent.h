/* SPDX-License-Identifier: MIT */
/* latent.h: everything. A tour of the library, from the simple end:
 *
 * train.h, eval.h   whole experiments: train a recipe, evaluate the model
 * runs.h            run directories: crash-safe training, logs, results
 * generator.h       sample, decode, encode, reconstruct; an open generator takes microseconds per image
 * quality.h         scores of generated images: FID, KID, precision, recall, memorization
 * figures.h         grids, charts and animations of models and runs
 * ledger.h          the terms of a model's numbers, and published numbers
 * report.h          pages of HTML about runs; explanations and evaluations as structs and JSON
 * data.h            data sets of images
 * plot.h            grids of images and charts of your own
 * animation.h       animations of your own
 * model.h           recipes, and the models they describe
 * nn.h              parameters and layers, for models of your own
 * distributions.h   log densities, samples, entropies, KL
 * divergence.h      what a trained critic finds between two known distributions
 * graph.h, ops.h    tensors as nodes of a graph; gradients as more graph; compiling and running it
 * base.h            status codes, messages, hooks
 * verify.h          checks with known answers, on this machine
 *
 * A function that can fail for reasons outside the program returns an lt_status (LT_OK is 0) or NULL;
 * lt_last_error() describes the failure. Building a graph never fails half way: see graph.h. An object
 * from `create`, `open` or `parse` is freed with `free`, and borrows the arguments until then. The
 * library never prints, never exits, and depends on no locale, clock or hidden random state: equal
 * arguments give equal bits, with any number of threads.
 *
 * A complete program (examples/sample.c; examples/tour.c and
 * examples/own_images.c train, examples/vae.c builds):
 *
 *     #include <latent/latent.h>
 *     #include <stdio.h>
 *     #include <stdlib.h>
 *
 *     enum { N = 64 };
 *
 *     int main(int argc, char **argv)
 *     {
 *         if (argc != 3)
 *             return fprintf(stderr, "usage: %s RUN PICTURE.png\n", argv[0]), 2;
 *         lt_model *m;
 *         if (lt_model_open(argv[1], &m) != LT_OK) // a run directory, or one of its checkpoints
 *             return fprintf(stderr, "%s\n", lt_last_error()), 1;
 *
 *         lt_image_size s = lt_model_image_size(m);
 *         lt_image grid = {0};
 *         float *images = calloc((size_t)N * (size_t)(s.h * s.w * s.c), sizeof *images);
 *         int status = images ? lt_sample(m, N, 0, 0, images) : LT_NO_MEMORY; // seed 0, all cores
 *         if (status == LT_OK)
 *             status = lt_image_grid(images, N, s.h, s.w, s.c, NULL, &grid);
 *         if (status == LT_OK)
 *             status = lt_image_write(argv[2], &grid);
 *         if (status != LT_OK)
 *             fprintf(stderr, "%s: %s\n", lt_status_text(status), lt_last_error());
 *
 *         lt_image_clear(&grid);
 *         free(images);
 *         lt_model_free(m);
 *         return status == LT_OK ? 0 : 1;
 *     }
 */
#ifndef LATENT_LATENT_H
#define LATENT_LATENT_H

#include <latent/animation.h>
#include <latent/base.h>
#include <latent/data.h>
#include <latent/distributions.h>
#include <latent/divergence.h>
#include <latent/eval.h>
#include <latent/figures.h>
#include <latent/generator.h>
#include <latent/graph.h>
#include <latent/ledger.h>
#include <latent/limits.h>
#include <latent/model.h>
#include <latent/nn.h>
#include <latent/ops.h>
#include <latent/plot.h>
#include <latent/quality.h>
#include <latent/report.h>
#include <latent/runs.h>
#include <latent/train.h>
#include <latent/verify.h>

#endif
