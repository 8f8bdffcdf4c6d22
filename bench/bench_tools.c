/* bench_tools.c - see bench_tools.h. */
#include "bench_tools.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ROUNDS 100000
#define UNPRIVILEGED_ID 61234 /* no account has it on a stock system; no account is needed */

void bench_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs(program_invocation_short_name, stderr);
    fputs(": ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

char *bench_text(const char *format, ...)
{
    char *out = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&out, format, args) < 0)
        bench_die("out of memory");
    va_end(args);
    return out;
}

void *bench_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        bench_die("out of memory");
    return memory;
}

void bench_directory(const char *path)
{
    if (mkdir(path, 0755) && errno != EEXIST)
        bench_die("cannot make %s: %s", path, strerror(errno));
}

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

double bench_cpu(const struct rusage *use)
{
    return (double)(use->ru_utime.tv_sec + use->ru_stime.tv_sec) * 1e3 +
           (double)(use->ru_utime.tv_usec + use->ru_stime.tv_usec) / 1e3;
}

/* Runs argv and returns its wait status; standard output and input are null,
 * standard error too unless `loud`. glibc's posix_spawn shares the caller's
 * memory until exec: the cheapest launch there is. */
int bench_run(const char *const *argv, bool loud, double *wall, double *cpu)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (!loud)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    double began = bench_now();
    int code = posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    if (code)
        bench_die("cannot start %s: %s", argv[0], strerror(code));
    int status;
    struct rusage use;
    while (wait4(pid, &status, 0, &use) < 0)
        if (errno != EINTR)
            bench_die("wait4: %s", strerror(errno));
    *wall = bench_now() - began;
    *cpu = bench_cpu(&use);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

void bench_enter(const char *directory)
{
    if (chdir(directory))
        bench_die("cannot enter %s: %s", directory, strerror(errno));
}

/* The line of design/peers.md: same policy, as near as bubblewrap's options come. */
const char **bench_bwrap_argv(const char *bwrap, const char *workspace, char *const *extra,
                              size_t extra_count)
{
    if (!bwrap)
        return NULL;
    const char **argv = bench_zeroed(40 + 3 * extra_count, sizeof *argv);
    size_t n = 0;
    argv[n++] = bwrap;
    static const char *const base[] = {"--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind"};
    for (size_t i = 0; i < sizeof base / sizeof *base; i++)
        argv[n++] = base[i];
    argv[n++] = workspace;
    argv[n++] = workspace;
    for (size_t i = 0; i < extra_count; i++) {
        argv[n++] = "--bind";
        argv[n++] = extra[i];
        argv[n++] = extra[i];
    }
    static const char *const names[] = {".git", ".codex", ".agents"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        argv[n++] = "--ro-bind-try";
        argv[n] = bench_text("%s/%s", workspace, names[i]); /* lives as long as the run */
        argv[n + 1] = argv[n];
        n += 2;
    }
    static const char *const tail[] = {
        "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--chdir"};
    for (size_t i = 0; i < sizeof tail / sizeof *tail; i++)
        argv[n++] = tail[i];
    argv[n++] = workspace;
    argv[n++] = "--";
    argv[n++] = "/bin/true";
    return argv;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

void bench_copy_program(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    struct stat st;
    if (in < 0 || out < 0 || fstat(in, &st))
        bench_die("cannot copy %s to %s: %s", from, to, strerror(errno));
    for (off_t left = st.st_size; left > 0;) {
        ssize_t n = sendfile(out, in, NULL, (size_t)left);
        if (n <= 0)
            bench_die("cannot copy %s: %s", from, strerror(errno));
        left -= n;
    }
    close(in);
    close(out);
}

/* Not below /tmp: cordon replaces that, which is a case of its own. */
char *bench_scratch(const char *parent)
{
    const char *home = geteuid() ? getenv("HOME") : NULL;
    const char *const parents[] = {parent, home, "/var/lib", "/srv", "/opt"};
    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
        if (!parents[i])
            continue;
        char *path = bench_text("%s/cordon-bench-XXXXXX", parents[i]);
        if (mkdtemp(path))
            return path;
        free(path);
        if (i == 0)
            bench_die("cannot make a directory in %s: %s", parents[i], strerror(errno));
    }
    bench_die("no place to work in: name one with --scratch DIR (not below /tmp)");
}

static void become_unprivileged(const char *scratch)
{
    if (geteuid() != 0)
        return;
    if (chown(scratch, UNPRIVILEGED_ID, UNPRIVILEGED_ID) || setgroups(0, NULL) ||
        setresgid(UNPRIVILEGED_ID, UNPRIVILEGED_ID, UNPRIVILEGED_ID) ||
        setresuid(UNPRIVILEGED_ID, UNPRIVILEGED_ID, UNPRIVILEGED_ID))
        bench_die("cannot become an ordinary user: %s", strerror(errno));
    /* setuid leaves the process non-dumpable: its own /proc files belong to root then. */
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void set_environment(const char *scratch)
{
    char *home = bench_text("%s/home", scratch);
    char *state = bench_text("%s/state", scratch);
    clearenv();
    bench_directory(home);
    bench_directory(state);
    setenv("HOME", home, 1);
    setenv("XDG_STATE_HOME", state, 1);
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    setenv("LANG", "C.UTF-8", 1);
    free(home);
    free(state);
}

const char *bench_find_bwrap(void)
{
    static const char *const places[] = {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

long bench_number(const char *what, const char *s, long min, long max)
{
    char *end;
    errno = 0;
    long v = strtol(s, &end, 10);
    if (errno || end == s || *end || v < min || v > max)
        bench_die("%s: `%s` is no number from %ld to %ld", what, s, min, max);
    return v;
}

const char *bench_value(int argc, char **argv, int *i)
{
    if (*i + 1 >= argc)
        bench_die("%s needs a value", argv[*i]);
    return argv[++*i];
}

bool bench_take_option(struct bench_options *o, int argc, char **argv, int *i)
{
    if (!strcmp(argv[*i], "--bwrap"))
        o->bwrap = bench_value(argc, argv, i);
    else if (!strcmp(argv[*i], "--no-bwrap"))
        o->bwrap = NULL;
    else if (!strcmp(argv[*i], "--scratch"))
        o->scratch_parent = bench_value(argc, argv, i);
    else if (!strcmp(argv[*i], "--n"))
        o->rounds = (int)bench_number("--n", bench_value(argc, argv, i), 1, MAX_ROUNDS);
    else if (!strcmp(argv[*i], "--json"))
        o->json = true;
    else
        return false;
    return true;
}

static volatile sig_atomic_t measuring_child;

static void forward_signal(int number)
{
    if (measuring_child > 0)
        kill((pid_t)measuring_child, number);
}

int bench_apart(const char *scratch, bench_work *work, void *argument)
{
    struct sigaction action = {.sa_handler = forward_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        become_unprivileged(scratch);
        set_environment(scratch);
        work(argument, scratch);
        exit(0);
    }
    measuring_child = child;
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
