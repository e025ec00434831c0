/* SPDX-License-Identifier: MIT */
/* The numbers of each image as columns of a file. */
#include <latent/report.h>

#include "base/status.h"

#include <stdio.h>

enum { MAX_COLUMNS = 2 + 9 + LT_MAX_BOUNDS, COLUMN_NAME = 32 };

typedef struct columns {
    lt_array all[MAX_COLUMNS];
    char names[MAX_COLUMNS][COLUMN_NAME];
    int n;
    int64_t rows;
} columns;

/* `format` has at most one number in it. */
static void add_column(columns *c, lt_number_kind kind, const void *values, const char *format, int number)
{
    char *name = c->names[c->n];
    snprintf(name, COLUMN_NAME, format, number);
    c->all[c->n++] = (lt_array){name, kind, values, 1, {c->rows}};
}

static void list_columns(columns *c, const lt_scorecard *s)
{
    const lt_evaluation *e = &s->evaluation;
    const lt_image_scores *p = &s->images;
    c->rows = p->n;
    add_column(c, LT_INT32, p->index, "index", 0);
    add_column(c, LT_INT32, p->label, "label", 0);
    add_column(c, LT_FLOAT64, p->neg_elbo, "neg_elbo_nats", 0);
    add_column(c, LT_FLOAT64, p->rate, "rate_nats", 0);
    add_column(c, LT_FLOAT64, p->distortion, "distortion_nats", 0);
    add_column(c, LT_FLOAT64, p->squared_error, "squared_error", 0);
    for (int i = 0; i < e->n_bounds; i++)
        add_column(c, LT_FLOAT64, p->iwae[i], "iwae_k%d_nats", e->bounds[i].k);
    if (e->nll_samples > 0) {
        add_column(c, LT_FLOAT64, p->nll, "nll_k%d_nats", e->nll_samples);
        add_column(c, LT_FLOAT64, p->ess, "ess_k%d", e->nll_samples);
    }
    if (e->draws > 0)
        add_column(c, LT_FLOAT64, p->pareto_k, "pareto_k", 0);
    if (s->has_ais) {
        add_column(c, LT_FLOAT64, p->ais, "ais_nats", 0);
        add_column(c, LT_FLOAT64, p->ais_ess, "ais_ess", 0);
    }
}

static int check_columns(const lt_scorecard *s)
{
    return s->has_bounds ? LT_OK : status_fail(LT_VALUE, "the scorecard has no numbers of images");
}

char *lt_image_scores_csv(const lt_scorecard *s)
{
    columns c = {.n = 0};
    if (check_columns(s) != LT_OK)
        return NULL;
    list_columns(&c, s);
    return lt_csv_text(c.all, c.n);
}

int lt_image_scores_write(const lt_scorecard *s, const char *path)
{
    columns c = {.n = 0};
    LT_TRY(check_columns(s));
    list_columns(&c, s);
    return lt_columns_write(path, c.all, c.n);
}
