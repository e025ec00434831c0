/* SPDX-License-Identifier: MIT */
/* One word of a shell command, three ways: as it is; 'in quotes', where a quote becomes '\''; or, for what a
   terminal must not be given, $'\x1b' (bash, zsh, ksh, and POSIX since 2024). */
#include "base/shell.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

/* A text in `size` bytes, and the length that it would have. */
typedef struct room {
    char *to;
    size_t size, wanted;
} room;

static void put(room *r, const char *text)
{
    for (; *text; text++, r->wanted++)
        if (r->wanted + 1 < r->size)
            r->to[r->wanted] = *text;
}

static bool is_plain(const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
    return *word && word[strspn(word, safe)] == 0 && *word != '=';
}

/* Whether a word is safe on a terminal without escapes. */
static bool is_printable(const char *word)
{
    return lt_printable(NULL, 0, word, strlen(word), false) == strlen(word) && !strpbrk(word, "\n\t");
}

static void put_quoted(room *r, const char *word)
{
    put(r, "'");
    for (char c[2] = {0}; (c[0] = *word) != 0; word++)
        put(r, c[0] == '\'' ? "'\\''" : c);
    put(r, "'");
}

static void put_escaped(room *r, const char *word)
{
    put(r, "$'");
    for (; *word; word++) {
        unsigned char byte = (unsigned char)*word;
        char text[8];
        if (byte < 0x20 || byte >= 0x7f)
            snprintf(text, sizeof text, "\\x%02x", byte);
        else
            snprintf(text, sizeof text, "%s%c", byte == '\'' || byte == '\\' ? "\\" : "", byte);
        put(r, text);
    }
    put(r, "'");
}

size_t lt_shell_word(char *to, size_t size, const char *word)
{
    room r = {to, size, 0};
    if (*word == '-') /* would be an option */
        put(&r, "./");
    if (is_plain(word))
        put(&r, word);
    else if (is_printable(word))
        put_quoted(&r, word);
    else
        put_escaped(&r, word);
    if (size > 0)
        to[r.wanted < size ? r.wanted : size - 1] = 0;
    return r.wanted;
}

char *shell_word(const char *word)
{
    size_t size = lt_shell_word(NULL, 0, word) + 1;
    char *text = must_alloc(size);
    lt_shell_word(text, size, word);
    return text;
}
