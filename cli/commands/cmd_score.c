/* SPDX-License-Identifier: MIT */
/* latent score: scores images of any program against a data set. */
#include "shared_options.h"
#include "quality_report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct score_request {
    const char *images, *against, *pairs;
    text_list sets;
    int split, images_split;
    int64_t n, seed, threads;
    bool as_json;
    quality_files files;
} score_request;

enum { ANY_SPLIT = LT_SPLITS, MAX_IMAGES = 1000000 };

/* The images to score, and the data set to score them against. */
typedef struct scoring {
    lt_dataset *images, *data;
    lt_split split, images_split;
    int n;
    float *pixels;
    lt_quality quality;
} scoring;

/* ---- The data sets ---- */

static bool is_run(const char *path)
{
    char recipe[4096];
    struct stat s;
    snprintf(recipe, sizeof recipe, "%s/recipe.yaml", path);
    return stat(recipe, &s) == 0;
}

static bool is_checkpoint(const char *path)
{
    static const char end[] = ".safetensors";
    size_t n = strlen(path), m = strlen(end);
    return n > m && strcmp(path + n - m, end) == 0;
}

/* Reads the options in `sets` that begin with "PREFIX." */
static int read_options(const text_list *sets, const char *prefix, lt_data_options *o)
{
    size_t n = strlen(prefix);
    for (int i = 0; i < sets->n; i++)
        if (strncmp(sets->item[i], prefix, n) == 0 && sets->item[i][n] == '.')
            LT_TRY(lt_data_options_set(o, sets->item[i] + n + 1));
    return LT_OK;
}

/* Opens the data of a run with its recipe's options and the changes of --set. */
static int open_run_data(const score_request *q, lt_dataset **out)
{
    char path[4096];
    text_list sets = {.n = 0};
    snprintf(path, sizeof path, "%s/recipe.yaml", q->against);
    for (int i = 0; i < q->sets.n; i++)
        if (strncmp(q->sets.item[i], "data.", 5) == 0)
            sets.item[sets.n++] = q->sets.item[i];
    if (is_checkpoint(q->against)) {
        lt_model *m;
        LT_TRY(lt_model_open(q->against, &m));
        int status = lt_model_open_data(m, NULL, sets.item, sets.n, out);
        lt_model_free(m);
        return status;
    }
    lt_recipe *r;
    LT_TRY(lt_recipe_open(path, NULL, 0, &r));
    int status = lt_recipe_open_data_with(r, NULL, sets.item, sets.n, out);
    lt_recipe_free(r);
    return status;
}

static int open_data(const score_request *q, scoring *s)
{
    lt_data_options o = {0}, of_images = {0};
    LT_TRY(read_options(&q->sets, "images", &of_images));
    if (is_run(q->against) || is_checkpoint(q->against)) {
        LT_TRY(open_run_data(q, &s->data));
    } else {
        LT_TRY(read_options(&q->sets, "data", &o));
        LT_TRY(lt_dataset_open(q->against, &o, &s->data));
    }
    s->split = lt_dataset_split(s->data, (lt_split)q->split);
    return lt_dataset_open(q->images, &of_images, &s->images);
}

/* ---- The images ---- */

/* Chooses the split of the images: the given one, or the only one. */
static int choose_split(const command *c, const score_request *q, scoring *s)
{
    const lt_dataset_info *info = lt_dataset_describe(s->images);
    int found = ANY_SPLIT, splits = 0;
    for (int i = 0; i < LT_SPLITS; i++)
        if (info->n[i] > 0) {
            found = found == ANY_SPLIT ? i : found;
            splits++;
        }
    if (q->images_split == ANY_SPLIT && splits > 1)
        return complain(c, CODE_USAGE, "%s has %d train, %d valid and %d test images: choose a split "
                        "with --images-split", q->images, info->n[LT_TRAIN],
                        info->n[LT_VALID], info->n[LT_TEST]);
    s->images_split = (lt_split)(q->images_split == ANY_SPLIT ? found : q->images_split);
    s->n = info->n[s->images_split];
    if (q->n > s->n)
        return complain(c, CODE_FAILED, "--images: %s has %d %s images, found %lld", q->images, s->n,
                        lt_split_name(s->images_split), (long long)q->n);
    s->n = q->n > 0 ? (int)q->n : s->n;
    return CODE_DONE;
}

