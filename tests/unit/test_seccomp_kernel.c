/* The generated seccomp filter in the running kernel: each call is made by a
 * child without rights, once without the filter and once with it, so that no
 * refusal passes because the call fails anyway. */
#ifdef __linux__
#include "seccomp_attempt.h"

#include <fcntl.h>
#include <linux/fscrypt.h>
#include <linux/io_uring.h>
#include <linux/kd.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>

#include "plan/seccomp_table.h"
#include "plan/trace_calls.h"

#define HIGH 0xdeadbeef00000000

/* Each try returns 0 or an errno. */

static int try_netlink_route(void)
{
    return try_socket(AF_NETLINK, SOCK_RAW, 0);
}

static int try_netlink_uevent(void)
{
    return try_socket(AF_NETLINK, SOCK_RAW, 15);
}

static int try_inet(void)
{
    return try_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int try_inet6(void)
{
    int error = try_socket(AF_INET6, SOCK_DGRAM, 0);
    return error == EAFNOSUPPORT ? 0 : error; /* a kernel without IPv6 */
}

static int try_unix(void)
{
    return try_socket(AF_UNIX, SOCK_STREAM, 0);
}

static int try_alg(void)
{
    return try_socket(AF_ALG, SOCK_SEQPACKET, 0);
}

static int try_vsock(void)
{
    return try_socket(AF_VSOCK, SOCK_STREAM, 0);
}

static int try_pair_stream(void)
{
    return try_pair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC);
}

static int try_pair_seqpacket(void)
{
    return try_pair(AF_UNIX, SOCK_SEQPACKET);
}

static int try_pair_dgram(void)
{
    return try_pair(AF_UNIX, SOCK_DGRAM);
}

static int try_pair_raw(void)
{
    return try_pair((long)HIGH | AF_UNIX, (long)HIGH | SOCK_RAW | SOCK_NONBLOCK);
}

static int try_unshare_user(void)
{
    return outcome(syscall(SYS_unshare, CLONE_NEWUSER));
}

static int try_unshare_files(void)
{
    return outcome(syscall(SYS_unshare, CLONE_FILES | CLONE_FS));
}

static int try_clone(unsigned long flags)
{
    long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    int error = outcome(pid);
    if (pid > 0)
        waitpid((pid_t)pid, NULL, 0);
    return error;
}

static int try_clone_user(void)
{
    return try_clone(CLONE_NEWUSER);
}

static int try_clone_plain(void)
{
    return try_clone(0);
}

static int try_clone3(void)
{
    struct clone_args args = {.exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        _exit(0);
    int error = outcome(pid);
    if (pid > 0)
        waitpid((pid_t)pid, NULL, 0);
    return error;
}

static void *return_argument(void *argument)
{
    return argument;
}

static int try_thread(void)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, return_argument, NULL);
    return error ? error : pthread_join(thread, NULL);
}

static int try_io_uring(void)
{
    struct io_uring_params params = {0};
    long fd = syscall(SYS_io_uring_setup, 1, &params);
    int error = outcome(fd);
    if (fd >= 0)
        close((int)fd);
    return error;
}

static int try_personality_32(void)
{
    long before = syscall(SYS_personality, 0xffffffff);
    int error = outcome(syscall(SYS_personality, HIGH | PER_LINUX32));
    syscall(SYS_personality, before);
    return error;
}

static int try_personality_fixed(void)
{
    return outcome(syscall(SYS_personality, ADDR_NO_RANDOMIZE));
}

static int try_bad_mount_setattr(void)
{
    return outcome(syscall(SYS_mount_setattr, -1, "", 0, NULL, 0));
}

static int try_newer(void)
{
    /* Whatever the kernel answers, the filter's answer is ENOSYS. */
    return outcome(syscall(SECCOMP_LAST_KNOWN + 1, -1, -1, -1, -1, -1, -1));
}

