/* test_pty_relay.c - bytes between two pseudo-terminals (src/os/posix/pty_relay.h).
 *
 * `user` is where a person would sit, `inside` what a command would have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "os/posix/pty_relay.h"
#include "os/posix/raw_terminal.h"

struct world {
    struct poller poller;
    struct pty_relay relay;
    int user, terminal; /* outer: person's side, the relay's */
    int master, inside; /* inner: the relay's, the command's */
    int never;          /* not readable */
    int hung_up;
};

static void hung_up(void *self)
{
    struct world *w = self;
    w->hung_up++;
}

static void open_pair(int *master, int *slave)
{
    struct termios raw;
    memset(&raw, 0, sizeof raw);
    cfmakeraw(&raw);
    raw.c_cflag |= CREAD | CS8;
    raw.c_cc[VMIN] = 1;
    assert_int_equal(openpty(master, slave, NULL, &raw, NULL), 0);
    fcntl(*master, F_SETFL, O_NONBLOCK);
    fcntl(*slave, F_SETFL, O_NONBLOCK);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    open_pair(&w->user, &w->terminal);
    open_pair(&w->master, &w->inside);
    w->never = eventfd(0, EFD_CLOEXEC);
    poller_init(&w->poller);
    pty_relay_init(&w->relay);
    w->relay.terminal = w->terminal;
    w->relay.master = w->master;
    w->relay.hung_up = hung_up;
    w->relay.self = w;
    pty_relay_start(&w->relay, &w->poller);
    *state = w;
    return 0;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int teardown(void **state)
{
    struct world *w = *state;
    pty_relay_stop(&w->relay);
    close_one(&w->user);
    close_one(&w->terminal);
    close_one(&w->master);
    close_one(&w->inside);
    close_one(&w->never);
    free(w);
    return 0;
}

/* One round, unless nothing is ready. */
static bool turn(struct world *w)
{
    struct pollfd fds[POLLER_MAX];
    memcpy(fds, w->poller.fds, w->poller.count * sizeof *fds);
    return w->poller.count && poll(fds, w->poller.count, 0) > 0 && poller_wait(&w->poller);
}

static void settle(struct world *w)
{
    /* The kernel moves bytes from one side of a terminal to the other by a worker of its own. */
    for (int idle = 0, rounds = 0; idle < 20; rounds++) {
        assert_true(rounds < 100000);
        if (turn(w))
            idle = 0;
        else
            idle += poll(NULL, 0, 1) == 0;
    }
}

static unsigned char expected(size_t at)
{
    return (unsigned char)(at * 31 + (at >> 8));
}

/* `total` bytes from one end to the other, in chunks of `chunk`, both ends driven by turns. */
static void carry(struct world *w, int from, int to, size_t total, size_t chunk)
{
    unsigned char out[8192], in[8192];
    size_t sent = 0, got = 0;
    assert_true(chunk <= sizeof out);
    for (int idle = 0; got < total;) {
        size_t want = total - sent < chunk ? total - sent : chunk;
        for (size_t i = 0; i < want; i++)
            out[i] = expected(sent + i);
        ssize_t put = want ? write(from, out, want) : 0;
        bool moved = put > 0;
        sent += put > 0 ? (size_t)put : 0;
        moved = turn(w) || moved;
        ssize_t here = read(to, in, sizeof in);
        for (ssize_t i = 0; i < here; i++)
            assert_int_equal(in[i], expected(got + (size_t)i));
        got += here > 0 ? (size_t)here : 0;
        if (moved || here > 0) {
            idle = 0;
        } else {
            assert_true(++idle < 5000);
            poll(NULL, 0, 1);
        }
    }
    assert_int_equal(got, total);
}

static void every_byte_goes_both_ways(void **state)
{
    struct world *w = *state;
    carry(w, w->user, w->inside, 4096, 256);
    carry(w, w->inside, w->user, 4096, 256);
    carry(w, w->user, w->inside, 1, 1);
    assert_int_equal(w->hung_up, 0);
}

static void much_goes_through(void **state)
{
    struct world *w = *state;
    carry(w, w->inside, w->user, 2000000, 8192);
    carry(w, w->user, w->inside, 300000, 8192);
}

/* Writes until nothing more fits; how much that was. */
static size_t stuff(struct world *w, int fd, size_t cap)
{
    unsigned char bytes[1000];
    size_t sent = 0;
    for (int idle = 0; idle < 20 && sent < cap;) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = expected(sent + i);
        ssize_t put = write(fd, bytes, sizeof bytes);
        if (put > 0) {
            sent += (size_t)put;
            idle = 0;
        }
        if (!turn(w) && put <= 0) {
            idle++;
            poll(NULL, 0, 1);
        }
    }
    return sent;
}

