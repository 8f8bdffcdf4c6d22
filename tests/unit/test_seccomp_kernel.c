/* The generated seccomp filter in the running kernel: each call is made by a
 * child without rights, once without the filter and once with it, so that no
 * refusal passes because the call fails anyway. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fscrypt.h>
#include <linux/io_uring.h>
#include <linux/kd.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan/seccomp.h"
#include "plan/seccomp_table.h"
#include "plan/trace_calls.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HIGH 0xdeadbeef00000000
#define NOBODY 65534
#define CANNOT 10000 /* no errno: the try itself failed */

#ifdef __aarch64__
#define HOST SECCOMP_ARCH_AARCH64
#else
#define HOST SECCOMP_ARCH_X86_64
#endif

/* Each try returns 0 or an errno. */

static int outcome(long result)
{
    return result < 0 ? errno : 0;
}

static int try_socket(long domain, long type, long protocol)
{
    long fd = syscall(SYS_socket, domain, type, protocol);
    int error = outcome(fd);
    if (fd >= 0)
        close((int)fd);
    return error;
}

static int try_pair(long domain, long type)
{
    int fds[2];
    int error = outcome(syscall(SYS_socketpair, domain, type, 0, fds));
    if (error == 0) {
        close(fds[0]);
        close(fds[1]);
    }
    return error;
}

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

struct attempt {
    const char *name;
    int (*act)(void);
    int expected;
};

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

static int lose_rights(void)
{
    if (geteuid() == 0 && (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0))
        return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* One try in a child of its own: what it leaves (a session, a namespace) ends
 * with it. */
static int answer_of(int (*act)(void), const struct bpf_program *filter)
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

static void assert_kernel_answers(const struct seccomp_options *options, const struct attempt *tries,
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

static void test_kernel_answers(void **state)
{
    (void)state;
    const struct seccomp_options options = {.arch = HOST};
    assert_kernel_answers(&options, plain_tries, COUNT(plain_tries));
}

/* ---- what asks: nobody listens here, so the kernel answers ENOSYS */

/* A listening socket of the parent's, which the tries reach by its name. */
#define STREAM_NAME "\0cordon-test-stream"
#define SEQPACKET_NAME "\0cordon-test-seqpacket"

static socklen_t unix_name(struct sockaddr_un *address, const char *name, size_t size)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, name, size - 1);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size - 1);
}

