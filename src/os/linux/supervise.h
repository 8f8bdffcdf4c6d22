/* supervise.h - watches one confined tree from outside until its init is gone.
 *
 * The one loop of cordon (run, shell) and of cordon-warden: init's messages, the
 * socket broker, the trace and the guards. Callers add sources of their own
 * (signals, a pty, the library's channel) to the poller before supervise().
 */
#ifndef CORDON_LINUX_SUPERVISE_H
#define CORDON_LINUX_SUPERVISE_H

#include "core/error.h"
#include "core/report.h"
#include "os/linux/launch.h"
#include "os/linux/poller.h"
#include "os/linux/supervision.h"

struct supervise_hooks {
    void *self;
    void (*started)(void *self); /* the exec succeeded: launched.command, launched.pty */
    void (*stopped)(void *self, int signal);
};

struct supervisor {
    struct poller poller;
    struct launched *launched;
    const struct supervision *what;
    struct supervise_hooks hooks;
    struct channel_message last;
    bool has_last; /* `last` is init's word on how the command ended */
    bool started, failed, over;
    struct cordon_error error; /* when failed */
};

/* Both are borrowed until supervisor_release(). */
void supervisor_init(struct supervisor *s, struct launched *launched, const struct supervision *what,
                     const struct supervise_hooks *hooks);
void supervisor_release(struct supervisor *s);

/* After launch_go(). Returns when init is gone: launch_outcome() comes next. An
 * error means that the command never ran. */
cordon_status supervise(struct supervisor *s, struct cordon_error *err);

#endif
