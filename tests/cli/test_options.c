/* test_options.c - words in, struct options out (programs/cordon/options.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

#define WORDS_MAX 32

/* The words of one command line, cut at blanks; `''` is the empty word. */
struct words {
    char text[256];
    char *argv[WORDS_MAX + 1];
    int argc;
};

static void cut(struct words *w, const char *line)
{
    assert_true(strlen(line) < sizeof w->text);
    memcpy(w->text, line, strlen(line) + 1);
    w->argc = 0;
    for (char *c = w->text; *c;) {
        assert_true(w->argc < WORDS_MAX);
        char *word = c;
        c += strcspn(c, " ");
        if (*c)
            *c++ = '\0';
        if (strcmp(word, "''") == 0)
            *word = '\0';
        w->argv[w->argc++] = word;
    }
    w->argv[w->argc] = NULL;
}

static void parse(struct words *w, struct options *out, const char *line)
{
    struct cordon_error err = {0};
    cut(w, line);
    if (options_parse(w->argc, w->argv, out, &err) != CORDON_OK)
        fail_msg("%s: %s", line, err.message);
}

static void refuse(const char *line, const char *step, const char *message)
{
    struct words w;
    struct options out;
    struct cordon_error err = {0};
    cut(&w, line);
    if (options_parse(w.argc, w.argv, &out, &err) == CORDON_OK)
        fail_msg("accepted: %s", line);
    options_release(&out);
    if (strcmp(err.step, step) != 0 || strcmp(err.message, message) != 0)
        fail_msg("%s:\n  want %s: %s\n  got  %s: %s", line, step, message, err.step, err.message);
}

static void assert_entry(const struct policy *p, enum policy_list_id list, size_t at, const char *value,
                         const char *origin)
{
    assert_true(at < p->lists[list].count);
    const struct policy_entry *entry = &p->lists[list].items[at];
    assert_string_equal(entry->value, value);
    assert_string_equal(entry->origin, origin);
    assert_int_equal(entry->base, BASE_CWD);
}

static void nothing_given(void **state)
{
    (void)state;
    struct words w;
    struct options o;
    parse(&w, &o, "cordon plan");
    assert_int_equal(o.command, COMMAND_PLAN);
    assert_null(o.workspace);
    assert_null(o.policy_file);
    assert_null(o.report_file);
    assert_int_equal(o.status_fd, -1);
    assert_false(o.json || o.json_errors || o.changes || o.quiet || o.verbose);
    assert_null(o.policy.profile_origin);
    assert_null(o.policy.net_origin);
    assert_null(o.policy.tmp_origin);
    for (size_t i = 0; i < LIST_COUNT_; i++)
        assert_int_equal(o.policy.lists[i].count, 0);
    for (size_t i = 0; i < LIMIT_COUNT_; i++)
        assert_null(o.policy.limits[i].origin);
    options_release(&o);
    options_release(&o);
}

