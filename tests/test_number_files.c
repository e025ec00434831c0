/* SPDX-License-Identifier: MIT */
/* Numbers out of files that were written here by hand, byte by byte; names that stand for many files; the
   numbers behind charts. */
#include "check.h"
#include "data_files.h"

#include <latent/data.h>
#include <latent/plot.h>

typedef struct read_back {
    lt_number_array *all;
    int n;
} read_back;

static read_back must_read(const char *path)
{
    read_back r;
    if (lt_arrays_read(path, &r.all, &r.n) != LT_OK)
        fail_msg("%s", lt_last_error());
    return r;
}

static void check_array(const lt_number_array *a, const char *name, int rank, const int64_t *shape,
                        const double *values)
{
    int64_t n = 1;
    assert_string_equal(a->name, name);
    assert_int_equal(a->rank, rank);
    for (int i = 0; i < rank; i++) {
        assert_int_equal(a->shape[i], shape[i]);
        n *= shape[i];
    }
    for (int64_t i = 0; i < n; i++)
        if (!same_number(a->values[i], values[i]))
            fail_msg("%s[%jd]: expected %.17g, found %.17g", name, (intmax_t)i, values[i], a->values[i]);
}

static void check_one(const char *path, int rank, const int64_t *shape, const double *values)
{
    read_back r = must_read(path);
    assert_int_equal(r.n, 1);
    check_array(r.all, "", rank, shape, values);
    lt_arrays_free(r.all, r.n);
}

static void check_refused(const char *path, int status, const char *words)
{
    lt_number_array *all;
    int n, found = lt_arrays_read(path, &all, &n);
    if (found != status || !strstr(lt_last_error(), words) || all || n)
        fail_msg("expected %s \"%s\", found %s: %s", lt_status_name(status), words, lt_status_name(found),
                 lt_last_error());
}

/* ---- npy ---- */

static void npy_of_every_type(void **state)
{
    (void)state;
    const int64_t shape[] = {2, 2};
    check_one(put_numbers("a.npy", "<f4", "(2, 2)", (const float[]){0.5f, -1, 3, 1e-30f}, 16), 2, shape,
              (const double[]){0.5, -1, 3, (double)1e-30f});
    check_one(put_numbers("a.npy", "<f8", "(2, 2)", (const double[]){0.1, -1, (double)NAN, (double)INFINITY}, 32), 2,
              shape, (const double[]){0.1, -1, (double)NAN, (double)INFINITY});
    check_one(put_numbers("a.npy", "<i8", "(2, 2)", (const int64_t[]){-5, 1, 0, 1 << 20}, 32), 2, shape,
              (const double[]){-5, 1, 0, 1 << 20});
    check_one(put_numbers("a.npy", "<i2", "(2, 2)", (const int16_t[]){-5, 1, 0, 300}, 8), 2, shape,
              (const double[]){-5, 1, 0, 300});
    check_one(put_numbers("a.npy", "|u1", "(2, 2)", "\x01\xff\x00\x07", 4), 2, shape,
              (const double[]){1, 255, 0, 7});
    /* 1, -2, the largest, the least above 0 */
    check_one(put_numbers("a.npy", "<f2", "(2, 2)", "\x00\x3c\x00\xc0\xff\x7b\x01\x00", 8), 2, shape,
              (const double[]){1, -2, 65504, 1 / 16777216.});
    check_one(put_numbers("a.npy", "|i1", "(4,)", "\x01\xff\x00\x07", 4), 1, (const int64_t[]){4},
              (const double[]){1, -1, 0, 7});
}

static void damaged_npy_is_refused(void **state)
{
    (void)state;
    check_refused(put_numbers("a.npy", "<f4", "(2, 3)", "12345678", 8), LT_FORMAT, "expected 6 numbers of 4 bytes");
    check_refused(put_numbers("a.npy", "<c8", "(1,)", "12345678", 8), LT_FORMAT, "found '<c8'");
    check_refused(put_text("a.npy", "no array"), LT_FORMAT, "NUMPY");
    check_refused(put_text("a.dat", "1"), LT_VALUE, ".npz, .npy or .csv");
    check_refused(in_dir("nothing.csv"), LT_NOT_FOUND, "nothing.csv");
}

