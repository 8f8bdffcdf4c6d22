/* linux_plan.h - everything that the Linux kernel would be told, as plain data.
 *
 * Pure: made from a resolved policy and facts, printed by `cordon plan`, carried
 * out by src/os/linux. Numbers are the kernel's own (UAPI); they are repeated
 * here because this compiles on every host.
 *
 * Ownership: the plan owns all its strings and arrays; steps and reasons are static.
 */
#ifndef CORDON_PLAN_LINUX_H
#define CORDON_PLAN_LINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/decide.h"
#include "core/error.h"
#include "core/policy.h"
#include "plan/bpf.h"
#include "plan/landlock.h"
#include "plan/seccomp.h"

/* What the planner must know of the machine and the run. Strings are borrowed. */
struct linux_facts {
    uint32_t uid, gid;             /* effective */
    uint32_t owner_uid, owner_gid; /* the workspace's */
    int landlock_abi;              /* 0: none */
    enum seccomp_arch arch;
    bool plain;         /* no namespaces for this user, and that was accepted: linux_plain.h */
    bool broker, trace; /* the supervising process answers what the filter asks */
    bool cgroup_memory, cgroup_processes; /* a cgroup with that controller can be made for this run */
    const char *cwd;                      /* resolved */
    const char *state_mask; /* backing of the mask over cordon's state, with its hole for the cache */
    const char *mask_dir, *mask_file; /* backing of deny_read masks */
    const char *dev;                  /* backing of /dev */
    const char *shm;                  /* backing of /dev/shm; NULL with --tmp shared */
    const char *const *devices;       /* further device names below /dev that rules name; NULL-terminated */
};

enum mount_kind {
    MOUNT_CAPTURE, /* clone the tree at `source` as it is now into `slot` */
    MOUNT_SEAL,    /* everything read-only, propagation private */
    MOUNT_ATTACH,  /* slot's tree (a further clone of it, once used) onto `target` */
    MOUNT_PIN,     /* target onto itself: renaming it gives EBUSY */
    MOUNT_PROTECT, /* target onto itself, read-only */
    MOUNT_PROC,    /* fresh proc, read-only */
    MOUNT_DEVPTS,  /* fresh devpts */
};

struct mount_op {
    enum mount_kind kind;
    const char *source; /* MOUNT_CAPTURE */
    const char *target; /* the others but MOUNT_SEAL */
    int slot;           /* MOUNT_CAPTURE, MOUNT_ATTACH; else -1 */
    bool read_only;     /* MOUNT_ATTACH */
    bool no_devices;    /* MOUNT_ATTACH: nosuid and nodev, for private directories */
    bool optional;      /* MOUNT_CAPTURE of a device that this machine may lack; its ATTACH is skipped too */
    bool check;         /* compare the identity of source (CAPTURE) or target (PIN, PROTECT) */
    uint64_t dev, ino;
    const char *step;   /* stable id for errors; static */
    const char *why;    /* for `cordon plan`; static */
    const char *origin; /* of the rule behind it; NULL: built in */
};

struct landlock_rule {
    const char *path; /* as seen outside, before any mount */
    uint64_t access;
    bool check;
    uint64_t dev, ino;
    bool optional;   /* a device that this machine may lack */
    bool follow;     /* `path` is a /proc link to an open file */
    const char *why; /* static */
};

/* The devices of the minimal /dev that every plan has. */
#define LINUX_NODE_COUNT 6
extern const char *const linux_nodes[LINUX_NODE_COUNT];

/* CHOWN, DAC_OVERRIDE, FOWNER: no plan keeps any other capability. */
#define LINUX_CAPS_EVER_KEPT ((1ull << 0) | (1ull << 1) | (1ull << 3))

struct linux_plan {
    bool plain; /* no mounts, no namespaces */
    bool own_netns;
    uint32_t uid_map[2], gid_map[2]; /* identity mapped ids */
    size_t uid_count, gid_count;
    uint64_t keep_caps; /* of the command inside its user namespace; within LINUX_CAPS_EVER_KEPT */
    struct mount_op *mounts;
    size_t mount_count, mount_cap;
    int slots;
    struct landlock_ruleset ruleset;
    struct landlock_rule *rules;
    size_t rule_count, rule_cap;
    uint64_t devpts_access; /* rule added for the fresh devpts once it exists; 0: none */
    struct bpf_program filter;
    struct bpf_program plain_filter; /* of a plain plan */
    struct seccomp_options filter_options;
    bool listener; /* the filter asks the supervising process about some calls */
    char *cwd;
    uint64_t wall_seconds;
    uint64_t cpu_seconds, file_bytes;         /* rlimits, 0: none */
    uint64_t processes_rlimit;                /* 0: none or by cgroup */
    uint64_t cgroup_memory, cgroup_processes; /* 0: none */
};

void linux_plan_init(struct linux_plan *plan);
void linux_plan_release(struct linux_plan *plan);

/* Makes the plan. Fails closed with steps "linux.plan..." */
cordon_status linux_plan_make(struct linux_plan *out, const struct policy *policy,
                              const struct resolved *resolved, const struct linux_facts *facts,
                              struct cordon_error *err);

/* Facets: what enforces each under this plan. */
enum facet_state {
    FACET_ENFORCED,
    FACET_LIMIT /* documented limit of Linux */,
    FACET_UNAVAILABLE /* promised, not here */
};
struct facet {
    const char *name;      /* product.md par. 5 */
    const char *mechanism; /* static words */
    enum facet_state state;
    const char *remedy; /* when unavailable: static */
};
#define LINUX_FACETS_MAX 32
size_t linux_facets(const struct linux_plan *plan, const struct linux_facts *facts,
                    const struct policy *policy, struct facet out[LINUX_FACETS_MAX]);

/* A regular file on standard output or error: `echo > /dev/stderr` opens it
 * again, which the caller meant to allow. `fd` is opened by its /proc link. */
cordon_status linux_plan_add_output(struct linux_plan *plan, int fd, const struct linux_facts *facts,
                                    struct cordon_error *err);

/* `cordon plan`: for people, and as JSON text with a final newline. All borrowed. */
struct linux_view {
    const struct linux_plan *plan;
    const struct policy *policy;
    const struct resolved *resolved;
    const struct facet *facets;
    size_t facet_count;
    char *const *environment, *const *removed; /* NULL-terminated; values are not printed */
};
cordon_status linux_plan_text(const struct linux_view *view, struct buf *out, struct cordon_error *err);
cordon_status linux_plan_json(const struct linux_view *view, struct buf *out, struct cordon_error *err);

#endif
