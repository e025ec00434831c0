/* SPDX-License-Identifier: MIT */
/* Adversarial models in the trainer: the same bits always, averages, limits, what goes wrong. What steps
   compute is the subject of test_gan.c. */
#include "gan_training.h"

#include "models/gan.h"

#include "train/checkpoint.h"

#include <pthread.h>

/* All that keeps state: batch norm, spectral norm, averages, noise of dropout, two optimizers. */
static const char everything[] =
    "name: tiny\n"
    "data: {set: synthetic}\n"
    "model:\n"
    "  kind: gan\n"
    "  latent: 3\n"
    "  classes: 4\n"
    "  class_size: 2\n"
    "  pixels: symmetric\n"
    "  generator: [reshape 1 1 5, conv_transpose 6 bias=no, batch_norm, relu,\n"
    "    conv_transpose image kernel=4 stride=2 pad=1, tanh]\n"
    "  discriminator: [spectral_norm conv 6 kernel=4 stride=2 pad=1, leaky_relu .2, dropout .2,\n"
    "    conv 4, leaky_relu .2, linear 1]\n"
    "objective:\n"
    "  loss: wasserstein\n"
    "  penalty: gradient 10\n"
    "  discriminator_steps: 3\n"
    "  discriminator_optimizer: rmsprop lr=0.002\n"
    "optimizer: adam lr=0.001 beta1=.5 beta2=.9\n"
    "learning_rate_schedule: cosine\n"
    "train: {epochs: 2, batch: 6, ema_decay: .9}\n";

static const char linear_networks[] =
    "name: tiny\n"
    "data: {set: synthetic}\n"
    "model: {kind: gan, latent: 2, generator: [linear image], discriminator: [linear 1]}\n"
    "optimizer: sgd lr=0.125\n"
    "train: {epochs: 2, batch: 6}\n";

enum { IMAGES = 20, SIDE = 6, STEPS_PER_EPOCH = 4, EPOCHS = 2 };

/* A trainer at the beginning, on n images of blobs; their number is the class. */
static training begin(const char *words, const char *const *sets, int n_sets, int n,
                      lt_executor executor, int threads)
{
    lt_dataset *data;
    assert_int_equal(lt_dataset_synthetic(n, SIDE, SIDE, 1, NULL, &data), LT_OK);
    training t = begin_model(words, sets, n_sets, data);
    begin_trainer(&t, executor, threads);
    return t;
}

static training begin_tiny(const char *words, const char *set)
{
    return begin(words, &set, set != NULL, IMAGES, LT_CPU, 1);
}

static void must_save(const training *t, const char *path)
{
    if (lt_trainer_save(t->trainer, path) != LT_OK)
        fail_msg("%s", lt_last_error());
}

static void must_load(const training *t, const char *path)
{
    if (lt_trainer_load(t->trainer, path) != LT_OK)
        fail_msg("%s", lt_last_error());
}

/* The trained numbers of the generator's half, or of the discriminator. */
static const float *trained(const training *t, bool of_discriminator, int64_t *n)
{
    lt_params *p = of_discriminator ? lt_model_discriminator(t->model) : lt_model_params(t->model);
    *n = lt_params_extent(p);
    return lt_params_block(p);
}

static float *copy_trained(const training *t, bool of_discriminator)
{
    int64_t n;
    const float *from = trained(t, of_discriminator, &n);
    float *copy = must_alloc(sizeof *copy * (size_t)n);
    memcpy(copy, from, sizeof *copy * (size_t)n);
    return copy;
}

/* ---- The same bits ---- */

/* Batches large enough to be cut into shards. */
static void same_bits_at_any_number_of_threads(void **state)
{
    (void)state;
    const lt_executor executors[] = {LT_CPU, LT_REFERENCE};
    const int threads[] = {1, 2, 3, 4, 8};
    static const char *const sets[] = {"train.batch=32", "objective.discriminator_steps=2"};
    for (int e = 0; e < 2; e++)
        for (int i = 0; i < COUNT_OF(threads); i++) {
            training t = begin(everything, sets, 2, 70, executors[e], threads[i]);
            must_train(t.trainer, e ? 3 : 9);
            const char *path = in_dir(i ? "others" : "first");
            must_save(&t, path);
            end_training(&t);
            if (i)
                assert_same_file(in_dir("first"), path);
        }
}

