/* The table of traced system calls: its numbers against the headers of this
 * machine, what each call means, and what is then asked of decide(). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#ifdef __linux__
#include <fcntl.h>
#include <sys/syscall.h>
#endif

#include "plan/seccomp_table.h"
#include "plan/trace_calls.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define X86_64 SECCOMP_ARCH_X86_64
#define AARCH64 SECCOMP_ARCH_AARCH64
#define HIGH UINT64_C(0xdeadbeef00000000)

static void test_numbers_are_unique_and_not_refused(void **state)
{
    (void)state;
    for (enum seccomp_arch arch = X86_64; arch <= AARCH64; arch++)
        for (size_t i = 0; i < trace_call_count; i++) {
            int number = trace_calls[i].number[arch];
            if (number < 0)
                continue;
            assert_ptr_equal(trace_call_find(arch, (uint32_t)number), &trace_calls[i]);
            assert_true(number <= SECCOMP_LAST_KNOWN);
            for (size_t k = 0; k < seccomp_rule_count; k++)
                if (seccomp_rules[k].number[arch] == number && seccomp_rules[k].check == SECCOMP_REFUSE)
                    fail_msg("%s is refused always: nobody is asked about it", trace_calls[i].name);
        }
    assert_null(trace_call_find(X86_64, 0));
    assert_null(trace_call_find(X86_64, UINT32_MAX));
}

#ifdef __linux__
static void test_numbers_are_the_headers(void **state)
{
    (void)state;
#ifdef __aarch64__
    const enum seccomp_arch arch = AARCH64;
#else
    const enum seccomp_arch arch = X86_64;
#endif
    static const struct {
        const char *name;
        int number;
    } here[] = {
#define HERE(name) {#name, SYS_##name}
#ifndef __aarch64__
        HERE(open),     HERE(creat),     HERE(mkdir),       HERE(rmdir),        HERE(unlink),
        HERE(rename),   HERE(link),      HERE(symlink),     HERE(mknod),        HERE(chmod),
        HERE(chown),    HERE(lchown),    HERE(utime),       HERE(utimes),       HERE(futimesat),
#endif
        HERE(openat),   HERE(truncate),  HERE(execve),      HERE(execveat),     HERE(chdir),
        HERE(fchdir),   HERE(mkdirat),   HERE(mknodat),     HERE(symlinkat),    HERE(linkat),
        HERE(unlinkat), HERE(renameat2), HERE(fchmodat),    HERE(fchownat),     HERE(utimensat),
        HERE(setxattr), HERE(lsetxattr), HERE(removexattr), HERE(lremovexattr),
#undef HERE
    };
    for (size_t i = 0; i < COUNT(here); i++) {
        const struct trace_call *call = trace_call_find(arch, (uint32_t)here[i].number);
        assert_non_null(call);
        assert_string_equal(call->name, here[i].name);
    }
}
#endif

static size_t decode(uint32_t number, const uint64_t args[6], struct trace_target out[2])
{
    memset(out, 0xee, 2 * sizeof *out);
    return trace_decode(X86_64, number, args, out);
}

static void test_openat(void **state)
{
    (void)state;
    struct trace_target t[2];
    assert_int_equal(decode(257, (uint64_t[6]){HIGH | 0xffffff9c, 0x1000, 0x41, 0644}, t), 1);
    assert_int_equal(t[0].act, TRACE_ACT_OPEN);
    assert_int_equal(t[0].dir, TRACE_CWD);
    assert_int_equal(t[0].path, 0x1000);
    assert_true(t[0].follow);
    assert_false(t[0].empty);
    assert_int_equal(decode(257, (uint64_t[6]){7, 0x1000, HIGH | 0x1}, t), 1);
    assert_int_equal(t[0].dir, 7);
    assert_int_equal(t[0].flags, 1);
    decode(257, (uint64_t[6]){7, 0x1000, 0x20001}, t); /* O_NOFOLLOW */
    assert_false(t[0].follow);
    decode(257, (uint64_t[6]){7, 0x1000, 0xc1}, t); /* O_CREAT | O_EXCL */
    assert_false(t[0].follow);
    assert_int_equal(trace_decode(AARCH64, 56, (uint64_t[6]){7, 0x1000, 0x20001}, t), 1);
    assert_true(t[0].follow); /* O_DIRECT there */
    trace_decode(AARCH64, 56, (uint64_t[6]){7, 0x1000, 0x8001}, t);
    assert_false(t[0].follow);
}

