/* test_report.c - the report and status lines, and the schemas that describe them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/policy.h"
#include "core/report.h"
#include "core/utf.h"
#include "json_schema.h"

/* -- schemas -------------------------------------------------------------- */

static void schemas_are_strict(void **state)
{
    static const char *const names[] = {"report-1.json", "status-1.json"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        json_t *schema = load_schema(names[i]);
        check_strict(schema, names[i]);
        json_decref(schema);
    }
}

/* -- reports -------------------------------------------------------------- */

static char *const some_command[] = {(char *)"make", (char *)"-C", (char *)"src", NULL};

/* Something in every list. */
static void fill_report(struct report *r)
{
    struct cordon_error err;
    report_init(r);
    assert_int_equal(report_set_command(r, some_command, &err), CORDON_OK);
    r->workspace = string_copy("/home/u/project");
    r->outcome = (struct outcome){.kind = OUTCOME_EXITED,
                                  .code = 3,
                                  .wall_ms = 120,
                                  .cpu_ms = 80,
                                  .max_rss_bytes = 4096000,
                                  .processes = 7};
    assert_int_equal(report_add_layer(r, "write", "mount namespace, Landlock", true, &err), CORDON_OK);
    assert_int_equal(report_add_layer(r, "unix-dgram", "refused by seccomp", false, &err), CORDON_OK);
    r->changed_computed = true;
    assert_int_equal(report_add_change(r, CHANGE_CREATED, "/home/u/project/a.o", NULL, 1200, &err),
                     CORDON_OK);
    assert_int_equal(
        report_add_change(r, CHANGE_RENAMED, "/home/u/project/new", "/home/u/project/old", 5, &err),
        CORDON_OK);
    r->observed = OBSERVED_SOCKETS;
    static const struct refusal refusal = {"connect", "/run/docker.sock", "network.unix_sockets",
                                           "--unix-socket /run/docker.sock"};
    assert_int_equal(report_add_refusal(r, &refusal, 2, &err), CORDON_OK);
    r->network = calloc(1, sizeof *r->network);
    assert_non_null(r->network);
    r->network[0] = (struct report_network){string_copy("example.org"), 443, string_copy("refused")};
    r->network_count = 1;
    assert_int_equal(report_add_degraded(r, "limit-memory", &err), CORDON_OK);
    assert_int_equal(report_add_warning(r, &err, "%d files have other links", 3), CORDON_OK);
}

static char *to_json(const struct report *r)
{
    struct buf out = BUF_INIT;
    struct cordon_error err;
    assert_int_equal(report_to_json(r, &out, &err), CORDON_OK);
    return buf_take(&out);
}

static void golden_report(void **state)
{
    static const char want[] =
        "{\n"
        "  \"version\": 1,\n"
        "  \"command\": [\n    \"make\",\n    \"-C\",\n    \"src\"\n  ],\n"
        "  \"workspace\": \"/home/u/project\",\n"
        "  \"tier\": null,\n"
        "  \"layers\": [\n"
        "    {\n      \"facet\": \"write\",\n      \"mechanism\": \"mount namespace, Landlock\",\n"
        "      \"active\": true\n    },\n"
        "    {\n      \"facet\": \"unix-dgram\",\n      \"mechanism\": \"refused by seccomp\",\n"
        "      \"active\": false\n    }\n  ],\n"
        "  \"outcome\": {\n    \"kind\": \"exited\",\n    \"code\": 3,\n    \"signal\": null,\n"
        "    \"limit\": null,\n    \"wall_ms\": 120,\n    \"cpu_ms\": 80,\n"
        "    \"max_rss_bytes\": 4096000,\n    \"processes\": 7\n  },\n"
        "  \"changed\": [\n"
        "    {\n      \"path\": \"/home/u/project/a.o\",\n      \"change\": \"created\",\n"
        "      \"from\": null,\n      \"bytes\": 1200\n    },\n"
        "    {\n      \"path\": \"/home/u/project/new\",\n      \"change\": \"renamed\",\n"
        "      \"from\": \"/home/u/project/old\",\n      \"bytes\": 5\n    }\n  ],\n"
        "  \"refused\": {\n    \"observed\": \"sockets\",\n    \"entries\": [\n"
        "      {\n        \"operation\": \"connect\",\n        \"target\": \"/run/docker.sock\",\n"
        "        \"rule\": \"network.unix_sockets\",\n        \"count\": 2,\n"
        "        \"suggested_grant\": \"--unix-socket /run/docker.sock\"\n      }\n    ],\n"
        "    \"unlisted\": 0\n  },\n"
        "  \"network\": [\n    {\n      \"host\": \"example.org\",\n      \"port\": 443,\n"
        "      \"verdict\": \"refused\"\n    }\n  ],\n"
        "  \"degraded\": [\n    \"limit-memory\"\n  ],\n"
        "  \"warnings\": [\n    \"3 files have other links\"\n  ]\n"
        "}\n";
    (void)state;
    struct report r;
    fill_report(&r);
    char *text = to_json(&r);
    assert_string_equal(text, want);
    free(text);
    report_release(&r);
}

