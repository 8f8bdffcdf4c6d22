/* options.c - the parser (see options.h). Written by hand rather than getopt:
 * no permutation (the command's own options are not ours), and one line for
 * every mistake.
 */
#include "options.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "option_table.h"

static const struct {
    const char *name;
    enum command_id id;
    unsigned bit;
} commands[] = {
    {"run", COMMAND_RUN, IN_RUN}, {"explain", COMMAND_EXPLAIN, IN_EXPLAIN}, {"plan", COMMAND_PLAN, IN_PLAN}};

static const char *const reserved_commands[] = {"shell",  "doctor",  "selftest", "setup",
                                                "report", "session", "learn",    "mcp"};

struct parse {
    struct options *out;
    char **argv;
    int argc, at;
    unsigned bit; /* of the command */
    struct cordon_error *err;
};

/* One line; \1 and \2 in `format` stand for a and b. */
static cordon_status usage(const struct parse *p, const char *format, const char *a, const char *b)
{
    struct buf line = BUF_INIT;
    for (const char *c = format; *c; c++) {
        if (*c == '\1')
            buf_add_string(&line, a);
        else if (*c == '\2')
            buf_add_string(&line, b);
        else
            buf_add_char(&line, *c);
    }
    cordon_status status =
        error_set(p->err, CORDON_E_INVALID, 0, "cli.usage", "%s", line.data ? line.data : format);
    buf_release(&line);
    return status;
}

/* Letters in common at the same place, from both ends: enough for a slip of the finger. */
static size_t likeness(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b), same = 0, i = 0;
    while (i < la && i < lb && a[i] == b[i])
        i++;
    same = i;
    for (size_t j = 0; j < la - i && j < lb - i && a[la - 1 - j] == b[lb - 1 - j]; j++)
        same++;
    size_t longer = la > lb ? la : lb;
    return longer - same <= 2 ? same : 0;
}

static const char *nearest_option(const struct parse *p, const char *name)
{
    const char *best = NULL;
    size_t most = 2;
    for (const struct option_row *row = option_table(); row->name; row++) {
        size_t score = row->commands & p->bit && row->help ? likeness(name, row->name) : 0;
        if (score > most) {
            most = score;
            best = row->name;
        }
    }
    return best;
}

static cordon_status push(struct parse *p, struct string_list *list, const char *value)
{
    const char **items = realloc(list->items, (list->count + 2) * sizeof *items);
    if (!items)
        return error_nomem(p->err, "cli.usage");
    list->items = items;
    items[list->count++] = value;
    items[list->count] = NULL;
    return CORDON_OK;
}

/* -- values --------------------------------------------------------------- */

static cordon_status set_origin(struct parse *p, char **slot, const char *origin)
{
    char *copy = string_copy(origin);
    if (!copy)
        return error_nomem(p->err, "cli.usage");
    free(*slot);
    *slot = copy;
    return CORDON_OK;
}

/* The facet names are kept as copies: the list is split at its commas. */
static cordon_status add_facets(struct parse *p, const char *option, struct string_list *list,
                                const char *value)
{
    for (;;) {
        size_t len = strcspn(value, ",");
        char *name = string_copy_n(value, len);
        if (!name)
            return error_nomem(p->err, "cli.usage");
        if (!policy_is_facet(name)) {
            const char *best = "docs/platforms.md lists them";
            size_t most = 2;
            for (const char *const *facet = policy_facets(); *facet; facet++) {
                if (likeness(name, *facet) > most) {
                    most = likeness(name, *facet);
                    best = *facet;
                }
            }
            cordon_status status = most > 2
                                       ? error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                                                   "%s: no facet `%s`; did you mean %s?", option, name, best)
                                       : error_set(p->err, CORDON_E_INVALID, 0, "cli.usage",
                                                   "%s: no facet `%s`; %s", option, name, best);
            free(name);
            return status;
        }
        cordon_status status = push(p, list, name);
        if (status != CORDON_OK) {
            free(name);
            return status;
        }
        if (!value[len])
            return CORDON_OK;
        value += len + 1;
    }
}

static cordon_status take_net(struct parse *p, const char *value)
{
    struct policy *policy = &p->out->policy;
    if (strcmp(value, "filtered") == 0)
        return error_set(p->err, CORDON_E_UNSUPPORTED, 0, "cli.reserved",
                         "--net filtered is not in this version; use off or on");
    if (!policy_net_parse(value, &policy->net))
        return usage(p, "--net \1: want off or on", value, "");
    return set_origin(p, &policy->net_origin, "option --net");
}

static cordon_status take_target(struct parse *p, const char *value)
{
    if (strcmp(value, "linux") == 0)
        return CORDON_OK;
    if (strcmp(value, "windows") == 0 || strcmp(value, "macos") == 0)
        return error_set(p->err, CORDON_E_UNSUPPORTED, 0, "cli.reserved",
                         "--target %s is not in this version; only linux is", value);
    return usage(p, "--target \1: want linux", value, "");
}

