/* tree.h - the small world that a row attacks: made fresh, photographed, removed.
 *
 *   T/r        R  a directory that contains the workspace
 *   T/r/g      G  the workspace's parent
 *   T/r/g/w    W  the workspace
 *   T/o        O  outside: files, a directory, a FIFO, links
 *   T/h        H  the home directory
 *   T/x        X  XDG_STATE_HOME
 */
#ifndef CORDON_MATRIX_TREE_H
#define CORDON_MATRIX_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "names.h"

/* Removes what is at `root` and builds the tree there; sets the placeholders. */
int tree_build(const char *root, struct names *names);
void tree_remove(const char *root);

int tree_make_file(const char *path, const char *content);
/* A repository small enough to see every file of it. */
int tree_make_repository(const char *path);

/* What belongs to the picture: everything below the root but the subtrees that
 * the policy opens; a nested rule decides for what is below it. */
struct picture_rule {
    char path[NAMES_VALUE];
    bool watched;
};

struct picture_rules {
    struct picture_rule items[48];
    size_t count;
};

void picture_add(struct picture_rules *rules, const char *path, bool watched);

struct picture {
    char **lines; /* sorted; path, type, mode, links, owner, size, times, content */
    size_t count, cap;
};

/* Never follows a link. */
int picture_take(struct picture *out, const char *root, const struct picture_rules *rules);
/* Prints up to ten differences with `prefix`; their number. */
size_t picture_compare(const struct picture *before, const struct picture *after, const char *prefix);
void picture_release(struct picture *p);

#endif
