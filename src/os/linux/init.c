/* init.c - the sandbox's pid 1: makes the inside, starts the command, reaps, enforces the wall and CPU
 * limits, and takes everything along when it exits or when the launcher is gone.
 *
 * Privilege: all capabilities in its own user namespace until the command runs,
 * then none. It is not dumpable, so nothing inside can read or trace it.
 * It is a copy of the launcher made by clone3, sharing nothing with it but the
 * arena; the launcher may have had threads: ASYNC-SIGNAL-SAFE CALLS ONLY.
 */
#include "os/linux/init.h"

#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "os/linux/channel.h"
#include "os/linux/confine.h"
#include "os/linux/signal_safe.h"
#include "os/linux/sys.h"
#include "os/linux/tree_time.h"

#define COMMAND_STACK_BYTES (64 * 1024)
#define HELPER_STACK_BYTES (16 * 1024)
#define EXIT_INIT_FAILED 125
#define EMPTY_TRIES 20 /* of at most 100 ms */

static void send_message(int channel, const struct channel_message *message)
{
    /* The launcher gone is seen by poll; there is nobody left to tell. */
    (void)!channel_send(channel, message, -1, 0);
}

_Noreturn void init_fail(const struct init_context *context, const struct cordon_error *err)
{
    struct channel_message message = {.kind = CHANNEL_FAILED, .error = *err};
    send_message(context->channel, &message);
    _exit(EXIT_INIT_FAILED);
}

/* End of file: the launcher is gone. */
int init_wait_for(const struct init_context *context, enum channel_kind kind)
{
    struct channel_message message;
    pid_t sender;
    int fd;
    if (channel_receive(context->channel, true, &message, &fd, &sender) != 1 || message.kind != kind)
        _exit(EXIT_INIT_FAILED);
    return fd;
}

static bool write_own(const char *file, const char *text)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    ssize_t len = (ssize_t)strlen(text);
    bool written = fd >= 0 && write(fd, text, (size_t)len) == len;
    int code = errno;
    if (fd >= 0)
        close(fd);
    errno = code;
    return written;
}

/* Anybody may map his own id, and here it is done while the launcher plans. */
static cordon_status write_own_maps(const struct init_context *context, struct cordon_error *err)
{
    if (context->uid_map[0] &&
        (!write_own("/proc/self/setgroups", "deny") || !write_own("/proc/self/uid_map", context->uid_map) ||
         !write_own("/proc/self/gid_map", context->gid_map)))
        return safe_error(err, CORDON_E_UNSUPPORTED, "linux.userns.map",
                          "cannot map the user into its own user namespace; `cordon doctor` says what helps",
                          NULL);
    return CORDON_OK;
}

static cordon_status loopback_up(struct cordon_error *err)
{
    struct ifreq request;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.network.loopback", "cannot make a socket", NULL);
    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    cordon_status status = CORDON_OK;
    if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
        status = safe_error(err, CORDON_E_SYSTEM, "linux.network.loopback",
                            "cannot bring up the inner loopback", NULL);
    close(fd);
    return status;
}

/* A network namespace takes the kernel as long as everything else together. A
 * helper that shares init's memory and descriptors makes it while the launcher
 * plans and init mounts; init then enters it. No untrusted code exists yet. */
struct network {
    pid_t helper;
    int fd;
    struct cordon_error error;
};

static int network_main(void *argument)
{
    struct network *network = argument;
    if (unshare(CLONE_NEWNET) != 0)
        safe_error(&network->error, CORDON_E_UNSUPPORTED, "linux.network.namespace",
                   "cannot make a network namespace", NULL);
    else if (loopback_up(&network->error) == CORDON_OK &&
             (network->fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) < 0)
        safe_error(&network->error, CORDON_E_SYSTEM, "linux.network.namespace",
                   "cannot open the network namespace", NULL);
    return 0; /* ends the process; _exit() here makes AddressSanitizer complain of the foreign stack */
}

