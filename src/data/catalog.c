/* SPDX-License-Identifier: MIT */
/* The catalog of data sets, and the directories that are searched for them. */
#include "data/catalog.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The table. A new set: its files, its row; a new format: a reader. ---- */

#define GZ(split, is_labels, name, bytes, sha256)                                                  \
    {                                                                                              \
        split, is_labels, name, name ".gz", bytes, sha256, false                                   \
    }
#define PLAIN(split, is_labels, name, bytes, sha256)                                               \
    {                                                                                              \
        split, is_labels, name, name, bytes, sha256, false                                         \
    }

static const lt_catalog_file mnist_files[] = {
    GZ(LT_TRAIN, false, "train-images-idx3-ubyte", 47040016,
       "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    GZ(LT_TRAIN, true, "train-labels-idx1-ubyte", 60008,
       "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    GZ(LT_TEST, false, "t10k-images-idx3-ubyte", 7840016,
       "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    GZ(LT_TEST, true, "t10k-labels-idx1-ubyte", 10008,
       "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
};

static const lt_catalog_file fashion_files[] = {
    GZ(LT_TRAIN, false, "train-images-idx3-ubyte", 47040016,
       "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
    GZ(LT_TRAIN, true, "train-labels-idx1-ubyte", 60008,
       "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
    GZ(LT_TEST, false, "t10k-images-idx3-ubyte", 7840016,
       "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
    GZ(LT_TEST, true, "t10k-labels-idx1-ubyte", 10008,
       "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
};

static const lt_catalog_file binarized_files[] = {
    PLAIN(LT_TRAIN, false, "binarized_mnist_train.amat", 78400000,
          "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d"),
    PLAIN(LT_VALID, false, "binarized_mnist_valid.amat", 15680000,
          "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2"),
    PLAIN(LT_TEST, false, "binarized_mnist_test.amat", 15680000,
          "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c"),
};

static const lt_catalog_file svhn_files[] = {
    PLAIN(LT_TRAIN, false, "train_32x32.mat", 182040794,
          "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
    PLAIN(LT_TEST, false, "test_32x32.mat", 64275384,
          "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
};

static const lt_catalog_file cifar10_files[] = {
    {LT_TRAIN, false, "cifar-10-binary.tar", "cifar-10-binary.tar.gz", 170052171,
     "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", true},
};

static const char *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", NULL};
static const char *const clothes[] = {"t-shirt/top", "trouser", "pullover", "dress", "coat",
                                      "sandal", "shirt", "sneaker", "bag", "ankle boot", NULL};
static const char *const things[] = {"airplane", "automobile", "bird", "cat", "deer",
                                     "dog", "frog", "horse", "ship", "truck", NULL};

/* clang-format off */
static const lt_catalog_entry sets[] = {
    {.name = "mnist",
     .summary = "handwritten digits, gray, 28 x 28, 10 classes",
     .h = 28, .w = 28, .c = 1, .n = {60000, 0, 10000}, .class_names = digits,
     .mirrors = {"https://ossci-datasets.s3.amazonaws.com/mnist",
                 "https://storage.googleapis.com/cvdf-datasets/mnist"},
     .files = mnist_files, .n_files = COUNT_OF(mnist_files)},
    {.name = "fashion-mnist",
     .summary = "photographs of clothes, gray, 28 x 28, 10 classes",
     .h = 28, .w = 28, .c = 1, .n = {60000, 0, 10000}, .class_names = clothes,
     .system_place = "/usr/share/datasets/fashion-mnist",
     .system_package = "dataset-fashion-mnist",
     .mirrors = {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"},
     .files = fashion_files, .n_files = COUNT_OF(fashion_files)},
    {.name = "binarized-mnist",
     .summary = "MNIST drawn once to black and white (Larochelle), for comparable likelihoods",
     .h = 28, .w = 28, .c = 1, .n = {50000, 10000, 10000},
     .mirrors = {"http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist"},
     .files = binarized_files, .n_files = COUNT_OF(binarized_files)},
    {.name = "cifar10",
     .summary = "small photographs of animals and vehicles, color, 32 x 32, 10 classes",
     .h = 32, .w = 32, .c = 3, .n = {50000, 0, 10000}, .class_names = things,
     .mirrors = {"https://www.cs.toronto.edu/~kriz"},
     .files = cifar10_files, .n_files = COUNT_OF(cifar10_files)},
    {.name = "svhn",
     .summary = "house numbers from street views, color, 32 x 32, 10 classes (cropped digits)",
     .h = 32, .w = 32, .c = 3, .n = {73257, 0, 26032}, .class_names = digits,
     .mirrors = {"http://ufldl.stanford.edu/housenumbers"},
     .files = svhn_files, .n_files = COUNT_OF(svhn_files)},
};
/* clang-format on */

int lt_data_count(void) { return COUNT_OF(sets); }

const lt_catalog_entry *lt_data_entry(int i)
{
    LT_ASSERT(i >= 0 && i < COUNT_OF(sets));
    return &sets[i];
}

const lt_catalog_entry *lt_data_named(const char *name)
{
    const char *names[COUNT_OF(sets) + 1];
    for (int i = 0; i < COUNT_OF(sets); i++) {
        if (strcmp(sets[i].name, name) == 0)
            return &sets[i];
        names[i] = sets[i].name;
    }
    names[COUNT_OF(sets)] = "synthetic";
    const char *nearest = text_nearest(name, text_item, names, COUNT_OF(names));
    if (nearest)
        status_fail(LT_NOT_FOUND,
                    "no data set is called '%s'; did you mean '%s'? (latent data list)", name,
                    nearest);
    else
        status_fail(LT_NOT_FOUND, "no data set is called '%s' (latent data list)", name);
    return NULL;
}

/* ---- Directories ---- */

char *catalog_file_path(const char *dir, const lt_catalog_file *file)
{
    char *plain = file_join(dir, file->name);
    if (file_exists(plain))
        return plain;
    char *gz = must_format("%s.gz", plain);
    free(plain);
    if (file_exists(gz))
        return gz;
    free(gz);
    return NULL;
}

bool catalog_is_in(const lt_catalog_entry *set, const char *dir, const char **missing)
{
    for (int i = 0; i < set->n_files; i++) {
        char *path = catalog_file_path(dir, &set->files[i]);
        if (!path && missing)
            *missing = set->files[i].name;
        if (!path)
            return false;
        free(path);
    }
    return true;
}

/* Returns $NAME if it is set and not empty, else NULL. */
static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

char *catalog_cache_folder(const char *name)
{
    const char *cache = environment("XDG_CACHE_HOME"), *home = environment("HOME");
    if (cache && cache[0] == '/') /* the XDG specification ignores relative paths */
        return must_format("%s/latent/%s", cache, name);
    return home ? must_format("%s/.cache/latent/%s", home, name) : NULL;
}

char *catalog_cache(const lt_catalog_entry *set) { return catalog_cache_folder(set->name); }

enum { MAX_PLACES = 3 };

/* Lists the directories to search, in order; freed by the caller. */
static int list_places(const lt_catalog_entry *set, const char *path, char *places[MAX_PLACES])
{
    int n = 0;
    if (path && *path) {
        places[n++] = must_copy_text(path);
        places[n++] = file_join(path, set->name);
        return n;
    }
    const char *data = environment("LATENT_DATA");
    if (data)
        places[n++] = file_join(data, set->name);
    if ((places[n] = catalog_cache(set)))
        n++;
    if (set->system_place)
        places[n++] = must_copy_text(set->system_place);
    return n;
}

/* Adds "\n  DIR: lacks train-images-idx3-ubyte" for each directory. */
static void describe_places(const lt_catalog_entry *set, char **places, int n)
{
    if (n == 0)
        status_append(" no place; LATENT_DATA, XDG_CACHE_HOME and HOME are not set");
    for (int i = 0; i < n; i++) {
        const char *missing = "nothing";
        catalog_is_in(set, places[i], &missing);
        if (file_is_directory(places[i]))
            status_append("\n  %s: lacks %s", places[i], missing);
        else
            status_append("\n  %s: no such directory", places[i]);
    }
}

static int fail_not_found(const lt_catalog_entry *set, char **places, int n)
{
    status_fail(LT_NOT_FOUND, "the files of %s are not on this machine; searched:", set->name);
    describe_places(set, places, n);
    status_append("\nto get them: latent data fetch %s%s%s; or say where they are with --data DIR",
                  set->name, set->system_package ? ", or: apt install " : "",
                  set->system_package ? set->system_package : "");
    return LT_NOT_FOUND;
}

int catalog_find(const lt_catalog_entry *set, const char *path, char **place)
{
    char *places[MAX_PLACES];
    int n = list_places(set, path, places);
    *place = NULL;
    for (int i = 0; i < n && !*place; i++)
        if (catalog_is_in(set, places[i], NULL))
            *place = must_copy_text(places[i]);
    int status = *place ? LT_OK : fail_not_found(set, places, n);
    for (int i = 0; i < n; i++)
        free(places[i]);
    return status;
}

int lt_data_find(const char *name, const char *path, char *place, size_t size)
{
    if (size)
        *place = 0;
    const lt_catalog_entry *set = lt_data_named(name);
    if (!set)
        return LT_NOT_FOUND;
    char *found;
    LT_TRY(catalog_find(set, path, &found));
    snprintf(place, size, "%s", found);
    free(found);
    return LT_OK;
}

/* ---- Content ---- */

void sha256_text(const void *data, size_t size, char hex[SHA256_TEXT])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    int done = EVP_Digest(data, size, digest, &n, EVP_sha256(), NULL);
    LT_ASSERT(done == 1 && 2 * n + 1 == SHA256_TEXT);
    for (unsigned i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

int catalog_verify_file(const lt_catalog_file *file, const char *path)
{
    bytes content;
    size_t limit = (size_t)file->bytes;
    LT_TRY(file->is_archive ? file_read(path, limit, &content)
                            : file_read_inflated(path, limit, &content));
    char found[SHA256_TEXT];
    sha256_text(content.data, content.size, found);
    size_t size = content.size;
    bytes_clear(&content);
    if (strcmp(found, file->sha256) == 0)
        return LT_OK;
    return status_fail(LT_FORMAT,
                       "%s: not the published file: expected content with SHA-256 %s (%jd bytes), "
                       "found %s (%zu bytes)",
                       path, file->sha256, (intmax_t)file->bytes, found, size);
}

int lt_data_verify(const char *name, const char *path)
{
    const lt_catalog_entry *set = lt_data_named(name);
    if (!set)
        return LT_NOT_FOUND;
    char *place;
    LT_TRY(catalog_find(set, path, &place));
    int status = LT_OK;
    for (int i = 0; i < set->n_files && status == LT_OK; i++) {
        char *file = catalog_file_path(place, &set->files[i]);
        status = file ? catalog_verify_file(&set->files[i], file)
                      : status_fail(LT_NOT_FOUND, "%s: lacks %s", place, set->files[i].name);
        free(file);
    }
    free(place);
    return status;
}
