/* broker.c - see broker.h: receives, judges, hands on to broker_connects.c.
 * Runs as the user, outside.
 *
 * What the inside can do between any two lines here: rewrite the address, put
 * another socket on the descriptor, rename and replace every name, change its
 * working directory, end. So: the address and the descriptor are taken once, a
 * path is held as an object, and only what is held is judged and connected.
 */
#include "os/linux/broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/limits.h"
#include "os/linux/beneath.h"
#include "os/linux/broker_connects.h"
#include "os/linux/broker_listeners.h"
#include "os/linux/broker_walk.h"
#include "os/linux/sys.h"
#include "plan/trace_grant.h"
#include "plan/unix_address.h"

#define RULE_SOCKETS "network.unix_sockets"
#define RULE_OUTSIDE "network: a socket of another network namespace"
#define RULE_MAGIC "unix-sockets: the path goes through a link of /proc"
#define RULE_DATAGRAM "unix-dgram"
#define RULE_UNSEEN "unix-sockets: this system does not let cordon look into the process"

struct broker {
    struct broker_setup setup;
    struct connects connects;
    struct listeners listeners;
    uint64_t inside; /* the cookie of the command's network namespace, once known; 0: not yet */
};

/* Yama's mode 3 forbids it for whoever asks, but not of oneself. */
static bool yama_forbids(void)
{
    char mode = '0';
    int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
    bool known = fd >= 0 && read(fd, &mode, 1) == 1;
    if (fd >= 0)
        close(fd);
    return known && mode == '3';
}

bool broker_possible(void)
{
    char from = 'x', to = 0;
    struct iovec here = {&to, 1}, there = {&from, 1};
    int task = (int)syscall(SYS_NR_PIDFD_OPEN, getpid(), 0);
    int fd = task < 0 ? -1 : (int)syscall(SYS_NR_PIDFD_GETFD, task, task, 0);
    bool possible = fd >= 0 && process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1 && to == from;
    if (fd >= 0)
        close(fd);
    if (task >= 0)
        close(task);
    return possible && !yama_forbids();
}

cordon_status broker_new(struct broker **out, const struct broker_setup *setup, struct cordon_error *err)
{
    struct broker *b = calloc(1, sizeof *b);
    if (!b)
        return error_nomem(err, "linux.broker");
    b->setup = *setup;
    listeners_init(&b->listeners);
    cordon_status status = connects_init(&b->connects, setup->notify, setup->poller, err);
    if (status != CORDON_OK) {
        free(b);
        return status;
    }
    *out = b;
    return CORDON_OK;
}

void broker_free(struct broker *b)
{
    if (!b)
        return;
    connects_release(&b->connects);
    listeners_release(&b->listeners);
    free(b);
}

bool broker_takes(int number)
{
    return number == SYS_connect || number == SYS_listen;
}

static void refuse(struct broker *b, const struct notify_request *r, int code, const char *target,
                   const char *rule, const char *grant)
{
    struct refusal refusal = {"connect", target, rule, grant};
    notify_fail(b->setup.notify, r, code);
    b->setup.refused(b->setup.self, &refusal);
}

/* A socket that came from outside, say as standard input, still lies in the
 * outside's network namespace, whatever the command does with it. */
static bool is_of_the_inside(struct broker *b, const struct notify_request *r, int fd)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    struct stat of_socket, of_task;
    char path[40];
    if (b->setup.what->network_on)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0 || cookie == 0)
        return false;
    if (b->inside)
        return cookie == b->inside;
    int space = ioctl(fd, SIOCGSKNS);
    if (space < 0)
        return false; /* not the user's: EPERM */
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)r->pid);
    bool same = fstat(space, &of_socket) == 0 && stat(path, &of_task) == 0 &&
                notify_valid(b->setup.notify, r) && of_socket.st_dev == of_task.st_dev &&
                of_socket.st_ino == of_task.st_ino;
    close(space);
    if (same)
        b->inside = cookie; /* nothing inside can change its network namespace */
    return same;
}

static void show_internet(const struct sockaddr_storage *address, socklen_t length, char *out, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    if (length >= sizeof *v4 && v4->sin_family == AF_INET &&
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host))
        snprintf(out, size, "%s:%u", host, ntohs(v4->sin_port));
    else if (length >= sizeof *v6 && v6->sin6_family == AF_INET6 &&
             inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host))
        snprintf(out, size, "[%s]:%u", host, ntohs(v6->sin6_port));
    else
        snprintf(out, size, "(family %u)", length >= sizeof address->ss_family ? address->ss_family : 0);
}

