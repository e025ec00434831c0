/* SPDX-License-Identifier: MIT */
/* PNG files, read back with libpng, and the grids in them. */
#include "base/memory.h"
#include "base/status.h"

#include <latent/plot.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include <cmocka.h>

#include "says.h"
#include "scratch.h"

static void assert_png_is(const char *path, const lt_image *want)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&png, path));
    assert_int_equal(png.width, want->width);
    assert_int_equal(png.height, want->height);
    assert_int_equal(png.format, want->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB);
    size_t size = PNG_IMAGE_SIZE(png);
    unsigned char *pixels = must_alloc(size);
    assert_true(png_image_finish_read(&png, NULL, pixels, 0, NULL));
    assert_memory_equal(pixels, want->pixels, size);
    free(pixels);
}

static void png_reads_back_the_same(void **state)
{
    (void)state;
    unsigned char pixels[5 * 7 * 3];
    for (int i = 0; i < COUNT_OF(pixels); i++)
        pixels[i] = (unsigned char)(i * 37);
    const lt_image rgb = {5, 7, 3, pixels}, gray = {15, 7, 1, pixels};
    const char *path = in_dir("x.png");
    assert_int_equal(lt_image_write(path, &rgb), LT_OK);
    assert_png_is(path, &rgb);
    assert_int_equal(lt_image_write(path, &gray), LT_OK);
    assert_png_is(path, &gray);
    assert_int_equal(count_names(".x.png"), 0);
}

