/* SPDX-License-Identifier: MIT */
/* Pictures that are not quite right: what is used anyway is counted and named, what is not used
   is named with what to do, and strict refuses both. Files of other formats are called by their names. */
#include "check.h"
#include "data_files.h"
#include "picture_files.h"

#include "image/other_formats.h"
#include "image/markers.h"
#include "image/picture.h"

#include <sys/stat.h>
#include <unistd.h>

enum { W = 5, H = 3 };

/* ---- Expectations ---- */

static picture must_decode(bytes b)
{
    picture_file s = {.path = "file", .content = b};
    picture p;
    if (picture_decode(&s, &p) != LT_OK)
        fail_msg("%s", lt_last_error());
    return p;
}

static void check_refused(bytes b, const char *words)
{
    picture_file s = {.path = "dir/file", .content = b};
    picture p;
    assert_int_not_equal(picture_decode(&s, &p), LT_OK);
    assert_null(p.pixels);
    assert_text_has(lt_last_error(), "dir/file: ");
    assert_text_has(lt_last_error(), words);
}

/* `n` bytes put in at `at`. */
static bytes insert(bytes b, size_t at, const void *more, size_t n)
{
    bytes r = {must_alloc(b.size + n + 1), b.size + n};
    memcpy(r.data, b.data, at);
    memcpy(r.data + at, more, n);
    memcpy(r.data + at + n, b.data + at, b.size - at);
    return r;
}

static void count_up(unsigned char *to, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = (unsigned char)(i + 1);
}

/* ---- Orientation ---- */

/* EXIF 2.3, tag 0x0112: which side of the scene the first row and the first column are. */
enum side { TOP, BOTTOM, LEFT, RIGHT };
static const struct {
    enum side row, column;
} sides[9] = {[1] = {TOP, LEFT}, [2] = {TOP, RIGHT}, [3] = {BOTTOM, RIGHT}, [4] = {BOTTOM, LEFT},
              [5] = {LEFT, TOP}, [6] = {RIGHT, TOP}, [7] = {RIGHT, BOTTOM}, [8] = {LEFT, BOTTOM}};

/* Where the scene's axis of `side` is after `i` of n steps from that side. */
static int step_from(enum side side, int i, int n)
{
    return side == TOP || side == LEFT ? i : n - 1 - i;
}

/* The scene, H x W, as a camera stores it that is held so; returns its height. */
static int store_turned(int orientation, const unsigned char scene[H * W], unsigned char *stored)
{
    enum side row = sides[orientation].row, column = sides[orientation].column;
    bool is_upright = row == TOP || row == BOTTOM;
    int h = is_upright ? H : W, w = is_upright ? W : H;
    for (int r = 0; r < h; r++)
        for (int c = 0; c < w; c++) {
            int y = is_upright ? step_from(row, r, H) : step_from(column, c, H);
            int x = is_upright ? step_from(column, c, W) : step_from(row, r, W);
            stored[r * w + c] = scene[y * W + x];
        }
    return h;
}

/* A TIFF header, a directory of two entries, of which the second is the orientation. */
static size_t make_exif(unsigned char *to, int orientation, bool is_big)
{
    static const unsigned char little[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 2, 0, 0x0f, 1, 2, 0, 1, 0, 0, 0,
                                           'x', 0,   0,  0, 0x12, 1, 3, 0, 1, 0, 0, 0};
    static const unsigned char big[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 2, 1, 0x0f, 0, 2, 0, 0, 0, 1,
                                        'x', 0,   0, 0,  1, 0x12, 0, 3, 0, 0, 0, 1};
    memcpy(to, is_big ? big : little, sizeof little);
    memset(to + sizeof little, 0, 8);
    to[sizeof little + (is_big ? 1 : 0)] = (unsigned char)orientation;
    return sizeof little + 8;
}

