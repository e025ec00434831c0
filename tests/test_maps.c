/* SPDX-License-Identifier: MIT */
/* Codes of a split against the posterior that is known, and the axes they vary along against data
   whose axes are known and against formulas for small matrices. */
#include "base/status.h"
#include "eval/visit.h"

#include "linear_model.h"

static lt_codes encode(const fixture *f, const lt_codes_options *o)
{
    lt_codes c;
    if (lt_encode_split(f->model, f->data, LT_TRAIN, o, &c) != LT_OK)
        fail_msg("%s", lt_last_error());
    return c;
}

/* ---- Codes ---- */

static void check_posterior(const fixture *f, const lt_codes *c)
{
    for (int i = 0; i < c->n; i++) {
        double x[PIXELS];
        read_image(f, c->index[i], x);
        for (int k = 0; k < LATENT; k++) {
            double variance = 1 / (1 + dot(W[k], W[k]) / (SIGMA * SIGMA));
            double mean = (dot(W[k], x) - dot(W[k], B)) / (SIGMA * SIGMA) * variance;
            assert_near((double)c->mean[i * LATENT + k], mean, 1e-5);
            assert_near((double)c->logvar[i * LATENT + k], log(variance), 1e-5);
        }
    }
}

static void codes_are_those_of_the_linear_posterior(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    int32_t labels[IMAGES];
    for (int n = 0; n <= IMAGES; n += 17) {
        lt_codes c = encode(&f, &(lt_codes_options){.images = n});
        assert_int_equal(c.n, n ? n : IMAGES);
        assert_int_equal(c.latent, LATENT);
        assert_true(c.has_normal_prior);
        check_posterior(&f, &c);
        for (int i = 0; i < c.n; i++)
            assert_int_equal(c.index[i], stratified_index(i, c.n, IMAGES));
        assert_int_equal(lt_dataset_labels(f.data, LT_TRAIN, c.index, c.n, labels), LT_OK);
        assert_memory_equal(c.labels, labels, sizeof *labels * (size_t)c.n);
        lt_codes_clear(&c);
    }
    fixture_close(&f);
}

static void other_priors_are_told(void **state)
{
    (void)state;
    static const char *const sets[] = {"model.prior=mixture 2"};
    fixture f;
    fixture_open(&f, 0);
    lt_recipe *r = lt_recipe_parse("linear", recipe_text, sets, 1);
    assert_non_null(r);
    lt_model_free(f.model);
    f.model = lt_model_create(r, (lt_image_size){HEIGHT, WIDTH, 1});
    lt_recipe_free(r);
    lt_codes c = encode(&f, NULL);
    assert_false(c.has_normal_prior);
    lt_codes_clear(&c);
    fixture_close(&f);
}

/* One of each part, and no step kept with ten classes that take turns. */
static void places_are_spread(void **state)
{
    (void)state;
    int seen[10] = {0};
    for (int i = 0; i < 1000; i++) {
        int64_t place = lt_stratified_index(i, 1000, 10000);
        assert_true(place >= 10 * i && place < 10 * (i + 1));
        seen[place % 10]++;
    }
    for (int k = 0; k < 10; k++) /* binomial: 100 +- 9.5 */
        assert_true(seen[k] > 60 && seen[k] < 140);
    for (int i = 0; i < 7; i++)
        assert_int_equal(lt_stratified_index(i, 7, 7), i);
}

/* (z - mean) / sigma is standard normal: its first four moments over many draws. */
static void draws_are_of_each_posterior(void **state)
{
    (void)state;
    enum { SEEDS = 400, ALL = SEEDS * IMAGES * LATENT };
    double sum[4] = {0}, across = 0;
    fixture f;
    fixture_open(&f, 0.7);
    for (int seed = 0; seed < SEEDS; seed++) {
        lt_codes c = encode(&f, &(lt_codes_options){.seed = (uint64_t)seed, .run.threads = 1});
        double last = 0;
        for (int i = 0; i < IMAGES * LATENT; i++) {
            double e = ((double)c.z[i] - (double)c.mean[i]) / exp(0.5 * (double)c.logvar[i]);
            for (int k = 0; k < 4; k++)
                sum[k] += pow(e, k + 1) / ALL;
            across += e * last / ALL;
            last = e;
        }
        lt_codes_clear(&c);
    }
    double unit = 1 / sqrt(ALL); /* of the moments of a normal: 1, sqrt 2, sqrt 15, sqrt 96 of it */
    assert_near(sum[0], 0, 4 * unit);
    assert_near(sum[1], 1, 4 * sqrt(2) * unit);
    assert_near(sum[2], 0, 4 * sqrt(15) * unit);
    assert_near(sum[3], 3, 4 * sqrt(96) * unit);
    assert_near(across, 0, 4 * unit);
    fixture_close(&f);
}

