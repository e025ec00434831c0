/* SPDX-License-Identifier: MIT */
#include "data/entries.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t entry_folder(const char *place)
{
    const char *slash = strchr(place, '/');
    return slash ? (size_t)(slash - place) : 0;
}

const char *entry_name(const char *place)
{
    const char *slash = strrchr(place, '/');
    return slash ? slash + 1 : place;
}

/* ---- Splits ---- */

static const struct split_name {
    const char *name;
    lt_split split;
} split_names[] = {{"train", LT_TRAIN}, {"training", LT_TRAIN},   {"valid", LT_VALID},
                   {"val", LT_VALID},   {"validation", LT_VALID}, {"test", LT_TEST},
                   {"testing", LT_TEST}};

int entry_split(const char *name, size_t n)
{
    for (int i = 0; i < COUNT_OF(split_names); i++)
        if (strlen(split_names[i].name) == n && strncasecmp(split_names[i].name, name, n) == 0)
            return split_names[i].split;
    return LT_SPLITS;
}

int entry_split_like(const char *name, size_t n)
{
    for (size_t i = 0, end; i < n; i = end + 1) { /* words of letters only */
        for (end = i; end < n && isalpha((unsigned char)name[end]);)
            end++;
        int split = entry_split(name + i, end - i);
        if (split < LT_SPLITS)
            return split;
    }
    return LT_SPLITS;
}

/* ---- Litter ---- */

bool entry_is_litter(const char *part, size_t n)
{
    static const char *const litter[] = {"__MACOSX",  "Thumbs.db", "desktop.ini", "@eaDir",
                                         "#recycle", "$RECYCLE.BIN", "System Volume Information"};
    for (int i = 0; i < COUNT_OF(litter); i++)
        if (strlen(litter[i]) == n && strncasecmp(litter[i], part, n) == 0)
            return true;
    return part[0] == '.';
}

bool entry_holds_litter(const char *place)
{
    for (size_t n; *place; place += n + (place[n] == '/')) {
        n = strcspn(place, "/");
        if (n && entry_is_litter(place, n))
            return true;
    }
    return false;
}

/* ---- Names in archives ---- */

static bool is_part(const char *part, size_t n, const char *wanted)
{
    return strlen(wanted) == n && strncmp(part, wanted, n) == 0;
}

/* The start of the last part before `to`, which ends in '/'. */
static char *step_back(char *start, char *to)
{
    if (to > start)
        to--;
    while (to > start && to[-1] != '/')
        to--;
    return to;
}

bool entry_clean(char *name)
{
    bool has_backslash = false;
    for (char *c = name; *c; c++)
        if (*c == '\\') {
            *c = '/';
            has_backslash = true;
        }
    bool has_drive = isalpha((unsigned char)name[0]) && name[1] == ':';
    char *to = name;
    for (const char *from = name + (has_drive ? 2 : 0); *from;) {
        size_t n = strcspn(from, "/"), gap = strspn(from + n, "/");
        if (is_part(from, n, "..")) {
            to = step_back(name, to);
        } else if (n && !is_part(from, n, ".")) {
            memmove(to, from, n);
            to += n;
            if (gap)
                *to++ = '/';
        }
        from += n + gap;
    }
    *to = 0;
    return has_backslash;
}

/* ---- Runs ---- */

static bool holds(const char *directory, const char *name)
{
    char *path = file_join(directory, name);
    bool is_there = file_exists(path);
    free(path);
    return is_there;
}

bool entry_is_run(const char *directory)
{
    return holds(directory, "recipe.yaml") &&
           (holds(directory, "checkpoints") || holds(directory, "metrics.jsonl"));
}

char *entry_run_of(const char *directory)
{
    if (entry_is_run(directory))
        return must_copy_text(directory);
    char *full = file_absolute(NULL, directory);
    const char *name = entry_name(full);
    char *above = file_directory(full);
    bool is_inner = strcmp(name, "samples") == 0 || strcmp(name, "checkpoints") == 0;
    bool is_found = is_inner && entry_is_run(above);
    free(full);
    if (is_found)
        return above;
    free(above);
    return NULL;
}
