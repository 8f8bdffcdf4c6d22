/* launch.c - what a launch costs: cold `cordon run` against a bare spawn and bubblewrap.
 *
 * Role: `make bench`. One round runs every contender once, so that whatever the
 * machine does meanwhile hits all of them alike; ratios are of medians of the
 * same rounds. As an ordinary user always: started as root, it drops to an
 * unprivileged uid with a home of its own. bench/README.md explains the cases.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_tools.h"
#include "launch_report.h"

#define MAX_ROOTS 4000
#define WARM_UP 3

/* The project's bars (docs/performance.md): ratios of medians. */
#define BAR_BARE 4.0
#define BAR_BWRAP 0.45
#define BAR_1000_BARE 60.0
#define BAR_1000_BWRAP 0.05

struct settings {
    struct bench_options common;
    const char *cordon;
    int roots[16];
    size_t root_count;
};

struct contender {
    const char *name;
    const char **argv;
    const char *directory; /* where it starts */
    int stride;            /* takes part in every stride-th round */
    double *wall, *cpu;    /* ms */
    int count;
};

static void run_round(struct contender *c, int round)
{
    if (!c->argv || round % c->stride)
        return;
    bench_enter(c->directory);
    int status = bench_run(c->argv, false, &c->wall[c->count], &c->cpu[c->count]);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        bench_die("%s failed in round %d (wait status %d)", c->name, round, status);
    c->count++;
}

