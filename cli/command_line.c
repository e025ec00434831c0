/* SPDX-License-Identifier: MIT */
/* Command lines: popt splits them; a table of flags parses the values and generates the help. */
#include "cli.h"

#include <popt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

const char *const split_names[] = {"train", "valid", "test", NULL};

enum { MAX_FLAGS = 30 /* up to 32, bits of `given` */, HELP_VALUE = 1000, TEXT_COLUMN = 26 };

static const flag help_flag = {.name = "help", .letter = 'h', .kind = FLAG_SWITCH, .help = "show this"};

/* ---- Words ---- */

/* Formats "info show list" as "info, show and list", each after `before`; `last` is " and ". */
static void list_words(const char *words, const char *before, const char *last, char *to, size_t size)
{
    to[0] = 0;
    for (const char *at = words; *at;) {
        size_t n = strcspn(at, " ");
        bool is_last = !at[n];
        add_words(to, size, "%s%s%.*s", at == words ? "" : is_last ? last : ", ", before, (int)n, at);
        at += n + (is_last ? 0 : 1);
    }
}

/* Describes an option in a sentence: where it has an effect, and its meaning. */
static void flag_text(const flag *f, char *to, size_t size)
{
    char words[160];
    to[0] = 0;
    if (f->actions) {
        list_words(f->actions, "", " and ", words, sizeof words);
        add_words(to, size, "%s: ", words);
    }
    if (f->needs) {
        list_words(f->needs, "--", " or ", words, sizeof words);
        add_words(to, size, "with %s: ", words);
    }
    add_words(to, size, "%s", f->help);
    if (f->note)
        add_words(to, size, "; %s", f->note);
}

/* ---- The help screen ---- */

static void print_flag(FILE *to, const flag *f)
{
    char left[64], text[1024];
    int n = f->letter ? snprintf(left, sizeof left, "  -%c, --%s", f->letter, f->name)
                      : snprintf(left, sizeof left, "      --%s", f->name);
    if (f->operand && n > 0 && (size_t)n < sizeof left)
        snprintf(left + n, sizeof left - (size_t)n, " %s", f->operand);
    fprintf(to, "%-*s", TEXT_COLUMN, left);
    if (strlen(left) >= TEXT_COLUMN)
        fprintf(to, "\n%*s", TEXT_COLUMN, "");
    flag_text(f, text, sizeof text);
    print_wrapped(to, -TEXT_COLUMN, text);
}

static void print_help(FILE *to, const command *c, const flag *flags)
{
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
    print_flag(to, &help_flag);
    if (c->examples[0]) {
        putc('\n', to);
        print_heading("Examples:");
        fprintf(to, "\n%s", c->examples);
    }
}

/* ---- The table as JSON ---- */

static json_t **described; /* the result of command_json; NULL: not requested */

static json_t *flag_json(const flag *f)
{
    static const char *const kinds[] = {"switch", "text",  "output", "output", "output",
                                        "folder", "count", "choice", "list"};
    char letter[2] = {f->letter, 0};
    json_t *o = json_pack("{s:s, s:s?, s:s, s:s?, s:s, s:s?, s:s?, s:s?, s:s?, s:b}", "name", f->name,
                          "letter", f->letter ? letter : NULL, "kind", kinds[f->kind], "operand",
                          f->operand, "help", f->help, "note", f->note, "needs", f->needs, "clashes",
                          f->clashes, "actions", f->actions, "of_picture", f->is_of_picture);
    if (f->kind == FLAG_COUNT) {
        json_object_set_new(o, "min", json_integer((json_int_t)f->min));
        json_object_set_new(o, "max", json_integer((json_int_t)f->max));
    }
    const char *endings = f->kind == FLAG_CHART ? ".png" : f->kind == FLAG_IMAGES ? ".png .npy" : f->endings;
    if (endings)
        json_object_set_new(o, "endings", json_string(endings));
    json_t *choices = f->choices ? json_array() : NULL;
    for (int i = 0; f->choices && f->choices[i]; i++)
        json_array_append_new(choices, json_string(f->choices[i]));
    if (choices)
        json_object_set_new(o, "choices", choices);
    return o;
}

static json_t *describe(const command *c, const flag *flags)
{
    json_t *rows = json_array();
    for (const flag *f = flags; f->name; f++)
        json_array_append_new(rows, flag_json(f));
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:o}", "name", c->name, "summary", c->summary, "operands",
                     c->operands, "min_operands", c->min_operands, "max_operands", c->max_operands,
                     "options", rows);
}

