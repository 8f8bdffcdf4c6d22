/* run_shared.c - the command in the caller's own terminal: handed over while it
 * runs and taken back, stop and continue passed on. Runs as the user, outside.
 */
#include <signal.h>

#include "os/posix/terminal.h"
#include "run.h"

static cordon_status open_shared(struct run *run, struct cordon_error *err)
{
    struct terminal *terminal = run->own;
    (void)err;
    terminal_open(terminal);
    terminal->given = terminal->interactive && terminal_is_ours(terminal);
    run->setup.terminal = terminal->fd;
    run->setup.foreground = terminal->given;
    run->setup.detach = !terminal->attached;
    return CORDON_OK;
}

static void started(struct run *run)
{
    (void)run;
}

/* The command stopped. Wanting the terminal from the background: give it, if it
 * is ours to give. Otherwise stop as a job does, and go on when continued. Only
 * this process stops itself, never its group: the command must not be able to
 * stop whoever called us. */
static void stopped(struct run *run, int number)
{
    struct terminal *terminal = run->own;
    if (terminal->fd < 0)
        return;
    if ((number == SIGTTIN || number == SIGTTOU) && terminal_is_ours(terminal)) {
        terminal->given = true;
        launch_give_terminal(&run->launched);
        return;
    }
    bool was_given = terminal->given;
    if (!was_given && !terminal_is_ours(terminal))
        return;
    terminal_take_back(terminal, true);
    run_stop_as_a_job();
    if (was_given && terminal_is_ours(terminal)) {
        terminal->given = true;
        launch_give_terminal(&run->launched);
    } else {
        launch_signal(&run->launched, SIGCONT);
    }
}

static void signaled(struct run *run, int number)
{
    launch_signal(&run->launched, number);
}

static void finish(struct run *run, bool restore)
{
    terminal_take_back(run->own, restore);
}

static void release(struct run *run)
{
    terminal_close(run->own);
}

int run_shared(const struct options *options)
{
    static const struct run_terminal shared = {open_shared, started, stopped, signaled, finish, release};
    struct terminal terminal = {.fd = -1};
    return run_tree(options, &shared, &terminal);
}
