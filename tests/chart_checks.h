/* SPDX-License-Identifier: MIT */
/* What the tests of charts share: drawing, looking at pixels, text inside the page, the same bytes
   twice, golden pictures. */
#ifndef LATENT_CHART_CHECKS_H
#define LATENT_CHART_CHECKS_H

#include "check.h"
#include "scratch.h"

#include "plot/view.h"

#include <png.h>

/* ---- Drawing ---- */

static inline lt_image must_draw(const lt_chart *chart, double width, double height, double zoom)
{
    lt_image out;
    lt_chart_page f = {.charts = chart, .n_charts = 1};
    lt_render_options o = {.width = width, .height = height, .scale = zoom};
    if (lt_chart_page_render(&f, &o, &out) != LT_OK)
        fail_msg("%s", lt_last_error());
    return out;
}

static inline void check_refused(const lt_chart *chart, const char *words)
{
    const char *path = in_dir("refused.png");
    int status = lt_chart_write(path, chart, NULL);
    if (status != LT_VALUE || !strstr(lt_last_error(), words) || file_exists(path))
        fail_msg("expected \"%s\", found %s: %s", words, lt_status_name(status), lt_last_error());
}

static inline bool allow_some(void *left, size_t size)
{
    (void)size;
    return (*(int *)left)-- > 0;
}

static inline void must_write(const char *path, const lt_chart *chart)
{
    if (lt_chart_write(path, chart, NULL) != LT_OK)
        fail_msg("%s", lt_last_error());
}

static inline const unsigned char *pixel(const lt_image *i, int x, int y)
{
    return i->pixels + ((size_t)y * (size_t)i->width + (size_t)x) * 3;
}

static inline bool is_color(const lt_image *i, int x, int y, rgb color)
{
    const unsigned char *p = pixel(i, x, y);
    return abs(p[0] - (int)(color >> 16)) < 40 && abs(p[1] - (int)(color >> 8 & 255)) < 40 &&
           abs(p[2] - (int)(color & 255)) < 40;
}

/* The middle of all pixels of a color. */
static inline void find_middle(const lt_image *i, rgb color, double *x, double *y)
{
    double n = 0;
    *x = *y = 0;
    for (int v = 0; v < i->height; v++)
        for (int u = 0; u < i->width; u++)
            if (is_color(i, u, v, color)) {
                n++;
                *x += u;
                *y += v;
            }
    assert_true(n > 20);
    *x /= n;
    *y /= n;
}

/* ---- Text ---- */

static const double sizes[][2] = {{100, 70}, {160, 120}, {240, 160}, {320, 200}, {640, 400},
                                  {2000, 1200}, {3000, 90}, {120, 3000}};

/* Little data, and numbers at the edges of what there is. */
static const double odd_values[][3] = {
    {0, 0, 0}, {5, 5, 5}, {1e100, -1e100, 0}, {1e300, 1, 2}, {1e-300, 0, 1e-310},
    {1, 1 + 1e-15, 1}, {-1, (double)NAN, 1}, {1e99, 1e99, 1e100}, {-1e-99, 1e-99, 0},
    {1e15, 1e15 + 1, 1e15 + 2}, {0.1, 0.1 + 1e-11, 0.1}, {-3, 3, 1e9}};

static inline void check_inside(const canvas *c, bool may_overlap)
{
    for (int i = 0; i < c->n_texts; i++) {
        const drawn_text *t = &c->texts[i], *u;
        if (t->ink.left < 0 || t->ink.top < 0 || t->ink.right > c->width ||
            t->ink.bottom > c->height)
            fail_msg("%g x %g: \"%s\" from %g, %g to %g, %g", c->width, c->height, t->text,
                     t->ink.left, t->ink.top, t->ink.right, t->ink.bottom);
        for (u = c->texts; u < t && !may_overlap; u++)
            if (u->ink.left < t->ink.right && t->ink.left < u->ink.right &&
                u->ink.top < t->ink.bottom && t->ink.top < u->ink.bottom)
                fail_msg("%g x %g: \"%s\" on \"%s\"", c->width, c->height, t->text, u->text);
    }
}

/* Ink that a side of the picture cuts would show there. */
static inline void check_rim_is_white(const lt_image *i)
{
    for (int x = 0; x < i->width; x++)
        for (int y = 0; y < i->height; y += x == 0 || x == i->width - 1 ? 1 : i->height - 1)
            if (memcmp(pixel(i, x, y), "\377\377\377", 3) != 0)
                fail_msg("%d x %d: ink at %d, %d", i->width, i->height, x, y);
}

