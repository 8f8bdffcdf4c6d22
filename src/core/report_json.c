/* report_json.c - reports, status lines and errors as JSON (schema/). Pure but for jansson. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/report.h"
#include "core/utf.h"

#define STEP "report.build"

/* jansson's setters and appenders refuse a NULL value, so one flag collects
 * every failed allocation on the way. */
struct writer {
    bool failed;
};

static void put(struct writer *w, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        w->failed = true;
}

static void push(struct writer *w, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        w->failed = true;
}

/* Any bytes; NULL becomes null. */
static json_t *text_json(const char *bytes)
{
    struct buf text = BUF_INIT;
    if (!bytes)
        return json_null();
    utf_escape(&text, bytes, strlen(bytes));
    char *taken = buf_take(&text);
    json_t *value = taken ? json_string(taken) : NULL;
    free(taken);
    return value;
}

/* Words that are one line of UTF-8 already (error_set, report_add_warning):
 * escaped again they would change. Should they not be, they are escaped. */
static json_t *words_json(const char *words)
{
    return utf_is_valid(words, strlen(words)) ? json_string(words) : text_json(words);
}

static json_t *number_json(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *layers_json(struct writer *w, const struct report *r)
{
    json_t *out = json_array();
    for (size_t i = 0; i < r->layer_count; i++) {
        json_t *layer = json_object();
        put(w, layer, "facet", text_json(r->layers[i].facet));
        put(w, layer, "mechanism", text_json(r->layers[i].mechanism));
        put(w, layer, "active", json_boolean(r->layers[i].active));
        push(w, out, layer);
    }
    return out;
}

static json_t *outcome_json(struct writer *w, const struct outcome *o)
{
    json_t *out = json_object();
    put(w, out, "kind", json_string(outcome_kind_name(o->kind)));
    put(w, out, "code", o->code >= 0 ? json_integer(o->code) : json_null());
    put(w, out, "signal", o->signal ? json_integer(o->signal) : json_null());
    put(w, out, "limit", o->limit ? json_string(o->limit) : json_null());
    put(w, out, "wall_ms", number_json(o->wall_ms));
    put(w, out, "cpu_ms", number_json(o->cpu_ms));
    put(w, out, "max_rss_bytes", number_json(o->max_rss_bytes));
    put(w, out, "processes", o->processes >= 0 ? json_integer(o->processes) : json_null());
    return out;
}

static json_t *changed_json(struct writer *w, const struct report *r)
{
    if (!r->changed_computed)
        return json_null();
    json_t *out = json_array();
    for (size_t i = 0; i < r->changed_count; i++) {
        json_t *change = json_object();
        put(w, change, "path", text_json(r->changed[i].path));
        put(w, change, "change", json_string(change_kind_name(r->changed[i].kind)));
        put(w, change, "from", text_json(r->changed[i].from));
        put(w, change, "bytes", number_json(r->changed[i].bytes));
        push(w, out, change);
    }
    return out;
}

static json_t *refused_json(struct writer *w, const struct report *r)
{
    static const char *const observed[] = {"none", "sockets", "all"};
    json_t *out = json_object(), *entries = json_array();
    for (size_t i = 0; i < r->refusal_count; i++) {
        json_t *entry = json_object();
        put(w, entry, "operation", text_json(r->refusals[i].operation));
        put(w, entry, "target", text_json(r->refusals[i].target));
        put(w, entry, "rule", text_json(r->refusals[i].rule));
        put(w, entry, "count", number_json(r->refusals[i].count));
        put(w, entry, "suggested_grant", text_json(r->refusals[i].suggested_grant));
        push(w, entries, entry);
    }
    put(w, out, "observed", json_string(observed[r->observed]));
    put(w, out, "entries", entries);
    return out;
}

static json_t *network_json(struct writer *w, const struct report *r)
{
    json_t *out = json_array();
    for (size_t i = 0; i < r->network_count; i++) {
        json_t *entry = json_object();
        put(w, entry, "host", text_json(r->network[i].host));
        put(w, entry, "port", json_integer(r->network[i].port));
        put(w, entry, "verdict", text_json(r->network[i].verdict));
        push(w, out, entry);
    }
    return out;
}

static json_t *strings_json(struct writer *w, char *const *list, size_t count)
{
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++)
        push(w, out, words_json(list[i]));
    return out;
}

