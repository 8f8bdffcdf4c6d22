/* setup_load.c - the step that gives the profile to the kernel (see setup.h). Runs as root.
 *
 * By AppArmor's own parser, which must be root's like everything else that is
 * run here; it gets a clean environment, and no descriptor but its input.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/linux/root_owned.h"
#include "os/posix/write_all.h"
#include "setup/setup.h"

#define STEP "setup.load"

static const char *const names[] = {"cordon", "cordon-warden"};
#define NAMES (sizeof names / sizeof *names)

/* -- what the kernel has -------------------------------------------------- */

/* Bits of `names`; *known is false where the list cannot be read (not as root). */
static unsigned read_loaded(const struct setup *s, bool *known)
{
    char line[1024];
    unsigned found = 0;
    char *path = string_format("%s%s", s->places->root, s->places->loaded);
    FILE *file = path ? fopen(path, "re") : NULL;
    *known = file || (path && errno == ENOENT); /* no AppArmor: nothing is loaded */
    while (file && fgets(line, sizeof line, file))
        for (size_t i = 0; i < NAMES; i++) {
            size_t len = strlen(names[i]);
            if (strncmp(line, names[i], len) == 0 && strncmp(line + len, " (", 2) == 0)
                found |= 1u << i;
        }
    if (file)
        fclose(file);
    free(path);
    return found;
}

static unsigned wanted(const struct setup *s)
{
    unsigned bits = 0;
    for (size_t p = 0; p < s->program_count; p++)
        for (size_t i = 0; i < NAMES; i++)
            if (strcmp(s->programs[p].name, names[i]) == 0)
                bits |= 1u << i;
    return bits;
}

static cordon_status check(const struct setup *s, enum setup_state *out, struct cordon_error *err)
{
    bool known;
    unsigned loaded = read_loaded(s, &known), want = wanted(s);
    (void)err;
    /* Who may not read the list sees by the file whether it was set up. */
    *out = !known || (loaded & want) == want ? SETUP_DONE : SETUP_ABSENT;
    return CORDON_OK;
}

/* -- the parser ----------------------------------------------------------- */

/* Its path in the real system; *err says which is not as it should be. */
static cordon_status find_parser(const struct setup *s, const char **out, struct cordon_error *err)
{
    cordon_status status = CORDON_E_UNSUPPORTED;
    for (const char *const *parser = s->places->parsers; *parser; parser++) {
        int fd;
        status = root_owned_open(s->places->root, *parser, s->places->owner, false, &fd, err);
        if (status == CORDON_OK) {
            close(fd);
            *out = *parser;
            return CORDON_OK;
        }
        /* /sbin is a link where /usr is merged; what is there and wrong counts. */
        if (err->os_code != ENOENT)
            return status;
    }
    return error_set(err, CORDON_E_UNSUPPORTED, 0, STEP,
                     "there is no %s: install the package apparmor, then try again", s->places->parsers[0]);
}

static _Noreturn void exec_parser(const char *path, const char *word, const char *file, int input)
{
    static char variable[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", language[] = "LC_ALL=C";
    char *environment[] = {variable, language, NULL};
    char *argv[] = {(char *)path, (char *)word, (char *)file, NULL};
    if (dup2(input, STDIN_FILENO) == STDIN_FILENO && dup2(STDERR_FILENO, STDOUT_FILENO) == STDOUT_FILENO)
        execve(path, argv, environment);
    _exit(127);
}

/* `file`: NULL when the profile comes on the input. */
static cordon_status run_parser(const struct setup *s, const char *word, const char *file, int input,
                                struct cordon_error *err)
{
    const char *parser = NULL;
    int status = 0;
    cordon_status found = find_parser(s, &parser, err);
    if (found != CORDON_OK)
        return found;
    char *path = string_format("%s%s", s->places->root, parser);
    if (!path)
        return error_nomem(err, STEP);
    pid_t pid = fork();
    if (pid == 0)
        exec_parser(path, word, file, input);
    int code = errno;
    free(path);
    if (pid < 0)
        return error_set(err, CORDON_E_SYSTEM, code, STEP, "cannot start %s: %s", parser, strerror(code));
    pid_t ended;
    while ((ended = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
        continue;
    if (ended < 0)
        return error_set(err, CORDON_E_SYSTEM, errno, STEP, "cannot wait for %s: %s", parser,
                         strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return CORDON_OK;
    return error_set(err, CORDON_E_SYSTEM, 0, STEP, "%s %s failed (%s %d): what it said is above", parser,
                     word, WIFEXITED(status) ? "status" : "signal",
                     WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

/* Always, not only when it is missing: one of the same name may be an older one. */
static cordon_status apply(const struct setup *s, struct cordon_error *err)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char *file = string_format("%s%s/cordon", s->places->root, s->places->directory);
    cordon_status status =
        null >= 0 && file ? run_parser(s, "--replace", file, null, err)
                          : error_set(err, CORDON_E_SYSTEM, errno, STEP, "/dev/null: %s", strerror(errno));
    free(file);
    if (null >= 0)
        close(null);
    return status;
}

/* By name, so that it does not matter what became of the file. */
static cordon_status undo(const struct setup *s, struct cordon_error *err)
{
    enum setup_state file_state;
    bool known;
    unsigned loaded = read_loaded(s, &known);
    struct buf text = BUF_INIT;
    /* A file that is somebody else's has profiles that are somebody else's. */
    cordon_status status = setup_step_file.check(s, &file_state, err);
    if (status == CORDON_OK && !known)
        return error_set(err, CORDON_E_SYSTEM, 0, STEP, "cannot read %s: what is loaded is not known",
                         s->places->loaded);
    if (status != CORDON_OK || file_state == SETUP_FOREIGN || !loaded)
        return status;
    for (size_t i = 0; i < NAMES; i++)
        if (loaded & (1u << i))
            buf_add_format(&text, "profile %s {}\n", names[i]);
    int input = memfd_create("profile", MFD_CLOEXEC);
    if (buf_failed(&text) || input < 0 || write_all(input, text.data, text.len) != 0 ||
        lseek(input, 0, SEEK_SET) != 0)
        status = error_set(err, CORDON_E_SYSTEM, errno, STEP, "cannot name the profiles to remove: %s",
                           strerror(errno));
    else
        status = run_parser(s, "--remove", NULL, input, err);
    buf_release(&text);
    if (input >= 0)
        close(input);
    return status;
}

static void describe(const struct setup *s, struct buf *out)
{
    buf_add_format(out, "run %s --replace %s/cordon\n", s->places->parsers[0], s->places->directory);
}

const struct setup_step setup_step_load = {"load", check, apply, undo, describe};
