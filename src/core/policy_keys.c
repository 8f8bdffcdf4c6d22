/* policy_keys.c - which keys a policy file has, and what a wrong one was
 * probably meant to be. Pure. The parser goes by this table, and the schema
 * test walks it: a key cannot be in one and not in the other.
 */
#include "core/policy_keys.h"

#include <string.h>

#include "core/nearest.h"
#include "core/policy.h"

static const struct policy_key keys[] = {
    {"version", KEY_VERSION, 0},
    {"profile", KEY_PROFILE, 0},
    {"filesystem.write", KEY_LIST, LIST_WRITE},
    {"filesystem.protect", KEY_LIST, LIST_PROTECT},
    {"filesystem.unprotect", KEY_LIST, LIST_UNPROTECT},
    {"filesystem.deny_read", KEY_LIST, LIST_DENY_READ},
    {"filesystem.read", KEY_LIST, LIST_READ},
    {"filesystem.cow", KEY_LIST, LIST_COW},
    {"filesystem.tmp", KEY_TMP, 0},
    {"network.mode", KEY_NET, 0},
    {"network.allow", KEY_LIST, LIST_NET_ALLOW},
    {"network.deny", KEY_LIST, LIST_NET_DENY},
    {"network.unix_sockets", KEY_LIST, LIST_UNIX_SOCKETS},
    {"environment.inherit", KEY_INHERIT, 0},
    {"environment.keep", KEY_LIST, LIST_ENV_KEEP},
    {"environment.remove", KEY_LIST, LIST_ENV_REMOVE},
    {"environment.set", KEY_ENV_SET, LIST_ENV_SET},
    {"limits.wall_seconds", KEY_LIMIT, LIMIT_WALL_SECONDS},
    {"limits.memory_bytes", KEY_LIMIT, LIMIT_MEMORY_BYTES},
    {"limits.processes", KEY_LIMIT, LIMIT_PROCESSES},
    {"limits.cpu_seconds", KEY_LIMIT, LIMIT_CPU_SECONDS},
    {"limits.file_bytes", KEY_LIMIT, LIMIT_FILE_BYTES},
    {NULL, KEY_VERSION, 0},
};

const struct policy_key *policy_keys(void)
{
    return keys;
}

/* "filesystem.write" in two; a key at the top has an empty section. */
struct parts {
    const char *section, *name;
    size_t section_len, name_len;
};

static struct parts split(const char *path)
{
    const char *dot = strchr(path, '.');
    const char *name = dot ? dot + 1 : path;
    return (struct parts){path, name, dot ? (size_t)(dot - path) : 0, strlen(name)};
}

static bool equals(const char *word, const char *s, size_t len)
{
    return strlen(word) == len && memcmp(word, s, len) == 0;
}

const struct policy_key *policy_key_find(const char *section, const char *name)
{
    for (const struct policy_key *key = keys; key->path; key++) {
        struct parts parts = split(key->path);
        if (equals(section, parts.section, parts.section_len) && equals(name, parts.name, parts.name_len))
            return key;
    }
    return NULL;
}

bool policy_key_is_section(const char *name)
{
    for (const struct policy_key *key = keys; key->path; key++) {
        struct parts parts = split(key->path);
        if (parts.section_len && equals(name, parts.section, parts.section_len))
            return true;
    }
    return false;
}

/* -- near misses ---------------------------------------------------------- */

/* How far `word` is from a key; what it begins counts as near: wall, wall_seconds. */
static size_t distance(const char *word, const char *key, size_t len)
{
    size_t word_len = strlen(word);
    if (word_len >= 3 && word_len < len && memcmp(word, key, word_len) == 0)
        return 1;
    return nearest_distance(word, key, len);
}

/* What stands in a section, or at the top, each once. */
static void add_choices(struct buf *out, const char *section)
{
    struct parts before = {"", "", 0, 0};
    for (const struct policy_key *key = keys; key->path; key++) {
        struct parts parts = split(key->path);
        bool at_top = !*section && parts.section_len;
        bool repeated = at_top && parts.section_len == before.section_len &&
                        memcmp(parts.section, before.section, parts.section_len) == 0;
        before = parts;
        if (repeated || (*section && !equals(section, parts.section, parts.section_len)))
            continue;
        buf_add_string(out, out->len ? ", " : "want one of ");
        buf_add(out, at_top ? parts.section : parts.name, at_top ? parts.section_len : parts.name_len);
    }
}

void policy_key_suggest(struct buf *out, const char *section, const char *name)
{
    const char *best = NULL;
    size_t best_len = 0, least = NEAREST_NONE;
    for (const struct policy_key *key = keys; key->path; key++) {
        struct parts parts = split(key->path);
        bool elsewhere = !equals(section, parts.section, parts.section_len);
        size_t as_key = distance(name, parts.name, parts.name_len);
        size_t as_section = *section ? NEAREST_NONE : distance(name, parts.section, parts.section_len);
        if (as_key != NEAREST_NONE)
            as_key += elsewhere;
        if (strcmp(name, key->path) == 0)
            as_key = 0; /* "filesystem.write" as one key */
        if (as_key < least) {
            least = as_key;
            best = key->path;
            best_len = strlen(key->path);
        }
        if (as_section < least) {
            least = as_section;
            best = parts.section;
            best_len = parts.section_len;
        }
    }
    if (best) {
        buf_add_string(out, "did you mean $.");
        buf_add(out, best, best_len);
        buf_add_char(out, '?');
    } else {
        add_choices(out, section);
    }
}
