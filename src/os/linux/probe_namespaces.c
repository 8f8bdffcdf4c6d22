/* probe_namespaces.c - namespaces, and what a launch does in them (see probe.h).
 *
 * In the order of a launch: a user namespace, its id maps from outside, then
 * inside it each other namespace by itself, so that a profile that refuses one
 * of them is told by name.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/linux/mounts.h"
#include "os/linux/probe.h"
#include "os/linux/sys.h"

#define PROBE_SECONDS 3

/* -- mounts --------------------------------------------------------------- */

/* Alone in a mount namespace: what is done to the tree ends with this process. */
static void try_mounts(struct probe_page *page)
{
    struct sys_mount_attr attr = {.set = SYS_MOUNT_ATTR_RDONLY | SYS_MOUNT_ATTR_NODEV,
                                  .propagation = MS_PRIVATE};
    struct statvfs seen;
    probe_begin(page, PRIMITIVE_OPEN_TREE);
    int tree = sys_open_tree(AT_FDCWD, "/", SYS_OPEN_TREE_CLONE | O_CLOEXEC | SYS_AT_RECURSIVE);
    probe_end(page, tree >= 0, errno);

    probe_begin(page, PRIMITIVE_MOUNT_SETATTR);
    int result = sys_mount_setattr(AT_FDCWD, "/", SYS_AT_RECURSIVE, &attr), code = errno;
    bool sealed = result == 0 && statvfs("/", &seen) == 0 && (seen.f_flag & ST_RDONLY);
    probe_end(page, sealed, result == 0 ? 0 : code);

    if (tree < 0)
        return;
    probe_begin(page, PRIMITIVE_MOVE_MOUNT);
    int target = open("/", O_PATH | O_CLOEXEC);
    result = sys_move_mount(tree, "", target, "", SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH);
    probe_end(page, result == 0, errno);
}

/* A fresh proc needs a PID namespace of one's own, a devpts none. */
static void try_file_systems(struct probe_page *page)
{
    probe_begin(page, PRIMITIVE_FRESH_PROC);
    int tree = mounts_fresh("proc", NULL, NULL, SYS_MOUNT_ATTR_RDONLY);
    probe_end(page, tree >= 0, errno);

    probe_begin(page, PRIMITIVE_FRESH_DEVPTS);
    tree = mounts_fresh("devpts", "ptmxmode", "0666", SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NOEXEC);
    int terminal = tree < 0 ? -1 : openat(tree, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    probe_end(page, terminal >= 0, errno);
}

/* -- network -------------------------------------------------------------- */

static bool loopback_up(int fd)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

/* A listener and a connection to it, both here: it stays in the backlog. */
static bool connects(int listener, int client)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof where;
    return bind(listener, (struct sockaddr *)&where, sizeof where) == 0 && listen(listener, 1) == 0 &&
           getsockname(listener, (struct sockaddr *)&where, &size) == 0 &&
           connect(client, (struct sockaddr *)&where, sizeof where) == 0;
}

static void try_network(struct probe_page *page)
{
    probe_begin(page, PRIMITIVE_NETWORK_NAMESPACE);
    int made = unshare(CLONE_NEWNET) == 0 ? open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC) : -1;
    bool entered = made >= 0 && setns(made, CLONE_NEWNET) == 0; /* a launch makes it in a helper */
    probe_end(page, entered, errno);
    if (!entered)
        return;
    probe_begin(page, PRIMITIVE_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool works = listener >= 0 && client >= 0 && loopback_up(client) && connects(listener, client);
    probe_end(page, works, errno);
}

/* -- the user namespace --------------------------------------------------- */

static void do_nothing(struct probe_page *page)
{
    (void)page;
}

static void try_namespace(struct probe_page *page, enum primitive p, uint64_t flag,
                          void (*then)(struct probe_page *))
{
    probe_begin(page, p);
    bool made = probe_process(page, flag, do_nothing);
    int code = errno;
    if (made || code) /* else it was killed, and that has been noted */
        probe_end(page, made, code);
    if (made)
        probe_process(page, flag, then);
}

