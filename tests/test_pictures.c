/* SPDX-License-Identifier: MIT */
/* Single pictures: exact pixels of every format, and what becomes of damaged ones.
   `test_pictures FIRST COUNT` mutates files with the seeds FIRST ... FIRST + COUNT - 1 alone. */
#include "check.h"
#include "picture_files.h"

#include "image/picture.h"

#include <webp/decode.h>
#include <zlib.h>

/* ---- Expectations ---- */

static picture must_decode(const bytes *b)
{
    picture_file s = {.path = "file", .content = *b};
    picture p;
    if (picture_decode(&s, &p) != LT_OK)
        fail_msg("%s", lt_last_error());
    return p;
}

static void assert_pixels(const picture *p, int h, int w, int c, const unsigned char *want)
{
    assert_int_equal(p->h, h);
    assert_int_equal(p->w, w);
    assert_int_equal(p->c, c);
    assert_memory_equal(p->pixels, want, (size_t)(h * w * c));
}

/* Decodes, compares and frees both. */
static void check_pixels(bytes b, int h, int w, int c, const unsigned char *want)
{
    picture p = must_decode(&b);
    assert_pixels(&p, h, w, c, want);
    picture_clear(&p);
    bytes_clear(&b);
}

static void check_text(const char *file, int h, int w, int c, const unsigned char *want)
{
    bytes b = {(unsigned char *)file, strlen(file)};
    picture p = must_decode(&b);
    assert_pixels(&p, h, w, c, want);
    picture_clear(&p);
}

static void check_rejected(const void *data, size_t size, int status, const char *words)
{
    picture_file s = {.path = "dir/file.png", .content = {(unsigned char *)data, size}};
    picture p;
    int found = picture_decode(&s, &p);
    if (found != status)
        fail_msg("%s: expected %s, found %s: %s", words, lt_status_name(status),
                 lt_status_name(found), found == LT_OK ? "" : lt_last_error());
    assert_null(p.pixels);
    assert_text_has(lt_last_error(), "dir/file.png: ");
    assert_text_has(lt_last_error(), words);
}

static void random_bytes(draws *d, unsigned char *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)draw_below(d, 256);
}

/* v over white at alpha / 255. */
static unsigned char over_white(int v, int alpha)
{
    return (unsigned char)floor((v * alpha + 255.0 * (255 - alpha)) / 255 + 0.5);
}

static unsigned char from_16_bits(int v) { return (unsigned char)floor(v * 255.0 / 65535 + 0.5); }

/* ---- PNG ---- */

enum { W = 13, H = 9 };

static void png_of_8_bits(void **state)
{
    (void)state;
    draws d = draws_from(1);
    unsigned char in[W * H * 4], want[W * H * 3];
    for (int c = 1; c <= 4; c++) {
        random_bytes(&d, in, sizeof in);
        int kept = c < 3 ? 1 : 3;
        for (int i = 0; i < W * H; i++)
            for (int k = 0; k < kept; k++)
                want[i * kept + k] =
                    kept == c ? in[i * c + k] : over_white(in[i * c + k], in[i * c + c - 1]);
        check_pixels(make_png8(W, H, c, in), H, W, kept, want);
        png_kind interlaced = {.type = c == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGB_ALPHA,
                               .depth = 8,
                               .interlaced = true};
        if (c >= 3)
            check_pixels(make_png(W, H, interlaced, in, (size_t)(W * c)), H, W, 3, want);
    }
}

