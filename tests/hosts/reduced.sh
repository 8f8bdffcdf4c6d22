#!/usr/bin/env bash
# reduced.sh CORDON HARD-HOST DIRECTORY - runs where no user namespace can be made.
#
# What --allow-degraded must name before anything runs, and what Landlock and
# seccomp then hold: each attack is first shown to work outside. As root it is
# done as root and again as an ordinary user.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
. "$here/../support/skip.sh"
unprivileged=61235

failed=0 rows=0
complain() {
    failed=$((failed + 1))
    printf 'FAIL as uid %s: %s\n' "$(id -u)" "$1"
    [ ! -s "$base/err" ] || sed 's/^/    /' "$base/err"
}

# Says no with this step and these words, and runs nothing.
refuses() { # STEP WORDS OPTION...
    rows=$((rows + 1))
    "${host[@]}" cordon run --json-errors "${@:3}" -- sh -c ': >ran' >/dev/null 2>"$base/err"
    local status=$?
    [ $status -eq 125 ] || complain "${*:3}: ended with $status, wanted 125"
    grep -qF "\"step\":\"$1\"" "$base/err" || complain "${*:3}: not at step $1"
    grep -qF -- "$2" "$base/err" || complain "${*:3}: does not say: $2"
    [ ! -e ran ] || complain "${*:3}: ran"
}

inside() { # OPTION... -- COMMAND...
    "${host[@]}" cordon run --allow-degraded "$accepted" "$@"
}

fresh() {
    chmod -R u+rwX "$base/out" 2>/dev/null
    rm -rf "$base/out"
    mkdir "$base/out" "$base/out/d" && echo old >"$base/out/file" && mkfifo "$base/out/fifo"
}
outside() { # what is there, and what is in it
    (cd "$base/out" && find . -printf '%P %y %s\n' | sort && cat file 2>/dev/null)
}
attack() { # WORDS COMMAND
    local clean
    rows=$((rows + 1))
    fresh
    clean=$(outside)
    (cd "$base/ws" && OUT=$base/out sh -c "$2") >/dev/null 2>"$base/err"
    [ "$(outside)" != "$clean" ] || complain "$1: has no effect outside either"
    rm -rf "$base/ws/"*
    fresh
    OUT=$base/out inside -- sh -c "$2" >/dev/null 2>"$base/err"
    [ "$(outside)" = "$clean" ] || complain "$1: was not held"
    rm -rf "$base/ws/"*
}
works() { # WANTED COMMAND [OPTION...]
    local got
    rows=$((rows + 1))
    got=$(OUT=$base/out inside "${@:3}" -- sh -c "$2" 2>"$base/err")
    [ "$got" = "$1" ] || complain "$2: printed: $got"
}
denied() { # PYTHON-EXPRESSION: raises OSError inside, and does not outside
    rows=$((rows + 1))
    python3 -c "import os,resource,socket; $1" >/dev/null 2>"$base/err" || complain "$1: does not work outside either"
    inside -- python3 -c "import os,resource,socket,sys
try: $1
except OSError: sys.exit(42)" >/dev/null 2>"$base/err"
    [ $? -eq 42 ] || complain "$1: was not refused"
}
gone() { # PID: soon
    for _ in $(seq 100); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}

