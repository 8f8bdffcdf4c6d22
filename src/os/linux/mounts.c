/* mounts.c - carries out a plan's mounts (see plan/linux.c for their order).
 *
 * Runs as init of the sandbox, between clone and exec, with all capabilities in
 * its own user namespace and none outside. ASYNC-SIGNAL-SAFE CALLS ONLY.
 *
 * Mounts are made by descriptor: what is checked is what is mounted, whatever
 * happens to the path meanwhile.
 */
#include "os/linux/mounts.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "os/linux/signal_safe.h"
#include "os/linux/sys.h"

/* O_PATH on exactly this path, no link followed, not even the last component. */
static int open_exact(const char *path)
{
    return sys_openat2(AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, SYS_RESOLVE_NO_SYMLINKS);
}

static cordon_status check_identity(const struct mount_op *op, int fd, const char *path,
                                    struct cordon_error *err)
{
    struct stat st;
    if (!op->check)
        return CORDON_OK;
    if (fstat(fd, &st) != 0)
        return safe_error(err, CORDON_E_SYSTEM, op->step, "cannot stat", path);
    if ((uint64_t)st.st_dev == op->dev && (uint64_t)st.st_ino == op->ino)
        return CORDON_OK;
    errno = 0;
    return safe_error(err, CORDON_E_CONFLICT, op->step,
                      "replaced while the sandbox was being made; run it again:", path);
}

static int clone_tree(int fd)
{
    return sys_open_tree(fd, "", SYS_OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH | SYS_AT_RECURSIVE);
}

static int take(int *early)
{
    int fd = *early;
    *early = -1;
    return fd;
}

static int take_node(struct mounts_early *early, const struct mount_op *op)
{
    for (size_t i = 0; i < LINUX_NODE_COUNT && !op->check; i++)
        if (strcmp(op->source, linux_nodes[i]) == 0)
            return take(&early->nodes[i]);
    return -1;
}

static cordon_status apply_capture(const struct mount_op *op, struct mounts_scratch *scratch,
                                   struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    scratch->slots[op->slot] = take_node(&scratch->early, op);
    if (scratch->slots[op->slot] >= 0)
        return CORDON_OK;
    int fd = open_exact(op->source);
    if (fd < 0) {
        if (op->optional && (errno == ENOENT || errno == ENOTDIR))
            return CORDON_OK;
        return safe_error(err, CORDON_E_SYSTEM, op->step, "cannot open", op->source);
    }
    status = check_identity(op, fd, op->source, err);
    if (status == CORDON_OK) {
        int tree = clone_tree(fd);
        if (tree < 0)
            status = safe_error(err, CORDON_E_SYSTEM, op->step, "cannot clone the mount of", op->source);
        else
            scratch->slots[op->slot] = tree;
    }
    close(fd);
    return status;
}

static cordon_status set_attributes(const struct mount_op *op, int tree, uint64_t set,
                                    struct cordon_error *err)
{
    /* A captured tree is a slave of the host's, from before the seal: what the
     * host mounts later would appear inside, writable, below what is protected
     * or only visible. */
    struct sys_mount_attr attr = {.set = set, .propagation = MS_PRIVATE};
    if (sys_mount_setattr(tree, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &attr) != 0)
        return safe_error(err, CORDON_E_SYSTEM, op->step, "cannot set mount attributes for", op->target);
    return CORDON_OK;
}

static cordon_status move_onto(const struct mount_op *op, int tree, int target, struct cordon_error *err)
{
    if (sys_move_mount(tree, "", target, "", SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH) != 0)
        return safe_error(err, CORDON_E_SYSTEM, op->step, "cannot mount on", op->target);
    return CORDON_OK;
}

static cordon_status apply_attach(const struct mount_op *op, struct mounts_scratch *scratch,
                                  struct cordon_error *err)
{
    int tree = scratch->slots[op->slot];
    if (tree < 0 && op->optional)
        return CORDON_OK;
    int target = open_exact(op->target);
    if (target < 0)
        return safe_error(err, CORDON_E_SYSTEM, op->step, "cannot open the mount point", op->target);
    uint64_t set = (op->read_only ? SYS_MOUNT_ATTR_RDONLY : 0) |
                   (op->no_devices ? SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NODEV : 0);
    cordon_status status = set_attributes(op, tree, set, err);
    if (status == CORDON_OK)
        status = move_onto(op, tree, target, err);
    close(target);
    close(tree);
    scratch->slots[op->slot] = -1;
    return status;
}

