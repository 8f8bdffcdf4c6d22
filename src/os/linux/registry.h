/* registry.h - the file that remembers which placeholders a workspace's sandboxes made.
 *
 * One line a record, `pending PATH` before the directory is made and
 * `made DEV INO PATH` after; of two lines about one path the later counts. It
 * is read and changed under an exclusive flock on the file itself, held for a
 * few system calls and never while waiting for anything else. A line that is
 * damaged (a machine that lost power, a full disk) says nothing that could be
 * acted on: it is skipped, and gone after the next rewriting.
 */
#ifndef CORDON_LINUX_REGISTRY_H
#define CORDON_LINUX_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"

#define REGISTRY_NAME "registry"
#define REGISTRY_WAIT_MS 5000

struct registry_record {
    char *path;
    bool made; /* else pending: dev and ino are not known */
    uint64_t dev, ino;
    bool dropped; /* no longer in the file after registry_save() */
};

struct registry {
    int dir; /* of the workspace's state; borrowed */
    int fd;  /* locked; -1: nothing to lock, or only looked at */
    struct registry_record *items;
    size_t count, cap;
    size_t bytes; /* of the file */
    bool torn;    /* the last line lacks its end */
    bool damaged; /* lines were skipped */
};

enum registry_mode {
    REGISTRY_LOOK,   /* reads without the lock: each line is written at once, rewriting is by rename */
    REGISTRY_CHANGE, /* locks; an absent or empty file is no records and fd -1 */
    REGISTRY_CREATE, /* locks and makes the file */
};

void registry_init(struct registry *r);
void registry_release(struct registry *r); /* unlocks */

/* Steps "linux.placeholder"; CORDON_E_CONFLICT when another cordon held the
 * lock for wait_ms (a stopped process). */
cordon_status registry_open(struct registry *r, int dir, enum registry_mode mode, unsigned wait_ms,
                            struct cordon_error *err);

/* Borrowed; NULL: none. The pointer dies with the next registry_record(). */
struct registry_record *registry_find(struct registry *r, const char *path);

/* Appends records to the file in one write, then to memory (a path that is
 * known is replaced). All or none. */
cordon_status registry_record(struct registry *r, const struct registry_record *records, size_t count,
                              struct cordon_error *err);

/* Takes dropped and damaged records out of the file. When that fails the old
 * records stay, which is harmless: what they name is gone or not matching. */
void registry_save(struct registry *r);

#endif
