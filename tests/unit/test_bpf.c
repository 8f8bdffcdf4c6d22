/* The assembler and the interpreter of classic BPF. On Linux the interpreter is
 * held to the kernel: it must refuse what the kernel refuses to load and compute
 * what the kernel computes, for chosen and for random programs. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "plan/bpf.h"
#include "plan/bpf_asm.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ALLOW 0x7fff0000u

static cordon_status run(const struct bpf_insn *insns, size_t count, const struct bpf_syscall *input,
                         uint32_t *result)
{
    struct bpf_program program = {(struct bpf_insn *)(uintptr_t)insns, count};
    struct cordon_error err;
    cordon_status status = bpf_run(&program, input, result, &err);
    if (status != CORDON_OK)
        assert_string_equal(err.step, "bpf.run");
    return status;
}

/* ---- assembler */

static void test_labels_resolve(void **state)
{
    (void)state;
    struct bpf_asm a;
    struct bpf_program p = {0};
    struct cordon_error err;
    bpf_asm_init(&a);
    struct bpf_label yes = bpf_asm_label(&a), no = bpf_asm_label(&a), end = bpf_asm_label(&a);
    bpf_asm_load(&a, 0);
    bpf_asm_if(&a, BPF_CODE_IF_EQUAL, 7, yes, no);
    bpf_asm_return(&a, 1);
    bpf_asm_bind(&a, yes);
    bpf_asm_and(&a, 0xff);
    bpf_asm_goto(&a, end);
    bpf_asm_bind(&a, no);
    bpf_asm_return(&a, 2);
    bpf_asm_bind(&a, end);
    bpf_asm_return(&a, 3);
    assert_int_equal(bpf_asm_finish(&a, "test.step", &p, &err), CORDON_OK);

    static const struct bpf_insn expected[] = {
        {0x20, 0, 0, 0}, {0x15, 1, 3, 7}, {0x06, 0, 0, 1}, {0x54, 0, 0, 0xff},
        {0x05, 0, 0, 1}, {0x06, 0, 0, 2}, {0x06, 0, 0, 3},
    };
    assert_int_equal(p.count, COUNT(expected));
    assert_memory_equal(p.insns, expected, sizeof expected);
    bpf_program_release(&p);
    assert_null(p.insns);
    bpf_program_release(&p);
    bpf_program_release(NULL);
}

static void assert_refused(const struct bpf_asm *a)
{
    struct bpf_program p = {NULL, 77};
    struct cordon_error err;
    assert_int_equal(bpf_asm_finish(a, "test.step", &p, &err), CORDON_E_LIMIT);
    assert_string_equal(err.step, "test.step");
    assert_null(p.insns);
    assert_int_equal(p.count, 77);
}

static void test_assembler_refuses_mistakes(void **state)
{
    (void)state;
    struct bpf_asm a;

    bpf_asm_init(&a); /* nothing */
    assert_refused(&a);

    bpf_asm_init(&a); /* a label bound nowhere */
    bpf_asm_goto(&a, bpf_asm_label(&a));
    bpf_asm_return(&a, 0);
    assert_refused(&a);

    bpf_asm_init(&a); /* a label bound behind the last instruction */
    struct bpf_label label = bpf_asm_label(&a);
    bpf_asm_goto(&a, label);
    bpf_asm_return(&a, 0);
    bpf_asm_bind(&a, label);
    assert_refused(&a);

    bpf_asm_init(&a); /* backwards */
    label = bpf_asm_label(&a);
    bpf_asm_bind(&a, label);
    bpf_asm_load(&a, 0);
    bpf_asm_if(&a, BPF_CODE_IF_EQUAL, 1, BPF_ASM_NEXT, label);
    bpf_asm_return(&a, 0);
    assert_refused(&a);

    bpf_asm_init(&a); /* bound twice */
    label = bpf_asm_label(&a);
    bpf_asm_bind(&a, label);
    bpf_asm_bind(&a, label);
    bpf_asm_return(&a, 0);
    assert_refused(&a);

    bpf_asm_init(&a); /* full */
    for (size_t i = 0; i <= BPF_ASM_MAX_INSNS; i++)
        bpf_asm_return(&a, 0);
    assert_refused(&a);

    bpf_asm_init(&a);
    for (size_t i = 0; i <= BPF_ASM_MAX_LABELS; i++)
        bpf_asm_label(&a);
    bpf_asm_return(&a, 0);
    assert_refused(&a);
}

