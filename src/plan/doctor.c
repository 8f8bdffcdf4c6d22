/* doctor.c - which primitive carries which facet, and the verdict (see doctor.h). Pure. */
#include "plan/doctor.h"

#include <stdlib.h>
#include <string.h>

#define BIT(p) (1u << PRIMITIVE_##p)

/* What every mount rests on. */
#define MOUNTS                                                                                               \
    (BIT(USER_NAMESPACE) | BIT(ID_MAPS) | BIT(MOUNT_NAMESPACE) | BIT(OPEN_TREE) | BIT(MOUNT_SETATTR) |       \
     BIT(MOVE_MOUNT) | BIT(OPENAT2))
/* Namespaces come by one call: without one of them there is none. */
#define NAMESPACES                                                                                           \
    (BIT(USER_NAMESPACE) | BIT(ID_MAPS) | BIT(MOUNT_NAMESPACE) | BIT(PID_NAMESPACE) | BIT(IPC_NAMESPACE) |   \
     BIT(UTS_NAMESPACE) | BIT(CGROUP_NAMESPACE))

static const struct primitive_words words[PRIMITIVE_COUNT] = {
    [PRIMITIVE_USER_NAMESPACE] = {"user-namespace", "user namespace", true},
    [PRIMITIVE_ID_MAPS] = {"id-maps", "user and group id maps", true},
    [PRIMITIVE_MOUNT_NAMESPACE] = {"mount-namespace", "mount namespace", true},
    [PRIMITIVE_PID_NAMESPACE] = {"pid-namespace", "PID namespace", true},
    [PRIMITIVE_IPC_NAMESPACE] = {"ipc-namespace", "IPC namespace", true},
    [PRIMITIVE_UTS_NAMESPACE] = {"uts-namespace", "UTS namespace", true},
    [PRIMITIVE_CGROUP_NAMESPACE] = {"cgroup-namespace", "control group namespace", true},
    [PRIMITIVE_NETWORK_NAMESPACE] = {"network-namespace", "network namespace", true},
    [PRIMITIVE_LOOPBACK] = {"loopback", "private loopback, a connection over it", true},
    [PRIMITIVE_OPEN_TREE] = {"open-tree", "open_tree: clone of a mount tree", true},
    [PRIMITIVE_MOUNT_SETATTR] = {"mount-setattr", "mount_setattr: read-only, recursively", true},
    [PRIMITIVE_MOVE_MOUNT] = {"move-mount", "move_mount by descriptor", true},
    [PRIMITIVE_FRESH_PROC] = {"fresh-proc", "fresh /proc", false},
    [PRIMITIVE_FRESH_DEVPTS] = {"fresh-devpts", "fresh /dev/pts, a terminal in it", true},
    [PRIMITIVE_LANDLOCK] = {"landlock", "Landlock: a ruleset that refuses", true},
    [PRIMITIVE_NO_NEW_PRIVS] = {"no-new-privs", "no_new_privs", true},
    [PRIMITIVE_SECCOMP] = {"seccomp", "seccomp: a filter that refuses", true},
    [PRIMITIVE_SECCOMP_NOTIFY] = {"seccomp-notify", "seccomp user notification", true},
    [PRIMITIVE_PIDFD] = {"pidfd", "pidfd: signal by descriptor", false},
    [PRIMITIVE_PIDFD_GETFD] = {"pidfd-getfd", "looking into a confined process", false},
    [PRIMITIVE_CLOSE_RANGE] = {"close-range", "close_range", true},
    [PRIMITIVE_OPENAT2] = {"openat2", "openat2 that follows no link", true},
    [PRIMITIVE_CGROUP_MEMORY] = {"cgroup-memory", "control group v2 with a memory limit", false},
    [PRIMITIVE_CGROUP_PROCESSES] = {"cgroup-processes", "control group v2 with a process limit", false},
};

/* Which of them a facet cannot do without. limit-memory and limit-processes are
 * judged by linux_facets() from what was found. */
static const struct {
    const char *facet;
    uint32_t needs;
} facet_needs[] = {
    {"write", MOUNTS | BIT(LANDLOCK) | BIT(SECCOMP)},
    {"protect", MOUNTS | BIT(SECCOMP)},
    {"deny-read", MOUNTS | BIT(SECCOMP)},
    {"tmp", MOUNTS},
    {"tmp-view", MOUNTS},
    {"network", NAMESPACES | BIT(NETWORK_NAMESPACE) | BIT(SECCOMP)},
    {"inner-loopback", NAMESPACES | BIT(NETWORK_NAMESPACE) | BIT(LOOPBACK)},
    {"unix-sockets", BIT(SECCOMP) | BIT(SECCOMP_NOTIFY)},
    {"unix-dgram", BIT(SECCOMP)},
    {"ipc", NAMESPACES},
    {"outside-processes", NAMESPACES},
    {"terminal", BIT(SECCOMP)},
    {"devices", MOUNTS | BIT(FRESH_DEVPTS)},
    {"kernel-surface", MOUNTS | BIT(SECCOMP)},
    {"privileges", NAMESPACES | BIT(NO_NEW_PRIVS) | BIT(CLOSE_RANGE)},
    {"tree-kill", NAMESPACES},
};

void doctor_init(struct doctor *d)
{
    memset(d, 0, sizeof *d);
    d->hints.max_user_namespaces = -1;
    d->hints.yama = -1;
}

