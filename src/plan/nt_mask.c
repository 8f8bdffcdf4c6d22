/* nt_mask.c - access masks. See nt_mask.h. */
#include "plan/nt_mask.h"

#include <stdbool.h>
#include <stddef.h>

/* winnt.h: FILE_GENERIC_*, KEY_*, PROCESS_ALL_ACCESS and the published mappings of
 * processes, threads, tokens, sections, events; winuser.h for desktops and stations. */
static const struct {
    const char *name;
    struct nt_generic_mapping map;
} TYPES[NT_OBJECT_TYPES] = {
    [NT_OBJECT_FILE] = {"file", {0x120089, 0x120116, 0x1200a0, 0x1f01ff}},
    [NT_OBJECT_DIRECTORY] = {"directory", {0x120089, 0x120116, 0x1200a0, 0x1f01ff}},
    [NT_OBJECT_PIPE] = {"pipe", {0x120089, 0x120116, 0x1200a0, 0x1f01ff}},
    [NT_OBJECT_KEY] = {"key", {0x20019, 0x20006, 0x20019, 0xf003f}},
    [NT_OBJECT_PROCESS] = {"process", {0x20410, 0x20bea, 0x121001, 0x1fffff}},
    [NT_OBJECT_THREAD] = {"thread", {0x20048, 0x20437, 0x121800, 0x1fffff}},
    [NT_OBJECT_TOKEN] = {"token", {0x2001a, 0x201e0, 0x20005, 0xf01ff}},
    [NT_OBJECT_SECTION] = {"section", {0x20005, 0x20002, 0x20008, 0xf001f}},
    [NT_OBJECT_EVENT] = {"event", {0x20001, 0x20002, 0x120000, 0x1f0003}},
    [NT_OBJECT_DESKTOP] = {"desktop", {0x20041, 0x200be, 0x20100, 0xf01ff}},
    [NT_OBJECT_WINDOW_STATION] = {"window station", {0x20303, 0x2001c, 0x20060, 0xf037f}},
};

const struct nt_generic_mapping *nt_mask_mapping(enum nt_object_type type)
{
    return &TYPES[type].map;
}

const char *nt_object_type_name(enum nt_object_type type)
{
    return TYPES[type].name;
}

uint32_t nt_mask_map(uint32_t mask, enum nt_object_type type)
{
    const struct nt_generic_mapping *map = nt_mask_mapping(type);
    uint32_t mapped = mask & ~NT_GENERIC_BITS;
    mapped |= mask & NT_GENERIC_READ ? map->read : 0;
    mapped |= mask & NT_GENERIC_WRITE ? map->write : 0;
    mapped |= mask & NT_GENERIC_EXECUTE ? map->execute : 0;
    mapped |= mask & NT_GENERIC_ALL ? map->all : 0;
    return mapped;
}

uint32_t nt_mask_write_checked(uint32_t mapped, enum nt_object_type type)
{
    const struct nt_generic_mapping *map = nt_mask_mapping(type);
    return mapped & ((map->write & ~(map->read | map->execute)) | NT_DELETE | NT_WRITE_DAC | NT_WRITE_OWNER |
                     NT_ACCESS_SYSTEM_SECURITY);
}

struct bit {
    uint32_t mask;
    const char *people, *icacls;
};

