/* option_table.h - every option once: the parser, --help and the test that
 * compares them with the man page read this table.
 */
#ifndef CORDON_PROGRAM_OPTION_TABLE_H
#define CORDON_PROGRAM_OPTION_TABLE_H

#include <stddef.h>

/* Bits: which commands take it. */
#define IN_RUN 1u
#define IN_EXPLAIN 2u
#define IN_PLAN 4u
#define IN_POLICY (IN_RUN | IN_EXPLAIN | IN_PLAN)

enum option_id {
    OPTION_WORKSPACE,
    OPTION_WRITE,
    OPTION_PROFILE,
    OPTION_PROTECT,
    OPTION_UNPROTECT,
    OPTION_DENY_READ,
    OPTION_READ,
    OPTION_NET,
    OPTION_ENV,
    OPTION_ENV_REMOVE,
    OPTION_TMP,
    OPTION_LIMIT,
    OPTION_POLICY,
    OPTION_ALLOW_DEGRADED,
    OPTION_REQUIRE,
    OPTION_REPORT,
    OPTION_CHANGES,
    OPTION_STATUS_FD,
    OPTION_JSON_ERRORS,
    OPTION_JSON,
    OPTION_HOST,
    OPTION_TARGET,
    OPTION_QUIET,
    OPTION_VERBOSE,
    OPTION_HELP,
    OPTION_RESERVED,
};

struct option_row {
    enum option_id id;
    const char *name;     /* "--write" */
    char letter;          /* 'w', or 0 */
    const char *argument; /* "PATH", or NULL */
    unsigned commands;
    const char *help;     /* one line; NULL with OPTION_RESERVED */
    const char *reserved; /* why it is refused */
};

/* Ends with a NULL name. */
const struct option_row *option_table(void);

#endif