void doctor_release(struct doctor *d)
{
    for (size_t i = 0; i < d->finding_count; i++) {
        free(d->findings[i].text);
        free(d->findings[i].remedy);
    }
    free(d->findings);
    doctor_init(d);
}

cordon_status doctor_add_finding(struct doctor *d, const char *subject, bool good, const char *text,
                                 const char *remedy, struct cordon_error *err)
{
    struct doctor_finding *items = realloc(d->findings, (d->finding_count + 1) * sizeof *items);
    if (items)
        d->findings = items;
    struct doctor_finding finding = {subject, good, string_copy(text), remedy ? string_copy(remedy) : NULL};
    if (!items || !finding.text || (remedy && !finding.remedy)) {
        free(finding.text);
        free(finding.remedy);
        return error_nomem(err, "doctor.print");
    }
    d->findings[d->finding_count++] = finding;
    return CORDON_OK;
}

const struct primitive_words *primitive_words(enum primitive p)
{
    return &words[p];
}

static uint32_t needs_of(const char *facet)
{
    for (size_t i = 0; i < sizeof facet_needs / sizeof *facet_needs; i++)
        if (strcmp(facet_needs[i].facet, facet) == 0)
            return facet_needs[i].needs;
    return 0;
}

/* The first that does not work, in the order of trying: what comes after may only
 * follow from it. What could not even be tried counts too. */
static enum primitive first_missing(const struct doctor *d, uint32_t needs)
{
    for (int p = 0; p < PRIMITIVE_COUNT; p++)
        if ((needs & (1u << p)) && d->primitives[p].state != PRIMITIVE_WORKS)
            return (enum primitive)p;
    return PRIMITIVE_COUNT;
}

/* It is needed only when one is asked for. */
static bool is_limit(const struct facet *facet)
{
    return strncmp(facet->name, "limit-", 6) == 0;
}

void doctor_judge(struct doctor *d)
{
    d->enforceable = d->trial_done && d->trial.status == CORDON_OK;
    for (size_t i = 0; i < d->finding_count; i++)
        if (!d->findings[i].good && strcmp(d->findings[i].subject, "state") == 0)
            d->enforceable = false; /* no run without it */
    for (size_t i = 0; i < d->facet_count; i++) {
        struct facet *facet = &d->facets[i];
        uint32_t needs = needs_of(facet->name);
        if (facet->state == FACET_LIMIT) /* nothing asks where cordon could not answer */
            needs &= ~BIT(SECCOMP_NOTIFY);
        enum primitive missing = first_missing(d, needs);
        d->missing[i] = missing;
        if (missing != PRIMITIVE_COUNT) {
            facet->state = FACET_UNAVAILABLE;
            facet->remedy = doctor_explain(d, missing).remedy;
            if (!facet->remedy)
                facet->remedy = "it could not even be tried: end some processes, and ask again";
        }
        if (facet->state == FACET_UNAVAILABLE && !is_limit(facet))
            d->enforceable = false;
    }
}

bool doctor_can_reduce(const struct doctor *d)
{
    /* As plain_wanted() judges it. */
    const uint32_t boundary = BIT(USER_NAMESPACE) | BIT(ID_MAPS) | BIT(MOUNT_NAMESPACE) | BIT(PID_NAMESPACE) |
                              BIT(OPEN_TREE) | BIT(MOUNT_SETATTR) | BIT(MOVE_MOUNT);
    return first_missing(d, boundary) != PRIMITIVE_COUNT && d->landlock_abi >= 2 &&
           first_missing(d, BIT(LANDLOCK) | BIT(SECCOMP) | BIT(NO_NEW_PRIVS) | BIT(CLOSE_RANGE)) ==
               PRIMITIVE_COUNT;
}

void doctor_reduced_list(const struct doctor *d, struct buf *out)
{
    for (size_t i = 0; i < d->reduced_count; i++)
        if (d->reduced[i].state == FACET_UNAVAILABLE && !is_limit(&d->reduced[i]))
            buf_add_format(out, "%s%s", out->len ? "," : "", d->reduced[i].name);
}

static const char *first_unavailable(const struct doctor *d, const char **remedy)
{
    for (size_t i = 0; i < d->facet_count; i++) {
        if (d->facets[i].state != FACET_UNAVAILABLE || is_limit(&d->facets[i]))
            continue;
        *remedy = d->facets[i].remedy;
        return d->facets[i].name;
    }
    return NULL;
}

void doctor_verdict(const struct doctor *d, struct buf *out)
{
    size_t bad = 0;
    const char *remedy = NULL, *facet = first_unavailable(d, &remedy);
    for (size_t i = 0; i < d->finding_count; i++)
        bad += !d->findings[i].good;
    if (d->enforceable && bad == 0)
        buf_add_string(out, "cordon can enforce the default profile here");
    else if (d->enforceable)
        buf_add_format(out,
                       "cordon can enforce the default profile here; %zu thing%s above stand%s in the way",
                       bad, bad == 1 ? "" : "s", bad == 1 ? "s" : "");
    else if (facet)
        buf_add_format(out, "cordon cannot enforce the default profile here (%s): %s", facet,
                       remedy ? remedy : "docs/platforms.md");
    else
        buf_add_format(out, "cordon cannot enforce the default profile here: %s",
                       !d->trial_done                 ? "it could not be tried"
                       : d->trial.status != CORDON_OK ? d->trial.message
                                                      : "it has no place for its state");
}
