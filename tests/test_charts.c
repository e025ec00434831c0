/* SPDX-License-Identifier: MIT */
/* Charts: numbers beside axes, marks where their values belong, text inside the page, the same
   bytes twice, golden pictures, and data that cannot be drawn.
   `test_charts DIR` writes the golden pictures into DIR. */
#include "chart_checks.h"

#include <sys/wait.h>
#include <unistd.h>

/* ---- Charts to draw ---- */

enum { N = 60 };

static double steps[N], falling[N], rising[N], noisy[N], low[N], high[N];

static const lt_series curve_series[] = {
    {.name = "training", .n = N, .x = steps, .y = falling},
    {.name = "rate", .n = N, .x = steps, .y = rising, .is_dashed = true},
    {.name = "validation", .n = N, .x = steps, .y = noisy, .smooth = 2},
    {.kind = LT_BAND, .n = N, .x = steps, .low = low, .high = high, .color = 3},
};
static const lt_reference curve_references[] = {
    {.value = 140, .label = "published"},
    {.value = 30, .is_vertical = true, .label = "warm-up ends"},
};
static const lt_chart curves = {.title = "Curves", .subtitle = "of nothing, for a test",
                                .x = {.label = "epoch", .is_whole = true},
                                .y = {.label = "nats per image"}, .series = curve_series,
                                .n_series = 4, .references = curve_references, .n_references = 2};

static const double theta[] = {-1, -0.5, 0, 0.5, 1}, distance[] = {1.03, 0.48, 0.02, 0.51, 0.97},
                    distance_low[] = {0.93, 0.4, -0.05, 0.42, 0.9},
                    distance_high[] = {1.13, 0.56, 0.09, 0.6, 1.04}, exact[] = {1, 0.5, 0, 0.5, 1};
static const lt_series point_series[] = {
    {.name = "closed form", .n = 5, .x = theta, .y = exact, .color = -1},
    {.name = "estimate", .kind = LT_POINTS, .n = 5, .x = theta, .y = distance,
     .low = distance_low, .high = distance_high},
};
static const lt_chart points = {.title = "Distance", .x.label = "θ", .y.label = "nats",
                                .series = point_series, .n_series = 2};

static const char *const classes[] = {"shirt", "trouser", "coat", "boot"};
static const double heights[] = {1, 2, 4, -1};
static const lt_series bar_series = {.kind = LT_BARS, .n = 4, .y = heights};
static const lt_chart bars = {.title = "Bars", .x = {.names = classes, .n_names = 4},
                              .series = &bar_series, .n_series = 1};

static char long_text[201];
static const double ends[] = {1, 1e5};
static const lt_series long_series[] = {
    {.name = long_text, .n = 2, .x = ends, .y = ends, .kind = LT_LINES_POINTS},
    {.name = long_text, .n = 2, .x = ends, .y = ends, .kind = LT_STEPS},
};
static const lt_reference long_references[] = {
    {.value = 30, .label = long_text},
    {.value = 300, .is_vertical = true, .label = long_text},
};
static const lt_chart long_chart = {
    .title = long_text, .subtitle = long_text, .x = {.label = long_text, .is_log = true},
    .y = {.label = long_text, .is_log = true}, .series = long_series, .n_series = 2,
    .references = long_references, .n_references = 2};

/* Curves that need no library of mathematics to be the same everywhere. */
static int make_data(void **state)
{
    draws d = draws_from(7);
    for (int i = 0; i < N; i++) {
        steps[i] = i + 1;
        falling[i] = 100 + 300.0 / (i + 3);
        rising[i] = 25 - 60.0 / (i + 4);
        noisy[i] = falling[i] + (double)draw_below(&d, 1000) / 100;
        low[i] = noisy[i] - 8;
        high[i] = noisy[i] + 8;
    }
    return make_dir(state);
}

static const lt_chart *const all_charts[] = {&curves, &points, &bars, &long_chart};

/* ---- Axes ---- */

