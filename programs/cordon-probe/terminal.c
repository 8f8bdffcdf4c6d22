/* terminal.c - operations on the terminal that the command shares with the user.
 *
 * Standard input is the terminal in these.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSED "EPERM EACCES ENOSYS"

/* Types a character as if the user had. */
static struct probe_result inject(const struct probe_call *c)
{
    char key = 'x';
    return ioctl(0, TIOCSTI, &key) == 0 ? probe_allowed() : probe_failed(c, "TIOCSTI", errno);
}

/* The kernel looks at the low 32 bits of the request only, so a filter that
 * compares 64 lets this through. */
static struct probe_result inject_high_bits(const struct probe_call *c)
{
    char key = 'x';
    long failed = syscall(SYS_ioctl, 0, 0x100000000UL | TIOCSTI, &key);
    return failed == 0 ? probe_allowed() : probe_failed(c, "TIOCSTI", errno);
}

static struct probe_result inject_by_tty(const struct probe_call *c)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return probe_failed(c, "open /dev/tty", errno);
    }
    char key = 'x';
    int failed = ioctl(fd, TIOCSTI, &key);
    int error = errno;
    close(fd);
    return failed ? probe_failed(c, "TIOCSTI", error) : probe_allowed();
}

/* The console's selection: paste is another injection. ENOTTY off a console. */
static struct probe_result console(const struct probe_call *c)
{
    char request[16] = {3};
    return ioctl(0, TIOCLINUX, request) == 0 ? probe_allowed() : probe_failed(c, "TIOCLINUX", errno);
}

static struct probe_result write_terminal(const struct probe_call *c)
{
    int fd = open("/dev/tty", O_WRONLY | O_CLOEXEC);
    return fd < 0 ? probe_failed(c, "open /dev/tty", errno) : probe_finish_write(c, fd, NULL);
}

static struct probe_result foreground(const struct probe_call *c)
{
    signal(SIGTTOU, SIG_IGN);
    return tcsetpgrp(0, getpgrp()) == 0 ? probe_allowed() : probe_failed(c, "tcsetpgrp", errno);
}

const struct probe_operation probe_terminal[] = {
    {"tiocsti", "", REFUSED, "EIO ENOTTY", inject},
    {"tiocsti-high-bits", "", REFUSED, "EIO ENOTTY", inject_high_bits},
    {"tiocsti-by-tty", "", REFUSED " ENXIO ENOENT", "EIO", inject_by_tty},
    {"tioclinux", "", REFUSED, "ENOTTY EINVAL", console},
    {"tty-write", "", REFUSED " ENXIO", "", write_terminal},
    {"foreground", "", REFUSED, "ENOTTY", foreground},
    {NULL, NULL, NULL, NULL, NULL},
};