static void png_of_16_bits_is_rounded(void **state)
{
    (void)state;
    static unsigned char in[256 * 256 * 2], want[256 * 256];
    for (int v = 0; v < 65536; v++) { /* every value */
        in[2 * v] = (unsigned char)(v >> 8);
        in[2 * v + 1] = (unsigned char)v;
        want[v] = from_16_bits(v);
    }
    check_pixels(make_png(256, 256, (png_kind){.type = PNG_COLOR_TYPE_GRAY, .depth = 16}, in, 512),
                 256, 256, 1, want);
    draws d = draws_from(2);
    random_bytes(&d, in, W * H * 8);
    for (int i = 0; i < W * H * 3; i++)
        want[i] = from_16_bits(in[2 * i] << 8 | in[2 * i + 1]);
    check_pixels(make_png(W, H, (png_kind){.type = PNG_COLOR_TYPE_RGB, .depth = 16}, in, W * 6), H,
                 W, 3, want);
    for (int i = 0; i < W * H; i++)
        for (int k = 0; k < 3; k++) {
            const unsigned char *p = in + i * 8;
            want[i * 3 + k] = over_white(from_16_bits(p[2 * k] << 8 | p[2 * k + 1]),
                                         from_16_bits(p[6] << 8 | p[7]));
        }
    check_pixels(
        make_png(W, H, (png_kind){.type = PNG_COLOR_TYPE_RGB_ALPHA, .depth = 16}, in, W * 8), H, W,
        3, want);
}

static void png_of_few_bits(void **state)
{
    (void)state;
    draws d = draws_from(3);
    for (int depth = 1; depth <= 4; depth *= 2) {
        unsigned char in[H * W], want[H * W], colors[H * W * 3];
        size_t row = (size_t)(W * depth + 7) / 8;
        int n = 1 << depth;
        png_color palette[16];
        unsigned char alphas[16];
        for (int i = 0; i < n; i++) {
            unsigned char rgb[3];
            random_bytes(&d, rgb, 3);
            palette[i] = (png_color){rgb[0], rgb[1], rgb[2]};
            random_bytes(&d, &alphas[i], 1);
        }
        random_bytes(&d, in, sizeof in);
        for (int i = 0; i < H * W; i++) {
            int x = i % W, bit = x * depth;
            int v = in[(size_t)(i / W) * row + (size_t)bit / 8] >> (8 - depth - bit % 8) & (n - 1);
            want[i] = (unsigned char)(v * 255 / (n - 1));
            colors[3 * i] = palette[v].red;
            colors[3 * i + 1] = palette[v].green;
            colors[3 * i + 2] = palette[v].blue;
        }
        check_pixels(
            make_png(W, H, (png_kind){.type = PNG_COLOR_TYPE_GRAY, .depth = depth}, in, row), H, W,
            1, want);
        png_kind k = {
            .type = PNG_COLOR_TYPE_PALETTE, .depth = depth, .palette = palette, .n_palette = n};
        check_pixels(make_png(W, H, k, in, row), H, W, 3, colors);
        for (int i = 0; i < H * W; i++) {
            int v = want[i] * (n - 1) / 255;
            for (int c = 0; c < 3; c++)
                colors[3 * i + c] = over_white(colors[3 * i + c], alphas[v]);
        }
        k.alphas = alphas;
        k.n_alphas = n;
        check_pixels(make_png(W, H, k, in, row), H, W, 3, colors);
    }
}

static void png_with_a_transparent_gray(void **state)
{
    (void)state;
    const unsigned char in[] = {0, 7, 8, 7}, want[] = {0, 255, 8, 255};
    png_kind k = {.type = PNG_COLOR_TYPE_GRAY,
                  .depth = 8,
                  .alphas = (const unsigned char[]){7},
                  .n_alphas = 1};
    check_pixels(make_png(2, 2, k, in, 2), 2, 2, 1, want);
}

static void png_cut_off_or_damaged(void **state)
{
    (void)state;
    unsigned char in[W * H * 3] = {1, 2, 3};
    bytes b = make_png8(W, H, 3, in);
    for (size_t n = 8; n < b.size; n++)
        check_rejected(b.data, n, LT_FORMAT, "expected a whole PNG picture, found damage: ");
    check_rejected(b.data, 4, LT_FORMAT, "found 89 50 4e 47");
    b.data[45] ^= 1; /* in the compressed pixels */
    check_rejected(b.data, b.size, LT_FORMAT, "found damage: ");
    bytes_clear(&b);
}

/* A PNG of this size, with the right checksum in its header and no pixels. */
static size_t make_png_header(unsigned char to[33], uint32_t w, uint32_t h)
{
    memcpy(to, "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", 16);
    for (int i = 0; i < 4; i++) {
        to[16 + i] = (unsigned char)(w >> (24 - 8 * i));
        to[20 + i] = (unsigned char)(h >> (24 - 8 * i));
    }
    memcpy(to + 24, "\x08\x02\0\0\0", 5);
    uint32_t crc = (uint32_t)crc32(0, to + 12, 17);
    for (int i = 0; i < 4; i++)
        to[29 + i] = (unsigned char)(crc >> (24 - 8 * i));
    return 33;
}

