/* options.c - the command line: words to a struct options (see options.h).
 *
 * Called by main() before anything else; no side effect but memory. Options are
 * not permuted: in `run` and `shell` the first word that is no option begins what
 * is run, and everything after it belongs to that. What is doubtful is refused, since a
 * misread option here is a hole in the boundary.
 */
#include "options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/nearest.h"
#include "core/utf.h"
#include "option_table.h"

struct parser {
    char **argv;
    int argc, at;             /* at: the next word */
    enum command_id command;  /* COMMAND_HELP: none yet */
    const char *command_name; /* "run"; NULL: none yet */
    bool done;                /* --help, --version: what follows does not count */
    struct options *out;
    struct cordon_error *err;
};

/* -- lists ---------------------------------------------------------------- */

static cordon_status list_append(struct string_list *list, const char *item, struct cordon_error *err)
{
    const char **items = realloc(list->items, (list->count + 2) * sizeof *items);
    if (!items)
        return error_nomem(err, "cli.usage");
    list->items = items;
    items[list->count++] = item;
    items[list->count] = NULL;
    return CORDON_OK;
}

static void list_release_owned(struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free((char *)list->items[i]);
    free(list->items);
}

/* -- what the values mean ------------------------------------------------- */

static cordon_status bad_value(const struct parser *p, const struct option_def *def, const char *value)
{
    return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "--%s %s: want %s", def->name, value,
                     def->wants);
}

/* A scalar of the policy: later wins, origin and all. */
static cordon_status set_origin(const struct parser *p, char **slot, const char *origin)
{
    char *copy = string_copy(origin);
    if (!copy)
        return error_nomem(p->err, "cli.usage");
    free(*slot);
    *slot = copy;
    return CORDON_OK;
}

static cordon_status take_net(const struct parser *p, const struct option_def *def, const char *value,
                              const char *origin)
{
    enum policy_net net;
    if (!policy_net_parse(value, &net))
        return bad_value(p, def, value);
    if (net == NET_FILTERED)
        return error_set(p->err, CORDON_E_UNSUPPORTED, 0, "cli.reserved",
                         "--net filtered is not in this version of cordon; want %s", def->wants);
    p->out->policy.net = net;
    return set_origin(p, &p->out->policy.net_origin, origin);
}

static cordon_status take_target(const struct parser *p, const struct option_def *def, const char *value)
{
    if (strcmp(value, "linux") == 0)
        return CORDON_OK;
    if (strcmp(value, "windows") == 0 || strcmp(value, "macos") == 0)
        return error_set(p->err, CORDON_E_UNSUPPORTED, 0, "cli.reserved",
                         "--target %s is not in this version of cordon; it plans for linux", value);
    return bad_value(p, def, value);
}

static cordon_status take_status_fd(const struct parser *p, const struct option_def *def, const char *value)
{
    int fd = 0;
    for (const char *c = value; *c; c++) {
        if (*c < '0' || *c > '9' || fd > (INT_MAX - 9) / 10)
            return bad_value(p, def, value);
        fd = 10 * fd + (*c - '0');
    }
    p->out->status_fd = fd;
    return CORDON_OK;
}

static cordon_status unknown_facet(const struct parser *p, const struct option_def *def, const char *name)
{
    struct nearest near;
    if (!*name)
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                         "--%s: want facets separated by single commas", def->name);
    nearest_init(&near, name);
    for (const char *const *facet = policy_facets(); *facet; facet++)
        nearest_offer(&near, *facet);
    if (near.best)
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "--%s: `%s` is no facet; did you mean %s?",
                         def->name, name, near.best);
    struct buf names = BUF_INIT;
    for (const char *const *facet = policy_facets(); *facet; facet++)
        buf_add_format(&names, "%s%s", names.len ? ", " : "", *facet);
    error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "--%s: `%s` is no facet; the facets are %s",
              def->name, name, buf_failed(&names) ? "those of docs/platforms.md" : names.data);
    buf_release(&names);
    return CORDON_E_INVALID;
}

