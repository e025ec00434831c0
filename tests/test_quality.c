/* SPDX-License-Identifier: MIT */
/* Sample quality: scores against NumPy and closed forms; then whole evaluations of images of known quality: other
   images of the set, copies, equal images. */
#include "quality/features.h"
#include "quality/moments.h"
#include "quality/scores.h"
#include "base/symmetric.h"
#include "golden/golden.h"

#include "blobs.h"

enum { K = 3, D = 7, IMAGES = 60, HELD = 50, ROWS = 45, CLASSES = 4 };

static const double pi = 3.14159265358979323846;

/* ---- Matrices ---- */

/* The second difference: its eigenvalues are 2 - 2 cos(k pi / (n + 1)). */
static void eigenvalues_of_the_second_difference(void **state)
{
    (void)state;
    enum { N = 40 };
    double a[N * N] = {0}, values[N], vectors[N * N];
    for (int i = 0; i < N; i++) {
        a[i * N + i] = 2;
        if (i > 0)
            a[i * N + i - 1] = a[(i - 1) * N + i] = -1;
    }
    symmetric_eigen(N, a, values, vectors);
    for (int k = 1; k <= N; k++) {
        double want = 2 - 2 * cos(k * pi / (N + 1)), best = HUGE_VAL;
        for (int i = 0; i < N; i++)
            best = fmin(best, fabs(values[i] - want));
        assert_near(best, 0, 1e-13);
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double again = 0, one = 0;
            for (int k = 0; k < N; k++) {
                again += vectors[i * N + k] * values[k] * vectors[j * N + k];
                one += vectors[k * N + i] * vectors[k * N + j];
            }
            assert_near(again, a[i * N + j], 1e-13);
            assert_near(one, i == j, 1e-13);
        }
}

/* Of two by two: (tr M^(1/2))^2 = tr M + 2 sqrt(det M). */
static void roots_of_products_have_known_traces(void **state)
{
    (void)state;
    const double a[] = {2, 1, 1, 2}, b[] = {3, 0, 0, 5}, thin[] = {1, 2, 2, 4}, none[4] = {0};
    assert_near(symmetric_root_trace(2, a, b), sqrt(16 + 2 * sqrt(45)), 1e-13);
    assert_near(symmetric_root_trace(2, b, a), sqrt(16 + 2 * sqrt(45)), 1e-13);
    assert_near(symmetric_root_trace(2, a, a), 4, 1e-13);
    assert_near(symmetric_root_trace(2, thin, b), sqrt(23), 1e-7); /* of rank 1 */
    assert_near(symmetric_root_trace(2, thin, none), 0, 1e-13);
}

/* I - 2 u u' / u'u turns a Gaussian; m becomes H m, S becomes H S H. */
static void turn(int n, const double *u, moments *m)
{
    double h[64], product[64] = {0}, mean[8] = {0}, length = 0;
    for (int i = 0; i < n; i++)
        length += u[i] * u[i];
    for (int i = 0; i < n * n; i++)
        h[i] = (i % (n + 1) == 0) - 2 * u[i / n] * u[i % n] / length;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            mean[i] += h[i * n + j] * m->mean[j];
            for (int k = 0; k < n; k++)
                for (int l = 0; l < n; l++)
                    product[i * n + j] += h[i * n + k] * m->covariance[k * n + l] * h[l * n + j];
        }
    memcpy(m->mean, mean, sizeof *mean * (size_t)n);
    memcpy(m->covariance, product, sizeof *product * (size_t)(n * n));
}

/* Of diagonal ones: sum of (m1 - m2)^2 + (s1 - s2)^2; turning both changes nothing. */
static void distances_of_gaussians_have_closed_forms(void **state)
{
    (void)state;
    double m1[] = {1, 0, -1, 2}, m2[] = {0, 0.5, 1, 2}, u[] = {1, 2, -1, 0.5}, want = 0;
    double s1[16] = {0}, s2[16] = {0};
    const double d1[] = {1, 4, 0.25, 0}, d2[] = {9, 4, 1, 2};
    moments a = {10, 4, m1, s1}, b = {10, 4, m2, s2};
    for (int i = 0; i < 4; i++) {
        s1[i * 5] = d1[i];
        s2[i * 5] = d2[i];
        want += (m1[i] - m2[i]) * (m1[i] - m2[i]) +
                (sqrt(d1[i]) - sqrt(d2[i])) * (sqrt(d1[i]) - sqrt(d2[i]));
    }
    assert_near(moments_distance(&a, &b), want, 1e-13);
    turn(4, u, &a);
    turn(4, u, &b);
    assert_near(moments_distance(&a, &b), want, 1e-7); /* one covariance is singular */
    assert_near(moments_distance(&a, &a), 0, 1e-7);
}

