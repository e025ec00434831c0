/* SPDX-License-Identifier: MIT */
/* docs/recipes.md has a row for every key and every line that a recipe may hold, and no others: what stands
   between its marks is what the tables of the parser say. With LATENT_REWRITE in the environment that is
   written there instead. */
#include <latent/latent.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char page_path[] = TESTS_DIR "/../docs/recipes.md";

/* ---- Rows as they should be ---- */

/* What would end a cell is escaped. */
static void put_text(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', to);
        fputc(*text, to);
    }
}

/* Word `index` of "a|b|c", or all of them with commas for -1. */
static void put_choice(FILE *to, const char *choices, int index)
{
    for (int i = 0; *choices; i++) {
        size_t n = strcspn(choices, "|");
        if (index < 0 || index == i)
            fprintf(to, "%s`%.*s`", index < 0 && i > 0 ? ", " : "", (int)n, choices);
        choices += n + (choices[n] == '|');
    }
}

static void put_kind(FILE *to, const lt_option *o)
{
    bool is_number = o->kind == LT_KIND_INT || o->kind == LT_KIND_REAL;
    switch (o->kind) {
    case LT_KIND_INT: fputs("whole number", to); break;
    case LT_KIND_REAL: fputs("number", to); break;
    case LT_KIND_BOOL: fputs("`yes`, `no`", to); break;
    case LT_KIND_CHOICE: put_choice(to, o->choices, -1); break;
    case LT_KIND_TEXT: fputs("text", to); break;
    case LT_KIND_PATH: fputs("name or path", to); break;
    }
    if (is_number && o->min < o->max)
        fprintf(to, ", %.10g to %.10g", o->min, o->max);
}

static void put_default(FILE *to, const lt_option *o)
{
    if (o->required) {
        fputs("required", to);
        return;
    }
    switch (o->kind) {
    case LT_KIND_INT:
    case LT_KIND_REAL: fprintf(to, "%.10g", o->fallback); break;
    case LT_KIND_BOOL: fputs(o->fallback != 0 ? "`yes`" : "`no`", to); break;
    case LT_KIND_CHOICE: put_choice(to, o->choices, (int)o->fallback); break;
    case LT_KIND_TEXT:
    case LT_KIND_PATH:
        if (o->choices && *o->choices)
            fprintf(to, "`%s`", o->choices);
        else
            fputs("empty", to);
        break;
    }
}

/* "whole number, 0 to 9 | 0 | keep only so many |". */
static void put_facts(FILE *to, const lt_option *o)
{
    put_kind(to, o);
    fputs(" | ", to);
    put_default(to, o);
    fputs(" | ", to);
    put_text(to, o->help);
    fputs(" |\n", to);
}

/* Nullable: before. */
static void put_option(FILE *to, const char *before, const lt_option *o)
{
    fprintf(to, "| `%s%s%s` | ", before ? before : "", before ? "." : "", o->name);
    put_facts(to, o);
}

/* The keys of the sections called `name`, with their places in a recipe. */
static void put_section(FILE *to, const char *name)
{
    lt_table_entry e;
    bool is_top = strcmp(name, "recipe") == 0;
    for (int i = 0; lt_table_get("sections", i, &e); i++) {
        if (strcmp(e.name, name) != 0)
            continue;
        fprintf(to, "\n*%s*\n\n| key | takes | default | meaning |\n|---|---|---|---|\n", e.summary);
        for (const lt_option *o = e.options; o->name; o++)
            put_option(to, is_top ? NULL : name, o);
    }
}

static void put_objective(FILE *to)
{
    lt_table_entry e;
    for (int i = 0; lt_table_get("objectives", i, &e); i++) {
        fprintf(to, "\n*`kind: %s`: ", e.name);
        fputs(e.summary, to);
        fputs("*\n\n| key | takes | default | meaning |\n|---|---|---|---|\n", to);
        for (const lt_option *o = e.options; o && o->name; o++)
            put_option(to, "objective", o);
    }
}

/* A list of lines: each with its options below. */
static void put_table(FILE *to, const char *name)
{
    lt_table_entry e;
    fputs("\n| line, and its options | takes | default | meaning |\n|---|---|---|---|\n", to);
    for (int i = 0; lt_table_get(name, i, &e); i++) {
        fprintf(to, "| **`%s`** | | | ", e.name);
        put_text(to, e.summary);
        fputs(" |\n", to);
        for (const lt_option *o = e.options; o && o->name; o++) {
            fprintf(to, "| &nbsp; `%s%s` | ", o->name, o->positional ? "" : "=");
            put_facts(to, o);
        }
    }
}

