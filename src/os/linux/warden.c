/* warden.c - the library's caller starts, hears and ends cordon-warden (warden.h).
 * Runs as the user, outside, in a process that is not ours: it may have any
 * number of threads, descriptors that are not close-on-exec, and ideas of its own
 * about SIGCHLD.
 */
#include "os/linux/warden.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "os/linux/sys.h"

#define STACK_BYTES ((size_t)32 << 10) /* of each of the two processes that share the caller's memory */
#define FIRST_FREE (WARDEN_CALLER + 1)

void warden_init(struct warden *w)
{
    *w = (struct warden){.link = {-1, -1}, .init = -1, .terminal = -1, .handle = -1};
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* -- starting --------------------------------------------------------------- */

/* What the processes between clone and exec are told, and tell. */
struct start {
    int program, channel, caller;
    int fds[3];
    const char *const *argv;
    char *stack; /* of the second one: its upper end */
    int process; /* pidfd of the second one */
    int failure; /* errno of what failed; 0 */
};

/* In the second process, before exec, in the caller's memory: ASYNC-SIGNAL-SAFE
 * CALLS ONLY, and every signal is blocked. Its descriptor table is a copy. */
static int exec_warden(void *argument)
{
    struct start *start = argument;
    static char *const empty[] = {NULL}; /* no variable of the caller's steers what is outside the sandbox */
    int program = fcntl(start->program, F_DUPFD, FIRST_FREE);
    int from[5], at = 0;
    bool ok = program >= 0;
    for (; ok && at < 5; at++) {
        int fd = at < 3 ? start->fds[at] : at == 3 ? start->channel : start->caller;
        from[at] = fcntl(fd, F_DUPFD, FIRST_FREE);
        ok = from[at] >= 0;
    }
    for (int i = 0; ok && i < 5; i++)
        ok = dup2(from[i], i) == i;
    if (ok && sys_close_range(FIRST_FREE, ~0u, SYS_CLOSE_RANGE_CLOEXEC) == 0)
        syscall(SYS_execveat, program, "", start->argv, empty, AT_EMPTY_PATH);
    start->failure = errno;
    return 127;
}

/* In the first process. It is there so that the warden is no child of the
 * caller's: no SIGCHLD comes of it, and no wait(-1) finds it. Shares the caller's
 * descriptors, so that the pidfd is the caller's. */
static int start_warden(void *argument)
{
    struct start *start = argument;
    pid_t pid = clone(exec_warden, start->stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, start,
                      &start->process);
    if (pid < 0) {
        start->process = -1;
        start->failure = errno;
    }
    return 0;
}

/* Both clones share the caller's memory until the exec: nothing of it is copied,
 * however large it is. No handler of the caller's may run meanwhile, so every
 * signal is blocked; the calling thread waits, the others go on. */
static cordon_status start_apart(struct start *start, struct cordon_error *err)
{
    sigset_t all, before;
    int code = 0;
    char *stacks = mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stacks == MAP_FAILED)
        return error_nomem(err, "warden.start");
    start->stack = stacks + STACK_BYTES;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    /* No exit signal: also no wait(-1) of another thread takes it. */
    pid_t first =
        clone(start_warden, stacks + 2 * STACK_BYTES, CLONE_VM | CLONE_VFORK | CLONE_FILES, start, NULL);
    if (first < 0)
        code = errno;
    else
        while (waitpid(first, NULL, __WCLONE) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stacks, 2 * STACK_BYTES);
    if (code || start->failure) {
        code = code ? code : start->failure;
        return error_set(err, CORDON_E_SYSTEM, code, "warden.start", "cannot start cordon-warden: %s",
                         strerror(code));
    }
    return CORDON_OK;
}

static cordon_status make_handle(struct warden *w)
{
    struct epoll_event event = {.events = EPOLLIN};
    w->handle = epoll_create1(EPOLL_CLOEXEC);
    return w->handle >= 0 && epoll_ctl(w->handle, EPOLL_CTL_ADD, w->link.channel, &event) == 0 &&
                   epoll_ctl(w->handle, EPOLL_CTL_ADD, w->link.other, &event) == 0
               ? CORDON_OK
               : CORDON_E_SYSTEM;
}

cordon_status warden_start(struct warden *w, const struct warden_program *program,
                           const struct warden_begin *begin, const char *const *argv, const int fds[3],
                           struct cordon_error *err)
{
    int pair[2] = {-1, -1};
    struct start start = {.program = program->fd, .argv = argv, .process = -1};
    memcpy(start.fds, fds, sizeof start.fds);
    start.caller = (int)syscall(SYS_pidfd_open, getpid(), 0);
    cordon_status status = CORDON_OK;
    if (start.caller < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 ||
        send(pair[0], begin, sizeof *begin, MSG_NOSIGNAL) != (ssize_t)sizeof *begin)
        status = error_set(err, CORDON_E_SYSTEM, errno, "warden.start", "cannot make a channel: %s",
                           strerror(errno));
    start.channel = pair[1];
    if (status == CORDON_OK)
        status = start_apart(&start, err);
    w->link = (struct warden_link){pair[0], start.process};
    if (status == CORDON_OK && make_handle(w) != CORDON_OK)
        status = error_set(err, CORDON_E_SYSTEM, errno, "warden.start", "cannot watch cordon-warden: %s",
                           strerror(errno));
    close_one(&pair[1]);
    close_one(&start.caller);
    if (status != CORDON_OK)
        warden_release(w);
    return status;
}

