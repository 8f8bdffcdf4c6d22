/* option_table.c - the commands and options (see option_table.h). Data only.
 *
 * A line of help has at most 62 characters, so that it ends before column 100.
 */
#include "option_table.h"

#define IN_SHELL OPTION_IN(COMMAND_SHELL)
#define IN_RUN (OPTION_IN(COMMAND_RUN) | IN_SHELL) /* shell is run with other words */
#define IN_ALL (IN_RUN | OPTION_IN(COMMAND_EXPLAIN) | OPTION_IN(COMMAND_PLAN))
#define IN_EXPLAIN OPTION_IN(COMMAND_EXPLAIN)
#define IN_PLAN OPTION_IN(COMMAND_PLAN)
#define IN_REPORT OPTION_IN(COMMAND_REPORT)
#define IN_DOCTOR OPTION_IN(COMMAND_DOCTOR)
#define IN_SETUP OPTION_IN(COMMAND_SETUP)
#define IN_TOP OPTION_IN(COMMAND_HELP)

#define POLICY_LIST(n, l, arg, want, words, id)                                                              \
    {                                                                                                        \
        .name = (n), .letter = (l), .argument = (arg), .wants = (want), .help = (words), .commands = IN_ALL, \
        .group = GROUP_POLICY, .action = ACTION_LIST, .list = (id)                                           \
    }
#define POLICY_VALUE(n, l, arg, want, words, act)                                                            \
    {                                                                                                        \
        .name = (n), .letter = (l), .argument = (arg), .wants = (want), .help = (words), .commands = IN_ALL, \
        .group = GROUP_POLICY, .action = (act)                                                               \
    }
#define COMMAND_VALUE(n, arg, want, in, words, act)                                                          \
    {                                                                                                        \
        .name = (n), .argument = (arg), .wants = (want), .help = (words), .commands = (in),                  \
        .group = GROUP_COMMAND, .action = (act)                                                              \
    }
#define FLAG(n, l, in, words, act)                                                                           \
    {                                                                                                        \
        .name = (n), .letter = (l), .help = (words), .commands = (in), .group = GROUP_COMMAND,               \
        .action = (act)                                                                                      \
    }
#define RESERVED(n, in, instead)                                                                             \
    {                                                                                                        \
        .name = (n), .help = (instead), .commands = (in), .action = ACTION_RESERVED                          \
    }