static bool refuse_all(void *user, size_t size)
{
    *(size_t *)user = size;
    return false;
}

static void sizes_are_checked_before_memory_is_asked_for(void **state)
{
    (void)state;
    unsigned char png[64];
    size_t asked = 0;
    size_t n = make_png_header(png, 0x7fffffff, 1);
    memcpy(png + n, "\0\0\0\0IDAT\x35\xaf\x06\x1e", 12);
    lt_set_allow_memory(refuse_all, &asked);
    check_rejected(png, n + 12, LT_FORMAT,
                   "at byte 16: expected a height and a width of 1 to "
                   "16384, found 1 x 2147483647");
    make_png_header(png, 16384, 16384);
    check_rejected(png, n + 12, LT_FORMAT, "expected at most 134217728 pixels");
    check_rejected("P5 16385 1 255\n", 15, LT_FORMAT, "found 1 x 16385");
    check_rejected("P5 16000 16000 255\n", 19, LT_FORMAT, "expected at most 134217728 pixels");
    check_rejected("P2 1000 1000 255\n0", 18, LT_FORMAT, "expected 1000 x 1000 pixels, found 2 ");
    assert_int_equal(asked, 0);
    make_png_header(png, 100, 100);
    check_rejected(png, n + 12, LT_NO_MEMORY, "no memory for");
    assert_int_equal(asked, 30016); /* 100 * 100 * 3, in steps of 64 */
    lt_set_allow_memory(NULL, NULL);
}

/* ---- JPEG ---- */

/* Soft colors, so that lossy formats stay near them. */
static void make_soft(unsigned char *to, int w, int h, int c)
{
    for (int i = 0; i < w * h; i++)
        for (int k = 0; k < c; k++)
            to[i * c + k] =
                (unsigned char)(128 + 100 * sin(0.05 * (i % w) * (k + 1) + 0.07 * (i / w)));
}

/* What libturbojpeg itself makes of a file. */
static void check_jpeg(bytes b, int w, int h, int c)
{
    unsigned char *want = must_alloc((size_t)(w * h * c));
    tjhandle jpeg = tjInitDecompress();
    assert_int_equal(
        tjDecompress2(jpeg, b.data, b.size, want, w, 0, h, c == 1 ? TJPF_GRAY : TJPF_RGB, 0), 0);
    tjDestroy(jpeg);
    check_pixels(b, h, w, c, want);
    free(want);
}

static void jpeg_gray_and_color(void **state)
{
    (void)state;
    enum { JW = 37, JH = 21 };
    unsigned char in[JW * JH * 4];
    make_soft(in, JW, JH, 3);
    static const int samplings[] = {TJSAMP_444, TJSAMP_420, TJSAMP_422};
    for (int i = 0; i < COUNT_OF(samplings); i++)
        for (int flags = 0; flags <= TJFLAG_PROGRESSIVE; flags += TJFLAG_PROGRESSIVE)
            check_jpeg(make_jpeg(JW, JH, TJPF_RGB, samplings[i], flags, in), JW, JH, 3);
    check_jpeg(make_jpeg(JW, JH, TJPF_RGB, TJSAMP_GRAY, 0, in), JW, JH, 1);
    bytes b = make_jpeg(JW, JH, TJPF_RGB, TJSAMP_444, 0, in); /* and it is the right picture */
    picture p = must_decode(&b);
    for (int i = 0; i < JW * JH * 3; i++)
        assert_true(abs(p.pixels[i] - in[i]) <= 12);
    picture_clear(&p);
    bytes_clear(&b);
}

