/* cordon-warden - stands beside one confined tree of a program that embeds
 * libcordon: makes its namespaces while that program still plans, launches the
 * command, supervises it (socket broker, trace, guards), says how it ended, and
 * takes it down when that program ends.
 *
 * Started by src/os/linux/warden.c only, by the user, outside the sandbox, with an
 * empty environment, the command's descriptors as 0 to 2 and its words as argv. It
 * reads no policy and no file that a command could have written.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/report.h"
#include "os/linux/handover.h"
#include "os/linux/launch.h"
#include "os/linux/plain.h"
#include "os/linux/supervise.h"
#include "os/linux/warden.h"

static const struct warden_link caller = {WARDEN_CHANNEL, WARDEN_CALLER};

struct warden_run {
    struct launched launched;
    struct supervisor supervisor;
    struct report report; /* what is refused and warned of while it runs */
};

static cordon_status refuse(const char *what, struct cordon_error *err)
{
    return error_set(err, CORDON_E_INVALID, 0, "warden.start", "cordon-warden %s: %s", CORDON_VERSION, what);
}

/* It lies in the channel already. */
static cordon_status read_begin(struct warden_begin *begin, struct cordon_error *err)
{
    memset(begin, 0, sizeof *begin);
    ssize_t got = recv(WARDEN_CHANNEL, begin, sizeof *begin, MSG_DONTWAIT);
    if (got < (ssize_t)(offsetof(struct warden_begin, version) + sizeof begin->version) ||
        begin->magic != WARDEN_MAGIC)
        return refuse("it is started by libcordon only", err);
    begin->version[sizeof begin->version - 1] = '\0';
    if (strcmp(begin->version, CORDON_VERSION) != 0)
        return error_set(err, CORDON_E_INVALID, 0, "warden.start",
                         "cordon-warden is version %s and libcordon %s: install both from one release",
                         CORDON_VERSION, begin->version);
    return got == (ssize_t)sizeof *begin ? CORDON_OK : refuse("what it was told is cut off", err);
}

/* What the caller blocks or ignores is not the command's, and not ours. SIGPIPE
 * stays blocked here only: an error says the same. */
static void reset_signals(void)
{
    /* By the system call: two signals are the C library's own, which its
     * sigaction() refuses to set, and which its posix_spawn() leaves ignored. Zero
     * is SIG_DFL, no flags, no restorer, an empty mask, on every architecture. */
    const unsigned long fresh[4] = {0};
    sigset_t mask;
    for (int number = 1; number < NSIG; number++)
        syscall(SYS_rt_sigaction, number, fresh, NULL, (size_t)(NSIG - 1) / 8);
    sigemptyset(&mask);
    sigaddset(&mask, SIGPIPE);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

static cordon_status begin(struct warden_run *run, char **argv, struct cordon_error *err)
{
    static const char *const accepted[] = {"protect", NULL};
    struct warden_begin order;
    struct rlimit files;
    cordon_status status = read_begin(&order, err);
    if (status != CORDON_OK)
        return status;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return error_set(err, CORDON_E_SYSTEM, errno, "warden.start", "cannot read the descriptor limit: %s",
                         strerror(errno));
    struct launch_setup setup = {.argv = argv,
                                 .own_netns = order.own_netns,
                                 .plain = order.may_be_plain && plain_wanted(accepted),
                                 .terminal = -1,
                                 .detach = !order.pty,
                                 .pty = order.pty,
                                 .pty_everywhere = true,
                                 .window = order.window,
                                 .nofile_soft = files.rlim_cur,
                                 .nofile_hard = files.rlim_max};
    sigemptyset(&setup.mask);
    files.rlim_cur = files.rlim_max; /* 1000 roots need as many for a moment */
    setrlimit(RLIMIT_NOFILE, &files);
    return launch_begin(&setup, &run->launched, err);
}

static bool say_begun(const struct warden_run *run)
{
    struct warden_message message = {.kind = WARDEN_BEGUN, .value = run->launched.plain};
    int fds[2] = {(int)syscall(SYS_pidfd_open, run->launched.init, 0), -1};
    bool said = fds[0] >= 0 && warden_send(&caller, &message, fds, NULL);
    if (fds[0] >= 0)
        close(fds[0]);
    return said;
}

/* The command's pipes must end with the command: nobody may find the other end
 * still open here. */
static void let_go_of_stdio(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++)
        if (null < 0 || dup2(null, fd) != fd)
            close(fd);
    if (null > 2)
        close(null);
}

/* -- while it runs ---------------------------------------------------------- */

static void on_started(void *self)
{
    struct warden_run *run = self;
    struct warden_message message = {.kind = WARDEN_STARTED, .value = (int)run->launched.command};
    int fds[2] = {run->launched.pty, -1};
    (void)warden_send(&caller, &message, fds, NULL); /* a caller that is gone is seen by the poller */
    if (run->launched.pty >= 0)
        close(run->launched.pty);
    run->launched.pty = -1;
}

/* There is no shell and no terminal here that could take part: it stays stopped
 * until the caller sends SIGCONT. */
static void on_stopped(void *self, int number)
{
    (void)self;
    (void)number;
}

static void end_tree(struct warden_run *run)
{
    launch_stop(&run->launched); /* supervise() sees the end of it */
    poller_remove(&run->supervisor.poller, WARDEN_CHANNEL);
    poller_remove(&run->supervisor.poller, WARDEN_CALLER);
}

static void on_caller_gone(void *self, short revents)
{
    (void)revents;
    end_tree(self);
}

