/* landlock.h - Landlock's vocabulary (Linux UAPI linux/landlock.h, ABI 1 to 10)
 * and what each ABI can be asked to handle. Pure.
 */
#ifndef CORDON_PLAN_LANDLOCK_H
#define CORDON_PLAN_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"

#define LANDLOCK_FS_EXECUTE (1ull << 0)
#define LANDLOCK_FS_WRITE_FILE (1ull << 1)
#define LANDLOCK_FS_READ_FILE (1ull << 2)
#define LANDLOCK_FS_READ_DIR (1ull << 3)
#define LANDLOCK_FS_REMOVE_DIR (1ull << 4)
#define LANDLOCK_FS_REMOVE_FILE (1ull << 5)
#define LANDLOCK_FS_MAKE_CHAR (1ull << 6)
#define LANDLOCK_FS_MAKE_DIR (1ull << 7)
#define LANDLOCK_FS_MAKE_REG (1ull << 8)
#define LANDLOCK_FS_MAKE_SOCK (1ull << 9)
#define LANDLOCK_FS_MAKE_FIFO (1ull << 10)
#define LANDLOCK_FS_MAKE_BLOCK (1ull << 11)
#define LANDLOCK_FS_MAKE_SYM (1ull << 12)
#define LANDLOCK_FS_REFER (1ull << 13)     /* ABI 2 */
#define LANDLOCK_FS_TRUNCATE (1ull << 14)  /* ABI 3 */
#define LANDLOCK_FS_IOCTL_DEV (1ull << 15) /* ABI 5 */

#define LANDLOCK_NET_BIND_TCP (1ull << 0) /* ABI 4 */
#define LANDLOCK_NET_CONNECT_TCP (1ull << 1)

#define LANDLOCK_SCOPED_ABSTRACT_UNIX (1ull << 0) /* ABI 6 */
#define LANDLOCK_SCOPED_SIGNAL (1ull << 1)

/* layout of struct landlock_ruleset_attr, ABI 6 */
struct landlock_ruleset {
    uint64_t handled_fs;
    uint64_t handled_net;
    uint64_t scoped;
};

/* Everything that file system access rights can say at this ABI. */
uint64_t landlock_fs_all(int abi);
/* What only makes sense for a directory; a rule on a file must not name it (EINVAL). */
uint64_t landlock_fs_directory_only(void);
/* The ruleset that handles all of it. TCP is not handled: a rule names single
 * ports, so refusing TCP would refuse the inner loopback too; the network
 * namespace holds the outside. */
struct landlock_ruleset landlock_handled(int abi);
/* Names, joined by `|`. */
void landlock_access_text(uint64_t access, struct buf *out);

#endif
