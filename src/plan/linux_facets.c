/* linux_facets.c - which mechanism carries each facet under a plan (product.md
 * par. 5; docs/platforms.md is this table in words). Pure.
 */
#include "plan/linux_plain.h"
#include "plan/linux_plan.h"

#define ABI_FLOOR 2 /* Linux 6.1: below it a rename between directories cannot be allowed at all */

static struct facet enforced(const char *name, const char *mechanism)
{
    return (struct facet){name, mechanism, FACET_ENFORCED, NULL};
}

static struct facet memory_facet(const struct linux_facts *facts)
{
    if (facts->cgroup_memory)
        return enforced("limit-memory", "cgroup v2 memory.max, swap off, killed as one");
    return (struct facet){
        "limit-memory", "no control group with the memory controller", FACET_UNAVAILABLE,
        "delegate a cgroup v2 with the memory controller, for example by systemd-run --user --scope"};
}

static struct facet processes_facet(const struct linux_facts *facts)
{
    if (facts->cgroup_processes)
        return enforced("limit-processes", "cgroup v2 pids.max");
    if (facts->uid != 0)
        return enforced("limit-processes", "RLIMIT_NPROC, counted in the own user namespace");
    return (struct facet){"limit-processes", "RLIMIT_NPROC does not bind root", FACET_UNAVAILABLE,
                          "run as an ordinary user, or delegate a cgroup v2 with the pids controller"};
}

static struct facet write_facet(const struct linux_facts *facts)
{
    if (facts->landlock_abi >= ABI_FLOOR)
        return enforced("write", "mount namespace read-only outside the roots; Landlock");
    return (struct facet){"write", "mount namespace only", FACET_UNAVAILABLE,
                          "a kernel with Landlock ABI 2 (Linux 6.1, lsm=landlock): without it outside FIFOs "
                          "and devices stay writable"};
}

static struct facet unix_facet(const struct linux_facts *facts)
{
    if (!facts->broker)
        return (struct facet){"unix-sockets",
                              "seccomp refuses AF_UNIX sockets but socketpair, inside too: this machine does "
                              "not let cordon look into processes",
                              FACET_LIMIT, NULL};
    return enforced("unix-sockets",
                    "seccomp asks cordon, which connects for the command: to what it listens on "
                    "itself, and to what the policy lists");
}

size_t linux_facets(const struct linux_plan *plan, const struct linux_facts *facts,
                    const struct policy *policy, struct facet out[LINUX_FACETS_MAX])
{
    size_t n = 0;
    bool off = plan->own_netns,
         landlock = facts->landlock_abi > 0; /* else other layers carry, but for `write` */
    if (plan->plain)
        return linux_plain_facets(facts, policy, out);
    out[n++] = write_facet(facts);
    out[n++] = enforced("protect", "read-only mounts, ancestors pinned as mount points; seccomp refuses the "
                                   "mount calls; a guard watches from outside");
    out[n++] = enforced("deny-read", "empty unreadable mounts; a guard watches from outside");
    out[n++] = enforced("tmp", policy->tmp == TMP_SHARED ? "shared, as asked"
                                                         : "private directory per workspace bound over it");
    out[n++] =
        enforced("tmp-view", policy->tmp == TMP_SHARED ? "shared, as asked"
                                                       : "the host's temporary directories are covered");
    out[n++] = enforced("environment", "built before exec");
    out[n++] = off ? enforced("network", "own network namespace; seccomp refuses other socket families")
                   : enforced("network", "on, as asked");
    out[n++] = off ? enforced("inner-loopback", "own network namespace with lo up")
                   : (struct facet){"inner-loopback", "the host's loopback, since the network is on",
                                    FACET_LIMIT, NULL};
    out[n++] = unix_facet(facts);
    out[n++] = (struct facet){"unix-dgram", "named datagram sockets are refused", FACET_LIMIT, NULL};
    out[n++] = enforced("ipc", "own IPC namespace");
    out[n++] =
        enforced("outside-processes", !landlock ? "own PID namespace and proc"
                                      : facts->landlock_abi >= 6
                                          ? "own PID namespace and proc; Landlock ptrace and signal scope"
                                          : "own PID namespace and proc; Landlock ptrace rule");
    out[n++] = enforced("terminal", "seccomp refuses TIOCSTI and TIOCLINUX; own process group");
    out[n++] = enforced("devices", landlock ? "minimal /dev; Landlock" : "minimal /dev, nodev elsewhere");
    out[n++] = enforced("kernel-surface", landlock ? "seccomp; /proc and /sys read-only by mount and Landlock"
                                                   : "seccomp; /proc and /sys read-only by mount");
    out[n++] = enforced("privileges",
                        facts->uid == 0
                            ? "own user namespace, CHOWN DAC_OVERRIDE FOWNER kept inside it; no_new_privs"
                            : "own user namespace, no capabilities; no_new_privs");
    out[n++] = enforced("tree-kill", "PID namespace; its init ends with cordon (PDEATHSIG and channel)");
    out[n++] = enforced("limit-wall", "timer in the sandbox's init");
    out[n++] = memory_facet(facts);
    out[n++] = processes_facet(facts);
    out[n++] = enforced("limit-cpu", "RLIMIT_CPU for each process; init sums the tree");
    out[n++] = enforced("limit-file", "RLIMIT_FSIZE");
    return n;
}
