/* init_plain.c - see init_plain.h: starts the command under Landlock and seccomp
 * alone, watches it, and ends whatever it left behind.
 *
 * Privilege: the user's, and the user's own PID space. So nothing here may be
 * sent to "all processes", and there is no kernel object whose end is the end of
 * the tree: this process adopts every orphan of it (a subreaper) and kills its
 * children until there are none. It lives outside the command's Landlock domain,
 * so the command can neither trace it nor, from Landlock ABI 6 on, signal it.
 */
#include "os/linux/init_plain.h"

#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "os/linux/channel.h"
#include "os/linux/confine.h"
#include "os/linux/signal_safe.h"
#include "os/linux/sys.h"

#define IDLE_ROUNDS 40 /* of 50 ms without anything dying: something cannot die */

static void send_message(int channel, const struct channel_message *message)
{
    (void)!channel_send(channel, message, -1, 0);
}

/* -- the tree ---------------------------------------------------------------- */

/* Every process that has this one as its parent, by the kernel's own list. */
static void kill_children(pid_t command)
{
    char text[4096];
    size_t used = 0;
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (fd < 0) { /* a kernel without the list: at least what is known */
        kill(-command, SIGKILL);
        kill(command, SIGKILL);
        return;
    }
    pid_t pid = 0;
    for (;;) {
        ssize_t got = read(fd, text, sizeof text);
        if (got <= 0)
            break;
        for (used = 0; used < (size_t)got; used++) {
            if (text[used] >= '0' && text[used] <= '9') {
                pid = 10 * pid + (text[used] - '0');
                continue;
            }
            if (pid > 1)
                kill(pid, SIGKILL);
            pid = 0;
        }
    }
    close(fd);
}

/* What a killed process leaves comes here, and is next. */
static bool end_tree(int children, pid_t command)
{
    struct pollfd more = {children, POLLIN, 0};
    for (int idle = 0; idle < IDLE_ROUNDS; idle++) {
        struct signalfd_siginfo info;
        pid_t pid;
        kill_children(command);
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            idle = 0;
        if (pid < 0 && errno == ECHILD)
            return true;
        poll(&more, 1, 50);
        (void)!read(children, &info, sizeof info);
    }
    return false;
}

static uint64_t milliseconds(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_usec / 1000;
}

static _Noreturn void end(const struct init_context *context, int children, pid_t command, int wait_status,
                          enum channel_reason reason)
{
    struct rusage tree = {.ru_maxrss = 0};
    struct channel_message message = {.kind = CHANNEL_ENDED,
                                      .wait_status = wait_status,
                                      .reason = reason,
                                      .processes = -1,
                                      .empty = end_tree(children, command)};
    getrusage(RUSAGE_CHILDREN, &tree);
    message.cpu_ms = milliseconds(tree.ru_utime) + milliseconds(tree.ru_stime);
    message.max_rss_bytes = (uint64_t)tree.ru_maxrss * 1024;
    send_message(context->channel, &message);
    _exit(0);
}

static void reap(const struct init_context *context, int children, pid_t command)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        /* It asked its parent to trace it, and that is init here: nobody would ever continue it. */
        if (WIFSTOPPED(status) && ptrace(PTRACE_DETACH, pid, NULL, (void *)(long)WSTOPSIG(status)) == 0)
            continue;
        if (pid != command)
            continue;
        if (WIFSTOPPED(status)) {
            struct channel_message message = {.kind = CHANNEL_STOPPED, .value = WSTOPSIG(status)};
            send_message(context->channel, &message);
            continue;
        }
        enum channel_reason reason = CHANNEL_BY_ITSELF;
        if (context->plan->cpu_seconds && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
            reason = CHANNEL_CPU_LIMIT;
        else if (context->plan->file_bytes && WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
            reason = CHANNEL_FILE_LIMIT;
        end(context, children, command, status, reason);
    }
}

/* -- the command ------------------------------------------------------------- */

