/* unix_address.h - a socket's name from an argument; for unix.c and work.c. */
#ifndef CORDON_PROBE_UNIX_ADDRESS_H
#define CORDON_PROBE_UNIX_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>

/* A path, or an abstract name after an `@`. -1: it does not fit. */
int probe_unix_address(const char *text, struct sockaddr_un *out, socklen_t *len);

#endif
