/* SPDX-License-Identifier: MIT */
/* Figures: the bytes in memory equal those of the file, and those that the tool writes. */
#include "base/file.h"
#include "base/memory.h"

#include <latent/figures.h>
#include <latent/runs.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scratch.h"

static void expect_ok(int status)
{
    if (status != LT_OK)
        fail_msg("%s: %s", lt_status_name(status), lt_last_error());
}

/* ---- A run, its model and its data ---- */

static lt_model *model;
static lt_dataset *data;
static const char *run;

static int make_run(void **state)
{
    static char path[128];
    static const char *const sets[] = {"train.epochs=2", "train.samples_every=1", "data.limit=60"};
    make_dir(state);
    snprintf(path, sizeof path, "%s/tiny", dir);
    lt_recipe *r;
    lt_recipe_open(TESTS_DIR "/cli/tiny.yaml", sets, 3, &r);
    lt_run *opened = NULL;
    if (!r || lt_recipe_open_data(r, NULL, &data) != LT_OK)
        return -1;
    const lt_dataset_info *d = lt_dataset_describe(data);
    model = lt_model_create(r, (lt_image_size){d->h, d->w, d->c});
    lt_trainer *t = model ? lt_trainer_create(model, data, NULL) : NULL;
    int status = t ? lt_run_create(path, t, &opened) : LT_VALUE;
    if (status == LT_OK)
        status = lt_run_train(opened, t, data, NULL);
    lt_run_free(opened);
    lt_trainer_free(t);
    lt_recipe_free(r);
    run = path;
    return status == LT_OK ? 0 : -1;
}

static int remove_run(void **state)
{
    lt_model_free(model);
    lt_dataset_free(data);
    return remove_dir(state);
}

/* ---- Memory and file ---- */

/* Checks that a figure is encoded to what it is written as, in each of these formats, and frees it. */
static void check_formats(lt_figure *f, const char *const *formats)
{
    for (int i = 0; formats[i]; i++) {
        char name[32];
        unsigned char *encoded;
        size_t n;
        bytes file;
        snprintf(name, sizeof name, "figure.%s", formats[i]);
        expect_ok(lt_figure_write(f, in_dir(name), NULL));
        expect_ok(lt_figure_encode(f, formats[i], NULL, &encoded, &n));
        expect_ok(file_read(in_dir(name), (size_t)1 << 30, &file));
        assert_int_equal(n, file.size);
        assert_memory_equal(encoded, file.data, n);
        bytes_clear(&file);
        free(encoded);
    }
    lt_figure_free(f);
}

static void files_are_what_is_encoded(void **state)
{
    static const char *const of_grids[] = {"png", "jpg", "webp", "svg", "pdf", "npy", NULL};
    static const char *const of_charts[] = {"png", "jpg", "webp", "svg", "pdf", "csv", NULL};
    static const char *const of_walks[] = {"webp", "gif", "apng", "png", "npy", NULL};
    static const char *const of_histories[] = {"gif", NULL};
    lt_figure *f;
    (void)state;
    expect_ok(lt_figure_samples(model, NULL, &(lt_samples_options){.n = 7, .title = "Seven"}, &f));
    check_formats(f, of_grids);
    expect_ok(lt_figure_curves(&run, 1, NULL, &f));
    check_formats(f, of_charts);
    expect_ok(lt_figure_walk(model, data, LT_TEST, &(lt_walk_options){.walks = 2, .steps = 2}, &f));
    check_formats(f, of_walks);
    expect_ok(lt_figure_history(run, NULL, &f));
    check_formats(f, of_histories);
}

static void names_of_files_stand_for_formats(void **state)
{
    unsigned char *a, *b;
    size_t n, m;
    lt_figure *f;
    (void)state;
    expect_ok(lt_figure_samples(model, NULL, &(lt_samples_options){.n = 2}, &f));
    expect_ok(lt_figure_encode(f, "x/y.PNG", NULL, &a, &n));
    expect_ok(lt_figure_encode(f, ".png", NULL, &b, &m));
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    free(a);
    free(b);
    assert_int_equal(lt_figure_encode(f, "csv", NULL, &a, &n), LT_VALUE);
    assert_null(a);
    assert_int_equal(lt_figure_encode(f, "gif", NULL, &a, &n), LT_VALUE);
    assert_int_equal(lt_figure_write(f, in_dir("none.txt"), NULL), LT_VALUE);
    assert_false(file_exists(in_dir("none.txt")));
    lt_figure_free(f);
}

/* ---- The tool ---- */

/* Returns the file that `latent ARGS` writes; ARGS have the run and the file as %s. */
static void check_tool(lt_figure *f, const char *name, const char *args)
{
    char command[1024], words[512];
    expect_ok(lt_figure_write(f, in_dir(name), NULL));
    char *theirs = must_format("%s/tool-%s", dir, name);
    snprintf(words, sizeof words, args, run, theirs);
    snprintf(command, sizeof command, "%s %s 2> /dev/null", LATENT_TOOL, words);
    assert_int_equal(system(command), 0);
    assert_same_file(in_dir(name), theirs);
    free(theirs);
    lt_figure_free(f);
}

static bool stop_at_once(void *user, double done)
{
    (void)user, (void)done;
    return false;
}

