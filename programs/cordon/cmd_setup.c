/* cmd_setup.c - `cordon setup`: the one-time step as root, where this machine needs one.
 *
 * Runs as the user and never elevates itself: what has to be done as root is
 * done by cordon-setup, which it starts through sudo or pkexec, or says how to.
 * Whether anything has to be done is tried, not read from settings.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "core/limits.h"
#include "os/linux/probe.h"
#include "os/linux/root_owned.h"

#define EXIT_NOT_IN_PLACE 1
#define SETUP_NAME "cordon-setup"
#define WARDEN_NAME "cordon-warden"
#define PROFILE "/etc/apparmor.d/cordon"
#define WORDS_MAX 8

/* A command line, for execv and for people. */
struct words {
    const char *items[WORDS_MAX + 1];
    size_t count;
};

static void add_word(struct words *w, const char *word)
{
    if (w->count < WORDS_MAX)
        w->items[w->count++] = word;
    w->items[w->count] = NULL;
}

/* For a shell to read back. */
static void print_words(const struct words *w)
{
    for (size_t i = 0; i < w->count; i++) {
        const char *word = w->items[i];
        bool plain =
            word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:=@%")] ==
            '\0';
        fputs(i ? " " : "  ", stdout);
        if (plain) {
            fputs(word, stdout);
            continue;
        }
        putchar('\'');
        for (const char *c = word; *c; c++)
            fputs(*c == '\'' ? "'\\''" : (char[]){*c, '\0'}, stdout);
        putchar('\'');
    }
    putchar('\n');
}

static int run_words(const struct words *w)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execv(w->items[0], (char *const *)w->items);
        fprintf(stderr, "cordon: cannot start %s: %s\n", w->items[0], strerror(errno));
        _exit(EXIT_CORDON_FAILED);
    }
    pid_t ended = -1;
    while (pid > 0 && (ended = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
        continue;
    if (ended < 0 || !WIFEXITED(status))
        return EXIT_CORDON_FAILED;
    return WEXITSTATUS(status);
}

/* -- what is needed ------------------------------------------------------- */

/* The first that does not work of what a profile would bring. */
static enum primitive first_missing(const struct doctor *d)
{
    for (int p = PRIMITIVE_USER_NAMESPACE; p <= PRIMITIVE_FRESH_DEVPTS; p++)
        if (d->primitives[p].state != PRIMITIVE_WORKS && primitive_words((enum primitive)p)->needed)
            return (enum primitive)p;
    return PRIMITIVE_COUNT;
}

enum need { NEED_NOTHING, NEED_PROFILE, NEED_OTHER };

static enum need find_need(struct doctor *d, enum primitive *missing)
{
    probe_machine(d);
    *missing = first_missing(d);
    if (*missing == PRIMITIVE_COUNT)
        return NEED_NOTHING;
    const char *remedy = doctor_explain(d, *missing).remedy;
    return remedy && strcmp(remedy, "cordon setup") == 0 ? NEED_PROFILE : NEED_OTHER;
}

static int say_nothing_needed(void)
{
    if (access(PROFILE, F_OK) == 0)
        puts("user namespaces work here, and the AppArmor profile " PROFILE " is in place");
    else
        puts("user namespaces work here: nothing has to be set up");
    return 0;
}

static int say_missing(const struct doctor *d, enum primitive missing, bool helps)
{
    struct doctor_explanation why = doctor_explain(d, missing);
    if (!why.cause) {
        printf(
            "not known: %s\ncause: it could not even be tried\nremedy: end some processes, and ask again\n",
            primitive_words(missing)->what);
        return EXIT_NOT_IN_PLACE;
    }
    printf("missing: %s\ncause: %s\n", primitive_words(missing)->what, why.cause);
    if (helps)
        puts("remedy: cordon setup");
    else
        printf("remedy: %s\n(cordon setup does not change settings of the whole system)\n", why.remedy);
    return EXIT_NOT_IN_PLACE;
}

/* -- as root -------------------------------------------------------------- */

/* What is installed: cordon itself as the kernel knows it, and what belongs to it. */
struct installed {
    char *self, *setup, *warden; /* the warden may be missing: NULL */
};

static void installed_release(struct installed *i)
{
    free(i->self);
    free(i->setup);
    free(i->warden);
}

static bool there(const char *path)
{
    return path && access(path, X_OK) == 0;
}

/* Where it was built for, else where PREFIX put it: PREFIX/bin and PREFIX/libexec/cordon. */
static char *find_beside(const char *self, const char *name)
{
    char *path = string_format("%s/%s", CORDON_LIBEXECDIR, name);
    const char *slash = strrchr(self, '/');
    size_t prefix = (size_t)(slash - self);
    while (prefix > 0 && self[prefix - 1] != '/')
        prefix--;
    if (there(path) || prefix == 0)
        return path;
    free(path);
    return string_format("%.*slibexec/cordon/%s", (int)prefix, self, name);
}

/* What is started as root, or is given a right by its path, must be root's, or it could be anybody's. */
static cordon_status find_installed(struct installed *out, bool undo, struct cordon_error *err)
{
    char self[LIMIT_PATH_BYTES];
    int fd;
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0 || self[0] != '/')
        return error_set(err, CORDON_E_SYSTEM, errno, "setup.path", "/proc/self/exe: %s", strerror(errno));
    self[len] = '\0';
    out->self = string_copy(self);
    out->setup = find_beside(self, SETUP_NAME);
    out->warden = find_beside(self, WARDEN_NAME);
    if (!out->self || !out->setup || !out->warden)
        return error_nomem(err, "setup.path");
    if (!there(out->warden)) {
        free(out->warden);
        out->warden = NULL;
    }
    cordon_status status = root_owned_open("", out->setup, 0, false, &fd, err);
    if (status == CORDON_OK)
        close(fd);
    if (status == CORDON_OK && !undo) {
        status = root_owned_open("", self, 0, false, &fd, err);
        if (status == CORDON_OK)
            close(fd);
    }
    return status == CORDON_OK ? status
                               : error_set(err, status, err->os_code, "setup.path",
                                           "setup is for a cordon that root has installed: %s", err->message);
}

