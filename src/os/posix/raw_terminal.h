/* raw_terminal.h - the user's terminal while it only carries bytes to and from
 * another one: raw, and as it was before whenever we let go of it.
 */
#ifndef CORDON_POSIX_RAW_TERMINAL_H
#define CORDON_POSIX_RAW_TERMINAL_H

#include <stdbool.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "core/error.h"

struct raw_terminal {
    int fd; /* an open file of our own: O_NONBLOCK here is not O_NONBLOCK for the caller. -1: none */
    bool raw;
    struct termios modes; /* as they were */
};

/* Are both the same terminal? */
bool raw_terminal_same(int fd, int other);

/* The terminal that `fd` is, as soon as this process is in its foreground. Step "linux.terminal.user". */
cordon_status raw_terminal_open(struct raw_terminal *t, int fd, struct cordon_error *err);
void raw_terminal_close(struct raw_terminal *t); /* leaves first; tolerates one that is not open */

/* Raw, also once more after somebody else changed the modes. In the background
 * this stops the process (SIGTTOU) until it is in the foreground. False: the
 * terminal is gone, or will never be ours. */
bool raw_terminal_enter(struct raw_terminal *t);
/* Never waits, nor stops, nor fails in a way that could be mended. */
void raw_terminal_leave(struct raw_terminal *t);

struct winsize raw_terminal_size(const struct raw_terminal *t);

#endif
