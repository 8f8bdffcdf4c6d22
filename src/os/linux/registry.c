/* registry.c - see registry.h. Called by placeholder.c, as the user. */
#include "os/linux/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/utf.h"
#include "os/linux/beneath.h"
#include "os/posix/write_all.h"

#define STEP "linux.placeholder"
#define MAX_BYTES (64u << 20)

void registry_init(struct registry *r)
{
    memset(r, 0, sizeof *r);
    r->dir = r->fd = -1;
}

void registry_release(struct registry *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->items[i].path);
    free(r->items);
    if (r->fd >= 0)
        close(r->fd);
    registry_init(r);
}

static cordon_status registry_failed(struct cordon_error *err, int code, const char *what)
{
    return error_set(err, CORDON_E_SYSTEM, code, STEP, "cannot %s the registry of placeholders: %s%s", what,
                     strerror(code), code == ENOSPC || code == EDQUOT ? "; free some space" : "");
}

/* ---- text ---- */

/* utf_escape keeps newlines, which end a record here: they become `\n`, which
 * utf_escape never writes. */
static void add_path(struct buf *out, const char *path)
{
    for (const char *c = path; *c;) {
        size_t len = strcspn(c, "\n");
        utf_escape(out, c, len);
        c += len;
        if (*c == '\n') {
            buf_add_string(out, "\\n");
            c++;
        }
    }
}

static bool read_path(struct buf *out, const char *text, size_t len)
{
    struct buf escaped = BUF_INIT;
    bool right;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\\' || i + 1 == len)
            buf_add_char(&escaped, text[i]);
        else if (text[i + 1] == 'n') {
            buf_add_char(&escaped, '\n');
            i++;
        } else {
            buf_add(&escaped, text + i, 2);
            i++;
        }
    }
    right = !buf_failed(&escaped) && escaped.len > 0 && utf_unescape(out, escaped.data, escaped.len) &&
            !buf_failed(out) && out->len > 1 && out->data[0] == '/' && strlen(out->data) == out->len;
    buf_release(&escaped);
    return right;
}

static void add_line(struct buf *out, const struct registry_record *record)
{
    if (record->made)
        buf_add_format(out, "made %" PRIu64 " %" PRIu64 " ", record->dev, record->ino);
    else
        buf_add_string(out, "pending ");
    add_path(out, record->path);
    buf_add_char(out, '\n');
}

static const char *skip_word(const char *at, const char *end, const char *word)
{
    size_t len = strlen(word);
    return (size_t)(end - at) >= len && memcmp(at, word, len) == 0 ? at + len : NULL;
}

/* A decimal number and the space after it; NULL: something else. */
static const char *skip_number(const char *at, const char *end, uint64_t *out)
{
    uint64_t value = 0;
    const char *start = at;
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return NULL;
        value = 10 * value + digit;
    }
    if (at == start || at == end || *at != ' ')
        return NULL;
    *out = value;
    return at + 1;
}

/* False: damaged. */
static bool read_line(const char *at, const char *end, struct buf *path, struct registry_record *out)
{
    const char *rest = skip_word(at, end, "pending ");
    memset(out, 0, sizeof *out);
    if (!rest) {
        rest = skip_word(at, end, "made ");
        out->made = true;
        if (rest)
            rest = skip_number(rest, end, &out->dev);
        if (rest)
            rest = skip_number(rest, end, &out->ino);
    }
    return rest && read_path(path, rest, (size_t)(end - rest));
}

/* ---- records in memory ---- */

struct registry_record *registry_find(struct registry *r, const char *path)
{
    for (size_t i = 0; i < r->count; i++)
        if (!r->items[i].dropped && strcmp(r->items[i].path, path) == 0)
            return &r->items[i];
    return NULL;
}

/* Room first, so that what is in the file is always in memory too. */
static bool reserve(struct registry *r, size_t more)
{
    if (r->cap - r->count >= more)
        return true;
    size_t cap = 2 * r->cap + more;
    struct registry_record *items = realloc(r->items, cap * sizeof *items);
    if (!items)
        return false;
    r->items = items;
    r->cap = cap;
    return true;
}

static void put(struct registry *r, const struct registry_record *record, char *path)
{
    struct registry_record *known = registry_find(r, path);
    if (!known)
        known = &r->items[r->count++];
    else
        free(known->path);
    *known = *record;
    known->path = path;
    known->dropped = false;
}

static bool parse(struct registry *r, const char *text, size_t len)
{
    const char *end = text + len;
    r->torn = len > 0 && end[-1] != '\n';
    for (const char *at = text; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct registry_record record;
        struct buf path = BUF_INIT;
        if (newline && read_line(at, newline, &path, &record)) {
            char *copy = buf_take(&path);
            if (!copy || !reserve(r, 1)) {
                free(copy);
                return false;
            }
            put(r, &record, copy);
        } else {
            r->damaged = true;
        }
        buf_release(&path);
        at = newline ? newline + 1 : end;
    }
    return true;
}

/* ---- the file ---- */

