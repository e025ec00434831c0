/* SPDX-License-Identifier: MIT */
/* What latent animate is asked, and its two kinds of animation. */
#ifndef LATENT_ANIMATE_H
#define LATENT_ANIMATE_H

#include "figure_command.h"

typedef struct animate_request {
    figure_request all; /* out: NULL until the kind is known */
    bool is_walk, is_straight, from_prior;
    int64_t frames, walks, stops, steps, loops; /* 0: default; steps: frames from stop to stop */
    const char *seconds_text, *hold_text, *classes;
    double seconds, hold; /* 0: default */
} animate_request;

/* Frames that are drawn one after the other. (reel.c) */
typedef struct reel {
    int n;
    lt_image *frames;
} reel;

void reel_open(reel *r, int n);
void reel_close(reel *r);

/* Whether there is room for all frames if they are as large as the first: CODE_DONE, or the exit code
   after a complaint. */
int reel_check(const reel *r, const command *c);

/* Writes it, each frame `seconds` long and the last one `hold`, and says so. */
int reel_write(const reel *r, const animate_request *q, double seconds, double hold);

/* Both give the exit code. (animate_training.c, animate_walk.c) */
int animate_training(const animate_request *q);
int animate_walk(animate_request *q);

#endif
