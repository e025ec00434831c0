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

/* LT_OK or LT_NO_MEMORY; clear it in both cases. */
int points_init(points *p, int n, int d);
void points_clear(points *p);

/* Points first ... first + n - 1 become the rows of x. */
void points_set(points *p, int first, int n, const float *x);

/* Point i becomes the row x. */
void points_get(const points *p, int i, float *x);

/* Of each point of `from`, what is wanted among the points of `among`. */
typedef struct neighbor_query {
    const points *from, *among;
    const int *self;     /* point self[i] of `among` is point i itself and does not count; NULL:
                            none is */
    int base;            /* is added to places in `among`, and taken off those in `self` */
    int k;               /* nearest[i x k ...]: its k nearest distances, ascending */
    float *nearest;      /* filled with INFINITY before the first search: they go on from there */
    int *place;          /* k of each: of those; NULL: not wanted */
    const float *radius; /* of each of `among`; NULL: none */
    int *inside;         /* is increased by how many are no farther than their radius; NULL */
} neighbor_query;

void neighbors_search(const neighbor_query *q, int threads);

#endif
