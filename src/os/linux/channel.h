/* channel.h - what launcher and init say to each other over one SOCK_SEQPACKET
 * pair. Its end also tells each that the other is gone. Both ends are the same
 * program, so the structs travel as bytes.
 */
#ifndef CORDON_LINUX_CHANNEL_H
#define CORDON_LINUX_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

enum channel_kind {
    /* launcher to init */
    CHANNEL_GO = 1,   /* the id maps are written */
    CHANNEL_SIGNAL,   /* send `value` to the command's process group */
    CHANNEL_TERMINAL, /* make the command's process group the terminal's foreground one, then SIGCONT it */
    /* init to launcher */
    CHANNEL_STARTED, /* exec succeeded; the message carries the command's pid as credentials */
    CHANNEL_FAILED,  /* `error`; nothing runs */
    CHANNEL_STOPPED, /* the command stopped by signal `value` */
    CHANNEL_ENDED,   /* the command ended; init is about to exit and take the rest along */
};

enum channel_reason { CHANNEL_BY_ITSELF, CHANNEL_WALL_LIMIT, CHANNEL_CPU_LIMIT, CHANNEL_FILE_LIMIT };

struct channel_message {
    enum channel_kind kind;
    int value;
    int wait_status;            /* CHANNEL_ENDED: as from waitpid */
    enum channel_reason reason; /* CHANNEL_ENDED */
    int64_t processes;          /* CHANNEL_ENDED: pid numbers handed out inside; -1 unknown */
    struct cordon_error error;  /* CHANNEL_FAILED */
};

#endif