static void assert_same_report(const lt_recipe *r, const lt_train_report *a, const lt_train_report *b)
{
    int n;
    const lt_metric *metrics = lt_recipe_metrics(r, &n);
    assert_true(a->step == b->step && a->epoch == b->epoch && a->images == b->images);
    for (int k = 0; k < n; k++)
        if (memcmp(&a->values[k], &b->values[k], sizeof(double)) != 0)
            fail_msg("step %jd, %s: %.17g, and resumed %.17g", (intmax_t)a->step, metrics[k].name, a->values[k],
                     b->values[k]);
}

/* Stopped after each of its steps in turn, with the generator's turn next and not, saved, loaded
   into a new trainer, and trained to the end; each step reports the same on the way. */
static void check_resume(lt_executor executor)
{
    enum { STEPS = EPOCHS * STEPS_PER_EPOCH };
    lt_train_report whole[STEPS];
    const char *end = in_dir("end"), *middle = in_dir("middle"), *resumed = in_dir("resumed");
    training a = begin(everything, NULL, 0, IMAGES, executor, 1);
    for (int i = 0; i < STEPS; i++)
        whole[i] = must_step(a.trainer);
    must_save(&a, end);
    end_training(&a);
    a = begin(everything, NULL, 0, IMAGES, executor, 1);
    for (int step = 0; step < STEPS; step++) {
        must_train(a.trainer, step);
        must_save(&a, middle);
        training b = begin(everything, NULL, 0, IMAGES, executor, 1);
        must_load(&b, middle);
        assert_int_equal(lt_trainer_steps_done(b.trainer), step);
        for (int i = step; i < STEPS; i++) {
            lt_train_report r = must_step(b.trainer);
            assert_same_report(lt_model_recipe(b.model), &whole[i], &r);
        }
        must_save(&b, resumed);
        end_training(&b);
        assert_same_file(end, resumed);
    }
    end_training(&a);
}

static void resumed_training_has_the_same_bits(void **state)
{
    (void)state;
    check_resume(LT_CPU);
    check_resume(LT_REFERENCE);
}

/* Steps 1 ... 7 of batches of 6, 6, 6, 2; the generator's are 3 (of 6 images) and 6 (of 6). */
static void checkpoint_counts_what_the_generator_saw(void **state)
{
    (void)state;
    static const char *const seen[] = {"0", "0", "0", "6", "0", "0", "6", "6"};
    training t = begin_tiny(everything, NULL);
    for (int step = 0; step < COUNT_OF(seen); step++) {
        safetensors *file;
        must_train(t.trainer, step);
        must_save(&t, in_dir("counted"));
        assert_int_equal(checkpoint_read(in_dir("counted"), &file), LT_OK);
        assert_string_equal(safetensors_metadata(file, "seen_generator"), seen[step]);
        assert_non_null(safetensors_metadata(file, "sum_generator_loss"));
        assert_non_null(safetensors_metadata(file, "sum_pixel_std_ratio"));
        safetensors_free(file);
    }
    end_training(&t);
}

static void generator_has_no_loss_before_its_first_step(void **state)
{
    (void)state;
    training t = begin_tiny(everything, NULL);
    for (int step = 1; step <= 2 * STEPS_PER_EPOCH; step++) {
        lt_train_report r = must_step(t.trainer);
        bool has_stepped = step == 3 || step == 4 || step == 6 || step == 7 || step == 8;
        assert_int_equal(!isnan(r.values[GAN_GENERATOR_LOSS]), has_stepped);
        assert_true(isfinite(r.values[GAN_DISCRIMINATOR_LOSS]) && isfinite(r.values[GAN_GRADIENT_NORM]));
        assert_int_equal(r.batch, step % STEPS_PER_EPOCH ? 6 : 2);
    }
    end_training(&t);
}

/* ---- Each moves its own ---- */

