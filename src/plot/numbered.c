/* SPDX-License-Identifier: MIT */
/* Numbered names, one for many files: img-%04d.png. */
#include <latent/data.h>
#include <latent/plot.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_WIDTH = 9 };

/* A name split at its number; each %% is one percent sign. */
typedef struct numbered {
    text before, after;
    int width;
    bool is_padded; /* with zeros */
} numbered;

static void numbered_clear(numbered *p)
{
    text_clear(&p->before);
    text_clear(&p->after);
}

/* Reads what follows a '%': "d", "4d", "04d". Returns the number of characters; 0 for anything else. */
static int read_number(const char *at, numbered *p)
{
    int n = 0;
    p->is_padded = at[n] == '0';
    n += p->is_padded;
    p->width = at[n] >= '1' && at[n] <= '0' + MAX_WIDTH ? at[n++] - '0' : 0;
    return at[n] == 'd' ? n + 1 : 0;
}

static int parse_name(const char *path, numbered *p)
{
    bool is_found = false;
    *p = (numbered){.width = 0};
    for (const char *at = path; *at;) {
        text *to = is_found ? &p->after : &p->before;
        if (at[0] != '%' || at[1] == '%') {
            text_append_bytes(to, at, 1);
            at += at[0] == '%' ? 2 : 1;
            continue;
        }
        int n = is_found ? 0 : read_number(at + 1, p);
        if (n == 0)
            return status_fail(LT_VALUE, "%s: expected one number such as %%d or %%04d, and %%%% where a percent "
                               "sign is meant, found %s'%.4s'", path, is_found ? "also " : "", at);
        is_found = true;
        at += 1 + n;
    }
    if (!is_found)
        return status_fail(LT_VALUE, "%s: expected a number such as %%04d, to give each file its own name", path);
    return strchr(text_get(&p->after), '/')
               ? status_fail(LT_VALUE, "%s: expected the number in the name of the file, found it in that of a "
                             "directory", path)
               : LT_OK;
}

bool lt_is_numbered(const char *path) { return strchr(path, '%') != NULL; }

char *lt_numbered_name(const char *path, int64_t i)
{
    numbered p;
    int status = parse_name(path, &p);
    if (status == LT_OK && i < 0)
        status = status_fail(LT_VALUE, "%s: expected a number from 0 up, found %jd", path, (intmax_t)i);
    char *name = NULL;
    if (status == LT_OK && p.is_padded)
        name = must_format("%s%0*jd%s", text_get(&p.before), p.width, (intmax_t)i, text_get(&p.after));
    else if (status == LT_OK)
        name = must_format("%s%*jd%s", text_get(&p.before), p.width, (intmax_t)i, text_get(&p.after));
    numbered_clear(&p);
    return name;
}

int lt_numbered_check_name(const char *path)
{
    char *first = lt_numbered_name(path, 0);
    if (!first)
        return LT_VALUE;
    int status = text_ends_in(first, ".npy") ? LT_OK : lt_grid_check_name(first);
    free(first);
    return status;
}

static int write_image(const char *name, const float *image, const lt_grid *like)
{
    lt_grid one = *like;
    one.images = image;
    return text_ends_in(name, ".npy") ? lt_npy_write(name, image, 3, (const int64_t[]){like->h, like->w, like->c})
                        : lt_grid_write(name, &one);
}

int lt_numbered_write(const char *path, const float *images, int n, int h, int w, int c, int zoom)
{
    const lt_grid like = {.n = 1, .h = h, .w = w, .c = c, .layout = {.columns = 1, .zoom = zoom ? zoom : 1}};
    int status = lt_numbered_check_name(path);
    for (int64_t i = 0; i < n && status == LT_OK; i++) {
        char *name = lt_numbered_name(path, i);
        status = write_image(name, images + i * h * w * c, &like);
        free(name);
    }
    return status;
}
