/* broker_fixture.h - a confined process whose connects go to a broker in the test.
 *
 * The process is in user, PID and network namespaces of its own and under the
 * generated filter; nothing else of the sandbox. Test and process share a
 * scratch directory as their working directory. What the process checks ends it
 * with the line's number, which the test then prints.
 */
#ifndef CORDON_TEST_BROKER_FIXTURE_H
#define CORDON_TEST_BROKER_FIXTURE_H

#include "scratch.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "os/linux/broker.h"
#include "os/linux/channel.h"
#include "plan/seccomp.h"
#include "skip.h"

/* In the process: its exit status is the line, in two parts. */
#define INSIDE(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            inside_failed(__LINE__, #condition, errno);                                                      \
    } while (0)

static inline _Noreturn void inside_failed(int line, const char *condition, int code)
{
    fprintf(stderr, "inside, line %d: does not hold: %s (errno: %s)\n", line, condition, strerror(code));
    _exit(1);
}

/* What the test and the process have in common. */
struct fixture {
    char *root;     /* the scratch directory */
    char *before;   /* the working directory before */
    int to_test[2]; /* a pipe: the process says something */
    int to_process[2];
    struct broker *broker;
    struct poller poller;
    struct notify notify;
    struct resolved resolved;
    struct supervision what;
    struct socket_grant grants[4];
    pid_t process;
    bool over;
    char refused[8][512]; /* "operation target rule grant" */
    size_t refused_count;
    void (*said)(struct fixture *f, char what); /* the process wrote a byte */
    void *data;
};

typedef void fixture_body(struct fixture *f);

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f || !(f->root = scratch_make()) || !(f->before = getcwd(NULL, 0)) || chdir(f->root) != 0)
        return -1;
    resolved_init(&f->resolved);
    f->resolved.workspace = string_copy(f->root);
    f->what = (struct supervision){.resolved = &f->resolved, .sockets = f->grants, .broker = true};
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    int failed = chdir(f->before);
    resolved_release(&f->resolved);
    free(f->before);
    bool removed = scratch_remove(f->root);
    free(f);
    return failed || !removed ? -1 : 0;
}

static inline bool fixture_put(pid_t pid, const char *file, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return done;
}