static bool has_moved(const training *t, bool of_discriminator, const float *before)
{
    int64_t n;
    const float *now = trained(t, of_discriminator, &n);
    return memcmp(before, now, sizeof *now * (size_t)n) != 0;
}

static void each_phase_moves_its_own_weights(void **state)
{
    (void)state;
    training t = begin_tiny(everything, NULL);
    for (int step = 1; step <= 6; step++) {
        float *generator = copy_trained(&t, false), *discriminator = copy_trained(&t, true);
        must_step(t.trainer);
        assert_true(has_moved(&t, true, discriminator));
        assert_int_equal(has_moved(&t, false, generator), step % 3 == 0);
        free(generator);
        free(discriminator);
    }
    end_training(&t);
}

/* Plain steps of rate 1 down gradients that are longer than the limit. */
static void clip_norm_limits_the_steps_of_each(void **state)
{
    (void)state;
    static const char *const sets[] = {"optimizer=sgd lr=1", "train.clip_norm=0.01"};
    training t = begin(linear_networks, sets, 2, IMAGES, LT_CPU, 1);
    for (int of_discriminator = 0; of_discriminator < 2; of_discriminator++) {
        int64_t n;
        double squares = 0;
        float *before = copy_trained(&t, of_discriminator);
        must_step(t.trainer);
        const float *now = trained(&t, of_discriminator, &n);
        for (int64_t i = 0; i < n; i++)
            squares += pow((double)now[i] - (double)before[i], 2);
        assert_near(sqrt(squares), .01, 1e-5);
        free(before);
    }
    end_training(&t);
}

/* A schedule that ends at 0 stops both. */
static void schedules_are_of_both_learning_rates(void **state)
{
    (void)state;
    static const char *const sets[] = {"learning_rate_schedule=step every=1 factor=0",
                                       "objective.discriminator_optimizer=sgd lr=0.5"};
    training t = begin(linear_networks, sets, 2, IMAGES, LT_CPU, 1);
    lt_train_report r = must_step(t.trainer);
    assert_true(r.learning_rate == .125);
    must_train(t.trainer, STEPS_PER_EPOCH);
    float *generator = copy_trained(&t, false), *discriminator = copy_trained(&t, true);
    r = must_step(t.trainer);
    assert_true(r.learning_rate == 0);
    assert_false(has_moved(&t, false, generator) || has_moved(&t, true, discriminator));
    free(generator);
    free(discriminator);
    end_training(&t);
}

static void clipped_weights_stay_within_their_limit(void **state)
{
    (void)state;
    training t = begin_tiny(linear_networks, "objective.penalty=clip 0.03");
    const float limit = 0.03f;
    for (int step = 0; step < 10; step++) {
        int64_t n, n_generator;
        double most = 0;
        must_step(t.trainer);
        const float *w = trained(&t, true, &n), *generator = trained(&t, false, &n_generator);
        for (int64_t i = 0; i < n; i++) {
            assert_true(fabsf(w[i]) <= limit);
            most = fmax(most, fabs((double)w[i]));
        }
        assert_true((float)most == limit); /* rate 1/8: some are there at once */
        most = 0;
        for (int64_t i = 0; i < n_generator; i++)
            most = fmax(most, fabs((double)generator[i]));
        assert_true(most > .1); /* the others are free */
    }
    end_training(&t);
}

/* ---- Averages ---- */

