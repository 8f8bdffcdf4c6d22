/* bpf.h - classic BPF for seccomp, as data: an assembler with labels.
 *
 * Pure: own constants, no kernel header (Linux UAPI linux/filter.h and
 * linux/seccomp.h give the numbers). Jumps are by label and resolved at the
 * end, so that no offset is counted by hand.
 */
#ifndef CORDON_PLAN_BPF_H
#define CORDON_PLAN_BPF_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct bpf_insn { /* layout of struct sock_filter */
    uint16_t code;
    uint8_t jt, jf;
    uint32_t k;
};

struct bpf_program {
    struct bpf_insn *insns;
    size_t count;
};

#define BPF_MAX_INSNS 4096 /* BPF_MAXINSNS */

void bpf_program_release(struct bpf_program *p);

/* What a filter reads: layout of struct seccomp_data. */
struct bpf_syscall {
    uint32_t nr;
    uint32_t arch;
    uint64_t ip;
    uint64_t args[6];
};

/* Interprets the program as the kernel would; returns the 32-bit SECCOMP_RET
 * value. Used by tests and `cordon plan`; step "bpf.run" for a program that the
 * kernel would refuse to load. */
cordon_status bpf_run(const struct bpf_program *p, const struct bpf_syscall *input, uint32_t *result,
                      struct cordon_error *err);

#endif
