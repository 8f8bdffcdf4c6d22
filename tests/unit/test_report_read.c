/* test_report_read.c - reports and status lines read back, as cordon wrote them
 * and as somebody else did; and the report in words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/limits.h"
#include "core/report.h"
#include "core/report_read.h"
#include "core/utf.h"
#include "json_schema.h"

static const char *const some_command[] = {"make", "-C", "it's here", "\xff\x1b[2J", NULL};

/* Something in every list. */
static void fill_report(struct report *r)
{
    struct cordon_error err;
    report_init(r);
    assert_int_equal(report_set_command(r, (char *const *)some_command, &err), CORDON_OK);
    r->workspace = string_copy("/home/u/project");
    r->outcome = (struct outcome){.kind = OUTCOME_EXITED,
                                  .code = 3,
                                  .wall_ms = 1234,
                                  .cpu_ms = 80,
                                  .max_rss_bytes = 4096000,
                                  .processes = 7};
    assert_int_equal(report_add_layer(r, "write", "mount namespace, Landlock", true, &err), CORDON_OK);
    assert_int_equal(report_add_layer(r, "unix-dgram", "refused by seccomp", false, &err), CORDON_OK);
    r->changed_computed = true;
    assert_int_equal(report_add_change(r, CHANGE_CREATED, "/home/u/project/a\xff.o", NULL, 1200, &err),
                     CORDON_OK);
    assert_int_equal(
        report_add_change(r, CHANGE_RENAMED, "/home/u/project/new", "/home/u/project/old", 5, &err),
        CORDON_OK);
    r->observed = OBSERVED_SOCKETS;
    static const struct refusal refusals[] = {
        {"connect", "/run/docker.sock", "network.unix_sockets", "--unix-socket /run/docker.sock"},
        {"connect", "/tmp/\x1b]0;x\x07\n", NULL, NULL}};
    assert_int_equal(report_add_refusal(r, &refusals[0], 2, &err), CORDON_OK);
    assert_int_equal(report_add_refusal(r, &refusals[1], 1, &err), CORDON_OK);
    r->refusals_unlisted = 9;
    assert_int_equal(report_add_network(r, "example.org", 443, "refused", &err), CORDON_OK);
    assert_int_equal(report_add_degraded(r, "limit-memory", &err), CORDON_OK);
    assert_int_equal(report_add_warning(r, &err, "%d files have \\ other links", 3), CORDON_OK);
}

static char *to_json(const struct report *r)
{
    struct buf out = BUF_INIT;
    struct cordon_error err;
    assert_int_equal(report_to_json(r, &out, &err), CORDON_OK);
    return buf_take(&out);
}

static void reads_what_it_wrote(void **state)
{
    (void)state;
    struct report r, again;
    struct cordon_error err;
    fill_report(&r);
    report_init(&again);
    char *text = to_json(&r);
    assert_int_equal(report_parse(&again, text, strlen(text), "r.json", &err), CORDON_OK);
    char *back = to_json(&again);
    assert_string_equal(text, back);
    for (size_t i = 0; some_command[i]; i++)
        assert_string_equal(again.command[i], some_command[i]);
    assert_string_equal(again.changed[0].path, "/home/u/project/a\xff.o");
    assert_string_equal(again.refusals[1].target, "/tmp/\x1b]0;x\x07\n");
    assert_null(again.refusals[1].rule);
    assert_true(again.refusals_unlisted == 9);
    assert_string_equal(again.warnings[0], r.warnings[0]);
    free(text);
    free(back);
    report_release(&r);
    report_release(&again);
}