static int open_listener(int type, const char *name, size_t size)
{
    struct sockaddr_un address;
    socklen_t length = unix_name(&address, name, size);
    int fd = socket(AF_UNIX, type, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

enum way { BY_CONNECT, BY_SENDTO, BY_SENDMSG, BY_SENDMMSG };

static int reach(int type, enum way way, int flags)
{
    struct sockaddr_un address;
    socklen_t length = type == SOCK_STREAM ? unix_name(&address, STREAM_NAME, sizeof STREAM_NAME)
                                           : unix_name(&address, SEQPACKET_NAME, sizeof SEQPACKET_NAME);
    char byte = 'x';
    struct iovec data = {&byte, 1};
    struct mmsghdr message = {
        .msg_hdr = {.msg_name = &address, .msg_namelen = length, .msg_iov = &data, .msg_iovlen = 1}};
    int fd = socket(AF_UNIX, type, 0);
    if (fd < 0)
        return CANNOT;
    long result = 0;
    switch (way) {
    case BY_CONNECT:
        result = connect(fd, (struct sockaddr *)&address, length);
        break;
    case BY_SENDTO:
        result = sendto(fd, "x", 1, flags, (struct sockaddr *)&address, length);
        break;
    case BY_SENDMSG:
        result = sendmsg(fd, &message.msg_hdr, flags);
        break;
    case BY_SENDMMSG:
        result = sendmmsg(fd, &message, 1, (unsigned)flags);
        break;
    }
    int error = outcome(result);
    struct sockaddr_un peer;
    socklen_t size = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && error != 0)
        error = CANNOT; /* connected all the same */
    close(fd);
    return error;
}

static int try_connect(void)
{
    return reach(SOCK_STREAM, BY_CONNECT, 0);
}

static int try_connect_seqpacket(void)
{
    return reach(SOCK_SEQPACKET, BY_CONNECT, 0);
}

/* Every other call with an address, none of which connects. */
static int try_sends(void)
{
    static const int flags[] = {0, MSG_FASTOPEN, MSG_OOB, MSG_MORE, MSG_PROXY, MSG_CONFIRM};
    for (size_t i = 0; i < COUNT(flags); i++)
        for (enum way way = BY_SENDTO; way <= BY_SENDMMSG; way++)
            if (reach(SOCK_STREAM, way, flags[i] | MSG_NOSIGNAL) != EOPNOTSUPP)
                return CANNOT;
    return 0;
}

static int try_sends_seqpacket(void)
{
    static const int flags[] = {0, MSG_FASTOPEN, MSG_MORE, MSG_PROXY, MSG_CONFIRM};
    for (size_t i = 0; i < COUNT(flags); i++)
        for (enum way way = BY_SENDTO; way <= BY_SENDMMSG; way++)
            if (reach(SOCK_SEQPACKET, way, flags[i] | MSG_NOSIGNAL) != ENOTCONN)
                return CANNOT;
    return 0;
}

static int try_dgram(void)
{
    return try_socket(AF_UNIX, SOCK_DGRAM, 0);
}

static int open_missing(int flags)
{
    return outcome(syscall(SYS_openat, AT_FDCWD, "/nowhere/file", flags, 0644));
}

static int try_open_to_write(void)
{
    return open_missing(O_WRONLY | O_CREAT);
}

static int try_open_truncating(void)
{
    return open_missing(O_RDONLY | O_TRUNC);
}

static int try_open_to_read(void)
{
    return open_missing(O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static int try_mkdir(void)
{
    return outcome(syscall(SYS_mkdirat, AT_FDCWD, "/nowhere/directory", 0755));
}

static int try_execve(void)
{
    return outcome(syscall(SYS_execve, "/nowhere/program", NULL, NULL));
}

static int try_times_by_name(void)
{
    return outcome(syscall(SYS_utimensat, AT_FDCWD, "/nowhere/file", NULL, 0));
}

static int try_times_by_descriptor(void)
{
    int fd = (int)syscall(SYS_memfd_create, "times", 0);
    int error = outcome(syscall(SYS_utimensat, fd, NULL, NULL, 0));
    close(fd);
    return error;
}

static int install_allowing(unsigned flags)
{
    struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    struct sock_fprog program = {1, &allow};
    return outcome(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

static int try_own_filter(void)
{
    return install_allowing(0);
}

static int try_own_listener(void)
{
    return install_allowing(SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

static int try_listen(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int error = fd < 0 ? CANNOT : outcome(listen(fd, 1)); /* EINVAL: it has no name */
    close(fd);
    return error;
}

static const struct attempt broker_tries[] = {
    {"listen", try_listen, ENOSYS},
    {"socket unix", try_unix, 0},
    {"socket unix dgram", try_dgram, EACCES},
    {"socketpair stream", try_pair_stream, 0},
    {"socketpair dgram", try_pair_dgram, EACCES},
    {"connect", try_connect, ENOSYS},
    {"connect seqpacket", try_connect_seqpacket, ENOSYS},
    {"sends to a name", try_sends, 0},
    {"sends to a name, seqpacket", try_sends_seqpacket, 0},
    {"own filter", try_own_filter, 0},
    {"own listener", try_own_listener, EBUSY},
    {"open to write", try_open_to_write, ENOENT},
    {"mkdir", try_mkdir, ENOENT},
};

static const struct attempt trace_tries[] = {
    {"socket unix", try_unix, EACCES},
    {"open to write", try_open_to_write, ENOSYS},
    {"open truncating", try_open_truncating, ENOSYS},
    {"open to read", try_open_to_read, ENOENT},
    {"open with the set-user-ID bit", try_open_setuid, EPERM},
    {"mkdir", try_mkdir, ENOSYS},
    {"execve", try_execve, ENOENT},
    {"times by name", try_times_by_name, ENOSYS},
    {"times by descriptor", try_times_by_descriptor, 0},
    {"own listener", try_own_listener, EBUSY},
    {"mount_setattr", try_bad_mount_setattr, EPERM},
};

static const struct attempt read_tries[] = {
    {"open to read", try_open_to_read, ENOSYS},
    {"open with the set-user-ID bit", try_open_setuid, EPERM},
    {"execve", try_execve, ENOSYS},
    {"times by descriptor", try_times_by_descriptor, 0},
};

static void test_asked_calls(void **state)
{
    (void)state;
    const struct seccomp_options broker = {.arch = HOST, .notify = true},
                                 trace = {.arch = HOST, .trace = true},
                                 reads = {.arch = HOST, .trace = true, .trace_reads = true};
    int stream = open_listener(SOCK_STREAM, STREAM_NAME, sizeof STREAM_NAME);
    int seqpacket = open_listener(SOCK_SEQPACKET, SEQPACKET_NAME, sizeof SEQPACKET_NAME);
    assert_kernel_answers(&broker, broker_tries, COUNT(broker_tries));
    assert_kernel_answers(&trace, trace_tries, COUNT(trace_tries));
    assert_kernel_answers(&reads, read_tries, COUNT(read_tries));
    close(stream);
    close(seqpacket);
}

/* A listener inside would answer in cordon's place once cordon is gone: shown to
 * work with a filter that only asks, then refused by cordon's. */
static int connect_past(const struct bpf_program *filter)
{
    struct sock_fprog program = {(unsigned short)filter->count, (struct sock_filter *)(void *)filter->insns};
    long first = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (first < 0)
        return CANNOT;
    close((int)first); /* cordon was killed */
    return install_allowing(SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

static int try_takeover_of_any(void)
{
    struct bpf_insn asks[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
                              {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_connect},
                              {BPF_RET | BPF_K, 0, 0, SECCOMP_VALUE_ASK},
                              {BPF_RET | BPF_K, 0, 0, SECCOMP_VALUE_ALLOW}};
    const struct bpf_program filter = {asks, COUNT(asks)};
    return connect_past(&filter);
}

static int try_takeover(void)
{
    const struct seccomp_options options = {.arch = HOST, .notify = true};
    struct bpf_program filter = {0};
    if (seccomp_generate(&options, &filter, NULL) != CORDON_OK)
        return CANNOT;
    int error = connect_past(&filter);
    bpf_program_release(&filter);
    return error;
}

static void test_listener_cannot_be_replaced(void **state)
{
    (void)state;
    assert_int_equal(answer_of(try_takeover_of_any, NULL), 0);
    assert_int_equal(answer_of(try_takeover, NULL), EBUSY);
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
        cmocka_unit_test(test_asked_calls),
        cmocka_unit_test(test_listener_cannot_be_replaced),
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
