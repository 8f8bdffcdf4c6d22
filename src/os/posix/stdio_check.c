/* stdio_check.c - see stdio_check.h. Runs outside, before anything is prepared.
 *
 * The list says what may pass; whatever is not on it is refused. A kernel that
 * invents a new kind of descriptor must not open a way out.
 */
#include "os/posix/stdio_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define STEP "stdio.descriptor"

/* <linux/magic.h>; the second is younger than the headers that cordon builds with. */
#define MAGIC_NSFS 0x6e736673
#define MAGIC_PIDFS 0x50494446
#define MAGIC_PROC 0x9fa0

#define MAJOR_MEMORY 1

static cordon_status refuse(int fd, const char *what, const char *why, struct cordon_error *err)
{
    static const char *const names[] = {"standard input", "standard output", "standard error"};
    char number[32];
    snprintf(number, sizeof number, "descriptor %d", fd);
    return error_set(err, CORDON_E_INVALID, 0, STEP,
                     "%s is %s: %s; use a pipe, a file, a terminal or /dev/null",
                     fd >= 0 && fd < 3 ? names[fd] : number, what, why);
}

static cordon_status failed(int fd, const char *operation, struct cordon_error *err)
{
    return error_set(err, CORDON_E_SYSTEM, errno, STEP, "descriptor %d: %s: %s", fd, operation,
                     strerror(errno));
}

/* A connected pair of AF_UNIX stays what it is: connect(2) on it is refused for
 * good. Every other socket can be aimed anew, and it lives in the network
 * namespace in which it was made, not in the command's. */
static cordon_status check_socket(int fd, bool network_on, struct cordon_error *err)
{
    int domain = 0, type = 0, listening = 0;
    socklen_t len = sizeof(int);
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0)
        return failed(fd, "getsockopt", err);
    if (domain == AF_UNIX) {
        struct sockaddr_storage peer;
        if (type != SOCK_STREAM && type != SOCK_SEQPACKET)
            return refuse(fd, "a unix datagram socket", "it can send to any socket outside", err);
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0)
            return failed(fd, "getsockopt", err);
        if (listening)
            return refuse(fd, "a listening unix socket", "it accepts connections from outside", err);
        len = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0)
            return refuse(fd, "an unconnected unix socket", "it can be connected to any socket outside", err);
        return CORDON_OK;
    }
    if (domain != AF_INET && domain != AF_INET6)
        return refuse(fd, "a socket that is neither unix nor internet", "it speaks to the machine outside",
                      err);
    if (!network_on)
        return refuse(fd, "an internet socket", "it reaches the network, which is off", err);
    if (type != SOCK_STREAM && type != SOCK_DGRAM)
        return refuse(fd, "a raw socket", "it can forge and read packets of others", err);
    return CORDON_OK;
}

static cordon_status check_device(int fd, const struct stat *st, struct cordon_error *err)
{
    unsigned slave;
    if (isatty(fd)) {
        /* What is written to the other side of a terminal is typed there. */
        if (ioctl(fd, TIOCGPTN, &slave) == 0)
            return refuse(fd, "the controlling side of a pseudo-terminal",
                          "what is written there is typed outside", err);
        return CORDON_OK;
    }
    if (major(st->st_rdev) == MAJOR_MEMORY) {
        switch (minor(st->st_rdev)) {
        case 3: /* null */
        case 5: /* zero */
        case 7: /* full */
        case 8: /* random */
        case 9: /* urandom */
            return CORDON_OK;
        }
    }
    return refuse(fd, "a device", "it is operated by more than reading and writing", err);
}

/* Some regular files are no files: of namespaces and processes, and those of
 * /proc, where writing reaches the memory of other processes. */
static cordon_status check_regular(int fd, bool writable, struct cordon_error *err)
{
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0)
        return failed(fd, "fstatfs", err);
    if (fs.f_type == MAGIC_NSFS || fs.f_type == MAGIC_PIDFS)
        return refuse(fd, "a handle of a namespace or a process", "it is a way into what is outside", err);
    if (writable && fs.f_type == MAGIC_PROC)
        return refuse(fd, "a file of /proc open for writing", "it changes processes or settings outside",
                      err);
    return CORDON_OK;
}

/* Which kinds of descriptor have no file behind them is told by the link's text only. */
static cordon_status check_anonymous(int fd, bool *eventfd, struct cordon_error *err)
{
    char path[64], text[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(path, text, sizeof text - 1);
    if (len < 0)
        return failed(fd, path, err);
    text[len] = '\0';
    *eventfd = strcmp(text, "anon_inode:[eventfd]") == 0;
    if (*eventfd || text[0] == '/' || strncmp(text, "pipe:[", 6) == 0 || strncmp(text, "socket:[", 8) == 0)
        return CORDON_OK;
    char what[sizeof text + 32];
    snprintf(what, sizeof what, "%s, a handle of the kernel", text);
    return refuse(fd, what, "it is operated by more than reading and writing", err);
}

cordon_status stdio_check(int fd, bool network_on, struct stdio_facts *facts, struct cordon_error *err)
{
    struct stat st;
    bool eventfd = false;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return failed(fd, "fcntl", err);
    if (flags & O_PATH)
        return refuse(fd, "open as a path only (O_PATH)", "it names a place outside the command's mounts",
                      err);
    if (fstat(fd, &st) != 0)
        return failed(fd, "fstat", err);
    bool writable = (flags & O_ACCMODE) != O_RDONLY;
    cordon_status status = check_anonymous(fd, &eventfd, err);
    if (status != CORDON_OK)
        return status;
    switch (st.st_mode & S_IFMT) {
    case S_IFIFO:
        break;
    case S_IFREG:
        status = check_regular(fd, writable, err);
        break;
    case S_IFSOCK:
        status = check_socket(fd, network_on, err);
        break;
    case S_IFCHR:
        status = check_device(fd, &st, err);
        break;
    case S_IFDIR:
        status =
            refuse(fd, "a directory", "everything below it could be changed past the sandbox's mounts", err);
        break;
    case S_IFBLK:
        status = refuse(fd, "a disk", "its content lies below every file system", err);
        break;
    default:
        if (!eventfd)
            status = refuse(fd, "of an unknown kind", "what it reaches is not known", err);
        break;
    }
    if (status == CORDON_OK)
        *facts = (struct stdio_facts){.regular = S_ISREG(st.st_mode),
                                      .writable = writable,
                                      .nlink = st.st_nlink,
                                      .dev = st.st_dev,
                                      .ino = st.st_ino};
    return status;
}
