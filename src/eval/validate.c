/* SPDX-License-Identifier: MIT */
/* Validation: the numbers reported for every model, and the training objective on unseen images. A loss that is a
   mean over images of distortion + beta x rate is computed from these two; other losses, of batch means or of
   several samples, are computed in batches of the training batch size. */
#include <latent/eval.h>

#include "base/memory.h"
#include "eval/visit.h"
#include "exec/run_options.h"
#include "models/kind.h"

#include <math.h>
#include <stdlib.h>

/* Steps of the run key from here on are for the samples of the objective; those of lt_evaluate begin at 0 and at
   2^63. */
static const uint64_t OBJECTIVE_STEPS = 1ull << 62;

typedef struct objective_run {
    visit v;
    lt_node *x;
    lt_model_terms t;
} objective_run;

static int open_run(objective_run *r, lt_model *m, int n, const lt_session_options *o)
{
    lt_image_size s = lt_model_image_size(m);
    lt_graph *g = r->v.graph = lt_graph_create();
    r->x = lt_input(g, "x", lt_shape_4d(n, s.h, s.w, s.c));
    LT_TRY(lt_model_build(m, g, r->x, LT_OBJECTIVE, &r->t));
    lt_node *targets[] = {r->t.loss, r->t.beta, r->t.capacity};
    return visit_open(&r->v, m, targets, r->t.capacity ? 3 : 2, o);
}

static int write_scalar(lt_session *s, const lt_node *x, double value)
{
    return x ? lt_session_write(s, x, &(float){(float)value}, 1) : LT_OK;
}

/* Adds n times the loss of n images from `first` on. */
static int add_batch(objective_run *r, const visited *images, int first, int n,
                     const lt_train_report *at, const lt_run_key *key, float *x, double *sum)
{
    lt_session *s = r->v.session;
    float loss;
    LT_TRY(visited_gather(images, first, n, x));
    LT_TRY(lt_session_write(s, r->x, x, lt_shape_size(lt_node_shape(r->x))));
    LT_TRY(write_scalar(s, r->t.beta, at->beta));
    LT_TRY(write_scalar(s, r->t.capacity, at->capacity));
    LT_TRY(lt_session_run(s, key));
    LT_TRY(lt_session_read(s, r->t.loss, &loss, 1));
    *sum += (double)loss * n;
    return LT_OK;
}

/* Runs batches of the training batch size; the last one may be smaller. */
static int run_objective(lt_model *m, const visited *images, const lt_eval_options *o,
                         const lt_train_report *at, double *loss)
{
    const lt_session_options how = run_session_options(&o->run);
    lt_image_size s = lt_model_image_size(m);
    int64_t wanted = lt_recipe_train_options(lt_model_recipe(m))->batch;
    int batch = wanted < images->n ? (int)wanted : images->n, n;
    float *x = tensor_alloc(sizeof *x * (size_t)batch * (size_t)s.h * (size_t)s.w * (size_t)s.c,
                            "a batch to validate");
    objective_run full = {.x = NULL}, rest = {.x = NULL};
    double sum = 0;
    int status = x ? open_run(&full, m, batch, &how) : LT_NO_MEMORY;
    if (status == LT_OK && images->n % batch > 0)
        status = open_run(&rest, m, images->n % batch, &how);
    for (int first = 0; first < images->n && status == LT_OK; first += n) {
        n = images->n - first < batch ? images->n - first : batch;
        lt_run_key key = {o->seed, OBJECTIVE_STEPS + (uint64_t)(first / batch)};
        status = add_batch(n == batch ? &full : &rest, images, first, n, at, &key, x, &sum);
    }
    visit_close(&full.v);
    visit_close(&rest.v);
    tensor_free(x);
    *loss = sum / images->n;
    return status;
}

int lt_validate(lt_model *m, lt_dataset *d, lt_split split, const lt_eval_options *options,
                const lt_train_report *at, lt_validation *v)
{
    const lt_eval_options o = options ? *options : (lt_eval_options){.seed = 0};
    lt_evaluation e;
    visited images;
    LT_TRY(lt_evaluate(m, d, split, &o, &e));
    *v = (lt_validation){.images = e.images,
                         .neg_elbo = e.neg_elbo.value,
                         .neg_elbo_se = e.neg_elbo.se,
                         .rate = e.rate.value,
                         .distortion = e.distortion.value,
                         .squared_error = e.squared_error.value,
                         .loss = (double)NAN};
    if (!at)
        return LT_OK;
    if (kind_of(lt_model_recipe(m))->loss_is_sum(lt_model_recipe(m))) {
        v->loss = v->distortion + (lt_model_can(m, LT_CAN_BOUND) ? at->beta * v->rate : 0);
        return LT_OK;
    }
    LT_TRY(visited_init(&images, m, d, split, o.images));
    return run_objective(m, &images, &o, at, &v->loss);
}