static cordon_status network_begin(struct network *network, struct cordon_error *err)
{
    static char stack[HELPER_STACK_BYTES] __attribute__((aligned(64)));
    network->fd = -1;
    network->helper = clone(network_main, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, network);
    if (network->helper < 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.network.namespace", "cannot start a process", NULL);
    return CORDON_OK;
}

static cordon_status network_enter(struct network *network, struct cordon_error *err)
{
    while (waitpid(network->helper, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (network->error.status != CORDON_OK) {
        *err = network->error;
        return err->status;
    }
    if (network->fd < 0 || setns(network->fd, CLONE_NEWNET) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.network.namespace",
                          "cannot enter the network namespace", NULL);
    close(network->fd);
    return CORDON_OK;
}

/* What the command's process shares with init until exec. */
struct command_start {
    struct init_context *context;
    init_confine *confine;
    struct cordon_error error;
};

/* A text file without `#!` is a shell script to every shell's exec; so here. */
static void exec_as_script(const struct init_context *context, char *path)
{
    context->script_argv[1] = path;
    execve(context->script_argv[0], context->script_argv, context->environment);
}

cordon_status init_exec(const struct init_context *context, struct cordon_error *err)
{
    bool found = false;
    int code = ENOENT;
    for (char *const *path = context->candidates; *path; path++) {
        execve(*path, context->argv, context->environment);
        if (errno == ENOEXEC)
            exec_as_script(context, *path);
        int failure = errno;
        if (failure == ENOENT && access(*path, F_OK) != 0)
            continue;
        if (failure == ENOTDIR)
            continue;
        found = true; /* ENOENT of a file that is there: its interpreter is missing */
        code = failure;
    }
    errno = code;
    return found ? safe_error(err, CORDON_E_SYSTEM, "exec.not-executable", "cannot execute", context->argv[0])
                 : safe_error(err, CORDON_E_SYSTEM, "exec.not-found", "command not found:", context->argv[0]);
}

/* The command leads a session whose terminal is the sandbox's own. A file or a
 * pipe among its descriptors stays what it is. */
static cordon_status take_pty(const struct init_context *context, struct cordon_error *err)
{
    bool taken = ioctl(context->terminal_fd, TIOCSCTTY, 0) == 0;
    for (int fd = 0; fd < 3; fd++)
        taken = taken && ((!isatty(fd) && !context->pty_everywhere) || dup2(context->terminal_fd, fd) == fd);
    return taken ? CORDON_OK
                 : safe_error(err, CORDON_E_SYSTEM, "linux.terminal",
                              "cannot make the sandbox's terminal the command's", NULL);
}

/* By the command itself: the filter is its own, and init has other descriptors. */
static cordon_status send_listener(const struct init_context *context, int listener, struct cordon_error *err)
{
    struct channel_message message = {.kind = CHANNEL_LISTENER};
    if (listener < 0 || channel_send(context->channel, &message, listener, 0))
        return CORDON_OK;
    return safe_error(err, CORDON_E_SYSTEM, "linux.seccomp.listener",
                      "cannot hand over the filter's notification descriptor", NULL);
}

static cordon_status confine_command(struct init_context *context, struct cordon_error *err)
{
    struct rlimit files = {context->nofile_soft, context->nofile_hard};
    int listener = -1;
    if (context->pty ? setsid() < 0 : setpgid(0, 0) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.process-group", "cannot make a process group", NULL);
    if (context->pty && take_pty(context, err) != CORDON_OK)
        return err->status;
    /* SIGTTOU is still blocked, so this does not stop us. */
    if (context->foreground && tcsetpgrp(context->terminal, getpid()) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.terminal", "cannot hand over the terminal", NULL);
    if (chdir(context->plan->cwd) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.cwd", "cannot enter", context->plan->cwd);
    setrlimit(RLIMIT_NOFILE, &files);
    if (confine_limits(context->plan, err) || confine_capabilities(context->plan->keep_caps, err))
        return err->status;
    /* Whatever this program or its caller forgot to close ends at exec. */
    if (sys_close_range(3, ~0u, SYS_CLOSE_RANGE_CLOEXEC) != 0)
        return safe_error(err, CORDON_E_SYSTEM, "linux.descriptors", "cannot close inherited descriptors",
                          NULL);
    if (confine_layers(context->plan, context->ruleset_fd, &listener, err) ||
        send_listener(context, listener, err))
        return err->status;
    sigprocmask(SIG_SETMASK, &context->mask, NULL);
    return init_exec(context, err);
}

static int command_main(void *argument)
{
    struct command_start *start = argument;
    start->confine(start->context, &start->error);
    return 127;
}

/* vfork-style: init waits until the exec, so its memory may be shared. */
pid_t init_start(struct init_context *context, init_confine *confine, struct cordon_error *err)
{
    static char stack[COMMAND_STACK_BYTES] __attribute__((aligned(64)));
    struct command_start start = {context, confine, {CORDON_OK, 0, "", ""}};
    pid_t pid = clone(command_main, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &start);
    if (pid < 0) {
        safe_error(err, CORDON_E_SYSTEM, "linux.clone.command", "cannot start a process", NULL);
        return -1;
    }
    if (start.error.status != CORDON_OK) {
        *err = start.error;
        return -1;
    }
    return pid;
}

/* Credentials name the command's pid so that the launcher's kernel view of the
 * message holds its pid outside; CAP_SYS_ADMIN in our namespace allows it. */
static void announce(const struct init_context *context, pid_t command)
{
    struct channel_message message = {.kind = CHANNEL_STARTED};
    if (!channel_send(context->channel, &message, -1, command))
        send_message(context->channel, &message);
}

static void obey(const struct init_context *context, pid_t command)
{
    struct channel_message message;
    int fd;
    pid_t sender;
    int got = channel_receive(context->channel, false, &message, &fd, &sender);
    if (got == 0)
        _exit(EXIT_INIT_FAILED); /* the launcher is gone, and so is everything */
    if (got < 0)
        return;
    if (message.kind == CHANNEL_SIGNAL) {
        if (kill(-command, message.value) != 0)
            kill(command, message.value); /* it left its group */
    } else if (message.kind == CHANNEL_TERMINAL && context->terminal >= 0) {
        tcsetpgrp(context->terminal, command);
        kill(-command, SIGCONT);
    }
}

/* Without init itself and the helper that made the network namespace. */
static int64_t processes_started(const struct init_context *context)
{
    int64_t last = tree_last_pid(context->last_pid_fd);
    return last < 0 ? -1 : last - 1 - context->own_netns;
}

/* Ends every other process and reaps it, so that the launcher can go on while the
 * kernel takes the namespaces down, which takes longer. False: something
 * would not die here; the kernel then waits for it when init exits. */
static bool empty_tree(int children)
{
    struct pollfd more = {children, POLLIN, 0};
    kill(-1, SIGKILL);
    for (int tries = 0; tries < EMPTY_TRIES;) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0)
            return errno == ECHILD;
        if (pid > 0)
            continue;
        struct signalfd_siginfo info;
        tries++;
        poll(&more, 1, 100);
        (void)!read(children, &info, sizeof info);
    }
    return false;
}

static uint64_t milliseconds(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_usec / 1000;
}

static _Noreturn void end(const struct init_context *context, int children, int wait_status,
                          enum channel_reason reason)
{
    struct rusage own = {.ru_maxrss = 0}, tree = {.ru_maxrss = 0};
    struct channel_message message = {.kind = CHANNEL_ENDED,
                                      .wait_status = wait_status,
                                      .reason = reason,
                                      .processes = processes_started(context),
                                      .empty = empty_tree(children)};
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &tree);
    message.cpu_ms = milliseconds(own.ru_utime) + milliseconds(own.ru_stime) + milliseconds(tree.ru_utime) +
                     milliseconds(tree.ru_stime);
    message.max_rss_bytes =
        (uint64_t)(tree.ru_maxrss > own.ru_maxrss ? tree.ru_maxrss : own.ru_maxrss) * 1024;
    send_message(context->channel, &message);
    _exit(0); /* whatever is left the kernel kills */
}

static void reap(const struct init_context *context, int children, pid_t command)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
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
        end(context, children, status, reason);
    }
}

static int timer(uint64_t first_seconds, long interval_ms)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)first_seconds, .tv_nsec = first_seconds ? 0 : interval_ms * 1000000L},
        .it_interval = {.tv_nsec = interval_ms * 1000000L}};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd >= 0 && timerfd_settime(fd, 0, &when, NULL) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* In the sandbox's own devpts, so that the terminal has a name inside. */
