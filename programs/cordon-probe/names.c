/* names.c - operations on names: create, remove, rename, link, and the
 * combinations by which a protected name is replaced.
 */
#include "probe.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* EBUSY: a mount point (a pinned ancestor). EXDEV: another mount. ENOTEMPTY is
 * no refusal: it would say that the attack was badly prepared. */
#define REFUSED "EROFS EACCES EPERM EBUSY EXDEV"

static struct probe_result expect_name(const char *path, int there)
{
    struct stat st;
    int found = lstat(path, &st) == 0;
    return found == there ? probe_allowed() : probe_broken("%s after success", there ? "no name" : "a name");
}

static struct probe_result remove_file(const struct probe_call *c)
{
    return unlink(c->args[0]) == 0 ? expect_name(c->args[0], 0) : probe_failed(c, "unlink", errno);
}

static struct probe_result make_directory(const struct probe_call *c)
{
    return mkdir(c->args[0], 0755) == 0 ? expect_name(c->args[0], 1) : probe_failed(c, "mkdir", errno);
}

static struct probe_result remove_directory(const struct probe_call *c)
{
    return rmdir(c->args[0]) == 0 ? expect_name(c->args[0], 0) : probe_failed(c, "rmdir", errno);
}

static struct probe_result rename_with(const struct probe_call *c, unsigned flags)
{
    if (renameat2(AT_FDCWD, c->args[0], AT_FDCWD, c->args[1], flags) != 0) {
        return probe_failed(c, "renameat2", errno);
    }
    return expect_name(c->args[1], 1);
}

static struct probe_result rename_name(const struct probe_call *c)
{
    return rename_with(c, 0);
}

static struct probe_result exchange_names(const struct probe_call *c)
{
    return rename_with(c, RENAME_EXCHANGE);
}

/* Renames A away, makes a new A, and puts a new SUB into it: the way around a
 * protected thing by its ancestor. */
static struct probe_result rename_and_recreate(const struct probe_call *c)
{
    char away[4096];
    char sub[4096];
    snprintf(away, sizeof away, "%s.away", c->args[0]);
    if (rename(c->args[0], away) != 0) {
        return probe_failed(c, "rename", errno);
    }
    if (mkdir(c->args[0], 0755) != 0) {
        return probe_failed(c, "mkdir", errno);
    }
    snprintf(sub, sizeof sub, "%s/%s", c->args[0], c->args[1]);
    return mkdir(sub, 0755) == 0 ? probe_allowed() : probe_failed(c, "mkdir below", errno);
}

static struct probe_result remove_and_recreate(const struct probe_call *c)
{
    if (rmdir(c->args[0]) != 0) {
        return probe_failed(c, "rmdir", errno);
    }
    return mkdir(c->args[0], 0700) == 0 ? probe_allowed() : probe_failed(c, "mkdir", errno);
}

/* Makes a small repository at PREPARED and renames it to TARGET. */
static struct probe_result plant(const struct probe_call *c)
{
    char hooks[4096];
    snprintf(hooks, sizeof hooks, "%s/hooks", c->args[0]);
    if (mkdir(c->args[0], 0755) != 0 || mkdir(hooks, 0755) != 0) {
        return probe_unprepared("mkdir", errno);
    }
    if (rename(c->args[0], c->args[1]) != 0) {
        return probe_failed(c, "rename", errno);
    }
    return expect_name(c->args[1], 1);
}

static struct probe_result plant_by_exchange(const struct probe_call *c)
{
    char hooks[4096];
    snprintf(hooks, sizeof hooks, "%s/hooks", c->args[0]);
    if (mkdir(c->args[0], 0755) != 0 || mkdir(hooks, 0755) != 0) {
        return probe_unprepared("mkdir", errno);
    }
    return rename_with(c, RENAME_EXCHANGE);
}

/* What git takes for a bare repository: with its own config, so its own hooks. */
static struct probe_result plant_bare(const struct probe_call *c)
{
    static const char *const parts[] = {"objects", "refs", "HEAD"};
    char path[4096];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(path, sizeof path, "%s/%s", c->args[0], parts[i]);
        if (i < 2 ? mkdir(path, 0755) : mknod(path, S_IFREG | 0644, 0)) {
            return probe_failed(c, parts[i], errno);
        }
    }
    return expect_name(path, 1);
}

static struct probe_result hard_link(const struct probe_call *c)
{
    return link(c->args[0], c->args[1]) == 0 ? expect_name(c->args[1], 1) : probe_failed(c, "link", errno);
}

