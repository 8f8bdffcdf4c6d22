/* seccomp.c - what a filter's shape costs: at install, and at every call after.
 *
 * Role: the figures of docs/seccomp.md, which has the command that builds and
 * runs it (x86_64 Linux). One round measures every shape once, each in a process
 * of its own (a filter cannot be taken off again), so that ratios are of the
 * same rounds. Every shape but cordon's own is a front that allows the numbers
 * whose arguments do not matter, with cordon's filter behind it for the rest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plan/bpf_asm.h"
#include "plan/seccomp.h"
#include "plan/seccomp_table.h"

#define CALLS 20000
#define MAX_ROUNDS 2000
#define WORDS 15 /* of 32 numbers each */

enum shape { NOTHING, TREE, LIST, WORDS_OF_LISTS, BITMAP, SHAPES };

static const char *const names[SHAPES] = {"no filter", "tree of runs", "list", "tree of lists", "bitmap"};

enum measure { INSTALL, CACHED, CHECKED, MEASURES };

static const struct seccomp_options options = {.arch = SECCOMP_ARCH_X86_64, .notify = true};

static bool is_listed(uint32_t number)
{
    const struct seccomp_gap *gap = &seccomp_gaps[SECCOMP_ARCH_X86_64][0];
    if (number > SECCOMP_LAST_KNOWN || (number >= gap->first && number <= gap->last))
        return true;
    for (size_t i = 0; i < seccomp_rule_count; i++)
        if (seccomp_rules[i].number[SECCOMP_ARCH_X86_64] == (int)number)
            return true;
    return false;
}

static void front_list(struct bpf_asm *a, uint32_t first, uint32_t end, struct bpf_label allow,
                       struct bpf_label listed)
{
    for (uint32_t number = first; number < end; number++) {
        if (!is_listed(number))
            continue;
        uint32_t last = number;
        while (last + 1 < end && is_listed(last + 1))
            last++;
        if (last == number) {
            bpf_asm_if(a, BPF_CODE_IF_EQUAL, number, listed, BPF_ASM_NEXT);
        } else {
            bpf_asm_if(a, BPF_CODE_IF_AT_LEAST, number, BPF_ASM_NEXT, allow);
            bpf_asm_if(a, BPF_CODE_IF_GREATER, last, BPF_ASM_NEXT, listed);
        }
        number = last;
    }
    bpf_asm_goto(a, allow);
}

/* The bit of the number in its word; the codes that the assembler does not name
 * (X = A, A = k, A >>= X) are put in place of an AND. */
static void front_bits(struct bpf_asm *a, uint32_t word, struct bpf_label allow, struct bpf_label listed)
{
    static const uint16_t shift[] = {0x07, 0x00, 0x7c};
    uint32_t bits = 0;
    for (uint32_t bit = 0; bit < 32; bit++)
        bits |= is_listed(word * 32 + bit) ? 1u << bit : 0;
    bpf_asm_and(a, 31);
    for (size_t i = 0; i < 3; i++) {
        bpf_asm_and(a, bits);
        a->insns[a->insn_count - 1].code = shift[i];
    }
    bpf_asm_if(a, BPF_CODE_IF_ANY_BIT, 1, listed, allow);
}

