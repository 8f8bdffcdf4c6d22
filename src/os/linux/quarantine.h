/* quarantine.h - moves away what must not stay where it is.
 *
 * By descriptor, never through a link, never over anything, and nothing of it
 * is read or run. It goes into `quarantine` of the workspace's state directory;
 * where that cannot be (another file system), it is renamed where it lies to a
 * name that means nothing to any tool. cordon never deletes what is there.
 */
#ifndef CORDON_LINUX_QUARANTINE_H
#define CORDON_LINUX_QUARANTINE_H

#include <stdbool.h>

#include "core/error.h"

struct quarantine {
    const char *state; /* the workspace's directory in cordon's state; borrowed */
    int dir;           /* its `quarantine`; -1: not opened yet, or not to be had */
    char time[24];     /* UTC, part of every name */
};

void quarantine_init(struct quarantine *q, const char *state);
void quarantine_release(struct quarantine *q);

/* Moves `name` of the directory `parent`, which nothing of the sandbox changes
 * any more. *to: its new name, below state/quarantine, or where it lay when
 * *in_place; the caller frees. Step "quarantine.move". */
cordon_status quarantine_move(struct quarantine *q, int parent, const char *name, char **to, bool *in_place,
                              struct cordon_error *err);

#endif
