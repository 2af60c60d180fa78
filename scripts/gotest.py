#!/usr/bin/env python3
"""Runs `go test -json ...` and prints what `go test` prints. Skipped tests fail the run and are listed at the end."""
import json
import subprocess
import sys


def main():
    p = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, encoding="utf-8", errors="replace")
    lines, skipped = {}, []
    for line in p.stdout:
        try:
            e = json.loads(line)
        except ValueError:
            print(line, end="", flush=True)
            continue
        action, test = e["Action"], e.get("Test")
        key = (e.get("Package"), test)
        if action == "build-output" or action == "output" and test is None:
            if e["Output"] not in ("PASS\n",):
                print(e["Output"], end="", flush=True)
        elif action == "output":
            lines.setdefault(key, []).append(e["Output"])
        elif action in ("pass", "fail", "skip") and test is not None:
            said = [x for x in lines.pop(key, []) if not x.startswith("=== ")]
            said = "".join(sorted(said, key=lambda x: not x.lstrip().startswith("--- ")))  # the result comes first
            if action == "fail":
                print(said, end="", flush=True)
            elif action == "skip":
                skipped.append("%s %s: %s" % (key + (" ".join(said.split()),)))
    status = p.wait()
    for (_, _), said in lines.items():  # tests that a crash interrupted
        if status:
            print("".join(said), end="")
    for s in skipped:
        print("SKIP, which H5ARROW_REQUIRE_ALL=1 forbids: " + s)
    if skipped and not status:
        print("FAIL")
    sys.exit(status or bool(skipped))


if __name__ == "__main__":
    main()
