/* outside.c - listeners, victim and objects outside the sandbox; see outside.h.
 *
 * The sockets are bound before the server process is forked, so that a row
 * never starts before its listeners do.
 */
#include "outside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define BANNER "cordon-matrix\n"

static const char *const temporary_directories[] = {"/tmp", "/var/tmp", "/dev/shm"};

void outside_init(struct outside *o)
{
    memset(o, 0, sizeof *o);
    for (int i = 0; i < LISTENER_COUNT; i++) {
        o->fds[i] = -1;
    }
    o->server = -1;
    o->leash = -1;
    o->victim = -1;
    o->victim_fd = -1;
    o->shm = o->sem = o->msg = -1;
}

static int listen_ip(int family, int type, unsigned *port)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at;
    memset(&at, 0, sizeof at);
    at.any.sa_family = (sa_family_t)family;
    socklen_t len = family == AF_INET ? sizeof at.v4 : sizeof at.v6;
    if (family == AF_INET) {
        at.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        at.v6.sin6_addr = in6addr_loopback;
    }
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    if (bind(fd, &at.any, len) != 0 || (type == SOCK_STREAM && listen(fd, 16) != 0) ||
        getsockname(fd, &at.any, &len) != 0) {
        close(fd);
        return -1;
    }
    *port = ntohs(family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
    return fd;
}