static void png_of_nothing_is_refused(void **state)
{
    (void)state;
    unsigned char pixels[16] = {0};
    const lt_image wrong[] = {{0, 2, 1, pixels}, {2, -1, 1, pixels}, {2, 2, 2, pixels},
                              {2, 2, 4, pixels}, {2, 2, 1, NULL},    {0}};
    for (int i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(lt_image_write(in_dir("wrong.png"), &wrong[i]), LT_VALUE);
    assert_false(file_exists(in_dir("wrong.png")));
    assert_int_equal(lt_image_write(in_dir("no/x.png"), &(lt_image){2, 2, 1, pixels}),
                     LT_NOT_FOUND);
}

static void grid_places_zooms_and_clamps(void **state)
{
    (void)state;
    /* three images of 1 x 2 */
    static const float images[] = {0, 1, .5f, -3, 7, INFINITY};
    const lt_image_grid_options o = {.columns = 2, .zoom = 2, .gap = 1, .background = {9, 9, 9}};
    lt_image grid;
    assert_int_equal(lt_image_grid(images, 3, 1, 2, 1, &o, &grid), LT_OK);
    static const unsigned char want[7 * 11] = {9, 9,   9,   9,   9,   9, 9,   9,   9, 9, 9, /* */
                                               9, 0,   0,   255, 255, 9, 128, 128, 0, 0, 9, /* */
                                               9, 0,   0,   255, 255, 9, 128, 128, 0, 0, 9, /* */
                                               9, 9,   9,   9,   9,   9, 9,   9,   9, 9, 9, /* */
                                               9, 255, 255, 255, 255, 9, 9,   9,   9, 9, 9, /* */
                                               9, 255, 255, 255, 255, 9, 9,   9,   9, 9, 9, /* */
                                               9, 9,   9,   9,   9,   9, 9,   9,   9, 9, 9};
    assert_int_equal(grid.width, 11);
    assert_int_equal(grid.height, 7);
    assert_int_equal(grid.channels, 1);
    assert_memory_equal(grid.pixels, want, sizeof want);
    lt_image_clear(&grid);
    lt_image_clear(NULL);
    assert_null(grid.pixels);
}

static void grid_draws_nan_magenta(void **state)
{
    (void)state;
    static const float gray[] = {1, NAN}, color[] = {0, .2f, 1, 1, NAN, 0};
    static const unsigned char want_gray[] = {255, 255, 255, 255, 0, 255};
    static const unsigned char want_color[] = {0, 51, 255, 255, 0, 255};
    const lt_image_grid_options o = {.zoom = 1};
    lt_image grid;
    assert_int_equal(lt_image_grid(gray, 1, 1, 2, 1, &o, &grid), LT_OK);
    assert_int_equal(grid.channels, 3);
    assert_memory_equal(grid.pixels, want_gray, sizeof want_gray);
    lt_image_clear(&grid);
    assert_int_equal(lt_image_grid(color, 1, 1, 2, 3, &o, &grid), LT_OK);
    assert_memory_equal(grid.pixels, want_color, sizeof want_color);
    lt_image_clear(&grid);
}

static void grid_has_pleasant_defaults(void **state)
{
    (void)state;
    float *images = must_alloc(10 * 28 * 28 * sizeof *images);
    lt_image grid;
    assert_int_equal(lt_image_grid(images, 10, 28, 28, 1, NULL, &grid), LT_OK);
    assert_int_equal(grid.width, 4 * 28 * 3); /* 4 columns, 3 rows, zoom 3, no gap */
    assert_int_equal(grid.height, 3 * 28 * 3);
    assert_int_equal(lt_image_write(in_dir("grid.png"), &grid), LT_OK);
    assert_png_is(in_dir("grid.png"), &grid);
    lt_image_clear(&grid);
    const lt_image_grid_options red = {.background = {255, 0, 0}};
    assert_int_equal(lt_image_grid(images, 3, 28, 28, 1, &red, &grid), LT_OK);
    assert_int_equal(grid.channels, 3);
    assert_int_equal(grid.pixels[3 * (168 * 168 - 1)], 255); /* the empty place */
    lt_image_clear(&grid);
    free(images);
}

static bool refuse(void *user, size_t n)
{
    (void)user;
    (void)n;
    return false;
}

static void grid_of_wrong_sizes_is_refused(void **state)
{
    (void)state;
    static const float x[12];
    static const struct {
        int n, h, w, c;
        lt_image_grid_options o;
    } wrong[] = {
        {.n = 0, .h = 1, .w = 1, .c = 1},
        {.n = 1, .h = 0, .w = 1, .c = 1},
        {.n = 1, .h = 1, .w = -1, .c = 1},
        {.n = 1, .h = 1, .w = 1, .c = 2},
        {.n = 1, .h = 1, .w = 1, .c = 4},
        {.n = 1, .h = 1, .w = 1, .c = 1, .o.columns = -1},
        {.n = 1, .h = 1, .w = 1, .c = 1, .o.zoom = -1},
        {.n = 1, .h = 1, .w = 1, .c = 1, .o.gap = -1},
        {.n = 1, .h = 1, .w = 1, .c = 1, .o.gap = INT32_MAX},
        {.n = 1, .h = 1, .w = 1, .c = 1, .o.zoom = INT32_MAX},
        {.n = 1, .h = 1, .w = 1, .c = 1, .o.columns = INT32_MAX},
        {.n = INT32_MAX, .h = 1, .w = 1, .c = 1, .o.columns = 1},
        {.n = 1, .h = INT32_MAX, .w = INT32_MAX, .c = 1},
        {.n = 1, .h = 1, .w = 1, .c = 3, .o.zoom = 60000},
    };
    for (int i = 0; i < COUNT_OF(wrong); i++) {
        lt_image grid = {.width = 1};
        assert_int_equal(
            lt_image_grid(x, wrong[i].n, wrong[i].h, wrong[i].w, wrong[i].c, &wrong[i].o, &grid),
            LT_VALUE);
        assert_says("image grid");
        assert_int_equal(grid.width, 0);
        assert_null(grid.pixels);
    }
    lt_image grid;
    lt_set_allow_memory(refuse, NULL);
    assert_int_equal(lt_image_grid(x, 1, 1, 1, 1, NULL, &grid), LT_NO_MEMORY);
    lt_set_allow_memory(NULL, NULL);
    assert_null(grid.pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_reads_back_the_same),
        cmocka_unit_test(png_of_nothing_is_refused),
        cmocka_unit_test(grid_places_zooms_and_clamps),
        cmocka_unit_test(grid_draws_nan_magenta),
        cmocka_unit_test(grid_has_pleasant_defaults),
        cmocka_unit_test(grid_of_wrong_sizes_is_refused),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