static cordon_status open_pty(struct init_context *context, struct cordon_error *err)
{
    struct channel_message message = {.kind = CHANNEL_PTY};
    int unlock = 0;
    int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    bool ready = master >= 0 && ioctl(master, TIOCSPTLCK, &unlock) == 0 &&
                 ioctl(master, TIOCSWINSZ, &context->window) == 0 &&
                 (!context->modes.c_cflag || tcsetattr(master, TCSANOW, &context->modes) == 0);
    if (ready)
        context->terminal_fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (!ready || context->terminal_fd < 0 || !channel_send(context->channel, &message, master, 0))
        return safe_error(err, CORDON_E_SYSTEM, "linux.terminal.open",
                          "cannot open a terminal inside the sandbox", NULL);
    close(master);
    return CORDON_OK;
}

enum { WATCH_CHANNEL, WATCH_CHILDREN, WATCH_WALL, WATCH_CPU, WATCH_COUNT };

static _Noreturn void supervise(const struct init_context *context, pid_t command,
                                struct pollfd watch[WATCH_COUNT])
{
    for (;;) {
        if (poll(watch, WATCH_COUNT, -1) < 0)
            continue;
        if (watch[WATCH_CHILDREN].revents) {
            struct signalfd_siginfo info;
            while (read(watch[WATCH_CHILDREN].fd, &info, sizeof info) > 0)
                continue;
            reap(context, watch[WATCH_CHILDREN].fd, command);
        }
        if (watch[WATCH_CHANNEL].revents)
            obey(context, command);
        if (watch[WATCH_WALL].revents)
            end(context, watch[WATCH_CHILDREN].fd, SIGKILL, CHANNEL_WALL_LIMIT);
        if (watch[WATCH_CPU].revents) {
            uint64_t expirations;
            (void)!read(watch[WATCH_CPU].fd, &expirations, sizeof expirations);
            if (tree_cpu_ms() >= context->plan->cpu_seconds * 1000)
                end(context, watch[WATCH_CHILDREN].fd, SIGXCPU, CHANNEL_CPU_LIMIT);
        }
    }
}

