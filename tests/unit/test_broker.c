/* test_broker.c - unix sockets through the broker: what is reached, what is not,
 * and what the inside may do meanwhile. test_broker_connect.c: how calls behave. */
#include "broker_fixture.h"

#include <arpa/inet.h>
#include <pthread.h>

/* -- the inside's own ------------------------------------------------------- */

static void talk(const char *path, int type, int flags)
{
    char text[16] = "";
    int server = unix_listen(path, type, 4);
    INSIDE(server >= 0);
    int client = socket(AF_UNIX, type | flags, 0);
    INSIDE(client >= 0 && unix_connect_with(client, path) == 0);
    int accepted = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    INSIDE(accepted >= 0);
    INSIDE(write(client, "hello", 5) == 5 && read(accepted, text, sizeof text) == 5);
    INSIDE(write(accepted, "there", 5) == 5);
    struct pollfd p = {client, POLLIN, 0};
    INSIDE(poll(&p, 1, -1) == 1 && read(client, text, sizeof text) == 5 && memcmp(text, "there", 5) == 0);
    INSIDE(!was_reached(server)); /* one connection, no trial */
    INSIDE(!(fcntl(client, F_GETFL) & O_NONBLOCK) == !(flags & SOCK_NONBLOCK));
    close(accepted);
    close(client);
    close(server);
}

static void body_own(struct fixture *f)
{
    (void)f;
    talk("stream", SOCK_STREAM, 0);
    talk("seqpacket", SOCK_SEQPACKET, 0);
    talk("stream-nonblocking", SOCK_STREAM, SOCK_NONBLOCK);
    talk("seqpacket-nonblocking", SOCK_SEQPACKET, SOCK_NONBLOCK);
}

static void body_names(struct fixture *f)
{
    char text[4096], full[4200];
    (void)f;
    INSIDE(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0);
    INSIDE(unix_listen("d/s", SOCK_STREAM, 16) >= 0);
    INSIDE(symlink("s", "d/relative") == 0 && symlink("../s", "d/e/up") == 0);
    INSIDE(getcwd(text, sizeof text) != NULL);
    snprintf(full, sizeof full, "%s/d/s", text);
    INSIDE(symlink(full, "absolute") == 0 && symlink("d", "dir") == 0 && symlink("loop", "loop") == 0);
    INSIDE(unix_try("d/s", SOCK_STREAM) == 0);
    INSIDE(unix_try("./d//./e/../s", SOCK_STREAM) == 0);
    INSIDE(unix_try("d/relative", SOCK_STREAM) == 0);
    INSIDE(unix_try("d/e/up", SOCK_STREAM) == 0);
    INSIDE(unix_try("absolute", SOCK_STREAM) == 0);
    INSIDE(unix_try("dir/s", SOCK_STREAM) == 0);
    if (strlen(full) < sizeof((struct sockaddr_un *)0)->sun_path - 12) {
        char above[4300];
        snprintf(above, sizeof above, "/../../..%s", full); /* above the root is the root */
        INSIDE(unix_try(full, SOCK_STREAM) == 0 && unix_try(above, SOCK_STREAM) == 0);
    }
    INSIDE(chdir("d/e") == 0 && unix_try("../s", SOCK_STREAM) == 0);
    INSIDE(chdir("../..") == 0);

    /* As the kernel answers. */
    INSIDE(unix_try("absent", SOCK_STREAM) == ENOENT);
    INSIDE(unix_try("absent/s", SOCK_STREAM) == ENOENT);
    INSIDE(unix_try("d/s/x", SOCK_STREAM) == ENOTDIR);
    INSIDE(unix_try("d/s/", SOCK_STREAM) == ENOTDIR);
    INSIDE(unix_try("loop", SOCK_STREAM) == ELOOP);
    INSIDE(unix_try("d", SOCK_STREAM) == ECONNREFUSED);
    INSIDE(unix_try("d/s", SOCK_SEQPACKET) == EPROTOTYPE);
    int file = open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    INSIDE(file >= 0 && unix_try("file", SOCK_STREAM) == ECONNREFUSED);
}

/* A name of 108 bytes fills the address and has no NUL. */
static void body_full_name(struct fixture *f)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    (void)f;
    memset(name.sun_path, 'a', sizeof name.sun_path);
    int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    INSIDE(bind(server, (struct sockaddr *)&name, sizeof name) == 0 && listen(server, 1) == 0);
    INSIDE(connect(client, (struct sockaddr *)&name, sizeof name) == 0);
}

