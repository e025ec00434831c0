/* SPDX-License-Identifier: MIT */
/* Memorization: planted copies are found, also changed ones; other images do not count as copies, even blurred ones
   near to train images. Then scores that are not informative and not reported. */
#include "quality/counts.h"
#include "quality/looks.h"

#include "blobs.h"

static const double pi = 3.14159265358979323846;

enum { S = 16, SIZE = S * S * 3, LEARNED = 1000, HELD = 300, SPOTS = 9, PLANTED = HELD / 10 };

/* ---- Counts ---- */

/* Fisher's lady tasting tea, and tables without marks. */
static void excesses_are_those_of_fisher_s_test(void **state)
{
    (void)state;
    assert_near(count_excess(4, 4, 0, 4), 1. / 70, 1e-12);
    assert_near(count_excess(3, 4, 1, 4), 17. / 70, 1e-12);
    assert_near(count_excess(2, 4, 2, 4), 53. / 70, 1e-12);
    assert_near(count_excess(0, 4, 4, 4), 1, 0);
    assert_near(count_excess(0, 10, 0, 20), 1, 0);
    assert_near(count_excess(5, 5, 20, 20), 1, 0);
    assert_near(count_excess(1, 1000, 0, 2000) * 3, 1, 1e-9);
    assert_near(count_excess(10, 1000, 0, 2000) / pow(3, -10), 1, 0.05);
}

static void intervals_are_wilson_s(void **state)
{
    (void)state;
    double low, high;
    count_interval(0, 10, 1.959964, &low, &high);
    assert_near(low, 0, 0);
    assert_near(high, 0.27753, 1e-5);
    count_interval(15, 100, 1.959964, &low, &high); /* Newcombe 1998 has such tables */
    assert_near(low, 0.0931, 5e-5);
    assert_near(high, 0.2328, 5e-5);
    assert_near(count_share(0, 50).se, 1. / 51, 1e-12);
    assert_near(count_share(50, 50).se, 1. / 51, 1e-12);
    assert_near(count_share(5000, 10000).se, 0.005, 1e-6);
    assert_true(isnan(count_share(0, 0).value));
}

/* ---- Bands ---- */

/* Brightness, contrast and, in one of the shifts, a pixel more or less do not matter. */
static void looks_do_not_depend_on_brightness_contrast_or_a_shift(void **state)
{
    (void)state;
    looks l = looks_of(S, S, 3);
    draws d = draws_from(2);
    float x[SIZE], y[SIZE], band[2][SIZE], scratch[32 * 32 * 3], v[SIZE], u[SIZE], best = -1;
    assert_int_equal(looks_reduced_size(&l), SIZE);
    assert_int_equal(looks_size(&l), (S - 2) * (S - 2) * 3);
    for (int i = 0; i < SIZE; i++)
        x[i] = (float)draw(&d, 0, 1);
    looks_bands(&l, x, band[0], band[1], scratch);
    looks_vector(&l, band[1], 0, v);
    assert_near(looks_product(looks_size(&l), v, v), 1, 1e-5);
    for (int i = 0; i < SIZE; i++)
        y[i] = 0.3f * x[i] + 0.5f;
    looks_bands(&l, y, band[0], band[1], scratch);
    looks_vector(&l, band[1], 0, u);
    assert_near(looks_product(looks_size(&l), v, u), 1, 1e-4);
    for (int i = 0; i < SIZE; i++)
        y[i] = x[i % (S * 3) >= 3 ? i - 3 : i];
    looks_bands(&l, y, band[0], band[1], scratch);
    for (int k = 0; k < l.shifts; k++) {
        looks_vector(&l, band[1], k, u);
        best = fmaxf(best, looks_product(looks_size(&l), v, u));
    }
    looks_vector(&l, band[1], 0, u);
    assert_true(best > 0.95F && looks_product(looks_size(&l), v, u) < 0.8F);
}

