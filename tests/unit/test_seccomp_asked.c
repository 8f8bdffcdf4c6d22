/* What the filter asks about, in the running kernel: nobody listens here, so the
 * answer to what asks is ENOSYS. And who listens: cordon, and nobody in its place. */
#ifdef __linux__
#include "seccomp_attempt.h"

#include <fcntl.h>
#include <string.h>
#include <sys/un.h>

static int try_unix(void)
{
    return try_socket(AF_UNIX, SOCK_STREAM, 0);
}

static int try_pair_stream(void)
{
    return try_pair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC);
}

static int try_pair_dgram(void)
{
    return try_pair(AF_UNIX, SOCK_DGRAM);
}

static int try_bad_mount_setattr(void)
{
    return outcome(syscall(SYS_mount_setattr, -1, "", 0, NULL, 0));
}

/* The filter answers before the kernel looks for the file. */
static int try_open_setuid(void)
{
    return outcome(syscall(SYS_openat, AT_FDCWD, "/nowhere/file", O_CREAT | O_WRONLY, 04755));
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked_calls),
        cmocka_unit_test(test_listener_cannot_be_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
    return 0;
}
#endif
