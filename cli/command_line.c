/* SPDX-License-Identifier: MIT */
/* Command lines: popt splits them, a table of flags gives them meaning and makes the help. */
#include "cli.h"

#include <popt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const executor_names[] = {"cpu", "reference", NULL};
const char *const split_names[] = {"train", "valid", "test", NULL};

enum { MAX_FLAGS = 24 /* up to 32, bits of `given` */, HELP_VALUE = 1000, TEXT_COLUMN = 26 };

/* ---- The help screen ---- */

static void print_flag(FILE *to, const flag *f)
{
    char left[64];
    int n = f->letter ? snprintf(left, sizeof left, "  -%c, --%s", f->letter, f->name)
                      : snprintf(left, sizeof left, "      --%s", f->name);
    if (f->operand && n > 0 && (size_t)n < sizeof left)
        snprintf(left + n, sizeof left - (size_t)n, " %s", f->operand);
    fprintf(to, "%-*s", TEXT_COLUMN, left);
    if (strlen(left) >= TEXT_COLUMN)
        fprintf(to, "\n%*s", TEXT_COLUMN, "");
    print_wrapped(to, -TEXT_COLUMN, f->help);
}

static void print_help(FILE *to, const command *c, const flag *flags)
{
    static const flag help = {"help", 'h', FLAG_SWITCH, NULL, NULL, "show this", 0, 0, NULL};
    print_heading("latent %s", c->name);
    fprintf(to, " - %s\n\n", c->summary);
    print_heading("Usage:");
    fprintf(to, " latent %s%s%s\n\n", c->name, c->operands[0] ? " " : "", c->operands);
    print_wrapped(to, 0, c->about);
    putc('\n', to);
    print_heading("Options:");
    putc('\n', to);
    for (const flag *f = flags; f->name; f++)
        print_flag(to, f);
    print_flag(to, &help);
    if (c->examples[0]) {
        putc('\n', to);
        print_heading("Examples:");
        fprintf(to, "\n%s", c->examples);
    }
}

/* ---- Values ---- */

static bool store_count(const command *c, const flag *f, const char *word)
{
    int64_t n;
    if (!lt_read_integer(word, &n) || n < f->min || n > f->max) {
        if (f->max == INT64_MAX)
            complain(c, CODE_USAGE, "--%s: expected a whole number from %lld up, found '%s'",
                     f->name, (long long)f->min, word);
        else
            complain(c, CODE_USAGE, "--%s: expected a whole number from %lld to %lld, found '%s'",
                     f->name, (long long)f->min, (long long)f->max, word);
        return false;
    }
    *(int64_t *)f->value = n;
    return true;
}

/* An empty word is a slip of the shell, such as an unset variable. */
static bool store_text(const command *c, const flag *f, const char *word)
{
    if (!*word) {
        complain(c, CODE_USAGE, "--%s: expected %s, found nothing", f->name, f->operand);
        return false;
    }
    *(const char **)f->value = word;
    return true;
}

static bool store_output(const command *c, const flag *f, const char *word)
{
    struct stat s;
    if (stat(word, &s) == 0 && !S_ISREG(s.st_mode)) {
        complain(c, CODE_USAGE, "--%s: %s is not a regular file", f->name, word);
        return false;
    }
    return store_text(c, f, word);
}

static bool store_picture(const command *c, const flag *f, const char *word)
{
    bool is_chart = f->kind == FLAG_CHART, is_many = !is_chart && lt_is_numbered(word);
    if (!store_output(c, f, word))
        return false;
    int status = is_chart  ? lt_chart_check_name(word)
                 : is_many ? lt_numbered_check_name(word)
                           : is_npy(word) ? LT_OK : lt_picture_check_name(word);
    if (status == LT_OK)
        return true;
    complain(c, CODE_USAGE, "--%s: %s%s", f->name, lt_last_error(),
             is_chart || is_many ? "" : ", numbers as .npy, one file for each image as img-%04d.png");
    return false;
}

static bool store_choice(const command *c, const flag *f, const char *word)
{
    for (int i = 0; f->choices[i]; i++)
        if (strcmp(word, f->choices[i]) == 0) {
            *(int *)f->value = i;
            return true;
        }
    char list[256] = "";
    for (int i = 0; f->choices[i]; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", f->choices[i]);
    }
    complain(c, CODE_USAGE, "--%s: expected one of %s, found '%s'%s", f->name, list, word,
             suggestion(word, f->choices));
    return false;
}

static bool store_item(const command *c, const flag *f, const char *word)
{
    text_list *list = f->value;
    if (list->n == (int)(sizeof list->item / sizeof list->item[0])) {
        complain(c, CODE_USAGE, "--%s: given more than %d times", f->name, list->n);
        return false;
    }
    list->item[list->n++] = word;
    return true;
}

/* `word` is NULL for a switch. */
static bool store(const command *c, const flag *f, const char *word)
{
    switch (f->kind) {
    case FLAG_SWITCH: *(bool *)f->value = true; return true;
    case FLAG_TEXT: return store_text(c, f, word);
    case FLAG_OUTPUT: return store_output(c, f, word);
    case FLAG_CHART:
    case FLAG_IMAGES: return store_picture(c, f, word);
    case FLAG_COUNT: return store_count(c, f, word);
    case FLAG_CHOICE: return store_choice(c, f, word);
    case FLAG_LIST: return store_item(c, f, word);
    }
    return false;
}

