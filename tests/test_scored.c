/* SPDX-License-Identifier: MIT */
/* What scores are computed from, as it is handed out: scores are computed again from it by plain loops
   that share nothing with the library, and the noise by the recipe of docs/quality.md. */
#include "blobs.h"

enum { WIDTH = 64, MANY = 2100 /* samples: more than a block of 2048 */ };

/* ---- Scores again ---- */

/* Mean and covariance (divided by n - 1) of rows. */
static void find_moments(int n, const float *rows, double mean[WIDTH], double cov[WIDTH][WIDTH])
{
    memset(mean, 0, sizeof *mean * WIDTH);
    memset(cov, 0, sizeof *cov * WIDTH);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < WIDTH; k++)
            mean[k] += (double)rows[i * WIDTH + k] / n;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < WIDTH; k++)
            for (int l = 0; l < WIDTH; l++)
                cov[k][l] += ((double)rows[i * WIDTH + k] - mean[k]) *
                             ((double)rows[i * WIDTH + l] - mean[l]) / (n - 1);
}

/* The inverse by Gauss and Jordan. */
static void invert(double a[WIDTH][WIDTH], double b[WIDTH][WIDTH])
{
    static double m[WIDTH][2 * WIDTH];
    for (int i = 0; i < WIDTH; i++)
        for (int j = 0; j < WIDTH; j++) {
            m[i][j] = a[i][j];
            m[i][WIDTH + j] = i == j;
        }
    for (int i = 0; i < WIDTH; i++) {
        int best = i;
        for (int k = i + 1; k < WIDTH; k++)
            best = fabs(m[k][i]) > fabs(m[best][i]) ? k : best;
        for (int j = 0; j < 2 * WIDTH; j++) {
            double swap = m[i][j];
            m[i][j] = m[best][j];
            m[best][j] = swap;
        }
        for (int k = 0; k < WIDTH; k++) {
            double f = m[k][i] / m[i][i];
            for (int j = 0; k != i && j < 2 * WIDTH; j++)
                m[k][j] -= f * m[i][j];
        }
    }
    for (int i = 0; i < WIDTH; i++)
        for (int j = 0; j < WIDTH; j++)
            b[i][j] = m[i][WIDTH + j] / m[i][i];
}

/* tr (a b)^(1/2) by the iteration of Denman and Beavers. */
static double root_trace(double a[WIDTH][WIDTH], double b[WIDTH][WIDTH])
{
    static double y[WIDTH][WIDTH], z[WIDTH][WIDTH], iy[WIDTH][WIDTH], iz[WIDTH][WIDTH];
    double trace = 0;
    for (int i = 0; i < WIDTH; i++)
        for (int j = 0; j < WIDTH; j++) {
            z[i][j] = i == j;
            y[i][j] = i == j ? 1e-12 : 0; /* a feature may be constant */
            for (int k = 0; k < WIDTH; k++)
                y[i][j] += a[i][k] * b[k][j];
        }
    for (int t = 0; t < 30; t++) {
        invert(y, iy);
        invert(z, iz);
        for (int i = 0; i < WIDTH; i++)
            for (int j = 0; j < WIDTH; j++) {
                y[i][j] = (y[i][j] + iz[i][j]) / 2;
                z[i][j] = (z[i][j] + iy[i][j]) / 2;
            }
    }
    for (int i = 0; i < WIDTH; i++)
        trace += y[i][i];
    return trace;
}

static double fid_again(int n, const float *x, int m, const float *y)
{
    static double a[WIDTH][WIDTH], b[WIDTH][WIDTH];
    double mean[2][WIDTH], fid = 0;
    find_moments(n, x, mean[0], a);
    find_moments(m, y, mean[1], b);
    for (int k = 0; k < WIDTH; k++)
        fid += (mean[0][k] - mean[1][k]) * (mean[0][k] - mean[1][k]) + a[k][k] + b[k][k];
    return fid - 2 * root_trace(a, b);
}

static double kernel(const float *x, const float *y)
{
    double dot = 0;
    for (int k = 0; k < WIDTH; k++)
        dot += (double)x[k] * (double)y[k];
    return pow(dot / WIDTH + 1, 3);
}

