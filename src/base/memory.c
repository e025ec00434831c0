/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CHUNK_SIZE = 32 * 1024, ARENA_ALIGN = 16, HUGE_PAGE = 2 << 20 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t used, size;
    _Alignas(ARENA_ALIGN) unsigned char data[];
};

static lt_allow_function *allow_hook;
static void *allow_user;

void lt_set_allow_memory(lt_allow_function *allow, void *user)
{
    allow_hook = allow;
    allow_user = user;
}

/* Large blocks ask for large pages: a step walks through tens of megabytes, and a page of 4 KiB ends
   both the prefetch and the reach of the address cache. */
static void *huge_alloc(size_t bytes)
{
    size_t rounded = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *memory = rounded < bytes ? NULL : aligned_alloc(HUGE_PAGE, rounded);
#ifdef MADV_HUGEPAGE
    if (memory)
        madvise(memory, rounded, MADV_HUGEPAGE); /* advice: nothing depends on it */
#endif
    return memory;
}

void *tensor_alloc(size_t bytes, const char *what)
{
    size_t rounded;
    bool fits = size_add(bytes, TENSOR_ALIGN, &rounded);
    rounded -= rounded % TENSOR_ALIGN;
    void *memory = NULL;
    if (fits && (!allow_hook || allow_hook(allow_user, rounded)))
        memory = rounded < HUGE_PAGE ? aligned_alloc(TENSOR_ALIGN, rounded) : huge_alloc(rounded);
    if (!memory) {
        status_fail(LT_NO_MEMORY, "no memory for %s: %zu bytes (%.1f MiB)", what, bytes,
                    (double)bytes / (1 << 20));
        return NULL;
    }
    return memset(memory, 0, rounded);
}

void tensor_free(void *memory) { free(memory); }

/* Nobody recovers sensibly from a failed allocation of a few hundred bytes. */
static void *checked(void *memory)
{
    LT_ASSERT(memory != NULL);
    return memory;
}

void *must_alloc(size_t bytes) { return checked(calloc(1, bytes ? bytes : 1)); }

void *must_resize(void *memory, size_t bytes)
{
    return checked(realloc(memory, bytes ? bytes : 1));
}

char *must_copy_text(const char *text) { return checked(strdup(text)); }

static char *format_with(void *(*alloc)(void *, size_t), void *owner, const char *format,
                         va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    LT_ASSERT(n >= 0);
    char *text = alloc(owner, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, format, args);
    return text;
}

static void *heap_alloc(void *owner, size_t bytes)
{
    (void)owner;
    return must_alloc(bytes);
}

static void *arena_alloc_any(void *owner, size_t bytes) { return arena_alloc(owner, bytes); }

char *must_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = format_with(heap_alloc, NULL, format, args);
    va_end(args);
    return text;
}

void *arena_alloc(arena *a, size_t bytes)
{
    size_t size = (bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    struct arena_chunk *c = a->chunks;
    if (!c || c->size - c->used < size) {
        size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
        c = must_alloc(sizeof *c + room);
        c->size = room;
        c->next = a->chunks;
        a->chunks = c;
    }
    void *memory = c->data + c->used;
    c->used += size;
    return memory;
}

void *arena_copy(arena *a, const void *from, size_t bytes)
{
    return bytes ? memcpy(arena_alloc(a, bytes), from, bytes) : arena_alloc(a, 1);
}

char *arena_copy_text(arena *a, const char *text) { return arena_copy(a, text, strlen(text) + 1); }

char *arena_format(arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = format_with(arena_alloc_any, a, format, args);
    va_end(args);
    return text;
}

void arena_clear(arena *a)
{
    while (a->chunks) {
        struct arena_chunk *next = a->chunks->next;
        free(a->chunks);
        a->chunks = next;
    }
}
