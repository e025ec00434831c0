/* SPDX-License-Identifier: MIT */
/* The numbers that steps report, by name and by place in a report. */
#include "train/trainer.h"

#include "base/status.h"

#include <stddef.h>
#include <string.h>

/* LATER: a mean that checkpoints of earlier versions do not have. */
enum { MEAN, LAST, LATER };

static const struct {
    const char *name;
    size_t offset;
    int kind;
} measures[] = {
#define MEASURE(NAME, KIND) {#NAME, offsetof(lt_train_report, NAME), KIND},
#include "models/measures.def"
#undef MEASURE
};

const char *measure_name(int i) { return measures[i].name; }

bool measure_is_last(int i) { return measures[i].kind == LAST; }

bool measure_may_lack(int i) { return measures[i].kind == LATER; }

double *measure_of(lt_train_report *r, int i)
{
    return (double *)((char *)r + measures[i].offset);
}

static double *place_of(const lt_metric *metric, lt_train_report *r)
{
    for (int i = 0; i < COUNT_OF(measures); i++)
        if (strcmp(measures[i].name, metric->name) == 0)
            return measure_of(r, i);
    LT_ASSERT(!"a metric without a field");
    return NULL;
}

double lt_metric_value(const lt_metric *metric, const lt_train_report *r)
{
    return *place_of(metric, (lt_train_report *)r);
}

void lt_metric_set(const lt_metric *metric, lt_train_report *r, double value)
{
    *place_of(metric, r) = value;
}