/* Whoever called listen(2) has ended, as a daemon's parent has. */
static void body_daemon(struct fixture *f)
{
    (void)f;
    int status, server;
    pid_t parent = fork();
    if (parent == 0) {
        server = unix_listen("daemon", SOCK_STREAM, 4);
        INSIDE(server >= 0);
        if (fork() != 0)
            _exit(0);
        int accepted = accept(server, NULL, NULL);
        INSIDE(accepted >= 0 && write(accepted, "d", 1) == 1);
        _exit(0);
    }
    INSIDE(waitpid(parent, &status, 0) == parent && status == 0);
    char byte;
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    INSIDE(unix_connect_with(client, "daemon") == 0 && read(client, &byte, 1) == 1);
}

/* A stale name is refused by the kernel, so that the next server knows. */
static void body_stale(struct fixture *f)
{
    (void)f;
    int server = unix_listen("stale", SOCK_STREAM, 4);
    INSIDE(server >= 0 && unix_try("stale", SOCK_STREAM) == 0);
    close(server);
    INSIDE(unix_try("stale", SOCK_STREAM) == ECONNREFUSED);
    INSIDE(unlink("stale") == 0);
    server = unix_listen("stale", SOCK_STREAM, 4);
    INSIDE(server >= 0 && unix_try("stale", SOCK_STREAM) == 0);
    INSIDE(unix_try("old", SOCK_STREAM) == ECONNREFUSED); /* of an earlier run */
    int bound = socket(AF_UNIX, SOCK_STREAM, 0);          /* bound, and not listening yet */
    struct sockaddr_un name;
    socklen_t len = unix_name(&name, "bound");
    INSIDE(bind(bound, (struct sockaddr *)&name, len) == 0 && listen(bound, 1) == 0);
}

/* More servers than there are places: names that are gone give way. */
static void body_many(struct fixture *f)
{
    (void)f;
    int keep = unix_listen("keep", SOCK_STREAM, 4);
    for (int i = 0; i < 600; i++) {
        int server = unix_listen("brief", SOCK_STREAM, 4);
        INSIDE(server >= 0 && unix_try("brief", SOCK_STREAM) == 0);
        close(server);
        INSIDE(unlink("brief") == 0);
    }
    INSIDE(keep >= 0 && unix_try("keep", SOCK_STREAM) == 0);
}

static void body_abstract(struct fixture *f)
{
    (void)f;
    INSIDE(unix_listen("@cordon-test-inside", SOCK_STREAM, 4) >= 0);
    INSIDE(unix_try("@cordon-test-inside", SOCK_STREAM) == 0);
    INSIDE(unix_try("@cordon-test-outside", SOCK_STREAM) == ECONNREFUSED);
    talk("@cordon-test-talk", SOCK_SEQPACKET, 0);
}

static void test_own(void **state)
{
    struct fixture *f = *state;
    fixture_run(f, body_own);
    fixture_run(f, body_names);
    fixture_run(f, body_full_name);
    fixture_run(f, body_daemon);
    close(unix_listen("old", SOCK_STREAM, 1));
    fixture_run(f, body_stale);
    fixture_run(f, body_many);
    assert_int_equal(f->refused_count, 0);
}

/* The same without a network namespace of its own: an unprivileged broker then
 * knows the inside's sockets by the kernel's diagnosis. */
static void test_own_network_on(void **state)
{
    struct fixture *f = *state;
    f->what.network_on = true;
    test_own(state);
}

static void test_abstract(void **state)
{
    struct fixture *f = *state;
    int outside = unix_listen("@cordon-test-outside", SOCK_STREAM, 4);
    assert_true(outside >= 0);
    fixture_run(f, body_abstract);
    assert_false(was_reached(outside));
    assert_int_equal(f->refused_count, 0);
    close(outside);
}

/* -- with the network on the abstract names are the machine's ----------------- */