static cordon_status take_facets(const struct parser *p, const struct option_def *def, const char *value,
                                 struct string_list *list)
{
    for (const char *start = value;;) {
        size_t len = strcspn(start, ",");
        char *name = string_copy_n(start, len);
        if (!name)
            return error_nomem(p->err, "cli.usage");
        cordon_status status =
            policy_is_facet(name) ? list_append(list, name, p->err) : unknown_facet(p, def, name);
        if (status != CORDON_OK) {
            free(name);
            return status;
        }
        if (!start[len])
            return CORDON_OK;
        start += len + 1;
    }
}

static cordon_status take_value(const struct parser *p, const struct option_def *def, const char *value)
{
    struct options *out = p->out;
    struct policy *policy = &out->policy;
    char origin[64];
    snprintf(origin, sizeof origin, "option --%s", def->name);
    switch (def->action) {
    case ACTION_LIST:
        return policy_add(policy, def->list, value, origin, BASE_CWD, p->err);
    case ACTION_ENV:
        return policy_parse_env(policy, value, origin, p->err);
    case ACTION_LIMIT:
        return policy_parse_limits(policy, value, origin, p->err);
    case ACTION_PROFILE:
        if (!policy_profile_parse(value, &policy->profile))
            return bad_value(p, def, value);
        return set_origin(p, &policy->profile_origin, origin);
    case ACTION_TMP:
        if (!policy_tmp_parse(value, &policy->tmp))
            return bad_value(p, def, value);
        return set_origin(p, &policy->tmp_origin, origin);
    case ACTION_NET:
        return take_net(p, def, value, origin);
    case ACTION_WORKSPACE:
        out->workspace = value;
        return CORDON_OK;
    case ACTION_POLICY:
        out->policy_file = value;
        return CORDON_OK;
    case ACTION_REPORT:
        out->report_file = value;
        return CORDON_OK;
    case ACTION_ALLOW_DEGRADED:
        return take_facets(p, def, value, &out->allow_degraded);
    case ACTION_REQUIRE:
        return take_facets(p, def, value, &out->require);
    case ACTION_HOST:
        return list_append(&out->hosts, value, p->err);
    case ACTION_TARGET:
        return take_target(p, def, value);
    case ACTION_STATUS_FD:
        return take_status_fd(p, def, value);
    case ACTION_SHELL_OPTION: {
        cordon_status status = list_append(&out->shell_flags, "-o", p->err);
        return status == CORDON_OK ? list_append(&out->shell_flags, value, p->err) : status;
    }
    default:
        return bad_value(p, def, value);
    }
}

/* In the letters of sh(1), whatever name they were given by. */
static cordon_status take_shell_flag(const struct parser *p, const struct option_def *def)
{
    static const char flags[][3] = {"-l", "-i", "-s", "-e", "-u", "-x"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i][1] == def->letter)
            return list_append(&p->out->shell_flags, flags[i], p->err);
    return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "--%s is no flag of a shell", def->name);
}

static void take_flag(struct parser *p, const struct option_def *def)
{
    struct options *out = p->out;
    switch (def->action) {
    case ACTION_HELP:
        out->command = COMMAND_HELP;
        out->help_for = p->command;
        p->done = true;
        break;
    case ACTION_VERSION:
        out->command = COMMAND_VERSION;
        p->done = true;
        break;
    case ACTION_CHANGES:
        out->changes = true;
        break;
    case ACTION_TRACE:
        out->trace = true;
        break;
    case ACTION_JSON:
        out->json = true;
        break;
    case ACTION_JSON_ERRORS:
        out->json_errors = true;
        break;
    case ACTION_QUIET:
        out->quiet = true;
        break;
    case ACTION_VERBOSE:
        out->verbose = true;
        break;
    case ACTION_SETUP_STATUS:
        out->setup |= SETUP_STATUS;
        break;
    case ACTION_SETUP_DRY_RUN:
        out->setup |= SETUP_DRY_RUN;
        break;
    case ACTION_SETUP_UNDO:
        out->setup |= SETUP_UNDO;
        break;
    default:
        break;
    }
}

/* -- finding options ------------------------------------------------------ */

/* `commands`: where to look, OPTION_IN bits. */
static const struct option_def *find_long(unsigned commands, const char *name, size_t len)
{
    for (size_t i = 0; i < option_table_count; i++) {
        const struct option_def *def = &option_table[i];
        if ((def->commands & commands) && strlen(def->name) == len && memcmp(def->name, name, len) == 0)
            return def;
    }
    return NULL;
}

