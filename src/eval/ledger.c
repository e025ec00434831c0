/* SPDX-License-Identifier: MIT */
/* The terms of a model's objective, with their constants and in words. */
#include <latent/ledger.h>

#include "base/memory.h"
#include "base/status.h"
#include "eval/visit.h"
#include "models/objective.h"
#include "nn/likelihoods.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

const char *lt_pixels_name(lt_pixels p)
{
    static const char *const names[] = {
        [LT_PIXELS_GREY] = "grey",           [LT_PIXELS_STATIC] = "static",
        [LT_PIXELS_DYNAMIC] = "dynamic",     [LT_PIXELS_OWN] = "own",
        [LT_PIXELS_THRESHOLD] = "threshold", [LT_PIXELS_BITS] = "bits",
        [LT_PIXELS_UNKNOWN] = "unknown"};
    return names[p];
}

const char *lt_pixels_text(lt_pixels p)
{
    static const char *const texts[] = {
        [LT_PIXELS_GREY] = "intensities, k / 255",
        [LT_PIXELS_STATIC] = "bits drawn once, those of the published files",
        [LT_PIXELS_DYNAMIC] =
            "bits drawn from grey levels anew in every epoch; for evaluation once",
        [LT_PIXELS_OWN] = "bits drawn from grey levels once, by this program",
        [LT_PIXELS_THRESHOLD] = "bits: 1 above a half",
        [LT_PIXELS_BITS] = "bits, as they are in the files",
        [LT_PIXELS_UNKNOWN] = "not known without the data"};
    return texts[p];
}

/* ---- Facts of the recipe ---- */

/* A set by its name, or by the last name of its path. */
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
        return r->data_options.resize[0] ? LT_PIXELS_GREY : LT_PIXELS_STATIC;
    if (data)
        return data->is_binary ? LT_PIXELS_BITS : LT_PIXELS_GREY;
    bool is_known = lt_data_image_size(set, NULL, &h, &w, &c) == LT_OK;
    return is_known ? LT_PIXELS_GREY : LT_PIXELS_UNKNOWN;
}

static lt_unit unit_of(const lt_model *m, lt_pixels p)
{
    bool is_grey = p == LT_PIXELS_GREY || p == LT_PIXELS_UNKNOWN;
    if (lt_model_is_binary(m) && is_grey)
        return LT_CROSS_ENTROPY;
    return lt_model_is_discrete(m) ? LT_DISCRETE : LT_DENSITY;
}