/* The terminal requests on a terminal of the child's own that controls it. */
static int with_terminal(int (*act)(int slave))
{
    long master = syscall(SYS_openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY);
    if (master < 0)
        return ENODEV;
    int unlock = 0, slave = -1, error = ENODEV;
    if (ioctl((int)master, TIOCSPTLCK, &unlock) == 0)
        slave = ioctl((int)master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    if (slave >= 0) {
        signal(SIGHUP, SIG_IGN); /* the master's close hangs up on its session's leader */
        setsid();
        error = ioctl(slave, TIOCSCTTY, 0) == 0 ? act(slave) : ENODEV;
        close(slave);
    }
    close((int)master);
    return error;
}

static int push_byte(int slave)
{
    return outcome(syscall(SYS_ioctl, slave, TIOCSTI, "x"));
}

static int push_byte_high(int slave)
{
    return outcome(syscall(SYS_ioctl, slave, HIGH | TIOCSTI, "x"));
}

static int set_discipline(int slave)
{
    int discipline = 0;
    return outcome(syscall(SYS_ioctl, slave, HIGH | TIOCSETD, &discipline));
}

static int close_to_others(int slave)
{
    return outcome(ioctl(slave, TIOCEXCL));
}

static int read_size(int slave)
{
    struct winsize size;
    return outcome(ioctl(slave, TIOCGWINSZ, &size));
}

static int try_tiocsti(void)
{
    return with_terminal(push_byte);
}

static int try_tiocsti_high(void)
{
    return with_terminal(push_byte_high);
}

static int try_tiocsetd(void)
{
    return with_terminal(set_discipline);
}

static int try_tiocexcl(void)
{
    return with_terminal(close_to_others);
}

static int try_winsize(void)
{
    return with_terminal(read_size);
}

#ifdef __x86_64__
static int try_int80(void)
{
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(20L /* i386 getpid */)
                     : "memory", "r8", "r9", "r10", "r11");
    return result < 0 ? (int)-result : 0;
}
#endif

/* On a memory file: nothing is left behind. */
static int try_fchmod(unsigned mode)
{
    int fd = (int)syscall(SYS_memfd_create, "mode", 0);
    if (fd < 0)
        return CANNOT;
    int error = outcome(syscall(SYS_fchmod, fd, mode));
    close(fd);
    return error;
}

static int try_setuid_bit(void)
{
    return try_fchmod(04755);
}

static int try_plain_mode(void)
{
    return try_fchmod(02755);
}

/* The filter answers before the kernel looks for the file. */
static int try_open_setuid(void)
{
    return outcome(syscall(SYS_openat, AT_FDCWD, "/nowhere/file", O_CREAT | O_WRONLY, 04755));
}

static const struct attempt plain_tries[] = {
    {"socket inet", try_inet, 0},
    {"socket inet6", try_inet6, 0},
    {"socket unix", try_unix, EACCES},
    {"socket netlink route", try_netlink_route, 0},
    {"socket netlink uevent", try_netlink_uevent, EACCES},
    {"socket alg", try_alg, EAFNOSUPPORT},
    {"socket vsock", try_vsock, EAFNOSUPPORT},
    {"socketpair stream", try_pair_stream, 0},
    {"socketpair seqpacket", try_pair_seqpacket, 0},
    {"socketpair dgram", try_pair_dgram, EACCES},
    {"socketpair raw", try_pair_raw, EACCES},
    {"clone", try_clone_plain, 0},
    {"clone newuser", try_clone_user, EPERM},
    {"clone3", try_clone3, ENOSYS},
    {"thread", try_thread, 0},
    {"io_uring_setup", try_io_uring, ENOSYS},
    {"personality linux32", try_personality_32, EPERM},
    {"personality fixed addresses", try_personality_fixed, 0},
    {"mount_setattr", try_bad_mount_setattr, EPERM},
    {"newer than the table", try_newer, ENOSYS},
#ifdef __x86_64__
    {"int 0x80", try_int80, ENOSYS},
#endif
    {"unshare files", try_unshare_files, 0},
    {"unshare newuser", try_unshare_user, EPERM},
    {"set-user-ID bit", try_setuid_bit, EPERM},
    {"other modes", try_plain_mode, 0},
    {"open with the set-user-ID bit", try_open_setuid, EPERM},
    {"TIOCGWINSZ", try_winsize, 0},
    {"TIOCSTI", try_tiocsti, EPERM},
    {"TIOCSTI, junk above", try_tiocsti_high, EPERM},
    {"TIOCSETD, junk above", try_tiocsetd, EPERM},
    {"TIOCEXCL", try_tiocexcl, EPERM},
};

