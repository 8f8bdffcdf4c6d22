/* spawn.c - what a spawn by libcordon costs a program: from a caller of 3 MB and from
 * one of 300 MB, against a bare posix_spawn by the same callers, and bubblewrap.
 *
 * Role: `make bench-spawn`. Each caller is a process that touched that much memory
 * and has prepared a box; a round asks each for one of each kind, so that whatever
 * the machine does meanwhile hits all alike. A spawn is timed from before
 * cordon_spawn() until after cordon_process_close(): /bin/true has run, and nothing
 * of the sandbox is left. bench/README.md says more.
 */
#include <cordon/cordon.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_tools.h"
#include "launch_report.h"

#define SMALL ((size_t)3 << 20)
#define LARGE ((size_t)300 << 20)
#define WARM_UP 3

/* The project's bars (docs/performance.md): ratios of medians. */
#define BAR_BARE 3.5
#define BAR_BWRAP 0.40
#define BAR_SIZE 1.10

struct settings {
    struct bench_options common;
    const char *warden;
};

enum what { WHAT_BARE, WHAT_LIBRARY, WHAT_BWRAP };

struct timing {
    double wall, cpu;
};

/* -- one caller: a process of its own --------------------------------------- */

struct caller {
    int orders, answers; /* pipe ends */
    pid_t pid;
};

static double own_cpu(void)
{
    struct rusage self, children;
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    return bench_cpu(&self) + bench_cpu(&children);
}

static struct cordon_box *prepare(void)
{
    struct cordon_policy *policy = NULL;
    struct cordon_box *box = NULL;
    struct cordon_error err;
    if (cordon_policy_new(&policy, &err) || cordon_prepare(policy, &box, &err))
        bench_die("%s", err.message);
    cordon_policy_free(policy);
    return box;
}

static int spawn(const struct cordon_box *box, const char *warden, const char *const *argv)
{
    struct cordon_spawn_options options = {.size = sizeof options, .argv = argv, .warden = warden};
    struct cordon_process *process = NULL;
    struct cordon_outcome outcome;
    struct cordon_error err;
    if (cordon_spawn(box, &options, &process, &err) || cordon_process_wait(process, &outcome, &err))
        bench_die("%s", err.message);
    cordon_process_close(process);
    return outcome.status;
}

/* A library that confines nothing would be quick. */
static void check_boundary(const struct cordon_box *box, const char *warden)
{
    const char *const argv[] = {"/bin/sh", "-c", "echo x 2>/dev/null >../outside", NULL};
    if (spawn(box, warden, argv) == 0 || access("../outside", F_OK) == 0)
        bench_die("the library let a write outside pass: not measuring that");
}

static void serve(const struct settings *settings, size_t size, int orders, int answers)
{
    static const char *const command[] = {"/bin/true", NULL};
    char *memory = bench_zeroed(size, 1);
    memset(memory, 1, size);
    /* Adopting the warden, its CPU time is seen too. */
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    char workspace[4096];
    if (!getcwd(workspace, sizeof workspace))
        bench_die("getcwd: %s", strerror(errno));
    const char **bwrap = bench_bwrap_argv(settings->common.bwrap, workspace, NULL, 0);
    struct cordon_box *box = prepare();
    check_boundary(box, settings->warden);
    for (char what; read(orders, &what, 1) == 1;) {
        struct timing t = {0, 0};
        int status = 0;
        if (what == WHAT_LIBRARY) {
            double cpu = own_cpu(), began = bench_now();
            status = spawn(box, settings->warden, command);
            t = (struct timing){bench_now() - began, own_cpu() - cpu};
        } else if (what == WHAT_BARE || bwrap) {
            status = bench_run(what == WHAT_BARE ? command : bwrap, false, &t.wall, &t.cpu);
        }
        if (status)
            bench_die("contender %d failed (status %d)", what, status);
        if (write(answers, &t, sizeof t) != (ssize_t)sizeof t)
            break;
    }
    cordon_box_free(box);
    free(bwrap);
    free(memory);
}

static struct caller caller_start(const struct settings *settings, size_t size)
{
    int orders[2], answers[2];
    if (pipe(orders) || pipe(answers))
        bench_die("pipe: %s", strerror(errno));
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        close(orders[1]);
        close(answers[0]);
        serve(settings, size, orders[0], answers[1]);
        exit(0);
    }
    close(orders[0]);
    close(answers[1]);
    return (struct caller){orders[1], answers[0], pid};
}

static struct timing ask(const struct caller *caller, enum what what)
{
    struct timing t;
    char order = (char)what;
    if (write(caller->orders, &order, 1) != 1 || read(caller->answers, &t, sizeof t) != (ssize_t)sizeof t)
        exit(2); /* it has said why */
    return t;
}

/* All their orders end before any is waited for: the later hold copies of the earlier's pipes. */
static void callers_end(const struct caller callers[2])
{
    for (int i = 0; i < 2; i++) {
        close(callers[i].orders);
        close(callers[i].answers);
    }
    for (int i = 0; i < 2; i++)
        waitpid(callers[i].pid, NULL, 0);
}

/* -- rounds and figures ----------------------------------------------------- */

enum { BARE_SMALL, BARE_LARGE, BWRAP, LIBRARY_SMALL, LIBRARY_LARGE, CONTENDERS };

static const struct {
    const char *name;
    enum what what;
    bool large;
} contenders[CONTENDERS] = {
    {"bare spawn, 3 MB caller", WHAT_BARE, false},
    {"bare spawn, 300 MB caller", WHAT_BARE, true},
    {"bubblewrap", WHAT_BWRAP, false},
    {"cordon_spawn, 3 MB caller", WHAT_LIBRARY, false},
    {"cordon_spawn, 300 MB caller", WHAT_LIBRARY, true},
};

