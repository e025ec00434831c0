/* SPDX-License-Identifier: MIT */
/* base.h: shared by all of latent: status codes, error messages, hooks, option tables.
 *
 *     if (lt_dataset_open("fashion-mnist", NULL, &data) != LT_OK)
 *         fprintf(stderr, "%s\n", lt_last_error());
 */
#ifndef LATENT_BASE_H
#define LATENT_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LT_API __attribute__((visibility("default")))
#define LT_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define LT_API
#define LT_PRINTF(text, first)
#endif

#define LT_VERSION_MAJOR 0
#define LT_VERSION_MINOR 1
#define LT_VERSION_PATCH 0

/* ---- Status ---- */

/* One line per status: name, value, text. LT_OK is 0, every failure is negative. */
#define LT_STATUS_LIST(X)                                                                          \
    X(OK, 0, "no error")                                                                           \
    X(NO_MEMORY, -1, "out of memory")                                                              \
    X(IO, -2, "input or output failed")                                                            \
    X(FORMAT, -3, "malformed data")                                                                \
    X(VALUE, -4, "invalid value")                                                                  \
    X(NOT_FOUND, -5, "not found")                                                                  \
    X(GRAPH, -6, "the graph holds an error")                                                       \
    X(UNSUPPORTED, -7, "not supported")                                                            \
    X(NETWORK, -8, "download failed")                                                              \
    X(INTERRUPTED, -9, "interrupted")                                                              \
    X(LIBRARY, -10, "a library that this needs cannot be loaded")

typedef enum lt_status {
#define X(name, value, text) LT_##name = value,
    LT_STATUS_LIST(X)
#undef X
} lt_status;

/* Returns the name of a status ("LT_IO"), and its meaning. Both are static strings. */
LT_API const char *lt_status_name(int status);
LT_API const char *lt_status_text(int status);

/* Returns the message of the last failure in this thread, with the place, what was expected and what was found.
   Valid until the next failure in this thread; "" if there was none. */
LT_API const char *lt_last_error(void);

/* Returns from the calling function with the status of `expr` unless it is LT_OK. */
#define LT_TRY(expr)                                                                               \
    do {                                                                                           \
        int lt_try_status = (expr);                                                                \
        if (lt_try_status != LT_OK)                                                                \
            return lt_try_status;                                                                  \
    } while (0)

/* ---- Hooks: with lt_set_data_progress (data.h), the only global mutable state. Set them before the first use of the
   library. ---- */

typedef enum lt_log_level { LT_LOG_INFO, LT_LOG_WARNING } lt_log_level;

/* Receives one line of text, without a newline. Nullable: log (the library is then silent). */
typedef void lt_log_function(void *user, lt_log_level level, const char *text);
LT_API void lt_set_log(lt_log_function *log, void *user);

/* Called before each allocation of tensor memory; returning false makes that allocation fail with
   LT_NO_MEMORY. For tests and for hosts with a budget. Several threads may call it at once, as those that
   decode pictures do. Nullable: allow. */
typedef bool lt_allow_function(void *user, size_t bytes);
LT_API void lt_set_allow_memory(lt_allow_function *allow, void *user);

/* ---- Files ---- */

/* Writes a file atomically: to a temporary file in the same directory, which is synchronized and renamed. LT_IO,
   LT_NOT_FOUND. */
LT_API int lt_file_write(const char *path, const void *data, size_t size);

/* Checks before long work that lt_file_write can write `path`. Creates and removes an empty file in its directory,
   since nothing else detects read-only and full disks. LT_NOT_FOUND: the directory does not exist; LT_IO: it is
   not a directory or not writable, or `path` is a directory or a device. */
LT_API int lt_file_check(const char *path);

/* Checks a directory for output files in the same way. If it does not exist yet, checks that it can be created in
   the nearest existing directory above it. */
LT_API int lt_folder_check(const char *path);

/* ---- Version ---- */

/* "0.1.0". Static string. */
LT_API const char *lt_version(void);

/* Writes a few lines into `text` (at most `size` bytes with the final zero): version, compiler,
   oneDNN, instruction set, and which operations use portable kernels. Returns the full length. */
LT_API size_t lt_describe_build(char *text, size_t size);

/* Returns the number of processors that this process may use, the meaning of "0 threads" everywhere. */
LT_API int lt_cores(void);

/* ---- Names ---- */

/* Returns the nearest name to a misspelled `word` in an array that ends with NULL, for "did you mean"; NULL if none
   is near enough. */
LT_API const char *lt_nearest(const char *word, const char *const *names);

