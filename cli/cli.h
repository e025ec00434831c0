/* SPDX-License-Identifier: MIT */
/* Shared by all commands: their tables, command lines and messages. Data goes to stdout, messages to stderr. */
#ifndef LATENT_CLI_H
#define LATENT_CLI_H

#include <latent/latent.h>

#include <jansson.h>
#include <stdio.h>

enum { CODE_DONE = 0, CODE_FAILED = 1, CODE_USAGE = 2 }; /* if stopped: stop_code() */

/* ---- Commands ---- */

typedef struct command command;

/* A command: the text of its help screen, and its function, which returns the exit code. */
struct command {
    const char *name, *summary; /* the summary is one line */
    const char *operands;       /* "RUN [options]" */
    int min_operands, max_operands;
    const char *about;    /* paragraphs; wrapped, except lines that begin with a space */
    const char *examples; /* lines, printed unchanged */
    int (*run)(const command *c, int argc, const char **argv);
};

/* All commands in the order of the help screen, under titles. A row without either ends the list. */
typedef struct command_row {
    const char *title;
    const command *command;
} command_row;
extern const command_row command_table[];

/* Returns the command called `name`, or NULL after a message that names the nearest one. */
const command *command_find(const char *name);

/* ---- The command line ---- */

typedef enum flag_kind {
    FLAG_SWITCH, /* bool */
    FLAG_TEXT,   /* const char * */
    FLAG_OUTPUT, /* const char *: a file that is replaced atomically, so not a device */
    FLAG_CHART,  /* like FLAG_OUTPUT: an image format by extension, or .csv */
    FLAG_IMAGES, /* like FLAG_OUTPUT: an image, .npy, or one file per image, img-%04d.png */
    FLAG_FOLDER, /* const char *: a directory for output files; created if missing */
    FLAG_COUNT,  /* int64_t from min to max */
    FLAG_CHOICE, /* int: index into `choices` */
    FLAG_LIST,   /* text_list: may be repeated */
} flag_kind;

/* An option of a command. A row without a name ends the table. shared_options.h defines options of several
   commands. */
typedef struct flag {
    const char *name;    /* "epochs" for --epochs */
    char letter;         /* 'e' for -e; 0: none */
    flag_kind kind;
    const char *operand; /* name of the value in help: "N" */
    const char *help;    /* meaning */
    const char *note;    /* added by the command: "default: 64". Nullable */
    void *value;         /* destination; holds the default before */
    int64_t min, max;
    const char *const *choices; /* ends with NULL */
    const char *endings; /* of an output: ".csv .npz"; "-" allows stdout, "%d" one file per image. Nullable: any */
    const char *needs;   /* options, "walk": it has an effect only with one of these. Nullable */
    const char *clashes; /* options that it conflicts with. Nullable */
    const char *actions; /* first operands that it belongs to, "info show". Nullable: all */
    bool is_of_picture;  /* it has no effect on an array, .npy or .csv */
    bool is_of_whole;    /* nor on one file per image, img-%04d.png */
} flag;

typedef struct text_list {
    const char *item[128];
    int n;
} text_list;

/* A parsed command line; its strings are valid until command_line_clear. */
typedef struct command_line {
    const char **operand;
    int n;
    const flag *flags; /* the table of options */
    uint32_t given;    /* bit i: flags[i] was given */
    int code; /* exit code if parsing failed or showed the help screen */
    struct poptContext_s *context;
    char *owned[256];
    int n_owned;
} command_line;

/* Parses options and operands, and checks that every option has an effect and that every output can be written.
   False: exit with line->code (the message is printed, the line cleared). */
bool command_line_read(const command *c, const flag *flags, int argc, const char **argv,
                       command_line *line);
void command_line_clear(command_line *line);

/* Returns the table of a command as JSON. */
json_t *command_json(const command *c);

/* Whether --NAME was given. Nullable: line (nothing was given). */
bool flag_is_given(const command_line *line, const char *name);

/* Whether `word` is one of these words, separated by spaces. */
bool is_listed(const char *words, const char *word);

