/* cache_env.c - private caches by the tools' own variables: builds work and
 * cannot poison the real caches. Pure; used by every planner.
 */
#include "plan/cache_env.h"

#include <stdlib.h>

#include "core/buf.h"

static const struct {
    const char *variable, *subdirectory;
} caches[] = {
    {"XDG_CACHE_HOME", "xdg"},         {"GOCACHE", "go-build"},        {"npm_config_cache", "npm"},
    {"YARN_CACHE_FOLDER", "yarn"},     {"PIP_CACHE_DIR", "pip"},       {"UV_CACHE_DIR", "uv"},
    {"CCACHE_DIR", "ccache"},          {"SCCACHE_DIR", "sccache"},     {"DENO_DIR", "deno"},
    {"BUN_INSTALL_CACHE_DIR", "bun"},  {"GRADLE_USER_HOME", "gradle"}, {"MPLCONFIGDIR", "matplotlib"},
    {"PRE_COMMIT_HOME", "pre-commit"}, {"TEXMFVAR", "texmf"},
};

void cache_env_free(char **list)
{
    for (char **item = list; item && *item; item++)
        free(*item);
    free(list);
}

cordon_status cache_env_make(const char *cache_directory, const char *tmp, char ***out,
                             struct cordon_error *err)
{
    const size_t count = sizeof caches / sizeof *caches;
    char **list = calloc(count + 2, sizeof *list);
    if (!list)
        return error_nomem(err, "env.build");
    for (size_t i = 0; i < count; i++) {
        list[i] = string_format("%s=%s/%s", caches[i].variable, cache_directory, caches[i].subdirectory);
        if (!list[i])
            goto nomem;
    }
    if (tmp) {
        list[count] = string_format("TMPDIR=%s", tmp);
        if (!list[count])
            goto nomem;
    }
    *out = list;
    return CORDON_OK;
nomem:
    cache_env_free(list);
    return error_nomem(err, "env.build");
}
