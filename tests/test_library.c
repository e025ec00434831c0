/* SPDX-License-Identifier: MIT */
/* Libraries that are loaded when they are needed: what is said when one cannot be, wherever that is, and that
   nothing is drawn, read or written then. */
#include "check.h"
#include "data_files.h"

#include <latent/plot.h>

#include "base/library.h"
#include "base/loaded_curl.h"
#include "base/loaded_drawing.h"
#include "base/loaded_gif.h"
#include "base/loaded_jpeg.h"
#include "base/loaded_png.h"
#include "base/loaded_webp.h"
#include "base/loaded_zip.h"

#include <latent/animation.h>

#include <pthread.h>
#include <sys/stat.h>

enum { THREADS = 8 };

static const char *const math_names[] = {"cos", "sqrt"};

typedef struct math_calls {
    double (*cos)(double), (*sqrt)(double);
} math_calls;

static void *load_it(void *l) { return library_load(l) == LT_OK ? l : NULL; }

static void calls_are_the_librarys(void **state)
{
    (void)state;
    math_calls calls = {NULL, NULL};
    library l = {.purpose = "angles", .soname = "libm.so.6", .package = "libc6", .n = 2, .names = math_names,
                 .calls = &calls};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_it, &l), 0);
    for (int i = 0; i < THREADS; i++) {
        void *loaded;
        pthread_join(threads[i], &loaded);
        assert_ptr_equal(loaded, &l);
    }
    assert_true(calls.cos(0) == 1 && calls.sqrt(9) == 3);
}

static void what_lacks_is_named(void **state)
{
    (void)state;
    static const char *const names[] = {"cos", "no_such_function"};
    math_calls calls;
    library l = {.purpose = "angles", .soname = "libnone.so.7", .package = "libnone7", .n = 2, .names = names,
                 .calls = &calls};
    assert_int_equal(library_load(&l), LT_LIBRARY);
    assert_says("angles need libnone.so.7, which cannot be loaded: ");
    assert_says("apt install libnone7");
    l.soname = "libm.so.6";
    assert_int_equal(library_load(&l), LT_LIBRARY);
    assert_says("no_such_function");
    l.names = math_names; /* it is there the next time */
    assert_int_equal(library_load(&l), LT_OK);
}

/* ---- Whatever stands on one ---- */

static int draw_chart(void)
{
    double x[] = {1, 2};
    lt_series s = {.kind = LT_LINES, .n = 2, .x = x, .y = x};
    return lt_chart_write(in_dir("out.svg"), &(lt_chart){.series = &s, .n_series = 1}, NULL);
}

static int write_image(const char *name)
{
    float pixels[16] = {0};
    lt_image image;
    assert_int_equal(lt_image_grid(pixels, 1, 4, 4, 1, NULL, &image), LT_OK);
    int status = lt_image_write(in_dir(name), &image);
    lt_image_clear(&image);
    return status;
}

static int write_png(void) { return write_image("out.png"); }
static int write_jpeg(void) { return write_image("out.jpg"); }
static int write_webp(void) { return write_image("out.webp"); }

static int write_film(const char *name)
{
    float pixels[2][16] = {{0}, {1}};
    lt_image frames[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(lt_image_grid(pixels[i], 1, 4, 4, 1, NULL, &frames[i]), LT_OK);
    int status = lt_animation_write(in_dir(name), &(lt_animation){.frames = frames, .n = 2});
    for (int i = 0; i < 2; i++)
        lt_image_clear(&frames[i]);
    return status;
}

static int write_gif(void) { return write_film("out.gif"); }
static int write_webp_film(void) { return write_film("film.webp"); }

static int open_data(const char *name)
{
    lt_dataset *d;
    int status = lt_dataset_open(in_dir(name), NULL, &d);
    lt_dataset_free(d);
    return status;
}

static int read_zip(void) { return open_data("a.zip"); }
static int read_pngs(void) { return open_data("png"); }
static int read_jpegs(void) { return open_data("jpg"); }
static int read_webps(void) { return open_data("webp"); }

static int download(void)
{
    return lt_data_fetch("mnist", &(lt_fetch_options){.directory = in_dir("fetched")});
}

static void put_pictures(void)
{
    static const char *const kinds[] = {"png", "jpg", "webp"};
    static const char *const starts[] = {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\4\0\0\0\4\10\0\0\0\0", "\xff\xd8\xff\xe0",
                                         "RIFF\x1a\0\0\0WEBPVP8L"};
    static const int sizes[] = {29, 4, 16};
    for (int i = 0; i < COUNT_OF(kinds); i++) {
        char name[40];
        assert_int_equal(mkdir(in_dir(kinds[i]), 0777), 0);
        for (int k = 0; k < 2; k++) {
            unsigned char content[200] = {0};
            memcpy(content, starts[i], (size_t)sizes[i]);
            snprintf(name, sizeof name, "%s/%d.%s", kinds[i], k, kinds[i]);
            put(name, content, sizeof content);
        }
    }
    put("a.zip", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
}

/* Before anything has loaded them: what is loaded stays. */
static void each_use_names_its_library(void **state)
{
    (void)state;
    const struct {
        library *l;
        const char *says;
        int (*use)(void);
    } uses[] = {
        {&drawing_library, "libpangocairo-1.0-0", draw_chart},
        {&png_library, "libpng16-16", write_png},
        {&jpeg_library, "libturbojpeg", write_jpeg},
        {&webp_library, "libwebpmux", write_webp},
        {&gif_library, "libcgif0", write_gif},
        {&webp_library, "libwebpmux", write_webp_film},
        {&zip_library, "libzip", read_zip},
        {&png_library, "png/0.png: PNG pictures need", read_pngs},
        {&jpeg_library, "jpg/0.jpg: JPEG pictures need", read_jpegs},
        {&webp_library, "webp/0.webp: WebP pictures need", read_webps},
        {&curl_library, "libcurl", download},
    };
    setenv("XDG_CACHE_HOME", "/dev/null", 1);
    put_pictures();
    for (int i = 0; i < COUNT_OF(uses); i++) {
        const char *soname = uses[i].l->soname;
        assert_false(uses[i].l->is_loaded);
        uses[i].l->soname = "libnone.so.7";
        int status = uses[i].use();
        if (status != LT_LIBRARY || !strstr(lt_last_error(), "libnone.so.7") ||
            !strstr(lt_last_error(), uses[i].says))
            fail_msg("use %d (%s): status %d: %s", i, uses[i].says, status, lt_last_error());
        uses[i].l->soname = soname;
    }
    static const char *const outputs[] = {"out.svg", "out.png", "out.jpg", "out.webp", "out.gif", "film.webp"};
    for (int i = 0; i < COUNT_OF(outputs); i++)
        assert_false(file_exists(in_dir(outputs[i])));
    assert_int_equal(draw_chart(), LT_OK); /* and goes on, once they are there */
    assert_int_equal(write_png(), LT_OK);
    assert_int_equal(write_gif(), LT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_the_librarys),
        cmocka_unit_test(what_lacks_is_named),
        cmocka_unit_test_setup_teardown(each_use_names_its_library, make_data_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
