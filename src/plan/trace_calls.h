/* trace_calls.h - which system calls `--trace` looks at, and what each does to
 * which path. Pure: numbers and flags are Linux's, whatever compiles this.
 *
 * One table serves the filter (which calls ask the supervising process) and the
 * trace (what their arguments mean). Nothing is enforced by it: an asked call is
 * always carried on, and the kernel refuses what the plan told it to refuse.
 */
#ifndef CORDON_PLAN_TRACE_CALLS_H
#define CORDON_PLAN_TRACE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/decide.h"
#include "plan/seccomp.h"

/* When the filter asks. What is not asked for cannot be refused by a policy, or
 * is as common as it is dull (docs/report.md lists what stays unseen). */
enum trace_when {
    TRACE_ALWAYS,
    TRACE_WRITING_1, /* argument 1 has a bit of TRACE_OPEN_WRITES */
    TRACE_WRITING_2, /* argument 2 has */
    TRACE_NAMED_1,   /* argument 1, a path, is not NULL: else the call is about a descriptor */
    TRACE_READING,   /* only where something is hidden by deny_read */
};

/* What the call does to the object that one of its paths names. */
enum trace_act {
    TRACE_ACT_NONE,
    TRACE_ACT_OPEN,   /* by its flags: read, write what is there, create what is not */
    TRACE_ACT_READ,   /* executes */
    TRACE_ACT_CHANGE, /* content or metadata of what is there */
    TRACE_ACT_CREATE, /* a name that is not there; EEXIST otherwise */
    TRACE_ACT_REMOVE,
    TRACE_ACT_PUT, /* a rename's new name: created, or removed first when it is there */
};

/* What a last component that is a symbolic link stands for. */
enum trace_follow {
    TRACE_FOLLOW_NEVER,
    TRACE_FOLLOW_ALWAYS,
    TRACE_FOLLOW_BY_OPEN, /* unless O_NOFOLLOW, or O_CREAT with O_EXCL */
    TRACE_FOLLOW_UNLESS,  /* unless AT_SYMLINK_NOFOLLOW */
};

/* What a trace may have learnt that no longer holds after the call. */
enum trace_effect {
    TRACE_NO_EFFECT,
    TRACE_MOVES_LINKS, /* a link may stand where a directory was, or nothing */
    TRACE_MOVES_CWD,   /* some process has another working directory */
};

#define TRACE_NO_ARGUMENT (-1)

struct trace_place {
    int8_t dir;  /* argument with the directory's descriptor; TRACE_NO_ARGUMENT: the working directory */
    int8_t path; /* argument with the path */
    enum trace_act act;
    enum trace_follow follow;
};

struct trace_call {
    const char *name;
    int16_t number[2]; /* by enum seccomp_arch; -1: not there */
    enum trace_when when;
    enum trace_effect effect;
    int8_t flags; /* argument; TRACE_NO_ARGUMENT: none */
    struct trace_place places[2];
};

extern const struct trace_call trace_calls[];
extern const size_t trace_call_count;

/* O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, __O_TMPFILE: the same on both architectures. */
#define TRACE_OPEN_WRITES 0x00400243u

/* The entry of a number; NULL: not traced. */
const struct trace_call *trace_call_find(enum seccomp_arch arch, uint32_t number);

/* Whether the filter asks about this call (of the native architecture). */
bool trace_asks(const struct seccomp_options *options, uint32_t number, const uint64_t args[6]);

/* One path of a call that was made. */
struct trace_target {
    enum trace_act act;
    int dir;       /* the caller's descriptor; TRACE_CWD */
    uint64_t path; /* its address in the caller's memory */
    bool follow;   /* a link at the end is followed */
    bool empty;    /* the empty path stands for `dir` itself */
    uint32_t flags;
};
#define TRACE_CWD (-100) /* AT_FDCWD */

/* The paths of a call, in the order of its arguments: their number. */
size_t trace_decode(enum seccomp_arch arch, uint32_t number, const uint64_t args[6],
                    struct trace_target out[2]);

/* What decide() must allow for the call to succeed on what was found there.
 * False: no policy decides: it only looks, or it fails by itself. */
bool trace_operation(const struct trace_target *target, enum object_type found, enum decide_op *op);

#endif
