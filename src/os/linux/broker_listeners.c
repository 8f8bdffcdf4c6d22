/* broker_listeners.c - see broker_listeners.h. Runs as the user, outside.
 *
 * What a socket is bound to, the kernel tells by SIOCUNIXFILE, to whoever owns
 * the socket's network namespace: with the network off that is the user. With
 * the network on it is the machine's, and only the socket diagnosis is left,
 * which tells device and the low half of the inode number.
 */
#include "os/linux/broker_listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/un.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/linux/broker_walk.h"

#define STATE_LISTEN 10 /* TCP_LISTEN, for unix sockets too */

void listeners_init(struct listeners *l)
{
    l->count = 0;
    l->diag = -1;
}

void listeners_release(struct listeners *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].pin >= 0)
            close(l->items[i].pin);
    if (l->diag >= 0)
        close(l->diag);
    listeners_init(l);
}

/* What the kernel says of one socket of this network namespace. */
struct diagnosis {
    bool listening, has_file;
    uint32_t device; /* as the kernel packs it: major << 20 | minor */
    uint32_t inode;  /* the low half */
    struct unix_address name;
};

static void read_attributes(const char *at, size_t size, struct diagnosis *out)
{
    struct nlattr header;
    while (size >= NLA_HDRLEN) {
        memcpy(&header, at, sizeof header);
        if (header.nla_len < NLA_HDRLEN || header.nla_len > size)
            return;
        const char *value = at + NLA_HDRLEN;
        size_t len = header.nla_len - (size_t)NLA_HDRLEN;
        if (header.nla_type == UNIX_DIAG_VFS && len == sizeof(struct unix_diag_vfs)) {
            struct unix_diag_vfs vfs;
            memcpy(&vfs, value, sizeof vfs);
            out->has_file = true;
            out->device = vfs.udiag_vfs_dev;
            out->inode = vfs.udiag_vfs_ino;
        } else if (header.nla_type == UNIX_DIAG_NAME && len <= UNIX_ADDRESS_NAME_BYTES) {
            out->name.length = len;
            memcpy(out->name.name, value, len);
        }
        size_t step = NLA_ALIGN(header.nla_len);
        if (step > size)
            return;
        at += step;
        size -= step;
    }
}

/* By its number and its cookie. False: there is none, or the machine cannot say. */
static bool diagnose(struct listeners *l, uint32_t number, uint64_t cookie, struct diagnosis *out)
{
    struct {
        struct nlmsghdr header;
        struct unix_diag_req request;
    } ask = {{sizeof ask, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0},
             {.sdiag_family = AF_UNIX,
              .udiag_states = ~0u,
              .udiag_ino = number,
              .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS,
              .udiag_cookie = {(uint32_t)cookie, (uint32_t)(cookie >> 32)}}};
    _Alignas(struct nlmsghdr) char text[1024];
    struct nlmsghdr header;
    struct unix_diag_msg message;
    const size_t fixed = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof message);
    if (l->diag < 0)
        l->diag = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (l->diag < 0)
        return false;
    while (recv(l->diag, text, sizeof text, 0) > 0)
        continue; /* an earlier answer cannot be taken for this one's */
    ssize_t got = send(l->diag, &ask, sizeof ask, 0) == (ssize_t)sizeof ask
                      ? recv(l->diag, text, sizeof text, 0) /* the kernel has answered already */
                      : -1;
    if (got < (ssize_t)fixed)
        return false;
    memcpy(&header, text, sizeof header);
    memcpy(&message, text + NLMSG_HDRLEN, sizeof message);
    if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_len > (size_t)got ||
        header.nlmsg_len < fixed)
        return false;
    memset(out, 0, sizeof *out);
    out->listening = message.udiag_state == STATE_LISTEN;
    read_attributes(text + fixed, header.nlmsg_len - fixed, out);
    return true;
}

/* A file system's own device number differs from st_dev on btrfs and overlays: as the mount's line says. */
static bool mount_has_device(const struct notify_request *r, uint64_t mount, uint32_t device)
{
    char path[40], *line = NULL;
    size_t cap = 0;
    bool has = false;
    snprintf(path, sizeof path, "/proc/%d/mountinfo", (int)r->pid);
    FILE *file = fopen(path, "re");
    while (file && !has && getline(&line, &cap, file) > 0) {
        char *rest = NULL;
        if (strtoull(line, &rest, 10) != mount)
            continue;
        strtoull(rest, &rest, 10); /* the parent */
        uint32_t major = (uint32_t)strtoul(rest, &rest, 10);
        has = *rest == ':' && (major << 20 | (uint32_t)strtoul(rest + 1, NULL, 10)) == device;
    }
    free(line);
    if (file)
        fclose(file);
    return has;
}

