/* test_stdio_check.c - every kind of descriptor that a caller can hand over, good and bad. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/buf.h"
#include "os/posix/stdio_check.h"

static const struct stdio_facts untouched = {true, true, 77, 78, 79};

/* Closes fd. */
static struct stdio_facts passes(int fd, bool network_on)
{
    struct cordon_error err = {0};
    struct stdio_facts facts = untouched;
    assert_true(fd >= 0);
    if (stdio_check(fd, network_on, &facts, &err) != CORDON_OK)
        fail_msg("%s", err.message);
    close(fd);
    return facts;
}

/* Closes fd. */
static void refused(int fd, bool network_on, const char *words)
{
    struct cordon_error err = {0};
    struct stdio_facts facts = untouched;
    assert_true(fd >= 0);
    assert_int_equal(stdio_check(fd, network_on, &facts, &err), CORDON_E_INVALID);
    assert_string_equal(err.step, "stdio.descriptor");
    if (!strstr(err.message, words))
        fail_msg("'%s' does not say '%s'", err.message, words);
    assert_true(facts.regular == untouched.regular && facts.nlink == untouched.nlink &&
                facts.ino == untouched.ino);
    close(fd);
}

static int temporary(char *path, int flags)
{
    memcpy(path, "test-stdio-XXXXXX", sizeof "test-stdio-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return open(path, flags | O_CLOEXEC);
}

static void test_files(void **state)
{
    (void)state;
    char path[64];
    struct stat st;
    int fd = temporary(path, O_RDONLY);
    assert_int_equal(fstat(fd, &st), 0);
    struct stdio_facts facts = passes(fd, false);
    assert_true(facts.regular);
    assert_false(facts.writable);
    assert_int_equal(facts.nlink, 1);
    assert_int_equal(facts.ino, st.st_ino);
    assert_int_equal(facts.dev, st.st_dev);

    assert_true(passes(open(path, O_WRONLY | O_CLOEXEC), false).writable);
    assert_true(passes(open(path, O_WRONLY | O_APPEND | O_CLOEXEC), false).writable);
    fd = open(path, O_RDWR | O_CLOEXEC);
    unlink(path);
    facts = passes(fd, false);
    assert_true(facts.regular && facts.writable);
    assert_int_equal(facts.nlink, 0);
    assert_true(passes(memfd_create("x", MFD_CLOEXEC), false).regular);
}

static void test_pipes(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct stdio_facts facts = passes(ends[0], false);
    assert_false(facts.regular);
    assert_false(facts.writable);
    assert_true(passes(ends[1], false).writable);

    char path[] = "test-stdio-fifo-XXXXXX";
    assert_non_null(mkdtemp(path));
    char *fifo = string_format("%s/fifo", path);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_false(passes(open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC), false).regular);
    unlink(fifo);
    rmdir(path);
    free(fifo);
}

static void test_directories(void **state)
{
    (void)state;
    char path[64];
    refused(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), false, "is a directory");
    refused(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), true, "is a directory");
    refused(open("/", O_PATH | O_CLOEXEC), false, "O_PATH");
    close(temporary(path, O_RDONLY));
    refused(open(path, O_PATH | O_CLOEXEC), false, "O_PATH");
    unlink(path);
    refused(open("/proc/self/exe", O_PATH | O_NOFOLLOW | O_CLOEXEC), false, "O_PATH");
}

/* The words name the stream, not a number. */
static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {"standard input is a", "standard output is a", "standard error is a"};
    int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++) {
        struct cordon_error err = {0};
        struct stdio_facts facts;
        int saved = fcntl(fd, F_DUPFD_CLOEXEC, 10);
        assert_true(saved >= 0);
        fflush(stdout);
        fflush(stderr);
        dup2(directory, fd);
        cordon_status status = stdio_check(fd, false, &facts, &err);
        dup2(saved, fd);
        close(saved);
        assert_int_equal(status, CORDON_E_INVALID);
        assert_ptr_equal(strstr(err.message, names[fd]), err.message);
    }
    close(directory);
}

static void test_closed(void **state)
{
    (void)state;
    struct cordon_error err = {0};
    struct stdio_facts facts;
    assert_int_equal(stdio_check(9999, false, &facts, &err), CORDON_E_SYSTEM);
    assert_string_equal(err.step, "stdio.descriptor");
}

static void test_devices(void **state)
{
    (void)state;
    static const char *const harmless[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                           "/dev/urandom"};
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        assert_false(passes(open(harmless[i], O_RDONLY | O_CLOEXEC), false).regular);
    assert_true(passes(open("/dev/null", O_RDWR | O_CLOEXEC), false).writable);
}

