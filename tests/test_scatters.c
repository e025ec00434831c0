/* SPDX-License-Identifier: MIT */
/* Maps: clouds of points, bins, ellipses, N(0, I) beside them, names that several charts share.
   `test_scatters DIR` writes the golden pictures into DIR. */
#include "chart_checks.h"

/* ---- Charts to draw ---- */

/* Three labels at the same places, one after the other: the last ones would hide the others. */
enum { CLOUD = 6000 };

static double scatter_x[CLOUD], scatter_y[CLOUD];
static int32_t scatter_labels[CLOUD];
static const char *const label_names[] = {"shirt", "a label with a long name", NULL};
static const lt_series scatter_series = {.kind = LT_SCATTER, .n = CLOUD, .x = scatter_x, .y = scatter_y,
                                       .labels = scatter_labels, .n_labels = 3,
                                       .label_names = label_names};
static const lt_chart scatter = {.title = "Cloud", .x.label = "z₁", .y.label = "z₂",
                               .series = &scatter_series, .n_series = 1, .has_equal_units = true};

static void make_scatter(draws *d)
{
    for (int i = 0; i < CLOUD; i++) {
        int place = i % (CLOUD / 3);
        scatter_labels[i] = i / (CLOUD / 3);
        scatter_x[i] = place == i ? (double)draw_below(d, 1000) / 100 : scatter_x[place];
        scatter_y[i] = place == i ? (double)draw_below(d, 1000) / 100 - 5 : scatter_y[place];
    }
}

/* Sums of whole numbers: near to a bell, without a library of mathematics. */
enum { DRAWS = 4000 };

static double draw_x[DRAWS], draw_y[DRAWS];
static char long_text[201];
static const lt_series hist2d_series = {.kind = LT_HIST2D, .name = "draws in a bin", .n = DRAWS,
                                      .x = draw_x, .y = draw_y, .bins = 30};
static const lt_chart histogram = {
    .title = "Histogram", .subtitle = "of sums", .x.label = "z₁", .y.label = "z₂",
    .series = &hist2d_series, .n_series = 1, .has_equal_units = true, .has_marginals = true,
    .has_normal = true};
static const lt_series long_hist2d = {.kind = LT_HIST2D, .name = long_text, .n = DRAWS, .x = draw_x,
                                    .y = draw_y};
static const lt_chart long_histogram = {
    .title = long_text, .subtitle = long_text, .x.label = long_text, .y.label = long_text,
    .series = &long_hist2d, .n_series = 1, .has_equal_units = true, .has_marginals = true,
    .has_normal = true};
static const lt_chart plain_hist2d = {.title = "Heat", .x.label = "x", .y.label = long_text,
                                    .series = &long_hist2d, .n_series = 1};

static const double at_x[] = {-2, 1, 2.5}, at_y[] = {1, -1, 2}, var_x[] = {0.5, 1, 0.2},
                    var_xy[] = {0.3, -0.6, 0}, var_y[] = {0.4, 1, 0.8};
static const int32_t kinds_of_ellipses[] = {0, 1, 1};
static const lt_series ellipse_series[] = {
    {.kind = LT_ELLIPSES, .name = "1σ", .n = 3, .x = at_x, .y = at_y, .xx = var_x, .xy = var_xy,
     .yy = var_y, .labels = kinds_of_ellipses, .n_labels = 2, .label_names = label_names}};
static const lt_chart ellipses = {.title = "Ellipses", .x.label = "x", .y.label = "y",
                                  .series = ellipse_series, .n_series = 1, .has_equal_units = true};

static const lt_chart *const all_charts[] = {&scatter, &histogram, &long_histogram, &plain_hist2d,
                                             &ellipses};

static double bell(draws *d)
{
    double sum = 0;
    for (int k = 0; k < 12; k++)
        sum += (double)draw_below(d, 1000) / 1000;
    return sum - 6; /* of mean 0 and variance 1 */
}

