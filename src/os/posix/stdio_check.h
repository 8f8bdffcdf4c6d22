/* stdio_check.h - may the command inherit this descriptor?
 *
 * Descriptors 0, 1 and 2 are the only bridge out of the sandbox: rules about
 * paths and namespaces do not bind what is open already. Thread-safety: no
 * state. Errors: step "stdio.descriptor".
 */
#ifndef CORDON_POSIX_STDIO_CHECK_H
#define CORDON_POSIX_STDIO_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

struct stdio_facts {
    bool regular;
    bool writable; /* open for writing */
    uint64_t nlink, dev, ino;
};

/* CORDON_E_INVALID with one line of words when `fd` reaches further than the
 * bytes that go through it: a directory, an O_PATH descriptor, a socket that
 * can be connected elsewhere, a disk, most devices, most anonymous inodes. */
cordon_status stdio_check(int fd, bool network_on, struct stdio_facts *facts, struct cordon_error *err);

#endif
