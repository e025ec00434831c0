/* SPDX-License-Identifier: MIT */
/* Lists the pictures of a folder or a zip file with splits, classes and order. The order depends only on their
   names. */
#ifndef LATENT_LISTING_H
#define LATENT_LISTING_H

#include <latent/data.h>

#include "base/memory.h"
#include "base/text.h"

enum { MAX_ARCHIVES = 16, NO_ARCHIVE = -1, NO_CLASS = -1, MAX_LABELS = 256 };

typedef struct listed {
    const char *name;  /* relative to the root, for messages: "train.zip/train/bird/1.jpg" */
    const char *place; /* relative to the root, in the tree of folders: "train/bird/1.jpg" */
    int archive;       /* of listing.archives, or NO_ARCHIVE for a file */
    uint64_t index;    /* in the archive */
    uint64_t size;     /* bytes of its file */
    uint64_t stamp[3]; /* changes with the content: the nanoseconds of the last changes of content and of
                          status, which nobody can set back, of the file or of its archive; in an
                          archive also the CRC-32, which alone can be planted */
    lt_split split;
    int class, rank, of; /* the rank-th of `of` pictures of its class in this split */
} listed;

typedef struct listing {
    arena texts;
    const char *root;
    bool is_archive;                      /* the root is a zip file */
    bool is_probe;                        /* stop at the first picture */
    const char *archives[MAX_ARCHIVES];   /* paths of zip files */
    struct archive *opened[MAX_ARCHIVES]; /* for one thread to read from: opening takes long */
    int n_archives;
    listed *pictures; /* split after split */
    int n, capacity;
    int first[LT_SPLITS + 1];   /* those of split s: first[s] ... first[s + 1] - 1 */
    bool has_labels[LT_SPLITS]; /* class is 0 ... MAX_LABELS - 1 */
    const char **classes;       /* names, sorted */
    int n_classes;
    int n_ignored;        /* files without an image extension */
    const char *ignored;  /* the first of them */
    int n_runs;           /* skipped runs of latent train */
    const char *run;      /* the first of them */
    uint64_t newest;      /* stamp of files and of archives */
    uint64_t archive_stamp[2]; /* of the archive that is being listed */
    const char **folders; /* places of folders that are called like splits */
    int n_folders, folder_capacity;
} listing;

/* Lists what is below a folder or in a zip file. LT_NOT_FOUND if there is no picture, or none in a
   folder that is called after a split; LT_FORMAT, LT_IO. Skipped and doubtful files are
   reported in the log. Call listing_clear in any case. */
int listing_make(listing *l, const char *root);
void listing_clear(listing *l);

/* LT_VALUE if the directory is a run of latent train, or holds the samples or checkpoints of one. */
int listing_check_run(const char *root);

/* Whether there is a picture. Stops at the first one. */
bool listing_has_pictures(const char *root);

/* "PATH/name" of a picture; freed by the caller. */
char *listing_path(const listing *l, const listed *p);

#endif