static void reports_obey_the_schema(void **state)
{
    (void)state;
    json_t *schema = load_schema("report-1.json");
    struct report r;
    fill_report(&r);
    char *text = to_json(&r);
    json_decref(parse_valid(schema, text));
    free(text);

    static const struct outcome outcomes[] = {
        {.kind = OUTCOME_FAILED, .code = -1, .processes = -1},
        {.kind = OUTCOME_GUARDED, .code = -1, .signal = 9, .processes = 4},
        {.kind = OUTCOME_LIMIT, .code = -1, .signal = 9, .limit = "memory", .processes = -1},
        {.kind = OUTCOME_LIMIT, .code = -1, .signal = 24, .limit = "cpu", .processes = 2},
        {.kind = OUTCOME_LIMIT, .code = -1, .signal = 25, .limit = "file", .processes = 2},
        {.kind = OUTCOME_TIMED_OUT, .code = -1, .signal = 9, .limit = "wall", .processes = 2},
        {.kind = OUTCOME_SIGNALED, .code = -1, .signal = 11, .processes = 2},
        {.kind = OUTCOME_EXITED, .code = 0, .processes = 0},
    };
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        r.outcome = outcomes[i];
        text = to_json(&r);
        json_decref(parse_valid(schema, text));
        free(text);
    }
    report_release(&r);

    report_init(&r); /* a run that failed before anything is known */
    r.workspace = string_copy("/w");
    text = to_json(&r);
    json_t *value = parse_valid(schema, text);
    assert_true(json_is_null(json_object_get(value, "changed")));
    assert_true(json_is_null(json_object_get(json_object_get(value, "outcome"), "processes")));
    json_decref(value);
    free(text);
    r.changed_computed = true; /* nothing changed is not the same as not known */
    text = to_json(&r);
    value = parse_valid(schema, text);
    assert_true(json_is_array(json_object_get(value, "changed")));
    json_decref(value);
    free(text);
    report_release(&r);
    json_decref(schema);
}

/* The words of the code and of the schema are the same, none more on either side. */
static void check_words(json_t *schema, const char *const path[], const char *(*name)(int), int count)
{
    for (size_t i = 0; path[i]; i++)
        schema = json_object_get(schema, path[i]);
    const json_t *words = json_object_get(schema, "enum");
    assert_int_equal(json_array_size(words), count);
    for (int i = 0; i < count; i++)
        assert_string_equal(json_string_value(json_array_get(words, (size_t)i)), name(i));
}

static const char *outcome_word(int k)
{
    return outcome_kind_name((enum outcome_kind)k);
}

static const char *change_word(int k)
{
    return change_kind_name((enum change_kind)k);
}

static void words_are_the_schemas(void **state)
{
    static const char *const kind[] = {"properties", "outcome", "properties", "kind", NULL};
    static const char *const change[] = {"properties", "changed", "items", "properties", "change", NULL};
    static const char *const limit[] = {"properties", "outcome", "properties", "limit", NULL};
    static const char *const ended[] = {"properties", "kind", NULL};
    (void)state;
    json_t *schema = load_schema("report-1.json"), *status = load_schema("status-1.json");
    check_words(schema, kind, outcome_word, OUTCOME_EXITED + 1);
    check_words(schema, change, change_word, CHANGE_RENAMED + 1);
    check_words(json_array_get(json_object_get(status, "oneOf"), 1), ended, outcome_word, OUTCOME_EXITED + 1);
    json_t *limits = schema;
    for (size_t i = 0; limit[i]; i++)
        limits = json_object_get(limits, limit[i]);
    limits = json_object_get(limits, "enum");
    assert_int_equal(json_array_size(limits), LIMIT_COUNT_ + 1);
    for (int i = 0; i < LIMIT_COUNT_; i++)
        assert_string_equal(json_string_value(json_array_get(limits, (size_t)i)),
                            policy_limit_name((enum policy_limit)i));
    assert_true(json_is_null(json_array_get(limits, LIMIT_COUNT_)));
    json_decref(schema);
    json_decref(status);
}

