/* test_broker_connect.c - connect(2) through the broker behaves as the kernel's
 * own: waiting, times, signals, arguments, other families, ends of all kinds. */
#include "broker_fixture.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/time.h>

/* -- internet ---------------------------------------------------------------- */

static int tcp_listen(struct sockaddr_in *where, int backlog)
{
    socklen_t size = sizeof *where;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *where = (struct sockaddr_in){.sin_family = AF_INET};
    where->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    INSIDE(fd >= 0 && bind(fd, (struct sockaddr *)where, size) == 0 && listen(fd, backlog) == 0);
    INSIDE(getsockname(fd, (struct sockaddr *)where, &size) == 0);
    return fd;
}

static int tcp_connect(int fd, const struct sockaddr_in *to)
{
    return connect(fd, (const struct sockaddr *)to, sizeof *to) == 0 ? 0 : errno;
}

static void body_tcp(struct fixture *f)
{
    struct sockaddr_in where, nowhere;
    struct sockaddr off = {.sa_family = AF_UNSPEC};
    (void)f;
    int server = tcp_listen(&where, 8), fd = socket(AF_INET, SOCK_STREAM, 0);
    INSIDE(tcp_connect(fd, &where) == 0);
    INSIDE(!(fcntl(fd, F_GETFL) & O_NONBLOCK));
    INSIDE(tcp_connect(fd, &where) == EISCONN);
    INSIDE(connect(fd, &off, sizeof off) == 0); /* a disconnect */
    INSIDE(tcp_connect(fd, &where) == 0);
    INSIDE(accept(server, NULL, NULL) >= 0 && write(fd, "x", 1) == 1);

    int closed = tcp_listen(&nowhere, 1);
    close(closed);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    INSIDE(tcp_connect(fd, &nowhere) == ECONNREFUSED);
    INSIDE(tcp_connect(fd, &where) == 0); /* and the socket is as good as new */

    /* Non-blocking, with epoll, as every event loop does it. */
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int epoll = epoll_create1(0), code = tcp_connect(fd, &where), problem = -1;
    struct epoll_event event = {.events = EPOLLOUT};
    socklen_t size = sizeof problem;
    INSIDE(code == 0 || code == EINPROGRESS);
    INSIDE(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 && epoll_wait(epoll, &event, 1, -1) == 1);
    INSIDE(getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && problem == 0);
    INSIDE(fcntl(fd, F_GETFL) & O_NONBLOCK);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    code = tcp_connect(fd, &nowhere);
    INSIDE(code == ECONNREFUSED || code == EINPROGRESS);

    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = where.sin_port};
    INSIDE(inet_pton(AF_INET6, "::ffff:127.0.0.1", &v6.sin6_addr) == 1);
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    INSIDE(connect(fd, (struct sockaddr *)&v6, sizeof v6) == 0);

    fd = socket(AF_INET, SOCK_DGRAM, 0);
    INSIDE(tcp_connect(fd, &where) == 0);
    where.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1: no way there */
    fd = socket(AF_INET, SOCK_STREAM, 0);
    INSIDE(tcp_connect(fd, &where) == ENETUNREACH);
}

static void test_tcp(void **state)
{
    struct fixture *f = *state;
    fixture_run(f, body_tcp);
    assert_int_equal(f->refused_count, 0);
}

/* A listener whose backlog is full takes no connection: the caller waits in the
 * kernel's handshake. Fills it. */
static int full_listener(struct sockaddr_in *where)
{
    int server = tcp_listen(where, 0);
    for (int i = 0; i < 3; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        tcp_connect(fd, where);
    }
    return server;
}

static void *accept_all(void *argument)
{
    int server = *(int *)argument;
    struct pollfd p = {server, POLLIN, 0};
    while (poll(&p, 1, 3000) == 1)
        close(accept(server, NULL, NULL));
    return NULL;
}

