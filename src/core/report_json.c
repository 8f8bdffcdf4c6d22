/* report_json.c - reports, status lines and errors as JSON (schema/). Pure but for jansson. */
#include <string.h>

#include "core/json_build.h"
#include "core/report.h"
#include "core/utf.h"

#define STEP "report.build"

/* Words that are one line of UTF-8 already (error_set, report_add_warning):
 * escaped again they would change. Should they not be, they are escaped. */
static json_t *words_json(const char *words)
{
    return utf_is_valid(words, strlen(words)) ? json_string(words) : json_build_text(words);
}

static json_t *layers_json(struct json_build *b, const struct report *r)
{
    json_t *out = json_array();
    for (size_t i = 0; i < r->layer_count; i++) {
        json_t *layer = json_object();
        json_build_put(b, layer, "facet", json_build_text(r->layers[i].facet));
        json_build_put(b, layer, "mechanism", json_build_text(r->layers[i].mechanism));
        json_build_put(b, layer, "active", json_boolean(r->layers[i].active));
        json_build_push(b, out, layer);
    }
    return out;
}

static json_t *outcome_json(struct json_build *b, const struct outcome *o)
{
    json_t *out = json_object();
    json_build_put(b, out, "kind", json_string(outcome_kind_name(o->kind)));
    json_build_put(b, out, "code", o->code >= 0 ? json_integer(o->code) : json_null());
    json_build_put(b, out, "signal", o->signal ? json_integer(o->signal) : json_null());
    json_build_put(b, out, "limit", o->limit ? json_string(o->limit) : json_null());
    json_build_put(b, out, "wall_ms", json_build_number(o->wall_ms));
    json_build_put(b, out, "cpu_ms", json_build_number(o->cpu_ms));
    json_build_put(b, out, "max_rss_bytes", json_build_number(o->max_rss_bytes));
    json_build_put(b, out, "processes", o->processes >= 0 ? json_integer(o->processes) : json_null());
    return out;
}

static json_t *changed_json(struct json_build *b, const struct report *r)
{
    if (!r->changed_computed)
        return json_null();
    json_t *out = json_array();
    for (size_t i = 0; i < r->changed_count; i++) {
        json_t *change = json_object();
        json_build_put(b, change, "path", json_build_text(r->changed[i].path));
        json_build_put(b, change, "change", json_string(change_kind_name(r->changed[i].kind)));
        json_build_put(b, change, "from", json_build_text(r->changed[i].from));
        json_build_put(b, change, "bytes", json_build_number(r->changed[i].bytes));
        json_build_push(b, out, change);
    }
    return out;
}

static json_t *refused_json(struct json_build *b, const struct report *r)
{
    json_t *out = json_object(), *entries = json_array();
    for (size_t i = 0; i < r->refusal_count; i++) {
        json_t *entry = json_object();
        json_build_put(b, entry, "operation", json_build_text(r->refusals[i].operation));
        json_build_put(b, entry, "target", json_build_text(r->refusals[i].target));
        json_build_put(b, entry, "rule", json_build_text(r->refusals[i].rule));
        json_build_put(b, entry, "count", json_build_number(r->refusals[i].count));
        json_build_put(b, entry, "suggested_grant", json_build_text(r->refusals[i].suggested_grant));
        json_build_push(b, entries, entry);
    }
    json_build_put(b, out, "observed", json_string(refused_observed_name(r->observed)));
    json_build_put(b, out, "entries", entries);
    json_build_put(b, out, "unlisted", json_build_number(r->refusals_unlisted));
    return out;
}

static json_t *network_json(struct json_build *b, const struct report *r)
{
    json_t *out = json_array();
    for (size_t i = 0; i < r->network_count; i++) {
        json_t *entry = json_object();
        json_build_put(b, entry, "host", json_build_text(r->network[i].host));
        json_build_put(b, entry, "port", json_integer(r->network[i].port));
        json_build_put(b, entry, "verdict", json_build_text(r->network[i].verdict));
        json_build_push(b, out, entry);
    }
    return out;
}