static cordon_status take_descriptor(struct parse *p, const char *value)
{
    int number = 0;
    const char *c = value;
    for (; *c >= '0' && *c <= '9' && number < 100000000; c++)
        number = 10 * number + (*c - '0');
    if (c == value || *c)
        return usage(p, "--status-fd \1: want the number of an open descriptor", value, "");
    p->out->status_fd = number;
    return CORDON_OK;
}

static cordon_status take(struct parse *p, const struct option_row *row, const char *value)
{
    struct options *out = p->out;
    struct policy *policy = &out->policy;
    char origin[64] = "option ";
    size_t used = strlen(origin);
    for (const char *c = row->name; *c && used + 1 < sizeof origin; c++)
        origin[used++] = *c;
    origin[used] = '\0';
    switch (row->id) {
    case OPTION_WORKSPACE:
        out->workspace = value;
        return CORDON_OK;
    case OPTION_WRITE:
        return policy_add(policy, LIST_WRITE, value, origin, BASE_CWD, p->err);
    case OPTION_PROTECT:
        return policy_add(policy, LIST_PROTECT, value, origin, BASE_CWD, p->err);
    case OPTION_UNPROTECT:
        return policy_add(policy, LIST_UNPROTECT, value, origin, BASE_CWD, p->err);
    case OPTION_DENY_READ:
        return policy_add(policy, LIST_DENY_READ, value, origin, BASE_CWD, p->err);
    case OPTION_READ:
        return policy_add(policy, LIST_READ, value, origin, BASE_CWD, p->err);
    case OPTION_ENV_REMOVE:
        return policy_add(policy, LIST_ENV_REMOVE, value, origin, BASE_CWD, p->err);
    case OPTION_ENV:
        return policy_parse_env(policy, value, origin, p->err);
    case OPTION_LIMIT:
        return policy_parse_limits(policy, value, origin, p->err);
    case OPTION_PROFILE:
        return policy_profile_parse(value, &policy->profile)
                   ? set_origin(p, &policy->profile_origin, origin)
                   : usage(p, "--profile \1: want read-only, workspace or open", value, "");
    case OPTION_TMP:
        return policy_tmp_parse(value, &policy->tmp)
                   ? set_origin(p, &policy->tmp_origin, origin)
                   : usage(p, "--tmp \1: want workspace, fresh or shared", value, "");
    case OPTION_NET:
        return take_net(p, value);
    case OPTION_TARGET:
        return take_target(p, value);
    case OPTION_STATUS_FD:
        return take_descriptor(p, value);
    case OPTION_POLICY:
        out->policy_file = value;
        return CORDON_OK;
    case OPTION_ALLOW_DEGRADED:
        return add_facets(p, row->name, &out->allow_degraded, value);
    case OPTION_REQUIRE:
        return add_facets(p, row->name, &out->require, value);
    case OPTION_REPORT:
        out->report_file = value;
        return CORDON_OK;
    case OPTION_HOST:
        return push(p, &out->hosts, value);
    case OPTION_CHANGES:
        out->changes = true;
        return CORDON_OK;
    case OPTION_JSON:
        out->json = true;
        return CORDON_OK;
    case OPTION_JSON_ERRORS:
        out->json_errors = true;
        return CORDON_OK;
    case OPTION_QUIET:
        out->quiet = true;
        return CORDON_OK;
    case OPTION_VERBOSE:
        out->verbose = true;
        return CORDON_OK;
    case OPTION_HELP:
        out->help_for = out->command;
        out->command = COMMAND_HELP;
        return CORDON_OK;
    case OPTION_RESERVED:
        break;
    }
    return error_set(p->err, CORDON_E_UNSUPPORTED, 0, "cli.reserved", "%s %s", row->name, row->reserved);
}

/* -- words ---------------------------------------------------------------- */

/* `attached`: what follows the = or the letter, or NULL. */
static cordon_status take_row(struct parse *p, const struct option_row *row, const char *attached)
{
    if (row->id == OPTION_RESERVED)
        return take(p, row, NULL);
    if (!(row->commands & p->bit))
        return usage(p, "\1 is no option of this command; see cordon help", row->name, "");
    if (!row->argument)
        return attached ? usage(p, "\1 takes no value", row->name, "") : take(p, row, NULL);
    if (!attached) {
        attached = p->at < p->argc ? p->argv[p->at] : NULL;
        if (!attached || (attached[0] == '-' && attached[1]))
            return usage(p, "\1 needs a \2 (one that begins with - is given as \1=VALUE)", row->name,
                         row->argument);
        p->at++;
    }
    return *attached ? take(p, row, attached)
                     : usage(p, "\1 needs a \2, not an empty one", row->name, row->argument);
}

static cordon_status take_long(struct parse *p, const char *word)
{
    size_t len = strcspn(word, "=");
    for (const struct option_row *row = option_table(); row->name; row++)
        if (strlen(row->name) == len && strncmp(row->name, word, len) == 0)
            return take_row(p, row, word[len] ? word + len + 1 : NULL);
    char *name = string_copy_n(word, len);
    const char *near = name ? nearest_option(p, name) : NULL;
    cordon_status status = near ? usage(p, "unknown option \1; did you mean \2?", name, near)
                                : usage(p, "unknown option \1; see cordon help", name ? name : word, "");
    free(name);
    return status;
}

