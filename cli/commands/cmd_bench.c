/* SPDX-License-Identifier: MIT */
/* latent bench: measures the training speed of a recipe. */
#include "shared_options.h"

#include <stdlib.h>
#include <sys/resource.h>

enum { MAX_REPEATS = 99, WARM_UP_STEPS = 20, MAX_KERNELS = 512, KERNELS_SHOWN = 40 };

typedef struct bench_request {
    const char *recipe, *data;
    text_list sets;
    int64_t threads, repeats, milliseconds;
    int executor;
    bool as_json, with_profile;
} bench_request;

typedef struct timing {
    double images_per_second, step_seconds;
} timing;

/* ---- Data ---- */

/* Makes synthetic images of the size of the recipe's data: enough that the timing includes shuffling and the last
   small batch. */
static int make_data(const lt_recipe *r, lt_dataset **out)
{
    enum { IMAGES = 10000 };
    const lt_catalog_entry *e = lt_data_named(lt_recipe_dataset(r));
    int h = e ? e->h : 28, w = e ? e->w : 28, c = e ? e->c : 1;
    return lt_dataset_synthetic(IMAGES, h, w, c, lt_recipe_data_options(r), out);
}

/* ---- Timing ---- */

/* Trains for at least that many seconds. */
static int time_steps(lt_trainer *t, double least, timing *result)
{
    int64_t images = 0, steps = 0;
    double began = now_seconds(), seconds = 0;
    while (seconds < least) {
        lt_train_report r;
        LT_TRY(lt_trainer_step(t, &r));
        images += r.batch;
        steps++;
        seconds = now_seconds() - began;
    }
    *result = (timing){(double)images / seconds, seconds / (double)steps};
    return LT_OK;
}

static int by_speed(const void *a, const void *b)
{
    double x = ((const timing *)a)->images_per_second, y = ((const timing *)b)->images_per_second;
    return (x > y) - (x < y);
}

static int time_repeats(lt_trainer *t, const bench_request *q, timing *all)
{
    for (int i = 0; i < WARM_UP_STEPS; i++)
        LT_TRY(lt_trainer_step(t, NULL));
    for (int i = 0; i < q->repeats; i++)
        LT_TRY(time_steps(t, 1e-3 * (double)q->milliseconds, &all[i]));
    qsort(all, (size_t)q->repeats, sizeof *all, by_speed);
    return LT_OK;
}

/* ---- Reports ---- */

static double peak_megabytes(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return (double)use.ru_maxrss / 1024;
}

static int by_seconds(const void *a, const void *b)
{
    double x = ((const lt_profile_line *)a)->seconds, y = ((const lt_profile_line *)b)->seconds;
    return (x < y) - (x > y);
}

/* The kernels of the full step of a phase, slowest first. */
typedef struct profile {
    lt_profile_line lines[MAX_KERNELS];
    int n;
    double total; /* seconds */
} profile;

static void read_profile(lt_trainer *t, int phase, profile *p)
{
    int n = lt_session_profile(lt_trainer_session(t, phase), p->lines, MAX_KERNELS);
    p->n = n < MAX_KERNELS ? n : MAX_KERNELS;
    p->total = 0;
    for (int i = 0; i < p->n; i++)
        p->total += p->lines[i].seconds;
    qsort(p->lines, (size_t)p->n, sizeof *p->lines, by_seconds);
}

/* Returns the seconds of one call. */
static double call_seconds(const lt_profile_line *l)
{
    return l->seconds / (double)(l->calls ? l->calls : 1);
}

/* Amount per nanosecond: GFLOP/s for FLOP, GB/s for bytes (of the operands, in cache or not). */
static double per_ns(const lt_profile_line *l, int64_t amount)
{
    double seconds = call_seconds(l);
    return seconds > 0 ? 1e-9 * (double)amount / seconds : 0;
}

/* Adds the kernels of a phase. */
static void add_profile(json_t *all, const profile *p, const char *phase)
{
    for (int i = 0; i < p->n; i++) {
        const lt_profile_line *l = &p->lines[i];
        json_array_append_new(all,
                              json_pack("{s:s, s:s, s:f, s:f, s:f, s:f}", "phase", phase, "kernel",
                                        l->kernel, "us", 1e6 * call_seconds(l), "share",
                                        l->seconds / p->total, "gflops",
                                        per_ns(l, (int64_t)l->flops), "gbs",
                                        per_ns(l, (int64_t)l->bytes)));
    }
}

static void print_profile(const profile *p, const char *phase, lt_program_info info)
{
    printf("\n%8s %7s %9s %8s  kernel of the %s\n", "us", "share", "GFLOP/s", "GB/s", phase);
    for (int i = 0; i < p->n && i < KERNELS_SHOWN; i++) {
        const lt_profile_line *l = &p->lines[i];
        printf("%8.1f %6.1f%% %9.1f %8.1f  %s\n", 1e6 * call_seconds(l),
               100 * l->seconds / p->total, per_ns(l, (int64_t)l->flops),
               per_ns(l, (int64_t)l->bytes), l->kernel);
    }
    printf("%d nodes, %d kernels, %d nodes fused; %.3f GFLOP a step;\n  activations %.2f MB, planned "
           "from %.2f MB\n",
           info.nodes, info.kernels, info.fused, 1e-9 * (double)info.flops,
           1e-6 * (double)info.bytes, 1e-6 * (double)info.bytes_unplanned);
}