/* The functions of the commands build their tables, so this calls them. */
json_t *command_json(const command *c)
{
    json_t *found = NULL;
    described = &found;
    c->run(c, 1, (const char *[]){c->name, NULL});
    described = NULL;
    return found;
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

/* An empty word is usually an unset shell variable. */
static bool store_text(const command *c, const flag *f, const char *word)
{
    if (!*word) {
        complain(c, CODE_USAGE, "--%s: expected %s, found nothing", f->name, f->operand);
        return false;
    }
    *(const char **)f->value = word;
    return true;
}

static bool store_picture(const command *c, const flag *f, const char *word)
{
    bool is_chart = f->kind == FLAG_CHART, is_many = !is_chart && lt_is_numbered(word);
    if (!store_text(c, f, word))
        return false;
    int status = is_chart  ? lt_chart_check_name(word)
                 : is_many ? lt_numbered_check_name(word)
                           : is_npy(word) ? LT_OK : lt_grid_check_name(word);
    if (status == LT_OK)
        return true;
    complain(c, CODE_USAGE, "--%s: %s%s", f->name, lt_last_error(),
             is_chart || is_many ? "" : ", .npy for an array, img-%04d.png for one file per image");
    return false;
}

static bool ends_in(const char *word, const char *end, size_t n)
{
    size_t size = strlen(word);
    return size > n && strncasecmp(word + size - n, end, n) == 0;
}

/* Stores a file name with one of the extensions in its row; "-" is stdout. */
static bool store_output(const command *c, const flag *f, const char *word)
{
    char list[160];
    bool is_good = !f->endings;
    for (const char *at = f->endings; at && *at;) {
        size_t n = strcspn(at, " ");
        is_good |= *at == '-'   ? strcmp(word, "-") == 0
                   : *at == '%' ? lt_is_numbered(word)
                                : ends_in(word, at, n);
        at += n + (at[n] == ' ');
    }
    if (!is_good && *word) {
        char ends[80];
        snprintf(ends, sizeof ends, "%.*s", (int)(strcspn(f->endings, "%") - (strchr(f->endings, '%') != NULL)),
                 f->endings);
        list_words(ends, "", " or ", list, sizeof list);
        complain(c, CODE_USAGE, "--%s: expected a name that ends in %s, found '%s'", f->name, list, word);
        return false;
    }
    return store_text(c, f, word);
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
    case FLAG_FOLDER:
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

/* Fills rows for popt; the value of a row is its index in `flags` plus one, since 0 means "no value". */
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
        complain(c, CODE_USAGE, "too many operands: '%s'; usage: latent %s %s",
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

/* ---- Before any work ---- */

/* "--stops goes with --walk". */
static bool has_company(const command *c, const command_line *line, const flag *f)
{
    char words[160];
    bool is_alone = f->needs != NULL;
    for (const flag *other = line->flags; other->name; other++) {
        bool is_given = other != f && flag_is_given(line, other->name);
        if (f->clashes && is_given && is_listed(f->clashes, other->name)) {
            complain(c, CODE_USAGE, "--%s does not go with --%s", f->name, other->name);
            return false;
        }
        is_alone &= !(f->needs && is_given && is_listed(f->needs, other->name));
    }
    if (!is_alone)
        return true;
    list_words(f->needs, "--", " or ", words, sizeof words);
    complain(c, CODE_USAGE, "--%s has no effect without %s", f->name, words);
    return false;
}

/* "--bins goes with histogram, not with curves". */
static bool suits_action(const command *c, const command_line *line, const flag *f)
{
    char words[160];
    const char *action = line->n > 0 ? line->operand[0] : NULL;
    if (!f->actions || (action && is_listed(f->actions, action)))
        return true;
    list_words(f->actions, "", " and ", words, sizeof words);
    if (action)
        complain(c, CODE_USAGE, "--%s goes with %s, not with %s", f->name, words, action);
    else
        complain(c, CODE_USAGE, "--%s goes with %s (usage: latent %s %s)", f->name, words, c->name,
                 c->operands);
    return false;
}

static const char *output_of(const flag *flags)
{
    for (const flag *f = flags; f->name; f++)
        if (strcmp(f->name, "output") == 0)
            return *(const char **)f->value;
    return NULL;
}

/* The output of numbers, on which options of images have no effect; NULL: none. */
static const char *numbers_output(const flag *flags)
{
    const char *path = output_of(flags);
    return path && (is_npy(path) || ends_in(path, ".csv", 4)) ? path : NULL;
}

/* The output of one file per image. */
static const char *numbered_output(const flag *flags)
{
    const char *path = output_of(flags);
    return path && lt_is_numbered(path) ? path : NULL;
}

static bool has_effect(const command *c, const command_line *line, const flag *f)
{
    const char *numbers = f->is_of_picture || f->is_of_whole ? numbers_output(line->flags) : NULL;
    const char *many = f->is_of_whole ? numbered_output(line->flags) : NULL;
    if (numbers)
        complain(c, CODE_USAGE, "--%s needs an image format, found %s", f->name, numbers);
    else if (many)
        complain(c, CODE_USAGE, "--%s needs a single image, found %s", f->name, many);
    return !numbers && !many && suits_action(c, line, f) && has_company(c, line, f);
}

/* Checks that every given option has an effect. The command itself complains about unknown actions. */
static bool check_effects(const command *c, const command_line *line)
{
    for (int i = 0; line->flags[i].name; i++)
        if (line->given >> i & 1 && !has_effect(c, line, &line->flags[i]))
            return false;
    return true;
}

static bool is_output(flag_kind kind)
{
    return kind == FLAG_OUTPUT || kind == FLAG_CHART || kind == FLAG_IMAGES || kind == FLAG_FOLDER;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat s, t;
    return strcmp(a, b) == 0 ||
           (stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev && s.st_ino == t.st_ino);
}

/* Checks that an output overwrites neither an input nor another output. */
static bool is_place_of_its_own(const command *c, const command_line *line, const flag *f,
                                const char *path)
{
    for (int i = 0; i < line->n && f->kind != FLAG_FOLDER; i++)
        if (is_same_file(line->operand[i], path)) {
            complain(c, CODE_USAGE, "--%s: %s is also an input", f->name, path);
            return false;
        }
    for (const flag *other = line->flags; other != f; other++) {
        const char *its = is_output(other->kind) ? *(const char **)other->value : NULL;
        if (its && is_same_file(its, path)) {
            complain(c, CODE_USAGE, "--%s and --%s: both write %s", other->name, f->name, path);
            return false;
        }
    }
    return true;
}

int check_output(const command *c, const char *name, const char *path)
{
    struct stat s;
    bool is_device = stat(path, &s) == 0 && !S_ISREG(s.st_mode);
    if (lt_file_check(path) == LT_OK)
        return CODE_DONE;
    return complain(c, is_device ? CODE_USAGE : CODE_FAILED, "--%s: %s", name, lt_last_error());
}

/* Checks an output that is requested, by its option or by default. Returns the exit code. */
static int check_wanted(const command *c, const command_line *line, const flag *f)
{
    const char *path = *(const char **)f->value;
    if (!is_place_of_its_own(c, line, f, path))
        return CODE_USAGE;
    if (f->kind != FLAG_FOLDER)
        return check_output(c, f->name, path);
    return lt_folder_check(path) == LT_OK
               ? CODE_DONE
               : complain(c, CODE_FAILED, "--%s: %s", f->name, lt_last_error());
}

static bool check_outputs(const command *c, command_line *line)
{
    line->code = CODE_DONE;
    for (const flag *f = line->flags; f->name && line->code == CODE_DONE; f++) {
        const char *path = is_output(f->kind) ? *(const char **)f->value : NULL;
        bool is_of_other = f->actions && !(line->n > 0 && is_listed(f->actions, line->operand[0]));
        if (path && strcmp(path, "-") != 0 && !is_of_other)
            line->code = check_wanted(c, line, f);
    }
    return line->code == CODE_DONE;
}

bool command_line_read(const command *c, const flag *flags, int argc, const char **argv,
                       command_line *line)
{
    struct poptOption rows[MAX_FLAGS + 2];
    *line = (command_line){.code = CODE_USAGE, .flags = flags};
    if (described) {
        *described = describe(c, flags);
        return false;
    }
    fill_popt(flags, rows);
    line->context = poptGetContext(NULL, argc, argv, rows, 0);
    bool is_read = read_flags(c, flags, line) && read_operands(c, line) && check_effects(c, line) &&
                   check_outputs(c, line);
    if (flag_is_given(line, "split"))
        warnings_repeat();
    if (is_read)
        return true;
    command_line_clear(line);
    return false;
}

void command_line_clear(command_line *line)
{
    line->context = poptFreeContext(line->context);
    for (int i = 0; i < line->n_owned; i++)
        free(line->owned[i]);
    line->n_owned = 0;
}

/* ---- Access ---- */

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
