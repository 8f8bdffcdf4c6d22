/* The seccomp filter as data: hand-written answers for every listed call, the
 * generated program against the reference over every number and argument class,
 * the property that keeps allowed calls free, and a check that the comparison
 * itself notices a generator's mistake. What the kernel then does is
 * test_seccomp_kernel.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "plan/bpf_asm.h"
#include "plan/seccomp.h"
#include "plan/seccomp_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HIGH UINT64_C(0xdeadbeef00000000)
#define ALLOW SECCOMP_VALUE_ALLOW
#define NO(e) SECCOMP_VALUE_ERRNO(e)
#define ASK 0x7fc00000u
#define X86_64 0xc000003eu
#define AARCH64 0xc00000b7u
#define X32_BIT 0x40000000u

enum { EPERM_ = 1, EACCES_ = 13, EBUSY_ = 16, ENOSYS_ = 38, EAFNOSUPPORT_ = 97 };

static const struct seccomp_options option_sets[] = {
    {SECCOMP_ARCH_X86_64, false, false, false},  {SECCOMP_ARCH_X86_64, true, false, false},
    {SECCOMP_ARCH_X86_64, false, true, false},   {SECCOMP_ARCH_X86_64, true, true, false},
    {SECCOMP_ARCH_X86_64, false, true, true},    {SECCOMP_ARCH_X86_64, true, true, true},
    {SECCOMP_ARCH_AARCH64, false, false, false}, {SECCOMP_ARCH_AARCH64, true, false, false},
    {SECCOMP_ARCH_AARCH64, false, true, false},  {SECCOMP_ARCH_AARCH64, true, true, false},
    {SECCOMP_ARCH_AARCH64, false, true, true},   {SECCOMP_ARCH_AARCH64, true, true, true},
};

static uint32_t native(const struct seccomp_options *options)
{
    return options->arch == SECCOMP_ARCH_AARCH64 ? AARCH64 : X86_64;
}

/* ---- what is expected, written by hand from the kernel's tables */

/* Refused whatever the arguments: x86_64 number, aarch64 number, errno. */
static const struct {
    int number[2];
    uint32_t error;
} always[] = {
    {{165, 40}, EPERM_},   /* mount */
    {{166, 39}, EPERM_},   /* umount2 */
    {{155, 41}, EPERM_},   /* pivot_root */
    {{161, 51}, EPERM_},   /* chroot */
    {{428, 428}, EPERM_},  /* open_tree */
    {{429, 429}, EPERM_},  /* move_mount */
    {{430, 430}, EPERM_},  /* fsopen */
    {{431, 431}, EPERM_},  /* fsconfig */
    {{432, 432}, EPERM_},  /* fsmount */
    {{433, 433}, EPERM_},  /* fspick */
    {{442, 442}, EPERM_},  /* mount_setattr */
    {{467, 467}, EPERM_},  /* open_tree_attr */
    {{435, 435}, ENOSYS_}, /* clone3 */
    {{308, 268}, EPERM_},  /* setns */
    {{304, 265}, EPERM_},  /* open_by_handle_at */
    {{300, 262}, EPERM_},  /* fanotify_init */
    {{179, 60}, EPERM_},   /* quotactl */
    {{443, 443}, EPERM_},  /* quotactl_fd */
    {{167, 224}, EPERM_},  /* swapon */
    {{168, 225}, EPERM_},  /* swapoff */
    {{425, 425}, ENOSYS_}, /* io_uring_setup */
    {{426, 426}, ENOSYS_}, /* io_uring_enter */
    {{427, 427}, ENOSYS_}, /* io_uring_register */
    {{248, 217}, EPERM_},  /* add_key */
    {{249, 218}, EPERM_},  /* request_key */
    {{250, 219}, EPERM_},  /* keyctl */
    {{321, 280}, EPERM_},  /* bpf */
    {{298, 241}, EPERM_},  /* perf_event_open */
    {{323, 282}, EPERM_},  /* userfaultfd */
    {{154, -1}, ENOSYS_},  /* modify_ldt */
    {{246, 104}, EPERM_},  /* kexec_load */
    {{320, 294}, EPERM_},  /* kexec_file_load */
    {{174, -1}, EPERM_},   /* create_module */
    {{175, 105}, EPERM_},  /* init_module */
    {{313, 273}, EPERM_},  /* finit_module */
    {{176, 106}, EPERM_},  /* delete_module */
    {{177, -1}, EPERM_},   /* get_kernel_syms */
    {{178, -1}, EPERM_},   /* query_module */
    {{180, 42}, EPERM_},   /* nfsservctl */
    {{169, 142}, EPERM_},  /* reboot */
    {{163, 89}, EPERM_},   /* acct */
    {{172, -1}, EPERM_},   /* iopl */
    {{173, -1}, EPERM_},   /* ioperm */
    {{212, 18}, EPERM_},   /* lookup_dcookie */
    {{103, 116}, EPERM_},  /* syslog */
    {{164, 170}, EPERM_},  /* settimeofday */
    {{227, 112}, EPERM_},  /* clock_settime */
    {{170, 161}, EPERM_},  /* sethostname */
    {{171, 162}, EPERM_},  /* setdomainname */
    {{153, 58}, EPERM_},   /* vhangup */
    {{437, 437}, ENOSYS_}, /* openat2 */
};

