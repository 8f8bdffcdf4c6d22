/* setup_file.c - the step that writes the profile (see setup.h). Runs as root.
 *
 * By descriptor in a directory that only root can write, under a temporary name
 * first: a reader finds the whole file or none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/posix/write_all.h"
#include "setup/setup.h"

#define STEP "setup.profile"
#define NAME "cordon"
#define NEW ".cordon.new" /* a leading dot: AppArmor loads none of those */
#define FILE_MAX_BYTES 65536

static cordon_status failed(const struct setup *s, const char *what, int code, struct cordon_error *err)
{
    return error_set(err, CORDON_E_SYSTEM, code, STEP, "cannot %s %s/" NAME ": %s", what,
                     s->places->directory, strerror(code));
}

static cordon_status read_file(const struct setup *s, bool *there, struct buf *text, struct cordon_error *err)
{
    char chunk[4096];
    struct stat st;
    ssize_t got = 0;
    *there = false;
    int fd = openat(s->directory, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return CORDON_OK;
    if (fd < 0 && errno != ELOOP)
        return failed(s, "open", errno, err);
    *there = true; /* a link, or something that is no file: not ours */
    while (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && text->len < FILE_MAX_BYTES &&
           (got = read(fd, chunk, sizeof chunk)) > 0)
        buf_add(text, chunk, (size_t)got);
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return failed(s, "read", code, err);
    return buf_failed(text) ? error_nomem(err, STEP) : CORDON_OK;
}

static cordon_status check(const struct setup *s, enum setup_state *out, struct cordon_error *err)
{
    struct buf text = BUF_INIT;
    bool there;
    cordon_status status = read_file(s, &there, &text, err);
    if (status == CORDON_OK && !there)
        *out = SETUP_ABSENT;
    else if (status == CORDON_OK && text.len == s->text.len && text.len &&
             memcmp(text.data, s->text.data, text.len) == 0)
        *out = SETUP_DONE;
    else if (status == CORDON_OK)
        *out = text.len && profile_is_ours(text.data, text.len) ? SETUP_OLD : SETUP_FOREIGN;
    buf_release(&text);
    return status;
}

static cordon_status foreign(const struct setup *s, const char *what, struct cordon_error *err)
{
    return error_set(err, CORDON_E_CONFLICT, 0, "setup.foreign",
                     "%s/" NAME
                     " was not written by cordon-setup, or was changed since: it is not %s; look at "
                     "it, move it away, and try again",
                     s->places->directory, what);
}

static cordon_status write_new(const struct setup *s, struct cordon_error *err)
{
    unlinkat(s->directory, NEW, 0); /* of one that was interrupted: the directory is locked */
    int fd = openat(s->directory, NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return failed(s, "write", errno, err);
    bool written = fchmod(fd, 0644) == 0 && write_all(fd, s->text.data, s->text.len) == 0 && fsync(fd) == 0;
    int code = errno;
    if (close(fd) != 0 && written) {
        written = false;
        code = errno;
    }
    if (written && renameat(s->directory, NEW, s->directory, NAME) == 0 && fsync(s->directory) == 0)
        return CORDON_OK;
    if (written)
        code = errno;
    unlinkat(s->directory, NEW, 0);
    return failed(s, "write", code, err);
}

static cordon_status apply(const struct setup *s, struct cordon_error *err)
{
    enum setup_state state;
    cordon_status status = check(s, &state, err);
    if (status != CORDON_OK || state == SETUP_DONE)
        return status;
    return state == SETUP_FOREIGN ? foreign(s, "replaced", err) : write_new(s, err);
}

static cordon_status undo(const struct setup *s, struct cordon_error *err)
{
    enum setup_state state;
    cordon_status status = check(s, &state, err);
    if (status != CORDON_OK)
        return status;
    if (state == SETUP_FOREIGN)
        return foreign(s, "removed", err);
    unlinkat(s->directory, NEW, 0);
    if (state != SETUP_ABSENT && unlinkat(s->directory, NAME, 0) != 0)
        return failed(s, "remove", errno, err);
    return CORDON_OK;
}

static void describe(const struct setup *s, struct buf *out)
{
    buf_add_format(out, "write %s/" NAME " (mode 0644):\n\n", s->places->directory);
    for (const char *line = s->text.data; *line;) {
        size_t len = strcspn(line, "\n") + 1;
        buf_add_format(out, len > 1 ? "    %.*s" : "%.*s", (int)len, line);
        line += len;
    }
    buf_add_char(out, '\n');
}

const struct setup_step setup_step_file = {"file", check, apply, undo, describe};
