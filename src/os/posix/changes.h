/* changes.h - which files a run changed: a walk before, a walk after, a comparison.
 *
 * The walk remembers names and metadata, never content, so it costs about what
 * `find` costs. It follows no symbolic link and opens nothing but directories:
 * what the command planted (links, FIFOs, device nodes) leads it nowhere and
 * blocks it on nothing. Called by the run command, outside the sandbox, as the
 * user; not thread-safe for one object, no state of its own.
 */
#ifndef CORDON_POSIX_CHANGES_H
#define CORDON_POSIX_CHANGES_H

#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"
#include "core/report.h"

#define CHANGES_NONE UINT32_MAX
#define CHANGES_MAX_DEPTH 256 /* below a root; one descriptor a level */

/* One name. A directory's children are items[first .. first + count), sorted
 * by name; their own children come later in the array. */
struct change_entry {
    uint64_t dev, ino;
    uint64_t size;
    int64_t mtime, ctime; /* nanoseconds; wraps in the year 2262 */
    int64_t btime;        /* of birth; 0: this file system does not tell */
    uint32_t mode;        /* type and permissions */
    uint32_t nlink;
    uint32_t uid, gid;     /* a directory's only trace of chown: its ctime says nothing */
    uint32_t name;         /* offset in `names` */
    uint32_t parent;       /* CHANGES_NONE for a root, whose name is its whole path */
    uint32_t first, count; /* children */
    uint32_t unread;       /* a directory whose children are not, or not all, known */
};

struct changes {
    struct change_entry *items; /* the roots first, sorted */
    size_t count, cap, root_count;
    struct buf names; /* NUL-terminated, one after the other */
    size_t max_entries;
    bool full;           /* max_entries, or the buffer's cap, was reached */
    size_t unread_count; /* directories that could not be read, or not wholly */
    char *unread_path;   /* the first of them; owned */
    size_t deep_count;   /* directories not entered: too deep, or their path too long */
    char *deep_path;
};

void changes_init(struct changes *c);
void changes_release(struct changes *c);

/* Looks at everything at and below `roots`, but not at or below `skip`. Both
 * are normalised absolute paths, symbolic links resolved; roots may be files,
 * absent, nested or named twice. /proc and /sys are always skipped. What cannot
 * be read, or goes away meanwhile, is no error: changes_compare() says so. Step
 * "changes.walk": out of memory only. *out is initialised by the call. */
cordon_status changes_snapshot(const char *const *roots, size_t root_count, const char *const *skip,
                               size_t skip_count, struct changes *out, struct cordon_error *err);

/* The same with a cap of its own on the number of names, for tests. */
cordon_status changes_snapshot_within(const char *const *roots, size_t root_count, const char *const *skip,
                                      size_t skip_count, size_t max_entries, struct changes *out,
                                      struct cordon_error *err);

/* Adds what differs to `report`, whose list must be empty, sorted by path, at most LIMIT_REPORT_CHANGED
 * entries with LIMIT_REPORT_PATHS of paths, sets changed_computed, and adds
 * a warning for everything that makes the list incomplete, and for each file that
 * was touched and has names that are not among those looked at (old hard links):
 * what was written to it was written to them.
 *
 * Renamed: the same object (device, inode, type, time of birth) under another
 * path. A file system that keeps no time of birth gives the number of a deleted
 * file out again and nobody can tell: there the size and the time of
 * modification must be the same too (a directory: that time, or a child that is
 * still in it). What moved along with its directory is not listed.
 * Modified: another object at the same path, other permissions or owner, and,
 * but for directories, other size or times. */
cordon_status changes_compare(const struct changes *before, const struct changes *after,
                              struct report *report, struct cordon_error *err);

/* Appends the path of items[index]. */
void changes_path(const struct changes *c, uint32_t index, struct buf *out);

#endif
