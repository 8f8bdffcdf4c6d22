/* launch.c - what a launch costs: cold `cordon run` against a bare spawn and bubblewrap.
 *
 * Role: `make bench`. One round runs every contender once, so that whatever the
 * machine does meanwhile hits all of them alike; ratios are of medians of the
 * same rounds. As an ordinary user always: started as root, it drops to an
 * unprivileged uid with a home of its own. bench/README.md explains the cases.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "launch_report.h"

#define UNPRIVILEGED_ID 61234 /* no account has it on a stock system; no account is needed */
#define MAX_ROUNDS 100000
#define MAX_ROOTS 4000
#define WARM_UP 3

/* The project's bars (docs/performance.md): ratios of medians. */
#define BAR_BARE 4.0
#define BAR_BWRAP 0.45
#define BAR_1000_BARE 60.0
#define BAR_1000_BWRAP 0.05

struct settings {
    const char *cordon, *bwrap; /* bwrap NULL: not installed */
    const char *scratch_parent;
    int rounds;
    int roots[16];
    size_t root_count;
    bool json;
};

struct contender {
    const char *name;
    const char **argv;
    const char *directory; /* where it starts */
    int stride;            /* takes part in every stride-th round */
    double *wall, *cpu;    /* ms */
    int count;
};

static volatile sig_atomic_t measuring_child;

static _Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("bench-launch: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

static char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *text(const char *format, ...)
{
    char *out = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&out, format, args) < 0)
        die("out of memory");
    va_end(args);
    return out;
}

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        die("out of memory");
    return memory;
}

