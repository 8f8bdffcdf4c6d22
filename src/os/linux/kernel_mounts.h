/* kernel_mounts.h - file systems through which the kernel is steered, mounted inside writable roots. */
#ifndef CORDON_LINUX_KERNEL_MOUNTS_H
#define CORDON_LINUX_KERNEL_MOUNTS_H

#include <stdbool.h>

#include "core/decide.h"
#include "core/error.h"

/* Is what the descriptor (O_PATH will do) refers to on such a file system? */
bool kernel_mounts_holds(int fd);

/* Adds a protect rule for each that is mounted in a writable root of `r` (not
 * yet finished): a chroot's tree has /proc and /sys in it. Step "resolve.mounts". */
cordon_status kernel_mounts_protect(struct resolved *r, struct cordon_error *err);

#endif