static int make_data(void **state)
{
    draws d = draws_from(7);
    make_scatter(&d);
    memset(long_text, 'W', sizeof long_text - 1);
    for (int i = 0; i < DRAWS; i++) {
        draw_x[i] = bell(&d);
        draw_y[i] = 0.8 * bell(&d) + 0.5 * draw_x[i];
    }
    return make_dir(state);
}

/* ---- Clouds ---- */

static int distance_of(const unsigned char *p, rgb color)
{
    int r = p[0] - (int)(color >> 16), g = p[1] - (int)(color >> 8 & 255),
        b = p[2] - (int)(color & 255);
    return r * r + g * g + b * b;
}

/* Of a pixel that is nearer to the color of a label than to white or gray; else -1. */
static int nearest_label(const unsigned char *p, int labels)
{
    int best = -1, least = distance_of(p, 0xffffff);
    least = distance_of(p, SOFT_INK) < least ? distance_of(p, SOFT_INK) : least;
    for (int k = 0; k < labels; k++)
        if (distance_of(p, label_color(k, labels)) < least) {
            best = k;
            least = distance_of(p, label_color(k, labels));
        }
    return best;
}

static void no_label_hides_another(void **state)
{
    (void)state;
    lt_image i = must_draw(&scatter, 400, 400, 2);
    double n[3] = {0};
    for (int y = 0; y < i.height; y++)
        for (int x = 0; x < i.width; x++) {
            int k = nearest_label(pixel(&i, x, y), 3);
            if (k >= 0)
                n[k]++;
        }
    assert_true(n[0] > 1000);
    for (int k = 1; k < 3; k++)
        if (n[k] < 0.85 * n[0] || n[k] > n[0] / 0.85)
            fail_msg("label 0 has %g pixels, label %d has %g", n[0], k, n[k]);
    lt_image_clear(&i);
}

/* Three corners of a square, on pages of several shapes. */
static void equal_units_are_equally_long(void **state)
{
    (void)state;
    static const double x[] = {-3, 4, -3}, y[] = {100, 100, 107};
    static const double shapes[][2] = {{640, 400}, {300, 600}, {900, 200}, {1200, 1200}};
    lt_series s[3];
    lt_chart c = {.x.label = "x", .series = s, .n_series = 3, .has_equal_units = true};
    for (int k = 0; k < 3; k++)
        s[k] = (lt_series){.kind = LT_POINTS, .n = 1, .x = x + k, .y = y + k};
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        double u[3], v[3];
        lt_image page = must_draw(&c, shapes[i][0], shapes[i][1], 2);
        for (int k = 0; k < 3; k++)
            find_middle(&page, palette_color(k), &u[k], &v[k]);
        assert_true(fabs(u[2] - u[0]) < 1 && fabs(v[1] - v[0]) < 1);
        if (fabs((u[1] - u[0]) - (v[0] - v[2])) > 1.5)
            fail_msg("%g x %g: a square is %g wide and %g high", shapes[i][0], shapes[i][1],
                     u[1] - u[0], v[0] - v[2]);
        lt_image_clear(&page);
    }
    c.x.is_log = true;
    check_refused(&c, "equal units");
}

static void a_cloud_is_one_small_bitmap(void **state)
{
    (void)state;
    enum { MANY = 60000 };
    double *x = must_alloc(sizeof *x * MANY), *y = must_alloc(sizeof *y * MANY);
    int32_t *labels = must_alloc(sizeof *labels * MANY);
    draws d = draws_from(4);
    for (int i = 0; i < MANY; i++) {
        labels[i] = i % 10;
        x[i] = draw_below(&d, 1000) + draw_below(&d, 1000);
        y[i] = i == 7 ? (double)NAN : draw_below(&d, 1000) + draw_below(&d, 1000);
    }
    lt_series s = {.kind = LT_SCATTER, .n = MANY, .x = x, .y = y, .labels = labels, .n_labels = 10};
    lt_chart c = {.series = &s, .n_series = 1};
    bytes b;
    must_write(in_dir("cloud.svg"), &c);
    assert_int_equal(file_read(in_dir("cloud.svg"), 1 << 24, &b), LT_OK);
    const char *image = strstr((char *)b.data, "<image ");
    assert_non_null(image);
    assert_null(strstr(image + 1, "<image "));
    assert_true(b.size < 3000000);
    bytes_clear(&b);
    labels[9] = 10;
    check_refused(&c, "series 1: label 10 at 9, expected 0 to 9");
    s.n_labels = 257;
    check_refused(&c, "257 labels");
    free(x);
    free(y);
    free(labels);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    const lt_chart *const charts[] = {&scatter, &histogram};
    for (int i = 0; i < 2; i++) {
        lt_image out;
        lt_chart_page f = {.charts = charts[i], .n_charts = 1};
        for (int allowed = 0; allowed < 2 + i; allowed++) {
            int left = allowed;
            lt_set_allow_memory(allow_some, &left);
            assert_int_equal(lt_chart_page_render(&f, NULL, &out), LT_NO_MEMORY);
            lt_set_allow_memory(NULL, NULL);
            assert_null(out.pixels);
        }
    }
}

