/* SPDX-License-Identifier: MIT */
#include "nn/optimiser_options.h"

#define NEARLY_ONE 0.9999999

/* A number in the field of that name. */
#define REAL(TYPE, NAME, FALLBACK, MAX, HELP)                                                      \
    {.name = #NAME, .kind = LT_KIND_REAL, .offset = offsetof(TYPE, NAME), .fallback = (FALLBACK),  \
     .max = (MAX), .help = (HELP)}
#define RATE(FALLBACK)                                                                             \
    {.name = "lr", .kind = LT_KIND_REAL, .offset = offsetof(optimiser_options, lr),                \
     .fallback = (FALLBACK), .max = 1e3, .positional = true, .help = "learning rate"}

static const lt_option adam_rows[] = {
    RATE(1e-3),
    REAL(adam_options, beta1, 0.9, NEARLY_ONE, "memory of the mean gradient"),
    REAL(adam_options, beta2, 0.999, NEARLY_ONE, "memory of the mean squared gradient"),
    REAL(adam_options, eps, 1e-8, 1, "added to the root in the denominator"),
    {0}};

static const lt_option adamw_rows[] = {
    RATE(1e-3),
    REAL(adamw_options, beta1, 0.9, NEARLY_ONE, "memory of the mean gradient"),
    REAL(adamw_options, beta2, 0.999, NEARLY_ONE, "memory of the mean squared gradient"),
    REAL(adamw_options, eps, 1e-8, 1, "added to the root in the denominator"),
    REAL(adamw_options, weight_decay, 0.01, 1e3, "w shrinks by lr weight_decay w each step"),
    {0}};

static const lt_option sgd_rows[] = {
    RATE(1e-2),
    REAL(sgd_options, momentum, 0, NEARLY_ONE, "part of the last step that goes on"),
    {.name = "nesterov", .kind = LT_KIND_BOOL, .offset = offsetof(sgd_options, nesterov),
     .help = "Nesterov's momentum"},
    REAL(sgd_options, weight_decay, 0, 1e3, "adds weight_decay w to the gradient"),
    {0}};

static const lt_option rmsprop_rows[] = {
    RATE(1e-2),
    REAL(rmsprop_options, alpha, 0.99, NEARLY_ONE, "memory of the mean squared gradient"),
    REAL(rmsprop_options, eps, 1e-8, 1, "added to the root in the denominator"),
    REAL(rmsprop_options, momentum, 0, NEARLY_ONE, "part of the last step that goes on"),
    {0}};

static const spec_row adam = {.name = "adam", .summary = "Kingma and Ba 2015",
                              .options = adam_rows, .size = sizeof(adam_options)};
static const spec_row adamw = {.name = "adamw",
                               .summary = "adam with decoupled weight decay",
                               .options = adamw_rows, .size = sizeof(adamw_options)};
static const spec_row sgd = {.name = "sgd", .summary = "gradient descent, with momentum if wanted",
                             .options = sgd_rows, .size = sizeof(sgd_options)};
static const spec_row rmsprop = {.name = "rmsprop",
                                 .summary = "gradients over the root of their mean square",
                                 .options = rmsprop_rows, .size = sizeof(rmsprop_options)};

static const spec_row *const rows[] = {&adam, &adamw, &sgd, &rmsprop, NULL};

const spec_table optimiser_table = {"optimiser", rows};
