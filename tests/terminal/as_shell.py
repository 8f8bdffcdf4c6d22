#!/usr/bin/env python3
"""as_shell.py CORDON - programs whose shell is cordon-shell, by SHELL or by a setting of their own."""
import os
import sys

from driver import main, need


def confined(world, done, *wanted):
    """It ran, and could not write outside."""
    for text in wanted:
        assert text in done.stdout + done.stderr, (text, done)
    assert not os.path.exists(world.path("escaped")), "it wrote outside: %r" % (done,)


def escape(world):
    return "(echo x >%s) 2>&1" % world.path("escaped")


def test_control(world):
    """The same, not confined, does write there."""
    world.run("sh", "-c", escape(world))
    assert os.path.exists(world.path("escaped"))


def test_vim(world):
    world.env["SHELL"] = world.as_shell
    # By default vim's `:r !` goes through a file in its /tmp, which is not the one inside.
    world.write("ws/commands", ":set noshelltemp\n:!echo from $SHELL; %s\n:r !echo re''ad\n:wq! got\n" % escape(world))
    done = world.run("vim", "-u", "NONE", "-N", "-es", "-S", "commands", "new")
    confined(world, done)
    assert "read" in world.read("ws/got"), done


def test_make(world):
    world.write("ws/Makefile", "all:\n\t@echo made; %s || true\n" % escape(world))
    done = world.run("make", "SHELL=" + world.as_shell)
    confined(world, done, "made", "Read-only file system")
    assert done.returncode == 0
    world.write("ws/Makefile", "SHELL = %s\n.SHELLFLAGS = -eu -o pipefail -c\nall:\n\t@false | true; echo no\n" % world.as_shell)
    done = world.run("make")
    assert done.returncode == 2 and "no\n" not in done.stdout, done


def test_script(world):
    world.env["SHELL"] = world.as_shell
    done = world.run("script", "-q", "-e", "-c", "echo scripted; tty; %s; exit 3" % escape(world), "/dev/null")
    confined(world, done, "scripted")
    assert done.returncode == 3, done


def test_agents(world):
    """What agents do with SHELL: -lc, -c -l, -ic, a here document, much output, bytes."""
    for words in (["-lc"], ["-c", "-l"], ["-l", "-c"], ["-ic"]):
        done = world.run(world.as_shell, *words, "echo ok; %s; exit 9" % escape(world))
        confined(world, done, "ok\n")
        assert done.returncode == 9, (words, done)
    done = world.run(world.as_shell, "-c", "cat <<'END'\na $b `c`\nEND\n")
    assert done.stdout == "a $b `c`\n", done
    done = world.run(world.as_shell, "-c", "seq 200000 | tail -1; seq 200000 | wc -c")
    assert done.stdout == "200000\n1288895\n", done
    done = world.run(world.as_shell, "-c", "cat | cksum", input="\x00\x01\x7f" * 1000)
    assert done.stdout == world.run("cksum", input="\x00\x01\x7f" * 1000).stdout, done


def test_wrapper(world):
    """The script of the manual: a policy of its own, and SHELL names the script."""
    world.write("bin/agent-shell", '#!/bin/sh\nexec cordon shell --env GREETING=hello "$@"\n')
    os.chmod(world.path("bin/agent-shell"), 0o755)
    world.env["SHELL"] = world.path("bin/agent-shell")
    done = world.run("script", "-q", "-c", "echo $GREETING $SHELL; $SHELL -c 'echo nes''ted'; %s" % escape(world), "/dev/null")
    confined(world, done, "hello /", "nested")


def test_git_alias(world):
    """git uses sh, whatever SHELL is: inside it still is confined."""
    world.run("git", "init", "-q", ".")
    done = world.run(world.as_shell, "-c", "git -c 'alias.try=!echo aliased; %s' try" % escape(world))
    confined(world, done, "aliased")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    need("vim", "make", "git", "script")
    main(globals())
