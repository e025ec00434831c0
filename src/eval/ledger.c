/* SPDX-License-Identifier: MIT */
/* The terms of a model's objective, with their constants and descriptions. */
#include "models/ledger_terms.h"

#include "base/memory.h"
#include "base/status.h"
#include "eval/visit.h"
#include "models/kind.h"
#include "nn/likelihoods.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *lt_pixels_name(lt_pixels p)
{
    static const char *const names[] = {
        [LT_PIXELS_GRAY] = "gray",           [LT_PIXELS_STATIC] = "static",
        [LT_PIXELS_DYNAMIC] = "dynamic",     [LT_PIXELS_OWN] = "own",
        [LT_PIXELS_THRESHOLD] = "threshold", [LT_PIXELS_BITS] = "bits",
        [LT_PIXELS_UNKNOWN] = "unknown"};
    return names[p];
}

const char *lt_pixels_text(lt_pixels p)
{
    static const char *const texts[] = {
        [LT_PIXELS_GRAY] = "intensities, k / 255",
        [LT_PIXELS_STATIC] = "bits drawn once, those of the published files",
        [LT_PIXELS_DYNAMIC] =
            "bits drawn from gray levels anew in every epoch; for evaluation once",
        [LT_PIXELS_OWN] = "bits drawn from gray levels once, by this program",
        [LT_PIXELS_THRESHOLD] = "bits: 1 above a half",
        [LT_PIXELS_BITS] = "bits, as they are in the files",
        [LT_PIXELS_UNKNOWN] = "not known without the data"};
    return texts[p];
}

/* ---- Facts of the recipe ---- */

/* Copies the name of a data set, or the last part of its path. */
static void copy_set(const char *path, char *name, size_t size)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    snprintf(name, size, "%.*s", (int)(end - begin), path + begin);
}

static lt_pixels pixels_of(const lt_recipe *r, const char *set, const lt_dataset_info *data)
{
    int h, w, c;
    switch (r->data_options.binarize) {
    case LT_BINARIZE_FIXED:
        return LT_PIXELS_OWN;
    case LT_BINARIZE_DYNAMIC:
        return LT_PIXELS_DYNAMIC;
    case LT_BINARIZE_THRESHOLD:
        return LT_PIXELS_THRESHOLD;
    default:
        break;
    }
    if (strcmp(set, "binarized-mnist") == 0)
        return r->data_options.resize[0] ? LT_PIXELS_GRAY : LT_PIXELS_STATIC;
    if (data)
        return data->is_binary ? LT_PIXELS_BITS : LT_PIXELS_GRAY;
    bool is_known = lt_data_image_size(set, NULL, &h, &w, &c) == LT_OK;
    return is_known ? LT_PIXELS_GRAY : LT_PIXELS_UNKNOWN;
}

static lt_unit unit_of(const lt_model *m, lt_pixels p)
{
    bool is_gray = p == LT_PIXELS_GRAY || p == LT_PIXELS_UNKNOWN;
    if (lt_model_is_binary(m) && is_gray)
        return LT_CROSS_ENTROPY;
    return lt_model_is_discrete(m) ? LT_DISCRETE : LT_DENSITY;
}

/* Finds the sigma of a pixel in evaluation. */
static int find_sigma(lt_model *m, double *sigma)
{
    lt_image_size s = lt_model_image_size(m);
    visit v = {.graph = lt_graph_create()};
    lt_model_terms t = {0};
    float value = NAN;
    lt_node *x = lt_input(v.graph, "x", lt_shape_4d(1, s.h, s.w, s.c));
    int status = lt_model_build(m, v.graph, x, LT_EVALUATION, &t);
    if (status == LT_OK && t.sigma) {
        status = visit_open(&v, m, &t.sigma, 1, &(lt_session_options){.threads = 1});
        if (status == LT_OK)
            status = lt_session_run(v.session, NULL);
        if (status == LT_OK)
            status = lt_session_read(v.session, t.sigma, &value, 1);
    }
    *sigma = (double)value;
    visit_close(&v);
    return status;
}

/* ---- The ledger ---- */

int lt_ledger_make(lt_model *m, const lt_ledger_facts *facts, lt_ledger *l)
{
    static const lt_ledger_facts nothing;
    const lt_ledger_facts *f = facts ? facts : &nothing;
    const lt_recipe *r = lt_model_recipe(m);
    const lt_image_size size = lt_model_image_size(m);
    const double none = (double)NAN;
    *l = (lt_ledger){.dimensions = (int64_t)size.h * size.w * size.c,
                     .limit = r->data_options.limit,
                     .epochs = f->trained && f->trained->epoch > 0 ? f->trained->epoch
                                                                   : r->train.epochs,
                     .channels = size.c,
                     .has_likelihood = lt_model_can(m, LT_CAN_LIKELIHOOD),
                     .has_bound = lt_model_can(m, LT_CAN_BOUND),
                     .bound = "",
                     .sigma = none,
                     .constant = none,
                     .beta = none,
                     .capacity = none,
                     .neg_elbo = none,
                     .bits_per_dim = none};
    copy_set(f->data ? f->data->name : r->data.set, l->set, sizeof l->set);
    l->pixels = pixels_of(r, l->set, f->data);
    ledger_copy_words(&r->kind, l->objective, sizeof l->objective);
    if (recipe_likelihood(r)) {
        l->unit = unit_of(m, l->pixels);
        ledger_copy_words(recipe_likelihood(r), l->likelihood, sizeof l->likelihood);
        LT_TRY(find_sigma(m, &l->sigma));
    }
    kind_of(r)->explain(l, r, f);
    return LT_OK;
}

void lt_ledger_round(const lt_ledger_term *terms, int n, double shown[LT_LEDGER_TERMS])
{
    double *parts[LT_LEDGER_TERMS], before = 0; /* the sum above, which the next begins with */
    int n_parts = 0;
    for (int i = 0; i < n; i++) {
        shown[i] = terms[i].nats;
        if (!terms[i].is_sum) {
            parts[n_parts++] = &shown[i];
            continue;
        }
        shown[i] -= n_parts > 0 ? before : 0;
        lt_shown_parts(parts, n_parts, &shown[i], 2);
        shown[i] += n_parts > 0 ? before : 0;
        before = shown[i];
        n_parts = 0;
    }
}
