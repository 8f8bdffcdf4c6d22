/* trace_calls.c - the table of traced system calls; see trace_calls.h. */
#include "plan/trace_calls.h"

#define NONE TRACE_NO_ARGUMENT

enum { /* linux/fcntl.h, linux/fs.h */
       AT_NOFOLLOW = 0x100,
       AT_EMPTY = 0x1000,
       OPEN_CREATE = 0x40,
       OPEN_EXCLUSIVE = 0x80,
       OPEN_PATH = 0x200000,
       OPEN_TMPFILE = 0x400000,
       RENAME_NOREPLACE_ = 1,
       CREAT_FLAGS = 0x241, /* O_CREAT, O_WRONLY, O_TRUNC: what creat means */
};

/* O_NOFOLLOW, by enum seccomp_arch. */
static const uint32_t open_nofollow[2] = {0x20000, 0x8000};

/* Places: by the working directory or by a descriptor. Of a link only the new
 * name: that the old one lies outside fails as between two file systems, and
 * programs copy then. */
/* clang-format off */
#define AT_CWD(path, act, follow)      {NONE, path, TRACE_ACT_##act, TRACE_FOLLOW_##follow}
#define AT_DIR(dir, path, act, follow) {dir, path, TRACE_ACT_##act, TRACE_FOLLOW_##follow}

const struct trace_call trace_calls[] = {
    {"open",          {  2,  -1}, TRACE_WRITING_1, TRACE_NO_EFFECT,   1,    {AT_CWD(0, OPEN, BY_OPEN)}},
    {"openat",        {257,  56}, TRACE_WRITING_2, TRACE_NO_EFFECT,   2,    {AT_DIR(0, 1, OPEN, BY_OPEN)}},
    {"creat",         { 85,  -1}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, OPEN, ALWAYS)}},
    {"truncate",      { 76,  45}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, CHANGE, ALWAYS)}},
    {"execve",        { 59, 221}, TRACE_READING,   TRACE_NO_EFFECT,   NONE, {AT_CWD(0, READ, ALWAYS)}},
    {"execveat",      {322, 281}, TRACE_READING,   TRACE_NO_EFFECT,   4,    {AT_DIR(0, 1, READ, UNLESS)}},

    /* For what they do to relative paths; as reads where something is hidden. */
    {"chdir",         { 80,  49}, TRACE_ALWAYS,    TRACE_MOVES_CWD,   NONE, {AT_CWD(0, READ, ALWAYS)}},
    {"fchdir",        { 81,  50}, TRACE_ALWAYS,    TRACE_MOVES_CWD,   NONE, {{NONE, NONE, TRACE_ACT_NONE, TRACE_FOLLOW_NEVER}}},

    {"mkdir",         { 83,  -1}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, CREATE, NEVER)}},
    {"mkdirat",       {258,  34}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_DIR(0, 1, CREATE, NEVER)}},
    {"mknod",         {133,  -1}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, CREATE, NEVER)}},
    {"mknodat",       {259,  33}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_DIR(0, 1, CREATE, NEVER)}},
    {"symlink",       { 88,  -1}, TRACE_ALWAYS,    TRACE_MOVES_LINKS, NONE, {AT_CWD(1, CREATE, NEVER)}},
    {"symlinkat",     {266,  36}, TRACE_ALWAYS,    TRACE_MOVES_LINKS, NONE, {AT_DIR(1, 2, CREATE, NEVER)}},
    {"link",          { 86,  -1}, TRACE_ALWAYS,    TRACE_MOVES_LINKS, NONE, {AT_CWD(1, CREATE, NEVER)}},
    {"linkat",        {265,  37}, TRACE_ALWAYS,    TRACE_MOVES_LINKS, NONE, {AT_DIR(2, 3, CREATE, NEVER)}},

    {"rmdir",         { 84,  -1}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, REMOVE, NEVER)}},
    {"unlink",        { 87,  -1}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, REMOVE, NEVER)}},
    {"unlinkat",      {263,  35}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_DIR(0, 1, REMOVE, NEVER)}},
    {"rename",        { 82,  -1}, TRACE_ALWAYS,    TRACE_MOVES_LINKS, NONE, {AT_CWD(0, REMOVE, NEVER), AT_CWD(1, PUT, NEVER)}},
    {"renameat",      {264,  38}, TRACE_ALWAYS,    TRACE_MOVES_LINKS, NONE, {AT_DIR(0, 1, REMOVE, NEVER), AT_DIR(2, 3, PUT, NEVER)}},
    {"renameat2",     {316, 276}, TRACE_ALWAYS,    TRACE_MOVES_LINKS, 4,    {AT_DIR(0, 1, REMOVE, NEVER), AT_DIR(2, 3, PUT, NEVER)}},

    {"chmod",         { 90,  -1}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, CHANGE, ALWAYS)}},
    {"fchmodat",      {268,  53}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_DIR(0, 1, CHANGE, ALWAYS)}},
    {"fchmodat2",     {452, 452}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   3,    {AT_DIR(0, 1, CHANGE, UNLESS)}},
    {"chown",         { 92,  -1}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, CHANGE, ALWAYS)}},
    {"lchown",        { 94,  -1}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, CHANGE, NEVER)}},
    {"fchownat",      {260,  54}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   4,    {AT_DIR(0, 1, CHANGE, UNLESS)}},
    {"utime",         {132,  -1}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, CHANGE, ALWAYS)}},
    {"utimes",        {235,  -1}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, CHANGE, ALWAYS)}},
    {"futimesat",     {261,  -1}, TRACE_NAMED_1,   TRACE_NO_EFFECT,   NONE, {AT_DIR(0, 1, CHANGE, ALWAYS)}},
    {"utimensat",     {280,  88}, TRACE_NAMED_1,   TRACE_NO_EFFECT,   3,    {AT_DIR(0, 1, CHANGE, UNLESS)}},
    {"setxattr",      {188,   5}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, CHANGE, ALWAYS)}},
    {"lsetxattr",     {189,   6}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, CHANGE, NEVER)}},
    {"setxattrat",    {463, 463}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   2,    {AT_DIR(0, 1, CHANGE, UNLESS)}},
    {"removexattr",   {197,  14}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, CHANGE, ALWAYS)}},
    {"lremovexattr",  {198,  15}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   NONE, {AT_CWD(0, CHANGE, NEVER)}},
    {"removexattrat", {466, 466}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   2,    {AT_DIR(0, 1, CHANGE, UNLESS)}},
    {"file_setattr",  {469, 469}, TRACE_ALWAYS,    TRACE_NO_EFFECT,   4,    {AT_DIR(0, 1, CHANGE, UNLESS)}},
};
/* clang-format on */

