/* cgroup.h - a control group of its own for one run: the memory and process limits.
 *
 * cgroup v2 only, and only where an administrator or systemd has delegated it:
 * without a place with the wanted controllers nothing is made and the limit is
 * an error. `root` stands before /proc and before every mount point: "" on a
 * real system, a directory of plain files in tests. Errors: steps
 * "linux.limit.memory" and "linux.limit.processes". Not thread-safe for one
 * object.
 */
#ifndef CORDON_LINUX_CGROUP_H
#define CORDON_LINUX_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

struct cgroup {
    int dir_fd; /* for CLONE_INTO_CGROUP */
    char *path;
};

struct cgroup_events {
    bool oom;      /* the kernel killed for want of memory */
    bool pids_max; /* a fork was refused */
};

/* Can this user make one with these controllers? Looks only. */
bool cgroup_available(const char *root, bool memory, bool processes);

/* 0 means no limit of that kind. `processes` counts cordon's own init too. */
cordon_status cgroup_create(const char *root, uint64_t memory_bytes, uint64_t processes, struct cgroup *out,
                            struct cordon_error *err);

void cgroup_read_events(const struct cgroup *c, struct cgroup_events *out);

/* After the last process has been waited for. */
void cgroup_remove(struct cgroup *c);

#endif
