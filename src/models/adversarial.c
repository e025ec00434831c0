/* SPDX-License-Identifier: MIT */
/* The table of adversarial losses: each is a few functions of v; the divergence that it estimates is a linear
   function of the discriminator's loss. */
#include "models/adversarial.h"

#include <latent/ops.h>

#include <math.h>

typedef struct loss_row {
    spec_row spec;
    bool has_target, is_probability; /* is_probability: its score is one */
    lt_node *(*real)(lt_node *v, double s);
    lt_node *(*fake)(lt_node *v);
    lt_node *(*generator)(lt_node *v);
    lt_node *(*score)(lt_node *v);
    divergence_kind divergence;
    double offset, factor; /* divergence = offset - factor L */
} loss_row;

/* -(1 - s) log sigmoid(v) - s log(1 - sigmoid(v)) */
static lt_node *sigmoid_target(lt_node *v, double s)
{
    lt_node *loss = lt_softplus(lt_neg(v));
    return s > 0 ? lt_add(loss, lt_scale(v, s)) : loss;
}

static lt_node *half_square(lt_node *x) { return lt_scale(lt_square(x), .5); }

static lt_node *from_one(lt_node *v) { return lt_shift(lt_neg(v), 1); }

static lt_node *log_two_minus(lt_node *x) { return lt_shift(lt_neg(x), M_LN2); }

/* LOSS(hinge, lt_relu(from_one(v)), ...) becomes
   static lt_node *hinge_real(lt_node *v, double s) { return lt_relu(from_one(v)); } ...
   static const loss_row row_hinge = {.spec = {.name = "hinge", ...}, .real = hinge_real, ...}; */
#define ROW(NAME, HAS_TARGET, IS_PROBABILITY, REAL, FAKE, GENERATOR, SCORE, DIVERGENCE, OFFSET,    \
            FACTOR, SUMMARY)                                                                       \
    static lt_node *NAME##_real(lt_node *v, double s)                                              \
    {                                                                                              \
        (void)s;                                                                                   \
        return REAL;                                                                               \
    }                                                                                              \
    static lt_node *NAME##_fake(lt_node *v) { return FAKE; }                                       \
    static lt_node *NAME##_generator(lt_node *v) { return GENERATOR; }                             \
    static lt_node *NAME##_score(lt_node *v) { return SCORE; }                                     \
    static const loss_row row_##NAME = {                                                           \
        .spec = {.name = #NAME, .summary = SUMMARY, .options = no_options},                        \
        .has_target = HAS_TARGET, .is_probability = IS_PROBABILITY, .real = NAME##_real, .fake = NAME##_fake,                        \
        .generator = NAME##_generator, .score = NAME##_score,                                      \
        .divergence = DIVERGENCE_##DIVERGENCE, .offset = OFFSET, .factor = FACTOR};
#define PROBABILITY(NAME, REAL, FAKE, GENERATOR, ...)                                              \
    ROW(NAME, true, true, REAL, FAKE, GENERATOR, lt_sigmoid(v), __VA_ARGS__)
#define TARGET(NAME, ...) ROW(NAME, true, false, __VA_ARGS__)
#define LOSS(NAME, ...) ROW(NAME, false, false, __VA_ARGS__)
#define FGAN(NAME, T, CONJUGATE, FACTOR, DIVERGENCE, SUMMARY)                                      \
    ROW(NAME, false, false, lt_neg(T), CONJUGATE, lt_neg(CONJUGATE), T, DIVERGENCE, 0, FACTOR, SUMMARY)
#include "models/adversarial_losses.def"
#undef PROBABILITY
#undef TARGET
#undef LOSS
#undef FGAN

static const spec_row *const rows[] = {
#define LOSS(NAME, ...) &row_##NAME.spec,
#define TARGET LOSS
#define PROBABILITY LOSS
#define FGAN LOSS
#include "models/adversarial_losses.def"
#undef PROBABILITY
#undef TARGET
#undef LOSS
#undef FGAN
    NULL};

const spec_table adversarial_loss_table = {"loss", rows};

static const loss_row *row_of(const spec *loss) { return (const loss_row *)loss->row; }

divergence_kind adversarial_divergence(const spec *loss) { return row_of(loss)->divergence; }

bool adversarial_is_probability(const spec *loss) { return row_of(loss)->is_probability; }

bool adversarial_can_smooth(const spec *loss) { return row_of(loss)->has_target; }

lt_node *adversarial_discriminator_loss(const spec *loss, lt_node *real, lt_node *fake, double smoothing)
{
    const loss_row *r = row_of(loss);
    if (!(smoothing >= 0 && smoothing < 1) || (smoothing > 0 && !r->has_target))
        return lt_graph_fail(lt_node_graph(real), "adversarial loss %s: %s, found smoothing %g",
                             loss->row->name,
                             r->has_target ? "smoothing must be at least 0 and below 1"
                                           : "it has no target to smooth",
                             smoothing);
    return lt_add(lt_mean(r->real(real, smoothing)), lt_mean(r->fake(fake)));
}

lt_node *adversarial_generator_loss(const spec *loss, lt_node *fake)
{
    return lt_mean(row_of(loss)->generator(fake));
}

lt_node *adversarial_estimate(const spec *loss, lt_node *real, lt_node *fake)
{
    const loss_row *r = row_of(loss);
    return lt_shift(lt_scale(adversarial_discriminator_loss(loss, real, fake, 0), -r->factor), r->offset);
}

void adversarial_estimate_terms(const spec *loss, lt_node *real, lt_node *fake, lt_node **of_real,
                                lt_node **of_fake)
{
    const loss_row *r = row_of(loss);
    *of_real = lt_scale(r->real(real, 0), -r->factor);
    *of_fake = lt_scale(r->fake(fake), -r->factor);
}

lt_node *adversarial_score(const spec *loss, lt_node *v) { return row_of(loss)->score(v); }
