/* SPDX-License-Identifier: MIT */
/* Effects of lt_run_options: options of a session, threads, and whether work continues. */
#ifndef LATENT_RUN_OPTIONS_H
#define LATENT_RUN_OPTIONS_H

#include <latent/graph.h>

static inline lt_session_options run_session_options(const lt_run_options *o)
{
    return (lt_session_options){.executor = o->executor, .threads = o->threads};
}

static inline int run_threads(const lt_run_options *o) { return o->threads ? o->threads : lt_cores(); }

/* Reports the fraction done; returns false if the work must stop. */
static inline bool run_continues(const lt_run_options *o, double done)
{
    return !o->progress || o->progress(o->user, done);
}

#endif
