/* SPDX-License-Identifier: MIT */
/* What the recipes of several runs say otherwise. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LINES = 512, LINE = 256 };

/* ---- Lines ---- */

typedef struct line {
    char place[LINE], value[LINE]; /* "model.encoder", "- linear 300; - relu" */
} line;

typedef struct lines {
    line at[MAX_LINES];
    int n;
} lines;

/* One line of a resolved recipe; items of a list become the value of their key. */
static void take_line(lines *l, const char *text, size_t size, char section[LINE])
{
    size_t indent = strspn(text, " "), key = strcspn(text, ":");
    if (text[indent] == '-' && l->n > 0) {
        char *value = l->at[l->n - 1].value;
        size_t used = strlen(value);
        snprintf(value + used, LINE - used, "%s%.*s", used ? ", " : "", (int)(size - indent - 2),
                 text + indent + 2);
    } else if (key < size && l->n < MAX_LINES) {
        line *at = &l->at[l->n];
        if (indent == 0)
            snprintf(section, LINE, "%.*s", (int)(key < 100 ? key : 100), text);
        snprintf(at->place, LINE, "%.*s%s%.*s", indent ? 100 : 0, section, indent ? "." : "",
                 (int)(key - indent < 100 ? key - indent : 100), text + indent);
        key += 1 + (text[key + 1] == ' ');
        snprintf(at->value, LINE, "%.*s", (int)(key < size ? size - key : 0), text + key);
        l->n++;
    }
}

static void read_lines(lines *l, const lt_recipe *r)
{
    char section[LINE] = "";
    const char *text = lt_recipe_text(r);
    l->n = 0;
    while (*text) {
        size_t size = strcspn(text, "\n");
        take_line(l, text, size, section);
        text += size + (text[size] == '\n');
    }
}

static const char *find_value(const lines *l, const char *place)
{
    for (int i = 0; i < l->n; i++)
        if (strcmp(l->at[i].place, place) == 0)
            return l->at[i].value;
    return NULL;
}

static bool differs(const lines *all, int n, const char *place)
{
    const char *first = find_value(&all[0], place);
    if (strcmp(place, "name") == 0 || strcmp(place, "summary") == 0)
        return false;
    for (int i = 1; i < n; i++) {
        const char *value = find_value(&all[i], place);
        if (!first || !value || strcmp(first, value) != 0)
            return true;
    }
    return false;
}

static void put_place(page *p, const lines *all, int n, const char *place)
{
    page_html(p, "<tr><th scope=\"row\">");
    page_text(p, "%s", place);
    page_html(p, "</th>");
    for (int i = 0; i < n; i++) {
        const char *value = find_value(&all[i], place);
        page_html(p, "<td>");
        page_text(p, "%s", value ? value : "–");
        page_html(p, "</td>");
    }
    page_html(p, "</tr>\n");
}

/* Whether run i is the first one with that line. */
static bool is_new(const lines *all, int i, const char *place)
{
    for (int before = 0; before < i; before++)
        if (find_value(&all[before], place))
            return false;
    return true;
}

int report_write_differences(const report_content *c)
{
    page *p = c->page;
    const report_run *runs = c->runs;
    int n = c->n;
    lines *all = plot_room((size_t)n, sizeof *all);
    int found = 0;
    for (int i = 0; i < n; i++)
        read_lines(&all[i], lt_model_recipe(runs[i].e.t.model));
    for (int i = 0; i < n; i++)
        for (int k = 0; k < all[i].n; k++) {
            const char *place = all[i].at[k].place;
            if (!is_new(all, i, place) || !differs(all, n, place))
                continue;
            if (found++ == 0) {
                page_html(p, "<p>Where the recipes differ; all else is the same.</p>\n"
                             "<div class=\"wide\" tabindex=\"0\"><table class=\"recipes\">\n");
                report_put_head(p, runs, n, "");
                page_html(p, "<tbody>\n");
            }
            put_place(p, all, n, place);
        }
    page_html(p, "%s", found ? "</tbody></table></div>\n" : "<p>The recipes say the same.</p>\n");
    free(all);
    return CODE_DONE;
}
