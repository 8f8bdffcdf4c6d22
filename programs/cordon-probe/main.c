/* main.c - cordon-probe: one operation, one line, one exit code.
 *
 * Role: the table of groups, the dispatch and the verdicts; see probe.h.
 * Called by tests/matrix and by `cordon selftest`, inside the sandbox and, as a
 * control, outside it. Needs no privilege.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct probe_operation *const groups[] = {
    probe_files,  probe_descriptors, probe_names, probe_network,  probe_unix, probe_processes,
    probe_kernel, probe_mounts,      probe_ipc,   probe_terminal, probe_work, probe_repository,
};

static const char *const verdict_names[] = {"ALLOWED", "DENIED", "ABSENT", "BROKEN"};

#define NAME(e)                                                                                              \
    {                                                                                                        \
        e, #e                                                                                                \
    }
static const struct {
    int number;
    const char *name;
} errno_names[] = {
    NAME(EPERM),        NAME(ENOENT),       NAME(ESRCH),           NAME(EINTR),        NAME(EIO),
    NAME(ENXIO),        NAME(E2BIG),        NAME(ENOEXEC),         NAME(EBADF),        NAME(ECHILD),
    NAME(EAGAIN),       NAME(ENOMEM),       NAME(EACCES),          NAME(EFAULT),       NAME(ENOTBLK),
    NAME(EBUSY),        NAME(EEXIST),       NAME(EXDEV),           NAME(ENODEV),       NAME(ENOTDIR),
    NAME(EISDIR),       NAME(EINVAL),       NAME(ENFILE),          NAME(EMFILE),       NAME(ENOTTY),
    NAME(ETXTBSY),      NAME(EFBIG),        NAME(ENOSPC),          NAME(ESPIPE),       NAME(EROFS),
    NAME(EMLINK),       NAME(EPIPE),        NAME(ENAMETOOLONG),    NAME(ENOSYS),       NAME(ENOTEMPTY),
    NAME(ELOOP),        NAME(EIDRM),        NAME(EOVERFLOW),       NAME(EUSERS),       NAME(ENOTSOCK),
    NAME(EDESTADDRREQ), NAME(EMSGSIZE),     NAME(EPROTOTYPE),      NAME(ENOPROTOOPT),  NAME(EPROTONOSUPPORT),
    NAME(EOPNOTSUPP),   NAME(EPFNOSUPPORT), NAME(EAFNOSUPPORT),    NAME(EADDRINUSE),   NAME(EADDRNOTAVAIL),
    NAME(ENETDOWN),     NAME(ENETUNREACH),  NAME(ECONNABORTED),    NAME(ECONNRESET),   NAME(ENOBUFS),
    NAME(EISCONN),      NAME(ENOTCONN),     NAME(ETIMEDOUT),       NAME(ECONNREFUSED), NAME(EHOSTUNREACH),
    NAME(EHOSTDOWN),    NAME(EALREADY),     NAME(EINPROGRESS),     NAME(ESTALE),       NAME(EDQUOT),
    NAME(ENOKEY),       NAME(EKEYREVOKED),  NAME(ESOCKTNOSUPPORT), NAME(ENODATA),      NAME(ENOTUNIQ),
};

const char *probe_errno_name(int error)
{
    for (size_t i = 0; i < sizeof errno_names / sizeof *errno_names; i++) {
        if (errno_names[i].number == error) {
            return errno_names[i].name;
        }
    }
    return "E?";
}

/* True when `name` is one of the words of `list`. */
static int has_word(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += len) {
        int starts = at == list || at[-1] == ' ';
        int ends = at[len] == '\0' || at[len] == ' ';
        if (starts && ends) {
            return 1;
        }
    }
    return 0;
}

__attribute__((format(printf, 2, 0))) static struct probe_result result_of(enum probe_verdict verdict,
                                                                           const char *format, va_list args)
{
    struct probe_result result = {.verdict = verdict};
    vsnprintf(result.detail, sizeof result.detail, format, args);
    return result;
}

struct probe_result probe_allowed(void)
{
    return (struct probe_result){.verdict = PROBE_ALLOWED};
}

struct probe_result probe_broken(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct probe_result result = result_of(PROBE_BROKEN, format, args);
    va_end(args);
    return result;
}

struct probe_result probe_absent(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct probe_result result = result_of(PROBE_ABSENT, format, args);
    va_end(args);
    return result;
}