static void body_abstract_on(struct fixture *f)
{
    int server = unix_listen("@cordon-test-inside", SOCK_STREAM, 4);
    INSIDE(server >= 0 && unix_try("@cordon-test-inside", SOCK_STREAM) == 0);
    INSIDE(unix_try("@cordon-test-outside", SOCK_STREAM) == ECONNREFUSED);
    INSIDE(unix_try("@cordon-test-absent", SOCK_STREAM) == ECONNREFUSED);
    close(server);
    tell_test(f, 't'); /* somebody outside takes the name */
    await_test(f);
    INSIDE(unix_try("@cordon-test-inside", SOCK_STREAM) == ECONNREFUSED);
}

static void take_name(struct fixture *f, char what)
{
    (void)what;
    *(int *)f->data = unix_listen("@cordon-test-inside", SOCK_STREAM, 4);
    assert_true(*(int *)f->data >= 0);
    tell_process(f);
}

static void test_abstract_network_on(void **state)
{
    struct fixture *f = *state;
    int outside = unix_listen("@cordon-test-outside", SOCK_STREAM, 4), taken = -1;
    assert_true(outside >= 0);
    f->what.network_on = true;
    f->said = take_name;
    f->data = &taken;
    fixture_run(f, body_abstract_on);
    assert_false(was_reached(outside) || was_reached(taken));
    assert_int_equal(f->refused_count, 3);
    assert_string_equal(f->refused[0], "connect @cordon-test-outside network.unix_sockets|");
    close(outside);
    close(taken);
}

/* -- what is outside ---------------------------------------------------------- */

static void body_outside(struct fixture *f)
{
    char path[300];
    (void)f;
    INSIDE(unix_try("outside", SOCK_STREAM) == EACCES);
    INSIDE(unix_try("./outside", SOCK_SEQPACKET) == EACCES);
    INSIDE(symlink("outside", "link") == 0 && unix_try("link", SOCK_STREAM) == EACCES);
    INSIDE(link("outside", "hard") == 0 && unix_try("hard", SOCK_STREAM) == EACCES);
    /* Under the name of a socket of the inside's. */
    INSIDE(unix_listen("mine", SOCK_STREAM, 4) >= 0 && unix_try("mine", SOCK_STREAM) == 0);
    INSIDE(rename("mine", "mine.aside") == 0 && rename("outside", "mine") == 0);
    INSIDE(unix_try("mine", SOCK_STREAM) == EACCES);
    INSIDE(unix_try("mine.aside", SOCK_STREAM) == 0);
    /* Listening under that name now tells nothing new. */
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    INSIDE(listen(fd, 1) == -1 && errno == EINVAL);
    INSIDE(rename("mine", "outside") == 0);
    /* Links of /proc lead to whatever is open. */
    int directory = open(".", O_PATH | O_DIRECTORY);
    snprintf(path, sizeof path, "/proc/self/fd/%d/mine.aside", directory);
    int code = unix_try(path, SOCK_STREAM);
    INSIDE(code == EACCES || code == ENOENT);
    snprintf(path, sizeof path, "/proc/%d/cwd/mine.aside", getppid());
    code = unix_try(path, SOCK_STREAM);
    INSIDE(code == EACCES || code == ENOENT);
}

static void test_outside(void **state)
{
    struct fixture *f = *state;
    char *expected =
        string_format("connect %s/outside network.unix_sockets|--unix-socket %s/outside", f->root, f->root);
    int outside = unix_listen("outside", SOCK_STREAM, 4);
    assert_true(outside >= 0);
    assert_int_equal(unix_try("outside", SOCK_STREAM), 0);
    assert_true(was_reached(outside));
    close(accept(outside, NULL, NULL));
    for (int on = 0; on < 2; on++) {
        f->what.network_on = on;
        f->refused_count = 0;
        fixture_run(f, body_outside);
        assert_false(was_reached(outside));
        assert_true(f->refused_count >= 5);
        assert_string_equal(f->refused[0], expected);
        scratch_run(f->root, "rm link hard mine.aside");
    }
    close(outside);
    free(expected);
}

static void body_granted(struct fixture *f)
{
    (void)f;
    INSIDE(unix_try("granted", SOCK_STREAM) == 0);
    INSIDE(unix_try("other", SOCK_STREAM) == EACCES);
}

static void body_again(struct fixture *f)
{
    INSIDE(unix_try("granted", SOCK_STREAM) == 0);
    tell_test(f, 'a');
    await_test(f);
    INSIDE(unix_try("granted", SOCK_STREAM) == (f->data ? EACCES : 0));
}

