#!/usr/bin/env bash
# apparmor.sh CORDON CORDON-SETUP HARD-HOST LIBEXECDIR - `cordon setup` from end to end, on a make-believe Ubuntu.
#
# In a mount namespace of its own: the setting that says that AppArmor restricts
# user namespaces, a filter that refuses what AppArmor would, cordon installed as
# root, and a parser that writes down what it was asked and then, like the
# profile, lets everything work. Only root can make that; others have no rows here.
set -u
if [ "$(id -u)" -ne 0 ]; then
    echo "apparmor: 0 rows: they need root"
    exit 0
fi
if [ "${1:-}" != --inside ]; then
    . "$(dirname "$0")/../support/skip.sh"
    unshare --mount --propagation private true 2>/dev/null || skip "root may make no mount namespace here"
    exec unshare --mount --propagation private "$0" --inside "$@"
fi
shift
cordon=$(realpath "$1") setup=$(realpath "$2") hard=$(realpath "$3") libexec=$4

failed=0 rows=0
row() { # WANTED-STATUS WANTED-LINE COMMAND...
    local wanted=$1 line=$2 status
    shift 2
    rows=$((rows + 1))
    "$@" >/etc/out 2>&1
    status=$?
    if [ $status -ne "$wanted" ] || { [ -n "$line" ] && ! grep -qF -- "$line" /etc/out; }; then
        failed=$((failed + 1))
        printf 'FAIL: %s: status %s, wanted %s and: %s\n' "$*" $status "$wanted" "$line"
        sed 's/^/    /' /etc/out
    fi
}
must() {
    "$@" && return
    echo "apparmor: cannot prepare: $*"
    exit 1
}

# What will be needed after the directories are covered.
stage=/mnt
must mount -t tmpfs -o mode=755 none $stage
must cp "$cordon" "$stage/cordon"
must cp "$setup" "$stage/cordon-setup"
must cp "$hard" "$stage/hard-host"
sysctls=$stage/kernel
mkdir "$sysctls" && cp -r /proc/sys/kernel/* "$sysctls" 2>/dev/null
echo 1 >"$sysctls/apparmor_restrict_unprivileged_userns"
for directory in /etc /usr/local /usr/sbin /sys/kernel/security; do # the real ones stay as they are
    must mount -t tmpfs -o mode=755 none "$directory"
done
must mount --bind "$sysctls" /proc/sys/kernel
must mkdir -p /usr/local/bin "$libexec" /etc/apparmor.d/abi /sys/kernel/security/apparmor
must cp "$stage/cordon" /usr/local/bin/cordon
must cp "$stage/cordon-setup" "$libexec/cordon-setup"
must cp "$stage/cordon-setup" "$libexec/cordon-warden" # only its name and owner count
: >/etc/apparmor.d/abi/4.0
cat >/usr/sbin/apparmor_parser <<'PARSER'
#!/bin/sh
echo "$*" >>/etc/log
cat >>/etc/log
loaded=/sys/kernel/security/apparmor/profiles
case $1 in
--replace) sed -n 's/^profile \([^ ]*\) .*/\1 (unconfined)/p' "$2" >$loaded ;;
--remove) : >$loaded ;;
esac
PARSER
must chmod 755 /usr/sbin/apparmor_parser
export PATH=/usr/bin:/bin HOME=/root
unset XDG_STATE_HOME XDG_CONFIG_HOME DISPLAY WAYLAND_DISPLAY TMPDIR
cd / || exit 1
restricted() { "$stage/hard-host" mount_setattr=EACCES open_tree=EACCES -- "$@"; }
installed=/usr/local/bin/cordon

row 1 'remedy: cordon setup' restricted $installed setup --status
row 1 'cause: AppArmor restricts user namespaces' restricted $installed setup --status
row 1 '(write): cordon setup' restricted $installed doctor
row 0 'write /etc/apparmor.d/cordon (mode 0644):' restricted $installed setup --dry-run
row 0 'run /usr/sbin/apparmor_parser --replace /etc/apparmor.d/cordon' restricted $installed setup --dry-run
row 1 '' test -e /etc/apparmor.d/cordon
# It applies, looks again, and says that this did not help: the filter is still there.
row 1 'remedy: cordon setup' restricted $installed setup
row 0 "profile cordon \"$installed\" flags=(unconfined) {" cat /etc/apparmor.d/cordon
row 0 "profile cordon-warden \"$libexec/cordon-warden\" flags=(unconfined) {" cat /etc/apparmor.d/cordon
row 0 '--replace /etc/apparmor.d/cordon' cat /etc/log
# Where it works now, it is known to be in place.
row 0 'the AppArmor profile /etc/apparmor.d/cordon is in place' $installed setup
row 0 'cordon-setup: in place' "$libexec/cordon-setup" --status $installed "$libexec/cordon-warden"
row 1 'cordon-setup: not in place' "$libexec/cordon-setup" --status $installed
row 0 'nothing of it is left' $installed setup --undo
row 1 '' test -e /etc/apparmor.d/cordon
row 0 'nothing was set up' $installed setup --undo