static cordon_status take_letters(struct parse *p, const char *word)
{
    for (const char *c = word + 1; *c; c++) {
        const struct option_row *row = option_table();
        while (row->name && row->letter != *c)
            row++;
        if (!row->name) {
            char letter[3] = {'-', *c, '\0'};
            return usage(p, "unknown option \1; see cordon help", letter, "");
        }
        if (row->argument)
            return take_row(p, row, c[1] ? c + 1 : NULL);
        cordon_status status = take_row(p, row, NULL);
        if (status != CORDON_OK || p->out->command == COMMAND_HELP)
            return status;
    }
    return CORDON_OK;
}

static cordon_status take_words(struct parse *p)
{
    bool options_over = false;
    while (p->at < p->argc && p->out->command != COMMAND_HELP) {
        const char *word = p->argv[p->at];
        bool is_option = !options_over && word[0] == '-' && word[1];
        if (is_option && strcmp(word, "--") == 0) {
            options_over = true;
            p->at++;
            continue;
        }
        if (!is_option && p->bit == IN_RUN)
            break; /* the command starts here */
        p->at++;
        cordon_status status;
        if (is_option)
            status = word[1] == '-' ? take_long(p, word) : take_letters(p, word);
        else if (p->bit == IN_EXPLAIN)
            status = *word ? push(p, &p->out->targets, word) : usage(p, "explain: an empty PATH", "", "");
        else
            status = usage(p, "plan takes no argument `\1`", word, "");
        if (status != CORDON_OK)
            return status;
    }
    return CORDON_OK;
}

static cordon_status check_whole(struct parse *p)
{
    struct options *out = p->out;
    if (out->command == COMMAND_RUN) {
        out->argv = p->argv + p->at;
        out->argc = p->argc - p->at;
        if (out->argc == 0)
            return usage(p, "run: which command? as in: cordon run -- make test", "", "");
        if (!out->argv[0][0])
            return usage(p, "run: the command is an empty string", "", "");
    }
    if (out->command == COMMAND_EXPLAIN && out->targets.count == 0 && out->hosts.count == 0)
        return usage(p, "explain: which path? as in: cordon explain src ~/.ssh --host example.org", "", "");
    return CORDON_OK;
}

/* --version, --help, help [COMMAND], or a command. */
static cordon_status take_command(struct parse *p)
{
    struct options *out = p->out;
    const char *word = p->argc > 1 ? p->argv[1] : NULL;
    if (!word)
        return usage(p, "which command? run, explain or plan; see cordon help", "", "");
    p->at = 2;
    if (strcmp(word, "--version") == 0) {
        out->command = COMMAND_VERSION;
        return CORDON_OK;
    }
    bool help = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
    if (help && p->argc == 2)
        return CORDON_OK;
    if (help)
        word = p->argv[2];
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(word, commands[i].name) != 0)
            continue;
        out->command = help ? COMMAND_HELP : commands[i].id;
        out->help_for = commands[i].id;
        p->bit = commands[i].bit;
        return CORDON_OK;
    }
    for (size_t i = 0; i < sizeof reserved_commands / sizeof *reserved_commands; i++)
        if (strcmp(word, reserved_commands[i]) == 0)
            return error_set(p->err, CORDON_E_UNSUPPORTED, 0, "cli.reserved",
                             "cordon %s is not in this version", word);
    return usage(p,
                 word[0] == '-' ? "unknown option \1; see cordon help"
                                : "unknown command `\1`; want run, explain or plan",
                 word, "");
}

/* So that even a mistake before them comes out in the form asked for. */
static void look_ahead(struct parse *p)
{
    for (int i = 2; i < p->argc && strcmp(p->argv[i], "--") != 0; i++) {
        if (strcmp(p->argv[i], "--json-errors") == 0)
            p->out->json_errors = true;
        else if (p->argv[i][0] != '-' && p->bit == IN_RUN && i > 2 && p->argv[i - 1][0] != '-')
            break;
    }
}

cordon_status options_parse(int argc, char **argv, struct options *out, struct cordon_error *err)
{
    struct parse p = {out, argv, argc, 0, 0, err};
    memset(out, 0, sizeof *out);
    policy_init(&out->policy);
    out->status_fd = -1;
    out->command = out->help_for = COMMAND_HELP;
    cordon_status status = take_command(&p);
    if (status != CORDON_OK || out->command == COMMAND_HELP || out->command == COMMAND_VERSION)
        return status;
    look_ahead(&p);
    status = take_words(&p);
    if (status == CORDON_OK && out->command != COMMAND_HELP)
        status = check_whole(&p);
    return status;
}

static void free_copies(struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free((char *)(uintptr_t)list->items[i]);
    free(list->items);
}

void options_release(struct options *o)
{
    policy_release(&o->policy);
    free(o->targets.items);
    free(o->hosts.items);
    free_copies(&o->allow_degraded);
    free_copies(&o->require);
    memset(o, 0, sizeof *o);
    o->status_fd = -1;
}
