/* SPDX-License-Identifier: MIT */
/* Images in memory: makes some, trains a small model on them, encodes one. */
#include <latent/latent.h>
#include <stdio.h>

enum { N = 500, SIDE = 8 };

static const char words[] = "name: stripes\n"
                            "model:\n"
                            "  latent: 2\n"
                            "  likelihood: bernoulli\n"
                            "  encoder: [linear 32, elu]\n"
                            "  decoder: [linear 32, elu, linear image]\n"
                            "train: {epochs: 5, batch: 50}\n";

/* A bright stripe in each image, at one of eight positions, which is its label. */
static void make_images(uint8_t *images, int32_t *labels)
{
    for (int i = 0; i < N; i++) {
        labels[i] = i % SIDE;
        for (int k = 0; k < SIDE * SIDE; k++)
            *images++ = k % SIDE == labels[i] ? 230 : (uint8_t)(i * 7 % 40);
    }
}

static int complain(void)
{
    fprintf(stderr, "%s\n", lt_last_error());
    return 1;
}

int main(void)
{
    static uint8_t images[N * SIDE * SIDE];
    static int32_t labels[N];
    make_images(images, labels);
    lt_memory_images mine = {.name = "stripes", .h = SIDE, .w = SIDE, .c = 1};
    mine.split[LT_TRAIN] = (lt_memory_split){.n = 400, .bytes = images, .labels = labels};
    mine.split[LT_TEST] = (lt_memory_split){.n = N - 400, .bytes = images + 400 * SIDE * SIDE,
                                            .labels = labels + 400};

    lt_recipe *recipe = lt_recipe_parse("stripes", words, NULL, 0);
    lt_dataset *data = NULL;
    if (!recipe || lt_dataset_from_memory(&mine, lt_recipe_data_options(recipe), &data) != LT_OK)
        return complain();
    lt_model *model = lt_model_create(recipe, (lt_image_size){SIDE, SIDE, 1});
    lt_trainer *trainer = model ? lt_trainer_create(model, data, NULL) : NULL;
    if (!trainer)
        return complain();

    lt_train_report r;
    while (lt_trainer_epochs_done(trainer) < lt_recipe_train_options(recipe)->epochs) {
        if (lt_trainer_epoch(trainer, NULL, NULL, &r) != LT_OK)
            return complain();
        printf("epoch %d: %.2f nats\n", (int)r.epoch, lt_report_value(recipe, &r, "loss"));
    }

    lt_codes codes;
    if (lt_encode_split(model, data, LT_TEST, NULL, &codes) != LT_OK)
        return complain();
    printf("test image 0, a stripe at %d, has the code %.2f %.2f\n", (int)codes.labels[0], (double)codes.mean[0],
           (double)codes.mean[1]);

    lt_codes_clear(&codes);
    lt_trainer_free(trainer);
    lt_model_free(model);
    lt_dataset_free(data);
    lt_recipe_free(recipe);
    return 0;
}
