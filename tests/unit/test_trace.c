/* The trace against a process that works with it, and against it. Nothing but
 * the filter confines the process: what is refused is only recorded, so that the
 * test also sees that every call was carried on. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "os/linux/channel.h"
#include "os/linux/sys.h"
#include "os/linux/trace.h"
#include "plan/seccomp.h"
#include "scratch.h"
#include "skip.h"

#ifdef __aarch64__
#define HOST SECCOMP_ARCH_AARCH64
#else
#define HOST SECCOMP_ARCH_X86_64
#endif

#define INSIDE(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "inside, line %d: does not hold: %s (%s)\n", __LINE__, #condition,               \
                    strerror(errno));                                                                        \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

/* ws is writable, secret hidden, the rest read-only; the process begins in ws. */
struct world {
    char *root;
    struct resolved resolved;
    struct supervision what;
    struct report report;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    static const struct {
        const char *name;
        enum rule_kind kind;
    } rules[] = {{"ws", RULE_WRITE}, {"ws/.git", RULE_PROTECT}, {"secret", RULE_DENY_READ}};
    if (!w || !(w->root = scratch_make()))
        return -1;
    scratch_run(w->root, "mkdir -p ws/d ws/.git out secret && echo x >out/f && echo x >secret/key && "
                         "ln -s ../out ws/link");
    resolved_init(&w->resolved);
    w->resolved.rules = (struct path_rules){PATH_POSIX, false};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        char *path = string_format("%s/%s", w->root, rules[i].name);
        struct rule rule = {.kind = rules[i].kind, .path = path, .origin = "test", .type = OBJECT_DIRECTORY};
        if (resolved_add(&w->resolved, &rule, NULL) != CORDON_OK)
            return -1;
        free(path);
    }
    if (resolved_finish(&w->resolved, NULL) != CORDON_OK)
        return -1;
    w->what = (struct supervision){.resolved = &w->resolved, .trace = true};
    report_init(&w->report);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    resolved_release(&w->resolved);
    report_release(&w->report);
    bool removed = scratch_remove(w->root);
    free(w);
    return removed ? 0 : -1;
}

static void confine(int channel, bool reads)
{
    const struct seccomp_options options = {.arch = HOST, .trace = true, .trace_reads = reads};
    struct bpf_program filter;
    struct channel_message message = {.kind = CHANNEL_LISTENER};
    INSIDE(seccomp_generate(&options, &filter, NULL) == CORDON_OK);
    struct sock_fprog program = {(unsigned short)filter.count, (struct sock_filter *)(void *)filter.insns};
    INSIDE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                SECCOMP_FILTER_FLAG_NEW_LISTENER | SYS_SECCOMP_WAIT_KILLABLE_RECV, &program);
    INSIDE(listener >= 0 && channel_send(channel, &message, listener, 0));
    close(listener);
    bpf_program_release(&filter);
}

static void on_refused(void *self, const struct refusal *refusal)
{
    struct world *w = self;
    assert_int_equal(report_add_refusal(&w->report, refusal, 1, NULL), CORDON_OK);
}

/* Runs `body` in ws under the filter, and the trace until it is over. */
static void run(struct world *w, bool reads, void (*body)(const char *root))
{
    int channel[2], status;
    struct channel_message message;
    struct notify notify = {-1};
    struct trace *trace = NULL;
    struct trace_setup traced = {&notify, &w->what, NULL, on_refused, w};
    pid_t sender;
    report_release(&w->report);
    report_init(&w->report);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        char *ws = string_format("%s/ws", w->root);
        alarm(120);
        INSIDE(chdir(ws) == 0);
        confine(channel[1], reads);
        close(channel[0]);
        close(channel[1]);
        body(w->root);
        _exit(0);
    }
    close(channel[1]);
    assert_int_equal(channel_receive(channel[0], true, &message, &notify.fd, &sender), 1);
    close(channel[0]);
    assert_int_equal(trace_new(&trace, &traced, NULL), CORDON_OK);
    for (;;) {
        struct pollfd p = {notify.fd, POLLIN, 0};
        struct notify_request request;
        assert_int_equal(poll(&p, 1, -1), 1);
        if (!(p.revents & POLLIN))
            break; /* nobody is left who could ask */
        if (notify_receive(&notify, &request))
            trace_handle(trace, &request);
    }
    trace_free(trace);
    close(notify.fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the process ended with wait status %#x", (unsigned)status);
}