/* By fixed paths: PATH may be anybody's. */
static const char *elevation(void)
{
    if (isatty(STDIN_FILENO) && there("/usr/bin/sudo"))
        return "/usr/bin/sudo";
    if ((getenv("WAYLAND_DISPLAY") || getenv("DISPLAY")) && there("/usr/bin/pkexec"))
        return "/usr/bin/pkexec";
    return NULL;
}

static int run_as_root(const struct words *w)
{
    struct words elevated = {.count = 0};
    const char *by = geteuid() == 0 ? NULL : elevation();
    if (geteuid() == 0)
        return run_words(w);
    if (!by) {
        puts("run this as root:");
        print_words(w);
        return EXIT_NOT_IN_PLACE;
    }
    add_word(&elevated, by);
    for (size_t i = 0; i < w->count; i++)
        add_word(&elevated, w->items[i]);
    puts("running as root:");
    print_words(&elevated);
    return run_words(&elevated);
}

/* A profile counts from the next exec on: this process would not see it. */
static int look_again(void)
{
    struct words w = {.count = 0};
    add_word(&w, "/proc/self/exe");
    add_word(&w, "setup");
    add_word(&w, "--status");
    return run_words(&w);
}

static int start_setup(const struct installed *installed, const char *mode)
{
    struct words w = {.count = 0};
    bool undo = mode && strcmp(mode, "--undo") == 0;
    add_word(&w, installed->setup);
    if (mode)
        add_word(&w, mode);
    if (!undo)
        add_word(&w, installed->self);
    if (!undo && installed->warden)
        add_word(&w, installed->warden);
    if (mode && !undo) {
        printf("as root, %s would\n", installed->setup);
        return run_words(&w);
    }
    int code = run_as_root(&w);
    return code == 0 && !undo ? look_again() : code;
}

/* `mode`: an option of cordon-setup, or NULL. */
static int with_setup(const struct options *options, const char *mode)
{
    struct installed installed = {NULL, NULL, NULL};
    struct cordon_error err;
    int code = EXIT_CORDON_FAILED;
    if (find_installed(&installed, mode && strcmp(mode, "--undo") == 0, &err) == CORDON_OK)
        code = start_setup(&installed, mode);
    else
        say_error(options, &err);
    installed_release(&installed);
    return code;
}

/* -- the command ---------------------------------------------------------- */

static int undo(const struct options *options)
{
    if (access(PROFILE, F_OK) != 0 && errno == ENOENT) {
        puts("nothing was set up: there is no " PROFILE);
        return 0;
    }
    return with_setup(options, "--undo");
}

int command_setup(const struct options *options)
{
    struct doctor d;
    enum primitive missing;
    int code;
    signal(SIGCHLD, SIG_DFL); /* ignored by the caller, failures of those who act would not be told */
    if (options->setup == SETUP_UNDO)
        return undo(options);
    doctor_init(&d);
    enum need need = find_need(&d, &missing);
    if (need == NEED_NOTHING)
        code = say_nothing_needed();
    else if (options->setup == SETUP_STATUS || need == NEED_OTHER)
        code = say_missing(&d, missing, need == NEED_PROFILE);
    else
        code = with_setup(options, options->setup == SETUP_DRY_RUN ? "--dry-run" : NULL);
    doctor_release(&d);
    return code;
}
