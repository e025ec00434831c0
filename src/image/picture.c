/* SPDX-License-Identifier: MIT */
/* Decoders of single pictures. A format is a row in `formats`: how its files begin, and a function
   that decodes one. Sizes are checked before memory is allocated. */
#include "image/picture.h"

#include "base/loaded_jpeg.h"
#include "base/loaded_png.h"
#include "base/memory.h"
#include "base/status.h"
#include "image/webp.h"
#include "image/other_formats.h"
#include "image/markers.h"
#include "image/transform.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Fails with LT_FORMAT, "PATH: at byte OFFSET: ..."; the text has what was expected and what was found. */
LT_PRINTF(3, 4)
static int file_malformed(const picture_file *s, size_t offset, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return status_fail(LT_FORMAT, "%s: at byte %zu: %s", s->path, offset, text);
}

/* Checks the sizes found at `offset`. */
static int check_size(const picture_file *s, size_t offset, uint64_t h, uint64_t w)
{
    uint64_t most = limit_of(LIMIT_IMAGE_SIDE);
    if (h < 1 || w < 1 || h > most || w > most)
        return file_malformed(s, offset,
                              "expected a height and a width of 1 to %ju, found %ju x %ju (the limit "
                              "image.side)",
                              (uintmax_t)most, (uintmax_t)h, (uintmax_t)w);
    most = limit_of(LIMIT_PICTURE_PIXELS);
    if (h * w > most)
        return file_malformed(s, offset,
                              "expected at most %ju pixels, found %ju x %ju (the limit picture.pixels)",
                              (uintmax_t)most, (uintmax_t)h, (uintmax_t)w);
    return LT_OK;
}

/* Stores the first oddity of a picture that can be decoded anyway. */
static void note_oddity(picture *out, const char *text)
{
    if (!out->oddity[0])
        snprintf(out->oddity, sizeof out->oddity, "%s", text);
}

/* Allocates h x w pixels of `stored` bytes each, of which c remain. */
static int make_room(const picture_file *s, size_t offset, picture *out, uint64_t h, uint64_t w,
                     int c, int stored)
{
    LT_TRY(check_size(s, offset, h, w));
    out->h = (int)h;
    out->w = (int)w;
    out->c = c;
    out->pixels = tensor_alloc((size_t)h * (size_t)w * (size_t)stored, s->path);
    return out->pixels ? LT_OK : LT_NO_MEMORY;
}

static void lay_on_white(picture *p)
{
    lay_bytes_on_white(p->pixels, (size_t)p->h * (size_t)p->w, p->c);
}

/* ---- PNG ---- */

typedef struct png_job {
    const picture_file *s;
    picture *out;
    size_t at;
    char message[128]; /* of libpng */
} png_job;

static void keep_png_error(png_structp png, png_const_charp message)
{
    png_job *job = png_get_error_ptr(png);
    snprintf(job->message, sizeof job->message, "%s", message);
    png_longjmp(png, 1);
}

static void note_png_warning(png_structp png, png_const_charp message)
{
    png_job *job = png_get_error_ptr(png);
    note_oddity(job->out, message);
}

/* Skips chunks that do not affect pixels: text may unpack to megabytes, and libpng may reject profiles. */
static void skip_chunks(png_structp png)
{
    static const char *const names[] = {"tEXt", "zTXt", "iTXt", "iCCP", "sRGB", "gAMA", "cHRM",
                                        "bKGD", "hIST", "pHYs", "sBIT", "sPLT", "tIME", "oFFs",
                                        "pCAL", "sCAL", "eXIf"};
    for (int i = 0; i < COUNT_OF(names); i++) {
        png_byte name[5];
        memcpy(name, names[i], sizeof name);
        png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, name, 1);
    }
}

static void read_png_bytes(png_structp png, png_bytep to, size_t n)
{
    png_job *job = png_get_io_ptr(png);
    if (n > job->s->content.size - job->at)
        png_error(png, "the file ends");
    memcpy(to, job->s->content.data + job->at, n);
    job->at += n;
}

