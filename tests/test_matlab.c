/* SPDX-License-Identifier: MIT */
/* MATLAB's files: as SciPy writes them, and by hand. */
#include "format_files.h"

#include <math.h>

/* ---- MAT: what SciPy wrote (tools/golden_data.py) ---- */

enum { H = 5, W = 4, C = 3, N = 6 };
static const int digits[N] = {0, 1, 9, 2, 3, 0};

static unsigned char x_of(int h, int w, int c, int n)
{
    return (unsigned char)(37 * h + 11 * w + 83 * c + 101 * n + h * w * n);
}

static void assert_svhn(const char *path)
{
    lt_dataset *d = must_open(path, NULL);
    const lt_dataset_info *f = lt_dataset_describe(d);
    assert_true(f->h == H && f->w == W && f->c == C && f->n[LT_TRAIN] == N);
    float *x = gather_all(d, LT_TRAIN, 0, N, 1), *p = x;
    for (int n = 0; n < N; n++)
        for (int h = 0; h < H; h++)
            for (int w = 0; w < W; w++)
                for (int c = 0; c < C; c++)
                    assert_true(*p++ == (float)x_of(h, w, c, n) / 255);
    for (int n = 0; n < N; n++) {
        int32_t label;
        assert_int_equal(lt_dataset_labels(d, LT_TRAIN, (int32_t[]){n}, 1, &label), LT_OK);
        assert_int_equal(label, digits[n]);
    }
    free(x);
    lt_dataset_free(d);
}

static void mat_of_scipy_packed_and_plain(void **state)
{
    (void)state;
    static const char *const names[] = {"svhn-packed.mat", "svhn-plain.mat"};
    for (int i = 0; i < COUNT_OF(names); i++) {
        bytes b = read_golden(names[i]);
        assert_svhn(put(i ? "b.mat" : "a", b.data, b.size)); /* the signature is enough */
        put("train_32x32.mat", b.data, b.size);
        put("test_32x32.mat", b.data, b.size);
        lt_dataset *d = must_open(dir, NULL);
        assert_int_equal(lt_dataset_describe(d)->n[LT_TEST], N);
        assert_true(lt_dataset_describe(d)->has_labels[LT_TEST]);
        lt_dataset_free(d);
        bytes_clear(&b);
    }
    lt_dataset *d;
    lt_data_options o = {.limit = 0};
    strcpy(o.path, dir);
    assert_int_equal(lt_dataset_open("svhn", &o, &d), LT_FORMAT);
    assert_says("expected 73257 train images of svhn, found 6");
}

/* ---- MAT: written here, in both byte orders ---- */

static void fill_up(writer *m)
{
    while ((m->size - m->origin) % 8)
        m->data[m->size++] = 0;
}

static void begin_file(writer *m, bool is_big)
{
    m->size = 0;
    m->is_big = is_big;
    memset(m->data, ' ', 116);
    memcpy(m->data, "MATLAB 5.0 by hand", 18);
    m->size = 116;
    put_number(m, 0, 8);
    put_number(m, 0x0100, 2);
    put_number(m, 'M' << 8 | 'I', 2);
}

static const struct number_kind {
    int class, type, size;
} DOUBLE = {6, 9, 8}, SINGLE = {7, 7, 4}, UINT8 = {9, 2, 1}, INT16 = {10, 3, 2}, INT8 = {8, 1, 1};

/* Begins a variable; put_number writes its numbers, and end_variable ends it. */
static size_t begin_variable(writer *m, const char *name, struct number_kind k, int rank,
                             const int *dims, int n)
{
    size_t start = m->origin = m->size;
    put_number(m, 14, 4);
    put_number(m, 0, 4);
    put_number(m, 6, 4);
    put_number(m, 8, 4);
    put_number(m, (uint64_t)k.class, 4);
    put_number(m, 0, 4);
    put_number(m, 5, 4);
    put_number(m, 4 * (uint64_t)rank, 4);
    for (int i = 0; i < rank; i++)
        put_number(m, (uint64_t)dims[i], 4);
    fill_up(m);
    put_number(m, 1, 4);
    put_number(m, strlen(name), 4);
    memcpy(m->data + m->size, name, strlen(name));
    m->size += strlen(name);
    fill_up(m);
    put_number(m, (uint64_t)k.type, 4);
    put_number(m, (uint64_t)(n * k.size), 4);
    return start;
}

