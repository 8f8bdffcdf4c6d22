/* report_read.c - a report's JSON, or a status line, back into data (see
 * report_read.h). Pure but for jansson.
 */
#include "core/report_read.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/policy.h"
#include "core/utf.h"

#define STEP "report.read"

struct reader {
    const char *name;
    struct report *out;
    struct cordon_error *err;
};

/* Where a value is: "$.outcome" and "code", "$.refused.entries[3]" and "target". */
struct place {
    const char *section; /* NULL: the root */
    const char *list;    /* an array in it, or NULL */
    size_t index;
};
static const struct place root_place = {NULL, NULL, 0};

static cordon_status wrong(const struct reader *r, struct place at, const char *key, const char *want)
{
    struct buf path = BUF_INIT;
    buf_add_string(&path, "$");
    if (at.section)
        buf_add_format(&path, ".%s", at.section);
    if (at.list)
        buf_add_format(&path, ".%s[%zu]", at.list, at.index);
    if (*key)
        buf_add_format(&path, ".%.60s", key);
    cordon_status status =
        buf_failed(&path) ? error_nomem(r->err, STEP)
                          : error_set(r->err, CORDON_E_INVALID, 0, STEP,
                                      "%s: not a report of cordon's: %s: want %s", r->name, path.data, want);
    buf_release(&path);
    return status;
}

/* -- the text, before jansson sees it -------------------------------------- */

/* jansson recurses as deep as the text nests and allocates for each value: both
 * are counted here, minding strings. */
static cordon_status check_text(const struct reader *r, const char *text, size_t len)
{
    bool in_string = false, escaped = false;
    size_t depth = 0, values = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (escaped) {
            escaped = false;
        } else if (in_string) {
            escaped = c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
            values++;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        } else if (c == ',') {
            values++;
        }
        if (depth > LIMIT_REPORT_DEPTH || values > LIMIT_REPORT_VALUES)
            return error_set(r->err, CORDON_E_LIMIT, 0, STEP,
                             "%s: not a report of cordon's: %s than one has (at most %d)", r->name,
                             depth > LIMIT_REPORT_DEPTH ? "nested deeper" : "more values",
                             depth > LIMIT_REPORT_DEPTH ? LIMIT_REPORT_DEPTH : LIMIT_REPORT_VALUES);
    }
    return CORDON_OK;
}

static cordon_status load(const struct reader *r, const char *text, size_t len, size_t max, json_t **out)
{
    json_error_t failure;
    if (len > max)
        return error_set(r->err, CORDON_E_LIMIT, 0, STEP, "%s: larger than a report can be, %zu bytes",
                         r->name, max);
    if (len == 0)
        return error_set(r->err, CORDON_E_INVALID, 0, STEP, "%s: empty", r->name);
    cordon_status status = check_text(r, text, len);
    if (status != CORDON_OK)
        return status;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &failure);
    /* Where an allocation fails, jansson says so or says nothing. */
    if (!root && (json_error_code(&failure) == json_error_out_of_memory || !failure.text[0]))
        return error_nomem(r->err, STEP);
    if (!root && json_error_code(&failure) == json_error_premature_end_of_input)
        return error_set(r->err, CORDON_E_INVALID, 0, STEP,
                         "%s: ends in the middle: it was cut off, or is still being written", r->name);
    if (!root)
        return error_set(r->err, CORDON_E_INVALID, 0, STEP, "%s:%d:%d: not JSON: %s", r->name, failure.line,
                         failure.column, failure.text);
    *out = root;
    return CORDON_OK;
}

/* -- values ---------------------------------------------------------------- */

/* An object with exactly these keys; `keys` ends with NULL. */
static cordon_status check_object(const struct reader *r, struct place at, const json_t *value,
                                  const char *const *keys)
{
    const char *name;
    json_t *entry;
    if (!json_is_object(value))
        return wrong(r, at, "", "an object");
    for (const char *const *key = keys; *key; key++)
        if (!json_object_get(value, *key))
            return wrong(r, at, *key, "it to be there");
    json_object_foreach((json_t *)value, name, entry)
    {
        const char *const *key = keys;
        while (*key && strcmp(*key, name) != 0)
            key++;
        if (!*key)
            return wrong(r, at, name, "no such key");
    }
    return CORDON_OK;
}

