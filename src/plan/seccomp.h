/* seccomp.h - which system calls the command may make, as a table, and the
 * filter generated from it. Pure. The table's meaning is seccomp_reference();
 * the filter is proved equal to it over every number x argument class x arch.
 */
#ifndef CORDON_PLAN_SECCOMP_H
#define CORDON_PLAN_SECCOMP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"
#include "plan/bpf.h"

enum seccomp_arch { SECCOMP_ARCH_X86_64, SECCOMP_ARCH_AARCH64 };

/* What differs between runs. */
struct seccomp_options {
    enum seccomp_arch arch;
    /* A broker listens: socket(AF_UNIX) makes connection-oriented sockets, and
     * connect asks it. Without: socket(AF_UNIX) is refused; socketpair stays. */
    bool notify;
    bool trace;       /* the calls of trace_calls.h that are not refused ask, and are carried on */
    bool trace_reads; /* with `trace`: every open and exec too; for policies with deny_read */
};

/* SECCOMP_RET values (Linux UAPI linux/seccomp.h). */
#define SECCOMP_VALUE_ALLOW 0x7fff0000u
#define SECCOMP_VALUE_ERRNO(e) (0x00050000u | ((uint32_t)(e)&0xffffu))
#define SECCOMP_VALUE_KILL_PROCESS 0x80000000u
#define SECCOMP_VALUE_ASK 0x7fc00000u /* USER_NOTIF: ENOSYS when nobody listens */

/* The meaning: the value the filter must return. */
uint32_t seccomp_reference(const struct seccomp_options *options, const struct bpf_syscall *input);

/* Generates the filter; step "linux.plan.seccomp". The caller releases *out. */
cordon_status seccomp_generate(const struct seccomp_options *options, struct bpf_program *out,
                               struct cordon_error *err);

/* For `cordon plan`: one line per rule: name, condition, answer, why. */
void seccomp_describe(const struct seccomp_options *options, struct buf *out);

#endif
