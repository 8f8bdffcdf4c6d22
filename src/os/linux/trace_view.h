/* trace_view.h - what a path names for a process of the sandbox, seen from outside.
 *
 * For the trace, in the supervising process: the user, outside. The command
 * chooses the paths, plants the links and changes both while they are looked at;
 * a wrong answer is a line too many or too few in the report, never more.
 */
#ifndef CORDON_LINUX_TRACE_VIEW_H
#define CORDON_LINUX_TRACE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/decide.h"
#include "core/limits.h"

/* The mounts of file systems that ask somebody else (FUSE, network): looking
 * there could hold cordon up, so only what the kernel has cached is looked at. */
struct trace_slow {
    char *points; /* each with its NUL */
    size_t bytes;
    bool all; /* too many, or they could not be read: everything is looked at so */
};

/* One per run: no process inside has another root or other mounts. */
struct trace_view {
    int root; /* -1: not opened yet */
    struct trace_slow slow;
};

void trace_view_init(struct trace_view *view);
void trace_view_release(struct trace_view *view);

/* The root and the mounts of any process inside, once. False: it is gone. */
bool trace_view_open(struct trace_view *view, pid_t pid);

/* Where a relative path of a process starts, as text: its descriptor `dir`, or
 * TRACE_CWD. False: there is no such place (the call fails too), or it has no name. */
bool trace_view_start(pid_t pid, int dir, char out[LIMIT_PATH_BYTES]);

/* `.` and `..` by text: right where no link is on the way. `text` starts with a slash. */
void trace_view_normalize(const char *text, char out[LIMIT_PATH_BYTES]);

enum trace_found {
    TRACE_FOUND,     /* `path` and `type` are it; of what is absent the directory may be too */
    TRACE_HIDDEN,    /* a directory on the way cannot be searched: `path` is where it would be */
    TRACE_NAMELESS,  /* a pipe, a deleted file, a descriptor of the caller's: no policy names it */
    TRACE_UNKNOWABLE /* fails by itself, or not to be looked at */
};

struct trace_object {
    char path[LIMIT_PATH_BYTES]; /* normalised, links resolved */
    enum object_type type;
};

/* `text` starts with a slash. follow: a link at the end is followed. `pid` is
 * whom /proc/self means. */
/* Is `text`, of that length, a directory without a link on the way? */
bool trace_view_is_plain(const struct trace_view *view, const char *text, size_t len);

enum trace_found trace_view_find(const struct trace_view *view, pid_t pid, const char *text, bool follow,
                                 struct trace_object *out);

/* Is the directory of an absent thing there? */
bool trace_view_has_directory(const struct trace_view *view, const char *path);

/* Could looking there hold cordon up? */
bool trace_view_is_slow(const struct trace_view *view, const char *path);

#endif