/* a += (1 - min(memory, (1 + k) / (10 + k))) (w - a) after step k of the generator, from 0. */
static void averages_follow_their_recursion(void **state)
{
    (void)state;
    training t = begin_tiny(linear_networks, "train.ema_decay=0.15");
    int64_t n;
    const float *w = trained(&t, false, &n);
    double *want = must_alloc(sizeof *want * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        want[i] = (double)w[i];
    for (int k = 0; k < 8; k++) {
        double mix = 1 - fmin(.15, (1. + k) / (10. + k));
        must_step(t.trainer);
        for (int64_t i = 0; i < n; i++) {
            want[i] += mix * ((double)w[i] - want[i]);
            assert_near((double)model_ema(t.model)[i], want[i], 1e-6);
        }
    }
    assert_true(has_moved(&t, false, model_ema(t.model)));
    free(want);
    end_training(&t);
}

static void sample_into(lt_model *m, float *x)
{
    if (lt_sample(m, 3, 5, 1, x) != LT_OK)
        fail_msg("%s", lt_last_error());
}

enum { PIXELS = 3 * SIDE * SIDE };

/* A model without averages whose weights are the averages. */
static void samples_are_of_the_averages(void **state)
{
    (void)state;
    float averaged[PIXELS], plain[PIXELS], direct[PIXELS];
    training t = begin_tiny(everything, NULL);
    must_train(t.trainer, 2 * STEPS_PER_EPOCH);
    sample_into(t.model, averaged);
    training other = begin_tiny(everything, "train.ema_decay=0");
    lt_params *from = lt_model_params(t.model), *to = lt_model_params(other.model);
    size_t whole = (size_t)(lt_params_extent(from) + lt_params_state_extent(from));
    memcpy(lt_params_block(to), lt_params_block(from), sizeof(float) * whole);
    sample_into(other.model, direct);
    memcpy(lt_params_block(to), model_ema(t.model), model_ema_bytes(t.model));
    sample_into(other.model, plain);
    assert_memory_equal(averaged, plain, sizeof plain);
    assert_memory_not_equal(averaged, direct, sizeof direct);
    end_training(&other);
    end_training(&t);
}

/* ---- Copies ---- */

static lt_model *must_make_twin(const training *t)
{
    lt_model *twin = lt_model_create(lt_model_recipe(t->model), lt_model_image_size(t->model));
    if (!twin || lt_model_copy(twin, t->model) != LT_OK)
        fail_msg("%s", lt_last_error());
    return twin;
}

static void assert_same_params(lt_params *a, lt_params *b)
{
    size_t floats = (size_t)(lt_params_extent(a) + lt_params_state_extent(a));
    assert_memory_equal(lt_params_block(a), lt_params_block(b), sizeof(float) * floats);
}

/* What a checkpoint of that moment is opened as. */
static void a_copy_is_what_the_model_was(void **state)
{
    (void)state;
    float of_copy[PIXELS], before[PIXELS], after[PIXELS];
    training t = begin_tiny(everything, NULL);
    must_train(t.trainer, STEPS_PER_EPOCH + 1);
    must_save(&t, in_dir("then.safetensors"));
    lt_model *twin = must_make_twin(&t);
    sample_into(t.model, before);
    must_train(t.trainer, 2 * STEPS_PER_EPOCH);
    sample_into(t.model, after);
    sample_into(twin, of_copy);
    lt_model *then;
    lt_model_open(in_dir("then.safetensors"), &then);
    assert_non_null(then);
    assert_same_params(lt_model_params(twin), lt_model_params(then));
    assert_same_params(lt_model_discriminator(twin), lt_model_discriminator(then));
    assert_memory_equal(model_ema(twin), model_ema(then), model_ema_bytes(twin));
    assert_memory_equal(of_copy, before, sizeof before);
    assert_memory_not_equal(of_copy, after, sizeof after);
    lt_model_free(then);
    lt_model_free(twin);
    end_training(&t);
}

static void models_that_differ_are_not_copied(void **state)
{
    (void)state;
    float before[PIXELS], after[PIXELS];
    training t = begin_tiny(everything, NULL), other = begin_tiny(everything, "seed=2");
    sample_into(other.model, before);
    assert_int_equal(lt_model_copy(other.model, t.model), LT_VALUE);
    assert_text_has(lt_last_error(), "cannot copy tiny to tiny: their recipes differ");
    sample_into(other.model, after);
    assert_memory_equal(before, after, sizeof before);
    lt_model *wider = lt_model_create(lt_model_recipe(t.model), (lt_image_size){SIDE, SIDE, 3});
    assert_non_null(wider);
    assert_int_equal(lt_model_copy(wider, t.model), LT_VALUE);
    assert_text_has(lt_last_error(),
                    "cannot copy tiny for images of 6 x 6 x 1 to one for 6 x 6 x 3");
    lt_model_free(wider);
    end_training(&other);
    end_training(&t);
}

typedef struct sampling {
    lt_model *model;
    float want[PIXELS];
    int wrong;
} sampling;

static void *sample_again_and_again(void *argument)
{
    sampling *s = argument;
    float x[PIXELS];
    for (int i = 0; i < 10; i++)
        s->wrong += lt_sample(s->model, 3, 5, 1, x) != LT_OK ||
                    memcmp(x, s->want, sizeof s->want) != 0;
    return NULL;
}

/* Neither sees the other. */
static void training_goes_on_beside_samples_of_a_copy(void **state)
{
    (void)state;
    training t = begin(everything, NULL, 0, IMAGES, LT_CPU, 2), alone = begin_tiny(everything, NULL);
    must_train(t.trainer, STEPS_PER_EPOCH);
    sampling s = {.model = must_make_twin(&t)};
    sample_into(s.model, s.want);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, sample_again_and_again, &s), 0);
    must_train(t.trainer, 3 * STEPS_PER_EPOCH);
    pthread_join(thread, NULL);
    must_train(alone.trainer, 3 * STEPS_PER_EPOCH);
    assert_int_equal(s.wrong, 0);
    assert_same_params(lt_model_params(t.model), lt_model_params(alone.model));
    assert_same_params(lt_model_discriminator(t.model), lt_model_discriminator(alone.model));
    lt_model_free(s.model);
    end_training(&alone);
    end_training(&t);
}

