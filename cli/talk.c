/* SPDX-License-Identifier: MIT */
/* Output: messages, help text, the progress line, JSON. */
#define _GNU_SOURCE /* fopencookie */
#include "layout.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { NAME_SIZE = 64, MIN_BAR = 10, MAX_BAR = 20 };
#define END_STYLE "\033[0m"

/* ---- Messages ---- */

/* The meter on the last line of the terminal; messages overwrite it. */
static meter *meter_shown;

/* Writes everything, even if handlers interrupt; what cannot be written is lost, as with stderr. */
static bool write_whole(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text += n;
        size -= (size_t)n;
    }
    return true;
}

/* Returns the bytes of the prefix of a message, "warning:", and its style. */
static size_t count_kind(const char *text, text_style *style)
{
    static const char warning[] = "warning:";
    size_t lead = strspn(text, " ");
    if (strncmp(text + lead, warning, strlen(warning)) != 0)
        return 0;
    *style = STYLE_WARNING;
    return lead + strlen(warning);
}

/* Writes a text as lines on stderr, in a single write if memory allows; the first `styled` bytes in color. */
static void write_message(text_style style, size_t styled, const char *text, size_t size, int width)
{
    lines_buffer whole = {.text = NULL}, laid = {.text = NULL};
    if (styled == 0)
        styled = count_kind(text, &style);
    bool is_styled = style != STYLE_PLAIN && has_color(STDERR_FILENO);
    if (is_styled) {
        lines_add(&whole, style_code(style), strlen(style_code(style)));
        lines_add(&whole, text, styled);
        lines_add(&whole, END_STYLE, strlen(END_STYLE));
    }
    lines_add(&whole, text + (is_styled ? styled : 0), size - (is_styled ? styled : 0));
    if (whole.text)
        lay_text(&laid, whole.text, whole.size, width);
    meter_clear(meter_shown);
    if (laid.text)
        write_whole(STDERR_FILENO, laid.text, laid.size);
    lines_clear(&whole);
    lines_clear(&laid);
}

/* `style` applies to `before`, or to everything if there is none; 0 columns: unlimited. */
static void write_line(text_style style, int width, const char *before, const char *format, va_list values)
{
    va_list again;
    va_copy(again, values);
    size_t start = strlen(before), size = start + lt_printable_format(NULL, 0, format, again) + 2;
    va_end(again);
    char *line = malloc(size);
    if (!line)
        return;
    memcpy(line, before, start);
    lt_printable_format(line + start, size - start, format, values);
    line[size - 2] = '\n';
    line[size - 1] = 0;
    write_message(style, start > 0 ? start : style != STYLE_PLAIN ? size - 2 : 0, line, size - 1,
                  width);
    free(line);
}

void say(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    write_line(STYLE_PLAIN, line_width(STDERR_FILENO), "", format, values);
    va_end(values);
}

void say_wrapped(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    write_line(STYLE_PLAIN, page_width(STDERR_FILENO), "", format, values);
    va_end(values);
}

void say_styled(text_style style, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    write_line(style, line_width(STDERR_FILENO), "", format, values);
    va_end(values);
}

int complain(const command *c, int code, const char *format, ...)
{
    char before[64];
    va_list values;
    snprintf(before, sizeof before, "latent%s%s: ", c ? " " : "", c ? c->name : "");
    va_start(values, format);
    write_line(STYLE_ERROR, line_width(STDERR_FILENO), before, format, values);
    va_end(values);
    return code;
}

/* Prints a text of the library, which is printable and may have several lines. */
static int complain_lines(const command *c, int code, const char *text)
{
    size_t size = strcspn(text, "\n");
    complain(c, code, "%.*s", (int)size, text);
    while (text[size]) {
        text += size + 1;
        size = strcspn(text, "\n");
        say("%.*s", (int)size, text);
    }
    return code;
}