/* The names of 100 labels have no room; what else is said has. */
static void too_many_names_leave_the_rest(void **state)
{
    (void)state;
    enum { MANY = 100 };
    double x[MANY];
    int32_t labels[MANY];
    const char *names[MANY];
    for (int i = 0; i < MANY; i++) {
        x[i] = labels[i] = i;
        names[i] = "one of many names that are rather long";
    }
    lt_series s = {.kind = LT_SCATTER, .n = MANY, .x = x, .y = x, .labels = labels,
                   .n_labels = MANY, .label_names = names};
    lt_chart chart = {.title = "Map", .subtitle = "of many", .x.label = "x", .series = &s,
                      .n_series = 1};
    canvas c;
    bool has_subtitle = false;
    assert_int_equal(canvas_begin(&c, PAGE_RASTER, 640, 400, 1), LT_OK);
    assert_int_equal(chart_page_draw(&c, &(lt_chart_page){.charts = &chart, .n_charts = 1}), LT_OK);
    for (int i = 0; i < c.n_texts; i++)
        has_subtitle |= strcmp(c.texts[i].text, "of many") == 0;
    assert_true(has_subtitle);
    canvas_clear(&c);
}

/* ---- Bins ---- */

/* Points in the middle of known bins of 8 x 8, as often as a formula says; both ends of the range
   are there, and the last one belongs to the last bin. */
static void bins_count_their_points(void **state)
{
    (void)state;
    enum { BINS = 8, MOST = 2000 };
    double x[MOST], y[MOST];
    int want[BINS][BINS] = {{0}}, columns[BINS] = {0}, rows[BINS] = {0}, n = 0;
    for (int r = 0; r < BINS; r++)
        for (int c = 0; c < BINS; c++)
            for (int k = 0; k < (3 * r + 5 * c) % 7; k++, n++) {
                x[n] = 10 + c + 0.25 * (k % 3 + 1);
                y[n] = -4 + 0.5 * (r + 0.25 * (k % 3 + 1));
                want[r][c]++;
            }
    const double corner_x[] = {10, 18, 10, (double)NAN}, corner_y[] = {-4, 0, (double)INFINITY, 0};
    for (int k = 0; k < 4; k++, n++) { /* the last two have no place */
        x[n] = corner_x[k];
        y[n] = corner_y[k];
    }
    want[0][0]++;
    want[BINS - 1][BINS - 1]++;
    lt_series s = {.kind = LT_HIST2D, .n = n, .x = x, .y = y, .bins = BINS};
    lt_chart c = {.series = &s, .n_series = 1};
    hist2d h;
    assert_int_equal(hist2d_count(&h, &c), LT_OK);
    int most = 0;
    for (int r = 0; r < BINS; r++)
        for (int k = 0; k < BINS; k++) {
            assert_int_equal(h.count[r * BINS + k], want[r][k]);
            columns[k] += want[r][k];
            rows[r] += want[r][k];
            most = want[r][k] > most ? want[r][k] : most;
        }
    assert_memory_equal(h.x_count, columns, sizeof columns);
    assert_memory_equal(h.y_count, rows, sizeof rows);
    assert_int_equal(h.n, n - 2);
    assert_int_equal(h.most, most);
    assert_true(h.x_low == 10 && h.x_high == 18 && h.y_low == -4 && h.y_high == 0);
    hist2d_clear(&h);
    s.bins = 0;
    assert_int_equal(hist2d_count(&h, &c), LT_OK);
    assert_int_equal(h.bins, 50);
    hist2d_clear(&h);
}

