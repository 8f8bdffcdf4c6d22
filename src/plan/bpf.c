/* bpf.c - see bpf.h. Checks a program as the kernel's loader does for seccomp
 * (bpf_check_classic and seccomp_check_filter), then interprets it. */
#include "plan/bpf.h"

#include <stdbool.h>
#include <stdlib.h>

#define STEP "bpf.run"
#define CELLS 16 /* BPF_MEMWORDS */
#define INPUT_BYTES 64

/* Every instruction that a seccomp filter may have. The *_X forms take X where
 * the others take k. */
enum {
    LD_ABS = 0x20,
    LD_LEN = 0x80,
    LD_IMM = 0x00,
    LD_MEM = 0x60,
    LDX_LEN = 0x81,
    LDX_IMM = 0x01,
    LDX_MEM = 0x61,
    ST = 0x02,
    STX = 0x03,
    ADD = 0x04,
    SUB = 0x14,
    MUL = 0x24,
    DIV = 0x34,
    OR = 0x44,
    AND = 0x54,
    LSH = 0x64,
    RSH = 0x74,
    NEG = 0x84,
    XOR = 0xa4,
    JA = 0x05,
    JEQ = 0x15,
    JGT = 0x25,
    JGE = 0x35,
    JSET = 0x45,
    RET_K = 0x06,
    RET_A = 0x16,
    TAX = 0x07,
    TXA = 0x87,
    USE_X = 0x08,
};

void bpf_program_release(struct bpf_program *p)
{
    if (!p)
        return;
    free(p->insns);
    p->insns = NULL;
    p->count = 0;
}

static const char *check_insn(const struct bpf_insn *insn, size_t left)
{
    switch (insn->code) {
    case LD_ABS:
        return insn->k < INPUT_BYTES && insn->k % 4 == 0 ? NULL : "reads outside the system call's data";
    case LD_MEM:
    case LDX_MEM:
    case ST:
    case STX:
        return insn->k < CELLS ? NULL : "names a memory cell that does not exist";
    case DIV:
        return insn->k != 0 ? NULL : "divides by zero";
    case LSH:
    case RSH:
        return insn->k < 32 ? NULL : "shifts by more than a word";
    case JA:
        return insn->k < left ? NULL : "jumps past the end";
    case JEQ:
    case JGT:
    case JGE:
    case JSET:
    case JEQ | USE_X:
    case JGT | USE_X:
    case JGE | USE_X:
    case JSET | USE_X:
        return insn->jt < left && insn->jf < left ? NULL : "jumps past the end";
    case LD_LEN:
    case LD_IMM:
    case LDX_LEN:
    case LDX_IMM:
    case ADD:
    case SUB:
    case MUL:
    case OR:
    case AND:
    case XOR:
    case NEG:
    case ADD | USE_X:
    case SUB | USE_X:
    case MUL | USE_X:
    case DIV | USE_X:
    case OR | USE_X:
    case AND | USE_X:
    case XOR | USE_X:
    case LSH | USE_X:
    case RSH | USE_X:
    case RET_K:
    case RET_A:
    case TAX:
    case TXA:
        return NULL;
    default:
        return "is no instruction of a seccomp filter";
    }
}

/* A cell may be read only where every path to the reader has written it. Jumps
 * go forward only, so one pass that joins what the sources know is exact. */
static const char *check_cells(const struct bpf_program *p, size_t *at)
{
    const char *bad = NULL;
    uint16_t *known = malloc(p->count * sizeof *known);
    if (!known)
        return "cannot be checked: out of memory";
    for (size_t i = 0; i < p->count; i++)
        known[i] = UINT16_MAX;

    uint16_t written = 0;
    for (size_t i = 0; i < p->count && !bad; i++) {
        const struct bpf_insn *insn = &p->insns[i];
        written &= known[i];
        *at = i;
        switch (insn->code) {
        case ST:
        case STX:
            written |= (uint16_t)(1u << insn->k);
            break;
        case LD_MEM:
        case LDX_MEM:
            if (!(written & (1u << insn->k)))
                bad = "reads a memory cell that was not written";
            break;
        case JA:
            known[i + 1 + insn->k] &= written;
            written = UINT16_MAX; /* nothing falls through to the next one */
            break;
        case JEQ:
        case JGT:
        case JGE:
        case JSET:
        case JEQ | USE_X:
        case JGT | USE_X:
        case JGE | USE_X:
        case JSET | USE_X:
            known[i + 1 + insn->jt] &= written;
            known[i + 1 + insn->jf] &= written;
            written = UINT16_MAX;
            break;
        default:
            break;
        }
    }
    free(known);
    return bad;
}

