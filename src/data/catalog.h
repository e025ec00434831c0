/* SPDX-License-Identifier: MIT */
/* Finds the files of a data set. */
#ifndef LATENT_CATALOG_H
#define LATENT_CATALOG_H

#include <latent/data.h>

/* The path of a set's file in `dir`, plain before gzip; NULL if neither is there. Freed by the
 * caller. */
char *catalog_file_path(const char *dir, const lt_catalog_file *file);

/* Whether `dir` has every file of the set; *missing is the first one it lacks. Nullable: missing. */
bool catalog_is_in(const lt_catalog_entry *set, const char *dir, const char **missing);

/* The directory of a named set, freed by the caller; `path` as in lt_data_options, NULL or "":
   search. LT_NOT_FOUND lists the searched directories. */
int catalog_find(const lt_catalog_entry *set, const char *path, char **place);

/* Returns the directory for downloads of the set; NULL without a home directory. Freed by the caller. */
char *catalog_cache(const lt_catalog_entry *set);

/* A folder of the cache directory; NULL without a home directory. Freed by the caller. */
char *catalog_cache_folder(const char *name);

enum { SHA256_TEXT = 65 };

/* SHA-256 as hexadecimal digits. */
void sha256_text(const void *data, size_t size, char hex[SHA256_TEXT]);

/* Checks the content of one file of a set. LT_FORMAT with both hashes. */
int catalog_verify_file(const lt_catalog_file *file, const char *path);

#endif
