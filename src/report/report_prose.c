/* SPDX-License-Identifier: MIT */
/* Sentences with formulas, as the library writes them for any terminal, set as HTML: variables slanted, "beta x
   rate" with a letter and a sign of its own, "z2" with an index. */
#include "report/report_page.h"

#include <ctype.h>
#include <string.h>

/* What has been set last decides what comes next. */
typedef struct setting {
    page *p;
    const char *begin, *at;
    bool is_factor; /* a number or a letter: " x " behind it is a product */
} setting;

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

static bool begins(const setting *s, const char *words) { return strncmp(s->at, words, strlen(words)) == 0; }

static char before(const setting *s) { return s->at > s->begin ? s->at[-1] : ' '; }

static const char *greek(const char *word, size_t n)
{
    static const char *const letters[][2] = {{"alpha", "α"}, {"beta", "β"},   {"gamma", "γ"},
                                             {"lambda", "λ"}, {"pi", "π"},    {"sigma", "σ"}, {"theta", "θ"}};
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (strlen(letters[i][0]) == n && strncmp(word, letters[i][0], n) == 0)
            return letters[i][1];
    return NULL;
}

/* A letter that stands for something: not the article, and I only as the matrix of N(0, I). */
static bool is_variable(char letter, char after)
{
    return strchr("CDEGKLNSTpquvwxyz", letter) || (letter == 'I' && after == ')');
}

/* "z2", "L_5": how many bytes of the word are the letter; 0: it is none of these. */
static size_t count_name(const char *word, size_t n)
{
    size_t digits = 1 + (n > 1 && word[1] == '_');
    if (n <= digits || (digits == 1 && !strchr("zL", word[0])) || !isalpha((unsigned char)word[0]))
        return 0;
    for (size_t i = digits; i < n; i++)
        if (!isdigit((unsigned char)word[i]))
            return 0;
    return digits;
}

static void put_word(setting *s, size_t n)
{
    const char *letter = greek(s->at, n);
    size_t name = count_name(s->at, n);
    bool is_number = isdigit((unsigned char)s->at[0]);
    bool is_product = n == 1 && *s->at == 'x' && s->is_factor && before(s) == ' ' && s->at[1] == ' ';
    bool is_sum = n == 3 && begins(s, "sum (");
    if (is_product || is_sum)
        page_html(s->p, is_sum ? "∑" : "×");
    else if (letter)
        page_html(s->p, "<i>%s</i>", letter);
    else if (name > 0)
        page_html(s->p, "<i>%c</i><sub>%.*s</sub>", s->at[0], (int)(n - name), s->at + name);
    else if (n == 1 && is_variable(*s->at, s->at[1]))
        page_html(s->p, "<i>%c</i>", *s->at);
    else
        page_text(s->p, "%.*s", (int)n, s->at);
    s->is_factor = is_number || letter;
    s->at += n;
}

static size_t count_word(const setting *s)
{
    size_t n = 0;
    while (is_word(s->at[n]))
        n++;
    return n;
}

/* "(p(z) / q(z|x))^beta". */
static void put_power(setting *s)
{
    s->at++;
    page_html(s->p, "<sup>");
    put_word(s, count_word(s));
    page_html(s->p, "</sup>");
}

/* A sign in two characters; false: there is none. */
static bool put_sign(setting *s)
{
    static const char *const signs[][2] = {{"||", "‖"}, {"<=", "≤"}, {">=", "≥"}, {"+-", "±"}, {"->", "→"}};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (begins(s, signs[i][0])) {
            page_html(s->p, "%s", signs[i][1]);
            s->at += strlen(signs[i][0]);
            return true;
        }
    return false;
}

/* What is not a hyphen: "-log p", " - ". */
static bool is_minus(const setting *s)
{
    return *s->at == '-' && strchr(" (=|", before(s)) && (is_word(s->at[1]) || s->at[1] == ' ');
}

static void put_piece(setting *s)
{
    size_t n = count_word(s);
    if (n > 0) {
        put_word(s, n);
        return;
    }
    if (*s->at == '^' && is_word(s->at[1])) {
        put_power(s);
        return;
    }
    if (put_sign(s))
        return;
    if (*s->at != ' ')
        s->is_factor = false;
    n = 1;
    while (((unsigned char)s->at[n] & 0xc0) == 0x80) /* the rest of its character */
        n++;
    if (is_minus(s))
        page_html(s->p, "−");
    else
        page_text(s->p, "%.*s", (int)n, s->at);
    s->at += n;
}

void page_prose(page *p, const char *text)
{
    setting s = {.p = p, .begin = text, .at = text};
    while (*s.at) {
        if (*s.at != '`') {
            put_piece(&s);
            continue;
        }
        size_t n = strcspn(s.at + 1, "`");
        page_html(p, "<code>");
        page_text(p, "%.*s", (int)n, s.at + 1);
        page_html(p, "</code>");
        s.at += 1 + n + (s.at[1 + n] == '`');
    }
}