static void print_profiles(lt_trainer *t, json_t *all)
{
    static profile kernels;
    for (int i = 0; i < lt_trainer_phases(t); i++) {
        const char *phase = lt_trainer_phase_name(t, i);
        read_profile(t, i, &kernels);
        if (all)
            add_profile(all, &kernels, phase);
        else
            print_profile(&kernels, phase, lt_program_describe(lt_trainer_program(t, i)));
    }
}

static void report(const bench_request *q, const lt_recipe *r, const timing *all, lt_trainer *t)
{
    const timing *slow = &all[0], *middle = &all[q->repeats / 2], *fast = &all[q->repeats - 1];
    int64_t batch = lt_recipe_train_options(r)->batch;
    if (q->as_json) {
        json_t *o = json_pack(
            "{s:s, s:I, s:I, s:{s:f, s:f, s:f}, s:{s:f, s:f, s:f}, s:f}", "recipe",
            lt_recipe_name(r), "threads", (json_int_t)q->threads, "batch", (json_int_t)batch,
            "images_per_second", "min", slow->images_per_second, "median",
            middle->images_per_second, "max", fast->images_per_second, "step_us", "min",
            1e6 * fast->step_seconds, "median", 1e6 * middle->step_seconds, "max",
            1e6 * slow->step_seconds, "peak_rss_mb", peak_megabytes());
        if (q->with_profile) {
            json_t *kernels = json_array();
            print_profiles(t, kernels);
            json_object_set_new(o, "kernels", kernels);
        }
        print_json(o);
        return;
    }
    printf("%s, batch %lld, %lld threads: %.0f images/s (%.0f to %.0f)\n  step %.0f us, peak %.0f MB\n",
           lt_recipe_name(r), (long long)batch, (long long)q->threads, middle->images_per_second,
           slow->images_per_second, fast->images_per_second, 1e6 * middle->step_seconds,
           peak_megabytes());
    if (q->with_profile)
        print_profiles(t, NULL);
}

/* ---- The command ---- */

static int bench_on(const bench_request *q, const lt_recipe *r, lt_dataset *data)
{
    const lt_dataset_info *d = lt_dataset_describe(data);
    timing all[MAX_REPEATS];
    lt_trainer_options o = {.run = {.threads = (int)q->threads, .executor = (lt_executor)q->executor},
                            .profile = q->with_profile};
    lt_model *m = lt_model_create(r, (lt_image_size){d->h, d->w, d->c});
    lt_trainer *t = m ? lt_trainer_create(m, data, &o) : NULL;
    int status = t ? time_repeats(t, q, all) : LT_VALUE;
    if (status == LT_OK)
        report(q, r, all, t);
    lt_trainer_free(t);
    lt_model_free(m);
    return status;
}

static int bench(const command *c, const bench_request *q)
{
    lt_dataset *data = NULL;
    lt_recipe *r;
    int status = lt_recipe_open(q->recipe, q->sets.item, q->sets.n, &r);
    if (status == LT_OK)
        status = q->data ? lt_recipe_open_data(r, q->data, &data) : make_data(r, &data);
    if (status == LT_OK)
        status = bench_on(q, r, data);
    lt_dataset_free(data);
    lt_recipe_free(r);
    return status == LT_OK ? CODE_DONE : complain_library(c, status);
}

static int run_bench(const command *c, int argc, const char **argv)
{
    bench_request q = {.threads = lt_cores(), .repeats = 7, .milliseconds = 500};
    const flag flags[] = {
        {OPTION_SET, .value = &q.sets},
        {OPTION_DATA, .value = &q.data, .note = "default: synthetic images of the right size"},
        {OPTION_THREADS, .value = &q.threads},
        {OPTION_EXECUTOR, .value = &q.executor},
        {.name = "repeats", .letter = 'r', .kind = FLAG_COUNT, .value = &q.repeats, .operand = "N",
         .help = "measurements; default: 7", .min = 1, .max = MAX_REPEATS},
        {.name = "time", .kind = FLAG_COUNT, .value = &q.milliseconds, .operand = "MS",
         .help = "of each measurement; default: 500", .min = 1, .max = 600000},
        {.name = "profile", .letter = 'p', .kind = FLAG_SWITCH, .value = &q.with_profile,
         .help = "also time each kernel (slightly slower)"},
        {OPTION_JSON, .value = &q.as_json},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    q.recipe = line.operand[0];
    int code = bench(c, &q);
    command_line_clear(&line);
    return code;
}

const command cmd_bench = {
    .name = "bench", .summary = "measure the training speed of a recipe",
    .operands = "RECIPE [options]", .min_operands = 1, .max_operands = 1,
    .about =
        "Times complete training steps after a warm-up, from gathering the batch to the update of "
        "the weights. Prints the median, the slowest and the fastest of several measurements.\n",
    .examples = "  latent bench ift6135-vae --threads 2 --json\n"
                "  latent bench ift6135-vae --profile\n",
    .run = run_bench};
