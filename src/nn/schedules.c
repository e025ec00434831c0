/* SPDX-License-Identifier: MIT */
#include "nn/schedules.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

enum { PER_EPOCH, PER_STEP }; /* choices of `per` */

#define PER_HELP "whether it changes at the start of an epoch or with every step"

static double clamp(double x, double lo, double hi) { return fmin(fmax(x, lo), hi); }

/* The epoch of the clock's step, from 1. */
static int64_t running_epoch(const schedule_clock *t) { return t->step / t->steps_per_epoch + 1; }

static double epochs_of(const schedule_clock *t, int64_t steps)
{
    return (double)steps / (double)t->steps_per_epoch;
}

/* ---- linear: epoch e has weight (e - free) / epochs, within 0 ... 1. Per step it has the same values at the end of
   each epoch: with 5 epochs .2 .4 .6 .8 1. ---- */

typedef struct linear_schedule {
    double free, epochs;
    int per;
} linear_schedule;

static const lt_option linear_options[] = {
    {.name = "free", .kind = LT_KIND_REAL, .offset = offsetof(linear_schedule, free), .min = 0,
     .max = 1e6, .help = "epochs at 0 before the rise"},
    {.name = "epochs", .kind = LT_KIND_REAL, .offset = offsetof(linear_schedule, epochs),
     .fallback = 10, .min = 1e-3, .max = 1e6, .help = "epochs from 0 to 1"},
    {.name = "per", .kind = LT_KIND_CHOICE, .offset = offsetof(linear_schedule, per),
     .fallback = PER_EPOCH, .choices = "epoch|step", .help = PER_HELP},
    {0}};

static double linear(const linear_schedule *o, const schedule_clock *t)
{
    double e = o->per == PER_EPOCH ? (double)running_epoch(t) : epochs_of(t, t->step + 1);
    return clamp((e - o->free) / o->epochs, 0, 1);
}

/* ---- cyclical: each period starts at 0, rises for `ratio` of it, and stays at 1 ---- */

typedef struct cyclical_schedule {
    double period, ratio;
    int per;
} cyclical_schedule;

static const lt_option cyclical_options[] = {
    {.name = "period", .kind = LT_KIND_REAL, .offset = offsetof(cyclical_schedule, period),
     .fallback = 10, .min = 1e-3, .max = 1e6, .help = "epochs per cycle"},
    {.name = "ratio", .kind = LT_KIND_REAL, .offset = offsetof(cyclical_schedule, ratio),
     .fallback = 0.5, .min = 1e-3, .max = 1, .help = "fraction of a cycle that rises"},
    {.name = "per", .kind = LT_KIND_CHOICE, .offset = offsetof(cyclical_schedule, per),
     .fallback = PER_STEP, .choices = "epoch|step", .help = PER_HELP},
    {0}};

static double cyclical(const cyclical_schedule *o, const schedule_clock *t)
{
    double e = o->per == PER_EPOCH ? (double)(running_epoch(t) - 1) : epochs_of(t, t->step);
    double place = fmod(e, o->period) / o->period;
    return clamp(place / o->ratio, 0, 1);
}

/* ---- cosine ---- */

typedef struct cosine_schedule {
    double floor;
} cosine_schedule;

static const lt_option cosine_options[] = {
    {.name = "floor", .kind = LT_KIND_REAL, .offset = offsetof(cosine_schedule, floor), .min = 0,
     .max = 1, .help = "final value"},
    {0}};

static double cosine(const cosine_schedule *o, const schedule_clock *t)
{
    double done = clamp(epochs_of(t, t->step) / (double)t->epochs, 0, 1);
    return o->floor + (1 - o->floor) * (1 + cos(pi * done)) / 2;
}

/* ---- burda: stage i = 1 ... n lasts 3^(i - 1) epochs with the factor 10^(-(i - 1) / (n - 1)); 8
   stages are 3280 epochs. Fewer stages fall as far in less time. ---- */

typedef struct burda_schedule {
    int64_t stages;
} burda_schedule;

static const lt_option burda_options[] = {
    {.name = "stages", .kind = LT_KIND_INT, .offset = offsetof(burda_schedule, stages),
     .fallback = 8, .min = 1, .max = 20,
     .help = "number of stages: n take (3^n - 1) / 2 epochs; 8 in the paper"},
    {0}};

static double burda(const burda_schedule *o, const schedule_clock *t)
{
    int64_t stage = 1, length = 1, end = 1, epoch = running_epoch(t);
    for (; stage < o->stages && epoch > end; stage++) {
        length *= 3;
        end += length;
    }
    return stage == 1 ? 1 : pow(10, -(double)(stage - 1) / (double)(o->stages - 1));
}

/* ---- step ---- */

typedef struct step_schedule {
    int64_t every;
    double factor;
} step_schedule;

static const lt_option step_options[] = {
    {.name = "every", .kind = LT_KIND_INT, .offset = offsetof(step_schedule, every),
     .fallback = 10, .min = 1, .max = 1e6, .help = "epochs between changes"},
    {.name = "factor", .kind = LT_KIND_REAL, .offset = offsetof(step_schedule, factor),
     .fallback = 0.1, .min = 0, .max = 1, .help = "factor of each change"},
    {0}};

static double steps(const step_schedule *o, const schedule_clock *t)
{
    return pow(o->factor, (double)((running_epoch(t) - 1) / o->every));
}

/* ---- The table ---- */

typedef struct schedule_row {
    spec_row spec;
    double (*factor)(const void *options, const schedule_clock *t);
} schedule_row;

/* SCHEDULE(step, steps(o, t), "...") becomes
   static double factor_step(const void *options, const schedule_clock *t)
   { const step_schedule *o = options; return steps(o, t); }
   static const schedule_row row_step = {{.name = "step", ...}, factor_step}; */
#define PLAIN(NAME, FACTOR, SUMMARY)                                                               \
    static double factor_##NAME(const void *options, const schedule_clock *t)                      \
    {                                                                                              \
        (void)options, (void)t;                                                                    \
        return FACTOR;                                                                             \
    }                                                                                              \
    static const schedule_row row_##NAME = {                                                       \
        {.name = #NAME, .summary = SUMMARY, .options = no_options}, factor_##NAME};
#define SCHEDULE(NAME, FACTOR, SUMMARY)                                                            \
    static double factor_##NAME(const void *options, const schedule_clock *t)                      \
    {                                                                                              \
        const NAME##_schedule *o = options;                                                        \
        return FACTOR;                                                                             \
    }                                                                                              \
    static const schedule_row row_##NAME = {{.name = #NAME, .summary = SUMMARY,                    \
                                             .options = NAME##_options,                            \
                                             .size = sizeof(NAME##_schedule)},                     \
                                            factor_##NAME};
#include "nn/schedules.def"
#undef PLAIN
#undef SCHEDULE

static const spec_row *const rows[] = {
#define PLAIN(NAME, FACTOR, SUMMARY) &row_##NAME.spec,
#define SCHEDULE PLAIN
#include "nn/schedules.def"
#undef PLAIN
#undef SCHEDULE
    NULL};

const spec_table schedule_table = {"schedule", rows};

double schedule_factor(const spec *schedule, const schedule_clock *clock)
{
    return ((const schedule_row *)schedule->row)->factor(schedule->options, clock);
}