/* The arguments decide. */
enum {
    CLONE,
    UNSHARE,
    PERSONALITY,
    IOCTL,
    SOCKET,
    SOCKETPAIR,
    CHMOD,
    FCHMOD,
    FCHMODAT,
    FCHMODAT2,
    MKNOD,
    MKNODAT,
    CREAT,
    OPEN,
    OPENAT,
    SECCOMP_CALL,
    UTIMENSAT,
    FUTIMESAT,
    CONDITIONAL_CALLS,
};
static const int conditional[][2] = {{56, 220}, {272, 97}, {135, 92}, {16, 29},   {41, 198}, {53, 199},
                                     {90, -1},  {91, 52},  {268, 53}, {452, 452}, {133, -1}, {259, 33},
                                     {85, -1},  {2, -1},   {257, 56}, {317, 277}, {280, 88}, {261, -1}};

/* Asked about whatever the arguments: with a broker, with a trace, with a trace
 * of reads too. */
enum { BROKER, TRACED, READS };
static const struct {
    int number[2];
    int who;
} asked[] = {
    {{42, 203}, BROKER},  /* connect */
    {{50, 201}, BROKER},  /* listen */
    {{50, 201}, BROKER},  /* listen */
    {{76, 45}, TRACED},   /* truncate */
    {{80, 49}, TRACED},   /* chdir */
    {{81, 50}, TRACED},   /* fchdir */
    {{83, -1}, TRACED},   /* mkdir */
    {{258, 34}, TRACED},  /* mkdirat */
    {{88, -1}, TRACED},   /* symlink */
    {{266, 36}, TRACED},  /* symlinkat */
    {{86, -1}, TRACED},   /* link */
    {{265, 37}, TRACED},  /* linkat */
    {{84, -1}, TRACED},   /* rmdir */
    {{87, -1}, TRACED},   /* unlink */
    {{263, 35}, TRACED},  /* unlinkat */
    {{82, -1}, TRACED},   /* rename */
    {{264, 38}, TRACED},  /* renameat */
    {{316, 276}, TRACED}, /* renameat2 */
    {{92, -1}, TRACED},   /* chown */
    {{94, -1}, TRACED},   /* lchown */
    {{260, 54}, TRACED},  /* fchownat */
    {{132, -1}, TRACED},  /* utime */
    {{235, -1}, TRACED},  /* utimes */
    {{188, 5}, TRACED},   /* setxattr */
    {{189, 6}, TRACED},   /* lsetxattr */
    {{463, 463}, TRACED}, /* setxattrat */
    {{197, 14}, TRACED},  /* removexattr */
    {{198, 15}, TRACED},  /* lremovexattr */
    {{466, 466}, TRACED}, /* removexattrat */
    {{469, 469}, TRACED}, /* file_setattr */
    {{59, 221}, READS},   /* execve */
    {{322, 281}, READS},  /* execveat */
};

/* What a case of `cases` expects where the options differ. */
enum { ANY = -1, OFF, ON, TRACE_OFF, TRACE_ON, READS_OFF, READS_ON, NO_LISTENER, LISTENER };

static bool applies(const struct seccomp_options *options, int when)
{
    switch (when) {
    case OFF:
    case ON:
        return options->notify == (when == ON);
    case TRACE_OFF:
    case TRACE_ON:
        return options->trace == (when == TRACE_ON);
    case READS_OFF:
    case READS_ON:
        return options->trace && options->trace_reads == (when == READS_ON);
    case NO_LISTENER:
    case LISTENER:
        return (options->notify || options->trace) == (when == LISTENER);
    default:
        return true;
    }
}