/* The palette of a picture. */
typedef struct png_palette {
    png_colorp colors; /* NULL: no palette, bytes are values */
    png_bytep alpha;   /* of the first colors; the rest are opaque */
    int n, n_alpha;
} png_palette;

static png_palette find_palette(png_structp png, png_infop info)
{
    png_palette p = {NULL, NULL, 0, 0};
    if (png_get_color_type(png, info) != PNG_COLOR_TYPE_PALETTE)
        return p;
    png_get_PLTE(png, info, &p.colors, &p.n);
    png_get_tRNS(png, info, &p.alpha, &p.n_alpha, NULL);
    return p;
}

/* Converts indices to RGB or RGBA in place, from the end, so that writing never overtakes reading. Indices outside
   the palette become black. */
static void apply_palette(const png_palette *p, picture *out, int stored)
{
    size_t n = (size_t)out->h * (size_t)out->w, beyond = 0;
    for (size_t i = n; i-- > 0;) {
        int index = out->pixels[i];
        unsigned char *to = out->pixels + i * (size_t)stored;
        bool is_color = index < p->n;
        beyond += !is_color;
        to[0] = is_color ? p->colors[index].red : 0;
        to[1] = is_color ? p->colors[index].green : 0;
        to[2] = is_color ? p->colors[index].blue : 0;
        if (stored == 4)
            to[3] = index < p->n_alpha ? p->alpha[index] : 255;
    }
    char text[96];
    snprintf(text, sizeof text, "%zu of %zu pixels are not of its palette of %d colors; made black",
             beyond, n, p->n);
    if (beyond)
        note_oddity(out, text);
}

/* Asks libpng for 8 bits of an index, gray, gray and alpha, RGB, or RGBA; returns how often to read
   the rows. */
static int set_png_conversions(png_structp png, png_infop info, bool has_palette)
{
    if (has_palette)
        png_set_packing(png); /* 1, 2, 4 bits to 8 */
    else
        png_set_expand(png); /* the same, scaled; a transparent color to alpha */
    png_set_scale_16(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    return passes;
}

static int read_png(png_structp png, png_infop info, png_job *job)
{
    png_set_read_fn(png, job, read_png_bytes);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* check_size has better messages */
    png_set_check_for_invalid_index(png, 0); /* apply_palette does, and counts them */
    skip_chunks(png);
    png_read_info(png, info);
    png_uint_32 h = png_get_image_height(png, info), w = png_get_image_width(png, info);
    LT_TRY(check_size(job->s, 16, h, w));
    png_palette palette = find_palette(png, info);
    int passes = set_png_conversions(png, info, palette.colors);
    int read = png_get_channels(png, info), stored = palette.colors ? palette.n_alpha ? 4 : 3 : read;
    LT_TRY(make_room(job->s, 16, job->out, h, w, stored < 3 ? 1 : 3, stored));
    size_t row = png_get_rowbytes(png, info);
    LT_ASSERT(row == (size_t)job->out->w * (size_t)read);
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < job->out->h; y++)
            png_read_row(png, job->out->pixels + (size_t)y * row, NULL);
    png_read_end(png, NULL);
    if (palette.colors)
        apply_palette(&palette, job->out, stored);
    if (stored == 2 || stored == 4)
        lay_on_white(job->out);
    return LT_OK;
}

/* libpng leaves read_png with longjmp; only `job` is used afterwards. */
static int try_png(png_structp png, png_infop info, png_job *job)
{
    if (setjmp(png_jmpbuf(png)))
        return file_malformed(job->s, job->at, "expected a whole PNG picture, found damage: %s",
                              job->message);
    return read_png(png, info, job);
}

