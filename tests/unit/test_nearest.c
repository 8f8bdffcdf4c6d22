/* test_nearest.c - what is near enough to a mistyped word to be suggested. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#include "core/nearest.h"

static void suggestions(void **state)
{
    static const struct {
        const char *typed, *offered;
        bool near;
    } rows[] = {
        {"write", "write", true},
        {"writ", "write", true},
        {"wirte", "write", true},
        {"writes", "write", true},
        {"xrite", "write", true},
        {"net", "env", false},
        {"tpm", "tmp", true},
        {"x", "tmp", false},
        {"", "tmp", false},
        {"verbos", "version", false},
        {"deny_read", "deny-read", true},
        {"allowdegraded", "allow-degraded", true},
        {"a-word-that-is-longer-than-any-option-is", "allow-degraded", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct nearest n;
        nearest_init(&n, rows[i].typed);
        nearest_offer(&n, rows[i].offered);
        if ((n.best != NULL) != rows[i].near)
            fail_msg("%s, %s", rows[i].typed, rows[i].offered);
    }
    struct nearest n;
    nearest_init(&n, "writf");
    nearest_offer(&n, "writs");
    nearest_offer(&n, "writfe");
    assert_string_equal(n.best, "writs");
}

static void measures_a_part_of_a_text(void **state)
{
    (void)state;
    assert_int_equal(nearest_distance("limit", "limits.wall_seconds", 6), 1);
    assert_int_equal(nearest_distance("write", "write", 5), 0);
    assert_int_equal(nearest_distance("wriet", "write", 5), 1); /* neighbours swapped */
    assert_true(nearest_distance("profile", "write", 5) == NEAREST_NONE);
    assert_true(nearest_distance("", "", 0) == NEAREST_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suggestions),
        cmocka_unit_test(measures_a_part_of_a_text),
    };
    return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
