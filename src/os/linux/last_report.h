/* last_report.h - the workspace's last report, kept in cordon's state. */
#ifndef CORDON_LINUX_LAST_REPORT_H
#define CORDON_LINUX_LAST_REPORT_H

#include "core/buf.h"
#include "core/error.h"
#include "os/linux/state.h"

/* Overwrites report.json in place under a lock (readers lock it shared): a
 * temporary file and a rename would make ext4 write the data out at once, a
 * tenth of a launch. Step "state.report". */
cordon_status last_report_store(const struct places *places, const struct buf *text,
                                struct cordon_error *err);

/* Reads what state_name() named, after a writer that is at it. *name: its path,
 * the caller frees. No report of `workspace` yet: step "state.report" and words
 * that say so. */
cordon_status last_report_load(const struct places *places, const char *workspace, struct buf *text,
                               char **name, struct cordon_error *err);

/* The rest of a report's file, at most LIMIT_BUF_BYTES. Step "report.read". */
cordon_status last_report_read(int fd, const char *name, struct buf *text, struct cordon_error *err);

#endif
