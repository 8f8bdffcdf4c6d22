/* test_notify.c - receive, look, answer; and a caller that is gone meanwhile. */
#include "broker_fixture.h"

#include <pthread.h>
#include <sys/mman.h>

/* A process that asks about getpriority(2), which takes whatever it is given; `body`
 * runs in it. */
struct asker {
    pid_t pid;
    struct notify notify;
    char *memory; /* shared: two pages, the second not to be read */
};

static void install(int channel)
{
    struct sock_filter code[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_getpriority},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    struct sock_fprog program = {4, code};
    struct channel_message message = {.kind = CHANNEL_LISTENER};
    INSIDE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    int listener =
        (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    INSIDE(listener >= 0 && channel_send(channel, &message, listener, 0));
    close(listener);
}

static void start(struct asker *a, void (*body)(struct asker *))
{
    int channel[2];
    struct channel_message message;
    pid_t sender;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
    fflush(NULL);
    a->pid = fork();
    if (a->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        install(channel[1]);
        body(a);
        _exit(0);
    }
    close(channel[1]);
    assert_int_equal(channel_receive(channel[0], true, &message, &a->notify.fd, &sender), 1);
    close(channel[0]);
}

static void finish(struct asker *a)
{
    int status;
    assert_int_equal(waitpid(a->pid, &status, 0), a->pid);
    assert_int_equal(status, 0);
    close(a->notify.fd);
}

static void next(struct asker *a, struct notify_request *r)
{
    struct pollfd p = {a->notify.fd, POLLIN, 0};
    assert_int_equal(poll(&p, 1, -1), 1);
    assert_true(notify_receive(&a->notify, r));
    assert_int_equal(r->number, SYS_getpriority);
}

static long ask(long first, const void *second)
{
    return syscall(SYS_getpriority, first, second);
}

static void body_answers(struct asker *a)
{
    (void)a;
    INSIDE(ask(7, NULL) == 4711);
    INSIDE(ask(0x123456789aL, NULL) == -1 && errno == EXDEV);
    INSIDE(ask(0, NULL) > 0); /* PRIO_PROCESS, this one: the kernel's own answer */
}

static void test_answers(void **state)
{
    struct asker a;
    struct notify_request r;
    (void)state;
    start(&a, body_answers);
    next(&a, &r);
    assert_int_equal(r.pid, a.pid);
    assert_int_equal(r.args[0], 7);
    assert_true(notify_valid(&a.notify, &r));
    notify_return(&a.notify, &r, 4711);
    assert_false(notify_valid(&a.notify, &r));
    notify_return(&a.notify, &r, 1); /* twice: no harm */
    next(&a, &r);
    assert_true(r.args[0] == 0x123456789aULL);
    notify_fail(&a.notify, &r, EXDEV);
    next(&a, &r);
    notify_continue(&a.notify, &r);
    finish(&a);
}

static void body_memory(struct asker *a)
{
    memcpy(a->memory, "hello", 6);
    INSIDE(munmap(a->memory + 4096, 4096) == 0);
    INSIDE(ask(1, a->memory) == 0);
    INSIDE(ask(2, a->memory + 4092) == 0);
    INSIDE(ask(3, (void *)8) == 0);
}

static void test_memory(void **state)
{
    struct asker a;
    struct notify_request r;
    char text[64];
    (void)state;
    a.memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(a.memory != MAP_FAILED);
    start(&a, body_memory);
    next(&a, &r);
    assert_int_equal(notify_read_memory(&a.notify, &r, r.args[1], text, 6), 6);
    assert_string_equal(text, "hello");
    notify_return(&a.notify, &r, 0);
    assert_int_equal(notify_read_memory(&a.notify, &r, r.args[1], text, 6), -1);
    assert_int_equal(errno, ESRCH); /* what was read is not believed */
    next(&a, &r);
    assert_int_equal(notify_read_memory(&a.notify, &r, r.args[1], text, 64), 4);
    notify_return(&a.notify, &r, 0);
    next(&a, &r);
    assert_int_equal(notify_read_memory(&a.notify, &r, r.args[1], text, 64), -1);
    assert_int_equal(errno, EFAULT);
    notify_return(&a.notify, &r, 0);
    finish(&a);
    munmap(a.memory, 8192);
}

/* Of a thread that is not its process's first, too. */
static void *ask_as_thread(void *argument)
{
    (void)argument;
    int fd = open("/dev/null", O_RDONLY);
    INSIDE(fd >= 0 && dup2(fd, 77) == 77 && ask(1, NULL) == 0);
    return NULL;
}

static void body_descriptor(struct asker *a)
{
    pthread_t thread;
    (void)a;
    INSIDE(pthread_create(&thread, NULL, ask_as_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

static void test_descriptor(void **state)
{
    struct asker a;
    struct notify_request r;
    struct stat got, null;
    (void)state;
    start(&a, body_descriptor);
    next(&a, &r);
    assert_int_not_equal(r.pid, a.pid);
    int fd = notify_get_descriptor(&a.notify, &r, 77);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_true(fstat(fd, &got) == 0 && stat("/dev/null", &null) == 0 && got.st_rdev == null.st_rdev);
    close(fd);
    assert_int_equal(notify_get_descriptor(&a.notify, &r, 78), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(notify_get_descriptor(&a.notify, &r, -1), -1);
    assert_int_equal(errno, EBADF);
    notify_return(&a.notify, &r, 0);
    assert_int_equal(notify_get_descriptor(&a.notify, &r, 77), -1);
    assert_int_equal(errno, ESRCH);
    finish(&a);
}

static void body_gone(struct asker *a)
{
    (void)a;
    ask(1, NULL);
}

static void test_gone(void **state)
{
    struct asker a;
    struct notify_request r;
    struct pollfd p;
    int status;
    char byte;
    (void)state;
    start(&a, body_gone);
    next(&a, &r);
    kill(a.pid, SIGKILL);
    assert_int_equal(waitpid(a.pid, &status, 0), a.pid);
    assert_false(notify_valid(&a.notify, &r));
    assert_int_equal(notify_read_memory(&a.notify, &r, 0, &byte, 1), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(notify_get_descriptor(&a.notify, &r, 0), -1);
    notify_fail(&a.notify, &r, EPERM);
    p = (struct pollfd){a.notify.fd, POLLIN, 0};
    assert_int_equal(poll(&p, 1, -1), 1);
    assert_true(p.revents & POLLHUP); /* nobody is left who could ask */
    assert_false(p.revents & POLLIN);
    close(a.notify.fd);
}

/* What a container's filter may do to cordon itself. */
static void test_not_possible(void **state)
{
    static const uint32_t needed[] = {438 /* pidfd_getfd */, SYS_process_vm_readv};
    (void)state;
    assert_true(broker_possible());
    for (size_t i = 0; i < 2; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            struct sock_filter code[] = {
                {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},
                {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, needed[i]},
                {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
                {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
            };
            struct sock_fprog program = {4, code};
            INSIDE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
            INSIDE(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
            _exit(broker_possible() ? 1 : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),      cmocka_unit_test(test_memory),
        cmocka_unit_test(test_descriptor),   cmocka_unit_test(test_gone),
        cmocka_unit_test(test_not_possible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
