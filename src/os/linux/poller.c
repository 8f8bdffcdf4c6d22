/* poller.c - see poller.h. Runs as the user, outside. */
#include "os/linux/poller.h"

#include <errno.h>
#include <string.h>

void poller_init(struct poller *p)
{
    p->count = 0;
}

static size_t find(const struct poller *p, int fd)
{
    size_t i = 0;
    while (i < p->count && p->fds[i].fd != fd)
        i++;
    return i;
}

bool poller_add(struct poller *p, int fd, short events, poller_ready *ready, void *self)
{
    if (p->count == POLLER_MAX)
        return false;
    p->fds[p->count] = (struct pollfd){fd, events, 0};
    p->sources[p->count++] = (struct poller_source){ready, self};
    return true;
}

void poller_change(struct poller *p, int fd, short events)
{
    size_t i = find(p, fd);
    if (i < p->count)
        p->fds[i].events = events;
}

void poller_remove(struct poller *p, int fd)
{
    size_t i = find(p, fd);
    if (i == p->count)
        return;
    p->count--;
    memmove(p->fds + i, p->fds + i + 1, (p->count - i) * sizeof *p->fds);
    memmove(p->sources + i, p->sources + i + 1, (p->count - i) * sizeof *p->sources);
}

bool poller_wait(struct poller *p)
{
    struct pollfd ready[POLLER_MAX];
    size_t count = p->count;
    if (count == 0)
        return false;
    if (poll(p->fds, count, -1) < 0)
        return errno == EINTR || errno == EAGAIN;
    memcpy(ready, p->fds, count * sizeof *ready);
    for (size_t i = 0; i < count; i++) {
        /* A callback before this one may have removed it, or put another in its place. */
        size_t at = ready[i].revents ? find(p, ready[i].fd) : p->count;
        if (at == p->count || p->fds[at].revents == 0)
            continue;
        p->fds[at].revents = 0;
        p->sources[at].ready(p->sources[at].self, ready[i].revents);
    }
    return true;
}
