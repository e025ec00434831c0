/* SPDX-License-Identifier: MIT */
/* Line layout: width of text, line breaks, indent of continued lines, color. All output of the tool passes
   through here. */
#include "layout.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PAGE = 80, MIN_WIDTH = 20, MAX_WIDTH = 10000, LOOSE_INDENT = 2 };

/* ---- How wide ---- */

int line_width(int fd)
{
    const char *columns = getenv("COLUMNS");
    int64_t asked;
    struct winsize size;
    if (columns && lt_read_integer(columns, &asked) && asked > 0)
        return asked < MIN_WIDTH ? MIN_WIDTH : asked < MAX_WIDTH ? (int)asked : MAX_WIDTH;
    if (!isatty(fd))
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return PAGE;
    return size.ws_col < MIN_WIDTH ? MIN_WIDTH : size.ws_col;
}

int page_width(int fd)
{
    int width = line_width(fd);
    return width > 0 && width < PAGE ? width : PAGE;
}

/* Columns of a character on a terminal, by the ranges of Unicode that are not 1 wide. */
static int character_columns(uint32_t code)
{
    static const struct {
        uint32_t first, last;
        int columns;
    } ranges[] = {
        {0x0300, 0x036f, 0},   {0x0483, 0x0489, 0},   {0x1100, 0x115f, 2},   {0x1ab0, 0x1aff, 0},
        {0x200b, 0x200f, 0},   {0x20d0, 0x20ff, 0},   {0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},
        {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},   {0xfe30, 0xfe6f, 2},
        {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return ranges[i].columns;
    return 1;
}

/* Returns the bytes of the character at `s`, where n > 0 bytes are available, and its code. */
static size_t read_character(const unsigned char *s, size_t n, uint32_t *code)
{
    size_t size = s[0] < 0xc0 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    size = size < n ? size : n;
    *code = size == 1 ? s[0] : s[0] & (0x7fU >> size);
    for (size_t i = 1; i < size; i++)
        *code = *code << 6 | (s[i] & 0x3f);
    return size;
}

/* Returns the bytes of a color sequence at `s`, ESC [ ... m; 0: none. */
static size_t color_size(const char *s, size_t n)
{
    size_t i = 2;
    if (n < 3 || s[0] != '\033' || s[1] != '[')
        return 0;
    while (i < n && s[i] != 'm')
        i++;
    return i < n ? i + 1 : 0;
}

int text_columns(const char *text, size_t n)
{
    int columns = 0;
    for (size_t i = 0; i < n;) {
        uint32_t code;
        size_t color = color_size(text + i, n - i);
        if (color > 0) {
            i += color;
            continue;
        }
        i += read_character((const unsigned char *)text + i, n - i, &code);
        columns += character_columns(code);
    }
    return columns;
}

/* ---- Where it breaks ---- */

void lines_add(lines_buffer *t, const char *bytes, size_t n)
{
    if (t->size + n + 1 > t->room) {
        size_t room = 2 * (t->size + n + 1);
        char *more = realloc(t->text, room);
        if (!more)
            return; /* like stderr, output that cannot be written is lost */
        t->text = more;
        t->room = room;
    }
    memcpy(t->text + t->size, bytes, n);
    t->size += n;
    t->text[t->size] = 0;
}

void lines_clear(lines_buffer *t)
{
    free(t->text);
    *t = (lines_buffer){.text = NULL};
}

static void add_spaces(lines_buffer *t, int n)
{
    while (n-- > 0)
        lines_add(t, " ", 1);
}

/* Lays out the words of a line from `column` on, breaking before a word that would exceed `width`. A wider word is
   not broken: it is a path or an address, to be copied. */
static void lay_words(lines_buffer *to, const char *text, size_t n, int column, int indent, int loose,
                      int width)
{
    bool is_first = true;
    for (size_t i = 0; i < n;) {
        size_t gap = 0, word = 0;
        while (i + gap < n && text[i + gap] == ' ')
            gap++;
        while (i + gap + word < n && text[i + gap + word] != ' ')
            word++;
        int columns = text_columns(text + i + gap, word);
        if (!is_first && word > 0 && column + (int)gap + columns > width) {
            int at = column > indent ? indent : loose;
            lines_add(to, "\n", 1);
            add_spaces(to, at);
            column = at + columns;
        } else {
            lines_add(to, text + i, word > 0 ? gap : 0);
            column += (int)gap + columns;
        }
        lines_add(to, text + i + gap, word);
        i += gap + word;
        is_first = false;
    }
}

/* Finds the indent of a continued line: the last of its columns (separated by two spaces) that starts in its first
   part, else slightly right of its start. */
static int find_indent(const char *text, size_t n, int lead, int width)
{
    int indent = -1;
    for (size_t i = (size_t)lead; i + 2 < n; i++) {
        if (text[i] != ' ' || text[i + 1] != ' ')
            continue;
        while (i < n && text[i] == ' ')
            i++;
        int column = text_columns(text, i);
        if (i < n && column <= 5 * width / 8)
            indent = column;
    }
    return indent >= 0 ? indent : lead + LOOSE_INDENT;
}

static void lay_line(lines_buffer *to, const char *text, size_t n, int width)
{
    if (width <= 0 || text_columns(text, n) <= width) {
        lines_add(to, text, n);
        return;
    }
    int lead = 0;
    while ((size_t)lead < n && text[lead] == ' ')
        lead++;
    lay_words(to, text, n, 0, find_indent(text, n, lead, width), lead + LOOSE_INDENT, width);
}

void lay_text(lines_buffer *to, const char *text, size_t n, int width)
{
    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        size_t size = end ? (size_t)(end - text) : n;
        lay_line(to, text, size, width);
        if (end)
            lines_add(to, "\n", 1);
        size += end ? 1 : 0;
        text += size;
        n -= size;
    }
}

/* A negative indent: the first line is already indented. */
void print_wrapped(FILE *to, int indent, const char *text)
{
    lines_buffer all = {.text = NULL};
    int width = page_width(STDOUT_FILENO) - 1, column = abs(indent);
    bool is_indented = indent < 0;
    while (*text) {
        size_t size = strcspn(text, "\n");
        if (!is_indented && size > 0 && text[0] != ' ')
            add_spaces(&all, column);
        if (text[0] == ' ')
            lay_line(&all, text, size, width);
        else
            lay_words(&all, text, size, column, column, column, width);
        lines_add(&all, "\n", 1);
        is_indented = false;
        text += size + (text[size] == '\n');
    }
    if (all.text)
        fputs(all.text, to);
    lines_clear(&all);
}

/* ---- Tables ---- */

static int cell_columns(const char *cell) { return text_columns(cell, strlen(cell)); }

/* Returns how many columns from `first` on fit beside the names of the rows, at least one. */
static int count_fitting(const int *widths, int n, int first, int width)
{
    int k = 0, used = widths[0];
    while (first + k < n && (k == 0 || used + 2 + widths[first + k] <= width))
        used += 2 + widths[first + k++];
    return k;
}

static bool has_cell(const char *const *row, int first, int n)
{
    for (int j = first; j < first + n; j++)
        if (row[j][0])
            return true;
    return false;
}

/* Prints no trailing blanks. */
static void print_row(const char *const *row, const int *widths, const bool *is_left, int first, int n)
{
    int blanks = widths[0] - cell_columns(row[0]);
    print("%s", row[0]);
    if (blanks < 0) {
        putchar('\n');
        blanks = widths[0];
    }
    for (int j = first; j < first + n; j++) {
        int space = widths[j] - cell_columns(row[j]), before = is_left && is_left[j] ? 0 : space;
        blanks += 2 + before;
        if (row[j][0]) {
            printf("%*s", blanks, "");
            print("%s", row[j]);
            blanks = 0;
        } else {
            blanks += cell_columns(row[j]);
        }
        blanks += space - before;
    }
    putchar('\n');
}

static void print_block(const char *const *cells, int rows, int columns, const int *widths, const bool *is_left,
                        int first, int n)
{
    for (int i = 0; i < rows; i++) {
        const char *const *row = &cells[i * columns];
        if (i > 0 && !has_cell(row, first, n))
            continue;
        if (i == 0)
            begin_style(STYLE_HEADING);
        print_row(row, widths, is_left, first, n);
        if (i == 0)
            end_style();
    }
}

static void measure(const char *const *cells, int rows, int columns, const cells_look *look, int *widths)
{
    for (int j = 0; j < columns; j++)
        widths[j] = j == 0 ? look->name_least : look->cell_least;
    for (int i = 0; i < rows * columns; i++) {
        int *width = &widths[i % columns], here = cell_columns(cells[i]);
        *width = here > *width ? here : *width;
    }
    if (look->name_most > 0 && widths[0] > look->name_most)
        widths[0] = look->name_most;
}

void print_cells(const char *const *cells, int rows, int columns, const cells_look *look)
{
    static const cells_look plain;
    int *widths = calloc((size_t)columns, sizeof *widths), width = page_width(STDOUT_FILENO);
    if (!widths)
        return;
    look = look ? look : &plain;
    if (line_width(STDOUT_FILENO) > width)
        width = line_width(STDOUT_FILENO);
    measure(cells, rows, columns, look, widths);
    for (int first = 1, n; first < columns; first += n) {
        n = count_fitting(widths, columns, first, width);
        if (first > 1)
            putchar('\n');
        print_block(cells, rows, columns, widths, look->is_left, first, n);
    }
    free(widths);
}

/* ---- Color ---- */

bool has_color(int fd)
{
    const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(fd) && !(none && *none) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

const char *style_code(text_style style)
{
    static const char *const codes[] = {
        [STYLE_PLAIN] = "",          [STYLE_HEADING] = "\033[1m", [STYLE_ERROR] = "\033[1;31m",
        [STYLE_WARNING] = "\033[33m", [STYLE_GOOD] = "\033[32m"};
    return codes[style];
}
