/* bench_tools.h - what the benchmarks of launches share: a scratch directory, an
 * ordinary user, spawning and timing, bubblewrap's command line.
 *
 * Errors end the program: a benchmark that goes on after one measures something else.
 */
#ifndef CORDON_BENCH_TOOLS_H
#define CORDON_BENCH_TOOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *bench_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *bench_zeroed(size_t count, size_t size);
void bench_directory(const char *path); /* makes it; may be there */
void bench_enter(const char *directory);

double bench_now(void); /* ms */
double bench_cpu(const struct rusage *use);

/* Runs argv and returns its wait status; wall and CPU time in ms. */
int bench_run(const char *const *argv, bool loud, double *wall, double *cpu);

/* `bwrap` NULL: NULL. Otherwise to the end of the run: same policy, running /bin/true. */
const char **bench_bwrap_argv(const char *bwrap, const char *workspace, char *const *extra,
                              size_t extra_count);
const char *bench_find_bwrap(void);

/* As an ordinary user the build directory may be out of reach: measure a copy. */
void bench_copy_program(const char *from, const char *to);

/* A new directory, in `parent` when that is not NULL; the caller frees. */
char *bench_scratch(const char *parent);

/* Calls `work` in a process of its own, as an ordinary user, with HOME and state in
 * the scratch directory, which is removed afterwards. Returns the exit status. */
typedef void bench_work(void *argument, const char *scratch);
int bench_apart(const char *scratch, bench_work *work, void *argument);

/* What both benchmarks of launches take: --bwrap, --no-bwrap, --scratch, --n, --json. */
struct bench_options {
    const char *bwrap; /* NULL: not installed, or not wanted */
    const char *scratch_parent;
    int rounds;
    bool json;
};
/* Takes argv[*i] and its value. False: it is none of these. */
bool bench_take_option(struct bench_options *o, int argc, char **argv, int *i);

long bench_number(const char *what, const char *s, long min, long max);
const char *bench_value(int argc, char **argv, int *i);

#endif
