/* notify.c - see notify.h. Runs as the user, outside, in the supervising process.
 *
 * Looking into the command's processes is allowed without any privilege of the
 * machine: they live in a user namespace that this process's user made.
 */
#include "os/linux/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "os/linux/sys.h"

/* The ioctl's number holds the structure's size: a kernel with another one
 * would refuse it, and never write beyond ours. */
bool notify_receive(const struct notify *n, struct notify_request *out)
{
    struct seccomp_notif got;
    int result;
    do {
        memset(&got, 0, sizeof got); /* the kernel wants zeroes */
        result = ioctl(n->fd, SECCOMP_IOCTL_NOTIF_RECV, &got);
    } while (result != 0 && errno == EINTR);
    if (result != 0)
        return false;
    out->id = got.id;
    out->pid = (pid_t)got.pid;
    out->number = got.data.nr;
    for (size_t i = 0; i < 6; i++)
        out->args[i] = got.data.args[i];
    return true;
}

bool notify_valid(const struct notify *n, const struct notify_request *r)
{
    uint64_t id = r->id;
    return ioctl(n->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static void answer(const struct notify *n, struct seccomp_notif_resp *response)
{
    while (ioctl(n->fd, SECCOMP_IOCTL_NOTIF_SEND, response) != 0 && errno == EINTR)
        continue;
}

void notify_fail(const struct notify *n, const struct notify_request *r, int error_number)
{
    struct seccomp_notif_resp response = {.id = r->id, .error = -error_number};
    answer(n, &response);
}

void notify_return(const struct notify *n, const struct notify_request *r, int64_t value)
{
    struct seccomp_notif_resp response = {.id = r->id, .val = value};
    answer(n, &response);
}

void notify_continue(const struct notify *n, const struct notify_request *r)
{
    struct seccomp_notif_resp response = {.id = r->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    answer(n, &response);
}

ssize_t notify_read_memory(const struct notify *n, const struct notify_request *r, uint64_t address,
                           void *out, size_t size)
{
    struct iovec here = {out, size};
    struct iovec there = {(void *)(uintptr_t)address, size}; // NOLINT(performance-no-int-to-ptr): not ours
    ssize_t got = process_vm_readv(r->pid, &here, 1, &there, 1, 0);
    int code = errno;
    if (!notify_valid(n, r)) {
        errno = ESRCH;
        return -1;
    }
    errno = code;
    return got;
}

/* The process that a thread belongs to, or -1. */
static pid_t thread_group(pid_t thread)
{
    char path[40], text[1024];
    snprintf(path, sizeof path, "/proc/%d/status", (int)thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (got <= 0)
        return -1;
    text[got] = '\0';
    /* The first line is the name, as the command chose it: newlines in it are escaped. */
    const char *line = strstr(text, "\nTgid:");
    return line ? (pid_t)strtol(line + 6, NULL, 10) : -1;
}

int notify_open_task(const struct notify *n, const struct notify_request *r)
{
    int fd = (int)syscall(SYS_NR_PIDFD_OPEN, r->pid, SYS_PIDFD_THREAD);
    if (fd < 0 && errno == EINVAL) {
        pid_t group = thread_group(r->pid);
        fd = group < 0 ? -1 : (int)syscall(SYS_NR_PIDFD_OPEN, group, 0);
        if (group < 0)
            errno = ESRCH;
    }
    if (fd >= 0 && !notify_valid(n, r)) {
        close(fd);
        errno = ESRCH;
        return -1;
    }
    return fd;
}

int notify_get_descriptor(const struct notify *n, const struct notify_request *r, int number)
{
    int task = notify_open_task(n, r);
    if (task < 0)
        return -1;
    int fd = (int)syscall(SYS_NR_PIDFD_GETFD, task, number, 0);
    int code = errno;
    close(task);
    errno = code;
    return fd; /* the task was checked after its pidfd was there: it cannot have become another's */
}