/* Complains, "--NAME WHY", about the first given option of those listed, which would be ignored. Returns the exit
   code, CODE_DONE if none was given. Nullable: line. */
int refuse_flags(const command *c, const command_line *line, const char *names, const char *why,
                 ...) LT_PRINTF(4, 5);

/* Checks that `path`, of --NAME, can be written, if its name is known only after parsing. Returns the exit code after
   a complaint. */
int check_output(const command *c, const char *name, const char *path);

extern const char *const split_names[];    /* in the order of lt_split */

/* ---- Messages ---- */

/* Style of text on a terminal with colors, unless NO_COLOR is set. */
typedef enum text_style { STYLE_PLAIN, STYLE_HEADING, STYLE_ERROR, STYLE_WARNING, STYLE_GOOD } text_style;

/* Prints "latent train: MESSAGE" on stderr; returns `code`. */
int complain(const command *c, int code, const char *format, ...) LT_PRINTF(3, 4);

/* Prints the library's last error on stderr; returns the exit code for the status. */
int complain_library(const command *c, int status);

/* Prints a line on stderr. */
void say(const char *format, ...) LT_PRINTF(1, 2);
void say_wrapped(const char *format, ...) LT_PRINTF(1, 2); /* to 80 columns, also into a pipe or file */
void say_styled(text_style style, const char *format, ...) LT_PRINTF(2, 3);

/* Returns a path quoted as a shell word (lt_shell_word). Valid until the eighth call after it. */
const char *shell(const char *path);

/* printf that does not break lines inside names printed with %s. */
void print(const char *format, ...) LT_PRINTF(1, 2);

/* After open_output, stdout is made printable (lt_printable, with newlines), and is written completely even if signals
   interrupt. flush_output returns false if something could not be written. */
void open_output(void);
bool flush_output(void);

/* Switches off wrapping, for output that programs read. */
void print_as_is(bool is_so);

/* Prints text wrapped to 80 columns, or to the terminal's if it has fewer, and indented; lines that begin with a space
   are not indented further. A negative indent: the first line is already indented. */
void print_wrapped(FILE *to, int indent, const char *text);

/* Layout of a table. Zero means default. */
typedef struct cells_look {
    int name_least, name_most; /* width of the first column; a longer name gets its own line; default: the widest */
    int cell_least;            /* of the others */
    const bool *is_left;       /* one for each column: flush left, not right. Nullable */
} cells_look;

/* Prints a table with a row of heads: cells[i * columns + j]. The first column holds the names of the rows. Columns
   that do not fit on the terminal follow below with the names again, for rows with a value there. Nullable: look. */
void print_cells(const char *const *cells, int rows, int columns, const cells_look *look);

/* Prints a heading. */
void print_heading(const char *format, ...) LT_PRINTF(1, 2);

/* Style of the output between the two. */
void begin_style(text_style style);
void end_style(void);

/* Whether `fd` shows colors; the escape sequence of a style. */
bool has_color(int fd);
const char *style_code(text_style style);

/* Returns "; did you mean 'NAME'?" for the nearest of `names`, which end with NULL, or "". A static buffer. */
const char *suggestion(const char *word, const char *const *names);

/* ---- Warnings (warnings.c) ---- */

/* The hook of lt_set_log: prints each line of the library once. */
void show_log(void *user, lt_log_level level, const char *text);

/* Suppresses warnings that the training of this run has printed at its start, until warnings_repeat. `run` is a
   directory or a checkpoint. */
void warnings_expect(const char *run);
void warnings_repeat(void);

/* Warnings between the two are about the starting run, and are stored in its directory. Returns a status. */
void warnings_begin(void);
int warnings_keep(const char *run);

/* ---- Progress and time ---- */

/* A progress line at the bottom of a terminal, redrawn at most ten times a second; nothing if stderr is not a
   terminal. Messages overwrite it. */
typedef struct meter {
    bool is_terminal;
    double last; /* seconds */
    int width;   /* characters currently on the line */
    int room;    /* columns left for the bar */
} meter;
void meter_begin(meter *m);
bool meter_is_due(const meter *m);

