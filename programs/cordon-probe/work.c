/* work.c - what must keep working inside: each is a small piece of real work.
 *
 * A failure here is DENIED with the errno, so that a row can pin a documented
 * limit; a wrong result is BROKEN.
 */
#include "probe.h"
#include "unix_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFUSED                                                                                              \
    "EPERM EACCES ENOSYS EROFS EAFNOSUPPORT EPROTONOSUPPORT ECONNREFUSED ENETUNREACH EADDRNOTAVAIL EBUSY "   \
    "ENOENT ENODEV ENXIO"

/* Sends five bytes from one descriptor to the other and looks at them. */
static struct probe_result pass_bytes(const struct probe_call *c, int from, int to)
{
    char content[8] = "";
    struct pollfd p = {.fd = to, .events = POLLIN};
    if (write(from, "hello", 5) != 5) {
        return probe_failed(c, "write", errno);
    }
    if (poll(&p, 1, 5000) != 1 || read(to, content, 5) != 5 || strcmp(content, "hello") != 0) {
        return probe_broken("the bytes did not arrive");
    }
    return probe_allowed();
}

static struct probe_result pair(const struct probe_call *c, int type)
{
    int ends[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) {
        return probe_failed(c, "socketpair", errno);
    }
    struct probe_result result = pass_bytes(c, ends[0], ends[1]);
    close(ends[0]);
    close(ends[1]);
    return result;
}

static struct probe_result stream_pair(const struct probe_call *c)
{
    return pair(c, SOCK_STREAM);
}

static struct probe_result seqpacket_pair(const struct probe_call *c)
{
    return pair(c, SOCK_SEQPACKET);
}

static struct probe_result datagram_pair(const struct probe_call *c)
{
    return pair(c, SOCK_DGRAM);
}

/* A server and its client in this process: bind, listen, connect, accept. */
static struct probe_result serve(const struct probe_call *c, struct sockaddr *address, socklen_t len)
{
    int listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = -1;
    int server = -1;
    struct probe_result result;
    if (listener < 0) {
        return probe_failed(c, "socket", errno);
    }
    if (bind(listener, address, len) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, address, &len) != 0) {
        result = probe_failed(c, "bind", errno);
        goto out;
    }
    client = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0 || connect(client, address, len) != 0) {
        result = probe_failed(c, "connect", errno);
        goto out;
    }
    server = accept(listener, NULL, NULL);
    result = server < 0 ? probe_failed(c, "accept", errno) : pass_bytes(c, client, server);
out:
    close(listener);
    if (client >= 0) {
        close(client);
    }
    if (server >= 0) {
        close(server);
    }
    return result;
}

static struct probe_result loopback_v4(const struct probe_call *c)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return serve(c, (struct sockaddr *)&at, sizeof at);
}

static struct probe_result loopback_v6(const struct probe_call *c)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    return serve(c, (struct sockaddr *)&at, sizeof at);
}

static struct probe_result unix_server(const struct probe_call *c)
{
    struct sockaddr_un at;
    socklen_t len;
    if (probe_unix_address(c->args[0], &at, &len) != 0) {
        return probe_broken("ADDRESS is too long for a socket");
    }
    return serve(c, (struct sockaddr *)&at, len);
}

/* Whoever called listen() ends, as a daemon's parent does; its child serves. */
static struct probe_result unix_daemon(const struct probe_call *c)
{
    struct sockaddr_un at;
    socklen_t len;
    int status;
    if (probe_unix_address(c->args[0], &at, &len) != 0) {
        return probe_broken("ADDRESS is too long for a socket");
    }
    pid_t parent = fork();
    if (parent == 0) {
        int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (listener < 0 || bind(listener, (struct sockaddr *)&at, len) != 0 || listen(listener, 1) != 0) {
            _exit(1);
        }
        if (fork() != 0) {
            _exit(0);
        }
        int peer = accept(listener, NULL, NULL);
        _exit(peer < 0 || write(peer, "hello", 5) != 5);
    }
    if (parent < 0 || waitpid(parent, &status, 0) != parent || status != 0) {
        return probe_unprepared("start the server", errno);
    }
    char content[8];
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, len) != 0) {
        return probe_failed(c, "connect", errno);
    }
    ssize_t n = read(fd, content, sizeof content);
    close(fd);
    return n == 5 ? probe_allowed() : probe_failed(c, "read", errno);
}

/* As event loops do it: EINPROGRESS or not, then writable, then SO_ERROR. */
static struct probe_result nonblocking(const struct probe_call *c)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int error = 0;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || client < 0 || bind(listener, (struct sockaddr *)&at, len) != 0 ||
        listen(listener, 1) != 0 || getsockname(listener, (struct sockaddr *)&at, &len) != 0) {
        return probe_unprepared("listen", errno);
    }
    if (connect(client, (struct sockaddr *)&at, len) != 0 && errno != EINPROGRESS) {
        return probe_failed(c, "connect", errno);
    }
    struct pollfd writable = {.fd = client, .events = POLLOUT};
    len = sizeof error;
    if (poll(&writable, 1, 5000) != 1 || getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ||
        error != 0) {
        return probe_failed(c, "SO_ERROR", error ? error : ETIMEDOUT);
    }
    int server = accept(listener, NULL, NULL);
    return server < 0 ? probe_failed(c, "accept", errno) : pass_bytes(c, client, server);
}