static void end_variable(writer *m, size_t start)
{
    fill_up(m);
    size_t end = m->size;
    m->size = start + 4;
    put_number(m, end - start - 8, 4);
    m->size = end;
}

static void put_x(writer *m)
{
    size_t start = begin_variable(m, "X", UINT8, 4, (int[]){H, W, C, N}, H * W * C * N);
    for (int n = 0; n < N; n++)
        for (int c = 0; c < C; c++)
            for (int w = 0; w < W; w++)
                for (int h = 0; h < H; h++)
                    put_number(m, x_of(h, w, c, n), 1);
    end_variable(m, start);
}

static uint64_t bits_of(struct number_kind k, double value)
{
    float single = (float)value;
    uint64_t bits = fabs(value) < 9e18 ? (uint64_t)(int64_t)value : 0; /* of integers */
    uint32_t half;
    memcpy(&half, &single, sizeof half);
    if (k.type == DOUBLE.type)
        memcpy(&bits, &value, sizeof bits);
    return k.type == SINGLE.type ? half : bits;
}

static void put_y(writer *m, struct number_kind k, int rows, int columns, const double *values)
{
    size_t start = begin_variable(m, "y", k, 2, (int[]){rows, columns}, rows * columns);
    for (int i = 0; i < rows * columns; i++)
        put_number(m, bits_of(k, values[i]), k.size);
    end_variable(m, start);
}

static const double svhn_labels[N] = {10, 1, 9, 2, 3, 10};

/* The variable that begins at `start`, packed. */
static void pack_variable(writer *m, size_t start)
{
    unsigned char packed[1 << 16];
    uLongf n = sizeof packed;
    assert_int_equal(compress(packed, &n, m->data + start, m->size - start), Z_OK);
    m->size = start;
    put_number(m, 15, 4);
    put_number(m, n, 4);
    memcpy(m->data + m->size, packed, n);
    m->size += n;
}

static void mat_in_both_byte_orders_and_all_labels(void **state)
{
    (void)state;
    const struct number_kind kinds[] = {DOUBLE, SINGLE, UINT8, INT16, INT8};
    static writer m;
    for (int big = 0; big < 2; big++)
        for (int i = 0; i < COUNT_OF(kinds); i++)
            for (int is_packed = 0; is_packed < 2; is_packed++) {
                begin_file(&m, big);
                if (i % 2)
                    put_y(&m, kinds[i], 1, N, svhn_labels);
                size_t start = m.size;
                put_x(&m);
                if (is_packed)
                    pack_variable(&m, start);
                if (i % 2 == 0)
                    put_y(&m, kinds[i], N, 1, svhn_labels);
                assert_svhn(put("a.mat", m.data, m.size));
            }
}

/* Gray images without labels; labels of other ranges stay as they are. */
static void mat_gray_and_other_labels(void **state)
{
    (void)state;
    static writer m;
    begin_file(&m, false);
    size_t start = begin_variable(&m, "X", UINT8, 3, (int[]){2, 3, 2}, 12);
    for (int i = 0; i < 12; i++)
        put_number(&m, (uint64_t)(20 * i), 1);
    end_variable(&m, start);
    size_t images = m.size;
    lt_dataset *d = must_open(put("a.mat", m.data, m.size), NULL);
    const lt_dataset_info *f = lt_dataset_describe(d);
    assert_true(f->n[LT_TRAIN] == 2 && f->h == 2 && f->w == 3 && f->c == 1 && f->classes == 0);
    static const int want[12] = {0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11};
    float *x = gather_all(d, LT_TRAIN, 0, 2, 1);
    for (int i = 0; i < 12; i++)
        assert_true(x[i] == (float)(20 * want[i]) / 255);
    free(x);
    lt_dataset_free(d);
    static const double others[][2] = {{0, 10}, {1, 11}, {10, 10}, {255, 1}};
    static const int label_wants[][2] = {{0, 10}, {1, 11}, {0, 0}, {255, 1}};
    for (int i = 0; i < COUNT_OF(others); i++) {
        m.size = images;
        put_y(&m, DOUBLE, 2, 1, others[i]);
        int32_t labels[2];
        d = must_open(put("a.mat", m.data, m.size), NULL);
        assert_int_equal(lt_dataset_labels(d, LT_TRAIN, (int32_t[]){0, 1}, 2, labels), LT_OK);
        assert_true(labels[0] == label_wants[i][0] && labels[1] == label_wants[i][1]);
        lt_dataset_free(d);
    }
}

