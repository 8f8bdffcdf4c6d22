/* raw_terminal.c - see raw_terminal.h. For `cordon shell`. Runs as the user, outside. */
#include "os/posix/raw_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool raw_terminal_same(int fd, int other)
{
    /* By fstat /dev/tty would be one of its own. */
    unsigned a = 0, b = 0;
    return ioctl(fd, TIOCGDEV, &a) == 0 && ioctl(other, TIOCGDEV, &b) == 0 && a == b;
}

/* In the background the modes are somebody else's: of the shell that reads the
 * next line. The call is one that changes nothing and yet stops us there (SIGTTOU). */
static bool wait_for_foreground(int fd)
{
    while (tcdrain(fd) != 0)
        if (errno != EINTR)
            return false;
    return true;
}

cordon_status raw_terminal_open(struct raw_terminal *t, int fd, struct cordon_error *err)
{
    char path[64] = "/dev/tty"; /* may be opened when the terminal itself may not: after su(1) */
    struct raw_terminal opened = {.fd = -1};
    if (tcgetsid(fd) != getsid(0))
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    opened.fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (opened.fd < 0 || !wait_for_foreground(opened.fd) || tcgetattr(opened.fd, &opened.modes) != 0) {
        int code = errno;
        if (opened.fd >= 0)
            close(opened.fd);
        return error_set(err, CORDON_E_SYSTEM, code, "linux.terminal.user",
                         "cannot use the terminal that standard input is (%s: %s)", path, strerror(code));
    }
    *t = opened;
    return CORDON_OK;
}

void raw_terminal_close(struct raw_terminal *t)
{
    raw_terminal_leave(t);
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

static bool set_modes(int fd, const struct termios *modes)
{
    /* TCSANOW: what was typed ahead stays, and a terminal that was stopped does not hold us up. */
    while (tcsetattr(fd, TCSANOW, modes) != 0)
        if (errno != EINTR)
            return false;
    return true;
}

bool raw_terminal_enter(struct raw_terminal *t)
{
    if (t->fd < 0 || (!t->raw && tcgetattr(t->fd, &t->modes) != 0))
        return false;
    struct termios raw = t->modes;
    cfmakeraw(&raw);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    t->raw = set_modes(t->fd, &raw);
    return t->raw;
}

void raw_terminal_leave(struct raw_terminal *t)
{
    sigset_t block, before;
    if (!t->raw)
        return;
    sigemptyset(&block);
    sigaddset(&block, SIGTTOU); /* also from the background: whoever has it now did not want it raw */
    sigprocmask(SIG_BLOCK, &block, &before);
    set_modes(t->fd, &t->modes);
    sigprocmask(SIG_SETMASK, &before, NULL);
    t->raw = false;
}

struct winsize raw_terminal_size(const struct raw_terminal *t)
{
    struct winsize size = {.ws_row = 0};
    if (t->fd < 0 || ioctl(t->fd, TIOCGWINSZ, &size) != 0)
        size = (struct winsize){.ws_row = 0};
    return size;
}
