/* SPDX-License-Identifier: MIT */
/* Third-party libraries, loaded on first use: a program without figures starts without the sixty libraries that
   rendering needs, and linking with latent needs none of them. cmake/libraries.cmake lists them and their
   functions, and generates a header for each:

       "base/loaded_zip.h" is included in place of <zip.h>
       LT_TRY(library_load(&zip_library));     // once before the first call; costs nothing afterwards
       zip_t *zip = zip_open(...);             // zip_calls.zip_open(...) */
#ifndef LATENT_LIBRARY_H
#define LATENT_LIBRARY_H

#include <stdatomic.h>
#include <stddef.h>

typedef struct library {
    const char *purpose; /* the feature that needs it: "zip files" */
    const char *soname;  /* "libzip.so.4" */
    const char *package; /* the Debian package */
    size_t n;
    const char *const *names; /* of its functions */
    void *calls;              /* n pointers to functions, in this order */
    atomic_bool is_loaded;
} library;

/* Loads the library once; any number of threads may call it. The library stays loaded until the process ends.
   LT_LIBRARY with a message that names its purpose and package; the next call tries again. */
int library_load(library *l);

#endif
