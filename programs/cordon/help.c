/* help.c - `cordon help` and --help: the words around the option table. */
#include <stdio.h>
#include <string.h>

#include "option_table.h"

#define HELP_COLUMN 35 /* where an option's help begins */

static const char overview[] =
    "cordon runs a command inside a boundary that the operating system enforces. Inside,\n"
    "it can read what you can read, write only in the workspace and the roots you name,\n"
    "and reach no network unless you say so.\n\n"
    "Commands:\n";

static const char overview_end[] =
    "\n"
    "Examples:\n"
    "  cordon run -- make check                  the workspace is the current directory\n"
    "  cordon run -w ../build --net on -- npm install\n"
    "  cordon explain .git/config ../other       what would be refused, and why\n"
    "\n"
    "`cordon help run` has the options and the exit statuses; cordon(1) is the manual.\n";

static const char run_end[] =
    "\n"
    "Values may be attached: --net=on, -w/path; -qv is -q -v; -- ends the options.\n"
    "\n"
    "Exit status: the command's own, 128+N if signal N ended it, also for a limit, or\n"
    "  123  a guard of cordon stopped the command\n"
    "  124  the wall limit was reached\n"
    "  125  cordon itself failed, the command never started\n"
    "  126  the command is not executable\n"
    "  127  the command was not found\n"
    "A command can return these numbers too; --status-fd and --report tell them apart.\n";

static const char doctor_end[] =
    "\n"
    "Exit status: 0 when the default profile can be enforced here, 1 when not.\n";

static const char setup_end[] =
    "\n"
    "Exit status: 0 when everything is in place or nothing is needed, else 1; 125 on failure.\n";

static const char answer_end[] = "\n"
                                 "Exit status: 0 when answered, else 125.\n";

static void print_overview(FILE *to)
{
    fputs(overview, to);
    for (size_t i = 0; i < command_table_count; i++) {
        const struct command_def *def = &command_table[i];
        if (def->synopsis)
            fprintf(to, "  cordon %-7s %-31s  %s\n", def->name, def->synopsis, def->summary);
    }
    fputs("\nOptions:\n", to);
}

/* What stands left: `  -w, --write PATH`. */
static int print_name(FILE *to, const struct option_def *def)
{
    char letter[] = "    ";
    if (def->letter)
        snprintf(letter, sizeof letter, "-%c, ", def->letter);
    return fprintf(to, "  %s--%s%s%s", letter, def->name, def->argument ? " " : "",
                   def->argument ? def->argument : "");
}

static void print_option(FILE *to, const struct option_def *def)
{
    int column = print_name(to, def);
    if (column > HELP_COLUMN - 2) {
        fputc('\n', to);
        column = 0;
    }
    for (const char *line = def->help;; column = 0) {
        size_t len = strcspn(line, "\n");
        fprintf(to, "%*s%.*s\n", HELP_COLUMN - column, "", (int)len, line);
        if (!line[len])
            return;
        line += len + 1;
    }
}

static void print_group(FILE *to, enum command_id command, enum option_group group)
{
    for (size_t i = 0; i < option_table_count; i++) {
        const struct option_def *def = &option_table[i];
        if ((def->commands & OPTION_IN(command)) && def->group == group && def->action != ACTION_RESERVED)
            print_option(to, def);
    }
}

static bool has_policy_options(enum command_id command)
{
    for (size_t i = 0; i < option_table_count; i++)
        if ((option_table[i].commands & OPTION_IN(command)) && option_table[i].group == GROUP_POLICY &&
            option_table[i].action != ACTION_WORKSPACE)
            return true;
    return false;
}

static const char *end_of(enum command_id command)
{
    switch (command) {
    case COMMAND_RUN:
    case COMMAND_SHELL:
        return run_end;
    case COMMAND_DOCTOR:
        return doctor_end;
    case COMMAND_SETUP:
        return setup_end;
    default:
        return answer_end;
    }
}

static void print_command(FILE *to, const struct command_def *def)
{
    fprintf(to, "Usage: cordon %s %s\n       %s\n", def->name, def->synopsis, def->summary);
    if (has_policy_options(def->id)) {
        fputs("\nPolicy options:\n", to);
        print_group(to, def->id, GROUP_POLICY);
    }
    fputs(def->id == COMMAND_RUN ? "\nRun options:\n" : "\nOptions:\n", to);
    if (!has_policy_options(def->id))
        print_group(to, def->id, GROUP_POLICY);
    print_group(to, def->id, GROUP_COMMAND);
    fputs(end_of(def->id), to);
}

void options_print_help(FILE *to, enum command_id command)
{
    for (size_t i = 0; i < command_table_count; i++) {
        const struct command_def *def = &command_table[i];
        if (def->synopsis && def->id == command && command != COMMAND_HELP) {
            print_command(to, def);
            return;
        }
    }
    print_overview(to);
    print_group(to, COMMAND_HELP, GROUP_COMMAND);
    fputs(overview_end, to);
}

void options_print_table(FILE *to)
{
    for (size_t c = 0; c < command_table_count; c++) {
        const struct command_def *command = &command_table[c];
        for (size_t i = 0; i < option_table_count && command->synopsis; i++) {
            const struct option_def *def = &option_table[i];
            if (!(def->commands & OPTION_IN(command->id)) || def->action == ACTION_RESERVED)
                continue;
            fprintf(to, "%s ", command->name);
            if (def->letter)
                fprintf(to, "-%c ", def->letter);
            fprintf(to, "--%s%s%s\n", def->name, def->argument ? " " : "",
                    def->argument ? def->argument : "");
        }
    }
}
