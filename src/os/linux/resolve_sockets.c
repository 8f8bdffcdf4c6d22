/* resolve_sockets.c - network.unix_sockets: the sockets of the outside that the
 * command may connect to. Part of resolve.c.
 *
 * The descriptor is kept: an inode number that is given again to another socket
 * while the command runs would else be taken for the granted one.
 */
#include "os/linux/resolver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static cordon_status check(struct resolver *r, const struct located *l, const struct policy_entry *entry)
{
    struct stat st;
    if (l->type == OBJECT_ABSENT)
        return error_set(r->err, CORDON_E_INVALID, ENOENT, "resolve.socket",
                         "unix socket %s (%s): not there; start its server first, or leave it out", l->path,
                         entry->origin);
    if (fstat(l->fd, &st) != 0 || !S_ISSOCK(st.st_mode))
        return error_set(r->err, CORDON_E_INVALID, ENOTSOCK, "resolve.socket",
                         "unix socket %s (%s): not a socket; name the one that the server listens on",
                         l->path, entry->origin);
    return CORDON_OK;
}

static cordon_status add_socket(struct resolver *r, const struct policy_entry *entry)
{
    struct located l;
    if (entry->value[0] == '@')
        return error_set(
            r->err, CORDON_E_INVALID, 0, "resolve.socket",
            "unix socket %s (%s): abstract names cannot be opened up, only paths; a file of that "
            "name is ./%s",
            entry->value, entry->origin, entry->value);
    cordon_status status = resolver_locate_entry(r, entry, true, &l);
    if (status != CORDON_OK)
        return status;
    status = check(r, &l, entry);
    if (status == CORDON_OK) {
        struct socket_grant grant = {.path = l.path, .origin = entry->origin, .dev = l.dev, .ino = l.ino};
        status = resolved_add_socket(&r->out->resolved, &grant, r->err);
    }
    if (status == CORDON_OK) /* one in /tmp, as ssh-agent's, must be seen there */
        status = resolver_keep_visible(r, l.path, entry->origin, true);
    if (status == CORDON_OK)
        status = resolver_keep_pin(r, &l);
    located_release(&l);
    return status;
}

cordon_status resolver_add_sockets(struct resolver *r)
{
    const struct policy_list *list = &r->input->policy->lists[LIST_UNIX_SOCKETS];
    cordon_status status = CORDON_OK;
    for (size_t i = 0; i < list->count && status == CORDON_OK; i++)
        status = add_socket(r, &list->items[i]);
    return status;
}