static void test_kernel_answers(void **state)
{
    (void)state;
    const struct seccomp_options options = {.arch = HOST};
    assert_kernel_answers(&options, plain_tries, COUNT(plain_tries));
}

static int skipped_by_debugger(void)
{
    return outcome(syscall(-1L));
}

/* -1 reaches the kernel, which answers by itself. */
static void test_skipped_call_passes(void **state)
{
    (void)state;
    struct seccomp_options options = {.arch = HOST};
    struct bpf_program filter = {0};
    assert_int_equal(seccomp_generate(&options, &filter, NULL), CORDON_OK);
    assert_int_equal(answer_of(skipped_by_debugger, &filter), ENOSYS);
    bpf_program_release(&filter);
}

static void assert_request(const char *name, unsigned long value)
{
    for (size_t i = 0; i < seccomp_request_count; i++) {
        if (strcmp(seccomp_requests[i].name, name) == 0) {
            assert_int_equal(seccomp_requests[i].value, value);
            return;
        }
    }
    fail_msg("%s is not listed", name);
}

/* The table's own constants are what this system's headers say. */
static void test_constants_are_the_headers(void **state)
{
    (void)state;
#define REQUEST(name) assert_request(#name, name)
    REQUEST(TIOCSTI);
    REQUEST(TIOCLINUX);
    REQUEST(TIOCCONS);
    REQUEST(TIOCSETD);
    REQUEST(TIOCEXCL);
    REQUEST(KDSKBENT);
    REQUEST(KDSKBSENT);
    REQUEST(KDSKBDIACR);
    REQUEST(KDSKBDIACRUC);
    REQUEST(KDSETKEYCODE);
    REQUEST(FS_IOC_ADD_ENCRYPTION_KEY);
    REQUEST(FS_IOC_REMOVE_ENCRYPTION_KEY);
    REQUEST(FS_IOC_REMOVE_ENCRYPTION_KEY_ALL_USERS);
#undef REQUEST
    assert_int_equal(SECCOMP_CLONE_NAMESPACES, CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                                   CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET);
    assert_int_equal(SECCOMP_UNSHARE_NAMESPACES, SECCOMP_CLONE_NAMESPACES | CLONE_NEWTIME);
    assert_int_equal(SECCOMP_PERSONALITY_HARMLESS,
                     UNAME26 | ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT | READ_IMPLIES_EXEC);
    assert_int_equal(SECCOMP_NEW_LISTENER, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    assert_int_equal(SECCOMP_VALUE_ASK, SECCOMP_RET_USER_NOTIF);
    assert_int_equal(TRACE_OPEN_WRITES, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY));
    assert_int_equal(SECCOMP_EBUSY, EBUSY);
    assert_int_equal(SECCOMP_EPERM, EPERM);
    assert_int_equal(SECCOMP_EACCES, EACCES);
    assert_int_equal(SECCOMP_ENOSYS, ENOSYS);
    assert_int_equal(SECCOMP_EAFNOSUPPORT, EAFNOSUPPORT);
    assert_int_equal(SECCOMP_AF_UNIX, AF_UNIX);
    assert_int_equal(SECCOMP_AF_INET, AF_INET);
    assert_int_equal(SECCOMP_AF_INET6, AF_INET6);
    assert_int_equal(SECCOMP_AF_NETLINK, AF_NETLINK);
    assert_int_equal(SECCOMP_SOCK_STREAM, SOCK_STREAM);
    assert_int_equal(SECCOMP_SOCK_RAW, SOCK_RAW);
    assert_int_equal(SECCOMP_SOCK_SEQPACKET, SOCK_SEQPACKET);
    assert_int_equal(SECCOMP_SOCK_PACKET, SOCK_PACKET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constants_are_the_headers),
        cmocka_unit_test(test_kernel_answers),
        cmocka_unit_test(test_skipped_call_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
    return 0;
}
#endif
