/* cordon.h - libcordon: run commands inside a boundary that the operating system
 * enforces. The only public header. docs/embedding.md walks through it.
 *
 *     describe      struct cordon_policy    what may be written, read, reached
 *     prepare       struct cordon_box       resolved against this machine, planned
 *     spawn         struct cordon_process   a confined, running process tree
 *
 * Every function that can fail returns a cordon_status (CORDON_OK is 0, so calls
 * can be chained with ||) and fills a caller-owned struct cordon_error, which
 * may be NULL. Outputs are untouched on failure. Nothing runs after an error.
 *
 * The library has no global state, installs no signal handler and no atexit
 * function, starts no thread, never forks the caller, never changes the caller's
 * signal mask, limits, umask or current directory, and does not depend on
 * SIGCHLD: the caller may ignore it, and its own wait(-1) sees no child of the
 * library's. Every descriptor that it opens is close-on-exec.
 *
 * Threads: different objects may be used by different threads at once. Of one
 * object: a policy belongs to one thread at a time; a box may be used by any
 * number of threads at once; a process belongs to one thread at a time but for
 * cordon_process_signal() and cordon_process_kill(), which any thread may call
 * until cordon_process_close() begins. A child that the caller forks must not
 * use its parent's processes.
 *
 * Strings are UTF-8 or the file system's bytes, NUL-terminated. What is passed
 * in is copied unless a function says otherwise.
 */
#ifndef CORDON_CORDON_H
#define CORDON_CORDON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CORDON_API __attribute__((visibility("default")))
#else
#define CORDON_API
#endif

/* -- errors ---------------------------------------------------------------- */

typedef enum cordon_status {
    CORDON_OK = 0,
    CORDON_E_INVALID,     /* bad input: the message says what, where, and what would be right */
    CORDON_E_LIMIT,       /* a bound was exceeded */
    CORDON_E_NOMEM,       /* out of memory */
    CORDON_E_UNSUPPORTED, /* this machine cannot enforce it; the message names the remedy */
    CORDON_E_SYSTEM,      /* an operating system call failed; os_code is its errno */
    CORDON_E_CONFLICT,    /* the world changed between check and use */
} cordon_status;

#define CORDON_STEP_MAX 48
#define CORDON_MESSAGE_MAX 1024

/* Fixed size, no pointers: it may be copied and sent as bytes. */
struct cordon_error {
    cordon_status status;
    int os_code;                      /* errno, or 0 */
    char step[CORDON_STEP_MAX];       /* stable name of what was being done, "linux.mount.protect":
                                         docs/errors.md has cause and remedy; never empty when status is set */
    char message[CORDON_MESSAGE_MAX]; /* one line for people, no newline, no control characters, UTF-8 */
};

/* "0.1.0". Static. */
CORDON_API const char *cordon_version(void);

/* -- policy ---------------------------------------------------------------- */

/* What the command may do. It begins as the defaults (docs/policy.md): it may
 * read what the user may read, write in the workspace and in private temporary
 * directories only, `.git` and the like protected, no network. Lists add, the
 * last scalar wins. Paths are looked at by cordon_prepare(); relative ones are
 * made absolute at the call, from the current directory. */
struct cordon_policy;

enum cordon_profile { CORDON_PROFILE_READ_ONLY, CORDON_PROFILE_WORKSPACE, CORDON_PROFILE_OPEN };
enum cordon_tmp {
    CORDON_TMP_FRESH,     /* empty for each process */
    CORDON_TMP_WORKSPACE, /* private, one for the workspace's commands (default) */
    CORDON_TMP_SHARED     /* the machine's own /tmp */
};
enum cordon_network { CORDON_NETWORK_OFF = 0, CORDON_NETWORK_ON = 2 };
enum cordon_limit {
    CORDON_LIMIT_WALL_SECONDS,
    CORDON_LIMIT_MEMORY_BYTES,
    CORDON_LIMIT_PROCESSES,
    CORDON_LIMIT_CPU_SECONDS,
    CORDON_LIMIT_FILE_BYTES
};

