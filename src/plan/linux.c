/* linux.c - the Linux planner: resolved policy and facts in, plan out.
 *
 * Pure. Called by `run`, `plan` and `explain`. The order of the mounts is the
 * argument of the whole boundary:
 *   1. capture, still writable, everything that shall be writable or visible
 *      inside (a later clone of a sealed tree could not be made writable again
 *      where the host had it read-only, and a captured one keeps just that);
 *   2. seal: every mount read-only, propagation private;
 *   3. put the captured trees, the pins, the protected clones and the masks in
 *      place, outermost first, so that nothing put in place is covered later.
 */
#include "plan/linux_plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "plan/linux_plain.h"

/* Capabilities that root keeps inside its user namespace, where only its own
 * uid and the workspace owner's are mapped (Linux UAPI linux/capability.h). */

void linux_plan_init(struct linux_plan *plan)
{
    memset(plan, 0, sizeof *plan);
}

void linux_plan_release(struct linux_plan *plan)
{
    for (size_t i = 0; i < plan->mount_count; i++) {
        free((char *)plan->mounts[i].source);
        free((char *)plan->mounts[i].target);
        free((char *)plan->mounts[i].origin);
    }
    for (size_t i = 0; i < plan->rule_count; i++)
        free((char *)plan->rules[i].path);
    free(plan->mounts);
    free(plan->rules);
    free(plan->cwd);
    bpf_program_release(&plan->filter);
    bpf_program_release(&plan->plain_filter);
    linux_plan_init(plan);
}

/* Working state of one planning: the mounts of step 3 are collected apart and sorted. */
struct planner {
    struct linux_plan *plan;
    const struct resolved *resolved;
    const struct linux_facts *facts;
    struct mount_op *late;
    size_t late_count, late_cap;
    struct cordon_error *err;
};

static cordon_status push_mount(struct planner *p, struct mount_op **ops, size_t *count, size_t *cap,
                                struct mount_op op)
{
    if (*count == *cap) {
        size_t wanted = *cap ? 2 * *cap : 64;
        struct mount_op *grown = realloc(*ops, wanted * sizeof *grown);
        if (!grown)
            return error_nomem(p->err, "linux.plan.mounts");
        *ops = grown;
        *cap = wanted;
    }
    const char *source = op.source, *target = op.target, *origin = op.origin;
    op.source = source ? string_copy(source) : NULL;
    op.target = target ? string_copy(target) : NULL;
    op.origin = origin ? string_copy(origin) : NULL;
    if ((source && !op.source) || (target && !op.target) || (origin && !op.origin)) {
        free((char *)op.source);
        free((char *)op.target);
        free((char *)op.origin);
        return error_nomem(p->err, "linux.plan.mounts");
    }
    (*ops)[(*count)++] = op;
    return CORDON_OK;
}

static cordon_status add_early(struct planner *p, struct mount_op op)
{
    return push_mount(p, &p->plan->mounts, &p->plan->mount_count, &p->plan->mount_cap, op);
}

static cordon_status add_late(struct planner *p, struct mount_op op)
{
    return push_mount(p, &p->late, &p->late_count, &p->late_cap, op);
}

/* Captures `source` and puts it onto `target`. */
static cordon_status add_tree(struct planner *p, struct mount_op attach, const char *source)
{
    struct mount_op capture = attach;
    capture.kind = MOUNT_CAPTURE;
    capture.source = source;
    capture.target = NULL;
    capture.slot = p->plan->slots++;
    attach.kind = MOUNT_ATTACH;
    attach.slot = capture.slot;
    attach.check = false;
    cordon_status status = add_early(p, capture);
    return status ? status : add_late(p, attach);
}

static cordon_status push_landlock(struct linux_plan *plan, struct landlock_rule rule,
                                   struct cordon_error *err)
{
    if (plan->rule_count == plan->rule_cap) {
        size_t wanted = plan->rule_cap ? 2 * plan->rule_cap : 64;
        struct landlock_rule *grown = realloc(plan->rules, wanted * sizeof *grown);
        if (!grown)
            return error_nomem(err, "linux.plan.landlock");
        plan->rules = grown;
        plan->rule_cap = wanted;
    }
    rule.path = string_copy(rule.path);
    if (!rule.path)
        return error_nomem(err, "linux.plan.landlock");
    plan->rules[plan->rule_count++] = rule;
    return CORDON_OK;
}

