/* broker_listeners.h - the unix sockets that the command itself listens on.
 *
 * Learnt when a process inside calls listen(2), from a duplicate of its socket:
 * what the kernel says the socket is bound to, not what a name says. A socket is
 * bound once, to one inode, and that inode never gets another socket; so an
 * inode that is held open here is a listener of the inside for ever, whoever
 * accepts, forks, or ends. A server sees no trial connection, and no process
 * number is believed.
 *
 * In the supervising process: the user, outside.
 */
#ifndef CORDON_LINUX_BROKER_LISTENERS_H
#define CORDON_LINUX_BROKER_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "os/linux/notify.h"
#include "plan/unix_address.h"

#define LISTENERS_MAX 256

struct listener {
    uint64_t cookie; /* of the socket: never given twice */
    uint32_t number; /* of its own inode */
    int pin;         /* O_PATH on what it is bound to; -1: an abstract name */
    uint64_t dev, ino;
    struct unix_address address; /* an abstract name */
};

struct listeners {
    struct listener items[LISTENERS_MAX]; /* oldest first */
    size_t count;
    int diag; /* asks the kernel about sockets of this process's network namespace; -1: not open */
};

void listeners_init(struct listeners *l);
void listeners_release(struct listeners *l);

/* `socket`: a duplicate of what the request's caller is about to listen on. Not
 * a named unix socket, or not to be found out: nothing is learnt, and connecting
 * to it is refused. When all places are taken, names that are gone give way,
 * else the oldest does. */
void listeners_learn(struct listeners *l, const struct notify *n, const struct notify_request *r, int socket);

bool listeners_has_inode(const struct listeners *l, const struct stat *st);

/* Does a socket of the inside hold this abstract name now? Only where this
 * process's network namespace is the command's. */
bool listeners_has_abstract(struct listeners *l, const struct unix_address *address);

#endif
