/* fuzz_handover.c - damaged handovers: the input says which bytes of a good one are
 * changed, and where it is cut. Whatever is accepted must lie in the bytes and be
 * writable again to the same length. */
#include <string.h>

#include "fuzz.h"
#include "os/linux/handover.h"

#define TEXT(s) ((char[]){s}) /* a string literal that may be pointed to by char * */

static char *words[] = {TEXT("PATH=/bin"), TEXT("HOME=/home/u"), NULL};
static struct mount_op mounts[] = {
    {.kind = MOUNT_CAPTURE, .source = "/w", .step = "linux.mount.root"},
    {.kind = MOUNT_ATTACH, .target = "/w", .step = "linux.mount.root"},
};
static struct landlock_rule landlock[] = {{.path = "/"}, {.path = "/w"}};
static struct bpf_insn insns[2];
static struct rule items[] = {{.path = "/w", .origin = "o"},
                              {.path = "/w/.git", .backing = "/b", .origin = "o"}};
static struct socket_grant sockets[] = {{.path = "/run/s", .origin = "o"}};
static struct report_refusal refusals[] = {
    {.operation = TEXT("connect"), .target = TEXT("/t"), .rule = TEXT("r"), .count = 2}};

static size_t count_text(const char *text)
{
    return text ? strlen(text) : 0;
}

static size_t touch_sockets(const struct socket_grant *s, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += count_text(s[i].path) + count_text(s[i].origin) + (size_t)s[i].ino;
    return sum;
}

static size_t touch_order(const struct handover_order *o)
{
    const struct linux_plan *plan = &o->plan;
    const struct resolved *r = o->supervision.resolved;
    size_t sum = count_text(plan->cwd) + count_text(r->workspace) + count_text(o->supervision.state);
    for (size_t i = 0; i < plan->mount_count; i++)
        sum += count_text(plan->mounts[i].source) + count_text(plan->mounts[i].target) +
               count_text(plan->mounts[i].step) + count_text(plan->mounts[i].why);
    for (size_t i = 0; i < plan->rule_count; i++)
        sum += count_text(plan->rules[i].path) + count_text(plan->rules[i].why);
    for (size_t i = 0; i < plan->filter.count; i++)
        sum += plan->filter.insns[i].k;
    for (size_t i = 0; o->environment[i]; i++)
        sum += count_text(o->environment[i]);
    for (size_t i = 0; i < r->count; i++)
        sum +=
            count_text(r->items[i].path) + count_text(r->items[i].backing) + count_text(r->items[i].origin);
    return sum + touch_sockets(r->sockets, r->socket_count) +
           touch_sockets(o->supervision.sockets, o->supervision.socket_count);
}

static size_t touch_result(const struct handover_result *r)
{
    size_t sum = count_text(r->outcome.limit);
    for (size_t i = 0; i < r->refusal_count; i++)
        sum += count_text(r->refusals[i].operation) + count_text(r->refusals[i].target) +
               count_text(r->refusals[i].rule) + count_text(r->refusals[i].suggested_grant);
    for (size_t i = 0; r->warnings[i]; i++)
        sum += count_text(r->warnings[i]);
    return sum;
}

/* Three bytes an edit; what is left over cuts. */
static size_t damage(struct buf *bytes, const uint8_t *data, size_t size)
{
    size_t i = 0;
    for (; i + 3 <= size; i += 3)
        bytes->data[(data[i] | (size_t)data[i + 1] << 8) % bytes->len] = (char)data[i + 2];
    return i < size ? bytes->len * data[i] / 255 : bytes->len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct resolved resolved = {
        .workspace = TEXT("/w"), .items = items, .count = 2, .sockets = sockets, .socket_count = 1};
    const struct handover_order order = {
        .plan = {.mounts = mounts,
                 .mount_count = 2,
                 .rules = landlock,
                 .rule_count = 2,
                 .filter = {insns, 2},
                 .cwd = TEXT("/w")},
        .environment = words,
        .supervision = {.resolved = &resolved, .sockets = sockets, .socket_count = 1, .state = "/s"}};
    const struct handover_result result = {
        .outcome = {.limit = "wall"}, .refusals = refusals, .refusal_count = 1, .warnings = words};
    volatile size_t sum = 0;
    for (int which = 0; which < 2; which++) {
        struct buf bytes = BUF_INIT, again = BUF_INIT;
        if (which)
            handover_write_result(&bytes, &result);
        else
            handover_write_order(&bytes, &order);
        FUZZ_CHECK(!buf_failed(&bytes));
        size_t left = damage(&bytes, data, size);
        char *exact = malloc(left ? left : 1); /* a sanitizer then sees a read behind the end */
        FUZZ_CHECK(exact);
        memcpy(exact, bytes.data, left);
        const struct handover_order *o = which ? NULL : handover_read_order(exact, left);
        const struct handover_result *r = which ? handover_read_result(exact, left) : NULL;
        FUZZ_CHECK(size || o || r); /* undamaged, it is read */
        if (o) {
            sum += touch_order(o);
            handover_write_order(&again, o);
        } else if (r) {
            sum += touch_result(r);
            handover_write_result(&again, r);
        }
        FUZZ_CHECK(sum < SIZE_MAX); /* it was read */
        FUZZ_CHECK((!o && !r) || (!buf_failed(&again) && again.len == left));
        free(exact);
        buf_release(&again);
        buf_release(&bytes);
    }
    return 0;
}
