/* launch_report.c - medians, percentiles, ratios, and the two ways to print them. */
#include "launch_report.h"

#include <stdio.h>
#include <stdlib.h>

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Nearest rank. */
static double percentile(const double *sorted, int count, double p)
{
    int rank = (int)(p / 100.0 * count + 0.999999);
    if (rank < 1)
        rank = 1;
    return sorted[rank > count ? count - 1 : rank - 1];
}

struct summary summarize(double *wall, double *cpu, int count)
{
    struct summary s = {0, 0, 0, 0, count};
    if (!count)
        return s;
    qsort(wall, (size_t)count, sizeof *wall, compare_doubles);
    qsort(cpu, (size_t)count, sizeof *cpu, compare_doubles);
    s.median = percentile(wall, count, 50);
    s.p95 = percentile(wall, count, 95);
    s.p99 = percentile(wall, count, 99);
    s.cpu = percentile(cpu, count, 50);
    return s;
}

static double ratio(struct summary a, struct summary b)
{
    return a.count && b.count ? a.median / b.median : 0;
}

static void print_line(const char *name, struct summary s, struct summary bare, struct summary bwrap)
{
    if (!s.count) {
        printf("  %-12s not installed\n", name);
        return;
    }
    printf("  %-12s %6d %9.2f %9.2f %9.2f %9.2f %8.2f", name, s.count, s.median, s.p95, s.p99, s.cpu,
           ratio(s, bare));
    if (bwrap.count)
        printf(" %8.3f\n", ratio(s, bwrap));
    else
        printf(" %8s\n", "-");
}

static void print_bar(const struct row *r, const char *against, double value, double bar)
{
    printf("  %-24s %4d root%s  cordon run / %s: ", r->name, r->roots, r->roots == 1 ? " " : "s", against);
    if (value <= 0)
        printf("not measured (bar %.2f)\n", bar);
    else
        printf("%.2f  bar %.2f  %s\n", value, bar, value <= bar ? "met" : "not met");
}

void print_table(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *r = &rows[i];
        printf("%s, %d writable root%s\n", r->name, r->roots, r->roots == 1 ? "" : "s");
        printf("  %-12s %6s %9s %9s %9s %9s %8s %8s\n", "", "n", "median ms", "p95 ms", "p99 ms", "cpu ms",
               "x bare", "x bwrap");
        print_line("bare spawn", r->bare, r->bare, r->bwrap);
        print_line("bubblewrap", r->bwrap, r->bare, r->bwrap);
        print_line("cordon run", r->cordon, r->bare, r->bwrap);
        putchar('\n');
    }
    printf("Bars\n");
    for (size_t i = 0; i < count; i++) {
        const struct row *r = &rows[i];
        if (r->bar_bare <= 0)
            continue;
        print_bar(r, "bare spawn", ratio(r->cordon, r->bare), r->bar_bare);
        print_bar(r, "bubblewrap", ratio(r->cordon, r->bwrap), r->bar_bwrap);
    }
}

static void print_summary_json(const char *name, struct summary s, const char *end)
{
    if (!s.count)
        printf("\"%s\":null%s", name, end);
    else
        printf("\"%s\":{\"n\":%d,\"median_ms\":%.4f,\"p95_ms\":%.4f,\"p99_ms\":%.4f,\"cpu_ms\":%.4f}%s", name,
               s.count, s.median, s.p95, s.p99, s.cpu, end);
}

void print_json(const struct row *rows, size_t count)
{
    printf("{\"version\":1,\"rows\":[");
    for (size_t i = 0; i < count; i++) {
        const struct row *r = &rows[i];
        printf("%s\n {\"case\":\"%s\",\"roots\":%d,", i ? "," : "", r->name, r->roots);
        print_summary_json("bare", r->bare, ",");
        print_summary_json("bubblewrap", r->bwrap, ",");
        print_summary_json("cordon", r->cordon, ",");
        printf("\"ratio_bare\":%.4f,\"ratio_bubblewrap\":", ratio(r->cordon, r->bare));
        if (r->bwrap.count)
            printf("%.4f}", ratio(r->cordon, r->bwrap));
        else
            printf("null}");
    }
    printf("\n]}\n");
}