/* A chunk of a PNG file behind its header; libpng does not look at the CRC of what it skips. */
static bytes insert_chunk(bytes png, const char *name, const void *data, size_t n)
{
    enum { AFTER_HEADER = 8 + 25 };
    unsigned char *chunk = must_alloc(n + 12);
    uint32_t crc = 0;
    chunk[2] = (unsigned char)(n >> 8);
    chunk[3] = (unsigned char)n;
    memcpy(chunk + 4, name, 4);
    memcpy(chunk + 8, data, n);
    crc = (uint32_t)crc32(crc32(0, NULL, 0), chunk + 4, (uInt)n + 4);
    for (int i = 0; i < 4; i++)
        chunk[8 + n + (size_t)i] = (unsigned char)(crc >> (24 - 8 * i));
    bytes r = insert(png, AFTER_HEADER, chunk, n + 12);
    free(chunk);
    return r;
}

static void all_orientations_become_upright(void **state)
{
    (void)state;
    unsigned char scene[H * W], stored[H * W], exif[64];
    count_up(scene, H * W);
    for (int o = 1; o <= 8; o++)
        for (int is_big = 0; is_big < 2; is_big++) {
            int h = store_turned(o, scene, stored);
            bytes png = make_png8(H * W / h, h, 1, stored);
            bytes b = insert_chunk(png, "eXIf", exif, make_exif(exif, o, is_big));
            picture p = must_decode(b);
            assert_int_equal(p.orientation, o);
            assert_int_equal(p.h, h);
            assert_memory_equal(p.pixels, stored, sizeof stored); /* as stored, until it is turned */
            assert_int_equal(picture_turn(&p), LT_OK);
            assert_int_equal(p.h, H);
            assert_int_equal(p.w, W);
            assert_memory_equal(p.pixels, scene, sizeof scene);
            picture_clear(&p);
            bytes_clear(&png);
            bytes_clear(&b);
        }
}

/* APP1 behind the first marker. */
static bytes insert_app1(bytes jpeg, const unsigned char *exif, size_t n)
{
    unsigned char segment[128] = {0xff, 0xe1, 0, (unsigned char)(n + 8), 'E', 'x', 'i', 'f', 0, 0};
    memcpy(segment + 10, exif, n);
    return insert(jpeg, 2, segment, n + 10);
}

static void exif_is_found_in_jpeg_and_webp(void **state)
{
    (void)state;
    unsigned char pixels[16 * 8 * 3] = {0}, exif[64];
    bytes jpeg = make_jpeg(16, 8, TJPF_RGB, TJSAMP_444, 0, pixels);
    size_t n = make_exif(exif, 6, true);
    bytes b = insert_app1(jpeg, exif, n);
    assert_int_equal(markers_find(&b).orientation, 6);
    bytes_clear(&b);
    b = insert(jpeg, 2, "\x12\x34\x56", 3); /* junk before it */
    bytes c = insert_app1(b, exif, n);
    assert_int_equal(markers_find(&c).orientation, 6);
    bytes_clear(&b);
    bytes_clear(&c);
    bytes_clear(&jpeg);

    unsigned char webp[128] = "RIFF....WEBPVP8X\x0a\0\0\0..........EXIF";
    webp[34] = (unsigned char)n;
    memcpy(webp + 38, exif, n);
    assert_int_equal(markers_find(&(bytes){webp, 38 + n}).orientation, 6);
}

/* Nonsense is upright, and nobody reads outside of it. */
static void hostile_exif_is_upright(void **state)
{
    (void)state;
    unsigned char exif[64], pixels[H * W];
    size_t n = make_exif(exif, 6, true);
    count_up(pixels, H * W);
    bytes png = make_png8(W, H, 1, pixels);
    for (size_t size = 0; size < n; size++) { /* cut off anywhere */
        bytes b = insert_chunk(png, "eXIf", exif, size);
        int found = markers_find(&b).orientation;
        assert_true(found == 1 || (size >= n - 4 && found == 6));
        bytes_clear(&b);
    }
    for (int i = 0; i < (int)n; i++)
        for (int v = 0; v < 256; v++) {
            unsigned char was = exif[i];
            exif[i] = (unsigned char)v;
            bytes b = insert_chunk(png, "eXIf", exif, n);
            int found = markers_find(&b).orientation;
            assert_true(found >= 1 && found <= 8);
            bytes_clear(&b);
            exif[i] = was;
        }
    bytes_clear(&png);
}

