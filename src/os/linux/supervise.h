/* supervise.h - watches one confined tree from outside until its init is gone.
 *
 * The one loop of cordon (run, shell) and of cordon-warden: init's messages, the
 * socket broker, the trace and the guards. Callers add sources of their own
 * (signals, a pty, the library's channel) to the poller before supervise().
 *
 * Order: supervisor_init(), supervise_begin(), launch_go(), supervise(),
 * launch_outcome(), guard_finish(&s.guard), supervisor_release().
 */
#ifndef CORDON_LINUX_SUPERVISE_H
#define CORDON_LINUX_SUPERVISE_H

#include "core/error.h"
#include "core/report.h"
#include "os/linux/broker.h"
#include "os/linux/guard.h"
#include "os/linux/launch.h"
#include "os/linux/notify.h"
#include "os/linux/poller.h"
#include "os/linux/supervision.h"
#include "os/linux/trace.h"

struct supervise_hooks {
    void *self;
    void (*started)(void *self); /* the exec succeeded: launched.command, launched.pty */
    void (*stopped)(void *self, int signal);
    void (*refused)(void *self, const struct refusal *refusal); /* broker and trace */
};

struct supervisor {
    struct poller poller;
    struct launched *launched;
    const struct supervision *what;
    struct supervise_hooks hooks;
    struct guard guard;
    struct notify notify;  /* fd -1: the listener has not come, or was closed */
    struct broker *broker; /* NULL: the plan has none */
    struct trace *trace;   /* the same */
    struct channel_message last;
    bool has_last; /* `last` is init's word on how the command ended */
    bool started, failed, over;
    struct cordon_error error; /* when failed */
};

/* Both are borrowed until supervisor_release(). */
void supervisor_init(struct supervisor *s, struct launched *launched, const struct supervision *what,
                     const struct supervise_hooks *hooks);
void supervisor_release(struct supervisor *s); /* before launch_end(): it uses the listener */

/* Before the go: what must watch from the first moment on. */
cordon_status supervise_begin(struct supervisor *s, struct cordon_error *err);

/* After the go. Returns when the tree has ended. An error means that the command never ran. */
cordon_status supervise(struct supervisor *s, struct cordon_error *err);

#endif
