/* SPDX-License-Identifier: MIT */
/* What the commands share: how one is described, how its command line is read, how it speaks.
   Data goes to stdout, talk to stderr. */
#ifndef LATENT_CLI_H
#define LATENT_CLI_H

#include <latent/latent.h>

#include <jansson.h>
#include <stdio.h>

enum { CODE_DONE = 0, CODE_FAILED = 1, CODE_USAGE = 2 }; /* stopped: stop_code */

/* ---- Commands ---- */

typedef struct command command;

/* One command: the text of its help screen and its function, which gives the exit code. */
struct command {
    const char *name, *summary; /* the summary is one line */
    const char *operands;       /* "RUN [options]" */
    int min_operands, max_operands;
    const char *about;    /* paragraphs; wrapped, but for lines that begin with a space */
    const char *examples; /* lines, shown as they are */
    int (*run)(const command *c, int argc, const char **argv);
};

/* Every command in the order of the help screen, under titles. A row without either ends the list.
 */
typedef struct command_row {
    const char *title;
    const command *command;
} command_row;
extern const command_row command_table[];

/* The command called `name`, or NULL after a message that names the nearest one. */
const command *command_find(const char *name);

/* ---- The command line ---- */

typedef enum flag_kind {
    FLAG_SWITCH, /* bool */
    FLAG_TEXT,   /* const char * */
    FLAG_OUTPUT, /* const char *: a file that will be replaced as a whole, so not a device */
    FLAG_CHART,  /* the same, a picture by the end of its name, or .csv */
    FLAG_IMAGES, /* the same, a picture, .npy, or one file for each image, img-%04d.png */
    FLAG_FOLDER, /* const char *: a directory that files will be written to; made if it is not there */
    FLAG_COUNT,  /* int64_t from min to max */
    FLAG_CHOICE, /* int: index into `choices` */
    FLAG_LIST,   /* text_list: may be given again and again */
} flag_kind;

/* One option of a command. A row without a name ends the table. What several commands have is defined
   in shared_options.h. */
typedef struct flag {
    const char *name;    /* "epochs" is given as --epochs */
    char letter;         /* 'e' is given as -e; 0: none */
    flag_kind kind;
    const char *operand; /* what help calls the value: "N" */
    const char *help;    /* what it means */
    const char *note;    /* what the command adds to that: "default: 64". Nullable */
    void *value;         /* where it goes; holds the default before */
    int64_t min, max;
    const char *const *choices; /* ends with NULL */
    const char *endings; /* of an output: ".csv .npz"; "-" where the terminal will do, "%d" where a
                            file for each image may be asked for. Nullable: any */
    const char *needs;   /* options, "walk": it has an effect beside one of these alone. Nullable */
    const char *clashes; /* options that it does not go with. Nullable */
    const char *actions; /* first operands that it goes with, "info show". Nullable: all */
    bool is_of_picture;  /* it has no effect on an output of numbers, .npy or .csv */
    bool is_of_whole;    /* nor on one file for each image, img-%04d.png */
} flag;

typedef struct text_list {
    const char *item[128];
    int n;
} text_list;

/* What was on a command line; the texts live until command_line_clear. */
typedef struct command_line {
    const char **operand;
    int n;
    const flag *flags; /* the table it was read by */
    uint32_t given;    /* bit i: flags[i] was there */
    int code; /* to leave with when reading it failed or showed the help screen */
    struct poptContext_s *context;
    char *owned[256];
    int n_owned;
} command_line;

/* Reads options and operands, and checks before any work that every option has an effect, and that
   every output can be written. False: leave with line->code (all has been said and cleared). */
bool command_line_read(const command *c, const flag *flags, int argc, const char **argv,
                       command_line *line);
void command_line_clear(command_line *line);

/* A command and its options as JSON: what its table says. */
json_t *command_json(const command *c);

/* Whether --NAME was given. Nullable: line (nothing was). */
bool flag_is_given(const command_line *line, const char *name);

/* Whether `word` is one of these words with a space between each two. */
bool is_listed(const char *words, const char *word);

