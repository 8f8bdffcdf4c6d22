/* run_relayed.c - the command in a terminal of the sandbox's own, the caller's
 * raw and only carrying bytes. Runs as the user, outside.
 *
 * Ctrl-C, Ctrl-Z and the like go through as bytes: the line discipline inside
 * turns them into signals for the job inside that is in front. So a signal that
 * comes to this process was sent by somebody, and is for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "os/posix/pty_relay.h"
#include "os/posix/raw_terminal.h"
#include "run.h"

struct relayed {
    struct raw_terminal terminal;
    struct pty_relay relay;
    int master;
    bool started;
    bool ending; /* hung up, or to be as soon as there is something to hang up */
};

static cordon_status open_relayed(struct run *run, struct cordon_error *err)
{
    static const char *const names[] = {"standard input", "standard output", "standard error"};
    struct relayed *own = run->own;
    for (int fd = 1; fd < 3; fd++)
        if (isatty(fd) && !raw_terminal_same(STDIN_FILENO, fd))
            return error_set(err, CORDON_E_INVALID, 0, "linux.terminal.user",
                             "%s is another terminal than standard input: the shell inside gets one only",
                             names[fd]);
    cordon_status status = raw_terminal_open(&own->terminal, STDIN_FILENO, err);
    if (status != CORDON_OK)
        return status;
    run->setup.terminal = -1;
    run->setup.detach = true; /* of the user's terminal, init too */
    run->setup.pty = true;
    run->setup.window = raw_terminal_size(&own->terminal);
    run->setup.modes = own->terminal.modes;
    return CORDON_OK;
}

static void resize(struct run *run)
{
    struct relayed *own = run->own;
    struct winsize size = raw_terminal_size(&own->terminal);
    if (own->master >= 0 && !own->ending)
        ioctl(own->master, TIOCSWINSZ, &size); /* and SIGWINCH inside, if it differs */
}

/* As when a window is closed: the master's end is SIGHUP for the shell inside,
 * which passes it on to its jobs. The user has the terminal back at once. */
static void hang_up(struct run *run)
{
    struct relayed *own = run->own;
    own->ending = true;
    pty_relay_stop(&own->relay);
    raw_terminal_leave(&own->terminal);
    if (own->master >= 0)
        close(own->master);
    own->master = -1;
}

static void user_hung_up(void *self)
{
    hang_up(self);
}

/* Raw, in the size that it has now, and bytes go through. */
static void attach(struct run *run)
{
    struct relayed *own = run->own;
    if (own->ending || !raw_terminal_enter(&own->terminal)) {
        hang_up(run);
        return;
    }
    resize(run);
    pty_relay_start(&own->relay, &run->supervisor.poller);
}

static void started(struct run *run)
{
    struct relayed *own = run->own;
    own->started = true;
    own->master = run->launched.pty;
    run->launched.pty = -1;
    fcntl(own->master, F_SETFL, O_RDWR | O_NONBLOCK);
    own->relay.terminal = own->terminal.fd;
    own->relay.master = own->master;
    own->relay.hung_up = user_hung_up;
    own->relay.self = run;
    attach(run);
}

/* Ours stops, what is inside goes on until its terminal is full. */
static void suspend(struct run *run)
{
    struct relayed *own = run->own;
    if (own->ending)
        return;
    pty_relay_stop(&own->relay);
    raw_terminal_leave(&own->terminal);
    run_stop_as_a_job();
    attach(run);
}

/* The shell inside stopped itself (`suspend`): back to the one outside. */
static void stopped(struct run *run, int number)
{
    (void)number;
    suspend(run);
    launch_signal(&run->launched, SIGCONT);
}

static void signaled(struct run *run, int number)
{
    struct relayed *own = run->own;
    switch (number) {
    case SIGWINCH:
        resize(run);
        break;
    case SIGTSTP:
        if (own->started)
            suspend(run);
        break;
    case SIGCONT: /* after a SIGSTOP: whoever had the terminal meanwhile set other modes */
        if (own->started && !own->ending)
            attach(run);
        break;
    case SIGHUP:
    case SIGINT:
    case SIGQUIT:
    case SIGTERM:
        /* An interactive shell ignores most of these. Asked twice, nobody is asked any more. */
        if (own->ending && run->launched.init > 0)
            launch_stop(&run->launched);
        else if (own->started)
            hang_up(run);
        own->ending = true;
        break;
    default:
        launch_signal(&run->launched, number);
        break;
    }
}

/* Readable when somebody wants this process to end. -1: cannot be known. */
static int watch_for_end(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGTERM);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static void finish(struct run *run, bool restore)
{
    struct relayed *own = run->own;
    (void)restore; /* always */
    if (own->started && !own->ending) {
        int give_up = watch_for_end();
        pty_relay_finish(&own->relay, give_up);
        if (give_up >= 0)
            close(give_up);
    }
    hang_up(run);
}

static void release(struct run *run)
{
    struct relayed *own = run->own;
    raw_terminal_close(&own->terminal);
}

int run_relayed(const struct options *options)
{
    static const struct run_terminal relayed = {open_relayed, started, stopped, signaled, finish, release};
    struct relayed own = {.terminal.fd = -1, .master = -1};
    pty_relay_init(&own.relay);
    return run_tree(options, &relayed, &own);
}
