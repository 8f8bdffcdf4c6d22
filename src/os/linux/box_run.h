/* box_run.h - what a run needs besides the plan: the command's descriptors
 * checked, the trees listed before and after, init's errors in words. Shared
 * by `cordon run` and the library.
 */
#ifndef CORDON_LINUX_BOX_RUN_H
#define CORDON_LINUX_BOX_RUN_H

#include "os/linux/box.h"
#include "os/posix/changes.h"

/* fds[i] will be the command's descriptor i. Refuses what would be a way out
 * (step "stdio.descriptor"), adds to the plan what /dev/stdout shall allow;
 * seal[i] != 0 as launch_go() wants it. */
cordon_status box_check_stdio(struct box *b, enum policy_net net, const int fds[3], int seal[3],
                              struct cordon_error *err);

/* What lies in the writable roots now. */
cordon_status box_snapshot(const struct box *b, struct changes *out, struct cordon_error *err);

/* Errors from init name the errno by number only: no words are made there. */
void box_error_words(struct cordon_error *err);

#endif