/* The next refusal, in the order of their first occurrence. */
static void expect(const struct world *w, size_t at, const char *operation, const char *below, uint64_t count)
{
    char *target = string_format("%s/%s", w->root, below);
    if (at >= w->report.refusal_count)
        fail_msg("only %zu refusals, want %s %s", w->report.refusal_count, operation, below);
    const struct report_refusal *r = &w->report.refusals[at];
    if (strcmp(r->operation, operation) != 0 || strcmp(r->target, target) != 0 || r->count != count)
        fail_msg("%s %s, %llu times; want %s %s, %llu times", r->operation, r->target,
                 (unsigned long long)r->count, operation, target, (unsigned long long)count);
    free(target);
}

/* ---- what is recorded */

static int opened(int fd)
{
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void body_forms(const char *root)
{
    (void)root;
    int out = open("../out", O_PATH | O_DIRECTORY | O_CLOEXEC);
    INSIDE(opened(open("../out/f", O_WRONLY)));
    INSIDE(opened(openat(out, "f", O_WRONLY | O_CREAT, 0600)));
    INSIDE(opened(open("link/f", O_RDWR)));
    INSIDE(chmod("link/f", 0600) == 0 && fchownat(out, "f", geteuid(), (gid_t)-1, 0) == 0);
    int file = open("../out/f", O_PATH | O_CLOEXEC);
    INSIDE(fchownat(file, "", geteuid(), (gid_t)-1, AT_EMPTY_PATH) == 0);
    INSIDE(mkdirat(out, "new", 0755) == 0 && unlinkat(out, "new", AT_REMOVEDIR) == 0);
    INSIDE(rename("../out/f", "d/f") == 0 && rename("d/f", "../out/f") == 0);
    INSIDE(symlink("x", "../out/s") == 0 && unlink("../out/s") == 0);
    INSIDE(link("../out/f", "d/hard") == 0 && unlink("d/hard") == 0);
    INSIDE(opened(open(".git/x", O_WRONLY | O_CREAT, 0600)) && unlink(".git/x") == 0);
    INSIDE(chdir("../out") == 0 && opened(open("f", O_WRONLY)) && chdir("../ws") == 0);
    INSIDE(opened(open("d/own", O_WRONLY | O_CREAT, 0600)) && unlink("d/own") == 0);
    INSIDE(opened(open("/dev/null", O_RDWR)));
    INSIDE(opened(open("../secret/key", O_RDONLY))); /* not looked at: reads are not asked about */
}

static void test_forms(void **state)
{
    struct world *w = *state;
    run(w, false, body_forms);
    expect(w, 0, "write", "out/f", 7);
    expect(w, 1, "create", "out/new", 1);
    expect(w, 2, "remove", "out/new", 1);
    expect(w, 3, "remove", "out/f", 1);
    expect(w, 4, "create", "out/f", 1);
    expect(w, 5, "create", "out/s", 1);
    expect(w, 6, "remove", "out/s", 1);
    expect(w, 7, "create", "ws/.git/x", 1);
    expect(w, 8, "remove", "ws/.git/x", 1);
    assert_int_equal(w->report.refusal_count, 9);
    assert_string_equal(w->report.refusals[7].suggested_grant, "--unprotect .git");
}

static void body_reads(const char *root)
{
    char *path = string_format("%s/secret/key", root), *arguments[] = {path, NULL};
    INSIDE(opened(open(path, O_RDONLY)) && opened(open("../secret", O_RDONLY | O_DIRECTORY)));
    INSIDE(symlink("../secret/key", "to-key") == 0 && opened(open("to-key", O_RDONLY)));
    INSIDE(unlink("to-key") == 0 && opened(open("../out/f", O_RDONLY)));
    INSIDE(execv(path, arguments) != 0 && errno == EACCES);
    INSIDE(chdir("../secret") == 0 && opened(open("key", O_RDONLY)));
    free(path);
}

static void test_reads(void **state)
{
    struct world *w = *state;
    run(w, true, body_reads);
    expect(w, 0, "read", "secret/key", 4);
    expect(w, 1, "read", "secret", 2);
    assert_int_equal(w->report.refusal_count, 2);
}

/* A directory that was seen to be one, and is a link the next moment. What is
 * done there succeeds here, so it is something that can be done again. */
static void body_swaps(const char *root)
{
    (void)root;
    for (int i = 0; i < 3; i++) {
        INSIDE(mkdir("swap", 0755) == 0 && opened(open("swap/f", O_WRONLY | O_CREAT | O_EXCL, 0600)));
        for (int k = 0; k < 2; k++)
            INSIDE(fchownat(AT_FDCWD, "swap/f", geteuid(), (gid_t)-1, AT_SYMLINK_NOFOLLOW) == 0);
        INSIDE(rename("swap", "kept") == 0 && symlink("../out", "swap") == 0);
        INSIDE(fchownat(AT_FDCWD, "swap/f", geteuid(), (gid_t)-1, AT_SYMLINK_NOFOLLOW) == 0);
        INSIDE(unlink("swap") == 0 && unlink("kept/f") == 0 && rmdir("kept") == 0);
    }
}

static void test_swaps(void **state)
{
    struct world *w = *state;
    run(w, false, body_swaps);
    expect(w, 0, "write", "out/f", 3);
    assert_int_equal(w->report.refusal_count, 1);
}

/* ---- against it */

static void body_addresses(const char *root)
{
    const size_t part = 65536; /* whole pages, on any machine */
    (void)root;
    char *pages = mmap(NULL, 3 * part, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    INSIDE(pages != MAP_FAILED && munmap(pages + 2 * part, part) == 0);
    char *end = pages + 2 * part;
    static const uintptr_t nowhere[] = {0, 1, 4095, UINTPTR_MAX, UINTPTR_MAX - 4096, (uintptr_t)1 << 63};
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
        INSIDE(syscall(SYS_openat, AT_FDCWD, nowhere[i], O_WRONLY) < 0 && errno == EFAULT);
    memset(pages, 'x', 2 * part);
    INSIDE(syscall(SYS_openat, AT_FDCWD, end - 10, O_WRONLY) < 0 &&
           errno == EFAULT); /* no NUL before the end */
    INSIDE(syscall(SYS_openat, AT_FDCWD, end - 5000, O_WRONLY) < 0 && errno == ENAMETOOLONG);
    INSIDE(syscall(SYS_openat, AT_FDCWD, end - 4096, O_WRONLY) < 0 && errno == ENAMETOOLONG);
    memcpy(end - 9, "../out/f", 9); /* the NUL is the last byte that there is */
    INSIDE(opened((int)syscall(SYS_openat, AT_FDCWD, end - 9, O_WRONLY)));
    memcpy(pages + 4096 - 4, "../out/f", 9); /* over the end of a page */
    INSIDE(opened((int)syscall(SYS_openat, AT_FDCWD, pages + 4096 - 4, O_WRONLY)));
    memset(end - 4096, '/', 4096);
    memcpy(end - 4096, "..", 2);
    memcpy(end - 6, "out/f", 6); /* the longest that the kernel takes */
    INSIDE(opened((int)syscall(SYS_openat, AT_FDCWD, end - 4096, O_WRONLY)));
    INSIDE(mprotect(pages, part, PROT_NONE) == 0);
    INSIDE(syscall(SYS_openat, AT_FDCWD, pages, O_WRONLY) < 0 && errno == EFAULT);
    INSIDE(syscall(SYS_openat, -7, "f", O_WRONLY) < 0 && errno == EBADF);
    INSIDE(syscall(SYS_openat, AT_FDCWD, "", O_WRONLY) < 0 && errno == ENOENT);
    INSIDE(syscall(SYS_renameat2, AT_FDCWD, "../out/f", AT_FDCWD, NULL, 0) < 0 && errno == EFAULT);
}

static void test_addresses(void **state)
{
    struct world *w = *state;
    run(w, false, body_addresses);
    /* The longest path is too long together with the directory that it counts from. */
    expect(w, 0, "write", "out/f", 2);
    expect(w, 1, "remove", "out/f", 1);
    assert_int_equal(w->report.refusal_count, 2);
}

static void *work_in_thread(void *argument)
{
    char name[64];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "../out/t%d-%d", (int)(intptr_t)argument, i % 7);
        INSIDE(opened(open(name, O_WRONLY | O_CREAT, 0600)) && unlink(name) == 0);
        snprintf(name, sizeof name, "d/t%d-%d", (int)(intptr_t)argument, i % 7);
        INSIDE(opened(open(name, O_WRONLY | O_CREAT, 0600)) && unlink(name) == 0);
    }
    return NULL;
}