static void codes_have_the_same_bits_at_any_number_of_threads(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    lt_codes a = encode(&f, &(lt_codes_options){.seed = 3, .run.threads = 1});
    size_t size = sizeof *a.z * IMAGES * LATENT;
    for (int threads = 2; threads < 5; threads++) {
        lt_codes b = encode(&f, &(lt_codes_options){.seed = 3, .run.threads = threads});
        assert_memory_equal(a.mean, b.mean, size);
        assert_memory_equal(a.logvar, b.logvar, size);
        assert_memory_equal(a.z, b.z, size);
        lt_codes_clear(&b);
    }
    lt_codes other = encode(&f, &(lt_codes_options){.seed = 4});
    assert_true(memcmp(a.z, other.z, size) != 0);
    assert_memory_equal(a.mean, other.mean, size);
    lt_codes_clear(&other);
    lt_codes_clear(&a);
    fixture_close(&f);
}

static bool allow_until(void *user, size_t size)
{
    int *left = user;
    (void)size;
    return (*left)-- > 0;
}

static void encoding_can_stop_and_refuses_nonsense(void **state)
{
    (void)state;
    fixture f;
    lt_codes c;
    fixture_open(&f, 0);
    progress p = {.stop_at = 1};
    lt_codes_options o = {.run = {.progress = count_progress, .user = &p}};
    assert_int_equal(lt_encode_split(f.model, f.data, LT_TRAIN, &o, &c), LT_INTERRUPTED);
    lt_codes_clear(&c);
    o = (lt_codes_options){.images = -1};
    assert_int_equal(lt_encode_split(f.model, f.data, LT_TRAIN, &o, &c), LT_VALUE);
    assert_int_equal(lt_encode_split(f.model, f.data, LT_VALID, NULL, &c), LT_VALUE);
    int status = LT_NO_MEMORY, n = 0;
    for (; status == LT_NO_MEMORY && n < 1000; n++) {
        int left = n;
        lt_set_allow_memory(allow_until, &left);
        status = lt_encode_split(f.model, f.data, LT_TRAIN, &(lt_codes_options){.run.threads = 1}, &c);
        lt_set_allow_memory(NULL, NULL);
        lt_codes_clear(&c);
    }
    assert_int_equal(status, LT_OK);
    assert_true(n > 5); /* its own arrays alone */
    fixture_close(&f);
}

/* ---- Axes ---- */

static lt_pca find_axes(int n, int width, const float *rows, int count)
{
    lt_pca a;
    if (lt_pca_fit(n, width, rows, count, &a) != LT_OK)
        fail_msg("%s", lt_last_error());
    for (int i = 0; i < count; i++) {
        double most = 0, part = 0;
        for (int j = 0; j < count; j++) {
            double product = 0;
            for (int k = 0; k < width; k++)
                product += a.axis[i * width + k] * a.axis[j * width + k];
            assert_near(product, i == j, 1e-12);
        }
        for (int k = 0; k < width; k++) {
            double size = fabs(a.axis[i * width + k]);
            part = size > most ? a.axis[i * width + k] : part;
            most = fmax(size, most);
        }
        assert_true(part > 0);
        assert_true(a.variance[i] >= 0 && (i == 0 || a.variance[i] <= a.variance[i - 1]));
    }
    return a;
}

/* Six points at center +- length times three axes that are turned out of the coordinates': along
   axis k the variance is 2 length^2 / 6. */
static void axes_of_a_cross_are_its_arms(void **state)
{
    (void)state;
    static const double arm[3][3] = {{2 / 3., -1 / 3., 2 / 3.}, {2 / 3., 2 / 3., -1 / 3.},
                                     {-1 / 3., 2 / 3., 2 / 3.}}, center[3] = {5, -2, 100};
    static const double length[3] = {0.5, 3, 1};
    static const int order[3] = {1, 2, 0};
    float rows[6][3];
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 3; k++)
            rows[i][k] = (float)(center[k] + (i % 2 ? -1 : 1) * length[i / 2] * arm[i / 2][k]);
    lt_pca a = find_axes(6, 3, rows[0], 3);
    for (int k = 0; k < 3; k++) {
        const double *want = arm[order[k]];
        assert_near(a.center[k], center[k], 1e-5);
        assert_near(a.variance[k], length[order[k]] * length[order[k]] / 3, 1e-4);
        double same = 0;
        for (int j = 0; j < 3; j++)
            same += want[j] * a.axis[3 * k + j];
        assert_near(fabs(same), 1, 1e-9);
        assert_near(fabs(lt_pca_project(&a, k, rows[2 * order[k]])), length[order[k]], 1e-4);
        assert_near(lt_pca_project(&a, k, rows[2 * order[(k + 1) % 3]]), 0, 1e-4);
    }
    assert_near(a.total, (0.25 + 9 + 1) / 3, 1e-4);
    lt_pca_clear(&a);
}

