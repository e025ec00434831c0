/* SPDX-License-Identifier: MIT */
/* What touches the disk: the file layer, gzip, directories. */
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include <cmocka.h>

#include "says.h"
#include "scratch.h"

/* ---- Reading ---- */

static void file_reads_whole_with_a_zero_behind(void **state)
{
    (void)state;
    const char *path = in_dir("plain");
    put_file(path, "abc\0def", 7);
    bytes b;
    assert_int_equal(file_read(path, 100, &b), LT_OK);
    assert_int_equal(b.size, 7);
    assert_memory_equal(b.data, "abc\0def", 8);
    bytes_clear(&b);
    assert_null(b.data);
    put_file(path, "", 0);
    assert_int_equal(file_read(path, 0, &b), LT_OK);
    assert_int_equal(b.size, 0);
    assert_int_equal(b.data[0], 0);
    bytes_clear(&b);
}

static void file_larger_than_limit_is_refused(void **state)
{
    (void)state;
    const char *path = in_dir("ten");
    put_file(path, "0123456789", 10);
    bytes b;
    assert_int_equal(file_read(path, 10, &b), LT_OK);
    bytes_clear(&b);
    assert_int_equal(file_read(path, 9, &b), LT_FORMAT);
    assert_null(b.data);
    assert_says(path);
    assert_says("limit of 9 bytes");
    assert_int_equal(file_read_inflated(path, 9, &b), LT_FORMAT);
    assert_null(b.data);
}

static void file_that_grows_while_read_is_read_to_its_end(void **state)
{
    (void)state;
    bytes b;
    if (file_read("/proc/self/status", 1 << 20, &b) == LT_OK) { /* says its size is 0 */
        assert_true(b.size > 100);
        bytes_clear(&b);
        assert_int_equal(file_read("/proc/self/status", 50, &b), LT_FORMAT);
    }
}

static void what_is_not_a_file_is_refused(void **state)
{
    (void)state;
    bytes b;
    assert_int_equal(file_read(in_dir("missing"), 10, &b), LT_NOT_FOUND);
    assert_says("missing");
    assert_int_equal(file_read(in_dir("missing/too"), 10, &b), LT_NOT_FOUND);
    assert_int_equal(file_read(dir, 10, &b), LT_IO);
    assert_says("a directory");
    const char *fifo = in_dir("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(file_read(fifo, 10, &b), LT_IO);
    assert_says("not a regular file");
    assert_int_equal(file_read("/dev/zero", 10, &b), LT_IO);
    assert_null(b.data);
}

/* ---- gzip ---- */

/* Appends one gzip member that holds `data`. */
static void append_member(text *out, const void *data, size_t size, int level)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&z, size);
    unsigned char *packed = must_alloc(room);
    unsigned char *from = must_alloc(size);
    if (size)
        memcpy(from, data, size);
    z.next_in = from;
    z.avail_in = (uInt)size;
    z.next_out = packed;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    text_append_bytes(out, (const char *)packed, z.total_out);
    deflateEnd(&z);
    free(packed);
    free(from);
}

enum { SAMPLE_SIZE = 30000 };

/* Bytes that pack, but not to nothing. */
static void fill_sample(unsigned char *data)
{
    uint32_t x = 1;
    for (int i = 0; i < SAMPLE_SIZE; i++) {
        x = x * 1664525u + 1013904223u;
        data[i] = (unsigned char)(x >> 30);
    }
}

static void gzip_inflates_whatever_its_members(void **state)
{
    (void)state;
    static unsigned char data[SAMPLE_SIZE];
    fill_sample(data);
    static const int cuts[] = {0, 1, 10000, SAMPLE_SIZE};
    const char *path = in_dir("sample.gz");
    for (int level = 0; level <= 9; level += 9)
        for (int i = 0; i < COUNT_OF(cuts); i++) {
            text packed = {0};
            append_member(&packed, data, (size_t)cuts[i], level);
            append_member(&packed, data + cuts[i], (size_t)(SAMPLE_SIZE - cuts[i]), level);
            put_file(path, packed.data, packed.size);
            text_clear(&packed);
            bytes b;
            assert_int_equal(file_read_inflated(path, SAMPLE_SIZE, &b), LT_OK);
            assert_int_equal(b.size, SAMPLE_SIZE);
            assert_memory_equal(b.data, data, SAMPLE_SIZE);
            assert_int_equal(b.data[SAMPLE_SIZE], 0);
            bytes_clear(&b);
            assert_int_equal(file_read_inflated(path, SAMPLE_SIZE - 1, &b), LT_FORMAT);
            assert_says("larger than the limit");
        }
}

