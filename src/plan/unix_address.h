/* unix_address.h - what an AF_UNIX socket address says, as the Linux kernel
 * reads it. Pure: the bytes are a hostile program's word, and the fuzzer's.
 */
#ifndef CORDON_PLAN_UNIX_ADDRESS_H
#define CORDON_PLAN_UNIX_ADDRESS_H

#include <stddef.h>

#include "core/buf.h"

#define UNIX_ADDRESS_FAMILY 1       /* AF_UNIX */
#define UNIX_ADDRESS_NAME_BYTES 108 /* of sun_path; a path may fill it, without a NUL */
#define SOCKET_ADDRESS_MAX 128      /* struct sockaddr_storage: with more the kernel answers EINVAL */

enum unix_address_kind {
    UNIX_ADDRESS_INVALID,  /* no name, too long, or another family: EINVAL */
    UNIX_ADDRESS_ABSTRACT, /* begins with a NUL; its further bytes are whatever they are */
    UNIX_ADDRESS_PATH,
};

struct unix_address {
    enum unix_address_kind kind;
    size_t length;                          /* of `name`; of an abstract one with its first NUL */
    char name[UNIX_ADDRESS_NAME_BYTES + 1]; /* a path ends with a NUL at `length` */
};

/* `bytes` holds `size` bytes of a struct sockaddr_un, beginning with the family. */
void unix_address_parse(struct unix_address *out, const void *bytes, size_t size);

/* For people: a path as it is, an abstract name after an `@`, and a NUL in it
 * as an `@` too, as ss(8) and lsof(8) write them. */
void unix_address_show(const struct unix_address *address, struct buf *out);

#endif
