/* decide.c - the meaning of a resolved policy (see decide.h and docs/policy.md).
 *
 * Pure. Called by the planners, by `explain` and by the tests that compare what
 * a kernel did with what was promised.
 */
#include "core/decide.h"

#include <stdlib.h>
#include <string.h>

#include "core/limits.h"

void resolved_init(struct resolved *r)
{
    memset(r, 0, sizeof *r);
}

static void rule_release(struct rule *rule)
{
    free((char *)rule->path);
    free((char *)rule->backing);
    free((char *)rule->origin);
}

static void grant_release(struct socket_grant *grant)
{
    free((char *)grant->path);
    free((char *)grant->origin);
}

void resolved_release(struct resolved *r)
{
    for (size_t i = 0; i < r->count; i++)
        rule_release(&r->items[i]);
    for (size_t i = 0; i < r->socket_count; i++)
        grant_release(&r->sockets[i]);
    free(r->sockets);
    free(r->items);
    free(r->workspace);
    resolved_init(r);
}

cordon_status resolved_add(struct resolved *r, const struct rule *rule, struct cordon_error *err)
{
    if (r->count >= LIMIT_RULES)
        return error_set(err, CORDON_E_LIMIT, 0, "resolve.rules", "the policy names more than %d paths",
                         LIMIT_RULES);
    if (r->count == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 32;
        struct rule *items = realloc(r->items, cap * sizeof *items);
        if (!items)
            return error_nomem(err, "resolve.rules");
        r->items = items;
        r->cap = cap;
    }
    struct rule copy = *rule;
    copy.path = string_copy(rule->path);
    copy.origin = string_copy(rule->origin ? rule->origin : "");
    copy.backing = rule->backing ? string_copy(rule->backing) : NULL;
    if (!copy.path || !copy.origin || (rule->backing && !copy.backing)) {
        rule_release(&copy);
        return error_nomem(err, "resolve.rules");
    }
    r->items[r->count++] = copy;
    return CORDON_OK;
}

cordon_status resolved_add_socket(struct resolved *r, const struct socket_grant *grant,
                                  struct cordon_error *err)
{
    struct socket_grant *sockets = realloc(r->sockets, (r->socket_count + 1) * sizeof *sockets);
    if (!sockets)
        return error_nomem(err, "resolve.rules");
    r->sockets = sockets;
    struct socket_grant copy = *grant;
    copy.path = string_copy(grant->path);
    copy.origin = string_copy(grant->origin ? grant->origin : "");
    if (!copy.path || !copy.origin) {
        grant_release(&copy);
        return error_nomem(err, "resolve.rules");
    }
    sockets[r->socket_count++] = copy;
    return CORDON_OK;
}

const struct socket_grant *decide_socket(const struct resolved *r, const char *path, uint64_t dev,
                                         uint64_t ino)
{
    for (size_t i = 0; i < r->socket_count; i++) {
        const struct socket_grant *grant = &r->sockets[i];
        if ((grant->dev == dev && grant->ino == ino) || path_equal(r->rules, grant->path, path))
            return grant;
    }
    return NULL;
}

/* qsort has no context argument, so the rules' path rules travel in the keys. */
struct sort_key {
    struct path_rules rules;
    struct rule rule;
    size_t index; /* equal keys keep their order: the first origin is the one shown */
};

static int compare_keys(const void *a, const void *b)
{
    const struct sort_key *x = a, *y = b;
    int order = path_compare(x->rules, x->rule.path, y->rule.path);
    if (order == 0)
        order = (int)x->rule.kind - (int)y->rule.kind;
    if (order == 0)
        order = x->index < y->index ? -1 : x->index > y->index;
    return order;
}

static int compare_objects(const void *a, const void *b)
{
    const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
    if (x->dev != y->dev)
        return x->dev < y->dev ? -1 : 1;
    if (x->ino != y->ino)
        return x->ino < y->ino ? -1 : 1;
    return 0;
}

/* One object under two names: both get the stricter kind, or the second name
 * would be the way around the first. */
