/* trace.c - see trace.h. Runs as the user, outside, in the supervising process.
 *
 * The caller waits for the answer, so that the usual call, one that the policy
 * allows by its text, is answered before its path is looked at: a link in it can
 * still be found then. A path that looks refused is looked at first, while the
 * caller, its directory and the mounts are still there.
 */
#include "os/linux/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/path.h"
#include "os/linux/trace_cache.h"
#include "os/linux/trace_view.h"
#include "plan/trace_calls.h"
#include "plan/trace_grant.h"

#ifdef __aarch64__
#define TRACE_ARCH SECCOMP_ARCH_AARCH64
#else
#define TRACE_ARCH SECCOMP_ARCH_X86_64
#endif

#define TRACE_SET_FLAGS _IOW('!', 4, uint64_t) /* SECCOMP_IOCTL_NOTIF_SET_FLAGS */
#define TRACE_SYNC_WAKE_UP 1ul                 /* SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP */
#define TURNS_AFTER 8
#define PAGE 4096 /* the smallest: reading stops where a mapping may end */

struct trace {
    struct trace_setup setup;
    struct trace_view view;
    struct trace_cache cache;
    struct buf rule, grant; /* kept for the next refusal */
    bool blind;
    pid_t last; /* who asked last, how often in a row, and whether that is used */
    unsigned in_a_row;
    bool takes_turns;
};

cordon_status trace_new(struct trace **out, const struct trace_setup *setup, struct cordon_error *err)
{
    struct trace *t = calloc(1, sizeof *t);
    if (!t)
        return error_nomem(err, "linux.trace");
    t->setup = *setup;
    trace_view_init(&t->view);
    trace_cache_init(&t->cache);
    buf_init(&t->rule);
    buf_init(&t->grant);
    *out = t;
    return CORDON_OK;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    trace_view_release(&t->view);
    trace_cache_release(&t->cache);
    buf_release(&t->rule);
    buf_release(&t->grant);
    free(t);
}

bool trace_is_blind(const struct trace *t)
{
    return t && t->blind;
}

/* Not validated, as notify_read_memory() does: that costs a system call of every
 * call, and who is gone meanwhile, and whose number is another's now, can only
 * cost a wrong line, which trace_handle() asks about before it writes one. */
static ssize_t read_memory(pid_t pid, uint64_t address, void *out, size_t size)
{
    struct iovec here = {out, size};
    struct iovec there = {(void *)(uintptr_t)address, size}; // NOLINT(performance-no-int-to-ptr): not ours
    return process_vm_readv(pid, &here, 1, &there, 1, 0);
}

/* A path of the caller's. False: the kernel cannot read it either, or it is
 * too long for it. */
static bool read_path(struct trace *t, const struct notify_request *r, const struct trace_target *target,
                      char out[LIMIT_PATH_BYTES])
{
    uint64_t address = target->path;
    size_t have = 0;
    while (have < LIMIT_PATH_BYTES) {
        size_t want = PAGE - (size_t)((address + have) % PAGE);
        if (want > LIMIT_PATH_BYTES - have)
            want = LIMIT_PATH_BYTES - have;
        ssize_t got = read_memory(r->pid, address + have, out + have, want);
        /* The command's own exec happens in the memory of init, which nobody may read. */
        if (got < 0 && (errno == EPERM || errno == ENOSYS) && target->act != TRACE_ACT_READ &&
            notify_valid(t->setup.notify, r))
            t->blind = true;
        if (got <= 0)
            return false;
        if (memchr(out + have, '\0', (size_t)got))
            return true;
        have += (size_t)got;
    }
    return false;
}

static bool cwd_text(struct trace *t, pid_t pid, char out[LIMIT_PATH_BYTES])
{
    const char *known = trace_cache_cwd(&t->cache, pid);
    if (known) {
        memcpy(out, known, strlen(known) + 1);
        return true;
    }
    if (!trace_view_start(pid, TRACE_CWD, out))
        return false;
    trace_cache_put_cwd(&t->cache, pid, out);
    return true;
}