static const struct option_def *find_short(unsigned commands, char letter)
{
    for (size_t i = 0; i < option_table_count; i++)
        if ((option_table[i].commands & commands) && option_table[i].letter == letter)
            return &option_table[i];
    return NULL;
}

static const char *command_with(const struct option_def *def)
{
    for (size_t i = 0; i < command_table_count; i++)
        if (command_table[i].synopsis && (def->commands & OPTION_IN(command_table[i].id)))
            return command_table[i].name;
    return "help";
}

/* The option exists, but not here. */
static cordon_status misplaced(const struct parser *p, const struct option_def *def)
{
    const char *where = command_with(def);
    if (!p->command_name)
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                         "--%s comes after the command: cordon %s --%s ...", def->name, where, def->name);
    return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                     "--%s is an option of `cordon %s`, not of `cordon %s`", def->name, where,
                     p->command_name);
}

static cordon_status unknown_long(const struct parser *p, const char *name, size_t len)
{
    const struct option_def *elsewhere = find_long(~0u, name, len);
    if (elsewhere && elsewhere->action != ACTION_RESERVED)
        return misplaced(p, elsewhere);
    cordon_status status = CORDON_E_INVALID;
    struct nearest near;
    char *word = string_copy_n(name, len);
    if (!word)
        return error_nomem(p->err, "cli.usage");
    nearest_init(&near, word);
    for (size_t i = 0; i < option_table_count; i++)
        if ((option_table[i].commands & OPTION_IN(p->command)) && option_table[i].action != ACTION_RESERVED)
            nearest_offer(&near, option_table[i].name);
    if (near.best)
        error_set(p->err, status, 0, "cli.usage", "unknown option --%s; did you mean --%s?", word, near.best);
    else
        error_set(p->err, status, 0, "cli.usage", "unknown option --%s; `cordon help%s%s` lists them", word,
                  p->command_name ? " " : "", p->command_name ? p->command_name : "");
    free(word);
    return status;
}

static cordon_status unknown_short(const struct parser *p, const char *rest)
{
    size_t len = utf_sequence(rest, strlen(rest));
    const struct option_def *elsewhere = find_short(~0u, rest[0]);
    if (elsewhere)
        return misplaced(p, elsewhere);
    return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                     "unknown option -%.*s; `cordon help%s%s` lists them", (int)(len ? len : 1), rest,
                     p->command_name ? " " : "", p->command_name ? p->command_name : "");
}

/* -- words ---------------------------------------------------------------- */

/* The value: what is attached (NULL: nothing is), else the next word. A word
 * that begins with - is taken for a forgotten value: to run with an option's
 * name as a writable root is never what was meant. */
static cordon_status find_value(struct parser *p, const struct option_def *def, const char *attached,
                                const char **out)
{
    const char *value = attached;
    if (!value) {
        value = p->at < p->argc ? p->argv[p->at] : NULL;
        if (!value)
            return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "--%s needs %s", def->name,
                             def->wants);
        if (value[0] == '-')
            return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                             "--%s needs %s, and `%s` looks like the next option; --%s=%s if it is meant",
                             def->name, def->wants, value, def->name, value);
        p->at++;
    }
    if (!*value)
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "--%s needs %s, not an empty word",
                         def->name, def->wants);
    *out = value;
    return CORDON_OK;
}

static cordon_status take_option(struct parser *p, const struct option_def *def, const char *attached)
{
    if (def->action == ACTION_RESERVED)
        return error_set(p->err, CORDON_E_UNSUPPORTED, 0, "cli.reserved",
                         "--%s is not in this version of cordon: %s", def->name, def->help);
    if (def->action == ACTION_SHELL_COMMAND) {
        p->out->shell_command = true;
        p->out->shell_string = attached;
        return CORDON_OK;
    }
    if (!def->argument) {
        if (attached)
            return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "--%s takes no value", def->name);
        if (def->action == ACTION_SHELL_FLAG)
            return take_shell_flag(p, def);
        take_flag(p, def);
        return CORDON_OK;
    }
    const char *value = NULL;
    cordon_status status = find_value(p, def, attached, &value);
    return status == CORDON_OK ? take_value(p, def, value) : status;
}

