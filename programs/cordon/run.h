/* run.h - what `run` and `shell` share: prepare, launch, watch, report
 * (cmd_run.c), and how the command gets at the user's terminal, in two ways:
 * handed over (run_shared.c), or one of its own that is relayed (run_relayed.c).
 */
#ifndef CORDON_PROGRAM_RUN_H
#define CORDON_PROGRAM_RUN_H

#include "commands.h"
#include "os/linux/launch.h"
#include "os/linux/supervise.h"
#include "os/posix/changes.h"

struct run;

struct run_terminal {
    /* Before there are namespaces: fills run->setup. */
    cordon_status (*open)(struct run *run, struct cordon_error *err);
    void (*started)(struct run *run);
    void (*stopped)(struct run *run, int signal);
    void (*signaled)(struct run *run, int signal); /* one that came to us */
    /* The tree is gone, and no word of ours was printed since it started.
     * `restore`: it did not end by itself. */
    void (*finish)(struct run *run, bool restore);
    void (*release)(struct run *run);
};

struct run {
    const struct options *options; /* argv: what is executed */
    const struct run_terminal *terminal;
    void *own; /* the terminal's */
    struct prepared prepared;
    struct launch_setup setup;
    int seal_stdio[3]; /* descriptor is a regular file open for reading only */
    struct launched launched;
    struct changes before;
    bool watch_changes;
    struct supervisor supervisor;
    int signals; /* signalfd */
    int report;  /* --report, opened before the command runs: it may plant links where the file lies */
};

/* Runs options->argv; the exit status. `own`: as run->own. */
int run_tree(const struct options *options, const struct run_terminal *terminal, void *own);

/* The same with the terminal as the caller has it, and with one of its own. */
int run_shared(const struct options *options);
int run_relayed(const struct options *options);

/* With --trace, while the supervisor is still there: did it see anything at all? */
void run_check_trace(struct run *run);

/* With --trace, when the command has ended: the first refusal, and how many more. */
void run_say_refusals(const struct run *run);

/* Stops this process as a job that its shell can continue; returns when it did. */
void run_stop_as_a_job(void);

#endif
