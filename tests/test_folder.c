/* SPDX-License-Identifier: MIT */
/* Folders and zip files of pictures as sets: splits, classes, order, what is left out, the cache.
 */
#include "data_files.h"
#include "picture_files.h"

#include "data/cache.h"
#include "data/folder.h"
#include "data/listing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>

/* ---- Pictures whose content says which they are ---- */

/* A 4 x 3 PNG of one color. */
static bytes plain(int c, unsigned char value)
{
    unsigned char pixels[4 * 3 * 4];
    memset(pixels, value, sizeof pixels);
    return make_png8(4, 3, c, pixels);
}

/* Unlike file_write, does not wait for the disk. */
static void write_quickly(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static void put_bytes(const char *name, bytes b)
{
    char *path = must_copy_text(in_dir(name)), *slash = strrchr(path, '/');
    *slash = 0;
    assert_int_equal(file_make_directories(path), LT_OK);
    *slash = '/';
    write_quickly(path, b.data, b.size);
    free(path);
    bytes_clear(&b);
}

static void put_plain(const char *name, unsigned char value) { put_bytes(name, plain(3, value)); }

static char warned[4096], informed[4096];

static void keep_log(void *user, lt_log_level level, const char *line)
{
    (void)user;
    char *to = level == LT_LOG_WARNING ? warned : informed;
    size_t n = strlen(to);
    snprintf(to + n, sizeof warned - n, "%s\n", line);
}

static void forget_log(void) { warned[0] = informed[0] = 0; }

static int make_picture_dir(void **state)
{
    int status = make_data_dir(state);
    setenv("XDG_CACHE_HOME", in_dir("cache"), 1);
    forget_log();
    lt_set_log(keep_log, NULL);
    return status;
}

static int remove_picture_dir(void **state)
{
    lt_set_log(NULL, NULL);
    lt_set_data_progress(NULL, NULL);
    lt_set_allow_memory(NULL, NULL);
    unsetenv("XDG_CACHE_HOME");
    return remove_dir(state);
}

/* The first byte of each image of a split, and their labels, as words. */
static const char *values_of(const lt_dataset *d, lt_split split)
{
    static char words[4096];
    const lt_dataset_info *f = lt_dataset_describe(d);
    float *x = gather_all(d, split, 0, 7, 2);
    size_t pixels = (size_t)(f->h * f->w * f->c), n = 0;
    words[0] = 0;
    for (int32_t i = 0; i < f->n[split]; i++) {
        int32_t label = -1;
        if (f->has_labels[split])
            assert_int_equal(lt_dataset_labels(d, split, &i, 1, &label), LT_OK);
        n += (size_t)snprintf(words + n, sizeof words - n, "%s%d", i ? " " : "",
                              (int)(x[(size_t)i * pixels] * 255 + 0.5f));
        if (label >= 0)
            n += (size_t)snprintf(words + n, sizeof words - n, ":%d", (int)label);
    }
    free(x);
    return words;
}

static void check_split(const char *path, const lt_data_options *o, lt_split split,
                        const char *want)
{
    lt_dataset *d = must_open(path, o);
    assert_string_equal(values_of(d, split), want);
    lt_dataset_free(d);
}

static void check_fails(const char *path, const lt_data_options *o, int status, const char *words)
{
    lt_dataset *d;
    int found = lt_dataset_open(path, o, &d);
    if (found != status)
        fail_msg("%s: expected %s, found %s: %s", path, lt_status_name(status),
                 lt_status_name(found), lt_last_error());
    assert_null(d);
    assert_says(words);
}

static void assert_warned(const char *words)
{
    if (!strstr(warned, words))
        fail_msg("expected '%s' in the warnings: %s", words, warned);
}

/* ---- Splits, classes, order ---- */

static void splits_and_classes_are_folders(void **state)
{
    (void)state;
    put_plain("set/train/dog/2.png", 12);
    put_plain("set/train/dog/1.png", 11);
    put_plain("set/train/cat/b/deep/9.png", 3);
    put_plain("set/train/cat/a.png", 1);
    put_plain("set/train/cat/b.png", 2); /* '.' is less than '/' */
    put_plain("set/train/cat/c.png", 4);
    put_plain("set/val/dog/1.png", 21);
    put_plain("set/Test/cat/1.png", 31);
    put_plain("set/Test/dog/1.png", 32);
    lt_dataset *d = must_open(in_dir("set"), NULL);
    const lt_dataset_info *f = lt_dataset_describe(d);
    assert_int_equal(f->n[LT_TRAIN], 6);
    assert_int_equal(f->classes, 2);
    assert_string_equal(f->class_names[0], "cat");
    assert_string_equal(f->class_names[1], "dog");
    assert_int_equal(f->h * 100 + f->w * 10 + f->c, 343);
    assert_string_equal(f->name, "set");
    /* cats at 1/8, 3/8, 5/8, 7/8, dogs at 1/4, 3/4 of the way */
    assert_string_equal(values_of(d, LT_TRAIN), "1:0 11:1 2:0 3:0 12:1 4:0");
    assert_string_equal(values_of(d, LT_VALID), "21:1");
    assert_string_equal(values_of(d, LT_TEST), "31:0 32:1");
    lt_dataset_free(d);
    assert_string_equal(warned, "");
}

static void without_splits_all_is_train(void **state)
{
    (void)state;
    put_plain("set/only/wrapped/bus/1.png", 1);
    put_plain("set/only/wrapped/car/1.png", 2);
    put_plain("set/only/wrapped/train/1.png", 3); /* a vehicle */
    check_split(in_dir("set"), NULL, LT_TRAIN, "1:0 2:1 3:2");
    put_plain("one/train/1.png", 7); /* the only folder holds everything, and is no class */
    put_plain("one/train/2.png", 8);
    check_split(in_dir("one"), NULL, LT_TRAIN, "7 8");
    put_plain("flat/b.png", 9);
    put_plain("flat/B.png", 10);
    put_plain("flat/10.png", 11);
    check_split(in_dir("flat"), NULL, LT_TRAIN, "11 10 9");
    assert_string_equal(warned, "");
}

static void labels_are_for_all_or_for_none(void **state)
{
    (void)state;
    put_plain("set/train/a/1.png", 1);
    put_plain("set/train/b/1.png", 2);
    put_plain("set/test/1.png", 3);
    put_plain("set/test/b/1.png", 4);
    lt_dataset *d = must_open(in_dir("set"), NULL);
    assert_string_equal(values_of(d, LT_TRAIN), "1:0 2:1");
    assert_string_equal(values_of(d, LT_TEST), "3 4");
    lt_dataset_free(d);
    assert_warned("the test split has no labels: test/1.png lies in no folder of a class");
    put_plain("set/train/0.png", 5);
    check_split(in_dir("set"), NULL, LT_TRAIN, "5 1 2");
    assert_warned("the train split has no labels: train/0.png");
}

static void more_classes_than_labels(void **state)
{
    (void)state;
    for (int i = 0; i < 257; i++) {
        char name[32];
        snprintf(name, sizeof name, "set/%03d/x.png", i);
        put_plain(name, (unsigned char)i);
    }
    lt_dataset *d = must_open(in_dir("set"), NULL);
    assert_false(lt_dataset_describe(d)->has_labels[LT_TRAIN]);
    assert_null(lt_dataset_describe(d)->class_names);
    lt_dataset_free(d);
    assert_warned("257 folders of classes, expected at most 256");
    remove_tree(in_dir("set/000"));
    d = must_open(in_dir("set"), NULL);
    assert_int_equal(lt_dataset_describe(d)->classes, 256);
    assert_string_equal(lt_dataset_describe(d)->class_names[255], "256");
    lt_dataset_free(d);
}

static void what_is_no_picture_is_left_out(void **state)
{
    (void)state;
    put_plain("set/train/1.png", 1);
    put_plain("set/train/.hidden.png", 2);
    put_plain("set/train/__MACOSX/1.png", 3);
    put_plain("set/test/1.PNG", 4);
    put_plain("set/preview/1.png", 5);
    put_plain("set/.git/1.png", 6);
    put("set/readme.txt", "hello", 5);
    put("set/train/Thumbs.db", "x", 1);
    put("set/train/a.gif", "GIF89a", 6);
    lt_dataset *d = must_open(in_dir("set"), NULL);
    assert_string_equal(values_of(d, LT_TRAIN), "1");
    assert_string_equal(values_of(d, LT_TEST), "4");
    lt_dataset_free(d);
    assert_warned(
        "1 pictures outside the folders of the splits are skipped: preview/1.png");
    assert_non_null(strstr(informed, "2 files without an image extension are skipped: "
                                     "readme.txt ..."));
    assert_non_null(strstr(informed, "1 train, 1 test pictures"));
}

static void empty_places_are_errors(void **state)
{
    (void)state;
    assert_int_equal(file_make_directories(in_dir("none")), LT_OK);
    check_fails(in_dir("none"), NULL, LT_NOT_FOUND,
                "expected pictures (.png, .jpg, .webp, .ppm, "
                ".pgm, .pbm), or the files of a data set, found "
                "nothing; the directory lacks train-images");
    put("none/a.txt", "x", 1);
    put("none/b.gif", "x", 1);
    check_fails(in_dir("none"), NULL, LT_NOT_FOUND, "found 2 files: a.txt ...");
    put_plain("set/train/1.png", 1);
    assert_int_equal(file_make_directories(in_dir("set/test/cat")), LT_OK);
    check_fails(in_dir("set"), NULL, LT_NOT_FOUND,
                "expected pictures in its folder 'test', found none");
    put_zip(in_dir("empty.zip"), (zip_item[]){{"a.txt", {(unsigned char *)"x", 1}, false}}, 1);
    check_fails(in_dir("empty.zip"), NULL, LT_NOT_FOUND, "found 1 other files: a.txt");
    put("bad.zip", "PK\3\4 and nothing more, but longer than a header of thirty bytes", 62);
    check_fails(in_dir("bad.zip"), NULL, LT_FORMAT, "expected a zip file, found: ");
}

static void links_are_followed_but_not_in_circles(void **state)
{
    (void)state;
    put_plain("elsewhere/1.png", 1);
    put_plain("set/b/2.png", 2);
    assert_int_equal(symlink("../elsewhere", in_dir("set/a")), 0);
    assert_int_equal(symlink("..", in_dir("set/b/up")), 0);
    assert_int_equal(symlink("nowhere.png", in_dir("set/b/broken.png")), 0);
    check_split(in_dir("set"), NULL, LT_TRAIN, "2:1 1:0");
    assert_warned("set/b/up: a link to a folder above it; skipped");
    assert_warned("cannot read");
    assert_warned("set/b/broken.png: No such file or directory; skipped");
}

/* ---- Zip files ---- */

static void zip_files_are_folders(void **state)
{
    (void)state;
    bytes a = plain(3, 1), b = plain(3, 2), c = plain(3, 3);
    const zip_item train[] = {{"train/", {0}, false},
                              {"train/dog/1.png", b, false},
                              {"train/cat/1.png", a, true},
                              {"__MACOSX/train/cat/._1.png", a, false},
                              {"train/notes.txt", a, false}};
    const zip_item test[] = {{"test/dog/5.png", c, true}};
    put_zip(in_dir("alone.zip"), train, COUNT_OF(train));
    check_split(in_dir("alone.zip"), NULL, LT_TRAIN, "1:0 2:1");
    assert_int_equal(file_make_directories(in_dir("set")), LT_OK);
    put_zip(in_dir("set/train.zip"), train, COUNT_OF(train));
    put_zip(in_dir("set/test.zip"), test, COUNT_OF(test));
    check_split(in_dir("set"), NULL, LT_TRAIN, "1:0 2:1");
    check_split(in_dir("set"), NULL, LT_TEST, "3:1");
    put_plain("set/test/cat/1.png", 9); /* unpacked by now */
    check_split(in_dir("set"), NULL, LT_TEST, "9:0");
    remove_tree(in_dir("set/test"));
    const zip_item both[] = {{"my/train/a/1.png", a, false},
                             {"my/train/b/1.png", b, false},
                             {"my/test/a/1.png", c, true}};
    put_zip(in_dir("both.zip"), both, COUNT_OF(both));
    check_split(in_dir("both.zip"), NULL, LT_TEST, "3:0");
    put_zip(in_dir("set/test.zip"), (zip_item[]){{"a.txt", a, false}}, 1);
    check_fails(in_dir("set"), NULL, LT_NOT_FOUND,
                "expected pictures in its folder 'test', found none");
    bytes_clear(&a);
    bytes_clear(&b);
    bytes_clear(&c);
}

static void damaged_entries_are_left_out(void **state)
{
    (void)state;
    bytes a = plain(3, 1), b = plain(3, 77);
    put_zip(in_dir("set.zip"), (zip_item[]){{"1.png", a, false}, {"2.png", b, false}}, 2);
    bytes zip;
    assert_int_equal(file_read(in_dir("set.zip"), 1 << 20, &zip), LT_OK);
    for (size_t i = 0; i + b.size < zip.size; i++)
        if (memcmp(zip.data + i, b.data, b.size) == 0)
            zip.data[i + b.size / 2] ^= 0x10;
    write_quickly(in_dir("set.zip"), zip.data, zip.size);
    check_split(in_dir("set.zip"), NULL, LT_TRAIN, "1");
    assert_warned("set.zip/2.png: cannot be unpacked: CRC error; skipped");
    /* any damage to the file is an error or fewer pictures, never a crash */
    for (size_t i = 0; i < zip.size; i++) {
        lt_dataset *d;
        zip.data[i] ^= 0xff;
        write_quickly(in_dir("set.zip"), zip.data, zip.size);
        lt_dataset_open(in_dir("set.zip"), NULL, &d);
        lt_dataset_free(d);
        zip.data[i] ^= 0xff;
    }
    bytes_clear(&a);
    bytes_clear(&b);
    bytes_clear(&zip);
}

/* ---- Sizes and colors ---- */

static void sizes_must_agree(void **state)
{
    (void)state;
    unsigned char pixels[64] = {0};
    put_plain("set/a.png", 1);
    put_plain("set/c.png", 3);
    put_bytes("set/b.png", make_png8(2, 5, 3, pixels));
    put_bytes("set/d.png", make_png8(5, 2, 3, pixels));
    char want[512];
    snprintf(
        want, sizeof want,
        "%s: expected a picture of 3 x 4 x 3 (height, width, channels) like %s, found 5 x 2 x 3; "
        "the data option resize=",
        in_dir("set/b.png"), in_dir("set/a.png"));
    check_fails(in_dir("set"), NULL, LT_FORMAT, want);
    check_split(in_dir("set"), &(lt_data_options){.resize = "3x4"}, LT_TRAIN, "1 0 3 0");
    put_bytes("mixed/a.png", plain(1, 50));
    put_bytes("mixed/b.png", plain(3, 60));
    check_fails(in_dir("mixed"), NULL, LT_FORMAT,
                "found 3 x 4 x 3; the data option channels=1 makes all gray");
    check_split(in_dir("mixed"), &(lt_data_options){.channels = 3}, LT_TRAIN, "50 60");
    lt_dataset *d = must_open(in_dir("mixed"), &(lt_data_options){.channels = 1, .resize = "2"});
    const lt_dataset_info *f = lt_dataset_describe(d);
    assert_int_equal(f->h * 100 + f->w * 10 + f->c, 221);
    assert_string_equal(values_of(d, LT_TRAIN), "50 60");
    lt_dataset_free(d);
}

/* ---- Unreadable pictures ---- */

static void unreadable_pictures_are_told_and_left_out(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "set/%c/%02d.png", i % 2 ? 'a' : 'b', i);
        if (i < 12)
            put_bytes(name, (bytes){(unsigned char *)must_copy_text("P5 x"), 4});
        else
            put_plain(name, (unsigned char)i);
    }
    const char *want = "13:0 12:1 15:0 14:1 17:0 16:1 19:0 18:1 21:0 20:1 23:0 22:1 25:0 24:1 27:0 "
                       "26:1 29:0 28:1 31:0 30:1 33:0 32:1 35:0 34:1 37:0 36:1 39:0 38:1";
    for (int again = 0; again < 2; again++) { /* from the files, from the cache */
        forget_log();
        check_split(in_dir("set"), NULL, LT_TRAIN, want);
        int lines = 0;
        for (const char *c = warned; *c; c++)
            lines += *c == '\n';
        assert_int_equal(lines, 11);
        assert_warned("set/b/08.png: at byte 3: expected a width, found byte 78; skipped");
        assert_warned("set: 2 more of 40 pictures cannot be read and are skipped");
        check_fails(in_dir("set"), &(lt_data_options){.strict = true}, LT_FORMAT,
                    "set/a/01.png: at byte 3: expected a width");
    }
    for (int i = 12; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "set/%c/%02d.png", i % 2 ? 'a' : 'b', i);
        unlink(in_dir(name));
    }
    check_fails(in_dir("set"), NULL, LT_FORMAT,
                "set/a/01.png: at byte 3: expected a width, found byte 78; no other picture can be read");
    put_plain("two/train/1.png", 1);
    put("two/test.png", "", 0);
    assert_int_equal(file_make_directories(in_dir("two/test")), LT_OK);
    assert_int_equal(rename(in_dir("two/test.png"), in_dir("two/test/1.png")), 0);
    check_fails(in_dir("two"), NULL, LT_FORMAT, "none of the 1 pictures of the test split can be");
}

