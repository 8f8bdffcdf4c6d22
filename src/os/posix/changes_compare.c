/* changes_compare.c - what differs between two walks (see changes.h). Pure but for its data.
 *
 * Three passes. Names that both trees have are paired, from the roots down.
 * What is left over on both sides is paired by object: renamed; and what lies
 * below a renamed directory again by name. Then both trees are read together
 * in the order of paths, and what has no partner, or one that differs, is a
 * change.
 */
#include "os/posix/changes.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/limits.h"
#include "core/path.h"

#define STEP "changes.walk"
#define NAMED_LINKS 20 /* files with names elsewhere that warnings name one by one */

struct identity {
    uint64_t dev, ino;
    uint32_t entry;
    uint32_t paired; /* of the first of an object: how many from here on have a partner */
};

struct pair {
    uint32_t before, after;
};

struct comparison {
    const struct changes *before, *after;
    uint32_t *to_after, *to_before; /* the partner, or CHANGES_NONE */
    struct pair *pending;           /* directories whose children are still to be paired */
    size_t pending_count, pending_cap;
    struct report *report;
    size_t found; /* changes, also those that did not fit */
    size_t path_bytes;
    struct identity *links; /* of `before`: all names of files that have several; NULL: not made yet */
    size_t link_count;
    size_t linked; /* touched files with names elsewhere */
};

static const char *name_of(const struct changes *c, uint32_t entry)
{
    return c->names.data + c->items[entry].name;
}

static bool is_directory(const struct change_entry *e)
{
    return S_ISDIR(e->mode);
}

static bool same_object(const struct change_entry *b, const struct change_entry *a)
{
    return b->dev == a->dev && b->ino == a->ino && (b->mode & S_IFMT) == (a->mode & S_IFMT);
}

/* Names of roots are paths: components count, as they were sorted. */
static int compare_names(const char *a, const char *b, bool roots)
{
    return roots ? path_compare((struct path_rules){PATH_POSIX, false}, a, b) : strcmp(a, b);
}

/* -- pairing -------------------------------------------------------------- */

static cordon_status pair_up(struct comparison *x, uint32_t before, uint32_t after, struct cordon_error *err)
{
    const struct change_entry *b = &x->before->items[before], *a = &x->after->items[after];
    x->to_after[before] = after;
    x->to_before[after] = before;
    if (!is_directory(b) || !is_directory(a) || b->unread || a->unread)
        return CORDON_OK;
    if (x->pending_count == x->pending_cap) {
        size_t cap = x->pending_cap ? 2 * x->pending_cap : 64;
        struct pair *pending = realloc(x->pending, cap * sizeof *pending);
        if (!pending)
            return error_nomem(err, STEP);
        x->pending = pending;
        x->pending_cap = cap;
    }
    x->pending[x->pending_count++] = (struct pair){before, after};
    return CORDON_OK;
}

/* Pairs equal names of two sorted ranges of siblings that have no partner yet. */
static cordon_status pair_range(struct comparison *x, uint32_t b, uint32_t b_end, uint32_t a, uint32_t a_end,
                                bool roots, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    while (b < b_end && a < a_end && status == CORDON_OK) {
        int order = compare_names(name_of(x->before, b), name_of(x->after, a), roots);
        if (order == 0 && x->to_after[b] == CHANGES_NONE && x->to_before[a] == CHANGES_NONE)
            status = pair_up(x, b, a, err);
        b += order <= 0;
        a += order >= 0;
    }
    return status;
}

static cordon_status pair_pending(struct comparison *x, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    while (x->pending_count > 0 && status == CORDON_OK) {
        struct pair next = x->pending[--x->pending_count];
        const struct change_entry *b = &x->before->items[next.before], *a = &x->after->items[next.after];
        status = pair_range(x, b->first, b->first + b->count, a->first, a->first + a->count, false, err);
    }
    return status;
}

/* -- renames -------------------------------------------------------------- */

/* A child that is in both, under its name: so it is the same directory. */
static bool shares_child(const struct comparison *x, const struct change_entry *b,
                         const struct change_entry *a)
{
    uint32_t i = b->first, i_end = b->first + b->count, k = a->first, k_end = a->first + a->count;
    while (i < i_end && k < k_end) {
        int order = strcmp(name_of(x->before, i), name_of(x->after, k));
        if (order == 0 && same_object(&x->before->items[i], &x->after->items[k]))
            return true;
        i += order <= 0;
        k += order >= 0;
    }
    return false;
}