/* Complains, "--NAME WHY", about the first option that was given of those listed, which would be
   ignored. Gives the exit code, CODE_DONE if there is none. Nullable: line. */
int refuse_flags(const command *c, const command_line *line, const char *names, const char *why,
                 ...) LT_PRINTF(4, 5);

/* For outputs whose name is known later than the command line: whether `path`, of --NAME, can be written.
   Gives the exit code after a complaint. */
int check_output(const command *c, const char *name, const char *path);

extern const char *const split_names[];    /* in the order of lt_split */

/* ---- Talk ---- */

/* How text looks on a terminal that has colors, where NO_COLOR is not set. */
typedef enum text_style { STYLE_PLAIN, STYLE_HEADING, STYLE_ERROR, STYLE_WARNING, STYLE_GOOD } text_style;

/* "latent train: what went wrong" on stderr; returns `code`. */
int complain(const command *c, int code, const char *format, ...) LT_PRINTF(3, 4);

/* The library's last error on stderr; the exit code that goes with it. */
int complain_library(const command *c, int status);

/* A line on stderr. */
void say(const char *format, ...) LT_PRINTF(1, 2);
void say_wrapped(const char *format, ...) LT_PRINTF(1, 2); /* for a page of 80 columns, wherever it goes */
void say_styled(text_style style, const char *format, ...) LT_PRINTF(2, 3);

/* A path as one word of a command to be copied (lt_shell_word). Valid until the eighth call after it. */
const char *shell(const char *path);

/* printf, but names that %s stands for stay on their line. */
void print(const char *format, ...) LT_PRINTF(1, 2);

/* From open_output on, what is printed to stdout is printable (lt_printable, with lines), and is written whole
   although signals interrupt. flush_output is false when something could not be written. */
void open_output(void);
bool flush_output(void);

/* What follows is for a program to read, so its lines stay as they are on a terminal of any width. */
void print_as_is(bool is_so);

/* Lines of text, wrapped for a page of 80 columns, or of the terminal's if it has fewer, and indented; lines
   that begin with a space begin where they do. A negative indent: the first line has been indented. */
void print_wrapped(FILE *to, int indent, const char *text);

/* How a table looks. Zero means default. */
typedef struct cells_look {
    int name_least, name_most; /* width of the first column; a longer name has a line of its own; default: as wide as
                                  the widest */
    int cell_least;            /* of the others */
    const bool *is_left;       /* one for each column: flush left, not right. Nullable */
} cells_look;

/* A table with a row of heads: cells[i * columns + j]. The first column holds the names of the rows. Columns for which
   the terminal has no room come below, beside the names again, of rows that have something there. Nullable: look. */
void print_cells(const char *const *cells, int rows, int columns, const cells_look *look);

/* A few words that stand out. */
void print_heading(const char *format, ...) LT_PRINTF(1, 2);

/* Color of what is printed between the two. */
void begin_style(text_style style);
void end_style(void);

/* Whether `fd` shows colors; what begins one. */
bool has_color(int fd);
const char *style_code(text_style style);

/* "; did you mean 'NAME'?", for `names` that end with NULL, in a static buffer; or "". */
const char *suggestion(const char *word, const char *const *names);

/* ---- Warnings (warnings.c) ---- */

/* The hook of lt_set_log: says what the library says, each line once. */
void show_log(void *user, lt_log_level level, const char *text);

/* Lines that training this run has said when it began are not said again; after warnings_repeat they are: the
   user asks for what they are about. `run` is a directory or a checkpoint. */
void warnings_expect(const char *run);
void warnings_repeat(void);

/* Between the two, warnings are about the run that begins, and are kept in its directory. A status. */
void warnings_begin(void);
int warnings_keep(const char *run);

/* ---- Progress and time ---- */

/* One line at the foot of a terminal, redrawn at most ten times a second; nothing elsewhere. What
   is said meanwhile takes its place. */
typedef struct meter {
    bool is_terminal;
    double last; /* seconds */
    int width;   /* characters on the line now */
    int room;    /* that its texts have left for the bar */
} meter;
void meter_begin(meter *m);
bool meter_is_due(const meter *m);