/* The name leads to it, and the kernel says that it is what the socket is bound to. */
static int pin_by_diagnosis(struct listeners *l, const struct notify *n, const struct notify_request *r,
                            const struct listener *who, const char *path)
{
    struct diagnosis known;
    struct statx st;
    int fd;
    if (!diagnose(l, who->number, who->cookie, &known) || !known.has_file ||
        broker_walk(n, r, path, &fd) != WALK_FOUND)
        return -1;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &st) == 0 &&
        (uint32_t)st.stx_ino == known.inode &&
        ((st.stx_dev_major << 20 | st.stx_dev_minor) == known.device ||
         mount_has_device(r, st.stx_mnt_id, known.device)))
        return fd;
    close(fd);
    return -1;
}

/* A listening socket that came as standard input is the caller's, not the command's. */
static bool is_inherited(const struct stat *st)
{
    struct stat own;
    for (int fd = 0; fd < 3; fd++)
        if (fstat(fd, &own) == 0 && own.st_dev == st->st_dev && own.st_ino == st->st_ino)
            return true;
    return false;
}

static bool is_gone(struct listeners *l, const struct listener *item)
{
    struct stat st;
    struct diagnosis known;
    if (item->pin >= 0)
        return fstat(item->pin, &st) != 0 || st.st_nlink == 0;
    return !diagnose(l, item->number, item->cookie, &known);
}

static void drop(struct listeners *l, size_t i)
{
    if (l->items[i].pin >= 0)
        close(l->items[i].pin);
    l->count--;
    memmove(l->items + i, l->items + i + 1, (l->count - i) * sizeof *l->items);
}

static void make_room(struct listeners *l)
{
    if (l->count < LISTENERS_MAX)
        return;
    for (size_t i = l->count; i-- > 0;)
        if (is_gone(l, &l->items[i]))
            drop(l, i);
    if (l->count == LISTENERS_MAX)
        drop(l, 0);
}

static bool is_known(const struct listeners *l, uint64_t cookie)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].cookie == cookie)
            return true;
    return false;
}

void listeners_learn(struct listeners *l, const struct notify *n, const struct notify_request *r, int socket)
{
    struct listener new = {.pin = -1};
    struct sockaddr_storage name;
    struct stat st;
    int domain = 0;
    socklen_t domain_size = sizeof domain, cookie_size = sizeof new.cookie, size = sizeof name;
    if (getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) != 0 || domain != AF_UNIX ||
        getsockopt(socket, SOL_SOCKET, SO_COOKIE, &new.cookie, &cookie_size) != 0 ||
        is_known(l, new.cookie) || fstat(socket, &st) != 0 || is_inherited(&st) ||
        getsockname(socket, (struct sockaddr *)&name, &size) != 0)
        return;
    new.number = (uint32_t)st.st_ino;
    /* A path that fills the address comes with a NUL more than fits into one. */
    unix_address_parse(&new.address, &name,
                       size < sizeof(struct sockaddr_un) ? size : sizeof(struct sockaddr_un));
    if (new.address.kind == UNIX_ADDRESS_PATH) {
        new.pin = ioctl(socket, SIOCUNIXFILE);
        if (new.pin < 0 && errno == EPERM)
            new.pin = pin_by_diagnosis(l, n, r, &new, new.address.name);
        if (new.pin < 0 || fstat(new.pin, &st) != 0) {
            if (new.pin >= 0)
                close(new.pin);
            return;
        }
        new.dev = st.st_dev;
        new.ino = st.st_ino;
    } else if (new.address.kind == UNIX_ADDRESS_INVALID) {
        return; /* not bound: listen(2) will fail */
    }
    make_room(l);
    l->items[l->count++] = new;
}

bool listeners_has_inode(const struct listeners *l, const struct stat *st)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->items[i].pin >= 0 && l->items[i].dev == st->st_dev && l->items[i].ino == st->st_ino)
            return true;
    return false;
}

bool listeners_has_abstract(struct listeners *l, const struct unix_address *address)
{
    struct diagnosis known;
    for (size_t i = 0; i < l->count; i++) {
        const struct listener *item = &l->items[i];
        if (item->pin < 0 && item->address.length == address->length &&
            memcmp(item->address.name, address->name, address->length) == 0 &&
            diagnose(l, item->number, item->cookie, &known) && known.listening &&
            known.name.length == address->length &&
            memcmp(known.name.name, address->name, address->length) == 0)
            return true;
    }
    return false;
}