/* The mean over subsets: row order[s], order[s + subsets], ... of each side are in subset s. */
static double kid_again(int n, const float *x, const int32_t *order_x, int m, const float *y,
                        const int32_t *order_y, int subsets)
{
    double sum = 0;
    for (int s = 0; s < subsets; s++) {
        double xx = 0, yy = 0, xy = 0;
        int p = n / subsets, q = m / subsets;
        for (int i = 0; i < p; i++)
            for (int j = 0; j < p; j++)
                xx += i == j ? 0 : kernel(x + WIDTH * order_x[s + i * subsets],
                                          x + WIDTH * order_x[s + j * subsets]);
        for (int i = 0; i < q; i++)
            for (int j = 0; j < q; j++)
                yy += i == j ? 0 : kernel(y + WIDTH * order_y[s + i * subsets],
                                          y + WIDTH * order_y[s + j * subsets]);
        for (int i = 0; i < p; i++)
            for (int j = 0; j < q; j++)
                xy += kernel(x + WIDTH * order_x[s + i * subsets],
                             y + WIDTH * order_y[s + j * subsets]);
        sum += xx / (p * (p - 1.)) + yy / (q * (q - 1.)) - 2 * xy / ((double)p * q);
    }
    return sum / subsets;
}

static double square_distance(const float *x, const float *y)
{
    double sum = 0;
    for (int k = 0; k < WIDTH; k++)
        sum += ((double)x[k] - (double)y[k]) * ((double)x[k] - (double)y[k]);
    return sum;
}

/* How far the 5th neighbor of row i is, squared. */
static double reach(int n, const float *x, int i)
{
    double nearest[5] = {HUGE_VAL, HUGE_VAL, HUGE_VAL, HUGE_VAL, HUGE_VAL};
    for (int j = 0; j < n; j++) {
        double d = i == j ? HUGE_VAL : square_distance(x + WIDTH * i, x + WIDTH * j);
        for (int k = 0; k < 5; k++)
            if (d < nearest[k]) {
                double swap = nearest[k];
                nearest[k] = d;
                d = swap;
            }
    }
    return nearest[4];
}

/* The share of rows of x within the reach of a row of y: precision, and turned around recall. */
static double share_within(int n, const float *x, int m, const float *y)
{
    int inside = 0;
    double *radius = must_alloc(sizeof *radius * (size_t)m);
    for (int j = 0; j < m; j++)
        radius[j] = reach(m, y, j);
    for (int i = 0; i < n; i++) {
        bool is_inside = false;
        for (int j = 0; j < m; j++)
            is_inside |= square_distance(x + WIDTH * i, y + WIDTH * j) <= radius[j];
        inside += is_inside;
    }
    free(radius);
    return (double)inside / n;
}

static double inception_again(int n, int classes, const float *p, const int32_t *order)
{
    double score = 0;
    for (int s = 0; s < 10; s++) {
        double mean[16] = {0}, kl = 0;
        int count = 0;
        for (int i = s; i < n; i += 10, count++)
            for (int k = 0; k < classes; k++)
                mean[k] += (double)p[order[i] * classes + k];
        for (int i = s; i < n; i += 10)
            for (int k = 0; k < classes; k++) {
                double q = (double)p[order[i] * classes + k];
                kl += q > 0 ? q * log(q * count / mean[k]) / count : 0;
            }
        score += exp(kl) / 10;
    }
    return score;
}

static void assert_scores(const lt_sample_scores *s, const lt_quality_arrays *a, int n,
                          const float *x, const float *p, const int32_t *order)
{
    assert_near(s->fid, fid_again(n, x, a->held_out, a->held_out_features), 2e-5 * (1 + s->fid));
    assert_near(s->kid.value,
                kid_again(n, x, order, a->held_out, a->held_out_features, a->held_out_order, 10),
                1e-9 * (1 + fabs(s->kid.value)));
    assert_near(s->inception.value, inception_again(n, a->classes, p, order), 1e-9);
    assert_near(s->precision.value, share_within(n, x, a->held_out, a->held_out_features), 1.5 / n);
    assert_near(s->recall.value, share_within(a->held_out, a->held_out_features, n, x), 1.5 / n);
}

