/* warden_talk.c - what the library's caller and cordon-warden say to each other
 * (warden.h). Used by both, outside, as the user.
 */
#include "os/linux/warden.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/linux/handover.h"

union control {
    struct cmsghdr header;
    char space[CMSG_SPACE(2 * sizeof(int))];
};

/* The channel's own end is no sure sign that the other is gone: a process that the
 * caller forked meanwhile may still hold a copy. Its pidfd is. */
static bool wait_for(const struct warden_link *link, short events)
{
    struct pollfd fds[2] = {{link->channel, events, 0}, {link->other, POLLIN, 0}};
    for (;;) {
        int ready = poll(fds, 2, -1);
        if (ready > 0)
            return (fds[0].revents & (events | POLLERR | POLLHUP)) != 0;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

static bool send_all(const struct warden_link *link, struct msghdr *envelope, size_t size)
{
    for (;;) {
        if (!wait_for(link, POLLOUT))
            return false;
        ssize_t sent = sendmsg(link->channel, envelope, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            return sent == (ssize_t)size;
        if (errno != EINTR && errno != EAGAIN)
            return false;
    }
}

bool warden_send(const struct warden_link *link, const struct warden_message *message, const int fds[2],
                 const struct buf *more)
{
    struct warden_message copy = *message; /* sendmsg takes no const */
    struct iovec part = {&copy, sizeof copy};
    struct msghdr envelope = {.msg_iov = &part, .msg_iovlen = 1};
    union control control;
    size_t count = !fds || fds[0] < 0 ? 0 : fds[1] < 0 ? 1 : 2;
    copy.bytes = more ? more->len : 0;
    if (count) {
        memset(&control, 0, sizeof control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof *fds);
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof *fds);
        envelope.msg_control = &control;
        envelope.msg_controllen = CMSG_SPACE(count * sizeof *fds);
    }
    bool ok = send_all(link, &envelope, sizeof copy);
    for (size_t done = 0; ok && more && done < more->len; done += part.iov_len) {
        size_t left = more->len - done;
        part = (struct iovec){more->data + done, left < WARDEN_CHUNK ? left : WARDEN_CHUNK};
        envelope = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
        ok = send_all(link, &envelope, part.iov_len);
    }
    return ok;
}

static void take_descriptors(struct msghdr *envelope, int fds[2])
{
    for (struct cmsghdr *h = CMSG_FIRSTHDR(envelope); h; h = CMSG_NXTHDR(envelope, h)) {
        size_t count = h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS
                           ? (h->cmsg_len - CMSG_LEN(0)) / sizeof *fds
                           : 0;
        for (size_t i = 0; i < count && i < 2; i++)
            memcpy(&fds[i], CMSG_DATA(h) + i * sizeof *fds, sizeof *fds);
    }
}

/* One message's bytes; 0 or less: the other end is gone. */
static ssize_t receive(const struct warden_link *link, struct msghdr *envelope)
{
    for (;;) {
        if (!wait_for(link, POLLIN))
            return 0;
        ssize_t got = recvmsg(link->channel, envelope, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        /* An end that did not read everything was closed: what it said before is still here. */
        if (got >= 0 || (errno != EINTR && errno != EAGAIN && errno != ECONNRESET))
            return got;
    }
}

bool warden_receive(const struct warden_link *link, struct warden_message *message, int fds[2])
{
    struct iovec part = {.iov_len = sizeof *message};
    union control control;
    struct msghdr envelope = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    part.iov_base = message;
    fds[0] = fds[1] = -1;
    ssize_t got = receive(link, &envelope);
    if (got <= 0)
        return false;
    take_descriptors(&envelope, fds);
    if (got == (ssize_t)sizeof *message)
        return true;
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return false;
}

void *warden_receive_more(const struct warden_link *link, uint64_t bytes)
{
    char *all = bytes && bytes <= HANDOVER_BYTES ? malloc((size_t)bytes) : NULL;
    for (size_t done = 0; all && done < bytes;) {
        struct iovec part = {all + done, (size_t)bytes - done};
        struct msghdr envelope = {.msg_iov = &part, .msg_iovlen = 1};
        ssize_t got = receive(link, &envelope);
        if (got <= 0) {
            free(all);
            return NULL;
        }
        done += (size_t)got;
    }
    return all;
}