/* A Gaussian of 1 pixel and one of 2.29 after it, of a single bright pixel. */
static void bands_are_differences_of_gaussians(void **state)
{
    (void)state;
    enum { W = 31, MIDDLE = W / 2 };
    looks l = looks_of(W, W, 1);
    float x[W * W] = {0}, coarse[W * W], detail[W * W], scratch[47 * 47];
    x[MIDDLE * W + MIDDLE] = 1;
    looks_bands(&l, x, coarse, detail, scratch);
    for (int r = 0; r < 3; r++) {
        double fine = exp(-r * r / 2.) / (2 * pi),
               broad = exp(-r * r / 12.5) / (12.5 * pi);
        assert_near(coarse[MIDDLE * W + MIDDLE + r], fine, 2e-3);
        assert_near(detail[MIDDLE * W + MIDDLE + r], fine - broad, 2e-3);
    }
}

static void large_images_are_reduced(void **state)
{
    (void)state;
    looks l = looks_of(130, 64, 3);
    assert_int_equal(l.part, 4);
    assert_true(l.rh == 33 && l.rw == 16);
    assert_true(looks_search_size(&l) <= 256);
    l = looks_of(1, 1, 1);
    assert_int_equal(looks_size(&l), 1);
    assert_int_equal(l.shifts, 1);
}

/* ---- A set of colored spots ---- */

static void draw_spots(draws *d, float *x)
{
    for (int i = 0; i < SIZE; i++)
        x[i] = 0.4f;
    for (int k = 0; k < SPOTS; k++) {
        double row = draw(d, 0, S), column = draw(d, 0, S), width = draw(d, 0.8, 3), color[3];
        for (int c = 0; c < 3; c++)
            color[c] = draw(d, -0.5, 0.5);
        for (int i = 0; i < SIZE; i++) {
            double a = i / (S * 3) - row, b = i / 3 % S - column;
            x[i] += (float)(color[i % 3] * exp(-(a * a + b * b) / (2 * width * width)));
        }
    }
    for (int i = 0; i < SIZE; i++)
        x[i] = fminf(fmaxf(x[i], 0), 1);
}

typedef struct spots {
    lt_dataset *data;
    float *train, *test, *images; /* HELD images to be judged */
} spots;

static float *make_images(draws *d, int n)
{
    float *x = must_alloc(sizeof *x * SIZE * (size_t)n);
    for (int i = 0; i < n; i++)
        draw_spots(d, x + i * SIZE);
    return x;
}

static void write_set(const float *train, int n, const float *test, int m)
{
    assert_int_equal(file_make_directories(in_dir("set")), LT_OK);
    assert_int_equal(lt_npy_write(in_dir("set/train.npy"), train, 4,
                                  (const int64_t[]){n, S, S, 3}), LT_OK);
    assert_int_equal(lt_npy_write(in_dir("set/test.npy"), test, 4,
                                  (const int64_t[]){m, S, S, 3}), LT_OK);
}

static spots open_spots(void)
{
    draws d = draws_from(5);
    spots s = {.train = make_images(&d, LEARNED), .test = make_images(&d, HELD)};
    s.images = make_images(&d, HELD);
    write_set(s.train, LEARNED, s.test, HELD);
    if (lt_dataset_open(in_dir("set"), NULL, &s.data) != LT_OK)
        fail_msg("%s", lt_last_error());
    return s;
}

static void close_spots(spots *s)
{
    lt_dataset_free(s->data);
    free(s->train);
    free(s->test);
    free(s->images);
}

static lt_memorization judge(const spots *s)
{
    return quality_of(s->data, HELD, s->images, 0).memorization;
}

