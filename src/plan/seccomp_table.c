/* seccomp_table.c - which system calls are refused, and why; see
 * seccomp_table.h. What is not listed is allowed: the reasons for leaving a call
 * that looks dangerous are in docs/seccomp.md. */
#include "plan/seccomp_table.h"

#define EPERM_ SECCOMP_EPERM
#define ENOSYS_ SECCOMP_ENOSYS

static const char why_mount[] = "mounts hold everything outside the roots read-only";
static const char why_namespace[] = "a new user namespace brings back every capability";
static const char why_join[] = "the outside's namespaces must stay out of reach";
static const char why_ring[] = "its queue opens, connects and renames past this filter";
static const char why_key[] = "keyrings are shared with processes outside";
static const char why_kernel[] = "the machine's kernel is not the command's to change";
static const char why_clock[] = "the machine's clock is not the command's to set";
static const char why_surface[] = "large kernel surface, with effects outside the boundary";
static const char why_quota[] = "quotas belong to the machine";
static const char why_swap[] = "swap belongs to the machine";
static const char why_setuid[] = "a file left behind that runs with the user's rights for anybody";
static const char why_name[] = "belongs to the boundary, which has its own";

/* clang-format off */
const struct seccomp_rule seccomp_rules[] = {
    {"mount",             {165,  40}, SECCOMP_REFUSE, EPERM_, why_mount},
    {"umount2",           {166,  39}, SECCOMP_REFUSE, EPERM_, why_mount},
    {"pivot_root",        {155,  41}, SECCOMP_REFUSE, EPERM_, why_mount},
    {"chroot",            {161,  51}, SECCOMP_REFUSE, EPERM_, why_mount},
    {"open_tree",         {428, 428}, SECCOMP_REFUSE, EPERM_, why_mount},
    {"move_mount",        {429, 429}, SECCOMP_REFUSE, EPERM_, why_mount},
    {"fsopen",            {430, 430}, SECCOMP_REFUSE, EPERM_, why_mount},
    {"fsconfig",          {431, 431}, SECCOMP_REFUSE, EPERM_, why_mount},
    {"fsmount",           {432, 432}, SECCOMP_REFUSE, EPERM_, why_mount},
    {"fspick",            {433, 433}, SECCOMP_REFUSE, EPERM_, why_mount},
    {"mount_setattr",     {442, 442}, SECCOMP_REFUSE, EPERM_, "it cleared read-only where Landlock had refused mount"},
    {"open_tree_attr",    {467, 467}, SECCOMP_REFUSE, EPERM_, "mount_setattr by another name"},

    {"unshare",           {272,  97}, SECCOMP_CHECK_UNSHARE, EPERM_, why_namespace},
    {"clone",             { 56, 220}, SECCOMP_CHECK_CLONE, EPERM_, why_namespace},
    {"clone3",            {435, 435}, SECCOMP_REFUSE, ENOSYS_, "its flags sit behind a pointer; libraries fall back to clone"},
    {"setns",             {308, 268}, SECCOMP_REFUSE, EPERM_, why_join},

    {"open_by_handle_at", {304, 265}, SECCOMP_REFUSE, EPERM_, "opens by inode, past paths and mounts"},
    {"fanotify_init",     {300, 262}, SECCOMP_REFUSE, EPERM_, "watches and may hold up processes outside"},
    {"quotactl",          {179,  60}, SECCOMP_REFUSE, EPERM_, why_quota},
    {"quotactl_fd",       {443, 443}, SECCOMP_REFUSE, EPERM_, why_quota},
    {"swapon",            {167, 224}, SECCOMP_REFUSE, EPERM_, why_swap},
    {"swapoff",           {168, 225}, SECCOMP_REFUSE, EPERM_, why_swap},

    {"io_uring_setup",    {425, 425}, SECCOMP_REFUSE, ENOSYS_, why_ring},
    {"io_uring_enter",    {426, 426}, SECCOMP_REFUSE, ENOSYS_, why_ring},
    {"io_uring_register", {427, 427}, SECCOMP_REFUSE, ENOSYS_, why_ring},

    {"add_key",           {248, 217}, SECCOMP_REFUSE, EPERM_, why_key},
    {"request_key",       {249, 218}, SECCOMP_REFUSE, EPERM_, "it may start the machine's key helper"},
    {"keyctl",            {250, 219}, SECCOMP_REFUSE, EPERM_, why_key},

    {"bpf",               {321, 280}, SECCOMP_REFUSE, EPERM_, why_surface},
    {"perf_event_open",   {298, 241}, SECCOMP_REFUSE, EPERM_, why_surface},
    {"userfaultfd",       {323, 282}, SECCOMP_REFUSE, EPERM_, "lets a process stop the kernel in the middle of a copy"},
    {"modify_ldt",        {154,  -1}, SECCOMP_REFUSE, ENOSYS_, "kernel surface that only 16-bit programs need"},

    {"kexec_load",        {246, 104}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"kexec_file_load",   {320, 294}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"create_module",     {174,  -1}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"init_module",       {175, 105}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"finit_module",      {313, 273}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"delete_module",     {176, 106}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"get_kernel_syms",   {177,  -1}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"query_module",      {178,  -1}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"nfsservctl",        {180,  42}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"reboot",            {169, 142}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"acct",              {163,  89}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"iopl",              {172,  -1}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"ioperm",            {173,  -1}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"lookup_dcookie",    {212,  18}, SECCOMP_REFUSE, EPERM_, why_kernel},
    {"syslog",            {103, 116}, SECCOMP_REFUSE, EPERM_, "the kernel's log tells of processes outside"},
    {"settimeofday",      {164, 170}, SECCOMP_REFUSE, EPERM_, why_clock},
    {"clock_settime",     {227, 112}, SECCOMP_REFUSE, EPERM_, why_clock},
    {"sethostname",       {170, 161}, SECCOMP_REFUSE, EPERM_, why_name},
    {"setdomainname",     {171, 162}, SECCOMP_REFUSE, EPERM_, why_name},
    {"vhangup",           {153,  58}, SECCOMP_REFUSE, EPERM_, "the terminal is the user's"},
    {"chmod",             { 90,  -1}, SECCOMP_CHECK_MODE_1, EPERM_, why_setuid},
    {"fchmod",            { 91,  52}, SECCOMP_CHECK_MODE_1, EPERM_, why_setuid},
    {"fchmodat",          {268,  53}, SECCOMP_CHECK_MODE_2, EPERM_, why_setuid},
    {"fchmodat2",         {452, 452}, SECCOMP_CHECK_MODE_2, EPERM_, why_setuid},
    {"mknod",             {133,  -1}, SECCOMP_CHECK_MODE_1, EPERM_, why_setuid},
    {"mknodat",           {259,  33}, SECCOMP_CHECK_MODE_2, EPERM_, why_setuid},
    {"creat",             { 85,  -1}, SECCOMP_CHECK_MODE_1, EPERM_, why_setuid},
    {"open",              {  2,  -1}, SECCOMP_CHECK_OPEN_1, EPERM_, why_setuid},
    {"openat",            {257,  56}, SECCOMP_CHECK_OPEN_2, EPERM_, why_setuid},
    {"openat2",           {437, 437}, SECCOMP_REFUSE, ENOSYS_, "its mode sits behind a pointer; programs fall back to openat"},
    {"personality",       {135,  92}, SECCOMP_CHECK_PERSONALITY, EPERM_, "32-bit execution domains are not held by this filter"},

    {"ioctl",             { 16,  29}, SECCOMP_CHECK_IOCTL, EPERM_, "requests that act on the outside, listed below"},
    {"connect",           { 42, 203}, SECCOMP_CHECK_ASK, 0, "the broker reads the address once and connects for the command"},
    {"listen",            { 50, 201}, SECCOMP_CHECK_ASK, 0, "the broker learns which sockets are the command's own, and carries it on"},
    {"listen",            { 50, 201}, SECCOMP_CHECK_ASK, 0, "the broker learns which sockets are the command's own, and carries it on"},
    {"seccomp",           {317, 277}, SECCOMP_CHECK_LISTENER, SECCOMP_EBUSY, "as the kernel answers while cordon listens; also when cordon has just died"},
    {"socket",            { 41, 198}, SECCOMP_CHECK_SOCKET, SECCOMP_EAFNOSUPPORT, "families that no network namespace holds"},
    {"socketpair",        { 53, 199}, SECCOMP_CHECK_SOCKETPAIR, SECCOMP_EAFNOSUPPORT, "a datagram pair can send to any name, behind a pointer"},
};