static void charts_of_codes_can_be_stopped(void **state)
{
    (void)state;
    lt_figure *f;
    const lt_chart_data of = {.run.progress = stop_at_once};
    assert_int_equal(lt_figure_activity(&run, 1, LT_TEST, &of, &f), LT_INTERRUPTED);
    assert_int_equal(lt_figure_bounds(&run, 1, LT_TEST, &of, &f), LT_INTERRUPTED);
    assert_int_equal(lt_figure_latents(&run, 1, LT_TEST, &(lt_latents_options){.of = of}, &f), LT_INTERRUPTED);
    assert_int_equal(lt_figure_histogram(&run, 1, LT_TEST, &(lt_histogram_options){.of = of}, &f), LT_INTERRUPTED);
    assert_null(f);
}

static void the_tool_draws_the_same(void **state)
{
    lt_figure *f;
    const char *title = "tiny";
    (void)state;
    expect_ok(lt_figure_samples(model, NULL, &(lt_samples_options){.with_draws = true, .n = 3, .title = title}, &f));
    check_tool(f, "draws.svg", "sample %s --draws -n 3 -o %s");
    expect_ok(lt_figure_reconstructions(model, data, LT_TEST, &(lt_reconstructions_options){.n = 5, .seed = 2}, &f));
    check_tool(f, "pairs.png", "reconstruct %s -n 5 --seed 2 -o %s");
    expect_ok(lt_figure_interpolation(model, data, LT_TEST, &(lt_interpolation_options){.images = (int[]){1, 2}}, &f));
    check_tool(f, "between.svg", "interpolate %s --image 1,2 -o %s");
    expect_ok(lt_figure_traversal(model, data, LT_TEST, &(lt_traversal_options){.rows = 2}, &f));
    check_tool(f, "latents.svg", "traverse %s --rows 2 -o %s");
    expect_ok(lt_figure_activity(&run, 1, LT_TEST, NULL, &f));
    check_tool(f, "activity.csv", "plot activity %s -o %s");
    expect_ok(lt_figure_latents(&run, 1, LT_TEST, NULL, &f));
    check_tool(f, "map.svg", "plot latents %s -o %s");
    expect_ok(lt_figure_history_rows(run, model, &(lt_history_rows_options){.n = 3}, &f));
    check_tool(f, "rows.png", "sample %s --history -n 3 -o %s");
}

/* ---- What a figure says ---- */

static void figures_describe_themselves(void **state)
{
    lt_figure *f;
    (void)state;
    expect_ok(lt_figure_samples(model, NULL, &(lt_samples_options){.n = 7}, &f));
    const lt_figure_info *i = lt_figure_describe(f);
    assert_int_equal(i->kind, LT_FIGURE_GRID);
    assert_int_equal(i->n, 7);
    assert_int_equal(i->rows, 3);
    assert_int_equal(i->columns, 3);
    assert_string_equal(i->subtitle, "7 samples, seed 0");
    assert_null(lt_figure_charts(f));
    assert_null(lt_figure_note(f, 0));
    lt_figure_free(f);
    expect_ok(lt_figure_reconstructions(model, data, LT_TEST, &(lt_reconstructions_options){.n = 5, .columns = 3}, &f));
    assert_int_equal(lt_figure_describe(f)->n, 12); /* two rows of three, twice */
    assert_int_equal(lt_figure_describe(f)->n_images, 5);
    lt_figure_free(f);
    expect_ok(lt_figure_curves(&run, 1, &(lt_curves_options){.log_y = true}, &f));
    assert_int_equal(lt_figure_describe(f)->n, lt_figure_charts(f)->n_charts);
    assert_string_equal(lt_figure_describe(f)->title, "tiny");
    lt_figure_free(f);
    lt_figure_free(NULL);
}

static void what_is_asked_in_vain_is_refused(void **state)
{
    lt_figure *f;
    const char *const nowhere[] = {"nowhere"};
    (void)state;
    assert_int_equal(lt_figure_samples(model, NULL, &(lt_samples_options){.each_class = true}, &f), LT_VALUE);
    assert_null(f);
    assert_int_equal(lt_figure_samples(model, NULL, &(lt_samples_options){.n = -1}, &f), LT_VALUE);
    assert_int_equal(lt_figure_reconstructions(model, NULL, LT_TEST, NULL, &f), LT_VALUE);
    assert_int_equal(lt_figure_manifold(model, NULL, &(lt_manifold_options){.side = 101}, &f), LT_VALUE);
    assert_int_equal(lt_figure_traversal(model, data, LT_TEST, &(lt_traversal_options){
                         .kind = LT_TRAVERSE_GRID, .latents = (int[]){0, 99}}, &f), LT_VALUE);
    assert_non_null(strstr(lt_last_error(), "found 0,99"));
    assert_int_equal(lt_figure_interpolation(model, data, LT_TEST, &(lt_interpolation_options){
                         .images = (int[]){0, 60000}}, &f), LT_VALUE);
    assert_int_equal(lt_figure_curves(nowhere, 1, NULL, &f), LT_NOT_FOUND);
    assert_int_equal(lt_figure_curves(nowhere, 0, NULL, &f), LT_VALUE);
    assert_int_equal(lt_figure_history("nowhere", NULL, &f), LT_NOT_FOUND);
    assert_null(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_what_is_encoded),    cmocka_unit_test(names_of_files_stand_for_formats),
        cmocka_unit_test(the_tool_draws_the_same),      cmocka_unit_test(figures_describe_themselves),
        cmocka_unit_test(what_is_asked_in_vain_is_refused),
        cmocka_unit_test(charts_of_codes_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, make_run, remove_run);
}