static void assert_none(const spots *s, const char *what)
{
    lt_memorization c = judge(s);
    if (c.verdict != LT_MEMORIZATION_NONE)
        fail_msg("%s: verdict %d, %d close, p %g", what, (int)c.verdict, (int)c.close, c.p);
    assert_int_equal(c.samples, HELD);
    assert_int_equal(c.held_out, HELD);
    assert_int_equal(c.train, LEARNED);
    assert_true(c.least > 0 && c.least < 0.1);
}

static void blur(double sigma, float *x)
{
    for (int pass = 0; pass < 2; pass++) {
        float copy[SIZE];
        memcpy(copy, x, sizeof copy);
        for (int i = 0; i < SIZE; i++) {
            int row = i / (S * 3), column = i / 3 % S;
            double sum = 0, weights = 0;
            for (int k = -S; k <= S; k++) {
                int a = row + (pass ? k : 0), b = column + (pass ? 0 : k);
                double weight = exp(-k * k / (2 * sigma * sigma));
                a = a < 0 ? 0 : a < S ? a : S - 1;
                b = b < 0 ? 0 : b < S ? b : S - 1;
                sum += weight * (double)copy[(a * S + b) * 3 + i % 3];
                weights += weight;
            }
            x[i] = (float)(sum / weights);
        }
    }
}

static void images_that_are_no_copies_are_not_accused(void **state)
{
    (void)state;
    spots s = open_spots();
    draws d = draws_from(8);
    float *mean = must_alloc(sizeof *mean * SIZE), *fresh = must_alloc(sizeof *fresh * SIZE * HELD);
    memcpy(fresh, s.images, sizeof *fresh * SIZE * HELD);
    assert_none(&s, "other images");
    for (int sigma = 1; sigma <= 5; sigma += 2) {
        memcpy(s.images, fresh, sizeof *fresh * SIZE * HELD);
        for (int i = 0; i < HELD; i++)
            blur(sigma, s.images + i * SIZE);
        assert_none(&s, "blurred images");
    }
    for (int i = 3; i < HELD; i++) /* of a collapsed model: three blurred images */
        memcpy(s.images + i * SIZE, s.images + i % 3 * SIZE, sizeof *fresh * SIZE);
    assert_none(&s, "three blurred images");
    for (int i = 0; i < LEARNED * SIZE; i++)
        mean[i % SIZE] += s.train[i] / LEARNED;
    for (int i = 0; i < HELD; i++)
        memcpy(s.images + i * SIZE, mean, sizeof *mean * SIZE);
    assert_none(&s, "the mean image");
    for (int i = 0; i < HELD * SIZE; i++)
        s.images[i] = 0.5f;
    assert_none(&s, "gray");
    for (int i = 0; i < HELD * SIZE; i++)
        s.images[i] = (float)draw(&d, 0, 1);
    assert_none(&s, "noise");
    free(mean);
    free(fresh);
    close_spots(&s);
}

/* A tenth of the samples are train images 200, 201, ... with some change. */
static void plant(const spots *s, int change)
{
    draws d = draws_from(9);
    for (int i = 0; i < PLANTED * SIZE; i++) {
        float v = s->train[200 * SIZE + i];
        s->images[i] = change == 1   ? v + (float)draw(&d, -0.05, 0.05)
                       : change == 2 ? rintf(v * 15) / 15
                       : change == 3 ? 0.9f * v + 0.05f
                       : change == 4 ? s->train[200 * SIZE + (i % (S * 3) >= 3 ? i - 3 : i)]
                                     : v;
    }
}

static void planted_copies_are_found(void **state)
{
    (void)state;
    spots s = open_spots();
    for (int change = 0; change < 5; change++) {
        plant(&s, change);
        lt_quality q = quality_of(s.data, HELD, s.images, 0);
        if (q.memorization.verdict != LT_MEMORIZATION_FOUND)
            fail_msg("change %d: %d close, p %g", change, (int)q.memorization.close, q.memorization.p);
        assert_true(q.memorization.p < 1e-3 && q.memorization.share.value > q.memorization.held_out_share.value);
        for (int i = 0; i < q.n_pairs; i++) {
            assert_true(q.pairs[i].sample < PLANTED);
            assert_int_equal(q.pairs[i].image, q.pairs[i].sample + 200);
            assert_true(q.pairs[i].pixels < 0.3 && q.pairs[i].detail < 0.3);
        }
    }
    for (int i = PLANTED; i < HELD; i++)
        blur(2, s.images + i * SIZE);
    plant(&s, 0);
    assert_int_equal(judge(&s).verdict, LT_MEMORIZATION_FOUND);
    close_spots(&s);
}

