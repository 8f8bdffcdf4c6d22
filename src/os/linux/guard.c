/* guard.c - see guard.h. Runs as the user, outside, in cordon's or the warden's loop. */
#include "os/linux/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "os/linux/beneath.h"
#include "os/linux/quarantine.h"

#define STEP "linux.guard"
#define LOOK_MS 20
#define LOOKS_BEFORE_WATCHING 25
#define LOOK_ENTRIES 256 /* at most, in one look: a pattern can name thousands */
#define READS_AT_ONCE 32 /* so that a flood of events leaves the rest of the loop its turn */
#define WATCHED (IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR)

void guard_init(struct guard *g)
{
    memset(g, 0, sizeof *g);
    guard_top_init(&g->top);
    guard_held_init(&g->held);
    g->timer = g->inotify = g->top_watch = -1;
}

static void stop_looking(struct guard *g)
{
    if (g->timer < 0)
        return;
    poller_remove(g->poller, g->timer);
    close(g->timer);
    g->timer = -1;
}

static void stop_watching(struct guard *g)
{
    if (g->inotify < 0)
        return;
    poller_remove(g->poller, g->inotify);
    close(g->inotify);
    g->inotify = -1;
}

void guard_release(struct guard *g)
{
    stop_looking(g);
    stop_watching(g);
    guard_top_release(&g->top);
    guard_held_release(&g->held);
    for (size_t i = 0; i < g->event_count; i++) {
        free(g->events[i].target);
        free(g->events[i].words);
    }
    guard_init(g);
}

/* -- while it runs ---------------------------------------------------------- */

static void trip(struct guard *g)
{
    if (g->tripped)
        return;
    g->tripped = true;
    stop_looking(g);
    if (g->inotify >= 0)
        poller_remove(g->poller, g->inotify); /* not closed: that takes a while, and the tree is alive */
    g->on_trip(g->self);
}

static bool look(struct guard *g, size_t most)
{
    if (guard_top_look(&g->top))
        g->planted = true;
    bool kept = guard_held_look_some(&g->held, most);
    return !g->planted && kept;
}

/* One event; false: trip. */
static bool heed(struct guard *g, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) {
        guard_top_follow(&g->top);
        return look(g, g->held.count);
    }
    if (event->len == 0)
        return true;
    if (event->wd == g->top_watch && guard_top_event(&g->top, event->mask, event->name)) {
        g->planted = true;
        return false;
    }
    return guard_held_event(&g->held, event->wd, event->mask, event->name);
}

/* False: trip. */
static bool read_events(struct guard *g, int reads)
{
    _Alignas(struct inotify_event) char bytes[16384];
    bool kept = true;
    for (int n = 0; n < reads; n++) {
        ssize_t got = read(g->inotify, bytes, sizeof bytes);
        if (got <= 0)
            break;
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const void *)(bytes + at);
            at += (ssize_t)(sizeof *event + event->len);
            kept = heed(g, event) && kept;
        }
    }
    /* A volume that folds case takes other names for these as well; a look asks it. */
    if (guard_top_look(&g->top))
        g->planted = true;
    return kept && !g->planted;
}

static void on_events(void *self, short revents)
{
    struct guard *g = self;
    (void)revents;
    if (!read_events(g, READS_AT_ONCE))
        trip(g);
}

/* Lets inotify tell from now on. What it cannot watch is looked at as before. */
static void start_watching(struct guard *g)
{
    char proc[40];
    bool all = true;
    g->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (g->inotify < 0 || !poller_add(g->poller, g->inotify, POLLIN, on_events, g)) {
        g->blind = g->inotify < 0 ? errno : EMFILE;
        if (g->inotify >= 0)
            close(g->inotify);
        g->inotify = -1;
        return;
    }
    if (g->top.git || g->top.shape) {
        snprintf(proc, sizeof proc, "/proc/self/fd/%d", g->top.dir);
        g->top_watch = inotify_add_watch(g->inotify, proc, WATCHED);
        all = g->top_watch >= 0;
    }
    if (!all || !guard_held_watch(&g->held, g->inotify, WATCHED))
        g->blind = errno;
    guard_top_follow(&g->top);
}