/* Any bytes, as utf_escape wrote them. */
static cordon_status take_text(const struct reader *r, struct place at, const char *key, const json_t *value,
                               bool or_null, char **out)
{
    struct buf text = BUF_INIT;
    if (or_null && json_is_null(value))
        return CORDON_OK;
    if (!json_is_string(value))
        return wrong(r, at, key, or_null ? "a string or null" : "a string");
    if (!utf_unescape(&text, json_string_value(value), json_string_length(value))) {
        bool failed = buf_failed(&text);
        buf_release(&text);
        return failed ? error_nomem(r->err, STEP) : wrong(r, at, key, "bytes escaped as docs/report.md says");
    }
    *out = buf_take(&text);
    return *out ? CORDON_OK : error_nomem(r->err, STEP);
}

/* Words for people: one line that no terminal obeys. */
static cordon_status take_words(const struct reader *r, struct place at, const char *key, const json_t *value,
                                char **out)
{
    if (!json_is_string(value))
        return wrong(r, at, key, "a string");
    const char *words = json_string_value(value);
    for (size_t i = 0, len = json_string_length(value); i < len;) {
        size_t n = utf_sequence(words + i, len - i);
        if (n == 0 || utf_is_control(words + i, n))
            return wrong(r, at, key, "one line without control characters");
        i += n;
    }
    *out = string_copy(words);
    return *out ? CORDON_OK : error_nomem(r->err, STEP);
}

static cordon_status take_number(const struct reader *r, struct place at, const char *key,
                                 const json_t *value, json_int_t least, json_int_t most, json_int_t *out)
{
    char want[80];
    json_int_t number = json_integer_value(value);
    if (json_is_integer(value) && number >= least && number <= most) {
        *out = number;
        return CORDON_OK;
    }
    snprintf(want, sizeof want, "a whole number from %" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT,
             least, most);
    return wrong(r, at, key, want);
}

static cordon_status take_count(const struct reader *r, struct place at, const char *key, const json_t *value,
                                uint64_t *out)
{
    json_int_t number = 0;
    cordon_status status = take_number(r, at, key, value, 0, INT64_MAX, &number);
    if (status == CORDON_OK)
        *out = (uint64_t)number;
    return status;
}

typedef const char *word_name(int index);

/* One of name(0) ... name(count - 1). */
static cordon_status take_word(const struct reader *r, struct place at, const char *key, const json_t *value,
                               word_name *name, int count, int *out)
{
    for (int i = 0; i < count && json_is_string(value); i++)
        if (strcmp(json_string_value(value), name(i)) == 0) {
            *out = i;
            return CORDON_OK;
        }
    struct buf want = BUF_INIT;
    for (int i = 0; i < count; i++)
        buf_add_format(&want, "%s%s", i ? ", " : "one of ", name(i));
    cordon_status status = buf_failed(&want) ? error_nomem(r->err, STEP) : wrong(r, at, key, want.data);
    buf_release(&want);
    return status;
}

static const char *kind_name(int index)
{
    return outcome_kind_name((enum outcome_kind)index);
}

static const char *change_name(int index)
{
    return change_kind_name((enum change_kind)index);
}

static const char *observed_name(int index)
{
    return refused_observed_name((enum refused_observed)index);
}

static const char *limit_name(int index)
{
    return policy_limit_name((enum policy_limit)index);
}

/* -- parts of a report ------------------------------------------------------ */

typedef cordon_status take_item(const struct reader *r, struct place at, const json_t *value);

static cordon_status take_array(const struct reader *r, struct place at, const char *key, const json_t *value,
                                take_item *take)
{
    size_t index;
    json_t *item;
    cordon_status status = CORDON_OK;
    if (!json_is_array(value))
        return wrong(r, at, key, "an array");
    json_array_foreach(value, index, item)
    {
        if (status == CORDON_OK)
            status = take(r, (struct place){at.section, key, index}, item);
    }
    return status;
}

static cordon_status take_command(const struct reader *r, const json_t *value)
{
    size_t index;
    json_t *item;
    cordon_status status = CORDON_OK;
    if (!json_is_array(value))
        return wrong(r, root_place, "command", "an array");
    r->out->command = calloc(json_array_size(value) + 1, sizeof *r->out->command);
    if (!r->out->command)
        return error_nomem(r->err, STEP);
    json_array_foreach(value, index, item)
    {
        if (status == CORDON_OK)
            status = take_text(r, (struct place){NULL, "command", index}, "", item, false,
                               &r->out->command[index]);
    }
    return status;
}

