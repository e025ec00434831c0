/* SPDX-License-Identifier: MIT */
/* Pictures resized, cut and recolored: the bytes that Pillow makes, on any number of threads. */
#include "base/memory.h"
#include "base/philox.h"
#include "base/status.h"
#include "data/catalog.h"
#include "image/transform.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Pictures of noise, and what Pillow makes of them (tools/golden_data.py) ---- */

static const struct golden {
    int h, w, c, to_h, to_w, to_c;
    picture_crop crop;
    const char *sha256;
} goldens[] = {
    {28, 28, 1, 32, 32, 1, CROP_NONE,
     "73f7162cb201a9c56b61689f60ae75c5c016ab24791fd6e750965787119057c1"},
    {28, 28, 1, 14, 14, 1, CROP_NONE,
     "78abdacc4bcc3cb4aa25d4da1572ef518b463da67d5e514240848c63043bcf83"},
    {37, 53, 3, 32, 32, 3, CROP_NONE,
     "fd35ed0f78c22d88cdfcc253c5d83ca811f27dff2b2d9166258dc641eed2d853"},
    {375, 500, 3, 64, 64, 3, CROP_NONE,
     "9dd9ddfd99accaea2cae9ec8fb4f9f3a00b9e99a43f74e51b7d780ec2fa23a3c"},
    {1, 1, 1, 5, 5, 1, CROP_NONE,
     "ddf90baf810dbbe66cb0f15a9c08ca3521c9deea4254d92882d1a05da92de964"},
    {5, 5, 3, 1, 1, 3, CROP_NONE,
     "1989f2a7f26d069ec2905ad3dc48009b5d6dd903b619974e8d2c0905bd4870b9"},
    {7, 3, 3, 7, 9, 3, CROP_NONE,
     "db33c33ee98aa2dc420d8f062df13ef997123267e4bf2e5df6bbd1f17c050d7a"},
    {7, 3, 1, 20, 3, 1, CROP_NONE,
     "fad1179d44bd00579d741998f789e1ef4ef04df0f0f846257969974d4677306d"},
    {100, 3, 3, 3, 100, 3, CROP_NONE,
     "b0c086ea845678720dc9d55bc2ce23985a48f57f120f7c555794d171e1c3af6b"},
    {16, 16, 3, 16, 16, 1, CROP_NONE,
     "0c29e2e229792653c96825080750cbd7a4fc8652a70efbef636ec279aa1cafc9"},
    {64, 48, 3, 20, 20, 1, CROP_NONE,
     "2c41946d2ffcfdb961a7d7b2a4390eba3ed2989ccdb02ce88ca85250086e3b2f"},
    {9, 8, 1, 12, 12, 3, CROP_NONE,
     "0f1e70da7f9de2083ca28f7b27551c6d96159bb7d8e9b2f153d67a07b20ace4f"},
    {375, 500, 3, 64, 64, 3, CROP_CENTER,
     "37b3c78b06731fa43ccfa1fc4a93efd4d8eb3c8194e9790e69ea24ecae8187a2"},
    {53, 37, 1, 16, 24, 1, CROP_CENTER,
     "4bdae4c7a5cbb1a44eeb622c43364d6be830bebd0d86a80161da78a5c9839215"},
    {375, 500, 3, 64, 64, 3, CROP_FIT,
     "17bc37dd0929d014ae906c18c599b0d5d1a2dddf6819183e33d6de63c75f1fb3"},
    {53, 37, 1, 48, 64, 3, CROP_FIT,
     "4d98078d83e8424b892c1b6dd5bd8271da9f7c7bea2dd7e683fa8623e630079a"},
    {3, 700, 1, 8, 8, 1, CROP_FIT,
     "71d61b77162c39cbff7b472ec8aa699734cd4adfe1880f07c23fcbb32033469c"},
};

/* The bytes of picture i. */
static unsigned char *make_noise(int i, size_t size)
{
    uint32_t *words = must_alloc((size + 3) / 4 * 4 * sizeof *words);
    unsigned char *noise = must_alloc(size);
    philox_words(&(philox_key){.seed = 1, .step = (uint64_t)i}, 0, (int64_t)size, words);
    for (size_t k = 0; k < size; k++)
        noise[k] = (unsigned char)(words[k] >> 24);
    free(words);
    return noise;
}