static void schema_test_can_fail(void **state)
{
    static const struct {
        const char *from, *to;
    } breakages[] = {
        {"\"version\": 1", "\"version\": 2"},
        {"\"code\": 3", "\"code\": \"3\""},
        {"\"kind\": \"exited\"", "\"kind\": \"ended\""},
        {"\"from\": null,", ""},
        {"\"tier\": null", "\"tier\": null, \"extra\": 1"},
        {"\"wall_ms\": 120", "\"wall_ms\": -1"},
        {"\"port\": 443", "\"port\": 65536"},
        {"\"active\": true", "\"active\": null"},
    };
    (void)state;
    json_t *schema = load_schema("report-1.json");
    struct report r;
    fill_report(&r);
    char *text = to_json(&r);
    for (size_t i = 0; i < sizeof breakages / sizeof *breakages; i++) {
        const char *at = strstr(text, breakages[i].from);
        assert_non_null(at);
        char *broken = string_format("%.*s%s%s", (int)(at - text), text, breakages[i].to,
                                     at + strlen(breakages[i].from));
        json_t *value = json_loads(broken, 0, NULL);
        assert_non_null(value);
        char *wrong = violation(schema, value, "$");
        if (!wrong)
            fail_msg("the schema takes %s for %s", breakages[i].to, breakages[i].from);
        free(wrong);
        json_decref(value);
        free(broken);
    }
    free(text);
    report_release(&r);
    json_decref(schema);
}

/* -- hostile bytes and numbers -------------------------------------------- */

static const char *const hostile[] = {
    "plain", "",     "two\nlines",        "\"quoted\"",      "back\\slash",      "\\x41",
    "tab\t", "\x01", "\xff\xfe",          "caf\xc3\xa9",     "caf\xc3",          "\xed\xa0\x80",
    "\x7f",  "</x>", "\xc2\x9b\x33\x31m", "\xe2\x80\xaemoc", "\xf4\x90\x80\x80",
};

static void check_text(const json_t *value, const char *bytes)
{
    struct buf back = BUF_INIT;
    assert_true(json_is_string(value));
    assert_true(utf_unescape(&back, json_string_value(value), json_string_length(value)));
    assert_string_equal(back.data, bytes);
    buf_release(&back);
}

static void hostile_bytes_round_trip(void **state)
{
    (void)state;
    struct cordon_error err;
    json_t *schema = load_schema("report-1.json");
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        char *const argv[] = {(char *)hostile[i], (char *)hostile[i], NULL};
        struct report r;
        report_init(&r);
        r.workspace = string_copy(hostile[i]);
        r.changed_computed = true;
        assert_int_equal(report_set_command(&r, argv, &err), CORDON_OK);
        assert_int_equal(report_add_change(&r, CHANGE_RENAMED, hostile[i], hostile[i], 0, &err), CORDON_OK);
        const struct refusal refused = {"connect", hostile[i], hostile[i], hostile[i]};
        assert_int_equal(report_add_refusal(&r, &refused, 1, &err), CORDON_OK);
        assert_int_equal(report_add_warning(&r, &err, "at %s", hostile[i]), CORDON_OK);
        char *text = to_json(&r);
        json_t *root = parse_valid(schema, text);
        const json_t *change = json_array_get(json_object_get(root, "changed"), 0);
        const json_t *refusal =
            json_array_get(json_object_get(json_object_get(root, "refused"), "entries"), 0);
        check_text(json_object_get(root, "workspace"), hostile[i]);
        check_text(json_array_get(json_object_get(root, "command"), 1), hostile[i]);
        check_text(json_object_get(change, "path"), hostile[i]);
        check_text(json_object_get(change, "from"), hostile[i]);
        check_text(json_object_get(refusal, "target"), hostile[i]);
        if (*hostile[i])
            check_text(json_object_get(refusal, "suggested_grant"), hostile[i]);
        else
            assert_true(json_is_null(json_object_get(refusal, "suggested_grant")));
        /* A warning is for people: one line that no terminal obeys. */
        const char *warning = json_string_value(json_array_get(json_object_get(root, "warnings"), 0));
        for (const char *c = warning; *c; c++)
            assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
        assert_null(strstr(warning, "\xc2\x9b"));
        json_decref(root);
        free(text);
        report_release(&r);
    }
    json_decref(schema);
}

