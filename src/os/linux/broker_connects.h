/* broker_connects.h - connects duplicates of the command's sockets, and answers
 * the callers, without ever waiting for one of them.
 *
 * A blocking socket's caller waits in its system call as the kernel would let
 * it: until the connection is there, a signal comes, or SO_SNDTIMEO is over.
 *
 * In the supervising process: the user, outside.
 */
#ifndef CORDON_LINUX_BROKER_CONNECTS_H
#define CORDON_LINUX_BROKER_CONNECTS_H

#include <stdint.h>
#include <sys/socket.h>

#include "core/error.h"
#include "os/linux/notify.h"
#include "os/linux/patience.h"
#include "os/linux/poller.h"

/* Callers that wait at once; a further one gets EAGAIN. */
#define CONNECTS_MAX 256

struct connect_job {
    struct notify_request request;
    int fd;  /* the duplicate */
    int pin; /* what the address names, when it is a path: O_PATH; else -1 */
    struct sockaddr_storage address;
    socklen_t length;
    bool is_unix;
    /* While it waits. */
    int64_t deadline, next; /* ms of the monotonic clock; deadline -1: none */
    int64_t pause;
    int code; /* what the first try said: the answer when its time is over */
};

struct connects {
    const struct notify *notify;
    struct poller *poller;
    struct patience patience;
    int epoll, timer;
    struct connect_job *waiting[CONNECTS_MAX];
    size_t count;
};

/* One epoll descriptor and one timer in the poller, however many wait. Step "linux.broker". */
cordon_status connects_init(struct connects *c, const struct notify *notify, struct poller *poller,
                            struct cordon_error *err);
void connects_release(struct connects *c); /* who waits is not answered */

/* Takes the descriptors of *job; answers its request now or later. */
void connects_start(struct connects *c, const struct connect_job *job);

#endif
