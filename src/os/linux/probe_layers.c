/* probe_layers.c - Landlock, seccomp and its notifications, tried (see probe.h). */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/linux/channel.h"
#include "os/linux/probe.h"
#include "os/linux/sys.h"

#define ANSWER 4242 /* no process of this machine is asked for its parent: what a filter makes of it */
#define WAIT_MS 2000
#define CHILD_SECONDS 3

static void try_no_new_privs(struct probe_page *page)
{
    probe_begin(page, PRIMITIVE_NO_NEW_PRIVS);
    int result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), code = errno;
    probe_end(page, result == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, result == 0 ? 0 : code);
}

/* -- Landlock ------------------------------------------------------------- */

/* A ruleset without a rule: after it nothing can be opened for writing, which
 * could before. */
static void try_landlock(struct probe_page *page)
{
    struct landlock_ruleset rules = {.handled_fs = LANDLOCK_FS_WRITE_FILE};
    probe_begin(page, PRIMITIVE_LANDLOCK);
    int before = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int ruleset = (int)syscall(SYS_NR_LANDLOCK_CREATE_RULESET, &rules, sizeof rules.handled_fs, 0);
    if (before < 0 || ruleset < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        syscall(SYS_NR_LANDLOCK_RESTRICT_SELF, ruleset, 0) != 0) {
        probe_end(page, false, errno);
        return;
    }
    int after = open("/dev/null", O_WRONLY | O_CLOEXEC);
    probe_end(page, after < 0 && errno == EACCES, after < 0 ? errno : 0);
}

/* -- seccomp -------------------------------------------------------------- */

/* getppid gets `action`, everything else goes on. The descriptor with
 * NEW_LISTENER, else 0; -1 with errno. */
static int install(uint32_t action, unsigned flags)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0 /* offsetof(struct seccomp_data, nr) */),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void try_seccomp(struct probe_page *page)
{
    probe_begin(page, PRIMITIVE_SECCOMP);
    bool installed = install(SECCOMP_RET_ERRNO | EPERM, 0) == 0;
    int code = errno;
    long parent = syscall(SYS_getppid);
    probe_end(page, installed && parent == -1 && errno == EPERM, installed ? 0 : code);
}

/* -- notifications -------------------------------------------------------- */

/* The confined one: hands its listener over, as a command does, and asks. */
static _Noreturn void ask(int channel)
{
    struct channel_message message = {.kind = CHANNEL_LISTENER};
    alarm(CHILD_SECONDS);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int listener = install(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    if (listener < 0) {
        message.kind = CHANNEL_FAILED;
        message.value = errno;
    }
    channel_send(channel, &message, listener, 0);
    _exit(listener >= 0 && syscall(SYS_getppid) == ANSWER ? 0 : 1);
}

/* The kernel's structures may be larger than the header's. */
union request {
    struct seccomp_notif notif;
    char space[1024];
};
union response {
    struct seccomp_notif_resp response;
    char space[1024];
};

/* While it waits in its call: copy a descriptor of its, and read its memory. */
static void try_getfd(struct probe_page *page, pid_t asker)
{
    probe_begin(page, PRIMITIVE_PIDFD_GETFD);
    int pidfd = (int)syscall(SYS_pidfd_open, asker, 0);
    int copy = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, STDIN_FILENO, 0);
    char byte;
    struct iovec here = {&byte, 1}, there = {page, 1}; /* mapped there too, at the same place */
    bool works = copy >= 0 && process_vm_readv(asker, &here, 1, &there, 1, 0) == 1;
    probe_end(page, works, errno);
    if (copy >= 0)
        close(copy);
    if (pidfd >= 0)
        close(pidfd);
}

static bool answer(struct probe_page *page, int listener, pid_t asker)
{
    union request request;
    union response response;
    struct pollfd ready = {listener, POLLIN, 0};
    memset(&request, 0, sizeof request);
    memset(&response, 0, sizeof response);
    if (poll(&ready, 1, WAIT_MS) != 1 || ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
        return false;
    try_getfd(page, asker);
    page->current = PRIMITIVE_SECCOMP_NOTIFY;
    response.response.id = request.notif.id;
    response.response.val = ANSWER;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
}

/* As in a launch: the asker is in a user namespace that this process owns,
 * where there can be one. */
static pid_t start_asker(struct probe_page *page, int pair[2])
{
    struct sys_clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    bool own = page->results[PRIMITIVE_USER_NAMESPACE].state == PRIMITIVE_WORKS;
    pid_t pid = own ? (pid_t)syscall(SYS_NR_CLONE3, &args, sizeof args) : fork();
    if (pid == 0) {
        close(pair[0]);
        ask(pair[1]);
    }
    close(pair[1]);
    return pid;
}

static void try_notify(struct probe_page *page)
{
    struct channel_message message = {.value = 0};
    int pair[2], listener = -1, status = 0;
    pid_t asker, sender;
    probe_begin(page, PRIMITIVE_SECCOMP_NOTIFY);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 ||
        (asker = start_asker(page, pair)) < 0) {
        probe_end(page, false, errno);
        return;
    }
    bool handed = channel_receive(pair[0], true, &message, &listener, &sender) == 1 && listener >= 0;
    bool answered = handed && answer(page, listener, asker);
    int code = handed ? errno : message.value;
    if (!answered)
        kill(asker, SIGKILL);
    waitpid(asker, &status, 0);
    bool works = answered && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    probe_end(page, works, answered ? 0 : code);
}

void probe_layers(struct probe_page *page)
{
    probe_process(page, 0, try_no_new_privs);
    probe_process(page, 0, try_landlock);
    probe_process(page, 0, try_seccomp);
    probe_process(page, 0, try_notify);
}