static cordon_status take_layer(const struct reader *r, struct place at, const json_t *value)
{
    static const char *const keys[] = {"facet", "mechanism", "active", NULL};
    const json_t *active = json_object_get(value, "active");
    char *facet = NULL, *mechanism = NULL;
    cordon_status status = check_object(r, at, value, keys);
    if (status == CORDON_OK)
        status = take_text(r, at, "facet", json_object_get(value, "facet"), false, &facet);
    if (status == CORDON_OK)
        status = take_text(r, at, "mechanism", json_object_get(value, "mechanism"), false, &mechanism);
    if (status == CORDON_OK && !json_is_boolean(active))
        status = wrong(r, at, "active", "true or false");
    if (status == CORDON_OK)
        status = report_add_layer(r->out, facet, mechanism, json_is_true(active), r->err);
    free(facet);
    free(mechanism);
    return status;
}

static cordon_status take_ended(const struct reader *r, struct place at, const json_t *value)
{
    struct outcome *o = &r->out->outcome;
    const json_t *code = json_object_get(value, "code"), *signal = json_object_get(value, "signal");
    json_int_t number = 0;
    int kind = 0;
    cordon_status status =
        take_word(r, at, "kind", json_object_get(value, "kind"), kind_name, OUTCOME_EXITED + 1, &kind);
    if (status == CORDON_OK && !json_is_null(code)) {
        status = take_number(r, at, "code", code, 0, INT_MAX, &number);
        o->code = status == CORDON_OK ? (int)number : -1;
    }
    if (status == CORDON_OK && !json_is_null(signal)) {
        status = take_number(r, at, "signal", signal, 1, 127, &number);
        o->signal = status == CORDON_OK ? (int)number : 0;
    }
    if (status == CORDON_OK && (kind == OUTCOME_EXITED) != (o->code >= 0))
        status = wrong(r, at, "code",
                       kind == OUTCOME_EXITED ? "a number, since kind is exited"
                                              : "null, since kind is not exited");
    if (status == CORDON_OK)
        status = take_count(r, at, "wall_ms", json_object_get(value, "wall_ms"), &o->wall_ms);
    o->kind = (enum outcome_kind)kind;
    return status;
}

static cordon_status take_outcome(const struct reader *r, const json_t *value)
{
    static const char *const keys[] = {"kind",   "code",          "signal",    "limit", "wall_ms",
                                       "cpu_ms", "max_rss_bytes", "processes", NULL};
    static const struct place at = {"outcome", NULL, 0};
    struct outcome *o = &r->out->outcome;
    const json_t *limit = json_object_get(value, "limit"), *processes = json_object_get(value, "processes");
    int index = 0;
    json_int_t number = 0;
    cordon_status status = check_object(r, at, value, keys);
    if (status == CORDON_OK)
        status = take_ended(r, at, value);
    if (status == CORDON_OK && !json_is_null(limit)) {
        status = take_word(r, at, "limit", limit, limit_name, LIMIT_COUNT_, &index);
        o->limit = status == CORDON_OK ? limit_name(index) : NULL;
    }
    if (status == CORDON_OK)
        status = take_count(r, at, "cpu_ms", json_object_get(value, "cpu_ms"), &o->cpu_ms);
    if (status == CORDON_OK)
        status =
            take_count(r, at, "max_rss_bytes", json_object_get(value, "max_rss_bytes"), &o->max_rss_bytes);
    if (status == CORDON_OK && !json_is_null(processes)) {
        status = take_number(r, at, "processes", processes, 0, INT64_MAX, &number);
        o->processes = status == CORDON_OK ? (int64_t)number : -1;
    }
    return status;
}

static cordon_status take_change(const struct reader *r, struct place at, const json_t *value)
{
    static const char *const keys[] = {"path", "change", "from", "bytes", NULL};
    char *path = NULL, *from = NULL;
    uint64_t bytes = 0;
    int kind = 0;
    cordon_status status = check_object(r, at, value, keys);
    if (status == CORDON_OK)
        status = take_text(r, at, "path", json_object_get(value, "path"), false, &path);
    if (status == CORDON_OK)
        status = take_text(r, at, "from", json_object_get(value, "from"), true, &from);
    if (status == CORDON_OK)
        status = take_word(r, at, "change", json_object_get(value, "change"), change_name, CHANGE_RENAMED + 1,
                           &kind);
    if (status == CORDON_OK && (kind == CHANGE_RENAMED) != (from != NULL))
        status = wrong(r, at, "from", kind == CHANGE_RENAMED ? "the earlier path" : "null");
    if (status == CORDON_OK)
        status = take_count(r, at, "bytes", json_object_get(value, "bytes"), &bytes);
    if (status == CORDON_OK)
        status = report_add_change(r->out, (enum change_kind)kind, path, from, bytes, r->err);
    free(path);
    free(from);
    return status;
}