/* A thing onto itself: a pin keeps the mount's attributes, a protected entry
 * becomes read-only with everything mounted below it. */
static cordon_status apply_onto_itself(const struct mount_op *op, struct cordon_error *err)
{
    cordon_status status;
    int tree = -1;
    int fd = open_exact(op->target);
    if (fd < 0)
        return safe_error(err, CORDON_E_SYSTEM, op->step, "cannot open", op->target);
    status = check_identity(op, fd, op->target, err);
    if (status != CORDON_OK)
        goto out;
    tree = clone_tree(fd);
    if (tree < 0) {
        status = safe_error(err, CORDON_E_SYSTEM, op->step, "cannot clone the mount of", op->target);
        goto out;
    }
    status = set_attributes(op, tree, op->kind == MOUNT_PROTECT ? SYS_MOUNT_ATTR_RDONLY : 0, err);
    if (status == CORDON_OK)
        status = move_onto(op, tree, fd, err);
out:
    if (tree >= 0)
        close(tree);
    close(fd);
    return status;
}

/* Descriptors of read-only files that the caller handed over point at the
 * outside mount, where fchmod or fsetxattr would still work: exchange them for
 * descriptors of the same file, at the same offset, in the sealed tree. */
static cordon_status seal_stdio(struct mounts_scratch *scratch, struct cordon_error *err)
{
    static const char *const links[3] = {"/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"};
    for (int fd = 0; fd < 3; fd++) {
        char path[4096];
        struct stat before, after;
        if (!scratch->seal_stdio[fd])
            continue;
        ssize_t len = readlink(links[fd], path, sizeof path - 1);
        off_t offset = lseek(fd, 0, SEEK_CUR);
        if (len < 0 || offset < 0 || fstat(fd, &before) != 0)
            return safe_error(err, CORDON_E_SYSTEM, "linux.stdio.seal",
                              "cannot inspect the file on descriptor", links[fd]);
        path[len] = '\0';
        int sealed = sys_openat2(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                                 SYS_RESOLVE_NO_SYMLINKS);
        if (sealed < 0 || fstat(sealed, &after) != 0 || before.st_dev != after.st_dev ||
            before.st_ino != after.st_ino || lseek(sealed, offset, SEEK_SET) != offset ||
            fcntl(sealed, F_SETFL, 0) != 0 || dup2(sealed, fd) != fd) {
            if (sealed >= 0)
                close(sealed);
            return safe_error(
                err, CORDON_E_CONFLICT, "linux.stdio.seal",
                "cannot reopen read-only the file that input comes from (give it through a pipe instead):",
                path);
        }
        close(sealed);
    }
    return CORDON_OK;
}

static cordon_status apply_seal(const struct mount_op *op, struct mounts_scratch *scratch,
                                struct cordon_error *err)
{
    /* Read-only does not hold for device nodes, of which a chroot's tree is full. */
    struct sys_mount_attr attr = {.set = SYS_MOUNT_ATTR_RDONLY | SYS_MOUNT_ATTR_NODEV,
                                  .propagation = MS_PRIVATE};
    if (sys_mount_setattr(AT_FDCWD, "/", SYS_AT_RECURSIVE, &attr) != 0)
        return safe_error(err, CORDON_E_SYSTEM, op->step, "cannot make the tree read-only:", "/");
    return seal_stdio(scratch, err);
}

