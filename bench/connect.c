/* connect.c - what a connection costs, outside and inside: connect(2), and what
 * is sent over it afterwards.
 *
 * Role: the figures of docs/performance.md. Runs itself once as it is and once
 * by `cordon run`, alternating, in the current directory. One server thread and
 * one client, over a unix path and over TCP on the loopback:
 *
 *     bench-connect --cordon FILE [--rounds N]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONNECTS 500
#define PINGS 2000
#define MAX_ROUNDS 100

enum measure { UNIX_CONNECT, TCP_CONNECT, UNIX_PING, MEASURES };

static const char *const names[MEASURES] = {"connect, unix path", "connect, TCP loopback",
                                            "one byte there and back, unix"};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return values[count / 2];
}

static _Noreturn void give_up(const char *what)
{
    perror(what);
    exit(1);
}

/* Takes connections until the listener is shut down; answers each byte by one. */
static void *serve(void *argument)
{
    int listener = *(int *)argument, fd;
    char byte;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
            continue;
        close(fd);
    }
    return NULL;
}

static void measure(const struct sockaddr *at, socklen_t len, double *per_connect, double *per_ping)
{
    double connects[CONNECTS], pings[PINGS];
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    pthread_t thread;
    char byte = 'x';
    int last = -1, listener = socket(at->sa_family, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, at, len) != 0 || listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&name, &size) != 0 ||
        pthread_create(&thread, NULL, serve, &listener) != 0)
        give_up("server");
    for (int i = 0; i < CONNECTS; i++) {
        if (last >= 0)
            close(last);
        last = socket(at->sa_family, SOCK_STREAM, 0);
        double began = now_us();
        if (connect(last, (struct sockaddr *)&name, size) != 0)
            give_up("connect");
        connects[i] = now_us() - began;
        if (write(last, &byte, 1) != 1 || read(last, &byte, 1) != 1) /* the server is ready again */
            give_up("ping");
    }
    for (int i = 0; i < PINGS; i++) {
        double began = now_us();
        if (write(last, &byte, 1) != 1 || read(last, &byte, 1) != 1)
            give_up("ping");
        pings[i] = now_us() - began;
    }
    close(last);
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    *per_connect = median(connects, CONNECTS);
    *per_ping = median(pings, PINGS);
}

static int measure_here(void)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "bench-connect.socket"};
    struct sockaddr_in tcp = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    double found[MEASURES], ignored;
    unlink(path.sun_path);
    measure((struct sockaddr *)&path, sizeof path, &found[UNIX_CONNECT], &found[UNIX_PING]);
    unlink(path.sun_path);
    measure((struct sockaddr *)&tcp, sizeof tcp, &found[TCP_CONNECT], &ignored);
    for (int i = 0; i < MEASURES; i++)
        printf("%f\n", found[i]);
    return 0;
}

static void run(char *const argv[], double found[MEASURES])
{
    posix_spawn_file_actions_t actions;
    int ends[2], status;
    pid_t pid;
    if (pipe(ends) != 0 || posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) != 0 ||
        posix_spawn_file_actions_addclose(&actions, ends[0]) != 0)
        give_up("pipe");
    if ((errno = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ)) != 0)
        give_up(argv[0]);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *output = fdopen(ends[0], "r");
    char line[64];
    for (int i = 0; i < MEASURES; i++) {
        if (!output || !fgets(line, sizeof line, output))
            give_up(argv[0]);
        found[i] = strtod(line, NULL);
    }
    fclose(output);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        give_up(argv[0]);
}

int main(int argc, char **argv)
{
    static double outside[MEASURES][MAX_ROUNDS], inside[MEASURES][MAX_ROUNDS];
    static char here[] = "--here", run_word[] = "run", end[] = "--";
    char *cordon = NULL, self[4096];
    long rounds = 11;
    if (argc == 2 && strcmp(argv[1], here) == 0)
        return measure_here();
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--cordon") == 0)
            cordon = argv[i + 1];
        else if (strcmp(argv[i], "--rounds") == 0)
            rounds = strtol(argv[i + 1], NULL, 10);
    }
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (!cordon || len < 0 || rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "usage: bench-connect --cordon FILE [--rounds 1..%d]\n", MAX_ROUNDS);
        return 2;
    }
    self[len] = '\0';
    char *direct[] = {self, here, NULL}, *confined[] = {cordon, run_word, end, self, here, NULL};
    for (long i = 0; i < rounds; i++) {
        double found[2][MEASURES];
        run(direct, found[0]);
        run(confined, found[1]);
        for (int m = 0; m < MEASURES; m++) {
            outside[m][i] = found[0][m];
            inside[m][i] = found[1][m];
        }
    }
    printf("%-32s %10s %10s %8s %8s\n", "median us", "outside", "inside", "more", "ratio");
    for (int m = 0; m < MEASURES; m++) {
        double o = median(outside[m], (size_t)rounds), i = median(inside[m], (size_t)rounds);
        printf("%-32s %10.1f %10.1f %8.1f %8.2f\n", names[m], o, i, i - o, i / o);
    }
    return 0;
}