/* A number that was used again for another object does not count (changes.h). */
static bool is_renamed(const struct comparison *x, uint32_t before, uint32_t after)
{
    const struct change_entry *b = &x->before->items[before], *a = &x->after->items[after];
    if (x->to_after[before] != CHANGES_NONE || !same_object(b, a))
        return false;
    if (b->btime && a->btime)
        return b->btime == a->btime;
    if (b->mtime == a->mtime && b->size == a->size)
        return true;
    return is_directory(b) && shares_child(x, b, a);
}

static int by_identity(const void *left, const void *right)
{
    const struct identity *a = left, *b = right;
    if (a->dev != b->dev)
        return a->dev < b->dev ? -1 : 1;
    if (a->ino != b->ino)
        return a->ino < b->ino ? -1 : 1;
    return a->entry < b->entry ? -1 : a->entry > b->entry;
}

/* The first of the sorted identities that is not less than (dev, ino). */
static size_t lower_bound(const struct identity *gone, size_t count, const struct change_entry *e)
{
    struct identity wanted = {e->dev, e->ino, 0, 0};
    size_t low = 0;
    while (count > 0) {
        size_t half = count / 2;
        if (by_identity(&gone[low + half], &wanted) < 0) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

static cordon_status pair_renamed(struct comparison *x, struct cordon_error *err)
{
    size_t count = 0;
    cordon_status status = CORDON_OK;
    struct identity *gone = malloc((x->before->count + 1) * sizeof *gone);
    if (!gone)
        return error_nomem(err, STEP);
    for (uint32_t i = 0; i < x->before->count; i++)
        if (x->to_after[i] == CHANGES_NONE)
            gone[count++] = (struct identity){x->before->items[i].dev, x->before->items[i].ino, i, 0};
    qsort(gone, count, sizeof *gone, by_identity);
    /* A directory comes before its children in the array, so a renamed one takes them along. */
    for (uint32_t after = 0; after < x->after->count && status == CORDON_OK; after++) {
        const struct change_entry *a = &x->after->items[after];
        if (x->to_before[after] != CHANGES_NONE)
            continue;
        /* One object may have as many names as there are entries: those that are paired
         * are passed over in one step, and one that does not fit speaks for all. */
        size_t first = lower_bound(gone, count, a), i = first;
        if (first == count || gone[first].dev != a->dev || gone[first].ino != a->ino)
            continue;
        i += gone[first].paired;
        while (i < count && gone[i].dev == a->dev && gone[i].ino == a->ino &&
               x->to_after[gone[i].entry] != CHANGES_NONE)
            i++;
        gone[first].paired = (uint32_t)(i - first);
        if (i == count || gone[i].dev != a->dev || gone[i].ino != a->ino ||
            !is_renamed(x, gone[i].entry, after))
            continue;
        status = pair_up(x, gone[i].entry, after, err);
        if (status == CORDON_OK)
            status = pair_pending(x, err);
    }
    free(gone);
    return status;
}

/* -- the changes ---------------------------------------------------------- */

static cordon_status emit(struct comparison *x, enum change_kind kind, const struct buf *path,
                          const char *from, uint64_t bytes, struct cordon_error *err)
{
    size_t length = path->len + (from ? strlen(from) : 0);
    /* The first that does not fit ends the list: what it has is then all there is up to a path. */
    if (x->found++ != x->report->changed_count || x->report->changed_count >= LIMIT_REPORT_CHANGED ||
        length > LIMIT_REPORT_PATHS - x->path_bytes)
        return CORDON_OK;
    x->path_bytes += length;
    return report_add_change(x->report, kind, path->data, from, bytes, err);
}

static bool is_modified(const struct change_entry *b, const struct change_entry *a)
{
    if (!same_object(b, a) || b->mode != a->mode || b->uid != a->uid || b->gid != a->gid)
        return true;
    /* A directory's size and times follow from its children, which are compared themselves. */
    return !is_directory(a) && (b->size != a->size || b->mtime != a->mtime || b->ctime != a->ctime);
}

static cordon_status emit_after(struct comparison *x, uint32_t after, const struct buf *path,
                                struct cordon_error *err)
{
    const struct change_entry *a = &x->after->items[after], *b;
    struct buf from = BUF_INIT;
    uint32_t before = x->to_before[after];
    if (before == CHANGES_NONE)
        return emit(x, CHANGE_CREATED, path, NULL, a->size, err);
    b = &x->before->items[before];
    bool in_place = b->parent == CHANGES_NONE || a->parent == CHANGES_NONE
                        ? b->parent == a->parent
                        : x->to_after[b->parent] == a->parent;
    if (in_place && strcmp(name_of(x->before, before), name_of(x->after, after)) == 0)
        return is_modified(b, a) ? emit(x, CHANGE_MODIFIED, path, NULL, a->size, err) : CORDON_OK;
    changes_path(x->before, before, &from);
    cordon_status status =
        buf_failed(&from) ? error_nomem(err, STEP) : emit(x, CHANGE_RENAMED, path, from.data, a->size, err);
    buf_release(&from);
    return status;
}

/* -- old hard links -------------------------------------------------------- */

static bool has_names(const struct change_entry *e)
{
    return S_ISREG(e->mode) && e->nlink > 1;
}

static cordon_status find_links(struct comparison *x, struct cordon_error *err)
{
    size_t count = 0;
    for (uint32_t i = 0; i < x->before->count; i++)
        count += has_names(&x->before->items[i]);
    x->links = malloc((count + 1) * sizeof *x->links);
    if (!x->links)
        return error_nomem(err, STEP);
    for (uint32_t i = 0; i < x->before->count; i++)
        if (has_names(&x->before->items[i]))
            x->links[x->link_count++] =
                (struct identity){x->before->items[i].dev, x->before->items[i].ino, i, 0};
    qsort(x->links, x->link_count, sizeof *x->links, by_identity);
    return CORDON_OK;
}

/* A write cannot hide: the command can set the time of modification back, but
 * not that of change. Nor can removing the name afterwards, so a name that is
 * gone counts too, though it may just have been removed. */
static cordon_status check_links(struct comparison *x, uint32_t before, const struct buf *path,
                                 struct cordon_error *err)
{
    const struct change_entry *b = &x->before->items[before], *a;
    uint32_t after = x->to_after[before];
    if (!has_names(b))
        return CORDON_OK;
    a = after == CHANGES_NONE ? NULL : &x->after->items[after];
    if (a && same_object(b, a) && !is_modified(b, a))
        return CORDON_OK;
    cordon_status status = x->links ? CORDON_OK : find_links(x, err);
    if (status != CORDON_OK)
        return status;
    size_t first = lower_bound(x->links, x->link_count, b), end = first;
    while (end < x->link_count && end - first < b->nlink && x->links[end].dev == b->dev &&
           x->links[end].ino == b->ino)
        end++;
    if (end - first >= b->nlink || x->linked++ >= NAMED_LINKS)
        return CORDON_OK;
    return report_add_warning(x->report, err,
                              "%s has %lu other name%s, outside of what was compared (an old hard link): if "
                              "it was written, so were they",
                              path->data, (unsigned long)(b->nlink - (end - first)),
                              b->nlink - (end - first) == 1 ? "" : "s");
}

/* Siblings of one directory that are still to be read, on both sides. */
struct cursor {
    uint32_t b, b_end, a, a_end;
    size_t path_length; /* of the directory */
};

/* Children that are known on one side only say nothing of what changed. */
static bool is_comparable(const struct comparison *x, uint32_t before, uint32_t after)
{
    if (before == CHANGES_NONE && after != CHANGES_NONE)
        before = x->to_before[after];
    if (after == CHANGES_NONE)
        after = x->to_after[before];
    return before == CHANGES_NONE || after == CHANGES_NONE ||
           !(x->before->items[before].unread || x->after->items[after].unread);
}

static struct cursor children_of(const struct comparison *x, uint32_t before, uint32_t after,
                                 size_t path_length)
{
    struct cursor below = {0, 0, 0, 0, path_length};
    if (!is_comparable(x, before, after))
        return below;
    if (before != CHANGES_NONE) {
        below.b = x->before->items[before].first;
        below.b_end = below.b + x->before->items[before].count;
    }
    if (after != CHANGES_NONE) {
        below.a = x->after->items[after].first;
        below.a_end = below.a + x->after->items[after].count;
    }
    return below;
}

/* Both trees together, by path. */
static cordon_status emit_all(struct comparison *x, struct cordon_error *err)
{
    struct cursor *stack = malloc((CHANGES_MAX_DEPTH + 3) * sizeof *stack);
    struct buf path = BUF_INIT;
    cordon_status status = stack ? CORDON_OK : error_nomem(err, STEP);
    size_t depth = 0;
    buf_add_string(&path, "");
    if (stack)
        stack[depth++] =
            (struct cursor){0, (uint32_t)x->before->root_count, 0, (uint32_t)x->after->root_count, 0};
    while (depth > 0 && status == CORDON_OK) {
        struct cursor *at = &stack[depth - 1];
        buf_truncate(&path, at->path_length);
        if (at->b >= at->b_end && at->a >= at->a_end) {
            depth--;
            continue;
        }
        int order = at->b >= at->b_end ? 1
                    : at->a >= at->a_end
                        ? -1
                        : compare_names(name_of(x->before, at->b), name_of(x->after, at->a), depth == 1);
        uint32_t before = order <= 0 ? at->b++ : CHANGES_NONE, after = order >= 0 ? at->a++ : CHANGES_NONE;
        if (depth > 1 && path.len > 1)
            buf_add_char(&path, '/');
        buf_add_string(&path, order <= 0 ? name_of(x->before, before) : name_of(x->after, after));
        if (buf_failed(&path)) {
            status = error_nomem(err, STEP);
            break;
        }
        if (after != CHANGES_NONE)
            status = emit_after(x, after, &path, err);
        else if (x->to_after[before] == CHANGES_NONE)
            status = emit(x, CHANGE_DELETED, &path, NULL, x->before->items[before].size, err);
        if (before != CHANGES_NONE && status == CORDON_OK)
            status = check_links(x, before, &path, err);
        stack[depth++] = children_of(x, before, after, path.len);
    }
    buf_release(&path);
    free(stack);
    return status;
}

/* -- what makes the list incomplete ---------------------------------------- */

static cordon_status warn_of_directories(struct report *report, const struct changes *before,
                                         const struct changes *after, struct cordon_error *err)
{
    const struct changes *worse = before->unread_count > after->unread_count ? before : after;
    cordon_status status = CORDON_OK;
    if (worse->unread_count)
        status = report_add_warning(
            report, err, "`changed` is incomplete: %zu director%s could not be read, for example %s",
            worse->unread_count, worse->unread_count == 1 ? "y" : "ies",
            worse->unread_path ? worse->unread_path : "(out of memory)");
    worse = before->deep_count > after->deep_count ? before : after;
    if (worse->deep_count && status == CORDON_OK)
        status = report_add_warning(
            report, err,
            "`changed` is incomplete: %zu director%s not looked into (more than %d levels deep, or a path "
            "longer than %d bytes), for example %.200s...",
            worse->deep_count, worse->deep_count == 1 ? "y was" : "ies were", CHANGES_MAX_DEPTH,
            LIMIT_PATH_BYTES, worse->deep_path ? worse->deep_path : "(out of memory)");
    return status;
}

static cordon_status warn(const struct comparison *x, struct cordon_error *err)
{
    struct report *report = x->report;
    cordon_status status = warn_of_directories(report, x->before, x->after, err);
    if (status == CORDON_OK && (x->before->full || x->after->full))
        status =
            report_add_warning(report, err,
                               "`changed` is incomplete: there are more than %zu files, the rest was not "
                               "looked at",
                               x->before->full ? x->before->max_entries : x->after->max_entries);
    if (status == CORDON_OK && x->linked > NAMED_LINKS)
        status =
            report_add_warning(report, err, "%zu more files have other names, outside of what was compared",
                               x->linked - NAMED_LINKS);
    if (status == CORDON_OK && x->found > report->changed_count)
        status = report_add_warning(report, err, "`changed` is incomplete: the first %zu of %zu changes",
                                    report->changed_count, x->found);
    return status;
}

cordon_status changes_compare(const struct changes *before, const struct changes *after,
                              struct report *report, struct cordon_error *err)
{
    struct comparison x = {.before = before, .after = after, .report = report};
    cordon_status status = CORDON_OK;
    x.to_after = malloc((before->count + 1) * sizeof *x.to_after);
    x.to_before = malloc((after->count + 1) * sizeof *x.to_before);
    if (!x.to_after || !x.to_before) {
        status = error_nomem(err, STEP);
        goto out;
    }
    memset(x.to_after, 0xff, before->count * sizeof *x.to_after); /* CHANGES_NONE */
    memset(x.to_before, 0xff, after->count * sizeof *x.to_before);
    if ((status = pair_range(&x, 0, (uint32_t)before->root_count, 0, (uint32_t)after->root_count, true,
                             err)) != CORDON_OK ||
        (status = pair_pending(&x, err)) != CORDON_OK || (status = pair_renamed(&x, err)) != CORDON_OK ||
        (status = emit_all(&x, err)) != CORDON_OK)
        goto out;
    report->changed_computed = true;
    status = warn(&x, err);
out:
    free(x.to_after);
    free(x.to_before);
    free(x.links);
    free(x.pending);
    return status;
}
