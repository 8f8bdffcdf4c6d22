/* fuzz_policy.c - a policy file's text, and the same bytes as an option's
 * argument. What is taken keeps the contract, merges, and says the same when it
 * is written out and read again; what is refused leaves nothing behind.
 */
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "core/limits.h"
#include "core/policy.h"
#include "core/policy_keys.h"
#include "core/utf.h"
#include "fuzz.h"

static void check_error(const struct cordon_error *err, cordon_status status, const char *step)
{
    FUZZ_CHECK(err->status == status);
    FUZZ_CHECK(strcmp(err->step, step) == 0);
    FUZZ_CHECK(err->message[0]);
    FUZZ_CHECK(utf_is_valid(err->message, strlen(err->message)));
}

static void check_untouched(const struct policy *p)
{
    FUZZ_CHECK(!p->profile_origin && !p->tmp_origin && !p->net_origin && !p->env_inherit_origin);
    for (size_t id = 0; id < LIST_COUNT_; id++)
        FUZZ_CHECK(!p->lists[id].items && p->lists[id].count == 0);
    for (size_t id = 0; id < LIMIT_COUNT_; id++)
        FUZZ_CHECK(!p->limits[id].origin && p->limits[id].value == 0);
}

static void check_contents(const struct policy *p)
{
    for (size_t id = 0; id < LIST_COUNT_; id++) {
        FUZZ_CHECK(p->lists[id].count <= LIMIT_LIST_ENTRIES);
        for (size_t i = 0; i < p->lists[id].count; i++) {
            const struct policy_entry *entry = &p->lists[id].items[i];
            struct cordon_error err;
            FUZZ_CHECK(policy_check_entry((enum policy_list_id)id, entry->value, "x", "x", &err) ==
                       CORDON_OK);
            FUZZ_CHECK(utf_is_valid(entry->value, strlen(entry->value)));
            FUZZ_CHECK(entry->origin && entry->origin[0]);
        }
    }
    for (size_t id = 0; id < LIMIT_COUNT_; id++)
        FUZZ_CHECK(p->limits[id].value <= policy_limit_max((enum policy_limit)id));
}

/* -- written out and read again -------------------------------------------- */

static json_t *strings_of(const struct policy_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i].value));
    return array;
}

static json_t *settings_of(const struct policy_list *list)
{
    json_t *object = json_object();
    for (size_t i = 0; i < list->count; i++) {
        const char *setting = list->items[i].value;
        char *name = string_copy_n(setting, strcspn(setting, "="));
        FUZZ_CHECK(name && !json_object_get(object, name));
        json_object_set_new(object, name, json_string(setting + strlen(name) + 1));
        free(name);
    }
    return object;
}

/* NULL: the layer does not say. */
static json_t *value_of(const struct policy *p, const struct policy_key *key)
{
    switch (key->kind) {
    case KEY_VERSION:
        return json_integer(1);
    case KEY_PROFILE:
        return p->profile_origin ? json_string(policy_profile_name(p->profile)) : NULL;
    case KEY_TMP:
        return p->tmp_origin ? json_string(policy_tmp_name(p->tmp)) : NULL;
    case KEY_NET:
        return p->net_origin ? json_string(policy_net_name(p->net)) : NULL;
    case KEY_INHERIT:
        return p->env_inherit_origin ? json_boolean(p->env_inherit) : NULL;
    case KEY_LIST:
        return strings_of(&p->lists[key->id]);
    case KEY_ENV_SET:
        return settings_of(&p->lists[key->id]);
    case KEY_LIMIT:
        break;
    }
    return p->limits[key->id].origin ? json_integer((json_int_t)p->limits[key->id].value) : NULL;
}

static char *write_out(const struct policy *p)
{
    json_t *root = json_object();
    for (const struct policy_key *key = policy_keys(); key->path; key++) {
        const char *dot = strchr(key->path, '.');
        json_t *value = value_of(p, key), *at = root;
        if (value && dot) {
            char *section = string_copy_n(key->path, (size_t)(dot - key->path));
            at = json_object_get(root, section);
            if (!at) {
                at = json_object();
                json_object_set_new(root, section, at);
            }
            free(section);
        }
        if (value)
            json_object_set_new(at, dot ? dot + 1 : key->path, value);
    }
    char *text = json_dumps(root, 0);
    FUZZ_CHECK(text);
    json_decref(root);
    return text;
}