static cordon_status unify_objects(struct resolved *r, struct cordon_error *err)
{
    struct rule **sorted = calloc(r->count ? r->count : 1, sizeof(struct rule *));
    if (!sorted)
        return error_nomem(err, "resolve.rules");
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++)
        if (r->items[i].ino != 0 && r->items[i].role != ROLE_TMP && r->items[i].role != ROLE_CACHE)
            sorted[n++] = &r->items[i];
    qsort(sorted, n, sizeof(struct rule *), compare_objects);
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        enum rule_kind strictest = sorted[i]->kind;
        for (; end < n && compare_objects(&sorted[i], &sorted[end]) == 0; end++)
            if (sorted[end]->kind < strictest)
                strictest = sorted[end]->kind;
        for (; i < end; i++)
            sorted[i]->kind = strictest;
    }
    free(sorted);
    return CORDON_OK;
}

const struct rule *resolved_at(const struct resolved *r, const char *path)
{
    size_t low = 0, high = r->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = path_compare(r->rules, r->items[middle].path, path);
        if (order == 0)
            return &r->items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* The nearest effective rule at or above path[0..len). */
static const struct rule *find_above(const struct resolved *r, const char *path, size_t len)
{
    char prefix[LIMIT_PATH_BYTES + 1];
    if (len > LIMIT_PATH_BYTES)
        return NULL;
    memcpy(prefix, path, len);
    for (;;) {
        prefix[len] = '\0';
        const struct rule *rule = resolved_at(r, prefix);
        if (rule && !rule->redundant)
            return rule;
        size_t parent = path_parent_length(r->rules.style, prefix);
        if (parent >= len)
            return NULL;
        len = parent;
    }
}

const struct rule *resolved_find(const struct resolved *r, const char *path)
{
    return find_above(r, path, strlen(path));
}

const struct rule *resolved_enclosing(const struct resolved *r, const char *path)
{
    size_t parent = path_parent_length(r->rules.style, path);
    return parent < strlen(path) ? find_above(r, path, parent) : NULL;
}

/* What changes nothing: a plain write root inside a plain write root, a hidden
 * or protected path inside a hidden one (also so that what lies in the protected
 * one sees the hidden one above it), an absent name where nothing could make it, and a
 * protected or hidden thing of a directory that the command sees a private
 * version of.
 * Sorted order puts the enclosing one first, so one pass suffices. */
static void mark_redundant(struct resolved *r)
{
    for (size_t i = 0; i < r->count; i++) {
        struct rule *rule = &r->items[i];
        const struct rule *above = resolved_enclosing(r, rule->path);
        bool in_root = above && above->kind == RULE_WRITE;
        bool in_private = above && (above->role == ROLE_TMP || above->role == ROLE_CACHE);
        if (rule->kind == RULE_PROTECT)
            rule->redundant = in_private || ((rule->absent_name || rule->watched) && !in_root) ||
                              (above && above->kind == RULE_DENY_READ);
        else if (rule->kind == RULE_DENY_READ)
            rule->redundant =
                in_private || (rule->role == ROLE_PLAIN && above && above->kind == RULE_DENY_READ);
        else if (rule->kind == RULE_WRITE && rule->role == ROLE_PLAIN && !rule->backing &&
                 (rule->type == OBJECT_DIRECTORY || rule->type == OBJECT_FILE))
            rule->redundant = in_root && (above->role == ROLE_PLAIN || above->role == ROLE_VISIBLE);
    }
}

cordon_status resolved_finish(struct resolved *r, struct cordon_error *err)
{
    struct sort_key *keys = calloc(r->count ? r->count : 1, sizeof *keys);
    if (!keys)
        return error_nomem(err, "resolve.rules");
    cordon_status status = unify_objects(r, err);
    if (status) {
        free(keys);
        return status;
    }
    for (size_t i = 0; i < r->count; i++)
        keys[i] = (struct sort_key){r->rules, r->items[i], i};
    qsort(keys, r->count, sizeof *keys, compare_keys);
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (kept && path_equal(r->rules, r->items[kept - 1].path, keys[i].rule.path))
            rule_release(&keys[i].rule); /* the stricter one came first */
        else
            r->items[kept++] = keys[i].rule;
    }
    r->count = kept;
    free(keys);
    mark_redundant(r);
    return CORDON_OK;
}

