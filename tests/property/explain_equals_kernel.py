#!/usr/bin/env python3
"""explain_equals_kernel.py CORDON DIRECTORY [SEED...] - `cordon explain` against the kernel.

Small random trees and policies from a seed; what explain says of each path is
tried inside one `cordon run` with the same options. An act counts only where
file permissions let it work outside. As root it runs as root and then as an
ordinary user. CORDON_EQUAL_CASES=N cases for each seed, CORDON_EQUAL_CASE=N only
that one. Everything made is removed at the end.
"""
import errno
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

NAMES = ["a", "b", "sp ace", "new\nline", "odd\udcff", ".git", ".codex", "c"]
UNPRIVILEGED = 59998
# What only `run` looks for, since it concerns starting and not the meaning of a path.
EXPECTED_REFUSALS = ("open up its directory instead", "which the command could have made; name the target itself")

# Runs outside and inside: reads [[path, operation]...], answers what came of each.
ACTS = r"""
import json, os, sys
def act(path, op):
    directory = os.path.isdir(path)
    if op == "read":
        if directory:
            return [os.stat(path).st_ino] + sorted(os.listdir(path))
        return open(path, "rb").read().decode("latin-1")
    if op == "write":
        if directory:
            os.chmod(path, os.stat(path).st_mode & 0o7777)
        else:
            os.close(os.open(path, os.O_WRONLY))
    elif op == "create":
        missing, at = [], path
        while not os.path.lexists(at):
            missing.append(at)
            at = os.path.dirname(at)
        os.makedirs(path)
        for made in missing:
            os.rmdir(made)
    else:
        aside = os.path.join(os.path.dirname(path), ".moved-aside")
        os.rename(path, aside)
        os.rename(aside, path)
    return True
results = []
for path, op in json.load(sys.stdin):
    try:
        results.append(["ok", act(path, op)])
    except OSError as e:
        results.append(["no", e.errno])
json.dump(results, sys.stdout)
"""


def unescape(text):
    """The bytes behind src/core/utf.h's escaping."""
    return os.fsdecode(re.sub(rb"\\(\\|x..)", lambda m: b"\\" if m[1] == b"\\" else bytes([int(m[1][1:], 16)]), text.encode()))


def grow(rng, top, depth, made):
    """A directory of random things; every one holds a file, so that hidden differs from empty."""
    os.mkdir(top)
    made.append(top)
    for name in ["keep"] + rng.sample(NAMES, rng.randint(1, 4)):
        path = os.path.join(top, name)
        kind = "file" if name == "keep" else rng.choice(["dir", "dir", "file", "link", "hard"])
        if kind == "dir" and depth:
            grow(rng, path, depth - 1, made)
            continue
        if kind == "link":
            os.symlink(rng.choice(made + [path, "absent", "../a", "b/c"]), path)
        elif kind == "hard" and (files := [m for m in made if os.path.isfile(m) and not os.path.islink(m)
                                            and os.stat(m).st_dev == os.stat(top).st_dev]):
            os.link(rng.choice(files), path)
        else:
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as f:
                f.write("gitdir: %s\n" % rng.choice(made) if name == ".git" else "content of a file\n")
        made.append(path)


def policy(rng, tree, outer, made, tmps):
    dirs = [m for m in made if os.path.isdir(m)]

    def some():
        return rng.choice([rng.choice(made), rng.choice(made), os.path.join(rng.choice(dirs), rng.choice(NAMES))])

    options = ["-C", rng.choice([outer, outer, rng.choice(dirs), rng.choice(tmps)])]
    for _ in range(rng.randint(0, 2)):
        options += ["-w", rng.choice(made)]
    for _ in range(rng.randint(0, 2)):
        options += ["-p", rng.choice([rng.choice(NAMES), some(), some()])]
    for _ in range(rng.choice([0, 1, 1, 2])):
        options += ["--deny-read", rng.choice([some(), some(), tree + "/**/b", outer + "/*", tree + "/*/[a-c]*"])]
    if rng.random() < 0.2:
        options += ["--unprotect", ".git"]
    if rng.random() < 0.4:
        options += ["--read", rng.choice(tmps)]
    return options + ["--tmp", rng.choice(["workspace", "workspace", "fresh", "shared"]),
                      "--profile", rng.choice(["workspace", "workspace", "workspace", "read-only", "open"])]


def ask(command, env, cwd, **more):
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, timeout=60, check=False, **more)


def acts(prefix, tasks, env, cwd):
    done = ask(prefix + [PYTHON, "-IS", "-c", ACTS], env, cwd, input=json.dumps(tasks).encode())
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.decode(errors="replace").strip()


def same(op, outside, inside):
    """What counts as allowed: for a read, that the same is seen."""
    if inside[0] != "ok":
        return False
    if op != "read" or isinstance(outside[1], str):
        return inside[1] == outside[1]
    return set(outside[1]) <= set(inside[1])


