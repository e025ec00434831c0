/* SPDX-License-Identifier: MIT */
#include "image/other_formats.h"

#include <string.h>
#include <strings.h>

#define CONVERT "; make PNG or JPEG files of it, with ImageMagick: mogrify -format png FILE"

static const char gif[] = "a GIF picture" CONVERT, bmp[] = "a BMP picture" CONVERT,
                  tiff[] = "a TIFF picture" CONVERT,
                  heif[] = "an HEIC or AVIF picture" CONVERT,
                  jp2[] = "a JPEG 2000 picture" CONVERT, jxl[] = "a JPEG XL picture" CONVERT,
                  psd[] = "a Photoshop document" CONVERT, ico[] = "an icon" CONVERT,
                  exr[] = "an OpenEXR picture" CONVERT, dds[] = "a DDS texture" CONVERT,
                  qoi[] = "a QOI picture" CONVERT, tga[] = "a TGA picture" CONVERT,
                  raw[] = "a camera's raw file; develop it into PNG or JPEG files",
                  svg[] = "an SVG drawing; render it: rsvg-convert -o FILE.png FILE.svg",
                  pdf[] = "a PDF document; make pictures of its pages: pdftoppm -png FILE pages",
                  matlab4[] = "a MATLAB 4 file; save it in version 5: save -v7, or SciPy's savemat",
                  hdf5[] = "an HDF5 file (MATLAB 7.3 saves these); save it with save -v7, or its "
                           "arrays with numpy.save",
                  pickle[] = "a Python pickle, which is a program; save its arrays with numpy.save",
                  numpy_zip[] = "a zip file",
                  seven[] = "a 7z archive; unpack it, or make a zip file of it",
                  rar[] = "a RAR archive; unpack it, or make a zip file of it",
                  tar[] = "a tar archive; unpack it, or make a zip file of it",
                  bzip[] = "bzip2 data; unpack it: bunzip2 FILE",
                  xz[] = "xz data; unpack it: unxz FILE",
                  zstd[] = "Zstandard data; unpack it: unzstd FILE",
                  parquet[] = "a Parquet table; write its pictures into a folder, or save them with "
                              "numpy.save",
                  arrow[] = "an Arrow file; save its arrays with numpy.save",
                  html[] = "a web page: the download did not give the file",
                  video[] = "a video; make pictures of its frames: ffmpeg -i FILE frame-%05d.png";

/* The bytes at `at`; of formats with several forms, a row each. */
static const struct magic {
    size_t at, n;
    const char *bytes, *is;
} magics[] = {
    {0, 4, "GIF8", gif},
    {0, 2, "BM", bmp},
    {0, 4, "II*\0", tiff},
    {0, 4, "MM\0*", tiff},
    {0, 4, "II+\0", tiff},
    {0, 4, "MM\0+", tiff},
    {4, 8, "ftypheic", heif},
    {4, 8, "ftypheix", heif},
    {4, 8, "ftypmif1", heif},
    {4, 8, "ftypmsf1", heif},
    {4, 8, "ftypavif", heif},
    {4, 8, "ftypavis", heif},
    {0, 12, "\0\0\0\x0cjP  \r\n\x87\n", jp2},
    {0, 4, "\xff\x4f\xff\x51", jp2},
    {0, 12, "\0\0\0\x0cJXL \r\n\x87\n", jxl},
    {0, 2, "\xff\x0a", jxl},
    {0, 4, "8BPS", psd},
    {0, 4, "\0\0\1\0", ico},
    {0, 4, "\x76\x2f\x31\x01", exr},
    {0, 4, "DDS ", dds},
    {0, 4, "qoif", qoi},
    {0, 4, "<svg", svg},
    {0, 4, "%PDF", pdf},
    {0, 8, "\x89HDF\r\n\x1a\n", hdf5},
    {512, 8, "\x89HDF\r\n\x1a\n", hdf5},
    {0, 2, "\x80\2", pickle},
    {0, 2, "\x80\3", pickle},
    {0, 2, "\x80\4", pickle},
    {0, 2, "\x80\5", pickle},
    {0, 4, "PK\3\4", numpy_zip},
    {0, 6, "7z\xbc\xaf\x27\x1c", seven},
    {0, 4, "Rar!", rar},
    {257, 5, "ustar", tar},
    {0, 3, "BZh", bzip},
    {0, 6, "\xfd" "7zXZ\0", xz},
    {0, 4, "\x28\xb5\x2f\xfd", zstd},
    {0, 4, "PAR1", parquet},
    {0, 6, "ARROW1", arrow},
    {0, 14, "<!DOCTYPE html", html},
    {0, 14, "<!doctype html", html},
    {0, 5, "<html", html},
    {4, 4, "ftyp", video},
    {0, 4, "\x1a\x45\xdf\xa3", video},
};

static const struct ending {
    const char *end, *is;
} endings[] = {
    {"gif", gif},  {"bmp", bmp},   {"dib", bmp},   {"tif", tiff},      {"tiff", tiff}, {"heic", heif},
    {"heif", heif}, {"avif", heif}, {"jp2", jp2},  {"j2k", jp2},       {"jxl", jxl},   {"psd", psd},
    {"ico", ico},  {"exr", exr},   {"dds", dds},   {"qoi", qoi},       {"tga", tga},   {"svg", svg},
    {"svgz", svg}, {"pdf", pdf},   {"h5", hdf5},   {"hdf5", hdf5},     {"pkl", pickle}, {"pickle", pickle},
    {"7z", seven}, {"rar", rar},   {"tar", tar},   {"parquet", parquet}, {"arrow", arrow}, {"dng", raw},
    {"nef", raw},  {"cr2", raw},   {"arw", raw},   {"mp4", video},     {"mov", video}, {"avi", video},
    {"webm", video},
};

/* A MATLAB 4 file has no signature: five little or big-endian numbers, of which the first is a type of
   four decimal digits, the fourth says whether numbers are complex, and a name that ends with a zero. */
static bool is_matlab4(const bytes *b)
{
    uint32_t little[5], big[5];
    if (b->size < 20)
        return false;
    for (int i = 0; i < 5; i++) {
        const unsigned char *p = b->data + 4 * i;
        little[i] = (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
        big[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    const uint32_t *v = little[0] < 100 ? little : big;
    uint32_t order = v == little ? 0 : 1; /* the thousands of the type */
    size_t name = v[4];
    return v[0] / 1000 == order && v[0] % 1000 / 100 == 0 && v[0] % 100 / 10 <= 5 && v[0] % 10 <= 2 &&
           v[1] > 0 && v[2] > 0 && v[3] <= 1 && name > 1 && name <= 64 && b->size >= 20 + name &&
           b->data[20 + name - 1] == 0;
}

const char *other_format(const bytes *content)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const struct magic *m = &magics[i];
        if (content->size >= m->at + m->n && memcmp(content->data + m->at, m->bytes, m->n) == 0)
            return m->is;
    }
    return is_matlab4(content) ? matlab4 : NULL;
}

const char *other_format_of_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot + 1, endings[i].end) == 0)
            return endings[i].is;
    return NULL;
}
