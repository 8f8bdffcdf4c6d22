/* pty_relay.h - bytes between the user's terminal (raw) and the master of the
 * command's, both ways, as two sources of a poller.
 *
 * Each way holds one buffer, which is filled only when it is empty: whoever
 * writes faster than the other side reads is held up, as by any terminal.
 * Nothing is interpreted.
 */
#ifndef CORDON_POSIX_PTY_RELAY_H
#define CORDON_POSIX_PTY_RELAY_H

#include <stdbool.h>
#include <stddef.h>

#include "os/linux/poller.h"

#define PTY_RELAY_BYTES 8192

struct pty_flow {
    char bytes[PTY_RELAY_BYTES];
    size_t start, end; /* what is not written yet */
};

struct pty_relay {
    struct poller *poller; /* NULL: not running */
    int terminal, master;  /* borrowed; non-blocking */
    struct pty_flow keys, output;
    bool terminal_gone, master_gone;
    bool terminal_polled, master_polled;
    void (*hung_up)(void *self); /* once: the user's terminal is gone */
    void *self;
};

void pty_relay_init(struct pty_relay *r);

/* Runs, or runs on after a stop: what was under way is kept. The poller must
 * have room for two. hung_up() may stop the relay. */
void pty_relay_start(struct pty_relay *r, struct poller *poller);
void pty_relay_stop(struct pty_relay *r);

/* When nothing writes to the command's terminal any more: passes on what it
 * still holds. Gives up when `give_up` becomes readable. */
void pty_relay_finish(struct pty_relay *r, int give_up);

#endif
