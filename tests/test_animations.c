/* SPDX-License-Identifier: MIT */
/* Animations: what was written is decoded by others (movies.h) and is what it should be, pixel by
   pixel and at the right time; the same bytes twice; what cannot be written. */
#include "check.h"
#include "scratch.h"

#include "movies.h"

#include "image/median_cut.h"

#include <latent/animation.h>

enum { W = 37, H = 23, MOST = 90 };

static const char *const names[] = {"m.webp", "m.gif", "m.apng", "m.png"};
enum { WEBP, GIF, APNG, N_NAMES = 4 };

/* Frames of a test; all are of W x H pixels. */
static lt_image frames[MOST];

static int free_frames(void **state)
{
    (void)state;
    for (int i = 0; i < MOST; i++)
        lt_image_clear(&frames[i]);
    return 0;
}

typedef unsigned shade_function(int i, int x, int y);

static void draw_frames(int n, int channels, shade_function *shade)
{
    for (int i = 0; i < n; i++) {
        lt_image_clear(&frames[i]);
        frames[i] = (lt_image){W, H, channels, tensor_alloc(W * H * 3, "a frame")};
        for (int k = 0; k < W * H; k++) {
            unsigned rgb = shade(i, k % W, k / W);
            for (int c = 0; c < channels; c++)
                frames[i].pixels[k * channels + c] = (unsigned char)(rgb >> (16 - 8 * c));
        }
    }
}

static unsigned char channel(const lt_image *f, int pixel, int k)
{
    return f->pixels[f->channels == 1 ? pixel : 3 * pixel + k];
}

static movie write_and_read(const char *name, const lt_animation *a)
{
    if (lt_animation_write(in_dir(name), a) != LT_OK)
        fail_msg("%s", lt_last_error());
    movie m = read_movie(in_dir(name));
    assert_int_equal(m.width, W);
    assert_int_equal(m.height, H);
    if (m.n > 1)
        assert_int_equal(m.loops, a->loops);
    return m;
}

/* What is shown in the middle of frame i's time is frame i. */
static void assert_shows(const char *name, const movie *m, const lt_animation *a)
{
    double begin = 0;
    bool is_still = m->n == 1; /* no WebP of one frame, or of equal ones, has times */
    for (int i = 0; i < a->n; i++) {
        double end = begin + 1000 * (a->seconds_of ? a->seconds_of[i] : a->seconds);
        const unsigned char *found = is_still ? m->frames[0] : movie_at(m, (begin + end) / 2);
        for (int k = 0; k < 3 * W * H; k++)
            if (found[k] != channel(&a->frames[i], k / 3, k % 3))
                fail_msg("%s: frame %d, pixel %d, %d: expected %d, found %d", name, i, k / 3 % W,
                         k / 3 / W, channel(&a->frames[i], k / 3, k % 3), found[k]);
        begin = end;
    }
    if (!is_still)
        assert_int_equal(m->ends[m->n - 1], lround(begin));
}

static void assert_exact(const char *name, const lt_animation *a)
{
    movie m = write_and_read(name, a);
    assert_shows(name, &m, a);
    movie_clear(&m);
}

static void assert_all_exact(const lt_animation *a)
{
    for (int k = 0; k < N_NAMES; k++)
        assert_exact(names[k], a);
}

/* ---- What frames look like ---- */

static int n_colors;

/* A square of changing colors moves over a ground of others. */
static unsigned shade_square(int i, int x, int y)
{
    bool is_inside = x >= 2 * i && x < 2 * i + 9 && y >= i && y < i + 8;
    int k = is_inside ? (x * y + i) % n_colors : (x / 3 + y / 5) % n_colors;
    return (unsigned)k * 0x3a71c5u & 0xffffff;
}

static unsigned shade_gray(int i, int x, int y)
{
    return (unsigned)((7 * x + 5 * y + 3 * i) % 256) * 0x10101;
}

/* Every frame has colors of its own. */
static unsigned shade_own(int i, int x, int y)
{
    return (unsigned)((x * y) % 200 + 200 * i) * 0x1357u & 0xffffff;
}

/* Smooth, of more colors than any palette has, which go together as in pictures; the left half
   stands still. */
