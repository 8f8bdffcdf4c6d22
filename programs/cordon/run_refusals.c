/* run_refusals.c - what `--trace` says at the end of a run. As the user, outside.
 *
 * One line: the first refusal is most often the cause of what went wrong. All of
 * them are in the report.
 */
#include <string.h>

#include "core/utf.h"
#include "run.h"

void run_check_trace(struct run *run)
{
    struct report *report = &run->prepared.box.report;
    struct cordon_error err;
    if (!trace_is_blind(run->supervisor.trace))
        return;
    report->observed = OBSERVED_SOCKETS;
    cordon_status status = report_add_warning(
        report, &err,
        "--trace: this machine does not let cordon look into the command's processes (Yama's "
        "ptrace_scope at 3, or a container's profile): what was refused of files is not known");
    say(run->options, "%s", status == CORDON_OK ? report->warnings[report->warning_count - 1] : err.message);
}

void run_say_refusals(const struct run *run)
{
    const struct report *report = &run->prepared.box.report;
    struct buf line = BUF_INIT;
    uint64_t more = report->refusals_unlisted;
    if (!run->options->trace || report->refusal_count == 0)
        return;
    const struct report_refusal *first = &report->refusals[0];
    more += report->refusal_count - 1;
    buf_add_format(&line, "refused: %s ", first->operation);
    utf_escape_display(&line, first->target, strlen(first->target));
    buf_add_string(&line, first->suggested_grant ? "; what would allow it: " : "; ");
    const char *why = first->suggested_grant ? first->suggested_grant : first->rule;
    if (why)
        utf_escape_display(&line, why, strlen(why));
    if (more)
        buf_add_format(&line, "; %llu more, which `cordon report` lists", (unsigned long long)more);
    if (!buf_failed(&line))
        say(run->options, "%s", line.data);
    buf_release(&line);
}
