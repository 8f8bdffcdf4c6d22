/* resolver.h - what the parts of resolve.c share while they resolve one policy. Internal to resolve*.c. */
#ifndef CORDON_LINUX_RESOLVER_H
#define CORDON_LINUX_RESOLVER_H

#include "os/linux/locate.h"
#include "os/linux/resolve.h"

static const struct path_rules resolver_paths = {PATH_POSIX, false};

struct resolver {
    struct resolution *out;
    const struct resolve_input *input;
    struct places *places;
    struct report *report;
    struct cordon_error *err;
    uint64_t workspace_dev, workspace_ino;
    char *replaced[4]; /* resolved paths of directories that the command sees a private version of */
    size_t replaced_count;
};

/* The replaced directory that `path` lies in, or NULL. */
const char *resolver_replaced_by(const struct resolver *r, const char *path);

/* Takes the descriptor of `l`, so that its object keeps its identity. */
cordon_status resolver_keep_pin(struct resolver *r, struct located *l);

/* Adds a rule for a located object and keeps its descriptor. */
cordon_status resolver_add_rule(struct resolver *r, enum rule_kind kind, enum rule_role role,
                                struct located *l, const char *origin);

/* A policy value as an absolute path or pattern, links not yet resolved. The
 * caller frees; NULL: out of memory. */
char *resolver_absolute(const struct resolver *r, const struct policy_entry *entry);
char *resolver_absolute_pattern(const struct resolver *r, const struct policy_entry *entry);
cordon_status resolver_locate_entry(struct resolver *r, const struct policy_entry *entry, bool follow,
                                    struct located *out);

/* resolve_roots.c: the temporary directories first, then each of the writable roots. */
cordon_status resolver_add_tmp(struct resolver *r, const char *origin);
cordon_status resolver_add_write(struct resolver *r, const struct policy_entry *entry);
cordon_status resolver_refuse_dangerous(struct resolver *r, const struct located *l, const char *origin);

/* resolve_protect.c: `roots` rules exist already, names apply to them all; `depth` counts links. */
cordon_status resolver_add_protect(struct resolver *r, const struct policy_entry *entry, size_t roots);
cordon_status resolver_protect_path(struct resolver *r, const char *path, bool even_absent,
                                    const char *origin, int depth);

/* resolve_read.c: what is hidden, and what stays visible in replaced directories. */
cordon_status resolver_add_deny_read(struct resolver *r, const struct policy_entry *entry);
cordon_status resolver_add_visible(struct resolver *r);
cordon_status resolver_keep_visible(struct resolver *r, const char *path, const char *origin,
                                    bool must_exist);

/* resolve_sockets.c: outside sockets that may be connected to. */
cordon_status resolver_add_sockets(struct resolver *r);

#endif
