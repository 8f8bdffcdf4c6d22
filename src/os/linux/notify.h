/* notify.h - a seccomp user-notification descriptor: receive, look, answer.
 *
 * For the broker and the trace, in the supervising process: the user, outside.
 * A notified thread waits in its system call until it is answered, or until a
 * signal or its death takes it away; it may be gone at any moment, and its
 * process number may then be another's. So: look, then ask notify_valid(), then
 * believe what was seen. Everything that is read is the command's word.
 */
#ifndef CORDON_LINUX_NOTIFY_H
#define CORDON_LINUX_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct notify {
    int fd; /* the listener; borrowed. POLLIN: a request waits; POLLHUP: no task is left that could make one
             */
};

struct notify_request {
    uint64_t id;
    pid_t pid; /* of the calling thread, not of its process, as this process sees it */
    int number;
    uint64_t args[6]; /* as the registers held them: cut to the width that the kernel would use */
};

/* Never blocks after poll(2) said POLLIN. False: nothing there (gone meanwhile). */
bool notify_receive(const struct notify *n, struct notify_request *out);

/* The caller still waits in this very call, so `pid` still is this thread. */
bool notify_valid(const struct notify *n, const struct notify_request *r);

/* Answers. That the caller is gone meanwhile is no error. error_number > 0. */
void notify_fail(const struct notify *n, const struct notify_request *r, int error_number);
void notify_return(const struct notify *n, const struct notify_request *r, int64_t value);

/* The kernel carries the call out as if there were no filter, with arguments
 * that it reads anew: another thread may have changed memory and descriptors
 * since. Only where the answer decides nothing. */
void notify_continue(const struct notify *n, const struct notify_request *r);

/* Reads the caller's memory and then validates. The number of bytes, less than
 * `size` where the mapping ends; -1 with errno: EFAULT as the caller would get
 * it, ESRCH when it is gone, EPERM when it may not be looked into. */
ssize_t notify_read_memory(const struct notify *n, const struct notify_request *r, uint64_t address,
                           void *out, size_t size);

/* A pidfd of the calling thread or, where the kernel has none for threads
 * (before 6.9), of its process. Validated. -1 with errno. The caller closes. */
int notify_open_task(const struct notify *n, const struct notify_request *r);

/* A duplicate of the caller's descriptor `number`. Validated. -1 with errno:
 * EBADF as the caller would get it. The caller closes. */
int notify_get_descriptor(const struct notify *n, const struct notify_request *r, int number);

#endif