const struct option_def option_table[] = {
    {.name = "workspace",
     .letter = 'C',
     .argument = "DIR",
     .wants = "a DIR",
     .help = "the workspace (default: the current directory)",
     .commands = IN_ALL | IN_REPORT,
     .group = GROUP_POLICY,
     .action = ACTION_WORKSPACE},
    POLICY_LIST("write", 'w', "PATH", "a PATH", "let the command write PATH too (repeatable)", LIST_WRITE),
    POLICY_LIST("protect", 'p', "NAME|PATH", "a NAME or PATH",
                "keep NAME at the top of writable roots, or PATH, as it is\n"
                "(repeatable)",
                LIST_PROTECT),
    POLICY_LIST("unprotect", 0, "NAME", "a NAME", "protect NAME no longer, such as .git (repeatable)",
                LIST_UNPROTECT),
    POLICY_LIST("deny-read", 0, "PATH|GLOB", "a PATH or GLOB", "hide PATH, or what GLOB matches (repeatable)",
                LIST_DENY_READ),
    POLICY_LIST("read", 0, "PATH", "a PATH",
                "keep PATH visible although it lies in /tmp or another\n"
                "replaced directory (repeatable)",
                LIST_READ),
    POLICY_VALUE("net", 'n', "off|on", "off or on", "the network (default: off)", ACTION_NET),
    POLICY_LIST("unix-socket", 0, "PATH", "a PATH",
                "let the command connect to this unix socket of the outside\n"
                "(repeatable); whoever listens there acts with your rights",
                LIST_UNIX_SOCKETS),
    POLICY_VALUE("env", 0, "NAME|NAME=VALUE", "NAME or NAME=VALUE",
                 "pass variable NAME on although it looks like a secret,\n"
                 "or set it (repeatable)",
                 ACTION_ENV),
    POLICY_LIST("env-remove", 0, "GLOB", "a GLOB", "do not pass on variables that match GLOB (repeatable)",
                LIST_ENV_REMOVE),
    POLICY_VALUE("tmp", 0, "workspace|fresh|shared", "workspace, fresh or shared",
                 "/tmp is this workspace's own and lives on (default), empty\n"
                 "each time, or the machine's",
                 ACTION_TMP),
    POLICY_VALUE("limit", 0, "KIND=N,...", "KIND=N, as in wall=10m,memory=2G",
                 "limits: wall=10m, cpu=5m, memory=2G, file=1G, processes=256", ACTION_LIMIT),
    POLICY_VALUE("profile", 0, "read-only|workspace|open", "read-only, workspace or open",
                 "the defaults to begin with: nothing writable but /tmp, the\n"
                 "workspace too (default), or that and the network",
                 ACTION_PROFILE),
    POLICY_VALUE("policy", 0, "FILE", "a FILE",
                 "policy file instead of the user's own\n"
                 "(~/.config/cordon/policy.json, if there)",
                 ACTION_POLICY),
    POLICY_VALUE("allow-degraded", 0, "FACET,...", "a FACET",
                 "go on without FACET where this machine cannot enforce it", ACTION_ALLOW_DEGRADED),
    POLICY_VALUE("require", 0, "FACET,...", "a FACET",
                 "fail where FACET is only partly enforced, a documented limit", ACTION_REQUIRE),

    COMMAND_VALUE("report", "FILE", "a FILE", IN_RUN,
                  "write a JSON report of this run, changed files included", ACTION_REPORT),
    FLAG("changes", 0, IN_RUN, "list changed files at the end, on standard error", ACTION_CHANGES),
    FLAG("trace", 0, IN_RUN, "record what is refused, and what would allow it, in the report", ACTION_TRACE),
    COMMAND_VALUE("status-fd", "N", "a number", IN_RUN,
                  "write one JSON line to descriptor N at start and at the end", ACTION_STATUS_FD),
    {.name = "command",
     .letter = 'c',
     .argument = "STRING",
     .wants = "a STRING",
     .help = "run STRING, with the words after it as $0, $1, ...",
     .commands = IN_SHELL,
     .group = GROUP_COMMAND,
     .action = ACTION_SHELL_COMMAND},
    FLAG("login", 'l', IN_SHELL, "as a login shell", ACTION_SHELL_FLAG),
    FLAG("interactive", 'i', IN_SHELL, "the shell's -i, as are -s, -e, -u, -x and -o below",
         ACTION_SHELL_FLAG),
    FLAG("stdin", 's', IN_SHELL, "commands come from standard input", ACTION_SHELL_FLAG),
    FLAG("errexit", 'e', IN_SHELL, "end at the first command that fails", ACTION_SHELL_FLAG),
    FLAG("nounset", 'u', IN_SHELL, "a variable that is not set is an error", ACTION_SHELL_FLAG),
    FLAG("xtrace", 'x', IN_SHELL, "print commands as they run", ACTION_SHELL_FLAG),
    {.name = "option",
     .letter = 'o',
     .argument = "NAME",
     .wants = "a NAME",
     .help = "the shell's option NAME, such as pipefail (repeatable)",
     .commands = IN_SHELL,
     .group = GROUP_COMMAND,
     .action = ACTION_SHELL_OPTION},
    COMMAND_VALUE("host", "HOST[:PORT]", "a HOST or HOST:PORT", IN_EXPLAIN,
                  "may HOST be reached? (repeatable)", ACTION_HOST),
    COMMAND_VALUE("target", "linux", "linux", IN_PLAN, "the system to plan for; this version knows linux",
                  ACTION_TARGET),
    FLAG("status", 0, IN_SETUP, "is everything in place? Exit status 0 or 1", ACTION_SETUP_STATUS),
    FLAG("dry-run", 0, IN_SETUP, "print what would be done, exactly, and do nothing", ACTION_SETUP_DRY_RUN),
    FLAG("undo", 0, IN_SETUP, "take back what was done", ACTION_SETUP_UNDO),
    FLAG("json", 0, IN_EXPLAIN | IN_PLAN | IN_REPORT | IN_DOCTOR, "print the answer as JSON", ACTION_JSON),
    FLAG("json-errors", 0, IN_ALL | IN_REPORT | IN_DOCTOR | IN_SETUP,
         "cordon's own errors as one JSON line on standard error", ACTION_JSON_ERRORS),
    FLAG("quiet", 'q', IN_RUN, "no messages of cordon's own but errors", ACTION_QUIET),
    FLAG("verbose", 'v', IN_RUN, "also print the report's warnings at the end", ACTION_VERBOSE),
    FLAG("help", 'h', IN_ALL | IN_REPORT | IN_DOCTOR | IN_SETUP | IN_TOP, "print this help", ACTION_HELP),
    FLAG("version", 0, IN_ALL | IN_REPORT | IN_DOCTOR | IN_SETUP | IN_TOP, "print cordon's version",
         ACTION_VERSION),

    RESERVED("cow", IN_ALL, "make a copy and run there, with -C"),
    RESERVED("allow-host", IN_ALL, "the network is --net off or on"),
    RESERVED("session", IN_RUN, "each run is its own"),
    RESERVED("git", IN_RUN, "commit outside, or open .git with --unprotect .git"),
    RESERVED("tier", IN_RUN | IN_PLAN, "it belongs to Windows"),
    RESERVED("facts", IN_PLAN, "`cordon plan` plans for this machine"),
};
const size_t option_table_count = sizeof option_table / sizeof *option_table;

const struct command_def command_table[] = {
    {"run", "[OPTIONS] [--] COMMAND [ARG...]", "run COMMAND inside the boundary", COMMAND_RUN},
    {"shell", "[OPTIONS] [-c STRING] [ARG...]", "a shell inside; fit to be $SHELL as cordon-shell",
     COMMAND_SHELL},
    {"explain", "[OPTIONS] PATH...", "may PATH be read or written, and why", COMMAND_EXPLAIN},
    {"plan", "[OPTIONS]", "print what the system would be told, do nothing", COMMAND_PLAN},
    {"report", "[-C DIR | FILE]", "show what the last run did, or the report in FILE", COMMAND_REPORT},
    {"doctor", "[--json]", "what this machine can enforce, and the remedies", COMMAND_DOCTOR},
    {"setup", "[--status | --dry-run | --undo]", "the one-time step as root, where one is needed",
     COMMAND_SETUP},
    {"help", "[COMMAND]", "print this, or the options of COMMAND", COMMAND_HELP},

    {"selftest", NULL, "`make check` of the source tree runs the attack matrix", COMMAND_HELP},
    {"session", NULL, "each `cordon run` is its own", COMMAND_HELP},
    {"learn", NULL, "`cordon explain PATH` says what is refused, and why", COMMAND_HELP},
    {"mcp", NULL, "`cordon run` is the interface", COMMAND_HELP},
};
const size_t command_table_count = sizeof command_table / sizeof *command_table;
