/* probe.h - what the operations of cordon-probe share.
 *
 * cordon-probe tries exactly one operation and says how the kernel answered:
 *
 *   ALLOWED            exit 0   it worked, and the effect was seen where it can be
 *   DENIED ERRNO       exit 1   the kernel refused with an errno that this
 *                               operation counts as a refusal
 *   ABSENT reason      exit 2   this machine has no such thing
 *   BROKEN reason      exit 3   anything else: a missing file, a wrong argument
 *
 * The refusals are listed with each operation, so that a test cannot pass for
 * the wrong reason. What an operation changed stays: the caller looks at it
 * from outside. The program runs inside the sandbox, as the attacker does, and
 * depends on nothing but libc and the kernel.
 */
#ifndef CORDON_PROBE_H
#define CORDON_PROBE_H

#include <stddef.h>

enum probe_verdict { PROBE_ALLOWED, PROBE_DENIED, PROBE_ABSENT, PROBE_BROKEN };

struct probe_result {
    enum probe_verdict verdict;
    char detail[200];
};

struct probe_call {
    const struct probe_operation *operation;
    char **args; /* NULL-terminated */
    int count;
};

struct probe_operation {
    const char *name;
    const char *arguments; /* for the list: "PATH [MODE]"; optional ones in brackets */
    const char *refusals;  /* errno names that are a refusal, separated by spaces */
    const char *absents;   /* errno names that mean: not on this machine; "" for none */
    struct probe_result (*run)(const struct probe_call *call);
};

/* What write-like operations leave, so that the content can be recognised. */
#define PROBE_MARK "cordon-probe was here\n"

struct probe_result probe_allowed(void);
/* Turns the errno of the decisive step into DENIED, ABSENT or BROKEN. */
struct probe_result probe_failed(const struct probe_call *call, const char *step, int error);
/* A preparation that should have worked. */
struct probe_result probe_unprepared(const char *step, int error);
struct probe_result probe_broken(const char *format, ...) __attribute__((format(printf, 1, 2)));
struct probe_result probe_absent(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs `body` in a forked child that sends its result back; a child that a
 * signal ended gives DENIED SIGNAME for SIGSYS, else BROKEN. */
struct probe_result probe_in_child(const struct probe_call *call,
                                   struct probe_result (*body)(const struct probe_call *call));

const char *probe_errno_name(int error); /* "EROFS"; "E?" for an unknown one */
int probe_number(const char *text, long *out);

/* Writes the mark through `fd`, closes it, and reads `path` to see it there.
 * `path` NULL: the effect is not looked for. */
struct probe_result probe_finish_write(const struct probe_call *call, int fd, const char *path);

/* Groups of operations; each ends with an entry whose name is NULL. */
extern const struct probe_operation probe_files[];
extern const struct probe_operation probe_descriptors[];
extern const struct probe_operation probe_names[];
extern const struct probe_operation probe_network[];
extern const struct probe_operation probe_unix[];
extern const struct probe_operation probe_processes[];
extern const struct probe_operation probe_kernel[];
extern const struct probe_operation probe_mounts[];
extern const struct probe_operation probe_ipc[];
extern const struct probe_operation probe_terminal[];
extern const struct probe_operation probe_work[];
extern const struct probe_operation probe_repository[];

#endif
