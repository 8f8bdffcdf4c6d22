/* test_spawn.c - cordon_spawn(): what the command gets, and what it cannot do. */
#include "fixture.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>

static struct cordon_box *box; /* the default policy; one for all tests, as an agent would */

static int make_box(void **state)
{
    (void)state;
    box = box_of(default_policy());
    return 0;
}

static int free_box(void **state)
{
    (void)state;
    cordon_box_free(box);
    return 0;
}

static void tells_how_it_ended(void **state)
{
    (void)state;
    struct cordon_outcome o;
    free(run_script(box, "exit 7", &o));
    assert_int_equal(o.kind, CORDON_OUTCOME_EXITED);
    assert_int_equal(o.code, 7);
    assert_int_equal(o.status, 7);
    free(run_script(box, "kill -TERM $$", &o));
    assert_int_equal(o.kind, CORDON_OUTCOME_SIGNALED);
    assert_int_equal(o.signal, SIGTERM);
    assert_int_equal(o.code, -1);
    assert_int_equal(o.status, 128 + SIGTERM);
}

static void is_confined(void **state)
{
    (void)state;
    FILE *outside = fopen("outside", "w"); /* the control: here it can be written */
    assert_non_null(outside);
    fclose(outside);
    expect_output(box,
                  "echo x >inside && echo in; { echo x >../outside; } 2>/dev/null || echo out; "
                  "{ mkdir .git/x; } 2>/dev/null || echo protected; rm inside",
                  "in\nout\nprotected\n");
    struct stat st;
    assert_int_equal(stat("outside", &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(access("ws/.git", F_OK), -1); /* its placeholder went with it */
}

static void feeds_and_reads_pipes(void **state)
{
    (void)state;
    const char *const argv[] = {"sh", "-c", "cat; echo oops >&2", NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    struct cordon_error err;
    for (int i = 0; i < 3; i++)
        options.stdio[i].kind = CORDON_STDIO_PIPE;
    succeeds(cordon_spawn(box, &options, &process, &err), &err);
    int in = cordon_process_take_pipe(process, 0), out = cordon_process_take_pipe(process, 1),
        error = cordon_process_take_pipe(process, 2);
    assert_int_equal(cordon_process_take_pipe(process, 0), -1); /* only once */
    assert_int_equal(cordon_process_take_pipe(process, 3), -1);
    assert_int_equal(write(in, "hello\n", 6), 6);
    close(in);
    char *text = read_to_end(out);
    assert_string_equal(text, "hello\n");
    free(text);
    text = read_to_end(error);
    assert_string_equal(text, "oops\n");
    free(text);
    close(out);
    close(error);
    succeeds(cordon_process_wait(process, NULL, &err), &err);
    cordon_process_close(process);
}

/* A grandchild that holds the pipe dies with the tree: the reader is not left waiting. */
static void ends_the_pipe_with_the_tree(void **state)
{
    (void)state;
    expect_output(box, "sleep 1000 & echo done", "done\n");
}

static void gives_descriptors(void **state)
{
    (void)state;
    const char *const argv[] = {"/bin/sh", "-c", "read a; echo got $a; read b || echo nothing more", NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    struct cordon_error err;
    int in = open("in", O_RDWR | O_CREAT | O_TRUNC, 0600);
    int out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(in >= 0 && out >= 0);
    assert_int_equal(write(in, "line\n", 5), 5);
    close(in);
    in = open("in", O_RDONLY);
    options.stdio[0] = (struct cordon_stdio){CORDON_STDIO_FD, in};
    options.stdio[1] = (struct cordon_stdio){CORDON_STDIO_FD, out};
    succeeds(cordon_spawn(box, &options, &process, &err), &err);
    succeeds(cordon_process_wait(process, NULL, &err), &err);
    cordon_process_close(process);
    close(in);
    close(out);
    out = open("out", O_RDONLY);
    char *text = read_to_end(out);
    assert_string_equal(text, "got line\nnothing more\n");
    free(text);
    close(out);
}

/* A directory as standard input would be a way out: refused before anything runs. */
static void refuses_ways_out(void **state)
{
    (void)state;
    const char *const argv[] = {"/bin/true", NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    struct cordon_error err;
    int root = open("/", O_RDONLY | O_DIRECTORY);
    options.stdio[0] = (struct cordon_stdio){CORDON_STDIO_FD, root};
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "stdio.descriptor");
    assert_null(process);
    close(root);
    options.stdio[0].fd = root; /* closed */
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "spawn.options");
}

static void names_what_is_wrong(void **state)
{
    (void)state;
    const char *const argv[] = {"no-such-command", NULL}, *const none[] = {NULL};
    const char *const text[] = {"./text", NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    struct cordon_error err;
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "exec.not-found");
    assert_non_null(strstr(err.message, "no-such-command"));
    close(open("ws/text", O_WRONLY | O_CREAT, 0644));
    options.argv = text;
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "exec.not-executable");
    assert_non_null(strstr(err.message, "Permission denied"));
    unlink("ws/text");
    options.directory = "nowhere";
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "resolve.directory");
    options = shell_options(none);
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "spawn.options");
    options = shell_options(argv);
    options.size = 4;
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "spawn.options");
    options = shell_options(argv);
    options.terminal = true;
    options.stdio[0].kind = CORDON_STDIO_PIPE;
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "spawn.options");
    assert_int_not_equal(cordon_spawn(box, &options, &process, NULL), CORDON_OK); /* no error wanted */
    assert_null(process);
}

