/* spawn.c - cordon_spawn(): a confined, running tree, or one error.
 *
 * Order: the warden first, which makes the namespaces while this thread looks at
 * the machine and plans (a root may have been swapped since cordon_prepare());
 * then its plan. Placeholders and private directories are this process's: it
 * holds their locks, and removes them when the tree has ended (process.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/lib.h"
#include "os/linux/box_run.h"
#include "os/linux/handover.h"

#define STEP "spawn.options"

/* The command's ends of one spawn; closed here once the warden has its copies. */
struct ends {
    int fds[3];
};

static cordon_status invalid(const char *what, struct cordon_error *err)
{
    return error_set(err, CORDON_E_INVALID, 0, STEP, "cordon_spawn: %s", what);
}

static cordon_status check_options(const struct cordon_spawn_options *o, struct cordon_error *err)
{
    if (!o || o->size != sizeof *o)
        return invalid("want `size` to be sizeof(struct cordon_spawn_options), everything unused zero", err);
    if (!o->argv || !o->argv[0] || !o->argv[0][0])
        return invalid("want a command in argv", err);
    for (int i = 0; i < 3; i++) {
        if ((unsigned)o->stdio[i].kind > CORDON_STDIO_FD)
            return invalid("stdio: want a CORDON_STDIO_ value", err);
        if (o->terminal && o->stdio[i].kind != CORDON_STDIO_NULL)
            return invalid("the terminal is descriptor 0, 1 and 2: want no other stdio with it", err);
    }
    return CORDON_OK;
}

