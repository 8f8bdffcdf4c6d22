/* files.c - operations on what a path names: content and metadata.
 *
 * Each decides on the one call that is the attack; what it did stays there.
 */
#include "probe.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* A read-only mount answers EROFS, Landlock EACCES, a missing right EPERM. */
#define REFUSED "EROFS EACCES EPERM"

static struct probe_result write_with(const struct probe_call *c, int flags)
{
    int fd = open(c->args[0], flags | O_CLOEXEC, 0644);
    return fd < 0 ? probe_failed(c, "open", errno) : probe_finish_write(c, fd, c->args[0]);
}

static struct probe_result write_file(const struct probe_call *c)
{
    return write_with(c, O_WRONLY);
}

static struct probe_result append_file(const struct probe_call *c)
{
    return write_with(c, O_WRONLY | O_APPEND);
}

static struct probe_result create_file(const struct probe_call *c)
{
    return write_with(c, O_WRONLY | O_CREAT | O_EXCL);
}

/* A FIFO or device: written, not read back; the outside end saw it or not. */
static struct probe_result write_special(const struct probe_call *c)
{
    int fd = open(c->args[0], O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? probe_failed(c, "open", errno) : probe_finish_write(c, fd, NULL);
}

static struct probe_result open_truncate(const struct probe_call *c)
{
    int fd = open(c->args[0], O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0) {
        return probe_failed(c, "open", errno);
    }
    close(fd);
    return probe_allowed();
}

/* O_RDONLY|O_TRUNC truncates too, although it does not ask to write. */
static struct probe_result read_truncate(const struct probe_call *c)
{
    int fd = open(c->args[0], O_RDONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0) {
        return probe_failed(c, "open", errno);
    }
    struct stat st;
    int bad = fstat(fd, &st) != 0 || st.st_size != 0;
    close(fd);
    return bad ? probe_broken("not truncated") : probe_allowed();
}

static struct probe_result truncate_file(const struct probe_call *c)
{
    struct stat st;
    if (truncate(c->args[0], 0) != 0) {
        return probe_failed(c, "truncate", errno);
    }
    return stat(c->args[0], &st) == 0 && st.st_size == 0 ? probe_allowed() : probe_broken("not truncated");
}

static struct probe_result map_write(const struct probe_call *c)
{
    int fd = open(c->args[0], O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return probe_failed(c, "open", errno);
    }
    char *at = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int error = errno;
    close(fd);
    if (at == MAP_FAILED) {
        return probe_failed(c, "mmap", error);
    }
    *at = '!';
    msync(at, 1, MS_SYNC);
    return probe_allowed();
}

static struct probe_result allocate(const struct probe_call *c)
{
    int fd = open(c->args[0], O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return probe_failed(c, "open", errno);
    }
    int failed = fallocate(fd, 0, 0, 65536);
    int error = errno;
    close(fd);
    return failed ? probe_failed(c, "fallocate", error) : probe_allowed();
}

/* The range copy and the reflink write through a descriptor of the target. */
static struct probe_result copy_range(const struct probe_call *c)
{
    int from = open(c->args[0], O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        return probe_unprepared("open source", errno);
    }
    int to = open(c->args[1], O_WRONLY | O_CLOEXEC);
    int error = errno;
    if (to < 0) {
        close(from);
        return probe_failed(c, "open", error);
    }
    ssize_t n = copy_file_range(from, NULL, to, NULL, 1, 0);
    error = errno;
    close(from);
    close(to);
    return n < 0 ? probe_failed(c, "copy_file_range", error) : probe_allowed();
}

static struct probe_result clone_range(const struct probe_call *c)
{
    int from = open(c->args[0], O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        return probe_unprepared("open source", errno);
    }
    int to = open(c->args[1], O_WRONLY | O_CLOEXEC);
    int error = errno;
    if (to < 0) {
        close(from);
        return probe_failed(c, "open", error);
    }
    int failed = ioctl(to, FICLONE, from);
    error = errno;
    close(from);
    close(to);
    return failed ? probe_failed(c, "FICLONE", error) : probe_allowed();
}

static struct probe_result change_mode(const struct probe_call *c)
{
    long mode;
    if (probe_number(c->args[1], &mode) != 0) {
        return probe_broken("MODE is not a number");
    }
    struct stat st;
    if (chmod(c->args[0], (mode_t)mode) != 0) {
        return probe_failed(c, "chmod", errno);
    }
    return stat(c->args[0], &st) == 0 && (st.st_mode & 07777) == (mode_t)mode
               ? probe_allowed()
               : probe_broken("mode unchanged");
}

/* fchmodat2 exists since Linux 6.6: a newer door to the same room. */
static struct probe_result change_mode2(const struct probe_call *c)
{
    if (syscall(RAW_fchmodat2, AT_FDCWD, c->args[0], 0700, 0) != 0) {
        return probe_failed(c, "fchmodat2", errno);
    }
    return probe_allowed();
}

/* An open for reading is enough for fchmod. */
static struct probe_result change_mode_fd(const struct probe_call *c)
{
    int fd = open(c->args[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return probe_unprepared("open", errno);
    }
    int failed = fchmod(fd, 0700);
    int error = errno;
    close(fd);
    return failed ? probe_failed(c, "fchmod", error) : probe_allowed();
}

/* The own uid and gid: what every owner may set; the ctime shows it. */
static struct probe_result change_owner(const struct probe_call *c)
{
    if (lchown(c->args[0], getuid(), getgid()) != 0) {
        return probe_failed(c, "lchown", errno);
    }
    return probe_allowed();
}

static struct probe_result give_away(const struct probe_call *c)
{
    if (lchown(c->args[0], 4242, 4242) != 0) {
        return probe_failed(c, "lchown", errno);
    }
    return probe_allowed();
}

static struct probe_result change_times(const struct probe_call *c)
{
    const struct timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
    struct stat st;
    if (utimensat(AT_FDCWD, c->args[0], times, AT_SYMLINK_NOFOLLOW) != 0) {
        return probe_failed(c, "utimensat", errno);
    }
    return lstat(c->args[0], &st) == 0 && st.st_mtime == 1000000000 ? probe_allowed()
                                                                    : probe_broken("times unchanged");
}

static struct probe_result set_attribute(const struct probe_call *c)
{
    char value[8];
    if (setxattr(c->args[0], "user.cordon", "x", 1, 0) != 0) {
        return probe_failed(c, "setxattr", errno);
    }
    return getxattr(c->args[0], "user.cordon", value, sizeof value) == 1 ? probe_allowed()
                                                                         : probe_broken("no attribute");
}

static struct probe_result set_attribute_at(const struct probe_call *c)
{
    const struct { /* struct xattr_args */
        unsigned long long value;
        unsigned size, flags;
    } args = {(unsigned long long)(size_t) "x", 1, 0};
    if (syscall(RAW_setxattrat, AT_FDCWD, c->args[0], 0, "user.cordon", &args, sizeof args) != 0) {
        return probe_failed(c, "setxattrat", errno);
    }
    return probe_allowed();
}

static struct probe_result remove_attribute(const struct probe_call *c)
{
    if (removexattr(c->args[0], "user.cordon") != 0) {
        return probe_failed(c, "removexattr", errno);
    }
    return probe_allowed();
}

/* An access list that equals mode 0707: grants to others without a chmod. */
static struct probe_result set_acl(const struct probe_call *c)
{
    static const unsigned char acl[] = {2, 0, 0,   0,   1,   0,   7,  0, 255, 255, 255, 255, 4,   0,
                                        0, 0, 255, 255, 255, 255, 32, 0, 7,   0,   255, 255, 255, 255};
    if (setxattr(c->args[0], "system.posix_acl_access", acl, sizeof acl, 0) != 0) {
        return probe_failed(c, "setxattr", errno);
    }
    return probe_allowed();
}

/* The "no dump" flag: any owner may set it, through a descriptor open for reading. */
static struct probe_result set_flags(const struct probe_call *c)
{
    int fd = open(c->args[0], O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return probe_unprepared("open", errno);
    }
    int flags = 0;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) {
        int error = errno;
        close(fd);
        return error == ENOTTY || error == EOPNOTSUPP ? probe_absent("this file system has no flags")
                                                      : probe_failed(c, "FS_IOC_GETFLAGS", error);
    }
    flags |= FS_NODUMP_FL;
    int failed = ioctl(fd, FS_IOC_SETFLAGS, &flags);
    int error = errno;
    close(fd);
    return failed ? probe_failed(c, "FS_IOC_SETFLAGS", error) : probe_allowed();
}

static struct probe_result set_project(const struct probe_call *c)
{
    int fd = open(c->args[0], O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return probe_unprepared("open", errno);
    }
    struct fsxattr attributes;
    int failed = ioctl(fd, FS_IOC_FSGETXATTR, &attributes);
    if (failed) {
        int error = errno;
        close(fd);
        return error == ENOTTY || error == EOPNOTSUPP ? probe_absent("this file system has no attributes")
                                                      : probe_failed(c, "FS_IOC_FSGETXATTR", error);
    }
    attributes.fsx_xflags |= FS_XFLAG_NODUMP;
    failed = ioctl(fd, FS_IOC_FSSETXATTR, &attributes);
    int error = errno;
    close(fd);
    return failed ? probe_failed(c, "FS_IOC_FSSETXATTR", error) : probe_allowed();
}

/* Writes through the magic link of a descriptor that was opened with O_PATH. */
static struct probe_result write_by_magic_link(const struct probe_call *c)
{
    int path_fd = open(c->args[0], O_PATH | O_CLOEXEC);
    if (path_fd < 0) {
        return probe_unprepared("open O_PATH", errno);
    }
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", path_fd);
    int fd = open(link, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? probe_failed(c, "open", errno) : probe_finish_write(c, fd, c->args[0]);
}

static struct probe_result write_by_directory(const struct probe_call *c)
{
    int dir = open(c->args[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return probe_unprepared("open directory", errno);
    }
    int fd = openat(dir, c->args[1], O_WRONLY | O_CLOEXEC);
    return fd < 0 ? probe_failed(c, "openat", errno) : probe_finish_write(c, fd, NULL);
}

static struct probe_result write_by_chdir(const struct probe_call *c)
{
    if (chdir(c->args[0]) != 0) {
        return probe_unprepared("chdir", errno);
    }
    int fd = open(c->args[1], O_WRONLY | O_CLOEXEC);
    return fd < 0 ? probe_failed(c, "open", errno) : probe_finish_write(c, fd, c->args[1]);
}

/* LINK is a symbolic link that a child keeps turning between INSIDE and
 * OUTSIDE while the parent writes through it: whoever checks the name and then
 * opens it again loses. Refused when OUTSIDE was refused and never written. */
static struct probe_result write_by_swapped_link(const struct probe_call *c)
{
    const char *link = c->args[0];
    char other[4096];
    snprintf(other, sizeof other, "%s.swap", link);
    if (symlink(c->args[1], link) != 0) {
        return probe_unprepared("symlink", errno);
    }
    pid_t child = fork();
    if (child < 0) {
        return probe_unprepared("fork", errno);
    }
    if (child == 0) {
        for (int i = 0;; i++) {
            if (symlink(c->args[i % 2 == 0 ? 2 : 1], other) != 0 || rename(other, link) != 0) {
                _exit(1);
            }
        }
    }
    int inside = 0;
    int refusal = 0;
    struct stat outside;
    int reached = stat(c->args[2], &outside) != 0 ? -1 : 0;
    /* Bounded by tries, not by time; both sides are met within a few hundred. */
    for (int i = 0; i < 200000 && reached == 0 && (i < 3000 || inside == 0 || refusal == 0); i++) {
        int fd = open(link, O_WRONLY | O_CLOEXEC);
        if (fd < 0) {
            refusal = errno;
            continue;
        }
        struct stat st;
        if (fstat(fd, &st) == 0 && st.st_dev == outside.st_dev && st.st_ino == outside.st_ino) {
            reached = write(fd, PROBE_MARK, sizeof PROBE_MARK - 1) > 0;
        } else {
            inside = 1;
        }
        close(fd);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    if (reached == 1) {
        return probe_allowed();
    }
    if (reached < 0 || inside == 0 || refusal == 0) {
        return probe_broken("the link never showed both sides");
    }
    return probe_failed(c, "open", refusal);
}

/* A second name in a place where writing is allowed, then a write through it. */
static struct probe_result write_by_hard_link(const struct probe_call *c)
{
    if (link(c->args[0], c->args[1]) != 0) {
        return probe_failed(c, "link", errno);
    }
    int fd = open(c->args[1], O_WRONLY | O_CLOEXEC);
    return fd < 0 ? probe_failed(c, "open", errno) : probe_finish_write(c, fd, c->args[0]);
}

static struct probe_result read_file(const struct probe_call *c)
{
    char content[64];
    int fd = open(c->args[0], O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return probe_failed(c, "open", errno);
    }
    ssize_t n = read(fd, content, sizeof content);
    int error = errno;
    close(fd);
    if (n < 0) {
        return probe_failed(c, "read", error);
    }
    /* An empty file is what a mask shows to root, whom its mode does not stop:
     * ENODATA stands for "opened, and nothing was there". */
    return n > 0 ? probe_allowed() : probe_failed(c, "read", ENODATA);
}

/* Is the name there at all? For what must be absent inside. */
static struct probe_result see(const struct probe_call *c)
{
    struct stat st;
    return lstat(c->args[0], &st) == 0 ? probe_allowed() : probe_failed(c, "lstat", errno);
}

/* Overwrites a small file with the content it has: shows the right to write
 * without changing the machine on which the control runs. */
static struct probe_result write_same(const struct probe_call *c)
{
    char content[4096];
    int fd = open(c->args[0], O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return probe_failed(c, "open to read", errno);
    }
    ssize_t n = read(fd, content, sizeof content);
    int error = errno;
    close(fd);
    if (n <= 0) {
        return probe_unprepared("read", n < 0 ? error : ENODATA);
    }
    fd = open(c->args[0], O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return probe_failed(c, "open", errno);
    }
    ssize_t written = write(fd, content, (size_t)n);
    error = errno;
    close(fd);
    return written == n ? probe_allowed() : probe_failed(c, "write", error);
}

static struct probe_result write_text(const struct probe_call *c)
{
    int fd = open(c->args[0], O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return probe_failed(c, "open", errno);
    }
    size_t len = strlen(c->args[1]);
    ssize_t n = write(fd, c->args[1], len);
    int error = errno;
    close(fd);
    return n == (ssize_t)len ? probe_allowed() : probe_failed(c, "write", error);
}

const struct probe_operation probe_files[] = {
    {"write", "PATH", REFUSED " ETXTBSY", "", write_file},
    {"append", "PATH", REFUSED, "", append_file},
    {"create", "PATH", REFUSED, "", create_file},
    {"write-special", "PATH", REFUSED, "ENODEV ENXIO ENOENT", write_special},
    {"open-truncate", "PATH", REFUSED, "", open_truncate},
    {"read-truncate", "PATH", REFUSED, "", read_truncate},
    {"truncate", "PATH", REFUSED, "", truncate_file},
    {"map-write", "PATH", REFUSED, "", map_write},
    {"allocate", "PATH", REFUSED, "EOPNOTSUPP", allocate},
    {"copy-range", "FROM TO", REFUSED, "ENOSYS EOPNOTSUPP", copy_range},
    {"clone-range", "FROM TO", REFUSED, "EOPNOTSUPP ENOTTY EXDEV", clone_range},
    {"chmod", "PATH MODE", REFUSED, "", change_mode},
    {"fchmodat2", "PATH", REFUSED, "ENOSYS", change_mode2},
    {"fchmod", "PATH", REFUSED, "", change_mode_fd},
    {"chown", "PATH", REFUSED, "", change_owner},
    {"give-away", "PATH", REFUSED " EINVAL", "", give_away},
    {"utimes", "PATH", REFUSED, "", change_times},
    {"setxattr", "PATH", REFUSED, "EOPNOTSUPP", set_attribute},
    {"setxattrat", "PATH", REFUSED, "ENOSYS EOPNOTSUPP", set_attribute_at},
    {"removexattr", "PATH", REFUSED, "EOPNOTSUPP", remove_attribute},
    {"set-acl", "PATH", REFUSED, "EOPNOTSUPP", set_acl},
    {"set-flags", "PATH", REFUSED, "", set_flags},
    {"set-project", "PATH", REFUSED, "", set_project},
    {"write-by-magic-link", "PATH", REFUSED, "", write_by_magic_link},
    {"write-by-directory", "DIR NAME", REFUSED, "", write_by_directory},
    {"write-by-chdir", "DIR NAME", REFUSED, "", write_by_chdir},
    {"write-by-swapped-link", "LINK INSIDE OUTSIDE", REFUSED, "", write_by_swapped_link},
    {"write-by-hard-link", "OLD NEW", REFUSED " EXDEV", "", write_by_hard_link},
    {"read", "PATH", REFUSED " ENOENT ENODATA", "", read_file},
    {"see", "PATH", "ENOENT EACCES", "", see},
    {"write-same", "PATH", REFUSED, "ENOENT", write_same},
    {"write-text", "PATH TEXT", REFUSED " EINVAL", "ENOENT", write_text},
    {NULL, NULL, NULL, NULL, NULL},
};