/* A conditional jump reaches 255 instructions and no further; a goto does. */
static void test_jump_reach(void **state)
{
    (void)state;
    for (size_t between = 254; between <= 257; between++) {
        for (int conditional = 0; conditional < 2; conditional++) {
            struct bpf_asm a;
            struct bpf_program p = {0};
            struct bpf_syscall input = {.nr = 5};
            uint32_t result = 0;
            bpf_asm_init(&a);
            struct bpf_label far = bpf_asm_label(&a);
            bpf_asm_load(&a, 0);
            if (conditional)
                bpf_asm_if(&a, BPF_CODE_IF_EQUAL, 5, far, BPF_ASM_NEXT);
            else
                bpf_asm_goto(&a, far);
            for (size_t i = 0; i < between; i++)
                bpf_asm_return(&a, 1);
            bpf_asm_bind(&a, far);
            bpf_asm_return(&a, 2);
            if (conditional && between > 255) {
                assert_refused(&a);
                continue;
            }
            assert_int_equal(bpf_asm_finish(&a, "test.step", &p, NULL), CORDON_OK);
            assert_int_equal(bpf_run(&p, &input, &result, NULL), CORDON_OK);
            assert_int_equal(result, 2);
            bpf_program_release(&p);
        }
    }
}

/* ---- interpreter */

static void test_reads_every_word(void **state)
{
    (void)state;
    struct bpf_syscall input = {1, 2, UINT64_C(0x400000003), {0}};
    for (uint32_t i = 0; i < 6; i++)
        input.args[i] = (uint64_t)(2 * i + 6) << 32 | (2 * i + 5);
    for (uint32_t offset = 0; offset < 64; offset += 4) {
        struct bpf_insn insns[] = {{0x20, 0, 0, offset}, {0x16, 0, 0, 0}};
        uint32_t result = 0;
        assert_int_equal(run(insns, COUNT(insns), &input, &result), CORDON_OK);
        assert_int_equal(result, offset / 4 + 1);
    }
}

