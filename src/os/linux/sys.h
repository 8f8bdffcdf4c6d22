/* sys.h - raw system calls whose numbers or constants Debian 12's headers lack.
 *
 * Linux UAPI is the source of every number. The wrappers are thin, set errno
 * and are async-signal-safe: the child between clone and exec uses them.
 */
#ifndef CORDON_LINUX_SYS_H
#define CORDON_LINUX_SYS_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SYS_NR_OPEN_TREE 428
#define SYS_NR_MOVE_MOUNT 429
#define SYS_NR_FSOPEN 430
#define SYS_NR_FSCONFIG 431
#define SYS_NR_FSMOUNT 432
#define SYS_NR_PIDFD_OPEN 434
#define SYS_NR_CLONE3 435
#define SYS_NR_CLOSE_RANGE 436
#define SYS_NR_OPENAT2 437
#define SYS_NR_PIDFD_GETFD 438
#define SYS_NR_MOUNT_SETATTR 442
#define SYS_NR_LANDLOCK_CREATE_RULESET 444
#define SYS_NR_LANDLOCK_ADD_RULE 445
#define SYS_NR_LANDLOCK_RESTRICT_SELF 446

#define SYS_OPEN_TREE_CLONE 1u
#define SYS_AT_RECURSIVE 0x8000u
#define SYS_MOVE_MOUNT_F_EMPTY_PATH 0x4u
#define SYS_MOVE_MOUNT_T_EMPTY_PATH 0x40u
#define SYS_MOUNT_ATTR_RDONLY 0x1ull
#define SYS_MOUNT_ATTR_NOSUID 0x2ull
#define SYS_MOUNT_ATTR_NODEV 0x4ull
#define SYS_MOUNT_ATTR_NOEXEC 0x8ull
#define SYS_FSCONFIG_SET_STRING 1
#define SYS_FSCONFIG_CMD_CREATE 6
#define SYS_RESOLVE_NO_SYMLINKS 0x04ull
#define SYS_CLOSE_RANGE_CLOEXEC 4u
#define SYS_PIDFD_THREAD O_EXCL /* since 6.9 */

#define SYS_SECCOMP_WAIT_KILLABLE_RECV 0x20u /* since 5.19 */

#define SYS_CLONE_NEWCGROUP 0x02000000ull

struct sys_clone_args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size,
        cgroup;
};

struct sys_mount_attr {
    uint64_t set, clear, propagation, userns_fd;
};

struct sys_open_how {
    uint64_t flags, mode, resolve;
};

#define SYS_STATX_BASIC_STATS 0x7ffu
#define SYS_STATX_BTIME 0x800u

struct sys_statx_time {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t reserved;
};

struct sys_statx { /* 256 bytes, whatever the architecture */
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, spare0;
    uint64_t ino, size, blocks, attributes_mask;
    struct sys_statx_time atime, btime, ctime, mtime;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t mnt_id, spare[13];
};

#define SYS_RENAME_NOREPLACE 1u

#pragma pack(push, 1)
struct sys_landlock_path_beneath { /* packed in the UAPI too */
    uint64_t allowed_access;
    int32_t parent_fd;
};
#pragma pack(pop)

static inline int sys_open_tree(int dir, const char *path, unsigned flags)
{
    return (int)syscall(SYS_NR_OPEN_TREE, dir, path, flags);
}

static inline int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
    return (int)syscall(SYS_NR_MOVE_MOUNT, from, from_path, to, to_path, flags);
}

static inline int sys_mount_setattr(int dir, const char *path, unsigned flags, struct sys_mount_attr *attr)
{
    return (int)syscall(SYS_NR_MOUNT_SETATTR, dir, path, flags, attr, sizeof *attr);
}

static inline int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
    struct sys_open_how how = {flags, 0, resolve};
    return (int)syscall(SYS_NR_OPENAT2, dir, path, &how, sizeof how);
}

/* With a mode, for O_CREAT. */
static inline int sys_openat2_create(int dir, const char *path, uint64_t flags, uint64_t mode,
                                     uint64_t resolve)
{
    struct sys_open_how how = {flags, mode, resolve};
    return (int)syscall(SYS_NR_OPENAT2, dir, path, &how, sizeof how);
}

static inline int sys_statx(int dir, const char *path, int flags, unsigned mask, struct sys_statx *out)
{
    return (int)syscall(SYS_statx, dir, path, flags, mask, out);
}

static inline int sys_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

static inline int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    return (int)syscall(SYS_NR_CLOSE_RANGE, first, last, flags);
}

#endif
