/* beneath.h - file work below a directory that a sandboxed command wrote into.
 *
 * Whatever the command planted there (links, files where directories belong,
 * unreadable or very deep trees) must not lead cordon out of that directory.
 * Failures are -1 with errno; the callers find the words.
 */
#ifndef CORDON_LINUX_BENEATH_H
#define CORDON_LINUX_BENEATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* openat2 that follows no symbolic or magic link and does not leave `dir`.
 * O_CLOEXEC is added. Makes nothing: `flags` without O_CREAT. */
int beneath_open(int dir, const char *path, int flags);

/* The same for an absolute path: every component as it is written. */
int beneath_open_absolute(const char *path, int flags);

/* A directory's entries without `.` and `..`; the buffer is the caller's, so a
 * listing costs two system calls and no allocation. `dir` is borrowed and read
 * from its current position. Async-signal-safe: init counts with it. */
struct beneath_list {
    int dir;
    size_t at, filled;
    _Alignas(8) char bytes[4096];
};

struct beneath_entry {
    const char *name;   /* points into the list's buffer: valid until the next call */
    unsigned char type; /* DT_DIR, DT_LNK, ...; DT_UNKNOWN where the file system does not say */
};

void beneath_list_init(struct beneath_list *list, int dir);
/* 1: *entry is set; 0: the end; -1: errno. */
int beneath_list_next(struct beneath_list *list, struct beneath_entry *entry);

/* Is the directory empty? 1, 0, or -1 with errno. Reads from the start. */
int beneath_is_empty(int dir);

/* Removes what lies below `dir`/`name` and then `name` itself, whatever it is.
 * Neither recursion nor a descriptor per level: a command can nest a million
 * directories. Goes on after failures; true when nothing is left. */
bool beneath_remove(int dir, const char *name);

/* Gives its owner all rights to the directory `dir` (O_PATH will do), whose mode
 * the command may have taken away. -1 (errno), or what beneath_set_mode() gives back. */
int beneath_open_up(int dir);
void beneath_set_mode(int dir, int mode);

/* prefix + PID + 16 random hex digits: for names that are then made exclusively. */
void beneath_random_name(char *out, size_t size, const char *prefix);

/* 64-bit FNV-1a: shortens paths to names. No defence against forged
 * collisions: whoever uses it compares the whole path too. */
uint64_t beneath_hash(const char *s);

#endif
