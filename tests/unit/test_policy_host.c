/* test_policy_host.c - the syntax of hosts in the policy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "core/policy.h"

static void knows_hosts(void **state)
{
    (void)state;
    static const char *const good[] = {
        "example.org",
        "*.example.org",
        "example.org:443",
        "localhost",
        "a",
        "xn--bcher-kva",
        "a_b.example",
        "EXAMPLE.org",
        "1.2.3.4",
        "255.255.255.255:65535",
        "[::1]",
        "[::1]:80",
        "[2001:db8::]",
        "[::]",
        "[1:2:3:4:5:6:7:8]",
        "[::1.2.3.4]",
        "[1::8]:1",
        "3com.example",
        "*.example.org:1",
        "a.1b",
        "[::ffff:1.2.3.4]:9",
    };
    static const char *const bad[] = {
        "",
        "*",
        "*.",
        "*.*.a",
        "a.*",
        "a*",
        ".a",
        "a.",
        "a..b",
        "-a",
        "a-",
        "a.-b.c",
        "a b",
        "a/b",
        "http://a",
        "a:",
        "a:0",
        "a:65536",
        "a:080000",
        "a:000080",
        "a:-1",
        "a:1:2",
        "a:1a",
        "::1",
        "[::1",
        "[]",
        "[::1]80",
        "[::1]:",
        "[::1]:0",
        "[fe80::1%eth0]",
        "[1:2:3:4:5:6:7]",
        "[1:2:3:4:5:6:7:8:9]",
        "[1::2::3]",
        "[:1]",
        "[1:]",
        "[12345::]",
        "[::1.2.3]",
        "[1.2.3.4]",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "1.2.3.04",
        "1.2.3.256",
        "1.2.3.4.5",
        "*.1.2.3.4",
        "*.4",
        "a.0x",
        "b\xc3\xbc.example",
        "a\n",
        "user@a",
        "[a]",
        "a.5",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!policy_is_host(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (policy_is_host(bad[i]))
            fail_msg("taken: %s", bad[i]);

    char label[70], name[300] = "";
    memset(label, 'a', sizeof label);
    label[63] = '\0';
    assert_true(policy_is_host(label));
    label[63] = 'a';
    label[64] = '\0';
    assert_false(policy_is_host(label));
    for (size_t i = 0; i < 253; i++)
        name[i] = i % 2 ? '.' : 'a';
    assert_true(policy_is_host(name));
    memcpy(name + 253, "a", 2);
    assert_false(policy_is_host(name));
}

/* The C library is the reference for what an address is. */
static void agrees_with_inet_pton(void **state)
{
    (void)state;
    static const char *const pieces[] = {":",     "::", "0",       "1",   "12", "ffff",
                                         "10000", ".",  "1.2.3.4", "256", "A"};
    unsigned seed = 12345, good = 0;
    for (int round = 0; round < 200000; round++) {
        char text[128] = "", entry[132];
        unsigned char address[16];
        for (int i = 0; i < 1 + round % 17; i++) {
            seed = seed * 1103515245u + 12345u;
            const char *piece = pieces[(seed >> 16) % 11];
            if (strlen(text) + strlen(piece) < sizeof text)
                memcpy(text + strlen(text), piece, strlen(piece) + 1);
            /* Mostly as an address goes: a colon between. */
            seed = seed * 1103515245u + 12345u;
            if ((seed >> 16) % 4 && strlen(text) + 2 < sizeof text)
                memcpy(text + strlen(text), ":", 2);
        }
        if (round % 2 && *text)
            text[strlen(text) - 1] = '\0';
        snprintf(entry, sizeof entry, "[%s]", text);
        bool expected = inet_pton(AF_INET6, text, address) == 1;
        good += expected;
        if (policy_is_host(entry) != expected)
            fail_msg("%s: %s here", entry, expected ? "refused" : "taken");
    }
    assert_true(good > 1000); /* else the loop shows little */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_hosts),
        cmocka_unit_test(agrees_with_inet_pton),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