/* If held-out images are in train as often, the copies are due to the data. */
static void duplicates_of_the_data_are_no_copies(void **state)
{
    (void)state;
    spots s = open_spots();
    lt_dataset_free(s.data);
    memcpy(s.test, s.train, sizeof(float) * SIZE * PLANTED);
    write_set(s.train, LEARNED, s.test, HELD);
    assert_int_equal(lt_dataset_open(in_dir("set"), NULL, &s.data), LT_OK);
    plant(&s, 0);
    lt_memorization c = judge(&s);
    assert_int_equal(c.verdict, LT_MEMORIZATION_NONE);
    assert_int_equal(c.close, PLANTED);
    assert_int_equal(c.held_out_close, PLANTED);
    close_spots(&s);
}

/* ---- What cannot be told ---- */

static lt_dataset *open_arrays(const float *train, int n, const float *test, int m)
{
    lt_dataset *d;
    write_set(train, n, test, m);
    if (lt_dataset_open(in_dir("set"), NULL, &d) != LT_OK)
        fail_msg("%s", lt_last_error());
    return d;
}

/* All features are then equal, and any image would look like any other. */
static void constant_images_have_no_scores(void **state)
{
    (void)state;
    float *gray = must_alloc(sizeof *gray * SIZE * HELD);
    lt_quality q;
    lt_quality_options o = {.feature_steps = STEPS};
    for (int i = 0; i < SIZE * HELD; i++)
        gray[i] = 0.5f;
    lt_dataset *d = open_arrays(gray, HELD, gray, HELD);
    for (int i = 0; i < SIZE * HELD; i++)
        gray[i] = i % 7 / 6.f;
    assert_int_equal(lt_quality_of_images(d, LT_TEST, HELD, gray, &o, &q), LT_VALUE);
    assert_text_has(lt_last_error(), "no score can be told: 64 of 64 features are the same for all "
                                     "300 train images");
    free(gray);
    lt_dataset_free(d);
}

/* Two images, each many times: they have as many equals as neighbors. */
static void equal_images_have_no_reach(void **state)
{
    (void)state;
    spots s = open_spots();
    for (int i = 2; i < LEARNED; i++)
        memcpy(s.train + i * SIZE, s.train + i % 2 * SIZE, sizeof(float) * SIZE);
    lt_dataset *d = open_arrays(s.train, LEARNED, s.train, HELD);
    lt_quality q = quality_of(d, HELD, s.images, 0);
    assert_true(q.is_alike);
    assert_true(isnan(q.samples.precision.value) && isnan(q.samples.coverage.value));
    assert_true(isnan(q.floor.recall.value) && isnan(q.floor.density.value));
    assert_true(isfinite(q.samples.fid) && q.samples.fid > 1);
    assert_int_equal(q.memorization.verdict, LT_MEMORIZATION_UNKNOWN);
    lt_dataset_free(d);
    close_spots(&s);
}