/* A link through the magic link of an open descriptor: needs no right on the name. */
static struct probe_result hard_link_by_magic_link(const struct probe_call *c)
{
    int fd = open(c->args[0], O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return probe_unprepared("open", errno);
    }
    char magic[64];
    snprintf(magic, sizeof magic, "/proc/self/fd/%d", fd);
    int failed = linkat(AT_FDCWD, magic, AT_FDCWD, c->args[1], AT_SYMLINK_FOLLOW);
    int error = errno;
    close(fd);
    return failed ? probe_failed(c, "linkat", error) : expect_name(c->args[1], 1);
}

static struct probe_result symbolic_link(const struct probe_call *c)
{
    return symlink(c->args[0], c->args[1]) == 0 ? expect_name(c->args[1], 1)
                                                : probe_failed(c, "symlink", errno);
}

static struct probe_result make_fifo(const struct probe_call *c)
{
    return mknod(c->args[0], S_IFIFO | 0600, 0) == 0 ? expect_name(c->args[0], 1)
                                                     : probe_failed(c, "mknod", errno);
}

static struct probe_result make_regular(const struct probe_call *c)
{
    return mknod(c->args[0], S_IFREG | 0600, 0) == 0 ? expect_name(c->args[0], 1)
                                                     : probe_failed(c, "mknod", errno);
}

static struct probe_result make_socket(const struct probe_call *c)
{
    return mknod(c->args[0], S_IFSOCK | 0600, 0) == 0 ? expect_name(c->args[0], 1)
                                                      : probe_failed(c, "mknod", errno);
}

/* The memory device: with it, a root could read what it wants. */
static struct probe_result make_character_device(const struct probe_call *c)
{
    return mknod(c->args[0], S_IFCHR | 0600, makedev(1, 1)) == 0 ? expect_name(c->args[0], 1)
                                                                 : probe_failed(c, "mknod", errno);
}

static struct probe_result make_block_device(const struct probe_call *c)
{
    return mknod(c->args[0], S_IFBLK | 0600, makedev(7, 200)) == 0 ? expect_name(c->args[0], 1)
                                                                   : probe_failed(c, "mknod", errno);
}

/* An unnamed file in DIR that then gets NAME there. */
static struct probe_result link_unnamed(const struct probe_call *c)
{
    int fd = open(c->args[0], O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
    if (fd < 0) {
        return probe_failed(c, "open O_TMPFILE", errno);
    }
    char magic[64];
    char name[4096];
    snprintf(magic, sizeof magic, "/proc/self/fd/%d", fd);
    snprintf(name, sizeof name, "%s/%s", c->args[0], c->args[1]);
    int failed = linkat(AT_FDCWD, magic, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
    int error = errno;
    close(fd);
    return failed ? probe_failed(c, "linkat", error) : expect_name(name, 1);
}

const struct probe_operation probe_names[] = {
    {"unlink", "PATH", REFUSED, "", remove_file},
    {"mkdir", "PATH", REFUSED " EEXIST", "", make_directory},
    {"rmdir", "PATH", REFUSED, "", remove_directory},
    {"rename", "OLD NEW", REFUSED, "", rename_name},
    {"exchange", "A B", REFUSED, "", exchange_names},
    {"rename-recreate", "PATH SUB", REFUSED, "", rename_and_recreate},
    {"rmdir-recreate", "PATH", REFUSED, "", remove_and_recreate},
    {"plant", "PREPARED TARGET", REFUSED, "", plant},
    {"plant-exchange", "PREPARED TARGET", REFUSED, "", plant_by_exchange},
    {"plant-bare", "DIR", REFUSED, "", plant_bare},
    {"link", "OLD NEW", REFUSED, "", hard_link},
    {"link-by-magic-link", "OLD NEW", REFUSED, "", hard_link_by_magic_link},
    {"symlink", "TARGET NEW", REFUSED " EEXIST", "", symbolic_link},
    {"mknod-fifo", "PATH", REFUSED, "", make_fifo},
    {"mknod-file", "PATH", REFUSED " EEXIST", "", make_regular},
    {"mknod-socket", "PATH", REFUSED, "", make_socket},
    {"mknod-char", "PATH", REFUSED, "", make_character_device},
    {"mknod-block", "PATH", REFUSED, "", make_block_device},
    {"link-unnamed", "DIR NAME", REFUSED, "EOPNOTSUPP", link_unnamed},
    {NULL, NULL, NULL, NULL, NULL},
};
