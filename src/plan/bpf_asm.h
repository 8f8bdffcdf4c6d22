/* bpf_asm.h - assembles classic BPF with labels.
 *
 * No offset is counted by hand. A label is made, named by jumps before or after
 * it is bound to a place, and resolved by bpf_asm_finish(). Like struct buf, a
 * mistake (too many instructions or labels) marks the assembler failed, later
 * calls do nothing, and the one check is bpf_asm_finish(). Conditional jumps
 * reach 255 instructions, as the machine has it: finish refuses a longer one
 * rather than inserting a second jump, which would cost at every call.
 */
#ifndef CORDON_PLAN_BPF_ASM_H
#define CORDON_PLAN_BPF_ASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "plan/bpf.h"

/* Instruction codes (Linux UAPI linux/bpf_common.h), already put together. */
enum bpf_code {
    BPF_CODE_LOAD = 0x20,        /* A = the 32-bit word at offset k */
    BPF_CODE_AND = 0x54,         /* A &= k */
    BPF_CODE_GOTO = 0x05,        /* skip k instructions */
    BPF_CODE_IF_EQUAL = 0x15,    /* A == k */
    BPF_CODE_IF_GREATER = 0x25,  /* A > k, unsigned */
    BPF_CODE_IF_AT_LEAST = 0x35, /* A >= k, unsigned */
    BPF_CODE_IF_ANY_BIT = 0x45,  /* A & k */
    BPF_CODE_RETURN = 0x06,      /* the answer is k */
};

#define BPF_ASM_MAX_INSNS 512
#define BPF_ASM_MAX_LABELS 512

struct bpf_label {
    uint16_t id;
};

struct bpf_asm {
    struct bpf_insn insns[BPF_ASM_MAX_INSNS];
    struct bpf_label yes[BPF_ASM_MAX_INSNS], no[BPF_ASM_MAX_INSNS];
    uint16_t place[BPF_ASM_MAX_LABELS]; /* BPF_ASM_MAX_INSNS: not bound */
    size_t insn_count, label_count;
    bool failed;
};

void bpf_asm_init(struct bpf_asm *a);

struct bpf_label bpf_asm_label(struct bpf_asm *a);            /* makes a label, bound nowhere yet */
void bpf_asm_bind(struct bpf_asm *a, struct bpf_label label); /* it names the next instruction; once only */
void bpf_asm_load(struct bpf_asm *a, uint32_t offset);
void bpf_asm_and(struct bpf_asm *a, uint32_t k);
void bpf_asm_return(struct bpf_asm *a, uint32_t k);
void bpf_asm_goto(struct bpf_asm *a, struct bpf_label to);
void bpf_asm_if(struct bpf_asm *a, enum bpf_code condition, uint32_t k, struct bpf_label yes,
                struct bpf_label no);

/* `label` stands for "the next instruction" in bpf_asm_if. */
#define BPF_ASM_NEXT ((struct bpf_label){UINT16_MAX})

/* Resolves the labels. The caller releases *out. Fails with `step` for a jump
 * that goes backwards, nowhere or too far, and for a failed assembler. */
cordon_status bpf_asm_finish(const struct bpf_asm *a, const char *step, struct bpf_program *out,
                             struct cordon_error *err);

#endif
