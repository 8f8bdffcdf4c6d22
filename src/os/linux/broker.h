/* broker.h - makes every connect(2) of the command, from outside.
 *
 * The names of unix sockets sit behind pointers and in a file system that others
 * write to, so no filter can judge them, and a connect that was judged and then
 * let go (SECCOMP_USER_NOTIF_FLAG_CONTINUE) could be another one by then. So
 * the filter asks here. The broker reads the address once, duplicates the
 * caller's socket, decides, and connects the duplicate: it is the same socket,
 * in the caller's network namespace. After that it is in nobody's way.
 *
 * listen(2) comes here too, and is only looked at: a unix socket that the
 * command listens on is one that it may connect to. No other is, but those of
 * the policy (docs/broker.md).
 *
 * In the supervising process: the user, outside; no thread, nothing blocks.
 */
#ifndef CORDON_LINUX_BROKER_H
#define CORDON_LINUX_BROKER_H

#include <stdbool.h>

#include "core/error.h"
#include "core/report.h"
#include "os/linux/notify.h"
#include "os/linux/poller.h"
#include "os/linux/supervision.h"

struct broker;

/* May this process look into others as the broker must? Not where a container's
 * filter refuses pidfd_getfd or process_vm_readv, nor under Yama's strictest
 * mode. The plan then has no broker: unix sockets are refused but for pairs. */
bool broker_possible(void);

typedef void broker_refused(void *self, const struct refusal *refusal);

/* Everything but `refused`'s own data is borrowed until broker_free(). Takes two
 * places in the poller, whatever the command does. Step "linux.broker". */
struct broker_setup {
    struct poller *poller;
    const struct notify *notify;
    const struct supervision *what;
    broker_refused *refused;
    void *self;
};
cordon_status broker_new(struct broker **out, const struct broker_setup *setup, struct cordon_error *err);

/* Before the poller is released. Callers that still wait get ENOSYS once the
 * listener is closed. Tolerates NULL. */
void broker_free(struct broker *b);

/* Is it a request for broker_handle()? */
bool broker_takes(int number);

/* Answers `r`, now or later from the poller. */
void broker_handle(struct broker *b, const struct notify_request *r);

#endif