/* The daemon is started anew. */
static void renew(struct fixture *f, char what)
{
    (void)what;
    assert_int_equal(rename("granted", "granted.old"), 0);
    int again = unix_listen("granted", SOCK_STREAM, 4);
    assert_true(again >= 0); /* stays open until the test ends */
    tell_process(f);
}

static void test_granted(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    int granted = unix_listen("granted", SOCK_STREAM, 64), other = unix_listen("other", SOCK_STREAM, 4);
    char *path = string_format("%s/granted", f->root);
    assert_int_equal(stat("granted", &st), 0);
    f->grants[0] = (struct socket_grant){path, "test", st.st_dev, st.st_ino};
    f->what.socket_count = 1;
    for (int on = 0; on < 2; on++) {
        f->what.network_on = on;
        fixture_run(f, body_granted);
        assert_true(was_reached(granted));
        assert_false(was_reached(other));
    }
    assert_int_equal(f->refused_count, 2);

    /* The path counts only where the command cannot have put something. */
    f->said = renew;
    fixture_run(f, body_again);
    assert_int_equal(rename("granted.old", "granted"), 0);
    struct cordon_error err;
    struct rule rule = {
        .kind = RULE_WRITE, .path = f->root, .origin = "test", .type = OBJECT_DIRECTORY, .dev = 1, .ino = 1};
    assert_int_equal(resolved_add(&f->resolved, &rule, &err), CORDON_OK);
    assert_int_equal(resolved_finish(&f->resolved, &err), CORDON_OK);
    f->data = f;
    fixture_run(f, body_again);
    close(granted);
    close(other);
    free(path);
}

/* -- what comes from outside as a descriptor ---------------------------------- */

static int inherited[4];

static void body_inherited(struct fixture *f)
{
    struct sockaddr_un name;
    socklen_t len = unix_name(&name, "mine");
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = 1};
    (void)f;
    INSIDE(unix_listen("mine", SOCK_STREAM, 4) >= 0);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (size_t i = 0; i < sizeof inherited / sizeof *inherited; i++) {
        INSIDE(connect(inherited[i], (struct sockaddr *)&name, len) == -1 && errno == EACCES);
        INSIDE(connect(inherited[i], (struct sockaddr *)&v4, sizeof v4) == -1 && errno == EACCES);
    }
}

static void test_inherited(void **state)
{
    struct fixture *f = *state;
    inherited[0] = socket(AF_UNIX, SOCK_STREAM, 0);
    inherited[1] = socket(AF_UNIX, SOCK_DGRAM, 0);
    inherited[2] = socket(AF_INET, SOCK_STREAM, 0);
    inherited[3] = socket(AF_INET6, SOCK_DGRAM, 0);
    fixture_run(f, body_inherited);
    assert_int_equal(f->refused_count, 8);
    for (size_t i = 0; i < 4; i++)
        close(inherited[i]);
}

static void body_datagram(struct fixture *f)
{
    (void)f;
    int fd = inherited[0];
    INSIDE(unix_connect_with(fd, "datagram") == -1 && errno == EACCES);
    INSIDE(unix_connect_with(fd, "absent") == -1 && errno == EACCES);
}

static void test_datagram(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un name;
    socklen_t len = unix_name(&name, "datagram");
    int outside = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(outside, (struct sockaddr *)&name, len), 0);
    inherited[0] = socket(AF_UNIX, SOCK_DGRAM, 0);
    f->what.network_on = true; /* else its namespace would be enough */
    fixture_run(f, body_datagram);
    assert_string_equal(f->refused[0], "connect datagram unix-dgram|");
    close(inherited[0]);
    close(outside);
}

/* Standard input is a listening socket of the caller's: calling listen(2) on it makes it nobody else's. */
static void body_listening_stdin(struct fixture *f)
{
    (void)f;
    INSIDE(listen(0, 5) == 0);
    INSIDE(unix_try("outside", SOCK_STREAM) == EACCES);
}

static void test_listening_stdin(void **state)
{
    struct fixture *f = *state;
    int outside = unix_listen("outside", SOCK_STREAM, 4), before = dup(0);
    assert_int_equal(dup2(outside, 0), 0);
    for (int on = 0; on < 2; on++) {
        f->what.network_on = on;
        fixture_run(f, body_listening_stdin);
    }
    assert_false(was_reached(outside));
    assert_true(dup2(before, 0) == 0);
    close(before);
    close(outside);
}

