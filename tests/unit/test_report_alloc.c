/* test_report_alloc.c - reports and walks without memory: every allocation fails
 * once, jansson's too; each time there is a clean error and no leak.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include <sys/stat.h>
#include <unistd.h>

#include "core/report.h"
#include "core/report_read.h"
#include "fail_alloc.h"
#include "os/posix/changes.h"

static void *json_malloc(size_t size)
{
    return malloc(size);
}

static void json_free(void *block)
{
    free(block);
}

static int setup(void **state)
{
    (void)state;
    json_set_alloc_funcs(json_malloc, json_free);
    return 0;
}

static void expect(cordon_status status, const char *step, const struct cordon_error *err)
{
    if (!fail_alloc.failed) {
        assert_int_equal(status, CORDON_OK);
    } else if (status != CORDON_OK) { /* else what failed could be done without */
        assert_int_equal(status, CORDON_E_NOMEM);
        assert_int_equal(err->status, CORDON_E_NOMEM);
        assert_string_equal(err->step, step);
        assert_true(err->message[0]);
    }
}

/* Three of everything: lists grow on the way. */
static cordon_status build(struct report *r, struct cordon_error *err)
{
    static const char *const command[] = {"make", "", "\xff\n\"", NULL};
    static const struct refusal refusals[] = {{"socket", "AF_INET", "network", "-n on"},
                                              {"socket", "AF_INET6", NULL, NULL},
                                              {"open", "/etc/passwd", "write", "-w /etc"}};
    cordon_status status = report_set_command(r, (char *const *)command, err);
    for (int i = 0; i < 3 && status == CORDON_OK; i++) {
        if ((status = report_add_layer(r, "write", "mounts", true, err)) ||
            (status = report_add_change(r, CHANGE_CREATED, "/w/\xff", NULL, 1, err)) ||
            (status = report_add_change(r, CHANGE_RENAMED, "/w/b", "/w/a", 2, err)) ||
            (status = report_add_refusal(r, &refusals[i], 7, err)) ||
            (status = report_add_degraded(r, "unix-dgram", err)))
            break;
        status = report_add_warning(r, err, "%d directories: %0200d", i, 0);
    }
    return status;
}

static void run_build(void *data)
{
    (void)data;
    struct report r;
    struct cordon_error err = {0};
    report_init(&r);
    cordon_status status = build(&r, &err);
    expect(status, "report.build", &err);
    assert_int_equal(status == CORDON_OK, !fail_alloc.failed); /* every one is needed */
    report_release(&r);
}

static void run_set_again(void *data)
{
    char *const *words = data;
    struct report r;
    struct cordon_error err = {0};
    report_init(&r);
    if (report_set_command(&r, words, &err) == CORDON_OK &&
        report_set_command(&r, words + 1, &err) != CORDON_OK)
        assert_string_equal(r.command[0], "a"); /* untouched */
    report_release(&r);
}

enum text { TEXT_REPORT, TEXT_STARTED, TEXT_ENDED, TEXT_FAILED, TEXT_ERROR, TEXT_COUNT };

struct writing {
    const struct report *report;
    enum text text;
};

static void run_write(void *data)
{
    const struct writing *w = data;
    struct cordon_error err = {0};
    struct cordon_error failure = {CORDON_E_SYSTEM, 13, "linux.mount", "no \x01 way"};
    struct buf out = BUF_INIT;
    cordon_status status = CORDON_OK;
    switch (w->text) {
    case TEXT_REPORT:
        status = report_to_json(w->report, &out, &err);
        break;
    case TEXT_STARTED:
        status = status_started(w->report, 7, &out, &err);
        break;
    case TEXT_ENDED:
        status = status_ended(&w->report->outcome, &out, &err);
        break;
    case TEXT_FAILED:
        status = status_failed(&failure, &out, &err);
        break;
    case TEXT_ERROR:
        status = error_to_json(&failure, &out, &err);
        break;
    case TEXT_COUNT:
        break;
    }
    expect(status, "report.build", &err);
    if (status == CORDON_OK) {
        assert_false(buf_failed(&out));
        assert_non_null(out.data);
        assert_int_equal(out.data[out.len - 1], '\n');
    }
    buf_release(&out);
}

static void building(void **state)
{
    (void)state;
    static const char *const words[] = {"a", "b", "c", NULL};
    long leaked;
    assert_true(fail_each(run_build, NULL, &leaked) > 60);
    assert_int_equal(leaked, 0);
    assert_true(fail_each(run_set_again, (void *)words, &leaked) > 5);
    assert_int_equal(leaked, 0);
}

static void writing(void **state)
{
    (void)state;
    struct report r;
    struct cordon_error err = {0};
    report_init(&r);
    assert_int_equal(build(&r, &err), CORDON_OK);
    r.changed_computed = true;
    for (enum text text = TEXT_REPORT; text < TEXT_COUNT; text++) {
        struct writing w = {&r, text};
        long leaked;
        assert_true(fail_each(run_write, &w, &leaked) > 5);
        assert_int_equal(leaked, 0);
    }
    report_release(&r);
}

struct reading {
    const char *text;
    bool status_line;
};