int complain_library(const command *c, int status)
{
    if (status == LT_INTERRUPTED)
        return complain(c, stop_code(), "stopped");
    const char *text = lt_last_error();
    return complain_lines(c, CODE_FAILED, text[0] ? text : lt_status_text(status));
}

const char *shell(const char *path)
{
    enum { AT_ONCE = 8 };
    static char *words[AT_ONCE];
    static int next;
    size_t size = lt_shell_word(NULL, 0, path) + 1;
    char *word = malloc(size);
    if (!word)
        return path;
    lt_shell_word(word, size, path);
    free(words[next]);
    words[next] = word;
    next = (next + 1) % AT_ONCE;
    return word;
}

/* ---- Standard output ---- */

void print(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    size_t size = lt_printable_format(NULL, 0, format, values) + 1;
    va_end(values);
    char *text = malloc(size);
    va_start(values, format);
    if (text && lt_printable_format(text, size, format, values) < size)
        fputs(text, stdout);
    va_end(values);
    free(text);
}

void print_heading(const char *format, ...)
{
    va_list values;
    begin_style(STYLE_HEADING);
    va_start(values, format);
    vfprintf(stdout, format, values);
    va_end(values);
    end_style();
}

#ifdef __GLIBC__
/* The last printed bytes, if they are an incomplete character. */
static char begun[4];
static size_t n_begun;

/* Counts the last bytes that are the beginning of an incomplete character. */
static size_t count_begun(const char *text, size_t size)
{
    for (size_t n = 1; n <= 3 && n <= size; n++) {
        unsigned char byte = (unsigned char)text[size - n];
        size_t length = byte < 0xc0 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
        if (length > 0)
            return length > n ? n : 0;
        if (byte < 0x80)
            return 0;
    }
    return 0;
}

/* Printed but not yet written: the beginning of a line. */
static lines_buffer held;
static bool is_as_is;

/* Writes the first `size` held bytes. */
static bool write_held(size_t size)
{
    lines_buffer laid = {.text = NULL};
    int width = is_as_is ? 0 : line_width(STDOUT_FILENO);
    lay_text(&laid, held.text, size, width);
    bool is_written = size == 0 || (laid.text && write_whole(STDOUT_FILENO, laid.text, laid.size));
    lines_clear(&laid);
    memmove(held.text, held.text + size, held.size - size);
    held.size -= size;
    return is_written;
}

/* Adds complete characters to the held text, and writes its complete lines. */
static bool write_printable(const char *text, size_t size)
{
    size_t room = lt_printable(NULL, 0, text, size, true) + 1, before = held.size;
    char *shown = malloc(room);
    if (!shown)
        return false;
    lt_printable(shown, room, text, size, true);
    lines_add(&held, shown, room - 1);
    free(shown);
    const char *end = held.size > before ? memrchr(held.text, '\n', held.size) : NULL;
    return end ? write_held((size_t)(end - held.text) + 1) : true;
}

static ssize_t write_output(void *nothing, const char *text, size_t size)
{
    (void)nothing;
    char *all = malloc(n_begun + size);
    if (!all)
        return 0;
    memcpy(all, begun, n_begun);
    memcpy(all + n_begun, text, size);
    size_t whole = n_begun + size, open_end = count_begun(all, whole);
    whole -= open_end;
    bool is_written = write_printable(all, whole);
    memcpy(begun, all + whole, open_end);
    n_begun = open_end;
    free(all);
    return is_written ? (ssize_t)size : 0;
}

/* All output goes through here, so nothing from a file reaches a terminal as a control sequence. JSON keeps its
   meaning: only text between quotes is escaped. */
void open_output(void)
{
    FILE *to = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_output});
    if (!to)
        return;
    setvbuf(to, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, BUFSIZ);
    stdout = to;
}