static void make_directory(const char *path)
{
    if (mkdir(path, 0755) && errno != EEXIST)
        die("cannot make %s: %s", path, strerror(errno));
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double cpu_ms(const struct rusage *use)
{
    return (double)(use->ru_utime.tv_sec + use->ru_stime.tv_sec) * 1e3 +
           (double)(use->ru_utime.tv_usec + use->ru_stime.tv_usec) / 1e3;
}

/* Runs argv and returns its wait status; standard output and input are null,
 * standard error too unless `loud`. glibc's posix_spawn shares the caller's
 * memory until exec: the cheapest launch there is. */
static int run(const char *const *argv, bool loud, double *wall, double *cpu)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (!loud)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    double began = now_ms();
    int code = posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    if (code)
        die("cannot start %s: %s", argv[0], strerror(code));
    int status;
    struct rusage use;
    while (wait4(pid, &status, 0, &use) < 0)
        if (errno != EINTR)
            die("wait4: %s", strerror(errno));
    *wall = now_ms() - began;
    *cpu = cpu_ms(&use);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

static void enter(const char *directory)
{
    if (chdir(directory))
        die("cannot enter %s: %s", directory, strerror(errno));
}

static void run_round(struct contender *c, int round)
{
    if (!c->argv || round % c->stride)
        return;
    enter(c->directory);
    int status = run(c->argv, false, &c->wall[c->count], &c->cpu[c->count]);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        die("%s failed in round %d (wait status %d)", c->name, round, status);
    c->count++;
}

static void warm_up(const struct contender *c)
{
    double wall, cpu;
    if (!c->argv)
        return;
    enter(c->directory);
    for (int i = 0; i < (c->stride > 1 ? 1 : WARM_UP); i++) {
        int status = run(c->argv, true, &wall, &cpu);
        if (!WIFEXITED(status) || WEXITSTATUS(status))
            die("%s does not run here (wait status %d); its message is above", c->name, status);
    }
}

/* A launcher that sandboxes nothing is quick: each must refuse a write outside. */
static void check_boundary(const char *name, const char **argv, const char *directory, const char *outside)
{
    if (!argv)
        return;
    size_t n = 0;
    while (argv[n])
        n++;
    const char **copy = zeroed(n + 3, sizeof *copy);
    memcpy(copy, argv, (n - 1) * sizeof *copy); /* the last is /bin/true */
    copy[n - 1] = "/bin/sh";
    copy[n] = "-c";
    char *script = text("echo x 2>/dev/null >%s", outside);
    copy[n + 1] = script;
    double wall, cpu;
    enter(directory);
    int status = run(copy, false, &wall, &cpu);
    if ((WIFEXITED(status) && WEXITSTATUS(status) == 0) || access(outside, F_OK) == 0)
        die("%s let a write outside pass: not measuring that", name);
    free(script);
    free(copy);
}

static struct contender contender_make(const char *name, const char **argv, const char *directory, int rounds,
                                       int stride)
{
    return (struct contender){name,
                              argv,
                              directory,
                              stride,
                              zeroed((size_t)rounds, sizeof(double)),
                              zeroed((size_t)rounds, sizeof(double)),
                              0};
}

static void contender_release(struct contender *c)
{
    free(c->argv);
    free(c->wall);
    free(c->cpu);
}

static const char **argv_bare(void)
{
    const char **argv = zeroed(2, sizeof *argv);
    argv[0] = "/bin/true";
    return argv;
}

/* The line of design/peers.md: same policy, as near as bubblewrap's options come. */
static const char **argv_bwrap(const char *bwrap, const char *workspace, char *const *extra,
                               size_t extra_count)
{
    if (!bwrap)
        return NULL;
    const char **argv = zeroed(40 + 3 * extra_count, sizeof *argv);
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
        argv[n] = text("%s/%s", workspace, names[i]); /* lives as long as the run */
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

static const char **argv_cordon(const char *cordon, char *const *extra, size_t extra_count)
{
    const char **argv = zeroed(8 + 2 * extra_count, sizeof *argv);
    size_t n = 0;
    argv[n++] = cordon;
    argv[n++] = "run";
    for (size_t i = 0; i < extra_count; i++) {
        argv[n++] = "-w";
        argv[n++] = extra[i];
    }
    argv[n++] = "--";
    argv[n++] = "/bin/true";
    return argv;
}

/* Bare, bubblewrap and cordon in one interleaved run of `rounds` rounds. */
static void measure(const struct settings *settings, struct row *row, const char *workspace,
                    char *const *extra, int rounds, int bwrap_stride)
{
    size_t extra_count = (size_t)row->roots - 1;
    struct contender bare = contender_make("bare spawn", argv_bare(), workspace, rounds, 1);
    struct contender bwrap =
        contender_make("bubblewrap", argv_bwrap(settings->bwrap, workspace, extra, extra_count), workspace,
                       rounds, bwrap_stride);
    struct contender cordon =
        contender_make("cordon run", argv_cordon(settings->cordon, extra, extra_count), workspace, rounds, 1);
    char *outside = text("%s/../outside", workspace);
    warm_up(&bare);
    warm_up(&bwrap);
    warm_up(&cordon);
    check_boundary(cordon.name, cordon.argv, workspace, outside);
    check_boundary(bwrap.name, bwrap.argv, workspace, outside);
    for (int round = 0; round < rounds; round++) {
        run_round(&bare, round);
        run_round(&bwrap, round);
        run_round(&cordon, round);
    }
    row->bare = summarize(bare.wall, bare.cpu, bare.count);
    row->bwrap = summarize(bwrap.wall, bwrap.cpu, bwrap.count);
    row->cordon = summarize(cordon.wall, cordon.cpu, cordon.count);
    contender_release(&bare);
    contender_release(&bwrap);
    contender_release(&cordon);
    free(outside);
}

static char *workspace_make(const char *scratch, const char *name, bool with_names)
{
    static const char *const names[] = {".git", ".codex", ".agents", ".cordon"};
    char *parent = text("%s/%s", scratch, name);
    make_directory(parent);
    char *workspace = text("%s/ws", parent);
    make_directory(workspace);
    for (size_t i = 0; with_names && i < sizeof names / sizeof *names; i++) {
        char *path = text("%s/%s", workspace, names[i]);
        make_directory(path);
        free(path);
    }
    free(parent);
    return workspace;
}

static void measure_all(const struct settings *settings, const char *scratch)
{
    struct row rows[18] = {
        {.name = "protected names exist", .roots = 1, .bar_bare = BAR_BARE, .bar_bwrap = BAR_BWRAP},
        {.name = "protected names absent", .roots = 1, .bar_bare = BAR_BARE, .bar_bwrap = BAR_BWRAP},
    };
    size_t count = 2;
    char *like = workspace_make(scratch, "like", true);
    char *fresh = workspace_make(scratch, "fresh", false);
    measure(settings, &rows[0], like, NULL, settings->rounds, 1);
    measure(settings, &rows[1], fresh, NULL, settings->rounds, 1);

    char **extra = zeroed(MAX_ROOTS, sizeof *extra);
    size_t made = 0;
    for (size_t i = 0; i < settings->root_count; i++) {
        int roots = settings->roots[i];
        for (; made + 1 < (size_t)roots; made++) {
            extra[made] = text("%s/root%zu", scratch, made);
            make_directory(extra[made]);
        }
        /* bubblewrap takes seconds for a thousand: fewer rounds, and it in every eighth of them. */
        int rounds = settings->rounds / (roots >= 500 ? 8 : roots >= 100 ? 4 : 1);
        rows[count] = (struct row){.name = "curve of roots", .roots = roots};
        if (roots == 1000) {
            rows[count].bar_bare = BAR_1000_BARE;
            rows[count].bar_bwrap = BAR_1000_BWRAP;
        }
        measure(settings, &rows[count++], like, extra, rounds > 4 ? rounds : 4, roots >= 500 ? 8 : 1);
    }
    if (settings->json)
        print_json(rows, count);
    else
        print_table(rows, count);
    for (size_t i = 0; i < made; i++)
        free(extra[i]);
    free(extra);
    free(like);
    free(fresh);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

static void copy_program(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    struct stat st;
    if (in < 0 || out < 0 || fstat(in, &st))
        die("cannot copy %s to %s: %s", from, to, strerror(errno));
    for (off_t left = st.st_size; left > 0;) {
        ssize_t n = sendfile(out, in, NULL, (size_t)left);
        if (n <= 0)
            die("cannot copy %s: %s", from, strerror(errno));
        left -= n;
    }
    close(in);
    close(out);
}

/* Not below /tmp: cordon replaces that, which is a case of its own. */
static char *scratch_make(const struct settings *settings)
{
    const char *home = geteuid() ? getenv("HOME") : NULL;
    const char *const parents[] = {settings->scratch_parent, home, "/var/lib", "/srv", "/opt"};
    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
        if (!parents[i])
            continue;
        char *path = text("%s/cordon-bench-XXXXXX", parents[i]);
        if (mkdtemp(path))
            return path;
        free(path);
        if (i == 0)
            die("cannot make a directory in %s: %s", parents[i], strerror(errno));
    }
    die("no place to work in: name one with --scratch DIR (not below /tmp)");
}

static void become_unprivileged(const char *scratch)
{
    if (geteuid() != 0)
        return;
    if (chown(scratch, UNPRIVILEGED_ID, UNPRIVILEGED_ID) || setgroups(0, NULL) ||
        setresgid(UNPRIVILEGED_ID, UNPRIVILEGED_ID, UNPRIVILEGED_ID) ||
        setresuid(UNPRIVILEGED_ID, UNPRIVILEGED_ID, UNPRIVILEGED_ID))
        die("cannot become an ordinary user: %s", strerror(errno));
    /* setuid leaves the process non-dumpable: its own /proc files belong to root then. */
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void set_environment(const char *scratch)
{
    char *home = text("%s/home", scratch);
    char *state = text("%s/state", scratch);
    clearenv();
    make_directory(home);
    make_directory(state);
    setenv("HOME", home, 1);
    setenv("XDG_STATE_HOME", state, 1);
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    setenv("LANG", "C.UTF-8", 1);
    free(home);
    free(state);
}

static void forward_signal(int number)
{
    if (measuring_child > 0)
        kill((pid_t)measuring_child, number);
}

static const char *find_bwrap(void)
{
    static const char *const places[] = {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

static long parse_number(const char *what, const char *s, long min, long max)
{
    char *end;
    errno = 0;
    long v = strtol(s, &end, 10);
    if (errno || end == s || *end || v < min || v > max)
        die("%s: `%s` is no number from %ld to %ld", what, s, min, max);
    return v;
}

static void usage(void)
{
    puts("usage: bench-launch [--cordon PROGRAM] [--bwrap PROGRAM | --no-bwrap] [--n ROUNDS]\n"
         "                    [--roots N,N,...] [--scratch DIR] [--json]\n"
         "Measures cold launches of /bin/true, interleaved: bare posix_spawn, bubblewrap, cordon run.");
}

static const char *option_value(int argc, char **argv, int *i)
{
    if (*i + 1 >= argc)
        die("%s needs a value", argv[*i]);
    return argv[++*i];
}

static void parse_roots(struct settings *s, const char *list)
{
    char *copy = text("%s", list), *save = NULL;
    s->root_count = 0;
    for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        if (s->root_count == sizeof s->roots / sizeof *s->roots)
            die("--roots: at most %zu values", s->root_count);
        s->roots[s->root_count++] = (int)parse_number("--roots", word, 1, MAX_ROOTS);
    }
    free(copy);
}

static void parse(int argc, char **argv, struct settings *s)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--cordon"))
            s->cordon = option_value(argc, argv, &i);
        else if (!strcmp(argv[i], "--bwrap"))
            s->bwrap = option_value(argc, argv, &i);
        else if (!strcmp(argv[i], "--no-bwrap"))
            s->bwrap = NULL;
        else if (!strcmp(argv[i], "--scratch"))
            s->scratch_parent = option_value(argc, argv, &i);
        else if (!strcmp(argv[i], "--n"))
            s->rounds = (int)parse_number("--n", option_value(argc, argv, &i), 1, MAX_ROUNDS);
        else if (!strcmp(argv[i], "--roots"))
            parse_roots(s, option_value(argc, argv, &i));
        else if (!strcmp(argv[i], "--json"))
            s->json = true;
        else if (!strcmp(argv[i], "--help")) {
            usage();
            exit(0);
        } else
            die("unknown option %s; see --help", argv[i]);
    }
}

int main(int argc, char **argv)
{
    struct settings settings = {.bwrap = find_bwrap(), .rounds = 200};
    parse_roots(&settings, "10,100,1000");
    parse(argc, argv, &settings);
    if (!settings.cordon)
        die("name the program with --cordon PROGRAM");
    char *cordon = realpath(settings.cordon, NULL);
    if (!cordon || access(cordon, X_OK))
        die("no program %s: build it first (make)", settings.cordon);

    char *scratch = scratch_make(&settings);
    /* As an ordinary user the build directory may be out of reach: measure a copy. */
    char *program = text("%s/cordon", scratch);
    copy_program(cordon, program);
    settings.cordon = program;

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
        measure_all(&settings, scratch);
        exit(0);
    }
    measuring_child = child;
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    free(program);
    free(scratch);
    free(cordon);
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