/* ---- Threads, progress, memory ---- */

static lt_dataset *open_with(const char *path, int threads)
{
    const transform t = {.h = 5, .w = 7, .c = 1, .crop = CROP_CENTER};
    lt_data_options o = {.resize = "5x7", .channels = 1};
    lt_dataset *d = dataset_create("set", path, &o);
    assert_int_equal(folder_open(d, path, &t, false, threads), LT_OK);
    assert_int_equal(dataset_finish(d), LT_OK);
    return d;
}

static void same_bytes_with_any_number_of_threads(void **state)
{
    (void)state;
    zip_item items[60];
    char names[60][32];
    unsigned char pixels[30 * 30 * 3];
    for (int i = 0; i < 60; i++) {
        for (int k = 0; k < (int)sizeof pixels; k++)
            pixels[k] = (unsigned char)(i * 7 + k * k / (i + 1));
        snprintf(names[i], sizeof names[i], "%d/%d.png", i % 3, i);
        items[i] = (zip_item){names[i], make_png8(10 + i % 20, 30 - i % 20, 3, pixels), i % 2};
        if (i % 10 == 9)
            items[i].content.size /= 2;
    }
    put_zip(in_dir("set.zip"), items, 60);
    static const int threads[] = {1, 2, 3, 8};
    float *want = NULL;
    for (int i = 0; i < COUNT_OF(threads); i++) {
        remove_tree(in_dir("cache"));
        lt_dataset *d = open_with(in_dir("set.zip"), threads[i]);
        assert_int_equal(lt_dataset_describe(d)->n[LT_TRAIN], 54);
        float *x = gather_all(d, LT_TRAIN, 0, 10, 1);
        if (want) {
            assert_memory_equal(x, want, 54 * 35 * sizeof *x);
            free(x);
        } else {
            want = x;
        }
        lt_dataset_free(d);
    }
    lt_dataset *d = open_with(in_dir("set.zip"), 2); /* from the cache */
    float *x = gather_all(d, LT_TRAIN, 0, 54, 1);
    assert_memory_equal(x, want, 54 * 35 * sizeof *x);
    lt_dataset_free(d);
    free(x);
    free(want);
    for (int i = 0; i < 60; i++)
        bytes_clear(&items[i].content);
}