void init_main(struct init_context *context)
{
    struct cordon_error err;
    struct network network = {.helper = -1};
    struct pollfd watch[WATCH_COUNT] = {
        {context->channel, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}};
    sigset_t all, children;

    /* Own group: kill(0) of the launcher's group must not reach in, nor ours out.
     * Own session: whoever got no terminal could open /dev/tty and read what the
     * user types. Init makes it and not the command, whose group would be an
     * orphaned one, which SIGTSTP does not stop. */
    if (context->detach)
        setsid();
    else
        setpgid(0, 0);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    /* Both PDEATHSIG and the channel: the former fires when the launching
     * *thread* ends and races at the start, the latter needs init to run. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (context->own_netns && network_begin(&network, &err) != CORDON_OK)
        init_fail(context, &err);
    if (write_own_maps(context, &err) != CORDON_OK || confine_bounding_set(&err) != CORDON_OK)
        init_fail(context, &err);
    mounts_begin(&context->scratch, context->uid_map[0] != '\0');
    init_wait_for(context, CHANNEL_GO);
    __atomic_store_n(&context->taken, 1, __ATOMIC_RELAXED);

    if (mounts_apply(context->plan, &context->scratch, &err) != CORDON_OK)
        init_fail(context, &err);
    context->ruleset_fd = init_wait_for(context, CHANNEL_START);
    if (mounts_allow_devpts(context->plan, &context->scratch, context->ruleset_fd, &err) != CORDON_OK)
        init_fail(context, &err);
    if (context->own_netns && network_enter(&network, &err) != CORDON_OK)
        init_fail(context, &err);
    prctl(PR_SET_DUMPABLE, 0);
    if (context->pty && open_pty(context, &err) != CORDON_OK)
        init_fail(context, &err);

    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    watch[WATCH_CHILDREN].fd = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    bool timers = true;
    if (context->plan->wall_seconds)
        timers = (watch[WATCH_WALL].fd = timer(context->plan->wall_seconds, 0)) >= 0;
    if (context->plan->cpu_seconds)
        timers = timers && (watch[WATCH_CPU].fd = timer(0, 200)) >= 0;
    if (watch[WATCH_CHILDREN].fd < 0 || !timers) {
        safe_error(&err, CORDON_E_SYSTEM, "linux.init.watch", "cannot watch the command", NULL);
        init_fail(context, &err);
    }

    pid_t command = init_start(context, confine_command, &err);
    if (command < 0)
        init_fail(context, &err);
    announce(context, command);
    context->last_pid_fd = tree_open_last_pid();
    /* terminal_fd stays open: to the relay, an end of the terminal is the end of the tree. */
    if (confine_drop_all(&err) != CORDON_OK)
        init_fail(context, &err);
    supervise(context, command, watch);
}
