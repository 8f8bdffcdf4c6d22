/* handover.h - plans and results as one run of bytes, for cordon-warden: another
 * process of the same version, started by exec, with addresses of its own.
 *
 * A struct and everything that it points to follow each other in the order of one
 * walk. The reader walks the same way and takes each block where the last one
 * ended: a pointer in the bytes says only that there is something, never where.
 * So no bytes, however damaged, can lead out of them or make two things overlap.
 * The contents are not judged: both ends are the same user's.
 */
#ifndef CORDON_LINUX_HANDOVER_H
#define CORDON_LINUX_HANDOVER_H

#include "core/buf.h"
#include "core/report.h"
#include "os/linux/supervision.h"
#include "plan/linux_plan.h"

#define HANDOVER_BYTES (64u << 20) /* the most that is handed over */

/* Library to warden: what launch_go() and supervise() need. */
struct handover_order {
    struct linux_plan plan; /* without the words for `cordon plan` */
    char **environment;
    struct supervision supervision;
    int seal_stdio[3];
};

/* Warden to library: what its report shall say. */
struct handover_result {
    struct outcome outcome;
    struct report_refusal *refusals;
    size_t refusal_count;
    uint64_t refusals_unlisted;
    char **warnings; /* NULL-terminated */
};

/* Appends to `out`; buf_failed() tells. */
void handover_write_order(struct buf *out, const struct handover_order *order);
void handover_write_result(struct buf *out, const struct handover_result *result);

/* Turns the bytes (aligned as by malloc) into the struct that they begin with; it
 * and all it points to lie in them. NULL: damaged. */
struct handover_order *handover_read_order(void *bytes, size_t size);
struct handover_result *handover_read_result(void *bytes, size_t size);

#endif