/* ---- csv ---- */

static void csv_with_and_without_names(void **state)
{
    (void)state;
    const int64_t two[] = {2, 2};
    const double numbers[] = {1.5, -2, 3, 4e-5};
    check_one(put_text("a.csv", "1.5,-2\n3,4e-5\n"), 2, two, numbers);
    check_one(put_text("a.csv", " 1.5 , -2\r\n\r\n3,4e-5"), 2, two, numbers);
    check_one(put_text("a.csv", "0,1\n1.5,-2\n3,4e-5\n"), 2, two, numbers); /* as pandas counts columns */
    read_back r = must_read(put_text("a.csv", "\"label\",mean_1,mean_2,iwae_k5_nats,k7\n3,1.5,-2,nan,8\n4,3,4e-5,inf,9\n"));
    assert_int_equal(r.n, 4);
    check_array(&r.all[0], "label", 1, (const int64_t[]){2}, (const double[]){3, 4});
    check_array(&r.all[1], "mean", 2, two, numbers);
    check_array(&r.all[2], "iwae_k5_nats", 1, (const int64_t[]){2},
                (const double[]){(double)NAN, (double)INFINITY});
    check_array(&r.all[3], "k7", 1, (const int64_t[]){2}, (const double[]){8, 9});
    lt_arrays_free(r.all, r.n);
}

static void damaged_csv_is_refused_with_its_place(void **state)
{
    (void)state;
    check_refused(put_text("a.csv", "1,2\n3,x\n"), LT_FORMAT, "a.csv:2: column 2: expected a number, found 'x'");
    check_refused(put_text("a.csv", "a,b\n1,2\n\n3,4,5\n"), LT_FORMAT, "a.csv:4: expected 2 numbers");
    check_refused(put_text("a.csv", "a,b\n1,2\n3\n"), LT_FORMAT, "a.csv:3: expected 2 numbers");
    check_refused(put_text("a.csv", "1,2\n3,\n"), LT_FORMAT, "a.csv:2: column 2");
    check_refused(put_text("a.csv", "\n \n"), LT_FORMAT, "empty");
    check_refused(put_text("a.csv", "1;2\n3;4\n"), LT_FORMAT, "column 1");
}

/* What lt_columns_write writes, also arrays of rank 2, reads back exactly from both formats. */
static void columns_read_back(void **state)
{
    (void)state;
    static const float pairs[3][2] = {{0.1f, -2}, {3e-30f, 1}, {0.5f, 7}};
    static const int32_t labels[3] = {7, -1, 3};
    const lt_array arrays[] = {{"label", LT_INT32, labels, 1, {3}}, {"z", LT_FLOAT32, pairs, 2, {3, 2}}};
    double want[6];
    for (int i = 0; i < 6; i++)
        want[i] = (double)pairs[i / 2][i % 2];
    static const char *const names[] = {"c.csv", "c.npz"};
    for (int k = 0; k < 2; k++) {
        assert_int_equal(lt_columns_write(in_dir(names[k]), arrays, 2), LT_OK);
        read_back r = must_read(in_dir(names[k]));
        assert_int_equal(r.n, 2);
        check_array(&r.all[0], "label", 1, (const int64_t[]){3}, (const double[]){7, -1, 3});
        for (int i = 0; i < 6; i++) /* csv has as many digits as a float needs */
            r.all[1].values[i] = (double)(float)r.all[1].values[i];
        check_array(&r.all[1], "z", 2, (const int64_t[]){3, 2}, want);
        lt_arrays_free(r.all, r.n);
    }
    char *words = lt_csv_text(arrays, 2);
    assert_string_equal(words, "label,z_0,z_1\n7,0.1,-2\n-1,3e-30,1\n3,0.5,7\n");
    free(words);
}