static void warm_up(const struct contender *c)
{
    double wall, cpu;
    if (!c->argv)
        return;
    bench_enter(c->directory);
    for (int i = 0; i < (c->stride > 1 ? 1 : WARM_UP); i++) {
        int status = bench_run(c->argv, true, &wall, &cpu);
        if (!WIFEXITED(status) || WEXITSTATUS(status))
            bench_die("%s does not run here (wait status %d); its message is above", c->name, status);
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
    const char **copy = bench_zeroed(n + 3, sizeof *copy);
    memcpy(copy, argv, (n - 1) * sizeof *copy); /* the last is /bin/true */
    copy[n - 1] = "/bin/sh";
    copy[n] = "-c";
    char *script = bench_text("echo x 2>/dev/null >%s", outside);
    copy[n + 1] = script;
    double wall, cpu;
    bench_enter(directory);
    int status = bench_run(copy, false, &wall, &cpu);
    if ((WIFEXITED(status) && WEXITSTATUS(status) == 0) || access(outside, F_OK) == 0)
        bench_die("%s let a write outside pass: not measuring that", name);
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
                              bench_zeroed((size_t)rounds, sizeof(double)),
                              bench_zeroed((size_t)rounds, sizeof(double)),
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
    const char **argv = bench_zeroed(2, sizeof *argv);
    argv[0] = "/bin/true";
    return argv;
}

static const char **argv_cordon(const char *cordon, char *const *extra, size_t extra_count)
{
    const char **argv = bench_zeroed(8 + 2 * extra_count, sizeof *argv);
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
        contender_make("bubblewrap", bench_bwrap_argv(settings->common.bwrap, workspace, extra, extra_count),
                       workspace, rounds, bwrap_stride);
    struct contender cordon =
        contender_make("cordon run", argv_cordon(settings->cordon, extra, extra_count), workspace, rounds, 1);
    char *outside = bench_text("%s/../outside", workspace);
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
    char *parent = bench_text("%s/%s", scratch, name);
    bench_directory(parent);
    char *workspace = bench_text("%s/ws", parent);
    bench_directory(workspace);
    for (size_t i = 0; with_names && i < sizeof names / sizeof *names; i++) {
        char *path = bench_text("%s/%s", workspace, names[i]);
        bench_directory(path);
        free(path);
    }
    free(parent);
    return workspace;
}

static void measure_all(void *argument, const char *scratch)
{
    const struct settings *settings = argument;
    struct row rows[18] = {
        {.name = "protected names exist", .roots = 1, .bar_bare = BAR_BARE, .bar_bwrap = BAR_BWRAP},
        {.name = "protected names absent", .roots = 1, .bar_bare = BAR_BARE, .bar_bwrap = BAR_BWRAP},
    };
    size_t count = 2;
    char *like = workspace_make(scratch, "like", true);
    char *fresh = workspace_make(scratch, "fresh", false);
    measure(settings, &rows[0], like, NULL, settings->common.rounds, 1);
    measure(settings, &rows[1], fresh, NULL, settings->common.rounds, 1);

    char **extra = bench_zeroed(MAX_ROOTS, sizeof *extra);
    size_t made = 0;
    for (size_t i = 0; i < settings->root_count; i++) {
        int roots = settings->roots[i];
        for (; made + 1 < (size_t)roots; made++) {
            extra[made] = bench_text("%s/root%zu", scratch, made);
            bench_directory(extra[made]);
        }
        /* bubblewrap takes seconds for a thousand: fewer rounds, and it in every eighth of them. */
        int rounds = settings->common.rounds / (roots >= 500 ? 8 : roots >= 100 ? 4 : 1);
        rows[count] = (struct row){.name = "curve of roots", .roots = roots};
        if (roots == 1000) {
            rows[count].bar_bare = BAR_1000_BARE;
            rows[count].bar_bwrap = BAR_1000_BWRAP;
        }
        measure(settings, &rows[count++], like, extra, rounds > 4 ? rounds : 4, roots >= 500 ? 8 : 1);
    }
    if (settings->common.json)
        print_json(rows, count);
    else
        print_table(rows, count);
    for (size_t i = 0; i < made; i++)
        free(extra[i]);
    free(extra);
    free(like);
    free(fresh);
}

static void usage(void)
{
    puts("usage: bench-launch [--cordon PROGRAM] [--bwrap PROGRAM | --no-bwrap] [--n ROUNDS]\n"
         "                    [--roots N,N,...] [--scratch DIR] [--json]\n"
         "Measures cold launches of /bin/true, interleaved: bare posix_spawn, bubblewrap, cordon run.");
}

static void parse_roots(struct settings *s, const char *list)
{
    char *copy = bench_text("%s", list), *save = NULL;
    s->root_count = 0;
    for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        if (s->root_count == sizeof s->roots / sizeof *s->roots)
            bench_die("--roots: at most %zu values", s->root_count);
        s->roots[s->root_count++] = (int)bench_number("--roots", word, 1, MAX_ROOTS);
    }
    free(copy);
}

static void parse(int argc, char **argv, struct settings *s)
{
    for (int i = 1; i < argc; i++) {
        if (bench_take_option(&s->common, argc, argv, &i))
            continue;
        if (!strcmp(argv[i], "--cordon"))
            s->cordon = bench_value(argc, argv, &i);
        else if (!strcmp(argv[i], "--roots"))
            parse_roots(s, bench_value(argc, argv, &i));
        else if (!strcmp(argv[i], "--help")) {
            usage();
            exit(0);
        } else
            bench_die("unknown option %s; see --help", argv[i]);
    }
}

int main(int argc, char **argv)
{
    struct settings settings = {.common = {.bwrap = bench_find_bwrap(), .rounds = 200}};
    parse_roots(&settings, "10,100,1000");
    parse(argc, argv, &settings);
    if (!settings.cordon)
        bench_die("name the program with --cordon PROGRAM");
    char *cordon = realpath(settings.cordon, NULL);
    if (!cordon || access(cordon, X_OK))
        bench_die("no program %s: build it first (make)", settings.cordon);

    char *scratch = bench_scratch(settings.common.scratch_parent);
    char *program = bench_text("%s/cordon", scratch);
    bench_copy_program(cordon, program);
    settings.cordon = program;
    int status = bench_apart(scratch, measure_all, &settings);
    free(program);
    free(scratch);
    free(cordon);
    return status;
}
