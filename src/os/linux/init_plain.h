/* init_plain.h - init's work where this user gets no namespaces, and
 * --allow-degraded accepted that: docs/platforms.md, "Without user namespaces".
 */
#ifndef CORDON_LINUX_INIT_PLAIN_H
#define CORDON_LINUX_INIT_PLAIN_H

#include "os/linux/init.h"

/* Starts it as a child that shares nothing but the arena; closes
 * `parent_channel` there. -1: errno. It ends, and with it the tree, when its
 * channel does: never by a signal, which would leave the tree behind. */
pid_t init_plain_start(struct init_context *context, int parent_channel);

#endif