# What is not root's gets nothing, and is not run as root.
must chown 61235 /usr/local/bin/cordon
row 125 '/usr/local/bin/cordon belongs to uid 61235' restricted $installed setup
must chown 0 /usr/local/bin/cordon
must chmod 777 "$libexec"
row 125 "$libexec can be written by others" restricted $installed setup
must chmod 755 "$libexec"
must mv "$libexec/cordon-setup" "$libexec/gone"
row 125 'setup is for a cordon that root has installed' restricted $installed setup
must mv "$libexec/gone" "$libexec/cordon-setup"
must chown 61235 "$stage/cordon"
row 125 "$stage/cordon belongs to uid 61235" restricted "$stage/cordon" setup --dry-run
row 1 '' test -e /etc/apparmor.d/cordon

# Not root, no terminal, no desktop: the one command is printed, and nothing done.
row 1 "$libexec/cordon-setup $installed $libexec/cordon-warden" restricted \
    setpriv --reuid=61235 --regid=61235 --clear-groups $installed setup
row 125 'must be run as root' setpriv --reuid=61235 --regid=61235 --clear-groups \
    "$libexec/cordon-setup" $installed
# A path that a shell would cut is printed so that it would not.
must mkdir -p "/usr/local/it's here/bin"
must cp $installed "/usr/local/it's here/bin/cordon"
row 1 "cordon-setup '/usr/local/it'\\''s here/bin/cordon'" restricted \
    setpriv --reuid=61235 --regid=61235 --clear-groups "/usr/local/it's here/bin/cordon" setup
row 0 "profile cordon \"/usr/local/it's here/bin/cordon\" flags" "$libexec/cordon-setup" --dry-run "/usr/local/it's here/bin/cordon"
row 125 'must be run as root' setpriv --ruid=61235 --regid=61235 --clear-groups \
    "$libexec/cordon-setup" --undo
row 1 '' test -e /etc/apparmor.d/cordon
# With a terminal sudo is asked, with a desktop pkexec: stand-ins that write down for what.
mkdir "$stage/upper" "$stage/work"
if mount -t overlay -o lowerdir=/usr/bin,upperdir="$stage/upper",workdir="$stage/work" none /usr/bin; then
    for by in sudo pkexec; do
        printf '#!/bin/sh\necho "%s for $*" >>/etc/asked\n' $by >/usr/bin/$by
        must chmod 755 /usr/bin/$by
    done
    : >/etc/asked
    must chmod 666 /etc/asked
    as_user=(setpriv --reuid=61235 --regid=61235 --clear-groups)
    row 1 "/usr/bin/sudo $libexec/cordon-setup $installed $libexec/cordon-warden" restricted \
        "${as_user[@]}" script -qec "$installed setup" /dev/null
    row 0 "sudo for $libexec/cordon-setup $installed $libexec/cordon-warden" cat /etc/asked
    row 1 'running as root:' restricted env DISPLAY=:0 "${as_user[@]}" $installed setup
    row 0 "pkexec for $libexec/cordon-setup $installed $libexec/cordon-warden" cat /etc/asked
    must umount --lazy /usr/bin
else
    echo "apparmor: no overlay here: the rows of sudo and pkexec were not run"
fi
row 1 '' test -e /etc/apparmor.d/cordon
# The caller's environment and descriptors are not the parser's.
cat >/usr/sbin/apparmor_parser <<'PARSER'
#!/bin/sh
env | grep -E 'LD_|EVIL' >/etc/leaked
ls /proc/self/fd | tr '\n' ' ' >>/etc/leaked
PARSER
row 0 '' env EVIL=1 LD_LIBRARY_PATH=/tmp "$libexec/cordon-setup" $installed 9</dev/null
row 0 '0 1 2 3 ' cat /etc/leaked

# A full disk: an error, and nothing half written.
must mount -t tmpfs -o size=8k,mode=755 none /etc/apparmor.d
mkdir -p /etc/apparmor.d/abi && : >/etc/apparmor.d/abi/4.0
dd if=/dev/zero of=/etc/apparmor.d/filler bs=4k 2>/dev/null
row 125 'No space left on device' "$libexec/cordon-setup" $installed
row 0 'abi filler' sh -c 'ls -A /etc/apparmor.d | tr "\n" " "'
must umount /etc/apparmor.d
# A caller that ignores SIGCHLD hides no failure.
printf '#!/bin/sh\nexit 4\n' >/usr/sbin/apparmor_parser
row 125 'failed (status 4)' env --ignore-signal=CHLD "$libexec/cordon-setup" $installed

printf 'apparmor: %d rows, %d failed\n' $rows $failed
[ $failed -eq 0 ]