static int decode_png(const picture_file *s, picture *out)
{
    LT_TRY(library_load(&png_library));
    png_job job = {.s = s, .out = out};
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, keep_png_error, note_png_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    int status = info ? try_png(png, info, &job)
                      : status_fail(LT_NO_MEMORY, "%s: no memory to decode it", s->path);
    png_destroy_read_struct(&png, &info, NULL);
    return status;
}

/* ---- JPEG ---- */

/* libjpeg's warnings about bytes around complete pixels are oddities; so is damage from which it recovered. */
static int take_jpeg_warning(const picture_file *s, tjhandle jpeg, picture *out)
{
    if (tjGetErrorCode(jpeg) != TJERR_WARNING)
        return file_malformed(s, 0, "expected a whole JPEG picture, found damage: %s",
                              tjGetErrorStr2(jpeg));
    note_oddity(out, tjGetErrorStr2(jpeg));
    return LT_OK;
}

/* Each scan decodes all pixels again, but takes only a few bytes of a file. */
static int check_scans(const picture_file *s, uint64_t h, uint64_t w)
{
    uint64_t scans = markers_count_scans(&s->content);
    LT_TRY(limit_check(LIMIT_JPEG_SCANS, s->path, scans));
    return scans > 1 ? limit_check(LIMIT_JPEG_WORK, s->path, scans * h * w) : LT_OK;
}

typedef struct jpeg_job {
    const picture_file *s;
    tjhandle handle;
    picture *out;
    int format; /* of TurboJPEG's pixels */
} jpeg_job;

static int read_jpeg_pixels(const jpeg_job *j, const unsigned char *data, size_t size)
{
    if (tjDecompress2(j->handle, data, (unsigned long)size, j->out->pixels, j->out->w, 0, j->out->h,
                      j->format, TJFLAG_LIMITSCANS) == 0)
        return LT_OK;
    return take_jpeg_warning(j->s, j->handle, j->out);
}

/* libjpeg gives the same warning for a missing end marker and for a missing lower half. With an end marker appended,
   only the second one ends too early. */
static int check_jpeg_end(const jpeg_job *j)
{
    static const unsigned char end[] = {0xff, 0xd9};
    size_t size = j->s->content.size;
    if (!strstr(j->out->oddity, "Premature end"))
        return LT_OK;
    unsigned char *longer = malloc(size + sizeof end);
    if (!longer)
        return status_fail(LT_NO_MEMORY, "%s: no memory to decode it", j->s->path);
    memcpy(longer, j->s->content.data, size);
    memcpy(longer + size, end, sizeof end);
    bool is_whole = tjDecompress2(j->handle, longer, (unsigned long)(size + sizeof end),
                                  j->out->pixels, j->out->w, 0, j->out->h, j->format,
                                  TJFLAG_LIMITSCANS) == 0;
    free(longer);
    return is_whole ? LT_OK
                    : file_malformed(j->s, size, "expected a whole JPEG picture, found damage: the file ends "
                                            "before its last pixels");
}

/* Converts CMYK to RGB without a profile, as light that passes ink and black. Adobe's programs store inverted ink,
   others do not. In place: writing never overtakes reading. */
static void convert_cmyk(picture *p, bool is_inverted)
{
    const unsigned char *from = p->pixels;
    unsigned char *to = p->pixels;
    size_t n = (size_t)p->h * (size_t)p->w;
    for (size_t i = 0; i < n; i++, from += 4) {
        int black = is_inverted ? from[3] : 255 - from[3];
        for (int k = 0; k < 3; k++)
            *to++ = (unsigned char)(((is_inverted ? from[k] : 255 - from[k]) * black + 127) / 255);
    }
}