static void take_all(struct world *w, int fd, size_t want)
{
    unsigned char bytes[4096];
    size_t got = 0;
    for (int idle = 0; got < want && idle < 5000;) {
        ssize_t here = read(fd, bytes, sizeof bytes);
        for (ssize_t i = 0; i < here; i++)
            assert_int_equal(bytes[i], expected(got + (size_t)i));
        got += here > 0 ? (size_t)here : 0;
        if (!turn(w) && here <= 0) {
            idle++;
            poll(NULL, 0, 1);
        }
    }
    assert_int_equal(got, want);
}

static void a_slow_reader_holds_the_writer_up(void **state)
{
    struct world *w = *state;
    size_t cap = 4000000;
    size_t output = stuff(w, w->inside, cap);
    assert_true(output > 0 && output < cap);
    assert_false(turn(w)); /* waiting is not spinning */
    size_t keys = stuff(w, w->user, cap);
    assert_true(keys > 0 && keys < cap);
    assert_false(turn(w));
    take_all(w, w->inside, keys);
    take_all(w, w->user, output);
    settle(w);
    assert_int_equal(w->poller.count, 2);
}

static void one_way_stuck_does_not_hold_the_other(void **state)
{
    struct world *w = *state;
    size_t keys = stuff(w, w->user, 4000000); /* nobody reads them */
    carry(w, w->inside, w->user, 100000, 4096);
    take_all(w, w->inside, keys);
    size_t output = stuff(w, w->inside, 4000000);
    carry(w, w->user, w->inside, 100000, 4096);
    take_all(w, w->user, output);
}

static void the_user_hangs_up(void **state)
{
    struct world *w = *state;
    close_one(&w->user);
    settle(w);
    assert_int_equal(w->hung_up, 1);
    assert_true(w->relay.terminal_gone);
    /* What the command still says goes nowhere, and does not hold it up. */
    assert_int_equal(stuff(w, w->inside, 500000), 500000);
    assert_int_equal(w->hung_up, 1);
}

static void the_user_hangs_up_while_all_is_full(void **state)
{
    struct world *w = *state;
    stuff(w, w->inside, 4000000);
    stuff(w, w->user, 4000000);
    close_one(&w->user);
    settle(w);
    assert_int_equal(w->hung_up, 1);
}

static void the_command_closes_its_terminal(void **state)
{
    struct world *w = *state;
    assert_int_equal(write(w->inside, "last", 4), 4);
    close_one(&w->inside);
    settle(w);
    char text[8] = "";
    assert_int_equal(read(w->user, text, sizeof text), 4);
    assert_memory_equal(text, "last", 4);
    assert_true(w->relay.master_gone);
    assert_int_equal(w->hung_up, 0);
    /* Keys for nobody. */
    assert_int_equal(write(w->user, "x", 1), 1);
    settle(w);
    assert_int_equal(w->hung_up, 0);
}

static void what_came_last_is_not_lost_with_keys_pending(void **state)
{
    struct world *w = *state;
    size_t keys = stuff(w, w->user, 4000000);
    assert_true(keys > 0);
    size_t output = stuff(w, w->inside, 4000000);
    close_one(&w->inside);
    take_all(w, w->user, output);
}

static void stop_keeps_and_start_goes_on(void **state)
{
    struct world *w = *state;
    size_t output = stuff(w, w->inside, 4000000);
    pty_relay_stop(&w->relay);
    assert_int_equal(w->poller.count, 0);
    assert_int_equal(write(w->user, "typed", 5), 5);
    poll(NULL, 0, 5);
    pty_relay_start(&w->relay, &w->poller);
    take_all(w, w->user, output);
    settle(w);
    char text[8] = "";
    assert_int_equal(read(w->inside, text, sizeof text), 5);
    assert_memory_equal(text, "typed", 5);
    pty_relay_stop(&w->relay);
    pty_relay_stop(&w->relay);
    assert_int_equal(w->poller.count, 0);
}

static void finish_passes_on_what_is_held(void **state)
{
    struct world *w = *state;
    pty_relay_stop(&w->relay);
    assert_int_equal(write(w->inside, "the end", 7), 7);
    close_one(&w->inside);
    pty_relay_finish(&w->relay, w->never);
    char text[8] = "";
    poll(NULL, 0, 5);
    assert_int_equal(read(w->user, text, sizeof text), 7);
    assert_memory_equal(text, "the end", 7);
}