static void test_other_calls(void **state)
{
    (void)state;
    struct trace_target t[2];
    assert_int_equal(decode(85, (uint64_t[6]){0x1000, 0644}, t), 1); /* creat */
    assert_int_equal(t[0].flags, 0x241);
    assert_true(t[0].follow);
    assert_int_equal(decode(264, (uint64_t[6]){3, 0x1000, 4, 0x2000}, t), 2); /* renameat */
    assert_int_equal(t[0].act, TRACE_ACT_REMOVE);
    assert_int_equal(t[0].dir, 3);
    assert_int_equal(t[1].act, TRACE_ACT_PUT);
    assert_int_equal(t[1].dir, 4);
    assert_int_equal(t[1].path, 0x2000);
    assert_false(t[1].follow);
    assert_int_equal(decode(265, (uint64_t[6]){3, 0x1000, 4, 0x2000, 0x400}, t),
                     1); /* linkat: the new name */
    assert_int_equal(t[0].path, 0x2000);
    assert_int_equal(decode(266, (uint64_t[6]){0x1000, 5, 0x2000}, t), 1); /* symlinkat */
    assert_int_equal(t[0].dir, 5);
    assert_int_equal(t[0].path, 0x2000);
    decode(260, (uint64_t[6]){5, 0x1000, 0, 0, 0x1100}, t); /* fchownat: NOFOLLOW and EMPTY_PATH */
    assert_false(t[0].follow);
    assert_true(t[0].empty);
    decode(280, (uint64_t[6]){5, 0x1000, 0, 0}, t); /* utimensat */
    assert_true(t[0].follow);
    assert_false(t[0].empty);
    assert_int_equal(decode(81, (uint64_t[6]){5}, t), 0); /* fchdir */
    assert_int_equal(decode(0, (uint64_t[6]){5}, t), 0);
}

