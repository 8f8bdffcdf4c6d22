/* processes.c - operations on other processes and on the caller's own identity.
 *
 * Inside its own PID namespace an outside process does not exist (ESRCH, ENOENT
 * below /proc): that is the refusal wanted here.
 */
#include "probe.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFUSED "EPERM EACCES ESRCH ENOENT ENOSYS EROFS"

static pid_t process(const struct probe_call *c)
{
    long pid;
    return probe_number(c->args[0], &pid) == 0 && pid > 0 ? (pid_t)pid : -1;
}

static struct probe_result decide(const struct probe_call *c, const char *step, int failed)
{
    return failed ? probe_failed(c, step, errno) : probe_allowed();
}

static struct probe_result kill_process(const struct probe_call *c)
{
    long number;
    if (process(c) < 0 || probe_number(c->args[1], &number) != 0) {
        return probe_broken("PID SIGNAL are numbers");
    }
    return decide(c, "kill", kill(process(c), (int)number) != 0);
}

/* Signal 0: asks whether anyone could be signalled, without harm to the machine
 * on which the control runs. */
static struct probe_result kill_everyone(const struct probe_call *c)
{
    return decide(c, "kill", kill(-1, 0) != 0);
}

/* Reaches at least the caller, so it works; who else heard it, the runner sees. */
static struct probe_result kill_group(const struct probe_call *c)
{
    signal(SIGTERM, SIG_IGN);
    return decide(c, "kill", kill(0, SIGTERM) != 0);
}

static struct probe_result attach(const struct probe_call *c)
{
    return decide(c, "PTRACE_SEIZE", ptrace(PTRACE_SEIZE, process(c), NULL, NULL) != 0);
}

static struct probe_result write_memory(const struct probe_call *c)
{
    long address;
    if (probe_number(c->args[1], &address) != 0) {
        return probe_broken("ADDRESS is a number");
    }
    uint32_t word = 0x70776e64;
    struct iovec from = {&word, sizeof word};
    struct iovec to = {(void *)address, sizeof word};
    return decide(c, "process_vm_writev", process_vm_writev(process(c), &from, 1, &to, 1, 0) < 0);
}

static int open_below_proc(const struct probe_call *c, int flags)
{
    char path[4096];
    snprintf(path, sizeof path, "/proc/%s/%s", c->args[0], c->args[1]);
    return open(path, flags | O_CLOEXEC);
}

static struct probe_result write_proc_memory(const struct probe_call *c)
{
    long address;
    char path[64];
    if (process(c) < 0 || probe_number(c->args[1], &address) != 0) {
        return probe_broken("PID ADDRESS are numbers");
    }
    snprintf(path, sizeof path, "/proc/%d/mem", (int)process(c));
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return probe_failed(c, "open", errno);
    }
    uint32_t word = 0x70776e64;
    ssize_t n = pwrite(fd, &word, sizeof word, address);
    int error = errno;
    close(fd);
    return n == (ssize_t)sizeof word ? probe_allowed() : probe_failed(c, "pwrite", error);
}

static struct probe_result read_below_proc(const struct probe_call *c)
{
    char content[16];
    int fd = open_below_proc(c, O_RDONLY);
    if (fd < 0) {
        return probe_failed(c, "open", errno);
    }
    ssize_t n = read(fd, content, sizeof content);
    int error = errno;
    close(fd);
    return n > 0 ? probe_allowed() : probe_failed(c, "read", n == 0 ? EPERM : error);
}

/* SUB may be root/PATH, cwd/PATH, fd/N: doors into an outside file system view. */
static struct probe_result write_below_proc(const struct probe_call *c)
{
    int fd = open_below_proc(c, O_WRONLY);
    return fd < 0 ? probe_failed(c, "open", errno) : probe_finish_write(c, fd, NULL);
}

static struct probe_result signal_by_pidfd(const struct probe_call *c)
{
    int fd = (int)syscall(RAW_pidfd_open, process(c), 0);
    if (fd < 0) {
        return probe_failed(c, "pidfd_open", errno);
    }
    int failed = (int)syscall(RAW_pidfd_send_signal, fd, SIGTERM, NULL, 0);
    int error = errno;
    close(fd);
    return failed ? probe_failed(c, "pidfd_send_signal", error) : probe_allowed();
}

