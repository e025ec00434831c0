/* SPDX-License-Identifier: MIT */
#include "base/library.h"

#include "base/status.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

_Static_assert(sizeof(void *) == sizeof(void (*)(void)), "what dlsym returns can be called (POSIX)");

static int fail(const library *l, const char *why)
{
    return status_fail(LT_LIBRARY, "%s need %s, which cannot be loaded: %s; to have it: apt install %s",
                       l->purpose, l->soname, why ? why : "no reason given", l->package);
}

/* Functions of the libraries that it needs are found as well. */
static int find_calls(library *l, void *handle)
{
    for (size_t i = 0; i < l->n; i++) {
        void *call = dlsym(handle, l->names[i]);
        if (!call)
            return fail(l, dlerror());
        memcpy((char *)l->calls + i * sizeof call, &call, sizeof call);
    }
    return LT_OK;
}

static int load(library *l)
{
    void *handle = dlopen(l->soname, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return fail(l, dlerror());
    int status = find_calls(l, handle);
    if (status == LT_OK)
        atomic_store(&l->is_loaded, true);
    else
        dlclose(handle);
    return status;
}

int library_load(library *l)
{
    if (atomic_load(&l->is_loaded))
        return LT_OK;
    pthread_mutex_lock(&loading);
    int status = atomic_load(&l->is_loaded) ? LT_OK : load(l);
    pthread_mutex_unlock(&loading);
    return status;
}
