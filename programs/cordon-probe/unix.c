/* unix.c - operations on AF_UNIX sockets.
 *
 * An ADDRESS is a path, or an abstract name after an `@`. A listener of the
 * test runner answers, so that allowed means reached.
 */
#include "probe.h"
#include "unix_address.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REFUSED "EACCES EPERM ENOSYS EAFNOSUPPORT ECONNREFUSED EPROTONOSUPPORT"
#define WAIT_MS 5000

int probe_unix_address(const char *text, struct sockaddr_un *out, socklen_t *len)
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
    if (probe_unix_address(c->args[0], &to, &len) != 0) {
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
    if (probe_unix_address(c->args[0], &to, &len) != 0) {
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
    if (probe_unix_address(c->args[0], &at, &len) != 0) {
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

/* -- around a broker: what another name, moment or descriptor may do ------- */

static int listen_at(const char *path, int type)
{
    struct sockaddr_un at;
    socklen_t len;
    if (probe_unix_address(path, &at, &len) != 0) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, 16) != 0)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* An outside socket under a name that a socket of one's own had: ADDRESS is
 * moved to PATH once PATH was listened on and connected to. */
static struct probe_result under_own_name(const struct probe_call *c)
{
    struct sockaddr_un own;
    socklen_t len;
    char aside[200];
    int listener = listen_at(c->args[1], SOCK_STREAM);
    if (listener < 0 || probe_unix_address(c->args[1], &own, &len) != 0) {
        return probe_failed(c, "listen", errno);
    }
    int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (first < 0 || connect(first, (struct sockaddr *)&own, len) != 0) {
        return probe_unprepared("connect to the own socket", errno);
    }
    snprintf(aside, sizeof aside, "%s.aside", c->args[1]);
    if (rename(c->args[1], aside) != 0 || rename(c->args[0], c->args[1]) != 0) {
        return probe_failed(c, "rename", errno);
    }
    if (listen(listener, 16) != 0) { /* a broker may learn names at this moment */
        return probe_unprepared("listen again", errno);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&own, len) != 0) {
        return probe_failed(c, "connect", errno);
    }
    return await_answer(c, fd);
}

/* By another name of the same socket. */
static struct probe_result linked(const struct probe_call *c)
{
    if (link(c->args[0], c->args[1]) != 0) {
        return probe_failed(c, "link", errno);
    }
    char *args[] = {c->args[1], NULL};
    const struct probe_call other = {c->operation, args, 1};
    return stream(&other);
}

/* By a descriptor of its directory, as programs with long paths do. */
static struct probe_result by_descriptor(const struct probe_call *c)
{
    char path[100];
    int dir = open(c->args[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return probe_unprepared("open", errno);
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, c->args[1]);
    char *args[] = {path, NULL};
    const struct probe_call other = {c->operation, args, 1};
    return stream(&other);
}

struct race {
    struct sockaddr_un shared, own, other;
    int over;
};

static void *swap_address(void *argument)
{
    struct race *race = argument;
    while (!__atomic_load_n(&race->over, __ATOMIC_RELAXED)) {
        memcpy(race->shared.sun_path, race->other.sun_path, sizeof race->shared.sun_path);
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* else the compiler sees only the second */
        memcpy(race->shared.sun_path, race->own.sun_path, sizeof race->shared.sun_path);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    }
    return NULL;
}

/* Whether the socket is connected to the other's listener. */
static int reached_other(const struct race *race, int fd)
{
    struct sockaddr_un peer = {.sun_family = 0};
    socklen_t size = sizeof peer;
    return getpeername(fd, (struct sockaddr *)&peer, &size) == 0 &&
           strncmp(peer.sun_path, race->other.sun_path, sizeof peer.sun_path) == 0;
}

/* Two listeners, the outside's ADDRESS and an own one at PATH; a thread swaps the
 * names in memory while the call is on its way. */
static struct probe_result race_address(const struct probe_call *c)
{
    struct race race = {.over = 0};
    socklen_t len;
    pthread_t thread;
    int refused = 0, reached = 0, done, listener = listen_at(c->args[1], SOCK_STREAM);
    if (listener < 0 || fcntl(listener, F_SETFL, O_NONBLOCK) != 0) {
        return probe_failed(c, "listen", errno);
    }
    if (probe_unix_address(c->args[0], &race.other, &len) != 0 ||
        probe_unix_address(c->args[1], &race.own, &len) != 0) {
        return probe_broken("ADDRESS or PATH is too long for a socket");
    }
    race.shared = race.own;
    if (pthread_create(&thread, NULL, swap_address, &race) != 0) {
        return probe_unprepared("start a thread", errno);
    }
    for (int i = 0; i < 4000 && !reached; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            break;
        }
        if (connect(fd, (struct sockaddr *)&race.shared, sizeof race.shared) != 0) {
            refused += errno == EACCES;
        }
        reached = reached_other(&race, fd);
        close(fd);
        while ((done = accept(listener, NULL, NULL)) >= 0) {
            close(done);
        }
    }
    __atomic_store_n(&race.over, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    close(listener);
    return reached ? probe_allowed() : probe_failed(c, "connect", refused ? EACCES : ETIMEDOUT);
}

const struct probe_operation probe_unix[] = {
    {"unix-stream", "ADDRESS", REFUSED, "", stream},
    {"unix-seqpacket", "ADDRESS", REFUSED, "", seqpacket},
    {"unix-datagram", "ADDRESS", REFUSED, "", datagram},
    {"unix-datagram-from-pair", "ADDRESS", REFUSED, "", datagram_from_pair},
    {"unix-send-fd", "ADDRESS PATH", REFUSED, "", send_descriptor},
    {"unix-receive-fd", "ADDRESS", REFUSED, "", receive_descriptor},
    {"unix-bind", "ADDRESS", REFUSED " EROFS", "", bind_name},
    {"unix-under-own-name", "ADDRESS PATH", REFUSED, "", under_own_name},
    {"unix-linked", "ADDRESS PATH", REFUSED, "", linked},
    {"unix-by-descriptor", "DIR NAME", REFUSED, "", by_descriptor},
    {"unix-race-address", "ADDRESS PATH", REFUSED, "", race_address},
    {NULL, NULL, NULL, NULL, NULL},
};
