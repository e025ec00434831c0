/* SPDX-License-Identifier: MIT */
/* A trained model inside a program: ./sample CHECKPOINT.safetensors PICTURE.png */
#include <latent/latent.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    lt_model *m = argc == 3 ? lt_model_open(argv[1]) : NULL;
    if (!m)
        return fprintf(stderr, "%s\n", lt_last_error()), 1;

    lt_image_size s = lt_model_image_size(m);
    float *images = calloc((size_t)(64 * s.h * s.w * s.c), sizeof *images);
    lt_image grid;
    lt_sample(m, 64, 0, 0, images); // 64 images, seed 0, all cores
    lt_image_grid(&grid, images, 64, s.h, s.w, s.c, NULL);
    int status = lt_image_write(argv[2], &grid);

    lt_image_free(&grid);
    free(images);
    lt_model_free(m);
    return status == LT_OK ? 0 : 1;
}
