/* poller.h - the descriptors that one supervising process polls.
 *
 * cordon's and cordon-warden's only loop: no thread, no signal handler; signals
 * come by signalfd and times by timerfd, as descriptors. Not thread-safe.
 */
#ifndef CORDON_LINUX_POLLER_H
#define CORDON_LINUX_POLLER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define POLLER_MAX 64

/* `self` as given to poller_add(). It may add and remove sources, its own too. */
typedef void poller_ready(void *self, short revents);

struct poller_source {
    poller_ready *ready;
    void *self;
};

struct poller {
    struct pollfd fds[POLLER_MAX];
    struct poller_source sources[POLLER_MAX];
    size_t count;
};

void poller_init(struct poller *p);

/* The descriptor stays the caller's. False: full. */
bool poller_add(struct poller *p, int fd, short events, poller_ready *ready, void *self);
void poller_change(struct poller *p, int fd, short events);
void poller_remove(struct poller *p, int fd); /* before it is closed; tolerates one that is not there */

/* Waits, and calls back what is ready. False: nothing to wait for, or poll(2) itself fails. */
bool poller_wait(struct poller *p);

#endif