static void assert_mat_rejected(const writer *m, const char *words)
{
    assert_malformed(put("a.mat", m->data, m->size), words);
    assert_says("at byte");
}

/* Variables that are not what they should be. */
static void mat_rejects_other_variables(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct number_kind kind;
        int rank, dims[5], n;
        const char *words;
    } cases[] = {
        {"Z", {9, 2, 1}, 4, {2, 2, 3, 1}, 12, "expected a variable X of images, found Z"},
        {"y", {9, 2, 1}, 2, {2, 1}, 2, "found y alone"},
        {"X", {6, 9, 8}, 4, {2, 2, 3, 1}, 12, "X: expected the class uint8, found double"},
        {"X", {9, 3, 2}, 4, {2, 2, 3, 1}, 12, "X: expected the class uint8"},
        {"X", {1, 2, 1}, 4, {2, 2, 3, 1}, 12, "X: expected numbers, found the class cell"},
        {"X", {99, 2, 1}, 4, {2, 2, 3, 1}, 12, "found the class unknown"},
        {"X", {9, 2, 1}, 2, {2, 6}, 12, "found rank 2"},
        {"X", {9, 2, 1}, 5, {2, 2, 3, 1, 1}, 12, "found rank 5"},
        {"X", {9, 2, 1}, 4, {2, 2, 3, 2}, 12, "X: expected 24 bytes, found 12"},
        {"X", {9, 2, 1}, 4, {2, 2, 3, 1}, 13, "X: expected 12 bytes, found 13"},
        {"X", {9, 2, 1}, 4, {2, 0, 3, 1}, 0, "at least 1, found 0"},
        {"X", {9, 2, 1}, 4, {2, -2, 3, 1}, 12, "found a negative one"},
        {"X", {9, 2, 1}, 4, {8, 8, 5, 1}, 320, "expected a number of channels between 1 and 4"},
        {"X", {9, 2, 1}, 4, {16384, 16384, 4, 2147483647}, 4, "expected"},
    };
    static writer m;
    for (int i = 0; i < COUNT_OF(cases); i++) {
        begin_file(&m, i % 2);
        size_t start = begin_variable(&m, cases[i].name, cases[i].kind, cases[i].rank,
                                      cases[i].dims, cases[i].n);
        for (int k = 0; k < cases[i].n; k++)
            put_number(&m, 1, cases[i].kind.size);
        end_variable(&m, start);
        assert_mat_rejected(&m, cases[i].words);
        pack_variable(&m, start);
        if (i > 1)
            assert_mat_rejected(&m, "at byte 136: ");
    }
    begin_file(&m, false);
    put_x(&m);
    pack_variable(&m, 128);
    m.data[m.size - 1] ^= 1;
    assert_mat_rejected(&m, "found incorrect data check");
    begin_file(&m, false);
    put_x(&m);
    put_x(&m);
    assert_mat_rejected(&m, "expected one variable X, found a second one");
    begin_file(&m, false);
    assert_mat_rejected(&m, "expected a variable X of images, found none");
}

/* Of what is not X or y nothing is unpacked but its name; what claims more than its numbers is
 * refused. */
static void mat_passes_over_packed_variables(void **state)
{
    (void)state;
    static writer m;
    begin_file(&m, false);
    size_t start = begin_variable(&m, "meta", DOUBLE, 2, (int[]){40, 50}, 2000);
    for (int i = 0; i < 2000; i++)
        put_number(&m, (uint64_t)i, 8);
    end_variable(&m, start);
    pack_variable(&m, start);
    m.data[m.size - 9] ^= 0x55; /* far behind the name */
    put_x(&m);
    put_y(&m, UINT8, N, 1, svhn_labels);
    assert_svhn(put("a.mat", m.data, m.size));
    begin_file(&m, false); /* an X that is wrong is refused before it is unpacked */
    start = begin_variable(&m, "X", DOUBLE, 4, (int[]){10, 10, 1, 20}, 2000);
    for (int i = 0; i < 2000; i++)
        put_number(&m, (uint64_t)i, 8);
    end_variable(&m, start);
    pack_variable(&m, start);
    m.data[m.size - 1] ^= 1; /* of zlib's checksum */
    assert_mat_rejected(&m, "X: expected the class uint8, found double");
    begin_file(&m, false);
    put_x(&m);
    m.size += 4096; /* zeros, or what was there: nothing looks at them */
    end_variable(&m, 128);
    assert_mat_rejected(
        &m, "expected the end of the variable after its numbers, found 4096 bytes more");
    pack_variable(&m, 128);
    assert_mat_rejected(
        &m, "expected the end of the variable after its numbers, found 4096 bytes more");
}

