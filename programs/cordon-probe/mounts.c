/* mounts.c - operations on the mount tree: the boundary itself.
 *
 * The controls run in namespaces of their own, where all of this works.
 */
#include "probe.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#define REFUSED "EPERM EACCES ENOSYS EROFS"

static struct probe_result decide(const struct probe_call *c, const char *step, int failed)
{
    return failed ? probe_failed(c, step, errno) : probe_allowed();
}

static struct probe_result mount_tmpfs(const struct probe_call *c)
{
    return decide(c, "mount", mount("cordon-probe", c->args[0], "tmpfs", 0, NULL) != 0);
}

static struct probe_result mount_proc(const struct probe_call *c)
{
    return decide(c, "mount", mount("proc", c->args[0], "proc", 0, NULL) != 0);
}

static struct probe_result mount_overlay(const struct probe_call *c)
{
    char options[4096];
    snprintf(options, sizeof options, "lowerdir=%s:%s", c->args[0], c->args[1]);
    return decide(c, "mount", mount("cordon-probe", c->args[1], "overlay", 0, options) != 0);
}

static struct probe_result bind(const struct probe_call *c)
{
    return decide(c, "mount", mount(c->args[0], c->args[1], NULL, MS_BIND, NULL) != 0);
}

static struct probe_result move(const struct probe_call *c)
{
    return decide(c, "mount", mount(c->args[0], c->args[1], NULL, MS_MOVE, NULL) != 0);
}

static struct probe_result remount_writable(const struct probe_call *c)
{
    return decide(c, "mount", mount(NULL, c->args[0], NULL, MS_REMOUNT | MS_BIND, NULL) != 0);
}

static struct probe_result make_shared(const struct probe_call *c)
{
    return decide(c, "mount", mount(NULL, c->args[0], NULL, MS_SHARED, NULL) != 0);
}

static struct probe_result unmount(const struct probe_call *c)
{
    return decide(c, "umount2", umount2(c->args[0], MNT_DETACH) != 0);
}

/* In a user namespace with capabilities Landlock lets this one through. */
static struct probe_result set_attributes(const struct probe_call *c)
{
    struct raw_mount_attr attributes = {.attr_clr = RAW_MOUNT_ATTR_RDONLY};
    return decide(c, "mount_setattr",
                  syscall(RAW_mount_setattr, AT_FDCWD, c->args[0], 0, &attributes, sizeof attributes) != 0);
}

static struct probe_result clone_tree(const struct probe_call *c)
{
    long fd =
        syscall(RAW_open_tree, AT_FDCWD, c->args[0], RAW_OPEN_TREE_CLONE | RAW_AT_RECURSIVE | O_CLOEXEC);
    return decide(c, "open_tree", fd < 0);
}

/* open_tree with attributes in one call, since Linux 6.15. Setting what any clone
 * may set: being heard at all is the attack. */
static struct probe_result clone_tree_with_attributes(const struct probe_call *c)
{
    struct raw_mount_attr attributes = {.attr_set = RAW_MOUNT_ATTR_RDONLY};
    long fd = syscall(RAW_open_tree_attr, AT_FDCWD, c->args[0],
                      RAW_OPEN_TREE_CLONE | RAW_AT_RECURSIVE | O_CLOEXEC, &attributes, sizeof attributes);
    return decide(c, "open_tree_attr", fd < 0);
}

static struct probe_result open_filesystem(const struct probe_call *c)
{
    return decide(c, "fsopen", syscall(RAW_fsopen, c->args[0], 1) < 0);
}

static struct probe_result change_root(const struct probe_call *c)
{
    return decide(c, "chroot", chroot(c->args[0]) != 0);
}

static struct probe_result pivot(const struct probe_call *c)
{
    if (mount(c->args[0], c->args[0], NULL, MS_BIND, NULL) != 0) {
        return probe_failed(c, "mount", errno);
    }
    return decide(c, "pivot_root", chdir(c->args[0]) != 0 || syscall(SYS_pivot_root, ".", ".") != 0);
}

/* pivot_root alone, with arguments that are wrong: who may not, hears EPERM
 * (or the filter's answer) before EINVAL or EBUSY. */
static struct probe_result pivot_refused(const struct probe_call *c)
{
    int failed = (int)syscall(SYS_pivot_root, c->args[0], c->args[0]);
    return failed && (errno == EINVAL || errno == EBUSY) ? probe_allowed() : decide(c, "pivot_root", failed);
}

const struct probe_operation probe_mounts[] = {
    {"mount-tmpfs", "PATH", REFUSED, "", mount_tmpfs},
    {"mount-proc", "PATH", REFUSED, "", mount_proc},
    {"mount-overlay", "UPPER LOWER", REFUSED, "ENODEV", mount_overlay},
    {"mount-bind", "FROM TO", REFUSED, "", bind},
    {"mount-move", "FROM TO", REFUSED, "", move},
    {"remount-rw", "PATH", REFUSED, "", remount_writable},
    {"mount-shared", "PATH", REFUSED, "", make_shared},
    {"umount", "PATH", REFUSED, "", unmount},
    {"mount-setattr", "PATH", REFUSED, "", set_attributes},
    {"open-tree", "PATH", REFUSED, "", clone_tree},
    {"open-tree-attr", "PATH", "EPERM EACCES EROFS", "ENOSYS", clone_tree_with_attributes},
    {"fsopen", "TYPE", REFUSED, "ENODEV", open_filesystem},
    {"chroot", "PATH", REFUSED, "", change_root},
    {"pivot-root", "PATH", REFUSED, "", pivot},
    {"pivot-root-refused", "PATH", REFUSED, "", pivot_refused},
    {NULL, NULL, NULL, NULL, NULL},
};
