/* prepare.c - from options to a prepared box: read the policy file, merge, resolve, plan. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "core/limits.h"
#include "os/posix/write_all.h"

extern char **environ;

void prepared_init(struct prepared *p)
{
    policy_init(&p->policy);
    p->policy_file = NULL;
    box_init(&p->box);
}

void prepared_release(struct prepared *p)
{
    box_release(&p->box);
    policy_release(&p->policy);
    free(p->policy_file);
    prepared_init(p);
}

static cordon_status read_failed(const char *path, const char *why, int code, struct cordon_error *err)
{
    return error_set(err, CORDON_E_INVALID, code, "policy.read", "policy file %s: %s", path, why);
}

/* A regular file, capped. */
static cordon_status read_policy(const char *path, struct buf *text, struct cordon_error *err)
{
    struct stat st;
    char chunk[8192];
    cordon_status status = CORDON_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return read_failed(path, strerror(errno), errno, err);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        status = read_failed(path, "not a regular file", 0, err);
        goto out;
    }
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0) {
            status = read_failed(path, strerror(errno), errno, err);
            goto out;
        }
        if (got == 0)
            break;
        buf_add(text, chunk, (size_t)got);
        if (text->len > LIMIT_POLICY_BYTES) {
            status = error_set(err, CORDON_E_LIMIT, 0, "policy.read", "policy file %s: larger than %u bytes",
                               path, LIMIT_POLICY_BYTES);
            goto out;
        }
    }
    if (buf_failed(text))
        status = error_nomem(err, "policy.read");
out:
    close(fd);
    return status;
}

/* --policy FILE must be there; the user's own config may be absent. */
static cordon_status load_file(struct prepared *p, const struct options *options, struct policy *layer,
                               bool *loaded, struct cordon_error *err)
{
    struct places places;
    struct buf text = BUF_INIT;
    cordon_status status = CORDON_OK;
    places_init(&places);
    *loaded = false;
    if (options->policy_file) {
        p->policy_file = string_copy(options->policy_file);
    } else {
        status = places_find(&places, environ, err);
        if (status != CORDON_OK)
            goto out;
        if (!places.policy_file || (access(places.policy_file, F_OK) != 0 && errno == ENOENT))
            goto out;
        p->policy_file = string_copy(places.policy_file);
    }
    if (!p->policy_file) {
        status = error_nomem(err, "policy.read");
        goto out;
    }
    status = read_policy(p->policy_file, &text, err);
    if (status == CORDON_OK)
        status = policy_parse(layer, text.data ? text.data : "", text.len, p->policy_file, err);
    *loaded = status == CORDON_OK;
out:
    buf_release(&text);
    places_release(&places);
    return status;
}

cordon_status prepare_policy(struct prepared *p, const struct options *options, struct cordon_error *err)
{
    struct policy layer;
    bool loaded = false;
    policy_init(&layer);
    cordon_status status = load_file(p, options, &layer, &loaded, err);
    if (status == CORDON_OK)
        status = policy_merge(&p->policy, loaded ? &layer : NULL, &options->policy, err);
    policy_release(&layer);
    if (status == CORDON_OK && p->policy.net == NET_FILTERED)
        status = error_set(err, CORDON_E_UNSUPPORTED, 0, "cli.reserved",
                           "network mode filtered (%s) is not in this version; use off or on",
                           p->policy.net_origin);
    if (status == CORDON_OK && p->policy.lists[LIST_UNIX_SOCKETS].count)
        status = error_set(err, CORDON_E_UNSUPPORTED, 0, "cli.reserved",
                           "unix_sockets (%s) is not in this version; remove it",
                           p->policy.lists[LIST_UNIX_SOCKETS].items[0].origin);
    if (status == CORDON_OK && p->policy.lists[LIST_COW].count)
        status = error_set(err, CORDON_E_UNSUPPORTED, 0, "cli.reserved",
                           "cow (%s) is not in this version; remove it",
                           p->policy.lists[LIST_COW].items[0].origin);
    return status;
}

cordon_status prepare_box(struct prepared *p, const struct options *options, bool effects,
                          struct cordon_error *err)
{
    struct box_request request = {.policy = &p->policy,
                                  .workspace = options->workspace,
                                  .program = options->argv ? options->argv[0] : NULL,
                                  .policy_file = p->policy_file,
                                  .environment = environ,
                                  .allow_degraded = options->allow_degraded.items,
                                  .require = options->require.items,
                                  .effects = effects};
    /* Another sandbox on the workspace may end between our look and our act. */
    for (int tries = 0;; tries++) {
        cordon_status status = box_prepare(&p->box, &request, err);
        if (status != CORDON_E_CONFLICT || !effects || tries == 3)
            return status;
        box_release(&p->box);
    }
}

void say(const struct options *options, const char *format, ...)
{
    va_list args;
    if (options->quiet)
        return;
    fputs("cordon: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void say_error(const struct options *options, const struct cordon_error *err)
{
    struct buf text = BUF_INIT;
    struct cordon_error ignored;
    if (options->json_errors && error_to_json(err, &text, &ignored) == CORDON_OK && !buf_failed(&text))
        fwrite(text.data, 1, text.len, stderr);
    else
        fprintf(stderr, "cordon: %s\n", err->message);
    buf_release(&text);
}

void say_status_failed(const struct options *options, const struct cordon_error *err)
{
    struct buf line = BUF_INIT;
    struct cordon_error ignored;
    if (options->status_fd >= 0 && status_failed(err, &line, &ignored) == CORDON_OK && !buf_failed(&line))
        write_all(options->status_fd, line.data, line.len);
    buf_release(&line);
}
