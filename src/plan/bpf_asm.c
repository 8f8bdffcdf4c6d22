/* bpf_asm.c - see bpf_asm.h. */
#include "plan/bpf_asm.h"

#include <stdlib.h>
#include <string.h>

#define UNBOUND BPF_ASM_MAX_INSNS

void bpf_asm_init(struct bpf_asm *a)
{
    a->insn_count = 0;
    a->label_count = 0;
    a->failed = false;
}

struct bpf_label bpf_asm_label(struct bpf_asm *a)
{
    struct bpf_label label = {0};
    if (a->label_count >= BPF_ASM_MAX_LABELS) {
        a->failed = true;
        return label;
    }
    label.id = (uint16_t)a->label_count++;
    a->place[label.id] = UNBOUND;
    return label;
}

void bpf_asm_bind(struct bpf_asm *a, struct bpf_label label)
{
    if (label.id >= a->label_count || a->place[label.id] != UNBOUND)
        a->failed = true;
    else
        a->place[label.id] = (uint16_t)a->insn_count;
}

static void add(struct bpf_asm *a, enum bpf_code code, uint32_t k, struct bpf_label yes, struct bpf_label no)
{
    if (a->insn_count >= BPF_ASM_MAX_INSNS) {
        a->failed = true;
        return;
    }
    a->insns[a->insn_count] = (struct bpf_insn){(uint16_t)code, 0, 0, k};
    a->yes[a->insn_count] = yes;
    a->no[a->insn_count] = no;
    a->insn_count++;
}

void bpf_asm_load(struct bpf_asm *a, uint32_t offset)
{
    add(a, BPF_CODE_LOAD, offset, BPF_ASM_NEXT, BPF_ASM_NEXT);
}

void bpf_asm_and(struct bpf_asm *a, uint32_t k)
{
    add(a, BPF_CODE_AND, k, BPF_ASM_NEXT, BPF_ASM_NEXT);
}

void bpf_asm_return(struct bpf_asm *a, uint32_t k)
{
    add(a, BPF_CODE_RETURN, k, BPF_ASM_NEXT, BPF_ASM_NEXT);
}

void bpf_asm_goto(struct bpf_asm *a, struct bpf_label to)
{
    add(a, BPF_CODE_GOTO, 0, to, BPF_ASM_NEXT);
}

void bpf_asm_if(struct bpf_asm *a, enum bpf_code condition, uint32_t k, struct bpf_label yes,
                struct bpf_label no)
{
    add(a, condition, k, yes, no);
}

/* How many instructions a jump from `at` to `to` skips; false when there is no
 * such jump in classic BPF. */
static bool distance(const struct bpf_asm *a, size_t at, struct bpf_label to, size_t *skip)
{
    if (to.id == UINT16_MAX) {
        *skip = 0;
        return true;
    }
    if (to.id >= a->label_count || a->place[to.id] >= a->insn_count || a->place[to.id] <= at)
        return false;
    *skip = a->place[to.id] - at - 1;
    return true;
}

static bool resolve(const struct bpf_asm *a, size_t at, struct bpf_insn *insn)
{
    size_t yes, no;
    if (!distance(a, at, a->yes[at], &yes) || !distance(a, at, a->no[at], &no))
        return false;
    if (insn->code == BPF_CODE_GOTO) {
        insn->k = (uint32_t)yes;
        return true;
    }
    if (yes > UINT8_MAX || no > UINT8_MAX)
        return false;
    insn->jt = (uint8_t)yes;
    insn->jf = (uint8_t)no;
    return true;
}

cordon_status bpf_asm_finish(const struct bpf_asm *a, const char *step, struct bpf_program *out,
                             struct cordon_error *err)
{
    if (a->failed || a->insn_count == 0)
        return error_set(
            err, CORDON_E_LIMIT, 0, step,
            "the filter does not fit the assembler (%d instructions, %d labels) or binds a label "
            "twice",
            BPF_ASM_MAX_INSNS, BPF_ASM_MAX_LABELS);

    struct bpf_insn *insns = malloc(a->insn_count * sizeof *insns);
    if (!insns)
        return error_nomem(err, step);
    memcpy(insns, a->insns, a->insn_count * sizeof *insns);
    for (size_t i = 0; i < a->insn_count; i++) {
        if (!resolve(a, i, &insns[i])) {
            free(insns);
            return error_set(err, CORDON_E_LIMIT, 0, step,
                             "instruction %zu of the filter jumps backwards, nowhere, or over more than 255",
                             i);
        }
    }
    out->insns = insns;
    out->count = a->insn_count;
    return CORDON_OK;
}
