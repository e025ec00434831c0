/* SPDX-License-Identifier: MIT */
/* What touches the disk: the file layer, gzip, safetensors, PNG. */
#include <latent/plot.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "train/safetensors.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <png.h>
#include <zlib.h>

#include <cmocka.h>

#include "scratch.h"

static void assert_error_has(const char *part)
{
    if (!strstr(lt_last_error(), part))
        fail_msg("expected \"%s\" in the error, found \"%s\"", part, lt_last_error());
}

static void put_file(const char *path, const void *data, size_t size)
{
    if (file_write(path, data, size) != LT_OK)
        fail_msg("%s", lt_last_error());
}

static void assert_file_is(const char *path, const void *data, size_t size)
{
    bytes b;
    assert_int_equal(file_read(path, 1 << 20, &b), LT_OK);
    assert_int_equal(b.size, size);
    assert_memory_equal(b.data, data, size);
    bytes_clear(&b);
}

/* Names in the test's directory that start so, hidden ones too. */
static int count_names(const char *start)
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
    assert_error_has(path);
    assert_error_has("limit of 9 bytes");
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
    assert_error_has("missing");
    assert_int_equal(file_read(in_dir("missing/too"), 10, &b), LT_NOT_FOUND);
    assert_int_equal(file_read(dir, 10, &b), LT_IO);
    assert_error_has("a directory");
    const char *fifo = in_dir("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(file_read(fifo, 10, &b), LT_IO);
    assert_error_has("not a regular file");
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
            assert_error_has("larger than the limit");
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
        assert_error_has(path);
        char place[40];
        snprintf(place, sizeof place, "cut off at byte %zu", n);
        assert_error_has(place);
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
            assert_error_has(path);
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
    assert_error_has(place);
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
    assert_error_has(path);
    assert_file_is(path, "old", 3);
    assert_int_equal(count_names(".kept"), 0);
}

static void writing_to_impossible_places_fails(void **state)
{
    (void)state;
    assert_int_equal(file_write(in_dir("no/such/place"), "x", 1), LT_NOT_FOUND);
    assert_error_has("no/such/place");
    assert_int_equal(file_write(dir, "x", 1), LT_IO);
    assert_error_has("a directory");
    assert_int_equal(file_write(in_dir("new/"), "x", 1), LT_IO);
    assert_error_has("the name of a directory");
    assert_int_equal(file_append(dir, "x"), LT_IO);
    assert_int_equal(file_append(in_dir("no/log"), "x"), LT_NOT_FOUND);
}

