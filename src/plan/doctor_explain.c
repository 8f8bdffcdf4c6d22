/* doctor_explain.c - why a primitive is refused and what helps (see doctor.h). Pure.
 *
 * A refusal was seen first; the hints then say which of its usual reasons is
 * this machine's. Where they say nothing the words say so too.
 */
#include "plan/doctor.h"

/* Linux's own numbers: this compiles on every host. */
#define EPERM_LINUX 1
#define ENOENT_LINUX 2
#define E2BIG_LINUX 7
#define EACCES_LINUX 13
#define EBUSY_LINUX 16
#define EINVAL_LINUX 22
#define ENOSPC_LINUX 28
#define ENOSYS_LINUX 38
#define EOPNOTSUPP_LINUX 95

#define ALLOW_IN_CONTAINER                                                                                   \
    "start the container with a seccomp profile that allows clone3, unshare, setns and the mount calls, or " \
    "run cordon outside it"

static struct doctor_explanation say(const char *cause, const char *remedy)
{
    return (struct doctor_explanation){cause, remedy};
}

static struct doctor_explanation filtered(void)
{
    return say("a seccomp filter is in force on this process: a container's profile, or cordon's own (cordon "
               "inside cordon)",
               ALLOW_IN_CONTAINER);
}

static struct doctor_explanation old_kernel(const char *cause)
{
    return say(cause, "a kernel of Linux 6.1 or later with the usual options");
}

static struct doctor_explanation explain_userns(const struct doctor *d, int code)
{
    const struct doctor_hints *h = &d->hints;
    if (code == ENOSPC_LINUX || h->max_user_namespaces == 0)
        return h->max_user_namespaces == 0
                   ? say("user.max_user_namespaces is 0",
                         "as root: sysctl -w user.max_user_namespaces=15000, and the same in a file of "
                         "/etc/sysctl.d to keep it")
                   : say("as many user namespaces as user.max_user_namespaces allows are in use, or they are "
                         "nested 32 deep",
                         "end what holds them, or raise user.max_user_namespaces as root");
    if (h->userns_clone_off)
        return say("kernel.unprivileged_userns_clone is 0",
                   "as root: sysctl -w kernel.unprivileged_userns_clone=1, and the same in a file of "
                   "/etc/sysctl.d to keep it");
    if (h->filtered)
        return filtered();
    if (h->chrooted)
        return say("this process is in a chroot: the kernel makes no user namespaces there",
                   "run cordon outside the chroot, or enter the tree with pivot_root, as containers do");
    if (h->apparmor_restricts)
        return say("AppArmor restricts user namespaces (kernel.apparmor_restrict_unprivileged_userns)",
                   "cordon setup");
    if (code == ENOSYS_LINUX || code == EINVAL_LINUX)
        return old_kernel("the kernel has no user namespaces or no clone3");
    return say("a security module refuses it, as far as can be told",
               "ask whoever runs this machine to let you make user namespaces");
}

/* Allowed, but without the capabilities that belong to it: that is how AppArmor restricts. */
static struct doctor_explanation explain_inside(const struct doctor *d, int code)
{
    if (d->hints.apparmor_restricts && (code == EPERM_LINUX || code == EACCES_LINUX))
        return say("AppArmor restricts user namespaces (kernel.apparmor_restrict_unprivileged_userns): no "
                   "capability is to be had in one",
                   "cordon setup");
    if (d->hints.filtered)
        return filtered();
    if (code == ENOSYS_LINUX || code == EINVAL_LINUX)
        return old_kernel("the kernel is too old, or was built without it");
    if (code == ENOSPC_LINUX)
        return say("a limit of /proc/sys/user is reached or 0",
                   "as root: raise the max_..._namespaces in /proc/sys/user");
    return say("a security module refuses it, as far as can be told",
               "ask whoever runs this machine to let you make namespaces with their mounts");
}

static struct doctor_explanation explain_landlock(const struct doctor *d, int code)
{
    if (code == EOPNOTSUPP_LINUX || (d->hints.lsm_known && !d->hints.lsm_has_landlock))
        return say("Landlock is in the kernel but not switched on",
                   "boot with lsm=landlock,... (the list of /sys/kernel/security/lsm, landlock before it)");
    if (d->hints.filtered)
        return filtered();
    if (code == E2BIG_LINUX)
        return say("16 Landlock rulesets are stacked already", "run cordon less deeply inside cordon");
    return old_kernel("the kernel has no Landlock, or one older than ABI 2");
}

static struct doctor_explanation explain_notify(const struct doctor *d, int code)
{
    if (code == EBUSY_LINUX)
        return say("another program already watches system calls here: cordon inside cordon, or a container "
                   "runtime with a notifier",
                   "run cordon outside it");
    return d->hints.filtered ? filtered() : old_kernel("the kernel has no seccomp user notification");
}

static struct doctor_explanation explain_getfd(const struct doctor *d, int code)
{
    if (d->hints.yama >= 2 && (code == EPERM_LINUX || code == EACCES_LINUX))
        return say("Yama forbids to look into other processes (kernel.yama.ptrace_scope)",
                   "needed for unix sockets only: kernel.yama.ptrace_scope=1 in a file of /etc/sysctl.d, as "
                   "root, then a reboot");
    if (d->hints.filtered)
        return filtered();
    return code == ENOSYS_LINUX ? old_kernel("the kernel has no pidfd_getfd or process_vm_readv")
                                : say("a security module refuses it, as far as can be told",
                                      "needed for unix sockets only: ask whoever runs this machine");
}

struct doctor_explanation doctor_explain(const struct doctor *d, enum primitive p)
{
    const struct primitive_result *result = &d->primitives[p];
    if (result->state != PRIMITIVE_MISSING)
        return say(NULL, NULL);
    if (result->signal)
        return say("the process that tried was killed: a seccomp filter that kills is in force",
                   ALLOW_IN_CONTAINER);
    if (result->os_code == ENOENT_LINUX)
        return say("there is no /proc here", "mount -t proc proc /proc, as root");
    switch (p) {
    case PRIMITIVE_USER_NAMESPACE:
        return explain_userns(d, result->os_code);
    case PRIMITIVE_FRESH_PROC:
        return result->os_code == EPERM_LINUX && !d->hints.apparmor_restricts && !d->hints.filtered
                   ? say("parts of this /proc are covered, as in containers: the host's stays, read-only, "
                         "and "
                         "outside processes are listed in it",
                         "none needed")
                   : explain_inside(d, result->os_code);
    case PRIMITIVE_LANDLOCK:
        return explain_landlock(d, result->os_code);
    case PRIMITIVE_SECCOMP:
    case PRIMITIVE_NO_NEW_PRIVS:
    case PRIMITIVE_CLOSE_RANGE:
    case PRIMITIVE_OPENAT2:
    case PRIMITIVE_PIDFD:
        return d->hints.filtered ? filtered() : old_kernel("the kernel is too old, or was built without it");
    case PRIMITIVE_SECCOMP_NOTIFY:
        return explain_notify(d, result->os_code);
    case PRIMITIVE_PIDFD_GETFD:
        return explain_getfd(d, result->os_code);
    case PRIMITIVE_CGROUP_MEMORY:
    case PRIMITIVE_CGROUP_PROCESSES:
        return say(
            "no control group v2 with that controller is delegated to you",
            "needed for limits only: systemd-run --user --scope cordon run ..., or have one delegated");
    default:
        return explain_inside(d, result->os_code);
    }
}
