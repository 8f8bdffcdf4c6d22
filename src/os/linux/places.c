/* places.c - finds cordon's configuration and state (see state.h). Changes nothing.
 *
 * Called at the start of every command, as the user.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/path.h"
#include "os/linux/beneath.h"
#include "os/linux/state.h"

#define STEP "state.home"

void places_init(struct places *p)
{
    memset(p, 0, sizeof *p);
    p->workspace_fd = p->run_fd = -1;
}

void places_release(struct places *p)
{
    free(p->home);
    free(p->config_root);
    free(p->policy_file);
    free(p->state_root);
    free(p->workspace);
    free(p->cache_view);
    free(p->run_name);
    if (p->workspace_fd >= 0)
        close(p->workspace_fd);
    if (p->run_fd >= 0)
        close(p->run_fd);
    places_init(p);
}

/* An absolute directory that a variable names; the XDG specification says that
 * an empty or relative value counts as unset. */
static const char *find_directory(char *const *environment, const char *name)
{
    size_t len = strlen(name);
    for (char *const *e = environment; e && *e; e++)
        if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
            return (*e)[len + 1] == '/' ? *e + len + 1 : NULL;
    return NULL;
}

/* True when the path exists and no component is a symbolic link: cheaper than
 * realpath, and what is usual. */
static bool is_resolved(const char *path)
{
    int fd = beneath_open_absolute(path, O_PATH);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Resolves the links of what exists of a normalised path and keeps the rest as
 * written. NULL: out of memory. */
static char *resolve_existing(const char *path)
{
    size_t len = strlen(path);
    char *prefix = NULL, *real = NULL, *out = NULL;

    if (is_resolved(path))
        return string_copy(path);
    while (!real && len > 1) {
        free(prefix);
        prefix = string_copy_n(path, len);
        if (!prefix)
            return NULL;
        real = realpath(prefix, NULL);
        if (!real)
            len = path_parent_length(PATH_POSIX, prefix);
    }
    if (!real) /* only the root itself is there, and that is no link */
        out = string_copy(path);
    else if (strcmp(real, "/") == 0)
        out = string_copy(path[len] ? path + len : "/");
    else
        out = string_format("%s%s", real, path + len);
    free(prefix);
    free(real);
    return out;
}

/* HOME as the file system has it; NULL when it is not there (or no memory). */
static char *resolve_home(const char *home)
{
    struct buf normal = BUF_INIT;
    bool plain = path_normalize(PATH_POSIX, "/", home, &normal, NULL) == CORDON_OK && !buf_failed(&normal) &&
                 strcmp(normal.data, home) == 0 && is_resolved(home);
    buf_release(&normal);
    return plain ? string_copy(home) : realpath(home, NULL);
}

/* base, or home/fallback when base is NULL, plus "/cordon", normalised. */
static cordon_status join_root(const char *base, const char *home, const char *fallback, char **out,
                               struct cordon_error *err)
{
    struct buf path = BUF_INIT;
    char *joined = base ? string_format("%s/cordon", base) : string_format("%s/%s/cordon", home, fallback);
    cordon_status status;

    if (!joined)
        return error_nomem(err, STEP);
    status = path_normalize(PATH_POSIX, "/", joined, &path, err);
    if (status == CORDON_OK) {
        *out = buf_take(&path);
        if (!*out)
            status = error_nomem(err, STEP);
    }
    buf_release(&path);
    free(joined);
    return status;
}

cordon_status places_find(struct places *out, char *const *environment, struct cordon_error *err)
{
    struct places p;
    cordon_status status = CORDON_OK;
    char *state = NULL;
    const char *home = find_directory(environment, "HOME");
    const char *config = find_directory(environment, "XDG_CONFIG_HOME");
    const char *state_home = find_directory(environment, "XDG_STATE_HOME");

    places_init(&p);
    if (!home && !state_home)
        return error_set(err, CORDON_E_INVALID, 0, STEP,
                         "neither HOME nor XDG_STATE_HOME is set to an absolute path: set one of them");
    if (home) {
        p.home = resolve_home(home);
        if (!p.home && errno == ENOMEM) {
            status = error_nomem(err, STEP);
            goto out;
        }
    }
    /* From the resolved home: then the state root usually needs no resolving. */
    if (config || home)
        status = join_root(config, p.home ? p.home : home, ".config", &p.config_root, err);
    if (status != CORDON_OK)
        goto out;
    status = join_root(state_home, p.home ? p.home : home, ".local/state", &state, err);
    if (status != CORDON_OK)
        goto out;
    p.state_root = resolve_existing(state);
    if (p.config_root)
        p.policy_file = string_format("%s/policy.json", p.config_root);
    if (p.state_root)
        p.cache_view = string_format("%s/cache", p.state_root);
    if ((p.config_root && !p.policy_file) || !p.cache_view) {
        status = error_nomem(err, STEP);
        goto out;
    }
    *out = p;
    places_init(&p);
out:
    free(state);
    places_release(&p);
    return status;
}
