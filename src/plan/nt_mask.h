/* nt_mask.h - access masks: bits, generic mappings, and words for them.
 *
 * Pure; called by the other nt_ files, the Windows plan and the NT model. No
 * privilege. Bits: MS-DTYP 2.4.3, winnt.h, winuser.h; mappings: the published
 * GenericMapping of each object type (winnt.h's *_GENERIC_*), which nt-facts
 * checks on a real machine.
 */
#ifndef CORDON_PLAN_NT_MASK_H
#define CORDON_PLAN_NT_MASK_H

#include <stdint.h>

#include "core/buf.h"

/* Files and pipes; directories have other names for the same bits. */
#define NT_FILE_READ_DATA 0x00000001u   /* FILE_LIST_DIRECTORY */
#define NT_FILE_WRITE_DATA 0x00000002u  /* FILE_ADD_FILE */
#define NT_FILE_APPEND_DATA 0x00000004u /* FILE_ADD_SUBDIRECTORY, FILE_CREATE_PIPE_INSTANCE */
#define NT_FILE_READ_EA 0x00000008u
#define NT_FILE_WRITE_EA 0x00000010u
#define NT_FILE_EXECUTE 0x00000020u      /* FILE_TRAVERSE */
#define NT_FILE_DELETE_CHILD 0x00000040u /* directories: also remove what does not grant DELETE */
#define NT_FILE_READ_ATTRIBUTES 0x00000080u
#define NT_FILE_WRITE_ATTRIBUTES 0x00000100u

/* Every type. */
#define NT_DELETE 0x00010000u
#define NT_READ_CONTROL 0x00020000u
#define NT_WRITE_DAC 0x00040000u
#define NT_WRITE_OWNER 0x00080000u
#define NT_SYNCHRONIZE 0x00100000u
#define NT_ACCESS_SYSTEM_SECURITY 0x01000000u
#define NT_MAXIMUM_ALLOWED 0x02000000u
#define NT_GENERIC_ALL 0x10000000u
#define NT_GENERIC_EXECUTE 0x20000000u
#define NT_GENERIC_WRITE 0x40000000u
#define NT_GENERIC_READ 0x80000000u

#define NT_GENERIC_BITS 0xf0000000u
#define NT_FILE_ALL 0x001f01ffu           /* FILE_ALL_ACCESS; icacls F */
#define NT_FILE_GENERIC_READ 0x00120089u  /* icacls R */
#define NT_FILE_GENERIC_WRITE 0x00120116u /* icacls W has no READ_CONTROL: 0x100116 */
#define NT_FILE_GENERIC_EXECUTE 0x001200a0u
#define NT_FILE_READ_EXECUTE 0x001200a9u /* icacls RX */
#define NT_FILE_MODIFY 0x001301bfu       /* icacls M: no DELETE_CHILD, WRITE_DAC, WRITE_OWNER */

/* Others, as far as plan and model name them. */
#define NT_PROCESS_TERMINATE 0x0001u
#define NT_PROCESS_CREATE_THREAD 0x0002u
#define NT_PROCESS_VM_OPERATION 0x0008u
#define NT_PROCESS_VM_READ 0x0010u
#define NT_PROCESS_VM_WRITE 0x0020u
#define NT_PROCESS_DUP_HANDLE 0x0040u
#define NT_PROCESS_CREATE_PROCESS 0x0080u
#define NT_PROCESS_QUERY_INFORMATION 0x0400u
#define NT_PROCESS_QUERY_LIMITED 0x1000u
#define NT_TOKEN_ASSIGN_PRIMARY 0x0001u
#define NT_TOKEN_DUPLICATE 0x0002u
#define NT_TOKEN_IMPERSONATE 0x0004u
#define NT_TOKEN_QUERY 0x0008u
#define NT_TOKEN_ADJUST_PRIVILEGES 0x0020u
#define NT_TOKEN_ADJUST_GROUPS 0x0040u
#define NT_TOKEN_ADJUST_DEFAULT 0x0080u
#define NT_KEY_QUERY_VALUE 0x0001u
#define NT_KEY_SET_VALUE 0x0002u
#define NT_KEY_CREATE_SUB_KEY 0x0004u
#define NT_KEY_ENUMERATE 0x0008u
#define NT_KEY_NOTIFY 0x0010u
#define NT_SECTION_QUERY 0x0001u
#define NT_SECTION_MAP_WRITE 0x0002u
#define NT_SECTION_MAP_READ 0x0004u
#define NT_SECTION_MAP_EXECUTE 0x0008u

/* Mandatory label policy, in the mask of a label ACE. */
#define NT_LABEL_NO_WRITE_UP 0x1u
#define NT_LABEL_NO_READ_UP 0x2u
#define NT_LABEL_NO_EXECUTE_UP 0x4u

enum nt_object_type {
    NT_OBJECT_FILE,
    NT_OBJECT_DIRECTORY,
    NT_OBJECT_PIPE,
    NT_OBJECT_KEY,
    NT_OBJECT_PROCESS,
    NT_OBJECT_THREAD,
    NT_OBJECT_TOKEN,
    NT_OBJECT_SECTION,
    NT_OBJECT_EVENT,
    NT_OBJECT_DESKTOP,
    NT_OBJECT_WINDOW_STATION,
    NT_OBJECT_TYPES
};

struct nt_generic_mapping {
    uint32_t read, write, execute, all;
};

const struct nt_generic_mapping *nt_mask_mapping(enum nt_object_type type);
const char *nt_object_type_name(enum nt_object_type type);

/* The generic bits replaced by what they mean for the type (MapGenericMask). */
uint32_t nt_mask_map(uint32_t mask, enum nt_object_type type);

/* What a WRITE_RESTRICTED token checks a second time of `mapped`:
 * ((write & ~(read | execute)) | 0x010d0000); design note windows.md, 4. */
uint32_t nt_mask_write_checked(uint32_t mapped, enum nt_object_type type);

/* For people: "read, write, delete"; unnamed bits as hexadecimal; "nothing". */
void nt_mask_describe(uint32_t mask, enum nt_object_type type, struct buf *out);

/* As icacls prints the rights of files: "(F)" "(M)" "(RX)" "(R)" "(W)" or "(RD,WD,...)". */
void nt_mask_icacls(uint32_t mask, struct buf *out);

#endif
