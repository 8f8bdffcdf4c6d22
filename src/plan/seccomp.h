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
    bool unix_sockets; /* false: socket(AF_UNIX) refused; socketpair stays */
};

/* SECCOMP_RET values (Linux UAPI linux/seccomp.h). */
#define SECCOMP_VALUE_ALLOW 0x7fff0000u
#define SECCOMP_VALUE_ERRNO(e) (0x00050000u | ((uint32_t)(e)&0xffffu))
#define SECCOMP_VALUE_KILL_PROCESS 0x80000000u

/* The meaning: the value the filter must return. */
uint32_t seccomp_reference(const struct seccomp_options *options, const struct bpf_syscall *input);

/* Generates the filter; step "linux.plan.seccomp". The caller releases *out. */
cordon_status seccomp_generate(const struct seccomp_options *options, struct bpf_program *out,
                               struct cordon_error *err);

/* For `cordon plan`: one line per rule: name, condition, answer, why. */
void seccomp_describe(const struct seccomp_options *options, struct buf *out);

#endif