static void body_tcp_waits(struct fixture *f)
{
    struct sockaddr_in where;
    struct timeval limit = {0, 200000};
    pthread_t thread;
    (void)f;
    int server = full_listener(&where);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    INSIDE(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    INSIDE(tcp_connect(fd, &where) == EINPROGRESS); /* the time is over */
    INSIDE(pthread_create(&thread, NULL, accept_all, &server) == 0);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    INSIDE(tcp_connect(fd, &where) == 0); /* after the handshake is sent again */
    INSIDE(!(fcntl(fd, F_GETFL) & O_NONBLOCK));
    INSIDE(pthread_join(thread, NULL) == 0);
}

static void test_tcp_waits(void **state)
{
    fixture_run(*state, body_tcp_waits);
}

/* -- a full backlog of a unix socket ------------------------------------------ */

static void *accept_later(void *argument)
{
    int server = *(int *)argument;
    struct timespec pause = {0, 60000000};
    for (int i = 0; i < 4; i++) {
        nanosleep(&pause, NULL);
        accept(server, NULL, NULL);
    }
    return NULL;
}

/* The flag is the socket's, so the command can take it away at any moment. */
static void *clear_nonblock(void *argument)
{
    for (;;)
        fcntl(*(int *)argument, F_SETFL, 0);
    return NULL;
}

static void *connect_again(void *argument)
{
    for (;;)
        unix_connect_with(*(int *)argument, "s");
    return NULL;
}

static _Noreturn void give_up(int number)
{
    (void)number;
    _exit(1); /* and the listener goes, so that the broker comes back */
}

static void body_held_up(struct fixture *f)
{
    const struct timespec pause = {0, 1000000};
    pthread_t threads[2];
    (void)f;
    INSIDE(unix_listen("s", SOCK_STREAM, 0) >= 0 && unix_try("s", SOCK_STREAM) == 0);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    INSIDE(pthread_create(&threads[0], NULL, clear_nonblock, &fd) == 0);
    INSIDE(pthread_create(&threads[1], NULL, connect_again, &fd) == 0);
    signal(SIGALRM, give_up);
    alarm(60); /* a broker that is held up answers nobody */
    for (int i = 0; i < 500; i++) {
        int other = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        INSIDE(unix_connect_with(other, "s") == -1 && errno == EAGAIN);
        close(other);
        nanosleep(&pause, NULL);
    }
}

static void test_held_up(void **state)
{
    fixture_run(*state, body_held_up);
}

static void body_backlog(struct fixture *f)
{
    struct timeval limit = {0, 100000};
    pthread_t thread;
    (void)f;
    int server = unix_listen("s", SOCK_STREAM, 0);
    INSIDE(server >= 0 && unix_try("s", SOCK_STREAM) == 0); /* one has room */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    INSIDE(unix_connect_with(fd, "s") == -1 && errno == EAGAIN);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    INSIDE(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
    INSIDE(unix_connect_with(fd, "s") == -1 && errno == EAGAIN);
    INSIDE(pthread_create(&thread, NULL, accept_later, &server) == 0);
    for (int i = 0; i < 4; i++) {
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        INSIDE(unix_connect_with(fd, "s") == 0);
    }
    INSIDE(pthread_join(thread, NULL) == 0);
}

static void test_backlog(void **state)
{
    fixture_run(*state, body_backlog);
}

/* -- signals ------------------------------------------------------------------- */

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    (void)number;
    caught++;
}

static void *free_soon(void *argument)
{
    struct timespec pause = {0, 300000000};
    nanosleep(&pause, NULL);
    accept(*(int *)argument, NULL, NULL);
    return NULL;
}

static void body_signals(struct fixture *f)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct itimerval soon = {.it_value = {0, 50000}};
    struct sockaddr_in where;
    pthread_t thread;
    sigset_t alarm_only;
    (void)f;
    alarm(0);
    int server = unix_listen("s", SOCK_STREAM, 0);
    INSIDE(server >= 0 && unix_try("s", SOCK_STREAM) == 0);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    INSIDE(unix_connect_with(fd, "s") == -1 && errno == EINTR && caught == 1);

    tcp_listen(&where, 1);
    full_listener(&where);
    setitimer(ITIMER_REAL, &soon, NULL);
    int internet = socket(AF_INET, SOCK_STREAM, 0);
    INSIDE(tcp_connect(internet, &where) == EINTR && caught == 2);

    /* With SA_RESTART the call goes on. The thread must not catch it instead. */
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm_only, NULL);
    INSIDE(pthread_create(&thread, NULL, free_soon, &server) == 0);
    pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    INSIDE(unix_connect_with(fd, "s") == 0 && caught == 3);
    INSIDE(pthread_join(thread, NULL) == 0);
    alarm(120);
}

