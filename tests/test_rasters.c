/* SPDX-License-Identifier: MIT */
/* Files of rasters but PNG (test_files.c): what was written is decoded by the formats' own libraries. */
#include "check.h"
#include "scratch.h"

#include <latent/plot.h>

#include <webp/decode.h>

enum { BYTES = 5 * 7 * 3 };

static unsigned char pixels[BYTES];
static const lt_image rgb = {5, 7, 3, pixels}, gray = {15, 7, 1, pixels};

static int make_pixels(void **state)
{
    for (int i = 0; i < BYTES; i++)
        pixels[i] = (unsigned char)(i * 37);
    return make_dir(state);
}

static void webp_reads_back_the_same(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        const lt_image *want = k ? &gray : &rgb;
        bytes file;
        int w, h;
        assert_int_equal(lt_image_write(in_dir("x.webp"), want), LT_OK);
        assert_int_equal(file_read(in_dir("x.webp"), 10000, &file), LT_OK);
        unsigned char *found = WebPDecodeRGB(file.data, file.size, &w, &h);
        assert_int_equal(w, want->width);
        assert_int_equal(h, want->height);
        for (int i = 0; i < 3 * w * h; i++)
            assert_int_equal(found[i], pixels[k ? i / 3 : i]);
        WebPFree(found);
        bytes_clear(&file);
    }
}

/* A wave of colors, as steep as in an image of 84 pixels a side: a few levels off at most, and gray
   stays gray. */
static void jpeg_is_near(void **state)
{
    (void)state;
    enum { SIDE = 64 };
    static unsigned char wave[SIDE * SIDE * 3];
    for (int i = 0; i < COUNT_OF(wave); i++)
        wave[i] = (unsigned char)lround(127 + 120 * sin(i / 3 % SIDE * .2 + i % 3 + i / 800.));
    const lt_image waves[2] = {{SIDE, SIDE, 3, wave}, {SIDE, SIDE, 1, wave}};
    for (int k = 0; k < 2; k++) {
        const lt_image *want = &waves[k];
        lt_image found;
        assert_int_equal(lt_image_write(in_dir("x.JPEG"), want), LT_OK);
        assert_int_equal(lt_image_read(in_dir("x.JPEG"), &found), LT_OK);
        assert_int_equal(found.width, SIDE);
        assert_int_equal(found.height, SIDE);
        assert_int_equal(found.channels, want->channels);
        int n = SIDE * SIDE * want->channels, sum = 0;
        for (int i = 0; i < n; i++) {
            int error = abs(found.pixels[i] - wave[i]);
            assert_true(error <= 16);
            sum += error;
        }
        assert_true(sum < 2 * n);
        lt_image_clear(&found);
    }
}

static void pictures_are_read(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        const lt_image *want = k ? &gray : &rgb;
        lt_image found;
        assert_int_equal(lt_image_write(in_dir("r.png"), want), LT_OK);
        assert_int_equal(lt_image_read(in_dir("r.png"), &found), LT_OK);
        assert_int_equal(found.width, want->width);
        assert_int_equal(found.height, want->height);
        assert_int_equal(found.channels, want->channels);
        assert_memory_equal(found.pixels, pixels, sizeof pixels);
        lt_image_clear(&found);
    }
    lt_image none;
    assert_int_equal(file_write(in_dir("r.png"), "\x89PNG\r\n\x1a\n....", 12), LT_OK);
    assert_int_equal(lt_image_read(in_dir("r.png"), &none), LT_FORMAT);
    assert_null(none.pixels);
    assert_int_equal(lt_image_read(in_dir("none.png"), &none), LT_NOT_FOUND);
    assert_null(none.pixels);
}

static void pictures_are_known_by_their_ends(void **state)
{
    (void)state;
    static const char *const wrong[] = {"x", "x.gif", ".png", "x.png.txt", "xpng", ""};
    for (int i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(lt_image_write(wrong[i], &gray), LT_VALUE);
    assert_text_has(lt_last_error(), ".png, .jpg or .webp");
    unsigned char *row = must_alloc(16384);
    assert_int_equal(lt_image_write(in_dir("wide.webp"), &(lt_image){16384, 1, 1, row}), LT_VALUE);
    assert_text_has(lt_last_error(), "16383");
    assert_int_equal(lt_image_write(in_dir("wide.png"), &(lt_image){16384, 1, 1, row}), LT_OK);
    free(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(webp_reads_back_the_same),
        cmocka_unit_test(jpeg_is_near),
        cmocka_unit_test(pictures_are_read),
        cmocka_unit_test(pictures_are_known_by_their_ends),
    };
    return cmocka_run_group_tests(tests, make_pixels, remove_dir);
}