static void on_time(void *self, short revents)
{
    struct guard *g = self;
    uint64_t expirations;
    (void)revents;
    if (read(g->timer, &expirations, sizeof expirations) != (ssize_t)sizeof expirations)
        return;
    bool first = ++g->looks == LOOKS_BEFORE_WATCHING;
    if (first)
        start_watching(g);
    if (!look(g, first ? g->held.count : LOOK_ENTRIES))
        trip(g);
    else if (first && !g->blind)
        stop_looking(g);
}

/* -- before ----------------------------------------------------------------- */

static cordon_status start_looking(struct guard *g, struct cordon_error *err)
{
    static const struct timespec interval = {0, LOOK_MS * 1000000L};
    struct itimerspec when = {interval, interval};
    g->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (g->timer < 0 || timerfd_settime(g->timer, 0, &when, NULL) != 0)
        return error_set(err, CORDON_E_SYSTEM, errno, STEP, "cannot watch the workspace: %s",
                         strerror(errno));
    if (!poller_add(g->poller, g->timer, POLLIN, on_time, g))
        return error_set(err, CORDON_E_LIMIT, 0, STEP, "too many descriptors to watch");
    return CORDON_OK;
}

cordon_status guard_begin(struct guard *g, const struct supervision *what, struct poller *poller,
                          guard_tripped *on_trip, void *self, struct cordon_error *err)
{
    const struct resolved *resolved = what->resolved;
    const struct rule *rule = resolved_at(resolved, resolved->workspace);
    struct stat st;
    if (!what->guards)
        return CORDON_OK;
    g->what = what;
    g->poller = poller;
    g->on_trip = on_trip;
    g->self = self;
    int top = beneath_open_absolute(resolved->workspace, O_PATH | O_DIRECTORY);
    if (top < 0 || fstat(top, &st) != 0) {
        int code = errno;
        if (top >= 0)
            close(top);
        return error_set(err, CORDON_E_SYSTEM, code, STEP, "cannot watch the workspace %s: %s",
                         resolved->workspace, strerror(code));
    }
    cordon_status status = guard_top_begin(&g->top, top, resolved, err);
    if (status == CORDON_OK && rule && rule->ino &&
        (rule->ino != (uint64_t)st.st_ino || rule->dev != (uint64_t)st.st_dev))
        status = error_set(err, CORDON_E_CONFLICT, 0, STEP,
                           "the workspace %s was replaced while the sandbox was being made: run it again",
                           resolved->workspace);
    if (status == CORDON_OK)
        status = guard_held_begin(&g->held, resolved, g->top.dir, err);
    if (status == CORDON_OK && (g->top.git || g->top.shape || g->held.count))
        status = start_looking(g, err);
    return status;
}

/* -- after ------------------------------------------------------------------ */

/* Takes `words` and copies the target; without memory the event is only counted. */
static void add_event(struct guard *g, const char *operation, const char *grant, const char *target,
                      char *words)
{
    char *copy = g->event_count < GUARD_EVENTS_MAX ? string_copy(target) : NULL;
    if (!copy || !words) {
        g->events_more++;
        free(copy);
        free(words);
        return;
    }
    g->events[g->event_count++] = (struct guard_event){operation, grant, copy, words};
}

/* What the command planted goes, name by name: together, in one directory, the
 * parts would be a repository again. */
static void move_away(struct guard *g, unsigned away, struct buf *words)
{
    struct quarantine quarantine;
    struct buf stored = BUF_INIT, here = BUF_INIT, failed = BUF_INIT;
    quarantine_init(&quarantine, g->what->state);
    for (unsigned i = 0; i < TOP_NAMES; i++) {
        struct cordon_error err;
        char *to = NULL;
        bool in_place = false;
        if (!(away & (1u << i)))
            continue;
        if (quarantine_move(&quarantine, g->top.dir, guard_top_name(i), &to, &in_place, &err) != CORDON_OK) {
            buf_add_format(&failed, "%s%s", failed.len ? ", " : "", err.message);
            continue;
        }
        struct buf *list = in_place ? &here : &stored;
        buf_add_format(list, "%s%s", list->len ? ", " : "", to);
        free(to);
    }
    if (stored.len)
        buf_add_format(words, "; moved to %s/quarantine: %s", g->what->state, stored.data);
    if (here.len)
        buf_add_format(words, "; renamed where it lay: %s", here.data);
    if (failed.len)
        buf_add_format(words, "; STILL THERE, remove it before you use git here: %s", failed.data);
    words->failed = words->failed || stored.failed || here.failed || failed.failed;
    buf_release(&stored);
    buf_release(&here);
    buf_release(&failed);
    quarantine_release(&quarantine);
}