static void body_threads(const char *root)
{
    pthread_t threads[4];
    (void)root;
    for (intptr_t i = 0; i < 4; i++)
        INSIDE(pthread_create(&threads[i], NULL, work_in_thread, (void *)i) == 0);
    for (int i = 0; i < 4; i++)
        INSIDE(pthread_join(threads[i], NULL) == 0);
}

static void test_threads(void **state)
{
    struct world *w = *state;
    run(w, false, body_threads);
    uint64_t count = 0;
    for (size_t i = 0; i < w->report.refusal_count; i++)
        count += w->report.refusals[i].count;
    assert_int_equal(w->report.refusal_count, 4 * 7 * 2);
    assert_int_equal(count, 4 * 300 * 2);
}

/* Processes that die while they are looked at, or stop: nobody waits for them. */
static void body_deaths(const char *root)
{
    (void)root;
    for (int i = 0; i < 60; i++) {
        pid_t pid = fork();
        if (pid == 0)
            for (;;)
                opened(open(i % 2 ? "../out/f" : "link/f", O_WRONLY));
        for (int k = 0; k < i % 5; k++)
            INSIDE(opened(open("d/x", O_WRONLY | O_CREAT, 0600)) && unlink("d/x") == 0);
        if (i % 3 == 0)
            INSIDE(kill(pid, SIGSTOP) == 0 && opened(open("../out/f", O_WRONLY)));
        INSIDE(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
    }
}

static void test_deaths(void **state)
{
    struct world *w = *state;
    run(w, false, body_deaths);
    assert_int_equal(w->report.refusal_count, 1);
}

static void body_flood(const char *root)
{
    char name[300], tail[200];
    (void)root;
    memset(tail, 'n', sizeof tail - 1);
    tail[sizeof tail - 1] = '\0';
    for (int i = 0; i < 12000; i++) {
        snprintf(name, sizeof name, "../out/\xff\n%d%s", i, tail);
        INSIDE(mkdir(name, 0755) == 0 && rmdir(name) == 0);
    }
}

static void test_flood(void **state)
{
    struct world *w = *state;
    run(w, false, body_flood);
    uint64_t count = w->report.refusals_unlisted;
    for (size_t i = 0; i < w->report.refusal_count; i++)
        count += w->report.refusals[i].count;
    assert_true(w->report.refusals_unlisted > 0);
    assert_int_equal(count, 24000);
}

/* Where it may not look, it says so: a process of the same rights as this one,
 * but not dumpable. (One of a sandbox cannot hide so: cordon made its namespace.) */
static int blind_or_not(const struct world *w, bool dumpable)
{
    int channel[2];
    struct channel_message message;
    struct notify notify = {-1};
    struct notify_request request;
    struct trace *trace = NULL;
    struct trace_setup traced = {&notify, &w->what, NULL, on_refused, NULL};
    pid_t sender;
    if (geteuid() == 0 && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
        return 2;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel))
        return 3;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(120);
        INSIDE(prctl(PR_SET_DUMPABLE, dumpable) == 0);
        confine(channel[1], false);
        opened(open("/none", O_WRONLY));
        _exit(0);
    }
    close(channel[1]);
    if (channel_receive(channel[0], true, &message, &notify.fd, &sender) != 1 ||
        trace_new(&trace, &traced, NULL) != CORDON_OK || !notify_receive(&notify, &request))
        return 4;
    trace_handle(trace, &request);
    bool blind = trace_is_blind(trace);
    trace_free(trace);
    return waitpid(pid, NULL, 0) == pid && blind == !dumpable ? 0 : 1;
}

static void test_blindness(void **state)
{
    for (int dumpable = 0; dumpable < 2; dumpable++) {
        int status = -1;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0)
            _exit(blind_or_not(*state, dumpable));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    assert_false(trace_is_blind(NULL));
}

/* ---- signals */

static void on_alarm(int signal)
{
    (void)signal;
}

static void body_signals(const char *root)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    (void)root;
    INSIDE(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (int i = 0; i < 5000; i++)
        INSIDE(opened(open("d/s", O_WRONLY | O_CREAT, 0600)));
    INSIDE(setitimer(ITIMER_REAL, &never, NULL) == 0 && unlink("d/s") == 0);
}

/* A call that is not yet received is interrupted as any slow one is: handlers
 * that restart calls notice nothing. */
static void test_signals(void **state)
{
    struct world *w = *state;
    run(w, false, body_signals);
    assert_int_equal(w->report.refusal_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),     cmocka_unit_test(test_reads),   cmocka_unit_test(test_swaps),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_threads), cmocka_unit_test(test_deaths),
        cmocka_unit_test(test_flood),     cmocka_unit_test(test_signals), cmocka_unit_test(test_blindness),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