/* Images are resized only on request. */
static int check_size(const command *c, const score_request *q, const scoring *s)
{
    const lt_dataset_info *a = lt_dataset_describe(s->images), *b = lt_dataset_describe(s->data);
    char resize[64] = "", channels[64] = "";
    if (a->h == b->h && a->w == b->w && a->c == b->c)
        return CODE_DONE;
    if (a->h != b->h || a->w != b->w)
        snprintf(resize, sizeof resize, " --set images.resize=%dx%d", b->h, b->w);
    if (a->c != b->c)
        snprintf(channels, sizeof channels, " --set images.channels=%d", b->c);
    return complain(c, CODE_FAILED, "%s has images of %d x %d x %d, %s of %d x %d x %d; to change the "
                    "former:%s%s", q->images, a->h, a->w, a->c, b->name, b->h, b->w, b->c, resize,
                    channels);
}

static void say_change(const score_request *q, const scoring *s)
{
    const lt_dataset_info *a = lt_dataset_describe(s->images);
    if (a->file_h && (a->file_h != a->h || a->file_w != a->w || a->file_c != a->c))
        say("%s: images of %d x %d x %d were made %d x %d x %d", q->images, a->file_h, a->file_w,
            a->file_c, a->h, a->w, a->c);
}

/* ---- Scoring ---- */

typedef struct progress {
    meter meter;
    double began;
} progress;

static bool show_progress(void *user, double done)
{
    progress *p = user;
    char left[32];
    double spent = now_seconds() - p->began;
    if (meter_is_due(&p->meter))
        meter_draw(&p->meter, done, "images %3.0f %%  %s", 100 * done,
                   left_text(spent * (1 - done) / done, left));
    return !is_stopped();
}

static int gather(scoring *s, int threads)
{
    const lt_dataset_info *info = lt_dataset_describe(s->images);
    size_t pixels = (size_t)info->h * (size_t)info->w * (size_t)info->c, n = (size_t)s->n;
    int32_t *index = calloc(n + 1, sizeof *index);
    s->pixels = calloc(n * pixels + 1, sizeof *s->pixels);
    for (int i = 0; i < s->n && index; i++)
        index[i] = i;
    int status = index && s->pixels ? lt_dataset_gather(s->images, s->images_split, index, s->n, 0,
                                                        threads ? threads : lt_cores(), s->pixels)
                                    : LT_NO_MEMORY;
    free(index);
    return status;
}

static int measure(score_request *q, scoring *s)
{
    progress p = {.began = now_seconds()};
    lt_quality_options o = {.seed = (uint64_t)q->seed,
                            .run = {.threads = (int)q->threads, .progress = show_progress, .user = &p}};
    LT_TRY(gather(s, (int)q->threads));
    quality_ask(&q->files, &o);
    watch_signals();
    meter_begin(&p.meter);
    int status = lt_quality_of_images(s->data, s->split, s->n, s->pixels, &o, &s->quality);
    meter_clear(&p.meter);
    if (status == LT_OK && q->pairs)
        status = quality_write_pairs(q->pairs, s->data, &s->quality, s->pixels);
    if (status == LT_OK && q->pairs)
        warn_of_data(lt_dataset_describe(s->data)->place, q->pairs);
    return status == LT_OK ? quality_write_files(&q->files) : status;
}

static void report(const score_request *q, const scoring *s)
{
    const char *data = lt_dataset_describe(s->data)->name;
    if (q->as_json) {
        char *text = lt_score_json(q->images, data, s->split, &s->quality);
        print_json_text(text ? text : "null");
        free(text);
    } else {
        puts(q->images);
        quality_print(data, s->split, &s->quality);
    }
    fflush(stdout);
}