static const struct {
    int call;
    uint64_t args[4];
    int when;
    uint32_t answer;
} cases[] = {
    {CLONE, {0x01200011}, ANY, ALLOW}, /* fork as glibc does it */
    {CLONE, {0x003d0f00}, ANY, ALLOW}, /* pthread_create */
    {CLONE, {0x00004111}, ANY, ALLOW}, /* vfork */
    {CLONE, {0x80}, ANY, ALLOW},       /* exit signal bits */
    {CLONE, {0x00020011}, ANY, NO(EPERM_)},
    {CLONE, {0x02000011}, ANY, NO(EPERM_)},
    {CLONE, {0x04000011}, ANY, NO(EPERM_)},
    {CLONE, {0x08000011}, ANY, NO(EPERM_)},
    {CLONE, {0x10000011}, ANY, NO(EPERM_)},
    {CLONE, {0x20000011}, ANY, NO(EPERM_)},
    {CLONE, {0x40000011}, ANY, NO(EPERM_)},
    {CLONE, {HIGH | 0x10000011}, ANY, NO(EPERM_)},
    {UNSHARE, {0x00000600}, ANY, ALLOW}, /* CLONE_FS | CLONE_FILES */
    {UNSHARE, {0x00040000}, ANY, ALLOW}, /* CLONE_SYSVSEM */
    {UNSHARE, {0x00000080}, ANY, NO(EPERM_)},
    {UNSHARE, {0x00020000}, ANY, NO(EPERM_)},
    {UNSHARE, {0x10000600}, ANY, NO(EPERM_)},
    {UNSHARE, {0x40000000}, ANY, NO(EPERM_)},
    {UNSHARE, {HIGH | 0x02000000}, ANY, NO(EPERM_)},
    {PERSONALITY, {0}, ANY, ALLOW},
    {PERSONALITY, {0xffffffff}, ANY, ALLOW},
    {PERSONALITY, {HIGH | 0xffffffff}, ANY, ALLOW},
    {PERSONALITY, {0x0040000}, ANY, ALLOW},
    {PERSONALITY, {0x0240000}, ANY, ALLOW},
    {PERSONALITY, {0x0020000}, ANY, ALLOW},
    {PERSONALITY, {0x0400000}, ANY, ALLOW},
    {PERSONALITY, {8}, ANY, NO(EPERM_)}, /* PER_LINUX32 */
    {PERSONALITY, {HIGH | 8}, ANY, NO(EPERM_)},
    {PERSONALITY, {0x0040008}, ANY, NO(EPERM_)},
    {PERSONALITY, {0x8000000}, ANY, NO(EPERM_)}, /* ADDR_LIMIT_3GB */
    {PERSONALITY, {0x0800000}, ANY, NO(EPERM_)}, /* ADDR_LIMIT_32BIT */
    {PERSONALITY, {0x0100000}, ANY, NO(EPERM_)}, /* MMAP_PAGE_ZERO */
    {PERSONALITY, {0xfffffffe}, ANY, NO(EPERM_)},
    {IOCTL, {0x5412, 0x5401}, ANY, ALLOW}, /* TCGETS; the descriptor is not the request */
    {IOCTL, {0, 0x5413}, ANY, ALLOW},      /* TIOCGWINSZ */
    {IOCTL, {0, 0x5411}, ANY, ALLOW},      /* TIOCOUTQ */
    {IOCTL, {0, 0x5410}, ANY, ALLOW},      /* TIOCSPGRP */
    {IOCTL, {0, 0x540e}, ANY, ALLOW},      /* TIOCSCTTY */
    {IOCTL, {0, 0x5441}, ANY, ALLOW},      /* TIOCGPTPEER */
    {IOCTL, {0, 0x5421}, ANY, ALLOW},      /* FIONBIO */
    {IOCTL, {0, 0x40049409}, ANY, ALLOW},  /* FICLONE */
    {IOCTL, {0, 0x5412}, ANY, NO(EPERM_)}, /* TIOCSTI */
    {IOCTL, {0, HIGH | 0x5412}, ANY, NO(EPERM_)},
    {IOCTL, {0, 0x541c}, ANY, NO(EPERM_)}, /* TIOCLINUX */
    {IOCTL, {0, HIGH | 0x541c}, ANY, NO(EPERM_)},
    {IOCTL, {0, 0x541d}, ANY, NO(EPERM_)},     /* TIOCCONS */
    {IOCTL, {0, 0x5423}, ANY, NO(EPERM_)},     /* TIOCSETD */
    {IOCTL, {0, 0x540c}, ANY, NO(EPERM_)},     /* TIOCEXCL */
    {IOCTL, {0, 0x4b47}, ANY, NO(EPERM_)},     /* KDSKBENT */
    {IOCTL, {0, 0x4b49}, ANY, NO(EPERM_)},     /* KDSKBSENT */
    {IOCTL, {0, 0x4b4b}, ANY, NO(EPERM_)},     /* KDSKBDIACR */
    {IOCTL, {0, 0x4bfb}, ANY, NO(EPERM_)},     /* KDSKBDIACRUC */
    {IOCTL, {0, 0x4b4d}, ANY, NO(EPERM_)},     /* KDSETKEYCODE */
    {IOCTL, {0, 0xc0506617}, ANY, NO(EPERM_)}, /* FS_IOC_ADD_ENCRYPTION_KEY */
    {IOCTL, {0, 0xc0406618}, ANY, NO(EPERM_)}, /* FS_IOC_REMOVE_ENCRYPTION_KEY */
    {IOCTL, {0, 0xc0406619}, ANY, NO(EPERM_)}, /* FS_IOC_REMOVE_ENCRYPTION_KEY_ALL_USERS */
    {SOCKET, {2, 1, 6}, ANY, ALLOW},           /* TCP */
    {SOCKET, {2, 2, 17}, ANY, ALLOW},          /* UDP */
    {SOCKET, {2, 2, 1}, ANY, ALLOW},           /* ping without rights */
    {SOCKET, {10, 0x80801, 0}, ANY, ALLOW},    /* with SOCK_CLOEXEC | SOCK_NONBLOCK */
    {SOCKET, {HIGH | 2, HIGH | 1, 0}, ANY, ALLOW},
    {SOCKET, {2, 3, 1}, ANY, NO(EPERM_)}, /* raw */
    {SOCKET, {10, 3, 58}, ANY, NO(EPERM_)},
    {SOCKET, {2, 0x80803, 255}, ANY, NO(EPERM_)},
    {SOCKET, {2, 10, 0x300}, ANY, NO(EPERM_)}, /* SOCK_PACKET: AF_PACKET in disguise */
    {SOCKET, {1, 1, 0}, OFF, NO(EACCES_)},
    {SOCKET, {1, 2, 0}, OFF, NO(EACCES_)},
    {SOCKET, {HIGH | 1, 5, 0}, OFF, NO(EACCES_)},
    {SOCKET, {1, 1, 0}, ON, ALLOW},
    {SOCKET, {1, 0x80801, 0}, ON, ALLOW},
    {SOCKET, {1, 5, 0}, ON, ALLOW},
    {SOCKET, {1, 2, 0}, ON, NO(EACCES_)},
    {SOCKET, {1, 3, 0}, ON, NO(EACCES_)},
    {SOCKET, {1, 0x80002, 0}, ON, NO(EACCES_)},
    {SOCKET, {16, 3, 0}, ANY, ALLOW}, /* NETLINK_ROUTE */
    {SOCKET, {16, 2, HIGH}, ANY, ALLOW},
    {SOCKET, {16, 3, 9}, ANY, NO(EACCES_)},       /* NETLINK_AUDIT */
    {SOCKET, {16, 3, 15}, ANY, NO(EACCES_)},      /* NETLINK_KOBJECT_UEVENT */
    {SOCKET, {16, 3, 16}, ANY, NO(EACCES_)},      /* NETLINK_GENERIC */
    {SOCKET, {17, 3, 0}, ANY, NO(EAFNOSUPPORT_)}, /* AF_PACKET */
    {SOCKET, {40, 1, 0}, ANY, NO(EAFNOSUPPORT_)}, /* AF_VSOCK */
    {SOCKET, {38, 5, 0}, ANY, NO(EAFNOSUPPORT_)}, /* AF_ALG */
    {SOCKET, {15, 3, 2}, ANY, NO(EAFNOSUPPORT_)}, /* AF_KEY */
    {SOCKET, {31, 3, 1}, ANY, NO(EAFNOSUPPORT_)}, /* AF_BLUETOOTH */
    {SOCKET, {44, 3, 0}, ANY, NO(EAFNOSUPPORT_)}, /* AF_XDP */
    {SOCKET, {30, 1, 0}, ANY, NO(EAFNOSUPPORT_)}, /* AF_TIPC */
    {SOCKET, {0, 1, 0}, ANY, NO(EAFNOSUPPORT_)},
    {SOCKET, {0x10002, 1, 0}, ANY, NO(EAFNOSUPPORT_)},
    {SOCKET, {0xffffffff, 1, 0}, ANY, NO(EAFNOSUPPORT_)},
    {SOCKETPAIR, {1, 1, 0}, ANY, ALLOW},
    {SOCKETPAIR, {1, 0x80801, 0}, ANY, ALLOW},
    {SOCKETPAIR, {HIGH | 1, HIGH | 5, 0}, ANY, ALLOW},
    {SOCKETPAIR, {1, 2, 0}, ANY, NO(EACCES_)},
    {SOCKETPAIR, {1, 3, 0}, ANY, NO(EACCES_)}, /* SOCK_RAW is a datagram socket here */
    {SOCKETPAIR, {1, 0x80802, 0}, ANY, NO(EACCES_)},
    {SOCKETPAIR, {1, 0, 0}, ANY, NO(EACCES_)},
    {SOCKETPAIR, {2, 1, 0}, ANY, NO(EAFNOSUPPORT_)},
    {SOCKETPAIR, {30, 2, 0}, ANY, NO(EAFNOSUPPORT_)},
    {CHMOD, {0, 0755}, TRACE_OFF, ALLOW},
    {CHMOD, {0, 0755}, TRACE_ON, ASK},
    {CHMOD, {0, 02755}, TRACE_OFF, ALLOW}, /* directories are given their group so */
    {CHMOD, {0, 02755}, TRACE_ON, ASK},
    {CHMOD, {0, 01777}, TRACE_OFF, ALLOW},
    {CHMOD, {0, 01777}, TRACE_ON, ASK},
    {CHMOD, {0, 04755}, ANY, NO(EPERM_)},
    {CHMOD, {0, HIGH | 06755}, ANY, NO(EPERM_)},
    {CHMOD, {04000, 0644}, TRACE_OFF, ALLOW},
    {CHMOD, {04000, 0644}, TRACE_ON, ASK},
    {FCHMOD, {3, 0644}, ANY, ALLOW},
    {FCHMOD, {3, 04000}, ANY, NO(EPERM_)},
    {FCHMODAT, {3, 04000, 0644}, TRACE_OFF, ALLOW},
    {FCHMODAT, {3, 04000, 0644}, TRACE_ON, ASK},
    {FCHMODAT, {3, 0, 04755}, ANY, NO(EPERM_)},
    {FCHMODAT2, {3, 0, 0755, 04000}, TRACE_OFF, ALLOW},
    {FCHMODAT2, {3, 0, 0755, 04000}, TRACE_ON, ASK},
    {FCHMODAT2, {3, 0, 04755}, ANY, NO(EPERM_)},
    {MKNOD, {0, 0010644}, TRACE_OFF, ALLOW}, /* a FIFO */
    {MKNOD, {0, 0010644}, TRACE_ON, ASK},
    {MKNOD, {0, 0104755}, ANY, NO(EPERM_)},
    {MKNODAT, {3, 04000, 0100644}, TRACE_OFF, ALLOW},
    {MKNODAT, {3, 04000, 0100644}, TRACE_ON, ASK},
    {MKNODAT, {3, 0, 0104755}, ANY, NO(EPERM_)},
    {CREAT, {0, 0644}, TRACE_OFF, ALLOW},
    {CREAT, {0, 0644}, TRACE_ON, ASK},
    {CREAT, {0, 04644}, ANY, NO(EPERM_)},
    {OPEN, {0, 0, 04755}, TRACE_OFF, ALLOW}, /* nothing is made: the register holds anything */
    {OPEN, {0, 0, 04755}, READS_ON, ASK},
    {OPEN, {0, 0, 04755}, READS_OFF, ALLOW},
    {OPEN, {0, 0x41, 0644}, TRACE_OFF, ALLOW},
    {OPEN, {0, 0x41, 0644}, READS_ON, ASK},
    {OPEN, {0, 0x41, 0644}, READS_OFF, ASK},
    {OPEN, {0, 0x41, 04755}, ANY, NO(EPERM_)},
    {OPEN, {0, 0x410002, 04755}, ANY, NO(EPERM_)}, /* O_TMPFILE */
    {OPENAT, {3, 0, 0x80000, 04755}, TRACE_OFF, ALLOW},
    {OPENAT, {3, 0, 0x80000, 04755}, READS_ON, ASK},
    {OPENAT, {3, 0, 0x80000, 04755}, READS_OFF, ALLOW},
    {OPENAT, {3, 0, 0x80241, 0644}, TRACE_OFF, ALLOW},
    {OPENAT, {3, 0, 0x80241, 0644}, READS_ON, ASK},
    {OPENAT, {3, 0, 0x80241, 0644}, READS_OFF, ASK},
    {OPENAT, {3, 0, 0x80241, 04755}, ANY, NO(EPERM_)},
    {OPENAT, {3, 0, HIGH | 0x40, HIGH | 04000}, ANY, NO(EPERM_)},
    {OPENAT, {3, 0, 0x410002, 06755}, ANY, NO(EPERM_)},
    {OPENAT, {3, 0, 1, 0}, READS_OFF, ASK},       /* O_WRONLY */
    {OPENAT, {3, 0, 0x80002, 0}, READS_OFF, ASK}, /* O_RDWR | O_CLOEXEC */
    {OPENAT, {3, 0, 0x200, 0}, READS_OFF, ASK},   /* O_TRUNC truncates, also read-only */
    {OPENAT, {3, 0, HIGH | 0x40, 0644}, READS_OFF, ASK},
    {OPENAT, {3, 0, 0x410002, 0600}, READS_OFF, ASK}, /* O_TMPFILE */
    {OPENAT, {3, 0, 0xb8800, 0}, READS_OFF, ALLOW},   /* O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC, O_NONBLOCK */
    {OPENAT, {3, 0, HIGH, 04000}, READS_OFF, ALLOW},
    {OPEN, {0, 1, 0}, READS_OFF, ASK},
    {OPEN, {1, 0x200000, 0}, READS_OFF, ALLOW}, /* O_PATH */
    {SECCOMP_CALL, {1, 0}, ANY, ALLOW},
    {SECCOMP_CALL, {1, 8}, NO_LISTENER, ALLOW},
    {SECCOMP_CALL, {1, 8}, LISTENER, NO(EBUSY_)},
    {SECCOMP_CALL, {1, HIGH | 0x2a}, LISTENER, NO(EBUSY_)},
    {SECCOMP_CALL, {8, 0x7}, ANY, ALLOW},
    {UTIMENSAT, {3, 0}, ANY, ALLOW}, /* of the descriptor: futimens */
    {UTIMENSAT, {3, 0x7f0000001000}, TRACE_OFF, ALLOW},
    {UTIMENSAT, {3, 0x7f0000001000}, TRACE_ON, ASK},
    {UTIMENSAT, {3, 0x7f0000000000}, TRACE_ON, ASK}, /* only the high half */
    {UTIMENSAT, {3, 0x1000}, TRACE_ON, ASK},         /* only the low half */
    {FUTIMESAT, {3, 0}, ANY, ALLOW},
    {FUTIMESAT, {3, 0x7f0000000000}, TRACE_ON, ASK},
};