static cordon_status take_long(struct parser *p, const char *word)
{
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    const struct option_def *def = find_long(OPTION_IN(p->command), name, len);
    if (!def)
        return unknown_long(p, name, len);
    return take_option(p, def, name[len] ? name + len + 1 : NULL);
}

static cordon_status take_shorts(struct parser *p, const char *word)
{
    /* -write is `-w rite` by the letter, and never meant so. */
    size_t len = strcspn(word + 1, "=");
    if (len > 1 && find_long(~0u, word + 1, len))
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "unknown option %.*s; did you mean -%.*s?",
                         (int)len + 1, word, (int)len + 1, word);
    for (const char *c = word + 1; *c && !p->done; c++) {
        const struct option_def *def = find_short(OPTION_IN(p->command), *c);
        if (!def)
            return unknown_short(p, c);
        /* -cl is -c -l, in every shell. */
        const char *attached = def->argument && def->action != ACTION_SHELL_COMMAND && c[1] ? c + 1 : NULL;
        if (attached && *attached == '=') /* else -p=.git would protect a thing named =.git */
            return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "-%c%s: write -%c %s or --%s=%s", *c,
                             attached, *c, attached + 1, def->name, attached + 1);
        cordon_status status = take_option(p, def, attached);
        if (status != CORDON_OK || attached)
            return status;
    }
    return CORDON_OK;
}

/* A word that is no option. */
static cordon_status take_word(struct parser *p, char *word)
{
    if (p->command == COMMAND_RUN || p->command == COMMAND_SHELL) {
        p->out->argv = &p->argv[p->at - 1];
        p->out->argc = p->argc - p->at + 1;
        p->at = p->argc;
        return CORDON_OK;
    }
    if (p->command == COMMAND_EXPLAIN && *word)
        return list_append(&p->out->targets, word, p->err);
    if (p->command == COMMAND_EXPLAIN)
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "explain needs a PATH, not an empty word");
    if (p->command == COMMAND_REPORT && *word && !p->out->targets.count)
        return list_append(&p->out->targets, word, p->err);
    if (p->command == COMMAND_REPORT)
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "report takes one FILE, not also `%s`",
                         word);
    return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "%s takes only options, not `%s`",
                     p->command_name, word);
}

static cordon_status take_words(struct parser *p)
{
    bool options_ended = false;
    cordon_status status = CORDON_OK;
    while (p->at < p->argc && !p->done && status == CORDON_OK) {
        char *word = p->argv[p->at++];
        if (options_ended || word[0] != '-' || !word[1])
            status = take_word(p, word);
        else if (strcmp(word, "--") == 0)
            options_ended = true;
        else
            status = word[1] == '-' ? take_long(p, word) : take_shorts(p, word);
    }
    return status;
}

/* -- commands ------------------------------------------------------------- */

static cordon_status find_command(const struct parser *p, const char *word, const struct command_def **out)
{
    struct nearest near;
    nearest_init(&near, word);
    for (size_t i = 0; i < command_table_count; i++) {
        const struct command_def *def = &command_table[i];
        if (strcmp(def->name, word) == 0) {
            *out = def;
            if (def->synopsis)
                return CORDON_OK;
            return error_set(p->err, CORDON_E_UNSUPPORTED, 0, "cli.reserved",
                             "`cordon %s` is not in this version of cordon: %s", def->name, def->summary);
        }
        if (def->synopsis)
            nearest_offer(&near, def->name);
    }
    nearest_offer(&near, "--version");
    nearest_offer(&near, "--help");
    if (near.best)
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                         "unknown command `%s`; did you mean `cordon %s`?", word, near.best);
    return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                     "unknown command `%s`; to run a program: cordon run -- %s", word, word);
}