static struct probe_result loopback_udp(const struct probe_call *c)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (server < 0 || client < 0) {
        return probe_failed(c, "socket", errno);
    }
    if (bind(server, (struct sockaddr *)&at, len) != 0 ||
        getsockname(server, (struct sockaddr *)&at, &len) != 0) {
        return probe_failed(c, "bind", errno);
    }
    if (connect(client, (struct sockaddr *)&at, len) != 0) {
        return probe_failed(c, "connect", errno);
    }
    return pass_bytes(c, client, server);
}

static struct probe_result fifo(const struct probe_call *c)
{
    if (mkfifo(c->args[0], 0600) != 0) {
        return probe_failed(c, "mkfifo", errno);
    }
    int reader = open(c->args[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int writer = reader < 0 ? -1 : open(c->args[0], O_WRONLY | O_CLOEXEC);
    return writer < 0 ? probe_failed(c, "open", errno) : pass_bytes(c, writer, reader);
}

static struct probe_result pseudo_terminal(const struct probe_call *c)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0) {
        return probe_failed(c, "posix_openpt", errno);
    }
    if (grantpt(master) != 0 || unlockpt(master) != 0 || ptsname(master) == NULL) {
        return probe_failed(c, "unlockpt", errno);
    }
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    return slave < 0 ? probe_failed(c, "open slave", errno) : pass_bytes(c, slave, master);
}

static struct probe_result shared_memory(const struct probe_call *c)
{
    int fd = shm_open("/cordon-probe-own", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return probe_failed(c, "shm_open", errno);
    }
    shm_unlink("/cordon-probe-own");
    if (ftruncate(fd, 4096) != 0 ||
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED) {
        return probe_failed(c, "mmap", errno);
    }
    return probe_allowed();
}

static struct probe_result system_v_memory(const struct probe_call *c)
{
    int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    if (id < 0) {
        return probe_failed(c, "shmget", errno);
    }
    void *at = shmat(id, NULL, 0);
    int error = errno;
    shmctl(id, IPC_RMID, NULL);
    return at == (void *)-1 ? probe_failed(c, "shmat", error) : probe_allowed();
}

static struct probe_result message_queue(const struct probe_call *c)
{
    long fd = syscall(SYS_mq_open, "cordon-probe-own", O_RDWR | O_CREAT | O_CLOEXEC, 0600, NULL);
    if (fd < 0) {
        return probe_failed(c, "mq_open", errno);
    }
    syscall(SYS_mq_unlink, "cordon-probe-own");
    return probe_allowed();
}

/* A debugger of its own child: attach, stop, read a register's worth of memory. */
static struct probe_result debug_child(const struct probe_call *c)
{
    static long word = 4711;
    pid_t pid = fork();
    if (pid < 0) {
        return probe_failed(c, "fork", errno);
    }
    if (pid == 0) {
        pause();
        _exit(0);
    }
    struct probe_result result = probe_allowed();
    if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) != 0) {
        result = probe_failed(c, "PTRACE_ATTACH", errno);
    } else if (waitpid(pid, NULL, 0) != pid) {
        result = probe_broken("the child did not stop");
    } else {
        errno = 0;
        long seen = ptrace(PTRACE_PEEKDATA, pid, &word, NULL);
        if (errno != 0 || seen != word) {
            result = probe_failed(c, "PTRACE_PEEKDATA", errno);
        }
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return result;
}

static void *thread_body(void *argument)
{
    *(int *)argument = 1;
    return NULL;
}

static struct probe_result threads(const struct probe_call *c)
{
    int done[8] = {0};
    pthread_t ids[8];
    for (int i = 0; i < 8; i++) {
        int error = pthread_create(&ids[i], NULL, thread_body, &done[i]);
        if (error != 0) {
            return probe_failed(c, "pthread_create", error);
        }
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(ids[i], NULL);
        if (!done[i]) {
            return probe_broken("a thread did not run");
        }
    }
    return probe_allowed();
}

static struct probe_result events(const struct probe_call *c)
{
    int poller = epoll_create1(EPOLL_CLOEXEC);
    int counter = eventfd(1, EFD_CLOEXEC);
    int watcher = inotify_init1(IN_CLOEXEC);
    if (poller < 0 || counter < 0 || watcher < 0) {
        return probe_failed(c, "epoll_create1", errno);
    }
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, counter, &event) != 0 ||
        inotify_add_watch(watcher, c->args[0], IN_CREATE) < 0) {
        return probe_failed(c, "epoll_ctl", errno);
    }
    return epoll_wait(poller, &event, 1, 5000) == 1 ? probe_allowed() : probe_broken("no event");
}