/* Zeros of every size: some fill the room that was made for them to its last byte. */
static void gzip_may_fill_its_room_exactly(void **state)
{
    (void)state;
    static const unsigned char zeros[600];
    for (size_t n = 1; n <= sizeof zeros; n++) {
        gzFile f = gzopen(in_dir("exact.gz"), "wb");
        assert_non_null(f);
        assert_int_equal(gzwrite(f, zeros, (unsigned)n), (int)n);
        assert_int_equal(gzclose(f), Z_OK);
        bytes b;
        assert_int_equal(file_read_inflated(in_dir("exact.gz"), sizeof zeros, &b), LT_OK);
        assert_int_equal(b.size, n);
        assert_memory_equal(b.data, zeros, n);
        assert_int_equal(b.data[n], 0);
        bytes_clear(&b);
    }
}

static void what_is_not_gzip_is_read_as_it_is(void **state)
{
    (void)state;
    const char *path = in_dir("not.gz");
    static const char *const contents[] = {"", "\x1f", "\x1e\x8b", "text"};
    for (int i = 0; i < COUNT_OF(contents); i++) {
        put_file(path, contents[i], strlen(contents[i]));
        bytes b;
        assert_int_equal(file_read_inflated(path, 10, &b), LT_OK);
        assert_string_equal((char *)b.data, contents[i]);
        bytes_clear(&b);
    }
}

static void gzip_of_much_in_little_stops_at_the_limit(void **state)
{
    (void)state;
    text packed = {0};
    size_t size = 20 << 20;
    void *zeros = must_alloc(size);
    append_member(&packed, zeros, size, 9);
    free(zeros);
    put_file(in_dir("bomb.gz"), packed.data, packed.size);
    text_clear(&packed);
    bytes b;
    assert_int_equal(file_read_inflated(in_dir("bomb.gz"), 100000, &b), LT_FORMAT);
    assert_int_equal(file_read_inflated(in_dir("bomb.gz"), size, &b), LT_OK);
    assert_int_equal(b.size, size);
    bytes_clear(&b);
}

static void gzip_cut_anywhere_is_an_error(void **state)
{
    (void)state;
    static unsigned char data[SAMPLE_SIZE];
    fill_sample(data);
    text packed = {0};
    append_member(&packed, data, SAMPLE_SIZE, 6);
    const char *path = in_dir("cut.gz");
    for (size_t n = 2; n < packed.size; n += n < 32 || n + 72 > packed.size ? 1 : 64) {
        put_file(path, packed.data, n);
        bytes b;
        assert_int_equal(file_read_inflated(path, SAMPLE_SIZE, &b), LT_FORMAT);
        assert_null(b.data);
        assert_says(path);
        char place[40];
        snprintf(place, sizeof place, "cut off at byte %zu", n);
        assert_says(place);
    }
    text_clear(&packed);
}

static void damaged_gzip_is_an_error_or_the_same_data(void **state)
{
    (void)state;
    static unsigned char data[SAMPLE_SIZE];
    fill_sample(data);
    text packed = {0};
    append_member(&packed, data, 2000, 6);
    const char *path = in_dir("damaged.gz");
    for (size_t i = 2; i < packed.size; i += i < 20 || i + 20 > packed.size ? 1 : 7) {
        packed.data[i] ^= 0x55;
        put_file(path, packed.data, packed.size);
        packed.data[i] ^= 0x55;
        bytes b;
        int status = file_read_inflated(path, SAMPLE_SIZE, &b);
        if (status == LT_OK) { /* the time, the flags and such */
            assert_in_range(i, 3, 9);
            assert_memory_equal(b.data, data, 2000);
        } else {
            assert_int_equal(status, LT_FORMAT);
            assert_says(path);
        }
        bytes_clear(&b);
    }
    size_t size = packed.size;
    bytes b;
    text_append_bytes(&packed, (const char[512]){0},
                      512); /* as gzip, which fills blocks of tapes */
    put_file(path, packed.data, packed.size);
    assert_int_equal(file_read_inflated(path, SAMPLE_SIZE, &b), LT_OK);
    assert_int_equal(b.size, 2000);
    bytes_clear(&b);
    packed.size = size;
    text_append(&packed, "garbage");
    put_file(path, packed.data, packed.size);
    assert_int_equal(file_read_inflated(path, SAMPLE_SIZE, &b), LT_FORMAT);
    char place[60];
    snprintf(place, sizeof place, "garbage after the gzip data, at byte %zu", size);
    assert_says(place);
    text_clear(&packed);
}

