/* SPDX-License-Identifier: MIT */
/* A whole experiment: trains the demo for three epochs, says what it is worth, draws new images. */
#include <latent/latent.h>
#include <stdio.h>

static int complain(void)
{
    fprintf(stderr, "%s\n", lt_last_error());
    return 1;
}

int main(void)
{
    lt_recipe *recipe = lt_recipe_open("fashion-mlp-vae", NULL, 0);
    lt_dataset *data = NULL;
    if (!recipe || lt_recipe_open_data(recipe, NULL, &data) != LT_OK)
        return complain();
    lt_model *model = lt_model_create(recipe, (lt_image_size){28, 28, 1});
    lt_trainer *trainer = model ? lt_trainer_create(model, data, NULL) : NULL;
    if (!trainer)
        return complain();

    for (int epoch = 0; epoch < 3; epoch++) {
        lt_train_report r;
        if (lt_trainer_epoch(trainer, NULL, NULL, &r) != LT_OK)
            return complain();
        printf("epoch %d: %.1f nats = %.1f + %.1f\n", epoch + 1, r.loss, r.distortion,
               r.weighted_rate);
    }

    lt_evaluation e;
    lt_eval_options options = {.nll_samples = 20};
    if (lt_evaluate(model, data, LT_TEST, &options, &e) != LT_OK)
        return complain();
    printf("-ELBO %.1f +- %.1f nats, NLL %.1f +- %.1f\n", e.neg_elbo.value, e.neg_elbo.se, e.nll.value,
           e.nll.se);

    static float images[64 * 28 * 28];
    lt_image grid;
    if (lt_sample(model, 64, 0, 0, images) != LT_OK ||
        lt_image_grid(&grid, images, 64, 28, 28, 1, NULL) != LT_OK ||
        lt_image_write("samples.png", &grid) != LT_OK ||
        lt_trainer_save(trainer, "tour.safetensors") != LT_OK)
        return complain();

    lt_image_free(&grid);
    lt_trainer_free(trainer);
    lt_model_free(model);
    lt_dataset_free(data);
    lt_recipe_free(recipe);
    return 0;
}
