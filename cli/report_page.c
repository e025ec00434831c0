/* SPDX-License-Identifier: MIT */
/* HTML is collected in memory; the file appears at the end. */
#include "report_page.h"

#include "plot_kinds.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const char *const report_style; /* report.css */

/* ---- Text ---- */

/* Bytes of the character at `s`, or 0: neither a lone surrogate nor one in too many bytes. */
static int character(const unsigned char *s)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
    uint32_t code = n == 1 ? s[0] : s[0] & (0x7fU >> n);
    for (int i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    bool is_control = (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0);
    if (n == 0 || code < least[n] || code > 0x10ffff || code >> 11 == 0x1b || is_control)
        return 0;
    return n;
}

static void escape(page *p, const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        int n = character(s);
        switch (n ? *s : 0) {
        case 0: fputs("\xef\xbf\xbd", p->to); break;
        case '&': fputs("&amp;", p->to); break;
        case '<': fputs("&lt;", p->to); break;
        case '>': fputs("&gt;", p->to); break;
        case '"': fputs("&quot;", p->to); break;
        case '\'': fputs("&#39;", p->to); break;
        default: fwrite(s, 1, (size_t)n, p->to);
        }
        s += n ? n : 1;
    }
}

void page_html(page *p, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vfprintf(p->to, format, values);
    va_end(values);
}

void page_text(page *p, const char *format, ...)
{
    va_list values, again;
    va_start(values, format);
    va_copy(again, values);
    int n = vsnprintf(NULL, 0, format, values);
    char *text = plot_room((size_t)(n > 0 ? n : 0) + 1, 1);
    vsnprintf(text, (size_t)(n > 0 ? n : 0) + 1, format, again);
    va_end(again);
    va_end(values);
    escape(p, text);
    free(text);
}

void page_word(page *p, const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_-./=:,+@%";
    if (*word && word[strspn(word, safe)] == 0) {
        escape(p, word);
        return;
    }
    page_text(p, "'");
    for (; *word; word += *word == '\'') {
        size_t n = strcspn(word, "'");
        page_text(p, "%.*s", (int)n, word);
        word += n;
        if (*word == '\'')
            page_text(p, "'\\''");
        else
            break;
    }
    page_text(p, "'");
}

void page_number(page *p, double value, int digits)
{
    double shown = fabs(value) < 0.5 * pow(10, -digits) ? 0 : value; /* not -0.00 */
    if (isfinite(value))
        page_html(p, "%s%.*f", shown < 0 ? "−" : "", digits, fabs(shown));
    else
        page_html(p, isnan(value) ? "–" : value > 0 ? "∞" : "−∞");
}

void page_estimate(page *p, lt_estimate e, int digits)
{
    page_html(p, "<td class=\"number\">");
    page_number(p, e.value, digits);
    if (isfinite(e.value) && isfinite(e.se))
        page_html(p, " ± %.*f", digits, e.se);
    page_html(p, "</td>");
}

/* ---- Files inside ---- */

static void put_base64(page *p, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        size_t have = n - i < 3 ? n - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= have > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= have > 2 ? (uint32_t)bytes[i + 2] : 0;
        for (size_t k = 0; k < 4; k++)
            fputc(k <= have ? digits[group >> (18 - 6 * k) & 63] : '=', p->to);
    }
}

const char *page_scratch(page *p, const char *end, char path[300])
{
    snprintf(path, 300, "%s/picture%s", p->scratch, end);
    return path;
}

/* Goes through the file by pieces of whole groups of three bytes. */
int page_image(page *p, const char *kind, const char *path, const char *alt)
{
    static unsigned char bytes[3 << 14];
    size_t length = strlen(path), n;
    bool is_svg = length > 4 && strcmp(path + length - 4, ".svg") == 0;
    FILE *file = fopen(path, "rb");
    if (!file)
        return LT_IO;
    page_html(p, "<img class=\"%s\" alt=\"", kind);
    escape(p, alt);
    page_html(p, "\" src=\"data:image/%s;base64,", is_svg ? "svg+xml" : "png");
    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
        put_base64(p, bytes, n);
    page_html(p, "\">\n");
    int status = ferror(file) ? LT_IO : LT_OK;
    fclose(file);
    return status;
}

