/* SPDX-License-Identifier: MIT */
/* A directory for the files of a test or of a group of tests; gone after it. Behind cmocka.h. */
#ifndef LATENT_TEST_SCRATCH_H
#define LATENT_TEST_SCRATCH_H

#include "base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char dir[64];

/* cmocka setup and teardown. */
static inline int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/latent-test-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static inline void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    for (const struct dirent *e; d && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        char *inner = file_join(path, e->d_name);
        remove_tree(inner);
        free(inner);
    }
    if (d)
        closedir(d);
    remove(path);
}

static inline int remove_dir(void **state)
{
    (void)state;
    remove_tree(dir);
    return 0;
}

/* A path in the directory; valid until the fourth call after. */
static inline const char *in_dir(const char *name)
{
    static char paths[4][512];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static inline void put_file(const char *path, const void *data, size_t size)
{
    if (file_write(path, data, size) != LT_OK)
        fail_msg("%s", lt_last_error());
}

static inline void assert_file_is(const char *path, const void *data, size_t size)
{
    bytes b;
    assert_int_equal(file_read(path, 1 << 20, &b), LT_OK);
    assert_int_equal(b.size, size);
    assert_memory_equal(b.data, data, size);
    bytes_clear(&b);
}

/* Names in the test's directory that start so, hidden ones too. */
static inline int count_names(const char *start)
{
    DIR *d = opendir(dir);
    assert_non_null(d);
    int n = 0;
    struct dirent *entry;
    while ((entry = readdir(d)))
        n += strncmp(entry->d_name, start, strlen(start)) == 0;
    closedir(d);
    return n;
}

static inline void assert_same_file(const char *a, const char *b)
{
    bytes x, y;
    assert_int_equal(file_read(a, (size_t)1 << 30, &x), LT_OK);
    assert_int_equal(file_read(b, (size_t)1 << 30, &y), LT_OK);
    assert_int_equal(x.size, y.size);
    assert_memory_equal(x.data, y.data, x.size);
    bytes_clear(&x);
    bytes_clear(&y);
}

#endif