static void numbers_stay_integers(void **state)
{
    (void)state;
    struct cordon_error err;
    struct report r;
    report_init(&r);
    r.changed_computed = true;
    r.outcome.wall_ms = UINT64_MAX;
    r.outcome.cpu_ms = INT64_MAX;
    r.outcome.max_rss_bytes = (uint64_t)INT64_MAX + 1;
    assert_int_equal(report_add_change(&r, CHANGE_CREATED, "/f", NULL, UINT64_MAX, &err), CORDON_OK);
    char *text = to_json(&r);
    json_t *root = json_loads(text, 0, NULL);
    const json_t *outcome = json_object_get(root, "outcome");
    assert_true(json_integer_value(json_object_get(outcome, "wall_ms")) == INT64_MAX);
    assert_true(json_integer_value(json_object_get(outcome, "cpu_ms")) == INT64_MAX);
    assert_true(json_integer_value(json_object_get(outcome, "max_rss_bytes")) == INT64_MAX);
    const json_t *change = json_array_get(json_object_get(root, "changed"), 0);
    assert_true(json_integer_value(json_object_get(change, "bytes")) == INT64_MAX);
    json_decref(root);
    free(text);
    report_release(&r);
}

/* -- status lines and errors ---------------------------------------------- */

static void golden_status_lines(void **state)
{
    (void)state;
    struct cordon_error err, failure;
    struct buf out = BUF_INIT;
    struct report r;
    json_t *schema = load_schema("status-1.json");

    report_init(&r);
    assert_int_equal(report_add_layer(&r, "network", "own network namespace", true, &err), CORDON_OK);
    assert_int_equal(status_started(&r, 4711, &out, &err), CORDON_OK);
    assert_string_equal(out.data, "{\"event\":\"started\",\"pid\":4711,\"layers\":[{\"facet\":\"network\","
                                  "\"mechanism\":\"own network namespace\",\"active\":true}]}\n");
    json_decref(parse_valid(schema, out.data));
    report_release(&r);

    buf_reset(&out);
    struct outcome o = {.kind = OUTCOME_EXITED, .code = 0, .wall_ms = 15};
    assert_int_equal(status_ended(&o, &out, &err), CORDON_OK);
    assert_string_equal(
        out.data, "{\"event\":\"ended\",\"kind\":\"exited\",\"code\":0,\"signal\":null,\"wall_ms\":15}\n");
    json_decref(parse_valid(schema, out.data));

    buf_reset(&out);
    o = (struct outcome){.kind = OUTCOME_TIMED_OUT, .code = -1, .signal = 9, .wall_ms = 1001};
    assert_int_equal(status_ended(&o, &out, &err), CORDON_OK);
    assert_string_equal(
        out.data,
        "{\"event\":\"ended\",\"kind\":\"timed_out\",\"code\":null,\"signal\":9,\"wall_ms\":1001}\n");
    json_decref(parse_valid(schema, out.data));

    buf_reset(&out);
    error_set(&failure, CORDON_E_SYSTEM, 2, "linux.mount.root", "cannot use %s", "/w\n\"x\"\\y");
    assert_int_equal(status_failed(&failure, &out, &err), CORDON_OK);
    assert_string_equal(out.data, "{\"event\":\"failed\",\"step\":\"linux.mount.root\",\"message\":"
                                  "\"cannot use /w?\\\"x\\\"\\\\y\"}\n");
    json_decref(parse_valid(schema, out.data));

    buf_reset(&out);
    assert_int_equal(error_to_json(&failure, &out, &err), CORDON_OK);
    assert_string_equal(out.data,
                        "{\"error\":{\"status\":\"system\",\"step\":\"linux.mount.root\",\"os_code\":2,"
                        "\"message\":\"cannot use /w?\\\"x\\\"\\\\y\"}}\n");
    buf_release(&out);
    json_decref(schema);
}