void page_download(page *p, const char *name, const char *text)
{
    page_html(p, "<a download=\"");
    escape(p, name);
    page_html(p, "\" href=\"data:text/plain;charset=utf-8;base64,");
    put_base64(p, (const unsigned char *)text, strlen(text));
    page_html(p, "\">");
    escape(p, name);
    page_html(p, "</a>");
}

/* ---- The page ---- */

static bool make_scratch(page *p, const command *c)
{
    const char *place = getenv("TMPDIR");
    int n = snprintf(p->scratch, sizeof p->scratch, "%s/latent-report-XXXXXX",
                     place && *place ? place : "/tmp");
    if (n < (int)sizeof p->scratch && mkdtemp(p->scratch))
        return true;
    complain(c, CODE_FAILED, "no directory for pictures in %s: %s", place && *place ? place : "/tmp",
             strerror(errno));
    p->scratch[0] = 0;
    return false;
}

bool page_begin(page *p, const command *c, const char *title, const char *summary)
{
    *p = (page){.to = NULL};
    if (!make_scratch(p, c))
        return false;
    p->to = open_memstream(&p->text, &p->size);
    if (!p->to) {
        complain(c, CODE_FAILED, "out of memory for a page");
        return false;
    }
    page_html(p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                 "<meta name=\"generator\" content=\"latent %s\">\n"
                 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                 "img-src data:; style-src 'unsafe-inline'\">\n"
                 "<link rel=\"icon\" href=\"data:,\">\n<title>", lt_version());
    escape(p, title);
    page_html(p, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n<h1>", report_style);
    escape(p, title);
    page_html(p, "</h1>\n");
    if (summary && *summary) {
        page_html(p, "<p class=\"summary\">");
        escape(p, summary);
        page_html(p, "</p>\n");
    }
    return true;
}

/* Beside its place first, so that a reader sees the old page or the new one. */
static bool write_whole(const char *path, const char *text, size_t size)
{
    char *beside = plot_room(strlen(path) + 16, 1);
    sprintf(beside, "%s.XXXXXX", path);
    int fd = mkstemp(beside);
    mode_t mask = umask(0);
    umask(mask);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    bool is_written = file && fwrite(text, 1, size, file) == size && fflush(file) == 0 &&
                      fchmod(fd, 0666 & ~mask) == 0 && fsync(fd) == 0;
    int error = errno;
    if (file && fclose(file) != 0 && is_written) {
        is_written = false;
        error = errno;
    }
    if (is_written && rename(beside, path) != 0) {
        is_written = false;
        error = errno;
    }
    if (!is_written && fd >= 0)
        unlink(beside);
    free(beside);
    errno = error;
    return is_written;
}

int page_end(page *p, const command *c, const char *path)
{
    page_html(p, "<footer>Made by <code>latent report</code>, version %s. This page holds all that it "
                 "shows and asks nobody for anything.</footer>\n</body>\n</html>\n", lt_version());
    bool is_whole = fclose(p->to) == 0;
    p->to = NULL;
    if (!is_whole)
        return complain(c, CODE_FAILED, "out of memory for a page");
    if (!write_whole(path, p->text, p->size))
        return complain(c, CODE_FAILED, "%s: %s", path, strerror(errno));
    return CODE_DONE;
}

void page_clear(page *p)
{
    static const char *const ends[] = {".png", ".svg"};
    char path[300];
    if (p->to)
        fclose(p->to);
    free(p->text);
    for (int i = 0; i < 2 && p->scratch[0]; i++)
        unlink(page_scratch(p, ends[i], path));
    if (p->scratch[0])
        rmdir(p->scratch);
    *p = (page){.to = NULL};
}
