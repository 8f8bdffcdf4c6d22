/* help.c - --help, from the option table. */
#include <string.h>

#include "option_table.h"
#include "options.h"

#define COLUMN 30

static void print_row(FILE *to, const struct option_row *row)
{
    char left[80];
    int used = row->letter ? snprintf(left, sizeof left, "  -%c, %s", row->letter, row->name)
                           : snprintf(left, sizeof left, "      %s", row->name);
    if (row->argument)
        used += snprintf(left + used, sizeof left - (size_t)used, " %s", row->argument);
    if (used > COLUMN)
        fprintf(to, "%s\n%*s%s\n", left, COLUMN + 2, "", row->help);
    else
        fprintf(to, "%-*s  %s\n", COLUMN, left, row->help);
}

static void print_options(FILE *to, unsigned bit)
{
    fputs("\nPolicy options:\n", to);
    for (const struct option_row *row = option_table(); row->name; row++)
        if (row->help && row->commands == IN_POLICY && row->id <= OPTION_REQUIRE)
            print_row(to, row);
    fputs(bit == IN_RUN ? "\nRun options:\n" : "\nOther options:\n", to);
    for (const struct option_row *row = option_table(); row->name; row++)
        if (row->help && row->commands & bit && row->id > OPTION_REQUIRE)
            print_row(to, row);
}

static void print_overview(FILE *to)
{
    fputs(
        "cordon - run a command inside a boundary that the operating system enforces\n"
        "\n"
        "  cordon run     [OPTIONS] [--] COMMAND [ARG...]   run it: reads everything, writes only the\n"
        "                                                   workspace, no network\n"
        "  cordon explain [OPTIONS] PATH... [--host HOST]   may it be read, written, reached, and why\n"
        "  cordon plan    [OPTIONS] [--json]                everything the kernel would be told\n"
        "  cordon help    [COMMAND]                         the options of a command\n"
        "  cordon --version\n"
        "\n"
        "Examples:\n"
        "  cordon run -- make test                          in the current directory\n"
        "  cordon run -w ../cache --net on -- npm install   one more writable directory, and the network\n"
        "  cordon explain .git/config ~/.bashrc             what would be refused, before running anything\n"
        "\n"
        "The manual: man cordon. The policy language: docs/policy.md.\n",
        to);
}

void options_print_help(FILE *to, enum command_id command)
{
    switch (command) {
    case COMMAND_RUN:
        fputs("usage: cordon run [OPTIONS] [--] COMMAND [ARG...]\n", to);
        print_options(to, IN_RUN);
        fputs("\nExit status: the command's own; 128+N when signal N ended it; 124 wall limit; 125 cordon "
              "failed\n"
              "and nothing ran; 126 found but not executable; 127 not found. --status-fd tells them apart.\n",
              to);
        break;
    case COMMAND_EXPLAIN:
        fputs("usage: cordon explain [OPTIONS] PATH... [--host HOST[:PORT]]...\n", to);
        print_options(to, IN_EXPLAIN);
        break;
    case COMMAND_PLAN:
        fputs("usage: cordon plan [OPTIONS] [--json]\n", to);
        print_options(to, IN_PLAN);
        break;
    case COMMAND_HELP:
    case COMMAND_VERSION:
        print_overview(to);
        break;
    }
}

void options_print_table(FILE *to)
{
    static const struct {
        unsigned bit;
        const char *name;
    } commands[] = {{IN_RUN, "run"}, {IN_EXPLAIN, "explain"}, {IN_PLAN, "plan"}};
    for (size_t i = 0; i < 3; i++)
        for (const struct option_row *row = option_table(); row->name; row++)
            if (row->help && row->commands & commands[i].bit)
                fprintf(to, "%s %s%s%s\n", commands[i].name, row->name, row->argument ? " " : "",
                        row->argument ? row->argument : "");
}
