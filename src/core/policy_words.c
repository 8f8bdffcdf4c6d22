/* policy_words.c - the policy's words: enum names, --limit and --env arguments, facets. Pure. */
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/policy.h"

static const char *const profile_names[] = {"read-only", "workspace", "open"};
static const char *const tmp_names[] = {"fresh", "workspace", "shared"};
static const char *const net_names[] = {"off", "filtered", "on"};
static const char *const limit_names[] = {"wall", "memory", "processes", "cpu", "file"};
static const char *const limit_keys[] = {"wall_seconds", "memory_bytes", "processes", "cpu_seconds",
                                         "file_bytes"};
static const char *const list_keys[] = {
    "filesystem.write",     "filesystem.protect", "filesystem.unprotect", "filesystem.deny_read",
    "filesystem.read",      "filesystem.cow",     "network.allow",        "network.deny",
    "network.unix_sockets", "environment.keep",   "environment.remove",   "environment.set",
};

/* product.md par. 5. */
static const char *const facet_names[] = {
    "write",
    "protect",
    "deny-read",
    "tmp",
    "tmp-view",
    "environment",
    "network",
    "inner-loopback",
    "unix-sockets",
    "unix-dgram",
    "ipc",
    "outside-processes",
    "terminal",
    "devices",
    "kernel-surface",
    "privileges",
    "tree-kill",
    "limit-wall",
    "limit-memory",
    "limit-processes",
    "limit-cpu",
    "limit-file",
    "profile-reads",
    "dns-service",
    "delete",
    "ui",
    "brokers",
    NULL,
};

const char *policy_profile_name(enum policy_profile v)
{
    return profile_names[v];
}

const char *policy_tmp_name(enum policy_tmp v)
{
    return tmp_names[v];
}

const char *policy_net_name(enum policy_net v)
{
    return net_names[v];
}

const char *policy_limit_name(enum policy_limit v)
{
    return limit_names[v];
}

const char *policy_limit_key(enum policy_limit v)
{
    return limit_keys[v];
}

uint64_t policy_limit_max(enum policy_limit v)
{
    static const uint64_t most[] = {LIMIT_MAX_SECONDS, LIMIT_MAX_BYTES, LIMIT_MAX_PROCESSES,
                                    LIMIT_MAX_SECONDS, LIMIT_MAX_BYTES};
    return most[v];
}

const char *policy_list_key(enum policy_list_id v)
{
    return list_keys[v];
}

static bool find_word(const char *const *names, size_t count, const char *s, size_t *out)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], s) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool policy_profile_parse(const char *s, enum policy_profile *out)
{
    size_t at;
    if (!find_word(profile_names, 3, s, &at))
        return false;
    *out = (enum policy_profile)at;
    return true;
}

bool policy_tmp_parse(const char *s, enum policy_tmp *out)
{
    size_t at;
    if (!find_word(tmp_names, 3, s, &at))
        return false;
    *out = (enum policy_tmp)at;
    return true;
}

bool policy_net_parse(const char *s, enum policy_net *out)
{
    size_t at;
    if (!find_word(net_names, 3, s, &at))
        return false;
    *out = (enum policy_net)at;
    return true;
}

bool policy_is_facet(const char *name)
{
    for (size_t i = 0; facet_names[i]; i++)
        if (strcmp(facet_names[i], name) == 0)
            return true;
    return false;
}

const char *const *policy_facets(void)
{
    return facet_names;
}

/* -- --limit -------------------------------------------------------------- */

/* What one unit letter multiplies by, for durations and for sizes. */
static bool unit_factor(enum policy_limit limit, const char *unit, uint64_t *factor)
{
    static const struct {
        char letter;
        uint64_t factor;
    } durations[] = {{'s', 1}, {'m', 60}, {'h', 3600}},
      sizes[] = {{'K', 1ull << 10}, {'M', 1ull << 20}, {'G', 1ull << 30}, {'T', 1ull << 40}};
    *factor = 1;
    if (!*unit)
        return true;
    if (unit[1])
        return false;
    if (limit == LIMIT_WALL_SECONDS || limit == LIMIT_CPU_SECONDS) {
        for (size_t i = 0; i < 3; i++)
            if (durations[i].letter == *unit)
                *factor = durations[i].factor;
        return *factor > 1 || *unit == 's';
    }
    if (limit == LIMIT_MEMORY_BYTES || limit == LIMIT_FILE_BYTES)
        for (size_t i = 0; i < 4; i++)
            if (sizes[i].letter == *unit)
                *factor = sizes[i].factor;
    return *factor > 1;
}