/* `cordon help [COMMAND]`: p->at is behind "help". */
static cordon_status take_help(struct parser *p)
{
    const struct command_def *command;
    p->out->command = COMMAND_HELP;
    if (p->at < p->argc && p->argv[p->at][0] == '-')
        return take_words(p);
    if (p->at == p->argc)
        return CORDON_OK;
    cordon_status status = find_command(p, p->argv[p->at], &command);
    if (status != CORDON_OK)
        return status;
    if (p->at + 1 < p->argc)
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "help takes one COMMAND, not also `%s`",
                         p->argv[p->at + 1]);
    p->out->help_for = command->id;
    return CORDON_OK;
}

static cordon_status take_shell(struct parser *p)
{
    p->command_name = "shell";
    p->command = p->out->command = COMMAND_SHELL;
    cordon_status status = take_words(p);
    if (status == CORDON_OK && !p->done && p->out->shell_command && !p->out->shell_string && !p->out->argc)
        status = error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                           "-c needs a STRING: cordon shell [OPTIONS] -c STRING [ARG...]");
    return status;
}

/* By the name cordon-shell it is a shell in one word, as $SHELL must be; with a
 * dash before it, as login(1) and tmux(1) call one, a login shell. */
static bool called_as_shell(const char *program, bool *login)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash ? slash + 1 : program;
    *login = program[0] == '-' || name[0] == '-';
    return strcmp(name + (name[0] == '-'), "cordon-shell") == 0;
}

static cordon_status take_command(struct parser *p)
{
    const struct command_def *command;
    cordon_status status = find_command(p, p->argv[p->at++], &command);
    if (status != CORDON_OK)
        return status;
    p->command_name = command->name;
    if (command->id == COMMAND_HELP)
        return take_help(p);
    if (command->id == COMMAND_SHELL)
        return take_shell(p);
    p->command = p->out->command = command->id;
    status = take_words(p);
    if (status != CORDON_OK || p->done)
        return status;
    if (p->command == COMMAND_RUN && !p->out->argc)
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                         "run needs a COMMAND: cordon run [OPTIONS] [--] COMMAND [ARG...]");
    if (p->command == COMMAND_REPORT && p->out->targets.count && p->out->workspace)
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                         "report takes a FILE or --workspace, not both");
    if (p->out->setup & (p->out->setup - 1))
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                         "setup takes one of --status, --dry-run and --undo");
    if (p->command == COMMAND_EXPLAIN && !p->out->targets.count && !p->out->hosts.count)
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                         "explain needs a PATH: cordon explain [OPTIONS] PATH...");
    return CORDON_OK;
}

static cordon_status take_all(struct parser *p)
{
    bool login = false;
    if (p->argc > 0 && called_as_shell(p->argv[0], &login)) {
        cordon_status status = login ? list_append(&p->out->shell_flags, "-l", p->err) : CORDON_OK;
        return status == CORDON_OK ? take_shell(p) : status;
    }
    const char *first = p->at < p->argc ? p->argv[p->at] : "--";
    if (first[0] == '-' && first[1] && strcmp(first, "--") != 0)
        return take_words(p); /* --help or --version: nothing else is known here */
    if (strcmp(first, "--") == 0)
        return error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                         "no command; usage: cordon run [OPTIONS] [--] COMMAND [ARG...], cordon explain "
                         "PATH..., cordon plan; `cordon help` says more");
    return take_command(p);
}

cordon_status options_parse(int argc, char **argv, struct options *out, struct cordon_error *err)
{
    *out = (struct options){.command = COMMAND_HELP, .help_for = COMMAND_HELP, .status_fd = -1};
    policy_init(&out->policy);
    struct parser p = {.argv = argv, .argc = argc, .at = 1, .command = COMMAND_HELP, .out = out, .err = err};
    cordon_status status = take_all(&p);
    /* A program that asked for JSON gets it, whichever of its options was wrong. */
    for (; status != CORDON_OK && p.at < argc && strcmp(argv[p.at], "--") != 0; p.at++)
        if (strcmp(argv[p.at], "--json-errors") == 0)
            out->json_errors = true;
    return status;
}

void options_release(struct options *o)
{
    policy_release(&o->policy);
    free(o->targets.items);
    free(o->hosts.items);
    free(o->shell_flags.items);
    list_release_owned(&o->allow_degraded);
    list_release_owned(&o->require);
    *o = (struct options){.status_fd = -1};
}