/* What is asked: for each act and what is found there. */
static void test_operations(void **state)
{
    (void)state;
    enum { NOTHING = -1 };
    static const struct {
        enum trace_act act;
        uint32_t flags;
        int absent, file, directory, link;
    } cases[] = {
        {TRACE_ACT_OPEN, 0, NOTHING, OP_READ, OP_READ, NOTHING},
        {TRACE_ACT_OPEN, 0x1, NOTHING, OP_WRITE, NOTHING, NOTHING},
        {TRACE_ACT_OPEN, 0x2, NOTHING, OP_WRITE, NOTHING, NOTHING},
        {TRACE_ACT_OPEN, 0x200, NOTHING, OP_WRITE, NOTHING, NOTHING},
        {TRACE_ACT_OPEN, 0x40, OP_CREATE, OP_READ, NOTHING, NOTHING},
        {TRACE_ACT_OPEN, 0x41, OP_CREATE, OP_WRITE, NOTHING, NOTHING},
        {TRACE_ACT_OPEN, 0xc1, OP_CREATE, NOTHING, NOTHING, NOTHING},
        {TRACE_ACT_OPEN, 0x410001, NOTHING, OP_WRITE, OP_WRITE, NOTHING}, /* O_TMPFILE */
        {TRACE_ACT_OPEN, 0x200001, NOTHING, NOTHING, NOTHING, NOTHING},   /* O_PATH */
        {TRACE_ACT_READ, 0, NOTHING, OP_READ, OP_READ, OP_READ},
        {TRACE_ACT_CHANGE, 0, NOTHING, OP_WRITE, OP_WRITE, OP_WRITE},
        {TRACE_ACT_CREATE, 0, OP_CREATE, NOTHING, NOTHING, NOTHING},
        {TRACE_ACT_REMOVE, 0, NOTHING, OP_REMOVE, OP_REMOVE, OP_REMOVE},
        {TRACE_ACT_PUT, 0, OP_CREATE, OP_REMOVE, OP_REMOVE, OP_REMOVE},
        {TRACE_ACT_PUT, 1, OP_CREATE, NOTHING, NOTHING, NOTHING}, /* RENAME_NOREPLACE */
        {TRACE_ACT_PUT, 2, OP_CREATE, OP_REMOVE, OP_REMOVE, OP_REMOVE},
        {TRACE_ACT_NONE, 0, NOTHING, NOTHING, NOTHING, NOTHING},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct trace_target target = {.act = cases[i].act, .flags = cases[i].flags};
        const enum object_type types[] = {OBJECT_ABSENT, OBJECT_FILE, OBJECT_DIRECTORY, OBJECT_SYMLINK};
        const int expected[] = {cases[i].absent, cases[i].file, cases[i].directory, cases[i].link};
        for (size_t k = 0; k < COUNT(types); k++) {
            enum decide_op op = OP_READ;
            int got = trace_operation(&target, types[k], &op) ? (int)op : NOTHING;
            if (got != expected[k])
                fail_msg("case %zu, type %d: %d, expected %d", i, (int)types[k], got, expected[k]);
        }
    }
}

/* What the filter lets by unasked must be something that no policy refuses. */
static void test_unasked_opens_only_read(void **state)
{
    (void)state;
    const struct seccomp_options options = {.arch = X86_64, .trace = true};
    for (uint32_t flags = 0; flags < 0x800000; flags += 0x3f) {
        uint64_t args[6] = {3, 0x1000, flags};
        struct trace_target t[2];
        if (trace_asks(&options, 257, args))
            continue;
        decode(257, args, t);
        for (enum object_type found = OBJECT_ABSENT; found <= OBJECT_OTHER; found++) {
            enum decide_op op;
            if (trace_operation(&t[0], found, &op))
                assert_int_equal(op, OP_READ);
        }
    }
}

#ifdef __linux__
static void test_flags_are_the_headers(void **state)
{
    (void)state;
    struct trace_target t[2];
    decode(257, (uint64_t[6]){0, 0, O_WRONLY | O_CREAT | O_EXCL}, t);
    enum decide_op op;
    assert_false(trace_operation(&t[0], OBJECT_FILE, &op));
    decode(257, (uint64_t[6]){0, 0, O_WRONLY | O_PATH}, t);
    assert_false(trace_operation(&t[0], OBJECT_FILE, &op));
    decode(257, (uint64_t[6]){0, 0, O_WRONLY | O_TMPFILE}, t);
    assert_true(trace_operation(&t[0], OBJECT_DIRECTORY, &op));
#ifdef __x86_64__
    decode(257, (uint64_t[6]){0, 0, O_WRONLY | O_NOFOLLOW}, t);
    assert_false(t[0].follow);
#endif
    decode(280, (uint64_t[6]){0, 0, 0, AT_SYMLINK_NOFOLLOW}, t);
    assert_false(t[0].follow);
    decode(280, (uint64_t[6]){0, 0, 0, AT_EMPTY_PATH}, t);
    assert_true(t[0].empty);
    assert_int_equal(TRACE_CWD, AT_FDCWD);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_unique_and_not_refused),
#ifdef __linux__
        cmocka_unit_test(test_numbers_are_the_headers),
        cmocka_unit_test(test_flags_are_the_headers),
#endif
        cmocka_unit_test(test_openat),
        cmocka_unit_test(test_other_calls),
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_unasked_opens_only_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
