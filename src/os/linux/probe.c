/* probe.c - the processes in which things are tried, and the small primitives
 * (see probe.h). Called by `cordon doctor` and `cordon setup`, as the user.
 */
#include "os/linux/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/linux/cgroup.h"
#include "os/linux/landlock_apply.h"
#include "os/linux/sys.h"

#define PROBE_SECONDS 3 /* a process that hangs (a broken filter) ends by then */
#define PROBE_MEMORY (64u << 20)
#define PROBE_PROCESSES 16

void probe_begin(struct probe_page *page, enum primitive p)
{
    page->current = (int)p;
}

void probe_end(struct probe_page *page, bool works, int code)
{
    page->results[page->current] =
        (struct primitive_result){works ? PRIMITIVE_WORKS : PRIMITIVE_MISSING, works ? 0 : code, 0};
}

bool probe_process(struct probe_page *page, uint64_t flags, void (*body)(struct probe_page *page))
{
    struct sys_clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
    int status = 0;
    pid_t pid = flags ? (pid_t)syscall(SYS_NR_CLONE3, &args, sizeof args) : fork();
    if (pid < 0)
        return false;
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGALRM, SIG_DFL);
        alarm(PROBE_SECONDS);
        body(page);
        _exit(0);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFSIGNALED(status))
        return true;
    if (page->results[page->current].state == PRIMITIVE_NOT_TRIED)
        page->results[page->current] = (struct primitive_result){PRIMITIVE_MISSING, 0, WTERMSIG(status)};
    errno = 0;
    return false;
}

static void try_openat2(struct probe_page *page)
{
    probe_begin(page, PRIMITIVE_OPENAT2);
    int fd = sys_openat2(AT_FDCWD, "/proc/self", O_PATH | O_CLOEXEC, SYS_RESOLVE_NO_SYMLINKS);
    probe_end(page, fd < 0 && errno == ELOOP, fd < 0 ? errno : 0);
}

static void try_close_range(struct probe_page *page)
{
    probe_begin(page, PRIMITIVE_CLOSE_RANGE);
    int fd = fcntl(STDIN_FILENO, F_DUPFD, 10);
    if (fd < 0)
        fd = open("/", O_PATH);
    int result = sys_close_range((unsigned)fd, ~0u, SYS_CLOSE_RANGE_CLOEXEC), code = errno;
    probe_end(page, result == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC, result == 0 ? 0 : code);
}

static void try_pidfd(struct probe_page *page)
{
    probe_begin(page, PRIMITIVE_PIDFD);
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    bool works = fd >= 0 && syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0;
    probe_end(page, works, errno);
}

/* By making one and removing it again. */
static void try_cgroup(struct probe_page *page, enum primitive p, uint64_t memory, uint64_t processes)
{
    struct cgroup group;
    struct cordon_error err;
    probe_begin(page, p);
    bool made = cgroup_create("", memory, processes, &group, &err) == CORDON_OK;
    probe_end(page, made, made ? 0 : err.os_code);
    if (made)
        cgroup_remove(&group);
}

void probe_machine(struct doctor *d)
{
    struct utsname name;
    if (uname(&name) == 0) {
        snprintf(d->kernel, sizeof d->kernel, "%s", name.release);
        snprintf(d->machine, sizeof d->machine, "%s", name.machine);
    }
    d->uid = geteuid();
    d->landlock_abi = landlock_abi();
    probe_hints(&d->hints);

    struct probe_page *page =
        mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return;
    probe_namespaces(page);
    probe_layers(page);
    probe_process(page, 0, try_openat2);
    probe_process(page, 0, try_close_range);
    probe_process(page, 0, try_pidfd);
    try_cgroup(page, PRIMITIVE_CGROUP_MEMORY, PROBE_MEMORY, 0);
    try_cgroup(page, PRIMITIVE_CGROUP_PROCESSES, 0, PROBE_PROCESSES);
    memcpy(d->primitives, page->results, sizeof d->primitives);
    munmap(page, sizeof *page);
}