static void check_round_trip(const struct policy *p)
{
    struct policy again;
    struct cordon_error err;
    char *text = write_out(p);
    policy_init(&again);
    /* Escapes can make it longer than a policy may be: nothing to compare then. */
    if (strlen(text) <= LIMIT_POLICY_BYTES) {
        FUZZ_CHECK(policy_parse(&again, text, strlen(text), "again", &err) == CORDON_OK);
        char *twice = write_out(&again);
        FUZZ_CHECK(strcmp(text, twice) == 0);
        free(twice);
    }
    policy_release(&again);
    free(text);
}

/* -- merging --------------------------------------------------------------- */

static void check_merge(const struct policy *file, const struct policy *options)
{
    struct policy out;
    struct cordon_error err;
    policy_init(&out);
    cordon_status status = policy_merge(&out, file, options, &err);
    if (status == CORDON_OK) {
        check_contents(&out);
        FUZZ_CHECK(out.profile_origin && out.tmp_origin && out.net_origin && out.env_inherit_origin);
        for (size_t i = 0; i < out.lists[LIST_ENV_SET].count; i++)
            for (size_t j = 0; j < i; j++) {
                const char *a = out.lists[LIST_ENV_SET].items[i].value;
                FUZZ_CHECK(strncmp(a, out.lists[LIST_ENV_SET].items[j].value, strcspn(a, "=") + 1) != 0);
            }
    } else {
        FUZZ_CHECK(status == CORDON_E_INVALID || status == CORDON_E_LIMIT);
        check_error(&err, status, status == CORDON_E_INVALID ? "policy.unprotect" : "policy.list");
        check_untouched(&out);
    }
    policy_release(&out);
}

/* -- options --------------------------------------------------------------- */

static void check_arguments(const char *text)
{
    struct policy p;
    struct cordon_error err;
    policy_init(&p);
    if (policy_parse_limits(&p, text, "option --limit", &err) == CORDON_OK) {
        bool any = false;
        for (size_t id = 0; id < LIMIT_COUNT_; id++)
            any = any || (p.limits[id].origin && p.limits[id].value > 0 &&
                          p.limits[id].value <= policy_limit_max((enum policy_limit)id));
        FUZZ_CHECK(any);
    } else {
        check_error(&err, CORDON_E_INVALID, "policy.limit");
        check_untouched(&p);
    }
    policy_release(&p);

    cordon_status status = policy_parse_env(&p, text, "option --env", &err);
    if (status != CORDON_OK) {
        check_error(&err, status, "policy.env");
        check_untouched(&p);
    }
    policy_release(&p);

    for (size_t id = 0; id < LIST_COUNT_; id++) {
        status = policy_add(&p, (enum policy_list_id)id, text, "option", BASE_CWD, &err);
        if (status != CORDON_OK)
            check_error(&err, status, "policy.list");
        FUZZ_CHECK(p.lists[id].count == (status == CORDON_OK));
        policy_release(&p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct policy layer;
    struct cordon_error err;
    policy_init(&layer);
    cordon_status status = policy_parse(&layer, text, size, "p.json", &err);
    if (status == CORDON_OK) {
        check_contents(&layer);
        check_round_trip(&layer);
        check_merge(&layer, NULL);
        check_merge(NULL, &layer);
        check_merge(&layer, &layer);
    } else {
        FUZZ_CHECK(status == CORDON_E_INVALID || status == CORDON_E_LIMIT);
        check_error(&err, status, "policy.parse");
        check_untouched(&layer);
    }
    policy_release(&layer);

    char *copy = string_copy_n(text, size);
    FUZZ_CHECK(copy);
    check_arguments(copy);
    free(copy);
    return 0;
}