static void assert_hash(const char *what, int i, const void *data, size_t size, const char *want)
{
    char found[SHA256_TEXT];
    sha256_text(data, size, found);
    if (strcmp(found, want) != 0)
        fail_msg("%s %d: expected %s, found %s", what, i, want, found);
}

static void pictures_are_those_of_pillow(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT_OF(goldens); i++) {
        const struct golden *g = &goldens[i];
        transform t = {g->to_h, g->to_w, g->to_c, g->crop, false};
        picture p = {.h = g->h, .w = g->w, .c = g->c};
        p.pixels = make_noise(i, (size_t)p.h * (size_t)p.w * (size_t)p.c);
        size_t size = (size_t)t.h * (size_t)t.w * (size_t)t.c;
        unsigned char *out = must_alloc(size);
        memset(out, 0xee, size);
        assert_int_equal(transform_picture(&t, &p, out), LT_OK);
        assert_hash("picture", i, out, size, g->sha256);
        free(p.pixels);
        free(out);
    }
}

static void floats_are_those_of_pillow(void **state)
{
    (void)state;
    static const char *const hashes[] = {
        "5a763d14833111dfe952508ea9d35616be21e71bd72ba7fb73b6840eb63da862",
        "21f84d01258e4bb07449aa1e474461074d27b4a27469862e3b63849ee67ac50c",
    };
    for (int i = 0; i < COUNT_OF(hashes); i++) {
        const struct golden *g = &goldens[i];
        size_t n = (size_t)g->h * (size_t)g->w, size = (size_t)g->to_h * (size_t)g->to_w;
        unsigned char *noise = make_noise(i, n);
        float *in = must_alloc(n * sizeof *in), *out = must_alloc(size * sizeof *out);
        for (size_t k = 0; k < n; k++)
            in[k] = (float)noise[k] / 255;
        transform t = {.h = g->to_h, .w = g->to_w, .crop = CROP_NONE};
        assert_int_equal(transform_floats(&t, 1, &(picture){.h = g->h, .w = g->w, .c = 1}, in, out), LT_OK);
        assert_hash("floats", i, out, size * sizeof *out, hashes[i]);
        free(noise);
        free(in);
        free(out);
    }
}

/* ---- Colors ---- */

/* The formula of transform.h, for every sum of two channels and all grays. */
static void gray_is_the_weighted_sum(void **state)
{
    (void)state;
    enum { N = 256 * 256 };
    unsigned char *rgb = must_alloc(3 * N), *gray = must_alloc(N);
    for (int rest = 0; rest < 3; rest++) {
        for (int i = 0; i < N; i++) {
            rgb[3 * i + rest] = (unsigned char)(rest == 1 ? i : 0);
            rgb[3 * i + (rest + 1) % 3] = (unsigned char)(i >> 8);
            rgb[3 * i + (rest + 2) % 3] = (unsigned char)i;
        }
        picture p = {.h = 256, .w = 256, .c = 3, .pixels = rgb};
        assert_int_equal(transform_picture(&(transform){.c = 1}, &p, gray), LT_OK);
        for (int i = 0; i < N; i++) {
            const unsigned char *q = rgb + 3 * i;
            assert_int_equal(gray[i], (19595 * q[0] + 38470 * q[1] + 7471 * q[2] + 32768) / 65536);
        }
    }
    free(rgb);
    free(gray);
}

/* Of floats: the luma of ITU-R BT.601, whose weights are kept in 1/65536. */
static void gray_of_floats_is_luma(void **state)
{
    (void)state;
    static const float rgb[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, .25f, .5f, .75f};
    const double want[] = {.299, .587, .114, 1, .299 * .25 + .587 * .5 + .114 * .75};
    float gray[COUNT_OF(want)];
    picture p = {.h = 1, .w = COUNT_OF(want), .c = 3};
    assert_int_equal(transform_floats(&(transform){.c = 1}, 1, &p, rgb, gray), LT_OK);
    for (int i = 0; i < COUNT_OF(want); i++)
        assert_true(fabs((double)gray[i] - want[i]) < 1e-5);
}

