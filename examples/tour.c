/* SPDX-License-Identifier: MIT */
/* A whole experiment: trains a preset for three epochs in a run directory, evaluates it, samples new images. */
#include <latent/latent.h>
#include <stdio.h>

static int complain(void)
{
    fprintf(stderr, "%s\n", lt_last_error());
    return 1;
}

static bool on_epoch(void *user, const lt_train_report *r, const lt_validation *v)
{
    const lt_recipe *recipe = user;
    printf("epoch %d: %.1f nats = %.1f + %.1f; -ELBO of %d others %.1f\n", (int)r->epoch,
           lt_report_value(recipe, r, "loss"), lt_report_value(recipe, r, "distortion"),
           lt_report_value(recipe, r, "weighted_rate"), (int)v->images, v->neg_elbo);
    return true;
}

int main(void)
{
    const char *sets[] = {"train.epochs=3"};
    lt_recipe *recipe;
    lt_dataset *data = NULL;
    if (lt_recipe_open("fashion-mlp-vae", sets, 1, &recipe) != LT_OK ||
        lt_recipe_open_data(recipe, NULL, &data) != LT_OK)
        return complain();
    lt_model *model = lt_model_create(recipe, (lt_image_size){28, 28, 1});
    lt_trainer *trainer = model ? lt_trainer_create(model, data, NULL) : NULL;
    lt_run *run = NULL;
    if (!trainer || lt_run_create("tour", trainer, &run) != LT_OK ||
        lt_run_train(run, trainer, data, &(lt_run_train_options){.on_epoch = on_epoch, .user = recipe}) != LT_OK)
        return complain();

    lt_evaluation e;
    lt_eval_options options = {.nll_samples = 20};
    if (lt_evaluate(model, data, LT_TEST, &options, &e) != LT_OK)
        return complain();
    printf("-ELBO %.1f +- %.1f nats, NLL %.1f +- %.1f\n", e.neg_elbo.value, e.neg_elbo.se, e.nll.value,
           e.nll.se);

    static float images[64 * 28 * 28];
    lt_image grid;
    if (lt_sample(model, 64, 0, 0, images) != LT_OK ||
        lt_image_grid(images, 64, 28, 28, 1, NULL, &grid) != LT_OK ||
        lt_image_write("samples.png", &grid) != LT_OK)
        return complain();

    lt_image_clear(&grid);
    lt_run_free(run);
    lt_trainer_free(trainer);
    lt_model_free(model);
    lt_dataset_free(data);
    lt_recipe_free(recipe);
    return 0;
}