static void numbers_have_signs_and_thousands(void **state)
{
    (void)state;
    static const struct {
        double value;
        int decimals;
        const char *words;
    } cases[] = {{0, 0, "0"},          {-0.001, 2, "0.00"},   {-1234.5, 1, "−1,234.5"},
                 {999999, 0, "999,999"}, {1234567, 0, "1,234,567"}, {0.05, 2, "0.05"},
                 {-12, 0, "−12"},      {0.125, 3, "0.125"},   {1e11, 0, "100,000,000,000"}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        char found[TICK_TEXT];
        number_text(found, cases[i].value, cases[i].decimals);
        assert_string_equal(found, cases[i].words);
    }
}

static void check_ticks(lt_axis axis, double from, double to, int most, const char *want)
{
    scale s = {.low = from, .high = to, .is_log = axis.is_log};
    ticks t;
    char found[1000] = "";
    ticks_make(&t, &s, most, axis.is_whole);
    for (int i = 0; i < t.n; i++) {
        strcat(found, i ? " " : "");
        strcat(found, t.text[i]);
    }
    assert_string_equal(found, want);
}

static void ticks_are_round(void **state)
{
    (void)state;
    lt_axis even = {0}, logarithmic = {.is_log = true}, whole = {.is_whole = true};
    check_ticks(even, 0, 1, 6, "0 0.2 0.4 0.6 0.8 1.0");
    check_ticks(even, -1, 1, 3, "−1 0 1");
    check_ticks(even, 0.3, 0.9, 2, "0.4 0.8");
    check_ticks(even, 0, 4e7, 5, "0 1×10⁷ 2×10⁷ 3×10⁷ 4×10⁷");
    check_ticks(even, 0, 5e-6, 3, "0 2×10⁻⁶ 4×10⁻⁶");
    check_ticks(even, 1e9, 1e9 + 20, 3, "1.00000000×10⁹ 1.00000001×10⁹ 1.00000002×10⁹");
    check_ticks(whole, 1, 3, 10, "1 2 3");
    check_ticks(even, 1, 3, 6, "1.0 1.5 2.0 2.5 3.0");
    check_ticks(logarithmic, 0.5, 300, 12, "0.5 1 2 5 10 20 50 100 200");
    check_ticks(logarithmic, 0.5, 300, 5, "1 10 100");
    check_ticks(logarithmic, 1e-9, 1e9, 4, "10⁻⁵ 1 10⁵");
    check_ticks(logarithmic, 2, 7, 6, "2 3 4 5 6 7");
}

/* What strtod makes of a tick: U+2212 is a sign, commas are not there, 2x10^k is 2e^k. */
static double read_tick(const char *words)
{
    char plain[64] = "";
    static const char *const from[] = {"−", "×10", "⁻", "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷",
                                       "⁸", "⁹", ","};
    static const char *const to[] = {"-", "e", "-", "0", "1", "2", "3", "4", "5", "6", "7",
                                     "8", "9", ""};
    bool is_bare = !strstr(words, "×"), has_power = false;
    while (*words) {
        int k = 0;
        while (k < COUNT_OF(from) && strncmp(words, from[k], strlen(from[k])) != 0)
            k++;
        if (k >= 2 && k <= 12 && is_bare && !has_power) { /* 10^k alone */
            plain[strlen(plain) - 2] = 0;
            strcat(plain, "1e");
            has_power = true;
        }
        strncat(plain, k < COUNT_OF(from) ? to[k] : words, k < COUNT_OF(from) ? 5 : 1);
        words += k < COUNT_OF(from) ? strlen(from[k]) : 1;
    }
    return strtod(plain, NULL);
}

static void ticks_say_where_they_are(void **state)
{
    (void)state;
    draws d = draws_from(3);
    for (int i = 0; i < 20000; i++) {
        double size = pow(10, (double)draw_below(&d, 180) / 10 - 9);
        double from = size * ((double)draw_below(&d, 2000) / 1000 - 1);
        double to = from + size * (double)(1 + draw_below(&d, 1000)) / 1000;
        bool is_log = draw_below(&d, 2) && from > 0;
        int most = 2 + (int)draw_below(&d, 10);
        scale s = {.low = from, .high = is_log ? to * (1 + (double)draw_below(&d, 10000)) : to,
                   .is_log = is_log};
        ticks t;
        ticks_make(&t, &s, most, false);
        if (t.n < 2 || t.n > most)
            fail_msg("%g to %g: %d ticks, at most %d", s.low, s.high, t.n, most);
        double slack = 1e-6 * (s.high - s.low);
        for (int k = 0; k < t.n; k++) {
            double read = read_tick(t.text[k]);
            if (t.value[k] < s.low - slack || t.value[k] > s.high + slack ||
                fabs(read - t.value[k]) > 1e-9 * fabs(t.value[k]) ||
                (k > 0 && t.value[k] <= t.value[k - 1]))
                fail_msg("%g to %g: tick %g is called %s", s.low, s.high, t.value[k], t.text[k]);
        }
    }
}

