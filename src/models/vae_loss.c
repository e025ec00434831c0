/* SPDX-License-Identifier: MIT */
/* The terms of a VAE's loss, from an epoch's means. Means are linear, so a term without its own metric is the
   remainder of the loss. */
#include "models/vae.h"

#include <math.h>
#include <string.h>

/* Whether beta is constant. */
static bool is_steady(const lt_recipe *r) { return strcmp(recipe_line(r, VAE_SCHEDULE)->row->name, "constant") == 0; }

/* The mean of beta x rate; logs of earlier versions lack it, which matters if beta changed. */
static double weighted_rate(const lt_recipe *r, const lt_train_report *t)
{
    const vae_options *o = vae_options_of(r);
    double weighted = t->values[VAE_WEIGHTED_RATE];
    return isnan(weighted) && is_steady(r) ? o->beta * t->values[VAE_RATE] : weighted;
}

int vae_loss_parts(const lt_recipe *r, const lt_train_report *t, lt_loss_part parts[LT_LOSS_PARTS])
{
    const vae_options *o = vae_options_of(r);
    const char *rate = o->beta == 1 && is_steady(r) ? "rate" : "beta x rate";
    double rest = t->values[VAE_LOSS] - t->values[VAE_DISTORTION];
    bool has_gap = vae_loss_has_gap(r);
    parts[0] = (lt_loss_part){"distortion", t->values[VAE_DISTORTION]};
    if (o->capacity > 0 || vae_loss_is_sum(r)) {
        parts[1] = (lt_loss_part){o->capacity > 0 ? "off target" : rate, rest};
        return 2;
    }
    parts[1] = (lt_loss_part){rate, weighted_rate(r, t)};
    parts[2] = (lt_loss_part){has_gap ? "gap" : "free bits", rest - parts[1].nats};
    return 3;
}