static void only_regular_files_are_replaced(void **state)
{
    (void)state;
    const char *link = in_dir("link"), *pipe = in_dir("pipe");
    assert_int_equal(symlink("/dev/null", link), 0); /* a mistake would replace the link only */
    assert_int_equal(file_write(link, "x", 1), LT_IO);
    assert_error_has("a device");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(file_write(pipe, "x", 1), LT_IO);
    assert_error_has("not a regular file");
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
    assert_error_has("a/file");
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

/* ---- safetensors ---- */

static const float weights[6] = {1, -2.5f, 3, 1e-40f, 5, 6};
static const double losses[2] = {1e300, -0.0};
static const int64_t steps[1] = {INT64_MIN};
static const uint64_t seeds[1] = {UINT64_MAX};
static const unsigned char flags[3] = {1, 0, 255};

static const safetensors_entry sample_tensors[] = {
    {"enc/fc1.weight", SAFETENSORS_F32, 2, {2, 3}, weights},
    {"flags", SAFETENSORS_U8, 1, {3}, flags}, /* what follows is not aligned */
    {"loss \"é\"", SAFETENSORS_F64, 1, {2}, losses},
    {"empty", SAFETENSORS_F32, 3, {4, 0, 7}, NULL},
    {"step", SAFETENSORS_I64, 0, {0}, steps},
    {"seed", SAFETENSORS_U64, 1, {1}, seeds},
};
static const safetensors_pair sample_metadata[] = {
    {"recipe", "model:\n  kind: vae # \"é\"\n"}, {"format", "latent"}, {"empty", ""}};

static void write_sample(const char *path)
{
    if (safetensors_write(path, sample_tensors, COUNT_OF(sample_tensors), sample_metadata,
                          COUNT_OF(sample_metadata)) != LT_OK)
        fail_msg("%s", lt_last_error());
}

static void tensors_come_back_as_written(void **state)
{
    (void)state;
    const char *path = in_dir("sample.safetensors");
    write_sample(path);
    safetensors *f;
    assert_int_equal(safetensors_read(path, &f), LT_OK);
    assert_int_equal(f->n, COUNT_OF(sample_tensors));
    for (int i = 0; i < f->n; i++) {
        const safetensors_entry *want = &sample_tensors[i];
        unsigned char found[64] = {0};
        assert_int_equal(safetensors_get(f, want->name, want->type, want->rank, want->dims, found),
                         LT_OK);
        size_t size[] = {24, 3, 16, 0, 8, 8};
        if (size[i])
            assert_memory_equal(found, want->data, size[i]);
    }
    assert_int_equal(f->n_metadata, COUNT_OF(sample_metadata));
    assert_string_equal(safetensors_metadata(f, "recipe"), sample_metadata[0].value);
    assert_string_equal(safetensors_metadata(f, "empty"), "");
    assert_null(safetensors_metadata(f, "Format"));
    safetensors_free(f);
    safetensors_free(NULL);
}

static void same_tensors_give_same_bytes(void **state)
{
    (void)state;
    bytes a, b;
    write_sample(in_dir("first"));
    write_sample(in_dir("second"));
    assert_int_equal(file_read(in_dir("first"), 1 << 20, &a), LT_OK);
    assert_int_equal(file_read(in_dir("second"), 1 << 20, &b), LT_OK);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    assert_int_equal(a.data[0] % 8, 0); /* the data begin at a multiple of 8 */
    static const char start[] = "{\"__metadata__\":{\"recipe\":";
    assert_memory_equal(a.data + 8, start, sizeof start - 1);
    bytes_clear(&a);
    bytes_clear(&b);
}

static void file_without_tensors_is_fine(void **state)
{
    (void)state;
    const char *path = in_dir("none.safetensors");
    assert_int_equal(safetensors_write(path, NULL, 0, NULL, 0), LT_OK);
    safetensors *f;
    assert_int_equal(safetensors_read(path, &f), LT_OK);
    assert_int_equal(f->n, 0);
    assert_null(safetensors_find(f, "x"));
    safetensors_free(f);
}

static void lookup_names_what_does_not_fit(void **state)
{
    (void)state;
    const char *path = in_dir("sample.safetensors");
    write_sample(path);
    safetensors *f;
    assert_int_equal(safetensors_read(path, &f), LT_OK);
    float out[6];
    const int64_t shape[] = {3, 2};
    assert_int_equal(safetensors_get(f, "enc/fc1.wieght", SAFETENSORS_F32, 2, shape, out),
                     LT_NOT_FOUND);
    assert_error_has("no tensor \"enc/fc1.wieght\"; there is \"enc/fc1.weight\"");
    assert_error_has(path);
    assert_int_equal(safetensors_get(f, "enc/fc1.weight", SAFETENSORS_F32, 2, shape, out),
                     LT_FORMAT);
    assert_error_has("tensor \"enc/fc1.weight\": expected shape [3, 2], found [2, 3]");
    assert_int_equal(safetensors_get(f, "enc/fc1.weight", SAFETENSORS_F32, 0, NULL, out),
                     LT_FORMAT);
    assert_error_has("expected shape [], found [2, 3]");
    assert_int_equal(safetensors_get(f, "step", SAFETENSORS_U64, 0, NULL, out), LT_FORMAT);
    assert_error_has("tensor \"step\": expected U64, found I64");
    safetensors_free(f);
}

static void wrong_tensors_are_not_written(void **state)
{
    (void)state;
    const char *path = in_dir("unwritten");
    const safetensors_entry twice[] = {{"x", SAFETENSORS_U8, 1, {3}, flags},
                                       {"x", SAFETENSORS_U8, 1, {3}, flags}};
    assert_int_equal(safetensors_write(path, twice, 2, NULL, 0), LT_VALUE);
    assert_error_has("\"x\"");
    const safetensors_entry huge = {"x", SAFETENSORS_F64, 2, {INT64_MAX, INT64_MAX}, flags};
    assert_int_equal(safetensors_write(path, &huge, 1, NULL, 0), LT_VALUE);
    const safetensors_entry negative = {"x", SAFETENSORS_F64, 1, {-1}, flags};
    assert_int_equal(safetensors_write(path, &negative, 1, NULL, 0), LT_VALUE);
    const safetensors_entry reserved = {"__metadata__", SAFETENSORS_U8, 1, {3}, flags};
    assert_int_equal(safetensors_write(path, &reserved, 1, NULL, 0), LT_VALUE);
    const safetensors_entry latin = {"\xe9", SAFETENSORS_U8, 1, {3}, flags};
    assert_int_equal(safetensors_write(path, &latin, 1, NULL, 0), LT_VALUE);
    const safetensors_pair bad = {"k", "\xff"}, pairs[] = {{"k", "1"}, {"k", "2"}};
    assert_int_equal(safetensors_write(path, NULL, 0, &bad, 1), LT_VALUE);
    assert_int_equal(safetensors_write(path, NULL, 0, pairs, 2), LT_VALUE);
    assert_int_equal(safetensors_write(in_dir("no/x"), NULL, 0, NULL, 0), LT_NOT_FOUND);
    assert_false(file_exists(path));
    assert_int_equal(count_names(".unwritten"), 0);
}

/* Writes a file with this header and `n` bytes of data 0, 1, 2 ... */
static void put_safetensors(const char *path, const char *header, size_t n)
{
    text t = {0};
    uint64_t length = strlen(header);
    text_append_bytes(&t, (const char *)&length, sizeof length);
    text_append(&t, header);
    for (size_t i = 0; i < n; i++)
        text_append_bytes(&t, &(char){(char)i}, 1);
    put_file(path, t.data, t.size);
    text_clear(&t);
}

#define ONE(dtype, shape, offsets)                                                                 \
    "{\"x\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define TWO(from, to)                                                                              \
    "{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"                              \
    "\"y\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[" from "," to "]}}"

static void foreign_headers_are_understood(void **state)
{
    (void)state;
    const char *path = in_dir("foreign");
    static const struct {
        const char *header;
        size_t n;
    } right[] = {
        {ONE("\"F32\"", "[1]", "[0,4]"), 4},
        {ONE("\"F32\"", "[]", "[0,4]") "     ", 4},
        {" \n{ \"__metadata__\" : {} }", 0},
        {"{\"y\":{\"data_offsets\":[4,8],\"shape\":[4],\"dtype\":\"U8\"},"
         "\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}",
         8},
        {ONE("\"U8\"", "[0,9223372036854775807]", "[0,0]"), 0},
    };
    for (int i = 0; i < COUNT_OF(right); i++) {
        safetensors *f;
        put_safetensors(path, right[i].header, right[i].n);
        if (safetensors_read(path, &f) != LT_OK)
            fail_msg("%s", lt_last_error());
        safetensors_free(f);
    }
}

static void malformed_headers_are_refused(void **state)
{
    (void)state;
    const char *path = in_dir("malformed");
    static const struct {
        const char *header;
        size_t n;
        const char *message;
    } wrong[] = {
        {"", 0, "header, byte"},
        {"{", 0, "header, byte"},
        {"[]", 0, "not a JSON object"},
        {"3", 0, "header, byte"},
        {"{} {}", 0, "header, byte"},
        {"{\"x\":3}", 0, "tensor \"x\": expected an object"},
        {"{\"x\":{}}", 0, "tensor \"x\": expected an object"},
        {"{\"__metadata__\":[]}", 0, "__metadata__"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "metadata \"a\": expected a string"},
        {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "duplicate"},
        {ONE("\"F33\"", "[1]", "[0,4]"), 4, "found F33"},
        {ONE("\"f32\"", "[1]", "[0,4]"), 4, "found f32"},
        {ONE("4", "[1]", "[0,4]"), 4, "expected a dtype"},
        {ONE("\"F32\"", "1", "[0,4]"), 4, "expected a shape"},
        {ONE("\"F32\"", "[1.0]", "[0,4]"), 4, "expected a shape"},
        {ONE("\"F32\"", "[-1]", "[0,4]"), 4, "expected a shape"},
        {ONE("\"F32\"", "[\"1\"]", "[0,4]"), 4, "expected a shape"},
        {ONE("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "at most 8"},
        {ONE("\"F32\"", "[2]", "[0,4]"), 4, "shape [2] of F32 does not fit its 4 bytes"},
        {ONE("\"F64\"", "[1]", "[0,4]"), 4, "does not fit"},
        {ONE("\"F32\"", "[4611686018427387904,4]", "[0,0]"), 0, "does not fit"},
        {ONE("\"F32\"", "[4611686018427387905]", "[0,4]"), 4, "does not fit"},
        {ONE("\"F32\"", "[99999999999999999999]", "[0,4]"), 4, "header, byte"},
        {ONE("\"F32\"", "[1]", "[0,8]"), 4, "within 4 bytes of data, found [0, 8]"},
        {ONE("\"F32\"", "[1]", "[4,0]"), 4, "found [4, 0]"},
        {ONE("\"F32\"", "[1]", "[-4,0]"), 4, "found [-4, 0]"},
        {ONE("\"F32\"", "[1]", "[0,4,4]"), 4, "two data_offsets"},
        {ONE("\"F32\"", "[1]", "[0]"), 4, "two data_offsets"},
        {ONE("\"F32\"", "[1]", "{}"), 4, "two data_offsets"},
        {ONE("\"F32\"", "[1]", "[0,4.0]"), 4, "two data_offsets"},
        {ONE("\"F32\"", "[1]", "[0,4],\"more\":1"), 4, "expected an object"},
        {ONE("\"F32\"", "[1]", "[4,8]"), 8, "expected data at byte 0, found it at 4"},
        {ONE("\"F32\"", "[1]", "[0,4]"), 5, "5 bytes of data, of which tensors use 4"},
        {TWO("5", "9"), 9, "\"y\": expected data at byte 4, found it at 5"},
        {TWO("3", "7"), 7, "\"y\": expected data at byte 4, found it at 3"},
        {TWO("0", "4"), 4, "expected data at byte 4, found it at 0"},
        {"{\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
         "\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
         0, "duplicate"},
        {"{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0,
         "header, byte"},
        {"{\"\xff\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0, "header, byte"},
    };
    for (int i = 0; i < COUNT_OF(wrong); i++) {
        safetensors *f;
        put_safetensors(path, wrong[i].header, wrong[i].n);
        assert_int_equal(safetensors_read(path, &f), LT_FORMAT);
        assert_null(f);
        assert_error_has(path);
        assert_error_has(wrong[i].message);
    }
}

static void wrong_header_lengths_are_refused(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {0,         1,         3,          1000,
                                       100000001, INT64_MAX, UINT64_MAX, UINT64_MAX - 7};
    const char *path = in_dir("length");
    for (int i = 0; i < COUNT_OF(lengths); i++) {
        unsigned char file[10] = {[8] = '{', [9] = '}'};
        memcpy(file, &lengths[i], 8);
        put_file(path, file, sizeof file);
        safetensors *f;
        assert_int_equal(safetensors_read(path, &f), LT_FORMAT);
        assert_error_has(path);
    }
    safetensors *f;
    assert_int_equal(safetensors_read(in_dir("missing"), &f), LT_NOT_FOUND);
}

static void safetensors_cut_anywhere_is_refused(void **state)
{
    (void)state;
    const char *path = in_dir("cut.safetensors");
    write_sample(path);
    bytes b;
    assert_int_equal(file_read(path, 1 << 20, &b), LT_OK);
    for (size_t n = 0; n < b.size; n++) {
        put_file(path, b.data, n);
        safetensors *f;
        assert_int_equal(safetensors_read(path, &f), LT_FORMAT);
    }
    bytes_clear(&b);
}

static void damaged_safetensors_are_refused_or_read_inside_the_file(void **state)
{
    (void)state;
    static const char damage[] = "\0 \"0129{}[],:-.\\x\xff";
    const char *path = in_dir("damaged.safetensors");
    write_sample(path);
    bytes b;
    assert_int_equal(file_read(path, 1 << 20, &b), LT_OK);
    size_t header_end = 8 + (size_t)b.data[0] + ((size_t)b.data[1] << 8);
    for (size_t i = 0; i < header_end; i++)
        for (size_t k = 0; k < sizeof damage - 1; k++) {
            unsigned char before = b.data[i];
            b.data[i] = (unsigned char)damage[k];
            FILE *file = fopen(path, "wb"); /* not synchronized: there are thousands */
            assert_int_equal(fwrite(b.data, 1, b.size, file), b.size);
            assert_int_equal(fclose(file), 0);
            b.data[i] = before;
            safetensors *f;
            int status = safetensors_read(path, &f);
            assert_true(status == LT_OK || status == LT_FORMAT);
            for (int t = 0; status == LT_OK && t < f->n; t++) {
                unsigned char out[64];
                const safetensors_entry *e = &f->tensors[t];
                assert_int_equal(safetensors_get(f, e->name, e->type, e->rank, e->dims, out),
                                 LT_OK);
            }
            safetensors_free(f);
        }
    bytes_clear(&b);
}

/* What the 16 bits of a half stand for, by the definition of the format. */
static double half_by_definition(unsigned h)
{
    int exponent = (int)(h >> 10 & 31), fraction = (int)(h & 1023);
    double value = exponent == 0   ? ldexp(fraction, -24)
                   : exponent < 31 ? ldexp(1024 + fraction, exponent - 25)
                   : fraction == 0 ? (double)INFINITY
                                   : (double)NAN;
    return h & 0x8000 ? -value : value;
}

static void short_floats_widen_exactly(void **state)
{
    (void)state;
    const char *path = in_dir("half");
    text t = {0};
    static const char *const names[] = {"F16", "BF16"};
    static float out[65536];
    static const int64_t shape[] = {65536};
    for (int type = 0; type < 2; type++) {
        text header = {0};
        text_format(&header, ONE("\"%s\"", "[65536]", "[0,131072]"), names[type]);
        uint64_t length = header.size;
        text_append_bytes(&t, (const char *)&length, sizeof length);
        text_append(&t, header.data);
        text_clear(&header);
        for (uint32_t h = 0; h < 65536; h++)
            text_append_bytes(&t, (const char *)&(uint16_t){(uint16_t)h}, 2);
        put_file(path, t.data, t.size);
        text_clear(&t);
        safetensors *f;
        assert_int_equal(safetensors_read(path, &f), LT_OK);
        assert_int_equal(safetensors_get(f, "x", SAFETENSORS_F64, 1, shape, out), LT_FORMAT);
        assert_int_equal(safetensors_get(f, "x", SAFETENSORS_F32, 1, shape, out), LT_OK);
        safetensors_free(f);
        for (uint32_t h = 0; h < 65536; h++) {
            uint32_t bits, want = h << 16;
            memcpy(&bits, &out[h], sizeof bits);
            if (type == 1)
                assert_int_equal(bits, want);
            else if (isnan(half_by_definition(h)))
                assert_true(isnan(out[h]));
            else
                assert_true((double)out[h] == half_by_definition(h) && bits >> 31 == h >> 15);
        }
    }
}

/* ---- Pictures ---- */

static void assert_png_is(const char *path, const lt_image *want)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&png, path));
    assert_int_equal(png.width, want->width);
    assert_int_equal(png.height, want->height);
    assert_int_equal(png.format, want->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB);
    size_t size = PNG_IMAGE_SIZE(png);
    unsigned char *pixels = must_alloc(size);
    assert_true(png_image_finish_read(&png, NULL, pixels, 0, NULL));
    assert_memory_equal(pixels, want->pixels, size);
    free(pixels);
}

static void png_reads_back_the_same(void **state)
{
    (void)state;
    unsigned char pixels[5 * 7 * 3];
    for (int i = 0; i < COUNT_OF(pixels); i++)
        pixels[i] = (unsigned char)(i * 37);
    const lt_image rgb = {5, 7, 3, pixels}, gray = {15, 7, 1, pixels};
    const char *path = in_dir("x.png");
    assert_int_equal(lt_image_write(path, &rgb), LT_OK);
    assert_png_is(path, &rgb);
    assert_int_equal(lt_image_write(path, &gray), LT_OK);
    assert_png_is(path, &gray);
    assert_int_equal(count_names(".x.png"), 0);
}

static void png_of_nothing_is_refused(void **state)
{
    (void)state;
    unsigned char pixels[16] = {0};
    const lt_image wrong[] = {{0, 2, 1, pixels}, {2, -1, 1, pixels}, {2, 2, 2, pixels},
                              {2, 2, 4, pixels}, {2, 2, 1, NULL},    {0}};
    for (int i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(lt_image_write(in_dir("wrong.png"), &wrong[i]), LT_VALUE);
    assert_false(file_exists(in_dir("wrong.png")));
    assert_int_equal(lt_image_write(in_dir("no/x.png"), &(lt_image){2, 2, 1, pixels}),
                     LT_NOT_FOUND);
}

static void grid_places_zooms_and_clamps(void **state)
{
    (void)state;
    /* three images of 1 x 2 */
    static const float images[] = {0, 1, .5f, -3, 7, INFINITY};
    const lt_image_grid_options o = {.columns = 2, .zoom = 2, .gap = 1, .background = {9, 9, 9}};
    lt_image grid;
    assert_int_equal(lt_image_grid(images, 3, 1, 2, 1, &o, &grid), LT_OK);
    static const unsigned char want[7 * 11] = {9, 9,   9,   9,   9,   9, 9,   9,   9, 9, 9, /* */
                                               9, 0,   0,   255, 255, 9, 128, 128, 0, 0, 9, /* */
                                               9, 0,   0,   255, 255, 9, 128, 128, 0, 0, 9, /* */
                                               9, 9,   9,   9,   9,   9, 9,   9,   9, 9, 9, /* */
                                               9, 255, 255, 255, 255, 9, 9,   9,   9, 9, 9, /* */
                                               9, 255, 255, 255, 255, 9, 9,   9,   9, 9, 9, /* */
                                               9, 9,   9,   9,   9,   9, 9,   9,   9, 9, 9};
    assert_int_equal(grid.width, 11);
    assert_int_equal(grid.height, 7);
    assert_int_equal(grid.channels, 1);
    assert_memory_equal(grid.pixels, want, sizeof want);
    lt_image_clear(&grid);
    lt_image_clear(NULL);
    assert_null(grid.pixels);
}

static void grid_draws_nan_magenta(void **state)
{
    (void)state;
    static const float gray[] = {1, NAN}, color[] = {0, .2f, 1, 1, NAN, 0};
    static const unsigned char want_gray[] = {255, 255, 255, 255, 0, 255};
    static const unsigned char want_color[] = {0, 51, 255, 255, 0, 255};
    const lt_image_grid_options o = {.zoom = 1};
    lt_image grid;
    assert_int_equal(lt_image_grid(gray, 1, 1, 2, 1, &o, &grid), LT_OK);
    assert_int_equal(grid.channels, 3);
    assert_memory_equal(grid.pixels, want_gray, sizeof want_gray);
    lt_image_clear(&grid);
    assert_int_equal(lt_image_grid(color, 1, 1, 2, 3, &o, &grid), LT_OK);
    assert_memory_equal(grid.pixels, want_color, sizeof want_color);
    lt_image_clear(&grid);
}

static void grid_has_pleasant_defaults(void **state)
{
    (void)state;
    float *images = must_alloc(10 * 28 * 28 * sizeof *images);
    lt_image grid;
    assert_int_equal(lt_image_grid(images, 10, 28, 28, 1, NULL, &grid), LT_OK);
    assert_int_equal(grid.width, 4 * 28 * 3); /* 4 columns, 3 rows, zoom 3, no gap */
    assert_int_equal(grid.height, 3 * 28 * 3);
    assert_int_equal(lt_image_write(in_dir("grid.png"), &grid), LT_OK);
    assert_png_is(in_dir("grid.png"), &grid);
    lt_image_clear(&grid);
    const lt_image_grid_options red = {.background = {255, 0, 0}};
    assert_int_equal(lt_image_grid(images, 3, 28, 28, 1, &red, &grid), LT_OK);
    assert_int_equal(grid.channels, 3);
    assert_int_equal(grid.pixels[3 * (168 * 168 - 1)], 255); /* the empty place */
    lt_image_clear(&grid);
    free(images);
}

static bool refuse(void *user, size_t n)
{
    (void)user;
    (void)n;
    return false;
}

static void grid_of_wrong_sizes_is_refused(void **state)
{
    (void)state;
    static const float x[12];
    static const struct {
        int n, h, w, c;
        lt_image_grid_options o;
    } wrong[] = {
        {.n = 0, .h = 1, .w = 1, .c = 1},
        {.n = 1, .h = 0, .w = 1, .c = 1},
        {.n = 1, .h = 1, .w = -1, .c = 1},
        {.n = 1, .h = 1, .w = 1, .c = 2},
        {.n = 1, .h = 1, .w = 1, .c = 4},
        {.n = 1, .h = 1, .w = 1, .c = 1, .o.columns = -1},
        {.n = 1, .h = 1, .w = 1, .c = 1, .o.zoom = -1},
        {.n = 1, .h = 1, .w = 1, .c = 1, .o.gap = -1},
        {.n = 1, .h = 1, .w = 1, .c = 1, .o.gap = INT32_MAX},
        {.n = 1, .h = 1, .w = 1, .c = 1, .o.zoom = INT32_MAX},
        {.n = 1, .h = 1, .w = 1, .c = 1, .o.columns = INT32_MAX},
        {.n = INT32_MAX, .h = 1, .w = 1, .c = 1, .o.columns = 1},
        {.n = 1, .h = INT32_MAX, .w = INT32_MAX, .c = 1},
        {.n = 1, .h = 1, .w = 1, .c = 3, .o.zoom = 60000},
    };
    for (int i = 0; i < COUNT_OF(wrong); i++) {
        lt_image grid = {.width = 1};
        assert_int_equal(
            lt_image_grid(x, wrong[i].n, wrong[i].h, wrong[i].w, wrong[i].c, &wrong[i].o, &grid),
            LT_VALUE);
        assert_error_has("image grid");
        assert_int_equal(grid.width, 0);
        assert_null(grid.pixels);
    }
    lt_image grid;
    lt_set_allow_memory(refuse, NULL);
    assert_int_equal(lt_image_grid(x, 1, 1, 1, 1, NULL, &grid), LT_NO_MEMORY);
    lt_set_allow_memory(NULL, NULL);
    assert_null(grid.pixels);
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
        cmocka_unit_test(tensors_come_back_as_written),
        cmocka_unit_test(same_tensors_give_same_bytes),
        cmocka_unit_test(file_without_tensors_is_fine),
        cmocka_unit_test(lookup_names_what_does_not_fit),
        cmocka_unit_test(wrong_tensors_are_not_written),
        cmocka_unit_test(foreign_headers_are_understood),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(wrong_header_lengths_are_refused),
        cmocka_unit_test(safetensors_cut_anywhere_is_refused),
        cmocka_unit_test(damaged_safetensors_are_refused_or_read_inside_the_file),
        cmocka_unit_test(short_floats_widen_exactly),
        cmocka_unit_test(png_reads_back_the_same),
        cmocka_unit_test(png_of_nothing_is_refused),
        cmocka_unit_test(grid_places_zooms_and_clamps),
        cmocka_unit_test(grid_draws_nan_magenta),
        cmocka_unit_test(grid_has_pleasant_defaults),
        cmocka_unit_test(grid_of_wrong_sizes_is_refused),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