/* A page with one chart all over it, and where its parts are. */
static lt_image draw_view(const lt_chart *chart, double width, double height, view *v)
{
    const double em = 12, zoom = 2;
    const box all = {em, em, width - em, height - em};
    canvas c;
    lt_image out;
    assert_int_equal(canvas_begin(&c, PAGE_RASTER, width, height, zoom), LT_OK);
    assert_int_equal(chart_names(&c, chart, em, all, v), LT_OK);
    assert_int_equal(chart_draw(&c, chart, em, all, true), LT_OK);
    assert_int_equal(canvas_finish(&c, &out), LT_OK);
    canvas_clear(&c);
    return out;
}

static rgb color_at(const lt_image *i, double x, double y)
{
    const unsigned char *p = pixel(i, (int)(2 * x), (int)(2 * y));
    return (rgb)p[0] << 16 | (rgb)p[1] << 8 | p[2];
}

/* 2 x 3 points in bins of a checkerboard: 1, 2, ... points in dark bins, none in the others. */
static void bins_have_the_color_of_their_count(void **state)
{
    (void)state;
    enum { SIDE = 4, MOST = 100 };
    double x[MOST], y[MOST];
    int count[SIDE][SIDE] = {{0}}, n = 0, most = 0;
    for (int r = 0; r < SIDE; r++)
        for (int c = 0; c < SIDE; c++) {
            count[r][c] = (r + c) % 2 ? 0 : 1 + r + c;
            most = count[r][c] > most ? count[r][c] : most;
            for (int k = 0; k < count[r][c]; k++, n++) {
                x[n] = c * 4 / 3.; /* 0 ... 4 */
                y[n] = r * 4 / 3.;
            }
        }
    lt_series s = {.kind = LT_HIST2D, .n = n, .x = x, .y = y, .bins = SIDE};
    lt_chart c = {.series = &s, .n_series = 1};
    view v;
    lt_image i = draw_view(&c, 500, 400, &v);
    for (int r = 0; r < SIDE; r++)
        for (int k = 0; k < SIDE; k++) {
            double px = scale_at(&v.x, k + 0.5), py = scale_at(&v.y, r + 0.4);
            rgb want = count[r][k] ? hist2d_color((double)count[r][k] / most) : 0xffffff;
            assert_int_equal(color_at(&i, px, py), want);
        }
    lt_image_clear(&i);
}

/* With 1000 x 1000 bins on 300 x 200 pixels no bin with points is skipped. */
static void bins_smaller_than_a_pixel_are_seen(void **state)
{
    (void)state;
    enum { POINTS = 40 };
    double x[POINTS], y[POINTS];
    for (int i = 0; i < POINTS; i++) {
        x[i] = i + 0.17 * (i % 3);
        y[i] = (i * 23) % POINTS + 0.13 * (i % 4);
    }
    lt_series s = {.kind = LT_HIST2D, .n = POINTS, .x = x, .y = y, .bins = 1000};
    lt_chart c = {.series = &s, .n_series = 1};
    view v;
    lt_image image = draw_view(&c, 300, 200, &v);
    for (int i = 0; i < POINTS; i++) {
        double px = 2 * scale_at(&v.x, x[i]), py = 2 * scale_at(&v.y, y[i]);
        bool is_seen = false;
        for (int k = 0; k < 9; k++) /* within half a bin and half a pixel */
            is_seen |= is_color(&image, (int)px + k % 3 - 1, (int)py + k / 3 - 1, hist2d_color(1));
        if (!is_seen)
            fail_msg("the bin of (%g, %g) is not there", x[i], y[i]);
    }
    lt_image_clear(&image);
}