/* Numbers between -1 and 1 that look random. */
static float jumble(int i)
{
    double s = 43758.5453 * sin(12.9898 * (i + 1));
    return (float)(2 * (s - floor(s)) - 1);
}

/* The covariance, in another order of sums. */
static void find_covariance(int n, int width, const float *rows, double *a)
{
    for (int j = 0; j < width; j++)
        for (int k = 0; k < width; k++) {
            double sum = 0, sum_j = 0, sum_k = 0;
            for (int i = n - 1; i >= 0; i--) {
                double x = (double)rows[i * width + j], y = (double)rows[i * width + k];
                sum += x * y;
                sum_j += x;
                sum_k += y;
            }
            a[j * width + k] = sum / n - sum_j / n * (sum_k / n);
        }
}

/* The roots of the characteristic polynomial of a 2 x 2 matrix. */
static void two_latents_by_formula(void **state)
{
    (void)state;
    enum { N = 31 };
    for (int round = 0; round < 20; round++) {
        float rows[N][2];
        double c[4];
        for (int i = 0; i < N; i++) {
            float x = jumble(round * 100 + i), y = jumble(round * 100 + 50 + i);
            rows[i][0] = x + 0.1f * (float)round * y;
            rows[i][1] = y;
        }
        find_covariance(N, 2, rows[0], c);
        double half = (c[0] + c[3]) / 2, d = sqrt((c[0] - c[3]) * (c[0] - c[3]) / 4 + c[1] * c[1]);
        double angle = 0.5 * atan2(2 * c[1], c[0] - c[3]);
        lt_pca a = find_axes(N, 2, rows[0], 2);
        assert_near(a.variance[0], half + d, 1e-12);
        assert_near(a.variance[1], half - d, 1e-12);
        assert_near(fabs(cos(angle) * a.axis[0] + sin(angle) * a.axis[1]), 1, 1e-12);
        lt_pca_clear(&a);
    }
}

/* The trigonometric formula of the roots of a cubic (Smith 1961). */
static void three_latents_by_formula(void **state)
{
    (void)state;
    enum { N = 40 };
    for (int round = 0; round < 20; round++) {
        float rows[3 * N];
        double c[9], b[9], p = 0;
        for (int i = 0; i < 3 * N; i++)
            rows[i] = jumble(round * 1000 + i) * (float)(i % 3 + 1);
        find_covariance(N, 3, rows, c);
        double q = (c[0] + c[4] + c[8]) / 3;
        for (int i = 0; i < 9; i++)
            b[i] = c[i] - (i % 4 == 0 ? q : 0);
        for (int i = 0; i < 9; i++)
            p += b[i] * b[i] / 6;
        p = sqrt(p);
        double det = b[0] * (b[4] * b[8] - b[5] * b[7]) - b[1] * (b[3] * b[8] - b[5] * b[6]) +
                     b[2] * (b[3] * b[7] - b[4] * b[6]);
        double angle = acos(det / (2 * p * p * p)) / 3, turn = acos(-0.5);
        double want[3] = {q + 2 * p * cos(angle), q + 2 * p * cos(angle - turn),
                          q + 2 * p * cos(angle + turn)};
        lt_pca a = find_axes(N, 3, rows, 3);
        for (int k = 0; k < 3; k++)
            assert_near(a.variance[k], want[k], 1e-11);
        lt_pca_clear(&a);
    }
}

/* C a = variance a, and in no direction across the axes found do rows vary more. */
static void many_latents_have_their_axes(void **state)
{
    (void)state;
    enum { N = 300, MANY = 40 };
    static float rows[N * MANY];
    static double c[MANY * MANY];
    for (int i = 0; i < N * MANY; i++)
        rows[i] = jumble(i) * (1 + 0.02f * (float)(i % MANY)) + jumble(i / MANY);
    find_covariance(N, MANY, rows, c);
    lt_pca a = find_axes(N, MANY, rows, 2);
    double trace = 0;
    for (int k = 0; k < MANY; k++) {
        for (int axis = 0; axis < 2; axis++) {
            double y = 0;
            for (int j = 0; j < MANY; j++)
                y += c[k * MANY + j] * a.axis[axis * MANY + j];
            assert_near(y, a.variance[axis] * a.axis[axis * MANY + k], 1e-11);
        }
        trace += c[k * MANY + k];
    }
    assert_near(a.total, trace, 1e-10);
    assert_true(a.variance[0] > 10 && a.variance[1] < 2); /* what is common to a row; the rest */
    for (int round = 0; round < 50; round++) {
        double v[MANY], along = 0, size = 0, spread = 0;
        for (int k = 0; k < MANY; k++)
            v[k] = (double)jumble(round * MANY + k);
        for (int k = 0; k < MANY; k++)
            along += v[k] * a.axis[k];
        for (int k = 0; k < MANY; k++) {
            v[k] -= along * a.axis[k];
            size += v[k] * v[k];
        }
        for (int j = 0; j < MANY; j++)
            for (int k = 0; k < MANY; k++)
                spread += v[j] * c[j * MANY + k] * v[k] / size;
        assert_true(spread < a.variance[1]);
    }
    lt_pca_clear(&a);
}