/* -- races: what was judged is what is connected ------------------------------- */

static struct {
    struct sockaddr_un shared;
    struct sockaddr_un mine, outside;
    bool over;
    int flip; /* a descriptor that is now one socket, now another */
} race;

static void *rewrite_address(void *argument)
{
    (void)argument;
    while (!__atomic_load_n(&race.over, __ATOMIC_RELAXED)) {
        memcpy(race.shared.sun_path, race.outside.sun_path, 8);
        memcpy(race.shared.sun_path, race.mine.sun_path, 8);
    }
    return NULL;
}

static void *swap_names(void *argument)
{
    (void)argument;
    while (!__atomic_load_n(&race.over, __ATOMIC_RELAXED))
        syscall(SYS_renameat2, AT_FDCWD, "minexxx", AT_FDCWD, "outside", 2 /* RENAME_EXCHANGE */);
    return NULL;
}

static void *swap_directories(void *argument)
{
    (void)argument;
    while (!__atomic_load_n(&race.over, __ATOMIC_RELAXED)) {
        if (chdir("sub") == 0 && chdir("..") != 0)
            break;
    }
    return NULL;
}

static void *swap_descriptors(void *argument)
{
    (void)argument;
    while (!__atomic_load_n(&race.over, __ATOMIC_RELAXED)) {
        int fresh = socket(AF_UNIX, SOCK_STREAM, 0), internet = socket(AF_INET, SOCK_STREAM, 0);
        dup2(fresh, race.flip);
        dup2(internet, race.flip);
        close(fresh);
        close(internet);
    }
    return NULL;
}

static void run_race(void *(*against)(void *), bool by_flip)
{
    pthread_t thread;
    int server = unix_listen("minexxx", SOCK_STREAM, 4), reached = 0, done;
    INSIDE(server >= 0 && fcntl(server, F_SETFL, O_NONBLOCK) == 0);
    unix_name(&race.mine, "minexxx");
    socklen_t len = unix_name(&race.outside, "outside");
    race.shared = race.mine;
    race.over = false;
    race.flip = fcntl(server, F_DUPFD, 100);
    INSIDE(pthread_create(&thread, NULL, against, NULL) == 0);
    for (int i = 0; i < 2000; i++) {
        int fd = by_flip ? race.flip : socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&race.shared, len) == 0)
            reached++;
        if (!by_flip)
            close(fd);
        while ((done = accept(server, NULL, NULL)) >= 0)
            close(done);
    }
    __atomic_store_n(&race.over, true, __ATOMIC_RELAXED);
    INSIDE(pthread_join(thread, NULL) == 0);
    INSIDE(reached > 0);
    close(server);
    close(race.flip);
}

static void body_race_address(struct fixture *f)
{
    (void)f;
    run_race(rewrite_address, false);
}

static void body_race_names(struct fixture *f)
{
    (void)f;
    run_race(swap_names, false);
}

static void body_race_directories(struct fixture *f)
{
    (void)f;
    run_race(swap_directories, false);
}

static void body_race_descriptors(struct fixture *f)
{
    (void)f;
    run_race(swap_descriptors, true);
}

static void test_races(void **state)
{
    struct fixture *f = *state;
    fixture_body *const bodies[] = {body_race_address, body_race_names, body_race_directories,
                                    body_race_descriptors};
    for (int on = 0; on < 2; on++)
        for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
            int outside = unix_listen("outside", SOCK_STREAM, 64);
            assert_int_equal(mkdir("sub", 0755), 0);
            int below = unix_listen("sub/minexxx", SOCK_STREAM, 64);
            assert_true(outside >= 0 && below >= 0);
            f->what.network_on = on;
            fixture_run(f, bodies[i]);
            assert_false(was_reached(outside) || was_reached(below));
            close(outside);
            close(below);
            scratch_run(f->root, "rm -r minexxx outside sub");
        }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_own),
        TEST(test_own_network_on),
        TEST(test_abstract),
        TEST(test_abstract_network_on),
        TEST(test_outside),
        TEST(test_granted),
        TEST(test_inherited),
        TEST(test_datagram),
        TEST(test_listening_stdin),
        TEST(test_races),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