static const lt_option *find_option(const spec *s, const char *name)
{
    for (const lt_option *o = s->row->options; o && o->name; o++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

static double option_real(const spec *s, const char *name, double missing)
{
    const lt_option *o = find_option(s, name);
    return o && o->kind == LT_KIND_REAL ? *(const double *)((const char *)s->options + o->offset)
                                        : missing;
}

/* The words of a spec, cut to what fits. */
static void copy_words(const spec *s, char *words, size_t size)
{
    text t = {0};
    spec_print(s, &t);
    snprintf(words, size, "%s", text_get(&t));
    text_clear(&t);
}

/* The width of a pixel as evaluation has it. */
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

/* ---- Terms and notes ---- */

static void LT_PRINTF(5, 6)
    add_term(lt_ledger *l, const char *name, bool is_sum, double nats, const char *format, ...)
{
    if (l->n_terms == LT_LEDGER_TERMS)
        return;
    lt_ledger_term *t = &l->terms[l->n_terms++];
    *t = (lt_ledger_term){.name = name, .is_sum = is_sum, .nats = nats};
    va_list values;
    va_start(values, format);
    vsnprintf(t->text, sizeof t->text, format, values);
    va_end(values);
}

static void LT_PRINTF(2, 3) add_note(lt_ledger *l, const char *format, ...)
{
    if (l->n_notes == LT_LEDGER_NOTES)
        return;
    va_list values;
    va_start(values, format);
    vsnprintf(l->notes[l->n_notes++], LT_LEDGER_TEXT, format, values);
    va_end(values);
}

/* What the distortion splits into, where one width serves all pixels. */
static void add_distortion(lt_ledger *l, const lt_recipe *r, int channels, double distortion)
{
    const likelihood_row *kind = likelihood_facts(&r->likelihood);
    bool has_many = strstr(l->likelihood, "per_channel") && channels > 1;
    double d = (double)l->dimensions, s = l->sigma, variance = s * s;
    if (kind == &likelihood_gaussian && !has_many) {
        bool is_plain = fabs(2 * variance - 1) < 1e-6;
        l->constant = d / 2 * log(2 * pi * variance);
        add_term(l, "error", false, distortion - l->constant,
                 "sum (x - y)^2 / (2 sigma^2), sigma^2 = %.4g%s", variance,
                 is_plain ? ": the squared error itself" : "");
        add_term(l, "constant", false, l->constant, "%lld/2 log(2 pi sigma^2)",
                 (long long)l->dimensions);
    } else if (kind == &likelihood_laplace && !has_many) {
        l->constant = d * log(sqrt(2) * s);
        add_term(l, "error", false, distortion - l->constant, "sum |x - y| / s, s = %.4g",
                 s / sqrt(2));
        add_term(l, "constant", false, l->constant, "%lld log(2 s)", (long long)l->dimensions);
    }
    add_term(l, "distortion", l->n_terms > 0, distortion,
             l->unit == LT_CROSS_ENTROPY
                 ? "cross-entropy of x and E[x|z], one draw of z per image"
                 : "-log p(x|z) with all constants, one draw of z per image");
}

/* Whether the loss is distortion + beta rate and nothing else: every option but those three has its
   default. */
static bool is_plain(const spec *objective)
{
    bool plain = true;
    for (const lt_option *o = objective->row->options; o && o->name; o++) {
        const char *at = (const char *)objective->options + o->offset;
        bool is_one = strcmp(o->name, "beta") == 0 || strcmp(o->name, "kl") == 0 ||
                      strcmp(o->name, "schedule") == 0;
        if (o->kind == LT_KIND_REAL && !is_one)
            plain &= *(const double *)at == o->fallback;
        else if (o->kind == LT_KIND_INT && !is_one)
            plain &= *(const int64_t *)at == (int64_t)o->fallback;
        else if (o->kind == LT_KIND_CHOICE && !is_one)
            plain &= *(const int *)at == (int)o->fallback;
    }
    return plain;
}

static void add_terms(lt_ledger *l, const lt_recipe *r, int channels, const lt_validation *v)
{
    double rate = v ? v->rate : (double)NAN, distortion = v ? v->distortion : (double)NAN;
    add_distortion(l, r, channels, distortion);
    add_term(l, "rate", false, rate, "KL(q(z|x) || p(z)), by its formula where there is one");
    add_term(l, "-ELBO", true, -l->elbo, "distortion + rate: above -log p(x)%s",
             l->unit == LT_CROSS_ENTROPY ? " if that were a likelihood" : "");
    if (!is_plain(&r->objective))
        add_note(l,
                 "Training minimises another bound or a changed rate: see the objective. What is "
                 "reported is the same for all.");
    else if (l->beta != 1)
        add_term(l, "loss", true, distortion + l->beta * rate,
                 "distortion + beta rate, beta = %.4g: what training minimises; not a bound",
                 l->beta);
}

static void add_notes(lt_ledger *l, const lt_recipe *r)
{
    if (l->unit == LT_CROSS_ENTROPY)
        add_note(l,
                 "A Bernoulli likelihood of pixels that are not 0 or 1 does not sum to 1 over "
                 "images: these nats are a cross-entropy and bound no log p(x). For a likelihood, "
                 "binarize the data or take continuous_bernoulli.");
    if (l->unit == LT_DENSITY)
        add_note(
            l,
            "These are nats of a density of intensities on [0, 1]^%lld: they may be below 0, and "
            "depend on the unit of x. Bits per dimension of bytes are 8 more.",
            (long long)l->dimensions);
    if (likelihood_facts(&r->likelihood) == &likelihood_gaussian && l->sigma != 1)
        add_note(l,
                 "Whoever writes the loss as half the squared error plus beta KL would call this "
                 "beta = %.4g, which is beta sigma^2.",
                 l->beta * l->sigma * l->sigma);
    if (l->beta != 1)
        add_note(l, "The ELBO has the weight 1 on the rate, whatever training had.");
}

/* ---- The ledger ---- */

int lt_ledger_make(lt_ledger *l, lt_model *m, const lt_ledger_facts *facts)
{
    static const lt_ledger_facts nothing;
    const lt_ledger_facts *f = facts ? facts : &nothing;
    const lt_recipe *r = lt_model_recipe(m);
    const lt_image_size size = lt_model_image_size(m);
    *l = (lt_ledger){.dimensions = (int64_t)size.h * size.w * size.c,
                     .limit = r->data_options.limit,
                     .constant = (double)NAN,
                     .beta = f->beta > 0 ? f->beta : option_real(&r->objective, "beta", 1),
                     .elbo = f->found ? f->found->elbo : (double)NAN};
    copy_set(f->data ? f->data->name : r->data.set, l->set, sizeof l->set);
    l->pixels = pixels_of(r, l->set, f->data);
    l->unit = unit_of(m, l->pixels);
    l->bits_per_dim = -l->elbo / (log(2) * (double)l->dimensions);
    copy_words(&r->likelihood, l->likelihood, sizeof l->likelihood);
    copy_words(&r->prior, l->prior, sizeof l->prior);
    copy_words(&r->objective, l->objective, sizeof l->objective);
    LT_TRY(find_sigma(m, &l->sigma));
    add_terms(l, r, size.c, f->found);
    add_notes(l, r);
    return LT_OK;
}