/* cordon_policy_free() takes NULL. Boxes that were made of it live on. */
CORDON_API cordon_status cordon_policy_new(struct cordon_policy **out, struct cordon_error *err);
CORDON_API void cordon_policy_free(struct cordon_policy *policy);

/* A policy file's text (docs/policy.md, schema/policy-1.json), or the file at
 * `path`; path NULL: the user's own ($XDG_CONFIG_HOME/cordon/policy.json), which
 * may be absent: call that to honour what the user decided for every agent. At
 * most one file for a policy. What the functions below say comes after it. `name`
 * is for messages. Steps "policy.parse", "policy.read". */
CORDON_API cordon_status cordon_policy_parse(struct cordon_policy *policy, const char *text, size_t length,
                                             const char *name, struct cordon_error *err);
CORDON_API cordon_status cordon_policy_load(struct cordon_policy *policy, const char *path,
                                            struct cordon_error *err);

/* Default: the current directory when cordon_prepare() is called. */
CORDON_API cordon_status cordon_policy_set_workspace(struct cordon_policy *policy, const char *directory,
                                                     struct cordon_error *err);
CORDON_API cordon_status cordon_policy_set_profile(struct cordon_policy *policy, enum cordon_profile profile,
                                                   struct cordon_error *err);
CORDON_API cordon_status cordon_policy_set_network(struct cordon_policy *policy, enum cordon_network network,
                                                   struct cordon_error *err);
CORDON_API cordon_status cordon_policy_set_tmp(struct cordon_policy *policy, enum cordon_tmp tmp,
                                               struct cordon_error *err);
/* Seconds, bytes or a number; 0: no limit. */
CORDON_API cordon_status cordon_policy_set_limit(struct cordon_policy *policy, enum cordon_limit limit,
                                                 uint64_t value, struct cordon_error *err);

/* Paths. protect and unprotect also take bare names (".git"), deny_read globs. */
CORDON_API cordon_status cordon_policy_allow_write(struct cordon_policy *policy, const char *path,
                                                   struct cordon_error *err);
CORDON_API cordon_status cordon_policy_protect(struct cordon_policy *policy, const char *name_or_path,
                                               struct cordon_error *err);
CORDON_API cordon_status cordon_policy_unprotect(struct cordon_policy *policy, const char *name,
                                                 struct cordon_error *err);
CORDON_API cordon_status cordon_policy_deny_read(struct cordon_policy *policy, const char *path_or_glob,
                                                 struct cordon_error *err);
/* Stays visible, read-only, although it lies in a replaced directory (/tmp). */
CORDON_API cordon_status cordon_policy_allow_read(struct cordon_policy *policy, const char *path,
                                                  struct cordon_error *err);
/* A socket of a process outside that the command may connect to. */
CORDON_API cordon_status cordon_policy_allow_socket(struct cordon_policy *policy, const char *path,
                                                    struct cordon_error *err);

/* Environment: the command inherits it but for what looks like a secret.
 * `pattern`: a name or a glob. value NULL in set_env is an error. */
CORDON_API cordon_status cordon_policy_keep_env(struct cordon_policy *policy, const char *pattern,
                                                struct cordon_error *err);
CORDON_API cordon_status cordon_policy_remove_env(struct cordon_policy *policy, const char *pattern,
                                                  struct cordon_error *err);
CORDON_API cordon_status cordon_policy_set_env(struct cordon_policy *policy, const char *name,
                                               const char *value, struct cordon_error *err);

/* Facets (docs/platforms.md): an error instead of a documented limit; a loss
 * accepted by name, which the report repeats. */
CORDON_API cordon_status cordon_policy_require(struct cordon_policy *policy, const char *facet,
                                               struct cordon_error *err);
