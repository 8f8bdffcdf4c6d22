/* cmd_explain.c - `cordon explain`: may it be read, written, reached; which rule
 * decides and what enforces it. Asks decide() and nothing else, so that what it
 * says is what the plan is made from. No side effects.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "core/json_build.h"
#include "core/utf.h"

static const char *mechanism(const struct box *box, const char *facet)
{
    for (size_t i = 0; i < box->facet_count; i++)
        if (strcmp(box->facets[i].name, facet) == 0)
            return box->facets[i].mechanism;
    return "";
}

/* What is asked of a path: what is there can be read, changed, removed; what is
 * not can be made. */
static size_t questions(const struct resolved *resolved, const char *path, enum decide_op ops[3])
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        ops[0] = OP_CREATE;
        return 1;
    }
    ops[0] = OP_READ;
    if (decide_is_replaced(resolved, path)) {
        ops[1] = OP_CREATE;
        return 2;
    }
    ops[1] = OP_WRITE;
    ops[2] = OP_REMOVE;
    return 3;
}

/* For people; NULL: out of memory. */
static char *display(const char *text)
{
    struct buf out = BUF_INIT;
    utf_escape_display(&out, text, strlen(text));
    return buf_take(&out);
}

static void print_verdict(const struct box *box, enum decide_op op, struct verdict v)
{
    printf("  %-7s %-4s %s", decide_op_name(op), v.allowed ? "yes" : "no", decide_reason_text(v.reason));
    if (v.rule) {
        char *rule = display(v.rule->path), *origin = display(v.rule->origin);
        printf(" [%s %s; %s]", rule_kind_name(v.rule->kind), rule ? rule : "?", origin ? origin : "?");
        free(rule);
        free(origin);
    }
    if (!v.allowed)
        printf("\n              enforced by: %s", mechanism(box, v.facet));
    putchar('\n');
}

static json_t *verdict_json(struct json_build *b, const struct box *box, enum decide_op op, struct verdict v)
{
    json_t *rule = json_null(), *out = json_object();
    if (v.rule) {
        rule = json_object();
        json_build_put(b, rule, "kind", json_string(rule_kind_name(v.rule->kind)));
        json_build_put(b, rule, "path", json_build_text(v.rule->path));
        json_build_put(b, rule, "origin", json_build_text(v.rule->origin));
    }
    json_build_put(b, out, "operation", json_string(decide_op_name(op)));
    json_build_put(b, out, "allowed", json_boolean(v.allowed));
    json_build_put(b, out, "reason", json_string(decide_reason_text(v.reason)));
    json_build_put(b, out, "rule", rule);
    json_build_put(b, out, "facet", json_build_text(v.facet));
    json_build_put(b, out, "mechanism", json_string(mechanism(box, v.facet)));
    return out;
}

/* A unix socket is also connected to. Only an outside one is asked about: what
 * the command listens on itself, it makes itself. */
struct socket_answer {
    bool is_socket;
    const struct socket_grant *grant; /* NULL: no */
};

static struct socket_answer ask_socket(const struct resolved *resolved, const char *path)
{
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return (struct socket_answer){false, NULL};
    return (struct socket_answer){true, decide_socket(resolved, path, st.st_dev, st.st_ino)};
}

static const char *socket_reason(const struct socket_answer *answer)
{
    return answer->grant ? "listed in network.unix_sockets"
                         : "not listed in network.unix_sockets: a socket of the outside";
}

static void print_socket(const struct box *box, const struct socket_answer *answer)
{
    printf("  %-7s %-4s %s", "connect", answer->grant ? "yes" : "no", socket_reason(answer));
    if (answer->grant) {
        char *path = display(answer->grant->path), *origin = display(answer->grant->origin);
        printf(" [unix_sockets %s; %s]\n", path ? path : "?", origin ? origin : "?");
        free(path);
        free(origin);
    } else {
        printf("\n              enforced by: %s\n", mechanism(box, "unix-sockets"));
    }
}

static json_t *socket_json(struct json_build *b, const struct box *box, const struct socket_answer *answer)
{
    json_t *rule = json_null(), *out = json_object();
    if (answer->grant) {
        rule = json_object();
        json_build_put(b, rule, "kind", json_string("unix_sockets"));
        json_build_put(b, rule, "path", json_build_text(answer->grant->path));
        json_build_put(b, rule, "origin", json_build_text(answer->grant->origin));
    }
    json_build_put(b, out, "operation", json_string("connect"));
    json_build_put(b, out, "allowed", json_boolean(answer->grant != NULL));
    json_build_put(b, out, "reason", json_string(socket_reason(answer)));
    json_build_put(b, out, "rule", rule);
    json_build_put(b, out, "facet", json_string("unix-sockets"));
    json_build_put(b, out, "mechanism", json_string(mechanism(box, "unix-sockets")));
    return out;
}

/* What the answers are gathered in; `paths` and `hosts` NULL: they are printed as text. */
struct answers {
    struct json_build build;
    json_t *paths, *hosts;
};