static int listen_unix(const char *name, int type)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t n = strlen(name);
    if (n >= sizeof at.sun_path) {
        fprintf(stderr, "matrix: '%s' is too long for a socket: use a shorter --trees directory\n", name);
        return -1;
    }
    memcpy(at.sun_path, name, n);
    if (name[0] == '@') {
        at.sun_path[0] = '\0';
    }
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (name[0] != '@'));
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    if (bind(fd, (struct sockaddr *)&at, len) != 0 || (type != SOCK_DGRAM && listen(fd, 16) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool is_connected_kind(int listener)
{
    return listener == LISTENER_TCP4 || listener == LISTENER_TCP6 || listener == LISTENER_ABSTRACT ||
           listener == LISTENER_STREAM_O || listener == LISTENER_STREAM_W || listener == LISTENER_SEQPACKET_O;
}

/* Answers a new connection with the banner, and on a unix stream with a
 * descriptor too, which is what a helpful daemon would do. */
static void answer_connection(int listener, int fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {
        .header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct iovec part = {.iov_base = (char[]){BANNER}, .iov_len = sizeof BANNER - 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    memcpy(CMSG_DATA(&control.header), &null, sizeof null);
    if (listener == LISTENER_STREAM_O) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control.bytes;
    }
    if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0 && errno != EPIPE) {
        perror("matrix: banner");
    }
    close(null);
}

static void serve_one(struct outside *o, int listener)
{
    int fd = o->fds[listener];
    if (is_connected_kind(listener)) {
        int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (peer >= 0) {
            o->counts[listener]++;
            answer_connection(listener, peer);
            /* Not closed: a reset could overtake the banner. The server ends soon. */
        }
        return;
    }
    char content[256];
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    ssize_t n = listener == LISTENER_FIFO_O
                    ? read(fd, content, sizeof content)
                    : recvfrom(fd, content, sizeof content, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
    if (n <= 0) {
        return;
    }
    o->counts[listener]++;
    if (listener == LISTENER_UDP4 || listener == LISTENER_UDP6) {
        sendto(fd, BANNER, sizeof BANNER - 1, 0, (struct sockaddr *)&from, len);
    }
}

static void serve(struct outside *o, int until)
{
    for (;;) {
        struct pollfd polled[LISTENER_COUNT + 1];
        for (int i = 0; i < LISTENER_COUNT; i++) {
            polled[i] = (struct pollfd){.fd = o->fds[i], .events = POLLIN};
        }
        polled[LISTENER_COUNT] = (struct pollfd){.fd = until, .events = POLLIN};
        if (poll(polled, LISTENER_COUNT + 1, -1) < 0 && errno != EINTR) {
            _exit(1);
        }
        int busy = 0;
        for (int i = 0; i < LISTENER_COUNT; i++) {
            if ((polled[i].revents & POLLIN) != 0) {
                serve_one(o, i);
                busy = 1;
            }
        }
        /* The end of the pipe means: drain, then go. */
        if (!busy && polled[LISTENER_COUNT].revents != 0) {
            _exit(0);
        }
        if (!busy) {
            /* A FIFO whose writer left reports POLLHUP for ever. */
            poll(NULL, 0, 1);
        }
    }
}

static int bind_all(struct outside *o, struct names *names)
{
    unsigned ports[4] = {1, 1, 1, 1};
    char path[4096];
    o->fds[LISTENER_TCP4] = listen_ip(AF_INET, SOCK_STREAM, &ports[0]);
    o->fds[LISTENER_TCP6] = listen_ip(AF_INET6, SOCK_STREAM, &ports[1]);
    o->fds[LISTENER_UDP4] = listen_ip(AF_INET, SOCK_DGRAM, &ports[2]);
    o->fds[LISTENER_UDP6] = listen_ip(AF_INET6, SOCK_DGRAM, &ports[3]);
    names_set(names, "TCP4", "%u", ports[0]);
    names_set(names, "TCP6", "%u", ports[1]);
    names_set(names, "UDP4", "%u", ports[2]);
    names_set(names, "UDP6", "%u", ports[3]);
    names_set(names, "ABSTRACT", "@cordon-matrix-%d", (int)getpid());
    names_set(names, "ABSTRACTDGRAM", "@cordon-matrix-dgram-%d", (int)getpid());
    o->fds[LISTENER_ABSTRACT] = listen_unix(names_get(names, "ABSTRACT"), SOCK_STREAM);
    o->fds[LISTENER_ABSTRACT_DATAGRAM] = listen_unix(names_get(names, "ABSTRACTDGRAM"), SOCK_DGRAM);
    static const struct {
        int listener, type;
        const char *place, *name;
    } paths[] = {
        {LISTENER_STREAM_O, SOCK_STREAM, "O", "stream"},
        {LISTENER_STREAM_W, SOCK_STREAM, "W", "stream"},
        {LISTENER_SEQPACKET_O, SOCK_SEQPACKET, "O", "seqpacket"},
        {LISTENER_DATAGRAM_O, SOCK_DGRAM, "O", "datagram"},
        {LISTENER_DATAGRAM_W, SOCK_DGRAM, "W", "datagram"},
    };
    int bad = o->fds[LISTENER_TCP4] < 0 || o->fds[LISTENER_UDP4] < 0 || o->fds[LISTENER_ABSTRACT] < 0 ||
              o->fds[LISTENER_ABSTRACT_DATAGRAM] < 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        snprintf(path, sizeof path, "%s/%s", names_get(names, paths[i].place), paths[i].name);
        o->fds[paths[i].listener] = listen_unix(path, paths[i].type);
        bad |= o->fds[paths[i].listener] < 0;
    }
    snprintf(path, sizeof path, "%s/fifo", names_get(names, "O"));
    o->fds[LISTENER_FIFO_O] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    return bad || o->fds[LISTENER_FIFO_O] < 0 ? -1 : 0;
}

int outside_listen(struct outside *o, struct names *names)
{
    o->counts = mmap(NULL, LISTENER_COUNT * sizeof *o->counts, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (o->counts == MAP_FAILED) {
        o->counts = NULL;
        return -1;
    }
    int ends[2];
    if (bind_all(o, names) != 0 || pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    o->leash = ends[1];
    o->server = fork();
    if (o->server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[1]);
        serve(o, ends[0]);
    }
    close(ends[0]);
    return o->server < 0 ? -1 : 0;
}

/* Answers each byte with itself. A signal that was sent before the byte was
 * would end the victim before it answers: "alive" needs no waiting. */
static void wait_as_victim(int fd)
{
    char byte;
    signal(SIGTERM, SIG_DFL);
    while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1) {
    }
    _exit(0);
}

int outside_add_victim(struct outside *o, struct names *names)
{
    static volatile unsigned word = 1;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return -1;
    }
    o->victim = fork();
    if (o->victim == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        /* Or it would keep the server on its leash. */
        if (o->leash >= 0) {
            close(o->leash);
        }
        wait_as_victim(ends[1]);
    }
    close(ends[1]);
    o->victim_fd = ends[0];
    names_set(names, "VICTIM", "%d", (int)o->victim);
    names_set(names, "WORD", "%p", (void *)&word);
    return o->victim < 0 ? -1 : 0;
}

int outside_add_objects(struct outside *o, struct names *names)
{
    snprintf(o->name, sizeof o->name, "cordon-matrix-%d", (int)getpid());
    char slashed[40];
    snprintf(slashed, sizeof slashed, "/%s", o->name);
    o->has_objects = true;
    o->shm = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    o->sem = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    o->msg = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    long queue = syscall(SYS_mq_open, o->name, O_RDWR | O_CREAT | O_CLOEXEC, 0600, NULL);
    int memory = shm_open(slashed, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    /* In a session keyring of this process, which ends with it. */
    syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, NULL);
    long key = syscall(SYS_add_key, "user", "cordon-matrix", "secret", 6UL, -3L);
    if (queue >= 0) {
        close((int)queue);
    }
    if (memory >= 0) {
        close(memory);
    }
    names_set(names, "SHM", "%d", o->shm);
    names_set(names, "SEM", "%d", o->sem);
    names_set(names, "MSG", "%d", o->msg);
    names_set(names, "KEY", "%ld", key);
    names_set(names, "MQ", "%s", o->name);
    names_set(names, "POSIXSHM", "%s", slashed);
    return o->shm < 0 || o->sem < 0 || o->msg < 0 || queue < 0 || memory < 0 ? -1 : 0;
}

int outside_add_temporary(struct outside *o, struct names *names)
{
    char path[64];
    snprintf(o->name, sizeof o->name, "cordon-matrix-%d", (int)getpid());
    o->has_temporary = true;
    names_set(names, "TEMPORARY", "%s", o->name);
    int bad = 0;
    for (size_t i = 0; i < sizeof temporary_directories / sizeof *temporary_directories; i++) {
        snprintf(path, sizeof path, "%s/%s", temporary_directories[i], o->name);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        bad |= fd < 0;
        if (fd >= 0) {
            close(fd);
        }
    }
    return bad ? -1 : 0;
}

int outside_socket(const char *kind)
{
    static const struct {
        const char *name;
        int family, type;
    } kinds[] = {
        {"datagram", AF_UNIX, SOCK_DGRAM},   {"stream", AF_UNIX, SOCK_STREAM},
        {"listening", AF_UNIX, SOCK_STREAM}, {"udp", AF_INET, SOCK_DGRAM},
        {"tcp", AF_INET, SOCK_STREAM},
    };
    int pair[2];
    if (strcmp(kind, "pair") == 0) {
        return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 ? pair[0] : -1;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, kind) != 0) {
            continue;
        }
        int fd = socket(kinds[i].family, kinds[i].type | SOCK_CLOEXEC, 0);
        /* Bound to nothing, a unix socket gets an abstract name from the kernel. */
        const struct sockaddr none = {.sa_family = AF_UNIX};
        if (fd >= 0 && strcmp(kind, "listening") == 0 &&
            (bind(fd, &none, sizeof none.sa_family) != 0 || listen(fd, 1) != 0)) {
            close(fd);
            return -1;
        }
        return fd;
    }
    errno = EINVAL;
    return -1;
}