/* A line is a line whatever a child sent through the pipe as its error. */
static void status_lines_stay_lines(void **state)
{
    (void)state;
    struct cordon_error err, failure;
    struct buf out = BUF_INIT;
    json_t *schema = load_schema("status-1.json");
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        memset(&failure, 0, sizeof failure);
        failure.status = CORDON_E_INVALID;
        memcpy(failure.step, "exec.not-found", sizeof "exec.not-found");
        memcpy(failure.message, hostile[i], strlen(hostile[i]));
        assert_int_equal(status_failed(&failure, &out, &err), CORDON_OK);
        assert_ptr_equal(strchr(out.data, '\n'), out.data + out.len - 1);
        json_decref(parse_valid(schema, out.data));
        buf_reset(&out);
    }
    buf_release(&out);
    json_decref(schema);
}

static void every_status_has_a_word(void **state)
{
    static const char *const words[] = {"ok",          "invalid", "limit",   "nomem",
                                        "unsupported", "system",  "conflict"};
    (void)state;
    for (int i = CORDON_E_INVALID; i <= CORDON_E_CONFLICT; i++) {
        struct cordon_error err, failure;
        struct buf out = BUF_INIT;
        error_set(&failure, (cordon_status)i, 0, "a.b", "words");
        assert_int_equal(error_to_json(&failure, &out, &err), CORDON_OK);
        json_t *root = json_loads(out.data, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(json_object_get(root, "error"), "status")),
                            words[i]);
        json_decref(root);
        buf_release(&out);
    }
}