/* ---- JPEG ---- */

static void make_gray(unsigned char *to, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = (unsigned char)(40 + 3 * (i % 50));
}

static void check_odd(bytes b, const unsigned char *want, size_t n, const char *words)
{
    picture p = must_decode(b);
    assert_text_has(p.oddity, words);
    assert_memory_equal(p.pixels, want, n);
    picture_clear(&p);
    bytes_clear(&b);
}

static void jpeg_oddities_are_noted(void **state)
{
    (void)state;
    enum { SIDE = 24, N = SIDE * SIDE };
    static const unsigned char adobe[] = {0xff, 0xee, 0, 9, 'A', 'd', 'o', 'b', 'e', 0, 1};
    unsigned char in[N];
    make_gray(in, N);
    bytes jpeg = make_jpeg(SIDE, SIDE, TJPF_GRAY, TJSAMP_GRAY, 0, in);
    picture p = must_decode(jpeg);
    assert_string_equal(p.oddity, "");
    check_odd(insert(jpeg, 20, "\1\2\3", 3), p.pixels, N, "extraneous bytes before marker");
    check_odd(insert(jpeg, jpeg.size - 2, "\0\0\1\2 more than is read ahead", 26), p.pixels, N, "extraneous bytes");
    check_odd(insert((bytes){jpeg.data, jpeg.size - 2}, 0, "", 0), p.pixels, N, "Premature end");
    check_odd(insert(jpeg, 2, adobe, sizeof adobe), p.pixels, N, "Adobe");
    check_refused((bytes){jpeg.data, jpeg.size * 2 / 3}, "the file ends before its last pixels");
    picture_clear(&p);
    bytes_clear(&jpeg);
}

/* With Adobe's marker inks are stored inverted; without, as they are. Same light in both cases. */
static void cmyk_becomes_rgb(void **state)
{
    (void)state;
    enum { SIDE = 16, N = SIDE * SIDE };
    static const unsigned char adobe[] = {0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0};
    unsigned char ink[4 * N], absent[4 * N];
    for (int i = 0; i < N; i++) {
        const unsigned char one[4] = {(unsigned char)(8 * (i / SIDE)), 60, (unsigned char)(200 - i / SIDE), 30};
        for (int k = 0; k < 4; k++) {
            ink[4 * i + k] = one[k];
            absent[4 * i + k] = (unsigned char)(255 - one[k]);
        }
    }
    bytes plain = make_jpeg(SIDE, SIDE, TJPF_CMYK, TJSAMP_444, 0, ink), b;
    bytes inverted = make_jpeg(SIDE, SIDE, TJPF_CMYK, TJSAMP_444, 0, absent);
    for (int k = 0; k < 2; k++) {
        /* TurboJPEG writes an Adobe marker of its own: a CMYK file without one has it taken out */
        bytes from = k ? inverted : plain;
        picture_markers m = markers_find(&from);
        if (k && !m.has_adobe)
            b = insert(from, 2, adobe, sizeof adobe);
        else if (!k && m.has_adobe)
            continue; /* cannot be written here */
        else
            b = insert(from, 0, "", 0);
        picture p = must_decode(b);
        assert_text_has(p.oddity, "CMYK");
        double error = 0;
        for (int i = 0; i < N; i++)
            for (int c = 0; c < 3; c++)
                error += fabs(p.pixels[3 * i + c] - (255.0 - ink[4 * i + c]) * (255.0 - ink[4 * i + 3]) / 255);
        assert_true(error / (3 * N) < 2);
        picture_clear(&p);
        bytes_clear(&b);
    }
    bytes_clear(&plain);
    bytes_clear(&inverted);
}