static json_t *strings_json(struct json_build *b, char *const *list, size_t count)
{
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++)
        json_build_push(b, out, words_json(list[i]));
    return out;
}

static json_t *command_json(struct json_build *b, const struct report *r)
{
    json_t *out = json_array();
    for (char *const *word = r->command; word && *word; word++)
        json_build_push(b, out, json_build_text(*word));
    return out;
}

cordon_status report_to_json(const struct report *r, struct buf *out, struct cordon_error *err)
{
    struct json_build b = {false};
    json_t *root = json_object();
    json_build_put(&b, root, "version", json_integer(1));
    json_build_put(&b, root, "command", command_json(&b, r));
    json_build_put(&b, root, "workspace", json_build_text(r->workspace));
    json_build_put(&b, root, "tier", json_build_text(r->tier));
    json_build_put(&b, root, "layers", layers_json(&b, r));
    json_build_put(&b, root, "outcome", outcome_json(&b, &r->outcome));
    json_build_put(&b, root, "changed", changed_json(&b, r));
    json_build_put(&b, root, "refused", refused_json(&b, r));
    json_build_put(&b, root, "network", network_json(&b, r));
    json_build_put(&b, root, "degraded", strings_json(&b, r->degraded, r->degraded_count));
    json_build_put(&b, root, "warnings", strings_json(&b, r->warnings, r->warning_count));
    return json_build_write(&b, root, JSON_INDENT(2), out, STEP, err);
}

cordon_status status_started(const struct report *r, long pid, struct buf *out, struct cordon_error *err)
{
    struct json_build b = {false};
    json_t *root = json_object();
    json_build_put(&b, root, "event", json_string("started"));
    json_build_put(&b, root, "pid", json_integer(pid));
    json_build_put(&b, root, "layers", layers_json(&b, r));
    return json_build_write(&b, root, JSON_COMPACT, out, STEP, err);
}

cordon_status status_ended(const struct outcome *o, struct buf *out, struct cordon_error *err)
{
    struct json_build b = {false};
    json_t *root = json_object();
    json_build_put(&b, root, "event", json_string("ended"));
    json_build_put(&b, root, "kind", json_string(outcome_kind_name(o->kind)));
    json_build_put(&b, root, "code", o->code >= 0 ? json_integer(o->code) : json_null());
    json_build_put(&b, root, "signal", o->signal ? json_integer(o->signal) : json_null());
    json_build_put(&b, root, "wall_ms", json_build_number(o->wall_ms));
    return json_build_write(&b, root, JSON_COMPACT, out, STEP, err);
}

cordon_status status_failed(const struct cordon_error *failure, struct buf *out, struct cordon_error *err)
{
    struct json_build b = {false};
    json_t *root = json_object();
    json_build_put(&b, root, "event", json_string("failed"));
    json_build_put(&b, root, "step", json_build_text(failure->step));
    json_build_put(&b, root, "message", words_json(failure->message));
    return json_build_write(&b, root, JSON_COMPACT, out, STEP, err);
}

cordon_status error_to_json(const struct cordon_error *failure, struct buf *out, struct cordon_error *err)
{
    static const char *const names[] = {"ok",          "invalid", "limit",   "nomem",
                                        "unsupported", "system",  "conflict"};
    struct json_build b = {false};
    json_t *root = json_object(), *error = json_object();
    json_build_put(&b, error, "status", json_string(names[failure->status]));
    json_build_put(&b, error, "step", json_build_text(failure->step));
    json_build_put(&b, error, "os_code", json_integer(failure->os_code));
    json_build_put(&b, error, "message", words_json(failure->message));
    json_build_put(&b, root, "error", error);
    return json_build_write(&b, root, JSON_COMPACT, out, STEP, err);
}
