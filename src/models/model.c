/* SPDX-License-Identifier: MIT */
/* Models: a recipe, the size of its images, and the parameters. */
#include "models/priors.h"

#include "graph/op.h"
#include "nn/likelihoods.h"
#include "nn/shapes.h"

#include <stdlib.h>
#include <string.h>

struct lt_model {
    lt_recipe *recipe;
    lt_params *params, *discriminator; /* discriminator: NULL without one */
    lt_buffer *average;         /* of the trained part of params; NULL: no average */
    lt_image_size size;
    char *trained_on[LT_SPLITS]; /* identities of splits; NULL: unknown */
};

/* ---- Visits ---- */

static model_visit visit(lt_model *m, lt_graph *g, lt_mode mode)
{
    return (model_visit){.recipe = m->recipe,
                         .size = m->size,
                         .graph = g,
                         .params = m->params,
                         .discriminator = m->discriminator,
                         .root = lt_params_visit(m->params, g),
                         .is_training = mode == LT_TRAINING,
                         .has_objective = mode != LT_EVALUATION};
}

static lt_shape image_shape(const lt_model *m, int64_t n)
{
    return lt_shape_4d(n, m->size.h, m->size.w, m->size.c);
}

/* Returns x if it is a batch of the model's images, else the bad node. */
static lt_node *check_images(const lt_model *m, lt_node *x)
{
    lt_shape s = lt_node_shape(x);
    if (node_is_bad(x) || (s.rank == 4 && lt_shape_equal(s, image_shape(m, s.d[0]))))
        return x;
    char found[LT_SHAPE_TEXT_SIZE];
    return lt_graph_fail(lt_node_graph(x), "%s: expected images as n x %d x %d x %d, found %s",
                         m->recipe->head.name, m->size.h, m->size.w, m->size.c,
                         lt_shape_text(s, found));
}

/* The same for codes. */
static lt_node *check_codes(const lt_model *m, lt_node *z)
{
    lt_shape s = lt_node_shape(z);
    if (node_is_bad(z) || (s.rank == 2 && s.d[1] == m->recipe->model.latent))
        return z;
    char found[LT_SHAPE_TEXT_SIZE];
    return lt_graph_fail(lt_node_graph(z), "%s: expected codes as n x %d, found %s",
                         m->recipe->head.name, lt_model_latent(m), lt_shape_text(s, found));
}

static int status_of(const lt_graph *g)
{
    const char *error = lt_graph_error(g);
    return error ? status_fail(LT_GRAPH, "%s", error) : LT_OK;
}

/* Fails because the kind of model lacks something. */
static lt_node *fail_kind(const lt_model *m, lt_graph *g, const char *lacks)
{
    return lt_graph_fail(g, "%s: %s has no %s", m->recipe->head.name,
                         kind_of(m->recipe)->recipe.phrase, lacks);
}

int lt_model_build(lt_model *m, lt_graph *g, lt_node *x, lt_mode mode, lt_model_terms *t)
{
    *t = (lt_model_terms){0};
    model_visit v = visit(m, g, mode);
    if (kind_of(m->recipe)->build)
        kind_of(m->recipe)->build(&v, check_images(m, x), t);
    else
        fail_kind(m, g, "likelihood; lt_model_build needs one");
    return status_of(g);
}

int model_build_phase(lt_model *m, lt_graph *g, int i, lt_node *x, lt_node *labels, phase_terms *t)
{
    *t = (phase_terms){0};
    model_visit v = visit(m, g, LT_TRAINING);
    kind_of(m->recipe)->phases[i].build(&v, check_images(m, x), labels, t);
    return status_of(g);
}

lt_gauss lt_model_encode(lt_model *m, lt_graph *g, lt_node *x)
{
    model_visit v = visit(m, g, LT_EVALUATION);
    if (kind_of(m->recipe)->encode)
        return kind_of(m->recipe)->encode(&v, check_images(m, x));
    lt_node *bad = fail_kind(m, g, "encoder, so its images have no codes");
    return (lt_gauss){bad, bad};
}

