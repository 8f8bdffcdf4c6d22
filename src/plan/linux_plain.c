/* linux_plain.c - see linux_plain.h. Pure.
 *
 * What is said to be enforced here is what Landlock and seccomp hold without a
 * mount or a namespace; everything else must be accepted by name before it runs.
 */
#include "plan/linux_plain.h"

#include "plan/bpf_asm.h"
#include "plan/seccomp_table.h"

#define STEP "linux.plan.plain"
#define OFFSET_NUMBER 0
#define OFFSET_ARCH 4
#define OFFSET_ARGUMENT(i) (16u + 8u * (i)) /* the low word: both architectures are little-endian */

/* -- the second filter --------------------------------------------------------- */

/* By enum seccomp_arch; -1: not there. */
static const int16_t refused[][2] = {
    {29, 194},  {30, 196},  {31, 195}, /* shmget, shmat, shmctl */
    {64, 190},  {65, 193},  {66, 191}, /* semget, semop, semctl */
    {220, 192},                        /* semtimedop */
    {68, 186},  {69, 189},  {70, 188},
    {71, 187},              /* msgget, msgsnd, msgrcv, msgctl */
    {240, 180}, {241, 181}, /* mq_open, mq_unlink */
    {141, 140}, {251, 30},  /* setpriority, ioprio_set: also of others */
    {142, 118}, {144, 119}, {203, 122},
    {314, 274},             /* sched_setparam, _setscheduler, _setaffinity, _setattr */
    {256, 238}, {279, 239}, /* migrate_pages, move_pages */
};
static const int16_t number_prlimit[2] = {302, 261}, number_socket[2] = {41, 198};

cordon_status linux_plain_filter(enum seccomp_arch arch, bool network, struct bpf_program *out,
                                 struct cordon_error *err)
{
    struct bpf_asm a;
    bpf_asm_init(&a);
    struct bpf_label allow = bpf_asm_label(&a), eperm = bpf_asm_label(&a), eacces = bpf_asm_label(&a);
    struct bpf_label self = bpf_asm_label(&a), sockets = bpf_asm_label(&a);

    /* Of a foreign architecture the first filter refuses everything. */
    bpf_asm_load(&a, OFFSET_ARCH);
    bpf_asm_if(&a, BPF_CODE_IF_EQUAL,
               arch == SECCOMP_ARCH_AARCH64 ? SECCOMP_AUDIT_AARCH64 : SECCOMP_AUDIT_X86_64, BPF_ASM_NEXT,
               eperm);
    bpf_asm_load(&a, OFFSET_NUMBER);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        bpf_asm_if(&a, BPF_CODE_IF_EQUAL, (uint32_t)refused[i][arch], eperm, BPF_ASM_NEXT);
    bpf_asm_if(&a, BPF_CODE_IF_EQUAL, (uint32_t)number_prlimit[arch], self, BPF_ASM_NEXT);
    bpf_asm_if(&a, BPF_CODE_IF_EQUAL, (uint32_t)number_socket[arch], network ? allow : sockets, allow);

    bpf_asm_bind(&a, self); /* another process's limits can kill it; 0 is the caller */
    bpf_asm_load(&a, OFFSET_ARGUMENT(0));
    bpf_asm_if(&a, BPF_CODE_IF_EQUAL, 0, allow, eperm);

    if (!network) {
        bpf_asm_bind(&a, sockets); /* unix sockets are the first filter's affair */
        bpf_asm_load(&a, OFFSET_ARGUMENT(0));
        bpf_asm_if(&a, BPF_CODE_IF_EQUAL, SECCOMP_AF_UNIX, allow, eacces);
        bpf_asm_bind(&a, eacces);
        bpf_asm_return(&a, SECCOMP_VALUE_ERRNO(SECCOMP_EACCES));
    }
    bpf_asm_bind(&a, allow);
    bpf_asm_return(&a, SECCOMP_VALUE_ALLOW);
    bpf_asm_bind(&a, eperm);
    bpf_asm_return(&a, SECCOMP_VALUE_ERRNO(SECCOMP_EPERM));
    return bpf_asm_finish(&a, STEP, out, err);
}

/* -- facets -------------------------------------------------------------------- */

static const char remedy[] = "let this user make user namespaces: `cordon doctor` says how";

static struct facet held(const char *name, const char *mechanism)
{
    return (struct facet){name, mechanism, FACET_ENFORCED, NULL};
}

static struct facet missing(const char *name, const char *why)
{
    return (struct facet){name, why, FACET_UNAVAILABLE, remedy};
}

static struct facet limit(const char *name, const char *why)
{
    return (struct facet){name, why, FACET_LIMIT, NULL};
}

