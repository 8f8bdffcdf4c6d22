/* decide.h - the meaning of a resolved policy: one function.
 *
 * A struct resolved is the policy after src/os has looked at the machine: every
 * path is absolute, symbolic links resolved, object identities known. decide()
 * is the normative meaning (docs/policy.md); a planner is right when what the
 * operating system then does equals decide() for every path and operation.
 */
#ifndef CORDON_CORE_DECIDE_H
#define CORDON_CORE_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/path.h"
#include "core/policy.h"

/* Strictest first: on a tie of paths the smaller wins. RULE_READ keeps
 * something visible inside a replaced directory: readable, not writable. */
enum rule_kind { RULE_DENY_READ, RULE_PROTECT, RULE_COW, RULE_WRITE, RULE_READ };

enum object_type {
    OBJECT_ABSENT,
    OBJECT_DIRECTORY,
    OBJECT_FILE,
    OBJECT_SYMLINK,
    OBJECT_DEVICE,
    OBJECT_OTHER
};

enum rule_role {
    ROLE_PLAIN,
    ROLE_TMP,     /* a replaced temporary directory; `backing` holds it */
    ROLE_CACHE,   /* the private cache; `backing` holds it */
    ROLE_STATE,   /* cordon's own state: masked but for the cache */
    ROLE_CONFIG,  /* cordon's own configuration */
    ROLE_VISIBLE, /* workspace, cwd, program or --read inside a replaced directory */
};

/* The strings are owned once resolved_add() copied them. */
struct rule {
    enum rule_kind kind;
    enum rule_role role;
    const char *path;    /* normalised, as the command sees it */
    const char *backing; /* where the bytes are outside, when not `path`; else NULL */
    const char *origin;
    enum object_type type; /* of the object itself: a protected symlink is OBJECT_SYMLINK */
    uint64_t dev, ino;     /* identity; ino 0: not known or not there */
    uint64_t nlink;
    bool absent_name; /* does not exist: held by a placeholder while the sandbox runs */
    bool watched;     /* does not exist and is not held: a guard stops the tree when it appears */
    bool redundant;   /* adds nothing to an enclosing rule (write inside write) */
};

/* A unix socket of the outside that the command may connect to. */
struct socket_grant {
    const char *path, *origin; /* resolved; owned once resolved_add_socket() copied them */
    uint64_t dev, ino;
};

struct resolved {
    struct path_rules rules;
    char *workspace;
    struct rule *items; /* sorted by path_compare once resolved_finish() ran */
    size_t count;
    size_t cap;
    enum policy_net net;
    struct socket_grant *sockets;
    size_t socket_count;
};

enum decide_op {
    OP_READ,   /* content, listing, execution */
    OP_WRITE,  /* change the content or metadata of what is there */
    OP_CREATE, /* make a name that is not there (also link, symlink, rename to) */
    OP_REMOVE, /* unlink, rmdir, rename away, rename over */
};

enum decide_reason {
    REASON_DEFAULT_WRITE, /* outside every writable root */
    REASON_DENY_READ,
    REASON_PROTECT,
    REASON_GUARDED,      /* protected and absent: not refused, but the tree is stopped at once */
    REASON_READ_ONLY,    /* RULE_READ */
    REASON_PINNED,       /* it is, or holds, something that a rule names: it cannot be renamed or removed */
    REASON_DEFAULT_READ, /* allowed: reads are */
    REASON_WRITE,        /* allowed: a writable root */
    REASON_COW,
    REASON_PRIVATE, /* `explain` only: what is there outside is not what the command sees */
};

struct verdict {
    bool allowed;
    enum decide_reason reason;
    const struct rule *rule; /* the one that decided; NULL for a default. Borrowed. */
    const char *facet;       /* "write", "protect", "deny-read", "tmp" */
};

void resolved_init(struct resolved *r);
void resolved_release(struct resolved *r);

/* Adds a rule, copying strings. Step "resolve.rules". `rule->path` normalised. */
cordon_status resolved_add(struct resolved *r, const struct rule *rule, struct cordon_error *err);

/* The same for a socket. */
cordon_status resolved_add_socket(struct resolved *r, const struct socket_grant *grant,
                                  struct cordon_error *err);

/* Sorts; keeps the strictest of equal paths; gives two names of one object the
 * strictest kind; marks what is redundant. Call once, before decide(). */
cordon_status resolved_finish(struct resolved *r, struct cordon_error *err);

/* The rule with the longest path that is `path` or above it; NULL if none. */
const struct rule *resolved_find(const struct resolved *r, const char *path);

/* The rule of exactly `path`, redundant or not; NULL if none. */
const struct rule *resolved_at(const struct resolved *r, const char *path);

/* The nearest for what surrounds `path`, as if no rule named it. */
const struct rule *resolved_enclosing(const struct resolved *r, const char *path);

/* True when `path` itself must not be renamed or removed because a rule names
 * it or something below it (inside the writable root that holds `path`). */
bool resolved_is_pinned(const struct resolved *r, const char *path, const struct rule **by);

struct verdict decide(const struct resolved *r, const char *path, enum decide_op op);

/* Below a replaced directory the command sees a private one: what lies there
 * outside is neither read nor changed, and the name is free. */
bool decide_is_replaced(const struct resolved *r, const char *path);

/* For `explain`, which is asked about what lies outside: decide(), and REASON_PRIVATE. */
struct verdict decide_outside(const struct resolved *r, const char *path, enum decide_op op);

/* Network: NET_OFF allows nothing, NET_ON everything. `port` 0: any. */
struct verdict_host {
    bool allowed;
    const char *why; /* static words */
};
struct verdict_host decide_host(const struct resolved *r, const char *host, unsigned port);

/* The entry of network.unix_sockets that lets the command connect to an outside
 * socket: the same object, or the same path; NULL: it may not. What it listens on
 * itself needs none. */
const struct socket_grant *decide_socket(const struct resolved *r, const char *path, uint64_t dev,
                                         uint64_t ino);

const char *rule_kind_name(enum rule_kind kind);        /* "deny_read", "protect", ... */
const char *decide_op_name(enum decide_op op);          /* "read", "write", "create", "remove" */
const char *decide_reason_text(enum decide_reason why); /* a short phrase */

#endif