const struct seccomp_request seccomp_requests[] = {
    {"TIOCSTI",        0x5412, "types into the user's shell"},
    {"TIOCLINUX",      0x541c, "selects and pastes on the user's console"},
    {"TIOCCONS",       0x541d, "takes over the console's output"},
    {"TIOCSETD",       0x5423, "line disciplines: large kernel surface"},
    {"TIOCEXCL",       0x540c, "the terminal would stay closed to others after the run"},
    {"KDSKBENT",       0x4b47, "rewrites the console's key table"},
    {"KDSKBSENT",      0x4b49, "rewrites what the console's function keys type"},
    {"KDSKBDIACR",     0x4b4b, "rewrites what the console's accents type"},
    {"KDSKBDIACRUC",   0x4bfb, "rewrites what the console's accents type"},
    {"KDSETKEYCODE",   0x4b4d, "rewrites the console's key codes"},
    {"FS_IOC_ADD_ENCRYPTION_KEY",              0xc0506617, "works on read-only mounts; the key outlives the run"},
    {"FS_IOC_REMOVE_ENCRYPTION_KEY",           0xc0406618, "works on read-only mounts; locks the user's encrypted files"},
    {"FS_IOC_REMOVE_ENCRYPTION_KEY_ALL_USERS", 0xc0406619, "works on read-only mounts; locks everyone's encrypted files"},
};
/* clang-format on */

const size_t seccomp_rule_count = sizeof seccomp_rules / sizeof *seccomp_rules;
const size_t seccomp_request_count = sizeof seccomp_requests / sizeof *seccomp_requests;

const struct seccomp_gap seccomp_gaps[2][2] = {
    [SECCOMP_ARCH_X86_64] = {{337, 423}, {0, 0}},
    [SECCOMP_ARCH_AARCH64] = {{244, 259}, {295, 423}},
};
