/* trace.c - what `--trace` costs: real work, traced and untraced, interleaved.
 *
 * Role: the figures of docs/performance.md. A small make (24 C files) and an
 * untar of 3000 files, each once without and once with --trace in every round,
 * each in a fresh directory. As an ordinary user. Before it measures, the traced
 * run must record a refusal: a trace that looks at nothing would be quick.
 *
 *     bench-trace --cordon FILE [--n ROUNDS] [--scratch DIR]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_tools.h"
#include "launch_report.h"

#define MAX_ROUNDS 1000
#define FILES 3000
#define SOURCES 24

struct settings {
    const char *cordon, *scratch_parent;
    int rounds;
};

struct work {
    const char *name;
    const char *prepare, *script, *clean; /* for sh, in the workspace */
    double bar;
};

static const struct work works[] = {
    {"make, 24 files", "cp -r ../sources tree", "make -s -j2 -C tree", "rm -rf tree", 1.10},
    {"untar, 3000 files", ":", "tar xf ../tree.tar", "rm -rf tree", 2.00},
};

enum mode { PLAIN, TRACED, READS, MODES };
static const char *const mode_names[MODES] = {"untraced", "--trace", "--trace --deny-read"};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        bench_die("cannot write %s", path);
}

static void make_sources(const char *scratch)
{
    char *directory = bench_text("%s/sources", scratch);
    bench_directory(directory);
    char *path = bench_text("%s/Makefile", directory);
    write_file(path, "objects := $(patsubst %.c,%.o,$(wildcard *.c))\n"
                     "program: $(objects)\n\t$(CC) -o $@ $(objects)\n"
                     "%.o: %.c\n\t$(CC) -O1 -c -o $@ $<\n");
    free(path);
    for (int i = 0; i < SOURCES; i++) {
        char *text =
            bench_text("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
                       "int f%d(const char *s)\n{\n    char b[99];\n"
                       "    snprintf(b, sizeof b, \"%%s %d\", s);\n    return (int)strlen(b);\n}\n%s",
                       i, i, i ? "" : "int main(void)\n{\n    return f0(\"x\") == 0;\n}\n");
        path = bench_text("%s/f%d.c", directory, i);
        write_file(path, text);
        free(path);
        free(text);
    }
    free(directory);
}

static void shell(const char *directory, const char *script, const char *what)
{
    double wall, cpu;
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    bench_enter(directory);
    int status = bench_run(argv, true, &wall, &cpu);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        bench_die("%s failed (wait status %d)", what, status);
}

static void make_archive(const char *scratch)
{
    char *tree = bench_text("%s/tree", scratch), text[4097];
    memset(text, 'x', sizeof text - 1);
    bench_directory(tree);
    for (int i = 0; i < FILES; i++) {
        char *directory = bench_text("%s/d%d", tree, i / 50);
        char *path = bench_text("%s/f%d", directory, i);
        bench_directory(directory);
        text[sizeof text - 1] = '\0';
        write_file(path, text + (i * 37) % 4000);
        free(directory);
        free(path);
    }
    free(tree);
    shell(scratch, "tar cf tree.tar tree && rm -rf tree", "tar");
}

/* The words end at `script`'s place, which is filled in later. */
static size_t words(const struct settings *settings, enum mode mode, const char *hidden, const char *argv[16])
{
    size_t n = 0;
    argv[n++] = settings->cordon;
    argv[n++] = "run";
    argv[n++] = "-q";
    argv[n++] = "--read"; /* should the scratch directory lie in a replaced one */
    argv[n++] = "..";
    if (mode != PLAIN)
        argv[n++] = "--trace";
    if (mode == READS) {
        argv[n++] = "--deny-read";
        argv[n++] = hidden;
    }
    argv[n++] = "/bin/sh";
    argv[n++] = "-c";
    return n;
}

static void run_once(const struct settings *settings, const struct work *work, enum mode mode,
                     const char *scratch, double *wall, double *cpu)
{
    const char *argv[16] = {NULL};
    char *workspace = bench_text("%s/ws", scratch), *hidden = bench_text("%s/hidden", scratch);
    shell(workspace, work->prepare, "preparing");
    argv[words(settings, mode, hidden, argv)] = work->script;
    bench_enter(workspace);
    int status = bench_run(argv, true, wall, cpu);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        bench_die("%s, %s: failed (wait status %d)", work->name, mode_names[mode], status);
    free(workspace);
    free(hidden);
}

