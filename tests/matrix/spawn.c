/* spawn.c - starts programs and collects what they say and leave; see spawn.h. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_SECONDS 60

static void write_own(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        fprintf(stderr, "matrix: %s: %s\n", path, strerror(errno));
        _exit(125);
    }
    close(fd);
}

/* A control that would change the machine runs in namespaces of its own; who
 * is not root there becomes it by a user namespace. */
static void isolate(void)
{
    char map[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    if (unshare(uid == 0 ? flags : flags | CLONE_NEWUSER) != 0) {
        fprintf(stderr, "matrix: the control cannot be isolated: unshare: %s\n", strerror(errno));
        _exit(125);
    }
    if (uid != 0) {
        write_own("/proc/self/setgroups", "deny");
        snprintf(map, sizeof map, "0 %u 1", uid);
        write_own("/proc/self/uid_map", map);
        snprintf(map, sizeof map, "0 %u 1", gid);
        write_own("/proc/self/gid_map", map);
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        fprintf(stderr, "matrix: the control cannot be isolated: mount: %s\n", strerror(errno));
        _exit(125);
    }
}

static void become(const struct spawn *how, int in, int out, int err, int start)
{
    char byte;
    if (how->terminal) {
        setsid();
        ioctl(in, TIOCSCTTY, 0);
    }
    /* Until the parent has arranged the process group. */
    if (read(start, &byte, 1) != 1) {
        _exit(125);
    }
    if (how->isolated) {
        isolate();
    }
    int bad = chdir(how->cwd) != 0;
    /* Above what is placed below, so that nothing is overwritten on the way. */
    int extra = how->extra_fd >= 0 ? fcntl(how->extra_fd, F_DUPFD_CLOEXEC, 10) : -1;
    bad |= dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0;
    bad |= extra >= 0 && dup2(extra, 3) < 0;
    for (int signal_number = 1; signal_number < 32; signal_number++) {
        signal(signal_number, SIG_DFL);
    }
    if (!bad) {
        execve(how->argv[0], how->argv, how->environment);
    }
    dprintf(2, "matrix: %s: %s\n", how->argv[0], strerror(errno));
    _exit(125);
}

/* A pseudo terminal; the slave in *slave. */
static int open_terminal(int *slave)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0) {
        return -1;
    }
    if (grantpt(master) != 0 || unlockpt(master) != 0 || ptsname(master) == NULL ||
        (*slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) {
        close(master);
        return -1;
    }
    return master;
}

int spawn_start(const struct spawn *how, struct spawned *out)
{
    int in[2] = {-1, -1};
    int o[2] = {-1, -1};
    int e[2] = {-1, -1};
    int start[2] = {-1, -1};
    int slave = -1;
    struct spawned s = {.pid = -1, .in = -1, .out = -1, .err = -1, .terminal = -1};
    if (how->terminal && (s.terminal = open_terminal(&slave)) < 0) {
        return -1;
    }
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || pipe2(o, O_CLOEXEC) != 0 || pipe2(e, O_CLOEXEC) != 0 || pipe2(start, O_CLOEXEC) != 0 ||
        (how->own_stdin && pipe2(in, O_CLOEXEC) != 0)) {
        return -1; /* the runner gives up: nothing to tidy */
    }
    int source = how->terminal ? slave : how->own_stdin ? in[0] : how->stdin_fd >= 0 ? how->stdin_fd : null;
    s.pid = fork();
    if (s.pid == 0) {
        become(how, source, o[1], e[1], start[0]);
    }
    if (s.pid > 0 && !how->terminal) {
        setpgid(s.pid, s.pid);
    }
    if (s.pid > 0 && how->companion > 0) {
        setpgid(how->companion, s.pid);
    }
    if (write(start[1], "x", 1) != 1) {
        perror("matrix: pipe");
    }
    const int ours[] = {null, slave, in[0], o[1], e[1], start[0], start[1]};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (ours[i] >= 0) {
            close(ours[i]);
        }
    }
    s.in = in[1];
    s.out = o[0];
    s.err = e[0];
    *out = s;
    return s.pid < 0 ? -1 : 0;
}