typedef struct told {
    int64_t calls, last, total, stop_at;
} told;

static bool hear(void *user, const char *place, int64_t done, int64_t total)
{
    told *t = user;
    assert_non_null(strstr(place, "/set"));
    assert_true((done >= t->last || t->last == t->total) && done <= total); /* or it began anew */
    t->calls++;
    t->last = done;
    t->total = total;
    return !t->stop_at || done < t->stop_at;
}

static void progress_is_told_and_stops(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "set/%02d.png", i);
        put_plain(name, 1);
    }
    told t = {.stop_at = 3};
    lt_set_data_progress(hear, &t);
    check_fails(in_dir("set"), NULL, LT_INTERRUPTED, "reading was stopped");
    t = (told){0};
    lt_dataset_free(must_open(in_dir("set"), NULL));
    assert_int_equal(t.last, 20);
    assert_int_equal(t.total, 20);
    int64_t calls = t.calls;
    lt_dataset_free(must_open(in_dir("set"), NULL)); /* nothing to decode */
    assert_int_equal(t.calls, calls);
}

static bool allow_few(void *user, size_t size)
{
    int *left = user;
    (void)size;
    return (*left)-- > 0;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    put_plain("set/train/a/1.png", 1);
    put_plain("set/train/b/1.png", 2);
    put_plain("set/test/b/1.png", 2);
    const transform t = {.h = 5, .w = 7, .crop = CROP_FIT};
    int failures = 0;
    for (int n = 0;; n++) {
        int left = n;
        remove_tree(in_dir("cache"));
        lt_dataset *d = dataset_create("set", in_dir("set"), NULL);
        lt_set_allow_memory(allow_few, &left);
        int status = folder_open(d, in_dir("set"), &t, false, 1);
        lt_set_allow_memory(NULL, NULL);
        lt_dataset_free(d);
        if (status == LT_OK)
            break;
        assert_int_equal(status, LT_NO_MEMORY);
        failures++;
    }
    assert_true(failures >= 6); /* the first, the block, three pictures, labels */
}