/* ---- Reading ---- */

/* Rows for popt; the value of a row is its place in `flags` plus one, since 0 means "no value". */
static void fill_popt(const flag *flags, struct poptOption *rows)
{
    int n = 0;
    for (; flags[n].name; n++) {
        const flag *f = &flags[n];
        rows[n] = (struct poptOption){
            .longName = f->name, .shortName = f->letter, .val = n + 1,
            .argInfo = f->kind == FLAG_SWITCH ? POPT_ARG_NONE : POPT_ARG_STRING};
    }
    rows[n++] = (struct poptOption){.longName = "help", .shortName = 'h', .val = HELP_VALUE};
    rows[n] = (struct poptOption){.longName = NULL};
}

static void complain_option(const command *c, const flag *flags, poptContext context, int error)
{
    const char *names[MAX_FLAGS + 2];
    int n = 0;
    for (; flags[n].name; n++)
        names[n] = flags[n].name;
    names[n++] = "help";
    names[n] = NULL;
    const char *bad = poptBadOption(context, POPT_BADOPTION_NOALIAS);
    if (error == POPT_ERROR_BADOPT)
        complain(c, CODE_USAGE, "unknown option %s%s (see: latent help %s)", bad,
                 strncmp(bad, "--", 2) == 0 ? suggestion(bad + 2, names) : "", c->name);
    else
        complain(c, CODE_USAGE, "%s: %s", bad, poptStrerror(error));
}

static bool read_flags(const command *c, const flag *flags, command_line *line)
{
    int value;
    while ((value = poptGetNextOpt(line->context)) >= 0) {
        if (value == HELP_VALUE) {
            print_help(stdout, c, flags);
            line->code = CODE_DONE;
            return false;
        }
        const flag *f = &flags[value - 1];
        char *word = f->kind == FLAG_SWITCH ? NULL : poptGetOptArg(line->context);
        if (word) {
            if (line->n_owned == (int)(sizeof line->owned / sizeof line->owned[0])) {
                free(word);
                complain(c, CODE_USAGE, "more than %d options", line->n_owned);
                return false;
            }
            line->owned[line->n_owned++] = word;
        }
        if (!store(c, f, word))
            return false;
        line->given |= (uint32_t)1 << (value - 1);
    }
    if (value < -1) {
        complain_option(c, flags, line->context, value);
        return false;
    }
    return true;
}

static bool read_operands(const command *c, command_line *line)
{
    line->operand = poptGetArgs(line->context);
    for (line->n = 0; line->operand && line->operand[line->n];)
        line->n++;
    if (line->n < c->min_operands)
        complain(c, CODE_USAGE, "too few operands; usage: latent %s %s", c->name, c->operands);
    else if (line->n > c->max_operands)
        complain(c, CODE_USAGE, "'%s' is one operand too many; usage: latent %s %s",
                 line->operand[c->max_operands], c->name, c->operands);
    bool fits = line->n >= c->min_operands && line->n <= c->max_operands;
    for (int i = 0; i < line->n && fits; i++)
        if (!*line->operand[i]) {
            complain(c, CODE_USAGE, "operand %d is empty; usage: latent %s %s", i + 1, c->name,
                     c->operands);
            fits = false;
        }
    return fits;
}

bool command_line_read(const command *c, const flag *flags, int argc, const char **argv,
                       command_line *line)
{
    struct poptOption rows[MAX_FLAGS + 2];
    fill_popt(flags, rows);
    *line = (command_line){.code = CODE_USAGE, .flags = flags};
    line->context = poptGetContext(NULL, argc, argv, rows, 0);
    bool is_read = read_flags(c, flags, line) && read_operands(c, line);
    if (flag_is_given(line, "split"))
        warnings_repeat();
    if (is_read)
        return true;
    command_line_clear(line);
    return false;
}

void command_line_clear(command_line *line)
{
    poptFreeContext(line->context);
    for (int i = 0; i < line->n_owned; i++)
        free(line->owned[i]);
    line->context = NULL;
    line->n_owned = 0;
}

/* ---- What was given ---- */

bool flag_is_given(const command_line *line, const char *name)
{
    for (int i = 0; line && line->flags[i].name; i++)
        if (strcmp(line->flags[i].name, name) == 0)
            return line->given >> i & 1;
    return false;
}

bool is_listed(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at++)
        if ((at == words || at[-1] == ' ') && (at[n] == 0 || at[n] == ' '))
            return true;
    return false;
}

int refuse_flags(const command *c, const command_line *line, const char *names, const char *why,
                 ...)
{
    for (int i = 0; line && line->flags[i].name; i++) {
        if (!(line->given >> i & 1) || !is_listed(names, line->flags[i].name))
            continue;
        char reason[512];
        va_list values;
        va_start(values, why);
        vsnprintf(reason, sizeof reason, why, values);
        va_end(values);
        return complain(c, CODE_USAGE, "--%s %s", line->flags[i].name, reason);
    }
    return CODE_DONE;
}