static void white_stays_white(void **state)
{
    (void)state;
    for (int side = 1; side < 70; side++) {
        unsigned char white[40 * 3], out[70 * 70];
        float ones[40], floats[70 * 70];
        memset(white, 255, sizeof white);
        for (int i = 0; i < 40; i++)
            ones[i] = 1;
        transform t = {side, 70 - side, 1, CROP_NONE, false};
        picture p = {.h = 5, .w = 8, .c = 3, .pixels = white}, gray = {.h = 5, .w = 8, .c = 1};
        assert_int_equal(transform_picture(&t, &p, out), LT_OK);
        assert_int_equal(transform_floats(&t, 1, &gray, ones, floats), LT_OK);
        for (int i = 0; i < side * (70 - side); i++) {
            assert_int_equal(out[i], 255);
            assert_true(floats[i] <= 1 && floats[i] > 0.999999f);
        }
    }
}

/* ---- Sizes ---- */

static void nothing_wanted_is_a_copy(void **state)
{
    (void)state;
    unsigned char *noise = make_noise(0, 6 * 5 * 4), out[6 * 5 * 4];
    assert_int_equal(transform_bytes(&(transform){0}, 1, &(picture){.h = 6, .w = 5, .c = 4}, noise, out),
                     LT_OK);
    assert_memory_equal(out, noise, sizeof out);
    free(noise);
    int h, w, c;
    transform_size(&(transform){0}, &(picture){.h = 6, .w = 5, .c = 4}, &h, &w, &c);
    assert_int_equal(h * 100 + w * 10 + c, 654);
    transform_size(&(transform){.h = 2, .w = 3, .c = 1}, &(picture){.h = 6, .w = 5, .c = 4}, &h, &w, &c);
    assert_int_equal(h * 100 + w * 10 + c, 231);
}

/* Cut over the cores, each is what it would be alone. */
static void many_are_each_as_alone(void **state)
{
    (void)state;
    enum { N = 1500, H = 11, W = 17, C = 3, TO = 9 * 9 };
    static const transform transforms[] = {
        {9, 9, 0, CROP_FIT, false}, {9, 9, 1, CROP_CENTER, false}, {9, 9, 3, CROP_NONE, false}};
    unsigned char *in = make_noise(3, (size_t)N * H * W * C), *out = must_alloc((size_t)N * TO * C);
    for (int k = 0; k < COUNT_OF(transforms); k++) {
        size_t size = (size_t)(transforms[k].c == 1 ? TO : TO * C);
        assert_int_equal(transform_bytes(&transforms[k], N, &(picture){.h = H, .w = W, .c = C}, in, out),
                         LT_OK);
        for (size_t i = 0; i < N; i++) {
            unsigned char alone[TO * C];
            picture p = {.h = H, .w = W, .c = C, .pixels = in + i * H * W * C};
            assert_int_equal(transform_picture(&transforms[k], &p, alone), LT_OK);
            assert_memory_equal(out + i * size, alone, size);
        }
    }
    free(in);
    free(out);
}

static int allocations_left;
static bool allow_some(void *user, size_t size)
{
    (void)user, (void)size;
    return allocations_left-- > 0;
}

static void failing_allocations_are_errors(void **state)
{
    (void)state;
    unsigned char in[4] = {0}, out[9];
    picture p = {.h = 2, .w = 2, .c = 1, .pixels = in};
    lt_set_allow_memory(allow_some, NULL);
    for (int k = 0; k <= 2; k++) {
        allocations_left = k;
        assert_int_equal(transform_picture(&(transform){3, 3, 0, CROP_NONE, false}, &p, out),
                         k < 2 ? LT_NO_MEMORY : LT_OK);
    }
    lt_set_allow_memory(NULL, NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_those_of_pillow),
        cmocka_unit_test(floats_are_those_of_pillow),
        cmocka_unit_test(gray_is_the_weighted_sum),
        cmocka_unit_test(gray_of_floats_is_luma),
        cmocka_unit_test(white_stays_white),
        cmocka_unit_test(nothing_wanted_is_a_copy),
        cmocka_unit_test(many_are_each_as_alone),
        cmocka_unit_test(failing_allocations_are_errors),
    };
    return cmocka_run_group_tests_name("transform", tests, NULL, NULL);
}
