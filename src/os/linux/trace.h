/* trace.h - `--trace`: records what the policy refuses, while the kernel refuses it.
 *
 * The filter asks about every call that could be refused for its path; the trace
 * reads the path, asks decide(), and lets the kernel carry the call on, whatever
 * decide() said: it enforces nothing, and a wrong guess is a wrong line of the
 * report. Reads are seen only where deny_read hides something.
 *
 * In the supervising process: the user, outside; no thread. What a command can
 * make it wait for, and what it keeps, is bounded.
 */
#ifndef CORDON_LINUX_TRACE_H
#define CORDON_LINUX_TRACE_H

#include <stdbool.h>

#include "core/error.h"
#include "core/report.h"
#include "os/linux/notify.h"
#include "os/linux/supervision.h"

struct trace;

typedef void trace_refused(void *self, const struct refusal *refusal);

/* All but `refused`'s own data is borrowed until trace_free(). Step "linux.trace". */
struct trace_setup {
    const struct notify *notify;
    const struct supervision *what;
    const char *home; /* the user's; NULL: not known */
    trace_refused *refused;
    void *self;
};
cordon_status trace_new(struct trace **out, const struct trace_setup *setup, struct cordon_error *err);
void trace_free(struct trace *t); /* tolerates NULL */

/* Answers `r`, always so that the kernel carries it on. */
void trace_handle(struct trace *t, const struct notify_request *r);

/* This process may not look into the command's (Yama at 3, a container's
 * profile): what was refused is not known. NULL: false. */
bool trace_is_blind(const struct trace *t);

#endif