static cordon_status add_landlock(struct planner *p, struct landlock_rule rule)
{
    return push_landlock(p->plan, rule, p->err);
}

cordon_status linux_plan_add_output(struct linux_plan *plan, int fd, const struct linux_facts *facts,
                                    struct cordon_error *err)
{
    char path[] = "/proc/self/fd/0";
    path[sizeof path - 2] = (char)('0' + fd);
    return push_landlock(plan,
                         (struct landlock_rule){.path = path,
                                                .access = (LANDLOCK_FS_READ_FILE | LANDLOCK_FS_WRITE_FILE |
                                                           LANDLOCK_FS_TRUNCATE) &
                                                          landlock_fs_all(facts->landlock_abi),
                                                .follow = true,
                                                .why = "the file that output goes to"},
                         err);
}

/* Every directory between a rule's path and the mount that holds it becomes a
 * mount of its own: rename(2) of a mount point is EBUSY, of its parent it is not. */
static cordon_status add_pins(struct planner *p, const struct rule *rule)
{
    char path[LIMIT_PATH_BYTES + 1];
    size_t len = strlen(rule->path);
    if (len > LIMIT_PATH_BYTES)
        return CORDON_OK;
    memcpy(path, rule->path, len + 1);
    for (;;) {
        size_t parent = path_parent_length(p->resolved->rules.style, path);
        if (parent >= len)
            return CORDON_OK;
        len = parent;
        path[len] = '\0';
        const struct rule *above = resolved_find(p->resolved, path);
        if (!above || above->kind != RULE_WRITE || path_equal(p->resolved->rules, above->path, path))
            return CORDON_OK;
        cordon_status status =
            add_late(p, (struct mount_op){.kind = MOUNT_PIN,
                                          .target = path,
                                          .slot = -1,
                                          .step = "linux.mount.pin",
                                          .why = "renaming it would move what a rule names below it",
                                          .origin = rule->origin});
        if (status)
            return status;
    }
}

static uint64_t write_access(const struct planner *p, const struct rule *rule)
{
    uint64_t all = landlock_fs_all(p->facts->landlock_abi);
    /* Device nodes are never made inside; a device's ioctls only where it is named. */
    all &= ~(LANDLOCK_FS_MAKE_CHAR | LANDLOCK_FS_MAKE_BLOCK);
    if (rule->type != OBJECT_DIRECTORY)
        all &= ~landlock_fs_directory_only();
    if (rule->type != OBJECT_DEVICE)
        all &= ~LANDLOCK_FS_IOCTL_DEV;
    return all;
}

static cordon_status plan_write_landlock(struct planner *p, const struct rule *rule)
{
    bool private_directory = rule->role == ROLE_TMP || rule->role == ROLE_CACHE;
    return add_landlock(
        p, (struct landlock_rule){.path = rule->backing ? rule->backing : rule->path,
                                  .access = write_access(p, rule),
                                  .check = rule->ino != 0,
                                  .dev = rule->dev,
                                  .ino = rule->ino,
                                  .why = private_directory ? "private directory" : "writable root"});
}

static cordon_status plan_write(struct planner *p, const struct rule *rule)
{
    const char *source = rule->backing ? rule->backing : rule->path;
    bool private_directory = rule->role == ROLE_TMP || rule->role == ROLE_CACHE;
    cordon_status status = add_tree(
        p,
        (struct mount_op){.target = rule->path,
                          /* A node in a root is a way to the whole device: only one that is named. */
                          .no_devices = rule->type != OBJECT_DEVICE,
                          .check = rule->ino != 0,
                          .dev = rule->dev,
                          .ino = rule->ino,
                          .step = "linux.mount.root",
                          .why = private_directory ? "private directory" : "writable root",
                          .origin = rule->origin},
        source);
    if (status == CORDON_OK)
        status = add_pins(p, rule);
    return status ? status : plan_write_landlock(p, rule);
}