static cordon_status open_end(const struct cordon_stdio *how, int i, int *command, int *ours,
                              struct cordon_error *err)
{
    int pair[2];
    switch (how->kind) {
    case CORDON_STDIO_PIPE:
        if (pipe2(pair, O_CLOEXEC) != 0)
            break;
        *command = pair[i == 0 ? 0 : 1];
        *ours = pair[i == 0 ? 1 : 0];
        return CORDON_OK;
    case CORDON_STDIO_INHERIT:
    case CORDON_STDIO_FD:
        /* A copy: what is checked is what is passed on, whatever other threads do with the number. */
        *command = fcntl(how->kind == CORDON_STDIO_FD ? how->fd : i, F_DUPFD_CLOEXEC, 3);
        break;
    default:
        *command = open("/dev/null", (i == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
        break;
    }
    return *command >= 0 ? CORDON_OK
                         : error_set(err, CORDON_E_SYSTEM, errno, STEP,
                                     "cordon_spawn: descriptor %d for the command: %s", i, strerror(errno));
}

static void ends_close(struct ends *ends)
{
    for (int i = 0; i < 3; i++)
        if (ends->fds[i] >= 0)
            close(ends->fds[i]);
}

/* It acts for the user outside the sandbox: the command must not be able to write it. */
static cordon_status check_warden(const struct cordon_box *box, const struct warden_program *program,
                                  struct cordon_error *err)
{
    struct verdict v = decide(&box->box.resolution.resolved, program->path, OP_WRITE);
    if (!v.allowed || decide_is_replaced(&box->box.resolution.resolved, program->path))
        return CORDON_OK;
    return error_set(err, CORDON_E_INVALID, 0, "warden.find",
                     "%s lies where the command could rewrite it (%s): install it elsewhere, or protect it",
                     program->path, v.rule ? v.rule->origin : "the policy");
}

/* Whether it is missing here is found out by the warden, by trying: in a copy of itself, not of the caller.
 */
static bool protection_may_be_missing(const struct cordon_policy *policy)
{
    for (size_t i = 0; i < policy->allow_degraded.count; i++)
        if (strcmp(policy->allow_degraded.items[i], "protect") == 0)
            return true;
    return false;
}

static cordon_status start_warden(struct cordon_process *p, const struct cordon_spawn_options *o,
                                  const struct ends *ends, struct cordon_error *err)
{
    struct warden_program program = {-1, NULL};
    struct warden_begin begin = {
        .magic = WARDEN_MAGIC,
        .own_netns = p->effective.net != NET_ON,
        .pty = o->terminal,
        .may_be_plain = protection_may_be_missing(p->box->policy),
        .window = {.ws_row = o->rows ? o->rows : 24, .ws_col = o->columns ? o->columns : 80}};
    size_t count = 0;
    strncpy(begin.version, CORDON_VERSION, sizeof begin.version - 1);
    while (o->argv[count])
        count++;
    const char **argv = calloc(count + 2, sizeof *argv);
    if (!argv)
        return error_nomem(err, "warden.start");
    argv[0] = "cordon-warden";
    memcpy(argv + 1, o->argv, count * sizeof *argv);
    cordon_status status = warden_find(o->warden, &program, err);
    if (status == CORDON_OK)
        status = check_warden(p->box, &program, err);
    if (status == CORDON_OK)
        status = warden_start(&p->warden, &program, &begin, argv, ends->fds, err);
    if (status == CORDON_OK && begin.may_be_plain)
        status = warden_await_begun(&p->warden, err);
    warden_program_release(&program);
    free(argv);
    return status;
}

static cordon_status prepare(struct cordon_process *p, const struct cordon_spawn_options *o,
                             struct cordon_error *err)
{
    struct box_request request = lib_box_request(p->box->policy, &p->effective);
    request.directory = o->directory;
    request.program = o->argv[0];
    request.inherited = (char *const *)(uintptr_t)o->environment;
    request.plain = p->warden.plain;
    request.trace = o->trace;
    request.effects = true;
    cordon_status status = box_prepare(&p->run, &request, err);
    if (status == CORDON_OK)
        status = report_set_command(&p->run.report, (char *const *)(uintptr_t)o->argv, err);
    return status;
}

static cordon_status go(struct cordon_process *p, const int seal[3], struct cordon_error *err)
{
    struct buf bytes = BUF_INIT;
    struct handover_order order = {
        .plan = p->run.plan, .environment = p->run.environment.items, .supervision = p->run.supervision};
    memcpy(order.seal_stdio, seal, sizeof order.seal_stdio);
    handover_write_order(&bytes, &order);
    cordon_status status =
        buf_failed(&bytes) || bytes.len > HANDOVER_BYTES
            ? error_set(err, CORDON_E_LIMIT, 0, "linux.launch",
                        "the plan and the environment take more than %u MiB", HANDOVER_BYTES >> 20)
            : warden_go(&p->warden, &bytes, err);
    buf_release(&bytes);
    return status;
}

static cordon_status spawn(struct cordon_process *p, const struct cordon_spawn_options *o, struct ends *ends,
                           struct cordon_error *err)
{
    int seal[3] = {0, 0, 0};
    cordon_status status = lib_policy_effective(&p->effective, p->box->policy, err);
    for (int i = 0; i < 3 && status == CORDON_OK; i++)
        status = open_end(&o->stdio[i], i, &ends->fds[i], &p->pipes[i], err);
    if (status == CORDON_OK)
        status = start_warden(p, o, ends, err);
    if (status == CORDON_OK)
        status = prepare(p, o, err);
    if (status == CORDON_OK)
        status = box_check_stdio(&p->run, p->effective.net, ends->fds, seal, err);
    if (status == CORDON_OK && p->watch_changes)
        status = box_snapshot(&p->run, &p->before, err);
    /* Before the command runs: it must be the only one to hold its ends. */
    ends_close(ends);
    ends->fds[0] = ends->fds[1] = ends->fds[2] = -1;
    return status == CORDON_OK ? go(p, seal, err) : status;
}

cordon_status cordon_spawn(const struct cordon_box *box, const struct cordon_spawn_options *options,
                           struct cordon_process **out, struct cordon_error *err)
{
    struct ends ends = {{-1, -1, -1}};
    struct cordon_error unwanted = {.status = CORDON_OK};
    err = err ? err : &unwanted;
    cordon_status status = check_options(options, err);
    if (status != CORDON_OK)
        return status;
    struct cordon_process *p = calloc(1, sizeof *p);
    if (!p)
        return error_nomem(err, "warden.start");
    p->box = box;
    p->watch_changes = options->changes;
    p->keep_report = options->keep_report;
    p->pipes[0] = p->pipes[1] = p->pipes[2] = -1;
    policy_init(&p->effective);
    box_init(&p->run);
    changes_init(&p->before);
    warden_init(&p->warden);
    status = spawn(p, options, &ends, err);
    ends_close(&ends);
    if (status != CORDON_OK) {
        lib_process_free(p);
        box_error_words(err);
        return status;
    }
    *out = p;
    return CORDON_OK;
}
