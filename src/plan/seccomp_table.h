/* seccomp_table.h - the rules of the seccomp filter, as data. Internal to the
 * seccomp_*.c files and their test. Numbers and values are Linux's, whatever
 * the machine this is compiled on.
 */
#ifndef CORDON_PLAN_SECCOMP_TABLE_H
#define CORDON_PLAN_SECCOMP_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "plan/seccomp.h"

/* The last entry of Linux 6.18's table, on both architectures (file_setattr).
 * A later call has not been looked at: it is answered as a kernel without it
 * would. Raising it means reading what each new call does. */
#define SECCOMP_LAST_KNOWN 469

enum { /* errno of every Linux architecture that cordon knows */
       SECCOMP_EPERM = 1,
       SECCOMP_EACCES = 13,
       SECCOMP_EBUSY = 16,
       SECCOMP_ENOSYS = 38,
       SECCOMP_EAFNOSUPPORT = 97,
};

#define SECCOMP_AUDIT_X86_64 0xc000003eu /* linux/audit.h */
#define SECCOMP_AUDIT_AARCH64 0xc00000b7u

/* How the arguments of a listed call decide; every int argument is compared as
 * the kernel takes it, in its low 32 bits. */
enum seccomp_check {
    SECCOMP_REFUSE,            /* whatever the arguments */
    SECCOMP_CHECK_CLONE,       /* argument 0 with a bit of SECCOMP_CLONE_NAMESPACES */
    SECCOMP_CHECK_UNSHARE,     /* argument 0 with a bit of SECCOMP_UNSHARE_NAMESPACES */
    SECCOMP_CHECK_MODE_1,      /* argument 1 is a mode with SECCOMP_MODE_SETUID */
    SECCOMP_CHECK_MODE_2,      /* argument 2 is */
    SECCOMP_CHECK_OPEN_1,      /* argument 1 has a bit of SECCOMP_OPEN_CREATES, and argument 2 the mode bit */
    SECCOMP_CHECK_OPEN_2,      /* the same with arguments 2 and 3 */
    SECCOMP_CHECK_PERSONALITY, /* argument 0 neither the query nor within SECCOMP_PERSONALITY_HARMLESS */
    SECCOMP_CHECK_IOCTL,       /* argument 1 listed in seccomp_requests */
    SECCOMP_CHECK_SOCKET,      /* domain, type and protocol */
    SECCOMP_CHECK_SOCKETPAIR,  /* domain and type */
    SECCOMP_CHECK_LISTENER,    /* where this filter has a listener: argument 1 with SECCOMP_NEW_LISTENER */
    SECCOMP_CHECK_ASK,         /* not refused: with a broker, asked about */
};

struct seccomp_rule {
    const char *name;
    int16_t number[2]; /* by enum seccomp_arch; -1: not there */
    enum seccomp_check check;
    uint16_t answer; /* errno; SECCOMP_CHECK_SOCKET and _SOCKETPAIR have more than one */
    const char *why;
};

struct seccomp_request {
    const char *name;
    uint32_t value;
    const char *why;
};

/* Numbers within the table that name nothing, both ends included. */
struct seccomp_gap {
    uint16_t first, last;
};

extern const struct seccomp_rule seccomp_rules[];
extern const size_t seccomp_rule_count;
extern const struct seccomp_request seccomp_requests[];
extern const size_t seccomp_request_count;
extern const struct seccomp_gap seccomp_gaps[2][2]; /* by enum seccomp_arch; {0, 0}: none */

/* CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET. CLONE_NEWTIME is part of
 * clone's exit signal, and a flag of unshare only. */
#define SECCOMP_CLONE_NAMESPACES 0x7e020000u
#define SECCOMP_UNSHARE_NAMESPACES 0x7e020080u

/* A file that runs with its owner's rights is refused: the command could leave
 * one in the workspace, owned by the user, for anybody on the machine. */
#define SECCOMP_MODE_SETUID 04000u
/* O_CREAT and __O_TMPFILE: without them the mode argument means nothing. */
#define SECCOMP_OPEN_CREATES 0x00400040u

/* UNAME26, ADDR_NO_RANDOMIZE (debuggers, sanitizers), ADDR_COMPAT_LAYOUT,
 * READ_IMPLIES_EXEC: a process may do as much to itself anyway. Everything else
 * (PER_LINUX32, the 32-bit address limits, MMAP_PAGE_ZERO) is refused. */
#define SECCOMP_PERSONALITY_HARMLESS 0x00660000u
#define SECCOMP_PERSONALITY_QUERY 0xffffffffu

/* SECCOMP_FILTER_FLAG_NEW_LISTENER. Of two filters that ask, the newer one's
 * listener answers. The kernel refuses a second listener, but only while the
 * first is open: when cordon has been killed and the tree is not yet gone, a
 * listener inside could carry on any connect. */
#define SECCOMP_NEW_LISTENER 0x8u

enum {
    SECCOMP_AF_UNIX = 1,
    SECCOMP_AF_INET = 2,
    SECCOMP_AF_INET6 = 10,
    SECCOMP_AF_NETLINK = 16,
    SECCOMP_SOCK_STREAM = 1,
    SECCOMP_SOCK_RAW = 3,
    SECCOMP_SOCK_SEQPACKET = 5,
    SECCOMP_SOCK_PACKET = 10, /* with AF_INET: the kernel makes it AF_PACKET */
    SECCOMP_SOCK_TYPE = 0xf,  /* the rest of the argument is flags */
    SECCOMP_NETLINK_ROUTE = 0,
};

#endif