/* ---- Marks ---- */

/* Heights of bars, in pixels, are to each other as the values. */
static void bars_are_as_high_as_their_values(void **state)
{
    (void)state;
    lt_image i = must_draw(&bars, 640, 400, 1);
    int n[4] = {0}, bar = -1;
    bool was_bar = false;
    for (int x = 0; x < i.width; x++) {
        int here = 0;
        for (int y = 0; y < i.height; y++)
            here += is_color(&i, x, y, palette_color(0));
        bar += here > 0 && !was_bar;
        was_bar = here > 0;
        if (here > 0 && bar < 4)
            n[bar] = n[bar] > here ? n[bar] : here;
    }
    assert_int_equal(bar, 3);
    assert_true(n[2] > 100);
    for (int k = 0; k < 4; k++)
        if (fabs(n[k] - fabs(heights[k]) * n[2] / heights[2]) > 2)
            fail_msg("bar %d has %d pixels, bar 3 has %d", k + 1, n[k], n[2]);
    lt_image_clear(&i);
}

/* Three points in three colors: equal steps on the axis are equal steps on the page. */
static void check_spacing(bool is_log, const double at[3], double ratio)
{
    lt_series s[3];
    double x[3], y[3];
    for (int k = 0; k < 3; k++)
        s[k] = (lt_series){.kind = LT_POINTS, .n = 1, .x = at + k, .y = at + k};
    lt_chart c = {.x.is_log = is_log, .y.is_log = is_log, .series = s, .n_series = 3};
    lt_image i = must_draw(&c, 640, 400, 2);
    for (int k = 0; k < 3; k++)
        find_middle(&i, palette_color(k), &x[k], &y[k]);
    assert_true(x[1] > x[0] && y[1] < y[0]);
    assert_true(fabs((x[2] - x[0]) / (x[1] - x[0]) - ratio) < 0.01);
    assert_true(fabs((y[2] - y[0]) / (y[1] - y[0]) - ratio) < 0.01);
    lt_image_clear(&i);
}

static void points_are_where_they_belong(void **state)
{
    (void)state;
    check_spacing(false, (const double[]){-3, 1, 9}, 3);
    check_spacing(true, (const double[]){1, 10, 1000}, 3);
    check_spacing(true, (const double[]){1e-40, 1, 1e40}, 2);
}

/* Of the columns between the first and the last one with the line's color: how many lack it. */
static int count_gaps(const lt_series *s)
{
    lt_chart c = {.series = s, .n_series = 1};
    lt_image i = must_draw(&c, 640, 400, 1);
    int gaps = 0, since = -1;
    for (int x = 0; x < i.width; x++)
        for (int y = 0; y < i.height; y++)
            if (is_color(&i, x, y, palette_color(0))) {
                gaps += since >= 0 ? x - since - 1 : 0;
                since = x;
                break;
            }
    lt_image_clear(&i);
    return gaps;
}

static void values_that_are_missing_are_gaps(void **state)
{
    (void)state;
    double y[10] = {1, 1, 1, 1, 1, 2, 2, 2, 2, 2};
    lt_series s = {.n = 10, .y = y};
    assert_int_equal(count_gaps(&s), 0);
    y[4] = (double)NAN;
    int one = count_gaps(&s);
    y[6] = (double)INFINITY;
    int two = count_gaps(&s);
    assert_true(one > 100 && two > one + 100); /* two of nine steps of about 60 each */
}