static int read_jpeg(const picture_file *s, tjhandle jpeg, picture *out)
{
    int w = 0, h = 0, sampling, space = TJCS_RGB; /* not set for tables without a picture */
    picture_markers m = markers_find(&s->content);
    if (tjDecompressHeader3(jpeg, s->content.data, (unsigned long)s->content.size, &w, &h, &sampling,
                            &space) != 0)
        LT_TRY(take_jpeg_warning(s, jpeg, out));
    if (w == 0 || h == 0)
        return file_malformed(s, 0, "expected a JPEG header, found damage: it has no size");
    bool is_cmyk = space == TJCS_CMYK || space == TJCS_YCCK;
    int c = space == TJCS_GRAY ? 1 : 3;
    LT_TRY(check_scans(s, (uint64_t)h, (uint64_t)w));
    LT_TRY(make_room(s, 0, out, (uint64_t)h, (uint64_t)w, c, is_cmyk ? 4 : c));
    jpeg_job j = {s, jpeg, out, is_cmyk ? TJPF_CMYK : c == 1 ? TJPF_GRAY : TJPF_RGB};
    LT_TRY(read_jpeg_pixels(&j, s->content.data, s->content.size));
    LT_TRY(check_jpeg_end(&j));
    if (m.has_short_adobe)
        note_oddity(out, "Adobe's marker is shorter than it should be");
    if (is_cmyk) {
        convert_cmyk(out, m.has_adobe);
        note_oddity(out, "printing colors (CMYK), converted to RGB without their profile");
    }
    return LT_OK;
}

static int decode_jpeg(const picture_file *s, picture *out)
{
    LT_TRY(library_load(&jpeg_library));
    tjhandle jpeg = tjInitDecompress();
    if (!jpeg)
        return status_fail(LT_NO_MEMORY, "%s: no memory to decode it", s->path);
    int status = read_jpeg(s, jpeg, out);
    tjDestroy(jpeg);
    return status;
}

/* ---- WebP ---- */

int picture_fail_animated(const char *path)
{
    return status_fail(LT_UNSUPPORTED,
                       "%s: expected a still picture, found an animation; make pictures of its frames: "
                       "ffmpeg -i FILE frame-%%05d.png",
                       path);
}

static const char *webp_text(VP8StatusCode code)
{
    switch (code) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return "the file ends";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return "an unknown feature";
    default:
        return "damage";
    }
}

static int decode_webp(const picture_file *s, picture *out)
{
    LT_TRY(library_load(&webp_library));
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return status_fail(LT_UNSUPPORTED, "%s: libwebp has an incompatible version", s->path);
    VP8StatusCode code = WebPGetFeatures(s->content.data, s->content.size, &config.input);
    if (code != VP8_STATUS_OK)
        return file_malformed(s, 0, "expected a WebP header, found %s", webp_text(code));
    if (config.input.has_animation)
        return picture_fail_animated(s->path);
    int stored = config.input.has_alpha ? 4 : 3;
    LT_TRY(make_room(s, 0, out, (uint64_t)config.input.height, (uint64_t)config.input.width, 3,
                     stored));
    size_t row = (size_t)out->w * (size_t)stored;
    config.output.colorspace = stored == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = (WebPRGBABuffer){out->pixels, (int)row, row * (size_t)out->h};
    code = WebPDecode(s->content.data, s->content.size, &config);
    WebPFreeDecBuffer(&config.output);
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return status_fail(LT_NO_MEMORY, "%s: no memory to decode it", s->path);
    if (code != VP8_STATUS_OK)
        return file_malformed(s, 0, "expected a whole WebP picture, found %s", webp_text(code));
    if (stored == 4)
        lay_on_white(out);
    return LT_OK;
}

/* ---- Portable maps: P1 to P3 in text, P4 to P6 in bytes; bits, gray, RGB ---- */

typedef struct pnm {
    const picture_file *s;
    size_t at;
    int kind; /* 1 ... 6 */
    uint64_t largest;
} pnm;

static int pnm_peek(const pnm *p)
{
    return p->at < p->s->content.size ? p->s->content.data[p->at] : -1;
}

static bool is_blank(int b) { return b == ' ' || (b >= '\t' && b <= '\r'); }

