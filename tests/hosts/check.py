#!/usr/bin/env python3
"""check.py JSON PRIMITIVE FACET STEP CAUSE: what doctor said of a hard host.

PRIMITIVE is missing and explained by CAUSE, FACET is not available for want of
it and has a remedy, and the trial failed at STEP (`-`: it held).
"""
import json
import sys

said = json.load(open(sys.argv[1], encoding="utf-8"))
primitive, facet, step, cause = sys.argv[2:6]
problems = []


def expect(what, got, wanted):
    if got != wanted:
        problems.append(f"{what}: wanted {wanted!r}, got {got!r}")


tried = {p["name"]: p for p in said["primitives"]}[primitive]
expect(primitive, tried["state"], "missing")
if cause not in (tried["cause"] or ""):
    problems.append(f"{primitive}: cause {tried['cause']!r} has not {cause!r}")
if not tried["remedy"]:
    problems.append(f"{primitive}: no remedy")
if facet != "-":
    said_of = {f["facet"]: f for f in said["facets"]}[facet]
    expect(facet, (said_of["state"], said_of["missing"]), ("unavailable", primitive))
    if not said_of["remedy"]:
        problems.append(f"{facet}: no remedy")
# Where only namespaces are missing, the reduced set was tried, and held.
reduced = said["reduced"]
layers = [p["name"] for p in said["primitives"] if p["state"] == "missing"
          and p["name"] in ("landlock", "no-new-privs", "seccomp", "close-range")]
lower = ("user-namespace", "id-maps", "open-tree", "mount-setattr", "move-mount")
wanted = primitive.endswith(lower) and not layers
expect("reduced", reduced is not None, wanted)
if reduced and said["trial"]["step"] != "doctor.scratch":
    expect("reduced", (reduced["held"], reduced["step"]), (True, None))
    if "protect" not in reduced["allow_degraded"].split(","):
        problems.append(f"reduced: {reduced['allow_degraded']!r} has no protect")
expect("the trial's step", said["trial"]["step"], None if step == "-" else step)
expect("enforceable", said["enforceable"], facet == "-")
print("\n".join(problems))
sys.exit(bool(problems))
