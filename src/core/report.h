/* report.h - the report of one run and the status lines, as data and as JSON.
 *
 * Pure: src/os fills the struct, programs write the text. The JSON is described
 * by schema/report-1.json; a test holds the two together. Paths are escaped
 * with utf_escape().
 */
#ifndef CORDON_CORE_REPORT_H
#define CORDON_CORE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"

enum outcome_kind {
    OUTCOME_FAILED,
    OUTCOME_GUARDED,
    OUTCOME_LIMIT,
    OUTCOME_TIMED_OUT,
    OUTCOME_SIGNALED,
    OUTCOME_EXITED
};

struct outcome {
    enum outcome_kind kind;
    int code;           /* exit code when exited, else -1 */
    int signal;         /* number, else 0 */
    bool forks_refused; /* the process limit was reached; a warning, not a field of the JSON */
    const char *limit;  /* "cpu", "memory", ... when kind is OUTCOME_LIMIT; static */
    uint64_t wall_ms, cpu_ms, max_rss_bytes;
    int64_t processes; /* processes and threads started; -1 unknown (JSON null) */
};

struct report_layer {
    char *facet, *mechanism;
    bool active;
};

enum change_kind { CHANGE_CREATED, CHANGE_MODIFIED, CHANGE_DELETED, CHANGE_RENAMED };

struct report_change {
    char *path;
    char *from; /* CHANGE_RENAMED: the earlier path; else NULL */
    enum change_kind kind;
    uint64_t bytes; /* size now; for deleted, the size it had */
};

enum refused_observed { OBSERVED_NONE, OBSERVED_SOCKETS, OBSERVED_ALL };

/* One refusal, as whoever observed it says it: what was tried ("connect",
 * "open for writing"), on what, which rule refused it ("network.unix_sockets"),
 * and the option that would allow it ("--unix-socket /run/x"; "" if none does). */
struct refusal {
    const char *operation, *target, *rule, *suggested_grant;
};

struct report_refusal {
    char *operation, *target;
    char *rule, *suggested_grant; /* NULL: unknown, none */
    uint64_t count;               /* how often */
};

struct report_network {
    char *host;
    unsigned port;
    char *verdict;
};

struct report {
    char **command; /* NULL-terminated */
    char *workspace;
    char *tier;
    struct report_layer *layers;
    size_t layer_count;
    struct outcome outcome;
    bool changed_computed; /* else `changed` is null in the JSON */
    struct report_change *changed;
    size_t changed_count;
    enum refused_observed observed;
    struct report_refusal *refusals; /* in the order of their first occurrence */
    size_t refusal_count;
    uint32_t *refusals_sorted;  /* indices of refusals[] by operation and target: a flood stays cheap */
    size_t refusal_bytes;       /* of all their strings */
    uint64_t refusals_unlisted; /* occurrences that found no room in the list */
    struct report_network *network;
    size_t network_count;
    char **degraded; /* facets */
    size_t degraded_count;
    char **warnings;
    size_t warning_count;
};

void report_init(struct report *r);
void report_release(struct report *r);

/* All copy their arguments; step "report.build". */
cordon_status report_set_command(struct report *r, char *const *argv, struct cordon_error *err);
cordon_status report_add_layer(struct report *r, const char *facet, const char *mechanism, bool active,
                               struct cordon_error *err);
cordon_status report_add_change(struct report *r, enum change_kind kind, const char *path, const char *from,
                                uint64_t bytes, struct cordon_error *err);
/* Equal operation and target are one entry, whose count grows; the first rule
 * and grant stay. Beyond LIMIT_REPORT_REFUSED entries or LIMIT_REPORT_REFUSED_BYTES
 * it only counts, in refusals_unlisted: the command decides what it tries, so
 * neither memory nor time may grow with it. NULL counts as "". */
cordon_status report_add_refusal(struct report *r, const struct refusal *refusal, uint64_t count,
                                 struct cordon_error *err);
cordon_status report_add_degraded(struct report *r, const char *facet, struct cordon_error *err);
cordon_status report_add_warning(struct report *r, struct cordon_error *err, const char *format, ...)
    CORDON_PRINTF(3, 4);
/* The same with words that are printable already. */
cordon_status report_add_warning_words(struct report *r, const char *words, struct cordon_error *err);
cordon_status report_add_network(struct report *r, const char *host, unsigned port, const char *verdict,
                                 struct cordon_error *err);

/* The whole report as indented JSON with a final newline. */
cordon_status report_to_json(const struct report *r, struct buf *out, struct cordon_error *err);

/* Status lines (--status-fd): one compact JSON object and a newline each. */
cordon_status status_started(const struct report *r, long pid, struct buf *out, struct cordon_error *err);
cordon_status status_ended(const struct outcome *o, struct buf *out, struct cordon_error *err);
cordon_status status_failed(const struct cordon_error *failure, struct buf *out, struct cordon_error *err);

/* --json-errors: {"error":{"status":…,"step":…,"os_code":…,"message":…}} in one line. */
cordon_status error_to_json(const struct cordon_error *failure, struct buf *out, struct cordon_error *err);

/* --changes: for people, at most `max` lines and a closing count. */
void report_changes_text(const struct report *r, size_t max, struct buf *out);

/* `cordon report`: the whole for people, short, every name escaped for a
 * terminal. Warnings and degraded facets are words that are printable already. */
void report_text(const struct report *r, struct buf *out);

const char *outcome_kind_name(enum outcome_kind k);
const char *change_kind_name(enum change_kind k);
const char *refused_observed_name(enum refused_observed o);

/* cordon's exit status for an outcome: the command's own, 128+N for a signal
 * or a limit, 123 guarded, 124 timed out, 125 failed. */
int outcome_exit_code(const struct outcome *o);

#endif