int mounts_fresh(const char *type, const char *key, const char *value, uint64_t attributes)
{
    int tree = -1;
    int fs = (int)syscall(SYS_NR_FSOPEN, type, 1 /* FSOPEN_CLOEXEC */);
    if (fs < 0)
        return -1;
    if ((!key || syscall(SYS_NR_FSCONFIG, fs, SYS_FSCONFIG_SET_STRING, key, value, 0) == 0) &&
        syscall(SYS_NR_FSCONFIG, fs, SYS_FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        tree = (int)syscall(SYS_NR_FSMOUNT, fs, 1 /* FSMOUNT_CLOEXEC */, attributes);
    int code = errno;
    close(fs);
    errno = code;
    return tree;
}

/* A kernel refuses a fresh proc (EPERM) where every visible one is partly
 * covered, as in containers: what is covered there would be uncovered. Then the
 * host's stays, read-only by the seal: outside processes are listed in it, but
 * neither Landlock nor the user namespace lets their secrets be opened. */
static int fresh_proc(void)
{
    return mounts_fresh("proc", NULL, NULL,
                        SYS_MOUNT_ATTR_RDONLY | SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NODEV |
                            SYS_MOUNT_ATTR_NOEXEC);
}

static int fresh_devpts(void)
{
    return mounts_fresh("devpts", "ptmxmode", "0666", SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NOEXEC);
}

void mounts_begin(struct mounts_scratch *scratch, bool mapped)
{
    struct mounts_early *early = &scratch->early;
    early->proc = fresh_proc();
    early->devpts = mapped ? fresh_devpts() : -1;
    for (size_t i = 0; i < LINUX_NODE_COUNT; i++) {
        int fd = open_exact(linux_nodes[i]);
        early->nodes[i] = fd >= 0 ? clone_tree(fd) : -1;
        if (fd >= 0)
            close(fd);
    }
}

static cordon_status apply_proc(const struct mount_op *op, struct mounts_scratch *scratch,
                                struct cordon_error *err)
{
    int target = open_exact(op->target);
    if (target < 0)
        return safe_error(err, CORDON_E_SYSTEM, op->step, "cannot open the mount point", op->target);
    cordon_status status = CORDON_OK;
    int tree = take(&scratch->early.proc);
    if (tree < 0)
        tree = fresh_proc();
    if (tree >= 0) {
        status = move_onto(op, tree, target, err);
        close(tree);
    } else if (errno != EPERM) {
        status = safe_error(err, CORDON_E_SYSTEM, op->step, "cannot make a fresh proc for", op->target);
    }
    close(target);
    return status;
}

static cordon_status apply_devpts(const struct mount_op *op, struct mounts_scratch *scratch,
                                  struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    int tree = -1;
    int target = open_exact(op->target);
    if (target < 0)
        return safe_error(err, CORDON_E_SYSTEM, op->step, "cannot open the mount point", op->target);
    tree = take(&scratch->early.devpts);
    if (tree < 0)
        tree = fresh_devpts();
    if (tree < 0) {
        status = safe_error(err, CORDON_E_SYSTEM, op->step, "cannot make a fresh devpts for", op->target);
        goto out;
    }
    status = move_onto(op, tree, target, err);
    scratch->devpts = tree;
out:
    close(target);
    return status;
}

cordon_status mounts_allow_devpts(const struct linux_plan *plan, struct mounts_scratch *scratch, int ruleset,
                                  struct cordon_error *err)
{
    struct sys_landlock_path_beneath rule = {plan->devpts_access, scratch->devpts};
    if (scratch->devpts < 0)
        return CORDON_OK;
    if (ruleset >= 0 && syscall(SYS_NR_LANDLOCK_ADD_RULE, ruleset, 1, &rule, 0) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.landlock.rule", "cannot add the rule for", "/dev/pts");
    close(scratch->devpts);
    scratch->devpts = -1;
    return CORDON_OK;
}

cordon_status mounts_apply(const struct linux_plan *plan, struct mounts_scratch *scratch,
                           struct cordon_error *err)
{
    for (size_t i = 0; i < plan->mount_count; i++) {
        const struct mount_op *op = &plan->mounts[i];
        cordon_status status = CORDON_OK;
        switch (op->kind) {
        case MOUNT_CAPTURE:
            status = apply_capture(op, scratch, err);
            break;
        case MOUNT_SEAL:
            status = apply_seal(op, scratch, err);
            break;
        case MOUNT_ATTACH:
            status = apply_attach(op, scratch, err);
            break;
        case MOUNT_PIN:
        case MOUNT_PROTECT:
            status = apply_onto_itself(op, err);
            break;
        case MOUNT_PROC:
            status = apply_proc(op, scratch, err);
            break;
        case MOUNT_DEVPTS:
            status = apply_devpts(op, scratch, err);
            break;
        }
        if (status != CORDON_OK)
            return status;
    }
    return CORDON_OK;
}
