/* The seccomp filter as data: hand-written answers for every listed call, and the
 * property that keeps allowed calls free. test_seccomp_equal.c compares it with
 * the reference; what the kernel then does is test_seccomp_kernel.c and
 * test_seccomp_asked.c. */
#include "seccomp_cases.h"

#include <string.h>

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
        cmocka_unit_test(test_allowed_numbers_are_cached),
        cmocka_unit_test(test_describe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
