/* report_text.c - the report for people (see report.h). Pure.
 *
 * Everything is escaped for a terminal: what the command named, and in a report
 * that was read back anything at all, was chosen by somebody else.
 */
#include <string.h>

#include "core/report.h"
#include "core/utf.h"

#define SHOWN_FILES 24    /* more changes than that are grouped */
#define SHOWN_GROUPS 40   /* lines of groups */
#define SHOWN_REFUSALS 40 /* of the refusals */
#define SHOWN_WARNINGS 40
#define INDENT "          "

static void add_display(struct buf *out, const char *text)
{
    utf_escape_display(out, text, strlen(text));
}

static void add_count(struct buf *out, uint64_t count, const char *one, const char *many)
{
    buf_add_format(out, "%llu %s", (unsigned long long)count, count == 1 ? one : many);
}

/* -- what ran ---------------------------------------------------------------- */

/* As a shell would take it, but for what had to be escaped. */
static void add_word(struct buf *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%^";
    if (*word && !word[strspn(word, plain)]) {
        buf_add_string(out, word);
        return;
    }
    buf_add_char(out, '\'');
    for (const char *rest = word; *rest;) {
        size_t len = strcspn(rest, "'");
        if (len)
            utf_escape_display(out, rest, len);
        rest += len;
        if (*rest) {
            buf_add_string(out, "'\\''");
            rest++;
        }
    }
    buf_add_char(out, '\'');
}

static void add_command(struct buf *out, const struct report *r)
{
    size_t words = 0;
    buf_add_string(out, "ran       ");
    for (char *const *word = r->command; word && *word; word++, words++) {
        size_t start = out->len;
        if (words)
            buf_add_char(out, ' ');
        if (words < 40)
            add_word(out, *word);
        if (words == 40 || out->len - start > 400) {
            buf_add_string(out, " ...");
            break;
        }
    }
    buf_add_string(out, "\nin        ");
    add_display(out, r->workspace ? r->workspace : "");
    buf_add_char(out, '\n');
}

static void add_seconds(struct buf *out, uint64_t ms)
{
    buf_add_format(out, "%llu.%llu s", (unsigned long long)(ms / 1000),
                   (unsigned long long)(ms % 1000 / 100));
}

static void add_bytes(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (bytes >= 10240 && unit + 1 < sizeof units / sizeof *units) {
        bytes /= 1024;
        unit++;
    }
    buf_add_format(out, "%llu %s", (unsigned long long)bytes, units[unit]);
}

static void add_end(struct buf *out, const struct outcome *o)
{
    switch (o->kind) {
    case OUTCOME_EXITED:
        buf_add_format(out, "with exit code %d", o->code);
        break;
    case OUTCOME_SIGNALED:
        buf_add_format(out, "by signal %d", o->signal);
        break;
    case OUTCOME_LIMIT:
        buf_add_format(out, "by the %s limit", o->limit ? o->limit : "?");
        if (o->signal)
            buf_add_format(out, " (signal %d)", o->signal);
        break;
    case OUTCOME_TIMED_OUT:
        buf_add_string(out, "by the wall limit");
        break;
    case OUTCOME_GUARDED:
        buf_add_string(out, "by a guard (see the warnings)");
        break;
    case OUTCOME_FAILED:
        buf_add_string(out, "before it began: cordon itself failed, see the warnings");
        break;
    }
}

static void add_outcome(struct buf *out, const struct outcome *o)
{
    buf_add_string(out, "ended     ");
    add_end(out, o);
    if (o->kind == OUTCOME_FAILED) {
        buf_add_char(out, '\n');
        return;
    }
    buf_add_string(out, " after ");
    add_seconds(out, o->wall_ms);
    buf_add_string(out, "; CPU ");
    add_seconds(out, o->cpu_ms);
    buf_add_string(out, ", ");
    add_bytes(out, o->max_rss_bytes);
    buf_add_string(out, " in the largest process");
    if (o->processes >= 0) {
        buf_add_string(out, ", ");
        add_count(out, (uint64_t)o->processes, "process or thread", "processes and threads");
    }
    buf_add_char(out, '\n');
}

/* -- what changed ------------------------------------------------------------ */