lt_node *lt_model_decode(lt_model *m, lt_graph *g, lt_node *z)
{
    model_visit v = visit(m, g, LT_EVALUATION);
    return kind_of(m->recipe)->decode(&v, check_codes(m, z), NULL);
}

lt_node *lt_model_decode_class(lt_model *m, lt_graph *g, lt_node *z, lt_node *labels)
{
    model_visit v = visit(m, g, LT_EVALUATION);
    if (lt_model_classes(m) == 0)
        return fail_kind(m, g, "classes because it was trained without labels");
    return kind_of(m->recipe)->decode(&v, check_codes(m, z), labels);
}

lt_node *lt_model_decode_sample(lt_model *m, lt_graph *g, lt_node *z)
{
    model_visit v = visit(m, g, LT_EVALUATION);
    if (!kind_of(m->recipe)->draw)
        return fail_kind(m, g, "likelihood to sample images from");
    return kind_of(m->recipe)->draw(&v, check_codes(m, z));
}

lt_node *lt_model_log_prob(lt_model *m, lt_graph *g, lt_node *z, lt_node *x)
{
    model_visit v = visit(m, g, LT_EVALUATION);
    if (!kind_of(m->recipe)->log_prob)
        return fail_kind(m, g, "likelihood");
    return kind_of(m->recipe)->log_prob(&v, check_codes(m, z), check_images(m, x));
}

lt_node *lt_model_log_prior(lt_model *m, lt_graph *g, lt_node *z)
{
    model_visit v = visit(m, g, LT_EVALUATION);
    if (!kind_of(m->recipe)->log_prior)
        return fail_kind(m, g, "likelihood");
    return kind_of(m->recipe)->log_prior(&v, check_codes(m, z));
}

lt_node *lt_model_prior_sample(lt_model *m, lt_graph *g, int64_t n)
{
    model_visit v = visit(m, g, LT_EVALUATION);
    if (n < 0 || n > INT32_MAX)
        return lt_graph_fail(g, "prior samples: expected 0 to %d codes, found %jd", INT32_MAX, (intmax_t)n);
    if (!kind_of(m->recipe)->draw_prior)
        return fail_kind(m, g, "prior to sample codes from");
    return kind_of(m->recipe)->draw_prior(&v, n);
}

/* Returns x if q is a posterior of these images and `draws` a valid count, else the bad node. */
static lt_node *check_draws(lt_node *x, lt_gauss q, int64_t draws)
{
    lt_graph *g = lt_node_graph(x);
    lt_node *all[] = {x, q.mean, q.logvar};
    for (int i = 0; i < COUNT_OF(all); i++)
        if (node_is_bad(all[i]))
            return all[i];
    int64_t n = lt_node_shape(x).d[0];
    if (lt_node_shape(q.mean).d[0] != n || lt_node_shape(q.logvar).d[0] != n)
        return lt_graph_fail(g, "expected the posterior of %jd images, found that of %jd", (intmax_t)n,
                             (intmax_t)lt_node_shape(q.mean).d[0]);
    if (draws < 1 || draws > INT32_MAX)
        return lt_graph_fail(g, "expected 1 to %d samples of z per image, found %jd", INT32_MAX, (intmax_t)draws);
    return x;
}

lt_node *lt_model_log_weights(lt_model *m, lt_graph *g, lt_node *x, lt_gauss q, int64_t draws)
{
    model_visit v = visit(m, g, LT_EVALUATION);
    if (!kind_of(m->recipe)->log_weights)
        return fail_kind(m, g, "likelihood");
    q = (lt_gauss){check_codes(m, q.mean), check_codes(m, q.logvar)};
    x = check_draws(check_images(m, x), q, draws);
    return node_is_bad(x) ? x : kind_of(m->recipe)->log_weights(&v, x, q, draws);
}

