/* launch_report.h - the figures of `bench-launch` and how they are shown. */
#ifndef CORDON_BENCH_LAUNCH_REPORT_H
#define CORDON_BENCH_LAUNCH_REPORT_H

#include <stddef.h>

struct summary {
    double median, p95, p99, cpu;
    int count;
};

/* One line of the table. */
struct row {
    const char *name;
    int roots;
    double bar_bare, bar_bwrap; /* the project's bars for cordon's ratios; 0: none */
    struct summary bare, bwrap, cordon;
};

/* Sorts both arrays (ms, `count` each). */
struct summary summarize(double *wall, double *cpu, int count);

/* For people, with the bars of the project; or as JSON. */
void print_table(const struct row *rows, size_t count);
void print_json(const struct row *rows, size_t count);

#endif