static uint32_t filter_answer(const struct bpf_program *filter, const struct bpf_syscall *input)
{
    uint32_t result = 0;
    assert_int_equal(bpf_run(filter, input, &result, NULL), CORDON_OK);
    return result;
}

static void assert_answer(const struct seccomp_options *options, const struct bpf_program *filter,
                          const struct bpf_syscall *input, uint32_t expected)
{
    uint32_t reference = seccomp_reference(options, input), filtered = filter_answer(filter, input);
    if (reference != expected || filtered != expected)
        fail_msg("number %u (0x%llx, 0x%llx, 0x%llx), arch %d, notify %d, trace %d%d: expected 0x%x, "
                 "reference 0x%x, filter 0x%x",
                 input->nr, (unsigned long long)input->args[0], (unsigned long long)input->args[1],
                 (unsigned long long)input->args[2], (int)options->arch, options->notify, options->trace,
                 options->trace_reads, expected, reference, filtered);
}

static struct bpf_program generate(const struct seccomp_options *options)
{
    struct bpf_program filter = {0};
    struct cordon_error err;
    assert_int_equal(seccomp_generate(options, &filter, &err), CORDON_OK);
    return filter;
}

static bool is_conditional(const struct seccomp_options *options, uint32_t number)
{
    for (size_t i = 0; i < COUNT(conditional); i++) {
        bool decides = i < SECCOMP_CALL || options->trace || (i == SECCOMP_CALL && options->notify);
        int entry = conditional[i][options->arch];
        if (decides && entry >= 0 && (uint32_t)entry == number)
            return true;
    }
    return false;
}