static int score(const command *c, score_request *q, scoring *s)
{
    int status = open_data(q, s);
    if (status != LT_OK)
        return complain_library(c, status);
    int code = choose_split(c, q, s);
    if (code == CODE_DONE)
        code = check_size(c, q, s);
    if (code != CODE_DONE)
        return code;
    say_change(q, s);
    status = measure(q, s);
    if (status != LT_OK)
        return complain_library(c, status);
    report(q, s);
    return CODE_DONE;
}

/* ---- The command ---- */

static int check_request(const command *c, const score_request *q)
{
    if (!q->against)
        return complain(c, CODE_USAGE, "--against: expected the data set to compare with, or a run that "
                        "uses it (see: latent help score)");
    if (is_run(q->images) || is_checkpoint(q->images))
        return complain(c, CODE_USAGE, "%s is a model: to score its samples: latent eval %s --quality",
                        q->images, shell(q->images));
    for (int i = 0; i < q->sets.n; i++)
        if (strncmp(q->sets.item[i], "data.", 5) != 0 &&
            strncmp(q->sets.item[i], "images.", 7) != 0)
            return complain(c, CODE_USAGE, "--set %s: expected data.KEY=VALUE, of the data set, or "
                            "images.KEY=VALUE, of the images", q->sets.item[i]);
    return CODE_DONE;
}

static int run_score(const command *c, int argc, const char **argv)
{
    score_request q = {.split = LT_TEST, .images_split = ANY_SPLIT};
    const flag flags[] = {
        {.name = "against", .letter = 'a', .kind = FLAG_TEXT, .value = &q.against, .operand = "DATA",
         .help = "the data set, by name or path; or a run or checkpoint, for the data set and options of "
                 "its recipe"},
        {OPTION_SET, .value = &q.sets,
         .note = "of the data, data.resize=32, or of the images, images.resize=32"},
        {OPTION_SPLIT, .value = &q.split, .note = NOTE_TEST},
        {.name = "images-split", .kind = FLAG_CHOICE, .value = &q.images_split, .operand = "SPLIT",
         .help = "split of IMAGES; default: the only one", .choices = split_names},
        {OPTION_IMAGES, .value = &q.n, .min = 20, .max = MAX_IMAGES, .note = "the first; default: all"},
        {OPTION_NEAREST, .value = &q.pairs},
        {OPTION_FEATURES, .value = &q.files.features},
        {OPTION_SAMPLES_OUT, .value = &q.files.samples},
        {OPTION_JSON, .value = &q.as_json},
        {OPTION_SEED, .value = &q.seed,
         .note = "for sampling bits, if the data are bits and the images are not; default: 0"},
        {OPTION_THREADS, .value = &q.threads},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    scoring s = {.images = NULL};
    q.images = line.operand[0];
    int code = check_request(c, &q);
    if (code == CODE_DONE)
        code = score(c, &q, &s);
    lt_quality_arrays_clear(&q.files.arrays);
    lt_dataset_free(s.images);
    lt_dataset_free(s.data);
    free(s.pixels);
    command_line_clear(&line);
    return code;
}

const command cmd_score = {
    .name = "score", .summary = "score images of any program against a data set",
    .operands = "IMAGES --against DATA [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "IMAGES are a .npy or .npz file, a folder or a zip file of pictures, or any other data "
        "set, from any program. They get the scores that latent eval --quality computes for samples "
        "of a model: FID, KID, precision, recall, density, coverage, inception score and a search for "
        "copies of train images, in features of a small classifier that is trained once on DATA "
        "(latent help eval describes them). Scores of both commands are comparable if their digests "
        "are equal: use the same number of images.\n"
        "\n"
        "IMAGES must have the size and the channels of DATA: images are resized only on request. Numbers "
        "must be in [0, 1], bytes from 0 to 255. If DATA are bits and IMAGES are gray, bits are sampled "
        "with their pixels as probabilities, as for the means of a model.\n",
    .examples = "  latent score samples.npy --against fashion-mnist\n"
                "  latent score ~/their-samples.zip --against cifar10 --json\n"
                "  latent score faces/ --against ~/photos -s data.resize=64 -s images.resize=64\n"
                "  latent sample runs/a -n 10000 -o x.npy && latent score x.npy --against runs/a\n",
    .run = run_score};
