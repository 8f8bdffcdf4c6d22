/* option_table.h - every command and option that cordon knows, as data. The
 * parser, the help and the tests of help and manual page read this and nothing
 * else, so that they cannot disagree.
 */
#ifndef CORDON_PROGRAM_OPTION_TABLE_H
#define CORDON_PROGRAM_OPTION_TABLE_H

#include <stddef.h>

#include "core/policy.h"
#include "options.h"

#define OPTION_IN(command) (1u << (command))

/* The heading under which help lists it. */
enum option_group { GROUP_POLICY, GROUP_COMMAND };

enum option_action {
    ACTION_HELP,
    ACTION_VERSION,
    ACTION_LIST, /* one entry of the policy's list `list` */
    ACTION_WORKSPACE,
    ACTION_PROFILE,
    ACTION_NET,
    ACTION_TMP,
    ACTION_ENV,
    ACTION_LIMIT,
    ACTION_POLICY,
    ACTION_ALLOW_DEGRADED,
    ACTION_REQUIRE,
    ACTION_HOST,
    ACTION_TARGET,
    ACTION_REPORT,
    ACTION_CHANGES,
    ACTION_TRACE,
    ACTION_STATUS_FD,
    ACTION_JSON,
    ACTION_JSON_ERRORS,
    ACTION_QUIET,
    ACTION_VERBOSE,
    ACTION_SHELL_COMMAND, /* -c: a flag to the letter, as in every shell; STRING is the first word */
    ACTION_SHELL_FLAG,    /* passed on to the shell */
    ACTION_SHELL_OPTION,  /* the same, with its value */
    ACTION_SETUP_STATUS,
    ACTION_SETUP_DRY_RUN,
    ACTION_SETUP_UNDO,
    ACTION_RESERVED,
};

struct option_def {
    const char *name;     /* long, without the dashes */
    const char *argument; /* as help writes it; NULL: a flag */
    const char *wants;    /* the argument in an error's words, "a PATH"; NULL: a flag */
    const char *help;     /* one or more lines; ACTION_RESERVED: what to do instead, not in help */
    unsigned commands;    /* OPTION_IN(...); COMMAND_HELP: without a command */
    enum option_group group;
    enum option_action action;
    enum policy_list_id list;
    char letter; /* '\0': no short form */
};

struct command_def {
    const char *name;
    const char *synopsis; /* what follows the name; NULL: reserved */
    const char *summary;  /* reserved: what to do instead */
    enum command_id id;
};

extern const struct option_def option_table[];
extern const size_t option_table_count;
extern const struct command_def command_table[];
extern const size_t command_table_count;

#endif