static uint32_t expected_fixed(const struct seccomp_options *options, uint32_t number)
{
    enum seccomp_arch arch = options->arch;
    if (number == 0xffffffff)
        return ALLOW;
    if (number > 469 || (number >= 295 && number <= 423 && arch == SECCOMP_ARCH_AARCH64) ||
        (number >= 244 && number <= 259 && arch == SECCOMP_ARCH_AARCH64) ||
        (number >= 337 && number <= 423 && arch == SECCOMP_ARCH_X86_64))
        return NO(ENOSYS_);
    for (size_t i = 0; i < COUNT(always); i++)
        if (always[i].number[arch] >= 0 && (uint32_t)always[i].number[arch] == number)
            return NO(always[i].error);
    const bool asks[] = {options->notify, options->trace, options->trace && options->trace_reads};
    for (size_t i = 0; i < COUNT(asked); i++)
        if (asked[i].number[arch] >= 0 && (uint32_t)asked[i].number[arch] == number && asks[asked[i].who])
            return ASK;
    return ALLOW;
}

static void test_every_number_by_hand(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(option_sets); s++) {
        struct bpf_program filter = generate(&option_sets[s]);
        for (uint32_t number = 0; number <= 1024; number++) {
            uint32_t forms[] = {number, X32_BIT | number, 0u - number, 0x80000000u | number};
            for (size_t f = 0; f < COUNT(forms); f++) {
                struct bpf_syscall input = {forms[f], native(&option_sets[s]), 0, {0}};
                if (!is_conditional(&option_sets[s], forms[f]))
                    assert_answer(&option_sets[s], &filter, &input,
                                  expected_fixed(&option_sets[s], forms[f]));
            }
        }
        bpf_program_release(&filter);
    }
}

