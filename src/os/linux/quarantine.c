/* quarantine.c - see quarantine.h. Called by the guard when the tree is dead, as the user, outside. */
#include "os/linux/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "os/linux/beneath.h"

#define STEP "quarantine.move"
#define TRIES 10000          /* names of one second */
#define RENAME_NOREPLACE_ 1u /* linux/fs.h */

void quarantine_init(struct quarantine *q, const char *state)
{
    time_t now = time(NULL);
    struct tm utc;
    q->state = state;
    q->dir = -1;
    if (!gmtime_r(&now, &utc) || strftime(q->time, sizeof q->time, "%Y%m%dT%H%M%SZ", &utc) == 0)
        snprintf(q->time, sizeof q->time, "undated");
}

void quarantine_release(struct quarantine *q)
{
    if (q->dir >= 0)
        close(q->dir);
    q->dir = -1;
}

static void open_store(struct quarantine *q)
{
    int state = q->state ? beneath_open_absolute(q->state, O_PATH | O_DIRECTORY) : -1;
    if (q->dir >= 0 || state < 0)
        return;
    if (mkdirat(state, "quarantine", 0700) == 0 || errno == EEXIST)
        q->dir = beneath_open(state, "quarantine", O_PATH | O_DIRECTORY | O_NOFOLLOW);
    close(state);
}

/* Some network file systems know no RENAME_NOREPLACE. Nobody but this user makes
 * names in either place now, so a look before the move is enough there. */
static int move_to(int parent, const char *name, int target, const char *fresh)
{
    struct stat st;
    if (renameat2(parent, name, target, fresh, RENAME_NOREPLACE_) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (fstatat(target, fresh, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return errno == ENOENT ? renameat(parent, name, target, fresh) : -1;
}

/* The new name, or NULL with errno. */
static char *move_fresh(const struct quarantine *q, int parent, const char *name, bool in_place)
{
    char again[16] = "";
    for (int i = 1; i <= TRIES; i++) {
        if (i > 1)
            snprintf(again, sizeof again, "-%d", i);
        char *fresh = in_place ? string_format("%s.cordon-quarantine-%s%s", name, q->time, again)
                               : string_format("%s%s-%s", q->time, again, name);
        if (!fresh) {
            errno = ENOMEM;
            return NULL;
        }
        if (move_to(parent, name, in_place ? parent : q->dir, fresh) == 0)
            return fresh;
        int code = errno;
        free(fresh);
        errno = code;
        if (code != EEXIST && code != ENOTEMPTY)
            return NULL;
    }
    return NULL;
}

/* The command may have closed the directory (chmod 0555) to keep what it planted. */
static char *move_opened_up(const struct quarantine *q, int parent, const char *name)
{
    int mode = beneath_open_up(parent);
    if (mode < 0)
        return NULL;
    char *fresh = move_fresh(q, parent, name, true);
    beneath_set_mode(parent, mode);
    return fresh;
}

cordon_status quarantine_move(struct quarantine *q, int parent, const char *name, char **to, bool *in_place,
                              struct cordon_error *err)
{
    open_store(q);
    char *fresh = q->dir >= 0 ? move_fresh(q, parent, name, false) : NULL;
    bool here = !fresh;
    /* Another file system, or a directory that may not be written and so cannot get a new parent. */
    if (!fresh)
        fresh = move_fresh(q, parent, name, true);
    if (!fresh && (errno == EACCES || errno == EPERM))
        fresh = move_opened_up(q, parent, name);
    if (!fresh)
        return error_set(err, CORDON_E_SYSTEM, errno, STEP, "cannot move %s away: %s", name, strerror(errno));
    *to = fresh;
    *in_place = here;
    return CORDON_OK;
}