/* Reads what is left of a file; it is whole again, or there is nothing to free. */
static void read_damaged(const char *name, const void *data, size_t size)
{
    lt_number_array *all;
    int n, status = lt_arrays_read(put(name, data, size), &all, &n);
    if (status != LT_OK && (all || n || !lt_last_error()[0]))
        fail_msg("%s: %s with %d arrays", name, lt_status_name(status), n);
    if (status != LT_OK && status != LT_FORMAT && status != LT_UNSUPPORTED && status != LT_IO)
        fail_msg("%s: %s: %s", name, lt_status_name(status), lt_last_error());
    lt_arrays_free(all, n);
}

static void damaged_files_are_read_or_refused(void **state)
{
    (void)state;
    static const float pairs[2][2] = {{0.1f, -2}, {3e-30f, 1}};
    const lt_array arrays[] = {{"a", LT_FLOAT32, pairs, 1, {2}}, {"z", LT_FLOAT32, pairs, 2, {2, 2}}};
    static const char *const names[] = {"d.csv", "d.npz", "d.npy"};
    draws d = draws_from(7);
    for (int k = 0; k < 3; k++) {
        bytes file;
        if (k < 2)
            assert_int_equal(lt_columns_write(in_dir(names[k]), arrays, 2), LT_OK);
        else
            assert_int_equal(lt_npy_write(in_dir(names[k]), pairs[0], 2, (const int64_t[]){2, 2}), LT_OK);
        assert_int_equal(file_read(in_dir(names[k]), 1 << 20, &file), LT_OK);
        for (size_t i = 0; i < file.size; i++) {
            unsigned char was = file.data[i];
            file.data[i] = (unsigned char)(was ^ (1 + draw_below(&d, 255)));
            read_damaged(names[k], file.data, file.size);
            file.data[i] = was;
            read_damaged(names[k], file.data, i);
        }
        bytes_clear(&file);
    }
}

/* ---- Names that stand for many files ---- */

static void check_name(const char *pattern, int64_t i, const char *want)
{
    char *found = lt_numbered_name(pattern, i);
    if (!found)
        fail_msg("%s", lt_last_error());
    assert_string_equal(found, want);
    free(found);
}

static void numbers_go_into_names(void **state)
{
    (void)state;
    check_name("img-%04d.png", 7, "img-0007.png");
    check_name("img-%04d.png", 12345, "img-12345.png");
    check_name("%d.png", 0, "0.png");
    check_name("a/%3d.png", 7, "a/  7.png");
    check_name("100%%-%02d.png", 7, "100%-07.png");
    check_name("a%%d%d", 7, "a%d7");
    assert_true(lt_is_numbered("a%d"));
    assert_false(lt_is_numbered("a.png"));
    static const struct {
        const char *pattern, *words;
    } bad[] = {{"a-%s.png", "'%s.p'"},      {"a-%n.png", "'%n.p'"},         {"a%d-%d.png", "found also"},
               {"a%.png", "'%.pn'"},         {"a%%.png", "expected a number"}, {"%d/a.png", "of a directory"},
               {"a%-4d.png", "'%-4d'"},     {"a%ld.png", "'%ld."},           {"a%*d.png", "'%*d."},
               {"a%99999d.png", "'%999'"},   {"a%4$d.png", "'%4$d'"},         {"%d.bmp", ".bmp"},
               {"%d", "%d"}};
    for (int i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(lt_numbered_check_name(bad[i].pattern), LT_VALUE);
        if (i < 11)
            assert_text_has(lt_last_error(), bad[i].words);
    }
    assert_int_equal(lt_numbered_check_name("x/%05d.webp"), LT_OK);
    assert_int_equal(lt_numbered_check_name("%05d.npy"), LT_OK);
}

