/* broker_connects.c - see broker_connects.h. Runs as the user, outside.
 *
 * The duplicate shares the caller's open file, and with it O_NONBLOCK: the flag
 * is set for the microseconds of one connect(2) that must not block. The command
 * may clear it just then: patience.h ends that wait, and the caller gets EINTR.
 * When an internet socket can be written to, connect(2) is called again instead of
 * reading SO_ERROR: only so the kernel's own state of the socket is as after a
 * connect that waited.
 */
#include "os/linux/broker_connects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SWEEP_MS 100 /* how long a caller that is gone may keep its place */
#define PAUSE_MS 16  /* between two tries while a server's backlog is full */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void job_release(const struct connects *c, struct connect_job *job)
{
    patience_close(&c->patience, job->fd);
    if (job->pin >= 0)
        close(job->pin);
}

/* 0 or an errno. Never waits longer than the patience: EINTR, and then the
 * command has made it wait on purpose. */
static int try_once(const struct connects *c, const struct connect_job *job, bool *was_blocking)
{
    int flags = fcntl(job->fd, F_GETFL);
    *was_blocking = flags >= 0 && !(flags & O_NONBLOCK);
    if (flags < 0 || (*was_blocking && fcntl(job->fd, F_SETFL, flags | O_NONBLOCK) != 0))
        return errno;
    patience_begin(&c->patience);
    int code = connect(job->fd, (const struct sockaddr *)&job->address, job->length) == 0 ? 0 : errno;
    patience_end(&c->patience);
    if (*was_blocking) {
        flags = fcntl(job->fd, F_GETFL); /* another of its flags may have been set meanwhile */
        fcntl(job->fd, F_SETFL, flags & ~O_NONBLOCK);
    }
    return code;
}

static bool must_wait(const struct connect_job *job, int code)
{
    return job->is_unix ? code == EAGAIN : code == EINPROGRESS || code == EALREADY;
}

static void answer(struct connects *c, const struct connect_job *job, int code)
{
    if (code)
        notify_fail(c->notify, &job->request, code);
    else
        notify_return(c->notify, &job->request, 0);
}