bool flush_output(void)
{
    bool is_written = fflush(stdout) == 0 && !ferror(stdout);
    is_written &= n_begun == 0 || write_printable(begun, n_begun);
    n_begun = 0;
    is_written &= held.size == 0 || write_held(held.size);
    lines_clear(&held);
    return is_written;
}

/* A held line belongs to the earlier output. */
void print_as_is(bool is_so)
{
    fflush(stdout);
    is_as_is = is_so;
}

static void hold_code(const char *code)
{
    if (!*code || !has_color(STDOUT_FILENO))
        return;
    fflush(stdout);
    lines_add(&held, code, strlen(code));
}

void begin_style(text_style style) { hold_code(style_code(style)); }
void end_style(void) { hold_code(END_STYLE); }
#else
void open_output(void) {}
bool flush_output(void) { return fflush(stdout) == 0 && !ferror(stdout); }
void print_as_is(bool is_so) { (void)is_so; }
void begin_style(text_style style) { (void)style; }
void end_style(void) {}
#endif

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

/* Drops parts of `words`, separated by two spaces, from the end until the rest fits into `room` columns; keeps the
   first part. */
static void drop_parts(char *words, int room)
{
    char *last = words;
    while (text_columns(words, strlen(words)) > room && last) {
        last = NULL;
        for (char *part = words; (part = strstr(part, "  ")); part += 2)
            last = part;
        if (last)
            *last = 0;
    }
}

/* Truncates to `limit` columns at a character boundary. */
static void cut_columns(char *words, int limit)
{
    size_t size = strlen(words);
    while (size > 0 && text_columns(words, size) > limit)
        do
            size--;
        while (size > 0 && ((unsigned char)words[size] & 0xc0) == 0x80);
    words[size] = 0;
}

/* Draws "[=====>    ] " in at most `room` columns; nothing if there is only room for brackets. */
static void draw_bar(char *bar, double done, int room)
{
    int columns = room - 3 < MAX_BAR ? room - 3 : MAX_BAR;
    int full = (int)(columns * fmin(fmax(done, 0), 1));
    bar[0] = 0;
    if (columns < MIN_BAR)
        return;
    memset(bar, ' ', (size_t)columns + 1);
    bar[0] = '[';
    memset(bar + 1, '=', (size_t)full);
    if (full < columns)
        bar[1 + full] = '>';
    strcpy(bar + 1 + columns, "] ");
}

void meter_draw(meter *m, double done, const char *format, ...)
{
    if (!m->is_terminal)
        return;
    char words[256], bar[MAX_BAR + 8];
    va_list values;
    va_start(values, format);
    lt_printable_format(words, sizeof words, format, values);
    va_end(values);
    int limit = line_width(STDERR_FILENO) - 1; /* the last column would wrap */
    drop_parts(words, limit);
    cut_columns(words, limit);
    int columns = text_columns(words, strlen(words)), room = limit - columns;
    m->room = m->width > 0 && m->room < room ? m->room : room; /* a growing bar would flicker */
    draw_bar(bar, done, m->room);
    int width = (int)strlen(bar) + columns;
    fprintf(stderr, "\r%s%s%*s", bar, words, m->width > width ? m->width - width : 0, "");
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

json_t *json_text(const char *words)
{
    json_t *text = json_string(words);
    if (text)
        return text;
    size_t n = strlen(words), size = lt_printable(NULL, 0, words, n, false) + 1;
    char *shown = malloc(size);
    if (shown)
        lt_printable(shown, size, words, n, false);
    text = json_string(shown ? shown : "");
    free(shown);
    return text;
}

json_t *json_estimate(lt_estimate e)
{
    return json_pack("{s:o, s:o}", "value", json_number(e.value), "se", json_number(e.se));
}

void print_json_text(const char *text)
{
    print_as_is(true);
    puts(text);
    print_as_is(false);
}

void print_json(json_t *object)
{
    char *text = json_dumps(object, JSON_REAL_PRECISION(9));
    print_json_text(text ? text : "null");
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
