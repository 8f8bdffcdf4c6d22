/* cmd_shell.c - `cordon shell`: the user's shell, inside.
 *
 * Runs as the user, outside. Everything but the words of the command line and
 * the terminal is `run`: an interactive shell gets a terminal of the sandbox's
 * own, -c STRING and scripts have the standard descriptors as they are.
 */
#include <stdlib.h>
#include <unistd.h>

#include "run.h"
#include "user_shell.h"

/* SHELL [FLAG...] [-c STRING] [--] [WORD...]; borrowed from options. */
static char **shell_words(const struct options *options, char *shell)
{
    static char c[] = "-c", end[] = "--";
    char **words = calloc(options->shell_flags.count + (size_t)options->argc + 5, sizeof *words);
    size_t count = 0;
    if (!words)
        return NULL;
    words[count++] = shell;
    for (size_t i = 0; i < options->shell_flags.count; i++)
        words[count++] = (char *)options->shell_flags.items[i];
    if (options->shell_command)
        words[count++] = c;
    /* Only where it is needed: not every shell knows it. */
    const char *first = options->shell_string ? options->shell_string : options->argc ? options->argv[0] : "";
    if (first[0] == '-')
        words[count++] = end;
    if (options->shell_string)
        words[count++] = (char *)options->shell_string;
    for (int i = 0; i < options->argc; i++)
        words[count++] = options->argv[i];
    return words;
}

/* As a shell decides for itself whether somebody is there to talk to. */
static bool is_interactive(const struct options *options)
{
    return !options->shell_command && options->argc == 0 && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

int command_shell(const struct options *options)
{
    struct options inside = *options;
    struct cordon_error err;
    char *shell = NULL;
    int code = EXIT_CORDON_FAILED;
    cordon_status status = user_shell_find(&shell, &err);
    if (status == CORDON_OK && !(inside.argv = shell_words(options, shell)))
        status = error_nomem(&err, "exec.shell");
    if (status == CORDON_OK) {
        while (inside.argv[inside.argc])
            inside.argc++;
        code = is_interactive(options) ? run_relayed(&inside) : run_shared(&inside);
        free(inside.argv);
    } else {
        say_error(options, &err);
        say_status_failed(options, &err);
    }
    free(shell);
    return code;
}