/* Blanks, and comments from '#' to the end of the line. */
static void skip_blanks(pnm *p)
{
    bool is_comment = false;
    for (int b; (b = pnm_peek(p)) >= 0 && (is_comment || is_blank(b) || b == '#'); p->at++)
        is_comment = b == '#' || (is_comment && b != '\n' && b != '\r');
}

static int read_number(pnm *p, const char *what, uint64_t max, uint64_t *value)
{
    skip_blanks(p);
    size_t start = p->at;
    uint64_t v = 0;
    for (int b; (b = pnm_peek(p)) >= '0' && b <= '9' && v <= max; p->at++)
        v = 10 * v + (uint64_t)(b - '0');
    if (p->at == start && pnm_peek(p) < 0)
        return file_malformed(p->s, start, "expected %s, found the end of the file", what);
    if (p->at == start)
        return file_malformed(p->s, start, "expected %s, found byte %02x", what,
                              (unsigned)pnm_peek(p));
    if (v > max)
        return file_malformed(p->s, start, "expected %s of at most %ju, found more", what,
                              (uintmax_t)max);
    *value = v;
    return LT_OK;
}

static int read_pnm_header(pnm *p, picture *out)
{
    uint64_t w, h;
    p->kind = p->s->content.data[1] - '0';
    p->at = 2;
    LT_TRY(read_number(p, "a width", UINT32_MAX, &w));
    LT_TRY(read_number(p, "a height", UINT32_MAX, &h));
    p->largest = 1;
    if (p->kind != 1 && p->kind != 4)
        LT_TRY(read_number(p, "a largest value", 65535, &p->largest));
    if (p->largest == 0)
        return file_malformed(p->s, p->at, "expected a largest value of 1 to 65535, found 0");
    int c = p->kind % 3 == 0 ? 3 : 1;
    LT_TRY(check_size(p->s, 2, h, w));
    size_t left = p->s->content.size - p->at, least = p->kind < 4 ? h * w : h * w / 8;
    if (left < least) /* a digit each, or a bit */
        return file_malformed(p->s, p->at, "expected %ju x %ju pixels, found %zu bytes",
                              (uintmax_t)h, (uintmax_t)w, left);
    return make_room(p->s, 2, out, h, w, c, c);
}

static unsigned char to_8_bits(uint64_t v, uint64_t largest)
{
    return (unsigned char)((v * 255 + largest / 2) / largest);
}

static int read_text_pixels(pnm *p, picture *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t v;
        if (p->kind == 1) { /* digits need no blanks between them */
            skip_blanks(p);
            int b = pnm_peek(p);
            if (b != '0' && b != '1')
                return file_malformed(p->s, p->at, "expected %zu pixels of 0 or 1, found %zu", n,
                                      i);
            out->pixels[i] = b == '0' ? 255 : 0;
            p->at++;
            continue;
        }
        LT_TRY(read_number(p, "a pixel", p->largest, &v));
        out->pixels[i] = to_8_bits(v, p->largest);
    }
    return LT_OK;
}

static void unpack_bits(const unsigned char *from, picture *out)
{
    size_t row = ((size_t)out->w + 7) / 8;
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++)
            out->pixels[(size_t)y * (size_t)out->w + (size_t)x] =
                from[(size_t)y * row + (size_t)x / 8] >> (7 - x % 8) & 1 ? 0 : 255;
}

static int read_binary_pixels(pnm *p, picture *out, size_t n)
{
    if (!is_blank(pnm_peek(p)))
        return file_malformed(p->s, p->at, "expected a blank before the pixels, found %s",
                              pnm_peek(p) < 0 ? "the end of the file" : "another byte");
    p->at++;
    size_t deep = p->largest > 255 ? 2 : 1, found = p->s->content.size - p->at;
    size_t want = p->kind == 4 ? ((size_t)out->w + 7) / 8 * (size_t)out->h : n * deep;
    if (found < want)
        return file_malformed(p->s, p->at, "expected %zu bytes of pixels, found %zu", want, found);
    const unsigned char *from = p->s->content.data + p->at;
    p->at += want;
    if (p->kind == 4) {
        unpack_bits(from, out);
        return LT_OK;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t v = deep == 1 ? from[i] : (uint64_t)(from[2 * i] << 8 | from[2 * i + 1]);
        if (v > p->largest)
            return file_malformed(p->s, p->at - want + i * deep,
                                  "expected a pixel of at most %ju, found %ju",
                                  (uintmax_t)p->largest, (uintmax_t)v);
        out->pixels[i] = to_8_bits(v, p->largest);
    }
    return LT_OK;
}