/* Of the pixels in a box those that are neither white nor gray. */
static int count_colored(const lt_image *i, double left, double top, double right, double bottom)
{
    int n = 0;
    for (int y = (int)ceil(2 * top); y < (int)(2 * bottom); y++)
        for (int x = (int)ceil(2 * left); x < (int)(2 * right); x++) {
            const unsigned char *p = pixel(i, x, y);
            n += abs(p[0] - p[2]) > 20;
        }
    return n;
}

/* Areas of bars are as numbers of points, on both sides on one scale of densities. */
static void marginals_count_columns_and_rows(void **state)
{
    (void)state;
    lt_series s = {.kind = LT_HIST2D, .n = DRAWS, .x = draw_x, .y = draw_y, .bins = 5};
    lt_chart c = {.series = &s, .n_series = 1, .has_marginals = true};
    hist2d h;
    view v;
    lt_image i = draw_view(&c, 600, 600, &v);
    assert_int_equal(hist2d_count(&h, &c), LT_OK);
    double unit[2] = {0};
    for (int side = 0; side < 2; side++) {
        double low = side ? h.y_low : h.x_low, high = side ? h.y_high : h.x_high;
        const scale *axis = side ? &v.y : &v.x;
        double all = 0, size[5];
        for (int k = 0; k < 5; k++) {
            double a = scale_at(axis, low + (high - low) * k / 5);
            double b = scale_at(axis, low + (high - low) * (k + 1) / 5);
            size[k] = side ? count_colored(&i, v.beside.left, b, v.beside.right, a)
                           : count_colored(&i, a, v.above.top, b, v.above.bottom);
            all += size[k];
        }
        for (int k = 0; k < 5; k++)
            assert_near(size[k] / all, (double)(side ? h.y_count : h.x_count)[k] / DRAWS, 0.01);
        unit[side] = all / (fabs(scale_at(axis, high) - scale_at(axis, low)) / (high - low));
    }
    assert_near(unit[0] / unit[1], 1, 0.03);
    hist2d_clear(&h);
    lt_image_clear(&i);
}