static void jpeg_cut_off_or_damaged(void **state)
{
    (void)state;
    unsigned char in[64 * 64 * 3];
    make_soft(in, 64, 64, 3);
    bytes b = make_jpeg(64, 64, TJPF_RGB, TJSAMP_420, 0, in);
    for (size_t n = 3; n + 2 < b.size; n += 7)
        check_rejected(b.data, n, LT_FORMAT, "found damage: ");
    check_rejected(b.data, b.size / 2, LT_FORMAT, "expected a whole JPEG picture");
    /* padding before the last marker is not damage: as some cameras write it */
    bytes padded = {must_alloc(b.size + 10), b.size + 9};
    memcpy(padded.data, b.data, b.size - 2);
    memset(padded.data + b.size - 2, 0, 9);
    memcpy(padded.data + b.size + 7, "\xff\xd9", 2);
    picture p = must_decode(&b), q = must_decode(&padded);
    assert_pixels(&q, 64, 64, 3, p.pixels);
    picture_clear(&p);
    picture_clear(&q);
    bytes_clear(&b);
    bytes_clear(&padded);
}

/* ---- WebP ---- */

static void webp_lossless_is_exact(void **state)
{
    (void)state;
    draws d = draws_from(4);
    unsigned char in[W * H * 4], want[W * H * 3];
    random_bytes(&d, in, sizeof in);
    check_pixels(make_webp(W, H, 3, true, in), H, W, 3, in);
    for (int i = 0; i < W * H * 3; i++)
        want[i] = over_white(in[i / 3 * 4 + i % 3], in[i / 3 * 4 + 3]);
    check_pixels(make_webp(W, H, 4, true, in), H, W, 3, want);
}

static void webp_lossy_and_damaged(void **state)
{
    (void)state;
    unsigned char in[64 * 64 * 3];
    make_soft(in, 64, 64, 3);
    bytes b = make_webp(64, 64, 3, false, in);
    int w, h;
    uint8_t *want = WebPDecodeRGB(b.data, b.size, &w, &h);
    assert_non_null(want);
    picture p = must_decode(&b);
    assert_pixels(&p, h, w, 3, want);
    for (int i = 0; i < 64 * 64 * 3; i++)
        assert_true(abs(p.pixels[i] - in[i]) <= 40);
    picture_clear(&p);
    WebPFree(want);
    check_rejected(b.data, 20, LT_FORMAT, "expected a WebP header, found ");
    check_rejected(b.data, b.size - 20, LT_FORMAT, "expected a whole WebP picture, found ");
    bytes_clear(&b);
    /* VP8X with the animation bit, 1 x 1 */
    check_rejected("RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\0\0\0\0\0\0", 30, LT_UNSUPPORTED,
                   "expected a still picture, found an animation");
}

/* ---- Portable maps ---- */

static void maps_in_text_and_bytes(void **state)
{
    (void)state;
    check_text("P1\n# a comment\n3 2\n1 0 1\n010", 2, 3, 1,
               (const unsigned char[]){0, 255, 0, 255, 0, 255});
    check_text("P2 2 2 # to the end of the line\n15\n0 15\n7 8\n", 2, 2, 1,
               (const unsigned char[]){0, 255, 119, 136});
    check_text("P3\n1 2\n65535\n0 65535 32768\n257 128 129", 2, 1, 3,
               (const unsigned char[]){0, 255, 128, 1, 0, 1});
    check_pixels((bytes){(unsigned char *)must_copy_text("P4 9 2\n\x80\x7f\x01\xff"), 11}, 2, 9, 1,
                 (const unsigned char[]){0, 255, 255, 255, 255, 255, 255, 255, 255, /* 80 7f */
                                         255, 255, 255, 255, 255, 255, 255, 0, 0}); /* 01 ff */
    check_text("P5 2 1 100\n\x32\x64", 1, 2, 1, (const unsigned char[]){128, 255});
    check_text("P6 1 1 255\nabc", 1, 1, 3, (const unsigned char *)"abc");
    unsigned char deep[] = "P5 2 1 1000\n\x01\xf4\x03\xe8"; /* 500, 1000 */
    bytes b = {deep, sizeof deep - 1};
    picture p = must_decode(&b);
    assert_pixels(&p, 1, 2, 1, (const unsigned char[]){128, 255});
    picture_clear(&p);
}