static struct probe_result devices(const struct probe_call *c)
{
    static const char *const paths[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        int fd = open(paths[i], O_RDWR | O_CLOEXEC);
        if (fd < 0) {
            return probe_failed(c, paths[i], errno);
        }
        close(fd);
    }
    int fd = open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0666); /* what a shell's > does */
    return fd < 0 || write(fd, "x", 1) != 1 ? probe_failed(c, "write", errno) : probe_allowed();
}

/* What runtimes look at when they start. */
static struct probe_result process_files(const struct probe_call *c)
{
    static const char *const paths[] = {
        "/proc/self/exe",
        "/proc/self/maps",
        "/proc/self/status",
        "/proc/self/mountinfo",
        "/proc/self/cgroup",
        "/proc/cpuinfo",
        "/proc/meminfo",
        "/proc/self/fd/1",
        "/proc/self/cmdline",
        "/proc/stat",
        "/proc/sys/kernel/osrelease",
        "/dev/fd/1",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct stat st;
        if (stat(paths[i], &st) != 0) {
            return probe_failed(c, paths[i], errno);
        }
    }
    return probe_allowed();
}

/* Runs PATH with no argument; it must end with 0. */
static struct probe_result run_program(const struct probe_call *c)
{
    pid_t pid = fork();
    if (pid < 0) {
        return probe_failed(c, "fork", errno);
    }
    if (pid == 0) {
        execl(c->args[0], c->args[0], (char *)NULL);
        _exit(127);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? probe_allowed()
                                                         : probe_broken("status 0x%x", (unsigned)status);
}

/* A child that stops and goes on, as a shell's job control has it. */
static struct probe_result job_control(const struct probe_call *c)
{
    pid_t pid = fork();
    if (pid < 0) {
        return probe_failed(c, "fork", errno);
    }
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(7);
    }
    int status = 0;
    setpgid(pid, pid);
    if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status)) {
        return probe_broken("the child did not stop");
    }
    kill(-pid, SIGCONT);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? probe_allowed() : probe_broken("no end");
}

/* Keeps the sandbox open for the tests of two sandboxes at once and of crashes:
 * tries to make PATH (must be refused), says READY, waits until standard input
 * ends, and tries again. */
static struct probe_result hold(const struct probe_call *c)
{
    if (mkdir(c->args[0], 0755) == 0) {
        return probe_allowed();
    }
    int error = errno;
    if (write(1, "READY\n", 6) != 6) {
        return probe_unprepared("write", errno);
    }
    char byte;
    while (read(0, &byte, 1) > 0) {
    }
    char below[4096];
    snprintf(below, sizeof below, "%s/x", c->args[0]);
    if (rmdir(c->args[0]) == 0 || mkdir(below, 0755) == 0) {
        return probe_allowed();
    }
    return probe_failed(c, "mkdir", error);
}

/* As `hold`, and keeps PATH itself locked meanwhile: reading is enough for flock,
 * so nothing outside may wait for, or trust, a lock that the command can take. */
static struct probe_result hold_locked(const struct probe_call *c)
{
    int fd = open(c->args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return probe_unprepared("open", errno);
    }
    /* Refused when somebody holds a shared lock: then that must do. */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && flock(fd, LOCK_SH | LOCK_NB) != 0) {
        close(fd);
        return probe_unprepared("flock", errno);
    }
    struct probe_result result = hold(c);
    close(fd);
    return result;
}

const struct probe_operation probe_work[] = {
    {"work-stream-pair", "", REFUSED, "", stream_pair},
    {"work-seqpacket-pair", "", REFUSED, "", seqpacket_pair},
    {"work-datagram-pair", "", REFUSED, "", datagram_pair},
    {"work-loopback-v4", "", REFUSED, "", loopback_v4},
    {"work-loopback-v6", "", REFUSED, "", loopback_v6},
    {"work-loopback-udp", "", REFUSED, "", loopback_udp},
    {"work-unix-server", "ADDRESS", REFUSED, "", unix_server},
    {"work-unix-daemon", "ADDRESS", REFUSED, "", unix_daemon},
    {"work-nonblocking-connect", "", REFUSED, "", nonblocking},
    {"work-fifo", "PATH", REFUSED, "", fifo},
    {"work-pty", "", REFUSED, "", pseudo_terminal},
    {"work-shared-memory", "", REFUSED, "", shared_memory},
    {"work-sysv-memory", "", REFUSED, "", system_v_memory},
    {"work-message-queue", "", REFUSED, "", message_queue},
    {"work-debug-child", "", REFUSED, "", debug_child},
    {"work-threads", "", REFUSED, "", threads},
    {"work-events", "DIR", REFUSED, "", events},
    {"work-devices", "", REFUSED, "", devices},
    {"work-proc", "", REFUSED, "", process_files},
    {"work-run", "PATH", REFUSED, "", run_program},
    {"work-job-control", "", REFUSED, "", job_control},
    {"hold", "PATH", REFUSED " EEXIST", "", hold},
    {"hold-locked", "PATH", REFUSED " EEXIST", "", hold_locked},
    {NULL, NULL, NULL, NULL, NULL},
};
