/* What the trace remembers, and when it must not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "os/linux/trace_cache.h"

static void working_directories(void **state)
{
    struct trace_cache c;
    (void)state;
    trace_cache_init(&c);
    assert_null(trace_cache_cwd(&c, 10));
    trace_cache_put_cwd(&c, 10, "/a/long/one");
    trace_cache_put_cwd(&c, 11, "/b");
    assert_string_equal(trace_cache_cwd(&c, 10), "/a/long/one");
    assert_string_equal(trace_cache_cwd(&c, 11), "/b");
    trace_cache_put_cwd(&c, 10, "/c");
    assert_string_equal(trace_cache_cwd(&c, 10), "/c");
    /* The same place: the older goes. */
    trace_cache_put_cwd(&c, 10 + TRACE_CACHE_ENTRIES, "/d");
    assert_null(trace_cache_cwd(&c, 10));
    assert_string_equal(trace_cache_cwd(&c, 10 + TRACE_CACHE_ENTRIES), "/d");
    trace_cache_release(&c);
}

static void open_directories(void **state)
{
    struct trace_cache c;
    (void)state;
    trace_cache_init(&c);
    assert_false(trace_cache_is_open(&c, "", 0));
    assert_false(trace_cache_is_open(&c, "/w/a/", 5));
    trace_cache_put_open(&c, "/w/a/file", 5);
    assert_true(trace_cache_is_open(&c, "/w/a/other", 5));
    assert_false(trace_cache_is_open(&c, "/w/a", 4));
    assert_false(trace_cache_is_open(&c, "/w/b/", 5));
    assert_false(trace_cache_is_open(&c, "/w/a/b/", 7));
    trace_cache_release(&c);
}

/* A call that was answered is made afterwards: what was learnt meanwhile goes too. */
static void calls_that_change_something(void **state)
{
    static const enum trace_effect effects[] = {TRACE_MOVES_LINKS, TRACE_MOVES_CWD};
    struct trace_cache c;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        trace_cache_init(&c);
        trace_cache_put_cwd(&c, 10, "/a");
        trace_cache_put_open(&c, "/w/", 3);
        trace_cache_note(&c, TRACE_NO_EFFECT);
        assert_non_null(trace_cache_cwd(&c, 10));
        assert_true(trace_cache_is_open(&c, "/w/", 3));
        trace_cache_note(&c, effects[i]);
        assert_null(trace_cache_cwd(&c, 10));
        assert_false(trace_cache_is_open(&c, "/w/", 3));
        trace_cache_put_cwd(&c, 10, "/a");
        trace_cache_put_open(&c, "/w/", 3);
        trace_cache_note(&c, TRACE_NO_EFFECT);
        assert_null(trace_cache_cwd(&c, 10));
        assert_false(trace_cache_is_open(&c, "/w/", 3));
        trace_cache_put_cwd(&c, 10, "/b");
        trace_cache_note(&c, TRACE_NO_EFFECT);
        assert_string_equal(trace_cache_cwd(&c, 10), "/b");
        trace_cache_release(&c);
    }
}

static void many_stay_bounded(void **state)
{
    struct trace_cache c;
    (void)state;
    trace_cache_init(&c);
    for (int i = 1; i < 5000; i++) {
        char text[40];
        int len = snprintf(text, sizeof text, "/w/%d/", i);
        trace_cache_put_open(&c, text, (size_t)len);
        assert_true(trace_cache_is_open(&c, text, (size_t)len));
        trace_cache_put_cwd(&c, i, text);
        assert_string_equal(trace_cache_cwd(&c, i), text);
    }
    trace_cache_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(working_directories),
        cmocka_unit_test(open_directories),
        cmocka_unit_test(calls_that_change_something),
        cmocka_unit_test(many_stay_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
