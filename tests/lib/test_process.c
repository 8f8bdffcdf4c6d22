/* test_process.c - a running tree: waiting, signals, limits, the report, and
 * everything that can end it. */
#include "fixture.h"

#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct cordon_box *box;

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

static bool is_ready(const struct cordon_process *process, int milliseconds)
{
    struct pollfd fd = {cordon_process_wait_handle(process), POLLIN, 0};
    return poll(&fd, 1, milliseconds) == 1;
}

static void tells_by_descriptor(void **state)
{
    (void)state;
    struct cordon_error err;
    struct cordon_outcome outcome;
    const char *const argv[] = {"/bin/sh", "-c", "read go; exit 3", NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    options.stdio[0].kind = CORDON_STDIO_PIPE;
    succeeds(cordon_spawn(box, &options, &process, &err), &err);
    assert_false(is_ready(process, 0));
    close(cordon_process_take_pipe(process, 0));
    assert_true(is_ready(process, -1));
    for (int i = 0; i < 2; i++) { /* the second time it is remembered */
        memset(&outcome, 0, sizeof outcome);
        succeeds(cordon_process_wait(process, &outcome, &err), &err);
        assert_int_equal(outcome.code, 3);
        assert_true(outcome.processes >= 1);
        assert_true(is_ready(process, -1));
    }
    fails_with(cordon_process_signal(process, SIGTERM, &err), &err, "process.signal");
    cordon_process_kill(process); /* nothing is there to be hit */
    cordon_process_close(process);
}

static void reports(void **state)
{
    (void)state;
    struct cordon_error err;
    char *text = NULL;
    const char *const argv[] = {"/bin/sh", "-c", "read go; echo x >made", NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    options.stdio[0].kind = CORDON_STDIO_PIPE;
    options.changes = options.keep_report = true;
    succeeds(cordon_spawn(box, &options, &process, &err), &err);
    fails_with(cordon_process_report_json(process, &text, &err), &err, "report.early");
    assert_null(text);
    close(cordon_process_take_pipe(process, 0));
    succeeds(cordon_process_wait(process, NULL, &err), &err);
    succeeds(cordon_process_report_json(process, &text, &err), &err);
    cordon_process_close(process);

    json_t *report = json_loads(text, 0, NULL);
    assert_non_null(report);
    json_t *changed = json_object_get(report, "changed");
    assert_int_equal(json_array_size(changed), 1); /* and none of our placeholders */
    const char *path = json_string_value(json_object_get(json_array_get(changed, 0), "path"));
    assert_non_null(path);
    assert_string_equal(strrchr(path, '/'), "/made");
    const char *command = json_string_value(json_array_get(json_object_get(report, "command"), 2));
    assert_string_equal(command, argv[2]);
    json_decref(report);
    cordon_text_free(text);
    assert_int_equal(system("grep -q /made state/cordon/*/report.json && rm ws/made"), 0);
}

/* What was refused, and what would allow it. */
static void traces(void **state)
{
    (void)state;
    struct cordon_error err;
    char *text = NULL;
    const char *const argv[] = {"/bin/sh", "-c", "echo x >../refused", NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    options.stdio[2].kind = CORDON_STDIO_NULL;
    options.trace = true;
    succeeds(cordon_spawn(box, &options, &process, &err), &err);
    succeeds(cordon_process_wait(process, NULL, &err), &err);
    succeeds(cordon_process_report_json(process, &text, &err), &err);
    cordon_process_close(process);
    json_t *report = json_loads(text, 0, NULL), *refused = json_object_get(report, "refused");
    assert_string_equal(json_string_value(json_object_get(refused, "observed")), "all");
    json_t *entry = json_array_get(json_object_get(refused, "entries"), 0);
    assert_non_null(strstr(json_string_value(json_object_get(entry, "target")), "/refused"));
    assert_non_null(strstr(json_string_value(json_object_get(entry, "suggested_grant")), "-w"));
    json_decref(report);
    cordon_text_free(text);
}

static void signals_the_command(void **state)
{
    (void)state;
    struct cordon_error err;
    struct cordon_outcome outcome;
    struct cordon_process *process =
        start_script(box, "trap 'echo caught; exit 5' USR1; echo ready; while :; do sleep 1000 & wait; done");
    int out = cordon_process_take_pipe(process, 1);
    char ready[6];
    assert_int_equal(read(out, ready, 6), 6);
    fails_with(cordon_process_signal(process, 0, &err), &err, "process.signal");
    fails_with(cordon_process_signal(process, 100000, &err), &err, "process.signal");
    succeeds(cordon_process_signal(process, SIGUSR1, &err), &err);
    char *text = read_to_end(out);
    assert_string_equal(text, "caught\n");
    free(text);
    close(out);
    succeeds(cordon_process_wait(process, &outcome, &err), &err);
    assert_int_equal(outcome.code, 5);
    cordon_process_close(process);
}

static void stops_and_continues(void **state)
{
    (void)state;
    struct cordon_error err;
    struct cordon_outcome outcome;
    struct cordon_process *process = start_script(box, "kill -STOP $$; exit 6");
    while (is_alive(cordon_process_pid(process)) && !is_ready(process, 10))
        succeeds(cordon_process_signal(process, SIGCONT, &err), &err);
    succeeds(cordon_process_wait(process, &outcome, &err), &err);
    assert_int_equal(outcome.code, 6);
    cordon_process_close(process);
}

static void kills_everything(void **state)
{
    (void)state;
    struct cordon_error err;
    struct cordon_outcome outcome;
    struct cordon_process *process = start_script(box, "setsid sleep 1000 & sleep 1000");
    long pid = cordon_process_pid(process), warden = warden_of(process);
    assert_true(is_alive(pid));
    cordon_process_kill(process);
    succeeds(cordon_process_wait(process, &outcome, &err), &err);
    assert_int_equal(outcome.kind, CORDON_OUTCOME_SIGNALED);
    assert_int_equal(outcome.signal, SIGKILL);
    assert_false(is_alive(pid));
    cordon_process_close(process);
    assert_false(is_alive(warden));
}

/* When close returns, no process is left and nothing of ours in the workspace. */
static void closing_kills(void **state)
{
    (void)state;
    struct cordon_process *process = start_script(box, "setsid sleep 1000 & sleep 1000");
    long pid = cordon_process_pid(process), init = parent_of(pid), warden = parent_of(init);
    assert_int_equal(access("ws/.git", F_OK), 0);
    cordon_process_close(process);
    assert_false(is_alive(pid));
    assert_false(is_alive(init));
    assert_false(is_alive(warden));
    assert_int_equal(access("ws/.git", F_OK), -1);
}

static void limits(void **state)
{
    (void)state;
    struct cordon_error err;
    struct cordon_outcome outcome;
    struct cordon_policy *policy = default_policy();
    succeeds(cordon_policy_set_limit(policy, CORDON_LIMIT_WALL_SECONDS, 1, &err), &err);
    succeeds(cordon_policy_set_limit(policy, CORDON_LIMIT_FILE_BYTES, 4096, &err), &err);
    struct cordon_box *limited = box_of(policy);
    free(run_script(limited, "sleep 1000", &outcome));
    assert_int_equal(outcome.kind, CORDON_OUTCOME_TIMED_OUT);
    assert_string_equal(outcome.limit, "wall");
    assert_int_equal(outcome.status, 124);
    free(run_script(limited, "exec head -c 100000 /dev/zero >big", &outcome));
    assert_int_equal(outcome.kind, CORDON_OUTCOME_LIMIT);
    assert_string_equal(outcome.limit, "file");
    assert_int_equal(outcome.status, 128 + SIGXFSZ);
    unlink("ws/big");
    cordon_box_free(limited);
}

/* As `test connect PATH` this program is the client inside. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : 1;
}

static int run_client(const struct cordon_box *from, const char *path, char **report)
{
    char self[4096] = "";
    struct cordon_error err;
    struct cordon_outcome outcome;
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    const char *const argv[] = {self, "connect", path, NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    succeeds(cordon_spawn(from, &options, &process, &err), &err);
    succeeds(cordon_process_wait(process, &outcome, &err), &err);
    succeeds(cordon_process_report_json(process, report, &err), &err);
    cordon_process_close(process);
    return outcome.code;
}

/* The broker runs in the warden: what it refuses is in the report here, and what
 * the policy grants came to it. */
static void asks_for_sockets(void **state)
{
    (void)state;
    struct cordon_error err;
    char path[4200], here[4096], *report = NULL;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_non_null(getcwd(here, sizeof here));
    snprintf(path, sizeof path, "%s/socket", here);
    strncpy(address.sun_path, "socket", sizeof address.sun_path - 1);
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server, 4), 0);
    assert_int_equal(connect_to(path), 0); /* the control: out here it can be reached */

    assert_int_equal(run_client(box, path, &report), 1);
    assert_non_null(strstr(report, "--unix-socket"));
    cordon_text_free(report);
    struct cordon_policy *policy = default_policy();
    succeeds(cordon_policy_allow_socket(policy, "socket", &err), &err);
    struct cordon_box *granted = box_of(policy);
    assert_int_equal(run_client(granted, path, &report), 0);
    assert_null(strstr(report, "--unix-socket"));
    cordon_text_free(report);
    cordon_box_free(granted);
    close(server);
    unlink("socket");
}

/* A planted bare repository: the guard runs in the warden and is heard here. */
static void guards(void **state)
{
    (void)state;
    struct cordon_error err;
    struct cordon_outcome outcome;
    char *text = NULL;
    struct cordon_process *process =
        start_script(box, "mkdir objects refs && echo 'ref: refs/heads/x' >HEAD && sleep 1000");
    succeeds(cordon_process_wait(process, &outcome, &err), &err);
    assert_int_equal(outcome.kind, CORDON_OUTCOME_GUARDED);
    assert_int_equal(outcome.status, 123);
    succeeds(cordon_process_report_json(process, &text, &err), &err);
    assert_non_null(strstr(text, "quarantine"));
    cordon_text_free(text);
    cordon_process_close(process);
    assert_int_equal(system("rm -rf ws/objects ws/refs ws/HEAD"), 0);
}

/* -- what others do to it --------------------------------------------------- */

static void survives_a_killed_warden(void **state)
{
    (void)state;
    struct cordon_error err;
    struct cordon_outcome outcome = {.code = 77};
    struct cordon_process *process = start_script(box, "setsid sleep 1000 & sleep 1000");
    long pid = cordon_process_pid(process);
    assert_int_equal(kill((pid_t)warden_of(process), SIGKILL), 0);
    assert_true(is_ready(process, -1));
    for (int i = 0; i < 2; i++)
        fails_with(cordon_process_wait(process, &outcome, &err), &err, "warden.lost");
    assert_int_equal(outcome.code, 77); /* untouched */
    assert_false(is_alive(pid));
    char *text = NULL;
    succeeds(cordon_process_report_json(process, &text, &err), &err); /* what is known */
    cordon_text_free(text);
    cordon_process_close(process);
    assert_int_equal(access("ws/.git", F_OK), -1);
}

/* One that was stopped does nothing by itself any more; the tree can be ended all the same. */
static void ends_a_stopped_warden(void **state)
{
    (void)state;
    struct cordon_process *process = start_script(box, "sleep 1000");
    long pid = cordon_process_pid(process), warden = warden_of(process);
    assert_int_equal(kill((pid_t)warden, SIGSTOP), 0);
    cordon_process_close(process);
    assert_false(is_alive(pid));
    assert_false(is_alive(warden));
}

static void refuses_other_wardens(void **state)
{
    (void)state;
    struct cordon_error err;
    char other[4200];
    const char *const argv[] = {"/bin/true", NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    options.warden = "bin/none";
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "warden.find");
    assert_non_null(strstr(err.message, "bin/none"));
    options.warden = "/etc/passwd";
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "warden.find");
    options.warden = "/bin/true"; /* a program, but not ours */
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "warden.start");
    snprintf(other, sizeof other, "%s-other", warden_path());
    options.warden = other;
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "warden.start");
    assert_non_null(strstr(err.message, "9.9.9"));

    char script[9000];
    snprintf(script, sizeof script, "cp %s mine && cp %s ws/mine && chmod o+w mine", warden_path(),
             warden_path());
    assert_int_equal(system(script), 0);
    options.warden = "mine"; /* anybody may write it */
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "warden.find");
    options.warden = "ws/mine"; /* the command may write it */
    fails_with(cordon_spawn(box, &options, &process, &err), &err, "warden.find");
    assert_non_null(strstr(err.message, "could rewrite it"));
    assert_int_equal(chmod("mine", 0755), 0);
    options.warden = "mine"; /* the control: a copy in a good place does */
    succeeds(cordon_spawn(box, &options, &process, &err), &err);
    cordon_process_close(process);
    unlink("mine");
    unlink("ws/mine");
    assert_int_equal(access("ws/.git", F_OK), -1);
}

/* Not installed, and not beside the program: said, with what to do. */
static void finds_the_one_beside_the_program(void **state)
{
    (void)state;
    struct cordon_error err;
    const char *const argv[] = {"/bin/true", NULL};
    struct cordon_spawn_options options = shell_options(argv);
    struct cordon_process *process = NULL;
    options.warden = NULL; /* run.sh put this test and cordon-warden into one directory */
    succeeds(cordon_spawn(box, &options, &process, &err), &err);
    cordon_process_close(process);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "connect") == 0)
        return connect_to(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_by_descriptor),
        cmocka_unit_test(reports),
        cmocka_unit_test(traces),
        cmocka_unit_test(signals_the_command),
        cmocka_unit_test(stops_and_continues),
        cmocka_unit_test(kills_everything),
        cmocka_unit_test(closing_kills),
        cmocka_unit_test(limits),
        cmocka_unit_test(asks_for_sockets),
        cmocka_unit_test(guards),
        cmocka_unit_test(survives_a_killed_warden),
        cmocka_unit_test(ends_a_stopped_warden),
        cmocka_unit_test(refuses_other_wardens),
        cmocka_unit_test(finds_the_one_beside_the_program),
    };
    return cmocka_run_group_tests(tests, make_box, free_box);
}