static void try_inside(struct probe_page *page)
{
    try_namespace(page, PRIMITIVE_MOUNT_NAMESPACE, CLONE_NEWNS, try_mounts);
    try_namespace(page, PRIMITIVE_PID_NAMESPACE, CLONE_NEWPID, do_nothing);
    try_namespace(page, PRIMITIVE_IPC_NAMESPACE, CLONE_NEWIPC, do_nothing);
    try_namespace(page, PRIMITIVE_UTS_NAMESPACE, CLONE_NEWUTS, do_nothing);
    try_namespace(page, PRIMITIVE_CGROUP_NAMESPACE, SYS_CLONE_NEWCGROUP, do_nothing);
    if (page->results[PRIMITIVE_MOUNT_NAMESPACE].state == PRIMITIVE_WORKS &&
        page->results[PRIMITIVE_PID_NAMESPACE].state == PRIMITIVE_WORKS)
        probe_process(page, CLONE_NEWNS | CLONE_NEWPID, try_file_systems);
    probe_process(page, 0, try_network);
}

static bool write_map(const char *process, const char *file, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/%s", process, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int code = errno;
    if (fd >= 0)
        close(fd);
    errno = code;
    return written;
}

/* Of the process whose directory in /proc this is. */
static bool write_maps(const char *process, uid_t uid, gid_t gid)
{
    char uids[32], gids[32];
    snprintf(uids, sizeof uids, "%lu %lu 1\n", (unsigned long)uid, (unsigned long)uid);
    snprintf(gids, sizeof gids, "%lu %lu 1\n", (unsigned long)gid, (unsigned long)gid);
    return write_map(process, "setgroups", "deny") && write_map(process, "uid_map", uids) &&
           write_map(process, "gid_map", gids);
}

/* As a launch does it: a user writes his maps himself, root's are written from outside. */
static _Noreturn void inside_user_namespace(struct probe_page *page, int go, uid_t uid, gid_t gid)
{
    char word;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(4 * PROBE_SECONDS);
    if (read(go, &word, 1) != 1)
        _exit(0); /* there are no maps */
    probe_begin(page, PRIMITIVE_ID_MAPS);
    bool written = uid == 0 || write_maps("self", uid, gid);
    bool mapped = written && geteuid() == uid;
    probe_end(page, mapped, written ? 0 : errno);
    if (mapped)
        try_inside(page);
    _exit(0);
}

static void try_user_namespace(struct probe_page *page)
{
    struct sys_clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    int go[2], status;
    char process[24];
    uid_t uid = geteuid();
    gid_t gid = getegid();
    alarm(5 * PROBE_SECONDS);
    probe_begin(page, PRIMITIVE_USER_NAMESPACE);
    if (pipe2(go, O_CLOEXEC) != 0)
        return;
    pid_t pid = (pid_t)syscall(SYS_NR_CLONE3, &args, sizeof args);
    if (pid == 0) {
        close(go[1]);
        inside_user_namespace(page, go[0], uid, gid);
    }
    probe_end(page, pid > 0, errno);
    if (pid < 0)
        return;
    probe_begin(page, PRIMITIVE_ID_MAPS);
    snprintf(process, sizeof process, "%ld", (long)pid);
    if (uid != 0 || write_maps(process, uid, gid))
        (void)!write(go[1], "", 1);
    else
        probe_end(page, false, errno);
    close(go[1]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status) && page->results[page->current].state == PRIMITIVE_NOT_TRIED)
        page->results[page->current] = (struct primitive_result){PRIMITIVE_MISSING, 0, WTERMSIG(status)};
}

void probe_namespaces(struct probe_page *page)
{
    probe_process(page, 0, try_user_namespace);
}