static void each_image_gets_its_file(void **state)
{
    (void)state;
    float images[3][2][2];
    for (int i = 0; i < 12; i++)
        (&images[0][0][0])[i] = (float)(i * 20) / 255;
    assert_int_equal(lt_numbered_write(in_dir("one-%02d.png"), &images[0][0][0], 3, 2, 2, 1, 0), LT_OK);
    assert_int_equal(lt_numbered_write(in_dir("big-%02d.png"), &images[0][0][0], 3, 2, 2, 1, 3), LT_OK);
    for (int i = 0; i < 3; i++) {
        char name[32];
        lt_image one;
        snprintf(name, sizeof name, "one-%02d.png", i);
        assert_int_equal(lt_image_read(in_dir(name), &one), LT_OK);
        assert_int_equal(one.width * one.height * one.channels, 4);
        for (int k = 0; k < 4; k++)
            assert_int_equal(one.pixels[k], (i * 4 + k) * 20);
        lt_image_clear(&one);
        snprintf(name, sizeof name, "big-%02d.png", i);
        assert_int_equal(lt_image_read(in_dir(name), &one), LT_OK);
        assert_int_equal(one.width, 6);
        assert_int_equal(one.pixels[0], i * 80);
        lt_image_clear(&one);
    }
    assert_false(file_exists(in_dir("one-03.png")));
    assert_int_equal(lt_numbered_write(in_dir("no/%d.png"), &images[0][0][0], 1, 2, 2, 1, 0), LT_NOT_FOUND);
    assert_int_equal(lt_numbered_write(in_dir("raw-%d.npy"), &images[0][0][0], 2, 2, 2, 1, 0), LT_OK);
    double want[4];
    for (int i = 0; i < 4; i++)
        want[i] = (double)(&images[1][0][0])[i];
    check_one(in_dir("raw-1.npy"), 3, (const int64_t[]){2, 2, 1}, want);
}

/* ---- The numbers behind charts ---- */

static void check_csv(const lt_chart_page *f, const char *want)
{
    char *found = lt_chart_page_csv(f);
    if (!found)
        fail_msg("%s", lt_last_error());
    assert_string_equal(found, want);
    assert_int_equal(lt_chart_page_write(in_dir("f.csv"), f, NULL), LT_OK);
    bytes file;
    assert_int_equal(file_read(in_dir("f.csv"), 1 << 20, &file), LT_OK);
    assert_string_equal((const char *)file.data, want);
    bytes_clear(&file);
    free(found);
}

static void lines_bars_and_bands(void **state)
{
    (void)state;
    const double y[] = {0.1, (double)NAN, 3}, low[] = {0, 0, 2}, high[] = {1, 1, 4};
    const lt_series series[] = {
        {.name = "a, \"b\"", .n = 3, .y = y, .low = low, .high = high},
        {.name = "c", .data_name = "d", .kind = LT_BARS, .n = 1, .x = (const double[]){-2.5}, .y = y},
        {.kind = LT_BAND, .n = 1, .low = low, .high = high}};
    const lt_reference at = {.value = 7, .label = "best"};
    const lt_chart charts[] = {{.title = "Loss", .series = series, .n_series = 3, .references = &at,
                                .n_references = 1}};
    check_csv(&(lt_chart_page){.charts = charts, .n_charts = 1},
              "chart,series,x,y,low,high\n"
              "Loss,\"a, \"\"b\"\"\",0,0.1,0,1\n"
              "Loss,\"a, \"\"b\"\"\",2,3,2,4\n"
              "Loss,d,-2.5,0.1,,\n"
              "Loss,,0,,0,1\n"
              "Loss,best,,7,,\n");
}