/* ---- PNG ---- */

static void put_big_32(unsigned char *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(v >> (24 - 8 * i));
}

/* Takes away all colors but the first n; libpng would not write indices that are none. */
static bytes shrink_palette(bytes png, int n)
{
    size_t at = 8;
    while (memcmp(png.data + at + 4, "PLTE", 4) != 0)
        at += 12 + ((size_t)png.data[at + 2] << 8 | png.data[at + 3]);
    size_t was = (size_t)png.data[at + 2] << 8 | png.data[at + 3], now = 3 * (size_t)n;
    put_big_32(png.data + at, (uint32_t)now);
    put_big_32(png.data + at + 8 + now,
               (uint32_t)crc32(crc32(0, NULL, 0), png.data + at + 4, (uInt)now + 4));
    size_t end = at + 12 + was;
    memmove(png.data + at + 12 + now, png.data + end, png.size - end);
    png.size -= was - now;
    return png;
}

static void indices_beyond_the_palette_are_black(void **state)
{
    (void)state;
    const png_color colors[8] = {{10, 20, 30}, {40, 50, 60}};
    const unsigned char alphas[1] = {0};
    const unsigned char rows[4] = {0, 1, 7, 1}; /* 2 x 2, one byte each */
    const unsigned char want[12] = {10, 20, 30, 40, 50, 60, 0, 0, 0, 40, 50, 60};
    const unsigned char clear[12] = {255, 255, 255, 40, 50, 60, 0, 0, 0, 40, 50, 60};
    png_kind k = {.type = PNG_COLOR_TYPE_PALETTE, .depth = 8, .palette = colors, .n_palette = 8};
    for (int i = 0; i < 4; i++) {
        k.interlaced = i % 2;
        k.alphas = i / 2 ? alphas : NULL;
        k.n_alphas = i / 2;
        check_odd(shrink_palette(make_png(2, 2, k, rows, 2), 2), i / 2 ? clear : want, sizeof want,
                  "1 of 4 pixels are not of its palette of 2 colors");
    }
    const unsigned char packed[1] = {0x13}; /* 0 1 0 3 of 2 bits, of which 3 count */
    k = (png_kind){.type = PNG_COLOR_TYPE_PALETTE, .depth = 2, .palette = colors, .n_palette = 2};
    bytes b = make_png(3, 1, k, packed, 1);
    picture p = must_decode(b);
    assert_string_equal(p.oddity, "");
    assert_int_equal(p.pixels[3], 40);
    picture_clear(&p);
    bytes_clear(&b);
}

/* Text that unpacks to a megabyte, and a profile that libpng has opinions about. */
static void what_is_beside_pixels_is_not_read(void **state)
{
    (void)state;
    enum { BLANKS = 1 << 20 };
    unsigned char pixels[H * W], *blanks = must_alloc(BLANKS), packed[4096] = "Comment\0";
    uLongf n = sizeof packed - 9;
    count_up(pixels, H * W);
    memset(blanks, ' ', BLANKS);
    assert_int_equal(compress(packed + 9, &n, blanks, BLANKS), Z_OK);
    bytes png = make_png8(W, H, 1, pixels), b = insert_chunk(png, "zTXt", packed, n + 9);
    bytes c = insert_chunk(b, "iCCP", "broken", 6);
    picture p = must_decode(c);
    assert_string_equal(p.oddity, "");
    assert_memory_equal(p.pixels, pixels, sizeof pixels);
    picture_clear(&p);
    bytes_clear(&png);
    bytes_clear(&b);
    bytes_clear(&c);
    free(blanks);
}

/* ---- Whole sets ---- */

static char said[8192];

