/* tree_time.h - what the whole sandbox has used, seen from its own init. */
#ifndef CORDON_LINUX_TREE_TIME_H
#define CORDON_LINUX_TREE_TIME_H

#include <stdint.h>

/* CPU time of all living processes below this proc and of all that were
 * waited for, in milliseconds. RLIMIT_CPU counts one process at a time: many
 * short ones would never reach it. Async-signal-safe. */
uint64_t tree_cpu_ms(void);

/* The last pid that the namespace handed out: processes and threads started,
 * init included; -1 when the kernel does not say. `fd`: from the opening, done
 * while there is time. Async-signal-safe. */
int tree_open_last_pid(void);
int64_t tree_last_pid(int fd);

#endif