/* A weighted mean of three points by hand: weights e^(-d^2 / 2). */
static void smoothed_lines_and_labels(void **state)
{
    (void)state;
    const double y[] = {1, 2, 6}, e1 = exp(-0.5), e2 = exp(-2.);
    const lt_series line = {.name = "s", .n = 3, .y = y, .smooth = 1};
    const lt_chart chart = {.series = &line, .n_series = 1};
    char *found = lt_chart_page_csv(&(lt_chart_page){.charts = &chart, .n_charts = 1});
    double smooth[3], want[3] = {(1 + 2 * e1 + 6 * e2) / (1 + e1 + e2), (e1 + 2 + 6 * e1) / (1 + 2 * e1),
                                 (e2 + 2 * e1 + 6) / (1 + e1 + e2)};
    assert_non_null(found);
    assert_int_equal(sscanf(found, "chart,series,x,y,smooth ,s,0,1,%lf ,s,1,2,%lf ,s,2,6,%lf", &smooth[0],
                            &smooth[1], &smooth[2]), 3);
    assert_array_close("smooth", smooth, want, 3, 1e-12, 0);
    free(found);
    const lt_series cloud = {.kind = LT_SCATTER, .n = 2, .x = y, .y = y, .labels = (const int32_t[]){1, 0},
                             .label_names = (const char *const[]){"bag", "shoe"}, .n_labels = 2};
    const lt_chart map = {.title = "m", .series = &cloud, .n_series = 1};
    check_csv(&(lt_chart_page){.charts = &map, .n_charts = 1}, "chart,series,x,y,label\nm,,1,1,shoe\nm,,2,2,bag\n");
}

/* Counted here: which points lie between the edges that are written. */
static void bins_hold_their_points(void **state)
{
    (void)state;
    enum { N = 40, BINS = 3 };
    double x[N], y[N];
    draws d = draws_from(3);
    for (int i = 0; i < N; i++) {
        x[i] = draw(&d, -2, 2);
        y[i] = draw(&d, -1, 3);
    }
    const lt_series heat = {.name = "h", .kind = LT_HIST2D, .n = N, .x = x, .y = y, .bins = BINS};
    const lt_chart chart = {.series = &heat, .n_series = 1};
    char *found = lt_chart_page_csv(&(lt_chart_page){.charts = &chart, .n_charts = 1});
    assert_non_null(found);
    const char *at = strchr(found, '\n') + 1;
    int rows = 0, all = 0;
    for (; *at; at = strchr(at, '\n') + 1, rows++) {
        double v[6];
        int count, inside = 0;
        assert_int_equal(sscanf(at, ",h,%lf,%lf,%lf,%lf,%lf,%lf,%d", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5],
                                &count), 7);
        for (int i = 0; i < N; i++)
            inside += x[i] >= v[2] - 1e-12 && x[i] < v[3] + 1e-12 && y[i] >= v[4] - 1e-12 && y[i] < v[5] + 1e-12;
        assert_true(v[0] > v[2] && v[0] < v[3] && v[1] > v[4] && v[1] < v[5]);
        assert_true(inside >= count && inside <= count + 2); /* the corners are of two bins here */
        all += count;
    }
    assert_int_equal(rows, BINS * BINS);
    assert_int_equal(all, N);
    free(found);
}

static void nothing_to_draw_is_no_table(void **state)
{
    (void)state;
    const lt_chart empty = {.title = "none"};
    assert_null(lt_chart_page_csv(&(lt_chart_page){.charts = &empty, .n_charts = 1}));
    assert_int_equal(lt_chart_write(in_dir("e.csv"), &empty, NULL), LT_VALUE);
    assert_false(file_exists(in_dir("e.csv")));
    assert_int_equal(lt_chart_check_name("a.csv"), LT_OK);
    assert_int_equal(lt_chart_check_name("a.svg"), LT_OK);
    assert_int_equal(lt_chart_check_name("a.txt"), LT_VALUE);
    assert_text_has(lt_last_error(), ".csv");
    assert_int_equal(lt_grid_check_name("a.csv"), LT_VALUE); /* a grid has no such numbers */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy_of_every_type),
        cmocka_unit_test(damaged_npy_is_refused),
        cmocka_unit_test(csv_with_and_without_names),
        cmocka_unit_test(damaged_csv_is_refused_with_its_place),
        cmocka_unit_test(columns_read_back),
        cmocka_unit_test(damaged_files_are_read_or_refused),
        cmocka_unit_test(numbers_go_into_names),
        cmocka_unit_test(each_image_gets_its_file),
        cmocka_unit_test(lines_bars_and_bands),
        cmocka_unit_test(smoothed_lines_and_labels),
        cmocka_unit_test(bins_hold_their_points),
        cmocka_unit_test(nothing_to_draw_is_no_table),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
