/* unix_address.c - see unix_address.h. */
#include "plan/unix_address.h"

#include <stdint.h>
#include <string.h>

void unix_address_parse(struct unix_address *out, const void *bytes, size_t size)
{
    uint16_t family; /* in the machine's own order: both ends are on this machine */
    memset(out, 0, sizeof *out);
    /* The family alone is no name: it is autobind to bind(2), and EINVAL to connect(2). */
    if (size <= sizeof family || size > sizeof family + UNIX_ADDRESS_NAME_BYTES)
        return;
    memcpy(&family, bytes, sizeof family);
    if (family != UNIX_ADDRESS_FAMILY)
        return;
    out->length = size - sizeof family;
    memcpy(out->name, (const char *)bytes + sizeof family, out->length);
    if (out->name[0] == '\0') {
        out->kind = UNIX_ADDRESS_ABSTRACT;
        return;
    }
    /* A path ends at its first NUL, whatever the size says. */
    out->length = strlen(out->name);
    memset(out->name + out->length, 0, sizeof out->name - out->length);
    out->kind = UNIX_ADDRESS_PATH;
}

void unix_address_show(const struct unix_address *address, struct buf *out)
{
    if (address->kind == UNIX_ADDRESS_INVALID) {
        buf_add_string(out, "(no address)");
        return;
    }
    for (size_t i = 0; i < address->length; i++)
        buf_add(out, address->name[i] ? &address->name[i] : "@", 1);
}