/* Draws the text, and in the room that it leaves a bar of the part done, in [0, 1]. Two spaces divide
   the text into parts, the most important first: the last ones are left out where the terminal is
   too narrow. */
void meter_draw(meter *m, double done, const char *format, ...) LT_PRINTF(3, 4);
void meter_clear(meter *m); /* Nullable: m. Call it before m goes. */

/* "12.3 s", "4 min 05 s", "2 h 07 min". */
const char *time_text(double seconds, char text[32]);

/* A guess, so in two digits: "12 min left". */
const char *left_text(double seconds, char text[32]);

/* Seconds on a clock that only goes forward. */
double now_seconds(void);

/* Adds words to a text in `size` bytes, as far as there is room. */
void add_words(char *text, size_t size, const char *format, ...) LT_PRINTF(3, 4);

/* Becomes true at the first SIGINT, SIGTERM or SIGHUP (unless nohup ignores it); another one, more than
   half a second later, ends the program. Training also stops when nobody reads its messages any more (SIGPIPE): Ctrl-C
   in `latent train ... 2>&1 | tee log` ends tee first, and a checkpoint is still to be written. */
bool is_stopped(void);
void watch_signals(void);
void watch_training_signals(void);

/* The exit code of a stopped command, 128 + signal as shells have it: 130 after SIGINT, 143 after
   SIGTERM, 129 after SIGHUP, 141 after SIGPIPE. */
int stop_code(void);

/* ---- JSON ---- */

/* A number, or null when it is not finite. */
json_t *json_number(double value);

/* A name from outside: as it is, or, if it is no UTF-8, which JSON must be, as it is shown, "b\\xffd". */
json_t *json_text(const char *words);

/* {"value": ..., "se": ...} */
json_t *json_estimate(lt_estimate e);

/* Prints one object on one line of stdout, and drops it. */
void print_json(json_t *object);
void print_json_text(const char *text); /* a line of it */

/* ---- Runs ---- */

/* "DIR/NAME", of any length; the caller frees it. Leaves the program when there is no memory. */
char *path_in(const char *dir, const char *name);

/* Model and data of a run directory or a checkpoint. */
typedef struct trained {
    char *checkpoint; /* path; a training that goes on may have removed it */
    char digest[LT_DIGEST_SIZE]; /* of it; "" if it has none */
    lt_model *model;
    lt_dataset *data; /* NULL if not asked for */
} trained;

/* Opens the newest whole checkpoint of `run`; with `with_data` also its data, or `data` where that
   is given. LT_OK, or a status; close it in both cases. */
int trained_open(trained *t, const char *run, bool with_data, const char *data);

/* Opens a run and its data, or `data` where that is given, with options changed by `sets`. */
int trained_open_with(trained *t, const char *run, const char *data, const text_list *sets);
void trained_close(trained *t);

/* Says so where a picture that was written lies among the images of `data`. */
void warn_of_data(const char *data, const char *picture);

/* The same of the data of a run, or of the run that a checkpoint lies in. */
void warn_of_run_data(const char *run, const char *picture);

/* Memory, zeroed; leaves the program when there is none. */
void *plot_room(size_t n, size_t size);

/* Room for n images of the model's size; leaves the program when there is none. */
float *image_room(const lt_model *m, int n);

/* Whether FILE.npy is asked for: numbers, not a picture. */
bool is_npy(const char *path);

/* Whether images alone are asked for, one after the other: FILE.npy, or one file for each, img-%04d.png. */
bool is_images_alone(const char *path);

/* Writes n images so: as numbers, n x height x width x channels, or each into its file, `zoom` pixels per
   pixel (0: 1). */
int write_images(const char *path, lt_image_size s, const float *images, int n, int64_t zoom);

/* What an earlier writing of more than n images has left would be taken for one of them: says so. */
void warn_of_more(const char *path, int n);

/* What to call the file of n images, or the files: "img-0000.png ... img-0063.png". Freed by the caller. */
char *written_name(const char *path, int n);

#endif