static unsigned shade_smooth(int i, int x, int y)
{
    double t = x < W / 2 ? 0 : i * 0.3;
    double light = 127 + 90 * sin(x * .2 + y * .13 + t);
    int r = (int)(light + 30 * sin(y * .25 + t)), g = (int)(light + 15 * sin((x + y) * .1));
    int b = (int)(light - 35 * sin(y * .25 + x * .07));
    return (unsigned)(r << 16 | g << 8 | b);
}

static unsigned shade_still(int i, int x, int y)
{
    (void)i;
    return (unsigned)(x * 1000 + y * 77);
}

/* ---- Pixels ---- */

static void few_colors_are_exact(void **state)
{
    (void)state;
    static const int counts[] = {1, 2, 3, 4, 5, 16, 127, 128, 129, 254, 255, 256};
    for (int i = 0; i < COUNT_OF(counts); i++) {
        n_colors = counts[i];
        draw_frames(12, 3, shade_square);
        assert_all_exact(&(lt_animation){.frames = frames, .n = 12, .seconds = 0.05});
    }
}

static void gray_is_exact(void **state)
{
    (void)state;
    draw_frames(10, 1, shade_gray);
    assert_all_exact(&(lt_animation){.frames = frames, .n = 10, .seconds = 0.1});
}

static void gray_and_color_mix(void **state)
{
    (void)state;
    n_colors = 40;
    draw_frames(6, 3, shade_square);
    lt_image third = frames[3];
    frames[3] = (lt_image){0};
    draw_frames(1, 1, shade_gray); /* and the first one is gray */
    assert_all_exact(&(lt_animation){.frames = frames, .n = 3, .seconds = 0.1});
    frames[3] = third;
    assert_all_exact(&(lt_animation){.frames = frames, .n = 6, .seconds = 0.1});
}

static void frames_have_palettes_of_their_own(void **state)
{
    (void)state;
    draw_frames(9, 3, shade_own);
    assert_all_exact(&(lt_animation){.frames = frames, .n = 9, .seconds = 0.2});
}

static void many_colors_are_exact_but_in_a_gif(void **state)
{
    (void)state;
    draw_frames(8, 3, shade_smooth);
    const lt_animation a = {.frames = frames, .n = 8, .seconds = 0.1};
    assert_exact(names[WEBP], &a);
    assert_exact(names[APNG], &a);
}

static void one_frame_is_enough(void **state)
{
    (void)state;
    draw_frames(1, 3, shade_smooth);
    const lt_animation a = {.frames = frames, .n = 1, .seconds = 0.5};
    assert_exact(names[WEBP], &a);
    assert_exact(names[APNG], &a);
    draw_frames(1, 1, shade_gray);
    assert_all_exact(&a);
}

static void frames_may_be_equal(void **state)
{
    (void)state;
    n_colors = 9;
    draw_frames(6, 3, shade_square);
    for (int i = 1; i < 6; i += 2)
        memcpy(frames[i].pixels, frames[i - 1].pixels, W * H * 3);
    assert_all_exact(&(lt_animation){.frames = frames, .n = 6, .seconds = 0.1});
    memcpy(frames[2].pixels, frames[0].pixels, W * H * 3);
    memcpy(frames[3].pixels, frames[0].pixels, W * H * 3);
    assert_all_exact(&(lt_animation){.frames = frames, .n = 4, .seconds = 0.1});
}

/* ---- GIFs of many colors ---- */

/* Squared error of a palette of 6 x 7 x 6 colors in equal steps. */
static double error_of_even_steps(int n)
{
    static const int steps[3] = {5, 6, 5};
    double sum = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 3 * W * H; k++) {
            double x = frames[i].pixels[k], s = steps[k % 3];
            double d = x - round(x / 255 * s) / s * 255;
            sum += d * d;
        }
    return sum;
}

/* The nearest 255 colors are off by less than a third of what equal steps are, by no more than 24
   of 255 in a channel; and what stands still does not change. */
static void gif_of_many_colors_is_near(void **state)
{
    (void)state;
    enum { N = 8 };
    draw_frames(N, 3, shade_smooth);
    movie m = write_and_read("m.gif", &(lt_animation){.frames = frames, .n = N, .seconds = 0.1});
    double sum = 0;
    assert_int_equal(m.n, N);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 3 * W * H; k++) {
            int d = m.frames[i][k] - frames[i].pixels[k];
            assert_true(abs(d) <= 24);
            sum += d * d;
            if (k / 3 % W < W / 2)
                assert_int_equal(m.frames[i][k], m.frames[0][k]);
        }
    assert_true(sqrt(sum) < sqrt(error_of_even_steps(N)) / 3);
    assert_true(sum > 0);
    movie_clear(&m);
}