bool resolved_is_pinned(const struct resolved *r, const char *path, const struct rule **by)
{
    size_t low = 0, high = r->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (path_compare(r->rules, r->items[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < r->count && path_is_within(r->rules, path, r->items[low].path); low++) {
        if (r->items[low].redundant)
            continue;
        if (by)
            *by = &r->items[low];
        return true;
    }
    return false;
}

static struct verdict denied(enum decide_reason reason, const struct rule *rule, const char *facet)
{
    return (struct verdict){false, reason, rule, facet};
}

static struct verdict decide_write(const struct rule *rule)
{
    if (!rule)
        return denied(REASON_DEFAULT_WRITE, NULL, "write");
    switch (rule->kind) {
    case RULE_DENY_READ:
        return denied(REASON_DENY_READ, rule, "deny-read");
    case RULE_PROTECT:
        return denied(rule->watched ? REASON_GUARDED : REASON_PROTECT, rule, "protect");
    case RULE_READ:
        return denied(REASON_READ_ONLY, rule, "write");
    case RULE_COW:
        return (struct verdict){true, REASON_COW, rule, "write"};
    case RULE_WRITE:
        break;
    }
    return (struct verdict){true, REASON_WRITE, rule, rule->role == ROLE_TMP ? "tmp" : "write"};
}

struct verdict decide(const struct resolved *r, const char *path, enum decide_op op)
{
    const struct rule *rule = resolved_find(r, path);
    if (op == OP_READ) {
        while (rule && rule->kind == RULE_PROTECT) /* says nothing of reading */
            rule = resolved_enclosing(r, rule->path);
        if (rule && rule->kind == RULE_DENY_READ)
            return denied(REASON_DENY_READ, rule, "deny-read");
        return (struct verdict){true, REASON_DEFAULT_READ, NULL, "deny-read"};
    }
    struct verdict verdict = decide_write(rule);
    const struct rule *pin = NULL;
    if (verdict.allowed && op != OP_WRITE && resolved_is_pinned(r, path, &pin))
        return denied(REASON_PINNED, pin, pin->kind == RULE_WRITE ? "write" : "protect");
    return verdict;
}

bool decide_is_replaced(const struct resolved *r, const char *path)
{
    const struct rule *rule = resolved_find(r, path);
    return rule && rule->role == ROLE_TMP && !path_equal(r->rules, rule->path, path);
}

struct verdict decide_outside(const struct resolved *r, const char *path, enum decide_op op)
{
    if (op != OP_CREATE && decide_is_replaced(r, path))
        return (struct verdict){false, REASON_PRIVATE, resolved_find(r, path), "tmp-view"};
    return decide(r, path, op);
}

struct verdict_host decide_host(const struct resolved *r, const char *host, unsigned port)
{
    (void)host;
    (void)port;
    switch (r->net) {
    case NET_ON:
        return (struct verdict_host){true, "the network is on"};
    case NET_FILTERED:
        return (struct verdict_host){false, "the filtered network is not in this version"};
    case NET_OFF:
        break;
    }
    return (struct verdict_host){false, "the network is off: only loopback inside the sandbox exists"};
}

const char *rule_kind_name(enum rule_kind kind)
{
    static const char *const names[] = {"deny_read", "protect", "cow", "write", "read"};
    return names[kind];
}

const char *decide_op_name(enum decide_op op)
{
    static const char *const names[] = {"read", "write", "create", "remove"};
    return names[op];
}

const char *decide_reason_text(enum decide_reason why)
{
    static const char *const texts[] = {
        [REASON_DEFAULT_WRITE] = "it lies outside every writable root",
        [REASON_DENY_READ] = "deny_read hides it",
        [REASON_PROTECT] = "it is protected",
        [REASON_GUARDED] = ("it is protected and absent: made all the same, it ends the command (exit "
                            "status 123) and goes to quarantine"),
        [REASON_READ_ONLY] = "it is kept visible for reading only",
        [REASON_PINNED] = "a rule names it or something below it, so it cannot be made, renamed or removed",
        [REASON_DEFAULT_READ] = "reads are allowed",
        [REASON_WRITE] = "it lies under a writable root",
        [REASON_COW] = "writes go to a private copy",
        [REASON_PRIVATE] = "a private directory stands in its place; --read keeps it visible",
    };
    return texts[why];
}