/* ---- Life ---- */

/* Declares the parameters: visits every network once in a temporary graph. */
static int declare(lt_model *m, network_observer *observer, void *user)
{
    lt_graph *g = lt_graph_create();
    model_visit v = visit(m, g, LT_TRAINING);
    v.observer = observer;
    v.user = user;
    phase_terms t = {0};
    lt_node *labels = lt_model_classes(m) ? lt_input(g, "labels", lt_shape_1d(1)) : NULL;
    kind_of(m->recipe)->phases[0].build(&v, lt_input(g, "x", image_shape(m, 1)), labels, &t);
    int status = status_of(g);
    lt_graph_free(g);
    return status;
}

static int check_size(lt_image_size s)
{
    enum { MAX_SIDE = 4096, MAX_PIXELS = 1 << 22 };
    if (s.h >= 1 && s.w >= 1 && s.c >= 1 && s.h <= MAX_SIDE && s.w <= MAX_SIDE &&
        s.c <= MAX_SIDE && (int64_t)s.h * s.w * s.c <= MAX_PIXELS)
        return LT_OK;
    return status_fail(LT_VALUE, "cannot model images of %d x %d x %d", s.h, s.w, s.c);
}

static int make_model(lt_model *m)
{
    const lt_recipe *r = m->recipe;
    uint64_t seed = lt_recipe_seed(r);
    m->params = lt_params_create();
    if (kind_of(r)->phases[0].trains_discriminator)
        m->discriminator = lt_params_create();
    LT_TRY(declare(m, NULL, NULL));
    LT_TRY(lt_params_allocate(m->params, seed));
    if (m->discriminator)
        LT_TRY(lt_params_allocate(m->discriminator, seed));
    if (r->train.ema_decay == 0)
        return LT_OK;
    LT_TRY(lt_buffer_create(lt_params_extent(m->params), "averages of weights", &m->average));
    model_restart_average(m);
    return LT_OK;
}

lt_model *lt_model_create(const lt_recipe *r, lt_image_size size)
{
    if (check_size(size) != LT_OK)
        return NULL;
    lt_model *m = must_alloc(sizeof *m);
    *m = (lt_model){.recipe = recipe_share(r), .size = size};
    if (make_model(m) == LT_OK)
        return m;
    lt_model_free(m);
    return NULL;
}

void lt_model_free(lt_model *m)
{
    if (!m)
        return;
    lt_params_free(m->params);
    lt_params_free(m->discriminator);
    lt_buffer_free(m->average);
    lt_recipe_free(m->recipe);
    for (int i = 0; i < LT_SPLITS; i++)
        free(m->trained_on[i]);
    free(m);
}

const char *model_trained_on(const lt_model *m, lt_split split) { return m->trained_on[split]; }

void model_set_trained_on(lt_model *m, lt_split split, const char *identity)
{
    free(m->trained_on[split]);
    m->trained_on[split] = identity ? must_copy_text(identity) : NULL;
}

static void copy_params(lt_params *to, lt_params *from)
{
    size_t floats = (size_t)(lt_params_extent(from) + lt_params_state_extent(from));
    memcpy(lt_params_block(to), lt_params_block(from), sizeof(float) * floats);
}

/* Recipe and image size determine the layout, so equal ones have equal blocks. */
int lt_model_copy(lt_model *to, const lt_model *from)
{
    lt_image_size a = to->size, b = from->size;
    const char *to_name = lt_recipe_name(to->recipe), *from_name = lt_recipe_name(from->recipe);
    if (to == from)
        return LT_OK;
    if (strcmp(lt_recipe_text(to->recipe), lt_recipe_text(from->recipe)) != 0)
        return status_fail(LT_VALUE, "cannot copy %s to %s: their recipes differ", from_name,
                           to_name);
    if (a.h != b.h || a.w != b.w || a.c != b.c)
        return status_fail(LT_VALUE,
                           "cannot copy %s for images of %d x %d x %d to one for %d x %d x %d",
                           from_name, b.h, b.w, b.c, a.h, a.w, a.c);
    copy_params(to->params, from->params);
    if (from->discriminator)
        copy_params(to->discriminator, from->discriminator);
    if (from->average)
        memcpy(lt_buffer_floats(to->average), lt_buffer_floats(from->average), model_ema_bytes(from));
    return LT_OK;
}

