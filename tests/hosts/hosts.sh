#!/usr/bin/env bash
# hosts.sh CORDON HARD-HOST DIRECTORY - machines that refuse what cordon needs.
#
# On each, `cordon run` must fail closed at the right step and leave nothing, and
# `cordon doctor` must exit with 1 and name the primitive, the facet that lacks it,
# the cause and a remedy. As root it is done as root and again as an ordinary user.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
. "$here/../support/skip.sh"
unprivileged=61235

failed=0 hosts=0
complain() {
    failed=$((failed + 1))
    printf 'FAIL as uid %s: %s: %s\n' "$(id -u)" "$host" "$1"
    [ ! -s "$base/problems" ] || sed 's/^/    /' "$base/problems"
}

# What setup says when what a profile could bring is missing: the cause, and 1.
setup_status() { # PRIMITIVE CAUSE
    local wanted=0 status
    case $1 in user-namespace | network-namespace | open-tree | mount-setattr | move-mount | fresh-devpts) wanted=1 ;; esac
    "${on[@]}" cordon setup --status >"$base/problems" 2>&1
    status=$?
    [ $status -eq $wanted ] || complain "setup --status ended with $status, wanted $wanted"
    [ $wanted -eq 0 ] || grep -q "^cause: .*$2" "$base/problems" || complain "setup does not say: $2"
}

# Doctor and run on a host: `on` is what to put before a command.
examine() { # PRIMITIVE FACET STEP CAUSE [STEP-OF-RUN]
    local primitive=$1 facet=$2 step=$3 cause=$4 run_step=${5:-$3} wanted_doctor=1 wanted_run=125 status
    hosts=$((hosts + 1))
    : >"$base/problems"
    [ "$facet" != - ] || wanted_doctor=0
    [ "$step" != - ] || wanted_run=0
    "${on[@]}" cordon doctor --json >"$base/json" 2>"$base/problems"
    status=$?
    [ $status -eq $wanted_doctor ] || complain "doctor ended with $status, wanted $wanted_doctor"
    "$base/check.py" "$base/json" "$primitive" "$facet" "$step" "$cause" >"$base/problems" 2>&1 ||
        complain "doctor --json"
    "${on[@]}" cordon doctor >"$base/text" 2>"$base/problems"
    grep -q "$cause" "$base/text" || complain "doctor does not say: $cause"
    setup_status "$primitive" "$cause"
    [ "$step" != doctor.trial ] || return 0
    "${on[@]}" cordon run --json-errors -- sh -c ': >ran' >"$base/out" 2>"$base/problems"
    status=$?
    [ $status -eq $wanted_run ] || complain "run ended with $status, wanted $wanted_run"
    if [ "$step" = - ]; then
        [ -e ran ] || complain "run did not run"
        rm -f ran
    else
        grep -q "\"step\": *\"$run_step\"" "$base/problems" || complain "run's step is not $run_step"
    fi
    : >"$base/problems"
    ls -A . >"$base/problems"
    [ ! -s "$base/problems" ] || complain "run left this"
    ls -A "$base/tmp" "$base/home" >"$base/problems"
    ls -A "$base/state" "$base/state/cordon" 2>/dev/null | grep doctor >>"$base/problems"
    sed -i -e '/:$/d' -e '/^$/d' "$base/problems"
    [ ! -s "$base/problems" ] || complain "doctor left this"
}

refusing() { # CALL=ANSWER PRIMITIVE FACET STEP CAUSE [STEP-OF-RUN]
    host=$1
    on=(hard-host "$1" --)
    examine "${@:2}"
}

filter='a seccomp filter is in force'

