/* SPDX-License-Identifier: MIT */
/* A program of somebody else that trains a run for three epochs more: ./longer RUN EPOCHS [STEP]. With STEP it is
   killed there, as by a power cut. In the end it writes a traversal as SVG to its output, and report.html: both were made
   in memory. */
#include <latent/latent.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct progress {
    const lt_recipe *recipe;
    int64_t kill_at; /* 0: never */
} progress;

static bool on_step(void *user, const lt_train_report *r)
{
    const progress *p = (const progress *)user;
    if (r->step == p->kill_at)
        raise(SIGKILL);
    return true;
}

static bool on_epoch(void *user, const lt_train_report *r, const lt_validation *v)
{
    const progress *p = (const progress *)user;
    fprintf(stderr, "epoch %d: %.3f, valid %.3f\n", (int)r->epoch, lt_report_value(p->recipe, r, "loss"),
            v ? v->neg_elbo : 0);
    return true;
}

static int fail(void) { return fprintf(stderr, "%s\n", lt_last_error()), 1; }

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    char epochs[64];
    snprintf(epochs, sizeof epochs, "train.epochs=%s", argv[2]);
    const char *sets[] = {epochs};
    progress p = {.kill_at = argc > 3 ? atoll(argv[3]) : 0};
    lt_run_train_options o = {.on_step = on_step, .on_epoch = on_epoch, .user = &p};

    lt_run *run = NULL;
    lt_dataset *data = NULL;
    if (lt_run_open(argv[1], sets, 1, &run) != LT_OK || lt_recipe_open_data(lt_run_recipe(run), NULL, &data) != LT_OK)
        return fail();
    p.recipe = lt_run_recipe(run);
    const lt_dataset_info *d = lt_dataset_describe(data);
    lt_model *model = lt_model_create(lt_run_recipe(run), (lt_image_size){d->h, d->w, d->c});
    lt_trainer *trainer = model ? lt_trainer_create(model, data, NULL) : NULL;
    if (!trainer || lt_run_restore(run, trainer) != LT_OK || lt_run_train(run, trainer, data, &o) != LT_OK)
        return fail();

    lt_figure *figure = NULL;
    unsigned char *svg = NULL, *html = NULL;
    size_t n = 0, size = 0;
    const lt_traversal_options t = {.title = argv[1]};
    if (lt_figure_traversal(model, data, LT_TEST, &t, &figure) != LT_OK ||
        lt_figure_encode(figure, "svg", NULL, &svg, &n) != LT_OK || fwrite(svg, 1, n, stdout) != n)
        return fail();
    if (lt_report_html((const char *[]){argv[1]}, 1, NULL, &html, &size) != LT_OK ||
        lt_file_write("report.html", html, size) != LT_OK)
        return fail();

    free(html);
    free(svg);
    lt_figure_free(figure);
    lt_trainer_free(trainer);
    lt_model_free(model);
    lt_dataset_free(data);
    lt_run_free(run);
    return 0;
}
