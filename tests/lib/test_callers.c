/* test_callers.c - callers of every kind: with threads, large, that ignore
 * SIGCHLD, that adopt orphans, that fork, that die. */
#include "fixture.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>

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

/* Starts `script` and returns its process's pid by way of *process. */
static long start(const char *script, struct cordon_process **process)
{
    *process = start_script(box, script);
    return cordon_process_pid(*process);
}

/* No wait of the caller's finds a child of ours, and none of its settings harms. */
static void has_no_child(void **state)
{
    (void)state;
    struct cordon_process *process;
    struct cordon_error err;
    struct cordon_outcome outcome;
    start("exit 4", &process);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    succeeds(cordon_process_wait(process, &outcome, &err), &err);
    assert_int_equal(outcome.code, 4);
    cordon_process_close(process);
    assert_int_equal(waitpid(-1, NULL, __WALL | WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void may_ignore_sigchld(void **state)
{
    (void)state;
    struct cordon_outcome outcome;
    signal(SIGCHLD, SIG_IGN);
    free(run_script(box, "/bin/true; exit 8", &outcome)); /* the shell inside needs its SIGCHLD */
    signal(SIGCHLD, SIG_DFL);
    assert_int_equal(outcome.code, 8);
}

/* As the first process of a container: what is orphaned becomes the caller's, and is no zombie for ever. */
static void may_adopt_orphans(void **state)
{
    (void)state;
    struct cordon_outcome outcome;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    free(run_script(box, "exit 2", &outcome));
    assert_int_equal(outcome.code, 2);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

/* -- threads ---------------------------------------------------------------- */

enum { THREADS = 6, ROUNDS = 5 };

struct thread {
    pthread_t id;
    int number, good;
};

static void *spawn_often(void *argument)
{
    struct thread *thread = argument;
    for (int i = 0; i < ROUNDS; i++) {
        char script[64], wanted[32];
        snprintf(script, sizeof script, "echo %d.%d; exit %d", thread->number, i, i);
        snprintf(wanted, sizeof wanted, "%d.%d\n", thread->number, i);
        const char *const argv[] = {"/bin/sh", "-c", script, NULL};
        struct cordon_spawn_options options = shell_options(argv);
        struct cordon_process *process = NULL;
        struct cordon_outcome outcome = {.code = -1};
        struct cordon_error err;
        char text[64] = "";
        options.stdio[1].kind = CORDON_STDIO_PIPE;
        if (cordon_spawn(box, &options, &process, &err) != CORDON_OK) {
            fprintf(stderr, "thread %d: %s: %s\n", thread->number, err.step, err.message);
            continue;
        }
        int fd = cordon_process_take_pipe(process, 1);
        ssize_t got = read(fd, text, sizeof text - 1);
        close(fd);
        if (cordon_process_wait(process, &outcome, &err) == CORDON_OK && outcome.code == i && got > 0 &&
            strcmp(text, wanted) == 0)
            thread->good++;
        cordon_process_close(process);
    }
    return NULL;
}

struct noise {
    pthread_t id;
    volatile bool over;
    bool forks;
};

/* What the other threads of an agent do meanwhile. */
static void *make_noise(void *argument)
{
    struct noise *noise = argument;
    while (!noise->over) {
        void *memory = malloc(1 << 18);
        if (memory)
            memset(memory, 1, 1 << 18);
        free(memory);
        pid_t child = noise->forks ? fork() : -1;
        if (child == 0)
            _exit(0);
        if (child > 0)
            waitpid(child, NULL, 0);
    }
    return NULL;
}

static void may_have_threads(void **state)
{
    (void)state;
    struct thread threads[THREADS];
    struct noise noises[2] = {{.forks = true}, {.forks = false}};
    int before = count_descriptors();
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&noises[i].id, NULL, make_noise, &noises[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = (struct thread){.number = i};
        assert_int_equal(pthread_create(&threads[i].id, NULL, spawn_often, &threads[i]), 0);
    }
    int good = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i].id, NULL);
        good += threads[i].good;
    }
    for (int i = 0; i < 2; i++) {
        noises[i].over = true;
        pthread_join(noises[i].id, NULL);
    }
    assert_int_equal(good, THREADS * ROUNDS);
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(access("ws/.git", F_OK), -1);
}

static void *start_in_thread(void *argument)
{
    start("sleep 1000", argument);
    return NULL;
}

/* The tree hangs on the process and not on the thread that called. */
static void outlives_its_thread(void **state)
{
    (void)state;
    struct cordon_process *process = NULL;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, start_in_thread, &process), 0);
    pthread_join(thread, NULL);
    const struct timespec moment = {0, 200000000};
    nanosleep(&moment, NULL);
    assert_true(is_alive(cordon_process_pid(process)));
    cordon_process_close(process);
}

