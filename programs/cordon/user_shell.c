/* user_shell.c - see user_shell.h. Runs as the user, outside. */
#include "user_shell.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_cordon(const char *path)
{
    struct stat named, self;
    const char *name = base_name(path);
    if (strcmp(name, "cordon") == 0 || strcmp(name, "cordon-shell") == 0)
        return true;
    return stat(path, &named) == 0 && stat("/proc/self/exe", &self) == 0 && named.st_dev == self.st_dev &&
           named.st_ino == self.st_ino;
}

static bool is_listed(const char *path)
{
    char line[1024];
    bool found = false;
    FILE *list = fopen("/etc/shells", "re");
    while (list && !found && fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = '\0';
        found = strcmp(line, path) == 0;
    }
    if (list)
        fclose(list);
    return found;
}

/* Not nologin, not a terminal multiplexer, not the script that calls us. */
static bool is_shell(const char *path)
{
    static const char *const known[] = {"sh",   "bash", "dash", "zsh",  "fish", "ksh",
                                        "mksh", "ash",  "yash", "tcsh", "csh",  "rbash"};
    struct stat st;
    const char *name = base_name(path);
    if (path[0] != '/' || is_cordon(path) || stat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
        access(path, X_OK) != 0)
        return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return strcmp(name, "nologin") != 0 && strcmp(name, "false") != 0 && is_listed(path);
}

/* By reading the file: getpwuid() loads libraries, which a static program cannot. */
static char *shell_of_passwd(void)
{
    char *shell = NULL;
    FILE *file = fopen("/etc/passwd", "re");
    for (struct passwd *entry; file && !shell && (entry = fgetpwent(file)) != NULL;)
        if (entry->pw_uid == getuid())
            shell = string_copy(entry->pw_shell);
    if (file)
        fclose(file);
    return shell;
}

cordon_status user_shell_find(char **out, struct cordon_error *err)
{
    const char *named = getenv("SHELL");
    char *found = named && is_shell(named) ? string_copy(named) : shell_of_passwd();
    if (found && !is_shell(found)) {
        free(found);
        found = NULL;
    }
    if (!found)
        found = string_copy(is_shell("/bin/bash") ? "/bin/bash" : "/bin/sh");
    if (!found)
        return error_nomem(err, "exec.shell");
    *out = found;
    return CORDON_OK;
}

cordon_status user_shell_correct(const struct options *options, struct env_list *environment,
                                 struct cordon_error *err)
{
    for (size_t i = 0; i < environment->count; i++) {
        const char *item = environment->items[i];
        if (strncmp(item, "SHELL=", 6) != 0)
            continue;
        bool wrong = options->command == COMMAND_SHELL ? !is_shell(item + 6) : is_cordon(item + 6);
        char *shell = NULL;
        cordon_status status = wrong ? user_shell_find(&shell, err) : CORDON_OK;
        if (status != CORDON_OK || !wrong)
            return status;
        char *corrected = string_format("SHELL=%s", shell);
        free(shell);
        if (!corrected)
            return error_nomem(err, "exec.shell");
        free(environment->items[i]);
        environment->items[i] = corrected;
        return CORDON_OK;
    }
    return CORDON_OK;
}
