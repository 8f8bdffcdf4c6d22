/* outside.h - what lives outside the sandbox while a row runs: listeners, a
 * victim process, System V and POSIX objects. It says afterwards what reached it.
 */
#ifndef CORDON_MATRIX_OUTSIDE_H
#define CORDON_MATRIX_OUTSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "names.h"

enum listener {
    LISTENER_TCP4,
    LISTENER_TCP6,
    LISTENER_UDP4,
    LISTENER_UDP6,
    LISTENER_ABSTRACT,
    LISTENER_STREAM_O,
    LISTENER_STREAM_W,
    LISTENER_SEQPACKET_O,
    LISTENER_DATAGRAM_O,
    LISTENER_DATAGRAM_W,
    LISTENER_ABSTRACT_DATAGRAM,
    LISTENER_FIFO_O,
    LISTENER_COUNT
};

struct outside {
    int fds[LISTENER_COUNT];
    pid_t server;
    int leash;        /* closing it ends the server */
    unsigned *counts; /* shared with the server */
    pid_t victim;
    int victim_fd; /* it answers here while it lives */
    bool has_objects, has_temporary;
    int shm, sem, msg;
    char name[32]; /* of POSIX objects and temporary files */
};

void outside_init(struct outside *o);

/* Listeners at O/stream, O/seqpacket, O/datagram, W/stream, W/datagram, the
 * FIFO O/fifo, abstract names and loopback ports; each answers a banner and
 * counts. Placeholders: TCP4 TCP6 UDP4 UDP6 ABSTRACT ABSTRACTDGRAM. An IPv6
 * listener that the machine refuses leaves its placeholder at port 1. */
int outside_listen(struct outside *o, struct names *names);
/* A process that waits; placeholders VICTIM and WORD (an address in it). */
int outside_add_victim(struct outside *o, struct names *names);
/* SHM SEM MSG (identifiers), MQ and POSIXSHM (names), KEY (a key's identifier). */
int outside_add_objects(struct outside *o, struct names *names);
/* A file in each of /tmp, /var/tmp and /dev/shm: placeholder TEMPORARY is its name. */
int outside_add_temporary(struct outside *o, struct names *names);

/* A socket to hand over: datagram, stream (unconnected), listening, pair, udp,
 * tcp. The other end of a pair stays open in this process for good. */
int outside_socket(const char *kind);

bool outside_victim_lives(const struct outside *o);
/* Lets the server drain what has arrived and end; its counts are final then. */
void outside_settle(struct outside *o);
unsigned outside_reached(const struct outside *o); /* what any listener received */
void outside_release(struct outside *o);

#endif
