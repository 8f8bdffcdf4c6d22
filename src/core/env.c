/* env.c - which environment variables the command gets (see env.h). Pure.
 * Called by the launcher with its own environment, before anything is confined.
 *
 * Names are looked up through a hash table: an environment can be as large as
 * the system allows, and a search for each name would square that.
 */
#include "core/env.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/fold.h"
#include "core/limits.h"
#include "core/path.h"

#define STEP "env.build"

struct building {
    const struct policy *policy;
    enum fold fold;
    struct env_list list;
    size_t *slots;    /* of the table: 1 + index into items; 0 is free */
    size_t slot_mask; /* the table's size is a power of two */
    struct cordon_error *err;
};

void env_list_init(struct env_list *e)
{
    memset(e, 0, sizeof *e);
}

void env_list_release(struct env_list *e)
{
    for (size_t i = 0; i < e->count; i++)
        free(e->items[i]);
    for (size_t i = 0; i < e->removed_count; i++)
        free(e->removed[i]);
    free(e->items);
    free(e->removed);
    env_list_init(e);
}

/* 0 when the entry is malformed. Windows' hidden "=C:=C:\dir" has no name either. */
static size_t name_length(const char *entry)
{
    const char *equals = strchr(entry, '=');
    return equals ? (size_t)(equals - entry) : 0;
}

static bool same_name(enum fold fold, const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (a_len != b_len)
        return false;
    for (size_t i = 0; i < a_len; i++)
        if (fold_byte(fold, a, i) != fold_byte(fold, b, i))
            return false;
    return true;
}

/* -- the table ------------------------------------------------------------- */

/* The slot that holds the name, or the free one where it belongs. */
static size_t *find_slot(const struct building *b, const char *name, size_t len)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ fold_byte(b->fold, name, i)) * 1099511628211u;
    size_t at = (size_t)(hash ^ hash >> 32) & b->slot_mask;
    while (b->slots[at]) {
        const char *entry = b->list.items[b->slots[at] - 1];
        if (same_name(b->fold, entry, name_length(entry), name, len))
            break;
        at = (at + 1) & b->slot_mask;
    }
    return &b->slots[at];
}

static bool has_name(const struct building *b, const char *name, size_t len)
{
    return *find_slot(b, name, len) != 0;
}

/* Adds the entry, or gives the variable this value where it already stands. */
static cordon_status put(struct building *b, const char *entry)
{
    char *copy = string_copy(entry);
    if (!copy)
        return error_nomem(b->err, STEP);
    size_t *slot = find_slot(b, entry, name_length(entry));
    if (*slot) {
        free(b->list.items[*slot - 1]);
        b->list.items[*slot - 1] = copy;
    } else {
        b->list.items[b->list.count++] = copy;
        *slot = b->list.count;
    }
    return CORDON_OK;
}

/* -- the rules ------------------------------------------------------------- */

static bool list_matches(const struct building *b, enum policy_list_id id, const char *name)
{
    const struct policy_list *list = &b->policy->lists[id];
    for (size_t i = 0; i < list->count; i++)
        if (glob_match_name(list->items[i].value, name, b->fold != FOLD_NONE))
            return true;
    return false;
}

/* Taken for granted by name: a glob in `keep` is no statement about one variable. */
static bool is_users_own(const struct building *b, const char *name, size_t len)
{
    const struct policy_list *keep = &b->policy->lists[LIST_ENV_KEEP];
    const struct policy_list *set = &b->policy->lists[LIST_ENV_SET];
    for (size_t i = 0; i < keep->count; i++)
        if (same_name(b->fold, keep->items[i].value, strlen(keep->items[i].value), name, len))
            return true;
    for (size_t i = 0; i < set->count; i++)
        if (same_name(b->fold, set->items[i].value, name_length(set->items[i].value), name, len))
            return true;
    return false;
}

static cordon_status add_inherited(struct building *b, const char *entry)
{
    size_t len = name_length(entry);
    if (len == 0 || has_name(b, entry, len))
        return CORDON_OK;
    char *name = string_copy_n(entry, len);
    if (!name)
        return error_nomem(b->err, STEP);
    cordon_status status = CORDON_OK;
    if (list_matches(b, LIST_ENV_KEEP, name)) {
        status = put(b, entry);
    } else if (b->policy->env_inherit) {
        if (list_matches(b, LIST_ENV_REMOVE, name)) {
            b->list.removed[b->list.removed_count++] = name;
            return CORDON_OK;
        }
        status = put(b, entry);
    }
    free(name);
    return status;
}

static cordon_status add_extra(struct building *b, const char *entry)
{
    size_t len = name_length(entry);
    if (len == 0)
        return error_set(b->err, CORDON_E_INVALID, 0, STEP, "'%.100s' is no KEY=VALUE", entry);
    return is_users_own(b, entry, len) ? CORDON_OK : put(b, entry);
}

static cordon_status add_set(struct building *b, const struct policy_entry *entry)
{
    if (name_length(entry->value) == 0)
        return error_set(b->err, CORDON_E_INVALID, 0, STEP, "'%.100s' (%.200s) is no KEY=VALUE", entry->value,
                         entry->origin ? entry->origin : "environment.set");
    return put(b, entry->value);
}

/* -- building -------------------------------------------------------------- */

static size_t count_entries(char *const *entries)
{
    size_t count = 0;
    while (entries && entries[count])
        count++;
    return count;
}

static cordon_status allocate(struct building *b, size_t most)
{
    size_t slots = 16;
    if (most > LIMIT_ENV_ENTRIES)
        return error_set(b->err, CORDON_E_LIMIT, 0, STEP,
                         "the environment has %zu entries; at most %d are taken", most, LIMIT_ENV_ENTRIES);
    while (slots < 2 * most)
        slots *= 2;
    b->slot_mask = slots - 1;
    b->slots = calloc(slots, sizeof *b->slots);
    b->list.items = calloc(most + 1, sizeof *b->list.items);
    b->list.removed = calloc(most + 1, sizeof *b->list.removed);
    if (!b->slots || !b->list.items || !b->list.removed)
        return error_nomem(b->err, STEP);
    return CORDON_OK;
}

cordon_status env_build(struct env_list *out, const struct policy *policy, char *const *environ_in,
                        char *const *extra, int fold_case, struct cordon_error *err)
{
    struct building b = {.policy = policy, .fold = fold_case ? FOLD_WIDE : FOLD_NONE, .err = err};
    const struct policy_list *set = &policy->lists[LIST_ENV_SET];
    cordon_status status = allocate(&b, count_entries(environ_in) + count_entries(extra) + set->count);
    for (size_t i = 0; !status && environ_in[i]; i++)
        status = add_inherited(&b, environ_in[i]);
    for (size_t i = 0; !status && extra && extra[i]; i++)
        status = add_extra(&b, extra[i]);
    for (size_t i = 0; !status && i < set->count; i++)
        status = add_set(&b, &set->items[i]);
    if (!status) {
        *out = b.list;
        env_list_init(&b.list);
    }
    env_list_release(&b.list);
    free(b.slots);
    return status;
}
