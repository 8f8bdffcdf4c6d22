/* policy_keys.h - the keys of a policy file, for the parser and the schema test. */
#ifndef CORDON_CORE_POLICY_KEYS_H
#define CORDON_CORE_POLICY_KEYS_H

#include <stdbool.h>

#include "core/buf.h"

enum policy_key_kind {
    KEY_VERSION,
    KEY_PROFILE,
    KEY_TMP,
    KEY_NET,
    KEY_INHERIT,
    KEY_LIST,
    KEY_ENV_SET,
    KEY_LIMIT
};

struct policy_key {
    const char *path; /* "filesystem.write" */
    enum policy_key_kind kind;
    int id; /* policy_list_id or policy_limit */
};

/* Ends with a NULL path. */
const struct policy_key *policy_keys(void);

/* `section`: "" for the top of the file. NULL: there is no such key. */
const struct policy_key *policy_key_find(const char *section, const char *name);
bool policy_key_is_section(const char *name);

/* Appends what an unknown `name` in `section` was probably meant to be, or what
 * would be right there. */
void policy_key_suggest(struct buf *out, const char *section, const char *name);

#endif