static void set_timer(struct connects *c, int64_t now)
{
    int64_t at = now + SWEEP_MS;
    for (size_t i = 0; i < c->count; i++) {
        const struct connect_job *job = c->waiting[i];
        if (job->is_unix && job->next < at)
            at = job->next;
        if (job->deadline >= 0 && job->deadline < at)
            at = job->deadline;
    }
    if (at <= now)
        at = now + 1;
    struct itimerspec when = {{0, 0}, {0, 0}};
    if (c->count)
        when.it_value = (struct timespec){at / 1000, at % 1000 * 1000000};
    timerfd_settime(c->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void forget(struct connects *c, size_t i)
{
    struct connect_job *job = c->waiting[i];
    if (!job->is_unix)
        epoll_ctl(c->epoll, EPOLL_CTL_DEL, job->fd, NULL); /* closing would not: the caller's stays open */
    job_release(c, job);
    free(job);
    c->count--;
    memmove(c->waiting + i, c->waiting + i + 1, (c->count - i) * sizeof(c->waiting[0]));
}

static bool watch(struct connects *c, const struct connect_job *job, int how)
{
    struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT, .data.u64 = job->request.id};
    return epoll_ctl(c->epoll, how, job->fd, &event) == 0;
}

/* True: it was answered, or nobody waits for it any more. */
static bool proceed(struct connects *c, size_t i, int64_t now)
{
    struct connect_job *job = c->waiting[i];
    bool was_blocking;
    if (!notify_valid(c->notify, &job->request)) {
        forget(c, i);
        return true;
    }
    int code = try_once(c, job, &was_blocking);
    if (must_wait(job, code) && (job->deadline < 0 || now < job->deadline)) {
        job->pause = job->pause * 2 < PAUSE_MS ? job->pause * 2 : PAUSE_MS;
        job->next = now + job->pause;
        if (job->is_unix || watch(c, job, EPOLL_CTL_MOD))
            return false;
        code = EAGAIN;
    } else if (must_wait(job, code)) {
        code = job->code;
    }
    if (code == EISCONN)
        code = 0; /* what it waited for; some protocols say so */
    answer(c, job, code);
    forget(c, i);
    return true;
}

static void on_connected(void *self, short revents)
{
    struct connects *c = self;
    struct epoll_event events[16];
    int count = epoll_wait(c->epoll, events, 16, 0);
    (void)revents;
    for (int e = 0; e < count; e++)
        for (size_t i = 0; i < c->count; i++)
            if (c->waiting[i]->request.id == events[e].data.u64) {
                proceed(c, i, now_ms());
                break;
            }
    set_timer(c, now_ms());
}

static bool is_due(const struct connects *c, const struct connect_job *job, int64_t now)
{
    return (job->is_unix && now >= job->next) || (job->deadline >= 0 && now >= job->deadline) ||
           !notify_valid(c->notify, &job->request);
}

static void sweep(struct connects *c, int64_t now)
{
    for (size_t i = 0; i < c->count;)
        if (!is_due(c, c->waiting[i], now) || !proceed(c, i, now))
            i++;
}

static void on_time(void *self, short revents)
{
    struct connects *c = self;
    uint64_t expirations;
    (void)revents;
    (void)!read(c->timer, &expirations, sizeof expirations);
    sweep(c, now_ms());
    set_timer(c, now_ms());
}

cordon_status connects_init(struct connects *c, const struct notify *notify, struct poller *poller,
                            struct cordon_error *err)
{
    c->notify = notify;
    c->poller = poller;
    c->count = 0;
    c->epoll = c->timer = -1;
    cordon_status status = patience_init(&c->patience, err);
    if (status != CORDON_OK)
        return status;
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (c->epoll < 0 || c->timer < 0) {
        int code = errno;
        connects_release(c);
        return error_set(err, CORDON_E_SYSTEM, code, "linux.broker", "cannot watch sockets: %s",
                         strerror(code));
    }
    if (!poller_add(poller, c->epoll, POLLIN, on_connected, c) ||
        !poller_add(poller, c->timer, POLLIN, on_time, c)) {
        connects_release(c);
        return error_set(err, CORDON_E_LIMIT, 0, "linux.broker", "too many descriptors to watch");
    }
    return CORDON_OK;
}

void connects_release(struct connects *c)
{
    while (c->count)
        forget(c, c->count - 1);
    if (c->epoll >= 0) {
        poller_remove(c->poller, c->epoll);
        close(c->epoll);
    }
    if (c->timer >= 0) {
        poller_remove(c->poller, c->timer);
        close(c->timer);
    }
    c->epoll = c->timer = -1;
    patience_release(&c->patience);
}

/* SO_SNDTIMEO, as the kernel counts it. */
static int64_t deadline_of(int fd, int64_t now)
{
    struct timeval limit;
    socklen_t size = sizeof limit;
    if (getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &size) != 0 ||
        (limit.tv_sec == 0 && limit.tv_usec == 0) || limit.tv_sec > INT32_MAX)
        return -1;
    return now + (int64_t)limit.tv_sec * 1000 + limit.tv_usec / 1000;
}

static bool keep_waiting(struct connects *c, const struct connect_job *job, int code, int64_t now)
{
    if (c->count == CONNECTS_MAX)
        sweep(c, now);
    struct connect_job *kept = c->count < CONNECTS_MAX ? malloc(sizeof *kept) : NULL;
    if (!kept)
        return false;
    *kept = *job;
    kept->deadline = deadline_of(job->fd, now);
    kept->pause = 1;
    kept->code = code;
    kept->next = now + kept->pause;
    if (!kept->is_unix && !watch(c, kept, EPOLL_CTL_ADD)) {
        free(kept);
        return false;
    }
    c->waiting[c->count++] = kept;
    set_timer(c, now);
    return true;
}

void connects_start(struct connects *c, const struct connect_job *given)
{
    struct connect_job job = *given;
    bool was_blocking;
    if (job.pin >= 0) { /* the very object that was judged, whatever the path names now */
        struct sockaddr_un *name = (struct sockaddr_un *)&job.address;
        memset(&job.address, 0, sizeof job.address);
        name->sun_family = AF_UNIX;
        snprintf(name->sun_path, sizeof name->sun_path, "/proc/self/fd/%d", job.pin);
        job.length = sizeof *name;
    }
    int code = try_once(c, &job, &was_blocking);
    if (was_blocking && must_wait(&job, code)) {
        if (keep_waiting(c, &job, code, now_ms()))
            return;
        code = EAGAIN; /* said of a socket that could not wait; none of connect(2)'s means "too many" */
    }
    answer(c, &job, code);
    job_release(c, &job);
}
