/* doctor.h - what `cordon doctor` found on a Linux machine, judged and put into words.
 *
 * Pure: src/os/linux/probe*.c try things and fill the struct, doctor_judge()
 * says what follows for each facet, doctor_explain() why something is refused
 * and what helps, doctor_text() and doctor_json() print it. Settings of the
 * machine (struct doctor_hints) only ever explain a refusal that was seen: they
 * decide nothing.
 */
#ifndef CORDON_PLAN_DOCTOR_H
#define CORDON_PLAN_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"
#include "plan/linux_plan.h"

/* What cordon needs of the kernel; each is tried. In the order of trying: what
 * is below a user namespace is not tried without one. */
enum primitive {
    PRIMITIVE_USER_NAMESPACE,
    PRIMITIVE_ID_MAPS,
    PRIMITIVE_MOUNT_NAMESPACE,
    PRIMITIVE_PID_NAMESPACE,
    PRIMITIVE_IPC_NAMESPACE,
    PRIMITIVE_UTS_NAMESPACE,
    PRIMITIVE_CGROUP_NAMESPACE,
    PRIMITIVE_NETWORK_NAMESPACE,
    PRIMITIVE_LOOPBACK,
    PRIMITIVE_OPEN_TREE,
    PRIMITIVE_MOUNT_SETATTR,
    PRIMITIVE_MOVE_MOUNT,
    PRIMITIVE_FRESH_PROC,
    PRIMITIVE_FRESH_DEVPTS,
    PRIMITIVE_LANDLOCK,
    PRIMITIVE_NO_NEW_PRIVS,
    PRIMITIVE_SECCOMP,
    PRIMITIVE_SECCOMP_NOTIFY,
    PRIMITIVE_PIDFD,
    PRIMITIVE_PIDFD_GETFD,
    PRIMITIVE_CLOSE_RANGE,
    PRIMITIVE_OPENAT2,
    PRIMITIVE_CGROUP_MEMORY,
    PRIMITIVE_CGROUP_PROCESSES,
    PRIMITIVE_COUNT
};

enum primitive_state { PRIMITIVE_NOT_TRIED, PRIMITIVE_MISSING, PRIMITIVE_WORKS };

struct primitive_result {
    enum primitive_state state;
    int os_code; /* errno of the refusal; 0: it was allowed but had no effect */
    int signal;  /* the trying process was killed by it; 0: it was not */
};

/* Read from the machine, to explain with. */
struct doctor_hints {
    long long max_user_namespaces;    /* -1: not known */
    bool userns_clone_off;            /* Debian's kernel.unprivileged_userns_clone is 0 */
    bool apparmor_restricts;          /* kernel.apparmor_restrict_unprivileged_userns is not 0 */
    int yama;                         /* kernel.yama.ptrace_scope; -1: none */
    bool filtered;                    /* a seccomp filter is in force on this very process */
    bool chrooted;                    /* no mount is at / */
    bool lsm_known, lsm_has_landlock; /* /sys/kernel/security/lsm */
};

/* What is said of the place where doctor was asked: state, policy file, workspace, ... */
struct doctor_finding {
    const char *subject; /* static */
    bool good;
    char *text, *remedy; /* owned; the remedy may be NULL */
};

struct doctor {
    const char *version;          /* cordon's own */
    char kernel[72], machine[72]; /* uname */
    uint32_t uid;
    int landlock_abi;
    struct primitive_result primitives[PRIMITIVE_COUNT];
    struct doctor_hints hints;
    /* The whole launch path, with a command that tries to get out. */
    bool trial_done;
    struct cordon_error trial; /* status CORDON_OK: it held */
    struct facet facets[LINUX_FACETS_MAX];
    size_t facet_count;
    enum primitive missing[LINUX_FACETS_MAX]; /* of each facet; PRIMITIVE_COUNT: nothing */
    /* Where there are no namespaces: what Landlock and seccomp alone would hold,
     * for who accepts the rest by name. Tried in the same way. */
    struct facet reduced[LINUX_FACETS_MAX];
    size_t reduced_count; /* 0: there are, or these are missing too */
    struct cordon_error reduced_trial;
    struct doctor_finding *findings;
    size_t finding_count;
    bool enforceable; /* the default profile, here */
};

void doctor_init(struct doctor *d);
void doctor_release(struct doctor *d);

/* Copies text and remedy. Step "doctor.print". */
cordon_status doctor_add_finding(struct doctor *d, const char *subject, bool good, const char *text,
                                 const char *remedy, struct cordon_error *err);

struct primitive_words {
    const char *name; /* stable, for JSON */
    const char *what; /* for people */
    bool needed;      /* by the default profile */
};
const struct primitive_words *primitive_words(enum primitive p);

/* Static words: why it is refused, as far as can be told, and what helps. For
 * what works both are NULL. */
struct doctor_explanation {
    const char *cause, *remedy;
};
struct doctor_explanation doctor_explain(const struct doctor *d, enum primitive p);

/* From facets (as linux_facets() gives them), primitives and trial: facets that
 * lack a primitive become unavailable, with its remedy; `missing` and
 * `enforceable` are set. */
void doctor_judge(struct doctor *d);

/* Are namespaces missing, and Landlock and seccomp not? */
bool doctor_can_reduce(const struct doctor *d);
/* What has to be accepted then: the argument of --allow-degraded. */
void doctor_reduced_list(const struct doctor *d, struct buf *out);

/* One line. */
void doctor_verdict(const struct doctor *d, struct buf *out);

/* For people, and as JSON (schema/doctor-1.json), with a final newline. */
cordon_status doctor_text(const struct doctor *d, struct buf *out, struct cordon_error *err);
cordon_status doctor_json(const struct doctor *d, struct buf *out, struct cordon_error *err);

#endif