static void mat_rejects_other_labels(void **state)
{
    (void)state;
    static const struct {
        struct number_kind kind;
        int rows, columns;
        double values[N];
        const char *words;
    } cases[] = {
        {{6, 9, 8}, 6, 1, {0, 1, 2.5, 3}, "y: label 2: expected 0 to 255, found "},
        {{6, 9, 8}, 6, 1, {0, 1, 2, -1}, "y: label 3: expected 0 to 255, found "},
        {{7, 7, 4}, 6, 1, {256}, "y: label 0: expected 0 to 255, found "},
        {{6, 9, 8}, 6, 1, {1e300}, "y: label 0: expected 0 to 255, found "},
        {{10, 3, 2}, 6, 1, {0, -1}, "y: label 1: expected 0 to 255, found "},
        {{8, 1, 1}, 6, 1, {0, -1}, "y: label 1: expected 0 to 255, found "},
        {{10, 3, 2}, 6, 1, {0, 256}, "y: label 1: expected 0 to 255, found "},
        {{6, 9, 8}, 2, 3, {0}, "y: expected N x 1 labels, found 2 x 3"},
        {{6, 9, 8}, 0, 1, {0}, "y: expected N x 1 labels, found 0 x 1"},
        {{6, 9, 8}, 5, 1, {0}, "expected 6 labels, one for each image of"},
        {{9, 14, 1}, 6, 1, {0}, "y: expected 6 numbers, found 6 bytes of type 14"},
    };
    static writer m;
    for (int i = 0; i < COUNT_OF(cases); i++) {
        begin_file(&m, i % 2);
        put_x(&m);
        put_y(&m, cases[i].kind, cases[i].rows, cases[i].columns, cases[i].values);
        assert_malformed(put("a.mat", m.data, m.size), cases[i].words);
    }
}

/* Each field of an otherwise right file; X begins at byte 128. */
static void mat_rejects_each_damaged_field(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        int size;
        uint64_t value;
        const char *words;
    } cases[] = {
        {124, 2, 0x0200, "at byte 124: expected a MAT file of version 5, found 7.3 (HDF5)"},
        {124, 2, 0x0300, "expected MAT version 0100, found 0300"},
        {126, 2, 0, "expected IM or MI, the byte order, found 00 00"},
        {128, 4, 13,
         "at byte 128: expected a variable, an element of type 14 or 15, found type 13"},
        {132, 4, 1 << 20, "at byte 128: expected an element of 1048576 bytes, found"},
        {132, 4, 7, "expected an element, whose tag has 8 bytes, found 7"},
        {136, 4, 5, "expected the flags of a variable, an element of type 6, found type 5"},
        {140, 4, 4, "expected 8 bytes of flags, found 4"},
        {152, 4, 6, "expected the dimensions of a variable, an element of type 5, found type 6"},
        {156, 4, 6, "expected 2 to 8 dimensions of 4 bytes, found 6 bytes"},
        {156, 4, 4, "expected 2 to 8 dimensions of 4 bytes, found 4 bytes"},
        {176, 4, 2, "expected the name of a variable, an element of type 1, found type 2"},
        {176, 4, 5 << 16 | 1, "expected at most 4 bytes in a small element, found 5"},
        {192, 4, 3, "X: expected the class uint8"},
        {196, 4, 1 << 16, "at byte 192: expected an element of 65536 bytes"},
        {144, 4, 9 | 0x800, "found uint8 (complex)"},
    };
    static writer m;
    for (int i = 0; i < COUNT_OF(cases); i++) {
        begin_file(&m, i % 2);
        put_x(&m);
        size_t size = m.size;
        m.size = cases[i].at;
        put_number(&m, cases[i].value, cases[i].size);
        m.size = size;
        assert_mat_rejected(&m, cases[i].words);
    }
    assert_malformed(put_text("a.mat", "MATLAB 5.0"),
                     "expected a MAT header of 128 bytes, found 10");
    char hdf[200] = "\x89HDF\r\n\x1a\n";
    assert_malformed(put("a.mat", hdf, sizeof hdf), "found an HDF5 file (MATLAB 7.3 saves these)");
}