/* All grays and some tints, on paper: the grays are at most one level off, and white is white. */
static unsigned shade_page(int i, int x, int y)
{
    if (y < 10)
        return 0xffffff;
    if (y < 13)
        return (unsigned)(x * 6 + i) * 0x010101u + 0x000412u;
    return shade_gray(i, x, y);
}

static void gif_keeps_paper_white(void **state)
{
    (void)state;
    draw_frames(5, 3, shade_page);
    movie m = write_and_read("m.gif", &(lt_animation){.frames = frames, .n = 5, .seconds = 0.1});
    for (int i = 0; i < m.n; i++)
        for (int k = 0; k < 3 * W * H; k++) {
            int d = m.frames[i][k] - frames[i].pixels[k];
            assert_true(abs(d) <= (k < 3 * 10 * W ? 0 : k < 3 * 13 * W ? 9 : 3));
        }
    movie_clear(&m);
}

/* The palette of two colors for grays, each of them so many times: the lower and the upper one. */
static void reduce_to_two(const int (*grays)[2], int n, int found[2])
{
    unsigned char pixels[512];
    int n_pixels = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < grays[i][1]; k++)
            pixels[n_pixels++] = (unsigned char)grays[i][0];
    palette p;
    colors c = {0};
    colors_reduce(&c, &(lt_image){n_pixels, 1, 1, pixels}, 1, 2, &p);
    assert_int_equal(p.n, 2);
    for (int i = 0; i < 6; i++)
        assert_int_equal(p.rgb[i], p.rgb[i / 3 * 3]);
    found[0] = p.rgb[0] < p.rgb[3] ? p.rgb[0] : p.rgb[3];
    found[1] = p.rgb[0] < p.rgb[3] ? p.rgb[3] : p.rgb[0];
    colors_clear(&c);
}

/* By hand: what most pixels of a group are stays as it is, and else it is their mean; 20 is above the
   mean of all, 16.5, where the cut is, but nearer to what is below than to what is above it. */
static void palettes_are_means(void **state)
{
    (void)state;
    int found[2];
    reduce_to_two((const int[][2]){{255, 100}, {245, 40}, {10, 60}, {30, 60}}, 4, found);
    assert_int_equal(found[0], 20);
    assert_int_equal(found[1], 255);
    reduce_to_two((const int[][2]){{0, 75}, {2, 75}, {20, 60}, {250, 3}, {252, 3}, {254, 3}}, 6,
                  found);
    assert_int_equal(found[0], 6);
    assert_int_equal(found[1], 252);
}

/* ---- Time ---- */

static void times_add_up(void **state)
{
    (void)state;
    n_colors = 7;
    draw_frames(MOST, 3, shade_square);
    for (int i = 0; i < MOST; i++) /* a frame like the one before it may be left out */
        frames[i].pixels[0] = (unsigned char)(i % 2);
    const lt_animation a = {.frames = frames, .n = MOST, .seconds = 1. / 30};
    for (int k = 0; k < N_NAMES; k++) {
        movie m = write_and_read(names[k], &a);
        assert_int_equal(m.n, MOST);
        for (int i = 0; i < MOST; i++)
            assert_true(fabs(m.ends[i] - (i + 1) / .03) <= (k == GIF ? 5.001 : 0.501));
        movie_clear(&m);
    }
}

static void frames_have_times_of_their_own(void **state)
{
    (void)state;
    const double seconds[] = {0.02, 0.5, 0.03, 60};
    n_colors = 5;
    draw_frames(4, 3, shade_square);
    assert_all_exact(&(lt_animation){.frames = frames, .n = 4, .seconds_of = seconds});
}

static void loops_are_counted(void **state)
{
    (void)state;
    static const int loops[] = {1, 2, 7, 65535};
    n_colors = 5;
    draw_frames(3, 3, shade_square);
    for (int i = 0; i < COUNT_OF(loops); i++)
        assert_all_exact(
            &(lt_animation){.frames = frames, .n = 3, .seconds = 0.1, .loops = loops[i]});
}

static void time_has_a_default(void **state)
{
    (void)state;
    n_colors = 5;
    draw_frames(3, 3, shade_square);
    movie m = write_and_read("m.gif", &(lt_animation){.frames = frames, .n = 3});
    assert_int_equal(m.ends[2], 300);
    movie_clear(&m);
}