def one_case(cordon, seed, number, base, shared, count):
    rng = random.Random("%s/%d" % (seed, number))
    tree, temporary, made = os.path.join(base, "t"), os.path.join(shared, "t"), []
    for top in (tree, temporary):
        shutil.rmtree(top, ignore_errors=True)
    os.mkdir(tree)
    outer = os.path.join(tree, "ws")
    grow(rng, outer, 3, made)
    grow(rng, os.path.join(tree, "other"), 2, made)
    here = len(made)
    grow(rng, temporary, 2, made)
    tmps = [m for m in made[here:] if os.path.exists(m)]
    options = policy(rng, tree, outer, [m for m in made if os.path.exists(m)], tmps)
    home = os.path.join(base, "home-%s-%d" % (seed, number))  # its own: the private /tmp lives on
    os.mkdir(home)
    env = {"PATH": "/usr/bin:/bin", "HOME": home, "LC_ALL": "C.UTF-8"}
    paths = rng.sample(made, min(len(made), 30)) + [tree, temporary, base, home + "/.local/state/cordon", options[1]]
    paths += [os.path.join(m, name) for m in rng.sample(made, min(len(made), 8)) if os.path.isdir(m)
              for name in ("absent", ".git", rng.choice(NAMES))]
    paths = [p for p in paths if not os.path.islink(p) or os.path.exists(p)]
    told = ask([cordon, "explain"] + options + ["--json", "--"] + paths, env, base)
    if told.returncode:
        ran = ask([cordon, "run"] + options + ["--", "true"], env, base)
        if ran.returncode == 0:
            return ["explain refuses and run does not: " + told.stderr.decode(errors="replace")], options
        count["refused"] += 1
        return [], options
    tasks, verdicts = [], []
    for entry in json.loads(told.stdout)["paths"]:
        for answer in entry["answers"]:
            if "quarantine" in answer["reason"]:  # the kernel lets it pass, the guard ends everything
                count["guarded"] += 1
                continue
            tasks.append([unescape(entry["path"]), answer["operation"]])
            verdicts.append(answer)
    before = acts([], tasks, env, base)
    inside = acts([cordon, "run"] + options + ["-q", "--"], tasks, env, base)
    if isinstance(inside, str) and any(words in inside for words in EXPECTED_REFUSALS):
        count["run refused"] += 1
        return [], options
    if isinstance(inside, str) or isinstance(before, str):
        return ["explain answers; outside: %.500s; run: %.500s" % (before, inside)], options
    wrong = []
    for (path, op), verdict, out, got in zip(tasks, verdicts, before, inside):
        # Under a replaced directory what is there outside can be made inside.
        if out[0] != "ok" and not (op == "create" and out[1] == errno.EEXIST):
            continue
        count["acts"] += 1
        allowed = got == ["ok", True] if op == "create" else same(op, out, got)
        if allowed != verdict["allowed"]:
            wrong.append("%s %r: explain says %s (%s, %s), the kernel %s" %
                         (op, path, verdict["allowed"], verdict["reason"], verdict["rule"], got))
    count["cases"] += 1
    return wrong, options


def lane(cordon, base, shared, seeds):
    count, bad = {"cases": 0, "acts": 0, "refused": 0, "run refused": 0, "guarded": 0}, 0
    for seed in seeds:
        for number in NUMBERS:
            wrong, options = one_case(cordon, seed, number, base, shared, count)
            bad += bool(wrong)
            if wrong:
                print("DIFFERENCE as uid %d, seed %s, case %d:\n  options %r" % (os.getuid(), seed, number, options))
                print("".join("    %s\n" % w for w in wrong[:6]), flush=True)
    print("uid %d, seeds %s: %s" % (os.getuid(), " ".join(seeds), count), flush=True)
    return 1 if bad or not count["acts"] else 0


def working_directory(wanted):
    """Not a temporary one, which the sandbox replaces; an ordinary user may be shut out of root's build directory."""
    if os.getuid() == 0:
        return "/var/lib"
    for path in (wanted, os.environ.get("HOME", "/tmp")):
        path = os.path.realpath(path)
        if not (path + "/").startswith(("/tmp/", "/var/tmp/", "/dev/shm/")):
            return path
    reason = "no directory that is not temporary: HOME is " + os.environ.get("HOME", "not set")
    if os.environ.get("CORDON_MUST_WORK") == "1":
        sys.exit("FAIL (CORDON_MUST_WORK=1 forbids to skip): " + reason)
    print("SKIP: " + reason)
    sys.exit(77)


def remove(top):
    subprocess.run(["chmod", "-R", "u+rwX", top], check=True)  # cordon's masks are closed
    shutil.rmtree(top)


def main():
    cordon, seeds = os.path.realpath(sys.argv[1]), sys.argv[3:] or ["1", "2", "5"]
    directory = working_directory(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    status = 0
    for uid in [0, UNPRIVILEGED] if os.getuid() == 0 else [os.getuid()]:
        base = tempfile.mkdtemp(prefix="cordon-equal.", dir=directory)
        shared = tempfile.mkdtemp(prefix="cordon-equal.", dir="/tmp")
        try:
            program = shutil.copy(cordon, os.path.join(base, "cordon"))
            for top in (base, shared):
                os.chown(top, uid, uid if uid != os.getuid() else -1)
                os.chmod(top, 0o755)
            sys.stdout.flush()
            child = os.fork()
            if child == 0:
                try:
                    if uid != os.getuid():
                        os.setgroups([])
                        os.setgid(uid)
                        os.setuid(uid)
                    os._exit(lane(program, base, shared, seeds))
                except BaseException:
                    traceback.print_exc()
                    os._exit(2)
            status |= os.waitpid(child, 0)[1]
        finally:
            remove(base)
            remove(shared)
    return 1 if status else 0


PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
ONLY = os.environ.get("CORDON_EQUAL_CASE")
NUMBERS = [int(ONLY)] if ONLY else range(int(os.environ.get("CORDON_EQUAL_CASES", "20")))
sys.exit(main())
