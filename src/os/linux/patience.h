/* patience.h - an end for system calls that must not wait, on objects that the
 * command shares and can make them wait on.
 *
 * O_NONBLOCK and SO_LINGER belong to the socket, so whoever has it sets them
 * while the broker is about to connect or close its duplicate. A signal of a timer
 * gets the broker out again; no flag of the command's keeps one away.
 *
 * For the broker, in the supervising process: the user, outside. It takes
 * SIGRTMAX for this process; the command, started before, keeps what it had.
 */
#ifndef CORDON_LINUX_PATIENCE_H
#define CORDON_LINUX_PATIENCE_H

#include <stdbool.h>
#include <time.h>

#include "core/error.h"

struct patience {
    timer_t timer;
    bool made;
};

/* Step "linux.broker". Zeroed, it may be released. */
cordon_status patience_init(struct patience *p, struct cordon_error *err);
void patience_release(struct patience *p);

/* Between the two a call that waits fails with EINTR after some milliseconds. */
void patience_begin(const struct patience *p);
void patience_end(const struct patience *p);

/* close(2) of what may be the last duplicate of the command's. */
void patience_close(const struct patience *p, int fd);

#endif