/* Corners of a regular polygon vary by r^2 / 2 in every direction; a single row does not at all. */
static void where_no_axis_is_better_some_are_found(void **state)
{
    (void)state;
    enum { CORNERS = 12 };
    float ring[CORNERS][3], one[3] = {1, -7, 3}, same[9] = {2, 2, 2, 2, 2, 2, 2, 2, 2};
    for (int i = 0; i < CORNERS; i++) {
        ring[i][0] = (float)(3 * cos(i * acos(-1) / 6));
        ring[i][1] = (float)(3 * sin(i * acos(-1) / 6));
        ring[i][2] = 1;
    }
    lt_pca a = find_axes(CORNERS, 3, ring[0], 3);
    assert_near(a.variance[0], 4.5, 1e-6);
    assert_near(a.variance[1], 4.5, 1e-6);
    assert_near(a.variance[2], 0, 1e-12);
    assert_near(fabs(a.axis[8]), 1, 1e-9);
    lt_pca_clear(&a);
    for (int i = 0; i < 2; i++) {
        a = find_axes(i ? 3 : 1, 3, i ? same : one, 2);
        assert_true(a.variance[0] == 0 && a.variance[1] == 0 && a.total == 0);
        assert_true(lt_pca_project(&a, 0, i ? same : one) == 0);
        lt_pca_clear(&a);
    }
    a = find_axes(2, 1, ring[0], 1);
    assert_near(a.axis[0], 1, 0);
    lt_pca_clear(&a);
}

/* A diagonal Gaussian seen along axes turned by an angle. */
static void ellipses_turn_with_the_axes(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        double angle = 0.3 * i, c = cos(angle), s = sin(angle), v = 4, w = 0.25;
        double axis[4] = {c, s, -s, c}, center[2] = {0};
        float logvar[2] = {(float)log(v), (float)log(w)};
        lt_pca a = {.count = 2, .width = 2, .axis = axis, .center = center};
        assert_near(lt_pca_covariance(&a, 0, 0, logvar), c * c * v + s * s * w, 1e-6);
        assert_near(lt_pca_covariance(&a, 1, 1, logvar), s * s * v + c * c * w, 1e-6);
        assert_near(lt_pca_covariance(&a, 0, 1, logvar), c * s * (w - v), 1e-6);
    }
}

static void axes_refuse_nonsense(void **state)
{
    (void)state;
    lt_pca a;
    const float rows[4] = {1, 2, (float)NAN, 4};
    static const int sizes[][3] = {{0, 2, 1}, {2, 0, 0}, {2, 2, 3}, {2, 2, 0},
                                   {1, LT_MAX_PCA_WIDTH + 1, 1}};
    assert_int_equal(lt_pca_fit(2, 2, rows, 2, &a), LT_VALUE);
    assert_non_null(strstr(lt_last_error(), "row 1 is not finite"));
    for (int i = 0; i < COUNT_OF(sizes); i++) {
        assert_int_equal(lt_pca_fit(sizes[i][0], sizes[i][1], rows, sizes[i][2], &a),
                         LT_VALUE);
        assert_null(a.axis);
        lt_pca_clear(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_those_of_the_linear_posterior),
        cmocka_unit_test(other_priors_are_told),
        cmocka_unit_test(places_are_spread),
        cmocka_unit_test(draws_are_of_each_posterior),
        cmocka_unit_test(codes_have_the_same_bits_at_any_number_of_threads),
        cmocka_unit_test(encoding_can_stop_and_refuses_nonsense),
        cmocka_unit_test(axes_of_a_cross_are_its_arms),
        cmocka_unit_test(two_latents_by_formula),
        cmocka_unit_test(three_latents_by_formula),
        cmocka_unit_test(many_latents_have_their_axes),
        cmocka_unit_test(where_no_axis_is_better_some_are_found),
        cmocka_unit_test(ellipses_turn_with_the_axes),
        cmocka_unit_test(axes_refuse_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
