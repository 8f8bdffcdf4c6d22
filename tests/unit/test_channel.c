/* test_channel.c - what launcher and init say to each other arrives (src/os/linux/channel.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/linux/channel.h"

static int receive(int channel, struct channel_message *message)
{
    int fd;
    pid_t sender;
    return channel_receive(channel, true, message, &fd, &sender);
}

/* Init fails before it has read what it was told: why it did counts. */
static void last_word_of_one_that_did_not_listen(void **state)
{
    (void)state;
    struct channel_message go = {.kind = CHANNEL_GO}, failed = {.kind = CHANNEL_FAILED}, got;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    failed.error.os_code = 7;
    assert_true(channel_send(pair[0], &go, -1, 0));
    assert_true(channel_send(pair[1], &failed, -1, 0));
    close(pair[1]);
    memset(&got, 0, sizeof got);
    assert_int_equal(receive(pair[0], &got), 1);
    assert_int_equal(got.kind, CHANNEL_FAILED);
    assert_int_equal(got.error.os_code, 7);
    assert_int_equal(receive(pair[0], &got), 0);
    close(pair[0]);
}

static void the_end_alone(void **state)
{
    (void)state;
    struct channel_message go = {.kind = CHANNEL_GO}, got;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    assert_true(channel_send(pair[0], &go, -1, 0));
    close(pair[1]);
    assert_int_equal(receive(pair[0], &got), 0);
    assert_false(channel_send(pair[0], &go, -1, 0));
    close(pair[0]);
}

/* A descriptor that found no place must not pass for one that was not sent: init
 * would run the command without its Landlock ruleset. */
static void lost_descriptor_is_the_end(void **state)
{
    (void)state;
    struct channel_message start = {.kind = CHANNEL_START}, got;
    struct rlimit before, none;
    int pair[2], fd;
    pid_t sender;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    assert_true(channel_send(pair[0], &start, pair[1], 0));
    assert_int_equal(channel_receive(pair[1], true, &got, &fd, &sender), 1);
    assert_true(fd >= 0);
    close(fd);
    assert_true(channel_send(pair[0], &start, pair[1], 0));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int result = channel_receive(pair[1], true, &got, &fd, &sender);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(result, 0);
    assert_int_equal(fd, -1);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_word_of_one_that_did_not_listen),
        cmocka_unit_test(the_end_alone),
        cmocka_unit_test(lost_descriptor_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