const size_t trace_call_count = sizeof trace_calls / sizeof *trace_calls;

const struct trace_call *trace_call_find(enum seccomp_arch arch, uint32_t number)
{
    for (size_t i = 0; i < trace_call_count; i++)
        if (trace_calls[i].number[arch] >= 0 && (uint32_t)trace_calls[i].number[arch] == number)
            return &trace_calls[i];
    return NULL;
}

bool trace_asks(const struct seccomp_options *options, uint32_t number, const uint64_t args[6])
{
    const struct trace_call *call = trace_call_find(options->arch, number);
    if (!options->trace || !call)
        return false;
    switch (call->when) {
    case TRACE_ALWAYS:
        return true;
    case TRACE_WRITING_1:
        return options->trace_reads || ((uint32_t)args[1] & TRACE_OPEN_WRITES) != 0;
    case TRACE_WRITING_2:
        return options->trace_reads || ((uint32_t)args[2] & TRACE_OPEN_WRITES) != 0;
    case TRACE_NAMED_1:
        return args[1] != 0;
    case TRACE_READING:
        break;
    }
    return options->trace_reads;
}

static bool follows(enum trace_follow follow, uint32_t flags, enum seccomp_arch arch)
{
    switch (follow) {
    case TRACE_FOLLOW_ALWAYS:
        return true;
    case TRACE_FOLLOW_BY_OPEN:
        return (flags & open_nofollow[arch]) == 0 &&
               (flags & (OPEN_CREATE | OPEN_EXCLUSIVE)) != (OPEN_CREATE | OPEN_EXCLUSIVE);
    case TRACE_FOLLOW_UNLESS:
        return (flags & AT_NOFOLLOW) == 0;
    case TRACE_FOLLOW_NEVER:
        break;
    }
    return false;
}

size_t trace_decode(enum seccomp_arch arch, uint32_t number, const uint64_t args[6],
                    struct trace_target out[2])
{
    const struct trace_call *call = trace_call_find(arch, number);
    size_t count = 0;
    for (size_t i = 0; call && i < 2; i++) {
        const struct trace_place *place = &call->places[i];
        if (place->act == TRACE_ACT_NONE)
            break;
        uint32_t flags = call->flags == NONE ? 0 : (uint32_t)args[call->flags];
        bool opens = place->act == TRACE_ACT_OPEN;
        if (opens && call->flags == NONE)
            flags = CREAT_FLAGS;
        out[count++] = (struct trace_target){
            .act = place->act,
            .dir = place->dir == NONE ? TRACE_CWD : (int)(uint32_t)args[place->dir],
            .path = args[place->path],
            .follow = follows(place->follow, flags, arch),
            .empty = !opens && call->flags != NONE && (flags & AT_EMPTY) != 0,
            .flags = flags,
        };
    }
    return count;
}

static bool open_operation(uint32_t flags, enum object_type found, enum decide_op *op)
{
    bool writes = (flags & TRACE_OPEN_WRITES & ~(uint32_t)OPEN_CREATE) != 0;
    if (flags & OPEN_PATH)
        return false;
    if (found == OBJECT_ABSENT) {
        *op = OP_CREATE;
        return (flags & OPEN_CREATE) != 0;
    }
    if ((flags & OPEN_CREATE) && (flags & OPEN_EXCLUSIVE))
        return false; /* EEXIST */
    if (found == OBJECT_SYMLINK)
        return false; /* ELOOP */
    if (found == OBJECT_DIRECTORY && !(flags & OPEN_TMPFILE) && (writes || (flags & OPEN_CREATE)))
        return false; /* EISDIR */
    *op = writes ? OP_WRITE : OP_READ;
    return true;
}

bool trace_operation(const struct trace_target *target, enum object_type found, enum decide_op *op)
{
    bool absent = found == OBJECT_ABSENT;
    switch (target->act) {
    case TRACE_ACT_OPEN:
        return open_operation(target->flags, found, op);
    case TRACE_ACT_READ:
        *op = OP_READ;
        return !absent;
    case TRACE_ACT_CHANGE:
        *op = OP_WRITE;
        return !absent;
    case TRACE_ACT_CREATE:
        *op = OP_CREATE;
        return absent;
    case TRACE_ACT_REMOVE:
        *op = OP_REMOVE;
        return !absent;
    case TRACE_ACT_PUT:
        *op = absent ? OP_CREATE : OP_REMOVE;
        return absent || (target->flags & RENAME_NOREPLACE_) == 0;
    case TRACE_ACT_NONE:
        break;
    }
    return false;
}