static void starts_where_it_shall(void **state)
{
    (void)state;
    char here[4096], wanted[4200];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(wanted, sizeof wanted, "%s/ws\n", here);
    expect_output(box, "pwd", wanted);
}

static void gives_the_environment(void **state)
{
    (void)state;
    const char *const argv[] = {"/bin/sh", "-c", "echo $WORD-$MY_TOKEN", NULL};
    const char *const environment[] = {"WORD=mine", "MY_TOKEN=secret", "PATH=/bin", NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    struct cordon_error err;
    options.environment = environment;
    options.stdio[1].kind = CORDON_STDIO_PIPE;
    succeeds(cordon_spawn(box, &options, &process, &err), &err);
    int out = cordon_process_take_pipe(process, 1);
    char *text = read_to_end(out);
    close(out);
    assert_string_equal(text, "mine-\n"); /* the policy's rules hold for it too */
    free(text);
    cordon_process_close(process);
}

/* What the caller blocks, ignores and forgets to close is not the command's. */
static void starts_clean(void **state)
{
    (void)state;
    sigset_t mask, before, after;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, &before);
    signal(SIGTERM, SIG_IGN);
    /* The C library's own two, as everything below make has them. */
    const unsigned long ignore[4] = {1};
    unsigned long kept[2][4];
    assert_int_equal(syscall(SYS_rt_sigaction, 32, ignore, kept[0], 8), 0);
    assert_int_equal(syscall(SYS_rt_sigaction, 33, ignore, kept[1], 8), 0);
    int forgotten = dup2(0, 77);
    assert_int_equal(forgotten, 77);
    expect_output(box, "grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd | wc -l",
                  "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n4\n");
    struct cordon_process *process = start_script(box, "sleep 1000");
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/fd/77", warden_of(process));
    assert_int_equal(access(path, F_OK), -1);
    cordon_process_close(process);
    close(forgotten);
    sigprocmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(sigismember(&after, SIGUSR1), 1); /* and the caller's mask is as it was */
    assert_int_equal(sigismember(&after, SIGUSR2), 0);
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGTERM, SIG_DFL);
    syscall(SYS_rt_sigaction, 32, kept[0], NULL, 8);
    syscall(SYS_rt_sigaction, 33, kept[1], NULL, 8);
}

static void leaks_no_descriptor(void **state)
{
    (void)state;
    int before = count_descriptors();
    free(run_script(box, "true", NULL));
    const char *const argv[] = {"no-such-command", NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    options.stdio[1].kind = CORDON_STDIO_PIPE;
    assert_int_not_equal(cordon_spawn(box, &options, &process, NULL), CORDON_OK);
    process = start_script(box, "sleep 1000"); /* its pipe is not taken */
    cordon_process_close(process);
    assert_int_equal(count_descriptors(), before);
}

/* A descriptor of 0, 1 or 2 of the caller's is free, so that ours would get these numbers. */
static void works_without_stdio(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        const char *const argv[] = {"/bin/sh", "-c", "echo out; exit 9", NULL};
        struct cordon_spawn_options options = shell_options(argv);
        struct cordon_process *process = NULL;
        struct cordon_outcome outcome = {.code = -1};
        for (int fd = 0; fd < 3; fd++) {
            close(fd);
            options.stdio[fd].kind = CORDON_STDIO_PIPE;
        }
        if (cordon_spawn(box, &options, &process, NULL) == CORDON_OK)
            cordon_process_wait(process, &outcome, NULL);
        _exit(outcome.code == 9 ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void gives_a_terminal(void **state)
{
    (void)state;
    const char *const argv[] = {"/bin/sh", "-c", "test -t 0 && test -t 2 && stty size && tty >/dev/null",
                                NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    struct cordon_outcome outcome;
    struct cordon_error err;
    options.stdio[2].kind = CORDON_STDIO_NULL;
    options.terminal = true;
    options.rows = 33;
    options.columns = 99;
    succeeds(cordon_spawn(box, &options, &process, &err), &err);
    int master = cordon_process_take_terminal(process);
    assert_true(master >= 0);
    char *text = read_to_end(master); /* EIO at the end */
    assert_string_equal(text, "33 99\r\n");
    free(text);
    close(master);
    succeeds(cordon_process_wait(process, &outcome, &err), &err);
    assert_int_equal(outcome.code, 0);
    cordon_process_close(process);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_how_it_ended),    cmocka_unit_test(is_confined),
        cmocka_unit_test(feeds_and_reads_pipes), cmocka_unit_test(ends_the_pipe_with_the_tree),
        cmocka_unit_test(gives_descriptors),     cmocka_unit_test(refuses_ways_out),
        cmocka_unit_test(names_what_is_wrong),   cmocka_unit_test(starts_where_it_shall),
        cmocka_unit_test(gives_the_environment), cmocka_unit_test(starts_clean),
        cmocka_unit_test(leaks_no_descriptor),   cmocka_unit_test(works_without_stdio),
        cmocka_unit_test(gives_a_terminal),
    };
    return cmocka_run_group_tests(tests, make_box, free_box);
}
