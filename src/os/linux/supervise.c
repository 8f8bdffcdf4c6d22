/* supervise.c - see supervise.h. Runs as the user, outside, in cordon or cordon-warden. */
#include "os/linux/supervise.h"

#include <string.h>

void supervisor_init(struct supervisor *s, struct launched *launched, const struct supervision *what,
                     const struct supervise_hooks *hooks)
{
    memset(s, 0, sizeof *s);
    poller_init(&s->poller);
    s->launched = launched;
    s->what = what;
    s->hooks = *hooks;
}

void supervisor_release(struct supervisor *s)
{
    poller_init(&s->poller);
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
    if (!s->started)
        return error_set(err, CORDON_E_SYSTEM, 0, "linux.launch",
                         "the sandbox's init was ended from outside before the command ran");
    return CORDON_OK;
}
