/* SPDX-License-Identifier: MIT */
/* The samples that training drew. */
#include "album.h"

#include "plot_kinds.h"

#include <stdlib.h>
#include <string.h>

int album_open(album *a, const char *run)
{
    *a = (album){.run = lt_run_around(run)};
    if (!a->run)
        a->run = strcpy(plot_room(strlen(run) + 1, 1), run);
    return lt_run_sample_epochs(a->run, &a->epochs, &a->n);
}

void album_close(album *a)
{
    free(a->run);
    free(a->epochs);
}

void album_thin_out(album *a, int n)
{
    for (int i = 0; i < n && n < a->n; i++)
        a->epochs[i] = a->epochs[(int64_t)i * (a->n - 1) / (n - 1)];
    a->n = n < a->n ? n : a->n;
}
