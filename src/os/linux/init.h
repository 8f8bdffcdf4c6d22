/* init.h - the sandbox's pid 1. */
#ifndef CORDON_LINUX_INIT_H
#define CORDON_LINUX_INIT_H

#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "os/linux/channel.h"
#include "os/linux/mounts.h"
#include "plan/linux_plan.h"

/* Lies in the arena. What is known before init exists: */
struct init_context {
    char *const *argv;
    int channel;     /* init's end */
    int terminal;    /* descriptor of the controlling terminal; -1: none */
    bool foreground; /* make the command's group the foreground one at start */
    bool detach;     /* a session of its own: the command was given no terminal */
    bool pty;        /* a terminal of the sandbox's own */
    bool pty_everywhere;
    struct winsize window;
    struct termios modes;
    int terminal_fd; /* its slave, once init opened it; -1 */
    bool own_netns;  /* init begins to make it while the launcher still plans */
    /* Its lines of the id maps where init may write them itself: one id, the
     * user's own. Otherwise empty, and the launcher does it. */
    char uid_map[32], gid_map[32];
    sigset_t mask; /* the command's signal mask */
    uint64_t nofile_soft, nofile_hard;
    /* What the launcher puts there before it says go: */
    const struct linux_plan *plan;
    struct mounts_scratch scratch;
    char *const *candidates; /* full paths to try for the command, in order; NULL-terminated */
    char **script_argv;      /* "/bin/sh", a free place, argv[1]...: for a script without #! */
    char *const *environment;
    int taken;       /* init has the plan; atomic, for the launcher's hint to the scheduler */
    int ruleset_fd;  /* comes with the start */
    int last_pid_fd; /* init's own, for the count of processes */
};

/* Never returns. */
_Noreturn void init_main(struct init_context *context);

/* For init_plain.c too; all async-signal-safe. A process that becomes the command
 * by way of `confine`, which ends with init_exec(); -1: *err says why. */
typedef cordon_status init_confine(struct init_context *context, struct cordon_error *err);
pid_t init_start(struct init_context *context, init_confine *confine, struct cordon_error *err);

/* Waits for this message of the launcher's and returns the descriptor that came
 * with it, or -1. Ends the process when the launcher is gone. */
int init_wait_for(const struct init_context *context, enum channel_kind kind);

/* The last word to the launcher. */
_Noreturn void init_fail(const struct init_context *context, const struct cordon_error *err);

/* The command in place of this process; returns only when that failed. Async-signal-safe. */
cordon_status init_exec(const struct init_context *context, struct cordon_error *err);

#endif