CORDON_API cordon_status cordon_policy_allow_degraded(struct cordon_policy *policy, const char *facet,
                                                      struct cordon_error *err);

/* -- box ------------------------------------------------------------------- */

/* A policy resolved against this machine, and the plan made of it. Immutable:
 * reusable for any number of processes, by any number of threads at once. What
 * it answers is as of cordon_prepare(); each spawn looks at the machine anew. */
struct cordon_box;

/* Resolves and plans; changes nothing on the machine. Fails closed: what this
 * machine cannot enforce is an error here. `policy` stays the caller's. */
CORDON_API cordon_status cordon_prepare(const struct cordon_policy *policy, struct cordon_box **out,
                                        struct cordon_error *err);
/* Takes NULL. Not before its processes are closed. */
CORDON_API void cordon_box_free(struct cordon_box *box);

enum cordon_operation {
    CORDON_READ,   /* content, listing, execution */
    CORDON_WRITE,  /* change the content or metadata of what is there */
    CORDON_CREATE, /* make a name that is not there */
    CORDON_REMOVE  /* delete, rename away, rename over */
};

/* The strings belong to the box. */
struct cordon_verdict {
    bool allowed;
    const char *reason;    /* a short phrase */
    const char *rule;      /* kind of the rule that decides, "protect"; NULL: a default decides */
    const char *path;      /* the rule's path, and */
    const char *origin;    /* where it came from; NULL with `rule` */
    const char *facet;     /* what the enforcement belongs to, "write" */
    const char *mechanism; /* how it is enforced on this machine */
};

/* May the command do that with what lies at `path` (absolute, or relative to the
 * current directory; it need not exist)? Answers what a run enforces. */
CORDON_API cordon_status cordon_box_explain(const struct cordon_box *box, const char *path,
                                            enum cordon_operation operation, struct cordon_verdict *out,
                                            struct cordon_error *err);

/* Everything the operating system will be told, as `cordon plan --json` says it.
 * *out is released by cordon_text_free(). */
CORDON_API cordon_status cordon_box_plan_json(const struct cordon_box *box, char **out,
                                              struct cordon_error *err);
CORDON_API void cordon_text_free(char *text); /* takes NULL */

/* -- process --------------------------------------------------------------- */

struct cordon_process;

enum cordon_stdio_kind {
    CORDON_STDIO_NULL,    /* /dev/null */
    CORDON_STDIO_INHERIT, /* the caller's descriptor of the same number */
    CORDON_STDIO_PIPE,    /* a new pipe: cordon_process_take_pipe() gives the caller's end */
    CORDON_STDIO_FD       /* `fd`, which stays the caller's */
};

struct cordon_stdio {
    enum cordon_stdio_kind kind;
    int fd;
};

/* Set `size` to sizeof(struct cordon_spawn_options) and everything that is not
 * wanted to zero. All pointers are borrowed for the call only. */
struct cordon_spawn_options {
    size_t size;
    const char *const *argv;        /* NULL-terminated; argv[0] is looked up in the command's PATH */
    const char *const *environment; /* NULL-terminated "KEY=VALUE", to which the policy's rules are
                                       applied; NULL: the caller's environ at the time of the call */
    const char *directory;          /* where it starts; NULL: the caller's current directory */
    struct cordon_stdio stdio[3];   /* zero: /dev/null. What would be a way out of the boundary (a
                                       directory, a connectable socket, most devices) is refused */
    bool terminal;                  /* a pseudo-terminal of the command's own as 0, 1 and 2, whose master
                                       cordon_process_take_terminal() gives; `stdio` must be zero */
    unsigned short rows, columns;   /* its size at start; 0: 24 and 80 */
    bool changes;                   /* list changed files: the report's `changed`; costs a walk over the
                                       writable roots before and after */
    bool trace;                     /* the report lists every refused operation, with what would allow it;
                                       opening and changing files takes longer */
    bool keep_report;               /* also keep the report in cordon's state, for `cordon report` */
    const char *warden;             /* path of cordon-warden; NULL: the installed one, else the one beside
                                       the running program */
};