static cordon_status explain_path(struct answers *answers, const struct box *box, const char *asked,
                                  struct cordon_error *err)
{
    enum decide_op ops[3];
    char *path = NULL;
    cordon_status status = resolve_question(asked, &path, err);
    if (status != CORDON_OK)
        return status;
    const struct resolved *resolved = &box->resolution.resolved;
    size_t count = questions(resolved, path, ops);
    struct socket_answer socket = ask_socket(resolved, path);
    if (answers->paths) {
        json_t *entry = json_object(), *verdicts = json_array();
        for (size_t i = 0; i < count; i++)
            json_build_push(
                &answers->build, verdicts,
                verdict_json(&answers->build, box, ops[i], decide_outside(resolved, path, ops[i])));
        if (socket.is_socket)
            json_build_push(&answers->build, verdicts, socket_json(&answers->build, box, &socket));
        json_build_put(&answers->build, entry, "path", json_build_text(path));
        json_build_put(&answers->build, entry, "answers", verdicts);
        json_build_push(&answers->build, answers->paths, entry);
    } else {
        char *shown = display(path);
        printf("%s\n", shown ? shown : "?");
        for (size_t i = 0; i < count; i++)
            print_verdict(box, ops[i], decide_outside(resolved, path, ops[i]));
        if (socket.is_socket)
            print_socket(box, &socket);
        free(shown);
    }
    free(path);
    return CORDON_OK;
}

/* HOST or HOST:PORT or [V6]:PORT. */
static cordon_status explain_host(struct answers *answers, const struct box *box, const char *asked,
                                  struct cordon_error *err)
{
    char host[256];
    unsigned long port = 0;
    const char *colon = strrchr(asked, ':');
    size_t len = strlen(asked);
    if (colon && (asked[0] == '[' || strchr(asked, ':') == colon) && colon[1] && colon > asked &&
        (asked[0] != '[' || colon[-1] == ']')) {
        char *end;
        port = strtoul(colon + 1, &end, 10);
        if (*end || port == 0 || port > 65535)
            return error_set(err, CORDON_E_INVALID, 0, "cli.usage", "--host %s: the port must be 1 to 65535",
                             asked);
        len = (size_t)(colon - asked);
    }
    if (len == 0 || len >= sizeof host)
        return error_set(err, CORDON_E_INVALID, 0, "cli.usage", "--host %s: want HOST or HOST:PORT", asked);
    memcpy(host, asked, len);
    host[len] = '\0';
    struct verdict_host v = decide_host(&box->resolution.resolved, host, (unsigned)port);
    if (answers->hosts) {
        json_t *entry = json_object();
        json_build_put(&answers->build, entry, "host", json_build_text(asked));
        json_build_put(&answers->build, entry, "allowed", json_boolean(v.allowed));
        json_build_put(&answers->build, entry, "reason", json_string(v.why));
        json_build_put(&answers->build, entry, "mechanism", json_string(mechanism(box, "network")));
        json_build_push(&answers->build, answers->hosts, entry);
    } else {
        char *shown = display(asked);
        printf("%s\n  reach   %-4s %s\n              enforced by: %s\n", shown ? shown : "?",
               v.allowed ? "yes" : "no", v.why, mechanism(box, "network"));
        free(shown);
    }
    return CORDON_OK;
}

int command_explain(const struct options *options)
{
    struct prepared prepared;
    struct cordon_error err;
    struct answers answers = {{false}, NULL, NULL};
    struct buf text = BUF_INIT;
    prepared_init(&prepared);
    cordon_status status = prepare_policy(&prepared, options, &err);
    if (status == CORDON_OK)
        status = prepare_box(&prepared, options, false, &err);
    if (options->json) {
        answers.paths = json_array();
        answers.hosts = json_array();
    }
    for (size_t i = 0; i < options->targets.count && status == CORDON_OK; i++)
        status = explain_path(&answers, &prepared.box, options->targets.items[i], &err);
    for (size_t i = 0; i < options->hosts.count && status == CORDON_OK; i++)
        status = explain_host(&answers, &prepared.box, options->hosts.items[i], &err);
    if (status == CORDON_OK && options->json) {
        json_t *all = json_object();
        json_build_put(&answers.build, all, "version", json_integer(1));
        json_build_put(&answers.build, all, "paths", json_incref(answers.paths));
        json_build_put(&answers.build, all, "hosts", json_incref(answers.hosts));
        status = json_build_write(&answers.build, all, JSON_INDENT(2), &text, "explain.print", &err);
    }
    if (status != CORDON_OK)
        say_error(options, &err);
    else if (options->json)
        fwrite(text.data, 1, text.len, stdout);
    json_decref(answers.paths);
    json_decref(answers.hosts);
    buf_release(&text);
    prepared_release(&prepared);
    return status == CORDON_OK ? 0 : EXIT_CORDON_FAILED;
}
