/* report.c - the report as data: building it, and the words for people (see
 * report.h). Pure. The JSON is in report_json.c.
 */
#include "core/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/utf.h"

#define STEP "report.build"

void report_init(struct report *r)
{
    memset(r, 0, sizeof *r);
    r->outcome.code = -1;
    r->outcome.processes = -1;
}

static void free_list(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i]);
    free(list);
}

void report_release(struct report *r)
{
    for (char **word = r->command; word && *word; word++)
        free(*word);
    free(r->command);
    free(r->workspace);
    free(r->tier);
    for (size_t i = 0; i < r->layer_count; i++) {
        free(r->layers[i].facet);
        free(r->layers[i].mechanism);
    }
    free(r->layers);
    for (size_t i = 0; i < r->changed_count; i++) {
        free(r->changed[i].path);
        free(r->changed[i].from);
    }
    free(r->changed);
    for (size_t i = 0; i < r->refusal_count; i++) {
        free(r->refusals[i].operation);
        free(r->refusals[i].target);
        free(r->refusals[i].rule);
        free(r->refusals[i].suggested_grant);
    }
    free(r->refusals);
    free(r->refusals_sorted);
    for (size_t i = 0; i < r->network_count; i++) {
        free(r->network[i].host);
        free(r->network[i].verdict);
    }
    free(r->network);
    free_list(r->degraded, r->degraded_count);
    free_list(r->warnings, r->warning_count);
    report_init(r);
}

/* Room for one more element; the array grows by powers of two, so the count
 * alone tells when. */
static void *grow(void *items, size_t count, size_t size)
{
    if (count && (count & (count - 1)))
        return items;
    return realloc(items, (count ? 2 * count : 1) * size);
}

/* Copies; a NULL stays NULL. False: out of memory. */
static bool copy_optional(char **out, const char *text)
{
    *out = text ? string_copy(text) : NULL;
    return !text || *out;
}

cordon_status report_set_command(struct report *r, char *const *argv, struct cordon_error *err)
{
    size_t count = 0;
    while (argv[count])
        count++;
    char **copy = calloc(count + 1, sizeof *copy);
    if (!copy)
        return error_nomem(err, STEP);
    for (size_t i = 0; i < count; i++) {
        copy[i] = string_copy(argv[i]);
        if (!copy[i]) {
            free_list(copy, i);
            return error_nomem(err, STEP);
        }
    }
    for (char **word = r->command; word && *word; word++)
        free(*word);
    free(r->command);
    r->command = copy;
    return CORDON_OK;
}

cordon_status report_add_layer(struct report *r, const char *facet, const char *mechanism, bool active,
                               struct cordon_error *err)
{
    struct report_layer *layers = grow(r->layers, r->layer_count, sizeof *layers);
    struct report_layer layer = {NULL, NULL, active};
    if (layers)
        r->layers = layers;
    if (!layers || !copy_optional(&layer.facet, facet) || !copy_optional(&layer.mechanism, mechanism)) {
        free(layer.facet);
        return error_nomem(err, STEP);
    }
    layers[r->layer_count++] = layer;
    return CORDON_OK;
}

