/* setup.c - the table of steps, and what is done with it (see setup.h). Runs as root. */
#include "setup/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "os/linux/root_owned.h"

static const char *const real_parsers[] = {"/usr/sbin/apparmor_parser", "/sbin/apparmor_parser", NULL};

const struct setup_places setup_places_real = {
    .root = "",
    .owner = 0,
    .directory = "/etc/apparmor.d",
    .abi = "/etc/apparmor.d/abi/4.0",
    .parsers = real_parsers,
    .loaded = "/sys/kernel/security/apparmor/profiles",
};

/* The file first: what is loaded without it would be gone after a boot. */
static const struct setup_step *const steps[] = {&setup_step_file, &setup_step_load};
#define STEPS (sizeof steps / sizeof *steps)

void setup_init(struct setup *s, const struct setup_places *places)
{
    memset(s, 0, sizeof *s);
    s->places = places;
    s->directory = -1;
    buf_init(&s->text);
}

void setup_release(struct setup *s)
{
    if (s->directory >= 0)
        close(s->directory);
    buf_release(&s->text);
    setup_init(s, s->places);
}

cordon_status setup_add_program(struct setup *s, const char *path, struct cordon_error *err)
{
    static const char *const known[SETUP_PROGRAMS_MAX] = {"cordon", "cordon-warden"};
    const char *base = strrchr(path, '/'), *name = NULL;
    int fd;
    for (size_t i = 0; base && i < SETUP_PROGRAMS_MAX; i++)
        if (strcmp(known[i], base + 1) == 0)
            name = known[i];
    if (!name)
        return error_set(err, CORDON_E_INVALID, 0, "setup.program",
                         "%s: a profile is made for programs named cordon or cordon-warden only", path);
    for (size_t i = 0; i < s->program_count; i++)
        if (strcmp(s->programs[i].name, name) == 0)
            return error_set(err, CORDON_E_INVALID, 0, "setup.program", "%s: %s was named already", path,
                             s->programs[i].path);
    cordon_status status = root_owned_open(s->places->root, path, s->places->owner, false, &fd, err);
    if (status != CORDON_OK)
        return status;
    close(fd);
    s->programs[s->program_count++] = (struct profile_program){name, path};
    return CORDON_OK;
}

/* -- the machine ---------------------------------------------------------- */

/* Opens the directory of profiles, which nobody else may write, and keeps other
 * cordon-setups out of it. */
static cordon_status open_directory(struct setup *s, struct cordon_error *err)
{
    const struct setup_places *p = s->places;
    int path_fd;
    cordon_status status = root_owned_open(p->root, p->directory, p->owner, true, &path_fd, err);
    if (status != CORDON_OK)
        return status;
    s->directory = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = errno;
    close(path_fd);
    if (s->directory < 0 || flock(s->directory, LOCK_EX) != 0)
        return error_set(err, CORDON_E_SYSTEM, s->directory < 0 ? code : errno, "setup.profile", "%s: %s",
                         p->directory, strerror(s->directory < 0 ? code : errno));
    return CORDON_OK;
}

static cordon_status check_abi(const struct setup *s, struct cordon_error *err)
{
    char *path = string_format("%s%s", s->places->root, s->places->abi);
    bool there = path && access(path, F_OK) == 0;
    free(path);
    return there ? CORDON_OK
                 : error_set(err, CORDON_E_UNSUPPORTED, 0, "setup.apparmor",
                             "there is no %s: this AppArmor has no rule for user namespaces and does not "
                             "restrict them; `cordon doctor` says what does",
                             s->places->abi);
}

/* -- the table ------------------------------------------------------------ */

static cordon_status make_text(struct setup *s, struct cordon_error *err)
{
    if (s->program_count == 0)
        return error_set(err, CORDON_E_INVALID, 0, "setup.program",
                         "no program named: want the path of cordon");
    return profile_text(s->programs, s->program_count, &s->text, err);
}

cordon_status setup_apply(struct setup *s, struct cordon_error *err)
{
    cordon_status status = make_text(s, err);
    if (status == CORDON_OK)
        status = check_abi(s, err);
    if (status == CORDON_OK)
        status = open_directory(s, err);
    for (size_t i = 0; i < STEPS && status == CORDON_OK; i++)
        status = steps[i]->apply(s, err);
    return status;
}

cordon_status setup_undo(struct setup *s, struct cordon_error *err)
{
    char *path = string_format("%s%s", s->places->root, s->places->directory);
    bool absent = path && access(path, F_OK) != 0 && errno == ENOENT;
    free(path);
    if (absent)
        return CORDON_OK;
    cordon_status status = open_directory(s, err);
    for (size_t i = STEPS; i > 0 && status == CORDON_OK; i--)
        status = steps[i - 1]->undo(s, err);
    return status;
}

cordon_status setup_look(struct setup *s, bool *in_place, struct cordon_error *err)
{
    bool all = true;
    cordon_status status = make_text(s, err);
    char *path = status == CORDON_OK ? string_format("%s%s", s->places->root, s->places->directory) : NULL;
    if (path)
        s->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(path);
    for (size_t i = 0; i < STEPS && status == CORDON_OK; i++) {
        enum setup_state state = SETUP_ABSENT;
        if (s->directory >= 0)
            status = steps[i]->check(s, &state, err);
        all = all && state == SETUP_DONE;
    }
    if (status == CORDON_OK)
        *in_place = all;
    return status;
}

cordon_status setup_describe(struct setup *s, struct buf *out, struct cordon_error *err)
{
    cordon_status status = make_text(s, err);
    for (size_t i = 0; i < STEPS && status == CORDON_OK; i++)
        steps[i]->describe(s, out);
    return status == CORDON_OK && buf_failed(out) ? error_nomem(err, "setup.profile") : status;
}
