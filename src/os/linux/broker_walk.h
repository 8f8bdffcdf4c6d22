/* broker_walk.h - finds what a path names for a thread of the command.
 *
 * For the broker, in the supervising process: the user, outside. The thread's
 * own root, working directory and mounts count, not this process's.
 */
#ifndef CORDON_LINUX_BROKER_WALK_H
#define CORDON_LINUX_BROKER_WALK_H

#include "os/linux/notify.h"

enum walk_result { WALK_FOUND, WALK_FAILED, WALK_MAGIC };

/* Follows links, the last component's too, as connect(2) does. *fd: O_PATH on
 * what was found, the caller closes it. WALK_FAILED: errno is what the thread
 * would have got (ESRCH: it is gone). WALK_MAGIC: the way goes through a link of
 * /proc, whose target depends on who looks and may be any open file: not taken. */
enum walk_result broker_walk(const struct notify *n, const struct notify_request *r, const char *path,
                             int *fd);

#endif