/* What should stand between the marks of `name`. */
static void put_part(FILE *to, const char *name)
{
    static const char *const sections[] = {"recipe", "data", "model", "train"};
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++)
        if (strcmp(name, sections[i]) == 0) {
            put_section(to, name);
            return;
        }
    if (strcmp(name, "objective") == 0)
        put_objective(to);
    else
        put_table(to, name);
}

/* ---- The page ---- */

static char *read_page(void)
{
    FILE *f = fopen(page_path, "rb");
    assert_non_null(f);
    char *text = calloc(1, 1 << 18);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 18) - 1, f) < (1 << 18) - 1);
    fclose(f);
    return text;
}

/* The page with every part as it should be; `names` gets the names of its parts, with a space after each. */
static char *make_page(const char *text, char *names, size_t room)
{
    static const char begin[] = "<!-- from the tables: ", end[] = "\n<!-- end -->";
    char *made = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&made, &size);
    names[0] = 0;
    for (const char *at; (at = strstr(text, begin)) != NULL;) {
        char name[32];
        const char *after = strchr(at, '\n'), *last = strstr(at, end);
        assert_non_null(last);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + strlen(begin), " "), at + strlen(begin));
        snprintf(names + strlen(names), room - strlen(names), "%s ", name);
        fwrite(text, 1, (size_t)(after + 1 - text), to);
        put_part(to, name);
        text = last;
    }
    fputs(text, to);
    fclose(to);
    return made;
}

static void page_is_what_the_tables_say(void **state)
{
    (void)state;
    char names[512];
    char *text = read_page(), *made = make_page(text, names, sizeof names);
    if (getenv("LATENT_REWRITE")) {
        FILE *f = fopen(page_path, "wb");
        assert_non_null(f);
        fputs(made, f);
        fclose(f);
    } else if (strcmp(text, made) != 0) {
        size_t i = 0, line = 1;
        for (; text[i] == made[i]; i++)
            line += text[i] == '\n';
        while (i > 0 && text[i - 1] != '\n')
            i--;
        fail_msg("docs/recipes.md:%zu: is\n%.*s\nand should be\n%.*s\n(LATENT_REWRITE=1 writes it)", line,
                 (int)strcspn(text + i, "\n"), text + i, (int)strcspn(made + i, "\n"), made + i);
    }
    free(text);
    free(made);
}

/* Every table has a part; "sections" and "objectives" are those of recipe, data, model, objective, train, and
   "distributions" are not of recipes. */
static void every_table_has_a_part(void **state)
{
    (void)state;
    char names[512];
    char *text = read_page(), *made = make_page(text, names, sizeof names);
    const char *name;
    for (int i = 0; (name = lt_table_name(i)) != NULL; i++) {
        char word[40];
        if (strcmp(name, "sections") == 0 || strcmp(name, "distributions") == 0)
            continue;
        snprintf(word, sizeof word, "%s ", strcmp(name, "objectives") == 0 ? "objective" : name);
        if (!strstr(names, word))
            fail_msg("docs/recipes.md has no table of %s", name);
    }
    lt_table_entry e;
    for (int i = 0; lt_table_get("sections", i, &e); i++)
        if (!strstr(names, e.name))
            fail_msg("docs/recipes.md has no table of the section %s", e.name);
    free(text);
    free(made);
}

/* The presets, written out, are recipes by another way: their keys stand on the page too. */
static void keys_of_presets_are_there(void **state)
{
    (void)state;
    char *page = read_page();
    for (int i = 0; i < lt_preset_count(); i++) {
        lt_recipe *r;
        lt_recipe_open(lt_preset_name(i), NULL, 0, &r);
        assert_non_null(r);
        char place[4][64] = {""};
        for (const char *line = lt_recipe_text(r); *line; line += strcspn(line, "\n") + 1) {
            size_t indent = strspn(line, " "), depth = indent / 2, n = strcspn(line + indent, ":\n");
            char wanted[280] = "`";
            if (line[indent] == '-' || depth >= 4)
                continue;
            snprintf(place[depth], sizeof place[depth], "%.*s", (int)n, line + indent);
            bool is_section = line[indent + n] == ':' && line[indent + n + 1] == '\n' && depth == 0;
            for (size_t k = 0; k <= depth && !is_section; k++)
                snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "%s%s", k ? "." : "",
                         place[k]);
            if (!is_section && !strstr(page, wanted))
                fail_msg("docs/recipes.md does not have %s, which %s has", wanted + 1, lt_preset_name(i));
        }
        lt_recipe_free(r);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_is_what_the_tables_say),
        cmocka_unit_test(every_table_has_a_part),
        cmocka_unit_test(keys_of_presets_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
