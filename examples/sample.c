/* SPDX-License-Identifier: MIT */
/* A trained model inside a program: ./sample RUN PICTURE.png */
#include <latent/latent.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 64 };

int main(int argc, char **argv)
{
    if (argc != 3)
        return fprintf(stderr, "usage: %s RUN PICTURE.png\n", argv[0]), 2;
    lt_model *m;
    if (lt_model_open(argv[1], &m) != LT_OK) // a run directory, or one of its checkpoints
        return fprintf(stderr, "%s\n", lt_last_error()), 1;

    lt_image_size s = lt_model_image_size(m);
    lt_image grid = {0};
    float *images = calloc((size_t)N * (size_t)(s.h * s.w * s.c), sizeof *images);
    int status = images ? lt_sample(m, N, 0, 0, images) : LT_NO_MEMORY; // seed 0, all cores
    if (status == LT_OK)
        status = lt_image_grid(images, N, s.h, s.w, s.c, NULL, &grid);
    if (status == LT_OK)
        status = lt_image_write(argv[2], &grid);
    if (status != LT_OK)
        fprintf(stderr, "%s: %s\n", lt_status_text(status), lt_last_error());

    lt_image_clear(&grid);
    free(images);
    lt_model_free(m);
    return status == LT_OK ? 0 : 1;
}
