/* SPDX-License-Identifier: MIT */
/* Sessions on executors that have no lt_executor: tests bring theirs. */
#ifndef LATENT_SESSION_H
#define LATENT_SESSION_H

#include "compile/executor.h"

/* lt_session_create on this executor. */
lt_session *session_create_on(const executor *e, const lt_program *p, const lt_session_options *o);

#endif