/* ---- The cache ---- */

static char cache_file[512];

/* The one file of the cache; how many there are. */
static int find_cached(void)
{
    char **names;
    int n;
    if (file_list(in_dir("cache/latent/pictures"), NULL, &names, &n) != LT_OK)
        return 0;
    if (n)
        snprintf(cache_file, sizeof cache_file, "%s/%s", in_dir("cache/latent/pictures"), names[0]);
    file_list_free(names, n);
    return n;
}

static void the_cache_is_used_until_files_change(void **state)
{
    (void)state;
    put_plain("set/a/1.png", 1);
    put_plain("set/b/1.png", 2);
    told t = {0};
    lt_set_data_progress(hear, &t);
    check_split(in_dir("set"), NULL, LT_TRAIN, "1:0 2:1");
    assert_int_equal(find_cached(), 1);
    int64_t calls = t.calls;
    check_split(in_dir("set"), NULL, LT_TRAIN, "1:0 2:1");
    assert_int_equal(t.calls, calls);
    put_plain("set/b/1.png", 3); /* the same size, the same moment almost */
    check_split(in_dir("set"), NULL, LT_TRAIN, "1:0 3:1");
    struct stat s;
    assert_int_equal(stat(in_dir("set/b/1.png"), &s), 0);
    FILE *f = fopen(in_dir("set/b/1.png"), "rb+"); /* in place, and the time set back */
    bytes b = plain(3, 4);
    assert_int_equal(fwrite(b.data, 1, b.size, f), b.size);
    assert_int_equal(fclose(f), 0);
    bytes_clear(&b);
    assert_int_equal(
        utimensat(AT_FDCWD, in_dir("set/b/1.png"), (struct timespec[]){s.st_atim, s.st_mtim}, 0),
        0);
    check_split(in_dir("set"), NULL, LT_TRAIN, "1:0 4:1");
    assert_int_equal(find_cached(), 3);
    check_split(in_dir("set"), &(lt_data_options){.channels = 1}, LT_TRAIN, "1:0 4:1");
    check_split(in_dir("set"), &(lt_data_options){.channels = 3}, LT_TRAIN, "1:0 4:1");
    check_split(in_dir("set"), &(lt_data_options){.resize = "3x4"}, LT_TRAIN, "1:0 4:1");
    check_split(in_dir("set"), &(lt_data_options){.resize = "3x4", .crop = LT_CROP_FIT}, LT_TRAIN,
                "1:0 4:1");
    assert_int_equal(find_cached(), 7);
    assert_int_equal(rename(in_dir("set"), in_dir("set2")), 0); /* the same files */
    calls = t.calls;
    check_split(in_dir("set2"), NULL, LT_TRAIN, "1:0 4:1");
    assert_int_equal(t.calls, calls);
}