static const struct bit FILE_BITS[] = {
    {NT_DELETE, "delete", "D"},
    {NT_READ_CONTROL, "read permissions", "RC"},
    {NT_WRITE_DAC, "change permissions", "WDAC"},
    {NT_WRITE_OWNER, "take ownership", "WO"},
    {NT_SYNCHRONIZE, "wait", "S"},
    {NT_ACCESS_SYSTEM_SECURITY, "audit list", "AS"},
    {NT_MAXIMUM_ALLOWED, "whatever is allowed", "MA"},
    {NT_GENERIC_READ, "generic read", "GR"},
    {NT_GENERIC_WRITE, "generic write", "GW"},
    {NT_GENERIC_EXECUTE, "generic execute", "GE"},
    {NT_GENERIC_ALL, "generic all", "GA"},
    {NT_FILE_READ_DATA, "read", "RD"},
    {NT_FILE_WRITE_DATA, "write", "WD"},
    {NT_FILE_APPEND_DATA, "append", "AD"},
    {NT_FILE_READ_EA, "read extended attributes", "REA"},
    {NT_FILE_WRITE_EA, "write extended attributes", "WEA"},
    {NT_FILE_EXECUTE, "execute", "X"},
    {NT_FILE_DELETE_CHILD, "delete children", "DC"},
    {NT_FILE_READ_ATTRIBUTES, "read attributes", "RA"},
    {NT_FILE_WRITE_ATTRIBUTES, "write attributes", "WA"},
};
#define FILE_BIT_COUNT (sizeof FILE_BITS / sizeof *FILE_BITS)
#define STANDARD_COUNT 11 /* of them mean the same for every type */

static const struct bit WHOLE[] = {
    {NT_FILE_ALL, "full control", "F"},
    {NT_FILE_MODIFY, "modify", "M"},
    {NT_FILE_READ_EXECUTE, "read and execute", "RX"},
    {NT_FILE_GENERIC_READ, "read only", "R"},
    {NT_FILE_GENERIC_WRITE & ~NT_READ_CONTROL, "write only", "W"},
};
#define WHOLE_COUNT (sizeof WHOLE / sizeof *WHOLE)

static const char *directory_word(uint32_t bit)
{
    switch (bit) {
    case NT_FILE_READ_DATA:
        return "list";
    case NT_FILE_WRITE_DATA:
        return "create files";
    case NT_FILE_APPEND_DATA:
        return "create directories";
    case NT_FILE_EXECUTE:
        return "traverse";
    default:
        return NULL;
    }
}

static void add_word(struct buf *out, size_t start, const char *separator, const char *word)
{
    if (out->len > start)
        buf_add_string(out, separator);
    buf_add_string(out, word);
}

void nt_mask_describe(uint32_t mask, enum nt_object_type type, struct buf *out)
{
    bool file = type == NT_OBJECT_FILE || type == NT_OBJECT_DIRECTORY || type == NT_OBJECT_PIPE;
    size_t start = out->len;
    if (mask == 0) {
        buf_add_string(out, "nothing");
        return;
    }
    for (size_t i = 0; file && i < WHOLE_COUNT; i++) {
        if (mask == WHOLE[i].mask) {
            buf_add_string(out, WHOLE[i].people);
            return;
        }
    }
    for (size_t i = 0; i < (file ? FILE_BIT_COUNT : STANDARD_COUNT); i++) {
        uint32_t bit = FILE_BITS[i].mask;
        if (!(mask & bit))
            continue;
        const char *word = type == NT_OBJECT_DIRECTORY ? directory_word(bit) : NULL;
        add_word(out, start, ", ", word ? word : FILE_BITS[i].people);
        mask &= ~bit;
    }
    if (mask) {
        add_word(out, start, ", ", "");
        buf_add_format(out, "0x%lx", (unsigned long)mask);
    }
}

void nt_mask_icacls(uint32_t mask, struct buf *out)
{
    buf_add_char(out, '(');
    size_t start = out->len;
    for (size_t i = 0; i < WHOLE_COUNT; i++) {
        if (mask == WHOLE[i].mask) {
            buf_add_format(out, "%s)", WHOLE[i].icacls);
            return;
        }
    }
    for (size_t i = 0; i < FILE_BIT_COUNT; i++) {
        if (mask & FILE_BITS[i].mask)
            add_word(out, start, ",", FILE_BITS[i].icacls);
        mask &= ~FILE_BITS[i].mask;
    }
    if (mask) {
        add_word(out, start, ",", "");
        buf_add_format(out, "0x%lx", (unsigned long)mask);
    } else if (out->len == start) {
        buf_add_char(out, 'N');
    }
    buf_add_char(out, ')');
}