static void keep_log(void *user, lt_log_level level, const char *line)
{
    (void)user, (void)level;
    size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "%s\n", line);
}

static int make_set(void **state)
{
    int status = make_data_dir(state);
    setenv("XDG_CACHE_HOME", in_dir("cache"), 1);
    lt_set_log(keep_log, NULL);
    return status;
}

static int remove_set(void **state)
{
    lt_set_log(NULL, NULL);
    unsetenv("XDG_CACHE_HOME");
    return remove_dir(state);
}

static void put_picture(const char *name, bytes b)
{
    put(name, b.data, b.size);
    bytes_clear(&b);
}

static int open_set(const lt_data_options *o, lt_dataset **d)
{
    said[0] = 0;
    return lt_dataset_open(in_dir("set"), o, d);
}

/* Twice: decoded, and from the cache. */
static void a_set_says_what_it_used(void **state)
{
    (void)state;
    unsigned char scene[H * W], stored[H * W], exif[64];
    count_up(scene, H * W);
    store_turned(6, scene, stored);
    bytes good = make_png8(W, H, 1, scene), turned = make_png8(H, W, 1, stored);
    bytes animated = insert_chunk(good, "acTL", "\0\0\0\2\0\0\0\0", 8);
    bytes jpeg = make_jpeg(W, H, TJPF_GRAY, TJSAMP_GRAY, 0, scene);
    assert_int_equal(mkdir(in_dir("set"), 0777), 0);
    put_picture("set/c.png", insert_chunk(turned, "eXIf", exif, make_exif(exif, 6, false)));
    put_picture("set/d.jfif", insert(jpeg, 20, "\1\2", 2));
    put("set/b.png", "GIF89a and more", 15);
    put_picture("set/e.png", animated);
    put_picture("set/a.png", good);
    for (int i = 0; i < 2; i++) {
        lt_dataset *d;
        assert_int_equal(open_set(NULL, &d), LT_OK);
        assert_int_equal(lt_dataset_describe(d)->n[LT_TRAIN], 3);
        assert_int_equal(lt_dataset_describe(d)->h, H);
        float *x = gather_all(d, LT_TRAIN, 0, 3, 1);
        for (int k = 0; k < H * W; k++) /* c.png, upright, is a.png */
            assert_true(x[k] == x[H * W + k]);
        free(x);
        assert_text_has(said, "b.png: expected a PNG, JPEG, WebP, PBM, PGM or PPM picture, found a GIF");
        assert_text_has(said, "e.png: expected a still picture, found an animation");
        assert_text_has(said, "d.jfif: Corrupt JPEG data: 2 extraneous bytes before marker");
        assert_text_has(said, "; used anyway");
        assert_text_has(said, "1 of 5 pictures were turned upright");
        lt_dataset_free(d);
    }
    bytes_clear(&turned);
    bytes_clear(&jpeg);
}

static void a_survey_says_the_same(void **state)
{
    (void)state;
    lt_survey v;
    assert_int_equal(lt_data_survey(in_dir("set"), &v), LT_OK);
    assert_int_equal(v.images, 3);
    assert_int_equal(v.n_sizes, 1); /* c.png stands upright */
    assert_int_equal(v.unreadable, 2);
    assert_text_has(v.problems[0], "b.png: expected a PNG");
    assert_text_has(v.problems[1], "e.png: expected a still picture");
    assert_int_equal(v.odd, 1);
    assert_text_has(v.oddities[0], "d.jfif: Corrupt JPEG data");
    assert_int_equal(v.turned, 1);
    lt_survey_clear(&v);
}

static void a_folder_of_another_format_is_told(void **state)
{
    (void)state;
    lt_dataset *d;
    assert_int_equal(mkdir(in_dir("scans"), 0777), 0);
    put("scans/1.tif", "II*\0", 4);
    assert_int_equal(lt_dataset_open(in_dir("scans"), NULL, &d), LT_NOT_FOUND);
    assert_text_has(lt_last_error(), "found 1 file: 1.tif (a TIFF picture; make PNG or JPEG");
}