static cordon_status take_refusal(const struct reader *r, struct place at, const json_t *value)
{
    static const char *const keys[] = {"operation", "target", "rule", "count", "suggested_grant", NULL};
    char *texts[4] = {NULL};
    static const char *const names[] = {"operation", "target", "rule", "suggested_grant"};
    uint64_t count = 0;
    cordon_status status = check_object(r, at, value, keys);
    for (size_t i = 0; i < 4 && status == CORDON_OK; i++)
        status = take_text(r, at, names[i], json_object_get(value, names[i]), i >= 2, &texts[i]);
    if (status == CORDON_OK)
        status = take_count(r, at, "count", json_object_get(value, "count"), &count);
    struct refusal refusal = {texts[0], texts[1], texts[2], texts[3]};
    if (status == CORDON_OK)
        status = report_add_refusal(r->out, &refusal, count, r->err);
    for (size_t i = 0; i < 4; i++)
        free(texts[i]);
    return status;
}

static cordon_status take_refused(const struct reader *r, const json_t *value)
{
    static const char *const keys[] = {"observed", "entries", "unlisted", NULL};
    static const struct place at = {"refused", NULL, 0};
    int observed = 0;
    cordon_status status = check_object(r, at, value, keys);
    if (status == CORDON_OK)
        status = take_word(r, at, "observed", json_object_get(value, "observed"), observed_name,
                           OBSERVED_ALL + 1, &observed);
    if (status == CORDON_OK)
        status =
            take_count(r, at, "unlisted", json_object_get(value, "unlisted"), &r->out->refusals_unlisted);
    if (status == CORDON_OK) {
        r->out->observed = (enum refused_observed)observed;
        status = take_array(r, at, "entries", json_object_get(value, "entries"), take_refusal);
    }
    return status;
}

static cordon_status take_network(const struct reader *r, struct place at, const json_t *value)
{
    static const char *const keys[] = {"host", "port", "verdict", NULL};
    char *host = NULL, *verdict = NULL;
    json_int_t port = 0;
    cordon_status status = check_object(r, at, value, keys);
    if (status == CORDON_OK)
        status = take_text(r, at, "host", json_object_get(value, "host"), false, &host);
    if (status == CORDON_OK)
        status = take_text(r, at, "verdict", json_object_get(value, "verdict"), false, &verdict);
    if (status == CORDON_OK)
        status = take_number(r, at, "port", json_object_get(value, "port"), 0, 65535, &port);
    if (status == CORDON_OK)
        status = report_add_network(r->out, host, (unsigned)port, verdict, r->err);
    free(host);
    free(verdict);
    return status;
}

static cordon_status take_degraded(const struct reader *r, struct place at, const json_t *value)
{
    char *words = NULL;
    cordon_status status = take_words(r, at, "", value, &words);
    if (status == CORDON_OK)
        status = report_add_degraded(r->out, words, r->err);
    free(words);
    return status;
}

static cordon_status take_warning(const struct reader *r, struct place at, const json_t *value)
{
    char *words = NULL;
    cordon_status status = take_words(r, at, "", value, &words);
    if (status == CORDON_OK)
        status = report_add_warning_words(r->out, words, r->err);
    free(words);
    return status;
}

/* -- the whole -------------------------------------------------------------- */

/* First of all: a later version has keys that mean nothing here. */
static cordon_status check_version(const struct reader *r, const json_t *root)
{
    const json_t *version = json_object_get(root, "version");
    if (json_is_integer(version) && json_integer_value(version) > 1)
        return error_set(r->err, CORDON_E_UNSUPPORTED, 0, STEP,
                         "%s: a report of version %" JSON_INTEGER_FORMAT
                         ", and this cordon knows version 1: a newer cordon can show it",
                         r->name, json_integer_value(version));
    if (!json_is_integer(version) || json_integer_value(version) != 1)
        return wrong(r, root_place, "version", "1");
    return CORDON_OK;
}