/* ---- Files ---- */

/* The tensors of a checkpoint but those whose names begin so, as another file. */
static void write_without(const char *path, const char *from, const char *prefix)
{
    safetensors *file;
    int n = 0;
    assert_int_equal(checkpoint_read(from, &file), LT_OK);
    safetensors_entry *kept = must_alloc(sizeof *kept * (size_t)file->n);
    for (int i = 0; i < file->n; i++)
        if (strncmp(file->tensors[i].name, prefix, strlen(prefix)) != 0)
            kept[n++] = file->tensors[i];
    assert_true(n > 0 && n < file->n);
    const safetensors_pair pairs[] = {{"recipe", safetensors_metadata(file, "recipe")},
                                      {"image", safetensors_metadata(file, "image")}};
    assert_int_equal(safetensors_write(path, kept, n, pairs, 2), LT_OK);
    free(kept);
    safetensors_free(file);
}

static void checkpoints_hold_averages(void **state)
{
    (void)state;
    float averaged[PIXELS], found[PIXELS];
    const char *path = in_dir("averaged");
    training t = begin_tiny(everything, NULL);
    must_train(t.trainer, 2 * STEPS_PER_EPOCH);
    sample_into(t.model, averaged);
    must_save(&t, path);
    lt_model *m;
    lt_model_open(path, &m);
    if (!m)
        fail_msg("%s", lt_last_error());
    assert_memory_equal(model_ema(m), model_ema(t.model), model_ema_bytes(m));
    sample_into(m, found);
    assert_memory_equal(found, averaged, sizeof found);
    lt_model_free(m);

    /* without them they are the weights again */
    write_without(in_dir("plain"), path, "ema.");
    lt_model_open(in_dir("plain"), &m);
    if (!m)
        fail_msg("%s", lt_last_error());
    assert_memory_equal(model_ema(m), lt_params_block(lt_model_params(m)),
                        model_ema_bytes(m));
    assert_memory_not_equal(model_ema(m), model_ema(t.model), model_ema_bytes(m));
    lt_model_free(m);

    /* but training needs them */
    int64_t steps = lt_trainer_steps_done(t.trainer);
    assert_int_not_equal(lt_trainer_load(t.trainer, in_dir("plain")), LT_OK);
    assert_int_equal(lt_trainer_steps_done(t.trainer), steps);
    end_training(&t);
    t = begin_tiny(everything, "train.ema_decay=0");
    assert_int_equal(lt_trainer_load(t.trainer, path), LT_VALUE);
    assert_text_has(lt_last_error(), "train.ema_decay (from 0.9 to 0)");
    must_save(&t, in_dir("none"));
    end_training(&t);
    t = begin_tiny(everything, NULL);
    assert_int_equal(lt_trainer_load(t.trainer, in_dir("none")), LT_VALUE);
    assert_text_has(lt_last_error(), "train.ema_decay (from 0 to 0.9)");
    end_training(&t);
}