static void run_read(void *data)
{
    const struct reading *reading = data;
    struct cordon_error err = {0};
    struct report r;
    struct status_line line;
    report_init(&r);
    status_line_init(&line);
    size_t len = strlen(reading->text);
    cordon_status status = reading->status_line ? status_parse(&line, reading->text, len, "line", &err)
                                                : report_parse(&r, reading->text, len, "r.json", &err);
    /* Without memory jansson takes the text for bad, or loses a key: no report, either way. */
    if (status != CORDON_E_INVALID || !fail_alloc.failed)
        expect(status, "report.read", &err);
    if (status != CORDON_OK) {
        assert_null(r.command);
        assert_null(line.report.layers);
    }
    report_release(&r);
    status_line_release(&line);
}

/* Adding has a step of its own; whoever reads is told that reading failed. */
static void reading(void **state)
{
    (void)state;
    struct report r;
    struct cordon_error err = {0};
    struct buf text = BUF_INIT;
    long leaked;
    report_init(&r);
    assert_int_equal(build(&r, &err), CORDON_OK);
    r.workspace = string_copy("/w");
    r.changed_computed = true;
    assert_int_equal(report_add_network(&r, "h", 1, "v", &err), CORDON_OK);
    assert_int_equal(report_to_json(&r, &text, &err), CORDON_OK);
    struct reading whole = {text.data, false};
    assert_true(fail_each(run_read, &whole, &leaked) > 100);
    assert_int_equal(leaked, 0);
    buf_reset(&text);
    assert_int_equal(status_started(&r, 7, &text, &err), CORDON_OK);
    struct reading started = {text.data, true};
    assert_true(fail_each(run_read, &started, &leaked) > 20);
    assert_int_equal(leaked, 0);
    struct reading failed = {"{\"event\":\"failed\",\"step\":\"a\",\"message\":\"b\"}", true};
    assert_true(fail_each(run_read, &failed, &leaked) > 5);
    assert_int_equal(leaked, 0);
    buf_release(&text);
    report_release(&r);
}

static void run_text(void *data)
{
    struct buf out = BUF_INIT;
    report_text(data, &out);
    assert_int_equal(buf_failed(&out), fail_alloc.failed);
    buf_release(&out);
}

/* For people there is no status: the text is whole, or the buffer says that it is not. */
static void run_changes_text(void *data)
{
    struct buf out = BUF_INIT;
    report_changes_text(data, 50, &out);
    assert_int_equal(buf_failed(&out), fail_alloc.failed);
    buf_release(&out);
}

static void words_for_people(void **state)
{
    (void)state;
    struct report r;
    struct cordon_error err = {0};
    long leaked;
    report_init(&r);
    assert_int_equal(build(&r, &err), CORDON_OK);
    assert_true(fail_each(run_changes_text, &r, &leaked) > 0);
    assert_int_equal(leaked, 0);
    assert_true(fail_each(run_text, &r, &leaked) > 0);
    assert_int_equal(leaked, 0);
    report_release(&r);
}

/* -- walks ------------------------------------------------------------------ */

static void run_walk(void *data)
{
    static const char *const nothing[] = {"/nonexistent/root"};
    const char *root = data;
    char skip[512];
    const char *skips[] = {skip};
    struct changes before, after;
    struct report r;
    struct cordon_error err = {0};
    report_init(&r);
    changes_init(&before);
    changes_init(&after);
    snprintf(skip, sizeof skip, "%s/a/skipped", root);
    cordon_status status = changes_snapshot(nothing, 1, NULL, 0, &before, &err);
    if (status == CORDON_OK)
        status = changes_snapshot(&root, 1, skips, 1, &after, &err);
    if (status == CORDON_OK)
        status = changes_compare(&before, &after, &r, &err);
    if (status != CORDON_OK && strcmp(err.step, "report.build") == 0)
        expect(status, "report.build", &err);
    else
        expect(status, "changes.walk", &err);
    assert_int_equal(r.changed_computed, status == CORDON_OK);
    if (!fail_alloc.failed)
        assert_int_equal(r.changed_count, 5);
    report_release(&r);
    changes_release(&before);
    changes_release(&after);
}

static void walking(void **state)
{
    (void)state;
    static const char *const directories[] = {"", "/a", "/a/b", "/a/skipped", "/c", "/c/d"};
    char root[] = "test-alloc-XXXXXX", here[256], path[512];
    long leaked;
    assert_non_null(getcwd(here, sizeof here));
    assert_non_null(mkdtemp(root));
    for (size_t i = 1; i < sizeof directories / sizeof *directories; i++) {
        snprintf(path, sizeof path, "%s%s", root, directories[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    snprintf(path, sizeof path, "%s/%s", here, root);
    size_t failures = fail_each(run_walk, path, &leaked);
    for (size_t i = sizeof directories / sizeof *directories; i-- > 0;) {
        snprintf(path, sizeof path, "%s%s", root, directories[i]);
        assert_int_equal(rmdir(path), 0);
    }
    assert_true(failures > 15);
    assert_int_equal(leaked, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(building),         cmocka_unit_test(writing), cmocka_unit_test(reading),
        cmocka_unit_test(words_for_people), cmocka_unit_test(walking),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