/* On pages of all sizes; gives the most texts on one. */
static inline int check_text(const lt_chart *chart, bool may_overlap)
{
    int most = 0;
    for (int k = 0; k < COUNT_OF(sizes); k++) {
        canvas c;
        lt_image raster;
        lt_chart_page f = {.charts = chart, .n_charts = 1};
        assert_int_equal(canvas_begin(&c, PAGE_RASTER, sizes[k][0], sizes[k][1], 1), LT_OK);
        assert_int_equal(chart_page_draw(&c, &f), LT_OK);
        most = c.n_texts > most ? c.n_texts : most;
        check_inside(&c, may_overlap);
        assert_int_equal(canvas_finish(&c, &raster), LT_OK);
        check_rim_is_white(&raster);
        lt_image_clear(&raster);
        canvas_clear(&c);
    }
    return most;
}

/* ---- Files ---- */

static inline void check_same_bytes(const lt_chart *chart)
{
    static const char *const ends_of_names[] = {"png", "svg", "pdf"};
    for (int k = 0; k < 3; k++) {
        char *first = must_format("%s/first.%s", dir, ends_of_names[k]);
        char *second = must_format("%s/second.%s", dir, ends_of_names[k]);
        bytes a, b;
        must_write(first, chart);
        must_write(second, chart);
        assert_int_equal(file_read(first, 1 << 24, &a), LT_OK);
        assert_int_equal(file_read(second, 1 << 24, &b), LT_OK);
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.data, b.data, a.size);
        assert_memory_equal(a.data, k == 0 ? "\x89PNG" : k == 1 ? "<?xml" : "%PDF-", 4);
        bytes_clear(&a);
        bytes_clear(&b);
        free(first);
        free(second);
    }
}

/* ---- Golden pictures ----
   Fonts, and versions of two libraries, move letters and shade edges differently. So what is
   compared is color alone (letters and grid are gray), by its means over cells of 10 x 10. */

enum { CELL = 10, GOLDEN_WIDTH = 320, GOLDEN_HEIGHT = 200 };

static inline char *golden_path(const char *folder, const char *name)
{
    return must_format("%s/chart-%s.png", folder, name);
}

static inline lt_image read_png(const char *path)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(&png, path))
        fail_msg("%s: %s", path, png.message);
    png.format = PNG_FORMAT_RGB;
    lt_image out = {(int)png.width, (int)png.height, 3,
                    tensor_alloc(PNG_IMAGE_SIZE(png), "a golden picture")};
    assert_true(png_image_finish_read(&png, NULL, out.pixels, 0, NULL));
    return out;
}

/* Of red - green or green - blue. */
static inline double mean_of_cell(const lt_image *i, int left, int top, int channel)
{
    double sum = 0;
    for (int y = top; y < top + CELL; y++)
        for (int x = left; x < left + CELL; x++)
            sum += pixel(i, x, y)[channel] - pixel(i, x, y)[channel + 1];
    return sum / (CELL * CELL);
}

/* The root of the mean square of the differences of cells, in shades of 255. */
static inline double difference(const lt_image *a, const lt_image *b)
{
    double sum = 0;
    int n = 0;
    assert_true(a->width == b->width && a->height == b->height);
    for (int y = 0; y + CELL <= a->height; y += CELL)
        for (int x = 0; x + CELL <= a->width; x += CELL)
            for (int k = 0; k < 2; k++, n++) {
                double d = mean_of_cell(a, x, y, k) - mean_of_cell(b, x, y, k);
                sum += d * d;
            }
    return sqrt(sum / n);
}

/* Nearer to the golden picture than half of what `other`, another picture, is. */
static inline void check_golden(const char *name, const lt_chart *chart, const lt_image *other)
{
    char *path = golden_path(TESTS_DIR "/golden", name);
    lt_image want = read_png(path), found = must_draw(chart, GOLDEN_WIDTH, GOLDEN_HEIGHT, 1);
    double d = difference(&want, &found), far = difference(&want, other);
    if (!(d < 0.5 * far) || far < 1)
        fail_msg("%s differs by %.2f, from another picture by %.2f", path, d, far);
    lt_image_clear(&want);
    lt_image_clear(&found);
    free(path);
}

static inline void write_golden(const char *folder, const char *name, const lt_chart *chart)
{
    char *path = golden_path(folder, name);
    const lt_render_options o = {.width = GOLDEN_WIDTH, .height = GOLDEN_HEIGHT, .scale = 1};
    lt_chart_write(path, chart, &o);
    free(path);
}

#endif