/* What came out of the untraced and of the traced run is the same. */
static void check_equal(const struct settings *settings, const struct work *work, const char *scratch)
{
    double wall, cpu;
    char *workspace = bench_text("%s/ws", scratch);
    for (enum mode mode = PLAIN; mode < MODES; mode++) {
        run_once(settings, work, mode, scratch, &wall, &cpu);
        shell(workspace, mode == PLAIN ? "mv tree ../kept" : "diff -r tree ../kept", "comparing");
        shell(workspace, work->clean, "cleaning");
    }
    shell(workspace, "rm -rf ../kept", "cleaning");
    free(workspace);
}

static void check_trace(const struct settings *settings, const char *scratch)
{
    double wall, cpu;
    const char *argv[16] = {NULL};
    char *workspace = bench_text("%s/ws", scratch);
    size_t n = words(settings, TRACED, "", argv);
    memmove(argv + 3, argv + 2, (n - 2) * sizeof *argv);
    argv[2] = "--report=../report";
    argv[n + 1] = ": >../outside";
    bench_enter(workspace);
    bench_run(argv, false, &wall, &cpu);
    shell(workspace, "grep -q suggested_grant ../report",
          "the trace records nothing: not measuring that; it");
    free(workspace);
}

static void measure(const struct settings *settings, const struct work *work, const char *scratch)
{
    double *wall[MODES], *cpu[MODES];
    struct summary found[MODES];
    char *workspace = bench_text("%s/ws", scratch);
    for (enum mode mode = PLAIN; mode < MODES; mode++) {
        wall[mode] = bench_zeroed((size_t)settings->rounds, sizeof(double));
        cpu[mode] = bench_zeroed((size_t)settings->rounds, sizeof(double));
    }
    check_equal(settings, work, scratch);
    for (int round = 0; round < settings->rounds; round++)
        for (enum mode mode = PLAIN; mode < MODES; mode++) {
            run_once(settings, work, mode, scratch, &wall[mode][round], &cpu[mode][round]);
            shell(workspace, work->clean, "cleaning");
        }
    for (enum mode mode = PLAIN; mode < MODES; mode++) {
        found[mode] = summarize(wall[mode], cpu[mode], settings->rounds);
        printf("%-20s %-20s %9.1f %9.1f %9.1f %7.2f", work->name, mode_names[mode], found[mode].median,
               found[mode].p95, found[mode].cpu, found[mode].median / found[PLAIN].median);
        if (mode == TRACED)
            printf("   at most %.2f: %s", work->bar,
                   found[mode].median <= work->bar * found[PLAIN].median ? "met" : "not met");
        putchar('\n');
        free(wall[mode]);
        free(cpu[mode]);
    }
    free(workspace);
}

static void measure_all(void *argument, const char *scratch)
{
    const struct settings *settings = argument;
    char *workspace = bench_text("%s/ws", scratch), *hidden = bench_text("%s/hidden", scratch);
    bench_directory(workspace);
    bench_directory(hidden);
    make_sources(scratch);
    make_archive(scratch);
    check_trace(settings, scratch);
    printf("%-20s %-20s %9s %9s %9s %7s\n", "work", "run", "median ms", "p95", "CPU ms", "ratio");
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        measure(settings, &works[i], scratch);
    free(workspace);
    free(hidden);
}

int main(int argc, char **argv)
{
    struct settings settings = {.rounds = 30};
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--cordon"))
            settings.cordon = bench_value(argc, argv, &i);
        else if (!strcmp(argv[i], "--scratch"))
            settings.scratch_parent = bench_value(argc, argv, &i);
        else if (!strcmp(argv[i], "--n"))
            settings.rounds = (int)bench_number("--n", bench_value(argc, argv, &i), 1, MAX_ROUNDS);
        else
            bench_die("usage: bench-trace --cordon FILE [--n ROUNDS] [--scratch DIR]");
    }
    char *cordon = settings.cordon ? realpath(settings.cordon, NULL) : NULL;
    if (!cordon || access(cordon, X_OK))
        bench_die("name the program with --cordon FILE; build it first (make)");
    char *scratch = bench_scratch(settings.scratch_parent);
    char *program = bench_text("%s/cordon", scratch);
    bench_copy_program(cordon, program);
    settings.cordon = program;
    int status = bench_apart(scratch, measure_all, &settings);
    free(program);
    free(scratch);
    free(cordon);
    return status;
}