size_t linux_plain_facets(const struct linux_facts *facts, const struct policy *policy,
                          struct facet out[LINUX_FACETS_MAX])
{
    size_t n = 0;
    bool off = policy->net != NET_ON, shared = policy->tmp == TMP_SHARED;
    out[n++] =
        missing("write", "Landlock alone: outside the roots no file can be written, made or removed, but "
                         "modes, times and attributes of the user's files can be changed");
    out[n++] = missing("protect", "Landlock cannot take a part out of a writable root");
    out[n++] = policy->lists[LIST_DENY_READ].count
                   ? missing("deny-read", "Landlock cannot take a part out of what is readable")
                   : limit("deny-read", "nothing is hidden, and cordon's own state is not either");
    out[n++] = held("tmp", shared ? "shared, as asked" : "private directory per workspace, named by TMPDIR");
    out[n++] =
        shared ? held("tmp-view", "shared, as asked")
               : missing("tmp-view", "the host's temporary directories stay visible; they cannot be written");
    out[n++] = held("environment", "built before exec");
    out[n++] = held("network", off ? "seccomp refuses all sockets but unix ones" : "on, as asked");
    out[n++] = off ? missing("inner-loopback", "no network namespace: no loopback at all")
                   : limit("inner-loopback", "the host's loopback, since the network is on");
    out[n++] = limit("unix-sockets", "seccomp refuses AF_UNIX sockets but socketpair, inside too");
    out[n++] = limit("unix-dgram", "named datagram sockets are refused");
    out[n++] = held("ipc", "seccomp refuses System V IPC and message queues");
    out[n++] =
        facts->landlock_abi >= 6
            ? held("outside-processes", "Landlock ptrace rule and signal scope; seccomp; they are listed")
            : missing("outside-processes",
                      "before Landlock ABI 6 the user's other processes can be signalled");
    out[n++] = held("terminal", "seccomp refuses TIOCSTI and TIOCLINUX; own process group");
    out[n++] =
        missing("devices", "Landlock: the host's devices cannot be written, but read where the user may");
    out[n++] = held("kernel-surface", "seccomp; Landlock keeps /proc and /sys from being written");
    out[n++] = held("privileges", "no capabilities; no_new_privs");
    out[n++] = missing("tree-kill", "cordon's watching process ends the tree; killed together with cordon it "
                                    "cannot, and a tree that forks without end may outrun it");
    out[n++] = held("limit-wall", "timer in cordon's watching process");
    out[n++] = facts->cgroup_memory
                   ? held("limit-memory", "cgroup v2 memory.max, swap off, killed as one")
                   : (struct facet){"limit-memory", "no control group with the memory controller",
                                    FACET_UNAVAILABLE, "delegate a cgroup v2 with the memory controller"};
    out[n++] = facts->cgroup_processes
                   ? held("limit-processes", "cgroup v2 pids.max")
                   : (struct facet){"limit-processes", "RLIMIT_NPROC would count all of the user's processes",
                                    FACET_UNAVAILABLE, "delegate a cgroup v2 with the pids controller"};
    out[n++] = limit("limit-cpu", "RLIMIT_CPU for each process; nothing sums the tree");
    out[n++] = held("limit-file", "RLIMIT_FSIZE");
    return n;
}

/* -- rules --------------------------------------------------------------------- */

cordon_status linux_plain_rules(struct resolved *resolved, struct cordon_error *err)
{
    struct resolved kept;
    cordon_status status = CORDON_OK;
    resolved_init(&kept);
    kept.rules = resolved->rules;
    for (size_t i = 0; i < resolved->count && status == CORDON_OK; i++) {
        struct rule rule = resolved->items[i];
        if (rule.kind != RULE_WRITE)
            continue;
        if (rule.backing) {
            rule.path = rule.backing;
            rule.backing = NULL;
            rule.role = ROLE_CACHE; /* cordon's own, but no longer in place of something else */
        }
        rule.redundant = false;
        status = resolved_add(&kept, &rule, err);
    }
    if (status == CORDON_OK)
        status = resolved_finish(&kept, err);
    if (status == CORDON_OK) {
        struct resolved before = *resolved;
        resolved->items = kept.items;
        resolved->count = kept.count;
        resolved->cap = kept.cap;
        kept.items = before.items;
        kept.count = before.count;
        kept.cap = before.cap;
    }
    resolved_release(&kept);
    return status;
}

void linux_plain_describe(bool network, struct buf *out)
{
    buf_add_string(out,
                   "shm*, sem*, msg*, mq_open, mq_unlink: always: EPERM: shared with processes outside\n"
                   "setpriority, ioprio_set, sched_set*, migrate_pages, move_pages: always: EPERM: act on "
                   "processes outside\n"
                   "prlimit64: of another process: EPERM: its limits can end a process outside\n");
    if (!network)
        buf_add_string(out, "socket: any domain but AF_UNIX: EACCES: no network namespace holds it\n");
}

/* -- what cannot be ---------------------------------------------------------- */

cordon_status linux_plain_check(const struct policy *policy, const struct linux_facts *facts,
                                struct cordon_error *err)
{
    if (facts->landlock_abi < 2)
        return error_set(
            err, CORDON_E_UNSUPPORTED, 0, STEP,
            "neither user namespaces nor Landlock ABI 2 are to be had here: nothing could hold the "
            "command; `cordon doctor` says what helps");
    if (policy->lists[LIST_UNIX_SOCKETS].count)
        return error_set(err, CORDON_E_UNSUPPORTED, 0, STEP,
                         "unix_sockets (%s) cannot be had without user namespaces",
                         policy->lists[LIST_UNIX_SOCKETS].items[0].origin);
    if (facts->trace)
        return error_set(err, CORDON_E_UNSUPPORTED, 0, STEP, "--trace cannot be had without user namespaces");
    return CORDON_OK;
}
