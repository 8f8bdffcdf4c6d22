/* seccomp_cases.h - options and call numbers that the tests of the filter as data share. */
#ifndef CORDON_TEST_SECCOMP_CASES_H
#define CORDON_TEST_SECCOMP_CASES_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "plan/bpf_asm.h"
#include "plan/seccomp.h"
#include "plan/seccomp_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HIGH UINT64_C(0xdeadbeef00000000)
#define ALLOW SECCOMP_VALUE_ALLOW
#define NO(e) SECCOMP_VALUE_ERRNO(e)
#define ASK 0x7fc00000u
#define X86_64 0xc000003eu
#define AARCH64 0xc00000b7u
#define X32_BIT 0x40000000u

enum { EPERM_ = 1, EACCES_ = 13, EBUSY_ = 16, ENOSYS_ = 38, EAFNOSUPPORT_ = 97 };

static const struct seccomp_options option_sets[] = {
    {SECCOMP_ARCH_X86_64, false, false, false},  {SECCOMP_ARCH_X86_64, true, false, false},
    {SECCOMP_ARCH_X86_64, false, true, false},   {SECCOMP_ARCH_X86_64, true, true, false},
    {SECCOMP_ARCH_X86_64, false, true, true},    {SECCOMP_ARCH_X86_64, true, true, true},
    {SECCOMP_ARCH_AARCH64, false, false, false}, {SECCOMP_ARCH_AARCH64, true, false, false},
    {SECCOMP_ARCH_AARCH64, false, true, false},  {SECCOMP_ARCH_AARCH64, true, true, false},
    {SECCOMP_ARCH_AARCH64, false, true, true},   {SECCOMP_ARCH_AARCH64, true, true, true},
};

static inline uint32_t native(const struct seccomp_options *options)
{
    return options->arch == SECCOMP_ARCH_AARCH64 ? AARCH64 : X86_64;
}

/* The arguments decide. */
enum {
    CLONE,
    UNSHARE,
    PERSONALITY,
    IOCTL,
    SOCKET,
    SOCKETPAIR,
    CHMOD,
    FCHMOD,
    FCHMODAT,
    FCHMODAT2,
    MKNOD,
    MKNODAT,
    CREAT,
    OPEN,
    OPENAT,
    SECCOMP_CALL,
    UTIMENSAT,
    FUTIMESAT,
    CONDITIONAL_CALLS,
};
static const int conditional[][2] = {{56, 220}, {272, 97}, {135, 92}, {16, 29},   {41, 198}, {53, 199},
                                     {90, -1},  {91, 52},  {268, 53}, {452, 452}, {133, -1}, {259, 33},
                                     {85, -1},  {2, -1},   {257, 56}, {317, 277}, {280, 88}, {261, -1}};

static const uint32_t foreign[] = {
    0x40000003 /* i386 */, 0x40000028 /* arm */, 0, 0xffffffff, 0x4000003e, 0xc000003f, 0xc00000b6};

static inline uint32_t filter_answer(const struct bpf_program *filter, const struct bpf_syscall *input)
{
    uint32_t result = 0;
    assert_int_equal(bpf_run(filter, input, &result, NULL), CORDON_OK);
    return result;
}

static inline struct bpf_program generate(const struct seccomp_options *options)
{
    struct bpf_program filter = {0};
    struct cordon_error err;
    assert_int_equal(seccomp_generate(options, &filter, &err), CORDON_OK);
    return filter;
}

#endif