static cordon_status plan_protect(struct planner *p, const struct rule *rule)
{
    const struct rule *above = resolved_enclosing(p->resolved, rule->path);
    if (!above || above->kind != RULE_WRITE)
        return CORDON_OK; /* the seal holds it already */
    if (rule->watched)
        return add_pins(p, rule); /* nothing to mount, but its directory must stay where it is */
    cordon_status status =
        add_late(p, (struct mount_op){.kind = MOUNT_PROTECT,
                                      .target = rule->path,
                                      .slot = -1,
                                      .check = rule->ino != 0,
                                      .dev = rule->dev,
                                      .ino = rule->ino,
                                      .step = "linux.mount.protect",
                                      .why = rule->absent_name ? "placeholder of an absent protected name"
                                                               : "protected",
                                      .origin = rule->origin});
    return status ? status : add_pins(p, rule);
}

static cordon_status plan_mask(struct planner *p, const struct rule *rule)
{
    const char *source = rule->backing;
    if (!source)
        source = rule->type == OBJECT_DIRECTORY ? p->facts->mask_dir : p->facts->mask_file;
    cordon_status status =
        add_tree(p,
                 (struct mount_op){.target = rule->path,
                                   .read_only = true,
                                   .no_devices = true,
                                   .step = "linux.mount.mask",
                                   .why = rule->role == ROLE_STATE ? "cordon's own state" : "deny_read",
                                   .origin = rule->origin},
                 source);
    return status ? status : add_pins(p, rule);
}

/* RULE_READ: visible, read-only, in a replaced directory. */
static cordon_status plan_visible(struct planner *p, const struct rule *rule)
{
    cordon_status status = add_tree(p,
                                    (struct mount_op){.target = rule->path,
                                                      .read_only = true,
                                                      .no_devices = true,
                                                      .check = rule->ino != 0,
                                                      .dev = rule->dev,
                                                      .ino = rule->ino,
                                                      .step = "linux.mount.read",
                                                      .why = "kept visible",
                                                      .origin = rule->origin},
                                    rule->backing ? rule->backing : rule->path);
    return status ? status : add_pins(p, rule);
}

static cordon_status plan_rules(struct planner *p)
{
    cordon_status status = CORDON_OK;
    for (size_t i = 0; i < p->resolved->count && status == CORDON_OK; i++) {
        const struct rule *rule = &p->resolved->items[i];
        if (rule->redundant)
            continue;
        switch (rule->kind) {
        case RULE_WRITE:
            status = plan_write(p, rule);
            break;
        case RULE_PROTECT:
            status = plan_protect(p, rule);
            break;
        case RULE_DENY_READ:
            status = plan_mask(p, rule);
            break;
        case RULE_READ:
            status = plan_visible(p, rule);
            break;
        case RULE_COW:
            status = error_set(p->err, CORDON_E_UNSUPPORTED, 0, "linux.plan.cow",
                               "cow roots are not in this version: drop %s", rule->path);
            break;
        }
    }
    return status;
}

const char *const linux_nodes[LINUX_NODE_COUNT] = {"/dev/null",   "/dev/zero",    "/dev/full",
                                                   "/dev/random", "/dev/urandom", "/dev/tty"};

static uint64_t node_access(const struct planner *p)
{
    return (LANDLOCK_FS_READ_FILE | LANDLOCK_FS_WRITE_FILE | LANDLOCK_FS_TRUNCATE | LANDLOCK_FS_IOCTL_DEV) &
           landlock_fs_all(p->facts->landlock_abi);
}

static cordon_status plan_node(struct planner *p, const char *path)
{
    return add_landlock(
        p, (struct landlock_rule){.path = path, .access = node_access(p), .optional = true, .why = "device"});
}

/* A /dev of nothing but what programs need. The host's nodes are bound in: an
 * unprivileged user namespace cannot make nodes. */
