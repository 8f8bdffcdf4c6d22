/* landlock.c - see landlock.h. */
#include "plan/landlock.h"

#include <stddef.h>

uint64_t landlock_fs_all(int abi)
{
    if (abi < 1)
        return 0;
    uint64_t all = LANDLOCK_FS_REFER - 1;
    if (abi >= 2)
        all |= LANDLOCK_FS_REFER;
    if (abi >= 3)
        all |= LANDLOCK_FS_TRUNCATE;
    if (abi >= 5)
        all |= LANDLOCK_FS_IOCTL_DEV;
    return all;
}

uint64_t landlock_fs_directory_only(void)
{
    return LANDLOCK_FS_READ_DIR | LANDLOCK_FS_REMOVE_DIR | LANDLOCK_FS_REMOVE_FILE | LANDLOCK_FS_MAKE_CHAR |
           LANDLOCK_FS_MAKE_DIR | LANDLOCK_FS_MAKE_REG | LANDLOCK_FS_MAKE_SOCK | LANDLOCK_FS_MAKE_FIFO |
           LANDLOCK_FS_MAKE_BLOCK | LANDLOCK_FS_MAKE_SYM | LANDLOCK_FS_REFER;
}

struct landlock_ruleset landlock_handled(int abi)
{
    struct landlock_ruleset ruleset = {landlock_fs_all(abi), 0, 0};
    if (abi >= 6)
        ruleset.scoped = LANDLOCK_SCOPED_ABSTRACT_UNIX | LANDLOCK_SCOPED_SIGNAL;
    return ruleset;
}

void landlock_access_text(uint64_t access, struct buf *out)
{
    static const char *const names[] = {
        "execute",   "write_file", "read_file", "read_dir",  "remove_dir", "remove_file",
        "make_char", "make_dir",   "make_reg",  "make_sock", "make_fifo",  "make_block",
        "make_sym",  "refer",      "truncate",  "ioctl_dev",
    };
    const char *separator = "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(access & (1ull << i)))
            continue;
        buf_add_string(out, separator);
        buf_add_string(out, names[i]);
        separator = "|";
    }
}
