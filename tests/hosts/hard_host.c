/* hard_host.c - makes this machine one that refuses: a seccomp filter, then a command under it.
 *
 *   hard-host CALL=ANSWER... -- COMMAND [ARG...]
 *
 * CALL is a system call's name, or seccomp-listener (seccomp() that asks for a
 * notification descriptor); ANSWER is an errno's name, or `kill`. That is what
 * the profiles of containers, and kernels without a call, look like from inside.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RULES_MAX 16
#define LISTENER_FLAG 8u /* SECCOMP_FILTER_FLAG_NEW_LISTENER */

static const struct {
    const char *name;
    unsigned number;
    int listener;
} calls[] = {
    {"clone3", 435, 0},
    {"unshare", SYS_unshare, 0},
    {"setns", SYS_setns, 0},
    {"open_tree", 428, 0},
    {"move_mount", 429, 0},
    {"fsopen", 430, 0},
    {"close_range", 436, 0},
    {"openat2", 437, 0},
    {"pidfd_open", 434, 0},
    {"pidfd_getfd", 438, 0},
    {"mount_setattr", 442, 0},
    {"landlock_create_ruleset", 444, 0},
    {"landlock_add_rule", 445, 0},
    {"landlock_restrict_self", 446, 0},
    {"seccomp", SYS_seccomp, 0},
    {"seccomp-listener", SYS_seccomp, 1},
};

static const struct {
    const char *name;
    unsigned action;
} answers[] = {
    {"EPERM", SECCOMP_RET_ERRNO | EPERM},           {"ENOSYS", SECCOMP_RET_ERRNO | ENOSYS},
    {"EBUSY", SECCOMP_RET_ERRNO | EBUSY},           {"EINVAL", SECCOMP_RET_ERRNO | EINVAL},
    {"ENOSPC", SECCOMP_RET_ERRNO | ENOSPC},         {"EACCES", SECCOMP_RET_ERRNO | EACCES},
    {"EOPNOTSUPP", SECCOMP_RET_ERRNO | EOPNOTSUPP}, {"kill", SECCOMP_RET_KILL_PROCESS},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct program {
    struct sock_filter code[RULES_MAX * 6 + 2];
    unsigned short length;
};

static void add(struct program *p, struct sock_filter instruction)
{
    p->code[p->length++] = instruction;
}

static int add_rule(struct program *p, const char *word)
{
    const char *equals = strchr(word, '=');
    for (size_t c = 0; equals && c < COUNT(calls); c++) {
        if (strlen(calls[c].name) != (size_t)(equals - word) ||
            strncmp(calls[c].name, word, (size_t)(equals - word)) != 0)
            continue;
        for (size_t a = 0; a < COUNT(answers); a++) {
            if (strcmp(answers[a].name, equals + 1) != 0)
                continue;
            unsigned char skip = calls[c].listener ? 3 : 1;
            add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
            add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[c].number, 0, skip));
            if (calls[c].listener) {
                add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                                    offsetof(struct seccomp_data, args[1])));
                add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, LISTENER_FLAG, 0, 1));
            }
            add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answers[a].action));
            return 0;
        }
    }
    fprintf(stderr, "hard-host: not understood: %s\n", word);
    return -1;
}

int main(int argc, char **argv)
{
    struct program program = {.length = 0};
    int at = 1;
    for (; at < argc && strcmp(argv[at], "--") != 0; at++)
        if (at > RULES_MAX || add_rule(&program, argv[at]) != 0)
            return 2;
    if (at + 1 >= argc) {
        fputs("usage: hard-host CALL=ANSWER... -- COMMAND [ARG...]\n", stderr);
        return 2;
    }
    add(&program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    struct sock_fprog filter = {program.length, program.code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0) {
        perror("hard-host");
        return 2;
    }
    execvp(argv[at + 1], &argv[at + 1]);
    perror(argv[at + 1]);
    return 127;
}