static cordon_status plan_dev(struct planner *p)
{
    cordon_status status =
        add_tree(p,
                 (struct mount_op){
                     .target = "/dev", .read_only = true, .step = "linux.mount.dev", .why = "minimal /dev"},
                 p->facts->dev);
    for (size_t i = 0; i < LINUX_NODE_COUNT && status == CORDON_OK; i++) {
        const char *path = linux_nodes[i];
        status = add_tree(
            p,
            (struct mount_op){.target = path,
                              .read_only = true, /* writing to a device is no write to its mount; chmod is */
                              .optional = true,
                              .step = "linux.mount.dev",
                              .why = "device"},
            path);
        if (status == CORDON_OK)
            status = plan_node(p, path);
    }
    if (status == CORDON_OK)
        status = add_late(p, (struct mount_op){.kind = MOUNT_DEVPTS,
                                               .target = "/dev/pts",
                                               .slot = -1,
                                               .step = "linux.mount.devpts",
                                               .why = "pseudo-terminals of its own"});
    p->plan->devpts_access = node_access(p);
    return status;
}

/* Without mounts: the roots and the harmless devices may be written, by Landlock's word. */
static cordon_status plan_plain(struct planner *p)
{
    cordon_status status = CORDON_OK;
    for (size_t i = 0; i < LINUX_NODE_COUNT && status == CORDON_OK; i++)
        status = plan_node(p, linux_nodes[i]);
    for (size_t i = 0; i < p->resolved->count && status == CORDON_OK; i++)
        if (p->resolved->items[i].kind == RULE_WRITE && !p->resolved->items[i].redundant)
            status = plan_write_landlock(p, &p->resolved->items[i]);
    return status;
}

static int compare_late(const void *a, const void *b)
{
    static const struct path_rules posix = {PATH_POSIX, false};
    const struct mount_op *x = a, *y = b;
    int order = path_compare(posix, x->target, y->target);
    /* Equal targets: only a pin can equal another rule's mount or pin. */
    return order ? order : (x->kind == MOUNT_PIN) - (y->kind == MOUNT_PIN);
}

static void op_release(struct mount_op *op)
{
    free((char *)op->source);
    free((char *)op->target);
    free((char *)op->origin);
}

/* Outermost first; a pin whose target is a mount already is dropped. */
static cordon_status plan_order(struct planner *p)
{
    static const struct path_rules posix = {PATH_POSIX, false};
    cordon_status status =
        add_early(p, (struct mount_op){.kind = MOUNT_SEAL,
                                       .slot = -1,
                                       .step = "linux.mount.seal",
                                       .why = "everything read-only, propagation private"});
    if (p->late_count)
        qsort(p->late, p->late_count, sizeof *p->late, compare_late);
    const char *last = NULL;
    for (size_t i = 0; i < p->late_count; i++) {
        struct mount_op *op = &p->late[i];
        bool repeated = op->kind == MOUNT_PIN && last && path_equal(posix, last, op->target);
        if (status == CORDON_OK && !repeated) {
            status = add_early(p, *op);
            if (status == CORDON_OK)
                last = p->plan->mounts[p->plan->mount_count - 1].target;
        }
        op_release(op);
    }
    free(p->late);
    p->late = NULL;
    return status;
}

static cordon_status plan_mounts(struct planner *p)
{
    cordon_status status = plan_dev(p);
    if (status == CORDON_OK)
        status = add_late(
            p, (struct mount_op){.kind = MOUNT_PROC,
                                 .target = "/proc",
                                 .slot = -1,
                                 .step = "linux.mount.proc",
                                 .why = "the sandbox's own processes, read-only: /proc/sys steers the host"});
    if (status == CORDON_OK)
        status = plan_rules(p);
    cordon_status order = plan_order(p); /* also frees the late list */
    return status ? status : order;
}

static void plan_identity(struct linux_plan *plan, const struct linux_facts *facts)
{
    plan->uid_map[plan->uid_count++] = facts->uid;
    plan->gid_map[plan->gid_count++] = facts->gid;
    if (facts->uid != 0)
        return;
    /* Root: the workspace may belong to another uid (the usual container mount);
     * with that uid mapped DAC_OVERRIDE reaches its files, and no other user's. */
    if (facts->owner_uid != facts->uid)
        plan->uid_map[plan->uid_count++] = facts->owner_uid;
    if (facts->owner_gid != facts->gid)
        plan->gid_map[plan->gid_count++] = facts->owner_gid;
    plan->keep_caps = LINUX_CAPS_EVER_KEPT;
}