static void reads_every_outcome(void **state)
{
    static const struct outcome outcomes[] = {
        {.kind = OUTCOME_FAILED, .code = -1, .processes = -1},
        {.kind = OUTCOME_GUARDED, .code = -1, .signal = 9, .processes = 4},
        {.kind = OUTCOME_LIMIT, .code = -1, .signal = 9, .limit = "memory", .processes = -1},
        {.kind = OUTCOME_LIMIT, .code = -1, .signal = 24, .limit = "cpu", .processes = 2},
        {.kind = OUTCOME_TIMED_OUT, .code = -1, .signal = 9, .limit = "wall", .processes = 2},
        {.kind = OUTCOME_SIGNALED, .code = -1, .signal = 11, .processes = 2},
        {.kind = OUTCOME_EXITED, .code = 0, .processes = 0},
    };
    (void)state;
    struct cordon_error err;
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        struct report r, again;
        fill_report(&r);
        report_init(&again);
        r.outcome = outcomes[i];
        r.changed_computed = i % 2;
        if (!r.changed_computed)
            r.changed_count = 0;
        char *text = to_json(&r);
        assert_int_equal(report_parse(&again, text, strlen(text), "r.json", &err), CORDON_OK);
        assert_int_equal(again.outcome.kind, outcomes[i].kind);
        assert_int_equal(again.changed_computed, r.changed_computed);
        char *back = to_json(&again);
        assert_string_equal(text, back);
        free(text);
        free(back);
        r.changed_count = r.changed_computed ? r.changed_count : 2; /* they are still there to be freed */
        report_release(&r);
        report_release(&again);
    }
}

static void expect_refused(const char *text, size_t len, cordon_status want, const char *words)
{
    struct report r;
    struct cordon_error err;
    report_init(&r);
    cordon_status status = report_parse(&r, text, len, "r.json", &err);
    if (status != want || !strstr(err.message, words))
        fail_msg("wanted %d and `%s`, got %d: %s", want, words, status, status ? err.message : "");
    assert_string_equal(err.step, "report.read");
    assert_int_equal(strncmp(err.message, "r.json", 6), 0);
    assert_null(r.workspace);
    assert_null(r.command);
    report_release(&r);
}

/* Each breaks a good report in one place: what is said, and whether the schema says so too. */
static const struct {
    const char *from, *to, *words;
    bool schema_takes_it; /* what it cannot say */
} breakages[] = {
    {"\"version\": 1", "\"version\": 0", "$.version: want 1", false},
    {"\"version\": 1", "\"version\": \"1\"", "$.version: want 1", false},
    {"\"version\": 1,", "", "$.version: want 1", false},
    {"\"workspace\": \"/home/u/project\",", "", "$.workspace: want it to be there", false},
    {"\"tier\": null", "\"tier\": null, \"extra\": 1", "$.extra: want no such key", false},
    {"\"tier\": null", "\"tier\": 1", "$.tier: want a string or null", false},
    {"\"make\"", "1", "$.command[0]: want a string", false},
    {"\"make\"", "\"\\\\q\"", "$.command[0]: want bytes escaped", true},
    {"\"active\": true", "\"active\": null", "$.layers[0].active: want true or false", false},
    {"\"facet\": \"unix-dgram\"", "\"face\": \"unix-dgram\"", "$.layers[1].facet: want it to be there",
     false},
    {"\"kind\": \"exited\"", "\"kind\": \"ended\"", "$.outcome.kind: want one of failed, guarded", false},
    {"\"kind\": \"exited\"", "\"kind\": \"signaled\"", "$.outcome.code: want null", true},
    {"\"code\": 3", "\"code\": null", "$.outcome.code: want a number", true},
    {"\"code\": 3", "\"code\": -1", "$.outcome.code: want a whole number from 0", false},
    {"\"code\": 3", "\"code\": 3.0", "$.outcome.code: want a whole number from 0", false},
    {"\"signal\": null", "\"signal\": 0", "$.outcome.signal: want a whole number from 1 to 127", false},
    {"\"limit\": null", "\"limit\": \"disk\"", "$.outcome.limit: want one of wall", false},
    {"\"wall_ms\": 1234", "\"wall_ms\": -1", "$.outcome.wall_ms: want a whole number", false},
    {"\"processes\": 7", "\"processes\": \"7\"", "$.outcome.processes: want a whole number", false},
    {"\"change\": \"renamed\"", "\"change\": \"moved\"", "$.changed[1].change: want one of created", false},
    {"\"from\": null", "\"from\": \"/x\"", "$.changed[0].from: want null", true},
    {"\"observed\": \"sockets\"", "\"observed\": \"some\"", "$.refused.observed: want one of none", false},
    {"\"count\": 2", "\"count\": true", "$.refused.entries[0].count: want a whole number", false},
    {"\"unlisted\": 9", "\"unlisted\": null", "$.refused.unlisted: want a whole number", false},
    {"\"port\": 443", "\"port\": 65536", "$.network[0].port: want a whole number from 0 to 65535", false},
    {"\"limit-memory\"", "\"limit-\\u001b[2J\"", "$.degraded[0]: want one line", true},
    {"\"limit-memory\"", "[]", "$.degraded[0]: want a string", false},
    {"\"3 files", "\"3\\nfiles", "$.warnings[0]: want one line", true},
    {"\"3 files", "\"3 \\u202e files", "$.warnings[0]: want one line", true},
};