/* The kernel asks for a capability to point a netlink socket anywhere but at
 * itself. This process has it in the command's namespace; the command has not. */
static bool is_privileged_netlink(const struct connect_job *job)
{
    struct sockaddr_nl address;
    if (job->length < sizeof address)
        return false;
    memcpy(&address, &job->address, sizeof address);
    return address.nl_family == AF_NETLINK && (address.nl_pid != 0 || address.nl_groups != 0);
}

/* -- unix sockets --------------------------------------------------------- */

/* The same inode; or what the granted path names now, where nobody inside can
 * have put it: a daemon that was started anew has made its socket anew. */
static bool is_granted(const struct supervision *what, const struct stat *st)
{
    for (size_t i = 0; i < what->socket_count; i++) {
        const struct socket_grant *grant = &what->sockets[i];
        struct stat now;
        if (grant->dev == st->st_dev && grant->ino == st->st_ino)
            return true;
        if (decide(what->resolved, grant->path, OP_CREATE).allowed ||
            decide(what->resolved, grant->path, OP_REMOVE).allowed)
            continue;
        int fd = beneath_open_absolute(grant->path, O_PATH | O_NOFOLLOW);
        bool same = fd >= 0 && fstat(fd, &now) == 0 && now.st_dev == st->st_dev && now.st_ino == st->st_ino;
        if (fd >= 0)
            close(fd);
        if (same)
            return true;
    }
    return false;
}

/* A datagram socket can be connected to no stream, so this is no connection and
 * its owner sees nothing: the kernel only says whether there is one. */
static int nobody_there(int pin)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return 0;
    snprintf(name.sun_path, sizeof name.sun_path, "/proc/self/fd/%d", pin);
    int code = connect(fd, (struct sockaddr *)&name, sizeof name) == 0 ? 0 : errno;
    close(fd);
    return code == EPROTOTYPE ? 0 : code;
}

/* The path by which the command sees it, and the option that would allow it:
 * none where another object has that path outside (a private /tmp). */
static void refuse_path(struct broker *b, const struct notify_request *r, int pin, const struct stat *st,
                        const char *asked)
{
    char link[40], path[LIMIT_PATH_BYTES + 1];
    struct stat outside;
    struct buf grant = BUF_INIT;
    snprintf(link, sizeof link, "/proc/self/fd/%d", pin);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len > 0 && path[0] == '/') {
        path[len] = '\0';
        asked = path;
        if (lstat(path, &outside) == 0 && outside.st_dev == st->st_dev && outside.st_ino == st->st_ino)
            trace_grant_option(&grant, "--unix-socket", path);
    }
    refuse(b, r, EACCES, asked, RULE_SOCKETS, grant.len && !buf_failed(&grant) ? grant.data : "");
    buf_release(&grant);
}

/* True: go on with `*pin`. */
static bool judge_path(struct broker *b, const struct notify_request *r, const char *path, int *pin)
{
    const struct notify *n = b->setup.notify;
    struct stat st;
    int fd = -1;
    switch (broker_walk(n, r, path, &fd)) {
    case WALK_MAGIC:
        refuse(b, r, EACCES, path, RULE_MAGIC, "");
        return false;
    case WALK_FAILED:
        notify_fail(n, r, errno);
        return false;
    case WALK_FOUND:
        break;
    }
    int code = fstat(fd, &st) != 0 ? errno : S_ISSOCK(st.st_mode) ? 0 : ECONNREFUSED;
    if (code == 0 && (listeners_has_inode(&b->listeners, &st) || is_granted(b->setup.what, &st))) {
        *pin = fd;
        return true;
    }
    if (code == 0)
        code = nobody_there(fd);
    if (code)
        notify_fail(n, r, code);
    else
        refuse_path(b, r, fd, &st, path);
    close(fd);
    return false;
}

/* Abstract names belong to the network namespace: with a private one only the
 * inside can be meant. With the machine's, the others are answered as if nobody
 * were there, as in a private one: X11 clients then try the path. */
static bool judge_abstract(struct broker *b, const struct notify_request *r,
                           const struct unix_address *address)
{
    struct buf text = BUF_INIT;
    if (!b->setup.what->network_on || listeners_has_abstract(&b->listeners, address))
        return true;
    unix_address_show(address, &text);
    refuse(b, r, ECONNREFUSED, buf_failed(&text) ? "@" : text.data, RULE_SOCKETS, "");
    buf_release(&text);
    return false;
}