/* ---- Writing ---- */

static void file_appears_at_commit_only(void **state)
{
    (void)state;
    const char *path = in_dir("atomic");
    put_file(path, "old", 3);
    file_writer *w;
    assert_int_equal(file_begin(&w, path), LT_OK);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(file_put(w, "new", 3), LT_OK);
    assert_file_is(path, "old", 3);
    assert_int_equal(count_names(".atomic.tmp-"), 1);
    assert_int_equal(file_commit(w), LT_OK);
    assert_int_equal(count_names(".atomic.tmp-"), 0);
    bytes b;
    assert_int_equal(file_read(path, 1 << 20, &b), LT_OK);
    assert_int_equal(b.size, 300000);
    bytes_clear(&b);
}

static void abandoned_file_leaves_nothing(void **state)
{
    (void)state;
    file_writer *w;
    assert_int_equal(file_begin(&w, in_dir("abandoned")), LT_OK);
    assert_int_equal(file_put(w, "x", 1), LT_OK);
    file_abandon(w);
    file_abandon(NULL);
    assert_false(file_exists(in_dir("abandoned")));
    assert_int_equal(count_names(".abandoned"), 0);
}

static void two_writers_of_one_path_do_not_mix(void **state)
{
    (void)state;
    const char *path = in_dir("twice");
    file_writer *a, *b;
    assert_int_equal(file_begin(&a, path), LT_OK);
    assert_int_equal(file_begin(&b, path), LT_OK);
    file_put(a, "aaa", 3);
    file_put(b, "b", 1);
    assert_int_equal(file_commit(b), LT_OK);
    assert_file_is(path, "b", 1);
    assert_int_equal(file_commit(a), LT_OK);
    assert_file_is(path, "aaa", 3);
    assert_int_equal(count_names(".twice"), 0);
}

static void failed_write_keeps_the_old_file(void **state)
{
    (void)state;
    const char *path = in_dir("kept");
    put_file(path, "old", 3);
    static const char block[100000];
    struct rlimit before, small = {.rlim_cur = 4096};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    int whole = file_write(path, block, sizeof block);
    file_writer *w;
    int begin = file_begin(&w, path), put = file_put(w, block, sizeof block);
    int commit = file_commit(w);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    assert_int_equal(whole, LT_IO);
    assert_int_equal(begin, LT_OK);
    assert_int_equal(put, LT_IO);
    assert_int_equal(commit, LT_IO);
    assert_says(path);
    assert_file_is(path, "old", 3);
    assert_int_equal(count_names(".kept"), 0);
}

static void writing_to_impossible_places_fails(void **state)
{
    (void)state;
    assert_int_equal(file_write(in_dir("no/such/place"), "x", 1), LT_NOT_FOUND);
    assert_says("no/such/place");
    assert_int_equal(file_write(dir, "x", 1), LT_IO);
    assert_says("a directory");
    assert_int_equal(file_write(in_dir("new/"), "x", 1), LT_IO);
    assert_says("the name of a directory");
    assert_int_equal(file_append(dir, "x"), LT_IO);
    assert_int_equal(file_append(in_dir("no/log"), "x"), LT_NOT_FOUND);
}

static void only_regular_files_are_replaced(void **state)
{
    (void)state;
    const char *link = in_dir("link"), *pipe = in_dir("pipe");
    assert_int_equal(symlink("/dev/null", link), 0); /* a mistake would replace the link only */
    assert_int_equal(file_write(link, "x", 1), LT_IO);
    assert_says("a device");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(file_write(pipe, "x", 1), LT_IO);
    assert_says("not a regular file");
    struct stat s;
    assert_true(lstat(link, &s) == 0 && S_ISLNK(s.st_mode));
    assert_true(lstat(pipe, &s) == 0 && S_ISFIFO(s.st_mode));
    assert_int_equal(count_names(".link") + count_names(".pipe"), 0);
}

