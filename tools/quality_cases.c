/* SPDX-License-Identifier: MIT */
/* What `latent eval --quality` says of images whose quality is known.
 *
 *     quality_cases copies SET...    verdicts on copies: of images that are none, and of planted ones;
 *                                    leaves with 1 where one is wrong
 *     quality_cases few SET...       scores of few images: of real ones and of noise
 *
 * SET is a name or a path. --train N: so many train images (10,000); --samples N: so many samples
 * (2,000 of copies). Tables of Markdown on stdout, as in docs/quality.md. */
#include <latent/data.h>
#include <latent/quality.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct world {
    const char *name;
    lt_dataset *data;
    int h, w, c, n; /* samples */
    size_t pixels;
    float *images; /* what is scored: n of them */
    float *scratch;
} world;

static void *room(size_t bytes)
{
    void *p = calloc(1, bytes);
    if (!p) {
        fputs("quality_cases: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

static void must(int status)
{
    if (status != LT_OK) {
        fprintf(stderr, "quality_cases: %s\n", lt_last_error());
        exit(1);
    }
}

/* ---- Draws: SplitMix64 ---- */

static uint64_t state;

static double uniform(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return ((double)((z ^ z >> 31) >> 11) + 0.5) / 9007199254740992.;
}

static double normal(void)
{
    const double two_pi = 6.28318530717958647692;
    return sqrt(-2 * log(uniform())) * cos(two_pi * uniform());
}

/* ---- Images ---- */

/* n images of a split at random. */
static void draw_images(const world *w, lt_split split, int n, float *to)
{
    int all = lt_dataset_describe(w->data)->n[split];
    for (int i = 0; i < n; i++) {
        int32_t at = (int32_t)(uniform() * all);
        must(lt_dataset_gather(w->data, split, &at, 1, 0, 1, to + (size_t)i * w->pixels));
    }
}

static float clamp(double v) { return v < 0 ? 0 : v > 1 ? 1 : (float)v; }

static void blur_image(const world *w, double sigma, float *x)
{
    int reach = (int)ceil(3 * sigma);
    for (int pass = 0; pass < 2; pass++) {
        memcpy(w->scratch, x, sizeof *x * w->pixels);
        for (int i = 0; i < w->h; i++)
            for (int j = 0; j < w->w; j++)
                for (int k = 0; k < w->c; k++) {
                    double sum = 0, weights = 0;
                    for (int d = -reach; d <= reach; d++) {
                        int a = i + (pass ? 0 : d), b = j + (pass ? d : 0);
                        double weight = exp(-d * d / (2 * sigma * sigma));
                        a = a < 0 ? 0 : a < w->h ? a : w->h - 1;
                        b = b < 0 ? 0 : b < w->w ? b : w->w - 1;
                        sum += weight * (double)w->scratch[(a * w->w + b) * w->c + k];
                        weights += weight;
                    }
                    x[(i * w->w + j) * w->c + k] = (float)(sum / weights);
                }
    }
}

typedef enum change { AS_IT_IS, NOISE, LEVELS, BRIGHTER, CONTRAST, SHIFT, BLUR } change;

static void change_image(const world *w, change kind, double by, float *x)
{
    if (kind == BLUR)
        blur_image(w, by, x);
    memcpy(w->scratch, x, sizeof *x * w->pixels);
    for (size_t i = 0; i < w->pixels; i++) {
        double v = (double)x[i];
        size_t row = (size_t)(w->w * w->c), c = (size_t)w->c;
        x[i] = kind == NOISE      ? clamp(v + by * normal())
               : kind == LEVELS   ? (float)(floor(v * by + 0.5) / by)
               : kind == BRIGHTER ? clamp(v + by)
               : kind == CONTRAST ? (float)(v * by)
               : kind == SHIFT    ? w->scratch[i % row >= c ? i - c : i]
                                  : x[i];
    }
}

/* What most samples are: held-out images, or held-out images blurred. */
static void fill_base(const world *w, double sigma)
{
    draw_images(w, LT_TEST, w->n, w->images);
    for (int i = 0; sigma > 0 && i < w->n; i++)
        blur_image(w, sigma, w->images + (size_t)i * w->pixels);
}

/* Mean of n images of train. */
static void find_mean(const world *w, int n, float *mean)
{
    float *one = room(sizeof *one * w->pixels);
    memset(mean, 0, sizeof *mean * w->pixels);
    for (int i = 0; i < n; i++) {
        draw_images(w, LT_TRAIN, 1, one);
        for (size_t k = 0; k < w->pixels; k++)
            mean[k] += one[k] / (float)n;
    }
    free(one);
}

/* ---- Copies ---- */

typedef struct copy_case {
    const char *name;
    enum { HELD, BLURRED, MEAN, MEANS, FLAT, COLLAPSED, PURE_NOISE, PLANTED } kind;
    double base;  /* deviation of the blur */
    double share; /* of copies */
    change change;
    double by;
} copy_case;

static const copy_case copy_cases[] = {
    {"held-out images", HELD, 0, 0, AS_IT_IS, 0},
    {"held-out images, blurred by 1", BLURRED, 1, 0, AS_IT_IS, 0},
    {"held-out images, blurred by 2", BLURRED, 2, 0, AS_IT_IS, 0},
    {"held-out images, blurred by 3", BLURRED, 3, 0, AS_IT_IS, 0},
    {"held-out images, blurred by 4", BLURRED, 4, 0, AS_IT_IS, 0},
    {"held-out images, blurred by 5", BLURRED, 5, 0, AS_IT_IS, 0},
    {"the mean image", MEAN, 0, 0, AS_IT_IS, 0},
    {"means of 50 train images", MEANS, 0, 0, AS_IT_IS, 0},
    {"one gray", FLAT, 0, 0, AS_IT_IS, 0},
    {"three blurred images", COLLAPSED, 3, 0, AS_IT_IS, 0},
    {"noise", PURE_NOISE, 0, 0, AS_IT_IS, 0},
    {"50 % exact copies", PLANTED, 0, 0.5, AS_IT_IS, 0},
    {"10 % exact copies", PLANTED, 0, 0.1, AS_IT_IS, 0},
    {"1 % exact copies", PLANTED, 0, 0.01, AS_IT_IS, 0},
    {"1 % copies with noise of 0.02", PLANTED, 0, 0.01, NOISE, 0.02},
    {"1 % copies with noise of 0.05", PLANTED, 0, 0.01, NOISE, 0.05},
    {"1 % copies in 16 levels", PLANTED, 0, 0.01, LEVELS, 15},
    {"1 % copies, brighter by 0.05", PLANTED, 0, 0.01, BRIGHTER, 0.05},
    {"1 % copies, contrast of 0.9", PLANTED, 0, 0.01, CONTRAST, 0.9},
    {"10 % copies, shifted by a pixel", PLANTED, 0, 0.1, SHIFT, 1},
    {"1 % exact copies among blurred by 2", PLANTED, 2, 0.01, AS_IT_IS, 0},
    {"10 % copies with noise of 0.05 among blurred by 2", PLANTED, 2, 0.1, NOISE, 0.05},
};

/* The first ones are the copies. */
static void fill_planted(const world *w, const copy_case *k)
{
    int n = (int)(k->share * w->n + 0.5);
    draw_images(w, LT_TRAIN, n, w->images);
    for (int i = 0; i < n; i++)
        change_image(w, k->change, k->by, w->images + (size_t)i * w->pixels);
}

static void fill_case(const world *w, const copy_case *k)
{
    const int few = 50, modes = 3;
    fill_base(w, k->base);
    if (k->kind == PLANTED)
        fill_planted(w, k);
    if (k->kind == MEAN)
        find_mean(w, 1000, w->images);
    for (int i = 0; i < w->n; i++) {
        float *x = w->images + (size_t)i * w->pixels;
        if (k->kind == MEANS)
            find_mean(w, few, x);
        if ((k->kind == MEAN && i > 0) || (k->kind == COLLAPSED && i >= modes))
            memcpy(x, w->images + (k->kind == MEAN ? 0 : (size_t)(i % modes)) * w->pixels,
                   sizeof *x * w->pixels);
        for (size_t p = 0; p < w->pixels && (k->kind == FLAT || k->kind == PURE_NOISE); p++)
            x[p] = k->kind == FLAT ? 0.4f : (float)uniform();
    }
}

/* False if the verdict is wrong. */
static bool judge_case(const world *w, const copy_case *k)
{
    static const char *const names[] = {"untold", "none", "found"};
    lt_quality q;
    state = 1;
    fill_case(w, k);
    must(lt_quality_of_images(w->data, LT_TEST, w->n, w->images, NULL, &q));
    const lt_memorization *c = &q.memorization;
    bool right = (c->verdict == LT_MEMORIZATION_FOUND) == (k->kind == PLANTED);
    printf("| %s | %s | %s%s | %lld of %lld | %lld of %lld | %.1f | %.1g | %.2f %% |\n", w->name,
           k->name, names[c->verdict], right ? "" : " (wrong)", (long long)c->close,
           (long long)c->samples, (long long)c->held_close, (long long)c->held, c->closeness, c->p,
           100 * c->least);
    fflush(stdout);
    return right;
}

static int tell_copies(const world *w)
{
    int wrong = 0;
    for (size_t i = 0; i < sizeof copy_cases / sizeof *copy_cases; i++)
        wrong += !judge_case(w, &copy_cases[i]);
    return wrong;
}

/* ---- Few images ---- */

enum { MAX_REPEATS = 20, SCORES = 7 };

static const char *const score_names[SCORES] = {"FID", "KID", "precision", "recall", "density",
                                                "coverage", "inception score"};

static void list_scores(const lt_sample_scores *s, double *value, double *error)
{
    const lt_estimate e[SCORES] = {{s->fid, (double)NAN}, s->kid,      s->precision, s->recall,
                                   s->density,            s->coverage, s->inception};
    for (int i = 0; i < SCORES; i++) {
        value[i] = e[i].value;
        error[i] = e[i].se;
    }
}

typedef struct spread {
    double sum, squares, errors;
} spread;

static void add(spread *s, double value, double error)
{
    s->sum += value;
    s->squares += value * value;
    s->errors += error;
}

static void print_spread(const spread *s, int n)
{
    double mean = s->sum / n, variance = (s->squares / n - mean * mean) * n / (n - 1);
    printf(" %.3f | %.3f | %.3f |", mean, sqrt(variance > 0 ? variance : 0), s->errors / n);
}

/* n images each time: train images, which are real, and noise. */
static void tell_few_of(const world *w, int n)
{
    spread all[2][SCORES] = {{{0}}};
    lt_quality_options o = {.without_memorization = true, .with_all_scores = true};
    int repeats = n >= 2000 ? 4 : n >= 500 ? 8 : MAX_REPEATS;
    for (int r = 0; r < repeats; r++)
        for (int noise = 0; noise < 2; noise++) {
            lt_quality q;
            double value[SCORES], error[SCORES];
            draw_images(w, LT_TRAIN, n, w->images);
            for (size_t p = 0; noise && p < w->pixels * (size_t)n; p++)
                w->images[p] = (float)uniform();
            must(lt_quality_of_images(w->data, LT_TEST, n, w->images, &o, &q));
            list_scores(&q.samples, value, error);
            for (int i = 0; i < SCORES; i++)
                add(&all[noise][i], value[i], error[i]);
        }
    for (int i = 0; i < SCORES; i++) {
        printf("| %s | %s | %d |", w->name, score_names[i], n);
        print_spread(&all[0][i], repeats);
        print_spread(&all[1][i], repeats);
        putchar('\n');
    }
    fflush(stdout);
}

static void tell_few(const world *w)
{
    static const int counts[] = {20, 50, 100, 200, 500, 1000, 2000, 5000};
    state = 1;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i] <= w->n)
            tell_few_of(w, counts[i]);
}

/* ---- ---- */

static void open_world(world *w, const char *set, int train, int samples)
{
    const char *slash = strrchr(set, '/');
    lt_data_options o = {.limit = train};
    must(lt_dataset_open(set, &o, &w->data));
    const lt_dataset_info *info = lt_dataset_describe(w->data);
    w->name = slash ? slash + 1 : set;
    w->h = info->h;
    w->w = info->w;
    w->c = info->c;
    w->n = samples;
    w->pixels = (size_t)(w->h * w->w * w->c);
    w->images = room(sizeof *w->images * w->pixels * (size_t)samples);
    w->scratch = room(sizeof *w->scratch * w->pixels);
}

static int use(void)
{
    fputs("usage: quality_cases copies|few [--train N] [--samples N] SET...\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    int train = 10000, samples = 0, wrong = 0, at = 2;
    bool copies = argc > 1 && strcmp(argv[1], "copies") == 0;
    if (argc < 3 || (!copies && strcmp(argv[1], "few") != 0))
        return use();
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2)
        if (strcmp(argv[at], "--train") == 0)
            train = atoi(argv[at + 1]);
        else if (strcmp(argv[at], "--samples") == 0)
            samples = atoi(argv[at + 1]);
        else
            return use();
    puts(copies ? "| data | samples | copies | close | of held-out images | limit | p | least |\n"
                  "|---|---|---|---|---|---|---|---|"
                : "| data | score | n | real | spread | error | noise | spread | error |\n"
                  "|---|---|---|---|---|---|---|---|---|");
    for (; at < argc; at++) {
        world w = {0};
        open_world(&w, argv[at], train, samples > 0 ? samples : copies ? 2000 : 5000);
        if (copies)
            wrong += tell_copies(&w);
        else
            tell_few(&w);
        free(w.images);
        free(w.scratch);
        lt_dataset_free(w.data);
    }
    return wrong > 0;
}
