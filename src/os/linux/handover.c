/* handover.c - see handover.h. Used in the library's caller and in cordon-warden,
 * outside, as the user. One walk for both directions, so that they cannot differ.
 */
#include "os/linux/handover.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 16u

struct walk {
    struct buf *out; /* writing; else NULL */
    char *next, *end;
    bool failed;
};

static size_t padding(size_t bytes)
{
    return (ALIGNMENT - bytes % ALIGNMENT) % ALIGNMENT;
}

/* What the pointer at `slot` points to, `count` elements of `size` bytes. Writing:
 * appends it. Reading: takes it, and sets the pointer. NULL stays NULL. */
static void *block(struct walk *w, void *slot, size_t count, size_t size)
{
    void *target;
    memcpy(&target, slot, sizeof target);
    if (w->failed || !target)
        return NULL;
    if (count > HANDOVER_BYTES / size) {
        w->failed = true;
        if (w->out)
            w->out->failed = true;
        return NULL;
    }
    size_t bytes = count * size;
    if (w->out) {
        static const char zeros[ALIGNMENT];
        buf_add(w->out, target, bytes);
        buf_add(w->out, zeros, padding(bytes));
        return target;
    }
    if (bytes + padding(bytes) > (size_t)(w->end - w->next)) {
        w->failed = true;
        return NULL;
    }
    target = w->next;
    w->next += bytes + padding(bytes);
    memcpy(slot, &target, sizeof target);
    return target;
}

static void string(struct walk *w, void *slot)
{
    const char *text;
    memcpy(&text, slot, sizeof text);
    if (w->failed || !text)
        return;
    if (!w->out) {
        text = w->next;
        if (!memchr(text, '\0', (size_t)(w->end - w->next))) {
            w->failed = true;
            return;
        }
    }
    block(w, slot, strlen(text) + 1, 1);
}

/* A NULL-terminated array of strings. */
static void strings(struct walk *w, void *slot)
{
    char **list;
    size_t count = 0;
    memcpy(&list, slot, sizeof list);
    if (w->failed || !list)
        return;
    size_t room = w->out ? SIZE_MAX : (size_t)(w->end - w->next) / sizeof *list;
    list = w->out ? list : (char **)(void *)w->next;
    while (count < room && list[count])
        count++;
    if (count == room) {
        w->failed = true;
        return;
    }
    list = block(w, slot, count + 1, sizeof *list);
    for (size_t i = 0; list && i < count; i++)
        string(w, &list[i]);
}

static void walk_plan(struct walk *w, struct linux_plan *plan)
{
    struct mount_op *mounts = block(w, &plan->mounts, plan->mount_count, sizeof *mounts);
    for (size_t i = 0; mounts && !w->failed && i < plan->mount_count; i++) {
        string(w, &mounts[i].source);
        string(w, &mounts[i].target);
        string(w, &mounts[i].step);
        if (!w->out)
            mounts[i].why = mounts[i].origin = NULL; /* words for people stay behind */
    }
    struct landlock_rule *rules = block(w, &plan->rules, plan->rule_count, sizeof *rules);
    for (size_t i = 0; rules && !w->failed && i < plan->rule_count; i++) {
        string(w, &rules[i].path);
        if (!w->out)
            rules[i].why = NULL;
    }
    block(w, &plan->filter.insns, plan->filter.count, sizeof *plan->filter.insns);
    block(w, &plan->plain_filter.insns, plan->plain_filter.count, sizeof *plan->plain_filter.insns);
    string(w, &plan->cwd);
}

static void walk_sockets(struct walk *w, void *slot, size_t count)
{
    struct socket_grant *sockets = block(w, slot, count, sizeof *sockets);
    for (size_t i = 0; sockets && !w->failed && i < count; i++) {
        string(w, &sockets[i].path);
        string(w, &sockets[i].origin);
    }
}

static void walk_supervision(struct walk *w, struct supervision *s)
{
    struct resolved *resolved = block(w, &s->resolved, 1, sizeof *resolved);
    if (resolved) {
        string(w, &resolved->workspace);
        struct rule *rules = block(w, &resolved->items, resolved->count, sizeof *rules);
        for (size_t i = 0; rules && !w->failed && i < resolved->count; i++) {
            string(w, &rules[i].path);
            string(w, &rules[i].backing);
            string(w, &rules[i].origin);
        }
        walk_sockets(w, &resolved->sockets, resolved->socket_count);
    }
    walk_sockets(w, &s->sockets, s->socket_count);
    string(w, &s->state);
}

static void walk_order(struct walk *w, struct handover_order *order)
{
    walk_plan(w, &order->plan);
    strings(w, &order->environment);
    walk_supervision(w, &order->supervision);
}

static void walk_result(struct walk *w, struct handover_result *result)
{
    string(w, &result->outcome.limit);
    struct report_refusal *refusals = block(w, &result->refusals, result->refusal_count, sizeof *refusals);
    for (size_t i = 0; refusals && !w->failed && i < result->refusal_count; i++) {
        string(w, &refusals[i].operation);
        string(w, &refusals[i].target);
        string(w, &refusals[i].rule);
        string(w, &refusals[i].suggested_grant);
    }
    strings(w, &result->warnings);
}

/* Arrays that are absent and counted, counted and absent: nothing may be read there. */
static bool is_whole(const struct handover_order *order)
{
    const struct linux_plan *plan = &order->plan;
    const struct supervision *s = &order->supervision;
    const struct resolved *resolved = s->resolved;
    return order->environment && plan->cwd && plan->filter.insns && (plan->mounts || !plan->mount_count) &&
           (plan->rules || !plan->rule_count) && (plan->plain_filter.insns || !plan->plain_filter.count) &&
           (s->sockets || !s->socket_count) && resolved && resolved->workspace &&
           (resolved->items || !resolved->count) && (resolved->sockets || !resolved->socket_count);
}

void handover_write_order(struct buf *out, const struct handover_order *order)
{
    struct walk w = {.out = out};
    /* Written and not read: the walk changes nothing that it is given to write. */
    struct handover_order *root = (struct handover_order *)(uintptr_t)order;
    if (block(&w, &root, 1, sizeof *root))
        walk_order(&w, root);
}

void handover_write_result(struct buf *out, const struct handover_result *result)
{
    struct walk w = {.out = out};
    struct handover_result *root = (struct handover_result *)(uintptr_t)result;
    if (block(&w, &root, 1, sizeof *root))
        walk_result(&w, root);
}

struct handover_order *handover_read_order(void *bytes, size_t size)
{
    struct walk w = {.next = bytes, .end = (char *)bytes + size};
    struct handover_order *root = bytes;
    if (!block(&w, &root, 1, sizeof *root))
        return NULL;
    walk_order(&w, root);
    return w.failed || w.next != w.end || !is_whole(root) ? NULL : root;
}

struct handover_result *handover_read_result(void *bytes, size_t size)
{
    struct walk w = {.next = bytes, .end = (char *)bytes + size};
    struct handover_result *root = bytes;
    if (!block(&w, &root, 1, sizeof *root))
        return NULL;
    walk_result(&w, root);
    bool whole = root->warnings && (root->refusals || !root->refusal_count);
    return w.failed || w.next != w.end || !whole ? NULL : root;
}
