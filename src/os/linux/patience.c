/* patience.c - see patience.h. Runs as the user, outside, in the supervising process. */
#include "os/linux/patience.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_NS 2000000L /* again and again: one signal could come just before the call */

/* That it came is all: without SA_RESTART the call fails. */
static void on_signal(int number)
{
    (void)number;
}

cordon_status patience_init(struct patience *p, struct cordon_error *err)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMAX};
    sigset_t set;
    sigemptyset(&action.sa_mask);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMAX);
    p->made = sigaction(SIGRTMAX, &action, NULL) == 0 && sigprocmask(SIG_UNBLOCK, &set, NULL) == 0 &&
              timer_create(CLOCK_MONOTONIC, &event, &p->timer) == 0;
    return p->made ? CORDON_OK
                   : error_set(err, CORDON_E_SYSTEM, errno, "linux.broker", "cannot make a timer: %s",
                               strerror(errno));
}

void patience_release(struct patience *p)
{
    if (p->made)
        timer_delete(p->timer);
    p->made = false;
}

static void set(const struct patience *p, long nanoseconds)
{
    const struct itimerspec when = {{0, nanoseconds}, {0, nanoseconds}};
    int code = errno;
    timer_settime(p->timer, 0, &when, NULL);
    errno = code;
}

void patience_begin(const struct patience *p)
{
    set(p, PATIENCE_NS);
}

void patience_end(const struct patience *p)
{
    set(p, 0);
}

void patience_close(const struct patience *p, int fd)
{
    patience_begin(p);
    close(fd);
    patience_end(p);
}
