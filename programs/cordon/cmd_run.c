/* cmd_run.c - `cordon run`, and what `shell` shares with it: prepare, launch, watch, report.
 *
 * Runs as the user, outside. Order: the policy, then the namespaces (they take the
 * kernel a while), then every check and every effect, the before-walk last of
 * them, and only then the go; after the end the placeholders go first, so that
 * the after-walk sees the user's tree and not ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/box_run.h"
#include "os/linux/last_report.h"
#include "os/linux/links.h"
#include "os/linux/sys.h"
#include "os/posix/write_all.h"
#include "run.h"
#include "user_shell.h"

static void send_status(const struct run *run, cordon_status made, struct buf *line)
{
    if (made == CORDON_OK && run->options->status_fd >= 0 && !buf_failed(line))
        write_all(run->options->status_fd, line->data, line->len);
    buf_release(line);
}

/* Opened before the run and never through a link that the command could have
 * made: else it could aim our write at any file of the user's. */
static cordon_status open_report(struct run *run, struct cordon_error *err)
{
    const char *file = run->options->report_file;
    const struct resolution *resolution = &run->prepared.box.resolution;
    char *path = file[0] == '/' ? string_copy(file) : string_format("%s/%s", resolution->cwd, file);
    if (!path)
        return error_nomem(err, "run.report");
    /* A terminal or pipe of ours, named by a link of the kernel's that has no path to walk. */
    bool named_by_kernel = strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
    char *real = NULL;
    cordon_status status = links_check(&resolution->resolved, &run->prepared.box.places, path, "report",
                                       "option --report", &real, err);
    if (status == CORDON_OK) {
        /* A pipe without a reader is an error at once, not a wait without end. */
        int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
        run->report = named_by_kernel ? open(path, flags, 0666)
                                      : sys_openat2_create(AT_FDCWD, real, (uint64_t)flags, 0666,
                                                           SYS_RESOLVE_NO_SYMLINKS);
        if (run->report < 0 || fcntl(run->report, F_SETFL, 0) != 0)
            status = error_set(err, CORDON_E_INVALID, errno, "run.report", "--report %s: %s", file,
                               strerror(errno));
    }
    free(real);
    free(path);
    return status;
}

/* -- before --------------------------------------------------------------- */

/* 1000 roots need as many descriptors for a moment; the command gets the old limit back. */
static void raise_descriptor_limit(struct run *run)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    run->setup.nofile_soft = files.rlim_cur;
    run->setup.nofile_hard = files.rlim_max;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/* The caller's mask is the command's; here every signal that can be relayed comes by descriptor. */