/* -- ending ----------------------------------------------------------------- */

#define PATIENCE_MS 5000 /* for a warden to end by itself; one that was stopped never does */

static bool wait_for_end(int pidfd, int milliseconds)
{
    struct pollfd fd = {pidfd, POLLIN, 0};
    int ready;
    do
        ready = poll(&fd, 1, milliseconds);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

static void send_signal(int pidfd, int number)
{
    if (pidfd >= 0)
        syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

/* A warden that became the caller's child after all, because the caller adopts
 * orphans (the first process of a container, a subreaper), is waited for. */
static void reap(int process)
{
    siginfo_t info;
    while (waitid(P_PIDFD, (id_t)process, &info, WEXITED) < 0 && errno == EINTR)
        continue;
}

/* The tree first and at once; then the warden, which without a channel and a tree
 * has nothing left to do and cleans up behind itself. */
static void end_both(struct warden *w)
{
    if (!w->plain) /* without a namespace init is needed to end the tree */
        send_signal(w->init, SIGKILL);
    if (w->link.channel >= 0)
        shutdown(w->link.channel, SHUT_RDWR); /* and not only closed: a forked child may hold a copy */
    if (w->link.other >= 0 && !wait_for_end(w->link.other, PATIENCE_MS)) {
        send_signal(w->link.other, SIGKILL);
        wait_for_end(w->link.other, -1);
    }
    if (w->init >= 0)
        wait_for_end(w->init, -1);
    if (w->link.other >= 0)
        reap(w->link.other);
}

void warden_release(struct warden *w)
{
    end_both(w);
    close_one(&w->handle);
    close_one(&w->link.channel);
    close_one(&w->link.other);
    close_one(&w->init);
    close_one(&w->terminal);
}

/* -- hearing ---------------------------------------------------------------- */

static cordon_status lost(struct cordon_error *err)
{
    return error_set(err, CORDON_E_SYSTEM, 0, "warden.lost",
                     "cordon-warden was ended from outside, and everything in the sandbox with it");
}

/* The next message, which must be of this kind or say what failed. */
static cordon_status expect(struct warden *w, enum warden_kind kind, struct warden_message *message,
                            int fds[2], struct cordon_error *err)
{
    if (!warden_receive(&w->link, message, fds))
        return lost(err);
    if (message->kind == kind)
        return CORDON_OK;
    close_one(&fds[0]);
    close_one(&fds[1]);
    if (message->kind != WARDEN_FAILED || message->error.status == CORDON_OK)
        return lost(err);
    *err = message->error;
    return err->status;
}

cordon_status warden_await_begun(struct warden *w, struct cordon_error *err)
{
    struct warden_message message;
    int fds[2];
    if (w->begun)
        return CORDON_OK;
    cordon_status status = expect(w, WARDEN_BEGUN, &message, fds, err);
    if (status != CORDON_OK && strcmp(err->step, "warden.lost") == 0)
        return error_set(err, status, 0, "warden.start",
                         "cordon-warden ended as soon as it started: it is not the program that this library "
                         "belongs to, or was killed");
    if (status != CORDON_OK)
        return status;
    w->init = fds[0];
    w->plain = message.value != 0;
    w->begun = true;
    return CORDON_OK;
}

cordon_status warden_go(struct warden *w, const struct buf *order, struct cordon_error *err)
{
    struct warden_message message;
    const struct warden_message go = {.kind = WARDEN_GO};
    int fds[2];
    /* Sent at once: when the warden has come so far, it need not wait for us to wake.
     * It says that it has begun before it reads this, so that no command runs whose
     * init is not known here. If it cannot be sent, the error that comes says why. */
    (void)warden_send(&w->link, &go, NULL, order);
    cordon_status status = warden_await_begun(w, err);
    if (status == CORDON_OK)
        status = expect(w, WARDEN_STARTED, &message, fds, err);
    if (status != CORDON_OK)
        return status;
    w->terminal = fds[0];
    w->command = message.value;
    return CORDON_OK;
}

cordon_status warden_wait(struct warden *w, void **result, size_t *size, struct cordon_error *err)
{
    struct warden_message message;
    int fds[2];
    cordon_status status = expect(w, WARDEN_ENDED, &message, fds, err);
    if (status == CORDON_OK) {
        *size = (size_t)message.bytes;
        *result = warden_receive_more(&w->link, message.bytes);
        status = *result ? CORDON_OK : lost(err);
    }
    if (status != CORDON_OK)
        end_both(w); /* of a killed warden, init dies a moment later */
    return status;
}

void warden_wait_gone(const struct warden *w)
{
    if (w->init >= 0)
        wait_for_end(w->init, -1);
}

bool warden_signal(const struct warden *w, int number)
{
    struct warden_message message = {.kind = WARDEN_SIGNAL, .value = number};
    return warden_send(&w->link, &message, NULL, NULL);
}

void warden_kill_tree(const struct warden *w)
{
    const struct warden_message message = {.kind = WARDEN_KILL};
    if (w->plain)
        (void)warden_send(&w->link, &message, NULL, NULL);
    else
        send_signal(w->init, SIGKILL);
}
