#!/usr/bin/env bash
# run-case.sh CORDON CASE DIRECTORY - a transcript, compared with what happens.
#
#   # a comment                        @ user | root  only as ordinary user, as root
#   $ a command for bash, in the workspace
#   a line that it prints on standard output
#   ! a line that it prints on standard error
#   ? 125                              its exit status, when it is not 0
#
# {WS} {HOME} {STATE} {CONFIG} {BASE} are this case's own directories, in commands
# and in what they print; in what they print {*} is anything within a line, and a
# line {...} any number of lines. An output line that begins with one of # @ $ ! ?
# or is empty is written after a `| `.
#
# Each case has its own home, state and workspace, removed at the end. As root it
# runs as root and then again as an ordinary user.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
. "$here/../support/skip.sh"
unprivileged=61235

lane() { # CORDON CASE BASE
    local base=$3 line n=0 failed=0
    local ws=$base/ws home=$base/home state=$base/state config=$base/config
    local command= want_out=() want_err=() want_status=0
    mkdir -p "$ws" "$home" "$state" "$config" || return 1

    fill() { # the case's own directories, in place of their names
        local text=$1
        text=${text//'{WS}'/"$ws"}
        text=${text//'{HOME}'/"$home"}
        text=${text//'{STATE}'/"$state"}
        text=${text//'{CONFIG}'/"$config"}
        printf '%s' "${text//'{BASE}'/"$base"}"
    }

    compare() { # WHAT FILE WANTED...
        local what=$1 file=$2 got=() at=0 want pattern any=0
        shift 2
        mapfile -t got <"$file"
        for want; do
            if [ "$want" = '{...}' ]; then
                any=1
                continue
            fi
            pattern=$(fill "$want" | sed -e 's/[][\\*?()|]/\\&/g' -e 's/{\\\*}/*/g')
            while [ $any -eq 1 ] && [ $at -lt ${#got[@]} ]; do
                # shellcheck disable=SC2053
                [[ ${got[$at]} == $pattern ]] && break
                at=$((at + 1))
            done
            any=0
            # shellcheck disable=SC2053
            if [ $at -ge ${#got[@]} ] || ! [[ ${got[$at]} == $pattern ]]; then
                printf '%s, wanted:\n' "$what"
                printf '    %s\n' "$@"
                printf 'got:\n'
                sed 's/^/    /' "$file"
                return 1
            fi
            at=$((at + 1))
        done
        if [ $any -eq 0 ] && [ $at -lt ${#got[@]} ]; then
            printf '%s, not wanted:\n' "$what"
            printf '    %s\n' "${got[@]:$at}"
            return 1
        fi
    }

    step() { # runs what was collected
        local status wrong=0
        [ -n "$command" ] || return 0
        n=$((n + 1))
        (
            cd "$ws" || exit 1
            exec env -i PATH="$base/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" HOME="$home" LC_ALL=C \
                XDG_STATE_HOME="$state" XDG_CONFIG_HOME="$config" bash -c "$(fill "$command")"
        ) >"$base/out" 2>"$base/err" </dev/null
        status=$?
        # AddressSanitizer, about _exit() on the stack that the sandbox's init was given.
        sed -i -e '/^==[0-9]*==WARNING: ASan is ignoring requested __asan_handle_no_return/,+2d' "$base/err"
        [ $status -eq "$want_status" ] || wrong=1
        compare "standard output" "$base/out" ${want_out[@]+"${want_out[@]}"} >"$base/why" || wrong=1
        compare "standard error" "$base/err" ${want_err[@]+"${want_err[@]}"} >>"$base/why" || wrong=1
        if [ $wrong -eq 1 ]; then
            failed=$((failed + 1))
            printf 'FAIL as uid %s: $ %s\n' "$(id -u)" "$command"
            [ $status -eq "$want_status" ] || printf 'exit status %s, wanted %s\n' $status "$want_status"
            cat "$base/why"
            [ -s "$base/why" ] || sed 's/^/    /' "$base/err"
        fi
        command= want_out=() want_err=() want_status=0
    }

    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        '' | '#'*) ;;
        '@ user') [ "$(id -u)" -ne 0 ] || return 0 ;;
        '@ root') [ "$(id -u)" -eq 0 ] || return 0 ;;
        '$ '*)
            step
            command=${line#'$ '}
            ;;
        '! '*) want_err+=("${line#'! '}") ;;
        '? '*) want_status=${line#'? '} ;;
        '|') want_out+=('') ;;
        '| '*) want_out+=("${line#'| '}") ;;
        [@\$!?]*)
            echo "$2: not understood: $line"
            return 1
            ;;
        *) want_out+=("$line") ;;
        esac
    done <"$2"
    step
    [ $n -gt 0 ] || { echo "$2: no commands" && return 1; }
    [ $failed -eq 0 ] && echo "$(basename "$2"): $n commands as uid $(id -u)"
}

if [ "${1:-}" = --lane ]; then
    lane "$2" "$3" "$4"
    exit
fi

cordon=$(realpath "${1:?usage: run-case.sh CORDON CASE DIRECTORY}") && case=$(realpath "${2:?}") || exit 1
directory=$(realpath "${3:?}") || exit 1
# Would a workspace there lie inside a git repository? Then an absent .git is not held.
in_repository() {
    local at=$1
    until [ -e "$at/.git" ]; do
        [ "$at" != / ] || return 1
        at=$(dirname "$at")
    done
}
# Temporary directories are what the sandbox replaces; and from root's build
# directory an ordinary user may be shut out.
if [ "$(id -u)" -eq 0 ]; then
    directory=/var/lib
else
    in_repository "$directory" && directory=${HOME:-/tmp}
    case $directory/ in /tmp/* | /var/tmp/* | /dev/shm/*) directory=${HOME:-/tmp} ;; esac
    case $directory/ in /tmp/* | /var/tmp/* | /dev/shm/*) skip "no directory that is not temporary: HOME is $directory" ;; esac
fi
base=$(mktemp -d "$directory/cordon-cli.XXXXXX") || exit 1
trap 'chmod -R u+rwX "$base" 2>/dev/null; rm -rf "$base"' EXIT
trap 'exit 1' INT TERM HUP
chmod 755 "$base" && mkdir "$base/tests" "$base/tests/cli" "$base/tests/support" "$base/own" "$base/own/bin" &&
    cp "$here/run-case.sh" "$case" "$base/tests/cli/" && cp "$here/../support/skip.sh" "$base/tests/support/" &&
    cp "$cordon" "$base/own/bin/cordon" || exit 1
script=$base/tests/cli/run-case.sh copy=$base/tests/cli/$(basename "$case")
status=0
"$script" --lane "$cordon" "$copy" "$base/own" || status=1
if [ "$(id -u)" -eq 0 ]; then
    mkdir "$base/user" "$base/user/bin" && cp "$cordon" "$base/user/bin/cordon" &&
        chown $unprivileged:$unprivileged "$base/user" || exit 1
    setpriv --reuid=$unprivileged --regid=$unprivileged --clear-groups \
        "$script" --lane "$cordon" "$copy" "$base/user" || status=1
fi
exit $status
