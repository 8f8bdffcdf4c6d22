/* policy.h - what the user asked for: defaults, then a file, then options.
 *
 * A struct policy is used both as one layer (only what that layer said) and as
 * the merged result. A scalar is set in a layer when its origin is not NULL.
 * Lists add. Every entry carries its origin, in words a person understands:
 *   "default (profile workspace)", "/home/u/p.json: $.filesystem.write[1]",
 *   "option --write".
 * Enumerations start with the most restrictive value.
 *
 * Ownership: a policy owns all its strings; policy_release() tolerates zeroed.
 */
#ifndef CORDON_CORE_POLICY_H
#define CORDON_CORE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"

enum policy_profile { PROFILE_READ_ONLY, PROFILE_WORKSPACE, PROFILE_OPEN };
enum policy_tmp { TMP_FRESH, TMP_WORKSPACE, TMP_SHARED };
enum policy_net { NET_OFF, NET_FILTERED, NET_ON };

/* Relative paths count from here: a policy file's from the workspace, an
 * option's from the current directory. */
enum policy_base { BASE_WORKSPACE, BASE_CWD };

struct policy_entry {
    char *value; /* as written, variables not expanded */
    char *origin;
    enum policy_base base;
};

struct policy_list {
    struct policy_entry *items;
    size_t count;
    size_t cap;
};

struct policy_number {
    uint64_t value; /* 0: no limit */
    char *origin;
};

enum policy_limit {
    LIMIT_WALL_SECONDS,
    LIMIT_MEMORY_BYTES,
    LIMIT_PROCESSES,
    LIMIT_CPU_SECONDS,
    LIMIT_FILE_BYTES,
    LIMIT_COUNT_
};

/* The lists, addressed by one enum so that parsing, merging, printing and the
 * schema test go through one table. */
enum policy_list_id {
    LIST_WRITE,
    LIST_PROTECT,
    LIST_UNPROTECT,
    LIST_DENY_READ,
    LIST_READ,
    LIST_COW,
    LIST_NET_ALLOW,
    LIST_NET_DENY,
    LIST_UNIX_SOCKETS,
    LIST_ENV_KEEP,
    LIST_ENV_REMOVE,
    LIST_ENV_SET, /* set: "KEY=VALUE" */
    LIST_COUNT_
};

struct policy {
    enum policy_profile profile;
    char *profile_origin;
    enum policy_tmp tmp;
    char *tmp_origin;
    enum policy_net net;
    char *net_origin;
    bool env_inherit;
    char *env_inherit_origin;
    struct policy_list lists[LIST_COUNT_];
    struct policy_number limits[LIMIT_COUNT_];
};

void policy_init(struct policy *p); /* an empty layer */
void policy_release(struct policy *p);

/* Layer or merged result, into an empty one. Step "policy.merge". */
cordon_status policy_copy(struct policy *out, const struct policy *from, struct cordon_error *err);

/* Appends, copying its arguments. Step "policy.list": what policy_check_entry
 * finds, or a list that is full. */
cordon_status policy_add(struct policy *p, enum policy_list_id list, const char *value, const char *origin,
                         enum policy_base base, struct cordon_error *err);

/* Is `value` well formed for this list: not empty or too long, no unknown
 * ${...}, hosts and variable names as they must be. Paths are judged by the
 * resolver. `where` begins the message. */
cordon_status policy_check_entry(enum policy_list_id list, const char *value, const char *step,
                                 const char *where, struct cordon_error *err);

/* host, *.host, IPv4 or [IPv6], each alone or with :port. Addresses only in
 * their plain form: 127.1 and 0x7f000001 would be read differently by others. */
bool policy_is_host(const char *text);

/* Parses a policy file's text into an empty layer. Strict and capped: unknown
 * or duplicate key, wrong type, wrong version, embedded NUL, invalid UTF-8,
 * depth, size, counts: step "policy.parse", and the message names `file`, the
 * JSON path and what would be right. `file` is only used for words. */
cordon_status policy_parse(struct policy *layer, const char *text, size_t len, const char *file,
                           struct cordon_error *err);

/* out := defaults of the effective profile (options, else file, else
 * `workspace`), then `file` (may be NULL), then `options` (may be NULL).
 * unprotect removes equal names from what its own and earlier layers protect
 * (and is an error, step "policy.unprotect", when there is none); an env `set`
 * of a later layer replaces the same key; hosts that `options` allows imply
 * NET_FILTERED unless `options` has a mode; profile `read-only` takes the workspace out of the
 * write defaults; profile `open` turns the default network on. */
cordon_status policy_merge(struct policy *out, const struct policy *file, const struct policy *options,
                           struct cordon_error *err);

/* Words of the enums, as in the file and the options. */
const char *policy_profile_name(enum policy_profile v);
const char *policy_tmp_name(enum policy_tmp v);
const char *policy_net_name(enum policy_net v);
const char *policy_limit_name(enum policy_limit v); /* "wall", "memory", ... as in --limit */
const char *policy_limit_key(enum policy_limit v);  /* "wall_seconds", ... as in the file */
const char *policy_list_key(enum policy_list_id v); /* "filesystem.write", ... */
uint64_t policy_limit_max(enum policy_limit v);     /* the largest value that is taken */
bool policy_profile_parse(const char *s, enum policy_profile *out);
bool policy_tmp_parse(const char *s, enum policy_tmp *out);
bool policy_net_parse(const char *s, enum policy_net *out);

/* Parses "wall=10m,memory=2G,processes=256,cpu=5m,file=1G" into the layer with
 * the given origin. Durations: s (default), m, h; sizes: K, M, G, T (powers of
 * 1024). A repeated key, 0, more than policy_limit_max() or junk: step "policy.limit". */
cordon_status policy_parse_limits(struct policy *layer, const char *text, const char *origin,
                                  struct cordon_error *err);

/* One --env argument: "KEEP" (a name or glob to keep) or "KEY=VALUE". Step "policy.env". */
cordon_status policy_parse_env(struct policy *layer, const char *text, const char *origin,
                               struct cordon_error *err);

/* The names of product.md par. 5. */
bool policy_is_facet(const char *name);
const char *const *policy_facets(void); /* NULL-terminated */

#endif