static void scores_can_be_computed_again(void **state)
{
    (void)state;
    lt_dataset *d = blobs(0), *others = blobs(1);
    float *images = take_images(others, LT_TRAIN, 0, TEST);
    for (int i = 0; i < TEST * PIXELS; i++) /* so that they are told apart */
        images[i] *= 0.8f;
    lt_quality q;
    lt_quality_arrays a;
    lt_quality_options o = {.feature_steps = STEPS, .with_all_scores = true, .arrays = &a, .with_images = true};
    assert_int_equal(lt_quality_of_images(d, LT_TEST, TEST, images, &o, &q), LT_OK);
    assert_int_equal(a.width, WIDTH);
    assert_int_equal(a.samples * 1000000 + a.held_out * 1000 + a.train, 300300300);
    assert_memory_equal(a.images, images, sizeof *images * TEST * PIXELS);
    assert_scores(&q.samples, &a, a.samples, a.sample_features, a.sample_classes, a.sample_order);
    assert_scores(&q.floor, &a, a.train, a.train_features, a.train_classes, a.train_order);
    lt_quality_arrays_clear(&a);
    free(images);
    lt_dataset_free(d);
    lt_dataset_free(others);
}

/* Held images scored as samples have the features that they have as held-out ones; indices and labels are
   those of the sets, also where images were cut off for validation. */
static void images_are_named_by_index_and_label(void **state)
{
    (void)state;
    lt_dataset *d;
    assert_int_equal(lt_dataset_synthetic(TRAIN, SIDE, SIDE, 1, &(lt_data_options){.validation = 700}, &d), LT_OK);
    float *images = take_images(d, LT_TEST, 0, TEST), *x = must_alloc(sizeof *x * PIXELS);
    lt_quality q;
    lt_quality_arrays a;
    lt_quality_options o = {.feature_steps = STEPS, .with_all_scores = true, .arrays = &a};
    assert_int_equal(lt_quality_of_images(d, LT_TEST, TEST, images, &o, &q), LT_OK);
    assert_null(a.images);
    int valid = 0, right = 0;
    for (int i = 0; i < TEST; i++) {
        int best = 0;
        int32_t label;
        assert_int_equal(a.held_out_index[i], i);
        assert_int_equal(a.held_out_split[i], LT_TEST);
        lt_dataset_labels(d, LT_TEST, &i, 1, &label);
        assert_int_equal(a.held_out_labels[i], label);
        for (int k = 1; k < a.classes; k++) /* the samples are the held-out images */
            best = a.sample_classes[i * a.classes + k] > a.sample_classes[i * a.classes + best] ? k
                                                                                                : best;
        right += best == label;
        lt_dataset_labels(d, (lt_split)a.train_split[i], &a.train_index[i], 1, &label);
        assert_int_equal(a.train_labels[i], label);
        valid += a.train_split[i] == LT_VALID;
    }
    assert_near(valid, TEST * 700. / TRAIN, 2);
    assert_near(q.accuracy, (double)right / TEST, 1e-12);
    assert_memory_equal(a.held_out_features, a.sample_features, sizeof(float) * TEST * WIDTH);
    lt_quality_arrays_clear(&a);
    free(images);
    free(x);
    lt_dataset_free(d);
}

/* Of a model, in several blocks: what is scored are the images of lt_sample, to be had from it, and
   their scores are had from them. */
static void scored_samples_are_those_of_lt_sample(void **state)
{
    (void)state;
    lt_dataset *d = blobs(0);
    lt_model *m = open_model();
    float *images = must_alloc(sizeof *images * MANY * PIXELS);
    lt_quality q, again;
    lt_quality_arrays a;
    lt_quality_options o = {.feature_steps = STEPS, .with_all_scores = true, .seed = 9, .samples = MANY, .arrays = &a,
                            .with_images = true};
    assert_int_equal(lt_sample(m, MANY, 9, 0, images), LT_OK);
    assert_int_equal(lt_quality_measure(m, d, LT_TEST, &o, &q), LT_OK);
    assert_memory_equal(a.images, images, sizeof *images * MANY * PIXELS);
    lt_quality_arrays_clear(&a);
    o.arrays = NULL;
    assert_int_equal(lt_quality_of_images(d, LT_TEST, MANY, images, &o, &again), LT_OK);
    assert_same_quality(&q, &again);
    free(images);
    lt_model_free(m);
    lt_dataset_free(d);
}

static void nothing_is_handed_out_on_failure(void **state)
{
    (void)state;
    lt_dataset *d = blobs(0);
    float *images = take_images(d, LT_TEST, 0, TEST);
    lt_quality q;
    lt_quality_arrays a = {.samples = 7};
    lt_quality_options o = {.feature_steps = STEPS, .with_all_scores = true, .arrays = &a, .with_images = true};
    images[3] = NAN;
    assert_int_equal(lt_quality_of_images(d, LT_TEST, TEST, images, &o, &q), LT_VALUE);
    assert_null(a.sample_features);
    assert_int_equal(a.samples, 0);
    lt_quality_arrays_clear(&a);
    free(images);
    lt_dataset_free(d);
}