static void on_message(void *self, short revents)
{
    struct warden_run *run = self;
    struct warden_message message;
    int fds[2];
    (void)revents;
    if (!warden_receive(&caller, &message, fds)) {
        end_tree(run);
        return;
    }
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (message.kind == WARDEN_SIGNAL)
        launch_signal(&run->launched, message.value);
    else if (message.kind == WARDEN_KILL)
        launch_stop(&run->launched);
}

static void on_refused(void *self, const struct refusal *refusal)
{
    struct warden_run *run = self;
    struct cordon_error err;
    /* Out of memory: the refusal stands, its entry is missing. */
    if (report_add_refusal(&run->report, refusal, 1, &err) != CORDON_OK)
        run->report.refusals_unlisted++;
}

static cordon_status launch(struct warden_run *run, const struct handover_order *order,
                            struct cordon_error *err)
{
    const struct supervise_hooks hooks = {
        .self = run, .started = on_started, .stopped = on_stopped, .refused = on_refused};
    supervisor_init(&run->supervisor, &run->launched, &order->supervision, &hooks);
    cordon_status status = supervise_begin(&run->supervisor, err);
    if (status == CORDON_OK)
        status = launch_go(&run->launched, &order->plan, order->environment, order->seal_stdio, err);
    let_go_of_stdio();
    if (status != CORDON_OK)
        return status;
    if (!poller_add(&run->supervisor.poller, WARDEN_CHANNEL, POLLIN, on_message, run) ||
        !poller_add(&run->supervisor.poller, WARDEN_CALLER, POLLIN, on_caller_gone, run))
        return error_set(err, CORDON_E_LIMIT, 0, "warden.start", "too many descriptors to watch");
    return supervise(&run->supervisor, err);
}

/* -- the whole -------------------------------------------------------------- */

static cordon_status read_order(struct handover_order **order, void **bytes, struct cordon_error *err)
{
    struct warden_message message;
    int fds[2];
    if (!warden_receive(&caller, &message, fds) || message.kind != WARDEN_GO)
        return refuse("the program that started it is gone", err);
    *bytes = warden_receive_more(&caller, message.bytes);
    *order = *bytes ? handover_read_order(*bytes, (size_t)message.bytes) : NULL;
    return *order ? CORDON_OK : refuse("the plan that it was given is damaged", err);
}

/* The tree is dead, and the caller still holds the placeholders: the guards' last look. */
static cordon_status judge(struct warden_run *run, struct cordon_error *err)
{
    const struct supervisor *s = &run->supervisor;
    launch_outcome(&run->launched, s->has_last ? &s->last : NULL, &run->report.outcome);
    guard_finish(&run->supervisor.guard);
    return guard_report(&s->guard, &run->report, err);
}

static cordon_status report_end(struct warden_run *run, struct cordon_error *err)
{
    struct buf bytes = BUF_INIT;
    struct warden_message message = {.kind = WARDEN_ENDED};
    char **warnings = calloc(run->report.warning_count + 1, sizeof *warnings);
    if (!warnings)
        return error_nomem(err, "warden.start");
    for (size_t i = 0; i < run->report.warning_count; i++)
        warnings[i] = run->report.warnings[i];
    const struct handover_result result = {.outcome = run->report.outcome,
                                           .refusals = run->report.refusals,
                                           .refusal_count = run->report.refusal_count,
                                           .refusals_unlisted = run->report.refusals_unlisted,
                                           .warnings = warnings};
    handover_write_result(&bytes, &result);
    cordon_status status = buf_failed(&bytes) ? error_nomem(err, "warden.start") : CORDON_OK;
    if (status == CORDON_OK)
        (void)warden_send(&caller, &message, NULL, &bytes);
    buf_release(&bytes);
    free(warnings);
    return status;
}

static bool has_channel(void)
{
    int type;
    socklen_t size = sizeof type;
    return getsockopt(WARDEN_CHANNEL, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

int main(int argc, char **argv)
{
    if (!has_channel()) {
        fputs("cordon-warden " CORDON_VERSION ": started by programs that embed libcordon; see cordon(3)\n",
              stderr);
        return 125;
    }
    struct warden_run run;
    struct handover_order *order = NULL;
    struct cordon_error err;
    void *bytes = NULL;
    memset(&run, 0, sizeof run);
    launched_init(&run.launched);
    supervisor_init(&run.supervisor, &run.launched, NULL, &(struct supervise_hooks){.self = &run});
    report_init(&run.report);
    reset_signals();
    setsid(); /* what the user types at the caller's terminal is not for us */
    prctl(PR_SET_NAME, "cordon-warden");
    for (int fd = WARDEN_CHANNEL; fd <= WARDEN_CALLER; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);

    cordon_status status = argc > 1 ? begin(&run, argv + 1, &err) : refuse("no command", &err);
    if (status == CORDON_OK && !say_begun(&run))
        status = refuse("the program that started it is gone", &err);
    if (status == CORDON_OK)
        status = read_order(&order, &bytes, &err);
    if (status == CORDON_OK)
        status = launch(&run, order, &err);
    if (status == CORDON_OK)
        status = judge(&run, &err);
    if (status == CORDON_OK)
        status = report_end(&run, &err);
    if (status != CORDON_OK) {
        struct warden_message message = {.kind = WARDEN_FAILED, .error = err};
        supervisor_release(&run.supervisor);
        launch_kill(&run.launched); /* before the caller hears of it */
        (void)warden_send(&caller, &message, NULL, NULL);
    }
    supervisor_release(&run.supervisor);
    launch_end(&run.launched);
    report_release(&run.report);
    free(bytes);
    return status == CORDON_OK ? 0 : 125;
}