static void refuses_what_is_no_report(void **state)
{
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
        expect_refused(broken, strlen(broken), CORDON_E_INVALID, breakages[i].words);
        json_t *value = json_loads(broken, 0, NULL);
        assert_non_null(value);
        char *violated = violation(schema, value, "$");
        if (!violated != breakages[i].schema_takes_it)
            fail_msg("the schema %s %s", violated ? "refuses" : "takes", breakages[i].to);
        free(violated);
        json_decref(value);
        free(broken);
    }
    free(text);
    report_release(&r);
    json_decref(schema);
}

static void refuses_other_texts(void **state)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"", "empty"},
        {"{", "ends in the middle"},
        {"{\"version\": 1, \"com", "ends in the middle"},
        {"[]", "want an object"},
        {"[1,", "ends in the middle"},
        {"nonsense \x1b[2J", "not JSON"},
        {"{\"version\": 1} x", "not JSON"},
        {"{\"version\": 1, \"version\": 1}", "not JSON: duplicate"},
        {"{\"version\": 1, \"\xff\": 1}", "not JSON"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_refused(rows[i].text, strlen(rows[i].text), CORDON_E_INVALID, rows[i].words);
    static const char newer[] = "{\"version\": 2, \"anything\": []}";
    expect_refused(newer, sizeof newer - 1, CORDON_E_UNSUPPORTED, "a newer cordon can show it");
}

/* A good report cut off anywhere. */
static void refuses_every_beginning(void **state)
{
    (void)state;
    struct report r, again;
    struct cordon_error err;
    fill_report(&r);
    char *text = to_json(&r);
    size_t len = strlen(text);
    for (size_t cut = 0; cut < len - 1; cut++) {
        report_init(&again);
        assert_int_equal(report_parse(&again, text, cut, "r.json", &err), CORDON_E_INVALID);
        assert_null(again.workspace);
    }
    free(text);
    report_release(&r);
}

static char *repeated(const char *head, const char *unit, size_t count)
{
    struct buf text = BUF_INIT;
    buf_add_string(&text, head);
    for (size_t i = 0; i < count; i++)
        buf_add_string(&text, unit);
    char *taken = buf_take(&text);
    assert_non_null(taken);
    return taken;
}

static void caps_hold(void **state)
{
    (void)state;
    char *deep = repeated("", "[", 100000), *wide = repeated("[", "{},", LIMIT_REPORT_VALUES);
    char *quoted = repeated("[\"", "[{,", 100000);
    expect_refused(deep, strlen(deep), CORDON_E_LIMIT, "nested deeper");
    expect_refused(wide, strlen(wide), CORDON_E_LIMIT, "more values");
    expect_refused(quoted, strlen(quoted), CORDON_E_INVALID,
                   "ends in the middle"); /* in a string they are text */
    /* Never looked at: only the size counts. */
    expect_refused(deep, LIMIT_BUF_BYTES + 1ul, CORDON_E_LIMIT, "larger than a report can be");
    free(deep);
    free(wide);
    free(quoted);
}

/* The largest that cordon writes has room in the caps. */
static void largest_list_is_read(void **state)
{
    (void)state;
    struct report r, again;
    struct cordon_error err;
    fill_report(&r);
    report_init(&again);
    char path[32];
    while (r.changed_count < LIMIT_REPORT_CHANGED) {
        snprintf(path, sizeof path, "/w/%zu", r.changed_count);
        assert_int_equal(report_add_change(&r, CHANGE_MODIFIED, path, NULL, 1, &err), CORDON_OK);
    }
    char *text = to_json(&r);
    assert_int_equal(report_parse(&again, text, strlen(text), "r.json", &err), CORDON_OK);
    assert_int_equal(again.changed_count, LIMIT_REPORT_CHANGED);
    free(text);
    report_release(&r);
    report_release(&again);
}