struct counts {
    size_t of[CHANGE_RENAMED + 1];
};

static void add_counts(struct buf *out, const struct counts *counts)
{
    const char *separator = "";
    for (int kind = 0; kind <= CHANGE_RENAMED; kind++)
        if (counts->of[kind]) {
            buf_add_format(out, "%s%zu %s", separator, counts->of[kind],
                           change_kind_name((enum change_kind)kind));
            separator = ", ";
        }
}

/* Below the workspace, what follows it; else the whole path. */
static const char *below_workspace(const struct report *r, const char *path)
{
    size_t len = r->workspace ? strlen(r->workspace) : 0;
    if (len && strncmp(path, r->workspace, len) == 0 && path[len] == '/' && path[len + 1])
        return path + len + 1;
    return path;
}

/* How much of a path names its group: the first component below the workspace
 * when more follows (with the slash), else the directory. */
static size_t group_length(const char *shown)
{
    const char *slash = *shown == '/' ? strrchr(shown, '/') : strchr(shown, '/');
    return slash ? (size_t)(slash - shown) + 1 : 0;
}

static void add_each_change(struct buf *out, const struct report *r)
{
    for (size_t i = 0; i < r->changed_count; i++) {
        const struct report_change *change = &r->changed[i];
        buf_add_format(out, INDENT "%-8s ", change_kind_name(change->kind));
        if (change->from) {
            add_display(out, below_workspace(r, change->from));
            buf_add_string(out, " -> ");
        }
        add_display(out, below_workspace(r, change->path));
        buf_add_char(out, '\n');
    }
}

/* Neighbours of one group are one line: the list is sorted by path. */
static void add_groups(struct buf *out, const struct report *r)
{
    size_t lines = 0;
    for (size_t i = 0; i < r->changed_count;) {
        const char *first = below_workspace(r, r->changed[i].path);
        size_t len = group_length(first), start = i;
        struct counts counts = {{0}};
        for (; i < r->changed_count; i++) {
            const char *shown = below_workspace(r, r->changed[i].path);
            if (group_length(shown) != len || strncmp(shown, first, len) != 0)
                break;
            counts.of[r->changed[i].kind]++;
        }
        if (lines++ == SHOWN_GROUPS) {
            buf_add_string(out, INDENT "... and ");
            add_count(out, r->changed_count - start, "more change", "more changes");
            buf_add_string(out, ", see --json\n");
            return;
        }
        buf_add_string(out, INDENT);
        if (i - start == 1)
            add_display(out, first);
        else if (len)
            utf_escape_display(out, first, len);
        else
            buf_add_string(out, "(at the top)");
        buf_add_string(out, ": ");
        add_counts(out, &counts);
        buf_add_char(out, '\n');
    }
}

static void add_changed(struct buf *out, const struct report *r)
{
    struct counts counts = {{0}};
    buf_add_string(out, "changed   ");
    if (!r->changed_computed) {
        buf_add_string(out,
                       "not compared: run with --report or --changes. Whether files with other names\n" INDENT
                       "outside (old hard links) were written is not known either.\n");
        return;
    }
    for (size_t i = 0; i < r->changed_count; i++)
        counts.of[r->changed[i].kind]++;
    if (r->changed_count)
        add_counts(out, &counts);
    else
        buf_add_string(out, "nothing");
    buf_add_char(out, '\n');
    if (r->changed_count <= SHOWN_FILES)
        add_each_change(out, r);
    else
        add_groups(out, r);
}

/* -- what was refused --------------------------------------------------------- */

static void add_refusal(struct buf *out, const struct report_refusal *entry)
{
    buf_add_string(out, INDENT);
    add_display(out, entry->operation);
    buf_add_char(out, ' ');
    add_display(out, entry->target);
    if (entry->count != 1)
        buf_add_format(out, " (%llu times)", (unsigned long long)entry->count);
    buf_add_string(out, "\n" INDENT "    ");
    if (entry->rule) {
        buf_add_string(out, "refused by ");
        add_display(out, entry->rule);
        buf_add_string(out, "; ");
    }
    if (entry->suggested_grant) {
        buf_add_string(out, "to allow it: ");
        add_display(out, entry->suggested_grant);
    } else {
        buf_add_string(out, "no option allows it");
    }
    buf_add_char(out, '\n');
}

