/* fuzz_notify.c - what a notified connect(2) delivers: the bytes of an address of any length and family. */
#include <string.h>

#include "fuzz.h"
#include "plan/unix_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct unix_address address;
    struct buf text = BUF_INIT;
    uint16_t family = 0;
    memset(&address, 0xa5, sizeof address);
    unix_address_parse(&address, data, size);
    if (size >= sizeof family)
        memcpy(&family, data, sizeof family);
    bool named = size > 2 && size <= 2 + UNIX_ADDRESS_NAME_BYTES && family == UNIX_ADDRESS_FAMILY;

    FUZZ_CHECK((address.kind != UNIX_ADDRESS_INVALID) == named);
    FUZZ_CHECK(address.length <= UNIX_ADDRESS_NAME_BYTES);
    FUZZ_CHECK(address.name[address.length] == '\0');
    switch (address.kind) {
    case UNIX_ADDRESS_INVALID:
        FUZZ_CHECK(address.length == 0);
        break;
    case UNIX_ADDRESS_ABSTRACT:
        FUZZ_CHECK(address.length == size - 2 && memcmp(address.name, data + 2, address.length) == 0);
        FUZZ_CHECK(address.name[0] == '\0');
        break;
    case UNIX_ADDRESS_PATH:
        FUZZ_CHECK(address.length > 0 && strlen(address.name) == address.length);
        FUZZ_CHECK(memcmp(address.name, data + 2, address.length) == 0);
        FUZZ_CHECK(address.length == size - 2 || data[2 + address.length] == '\0');
        break;
    }
    unix_address_show(&address, &text);
    FUZZ_CHECK(!buf_failed(&text) && text.len > 0);
    FUZZ_CHECK(memchr(text.data, '\0', text.len) == NULL);
    buf_release(&text);
    return 0;
}