static struct probe_result steal_descriptor(const struct probe_call *c)
{
    int fd = (int)syscall(RAW_pidfd_open, process(c), 0);
    if (fd < 0) {
        return probe_failed(c, "pidfd_open", errno);
    }
    int got = (int)syscall(RAW_pidfd_getfd, fd, 0, 0);
    int error = errno;
    close(fd);
    return got < 0 ? probe_failed(c, "pidfd_getfd", error) : probe_allowed();
}

static struct probe_result enter_namespace(const struct probe_call *c)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/%s/ns/%s", c->args[0], c->args[1]);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return probe_failed(c, "open", errno);
    }
    int failed = setns(fd, 0);
    int error = errno;
    close(fd);
    return failed ? probe_failed(c, "setns", error) : probe_allowed();
}

static struct probe_result change_limit(const struct probe_call *c)
{
    struct rlimit limit;
    if (prlimit(process(c), RLIMIT_CORE, NULL, &limit) != 0) {
        return probe_failed(c, "prlimit", errno);
    }
    limit.rlim_cur = 0;
    return decide(c, "prlimit", prlimit(process(c), RLIMIT_CORE, &limit, NULL) != 0);
}

static int namespace_flag(const char *name)
{
    static const struct {
        const char *name;
        int flag;
    } flags[] = {
        {"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS},  {"net", CLONE_NEWNET},       {"pid", CLONE_NEWPID},
        {"ipc", CLONE_NEWIPC},   {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP}, {"time", 0x80},
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(flags[i].name, name) == 0) {
            return flags[i].flag;
        }
    }
    return 0;
}

static struct probe_result new_namespace(const struct probe_call *c)
{
    int flag = namespace_flag(c->args[0]);
    if (flag == 0) {
        return probe_broken("NAMESPACE is user, mnt, net, pid, ipc, uts, cgroup or time");
    }
    return decide(c, "unshare", unshare(flag) != 0);
}

static struct probe_result new_namespace_clone(const struct probe_call *c)
{
    int flag = namespace_flag(c->args[0]);
    if (flag == 0) {
        return probe_broken("NAMESPACE is user, mnt, net, pid, ipc, uts, cgroup or time");
    }
    long pid = syscall(SYS_clone, (unsigned long)flag | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid < 0) {
        return probe_failed(c, "clone", errno);
    }
    if (pid == 0) {
        _exit(0);
    }
    waitpid((pid_t)pid, NULL, 0);
    return probe_allowed();
}

static struct probe_result new_namespace_clone3(const struct probe_call *c)
{
    int flag = namespace_flag(c->args[0]);
    if (flag == 0) {
        return probe_broken("NAMESPACE is user, mnt, net, pid, ipc, uts, cgroup or time");
    }
    struct raw_clone_args args = {.flags = (unsigned long long)flag, .exit_signal = SIGCHLD};
    long pid = syscall(RAW_clone3, &args, sizeof args);
    if (pid < 0) {
        return probe_failed(c, "clone3", errno);
    }
    if (pid == 0) {
        _exit(0);
    }
    waitpid((pid_t)pid, NULL, 0);
    return probe_allowed();
}

static struct probe_result become_user(const struct probe_call *c)
{
    long uid;
    if (probe_number(c->args[0], &uid) != 0) {
        return probe_broken("UID is a number");
    }
    return decide(c, "setresuid", setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) != 0);
}

static struct probe_result become_group(const struct probe_call *c)
{
    long gid;
    if (probe_number(c->args[0], &gid) != 0) {
        return probe_broken("GID is a number");
    }
    return decide(c, "setresgid", setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) != 0);
}

static struct probe_result change_groups(const struct probe_call *c)
{
    gid_t group = 4242;
    return decide(c, "setgroups", setgroups(1, &group) != 0);
}

static struct probe_result gain_privileges(const struct probe_call *c)
{
    int on = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    return on == 1 ? probe_failed(c, "no_new_privs", EPERM) : probe_allowed();
}

/* Is capability NUMBER in the effective set? */
static struct probe_result have_capability(const struct probe_call *c)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    long number;
    if (probe_number(c->args[0], &number) != 0 || number < 0 || number > 63) {
        return probe_broken("NUMBER is a capability");
    }
    if (syscall(SYS_capget, &header, data) != 0) {
        return probe_unprepared("capget", errno);
    }
    int has = (data[number / 32].effective >> (number % 32)) & 1;
    return has ? probe_allowed() : probe_failed(c, "capget", EPERM);
}

