/* policy_file.c - see policy_file.h. Runs as the user, outside. */
#include "os/linux/policy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"
#include "os/linux/state.h"

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

/* The user's own file, if there is one; else NULL. */
static cordon_status find_own(char *const *environment, char **path, struct cordon_error *err)
{
    struct places places;
    places_init(&places);
    cordon_status status = places_find(&places, environment, err);
    *path = NULL;
    if (status == CORDON_OK && places.policy_file &&
        (access(places.policy_file, F_OK) == 0 || errno != ENOENT)) {
        *path = string_copy(places.policy_file);
        if (!*path)
            status = error_nomem(err, "policy.read");
    }
    places_release(&places);
    return status;
}

cordon_status policy_file_load(const char *given, char *const *environment, struct policy *layer, char **path,
                               struct cordon_error *err)
{
    struct buf text = BUF_INIT;
    char *file = NULL;
    cordon_status status = CORDON_OK;
    if (!given)
        status = find_own(environment, &file, err);
    else if (!(file = string_copy(given)))
        status = error_nomem(err, "policy.read");
    if (status == CORDON_OK && file)
        status = read_policy(file, &text, err);
    if (status == CORDON_OK && file)
        status = policy_parse(layer, text.data ? text.data : "", text.len, file, err);
    if (status == CORDON_OK) {
        *path = file;
        file = NULL;
    }
    free(file);
    buf_release(&text);
    return status;
}

cordon_status policy_in_effect(struct policy *out, const struct policy *file, const struct policy *options,
                               struct cordon_error *err)
{
    cordon_status status = policy_merge(out, file, options, err);
    if (status == CORDON_OK && out->net == NET_FILTERED)
        status =
            error_set(err, CORDON_E_UNSUPPORTED, 0, "cli.reserved",
                      "network mode filtered (%s) is not in this version; use off or on", out->net_origin);
    if (status == CORDON_OK && out->lists[LIST_COW].count)
        status =
            error_set(err, CORDON_E_UNSUPPORTED, 0, "cli.reserved",
                      "cow (%s) is not in this version; remove it", out->lists[LIST_COW].items[0].origin);
    return status;
}