/* Noise looks the same in every rotation. */
static void a_classifier_that_guesses_is_said_to(void **state)
{
    (void)state;
    draws u = draws_from(4);
    float *noise = must_alloc(sizeof *noise * SIZE * LEARNED);
    for (int i = 0; i < SIZE * LEARNED; i++)
        noise[i] = (float)draw(&u, 0, 1);
    lt_dataset *d = open_arrays(noise, LEARNED - HELD, noise + (LEARNED - HELD) * SIZE, HELD);
    lt_quality q = quality_of(d, HELD, noise, 0);
    assert_near(q.guess, 0.25, 1e-12);
    assert_true(q.is_guessing);
    lt_dataset_free(d);
    d = blobs(0);
    float *images = take_images(d, LT_TEST, 0, TEST);
    q = quality_of(d, TEST, images, 0);
    assert_true(q.guess > 0.2 && q.guess < 0.4 && !q.is_guessing);
    lt_dataset_free(d);
    free(images);
    free(noise);
}

/* 60 images of noise would have a precision of 1, without an error. */
static void few_images_have_few_scores(void **state)
{
    (void)state;
    enum { FEW = 60 };
    lt_dataset *d = blobs(0);
    float *images = take_images(d, LT_TEST, 0, FEW);
    lt_quality q;
    lt_quality_options o = {.feature_steps = STEPS};
    assert_int_equal(lt_quality_of_images(d, LT_TEST, FEW, images, &o, &q), LT_OK);
    assert_true(lt_quality_min_images("precision") > FEW && lt_quality_min_images("kid") > FEW);
    assert_int_equal(lt_quality_min_images("speed"), 0);
    assert_true(isnan(q.samples.precision.value) && isnan(q.samples.precision.se));
    assert_true(isnan(q.samples.kid.value) && isnan(q.samples.fid));
    assert_true(isnan(q.floor.fid) && isnan(q.samples.inception.value));
    o.with_all_scores = true;
    assert_int_equal(lt_quality_of_images(d, LT_TEST, FEW, images, &o, &q), LT_OK);
    assert_true(q.samples.precision.value > 0.9);
    assert_true(q.samples.precision.se > 0.01 && q.samples.recall.se > 0.01);
    o.without_memorization = true;
    assert_int_equal(lt_quality_of_images(d, LT_TEST, FEW, images, &o, &q), LT_OK);
    assert_int_equal(q.memorization.verdict, LT_MEMORIZATION_UNKNOWN);
    assert_int_equal(q.n_pairs, 0);
    images[5] = INFINITY;
    assert_int_equal(lt_quality_of_images(d, LT_TEST, FEW, images, &o, &q), LT_VALUE);
    assert_text_has(lt_last_error(), "sample 0: number 5 of 100 is infinite");
    free(images);
    lt_dataset_free(d);
}

/* 20 samples that are all copies are found; a part of them could not be. */
static void tiny_sets_say_what_they_could_have_found(void **state)
{
    (void)state;
    spots s = open_spots();
    lt_quality q = quality_of(s.data, 20, s.images, 0);
    assert_int_equal(q.memorization.verdict, LT_MEMORIZATION_NONE);
    assert_true(q.memorization.least >= 0.15 && q.memorization.least <= 0.5);
    q = quality_of(s.data, 20, s.train, 0);
    assert_int_equal(q.memorization.verdict, LT_MEMORIZATION_FOUND);
    close_spots(&s);
}

int main(void)
{
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, open_dir, close_dir)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(excesses_are_those_of_fisher_s_test),
        cmocka_unit_test(intervals_are_wilson_s),
        cmocka_unit_test(looks_do_not_depend_on_brightness_contrast_or_a_shift),
        cmocka_unit_test(bands_are_differences_of_gaussians),
        cmocka_unit_test(large_images_are_reduced),
        WITH_DIR(images_that_are_no_copies_are_not_accused),
        WITH_DIR(planted_copies_are_found),
        WITH_DIR(duplicates_of_the_data_are_no_copies),
        WITH_DIR(constant_images_have_no_scores),
        WITH_DIR(equal_images_have_no_reach),
        WITH_DIR(a_classifier_that_guesses_is_said_to),
        WITH_DIR(few_images_have_few_scores),
        WITH_DIR(tiny_sets_say_what_they_could_have_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