static void test_signals(void **state)
{
    fixture_run(*state, body_signals);
}

/* -- arguments ------------------------------------------------------------------ */

static void body_arguments(struct fixture *f)
{
    struct sockaddr_storage any;
    struct sockaddr_un name;
    int pair[2], file = open("file", O_CREAT | O_RDWR, 0600);
    socklen_t len = unix_name(&name, "s");
    (void)f;
    INSIDE(unix_listen("s", SOCK_STREAM, 8) >= 0);
    memset(&any, 0, sizeof any);
    memcpy(&any, &name, len);
    INSIDE(connect(-1, (struct sockaddr *)&name, len) == -1 && errno == EBADF);
    INSIDE(connect(999, (struct sockaddr *)&name, len) == -1 && errno == EBADF);
    INSIDE(connect(file, (struct sockaddr *)&name, len) == -1 && errno == ENOTSOCK);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    static const socklen_t wrong[] = {0, 1, 2, 111, 128, 129, (socklen_t)-1, INT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        INSIDE(connect(fd, (struct sockaddr *)&any, wrong[i]) == -1 && errno == EINVAL);
    INSIDE(syscall(SYS_connect, fd, 8L, (long)len) == -1 && errno == EFAULT);
    INSIDE(syscall(SYS_connect, fd, NULL, (long)len) == -1 && errno == EFAULT);
    any.ss_family = AF_INET;
    INSIDE(connect(fd, (struct sockaddr *)&any, sizeof(struct sockaddr_in)) == -1 && errno == EINVAL);
    any.ss_family = AF_UNSPEC;
    INSIDE(connect(fd, (struct sockaddr *)&any, sizeof(struct sockaddr_in)) == -1 && errno == EINVAL);
    INSIDE(connect(fd, (struct sockaddr *)&name, len) == 0);
    INSIDE(connect(fd, (struct sockaddr *)&name, len) == -1 && errno == EISCONN);
    INSIDE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    INSIDE(connect(pair[0], (struct sockaddr *)&name, len) == -1 && errno == EISCONN);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    INSIDE(syscall(SYS_connect, (long)fd | 0x7700000000L, &name, (long)len | 0x100000000L) == 0);

    /* Without the filter the kernel would ask for a capability that only the broker has. */
    struct sockaddr_nl groups = {.nl_family = AF_NETLINK, .nl_groups = 1};
    fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    INSIDE(connect(fd, (struct sockaddr *)&groups, sizeof groups) == -1 && errno == EPERM);
    groups.nl_groups = 0;
    INSIDE(connect(fd, (struct sockaddr *)&groups, sizeof groups) == 0);
    INSIDE(listen(fd, 1) == -1 && errno == EOPNOTSUPP);
    INSIDE(listen(-1, 1) == -1 && errno == EBADF);
}

static void test_arguments(void **state)
{
    struct fixture *f = *state;
    fixture_run(f, body_arguments);
    assert_int_equal(f->refused_count, 0);
}

/* -- threads, forks, descriptors -------------------------------------------------- */

/* Also when the other end has gone since. */
static bool is_connected(int fd)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    return getpeername(fd, (struct sockaddr *)&peer, &size) == 0;
}

