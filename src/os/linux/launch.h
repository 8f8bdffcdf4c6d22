/* launch.h - starts a confined tree and watches it: the launcher's half.
 *
 * No thread, no signal handler, no global: the caller polls launched.channel
 * and calls launch_read() when it is readable.
 */
#ifndef CORDON_LINUX_LAUNCH_H
#define CORDON_LINUX_LAUNCH_H

#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <termios.h>

#include "core/error.h"
#include "core/report.h"
#include "os/linux/cgroup.h"
#include "os/linux/arena.h"
#include "os/linux/channel.h"
#include "plan/linux_plan.h"

/* Known before there is a plan. All borrowed until launch_end() or launch_kill(). */
struct launch_setup {
    char *const *argv; /* at least one element */
    bool own_netns;
    bool plain;            /* no namespaces: init_plain.c in place of init.c */
    int terminal;          /* controlling terminal or -1 */
    bool foreground;       /* hand it over at start */
    bool detach;           /* no terminal for the command, not even by /dev/tty */
    bool pty;              /* a terminal of the sandbox's own, in place of 0 to 2 that are one */
    bool pty_everywhere;   /* and of those that are none */
    struct winsize window; /* its size and modes at start; modes zeroed: the kernel's */
    struct termios modes;
    sigset_t mask;                     /* the command's signal mask */
    uint64_t nofile_soft, nofile_hard; /* the command's RLIMIT_NOFILE */
};

struct init_context;

struct launched {
    pid_t init;    /* as seen here; -1: not started or reaped */
    pid_t command; /* as seen here; -1 until CHANNEL_STARTED */
    int channel;   /* -1 when closed */
    int listener;  /* the filter's notification descriptor once it came; -1 */
    int pty;       /* master of the command's terminal once it came; -1. Whoever takes it sets -1 */
    bool plain;
    bool has_cgroup;
    struct cgroup cgroup;
    struct arena arena;
    struct init_context *context; /* in the arena */
    struct timespec began;
};

void launched_init(struct launched *l);

/* Makes the namespaces and init, which begins with what needs no plan: a
 * network namespace takes the kernel half a millisecond and more, in which the
 * caller can resolve the policy. Nothing runs before launch_go(). On error
 * nothing is left. */
cordon_status launch_begin(const struct launch_setup *setup, struct launched *out, struct cordon_error *err);

/* Hands the plan over; what follows comes over the channel. `environment`: the
 * command's, final. seal_stdio[fd] != 0: that descriptor is a regular file open
 * for reading only. Fails closed: on error nothing has run, and the caller ends
 * with launch_kill(). */
cordon_status launch_go(struct launched *l, const struct linux_plan *plan, char *const *environment,
                        const int seal_stdio[3], struct cordon_error *err);

/* One message from init. False at its end: init is gone. */
bool launch_read(struct launched *l, struct channel_message *message);

void launch_signal(struct launched *l, int number);
void launch_give_terminal(struct launched *l);

/* When the channel ended: no process of the tree is alive any more; fills
 * *outcome from the last message (NULL: init vanished) and the resource usage.
 * The kernel may still be taking the namespaces down: launch_end() waits. */
void launch_outcome(struct launched *l, const struct channel_message *last, struct outcome *outcome);

/* Waits until init is gone, and frees. Tolerates a second call. */
void launch_end(struct launched *l);

/* The end of the tree, soon: the channel's end says when. */
void launch_stop(struct launched *l);

/* Kills the tree and waits. Tolerates everything. */
void launch_kill(struct launched *l);

#endif