static void files_without_a_discriminator_are_told_what_lacks(void **state)
{
    (void)state;
    training t = begin_tiny(everything, NULL);
    must_save(&t, in_dir("whole"));
    write_without(in_dir("half"), in_dir("whole"), "discriminator.");
    assert_int_equal(lt_model_load(t.model, in_dir("half")), LT_NOT_FOUND);
    assert_text_has(lt_last_error(), "discriminator.0.");
    end_training(&t);
}

/* ---- What such a model cannot do ---- */

static void codes_of_images_are_refused(void **state)
{
    (void)state;
    float x[SIDE * SIDE] = {0}, y[SIDE * SIDE];
    lt_model_terms terms;
    lt_ais_result ais;
    lt_diagnosis diagnosis;
    training t = begin_tiny(linear_networks, NULL);
    assert_int_equal(lt_encode(t.model, 1, x, 1, y, NULL), LT_GRAPH);
    assert_text_has(lt_last_error(), "tiny: a gan has no encoder");
    assert_int_equal(lt_reconstruct(t.model, 1, x, 1, y), LT_GRAPH);
    assert_text_has(lt_last_error(), "tiny: a gan has no encoder");
    lt_graph *g = lt_graph_create();
    lt_node *image = lt_input(g, "x", lt_shape_4d(1, SIDE, SIDE, 1));
    assert_int_equal(lt_model_build(t.model, g, image, LT_EVALUATION, &terms), LT_GRAPH);
    assert_text_has(lt_last_error(), "tiny: a gan has no likelihood");
    lt_graph_free(g);
    assert_int_not_equal(lt_ais(t.model, t.data, LT_TEST, NULL, &ais), LT_OK);
    assert_text_has(lt_last_error(), "likelihood");
    assert_int_not_equal(lt_diagnose(t.model, t.data, LT_TEST, NULL, &diagnosis), LT_OK);
    lt_diagnosis_clear(&diagnosis);
    end_training(&t);
}

/* ---- What goes wrong ---- */

static void check_failure(const char *const *sets, int n, const char *message)
{
    training t = begin(linear_networks, sets, n, IMAGES, LT_CPU, 1);
    int status = LT_OK;
    for (int i = 0; i < 100 && status == LT_OK; i++)
        status = lt_trainer_step(t.trainer, NULL);
    assert_int_equal(status, LT_VALUE);
    assert_text_has(lt_last_error(), "step ");
    assert_text_has(lt_last_error(), message);
    end_training(&t);
}

/* The generator stands still; of a square loss, it sees first what the discriminator's step has made. */
static void a_loss_that_is_not_finite_names_its_phase(void **state)
{
    (void)state;
    static const char *const discriminator[] = {"objective.penalty=gradient 1000",
                                         "objective.discriminator_optimizer=sgd lr=1000",
                                         "optimizer=sgd lr=0"};
    static const char *const generator[] = {"objective.loss=least_squares",
                                            "objective.discriminator_optimizer=sgd lr=1000",
                                            "optimizer=sgd lr=0"};
    check_failure(discriminator, 3, "the loss of the discriminator is ");
    check_failure(discriminator, 3, "d_real");
    check_failure(generator, 3, "the loss of the generator is ");
}

static void broken_weights_are_not_saved(void **state)
{
    (void)state;
    training t = begin_tiny(everything, NULL);
    must_step(t.trainer);
    int i = lt_params_find(lt_model_discriminator(t.model), "discriminator.3.weight");
    int64_t at = lt_params_info(lt_model_discriminator(t.model), i).offset;
    lt_params_block(lt_model_discriminator(t.model))[at] = NAN;
    assert_int_equal(lt_trainer_save(t.trainer, in_dir("broken")), LT_VALUE);
    assert_text_has(lt_last_error(), "step 1 made weights that are not finite (discriminator.3.weight[");
    assert_false(file_exists(in_dir("broken")));
    end_training(&t);
}