static void test_every_case_by_hand(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(option_sets); s++) {
        struct bpf_program filter = generate(&option_sets[s]);
        for (size_t i = 0; i < COUNT(cases); i++) {
            struct bpf_syscall input = {
                (uint32_t)conditional[cases[i].call][option_sets[s].arch],
                native(&option_sets[s]),
                0x7f0000001000,
                {cases[i].args[0], cases[i].args[1], cases[i].args[2], cases[i].args[3], 0, 0}};
            if (conditional[cases[i].call][option_sets[s].arch] >= 0 &&
                applies(&option_sets[s], cases[i].when))
                assert_answer(&option_sets[s], &filter, &input, cases[i].answer);
        }
        bpf_program_release(&filter);
    }
}

/* ---- the filter against the reference */

static const uint32_t foreign[] = {
    0x40000003 /* i386 */, 0x40000028 /* arm */, 0, 0xffffffff, 0x4000003e, 0xc000003f, 0xc00000b6};

/* Every value that some rule compares with, and values of every shape. */
static size_t interesting(uint32_t out[512])
{
    static const uint32_t plain[] = {0,          1,          2,          3,          4,         5,
                                     8,          9,          10,         13,         15,        16,
                                     17,         38,         40,         44,         0x80801,   0x80802,
                                     0x80803,    0x80805,    0x8080a,    0x10,       0x11,      0x5400,
                                     0x54120000, 0x00020000, 0x7e020000, 0x7e020080, 0x80,      0x1011,
                                     0x81fdff7f, 0x81fdffff, 0x00660000, 0xff99ffff, 0xffff,    0x1ff,
                                     0xfff0,     0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    size_t count = 0;
    for (size_t i = 0; i < COUNT(plain); i++)
        out[count++] = plain[i];
    for (unsigned bit = 0; bit < 32; bit++)
        out[count++] = 1u << bit;
    for (size_t i = 0; i < seccomp_request_count; i++)
        for (uint32_t off = 0; off < 3; off++)
            out[count++] = seccomp_requests[i].value - 1 + off;
    assert_true(count <= 512);
    return count;
}

struct difference {
    const struct seccomp_options *options;
    const struct bpf_program *filter;
    size_t compared;
};

static bool same(struct difference *d, uint32_t number, uint32_t arch, uint64_t a, uint64_t b, uint64_t c,
                 uint64_t rest)
{
    struct bpf_syscall input = {number, arch, rest, {a, b, c, rest, rest, rest}};
    d->compared++;
    return seccomp_reference(d->options, &input) == filter_answer(d->filter, &input);
}

/* The calls whose arguments decide: each value in each place, clean and with
 * junk above, then the whole cross of the socket arguments. */
static bool same_arguments(struct difference *d)
{
    uint32_t values[512];
    size_t count = interesting(values);
    uint32_t arch = native(d->options);
    for (size_t call = 0; call < COUNT(conditional); call++) {
        uint32_t number = (uint32_t)conditional[call][d->options->arch];
        for (size_t i = 0; i < count; i++) {
            uint64_t clean = values[i], junk = HIGH | clean, other = 0x5555555555555555;
            if (!same(d, number, arch, clean, 0, 0, 0) || !same(d, number, arch, junk, other, other, other) ||
                !same(d, number, arch, 0, clean, 0, 0) || !same(d, number, arch, other, junk, other, other) ||
                !same(d, number, arch, 0, 0, clean, 0) || !same(d, number, arch, other, other, junk, other) ||
                !same(d, number, arch, clean << 32, clean << 32, clean << 32, clean))
                return false;
        }
    }
    static const uint32_t creating[] = {0, 1, 0x40, 0x400000, 0x410042, 0x80000, 0x41, 0x800000},
                          modes[] = {0, 1, 0644, 04000, 06755, 02755, 010000};
    for (size_t call = CHMOD; call < CONDITIONAL_CALLS; call++)
        for (size_t f = 0; f < COUNT(creating); f++)
            for (size_t m = 0; m < COUNT(modes); m++) {
                uint32_t number = (uint32_t)conditional[call][d->options->arch];
                if (!same(d, number, arch, 3, modes[m], 0, 0) ||
                    !same(d, number, arch, 3, creating[f], modes[m], 0) ||
                    !same(d, number, arch, 3, 0, creating[f], modes[m]) ||
                    !same(d, number, arch, 3, HIGH | modes[m], HIGH | creating[f], HIGH | modes[m]))
                    return false;
            }
    for (size_t call = SOCKET; call <= SOCKETPAIR; call++) {
        uint32_t number = (uint32_t)conditional[call][d->options->arch];
        for (uint32_t domain = 0; domain < 48; domain++)
            for (uint32_t type = 0; type < 34; type++)
                for (uint32_t protocol = 0; protocol < 3; protocol++)
                    if (!same(d, number, arch, domain, type, protocol, 0) ||
                        !same(d, number, arch, HIGH | domain, HIGH | 0x80800 | type, HIGH | protocol, HIGH))
                        return false;
    }
    return true;
}

static bool same_numbers(struct difference *d, uint32_t arch, uint64_t argument)
{
    for (uint32_t number = 0; number < 1024; number++)
        if (!same(d, number, arch, argument, argument, argument, argument) ||
            !same(d, X32_BIT | number, arch, argument, argument, argument, argument))
            return false;
    static const uint32_t edges[] = {0x3fffffff, 0x40000400, 0x7fffffff, 0x80000000, 0xbfffffff,
                                     0xc0000000, 0xfffffffe, 0xffffffff, 0x10000,    0x10010};
    for (size_t i = 0; i < COUNT(edges); i++)
        if (!same(d, edges[i], arch, argument, argument, argument, argument))
            return false;
    return true;
}

static void test_filter_equals_reference(void **state)
{
    (void)state;
    uint32_t values[512];
    size_t count = interesting(values);
    for (size_t s = 0; s < COUNT(option_sets); s++) {
        struct bpf_program filter = generate(&option_sets[s]);
        struct difference d = {&option_sets[s], &filter, 0};
        bool equal = same_arguments(&d);
        for (size_t i = 0; equal && i < count; i += 3)
            equal = same_numbers(&d, native(&option_sets[s]), i % 2 ? HIGH | values[i] : values[i]);
        for (size_t i = 0; equal && i < COUNT(foreign); i++)
            equal = same_numbers(&d, foreign[i], 2) && same_numbers(&d, foreign[i], 0x5412);
        equal = equal && same_numbers(&d, native(&option_sets[s]) == X86_64 ? AARCH64 : X86_64, 2);
        assert_true(equal);
        assert_true(d.compared > 100000);
        bpf_program_release(&filter);
    }
}

static void test_foreign_architectures(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(option_sets); s++) {
        struct bpf_program filter = generate(&option_sets[s]);
        for (size_t i = 0; i < COUNT(foreign); i++)
            for (uint32_t number = 0; number < 1024; number++) {
                struct bpf_syscall input = {number, foreign[i], 0, {2, 1, 0, 0, 0, 0}};
                assert_answer(&option_sets[s], &filter, &input, NO(ENOSYS_));
            }
        bpf_program_release(&filter);
    }
}

