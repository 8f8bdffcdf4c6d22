/* seccomp_attempt.h - system calls made under a filter, each in a child without
 * rights, once without the filter and once with it, so that no refusal passes
 * because the call fails anyway. For Linux only.
 */
#ifndef CORDON_TEST_SECCOMP_ATTEMPT_H
#define CORDON_TEST_SECCOMP_ATTEMPT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan/seccomp.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define NOBODY 65534
#define CANNOT 10000 /* no errno: the try itself failed */

#ifdef __aarch64__
#define HOST SECCOMP_ARCH_AARCH64
#else
#define HOST SECCOMP_ARCH_X86_64
#endif

static inline int outcome(long result)
{
    return result < 0 ? errno : 0;
}

static inline int try_socket(long domain, long type, long protocol)
{
    long fd = syscall(SYS_socket, domain, type, protocol);
    int error = outcome(fd);
    if (fd >= 0)
        close((int)fd);
    return error;
}

static inline int try_pair(long domain, long type)
{
    int fds[2];
    int error = outcome(syscall(SYS_socketpair, domain, type, 0, fds));
    if (error == 0) {
        close(fds[0]);
        close(fds[1]);
    }
    return error;
}

struct attempt {
    const char *name;
    int (*act)(void);
    int expected;
};

static inline int lose_rights(void)
{
    if (geteuid() == 0 && (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0))
        return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* One try in a child of its own: what it leaves (a session, a namespace) ends
 * with it. */
static inline int answer_of(int (*act)(void), const struct bpf_program *filter)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct {
            unsigned short count;
            struct bpf_insn *insns;
        } program = {0, NULL};
        int answer = CANNOT;
        if (filter)
            program.count = (unsigned short)filter->count, program.insns = filter->insns;
        if (lose_rights() == 0 && (!filter || syscall(SYS_seccomp, 1, 0, &program) == 0))
            answer = act();
        if (write(ends[1], &answer, sizeof answer) != sizeof answer)
            _exit(1);
        _exit(0);
    }
    int answer = CANNOT;
    close(ends[1]);
    if (read(ends[0], &answer, sizeof answer) != sizeof answer)
        answer = CANNOT;
    close(ends[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return answer;
}

static inline void assert_kernel_answers(const struct seccomp_options *options, const struct attempt *tries,
                                         size_t count)
{
    struct bpf_program filter = {0};
    assert_int_equal(seccomp_generate(options, &filter, NULL), CORDON_OK);
    for (size_t i = 0; i < count; i++) {
        int expected = tries[i].expected;
        int plain = answer_of(tries[i].act, NULL), filtered = answer_of(tries[i].act, &filter);
        if (plain == ENODEV || (expected == 0 && plain != 0 && plain != CANNOT)) {
            print_message("absent here: %s (error %d without the filter)\n", tries[i].name, plain);
            continue;
        }
        if (plain == CANNOT || filtered != expected)
            fail_msg("%s: error %d with the filter, expected %d (%d without it)", tries[i].name, filtered,
                     expected, plain);
        if (expected != 0 && plain == expected)
            print_message("refused here anyway: %s (error %d)\n", tries[i].name, plain);
    }
    bpf_program_release(&filter);
}

#endif