static void mat_rejects_damaged_packing(void **state)
{
    (void)state;
    static writer m;
    begin_file(&m, false);
    put_x(&m);
    size_t plain = m.size - 128;
    pack_variable(&m, 128);
    writer good = m;
    for (size_t cut = 1; cut < good.size - 136; cut++) { /* the stream ends too early */
        m.size = 132;
        put_number(&m, good.size - 136 - cut, 4);
        m.size = good.size - cut;
        assert_mat_rejected(&m, "at byte 136: expected a");
        m = good;
    }
    m.data[good.size - 1] ^= 1; /* the checksum */
    assert_mat_rejected(&m, "incorrect data check");
    m = good;
    m.data[136] = 0;
    assert_mat_rejected(&m, "expected a variable packed by zlib, found incorrect header");

    for (int by = -8; by <= 8; by += 16) { /* the packed tag tells another size */
        begin_file(&m, false);
        put_x(&m);
        m.size = 132;
        put_number(&m, (uint64_t)((int64_t)plain - 8 + by), 4);
        m.size = 128 + plain;
        pack_variable(&m, 128);
        assert_mat_rejected(&m, by < 0 ? "found more" : "found fewer");
    }
    begin_file(&m, false);
    put_x(&m);
    m.size = 132;
    put_number(&m, UINT32_MAX, 4);
    m.size = 128 + plain;
    pack_variable(&m, 128);
    assert_mat_rejected(&m, "packed into");
    begin_file(&m, false);
    put_number(&m, 15, 4);
    put_number(&m, 0, 4);
    pack_variable(&m, 128); /* packed twice */
    assert_mat_rejected(&m, "expected a packed variable (type 14), found type 15");
}

static void mat_truncated_anywhere(void **state)
{
    (void)state;
    static const char *const names[] = {"svhn-packed.mat", "svhn-plain.mat"};
    for (int i = 0; i < COUNT_OF(names); i++) {
        bytes b = read_golden(names[i]);
        int whole = 0;
        for (size_t n = 0; n < b.size; n++) {
            lt_dataset *d;
            const char *path = put("a.mat", b.data, n);
            int status = lt_dataset_open(path, NULL, &d);
            whole += status == LT_OK; /* X, and then perhaps y, is complete */
            if (status != LT_OK) {
                assert_int_equal(status, LT_FORMAT);
                assert_says(path);
                assert_says("at byte");
            }
            lt_dataset_free(d);
        }
        assert_in_range(whole, 1, 40);
        bytes_clear(&b);
    }
}

/* ---- Damage ---- */

/* Damage inside a packed variable, packed again so that zlib finds nothing wrong. */
static void fuzz_inside(const writer *good, size_t start, int times)
{
    static writer m;
    for (int i = 0; i < times; i++) {
        bytes b = copy_of(good->data + start, good->size - start);
        damage(&b, (uint64_t)i, 0);
        m = *good;
        memcpy(m.data + start, b.data, b.size);
        m.size = start + b.size;
        bytes_clear(&b);
        pack_variable(&m, start);
        b = copy_of(m.data, m.size);
        parse_any("x.mat", &b);
    }
}

static void random_damage_never_crashes(void **state)
{
    (void)state;
    int times = fuzz_times(5000);
    static const char *const names[] = {"svhn-packed.mat", "svhn-plain.mat"};
    for (int i = 0; i < COUNT_OF(names); i++) {
        bytes b = read_golden(names[i]);
        fuzz("x.mat", b.data, b.size, i ? 124 : 0, times);
        bytes_clear(&b);
    }
    static writer m;
    begin_file(&m, true);
    put_y(&m, INT16, N, 1, svhn_labels);
    size_t start = m.size;
    put_x(&m);
    fuzz("x.mat", m.data, start, 128, times);
    fuzz_inside(&m, start, times);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(mat_of_scipy_packed_and_plain),
        TEST(mat_in_both_byte_orders_and_all_labels),
        TEST(mat_gray_and_other_labels),
        TEST(mat_rejects_other_variables),
        TEST(mat_passes_over_packed_variables),
        TEST(mat_rejects_other_labels),
        TEST(mat_rejects_each_damaged_field),
        TEST(mat_rejects_damaged_packing),
        TEST(mat_truncated_anywhere),
        TEST(random_damage_never_crashes),
    };
    return cmocka_run_group_tests_name("matlab", tests, NULL, NULL);
}
