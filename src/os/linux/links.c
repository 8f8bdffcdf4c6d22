/* links.c - see links.h. Runs as the user, outside. */
#include "os/linux/links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "os/linux/sys.h"

#define MAX_LINKS 40 /* as the kernel's own walk */

/* Puts `target` in front of what is left; both are copied. */
static char *prepend(const char *target, const char *rest)
{
    return string_format("%s/%s", target, rest);
}

cordon_status links_walk(const char *path, links_visit *visit, void *context, char **resolved_path,
                         struct cordon_error *err)
{
    char done[2 * LIMIT_PATH_BYTES + 2] = "/", target[LIMIT_PATH_BYTES + 1];
    char *left = string_copy(path), *next = left;
    cordon_status status = CORDON_OK;
    int links = 0;
    if (!left)
        return error_nomem(err, "resolve.link");
    while (*(next += strspn(next, "/"))) {
        size_t len = strcspn(next, "/"), before = strlen(done);
        if (len == 1 && next[0] == '.') {
            next++;
            continue;
        }
        if (len == 2 && next[0] == '.' && next[1] == '.') {
            done[path_parent_length(PATH_POSIX, done)] =
                '\0'; /* `done` holds no link, so this is its real parent */
            next += 2;
            continue;
        }
        if (before + len + 2 > LIMIT_PATH_BYTES)
            break; /* the kernel will not walk it either */
        if (before > 1)
            done[before++] = '/';
        memcpy(done + before, next, len);
        done[before + len] = '\0';
        next += len;
        ssize_t got = readlink(done, target, sizeof target - 1);
        if (got < 0) {
            if (errno == EINVAL)
                continue; /* no link */
            break;        /* nothing there, or nothing to see: whoever opens it will say so */
        }
        target[got] = '\0';
        status = visit(context, done, target, err);
        if (status != CORDON_OK)
            break;
        if (++links > MAX_LINKS)
            break;
        char *longer = prepend(target, next);
        if (!longer) {
            status = error_nomem(err, "resolve.link");
            break;
        }
        free(left);
        left = next = longer;
        if (target[0] == '/')
            done[1] = '\0';
        else
            done[path_parent_length(PATH_POSIX, done)] = '\0';
    }
    if (status == CORDON_OK && resolved_path) {
        *resolved_path = *next ? string_format("%s/%s", done, next) : string_copy(done);
        if (!*resolved_path)
            status = error_nomem(err, "resolve.link");
    }
    free(left);
    return status;
}

struct check {
    const struct resolved *resolved;
    const struct places *places;
    const char *path, *what, *origin;
};

static bool is_suspect(const struct resolved *resolved, const struct places *places, const char *link)
{
    char above[LIMIT_PATH_BYTES + 1];
    size_t len = strlen(link);
    if (decide(resolved, link, OP_REMOVE).allowed ||
        path_is_below(resolved->rules, resolved->workspace, link))
        return true;
    memcpy(above, link, len + 1);
    while ((len = path_parent_length(PATH_POSIX, above)) > 1) {
        above[len] = '\0';
        if (state_knows(places, above))
            return true;
    }
    return false;
}

static cordon_status check_one(void *context, const char *link, const char *target, struct cordon_error *err)
{
    const struct check *c = context;
    if (!is_suspect(c->resolved, c->places, link))
        return CORDON_OK;
    return error_set(err, CORDON_E_INVALID, 0, "resolve.link",
                     "%s %s (%s) goes through the link %s -> %s, which the command could have made; name the "
                     "target itself",
                     c->what, c->path, c->origin, link, target);
}

cordon_status links_check(const struct resolved *resolved, const struct places *places, const char *path,
                          const char *what, const char *origin, char **resolved_path,
                          struct cordon_error *err)
{
    struct check check = {resolved, places, path, what, origin};
    return links_walk(path, check_one, &check, resolved_path, err);
}
