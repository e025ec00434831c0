/* SPDX-License-Identifier: MIT */
/* Euclidean distances between many points, by tiles: memory never grows with their product. All
   distances are squared; equal points are at distance 0 exactly. */
#ifndef LATENT_NEIGHBORS_H
#define LATENT_NEIGHBORS_H

#include <latent/base.h>

enum { MAX_NEIGHBORS = 16, POINT_LANES = 16 };

/* n points of d floats, in panels of POINT_LANES points, d x POINT_LANES each. */
typedef struct points {
    int n, d;
    float *panels;
} points;

/* LT_OK or LT_NO_MEMORY; clear *p in any case. */
int points_init(points *p, int n, int d);
void points_clear(points *p);

/* Sets points first ... first + n - 1 to the rows of x. */
void points_set(points *p, int first, int n, const float *x);

/* Copies point i to x. */
void points_get(const points *p, int i, float *x);

/* For each point of `from`, a query among the points of `among`. */
typedef struct neighbor_query {
    const points *from, *among;
    const int *self;     /* point self[i] of `among` is point i itself and is skipped; NULL: none */
    int base;            /* added to indices in `among`, and subtracted from those in `self` */
    int k;               /* nearest[i x k ...]: its k nearest distances, ascending */
    float *nearest;      /* fill with INFINITY before the first search; later searches continue */
    int *place;          /* indices of these, k per point; NULL: not wanted */
    const float *radius; /* of each point of `among`; NULL: none */
    int *inside;         /* increased by the number of points whose radius reaches point i; NULL: not wanted */
} neighbor_query;

void neighbors_search(const neighbor_query *q, int threads);

#endif
