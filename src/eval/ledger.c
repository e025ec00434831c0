/* SPDX-License-Identifier: MIT */
/* The terms of a model's objective, with their constants and in words. */
#include "eval/ledger_terms.h"

#include "base/memory.h"
#include "base/status.h"
#include "eval/visit.h"
#include "models/objective.h"
#include "models/vae.h"
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

void ledger_add_term(term_list list, const char *name, bool is_sum, double nats, const char *format,
                     ...)
{
    if (*list.n == LT_LEDGER_TERMS)
        return;
    lt_ledger_term *t = &list.terms[(*list.n)++];
    *t = (lt_ledger_term){.name = name, .is_sum = is_sum, .nats = nats};
    va_list values;
    va_start(values, format);
    vsnprintf(t->text, sizeof t->text, format, values);
    va_end(values);
}

void ledger_add_note(lt_ledger *l, const char *format, ...)
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
    term_list list = {l->terms, &l->n_terms};
    bool has_many = strstr(l->likelihood, "per_channel") && channels > 1;
    double d = (double)l->dimensions, s = l->sigma, variance = s * s;
    if (kind == &likelihood_gaussian && !has_many) {
        bool is_plain = fabs(2 * variance - 1) < 1e-6;
        l->constant = d / 2 * log(2 * pi * variance);
        ledger_add_term(list, "error", false, distortion - l->constant,
                        "sum (x - y)^2 / (2 sigma^2), sigma^2 = %.4g%s", variance,
                        is_plain ? ": the squared error itself" : "");
        ledger_add_term(list, "constant", false, l->constant, "%lld/2 log(2 pi sigma^2)",
                        (long long)l->dimensions);
    } else if (kind == &likelihood_laplace && !has_many) {
        l->constant = d * log(sqrt(2) * s);
        ledger_add_term(list, "error", false, distortion - l->constant, "sum |x - y| / s, s = %.4g",
                        s / sqrt(2));
        ledger_add_term(list, "constant", false, l->constant, "%lld log(2 s)",
                        (long long)l->dimensions);
    }
    ledger_add_term(list, "distortion", l->n_terms > 0, distortion,
                    l->unit == LT_CROSS_ENTROPY
                        ? "cross-entropy of x and E[x|z], one draw of z per image"
                        : "-log p(x|z) with all constants, one draw of z per image");
}

/* What is reported of every model, whatever it was trained with. */
static void add_terms(lt_ledger *l, const lt_recipe *r, int channels, const lt_validation *v)
{
    term_list list = {l->terms, &l->n_terms};
    double rate = v ? v->rate : (double)NAN, distortion = v ? v->distortion : (double)NAN;
    char words[RATE_TEXT];
    ledger_rate_text(r, false, words);
    add_distortion(l, r, channels, distortion);
    ledger_add_term(list, "rate", false, rate, "%s", words);
    ledger_add_term(list, "-ELBO", true, l->neg_elbo, "distortion + rate: above -log p(x)%s",
                    l->unit == LT_CROSS_ENTROPY ? " if that were a likelihood" : "");
}

static void add_notes(lt_ledger *l, const lt_recipe *r)
{
    if (l->unit == LT_CROSS_ENTROPY)
        ledger_add_note(l,
                        "A Bernoulli likelihood of pixels that are not 0 or 1 does not sum to 1 "
                        "over images: these nats are a cross-entropy and bound no log p(x). For a "
                        "likelihood, binarize the data or take continuous_bernoulli.");
    if (l->unit == LT_DENSITY)
        ledger_add_note(
            l,
            "These are nats of a density of intensities on [0, 1]^%lld: they may be below 0, and "
            "depend on the unit of x. Bits per dimension of bytes are 8 more.",
            (long long)l->dimensions);
    if (likelihood_facts(&r->likelihood) == &likelihood_gaussian && l->sigma != 1)
        ledger_add_note(l,
                        "Whoever writes the loss as half the squared error plus beta KL would call "
                        "this beta = %.4g, which is beta sigma^2.",
                        l->beta * l->sigma * l->sigma);
    if (l->beta != 1)
        ledger_add_note(l, "-ELBO has the weight 1 on the rate, whatever training had.");
}

/* ---- The ledger ---- */

/* Numbers of the last training step; the recipe's where it is not known. */
static void read_steps(lt_ledger *l, const lt_recipe *r, const lt_train_report *t)
{
    bool is_known = t && t->epoch > 0 && t->step >= t->epoch;
    const vae_options *o = r->objective.options;
    static const char *const bounds[] = {
        [BOUND_ELBO] = "elbo", [BOUND_IWAE] = "iwae", [BOUND_DREG] = "dreg"};
    l->beta = t && isfinite(t->beta) ? t->beta : o->beta;
    l->layers = r->model.latent2 > 0 ? 2 : 1;
    l->bound = bounds[o->bound];
    l->draws = o->samples;
    if (o->capacity > 0)
        l->capacity = is_known ? recipe_capacity(r, t->step - 1, t->step / t->epoch) : o->capacity;
}

static int make_vae(lt_ledger *l, lt_model *m, const lt_ledger_facts *f)
{
    const lt_recipe *r = lt_model_recipe(m);
    l->unit = unit_of(m, l->pixels);
    l->neg_elbo = f->found ? f->found->neg_elbo : (double)NAN;
    l->bits_per_dim = l->neg_elbo / (log(2) * (double)l->dimensions);
    copy_words(&r->likelihood, l->likelihood, sizeof l->likelihood);
    copy_words(&r->prior, l->prior, sizeof l->prior);
    LT_TRY(find_sigma(m, &l->sigma));
    read_steps(l, r, f->trained);
    add_terms(l, r, lt_model_image_size(m).c, f->found);
    ledger_add_vae_loss(l, r, f->trained);
    add_notes(l, r);
    return LT_OK;
}

int lt_ledger_make(lt_ledger *l, lt_model *m, const lt_ledger_facts *facts)
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
                     .has_likelihood = lt_model_has_likelihood(m),
                     .bound = "",
                     .sigma = none,
                     .constant = none,
                     .beta = none,
                     .capacity = none,
                     .neg_elbo = none,
                     .bits_per_dim = none};
    copy_set(f->data ? f->data->name : r->data.set, l->set, sizeof l->set);
    l->pixels = pixels_of(r, l->set, f->data);
    copy_words(&r->objective, l->objective, sizeof l->objective);
    if (l->has_likelihood)
        return make_vae(l, m, f);
    ledger_add_gan(l, r, f->trained);
    return LT_OK;
}