static void command_of_run(void **state)
{
    static const struct {
        const char *line, *command;
        int argc;
    } rows[] = {
        {"cordon run make", "make", 1},
        {"cordon run make -j2 --net on", "make", 4},
        {"cordon run -- make -j2", "make", 2},
        {"cordon run -q -- -odd --", "-odd", 2},
        {"cordon run -- --version", "--version", 1},
        {"cordon run -- --", "--", 1},
        {"cordon run --net on make -- x", "make", 3},
        {"cordon run - x", "-", 2},
        {"cordon run ''", "", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct words w;
        struct options o;
        parse(&w, &o, rows[i].line);
        assert_int_equal(o.command, COMMAND_RUN);
        assert_int_equal(o.argc, rows[i].argc);
        assert_string_equal(o.argv[0], rows[i].command);
        assert_null(o.argv[o.argc]);
        assert_ptr_equal(&o.argv[o.argc], &w.argv[w.argc]);
        options_release(&o);
    }
}

static void every_form_of_a_value(void **state)
{
    static const char *const lines[] = {
        "cordon run --write /x c", "cordon run --write=/x c", "cordon run -w /x c",       "cordon run -w/x c",
        "cordon run -qw/x c",      "cordon run -qw /x c",     "cordon run -q -w /x -- c",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct words w;
        struct options o;
        parse(&w, &o, lines[i]);
        assert_int_equal(o.policy.lists[LIST_WRITE].count, 1);
        assert_entry(&o.policy, LIST_WRITE, 0, "/x", "option --write");
        assert_int_equal(o.quiet, strchr(lines[i], 'q') != NULL);
        assert_string_equal(o.argv[0], "c");
        options_release(&o);
    }
}

static void values_that_look_odd(void **state)
{
    (void)state;
    struct words w;
    struct options o;
    parse(&w, &o, "cordon run --write=-x --write=a=b --write==c -w-d --protect=--net c");
    assert_entry(&o.policy, LIST_WRITE, 0, "-x", "option --write");
    assert_entry(&o.policy, LIST_WRITE, 1, "a=b", "option --write");
    assert_entry(&o.policy, LIST_WRITE, 2, "=c", "option --write");
    assert_entry(&o.policy, LIST_WRITE, 3, "-d", "option --write");
    assert_entry(&o.policy, LIST_PROTECT, 0, "--net", "option --protect");
    options_release(&o);
}

static void policy_lists(void **state)
{
    (void)state;
    struct words w;
    struct options o;
    parse(&w, &o,
          "cordon plan -w a -w b -p .x --unprotect .git --deny-read s/* --read /tmp/r --env-remove FOO_*");
    assert_int_equal(o.policy.lists[LIST_WRITE].count, 2);
    assert_entry(&o.policy, LIST_WRITE, 1, "b", "option --write");
    assert_entry(&o.policy, LIST_PROTECT, 0, ".x", "option --protect");
    assert_entry(&o.policy, LIST_UNPROTECT, 0, ".git", "option --unprotect");
    assert_entry(&o.policy, LIST_DENY_READ, 0, "s/*", "option --deny-read");
    assert_entry(&o.policy, LIST_READ, 0, "/tmp/r", "option --read");
    assert_entry(&o.policy, LIST_ENV_REMOVE, 0, "FOO_*", "option --env-remove");
    options_release(&o);
}

static void policy_scalars(void **state)
{
    (void)state;
    struct words w;
    struct options o;
    parse(&w, &o, "cordon plan --net on --profile open --tmp fresh --profile read-only -n off --tmp=shared");
    assert_int_equal(o.policy.net, NET_OFF);
    assert_string_equal(o.policy.net_origin, "option --net");
    assert_int_equal(o.policy.profile, PROFILE_READ_ONLY);
    assert_string_equal(o.policy.profile_origin, "option --profile");
    assert_int_equal(o.policy.tmp, TMP_SHARED);
    assert_string_equal(o.policy.tmp_origin, "option --tmp");
    options_release(&o);
}

static void environment_and_limits(void **state)
{
    (void)state;
    struct words w;
    struct options o;
    parse(&w, &o, "cordon plan --env GH_TOKEN --env A=b=c --limit wall=1m,memory=2K --limit wall=5");
    assert_entry(&o.policy, LIST_ENV_KEEP, 0, "GH_TOKEN", "option --env");
    assert_entry(&o.policy, LIST_ENV_SET, 0, "A=b=c", "option --env");
    assert_int_equal(o.policy.limits[LIMIT_WALL_SECONDS].value, 5);
    assert_int_equal(o.policy.limits[LIMIT_MEMORY_BYTES].value, 2048);
    assert_string_equal(o.policy.limits[LIMIT_WALL_SECONDS].origin, "option --limit");
    options_release(&o);
}

static void run_options(void **state)
{
    (void)state;
    struct words w;
    struct options o;
    parse(
        &w, &o,
        "cordon run -C d --policy p --report r --changes --status-fd 3 --json-errors -qv --status-fd=007 x");
    assert_string_equal(o.workspace, "d");
    assert_string_equal(o.policy_file, "p");
    assert_string_equal(o.report_file, "r");
    assert_int_equal(o.status_fd, 7);
    assert_true(o.changes && o.json_errors && o.quiet && o.verbose);
    assert_false(o.json);
    options_release(&o);
}

static void facet_lists(void **state)
{
    (void)state;
    struct words w;
    struct options o;
    parse(&w, &o, "cordon run --require tmp,unix-dgram --allow-degraded=limit-memory --require network x");
    assert_int_equal(o.require.count, 3);
    assert_string_equal(o.require.items[0], "tmp");
    assert_string_equal(o.require.items[1], "unix-dgram");
    assert_string_equal(o.require.items[2], "network");
    assert_null(o.require.items[3]);
    assert_int_equal(o.allow_degraded.count, 1);
    assert_string_equal(o.allow_degraded.items[0], "limit-memory");
    assert_null(o.allow_degraded.items[1]);
    options_release(&o);
}

static void questions_of_explain(void **state)
{
    (void)state;
    struct words w;
    struct options o;
    parse(&w, &o, "cordon explain a --host h:1 b --json --host g -- -c --json");
    assert_int_equal(o.command, COMMAND_EXPLAIN);
    assert_int_equal(o.targets.count, 4);
    assert_string_equal(o.targets.items[0], "a");
    assert_string_equal(o.targets.items[1], "b");
    assert_string_equal(o.targets.items[2], "-c");
    assert_string_equal(o.targets.items[3], "--json");
    assert_null(o.targets.items[4]);
    assert_int_equal(o.hosts.count, 2);
    assert_string_equal(o.hosts.items[1], "g");
    assert_true(o.json);
    assert_null(o.argv);
    options_release(&o);
    parse(&w, &o, "cordon explain --host h");
    assert_int_equal(o.targets.count, 0);
    assert_int_equal(o.hosts.count, 1);
    options_release(&o);
}

static void help_and_version(void **state)
{
    static const struct {
        const char *line;
        enum command_id command, help_for;
    } rows[] = {
        {"cordon --help", COMMAND_HELP, COMMAND_HELP},
        {"cordon -h", COMMAND_HELP, COMMAND_HELP},
        {"cordon help", COMMAND_HELP, COMMAND_HELP},
        {"cordon help --help", COMMAND_HELP, COMMAND_HELP},
        {"cordon help help", COMMAND_HELP, COMMAND_HELP},
        {"cordon help run", COMMAND_HELP, COMMAND_RUN},
        {"cordon help explain", COMMAND_HELP, COMMAND_EXPLAIN},
        {"cordon run --help", COMMAND_HELP, COMMAND_RUN},
        {"cordon run -w x -qh --wrong", COMMAND_HELP, COMMAND_RUN},
        {"cordon plan -h", COMMAND_HELP, COMMAND_PLAN},
        {"cordon --version", COMMAND_VERSION, COMMAND_HELP},
        {"cordon run --version", COMMAND_VERSION, COMMAND_HELP},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct words w;
        struct options o;
        parse(&w, &o, rows[i].line);
        assert_int_equal(o.command, rows[i].command);
        assert_int_equal(o.help_for, rows[i].help_for);
        options_release(&o);
    }
}

static void usage_errors(void **state)
{
    static const struct {
        const char *line, *message;
    } rows[] = {
        {"cordon run", "run needs a COMMAND: cordon run [OPTIONS] [--] COMMAND [ARG...]"},
        {"cordon run -q --", "run needs a COMMAND: cordon run [OPTIONS] [--] COMMAND [ARG...]"},
        {"cordon explain --json", "explain needs a PATH: cordon explain [OPTIONS] PATH..."},
        {"cordon explain a ''", "explain needs a PATH, not an empty word"},
        {"cordon plan --json x", "plan takes only options, not `x`"},
        {"cordon help run plan", "help takes one COMMAND, not also `plan`"},
        {"cordon rnu x", "unknown command `rnu`; did you mean `cordon run`?"},
        {"cordon version", "unknown command `version`; did you mean `cordon --version`?"},
        {"cordon make x", "unknown command `make`; to run a program: cordon run -- make"},
        {"cordon ''", "unknown command ``; to run a program: cordon run -- "},
        {"cordon --net on run x", "--net comes after the command: cordon run --net ..."},
        {"cordon -q run x", "--quiet comes after the command: cordon run --quiet ..."},
        {"cordon --hepl", "unknown option --hepl; did you mean --help?"},
        {"cordon --bogus", "unknown option --bogus; `cordon help` lists them"},
        {"cordon run --wirte x y", "unknown option --wirte; did you mean --write?"},
        {"cordon run --writ=x y", "unknown option --writ; did you mean --write?"},
        {"cordon run --bogus y", "unknown option --bogus; `cordon help run` lists them"},
        {"cordon run --=x y", "unknown option --; `cordon help run` lists them"},
        {"cordon run -qz y", "unknown option -z; `cordon help run` lists them"},
        {"cordon run -q\xc3\xa9 y", "unknown option -\xc3\xa9; `cordon help run` lists them"},
        {"cordon run -\xff y", "unknown option -?; `cordon help run` lists them"},
        {"cordon run -write x y", "unknown option -write; did you mean --write?"},
        {"cordon run -protect=.git y", "unknown option -protect; did you mean --protect?"},
        {"cordon run -p=.git y", "-p=.git: write -p .git or --protect=.git"},
        {"cordon plan --report r", "--report is an option of `cordon run`, not of `cordon plan`"},
        {"cordon explain -q a", "--quiet is an option of `cordon run`, not of `cordon explain`"},
        {"cordon run --json x", "--json is an option of `cordon explain`, not of `cordon run`"},
        {"cordon run --write", "--write needs a PATH"},
        {"cordon run -w", "--write needs a PATH"},
        {"cordon run --write= x", "--write needs a PATH, not an empty word"},
        {"cordon run -C '' x", "--workspace needs a DIR, not an empty word"},
        {"cordon run --write --net on x",
         "--write needs a PATH, and `--net` looks like the next option; --write=--net if it is meant"},
        {"cordon run -w -- x",
         "--write needs a PATH, and `--` looks like the next option; --write=-- if it is meant"},
        {"cordon run --quiet=1 x", "--quiet takes no value"},
        {"cordon run --net offf x", "--net offf: want off or on"},
        {"cordon run --profile rw x", "--profile rw: want read-only, workspace or open"},
        {"cordon run --tmp none x", "--tmp none: want workspace, fresh or shared"},
        {"cordon run --status-fd x y", "--status-fd x: want a number"},
        {"cordon run --status-fd 3x y", "--status-fd 3x: want a number"},
        {"cordon run --status-fd=-1 y", "--status-fd -1: want a number"},
        {"cordon run --status-fd 99999999999 y", "--status-fd 99999999999: want a number"},
        {"cordon run --require netwrok x", "--require: `netwrok` is no facet; did you mean network?"},
        {"cordon run --allow-degraded tmp, x", "--allow-degraded: want facets separated by single commas"},
        {"cordon run --require ,tmp x", "--require: want facets separated by single commas"},
        {"cordon run --allow-degraded tmp,something x",
         "--allow-degraded: `something` is no facet; the facets are write, protect, deny-read, tmp, "
         "tmp-view, "
         "environment, "
         "network, inner-loopback, unix-sockets, unix-dgram, ipc, outside-processes, terminal, devices, "
         "kernel-surface, privileges, tree-kill, limit-wall, limit-memory, limit-processes, limit-cpu, "
         "limit-file, "
         "profile-reads, dns-service, delete, ui, brokers"},
        {"cordon plan --target plan9", "--target plan9: want linux"},
        {"cordon", "no command; usage: cordon run [OPTIONS] [--] COMMAND [ARG...], cordon explain PATH..., "
                   "cordon plan; "
                   "`cordon help` says more"},
        {"cordon -- x", "no command; usage: cordon run [OPTIONS] [--] COMMAND [ARG...], cordon explain "
                        "PATH..., cordon plan; "
                        "`cordon help` says more"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refuse(rows[i].line, "cli.usage", rows[i].message);
    struct options o;
    struct cordon_error err;
    char *none[] = {NULL};
    assert_int_equal(options_parse(0, none, &o, &err), CORDON_E_INVALID);
    options_release(&o);
}

/* The values that the policy judges keep the policy's steps. */
static void policy_errors(void **state)
{
    static const struct {
        const char *line, *step;
    } rows[] = {
        {"cordon run --limit wall=0 x", "policy.limit"},
        {"cordon run --limit wall=1,wall=2 x", "policy.limit"},
        {"cordon run --env =x y", "policy.env"},
        {"cordon run -w ${nope}/x y", "policy.list"},
        {"cordon run --protect .. y", "policy.list"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct words w;
        struct options o;
        struct cordon_error err = {0};
        cut(&w, rows[i].line);
        assert_int_equal(options_parse(w.argc, w.argv, &o, &err), CORDON_E_INVALID);
        assert_string_equal(err.step, rows[i].step);
        assert_non_null(strstr(err.message, "option --"));
        options_release(&o);
    }
}

static void reserved(void **state)
{
    static const char *const lines[] = {
        "cordon selftest --json",
        "cordon session",
        "cordon learn x",
        "cordon mcp",
        "cordon help mcp",
        "cordon run --cow d x",
        "cordon plan --cow=d",
        "cordon run --allow-host h x",
        "cordon run --net filtered x",
        "cordon run --git commit x",
        "cordon run --session x",
        "cordon run --tier elevated x",
        "cordon plan --target windows",
        "cordon plan --target macos",
        "cordon plan --facts f",
        "cordon plan --tier unelevated",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct words w;
        struct options o;
        struct cordon_error err = {0};
        cut(&w, lines[i]);
        assert_int_equal(options_parse(w.argc, w.argv, &o, &err), CORDON_E_UNSUPPORTED);
        assert_string_equal(err.step, "cli.reserved");
        assert_non_null(strstr(err.message, "is not in this version of cordon"));
        options_release(&o);
    }
}

/* The form of the error does not depend on where the error was. */
static void form_of_the_error(void **state)
{
    static const struct {
        const char *line;
        bool json, quiet;
    } rows[] = {
        {"cordon run -q --json-errors --bogus x", true, true},
        {"cordon run --bogus x --json-errors -q", true, false},
        {"cordon run --write --json-errors x", true, false},
        {"cordon run --bogus x -- --json-errors", false, false},
        {"cordon run --bogus x", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct words w;
        struct options o;
        struct cordon_error err;
        cut(&w, rows[i].line);
        assert_int_equal(options_parse(w.argc, w.argv, &o, &err), CORDON_E_INVALID);
        assert_int_equal(o.json_errors, rows[i].json);
        assert_int_equal(o.quiet, rows[i].quiet);
        options_release(&o);
    }
}

/* -- whatever comes, and whenever memory ends ----------------------------- */

/* The linker sends the parser's allocations here (CMakeLists.txt). */
static long allocations_left = -1; /* -1: all succeed */

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool allocation_fails(void)
{
    return allocations_left >= 0 && allocations_left-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(old, size);
}

static void every_allocation_fails_once(void **state)
{
    (void)state;
    struct words w;
    long failures = 0;
    for (long n = 0;; n++) {
        struct options o;
        struct cordon_error err = {0};
        cut(&w,
            "cordon explain -w a --net on --tmp fresh --profile open --limit cpu=1,wall=2 --env A=b -p .x "
            "--require tmp,network --allow-degraded tmp --host h --host g x y z");
        allocations_left = n;
        cordon_status status = options_parse(w.argc, w.argv, &o, &err);
        bool all_succeeded = allocations_left >= 0;
        allocations_left = -1;
        options_release(&o);
        if (all_succeeded) {
            assert_int_equal(status, CORDON_OK);
            break;
        }
        assert_int_equal(status, CORDON_E_NOMEM);
        assert_true(err.step[0] != '\0');
        failures++;
    }
    assert_true(failures > 20);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* Random lines of words that mean something: each is understood or refused with
 * one line, and what is understood is whole. */
static void random_lines(void **state)
{
    static char words[][24] = {
        "run",         "explain",
        "plan",        "help",
        "-w",          "--write",
        "--write=x",   "--",
        "-",           "",
        "x",           "-q",
        "-qvw",        "-wx",
        "--net",       "on",
        "off",         "--net=on",
        "filtered",    "--tmp",
        "fresh",       "--limit",
        "cpu=1",       "--env",
        "A=b",         "--help",
        "--version",   "--json",
        "--host",      "h:1",
        "--require",   "tmp",
        "tmp,write",   "--trace",
        "--cow=x",     "--status-fd",
        "3",           "-C",
        "--policy",    "-p=.git",
        "--wirte",     "-write",
        "--unprotect", ".git",
        "--read",      "--json-errors",
        "--report=",   "\xff\x1b",
    };
    (void)state;
    uint32_t seed = 7;
    int understood = 0, refused = 0;
    for (int round = 0; round < 20000; round++) {
        char program[] = "cordon";
        char *argv[10] = {program};
        int argc = 1 + (int)(next_random(&seed) % 9);
        for (int i = 1; i < argc; i++)
            argv[i] = words[next_random(&seed) % (i == 1 && round % 2 ? 3 : sizeof words / sizeof *words)];
        argv[argc] = NULL;
        struct options o;
        struct cordon_error err = {0};
        if (options_parse(argc, argv, &o, &err) == CORDON_OK) {
            understood++;
            assert_true(o.command != COMMAND_RUN || (o.argc > 0 && o.argv && o.argv[o.argc] == NULL));
            assert_true(o.command != COMMAND_EXPLAIN || o.targets.count + o.hosts.count > 0);
            assert_true(o.command == COMMAND_RUN || o.argc == 0);
            assert_int_not_equal(o.policy.net, NET_FILTERED);
        } else {
            refused++;
            assert_true(err.step[0] != '\0' && err.message[0] != '\0');
            assert_null(strpbrk(err.message, "\n\x1b\xff"));
        }
        options_release(&o);
    }
    assert_true(understood > 1000 && refused > 1000);
}

static void words_of_shell(void **state)
{
    static const struct {
        const char *line, *flags;
        bool command;
        const char *string, *first;
        int argc;
    } rows[] = {
        {"cordon shell", "", false, NULL, NULL, 0},
        {"cordon shell -n on", "", false, NULL, NULL, 0},
        {"cordon shell -c x", "", true, NULL, "x", 1},
        {"cordon shell -q -c x a -c", "", true, NULL, "x", 3},
        {"cordon shell -lc x", "-l ", true, NULL, "x", 1},
        {"cordon shell -cl x", "-l ", true, NULL, "x", 1},
        {"cordon shell -c -l -i x -e", "-l -i ", true, NULL, "x", 2},
        {"cordon shell -euo pipefail -c x", "-e -u -o pipefail ", true, NULL, "x", 1},
        {"cordon shell -c -- -x", "", true, NULL, "-x", 1},
        {"cordon shell -c ''", "", true, NULL, "", 1},
        {"cordon shell --command=x a", "", true, "x", "a", 1},
        {"cordon shell --command x a", "", true, NULL, "x", 2},
        {"cordon shell --login --interactive --stdin --errexit --nounset --xtrace", "-l -i -s -e -u -x ",
         false, NULL, NULL, 0},
        {"cordon shell script -l", "", false, NULL, "script", 2},
        {"cordon-shell -c x", "", true, NULL, "x", 1},
        {"/usr/bin/cordon-shell", "", false, NULL, NULL, 0},
        {"-cordon-shell", "-l ", false, NULL, NULL, 0},
        {"-cordon-shell -c x", "-l ", true, NULL, "x", 1},
        {"-/usr/bin/cordon-shell", "-l ", false, NULL, NULL, 0},
        {"cordon-shell shell", "", false, NULL, "shell", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct words w;
        struct options o;
        char flags[128] = "";
        parse(&w, &o, rows[i].line);
        for (size_t f = 0; f < o.shell_flags.count; f++) {
            size_t used = strlen(flags);
            snprintf(flags + used, sizeof flags - used, "%s ", o.shell_flags.items[f]);
        }
        assert_int_equal(o.command, COMMAND_SHELL);
        assert_string_equal(flags, rows[i].flags);
        assert_int_equal(o.shell_command, rows[i].command);
        assert_int_equal(o.argc, rows[i].argc);
        assert_int_equal(!o.shell_string, !rows[i].string);
        if (rows[i].string)
            assert_string_equal(o.shell_string, rows[i].string);
        if (rows[i].first)
            assert_string_equal(o.argv[0], rows[i].first);
        options_release(&o);
    }
    refuse("cordon shell -c", "cli.usage", "-c needs a STRING: cordon shell [OPTIONS] -c STRING [ARG...]");
    refuse("cordon-shell -l -c --", "cli.usage",
           "-c needs a STRING: cordon shell [OPTIONS] -c STRING [ARG...]");
    refuse("cordon-shell -k", "cli.usage", "unknown option -k; `cordon help shell` lists them");
    refuse("cordon-shell --login=x", "cli.usage", "--login takes no value");
    refuse("cordon run -c x", "cli.usage", "--command is an option of `cordon shell`, not of `cordon run`");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given),
        cmocka_unit_test(command_of_run),
        cmocka_unit_test(words_of_shell),
        cmocka_unit_test(every_form_of_a_value),
        cmocka_unit_test(values_that_look_odd),
        cmocka_unit_test(policy_lists),
        cmocka_unit_test(policy_scalars),
        cmocka_unit_test(environment_and_limits),
        cmocka_unit_test(run_options),
        cmocka_unit_test(facet_lists),
        cmocka_unit_test(questions_of_explain),
        cmocka_unit_test(help_and_version),
        cmocka_unit_test(usage_errors),
        cmocka_unit_test(policy_errors),
        cmocka_unit_test(reserved),
        cmocka_unit_test(form_of_the_error),
        cmocka_unit_test(every_allocation_fails_once),
        cmocka_unit_test(random_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