/* Draws the text, and in the remaining columns a bar of the fraction done. Two spaces separate parts of the text, the
   most important first: a narrow terminal omits the last ones. */
void meter_draw(meter *m, double done, const char *format, ...) LT_PRINTF(3, 4);
void meter_clear(meter *m); /* Nullable: m. Call it before m goes out of scope. */

/* "12.3 s", "4 min 05 s", "2 h 07 min". */
const char *time_text(double seconds, char text[32]);

/* An estimate with two digits: "12 min left". */
const char *left_text(double seconds, char text[32]);

/* Seconds of a monotonic clock. */
double now_seconds(void);

/* Appends to a string of at most `size` bytes; truncates what does not fit. */
void add_words(char *text, size_t size, const char *format, ...) LT_PRINTF(3, 4);

/* Becomes true at the first SIGINT, SIGTERM or SIGHUP (unless nohup ignores it); another one, more than half a second
   later, ends the program. Training also stops on SIGPIPE: Ctrl-C in `latent train ... 2>&1 | tee log` ends tee first,
   and training still has to write a checkpoint. */
bool is_stopped(void);
void watch_signals(void);
void watch_training_signals(void);

/* The exit code of a stopped command, 128 + signal: 130 after SIGINT, 143 after SIGTERM, 129 after SIGHUP, 141 after
   SIGPIPE. */
int stop_code(void);

/* ---- JSON ---- */

/* A number, or null when it is not finite. */
json_t *json_number(double value);

/* A string from outside. If it is not UTF-8, its printable form, "b\\xffd". */
json_t *json_text(const char *words);

/* {"value": ..., "se": ...} */
json_t *json_estimate(lt_estimate e);

/* Prints an object on one line of stdout, and frees it. */
void print_json(json_t *object);
void print_json_text(const char *text); /* a line of it */

/* ---- Runs ---- */

/* "DIR/NAME", of any length; the caller frees it. Exits if memory runs out. */
char *path_in(const char *dir, const char *name);

/* Model and data of a run directory or a checkpoint. */
typedef struct trained {
    char *checkpoint; /* path; a running training process may have removed it */
    char digest[LT_DIGEST_SIZE]; /* of it; "" if it has none */
    lt_model *model;
    lt_dataset *data; /* NULL if not asked for */
} trained;

/* Opens the newest intact checkpoint of `run`; with `with_data` also its data, or `data` if given. Returns a status;
   close it in any case. */
int trained_open(trained *t, const char *run, bool with_data, const char *data);

/* Opens a run and its data, or `data` if given, with options changed by `sets`. */
int trained_open_with(trained *t, const char *run, const char *data, const text_list *sets);
void trained_close(trained *t);

/* Returns whether a model of these runs has the capability, or one of them cannot be read. */
bool may_have(const char *const *runs, int n, lt_capability capability);

/* Warns if a written picture lies among the images of `data`. */
void warn_of_data(const char *data, const char *picture);

/* The same for the data of a run, or of the run of a checkpoint. */
void warn_of_run_data(const char *run, const char *picture);

/* Allocates zeroed memory; exits if there is none. */
void *plot_room(size_t n, size_t size);

/* Allocates n images of the model's size; exits if there is no memory. */
float *image_room(const lt_model *m, int n);

/* Whether the output is an array, FILE.npy. */
bool is_npy(const char *path);

/* Whether the output is images without captions: FILE.npy, or one file per image, img-%04d.png. */
bool is_images_alone(const char *path);

/* Writes n images so: as an array, n x height x width x channels, or each to its file with `zoom` pixels per pixel
   (0: 1). */
int write_images(const char *path, lt_image_size s, const float *images, int n, int64_t zoom);

/* Warns of files that an earlier run with more than n images has left. */
void warn_of_more(const char *path, int n);

/* The name of the file of n images, or of the files: "img-0000.png ... img-0063.png". The caller frees it. */
char *written_name(const char *path, int n);

#endif