lt_buffer *model_ema_buffer(lt_model *m) { return m->average; }

float *model_ema(lt_model *m) { return m->average ? lt_buffer_floats(m->average) : NULL; }

size_t model_ema_bytes(const lt_model *m)
{
    return sizeof(float) * (size_t)lt_params_extent(m->params);
}

void model_restart_average(lt_model *m)
{
    if (m->average)
        memcpy(model_ema(m), lt_params_block(m->params), model_ema_bytes(m));
}

int lt_model_bind(lt_model *m, lt_graph *g, lt_session *s, lt_mode mode)
{
    LT_TRY(lt_params_bind(m->params, g, s));
    if (m->discriminator)
        LT_TRY(lt_params_bind(m->discriminator, g, s));
    lt_node *trained = lt_params_variable(m->params, g);
    if (mode == LT_EVALUATION && m->average && trained)
        return lt_session_bind(s, trained, m->average, 0);
    return LT_OK;
}

const lt_recipe *lt_model_recipe(const lt_model *m) { return m->recipe; }

lt_params *lt_model_params(lt_model *m) { return m->params; }

lt_params *lt_model_discriminator(lt_model *m) { return m->discriminator; }

int lt_model_classes(const lt_model *m)
{
    const model_kind *kind = kind_of(m->recipe);
    return kind->classes ? (int)kind->classes(m->recipe) : 0;
}

lt_image_size lt_model_image_size(const lt_model *m) { return m->size; }

int lt_model_latent(const lt_model *m) { return (int)m->recipe->model.latent; }

int lt_model_latent2(const lt_model *m)
{
    const model_kind *kind = kind_of(m->recipe);
    return kind->latent2 ? (int)kind->latent2(m->recipe) : 0;
}

bool lt_model_is_binary(const lt_model *m)
{
    const spec *likelihood = recipe_likelihood(m->recipe);
    return likelihood && likelihood_facts(likelihood)->is_binary;
}

bool lt_model_is_discrete(const lt_model *m)
{
    const spec *likelihood = recipe_likelihood(m->recipe);
    return likelihood && likelihood_facts(likelihood)->is_discrete;
}

/* ---- Summary ---- */

enum { MAX_WIDTH = 80 }; /* of a column; wider cells overflow */

/* Column widths are measured in a first pass. */
typedef struct summary {
    lt_model *model;
    int name_width, words_width, shape_width;
    text out;
} summary;

/* Number of trained weights in parameters whose names start with `prefix`. */
static int64_t count_numbers(const lt_params *p, const char *prefix)
{
    int64_t n = 0;
    for (int i = 0; i < lt_params_count(p); i++) {
        lt_param_info info = lt_params_info(p, i);
        if (!info.is_state && strncmp(info.name, prefix, strlen(prefix)) == 0)
            n += lt_shape_size(info.shape);
    }
    return n;
}

/* The same over all parameter sets of a model. */
static int64_t model_numbers(const lt_model *m, const char *prefix)
{
    return count_numbers(m->params, prefix) + (m->discriminator ? count_numbers(m->discriminator, prefix) : 0);
}

/* The cells of a line. A layer with a list has two lines: one before the list and one after it, with the parameters
   of its shortcut. The caller frees name and words. */
typedef struct summary_line {
    char *name, *words;
    char shape[LT_SHAPE_TEXT_SIZE];
    int64_t numbers;
} summary_line;

