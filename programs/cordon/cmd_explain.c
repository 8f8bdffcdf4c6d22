/* cmd_explain.c - `cordon explain`: may it be read, written, reached; which rule
 * decides and what enforces it. Asks decide() and nothing else, so that what it
 * says is what the plan is made from. No side effects.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
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
static size_t questions(const char *path, enum decide_op ops[3])
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        ops[0] = OP_CREATE;
        return 1;
    }
    ops[0] = OP_READ;
    ops[1] = OP_WRITE;
    ops[2] = OP_REMOVE;
    return 3;
}

static char *display(const char *text, bool json)
{
    struct buf out = BUF_INIT;
    if (json)
        utf_escape(&out, text, strlen(text));
    else
        utf_escape_display(&out, text, strlen(text));
    return buf_take(&out);
}

static void print_verdict(const struct box *box, enum decide_op op, struct verdict v)
{
    char *rule = v.rule ? display(v.rule->path, false) : NULL;
    printf("  %-7s %-4s %s", decide_op_name(op), v.allowed ? "yes" : "no", decide_reason_text(v.reason));
    if (v.rule)
        printf(" [%s %s; %s]", rule_kind_name(v.rule->kind), rule ? rule : "?", v.rule->origin);
    if (!v.allowed)
        printf("\n              enforced by: %s", mechanism(box, v.facet));
    putchar('\n');
    free(rule);
}

static json_t *verdict_json(const struct box *box, enum decide_op op, struct verdict v)
{
    json_t *rule = NULL;
    if (v.rule) {
        char *path = display(v.rule->path, true);
        rule = json_pack("{s:s, s:s?, s:s}", "kind", rule_kind_name(v.rule->kind), "path", path, "origin",
                         v.rule->origin);
        free(path);
    }
    return json_pack("{s:s, s:b, s:s, s:o?, s:s, s:s}", "operation", decide_op_name(op), "allowed", v.allowed,
                     "reason", decide_reason_text(v.reason), "rule", rule, "facet", v.facet, "mechanism",
                     mechanism(box, v.facet));
}

/* *list NULL: text. */
static cordon_status explain_path(const struct box *box, const char *asked, json_t *list,
                                  struct cordon_error *err)
{
    enum decide_op ops[3];
    char *path = NULL, *shown = NULL;
    cordon_status status = resolve_question(asked, &path, err);
    if (status != CORDON_OK)
        return status;
    shown = display(path, list != NULL);
    size_t count = questions(path, ops);
    json_t *answers = list ? json_array() : NULL;
    if (!list)
        printf("%s\n", shown ? shown : asked);
    for (size_t i = 0; i < count; i++) {
        struct verdict v = decide(&box->resolution.resolved, path, ops[i]);
        if (list)
            json_array_append_new(answers, verdict_json(box, ops[i], v));
        else
            print_verdict(box, ops[i], v);
    }
    if (list)
        json_array_append_new(list, json_pack("{s:s?, s:o}", "path", shown, "answers", answers));
    free(path);
    free(shown);
    return CORDON_OK;
}

/* HOST or HOST:PORT or [V6]:PORT. */
static cordon_status explain_host(const struct box *box, const char *asked, json_t *list,
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
    char *shown = display(asked, list != NULL);
    if (list)
        json_array_append_new(list, json_pack("{s:s?, s:b, s:s, s:s}", "host", shown, "allowed", v.allowed,
                                              "reason", v.why, "mechanism", mechanism(box, "network")));
    else
        printf("%s\n  reach   %-4s %s\n              enforced by: %s\n", shown ? shown : asked,
               v.allowed ? "yes" : "no", v.why, mechanism(box, "network"));
    free(shown);
    return CORDON_OK;
}

int command_explain(const struct options *options)
{
    struct prepared prepared;
    struct cordon_error err;
    json_t *paths = NULL, *hosts = NULL;
    prepared_init(&prepared);
    cordon_status status = prepare_policy(&prepared, options, &err);
    if (status == CORDON_OK)
        status = prepare_box(&prepared, options, false, &err);
    if (options->json) {
        paths = json_array();
        hosts = json_array();
    }
    for (size_t i = 0; i < options->targets.count && status == CORDON_OK; i++)
        status = explain_path(&prepared.box, options->targets.items[i], paths, &err);
    for (size_t i = 0; i < options->hosts.count && status == CORDON_OK; i++)
        status = explain_host(&prepared.box, options->hosts.items[i], hosts, &err);
    if (status != CORDON_OK)
        say_error(options, &err);
    if (status == CORDON_OK && options->json) {
        json_t *all = json_pack("{s:i, s:O, s:O}", "version", 1, "paths", paths, "hosts", hosts);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    }
    json_decref(paths);
    json_decref(hosts);
    prepared_release(&prepared);
    return status == CORDON_OK ? 0 : EXIT_CORDON_FAILED;
}