static void print_bar(const char *what, double ratio, double bar)
{
    printf("  %-44s %.2f  bar %.2f  %s\n", what, ratio, bar, ratio <= bar ? "met" : "not met");
}

static void print_figures(const struct settings *settings, const struct summary *figures)
{
    double bare = figures[BARE_SMALL].median, bwrap = figures[BWRAP].median;
    if (settings->common.json) {
        printf("[");
        for (int i = 0; i < CONTENDERS; i++)
            printf("%s\n  {\"name\": \"%s\", \"n\": %d, \"median_ms\": %.4f, \"p95_ms\": %.4f, \"p99_ms\": "
                   "%.4f, "
                   "\"cpu_ms\": %.4f}",
                   i ? "," : "", contenders[i].name, figures[i].count, figures[i].median, figures[i].p95,
                   figures[i].p99, figures[i].cpu);
        printf("\n]\n");
        return;
    }
    printf("%-30s %5s %10s %9s %9s %9s %8s %8s\n", "", "n", "median ms", "p95 ms", "p99 ms", "cpu ms",
           "x bare", "x bwrap");
    for (int i = 0; i < CONTENDERS; i++) {
        const struct summary *f = &figures[i];
        if (f->count == 0)
            continue;
        printf("  %-28s %5d %10.2f %9.2f %9.2f %9.2f %8.2f ", contenders[i].name, f->count, f->median, f->p95,
               f->p99, f->cpu, f->median / bare);
        if (bwrap > 0)
            printf("%8.3f", f->median / bwrap);
        putchar('\n');
    }
    puts("\nBars");
    print_bar("3 MB: cordon_spawn / bare spawn", figures[LIBRARY_SMALL].median / bare, BAR_BARE);
    print_bar("300 MB: cordon_spawn / bare spawn", figures[LIBRARY_LARGE].median / figures[BARE_LARGE].median,
              BAR_BARE);
    if (bwrap > 0)
        print_bar("3 MB: cordon_spawn / bubblewrap", figures[LIBRARY_SMALL].median / bwrap, BAR_BWRAP);
    print_bar("cordon_spawn: 300 MB / 3 MB", figures[LIBRARY_LARGE].median / figures[LIBRARY_SMALL].median,
              BAR_SIZE);
}

static void measure(void *argument, const char *scratch)
{
    static const char *const names[] = {".git", ".codex", ".agents", ".cordon"};
    const struct settings *settings = argument;
    struct summary figures[CONTENDERS];
    double *wall[CONTENDERS], *cpu[CONTENDERS];
    char *workspace = bench_text("%s/ws", scratch);
    bench_directory(workspace);
    bench_enter(workspace);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        bench_directory(names[i]); /* like for like: bubblewrap holds no absent ones */
    struct caller callers[2] = {caller_start(settings, SMALL), caller_start(settings, LARGE)};
    for (int i = 0; i < CONTENDERS; i++) {
        wall[i] = bench_zeroed((size_t)settings->common.rounds, sizeof(double));
        cpu[i] = bench_zeroed((size_t)settings->common.rounds, sizeof(double));
    }
    for (int round = -WARM_UP; round < settings->common.rounds; round++) {
        for (int i = 0; i < CONTENDERS; i++) {
            if (contenders[i].what == WHAT_BWRAP && !settings->common.bwrap)
                continue;
            struct timing t = ask(&callers[contenders[i].large], contenders[i].what);
            if (round >= 0) {
                wall[i][round] = t.wall;
                cpu[i][round] = t.cpu;
            }
        }
    }
    callers_end(callers);
    for (int i = 0; i < CONTENDERS; i++) {
        bool measured = contenders[i].what != WHAT_BWRAP || settings->common.bwrap;
        figures[i] =
            measured ? summarize(wall[i], cpu[i], settings->common.rounds) : (struct summary){.count = 0};
        free(wall[i]);
        free(cpu[i]);
    }
    print_figures(settings, figures);
    free(workspace);
}

static void parse(int argc, char **argv, struct settings *s)
{
    for (int i = 1; i < argc; i++) {
        if (bench_take_option(&s->common, argc, argv, &i))
            continue;
        if (!strcmp(argv[i], "--warden"))
            s->warden = bench_value(argc, argv, &i);
        else if (!strcmp(argv[i], "--help")) {
            puts("usage: bench-spawn --warden CORDON-WARDEN [--bwrap PROGRAM | --no-bwrap] [--n ROUNDS]\n"
                 "                   [--scratch DIR] [--json]\n"
                 "Measures cordon_spawn() of /bin/true from a 3 MB and a 300 MB caller, interleaved with\n"
                 "bare posix_spawn and bubblewrap.");
            exit(0);
        } else
            bench_die("unknown option %s; see --help", argv[i]);
    }
}

int main(int argc, char **argv)
{
    struct settings settings = {.common = {.bwrap = bench_find_bwrap(), .rounds = 200}};
    parse(argc, argv, &settings);
    if (!settings.warden || access(settings.warden, X_OK))
        bench_die("name cordon-warden with --warden PROGRAM; build it first (make)");
    char *scratch = bench_scratch(settings.common.scratch_parent);
    char *program = bench_text("%s/cordon-warden", scratch);
    bench_copy_program(settings.warden, program);
    settings.warden = program;
    int status = bench_apart(scratch, measure, &settings);
    free(program);
    free(scratch);
    return status;
}
