/* supervision.h - what the supervising process must know of a box, as plain
 * data: in cordon it points into the box, for cordon-warden it travels through
 * the arena.
 */
#ifndef CORDON_LINUX_SUPERVISION_H
#define CORDON_LINUX_SUPERVISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/decide.h"

struct supervision {
    const struct resolved *resolved;    /* decide() */
    const struct socket_grant *sockets; /* its own; without their origins in cordon-warden */
    size_t socket_count;
    const char *state; /* this workspace's directory in cordon's state; the quarantine is below it */
    bool network_on, broker, trace, guards;
};

#endif