/* A mistake in the generator must not survive the comparison: every jump a
 * little too far or too short and every constant off by one is noticed. */
static void test_mistakes_are_noticed(void **state)
{
    (void)state;
    const uint64_t refused_by_all = 0xc0506617; /* as flags, as a request, as a domain */
    const uint64_t wants_listener = 0x8;
    const uint64_t makes_setuid = 0x00400840; /* as flags and as a mode */
    for (size_t s = 0; s < COUNT(option_sets); s++) {
        if (option_sets[s].trace && !option_sets[s].notify)
            continue; /* a part of what the next sets have */
        struct bpf_program filter = generate(&option_sets[s]);
        for (size_t i = 0; i < filter.count; i++) {
            struct bpf_insn right = filter.insns[i], wrong[6];
            size_t count = 0;
            if (right.code == BPF_CODE_LOAD || right.code == BPF_CODE_RETURN) {
                wrong[count++] = (struct bpf_insn){right.code, 0, 0, right.k + 4};
            } else if (right.code == BPF_CODE_AND) {
                wrong[count++] = (struct bpf_insn){right.code, 0, 0, right.k >> 1};
            } else {
                wrong[count++] = (struct bpf_insn){right.code, (uint8_t)(right.jt + 1), right.jf, right.k};
                wrong[count++] = (struct bpf_insn){right.code, right.jt, (uint8_t)(right.jf + 1), right.k};
                wrong[count++] = (struct bpf_insn){right.code, right.jt, right.jf, right.k + 1};
                wrong[count++] = (struct bpf_insn){right.code, right.jf, right.jt, right.k};
                if (right.jt > 0)
                    wrong[count++] =
                        (struct bpf_insn){right.code, (uint8_t)(right.jt - 1), right.jf, right.k};
                if (right.jf > 0)
                    wrong[count++] =
                        (struct bpf_insn){right.code, right.jt, (uint8_t)(right.jf - 1), right.k};
            }
            for (size_t w = 0; w < count; w++) {
                struct difference d = {&option_sets[s], &filter, 0};
                struct bpf_syscall input = {0};
                uint32_t result;
                filter.insns[i] = wrong[w];
                bool refused = bpf_run(&filter, &input, &result, NULL) != CORDON_OK;
                if (!refused && same_numbers(&d, native(&option_sets[s]), refused_by_all) &&
                    same_numbers(&d, native(&option_sets[s]), 2) &&
                    same_numbers(&d, native(&option_sets[s]), 0) &&
                    same_numbers(&d, native(&option_sets[s]), wants_listener) &&
                    same_numbers(&d, native(&option_sets[s]), makes_setuid) && same_arguments(&d) &&
                    same_numbers(&d, foreign[0], 0))
                    fail_msg("options %zu, instruction %zu: (0x%x, %u, %u, 0x%x) as (0x%x, %u, %u, 0x%x) "
                             "goes unnoticed",
                             s, i, right.code, right.jt, right.jf, right.k, wrong[w].code, wrong[w].jt,
                             wrong[w].jf, wrong[w].k);
            }
            filter.insns[i] = right;
        }
        bpf_program_release(&filter);
    }
}