/* ---- Numbers of options ----
   Recipes, --set and flags parse numbers by the same rule: the whole word must be a decimal number in range;
   otherwise the result is false and nothing is stored. Spaces, nan, inf, hexadecimal and trailing letters are
   rejected. Integers are digits with an optional sign (not 1e3); reals may be fractions such as 1/784. The
   decimal sign is a point in every locale. */
LT_API bool lt_read_integer(const char *word, int64_t *value);
LT_API bool lt_read_real(const char *word, double *value);

/* Parses n integers separated by commas: "0,4". False also for more or fewer numbers. */
LT_API bool lt_read_integers(const char *words, int n, int64_t *values);

/* ---- Progress ---- */

/* Called repeatedly with the fraction done, in [0, 1], on the thread that waits for the result. Returning false stops
   the work. */
typedef bool lt_progress_function(void *user, double done);

/* ---- Means and their errors ---- */

/* A mean and its standard error. */
typedef struct lt_estimate {
    double value, se;
} lt_estimate;

/* Returns the mean of n numbers; se is the root of their variance (divisor n - 1) over n, NaN for one number. */
LT_API lt_estimate lt_estimate_mean(const double *x, int64_t n);

/* Returns the mean of the differences x[i] - y[i]. For two results on the same images its standard error is smaller
   than that of independent means. */
LT_API lt_estimate lt_estimate_mean_difference(const double *x, const double *y, int64_t n);

/* ---- Displayed numbers ---- */

/* Returns `value`, or 0 if "%.*f" would print -0.00. */
LT_API double lt_shown_number(double value, int digits);

/* Formats an error: "+- 0.12"; "+- <0.01" if it would be printed as 0; "" if there is none. Returns `text`. */
enum { LT_ERROR_TEXT = 32 };
LT_API const char *lt_shown_error(double se, int digits, char text[LT_ERROR_TEXT]);

/* Rounds parts and their sum to `digits` so that the displayed parts add up: the remainder, a unit of the last digit,
   is added to the largest part. Parts that do not add up to the sum are rounded separately; NaN stays NaN. */
LT_API void lt_shown_parts(double *const *parts, int n, double *sum, int digits);

/* Returns a - b, both rounded to two digits as displayed, with the standard error of `own`. */
LT_API lt_estimate lt_shown_difference(lt_estimate a, lt_estimate b, lt_estimate own);

/* ---- Text that is safe on a terminal ----
   Names of files, tensors and classes come from outside and may contain control sequences. Error messages and
   lines of the log are already safe. */

/* Writes `n` bytes, with control characters, invisible or bidirectional characters and bytes that are not valid
   UTF-8 escaped: \x1b, \u202e, \xff. Newlines and tabs stay if `with_lines`. Writes at most `size` bytes with the
   final zero, truncated between characters. Returns the full length. Nullable: to, if size is 0. */
LT_API size_t lt_printable(char *to, size_t size, const char *bytes, size_t n, bool with_lines);

/* vsnprintf with the arguments of %s made printable, on one line. Returns the full length. */
LT_API size_t lt_printable_format(char *to, size_t size, const char *format, va_list args);

/* Writes a path as one word of a shell command, for messages with commands to copy: quoted if needed, with ./
   before a name that looks like an option. At most `size` bytes with the final zero. Returns the full length.
   Nullable: to, if size is 0. */
LT_API size_t lt_shell_word(char *to, size_t size, const char *word);

/* ---- Option tables ----
   One table drives the recipe parser, --set, --help and the documentation of a layer, a likelihood,
   an optimizer, a schedule. */

typedef enum lt_option_kind {
    LT_KIND_INT,    /* int64_t */
    LT_KIND_REAL,   /* double; "1/784" is accepted */
    LT_KIND_BOOL,   /* bool; yes, no, true, false, on, off */
    LT_KIND_CHOICE, /* int: index into `choices` */
    LT_KIND_TEXT,   /* char[LT_TEXT_SIZE] */
    LT_KIND_PATH,   /* char[LT_PATH_SIZE] */
} lt_option_kind;

#define LT_TEXT_SIZE 256
#define LT_PATH_SIZE 4096 /* PATH_MAX of Linux, with the zero byte */

/* One option of a struct. A table of options ends with a row whose name is NULL. */
typedef struct lt_option {
    const char *name;
    lt_option_kind kind;
    size_t offset;          /* of the field in the options struct */
    double fallback;        /* default: number, 0/1, or index of the choice */
    double min, max;        /* inclusive range for INT and REAL */
    const char *choices;    /* CHOICE: "analytic|monte-carlo"; TEXT and PATH: default text, or NULL
                               for "" */
    bool positional;        /* may be written without its name, in table order */
    bool required;          /* has no default */
    const char *help;       /* one line, with the unit */
} lt_option;

#ifdef __cplusplus
}
#endif
#endif