/* -- words ------------------------------------------------------------------ */

static void expect_words(const struct report *r, const char *want)
{
    struct buf out = BUF_INIT;
    report_text(r, &out);
    assert_string_equal(out.data, want);
    buf_release(&out);
}

static void golden_words(void **state)
{
    (void)state;
    struct report r;
    fill_report(&r);
    expect_words(
        &r, "ran       make -C 'it'\\''s here' '\\xff\\x1b[2J'\n"
            "in        /home/u/project\n"
            "ended     with exit code 3 after 1.2 s; CPU 0.0 s, 4000 KiB in the largest process, "
            "7 processes and threads\n"
            "changed   1 created, 1 renamed\n"
            "          created  a\\xff.o\n"
            "          renamed  old -> new\n"
            "refused   12; sockets were observed, nothing else (run with --trace)\n"
            "          connect /run/docker.sock (2 times)\n"
            "              refused by network.unix_sockets; to allow it: --unix-socket /run/docker.sock\n"
            "          connect /tmp/\\x1b]0;x\\x07\\x0a\n"
            "              no option allows it\n"
            "          and 9 that the report does not list, for there were too many kinds\n"
            "network   refused example.org:443\n"
            "layers    1 facet enforced; not unix-dgram (refused by seccomp)\n"
            "degraded  limit-memory, as --allow-degraded accepted\n"
            "warning   3 files have \\\\ other links\n");
    report_release(&r);
}

static void empty_report_in_words(void **state)
{
    (void)state;
    struct report r;
    report_init(&r);
    expect_words(&r,
                 "ran       \nin        \n"
                 "ended     before it began: cordon itself failed, see the warnings\n"
                 "changed   not compared: run with --report or --changes. Whether files with other names\n"
                 "          outside (old hard links) were written is not known either.\n"
                 "refused   not observed: what the kernel refused left no record (run with --trace)\n"
                 "layers    0 facets enforced\n");
    r.changed_computed = true;
    struct buf out = BUF_INIT;
    report_text(&r, &out);
    assert_non_null(strstr(out.data, "changed   nothing\n"));
    buf_release(&out);
    report_release(&r);
}

static void many_changes_are_grouped(void **state)
{
    (void)state;
    struct report r;
    struct cordon_error err;
    struct buf out = BUF_INIT;
    char path[64];
    report_init(&r);
    r.workspace = string_copy("/ws");
    r.changed_computed = true;
    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof path, "/ws/target/%04d", i);
        assert_int_equal(
            report_add_change(&r, i % 10 ? CHANGE_CREATED : CHANGE_MODIFIED, path, NULL, 1, &err), CORDON_OK);
    }
    assert_int_equal(report_add_change(&r, CHANGE_DELETED, "/ws/x", NULL, 1, &err), CORDON_OK);
    report_text(&r, &out);
    assert_non_null(strstr(out.data, "changed   900 created, 100 modified, 1 deleted\n"
                                     "          target/: 900 created, 100 modified\n"
                                     "          x: 1 deleted\n"
                                     "refused"));
    buf_reset(&out);
    /* Groups are bounded too. */
    for (int i = 0; i < 1000; i++) {
        snprintf(path, sizeof path, "/ws/y%04d/f", i);
        assert_int_equal(report_add_change(&r, CHANGE_CREATED, path, NULL, 1, &err), CORDON_OK);
    }
    report_text(&r, &out);
    assert_non_null(strstr(out.data, "          ... and 962 more changes, see --json\n"));
    assert_true(out.len < 4096);
    buf_release(&out);
    report_release(&r);
}

/* -- status lines ------------------------------------------------------------ */

