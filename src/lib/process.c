/* process.c - a running tree: its pipes, its end, its report (cordon_process_*). */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/lib.h"
#include "os/linux/box_run.h"
#include "os/linux/handover.h"
#include "os/linux/last_report.h"

long cordon_process_pid(const struct cordon_process *process)
{
    return process->warden.command;
}

int cordon_process_wait_handle(const struct cordon_process *process)
{
    return process->warden.handle;
}

static int take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

int cordon_process_take_pipe(struct cordon_process *process, int descriptor)
{
    return descriptor >= 0 && descriptor < 3 ? take(&process->pipes[descriptor]) : -1;
}

int cordon_process_take_terminal(struct cordon_process *process)
{
    return take(&process->warden.terminal);
}

cordon_status cordon_process_signal(struct cordon_process *process, int number, struct cordon_error *err)
{
    if (number <= 0 || number >= NSIG)
        return error_set(err, CORDON_E_INVALID, 0, "process.signal", "%d is no signal", number);
    return warden_signal(&process->warden, number)
               ? CORDON_OK
               : error_set(err, CORDON_E_INVALID, 0, "process.signal", "the process has ended");
}

void cordon_process_kill(struct cordon_process *process)
{
    warden_kill_tree(&process->warden);
}

/* -- the end ---------------------------------------------------------------- */

/* `limit` came along as bytes, which are freed: the same word that stays. */
static const char *limit_word(const char *limit)
{
    for (int i = 0; limit && i < LIMIT_COUNT_; i++)
        if (strcmp(limit, policy_limit_name((enum policy_limit)i)) == 0)
            return policy_limit_name((enum policy_limit)i);
    return NULL;
}

static cordon_status take_result(struct report *report, const struct handover_result *result,
                                 struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    report->outcome = result->outcome;
    report->outcome.limit = limit_word(result->outcome.limit);
    for (size_t i = 0; i < result->refusal_count && status == CORDON_OK; i++) {
        const struct report_refusal *r = &result->refusals[i];
        const struct refusal refusal = {r->operation, r->target, r->rule, r->suggested_grant};
        status = report_add_refusal(report, &refusal, r->count, err);
    }
    report->refusals_unlisted += result->refusals_unlisted;
    for (size_t i = 0; result->warnings[i] && status == CORDON_OK; i++)
        status = report_add_warning(report, err, "%s", result->warnings[i]);
    return status;
}

/* What went wrong with the report does not undo the run: it is a warning. */
static void warn(struct cordon_process *p, cordon_status status, const char *what,
                 const struct cordon_error *err)
{
    struct cordon_error ignored;
    if (status != CORDON_OK)
        report_add_warning(&p->run.report, &ignored, "%s: %s", what, err->message);
}

static void compare_trees(struct cordon_process *p)
{
    struct changes after;
    struct cordon_error err;
    changes_init(&after);
    cordon_status status = box_snapshot(&p->run, &after, &err);
    if (status == CORDON_OK)
        status = changes_compare(&p->before, &after, &p->run.report, &err);
    warn(p, status, "changed files are not known", &err);
    changes_release(&after);
}

static void keep_report(struct cordon_process *p)
{
    struct buf text = BUF_INIT;
    struct cordon_error err;
    cordon_status status = report_to_json(&p->run.report, &text, &err);
    if (status == CORDON_OK && !buf_failed(&text))
        status = last_report_store(&p->run.places, &text, &err);
    warn(p, status, "the report is not kept", &err);
    buf_release(&text);
}

/* The placeholders go before the second look: it shall see the user's tree and not ours. */
static void finish(struct cordon_process *p)
{
    struct report *report = &p->run.report;
    struct cordon_error err;
    if (report->outcome.forks_refused)
        report_add_warning(report, &err, "the limit of %llu processes was reached: forks were refused",
                           (unsigned long long)p->run.plan.cgroup_processes);
    if (p->run.placeholders.count)
        warden_wait_gone(&p->warden); /* a directory that is still mounted on inside is dear to remove */
    placeholders_remove(&p->run.placeholders, &p->run.places);
    if (p->watch_changes)
        compare_trees(p);
    if (p->keep_report)
        keep_report(p);
}

static void await(struct cordon_process *p)
{
    void *bytes = NULL;
    size_t size = 0;
    cordon_status status = warden_wait(&p->warden, &bytes, &size, &p->error);
    if (status == CORDON_OK) {
        const struct handover_result *result = handover_read_result(bytes, size);
        status = result ? take_result(&p->run.report, result, &p->error)
                        : error_set(&p->error, CORDON_E_SYSTEM, 0, "warden.lost",
                                    "what cordon-warden said of the end is damaged");
    }
    free(bytes);
    if (status == CORDON_OK)
        p->error.status = CORDON_OK;
    finish(p);
    p->ended = true;
}

cordon_status cordon_process_wait(struct cordon_process *process, struct cordon_outcome *out,
                                  struct cordon_error *err)
{
    static const enum cordon_outcome_kind kinds[] = {
        [OUTCOME_FAILED] = CORDON_OUTCOME_FAILED,     [OUTCOME_GUARDED] = CORDON_OUTCOME_GUARDED,
        [OUTCOME_LIMIT] = CORDON_OUTCOME_LIMIT,       [OUTCOME_TIMED_OUT] = CORDON_OUTCOME_TIMED_OUT,
        [OUTCOME_SIGNALED] = CORDON_OUTCOME_SIGNALED, [OUTCOME_EXITED] = CORDON_OUTCOME_EXITED,
    };
    if (!process->ended)
        await(process);
    if (process->error.status != CORDON_OK) {
        if (err)
            *err = process->error;
        return process->error.status;
    }
    const struct outcome *o = &process->run.report.outcome;
    if (out)
        *out = (struct cordon_outcome){.kind = kinds[o->kind],
                                       .code = o->code,
                                       .signal = o->signal,
                                       .status = outcome_exit_code(o),
                                       .limit = o->limit,
                                       .wall_ms = o->wall_ms,
                                       .cpu_ms = o->cpu_ms,
                                       .max_rss_bytes = o->max_rss_bytes,
                                       .processes = o->processes};
    return CORDON_OK;
}

cordon_status cordon_process_report_json(const struct cordon_process *process, char **out,
                                         struct cordon_error *err)
{
    struct buf text = BUF_INIT;
    struct cordon_error unwanted = {.status = CORDON_OK};
    err = err ? err : &unwanted;
    if (!process->ended)
        return error_set(err, CORDON_E_INVALID, 0, "report.early",
                         "the report is made when the tree has ended: call cordon_process_wait() first");
    cordon_status status = report_to_json(&process->run.report, &text, err);
    char *taken = status == CORDON_OK ? buf_take(&text) : NULL;
    buf_release(&text);
    if (status == CORDON_OK && !taken)
        status = error_nomem(err, "report.build");
    if (status == CORDON_OK)
        *out = taken;
    return status;
}

void lib_process_free(struct cordon_process *p)
{
    warden_release(&p->warden); /* first: nothing inside may still hold what is removed next */
    for (int i = 0; i < 3; i++)
        if (p->pipes[i] >= 0)
            close(p->pipes[i]);
    changes_release(&p->before);
    box_release(&p->run);
    policy_release(&p->effective);
    free(p);
}

void cordon_process_close(struct cordon_process *process)
{
    if (process)
        lib_process_free(process);
}
