/* SPDX-License-Identifier: MIT */
/* Initializers. Each parameter has its own Philox stream, keyed by its name: its values depend on the seed, the name
   and the shape, not on the rest of the model. */
#include "nn/init.h"

#include "base/memory.h"
#include "base/philox.h"
#include "base/status.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* ---- The table ---- */

typedef struct init_options {
    double value;
} init_options;

static const lt_option value_options[] = {
    {.name = "value", .kind = LT_KIND_REAL, .offset = offsetof(init_options, value),
     .fallback = 0.02, .min = -1e6, .max = 1e6, .positional = true,
     .help = "standard deviation, or the constant"},
    {0}};

typedef struct init_row {
    spec_row spec;
    lt_init_kind kind;
} init_row;

/* PLAIN(ZEROS, zeros, 0, "every ...") becomes static const init_row row_zeros = {{.name = "zeros",
   .summary = "every ...", ...}, LT_INIT_ZEROS}; */
#define PLAIN(KIND, NAME, NUMBER, SUMMARY)                                                         \
    static const init_row row_##NAME = {                                                           \
        {.name = #NAME, .summary = SUMMARY, .options = no_options}, LT_INIT_##KIND};
#define VALUE(KIND, NAME, NUMBER, SUMMARY)                                                         \
    static const init_row row_##NAME = {{.name = #NAME, .summary = SUMMARY,                        \
                                         .options = value_options, .size = sizeof(init_options)},  \
                                        LT_INIT_##KIND};
#include "nn/initializers.def"
#undef PLAIN
#undef VALUE

static const spec_row *const rows[] = {
#define PLAIN(KIND, NAME, NUMBER, SUMMARY) &row_##NAME.spec,
#define VALUE PLAIN
#include "nn/initializers.def"
#undef PLAIN
#undef VALUE
    NULL};

const spec_table initializer_table = {"initializer", rows};

int init_parse(const char *words, lt_init *init)
{
    spec s;
    LT_TRY(spec_parse(&initializer_table, words, &s));
    *init = (lt_init){.kind = ((const init_row *)s.row)->kind};
    if (s.row->size)
        init->value = ((const init_options *)s.options)->value;
    spec_clear(&s);
    return LT_OK;
}

lt_init init_of_bias(lt_init weight)
{
    return (lt_init){.kind = weight.kind == LT_INIT_PYTORCH ? LT_INIT_PYTORCH : LT_INIT_ZEROS};
}

bool init_is_complete(const lt_init *init)
{
    bool needs_fans = init->kind <= LT_INIT_XAVIER_NORMAL;
    return !needs_fans || (init->fan_in > 0 && init->fan_out > 0);
}

/* ---- Sampling ---- */

/* FNV-1a of the name, 64 bits. */
static uint64_t hash_name(const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return h;
}

/* 24 bits of the hash are the stream, the rest is the step; its highest bit is set, so that training never reaches
   it. */
static philox_key name_key(const char *name, uint64_t seed)
{
    uint64_t h = hash_name(name);
    return (philox_key){.seed = seed,
                        .stream = (uint32_t)(h & 0xffffff),
                        .step = UINT64_C(1) << 63 | h >> 24};
}

/* (-1, 1) */
static double symmetric(uint32_t word) { return 2 * (double)philox_uniform(word) - 1; }

/* Box-Muller: a standard normal from two words. */
static double normal(uint32_t a, uint32_t b)
{
    return sqrt(-2 * log((double)philox_uniform(a))) * cos(2 * pi * (double)philox_uniform(b));
}

/* One value from two words; each line of the table uses u or e. */
static double draw(const lt_init *init, const uint32_t w[2])
{
    double in = (double)init->fan_in, out = (double)init->fan_out, value = init->value;
#define u symmetric(w[0])
#define e normal(w[0], w[1])
    switch (init->kind) {
#define PLAIN(KIND, NAME, NUMBER, SUMMARY)                                                         \
    case LT_INIT_##KIND:                                                                           \
        return NUMBER;
#define VALUE PLAIN
#include "nn/initializers.def"
#undef PLAIN
#undef VALUE
    }
#undef u
#undef e
    LT_ASSERT(!"an initializer without a line in initializers.def");
    return 0;
}

void init_fill(const lt_init *init, const char *name, uint64_t seed, int64_t n, float *values)
{
    philox_key key = name_key(name, seed);
    enum { NUMBERS = 512 }; /* at a time; each takes two words */
    uint32_t w[2 * NUMBERS];
    for (int64_t i = 0; i < n; i += NUMBERS) {
        int count = n - i < NUMBERS ? (int)(n - i) : NUMBERS;
        philox_words(&key, 2 * i, 2 * count, w);
        for (int j = 0; j < count; j++)
            values[i + j] = (float)draw(init, w + 2 * j);
    }
}
