/* supervise.c - see supervise.h. Runs as the user, outside, in cordon or cordon-warden. */
#include "os/linux/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

void supervisor_init(struct supervisor *s, struct launched *launched, const struct supervision *what,
                     const struct supervise_hooks *hooks)
{
    memset(s, 0, sizeof *s);
    poller_init(&s->poller);
    guard_init(&s->guard);
    s->launched = launched;
    s->what = what;
    s->hooks = *hooks;
    s->notify.fd = -1;
}

void supervisor_release(struct supervisor *s)
{
    broker_free(s->broker);
    trace_free(s->trace);
    guard_release(&s->guard);
    s->broker = NULL;
    s->trace = NULL;
    s->notify.fd = -1;
    poller_init(&s->poller);
}

/* The whole tree: init's death takes it along. The channel's end is seen next. */
static void stop(void *self)
{
    struct supervisor *s = self;
    launch_stop(s->launched);
}

static void fail(struct supervisor *s, const struct cordon_error *err)
{
    s->error = *err;
    s->failed = true;
    stop(s);
}

static void on_request(void *self, short revents)
{
    struct supervisor *s = self;
    struct notify_request request;
    if (!(revents & POLLIN)) {
        poller_remove(&s->poller, s->notify.fd); /* nobody is left who could ask */
        return;
    }
    if (!notify_receive(&s->notify, &request))
        return;
    if (s->broker && broker_takes(request.number))
        broker_handle(s->broker, &request);
    else if (s->trace)
        trace_handle(s->trace, &request);
    else
        notify_fail(&s->notify, &request, ENOSYS);
}

/* Before the command's exec: it cannot ask earlier. */
static void on_listener(struct supervisor *s)
{
    struct cordon_error err;
    s->notify.fd = s->launched->listener;
    struct broker_setup setup = {.poller = &s->poller,
                                 .notify = &s->notify,
                                 .what = s->what,
                                 .refused = s->hooks.refused,
                                 .self = s->hooks.self};
    struct trace_setup traced = {.notify = &s->notify,
                                 .what = s->what,
                                 .home = getenv("HOME"),
                                 .refused = s->hooks.refused,
                                 .self = s->hooks.self};
    if ((s->what->broker && broker_new(&s->broker, &setup, &err) != CORDON_OK) ||
        (s->what->trace && trace_new(&s->trace, &traced, &err) != CORDON_OK))
        fail(s, &err);
    else if (!poller_add(&s->poller, s->notify.fd, POLLIN, on_request, s)) {
        error_set(&err, CORDON_E_LIMIT, 0, "linux.launch", "too many descriptors to watch");
        fail(s, &err);
    }
}

static void on_message(void *self, short revents)
{
    struct supervisor *s = self;
    struct channel_message message;
    (void)revents;
    if (!launch_read(s->launched, &message)) {
        s->over = true;
        return;
    }
    switch (message.kind) {
    case CHANNEL_LISTENER:
        on_listener(s);
        break;
    case CHANNEL_STARTED:
        s->started = true;
        s->hooks.started(s->hooks.self);
        break;
    case CHANNEL_STOPPED:
        s->hooks.stopped(s->hooks.self, message.value);
        break;
    case CHANNEL_FAILED:
        s->error = message.error;
        s->failed = true;
        break;
    case CHANNEL_ENDED:
        s->last = message;
        s->has_last = true;
        s->over = message.empty; /* else the channel's end says so */
        break;
    default:
        break;
    }
}

cordon_status supervise_begin(struct supervisor *s, struct cordon_error *err)
{
    return guard_begin(&s->guard, s->what, &s->poller, stop, s, err);
}

cordon_status supervise(struct supervisor *s, struct cordon_error *err)
{
    if (!poller_add(&s->poller, s->launched->channel, POLLIN, on_message, s))
        return error_set(err, CORDON_E_LIMIT, 0, "linux.launch", "too many descriptors to watch");
    while (!s->over)
        if (!poller_wait(&s->poller))
            return error_set(err, CORDON_E_SYSTEM, 0, "linux.launch", "cannot wait for the sandbox");
    poller_remove(&s->poller, s->launched->channel);
    if (s->failed) {
        *err = s->error;
        return err->status;
    }
    if (!s->started && !s->guard.tripped)
        return error_set(err, CORDON_E_SYSTEM, 0, "linux.launch",
                         "the sandbox's init was ended from outside before the command ran");
    return CORDON_OK;
}
