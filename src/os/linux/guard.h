/* guard.h - watches from outside for what the kernel is not asked to refuse.
 *
 * It stops the tree when the command plants what git would obey (guard_top.h),
 * or when somebody outside takes a protection or a mask away (guard_held.h).
 * What was planted is moved to quarantine. The supervising process runs it:
 * cordon, or cordon-warden; no thread.
 *
 * It looks every 20 ms for half a second and only then lets inotify tell it:
 * closing an inotify descriptor that had a watch takes the kernel 5 ms and more
 * (it waits for its readers), several times what a whole short run takes. The
 * look at the end, when nothing of the tree is alive, misses nothing that is
 * still there. inotify also tells of what was there and is gone.
 */
#ifndef CORDON_LINUX_GUARD_H
#define CORDON_LINUX_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "core/report.h"
#include "os/linux/guard_held.h"
#include "os/linux/guard_top.h"
#include "os/linux/poller.h"
#include "os/linux/supervision.h"

/* Called once, from the poller: kill the tree. */
typedef void guard_tripped(void *self);

/* Plain strings, as a report's refusal: they go to the library as they are. */
struct guard_event {
    const char *operation; /* "create", "replace"; static */
    const char *grant;     /* the option that would allow it, or ""; static */
    char *target;          /* path */
    char *words;           /* one line for people: what, and where it is now */
};

enum { GUARD_EVENTS_MAX = 32 };

struct guard {
    const struct supervision *what;
    struct poller *poller;
    guard_tripped *on_trip;
    void *self;
    struct guard_top top;
    struct guard_held held;
    int timer, inotify; /* -1: none */
    int top_watch;      /* the workspace's, in inotify */
    unsigned looks;
    int blind;    /* errno: not everything could be watched, so it goes on looking */
    bool tripped; /* on_trip was called */
    bool planted; /* something was at the top of the workspace, maybe for a moment */
    struct guard_event events[GUARD_EVENTS_MAX];
    size_t event_count, events_more;
};

void guard_init(struct guard *g);
void guard_release(struct guard *g);

/* Before the go. `what` and `poller` are borrowed until guard_release(). Step
 * "linux.guard". */
cordon_status guard_begin(struct guard *g, const struct supervision *what, struct poller *poller,
                          guard_tripped *on_trip, void *self, struct cordon_error *err);

/* At the end of every run, however it ended: the tree is dead, the placeholders
 * are still there. The last look, and the quarantine. False: something was
 * found, now or before; the events say what. */
bool guard_finish(struct guard *g);

/* Puts what guard_finish() found into the report: the outcome (a trip comes
 * before how the command ended), a refusal and a warning for each event. */
cordon_status guard_report(const struct guard *g, struct report *report, struct cordon_error *err);

#endif
