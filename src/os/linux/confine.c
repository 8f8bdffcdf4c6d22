/* confine.c - see confine.h. Runs in the command's process between vfork and
 * exec, in init's memory. ASYNC-SIGNAL-SAFE CALLS ONLY. */
#include "os/linux/confine.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "os/linux/signal_safe.h"
#include "os/linux/sys.h"

static cordon_status set_capabilities(uint64_t keep, struct cordon_error *err)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++) {
        uint32_t word = (uint32_t)(keep >> (32 * i));
        data[i] = (struct __user_cap_data_struct){.effective = word, .permitted = word, .inheritable = 0};
    }
    if (syscall(SYS_capset, &header, data) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.privileges", "cannot drop capabilities", NULL);
    return CORDON_OK;
}

cordon_status confine_drop_all(struct cordon_error *err)
{
    return set_capabilities(0, err);
}

static cordon_status lower_bounding_set(uint64_t drop, struct cordon_error *err)
{
    for (unsigned cap = 0; cap < 64; cap++) {
        if (!(drop & (1ull << cap)))
            continue;
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0) {
            if (errno == EINVAL && cap > 30)
                break; /* past the newest capability of this kernel */
            return safe_error(err, CORDON_E_SYSTEM, "linux.privileges",
                              "cannot drop a capability from the bounding set", NULL);
        }
    }
    return CORDON_OK;
}

cordon_status confine_bounding_set(struct cordon_error *err)
{
    return lower_bounding_set(~LINUX_CAPS_EVER_KEPT, err);
}

cordon_status confine_capabilities(uint64_t keep, struct cordon_error *err)
{
    /* The bounding set first: lowering it needs CAP_SETPCAP, which goes next. */
    if (lower_bounding_set(LINUX_CAPS_EVER_KEPT & ~keep, err) != CORDON_OK)
        return err->status;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.privileges", "cannot clear ambient capabilities",
                          NULL);
    return set_capabilities(keep, err);
}

static cordon_status set_limit(int resource, uint64_t soft, uint64_t hard, const char *step,
                               struct cordon_error *err)
{
    struct rlimit limit = {soft, hard};
    struct rlimit now;
    if (getrlimit(resource, &now) == 0 && now.rlim_max < limit.rlim_max) {
        limit.rlim_max = now.rlim_max; /* already tighter: stays */
        if (limit.rlim_cur > limit.rlim_max)
            limit.rlim_cur = limit.rlim_max;
    }
    if (setrlimit(resource, &limit) != 0)
        return safe_error(err, CORDON_E_SYSTEM, step, "cannot set the limit", NULL);
    return CORDON_OK;
}

cordon_status confine_limits(const struct linux_plan *plan, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    /* SIGXCPU at the limit, SIGKILL a second later for who ignores it. */
    if (plan->cpu_seconds)
        status = set_limit(RLIMIT_CPU, plan->cpu_seconds, plan->cpu_seconds + 1, "linux.limit.cpu", err);
    if (status == CORDON_OK && plan->file_bytes)
        status = set_limit(RLIMIT_FSIZE, plan->file_bytes, plan->file_bytes, "linux.limit.file", err);
    /* Counted per user namespace since Linux 5.14: init is one of them. */
    if (status == CORDON_OK && plan->processes_rlimit)
        status = set_limit(RLIMIT_NPROC, plan->processes_rlimit + 1, plan->processes_rlimit + 1,
                           "linux.limit.processes", err);
    return status;
}

cordon_status confine_layers(const struct linux_plan *plan, int ruleset_fd, int *listener,
                             struct cordon_error *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.privileges", "cannot set no_new_privs", NULL);
    if (ruleset_fd >= 0 && syscall(SYS_NR_LANDLOCK_RESTRICT_SELF, ruleset_fd, 0) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.landlock.restrict",
                          "cannot enforce the Landlock ruleset", NULL);
    struct sock_fprog program = {(unsigned short)plan->filter.count,
                                 (struct sock_filter *)(void *)plan->filter.insns};
    unsigned flags = plan->listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
    /* Calls on files know no EINTR: a signal while cordon looks must not make
     * one. (It would also hold up what interrupts a slow connect on purpose.) */
    if (plan->filter_options.trace)
        flags |= SYS_SECCOMP_WAIT_KILLABLE_RECV;
    long made = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    *listener = plan->listener ? (int)made : -1;
    if (made < 0 && errno == EBUSY)
        return safe_error(err, CORDON_E_UNSUPPORTED, "linux.seccomp.nested",
                          "another program already watches system calls here, as cordon inside cordon", NULL);
    if (made < 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.seccomp", "cannot install the seccomp filter", NULL);
    return CORDON_OK;
}

cordon_status confine_filter(const struct bpf_program *filter, struct cordon_error *err)
{
    struct sock_fprog program = {(unsigned short)filter->count, (struct sock_filter *)(void *)filter->insns};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.seccomp", "cannot install the seccomp filter", NULL);
    return CORDON_OK;
}