static void damaged_maps(void **state)
{
    (void)state;
    static const struct {
        const char *file, *words;
    } cases[] = {
        {"P5 2", "at byte 4: expected a height, found the end of the file"},
        {"P5 2 x", "at byte 5: expected a height, found byte 78"},
        {"P5 2 0 255\n", "expected a height and a width of 1 to 16384, found 0 x 2"},
        {"P5 2 2 0\nabcd", "expected a largest value of 1 to 65535, found 0"},
        {"P5 2 2 65536\nabcd", "expected a largest value of at most 65535"},
        {"P5 2 2 255\nabc", "expected 4 bytes of pixels, found 3"},
        {"P5 2 2 255\nabcde", "at byte 15: expected the end of the picture, found 1 bytes more"},
        {"P5 9 9 255", "at byte 10: expected 9 x 9 pixels, found 0 bytes"},
        {"P5 2 2 255xabcd", "expected a blank before the pixels"},
        {"P5 2 2 98\nabcd", "at byte 12: expected a pixel of at most 98, found 99"},
        {"P2 2 1 10\n3 11\n", "at byte 12: expected a pixel of at most 10"},
        {"P2 2 1 10\n3     ", "expected a pixel, found the end of the file"},
        {"P1 2 2\n 1 0 2 1", "expected 4 pixels of 0 or 1, found 2"},
        {"P5 99999999999999999999 2 255\n", "expected a width of at most 4294967295, found more"},
        {"P7\nWIDTH 1\n", "expected a PNG, JPEG, WebP, PBM, PGM or PPM picture, found 50 37 0a"},
        {"", "found an empty file"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++)
        check_rejected(cases[i].file, strlen(cases[i].file), LT_FORMAT, cases[i].words);
}

static void endings_of_names(void **state)
{
    (void)state;
    static const char *const yes[] = {"a.png", "b.JPG", "c.jpeg", ".webp",        "e.x.PpM",
                                      "f.pgm", "g.pbm", "h.pnm",  "dir.txt/i.png"};
    static const char *const no[] = {"png", "a.gif", "b.png.txt", "c.", "", "a.pngx"};
    for (int i = 0; i < COUNT_OF(yes); i++)
        assert_true(picture_is_named(yes[i]));
    for (int i = 0; i < COUNT_OF(no); i++)
        assert_false(picture_is_named(no[i]));
}

/* ---- Mutations: no crash, no leak, an error with a message or a picture ---- */

static bool allow_small(void *user, size_t size)
{
    (void)user;
    return size <= 1 << 20;
}

enum { MAX_MODELS = 16 };

static int make_models(bytes models[MAX_MODELS])
{
    static unsigned char in[24 * 24 * 8];
    png_color palette[4] = {{1, 2, 3}, {4, 5, 6}, {255, 0, 9}, {7, 7, 7}};
    int n = 0;
    make_soft(in, 24, 24, 8);
    for (int c = 1; c <= 4; c++)
        models[n++] = make_png8(24, 24, c, in);
    models[n++] = make_png(
        24, 24,
        (png_kind){.type = PNG_COLOR_TYPE_PALETTE, .depth = 2, .palette = palette, .n_palette = 4},
        in, 6);
    models[n++] = make_png(
        24, 24, (png_kind){.type = PNG_COLOR_TYPE_RGB_ALPHA, .depth = 16, .interlaced = true}, in,
        24 * 8);
    models[n++] = make_jpeg(24, 24, TJPF_RGB, TJSAMP_420, 0, in);
    models[n++] = make_jpeg(24, 24, TJPF_RGB, TJSAMP_444, TJFLAG_PROGRESSIVE, in);
    models[n++] = make_jpeg(24, 24, TJPF_RGB, TJSAMP_GRAY, 0, in);
    models[n++] = make_webp(24, 24, 3, true, in);
    models[n++] = make_webp(24, 24, 4, false, in);
    static const char *const maps[] = {"P1 2 3 101010 ", "P3 2 1 99\n1 2 3 4 5 6\n",
                                       "P6 1 2 255\nabcdef", "P4 9 2\nabcd"};
    for (int i = 0; i < COUNT_OF(maps); i++)
        models[n++] = (bytes){(unsigned char *)must_copy_text(maps[i]), strlen(maps[i])};
    return n;
}

/* Some bytes changed, and sometimes the end cut off or a stretch doubled. In a PNG, checksums would
   find most of it, so they are made right again. */
static bytes mutate(draws *d, const bytes *model)
{
    bytes b = {must_alloc(2 * model->size + 1), model->size};
    memcpy(b.data, model->data, model->size);
    if (draw_one_in(d, 4))
        b.size = 1 + (size_t)draw_below(d, (int)b.size);
    if (draw_one_in(d, 6)) {
        size_t from = (size_t)draw_below(d, (int)b.size), n = b.size - from;
        memcpy(b.data + b.size, b.data + from, n);
        b.size += n;
    }
    for (int i = draw_below(d, 6); i >= 0; i--) {
        size_t at = (size_t)draw_below(d, (int)(draw_one_in(d, 2) && b.size > 64 ? 64 : b.size));
        b.data[at] = draw_one_in(d, 2) ? (unsigned char)draw_below(d, 256)
                                       : b.data[at] ^ (unsigned char)(1 << draw_below(d, 8));
    }
    for (size_t at = 8; b.data[0] == 0x89 && at + 12 <= b.size;) {
        size_t n = (size_t)b.data[at] << 24 | (size_t)b.data[at + 1] << 16 |
                   (size_t)b.data[at + 2] << 8 | b.data[at + 3];
        if (n > b.size - at - 12)
            break;
        uint32_t crc = (uint32_t)crc32(0, b.data + at + 4, (unsigned)n + 4);
        for (int i = 0; i < 4; i++)
            b.data[at + 8 + n + (size_t)i] = (unsigned char)(crc >> (24 - 8 * i));
        at += 12 + n;
    }
    return b;
}

static uint64_t first_seed, n_seeds = 20000;

static void mutated_files_are_pictures_or_errors(void **state)
{
    (void)state;
    bytes models[MAX_MODELS];
    int n = make_models(models), decoded = 0, rejected = 0;
    lt_set_allow_memory(allow_small, NULL);
    for (uint64_t seed = first_seed; seed < first_seed + n_seeds; seed++) {
        draws d = draws_from(seed);
        bytes b = mutate(&d, &models[draw_below(&d, n)]);
        picture_file s = {.path = "mutated", .content = b};
        picture p;
        status_fail(LT_OK, "%s", "");
        int status = picture_decode(&s, &p);
        if (status == LT_OK) {
            unsigned sum = 0; /* every byte is there */
            for (size_t i = 0; i < (size_t)p.h * (size_t)p.w * (size_t)p.c; i++)
                sum += p.pixels[i];
            assert_true(sum <= 255u * (1 << 20) && (p.c == 1 || p.c == 3));
        } else if (p.pixels || !lt_last_error()[0]) {
            fail_msg("seed %ju: status %d without a message", (uintmax_t)seed, status);
        }
        decoded += status == LT_OK;
        rejected += status != LT_OK;
        picture_clear(&p);
        bytes_clear(&b);
    }
    lt_set_allow_memory(NULL, NULL);
    for (int i = 0; i < n; i++)
        bytes_clear(&models[i]);
    assert_true(n_seeds < 1000 || (decoded > 100 && rejected > 100));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutated_files_are_pictures_or_errors),
        cmocka_unit_test(png_of_8_bits),
        cmocka_unit_test(png_of_16_bits_is_rounded),
        cmocka_unit_test(png_of_few_bits),
        cmocka_unit_test(png_with_a_transparent_gray),
        cmocka_unit_test(png_cut_off_or_damaged),
        cmocka_unit_test(sizes_are_checked_before_memory_is_asked_for),
        cmocka_unit_test(jpeg_gray_and_color),
        cmocka_unit_test(jpeg_cut_off_or_damaged),
        cmocka_unit_test(webp_lossless_is_exact),
        cmocka_unit_test(webp_lossy_and_damaged),
        cmocka_unit_test(maps_in_text_and_bytes),
        cmocka_unit_test(damaged_maps),
        cmocka_unit_test(endings_of_names),
    };
    if (argc == 3) {
        first_seed = strtoull(argv[1], NULL, 10);
        n_seeds = strtoull(argv[2], NULL, 10);
        cmocka_set_test_filter("mutated*");
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