static cordon_status check_program(const struct bpf_program *p, struct cordon_error *err)
{
    if (p->count == 0 || p->count > BPF_MAX_INSNS)
        return error_set(err, CORDON_E_INVALID, 0, STEP,
                         "a filter has 1 to %d instructions, this one has %zu", BPF_MAX_INSNS, p->count);

    bool cells = false;
    for (size_t i = 0; i < p->count; i++) {
        const char *bad = check_insn(&p->insns[i], p->count - i - 1);
        if (bad)
            return error_set(err, CORDON_E_INVALID, 0, STEP, "instruction %zu (code 0x%02x, k 0x%08x) %s", i,
                             p->insns[i].code, p->insns[i].k, bad);
        cells = cells || p->insns[i].code == LD_MEM || p->insns[i].code == LDX_MEM;
    }
    uint16_t last = p->insns[p->count - 1].code;
    if (last != RET_K && last != RET_A)
        return error_set(err, CORDON_E_INVALID, 0, STEP, "the last instruction of a filter must be a return");
    if (cells) {
        size_t at = 0;
        const char *bad = check_cells(p, &at);
        if (bad)
            return error_set(err, CORDON_E_INVALID, 0, STEP, "instruction %zu %s", at, bad);
    }
    return CORDON_OK;
}

/* The word at `offset`, as a little-endian machine lays the struct out. */
static uint32_t input_word(const struct bpf_syscall *input, uint32_t offset)
{
    if (offset == 0)
        return input->nr;
    if (offset == 4)
        return input->arch;
    uint64_t value = offset < 16 ? input->ip : input->args[(offset - 16) / 8];
    return (uint32_t)(offset % 8 == 0 ? value : value >> 32);
}

static uint32_t calculate(uint16_t operation, uint32_t a, uint32_t b)
{
    switch (operation) {
    case ADD:
        return a + b;
    case SUB:
        return a - b;
    case MUL:
        return a * b;
    case DIV:
        return a / b; /* NOLINT(clang-analyzer-core.DivideZero): check_program() refuses k, interpret() x */
    case OR:
        return a | b;
    case AND:
        return a & b;
    case XOR:
        return a ^ b;
    case LSH:
        return a << (b & 31);
    case RSH:
        return a >> (b & 31);
    default: /* NEG */
        return 0u - a;
    }
}

static bool holds(uint16_t condition, uint32_t a, uint32_t b)
{
    switch (condition) {
    case JEQ:
        return a == b;
    case JGT:
        return a > b;
    case JGE:
        return a >= b;
    default: /* JSET */
        return (a & b) != 0;
    }
}

static uint32_t interpret(const struct bpf_program *p, const struct bpf_syscall *input)
{
    uint32_t a = 0, x = 0, cells[CELLS] = {0};
    for (size_t i = 0;; i++) {
        const struct bpf_insn *insn = &p->insns[i];
        uint32_t operand = insn->code & USE_X ? x : insn->k;
        switch (insn->code) {
        case LD_ABS:
            a = input_word(input, insn->k);
            break;
        case LD_LEN:
            a = INPUT_BYTES;
            break;
        case LD_IMM:
            a = insn->k;
            break;
        case LD_MEM:
            a = cells[insn->k];
            break;
        case LDX_LEN:
            x = INPUT_BYTES;
            break;
        case LDX_IMM:
            x = insn->k;
            break;
        case LDX_MEM:
            x = cells[insn->k];
            break;
        case ST:
            cells[insn->k] = a;
            break;
        case STX:
            cells[insn->k] = x;
            break;
        case TAX:
            x = a;
            break;
        case TXA:
            a = x;
            break;
        case RET_K:
            return insn->k;
        case RET_A:
            return a;
        case JA:
            i += insn->k;
            break;
        case JEQ:
        case JGT:
        case JGE:
        case JSET:
        case JEQ | USE_X:
        case JGT | USE_X:
        case JGE | USE_X:
        case JSET | USE_X:
            i += holds((uint16_t)(insn->code & ~USE_X), a, operand) ? insn->jt : insn->jf;
            break;
        case DIV | USE_X:
            if (x == 0)
                return 0; /* the kernel ends the program with 0: kill */
            a /= x;
            break;
        default:
            a = calculate((uint16_t)(insn->code & ~USE_X), a, operand);
            break;
        }
    }
}

cordon_status bpf_run(const struct bpf_program *p, const struct bpf_syscall *input, uint32_t *result,
                      struct cordon_error *err)
{
    cordon_status status = check_program(p, err);
    if (status == CORDON_OK)
        *result = interpret(p, input);
    return status;
}