struct probe_result probe_failed(const struct probe_call *call, const char *step, int error)
{
    const char *name = probe_errno_name(error);
    if (has_word(call->operation->refusals, name)) {
        struct probe_result result = {.verdict = PROBE_DENIED};
        snprintf(result.detail, sizeof result.detail, "%s", name);
        return result;
    }
    if (has_word(call->operation->absents, name)) {
        return probe_absent("%s: %s", step, name);
    }
    return probe_broken("%s: %s (%d)", step, name, error);
}

struct probe_result probe_unprepared(const char *step, int error)
{
    return probe_broken("preparation: %s: %s (%d)", step, probe_errno_name(error), error);
}

int probe_number(const char *text, long *out)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 0);
    if (errno != 0 || end == text || *end != '\0') {
        return -1;
    }
    *out = value;
    return 0;
}

struct probe_result probe_finish_write(const struct probe_call *call, int fd, const char *path)
{
    const size_t len = sizeof PROBE_MARK - 1;
    ssize_t n = write(fd, PROBE_MARK, len);
    int error = errno;
    close(fd);
    if (n < 0) {
        return probe_failed(call, "write", error);
    }
    if ((size_t)n != len) {
        return probe_broken("write: only %zd bytes", n);
    }
    if (path == NULL) {
        return probe_allowed();
    }
    char content[4096];
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return probe_broken("open to verify: %s", probe_errno_name(errno));
    }
    n = read(fd, content, sizeof content - 1);
    close(fd);
    if (n < 0) {
        return probe_broken("read to verify: %s", probe_errno_name(errno));
    }
    content[n] = '\0';
    return strstr(content, PROBE_MARK) != NULL ? probe_allowed()
                                               : probe_broken("the written content is not there");
}

struct probe_result probe_in_child(const struct probe_call *call,
                                   struct probe_result (*body)(const struct probe_call *call))
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return probe_unprepared("pipe2", errno);
    }
    pid_t pid = fork();
    if (pid < 0) {
        return probe_unprepared("fork", errno);
    }
    if (pid == 0) {
        struct probe_result result = body(call);
        ssize_t n = write(ends[1], &result, sizeof result);
        _exit(n == (ssize_t)sizeof result ? 0 : 1);
    }
    close(ends[1]);
    struct probe_result result;
    ssize_t n = read(ends[0], &result, sizeof result);
    close(ends[0]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (n == (ssize_t)sizeof result) {
        result.detail[sizeof result.detail - 1] = '\0';
        return result;
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
        result = (struct probe_result){.verdict = PROBE_DENIED};
        snprintf(result.detail, sizeof result.detail, "SIGSYS");
        return result;
    }
    return probe_broken("the child gave no result (status 0x%x)", (unsigned)status);
}

/* How many arguments the words of `arguments` ask for. */
static void count_arguments(const char *arguments, int *least, int *most)
{
    *least = 0;
    *most = 0;
    int in_word = 0;
    for (const char *p = arguments; *p != '\0'; p++) {
        if (*p == ' ') {
            in_word = 0;
        } else if (!in_word) {
            in_word = 1;
            *most += 1;
            *least += *p != '[';
        }
    }
}

static const struct probe_operation *find_operation(const char *name)
{
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        for (const struct probe_operation *o = groups[g]; o->name != NULL; o++) {
            if (strcmp(o->name, name) == 0) {
                return o;
            }
        }
    }
    return NULL;
}

static void print_operations(void)
{
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        for (const struct probe_operation *o = groups[g]; o->name != NULL; o++) {
            printf("%s %s\n    refused: %s\n", o->name, o->arguments, o->refusals);
        }
    }
}

static _Noreturn void finish(struct probe_result result)
{
    printf("%s%s%s\n", verdict_names[result.verdict], result.detail[0] != '\0' ? " " : "", result.detail);
    /* No work at exit: the attack may have taken the root or the PID namespace
     * away from under libc and the sanitizers. */
    _exit(fflush(stdout) == 0 ? (int)result.verdict : (int)PROBE_BROKEN);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        print_operations();
        return 0;
    }
    if (argc < 2) {
        finish(probe_broken("usage: cordon-probe OPERATION ARG... (--list shows the operations)"));
    }
    const struct probe_operation *operation = find_operation(argv[1]);
    if (operation == NULL) {
        finish(probe_broken("no operation '%.60s' (--list shows them)", argv[1]));
    }
    int least = 0;
    int most = 0;
    /* cppcheck-suppress nullPointerRedundantCheck ; finish() does not return */
    count_arguments(operation->arguments, &least, &most);
    if (argc - 2 < least || argc - 2 > most) {
        finish(probe_broken("usage: %s %s", operation->name, operation->arguments));
    }
    struct probe_call call = {.operation = operation, .args = argv + 2, .count = argc - 2};
    finish(operation->run(&call));
}