/* ---- Warnings ---- */

/* A generator that does not look at its codes. */
static void images_that_are_all_alike_are_warned_of(void **state)
{
    (void)state;
    training t = begin_tiny(linear_networks, "model.generator=[scale 0, linear image]");
    lt_train_report r = must_step(t.trainer);
    assert_near(r.values[GAN_PIXEL_STD_RATIO], 0, 1e-6);
    assert_text_has(lt_train_warning(lt_model_recipe(t.model), &r), "mode collapse");
    end_training(&t);
    t = begin_tiny(linear_networks, NULL);
    r = must_step(t.trainer);
    assert_true(r.values[GAN_PIXEL_STD_RATIO] > .1);
    assert_null(lt_train_warning(lt_model_recipe(t.model), &r));
    end_training(&t);
}

/* One image has no spread, which says nothing of modes. */
static void batches_of_one_image_are_no_collapse(void **state)
{
    (void)state;
    training t = begin_tiny(linear_networks, "train.batch=1");
    lt_train_report r = must_step(t.trainer);
    assert_true(isnan(r.values[GAN_PIXEL_STD_RATIO]));
    assert_null(lt_train_warning(lt_model_recipe(t.model), &r));
    end_training(&t);
}

/* Only probabilities are near 1 and 0 when there is nothing left to learn: every loss of the table says
   whether its discriminator gives one. */
static void a_saturated_discriminator_is_warned_of(void **state)
{
    (void)state;
    lt_table_entry loss;
    int probabilities = 0;
    for (int i = 0; lt_table_get("losses", i, &loss); i++) {
        char *set = must_format("objective.loss=%s", loss.name);
        training t = begin_tiny(linear_networks, set);
        const lt_recipe *recipe = lt_model_recipe(t.model);
        bool is_probability = strstr(loss.name, "minimax") || strstr(loss.name, "non_saturating");
        lt_train_report r = {.step = 100,
                             .values = {[GAN_PIXEL_STD_RATIO] = 1, [GAN_D_REAL] = .999, [GAN_D_FAKE] = .001}};
        lt_score score;
        assert_true(lt_recipe_score(recipe, &score));
        assert_int_equal(score.is_probability, is_probability);
        assert_string_equal(score.real, is_probability ? "D(real)" : "critic(real)");
        if (is_probability)
            assert_text_has(lt_train_warning(recipe, &r), "discriminator saturation");
        else
            assert_null(lt_train_warning(recipe, &r));
        probabilities += is_probability;
        r.values[GAN_D_FAKE] = .01;
        assert_null(lt_train_warning(recipe, &r));
        end_training(&t);
        free(set);
    }
    assert_int_equal(probabilities, 2);
}

/* The generator's third step of the discriminator is in the second epoch. */
static void an_epoch_without_a_generator_step_has_no_such_loss(void **state)
{
    (void)state;
    const char *const sets[] = {"objective.discriminator_steps=3", "train.batch=4"};
    training t = begin(linear_networks, sets, 2, 8, LT_CPU, 1);
    lt_train_report r;
    assert_int_equal(lt_trainer_epoch(t.trainer, NULL, NULL, &r), LT_OK);
    assert_true(isnan(r.values[GAN_GENERATOR_LOSS]) && isfinite(r.values[GAN_DISCRIMINATOR_LOSS]));
    assert_text_has(lt_train_warning(lt_model_recipe(t.model), &r), "not taken a step yet");
    assert_int_equal(lt_trainer_epoch(t.trainer, NULL, NULL, &r), LT_OK);
    assert_true(isfinite(r.values[GAN_GENERATOR_LOSS]));
    assert_null(lt_train_warning(lt_model_recipe(t.model), &r));
    end_training(&t);
}

/* A last batch of one image has no spread, and takes nothing from that of the others. */
static void a_last_batch_of_one_image_keeps_the_spread(void **state)
{
    (void)state;
    const char *const sets[] = {"train.batch=4"};
    training t = begin(linear_networks, sets, 1, 5, LT_CPU, 1);
    lt_train_report first = must_step(t.trainer), last = must_step(t.trainer);
    assert_int_equal(last.images, 5);
    assert_true(first.values[GAN_PIXEL_STD_RATIO] > 0);
    assert_near(last.values[GAN_PIXEL_STD_RATIO], first.values[GAN_PIXEL_STD_RATIO], 1e-12);
    end_training(&t);
}