static void a_zip_is_known_by_its_content(void **state)
{
    (void)state;
    bytes a = plain(3, 1), b = plain(3, 2), c = plain(3, 3);
    put_zip(in_dir("one.zip"), (zip_item[]){{"a/1.png", a, false}, {"b/1.png", b, false}}, 2);
    check_split(in_dir("one.zip"), NULL, LT_TRAIN, "1:0 2:1");
    put_zip(in_dir("two.zip"), (zip_item[]){{"b/1.png", b, true}, {"a/1.png", a, true}}, 2);
    check_split(in_dir("two.zip"), NULL, LT_TRAIN, "1:0 2:1");
    assert_int_equal(find_cached(), 2); /* two files, whose CRCs alone prove nothing */
    check_split(in_dir("one.zip"), NULL, LT_TRAIN, "1:0 2:1");
    assert_int_equal(find_cached(), 2);
    put_zip(in_dir("two.zip"), (zip_item[]){{"b/1.png", c, true}, {"a/1.png", a, true}}, 2);
    check_split(in_dir("two.zip"), NULL, LT_TRAIN, "1:0 3:1");
    assert_int_equal(find_cached(), 3);
    bytes_clear(&a);
    bytes_clear(&b);
    bytes_clear(&c);
}

/* Sets the last four bytes so that the CRC-32 is `want`: each of their bits flips a fixed pattern of it, and
   the 32 patterns are independent. */
