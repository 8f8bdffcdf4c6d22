/* raw.h - system call numbers and constants that Debian 12's headers may lack.
 *
 * Numbers above 423 are the same on every architecture (Linux UAPI
 * asm-generic/unistd.h). Others come from <sys/syscall.h>.
 */
#ifndef CORDON_PROBE_RAW_H
#define CORDON_PROBE_RAW_H

#include <sys/syscall.h>
#include <unistd.h>

#define RAW_pidfd_send_signal 424
#define RAW_io_uring_setup 425
#define RAW_open_tree 428
#define RAW_move_mount 429
#define RAW_fsopen 430
#define RAW_fsconfig 431
#define RAW_fsmount 432
#define RAW_pidfd_open 434
#define RAW_clone3 435
#define RAW_openat2 437
#define RAW_pidfd_getfd 438
#define RAW_mount_setattr 442
#define RAW_fchmodat2 452
#define RAW_setxattrat 463
#define RAW_open_tree_attr 467
#define RAW_file_setattr 469

#define RAW_OPEN_TREE_CLONE 1u
#define RAW_AT_RECURSIVE 0x8000u
#define RAW_MOVE_MOUNT_F_EMPTY_PATH 4u
#define RAW_MOUNT_ATTR_RDONLY 1u

struct raw_mount_attr { /* struct mount_attr */
    unsigned long long attr_set, attr_clr, propagation, userns_fd;
};

struct raw_clone_args { /* struct clone_args, version 0 */
    unsigned long long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

#endif