/* ---- allowed calls stay free */

/* What the kernel's seccomp_is_const_allow follows when a filter is installed. */
static bool is_cached(const struct bpf_program *filter, uint32_t number, uint32_t arch)
{
    uint32_t a = 0;
    for (size_t i = 0; i < filter->count; i++) {
        const struct bpf_insn *insn = &filter->insns[i];
        bool taken = false;
        switch (insn->code) {
        case BPF_CODE_LOAD:
            if (insn->k > 4)
                return false;
            a = insn->k == 0 ? number : arch;
            continue;
        case BPF_CODE_AND:
            a &= insn->k;
            continue;
        case BPF_CODE_RETURN:
            return insn->k == ALLOW;
        case BPF_CODE_GOTO:
            i += insn->k;
            continue;
        case BPF_CODE_IF_EQUAL:
            taken = a == insn->k;
            break;
        case BPF_CODE_IF_AT_LEAST:
            taken = a >= insn->k;
            break;
        case BPF_CODE_IF_GREATER:
            taken = a > insn->k;
            break;
        case BPF_CODE_IF_ANY_BIT:
            taken = (a & insn->k) != 0;
            break;
        default:
            return false;
        }
        i += taken ? insn->jt : insn->jf;
    }
    return false;
}

static void test_allowed_numbers_are_cached(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(option_sets); s++) {
        struct bpf_program filter = generate(&option_sets[s]);
        for (uint32_t number = 0; number < 512; number++) {
            bool allowed =
                !is_conditional(&option_sets[s], number) && expected_fixed(&option_sets[s], number) == ALLOW;
            if (is_cached(&filter, number, native(&option_sets[s])) != allowed)
                fail_msg("options %zu: number %u is%s cached", s, number, allowed ? " not" : "");
        }
        bpf_program_release(&filter);
    }
}

/* ---- for `cordon plan` */

static bool has_line(const struct buf *text, const char *line)
{
    const char *at = strstr(text->data, line);
    return at && (at == text->data || at[-1] == '\n');
}

static void test_describe(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    seccomp_describe(&option_sets[0], &text);
    assert_false(buf_failed(&text));
    assert_true(has_line(&text, "mount: always: EPERM: "));
    assert_true(has_line(&text, "clone: with a namespace flag: EPERM: "));
    assert_true(has_line(&text, "io_uring_setup: always: ENOSYS: "));
    assert_true(has_line(&text, "ioctl: TIOCSTI (0x5412): EPERM: "));
    assert_true(has_line(&text, "socket: AF_UNIX: EACCES: "));
    assert_true(has_line(&text, "chmod: with the set-user-ID bit: EPERM: "));
    assert_true(has_line(&text, "openat: making a file with the set-user-ID bit: EPERM: "));
    assert_true(has_line(&text, "socketpair: any other domain: EAFNOSUPPORT: "));
    assert_true(has_line(&text, "iopl: "));
    assert_false(has_line(&text, "connect: "));
    assert_false(has_line(&text, "seccomp: "));
    assert_false(has_line(&text, "mkdirat: "));
    assert_int_equal(text.data[text.len - 1], '\n');
    buf_release(&text);

    seccomp_describe(&option_sets[7], &text);
    assert_true(has_line(&text, "socket: AF_UNIX but SOCK_STREAM and SOCK_SEQPACKET: EACCES: "));
    assert_true(has_line(&text, "socket: AF_NETLINK but NETLINK_ROUTE: EACCES: "));
    assert_true(has_line(&text, "connect: always: asks cordon: "));
    assert_true(has_line(&text, "seccomp: with a listener: EBUSY: "));
    assert_false(has_line(&text, "mkdirat: "));
    assert_false(has_line(&text, "iopl: "));
    buf_release(&text);

    seccomp_describe(&option_sets[2], &text);
    assert_true(has_line(&text, "openat: making a file with the set-user-ID bit: EPERM: "));
    assert_true(has_line(&text, "openat: for writing: asks cordon, which carries it on"));
    assert_true(has_line(&text, "mkdirat: always: asks cordon, "));
    assert_true(has_line(&text, "utimensat: by name: asks cordon, "));
    assert_true(has_line(&text, "seccomp: with a listener: EBUSY: "));
    assert_false(has_line(&text, "connect: "));
    assert_false(has_line(&text, "execve: "));
    buf_release(&text);

    seccomp_describe(&option_sets[4], &text);
    assert_true(has_line(&text, "openat: always: asks cordon, "));
    assert_true(has_line(&text, "execve: always: asks cordon, "));
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_number_by_hand),
        cmocka_unit_test(test_every_case_by_hand),
        cmocka_unit_test(test_foreign_architectures),
        cmocka_unit_test(test_filter_equals_reference),
        cmocka_unit_test(test_allowed_numbers_are_cached),
        cmocka_unit_test(test_mistakes_are_noticed),
        cmocka_unit_test(test_describe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