static void forge_crc(unsigned char *data, size_t size, uLong want)
{
    unsigned char *last = data + size - 4;
    uint32_t pattern[32], bits[32];
    memset(last, 0, 4);
    uint32_t zero = (uint32_t)crc32(0, data, (uInt)size), left = zero ^ (uint32_t)want, flips = 0;
    for (int i = 0; i < 32; i++) {
        last[i / 8] = (unsigned char)(1 << i % 8);
        pattern[i] = (uint32_t)crc32(0, data, (uInt)size) ^ zero;
        bits[i] = 1u << i;
        last[i / 8] = 0;
    }
    for (int bit = 0; bit < 32; bit++) { /* elimination over two elements */
        int pivot = bit;
        while (!(pattern[pivot] >> bit & 1))
            pivot++;
        uint32_t p = pattern[pivot], b = bits[pivot];
        pattern[pivot] = pattern[bit], bits[pivot] = bits[bit];
        pattern[bit] = p, bits[bit] = b;
        for (int i = 0; i < 32; i++)
            if (i != bit && (pattern[i] >> bit & 1))
                pattern[i] ^= p, bits[i] ^= b;
    }
    for (int bit = 0; bit < 32; bit++)
        flips ^= left >> bit & 1 ? bits[bit] : 0;
    for (int i = 0; i < 4; i++)
        last[i] = (unsigned char)(flips >> 8 * i);
    assert_int_equal(crc32(0, data, (uInt)size), want);
}

