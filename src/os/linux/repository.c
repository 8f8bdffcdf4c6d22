/* repository.c - see repository.h. Runs as the user, outside; called by the resolver and the guard. */
#include "os/linux/repository.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/limits.h"
#include "core/path.h"

static bool is_there(int dir, const char *name)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool repository_at(int dir)
{
    struct stat head;
    if (fstatat(dir, "HEAD", &head, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(head.st_mode))
        return false;
    return is_there(dir, "commondir") || (is_there(dir, "objects") && is_there(dir, "refs"));
}

/* A file (worktree, submodule) or a link is taken at its word. */
static bool has_git(char *directory, size_t len, size_t size)
{
    struct stat st;
    snprintf(directory + len, size - len, "%s.git", len > 1 ? "/" : "");
    if (lstat(directory, &st) != 0)
        return false;
    if (!S_ISDIR(st.st_mode))
        return true;
    snprintf(directory + len, size - len, "%s.git/HEAD", len > 1 ? "/" : "");
    return lstat(directory, &st) == 0;
}

bool repository_above(const char *path)
{
    char directory[LIMIT_PATH_BYTES + 16];
    size_t len = strlen(path);
    if (len > LIMIT_PATH_BYTES)
        return false;
    memcpy(directory, path, len + 1);
    for (;;) {
        size_t parent = path_parent_length(PATH_POSIX, directory);
        if (parent >= len)
            return false;
        len = parent;
        if (has_git(directory, len, sizeof directory))
            return true;
        directory[len] = '\0';
    }
}
