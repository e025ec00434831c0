/* SPDX-License-Identifier: MIT */
/* Finds the data options with which pictures of other sizes fit a recipe. */
#include <latent/train.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fit {
    int side, channels;
} fit;

/* Color before gray, usual sides first. */
static const fit fits[] = {{32, 3}, {64, 3}, {28, 3}, {128, 3}, {28, 1}, {32, 1}, {64, 1}, {128, 1}};

/* Options that the recipe sets are kept. */
static bool is_open_to(const lt_data_options *o, fit f)
{
    char side[16];
    snprintf(side, sizeof side, "%d", f.side);
    return (!o->resize[0] || strcmp(o->resize, side) == 0) && (!o->channels || o->channels == f.channels);
}

static bool is_model_for(const lt_recipe *r, fit f)
{
    lt_model *m = lt_model_create(r, (lt_image_size){f.side, f.side, f.channels});
    lt_model_free(m);
    return m != NULL;
}

/* Returns the channels of the pictures opened with f (0 in f keeps theirs); 0 if they cannot be opened so. */
static int read_channels(const lt_recipe *r, fit f)
{
    char side[32], channels[32];
    const char *sets[] = {side, channels};
    lt_dataset *d = NULL;
    snprintf(side, sizeof side, "data.resize=%d", f.side);
    snprintf(channels, sizeof channels, "data.channels=%d", f.channels);
    int n = f.channels ? 2 : 1, found = 0;
    if (lt_recipe_open_data_with(r, NULL, sets, n, &d) == LT_OK)
        found = lt_dataset_describe(d)->c;
    lt_dataset_free(d);
    return found;
}

/* Considers only fits with that many channels; 0: all. */
static const fit *find_fit_of(const lt_recipe *r, int channels)
{
    const lt_data_options *o = lt_recipe_data_options(r);
    for (int i = 0; i < COUNT_OF(fits); i++)
        if ((!channels || channels == fits[i].channels) && is_open_to(o, fits[i]) &&
            is_model_for(r, fits[i]))
            return &fits[i];
    return NULL;
}

/* Pictures that are all gray or all color stay so if the recipe accepts that. */
static const fit *find_fit(const lt_recipe *r)
{
    int own = read_channels(r, (fit){fits[0].side, 0});
    const fit *f = own ? find_fit_of(r, own) : NULL;
    f = f ? f : find_fit_of(r, 0);
    return f && read_channels(r, *f) ? f : NULL;
}

int lt_recipe_advise_data(const lt_recipe *r, int status)
{
    if ((status != LT_FORMAT && status != LT_VALUE) || !folder_is_pictures(lt_recipe_dataset(r)))
        return status;
    char *why = must_copy_text(lt_last_error());
    log_pause(true);
    const fit *f = find_fit(r);
    log_pause(false);
    if (f)
        status_fail(status, "%s; %s accepts the pictures with these options: --set data.resize=%d --set "
                    "data.channels=%d", why, lt_recipe_name(r), f->side, f->channels);
    else
        status_fail(status, "%s", why);
    free(why);
    return status;
}