/* Other pictures of the same name, size and CRC-32 are other pictures. */
static void a_planted_crc_deceives_nobody(void **state)
{
    (void)state;
    unsigned char a[] = "P5 3 3 255\n\1\1\1\1\1\1\1\1\1", b[] = "P5 3 3 255\n\2\2\2\2\2____";
    const size_t n = sizeof a - 1;
    assert_int_equal(sizeof b - 1, n);
    forge_crc(b, n, crc32(0, a, (uInt)n));
    put_zip(in_dir("a.zip"), (zip_item[]){{"1.pgm", {a, n}, false}}, 1);
    put_zip(in_dir("b.zip"), (zip_item[]){{"1.pgm", {b, n}, false}}, 1);
    check_split(in_dir("a.zip"), NULL, LT_TRAIN, "1");
    check_split(in_dir("b.zip"), NULL, LT_TRAIN, "2");
    assert_int_equal(find_cached(), 2);
}

static void damaged_cache_files_are_made_again(void **state)
{
    (void)state;
    put_plain("set/1.png", 1);
    put("set/2.png", "P5 x", 4);
    check_split(in_dir("set"), NULL, LT_TRAIN, "1");
    assert_int_equal(find_cached(), 1);
    bytes good;
    assert_int_equal(file_read(cache_file, 1 << 20, &good), LT_OK);
    for (size_t i = 0; i < good.size; i += i < 160 ? 3 : 13) { /* every byte counts */
        good.data[i] ^= 0x40;
        write_quickly(cache_file, good.data, good.size);
        good.data[i] ^= 0x40;
        forget_log();
        check_split(in_dir("set"), NULL, LT_TRAIN, "1");
        assert_warned("computing it again");
    }
    for (size_t n = 0; n < good.size; n += 23) {
        write_quickly(cache_file, good.data, n);
        forget_log();
        check_split(in_dir("set"), NULL, LT_TRAIN, "1");
        assert_warned("computing it again");
    }
    bytes again;
    assert_int_equal(file_read(cache_file, 1 << 20, &again), LT_OK);
    assert_int_equal(again.size, good.size);
    assert_memory_equal(again.data, good.data, good.size);
    bytes_clear(&again);
    bytes_clear(&good);
}

/* A file with a right checksum whose head makes no sense. */
static void foreign_heads_are_made_again(void **state)
{
    (void)state;
    put_plain("set/1.png", 1);
    put("set/2.png", "P5 x", 4);
    check_split(in_dir("set"), NULL, LT_TRAIN, "1");
    assert_int_equal(find_cached(), 1);
    const char *key = strrchr(cache_file, '/') + 1;
    cached c;
    assert_true(cache_load("pictures", key, 1, &c));
    unsigned char *head = must_alloc(c.head_size);
    for (size_t i = 0; i < c.head_size; i += i < 28 ? 1 : 11) {
        memcpy(head, c.head, c.head_size);
        head[i] ^= (unsigned char)(1 << i % 8);
        cache_store("pictures", key, 1, head, c.head_size, c.body, c.body_size);
        lt_dataset *d = must_open(in_dir("set"), NULL);
        assert_int_equal(lt_dataset_describe(d)->n[LT_TRAIN], 1);
        lt_dataset_free(d);
    }
    for (size_t n = 0; n < c.head_size; n += 5) {
        cache_store("pictures", key, 1, c.head, n, c.body, c.body_size);
        check_split(in_dir("set"), NULL, LT_TRAIN, "1");
    }
    assert_warned("are invalid; decoding them again");
    free(head);
    cached_clear(&c);
}

