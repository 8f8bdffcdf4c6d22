/* landlock_apply.h - builds a plan's Landlock ruleset. */
#ifndef CORDON_LINUX_LANDLOCK_APPLY_H
#define CORDON_LINUX_LANDLOCK_APPLY_H

#include "core/error.h"
#include "plan/linux_plan.h"

/* The ABI of the running kernel: 0 when Landlock is absent or disabled. */
int landlock_abi(void);

/* Builds the ruleset in the launcher, where paths mean what they mean outside:
 * rules name inodes, and an inode keeps its rule wherever it is bound later.
 * *ruleset_fd is -1 when the plan handles nothing. The caller closes it. */
cordon_status landlock_build(const struct linux_plan *plan, int *ruleset_fd, struct cordon_error *err);

#endif