static void front_words(struct bpf_asm *a, enum shape shape, uint32_t first, uint32_t end,
                        struct bpf_label allow, struct bpf_label listed)
{
    if (end - first == 1) {
        if (shape == BITMAP)
            front_bits(a, first, allow, listed);
        else
            front_list(a, first * 32, end * 32, allow, listed);
        return;
    }
    uint32_t middle = first + (end - first) / 2;
    struct bpf_label upper = bpf_asm_label(a);
    bpf_asm_if(a, BPF_CODE_IF_AT_LEAST, middle * 32, upper, BPF_ASM_NEXT);
    front_words(a, shape, first, middle, allow, listed);
    bpf_asm_bind(a, upper);
    front_words(a, shape, middle, end, allow, listed);
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static struct bpf_program build(enum shape shape)
{
    struct bpf_program rest = {0}, front = {0}, whole;
    struct cordon_error err;
    if (seccomp_generate(&options, &rest, &err) != CORDON_OK)
        fail(err.message);
    if (shape <= TREE)
        return rest;

    static struct bpf_asm a;
    bpf_asm_init(&a);
    struct bpf_label allow = bpf_asm_label(&a), listed = bpf_asm_label(&a);
    bpf_asm_load(&a, 4);
    bpf_asm_if(&a, BPF_CODE_IF_EQUAL, SECCOMP_AUDIT_X86_64, BPF_ASM_NEXT, listed);
    bpf_asm_load(&a, 0);
    bpf_asm_if(&a, BPF_CODE_IF_AT_LEAST, WORDS * 32, listed, BPF_ASM_NEXT);
    if (shape == LIST)
        front_list(&a, 0, WORDS * 32, allow, listed);
    else
        front_words(&a, shape, 0, WORDS, allow, listed);
    bpf_asm_bind(&a, allow);
    bpf_asm_return(&a, SECCOMP_VALUE_ALLOW);
    bpf_asm_bind(&a, listed);
    bpf_asm_return(&a, 0); /* the rest takes its place */
    if (bpf_asm_finish(&a, "bench", &front, &err) != CORDON_OK)
        fail(err.message);

    whole.count = front.count - 1 + rest.count;
    whole.insns = calloc(whole.count, sizeof *whole.insns);
    if (!whole.insns)
        fail("calloc");
    memcpy(whole.insns, front.insns, (front.count - 1) * sizeof *whole.insns);
    memcpy(whole.insns + front.count - 1, rest.insns, rest.count * sizeof *whole.insns);
    bpf_program_release(&front);
    bpf_program_release(&rest);
    return whole;
}

/* A figure for another filter than the same one in another shape means nothing. */
static void check_meaning(const struct bpf_program *program, enum shape shape)
{
    for (uint32_t number = 0; number < 1024; number++) {
        struct bpf_syscall input = {number, SECCOMP_AUDIT_X86_64, 0, {1, 2, 3, 0, 0, 0}};
        uint32_t result = 0;
        if (bpf_run(program, &input, &result, NULL) != CORDON_OK ||
            result != seccomp_reference(&options, &input)) {
            fprintf(stderr, "%s: wrong for number %u\n", names[shape], number);
            exit(1);
        }
    }
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void measure(const struct bpf_program *program, double out[MEASURES])
{
    struct {
        unsigned short count;
        struct bpf_insn *insns;
    } filter = {(unsigned short)program->count, program->insns};
    double start = now_ns();
    if (program->count > 0 &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_seccomp, 1, 0, &filter) != 0))
        fail("seccomp");
    double installed = now_ns();
    for (int i = 0; i < CALLS; i++)
        syscall(SYS_getppid);
    double allowed = now_ns();
    for (int i = 0; i < CALLS; i++)
        syscall(SYS_ioctl, -1, 0, 0); /* allowed, but only after a look at the request */
    double end = now_ns();
    out[INSTALL] = (installed - start) / 1e3;
    out[CACHED] = (allowed - installed) / CALLS;
    out[CHECKED] = (end - allowed) / CALLS;
}

static void measure_in_child(const struct bpf_program *program, double out[MEASURES])
{
    int ends[2];
    if (pipe(ends) != 0)
        fail("pipe");
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid == 0) {
        double figures[MEASURES];
        measure(program, figures);
        _exit(write(ends[1], figures, sizeof figures) == (ssize_t)sizeof figures ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], out, MEASURES * sizeof *out) != (ssize_t)(MEASURES * sizeof *out))
        fail("a child");
    close(ends[0]);
    waitpid(pid, NULL, 0);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double samples[SHAPES][MEASURES][MAX_ROUNDS];

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 200;
    struct bpf_program programs[SHAPES] = {{NULL, 0}};
    if (rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "usage: bench-seccomp [ROUNDS, 1 to %d]\n", MAX_ROUNDS);
        return 2;
    }
    for (int shape = TREE; shape < SHAPES; shape++) {
        programs[shape] = build(shape);
        check_meaning(&programs[shape], shape);
    }

    for (long round = 0; round < rounds; round++) {
        for (int shape = 0; shape < SHAPES; shape++) {
            double figures[MEASURES];
            measure_in_child(&programs[shape], figures);
            for (int m = 0; m < MEASURES; m++)
                samples[shape][m][round] = figures[m];
        }
    }

    printf("medians of %ld interleaved rounds\n", rounds);
    printf("%-14s %13s %12s %15s %15s\n", "shape", "instructions", "install us", "getppid ns", "ioctl ns");
    for (int shape = 0; shape < SHAPES; shape++) {
        for (int m = 0; m < MEASURES; m++)
            qsort(samples[shape][m], (size_t)rounds, sizeof(double), compare);
        printf("%-14s %13zu %12.1f %15.1f %15.1f\n", names[shape], programs[shape].count,
               samples[shape][INSTALL][rounds / 2], samples[shape][CACHED][rounds / 2],
               samples[shape][CHECKED][rounds / 2]);
        bpf_program_release(&programs[shape]);
    }
    return 0;
}
