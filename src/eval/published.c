/* SPDX-License-Identifier: MIT */
/* Published likelihoods of 28 x 28 images, in nats, and when a model's number is comparable with them. */
#include <latent/ledger.h>

#include "base/status.h"

#include <math.h>
#include <string.h>

enum { PIXELS = 28 * 28 };

/* -log p(x) of test images with K samples; -ELBO with one. */
#define NLL(IMAGES, HOW, MODEL, K, NATS, SOURCE)                                                   \
    {IMAGES, LT_PIXELS_##HOW, MODEL, false, K, LT_TEST, NATS, SOURCE, 0, NULL, 0, 0}
#define ELBO(IMAGES, HOW, MODEL, SPLIT, EPOCHS, NATS, SOURCE)                                      \
    {IMAGES, LT_PIXELS_##HOW, MODEL, true, 1, LT_##SPLIT, NATS, SOURCE, EPOCHS, NULL, 0, 0}
#define TRAINED(IMAGES, HOW, MODEL, EPOCHS, K, NATS, SOURCE)                                       \
    {IMAGES, LT_PIXELS_##HOW, MODEL, false, K, LT_TEST, NATS, SOURCE, EPOCHS, NULL, 0, 0}

/* Trained with their schedule of 3280 epochs. */
#define BURDA(MODEL, LAYERS, BOUND, DRAWS, NATS)                                                   \
    {"mnist", LT_PIXELS_DYNAMIC, MODEL ", k = " #DRAWS, false, 5000, LT_TEST, NATS, NBIP, 3280,    \
     BOUND, LAYERS, DRAWS}

#define PYTHAE "pythae README"
#define NBIP "Burda et al. 2016, as quoted in the README of nbip/IWAE"
#define EXEMPLAR "sajadn/Exemplar-VAE, images/density_estimation.png"

/* clang-format off */
static const lt_published table[] = {
    ELBO("mnist", STATIC, "MLP VAE 300-300, 100 latents, 20 epochs", VALID, 20, 101.28, "IFT6135 assignment 3"),
    TRAINED("mnist", STATIC, "MLP VAE 300-300, 100 latents, 20 epochs", 20, 200, 95.54, "IFT6135 assignment 3"),
    NLL("mnist", STATIC, "VAE, 200 latents", 0, 93.8, "pylearn2, comment in vae.yaml"),
    TRAINED("mnist", STATIC, "VAE 400, 40 latents, 500 epochs", 500, 200, 89.78, PYTHAE "; paper 89.9"),
    NLL("mnist", STATIC, "IWAE 1 layer, k = 5", 0, 87.85, "model card clementchadebec/reproduced_iwae; Burda et al. 87.6"),
    NLL("mnist", STATIC, "IWAE 1 layer, k = 50", 5000, 86.82, PYTHAE "; Burda et al. 87.1"),
    NLL("mnist", STATIC, "Hamiltonian VAE, 4 steps", 0, 86.21, PYTHAE "; paper 86.40"),
    NLL("mnist", STATIC, "VampPrior, 500 components", 0, 85.79, PYTHAE "; paper 85.57"),

    BURDA("VAE 1 layer", 1, "elbo", 1, 86.76),
    BURDA("VAE 1 layer", 1, "elbo", 5, 86.47),
    BURDA("VAE 1 layer", 1, "elbo", 50, 86.35),
    BURDA("IWAE 1 layer", 1, "iwae", 5, 85.54),
    BURDA("IWAE 1 layer", 1, "iwae", 50, 84.78),
    BURDA("VAE 2 layers", 2, "elbo", 1, 85.33),
    BURDA("VAE 2 layers", 2, "elbo", 5, 85.01),
    BURDA("VAE 2 layers", 2, "elbo", 50, 84.78),
    BURDA("IWAE 2 layers", 2, "iwae", 5, 83.89),
    BURDA("IWAE 2 layers", 2, "iwae", 50, 82.90),
    NLL("mnist", DYNAMIC, "DReG 1 layer, k = 1", 5000, 86.08, "README of nbip/IWAE, its own runs"),
    NLL("mnist", DYNAMIC, "DReG 1 layer, k = 5", 5000, 84.90, "README of nbip/IWAE, its own runs"),
    NLL("mnist", DYNAMIC, "DReG 1 layer, k = 50", 5000, 84.32, "README of nbip/IWAE, its own runs"),
    NLL("mnist", DYNAMIC, "MIWAE", 0, 85.09, PYTHAE),
    NLL("mnist", DYNAMIC, "CIWAE", 0, 84.74, PYTHAE),
    NLL("mnist", DYNAMIC, "PIWAE", 0, 84.58, PYTHAE),
    NLL("mnist", DYNAMIC, "VAE, Gaussian prior", 0, 84.45, EXEMPLAR),
    NLL("mnist", DYNAMIC, "VAE, VampPrior", 0, 82.43, EXEMPLAR),
    NLL("mnist", DYNAMIC, "VAE, exemplar prior", 0, 82.09, EXEMPLAR),
    NLL("mnist", DYNAMIC, "hierarchical VAE, Gaussian prior", 0, 82.39, EXEMPLAR),
    NLL("mnist", DYNAMIC, "convolutional hierarchical VAE", 0, 80.52, EXEMPLAR),
    NLL("mnist", UNKNOWN, "MLP VAE", 5000, 86.83, "read without its repository's name"),
    ELBO("mnist", GRAY, "VAE 400, 20 latents, epoch 7", TEST, 7, 106.66, "pytorch/examples, log in pull request 1416"),

    NLL("fashion-mnist", DYNAMIC, "VAE, Gaussian prior", 0, 228.70, EXEMPLAR),
    NLL("fashion-mnist", DYNAMIC, "VAE, VampPrior", 0, 227.35, EXEMPLAR),
    NLL("fashion-mnist", DYNAMIC, "VAE, exemplar prior", 0, 226.75, EXEMPLAR),
    NLL("fashion-mnist", DYNAMIC, "hierarchical VAE, Gaussian prior", 0, 227.37, EXEMPLAR),
    NLL("fashion-mnist", DYNAMIC, "convolutional hierarchical VAE", 0, 225.38, EXEMPLAR),
    NLL("omniglot", DYNAMIC, "VAE, Gaussian prior", 0, 108.34, EXEMPLAR),
    NLL("omniglot", DYNAMIC, "VAE, VampPrior", 0, 106.78, EXEMPLAR),
    NLL("omniglot", DYNAMIC, "VAE, exemplar prior", 0, 105.22, EXEMPLAR),
    NLL("omniglot", DYNAMIC, "hierarchical VAE, Gaussian prior", 0, 104.92, EXEMPLAR),
    NLL("omniglot", DYNAMIC, "convolutional hierarchical VAE", 0, 98.12, EXEMPLAR),
};
/* clang-format on */

const lt_published *lt_published_get(int i)
{
    return i >= 0 && i < COUNT_OF(table) ? &table[i] : NULL;
}

/* ---- Comparing ---- */

static bool are_same_images(const lt_published *p, const char *set)
{
    bool is_mnist = strcmp(set, "binarized-mnist") == 0;
    return strcmp(p->images, is_mnist ? "mnist" : set) == 0;
}

/* Both are binarized, but differently. */
static const char *other_bits(lt_pixels here, lt_pixels there)
{
    if (there == LT_PIXELS_UNKNOWN)
        return "the published source does not say how its images were binarized";
    switch (here) {
    case LT_PIXELS_STATIC:
        return "published: images binarized anew in every epoch; here: binarized once, which overfits and costs "
               "about 2 nats on test images";
    case LT_PIXELS_DYNAMIC:
        return "published: images binarized once, which overfits and costs about 2 nats on test images; here: "
               "binarized anew in every epoch";
    case LT_PIXELS_OWN: return "the images are binarized once, but are not those of the published files";
    case LT_PIXELS_THRESHOLD: return "the pixels are thresholded at a half, which leaves fewer ragged edges";
    default: return "how these images were binarized is unknown";
    }
}

const char *lt_published_differs(const lt_published *p, const lt_ledger *l)
{
    if (!l->has_likelihood)
        return "this kind of model has no likelihood";
    if (!are_same_images(p, l->set))
        return "other images";
    if (l->dimensions != PIXELS)
        return "another image size: published numbers are for 28 x 28";
    if (l->limit > 0)
        return "only a part of the images is used here (data.limit)";
    if (l->unit == LT_DENSITY)
        return "here: nats of a density of intensities; published: nats of bits, with another zero";
    if (l->pixels == LT_PIXELS_GRAY && l->unit == LT_DISCRETE)
        return "here: nats of bytes; published: nats of bits";
    if (l->unit == LT_CROSS_ENTROPY && p->pixels != LT_PIXELS_GRAY)
        return "here: cross-entropies of gray pixels; published: likelihoods of bits";
    if (l->unit != LT_CROSS_ENTROPY && p->pixels == LT_PIXELS_GRAY)
        return "published: cross-entropies of gray pixels, not a likelihood";
    if (l->pixels != p->pixels)
        return other_bits(l->pixels, p->pixels);
    if (l->epochs < p->epochs)
        return "the published model was trained for more epochs";
    return NULL;
}

/* With one sample every bound is the ELBO. */
bool lt_published_is_like(const lt_published *p, const lt_ledger *l)
{
    return p->bound && p->layers == l->layers && p->k == l->draws &&
           (p->k == 1 || strcmp(p->bound, l->bound) == 0);
}

lt_published_group lt_published_kept_apart(const lt_ledger *l, int i)
{
    lt_published_group g = {.first = -1, .low = HUGE_VAL, .high = -HUGE_VAL};
    const lt_published *p = lt_published_get(i), *q;
    const char *why = p ? lt_published_differs(p, l) : NULL;
    for (int k = 0; why && (q = lt_published_get(k)) != NULL; k++) {
        const char *its = lt_published_differs(q, l);
        if (!its || strcmp(its, why) != 0 || strcmp(q->images, p->images) != 0)
            continue;
        g.first = g.n++ ? g.first : k;
        g.low = fmin(g.low, q->nats);
        g.high = fmax(g.high, q->nats);
    }
    return g;
}