static void exit_codes(void **state)
{
    static const struct {
        struct outcome outcome;
        int want;
    } cases[] = {
        {{.kind = OUTCOME_EXITED, .code = 0}, 0},
        {{.kind = OUTCOME_EXITED, .code = 255}, 255},
        {{.kind = OUTCOME_SIGNALED, .code = -1, .signal = 15}, 143},
        {{.kind = OUTCOME_LIMIT, .code = -1, .signal = 9}, 137},
        {{.kind = OUTCOME_TIMED_OUT, .code = -1, .signal = 9}, 124},
        {{.kind = OUTCOME_GUARDED, .code = -1, .signal = 9}, 123},
        {{.kind = OUTCOME_FAILED, .code = -1}, 125},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(outcome_exit_code(&cases[i].outcome), cases[i].want);
}

/* -- words for people, and room ------------------------------------------- */

static void changes_for_people(void **state)
{
    (void)state;
    struct cordon_error err;
    struct buf out = BUF_INIT;
    struct report r;
    report_init(&r);
    report_changes_text(&r, 10, &out);
    assert_string_equal(out.data, "cordon: 0 created, 0 modified, 0 deleted, 0 renamed\n");
    buf_reset(&out);
    assert_int_equal(report_add_change(&r, CHANGE_CREATED, "/w/a\n\x1b[2J", NULL, 1, &err), CORDON_OK);
    assert_int_equal(report_add_change(&r, CHANGE_RENAMED, "/w/new", "/w/old", 1, &err), CORDON_OK);
    assert_int_equal(report_add_change(&r, CHANGE_DELETED, "/w/z", NULL, 1, &err), CORDON_OK);
    report_changes_text(&r, 2, &out);
    assert_string_equal(out.data, "  created  /w/a\\x0a\\x1b[2J\n"
                                  "  renamed  /w/old -> /w/new\n"
                                  "  ... and 1 more\n"
                                  "cordon: 1 created, 0 modified, 1 deleted, 1 renamed\n");
    buf_release(&out);
    report_release(&r);
}

static void lists_grow(void **state)
{
    enum { COUNT = 1000 };
    (void)state;
    struct cordon_error err;
    struct report r;
    report_init(&r);
    for (int i = 0; i < COUNT; i++) {
        char *path = string_format("/w/%d", i);
        assert_int_equal(report_add_change(&r, CHANGE_CREATED, path, NULL, (uint64_t)i, &err), CORDON_OK);
        assert_int_equal(report_add_warning(&r, &err, "%s", path), CORDON_OK);
        assert_int_equal(report_add_degraded(&r, path, &err), CORDON_OK);
        assert_int_equal(report_add_layer(&r, path, path, false, &err), CORDON_OK);
        const struct refusal refused = {"open", path, NULL, NULL};
        assert_int_equal(report_add_refusal(&r, &refused, 1, &err), CORDON_OK);
        free(path);
    }
    assert_int_equal(r.changed_count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        char *path = string_format("/w/%d", i);
        assert_string_equal(r.changed[i].path, path);
        assert_string_equal(r.warnings[i], path);
        assert_string_equal(r.degraded[i], path);
        assert_string_equal(r.layers[i].facet, path);
        assert_string_equal(r.refusals[i].target, path);
        free(path);
    }
    report_release(&r);
    assert_int_equal(r.changed_count, 0);
    report_release(&r); /* tolerates a released one */
}

static void add_refusal(struct report *r, const char *operation, const char *target, const char *rule,
                        uint64_t count)
{
    struct cordon_error err;
    const struct refusal refused = {operation, target, rule, ""};
    assert_int_equal(report_add_refusal(r, &refused, count, &err), CORDON_OK);
}

static void equal_refusals_are_one(void **state)
{
    (void)state;
    struct report r;
    report_init(&r);
    add_refusal(&r, "connect", "/run/b", "first", 1);
    add_refusal(&r, "connect", "/run/a", NULL, 1);
    add_refusal(&r, "open", "/run/b", NULL, 1);
    add_refusal(&r, "connect", "/run/b", "second", 2);
    add_refusal(&r, NULL, NULL, NULL, 1);
    add_refusal(&r, "", "", NULL, UINT64_MAX);
    assert_int_equal(r.refusal_count, 4);
    assert_string_equal(r.refusals[0].target, "/run/b");
    assert_string_equal(r.refusals[0].rule, "first");
    assert_null(r.refusals[0].suggested_grant);
    assert_true(r.refusals[0].count == 3);
    assert_string_equal(r.refusals[1].target, "/run/a");
    assert_string_equal(r.refusals[2].operation, "open");
    assert_true(r.refusals[2].count == 1);
    assert_true(r.refusals[3].count == UINT64_MAX);
    assert_true(r.refusals_unlisted == 0);
    report_release(&r);
}

/* Whoever is refused chooses targets and their number. */
static void flood_of_refusals_is_bounded(void **state)
{
    enum { FLOOD = 200000 };
    (void)state;
    struct report r;
    char target[64];
    report_init(&r);
    for (unsigned i = 0; i < FLOOD; i++) {
        snprintf(target, sizeof target, "/w/%08x", i * 2654435761u);
        add_refusal(&r, "open", target, "rule", 1);
    }
    assert_int_equal(r.refusal_count, LIMIT_REPORT_REFUSED);
    assert_true(r.refusals_unlisted == FLOOD - LIMIT_REPORT_REFUSED);
    add_refusal(&r, "open", "/w/00000000", NULL, 6); /* known ones are still counted */
    assert_true(r.refusals[0].count == 7);
    report_release(&r);
}

static void long_refusals_are_bounded(void **state)
{
    (void)state;
    struct report r;
    static char target[LIMIT_REPORT_REFUSED_BYTES / 4 + 1];
    memset(target, 'x', sizeof target - 1);
    report_init(&r);
    for (int i = 0; i < 10; i++) {
        target[sizeof target - 2] = (char)('a' + i);
        add_refusal(&r, "open", target, NULL, 1);
    }
    assert_int_equal(r.refusal_count, 3);
    assert_true(r.refusals_unlisted == 7);
    assert_true(r.refusal_bytes <= LIMIT_REPORT_REFUSED_BYTES);
    report_release(&r);
}

/* The longest list that changes_compare() makes, all bytes escaped, must fit one buffer. */
static void largest_report_fits(void **state)
{
    (void)state;
    /* A byte that is not UTF-8 is 4 characters, and JSON doubles the backslash (a
     * control character is 6); "path", "change" and so on. */
    const uint64_t worst = 6ull * (LIMIT_REPORT_PATHS + LIMIT_REPORT_REFUSED_BYTES) +
                           160ull * (LIMIT_REPORT_CHANGED + LIMIT_REPORT_REFUSED);
    assert_true(worst < LIMIT_BUF_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_are_strict),
        cmocka_unit_test(golden_report),
        cmocka_unit_test(reports_obey_the_schema),
        cmocka_unit_test(words_are_the_schemas),
        cmocka_unit_test(schema_test_can_fail),
        cmocka_unit_test(hostile_bytes_round_trip),
        cmocka_unit_test(numbers_stay_integers),
        cmocka_unit_test(golden_status_lines),
        cmocka_unit_test(status_lines_stay_lines),
        cmocka_unit_test(every_status_has_a_word),
        cmocka_unit_test(exit_codes),
        cmocka_unit_test(changes_for_people),
        cmocka_unit_test(lists_grow),
        cmocka_unit_test(equal_refusals_are_one),
        cmocka_unit_test(flood_of_refusals_is_bounded),
        cmocka_unit_test(long_refusals_are_bounded),
        cmocka_unit_test(largest_report_fits),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