static void add_refused(struct buf *out, const struct report *r)
{
    static const char *const observed[] = {
        "not observed: what the kernel refused left no record (run with --trace)",
        "sockets were observed, nothing else (run with --trace)",
        "all that --trace watches was observed",
    };
    uint64_t count = r->refusals_unlisted;
    for (size_t i = 0; i < r->refusal_count; i++)
        count = r->refusals[i].count > UINT64_MAX - count ? UINT64_MAX : count + r->refusals[i].count;
    buf_add_string(out, "refused   ");
    if (count || r->observed != OBSERVED_NONE)
        buf_add_format(out, "%llu; ", (unsigned long long)count);
    buf_add_format(out, "%s\n", observed[r->observed]);
    for (size_t i = 0; i < r->refusal_count && i < SHOWN_REFUSALS; i++)
        add_refusal(out, &r->refusals[i]);
    if (r->refusal_count > SHOWN_REFUSALS)
        buf_add_format(out, INDENT "... and %zu more kinds, see --json\n", r->refusal_count - SHOWN_REFUSALS);
    if (r->refusals_unlisted)
        buf_add_format(out, INDENT "and %llu that the report does not list, for there were too many kinds\n",
                       (unsigned long long)r->refusals_unlisted);
    for (size_t i = 0; i < r->network_count && i < SHOWN_REFUSALS; i++) {
        buf_add_string(out, i ? INDENT : "network   ");
        add_display(out, r->network[i].verdict);
        buf_add_char(out, ' ');
        add_display(out, r->network[i].host);
        buf_add_format(out, ":%u\n", r->network[i].port);
    }
    if (r->network_count > SHOWN_REFUSALS)
        buf_add_format(out, INDENT "... and %zu more, see --json\n", r->network_count - SHOWN_REFUSALS);
}

/* -- what held ---------------------------------------------------------------- */

/* The facets that were not enforced, a limit of this run's (which it needs only
 * where one is set) or the others. */
static void add_inactive(struct buf *out, const struct report *r, bool limits, const char *words)
{
    static const char prefix[] = "limit-";
    const char *separator = words;
    for (size_t i = 0; i < r->layer_count; i++) {
        const struct report_layer *layer = &r->layers[i];
        if (layer->active || limits != (strncmp(layer->facet, prefix, sizeof prefix - 1) == 0))
            continue;
        buf_add_string(out, separator);
        add_display(out, layer->facet + (limits ? sizeof prefix - 1 : 0));
        if (!limits) {
            buf_add_string(out, " (");
            add_display(out, layer->mechanism);
            buf_add_char(out, ')');
        }
        separator = ", ";
    }
}

static void add_layers(struct buf *out, const struct report *r)
{
    size_t active = 0;
    for (size_t i = 0; i < r->layer_count; i++)
        active += r->layers[i].active;
    buf_add_string(out, "layers    ");
    add_count(out, active, "facet enforced", "facets enforced");
    add_inactive(out, r, false, "; not ");
    add_inactive(out, r, true, "; no limits to be had here of ");
    buf_add_char(out, '\n');
    for (size_t i = 0; i < r->degraded_count && i < SHOWN_WARNINGS; i++) {
        buf_add_string(out, i ? ", " : "degraded  ");
        buf_add_string(out, r->degraded[i]);
    }
    if (r->degraded_count)
        buf_add_string(out, ", as --allow-degraded accepted\n");
}

void report_text(const struct report *r, struct buf *out)
{
    add_command(out, r);
    add_outcome(out, &r->outcome);
    add_changed(out, r);
    add_refused(out, r);
    add_layers(out, r);
    for (size_t i = 0; i < r->warning_count && i < SHOWN_WARNINGS; i++)
        buf_add_format(out, "warning   %s\n", r->warnings[i]);
    if (r->warning_count > SHOWN_WARNINGS)
        buf_add_format(out, INDENT "... and %zu more warnings, see --json\n",
                       r->warning_count - SHOWN_WARNINGS);
}