/* The path of one target, from the root on but not resolved. */
static bool target_text(struct trace *t, const struct notify_request *r, const struct trace_target *target,
                        char out[LIMIT_PATH_BYTES])
{
    char path[LIMIT_PATH_BYTES];
    size_t base = 0;
    if (!read_path(t, r, target, path) || (!path[0] && !target->empty))
        return false;
    size_t len = strlen(path);
    if (path[0] != '/') {
        bool found =
            target->dir == TRACE_CWD ? cwd_text(t, r->pid, out) : trace_view_start(r->pid, target->dir, out);
        if (!found)
            return false;
        base = strlen(out);
        if (len > 0)
            out[base++] = '/';
    }
    if (base + len >= LIMIT_PATH_BYTES)
        return false;
    memcpy(out + base, path, len + 1);
    return true;
}

/* The part of `text` that is the last component's directory. */
static size_t directory_length(const char *text)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] != '/')
        len--;
    return len;
}

/* Is everything that the call could do there allowed, as was seen before? A
 * last component that is followed could be a link. */
static bool is_known_open(const struct trace *t, const struct trace_target *target, const char *text)
{
    size_t len = directory_length(text);
    const char *name = text + len;
    return !target->follow && name[0] && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           trace_cache_is_open(&t->cache, text, len);
}

/* What the text says is allowed: is it what the text says? Without a link on
 * the way it is, and when no rule lies in that directory, so is all the rest of it. */
static bool is_as_written(struct trace *t, const struct trace_target *target, const char *text)
{
    char directory[LIMIT_PATH_BYTES], normal[LIMIT_PATH_BYTES];
    size_t len = directory_length(text);
    if (target->follow || len == 0 || !trace_view_is_plain(&t->view, text, len))
        return false;
    memcpy(directory, text, len);
    directory[len] = '\0';
    trace_view_normalize(directory, normal);
    if (decide(t->setup.what->resolved, normal, OP_REMOVE).allowed)
        trace_cache_put_open(&t->cache, text, len);
    return true;
}

/* May the call be refused for this path, as far as its text says? */
static bool looks_refused(const struct resolved *resolved, const struct trace_target *target,
                          const char *text)
{
    static const enum object_type types[] = {OBJECT_ABSENT, OBJECT_DIRECTORY, OBJECT_FILE};
    char normal[LIMIT_PATH_BYTES];
    unsigned asked = 0;
    trace_view_normalize(text, normal);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        enum decide_op op;
        if (!trace_operation(target, types[i], &op) || asked & 1u << op)
            continue;
        asked |= 1u << op;
        if (!decide(resolved, normal, op).allowed)
            return true;
    }
    return false;
}

/* Would the user be allowed to, without cordon? If not, no option helps, and the
 * refusal is not the policy's. */
static bool user_may(const struct trace *t, const struct trace_target *target, const char *path,
                     enum decide_op op)
{
    static const struct path_rules posix = {PATH_POSIX, false};
    char parent[LIMIT_PATH_BYTES];
    struct stat st;
    bool same_outside = !path_is_within(posix, "/proc", path) || path_is_within(posix, "/proc/sys", path);
    if (!same_outside || trace_view_is_slow(&t->view, path))
        return true;
    if (op == OP_READ)
        return faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0;
    if (op == OP_WRITE && target->act == TRACE_ACT_CHANGE && lstat(path, &st) == 0 && st.st_uid == geteuid())
        return true; /* modes and times are the owner's to set */
    if (op == OP_WRITE)
        return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
    size_t len = path_parent_length(PATH_POSIX, path);
    memcpy(parent, path, len);
    parent[len] = '\0';
    return faccessat(AT_FDCWD, parent, W_OK | X_OK, AT_EACCESS) == 0;
}

/* The devices of /dev are there to be opened. */
static bool is_device(const struct trace_target *target, const struct trace_object *object)
{
    return target->act == TRACE_ACT_OPEN && object->type == OBJECT_DEVICE &&
           strncmp(object->path, "/dev/", 5) == 0;
}

/* One process's file of many is said once for all of them. */
static void name_target(const char *path, char *out, size_t size)
{
    static const char proc[] = "/proc/";
    size_t len = sizeof proc - 1;
    size_t digits = strncmp(path, proc, len) == 0 ? strspn(path + len, "0123456789") : 0;
    if (digits > 0)
        snprintf(out, size, "/proc/PID%s", path + len + digits);
    else
        snprintf(out, size, "%s", path);
}

static void record(struct trace *t, const struct trace_object *object, enum decide_op op,
                   struct verdict verdict)
{
    buf_reset(&t->rule);
    buf_reset(&t->grant);
    trace_grant(t->setup.what->resolved, t->setup.home, object->path, op, verdict, &t->rule, &t->grant);
    if (buf_failed(&t->rule) || buf_failed(&t->grant))
        return;
    char name[LIMIT_PATH_BYTES + 4];
    name_target(object->path, name, sizeof name);
    struct refusal refusal = {.operation = decide_op_name(op),
                              .target = name,
                              .rule = t->rule.data,
                              .suggested_grant = t->grant.len ? t->grant.data : ""};
    t->setup.refused(t->setup.self, &refusal);
}

