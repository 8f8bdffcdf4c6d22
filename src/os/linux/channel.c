/* channel.c - see channel.h. Called by launch.c outside and by init.c inside:
 * ASYNC-SIGNAL-SAFE CALLS ONLY.
 */
#include "os/linux/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

static size_t put(union control *control, size_t used, int type, const void *data, size_t size)
{
    struct cmsghdr *header = (struct cmsghdr *)(void *)(control->space + used);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), data, size);
    return used + CMSG_SPACE(size);
}

bool channel_send(int channel, const struct channel_message *message, int fd, pid_t as)
{
    struct channel_message copy = *message; /* sendmsg takes no const */
    struct iovec part = {&copy, sizeof copy};
    union control control;
    struct msghdr envelope = {.msg_iov = &part, .msg_iovlen = 1};
    size_t used = 0;
    memset(&control, 0, sizeof control);
    if (fd >= 0)
        used = put(&control, used, SCM_RIGHTS, &fd, sizeof fd);
    if (as > 0) {
        struct ucred credentials = {as, getuid(), getgid()};
        used = put(&control, used, SCM_CREDENTIALS, &credentials, sizeof credentials);
    }
    if (used) {
        envelope.msg_control = &control;
        envelope.msg_controllen = used;
    }
    return sendmsg(channel, &envelope, MSG_NOSIGNAL) == (ssize_t)sizeof copy;
}

int channel_receive(int channel, bool wait, struct channel_message *message, int *fd, pid_t *sender)
{
    struct iovec part = {message, sizeof *message};
    union control control;
    struct msghdr envelope = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got;
    /* An end that left without reading all that it was told is reported once by
     * ECONNRESET, before what it had said last. */
    do
        got = recvmsg(channel, &envelope, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    while (got < 0 && (errno == EINTR || errno == ECONNRESET));
    *fd = -1;
    *sender = 0;
    if (got < 0 && errno == EAGAIN)
        return -1;
    if (got != (ssize_t)sizeof *message)
        return 0;
    bool cut = envelope.msg_flags & MSG_CTRUNC;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&envelope); h; h = CMSG_NXTHDR(&envelope, h)) {
        struct ucred credentials;
        if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
            memcpy(fd, CMSG_DATA(h), sizeof *fd);
        if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_CREDENTIALS) {
            memcpy(&credentials, CMSG_DATA(h), sizeof credentials);
            *sender = credentials.pid;
        }
    }
    /* Out of descriptors: what should have come along (the Landlock ruleset!) is
     * lost, and to go on would be to go on without it. */
    if (cut && *fd >= 0)
        close(*fd);
    if (cut) {
        *fd = -1;
        errno = EMFILE;
        return 0;
    }
    return 1;
}
