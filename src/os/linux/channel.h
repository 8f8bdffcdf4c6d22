/* channel.h - what launcher and init say to each other over one SOCK_SEQPACKET
 * pair. Its end also tells each that the other is gone. Both ends are the same
 * program, so the structs travel as bytes.
 */
#ifndef CORDON_LINUX_CHANNEL_H
#define CORDON_LINUX_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/error.h"

enum channel_kind {
    /* launcher to init */
    CHANNEL_GO = 1,   /* the plan is in the arena, the id maps are written */
    CHANNEL_START,    /* carries the Landlock ruleset: the command may run */
    CHANNEL_SIGNAL,   /* send `value` to the command's process group */
    CHANNEL_TERMINAL, /* make the command's process group the terminal's foreground one, then SIGCONT it */
    /* init, or the command before its exec, to launcher */
    CHANNEL_PTY,      /* carries the master of the command's terminal */
    CHANNEL_LISTENER, /* carries the filter's notification descriptor */
    CHANNEL_STARTED,  /* exec succeeded; the message carries the command's pid as credentials */
    CHANNEL_FAILED,   /* `error`; nothing runs */
    CHANNEL_STOPPED,  /* the command stopped by signal `value` */
    CHANNEL_ENDED,    /* the command ended; init is about to exit */
};

enum channel_reason { CHANNEL_BY_ITSELF, CHANNEL_WALL_LIMIT, CHANNEL_CPU_LIMIT, CHANNEL_FILE_LIMIT };

struct channel_message {
    enum channel_kind kind;
    int value;
    int wait_status;                /* CHANNEL_ENDED: as from waitpid */
    enum channel_reason reason;     /* CHANNEL_ENDED */
    int64_t processes;              /* CHANNEL_ENDED: pid numbers handed out inside; -1 unknown */
    bool empty;                     /* CHANNEL_ENDED: every other process is dead and reaped */
    uint64_t cpu_ms, max_rss_bytes; /* CHANNEL_ENDED and empty: of all of them */
    struct cordon_error error;      /* CHANNEL_FAILED */
};

/* Both are async-signal-safe. `fd`: a descriptor to send along, or -1; it stays
 * the caller's. `as`: the pid that the message shall carry, which the kernel
 * translates for the receiver; 0: none. False: the other end is gone. */
bool channel_send(int channel, const struct channel_message *message, int fd, pid_t as);

/* *fd becomes the descriptor that came along (close-on-exec) or -1, *sender the
 * pid, if the channel has SO_PASSCRED, or 0. Returns 1, 0 at the end of the
 * channel, -1 when there is nothing yet (with `wait` false). */
int channel_receive(int channel, bool wait, struct channel_message *message, int *fd, pid_t *sender);

#endif