static void *connect_often(void *argument)
{
    (void)argument;
    for (int i = 0; i < 20; i++)
        INSIDE(unix_try("s", SOCK_STREAM) == 0);
    return NULL;
}

/* A table of its own: the descriptor is the thread's, and no number of the process's. */
static void *connect_alone(void *argument)
{
    (void)argument;
    INSIDE(syscall(SYS_unshare, CLONE_FILES) == 0);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    INSIDE(fd >= 0 && dup2(fd, 200) == 200 && unix_connect_with(200, "s") == 0);
    INSIDE(is_connected(fd));
    return NULL;
}

static void body_sharing(struct fixture *f)
{
    enum { THREADS = 16 };
    pthread_t threads[THREADS], acceptor;
    struct stat st;
    int status;
    (void)f;
    int server = unix_listen("s", SOCK_STREAM, 4);
    INSIDE(server >= 0 && pthread_create(&acceptor, NULL, accept_all, &server) == 0);
    for (int i = 0; i < THREADS; i++)
        INSIDE(pthread_create(&threads[i], NULL, connect_often, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        INSIDE(pthread_join(threads[i], NULL) == 0);

    int fd = socket(AF_UNIX, SOCK_STREAM, 0), copy = dup(fd);
    INSIDE(unix_connect_with(copy, "s") == 0 && is_connected(fd));

    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    pid_t child = fork();
    if (child == 0) {
        INSIDE(unix_connect_with(fd, "s") == 0);
        _exit(0);
    }
    INSIDE(waitpid(child, &status, 0) == child && status == 0 && is_connected(fd));

    INSIDE(pthread_create(&threads[0], NULL, connect_alone, NULL) == 0);
    INSIDE(pthread_join(threads[0], NULL) == 0);
    INSIDE(fstat(200, &st) == -1); /* it was not in this table */
    INSIDE(pthread_join(acceptor, NULL) == 0);
}

static void test_sharing(void **state)
{
    int thread = (int)syscall(SYS_pidfd_open, getpid(), O_EXCL);
    if (thread < 0) {
        printf("SKIP: pidfds of threads need Linux 6.9\n");
        skip();
    }
    close(thread);
    fixture_run(*state, body_sharing);
}

/* The descriptor is closed, or is another socket, while the call waits. */
static void *close_meanwhile(void *argument)
{
    struct timespec pause = {0, 50000000};
    int *fds = argument;
    nanosleep(&pause, NULL);
    close(fds[1]);
    nanosleep(&pause, NULL);
    accept(fds[0], NULL, NULL);
    return NULL;
}

static void body_close(struct fixture *f)
{
    pthread_t thread;
    (void)f;
    int fds[2] = {unix_listen("s", SOCK_STREAM, 0), socket(AF_UNIX, SOCK_STREAM, 0)};
    int copy = dup(fds[1]);
    INSIDE(fds[0] >= 0 && unix_try("s", SOCK_STREAM) == 0);
    INSIDE(pthread_create(&thread, NULL, close_meanwhile, fds) == 0);
    INSIDE(unix_connect_with(fds[1], "s") == 0);
    INSIDE(pthread_join(thread, NULL) == 0);
    INSIDE(write(copy, "x", 1) == 1);
}

static void test_close(void **state)
{
    fixture_run(*state, body_close);
}

/* -- ends ---------------------------------------------------------------------- */

static void body_waits_for_ever(struct fixture *f)
{
    INSIDE(unix_listen("s", SOCK_STREAM, 0) >= 0 && unix_try("s", SOCK_STREAM) == 0);
    tell_test(f, 'w');
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    INSIDE(unix_connect_with(fd, "s") == -1 && errno == ENOSYS);
}

/* Dead: the listener is closed. The kernel answers for it. */
static void die(struct fixture *f, char what)
{
    (void)what;
    poller_remove(&f->poller, f->notify.fd);
    close(f->notify.fd);
    f->notify.fd = -1;
}

static void test_dead_broker(void **state)
{
    struct fixture *f = *state;
    f->said = die;
    fixture_run(f, body_waits_for_ever);
}

static void body_killed(struct fixture *f)
{
    struct sockaddr_in where;
    alarm(0);
    full_listener(&where);
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            int fd = socket(AF_INET, SOCK_STREAM, 0);
            if (i == 0)
                tell_test(f, 'k');
            tcp_connect(fd, &where);
            _exit(0);
        }
    pause();
}

/* Stopped: nobody answers. The caller can be killed all the same, and so can the whole tree. */
static void stop_listening(struct fixture *f, char what)
{
    (void)what;
    poller_remove(&f->poller, f->notify.fd);
    assert_int_equal(kill(f->process, SIGKILL), 0);
}

static void kill_all(struct fixture *f, char what)
{
    (void)what;
    assert_int_equal(kill(f->process, SIGKILL), 0);
}

static void test_killed(void **state)
{
    struct fixture *f = *state;
    int status;
    f->said = stop_listening;
    status = fixture_run_status(f, body_killed);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    f->said = kill_all;
    status = fixture_run_status(f, body_killed);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* An unanswered caller is interrupted by a signal: a stopped broker holds nobody. */
static void body_interrupted(struct fixture *f)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct itimerval soon = {.it_value = {0, 50000}, .it_interval = {0, 50000}};
    caught = 0;
    tell_test(f, 's');
    await_test(f);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    INSIDE(unix_try("s", SOCK_STREAM) == EINTR && caught > 0);
}

static void stop_only(struct fixture *f, char what)
{
    (void)what;
    poller_remove(&f->poller, f->notify.fd);
    tell_process(f);
}

static void test_stopped_broker(void **state)
{
    struct fixture *f = *state;
    f->said = stop_only;
    fixture_run(f, body_interrupted);
}

/* More callers than there are places: the others are told, and the places come back. */
static void *wait_in_line(void *argument)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int code = unix_connect_with(fd, "s") == 0 ? 0 : errno;
    INSIDE(code == 0 || code == EAGAIN || code == ENOSYS);
    if (code == EAGAIN)
        __atomic_add_fetch((int *)argument, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void body_crowd(struct fixture *f)
{
    enum { CROWD = 300 };
    static pthread_t threads[CROWD];
    pthread_attr_t small;
    int turned_away = 0;
    (void)f;
    int server = unix_listen("s", SOCK_STREAM, 0);
    INSIDE(server >= 0 && unix_try("s", SOCK_STREAM) == 0);
    pid_t child = fork();
    if (child == 0) {
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, 65536);
        for (int i = 0; i < CROWD; i++)
            INSIDE(pthread_create(&threads[i], &small, wait_in_line, &turned_away) == 0);
        while (__atomic_load_n(&turned_away, __ATOMIC_SEQ_CST) < CROWD - 256)
            nanosleep(&(struct timespec){0, 1000000}, NULL);
        _exit(0); /* the others still wait */
    }
    int status;
    INSIDE(waitpid(child, &status, 0) == child && status == 0);
    close(accept(server, NULL, NULL)); /* room for one: who still waited is gone, and took nothing */
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    INSIDE(unix_connect_with(fd, "s") == 0);
}

static void test_crowd(void **state)
{
    fixture_run(*state, body_crowd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_tcp),       TEST(test_tcp_waits),      TEST(test_backlog), TEST(test_signals),
        TEST(test_arguments), TEST(test_sharing),        TEST(test_close),   TEST(test_dead_broker),
        TEST(test_killed),    TEST(test_stopped_broker), TEST(test_crowd),   TEST(test_held_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