static cordon_status read_all(struct registry *r, int fd, struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    struct buf text = BUF_INIT;
    char chunk[4096];
    ssize_t got;
    while ((got = read(fd, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            status = registry_failed(err, errno, "read");
            goto out;
        }
        buf_add(&text, chunk, (size_t)got);
        if (text.len > MAX_BYTES) {
            status = error_set(err, CORDON_E_LIMIT, 0, STEP,
                               "the registry of placeholders holds more than %u bytes: remove the file `%s` "
                               "in the workspace's state directory",
                               MAX_BYTES, REGISTRY_NAME);
            goto out;
        }
    }
    r->bytes = text.len;
    if (buf_failed(&text) || (text.len > 0 && !parse(r, text.data, text.len)))
        status = error_nomem(err, STEP);
out:
    buf_release(&text);
    return status;
}

/* Waits by trying: a stopped process that holds the lock must not hang a start. */
static int lock_within(int fd, unsigned wait_ms)
{
    const struct timespec pause = {0, 1000000};
    for (unsigned waited = 0;; waited++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if ((errno != EWOULDBLOCK && errno != EINTR) || waited >= wait_ms)
            return -1;
        nanosleep(&pause, NULL);
    }
}

/* Opens and locks the file that has the name now; a rewriting replaces it. */
static cordon_status open_locked(int dir, bool create, unsigned wait_ms, int *out, struct cordon_error *err)
{
    struct stat here, there;
    for (;;) {
        int fd = openat(dir, REGISTRY_NAME,
                        O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
        if (fd < 0 && errno == ENOENT && !create) {
            *out = -1;
            return CORDON_OK;
        }
        if (fd < 0)
            return registry_failed(err, errno, "open");
        if (!create && fstat(fd, &here) == 0 && here.st_size == 0) {
            close(fd);
            *out = -1;
            return CORDON_OK;
        }
        if (lock_within(fd, wait_ms) != 0) {
            int code = errno;
            close(fd);
            if (code == EWOULDBLOCK)
                return error_set(err, CORDON_E_CONFLICT, code, STEP,
                                 "another cordon keeps the registry of placeholders locked: is one stopped?");
            return registry_failed(err, code, "lock");
        }
        if (fstat(fd, &here) == 0 && fstatat(dir, REGISTRY_NAME, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
            here.st_ino == there.st_ino) {
            *out = fd;
            return CORDON_OK;
        }
        close(fd);
    }
}

cordon_status registry_open(struct registry *r, int dir, enum registry_mode mode, unsigned wait_ms,
                            struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    struct registry fresh;
    registry_init(&fresh);
    fresh.dir = dir;
    if (mode == REGISTRY_LOOK) {
        int fd = beneath_open(dir, REGISTRY_NAME, O_RDONLY | O_NOFOLLOW);
        if (fd < 0 && errno != ENOENT)
            return registry_failed(err, errno, "open");
        if (fd >= 0) {
            status = read_all(&fresh, fd, err);
            close(fd);
        }
    } else {
        status = open_locked(dir, mode == REGISTRY_CREATE, wait_ms, &fresh.fd, err);
        if (status == CORDON_OK && fresh.fd >= 0)
            status = read_all(&fresh, fresh.fd, err);
    }
    if (status == CORDON_OK)
        *r = fresh;
    else
        registry_release(&fresh);
    return status;
}

cordon_status registry_record(struct registry *r, const struct registry_record *records, size_t count,
                              struct cordon_error *err)
{
    cordon_status status = CORDON_OK;
    struct buf text = BUF_INIT;
    char **paths = calloc(count ? count : 1, sizeof *paths);

    if (r->torn)
        buf_add_char(&text, '\n');
    for (size_t i = 0; i < count; i++) {
        add_line(&text, &records[i]);
        if (paths)
            paths[i] = string_copy(records[i].path);
    }
    if (!paths || buf_failed(&text) || !reserve(r, count))
        status = error_nomem(err, STEP);
    for (size_t i = 0; status == CORDON_OK && i < count; i++)
        if (!paths[i])
            status = error_nomem(err, STEP);
    if (status == CORDON_OK && count > 0) {
        if (write_all(r->fd, text.data, text.len) != 0) {
            status = registry_failed(err, errno, "write");
            (void)!ftruncate(r->fd, (off_t)r->bytes); /* half a line would hide the next one */
        } else {
            r->bytes += text.len;
            r->torn = false;
            for (size_t i = 0; i < count; i++) {
                put(r, &records[i], paths[i]);
                paths[i] = NULL;
            }
        }
    }
    for (size_t i = 0; paths && i < count; i++)
        free(paths[i]);
    free(paths);
    buf_release(&text);
    return status;
}

void registry_save(struct registry *r)
{
    struct buf text = BUF_INIT;
    char temp[64];
    size_t kept = 0, dropped = 0;
    int fd = -1;

    if (r->fd < 0)
        return;
    for (size_t i = 0; i < r->count; i++) {
        if (r->items[i].dropped) {
            dropped++;
            continue;
        }
        kept++;
        add_line(&text, &r->items[i]);
    }
    if (kept == 0 && r->bytes > 0) {
        if (ftruncate(r->fd, 0) == 0)
            r->bytes = 0;
    } else if (dropped > 0 || r->damaged) {
        /* By rename: a crash in between must not lose what is kept. */
        beneath_random_name(temp, sizeof temp, ".new-");
        fd = openat(r->dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0) {
            bool right = !buf_failed(&text) && write_all(fd, text.data, text.len) == 0;
            right = close(fd) == 0 && right;
            if (!right || renameat(r->dir, temp, r->dir, REGISTRY_NAME) != 0)
                unlinkat(r->dir, temp, 0);
        }
    }
    buf_release(&text);
}