cordon_status report_add_change(struct report *r, enum change_kind kind, const char *path, const char *from,
                                uint64_t bytes, struct cordon_error *err)
{
    struct report_change *changed = grow(r->changed, r->changed_count, sizeof *changed);
    struct report_change change = {NULL, NULL, kind, bytes};
    if (changed)
        r->changed = changed;
    if (!changed || !copy_optional(&change.path, path) || !copy_optional(&change.from, from)) {
        free(change.path);
        return error_nomem(err, STEP);
    }
    changed[r->changed_count++] = change;
    return CORDON_OK;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* Where the refusal is in refusals_sorted, or belongs; *found says which. A
 * search among sorted entries, because a hash without a secret could be
 * made to collide by whoever chooses the targets. */
static size_t find_refusal(const struct report *r, const char *operation, const char *target, bool *found)
{
    size_t low = 0, high = r->refusal_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct report_refusal *entry = &r->refusals[r->refusals_sorted[middle]];
        int order = strcmp(target, entry->target);
        if (!order)
            order = strcmp(operation, entry->operation);
        if (!order) {
            *found = true;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    *found = false;
    return low;
}

static uint64_t add_count(uint64_t a, uint64_t b)
{
    return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

cordon_status report_add_refusal(struct report *r, const struct refusal *refusal, uint64_t count,
                                 struct cordon_error *err)
{
    const char *operation = or_empty(refusal->operation), *target = or_empty(refusal->target);
    const char *rule = or_empty(refusal->rule), *grant = or_empty(refusal->suggested_grant);
    bool found;
    size_t at = find_refusal(r, operation, target, &found);
    if (found) {
        struct report_refusal *entry = &r->refusals[r->refusals_sorted[at]];
        entry->count = add_count(entry->count, count);
        return CORDON_OK;
    }
    size_t bytes = strlen(operation) + strlen(target) + strlen(rule) + strlen(grant) + 4;
    if (r->refusal_count >= LIMIT_REPORT_REFUSED || bytes > LIMIT_REPORT_REFUSED_BYTES - r->refusal_bytes) {
        r->refusals_unlisted = add_count(r->refusals_unlisted, count);
        return CORDON_OK;
    }
    struct report_refusal entry = {NULL, NULL, NULL, NULL, count};
    struct report_refusal *refusals = grow(r->refusals, r->refusal_count, sizeof *refusals);
    if (refusals)
        r->refusals = refusals;
    uint32_t *sorted = grow(r->refusals_sorted, r->refusal_count, sizeof *sorted);
    if (sorted)
        r->refusals_sorted = sorted;
    if (!refusals || !sorted || !copy_optional(&entry.operation, operation) ||
        !copy_optional(&entry.target, target) || !copy_optional(&entry.rule, *rule ? rule : NULL) ||
        !copy_optional(&entry.suggested_grant, *grant ? grant : NULL)) {
        free(entry.operation);
        free(entry.target);
        free(entry.rule);
        return error_nomem(err, STEP);
    }
    memmove(sorted + at + 1, sorted + at, (r->refusal_count - at) * sizeof *sorted);
    sorted[at] = (uint32_t)r->refusal_count;
    refusals[r->refusal_count++] = entry;
    r->refusal_bytes += bytes;
    return CORDON_OK;
}

static cordon_status add_string(char ***list, size_t *count, char *text, struct cordon_error *err)
{
    char **grown = text ? grow(*list, *count, sizeof **list) : NULL;
    if (!grown) {
        free(text);
        return error_nomem(err, STEP);
    }
    *list = grown;
    grown[(*count)++] = text;
    return CORDON_OK;
}

cordon_status report_add_degraded(struct report *r, const char *facet, struct cordon_error *err)
{
    return add_string(&r->degraded, &r->degraded_count, string_copy(facet), err);
}

cordon_status report_add_network(struct report *r, const char *host, unsigned port, const char *verdict,
                                 struct cordon_error *err)
{
    struct report_network *network = grow(r->network, r->network_count, sizeof *network);
    struct report_network entry = {NULL, port, NULL};
    if (network)
        r->network = network;
    if (!network || !copy_optional(&entry.host, host) || !copy_optional(&entry.verdict, verdict)) {
        free(entry.host);
        return error_nomem(err, STEP);
    }
    network[r->network_count++] = entry;
    return CORDON_OK;
}

cordon_status report_add_warning_words(struct report *r, const char *words, struct cordon_error *err)
{
    return add_string(&r->warnings, &r->warning_count, string_copy(words), err);
}

cordon_status report_add_warning(struct report *r, struct cordon_error *err, const char *format, ...)
{
    struct buf raw = BUF_INIT, text = BUF_INIT;
    va_list args;
    va_start(args, format);
    buf_add_vformat(&raw, format, args);
    va_end(args);
    bool failed = buf_failed(&raw);
    if (!failed && raw.len)
        utf_escape_display(&text, raw.data, raw.len);
    buf_release(&raw);
    if (failed)
        return error_nomem(err, STEP);
    return add_string(&r->warnings, &r->warning_count, buf_take(&text), err);
}

/* -- words ---------------------------------------------------------------- */

const char *outcome_kind_name(enum outcome_kind k)
{
    static const char *const names[] = {"failed", "guarded", "limit", "timed_out", "signaled", "exited"};
    return names[k];
}

const char *change_kind_name(enum change_kind k)
{
    static const char *const names[] = {"created", "modified", "deleted", "renamed"};
    return names[k];
}

const char *refused_observed_name(enum refused_observed o)
{
    static const char *const names[] = {"none", "sockets", "all"};
    return names[o];
}

int outcome_exit_code(const struct outcome *o)
{
    switch (o->kind) {
    case OUTCOME_EXITED:
        return o->code;
    case OUTCOME_SIGNALED:
    case OUTCOME_LIMIT:
        return 128 + o->signal;
    case OUTCOME_TIMED_OUT:
        return 124;
    case OUTCOME_GUARDED:
        return 123;
    case OUTCOME_FAILED:
        break;
    }
    return 125;
}

void report_changes_text(const struct report *r, size_t max, struct buf *out)
{
    size_t counts[4] = {0};
    for (size_t i = 0; i < r->changed_count; i++) {
        const struct report_change *change = &r->changed[i];
        counts[change->kind]++;
        if (i >= max)
            continue;
        buf_add_format(out, "  %-8s ", change_kind_name(change->kind));
        if (change->from) {
            utf_escape_display(out, change->from, strlen(change->from));
            buf_add_string(out, " -> ");
        }
        utf_escape_display(out, change->path, strlen(change->path));
        buf_add_char(out, '\n');
    }
    if (r->changed_count > max)
        buf_add_format(out, "  ... and %zu more\n", r->changed_count - max);
    buf_add_format(out, "cordon: %zu created, %zu modified, %zu deleted, %zu renamed\n",
                   counts[CHANGE_CREATED], counts[CHANGE_MODIFIED], counts[CHANGE_DELETED],
                   counts[CHANGE_RENAMED]);
}