/* Leaves a process behind that left the session and the parent. */
static struct probe_result outlive(const struct probe_call *c)
{
    pid_t pid = fork();
    if (pid < 0) {
        return probe_failed(c, "fork", errno);
    }
    if (pid == 0) {
        setsid();
        if (fork() == 0) {
            for (int fd = 0; fd < 3; fd++) {
                close(fd);
            }
            sleep(600);
        }
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    return probe_allowed();
}

static struct probe_result set_personality(const struct probe_call *c)
{
    return decide(c, "personality", personality(PER_LINUX32) < 0);
}

#if defined(__x86_64__)
/* getpid of the 32-bit table, through the 32-bit gate: other numbers, so
 * a filter that only knows the 64-bit ones would be blind. */
static struct probe_result old_gate_child(const struct probe_call *c)
{
    long result = 20;
    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    if (result < 0) {
        return probe_failed(c, "int 0x80", (int)-result);
    }
    return probe_allowed();
}

static struct probe_result old_gate(const struct probe_call *c)
{
    return probe_in_child(c, old_gate_child);
}

/* ENOSYS is the kernel's answer without x32 and the filter's with it, so the
 * control says ABSENT on most machines. */
static struct probe_result x32(const struct probe_call *c)
{
    return decide(c, "x32 getpid", syscall(0x40000000L + SYS_getpid) < 0);
}
#else
static struct probe_result old_gate(const struct probe_call *c)
{
    (void)c;
    return probe_absent("no 32-bit x86 gate on this architecture");
}

static struct probe_result x32(const struct probe_call *c)
{
    (void)c;
    return probe_absent("no x32 on this architecture");
}
#endif

/* Runs `write PATH` from a program that is in memory only. */
static struct probe_result run_from_memory(const struct probe_call *c)
{
    int to = memfd_create("cordon-probe", MFD_CLOEXEC);
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (to < 0 || from < 0) {
        return probe_unprepared("memfd_create", errno);
    }
    char block[65536];
    ssize_t n;
    while ((n = read(from, block, sizeof block)) > 0) {
        if (write(to, block, (size_t)n) != n) {
            return probe_unprepared("write", errno);
        }
    }
    char name[] = "cordon-probe";
    char *argv[] = {name, c->args[0], c->args[1], NULL};
    fexecve(to, argv, environ);
    return probe_broken("fexecve: %s", probe_errno_name(errno));
}

const struct probe_operation probe_processes[] = {
    {"kill", "PID SIGNAL", REFUSED, "", kill_process},
    {"kill-everyone", "", REFUSED, "", kill_everyone},
    {"kill-group", "", REFUSED, "", kill_group},
    {"ptrace", "PID", REFUSED, "", attach},
    {"vm-write", "PID ADDRESS", REFUSED, "", write_memory},
    {"proc-mem", "PID ADDRESS", REFUSED, "", write_proc_memory},
    {"proc-read", "PID SUB", REFUSED, "", read_below_proc},
    {"proc-write", "PID SUB", REFUSED, "", write_below_proc},
    {"pidfd-signal", "PID", REFUSED, "", signal_by_pidfd},
    {"pidfd-getfd", "PID", REFUSED, "", steal_descriptor},
    {"setns", "PID NAMESPACE", REFUSED " EINVAL", "", enter_namespace},
    {"prlimit", "PID", REFUSED, "", change_limit},
    {"unshare", "NAMESPACE", REFUSED " ENOSPC", "EINVAL", new_namespace},
    {"clone", "NAMESPACE", REFUSED " ENOSPC", "EINVAL", new_namespace_clone},
    {"clone3", "NAMESPACE", REFUSED " ENOSPC", "", new_namespace_clone3},
    {"setuid", "UID", REFUSED " EINVAL", "", become_user},
    {"setgid", "GID", REFUSED " EINVAL", "", become_group},
    {"setgroups", "", REFUSED " EINVAL", "", change_groups},
    {"gain-privileges", "", REFUSED, "", gain_privileges},
    {"have-capability", "NUMBER", REFUSED, "", have_capability},
    {"outlive", "", REFUSED " EAGAIN", "", outlive},
    {"personality-32", "", REFUSED, "EINVAL", set_personality},
    {"int80", "", REFUSED, "", old_gate},
    {"x32", "", "EPERM EACCES", "ENOSYS", x32},
    {"run-from-memory", "OPERATION PATH", REFUSED, "", run_from_memory},
    {NULL, NULL, NULL, NULL, NULL},
};