static inline void fixture_confine(struct fixture *f, int channel)
{
    struct seccomp_options options = {.notify = true};
    struct utsname name;
    struct bpf_program filter;
    struct cordon_error err;
    struct channel_message message = {.kind = CHANNEL_LISTENER};
    INSIDE(uname(&name) == 0);
    options.arch = strcmp(name.machine, "aarch64") == 0 ? SECCOMP_ARCH_AARCH64 : SECCOMP_ARCH_X86_64;
    INSIDE(seccomp_generate(&options, &filter, &err) == CORDON_OK);
    struct sock_fprog program = {(unsigned short)filter.count, (struct sock_filter *)(void *)filter.insns};
    INSIDE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    int listener =
        (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    INSIDE(listener >= 0 && channel_send(channel, &message, listener, 0));
    close(listener);
    close(channel);
    bpf_program_release(&filter);
    if (!f->what.network_on) {
        struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        memcpy(request.ifr_name, "lo", 3);
        INSIDE(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0);
        close(fd);
    }
}

static inline void fixture_on_request(void *self, short revents)
{
    struct fixture *f = self;
    struct notify_request request;
    if (!(revents & POLLIN)) {
        poller_remove(&f->poller, f->notify.fd);
        return;
    }
    if (!notify_receive(&f->notify, &request))
        return;
    assert_true(broker_takes(request.number));
    broker_handle(f->broker, &request);
}

static inline void fixture_on_byte(void *self, short revents)
{
    struct fixture *f = self;
    char byte;
    (void)revents;
    if (read(f->to_test[0], &byte, 1) == 1 && f->said)
        f->said(f, byte);
}

static inline void fixture_on_end(void *self, short revents)
{
    struct fixture *f = self;
    (void)revents;
    f->over = true;
}

static inline void fixture_refused(void *self, const struct refusal *r)
{
    struct fixture *f = self;
    size_t at = f->refused_count++;
    if (at < sizeof f->refused / sizeof f->refused[0])
        snprintf(f->refused[at], sizeof f->refused[at], "%s %s %s|%s", r->operation, r->target, r->rule,
                 r->suggested_grant);
}

/* In the process. */
static inline void tell_test(const struct fixture *f, char byte)
{
    INSIDE(write(f->to_test[1], &byte, 1) == 1);
}

static inline void await_test(const struct fixture *f)
{
    char byte;
    INSIDE(read(f->to_process[0], &byte, 1) == 1);
}

/* In the test. */
static inline void tell_process(const struct fixture *f)
{
    assert_int_equal(write(f->to_process[1], "x", 1), 1);
}

/* Runs `body` confined, and the broker until it is over; its wait status. */
static inline int fixture_run_status(struct fixture *f, fixture_body *body)
{
    int channel[2], status;
    struct channel_message message;
    struct cordon_error err;
    pid_t sender;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
    assert_int_equal(pipe(f->to_test), 0);
    assert_int_equal(pipe(f->to_process), 0);
    fflush(NULL);
    unsigned long flags = CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD;
    if (!f->what.network_on)
        flags |= CLONE_NEWNET;
    f->process = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, 0);
    if (f->process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(120); /* nothing here takes long: a hang shall not be for ever */
        await_test(f);
        close(channel[0]);
        fixture_confine(f, channel[1]);
        body(f);
        _exit(0);
    }
    if (f->process < 0)
        skip_all("no user namespaces here");
    close(channel[1]);
    char map[64];
    snprintf(map, sizeof map, "%u %u 1\n", (unsigned)geteuid(), (unsigned)geteuid());
    assert_true(fixture_put(f->process, "setgroups", "deny") && fixture_put(f->process, "uid_map", map));
    snprintf(map, sizeof map, "%u %u 1\n", (unsigned)getegid(), (unsigned)getegid());
    assert_true(fixture_put(f->process, "gid_map", map));
    tell_process(f);
    assert_int_equal(channel_receive(channel[0], true, &message, &f->notify.fd, &sender), 1);
    close(channel[0]);

    struct broker_setup setup = {&f->poller, &f->notify, &f->what, fixture_refused, f};
    int end = (int)syscall(SYS_pidfd_open, f->process, 0);
    poller_init(&f->poller);
    assert_int_equal(broker_new(&f->broker, &setup, &err), CORDON_OK);
    assert_true(poller_add(&f->poller, end, POLLIN, fixture_on_end, f));
    assert_true(poller_add(&f->poller, f->to_test[0], POLLIN, fixture_on_byte, f));
    assert_true(poller_add(&f->poller, f->notify.fd, POLLIN, fixture_on_request, f));
    f->over = false;
    while (!f->over && poller_wait(&f->poller))
        continue;
    assert_int_equal(waitpid(f->process, &status, 0), f->process);
    broker_free(f->broker);
    f->broker = NULL;
    int fds[] = {end, f->notify.fd, f->to_test[0], f->to_test[1], f->to_process[0], f->to_process[1]};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    return status;
}

static inline void fixture_run(struct fixture *f, fixture_body *body)
{
    int status = fixture_run_status(f, body);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the process ended with wait status %#x", (unsigned)status);
}

/* -- sockets, on either side ------------------------------------------------ */

static inline socklen_t unix_name(struct sockaddr_un *out, const char *text)
{
    size_t len = strlen(text);
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    memcpy(out->sun_path, text, len);
    if (text[0] == '@')
        out->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (text[0] != '@'));
}

/* -1: errno. */
static inline int unix_listen(const char *path, int type, int backlog)
{
    struct sockaddr_un name;
    socklen_t len = unix_name(&name, path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (bind(fd, (struct sockaddr *)&name, len) != 0 || listen(fd, backlog) != 0)) {
        int code = errno;
        close(fd);
        errno = code;
        return -1;
    }
    return fd;
}

static inline int unix_connect_with(int fd, const char *path)
{
    struct sockaddr_un name;
    socklen_t len = unix_name(&name, path);
    return connect(fd, (struct sockaddr *)&name, len);
}

/* 0 or the errno; the connection is closed again. */
static inline int unix_try(const char *path, int type)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int code = unix_connect_with(fd, path) == 0 ? 0 : errno;
    close(fd);
    return code;
}

/* Somebody connected to `fd`. */
static inline bool was_reached(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, 0) == 1;
}

#endif
