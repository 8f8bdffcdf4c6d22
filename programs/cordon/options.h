/* options.h - the command line: one table drives the parser, --help and the
 * test that holds man page, help and parser together.
 */
#ifndef CORDON_PROGRAM_OPTIONS_H
#define CORDON_PROGRAM_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "core/error.h"
#include "core/policy.h"

enum command_id {
    COMMAND_HELP,
    COMMAND_VERSION,
    COMMAND_RUN,
    COMMAND_SHELL,
    COMMAND_EXPLAIN,
    COMMAND_PLAN,
    COMMAND_REPORT,
    COMMAND_DOCTOR,
    COMMAND_SETUP,
};

/* Of setup; 0: do it. */
enum setup_mode { SETUP_STATUS = 1, SETUP_DRY_RUN = 2, SETUP_UNDO = 4 };

struct string_list {
    const char **items; /* borrowed from argv; NULL-terminated */
    size_t count;
};

struct options {
    enum command_id command;
    enum command_id help_for;   /* with COMMAND_HELP: COMMAND_HELP itself means the overview */
    struct policy policy;       /* the layer the options make; origins are "option --write" etc. */
    const char *workspace;      /* -C; NULL: the current directory */
    const char *policy_file;    /* --policy; NULL: the user's own config, if there is one */
    struct string_list targets; /* explain: PATH...; report: FILE, if one is given */
    struct string_list hosts;   /* explain: --host */
    struct string_list allow_degraded, require; /* facet names, checked; owned copies */
    bool json, json_errors, changes, trace, quiet, verbose;
    const char *report_file; /* --report */
    int status_fd;           /* --status-fd; -1: none. Checked to be an open descriptor by the run command. */
    char **argv;             /* run: the command and its arguments, borrowed, NULL-terminated */
    int argc;
    /* shell: argv is what follows the options: STRING and its arguments, or a script and its. */
    bool shell_command;             /* -c */
    const char *shell_string;       /* STRING, where it was attached; else NULL: argv[0] */
    struct string_list shell_flags; /* passed on: "-l", "-o", "pipefail" */
    unsigned setup;                 /* enum setup_mode, one or none */
};

/* Parses; on failure the step is "cli.usage" (unknown option, missing argument,
 * bad value: one line that names the option and what would be right, with a
 * suggestion for a near miss) or "cli.reserved" (an option or command of the
 * contract that this version does not have yet). quiet and json_errors are set
 * as far as they were seen even when parsing fails, so that the error comes out
 * in the form asked for. options_release() tolerates a failed parse. */
cordon_status options_parse(int argc, char **argv, struct options *out, struct cordon_error *err);
void options_release(struct options *o);

void options_print_help(FILE *to, enum command_id command);

/* One line a option: "run --report FILE", for the test that compares help, man page and parser. */
void options_print_table(FILE *to);

#endif