/* A descriptor of the terminal that got away from the sandbox: there is no end of file. */
static void finish_ends_without_an_end_of_file(void **state)
{
    struct world *w = *state;
    assert_int_equal(write(w->inside, "some", 4), 4);
    pty_relay_finish(&w->relay, w->never);
    char text[8] = "";
    poll(NULL, 0, 5);
    assert_int_equal(read(w->user, text, sizeof text), 4);
}

static void finish_can_be_given_up(void **state)
{
    struct world *w = *state;
    int now = eventfd(1, EFD_CLOEXEC);
    stuff(w, w->inside, 4000000); /* nobody reads what comes out */
    pty_relay_finish(&w->relay, now);
    assert_false(w->relay.terminal_gone);
    close(now);
    close_one(&w->user);
    pty_relay_finish(&w->relay, w->never); /* nor does a terminal that is gone hold us up */
    assert_true(w->relay.terminal_gone);
}

static void modes_come_back(void **state)
{
    struct world *w = *state;
    struct raw_terminal t = {.fd = -1};
    struct cordon_error err;
    struct termios before, raw, after;
    struct winsize size = {.ws_row = 33, .ws_col = 77};
    memset(&before, 0, sizeof before); /* the struct has gaps */
    memset(&after, 0, sizeof after);
    assert_int_equal(tcgetattr(w->terminal, &before), 0);
    before.c_lflag |= ICANON | ECHO | ISIG;
    before.c_iflag |= ICRNL | IXON;
    before.c_oflag |= OPOST | ONLCR;
    assert_int_equal(tcsetattr(w->terminal, TCSANOW, &before), 0);
    assert_int_equal(tcgetattr(w->terminal, &before), 0);
    assert_int_equal(ioctl(w->user, TIOCSWINSZ, &size), 0);
    int flags = fcntl(w->terminal, F_GETFL);

    assert_int_equal(raw_terminal_open(&t, w->terminal, &err), CORDON_OK);
    assert_true(raw_terminal_same(t.fd, w->terminal));
    assert_false(raw_terminal_same(t.fd, w->inside));
    assert_int_equal(raw_terminal_size(&t).ws_row, 33);
    assert_int_equal(raw_terminal_size(&t).ws_col, 77);
    assert_true(raw_terminal_enter(&t));
    assert_true(raw_terminal_enter(&t)); /* again: what is kept is not the raw modes */
    assert_int_equal(tcgetattr(w->terminal, &raw), 0);
    assert_int_equal(raw.c_lflag & (ICANON | ECHO | ISIG), 0);
    assert_int_equal(raw.c_oflag & OPOST, 0);
    raw_terminal_leave(&t);
    assert_int_equal(tcgetattr(w->terminal, &after), 0);
    assert_memory_equal(&before, &after, sizeof after);
    assert_int_equal(fcntl(w->terminal, F_GETFL), flags); /* the caller's open file is as it was */
    assert_true(raw_terminal_enter(&t));
    raw_terminal_close(&t);
    raw_terminal_close(&t);
    assert_int_equal(tcgetattr(w->terminal, &after), 0);
    assert_memory_equal(&before, &after, sizeof after);
}

static void no_terminal_is_an_error(void **state)
{
    struct raw_terminal t = {.fd = -1};
    struct cordon_error err = {0};
    (void)state;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_int_equal(raw_terminal_open(&t, null, &err), CORDON_E_SYSTEM);
    assert_string_equal(err.step, "linux.terminal.user");
    assert_int_equal(t.fd, -1);
    assert_false(raw_terminal_enter(&t));
    raw_terminal_leave(&t);
    assert_int_equal(raw_terminal_size(&t).ws_row, 0);
    close(null);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_byte_goes_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(much_goes_through, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_reader_holds_the_writer_up, setup, teardown),
        cmocka_unit_test_setup_teardown(one_way_stuck_does_not_hold_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(the_user_hangs_up, setup, teardown),
        cmocka_unit_test_setup_teardown(the_user_hangs_up_while_all_is_full, setup, teardown),
        cmocka_unit_test_setup_teardown(the_command_closes_its_terminal, setup, teardown),
        cmocka_unit_test_setup_teardown(what_came_last_is_not_lost_with_keys_pending, setup, teardown),
        cmocka_unit_test_setup_teardown(stop_keeps_and_start_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(finish_passes_on_what_is_held, setup, teardown),
        cmocka_unit_test_setup_teardown(finish_ends_without_an_end_of_file, setup, teardown),
        cmocka_unit_test_setup_teardown(finish_can_be_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(modes_come_back, setup, teardown),
        cmocka_unit_test(no_terminal_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