static void appended_lines_follow_each_other(void **state)
{
    (void)state;
    const char *path = in_dir("log");
    assert_int_equal(file_append(path, "one"), LT_OK);
    assert_int_equal(file_append(path, ""), LT_OK);
    assert_int_equal(file_append(path, "three"), LT_OK);
    assert_file_is(path, "one\n\nthree\n", 11);
}

/* ---- Directories ---- */

static void directories_are_made_with_their_parents(void **state)
{
    (void)state;
    assert_int_equal(file_make_directories(in_dir("a/b//c/")), LT_OK);
    assert_true(file_is_directory(in_dir("a/b/c")));
    assert_int_equal(file_make_directories(in_dir("a/b")), LT_OK);
    put_file(in_dir("a/file"), "", 0);
    assert_true(file_exists(in_dir("a/file")));
    assert_false(file_is_directory(in_dir("a/file")));
    assert_int_not_equal(file_make_directories(in_dir("a/file")), LT_OK);
    assert_int_not_equal(file_make_directories(in_dir("a/file/x")), LT_OK);
    assert_says("a/file");
    assert_int_not_equal(file_make_directories(""), LT_OK);
}

static void paths_join_with_one_slash(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"", "b", "b"}, {"/", "b", "/b"}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        char *path = file_join(cases[i][0], cases[i][1]);
        assert_string_equal(path, cases[i][2]);
        free(path);
    }
}

static void listing_is_sorted_and_filtered(void **state)
{
    (void)state;
    static const char *const made[] = {"s/b.yaml", "s/a.yaml", "s/c.txt", "s/.d.yaml", "s/10.yaml"};
    assert_int_equal(file_make_directories(in_dir("s")), LT_OK);
    for (int i = 0; i < COUNT_OF(made); i++)
        put_file(in_dir(made[i]), "", 0);
    char **names;
    int n;
    assert_int_equal(file_list(in_dir("s"), ".yaml", &names, &n), LT_OK);
    assert_int_equal(n, 3);
    assert_string_equal(names[0], "10.yaml");
    assert_string_equal(names[1], "a.yaml");
    assert_string_equal(names[2], "b.yaml");
    file_list_free(names, n);
    assert_int_equal(file_list(in_dir("s"), NULL, &names, &n), LT_OK);
    assert_int_equal(n, 4);
    file_list_free(names, n);
    assert_int_equal(file_list(in_dir("s"), ".none", &names, &n), LT_OK);
    assert_int_equal(n, 0);
    file_list_free(names, n);
    assert_int_equal(file_list(in_dir("missing"), NULL, &names, &n), LT_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_reads_whole_with_a_zero_behind),
        cmocka_unit_test(file_larger_than_limit_is_refused),
        cmocka_unit_test(file_that_grows_while_read_is_read_to_its_end),
        cmocka_unit_test(what_is_not_a_file_is_refused),
        cmocka_unit_test(gzip_inflates_whatever_its_members),
        cmocka_unit_test(gzip_may_fill_its_room_exactly),
        cmocka_unit_test(what_is_not_gzip_is_read_as_it_is),
        cmocka_unit_test(gzip_of_much_in_little_stops_at_the_limit),
        cmocka_unit_test(gzip_cut_anywhere_is_an_error),
        cmocka_unit_test(damaged_gzip_is_an_error_or_the_same_data),
        cmocka_unit_test(file_appears_at_commit_only),
        cmocka_unit_test(abandoned_file_leaves_nothing),
        cmocka_unit_test(two_writers_of_one_path_do_not_mix),
        cmocka_unit_test(failed_write_keeps_the_old_file),
        cmocka_unit_test(writing_to_impossible_places_fails),
        cmocka_unit_test(only_regular_files_are_replaced),
        cmocka_unit_test(appended_lines_follow_each_other),
        cmocka_unit_test(directories_are_made_with_their_parents),
        cmocka_unit_test(paths_join_with_one_slash),
        cmocka_unit_test(listing_is_sorted_and_filtered),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