static void reads_status_lines(void **state)
{
    (void)state;
    struct status_line line;
    struct cordon_error err, failure;
    struct buf text = BUF_INIT;
    struct report r;
    fill_report(&r);
    status_line_init(&line);

    assert_int_equal(status_started(&r, 4711, &text, &err), CORDON_OK);
    assert_int_equal(status_parse(&line, text.data, text.len, "line", &err), CORDON_OK);
    assert_int_equal(line.event, STATUS_STARTED);
    assert_true(line.pid == 4711);
    assert_int_equal(line.report.layer_count, 2);
    assert_string_equal(line.report.layers[1].facet, "unix-dgram");
    assert_false(line.report.layers[1].active);
    status_line_release(&line);

    buf_reset(&text);
    assert_int_equal(status_ended(&r.outcome, &text, &err), CORDON_OK);
    assert_int_equal(status_parse(&line, text.data, text.len - 1, "line", &err), CORDON_OK);
    assert_int_equal(line.event, STATUS_ENDED);
    assert_int_equal(line.report.outcome.kind, OUTCOME_EXITED);
    assert_int_equal(line.report.outcome.code, 3);
    assert_true(line.report.outcome.wall_ms == 1234);
    status_line_release(&line);

    buf_reset(&text);
    error_set(&failure, CORDON_E_SYSTEM, 2, "linux.mount.root", "cannot use %s", "/w\n\"x\"\\y");
    assert_int_equal(status_failed(&failure, &text, &err), CORDON_OK);
    assert_int_equal(status_parse(&line, text.data, text.len, "line", &err), CORDON_OK);
    assert_int_equal(line.event, STATUS_FAILED);
    assert_string_equal(line.step, "linux.mount.root");
    assert_string_equal(line.message, failure.message);
    status_line_release(&line);
    buf_release(&text);
    report_release(&r);
}

static void refuses_other_lines(void **state)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"", "empty"},
        {"{}", "$.event: want one of started, ended, failed"},
        {"[]", "want an object"},
        {"{\"event\":\"started\",\"pid\":1}", "$.layers: want it to be there"},
        {"{\"event\":\"started\",\"pid\":-1,\"layers\":[]}", "$.pid: want a whole number"},
        {"{\"event\":\"started\",\"pid\":1,\"layers\":[{}]}", "$.layers[0].facet: want it"},
        {"{\"event\":\"ended\",\"kind\":\"exited\",\"code\":0,\"signal\":null}", "$.wall_ms: want it"},
        {"{\"event\":\"ended\",\"kind\":\"exited\",\"code\":0,\"signal\":null,\"wall_ms\":1,\"x\":1}",
         "$.x: want no"},
        {"{\"event\":\"failed\",\"step\":\"a\",\"message\":\"two\\nlines\"}", "$.message: want one line"},
        {"{\"event\":\"failed\",\n\"step\":\"a\",\"message\":\"x\"}", "want one line"},
        {"{\"event\":\"failed\",\"step\":\"a\",\"message\":", "ends in the middle"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct status_line line;
        struct cordon_error err;
        status_line_init(&line);
        cordon_status status = status_parse(&line, rows[i].text, strlen(rows[i].text), "line", &err);
        if (status != CORDON_E_INVALID || !strstr(err.message, rows[i].words))
            fail_msg("%s: %d %s", rows[i].text, status, status ? err.message : "");
        assert_null(line.step);
        assert_null(line.report.layers);
        status_line_release(&line);
    }
    struct status_line line;
    struct cordon_error err;
    char *huge = repeated("{\"event\":\"failed\",\"step\":\"", "x", LIMIT_STATUS_BYTES);
    status_line_init(&line);
    assert_int_equal(status_parse(&line, huge, strlen(huge), "line", &err), CORDON_E_LIMIT);
    free(huge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_wrote),       cmocka_unit_test(reads_every_outcome),
        cmocka_unit_test(refuses_what_is_no_report), cmocka_unit_test(refuses_other_texts),
        cmocka_unit_test(refuses_every_beginning),   cmocka_unit_test(caps_hold),
        cmocka_unit_test(largest_list_is_read),      cmocka_unit_test(golden_words),
        cmocka_unit_test(empty_report_in_words),     cmocka_unit_test(many_changes_are_grouped),
        cmocka_unit_test(reads_status_lines),        cmocka_unit_test(refuses_other_lines),
    };
    return cmocka_run_group_tests_name("report_read", tests, NULL, NULL);
}