static void a_cache_that_cannot_be_written_is_a_warning(void **state)
{
    (void)state;
    put_plain("set/1.png", 1);
    put("cache", "a file", 6);
    check_split(in_dir("set"), NULL, LT_TRAIN, "1");
    assert_warned("the pictures cannot be cached: ");
    forget_log();
    unsetenv("XDG_CACHE_HOME");
    char *home = must_copy_text(getenv("HOME") ? getenv("HOME") : "/");
    unsetenv("HOME");
    check_split(in_dir("set"), NULL, LT_TRAIN, "1");
    assert_string_equal(warned, "");
    setenv("HOME", home, 1);
    free(home);
}

static void old_cache_files_are_deleted(void **state)
{
    (void)state;
    put_plain("set/1.png", 1);
    check_split(in_dir("set"), NULL, LT_TRAIN, "1");
    assert_int_equal(find_cached(), 1);
    const struct timespec old = {.tv_sec = time(NULL) - 40 * 24 * 3600};
    assert_int_equal(utimensat(AT_FDCWD, cache_file, (struct timespec[]){old, old}, 0), 0);
    check_split(in_dir("set"), NULL, LT_TRAIN, "1"); /* being used makes it young */
    put_plain("other/1.png", 2);
    check_split(in_dir("other"), NULL, LT_TRAIN, "2");
    assert_int_equal(find_cached(), 2);
    assert_int_equal(utimensat(AT_FDCWD, cache_file, (struct timespec[]){old, old}, 0), 0);
    put_plain("other/2.png", 3);
    check_split(in_dir("other"), NULL, LT_TRAIN, "2 3");
    assert_int_equal(find_cached(), 2);
}

/* ---- A published set ---- */

static void check_hash(const void *data, size_t size, const char *want)
{
    char found[SHA256_TEXT];
    sha256_text(data, size, found);
    assert_string_equal(found, want);
}

/* The hashes are from tools/golden_pictures.py. */
static void cifar_is_what_pillow_makes_of_it(void **state)
{
    (void)state;
    const char *place = SHARED_DATA "/cifar10-jpeg/test.zip";
    if (!file_exists(place)) {
        print_message("skipped: %s is missing\n", place);
        skip();
    }
    lt_dataset *d = must_open(place, NULL);
    assert_int_equal(lt_dataset_describe(d)->n[LT_TRAIN], 10000);
    assert_int_equal(lt_dataset_describe(d)->classes, 10);
    for (int k = 0; k < 10; k++) /* the folders are called as the catalog has it */
        assert_string_equal(lt_dataset_describe(d)->class_names[k],
                            lt_data_named("cifar10")->class_names[k]);
    assert_null(lt_data_named("cifar10")->class_names[10]);
    const image_split *s = &d->splits[LT_TRAIN];
    check_hash(s->labels, 10000,
               "f24756e9fc27107597cd054b9df7247b4e5ab61780d1e5d55e7b1015307573de");
    check_hash(s->u8, 10000 * 32 * 32 * 3,
               "5fce8f6a84d7de12f276662376ce80f5f19c236502ddae2e16c3f187c0386c13");
    lt_dataset_free(d);
    d = must_open(place, &(lt_data_options){.resize = "20"});
    check_hash(d->splits[LT_TRAIN].u8, 10000 * 20 * 20 * 3,
               "3991659ff954e27e0b2df300ac81fb793c07542a5729ee322ee0552262edead4");
    lt_dataset_free(d);
    assert_string_equal(warned, "");
}

#define PICTURES(f) cmocka_unit_test_setup_teardown(f, make_picture_dir, remove_picture_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PICTURES(splits_and_classes_are_folders),
        PICTURES(without_splits_all_is_train),
        PICTURES(labels_are_for_all_or_for_none),
        PICTURES(more_classes_than_labels),
        PICTURES(what_is_no_picture_is_left_out),
        PICTURES(empty_places_are_errors),
        PICTURES(links_are_followed_but_not_in_circles),
        PICTURES(zip_files_are_folders),
        PICTURES(damaged_entries_are_left_out),
        PICTURES(sizes_must_agree),
        PICTURES(unreadable_pictures_are_told_and_left_out),
        PICTURES(same_bytes_with_any_number_of_threads),
        PICTURES(progress_is_told_and_stops),
        PICTURES(every_allocation_may_fail),
        PICTURES(the_cache_is_used_until_files_change),
        PICTURES(a_zip_is_known_by_its_content),
        PICTURES(a_planted_crc_deceives_nobody),
        PICTURES(damaged_cache_files_are_made_again),
        PICTURES(foreign_heads_are_made_again),
        PICTURES(a_cache_that_cannot_be_written_is_a_warning),
        PICTURES(old_cache_files_are_deleted),
        PICTURES(cifar_is_what_pillow_makes_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
