#!/usr/bin/env bash
# residue.sh CORDON - runs end in every way there is, SIGKILL of any part
# included, and each time nothing may be left: no process, mount, placeholder,
# temporary name, run directory or lock. As root the whole set runs a second
# time as an ordinary user.
#
# How it looks: every command line carries a word that is this test's alone, so
# a process that is left is found by it; the workspace and cordon's state are
# listed before and after.
set -u
. "$(dirname "$0")/../support/skip.sh"
cordon=$(realpath "${1:?usage: residue.sh CORDON}") || exit 1
script=$(realpath "$0")
unprivileged=61234

# As root: a world that an ordinary user can reach, for both lanes.
if [ "${2:-}" != lane ]; then
    if [ "$(id -u)" -eq 0 ]; then
        base=$(mktemp -d /var/lib/cordon-residue.XXXXXX) || exit 1
    else
        base=$(mktemp -d "${HOME:-/nonexistent}/cordon-residue.XXXXXX" 2>/dev/null) ||
            base=$(mktemp -d "$(dirname "$cordon")/residue.XXXXXX") || exit 1
    fi
    trap 'chmod -R u+rwX "$base" 2>/dev/null; rm -rf "$base"' EXIT
    case "$base/" in
    /tmp/* | /var/tmp/* | /dev/shm/*) skip "the home directory $HOME is temporary; cordon replaces it" ;;
    esac
    status=0
    mkdir "$base/lane" || exit 1
    "$script" "$cordon" lane "$base/lane" || status=1
    if [ "$(id -u)" -eq 0 ]; then
        # The ordinary user may not reach the build directory: copies of the program and of this script.
        mkdir "$base/user" "$base/tests" "$base/tests/residue" "$base/tests/support" &&
            cp "$cordon" "$base/cordon" && cp "$script" "$base/tests/residue/" &&
            cp "$(dirname "$script")/../support/skip.sh" "$base/tests/support/" &&
            chmod 755 "$base" && chown $unprivileged:$unprivileged "$base/user" || exit 1
        setpriv --reuid=$unprivileged --regid=$unprivileged --clear-groups --reset-env \
            env CORDON_MUST_WORK="${CORDON_MUST_WORK:-}" \
            "$base/tests/residue/residue.sh" "$base/cordon" lane "$base/user" || status=1
    fi
    exit $status
fi

dir=$(realpath "$3")
who="uid $(id -u)"
mark=86$$.$RANDOM # a duration for sleep, and a word that no other process has
export HOME=$dir/home XDG_STATE_HOME=$dir/state
unset XDG_CONFIG_HOME XDG_CACHE_HOME CORDON_SESSION
mkdir -p "$HOME" "$XDG_STATE_HOME" "$dir/ws" || exit 1
cd "$dir/ws" || exit 1
echo kept >file

cases=0
failures=0
# The shell's own remarks on killed jobs; shown when something fails.
exec 2>"$dir/remarks"
fail() {
    printf 'FAIL %s: %s: %s\n' "$who" "$name" "$1"
    failures=$((failures + 1))
}

# A shell builtin loop: no process of the listing's own can match.
left_processes() {
    local pid line found=
    for pid in /proc/[0-9]*; do
        line=
        { line=$(tr '\0' ' ' <"$pid/cmdline"); } 2>/dev/null
        case "$line" in
        *"$mark"*) found="$found ${pid#/proc/}(${line:0:80})" ;;
        esac
    done
    printf '%s' "$found"
}

# The kernel needs a moment to take a namespace down: up to five seconds.
wait_for_no_process() {
    local try
    for try in $(seq 50); do
        [ -n "$(left_processes)" ] || return 0
        sleep 0.1
    done
    return 1
}

# names of temporary files, run directories; records of placeholders
left_in_state() {
    find "$XDG_STATE_HOME" \( -name '.new-*' -o -name 'run-*' \) -print 2>/dev/null
    find "$XDG_STATE_HOME" -name registry -size +0 -print 2>/dev/null
}

check_nothing_left() {
    local now
    cases=$((cases + 1))
    wait_for_no_process || fail "processes are left:$(left_processes)"
    now=$(grep -F "$dir" /proc/self/mountinfo) && fail "mounts are left: $now"
    now=$(find . -mindepth 1 | LC_ALL=C sort | tr '\n' ' ')
    [ "$now" = "./file " ] || fail "the workspace holds: $now"
    now=$(left_in_state)
    [ -z "$now" ] || fail "cordon's state holds: $now"
    now=$(find /sys/fs/cgroup -maxdepth 6 -name 'cordon*' -type d 2>/dev/null)
    [ -z "$now" ] || fail "control groups are left: $now"
}

expect_status() {
    [ "$status" -eq "$1" ] || fail "exit status $status instead of $1: $(head -c 300 "$dir/log")"
}

run() {
    "$cordon" run "$@" >"$dir/log" 2>&1 </dev/null
    status=$?
}

# Starts in the background and waits until the command inside runs. A shell lets
# its background jobs ignore SIGINT, and what is ignored stays so in cordon.
start() {
    rm -f "$dir/ready"
    env --default-signal "$cordon" run --status-fd 3 "$@" 3>"$dir/ready" >"$dir/log" 2>&1 </dev/null &
    pid=$!
    local try
    for try in $(seq 100); do
        grep -qs started "$dir/ready" && return 0
        sleep 0.05
    done
    fail "does not start: $(head -c 300 "$dir/log")"
}

# Waits for $pid, but not for ever.
await() {
    local try
    for try in $(seq 100); do
        case "$(cut -d' ' -f3 "/proc/$pid/stat" 2>/dev/null)" in
        '' | Z) break ;;
        esac
        sleep 0.1
    done
    if [ "$try" -eq 100 ]; then
        fail "cordon still runs after ten seconds"
        kill -KILL "$pid" 2>/dev/null
    fi
    wait "$pid" 2>/dev/null
    status=$?
}

end() {
    kill "-$1" "$pid" 2>/dev/null
    await
}

# After SIGKILL empty placeholder directories may stay until the next start: then they must go.
collect() {
    run -- true
    expect_status 0
}

daemon="setsid sh -c 'sleep $mark & sleep $mark' & (trap '' TERM INT HUP; sleep $mark) & sleep $mark"

name="first run"
run -- true
expect_status 0
check_nothing_left

name="a command that fails"
run -- sh -c 'exit 7'
expect_status 7
check_nothing_left

name="a command that is not there"
run -- ./absent-program
expect_status 127
check_nothing_left

name="cordon's own failure after the options"
run -w "$dir/absent-root" -- true
expect_status 125
check_nothing_left

name="the command leaves daemons behind"
run -- sh -c "setsid sleep $mark >/dev/null 2>&1 & exit 3"
expect_status 3
check_nothing_left

name="a fresh /tmp"
run --tmp fresh -- sh -c 'echo x >/tmp/left && echo x >/dev/shm/left'
expect_status 0
check_nothing_left

name="wall limit"
run --limit wall=1s -- sh -c "$daemon"
expect_status 124
check_nothing_left

for signal in TERM INT HUP; do
    name="SIG$signal to cordon"
    start -- sleep "$mark"
    end $signal
    check_nothing_left
done

name="SIGKILL of the command"
start -- sh -c "setsid sleep $mark & kill -KILL \$\$"
await
expect_status 137
check_nothing_left

name="SIGKILL of cordon"
start -- sh -c "$daemon"
end KILL
wait_for_no_process || fail "processes are left:$(left_processes)"
collect
check_nothing_left

name="SIGKILL of cordon with a fresh /tmp"
start --tmp fresh -- sh -c "$daemon"
end KILL
wait_for_no_process || fail "processes are left:$(left_processes)"
collect
check_nothing_left

name="SIGKILL of the sandbox's init"
start -- sh -c "$daemon"
init=
for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    rest=${line##*) }
    # shellcheck disable=SC2086
    set -- $rest
    [ "$2" = "$pid" ] && init=${line%% *}
done
if [ -n "$init" ]; then
    kill -KILL "$init"
    await
    expect_status 137
else
    fail "no child of cordon found"
    end KILL
fi
check_nothing_left

name="two sandboxes, the first killed"
start -- sleep "$mark"
first=$pid
start -- sleep "$mark"
kill -KILL "$first"
wait "$first" 2>/dev/null
[ -d .codex ] || fail "the second sandbox lost its placeholder"
end TERM
check_nothing_left

name="SIGKILL of cordon at any moment of its start"
for step in $(seq 0 24); do
    "$cordon" run -- sleep "$mark" >"$dir/log" 2>&1 </dev/null &
    pid=$!
    sleep "0.0$(printf '%02d' "$step")"
    end KILL
done
wait_for_no_process || fail "processes are left:$(left_processes)"
collect
check_nothing_left

if [ $failures -eq 0 ]; then
    echo "residue: $cases endings as $who, nothing left"
else
    echo "residue: $failures failures in $cases endings as $who"
    grep -v Killed "$dir/remarks" | head -20
    exit 1
fi