lane() {
    base=$1
    export PATH="$base/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" HOME="$base/home" TMPDIR="$base/tmp" \
        XDG_STATE_HOME="$base/state" XDG_CONFIG_HOME="$base/config" LC_ALL=C
    unset DISPLAY WAYLAND_DISPLAY
    mkdir -p "$base/ws" "$base/home" "$base/tmp" "$base/state" "$base/config" && cd "$base/ws" || exit 1

    # The control: here everything works.
    host=plain
    cordon doctor >"$base/problems" 2>&1 || complain "doctor, on this machine as it is"
    cordon run -- true 2>"$base/problems" || complain "run, on this machine as it is"
    host=nothing-refused
    hard-host -- cordon doctor >"$base/problems" 2>&1 || complain "doctor, under a filter that refuses nothing"

    refusing clone3=EPERM user-namespace protect linux.userns.clone "$filter"
    refusing clone3=ENOSYS user-namespace network linux.userns.clone "$filter"
    refusing clone3=ENOSPC user-namespace tree-kill linux.userns.clone 'user namespaces'
    refusing clone3=kill user-namespace privileges doctor.trial 'was killed'
    refusing unshare=EPERM network-namespace network linux.network.namespace "$filter"
    refusing setns=EPERM network-namespace network linux.network.namespace "$filter"
    refusing open_tree=EPERM open-tree write linux.mount.dev "$filter"
    refusing open_tree=kill open-tree tmp linux.launch 'was killed'
    refusing mount_setattr=ENOSYS mount-setattr protect linux.mount.seal "$filter"
    refusing mount_setattr=EPERM mount-setattr deny-read linux.mount.seal "$filter"
    refusing move_mount=EPERM move-mount tmp-view linux.mount.dev "$filter"
    refusing fsopen=EPERM fresh-devpts devices linux.mount.devpts "$filter"
    refusing landlock_create_ruleset=ENOSYS landlock write facet.unavailable "$filter"
    refusing landlock_create_ruleset=EOPNOTSUPP landlock write facet.unavailable 'not switched on'
    refusing landlock_restrict_self=EPERM landlock write linux.landlock.restrict "$filter"
    refusing seccomp=EINVAL seccomp terminal linux.seccomp "$filter"
    refusing seccomp-listener=EBUSY seccomp-notify unix-sockets linux.seccomp.nested 'already watches'
    refusing seccomp-listener=EINVAL seccomp-notify unix-sockets linux.seccomp "$filter"
    refusing pidfd_getfd=EPERM pidfd-getfd - - "$filter"
    refusing close_range=ENOSYS close-range privileges linux.descriptors "$filter"
    refusing openat2=ENOSYS openat2 write doctor.scratch "$filter" state.open

    # No user namespace more below this one.
    host=max_user_namespaces=0
    on=(unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh)
    examine user-namespace protect linux.userns.clone 'user.max_user_namespaces is 0'

    # cordon inside cordon.
    host=nested
    on=(cordon run --)
    examine user-namespace protect doctor.scratch "$filter" linux.userns.clone

    # As in containers: parts of /proc are covered. Runs all the same.
    host=covered-proc
    on=(unshare --user --map-root-user --mount sh -c 'mount -t tmpfs none /proc/acpi 2>/dev/null ||
        mount -t tmpfs none /proc/bus && exec "$@"' sh)
    examine fresh-proc - - 'parts of this /proc are covered'

    printf '%s: %d hard hosts as uid %s, %d complaints\n' hosts $hosts "$(id -u)" $failed
    [ $failed -eq 0 ] && [ $hosts -gt 0 ]
}

if [ "${1:-}" = --lane ]; then
    lane "$2"
    exit
fi

cordon=$(realpath "${1:?usage: hosts.sh CORDON HARD-HOST DIRECTORY}") && hard_host=$(realpath "${2:?}") || exit 1
directory=$(realpath "${3:?}") || exit 1
if [ "$(id -u)" -eq 0 ]; then
    directory=/var/lib # an ordinary user may be shut out of root's build directory
else
    case $directory/ in /tmp/* | /var/tmp/* | /dev/shm/*) directory=${HOME:-/tmp} ;; esac
    case $directory/ in /tmp/* | /var/tmp/* | /dev/shm/*) skip "no directory that is not temporary: HOME is $directory" ;; esac
fi
(cd / && "$cordon" doctor >/dev/null 2>&1) || skip "no sandbox can be made here: cordon doctor says why"
base=$(mktemp -d "$directory/cordon-hosts.XXXXXX") || exit 1
trap 'chmod -R u+rwX "$base" 2>/dev/null; rm -rf "$base"' EXIT
trap 'exit 1' INT TERM HUP
chmod 755 "$base" || exit 1
status=0
start() { # NAME PREFIX...
    local own=$base/$1
    mkdir -p "$own/bin" && cp "$cordon" "$own/bin/cordon" && cp "$hard_host" "$own/bin/hard-host" &&
        cp "$here/check.py" "$own/" && mkdir -p "$base/tests/hosts" "$base/tests/support" &&
        cp "$here/hosts.sh" "$base/tests/hosts/" && cp "$here/../support/skip.sh" "$base/tests/support/" || exit 1
    [ "$1" = own ] || chown $unprivileged:$unprivileged "$own"
    "${@:2}" "$base/tests/hosts/hosts.sh" --lane "$own" || status=1
}
start own
if [ "$(id -u)" -eq 0 ]; then
    start user setpriv --reuid=$unprivileged --regid=$unprivileged --clear-groups
fi
exit $status