/* Many points in one column are reduced to its lowest and highest; the picture stays. */
static void peaks_survive_many_points(void **state)
{
    (void)state;
    enum { MANY = 200000 };
    double *y = must_alloc(sizeof *y * MANY);
    y[MANY / 3] = 1;
    lt_series s = {.n = MANY, .y = y};
    lt_chart c = {.y = {.min = -0.1, .max = 1.1}, .series = &s, .n_series = 1};
    lt_image i = must_draw(&c, 640, 400, 1);
    int highest = i.height, lowest = 0;
    for (int v = 0; v < i.height; v++)
        for (int u = 0; u < i.width; u++)
            if (is_color(&i, u, v, palette_color(0))) {
                highest = v < highest ? v : highest;
                lowest = v > lowest ? v : lowest;
            }
    assert_true(lowest - highest > 200);
    lt_image_clear(&i);
    must_write(in_dir("many.svg"), &c);
    bytes b;
    assert_int_equal(file_read(in_dir("many.svg"), 1 << 24, &b), LT_OK);
    assert_true(b.size < 300000);
    bytes_clear(&b);
    free(y);
}

/* ---- Text ---- */

static void text_stays_on_the_page(void **state)
{
    (void)state;
    memset(long_text, 'W', sizeof long_text - 1);
    int most = 0;
    for (int i = 0; i < COUNT_OF(all_charts); i++) {
        int texts = check_text(all_charts[i], all_charts[i]->n_references > 0);
        most = texts > most ? texts : most;
    }
    assert_true(most > 15);
}

/* Several charts on one page, squeezed or not. */
static void figures_keep_their_text(void **state)
{
    (void)state;
    lt_chart four[] = {points, bars, points, bars};
    lt_chart_page f = {.title = "Four charts", .subtitle = long_text, .charts = four, .n_charts = 4};
    for (int k = 2; k < 6; k++) {
        canvas c;
        assert_int_equal(canvas_begin(&c, PAGE_RASTER, sizes[k][0], sizes[k][1], 1), LT_OK);
        assert_int_equal(chart_page_draw(&c, &f), LT_OK);
        check_inside(&c, false);
        canvas_clear(&c);
    }
}

/* What has no room on one line takes two, and what is below makes room for it. */
static void titles_take_two_lines(void **state)
{
    (void)state;
    lt_chart c = points;
    c.title = "A title that says what was trained, on which images, with how many latents, by whom";
    c.subtitle = "below";
    canvas page;
    lt_chart_page f = {.charts = &c, .n_charts = 1};
    assert_int_equal(canvas_begin(&page, PAGE_RASTER, 400, 300, 1), LT_OK);
    assert_int_equal(chart_page_draw(&page, &f), LT_OK);
    const drawn_text *title = &page.texts[0], *subtitle = &page.texts[1];
    assert_string_equal(title->text, c.title);
    assert_string_equal(subtitle->text, c.subtitle);
    assert_false(title->is_shortened);
    assert_true(title->ink.right < 400 && title->ink.right > 200);
    assert_true(subtitle->ink.top > title->ink.bottom);
    double height = title->ink.bottom - title->ink.top;
    assert_true(height > 1.5 * (subtitle->ink.bottom - subtitle->ink.top));
    canvas_clear(&page);
}

static void any_text_is_drawn(void **state)
{
    (void)state;
    static const char *const texts[] = {"", " ", "a\nb\tc\x7f", "\xff\xfe broken \xc3",
                                        "שלום ערב طيب", "日本語 🎨 é", "<b>&amp;</b> %s %n",
                                        "\xe2\x80\xa8"};
    static const double y[2] = {1, 2};
    for (int i = 0; i < COUNT_OF(texts); i++) {
        lt_series s = {.name = texts[i], .n = 2, .y = y};
        lt_chart c = {.title = texts[i], .subtitle = texts[i], .x.label = texts[i],
                      .y.label = texts[i], .series = &s, .n_series = 1};
        must_write(in_dir("text.png"), &c);
        must_write(in_dir("text.svg"), &c);
    }
}

/* WCAG's contrast of a color and white. */
static double contrast(rgb color)
{
    static const double weight[3] = {0.0722, 0.7152, 0.2126};
    double luminance = 0;
    for (int k = 0; k < 3; k++) {
        double v = (color >> 8 * k & 255) / 255.0;
        luminance += weight[k] * (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
    }
    return 1.05 / (luminance + 0.05);
}

static void colored_text_can_be_read(void **state)
{
    (void)state;
    assert_true(fabs(contrast(0) - 21) < 1e-9 && fabs(contrast(0x777777) - 4.48) < 0.01);
    for (int k = 0; k < 7; k++)
        assert_true(contrast(readable(palette_color(k))) > 3.5);
    assert_true(contrast(SOFT_INK) > 4.5);
}

/* ---- Files ---- */

static void the_same_bytes_twice(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT_OF(all_charts); i++)
        check_same_bytes(all_charts[i]);
}