static summary_line line_of(const summary *s, const network_event *e)
{
    summary_line line = {.name = must_format("%s.%s", e->scope, e->index)};
    char *prefix = must_format("%s.%s", line.name, e->is_closing ? "shortcut." : "");
    line.numbers = e->is_opening ? 0 : model_numbers(s->model, prefix);
    const char *words = !e->is_closing ? e->words : line.numbers ? "+ shortcut of x" : "+ x";
    line.words = must_format("%*s%s", 2 * e->depth, "", words);
    if (!e->is_opening)
        row_shape_text(e->out, line.shape);
    free(prefix);
    return line;
}

static void widen(int *width, const char *cell)
{
    size_t n = strlen(cell);
    if (n <= MAX_WIDTH && (int)n > *width)
        *width = (int)n;
}

static void measure_layer(void *user, const network_event *e)
{
    summary *s = user;
    summary_line line = line_of(s, e);
    widen(&s->name_width, line.name);
    widen(&s->words_width, line.words);
    widen(&s->shape_width, line.shape);
    free(line.name);
    free(line.words);
}

static void describe_layer(void *user, const network_event *e)
{
    summary *s = user;
    summary_line line = line_of(s, e);
    int64_t n = line.numbers;
    text_format(&s->out, "%-*s %-*s", s->name_width, line.name,
                e->is_opening ? 0 : s->words_width, line.words);
    if (!e->is_opening)
        text_format(&s->out, " %-*s", n ? s->shape_width : 0, line.shape);
    if (n)
        text_format(&s->out, " %10jd", (intmax_t)n);
    if (e->in.rank > 2 && e->out.rank == 2 && n) {
        char before[LT_SHAPE_TEXT_SIZE];
        text_format(&s->out, "   (%s flattened)", row_shape_text(e->in, before));
    }
    text_append(&s->out, "\n");
    free(line.name);
    free(line.words);
}

/* `, decoder 220528` for each name up to the first dot. */
static void describe_parts(const lt_params *p, const char **separator, text *out)
{
    const char *before = "";
    for (int i = 0; i < lt_params_count(p); i++) {
        const char *name = lt_params_info(p, i).name;
        size_t n = strcspn(name, ".") + 1;
        if (strncmp(name, before, n) == 0)
            continue;
        before = name;
        char *prefix = must_format("%.*s", (int)n, name);
        int64_t numbers = count_numbers(p, prefix);
        if (numbers) {
            text_format(out, "%s%.*s %jd", *separator, (int)n - 1, name, (intmax_t)numbers);
            *separator = ", ";
        }
        free(prefix);
    }
}

static void describe_totals(const lt_model *m, text *out)
{
    const char *separator = ": ";
    text_format(out, "parameters %jd", (intmax_t)model_numbers(m, ""));
    describe_parts(m->params, &separator, out);
    if (m->discriminator)
        describe_parts(m->discriminator, &separator, out);
    text_append(out, "\n");
}

char *lt_model_summary(const lt_model *m)
{
    const lt_recipe *r = m->recipe;
    /* a visit does not change a model whose parameters are allocated */
    summary s = {.model = (lt_model *)m, .name_width = 22, .words_width = 26, .shape_width = 14};
    text_format(&s.out, "%s: %s, images %d x %d x %d, latent %d", r->head.name, r->model.kind,
                m->size.h, m->size.w, m->size.c, lt_model_latent(m));
    if (kind_of(r)->summarize)
        kind_of(r)->summarize(r, &s.out);
    text_append(&s.out, "\n");
    int status = declare(s.model, measure_layer, &s);
    text_format(&s.out, "%-*s %-*s %-*s %10s\n", s.name_width, "name", s.words_width, "layer",
                s.shape_width, "output", "parameters");
    if (status != LT_OK || declare(s.model, describe_layer, &s) != LT_OK)
        LT_ASSERT(!"a model that was built");
    describe_totals(m, &s.out);
    return text_take(&s.out);
}