static bool parse_amount(enum policy_limit limit, const char *text, uint64_t *out)
{
    uint64_t value = 0, factor, most = policy_limit_max(limit);
    const char *c = text;
    for (; *c >= '0' && *c <= '9'; c++) {
        if (value > most)
            return false;
        value = 10 * value + (uint64_t)(*c - '0');
    }
    if (c == text || !unit_factor(limit, c, &factor) || value == 0 || value > most / factor)
        return false;
    *out = value * factor;
    return true;
}

static const struct {
    const char *allowed, *plain; /* for messages */
} units[] = {
    {", alone or with s, m or h", " seconds"}, {", alone or with K, M, G or T", " bytes"}, {"", ""},
    {", alone or with s, m or h", " seconds"}, {", alone or with K, M, G or T", " bytes"},
};

/* "wall=10m" into values[LIMIT_WALL_SECONDS]; 0 there: not given yet. */
static cordon_status parse_limit(uint64_t values[LIMIT_COUNT_], char *part, const char *origin,
                                 struct cordon_error *err)
{
    size_t at;
    char *equals = strchr(part, '=');
    if (equals)
        *equals = '\0';
    if (!equals || !find_word(limit_names, LIMIT_COUNT_, part, &at))
        return error_set(err, CORDON_E_INVALID, 0, "policy.limit",
                         "%s: `%.100s` is no limit; want wall=, memory=, processes=, cpu= or file=, as in "
                         "wall=10m,memory=2G",
                         origin, part);
    if (values[at])
        return error_set(err, CORDON_E_INVALID, 0, "policy.limit", "%s: %s= is given twice; want it once",
                         origin, part);
    if (!parse_amount((enum policy_limit)at, equals + 1, &values[at]))
        return error_set(err, CORDON_E_INVALID, 0, "policy.limit",
                         "%s: %s=%.100s: want a whole number from 1%s, at most %llu%s", origin, part,
                         equals + 1, units[at].allowed,
                         (unsigned long long)policy_limit_max((enum policy_limit)at), units[at].plain);
    return CORDON_OK;
}

cordon_status policy_parse_limits(struct policy *layer, const char *text, const char *origin,
                                  struct cordon_error *err)
{
    uint64_t values[LIMIT_COUNT_] = {0};
    char *origins[LIMIT_COUNT_] = {NULL};
    char *copy = string_copy(text), *part = copy;
    cordon_status status = copy ? CORDON_OK : error_nomem(err, "policy.limit");
    while (part && status == CORDON_OK) {
        char *comma = strchr(part, ',');
        if (comma)
            *comma = '\0';
        status = parse_limit(values, part, origin, err);
        part = comma ? comma + 1 : NULL;
    }
    for (size_t i = 0; i < LIMIT_COUNT_ && status == CORDON_OK; i++)
        if (values[i] && !(origins[i] = string_copy(origin)))
            status = error_nomem(err, "policy.limit");
    for (size_t i = 0; i < LIMIT_COUNT_ && status == CORDON_OK; i++) {
        if (!origins[i])
            continue;
        free(layer->limits[i].origin);
        layer->limits[i] = (struct policy_number){values[i], origins[i]};
        origins[i] = NULL;
    }
    for (size_t i = 0; i < LIMIT_COUNT_; i++)
        free(origins[i]);
    free(copy);
    return status;
}

cordon_status policy_parse_env(struct policy *layer, const char *text, const char *origin,
                               struct cordon_error *err)
{
    enum policy_list_id list = strchr(text, '=') ? LIST_ENV_SET : LIST_ENV_KEEP;
    cordon_status status = policy_check_entry(list, text, "policy.env", origin, err);
    return status == CORDON_OK ? policy_add(layer, list, text, origin, BASE_CWD, err) : status;
}
