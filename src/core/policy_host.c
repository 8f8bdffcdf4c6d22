/* policy_host.c - the syntax of network.allow and network.deny entries. Pure. */
#include <string.h>

#include "core/policy.h"

static const char digits[] = "0123456789";
static const char hex_digits[] = "0123456789abcdefABCDEF";

static bool is_port(const char *text)
{
    unsigned value = 0;
    size_t len = strspn(text, digits);
    if (len == 0 || len > 5 || text[len])
        return false;
    for (size_t i = 0; i < len; i++)
        value = 10 * value + (unsigned)(text[i] - '0');
    return value > 0 && value < 65536;
}

/* Four decimal numbers. A leading zero is octal to some readers: refused. */
static bool is_ipv4(const char *text, size_t len)
{
    size_t i = 0;
    for (int part = 0; part < 4; part++) {
        size_t n = strspn(text + i, digits);
        unsigned value = 0;
        if (n == 0 || n > 3 || (n > 1 && text[i] == '0'))
            return false;
        for (size_t k = 0; k < n; k++)
            value = 10 * value + (unsigned)(text[i + k] - '0');
        i += n;
        if (value > 255 || (part < 3 && text[i++] != '.'))
            return false;
    }
    return i == len;
}

static bool is_ipv6(const char *text, size_t len)
{
    unsigned groups = 0;
    bool gap = len >= 2 && text[0] == ':' && text[1] == ':';
    size_t i = gap ? 2 : 0;
    while (i < len) {
        size_t n = strspn(text + i, hex_digits);
        if (text[i + n] == '.') {
            if (!is_ipv4(text + i, len - i))
                return false;
            groups += 2;
            break;
        }
        if (n == 0 || n > 4)
            return false;
        groups++;
        i += n;
        if (i == len)
            break;
        if (text[i] != ':' || ++i == len)
            return false;
        if (text[i] == ':') {
            if (gap)
                return false;
            gap = true;
            i++;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

/* 127.1, 2130706433 and 0x7f000001 are addresses to inet_aton and to browsers,
 * names to others: what ends in a number must be an address that all agree on. */
static bool ends_in_number(const char *label, size_t len)
{
    bool hex = len >= 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X');
    return hex ? 2 + strspn(label + 2, hex_digits) >= len : strspn(label, digits) >= len;
}

static bool is_name(const char *text, size_t len)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    if (len > 253)
        return false;
    for (size_t i = 0;;) {
        size_t n = strspn(text + i, letters);
        if (n == 0 || n > 63 || text[i] == '-' || text[i + n - 1] == '-')
            return false;
        if (i + n == len)
            return !ends_in_number(text + i, n);
        if (text[i + n] != '.')
            return false;
        i += n + 1;
    }
}

bool policy_is_host(const char *text)
{
    bool wild = text[0] == '*' && text[1] == '.';
    const char *end;
    if (*text == '[') {
        end = strchr(text, ']');
        if (!end || !is_ipv6(text + 1, (size_t)(end - text) - 1))
            return false;
        end++;
    } else {
        if (wild)
            text += 2;
        end = text + strcspn(text, ":");
        size_t len = (size_t)(end - text);
        if (!is_name(text, len) && (wild || !is_ipv4(text, len)))
            return false;
    }
    return !*end || (*end == ':' && is_port(end + 1));
}