static cordon_status plan_limits(struct linux_plan *plan, const struct policy *policy,
                                 const struct linux_facts *facts, struct cordon_error *err)
{
    plan->wall_seconds = policy->limits[LIMIT_WALL_SECONDS].value;
    plan->cpu_seconds = policy->limits[LIMIT_CPU_SECONDS].value;
    plan->file_bytes = policy->limits[LIMIT_FILE_BYTES].value;
    uint64_t processes = policy->limits[LIMIT_PROCESSES].value;
    plan->cgroup_memory = policy->limits[LIMIT_MEMORY_BYTES].value;
    if (plan->cgroup_memory && !facts->cgroup_memory)
        return error_set(
            err, CORDON_E_UNSUPPORTED, 0, "linux.limit.memory",
            "limit memory (%s): no cgroup v2 with the memory controller is delegated to this user; run under "
            "`systemd-run --user --scope`, or drop the limit with --allow-degraded limit-memory",
            policy->limits[LIMIT_MEMORY_BYTES].origin);
    if (!processes)
        return CORDON_OK;
    if (facts->cgroup_processes)
        plan->cgroup_processes = processes;
    else if (facts->uid != 0 && !facts->plain)
        plan->processes_rlimit = processes;
    else
        return error_set(
            err, CORDON_E_UNSUPPORTED, 0, "linux.limit.processes",
            "limit processes (%s): %s and no cgroup v2 with the pids controller is at hand; %sdrop the limit "
            "with --allow-degraded limit-processes",
            policy->limits[LIMIT_PROCESSES].origin,
            facts->uid == 0 ? "RLIMIT_NPROC does not bind root"
                            : "RLIMIT_NPROC would count all your processes",
            facts->uid == 0 ? "run as an ordinary user, or " : "");
    return CORDON_OK;
}

cordon_status linux_plan_make(struct linux_plan *out, const struct policy *policy,
                              const struct resolved *resolved, const struct linux_facts *facts,
                              struct cordon_error *err)
{
    struct linux_plan plan;
    linux_plan_init(&plan);
    struct planner p = {&plan, resolved, facts, NULL, 0, 0, err};

    plan.plain = facts->plain;
    plan.own_netns = policy->net != NET_ON && !facts->plain;
    plan.ruleset = landlock_handled(facts->landlock_abi);
    if (!facts->plain)
        plan_identity(&plan, facts);
    plan.cwd = string_copy(facts->cwd);
    cordon_status status = plan.cwd ? CORDON_OK : error_nomem(err, "linux.plan.mounts");
    if (status == CORDON_OK && facts->plain)
        status = linux_plain_check(policy, facts, err);
    if (status == CORDON_OK)
        status = plan_limits(&plan, policy, facts, err);
    if (status == CORDON_OK)
        status =
            add_landlock(&p, (struct landlock_rule){.path = "/",
                                                    .access = LANDLOCK_FS_EXECUTE | LANDLOCK_FS_READ_FILE |
                                                              LANDLOCK_FS_READ_DIR,
                                                    .why = "reads are allowed"});
    if (status == CORDON_OK)
        status = facts->plain ? plan_plain(&p) : plan_mounts(&p);
    if (status == CORDON_OK) {
        plan.listener = facts->broker || facts->trace;
        plan.filter_options =
            (struct seccomp_options){.arch = facts->arch,
                                     .notify = facts->broker,
                                     .trace = facts->trace,
                                     .trace_reads = facts->trace && policy->lists[LIST_DENY_READ].count > 0};
        status = seccomp_generate(&plan.filter_options, &plan.filter, err);
    }
    if (status == CORDON_OK && facts->plain)
        status = linux_plain_filter(facts->arch, policy->net == NET_ON, &plan.plain_filter, err);
    if (status) {
        linux_plan_release(&plan);
        return status;
    }
    *out = plan;
    return CORDON_OK;
}