static cordon_status take_report(const struct reader *r, const json_t *root)
{
    static const char *const keys[] = {"version", "command", "workspace", "tier",     "layers",   "outcome",
                                       "changed", "refused", "network",   "degraded", "warnings", NULL};
    const json_t *changed = json_object_get(root, "changed");
    cordon_status status =
        json_is_object(root) ? check_version(r, root) : wrong(r, root_place, "", "an object");
    if (status == CORDON_OK)
        status = check_object(r, root_place, root, keys);
    if (status == CORDON_OK)
        status = take_command(r, json_object_get(root, "command"));
    if (status == CORDON_OK)
        status = take_text(r, root_place, "workspace", json_object_get(root, "workspace"), false,
                           &r->out->workspace);
    if (status == CORDON_OK)
        status = take_text(r, root_place, "tier", json_object_get(root, "tier"), true, &r->out->tier);
    if (status == CORDON_OK)
        status = take_array(r, root_place, "layers", json_object_get(root, "layers"), take_layer);
    if (status == CORDON_OK)
        status = take_outcome(r, json_object_get(root, "outcome"));
    if (status == CORDON_OK && !json_is_null(changed)) {
        r->out->changed_computed = true;
        status = take_array(r, root_place, "changed", changed, take_change);
    }
    if (status == CORDON_OK)
        status = take_refused(r, json_object_get(root, "refused"));
    if (status == CORDON_OK)
        status = take_array(r, root_place, "network", json_object_get(root, "network"), take_network);
    if (status == CORDON_OK)
        status = take_array(r, root_place, "degraded", json_object_get(root, "degraded"), take_degraded);
    if (status == CORDON_OK)
        status = take_array(r, root_place, "warnings", json_object_get(root, "warnings"), take_warning);
    return status;
}

cordon_status report_parse(struct report *out, const char *text, size_t len, const char *name,
                           struct cordon_error *err)
{
    struct reader r = {name, out, err};
    json_t *root = NULL;
    cordon_status status = load(&r, text, len, LIMIT_BUF_BYTES, &root);
    if (status == CORDON_OK)
        status = take_report(&r, root);
    json_decref(root);
    if (status != CORDON_OK)
        report_release(out);
    return status == CORDON_E_NOMEM ? error_nomem(err, STEP) : status; /* also while the report was built */
}

/* -- status lines ----------------------------------------------------------- */

void status_line_init(struct status_line *s)
{
    memset(s, 0, sizeof *s);
    report_init(&s->report);
}

void status_line_release(struct status_line *s)
{
    report_release(&s->report);
    free(s->step);
    free(s->message);
    status_line_init(s);
}

static cordon_status take_started(const struct reader *r, const json_t *root, struct status_line *out)
{
    static const char *const keys[] = {"event", "pid", "layers", NULL};
    json_int_t pid = 0;
    cordon_status status = check_object(r, root_place, root, keys);
    if (status == CORDON_OK)
        status = take_number(r, root_place, "pid", json_object_get(root, "pid"), 0, INT64_MAX, &pid);
    out->pid = pid;
    if (status == CORDON_OK)
        status = take_array(r, root_place, "layers", json_object_get(root, "layers"), take_layer);
    return status;
}

static cordon_status take_failed(const struct reader *r, const json_t *root, struct status_line *out)
{
    static const char *const keys[] = {"event", "step", "message", NULL};
    cordon_status status = check_object(r, root_place, root, keys);
    if (status == CORDON_OK)
        status = take_text(r, root_place, "step", json_object_get(root, "step"), false, &out->step);
    if (status == CORDON_OK)
        status = take_words(r, root_place, "message", json_object_get(root, "message"), &out->message);
    return status;
}

static const char *event_name(int index)
{
    static const char *const names[] = {"started", "ended", "failed"};
    return names[index];
}

static cordon_status take_event(const struct reader *r, const json_t *root, struct status_line *out)
{
    static const char *const ended[] = {"event", "kind", "code", "signal", "wall_ms", NULL};
    int event = 0;
    if (!json_is_object(root))
        return wrong(r, root_place, "", "an object");
    cordon_status status = take_word(r, root_place, "event", json_object_get(root, "event"), event_name,
                                     STATUS_FAILED + 1, &event);
    if (status != CORDON_OK)
        return status;
    out->event = (enum status_event)event;
    switch (out->event) {
    case STATUS_STARTED:
        return take_started(r, root, out);
    case STATUS_FAILED:
        return take_failed(r, root, out);
    case STATUS_ENDED:
        break;
    }
    status = check_object(r, root_place, root, ended);
    return status == CORDON_OK ? take_ended(r, root_place, root) : status;
}

cordon_status status_parse(struct status_line *out, const char *text, size_t len, const char *name,
                           struct cordon_error *err)
{
    struct reader r = {name, &out->report, err};
    json_t *root = NULL;
    cordon_status status = load(&r, text, len, LIMIT_STATUS_BYTES, &root);
    if (status == CORDON_OK && memchr(text, '\n', len - 1))
        status = wrong(&r, root_place, "", "one line");
    if (status == CORDON_OK)
        status = take_event(&r, root, out);
    json_decref(root);
    if (status != CORDON_OK)
        status_line_release(out);
    return status == CORDON_E_NOMEM ? error_nomem(err, STEP) : status;
}
