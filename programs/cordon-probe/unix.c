/* unix.c - operations on AF_UNIX sockets.
 *
 * An ADDRESS is a path, or an abstract name after an `@`. A listener of the
 * test runner answers, so that allowed means reached.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REFUSED "EACCES EPERM ENOSYS EAFNOSUPPORT ECONNREFUSED EPROTONOSUPPORT"
#define WAIT_MS 5000

static int parse_address(const char *text, struct sockaddr_un *out, socklen_t *len)
{
    size_t n = strlen(text);
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    if (n == 0 || n >= sizeof out->sun_path) {
        return -1;
    }
    memcpy(out->sun_path, text, n);
    if (text[0] == '@') {
        out->sun_path[0] = '\0';
    }
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (text[0] != '@'));
    return 0;
}

static struct probe_result await_answer(const struct probe_call *c, int fd)
{
    char content[64];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int ready = poll(&p, 1, WAIT_MS);
    ssize_t n = ready == 1 ? recv(fd, content, sizeof content, MSG_DONTWAIT) : -1;
    int error = ready == 1 ? errno : ETIMEDOUT;
    close(fd);
    return n > 0 ? probe_allowed() : probe_failed(c, "recv", n == 0 ? ENOTCONN : error);
}

static struct probe_result connect_to(const struct probe_call *c, int type, int *out)
{
    struct sockaddr_un to;
    socklen_t len;
    if (parse_address(c->args[0], &to, &len) != 0) {
        return probe_broken("ADDRESS is too long for a socket");
    }
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return probe_failed(c, "socket", errno);
    }
    if (connect(fd, (struct sockaddr *)&to, len) != 0) {
        int error = errno;
        close(fd);
        return probe_failed(c, "connect", error);
    }
    *out = fd;
    return probe_allowed();
}

static struct probe_result stream(const struct probe_call *c)
{
    int fd = -1;
    struct probe_result result = connect_to(c, SOCK_STREAM, &fd);
    return fd < 0 ? result : await_answer(c, fd);
}

static struct probe_result seqpacket(const struct probe_call *c)
{
    int fd = -1;
    struct probe_result result = connect_to(c, SOCK_SEQPACKET, &fd);
    return fd < 0 ? result : await_answer(c, fd);
}

/* Nothing comes back from a datagram: the listener outside counts it. */
static struct probe_result datagram(const struct probe_call *c)
{
    int fd = -1;
    struct probe_result result = connect_to(c, SOCK_DGRAM, &fd);
    if (fd < 0) {
        return result;
    }
    ssize_t n = send(fd, "hello", 5, 0);
    int error = errno;
    close(fd);
    return n == 5 ? probe_allowed() : probe_failed(c, "send", error);
}

/* One end of a datagram pair can send to any name, without connect(). */
static struct probe_result datagram_from_pair(const struct probe_call *c)
{
    struct sockaddr_un to;
    socklen_t len;
    int pair[2];
    if (parse_address(c->args[0], &to, &len) != 0) {
        return probe_broken("ADDRESS is too long for a socket");
    }
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return probe_failed(c, "socketpair", errno);
    }
    /* A connected end must be disconnected first. */
    const struct sockaddr none = {.sa_family = AF_UNSPEC};
    if (connect(pair[0], &none, sizeof none) != 0) {
        return probe_failed(c, "disconnect", errno);
    }
    ssize_t n = sendto(pair[0], "hello", 5, 0, (struct sockaddr *)&to, len);
    int error = errno;
    close(pair[0]);
    close(pair[1]);
    return n == 5 ? probe_allowed() : probe_failed(c, "sendto", error);
}

/* Hands a descriptor of PATH to an outside process. */
static struct probe_result send_descriptor(const struct probe_call *c)
{
    int file = open(c->args[1], O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return probe_unprepared("open", errno);
    }
    int fd = -1;
    struct probe_result result = connect_to(c, SOCK_STREAM, &fd);
    if (fd < 0) {
        close(file);
        return result;
    }
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {
        .header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.header), &file, sizeof file);
    struct iovec part = {.iov_base = (char[]){"x"}, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes};
    ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
    int error = errno;
    close(fd);
    close(file);
    return n == 1 ? probe_allowed() : probe_failed(c, "sendmsg", error);
}

/* Takes a descriptor that the listener at ADDRESS sends with its banner. */
static struct probe_result receive_descriptor(const struct probe_call *c)
{
    int fd = -1;
    struct probe_result result = connect_to(c, SOCK_STREAM, &fd);
    if (fd < 0) {
        return result;
    }
    char content[64];
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = content, .iov_len = sizeof content};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    int error = errno;
    close(fd);
    if (n < 0) {
        return probe_failed(c, "recvmsg", error);
    }
    struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    if (first == NULL || first->cmsg_type != SCM_RIGHTS) {
        return probe_broken("no descriptor came");
    }
    int got;
    memcpy(&got, CMSG_DATA(first), sizeof got);
    return probe_finish_write(c, got, NULL);
}

/* Binding a name in a directory where files may be made. */
static struct probe_result bind_name(const struct probe_call *c)
{
    struct sockaddr_un at;
    socklen_t len;
    if (parse_address(c->args[0], &at, &len) != 0) {
        return probe_broken("ADDRESS is too long for a socket");
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return probe_failed(c, "socket", errno);
    }
    int failed = bind(fd, (struct sockaddr *)&at, len);
    int error = errno;
    close(fd);
    return failed ? probe_failed(c, "bind", error) : probe_allowed();
}

const struct probe_operation probe_unix[] = {
    {"unix-stream", "ADDRESS", REFUSED, "", stream},
    {"unix-seqpacket", "ADDRESS", REFUSED, "", seqpacket},
    {"unix-datagram", "ADDRESS", REFUSED, "", datagram},
    {"unix-datagram-from-pair", "ADDRESS", REFUSED, "", datagram_from_pair},
    {"unix-send-fd", "ADDRESS PATH", REFUSED, "", send_descriptor},
    {"unix-receive-fd", "ADDRESS", REFUSED, "", receive_descriptor},
    {"unix-bind", "ADDRESS", REFUSED " EROFS", "", bind_name},
    {NULL, NULL, NULL, NULL, NULL},
};