static cordon_status catch_signals(struct run *run, struct cordon_error *err)
{
    static const int relayed[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGUSR1,
                                  SIGUSR2, SIGTSTP, SIGCONT, SIGWINCH};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof relayed / sizeof *relayed; i++) {
        struct sigaction action;
        /* What the caller ignores (nohup) stays ignored, here and in the command. */
        if (sigaction(relayed[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&set, relayed[i]);
    }
    run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    sigaddset(&set, SIGPIPE); /* a reader of ours that left must not end the tree without a report */
    sigprocmask(SIG_BLOCK, &set, &run->setup.mask);
    if (run->signals < 0)
        return error_set(err, CORDON_E_SYSTEM, errno, "run.signals", "cannot watch signals: %s",
                         strerror(errno));
    return CORDON_OK;
}

static cordon_status check_status_fd(const struct run *run, struct cordon_error *err)
{
    int fd = run->options->status_fd;
    if (fd < 0)
        return CORDON_OK;
    if (fcntl(fd, F_GETFD) < 0)
        return error_set(err, CORDON_E_INVALID, 0, "cli.usage", "--status-fd %d: not an open descriptor", fd);
    if (fd > 2)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return CORDON_OK;
}

/* Namespaces first: the kernel works on them while we look at the machine. */
static cordon_status begin(struct run *run, struct cordon_error *err)
{
    run->setup.argv = run->options->argv;
    run->setup.own_netns = run->prepared.policy.net != NET_ON;
    run->setup.plain = run->prepared.plain;
    cordon_status status = run->terminal->open(run, err);
    return status == CORDON_OK ? launch_begin(&run->setup, &run->launched, err) : status;
}

static cordon_status start(struct run *run, struct cordon_error *err)
{
    static const int stdio[3] = {0, 1, 2};
    struct box *box = &run->prepared.box;
    raise_descriptor_limit(run);
    cordon_status status = check_status_fd(run, err);
    if (status == CORDON_OK)
        status = prepare_policy(&run->prepared, run->options, err);
    if (status == CORDON_OK)
        status = catch_signals(run, err);
    if (status == CORDON_OK)
        status = begin(run, err);
    if (status == CORDON_OK)
        status = prepare_box(&run->prepared, run->options, true, err);
    if (status == CORDON_OK)
        status = user_shell_correct(run->options, &box->environment, err);
    if (status == CORDON_OK)
        status = report_set_command(&box->report, run->options->argv, err);
    if (status == CORDON_OK)
        status = box_check_stdio(box, run->prepared.policy.net, stdio, run->seal_stdio, err);
    if (status == CORDON_OK && run->options->report_file)
        status = open_report(run, err);
    if (status == CORDON_OK && run->watch_changes)
        status = box_snapshot(box, &run->before, err);
    if (status == CORDON_OK)
        status = supervise_begin(&run->supervisor, err);
    if (status == CORDON_OK)
        status = launch_go(&run->launched, &box->plan, box->environment.items, run->seal_stdio, err);
    return status;
}

/* -- while it runs -------------------------------------------------------- */

static void on_started(void *self)
{
    struct run *run = self;
    struct buf line = BUF_INIT;
    struct cordon_error ignored;
    if (run->options->status_fd >= 0)
        send_status(run, status_started(&run->prepared.box.report, run->launched.command, &line, &ignored),
                    &line);
    run->terminal->started(run);
}

/* By SIGTSTP and not SIGSTOP: where no shell is there to continue the job (a
 * program that runs us in a terminal of its own) the kernel ignores it, and the
 * command cannot keep us, and with us the report and the limits, stopped for good. */
void run_stop_as_a_job(void)
{
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    raise(SIGTSTP); /* blocked, so that it comes by the descriptor; here it shall act */
    sigprocmask(SIG_UNBLOCK, &set, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void on_stopped(void *self, int number)
{
    struct run *run = self;
    run->terminal->stopped(run, number);
}

static void on_refused(void *self, const struct refusal *refusal)
{
    struct run *run = self;
    struct cordon_error err;
    if (report_add_refusal(&run->prepared.box.report, refusal, 1, &err) != CORDON_OK)
        say(run->options, "%s", err.message);
}

static void on_signals(void *self, short revents)
{
    struct run *run = self;
    struct signalfd_siginfo info;
    (void)revents;
    while (read(run->signals, &info, sizeof info) == (ssize_t)sizeof info)
        run->terminal->signaled(run, (int)info.ssi_signo);
}

static cordon_status watch(struct run *run, struct cordon_error *err)
{
    poller_add(&run->supervisor.poller, run->signals, POLLIN, on_signals, run);
    return supervise(&run->supervisor, err);
}

/* -- after ---------------------------------------------------------------- */

static void write_report_file(const struct run *run, const struct buf *text)
{
    struct stat opened, named;
    const char *file = run->options->report_file;
    bool written = ftruncate(run->report, 0) == 0 || errno == EINVAL; /* a pipe cannot be truncated */
    write_all(run->report, text->data, text->len);
    if (!written ||
        (fstat(run->report, &opened) == 0 && S_ISREG(opened.st_mode) &&
         (stat(file, &named) != 0 || named.st_dev != opened.st_dev || named.st_ino != opened.st_ino)))
        fprintf(stderr, "cordon: the report %s was removed or replaced during the run\n", file);
}

static void deliver_report(struct run *run)
{
    struct box *box = &run->prepared.box;
    struct buf text = BUF_INIT;
    struct cordon_error err;
    cordon_status status = report_to_json(&box->report, &text, &err);
    if (status == CORDON_OK && !buf_failed(&text)) {
        if (run->report >= 0)
            write_report_file(run, &text);
        status = last_report_store(&box->places, &text, &err);
    }
    if (status != CORDON_OK)
        say(run->options, "%s", err.message);
    buf_release(&text);
}

static void compare_trees(struct run *run)
{
    struct changes after;
    struct cordon_error err;
    changes_init(&after);
    cordon_status status = box_snapshot(&run->prepared.box, &after, &err);
    if (status == CORDON_OK)
        status = changes_compare(&run->before, &after, &run->prepared.box.report, &err);
    if (status != CORDON_OK)
        say(run->options, "changed files are not known: %s", err.message);
    changes_release(&after);
    if (status == CORDON_OK && run->options->changes) {
        struct buf text = BUF_INIT;
        report_changes_text(&run->prepared.box.report, 50, &text);
        if (!buf_failed(&text) && text.len)
            write_all(STDERR_FILENO, text.data, text.len);
        buf_release(&text);
    }
}

/* Before the placeholders go: one that is not there any more is a finding. */
static void look_at_guards(struct run *run)
{
    struct guard *guard = &run->supervisor.guard;
    struct cordon_error err;
    guard_finish(guard);
    if (guard_report(guard, &run->prepared.box.report, &err) != CORDON_OK)
        say(run->options, "%s", err.message);
    for (size_t i = 0; i < guard->event_count; i++)
        say(run->options, "%s", guard->events[i].words);
}

/* Nothing of the sandbox is left after it. Tolerates a second call. */
static void leave(struct run *run)
{
    launch_end(&run->launched);
    placeholders_remove(&run->prepared.box.placeholders, &run->prepared.box.places);
}

static int finish(struct run *run)
{
    struct box *box = &run->prepared.box;
    struct report *report = &box->report;
    struct cordon_error err;
    struct buf line = BUF_INIT;
    launch_outcome(&run->launched, run->supervisor.has_last ? &run->supervisor.last : NULL, &report->outcome);
    run->terminal->finish(run, report->outcome.kind != OUTCOME_EXITED);
    if (report->outcome.forks_refused &&
        report_add_warning(report, &err, "the limit of %llu processes was reached: forks were refused",
                           (unsigned long long)box->plan.cgroup_processes) != CORDON_OK)
        say(run->options, "%s", err.message);
    look_at_guards(run);
    run_check_trace(run);
    supervisor_release(&run->supervisor);
    /* The report is made, and everything freed, while the kernel takes the
     * namespaces down. But the placeholders, which are dear to remove while they
     * are mounted on, must not be taken for the command's doing, and "ended" is
     * said when nothing is left. */
    if (run->watch_changes) {
        leave(run);
        compare_trees(run);
    }
    deliver_report(run);
    if (box->placeholders.count || run->options->status_fd >= 0)
        leave(run);
    if (report->outcome.kind == OUTCOME_TIMED_OUT || report->outcome.kind == OUTCOME_LIMIT)
        say(run->options, "stopped by the %s limit", report->outcome.limit);
    run_say_refusals(run);
    if (run->options->verbose)
        for (size_t i = 0; i < report->warning_count; i++)
            say(run->options, "warning: %s", report->warnings[i]);
    if (run->options->status_fd >= 0)
        send_status(run, status_ended(&report->outcome, &line, &err), &line);
    return outcome_exit_code(&report->outcome);
}

/* The last report is the last run's, also of one that never began; and a file
 * that --report made must not stay empty. */
static void report_failure(struct run *run, const struct cordon_error *failure)
{
    struct report *report = &run->prepared.box.report;
    struct cordon_error err;
    if (!report->command || !report->workspace)
        return;
    if (report_add_warning(report, &err, "cordon failed: %s", failure->message) != CORDON_OK)
        say(run->options, "%s", err.message);
    deliver_report(run);
}

static int fail(struct run *run, struct cordon_error *err)
{
    bool may_have_run = run->launched.init > 0;
    if (may_have_run) {
        struct outcome ignored;
        launch_stop(&run->launched);
        launch_outcome(&run->launched, NULL, &ignored);
    }
    run->terminal->finish(run,
                          true); /* before a word of ours: in a raw terminal lines do not begin at the left */
    if (may_have_run)            /* and planted something */
        look_at_guards(run);
    supervisor_release(&run->supervisor);
    launch_kill(&run->launched);
    box_error_words(err);
    say_error(run->options, err);
    say_status_failed(run->options, err);
    report_failure(run, err);
    if (strcmp(err->step, "exec.not-found") == 0)
        return EXIT_NOT_FOUND;
    return strcmp(err->step, "exec.not-executable") == 0 ? EXIT_NOT_EXECUTABLE : EXIT_CORDON_FAILED;
}

int run_tree(const struct options *options, const struct run_terminal *terminal, void *own)
{
    struct run run = {.options = options,
                      .terminal = terminal,
                      .own = own,
                      .watch_changes = options->changes || options->report_file,
                      .signals = -1,
                      .report = -1};
    struct cordon_error err;
    prepared_init(&run.prepared);
    launched_init(&run.launched);
    changes_init(&run.before);
    struct supervise_hooks hooks = {
        .self = &run, .started = on_started, .stopped = on_stopped, .refused = on_refused};
    supervisor_init(&run.supervisor, &run.launched, &run.prepared.box.supervision, &hooks);

    int code;
    if (start(&run, &err) != CORDON_OK || watch(&run, &err) != CORDON_OK)
        code = fail(&run, &err);
    else
        code = finish(&run);

    if (run.signals >= 0)
        close(run.signals);
    if (run.report >= 0)
        close(run.report);
    supervisor_release(&run.supervisor);
    changes_release(&run.before);
    run.terminal->release(&run);
    prepared_release(&run.prepared);
    launch_end(&run.launched);
    return code;
}

int command_run(const struct options *options)
{
    return run_shared(options);
}