/* Bodies that end in a return; whether a seccomp filter may look so. */
static const struct {
    const char *what;
    bool valid;
    size_t count;
    struct bpf_insn insns[8];
} shapes[] = {
    {"return", true, 1, {{0x06, 0, 0, ALLOW}}},
    {"empty", false, 0, {{0x06, 0, 0, ALLOW}}},
    {"falls off the end", false, 2, {{0x20, 0, 0, 0}, {0x54, 0, 0, 1}}},
    {"ends in a jump", false, 2, {{0x06, 0, 0, ALLOW}, {0x05, 0, 0, 0}}},
    {"goto the end", true, 3, {{0x05, 0, 0, 1}, {0x06, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"goto past the end", false, 2, {{0x05, 0, 0, 1}, {0x06, 0, 0, ALLOW}}},
    {"goto backwards", false, 2, {{0x05, 0, 0, UINT32_MAX}, {0x06, 0, 0, ALLOW}}},
    {"jt past the end", false, 2, {{0x15, 1, 0, 1}, {0x06, 0, 0, ALLOW}}},
    {"jf past the end", false, 2, {{0x15, 0, 1, 1}, {0x06, 0, 0, ALLOW}}},
    {"jset x past the end", false, 2, {{0x4d, 0, 9, 1}, {0x06, 0, 0, ALLOW}}},
    {"jset x", true, 2, {{0x4d, 0, 0, 1}, {0x06, 0, 0, ALLOW}}},
    {"unknown code", false, 2, {{0xffff, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"modulo", false, 2, {{0x94, 0, 0, 3}, {0x06, 0, 0, ALLOW}}},
    {"neg x", false, 2, {{0x8c, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"neg", true, 2, {{0x84, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"goto x", false, 2, {{0x0d, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"return x", false, 1, {{0x0e, 0, 0, 0}}},
    {"return a", true, 2, {{0x00, 0, 0, ALLOW}, {0x16, 0, 0, 0}}},
    {"divide by constant zero", false, 2, {{0x34, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"divide by x", true, 3, {{0x01, 0, 0, 3}, {0x3c, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"shift by 31", true, 2, {{0x64, 0, 0, 31}, {0x06, 0, 0, ALLOW}}},
    {"shift left by 32", false, 2, {{0x64, 0, 0, 32}, {0x06, 0, 0, ALLOW}}},
    {"shift right by 32", false, 2, {{0x74, 0, 0, 32}, {0x06, 0, 0, ALLOW}}},
    {"load the last word", true, 2, {{0x20, 0, 0, 60}, {0x06, 0, 0, ALLOW}}},
    {"load past the data", false, 2, {{0x20, 0, 0, 64}, {0x06, 0, 0, ALLOW}}},
    {"load unaligned", false, 2, {{0x20, 0, 0, 2}, {0x06, 0, 0, ALLOW}}},
    {"load ancillary data", false, 2, {{0x20, 0, 0, 0xfffff000}, {0x06, 0, 0, ALLOW}}},
    {"load half a word", false, 2, {{0x28, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"load indirectly", false, 2, {{0x40, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"length", true, 2, {{0x80, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"length to x", true, 2, {{0x81, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"header length", false, 2, {{0xb1, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"store, then load", true, 3, {{0x02, 0, 0, 15}, {0x60, 0, 0, 15}, {0x06, 0, 0, ALLOW}}},
    {"store x, then load x", true, 3, {{0x03, 0, 0, 0}, {0x61, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"store out of range", false, 2, {{0x02, 0, 0, 16}, {0x06, 0, 0, ALLOW}}},
    {"load what was not stored", false, 2, {{0x60, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"load another cell", false, 3, {{0x02, 0, 0, 1}, {0x60, 0, 0, 0}, {0x06, 0, 0, ALLOW}}},
    {"stored on one path only",
     false,
     5,
     {{0x20, 0, 0, 0}, {0x15, 0, 1, 5}, {0x02, 0, 0, 3}, {0x60, 0, 0, 3}, {0x06, 0, 0, ALLOW}}},
    {"stored on both paths",
     true,
     7,
     {{0x20, 0, 0, 0},
      {0x15, 0, 2, 5},
      {0x02, 0, 0, 3},
      {0x05, 0, 0, 1},
      {0x03, 0, 0, 3},
      {0x60, 0, 0, 3},
      {0x06, 0, 0, ALLOW}}},
    {"unreachable load",
     true,
     4,
     {{0x05, 0, 0, 1}, {0x60, 0, 0, 3}, {0x06, 0, 0, ALLOW}, {0x06, 0, 0, ALLOW}}},
};

static void test_refuses_what_the_kernel_would(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        struct bpf_syscall input = {0};
        uint32_t result = 12345;
        cordon_status status = run(shapes[i].insns, shapes[i].count, &input, &result);
        if ((status == CORDON_OK) != shapes[i].valid)
            fail_msg("%s: %s", shapes[i].what, shapes[i].valid ? "refused" : "accepted");
        if (status != CORDON_OK)
            assert_int_equal(result, 12345);
    }
}

static void test_length_limit(void **state)
{
    (void)state;
    struct bpf_syscall input = {0};
    uint32_t result = 0;
    struct bpf_insn *insns = calloc(BPF_MAX_INSNS + 1, sizeof *insns);
    assert_non_null(insns);
    for (size_t i = 0; i <= BPF_MAX_INSNS; i++)
        insns[i] = (struct bpf_insn){0x06, 0, 0, 9};
    assert_int_equal(run(insns, BPF_MAX_INSNS, &input, &result), CORDON_OK);
    assert_int_equal(result, 9);
    assert_int_equal(run(insns, BPF_MAX_INSNS + 1, &input, &result), CORDON_E_INVALID);
    free(insns);
}

static void test_division_by_zero_kills(void **state)
{
    (void)state;
    struct bpf_syscall input = {0};
    uint32_t result = 1;
    static const struct bpf_insn insns[] = {{0x01, 0, 0, 0}, {0x3c, 0, 0, 0}, {0x06, 0, 0, ALLOW}};
    assert_int_equal(run(insns, COUNT(insns), &input, &result), CORDON_OK);
    assert_int_equal(result, 0);
}

/* ---- the kernel as the judge */

#ifdef __linux__
#include <errno.h>
#include <stdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A number that no kernel gives a meaning: only the filter answers it. */
#define FREE_NUMBER 400
#define PROLOGUE 3
#define MAX_BODY 24
#define LANDING 3

struct kernel_program { /* struct sock_fprog */
    unsigned short count;
    struct bpf_insn *insns;
};

enum { CHILD_OK, CHILD_WRONG, CHILD_REFUSED, CHILD_CANNOT, CHILD_KILLED };

/* Loads the program in a child of its own and, if it loads, makes the free call. */
static int ask_kernel(const struct bpf_insn *insns, size_t count, const struct bpf_syscall *input,
                      uint32_t expected)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct kernel_program program = {(unsigned short)count, (struct bpf_insn *)(uintptr_t)insns};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
            _exit(CHILD_CANNOT);
        if (syscall(SYS_seccomp, 1, 0, &program) != 0)
            _exit(errno == EINVAL ? CHILD_REFUSED : CHILD_CANNOT);
        errno = 0;
        syscall(FREE_NUMBER, input->args[0], input->args[1], input->args[2], input->args[3], input->args[4],
                input->args[5]);
        _exit(errno == (int)(expected & 0xffff) ? CHILD_OK : CHILD_WRONG);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? CHILD_KILLED : WEXITSTATUS(status);
}

static bool kernel_can_tell(void)
{
    static const struct bpf_insn allow[] = {{0x06, 0, 0, ALLOW}};
    struct bpf_syscall input = {0};
    if (ask_kernel(allow, 1, &input, ENOSYS) == CHILD_OK)
        return true;
    if (getenv("CORDON_MUST_WORK"))
        fail_msg("this machine lets no process install a seccomp filter");
    print_message("skipped: this machine lets no process install a seccomp filter\n");
    return false;
}

static void test_kernel_agrees_on_shapes(void **state)
{
    (void)state;
    if (!kernel_can_tell())
        skip();
    for (size_t i = 0; i < COUNT(shapes); i++) {
        struct bpf_insn insns[PROLOGUE + 8] = {
            {0x20, 0, 0, 0}, {0x15, 1, 0, FREE_NUMBER}, {0x06, 0, 0, ALLOW}};
        struct bpf_syscall input = {0};
        if (shapes[i].count == 0)
            continue;
        memcpy(insns + PROLOGUE, shapes[i].insns, shapes[i].count * sizeof *insns);
        int answer = ask_kernel(insns, PROLOGUE + shapes[i].count, &input, ENOSYS);
        bool accepted = answer != CHILD_REFUSED;
        if (answer == CHILD_CANNOT || accepted != shapes[i].valid)
            fail_msg("%s: the kernel %s it", shapes[i].what, accepted ? "accepts" : "refuses");
    }
}

static uint32_t draw(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

/* Mostly valid instructions; the answer is made harmless by the epilogue. */
static struct bpf_insn draw_insn(uint64_t *seed)
{
    static const uint16_t codes[] = {
        0x20, 0x20, 0x20, 0x80, 0x00, 0x60, 0x81, 0x01, 0x61, 0x02, 0x03, 0x02, 0x03, 0x04, 0x14,
        0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x84, 0xa4, 0x0c, 0x1c, 0x2c, 0x3c, 0x4c, 0x5c, 0x6c,
        0x7c, 0xac, 0x05, 0x15, 0x25, 0x35, 0x45, 0x1d, 0x2d, 0x3d, 0x4d, 0x07, 0x87, 0x07, 0x87,
    };
    static const uint32_t values[] = {0, 1, 2, 3, 7, 31, 32, 0x80000000, 0xffffffff, 0xffff, 0x12345678};
    struct bpf_insn insn = {codes[draw(seed) % COUNT(codes)], 0, 0, values[draw(seed) % COUNT(values)]};
    insn.jt = (uint8_t)(draw(seed) % 4);
    insn.jf = (uint8_t)(draw(seed) % 4);
    if (insn.code == 0x20)
        insn.k = 16 + 4 * (draw(seed) % 12);
    if (insn.code == 0x60 || insn.code == 0x61 || insn.code == 0x02 || insn.code == 0x03)
        insn.k = draw(seed) % 3;
    if (insn.code == 0x05)
        insn.k = draw(seed) % 4;
    if (draw(seed) % 64 == 0)
        insn.code = (uint16_t)(draw(seed) % 256);
    return insn;
}

static void test_kernel_agrees_on_random_programs(void **state)
{
    (void)state;
    if (!kernel_can_tell())
        skip();
    uint64_t seed = 20240607;
    int seen[CHILD_KILLED + 1] = {0};
    for (int round = 0; round < 400; round++) {
        struct bpf_insn insns[PROLOGUE + MAX_BODY + LANDING + 3] = {
            {0x20, 0, 0, 0}, {0x15, 1, 0, FREE_NUMBER}, {0x06, 0, 0, ALLOW}};
        size_t count = PROLOGUE;
        for (size_t body = 1 + draw(&seed) % MAX_BODY; body > 0; body--) {
            insns[count] = draw_insn(&seed);
            if ((insns[count].code & 7) == 6) /* a return could answer anything, also "trace" or "kill" */
                continue;
            count++;
        }
        for (size_t i = 0; i < LANDING; i++) /* no jump of the body may pass the epilogue */
            insns[count++] = (struct bpf_insn){0x04, 0, 0, 1};
        insns[count++] = (struct bpf_insn){0x54, 0, 0, 0xfff};
        insns[count++] = (struct bpf_insn){0x44, 0, 0, 0x50000};
        insns[count++] = (struct bpf_insn){0x16, 0, 0, 0};

        struct bpf_syscall input = {.nr = FREE_NUMBER};
        for (size_t i = 0; i < 6; i++)
            input.args[i] = (uint64_t)draw(&seed) << 32 | (draw(&seed) % 2 ? draw(&seed) : draw(&seed) % 4);
        uint32_t result = 0;
        cordon_status status = run(insns, count, &input, &result);
        int expected = status != CORDON_OK ? CHILD_REFUSED : result == 0 ? CHILD_KILLED : CHILD_OK;
        if (expected == CHILD_KILLED && seen[CHILD_KILLED])
            continue; /* each one is a line in the machine's audit log: once is enough */
        int answer = ask_kernel(insns, count, &input, result);
        if (answer != expected) {
            for (size_t i = 0; i < count; i++)
                print_message("%2zu: 0x%04x %u %u 0x%08x\n", i, insns[i].code, insns[i].jt, insns[i].jf,
                              insns[i].k);
            fail_msg("round %d: the interpreter says %d (result 0x%x), the kernel %d", round, expected,
                     result, answer);
        }
        seen[answer]++;
    }
    assert_true(seen[CHILD_OK] >= 50 && seen[CHILD_REFUSED] >= 50 && seen[CHILD_KILLED] == 1);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_resolve),
        cmocka_unit_test(test_assembler_refuses_mistakes),
        cmocka_unit_test(test_jump_reach),
        cmocka_unit_test(test_reads_every_word),
        cmocka_unit_test(test_refuses_what_the_kernel_would),
        cmocka_unit_test(test_length_limit),
        cmocka_unit_test(test_division_by_zero_kills),
#ifdef __linux__
        cmocka_unit_test(test_kernel_agrees_on_shapes),
        cmocka_unit_test(test_kernel_agrees_on_random_programs),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