lane() {
    base=$1
    export PATH="$base/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" HOME="$base/home" \
        XDG_STATE_HOME="$base/state" XDG_CONFIG_HOME="$base/config" LC_ALL=C
    mkdir -p "$base/ws" "$base/home" "$base/state" "$base/config" && cd "$base/ws" || exit 1
    accepted=write,protect,tmp-view,inner-loopback,devices,tree-kill
    : >"$base/err"

    # Where namespaces work, accepting all of it changes nothing.
    cordon run --allow-degraded $accepted --report "$base/r" -- true || complain "run, on this machine as it is"
    grep -q '"degraded": \[\]' "$base/r" || complain "degraded although nothing is missing"

    host=(hard-host clone3=EPERM --)
    refuses linux.userns.clone "--allow-degraded protect"
    refuses linux.userns.clone "" --allow-degraded write,tmp-view,inner-loopback,devices,tree-kill
    refuses facet.unavailable "--allow-degraded write,tmp-view,inner-loopback,devices,tree-kill" --allow-degraded protect
    refuses facet.unavailable "--allow-degraded deny-read" --allow-degraded $accepted --deny-read "$base/home"
    refuses facet.require "cannot take a part out of a writable root" --allow-degraded $accepted --require protect
    refuses linux.plan.plain "--trace" --allow-degraded $accepted --trace
    refuses linux.plan.plain "lies in the writable root" --allow-degraded $accepted -w "$base" -w "$base"
    host=(hard-host clone3=ENOSYS landlock_create_ruleset=ENOSYS --)
    refuses linux.plan.plain "nothing could hold the command" --allow-degraded $accepted
    host=(hard-host open_tree=EPERM --)
    refuses facet.unavailable "--allow-degraded write" --allow-degraded protect
    host=(unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh)
    refuses facet.unavailable "--allow-degraded write" --allow-degraded protect

    # Without Landlock the other layers carry all but one facet, and no word is said of it.
    host=(hard-host landlock_create_ruleset=ENOSYS --)
    refuses facet.unavailable "or accept it by --allow-degraded write\"" --allow-degraded protect,devices
    "${host[@]}" cordon run --allow-degraded write --report "$base/r" -- true 2>"$base/err" || complain "without Landlock"
    grep -q '"degraded": \[\]' "$base/r" && complain "without Landlock nothing is degraded"
    grep -q '"mechanism": ".*Landlock' "$base/r" && complain "the report speaks of Landlock"

    host=(hard-host clone3=EPERM --)
    attack "write" 'echo new >$OUT/file'
    attack "append" 'echo new >>$OUT/file'
    attack "truncate" 'truncate -s 0 $OUT/file'
    attack "create" 'echo new >$OUT/new'
    attack "create by a link" 'ln -s $OUT/new l; echo new >l'
    attack "write by /proc" 'echo new >/proc/self/root/$OUT/file'
    attack "unlink" 'rm -f $OUT/file'
    attack "rmdir" 'rmdir $OUT/d'
    attack "mkdir" 'mkdir $OUT/new'
    attack "symlink" 'ln -s x $OUT/new'
    attack "mkfifo" 'mkfifo $OUT/new'
    attack "rename" 'mv $OUT/file $OUT/new'
    attack "rename in" 'mv $OUT/file .'
    attack "rename out" ': >f; mv f $OUT/new'
    attack "link in and write" 'ln $OUT/file f && echo new >>f'
    attack "link out" ': >f; ln f $OUT/new'
    attack "after cd" 'cd $OUT && : >new'
    attack "by a descendant that got away" 'setsid sh -c ": >\$OUT/new"; sleep 0.1'
    attack "write a FIFO" 'cat $OUT/fifo >$OUT/got & sleep 0.1; echo x 1<>$OUT/fifo; wait'

    denied 'socket.socket(socket.AF_INET, socket.SOCK_STREAM)'
    denied 'socket.socket(socket.AF_INET, socket.SOCK_DGRAM)'
    denied 'socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)'
    denied 'socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)'
    denied 'socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)'
    denied 'socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)'
    sleep 300 &
    local victim=$!
    denied "os.kill($victim, 0)"
    denied "resource.prlimit($victim, resource.RLIMIT_CPU)"
    denied "open('/proc/$victim/environ', 'rb').read()"
    denied "os.sched_setaffinity($victim, os.sched_getaffinity($victim))"
    inside -- sh -c 'kill -9 -1; kill -9 $PPID' 2>/dev/null
    kill -0 $victim 2>/dev/null || complain "kill(-1) reached what is outside"
    kill $victim

    works yes 'echo yes >f; mkdir -p a/b; mv f a/b/f; ln a/b/f g; chmod 600 g; cat g; rm -r a g'
    works '' 'echo yes >$TMPDIR/kept'
    works yes 'cat $TMPDIR/kept'
    works yes 'cat /etc/passwd >/dev/null && mktemp >/dev/null && echo yes'
    works yes 'python3 -c "import socket; socket.socketpair(); print(\"yes\")"'
    works yes 'python3 -c "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM); print(\"yes\")"' -n on
    works '' 'kill -TERM $$; echo no'
    works yes 'mkdir .git; : >.git/config; echo yes; rm -r .git' # what was accepted
    works yes 'echo yes; exit 0' --limit wall=60s
    # Its parent is the watcher, which is no debugger.
    works yes 'exec python3 -c "
import ctypes, os, signal
signal.signal(signal.SIGUSR1, lambda *_: print(\"yes\"))
ctypes.CDLL(None).ptrace(0, 0, 0, 0)
os.kill(os.getpid(), signal.SIGUSR1)"' --limit wall=20s

    # explain and plan answer for this machine, not for one with namespaces.
    explains() { # WORDS PATH
        rows=$((rows + 1))
        "${host[@]}" cordon explain --allow-degraded $accepted "$2" >"$base/err" 2>&1
        grep -q -- "$1" "$base/err" || complain "explain $2 does not say: $1"
    }
    mkdir .git
    explains 'write   yes' .git
    rmdir .git
    explains 'write   no   it lies outside' "$base/home"
    explains 'create  no   it lies outside' /tmp/cordon-reduced-new
    explains 'read    yes' "$base/state"
    "${host[@]}" cordon plan --allow-degraded $accepted >"$base/err" 2>&1
    grep -q 'none: Landlock and seccomp alone' "$base/err" || complain "plan speaks of namespaces"

    # The report says it all.
    inside --report "$base/r" -- sh -c 'mkdir .codex; exit 7'
    [ $? -eq 7 ] || complain "the exit status is lost"
    python3 - "$base/r" $accepted <<'CHECK' || complain "the report"
import json, sys
r = json.load(open(sys.argv[1]))
active = {l["facet"]: l["active"] for l in r["layers"]}
assert sorted(r["degraded"]) == sorted(sys.argv[2].split(",")), r["degraded"]
assert not any(active[f] for f in r["degraded"])
assert active["network"] and active["ipc"] and active["privileges"]
assert r["refused"]["observed"] == "none"
assert [c["path"].split("/")[-1] for c in r["changed"]] == [".codex"], r["changed"]
CHECK
    rmdir .codex

    # The tree ends with the command, with a limit, and with cordon however it dies.
    rm -f pid
    inside -- sh -c 'setsid sh -c "echo \$\$ >pid; exec sleep 300" & while [ ! -s pid ]; do sleep 0.1; done'
    gone "$(cat pid)" || complain "what left its session outlived the command"
    rm -f pid
    inside --limit wall=1s -- sh -c 'setsid sh -c "echo \$\$ >pid; exec sleep 300" & sleep 300' 2>/dev/null
    [ $? -eq 124 ] || complain "the wall limit"
    gone "$(cat pid)" || complain "what left its session outlived the limit"
    rm -f pid
    "${host[@]}" cordon run --allow-degraded $accepted -- \
        sh -c 'setsid sh -c "echo \$\$ >pid; exec sleep 300" & sleep 300' &
    local cordon=$!
    while [ ! -s pid ] && kill -0 $cordon 2>/dev/null; do sleep 0.1; done
    kill -KILL $cordon
    wait $cordon 2>/dev/null
    gone "$(cat pid)" || complain "what left its session outlived cordon"
    rm -f pid
    ls -A . >"$base/err"
    [ ! -s "$base/err" ] || complain "this was left in the workspace"

    printf 'reduced: %d rows as uid %s, %d complaints\n' $rows "$(id -u)" $failed
    [ $failed -eq 0 ] && [ $rows -gt 0 ]
}

if [ "${1:-}" = --lane ]; then
    lane "$2"
    exit
fi

cordon=$(realpath "${1:?usage: reduced.sh CORDON HARD-HOST DIRECTORY}") && hard_host=$(realpath "${2:?}") || exit 1
directory=$(realpath "${3:?}") || exit 1
if [ "$(id -u)" -eq 0 ]; then
    directory=/var/lib # an ordinary user may be shut out of root's build directory
else
    case $directory/ in /tmp/* | /var/tmp/* | /dev/shm/*) directory=${HOME:-/tmp} ;; esac
    case $directory/ in /tmp/* | /var/tmp/* | /dev/shm/*) skip "no directory that is not temporary: HOME is $directory" ;; esac
fi
(cd / && "$cordon" doctor >/dev/null 2>&1) || skip "no sandbox can be made here: cordon doctor says why"
base=$(mktemp -d "$directory/cordon-reduced.XXXXXX") || exit 1
trap 'chmod -R u+rwX "$base" 2>/dev/null; rm -rf "$base"' EXIT
trap 'exit 1' INT TERM HUP
chmod 755 "$base" || exit 1
status=0
start() { # NAME PREFIX...
    local own=$base/$1
    mkdir -p "$own/bin" && cp "$cordon" "$own/bin/cordon" && cp "$hard_host" "$own/bin/hard-host" &&
        mkdir -p "$base/tests/hosts" "$base/tests/support" &&
        cp "$here/reduced.sh" "$base/tests/hosts/" && cp "$here/../support/skip.sh" "$base/tests/support/" || exit 1
    [ "$1" = own ] || chown $unprivileged:$unprivileged "$own"
    "${@:2}" "$base/tests/hosts/reduced.sh" --lane "$own" || status=1
}
start own
if [ "$(id -u)" -eq 0 ]; then
    start user setpriv --reuid=$unprivileged --regid=$unprivileged --clear-groups
fi
exit $status