static json_t *command_json(struct writer *w, const struct report *r)
{
    json_t *out = json_array();
    for (char *const *word = r->command; word && *word; word++)
        push(w, out, text_json(*word));
    return out;
}

/* Takes `root`; the text and a newline go to *out. */
static cordon_status dump(struct writer *w, json_t *root, size_t flags, struct buf *out,
                          struct cordon_error *err)
{
    char *text = w->failed || !root ? NULL : json_dumps(root, flags);
    json_decref(root);
    if (text) {
        buf_add_string(out, text);
        buf_add_char(out, '\n');
    }
    free(text);
    return text && !buf_failed(out) ? CORDON_OK : error_nomem(err, STEP);
}

cordon_status report_to_json(const struct report *r, struct buf *out, struct cordon_error *err)
{
    struct writer w = {false};
    json_t *root = json_object();
    put(&w, root, "version", json_integer(1));
    put(&w, root, "command", command_json(&w, r));
    put(&w, root, "workspace", text_json(r->workspace));
    put(&w, root, "tier", text_json(r->tier));
    put(&w, root, "layers", layers_json(&w, r));
    put(&w, root, "outcome", outcome_json(&w, &r->outcome));
    put(&w, root, "changed", changed_json(&w, r));
    put(&w, root, "refused", refused_json(&w, r));
    put(&w, root, "network", network_json(&w, r));
    put(&w, root, "degraded", strings_json(&w, r->degraded, r->degraded_count));
    put(&w, root, "warnings", strings_json(&w, r->warnings, r->warning_count));
    return dump(&w, root, JSON_INDENT(2), out, err);
}

cordon_status status_started(const struct report *r, long pid, struct buf *out, struct cordon_error *err)
{
    struct writer w = {false};
    json_t *root = json_object();
    put(&w, root, "event", json_string("started"));
    put(&w, root, "pid", json_integer(pid));
    put(&w, root, "layers", layers_json(&w, r));
    return dump(&w, root, JSON_COMPACT, out, err);
}

cordon_status status_ended(const struct outcome *o, struct buf *out, struct cordon_error *err)
{
    struct writer w = {false};
    json_t *root = json_object();
    put(&w, root, "event", json_string("ended"));
    put(&w, root, "kind", json_string(outcome_kind_name(o->kind)));
    put(&w, root, "code", o->code >= 0 ? json_integer(o->code) : json_null());
    put(&w, root, "signal", o->signal ? json_integer(o->signal) : json_null());
    put(&w, root, "wall_ms", number_json(o->wall_ms));
    return dump(&w, root, JSON_COMPACT, out, err);
}

cordon_status status_failed(const struct cordon_error *failure, struct buf *out, struct cordon_error *err)
{
    struct writer w = {false};
    json_t *root = json_object();
    put(&w, root, "event", json_string("failed"));
    put(&w, root, "step", text_json(failure->step));
    put(&w, root, "message", words_json(failure->message));
    return dump(&w, root, JSON_COMPACT, out, err);
}

cordon_status error_to_json(const struct cordon_error *failure, struct buf *out, struct cordon_error *err)
{
    static const char *const names[] = {"ok",          "invalid", "limit",   "nomem",
                                        "unsupported", "system",  "conflict"};
    struct writer w = {false};
    json_t *root = json_object(), *error = json_object();
    put(&w, error, "status", json_string(names[failure->status]));
    put(&w, error, "step", text_json(failure->step));
    put(&w, error, "os_code", json_integer(failure->os_code));
    put(&w, error, "message", words_json(failure->message));
    put(&w, root, "error", error);
    return dump(&w, root, JSON_COMPACT, out, err);
}
