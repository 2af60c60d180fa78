#!/usr/bin/env python3
"""Runs the interoperability cases and compares the failures with the list of known ones.

    interop.py CASEDIR --h5arrow BIN [--failures FILE] [--jobs N] [--ext .arrow] [--extra=...] [--update]

Each line of the list has the name of a case, a tab and the reason. The run fails if a case fails that is not listed, or if
a listed case passes or does not exist.
"""
import argparse
import concurrent.futures
import json
import os
import sys

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "testdata", "interop"))
import run_cases  # noqa: E402


def read_failures(path):
    listed = {}
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            name, tab, reason = line.partition("\t")
            if not tab or not reason.strip() or name in listed:
                sys.exit("%s:%d: want a case, which is not listed yet, a tab and a reason" % (path, number))
            listed[name] = reason
    return listed


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("casedir")
    p.add_argument("--h5arrow", required=True)
    p.add_argument("--failures", default=os.path.join(ROOT, "testdata", "interop-failures.txt"))
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--ext", default=".arrow")
    p.add_argument("--extra", action="append", default=[])
    p.add_argument("--timeout", type=float, default=60)
    p.add_argument("--lines", type=int, default=3, help="number of lines to show of each failure")
    p.add_argument("--update", action="store_true", help="rewrite the list, with the messages of the failures as reasons")
    a = p.parse_args()
    a.h5arrow = os.path.abspath(a.h5arrow)
    listed = read_failures(a.failures)
    with open(os.path.join(a.casedir, "cases.json"), encoding="utf-8") as f:
        cases = json.load(f)
    families, failed, wrong = {}, {}, []
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for case, bad in zip(cases, pool.map(lambda c: run_cases.run_case(c, a), cases)):
            name, counts = case["name"], families.setdefault(case["family"], [0, 0])
            counts[0] += not bad
            counts[1] += 1
            if bad:
                failed[name] = bad
                if name not in listed:
                    wrong.append("FAIL %s\n" % name + "\n".join("     " + line for line in bad[:a.lines]))
            elif name in listed:
                wrong.append("PASS %s, but it is listed: %s" % (name, listed[name]))
    wrong += ["%s is listed and does not exist" % name for name in listed if name not in {c["name"] for c in cases}]
    if a.update:
        with open(a.failures, "w", encoding="utf-8") as f:
            f.writelines("%s\t%s\n" % (name, listed.get(name, " ".join(bad[0].split()))) for name, bad in sorted(failed.items()))
    for line in wrong:
        print(line)
    print(" ".join(["interop", a.ext] + a.extra) + ": " + ", ".join(
        "%s %d/%d" % (name, ok, total) for name, (ok, total) in families.items()) + "; %d known to fail, %d unlike the list" % (len(listed), len(wrong)))
    sys.exit(1 if wrong and not a.update else 0)


if __name__ == "__main__":
    main()
