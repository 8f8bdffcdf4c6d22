/* main.c - the `cordon` program: options, then one command. Never elevates itself. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "commands.h"

/* A closed standard descriptor would be given to the next file that is opened. */
static void fill_standard_descriptors(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", O_RDWR);
}

int main(int argc, char **argv)
{
    struct options options;
    struct cordon_error err;
    int code = EXIT_CORDON_FAILED;
    fill_standard_descriptors();
    if (options_parse(argc, argv, &options, &err) != CORDON_OK) {
        say_error(&options, &err);
        say_status_failed(&options, &err);
        options_release(&options);
        return code;
    }
    switch (options.command) {
    case COMMAND_HELP:
        options_print_help(stdout, options.help_for);
        code = 0;
        break;
    case COMMAND_VERSION:
        puts("cordon " CORDON_VERSION);
        code = 0;
        break;
    case COMMAND_RUN:
        code = command_run(&options);
        break;
    case COMMAND_SHELL:
        code = command_shell(&options);
        break;
    case COMMAND_EXPLAIN:
        code = command_explain(&options);
        break;
    case COMMAND_PLAN:
        code = command_plan(&options);
        break;
    case COMMAND_DOCTOR:
        code = command_doctor(&options);
        break;
    case COMMAND_SETUP:
        code = command_setup(&options);
        break;
    case COMMAND_REPORT:
        code = command_report(&options);
        break;
    }
    options_release(&options);
    /* What did not fit the buffer was written, or not, before: its errno is gone. */
    bool lost = ferror(stdout) != 0;
    if (fflush(stdout) != 0 && code == 0) {
        perror("cordon: cannot write to standard output");
        code = EXIT_CORDON_FAILED;
    } else if (lost && code == 0) {
        fputs("cordon: cannot write all of it to standard output\n", stderr);
        code = EXIT_CORDON_FAILED;
    }
    return code;
}