/* Lightness of CIE 1976, by which equal steps are seen as equal; colors were not made by it. */
static double lightness(rgb color)
{
    static const double weight[3] = {0.0722, 0.7152, 0.2126};
    double y = 0;
    for (int k = 0; k < 3; k++) {
        double v = (color >> 8 * k & 255) / 255.0;
        y += weight[k] * (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
    }
    return 116 * cbrt(y) - 16;
}

static void colors_of_bins_are_evenly_darker(void **state)
{
    (void)state;
    enum { STEPS = 16 };
    double from = lightness(hist2d_color(0)), to = lightness(hist2d_color(1));
    assert_true(from > 90 && to < 20);
    for (int i = 0; i < STEPS; i++) {
        double step = lightness(hist2d_color((double)i / STEPS)) -
                      lightness(hist2d_color((i + 1.0) / STEPS));
        assert_true(step > 0.7 * (from - to) / STEPS && step < 1.3 * (from - to) / STEPS);
    }
}

static void a_histogram_is_one_small_bitmap(void **state)
{
    (void)state;
    bytes b;
    must_write(in_dir("heat.svg"), &histogram);
    assert_int_equal(file_read(in_dir("heat.svg"), 1 << 24, &b), LT_OK);
    const char *image = strstr((char *)b.data, "<image ");
    assert_non_null(image);
    assert_null(strstr(image + 1, "<image "));
    assert_true(b.size < 300000);
    bytes_clear(&b);
}

/* ---- Ellipses ---- */

/* Every pixel of an ellipse is at d' C^-1 d = sigmas^2 from its center, all around. */
static void check_ellipse(double xx, double xy, double yy, double sigmas)
{
    const double x = 3, y = -2;
    lt_series s = {.kind = LT_ELLIPSES, .n = 1, .x = &x, .y = &y, .xx = &xx, .xy = &xy, .yy = &yy,
                   .sigmas = sigmas};
    lt_chart c = {.series = &s, .n_series = 1};
    view v;
    lt_image i = draw_view(&c, 700, 500, &v);
    double det = xx * yy - xy * xy, want = sigmas > 0 ? sigmas : 1;
    bool is_seen[12] = {false};
    for (int py = 0; py < i.height; py++)
        for (int px = 0; px < i.width; px++) {
            const unsigned char *p = pixel(&i, px, py);
            if (p[2] - p[0] < 60)
                continue;
            double dx = v.x.low + (px / 2.0 + 0.25 - v.x.from) / (v.x.to - v.x.from) *
                                      (v.x.high - v.x.low) - x;
            double dy = v.y.low + (py / 2.0 + 0.25 - v.y.from) / (v.y.to - v.y.from) *
                                      (v.y.high - v.y.low) - y;
            double found = sqrt((dx * dx * yy - 2 * dx * dy * xy + dy * dy * xx) / det);
            assert_near(found, want, 0.03 * want);
            /* by the angle on the circle that it is the image of */
            double a = dx / sqrt(xx), b = (dy - xy / xx * dx) / sqrt(det / xx);
            is_seen[(int)((atan2(b, a) + acos(-1)) / acos(-1) * 5.999)] = true;
        }
    for (int k = 0; k < 12; k++)
        assert_true(is_seen[k]);
    lt_image_clear(&i);
}

static void ellipses_are_those_of_their_covariance(void **state)
{
    (void)state;
    check_ellipse(1, 0, 1, 0);
    check_ellipse(4, 0, 0.25, 1);
    check_ellipse(2, 1.2, 1, 2);
    check_ellipse(0.01, -0.008, 0.02, 3);
    check_ellipse(300, 290, 300, 1);
}

/* Three circles where N(0, I) is at 1, 2, 3: looked for along the x axis from 0 on. */
static void circles_are_at_one_two_and_three(void **state)
{
    (void)state;
    view v;
    lt_chart c = histogram;
    lt_series one = {.kind = LT_POINTS, .n = 2, .x = (double[]){-5, 5}, .y = (double[]){-5, 5}};
    c.series = &one;
    c.has_marginals = false;
    lt_image i = draw_view(&c, 600, 600, &v);
    for (double r = 0.5; r < 4; r += 0.5) {
        int n = 0, dark = 0;
        for (double t = 0; t < 6.28; t += 0.01, n++) {
            double x = scale_at(&v.x, r * cos(t)), y = scale_at(&v.y, r * sin(t));
            dark += lightness(color_at(&i, x, y)) < 50;
        }
        bool is_circle = r == 1 || r == 2 || r == 3; /* dashed: about half of it, more at the rim */
        assert_true(is_circle ? dark > 0.4 * n : dark < 0.05 * n);
    }
    lt_image_clear(&i);
}

static void what_is_no_covariance_is_a_gap(void **state)
{
    (void)state;
    const double x[] = {0, 1, 2, 3, 4, 5, 6}, xx[] = {1, -1, 1, (double)NAN, 0, 1, 0},
                 xy[] = {0, 0, 2, 0, 1, 1, 0}, yy[] = {1, 1, 1, 1, 1, 1, 0};
    const bool is_there[] = {true, false, false, false, false, true, true};
    lt_series s = {.kind = LT_ELLIPSES, .n = 7, .x = x, .y = x, .xx = xx, .xy = xy, .yy = yy};
    for (int i = 0; i < 7; i++) {
        double reach_x, reach_y;
        assert_int_equal(ellipse_reach(&s, i, &reach_x, &reach_y), is_there[i]);
    }
    must_write(in_dir("gaps.png"), &(lt_chart){.series = &s, .n_series = 1});
    s = (lt_series){.kind = LT_ELLIPSES, .n = 1, .x = x, .y = x, .xx = xx + 1, .xy = xy + 1,
                    .yy = yy + 1};
    check_refused(&(lt_chart){.series = &s, .n_series = 1}, "nothing to draw");
}

/* ---- Names ---- */

static int count_texts(const lt_chart_page *f, const char *words)
{
    canvas c;
    int n = 0;
    assert_int_equal(canvas_begin(&c, PAGE_RASTER, 900, 400, 1), LT_OK);
    assert_int_equal(chart_page_draw(&c, f), LT_OK);
    for (int i = 0; i < c.n_texts; i++)
        n += strcmp(c.texts[i].text, words) == 0;
    check_inside(&c, false);
    canvas_clear(&c);
    return n;
}

static void charts_with_the_same_names_share_them(void **state)
{
    (void)state;
    static const char *const others[] = {"shirt", "boot", NULL};
    lt_chart two[2] = {scatter, scatter};
    lt_chart_page f = {.charts = two, .n_charts = 2};
    assert_int_equal(count_texts(&f, "shirt"), 1);
    lt_series other = scatter_series;
    other.label_names = others;
    two[1].series = &other;
    assert_int_equal(count_texts(&f, "shirt"), 2);
    two[1] = scatter;
    two[1].legend = LT_LEGEND_NONE;
    assert_int_equal(count_texts(&f, "shirt"), 1);
    const double y[] = {1, 2};
    lt_series lines[] = {{.name = "a", .n = 2, .y = y}, {.name = "b", .n = 2, .y = y}};
    for (int k = 0; k < 2; k++)
        two[k] = (lt_chart){.series = lines, .n_series = 2};
    assert_int_equal(count_texts(&f, "a"), 2); /* beside the ends of their lines */
    for (int k = 0; k < 2; k++)
        two[k].legend = LT_LEGEND_ABOVE;
    assert_int_equal(count_texts(&f, "a"), 1);
}

static void ellipses_add_no_labels_to_those_of_a_scatter(void **state)
{
    (void)state;
    lt_series s[2] = {scatter_series, ellipse_series[0]};
    lt_chart c = {.series = s, .n_series = 2, .has_equal_units = true};
    lt_chart_page f = {.charts = &c, .n_charts = 1};
    assert_int_equal(count_texts(&f, "shirt"), 1);
    assert_int_equal(count_texts(&f, "1σ"), 1);
    f.charts = &ellipses;
    assert_int_equal(count_texts(&f, "shirt"), 1);
}

static void text_stays_on_the_page(void **state)
{
    (void)state;
    int most = 0;
    for (int i = 0; i < COUNT_OF(all_charts); i++) {
        int texts = check_text(all_charts[i], false);
        most = texts > most ? texts : most;
    }
    assert_true(most > 20);
}

/* ---- Files, and what is refused ---- */

static void the_same_bytes_twice(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT_OF(all_charts); i++)
        check_same_bytes(all_charts[i]);
}