static void settle_top(struct guard *g)
{
    unsigned away = guard_top_look(&g->top);
    const char *workspace = g->what->resolved->workspace;
    struct buf words = BUF_INIT, target = BUF_INIT;
    if (!away && !g->planted)
        return;
    bool git = away ? away & (1u << TOP_GIT) : g->top.git;
    buf_add_format(&words, "%s appeared at the top of the workspace %s, where git would obey it",
                   git ? ".git" : "a bare repository", workspace);
    buf_add_string(&words, g->tripped ? ": the command was stopped" : ": found when the command had ended");
    if (away)
        move_away(g, away, &words);
    else
        buf_add_string(&words, "; it was gone again");
    buf_add_string(&words, "; if you want one there: --unprotect .git");
    path_join(PATH_POSIX, &target, workspace, git ? ".git" : "HEAD");
    add_event(g, "create", "--unprotect .git", buf_failed(&target) ? workspace : target.data,
              buf_take(&words));
    buf_release(&target);
}

static void settle_held(struct guard *g)
{
    for (size_t i = 0; i < g->held.count; i++) {
        const struct guard_entry *entry = &g->held.entries[i];
        if (!entry->dropped)
            continue;
        add_event(
            g, "replace", "", entry->path,
            string_format("%s was replaced, renamed or removed from outside, which took away what %s it "
                          "inside: %s",
                          entry->path, entry->hidden ? "hid" : "protected",
                          g->tripped ? "the command was stopped" : "found when the command had ended"));
    }
}

bool guard_finish(struct guard *g)
{
    struct stat st;
    int mode = -1;
    if (!g->what)
        return true;
    stop_looking(g);
    if (g->inotify >= 0) {
        poller_remove(g->poller, g->inotify);
        read_events(g, 1 << 20); /* to the end */
    }
    /* The command may have closed the workspace (chmod 0) over what it planted. Its
     * mode comes back: it is not ours to judge. */
    if (fstatat(g->top.dir, ".", &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == EACCES)
        mode = beneath_open_up(g->top.dir);
    guard_held_look_some(&g->held, g->held.count);
    settle_top(g);
    settle_held(g);
    if (mode >= 0)
        beneath_set_mode(g->top.dir, mode);
    return g->event_count == 0 && g->events_more == 0;
}

cordon_status guard_report(const struct guard *g, struct report *report, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    if (g->event_count || g->events_more) {
        report->outcome.kind = OUTCOME_GUARDED;
        report->outcome.code = -1;
    }
    for (size_t i = 0; i < g->event_count && status == CORDON_OK; i++) {
        const struct guard_event *event = &g->events[i];
        status = report_add_refusal(
            report, &(struct refusal){event->operation, event->target, "guard", event->grant}, 1, err);
        if (status == CORDON_OK)
            status = report_add_warning(report, err, "%s", event->words);
    }
    if (status == CORDON_OK && g->events_more)
        status =
            report_add_warning(report, err, "%zu more things were taken away from outside", g->events_more);
    if (status == CORDON_OK && g->top.repository)
        status = report_add_warning(report, err,
                                    "the workspace was a bare repository from the start: only a new "
                                    "`commondir` in it would have been stopped");
    if (status == CORDON_OK && g->blind)
        status = report_add_warning(report, err,
                                    "not everything protected could be watched (%s): it was looked at every "
                                    "%d ms instead; raise fs.inotify.max_user_instances and max_user_watches",
                                    strerror(g->blind), LOOK_MS);
    return status;
}
