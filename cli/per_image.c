/* SPDX-License-Identifier: MIT */
/* Columns of numbers, one row for each image that was evaluated. */
#include "per_image.h"

#include <stdlib.h>
#include <string.h>

enum { PLAIN = 9, MAX_COLUMNS = 2 + PLAIN + LT_MAX_BOUNDS };

/* ---- Room ---- */

void per_image_open(per_image *p, int64_t n)
{
    double **columns[PLAIN] = {&p->neg_elbo, &p->rate, &p->distortion, &p->squared_error, &p->nll,
                               &p->ess, &p->pareto_k, &p->ais, &p->ais_ess};
    size_t room = (size_t)n + 1;
    p->block = calloc(room * (PLAIN + LT_MAX_BOUNDS), sizeof *p->block);
    if (!p->block) {
        say("latent: out of memory for the numbers of %lld images", (long long)n);
        exit(CODE_FAILED);
    }
    for (size_t i = 0; i < PLAIN; i++)
        *columns[i] = p->block + i * room;
    for (size_t i = 0; i < LT_MAX_BOUNDS; i++)
        p->iwae[i] = p->block + (PLAIN + i) * room;
}

void per_image_close(per_image *p) { free(p->block); }

void per_image_ask(const per_image *p, lt_eval_options *o)
{
    o->neg_elbo_of = p->neg_elbo;
    o->rate_of = p->rate;
    o->distortion_of = p->distortion;
    o->squared_error_of = p->squared_error;
    o->nll_of = p->nll;
    o->ess_of = p->ess;
    o->pareto_k_of = p->pareto_k;
    memcpy(o->iwae_of, p->iwae, sizeof p->iwae);
}

void per_image_ask_ais(const per_image *p, lt_ais_options *o)
{
    o->nll_of = p->ais;
    o->ess_of = p->ais_ess;
}

/* ---- Columns ---- */

typedef struct columns {
    lt_array all[MAX_COLUMNS];
    char names[MAX_COLUMNS][32];
    int n;
    int64_t rows;
} columns;

/* `format` has at most one number in it. */
static void add(columns *c, lt_number_kind kind, const void *values, const char *format, int number)
{
    char *name = c->names[c->n];
    snprintf(name, sizeof c->names[0], format, number);
    c->all[c->n++] = (lt_array){name, kind, values, 1, {c->rows}};
}

static void add_numbers(columns *c, const per_image *p, const eval_findings *f)
{
    const lt_evaluation *e = &f->e;
    add(c, LT_FLOAT64, p->neg_elbo, "neg_elbo_nats", 0);
    add(c, LT_FLOAT64, p->rate, "rate_nats", 0);
    add(c, LT_FLOAT64, p->distortion, "distortion_nats", 0);
    add(c, LT_FLOAT64, p->squared_error, "squared_error", 0);
    for (int i = 0; i < e->n_bounds; i++)
        add(c, LT_FLOAT64, p->iwae[i], "iwae_k%d_nats", e->bounds[i].k);
    if (e->nll_samples > 0) {
        add(c, LT_FLOAT64, p->nll, "nll_k%d_nats", e->nll_samples);
        add(c, LT_FLOAT64, p->ess, "ess_k%d", e->nll_samples);
    }
    if (e->draws > 0)
        add(c, LT_FLOAT64, p->pareto_k, "pareto_k", 0);
    if (f->with_ais) {
        add(c, LT_FLOAT64, p->ais, "ais_nats", 0);
        add(c, LT_FLOAT64, p->ais_ess, "ais_ess", 0);
    }
}

/* Which images of the split these are, and their labels, -1 for none. */
static int find_images(const eval_findings *f, int32_t *index, int32_t *label)
{
    const lt_dataset *d = f->trained->data;
    const lt_dataset_info *info = lt_dataset_describe(d);
    int n = (int)f->e.images;
    for (int i = 0; i < n; i++)
        index[i] = (int32_t)lt_stratified_index(i, n, info->n[f->split]);
    for (int i = 0; i < n; i++)
        label[i] = -1;
    if (info->has_labels[f->split])
        LT_TRY(lt_dataset_labels(d, f->split, index, n, label));
    for (int i = 0; i < n; i++)
        index[i] = (int32_t)lt_dataset_origin(d, f->split, index[i]);
    return LT_OK;
}

static int write_columns(const char *path, const columns *c)
{
    if (strcmp(path, "-") != 0) {
        LT_TRY(lt_columns_write(path, c->all, c->n));
        say("%s: %lld images, %d columns", path, (long long)c->rows, c->n);
        return LT_OK;
    }
    char *text = lt_csv_text(c->all, c->n);
    if (!text)
        return LT_VALUE;
    fputs(text, stdout);
    free(text);
    return LT_OK;
}

int per_image_write(const char *path, const per_image *p, const eval_findings *f)
{
    columns c = {.rows = f->e.images};
    int32_t *images = calloc(2 * (size_t)c.rows + 1, sizeof *images), *labels = images + c.rows;
    if (!images)
        return LT_NO_MEMORY;
    int status = find_images(f, images, labels);
    add(&c, LT_INT32, images, "index", 0);
    add(&c, LT_INT32, labels, "label", 0);
    add_numbers(&c, p, f);
    if (status == LT_OK)
        status = write_columns(path, &c);
    free(images);
    return status;
}