static void what_makes_no_map_is_refused(void **state)
{
    (void)state;
    const double nan = (double)NAN, y[3] = {1, 2, 4}, nothing[3] = {nan, nan, nan};
    lt_series s[2] = {{.kind = LT_HIST2D, .n = 3, .y = y}, {.kind = LT_HIST2D, .n = 3, .y = y}};
    lt_chart c = {.title = "T", .series = s, .n_series = 2};
    check_refused(&c, "2 series of bins, expected one");
    c.n_series = 1;
    s[0].bins = 1001;
    check_refused(&c, "1001 bins, expected 1 to 1000");
    s[0].bins = -1;
    check_refused(&c, "-1 bins");
    s[0].bins = 2;
    c.x.is_log = true;
    check_refused(&c, "need linear axes");
    c.x.is_log = false;
    s[0].y = nothing;
    check_refused(&c, "nothing to draw");
    s[0] = (lt_series){.n = 3, .y = y};
    c.has_marginals = true;
    check_refused(&c, "marginals need a series of bins, found none");
    c.has_marginals = false;
    s[0] = (lt_series){.kind = LT_ELLIPSES, .n = 3, .y = y, .xx = y, .yy = y};
    check_refused(&c, "expected xx, xy and yy of 3 ellipses");
    s[0].xy = nothing;
    s[0].sigmas = nan;
    check_refused(&c, "sigmas");
    s[0].sigmas = 0;
    s[0].labels = (const int32_t[]){0, 3, 0};
    s[0].n_labels = 2;
    check_refused(&c, "label 3 at 1, expected 0 to 1");
}