/* Starts the command and returns once its exec has succeeded: *out is a confined
 * running tree. Or it returns an error that names the step ("exec.not-found",
 * "linux.userns.clone", "warden.find", ...), and nothing runs.
 *
 * The command begins with an empty signal mask and default signal dispositions,
 * the caller's resource limits as far as the policy does not lower them, no
 * descriptor but 0, 1 and 2, and a session of its own: the caller's Ctrl-C does
 * not reach it (forward it with cordon_process_signal()).
 *
 * The tree ends when the command exits, when a limit hits, when it is killed or
 * closed, and when the calling process ends, however it ends; not when the
 * calling thread ends. `box` must outlive the process. */
CORDON_API cordon_status cordon_spawn(const struct cordon_box *box,
                                      const struct cordon_spawn_options *options, struct cordon_process **out,
                                      struct cordon_error *err);

/* The command's process id, as seen from outside; for display. */
CORDON_API long cordon_process_pid(const struct cordon_process *process);

/* A descriptor that poll(2) and its like report readable once the tree has
 * ended, so that cordon_process_wait() does not block. Borrowed: neither read
 * nor close it. */
CORDON_API int cordon_process_wait_handle(const struct cordon_process *process);

/* The caller's end of a CORDON_STDIO_PIPE; from then on the caller closes it. -1:
 * there is none, or it was taken. Ends that were not taken are closed with the
 * process. End of file comes when the tree has ended or closed its end. */
CORDON_API int cordon_process_take_pipe(struct cordon_process *process, int descriptor);
/* The same for the master of the terminal. */
CORDON_API int cordon_process_take_terminal(struct cordon_process *process);

enum cordon_outcome_kind {
    CORDON_OUTCOME_FAILED,
    CORDON_OUTCOME_GUARDED,   /* a guard stopped it: the report says why */
    CORDON_OUTCOME_LIMIT,     /* `limit` hit: memory, cpu, file */
    CORDON_OUTCOME_TIMED_OUT, /* the wall limit */
    CORDON_OUTCOME_SIGNALED,
    CORDON_OUTCOME_EXITED
};

struct cordon_outcome {
    enum cordon_outcome_kind kind;
    int code;          /* exit code when exited, else -1 */
    int signal;        /* its number, else 0 */
    int status;        /* what `cordon run` would exit with: code, 128+signal, 124 timed out, 123 guarded */
    const char *limit; /* "wall", "memory", ...; NULL: none. Static */
    uint64_t wall_ms, cpu_ms, max_rss_bytes;
    int64_t processes; /* processes and threads that were started inside; -1: unknown */
};

/* Waits until the tree has ended. When it returns, whatever it returns, no
 * process of the tree is left and placeholders are removed. May be called again.
 * Step "warden.lost": cordon-warden was killed from outside, and the tree with
 * it; how the command ended is not known. */
CORDON_API cordon_status cordon_process_wait(struct cordon_process *process, struct cordon_outcome *out,
                                             struct cordon_error *err);

/* The report of schema/report-1.json. After cordon_process_wait() only (step
 * "report.early"); released by cordon_text_free(). */
CORDON_API cordon_status cordon_process_report_json(const struct cordon_process *process, char **out,
                                                    struct cordon_error *err);

/* Sends a signal to the command's process group. */
CORDON_API cordon_status cordon_process_signal(struct cordon_process *process, int number,
                                               struct cordon_error *err);
/* Kills every process of the tree; does not wait. */
CORDON_API void cordon_process_kill(struct cordon_process *process);
/* Kills what still runs, waits for its end, frees. Takes NULL. */
CORDON_API void cordon_process_close(struct cordon_process *process);

#ifdef __cplusplus
}
#endif

#endif
