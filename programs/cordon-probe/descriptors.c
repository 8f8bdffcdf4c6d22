/* descriptors.c - operations through a descriptor that the launcher left open.
 *
 * FD is a number: 0 is the standard input that the user redirected, 3 and
 * higher should not be there at all (EBADF is their refusal).
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define REFUSED "EROFS EACCES EPERM EXDEV EBADF"

/* The number of the descriptor in args[0]; -1 for a bad argument. */
static int descriptor(const struct probe_call *c)
{
    long fd;
    return probe_number(c->args[0], &fd) == 0 && fd >= 0 && fd < 1024 ? (int)fd : -1;
}

static struct probe_result decide(const struct probe_call *c, const char *step, int failed)
{
    return failed ? probe_failed(c, step, errno) : probe_allowed();
}

static struct probe_result is_open(const struct probe_call *c)
{
    return decide(c, "fcntl", fcntl(descriptor(c), F_GETFD) < 0);
}

static struct probe_result write_content(const struct probe_call *c)
{
    return decide(c, "write", write(descriptor(c), PROBE_MARK, sizeof PROBE_MARK - 1) < 0);
}

static struct probe_result change_mode(const struct probe_call *c)
{
    return decide(c, "fchmod", fchmod(descriptor(c), 0707) != 0);
}

static struct probe_result change_owner(const struct probe_call *c)
{
    return decide(c, "fchown", fchown(descriptor(c), getuid(), getgid()) != 0);
}

static struct probe_result set_attribute(const struct probe_call *c)
{
    return decide(c, "fsetxattr", fsetxattr(descriptor(c), "user.cordon", "x", 1, 0) != 0);
}

static struct probe_result change_times(const struct probe_call *c)
{
    const struct timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
    return decide(c, "futimens", futimens(descriptor(c), times) != 0);
}

static struct probe_result truncate_content(const struct probe_call *c)
{
    return decide(c, "ftruncate", ftruncate(descriptor(c), 0) != 0);
}

/* A descriptor open for reading, opened again for writing. */
static struct probe_result reopen(const struct probe_call *c)
{
    char magic[64];
    snprintf(magic, sizeof magic, "/proc/self/fd/%d", descriptor(c));
    int fd = open(magic, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? probe_failed(c, "open", errno) : probe_finish_write(c, fd, NULL);
}

static struct probe_result change_mode_by_magic_link(const struct probe_call *c)
{
    char magic[64];
    snprintf(magic, sizeof magic, "/proc/self/fd/%d", descriptor(c));
    return decide(c, "chmod", chmod(magic, 0707) != 0);
}

static struct probe_result link_away(const struct probe_call *c)
{
    char magic[64];
    snprintf(magic, sizeof magic, "/proc/self/fd/%d", descriptor(c));
    return decide(c, "linkat", linkat(AT_FDCWD, magic, AT_FDCWD, c->args[1], AT_SYMLINK_FOLLOW) != 0);
}

static struct probe_result write_below(const struct probe_call *c)
{
    int fd = openat(descriptor(c), c->args[1], O_WRONLY | O_CLOEXEC);
    return fd < 0 ? probe_failed(c, "openat", errno) : probe_finish_write(c, fd, NULL);
}

static struct probe_result create_below(const struct probe_call *c)
{
    int fd = openat(descriptor(c), c->args[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    return fd < 0 ? probe_failed(c, "openat", errno) : probe_finish_write(c, fd, NULL);
}

/* Landlock has no say about metadata: only the mount's read-only flag holds
 * it, and a directory that came from outside brings its own mount. */
static struct probe_result change_mode_below(const struct probe_call *c)
{
    return decide(c, "fchmodat", fchmodat(descriptor(c), c->args[1], 0707, 0) != 0);
}

static struct probe_result change_mode_by_fchdir(const struct probe_call *c)
{
    if (fchdir(descriptor(c)) != 0) {
        return probe_failed(c, "fchdir", errno);
    }
    return decide(c, "chmod", chmod(c->args[1], 0707) != 0);
}

/* Without an argument that names one: is any descriptor above 2 open? */
static struct probe_result any_open(const struct probe_call *c)
{
    for (int fd = 3; fd < 4096; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            return probe_allowed();
        }
    }
    return probe_failed(c, "fcntl", EBADF);
}

const struct probe_operation probe_descriptors[] = {
    {"fd-open", "FD", REFUSED, "", is_open},
    {"fd-any-open", "", REFUSED, "", any_open},
    {"fd-write", "FD", REFUSED, "", write_content},
    {"fd-chmod", "FD", REFUSED, "", change_mode},
    {"fd-chown", "FD", REFUSED, "", change_owner},
    {"fd-setxattr", "FD", REFUSED, "EOPNOTSUPP", set_attribute},
    {"fd-utimes", "FD", REFUSED, "", change_times},
    {"fd-truncate", "FD", REFUSED " EINVAL", "", truncate_content},
    {"fd-reopen", "FD", REFUSED " ENOENT", "", reopen},
    {"fd-chmod-by-magic-link", "FD", REFUSED " ENOENT", "", change_mode_by_magic_link},
    {"fd-link", "FD NEW", REFUSED " ENOENT", "", link_away},
    {"fd-write-below", "FD NAME", REFUSED " ENOTDIR", "", write_below},
    {"fd-create-below", "FD NAME", REFUSED " ENOTDIR", "", create_below},
    {"fd-chmod-below", "FD NAME", REFUSED " ENOTDIR", "", change_mode_below},
    {"fd-chmod-by-fchdir", "FD NAME", REFUSED " ENOTDIR", "", change_mode_by_fchdir},
    {NULL, NULL, NULL, NULL, NULL},
};