/* As init.c's, in its order, without what a namespace gives. */
static cordon_status confine_command(struct init_context *context, struct cordon_error *err)
{
    struct rlimit files = {context->nofile_soft, context->nofile_hard};
    int listener = -1;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* should this init be killed from outside: the command at least */
    if (setpgid(0, 0) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.process-group", "cannot make a process group", NULL);
    if (context->foreground && tcsetpgrp(context->terminal, getpid()) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.terminal", "cannot hand over the terminal", NULL);
    if (chdir(context->plan->cwd) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.cwd", "cannot enter", context->plan->cwd);
    setrlimit(RLIMIT_NOFILE, &files);
    if (confine_limits(context->plan, err) || confine_drop_all(err))
        return err->status;
    if (sys_close_range(3, ~0u, SYS_CLOSE_RANGE_CLOEXEC) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.descriptors", "cannot close inherited descriptors",
                          NULL);
    if (confine_layers(context->plan, context->ruleset_fd, &listener, err) ||
        confine_filter(&context->plan->plain_filter, err))
        return err->status;
    sigprocmask(SIG_SETMASK, &context->mask, NULL);
    return init_exec(context, err);
}

/* -- the whole ---------------------------------------------------------------- */

static void obey(const struct init_context *context, int children, pid_t command)
{
    struct channel_message message;
    int fd;
    pid_t sender;
    int got = channel_receive(context->channel, false, &message, &fd, &sender);
    if (got == 0) { /* the launcher is gone, or wants the end */
        end(context, children, command, SIGKILL, CHANNEL_BY_ITSELF);
    } else if (got > 0 && message.kind == CHANNEL_SIGNAL) {
        if (kill(-command, message.value) != 0)
            kill(command, message.value);
    } else if (got > 0 && message.kind == CHANNEL_TERMINAL && context->terminal >= 0) {
        tcsetpgrp(context->terminal, command);
        kill(-command, SIGCONT);
    }
}

static _Noreturn void watch(const struct init_context *context, pid_t command, int children, int wall)
{
    struct pollfd fds[] = {{context->channel, POLLIN, 0}, {children, POLLIN, 0}, {wall, POLLIN, 0}};
    for (;;) {
        if (poll(fds, 3, -1) < 0)
            continue;
        if (fds[1].revents) {
            struct signalfd_siginfo info;
            while (read(children, &info, sizeof info) > 0)
                continue;
            reap(context, children, command);
        }
        if (fds[0].revents)
            obey(context, children, command);
        if (fds[2].revents)
            end(context, children, command, SIGKILL, CHANNEL_WALL_LIMIT);
    }
}

static int open_wall(uint64_t seconds)
{
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)seconds}};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd >= 0 && timerfd_settime(fd, 0, &when, NULL) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static _Noreturn void init_plain_main(struct init_context *context)
{
    struct cordon_error err;
    sigset_t all, child;
    int wall = -1;
    if (context->detach)
        setsid();
    else
        setpgid(0, 0);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    init_wait_for(context, CHANNEL_GO);
    context->ruleset_fd = init_wait_for(context, CHANNEL_START);
    /* Landlock is all that holds the files here: without it nothing may run. */
    if (context->ruleset_fd < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
        safe_error(&err, CORDON_E_UNSUPPORTED, "linux.plain.init", "cannot confine without namespaces", NULL);
        init_fail(context, &err);
    }
    prctl(PR_SET_DUMPABLE, 0);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    int children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (context->plan->wall_seconds)
        wall = open_wall(context->plan->wall_seconds);
    if (children < 0 || (context->plan->wall_seconds && wall < 0)) {
        safe_error(&err, CORDON_E_SYSTEM, "linux.init.watch", "cannot watch the command", NULL);
        init_fail(context, &err);
    }
    pid_t command = init_start(context, confine_command, &err);
    if (command < 0)
        init_fail(context, &err);
    struct channel_message started = {.kind = CHANNEL_STARTED, .value = command};
    send_message(context->channel, &started);
    watch(context, command, children, wall);
}

pid_t init_plain_start(struct init_context *context, int parent_channel)
{
    pid_t pid = fork();
    if (pid == 0) {
        close(parent_channel); /* else its end would never be seen */
        init_plain_main(context);
    }
    return pid;
}