static void test_terminals(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        skip();
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(passes(slave, false).writable);
    refused(master, false, "controlling side");
}

static void test_other_devices(void **state)
{
    (void)state;
    static const char *const others[] = {"/dev/kmsg", "/dev/fuse",    "/dev/kvm",
                                         "/dev/mem",  "/dev/net/tun", "/dev/loop-control"};
    int found = 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        int fd = open(others[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            continue;
        refused(fd, true, "is a device");
        found++;
    }
    if (!found)
        skip();
}

/* Any disk that this user can open; or, as root, one made here. */
static void test_disks(void **state)
{
    (void)state;
    char name[] = "test-stdio-disk-XXXXXX";
    assert_non_null(mkdtemp(name));
    char *path = string_format("%s/disk", name);
    int fd = -1;
    for (unsigned major_number = 1; fd < 0 && major_number < 255; major_number++) {
        if (mknod(path, S_IFBLK | 0600, makedev(major_number, 0)) != 0)
            break;
        fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        unlink(path);
    }
    rmdir(name);
    free(path);
    if (fd < 0)
        skip();
    refused(fd, true, "is a disk");
}

static void test_unix_sockets(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    for (int network_on = 0; network_on < 2; network_on++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        struct stdio_facts facts = passes(pair[0], network_on);
        assert_false(facts.regular);
        assert_true(facts.writable);
        passes(pair[1], network_on); /* its peer has gone: connected all the same */
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        passes(pair[0], network_on);
        close(pair[1]);

        assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
        refused(pair[0], network_on, "datagram");
        close(pair[1]);
        refused(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), network_on, "datagram");
        refused(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), network_on, "unconnected");
        refused(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), network_on, "unconnected");

        /* An abstract name given by the kernel: nothing to clean up. */
        int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof address.sun_family), 0);
        assert_int_equal(listen(listening, 1), 0);
        refused(listening, network_on, "listening");
    }
}

/* Why a connected stream may pass: it cannot be aimed anew. */
static void test_unix_stays_connected(void **state)
{
    (void)state;
    int pair[2];
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    struct sockaddr_storage peer;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    close(pair[1]);
    (void)!connect(pair[0], &nowhere, sizeof nowhere);
    shutdown(pair[0], SHUT_RDWR);
    socklen_t len = sizeof peer;
    assert_int_equal(getpeername(pair[0], (struct sockaddr *)&peer, &len), 0);
    assert_int_equal(listen(pair[0], 1), -1);
    close(pair[0]);
}

static void test_internet_sockets(void **state)
{
    (void)state;
    static const int domains[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < 2; i++) {
        for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
            int fd = socket(domains[i], type | SOCK_CLOEXEC, 0);
            if (fd < 0)
                continue; /* a machine without IPv6 */
            passes(fcntl(fd, F_DUPFD_CLOEXEC, 3), true);
            refused(fd, false, "internet socket");
        }
    }
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        refused(fd, false, "neither unix nor internet");
        refused(copy, true, "neither unix nor internet");
    }
    fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        refused(fd, true, "neither unix nor internet");
    fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (fd >= 0)
        refused(fd, true, "raw socket");
}

static void test_handles(void **state)
{
    (void)state;
    sigset_t none;
    sigemptyset(&none);
    passes(eventfd(0, EFD_CLOEXEC), false);
    refused(epoll_create1(EPOLL_CLOEXEC), true, "eventpoll");
    refused(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), true, "timerfd");
    refused(signalfd(-1, &none, SFD_CLOEXEC), true, "signalfd");
    refused((int)syscall(SYS_pidfd_open, getpid(), 0), true, "pidfd");
    refused(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), true, "handle");
    refused(open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC), false, "handle");
}

static void test_proc(void **state)
{
    (void)state;
    passes(open("/proc/self/status", O_RDONLY | O_CLOEXEC), false);
    refused(open("/proc/self/mem", O_RDWR | O_CLOEXEC), true, "/proc open for writing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_pipes),
        cmocka_unit_test(test_directories),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_closed),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_terminals),
        cmocka_unit_test(test_other_devices),
        cmocka_unit_test(test_disks),
        cmocka_unit_test(test_unix_sockets),
        cmocka_unit_test(test_unix_stays_connected),
        cmocka_unit_test(test_internet_sockets),
        cmocka_unit_test(test_handles),
        cmocka_unit_test(test_proc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