bool spawn_await_line(struct spawned *s, const char *line)
{
    char seen[256] = "";
    size_t len = 0;
    while (len < sizeof seen - 1) {
        struct pollfd p = {.fd = s->out, .events = POLLIN};
        if (poll(&p, 1, TIMEOUT_SECONDS * 1000) != 1 || read(s->out, seen + len, 1) != 1) {
            break;
        }
        if (seen[len] == '\n') {
            seen[len] = '\0';
            return strcmp(seen, line) == 0;
        }
        seen[++len] = '\0';
    }
    printf("# waited for '%s', got '%s'\n", line, seen);
    return false;
}

/* Appends what is readable; false at the end of the stream. */
static bool drain(int fd, char *text, size_t size)
{
    char block[1024];
    size_t len = strlen(text);
    ssize_t n = read(fd, block, sizeof block);
    if (n <= 0) {
        return false;
    }
    size_t room = size - 1 - len;
    size_t take = (size_t)n < room ? (size_t)n : room;
    memcpy(text + len, block, take);
    text[len + take] = '\0';
    return true;
}

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void spawn_finish(struct spawned *s, struct outcome *out)
{
    memset(out, 0, sizeof *out);
    if (s->in >= 0) {
        close(s->in);
    }
    long long deadline = now_ms() + TIMEOUT_SECONDS * 1000LL;
    bool ended = false;
    bool open_out = true;
    bool open_err = true;
    while (!ended || open_out || open_err) {
        if (!ended && waitpid(s->pid, &out->status, WNOHANG) == s->pid) {
            ended = true;
            /* A process that was left behind may hold the pipes: do not wait for it. */
            fcntl(s->out, F_SETFL, O_NONBLOCK);
            fcntl(s->err, F_SETFL, O_NONBLOCK);
        }
        if (!ended && now_ms() > deadline) {
            out->timed_out = true;
            kill(s->pid, SIGKILL);
            waitpid(s->pid, &out->status, 0);
            break;
        }
        struct pollfd p[2] = {{.fd = open_out ? s->out : -1, .events = POLLIN},
                              {.fd = open_err ? s->err : -1, .events = POLLIN}};
        poll(p, 2, ended ? 0 : 2);
        if (open_out && (p[0].revents != 0 || ended)) {
            open_out = drain(s->out, out->out, sizeof out->out);
        }
        if (open_err && (p[1].revents != 0 || ended)) {
            open_err = drain(s->err, out->err, sizeof out->err);
        }
    }
    close(s->out);
    close(s->err);
    if (s->terminal >= 0) {
        close(s->terminal);
    }
}

/* The children of this process as the kernel lists them. */
static size_t list_children(pid_t *out, size_t max)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        fprintf(stderr, "matrix: %s is missing: left-over processes cannot be seen\n", path);
        exit(2);
    }
    char text[8192];
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    size_t count = 0;
    char *at = text;
    while (count < max) {
        char *end = NULL;
        long pid = strtol(at, &end, 10);
        if (end == at) {
            break;
        }
        out[count++] = (pid_t)pid;
        at = end;
    }
    return count;
}

static bool is_known(pid_t pid, const pid_t *known, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (known[i] == pid) {
            return true;
        }
    }
    return false;
}

size_t spawn_sweep(const pid_t *known, size_t known_count)
{
    pid_t children[512];
    size_t killed = 0;
    long long deadline = now_ms() + 2000;
    for (;;) {
        size_t count = list_children(children, sizeof children / sizeof *children);
        size_t strangers = 0;
        for (size_t i = 0; i < count; i++) {
            if (is_known(children[i], known, known_count)) {
                continue;
            }
            if (waitpid(children[i], NULL, WNOHANG) == children[i]) {
                continue;
            }
            strangers++;
            if (now_ms() > deadline) {
                kill(children[i], SIGKILL);
                waitpid(children[i], NULL, 0);
                killed++;
            }
        }
        if (strangers == 0) {
            return killed;
        }
        poll(NULL, 0, 2);
    }
}

size_t spawn_mounts_below(const char *path)
{
    char line[8192];
    size_t found = 0;
    FILE *f = fopen("/proc/self/mountinfo", "re");
    if (f == NULL) {
        return (size_t)-1; /* not seen is not "none" */
    }
    while (fgets(line, sizeof line, f) != NULL) {
        found += strstr(line, path) != NULL;
    }
    fclose(f);
    return found;
}
