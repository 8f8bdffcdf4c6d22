/* terminal.c - see terminal.h. Runs as the user, outside. */
#include "os/posix/terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

void terminal_open(struct terminal *t)
{
    memset(t, 0, sizeof *t);
    t->attached = isatty(STDIN_FILENO) || isatty(STDOUT_FILENO) || isatty(STDERR_FILENO);
    t->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (t->fd < 0)
        return;
    t->saved = tcgetattr(t->fd, &t->modes) == 0;
    t->interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

bool terminal_is_ours(const struct terminal *t)
{
    return t->fd >= 0 && tcgetpgrp(t->fd) == getpgrp();
}

void terminal_take_back(struct terminal *t, bool restore_modes)
{
    sigset_t block, before;
    if (t->fd < 0 || !t->given)
        return;
    sigemptyset(&block);
    sigaddset(&block, SIGTTOU); /* we are in the background until this worked */
    sigprocmask(SIG_BLOCK, &block, &before);
    tcsetpgrp(t->fd, getpgrp());
    if (restore_modes && t->saved)
        tcsetattr(t->fd, TCSADRAIN, &t->modes);
    sigprocmask(SIG_SETMASK, &before, NULL);
    t->given = false;
}

void terminal_close(struct terminal *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}
