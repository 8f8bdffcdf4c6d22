/* warden.h - cordon-warden: the process that stands beside one confined tree of a
 * library's caller, launches it, supervises it, and ends it when the caller ends.
 *
 * The caller's half (this) finds the program, starts it without copying the
 * caller, hands the plan over and hears how it went. The other half is
 * programs/cordon-warden. They speak over one SOCK_SEQPACKET pair: structs as
 * bytes, since both must be of the same version, and longer things in chunks.
 */
#ifndef CORDON_LINUX_WARDEN_H
#define CORDON_LINUX_WARDEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "core/buf.h"
#include "core/error.h"

/* The warden's descriptors at its start, beside the command's 0, 1 and 2. */
#define WARDEN_CHANNEL 3
#define WARDEN_CALLER 4 /* pidfd of the calling process */

#define WARDEN_MAGIC 0x77616e64u
#define WARDEN_CHUNK (32u << 10)

/* Lies in the channel when the warden starts; the command follows in argv. The
 * first two fields never change, so that two versions can tell each other apart. */
struct warden_begin {
    uint32_t magic;
    char version[32];
    bool own_netns, pty;
    bool may_be_plain; /* it was accepted that nothing is protected where namespaces are not to be had */
    struct winsize window;
};

enum warden_kind {
    /* caller to warden */
    WARDEN_GO = 1, /* `bytes` of a handover_order follow */
    WARDEN_SIGNAL, /* `value` for the command's process group */
    WARDEN_KILL,   /* end the tree */
    /* warden to caller */
    WARDEN_BEGUN,   /* carries init's pidfd; `value`: it is plain. Before the warden reads WARDEN_GO */
    WARDEN_STARTED, /* `value`: the command's pid; carries the pty's master if there is one */
    WARDEN_FAILED,  /* `error`; nothing has run */
    WARDEN_ENDED,   /* no process of the tree is left; `bytes` of a handover_result follow */
};

struct warden_message {
    enum warden_kind kind;
    int value;
    uint64_t bytes;
    struct cordon_error error;
};

/* One end's view of the other. */
struct warden_link {
    int channel;
    int other; /* pidfd of the process at the other end */
};

/* Blocking; false: the other end is gone. `fds`: NULL, or two descriptors that
 * travel along (-1: none); they stay the sender's, and are close-on-exec at the
 * receiver. `more`: NULL, or bytes that follow. */
bool warden_send(const struct warden_link *link, const struct warden_message *message, const int fds[2],
                 const struct buf *more);
bool warden_receive(const struct warden_link *link, struct warden_message *message, int fds[2]);
/* What followed a message; NULL: the other end is gone, or out of memory. The caller frees. */
void *warden_receive_more(const struct warden_link *link, uint64_t bytes);

/* -- the caller's half ------------------------------------------------------ */

struct warden_program {
    int fd; /* O_PATH: what was checked is what is executed */
    char *path;
};

void warden_program_release(struct warden_program *p);

/* `given`, else the installed one, else the one beside the running program. It
 * must be a program that nobody else may write. Step "warden.find". */
cordon_status warden_find(const char *given, struct warden_program *out, struct cordon_error *err);

struct warden {
    struct warden_link link; /* -1 when closed; `other` is the warden */
    int init;                /* pidfd of the sandbox's init; -1 until started */
    int terminal;            /* the pty's master; -1 */
    int handle;              /* epoll: readable when one of `link` is */
    long command;            /* pid; 0 until started */
    bool begun, plain;       /* plain: without namespaces (plain.h) */
};

void warden_init(struct warden *w);

/* Starts it: it begins with the namespaces at once. fds[i] becomes descriptor i.
 * Steps "warden.start". */
cordon_status warden_start(struct warden *w, const struct warden_program *program,
                           const struct warden_begin *begin, const char *const *argv, const int fds[3],
                           struct cordon_error *err);

/* Until its first word: whether it is plain, which the plan must be then too. May be left out. */
cordon_status warden_await_begun(struct warden *w, struct cordon_error *err);

/* Hands the plan over and waits until the command's exec succeeded, or for the
 * error that the sandbox met. "warden.lost": it was killed. */
cordon_status warden_go(struct warden *w, const struct buf *order, struct cordon_error *err);

/* Waits for the end and the result, whose bytes the caller frees; "warden.lost".
 * Either way no process of the tree is left; the warden itself may still be taking
 * the namespaces down. */
cordon_status warden_wait(struct warden *w, void **result, size_t *size, struct cordon_error *err);

/* Until init and its namespaces are gone as well. */
void warden_wait_gone(const struct warden *w);

/* Both by any thread. False: the warden has ended. */
bool warden_signal(const struct warden *w, int number);
void warden_kill_tree(const struct warden *w);

/* Ends whatever is left of warden and tree, waits for that, closes. Tolerates everything. */
void warden_release(struct warden *w);

#endif