static void pdf_does_not_say_when(void **state)
{
    (void)state;
    bytes b;
    must_write(in_dir("a.pdf"), &points);
    assert_int_equal(file_read(in_dir("a.pdf"), 1 << 24, &b), LT_OK);
    int dates = 0;
    for (size_t i = 0; i + 23 < b.size; i++)
        if (memcmp(b.data + i, "/CreationDate", 13) == 0) {
            assert_memory_equal(b.data + i, "/CreationDate (20000101", 23);
            dates++;
        }
    assert_int_equal(dates, 1);
    bytes_clear(&b);
}

static void names_decide_the_format(void **state)
{
    (void)state;
    assert_int_equal(lt_chart_write(in_dir("a.tiff"), &points, NULL), LT_VALUE);
    assert_text_has(lt_last_error(), ".png, .jpg, .webp, .svg or .pdf");
    assert_int_equal(lt_chart_write(".png", &points, NULL), LT_VALUE);
    assert_int_equal(lt_chart_write(in_dir("none/a.PNG"), &points, NULL), LT_NOT_FOUND);
    assert_int_equal(lt_grid_check_name("a.tiff"), LT_VALUE);
    assert_text_has(lt_last_error(), "a.tiff: pictures are written as .png");
    assert_int_equal(lt_grid_check_name("none/a.PNG"), LT_OK);
}

static void sizes_are_checked(void **state)
{
    (void)state;
    static const lt_render_options bad[] = {{.width = 99}, {.height = 8001}, {.scale = 17},
                                             {.width = (double)NAN}, {.scale = -1},
                                             {.width = 8000, .scale = 16}};
    for (int i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(lt_chart_write(in_dir("size.png"), &points, &bad[i]), LT_VALUE);
        assert_text_has(lt_last_error(), "size.png: a picture of ");
    }
    lt_image i = must_draw(&points, 200, 100, 1.5);
    assert_true(i.width == 300 && i.height == 150 && i.channels == 3);
    lt_image_clear(&i);
    lt_chart many[50];
    for (int k = 0; k < 50; k++)
        many[k] = points;
    lt_chart_page f = {.charts = many, .n_charts = 50};
    assert_int_equal(lt_chart_page_write(in_dir("f.png"), &f, &(lt_render_options){.height = 300}),
                     LT_VALUE);
    assert_text_has(lt_last_error(), "50 charts in 3 columns do not fit");
}