/* ---- Noise, as docs/quality.md describes it ---- */

/* Four words of Philox4x32-10, from the paper's description. */
static void philox_again(uint64_t seed, uint64_t step, uint32_t stream, uint32_t counter,
                         uint32_t word[4])
{
    uint32_t c[4] = {counter, stream, (uint32_t)step, (uint32_t)(step >> 32)};
    uint32_t k[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (int round = 0; round < 10; round++) {
        uint64_t p = 0xD2511F53ull * c[0], q = 0xCD9E8D57ull * c[2];
        uint32_t next[4] = {(uint32_t)(q >> 32) ^ c[1] ^ k[0], (uint32_t)q,
                            (uint32_t)(p >> 32) ^ c[3] ^ k[1], (uint32_t)p};
        memcpy(c, next, sizeof c);
        k[0] += 0x9E3779B9;
        k[1] += 0xBB67AE85;
    }
    memcpy(word, c, sizeof c);
}

/* Number `element` of the normals of (seed, stream, step). */
static double normal_again(uint64_t seed, uint64_t step, uint32_t stream, int element)
{
    uint32_t word[4];
    philox_again(seed, step, stream, (uint32_t)element / 4, word);
    const uint32_t *pair = word + element % 4 / 2 * 2;
    double u = ((pair[0] >> 8) + 1) / 16777216.0, v = (pair[1] >> 8) / 16777216.0;
    double radius = sqrt(-2 * log(u)), angle = 2 * 3.14159265358979323846 * v;
    return radius * (element % 2 ? sin(angle) : cos(angle));
}

static void codes_are_those_of_the_documented_noise(void **state)
{
    (void)state;
    enum { CODES = 150, LATENT = 3 };
    const uint64_t seeds[] = {0, 7, 0x123456789abcdefull};
    lt_model *m = open_model();
    for (int s = 0; s < COUNT_OF(seeds); s++) {
        float z[CODES * LATENT];
        assert_int_equal(lt_sample_codes(m, CODES, seeds[s], 0, z), LT_OK);
        for (int i = 0; i < CODES; i++)
            for (int k = 0; k < LATENT; k++)
                assert_near((double)z[i * LATENT + k],
                            normal_again(seeds[s], (uint64_t)i / 64, 0, i % 64 * LATENT + k), 3e-6);
    }
    lt_model_free(m);
}

/* The numbers printed in the document. */
static void documented_vectors_are_right(void **state)
{
    (void)state;
    bytes b;
    char line[160];
    uint32_t w[4];
    assert_int_equal(file_read(TESTS_DIR "/../docs/quality.md", 1 << 20, &b), LT_OK);
    philox_again(0, 0, 0, 0, w);
    snprintf(line, sizeof line, "words    %08x %08x %08x %08x", w[0], w[1], w[2], w[3]);
    assert_text_has((const char *)b.data, line);
    snprintf(line, sizeof line, "normals  %.6f %.6f %.6f %.6f", normal_again(0, 0, 0, 0),
             normal_again(0, 0, 0, 1), normal_again(0, 0, 0, 2), normal_again(0, 0, 0, 3));
    assert_text_has((const char *)b.data, line);
    philox_again(7, 2, 0, 5, w);
    snprintf(line, sizeof line, "words    %08x %08x %08x %08x", w[0], w[1], w[2], w[3]);
    assert_text_has((const char *)b.data, line);
    snprintf(line, sizeof line, "normals  %.6f %.6f %.6f %.6f", normal_again(7, 2, 0, 20),
             normal_again(7, 2, 0, 21), normal_again(7, 2, 0, 22), normal_again(7, 2, 0, 23));
    assert_text_has((const char *)b.data, line);
    bytes_clear(&b);
}

int main(void)
{
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, open_dir, close_dir)
    const struct CMUnitTest tests[] = {
        WITH_DIR(scores_can_be_computed_again),
        WITH_DIR(images_are_named_by_index_and_label),
        WITH_DIR(scored_samples_are_those_of_lt_sample),
        WITH_DIR(nothing_is_handed_out_on_failure),
        cmocka_unit_test(codes_are_those_of_the_documented_noise),
        cmocka_unit_test(documented_vectors_are_right),
    };
    return cmocka_run_group_tests_name("scored", tests, NULL, NULL);
}