static void strict_refuses_what_is_odd(void **state)
{
    (void)state;
    lt_dataset *d;
    unlink(in_dir("set/b.png"));
    unlink(in_dir("set/e.png"));
    for (int i = 0; i < 2; i++) { /* decoded by the first one, from the cache then */
        assert_int_equal(open_set(&(lt_data_options){.strict = true}, &d), LT_FORMAT);
        assert_text_has(lt_last_error(), "set/d.jfif: Corrupt JPEG data");
        if (i == 0) {
            assert_int_equal(open_set(NULL, &d), LT_OK);
            lt_dataset_free(d);
        }
    }
}

static void pixels_may_stay_as_stored(void **state)
{
    (void)state;
    lt_dataset *d;
    assert_int_equal(open_set(&(lt_data_options){.orient = LT_ORIENT_NO}, &d), LT_FORMAT);
    assert_text_has(lt_last_error(), "c.png: expected a picture of 3 x 5 x 1"); /* it lies */
    assert_null(strstr(said, "upright"));
}

/* ---- Other formats ---- */

static void other_formats_are_called_by_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t n;
        const char *words;
    } cases[] = {
        {"GIF89a......", 12, "a GIF picture"},
        {"BM..........", 12, "a BMP picture"},
        {"II*\0........", 12, "a TIFF picture"},
        {"MM\0*........", 12, "a TIFF picture"},
        {"\0\0\0\x18" "ftypavif", 12, "an HEIC or AVIF picture"},
        {"\0\0\0\x18" "ftypheic", 12, "an HEIC or AVIF picture"},
        {"8BPS........", 12, "a Photoshop document"},
        {"%PDF-1.4....", 12, "a PDF document"},
        {"<svg xmlns=.", 12, "an SVG drawing"},
        {"\x89HDF\r\n\x1a\n....", 12, "an HDF5 file"},
        {"\x80\4\x95........", 11, "a Python pickle"},
        {"\xff\x0a..........", 12, "a JPEG XL picture"},
        {"<!DOCTYPE html>", 15, "a web page"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        bytes b = {(unsigned char *)cases[i].data, cases[i].n};
        check_refused(b, cases[i].words);
        assert_text_has(other_format(&b), cases[i].words);
    }
    /* A 3 x 2 matrix of doubles called "X", as MATLAB 4 saves it; and IDX, which is not one. */
    static const unsigned char matlab[24] = {0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 'X'};
    assert_text_has(other_format(&(bytes){(unsigned char *)matlab, sizeof matlab}), "a MATLAB 4 file");
    static const unsigned char idx[24] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4};
    assert_null(other_format(&(bytes){(unsigned char *)idx, sizeof idx}));
    assert_text_has(other_format_of_name("photo.HEIC"), "HEIC");
    assert_null(other_format_of_name("photo.png"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_orientations_become_upright),
        cmocka_unit_test(exif_is_found_in_jpeg_and_webp),
        cmocka_unit_test(hostile_exif_is_upright),
        cmocka_unit_test(jpeg_oddities_are_noted),
        cmocka_unit_test(cmyk_becomes_rgb),
        cmocka_unit_test(indices_beyond_the_palette_are_black),
        cmocka_unit_test(what_is_beside_pixels_is_not_read),
        cmocka_unit_test(a_set_says_what_it_used),
        cmocka_unit_test(a_survey_says_the_same),
        cmocka_unit_test(a_folder_of_another_format_is_told),
        cmocka_unit_test(strict_refuses_what_is_odd),
        cmocka_unit_test(pixels_may_stay_as_stored),
        cmocka_unit_test(other_formats_are_called_by_their_names),
    };
    return cmocka_run_group_tests(tests, make_set, remove_set);
}