/* ---- Memory that fails ---- */

typedef struct limit {
    int64_t left; /* allocations that succeed */
    bool was_hit;
} limit;

static bool allow_until(void *user, size_t size)
{
    limit *l = user;
    (void)size;
    if (l->left-- > 0)
        return true;
    l->was_hit = true;
    return false;
}

/* Training, saving, loading, sampling. */
static int short_life(const lt_recipe *r, lt_dataset *d)
{
    float x[PIXELS];
    lt_model *m = lt_model_create(r, (lt_image_size){SIDE, SIDE, 1});
    lt_trainer *t = m ? lt_trainer_create(m, d, &(lt_trainer_options){.run.threads = 2}) : NULL;
    int status = t ? LT_OK : LT_NO_MEMORY;
    for (int i = 0; i < STEPS_PER_EPOCH && status == LT_OK; i++)
        status = lt_trainer_step(t, NULL);
    if (status == LT_OK)
        status = lt_trainer_save(t, in_dir("life"));
    if (status == LT_OK)
        status = lt_trainer_load(t, in_dir("life"));
    if (status == LT_OK)
        status = lt_model_load(m, in_dir("life"));
    if (status == LT_OK)
        status = lt_sample_class(m, 1, 3, 0, 1, x);
    lt_trainer_free(t);
    lt_model_free(m);
    return status;
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    lt_dataset *d;
    lt_recipe *r = must_parse(everything, NULL, 0);
    limit l = {.was_hit = true};
    assert_int_equal(lt_dataset_synthetic(IMAGES, SIDE, SIDE, 1, NULL, &d), LT_OK);
    for (int n = 0; l.was_hit; n++) {
        l = (limit){.left = n};
        lt_set_allow_memory(allow_until, &l);
        int status = short_life(r, d);
        lt_set_allow_memory(NULL, NULL);
        if (l.was_hit && status != LT_NO_MEMORY)
            fail_msg("allocation %d fails: %s, %s", n, lt_status_name(status), lt_last_error());
        if (!l.was_hit && status != LT_OK)
            fail_msg("%s", lt_last_error());
        assert_true(n < 2000);
    }
    lt_recipe_free(r);
    lt_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_at_any_number_of_threads),
        cmocka_unit_test(resumed_training_has_the_same_bits),
        cmocka_unit_test(checkpoint_counts_what_the_generator_saw),
        cmocka_unit_test(generator_has_no_loss_before_its_first_step),
        cmocka_unit_test(each_phase_moves_its_own_weights),
        cmocka_unit_test(clip_norm_limits_the_steps_of_each),
        cmocka_unit_test(schedules_are_of_both_learning_rates),
        cmocka_unit_test(clipped_weights_stay_within_their_limit),
        cmocka_unit_test(averages_follow_their_recursion),
        cmocka_unit_test(samples_are_of_the_averages),
        cmocka_unit_test(a_copy_is_what_the_model_was),
        cmocka_unit_test(models_that_differ_are_not_copied),
        cmocka_unit_test(training_goes_on_beside_samples_of_a_copy),
        cmocka_unit_test(checkpoints_hold_averages),
        cmocka_unit_test(files_without_a_discriminator_are_told_what_lacks),
        cmocka_unit_test(codes_of_images_are_refused),
        cmocka_unit_test(a_loss_that_is_not_finite_names_its_phase),
        cmocka_unit_test(broken_weights_are_not_saved),
        cmocka_unit_test(images_that_are_all_alike_are_warned_of),
        cmocka_unit_test(batches_of_one_image_are_no_collapse),
        cmocka_unit_test(a_saturated_discriminator_is_warned_of),
        cmocka_unit_test(an_epoch_without_a_generator_step_has_no_such_loss),
        cmocka_unit_test(a_last_batch_of_one_image_keeps_the_spread),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_data_dir, remove_dir);
}
