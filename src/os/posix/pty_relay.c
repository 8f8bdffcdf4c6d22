/* pty_relay.c - see pty_relay.h. For `cordon shell`. Runs as the user, outside.
 *
 * The command decides what comes out of the master, how much and when; nothing
 * of it is looked at here, and no call blocks, since the process that relays is
 * the one that also answers and guards.
 */
#include "os/posix/pty_relay.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The kernel holds much less for a terminal: more comes only from somebody who still writes. */
#define HELD_MAX ((size_t)256 * 1024)

void pty_relay_init(struct pty_relay *r)
{
    memset(r, 0, sizeof *r);
    r->terminal = -1;
    r->master = -1;
}

static bool flow_empty(const struct pty_flow *flow)
{
    return flow->start == flow->end;
}

static bool try_again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* False: `fd` is gone. */
static bool flow_fill(struct pty_flow *flow, int fd)
{
    ssize_t got = read(fd, flow->bytes, sizeof flow->bytes);
    if (got > 0) {
        flow->start = 0;
        flow->end = (size_t)got;
    }
    return got > 0 || (got < 0 && try_again());
}

/* False: `fd` is gone. */
static bool flow_empty_into(struct pty_flow *flow, int fd)
{
    while (!flow_empty(flow)) {
        ssize_t put = write(fd, flow->bytes + flow->start, flow->end - flow->start);
        if (put <= 0)
            return put < 0 && try_again();
        flow->start += (size_t)put;
    }
    return true;
}

static void drop(struct pty_flow *flow)
{
    flow->start = flow->end = 0;
}

static void poll_for(struct pty_relay *r, int fd, bool *polled, short events, poller_ready *ready)
{
    if (events && *polled)
        poller_change(r->poller, fd, events);
    else if (events)
        *polled = poller_add(r->poller, fd, events, ready, r);
    else if (*polled)
        poller_remove(r->poller, fd);
    *polled = *polled && events;
}

static void terminal_ready(void *self, short revents);
static void master_ready(void *self, short revents);

/* A descriptor from which nothing is wanted leaves the poller: one whose other
 * side is closed would be ready for ever. */
static void update(struct pty_relay *r)
{
    if (!r->poller)
        return;
    short terminal = (short)((flow_empty(&r->keys) ? POLLIN : 0) | (flow_empty(&r->output) ? 0 : POLLOUT));
    short master = (short)((flow_empty(&r->output) ? POLLIN : 0) | (flow_empty(&r->keys) ? 0 : POLLOUT));
    poll_for(r, r->terminal, &r->terminal_polled, r->terminal_gone ? 0 : terminal, terminal_ready);
    poll_for(r, r->master, &r->master_polled, r->master_gone ? 0 : master, master_ready);
}

static void pump(struct pty_relay *r)
{
    bool had_terminal = !r->terminal_gone;
    if (!flow_empty_into(&r->keys, r->master))
        drop(&r->keys); /* nobody is there to read them; what was written may still be there for us */
    if (!r->terminal_gone && !flow_empty_into(&r->output, r->terminal))
        r->terminal_gone = true;
    if (r->terminal_gone)
        drop(&r->output);
    update(r);
    if (had_terminal && r->terminal_gone && r->hung_up)
        r->hung_up(r->self);
}

static void terminal_ready(void *self, short revents)
{
    struct pty_relay *r = self;
    bool had = true;
    if ((revents & ~POLLOUT) && flow_empty(&r->keys))
        had = flow_fill(&r->keys, r->terminal);
    if (!had) {
        r->terminal_gone = true;
        drop(&r->output);
        update(r);
        if (r->hung_up)
            r->hung_up(r->self);
        return;
    }
    pump(r);
}

static void master_ready(void *self, short revents)
{
    struct pty_relay *r = self;
    if ((revents & ~POLLOUT) && flow_empty(&r->output) && !flow_fill(&r->output, r->master))
        r->master_gone = true;
    pump(r);
}

void pty_relay_start(struct pty_relay *r, struct poller *poller)
{
    r->poller = poller;
    update(r);
}

void pty_relay_stop(struct pty_relay *r)
{
    if (!r->poller)
        return;
    if (r->terminal_polled)
        poller_remove(r->poller, r->terminal);
    if (r->master_polled)
        poller_remove(r->poller, r->master);
    r->terminal_polled = r->master_polled = false;
    r->poller = NULL;
}

/* False: to be given up. */
static bool wait_for_room(const struct pty_relay *r, int give_up)
{
    struct pollfd fds[2] = {{r->terminal, POLLOUT, 0}, {give_up, POLLIN, 0}};
    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR)
            return false;
    return fds[1].revents == 0;
}

void pty_relay_finish(struct pty_relay *r, int give_up)
{
    pty_relay_stop(r);
    drop(&r->keys);
    for (size_t held = 0; !r->terminal_gone;) {
        if (!flow_empty_into(&r->output, r->terminal)) {
            r->terminal_gone = true;
        } else if (!flow_empty(&r->output)) {
            if (!wait_for_room(r, give_up))
                return;
        } else {
            if (r->master_gone || held >= HELD_MAX || !flow_fill(&r->output, r->master) ||
                flow_empty(&r->output))
                return;
            held += r->output.end;
        }
    }
}