/* Little data, and numbers at the edges of what there is, with all that stands beside them. */
static void odd_data_is_drawn(void **state)
{
    (void)state;
    static const double some[3] = {0, 1, 2};
    static const int bins[] = {1, 2, 1000};
    for (int i = 0; i < COUNT_OF(odd_values); i++)
        for (int n = 1; n <= 3; n++)
            for (int k = 0; k < 8; k++) {
                const double *v = odd_values[i];
                lt_series s[2] = {{.kind = LT_HIST2D, .name = "heat", .n = n, .x = k & 1 ? v : some,
                                   .y = v, .bins = bins[n - 1]},
                                  {.kind = LT_ELLIPSES, .name = "ellipses", .n = n, .x = some,
                                   .y = v, .xx = v, .xy = k & 2 ? some : v, .yy = v, .sigmas = n}};
                lt_chart c = {.series = s, .n_series = 2, .has_equal_units = k & 4,
                              .has_marginals = true, .has_normal = k & 2};
                lt_image out;
                lt_chart_page f = {.charts = &c, .n_charts = 1};
                int status = lt_chart_page_render(&f, &(lt_render_options){.width = 300, .height = 280}, &out);
                if (status != LT_OK && !strstr(lt_last_error(), "nothing to draw"))
                    fail_msg("values %d, n = %d: %s", i, n, lt_last_error());
                if (status == LT_OK)
                    check_rim_is_white(&out);
                lt_image_clear(&out);
            }
}

/* ---- Golden pictures ---- */

static const struct {
    const char *name;
    const lt_chart *chart;
} goldens[] = {{"histogram", &histogram}, {"ellipses", &ellipses}};

/* Another picture: the same, mirrored. */
static void golden_pictures(void **state)
{
    (void)state;
    double mirrored[DRAWS];
    for (int i = 0; i < COUNT_OF(goldens); i++) {
        lt_series s = goldens[i].chart->series[0];
        lt_chart c = *goldens[i].chart;
        for (int k = 0; k < s.n; k++)
            mirrored[k] = -s.x[k];
        s.x = mirrored;
        c.series = &s;
        lt_image other = must_draw(&c, GOLDEN_WIDTH, GOLDEN_HEIGHT, 1);
        check_golden(goldens[i].name, goldens[i].chart, &other);
        lt_image_clear(&other);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_label_hides_another),
        cmocka_unit_test(equal_units_are_equally_long),
        cmocka_unit_test(a_cloud_is_one_small_bitmap),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(too_many_names_leave_the_rest),
        cmocka_unit_test(bins_count_their_points),
        cmocka_unit_test(bins_have_the_color_of_their_count),
        cmocka_unit_test(bins_smaller_than_a_pixel_are_seen),
        cmocka_unit_test(marginals_count_columns_and_rows),
        cmocka_unit_test(colors_of_bins_are_evenly_darker),
        cmocka_unit_test(a_histogram_is_one_small_bitmap),
        cmocka_unit_test(ellipses_are_those_of_their_covariance),
        cmocka_unit_test(circles_are_at_one_two_and_three),
        cmocka_unit_test(what_is_no_covariance_is_a_gap),
        cmocka_unit_test(charts_with_the_same_names_share_them),
        cmocka_unit_test(ellipses_add_no_labels_to_those_of_a_scatter),
        cmocka_unit_test(text_stays_on_the_page),
        cmocka_unit_test(the_same_bytes_twice),
        cmocka_unit_test(what_makes_no_map_is_refused),
        cmocka_unit_test(odd_data_is_drawn),
        cmocka_unit_test(golden_pictures),
    };
    if (argc == 2) {
        make_data(NULL);
        remove_dir(NULL);
        for (int i = 0; i < COUNT_OF(goldens); i++)
            write_golden(argv[1], goldens[i].name, goldens[i].chart);
        return 0;
    }
    return cmocka_run_group_tests(tests, make_data, remove_dir);
}
