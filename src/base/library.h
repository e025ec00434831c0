/* SPDX-License-Identifier: MIT */
/* Libraries of others that are loaded when they are first needed: who draws nothing starts without the sixty
   that drawing takes, and whoever links with us needs none of them. cmake/libraries.cmake lists them and
   their functions, and makes of each a header:

       "base/loaded_zip.h" is included in place of <zip.h>
       LT_TRY(library_load(&zip_library));     // once before the first call; costs nothing afterwards
       zip_t *zip = zip_open(...);             // zip_calls.zip_open(...) */
#ifndef LATENT_LIBRARY_H
#define LATENT_LIBRARY_H

#include <stdatomic.h>
#include <stddef.h>

typedef struct library {
    const char *purpose; /* what cannot be done without it: "zip files" */
    const char *soname;  /* the file that a program linked with it would ask for: "libzip.so.4" */
    const char *package; /* Debian's that has it */
    size_t n;
    const char *const *names; /* of its functions */
    void *calls;              /* n pointers to functions, in this order */
    atomic_bool is_loaded;
} library;

/* Loads the library unless that has happened; any number of threads may. It stays until the process ends.
   LT_LIBRARY with a message that says what it is for and which package has it; the next call tries
   again. */
int library_load(library *l);

#endif