/* Those that do not change, too: cgif 0.4 leaves them out, unless it is told to keep them. */
static void a_gif_keeps_equal_frames(void **state)
{
    (void)state;
    draw_frames(4, 3, shade_still);
    movie m = write_and_read("m.gif", &(lt_animation){.frames = frames, .n = 4, .seconds = 0.25});
    assert_int_equal(m.n, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(m.ends[i], 250 * (i + 1));
    movie_clear(&m);
}

/* ---- Files ---- */

static void same_bytes_twice(void **state)
{
    (void)state;
    draw_frames(6, 3, shade_smooth);
    const lt_animation a = {.frames = frames, .n = 6};
    static const char *const ends[] = {"webp", "gif", "apng"};
    for (int k = 0; k < COUNT_OF(ends); k++) {
        char first[16], second[16];
        snprintf(first, sizeof first, "a.%s", ends[k]);
        snprintf(second, sizeof second, "b.%s", ends[k]);
        assert_int_equal(lt_animation_write(in_dir(first), &a), LT_OK);
        assert_int_equal(lt_animation_write(in_dir(second), &a), LT_OK);
        assert_same_file(in_dir(first), in_dir(second));
    }
    assert_int_equal(lt_animation_write(in_dir("a.png"), &a), LT_OK);
    assert_same_file(in_dir("a.png"), in_dir("a.apng"));
}

/* A viewer that knows no animations shows the first frame. */
static void png_shows_its_first_frame(void **state)
{
    (void)state;
    draw_frames(3, 3, shade_smooth);
    const lt_animation a = {.frames = frames, .n = 3};
    lt_image first;
    assert_int_equal(lt_animation_write(in_dir("m.png"), &a), LT_OK);
    assert_int_equal(lt_image_read(in_dir("m.png"), &first), LT_OK);
    assert_memory_equal(first.pixels, frames[0].pixels, W * H * 3);
    lt_image_clear(&first);
}

/* What does not change costs next to nothing. */
static void only_changes_are_kept(void **state)
{
    (void)state;
    draw_frames(40, 3, shade_still);
    for (int i = 0; i < 40; i++)
        frames[i].pixels[3 * (W * 5 + 9)] = (unsigned char)i;
    for (int k = 0; k < N_NAMES; k++) {
        bytes one, all;
        const char *path = in_dir(names[k]);
        assert_int_equal(lt_animation_write(path, &(lt_animation){.frames = frames, .n = 1}),
                         LT_OK);
        assert_int_equal(file_read(path, 1 << 20, &one), LT_OK);
        assert_int_equal(lt_animation_write(path, &(lt_animation){.frames = frames, .n = 40}),
                         LT_OK);
        assert_int_equal(file_read(path, 1 << 20, &all), LT_OK);
        assert_true(all.size - one.size < 39 * 130);
        bytes_clear(&one);
        bytes_clear(&all);
    }
}

static void assert_refused(const lt_animation *a, const char *words)
{
    assert_int_equal(lt_animation_write(in_dir("none.webp"), a), LT_VALUE);
    assert_text_has(lt_last_error(), "none.webp: ");
    assert_text_has(lt_last_error(), words);
    assert_false(file_exists(in_dir("none.webp")));
}

static void what_is_no_animation_is_refused(void **state)
{
    (void)state;
    const double seconds[] = {0.1, 0.1, 0.019};
    draw_frames(3, 3, shade_still);
    assert_refused(&(lt_animation){.frames = frames, .n = 0}, "0 frames");
    assert_refused(&(lt_animation){.frames = frames, .n = 10001}, "1 to 10000");
    assert_refused(&(lt_animation){.n = 3}, "3 frames: expected frames, found none");
    assert_refused(&(lt_animation){.frames = frames, .n = 3, .loops = -1}, "-1 times");
    assert_refused(&(lt_animation){.frames = frames, .n = 3, .loops = 65536}, "0 to 65535");
    assert_refused(&(lt_animation){.frames = frames, .n = 3, .seconds = -1}, "found -1");
    assert_refused(&(lt_animation){.frames = frames, .n = 3, .seconds = 61}, "0.02 to 60 seconds");
    assert_refused(&(lt_animation){.frames = frames, .n = 3, .seconds = NAN}, "found nan");
    assert_refused(&(lt_animation){.frames = frames, .n = 3, .seconds_of = seconds},
                   "frames[2]: expected 0.02 to 60");
    assert_refused(&(lt_animation){.frames = frames, .n = 4}, "frames[3]: no picture");
    frames[2].width = H;
    frames[2].height = W;
    assert_refused(&(lt_animation){.frames = frames, .n = 3},
                   "frames[2]: expected 37 x 23 pixels as before, found 23 x 37");
}

static void names_say_the_format(void **state)
{
    (void)state;
    static const char *const wrong[] = {"x.jpg", "x.svg", ".gif", "gif", "x.gif.txt", ""};
    draw_frames(2, 3, shade_still);
    const lt_animation a = {.frames = frames, .n = 2};
    for (int i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(lt_animation_check_name(wrong[i]), LT_VALUE);
        assert_text_has(lt_last_error(), ".webp, .gif, .apng or .png");
        assert_int_equal(lt_animation_write(wrong[i], &a), LT_VALUE);
    }
    assert_int_equal(lt_animation_check_name("x.GIF"), LT_OK);
    assert_int_equal(lt_animation_write(in_dir("no/x.gif"), &a), LT_NOT_FOUND);
}

static void sides_have_limits(void **state)
{
    (void)state;
    lt_image wide = {16384, 1, 1, must_alloc(16384)};
    const lt_animation a = {.frames = &wide, .n = 1};
    assert_int_equal(lt_animation_write(in_dir("wide.webp"), &a), LT_VALUE);
    assert_text_has(lt_last_error(), "16383");
    assert_int_equal(lt_animation_write(in_dir("wide.gif"), &a), LT_OK);
    assert_int_equal(lt_animation_write(in_dir("wide.apng"), &a), LT_OK);
    free(wide.pixels);
}

static bool allow_some(void *left, size_t size)
{
    (void)size;
    return (*(int *)left)-- > 0;
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    enum { TRIES = 50 };
    n_colors = 5;
    for (int k = 0; k < N_NAMES; k++) {
        const char *path = in_dir(names[k]);
        int status = LT_NO_MEMORY, n = 0;
        draw_frames(3, 3, shade_square);
        lt_image_clear(&frames[1]);
        frames[1] = (lt_image){W, H, 1, tensor_alloc(W * H, "a frame")};
        remove(path);
        for (; status != LT_OK && n < TRIES; n++) {
            int left = n;
            lt_set_allow_memory(allow_some, &left);
            status = lt_animation_write(path, &(lt_animation){.frames = frames, .n = 3});
            lt_set_allow_memory(NULL, NULL);
            assert_true(status == LT_OK || status == LT_NO_MEMORY);
            assert_true(file_exists(path) == (status == LT_OK));
        }
        assert_int_equal(status, LT_OK);
        assert_true(n > 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(few_colors_are_exact, free_frames),
        cmocka_unit_test_teardown(gray_is_exact, free_frames),
        cmocka_unit_test_teardown(gray_and_color_mix, free_frames),
        cmocka_unit_test_teardown(frames_have_palettes_of_their_own, free_frames),
        cmocka_unit_test_teardown(many_colors_are_exact_but_in_a_gif, free_frames),
        cmocka_unit_test_teardown(one_frame_is_enough, free_frames),
        cmocka_unit_test_teardown(frames_may_be_equal, free_frames),
        cmocka_unit_test_teardown(gif_of_many_colors_is_near, free_frames),
        cmocka_unit_test_teardown(gif_keeps_paper_white, free_frames),
        cmocka_unit_test(palettes_are_means),
        cmocka_unit_test_teardown(times_add_up, free_frames),
        cmocka_unit_test_teardown(frames_have_times_of_their_own, free_frames),
        cmocka_unit_test_teardown(loops_are_counted, free_frames),
        cmocka_unit_test_teardown(time_has_a_default, free_frames),
        cmocka_unit_test_teardown(a_gif_keeps_equal_frames, free_frames),
        cmocka_unit_test_teardown(same_bytes_twice, free_frames),
        cmocka_unit_test_teardown(png_shows_its_first_frame, free_frames),
        cmocka_unit_test_teardown(only_changes_are_kept, free_frames),
        cmocka_unit_test_teardown(what_is_no_animation_is_refused, free_frames),
        cmocka_unit_test_teardown(names_say_the_format, free_frames),
        cmocka_unit_test_teardown(sides_have_limits, free_frames),
        cmocka_unit_test_teardown(no_memory_is_an_error, free_frames),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