/* Inside, an empty mask is there in place of it, which nobody or only root can
 * look into: what is refused is about what it hides. */
static bool is_masked(const struct trace *t, const char *path)
{
    return decide(t->setup.what->resolved, path, OP_READ).reason == REASON_DENY_READ;
}

static enum object_type type_outside(const struct trace *t, const char *path)
{
    struct stat st;
    if (trace_view_is_slow(&t->view, path))
        return OBJECT_FILE;
    if (lstat(path, &st) != 0)
        return OBJECT_ABSENT;
    return S_ISDIR(st.st_mode) ? OBJECT_DIRECTORY : OBJECT_FILE;
}

/* Looks at what the path names, and records it if that is refused. */
static void judge(struct trace *t, const struct notify_request *r, const struct trace_target *target,
                  const char *text)
{
    struct trace_object object;
    enum decide_op op;
    enum trace_found found = trace_view_find(&t->view, r->pid, text, target->follow, &object);
    bool masked = found <= TRACE_HIDDEN && is_masked(t, object.path);
    if (masked)
        object.type = type_outside(t, object.path);
    else if (found == TRACE_HIDDEN)
        return; /* the user's own directory modes */
    if (found > TRACE_HIDDEN || is_device(target, &object) || !trace_operation(target, object.type, &op))
        return;
    struct verdict verdict = decide(t->setup.what->resolved, object.path, op);
    if (verdict.allowed || verdict.reason == REASON_GUARDED)
        return; /* what is guarded is not refused, but undone */
    if (op == OP_CREATE && !masked && !trace_view_has_directory(&t->view, object.path))
        return;
    if (user_may(t, target, object.path, op))
        record(t, &object, op, verdict);
}

/* While one thread alone asks, it waits for this process and this one for it: with
 * that known to the kernel both take turns on one processor, which halves what an
 * untar pays. Where several ask it would keep them from running side by side.
 * Kernels before 6.6 do not know it. */
static void take_turns(struct trace *t, pid_t asking)
{
    t->in_a_row = asking == t->last ? t->in_a_row + 1 : 0;
    t->last = asking;
    bool alone = t->in_a_row >= TURNS_AFTER;
    if (alone == t->takes_turns)
        return;
    t->takes_turns = alone;
    (void)ioctl(t->setup.notify->fd, TRACE_SET_FLAGS, alone ? TRACE_SYNC_WAKE_UP : 0ul);
}

void trace_handle(struct trace *t, const struct notify_request *r)
{
    struct trace_target targets[2];
    char texts[2][LIMIT_PATH_BYTES];
    const struct trace_call *call = trace_call_find(TRACE_ARCH, (uint32_t)r->number);
    size_t count = trace_decode(TRACE_ARCH, (uint32_t)r->number, r->args, targets), left = 0;
    bool refused = false;

    take_turns(t, r->pid);
    trace_cache_note(&t->cache, call ? call->effect : TRACE_NO_EFFECT);
    for (size_t i = 0; i < count; i++) {
        if (!target_text(t, r, &targets[i], texts[left]))
            continue; /* the kernel cannot find it either */
        if (is_known_open(t, &targets[i], texts[left]))
            continue;
        if (targets[i].act == TRACE_ACT_OPEN && strcmp(texts[left], "/dev/null") == 0)
            continue; /* every second line of a shell script */
        targets[left] = targets[i];
        refused = refused || looks_refused(t->setup.what->resolved, &targets[left], texts[left]);
        left++;
    }
    bool ready = left > 0 && trace_view_open(&t->view, r->pid);
    if (left > 0 && !ready && notify_valid(t->setup.notify, r))
        t->blind = true;
    if (refused && !notify_valid(t->setup.notify, r))
        return; /* gone: nobody waits, and what was read may be another's */
    if (!refused)
        notify_continue(t->setup.notify, r);
    for (size_t i = 0; ready && i < left; i++)
        if (refused || !is_as_written(t, &targets[i], texts[i]))
            judge(t, r, &targets[i], texts[i]);
    if (refused)
        notify_continue(t->setup.notify, r);
}