static bool judge_unix(struct broker *b, struct connect_job *job)
{
    const struct notify_request *r = &job->request;
    struct unix_address address;
    struct buf text = BUF_INIT;
    int type = 0;
    socklen_t size = sizeof type;
    job->is_unix = true;
    unix_address_parse(&address, &job->address, job->length);
    if (getsockopt(job->fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
        (type != SOCK_STREAM && type != SOCK_SEQPACKET)) {
        unix_address_show(&address, &text);
        refuse(b, r, EACCES, buf_failed(&text) ? "" : text.data, RULE_DATAGRAM, "");
        buf_release(&text);
        return false;
    }
    switch (address.kind) {
    case UNIX_ADDRESS_PATH:
        return judge_path(b, r, address.name, &job->pin);
    case UNIX_ADDRESS_ABSTRACT:
        return judge_abstract(b, r, &address);
    case UNIX_ADDRESS_INVALID:
        break;
    }
    notify_fail(b->setup.notify, r, EINVAL);
    return false;
}

/* -- one request ---------------------------------------------------------- */

/* True: go on. Otherwise it was answered. */
static bool judge(struct broker *b, struct connect_job *job)
{
    const struct notify_request *r = &job->request;
    char target[80];
    int domain = 0;
    socklen_t size = sizeof domain;
    if (getsockopt(job->fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) {
        notify_fail(b->setup.notify, r, errno); /* ENOTSOCK */
        return false;
    }
    if (!is_of_the_inside(b, r, job->fd)) {
        show_internet(&job->address, job->length, target, sizeof target);
        refuse(b, r, EACCES, target, RULE_OUTSIDE, "");
        return false;
    }
    switch (domain) {
    case AF_UNIX:
        return judge_unix(b, job);
    case AF_INET:
    case AF_INET6:
        return true; /* its network namespace decides */
    case AF_NETLINK:
        if (!is_privileged_netlink(job))
            return true;
        notify_fail(b->setup.notify, r, EPERM);
        return false;
    default: /* made outside: inside there are no others */
        show_internet(&job->address, job->length, target, sizeof target);
        refuse(b, r, EACCES, target, RULE_OUTSIDE, "");
        return false;
    }
}

static void fail_descriptor(struct broker *b, const struct notify_request *r, int code)
{
    switch (code) {
    case EPERM:
    case EACCES:
        refuse(b, r, EACCES, "(any)", RULE_UNSEEN, "");
        break;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        notify_fail(b->setup.notify, r, EAGAIN);
        break;
    default:
        notify_fail(b->setup.notify, r, code);
    }
}

/* The address, once. 0 or the errno of the kernel's own reading of it. */
static int read_address(struct broker *b, struct connect_job *job)
{
    int length = (int)job->request.args[2];
    if (length < 0 || (size_t)length > sizeof job->address)
        return EINVAL;
    job->length = (socklen_t)length;
    if (length == 0)
        return 0;
    ssize_t got = notify_read_memory(b->setup.notify, &job->request, job->request.args[1], &job->address,
                                     (size_t)length);
    if (got < 0)
        return errno;
    return got == length ? 0 : EFAULT;
}

static void on_connect(struct broker *b, const struct notify_request *r)
{
    struct connect_job job = {.request = *r, .pin = -1};
    job.fd = notify_get_descriptor(b->setup.notify, r, (int)r->args[0]);
    if (job.fd < 0) {
        fail_descriptor(b, r, errno);
        return;
    }
    int code = read_address(b, &job);
    if (code)
        notify_fail(b->setup.notify, r, code);
    if (code || !judge(b, &job)) {
        patience_close(&b->connects.patience, job.fd);
        return;
    }
    connects_start(&b->connects, &job);
}

/* Only looked at. That the kernel then reads the descriptor anew is harmless:
 * what was learnt is about a socket that the caller had in its hands. */
static void on_listen(struct broker *b, const struct notify_request *r)
{
    int fd = notify_get_descriptor(b->setup.notify, r, (int)r->args[0]);
    if (fd >= 0) {
        if (is_of_the_inside(b, r, fd))
            listeners_learn(&b->listeners, b->setup.notify, r, fd);
        patience_close(&b->connects.patience, fd);
    }
    notify_continue(b->setup.notify, r);
}

void broker_handle(struct broker *b, const struct notify_request *r)
{
    if (r->number == SYS_listen)
        on_listen(b, r);
    else
        on_connect(b, r);
}