static int decode_pnm(const picture_file *s, picture *out)
{
    pnm p = {.s = s};
    LT_TRY(read_pnm_header(&p, out));
    size_t n = (size_t)out->h * (size_t)out->w * (size_t)out->c;
    LT_TRY(p.kind < 4 ? read_text_pixels(&p, out, n) : read_binary_pixels(&p, out, n));
    skip_blanks(&p);
    if (pnm_peek(&p) >= 0)
        return file_malformed(s, p.at, "expected the end of the picture, found %zu bytes more",
                              s->content.size - p.at);
    return LT_OK;
}

/* ---- All of them ---- */

static bool begins(const bytes *b, size_t at, const char *with, size_t n)
{
    return b->size >= at + n && memcmp(b->data + at, with, n) == 0;
}

static bool is_png(const bytes *b) { return begins(b, 0, "\x89PNG\r\n\x1a\n", 8); }
static bool is_jpeg(const bytes *b) { return begins(b, 0, "\xff\xd8\xff", 3); }
static bool is_webp(const bytes *b) { return begins(b, 0, "RIFF", 4) && begins(b, 8, "WEBP", 4); }
static bool is_pnm(const bytes *b)
{
    return b->size > 2 && b->data[0] == 'P' && b->data[1] >= '1' && b->data[1] <= '6' &&
           (is_blank(b->data[2]) || b->data[2] == '#');
}

static const struct format {
    bool (*sniff)(const bytes *content);
    int (*decode)(const picture_file *s, picture *out);
} formats[] = {
    {is_png, decode_png}, {is_jpeg, decode_jpeg}, {is_webp, decode_webp}, {is_pnm, decode_pnm}};

static int fail_unknown(const picture_file *s)
{
    char found[32] = "an empty file";
    const char *known = other_format(&s->content);
    if (known)
        return status_fail(LT_UNSUPPORTED,
                           "%s: expected a PNG, JPEG, WebP, PBM, PGM or PPM picture, found %s",
                           s->path, known);
    for (size_t i = 0; i < s->content.size && i < 8; i++)
        snprintf(found + 3 * i, 4, "%02x ", s->content.data[i]);
    return file_malformed(s, 0, "expected a PNG, JPEG, WebP, PBM, PGM or PPM picture, found %s",
                          found);
}

int picture_decode(const picture_file *s, picture *out)
{
    *out = (picture){0};
    int status = LT_FORMAT;
    const struct format *f = formats, *end = formats + COUNT_OF(formats);
    while (f < end && !f->sniff(&s->content))
        f++;
    picture_markers m = markers_find(&s->content);
    out->orientation = m.orientation;
    out->is_animated = m.is_animated;
    status = f < end ? f->decode(s, out) : fail_unknown(s);
    if (status == LT_LIBRARY)
        status_prefix(status, "%s", s->path); /* as all other messages begin */
    if (status != LT_OK)
        picture_clear(out);
    return status;
}

bool picture_is_named(const char *name)
{
    static const char *const endings[] = {"png",  "apng", "jpg", "jpeg", "jpe", "jfif",
                                          "jfi",  "jif",  "webp", "ppm", "pgm",  "pbm",
                                          "pnm"};
    const char *dot = strrchr(name, '.');
    for (int i = 0; dot && i < COUNT_OF(endings); i++)
        if (strcasecmp(dot + 1, endings[i]) == 0)
            return true;
    return false;
}
