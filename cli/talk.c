/* SPDX-License-Identifier: MIT */
/* How the tool speaks: messages, help text, the line at the foot of a terminal, JSON. */
#include "cli.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_WIDTH = 79, NAME_SIZE = 64, MIN_BAR = 4, MAX_BAR = 20 };

/* ---- Messages ---- */

/* What stands on the last line of the terminal now; every message takes its place. */
static meter *meter_shown;

void say(const char *format, ...)
{
    va_list values;
    meter_clear(meter_shown);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
}

int complain(const command *c, int code, const char *format, ...)
{
    va_list values;
    meter_clear(meter_shown);
    fprintf(stderr, "latent%s%s: ", c ? " " : "", c ? c->name : "");
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    return code;
}

int complain_library(const command *c, int status)
{
    if (status == LT_INTERRUPTED)
        return complain(c, stop_code(), "stopped");
    const char *text = lt_last_error();
    return complain(c, CODE_FAILED, "%s", text[0] ? text : lt_status_text(status));
}

/* One paragraph line of at most PAGE_WIDTH columns; `column` is where the text begins. */
static void wrap_line(FILE *to, int indent, bool is_indented, const char *text, size_t size)
{
    int column = indent;
    if (!is_indented)
        fprintf(to, "%*s", indent, "");
    for (size_t i = 0; i < size;) {
        size_t word = 0;
        while (i + word < size && text[i + word] != ' ')
            word++;
        if (column > indent && column + 1 + (int)word > PAGE_WIDTH) {
            fprintf(to, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', to);
            column++;
        }
        fwrite(text + i, 1, word, to);
        column += (int)word;
        i += word;
        while (i < size && text[i] == ' ')
            i++;
    }
    fputc('\n', to);
}

/* A negative indent means that the first line has been indented already. */
void print_wrapped(FILE *to, int indent, const char *text)
{
    bool is_indented = indent < 0;
    while (*text) {
        size_t size = strcspn(text, "\n");
        if (text[0] == ' ' || size == 0)
            fprintf(to, "%.*s\n", (int)size, text);
        else
            wrap_line(to, abs(indent), is_indented, text, size);
        is_indented = false;
        text += size + (text[size] == '\n');
    }
}

/* ---- Names ---- */

const char *suggestion(const char *word, const char *const *names)
{
    static char text[NAME_SIZE + 32];
    const char *name = lt_nearest(word, names);
    text[0] = 0;
    if (name)
        snprintf(text, sizeof text, "; did you mean '%s'?", name);
    return text;
}

/* ---- Time and the meter ---- */

double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const char *time_text(double seconds, char text[32])
{
    int64_t whole = (int64_t)(seconds + 0.5);
    if (seconds < 59.95)
        snprintf(text, 32, "%.1f s", seconds);
    else if (whole < 3600)
        snprintf(text, 32, "%d min %02d s", (int)(whole / 60), (int)(whole % 60));
    else
        snprintf(text, 32, "%d h %02d min", (int)(whole / 3600), (int)(whole / 60 % 60));
    return text;
}

const char *left_text(double seconds, char text[32])
{
    if (seconds < 99.5)
        snprintf(text, 32, "%.0f s left", seconds);
    else if (seconds < 99.5 * 60)
        snprintf(text, 32, "%.0f min left", seconds / 60);
    else
        snprintf(text, 32, "%.0f h left", fmin(seconds / 3600, 99999));
    return text;
}

void meter_begin(meter *m)
{
    *m = (meter){.is_terminal = isatty(STDERR_FILENO) != 0};
}

bool meter_is_due(const meter *m)
{
    return m->is_terminal && now_seconds() - m->last > 0.1;
}

static int terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* Drops parts of `words`, which two spaces divide, from the end until the rest fits into `room`
   columns; the first part stays. */
static void drop_parts(char *words, int room)
{
    char *last = words;
    while ((int)strlen(words) > room && last) {
        last = NULL;
        for (char *part = words; (part = strstr(part, "  ")); part += 2)
            last = part;
        if (last)
            *last = 0;
    }
}

/* "[#####.....] " in at most `room` columns, or nothing. */
static void draw_bar(char *bar, double done, int room)
{
    int columns = room - 3 < MAX_BAR ? room - 3 : MAX_BAR;
    int full = (int)(columns * fmin(fmax(done, 0), 1));
    bar[0] = 0;
    if (columns < MIN_BAR)
        return;
    memset(bar, '.', (size_t)columns + 1);
    bar[0] = '[';
    memset(bar + 1, '#', (size_t)full);
    strcpy(bar + 1 + columns, "] ");
}

void meter_draw(meter *m, double done, const char *format, ...)
{
    if (!m->is_terminal)
        return;
    char words[256], bar[MAX_BAR + 8];
    va_list values;
    va_start(values, format);
    vsnprintf(words, sizeof words, format, values);
    va_end(values);
    int limit = terminal_width() - 1; /* the last column would wrap */
    drop_parts(words, limit);
    int room = limit - (int)strlen(words);
    m->room = m->width > 0 && m->room < room ? m->room : room; /* a bar that grows would flicker */
    draw_bar(bar, done, m->room);
    int width = (int)(strlen(bar) + strlen(words));
    width = width < limit ? width : limit;
    fprintf(stderr, "\r%s%.*s%*s", bar, width - (int)strlen(bar), words,
            m->width > width ? m->width - width : 0, "");
    fflush(stderr);
    m->width = width;
    m->last = now_seconds();
    meter_shown = m;
}

void meter_clear(meter *m)
{
    if (!m)
        return;
    if (m->is_terminal && m->width > 0)
        fprintf(stderr, "\r%*s\r", m->width, "");
    m->width = 0;
    if (meter_shown == m)
        meter_shown = NULL;
}

/* ---- JSON ---- */

json_t *json_number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

json_t *json_estimate(lt_estimate e)
{
    return json_pack("{s:o, s:o}", "value", json_number(e.value), "se", json_number(e.se));
}

void print_json(json_t *object)
{
    char *text = json_dumps(object, JSON_REAL_PRECISION(9));
    puts(text ? text : "null");
    free(text);
    json_decref(object);
}

void add_words(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list values;
    va_start(values, format);
    vsnprintf(text + used, size - used, format, values);
    va_end(values);
}
