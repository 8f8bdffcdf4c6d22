/* mounts.h - carries out a plan's mounts inside the fresh mount namespace. */
#ifndef CORDON_LINUX_MOUNTS_H
#define CORDON_LINUX_MOUNTS_H

#include <stdbool.h>

#include "core/error.h"
#include "plan/linux_plan.h"

/* Made while there is no plan yet, for it to use; -1: not made. */
struct mounts_early {
    int proc, devpts;
    int nodes[LINUX_NODE_COUNT];
};

struct mounts_scratch {
    int *slots;        /* plan->slots descriptors, prepared by the parent */
    int seal_stdio[3]; /* 1: reopen this read-only regular file through the sealed tree */
    int devpts;        /* the fresh one, for its rule; -1: none */
    struct mounts_early early;
};

/* What every plan mounts, made while init waits for one; what fails is tried
 * again by mounts_apply(). `mapped`: the user namespace has its id maps, without
 * which a devpts cannot be made. Async-signal-safe. */
void mounts_begin(struct mounts_scratch *scratch, bool mapped);

/* After mounts_begin(). Async-signal-safe: runs between clone and exec. On failure fills *err with
 * the step of the operation that failed. */
cordon_status mounts_apply(const struct linux_plan *plan, struct mounts_scratch *scratch,
                           struct cordon_error *err);

/* A Landlock rule names an inode, so the fresh devpts gets its own only now. Closes
 * it. ruleset -1: no Landlock. */
cordon_status mounts_allow_devpts(const struct linux_plan *plan, struct mounts_scratch *scratch, int ruleset,
                                  struct cordon_error *err);

/* A fresh file system of `type`, not yet mounted anywhere; key (NULL: none) is
 * one of its options. -1 with errno. Async-signal-safe. */
int mounts_fresh(const char *type, const char *key, const char *value, uint64_t attributes);

#endif