bool outside_victim_lives(const struct outside *o)
{
    char byte = 'x';
    return send(o->victim_fd, &byte, 1, MSG_NOSIGNAL) == 1 && read(o->victim_fd, &byte, 1) == 1;
}

void outside_settle(struct outside *o)
{
    if (o->server > 0) {
        close(o->leash);
        o->leash = -1;
        waitpid(o->server, NULL, 0);
        o->server = -1;
    }
}

unsigned outside_reached(const struct outside *o)
{
    unsigned sum = 0;
    for (int i = 0; o->counts != NULL && i < LISTENER_COUNT; i++) {
        sum += o->counts[i];
    }
    return sum;
}

void outside_release(struct outside *o)
{
    outside_settle(o);
    for (int i = 0; i < LISTENER_COUNT; i++) {
        if (o->fds[i] >= 0) {
            close(o->fds[i]);
        }
    }
    if (o->counts != NULL) {
        munmap(o->counts, LISTENER_COUNT * sizeof *o->counts);
    }
    if (o->victim > 0) {
        close(o->victim_fd);
        kill(o->victim, SIGKILL);
        waitpid(o->victim, NULL, 0);
    }
    if (o->has_objects) {
        char slashed[40];
        snprintf(slashed, sizeof slashed, "/%s", o->name);
        shmctl(o->shm, IPC_RMID, NULL);
        semctl(o->sem, 0, IPC_RMID);
        msgctl(o->msg, IPC_RMID, NULL);
        syscall(SYS_mq_unlink, o->name);
        shm_unlink(slashed);
    }
    for (size_t i = 0; o->has_temporary && i < sizeof temporary_directories / sizeof *temporary_directories;
         i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", temporary_directories[i], o->name);
        unlink(path);
    }
    outside_init(o);
}