/* ---- Scores of points, against NumPy ---- */

static float *golden_floats(const safetensors *file, const char *name, int64_t n)
{
    double *values = golden_doubles(file, name, n);
    float *floats = must_alloc(sizeof *floats * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        floats[i] = (float)values[i];
    free(values);
    return floats;
}

static void assert_estimate(const safetensors *file, const char *name, lt_estimate found)
{
    double *want = golden_doubles(file, name, 2);
    assert_near(found.value, want[0], 1e-5 * (1 + fabs(want[0])));
    assert_near(found.se, want[1], 1e-5 * (1 + fabs(want[1])));
    free(want);
}

/* Its error is the distance to the farther p of the two with (p - share)^2 = p (1 - p) / n. */
static void assert_share(const safetensors *file, const char *name, lt_estimate found, int n)
{
    double *want = golden_doubles(file, name, 2), farther = 0;
    assert_near(found.value, want[0], 1e-7);
    for (int side = -1; side <= 1; side += 2) {
        double near = want[0], far = side < 0 ? 0 : 1; /* no root, or one, between them */
        for (int i = 0; i < 60; i++) {
            double p = (near + far) / 2, apart = p - want[0];
            if (apart * apart > p * (1 - p) / n)
                far = p;
            else
                near = p;
        }
        farther = fmax(farther, fabs(near - want[0]));
    }
    assert_near(found.se, farther, 1e-7);
    free(want);
}

static points as_points(int n, int d, const float *x)
{
    points p;
    assert_int_equal(points_init(&p, n, d), LT_OK);
    points_set(&p, 0, n, x);
    return p;
}

static void scores_are_numpy_s(void **state)
{
    (void)state;
    safetensors *file = golden_open("quality");
    float *images = golden_floats(file, "images", IMAGES * D), *p, rx[IMAGES], ry[HELD];
    float *held_out = golden_floats(file, "held", HELD * D);
    double *fid = golden_doubles(file, "fid", 1), *radii = golden_doubles(file, "radii", HELD);
    moments a, b;
    moments_find(&a, IMAGES, D, images);
    moments_find(&b, HELD, D, held_out);
    assert_near(moments_distance(&a, &b), fid[0], 1e-9);
    p = golden_floats(file, "p", ROWS * CLASSES);
    points x = as_points(IMAGES, D, images), y = as_points(HELD, D, held_out);
    for (int threads = 1; threads <= 4; threads++) {
        lt_sample_scores s = {0};
        assert_estimate(file, "kid", kernel_distance(D, IMAGES, images, HELD, held_out, threads));
        radii_find(&x, K, threads, rx);
        radii_find(&y, K, threads, ry);
        for (int i = 0; i < HELD; i++)
            assert_near(sqrt((double)ry[i]), radii[i], 1e-6 * radii[i]);
        overlap_find(&x, rx, &y, ry, K, threads, &s);
        assert_share(file, "precision", s.precision, IMAGES);
        assert_share(file, "recall", s.recall, HELD);
        assert_estimate(file, "density", s.density);
        assert_share(file, "coverage", s.coverage, HELD);
    }
    assert_estimate(file, "inception", inception_find(ROWS, CLASSES, p));
    float first[IMAGES], second[HELD];
    for (int i = 0; i < IMAGES; i++)
        first[i] = rintf(images[i * D] * 10);
    for (int i = 0; i < HELD; i++)
        second[i] = rintf(held_out[i * D + 1] * 10);
    assert_estimate(file, "chance", chance_below(IMAGES, first, HELD, second));
    points_clear(&x);
    points_clear(&y);
    moments_clear(&a);
    moments_clear(&b);
    free(images);
    free(held_out);
    free(p);
    free(fid);
    free(radii);
    safetensors_free(file);
}

/* For many pairs of samples of one distribution the mean is 0, within the reported errors. */
static void kid_has_no_bias(void **state)
{
    (void)state;
    enum { PAIRS = 400, N = 40, DIMS = 3 };
    draws d = draws_from(11);
    double sum = 0, squares = 0, variances = 0;
    for (int i = 0; i < PAIRS; i++) {
        float x[2 * N * DIMS];
        for (int k = 0; k < COUNT_OF(x); k++)
            x[k] = (float)draw(&d, -2, 2);
        lt_estimate e = kernel_distance(DIMS, N, x, N, x + N * DIMS, 1);
        sum += e.value;
        squares += e.value * e.value;
        variances += e.se * e.se;
    }
    double variance = squares / PAIRS - sum / PAIRS * sum / PAIRS;
    assert_near(sum / PAIRS, 0, 4 * sqrt(variance / PAIRS));
    assert_near(variances / PAIRS / variance, 1, 0.25);
}

/* Points added in blocks give the same result; a point is not its own neighbor. */
static void searches_go_on_from_block_to_block(void **state)
{
    (void)state;
    enum { N = 77, DIMS = 300, BLOCK = 30 };
    draws d = draws_from(12);
    float *x = must_alloc(sizeof *x * N * DIMS), once[N], again[N];
    int place[N], self[N], found[N];
    for (int i = 0; i < N * DIMS; i++)
        x[i] = (float)draw(&d, 0, 1);
    memcpy(x + 9 * DIMS, x + 70 * DIMS, sizeof *x * DIMS);
    points all = as_points(N, DIMS, x);
    for (int i = 0; i < N; i++) {
        once[i] = again[i] = INFINITY;
        self[i] = i;
    }
    neighbor_query q = {.from = &all, .among = &all, .self = self, .k = 1, .nearest = once,
                         .place = place};
    neighbors_search(&q, 3);
    for (int at = 0; at < N; at += BLOCK) {
        int n = N - at < BLOCK ? N - at : BLOCK;
        points block = as_points(n, DIMS, x + at * DIMS);
        neighbors_search(&(neighbor_query){.from = &all, .among = &block, .self = self, .k = 1,
                                             .base = at, .nearest = again, .place = found}, 1);
        points_clear(&block);
    }
    assert_memory_equal(once, again, sizeof once);
    assert_memory_equal(place, found, sizeof place);
    assert_int_equal(place[9], 70);
    assert_int_equal(place[70], 9);
    assert_true(once[9] == 0 && once[8] > 0);
    points_clear(&all);
    free(x);
}

/* ---- Whole evaluations ---- */

/* Within so many standard errors of the difference. */
static void assert_alike(lt_estimate a, lt_estimate b)
{
    assert_near(a.value, b.value, 5 * hypot(a.se, b.se));
}

static void other_images_of_the_distribution_have_the_scores_of_the_floor(void **state)
{
    (void)state;
    lt_dataset *d = blobs(0), *others = blobs(1);
    float *images = take_images(others, LT_TRAIN, 0, TEST);
    lt_quality q = quality_of(d, TEST, images, 0);
    assert_int_equal(q.held_out, TEST);
    assert_int_equal(q.floor_images, TEST);
    assert_int_equal(q.train, TRAIN);
    assert_int_equal(q.classes, 4);
    assert_false(q.is_rotation);
    assert_true(q.accuracy > 0.5 && q.accuracy <= 1);
    assert_alike(q.samples.kid, q.floor.kid);
    assert_alike(q.samples.kid, (lt_estimate){0});
    assert_alike(q.samples.precision, q.floor.precision);
    assert_alike(q.samples.recall, q.floor.recall);
    assert_alike(q.samples.density, q.floor.density);
    assert_alike(q.samples.coverage, q.floor.coverage);
    assert_alike(q.samples.inception, q.floor.inception);
    assert_true(q.samples.fid > 0 && q.samples.fid < 1.5 * q.floor.fid);
    assert_true(q.samples.inception.value > 1 && q.samples.inception.value <= 4);
    assert_near(q.memorization.neighbor_test.value, 0.5, 5 * q.memorization.neighbor_test.se);
    assert_int_equal(q.memorization.verdict, LT_MEMORIZATION_NONE);
    free(images);
    lt_dataset_free(d);
    lt_dataset_free(others);
}

static void one_image_again_and_again_covers_nothing(void **state)
{
    (void)state;
    lt_dataset *d = blobs(0);
    float *images = take_images(d, LT_TEST, 0, TEST);
    for (int i = 1; i < TEST; i++)
        memcpy(images + i * PIXELS, images, sizeof *images * PIXELS);
    lt_quality q = quality_of(d, TEST, images, 0);
    assert_near(q.samples.precision.value, 1, 0); /* it is a real image */
    assert_true(q.samples.recall.value < 1.5 / TEST); /* but for the image itself */
    assert_true(q.samples.coverage.value < 0.05);
    assert_near(q.samples.inception.value, 1, 1e-6);
    assert_true(q.samples.fid > 10 * q.floor.fid);
    assert_true(q.samples.kid.value > 10 * q.floor.kid.se);
    free(images);
    lt_dataset_free(d);
}

static void noise_is_far_from_images(void **state)
{
    (void)state;
    lt_dataset *d = blobs(0);
    float *images = must_alloc(sizeof *images * TEST * PIXELS);
    draws u = draws_from(3);
    for (int i = 0; i < TEST * PIXELS; i++)
        images[i] = (float)draw(&u, -0.5, 1.5); /* clamped */
    lt_quality q = quality_of(d, TEST, images, 0);
    assert_true(q.samples.recall.value < 0.2 && q.samples.coverage.value < 0.3);
    assert_true(q.samples.kid.value > 10 * q.floor.kid.se);
    assert_true(q.samples.fid > 100 * q.floor.fid);
    assert_true(q.memorization.neighbor_test.value < 0.1);
    assert_int_equal(q.memorization.verdict, LT_MEMORIZATION_NONE);
    assert_int_equal(q.memorization.close, 0);
    free(images);
    lt_dataset_free(d);
}

static void train_images_are_found_to_be_copies(void **state)
{
    (void)state;
    lt_dataset *d = blobs(0);
    float *images = take_images(d, LT_TRAIN, 100, TEST);
    for (int i = 0; i < TEST * PIXELS; i++) /* and nearly so */
        images[i] *= 0.998f;
    lt_quality q = quality_of(d, TEST, images, 0);
    assert_int_equal(q.memorization.verdict, LT_MEMORIZATION_FOUND);
    assert_true(q.memorization.share.value > 0.95 && q.memorization.neighbor_test.value > 0.95);
    assert_true(q.memorization.held_out_share.value < 0.1);
    assert_true(q.memorization.p < 1e-50);
    assert_int_equal(q.n_pairs, LT_QUALITY_PAIRS);
    for (int i = 0; i < q.n_pairs; i++) {
        assert_int_equal(q.pairs[i].split, LT_TRAIN);
        assert_int_equal(q.pairs[i].image, q.pairs[i].sample + 100);
        assert_true(q.pairs[i].distance < 0.002);
    }
    free(images);
    lt_dataset_free(d);
}

/* ---- The features, their cache and digests ---- */

static void bits_do_not_depend_on_threads_or_the_cache(void **state)
{
    (void)state;
    lt_dataset *d = blobs(0), *others = blobs(1);
    float *images = take_images(others, LT_TRAIN, 0, TEST);
    lt_quality first = {.images = 0};
    for (int threads = 1; threads <= 4; threads++) {
        char name[32];
        snprintf(name, sizeof name, "cache%d", threads);
        setenv("XDG_CACHE_HOME", in_dir(name), 1);
        lt_quality q = quality_of(d, TEST, images, threads);
        assert_false(q.was_cached);
        if (threads == 1)
            first = q;
        assert_same_quality(&q, &first);
    }
    lt_quality q = quality_of(d, TEST, images, 2);
    assert_true(q.was_cached);
    assert_same_quality(&q, &first);
    assert_string_equal(warned, "");
    free(images);
    lt_dataset_free(d);
    lt_dataset_free(others);
}

/* The only file in the cache; the caller frees it. */
static char *find_cached(void)
{
    char **names, *path;
    int n;
    assert_int_equal(file_list(in_dir("cache/latent/features"), NULL, &names, &n), LT_OK);
    assert_int_equal(n, 1);
    path = file_join(in_dir("cache/latent/features"), names[0]);
    file_list_free(names, n);
    return path;
}

static void broken_caches_are_made_again(void **state)
{
    (void)state;
    lt_dataset *d = blobs(0);
    float *images = take_images(d, LT_TEST, 0, TEST);
    lt_quality first = quality_of(d, TEST, images, 0);
    char *path = find_cached();
    bytes good, found;
    assert_int_equal(file_read(path, SIZE_MAX / 2, &good), LT_OK);
    for (int kind = 0; kind < 3; kind++) {
        size_t at = kind == 0 ? good.size - 5 : good.size / 2, n = kind == 2 ? 100 : good.size;
        good.data[at] ^= 4;
        assert_int_equal(file_write(path, good.data, n), LT_OK);
        good.data[at] ^= 4;
        lt_quality q = quality_of(d, TEST, images, 0);
        assert_text_has(warned, "computing it again");
        assert_false(q.was_cached);
        assert_same_quality(&q, &first);
        assert_int_equal(file_read(path, SIZE_MAX / 2, &found), LT_OK);
        assert_int_equal(found.size, good.size);
        assert_memory_equal(found.data, good.data, good.size);
        bytes_clear(&found);
    }
    bytes_clear(&good);
    free(path);
    free(images);
    lt_dataset_free(d);
}

/* Without labels the classifier learns rotations, also of images that are not square. */
static void data_without_labels_have_features_too(void **state)
{
    (void)state;
    const int64_t sides[][2] = {{10, 10}, {8, 12}};
    for (int i = 0; i < COUNT_OF(sides); i++) {
        const int64_t h = sides[i][0], w = sides[i][1];
        lt_dataset *made, *d;
        assert_int_equal(lt_dataset_synthetic(TRAIN, (int)h, (int)w, 1, NULL, &made), LT_OK);
        float *train = take_images(made, LT_TRAIN, 0, TRAIN);
        float *test = take_images(made, LT_TEST, 0, TEST);
        /* the upper half is darker, so that there is something to see */
        for (int64_t k = 0; k < (TRAIN + TEST) * h * w; k++)
            if (k % (h * w) < h * w / 2)
                *(k < TRAIN * h * w ? train + k : test + k - TRAIN * h * w) *= 0.3f;
        assert_int_equal(file_make_directories(in_dir("set")), LT_OK);
        assert_int_equal(lt_npy_write(in_dir("set/train.npy"), train, 3,
                                      (const int64_t[]){TRAIN, h, w}), LT_OK);
        assert_int_equal(lt_npy_write(in_dir("set/test.npy"), test, 3,
                                      (const int64_t[]){TEST, h, w}), LT_OK);
        if (lt_dataset_open(in_dir("set"), NULL, &d) != LT_OK)
            fail_msg("%s", lt_last_error());
        lt_quality q = quality_of(d, TEST, test, 0);
        assert_true(q.is_rotation);
        assert_int_equal(q.classes, h == w ? 4 : 2);
        assert_true(q.accuracy > 1.5 / q.classes);
        assert_true(isnan(q.samples.inception.value) && isnan(q.floor.inception.value));
        assert_near(q.samples.fid, 0, 1e-6);
        lt_dataset_free(d);
        lt_dataset_free(made);
        free(train);
        free(test);
    }
}

static void scores_of_different_digests_refuse_to_be_compared(void **state)
{
    (void)state;
    lt_dataset *d = blobs(0), *others = blobs(1);
    float *a = take_images(d, LT_TRAIN, 0, TEST), *b = take_images(others, LT_TRAIN, 0, TEST);
    lt_quality first = quality_of(d, TEST, a, 0), q = quality_of(d, TEST, b, 0);
    assert_int_equal(lt_quality_compare(&first, &q), LT_OK);
    q = quality_of(d, TEST - 1, b, 0);
    assert_int_equal(lt_quality_compare(&first, &q), LT_VALUE);
    q = quality_of(others, TEST, b, 0);
    assert_int_equal(lt_quality_compare(&first, &q), LT_VALUE);
    assert_text_has(lt_last_error(), "different features are not comparable: digests ");
    lt_quality more;
    lt_quality_options o = {.feature_steps = STEPS + 1};
    assert_int_equal(lt_quality_of_images(d, LT_TEST, TEST, a, &o, &more), LT_OK);
    assert_int_equal(lt_quality_compare(&first, &more), LT_VALUE);
    free(a);
    free(b);
    lt_dataset_free(d);
    lt_dataset_free(others);
}

/* A set from which images were cut off for validation has the classifier of the whole set; pairs
   say where they are now. Train as the split is held against itself in parts. */
static void splits_decide_what_is_learned(void **state)
{
    (void)state;
    enum { CUT = 500 };
    lt_dataset *d = blobs(0), *cut;
    assert_int_equal(lt_dataset_synthetic(TRAIN, SIDE, SIDE, 1, &(lt_data_options){.validation = CUT}, &cut), LT_OK);
    float *images = take_images(cut, LT_VALID, 50, TEST);
    lt_quality whole = quality_of(d, TEST, images, 0), q = quality_of(cut, TEST, images, 0);
    assert_same_quality(&whole, &q);
    assert_int_equal(whole.pairs[0].split, LT_TRAIN);
    assert_int_equal(whole.pairs[0].image, whole.pairs[0].sample + TRAIN - CUT + 50);
    assert_int_equal(q.pairs[0].split, LT_VALID);
    assert_int_equal(q.pairs[0].image, q.pairs[0].sample + 50);
    lt_quality_options o = {.feature_steps = STEPS};
    assert_int_equal(lt_quality_of_images(d, LT_TRAIN, 250, images, &o, &q), LT_OK);
    assert_int_equal(q.train, TRAIN - TRAIN / 6);
    assert_int_equal(q.held_out, TRAIN / 6);
    assert_true(q.floor.fid > 0);
    assert_int_equal(lt_quality_compare(&whole, &q), LT_VALUE);
    assert_int_equal(lt_quality_of_images(d, LT_VALID, 250, images, &o, &q), LT_VALUE);
    assert_text_has(lt_last_error(), "too few images to compare with");
    free(images);
    lt_dataset_free(d);
    lt_dataset_free(cut);
}

/* ---- Models ---- */

static void models_are_scored_by_their_samples(void **state)
{
    (void)state;
    lt_dataset *d = blobs(0);
    lt_model *m = open_model();
    float *images = must_alloc(sizeof *images * TEST * PIXELS);
    lt_quality_options o = {.feature_steps = STEPS, .with_all_scores = true, .seed = 5};
    lt_quality q, same, other;
    assert_int_equal(lt_sample(m, TEST, 5, 0, images), LT_OK);
    assert_int_equal(lt_quality_measure(m, d, LT_TEST, &o, &q), LT_OK);
    assert_int_equal(q.images, TEST);
    assert_false(q.is_drawn);
    same = quality_of(d, TEST, images, 0);
    assert_same_quality(&q, &same);
    o.seed = 6;
    assert_int_equal(lt_quality_measure(m, d, LT_TEST, &o, &other), LT_OK);
    assert_int_equal(lt_quality_compare(&q, &other), LT_OK);
    assert_true(q.samples.fid != other.samples.fid && q.floor.fid == other.floor.fid);
    free(images);
    lt_model_free(m);
    lt_dataset_free(d);
}

/* Gray means are easily told from bits. So bits are sampled, both for a model's samples and for given gray
   images; bits stay unchanged. */
static void bits_are_drawn_where_the_data_are_bits(void **state)
{
    (void)state;
    lt_dataset *d;
    lt_quality q, gray, bits;
    lt_quality_arrays scored;
    lt_model *m = open_model();
    lt_data_options binarized = {.binarize = LT_BINARIZE_FIXED};
    assert_int_equal(lt_dataset_synthetic(TRAIN, SIDE, SIDE, 1, &binarized, &d), LT_OK);
    lt_quality_options o = {.feature_steps = STEPS, .with_all_scores = true, .seed = 3, .arrays = &scored,
                            .with_images = true};
    assert_int_equal(lt_quality_measure(m, d, LT_TEST, &o, &q), LT_OK);
    assert_true(q.is_drawn);
    for (int i = 0; i < TEST * PIXELS; i++)
        assert_true(scored.images[i] == 0 || scored.images[i] == 1);
    float *means = must_alloc(sizeof *means * TEST * PIXELS);
    assert_int_equal(lt_sample(m, TEST, 3, 0, means), LT_OK);
    o.arrays = NULL;
    assert_int_equal(lt_quality_of_images(d, LT_TEST, TEST, means, &o, &gray), LT_OK);
    assert_same_quality(&q, &gray);
    o.seed = 4;
    assert_int_equal(lt_quality_of_images(d, LT_TEST, TEST, scored.images, &o, &bits), LT_OK);
    assert_same_quality(&q, &bits);
    assert_int_equal(lt_quality_of_images(d, LT_TEST, TEST, means, &o, &gray), LT_OK);
    assert_true(gray.samples.fid != q.samples.fid); /* other draws */
    lt_quality_arrays_clear(&scored);
    free(means);
    lt_model_free(m);
    lt_dataset_free(d);
}

/* ---- Refusals ---- */

typedef struct patience {
    double last, limit;
} patience;

static bool wait_a_while(void *user, double done)
{
    patience *p = user;
    assert_true(done >= p->last && done <= 1);
    p->last = done;
    return done < p->limit;
}

static void evaluations_can_be_stopped(void **state)
{
    (void)state;
    lt_dataset *d = blobs(0);
    float *images = take_images(d, LT_TEST, 0, TEST);
    lt_quality q;
    const double limits[] = {0, 0.3, 0.62, 0.68, 0.75, 0.9, 2};
    for (int i = 0; i < COUNT_OF(limits); i++) {
        patience p = {.limit = limits[i]};
        lt_quality_options o = {.feature_steps = STEPS, .run = {.progress = wait_a_while, .user = &p}};
        int status = lt_quality_of_images(d, LT_TEST, TEST, images, &o, &q);
        assert_int_equal(status, limits[i] < 1 ? LT_INTERRUPTED : LT_OK);
    }
    free(images);
    lt_dataset_free(d);
}

static void what_is_no_image_is_refused(void **state)
{
    (void)state;
    lt_dataset *d = blobs(0);
    float *images = take_images(d, LT_TEST, 0, TEST);
    lt_quality q;
    lt_quality_options o = {.feature_steps = STEPS};
    images[17 * PIXELS + 3] = NAN;
    assert_int_equal(lt_quality_of_images(d, LT_TEST, TEST, images, &o, &q), LT_VALUE);
    assert_text_has(lt_last_error(), "sample 17: number 3 of 100 is not a number");
    assert_int_equal(lt_quality_of_images(d, LT_TEST, 19, images, &o, &q), LT_VALUE);
    assert_text_has(lt_last_error(), "expected at least 20 images, found 19");
    o.run.executor = LT_REFERENCE;
    images[17 * PIXELS + 3] = 0;
    assert_int_equal(lt_quality_of_images(d, LT_TEST, TEST, images, &o, &q), LT_UNSUPPORTED);
    assert_text_has(lt_last_error(), "expected the executor cpu");
    free(images);
    lt_dataset_free(d);
}

int main(void)
{
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, open_dir, close_dir)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigenvalues_of_the_second_difference),
        cmocka_unit_test(roots_of_products_have_known_traces),
        cmocka_unit_test(distances_of_gaussians_have_closed_forms),
        cmocka_unit_test(scores_are_numpy_s),
        cmocka_unit_test(kid_has_no_bias),
        cmocka_unit_test(searches_go_on_from_block_to_block),
        WITH_DIR(other_images_of_the_distribution_have_the_scores_of_the_floor),
        WITH_DIR(one_image_again_and_again_covers_nothing),
        WITH_DIR(noise_is_far_from_images),
        WITH_DIR(train_images_are_found_to_be_copies),
        WITH_DIR(bits_do_not_depend_on_threads_or_the_cache),
        WITH_DIR(broken_caches_are_made_again),
        WITH_DIR(data_without_labels_have_features_too),
        WITH_DIR(scores_of_different_digests_refuse_to_be_compared),
        WITH_DIR(splits_decide_what_is_learned),
        WITH_DIR(models_are_scored_by_their_samples),
        WITH_DIR(bits_are_drawn_where_the_data_are_bits),
        WITH_DIR(evaluations_can_be_stopped),
        WITH_DIR(what_is_no_image_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
