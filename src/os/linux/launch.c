/* launch.c - the launcher's half (see launch.h and init.c). Runs as the user,
 * outside. Order: one clone3 with every namespace, so that init can begin; then,
 * when the plan is known, what needs outside paths (Landlock ruleset, control
 * group), id maps, go.
 */
#include "os/linux/launch.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "os/linux/init.h"
#include "os/linux/init_plain.h"
#include "os/linux/landlock_apply.h"
#include "os/linux/sys.h"

void launched_init(struct launched *l)
{
    memset(l, 0, sizeof *l);
    l->init = -1;
    l->command = -1;
    l->channel = -1;
    l->listener = -1;
    l->pty = -1;
}

static const char *variable(char *const *environment, const char *name)
{
    size_t len = strlen(name);
    for (; *environment; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return *environment + len + 1;
    return NULL;
}

/* The full paths to try, as execvp would, but with the command's own PATH. */
static char **find_candidates(struct arena *arena, const char *name, char *const *environment)
{
    const char *path = variable(environment, "PATH");
    if (!path)
        path = "/usr/local/bin:/usr/bin:/bin";
    size_t parts = 1, count = 0;
    for (const char *c = path; *c; c++)
        parts += *c == ':';
    char **list = arena_take(arena, (parts + 1) * sizeof *list);
    if (list && strchr(name, '/'))
        list[count++] = arena_string(arena, name);
    while (list && *name && !strchr(name, '/')) {
        size_t len = strcspn(path, ":");
        char *joined = len ? string_format("%.*s/%s", (int)len, path, name) : string_copy(name);
        list[count] = joined ? arena_string(arena, joined) : NULL;
        free(joined);
        if (!list[count++])
            return NULL;
        if (!path[len])
            break;
        path += len + 1;
    }
    return list;
}

static char **script_arguments(struct arena *arena, char *const *argv)
{
    static char shell[] = "/bin/sh";
    size_t count = 0;
    while (argv[count])
        count++;
    char **out = arena_take(arena, (count + 2) * sizeof *out);
    if (!out)
        return NULL;
    out[0] = shell; /* init is the same program: the same address */
    for (size_t i = 1; i < count; i++)
        out[i + 1] = argv[i];
    return out;
}

static cordon_status write_file(pid_t pid, const char *file, const char *text, struct cordon_error *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t len = (ssize_t)strlen(text);
    ssize_t wrote = fd < 0 ? -1 : write(fd, text, (size_t)len);
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (wrote == len)
        return CORDON_OK;
    return error_set(err, CORDON_E_UNSUPPORTED, code, "linux.userns.map",
                     "cannot map the user into its own user namespace (%s: %s); `cordon doctor` says what "
                     "helps",
                     file, strerror(code));
}

static cordon_status write_maps(const struct linux_plan *plan, pid_t pid, struct cordon_error *err)
{
    char uids[64] = "", gids[64] = "";
    for (size_t i = 0; i < plan->uid_count; i++)
        snprintf(uids + strlen(uids), sizeof uids - strlen(uids), "%u %u 1\n", plan->uid_map[i],
                 plan->uid_map[i]);
    for (size_t i = 0; i < plan->gid_count; i++)
        snprintf(gids + strlen(gids), sizeof gids - strlen(gids), "%u %u 1\n", plan->gid_map[i],
                 plan->gid_map[i]);
    cordon_status status = write_file(pid, "setgroups", "deny", err);
    if (status == CORDON_OK)
        status = write_file(pid, "uid_map", uids, err);
    if (status == CORDON_OK)
        status = write_file(pid, "gid_map", gids, err);
    return status;
}

static cordon_status clone_failed(int code, struct cordon_error *err)
{
    if (code == EPERM || code == ENOSYS || code == ENOSPC || code == EINVAL)
        return error_set(
            err, CORDON_E_UNSUPPORTED, code, "linux.userns.clone",
            "this machine does not let this user make user namespaces (%s): a container's seccomp profile, "
            "Ubuntu's AppArmor restriction, or user.max_user_namespaces = 0; `cordon doctor` says which, "
            "what helps, and what --allow-degraded protect can do without",
            strerror(code));
    return error_set(err, CORDON_E_SYSTEM, code, "linux.userns.clone",
                     "cannot make the sandbox's namespaces: %s", strerror(code));
}

/* One clone3: every namespace at once but the network's, which init makes meanwhile. */
static pid_t clone_init(struct init_context *context, int parent_channel)
{
    struct sys_clone_args args = {.exit_signal = SIGCHLD};
    args.flags =
        CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | SYS_CLONE_NEWCGROUP;
    pid_t pid = (pid_t)syscall(SYS_NR_CLONE3, &args, sizeof args);
    if (pid == 0) {
        close(parent_channel); /* else its end would never be seen */
        init_main(context);
    }
    return pid;
}

/* Init as every run has it, or the one that does without namespaces. */
static cordon_status start_init(const struct launch_setup *setup, struct launched *l, int parent_channel,
                                struct cordon_error *err)
{
    if (setup->plain && setup->pty)
        return error_set(
            err, CORDON_E_UNSUPPORTED, 0, "linux.plan.plain",
            "without user namespaces there is no terminal of the sandbox's own: `cordon run -- sh` "
            "instead of `cordon shell`");
    l->plain = setup->plain;
    l->init =
        setup->plain ? init_plain_start(l->context, parent_channel) : clone_init(l->context, parent_channel);
    return l->init < 0 ? clone_failed(errno, err) : CORDON_OK;
}

/* Hints to the scheduler, and no more: the mask is as before at once, so that
 * nothing stays tied to a processor; where they fail, a launch is slower.
 *
 * Elsewhere: the kernel may leave a new process on its maker's processor, where
 * it would wait until we do; then nothing of what init does before the plan comes
 * would happen beside our planning. Here: when we are about to wait and init has
 * not even looked at the plan, it stands behind the network's helper. */
static void place(pid_t init, bool here)
{
    cpu_set_t all, some;
    int cpu = sched_getcpu();
    if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    CPU_ZERO(&some);
    CPU_SET((size_t)cpu, &some);
    if (!here)
        CPU_XOR(&some, &all, &some);
    if (CPU_COUNT(&some) > 0 && sched_setaffinity(init, sizeof some, &some) == 0)
        sched_setaffinity(init, sizeof all, &all);
}

static cordon_status open_channel(int pair[2], struct cordon_error *err)
{
    int on = 1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 ||
        setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
        return error_set(err, CORDON_E_SYSTEM, errno, "linux.launch", "cannot make a socket pair: %s",
                         strerror(errno));
    return CORDON_OK;
}

cordon_status launch_begin(const struct launch_setup *setup, struct launched *out, struct cordon_error *err)
{
    struct launched started;
    int pair[2] = {-1, -1};
    launched_init(&started);
    cordon_status status = arena_open(&started.arena, err);
    if (status == CORDON_OK)
        status = open_channel(pair, err);
    if (status != CORDON_OK)
        goto out;
    started.context = arena_take(&started.arena, sizeof *started.context);
    *started.context = (struct init_context){.argv = setup->argv,
                                             .channel = pair[1],
                                             .terminal = setup->terminal,
                                             .foreground = setup->foreground,
                                             .detach = setup->detach,
                                             .pty = setup->pty,
                                             .pty_everywhere = setup->pty_everywhere,
                                             .window = setup->window,
                                             .modes = setup->modes,
                                             .terminal_fd = -1,
                                             .own_netns = setup->own_netns,
                                             .mask = setup->mask,
                                             .nofile_soft = setup->nofile_soft,
                                             .nofile_hard = setup->nofile_hard,
                                             .scratch.devpts = -1,
                                             .ruleset_fd = -1};
    if (geteuid() != 0 && !setup->plain) {
        snprintf(started.context->uid_map, sizeof started.context->uid_map, "%u %u 1\n", geteuid(),
                 geteuid());
        snprintf(started.context->gid_map, sizeof started.context->gid_map, "%u %u 1\n", getegid(),
                 getegid());
    }
    status = start_init(setup, &started, pair[0], err);
    if (status != CORDON_OK)
        goto out;
    place(started.init, false);
    started.channel = pair[0];
    pair[0] = -1;
out:
    if (pair[0] >= 0)
        close(pair[0]);
    if (pair[1] >= 0)
        close(pair[1]);
    if (status != CORDON_OK)
        launch_kill(&started);
    else
        *out = started;
    return status;
}

static cordon_status fill_arena(struct launched *l, const struct linux_plan *plan, char *const *environment,
                                const int seal_stdio[3], struct cordon_error *err)
{
    struct init_context *context = l->context;
    context->plan = arena_plan(&l->arena, plan);
    context->environment = arena_strings(&l->arena, environment);
    context->candidates = find_candidates(&l->arena, context->argv[0], environment);
    context->script_argv = script_arguments(&l->arena, context->argv);
    context->scratch.slots =
        arena_take(&l->arena, ((size_t)plan->slots + 1) * sizeof *context->scratch.slots);
    if (!context->plan || !context->environment || !context->candidates || !context->script_argv ||
        !context->scratch.slots)
        return error_set(err, CORDON_E_LIMIT, 0, "linux.launch",
                         "the plan and the environment take more than %u MiB", ARENA_BYTES >> 20);
    for (int i = 0; i < plan->slots; i++)
        context->scratch.slots[i] = -1;
    memcpy(context->scratch.seal_stdio, seal_stdio, sizeof context->scratch.seal_stdio);
    return CORDON_OK;
}

static cordon_status enter_cgroup(struct launched *l, const struct linux_plan *plan, struct cordon_error *err)
{
    char pid[24];
    if (!plan->cgroup_memory && !plan->cgroup_processes)
        return CORDON_OK;
    /* init is in the group too, and is none of the processes that the user allowed. */
    uint64_t processes = plan->cgroup_processes ? plan->cgroup_processes + 1 : 0;
    cordon_status status = cgroup_create("", plan->cgroup_memory, processes, &l->cgroup, err);
    if (status != CORDON_OK)
        return status;
    l->has_cgroup = true;
    int len = snprintf(pid, sizeof pid, "%d", (int)l->init);
    int fd = openat(l->cgroup.dir_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    ssize_t wrote = fd < 0 ? -1 : write(fd, pid, (size_t)len);
    int code = errno;
    if (fd >= 0)
        close(fd);
    return wrote == len ? CORDON_OK
                        : error_set(err, CORDON_E_SYSTEM, code, "linux.limit.cgroup",
                                    "cannot put the sandbox into its control group %s: %s", l->cgroup.path,
                                    strerror(code));
}

static cordon_status say(struct launched *l, enum channel_kind kind, int fd, struct cordon_error *err)
{
    struct channel_message message = {.kind = kind}, answer;
    if (channel_send(l->channel, &message, fd, 0))
        return CORDON_OK;
    int code = errno;
    while (launch_read(l, &answer))
        if (answer.kind == CHANNEL_FAILED) { /* its last word */
            *err = answer.error;
            return err->status;
        }
    return error_set(err, CORDON_E_SYSTEM, code, "linux.launch", "the sandbox's init is gone: %s",
                     strerror(code));
}

/* Init mounts while the Landlock ruleset is made, out here where the paths still
 * mean what they did; it travels as a descriptor. */
cordon_status launch_go(struct launched *l, const struct linux_plan *plan, char *const *environment,
                        const int seal_stdio[3], struct cordon_error *err)
{
    int ruleset_fd = -1;
    clock_gettime(CLOCK_MONOTONIC, &l->began);
    cordon_status status = fill_arena(l, plan, environment, seal_stdio, err);
    if (status == CORDON_OK && !l->plain && !l->context->uid_map[0])
        status = write_maps(plan, l->init, err);
    if (status == CORDON_OK)
        status = say(l, CHANNEL_GO, -1, err);
    if (status == CORDON_OK)
        status = landlock_build(plan, &ruleset_fd, err);
    if (status == CORDON_OK)
        status = enter_cgroup(l, plan, err);
    if (status == CORDON_OK)
        status = say(l, CHANNEL_START, ruleset_fd, err);
    if (status == CORDON_OK && !__atomic_load_n(&l->context->taken, __ATOMIC_RELAXED))
        place(l->init, true);
    if (ruleset_fd >= 0)
        close(ruleset_fd);
    return status;
}

bool launch_read(struct launched *l, struct channel_message *message)
{
    int fd;
    pid_t sender;
    if (channel_receive(l->channel, true, message, &fd, &sender) != 1)
        return false;
    if (message->kind == CHANNEL_STARTED)
        l->command = l->plain ? (pid_t)message->value : sender;
    int *place = message->kind == CHANNEL_PTY ? &l->pty : &l->listener;
    bool expected = message->kind == CHANNEL_PTY || message->kind == CHANNEL_LISTENER;
    if (expected && *place < 0)
        *place = fd;
    else if (fd >= 0)
        close(fd);
    return true;
}

static void tell(struct launched *l, enum channel_kind kind, int value)
{
    struct channel_message message = {.kind = kind, .value = value};
    if (l->channel >= 0)
        (void)!send(l->channel, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void launch_signal(struct launched *l, int number)
{
    tell(l, CHANNEL_SIGNAL, number);
}

void launch_give_terminal(struct launched *l)
{
    tell(l, CHANNEL_TERMINAL, 0);
}

/* Reaps init: after it, nothing of the sandbox is left in the kernel. */
static int wait_for_init(struct launched *l, struct rusage *usage)
{
    int status = 0;
    while (wait4(l->init, &status, 0, usage) < 0 && errno == EINTR)
        continue;
    l->init = -1;
    return status;
}

/* Our side first, while the kernel still takes init's down. */
static void end_launched(struct launched *l)
{
    if (l->channel >= 0)
        close(l->channel);
    if (l->listener >= 0)
        close(l->listener);
    if (l->pty >= 0)
        close(l->pty);
    arena_close(&l->arena);
    if (l->init > 0)
        wait_for_init(l, NULL);
    if (l->has_cgroup)
        cgroup_remove(&l->cgroup);
    l->context = NULL;
    l->channel = -1;
    l->listener = -1;
    l->pty = -1;
    l->has_cgroup = false;
    l->init = -1;
}

static uint64_t milliseconds(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_usec / 1000;
}

static void judge(const struct channel_message *last, bool out_of_memory, int init_status, struct outcome *o)
{
    o->kind = OUTCOME_SIGNALED;
    o->code = -1;
    if (out_of_memory) {
        o->kind = OUTCOME_LIMIT;
        o->limit = "memory";
        o->signal = SIGKILL;
    } else if (!last || last->kind != CHANNEL_ENDED) {
        o->signal =
            WIFSIGNALED(init_status) ? WTERMSIG(init_status) : SIGKILL; /* someone outside killed init */
    } else if (last->reason == CHANNEL_WALL_LIMIT) {
        o->kind = OUTCOME_TIMED_OUT;
        o->limit = "wall";
        o->signal = SIGKILL;
    } else if (last->reason == CHANNEL_CPU_LIMIT) {
        o->kind = OUTCOME_LIMIT;
        o->limit = "cpu";
        o->signal = SIGXCPU;
    } else if (last->reason == CHANNEL_FILE_LIMIT) {
        o->kind = OUTCOME_LIMIT;
        o->limit = "file";
        o->signal = SIGXFSZ;
    } else if (WIFSIGNALED(last->wait_status)) {
        o->signal = WTERMSIG(last->wait_status);
    } else {
        o->kind = OUTCOME_EXITED;
        o->code = WEXITSTATUS(last->wait_status);
    }
    o->processes = last && last->kind == CHANNEL_ENDED ? last->processes : -1;
}

void launch_outcome(struct launched *l, const struct channel_message *last, struct outcome *outcome)
{
    struct rusage usage;
    struct timespec now;
    int status = 0;
    struct cgroup_events events = {false, false};
    bool known = last && last->kind == CHANNEL_ENDED && last->empty;
    memset(&usage, 0, sizeof usage);
    memset(outcome, 0, sizeof *outcome);
    if (!known)
        status = wait_for_init(l, &usage);
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (l->has_cgroup)
        cgroup_read_events(&l->cgroup, &events);
    judge(last, events.oom, status, outcome);
    outcome->forks_refused = events.pids_max;
    outcome->wall_ms =
        (uint64_t)((now.tv_sec - l->began.tv_sec) * 1000 + (now.tv_nsec - l->began.tv_nsec) / 1000000);
    outcome->cpu_ms = known ? last->cpu_ms : milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
    outcome->max_rss_bytes = known ? last->max_rss_bytes : (uint64_t)usage.ru_maxrss * 1024;
}

void launch_end(struct launched *l)
{
    end_launched(l);
}

void launch_stop(struct launched *l)
{
    if (l->init <= 0)
        return;
    /* A pid namespace ends with its init; without one init must live to end the tree. */
    if (l->plain)
        shutdown(l->channel, SHUT_WR);
    else
        kill(l->init, SIGKILL);
}

void launch_kill(struct launched *l)
{
    if (l->init > 0)
        launch_stop(l);
    end_launched(l);
}
