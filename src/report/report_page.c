/* SPDX-License-Identifier: MIT */
/* HTML is collected in memory. */
#include "report/report_page.h"

#include "base/memory.h"
#include "base/shell.h"
#include "base/status.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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
    char *text = must_alloc((size_t)(n > 0 ? n : 0) + 1);
    vsnprintf(text, (size_t)(n > 0 ? n : 0) + 1, format, again);
    va_end(again);
    va_end(values);
    escape(p, text);
    free(text);
}

void page_word(page *p, const char *word)
{
    char *quoted = shell_word(word);
    escape(p, quoted);
    free(quoted);
}

void page_number(page *p, double value, int digits)
{
    double shown = lt_shown_number(value, digits);
    if (isfinite(value))
        page_html(p, "%s%.*f", shown < 0 ? "−" : "", digits, fabs(shown));
    else
        page_html(p, isnan(value) ? "–" : value > 0 ? "∞" : "−∞");
}

void page_estimate(page *p, lt_estimate e, int digits)
{
    char error[LT_ERROR_TEXT];
    page_html(p, "<td class=\"number\">");
    page_number(p, e.value, digits);
    if (isfinite(e.value) && isfinite(e.se))
        page_text(p, " ± %s", lt_shown_error(e.se, digits, error) + strlen("+- "));
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

void page_take_picture(page *p, unsigned char *bytes, size_t n)
{
    free(p->picture);
    p->picture = (char *)bytes;
    p->picture_size = n;
}

/* Four bytes of a PNG's head: its width is at 16, its height at 20. */
static uint32_t png_number(const page *p, size_t at)
{
    uint32_t n = 0;
    for (size_t i = at; i < at + 4 && i < p->picture_size; i++)
        n = n << 8 | (unsigned char)p->picture[i];
    return n;
}

int page_image(page *p, const char *kind, const char *format, double scale, const char *alt)
{
    if (!p->picture)
        return LT_IO;
    page_html(p, "<img class=\"%s\"", kind);
    if (scale > 0)
        page_html(p, " width=\"%.0f\" height=\"%.0f\"", scale * png_number(p, 16), scale * png_number(p, 20));
    page_html(p, " alt=\"");
    escape(p, alt);
    page_html(p, "\" src=\"data:image/%s;base64,", strcmp(format, "svg") == 0 ? "svg+xml" : "png");
    put_base64(p, (const unsigned char *)p->picture, p->picture_size);
    page_html(p, "\">\n");
    free(p->picture);
    p->picture = NULL;
    return LT_OK;
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

int page_begin(page *p, const char *title, const char *summary)
{
    *p = (page){.to = NULL};
    p->to = open_memstream(&p->text, &p->size);
    if (!p->to)
        return status_fail(LT_NO_MEMORY, "out of memory for a page");
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
    return LT_OK;
}

int page_end(page *p, unsigned char **bytes, size_t *n)
{
    page_html(p, "<footer>Made by <code>latent report</code>, version %s. This page is complete: it loads nothing "
                 "from elsewhere.</footer>\n</body>\n</html>\n", lt_version());
    bool is_whole = fclose(p->to) == 0;
    p->to = NULL;
    if (!is_whole)
        return status_fail(LT_NO_MEMORY, "out of memory for a page");
    *bytes = (unsigned char *)p->text;
    *n = p->size;
    p->text = NULL;
    return LT_OK;
}

void page_clear(page *p)
{
    if (p->to)
        fclose(p->to);
    free(p->text);
    free(p->picture);
    *p = (page){.to = NULL};
}