/* The reason and its place, without a font; in a process that has not looked for one. */
static void without_a_font_it_says_so(void **state)
{
    (void)state;
    static const char nothing[] =
        "<?xml version=\"1.0\"?><fontconfig><dir>/nonexistent</dir></fontconfig>";
    const char *config = in_dir("fonts.conf");
    assert_int_equal(file_write(config, nothing, sizeof nothing - 1), LT_OK);
    pid_t child = fork();
    if (child == 0) {
        setenv("FONTCONFIG_FILE", config, 1);
        int status = lt_chart_write(in_dir("font.png"), &points, NULL);
        _exit(status == LT_NOT_FOUND && strstr(lt_last_error(), "fonts-inter") ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* ---- Data ---- */

static void what_cannot_be_drawn_is_refused(void **state)
{
    (void)state;
    const double nan = (double)NAN, nothing[3] = {nan, nan, nan}, negative[3] = {-1, 0, -2};
    lt_series s = {0};
    lt_chart c = {.title = "T", .series = &s, .n_series = 1};
    check_refused(&(lt_chart){.title = "T"}, "refused.png: T: nothing to draw");
    check_refused(&c, "nothing to draw");
    s = (lt_series){.n = 3, .y = nothing};
    check_refused(&c, "no finite point in 1 series");
    s.y = negative;
    c.y.is_log = true;
    check_refused(&c, "logarithmic");
    c.y.is_log = false;
    s.y = NULL;
    check_refused(&c, "expected y of 0 or more values, found 3 and no y");
    s = (lt_series){.kind = LT_BAND, .n = 3, .high = negative};
    check_refused(&c, "high alone");
    s = (lt_series){.kind = LT_SERIES_KINDS, .n = 3, .y = negative};
    check_refused(&c, "expected a kind of series");
    s = (lt_series){.n = 3, .y = negative, .smooth = nan};
    check_refused(&c, "smooth");
    s.smooth = 0;
    c.y = (lt_axis){.min = 2, .max = 1};
    check_refused(&c, "y axis: expected min below max, found 2 to 1");
    c.y = (lt_axis){0};
    c.x = (lt_axis){.min = 0, .max = 1, .is_log = true};
    check_refused(&c, "logarithmic");
}

/* Little data, and numbers at the edges of what there is. */
static void odd_data_is_drawn(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT_OF(odd_values); i++)
        for (int kind = 0; kind < LT_SERIES_KINDS; kind++)
            for (int n = 1; n <= 3; n++)
                for (int log = 0; log < (kind < LT_HIST2D ? 4 : 1); log++) {
                    const double *y = odd_values[i];
                    lt_series s = {.kind = (lt_series_kind)kind, .name = "s", .n = n, .y = y,
                                   .x = log & 2 ? y : NULL, .low = y, .high = y, .smooth = n,
                                   .xx = y, .xy = y, .yy = y};
                    lt_chart c = {.series = &s, .n_series = 1, .y.is_log = log & 1,
                                  .x.is_log = log & 2};
                    lt_image out;
                    lt_chart_page f = {.charts = &c, .n_charts = 1};
                    int status = lt_chart_page_render(&f, &(lt_render_options){.width = 160, .height = 120}, &out);
                    if (status != LT_OK && !strstr(lt_last_error(), "nothing to draw"))
                        fail_msg("values %d, kind %d, n = %d: %s", i, kind, n, lt_last_error());
                    if (status == LT_OK)
                        check_rim_is_white(&out);
                    lt_image_clear(&out);
                }
}

/* ---- Golden pictures ---- */

static const struct {
    const char *name;
    const lt_chart *chart;
} goldens[] = {{"curves", &curves}, {"points", &points}, {"bars", &bars}};

/* The same chart with all its curves flat: what another picture differs by. */
static lt_image draw_flat(const lt_chart *chart)
{
    static double y[4][N];
    lt_series s[4];
    lt_chart c = *chart;
    memcpy(s, c.series, sizeof *s * (size_t)c.n_series);
    for (int k = 0; k < c.n_series; k++) {
        for (int i = 0; s[k].y && i < s[k].n; i++)
            y[k][i] = s[k].y[s[k].n - 1];
        s[k].y = y[k];
    }
    c.series = s;
    return must_draw(&c, GOLDEN_WIDTH, GOLDEN_HEIGHT, 1);
}

/* Another font (DejaVu Sans instead of Inter) makes 0.3 to 0.42 of what flat curves make. */
static void golden_pictures(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT_OF(goldens); i++) {
        lt_image flat = draw_flat(goldens[i].chart);
        check_golden(goldens[i].name, goldens[i].chart, &flat);
        lt_image_clear(&flat);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_font_it_says_so), /* first: before fonts are looked for */
        cmocka_unit_test(numbers_have_signs_and_thousands),
        cmocka_unit_test(ticks_are_round),
        cmocka_unit_test(ticks_say_where_they_are),
        cmocka_unit_test(bars_are_as_high_as_their_values),
        cmocka_unit_test(points_are_where_they_belong),
        cmocka_unit_test(values_that_are_missing_are_gaps),
        cmocka_unit_test(peaks_survive_many_points),
        cmocka_unit_test(text_stays_on_the_page),
        cmocka_unit_test(figures_keep_their_text),
        cmocka_unit_test(titles_take_two_lines),
        cmocka_unit_test(any_text_is_drawn),
        cmocka_unit_test(colored_text_can_be_read),
        cmocka_unit_test(the_same_bytes_twice),
        cmocka_unit_test(pdf_does_not_say_when),
        cmocka_unit_test(names_decide_the_format),
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
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