static void *kill_soon(void *argument)
{
    cordon_process_kill(argument);
    return NULL;
}

static void may_kill_from_another_thread(void **state)
{
    (void)state;
    struct cordon_process *process;
    struct cordon_outcome outcome;
    struct cordon_error err;
    pthread_t thread;
    start("sleep 1000", &process);
    assert_int_equal(pthread_create(&thread, NULL, kill_soon, process), 0);
    succeeds(cordon_process_wait(process, &outcome, &err), &err);
    pthread_join(thread, NULL);
    assert_int_equal(outcome.signal, SIGKILL);
    cordon_process_close(process);
}

/* -- size and death --------------------------------------------------------- */

/* Nothing of the caller is copied: a warden of a 300 MB caller is as small as any. */
static void may_be_large(void **state)
{
    (void)state;
    size_t size = 300u << 20;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    memset(memory, 1, size);
    struct cordon_process *process;
    start("sleep 1000", &process);
    char path[64], line[256] = "";
    long kilobytes = -1;
    snprintf(path, sizeof path, "/proc/%ld/status", warden_of(process));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "RssAnon:", 8) == 0)
            kilobytes = strtol(line + 8, NULL, 10);
    fclose(file);
    assert_true(kilobytes >= 0 && kilobytes < 102400);
    cordon_process_close(process);
    munmap(memory, size);
}

/* A caller that starts a tree, tells its pid, and waits to be killed. With `copy`
 * it has a child of its own, a copy with every descriptor, that lives on. */
static pid_t caller(bool copy, long *command, pid_t *copied)
{
    int out[2];
    struct {
        long command;
        pid_t copied;
    } told = {-1, -1};
    assert_int_equal(pipe(out), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct cordon_process *process;
        told.command = start("setsid sleep 1000 & sleep 1000", &process);
        if (copy && (told.copied = fork()) == 0)
            for (;;)
                pause();
        (void)!write(out[1], &told, sizeof told);
        for (;;)
            pause();
    }
    close(out[1]);
    assert_int_equal(read(out[0], &told, sizeof told), sizeof told);
    close(out[0]);
    *command = told.command;
    *copied = told.copied;
    return child;
}

static void takes_the_tree_along(void **state)
{
    (void)state;
    for (int copy = 0; copy < 2; copy++) {
        long command;
        pid_t copied;
        pid_t child = caller(copy, &command, &copied);
        long init = parent_of(command), warden = parent_of(init);
        assert_true(is_alive(command));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_true(becomes_dead(command));
        assert_true(becomes_dead(init));
        assert_true(becomes_dead(warden));
        if (copied > 0)
            kill(copied, SIGKILL);
    }
    /* What the killed one could not remove goes with the next. */
    free(run_script(box, "true", NULL));
    assert_int_equal(access("ws/.git", F_OK), -1);
}

/* A copy of the caller holds the channel open, and closing works all the same. */
static void closes_beside_a_copy(void **state)
{
    (void)state;
    struct cordon_process *process;
    long command = start("sleep 1000", &process);
    fflush(NULL);
    pid_t copy = fork();
    if (copy == 0)
        for (;;)
            pause();
    cordon_process_close(process);
    assert_false(is_alive(command));
    kill(copy, SIGKILL);
    waitpid(copy, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_no_child),         cmocka_unit_test(may_ignore_sigchld),
        cmocka_unit_test(may_adopt_orphans),    cmocka_unit_test(may_have_threads),
        cmocka_unit_test(outlives_its_thread),  cmocka_unit_test(may_kill_from_another_thread),
        cmocka_unit_test(may_be_large),         cmocka_unit_test(takes_the_tree_along),
        cmocka_unit_test(closes_beside_a_copy),
    };
    return cmocka_run_group_tests(tests, make_box, free_box);
}
